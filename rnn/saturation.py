"""How gates are used over a text: how often they are fully open or shut, and what of a state they let through.

The shares are those of the saturation plots of Karpathy, Johnson and Fei-Fei (2015, arXiv 1506.02078). No torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnn.errors import InputError

OF_SIGMOID = (0.1, 0.9)  # below the first it is saturated on the left, above the second on the right
OF_TANH = (-0.9, 0.9)
SIGMOID_GATES = ("i", "f", "o", "r", "z")  # g and n are candidates, squashed by tanh
KEEPS = {"lstm": "f", "gru": "z"}  # the gate that says how much of the state stays


@dataclass(frozen=True)
class Saturation:
    """How often the units of a layer are near the ends of what they can be.

    Attributes:
        left: the share of characters at which a unit is below the lower bound, (H,), 0 to 1.
        right: the same above the upper bound, (H,); left + right is at most 1.
        low, high: the bounds.
    """

    left: NDArray[np.float64]
    right: NDArray[np.float64]
    low: float
    high: float


def saturation(values: NDArray[Any], bounds: tuple[float, float] = OF_SIGMOID) -> Saturation:
    """How often gates or states (T, H) lie outside the bounds.

    Raises:
        InputError: there is no character.
    """
    if not len(values):
        raise InputError("There is no text to count over. Type at least one character.")
    low, high = bounds
    return Saturation((values < low).mean(axis=0), (values > high).mean(axis=0), low, high)


def surviving(gate: NDArray[Any], first: int, last: int, reverse: bool = False) -> NDArray[np.float64]:
    """What is left of a state after each further step: the product of the gates that multiply it.

    An LSTM's c_t = f_t * c_{t-1} + ... keeps the product of f; a GRU's h_t = z_t * h_{t-1} + ... that of z. This is
    the direct way only: what a unit learns of its past through the other units comes on top.

    Args:
        gate: f or z, (T, H).
        first, last: two characters, from 0, first <= last. The state after the earlier one that is read is followed to
            the other.
        reverse: whether the text was read from its end; then the state after `last` is followed to `first`.

    Returns:
        the share that is left, (last - first + 1, H), row k at character first + k; 1 where the state comes from.

    Raises:
        InputError: these are not two characters of the text in this order.
    """
    if not 0 <= first <= last < len(gate):
        raise InputError(f"Choose two characters from 1 to {len(gate):,}, the earlier one first.")
    between = gate[first:last][::-1] if reverse else gate[first + 1 : last + 1]
    start = np.ones((1, gate.shape[1]))
    left: NDArray[np.float64] = np.concatenate([start, np.cumprod(between, axis=0, dtype=np.float64)])
    return left[::-1] if reverse else left


def keeping_gate(gates: Mapping[str, NDArray[Any]]) -> str | None:
    """The name of the gate of a layer that says how much of the state stays: f, z, or None of an RNN."""
    return next((name for name in KEEPS.values() if name in gates), None)

"""What one prediction depends on: its gradient with respect to every character read before it.

The norm of d(output) / d x_k for each input x_k is what Madsen ("Visualizing memorization in RNNs", Distill 2019) calls
connectivity. Its product with x_k itself is signed: to first order, how much this input pushed the output up or down.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rnn.cells import State
from rnn.config import ModelConfig, shown
from rnn.errors import ConfigError, InputError
from rnn.gradients.steps import as_tensors, read_steps
from rnn.records import Trace

WINDOW = 500  # characters before a prediction that its gradient goes back over

Quantity = Literal["log-probability", "logit"]
QUANTITIES: tuple[Quantity, ...] = get_args(Quantity)


@dataclass(frozen=True)
class Connectivity:
    """How one output depends on the n characters before it.

    Attributes:
        begin: the first of these characters, by its place in the text; those before it are not looked at.
        value: the output, its log-probability in nats or its logit.
        norms: the length of its gradient with respect to each x_k, (n,).
        pushes: that gradient times x_k, signed, (n,).
    """

    begin: int
    value: float
    norms: NDArray[np.float64]
    pushes: NDArray[np.float64]


def connectivity(
    config: ModelConfig,
    weights: Mapping[str, NDArray[Any]],
    trace: Trace,
    position: int,
    output: int | None = None,
    quantity: Quantity = "log-probability",
    window: int = WINDOW,
) -> Connectivity:
    """The gradient of the output that foretold the character at `position`, in one backward pass in float64.

    Args:
        config: of one direction.
        weights: every parameter by its name in the state dict.
        trace: the text, and the states that the model had on its way.
        position: of the character that is foretold, from 1; those before it were read.
        output: a character by its place in the vocabulary; None: the one that came.
        quantity: what is asked for its gradient.
        window: how many characters are looked back over at most.

    Raises:
        ConfigError: the model is bidirectional, or the quantity or output is none.
        InputError: there is no character before `position`, or the gradient is not finite.
    """
    first = trace.indices[position : position + 1]
    chosen = first if output is None else np.array([output])
    found = _backward(config, weights, trace, [position], chosen, quantity, min(window, position))
    return Connectivity(position - min(window, position), float(found[0][0]), found[1][:, 0], found[2][:, 0])


def typical_norms(
    config: ModelConfig, weights: Mapping[str, NDArray[Any]], trace: Trace, positions: Sequence[int], window: int
) -> NDArray[np.float64]:
    """The norms for the log-probabilities of the characters that came at several places, side by side in one pass.

    In float32, which is twice as fast: what is below 1e-38 is nothing in a mean.

    Args:
        positions: N places that have at least `window` characters before them.
        window: n, how many characters are looked back over.

    Returns:
        One row for each place, the nearest character last, (N, n).

    Raises:
        ConfigError, InputError: as `connectivity`.
    """
    outputs = trace.indices[list(positions)]
    return _backward(config, weights, trace, positions, outputs, "log-probability", window, torch.float32)[1].T


def _backward(
    config: ModelConfig, weights: Mapping[str, NDArray[Any]], trace: Trace, positions: Sequence[int],
    outputs: NDArray[np.int64], quantity: Quantity, window: int, dtype: torch.dtype = torch.float64,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:  # fmt: skip
    """Values (N,), norms (n, N) and pushes (n, N) of N outputs."""
    if quantity not in QUANTITIES:
        raise ConfigError(f"The quantity must be one of {', '.join(QUANTITIES)}, not {shown(quantity)}.")
    T, V = len(trace), len(trace.characters)
    if window < 1 or any(not window <= position < T for position in positions):
        raise InputError("No character was read before this one. Choose a later one of a text of at least two.")
    if any(not 0 <= output < V for output in outputs):
        raise ConfigError(f"An output is one of {V} characters, from 0 to {V - 1}.")
    read = torch.from_numpy(np.stack([trace.indices[p - window : p] for p in positions], axis=1))
    state = None if config.bidirectional else _states_before(trace, [p - window for p in positions], dtype)
    with torch.enable_grad():
        steps = read_steps(config, as_tensors(weights, dtype), read, state, inputs_require_grad=True)
        scores = steps.logits[-1] if quantity == "logit" else steps.logits[-1].log_softmax(-1)
        values = scores.gather(1, torch.from_numpy(np.asarray(outputs, np.int64))[:, None])[:, 0]
        gradients = torch.autograd.grad(values.sum(), steps.x)  # no sequence sees another, so the sum mixes nothing
    backward = torch.stack(gradients).double()
    norms, pushes = backward.norm(dim=2), (backward * torch.stack(steps.x).detach()).sum(2)
    if not torch.isfinite(norms).all():
        raise InputError(
            "The gradient is no longer finite: it exploded on its way back. Choose a place nearer to the beginning, "
            "or another model."
        )
    return values.detach().numpy(), norms.numpy(), pushes.numpy()


def _states_before(trace: Trace, begins: Sequence[int], dtype: torch.dtype) -> list[State]:
    """The state of every layer when the characters at `begins` are about to be read, (N, H) each part."""
    states: list[State] = []
    for (one,) in trace.layers:
        parts = (one.h,) if one.c is None else (one.h, one.c)
        states.append(tuple(_rows_before(part, begins).to(dtype) for part in parts))
    return states


def _rows_before(part: NDArray[np.float32], begins: Sequence[int]) -> Tensor:
    rows = [part[begin - 1] if begin else np.zeros(part.shape[1], np.float32) for begin in begins]
    return torch.from_numpy(np.stack(rows))

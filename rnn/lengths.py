"""The same weights run over sequences of any length. No torch."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnn.config import ModelConfig
from rnn.cost import step_multiplications
from rnn.errors import ConfigError
from rnn.sampling import checked_weights
from rnn.trace import read_layers

MOST_PRODUCTS = 10_000_000_000  # multiplications of one run: some seconds


@dataclass(frozen=True)
class LengthRun:
    """One sequence read by the network.

    Attributes:
        steps: T.
        seconds: that it took.
        norms: the L2 norm of the highest layer's h after each step (both directions together), (T,).
        cell_norms: the same of an LSTM's c; None elsewhere.
        largest: the largest norm that h can have: sqrt(its size) where its numbers are within -1 and 1, else None.
    """

    steps: int
    seconds: float
    norms: NDArray[np.float64]
    cell_norms: NDArray[np.float64] | None
    largest: float | None


def affordable_steps(config: ModelConfig, vocabulary_size: int, steps: int) -> int:
    """`steps`, or as many as a few seconds allow for."""
    return max(1, min(steps, MOST_PRODUCTS // step_multiplications(config, vocabulary_size)))


def run_length(config: ModelConfig, weights: Mapping[str, NDArray[Any]], indices: Sequence[int]) -> LengthRun:
    """Reads the characters from a state of zeros.

    Args:
        weights: every parameter by its name in the state dict.
        indices: the characters, T of them.

    Raises:
        ConfigError: there are no characters, or the network does not know one of them.
    """
    V = len(weights["head.weight"])
    read = np.asarray(indices, np.int64)
    if read.size == 0 or read.min() < 0 or read.max() >= V:
        raise ConfigError(f"The sequence needs at least one character, each with an index from 0 to {V - 1}.")
    w = checked_weights(config, weights)
    began = time.perf_counter()
    top = read_layers(config, w, read)[-1]
    seconds = time.perf_counter() - began
    h = np.concatenate([one.h for one in top], axis=1)
    c = np.concatenate([one.c for one in top if one.c is not None], axis=1) if config.cell == "lstm" else None
    is_bounded = config.cell != "rnn" or config.nonlinearity != "relu"
    return LengthRun(
        len(read), seconds, _norms(h), None if c is None else _norms(c), h.shape[1] ** 0.5 if is_bounded else None
    )


def _norms(states: NDArray[np.float32]) -> NDArray[np.float64]:
    norms: NDArray[np.float64] = np.linalg.norm(states.astype(np.float64), axis=1)
    return norms

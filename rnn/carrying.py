"""A sequence read in two chunks, the state carried over the cut, is the sequence read in one go: held against it.

What truncated backpropagation through time rests on: it cuts the gradient and nothing else. And the common mistake
beside it: the second chunk begins with zeros, as if nothing had been read (as makemore's sampling did before its third
pull request).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rnn.cells import State
from rnn.config import CELLS, ModelConfig
from rnn.errors import ConfigError, InputError
from rnn.judging import TOLERANCES, Computed, by_scan, by_torch, model_of
from rnn.models import CharRNN

PATHS = ("cells", "scan", "torch")
SIZE = 32  # units of the random networks


@dataclass(frozen=True)
class Carried:
    """One network read in one go and in two chunks.

    Attributes:
        path: "cells", the readable cell step by step; "scan", the fast path; or "torch", torch.nn.
        dtype: "float32" or "float64".
        steps: max|a - b| of the highest layer's h after each step, with the state carried, (T,).
        last: the same of the state after the last step, all of it, as a share of its largest number where that is
            above 1.
        forgotten: the same as `steps` where the second chunk begins with zeros, (T,).
        allowed: how large `steps` and `last` may be.
    """

    path: str
    dtype: str
    steps: NDArray[np.float64]
    last: float
    forgotten: NDArray[np.float64]
    allowed: float

    @property
    def largest(self) -> float:
        """The largest difference of any number with the state carried."""
        return max(float(self.steps.max()), self.last)

    @property
    def is_equal(self) -> bool:
        """Whether two chunks are one pass but for rounding."""
        return self.largest <= self.allowed  # false for what is not a number


def carried(
    config: ModelConfig, weights: Mapping[str, NDArray[Any]], indices: Sequence[int] | NDArray[Any], cut: int
) -> list[Carried]:
    """Reads characters in one go and in two chunks, by every path and in both number formats.

    Args:
        config: of one direction: what reads from the end has no state to carry forward.
        weights: every parameter by its name in the state dict.
        indices: the characters, (T,).
        cut: how many of them are in the first chunk, 1 to T - 1.

    Raises:
        ConfigError: the network is bidirectional, or the cut is not inside the sequence.
        InputError: there are fewer than two characters.
    """
    read = np.asarray(indices, np.int64)[:, np.newaxis]
    if len(read) < 2:
        raise InputError("Two chunks need at least two characters. Type more.")
    if not 1 <= cut < len(read):
        raise ConfigError(f"The cut must be after character 1 to {len(read) - 1}, not {cut}.")
    if config.bidirectional:
        raise ConfigError(
            "A network of both directions reads a whole sequence at once, so there is no state to carry from chunk to "
            "chunk. Choose one that reads from left to right."
        )
    found = []
    for dtype, tolerance in TOLERANCES.items():
        model = model_of(config, weights, dtype)
        zeros = model.initial_state(1)
        with torch.no_grad():
            for path in PATHS:
                run = _runner(model, path)
                whole, last = run(read, zeros)
                first, between = run(read[:cut], zeros)
                second, end = run(read[cut:], between)
                anew, _ = run(read[cut:], zeros)
                size = max(1.0, *(float(part.abs().max()) for part in last))  # an LSTM's c is not bounded by 1
                found.append(
                    Carried(
                        path, str(dtype).removeprefix("torch."), _apart(whole, torch.cat([first, second])),
                        max(float((a - b).abs().max()) for a, b in zip(last, end, strict=True)) / size,
                        _apart(whole, torch.cat([first, anew])), tolerance * max(1.0, float(whole.abs().max())),
                    )
                )  # fmt: skip
    return found


def random_networks(vocabulary_size: int, seed: int = 0) -> list[tuple[ModelConfig, dict[str, NDArray[Any]]]]:
    """Every cell in one layer and in two, with first weights drawn from this seed."""
    networks = []
    for cell in CELLS:
        for layers in (1, 2):
            config = ModelConfig(cell, SIZE, layers)
            state = CharRNN(config, vocabulary_size, seed).state_dict()
            networks.append((config, {name: tensor.numpy() for name, tensor in state.items()}))
    return networks


def _runner(model: CharRNN, path: str) -> Callable[[NDArray[np.int64], State], Computed]:
    if path == "torch":
        return lambda read, state: by_torch(model, torch.from_numpy(read), state)
    return lambda read, state: by_scan(model, read, state, path)


def _apart(a: Tensor, b: Tensor) -> NDArray[np.float64]:
    """max|a - b| at each step, of (T, 1, H)."""
    apart: NDArray[np.float64] = (a - b).abs().amax(dim=(1, 2)).double().numpy()
    return apart

"""What one gradient of a chunk of k steps takes: milliseconds and saved bytes, measured on the readable path."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from rnn.config import ModelConfig
from rnn.errors import ConfigError
from rnn.gradients.steps import TensorWeights, as_tensors, read_steps
from rnn.stepwise import Stepwise

ROUNDS = 5  # of which the median is taken


@dataclass(frozen=True)
class ChunkCost:
    """One gradient of one sequence: forward over a chunk, the losses, and all the way back, in float32.

    Attributes:
        length: k, the steps of the chunk.
        seconds: the median of some rounds.
        saved_bytes: what the forward pass keeps for the backward pass, each piece of memory counted once, without the
            parameters, which are there anyway.
    """

    length: int
    seconds: float
    saved_bytes: int


def measuring_chunks(
    config: ModelConfig,
    weights: Mapping[str, NDArray[Any]],
    indices: NDArray[np.int64],
    lengths: Sequence[int],
    rounds: int = ROUNDS,
) -> Stepwise[tuple[ChunkCost, ...]]:
    """Measures chunks of these lengths, one gradient a turn, in rounds, so that a slow moment hits no length alone.

    Args:
        weights: every parameter by its name in the state dict.
        indices: characters, (T + 1,): the chunks are the first of them, and each predicts the next one.

    Raises:
        ConfigError: a length is not from 1 to T, or the network reads in both directions.
    """
    for k in lengths:
        if not 1 <= k < len(indices):
            raise ConfigError(f"The chunk length k must be from 1 to {len(indices) - 1}, not {k}.")
    w = as_tensors(weights, torch.float32, requires_grad=True)
    read = torch.from_numpy(np.asarray(indices, np.int64))[:, None]
    saved = {}
    for k in lengths:  # this also wakes things up
        saved[k] = saved_bytes(config, w, read[: k + 1])
        yield
    seconds: dict[int, list[float]] = {k: [] for k in lengths}
    for _ in range(rounds):
        for k in lengths:
            begun = time.perf_counter()
            _loss(config, w, read[: k + 1]).backward()  # type: ignore[no-untyped-call]
            seconds[k].append(time.perf_counter() - begun)
            for parameter in w.values():
                parameter.grad = None
            yield
    return tuple(ChunkCost(k, median(seconds[k]), saved[k]) for k in lengths)


class Saved:
    """Counts what autograd keeps of forward passes, each piece of memory once, without the parameters.

    Whoever counts holds on to what was computed: an address that is free is used again, and would count as the same.

    Args:
        parameters: which are there anyway.
    """

    def __init__(self, parameters: Iterable[Tensor]) -> None:
        self._own = {parameter.untyped_storage().data_ptr() for parameter in parameters}
        self._kept: dict[int, int] = {}

    def counting(self) -> saved_tensors_hooks:
        """A context: what is computed in it is counted."""
        return saved_tensors_hooks(self._pack, lambda tensor: tensor)

    def forget(self) -> None:
        """Begins again at nothing."""
        self._kept.clear()

    @property
    def nbytes(self) -> int:
        """What was kept since."""
        return sum(self._kept.values())

    def _pack(self, tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in self._own:
            self._kept[storage.data_ptr()] = storage.nbytes()
        return tensor


def saved_bytes(config: ModelConfig, weights: TensorWeights, read: Tensor) -> int:
    """Bytes that autograd keeps of a forward pass over characters (T + 1, B), parameters aside."""
    saved = Saved(weights.values())
    with saved.counting():
        loss = _loss(config, weights, read)  # keeps all of it while it is counted
    assert loss.requires_grad
    return saved.nbytes


def _loss(config: ModelConfig, weights: TensorWeights, read: Tensor) -> Tensor:
    return read_steps(config, weights, read[:-1]).losses(read[1:]).sum()

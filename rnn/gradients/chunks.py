"""Truncated backpropagation through time, chunk by chunk: what each gradient step does, and what the cut is good for.

The loop that is shown on the page is the loop that runs: `learn_in_chunks`. Sources: Williams and Peng 1990, "An
efficient gradient-based algorithm for on-line training of recurrent network trajectories"; cs231n, lecture 10.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rnn.cells import State
from rnn.config import ModelConfig
from rnn.errors import ConfigError, InputError
from rnn.gradients.chunk_cost import Saved
from rnn.gradients.steps import Steps, as_tensors, read_steps
from rnn.models import detach_state
from rnn.stepwise import Stepwise

CLIP_NORM = 1.0
MOST_NUMBERS = 120_000_000  # parameters times steps: a second or so of the readable path
ROUNDS = 3  # backward passes of a chunk that are timed


@dataclass(frozen=True)
class ChunkStep:
    """One gradient step: forward over a chunk, backward in it, update.

    Attributes:
        begin, end: its characters, from 0; `end` is the first one of the next chunk.
        losses: of each of its characters before the update, nats, (k,).
        states: root mean square of the highest layer's h after each of them, (k,).
        arriving: ||dL/dh_t|| of the mean loss of the chunk at the highest layer's h, (k,): nothing comes from behind
            the chunk's end.
        carried: ||h|| of the highest layer that goes over into the next chunk.
        gradient: norm of the whole gradient before clipping.
        update: norm of the change of all weights as a share of theirs.
    """

    begin: int
    end: int
    losses: NDArray[np.float64]
    states: NDArray[np.float64]
    arriving: NDArray[np.float64]
    carried: float
    gradient: float
    update: float

    @property
    def loss(self) -> float:
        """The mean loss of the chunk, nats per character."""
        return float(self.losses.mean())


def learn_in_chunks(
    config: ModelConfig, weights: dict[str, Tensor], indices: Tensor, k: int, rate: float
) -> Iterator[tuple[Steps, Tensor, float]]:
    state = None  # h_0 is zeros
    for start in range(0, len(indices) - 1, k):
        read, targets = indices[start : start + k], indices[start + 1 : start + k + 1]
        steps = read_steps(config, weights, read[: len(targets)], state)  # forward over the chunk
        losses = steps.losses(targets)
        watch(steps)  # dL/dh_t of each step is kept, to be drawn
        torch.autograd.backward(losses.mean())  # backward in it, to its first step
        norm = descend(weights, rate)  # one update
        yield steps, losses, norm
        state = [detach_state(layer) for layer in steps.states[-1]]  # h = h.detach(): the wall


def watch(steps: Steps) -> None:
    """Keeps dL/dh_t of the highest layer after the backward pass, to be looked at."""
    for h in steps.hidden():
        h.retain_grad()


def descend(weights: Mapping[str, Tensor], rate: float) -> float:
    """One step of gradient descent, its norm limited to `CLIP_NORM`; the gradient's norm before that.

    A weight that no step has used has no gradient and stays.
    """
    moved = [w for w in weights.values() if w.grad is not None]
    norm = float(torch.nn.utils.get_total_norm([w.grad for w in moved if w.grad is not None]))
    with torch.no_grad():
        for w in moved:
            assert w.grad is not None
            w -= rate * min(1.0, CLIP_NORM / max(norm, 1e-12)) * w.grad
            w.grad = None
    return norm


def check_chunks(config: ModelConfig, weights: Mapping[str, NDArray[Any]], T: int, k: int) -> None:
    """Raises ConfigError or InputError where T characters cannot be read in chunks of k by this network here."""
    if T < 2:
        raise InputError("A chunk needs a character and the one that comes next. Type at least two.")
    if not 1 <= k < T:
        raise ConfigError(f"The chunk length k must be from 1 to {T - 1}, not {k}.")
    parameters = sum(array.size for array in weights.values())
    if parameters * T > MOST_NUMBERS:
        raise ConfigError(
            f"This network has {parameters:,} parameters; {T} steps of it take too long here. Take fewer chunks or "
            "a smaller network."
        )


def chunk_steps(
    config: ModelConfig, weights: Mapping[str, NDArray[Any]], indices: NDArray[np.int64], k: int, rate: float = 0.1
) -> Stepwise[tuple[ChunkStep, ...]]:
    """Trains a copy of a network on a text, chunk after chunk, each of them a turn.

    Args:
        weights: every parameter by its name in the state dict; they stay as they are.
        indices: characters, (T + 1,): the last one is only a target.
        k: characters of a chunk.
        rate: the learning rate of plain gradient descent.

    Raises:
        ConfigError: k is not from 1 to T, the network is too large, or it reads in both directions.
        InputError: there are fewer than two characters.
    """
    check_chunks(config, weights, len(indices), k)
    w = as_tensors(weights, torch.float32, requires_grad=True)
    size = _norm(w.values())
    read = torch.from_numpy(np.asarray(indices, np.int64))[:, None]
    found: list[ChunkStep] = []
    before = [t.detach().clone() for t in w.values()]
    for steps, losses, norm in learn_in_chunks(config, w, read, k, rate):
        hidden = steps.hidden()
        moved = _norm(t.detach() - old for t, old in zip(w.values(), before, strict=True))
        begin = found[-1].end if found else 0
        found.append(
            ChunkStep(
                begin, begin + len(hidden), _array(losses[:, 0]),
                np.array([float(h.detach().square().mean().sqrt()) for h in hidden]),
                np.array([0.0 if h.grad is None else float(h.grad.norm()) for h in hidden]),
                float(hidden[-1].detach().norm()), norm, moved / size,
            )
        )  # fmt: skip
        before = [t.detach().clone() for t in w.values()]
        yield
    return tuple(found)


@dataclass(frozen=True)
class Growth:
    """What one more chunk costs when the state still has its history, or has it no more.

    Attributes:
        chunk: which one it is, from 1.
        nodes: operations in the graph that its backward pass goes through.
        seconds: of that backward pass, the shortest of some: other work on the machine only makes it longer.
        saved_bytes: what the graph keeps for it, parameters aside.
    """

    chunk: int
    nodes: int
    seconds: float
    saved_bytes: int


def growing(
    config: ModelConfig, weights: Mapping[str, NDArray[Any]], indices: NDArray[np.int64], k: int, detach: bool
) -> Stepwise[tuple[Growth, ...]]:
    """Measures every chunk's backward pass, with the state detached at each edge or not, one backward pass a turn.

    The weights are not updated in between: changed in place, they would make the backward pass through an earlier chunk
    wrong, and torch refuses it.

    Args:
        indices: characters, (T + 1,), read in chunks of k.

    Raises:
        ConfigError, InputError: as `chunk_steps`.
    """
    check_chunks(config, weights, len(indices), k)
    w = as_tensors(weights, torch.float32, requires_grad=True)
    saved = Saved(w.values())
    read = torch.from_numpy(np.asarray(indices, np.int64))[:, None]
    state: list[State] | None = None
    graphs: list[Any] = []  # of the chunks before, while the state leads back to them: no address is used twice
    found: list[Growth] = []

    warm = read_steps(config, w, read[: min(k, len(read) - 1)]).losses(read[1 : k + 1]).mean()
    torch.autograd.backward(warm)  # the first backward pass of a process takes several times as long
    yield
    for start in range(0, len(read) - 1, k):
        targets = read[start + 1 : start + k + 1]
        if detach:
            saved.forget()
            graphs.clear()
        with saved.counting():
            steps = read_steps(config, w, read[start : start + len(targets)], state)
            loss = steps.losses(targets).mean()
        graphs.append((steps, loss))
        nodes = count_nodes(loss)
        rounds = []
        for _ in range(ROUNDS):
            begun = time.perf_counter()
            loss.backward(retain_graph=True)  # type: ignore[no-untyped-call]
            rounds.append(time.perf_counter() - begun)
            for parameter in w.values():
                parameter.grad = None
            yield
        found.append(Growth(len(found) + 1, nodes, min(rounds), saved.nbytes))
        state = [detach_state(layer) for layer in steps.states[-1]] if detach else steps.states[-1]
    return tuple(found)


def count_nodes(loss: Tensor) -> int:
    """Operations that a backward pass from here goes through."""
    seen, waiting = set(), [loss.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is not None and node not in seen:
            seen.add(node)
            waiting += [following for following, _ in node.next_functions]
    return len(seen)


def _norm(tensors: Any) -> float:
    return float(torch.sqrt(sum((t.detach().square().sum() for t in tensors), torch.zeros(()))))


def _array(tensor: Tensor) -> NDArray[np.float64]:
    array: NDArray[np.float64] = tensor.detach().double().numpy()
    return array

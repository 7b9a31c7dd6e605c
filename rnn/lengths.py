"""The same weights run over sequences of any length. No torch: only the states' sizes are kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnn.config import ModelConfig
from rnn.cost import step_multiplications
from rnn.errors import ConfigError

Array = NDArray[np.float32]
MOST_PRODUCTS = 10_000_000_000  # multiplications of one run: some seconds
LARGEST = np.float32(1e30)  # of a state of relu, which may grow at every step


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
    began = time.perf_counter()
    h, c = states(config, weights, read)
    seconds = time.perf_counter() - began
    is_bounded = config.cell != "rnn" or config.nonlinearity != "relu"
    return LengthRun(
        len(read), seconds, _norms(h), None if c is None else _norms(c), h.shape[1] ** 0.5 if is_bounded else None
    )


def states(
    config: ModelConfig, weights: Mapping[str, NDArray[Any]], indices: NDArray[np.int64]
) -> tuple[Array, Array | None]:
    """The highest layer's h after every step, and an LSTM's c; each (T, directions * H).

    The logits are left out: what is asked for is the state.
    """
    below: Array | None = None
    h, c = np.empty(0, np.float32), None
    for layer in range(config.num_layers):
        passes = []
        for suffix in ("", "_reverse")[: config.directions]:
            w = {
                kind: np.asarray(weights.get(f"recurrent.{kind}_l{layer}{suffix}", 0), np.float32)
                for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            }
            sums = _input_sums(weights, indices, below, w)
            turn = slice(None, None, -1 if suffix else 1)
            passes.append([s[turn] for s in _scan(config, sums[turn], w["weight_hh"], w["bias_hh"])])
        h, *rest = (np.concatenate(parts, axis=1) for parts in zip(*passes, strict=True))
        below, c = h, rest[0] if rest else None
    return h, c


def _input_sums(
    weights: Mapping[str, NDArray[Any]], indices: NDArray[np.int64], below: Array | None, w: Mapping[str, Array]
) -> Array:
    """W_xh x_t + b_xh for all steps at once, (T, gates * H)."""
    W_xh = w["weight_ih"]
    if below is None and "embedding.weight" not in weights:
        picked: Array = W_xh.T[indices] + w["bias_ih"]  # a one-hot x picks its column
        return picked
    x = below if below is not None else np.asarray(weights["embedding.weight"], np.float32)[indices]
    sums: Array = x @ W_xh.T + w["bias_ih"]
    return sums


def _scan(config: ModelConfig, sums: Array, W_hh: Array, b_hh: Array) -> tuple[Array, ...]:
    """The states after every step, (h,) or (h, c), each (T, H): the equations of `rnn.cells`."""
    H, T = config.hidden_size, len(sums)
    zeros = np.zeros(H, np.float32)
    state: tuple[Array, ...] = (zeros, zeros) if config.cell == "lstm" else (zeros,)
    after = tuple(np.empty((T, H), np.float32) for _ in state)
    step = {"rnn": _rnn, "gru": _gru, "lstm": _lstm}[config.cell]
    squash = SQUASH[config.nonlinearity]
    for t in range(T):
        state = step(sums[t], W_hh @ state[0] + b_hh, state, squash)
        for kept, part in zip(after, state, strict=True):
            kept[t] = part
    return after


def _rnn(x: Array, u: Array, state: tuple[Array, ...], squash: Callable[[Array], Array]) -> tuple[Array, ...]:
    return (squash(x + u),)


def _gru(x: Array, u: Array, state: tuple[Array, ...], squash: Callable[[Array], Array]) -> tuple[Array, ...]:
    (h,), H = state, len(state[0])
    r, z = np.split(_sigmoid(x[: 2 * H] + u[: 2 * H]), 2)
    n = np.tanh(x[2 * H :] + r * u[2 * H :])
    return ((1 - z) * n + z * h,)


def _lstm(x: Array, u: Array, state: tuple[Array, ...], squash: Callable[[Array], Array]) -> tuple[Array, ...]:
    H, c = len(state[0]), state[1]
    s = x + u
    i, f, o = _sigmoid(s[:H]), _sigmoid(s[H : 2 * H]), _sigmoid(s[3 * H :])
    c = f * c + i * np.tanh(s[2 * H : 3 * H])
    return o * np.tanh(c), c


def _relu(a: Array) -> Array:
    return np.clip(a, np.float32(0), LARGEST)


def _sigmoid(a: Array) -> Array:
    gate: Array = np.float32(0.5) + np.float32(0.5) * np.tanh(np.float32(0.5) * a)  # without the overflow of exp(-a)
    return gate


SQUASH: dict[str, Callable[[Array], Array]] = {"tanh": np.tanh, "relu": _relu, "sigmoid": _sigmoid}


def _norms(states: Array) -> NDArray[np.float64]:
    norms: NDArray[np.float64] = np.linalg.norm(states.astype(np.float64), axis=1)
    return norms

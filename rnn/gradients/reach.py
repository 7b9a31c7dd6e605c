"""Which loss reaches which earlier step, and how strongly: dL_t/dh_k for every pair of a stretch of text. No torch.

The states and gates that a network had while it read are there already (`rnn.records.Trace`), so only the way back is
computed, by hand, for many losses side by side: row r of a matrix (R, H) is the gradient of the r-th of them. The
equations are those of `rnn.bptt`; torch's autograd is the judge (tests/unit/test_reach.py).

    dL_t/dh_{s-1} = W_hh^T dL_t/da_s    (a_s: the sums that step s squashes; GRU and LSTM have a way past them, too)

A wall of truncated backpropagation through time is a step whose gradient does not go on to the step before. All of it
is in the format of the trace: float32 for pages, float64 for proofs.

Sources: Werbos 1990, "Backpropagation through time: what it does and how to do it"; the picture of all pairs is that
of RNNbow (Cashman et al. 2017).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnn.config import ModelConfig
from rnn.errors import ConfigError, InputError
from rnn.records import LayerTrace, Trace
from rnn.sampling import checked_weights

Array = NDArray[Any]  # of float32 or float64, as the trace is

MOST_STEPS = 100  # T of a stretch
FEWEST_STEPS = 2
MOST_BYTES = 64 * 2**20  # of the largest array on the way back
MOST_PRODUCTS = 4e9  # multiplications on the way back; with those of every k's gradients some 0.2 s
FEWEST_LOSSES = 5  # that the mean over a lag is taken of


@dataclass(frozen=True)
class LayerSteps:
    """One layer over the T steps of a stretch.

    Attributes:
        x: what it read, (T, I).
        h, h_before: the hidden state after each step and the one that it started from, (T, H).
        c, c_before: the same of an LSTM's cell state; None elsewhere.
        gates: as in `rnn.records.LayerTrace`, each (T, H).
        W_xh, W_hh: (gates * H, I) and (gates * H, H).
        b_hh: (gates * H,); None without biases.
    """

    x: Array
    h: Array
    h_before: Array
    c: Array | None
    c_before: Array | None
    gates: Mapping[str, Array]
    W_xh: Array
    W_hh: Array
    b_hh: Array | None


@dataclass(frozen=True)
class Stretch:
    """T consecutive steps of a text, each with the loss of the character that comes next.

    Attributes:
        config: of one direction.
        layers: the lowest first.
        indices: the characters read, (T,).
        d_logits: the gradient of each step's loss with respect to its own logits, softmax minus target, (T, V).
        W_hy: (V, H).
        embedding: (V, E); None where characters are read one-hot.
    """

    config: ModelConfig
    layers: tuple[LayerSteps, ...]
    indices: NDArray[np.int64]
    d_logits: Array
    W_hy: Array
    embedding: Array | None

    def __len__(self) -> int:
        return len(self.indices)


@dataclass(frozen=True)
class Flow:
    """What arrives in one layer on the way back: at each of T steps, R gradients side by side.

    Attributes:
        d_h: with respect to h after each step, through everything that comes later, (T, R, H).
        d_c: the same for an LSTM's c; None elsewhere.
        d_x_sums: with respect to W_xh x + b_xh, (T, R, gates * H).
        d_h_sums: with respect to W_hh h + b_hh, the same except in the GRU's candidate, where r stands before it.
    """

    d_h: Array
    d_c: Array | None
    d_x_sums: Array
    d_h_sums: Array


@dataclass(frozen=True)
class Reach:
    """How strongly each loss reaches each step: Euclidean norms, (T, T), row t for loss t, column k for step k.

    Attributes:
        h: of dL_t/dh_k in each layer, the lowest first; 0 where k > t.
        c: of dL_t/dc_k; empty but for an LSTM.
    """

    h: tuple[NDArray[np.float32], ...]
    c: tuple[NDArray[np.float32], ...]


@dataclass(frozen=True)
class LagCurve:
    """How strongly a loss reaches back over a lag: ||dL_t/dh_{t-lag}|| over all t that have so many steps before them.

    Attributes:
        mean: over t, from lag 0 on.
        low, high: the 10th and the 90th percentile.
    """

    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    def left(self, lag: int) -> float:
        """The mean at this lag as a share of that at lag 0; 0 where there is no gradient at all.

        Raises:
            ConfigError: the curve is not so long.
        """
        if not 0 <= lag < len(self.mean):
            raise ConfigError(f"The lag must be from 0 to {len(self.mean) - 1} for this text, not {lag}.")
        return float(self.mean[lag] / self.mean[0]) if self.mean[0] else 0.0


# The stretch ------------------------------------------------------------------------------------------------------


def most_steps(config: ModelConfig, vocabulary_size: int) -> int:
    """T of the longest stretch that is affordable for a network of this size."""
    sums = config.gates * config.hidden_size
    inputs = [config.embedding_size or vocabulary_size] + [config.hidden_size] * (config.num_layers - 1)
    products = sums * sum(size + config.hidden_size for size in inputs)  # of one row at one step
    fits = min(MOST_BYTES / (4 * sums), MOST_PRODUCTS / (2 * products)) ** 0.5
    return max(FEWEST_STEPS, min(MOST_STEPS, int(fits)))


def stretch_of(
    config: ModelConfig, weights: Mapping[str, Array], trace: Trace, start: int = 0, steps: int | None = None
) -> Stretch:
    """Steps start, start + 1, ... of what a network has read, from 0; the first one takes over the state before it.

    Args:
        weights: every parameter by its name in the state dict.
        trace: what these weights did with a text.
        steps: T; None: as many as there are, and are affordable.

    Raises:
        ConfigError: the network reads in both directions, or the weights are not its own.
        InputError: the text has no such steps, each with a character after it.
    """
    if config.bidirectional:
        raise ConfigError("The way back is followed in one direction. Choose a model that is not bidirectional.")
    most = most_steps(config, len(trace.characters))
    there = len(trace) - 1 - start
    if start < 0 or there < FEWEST_STEPS:
        raise InputError(
            f"The way back needs a text of at least {FEWEST_STEPS + 1 + max(start, 0)} characters, "
            f"from step {max(start, 0) + 1} on; this one has {len(trace)}."
        )
    T = min(there, most) if steps is None else steps
    if not FEWEST_STEPS <= T <= min(there, most):
        raise InputError(
            f"The stretch must have {FEWEST_STEPS} to {min(there, most)} steps for this text and network, not {T}."
        )
    dtype = trace.probabilities.dtype
    w = checked_weights(config, weights, dtype.type)
    here = slice(start, start + T)
    indices, embedding = trace.indices[here], w.get("embedding.weight")
    x = np.eye(len(trace.characters), dtype=dtype)[indices] if embedding is None else embedding[indices]
    layers = list[LayerSteps]()
    for number, (one,) in enumerate(trace.layers):
        layers.append(_steps(one, x, w, number, here))
        x = one.h[here]
    d_logits = trace.probabilities[here].copy()
    d_logits[np.arange(T), trace.indices[start + 1 : start + T + 1]] -= 1
    return Stretch(config, tuple(layers), indices, d_logits, w["head.weight"], embedding)


def _steps(one: LayerTrace, x: Array, w: Mapping[str, Array], layer: int, here: slice) -> LayerSteps:
    W_xh, W_hh = (w[f"recurrent.{name}_l{layer}"] for name in ("weight_ih", "weight_hh"))
    c_before = one.c_before
    return LayerSteps(
        x, one.h[here], one.h_before[here], None if one.c is None else one.c[here],
        None if c_before is None else c_before[here], {name: gate[here] for name, gate in one.gates.items()},
        W_xh, W_hh, w.get(f"recurrent.bias_hh_l{layer}"),
    )  # fmt: skip


# The way back -----------------------------------------------------------------------------------------------------


def flow_back(
    stretch: Stretch, arriving: Array, passes: NDArray[np.bool_], first: NDArray[np.int64] | None = None
) -> Iterator[tuple[int, Flow]]:
    """Carries R gradients back through all steps and layers; yields each layer's number and flow, the highest first.

    Args:
        arriving: what the head sends into the highest layer's h at each step, (T, R, H).
        passes: whether the gradient of each row goes on from step t to step t - 1, (T, R); False is a wall.
        first: the first row that is not 0 at each step, (T,), so that those before it cost nothing; None: 0.
    """
    begins = np.zeros(len(stretch), np.int64) if first is None else first
    for layer in reversed(range(len(stretch.layers))):
        one = stretch.layers[layer]
        flow = BACK[stretch.config.cell](one, stretch.config, arriving, passes, begins)
        yield layer, flow
        if layer:
            arriving = flow.d_x_sums @ one.W_xh  # what the layer read was h of the one below


def _rnn(one: LayerSteps, config: ModelConfig, arriving: Array, passes: Array, first: NDArray[np.int64]) -> Flow:
    """h_t = phi(a_t): da = dh phi'(a), and W_hh^T da goes to the step before."""
    slope = {"tanh": 1 - one.h**2, "sigmoid": one.h * (1 - one.h), "relu": (one.h > 0).astype(one.h.dtype)}
    slopes = slope[config.nonlinearity]
    d_h, d_sums = np.zeros_like(arriving), np.zeros_like(arriving)
    carried: Array = np.zeros_like(arriving[0])
    for t in reversed(range(len(arriving))):
        rows = slice(first[t], None)
        dh = np.add(arriving[t, rows], carried[rows], out=d_h[t, rows])
        da = np.multiply(dh, slopes[t], out=d_sums[t, rows])
        carried[rows] = da @ one.W_hh * passes[t, rows, None]
    return Flow(d_h, None, d_sums, d_sums)


def _gru(one: LayerSteps, config: ModelConfig, arriving: Array, passes: Array, first: NDArray[np.int64]) -> Flow:
    """h_t = n + z (h_{t-1} - n) with n = tanh(a_n + r q), q = W_hn h_{t-1} + b_hn: z dh goes back past the sums."""
    H = config.hidden_size
    r, z, n = (one.gates[name] for name in "rzn")
    q = one.h_before @ one.W_hh[2 * H :].T + (0 if one.b_hh is None else one.b_hh[2 * H :])
    slope_n = (1 - z) * (1 - n**2)
    slopes = np.concatenate([slope_n * q * r * (1 - r), (one.h_before - n) * z * (1 - z), slope_n], axis=1)
    d_h = np.zeros_like(arriving)
    d_x_sums = np.zeros((*arriving.shape[:2], 3 * H), arriving.dtype)
    d_h_sums = np.zeros_like(d_x_sums)
    carried: Array = np.zeros_like(arriving[0])
    for t in reversed(range(len(arriving))):
        rows = slice(first[t], None)
        dh = np.add(arriving[t, rows], carried[rows], out=d_h[t, rows])
        da = np.multiply(np.tile(dh, 3), slopes[t], out=d_x_sums[t, rows])
        du = d_h_sums[t, rows]
        du[:] = da
        du[:, 2 * H :] *= r[t]
        carried[rows] = (dh * z[t] + du @ one.W_hh) * passes[t, rows, None]
    return Flow(d_h, None, d_x_sums, d_h_sums)


def _lstm(one: LayerSteps, config: ModelConfig, arriving: Array, passes: Array, first: NDArray[np.int64]) -> Flow:
    """c_t = f c_{t-1} + i g, h_t = o tanh(c_t): f dc goes back past the sums."""
    assert one.c is not None  # an LSTM's
    assert one.c_before is not None
    H = config.hidden_size
    i, f, g, o = (one.gates[name] for name in "ifgo")
    shown = np.tanh(one.c)
    into_c = o * (1 - shown**2)
    of_c = np.concatenate([g * i * (1 - i), one.c_before * f * (1 - f), i * (1 - g**2)], axis=1)
    of_h = shown * o * (1 - o)
    d_h, d_c = np.zeros_like(arriving), np.zeros_like(arriving)
    d_sums = np.zeros((*arriving.shape[:2], 4 * H), arriving.dtype)
    carried_h: Array = np.zeros_like(arriving[0])
    carried_c: Array = np.zeros_like(arriving[0])
    for t in reversed(range(len(arriving))):
        rows = slice(first[t], None)
        dh = np.add(arriving[t, rows], carried_h[rows], out=d_h[t, rows])
        dc = np.add(carried_c[rows], dh * into_c[t], out=d_c[t, rows])
        da = d_sums[t, rows]
        np.multiply(np.tile(dc, 3), of_c[t], out=da[:, : 3 * H])
        np.multiply(dh, of_h[t], out=da[:, 3 * H :])
        goes = passes[t, rows, None]
        carried_h[rows] = da @ one.W_hh * goes
        carried_c[rows] = dc * f[t] * goes
    return Flow(d_h, d_c, d_sums, d_sums)


BACK = {"rnn": _rnn, "gru": _gru, "lstm": _lstm}


# Every loss, every step -------------------------------------------------------------------------------------------


def each_loss(stretch: Stretch, chunk: int | None = None) -> Iterator[tuple[int, Flow]]:
    """`flow_back` of every loss on its own: row t is the gradient of loss t.

    Args:
        chunk: the length of the chunks whose edges stop the gradient; None: nothing does.
    """
    T = len(stretch)
    at = np.arange(T)
    arriving = np.zeros((T, T, stretch.W_hy.shape[1]), stretch.W_hy.dtype)
    arriving[at, at] = stretch.d_logits @ stretch.W_hy
    passes = np.repeat((at % chunk != 0 if chunk else at > 0)[:, None], T, axis=1)
    return flow_back(stretch, arriving, passes, first=at)  # loss t is not there yet at the steps after t


def reach(stretch: Stretch) -> Reach:
    """The norm of dL_t/dh_k, and of an LSTM dL_t/dc_k, for every loss t and every step k up to it.

    Raises:
        InputError: the gradient is not finite.
    """
    h, c = list[NDArray[np.float32]](), list[NDArray[np.float32]]()
    with np.errstate(over="ignore", invalid="ignore"):  # what comes of it is looked at below
        for _, flow in each_loss(stretch):
            h.insert(0, _norms(flow.d_h))
            if flow.d_c is not None:
                c.insert(0, _norms(flow.d_c))
    return Reach(tuple(h), tuple(c))


def _norms(gradients: Array) -> NDArray[np.float32]:
    """Of (T steps, T losses, H), losses in rows."""
    squares: Array = np.einsum("tri,tri->rt", gradients, gradients)
    norms: NDArray[np.float32] = np.sqrt(squares).astype(np.float32)
    if not np.isfinite(norms).all():
        raise InputError("The gradient of this network is not finite: it explodes. Choose another one.")
    return norms


def chunk_of(T: int, chunk: int) -> NDArray[np.int64]:
    """The number of the chunk that each of T steps lies in, from 0.

    Raises:
        ConfigError: the chunk has no step, or more than T.
    """
    if not 1 <= chunk <= T:
        raise ConfigError(f"The chunk length k must be from 1 to {T}, the steps of the stretch, not {chunk}.")
    return np.arange(T) // chunk


def cut_by(T: int, chunk: int) -> NDArray[np.bool_]:
    """Which losses (rows) a wall keeps from which earlier steps (columns), (T, T): those of another chunk.

    Raises:
        ConfigError: the chunk has no step, or more than T.
    """
    number = chunk_of(T, chunk)
    return number[:, None] > number[None, :]


def share_kept(norms: NDArray[np.float32], chunk: int) -> float:
    """The share of all norms between a loss and an earlier step that no wall is in the way of; 1 where there is none.

    Raises:
        ConfigError: the chunk has no step, or more than T.
    """
    earlier = np.tril(norms.astype(np.float64), -1)
    total = earlier.sum()
    return float(1 - earlier[cut_by(len(norms), chunk)].sum() / total) if total else 1.0


def by_lag(norms: NDArray[np.float32]) -> LagCurve:
    """Norms of `Reach` against the lag t - k, as far as there are some losses to take the mean of."""
    T = len(norms)
    diagonals = [np.diagonal(norms, -lag).astype(np.float64) for lag in range(max(1, T - FEWEST_LOSSES + 1))]
    low, high = np.array([np.percentile(d, (10, 90)) for d in diagonals]).T
    return LagCurve(np.array([d.mean() for d in diagonals]), low, high)

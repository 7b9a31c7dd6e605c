"""How gates keep the way back open: what each step back multiplies the gradient by, on a real text. No torch.

On the way back over one step, along the path of the state itself,

    RNN    dh_t/dh_{t-1} = diag(phi'(a_t)) W_hh             a matrix, every time: the gradient is mixed and squashed
    GRU    h_t = z h_{t-1} + (1 - z) n                       z, unit by unit, and what flows through z, r and n
    LSTM   c_t = f c_{t-1} + i g                             f, unit by unit, and what flows through h into the gates

so a unit whose gate stays near 1 keeps its gradient. `kept_by_gates` is the product of the gates alone, `kept_in_all`
the norm of the whole Jacobian dh_t/dh_{t-lag} (of an LSTM dc_t/dc_{t-lag}) of one layer; torch's autograd is its judge
(tests/unit/test_paths_back.py). Sources: Hochreiter and Schmidhuber 1997; Gers, Schmidhuber and Cummins 2000 (the
forget gate); Cho et al. 2014 (the GRU).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnn.config import ModelConfig
from rnn.errors import InputError
from rnn.records import LayerTrace
from rnn.sampling import checked_weights

Array = NDArray[Any]  # of float32, as the trace is

MOST_LAGS = 60
FEWEST_STEPS = 8  # of the text
ENDS = 24  # steps t that the product of the gates is measured from
STARTS = 8  # steps t that the Jacobian is measured from
DIRECTIONS = 16  # random ones, from each of them
MOST_READ = 400  # steps of the text that are looked at
BEST = 0.1  # share of the units
CARRYING = {"gru": "z", "lstm": "f"}  # the gate that a step back multiplies the state's gradient by


@dataclass(frozen=True)
class Kept:
    """What is left of the gradient after 0, 1, 2, ... steps back; 1 at lag 0.

    Attributes:
        mean: over all units (of gates), or the root mean square over all directions (of the Jacobian).
        best: over those units that keep most at this lag, a tenth of them and at least one; of the Jacobian None.
    """

    mean: NDArray[np.float64]
    best: NDArray[np.float64] | None = None


def lags_of(steps: int) -> int:
    """The longest lag that a text of so many steps is measured at.

    Raises:
        InputError: it is too short.
    """
    if steps < FEWEST_STEPS:
        raise InputError(
            f"What is kept over several steps needs a text of at least {FEWEST_STEPS} characters; this one has {steps}."
        )
    return min(MOST_LAGS, steps // 2)


def kept_by_gates(cell: str, layer: LayerTrace, shift: float = 0.0) -> Kept | None:
    """The product of the forget gates f (LSTM) or update gates z (GRU) over the last `lag` steps; None of an RNN.

    Args:
        cell: "rnn", "gru" or "lstm".
        layer: what happened in it.
        shift: what is added to the gate's sum before its sigmoid, as a bias would be; all else stays as it was.

    Raises:
        InputError: the text is too short.
    """
    if cell not in CARRYING:
        return None
    gate = _in_order(layer.gates[CARRYING[cell]], layer.reverse)[:MOST_READ].astype(np.float64)
    lags = lags_of(len(gate))
    # ln sigmoid(s + shift) with s = ln(g / (1 - g)), from g alone: ln g - ln(g + (1 - g) exp(-shift))
    with np.errstate(divide="ignore"):
        logs = np.log(gate) - np.log(gate + (1 - gate) * math.exp(-shift))
    sums = np.concatenate([np.zeros((1, gate.shape[1])), np.cumsum(np.maximum(logs, -700.0), axis=0)])
    ends = _ends(len(gate), lags, ENDS) + 1
    units = max(1, round(BEST * gate.shape[1]))
    mean, best = np.empty(lags + 1), np.empty(lags + 1)
    for lag in range(lags + 1):
        of_units = np.sort(np.exp(sums[ends] - sums[ends - lag]).mean(axis=0))
        mean[lag], best[lag] = of_units.mean(), of_units[-units:].mean()
    return Kept(mean, best)


def kept_in_all(
    config: ModelConfig, weights: Mapping[str, Array], layer: LayerTrace, number: int,
    directions: NDArray[np.float64] | None = None,
) -> Kept:  # fmt: skip
    """The length that is left of a random direction v of length 1: of v^T dh_t/dh_{t-lag}, of an LSTM with c for h.

    Its root mean square over all v is the Frobenius norm of the Jacobian, divided by sqrt(H): 1 of the identity.

    Args:
        weights: every parameter by its name in the state dict.
        layer: what these weights did with a text.
        number: of the layer, from 0.
        directions: v, (R, H); None draws some.

    Raises:
        InputError: the text is too short, or the Jacobian is not finite.
    """
    H = config.hidden_size
    if directions is None:
        drawn = np.random.default_rng(0).standard_normal((DIRECTIONS, H))
        directions = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    steps = _Steps.of(config, weights, layer, number)
    lags = lags_of(len(steps.h))
    at = _ends(len(steps.h), lags, STARTS)
    h = np.repeat(directions[None].astype(np.float32), len(at), axis=0)  # (starts, R, H)
    c = np.zeros_like(h)
    if config.cell == "lstm":
        h, c = c, h
    kept = np.empty(lags + 1)
    with np.errstate(over="ignore", invalid="ignore"):  # what comes of it is looked at below
        for lag in range(lags + 1):
            if (
                steps.h_of_c is not None
            ):  # all of dL/dc: h of the same step hangs on it, too; c_t itself is where v begins
                c = c + h * steps.h_of_c[at - lag, None]
            kept[lag] = np.sqrt(np.mean(np.sum((c if config.cell == "lstm" else h).astype(np.float64) ** 2, axis=-1)))
            h, c = steps.back(config.cell, h, c, at - lag)
    if not np.isfinite(kept).all():
        raise InputError("The Jacobian of this network is not finite: it explodes. Choose another one.")
    return Kept(kept / max(kept[0], 1e-300))


def _ends(steps: int, lags: int, count: int) -> NDArray[np.int64]:
    """Up to `count` steps t, evenly spaced, that have `lags` steps before them."""
    return np.unique(np.linspace(lags, steps - 1, count).round().astype(np.int64))


def _in_order(rows: Array, reverse: bool) -> Array:
    """As they were read: the layer that reads from the end has its last row first."""
    return rows[::-1] if reverse else rows


@dataclass(frozen=True)
class _Steps:
    """The numbers that a step back multiplies by.

    Attributes:
        h: states, (T, H).
        W_hh: (gates * H, H).
        slopes: of the sums that each gate squashes, (T, gates * H): the gradient of h (LSTM: of c) times this is
            that of the sums; of a GRU that of W_hh h + b_hh.
        carry: the gate that the state's gradient is multiplied by on its direct path, (T, H); an RNN has none.
        o_of_h: of an LSTM, the slope of its output gate's sums with respect to h; else None.
        h_of_c: of an LSTM, dh/dc, (T, H); else None.
    """

    h: Array
    W_hh: Array
    slopes: Array
    carry: Array | None = None
    o_of_h: Array | None = None
    h_of_c: Array | None = None

    @classmethod
    def of(cls, config: ModelConfig, weights: Mapping[str, Array], layer: LayerTrace, number: int) -> _Steps:
        H, suffix = config.hidden_size, f"_l{number}" + ("_reverse" if layer.reverse else "")
        w = checked_weights(config, weights)
        W_hh = w[f"recurrent.weight_hh{suffix}"]
        h, before = (_in_order(rows, layer.reverse)[:MOST_READ] for rows in (layer.h, layer.h_before))
        gates = {name: _in_order(gate, layer.reverse)[:MOST_READ] for name, gate in layer.gates.items()}
        if config.cell == "rnn":
            slope = {"tanh": 1 - h**2, "sigmoid": h * (1 - h), "relu": (h > 0).astype(h.dtype)}
            return cls(h, W_hh, slope[config.nonlinearity])
        if config.cell == "gru":
            r, z, n = (gates[name] for name in "rzn")
            q = before @ W_hh[2 * H :].T + w.get(f"recurrent.bias_hh{suffix}", np.zeros(3 * H, np.float32))[2 * H :]
            of_n = (1 - z) * (1 - n**2)
            slopes = np.concatenate([of_n * q * r * (1 - r), (before - n) * z * (1 - z), of_n * r], axis=1)
            return cls(h, W_hh, slopes, z)
        i, f, g, o = (gates[name] for name in "ifgo")
        assert layer.c is not None  # an LSTM's
        assert layer.c_before is not None
        c, c_before = (_in_order(rows, layer.reverse)[:MOST_READ] for rows in (layer.c, layer.c_before))
        slopes = np.concatenate([g * i * (1 - i), c_before * f * (1 - f), i * (1 - g**2)], axis=1)
        return cls(h, W_hh, slopes, f, np.tanh(c) * o * (1 - o), o * (1 - np.tanh(c) ** 2))

    def back(self, cell: str, h: Array, c: Array, at: NDArray[np.int64]) -> tuple[Array, Array]:
        """The gradients of h and c one step before each of the steps `at`, from those there, each (starts, R, H).

        Of an LSTM that of c is already all of it; what flows back to h_{t-1} is added to that of c_{t-1} there.
        """
        if cell == "rnn":
            return (h * self.slopes[at, None]) @ self.W_hh, c
        assert self.carry is not None
        if cell == "gru":
            through_gates = (np.tile(h, 3) * self.slopes[at, None]) @ self.W_hh
            return h * self.carry[at, None] + through_gates, c
        assert self.o_of_h is not None
        sums = np.concatenate([np.tile(c, 3) * self.slopes[at, None], h * self.o_of_h[at, None]], axis=-1)
        return sums @ self.W_hh, c * self.carry[at, None]

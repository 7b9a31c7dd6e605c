"""One unit of one layer at one step: every sum that it is made of, as the equations have them.

No torch. The states come from a trace, so this is a handful of dot products in float64. The equations are those of
`rnn.cells`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnn.config import ModelConfig
from rnn.errors import InputError
from rnn.inspection import GATES
from rnn.records import LayerTrace, Trace
from rnn.sampling import SQUASH

BLOCKS = {"rnn": ("h",), **{cell: GATES[cell] for cell in ("gru", "lstm")}}  # of H rows, in their order


@dataclass(frozen=True, slots=True)
class Sum:
    """What goes into one squashing function.

    Attributes:
        recurrent: the unit's row of W_hh times h_{t-1}.
        read: its row of W_xh times x_t.
        b_hh, b_xh: the biases that are added to either; 0 where the model has none.
    """

    recurrent: float
    read: float
    b_hh: float
    b_xh: float

    @property
    def bias(self) -> float:
        return self.b_hh + self.b_xh

    @property
    def total(self) -> float:
        """What is squashed, except of a GRU's candidate, whose recurrent part r scales first."""
        return self.recurrent + self.read + self.bias


@dataclass(frozen=True, slots=True)
class UnitStep:
    """One unit at one step.

    Attributes:
        model: whose cell and non-linearity it is.
        unit, t: from 0.
        sums: of an RNN of "h", of a GRU of r, z, n, of an LSTM of i, f, g, o.
        values: what each of them is squashed to.
        h_before, h: the unit's hidden state before and after the step.
        c_before, c: the cell state of an LSTM; None elsewhere.
    """

    model: ModelConfig
    unit: int
    t: int
    sums: Mapping[str, Sum]
    values: Mapping[str, float]
    h_before: float
    h: float
    c_before: float | None = None
    c: float | None = None


def unit_step(
    model: ModelConfig, weights: Mapping[str, NDArray[Any]], trace: Trace, layer: int, reverse: bool, unit: int, t: int
) -> UnitStep:
    """The sums of one unit, and what it makes of them.

    Args:
        weights: every parameter by its name in the state dict.
        trace: of these weights over a text.
        layer, unit, t: from 0.
        reverse: whether it is the direction that reads from the end.

    Raises:
        InputError: there is no such unit or step.
    """
    if not (0 <= unit < model.hidden_size and 0 <= t < len(trace) and 0 <= layer < len(trace.layers)):
        raise InputError("There is no such unit or step. Choose one that is shown.")
    one = trace.layers[layer][int(reverse)]
    x, before = _read(weights, trace, layer, t), one.h_before[t].astype(np.float64)
    suffix = f"_l{layer}" + ("_reverse" if reverse else "")
    W_xh, W_hh = (weights[f"recurrent.{name}{suffix}"] for name in ("weight_ih", "weight_hh"))
    b_xh, b_hh = (weights.get(f"recurrent.{name}{suffix}") for name in ("bias_ih", "bias_hh"))
    sums = dict[str, Sum]()
    for block, name in enumerate(BLOCKS[model.cell]):
        row = block * model.hidden_size + unit
        sums[name] = Sum(
            float(W_hh[row].astype(np.float64) @ before), float(W_xh[row].astype(np.float64) @ x),
            0.0 if b_hh is None else float(b_hh[row]), 0.0 if b_xh is None else float(b_xh[row]),
        )  # fmt: skip
    return _stepped(model, unit, t, sums, float(before[unit]), _before(one, unit, t))


def _before(one: LayerTrace, unit: int, t: int) -> float | None:
    return None if one.c_before is None else float(one.c_before[t, unit])


def _read(weights: Mapping[str, NDArray[Any]], trace: Trace, layer: int, t: int) -> NDArray[np.float64]:
    """What the layer reads at this step: a one-hot or embedded character, or the states of the layer below, (I,)."""
    if layer > 0:
        return np.concatenate([one.h[t] for one in trace.layers[layer - 1]]).astype(np.float64)
    embedding = weights.get("embedding.weight")
    if embedding is not None:
        return np.asarray(embedding[trace.indices[t]], np.float64)
    one_hot: NDArray[np.float64] = np.eye(1, len(trace.characters), int(trace.indices[t]))[0]
    return one_hot


def _stepped(
    model: ModelConfig, unit: int, t: int, sums: Mapping[str, Sum], h_before: float, c_before: float | None
) -> UnitStep:
    if model.cell == "rnn":
        squash: Callable[[Any], Any] = SQUASH[model.nonlinearity]
        h = float(squash(np.float64(sums["h"].total)))
        return UnitStep(model, unit, t, sums, {"h": h}, h_before, h)
    if model.cell == "gru":
        r, z = _sigmoid(sums["r"].total), _sigmoid(sums["z"].total)
        n = float(np.tanh(candidate(sums["n"], r)))
        return UnitStep(model, unit, t, sums, {"r": r, "z": z, "n": n}, h_before, (1 - z) * n + z * h_before)
    assert c_before is not None  # an LSTM's
    gates = {name: float(np.tanh(sums[name].total)) if name == "g" else _sigmoid(sums[name].total) for name in sums}
    c = gates["f"] * c_before + gates["i"] * gates["g"]
    return UnitStep(model, unit, t, sums, gates, h_before, gates["o"] * float(np.tanh(c)), c_before, c)


def candidate(of_n: Sum, r: float) -> float:
    """What a GRU's candidate is squashed from: W_xn x + b_xn + r (W_hn h + b_hn)."""
    return of_n.read + of_n.b_xh + r * (of_n.recurrent + of_n.b_hh)


def _sigmoid(s: float) -> float:
    return float(0.5 + 0.5 * np.tanh(0.5 * s))  # 1 / (1 + exp(-s)) without the overflow

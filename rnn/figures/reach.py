"""How far a loss reaches back: a triangle of every loss and step, which walls cut, and the mean against the lag."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from rnn.figures import theme
from rnn.figures.characters import shielded, visible
from rnn.figures.optimisation import spread

if TYPE_CHECKING:
    from rnn.gradients.reach import LagCurve

DECADES = 5  # below the strongest, the weakest that has a colour of its own
TITLE, LAG_TITLE = 58, 90  # pixels

Dict = dict[str, Any]


# The triangle -----------------------------------------------------------------------------------------------------


def every_loss(
    norms: NDArray[np.float32], text: str, k: int, kept: float, what: str = "h", start: int = 0, dark: bool = False
) -> go.Figure:
    """||dL_t/dh_k|| for every loss t and step k, the stronger the fuller its colour; what the walls cut is hatched.

    Args:
        norms: (T, T), row t for loss t, column k for step k; 0 where k > t.
        text: the characters read at these steps and the one after them, T + 1.
        k: the length of the chunks.
        kept: the share of all norms with an earlier step that no wall cuts.
        what: the state that is reached: "h", "c of layer 2".
        start: the number of the first step, from 0.
        dark: whether it stands on a dark background.
    """
    ink, T = theme.ink(dark), len(norms)
    logs, top = _logs(norms)
    letters = [shielded(visible(c)) for c in text]
    numbers = [str(start + t + 1) for t in range(T)]
    ticks = list(range(math.floor(top), math.ceil(top - DECADES) - 1, -2))  # a phone has room for three
    heat: Dict = {
        "type": "heatmap", "z": logs, "x0": 0, "dx": 1, "y0": 0, "dy": 1, "zmin": top - DECADES, "zmax": top,
        "colorscale": [[0, _over(0.03, ink)], [1, _over(1, ink)]], "hoverongaps": False,
        "text": _hovers(norms, letters, numbers, what), "hovertemplate": "%{text}<extra></extra>",
        "xgap": 1 if T <= 40 else 0, "ygap": 1 if T <= 40 else 0,
        "colorbar": {  # where no loss is
            "orientation": "h", "thickness": 10, "len": 0.46, "x": 1, "xanchor": "right", "y": 1, "yanchor": "top",
            "tickvals": ticks, "ticktext": [f"{10.0**t:g}" for t in ticks], "tickfont": {"size": 12}, "outlinewidth": 0,
            "tickangle": 0,
            "title": {"text": f"norm of dL<sub>t</sub>/d{what[0]}<sub>k</sub>", "side": "top", "font": {"size": 13}},
        },
    }  # fmt: skip
    places = _places(T)
    plain: Dict = {
        "showgrid": False, "zeroline": False, "fixedrange": True, "tickvals": places, "ticks": "",
        "ticktext": [f"{numbers[i]} {letters[i]}" for i in places], "tickangle": 0,
    }  # fmt: skip
    return theme.figure(
        [heat, *_cut(T, k, ink)], "<br>".join(_every_title(T, k, kept)), "step that is reached, and what it read",
        "loss at step t", dark, height=540, showlegend=False, dragmode=False, shapes=_walls(T, k, ink),
        xaxis=plain | {"range": [-0.5, T - 0.5]},
        yaxis=plain | {"range": [T - 0.5, -0.5], "ticktext": [numbers[i] for i in places]},
        margin={"t": TITLE + 6, "b": 54, "l": 8, "r": 12},
    )  # fmt: skip


def every_loss_alt(norms: NDArray[np.float32], k: int, kept: float, what: str = "h") -> str:
    """The figure in words; the arguments are those of `every_loss`."""
    T = len(norms)
    own = float(np.diagonal(norms).mean())
    said = [
        theme.spoken(_every_title(T, k, kept)) + ".",
        f"A heat map with a row for each of {T} losses and a column for each step up to it. The norm of the gradient "
        f"with respect to {what} is {own:.2g} on average at the loss's own step",
    ]
    if T > 10:
        said[-1] += f" and {float(np.diagonal(norms, -10).mean()):.2g} ten steps before it"
    return " ".join(said) + "."


def _every_title(T: int, k: int, kept: float) -> tuple[str, str]:
    if k == T:
        return f"One chunk of all {T} steps:", "every loss reaches every step before it"
    if k == 1:
        return "Chunks of 1 step:", "no loss reaches a step before its own"
    return f"Walls every {k} steps keep {_percent(kept)} of", "the gradient that flows to earlier steps"


def _percent(share: float) -> str:
    """`62 %`; never 0 for something, or 100 for less than all."""
    if 0 < share < 0.01:
        return "less than 1 %"
    return f"{min(99, round(100 * share)) if share < 1 else 100} %"


def _logs(norms: NDArray[np.float32]) -> tuple[NDArray[np.float32], float]:
    """Base-10 logarithms, NaN for losses that are still to come, and that of the strongest, rounded up a little."""
    above = np.triu(np.ones(norms.shape, bool), 1)
    largest = float(norms.max())
    top = math.ceil(10 * math.log10(largest)) / 10 if largest > 0 else 0.0
    logs = np.log10(np.maximum(norms, 10.0 ** (top - DECADES))).astype(np.float32)
    logs[above] = np.nan
    return logs, top


def _over(opacity: float, ink: theme.Ink) -> str:
    """The gradient's colour with this opacity, laid over the background: colour scales mix opaque colours only."""
    mixed = (
        round(opacity * a + (1 - opacity) * b)
        for a, b in zip(theme.channels(theme.GRADIENT), theme.channels(ink.background), strict=True)
    )
    return f"rgb({', '.join(map(str, mixed))})"


def _hovers(norms: NDArray[np.float32], letters: Sequence[str], numbers: Sequence[str], what: str) -> list[list[str]]:
    return [
        [
            f"loss of {letters[t + 1]} at step {numbers[t]}<br>to {what} at step {numbers[s]}, {letters[s]}: "
            f"{norms[t, s]:.2g}"
            if s <= t
            else ""
            for s in range(len(norms))
        ]
        for t in range(len(norms))
    ]


def _places(T: int) -> list[int]:
    """Steps that are named, few enough for a phone."""
    stride = next(s for s in (1, 2, 5, 10, 20, 50) if T / s <= 10)
    return sorted({0, *range(stride - 1, T, stride)} - ({0} if stride == 2 else set()))


def _cut(T: int, k: int, ink: theme.Ink) -> list[Dict]:
    """The losses and steps with a wall between them, as one hatched area."""
    if k >= T:
        return []
    x, y = [-0.5], [k - 0.5]
    for edge in range(k, T, k):  # down the stairs along the chunks
        x += [edge - 0.5, edge - 0.5]
        y += [edge - 0.5, min(edge + k, T) - 0.5]
    return [
        {
            "type": "scatter", "mode": "lines", "x": [*x, -0.5, -0.5], "y": [*y, T - 0.5, k - 0.5], "fill": "toself",
            "line": {"width": 0}, "hoverinfo": "skip", "fillcolor": theme.shade(ink.background, 0.45),
            "fillpattern": {
                "shape": "/", "fgcolor": ink.foreground, "bgcolor": theme.shade(ink.background, 0.45),
                "fgopacity": 0.35, "size": 9, "solidity": 0.14, "fillmode": "overlay",
            },
        }
    ]  # fmt: skip


def _walls(T: int, k: int, ink: theme.Ink) -> list[Dict]:
    """Around each chunk's own losses and steps."""
    line = {"color": ink.foreground, "width": 1.5}
    return [
        {
            "type": "path", "line": line, "layer": "above",
            "path": f"M {a - 0.5} {a - 0.5} L {a - 0.5} {b - 0.5} L {b - 0.5} {b - 0.5}",
        }
        for a, b in ((edge, min(edge + k, T)) for edge in range(0, T, k))
    ]  # fmt: skip


# Against the lag --------------------------------------------------------------------------------------------------


class Look(NamedTuple):
    """How a network is told from the others."""

    dash: str
    marker: str


LOOKS = {
    "RNN": Look("solid", "circle"), "GRU": Look("dash", "square"), "LSTM": Look("dot", "diamond"),
    "LSTM c": Look("dashdot", "x"),
}  # fmt: skip
OTHER, OTHER_C = Look("solid", "triangle-up"), Look("longdash", "triangle-down")
GREYS = {"RNN": 0.95, "GRU": 0.75, "LSTM": 0.6}
OF_C = " c"  # at the end of a curve's name: it is that of dL_t/dc_{t-lag}
PLOT = 270  # pixels between the axes
LABEL = 17  # pixels of a label's height


def lags(
    curves: Mapping[str, LagCurve],
    chosen: str,
    lag: int,
    when: str,
    decades: tuple[float, float],
    dark: bool = False,
) -> go.Figure:
    """||dL_t/dh_{t-lag}||, the mean over t, on a logarithmic axis; the chosen network's with the band of 10 to 90 %.

    Args:
        curves: by the names of the networks: "RNN", "GRU", "LSTM", "LSTM c" (of its cell state), "this model".
        chosen: the name of the one that is looked at.
        lag: the marked one.
        when: "before training" or "after training".
        decades: the ends of the axis, as powers of ten; two figures beside each other share them.
        dark: whether it stands on a dark background.
    """
    ink = theme.ink(dark)
    longest = max(len(curve.mean) for curve in curves.values())
    order = sorted(curves, key=lambda name: name == chosen)
    traces = _band(curves[chosen], decades) + [
        _line(name, curves[name], name == chosen, decades, ink) for name in order
    ]
    low, high = decades
    stride = max(1, math.ceil((high - low) / 7))
    powers = range(math.ceil(low / stride) * stride, math.floor(high) + 1, stride)
    title = "<br>".join(map(shielded, _lag_title(curves, chosen, lag, when)))
    return theme.figure(
        traces, title, "lag, steps back from the loss", "norm of dL<sub>t</sub>/dh<sub>t−lag</sub>", dark,
        height=PLOT + LAG_TITLE + 54, showlegend=False, dragmode=False,
        xaxis={"range": [0, longest - 1], "fixedrange": True, "nticks": 6},
        yaxis={
            "type": "log", "range": list(decades), "tickvals": [10.0**p for p in powers], "fixedrange": True,
            "ticktext": [_tick(p) for p in powers],
        },
        shapes=[_marker(lag, ink)], annotations=_ends(curves, chosen, decades, ink),
        margin={"t": LAG_TITLE, "b": 54, "l": 8, "r": 78},
    )  # fmt: skip


def lags_alt(curves: Mapping[str, LagCurve], chosen: str, lag: int, when: str) -> str:
    """The figure in words; the arguments are those of `lags`."""
    said = [
        f"{name}: {curve.mean[0]:.2g} at the loss's own step, {curve.mean[lag]:.2g} at lag {lag}, "
        f"{curve.mean[-1]:.2g} at lag {len(curve.mean) - 1}."
        for name, curve in curves.items()
        if lag < len(curve.mean)
    ]
    return " ".join([theme.spoken(_lag_title(curves, chosen, lag, when)) + ".", *said])


def decades_of(groups: Sequence[Mapping[str, LagCurve]]) -> tuple[float, float]:
    """The ends of an axis on which all these curves have room, at most twelve decades."""
    values = np.concatenate([curve.mean for curves in groups for curve in curves.values()])
    values = values[values > 0]
    if not len(values):
        return -1.0, 0.0
    high = math.log10(float(values.max())) + 0.3
    return max(math.log10(float(values.min())) - 0.2, high - 12), high


def share(value: float) -> str:
    """`18 %`, `2.7 %`, `0.3 %`, `< 0.01 %`."""
    if value >= 0.01:
        return f"{100 * value:.{0 if value >= 0.095 else 1}f} %"
    return f"{100 * value:.1g} %" if value >= 1e-4 else "< 0.01 %" if value > 0 else "0 %"


def _lag_title(curves: Mapping[str, LagCurve], chosen: str, lag: int, when: str) -> list[str]:
    """In three lines, which a phone has room for."""
    kept = {name: share(curve.left(lag)) for name, curve in curves.items() if lag < len(curve.mean)}
    if chosen not in kept:
        return [f"{when.capitalize()}:", f"the text is too short for a lag of {lag}"]
    steps = "1 step" if lag == 1 else f"{lag} steps"
    of_c = f", its c {kept[chosen + OF_C]}" if chosen + OF_C in kept else ""
    others = [  # of an LSTM the state that remembers
        f"{name} {value}" for name, value in kept.items()
        if name not in (chosen, chosen + OF_C) and name + OF_C not in kept
    ]  # fmt: skip
    return [f"{when.capitalize()}, {steps} back,", f"{chosen} keeps {kept[chosen]}{of_c}", ", ".join(others)]


def _tick(power: int) -> str:
    return "1" if power == 0 else f"10<sup>{str(power).replace('-', '−')}</sup>"


def _colour(name: str, is_chosen: bool, ink: theme.Ink) -> str:
    if name.endswith(OF_C):
        return theme.CELL_STATE
    return theme.GRADIENT if is_chosen else theme.shade(ink.foreground, GREYS.get(name, 0.8))


def _line(name: str, curve: LagCurve, is_chosen: bool, decades: tuple[float, float], ink: theme.Ink) -> Dict:
    look = LOOKS.get(name, OTHER_C if name.endswith(OF_C) else OTHER)
    lags_, colour = np.arange(len(curve.mean)), _colour(name, is_chosen, ink)
    shown = np.where(curve.mean >= 10.0 ** (decades[0] - 1), curve.mean, np.nan)
    every = max(1, len(lags_) // 8)
    return {
        "type": "scatter", "mode": "lines+markers", "x": lags_.tolist(), "name": name,
        "y": [None if math.isnan(v) else float(f"{v:.4g}") for v in shown],
        "line": {"color": colour, "width": 3.5 if is_chosen else 2, "dash": look.dash},
        "marker": {
            "symbol": look.marker, "color": colour,
            "size": [8 if i % every == 0 else 0 for i in range(len(lags_))],
        },
        "hovertemplate": f"{name}, lag %{{x}}: %{{y:.2g}}<extra></extra>",
    }  # fmt: skip


def _band(curve: LagCurve, decades: tuple[float, float]) -> list[Dict]:
    """From the 10th to the 90th percentile over t."""
    floor = 10.0 ** (decades[0] - 1)
    at = list(range(len(curve.mean)))
    edge = [*np.maximum(curve.high, floor), *np.maximum(curve.low, floor)[::-1]]
    return [
        {
            "type": "scatter", "mode": "lines", "x": at + at[::-1], "y": [float(f"{v:.4g}") for v in edge],
            "fill": "toself", "fillcolor": theme.shade(theme.GRADIENT, 0.18), "line": {"width": 0},
            "hoverinfo": "skip",
        }
    ]  # fmt: skip


def _marker(lag: int, ink: theme.Ink) -> Dict:
    line = {"color": ink.foreground, "width": 1.5, "dash": "dash"}
    return {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": lag, "x1": lag, "line": line, "layer": "below"}


def _ends(curves: Mapping[str, LagCurve], chosen: str, decades: tuple[float, float], ink: theme.Ink) -> list[Dict]:
    """The names at the lines' ends, moved apart where they would overlap; of a line that leaves below, there."""
    low, high = decades
    colours = {chosen: ink.gradient} | {name: ink.cell_state for name in curves if name.endswith(OF_C)}

    def label(name: str, **place: Any) -> Dict:
        text = f"<b>{name}</b>" if name == chosen else name
        return {
            "yref": "paper", "xanchor": "left", "showarrow": False, "text": text,
            "font": {"size": 13, "color": colours.get(name, ink.foreground)}, **place,
        }  # fmt: skip

    def height(name: str) -> float:
        return PLOT * (math.log10(float(curves[name].mean[-1])) - low) / (high - low)

    def leaves(name: str) -> float:
        return float(np.sum(curves[name].mean >= 10.0**low))

    leaving = sorted((name for name, curve in curves.items() if curve.mean[-1] < 10.0**low), key=leaves)
    rising = sorted((name for name in curves if name not in leaving), key=height)
    beside = spread([height(name) for name in rising], LABEL, PLOT)
    return [
        label(name, xref="paper", x=1, xshift=6, y=place / PLOT, yanchor="middle")
        for name, place in zip(rising, beside, strict=True)
    ] + [
        label(name, x=leaves(name), y=0, yanchor="bottom", xanchor=side, xshift=-10 if side == "right" else 4)
        for name, side in zip(
            leaving, ["right"] + ["left"] * len(leaving), strict=False
        )  # one on the side that is free
    ]

"""What truncation costs: the gradient of chunks of k steps beside the full one, and the time and memory it takes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from rnn.figures import theme
from rnn.figures.cost import duration, size

if TYPE_CHECKING:
    from rnn.gradients.chunk_cost import ChunkCost
    from rnn.gradients.truncation import Truncation

ALL = "all"  # as in rnn.gradients.truncation
ALIGNED = 0.999_95  # a cosine that the two digits of its angle cannot tell from 1
TITLE, LEGEND, HEADING, BELOW = 52, 24, 24, 46  # pixels: the title, a row of the legend, a panel's heading, the axis

Dict = dict[str, Any]


class Look(NamedTuple):
    """How the curve of a matrix is drawn: hue says what it belongs to, the dash which one it is."""

    name: str
    colour: str
    dash: str
    width: float


LOOKS = {
    "E": Look("E", theme.INPUT, "dot", 2),
    "W_xh": Look("W<sub>xh</sub>", theme.INPUT, "dash", 2),
    "W_hh": Look("W<sub>hh</sub>", theme.HIDDEN, "solid", 2),
    "b_h": Look("b<sub>h</sub>", theme.HIDDEN, "dashdot", 2),
    "W_hy": Look("W<sub>hy</sub>", theme.OUTPUT, "dash", 2),
    ALL: Look("all", theme.GRADIENT, "solid", 3.5),
}


# The gradient -----------------------------------------------------------------------------------------------------


def chunk_lengths(found: Truncation, k: int, dark: bool = False) -> go.Figure:
    """Cosine (above) and norm ratio (below) of the truncated gradient against the chunk length, for each matrix.

    Args:
        k: the chunk length that is marked, 1 to T.
        dark: whether it stands on a dark background.
    """
    ink, T = theme.ink(dark), len(found)
    panels = (
        ("cosine with the full gradient", _shown(found.cosine)),
        ("its norm ÷ that of the full one", _shown(found.ratio)),
    )
    traces, layout, notes = list[Dict](), dict[str, Dict](), list[Dict]()
    for i, (name, curves) in enumerate(panels):
        axis = "y2" if i else "y"
        traces += [_curve(of, values, axis, is_named=not i) for of, values in curves.items() if of != ALL]
        traces += [_curve(ALL, curves[ALL], axis, is_named=not i), _mark(k, curves[ALL], axis, ink)]
        notes.append(_value(k, curves[ALL], axis, ink))
        layout[f"yaxis{2 if i else ''}"] = {
            "domain": [0, 0.44] if i else [0.56, 1], "range": _range(curves.values()), "gridcolor": ink.grid,
            "zeroline": False, "tickfont": {"size": 13, "color": ink.foreground}, "nticks": 5, "automargin": True,
            "fixedrange": True, "title": {"text": ""},
        }  # fmt: skip
        notes.append(_heading(name, 0.44 if i else 1))
    return theme.figure(
        traces, "<br>".join(_truncation_title(found, k)), "chunk length k, steps (logarithmic)", "", dark, height=500,
        xaxis=_lengths_axis(T) | {"anchor": "y2"}, **layout, annotations=notes, dragmode=False,
        shapes=_marker(k, ink), margin={"t": TITLE + HEADING + 2 * LEGEND, "b": BELOW, "l": 8, "r": 12},
        legend={"y": 1 + (HEADING + 2) / (500 - TITLE - HEADING - 2 * LEGEND - BELOW)},
    )  # fmt: skip


def chunk_lengths_alt(found: Truncation, k: int) -> str:
    """The figure in words; the arguments are those of `chunk_lengths`."""
    said = [theme.spoken(_truncation_title(found, k)) + "."]
    for name in found.cosine:
        cosine, ratio = found.at(k, name)
        if math.isfinite(cosine):
            said.append(f"{name}: cosine {cosine:.2f}, norm {ratio:.2f} of the full one.")
    return " ".join(said)


def angle(cosine: float) -> str:
    """`23°`; below ten with a digit more."""
    degrees = math.degrees(math.acos(max(-1.0, min(cosine, 1.0))))
    return "0°" if cosine > ALIGNED else f"{degrees:.0f}°" if degrees >= 9.95 else f"{degrees:.1f}°"


def _truncation_title(found: Truncation, k: int) -> tuple[str, str]:
    cosine, ratio = found.at(k)
    T = len(found)
    of = f"One chunk of all {T} steps" if k == T else f"Chunks of {k} of {T} steps"
    if not math.isfinite(cosine):
        return f"{of}:", "no gradient at all to compare"
    return f"{of}: the gradient", f"is {angle(cosine)} off and {ratio:.2f} times as long"


def _shown(curves: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    """All but b_y, whose curve is W_hy's: neither depends on k."""
    return {name: values for name, values in curves.items() if name != "b_y"}


def _curve(of: str, values: NDArray[np.float64], axis: str, is_named: bool) -> Dict:
    look = LOOKS[of]
    return {
        "type": "scatter", "mode": "lines", "x": np.arange(1, len(values) + 1), "y": values.astype(np.float32),
        "yaxis": axis, "name": look.name, "showlegend": is_named,
        "legendrank": 1 if of == ALL else 2, "connectgaps": False,
        "line": {"color": look.colour, "width": look.width, "dash": look.dash},
        "hovertemplate": f"{look.name}, k = %{{x}}: %{{y:.3f}}<extra></extra>",
    }  # fmt: skip


def _mark(k: int, values: NDArray[np.float64], axis: str, ink: theme.Ink) -> Dict:
    value = float(values[k - 1])
    return {
        "type": "scatter", "mode": "markers", "x": [k], "y": [value if math.isfinite(value) else None],
        "yaxis": axis, "showlegend": False, "hoverinfo": "skip", "cliponaxis": False,
        "marker": {"color": theme.GRADIENT, "size": 11, "line": {"width": 2, "color": ink.background}},
    }  # fmt: skip


def _value(k: int, values: NDArray[np.float64], axis: str, ink: theme.Ink) -> Dict:
    """The number at the marked length, at the foot of its panel, where no curve is."""
    is_late = k > len(values) ** 0.6
    value = float(values[k - 1])
    return {
        "x": math.log10(k), "xanchor": "right" if is_late else "left", "xshift": -3 if is_late else 3,
        "yref": f"{axis} domain", "y": 0, "yanchor": "bottom", "showarrow": False,
        "text": f"<b>{value:.2f}</b>" if math.isfinite(value) else "none",
        "font": {"color": ink.gradient, "size": 15},
    }  # fmt: skip


def _range(curves: Any) -> list[float]:
    """From the smallest to the largest value there is, 1 among them, with room."""
    values = np.concatenate([*curves, [1.0]])
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    span = max(high - low, 0.1)
    return [low - 0.3 * span, high + 0.08 * span]  # a number has room below


def _lengths_axis(T: int) -> Dict:
    ticks = [k for k in (1, 2, 5, 10, 20, 50) if 1.6 * k <= T or k == 1]
    return {
        "type": "log", "range": [-0.04, math.log10(T) + 0.04], "tickvals": [*ticks, T], "fixedrange": True,
        "ticktext": [str(k) for k in (*ticks, T)],
    }  # fmt: skip


def _marker(x: float, ink: theme.Ink) -> list[Dict]:
    """A line through both panels at the marked length."""
    line = {"color": ink.foreground, "width": 1.5, "dash": "dash"}
    return [
        {"type": "line", "yref": f"{axis} domain", "y0": 0, "y1": 1, "x0": x, "x1": x, "line": line, "layer": "below"}
        for axis in ("y", "y2")
    ]  # fmt: skip


def _heading(text: str, top: float, x: float = 0) -> Dict:
    return {
        "xref": "paper", "x": x, "xanchor": "left", "yref": "paper", "y": top, "yanchor": "bottom", "yshift": 2,
        "text": f"<b>{text}</b>", "showarrow": False, "font": {"size": 14},
    }  # fmt: skip


# Time and memory --------------------------------------------------------------------------------------------------


def chunk_costs(costs: Sequence[ChunkCost], k: int, dark: bool = False) -> go.Figure:
    """Milliseconds (above) and saved bytes (below) of one gradient of a chunk, against its length.

    Args:
        costs: what was measured, the shortest chunk first.
        k: the chunk length that is marked; between two that were measured the line is followed.
    """
    ink, lengths = theme.ink(dark), [cost.length for cost in costs]
    milliseconds, bytes_ = [1000 * cost.seconds for cost in costs], [cost.saved_bytes for cost in costs]
    traces, layout, notes = list[Dict](), dict[str, Dict](), list[Dict]()
    unit, word = _bytes_unit(max(bytes_))
    for i, (name, values, colour, suffix) in enumerate((
        ("time of one gradient, ms", milliseconds, ink.foreground, " ms"),
        (f"memory kept for the way back, {word}", [b / unit for b in bytes_], theme.HIDDEN, f" {word}"),
    )):  # fmt: skip
        axis = "y2" if i else "y"
        traces += [_measured(lengths, values, colour, axis, suffix), _here(lengths, values, k, colour, axis, ink)]
        layout[f"yaxis{2 if i else ''}"] = {
            "domain": [0, 0.4] if i else [0.6, 1], "range": [-0.06 * max(values), 1.15 * max(values)],
            "gridcolor": ink.grid, "zeroline": False, "tickfont": {"size": 13, "color": ink.foreground}, "nticks": 4,
            "automargin": True,
            "fixedrange": True, "title": {"text": ""},
        }  # fmt: skip
        notes.append(_heading(name, 0.4 if i else 1))
    last = max(lengths)
    ticks = [1, *(round(last * part) for part in (0.25, 0.5, 0.75) if last >= 8), last]
    return theme.figure(
        traces, "<br>".join(_costs_title(costs)), "chunk length k, steps", "", dark, height=400,
        xaxis={"range": [0, 1.04 * last], "tickvals": ticks, "fixedrange": True, "anchor": "y2"}, **layout,
        annotations=notes, shapes=_marker(k, ink), showlegend=False, dragmode=False,
        margin={"t": TITLE + 28, "b": 46, "l": 8, "r": 12},
    )  # fmt: skip


def chunk_costs_alt(costs: Sequence[ChunkCost]) -> str:
    """The figure in words."""
    said = [f"k = {c.length}: {duration(c.seconds)}, {size(c.saved_bytes)}" for c in costs]
    return f"{theme.spoken(_costs_title(costs))}. One gradient of one sequence. {'; '.join(said)}."


def at_length(costs: Sequence[ChunkCost], k: int) -> tuple[float, float]:
    """Seconds and saved bytes of a chunk of k steps, on the line between the two that were measured around it."""
    lengths = [cost.length for cost in costs]
    seconds, kept = ([getattr(cost, name) for cost in costs] for name in ("seconds", "saved_bytes"))
    return float(np.interp(k, lengths, seconds)), float(np.interp(k, lengths, kept))


def _costs_title(costs: Sequence[ChunkCost]) -> tuple[str, str]:
    first, last = costs[0], costs[-1]
    return (
        f"{first.length} step: {duration(first.seconds)} and {size(first.saved_bytes)};",
        f"{last.length} steps: {duration(last.seconds)} and {size(last.saved_bytes)}",
    )


def _bytes_unit(largest: float) -> tuple[float, str]:
    return (1e6, "MB") if largest >= 1e6 else (1e3, "kB")


def _measured(lengths: list[int], values: list[float], colour: str, axis: str, suffix: str) -> Dict:
    return {
        "type": "scatter", "mode": "lines+markers", "x": lengths, "y": [float(f"{v:.4g}") for v in values],
        "yaxis": axis, "line": {"color": colour, "width": 2}, "marker": {"size": 7, "color": colour},
        "hovertemplate": f"k = %{{x}}: %{{y:.3g}}{suffix}, measured<extra></extra>",
    }  # fmt: skip


def _here(lengths: list[int], values: list[float], k: int, colour: str, axis: str, ink: theme.Ink) -> Dict:
    return {
        "type": "scatter", "mode": "markers", "x": [k], "y": [float(np.interp(k, lengths, values))], "yaxis": axis,
        "hoverinfo": "skip",
        "marker": {"size": 12, "color": colour, "symbol": "diamond", "line": {"width": 2, "color": ink.background}},
    }  # fmt: skip

"""What grows with the length of a sequence, and what does not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from rnn.figures import theme

if TYPE_CHECKING:
    from rnn.cost import Costs
    from rnn.lengths import LengthRun

Dict = dict[str, Any]

TITLE, PANEL, GAP, BELOW = 58, 84, 40, 46  # pixels: the title, a panel, its heading above it, the lowest axis
MOST_POINTS = 400  # of a curve
EXPLODED = 100.0  # times the first norm: beyond it the axis is logarithmic


class Panel(NamedTuple):
    """One quantity against T."""

    name: str
    values: NDArray[Any]
    colour: str
    unit: str


def growth(costs: Costs, dark: bool = False) -> go.Figure:
    """Parameters, multiplications and training memory against T, one above the other, on logarithmic axes."""
    ink = theme.ink(dark)
    panels = _panels(costs, ink)
    inner = len(panels) * PANEL + (len(panels) - 1) * GAP
    reach = max(float(np.log10(panel.values.max() / panel.values.min())) for panel in panels) + 1  # decades
    layout: Dict = {}
    traces, notes = [], []
    for i, panel in enumerate(panels):
        end, top = str(i + 1) if i else "", 1 - i * (PANEL + GAP) / inner
        middle = float(np.log10(panel.values.astype(np.float64)[[0, -1]]).mean())
        layout[f"yaxis{end}"] = {
            "type": "log", "domain": [max(0.0, top - PANEL / inner), top], "dtick": 2 if reach > 2 else 1,
            "range": [middle - reach / 2, middle + reach / 2], "tickformat": "~s", "ticksuffix": panel.unit,
            "gridcolor": ink.grid, "zeroline": False, "tickfont": {"size": 12, "color": ink.foreground},
            "automargin": True, "fixedrange": True, "title": {"text": ""},
        }  # fmt: skip
        traces.append(_growing(panel, costs.steps, f"y{end}"))
        notes.append(_heading(panel, top))
    log_steps = np.log10(costs.steps)
    return theme.figure(
        traces, "<br>".join(_growth_title(costs)), "time steps T (logarithmic)", "", dark,
        height=inner + TITLE + 26 + BELOW, annotations=notes, showlegend=False, dragmode=False, **layout,
        xaxis={
            "type": "log", "range": [log_steps[0] - 0.06, log_steps[-1] + 0.06], "tickvals": _powers(costs.steps),
            "tickformat": ",d", "anchor": f"y{len(panels)}", "fixedrange": True,
        },
        margin={"t": TITLE + 26, "b": BELOW, "l": 8, "r": 12},
    )  # fmt: skip


def growth_alt(costs: Costs) -> str:
    """The figure in words."""
    said = [theme.spoken(_growth_title(costs)) + "."]
    for panel in _panels(costs, theme.LIGHT):
        first, last = (f"{spelled(float(v))}{panel.unit and ' bytes'}" for v in panel.values[[0, -1]])
        said.append(f"{panel.name}: {first} at T = {costs.steps[0]:,}, {last} at T = {costs.steps[-1]:,}.")
    return " ".join(said)


def spelled(number: float) -> str:
    """`240,321`, `1.2 million`, `32 billion`."""
    return _in_units(number, {"trillion": 1e12, "billion": 1e9, "million": 1e6}) or f"{number:,.0f}"


def size(count: float) -> str:
    """Bytes as `960 bytes`, `31 kB`, `3.1 MB`."""
    return _in_units(count, {"GB": 1e9, "MB": 1e6, "kB": 1e3}) or f"{count:,.0f} bytes"


def _in_units(count: float, units: dict[str, float]) -> str:
    """In the first unit that is not larger; "" where all are."""
    for word, unit in units.items():
        if count >= unit:
            value = count / unit
            return f"{value:,.0f} {word}" if value >= 10 else f"{value:.1f} {word}"
    return ""


def duration(seconds: float) -> str:
    """`0.3 ms`, `36 ms`, `1.7 s`."""
    if seconds < 0.1:
        return f"{1000 * seconds:.2g} ms"
    return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"


def _panels(costs: Costs, ink: theme.Ink) -> list[Panel]:
    flat = np.full(len(costs.steps), costs.parameters)
    return [
        Panel("Parameters", flat, ink.foreground, ""),
        Panel("Multiplications", costs.multiplications, ink.foreground, ""),
        Panel("Training memory", costs.activation_bytes, theme.HIDDEN, "B"),
    ]


def _growth_title(costs: Costs) -> tuple[str, str]:
    return (
        f"{costs.parameters:,} parameters at any T;",
        f"{costs.steps[-1] / costs.steps[0]:,.0f} times the work at T = {costs.steps[-1]:,}",
    )


def _powers(steps: NDArray[np.int64]) -> list[int]:
    last = int(steps[-1])
    return [10**k for k in range(6) if steps[0] <= 10**k and 2 * 10**k <= last] + [last]


def _growing(panel: Panel, steps: NDArray[np.int64], axis: str) -> Dict:
    unit = " bytes" if panel.unit else ""
    return {
        "type": "scatter", "mode": "lines", "x": steps.tolist(), "y": panel.values.tolist(), "yaxis": axis,
        "line": {"color": panel.colour, "width": 3},
        "hovertemplate": f"T = %{{x:,d}}<br>{panel.name.lower()} %{{y:,d}}{unit}<extra></extra>",
    }  # fmt: skip


def _heading(panel: Panel, top: float) -> Dict:
    """The name of a quantity, and from where to where it goes."""
    first, last = ((size if panel.unit else spelled)(float(v)) for v in panel.values[[0, -1]])
    says = f"{first} at any T" if first == last else f"{first} to {last}"
    return {
        "xref": "paper", "x": 0, "xanchor": "left", "yref": "paper", "y": top, "yanchor": "bottom", "yshift": 3,
        "text": f"<b>{panel.name}</b>: {says}", "showarrow": False, "font": {"size": 14},
    }  # fmt: skip


# The same weights on any length -----------------------------------------------------------------------------------


def any_length(runs: Sequence[LengthRun], parameters: int, dark: bool = False) -> go.Figure:
    """The state's norm over time in a short run (dots) and a long one (line), on a logarithmic time axis.

    Args:
        runs: of the same weights, the shorter one first.
        parameters: that both of them use.
    """
    ink, (short, long) = theme.ink(dark), runs
    is_log = long.norms.max() > EXPLODED * max(long.norms[0], 1.0)
    traces = [_norm_line(long.norms, "h", theme.HIDDEN), _norm_dots(short.norms, "h", theme.HIDDEN, ink)]
    if long.cell_norms is not None and short.cell_norms is not None:
        traces += [
            _norm_line(long.cell_norms, "c", theme.CELL_STATE, "dash"),
            _norm_dots(short.cell_norms, "c", theme.CELL_STATE, ink),
        ]
    top = max(float(np.max(trace["y"])) for trace in traces)
    y: Dict = {"type": "log"} if is_log else {"range": [0, 1.12 * max(top, 1e-6)]}
    return theme.figure(
        traces, "<br>".join(_length_title(runs, parameters)), "time step t (logarithmic)", "L2 norm of the state", dark,
        height=340, dragmode=False, yaxis={"nticks": 6, **y},
        xaxis={
            "type": "log", "tickvals": _powers(np.array([1, long.steps])), "tickformat": ",d",
            "range": [-0.12, float(np.log10(long.steps)) + 0.08],
        },
        margin={"t": 92, "r": 16},
    )  # fmt: skip


def any_length_alt(runs: Sequence[LengthRun], parameters: int) -> str:
    """The figure in words; the arguments are those of `any_length`."""
    said = [theme.spoken(_length_title(runs, parameters)) + "."]
    for run in runs:
        said.append(
            f"Over {run.steps:,} steps the norm of h goes from {run.norms[0]:.2f} to {run.norms[-1]:.2f}, "
            f"between {run.norms.min():.2f} and {run.norms.max():.2f}."
        )
    return " ".join(said)


def _length_title(runs: Sequence[LengthRun], parameters: int) -> tuple[str, str]:
    short, long = runs
    taken = f"in {duration(short.seconds)} and {duration(long.seconds)}"
    return f"The same {parameters:,} parameters read", f"{short.steps:,} steps and {long.steps:,}, {taken}"


def _points(count: int) -> NDArray[np.intp]:
    """Steps that are drawn, from 0: evenly spaced on the logarithmic axis."""
    spaced: NDArray[np.intp] = np.unique(np.geomspace(1, count, min(count, MOST_POINTS)).round().astype(np.intp)) - 1
    return spaced


def _norm_line(norms: NDArray[np.float64], letter: str, colour: str, dash: str = "solid") -> Dict:
    at = _points(len(norms))
    return {
        "type": "scatter", "mode": "lines", "name": f"‖{letter}‖, {len(norms):,} steps", "x": (at + 1).tolist(),
        "y": norms[at].round(5).tolist(), "line": {"color": colour, "width": 2, "dash": dash},
        "hovertemplate": f"t = %{{x:,d}}<br>‖{letter}‖ = %{{y:.3f}}<extra></extra>",
    }  # fmt: skip


def _norm_dots(norms: NDArray[np.float64], letter: str, colour: str, ink: theme.Ink) -> Dict:
    return {
        "type": "scatter", "mode": "markers", "name": f"{len(norms):,} steps",
        "x": list(range(1, len(norms) + 1)), "y": norms.round(5).tolist(),
        "marker": {
            "color": colour, "size": 10, "symbol": "circle" if letter == "h" else "diamond",
            "line": {"width": 1.5, "color": ink.foreground},
        },
        "hovertemplate": f"t = %{{x}}<br>‖{letter}‖ = %{{y:.3f}}, short run<extra></extra>",
    }  # fmt: skip

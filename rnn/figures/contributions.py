"""What each step adds to the gradient of the shared matrices, as bars under the columns of the unrolled graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from rnn.figures import theme
from rnn.figures.characters import visible
from rnn.figures.graph import EDGE, LEAST, NAMES, ROOMY
from rnn.figures.strokes import HALF

if TYPE_CHECKING:  # it needs torch
    from rnn.gradients.contributions import Contributions, MatrixContributions

PANEL, BETWEEN, HEADING, BELOW = 74, 16, 62, 46  # pixels: of a matrix, between two, above and below them all

Dict = dict[str, Any]


def contribution_bars(found: Contributions, start: int, current: int, columns: int, dark: bool = False) -> go.Figure:
    """One row of bars for each matrix, one bar for each step.

    Args:
        found: the contributions.
        start: the first step, from 0.
        current: the step that is lit, from 0 at the beginning of the text.
        columns: how many the graph above has, so that the bars stand under its columns.
        dark: whether it stands on a dark background.
    """
    ink, rows = theme.ink(dark), len(found.matrices)
    inner = PANEL * rows + BETWEEN * (rows - 1)
    layers = found.states.shape[1]
    x = [start + 1 + i for i in range(len(found.losses))]
    axes, bars = dict[str, Dict](), list[Dict]()
    for row, matrix in enumerate(reversed(found.matrices)):  # the output on top, as in the graph
        bottom = inner - (row + 1) * PANEL - row * BETWEEN
        axis = f"y{row + 2}"
        axes[f"yaxis{row + 2}"] = {
            "domain": [bottom / inner, (bottom + PANEL) / inner], "anchor": "x", "rangemode": "tozero", "nticks": 3,
            "tickfont": {"size": 12, "color": ink.foreground}, "gridcolor": ink.grid, "zerolinecolor": ink.muted,
            "fixedrange": True, "range": [0, 1.15 * (float(matrix.norms.max()) or 1.0)],
            "title": {"text": f"‖dL/d{_name(matrix, layers)}‖", "font": {"size": 12, "color": _ink_of(matrix, ink)}},
        }  # fmt: skip
        bars.append(_bars(matrix, layers, x, axis, current, ink))
    ticks = x if columns <= ROOMY else [t for t in x if t % 5 == 0]
    return theme.figure(
        bars, "<br>".join(_title(found)), "", "", dark, height=HEADING + inner + BELOW,
        margin={"l": NAMES, "r": EDGE, "t": HEADING, "b": BELOW}, dragmode=False, showlegend=False, bargap=0.3,
        xaxis={
            "range": [start - 0.45, start + max(columns, LEAST) + 0.5], "fixedrange": True, "anchor": "free",
            "position": 0, "showgrid": False, "automargin": False, "tickvals": ticks,
            "title": {"text": "time step t", "standoff": 6, "font": {"size": 13}},
        },
        yaxis={"visible": False}, **axes,
    )  # fmt: skip


def contribution_bars_alt(found: Contributions, text: str, start: int) -> str:
    """The figure in words."""
    layers = found.states.shape[1]
    said = [theme.spoken(_title(found)) + "."]
    for matrix in found.matrices:
        most = int(matrix.norms.argmax())
        name = _name(matrix, layers).replace("<sub>", "_").replace("</sub>", "")
        said.append(
            f"{name}: step {start + most + 1}, reading “{visible(text[most])}”, adds most, {matrix.norms[most]:.3g}; "
            f"the sum has the norm {matrix.whole:.3g}."
        )
    return " ".join(said)


def _title(found: Contributions) -> tuple[str, str]:
    matrix = next(m for m in found.matrices if m.name == "W_hh" and m.layer == found.states.shape[1] - 1)
    most = int(matrix.norms.argmax())
    share = matrix.norms[most] / (float(matrix.norms.sum()) or 1.0)
    T = len(matrix.norms)
    steps = f"{T} contributions" if T > 1 else "one contribution"
    return (
        f"dL/dW<sub>hh</sub> is the sum of {steps}:",
        f"the largest has {share:.0%} of all their norms" if T > 1 else "there is one step",
    )


def _name(matrix: MatrixContributions, layers: int) -> str:
    where = f",{matrix.layer + 1}" if layers > 1 and matrix.name != "W_hy" else ""
    return f"W<sub>{matrix.name[2:]}{where}</sub>"


def _ink_of(matrix: MatrixContributions, ink: theme.Ink) -> str:
    if matrix.name == "W_hy":
        return ink.output
    return ink.input if matrix.name == "W_xh" and matrix.layer == 0 else ink.hidden


def _bars(
    matrix: MatrixContributions, layers: int, x: list[int], axis: str, current: int, ink: theme.Ink
) -> Dict:  # fmt: skip
    name = _name(matrix, layers)
    widths = [2.5 if t == current + 1 else 0.0 for t in x]
    return {
        "type": "bar", "x": x, "y": matrix.norms, "xaxis": "x", "yaxis": axis, "width": 2 * HALF,
        "marker": {"color": theme.GRADIENT, "line": {"width": widths, "color": ink.foreground}},
        "hovertemplate": f"step %{{x}} adds to dL/d{name}<br>a matrix of norm %{{y:.5g}}<extra></extra>",
    }  # fmt: skip

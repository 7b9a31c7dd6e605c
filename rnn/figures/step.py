"""The step function at work: what goes in, what the hidden state becomes, what comes out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from rnn.figures import theme

if TYPE_CHECKING:
    from rnn.lecture import HiddenStatistics, Stepped

# The three columns, in shares of the width, and the columns of the axes that stand in them.
BEFORE, AFTER, OUTPUT = (0.0, 0.27), (0.365, 0.635), (0.73, 1.0)
# Upward, the unit is one pixel, because letters do not shrink.
ROW, THICK, HEADING, APART, TITLE, BELOW = 24, 16, 28, 10, 58, 6
LEFT = 30  # pixels for the names of the first column's rows
FIXED_WIDTH = "Source Code Pro, Menlo, Consolas, monospace"

Dict = dict[str, Any]
Vector = NDArray[np.float64]


class Column(NamedTuple):
    """The bars of one vector."""

    letter: str
    heading: str
    values: Vector
    colour: str  # of the bars
    text: str  # of the heading
    domain: tuple[float, float]
    axis: str  # of the plot, "x" to "x4"
    top: float  # of its heading
    reach: float  # the value that a bar as long as half the column has


def step_bars(history: Sequence[Stepped], name: str = "net", dark: bool = False, reads: str = "x") -> go.Figure:
    """The last step in three columns: h before it and x, h after it, y. Bars are signed, with their numbers.

    A number stands on the other side of zero than its bar, where nothing can lie over it.

    Args:
        history: the network's steps so far, at least one; the last one's `after` and `y` may be NaN: not taken yet.
        name: what the network is called.
        dark: whether it stands on a dark background.
        reads: what its x is called.
    """
    ink, step = theme.ink(dark), history[-1]
    columns, top = _columns(step, reads, ink)
    traces = [_bars(column) for column in columns]
    notes = [note for column in columns for note in _words(column, ink)]
    notes += [*_arrows(top, ink), *_equations(step, ink)]
    zeros = [_zero(column, ink) for column in columns]
    axes = {
        f"xaxis{column.axis[1:]}": {
            "domain": list(column.domain), "range": [-column.reach, column.reach], "visible": False, "fixedrange": True,
            "anchor": "y",
        }
        for column in columns
    }  # fmt: skip
    return theme.figure(
        traces, "<br>".join(_title(history, name)), "", "", dark, height=int(top) + TITLE + BELOW, **axes,
        yaxis={"range": [0, top], "visible": False, "fixedrange": True}, annotations=notes, shapes=zeros,
        margin={"l": LEFT, "r": 6, "t": TITLE, "b": BELOW}, showlegend=False, barmode="overlay", dragmode=False,
        hovermode="closest",
    )  # fmt: skip


def step_bars_alt(history: Sequence[Stepped], name: str = "net") -> str:
    """The figure in words; the arguments are those of `step_bars`."""
    step = history[-1]
    said = [theme.spoken(_title(history, name)) + ".", f"h before: {_listed(step.before)}.", f"x: {_listed(step.x)}."]
    if _is_taken(step):
        said += [f"h after: {_listed(step.after)}.", f"y: {_listed(step.y)}."]
    return " ".join(said)


def signed(value: float) -> str:
    """Two decimals at most and a true minus: `−0.53`, `1`, `250`."""
    short = f"{value:.0f}" if value == round(value) and abs(value) < 1e4 else f"{value:.2f}"
    short = short if len(short) <= 6 else f"{value:.0e}".replace("e+0", "e").replace("e+", "e")
    return ("0.00" if short == "-0.00" else short).replace("-", "−")


def _listed(values: Vector) -> str:
    return ", ".join(map(signed, values.tolist()))


def _is_taken(step: Stepped) -> bool:
    return bool(np.isfinite(step.y).all())


def _title(history: Sequence[Stepped], name: str) -> tuple[str, str]:
    """What is shown, in two lines: a phone has no room for it in one."""
    step, number = history[-1], len(history)
    if not _is_taken(step):
        return f"Before step {number} of {name}:", "h is the zero vector" if number == 1 else "x waits to be read"
    earlier = [i for i, old in enumerate(history[:-1], start=1) if np.array_equal(old.x, step.x)]
    if earlier:
        apart = np.abs(step.y - history[earlier[-1] - 1].y).max()
        return (
            f"Step {number} of {name}: the same x as in step {earlier[-1]},",
            f"another y (up to {apart:.2g} apart), for h was another",
        )
    moved = float(np.abs(step.after - step.before).max())
    span = f"{signed(step.y.min())} to {signed(step.y.max())}"
    return f"Step {number} of {name}: h moved by up to {moved:.2g},", f"y reaches from {span}"


# The parts --------------------------------------------------------------------------------------------------------


def _columns(step: Stepped, reads: str, ink: theme.Ink) -> tuple[list[Column], float]:
    """h before above x, h after beside it, y beside that; and the height of all."""
    left = HEADING * 2 + APART + ROW * (len(step.before) + len(step.x))
    top = float(max(left, HEADING + ROW * len(step.y)))
    below = top - HEADING - ROW * len(step.before) - APART
    reach = max(1.0, _largest(step.before), _largest(step.after))
    return [
        Column("h", "h before", step.before, theme.HIDDEN, ink.hidden, BEFORE, "x", top, reach),
        Column("x", reads, step.x, theme.INPUT, ink.input, BEFORE, "x2", below, max(1.0, _largest(step.x))),
        Column("h", "h after", step.after, theme.HIDDEN, ink.hidden, AFTER, "x3", top, reach),
        Column("y", "y", step.y, theme.OUTPUT, ink.output, OUTPUT, "x4", top, max(1.0, _largest(step.y))),
    ], top  # fmt: skip


def _largest(values: Vector) -> float:
    return float(np.nan_to_num(np.abs(values)).max(initial=0.0))


def _rows(column: Column) -> list[float]:
    """The middle of each row."""
    return [column.top - HEADING - ROW * (i + 0.5) for i in range(len(column.values))]


def _bars(column: Column) -> Dict:
    values = column.values.tolist()
    words = [f"{column.heading}, number {i}<br>{v:.8f}".replace("-", "−") for i, v in enumerate(values, start=1)]
    return {
        "type": "bar", "orientation": "h", "y": _rows(column), "x": np.nan_to_num(column.values).tolist(),
        "width": THICK, "xaxis": column.axis, "yaxis": "y", "marker": {"color": column.colour, "line": {"width": 0}},
        "customdata": words, "hovertemplate": "%{customdata}<extra></extra>",
    }  # fmt: skip


def _words(column: Column, ink: theme.Ink) -> list[Dict]:
    """The heading, the names of the rows on the left, and the numbers."""
    middle = {"xref": column.axis, "yref": "y", "showarrow": False, "yanchor": "middle"}
    heading = middle | {
        "x": 0, "y": column.top - HEADING / 2, "text": f"<b>{column.heading}</b>", "xanchor": "center",
        "font": {"color": column.text, "size": 14},
    }  # fmt: skip
    words = [heading]
    for i, (value, y) in enumerate(zip(column.values.tolist(), _rows(column), strict=True), start=1):
        is_known = np.isfinite(value)
        side = "left" if value < 0 else "right"
        words += [
            middle | {
                "xref": f"{column.axis} domain", "x": 0, "y": y, "text": f"{column.letter}<sub>{i}</sub>",
                "xanchor": "right", "xshift": -3, "font": {"color": column.text, "size": 13},
            },
            middle | {
                "x": 0, "y": y, "text": signed(value) if is_known else "?", "xanchor": side,
                "xshift": 2 if value < 0 else -2, "font": {"size": 12, "family": FIXED_WIDTH, "color": ink.foreground},
            },
        ]  # fmt: skip
    return words


def _zero(column: Column, ink: theme.Ink) -> Dict:
    """The line that bars begin at."""
    rows = _rows(column)
    return {
        "type": "line", "xref": column.axis, "yref": "y", "x0": 0, "x1": 0, "y0": rows[-1] - ROW / 2,
        "y1": rows[0] + ROW / 2, "line": {"color": ink.muted, "width": 1},
    }  # fmt: skip


def _arrows(top: float, ink: theme.Ink) -> list[Dict]:
    """From column to column, at the height of the headings."""
    colours = ((BEFORE[1], AFTER[0], theme.HIDDEN), (AFTER[1], OUTPUT[0], theme.OUTPUT))
    return [
        {
            "xref": "paper", "x": (start + end) / 2, "yref": "y", "y": top - HEADING / 2, "text": "", "ax": -24,
            "ay": 0, "xshift": 12, "showarrow": True, "arrowhead": 2, "arrowwidth": 2, "arrowcolor": colour,
        }
        for start, end, colour in colours
    ]  # fmt: skip


def _equations(step: Stepped, ink: theme.Ink) -> list[Dict]:
    """What was computed, in the room beside x, each letter in its colour."""
    h, x, y = (f'<span style="color:{colour}">{{}}</span>' for colour in (ink.hidden, ink.input, ink.output))
    lines = [
        f"{h.format('h')} ← tanh({h.format('W<sub>hh</sub> h')} + {x.format('W<sub>xh</sub> x')})",
        f"{y.format('y')} = {y.format('W<sub>hy</sub>')} {h.format('h')}",
    ]
    longer = max(0, len(step.y) - len(step.before))  # rows of y that stand beside x
    domain = (AFTER[0], 1.0) if not longer else AFTER
    height = ROW * len(step.x) if not longer else ROW * max(2, len(step.x) - longer)
    text = "<br>".join(lines)
    return [
        {
            "xref": "paper", "x": domain[0], "xanchor": "left", "yref": "y", "y": min(height / 2, ROW * 1.5),
            "yanchor": "middle", "text": text, "showarrow": False, "align": "left", "font": {"size": 15},
        }
    ]  # fmt: skip


# A whole sequence -------------------------------------------------------------------------------------------------


def hidden_statistics(found: HiddenStatistics, dark: bool = False) -> go.Figure:
    """Mean and variance of h at some steps of a batch."""
    ink = theme.ink(dark)
    kinds = (("mean", found.means, "solid", "circle"), ("variance", found.variances, "dash", "diamond"))
    traces = [
        {
            "type": "scatter", "mode": "lines+markers", "name": name, "x": found.at, "y": values,
            "line": {"color": theme.HIDDEN, "width": 2, "dash": dash}, "marker": {"size": 7, "symbol": symbol},
            "hovertemplate": f"t = %{{x}}<br>{name} %{{y:.4f}}<extra></extra>",
        }
        for name, values, dash, symbol in kinds
    ]  # fmt: skip
    ends = [
        {
            "x": found.at[-1], "y": values[-1], "text": name, "xanchor": "left", "xshift": 8, "showarrow": False,
            "font": {"size": 13, "color": ink.hidden},
        }
        for name, values, _, _ in kinds
    ]  # fmt: skip
    return theme.figure(
        traces, "<br>".join(_statistics_title(found)), "time step t", "of all numbers of h", dark, height=280,
        annotations=ends, showlegend=False, margin={"t": TITLE, "r": 70}, dragmode=False,
        xaxis={"tickformat": ",d"}, yaxis={"nticks": 6},
    )  # fmt: skip


def hidden_statistics_alt(found: HiddenStatistics) -> str:
    """The figure in words."""
    rows = zip(found.at, found.means, found.variances, strict=True)
    said = "; ".join(f"t {t}: mean {mean:.3f}, variance {variance:.3f}" for t, mean, variance in rows)
    return f"{theme.spoken(_statistics_title(found))}. {said}."


def _statistics_title(found: HiddenStatistics) -> tuple[str, str]:
    T, B, _ = found.output_shape
    sequences = "one sequence" if B == 1 else f"{B} sequences side by side"
    last = f"at t = {found.at[-1]} h has mean {signed(found.means[-1])}, variance {found.variances[-1]:.2f}"
    return f"{T} steps of {sequences}:", last

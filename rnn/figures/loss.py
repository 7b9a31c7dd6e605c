"""The loss while a run trains."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import plotly.graph_objects as go

from rnn.figures import theme
from rnn.records import Baselines, StepMetrics, smoothed

MOST = 700.0  # nats; beyond it perplexity is no finite number
FEW = 3  # points that no line shows
HEIGHT, ABOVE, BELOW = 280, 78, 52  # pixels: the figure, title and legend over the plot, axis under it
LABEL_HEIGHT = 15  # pixels between the middles of two labels, at least
LABEL_WIDTH = 100  # pixels right of the plot for the longest label
SHARE_BEHIND = 2.0  # the curve and the lines below it fill at least one part in so many of the height
PADDING = 0.05  # of the height, left free above and below
TWO_TICKS = 1.6  # nats; from 1, 2, 5, 10, 20 ... at least two are on an axis of a factor of 5
MANY_TICKS = 7.0  # nats, a factor of 1,000; beyond it powers of ten do
MIN_SPAN = 0.1  # nats; a flat curve is not magnified into a mountain


@dataclass(frozen=True)
class Unit:
    """A way to say a loss of so many nats per character.

    On its axis one nat is as high everywhere: perplexity, an exponential, has a logarithmic one.
    """

    axis: str
    word: str  # after the number
    uniform: str  # the loss of guessing, in this unit
    of: Callable[[float], float]  # from nats
    scale: float  # of the axis: its coordinate for one nat
    is_log: bool = False


UNITS = {
    "nats": Unit("loss (nats per character)", "nats", "ln V", lambda nats: nats, 1.0),
    "bits": Unit("loss (bits per character)", "bits", "log₂ V", lambda nats: nats / math.log(2), 1 / math.log(2)),
    # As uncertain as a fair draw among so many characters. A loss that exploded has no finite one.
    "perplexity": Unit(
        "perplexity (equally likely characters)", "perplexity", "V", lambda nats: math.exp(min(nats, MOST)),
        1 / math.log(10), True,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Line:
    """A baseline as it is drawn.

    Attributes:
        name: unigram and so on.
        nats: where the line is.
        place: where its label is anchored, nats; the edge of the chart if the line is beyond it.
        shift: pixels that the label stands above that, so that no two overlap.
    """

    name: str
    nats: float
    place: float
    shift: float = 0.0

    @property
    def is_drawn(self) -> bool:
        return self.place == self.nats


def loss_curves(
    metrics: Sequence[StepMetrics],
    unit: str = "nats",
    log_steps: bool = False,
    dark: bool = False,
    baselines: Baselines | None = None,
    of: str = "character",
) -> go.Figure:
    """Training loss (single points and smoothed) and validation loss against the step, over the baselines of the text.

    Every baseline that the curve has still before it is drawn. One above the curve is drawn as long as it leaves the
    curve, with the lines below it, half of the height; the others are named at the upper edge, with an arrow.

    Args:
        metrics: the run's curve, at most some hundred points, in order; losses in nats per character.
        unit: a key of `UNITS`, the one that is shown.
        log_steps: whether the steps are on a logarithmic axis.
        dark: whether it stands on a dark background.
        baselines: what counting characters reaches on the run's text (`rnn.ngrams`), if it is known.
        of: what is predicted each time.
    """
    colours, shown = theme.ink(dark), UNITS[unit]
    axis = shown.axis.replace("character", of)
    steps, losses = [m.step for m in metrics], [m.loss for m in metrics]
    measured = [m for m in metrics if m.validation_loss is not None]
    each = {
        "type": "scatter", "mode": "lines", "name": "each batch", "x": steps, "y": _rounded(losses, shown),
        "line": {"color": colours.muted, "width": 1}, "opacity": 0.6, "hoverinfo": "skip",
        "showlegend": False,  # a third name has no room on a telephone
    }  # fmt: skip
    smooth = {
        "type": "scatter", "mode": "lines" if len(metrics) > FEW else "lines+markers", "name": "training, smoothed",
        "x": steps, "y": _rounded(smoothed(losses), shown),
        "line": {"color": colours.foreground, "width": 2.5}, "marker": {"size": 8},
        "hovertemplate": f"step %{{x:,}}<br>training %{{y:.3f}} {shown.word}<extra></extra>",
    }  # fmt: skip
    validation = {
        "type": "scatter", "mode": "lines+markers", "name": "validation", "x": [m.step for m in measured],
        "y": _rounded([_validation_loss(m) for m in measured], shown),
        "line": {"color": theme.VALIDATION, "width": 2, "dash": "dot"}, "marker": {"size": 8, "symbol": "diamond"},
        "hovertemplate": f"step %{{x:,}}<br>validation %{{y:.3f}} {shown.word}<extra></extra>",
    }  # fmt: skip
    return theme.figure(
        [each, smooth, validation], _title(metrics, unit, baselines), "step", axis, dark, height=HEIGHT,
        xaxis=_steps_axis(steps, log_steps, colours),
        **_with_lines([*losses, *map(_validation_loss, measured)], shown, colours, baselines),
    )  # fmt: skip


# The baselines


def _with_lines(losses: Sequence[float], unit: Unit, colours: theme.Ink, baselines: Baselines | None) -> dict[str, Any]:
    """What the layout has of the baselines: the range of losses, the lines, their labels and the room for these."""
    if baselines is None:
        axis = {"rangemode": "normal" if losses else "tozero", **_ticks(unit, *_range(losses or [0.0], []))}
        return {"yaxis": axis, "margin": {"t": ABOVE}}
    bottom, top = _padded(*_range(losses, list(baselines.by_name().values())))
    lines = _lines(baselines, bottom, top)
    return {
        "yaxis": {"range": [bottom * unit.scale, top * unit.scale], **_ticks(unit, bottom, top)},
        "margin": {"t": ABOVE, "r": LABEL_WIDTH},
        "shapes": [_stroke(line, unit, colours) for line in lines if line.is_drawn],
        "annotations": [_label(line, unit, colours) for line in lines],
    }


def _ticks(unit: Unit, low: float, high: float) -> dict[str, object]:
    """On a logarithmic axis 1, 2, 5, 10 and so on, where there is room for some of them."""
    if not unit.is_log:
        return {}
    axis: dict[str, object] = {"type": "log", "tickformat": "~r"}
    if high - low > TWO_TICKS:
        axis["dtick"] = "D2" if high - low < MANY_TICKS else 1
    return axis


def _range(losses: Sequence[float], baselines: Sequence[float]) -> tuple[float, float]:
    """The lowest and the highest loss on the chart, nats; before the first step that of the baselines."""
    curve = [min(loss, MOST) for loss in losses] or list(baselines)
    ahead = [value for value in baselines if value <= min(curve)]
    low, high = min(curve + ahead), max(curve + ahead)
    room = SHARE_BEHIND * (high - low)
    return low, max([high, *(value for value in baselines if value - low <= room)])


def _lines(baselines: Baselines, bottom: float, top: float) -> list[Line]:
    """The baselines, lowest first, each with its label where it overlaps no other."""
    highest_first = sorted(baselines.by_name().items(), key=lambda item: item[1], reverse=True)
    lines = [Line(name, nats, min(nats, top)) for name, nats in reversed(highest_first)]
    height = HEIGHT - ABOVE - BELOW
    wanted = [(line.place - bottom) / (top - bottom) * height for line in lines]
    heights = _spread(wanted, LABEL_HEIGHT, height)
    return [replace(line, shift=to - at) for line, to, at in zip(lines, heights, wanted, strict=True)]


def _padded(low: float, high: float) -> tuple[float, float]:
    span = max(high - low, MIN_SPAN)
    return low - PADDING * span, low + span * (1 + PADDING)


def _spread(wanted: Sequence[float], apart: float, height: float) -> list[float]:
    """Ascending places, moved as little as they must be to stand `apart` and between 0 and `height`.

    Neighbours that would overlap form a group, which is centred on the mean of what its members wanted.
    """
    groups: list[list[float]] = []
    for place in wanted:
        group = [place]
        while groups and _first(group, apart, height) < _first(groups[-1], apart, height) + apart * len(groups[-1]):
            group = groups.pop() + group
        groups.append(group)
    return [_first(group, apart, height) + apart * i for group in groups for i in range(len(group))]


def _first(group: Sequence[float], apart: float, height: float) -> float:
    """Where the lowest of a group stands."""
    extent = apart * (len(group) - 1)
    return max(0.0, min(sum(group) / len(group) - extent / 2, height - extent))


def _stroke(line: Line, unit: Unit, colours: theme.Ink) -> dict[str, object]:
    """Across the whole chart, whatever the steps; guessing is dotted, counting dashed."""
    return {
        "type": "line", "layer": "below", "xref": "paper", "x0": 0, "x1": 1, "yref": "y",
        "y0": unit.of(line.nats), "y1": unit.of(line.nats),
        "line": {"color": colours.muted, "width": 1.5, "dash": "dot" if line.name == "ln V" else "dash"},
    }  # fmt: skip


def _label(line: Line, unit: Unit, colours: theme.Ink) -> dict[str, object]:
    """Right of the plot, where no curve is."""
    arrow = "" if line.is_drawn else "↑"
    return {
        "text": f"{arrow}{_named(line.name, line.nats, unit)}", "showarrow": False,
        "xref": "paper", "x": 1, "xanchor": "left", "xshift": 4, "align": "left", "yref": "y",
        "y": line.place * unit.scale, "yanchor": "middle", "yshift": round(line.shift, 1),
        "font": {"size": 12, "color": colours.foreground},
    }  # fmt: skip


def _named(baseline: str, nats: float, unit: Unit) -> str:
    """`bigram 2.49`, `log₂ V 6.02`, `V 65`."""
    value = unit.of(nats)
    if baseline != "ln V":
        return f"{baseline} {_number(value)}"
    return f"{unit.uniform} {round(value):,}" if unit.is_log else f"{unit.uniform} {_number(value)}"


def _number(value: float) -> str:
    """Three digits, as far as they fit: 0.05, 4.17, 27.6, 4,000."""
    return f"{value:,.2f}" if value < 10 else f"{value:,.1f}" if value < 100 else f"{value:,.0f}"


def _rounded(losses: Sequence[float], unit: Unit) -> list[float]:
    """In the unit, with the digits that a hover shows and one more: a chart is sent once a second."""
    return [round(unit.of(loss), 4) for loss in losses]


def _steps_axis(steps: Sequence[int], log_steps: bool, colours: theme.Ink) -> dict[str, object]:
    """Whole steps only; on a logarithmic axis 1, 2, 5, 10 and so on, or powers of ten where those would overlap."""
    first, last = (steps[0], steps[-1]) if steps else (1, 1)
    axis: dict[str, object] = {"tickformat": ",d" if last < 10_000 else "~s"}
    if log_steps:
        minor = {"dtick": "D2", "showgrid": True, "gridcolor": colours.grid}
        axis |= {"type": "log", "dtick": "D2" if last < 100 * first else 1, "minor": minor}
    if last < 10:  # ticks between whole steps would be rounded to the same numbers
        return {**axis, "range": [-0.05, 1.05] if log_steps else [0, 10]}
    return axis if log_steps else {**axis, "rangemode": "tozero"}


def loss_title(metrics: Sequence[StepMetrics], unit: str = "nats", baselines: Baselines | None = None) -> str:
    """What the curves say now, in one line: the losses, and the nearest baseline above them (the validation loss)."""
    return ", ".join(_said(metrics, unit, baselines))


def loss_alt(metrics: Sequence[StepMetrics], unit: str = "nats", baselines: Baselines | None = None) -> str:
    """The chart for who cannot see it: the title, the lowest validation loss, and the value of each baseline."""
    shown = UNITS[unit]
    sentences = [loss_title(metrics, unit, baselines)]
    measured = [m for m in metrics if m.validation_loss is not None]
    if measured:
        best = min(measured, key=_validation_loss)
        sentences.append(f"Lowest validation {_number(shown.of(_validation_loss(best)))} at step {best.step:,}")
    if baselines:
        values = (_named(name, nats, shown) for name, nats in baselines.by_name().items())
        where = "the validation part" if baselines.is_held_out else "the training part, each prediction left out"
        sentences.append(f"Baselines, measured on {where}: {', '.join(values)}")
    return ". ".join(sentences) + "."


def _title(metrics: Sequence[StepMetrics], unit: str, baselines: Baselines | None) -> str:
    """The title on two lines, so that it fits on a telephone."""
    first, *others = _said(metrics, unit, baselines)
    return first if not others else f"{first}<br>{', '.join(others)}"


def _said(metrics: Sequence[StepMetrics], unit: str, baselines: Baselines | None) -> list[str]:
    """The parts of the title. The baseline is that of the validation loss, where there is one."""
    if not metrics:
        return ["No step yet"]
    shown = UNITS[unit]
    loss = smoothed([m.loss for m in metrics])[-1]
    validation = next((m.validation_loss for m in reversed(metrics) if m.validation_loss is not None), None)
    value = _number(shown.of(loss))
    what = f"Loss {value} {shown.word}" if unit != "perplexity" else f"Perplexity {value}"
    said = [f"{what} at step {metrics[-1].step:,}"]
    if validation is not None:
        said.append(f"validation {_number(shown.of(validation))}")
    if baselines:
        said.append(baselines.standing(loss if validation is None else validation).replace("ln V", shown.uniform))
    return said


def _validation_loss(metrics: StepMetrics) -> float:
    assert metrics.validation_loss is not None
    return metrics.validation_loss

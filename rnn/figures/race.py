"""Two to four runs that race: their losses on one chart, and a table of where they stand."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import plotly.graph_objects as go

from rnn.config import CELLS, ModelConfig
from rnn.figures import theme
from rnn.figures.loss import FEW, UNITS, Unit
from rnn.records import RunInfo, StepMetrics, smoothed

POINTS = 500  # of one curve, at most
HEIGHT = 400
TOP = 96  # room for a title of two lines and, on a phone, as many of legend
LINES = (("solid", "circle", "●"), ("dash", "square", "■"), ("dot", "diamond", "◆"), ("dashdot", "triangle-up", "▲"))
GREYS = (1.0, 0.82, 0.68, 0.58)  # opacities of the foreground, each with a contrast of 3 or more
LABEL_GAP = 19  # pixels between two labels
LABEL_LETTERS = 14  # the rest of a label is cut off
LETTER = 8  # pixels, on average
PLOT_PIXELS = HEIGHT - TOP - 56  # what title and axis leave, about
BEGINNING = 0.05  # share of the axis where losses still fall from the height of guessing; lines may come in from above


@dataclass(frozen=True)
class Axis:
    """What the members are compared against."""

    title: str
    of: Callable[[StepMetrics], float]
    words: str  # of the title: "after 120 steps each"
    format: str  # of the ticks


AXES = {
    "steps": Axis("step", lambda m: m.step, "{:,.0f} steps each", ",d"),
    "seconds": Axis("seconds of computing", lambda m: round(m.elapsed, 3), "{:.3g} s of computing each", ""),
    "characters": Axis("characters trained on", lambda m: m.characters, "{:,.0f} characters each", "~s"),
}


@dataclass(frozen=True)
class Racer:
    """One member as it is drawn.

    Attributes:
        label: its name in the race.
        cell: a key of `CELLS`.
        metrics: its curve in order, losses in nats.
        is_out: whether it dropped out (it diverged or failed): the others are compared without it.
    """

    label: str
    cell: str
    metrics: Sequence[StepMetrics]
    is_out: bool = False


@dataclass(frozen=True)
class Lead:
    """Who is ahead where all have come to."""

    label: str
    loss: float  # nats
    at: float  # on the axis
    is_validation: bool  # else it is the smoothed training loss, because not all have measured the other


def race_curves(racers: Sequence[Racer], x: str = "steps", unit: str = "nats", dark: bool = False) -> go.Figure:
    """Smoothed training losses as lines, validation losses as points.

    Args:
        racers: 2 to 4 members.
        x: a key of `AXES`.
        unit: a key of `UNITS`.
        dark: whether it stands on a dark background.
    """
    colours, traces, ends = theme.ink(dark), [], []
    for racer, style in zip(racers, _styles(racers), strict=True):
        line = _line(racer, style, AXES[x], UNITS[unit], colours)
        traces += [line, _validation(racer, style, AXES[x], UNITS[unit], colours)]
        if line["x"]:
            ends.append((line["x"][-1], line["y"][-1], f"{LINES[style][2]} {_short(racer)}"))
    most = max((x for x, *_ in ends), default=0) or 10
    low, high = _range(traces, BEGINNING * most)
    letters = max((len(label) for *_, label in ends), default=0)
    return theme.figure(
        [*traces, *_legend(colours)], "<br>".join(_title_lines(racers, x, unit)), AXES[x].title, UNITS[unit].axis,
        dark, height=HEIGHT, margin={"t": TOP, "r": 20 + LETTER * letters},
        **({"annotations": _labels(ends, low, high, colours)} if ends else {}),
        xaxis={"range": [0, 1.02 * most], "tickformat": AXES[x].format, "nticks": 6}, yaxis={"range": [low, high]},
    )  # fmt: skip


def _styles(racers: Sequence[Racer]) -> list[int]:
    """Which line each has: where the cells differ, each cell its own in every race; else by place."""
    cells = [CELLS.index(racer.cell) for racer in racers]
    return cells if len(set(cells)) == len(cells) else list(range(len(racers)))


def _line(racer: Racer, style: int, axis: Axis, unit: Unit, colours: theme.Ink) -> dict[str, Any]:
    shown = _thinned(list(zip(racer.metrics, smoothed([m.loss for m in racer.metrics]), strict=True)))
    dash, symbol, _ = LINES[style]
    return {
        "type": "scatter", "mode": "lines" if len(shown) > FEW else "lines+markers", "showlegend": False,
        "x": [axis.of(m) for m, _ in shown], "y": [round(unit.of(loss), 4) for _, loss in shown],
        "line": {"color": theme.shade(colours.foreground, GREYS[style]), "width": 2.5, "dash": dash},
        "marker": {"symbol": symbol, "size": 7},
        "hovertemplate": f"{escape(racer.label)}<br>%{{x}} {axis.title}<br>training %{{y:.3f}} {unit.word}"
        "<extra></extra>",
    }  # fmt: skip


def _validation(racer: Racer, style: int, axis: Axis, unit: Unit, colours: theme.Ink) -> dict[str, Any]:
    measured = _thinned([m for m in racer.metrics if m.validation_loss is not None])
    return {
        "type": "scatter", "mode": "markers", "showlegend": False, "x": [axis.of(m) for m in measured],
        "y": [round(unit.of(m.validation_loss or 0.0), 4) for m in measured],
        "marker": {
            "color": theme.VALIDATION, "size": 9, "symbol": LINES[style][1],
            "line": {"color": colours.foreground, "width": 1},
        },
        "hovertemplate": f"{escape(racer.label)}<br>%{{x}} {axis.title}<br>validation %{{y:.3f}} {unit.word}"
        "<extra></extra>",
    }  # fmt: skip


def _thinned(points: list[Any]) -> list[Any]:
    """At most `POINTS` of them, evenly spaced, the last one among them."""
    stride = math.ceil(len(points) / POINTS) or 1
    return points[::-stride][::-1]


def _legend(colours: theme.Ink) -> list[dict[str, Any]]:
    """What a line and what a point is; who is who stands at the lines' ends."""
    training = {"mode": "lines", "name": "training, smoothed", "line": {"color": colours.foreground, "width": 2.5}}
    outline = {"color": colours.foreground, "width": 1}
    validation = {
        "mode": "markers", "name": "validation", "marker": {"color": theme.VALIDATION, "size": 9, "line": outline},
    }  # fmt: skip
    return [{"type": "scatter", "x": [None], "y": [None], "hoverinfo": "skip", **own} for own in (training, validation)]


def _range(traces: Sequence[dict[str, Any]], start: float) -> tuple[float, float]:
    """From the lowest to the highest loss, with some air; what lies before `start` on the axis may be higher."""
    points = [point for trace in traces for point in zip(trace["x"], trace["y"], strict=True)]
    late = [y for x, y in points if x >= start] or [0.0, 1.0]
    air = 0.05 * (max(late) - min(late)) or 0.5
    return min(late) - air, max(late) + air


def _labels(
    ends: Sequence[tuple[float, float, str]], low: float, high: float, colours: theme.Ink
) -> list[dict[str, Any]]:
    """A name at each line's end, moved up or down where two would overlap or one would leave the plot."""
    pixels = PLOT_PIXELS / (high - low)
    order = sorted(range(len(ends)), key=lambda i: -ends[i][1])
    places = apart([(ends[i][1] - low) * pixels for i in order], LABEL_GAP)
    lowest = [LABEL_GAP * (len(places) - 1 - rank + 0.5) for rank in range(len(places))]
    places = [max(pair) for pair in zip(places, lowest, strict=True)]
    labels = []
    for i, place in zip(order, places, strict=True):
        x, y, text = ends[i]
        labels.append({
            "x": x, "y": y, "yshift": round(place - (y - low) * pixels, 1), "xshift": 8, "text": escape(text),
            "xanchor": "left", "showarrow": False, "bgcolor": theme.shade(colours.background, 0.75), "borderpad": 0,
            "font": {"size": 14, "color": colours.foreground},
        })  # fmt: skip
    return labels


def apart(places: Sequence[float], gap: float) -> list[float]:
    """Falling places moved as little as keeps them `gap` apart: each crowd stands around its own middle."""
    crowds: list[list[float]] = []  # middle, number
    for place in places:
        crowds.append([place, 1])
        while len(crowds) > 1 and crowds[-2][0] - crowds[-1][0] < gap * (crowds[-2][1] + crowds[-1][1]) / 2:
            (above, n), (below, m) = crowds[-2], crowds.pop()
            crowds[-1] = [(above * n + below * m) / (n + m), n + m]
    return [middle + gap * ((n - 1) / 2 - i) for middle, n in crowds for i in range(int(n))]


def _short(racer: Racer) -> str:
    return f"{_cut(racer.label)}, out" if racer.is_out else _cut(racer.label)


def _cut(label: str) -> str:
    return label if len(label) <= LABEL_LETTERS else label[: LABEL_LETTERS - 1] + "…"


def lead(racers: Sequence[Racer], x: str = "steps") -> Lead | None:
    """Who has the lowest loss at the farthest place that all have come to; None before the first step of each."""
    racing = [racer for racer in racers if not racer.is_out] or list(racers)
    if not racing or not all(racer.metrics for racer in racing):
        return None
    of = AXES[x].of
    at = min(of(racer.metrics[-1]) for racer in racing)
    reached = [racer.metrics[: bisect_right(racer.metrics, at, key=of)] for racer in racing]
    if not all(reached):
        return None  # the first point of one lies beyond
    validation = [_last_validation(metrics) for metrics in reached]
    is_validation = None not in validation
    losses = validation if is_validation else [smoothed([m.loss for m in metrics])[-1] for metrics in reached]
    best = min(range(len(racing)), key=lambda i: losses[i])  # type: ignore[arg-type,return-value]
    return Lead(racing[best].label, float(losses[best] or 0.0), at, is_validation)


def _last_validation(metrics: Sequence[StepMetrics]) -> float | None:
    return next((m.validation_loss for m in reversed(metrics) if m.validation_loss is not None), None)


def race_title(racers: Sequence[Racer], x: str = "steps", unit: str = "nats") -> str:
    """Who leads, in one line."""
    first = lead(racers, x)
    if first is None:
        return "No step of each yet"
    shown = UNITS[unit]
    loss = f"{shown.of(first.loss):.2f}"
    loss = f"{shown.word} {loss}" if unit == "perplexity" else f"{loss} {shown.word}"
    kind = "validation" if first.is_validation else "training"
    return f"{_cut(first.label)} leads at {loss} after {AXES[x].words.format(first.at)} ({kind})"


def _title_lines(racers: Sequence[Racer], x: str, unit: str) -> list[str]:
    """The title in two lines, so that it has room on a phone. A label may hold what people typed."""
    first, _, second = race_title(racers, x, unit).rpartition(" after ")
    return [escape(first or second), f'<span style="font-size:13px">after {escape(second)}</span>' if first else ""]


def race_alt(racers: Sequence[Racer], x: str = "steps", unit: str = "nats") -> str:
    """The figure in words: who leads, and where each of them stands."""
    shown = UNITS[unit]
    stand = []
    for racer in racers:
        if not racer.metrics:
            stand.append(f"{racer.label} has not begun")
            continue
        last, measured = racer.metrics[-1], _last_validation(racer.metrics)
        training = shown.of(smoothed([m.loss for m in racer.metrics])[-1])
        validation = "" if measured is None else f", validation {shown.of(measured):.2f}"
        dropped = " and has dropped out" if racer.is_out else ""
        stand.append(
            f"{racer.label} is at step {last.step:,} after {last.elapsed:.3g} s{dropped}: training {training:.2f}"
            f"{validation} {shown.word}"
        )
    return ". ".join([race_title(racers, x, unit), *stand]) + "."


def race_rows(
    members: Sequence[RunInfo], curves: Sequence[Sequence[StepMetrics]], vocabulary_size: int
) -> list[dict[str, Any]]:
    """A table of where the members stand, one dictionary a row; losses in nats, None where there is none yet.

    Args:
        members: in the order of the race.
        curves: the metrics of each.
        vocabulary_size: V of the common text.
    """
    return [_row(info, metrics, vocabulary_size) for info, metrics in zip(members, curves, strict=True)]


def _row(info: RunInfo, metrics: Sequence[StepMetrics], vocabulary_size: int) -> dict[str, Any]:
    model = ModelConfig.from_json(info.model)
    seconds = metrics[-1].elapsed if metrics else 0.0
    return {
        "member": info.race_label, "cell": model.cell.upper(),
        "hidden size": model.hidden_size, "parameters": model.parameter_count(vocabulary_size), "steps": info.step,
        "final validation": info.validation_loss, "best validation": info.best_validation_loss,
        "training, smoothed": smoothed([m.loss for m in metrics])[-1] if metrics else None,
        "characters/s": round(metrics[-1].characters / seconds) if seconds else None,
        "seconds": round(seconds, 2),
    }  # fmt: skip

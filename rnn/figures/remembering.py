"""Loss against the number of characters that a model may see: how long it remembers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any, NamedTuple

import plotly.graph_objects as go

from rnn.config import CELLS
from rnn.figures import theme
from rnn.figures.loss import UNITS, Unit
from rnn.figures.probabilities import TWO_LINES, in_lines
from rnn.figures.race import GREYS, LABEL_GAP, LETTER, LINES, apart
from rnn.records import REMEMBERED, MemoryCurve

HEIGHT = 430
TICKS = (1, 3, 10, 30, 100)  # evenly spaced, so that a phone has room for all
LETTERS = 12  # of a name at a line's end; the rest is cut off
AROUND = 62  # pixels of the axis and its name
SEEN = "characters it may see (log scale)"
CONTEXT = (("unigram", 0), ("bigram", 1), ("trigram", 2))  # characters that each of the counters sees
FLOOR = 0.001  # nats: the lowest gain that has a place on a logarithmic axis
GAIN_HEIGHT = 340

Dict = dict[str, Any]


class Remembered(NamedTuple):
    """A model as it is drawn: its name, its cell (a key of `CELLS`, which chooses the line), and its curve."""

    label: str
    cell: str
    curve: MemoryCurve


# The loss ---------------------------------------------------------------------------------------------------------


def memory_curves(
    models: Sequence[Remembered], counted: Sequence[float], unit: str = "nats", dark: bool = False
) -> go.Figure:
    """The loss against the characters seen, a line for each model over the levels that counting reaches.

    Args:
        models: the one that the title is about first; at least one.
        counted: the losses of unigram, bigram and trigram, nats; none, where nothing could be counted.
        unit: "nats" or "bits".
        dark: whether it stands on a dark background.
    """
    ink, shown = theme.ink(dark), UNITS[unit]
    values = [shown.of(nats) for nats in [*counted, *(loss for model in models for loss in model.curve.losses)]]
    air = 0.06 * (max(values) - min(values)) or 0.5
    low, high = min(values) - air, max(values) + air
    lines = [
        _line(model, style, model.curve.losses, model.curve.errors, shown, ink, i == 0)
        for i, (model, style) in enumerate(zip(models, _styles(models), strict=True))
    ]
    return theme.figure(
        [_counters(counted, shown), *lines[::-1]], in_lines(_said(models[0])), SEEN, shown.axis, dark,
        height=HEIGHT, margin={"t": TWO_LINES, "r": _margin(models)}, showlegend=False, xaxis=_seen(models),
        yaxis={"range": [low, high], "nticks": 7},
        shapes=[_level(shown.of(nats), theme.VALIDATION) for nats in counted],
        annotations=[
            *_names(counted, shown, low, high, ink),
            *_labels(models, [shown.of(m.curve.losses[-1]) for m in models], low, high, HEIGHT, ink),
        ],
    )  # fmt: skip


def memory_alt(models: Sequence[Remembered], counted: Sequence[float], unit: str = "nats") -> str:
    """The figure in words: the finding, and where each line begins and ends."""
    shown = UNITS[unit]
    sentences = [theme.spoken(_said(models[0]))]
    for label, _, curve in models:
        first, last = (shown.of(loss) for loss in (curve.losses[0], curve.losses[-1]))
        sentences.append(
            f"{label} falls from {first:.2f} {shown.word} with {_characters(curve.lengths[0])} to {last:.2f} with "
            f"{_characters(curve.lengths[-1])}"
        )
    if counted:
        named = zip(CONTEXT, counted, strict=True)
        sentences.append("By counting: " + ", ".join(f"{name} {shown.of(nats):.2f}" for (name, _), nats in named))
    return ". ".join(sentences) + "."


def _said(model: Remembered) -> list[str]:
    """The finding, in two parts."""
    name = f"The {model.label}" if model.label.isupper() else _cut(model.label).capitalize()
    if model.curve.memory is None:
        longest = _characters(model.curve.lengths[-1])
        return [f"{name} remembers at least {longest}:", "more were not tried"]
    return [
        f"{name} remembers about {_characters(model.curve.memory)}:",
        f"beyond, it gains less than {REMEMBERED} nats",
    ]  # fmt: skip


def _counters(counted: Sequence[float], unit: Unit) -> Dict:
    """A point at the number of characters that each counter sees; that of none has no place on this axis."""
    seen = [(name, context, nats) for (name, context), nats in zip(CONTEXT, counted, strict=False) if context]
    return {
        "type": "scatter", "mode": "markers", "x": [context for _, context, _ in seen],
        "y": [round(unit.of(nats), 4) for *_, nats in seen], "cliponaxis": False,
        "customdata": [f"{name}, counted with {context} before" for name, context, _ in seen],
        "marker": {"symbol": "x", "size": 10, "color": theme.VALIDATION},
        "hovertemplate": f"%{{customdata}}<br>%{{y:.3f}} {unit.word}<extra></extra>",
    }  # fmt: skip


def _names(counted: Sequence[float], unit: Unit, low: float, high: float, ink: theme.Ink) -> list[Dict]:
    """Of the levels, above their right ends, and apart where the levels are close; curves may run behind them."""
    pixels = _pixels(HEIGHT, low, high)
    heights = [(unit.of(nats) - low) * pixels for nats in counted]
    order = sorted(range(len(counted)), key=lambda i: -heights[i])
    return [
        {
            "text": f"{CONTEXT[i][0]} {unit.of(counted[i]):.2f}", "showarrow": False, "xref": "paper", "x": 1,
            "xanchor": "right", "y": unit.of(counted[i]), "yanchor": "bottom", "yshift": round(place - heights[i], 1),
            "font": {"size": 13, "color": ink.foreground}, "bgcolor": theme.shade(ink.background, 0.8), "borderpad": 0,
        }
        for i, place in zip(order, apart([heights[i] for i in order], LABEL_GAP), strict=True)
    ]  # fmt: skip


# What is still to be gained ---------------------------------------------------------------------------------------


def gain_curves(models: Sequence[Remembered], unit: str = "nats", dark: bool = False) -> go.Figure:
    """How much reading farther back would lower the loss, on a logarithmic axis: where memory ends shows only there.

    Args:
        models: the one that the page is about first; at least one.
        unit: "nats" or "bits".
        dark: whether it stands on a dark background.
    """
    ink, shown = theme.ink(dark), UNITS[unit]
    floor, limit = FLOOR * shown.scale, REMEMBERED * shown.scale
    most = max(limit, *(gain * shown.scale for model in models for gain in model.curve.gains))
    low, high = math.log10(0.8 * floor), math.log10(1.6 * most)
    lines, ends = [], []
    for i, (model, style) in enumerate(zip(models, _styles(models), strict=True)):
        rows = slice(0, max(1, len(model.curve.lengths) - 1))  # from the longest nothing is known
        line = _line(model, style, model.curve.gains[rows], model.curve.gain_errors[rows], shown, ink, i == 0)
        line["customdata"] = line["y"]
        line["y"] = [max(y, floor) for y in line["y"]]
        above = line["error_y"]["array"]
        line["error_y"] |= {
            "symmetric": False,
            "arrayminus": [round(min(e, y - floor), 4) for e, y in zip(above, line["y"], strict=True)],
        }
        line["hovertemplate"] = line["hovertemplate"].replace("%{y:", "still to gain %{customdata:")
        lines.append(line)
        ends.append(math.log10(line["y"][-1]))
    ticks = [floor, *(t for t in (0.01, 0.1, 1, 10) if math.log10(t) <= high)]
    return theme.figure(
        [*lines[::-1], *(_ring(model, shown, ink) for model in models if model.curve.memory)],
        in_lines(_said_of_gains(models)), SEEN, f"still to gain<br>({shown.word}, log scale)", dark,
        height=GAIN_HEIGHT, margin={"t": TWO_LINES, "r": _margin(models)}, showlegend=False, xaxis=_seen(models),
        yaxis={
            "type": "log", "range": [low, high], "tickvals": ticks,
            "ticktext": [f"≤ {floor:.2g}", *map(str, ticks[1:])],
        },
        shapes=[_level(limit, ink.hidden) | {"layer": "above"}],  # a line of the grid lies there
        annotations=[
            {
                "text": f"{REMEMBERED} nats", "showarrow": False, "xref": "paper", "x": 0,
                "xanchor": "left", "y": math.log10(limit), "yanchor": "top", "font": {"size": 13, "color": ink.hidden},
            },
            *_labels(models, ends, low, high, GAIN_HEIGHT, ink, is_log=True),
        ],
    )  # fmt: skip


def gain_alt(models: Sequence[Remembered], unit: str = "nats") -> str:
    """The figure in words: the finding, and what each model would still gain."""
    shown = UNITS[unit]
    sentences = [theme.spoken(_said_of_gains(models))]
    for label, _, curve in models:
        rows = zip(curve.lengths[:-1], curve.gains, strict=False)
        told = ", ".join(f"{gain * shown.scale:.3f} from {n}" for n, gain in rows)
        sentences.append(f"{label} would still gain, in {shown.word}: {told or 'nothing is known'}")
    return ". ".join(sentences) + "."


def _said_of_gains(models: Sequence[Remembered]) -> list[str]:
    """How long each of them remembers, the first one first; of more than three there is no room for all names."""
    lengths = [m.curve.memory or math.inf for m in models]
    told = [f"{_cut(m.label)} {_far(m, length)}" for m, length in zip(models, lengths, strict=True)]
    if len(models) > 3:
        least, most = (_far(models[lengths.index(n)], n) for n in (min(lengths[1:]), max(lengths[1:])))
        told[1:] = [f"the others {least}" + (f" to {most}" if most != least else "")]
    return ["Characters that are remembered:", ", ".join(told)]


def _far(model: Remembered, length: float) -> str:
    return f"{length}" if math.isfinite(length) else f"over {model.curve.lengths[-1]}"


def _ring(model: Remembered, unit: Unit, ink: theme.Ink) -> Dict:
    """Around the point where the memory of a model ends."""
    curve = model.curve
    gain = curve.gains[curve.lengths.index(curve.memory or 0)]
    return {
        "type": "scatter", "mode": "markers", "x": [curve.memory], "y": [max(gain, FLOOR) * unit.scale],
        "marker": {"symbol": "circle-open", "size": 19, "line": {"width": 2}, "color": ink.hidden},
        "hoverinfo": "skip", "cliponaxis": False,
    }  # fmt: skip


# What both have ---------------------------------------------------------------------------------------------------


def _characters(count: int) -> str:
    return f"{count} character" + ("" if count == 1 else "s")


def _cut(label: str) -> str:
    return label if len(label) <= LETTERS else label[: LETTERS - 1] + "…"


def _styles(models: Sequence[Remembered]) -> list[int]:
    """Each cell has its own line; where two models have the same cell, the later one has one that is left."""
    styles: list[int] = []
    for model in models:
        left = [s for s in (CELLS.index(model.cell), *reversed(range(len(LINES)))) if s not in styles]
        styles.append(left[0] if left else 0)
    return styles


def _line(
    model: Remembered, style: int, values: Sequence[float], errors: Sequence[float], unit: Unit, ink: theme.Ink,
    is_first: bool,
) -> Dict:  # fmt: skip
    """Values with their standard errors, nats; the first model's line is the strongest."""
    dash, symbol, _ = LINES[style]
    colour = theme.shade(ink.foreground, 1.0 if is_first else GREYS[max(style, 1)])
    return {
        "type": "scatter", "mode": "lines+markers", "x": list(model.curve.lengths[: len(values)]), "cliponaxis": False,
        "y": [round(nats * unit.scale, 4) for nats in values],
        "error_y": {
            "type": "data", "array": [round(error * unit.scale, 4) for error in errors], "thickness": 1.2, "width": 3,
            "color": theme.shade(ink.foreground, 0.6 if is_first else 0.3),
        },
        "line": {"color": colour, "width": 3.2 if is_first else 2, "dash": dash},
        "marker": {"symbol": symbol, "size": 9 if is_first else 7, "color": colour},
        "hovertemplate": f"{escape(model.label)} sees %{{x}}<br>%{{y:.3f}} ± %{{error_y.array:.3f}} {unit.word}"
        "<extra></extra>",
    }  # fmt: skip


def _seen(models: Sequence[Remembered]) -> Dict:
    """The axis of the characters seen."""
    first, last = models[0].curve.lengths[0], max(model.curve.lengths[-1] for model in models)
    return {
        "type": "log", "range": [math.log10(first) - 0.05, math.log10(max(last, 2)) + 0.03], "tickvals": TICKS,
        "ticktext": [str(n) for n in TICKS], "tickangle": 0,
    }  # fmt: skip


def _level(height: float, colour: str) -> Dict:
    return {
        "type": "line", "layer": "below", "xref": "paper", "x0": 0, "x1": 1, "y0": height, "y1": height,
        "line": {"color": colour, "width": 1.5, "dash": "dash"},
    }  # fmt: skip


def _pixels(height: int, low: float, high: float) -> float:
    """Of one unit of the vertical axis, about."""
    return (height - TWO_LINES - AROUND) / (high - low)


def _margin(models: Sequence[Remembered]) -> int:
    """Room on the right for the names, pixels."""
    return 30 + LETTER * max(len(_cut(model.label)) for model in models)


def _labels(
    models: Sequence[Remembered], ends: Sequence[float], low: float, high: float, height: int, ink: theme.Ink,
    is_log: bool = False,
) -> list[Dict]:  # fmt: skip
    """A name at each line's end, moved up or down where two would overlap or one would leave the plot.

    Args:
        ends: where the lines end, and `low` and `high` the axis: numbers or, on a logarithmic one, their logarithms.
        height: of the figure, pixels.
    """
    pixels = _pixels(height, low, high)
    order = sorted(range(len(ends)), key=lambda i: -ends[i])
    places = apart([(ends[i] - low) * pixels for i in order], LABEL_GAP)
    lowest = [LABEL_GAP * (len(places) - 1 - rank) for rank in range(len(places))]
    styles, labels = _styles(models), []
    for i, place in zip(order, map(max, places, lowest), strict=True):
        x = models[i].curve.lengths[-2 if is_log and len(models[i].curve.lengths) > 1 else -1]
        labels.append({
            "x": math.log10(x), "y": ends[i], "xshift": 10, "yshift": round(place - (ends[i] - low) * pixels, 1),
            "text": escape(f"{LINES[styles[i]][2]} {_cut(models[i].label)}"), "xanchor": "left", "showarrow": False,
            "font": {"size": 14, "color": ink.foreground}, "bgcolor": theme.shade(ink.background, 0.75), "borderpad": 0,
        })  # fmt: skip
    return labels

"""One value per character of a text: how unsure a model was, or how surprised."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from rnn.figures import theme
from rnn.figures.loss import UNITS

HEIGHT, ABOVE = 190, 58  # pixels: the figure, two lines of title over the plot
MOST_BARS = 500
FEW_BARS = 60  # so few are set apart
FEW_TICKS = 8  # characters; so few are all numbered
HEADROOM = 0.34  # of what is shown, for the label over the line of guessing

# The name of the values -> axis (a low one has no room for a long line), subject of the title, its highest value
QUANTITIES = {
    "entropy": ("entropy", "Entropy", "least sure"),
    "surprise": ("surprise", "Surprise", "most surprised"),
}


def surprise_strip(
    values: Sequence[float] | NDArray[Any],
    unit: str,
    selected: int | None = None,
    uniform: float | None = None,
    dark: bool = False,
    name: str = "entropy",
) -> go.Figure:
    """A low strip of one bar per character; of a longer text, per so many characters that there are at most 500.

    Args:
        values: nats, finite, one per character.
        unit: "nats" or "bits", the one that is shown.
        selected: index of the character that is marked; None, or one outside the text, marks none.
        uniform: ln V, where a line shows what guessing would have; None draws none.
        dark: whether it stands on a dark background.
        name: "entropy" or "surprise", what the values are.
    """
    colours, shown = theme.ink(dark), UNITS[unit]
    data = np.asarray(values, np.float64) * shown.scale
    size = _bar_size(len(data))
    starts = np.arange(0, len(data), size)
    counts = np.minimum(size, len(data) - starts)
    means = np.add.reduceat(data, starts) / counts if len(data) else data
    bars = {
        "type": "bar", "x": (starts + (counts + 1) / 2).tolist(), "width": (counts * _share(len(means))).tolist(),
        "y": means.round(4).tolist(), "marker": {"color": theme.OUTPUT, "line": {"width": 0}},
        "customdata": [_characters(int(start), int(count)) for start, count in zip(starts, counts, strict=True)],
        "hovertemplate": f"%{{customdata}}<br>{name} %{{y:.2f}} {shown.word}<extra></extra>",
    }  # fmt: skip
    quantity, _, _ = QUANTITIES[name]
    top = max([1e-3, *means.tolist()])
    if uniform is not None:
        top = max(top, uniform * shown.scale * (1 + HEADROOM))
    return theme.figure(
        [bars], "<br>".join(_said(values, unit, name)), "character", f"{quantity}<br>({shown.word})", dark,
        height=HEIGHT,
        xaxis=_positions(len(data), colours),
        yaxis={"range": [0, 1.04 * top], "nticks": 4},
        margin={"t": ABOVE}, bargap=0, showlegend=False,
        shapes=[*_guessing(uniform, shown.scale, colours), *_mark(selected, len(data), colours)],
        annotations=_label(uniform, unit, colours),
    )  # fmt: skip


def _positions(count: int, colours: theme.Ink) -> dict[str, object]:
    """Whole ones, from 1; the axis' name close below them, as the strip is low."""
    ticks = {"tick0": 1, "dtick": 1} if count < FEW_TICKS else {"nticks": FEW_TICKS}
    name = {"text": "character", "standoff": 4, "font": {"size": 14, "color": colours.foreground}}
    return {"range": [0.5, max(count, 1) + 0.5], "tickformat": ",d", "showgrid": False, "title": name, **ticks}


def _bar_size(count: int) -> int:
    """Characters to a bar."""
    return max(1, math.ceil(count / MOST_BARS))


def _share(bars: int) -> float:
    """Of its room that a bar fills: many would flicker if they were set apart."""
    return 0.8 if bars <= FEW_BARS else 1.0


def _characters(start: int, count: int) -> str:
    return f"character {start + 1:,}" if count == 1 else f"characters {start + 1:,} to {start + count:,}"


def _guessing(uniform: float | None, scale: float, colours: theme.Ink) -> list[dict[str, object]]:
    if uniform is None:
        return []
    return [
        {
            "type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": uniform * scale, "y1": uniform * scale,
            "line": {"color": colours.muted, "width": 1.5, "dash": "dash"},
        }
    ]  # fmt: skip


def _label(uniform: float | None, unit: str, colours: theme.Ink) -> list[dict[str, object]]:
    """On a ground of its own, as surprises may rise behind it."""
    if uniform is None:
        return []
    return [
        {
            "text": _guess(uniform, unit), "showarrow": False, "xref": "paper", "x": 1, "xanchor": "right",
            "y": uniform * UNITS[unit].scale, "yanchor": "bottom", "yshift": 1,
            "font": {"size": 12, "color": colours.foreground}, "bgcolor": theme.shade(colours.background, 0.85),
        }
    ]  # fmt: skip


def _guess(uniform: float, unit: str) -> str:
    shown = UNITS[unit]
    return f"{shown.uniform} = {shown.of(uniform):.1f} {shown.word}"


def _mark(selected: int | None, count: int, colours: theme.Ink) -> list[dict[str, object]]:
    if selected is None or not 0 <= selected < count:
        return []
    return [
        {
            "type": "line", "x0": selected + 1, "x1": selected + 1, "yref": "paper", "y0": 0, "y1": 1,
            "line": {"color": colours.foreground, "width": 2},
        }
    ]  # fmt: skip


def _said(values: Sequence[float] | NDArray[Any], unit: str, name: str) -> list[str]:
    """The title in two lines, so that it fits on a telephone."""
    _, subject, highest = QUANTITIES[name]
    if not len(values):
        return ["Nothing read yet"]
    shown, size = UNITS[unit], _bar_size(len(values))
    averaged = f", in means of {size:,}" if size > 1 else " on average"
    return [
        f"{subject} {shown.of(float(np.mean(values))):.1f} {shown.word}{averaged};",
        f"{highest} at character {int(np.argmax(values)) + 1:,}",
    ]


def surprise_strip_alt(
    values: Sequence[float] | NDArray[Any],
    unit: str,
    selected: int | None = None,
    uniform: float | None = None,
    name: str = "entropy",
) -> str:
    """The strip for who cannot see it: the title, lowest and highest value, the line and the marked character."""
    sentences = [theme.spoken(_said(values, unit, name))]
    shown = UNITS[unit]
    if len(values):
        low, high = (shown.of(float(v)) for v in (np.min(values), np.max(values)))
        sentences.append(f"From {low:.1f} to {high:.1f} {shown.word} over {len(values):,} characters")
    if uniform is not None:
        sentences.append(f"Guessing: {_guess(uniform, unit)}")
    if selected is not None and 0 <= selected < len(values):
        sentences.append(f"Marked: character {selected + 1:,}, {shown.of(float(values[selected])):.1f} {shown.word}")
    return ". ".join(sentences) + "."

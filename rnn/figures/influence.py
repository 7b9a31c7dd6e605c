"""What a prediction depends on, character by character, and how far back: of one model, and of several."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from rnn.figures import theme
from rnn.figures.characters import shielded, visible
from rnn.figures.strokes import FIXED_WIDTH, Label, texts
from rnn.figures.weights import NEGATIVE

LETTERS = 40  # characters that have room to be written side by side, also on a phone
TITLE = 64  # pixels
LINE, NAMED = 40, 13  # letters: of a list, of a model's name, that a phone has room for
ROW, NAME, GAP = 28, 22, 14  # pixels: of a strip, of what stands above it, between two
AXIS = 48  # pixels below the strips
FLOOR = 1e-6  # of all influence; less than this is drawn nowhere
LABEL = 0.085  # of the figure's height that a curve's name takes
DASHES = ("solid", "dash", "dot", "dashdot")
MARKS = ("circle", "square", "diamond", "x")

Dict = dict[str, Any]


@dataclass(frozen=True)
class Look:
    """How a prediction depends on the n characters before it.

    Attributes:
        name: of the model.
        read: these characters.
        foretold: the character that the output stands for.
        probability: what the model gave it.
        values: one for each character read: norms of the gradient, or signed pushes, (n,).
        reach: how many of the nearest ones hold most of the norms.
        share: which part of them is "most".
    """

    name: str
    read: str
    foretold: str
    probability: float
    values: NDArray[np.float64]
    reach: int
    share: float = 0.9


@dataclass(frozen=True)
class Fading:
    """What influence is left at every distance, of one model.

    Attributes:
        name: of the model.
        shares: of all influence, at 1, 2, ... n characters before the prediction, mean over some places, (n,).
        reach: the distance within which most of it lies, the median of these places.
        share: which part of it is "most".
    """

    name: str
    shares: NDArray[np.float64]
    reach: float
    share: float = 0.9


# One model --------------------------------------------------------------------------------------------------------


def influence_bars(
    look: Look, unit: str = "nats", is_signed: bool = False, is_log: bool = False, dark: bool = False
) -> go.Figure:
    """A bar for each character that was read, the nearest to the prediction on the right.

    On a linear scale only those are drawn that hold nearly all, and at least 40; on a logarithmic one all of them.

    Args:
        look: the characters and their influence.
        unit: of the output that was asked for its gradient; "" for none.
        is_signed: whether the values are pushes up and down, in place of norms.
        is_log: whether the scale is logarithmic; not of signed values.
        dark: whether it stands on a dark background.
    """
    ink, n = theme.ink(dark), len(look.values)
    is_log = is_log and not is_signed
    count = n if is_log else min(n, max(LETTERS, _holding_nearly_all(look.values)))
    values = np.asarray(look.values[n - count :], np.float64)
    x = list(range(-count, 0))
    up, down = theme.GRADIENT, NEGATIVE[dark]
    colours = [up if v >= 0 else down for v in values.tolist()] if is_signed else up
    bars = {
        "type": "bar", "x": x, "y": [None if is_log and v <= 0 else float(f"{v:.4g}") for v in values.tolist()],
        "customdata": [_name(look, i) for i in x],
        "marker": {"color": colours, "line": {"width": 0}},
        "hovertemplate": f"%{{customdata}}<br>%{{y:{'+' if is_signed else ''}.3g}} {unit}<extra></extra>",
    }  # fmt: skip
    shapes: list[Dict] = [] if is_signed or not 0 < look.reach < count else [_edge(look.reach, ink)]
    notes: list[Dict] = [] if not shapes else [_note(look, count, ink)]
    largest, least = values.max(initial=0), values[values > 0].min(initial=1)
    scale: Dict = {"type": "log", "exponentformat": "power", "nticks": 6} if is_log else {"nticks": 6}
    if is_log and largest > 0:
        lowest = max(math.log10(least), math.log10(largest) - 30)
        scale["range"] = [lowest - 0.5, math.log10(largest) + 0.3]
    return theme.figure(
        [bars], "<br>".join(_bars_title(look, unit, is_signed)), "",
        f"{'gradient · x' if is_signed else 'norm of the gradient'}{f', {unit}' if unit else ''}", dark,
        height=300, xaxis=_back(look, count, ink), yaxis={"fixedrange": True, **scale}, bargap=0.15,
        shapes=shapes, annotations=notes, margin={"t": TITLE}, dragmode=False, showlegend=False,
    )  # fmt: skip


def influence_bars_alt(look: Look, unit: str = "nats", is_signed: bool = False) -> str:
    """The bars in words."""
    order = np.argsort(-np.abs(look.values), kind="stable")[:5].tolist()
    said = ", ".join(f"{_name(look, i - len(look.values))} {look.values[i]:.3g}" for i in order)
    return f"{theme.spoken(_bars_title(look, unit, is_signed))}. The largest values: {said} {unit}.".replace(" .", ".")


def _bars_title(look: Look, unit: str, is_signed: bool) -> tuple[str, str]:
    if not np.any(look.values):
        return f"Nothing moves {_quoted(look.foretold)} here:", "every gradient is 0"
    if is_signed:
        high, low = int(np.argmax(look.values)), int(np.argmin(look.values))
        n = len(look.values)
        parts = []
        if look.values[high] > 0:
            parts.append(f"{_name(look, high - n)}: {_signed(look.values[high])}{f' {unit}' if unit else ''}")
        if look.values[low] < 0:
            parts.append(f"{_name(look, low - n)}: {_signed(look.values[low])}")
        return f"Strongest pushes on {_quoted(look.foretold)}:", "; ".join(parts)
    nearest = "character holds" if look.reach == 1 else f"{look.reach} characters hold"
    top = int(np.argmax(look.values))
    share = look.values[top] / look.values.sum()
    return (
        f"The last {nearest} {look.share:.0%} of the influence",
        f"on {_quoted(look.foretold)}; the most {_name(look, top - len(look.values))}: {share:.0%}",
    )


def _holding_nearly_all(values: NDArray[np.float64]) -> int:
    """How many of the nearest hold 99 % of all that there is."""
    nearest = np.abs(np.asarray(values, np.float64))[::-1]
    return int(np.searchsorted(np.cumsum(nearest), 0.99 * nearest.sum())) + 1


def _back(look: Look, count: int, ink: theme.Ink) -> Dict:
    """The axis of the characters before the prediction: written one by one where there is room, else counted."""
    if count <= LETTERS:
        ticks = list(range(-count, 0))
        written = [shielded(visible(look.read[i])) for i in ticks]
        name, font = f"characters read, the nearest to {_quoted(look.foretold)} on the right", {"family": FIXED_WIDTH}
    else:
        ticks = [-d for d in _round_distances(count)]
        written, font = [f"{-t:,}" for t in ticks], {}
        name = f"characters before {_quoted(look.foretold)}"
    return {
        "range": [-count - 0.6, -0.4], "tickmode": "array", "tickvals": ticks, "ticktext": written, "tickangle": 0,
        "tickfont": {"size": 12, "color": ink.foreground, **font}, "showgrid": False, "zeroline": False,
        "fixedrange": True, "title": {"text": name, "font": {"size": 14, "color": ink.foreground}, "standoff": 6},
    }  # fmt: skip


def _round_distances(count: int) -> list[int]:
    """1 and at most five round ones."""
    step = next(s for s in (10, 20, 50, 100, 200, 500, 1000) if count / s <= 5.5)
    return [1, *range(step, count + 1, step)]


def _edge(reach: int, ink: theme.Ink) -> Dict:
    """A line left of the last `reach` characters."""
    return {
        "type": "line", "x0": -reach - 0.5, "x1": -reach - 0.5, "yref": "paper", "y0": 0, "y1": 1,
        "line": {"color": ink.foreground, "width": 1.5, "dash": "dash"},
    }  # fmt: skip


def _note(look: Look, count: int, ink: theme.Ink) -> Dict:
    on_the_left, space = look.reach > count / 2, "\N{NO-BREAK SPACE}"
    text = f"{space}{look.share:.0%} →" if on_the_left else f"{look.share:.0%} on this side →{space}"
    return {
        "x": -look.reach - 0.5, "y": 1, "yref": "paper", "yanchor": "top", "showarrow": False,
        "xanchor": "left" if on_the_left else "right", "font": {"size": 13, "color": ink.foreground}, "text": text,
    }  # fmt: skip


def _name(look: Look, i: int) -> str:
    """A character as it is named: i is counted back from the prediction, -1 the nearest."""
    return f"{_quoted(look.read[i])} {-i:,} before"


def _quoted(character: str) -> str:
    return f"“{shielded(visible(character))}”"


def _signed(value: float) -> str:
    return f"{value:+.2g}".replace("-", "−")


# Several models ---------------------------------------------------------------------------------------------------


def influence_strips(looks: Sequence[Look], dark: bool = False) -> go.Figure:
    """The last characters before one prediction, once for each model, the darker the more the prediction hangs on them.

    Args:
        looks: of the models, over the same text as far as each knows it; norms.
        dark: whether it stands on a dark background.
    """
    ink = theme.ink(dark)
    columns = min(LETTERS, max(len(look.read) for look in looks))
    height = len(looks) * (ROW + NAME + GAP)
    labels, boxes, names = list[Label](), list[Dict](), list[Dict]()
    for row, look in enumerate(looks):
        bottom = height - (row + 1) * (ROW + NAME + GAP) + GAP
        largest = float(np.max(look.values, initial=0)) or 1.0
        for i in range(-min(columns, len(look.read)), 0):
            strength = float(look.values[i]) / largest
            boxes.append(_box(i, bottom, theme.GRADIENT, strength, ink.grid, 1))
            words = f"{look.name}: {_name(look, i)}<br>{look.values[i] / (look.values.sum() or 1):.1%} of its influence"
            on_it = theme.text_on(theme.GRADIENT, 0.92 * strength, ink.background)
            letter = shielded(visible(look.read[i]))
            labels.append(Label(i, bottom + ROW / 2, letter, on_it, 13, family=FIXED_WIDTH, words=words))
        boxes.append(_box(0.5, bottom, theme.OUTPUT, look.probability, ink.foreground, 2))
        foretold, on_it = (
            shielded(visible(look.foretold)),
            theme.text_on(theme.OUTPUT, look.probability, ink.background),
        )
        words = f"{look.name} foretold {_quoted(look.foretold)}<br>p = {look.probability:.3g}"
        labels.append(Label(0.5, bottom + ROW / 2, foretold, on_it, 14, family=FIXED_WIDTH, words=words))
        names.append(
            {
                "x": 0, "xref": "paper", "xanchor": "left", "y": bottom + ROW + NAME / 2, "showarrow": False,
                "text": f"<b>{shielded(_short(look.name, 18))}</b>: {look.share:.0%} within {_characters(look.reach)}, "
                f"p = {look.probability:.2f}",
                "font": {"size": 13, "color": ink.foreground},
            }
        )  # fmt: skip
    pointed = {
        "type": "scatter", "mode": "markers", "x": [s.x for s in labels], "y": [s.y for s in labels],
        "customdata": [s.words for s in labels], "marker": {"size": 18, "opacity": 0},
        "hovertemplate": "%{customdata}<extra></extra>",
    }  # fmt: skip
    ticks = [-d for d in (1, 10, 20, 30, 40) if d <= columns]
    axis = {"text": "characters before the prediction", "font": {"size": 14, "color": ink.foreground}, "standoff": 6}
    return theme.figure(
        [texts(labels), pointed], "<br>".join(_strips_title(looks)), "", "", dark, height=height + TITLE + AXIS,
        xaxis={
            "range": [-columns - 0.6, 1.1], "tickvals": ticks, "ticktext": [str(-t) for t in ticks], "showgrid": False,
            "zeroline": False, "fixedrange": True, "title": axis,
        },
        yaxis={"range": [0, height], "visible": False, "fixedrange": True}, shapes=boxes, annotations=names,
        margin={"t": TITLE, "b": AXIS}, dragmode=False, hovermode="closest", showlegend=False,
    )  # fmt: skip


def influence_strips_alt(looks: Sequence[Look]) -> str:
    """The strips in words."""
    said = []
    for look in looks:
        order = np.argsort(-look.values, kind="stable")[:3].tolist()
        most = ", ".join(_name(look, i - len(look.values)) for i in order)
        said.append(
            f"{look.name}: {look.share:.0%} within {_characters(look.reach)}, most from {most}; "
            f"it gave the character a probability of {look.probability:.2f}"
        )
    return f"{theme.spoken(_strips_title(looks))}. {'. '.join(said)}."


def _strips_title(looks: Sequence[Look]) -> tuple[str, str]:
    far, near = max(looks, key=lambda look: look.reach), min(looks, key=lambda look: look.reach)
    of = f"For {_quoted(far.foretold)}"
    if far.reach == near.reach:
        one = f"{far.name} looks" if len(looks) == 1 else "all look"
        return f"{of} {one} back equally far:", f"{far.share:.0%} within {_characters(far.reach)}"
    return (
        f"{of} {shielded(_short(far.name))} looks back furthest:",
        f"{far.share:.0%} within {_characters(far.reach)}, {shielded(_short(near.name))} within {near.reach}",
    )


def _box(x: float, bottom: float, colour: str, strength: float, line: str, width: float) -> Dict:
    half = 0.5 if width == 1 else 0.48
    return {
        "type": "rect", "x0": x - half, "x1": x + half, "y0": bottom, "y1": bottom + ROW, "layer": "below",
        "fillcolor": theme.shade(colour, 0.92 * min(1.0, strength)), "line": {"color": line, "width": width},
    }  # fmt: skip


def _characters(number: int) -> str:
    return "1 character" if number == 1 else f"{number:,} characters"


def _short(name: str, letters: int = NAMED) -> str:
    return name if len(name) <= letters else f"{name[: letters - 1]}…"


def influence_fading(fadings: Sequence[Fading], places: int, dark: bool = False) -> go.Figure:
    """How much of the influence is left at each distance, a curve for each model.

    Args:
        fadings: the models' curves, all of the same length.
        places: of how many they are the mean.
        dark: whether it stands on a dark background.
    """
    ink, n = theme.ink(dark), max(len(f.shares) for f in fadings)
    top = max(float(f.shares.max(initial=FLOOR)) for f in fadings)
    bottom = max(FLOOR, min(float(f.shares[f.shares > 0].min(initial=1)) for f in fadings))
    low, high = math.log10(bottom) - 0.2, math.log10(max(top, bottom * 10)) + 0.2
    powers = range(math.ceil(low), math.floor(high) + 1)
    lines, ends = [], []
    for i, fading in enumerate(fadings):
        seen = int(np.argmax(np.append(fading.shares < bottom, True)))  # up to where it leaves the picture
        colour = ink.muted if i % 2 else ink.foreground
        every = max(1, n // 8)
        lines.append(
            {
                "type": "scatter", "mode": "lines+markers", "x": list(range(1, seen + 1)), "name": fading.name,
                "y": [float(f"{v:.4g}") for v in fading.shares[:seen].tolist()],
                "line": {"color": colour, "width": 2, "dash": DASHES[i % 4]},
                "marker": {
                    "symbol": MARKS[i % 4], "color": colour,
                    "size": [8 if (d + i * every // 3) % every == 0 else 0 for d in range(seen)],
                },
                "hovertemplate": f"{shielded(fading.name)}: %{{y:.2%}}, %{{x}} before<extra></extra>",
            }
        )  # fmt: skip
        last = math.log10(max(float(fading.shares[seen - 1]), bottom)) if seen else low
        ends.append([seen, (last - low) / (high - low), fading.name])
    margin = {"t": TITLE, "r": 8 + 8 * max(len(_short(f.name)) for f in fadings)}  # room for the names
    return theme.figure(
        lines, "<br>".join(_fading_title(fadings, places)), "characters before the prediction",
        "share of the influence", dark, height=340,
        xaxis={"range": [0, n * 1.01], "fixedrange": True, "nticks": 8, "showgrid": False, "zeroline": False},
        yaxis={
            "type": "log", "range": [low, high], "fixedrange": True, "tickvals": [10.0**e for e in powers],
            "ticktext": [f"{10.0 ** (e + 2):.6f}".rstrip("0").rstrip(".") + "%" for e in powers],
        },
        annotations=_end_labels(ends, n, ink), margin=margin,
        showlegend=False, dragmode=False, hovermode="closest",
    )  # fmt: skip


def _end_labels(ends: list[list[Any]], n: int, ink: theme.Ink) -> list[Dict]:
    """Names at the curves' ends, moved apart where several end on the right beside each other."""
    at, notes = -1.0, list[Dict]()
    for x, y, name in sorted(ends, key=lambda end: end[1]):
        if x >= n - 2:
            y = at = max(y, at + LABEL) if at >= 0 else y
        notes.append(
            {
                "x": x, "y": min(y, 0.98), "yref": "paper", "xanchor": "left",
                "yanchor": "middle" if y > 0.06 else "bottom",
                "xshift": 6, "showarrow": False, "text": f"<b>{shielded(_short(name))}</b>",
                "font": {"size": 13, "color": ink.foreground},
            }
        )  # fmt: skip
    return notes


def influence_fading_alt(fadings: Sequence[Fading], places: int) -> str:
    """The curves in words."""
    far = len(fadings[0].shares)
    said = "; ".join(
        f"{f.name}: {f.shares[0]:.1%} at 1 character, {f.shares[min(9, far - 1)]:.2g} of it at {min(10, far)}, "
        f"{f.shares[-1]:.2g} at {far}"
        for f in fadings
    )  # fmt: skip
    return f"{theme.spoken(_fading_title(fadings, places))}. {said}."


def _fading_title(fadings: Sequence[Fading], places: int) -> tuple[str, str]:
    """The furthest first, which is what the figure shows."""
    order = sorted(fadings, key=lambda f: -f.reach)
    where = "At one place" if places == 1 else f"At {places} places"
    return f"{where} {fadings[0].share:.0%} of the influence is within", f"{_listed(order)} characters"


def _listed(order: Sequence[Fading]) -> str:
    said = [f"{f.reach:.0f} ({shielded(_short(f.name))})" for f in order]
    listed = ", ".join(said)
    return listed if len(listed) <= LINE or len(said) < 3 else f"{said[0]} to {said[-1]}"

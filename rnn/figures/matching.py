"""The pattern of a span: the units that are on throughout, and what came after places where they are on as well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from rnn.figures import along, theme
from rnn.figures.along import Dict, Window
from rnn.figures.characters import legible, shielded, visible
from rnn.figures.strokes import FIXED_WIDTH

MOST_NUMBERS = 30_000  # of one trace: a figure stays under a megabyte
LINES, TITLE, FOOT = 270, 58, 54  # pixels: the plot, the title of two lines, the axis of the characters
ROW, LEGEND, AXIS = 36, 28, 52  # pixels of the bars
MOST_ROWS = 8
LETTERS = 24  # of a span that are quoted


# The units --------------------------------------------------------------------------------------------------------


def span_lines(
    text: str, states: NDArray[np.float32], span: Window, units: Sequence[int], threshold: float, both_signs: bool,
    title: str, vector: str, window: Window, dark: bool = False,
) -> go.Figure:  # fmt: skip
    """Every unit's state over the span and what is around it; those that are on throughout have their colour.

    Args:
        text: T characters.
        states: (T, H), finite.
        span: its first character and the one after its last, from 0.
        units: those that are on throughout, from 0.
        threshold: from which on they are on.
        both_signs: whether they are below minus the threshold, too.
        title: which states they are: "h", "c of layer 2".
        vector: "h" or "c".
        window: the characters that are drawn.
        dark: whether it stands on a dark background.
    """
    ink = theme.ink(dark)
    begin, end = window
    shown = states[begin:end]
    colour = theme.CELL_STATE if vector == "c" else theme.HIDDEN
    rest = np.setdiff1d(np.arange(states.shape[1]), units)
    others, every = _thinned(rest, end - begin)
    chosen, _ = _thinned(np.array(units, np.int64), end - begin)
    inside = np.arange(span[0], span[1])
    traces = []
    if len(others):
        which = f", every {every}th" if every > 1 else ""
        grey = {"color": theme.shade(ink.muted, 0.3), "width": 1}
        traces.append(
            _lines(shown, others, begin, f"other units{which}", "lines") | {"line": grey, "hoverinfo": "skip"}
        )
    if len(chosen):
        thin = {"color": theme.shade(colour, 0.6), "width": 1.2}
        traces.append(_lines(shown, chosen, begin, "", "lines") | {"line": thin, "showlegend": False})
        # A span of one character has no line.
        mode = "lines" if len(inside) > 1 else "markers"
        bold = {"line": {"color": colour, "width": 2.6}, "marker": {"color": colour, "size": 8}}
        traces.append(_lines(states[inside], chosen, span[0], "on throughout the span", mode) | bold)
    low, high = float(min(shown.min(), -threshold if both_signs else 0)), float(max(shown.max(), threshold))
    room = 0.05 * (high - low)
    levels = (threshold, -threshold) if both_signs else (threshold,)
    return theme.figure(
        traces, "<br>".join(_said(text, states, span, units, threshold, both_signs, title)), "", title, dark,
        height=TITLE + LEGEND + LINES + FOOT, margin={"t": TITLE + LEGEND, "b": FOOT},
        xaxis=along.axis(text, window, begin, ink),
        yaxis={"range": [low - room, high + 2 * room], "fixedrange": True},
        shapes=[_band(span, ink), *(_level(y, ink) for y in levels)],
        annotations=[_named(threshold, ink)], dragmode=False, hovermode="closest",
    )  # fmt: skip


def span_lines_alt(
    text: str, states: NDArray[np.float32], span: Window, units: Sequence[int], threshold: float, both_signs: bool,
    title: str,
) -> str:  # fmt: skip
    """The figure in words; the arguments are those of `span_lines`."""
    said = theme.spoken(_said(text, states, span, units, threshold, both_signs, title, is_plain=True))
    if not len(units):
        return f"{said}."
    means = states[span[0] : span[1]].mean(axis=0)
    order = sorted(units, key=lambda unit: -abs(means[unit]))[:12]
    named = ", ".join(f"{unit + 1} ({along.signed(float(means[unit]))})" for unit in order)
    return f"{said}. The units with the largest mean over the span: {named}."


def _said(
    text: str, states: NDArray[np.float32], span: Window, units: Sequence[int], threshold: float, both_signs: bool,
    title: str, is_plain: bool = False,
) -> tuple[str, str]:  # fmt: skip
    value = f"|{title}|" if both_signs else title
    quoted = quote(text[slice(*span)])
    where = f"{span[0] + 1:,}" if span[1] - span[0] == 1 else f"{span[0] + 1:,} to {span[1]:,}"
    count = f"{len(units)} of {states.shape[1]} units have" if len(units) else "No unit has"
    named = quoted if is_plain else shielded(quoted)
    return f"{count} {value} ≥ {threshold:g}", f"throughout “{named}” ({where})"


def quote(text: str) -> str:
    """A piece of a text in one line, the middle of a long one left out."""
    shown = [" " if c == " " else visible(c) for c in legible(text)]
    if len(text) <= LETTERS:
        return "".join(shown)
    half = LETTERS // 2 - 1
    return "".join(shown[:half]) + "…" + "".join(shown[-half:])


def _thinned(units: NDArray[np.int64], characters: int) -> tuple[NDArray[np.int64], int]:
    """As many of the units, evenly, as a figure has room for, and every how manyth of them that is."""
    every = max(1, -(-len(units) * (characters + 1) // MOST_NUMBERS))
    return units[::every], every


def _lines(states: NDArray[np.float32], units: NDArray[np.int64], first_at: int, name: str, mode: str) -> Dict:
    """The lines of several units as one trace, parted by gaps."""
    T = len(states)
    y = np.full((len(units), T + 1), np.nan, np.float32)
    y[:, :T] = states[:, units].T
    x = np.tile(np.arange(first_at, first_at + T + 1, dtype=np.int16), len(units))
    return {
        "type": "scatter", "mode": mode, "x": x, "y": y.ravel(), "name": name, "showlegend": bool(name),
        "customdata": np.repeat(units + 1, T + 1).astype(np.int16), "connectgaps": False,
        "hovertemplate": "unit %{customdata}: %{y:.2f}<extra></extra>",
    }  # fmt: skip


def _band(span: Window, ink: theme.Ink) -> Dict:
    return {
        "type": "rect", "x0": span[0] - 0.5, "x1": span[1] - 0.5, "yref": "paper", "y0": 0, "y1": 1, "layer": "below",
        "fillcolor": theme.shade(ink.muted, 0.16), "line": {"width": 0},
    }  # fmt: skip


def _level(y: float, ink: theme.Ink) -> Dict:
    return {
        "type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": y, "y1": y,
        "line": {"color": ink.foreground, "width": 1.5, "dash": "dash"},
    }  # fmt: skip


def _named(threshold: float, ink: theme.Ink) -> Dict:
    return {
        "xref": "paper", "x": 1, "xanchor": "right", "y": threshold, "yanchor": "bottom", "showarrow": False,
        "text": f"threshold {threshold:g}", "font": {"size": 13, "color": ink.foreground},
        "bgcolor": theme.shade(ink.background, 0.75), "borderpad": 1,
    }  # fmt: skip


# What came next ---------------------------------------------------------------------------------------------------


def tally_bars(
    tally: Mapping[str, int], probabilities: Mapping[str, float] | None = None, dark: bool = False
) -> go.Figure:
    """How often each character came after the matches, beside how likely the model holds it after the span.

    Args:
        tally: of one character at least.
        probabilities: of every character of the vocabulary; None where the model does not predict.
        dark: whether it stands on a dark background.
    """
    ink, total = theme.ink(dark), sum(tally.values())
    shares = {c: n / total for c, n in tally.items()}
    rows = _rows(shares, probabilities or {})
    names = [*map(visible, rows), "others"]
    bars = [_bars(names, _shares(shares, rows), "came next", ink.muted, ink) | {"offsetgroup": "0"}]
    bars[0]["marker"]["pattern"] = {"shape": "/", "size": 6, "solidity": 0.35, "fgcolor": ink.foreground}
    if probabilities is not None:
        bars.append(_bars(names, _shares(probabilities, rows), "model", theme.OUTPUT, ink) | {"offsetgroup": "1"})
    longest = max(max(bar["x"]) for bar in bars)
    thick = ROW if probabilities is not None else 26
    return theme.figure(
        bars, "<br>".join(_counted(tally, probabilities)), "share of the places; probability", "", dark,
        height=TITLE + LEGEND + thick * len(names) + AXIS, margin={"t": TITLE + LEGEND},
        xaxis={"range": [0, longest * 1.2], "tickformat": ".0%", "fixedrange": True, "nticks": 5},
        yaxis={
            "autorange": "reversed", "type": "category", "fixedrange": True, "showgrid": False,
            "tickfont": {"size": 14, "family": FIXED_WIDTH, "color": ink.foreground}, "ticksuffix": " ",
        },
        barmode="group", bargap=0.25, dragmode=False, hovermode="closest",
    )  # fmt: skip


def tally_bars_alt(tally: Mapping[str, int], probabilities: Mapping[str, float] | None = None) -> str:
    """The bars in words."""
    total = sum(tally.values())
    rows = _rows({c: n / total for c, n in tally.items()}, probabilities or {})
    named = ", ".join(
        f"{visible(c)} {tally.get(c, 0) / total:.0%}"
        + (f" (the model {probabilities.get(c, 0.0):.0%})" if probabilities is not None else "")
        for c in rows
    )
    return f"{'; '.join(_counted(tally, probabilities, is_plain=True))}. {named}."


def _counted(
    tally: Mapping[str, int], probabilities: Mapping[str, float] | None, is_plain: bool = False
) -> tuple[str, ...]:
    total, first = sum(tally.values()), max(tally, key=lambda c: tally[c])

    def named(character: str) -> str:
        return f"“{visible(character) if is_plain else shielded(visible(character))}”"

    said = f"{named(first)} came after {tally[first]} of {total} places"
    if not probabilities:
        return (said,)
    likeliest = max(probabilities, key=lambda c: probabilities[c])
    same = "also " if likeliest == first else ""
    return said, f"the model {same}expects {named(likeliest)} ({probabilities[likeliest]:.0%})"


def _rows(shares: Mapping[str, float], probabilities: Mapping[str, float]) -> list[str]:
    """The characters that came most often or are the likeliest, those that came most often first."""
    every = dict.fromkeys([*shares, *probabilities])
    best = sorted(every, key=lambda c: -max(shares.get(c, 0.0), probabilities.get(c, 0.0)))[:MOST_ROWS]
    return sorted(best, key=lambda c: (-shares.get(c, 0.0), -probabilities.get(c, 0.0)))


def _shares(shares: Mapping[str, float], rows: Sequence[str]) -> list[float]:
    """Of each row, and what is left for all others together."""
    return [*(shares.get(c, 0.0) for c in rows), sum(p for c, p in shares.items() if c not in rows)]


def _bars(names: list[str], shares: list[float], name: str, colour: str, ink: theme.Ink) -> dict[str, Any]:
    return {
        "type": "bar", "orientation": "h", "y": [shielded(n) for n in names], "x": [round(s, 4) for s in shares],
        "name": name, "text": [f"{s:.0%}" if s >= 0.005 or s == 0 else "<1%" for s in shares],
        "textposition": "outside", "cliponaxis": False, "textfont": {"size": 13, "color": ink.foreground},
        "marker": {"color": colour}, "hovertemplate": "%{y}: %{x:.1%}<extra></extra>",
    }  # fmt: skip

"""What one changed character of a text does to the states and predictions after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from rnn.figures import theme
from rnn.figures.characters import shielded, visible
from rnn.figures.strokes import FIXED_WIDTH
from rnn.figures.weights import NEGATIVE

LETTERS = 40  # characters that have room to be written side by side, also on a phone
MOST = 400  # characters that are shown
LEVELS = 100  # of the colours that are sent: percent
FULL = 98  # percent of all values that the scale reaches
SEEN = 1 / 200  # of the largest value of a panel
TITLE, AXIS, GAP = 64, 48, 26  # pixels
PREDICTION, SIZE, MAP = 84, 104, 220  # pixels of the panels

Dict = dict[str, Any]
Panel = tuple[str, int, Dict, Dict]  # name, pixels, trace, what its axis has of its own


@dataclass(frozen=True)
class Change:
    """What a changed character does.

    Attributes:
        text: the text before the change, T characters.
        position: where it is changed.
        put: what stands there then.
        divergences: how far the prediction after each character moved, bits, (T,).
        costs: how many bits more the next character of the text surprises, (T - 1,); None where nothing is foretold.
        states: h' - h of one layer, (T, H).
        sizes: the length of h' - h, (T,).
        forgotten: from how many characters away on it stays below `share` of the first; None: not before the end.
        share: see `forgotten`.
        layer: what the states are called: "h of layer 2".
    """

    text: str
    position: int
    put: str
    divergences: NDArray[np.float64]
    costs: NDArray[np.float64] | None
    states: NDArray[np.float32]
    sizes: NDArray[np.float64]
    forgotten: int | None
    share: float = 0.01
    layer: str = "h"

    @property
    def shown(self) -> tuple[int, int]:
        """The characters that are drawn, from and to: somewhat beyond the one where the change is forgotten."""
        T, k = len(self.text), self.position
        far = T if self.forgotten is None else max(LETTERS, round(1.3 * self.forgotten))
        before = 0 if not np.any(self.sizes[:k]) and not np.any(self.divergences[:k]) else min(far, MOST // 2)
        begin = max(0, k - before)
        return begin, min(T, k + far, begin + MOST) if before else min(T, k + min(far, MOST))


def change_panels(change: Change, is_signed: bool = False, dark: bool = False) -> go.Figure:
    """From above: how far each prediction moves, what the next character costs more, and how far the states move.

    Args:
        change: what is shown.
        is_signed: whether the heat map shows h' - h, in place of its absolute value.
        dark: whether it stands on a dark background.
    """
    ink, (begin, end) = theme.ink(dark), change.shown
    x = list(range(begin, end))
    named = [f"“{shielded(visible(change.text[t]))}” ({t + 1:,})" for t in x]
    moved = _bars(x, change.divergences[begin:end], named, "%{y:.3g} bits", theme.OUTPUT)
    panels: list[Panel] = [("prediction moves, KL in bits", PREDICTION, moved, {"rangemode": "tozero", "nticks": 4})]
    if change.costs is not None:
        costs = np.append(change.costs, 0.0)[begin:end]
        bars = _bars(x, costs, named, "the next one: %{y:+.3g} bits", theme.OUTPUT)
        from_zero = {"nticks": 4, "zeroline": True, "zerolinecolor": ink.foreground}
        panels.append(("next character of the text costs more bits", PREDICTION, bars, from_zero))
    panels.append((f"‖Δ{change.layer[:1]}‖, % of the first", SIZE, _size(change, x, named), _size_axis(change, x)))
    every = f"{change.layer}: every unit, those that move most at the top"
    panels.append((every, MAP, _map(change, begin, end, is_signed, dark), {"tickvals": [], "type": "category"}))
    return _stacked(panels, change, x, ink, dark)


def _stacked(panels: Sequence[Panel], change: Change, x: list[int], ink: theme.Ink, dark: bool) -> go.Figure:
    """The panels below one another over one axis of characters, each under its name."""
    height = sum(tall + GAP for _, tall, _, _ in panels)
    edge = None
    if change.forgotten and change.position + change.forgotten in x:
        edge = change.position + change.forgotten - 0.5
    bottom, traces, axes, notes, shapes = height, list[Dict](), dict[str, Dict](), list[Dict](), list[Dict]()
    for number, (name, tall, trace, more) in enumerate(panels, 1):
        which = "" if number == 1 else str(number)
        bottom -= tall + GAP
        domain = [bottom / height, (bottom + tall) / height]
        traces.append({**trace, "yaxis": f"y{which}"})
        axes[f"yaxis{which}"] = {
            "domain": domain, "fixedrange": True, "showgrid": False, "zeroline": False, "automargin": True,
            "tickfont": {"size": 12, "color": ink.foreground}, "title": {"text": ""}, **more,
        }  # fmt: skip
        notes.append(
            {
                "x": 0, "xref": "paper", "xanchor": "left", "y": domain[1], "yref": "paper", "yanchor": "bottom",
                "text": name, "showarrow": False, "font": {"size": 13, "color": ink.foreground},
            }
        )  # fmt: skip
        if edge is not None:
            shapes.append(
                {
                    "type": "line", "x0": edge, "x1": edge, "yref": f"y{which} domain", "y0": 0, "y1": 1,
                    "line": {"color": ink.foreground, "width": 1.5, "dash": "dash"},
                }
            )  # fmt: skip
    return theme.figure(
        traces, "<br>".join(_title(change)), "", "", dark, height=height + TITLE + AXIS,
        xaxis=_letters(change, x, ink), **axes, annotations=notes, shapes=shapes, bargap=0.15,
        margin={"t": TITLE, "b": AXIS, "r": 12}, dragmode=False, showlegend=False, hovermode="closest",
    )  # fmt: skip


def change_panels_alt(change: Change) -> str:
    """The panels in words."""
    k = change.position
    moved = int(np.argmax(change.divergences))
    said = f"The prediction that moves most is the one after “{visible(change.text[moved])}”, character {moved + 1}: "
    said += f"{change.divergences[moved]:.2f} bits"
    if change.costs is not None and len(change.costs):
        worst = int(np.argmax(np.abs(change.costs)))
        said += f". Of the characters of the text, “{visible(change.text[worst + 1])}”, character {worst + 2}, is "
        said += f"foretold with {abs(change.costs[worst]):.2f} bits {'more' if change.costs[worst] >= 0 else 'less'}"
    unit = int(np.argmax(np.abs(change.states[k]))) if change.states.size else 0
    most = f"At the change unit {unit + 1} moves most: {change.states[k, unit]:+.2f}"
    return f"{theme.spoken(_title(change))}. {said}. {most}."


def _title(change: Change) -> tuple[str, str]:
    k = change.position
    one = f"“{shielded(visible(change.text[k]))}” → “{shielded(visible(change.put))}”"
    if not np.any(change.sizes):
        return f"{one} changes nothing:", f"{change.layer} stays the same at every step"
    if change.forgotten is None:
        left = change.sizes[-1] / change.sizes[k] if change.sizes[k] else 1.0
        return f"{one} is not forgotten:", f"{left:.0%} of the first change is left at the end"
    after = "1 character" if change.forgotten == 1 else f"{change.forgotten:,} characters"
    return (
        f"{one} is forgotten after {after}:",
        f"then less than {change.share:.0%} of the first change is left",
    )


def _bars(x: list[int], values: NDArray[np.float64], named: list[str], said: str, colour: str) -> Dict:
    least = SEEN * float(np.abs(values).max(initial=0))  # Plotly makes a line of a pixel of what is less
    return {
        "type": "bar", "x": x, "y": [float(f"{v:.4g}") if abs(v) > least else None for v in values.tolist()],
        "customdata": named,
        "marker": {"color": colour, "line": {"width": 0}}, "hovertemplate": f"%{{customdata}}<br>{said}<extra></extra>",
    }  # fmt: skip


def _relative(change: Change) -> NDArray[np.float64]:
    first = float(change.sizes[change.position])
    relative: NDArray[np.float64] = change.sizes / first if first else change.sizes
    return relative


def _size(change: Change, x: list[int], named: list[str]) -> Dict:
    values = (100 * _relative(change)[x[0] : x[-1] + 1]).tolist() if x else []
    return {
        "type": "scatter", "mode": "lines", "x": x, "y": [float(f"{v:.4g}") if v > 0 else None for v in values],
        "line": {"color": theme.HIDDEN, "width": 2.5}, "customdata": named,
        "hovertemplate": "%{customdata}<br>%{y:.3g}% of the first change<extra></extra>",
    }  # fmt: skip


def _size_axis(change: Change, x: list[int]) -> Dict:
    values = 100 * _relative(change)[x[0] : x[-1] + 1] if x else np.ones(1)
    lowest = min(0.5, max(float(values[values > 0].min(initial=100)), 0.01))
    powers = [e for e in range(-2, 4) if lowest * 0.9 <= 10.0**e <= max(200.0, values.max(initial=0))]
    return {
        "type": "log", "range": [np.log10(lowest), np.log10(max(150.0, 1.2 * float(values.max(initial=0))))],
        "tickvals": [10.0**e for e in powers], "ticktext": [f"{10.0**e:g}%" for e in powers], "showgrid": True,
    }  # fmt: skip


def _map(change: Change, begin: int, end: int, is_signed: bool, dark: bool) -> Dict:
    """Every unit at every step in 100 shades: int8 is an eighth of what floats take."""
    ink = theme.ink(dark)
    values = change.states[begin:end].T
    order = np.argsort(np.abs(values).sum(axis=1), kind="stable")  # the last row is drawn on top
    values = values[order]
    full = float(np.percentile(np.abs(values), FULL)) if values.size else 1.0
    full = full or float(np.abs(values).max(initial=0)) or 1.0
    seen = values if is_signed else np.abs(values)
    z = np.round(np.clip(seen / full, -1, 1) * LEVELS).astype(np.int8)
    none, up, down = (theme.shade(c, o) for c, o in ((ink.background, 0), (theme.HIDDEN, 1), (NEGATIVE[dark], 1)))
    clear_up, clear_down = theme.shade(theme.HIDDEN, 0), theme.shade(NEGATIVE[dark], 0)
    scale = (
        [[0, down], [0.5, clear_down], [0.5, clear_up], [1, up]] if is_signed else [[0, none], [0, clear_up], [1, up]]
    )
    return {
        "type": "heatmap", "x0": begin, "dx": 1, "y": [f"unit {u + 1}" for u in order.tolist()], "z": z,
        "zmin": -LEVELS if is_signed else 0,
        "zmax": LEVELS, "colorscale": scale, "showscale": False, "zsmooth": False,
        "hovertemplate": f"%{{y}}: %{{z}}% of {full:.2g}<extra></extra>",
    }  # fmt: skip


def _letters(change: Change, x: list[int], ink: theme.Ink) -> Dict:
    """The axis of the characters; the changed one is written as it is then."""
    number = len(x)
    if number <= LETTERS:
        ticks = x
        written = [shielded(visible(change.put if t == change.position else change.text[t])) for t in ticks]
        title, font = "character read, from the changed one on", {"family": FIXED_WIDTH}
        if x and x[0] < change.position:
            title = "character read"
    else:
        step = next(s for s in (10, 20, 50, 100) if number / s <= 5.5 or s == 100)
        ticks = [change.position + d for d in range(-MOST, MOST + 1, step) if change.position + d in x]
        written, font = [f"{t - change.position:,}".replace("-", "−") for t in ticks], {}
        title = "characters after the changed one"
    return {
        "range": [x[0] - 0.5, x[-1] + 0.5] if x else [0, 1], "tickvals": ticks, "ticktext": written, "tickangle": 0,
        "tickfont": {"size": 12, "color": ink.foreground, **font}, "showgrid": False, "zeroline": False,
        "fixedrange": True, "anchor": "free", "position": 0,
        "title": {"text": title, "font": {"size": 14, "color": ink.foreground}, "standoff": 6},
    }  # fmt: skip

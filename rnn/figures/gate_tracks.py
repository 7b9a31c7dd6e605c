"""The gates of one unit over a text, one under the other, and what they do to its state."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from rnn.figures import along, theme
from rnn.figures.along import Dict, Window
from rnn.records import LayerTrace
from rnn.saturation import OF_SIGMOID, OF_TANH, SIGMOID_GATES, saturation

NAMES = {
    "i": "input gate i", "f": "forget gate f", "o": "output gate o", "g": "candidate g",
    "r": "reset gate r", "z": "update gate z", "n": "candidate n", "c": "cell state c", "h": "hidden state h",
}  # fmt: skip
DRAWN = {"lstm": ("i", "f", "o", "g", "c", "h"), "gru": ("r", "z", "n", "h"), "rnn": ("h",)}
STAYS = {"f": "c", "z": "h"}  # the gate that keeps a state, and which
HEADING, FOOT, TRACK, LABEL = 62, 54, 54, 24  # pixels: the title, the axis, a track and the line above it


def gate_tracks(
    text: str, layer: LayerTrace, title: str, unit: int, at: int, window: Window, dark: bool = False
) -> go.Figure:
    """Gates from 0 (shut) to 1 (open), candidates and states up and down from 0.

    Args:
        text: T characters.
        layer: what happened while they were read.
        title: which layer it is, or "".
        unit: the one that is looked at, from 0.
        at: the character that is looked at, from 0.
        window: the characters that are drawn.
        dark: whether it stands on a dark background.
    """
    ink, tracks = theme.ink(dark), _tracks(layer)
    begin, end = window
    height = len(tracks) * (TRACK + LABEL)
    traces, axes, shapes, notes = [], {}, [], []
    x = np.arange(begin + 1, end + 1, dtype=np.int16)
    labels = along.names(text, window)
    for row, (name, values) in enumerate(tracks.items()):
        number = "" if row == 0 else str(row + 1)
        low, high = _reach(name, values[:, unit])
        top = 1 - (row * (TRACK + LABEL) + LABEL) / height
        traces.append(
            {
                "type": "scatter", "mode": "lines", "x": x, "y": values[begin:end, unit], "yaxis": f"y{number}",
                "text": labels, "fill": "tozeroy", "fillcolor": theme.shade(_colour(name, ink), 0.35),
                "line": {"color": _colour(name, ink), "width": 1.5, "shape": "hvh"},
                "hovertemplate": f"{name} = %{{y:.2f}} at %{{text}}<extra></extra>",
            }
        )  # fmt: skip
        axes[f"yaxis{number}"] = {
            "domain": [top - TRACK / height, top], "range": [low - 0.02 * (high - low), high + 0.02 * (high - low)],
            "tickvals": [low, high], "ticktext": [along.signed(v).removesuffix(".00") for v in (low, high)],
            "tickfont": {"size": 12, "color": ink.foreground}, "showgrid": False, "zeroline": False, "fixedrange": True,
            "automargin": True, "title": {"text": ""},
        }  # fmt: skip
        shapes += [_level(level, f"y{number}", ink) for level in ((*OF_SIGMOID, 0) if name in SIGMOID_GATES else (0,))]
        notes.append(_note(name, values[:, unit], top, ink))
    last = "y" if len(tracks) == 1 else f"y{len(tracks)}"
    return theme.figure(
        traces, "<br>".join(_said(text, layer, title, unit, at)), "", "", dark, height=HEADING + height + FOOT,
        xaxis=along.axis(text, window, begin + 1, ink) | {"anchor": last}, **axes, annotations=notes,
        shapes=[*shapes, *([along.mark(at + 1, ink)] if begin <= at < end else [])],
        margin={"t": HEADING, "b": FOOT, "r": 12}, showlegend=False, dragmode=False, hovermode="closest",
    )  # fmt: skip


def gate_tracks_alt(text: str, layer: LayerTrace, title: str, unit: int, at: int, window: Window) -> str:
    """The tracks in words."""
    tracks = {name: values[:, unit] for name, values in _tracks(layer).items()}
    said = [f"{_finding(name, values)}, {along.signed(float(values[at]))} here" for name, values in tracks.items()]
    shown = f"Drawn are characters {window[0] + 1:,} to {window[1]:,}"
    return f"{theme.spoken(_said(text, layer, title, unit, at))}. {'; '.join(said)}. {shown}."


def _tracks(layer: LayerTrace) -> dict[str, NDArray[np.float32]]:
    """Every row by its name, from the top, (T, H)."""
    cell = "lstm" if layer.c is not None else "gru" if layer.gates else "rnn"
    states = {"h": layer.h} | ({} if layer.c is None else {"c": layer.c})
    return {name: layer.gates[name] if name in layer.gates else states[name] for name in DRAWN[cell]}


def _reach(name: str, values: NDArray[Any]) -> tuple[float, float]:
    if name in SIGMOID_GATES:
        return 0.0, 1.0
    reach = 1.0 if name in ("g", "n") else along.rounded_up(float(np.abs(values).max()))
    return -reach, reach


def _colour(name: str, ink: theme.Ink) -> str:
    if name in ("g", "c"):
        return theme.CELL_STATE
    return ink.muted if name in SIGMOID_GATES else theme.HIDDEN


def _level(y: float, axis: str, ink: theme.Ink) -> Dict:
    return {
        "type": "line", "xref": "paper", "x0": 0, "x1": 1, "yref": axis, "y0": y, "y1": y, "layer": "below",
        "line": {"color": ink.muted, "width": 1, "dash": "solid" if y == 0 else "dot"},
    }  # fmt: skip


def _note(name: str, values: NDArray[Any], top: float, ink: theme.Ink) -> Dict:
    return {
        "text": _finding(name, values), "showarrow": False, "xref": "paper", "x": 0, "xanchor": "left",
        "yref": "paper", "y": top, "yanchor": "bottom", "yshift": 2, "font": {"size": 13, "color": ink.foreground},
    }  # fmt: skip


def _finding(name: str, values: NDArray[Any]) -> str:
    """What the row is, and how often it is at one of its ends."""
    if name in SIGMOID_GATES or name in ("g", "n"):
        low, high = OF_SIGMOID if name in SIGMOID_GATES else OF_TANH
        found = saturation(values[:, None], (low, high))
        below, above = (f"{end:g}".replace("-", "−") for end in (low, high))
        return f"{NAMES[name]}: under {below} {found.left[0]:.0%}, over {above} {found.right[0]:.0%} of the time"
    return f"{NAMES[name]}: {along.signed(float(values.min()))} to {along.signed(float(values.max()))}"


def _said(text: str, layer: LayerTrace, title: str, unit: int, at: int) -> tuple[str, str]:
    """The title in two lines: what the unit does at the character that is looked at."""
    where = f"Unit {unit + 1}{f' of {title}' if title else ''}"
    for gate, state in STAYS.items():
        if gate in layer.gates:
            kept = float(layer.gates[gate][at, unit])
            return f"{where} at {along.name(text, at)}", f"keeps {kept:.0%} of its {state}"
    return f"{where} at {along.name(text, at)}", f"h = {along.signed(float(layer.h[at, unit]))}"

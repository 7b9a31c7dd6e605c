"""What of a unit's state is left some characters later: the product of the gates that kept it."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from rnn.errors import InputError
from rnn.figures import along, theme
from rnn.figures.along import Dict, Window
from rnn.records import LayerTrace
from rnn.saturation import keeping_gate, surviving

HEADING, FOOT = 62, 54  # pixels
STATES, SHARE, GAP = 150, 150, 40  # the panel of c and h, that of what is left, and the room between them
HALF = 0.5


def highway(
    text: str, layer: LayerTrace, unit: int, first: int, last: int, at: int, window: Window, dark: bool = False
) -> go.Figure:
    """Above, the unit's c and h (of a GRU, h and its candidate n); below, the share of its state that is left.

    Args:
        text: T characters.
        layer: what happened while they were read, by an LSTM or a GRU.
        unit: the one that is looked at, from 0.
        first, last: between which characters the state is followed, from 0.
        at: the character that is looked at, from 0.
        window: the characters that are drawn.
        dark: whether it stands on a dark background.

    Raises:
        InputError: the layer has no gate that keeps its state, or the characters are not two of the text.
    """
    ink = theme.ink(dark)
    begin, end = window
    height = STATES + GAP + SHARE
    labels = along.names(text, window)
    x = np.arange(begin + 1, end + 1, dtype=np.int16)
    left = _left(layer, first, last)[:, unit]
    lines = _states(layer, unit)
    traces: list[Dict] = [
        {
            "type": "scatter", "mode": "lines", "x": x, "y": values[begin:end], "yaxis": "y2", "text": labels,
            "name": name, "line": {"color": colour, "width": 2, "dash": dash, "shape": "linear"},
            "hovertemplate": f"{name} = %{{y:.2f}} after %{{text}}<extra></extra>",
        }
        for name, values, colour, dash in lines
    ]  # fmt: skip
    drawn = np.array([values[begin:end] for _, values, _, _ in lines])
    low, high = min(0.0, float(drawn.min())), max(0.0, float(drawn.max()))
    room = 0.06 * (high - low) or 1.0
    state = _state(layer)
    traces.append(
        {
            "type": "scatter", "mode": "lines+markers" if last - first < along.FEW else "lines",
            "x": np.arange(first + 1, last + 2, dtype=np.int16), "y": left.astype(np.float32),
            "text": along.names(text, (first, last + 1)), "fill": "tozeroy", "name": "left",
            "fillcolor": theme.shade(_colour(state), 0.35), "marker": {"size": 6},
            "line": {"color": _colour(state), "width": 2.5},
            "hovertemplate": f"%{{y:.1%}} of {state} is left at %{{text}}<extra></extra>",
        }
    )  # fmt: skip
    upper = (SHARE + GAP) / height
    plain: Dict = {
        "showgrid": False, "zeroline": False, "fixedrange": True, "automargin": True,
        "tickfont": {"size": 12, "color": ink.foreground},
    }  # fmt: skip
    title: Dict = {"font": {"size": 13, "color": ink.foreground}}
    return theme.figure(
        traces, "<br>".join(_said(text, layer, unit, first, last)), "", "", dark, height=HEADING + height + FOOT,
        xaxis=along.axis(text, window, begin + 1, ink) | {"anchor": "y"},
        yaxis=plain
        | {"domain": [0, SHARE / height], "range": [0, 1.03], "tickvals": [0, HALF, 1], "tickformat": ".0%"}
        | {"title": title | {"text": f"{state} left"}},
        yaxis2=plain
        | {"domain": [upper, 1], "range": [low - room, high + room], "nticks": 4}
        | {"title": title | {"text": " and ".join(name for name, *_ in lines)}, "anchor": "x"},
        annotations=_ends(lines, window, high - low, ink),
        shapes=[
            {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "yref": yref, "y0": y, "y1": y, "layer": "below",
             "line": {"color": ink.grid, "width": 1}}
            for yref, y in (("y2", 0), ("y", HALF), ("y", 0), ("y", 1))
        ]
        + [along.mark(t + 1, ink, dash) for t, dash in ((first, "dot"), (last, "dot")) if begin <= t < end]
        + ([along.mark(at + 1, ink)] if begin <= at < end else []),
        margin={"t": HEADING, "b": FOOT, "r": 26}, showlegend=False, dragmode=False, hovermode="closest",
    )  # fmt: skip


def highway_alt(text: str, layer: LayerTrace, unit: int, first: int, last: int, at: int, window: Window) -> str:
    """The figure in words."""
    here = ", ".join(f"{name} is {along.signed(float(values[at]))}" for name, values, _, _ in _states(layer, unit))
    shown = f"Drawn are characters {window[0] + 1:,} to {window[1]:,}"
    said = f"{theme.spoken(_said(text, layer, unit, first, last))}. {lasting_units(layer, first, last)}"
    return f"{said} After {along.name(text, at)} {here}. {shown}."


def _state(layer: LayerTrace) -> str:
    return "h" if layer.c is None else "c"


def _colour(state: str) -> str:
    return theme.CELL_STATE if state == "c" else theme.HIDDEN


def _left(layer: LayerTrace, first: int, last: int) -> NDArray[np.float64]:
    gate = keeping_gate(layer.gates)
    if gate is None:
        raise InputError(
            "A vanilla RNN computes its whole state anew at every step, so there is no way for it to pass through "
            "unchanged. Choose an LSTM or a GRU."
        )
    return surviving(layer.gates[gate], first, last, layer.reverse)


def _states(layer: LayerTrace, unit: int) -> list[tuple[str, NDArray[np.float32], str, str]]:
    """Name, values over the text, colour and dash of each line."""
    if layer.c is None:
        return [
            ("n", layer.gates["n"][:, unit], theme.HIDDEN, "dot"),
            ("h", layer.h[:, unit], theme.HIDDEN, "solid"),
        ]
    return [("c", layer.c[:, unit], theme.CELL_STATE, "solid"), ("h", layer.h[:, unit], theme.HIDDEN, "dash")]


def _ends(
    lines: list[tuple[str, NDArray[np.float32], str, str]], window: Window, span: float, ink: theme.Ink
) -> list[Dict]:
    """The names at the lines' ends, apart where the lines end together."""
    places = [float(values[window[1] - 1]) for _, values, _, _ in lines]
    if len(places) == 2 and abs(places[0] - places[1]) < 0.14 * span:
        middle, upper = sum(places) / 2, int(places[1] > places[0])
        places = [middle + 0.07 * span * (1 if i == upper else -1) for i in range(2)]
    return [
        {
            "text": f"<b>{name}</b>", "showarrow": False, "xref": "paper", "x": 1, "xanchor": "left", "xshift": 4,
            "yref": "y2", "y": place, "yanchor": "middle",
            "font": {"size": 14, "color": ink.cell_state if name == "c" else ink.hidden},
        }
        for (name, *_), place in zip(lines, places, strict=True)
    ]  # fmt: skip


def _said(text: str, layer: LayerTrace, unit: int, first: int, last: int) -> tuple[str, str]:
    """The title in two lines: what is left of the unit's state."""
    left = _left(layer, first, last)
    come, gone = (last, first) if layer.reverse else (first, last)
    return (
        f"Of unit {unit + 1}'s {_state(layer)} after {along.name(text, come)}",
        f"{_percent(float(left[gone - first][unit]))} is left at {along.name(text, gone)}",
    )


def lasting_units(layer: LayerTrace, first: int, last: int) -> str:
    """Of how many units more than half is left on the way between two characters, in a sentence."""
    share = _left(layer, first, last)[0 if layer.reverse else last - first]
    return f"Over half is left in {(share > HALF).sum()} of {len(share)} units."


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.01 or share == 0 else "less than 1%"

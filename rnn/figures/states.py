"""All units over a text as a heat map, with the depth of brackets under it."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from rnn.brackets import depths, share
from rnn.figures import along, theme
from rnn.figures.along import Dict, Window
from rnn.ordering import alike, correlations

MOST_COLUMNS = 2_000  # more than a screen has
EXACT = 120_000  # cells; of more than these the picture holds whole percents, a quarter of the bytes
MOST_CELLS = 450_000  # so that the figure stays under a megabyte
HEADING, FOOT, BAR = 62, 52, 40  # pixels: the title, the axis of the characters, the scale
MAP = 0.9  # of the width; the rest has the bars of how much units vary
LOW, HIGH, ROW = 200, 400, 22  # of the map, and of a row where they are few
DEPTH = 74  # of the depth of brackets, with the gap above it
FEW_ROWS = 16  # so few are all numbered
MANY_BRACKETS = 0.25  # share of a text that is about brackets


def columns(units: int) -> int:
    """How many characters of so many units are drawn at a time."""
    return max(1, min(MOST_COLUMNS, MOST_CELLS // max(1, units)))


def state_map(
    text: str, states: NDArray[np.float32], order: NDArray[np.int64], title: str, unit: int, at: int, window: Window,
    ordered: str = "index", dark: bool = False,
) -> go.Figure:  # fmt: skip
    """The value of every unit after every character: its own colour where positive, grey where negative.

    Beside each row a bar says how much the unit varies; clicked, it chooses the unit: `customdata`, from 0.

    Args:
        text: T characters.
        states: (T, H), finite.
        order: the units in the order of their rows, the topmost first.
        title: which states they are: "h", "c of layer 2".
        unit: the one that is looked at, from 0.
        at: the character that is looked at, from 0.
        window: the characters that are drawn, at most `columns(H)`.
        ordered: how the rows are ordered: "index", "cluster" or "variance".
        dark: whether it stands on a dark background.
    """
    ink = theme.ink(dark)
    begin, end = window
    shown = states[begin:end].T[order]  # (H, characters)
    labels, rows = along.names(text, window), [f"unit {u + 1}" for u in order]
    deep = depths(text)
    has_depth = bool(deep.any())
    height = int(np.clip(ROW * len(order), LOW, HIGH))
    under = DEPTH if has_depth else 0
    # A share of the plot for the depth, which stands under the map.
    foot = under / (height + under)
    layers: Dict = {
        "yaxis": _rows(order, unit, ordered, ink) | {"domain": [foot, 1]},
        "xaxis": along.axis(text, window, 0, ink)
        | {"type": "category", "anchor": "y2" if has_depth else "y", "domain": [0, MAP]},
    }
    spreads, layers["xaxis2"], note = _spreads(states, order, rows, ink)
    whole = HEADING + BAR + height + under + FOOT
    traces = [_heat(shown, title, labels, rows, 1 - (HEADING + BAR / 2 - 4) / whole, dark), *spreads]
    if has_depth:
        traces.append(_depth(deep[begin:end], labels, ink))
        layers["yaxis2"] = _depth_axis(deep, foot, under, ink)
    marks = [along.mark(at - begin, ink)] if begin <= at < end else []
    return theme.figure(
        traces, "<br>".join(_said(text, states, order, title, unit, at, ordered)), "", "", dark,
        height=whole, margin={"t": HEADING + BAR, "b": FOOT, "r": 12},
        shapes=[*marks, _frame(int(np.flatnonzero(order == unit)[0]), height / len(order), ink)], annotations=[note],
        showlegend=False, dragmode=False, hovermode="closest", clickmode="event+select", bargap=0, barmode="overlay",
        **layers,
    )  # fmt: skip


def state_map_alt(
    text: str, states: NDArray[np.float32], order: NDArray[np.int64], title: str, unit: int, at: int, window: Window,
    ordered: str = "index",
) -> str:  # fmt: skip
    """The map in words."""
    low, high = (along.signed(float(end)) for end in (states.min(), states.max()))
    said = theme.spoken(_said(text, states, order, title, unit, at, ordered))
    return (
        f"{said}. A heat map of {states.shape[1]:,} units over characters {window[0] + 1:,} to {window[1]:,}; "
        f"values go from {low} to {high}."
    )


def _heat(
    shown: NDArray[np.float32], title: str, labels: list[str], rows: list[str], scale_at: float, dark: bool
) -> Dict:
    ink, full = theme.ink(dark), along.full(shown)
    is_exact = shown.size <= EXACT
    percent = np.clip(np.round(shown / np.float32(full) * 100), -100, 100)
    end = full if is_exact else 100
    less, more = (" or less", " or more") if np.abs(shown).max(initial=0) > full else ("", "")
    negative, positive = along.signs(title[0], dark)
    value = "%{z:.2f}" if is_exact else f"%{{z}}% of {full:g}"
    return {
        "type": "heatmap", "z": np.ascontiguousarray(shown if is_exact else percent.astype(np.int8)),
        "x": labels, "y": rows, "zmin": -end, "zmax": end, "zmid": 0,
        "colorscale": [[0, negative], [0.5, ink.background], [1, positive]],
        "colorbar": {
            "orientation": "h", "thickness": 10, "outlinecolor": ink.grid, "outlinewidth": 1,
            "tickvals": [-end, 0, end], "ticktext": [f"−{full:g}{less}", "0", f"{full:g}{more}"],
            "tickfont": {"size": 12, "color": ink.foreground}, "ticks": "", "lenmode": "pixels", "len": 190, "x": 0,
            "xanchor": "left", "yref": "container", "y": scale_at, "yanchor": "middle", "xpad": 36, "ypad": 0,
        },
        "xgap": 1 if shown.shape[1] <= along.FEW else 0, "ygap": 1 if len(rows) <= along.FEW else 0,
        "hovertemplate": f"%{{y}} after %{{x}}<br>{title} = {value}<extra></extra>",
    }  # fmt: skip


def _spreads(
    states: NDArray[np.float32], order: NDArray[np.int64], rows: list[str], ink: theme.Ink
) -> tuple[list[Dict], Dict, Dict]:
    """How much each unit varies, and over all the width what is clicked; with their axis and its name."""
    spread = states.astype(np.float64).std(axis=0)[order]
    most = along.rounded_up(float(spread.max()))
    bars: Dict = {"type": "bar", "orientation": "h", "y": rows, "xaxis": "x2", "width": 1}
    unseen = {"marker": {"opacity": 0}}
    axis = {"domain": [MAP + 0.012, 1], "range": [0, most], "anchor": "y", "visible": False, "fixedrange": True}
    note = {
        "text": f"varies by<br>0 to ±{most:g}", "showarrow": False, "xref": "paper", "x": 1, "xanchor": "right",
        "yref": "paper", "y": 1, "yanchor": "bottom", "align": "right", "font": {"size": 12, "color": ink.foreground},
    }  # fmt: skip
    return [
        bars | {
            "x": spread.astype(np.float32), "marker": {"color": ink.muted, "line": {"width": 0}}, "hoverinfo": "skip",
        },
        bars | unseen | {
            "x": [most] * len(rows), "customdata": order.tolist(), "selected": unseen, "unselected": unseen,
            "text": [f"±{value:.2f}" for value in spread], "textposition": "none",
            "hovertemplate": "%{y} varies by %{text}<br>click to look at it<extra></extra>",
        },
    ], axis, note  # fmt: skip


def _rows(order: NDArray[np.int64], unit: int, ordered: str, ink: theme.Ink) -> Dict:
    """The topmost first. Units have numbers where there is room; the one that is looked at has always."""
    H, place = len(order), int(np.flatnonzero(order == unit)[0])
    if H <= FEW_ROWS:
        ticks = list(range(H))
    elif ordered == "index":
        step = 50 if H > 150 else 10
        ticks = [place, *[t for t in (0, *range(step - 1, H, step)) if abs(t - place) > H / FEW_ROWS]]
    else:
        ticks = [place]
    return {
        "type": "category", "range": [H - 0.5, -0.5], "tickmode": "array", "tickvals": ticks,
        "ticktext": [f"<b>{order[t] + 1}</b>" if t == place else f"{order[t] + 1}" for t in ticks], "showgrid": False,
        "zeroline": False, "fixedrange": True, "tickfont": {"size": 12, "color": ink.foreground},
        "title": {"text": "unit", "standoff": 4, "font": {"size": 14, "color": ink.foreground}},
    }  # fmt: skip


def _depth(deep: NDArray[np.int16], labels: list[str], ink: theme.Ink) -> Dict:
    return {
        "type": "scatter", "mode": "lines", "x": labels, "y": deep, "yaxis": "y2", "fill": "tozeroy",
        "line": {"color": ink.foreground, "width": 1.5, "shape": "hvh"},
        "fillcolor": theme.shade(ink.muted, 0.35), "hovertemplate": "%{y} brackets open after %{x}<extra></extra>",
    }  # fmt: skip


def _depth_axis(deep: NDArray[np.int16], foot: float, under: int, ink: theme.Ink) -> Dict:
    most = int(deep.max())
    return {
        "domain": [0, foot * (1 - 14 / under)], "range": [0, most * 1.08], "tickvals": [0, most], "showgrid": False,
        "zeroline": False, "fixedrange": True, "anchor": "x",
        "title": {"text": "brackets<br>open", "font": {"size": 12, "color": ink.foreground}}, "automargin": True,
        "tickfont": {"size": 12, "color": ink.foreground},
    }  # fmt: skip


def _frame(row: int, height: float, ink: theme.Ink) -> Dict:
    """Around a row of this height in pixels; never so narrow that it would hide the row itself."""
    reach = max(height / 2, 4.5)
    return {
        "type": "rect", "xref": "x domain", "x0": 0, "x1": 1, "ysizemode": "pixel", "yanchor": row, "y0": -reach,
        "y1": reach, "line": {"color": ink.foreground, "width": 1.5},
    }  # fmt: skip


def _said(
    text: str, states: NDArray[np.float32], order: NDArray[np.int64], title: str, unit: int, at: int, ordered: str
) -> tuple[str, str]:
    """The title in two lines: the value that is looked at, and what all of them do."""
    value = along.signed(float(states[at, unit]))
    return f"Unit {unit + 1}: {title} is {value} after {along.name(text, at)};", _found(text, states, order, ordered)


def _found(text: str, states: NDArray[np.float32], order: NDArray[np.int64], ordered: str) -> str:
    H = states.shape[1]
    if share(text) >= MANY_BRACKETS and depths(text).std() > 0:
        with_depth = correlations(np.column_stack([depths(text), states]))[0, 1:]
        best = int(np.abs(with_depth).argmax())
        return f"unit {best + 1} follows bracket depth best (r = {along.signed(float(with_depth[best]))})"
    if ordered == "cluster" and H > 1 and len(text) > 1:
        matrix = correlations(states)
        sorted_r, plain_r = (along.signed(alike(matrix, rows)) for rows in (order, np.arange(H)))
        return f"neighbouring rows: mean r = {sorted_r}, unsorted {plain_r}"
    if ordered == "variance" and H > 1:
        spread = states.astype(np.float64).std(axis=0)
        return f"unit {order[0] + 1} varies most (±{spread[order[0]]:.2f}), unit {order[-1] + 1} least"
    half = float(np.median(np.abs(states)))
    return f"half of all values are beyond ±{half:.2f}"

"""Units and what they follow: the best unit of every feature against chance, and a unit beside a feature."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from rnn.figures import theme
from rnn.figures.characters import shielded, visible
from rnn.figures.weights import NEGATIVE

if TYPE_CHECKING:
    from rnn.units import Correlations, Unit

SHOWN = 200  # characters of a line: more are a blur on a screen
LETTERED = 40  # characters that have room for their letters on a phone
COLUMNS = 10  # units of the table: a phone has room for their numbers
ROW, BAR = 46, 12  # pixels of a feature's words and bar, and of the bar alone
TITLE, AXIS = 62, 52  # pixels of a title in two lines, and of an axis with its name
CELL = 30  # pixels of a row of the table
STRIP, UNIT_ROW = 110, 20  # pixels of the feature's line above the units, and of a unit's row
AROUND = 12  # characters on both sides of the one that the pointer is on
COLOURS = {"h": theme.HIDDEN, "c": theme.CELL_STATE}
LETTERS = {"family": "Source Code Pro, Menlo, Consolas, monospace", "size": 13}

Dict = dict[str, Any]


# Names ------------------------------------------------------------------------------------------------------------


def unit_title(unit: Unit, among: Sequence[Unit]) -> str:
    """A unit in words, counted from 1, with its vector, layer and direction where there are several."""
    said = f"unit {unit.number + 1}"
    if any(other.vector != "h" for other in among):
        said += f" of {unit.vector}"
    if any(other.layer for other in among):
        said += f", layer {unit.layer + 1}"
    if any(other.reverse for other in among):
        said += f", read from the {'end' if unit.reverse else 'beginning'}"
    return said


def unit_label(unit: Unit, among: Sequence[Unit]) -> str:
    """The same as short as the column of a table."""
    vector = unit.vector if any(other.vector != "h" for other in among) else ""
    layer = f"L{unit.layer + 1}" if any(other.layer for other in among) else ""
    arrow = ("←" if unit.reverse else "→") if any(other.reverse for other in among) else ""
    return " ".join(part for part in (layer + arrow, f"{vector}{unit.number + 1}") if part)


def number(r: float) -> str:
    """Two digits and a true minus; what rounds to 0 has no sign."""
    return f"{r:.2f}".replace("-0.00", "0.00").replace("-", "−")


# The best unit of every feature ------------------------------------------------------------------------------------


def best_units(found: Correlations, dark: bool = False) -> go.Figure:
    """A row for every feature: its best unit in words, |r| as a bar, and a mark where chance alone would take it.

    Args:
        found: how units and features go together; at least one feature varies.
        dark: whether it stands on a dark background.
    """
    ink, names = theme.ink(dark), ranked_features(found)
    places = list(range(len(names)))[::-1]  # the first on top
    bars, words, marks = _empty("bar"), _empty("scatter"), []
    for name, place in zip(names, places, strict=True):
        unit, r = found.best(name)
        is_above, chance = found.is_above_chance(name), _chance(found, name)
        bars["x"].append(round(abs(r), 4))
        bars["y"].append(place - 0.24)
        bars["marker"]["color"].append(theme.shade(COLOURS[unit.vector], 1.0 if is_above else 0.3))
        verdict = "" if is_above else " · not above chance"
        words["x"].append(0)
        words["y"].append(place + 0.16)
        words["text"].append(f"<b>{name}</b> · {unit_title(unit, found.units)}, r = {number(r)}{verdict}")
        said = f"{name}: {unit_title(unit, found.units)}<br>r = {number(r)}, chance up to {number(chance)}"
        bars["customdata"].append(said)
        marks.append({
            "type": "line", "x0": chance, "x1": chance, "y0": place - 0.46, "y1": place - 0.02,
            "line": {"color": ink.foreground, "width": 2},
        })  # fmt: skip
    bars |= {"orientation": "h", "width": BAR / ROW, "hovertemplate": "%{customdata}<extra></extra>"}
    words |= {
        "mode": "text", "textposition": "middle right", "hoverinfo": "skip", "cliponaxis": False,
        "textfont": {"size": 14, "color": ink.foreground},
    }  # fmt: skip
    return theme.figure(
        [bars, words], "<br>".join(_best_title(found)), "|r| of the best unit; the black mark is chance"
        if not dark else "|r| of the best unit; the white mark is chance",
        "", dark, height=TITLE + ROW * len(names) + AXIS, shapes=marks, showlegend=False, dragmode=False,
        margin={"t": TITLE, "b": AXIS, "r": 12},
        xaxis={"range": [0, 1.005], "dtick": 0.2, "fixedrange": True, "zeroline": False},
        yaxis={"range": [-0.55, len(names) - 0.45], "visible": False, "fixedrange": True},
    )  # fmt: skip


def best_units_alt(found: Correlations) -> str:
    """The figure in words."""
    rows = [
        f"{name}: {unit_title(unit, found.units)}, r {number(r)}, chance {number(_chance(found, name))}"
        for name in ranked_features(found)
        for unit, r in found.ranked(name, 1)
    ]
    return f"{'. '.join(_best_title(found))}. {'; '.join(rows)}."


def ranked_features(found: Correlations) -> list[str]:
    """Those above chance first, and the larger |r| first."""
    return sorted(found.features, key=lambda name: (not found.is_above_chance(name), -abs(found.best(name)[1])))


def _best_title(found: Correlations) -> tuple[str, str]:
    first = ranked_features(found)[0]
    unit, r = found.best(first)
    above, every = sum(map(found.is_above_chance, found.features)), len(found.features)
    count = f"{above} of {every} feature{'s' * (every > 1)} above chance, in {found.length:,} characters"
    if not above:
        return "No unit follows a feature further than chance would", count
    return f"{unit_title(unit, found.units).capitalize()} follows the {first}: r = {number(r)}", count


def _chance(found: Correlations, feature: str) -> float:
    return float(found.chance[found.features.index(feature)])


def _empty(kind: str) -> Dict:
    return {"type": kind, "x": [], "y": [], "text": [], "customdata": [], "marker": {"color": []}} | (
        {"text": None} if kind == "bar" else {}
    )


# Features by units ------------------------------------------------------------------------------------------------


def unit_table(found: Correlations, dark: bool = False) -> go.Figure:
    """r of the units that are best at something, with every feature: own colour where positive, grey where negative.

    Args:
        found: how units and features go together; at least one feature varies.
        dark: whether it stands on a dark background.
    """
    ink, names, columns = theme.ink(dark), ranked_features(found), _columns(found)
    rows = [found.features.index(name) for name in names]
    r = found.r[np.ix_(rows, columns)]
    above = np.abs(r) > found.chance[rows][:, None]
    heat = {
        "type": "heatmap", "z": r.astype(np.float32), "zmin": -1, "zmax": 1, "xgap": 2, "ygap": 2, "showscale": False,
        "colorscale": [[0, NEGATIVE[dark]], [0.5, ink.background], [1, theme.HIDDEN]],
        "x": list(range(len(columns))), "y": list(range(len(names))),
        "customdata": [
            [f"{name}, {unit_title(found.units[n], found.units)}<br>r = {number(r[i, j])}, "
             f"{'above' if above[i, j] else 'not above'} chance ({number(_chance(found, name))})"
             for j, n in enumerate(columns)] for i, name in enumerate(names)
        ],
        "hovertemplate": "%{customdata}<extra></extra>",
    }  # fmt: skip
    cells = [(i, j) for i in range(len(names)) for j in range(len(columns)) if above[i, j]]
    colours = [_on(r[i, j], ink, dark) for i, j in cells]
    written = {
        "type": "scatter", "mode": "text", "x": [j for _, j in cells], "y": [i for i, _ in cells],
        "text": [number(r[i, j]).replace("0.", ".") for i, j in cells], "hoverinfo": "skip",
        "textfont": {"size": 11, "color": colours},
    }  # fmt: skip
    labels = [unit_label(found.units[n], found.units) for n in columns]
    plain: Dict = {"showgrid": False, "zeroline": False, "ticks": "", "fixedrange": True}
    return theme.figure(
        [heat, written], "<br>".join(_table_title(found)), "unit", "", dark,
        height=TITLE + CELL * len(names) + AXIS + 8, margin={"t": TITLE, "b": AXIS}, dragmode=False, showlegend=False,
        xaxis=plain | {"tickvals": list(range(len(columns))), "ticktext": labels, "range": [-0.5, len(columns) - 0.5]},
        yaxis=plain | {"tickvals": list(range(len(names))), "ticktext": names, "range": [len(names) - 0.5, -0.5]},
    )  # fmt: skip


def unit_table_alt(found: Correlations) -> str:
    """The figure in words."""
    columns = _columns(found)
    rows = []
    for name in ranked_features(found):
        row, least = found.r[found.features.index(name)], _chance(found, name)
        above = [f"{unit_label(found.units[n], found.units)} {number(row[n])}" for n in columns if abs(row[n]) > least]
        rows.append(f"{name}: {', '.join(above) or 'none'}")
    return f"{'. '.join(_table_title(found))}. Units above chance: {'; '.join(rows)}."


def _columns(found: Correlations) -> list[int]:
    """The best unit of every feature, then the second best, as long as there is room."""
    ranked = {name: np.argsort(-np.abs(found.r[found.features.index(name)]), kind="stable") for name in found.features}
    deep = range(min(3, len(found.units)))
    order = dict.fromkeys(int(ranked[name][place]) for place in deep for name in ranked_features(found))
    return list(order)[:COLUMNS]


def _table_title(found: Correlations) -> tuple[str, str]:
    columns = _columns(found)
    above = (np.abs(found.r[:, columns]) > found.chance[:, None]).sum(axis=0)
    several, every = int((above > 1).sum()), len(columns)
    counted = "unit shown follows" if every == 1 else "units shown follow"
    return f"{several} of {every} {counted} more than one feature", "r with each feature; a number where above chance"


def _on(r: float, ink: theme.Ink, dark: bool) -> str:
    return theme.text_on(theme.HIDDEN if r > 0 else NEGATIVE[dark], min(1.0, abs(r)), ink.background)


# A unit beside a feature ------------------------------------------------------------------------------------------


def unit_beside(
    states: NDArray[Any], values: NDArray[Any], text: str, begin: int, unit: str, vector: str, feature: str, r: float,
    dark: bool = False,
) -> go.Figure:  # fmt: skip
    """A unit's state and a feature over the same characters; the feature's axis is turned over where r is negative.

    Args:
        states: of the unit after each character of `text`, (T,).
        values: of the feature there, (T,).
        text: all that was read; `SHOWN` characters of it from `begin` on are drawn.
        begin: from 0.
        unit: its name.
        vector: "h" or "c".
        feature: its name.
        r: of the whole text.
        dark: whether it stands on a dark background.
    """
    ink, end = theme.ink(dark), min(len(text), begin + SHOWN)
    x = list(range(begin + 1, end + 1))
    around = [_around(text, t) for t in range(begin, end)]
    area = {
        "type": "scatter", "mode": "lines", "x": x, "y": np.asarray(values[begin:end], np.float32), "yaxis": "y2",
        "line": {"color": ink.muted, "width": 2, "shape": "hvh"}, "hoverinfo": "skip", "name": feature,
    }  # fmt: skip
    line = {
        "type": "scatter", "mode": "lines", "x": x, "y": np.asarray(states[begin:end], np.float32), "name": unit,
        "line": {"color": COLOURS[vector], "width": 2.5},
        "customdata": [[a, f"{v:g}"] for a, v in zip(around, values[begin:end], strict=True)],
        "hovertemplate": f"%{{customdata[0]}}<br>{unit}: %{{y:.2f}}<br>{feature}: %{{customdata[1]}}<extra></extra>",
    }  # fmt: skip
    side: Dict = {
        "title": {"text": f"{feature}{', downward' if r < 0 else ''}", "font": {"size": 14, "color": ink.foreground}},
        "side": "right", "overlaying": "y", "showgrid": False, "zeroline": False, "automargin": True,
        "tickfont": {"size": 13, "color": ink.foreground}, "fixedrange": True, "nticks": 6,
        "tickmode": "auto",  # else its ticks stand beside the other axis' ones, wherever these fall
        "autorange": "reversed" if r < 0 else True,
    }  # fmt: skip
    few = end - begin <= LETTERED
    ticks: Dict = {"tickvals": x, "ticktext": [shielded(visible(c)) for c in text[begin:end]], "tickangle": 0}
    return theme.figure(
        [area, line], "<br>".join(_beside_title(states, values, begin, end, unit, feature, r)),
        "character" + ("" if few else " of the text, from 1"), f"state of the unit, {vector}", dark, height=330,
        yaxis2=side, margin={"t": TITLE + 24, "b": AXIS}, hovermode="x", dragmode=False,
        xaxis={"fixedrange": True, "showgrid": False, "zeroline": False, "range": [x[0] - 0.5, x[-1] + 0.5]}
        | (ticks if few else {}),
        yaxis={"fixedrange": True, "nticks": 6},
    )  # fmt: skip


def unit_beside_alt(
    states: NDArray[Any], values: NDArray[Any], text: str, begin: int, unit: str, feature: str, r: float
) -> str:
    """The figure in words."""
    end = min(len(text), begin + SHOWN)
    shown, beside = states[begin:end], values[begin:end]
    return (
        f"{theme.spoken(_beside_title(states, values, begin, end, unit, feature, r))}. The unit goes from "
        f"{number(float(shown.min()))} to {number(float(shown.max()))}, the {feature} from {beside.min():g} to "
        f"{beside.max():g}."
    )


def _beside_title(
    states: NDArray[Any], values: NDArray[Any], begin: int, end: int, unit: str, feature: str, r: float
) -> tuple[str, str]:
    shown, beside = np.asarray(states[begin:end], np.float64), np.asarray(values[begin:end], np.float64)
    moves = np.ptp(shown) > 0 and np.ptp(beside) > 0
    here = number(float(np.corrcoef(shown, beside)[0, 1])) if moves else "not defined"
    place = f"characters {begin + 1:,} to {end:,}"
    return f"{unit.capitalize()} and {feature}: r = {number(r)}", f"In {place} r is {here}"


def _around(text: str, t: int) -> str:
    left, right = text[max(0, t - AROUND) : t], text[t + 1 : t + 1 + AROUND]
    spelled = [shielded("".join(map(visible, part))) for part in (left, text[t], right)]
    return f"{spelled[0]}<b>{spelled[1]}</b>{spelled[2]}"


# All units over the characters -------------------------------------------------------------------------------------


def units_and_depth(
    states: NDArray[Any], depth: NDArray[Any], r: NDArray[Any], text: str, begin: int, vector: str, dark: bool = False
) -> go.Figure:
    """Every unit over the characters, those that follow the depth best on top, and above them the depth itself.

    Args:
        states: of one layer after each character, (T, H).
        depth: brackets that are open there, (T,).
        r: the correlation of each unit with the depth over the whole text, (H,).
        text: all that was read; `LETTERED` characters of it from `begin` on are drawn.
        begin: from 0.
        vector: "h" or "c".
        dark: whether it stands on a dark background.
    """
    ink, end, H = theme.ink(dark), min(len(text), begin + LETTERED), states.shape[1]
    order, shown = _by_size(r), states[begin:end]
    x = list(range(begin + 1, end + 1))
    full = float(np.abs(shown).max(initial=0.0)) or 1.0
    below = UNIT_ROW * H
    heat = {
        "type": "heatmap", "x": x, "y": list(range(H)), "z": shown[:, order].T.astype(np.float32), "zmin": -full,
        "zmax": full, "xgap": 1, "ygap": 1, "showscale": False,
        "colorscale": [[0, NEGATIVE[dark]], [0.5, ink.background], [1, COLOURS[vector]]],
        "customdata": [[f"unit {n + 1}, r = {number(r[n])}"] * len(x) for n in order],
        "hovertemplate": "%{customdata}<br>character %{x}: %{z:.2f}<extra></extra>",
    }  # fmt: skip
    line = {
        "type": "scatter", "mode": "lines", "x": x, "y": np.asarray(depth[begin:end], np.float32), "yaxis": "y2",
        "line": {"color": ink.foreground, "width": 2, "shape": "hvh"},
        "hovertemplate": "character %{x}: depth %{y}<extra></extra>",
    }  # fmt: skip
    share = STRIP / (below + STRIP)
    plain: Dict = {"showgrid": False, "zeroline": False, "ticks": "", "fixedrange": True}
    beside: Dict = {
        "domain": [1 - 0.86 * share, 1], "title": {"text": "depth", "font": {"size": 14, "color": ink.foreground}},
        "tickfont": {"size": 13, "color": ink.foreground}, "gridcolor": ink.grid, "zeroline": False, "nticks": 4,
        "fixedrange": True, "automargin": True, "rangemode": "tozero",
    }  # fmt: skip
    return theme.figure(
        [heat, line], "<br>".join(_depth_title(r, full, vector)), "character", "unit, the best on top", dark,
        height=TITLE + STRIP + below + AXIS, margin={"t": TITLE, "b": AXIS}, showlegend=False, dragmode=False,
        xaxis=plain | {
            "tickvals": x, "ticktext": [shielded(visible(c)) for c in text[begin:end]], "tickangle": 0,
            "range": [x[0] - 0.5, x[-1] + 0.5], "tickfont": LETTERS | {"color": ink.foreground},
        },
        yaxis=plain | {
            "domain": [0, 1 - share], "tickvals": list(range(H)), "ticktext": [str(n + 1) for n in order],
            "range": [H - 0.5, -0.5], "tickfont": {"size": 12, "color": ink.foreground},
        },
        yaxis2=beside,
    )  # fmt: skip


def units_and_depth_alt(states: NDArray[Any], r: NDArray[Any], vector: str) -> str:
    """The figure in words."""
    rows = ", ".join(f"unit {n + 1} {number(r[n])}" for n in _by_size(r)[:5])
    full = float(np.abs(states).max(initial=0.0))
    return f"{theme.spoken(_depth_title(r, full, vector))}. r with the depth, the best first: {rows}."


def _by_size(r: NDArray[Any]) -> list[int]:
    order: list[int] = np.argsort(-np.abs(r), kind="stable").tolist()
    return order


def _depth_title(r: NDArray[Any], full: float, vector: str) -> tuple[str, str]:
    best = _by_size(r)[0]
    kept = f"{vector} from {number(-full)}, grey, to {number(full)}, in colour"
    return f"Unit {best + 1} rises and falls with the depth: r = {number(r[best])}" if r[best] > 0 else (
        f"Unit {best + 1} falls as the depth rises: r = {number(r[best])}"
    ), kept

"""A figure to take away: its numbers as a table for a spreadsheet, and itself as a page for a browser."""

from __future__ import annotations

import csv
import io
import re
from base64 import b64decode
from collections.abc import Iterator
from html import escape, unescape
from typing import Any

import numpy as np
import plotly.graph_objects as go

from rnn.tables import guarded

Row = dict[str, Any]  # name of a column -> what stands in it; a column that is missing is empty

TRACE, PANEL, TEXT, HOVER, NOTE = "trace", "panel", "text", "hover text", "note"
LAST = ("value", "base", "width", "error", "colour", TEXT, HOVER)  # the order of the columns after the axes
DETAIL = re.compile(r"detail (\d+)")  # columns of what a click or the pointer finds
BOM = "\ufeff"  # without it Excel takes UTF-8 for something else


def to_csv(figure: go.Figure) -> str:
    """Every number and word of a figure, for a spreadsheet: a header, then a row for each point, cell or note.

    The columns are called as the axes are. A heat map is a row per cell. The first character, U+FEFF, tells
    spreadsheets that the file is UTF-8; a text that they would take for a formula has an apostrophe before it.
    """
    rows = table(figure)
    known = dict.fromkeys(name for row in rows for name in row)
    axes = [name for name in known if name not in (TRACE, PANEL, *LAST) and not DETAIL.fullmatch(name)]
    details = sorted(filter(DETAIL.fullmatch, known), key=lambda name: int(name.split()[1]))
    columns = [name for name in (TRACE, PANEL, *axes, *LAST, *details) if name in known]
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow(map(_cell, columns))
    writer.writerows([_cell(row.get(name)) for name in columns] for row in rows)
    return BOM + written.getvalue()


def table(figure: go.Figure) -> list[Row]:
    """The same as dictionaries: what its traces hold, one after another, and then what else is written in it.

    Raises:
        ValueError: it has a trace that is neither scatter, bar nor heatmap.
    """
    spec = figure.to_dict()
    data, layout = spec["data"], spec["layout"]
    panels = list(dict.fromkeys((trace.get("xaxis", "x"), trace.get("yaxis", "y")) for trace in data))
    rows: list[Row] = []
    for number, trace in enumerate(data, 1):
        axes = trace.get("xaxis", "x"), trace.get("yaxis", "y")
        begin: Row = {TRACE: plain(trace.get("name") or "") or f"{number}"}
        if len(panels) > 1:
            begin[PANEL] = panels.index(axes) + 1
        kind = trace.get("type", "scatter")
        if kind not in ("scatter", "bar", "heatmap"):
            raise ValueError(f"There is no table for a trace of the kind {kind!r}.")
        found = _cells(trace) if kind == "heatmap" else _points(trace)
        rows += [begin | _named(values, axes, layout) for values in found]
    for note in layout.get("annotations", []):
        if note.get("text"):
            axes = note.get("xref", "x"), note.get("yref", "y")
            place = {axis[0]: note.get(axis[0]) for axis in axes if not axis.startswith("paper")}
            rows.append({TRACE: NOTE} | _named(place, axes, layout) | {TEXT: plain(note["text"])})
    return rows


def to_page(figure: go.Figure, name: str) -> str:
    """An HTML page with the figure alone: it can be zoomed and pointed at as in the app.

    The page gets Plotly's script from its public address, with a checksum: the script is 100 times as large as the
    figure.
    """
    page: str = figure.to_html(include_plotlyjs="cdn", config={"displaylogo": False, "responsive": True})
    colour = figure.to_dict()["layout"].get("paper_bgcolor", "white")
    head = f"<title>{escape(name)}</title><style>body {{ background: {escape(colour)}; }}</style>"
    return page.replace("<html>", '<html lang="en">', 1).replace("</head>", f"{head}\n</head>", 1)


def title(figure: go.Figure) -> str:
    """What the figure says of itself, in one line."""
    return plain(figure.to_dict()["layout"].get("title", {}).get("text") or "")


def plain(text: object) -> str:
    """What a reader sees of a text with Plotly's tags, in one line; an index is written after _, a power after ^."""
    for tag, shown in (("<br>", " "), ("<sub>", "_"), ("<sup>", "^")):
        text = str(text).replace(tag, shown)
    return " ".join(unescape(re.sub(r"</?[a-z][^<>]*>", "", str(text))).split())


def _points(trace: dict[str, Any]) -> Iterator[Row]:
    """The points of a line, of markers or of bars; an empty one, where the line is broken, is left out."""
    arrays = {name: _array(trace.get(name)) for name in ("x", "y", "base", "width", "text", "hovertext", "customdata")}
    arrays["error"] = _array(trace.get("error_y", {}).get("array"))
    colours = _array(trace.get("marker", {}).get("color"))
    arrays["colour"] = colours if colours.dtype.kind in "biuf" else _NONE
    names = {"hovertext": HOVER} | {name: name for name in arrays if name not in ("hovertext", "customdata")}
    long = max(len(arrays["x"]), len(arrays["y"]))
    for axis in ("x", "y"):
        if not len(arrays[axis]):
            arrays[axis] = trace.get(f"{axis}0", 0) + trace.get(f"d{axis}", 1) * np.arange(long)
    for i in range(long):
        if any(_is_nothing(_at(arrays[axis], i)) for axis in ("x", "y")):
            continue
        values = {column: _at(arrays[name], i) for name, column in names.items() if len(arrays[name])}
        for once in ("base", "width", "text"):  # given once, it holds for all of them
            if once not in values and isinstance(trace.get(once), str | int | float):
                values[once] = trace[once]
        yield values | _details(_at(arrays["customdata"], i))


def _cells(trace: dict[str, Any]) -> Iterator[Row]:
    """The cells of a heat map, row by row."""
    z = _array(trace["z"])
    text, hover, custom = (_array(trace.get(name)) for name in ("text", "hovertext", "customdata"))
    places = {}
    for axis, count in (("y", len(z)), ("x", len(z[0]) if len(z) else 0)):
        given = _array(trace.get(axis))
        counted = trace.get(f"{axis}0", 0) + trace.get(f"d{axis}", 1) * np.arange(count)
        places[axis] = given if len(given) else counted
    for i, row in enumerate(z):
        for j, value in enumerate(row):
            found = {"x": _at(places["x"], j), "y": _at(places["y"], i), "value": value}
            found |= {name: _at(_at(of, i), j) for name, of in ((TEXT, text), (HOVER, hover)) if len(of)}
            yield found | _details(_at(_at(custom, i), j))


def _details(values: Any) -> Row:
    """What the pointer finds beside place and text, one column each."""
    if _is_nothing(values):
        return {}
    listed = values if isinstance(values, list | tuple | np.ndarray) else [values]
    return {f"detail {i}": value for i, value in enumerate(listed, 1)}


def _named(values: Row, axes: tuple[str, str], layout: dict[str, Any]) -> Row:
    """With the axes' own names, and what is written at a place that has a label."""
    named: Row = {}
    for name, value in values.items():
        if name not in ("x", "y"):
            named[name] = plain(value) if isinstance(value, str) else value
            continue
        axis = layout.get(_layout_name(axes[name == "y"]), {})
        column = _title_of(axis) or name
        named[column] = value
        labels = dict(zip(_array(axis.get("tickvals")), axis.get("ticktext") or [], strict=False))
        if labels and axis.get("type") != "log":  # there they are the numbers, shorter
            named[f"{column} (label)"] = plain(labels.get(value, ""))
    return named


def _layout_name(axis: str) -> str:
    """`x2` is `xaxis2` in a layout."""
    return f"{axis[0]}axis{axis[1:]}"


def _title_of(axis: dict[str, Any]) -> str:
    given = axis.get("title") or ""
    return plain(given.get("text") or "" if isinstance(given, dict) else given)


_NONE = np.empty(0)


def _array(given: Any) -> Any:
    """A trace's list or array; empty if there is none. Plotly writes numbers as base64."""
    if isinstance(given, dict) and "bdata" in given:
        numbers = np.frombuffer(b64decode(given["bdata"]), given["dtype"])
        shape = [int(n) for n in str(given.get("shape", numbers.size)).split(",")]
        return numbers.reshape(shape)
    if isinstance(given, np.ndarray):
        return given
    if not isinstance(given, list | tuple) or not given:
        return _NONE
    numeric = all(isinstance(value, int | float) and not isinstance(value, bool) for value in given)
    return np.array(given) if numeric else _list(given)


def _list(given: Any) -> Any:
    """Anything, side by side, each as it is."""
    kept = np.empty(len(given), object)
    for i, value in enumerate(given):
        kept[i] = value
    return kept


def _at(values: Any, i: int) -> Any:
    return values[i] if values is not None and not isinstance(values, str) and i < len(values) else None


def _is_nothing(value: Any) -> bool:
    return value is None or (isinstance(value, float | np.floating) and bool(np.isnan(value)))


def _cell(value: Any) -> str:
    """As it stands in the file."""
    if _is_nothing(value):
        return ""
    if not isinstance(value, str):
        return str(value)
    is_number = re.fullmatch(r"[+-]?\d+(\.\d+)?(e[+-]?\d+)?", value)
    return value if is_number else guarded(value)

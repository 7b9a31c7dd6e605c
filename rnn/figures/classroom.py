"""What a server did in the last minutes: characters a second of all runs together, and its memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from rnn.figures import theme
from rnn.records import ServerPoint

HEIGHT = 300
MINUTES = 5
UPPER, LOWER = (0.42, 1.0), (0.0, 0.3)  # the two panels, in shares of the height
MEGABYTE = 1e6


def server_load(points: Sequence[ServerPoint], dark: bool = False) -> go.Figure:
    """Characters a second above, memory below, over the same minutes.

    Args:
        points: the oldest first.
        dark: whether it stands on a dark background.
    """
    ink = theme.ink(dark)
    x = [round(-point.seconds_ago / 60, 3) for point in points]
    speed = [round(point.chars_per_second) for point in points]
    memory = [None if point.memory_bytes is None else round(point.memory_bytes / MEGABYTE, 1) for point in points]
    upper = _line(x, speed, ink.foreground, "%{y:,.0f} characters/s", fill="tozeroy", fillcolor=_behind(ink.foreground))
    lower = _line(x, memory, ink.muted, "%{y:,.0f} MB", yaxis="y2")
    shared = theme.figure([], "", "", "MB", dark).layout.yaxis.to_plotly_json()  # the look of an axis
    return theme.figure(
        [upper, lower], _title(points), "minutes before now", "characters/s", dark, height=HEIGHT, showlegend=False,
        xaxis={"range": [-MINUTES, 0], "anchor": "y2", "fixedrange": True, "zeroline": False},
        yaxis={"domain": list(UPPER), "rangemode": "tozero", "fixedrange": True, "nticks": 5},
        yaxis2={**shared, "domain": list(LOWER), "rangemode": "tozero", "fixedrange": True, "nticks": 3},
        margin={"t": 48}, dragmode=False,
    )  # fmt: skip


def server_load_alt(points: Sequence[ServerPoint]) -> str:
    """The figure in words."""
    if not points:
        return f"{_title(points)}."
    speeds = [point.chars_per_second for point in points]
    said = f"{_title(points)}. In the minutes before: {min(speeds):,.0f} to {max(speeds):,.0f} characters a second"
    memory = [point.memory_bytes / MEGABYTE for point in points if point.memory_bytes is not None]
    return said + (f", {min(memory):,.0f} to {max(memory):,.0f} MB of memory." if memory else ".")


def _title(points: Sequence[ServerPoint]) -> str:
    if not points:
        return "Nothing has been measured yet"
    memory = points[-1].memory_bytes
    return f"{points[-1].chars_per_second:,.0f} characters/s" + (f", {memory / MEGABYTE:,.0f} MB" if memory else "")


def _behind(colour: str) -> str:
    return theme.shade(colour, 0.08)


def _line(x: list[float], y: Sequence[float | None], colour: str, hover: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": "lines", "x": x, "y": list(y), "line": {"color": colour, "width": 2},
        "hovertemplate": f"%{{x:.1f}} min<br>{hover}<extra></extra>", **more,
    }  # fmt: skip

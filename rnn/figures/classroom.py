"""What a server did in the last minutes: characters a second of all runs together, and its memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from rnn.figures import theme
from rnn.records import Overview

HEIGHT = 300
MINUTES = 5
UPPER, LOWER = (0.42, 1.0), (0.0, 0.3)  # the two panels, in shares of the height
MEGABYTE = 1e6


def server_load(seen: Overview, dark: bool = False) -> go.Figure:
    """Characters a second above, memory below, over the same minutes.

    Args:
        seen: the server, with its last minutes.
        dark: whether it stands on a dark background.
    """
    ink, points = theme.ink(dark), seen.points
    x = [round(-point.seconds_ago / 60, 3) for point in points]
    speed = [round(point.chars_per_second) for point in points]
    memory = [None if point.memory_bytes is None else round(point.memory_bytes / MEGABYTE, 1) for point in points]
    behind = {"fill": "tozeroy", "fillcolor": theme.shade(ink.foreground, 0.08)}
    panel = {"rangemode": "tozero", "fixedrange": True}
    plain = {
        "gridcolor": ink.grid, "zerolinecolor": ink.grid, "linecolor": ink.grid, "automargin": True,
        "tickfont": {"size": 13, "color": ink.foreground},
        "title": {"text": "MB", "font": {"size": 14, "color": ink.foreground}},
    }  # fmt: skip
    return theme.figure(
        [
            _line(x, speed, ink.foreground, "%{y:,.0f} characters/s", **behind),
            _line(x, memory, ink.muted, "%{y:,.0f} MB", yaxis="y2"),
        ],
        _title(seen), "minutes before now", "characters/s", dark, height=HEIGHT, showlegend=False, dragmode=False,
        xaxis={"range": [-MINUTES, 0], "anchor": "y2", "fixedrange": True, "zeroline": False},
        yaxis={**panel, "domain": list(UPPER), "nticks": 5},
        yaxis2={**plain, **panel, "domain": list(LOWER), "nticks": 3},
        margin={"t": 48},
    )  # fmt: skip


def server_load_alt(seen: Overview) -> str:
    """The figure in words."""
    speeds = [point.chars_per_second for point in seen.points]
    memory = [point.memory_bytes / MEGABYTE for point in seen.points if point.memory_bytes is not None]
    if not speeds:
        return f"{_title(seen)}. There is nothing of the minutes before yet."
    said = f"{_title(seen)}. In the last {MINUTES} minutes {min(speeds):,.0f} to {max(speeds):,.0f} characters a second"
    return said + (f", {min(memory):,.0f} to {max(memory):,.0f} MB of memory." if memory else ".")


def _title(seen: Overview) -> str:
    memory = f", {seen.memory_bytes / MEGABYTE:,.0f} MB" if seen.memory_bytes else ""
    return f"{seen.chars_per_second:,.0f} characters/s{memory}"


def _line(x: list[float], y: Sequence[float | None], colour: str, hover: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": "lines", "x": x, "y": list(y), "line": {"color": colour, "width": 2},
        "hovertemplate": f"%{{x:.1f}} min<br>{hover}<extra></extra>", **more,
    }  # fmt: skip

"""Which units have their gates fully open or shut, and how often: a point per unit."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from rnn.figures import theme
from rnn.figures.along import Dict
from rnn.figures.gate_tracks import NAMES
from rnn.saturation import Saturation

SIZE = 340  # pixels
HEADING, FOOT = 66, 56
MOSTLY = 0.9  # of the characters


def saturation_scatter(found: Saturation, gate: str, unit: int, dark: bool = False) -> go.Figure:
    """To the right how often a unit's gate is open, upward how often it is shut; `customdata` is the unit, from 0.

    A unit in the lower left corner uses its gate in between; none can be above the diagonal.

    Args:
        found: the shares of characters.
        gate: "i", "f", "o", "r", "z", or "h" of a cell without gates.
        unit: the one that is looked at, from 0.
        dark: whether it stands on a dark background.
    """
    ink, units = theme.ink(dark), np.arange(len(found.left), dtype=np.int32)
    colour = theme.HIDDEN if gate == "h" else ink.muted
    over, under = (f"{end:g}".replace("-", "−") for end in (found.high, found.low))
    points: Dict = {
        "type": "scatter", "mode": "markers", "x": found.right.astype(np.float32), "y": found.left.astype(np.float32),
        "customdata": units.tolist(), "text": [f"unit {u + 1}" for u in units], "cliponaxis": False,
        "marker": {
            "size": 9, "color": theme.shade(colour, 0.45), "line": {"width": 1, "color": theme.shade(colour, 0.9)},
        },
        "selected": {"marker": {"opacity": 1}}, "unselected": {"marker": {"opacity": 1}},
        "hovertemplate": f"%{{text}}<br>over {over}: %{{x:.0%}}, under {under}: %{{y:.0%}}<extra></extra>",
    }  # fmt: skip
    right, left = float(found.right[unit]), float(found.left[unit])
    chosen: Dict = {
        "type": "scatter", "mode": "markers+text", "x": [right], "y": [left], "text": [f"<b>{unit + 1}</b>"],
        "textposition": "top right" if right < 0.85 else "top left", "cliponaxis": False, "hoverinfo": "skip",
        "textfont": {"color": ink.foreground, "size": 13},
        "marker": {"size": 14, "color": "rgba(0,0,0,0)", "line": {"width": 2, "color": ink.foreground}},
    }  # fmt: skip
    axis: Dict = {
        "range": [-0.02, 1.02], "tickvals": [0, 0.5, 1], "tickformat": ".0%", "zeroline": False, "fixedrange": True,
    }  # fmt: skip
    return theme.figure(
        [points, chosen], "<br>".join(_said(found, gate)), f"share of characters over {over}",
        f"share under {under}", dark, height=SIZE, xaxis=axis, yaxis=axis,
        shapes=[
            {"type": "line", "x0": 0, "y0": 1, "x1": 1, "y1": 0, "layer": "below",
             "line": {"color": ink.muted, "width": 1, "dash": "dot"}}
        ],
        margin={"t": HEADING, "b": FOOT, "r": 18}, showlegend=False, dragmode=False, hovermode="closest",
        clickmode="event+select",
    )  # fmt: skip


def saturation_scatter_alt(found: Saturation, gate: str, unit: int) -> str:
    """The scatter in words."""
    return (
        f"{theme.spoken(_said(found, gate))}. On average over {found.high:g} at {found.right.mean():.0%} and under "
        f"{found.low:g} at {found.left.mean():.0%} of the characters; unit {unit + 1}: {found.right[unit]:.0%} and "
        f"{found.left[unit]:.0%}."
    )


def _said(found: Saturation, gate: str) -> tuple[str, str]:
    """The title in two lines: how many units hardly ever leave one of the ends."""
    H = len(found.left)
    above, below = (int((share > MOSTLY).sum()) for share in (found.right, found.left))
    name = NAMES[gate][0].upper() + NAMES[gate][1:]
    if gate == "h":
        ends = found.left + found.right
        return f"{name} near an end", f"{ends.mean():.0%} of the time, {int((ends > MOSTLY).sum())} of {H} units always"
    return f"{name}: {above} of {H} units", f"are nearly always open, {below} shut"

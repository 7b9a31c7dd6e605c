"""The units of a layer by how much a model misses each of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from rnn.figures import theme

FEW = 40  # bars that can have their units' numbers below them, also on a phone
WORDS = 64  # pixels of the title


def missed_units(differences: NDArray[np.float64], value: float = 0.0, dark: bool = False) -> go.Figure:
    """A bar for each unit, the one that is missed most on the left.

    Args:
        differences: bits per character that the text costs more with the unit held, (H,).
        value: what it is held at.
        dark: whether it stands on a dark background.
    """
    ink, order = theme.ink(dark), np.argsort(-differences, kind="stable")
    shown = [float(f"{differences[u]:.4g}") for u in order.tolist()]
    x = list(range(1, len(shown) + 1))
    bars = {
        "type": "bar", "x": x, "y": shown, "customdata": [[u + 1] for u in order.tolist()],
        "marker": {"color": theme.HIDDEN, "line": {"width": 0}},
        "hovertemplate": "unit %{customdata[0]}: %{y:+.4f} bits per character<extra></extra>",
    }  # fmt: skip
    ticks: dict[str, Any] = {"nticks": 8}
    if len(x) <= FEW:
        ticks = {"tickvals": x, "ticktext": [str(u + 1) for u in order.tolist()]}
    return theme.figure(
        [bars], "<br>".join(_title(differences, value)), "unit" if len(x) <= FEW else "units, the most missed first",
        "more bits per character", dark, height=280, margin={"t": WORDS}, bargap=0.12, dragmode=False, showlegend=False,
        xaxis={"range": [0.3, len(x) + 0.7], "fixedrange": True, "showgrid": False, "zeroline": False, **ticks},
        yaxis={"fixedrange": True, "nticks": 6, "zeroline": True, "zerolinecolor": ink.foreground},
    )  # fmt: skip


def missed_units_alt(differences: NDArray[np.float64], value: float = 0.0) -> str:
    """The bars in words."""
    order = np.argsort(-differences, kind="stable")[:5].tolist()
    said = ", ".join(f"unit {u + 1} {_signed(differences[u])}" for u in order)
    return f"{theme.spoken(_title(differences, value))}. Most missed: {said} bits per character."


def _title(differences: NDArray[np.float64], value: float) -> tuple[str, str]:
    most = int(np.argmax(differences))
    held = "is silent" if value == 0 else f"is held at {value:g}".replace("-", "−")
    if differences[most] <= 0:
        return (
            f"No unit is missed when it {held}:",
            f"unit {most + 1} comes nearest, {_signed(differences[most])} bits per character",
        )
    median = float(np.median(differences))
    return (
        f"Unit {most + 1} is missed most when it {held}:",
        f"{_signed(differences[most])} bits per character, the median {_signed(median)}",
    )


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "−")

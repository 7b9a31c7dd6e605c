"""The loss by position in a chunk: the state carried on beside a state of zeros."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from rnn.figures import theme

if TYPE_CHECKING:
    from rnn.positions import ByPosition

HEIGHT = 440
FEW = 40  # positions that each have a mark
SMALL = 0.1  # nats: a cost that the title calls small

Dict = dict[str, Any]


def by_position(found: ByPosition, dark: bool = False) -> go.Figure:
    """Two lines with bands of one standard error; between them is what starting from zeros costs.

    Args:
        dark: whether it stands on a dark background.
    """
    ink, k = theme.ink(dark), len(found)
    x = np.arange(k)
    traces = [
        _band(x, found.reset, found.reset_error, ink.foreground),
        _band(x, found.carry, found.carry_error, theme.HIDDEN),
        _line(x, found.reset, found.reset_error, "reset: zeros before each chunk", ink.foreground, "dash", "square"),
        _line(x, found.carry, found.carry_error, "carry: the state goes on", theme.HIDDEN, "solid", "circle"),
    ]
    return theme.figure(
        traces, "<br>".join(_title(found)), "position in the chunk (0 is its first character)",
        "mean loss, nats per character", dark, height=HEIGHT, dragmode=False,
        xaxis={"range": [-0.5, max(k, 2) - 0.5], "fixedrange": True, "showgrid": False, "zeroline": False, "nticks": 9,
               "tickformat": "d"} | ({"dtick": 1} if k < 9 else {}),
        annotations=_gap(found, ink), shapes=_gap_line(found, ink),
        yaxis={"rangemode": "tozero", "fixedrange": True, "nticks": 6}, margin={"t": 104, "r": 12},
    )  # fmt: skip


def by_position_alt(found: ByPosition) -> str:
    """The figure in words."""
    places = sorted({0, 1, len(found) // 2, len(found) - 1} & set(range(len(found))))
    said = [
        f"Position {i}: reset {found.reset[i]:.2f}, carry {found.carry[i]:.2f}, "
        f"standard errors {found.reset_error[i]:.2f} and {found.carry_error[i]:.2f}."
        for i in places
    ]
    return " ".join([*_title(found), "Mean loss in nats per character.", *said])


def _title(found: ByPosition) -> tuple[str, str]:
    first, place = float(found.gap[0]), found.first_below(SMALL)
    below = f"under {SMALL} by position {place}" if place is not None else f"never under {SMALL}"
    return (
        f"A reset costs {_signed(first)} nats at position 0,",
        f"{below}; {_signed(found.cost, 3)} on average",
    )


def _gap(found: ByPosition, ink: theme.Ink) -> list[Dict]:
    """What a reset costs at position 0, beside a line between the two."""
    return [{
        "x": 0, "xshift": 8, "xanchor": "left", "y": float(found.carry[0] + found.gap[0] / 2), "showarrow": False,
        "text": f"<b>{'+' if found.gap[0] > 0 else ''}{_signed(float(found.gap[0]))}</b> nats",
        "font": {"size": 15, "color": ink.foreground}, "bgcolor": theme.shade(ink.background, 0.75),
    }]  # fmt: skip


def _gap_line(found: ByPosition, ink: theme.Ink) -> list[Dict]:
    ends = sorted((float(found.carry[0]), float(found.reset[0])))
    return [{
        "type": "line", "x0": 0, "x1": 0, "y0": ends[0], "y1": ends[1], "layer": "below",
        "line": {"color": ink.foreground, "width": 1.5, "dash": "dot"},
    }]  # fmt: skip


def _signed(nats: float, digits: int = 2) -> str:
    return f"{nats:.{digits}f}".replace("-", "−")


def _line(
    x: NDArray[np.int64], mean: NDArray[np.float64], error: NDArray[np.float64], name: str, colour: str, dash: str,
    symbol: str,
) -> Dict:  # fmt: skip
    return {
        "type": "scatter", "mode": "lines+markers" if len(x) <= FEW else "lines", "x": x, "y": mean.astype(np.float32),
        "customdata": error.astype(np.float32), "name": name, "line": {"color": colour, "width": 2.5, "dash": dash},
        "marker": {"symbol": symbol, "size": 8, "color": colour},
        "hovertemplate": f"position %{{x}}<br>{name.split(':')[0]} %{{y:.3f}} ± %{{customdata:.3f}}<extra></extra>",
    }  # fmt: skip


def _band(x: NDArray[np.int64], mean: NDArray[np.float64], error: NDArray[np.float64], colour: str) -> Dict:
    around = np.concatenate([mean + error, (mean - error)[::-1]]).astype(np.float32)
    return {
        "type": "scatter", "mode": "lines", "x": np.concatenate([x, x[::-1]]), "y": around, "fill": "toself",
        "fillcolor": theme.shade(colour, 0.18), "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False,
    }  # fmt: skip

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
NOTHING = 0.005  # nats that two digits show as 0

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
    gap = float(found.gap[0])
    than = f"{abs(gap):.2f} nats {'more' if gap > 0 else 'less'}" if abs(gap) >= NOTHING else "as much"
    first = f"The first prediction after a reset costs {than}" + (" than" if than != "as much" else " as")
    back = found.recovered_at
    second = f"with the state carried on; on average {found.cost:+.3f}".replace("-", "−")
    if back is None:
        return first, second
    return first, f"{second}, and nothing visible from position {back} on" if back else f"{second}, within chance"


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

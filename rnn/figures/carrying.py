"""How far a sequence read in two chunks is from one read in one go, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from rnn.figures import theme
from rnn.figures.characters import visible

FLOOR = 1e-18  # what is equal to the last bit is drawn here: a logarithm has no place for 0
POWERS = range(-15, 0, 3)  # of ten, named at the axis
FORGOTTEN = 0.01  # of the first difference: then what was before the cut plays hardly a part any more


def carried_steps(
    carried: NDArray[np.float64],
    forgotten: NDArray[np.float64],
    text: str,
    cut: int,
    allowed: float,
    dark: bool = False,
) -> go.Figure:
    """The largest difference of h after each step, with the state carried and with a second chunk that begins anew.

    Args:
        carried, forgotten: max|a - b| after each step, (T,).
        text: the characters read, T of them.
        cut: how many of them are in the first chunk.
        allowed: what rounding may make of equal numbers.
        dark: whether it stands on a dark background.
    """
    ink, T = theme.ink(dark), len(text)
    x = list(range(1, T + 1))
    lines = [
        _line(x, forgotten, text, "state forgotten", ink.gradient, "dash", "circle"),
        _line(x, carried, text, "state carried", theme.HIDDEN, "solid", "diamond"),
    ]
    shapes = [
        {"type": "line", "xref": "x", "x0": cut + 0.5, "x1": cut + 0.5, "yref": "paper", "y0": 0, "y1": 1,
         "line": {"color": ink.foreground, "width": 2, "dash": "dash"}},
        {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "yref": "y", "y0": allowed, "y1": allowed,
         "line": {"color": ink.muted, "width": 1.5, "dash": "dot"}},
    ]  # fmt: skip
    notes = [
        {"xref": "paper", "x": 0.01, "xanchor": "left", "yref": "y", "y": np.log10(allowed), "yanchor": "bottom",
         "text": f"rounding may reach {allowed:.0e}", "showarrow": False,
         "font": {"size": 13, "color": ink.foreground}},
    ]  # fmt: skip
    return theme.figure(
        lines, "<br>".join(_title(carried, forgotten, cut)), "character", "max |difference of h|", dark, height=340,
        xaxis={"range": [0.5, T + 0.5], "fixedrange": True, "showgrid": False, "zeroline": False},
        yaxis={"type": "log", "fixedrange": True, "range": [np.log10(FLOOR) - 0.5, 1],
               "tickvals": [10.0**e for e in POWERS] + [1.0, FLOOR],
               "ticktext": [f"10<sup>−{-e}</sup>" for e in POWERS] + ["1", "0"]},
        shapes=shapes, annotations=notes, dragmode=False, margin={"t": 92},
    )  # fmt: skip


def carried_steps_alt(carried: NDArray[np.float64], forgotten: NDArray[np.float64], cut: int) -> str:
    """The figure in words."""
    return (
        f"{theme.spoken(_title(carried, forgotten, cut))}. With the state forgotten the difference is "
        f"{forgotten[cut]:.2g} after the first character behind the cut and {forgotten[-1]:.2g} after the last one."
    )


def _line(
    x: Sequence[int], values: NDArray[np.float64], text: str, name: str, colour: str, dash: str, mark: str
) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": "lines+markers", "x": x, "y": np.maximum(values, FLOOR), "name": name,
        "line": {"color": colour, "width": 2, "dash": dash}, "marker": {"symbol": mark, "size": 6, "color": colour},
        "customdata": [f"character {t}, “{visible(c)}”<br>{v:.2g}" for t, c, v in zip(x, text, values, strict=True)],
        "hovertemplate": f"{name}<br>%{{customdata}}<extra></extra>",
    }  # fmt: skip


def _title(carried: NDArray[np.float64], forgotten: NDArray[np.float64], cut: int) -> tuple[str, str]:
    """What both ways come to, in two lines."""
    first, rest, largest = float(forgotten[cut]), forgotten[cut:], float(carried.max())
    below = np.flatnonzero(rest < FORGOTTEN * first)
    gone = f"a hundredth of it {below[0]} later" if below.size else f"{rest[-1]:.2g} at the end"
    same = f"{largest:.0e} off at most" if largest else "the same to the last bit"
    return f"State carried: {same}", f"State forgotten: {first:.2g} off, {gone}"

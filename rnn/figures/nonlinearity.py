"""A non-linearity and its derivative, and where the sums of a real step lie on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from rnn.errors import ConfigError
from rnn.figures import theme

Array = NDArray[np.floating[Any]]
Function = Callable[[Array], Array]

WIDEST = 6.0  # sums farther out than this are marked at the edge
POINTS = 256  # marks of sums, the first ones
FLAT = 0.05  # a unit whose slope is smaller than this share of the steepest passes next to no gradient back
TOP, HEIGHT = 66, 340  # pixels


def _sigmoid(a: Array) -> Array:
    gate: Array = 0.5 + 0.5 * np.tanh(0.5 * a)  # 1 / (1 + exp(-a)) without the overflow
    return gate


def _relu(a: Array) -> Array:
    return np.maximum(a, 0.0)


# name -> the function, and its derivative as a function of a
FUNCTIONS: dict[str, tuple[Function, Function]] = {
    "tanh": (np.tanh, lambda a: 1 - np.tanh(a) ** 2),
    "sigmoid": (_sigmoid, lambda a: _sigmoid(a) * (1 - _sigmoid(a))),
    "relu": (_relu, lambda a: (a > 0).astype(np.float64)),
}
# Where the names of the function and of its derivative stand: free of both curves
LABELS: dict[str, tuple[tuple[float, float, str], tuple[float, float, str]]] = {
    "tanh": ((1.9, 0.84, "left"), (-1.3, 0.55, "right")),
    "sigmoid": ((2.6, 0.84, "left"), (1.6, 0.24, "left")),
    "relu": ((3.4, 4.3, "right"), (3.2, 1.4, "left")),
}
STEEPEST = {"tanh": 1.0, "sigmoid": 0.25, "relu": 1.0}


def nonlinearity(name: str, sums: Array, of: str = "h", dark: bool = False) -> go.Figure:
    """The function, its derivative, and one mark on it for each unit's sum.

    Args:
        name: "tanh", "sigmoid" or "relu".
        sums: what it was applied to at one step, (H,).
        of: the letter of what it made: "h", or a gate.
        dark: whether it stands on a dark background.

    Raises:
        ConfigError: it is none of these functions.
    """
    function, derivative = _function(name)
    ink, a = theme.ink(dark), np.linspace(-WIDEST, WIDEST, 241)
    marked = np.clip(np.asarray(sums, np.float64)[:POINTS], -WIDEST, WIDEST)
    high = WIDEST if name == "relu" else 1.0
    low = -1.0 if name == "tanh" else 0.0
    lines = [(name, function, ink.foreground, "solid", 2.5), ("slope", derivative, theme.GRADIENT, "dash", 2.0)]
    curves = [
        {
            "type": "scatter", "mode": "lines", "x": a.round(3).tolist(), "y": f(a).round(4).tolist(),
            "line": {"color": colour, "width": width, "dash": dash},
            "hovertemplate": "%{y:.3f}<extra>" + label + "</extra>",
        }
        for label, f, colour, dash, width in lines
    ]  # fmt: skip
    marks = {
        "type": "scatter", "mode": "markers", "x": marked.round(4).tolist(),
        "y": function(marked).round(4).tolist(), "cliponaxis": False,
        "customdata": [
            f"unit {unit}: a = {float(s):.3f}, {of} = {float(v):.3f}, slope {float(d):.3f}".replace("-", "−")
            for unit, (s, v, d) in enumerate(zip(sums, function(sums), derivative(sums), strict=True), start=1)
        ][:POINTS],
        "marker": {
            "size": 10, "opacity": 0.55, "color": _colour(of, ink), "line": {"color": ink.background, "width": 1},
        },
        "hovertemplate": "%{customdata}<extra></extra>",
    }  # fmt: skip
    return theme.figure(
        [*curves, marks], "<br>".join(_title(name, sums, of)), f"sums a of {of}, one mark per unit",
        f"{name}(a), slope", dark, height=HEIGHT,
        xaxis={"range": [-WIDEST * 1.03, WIDEST * 1.03], "dtick": 2, "fixedrange": True},
        yaxis={"range": [low - 0.08 * high, high * 1.08], "fixedrange": True},
        annotations=[
            {"x": x, "y": y, "text": text, "showarrow": False, "font": {"size": 14, "color": colour}, "xanchor": anchor}
            for (x, y, anchor), text, colour in zip(
                LABELS[name], (f"{name}(a)", "its slope"), (ink.foreground, ink.gradient), strict=True
            )
        ],
        margin={"t": TOP}, hovermode="closest", dragmode=False, showlegend=False,
    )  # fmt: skip


def nonlinearity_alt(name: str, sums: Array, of: str = "h") -> str:
    """The graph in words."""
    shape = {
        "tanh": "an S from −1 to 1, steepest at 0, slope 1 there and 0 at both ends",
        "sigmoid": "an S from 0 to 1, steepest at 0, slope 0.25 there and 0 at both ends",
        "relu": "0 for negative sums, with slope 0, and the sum itself for positive ones, with slope 1",
    }
    said = ". ".join(_title(name, sums, of))
    values = np.asarray(sums, np.float64)
    return f"{said}. {name} is {shape[name]}. Sums from {values.min():.2f} to {values.max():.2f}.".replace("-", "−")


def _function(name: str) -> tuple[Function, Function]:
    if name not in FUNCTIONS:
        raise ConfigError(f"The non-linearity must be one of {', '.join(FUNCTIONS)}, not {name!r}.")
    return FUNCTIONS[name]


def _title(name: str, sums: Array, of: str) -> tuple[str, str]:
    """The mean slope, which the gradient is multiplied by on its way back, and how many units pass next to nothing."""
    slopes = _function(name)[1](np.asarray(sums, np.float64))
    flat = int((slopes < FLAT * STEEPEST[name]).sum())
    return (
        f"{of} by {name}: mean slope {slopes.mean():.2f}, at most {STEEPEST[name]:g}",
        f"{flat} of {len(slopes)} units let less than {FLAT:.0%} of that back",
    )


def _colour(of: str, ink: theme.Ink) -> str:
    return {"h": theme.HIDDEN, "n": theme.HIDDEN, "g": theme.CELL_STATE}.get(of, ink.muted)

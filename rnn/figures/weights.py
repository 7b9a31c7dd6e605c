"""Weight matrices as heat maps, and the eigenvalues of the recurrent ones against the unit circle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from rnn.errors import ConfigError
from rnn.figures import theme
from rnn.figures.characters import shielded, visible

if TYPE_CHECKING:
    from rnn.spectrum import Spectrum

MOST = 128  # rows and columns that are shown
EXACT = 1024  # cells; of more than these the picture holds 255 levels, an eighth of the bytes
WRITTEN = 8  # rows and columns whose cells have room for their numbers
LEVELS = 127
NEGATIVE = {False: "#4A5461", True: "#AEB7C2"}  # on the light and the dark background
TITLE = 58  # pixels
BEFORE = "before"
GATES = {
    "W_hr": "reset gate", "W_hz": "update gate", "W_hn": "candidate", "W_hi": "input gate", "W_hf": "forget gate",
    "W_hg": "candidate", "W_ho": "output gate",
}  # fmt: skip

Dict = dict[str, Any]


# Heat maps --------------------------------------------------------------------------------------------------------


def weight_map(
    matrix: NDArray[Any],
    name: str,
    largest: float | None = None,
    rows: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    when: str = "",
    dark: bool = False,
    height: int = 420,
) -> go.Figure:
    """A weight matrix, its first 128 rows and columns: its own colour where positive, grey where negative.

    Args:
        matrix: (rows, columns), finite.
        name: "W_xh" and the like; the letter after h or the whole says which colour it has.
        largest: the absolute value that has the full colour; by default the largest there is.
        rows, columns: the characters that they stand for; None: they are units.
        when: "before training", say.
        dark: whether it stands on a dark background.
        height: in pixels.

    Raises:
        ConfigError: the matrix is not finite.
    """
    if not np.isfinite(matrix).all():
        raise ConfigError(f"{name} holds values that are no finite numbers: the training exploded.")
    ink, shown = theme.ink(dark), np.asarray(matrix, np.float64)[:MOST, :MOST]
    full = largest or float(np.abs(shown).max(initial=0.0)) or 1.0
    is_exact = shown.size <= EXACT
    z = shown.astype(np.float32) if is_exact else quantised(shown, full)
    end = full if is_exact else LEVELS
    value = "%{z:.4f}" if is_exact else f"%{{z}} × {full / LEVELS:.2g}"
    heat: Dict = {
        "type": "heatmap", "z": z, "zmin": -end, "zmax": end, "zmid": 0,
        "colorscale": [[0, NEGATIVE[dark]], [0.5, ink.background], [1, colour_of(name)]],
        "colorbar": {
            "thickness": 10, "outlinewidth": 0, "tickvals": [-end, 0, end],
            "ticktext": [_short(-full), "0", _short(full)], "tickfont": {"size": 12, "color": ink.foreground},
            "lenmode": "pixels", "len": 150, "y": 1, "yanchor": "top", "xpad": 4, "ypad": 0,
        },
        "hovertemplate": f"row %{{y}}, column %{{x}}<br>{value}<extra></extra>",
    }  # fmt: skip
    x, y = _labels(columns, shown.shape[1]), _labels(rows, shown.shape[0])
    heat |= {"x": x} if x else {"x0": 1, "dx": 1}
    heat |= {"y": y} if y else {"y0": 1, "dy": 1}
    heat |= {"xgap": 1 if shown.shape[1] <= 40 else 0, "ygap": 1 if shown.shape[0] <= 40 else 0}
    if max(shown.shape) <= WRITTEN:
        heat |= {"texttemplate": "%{z:.2f}", "textfont": {"size": 12}}
    plain: Dict = {"showgrid": False, "zeroline": False, "ticks": "", "fixedrange": True, "constrain": "domain"}
    upward: Dict = {"autorange": "reversed", "constraintoward": "top"}
    is_square = max(shown.shape) <= 2 * min(shown.shape)
    return theme.figure(
        [heat], "<br>".join(_map_title(matrix, name, when)), _axis_name(columns, "columns"), _axis_name(rows, "rows"),
        dark, height=height, margin={"t": TITLE}, dragmode=False, xaxis=plain | _ticks(x, shown.shape[1]),
        yaxis=plain | _ticks(y, shown.shape[0]) | upward | ({"scaleanchor": "x"} if is_square else {}),
    )  # fmt: skip


def _ticks(labels: list[str] | None, count: int) -> Dict:
    """Of characters as many as there is room for; of units round numbers."""
    if labels:
        return {"type": "category", "nticks": 16}
    return {"dtick": 1} if count <= WRITTEN else {"nticks": 8}


def weight_map_alt(matrix: NDArray[Any], name: str, when: str = "") -> str:
    """The figure in words."""
    values = np.asarray(matrix, np.float64)
    return (
        f"{theme.spoken(_map_title(matrix, name, when))}. Its values go from {values.min():.2f} to {values.max():.2f}; "
        f"{(values > 0).mean():.0%} are positive."
    )


def quantised(values: NDArray[np.float64], full: float) -> NDArray[np.int8]:
    """Whole numbers from -127 to 127, where 127 is `full`."""
    levels: NDArray[np.int8] = np.clip(np.round(values / full * LEVELS), -LEVELS, LEVELS).astype(np.int8)
    return levels


def colour_of(name: str) -> str:
    """Blue for what the input meets, orange for what the state meets, green for what makes the output."""
    if name == "W_hy":
        return theme.OUTPUT
    return theme.HIDDEN if name.startswith("W_h") else theme.INPUT


def lettered(name: str) -> str:
    """`W_xh` as Plotly writes it."""
    letter, _, index = name.partition("_")
    return f"{letter}<sub>{index}</sub>" if index else letter


def _map_title(matrix: NDArray[Any], name: str, when: str) -> tuple[str, str]:
    rows, columns = matrix.shape
    cut = "" if max(rows, columns) <= MOST else f"the first {min(rows, MOST)} × {min(columns, MOST)} of "
    return f"{lettered(name)}, {cut}{rows:,} × {columns:,}", f"{when + ': ' if when else ''}σ = {np.std(matrix):.2g}"


def _labels(names: Sequence[str] | None, count: int) -> list[str] | None:
    """Characters as they are seen; None where they are units, or two look the same."""
    seen = [shielded(visible(name)) for name in (names or ())[:count]]
    return seen if seen and len(set(seen)) == count else None


def _axis_name(names: Sequence[str] | None, which: str) -> str:
    return f"{which}: characters" if names is not None else f"{which}: units"


def _short(value: float) -> str:
    return f"{value:.2g}".replace("-", "−")


# Eigenvalues ------------------------------------------------------------------------------------------------------


def eigenvalue_plane(
    after: Spectrum, before: Spectrum | None = None, is_trained: bool = True, dark: bool = False, height: int = 400
) -> go.Figure:
    """The eigenvalues of a recurrent matrix, or of one gate's rows, in the complex plane with the unit circle.

    Args:
        after: of the weights as they are.
        before: of the same rows before training, where they are known.
        is_trained: whether anything has been learned.
        dark: whether it stands on a dark background.
        height: in pixels.
    """
    ink = theme.ink(dark)
    known = [after] if before is None else [after, before]
    reach = 1.12 * max([1.0, *(s.radius for s in known)])
    points = [_points(after, "trained" if is_trained else "eigenvalues", ink)]
    points += [_points(s, BEFORE, ink) for s in known[1:]]  # rings, through which the others are seen
    circle = {
        "type": "circle", "x0": -1, "x1": 1, "y0": -1, "y1": 1, "layer": "below",
        "line": {"color": ink.muted, "width": 1.5, "dash": "dot"},
    }  # fmt: skip
    axis: Dict = {
        "range": [-reach, reach], "zeroline": True, "nticks": 5, "fixedrange": True, "constrain": "domain",
    }  # fmt: skip
    return theme.figure(
        points, "<br>".join(_plane_title(after, before, is_trained)), "real part", "imaginary part", dark,
        height=height, xaxis=axis, yaxis=axis | {"scaleanchor": "x", "constraintoward": "top"}, shapes=[circle],
        margin={"t": TITLE + (26 if before else 6)}, showlegend=before is not None, dragmode=False,
        hovermode="closest",
    )  # fmt: skip


def eigenvalue_plane_alt(after: Spectrum, before: Spectrum | None = None, is_trained: bool = True) -> str:
    """The figure in words; the arguments are those of `eigenvalue_plane`."""
    title = theme.spoken(_plane_title(after, before, is_trained))
    outside = int((np.abs(after.eigenvalues) > 1).sum())
    sizes = np.abs(after.eigenvalues)
    return (
        f"{title}. {outside} of {len(sizes)} eigenvalues lie outside the unit circle; they are {sizes.min():.2f} to "
        f"{sizes.max():.2f} from 0."
    )


def _plane_title(after: Spectrum, before: Spectrum | None, is_trained: bool) -> tuple[str, str]:
    gate = f", {GATES[after.name]}" if after.name in GATES else ""
    where = "on" if round(after.radius, 2) == 1 else "inside" if after.radius < 1 else "outside"
    was = f", {before.radius:.2f} before" if before else "" if is_trained else ", untrained"
    return f"{lettered(after.name)}{gate}: spectral radius {after.radius:.2f}", f"{where} the circle{was}"


def _points(spectrum: Spectrum, when: str, ink: theme.Ink) -> Dict:
    diameter = 8 if len(spectrum.eigenvalues) <= 32 else 5
    marker: Dict = {"size": diameter, "color": theme.HIDDEN, "opacity": 0.8}
    if when == BEFORE:
        marker = {"size": diameter, "symbol": "circle-open", "color": ink.foreground, "opacity": 0.5}
    return {
        "type": "scatter", "mode": "markers", "name": when, "marker": marker,
        "x": spectrum.eigenvalues.real.astype(np.float32), "y": spectrum.eigenvalues.imag.astype(np.float32),
        "hovertemplate": f"{lettered(spectrum.name)}, {when}<br>%{{x:.3f}} + %{{y:.3f}} i<extra></extra>",
    }  # fmt: skip

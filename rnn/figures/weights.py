"""Weight matrices as heat maps, and the eigenvalues of the recurrent ones against the unit circle."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from rnn.errors import ConfigError
from rnn.figures import theme
from rnn.figures.characters import visible

if TYPE_CHECKING:
    from rnn.spectrum import Spectrum

MOST = 128  # rows and columns that are shown
EXACT = 1024  # cells; of more than these the picture holds 255 levels, an eighth of the bytes
WRITTEN = 8  # rows and columns whose cells have room for their numbers
LEVELS = 127
NEGATIVE = {False: "#4A5461", True: "#AEB7C2"}  # on the light and the dark background
TITLE = 58  # pixels
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
) -> go.Figure:
    """A weight matrix, its first 128 rows and columns: its own colour where positive, grey where negative.

    Args:
        matrix: (rows, columns), finite.
        name: "W_xh" and the like; the letter after h or the whole says which colour it has.
        largest: the absolute value that has the full colour; by default the largest there is.
        rows, columns: the characters that they stand for; None: they are units.
        when: "before training", say.
        dark: whether it stands on a dark background.

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
            "ticktext": [_short(-full), "0", _short(full)], "tickfont": {"size": 12, "color": ink.foreground}, "len": 1, "xpad": 4, "ypad": 0,
        },
        "hovertemplate": f"row %{{y}}, column %{{x}}<br>{value}<extra></extra>",
    }  # fmt: skip
    x, y = _labels(columns, shown.shape[1]), _labels(rows, shown.shape[0])
    heat |= {"x": x, "y": y, "xgap": 1 if shown.shape[1] <= 40 else 0, "ygap": 1 if shown.shape[0] <= 40 else 0}
    if max(shown.shape) <= WRITTEN:
        heat |= {"texttemplate": "%{z:.2f}", "textfont": {"size": 12}}
    plain: Dict = {
        "type": "category",
        "showgrid": False,
        "zeroline": False,
        "ticks": "",
        "fixedrange": True,
        "nticks": 12,
    }
    return theme.figure(
        [heat], "<br>".join(_map_title(matrix, name, when)), _axis_name(columns, "columns"), _axis_name(rows, "rows"),
        dark, height=330, xaxis=plain, yaxis=plain | {"autorange": "reversed"}, margin={"t": TITLE}, dragmode=False,
    )  # fmt: skip


def weight_map_alt(matrix: NDArray[Any], name: str, when: str = "") -> str:
    """The figure in words."""
    values = np.asarray(matrix, np.float64)
    return (
        f"{' '.join(_map_title(matrix, name, when))}. Its values go from {values.min():.2f} to {values.max():.2f}; "
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
    cut = "" if max(rows, columns) <= MOST else f", the first {min(rows, MOST)} × {min(columns, MOST)} of it"
    spread = float(np.std(matrix))
    return f"{lettered(name)} ({rows:,} × {columns:,}){cut}", f"{when + ': ' if when else ''}spread {spread:.2g}"


def _labels(names: Sequence[str] | None, count: int) -> list[str]:
    """Characters as they are seen, or numbers from 1."""
    numbers = [str(i) for i in range(1, count + 1)]
    if names is None:
        return numbers
    seen = [escape(visible(name), quote=False) for name in names[:count]]
    return seen if len(set(seen)) == count else numbers


def _axis_name(names: Sequence[str] | None, which: str) -> str:
    return f"{which}: characters" if names is not None else f"{which}: units"


def _short(value: float) -> str:
    return f"{value:.2g}".replace("-", "−")


# Eigenvalues ------------------------------------------------------------------------------------------------------


def eigenvalue_plane(
    after: Sequence[Spectrum], before: Sequence[Spectrum] | None = None, is_trained: bool = True, dark: bool = False
) -> go.Figure:
    """Eigenvalues in the complex plane with the unit circle, one panel per block of the recurrent matrix.

    Args:
        after: of the weights as they are, as `rnn.spectrum.spectra` gives them.
        before: of the same blocks before training, where they are known.
        is_trained: whether anything has been learned.
        dark: whether it stands on a dark background.
    """
    ink = theme.ink(dark)
    reach = 1.12 * max([1.0, *(s.radius for s in [*after, *(before or ())])])
    columns = min(2, len(after))
    rows = -(-len(after) // columns)
    panel = 340 if columns == 1 else 250
    inner = rows * panel + (rows - 1) * 40
    traces, notes, shapes = [], [], []
    layout: Dict = {}
    for i, spectrum in enumerate(after):
        row, column = divmod(i, columns)
        end = str(i + 1) if i else ""
        top = 1 - row * (panel + 40) / inner
        left = 0.0 if column == 0 else 0.53
        right = 1.0 if columns == 1 or column == 1 else 0.47
        layout |= _plane(end, (left, right), (max(0.0, top - panel / inner), top), reach, ink)
        earlier = before[i] if before else None
        if earlier is not None:
            traces.append(_points(earlier, "before training", end, i == 0, ink))
        traces.append(_points(spectrum, "after training" if is_trained else "eigenvalues", end, i == 0, ink))
        shapes.append(
            {
                "type": "circle", "xref": f"x{end}", "yref": f"y{end}", "x0": -1, "x1": 1, "y0": -1, "y1": 1,
                "line": {"color": ink.muted, "width": 1.5, "dash": "dot"}, "layer": "below",
            }
        )  # fmt: skip
        if len(after) > 1:
            notes.append(_panel_name(spectrum, (left + right) / 2, top))
    return theme.figure(
        traces, "<br>".join(_plane_title(after, before, is_trained)), "", "", dark, height=inner + 104 + 46,
        annotations=notes, shapes=shapes, **layout, margin={"t": 104 if len(after) > 1 else 92, "b": 46, "r": 8},
        showlegend=before is not None, legend={"y": 1 + (24 if len(after) > 1 else 2) / inner},
        dragmode=False, hovermode="closest",
    )  # fmt: skip


def eigenvalue_plane_alt(
    after: Sequence[Spectrum], before: Sequence[Spectrum] | None = None, is_trained: bool = True
) -> str:
    """The figure in words; the arguments are those of `eigenvalue_plane`."""
    said = [" ".join(_plane_title(after, before, is_trained)) + "."]
    for i, s in enumerate(after):
        outside = int((np.abs(s.eigenvalues) > 1).sum())
        was = f", before training {before[i].radius:.2f}" if before else ""
        said.append(
            f"{s.name}: spectral radius {s.radius:.2f}{was}; {outside} of {len(s.eigenvalues)} eigenvalues lie "
            "outside the unit circle."
        )
    return " ".join(said).replace("<sub>", "").replace("</sub>", "")


def _plane_title(after: Sequence[Spectrum], before: Sequence[Spectrum] | None, is_trained: bool) -> tuple[str, str]:
    largest = max(range(len(after)), key=lambda i: after[i].radius)
    s = after[largest]
    of = lettered(s.name) if len(after) == 1 else f"{lettered(s.name)} ({GATES[s.name]})"
    where = "inside" if s.radius < 1 else "beyond"
    first = f"Spectral radius of {of} {s.radius:.2f},"
    if before:
        return first, f"{where} the unit circle; {before[largest].radius:.2f} before training"
    return first, f"{where} the unit circle{'' if is_trained else ', as drawn for training'}"


def _plane(end: str, x: tuple[float, float], y: tuple[float, float], reach: float, ink: theme.Ink) -> Dict:
    """The two axes of a panel: one unit is as long to the right as upward."""
    shared: Dict = {
        "range": [-reach, reach], "gridcolor": ink.grid, "zeroline": True, "zerolinecolor": ink.grid,
        "fixedrange": True, "nticks": 5, "tickfont": {"size": 12, "color": ink.foreground}, "constrain": "domain",
    }  # fmt: skip
    name = {"font": {"size": 13, "color": ink.foreground}, "standoff": 2}
    return {
        f"xaxis{end}": shared | {"domain": x, "anchor": f"y{end}", "title": {"text": "real part", **name}},
        f"yaxis{end}": shared | {
            "domain": y, "anchor": f"x{end}", "scaleanchor": f"x{end}",
            "title": {"text": "imaginary part" if x[0] == 0 else "", **name},
        },
    }  # fmt: skip


def _points(spectrum: Spectrum, when: str, end: str, is_first: bool, ink: theme.Ink) -> Dict:
    is_before = when == "before training"
    marker = {
        "size": 7, "symbol": "circle-open" if is_before else "circle", "opacity": 0.9 if is_before else 0.75,
        "color": ink.muted if is_before else theme.HIDDEN, "line": {"width": 1.2} if is_before else {"width": 0},
    }  # fmt: skip
    return {
        "type": "scatter", "mode": "markers", "name": when, "legendgroup": when, "showlegend": is_first,
        "x": spectrum.eigenvalues.real.astype(np.float32), "y": spectrum.eigenvalues.imag.astype(np.float32),
        "xaxis": f"x{end}", "yaxis": f"y{end}", "marker": marker,
        "hovertemplate": f"{lettered(spectrum.name)}, {when}<br>%{{x:.3f}} + %{{y:.3f}} i<extra></extra>",
    }  # fmt: skip


def _panel_name(spectrum: Spectrum, x: float, top: float) -> Dict:
    return {
        "xref": "paper", "x": x, "xanchor": "center", "yref": "paper", "y": top, "yanchor": "bottom", "yshift": 2,
        "text": f"<b>{lettered(spectrum.name)}</b> {GATES[spectrum.name]}: {spectrum.radius:.2f}", "showarrow": False,
        "font": {"size": 13},
    }  # fmt: skip

"""States and characters on the plane in which they differ most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from rnn.brackets import depths
from rnn.errors import ConfigError
from rnn.figures import theme
from rnn.figures.characters import shielded, visible
from rnn.figures.probabilities import TWO_LINES, in_lines
from rnn.projection import KINDS, Plane, kind_of, like_neighbours

HEIGHT = 560
COLOURED_BY = {"kind": "kind of character", "depth": "bracket depth", "position": "position"}
MOST_LABELS, MOST_NAMES = 80, 150  # on a path, on the map
CONTEXT = 24  # characters of the text that are shown under the pointer
WIDTH = 480  # pixels that labels may count on: between those of a laptop and of a phone
LETTER = (11, 17)  # pixels, width and height of a label
NEAR = 32  # pixels: so close, one label does for the same characters
FEW = 400  # points that labels go out of the way of
MARKER = 7  # pixels
LEGEND = {"y": -0.15, "yanchor": "top"}  # below, where it may take as many lines as a phone needs
TICKS = {"zeroline": False, "nticks": 7}
GOLDEN = 0.618_033_988_75  # its multiples, whole parts aside, are spread evenly however many there are

# Symbol, and colour on white and on dark ground. They are none of the colours of inputs, states and outputs.
STYLES = {
    "vowel": ("circle", "#882255", "#E58AB4"),
    "consonant": ("circle-open", "#4A6FA5", "#8FB2E8"),
    "upper case": ("triangle-up", "#5B4A9E", "#B3A2F0"),
    "digit": ("square", "#8A6D00", "#D9BE4A"),
    "punctuation": ("diamond-open", "#5F6B76", "#A9B4BF"),
    "white space": ("star", "#1F2328", "#ECEEF1"),
    "other": ("cross", "#6B5B4B", "#C9B8A5"),
}
SIDES = (  # where a label may stand: the side, its middle's distance from the point in pixels
    ("top center", 0, 14), ("bottom center", 0, -14), ("middle right", 12, 0), ("middle left", -12, 0),
)  # fmt: skip

Dict = dict[str, Any]


class Drawn(NamedTuple):
    """Which steps of a path are drawn, the first and the last one, from 0."""

    first: int
    last: int


# The path of the state --------------------------------------------------------------------------------------------


def state_path(
    found: Plane, text: str, name: str, drawn: Drawn, coloured_by: str = "kind", dark: bool = False
) -> go.Figure:
    """The states as points, joined in the order of the text.

    Args:
        found: of the states after each character of the whole text.
        text: the characters, T of them.
        name: of the states: "h", "c of layer 2".
        drawn: the part that is drawn; it is marked where it begins and ends.
        coloured_by: a key of `COLOURED_BY`.
        dark: whether it stands on a dark background.

    Raises:
        ConfigError: the points are not those of the text, or what is drawn lies outside.
    """
    if len(found.points) != len(text) or not 0 <= drawn.first <= drawn.last < len(text):
        raise ConfigError("The path needs one state per character, and its first and last step inside the text.")
    ink, steps = theme.ink(dark), np.arange(drawn.first, drawn.last + 1)
    points = found.points[steps]
    line = {
        "type": "scatter", "mode": "lines", "x": points[:, 0], "y": points[:, 1], "hoverinfo": "skip",
        "line": {"color": theme.shade(ink.muted, 0.45 if len(steps) < 1_000 else 0.2), "width": 1},
        "showlegend": False,
    }  # fmt: skip
    whole, contexts = [shielded(visible(c)) for c in text], steps
    words = [_context(whole, int(t)) for t in contexts]
    if coloured_by == "kind":
        marked = _by_kind(points, text, steps, words, dark)
    else:
        values = depths(text).astype(np.int64)[steps] if coloured_by == "depth" else steps + 1
        marked = _by_value(points, values, COLOURED_BY[coloured_by], words, ink)
    return theme.figure(
        [line, *marked, *_ends(points, ink), _letters(points, [text[t] for t in steps], ink, MOST_LABELS)],
        in_lines(_said_of_path(found, name, len(text))), _axis(found, 0), _axis(found, 1), dark,
        height=HEIGHT, margin={"t": TWO_LINES}, xaxis=TICKS, yaxis=TICKS,
        legend=LEGEND if coloured_by == "kind" else {**LEGEND, "y": -0.37},  # the scale comes first
    )  # fmt: skip


def state_path_alt(found: Plane, text: str, name: str, drawn: Drawn) -> str:
    """The figure in words."""
    longest = np.linalg.norm(np.diff(found.points[drawn.first : drawn.last + 1], axis=0), axis=1)
    sentences = [
        theme.spoken(_said_of_path(found, name, len(text))),
        f"Drawn are the steps from {drawn.first + 1:,} to {drawn.last + 1:,}",
    ]
    if len(longest):
        t = drawn.first + int(longest.argmax()) + 1
        sentences.append(
            f"The longest step on the plane is the one that reads “{visible(text[t])}”, character {t + 1:,}"
        )
    return ". ".join(sentences) + "."


def _said_of_path(found: Plane, name: str, characters: int) -> list[str]:
    share = f"{found.shares.sum():.0%}".replace("%", " %")
    if found.dimensions <= 2:
        units = "unit" if found.dimensions == 1 else "units"
        return [f"{name} has {found.dimensions} {units}:", "nothing is left out of this picture"]
    return [
        f"Two directions hold {share} of how {name} varies",
        f"({found.dimensions:,} units, over {characters:,} characters)",
    ]


def _axis(found: Plane, component: int) -> str:
    share = f"{found.shares[component]:.0%}".replace("%", " %")
    return f"principal component {component + 1} ({share} of the variance)"


def _context(characters: Sequence[str], t: int) -> str:
    """What was read until then, the last character bold."""
    before = "".join(characters[max(0, t - CONTEXT + 1) : t])
    return f"{t + 1:,}: {'…' if t >= CONTEXT else ''}{before}<b>{characters[t]}</b>"


def _by_kind(
    points: NDArray[np.float32], text: str, steps: NDArray[np.int64], words: Sequence[str], dark: bool
) -> list[Dict]:
    kinds = np.array([kind_of(text[t]) for t in steps])
    return [_kind_markers(kind, points, np.flatnonzero(kinds == kind), words, dark) for kind in KINDS if kind in kinds]


def _kind_markers(
    kind: str, points: NDArray[np.float32], rows: NDArray[np.intp], words: Sequence[str], dark: bool
) -> Dict:
    symbol, *colours = STYLES[kind]
    return {
        "type": "scatter", "mode": "markers", "name": kind, "x": points[rows, 0], "y": points[rows, 1],
        "customdata": [words[i] for i in rows], "hovertemplate": "%{customdata}<extra></extra>",
        "marker": {"symbol": symbol, "size": MARKER + (symbol == "triangle-up"), "color": colours[dark],
                   "line": {"width": 1.4, "color": colours[dark]}},
    }  # fmt: skip


def _by_value(
    points: NDArray[np.float32], values: NDArray[np.int64], title: str, words: Sequence[str], ink: theme.Ink
) -> list[Dict]:
    """One trace, coloured from dark blue to yellow, which everybody sees as dark to light."""
    low, high = int(values.min()), max(int(values.max()), int(values.min()) + 1)
    ticks = sorted({round(low + (high - low) * i / 4) for i in range(5)})
    return [{
        "type": "scatter", "mode": "markers", "showlegend": False, "x": points[:, 0], "y": points[:, 1],
        "customdata": list(words), "hovertemplate": f"%{{customdata}}<br>{title} %{{marker.color}}<extra></extra>",
        "marker": {
            "size": MARKER, "color": values.astype(np.int32), "cmin": low, "cmax": high, "colorscale": "Cividis",
            "line": {"width": 0.6, "color": ink.foreground},
            "colorbar": {
                "title": {"text": title, "font": {"size": 13}}, "orientation": "h", "thickness": 10, "len": 0.6,
                "x": 0, "xanchor": "left", "y": -0.2, "yanchor": "top", "outlinewidth": 0, "tickvals": ticks,
                "tickfont": {"size": 12, "color": ink.foreground}, "ypad": 0, "xpad": 0,
            },
        },
    }]  # fmt: skip


def _ends(points: NDArray[np.float32], ink: theme.Ink) -> list[Dict]:
    """A ring where the path begins and a larger, thicker one where it ends."""
    return [
        {
            "type": "scatter", "mode": "markers", "name": name, "x": points[[row], 0], "y": points[[row], 1],
            "hoverinfo": "skip", "marker": {"symbol": "circle-open", "size": size, "color": ink.hidden,
                                            "line": {"width": width}},
        }
        for name, row, size, width in (("begin", 0, 14, 2), ("end", -1, 20, 3.5))
    ]  # fmt: skip


def _letters(points: NDArray[np.float32], characters: Sequence[str], ink: theme.Ink, most: int) -> Dict:
    """The characters at as many points as have room for them."""
    sides = free_sides(points, characters, most)
    rows = [i for i, side in enumerate(sides) if side]
    return {
        "type": "scatter", "mode": "markers+text", "x": points[rows, 0], "y": points[rows, 1], "showlegend": False,
        "marker": {"size": 9, "opacity": 0},  # what keeps a letter off its point
        "text": [shielded(visible(characters[i])) for i in rows], "textposition": [sides[i] for i in rows],
        "textfont": {"size": 14, "color": ink.foreground}, "hoverinfo": "skip", "cliponaxis": False,
    }  # fmt: skip


def free_sides(points: NDArray[np.float32], names: Sequence[str], most: int) -> list[str]:
    """On which side of each point its label has room, "" where it has none.

    They are asked in an order that is spread over the path, and the first to come has its place. Labels cover no other
    label and, as long as there are few points, no point.

    Args:
        points: coordinates, (N, 2).
        names: what the labels say, N of them; the same is not said twice at one place.
        most: labels.
    """
    size = np.array([WIDTH, HEIGHT - TWO_LINES - 100])
    spread = np.ptp(points, axis=0)
    pixels = (points - points.min(axis=0)) / np.where(spread > 0, spread, 1) * size
    covered = pixels if len(points) <= FEW else np.empty((0, 2))
    taken, sides = np.empty((0, 2)), [""] * len(points)
    said: dict[str, list[NDArray[Any]]] = {}
    for i in np.argsort(np.arange(len(points)) * GOLDEN % 1):
        if len(taken) >= most:
            break
        if _meets(np.array(said.get(names[i], [])), pixels[i], (NEAR, NEAR)):
            continue
        for side, dx, dy in SIDES:
            middle = pixels[i] + (dx, dy)
            if not _meets(taken, middle, LETTER) and not _meets(covered, middle, (9, 10)):
                sides[i], taken = side, np.vstack([taken, middle])
                said.setdefault(names[i], []).append(pixels[i])
                break
    return sides


def _meets(places: NDArray[Any], middle: NDArray[Any], size: tuple[int, int]) -> bool:
    return bool(len(places)) and bool((np.abs(places - middle) < size).all(axis=1).any())


# The map of characters --------------------------------------------------------------------------------------------


def character_map(
    found: Plane, vectors: NDArray[Any], characters: Sequence[str], name: str, dark: bool = False
) -> go.Figure:
    """The vectors that stand for the characters, each with its character.

    Args:
        found: of these vectors.
        vectors: (V, D).
        characters: V of them.
        name: of the matrix whose rows or columns they are.
        dark: whether it stands on a dark background.
    """
    ink, kinds = theme.ink(dark), np.array([kind_of(c) for c in characters])
    words = [f"{shielded(visible(c))}, {kind}" for c, kind in zip(characters, kinds, strict=True)]
    marked = [_kind_markers(k, found.points, np.flatnonzero(kinds == k), words, dark) for k in KINDS if k in kinds]
    return theme.figure(
        [*marked, _letters(found.points, characters, ink, MOST_NAMES)],
        in_lines(_said_of_map(vectors, characters)), _axis(found, 0), _axis(found, 1), dark,
        height=HEIGHT, margin={"t": TWO_LINES}, legend=LEGEND, xaxis=TICKS, yaxis=TICKS,
    )  # fmt: skip


def character_map_alt(found: Plane, vectors: NDArray[Any], characters: Sequence[str], name: str) -> str:
    """The figure in words: the finding, and the kinds' places."""
    kinds = np.array([kind_of(c) for c in characters])
    places = [
        f"{kind} ({(kinds == kind).sum()}) around {x:.2g}, {y:.2g}"
        for kind in KINDS if kind in kinds
        for x, y in [found.points[kinds == kind].mean(axis=0)]
    ]  # fmt: skip
    return f"{theme.spoken(_said_of_map(vectors, characters))}. Vectors of {name} on a plane: {'; '.join(places)}."


def _said_of_map(vectors: NDArray[Any], characters: Sequence[str]) -> list[str]:
    same, chance = like_neighbours(vectors, [kind_of(c) for c in characters])
    return [
        f"{same} of {len(characters)} lie nearest to their own kind;",
        f"if the kinds were shuffled, {chance:.0f} would be",
    ]

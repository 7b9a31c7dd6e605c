"""What drawings of networks are made of: boxes with numbers in them, frames, arrows and labels.

Across, the unit is one time step, so that a drawing widens with the page: column i is centred at x = i. Upward, the
unit is one pixel, because letters do not shrink.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, NamedTuple, Self

from rnn.figures import theme

HALF = 0.31  # half a box
ROW, GAP = 25, 1.5  # from one box to the next, and what is left free of it above and below

PROPORTIONAL, FIXED_WIDTH = "Source Sans, sans-serif", "Source Code Pro, Menlo, Consolas, monospace"

Dict = dict[str, Any]


class Label(NamedTuple):
    """A text on the drawing; `words` appear when the pointer is there."""

    x: float
    y: float
    text: str
    colour: str
    size: int = 13
    position: str = "middle center"  # of the text, seen from (x, y)
    family: str = PROPORTIONAL
    words: str = ""


class Drawing(NamedTuple):
    """What is drawn on the axes: boxes at the bottom, then labels, frames and arrows."""

    boxes: Sequence[Dict] = ()
    labels: Sequence[Label] = ()
    frames: Sequence[Dict] = ()
    arrows: Sequence[Dict] = ()

    @classmethod
    def joined(cls, drawings: Iterable[Self]) -> Self:
        return cls(*(list(chain(*parts)) for parts in zip(*drawings, strict=True)))


def signed(value: float) -> str:
    """One decimal and a true minus; what rounds to 0 has no sign. Large values (of relu) get two digits."""
    short = f"{value:.1f}" if abs(value) < 99 else f"{value:.0e}"
    return short.replace("-0.0", "0.0").replace("-", "−")


def box(
    x: float, y: float, text: str, magnitude: float, colour: str, words: str, ink: theme.Ink, size: int = 14
) -> Drawing:  # fmt: skip
    """A value in its box, the darker the larger; `words` appear under the pointer."""
    opacity = 0.06 + 0.94 * min(magnitude, 1.0)  # a box is seen even at 0
    rectangle = {
        "type": "rect", "x0": x - HALF, "x1": x + HALF, "y0": y + GAP, "y1": y + ROW - GAP, "layer": "below",
        "fillcolor": theme.shade(colour, opacity), "line": {"color": colour, "width": 1},
    }  # fmt: skip
    on_it = theme.text_on(colour, opacity, ink.background)
    return Drawing([rectangle], [Label(x, y + ROW / 2, text, on_it, size, family=FIXED_WIDTH, words=words)])


def frame(x: float, y: float, ink: theme.Ink) -> Dict:
    """Around a box of the outputs and the character on its left."""
    return {
        "type": "rect", "x0": x - HALF - 0.26, "x1": x + HALF + 0.03, "y0": y - 0.5, "y1": y + ROW + 0.5,
        "line": {"color": ink.foreground, "width": 2.5},
    }  # fmt: skip


def arrow(tail: tuple[float, float], head: tuple[float, float], colour: str) -> Dict:
    """A straight arrow between two points."""
    return {
        "x": head[0], "y": head[1], "ax": tail[0], "ay": tail[1], "axref": "x", "ayref": "y", "text": "",
        "showarrow": True, "arrowhead": 2, "arrowsize": 1.1, "arrowwidth": 1.8, "arrowcolor": colour,
    }  # fmt: skip


def texts(labels: Sequence[Label]) -> Dict:
    """All labels as one trace, which is less to send than as many annotations."""
    font = {"color": [s.colour for s in labels], "size": [s.size for s in labels], "family": [s.family for s in labels]}
    return {
        "type": "scatter", "mode": "text", "x": [s.x for s in labels], "y": [s.y for s in labels],
        "text": [s.text for s in labels], "textfont": font, "textposition": [s.position for s in labels],
        "hoverinfo": "skip", "cliponaxis": False,
    }  # fmt: skip


def hover(labels: Sequence[Label]) -> Dict:
    """Unseen points that the pointer finds."""
    found = [s for s in labels if s.words]
    return {
        "type": "scatter", "mode": "markers", "x": [s.x for s in found], "y": [s.y for s in found],
        "customdata": [s.words for s in found], "marker": {"size": 20, "opacity": 0},
        "hovertemplate": "%{customdata}<extra></extra>",
    }  # fmt: skip

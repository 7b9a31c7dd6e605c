"""What figures over a text have in common: the axis of its characters, their names, marks, and the scale of signs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnn.figures import theme
from rnn.figures.characters import shielded, visible
from rnn.figures.strokes import FIXED_WIDTH
from rnn.figures.weights import NEGATIVE

FEW = 40  # characters that have room to be written one by one, also on a phone
TICKS = 6  # of more, positions
FULL = 99.5  # percent of all values that the scale reaches

Window = tuple[int, int]  # the first character and the one after the last, from 0
Dict = dict[str, Any]


def name(text: str, t: int) -> str:
    """Character t as a title calls it."""
    return f"“{shielded(visible(text[t]))}” ({t + 1:,})"


def names(text: str, window: Window) -> list[str]:
    """The characters as the pointer finds them: each is another one."""
    return [name(text, t) for t in range(*window)]


def axis(text: str, window: Window, first_at: float, ink: theme.Ink) -> Dict:
    """The axis of the characters: each is written where there is room for it, else some positions are.

    Args:
        text: all of it.
        window: what of it is shown.
        first_at: where the first of these stands on the axis; the next one is at 1 more.
        ink: the page's.
    """
    begin, end = window
    is_few = end - begin <= FEW
    ticks = list(range(begin, end)) if is_few else _positions(begin, end)
    written = [shielded(visible(text[t])) if is_few else f"{t + 1:,}" for t in ticks]
    title = {
        "text": "character read" if is_few else "position of the character in the text", "standoff": 6,
        "font": {"size": 14, "color": ink.foreground},
    }  # fmt: skip
    font = {"size": 12, "color": ink.foreground} | ({"family": FIXED_WIDTH} if is_few else {})
    return {
        "range": [first_at - 0.5, first_at + end - begin - 0.5], "tickmode": "array",
        "tickvals": [first_at + t - begin for t in ticks], "ticktext": written, "tickangle": 0, "tickfont": font,
        "title": title, "showgrid": False, "zeroline": False, "fixedrange": True,
    }  # fmt: skip


def _positions(begin: int, end: int) -> list[int]:
    """Round ones, counted from 1, and few enough for a phone."""
    rough = (end - begin) / TICKS
    digit = 10 ** math.floor(math.log10(rough))
    step = max(1, next(int(digit * m) for m in (1, 2, 5, 10) if digit * m >= rough))
    return [t - 1 for t in range(step * math.ceil((begin + 1) / step), end + 1, step)]


def mark(x: float, ink: theme.Ink, dash: str = "solid") -> Dict:
    """An upright line through all panels at the character that is looked at."""
    return {
        "type": "line", "xref": "x", "x0": x, "x1": x, "yref": "paper", "y0": 0, "y1": 1,
        "line": {"color": ink.foreground, "width": 1.5, "dash": dash},
    }  # fmt: skip


def full(values: NDArray[Any]) -> float:
    """What has the full colour, in two digits: a few values may lie beyond."""
    return rounded_up(float(np.percentile(np.abs(values), FULL))) if values.size else 1.0


def rounded_up(value: float) -> float:
    """To two digits; 1 for 0."""
    if not value > 0:
        return 1.0
    digit = 10.0 ** (math.floor(math.log10(value)) - 1)
    return float(f"{math.ceil(value / digit - 1e-6) * digit:.2g}")


def signed(value: float) -> str:
    """With two decimals and a true minus; of large values two digits."""
    short = f"{value:.2f}" if abs(value) < 1000 else f"{value:.1e}"
    return ("0.00" if short == "-0.00" else short).replace("-", "−")


def signs(vector: str, dark: bool) -> tuple[str, str]:
    """The colours of negative and positive values of "h" or "c"."""
    return NEGATIVE[dark], theme.CELL_STATE if vector == "c" else theme.HIDDEN

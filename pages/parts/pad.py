"""An image of 8 x 8 cells that can be drawn on."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages.parts.alive import component
from rnn.data.digits import SIDE

FULL, SOFT = 16, 7  # ink of a cell: under the pointer, and beside it
KEY = "ask_pad"

_pad = component("pad", '<div class="pad" role="grid"></div>')


def draw(values: list[int], number: int, keep: Callable[[list[int]], None]) -> None:
    """Shows an image.

    Args:
        values: ink of its 64 cells, row by row, 0 to 16.
        number: of the image; the pad keeps what is drawn on it until another number comes.
        keep: gets what was drawn.
    """

    def drawn() -> None:
        given = st.session_state[KEY].drawn
        if isinstance(given, list) and len(given) == SIDE**2 and all(_is_ink(value) for value in given):
            keep([round(value) for value in given])

    label = f"An image of {SIDE} by {SIDE} cells. Move with the arrow keys, fill and empty with the space bar."
    _pad(key=KEY, data={"id": number, "values": values, "soft": SOFT, "label": label}, on_drawn_change=drawn)


def _is_ink(value: object) -> bool:
    """A forged value may be anything."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= FULL

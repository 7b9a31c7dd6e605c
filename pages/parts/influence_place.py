"""The character of the text that the questions about influence are asked of: picked in the text itself."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial

import streamlit as st

from pages.parts import address, alive, shell
from pages.parts.reading import Reading
from rnn.errors import InputError
from rnn.figures import theme
from rnn.figures.weights import NEGATIVE

AT_IN_URL = "unroll_influence_at"
AT = "unroll_influence_place"  # in the session: which text, and the character of it that is looked at
CLOSING = ")]}\"'"  # what such a character depends on may lie far back
LINES = 5  # of the text that are seen at a time

Palette = list[tuple[str, str]]


def chosen(reading: Reading) -> int:
    """The place of this text that was picked last, else one that may look far back."""
    text = reading.text
    usual = _usual(text)
    name, at = st.session_state.setdefault(AT, (reading.name, address.linked_number(AT_IN_URL, usual)))
    at = int(at) if name == reading.name and 0 <= at < len(text) else usual
    address.put_number(AT_IN_URL, at, usual)
    return at


def _usual(text: str) -> int:
    closing = [i for i, c in enumerate(text) if c in CLOSING and i >= len(text) // 4]
    return closing[len(closing) // 2] if closing else (2 * len(text)) // 3


def foretold(reading: Reading) -> int:
    """The same of a character that something was read before.

    Raises:
        InputError: the text has no such character.
    """
    if len(reading.text) < 2:
        raise InputError("What is foretold needs something before it. Type a text of at least two characters.")
    return max(1, chosen(reading))


def text(
    reading: Reading, shown: str, levels: Sequence[int], values: Sequence[str], at: int, key: str, identity: object,
    palette: Palette | None = None, marked: Collection[int] = (), below: Collection[int] = (),
) -> None:  # fmt: skip
    """The painted text; a character that is picked in it becomes the chosen one.

    Args:
        shown: its characters.
        levels, values: the shade of each, and what is said of it.
        at: the chosen one.
        identity: what the paint depends on beside the reading.
        palette: of the levels; None: the usual one.
        marked: characters that are bold and underlined twice.
        below: characters that are underlined.
    """
    alive.coloured_text(
        "", shown, levels, values, "", at, marked, key, partial(_pick, reading.name, key),
        f"{reading.name} {identity}", palette, below, LINES,
    )  # fmt: skip


def _pick(name: str, key: str) -> None:
    picked = alive.picked(key)
    if picked is not None:
        st.session_state[AT] = name, picked


def shades(colour: str) -> Palette:
    """From none to full of one colour."""
    ink = theme.ink(shell.is_dark())
    steps = [level / alive.LEVELS for level in range(1, alive.LEVELS + 1)]
    painted = [(theme.shade(colour, s), theme.text_on(colour, s, ink.background)) for s in steps]
    return [("transparent", ink.foreground), *painted]


def signed_shades(colour: str) -> Palette:
    """From full on the negative side, which is grey, over none to full of the colour."""
    return [*shades(NEGATIVE[shell.is_dark()])[:0:-1], *shades(colour)]


def signed_levels(values: Sequence[float], full: float) -> list[int]:
    """Places in `signed_shades` of values between -full and full."""
    return [alive.LEVELS + round(alive.LEVELS * max(-1.0, min(1.0, value / full))) for value in values]

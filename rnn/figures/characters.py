"""Characters as they are shown: white space, control and combining characters made visible."""

from __future__ import annotations

import unicodedata
from html import escape

NAMES = {" ": "␣", "\n": "⏎", "\t": "⇥", "\r": "␍", "\x00": "␀", "\u00a0": "⍽"}


def visible(character: str) -> str:
    """A short label for one character; never empty, never a control or bidirectional mark itself."""
    if character in NAMES:
        return NAMES[character]
    category = unicodedata.category(character)
    if category[0] in "CZ":  # control, format, unassigned; separators
        return f"U+{ord(character):04X}"
    return f"◌{character}" if category[0] == "M" else character


def legible(text: str) -> str:
    """`text` for a page: lines and tabs stay, other control and bidirectional characters are spelled out.

    One of these could hide what stands there or turn the rest of the line around. Joiners hold emoji together.
    """
    return text if text.isprintable() else "".join(map(_spelled, text))


def _spelled(character: str) -> str:
    if character in "\n\t\u200c\u200d" or character.isprintable() or unicodedata.category(character) == "Zs":
        return character
    return f"<U+{ord(character):04X}>"


def shielded(text: str) -> str:
    """Text as Plotly shows it letter by letter: it reads tags, but no more entities than these three."""
    return escape(text, quote=False)

"""How deep a text is nested in brackets. No torch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

OPENING, CLOSING = "([{", ")]}"


def depths(text: str) -> NDArray[np.int16]:
    """How many brackets are open after each character, (T,); one that closes nothing does not count."""
    depth, found = 0, np.zeros(len(text), np.int16)
    for t, character in enumerate(text):
        depth = depth + 1 if character in OPENING else max(0, depth - (character in CLOSING))
        found[t] = depth
    return found


def share(text: str) -> float:
    """Of the characters, the share that are brackets; 0 of no text."""
    return sum(c in OPENING + CLOSING for c in text) / max(1, len(text))

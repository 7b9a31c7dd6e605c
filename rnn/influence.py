"""How far something extends along a text: within which distance most of it lies, and after which it is gone."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnn.errors import ConfigError

MOST = 0.9  # the share of all influence that is called its reach
FORGOTTEN = 0.01  # of the first change


def reach(norms: NDArray[Any], share: float = MOST) -> int:
    """The least number of characters, counted back from the nearest, that hold this share of the sum; 0 of nothing.

    Args:
        norms: one for each character, not negative, the nearest last, (n,).
        share: between 0 and 1.
    """
    held = held_within(norms)
    return int(np.argmax(held >= share * (1 - 1e-12))) + 1 if held.size and held[-1] > 0 else 0


def held_within(norms: NDArray[Any]) -> NDArray[np.float64]:
    """The share of the sum that the nearest 1, 2, ... n characters hold; zeros where there is no influence.

    Args:
        norms: as `reach` takes them, (..., n).

    Returns:
        Rising to 1, (..., n).
    """
    nearest = np.flip(np.asarray(norms, np.float64), axis=-1)
    largest = nearest.max(axis=-1, keepdims=True, initial=0.0)
    running = np.cumsum(nearest / np.where(largest > 0, largest, 1), axis=-1)  # scaled, or tiny ones would underflow
    total = running[..., -1:]
    shares: NDArray[np.float64] = running / np.where(total > 0, total, 1)
    return shares


def forgotten_after(sizes: NDArray[Any], position: int, share: float = FORGOTTEN) -> int | None:
    """From how many characters away on a change is smaller than `share` of what it was at its own place.

    Args:
        sizes: of the change at every place of the text, (T,).
        position: where it was made.
        share: of the size there.

    Returns:
        0 if nothing changed anywhere; None if it is not yet forgotten where the text ends.

    Raises:
        ConfigError: there is no such place.
    """
    if not 0 <= position < len(sizes):
        raise ConfigError(f"The text has {len(sizes):,} characters; there is none at {position + 1:,}.")
    large = np.flatnonzero(sizes >= share * sizes[position]) if sizes[position] > 0 else np.flatnonzero(sizes)
    if not large.size:
        return 0
    last = int(np.abs(large - position).max()) + 1
    ends = max(len(sizes) - 1 - position, position if large.min() < position else 0)
    return last if last <= ends else None

"""Windows of a text with one character blanked out: for a network that reads both sides and fills the blank in."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnn.data.sequences import Integers
from rnn.errors import ConfigError, TextError

Where = Literal["middle", "anywhere"]


class Windows(NamedTuple):
    """Some windows of one length, each with one blank.

    Attributes:
        inputs: (count, length), character indices and the index of the blank.
        targets: (count,), the characters that were blanked out.
        positions: (count,), where in the window each blank is.
    """

    inputs: Integers
    targets: Integers
    positions: Integers


def windows(
    encoded: NDArray[Any],
    blank: int,
    seed: int,
    step: int,
    count: int,
    length: int,
    where: Where = "anywhere",
) -> Windows:
    """The windows of one step, drawn uniformly.

    Args:
        encoded: the part of the text to draw from, shape (n,).
        blank: the index of the blank, which is no character's: V, the size of the vocabulary.
        where: the blank is in the middle of every window, or uniformly anywhere.

    Raises:
        TextError: the text is shorter than one window.
        ConfigError: `length` is below 1 or `where` is neither.
    """
    last = _last_start(encoded, length, where)
    rng = np.random.default_rng([seed, step])
    starts = rng.integers(0, last + 1, count)
    positions = rng.integers(0, length, count)
    return _windows(encoded, blank, starts, _positions(positions, length, where), length)


def validation_windows(
    encoded: NDArray[Any], blank: int, count: int, length: int, where: Where = "anywhere"
) -> Windows:
    """Always the same windows, evenly over the text, with blanks in every position alike; at most `count`.

    There are fewer where the text has fewer different windows. Arguments and errors are those of `windows`.
    """
    last = _last_start(encoded, length, where)
    starts = np.unique(np.linspace(0, last, count).round().astype(np.int64))
    return _windows(encoded, blank, starts, _positions(np.arange(len(starts)) % length, length, where), length)


def _last_start(encoded: NDArray[Any], length: int, where: Where) -> int:
    if length < 1 or where not in ("middle", "anywhere"):
        raise ConfigError(
            f"A window has 1 character or more, one blank in the middle or anywhere; not {length} and {where!r}."
        )
    if len(encoded) < length:
        raise TextError(
            f"The text has {len(encoded):,} characters and a window {length:,}: use a longer text or a shorter window."
        )
    return len(encoded) - length


def _positions(positions: Integers, length: int, where: Where) -> Integers:
    return np.full_like(positions, length // 2) if where == "middle" else positions


def _windows(encoded: NDArray[Any], blank: int, starts: Integers, positions: Integers, length: int) -> Windows:
    inputs = encoded[starts[:, None] + np.arange(length)].astype(np.int64)
    rows = np.arange(len(starts))
    targets = inputs[rows, positions]
    inputs[rows, positions] = blank
    return Windows(inputs, targets, positions)

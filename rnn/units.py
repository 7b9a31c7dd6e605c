"""Which unit follows what: how the state of every unit goes with features of the text, and what chance would give.

r is Pearson's correlation, from -1 to 1: how nearly a unit's state is a straight line of a feature. No torch.

Among hundreds of units one always goes with something. How far chance takes the best of them is measured with the same
states and features, the one shifted against the other in a circle: that parts the two, and leaves each as it is. To
shuffle the characters would not do, for both change slowly, so neighbours say the same twice, and r of two slow rows of
numbers is large by chance more often than that of two quick ones. At every shift the largest |r| of all units is kept,
because the unit that is shown was picked out of all of them too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnn.errors import InputError
from rnn.records import Trace

SHORTEST = 40  # characters: fewer leave too few shifts to say what is chance
LEVEL = 0.95  # share of the shifts at which even the best unit stays below the chance level
NEAR = 0.1  # of the text: a smaller shift leaves too much of what slow rows have in common
_CONSTANT = 1e-6  # a unit that moves by less, as a share of its largest state, stands still but for rounding
_BLOCK = 256  # units whose shifts are computed together: memory does not grow with the network

Floats = NDArray[np.float64]


# Features -----------------------------------------------------------------------------------------------------------


def bracket_depth(text: str) -> Floats:
    """How many brackets of any kind are open after each character.

    A part of a longer text may close more of them than it opened; the others were open when it began.
    """
    steps = np.array([(c in "([{") - (c in ")]}") for c in text], np.float64)
    depth = np.cumsum(steps)
    return np.asarray(depth - min(0.0, depth.min(initial=0.0)))


def inside_quotes(text: str) -> Floats:
    """1 between quotation marks, of either kind, the opening one included; 0 elsewhere.

    A single mark between letters is an apostrophe. An empty line ends what somebody has forgotten to close.
    """
    closing, found = "", []
    for i, c in enumerate(text):
        before, after = text[i - 1 : i], text[i + 1 : i + 2]
        if closing:
            is_apostrophe = c in "'’" and after.isalnum()
            if (c == closing and not is_apostrophe) or (c == "\n" and before == "\n"):
                closing = ""
        elif c in _CLOSING and not (c == "'" and before.isalnum()):
            closing = _CLOSING[c]
        found.append(bool(closing))
    return np.array(found, np.float64)


_CLOSING = {'"': '"', "'": "'", "“": "”", "‘": "’", "«": "»", "„": "“"}


def position_in_line(text: str) -> Floats:
    """Characters since the last line break; all the same, 0, where the text has none."""
    return _since(text, lambda c: c == "\n") if "\n" in text else np.zeros(len(text))


def position_in_word(text: str) -> Floats:
    """Letters since the last other character."""
    return _since(text, lambda c: not c.isalpha())


def _since(text: str, is_start: Callable[[str], bool]) -> Floats:
    count, found = 0, []
    for c in text:
        count = 0 if is_start(c) else count + 1
        found.append(count)
    return np.array(found, np.float64)


def indentation(text: str) -> Floats:
    """Spaces at the beginning of the line, as far as it has been read; a tab counts as 4."""
    width, is_open, found = 0, True, []
    for c in text:
        if c == "\n":
            width, is_open = 0, True
        elif is_open and c in " \t":
            width += 4 if c == "\t" else 1
        else:
            is_open = False
        found.append(width)
    return np.array(found, np.float64)


def _of_character(holds: Callable[[str], bool]) -> Callable[[str], Floats]:
    return lambda text: np.array([holds(c) for c in text], np.float64)


FEATURES: Mapping[str, Callable[[str], Floats]] = {
    "inside quotes": inside_quotes,
    "bracket depth": bracket_depth,
    "position in line": position_in_line,
    "indentation": indentation,
    "position in word": position_in_word,
    "upper case": _of_character(str.isupper),
    "vowel": _of_character(lambda c: c.lower() in "aeiou"),
    "space": _of_character(str.isspace),
    "digit": _of_character(str.isdigit),
}
"""What may be followed: a number for each character of a text, (T,), by its name."""


# Correlations -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Unit:
    """One number of the network's state.

    Attributes:
        layer: from 0, the lowest.
        reverse: whether its layer reads the text from the end.
        vector: "h" or "c".
        number: its place in the vector, from 0.
    """

    layer: int
    reverse: bool
    vector: str
    number: int


@dataclass(frozen=True)
class Correlations:
    """How the units go with the features of a text.

    Attributes:
        features: those that vary in the text, F of them.
        constant: those that do not, so nothing can go with them.
        units: of all layers, directions and vectors, N of them.
        r: the correlation of each unit with each feature, (F, N); 0 of a unit that stands still.
        chance: the |r| that the best of all units reaches by chance in one of twenty texts, (F,).
        length: T, the characters that it was measured on.
    """

    features: tuple[str, ...]
    constant: tuple[str, ...]
    units: tuple[Unit, ...]
    r: Floats
    chance: Floats
    length: int

    def ranked(self, feature: str, most: int) -> list[tuple[Unit, float]]:
        """The units that go with a feature best, the best one first, each with its r."""
        row = self.r[self.features.index(feature)]
        return [(self.units[n], float(row[n])) for n in np.argsort(-np.abs(row), kind="stable")[:most]]

    def best(self, feature: str) -> tuple[Unit, float]:
        """The unit that goes with a feature best, and its r."""
        return self.ranked(feature, 1)[0]

    def is_above_chance(self, feature: str) -> bool:
        """Whether the best unit goes with the feature further than chance would take it."""
        return abs(self.best(feature)[1]) > float(self.chance[self.features.index(feature)])


def correlations(trace: Trace, features: Mapping[str, Callable[[str], Floats]] = FEATURES) -> Correlations:
    """Every unit's h and c, in every layer and direction, against every feature of the text that was read.

    Raises:
        InputError: the text is shorter than `SHORTEST`.
    """
    if len(trace) < SHORTEST:
        raise InputError(
            f"The text has {_characters(len(trace))}; to tell what a unit follows from chance takes at least "
            f"{SHORTEST}. Give a longer one."
        )
    values = {name: feature(trace.text) for name, feature in features.items()}
    varying = tuple(name for name, row in values.items() if np.ptp(row) > 0)
    constant = tuple(name for name in values if name not in varying)
    units, states = every_state(trace)
    targets = np.array([values[name] for name in varying]).reshape(len(varying), len(trace))
    T = len(trace)
    r = standardised(targets) @ standardised(states).T / T
    return Correlations(varying, constant, units, r, chance_level(states, targets), T)


def every_state(trace: Trace) -> tuple[tuple[Unit, ...], NDArray[np.float32]]:
    """All units of a trace and their states, (N, T)."""
    units: list[Unit] = []
    rows: list[NDArray[np.float32]] = []
    for layer, passes in enumerate(trace.layers):
        for one in passes:
            for vector, states in (("h", one.h), ("c", one.c)):
                if states is not None:
                    units += [Unit(layer, one.reverse, vector, number) for number in range(states.shape[1])]
                    rows.append(states.T)
    return tuple(units), np.concatenate(rows)


def standardised(rows: NDArray[np.float32] | Floats) -> Floats:
    """Each row with mean 0 and mean square 1; zeros where it stands still. (N, T)"""
    centred = rows.astype(np.float64)
    centred -= centred.mean(axis=1, keepdims=True)
    spread = np.sqrt(np.square(centred).mean(axis=1, keepdims=True))
    moves = spread > _CONSTANT * np.abs(rows).max(axis=1, keepdims=True)
    return np.asarray(np.where(moves, centred / np.where(moves, spread, 1.0), 0.0))


def chance_level(states: NDArray[np.float32] | Floats, targets: Floats) -> Floats:
    """The |r| below which the best of all units stays at 95 % of the shifts of the states against each feature, (F,).

    The correlations of two rows at all T circular shifts are one product of their Fourier transforms. A transform is
    quick where T has no large prime factor, so the last few characters are left out here.

    Args:
        states: (N, T).
        targets: the features, (F, T).
    """
    T = quick_length(states.shape[1])
    units, wanted = standardised(states[:, :T]).astype(np.float32), standardised(targets[:, :T]).astype(np.float32)
    found = np.zeros((len(wanted), T), np.float32)  # the largest |r| at each shift
    transformed = np.fft.rfft(wanted).conj() / T
    for begin in range(0, len(units), _BLOCK):
        block = np.fft.rfft(units[begin : begin + _BLOCK])
        for largest, target in zip(found, transformed, strict=True):
            at_shifts = np.fft.irfft(block * target, T)
            np.maximum(largest, np.maximum(at_shifts.max(axis=0), -at_shifts.min(axis=0)), out=largest)
    near = max(1, int(NEAR * T))
    return np.asarray(np.quantile(found[:, near : T - near + 1], LEVEL, axis=1), np.float64)


def quick_length(length: int) -> int:
    """The largest number up to `length` with no prime factor above 11."""
    return next(n for n in range(length, 0, -1) if _is_quick(n))


def _is_quick(n: int) -> bool:
    for factor in (2, 3, 5, 7, 11):
        while n % factor == 0:
            n //= factor
    return n == 1


def _characters(count: int) -> str:
    return f"{count} character{'' if count == 1 else 's'}"

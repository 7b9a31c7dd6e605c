"""Where else the same units are on: a span of a text is chosen, and a long text is searched for its pattern.

As in LSTMVis (Strobelt et al. 2018, "LSTMVis: a tool for visual analysis of hidden state dynamics in recurrent neural
networks"): a unit is on where its state is at least a threshold, and the pattern of a span is the set of units that
are on at each of its characters. No torch.

A window of half the span's length (rounded up) has as many of these units on throughout. The stretch that it belongs
to is the longest one around it at which all of them stay on; stretches of more than twice the span's length are no
match, nor those with fewer than half of the units. With `alone`, a unit counts where it is on throughout the stretch
and off just before it and just after it. The best come first: most of the units, then fewest other units on throughout,
then the length nearest to the span's, then the place. Of two that overlap, the better one stays.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from rnn.errors import InputError
from rnn.levels import Levels
from rnn.stepwise import Stepwise, to_the_end

MOST_MATCHES = 100
MOST_SPAN = 200  # characters
BATCH = 10_000  # candidates that are ranked together at least: what they have in common is counted once for all

Span = tuple[int, int]  # the first character and the one after the last, from 0
Places = NDArray[np.int64]
Mask = NDArray[np.bool_]
# How many units each candidate has, and what gives begin and end of those with these numbers
Candidates = tuple[Places, Callable[[Places], Stepwise[tuple[Places, Places]]]]


@dataclass(frozen=True)
class Pattern:
    """What is searched for.

    Attributes:
        units: those that are on throughout the span, from 0, in order.
        length: of the span, characters.
        threshold: of what counts as on, one of `Levels.thresholds`.
        both_signs: whether a state below minus the threshold counts as well.
        alone: whether the units are to be off just before and just after.
    """

    units: tuple[int, ...]
    length: int
    threshold: float
    both_signs: bool = False
    alone: bool = False

    @property
    def window(self) -> int:
        """The fewest characters of a match."""
        return (self.length + 1) // 2

    @property
    def least(self) -> int:
        """The fewest of the units in a match."""
        return (len(self.units) + 1) // 2


@dataclass(frozen=True, slots=True)
class Match:
    """A stretch of the text that was searched.

    Attributes:
        begin, end: its first character and the one after its last, from 0.
        units: how many of the pattern's units are on throughout.
        others: how many other units are on throughout.
    """

    begin: int
    end: int
    units: int
    others: int


def is_on(states: NDArray[np.float32], threshold: float, both_signs: bool = False) -> Mask:
    """Where states are at least the threshold or, with `both_signs`, below minus it."""
    found: Mask = states >= threshold
    return found | (states < -threshold) if both_signs else found


def pattern_of(
    states: NDArray[np.float32], span: Span, threshold: float, both_signs: bool = False, alone: bool = False
) -> Pattern:
    """The pattern of a span; its units may be none.

    Args:
        states: of one layer over the text, (T, H).
        span: at least one character, at most `MOST_SPAN`.
        threshold, both_signs, alone: see `Pattern`.

    Raises:
        InputError: there is no such span.
    """
    begin, end = span
    if not 0 <= begin < end <= len(states) or end - begin > MOST_SPAN:
        raise InputError(
            f"A span has 1 to {MOST_SPAN} characters of the text's {len(states):,}; this one goes from {begin + 1} "
            f"to {end}."
        )
    on = is_on(states, threshold, both_signs)
    chosen = on[begin:end].all(axis=0)
    if alone:
        around = [t for t in (begin - 1, end) if 0 <= t < len(states)]
        chosen &= ~on[around].any(axis=0)
    return Pattern(tuple(np.flatnonzero(chosen).tolist()), end - begin, threshold, both_signs, alone)


def search(
    levels: Levels, pattern: Pattern, besides: Span | None = None, most: int = MOST_MATCHES
) -> tuple[Match, ...]:
    """The best matches of a pattern; the arguments are those of `searching`."""
    return to_the_end(searching(levels, pattern, besides, most))


def searching(
    levels: Levels, pattern: Pattern, besides: Span | None = None, most: int = MOST_MATCHES
) -> Stepwise[tuple[Match, ...]]:
    """The best matches of a pattern, the best first, in turns.

    Args:
        levels: of the text that is searched.
        pattern: with one unit at least; none gives no match.
        besides: a stretch of that text which is no match: where the span itself stands.
        most: so many are returned at most.

    Raises:
        ConfigError: the threshold is none of the levels'.
    """
    if not pattern.units or len(levels) < pattern.window:
        return ()
    find = _equal_runs if pattern.alone else _windows
    units, stretches_of = yield from find(levels, pattern)
    is_taken = np.zeros(len(levels), bool)
    if besides is not None:
        is_taken[slice(*besides)] = True
    found: list[Match] = []
    for batch in _batches(units, pattern.least):
        begins, ends = yield from stretches_of(batch)
        begins, ends, counts = _distinct(begins, ends, units[batch], 2 * pattern.length)
        others = yield from _others(levels, pattern, begins, ends)
        order = np.lexsort((begins, np.abs(ends - begins - pattern.length), others, -counts))
        for begin, end, count, other in np.stack([begins, ends, counts, others], axis=1)[order].tolist():
            if not is_taken[begin:end].any():
                is_taken[begin:end] = True
                found.append(Match(begin, end, count, other))
                if len(found) == most:
                    return tuple(found)
    return tuple(found)


def next_characters(text: str, matches: Sequence[Match]) -> Counter[str]:
    """How often each character comes directly after a match; after one at the end of the text there is none."""
    return Counter(text[match.end] for match in matches if match.end < len(text))


# Candidates: windows, or runs that several units have in common --------------------------------------------------


def _windows(levels: Levels, pattern: Pattern) -> Stepwise[Candidates]:
    """Of the window that begins at each character, how many of the units are on throughout."""
    units = np.zeros(len(levels) - pattern.window + 1, np.int64)
    for unit in pattern.units:
        units += _throughout(_on(levels, pattern, unit), pattern.window)
        yield
    return units, partial(_grown, levels, pattern)


def _throughout(on: Mask, length: int) -> Mask:
    """Whether all of `length` characters are on, from each one: twice as many in each round."""
    reached = 1
    while reached < length:
        step = min(reached, length - reached)
        on = on[:-step] & on[step:]
        reached += step
    return on


def _grown(levels: Levels, pattern: Pattern, windows: Places) -> Stepwise[tuple[Places, Places]]:
    """The stretches of these windows: of all runs that hold a window, the latest begin and the earliest end."""
    begins, ends = np.zeros_like(windows), np.full_like(windows, len(levels))
    for unit in pattern.units:
        run_begins, run_ends = _runs(_on(levels, pattern, unit))
        if not len(run_begins):
            continue
        run = np.searchsorted(run_begins, windows, side="right") - 1  # -1, the last one, ends too late to be inside
        is_inside = (run >= 0) & (run_ends[run] >= windows + pattern.window)
        begins = np.where(is_inside, np.maximum(begins, run_begins[run]), begins)
        ends = np.where(is_inside, np.minimum(ends, run_ends[run]), ends)
        yield
    return begins, ends


def _equal_runs(levels: Levels, pattern: Pattern) -> Stepwise[Candidates]:
    """The runs of about the span's length, how many of the units have each, and what gives them by their numbers."""
    base = 2 * pattern.length + 1
    codes = []
    for unit in pattern.units:
        begins, ends = _runs(_on(levels, pattern, unit))
        is_near = (ends - begins >= pattern.window) & (ends - begins < base)
        codes.append((begins * base + ends - begins)[is_near])
        yield
    runs, units = np.unique(np.concatenate(codes), return_counts=True)

    def stretches_of(numbers: Places) -> Stepwise[tuple[Places, Places]]:
        yield
        begins, lengths = np.divmod(runs[numbers], base)
        return begins, begins + lengths

    return units, stretches_of


def _batches(units: Places, least: int) -> Iterator[Places]:
    """The numbers of candidates, those with the most units first: at once all that have as many or about as many."""
    reached = np.bincount(units, minlength=least + 1)[::-1].cumsum()[::-1]  # with so many units or more
    top = len(reached)
    while top > least:
        floor, before = top - 1, reached[top] if top < len(reached) else 0
        while floor > least and reached[floor] - before < BATCH:
            floor -= 1
        yield np.flatnonzero((units >= floor) & (units < top))
        top = floor


def _distinct(begins: Places, ends: Places, counts: Places, longest: int) -> tuple[Places, Places, Places]:
    """Each stretch once, where it is not too long."""
    is_near = ends - begins <= longest
    codes, first = np.unique(begins[is_near] * (longest + 1) + (ends - begins)[is_near], return_index=True)
    begins, lengths = np.divmod(codes, longest + 1)
    return begins, begins + lengths, counts[is_near][first]


def _others(levels: Levels, pattern: Pattern, begins: Places, ends: Places) -> Stepwise[Places]:
    """How many units outside the pattern are on throughout each stretch."""
    others = np.zeros(len(begins), np.int64)
    before = np.zeros(len(levels) + 1, np.int32)  # how many characters are on before each
    for unit in sorted(set(range(levels.hidden_size)) - set(pattern.units)):
        np.cumsum(_on(levels, pattern, unit), out=before[1:])
        others += before[ends] - before[begins] == ends - begins
        yield
    return others


def _on(levels: Levels, pattern: Pattern, unit: int) -> Mask:
    return levels.on(unit, pattern.threshold, pattern.both_signs)


def _runs(on: Mask) -> tuple[Places, Places]:
    """Begin and end of each run of characters that are on, in order."""
    edges = np.flatnonzero(np.diff(on, prepend=False, append=False))
    return edges[::2], edges[1::2]

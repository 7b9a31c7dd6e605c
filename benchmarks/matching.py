"""Searching for the pattern of a span: `rnn.matching` against the definition in plain Python, and one long text.

The definition runs once, on a short text; ours a few times, of which the median is told. The long text is the standard
library's source, and the models have first weights, three times as large as usual, so that states move.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.copying import long_text, median_seconds, peak
from rnn.config import ModelConfig
from rnn.levels import Levels, Scan, most_characters
from rnn.matching import MOST_MATCHES, Match, Pattern, is_on, pattern_of, search
from rnn.models import CharRNN
from rnn.shipped import open_shipped
from rnn.stepwise import to_the_end
from rnn.trace import trace
from rnn.vocabulary import Vocabulary

SHORT, LONG = 2_000, 1_000_000
SIZES = (128, 192)
THRESHOLD = 0.25
SPANS = {(40, 46): False, (127, 131): True}  # and whether the units are to be off around it


def run() -> None:
    checkpoint = open_shipped("lstm")
    text = long_text()
    known = "".join(c for c in text[: 2 * SHORT] if c in checkpoint.vocabulary)[:SHORT]
    indices = checkpoint.vocabulary.encode(known)
    weights = checkpoint.weights("best")
    states = trace(checkpoint.model, weights, checkpoint.vocabulary, known[:200]).layers[0][0].h
    levels = to_the_end(Scan(checkpoint.model, weights, indices).turns())
    every = unpacked(levels)
    print(f"The shipped LSTM over {SHORT:,} characters: search() against the definition, seconds")
    for span, alone in SPANS.items():
        pattern = pattern_of(states, span, THRESHOLD, alone=alone)
        ours = median_seconds(partial(search, levels, pattern))
        started = time.perf_counter()
        expected = plain(every, pattern)
        theirs = time.perf_counter() - started
        if search(levels, pattern) != expected:
            raise AssertionError("The two found different matches.")
        print(
            f"  {pattern.length} characters, {len(pattern.units):2} units{', off around' if alone else '':12} "
            f"{ours:7.4f} {theirs:7.3f}   {theirs / ours:5.0f}x   {len(expected)} matches",
            flush=True,
        )
    print("One pass over 1,000,000 characters and one search of them, seconds")
    for hidden_size in SIZES:
        one_long(text[:LONG], hidden_size)


def one_long(text: str, hidden_size: int) -> None:
    vocabulary = Vocabulary.from_text(text, 255)
    indices = vocabulary.encode(text, "replace")[: most_characters(hidden_size)]
    for cell in ("rnn", "gru", "lstm"):
        config = ModelConfig(cell, hidden_size)
        weights = {
            name: 3 * tensor.numpy() for name, tensor in CharRNN(config, len(vocabulary), seed=0).state_dict().items()
        }
        started = time.perf_counter()
        levels = to_the_end(Scan(config, weights, indices).turns())
        passed = time.perf_counter() - started
        start = trace(config, weights, vocabulary, vocabulary.decode(indices[:200])).layers[0][0].h
        pattern = pattern_of(start, next(iter(SPANS)), THRESHOLD)
        work: Callable[[], Any] = partial(search, levels, pattern)
        print(
            f"  {cell:4} H {hidden_size}  {len(indices):9,} characters, {levels.planes.nbytes / 2**20:.0f} MB: "
            f"pass {passed:5.1f}, search for {len(pattern.units):3} units {median_seconds(work):5.2f}, {peak(work)}",
            flush=True,
        )


def unpacked(levels: Levels) -> NDArray[np.float32]:
    """The least values (N, H) that have these levels."""
    halves = np.stack([levels.planes & 15, levels.planes >> 4], axis=1).reshape(-1, len(levels))
    return ((halves[: levels.hidden_size].T.astype(np.float32) - 8) / 8) * np.float32(levels.full)


def plain(
    states: NDArray[np.float32], pattern: Pattern, besides: tuple[int, int] | None = None, most: int = MOST_MATCHES
) -> tuple[Match, ...]:
    """What `rnn.matching` says that it finds, character by character.

    Args:
        states: of the text that is searched, (N, H).
    """
    on = is_on(states, pattern.threshold, pattern.both_signs)
    N, H = on.shape

    def throughout(units: Any, begin: int, end: int) -> list[int]:
        return [u for u in units if on[begin:end, u].all()]

    def stretches() -> Any:
        for t in range(N - pattern.window + 1):
            units = throughout(pattern.units, t, t + pattern.window)
            begin, end = t, t + pattern.window
            while begin > 0 and on[begin - 1, units].all():
                begin -= 1
            while end < N and on[end, units].all():
                end += 1
            yield begin, end, units

    def stretches_alone() -> Any:
        for begin in range(N):
            for end in range(begin + pattern.window, min(N, begin + 2 * pattern.length) + 1):
                units = throughout(pattern.units, begin, end)
                around = [t for t in (begin - 1, end) if 0 <= t < N]
                yield begin, end, [u for u in units if not on[around, u].any()]

    ranked = sorted(
        {
            (-len(units), len(throughout(set(range(H)) - set(pattern.units), begin, end)),
             abs(end - begin - pattern.length), begin, end)
            for begin, end, units in (stretches_alone() if pattern.alone else stretches())
            if units and len(units) >= pattern.least and end - begin <= 2 * pattern.length
        }
    )  # fmt: skip
    found: list[Match] = []
    taken = set(range(*besides)) if besides else set()
    for units, others, _, begin, end in ranked:
        if len(found) < most and taken.isdisjoint(range(begin, end)):
            taken.update(range(begin, end))
            found.append(Match(begin, end, -units, others))
    return tuple(found)

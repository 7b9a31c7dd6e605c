"""A timeline shows where a run began, where it is, and what lies evenly between."""

from __future__ import annotations

from itertools import pairwise

import pytest

from rnn.runs.timeline import timeline


@pytest.mark.parametrize("most", [2, 3, 4, 7])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 12, 25])
def test_the_first_and_the_last_are_always_among_at_most_so_many(count: int, most: int) -> None:
    samples = [(n, f"text {n}") for n in range(count)]
    chosen = timeline(samples, most)
    assert len(chosen) == min(count, most)
    assert chosen[:1] == samples[:1]
    assert chosen[-1:] == samples[-1:]
    gaps = [b - a for (a, _), (b, _) in pairwise(chosen)]
    assert all(gap >= 1 for gap in gaps)
    assert max(gaps, default=0) - min(gaps, default=0) <= 1


def test_all_are_shown_where_there_is_room() -> None:
    assert timeline([(0, "q"), (10, "th")]) == [(0, "q"), (10, "th")]

"""Diversity counts what differs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn.diversity import Diversity, diversity

TEXTS = st.lists(st.text("ab", max_size=9), max_size=6)


def test_copies_are_not_different_and_their_grams_are_counted_once() -> None:
    assert diversity(["abcdef"] * 4) == Diversity(4, 1, 3 / 12, 6)


def test_texts_without_a_common_letter_share_nothing() -> None:
    assert diversity(["abcd", "bcde", "cdef"]) == Diversity(3, 3, 1.0, 0)


def test_one_that_repeats_itself_has_few_distinct_grams() -> None:
    assert diversity(["abababababab"]).distinct == pytest.approx(2 / 9)


@pytest.mark.parametrize("texts", [[], [""], ["ab", ""]])
def test_too_little_to_count_is_zero(texts: list[str]) -> None:
    found = diversity(texts)
    assert (found.distinct, found.shared) == (0.0, 0)


@given(TEXTS)
def test_it_is_what_counting_one_by_one_gives(texts: list[str]) -> None:
    found = diversity(texts)
    every = [t[i : i + 4] for t in texts for i in range(len(t)) if len(t[i : i + 4]) == 4]
    assert found.texts == len(texts)
    assert found.different == len(dict.fromkeys(texts))
    assert found.distinct == (len(dict.fromkeys(every)) / len(every) if every else 0)
    shared = [n for n in range(10) if texts and all(len(t) >= n and t[:n] == texts[0][:n] for t in texts)]
    assert found.shared == max(shared, default=0)

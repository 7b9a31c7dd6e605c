"""Units and features: r is numpy's, a planted unit is found, and chance is told from it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn import corpora
from rnn.config import CELLS, ModelConfig
from rnn.errors import InputError
from rnn.records import LayerTrace, Trace
from rnn.shipped import open_shipped
from rnn.trace import trace
from rnn.units import (
    FEATURES,
    SHORTEST,
    bracket_depth,
    chance_level,
    correlations,
    every_state,
    indentation,
    inside_quotes,
    position_in_line,
    position_in_word,
    quick_length,
    standardised,
)
from rnn.vocabulary import Vocabulary

TEXT = (
    'def area(sides):\n    """The area."""\n    first, *others = sides[0], [2, (3)]\n    return first * others[1][0]\n'
    "She said: “Don't count the students' 12 (twelve) 'words' here.” Then 'he' left.\n"
) * 2  # fmt: skip


def traced(states: np.ndarray, text: str) -> Trace:
    """A trace whose one layer has these states, (T, H)."""
    vocabulary = Vocabulary.from_text(text)
    V = len(vocabulary)
    return Trace(
        text, vocabulary.characters, vocabulary.encode(text).astype(np.int64),
        ((LayerTrace(states.astype(np.float32), None, {}),),),
        np.zeros((len(text), V), np.float32), np.full((len(text), V), 1 / V, np.float32),
    )  # fmt: skip


def slow_noise(rng: np.random.Generator, T: int, H: int, memory: float = 0.9) -> np.ndarray:
    """States that change slowly and follow nothing, (T, H)."""
    states = np.zeros((T, H))
    for t in range(1, T):
        states[t] = memory * states[t - 1] + rng.standard_normal(H)
    return states


# Features


def test_depth_counts_the_brackets_that_are_open() -> None:
    assert bracket_depth("a(b[c]{}d)e").tolist() == [0, 1, 1, 2, 2, 1, 2, 1, 1, 0, 0]


@given(st.text("()", min_size=1, max_size=40), st.integers(0, 40))
def test_depth_of_a_part_differs_from_that_of_the_whole_by_a_constant(text: str, begin: int) -> None:
    whole, part = bracket_depth(text), bracket_depth(text[begin:])
    assert np.ptp(whole[begin:] - part) == 0 if len(part) else True
    assert (part >= 0).all()


def test_depth_of_the_generated_text_is_what_its_digits_say() -> None:
    text = corpora.nested_parentheses(2_000, seed=3)
    depth = bracket_depth(text)
    assert all(depth[i] == int(c) for i, c in enumerate(text) if c.isdigit())


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ('a"b c"d', ".####.."),
        ("it's the boys' hat", "." * 18),
        ("say 'it's so' now", "....########....."),
        ("“a ‘b’ c”.", "########.."),
        ('"open\n\nnew', "######...."),
        ("", ""),
    ],
)
def test_quotes_are_told_from_apostrophes(text: str, inside: str) -> None:
    assert "".join("#" if value else "." for value in inside_quotes(text)) == inside


def test_positions_begin_anew_with_each_line_and_word() -> None:
    assert position_in_line("ab\nc d").tolist() == [1, 2, 0, 1, 2, 3]
    assert position_in_line("one line").tolist() == [0] * 8
    assert position_in_word("ab c1d").tolist() == [1, 2, 0, 1, 0, 1]


def test_indentation_is_what_has_been_read_of_it() -> None:
    assert indentation("  a b\n\tc\nd").tolist() == [1, 2, 2, 2, 2, 0, 4, 4, 0, 0]


@pytest.mark.parametrize("name", FEATURES)
def test_every_feature_varies_in_a_text_that_has_it_all(name: str) -> None:
    values = FEATURES[name](TEXT)
    assert values.shape == (len(TEXT),)
    assert np.ptp(values) > 0


# r


def test_r_is_that_of_numpy() -> None:
    states = slow_noise(np.random.default_rng(0), len(TEXT), 5)
    found = correlations(traced(states, TEXT))
    assert found.features == tuple(FEATURES)
    for name, row in zip(found.features, found.r, strict=True):
        values = FEATURES[name](TEXT)
        expected = [np.corrcoef(states[:, n].astype(np.float32), values)[0, 1] for n in range(5)]
        np.testing.assert_allclose(row, expected, atol=1e-9)


@pytest.mark.parametrize("cell", CELLS)
def test_every_state_of_a_network_has_its_row(cell: str) -> None:
    from rnn.models import CharRNN

    vocabulary = Vocabulary.from_text(TEXT)
    config = ModelConfig(cell=cell, hidden_size=3, num_layers=2, bidirectional=True)
    weights = {name: w.numpy() for name, w in CharRNN(config, len(vocabulary), seed=0).state_dict().items()}
    seen = trace(config, weights, vocabulary, TEXT)
    units, rows = every_state(seen)
    assert len(units) == len(rows) == 2 * 2 * 3 * (2 if cell == "lstm" else 1)
    for unit, row in zip(units, rows, strict=True):
        one = seen.layers[unit.layer][unit.reverse]
        assert one.reverse == unit.reverse
        assert np.array_equal(row, getattr(one, unit.vector)[:, unit.number])


def test_a_unit_that_stands_still_goes_with_nothing() -> None:
    states = slow_noise(np.random.default_rng(0), len(TEXT), 3)
    states[:, 1] = 0.7
    states[:, 2] = 0.0
    found = correlations(traced(states, TEXT))
    assert (found.r[:, 1:] == 0).all()
    assert (found.r[:, 0] != 0).all()


def test_what_does_not_vary_is_left_out_and_named() -> None:
    found = correlations(traced(slow_noise(np.random.default_rng(0), 60, 2), "(a)" * 20))
    assert found.features == ("bracket depth", "position in word", "vowel")
    assert set(found.constant) == set(FEATURES) - set(found.features)
    nothing = correlations(traced(slow_noise(np.random.default_rng(0), 60, 2), "-" * 60))
    assert (nothing.features, nothing.r.shape, nothing.chance.shape) == ((), (0, 2), (0,))


@pytest.mark.parametrize("length", [1, SHORTEST - 1])
def test_too_short_a_text_is_a_sentence(length: int) -> None:
    with pytest.raises(InputError, match=rf"^The text has {length} characters?; .* at least {SHORTEST}\. Give a"):
        correlations(traced(np.zeros((length, 1)), "a" * length))
    correlations(traced(np.zeros((SHORTEST, 1)), "a" * SHORTEST))


# Chance


def test_a_planted_unit_is_found_and_above_chance() -> None:
    states = slow_noise(np.random.default_rng(1), len(TEXT), 40)
    states[:, 17] = -2 * FEATURES["bracket depth"](TEXT) + 0.1 * states[:, 17]
    found = correlations(traced(states, TEXT))
    unit, r = found.best("bracket depth")
    assert unit.number == 17
    assert r < -0.9
    assert found.is_above_chance("bracket depth")
    ranked = [abs(r) for _, r in found.ranked("bracket depth", 3)]
    assert ranked == sorted(ranked, reverse=True)


def test_noise_is_rarely_above_chance() -> None:
    texts = [corpora.nested_parentheses(400, seed) for seed in range(30)]
    found = [correlations(traced(slow_noise(np.random.default_rng(i), 400, 20), t)) for i, t in enumerate(texts)]
    above = [one.is_above_chance(name) for one in found for name in one.features]
    assert np.mean(above) < 0.12  # 0.05 is meant
    alone = [np.abs(one.r).max(axis=1) > 0.2 for one in found]  # what a table of r would have called significant
    assert np.mean(np.concatenate(alone)) > 0.3


def test_chance_is_the_best_unit_of_every_shift() -> None:
    rng = np.random.default_rng(2)
    T = 60  # has small prime factors, so that none of it is left out
    states, targets = slow_noise(rng, T, 4).T, rng.standard_normal((2, T))
    largest = [
        [max(abs(np.corrcoef(np.roll(row, shift), target)[0, 1]) for row in states) for shift in range(6, T - 5)]
        for target in targets
    ]
    np.testing.assert_allclose(chance_level(states, targets), np.quantile(largest, 0.95, axis=1), atol=1e-5)


def test_more_units_reach_further_by_chance() -> None:
    rng = np.random.default_rng(3)
    states, target = slow_noise(rng, 500, 300).T, slow_noise(rng, 500, 1).T
    assert chance_level(states, target)[0] > 1.3 * chance_level(states[:3], target)[0]


@given(st.integers(1, 6_000))
def test_a_quick_length_has_small_factors_and_leaves_little_out(length: int) -> None:
    quick = rest = quick_length(length)
    for factor in (2, 3, 5, 7, 11):
        while rest % factor == 0:
            rest //= factor
    assert rest == 1
    assert quick <= length
    assert quick > 0.92 * length


def test_standardised_rows_have_mean_0_and_mean_square_1() -> None:
    rows = standardised(np.array([[1.0, 2.0, 4.0], [5.0, 5.0, 5.0]]))
    np.testing.assert_allclose(rows[0].mean(), 0, atol=1e-12)
    np.testing.assert_allclose(np.square(rows[0]).mean(), 1)
    assert (rows[1] == 0).all()


# The shipped counter


def test_the_shipped_counter_has_a_unit_that_follows_the_depth() -> None:
    found = open_shipped("parentheses")
    text = corpora.load(found.metadata["text"]["name"]).content
    held_out = text[len(text) - corpora.validation_length(len(text), found.train.validation_fraction) :]
    seen = correlations(trace(found.model, found.weights(), found.vocabulary, held_out[:5_000]))
    _, r = seen.best("bracket depth")
    assert found.model.hidden_size == 15
    assert abs(r) > 0.9
    assert seen.is_above_chance("bracket depth")

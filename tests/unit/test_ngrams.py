"""Baselines: counted as a plain loop counts, probabilities that sum to 1, finite on every text."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn import corpora
from rnn.config import TrainConfig
from rnn.errors import ConfigError, TextError
from rnn.ngrams import TrigramCounts, baselines, baselines_of
from rnn.records import Baselines

V = 4
TEXTS = st.lists(st.integers(0, V - 1), max_size=30)
TRAINABLE = st.lists(st.integers(0, V - 1), min_size=2, max_size=30)


def indices(values: list[int]) -> np.ndarray:
    return np.array(values, np.uint8)


def read(text: list[int]) -> list[tuple[int | None, int | None, int]]:
    """Each character but the first, after the two before it."""
    before = [None, *text]
    return [(before[i - 1], before[i], before[i + 1]) for i in range(1, len(text))]  # type: ignore[misc]


def witten_bell(seen: list[tuple], gram: tuple, vocabulary_size: int) -> float:
    """The probability of the last character of `gram`, by the formula and nothing else."""
    if not gram:
        return 1 / vocabulary_size
    shorter = witten_bell(seen, gram[1:], vocabulary_size)
    followers = Counter(s[-1] for s in seen if s[len(s) - len(gram) : -1] == gram[:-1])
    n, t = followers.total(), len(followers)
    return (followers[gram[-1]] + t * shorter) / (n + t) if n else shorter


def mean_surprise(training: list[int], validation: list[int], order: int) -> float:
    seen, surprises = read(training), []
    if len(validation) > 1:
        surprises = [-math.log(witten_bell(seen, gram[3 - order :], V)) for gram in read(validation)]
    else:
        for i, gram in enumerate(seen):
            surprises.append(-math.log(witten_bell(seen[:i] + seen[i + 1 :], gram[3 - order :], V)))
    return math.fsum(surprises) / len(surprises)


@given(TRAINABLE, TEXTS)
def test_baselines_equal_those_of_a_plain_loop(training: list[int], validation: list[int]) -> None:
    found = baselines(indices(training), indices(validation), V)
    assert found.uniform == math.log(V)
    for order, value in enumerate((found.unigram, found.bigram, found.trigram), 1):
        assert value == pytest.approx(mean_surprise(training, validation, order), abs=1e-12)
    assert found.is_held_out == (len(validation) > 1)


@given(TEXTS)
def test_the_probabilities_of_every_context_sum_to_one(training: list[int]) -> None:
    counts = TrigramCounts.of(indices(training), V)
    every = np.arange((V + 1) ** 3)
    every = every[every % (V + 1) < V]  # nothing can stand before the end, but not at it
    for probabilities in counts.probabilities(every):
        assert probabilities.min() > 0
        np.testing.assert_allclose(probabilities.reshape(-1, V).sum(axis=1), 1, rtol=0, atol=1e-12)


def test_blocks_are_counted_as_one_text(monkeypatch: pytest.MonkeyPatch) -> None:
    text = np.random.default_rng(0).integers(0, V, 1000).astype(np.uint8)
    whole = TrigramCounts.of(text, V)
    monkeypatch.setattr("rnn.ngrams._BLOCK", 7)
    parts = TrigramCounts.of(text, V)
    np.testing.assert_array_equal(whole.codes, parts.codes)
    np.testing.assert_array_equal(whole.counts, parts.counts)
    assert whole.counts.sum() == len(text) - 1


def test_only_so_many_predictions_are_scored_but_the_whole_text_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    text = np.random.default_rng(0).integers(0, V, 300).astype(np.uint8)
    monkeypatch.setattr("rnn.ngrams._PREDICTED", 99)
    assert baselines(text[:200], text[200:], V) == baselines(text[:200], text[200:300], V)
    assert baselines(text[:100], text[100:], V) == baselines(text[:100], text[100:200], V)


def test_the_largest_vocabulary_does_not_overflow() -> None:
    size = 65_535
    text = np.array([size - 1, size - 2] * 50, np.uint16)
    found = baselines(text[:60], text[60:], size)
    assert found.uniform == math.log(size)
    assert 0 < found.trigram < found.unigram < found.uniform
    assert TrigramCounts.of(text, size).codes.max() < (size + 1) ** 3


@pytest.mark.parametrize("validation", [[], [0], [0, 0]])
def test_one_repeated_character_is_no_surprise(validation: list[int]) -> None:
    assert list(baselines(indices([0, 0]), indices(validation), 1).by_name().values()) == [0, 0, 0, 0]


def test_two_characters_have_baselines_and_fewer_are_refused() -> None:
    assert all(math.isfinite(value) for value in baselines(indices([0, 1]), indices([]), 2).by_name().values())
    with pytest.raises(TextError, match="fewer than two"):
        baselines(indices([0]), indices([1]), 2)


def test_an_index_beyond_the_vocabulary_is_refused() -> None:
    with pytest.raises(ConfigError, match="outside 0 to 3"):
        baselines(indices([0, 4]), indices([]), V)
    with pytest.raises(ConfigError, match="outside 0 to 3"):
        baselines(np.array([0, -1]), indices([]), V)


def test_a_text_that_pairs_settle_is_below_its_unigrams() -> None:
    found = baselines(indices([0, 1, 2] * 40), indices([0, 1, 2] * 20), 3)
    assert found.bigram < 0.05
    assert found.unigram == pytest.approx(math.log(3), abs=0.01)


def test_a_text_is_cut_and_capped_as_its_training_is(text: str) -> None:
    given, train = corpora.from_paste(text), TrainConfig(max_vocabulary=10, validation_fraction=0.3)
    found = baselines_of(given, train)
    preflight = corpora.preflight(given, train)
    encoded = preflight.vocabulary.encode(text, "replace")
    cut = preflight.training_characters
    assert found == baselines(encoded[:cut], encoded[cut:], 10)
    assert found.uniform == math.log(10)


def test_only_the_characters_of_the_live_validation_loss_are_predicted(text: str) -> None:
    given = corpora.from_paste(text)
    encoded = corpora.preflight(given, TrainConfig()).vocabulary.encode(text)
    training, validation = corpora.split(encoded, 0.1)
    found = baselines_of(given, TrainConfig(evaluation_chars=20))
    assert found == baselines(training, validation[:21], len(set(text)))
    assert found != baselines_of(given, TrainConfig())


def test_a_text_without_a_validation_part_says_so(text: str) -> None:
    assert not baselines_of(corpora.from_paste(text[:200]), TrainConfig()).is_held_out
    assert not baselines_of(corpora.from_paste(text), TrainConfig(validation_fraction=0.0)).is_held_out
    assert baselines_of(corpora.from_paste(text), TrainConfig()).is_held_out


LINES = Baselines(uniform=4.0, unigram=3.0, bigram=2.0, trigram=1.5, is_held_out=True)


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (5.0, "above ln V"), (4.0, "above ln V"), (3.5, "below ln V"), (2.5, "below unigram"), (1.6, "below bigram"),
        (1.4, "below trigram"),
    ],
)  # fmt: skip
def test_a_loss_stands_below_the_nearest_baseline_or_above_them_all(loss: float, expected: str) -> None:
    assert LINES.standing(loss) == expected


def test_of_equal_baselines_the_one_that_knows_more_is_named() -> None:
    assert Baselines(1.4, 1.3, 0.5, 0.5, True).standing(0.4) == "below trigram"
    assert Baselines(1.4, 1.8, 2.1, 2.0, False).standing(1.0) == "below ln V"
    assert Baselines(1.4, 1.8, 2.1, 2.0, False).standing(2.2) == "above bigram"

"""Scoring a text: the numbers are those of the model, and of training's own evaluation."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
import torch

import rnn
from rnn import scoring
from rnn.config import CELLS, ModelConfig
from rnn.errors import ConfigError, TextError, UnknownCharacterError
from rnn.models import CharRNN
from rnn.sampling import NumpyModel, generate
from rnn.scoring import Score, score
from rnn.vocabulary import Vocabulary
from tests.unit.conftest import stepped_probabilities

TEXT = "it was the best of times, it was the worst of times"
VOCABULARY = Vocabulary.from_text(TEXT)
V = len(VOCABULARY)


def wild_model(cell: str = "gru", **settings: Any) -> CharRNN:
    """Weights large enough for probabilities to differ from character to character."""
    model = CharRNN(ModelConfig(cell, hidden_size=7, **settings), V, seed=0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter *= 4
    return model.eval()


@pytest.fixture(scope="module")
def scored() -> Score:
    return score(wild_model(), VOCABULARY, TEXT)


def with_surprises(*surprises: float) -> Score:
    n = len(surprises)
    return Score(
        text="abcdefghijklmnopqrstuvwxyz"[:n],
        indices=np.zeros(n, np.uint8),
        surprises=np.array(surprises),
        ranks=np.ones(n, np.int64),
        entropies=np.zeros(n),
        top_indices=np.zeros((n, 1), np.int64),
        top_probabilities=np.full((n, 1), 0.5),
        characters=("e", "t"),
    )


# What the model thought


@pytest.mark.parametrize("cell", CELLS)
def test_probabilities_are_those_of_the_step_before(cell: str) -> None:
    model = wild_model(cell, num_layers=2)
    ours, rows = score(model, VOCABULARY, TEXT), stepped_probabilities(model, VOCABULARY, TEXT)
    expected = [rows[t - 1, VOCABULARY.index(TEXT[t])] for t in range(1, len(TEXT))]
    np.testing.assert_allclose(ours.probabilities[1:], expected, rtol=1e-12)


@pytest.mark.parametrize("cell", CELLS)
def test_surprises_are_those_of_the_torch_model(cell: str) -> None:
    model = wild_model(cell, embedding_size=3)
    read = torch.from_numpy(VOCABULARY.encode(TEXT).astype(np.int64))
    with torch.no_grad():
        logits, _ = model(read[:-1, None])
    expected = -torch.log_softmax(logits[:, 0], dim=1).gather(1, read[1:, None])[:, 0]
    np.testing.assert_allclose(score(model, VOCABULARY, TEXT).surprises[1:], expected, rtol=1e-5, atol=1e-5)


def test_the_first_character_is_scored_by_what_generate_draws_it_from(scored: Score) -> None:
    drawn = next(generate(wild_model(), VOCABULARY, length=1, temperature=1.0))
    assert scored.probabilities[0] == pytest.approx(drawn.probabilities[VOCABULARY.index(TEXT[0])], rel=1e-12)
    assert scored.probabilities[0] == pytest.approx(VOCABULARY.frequencies[VOCABULARY.index(TEXT[0])], rel=1e-6)


def test_ranks_entropies_and_favourites_are_those_of_each_distribution(scored: Score) -> None:
    rows = stepped_probabilities(wild_model(), VOCABULARY, TEXT)
    for t in range(1, len(TEXT)):
        p = rows[t - 1]
        order = sorted(range(V), key=lambda i: (-p[i], i))
        assert scored.ranks[t] == 1 + order.index(VOCABULARY.index(TEXT[t]))
        assert scored.entropies[t] == pytest.approx(-sum(q * math.log(q) for q in p), abs=1e-12)
        assert scored.top_indices[t].tolist() == order[:5]
        np.testing.assert_allclose(scored.top_probabilities[t], p[order[:5]], rtol=1e-12)


def test_sums_are_means_of_the_surprises(scored: Score) -> None:
    mean = -sum(math.log(p) for p in scored.probabilities) / len(TEXT)
    assert scored.nats_per_char == pytest.approx(mean)
    assert scored.bits_per_char == pytest.approx(mean / math.log(2))
    assert scored.perplexity == pytest.approx(math.exp(mean))


def test_bits_per_char_are_those_of_the_evaluation_of_training(new_state: Any, text: str) -> None:
    state = new_state(text, steps=20, validation_fraction=0.4)
    for _ in rnn.train(state):
        pass
    *_, evaluation = rnn.evaluate(state, streams=1)
    validation = text[-evaluation.predictions - 1 :]
    ours = score(state.model, state.vocabulary, validation)
    bits = ours.surprises[1:].mean() / math.log(2)  # the evaluation predicts no first character
    assert bits == pytest.approx(evaluation.scores["bits_per_char"], rel=1e-5)


@pytest.mark.parametrize("block", [1, V, 5 * V, 10_000])
def test_the_size_of_blocks_changes_nothing(block: int, scored: Score, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "BLOCK_VALUES", block)
    again = score(wild_model(), VOCABULARY, TEXT)
    for field in fields(Score):
        np.testing.assert_array_equal(getattr(again, field.name), getattr(scored, field.name))


def test_a_numpy_model_is_scored_as_its_torch_model_is(scored: Score) -> None:
    again = score(NumpyModel.of(wild_model()), VOCABULARY, TEXT)
    np.testing.assert_array_equal(again.surprises, scored.surprises)


def test_top_is_at_most_the_vocabulary() -> None:
    all_of_them = score(wild_model(), VOCABULARY, TEXT, top=10_000)
    assert all_of_them.top_indices.shape == (len(TEXT), V)
    np.testing.assert_allclose(all_of_them.top_probabilities.sum(axis=1), 1)


def test_of_equally_likely_characters_the_first_are_the_favourites() -> None:
    model = wild_model()
    with torch.no_grad():
        model.head.weight.zero_()
        model.head.bias.zero_()
    equal = score(model, VOCABULARY, TEXT, top=V)
    assert equal.top_indices[1].tolist() == list(range(V))
    assert set(equal.ranks[1:]) == {1}
    np.testing.assert_allclose(equal.entropies[1:], math.log(V))


def test_a_character_that_training_never_had_is_finite() -> None:
    never = replace(VOCABULARY, counts=(0, *VOCABULARY.counts[1:]))
    first = score(wild_model(), never, never.characters[0])
    assert first.nats_per_char > 100
    assert math.isfinite(first.nats_per_char)
    assert math.isfinite(first.perplexity)
    assert first.entropies[0] >= 0


def test_logits_of_any_size_give_finite_scores() -> None:
    model = wild_model()
    with torch.no_grad():
        model.head.bias[0] = 1e30
    wide = score(model, VOCABULARY, TEXT)
    assert np.isfinite(wide.surprises).all()
    assert np.isfinite(wide.entropies).all()
    assert math.isfinite(wide.perplexity)


# What cannot be scored


def test_texts_and_models_that_cannot_be_scored_are_refused() -> None:
    model = wild_model()
    with pytest.raises(TextError, match="empty"):
        score(model, VOCABULARY, "")
    with pytest.raises(UnknownCharacterError, match="'X'"):
        score(model, VOCABULARY, "it waX")
    with pytest.raises(ConfigError, match="vocabulary has 2"):
        score(model, Vocabulary.from_text("ab"), "ab")
    with pytest.raises(ConfigError, match="top"):
        score(model, VOCABULARY, TEXT, top=0)
    with pytest.raises(ConfigError, match="bidirectional"):
        score(wild_model(bidirectional=True), VOCABULARY, TEXT)


# The most surprising places


def positions(scored: Score, count: int) -> list[int]:
    return [place.position for place in scored.most_surprising(count)]


def test_places_come_with_what_stood_before_and_what_the_model_held_likeliest(scored: Score) -> None:
    places = scored.most_surprising(5, context=3)
    assert [p.surprise for p in places] == sorted((p.surprise for p in places), reverse=True)
    assert places[0].surprise == scored.surprises.max()
    for place in places:
        i = place.position
        assert place.character == TEXT[i]
        assert place.before == TEXT[max(0, i - 3) : i]
        assert place.surprise == scored.surprises[i]
        assert place.favourite == VOCABULARY.characters[scored.top_indices[i, 0]]
        assert place.favourite_probability == scored.top_probabilities[i].max()


def test_a_neighbour_gives_way_to_what_is_nearly_as_surprising() -> None:
    assert positions(with_surprises(1, 9, 9, 1, 9), 2) == [1, 4]
    assert positions(with_surprises(1, 10, 9.9, 1, 9.5), 2) == [1, 4]
    assert positions(with_surprises(1, 10, 9, 1, 2), 2) == [1, 2]  # nothing else comes near
    assert positions(with_surprises(1, 9, 9, 1, 9), 3) == [1, 2, 4]


def test_there_are_as_many_places_as_asked_for_or_as_there_are() -> None:
    few = with_surprises(3, 3, 3, 3)
    assert positions(few, 2) == [0, 2]
    assert positions(few, 9) == [0, 1, 2, 3]
    assert positions(few, 0) == []

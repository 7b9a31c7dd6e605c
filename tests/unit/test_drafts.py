"""A text as a tree: branches go on exactly as if the other character had been drawn."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rnn.config import ModelConfig, SampleConfig
from rnn.drafts import KEPT_EVERY, MEASURED_AT_ONCE, MOST_BRANCHES, Draft
from rnn.errors import ConfigError, UnknownCharacterError
from rnn.models import CharRNN
from rnn.sampling import NumpyModel, generate, softmax
from rnn.vocabulary import Vocabulary
from tests.unit.conftest import stepped_probabilities

VOCABULARY = Vocabulary.from_text("the quick brown fox jumps over the lazy dog\n" * 3)
LENGTH = 2 * KEPT_EVERY + 21
SETTINGS = SampleConfig("the fox ", LENGTH, 0.9, seed=7)


def model_of(cell: str = "gru", num_layers: int = 2) -> NumpyModel:
    config = ModelConfig(cell=cell, hidden_size=11, num_layers=num_layers, embedding_size=5)
    return NumpyModel.of(CharRNN(config, len(VOCABULARY), seed=3))


@pytest.fixture(scope="module", params=["rnn", "gru", "lstm"])
def model(request: pytest.FixtureRequest) -> NumpyModel:
    return model_of(request.param)


def written(model: NumpyModel, settings: SampleConfig = SETTINGS) -> Draft:
    draft = Draft(model, VOCABULARY, settings)
    while draft.write(0, 10):
        pass
    return draft


def other_than(draft: Draft, branch: int, position: int) -> int:
    """A character that stands not there."""
    return (draft.at(branch, position).index + 1) % len(VOCABULARY)


def test_it_writes_what_generate_does(model: NumpyModel) -> None:
    draft, drawn = written(model), list(generate(model, VOCABULARY, **SETTINGS.to_json()))
    assert draft.text(0) == "".join(s.char for s in drawn)
    assert draft.is_over(0)
    for position in (0, 1, KEPT_EVERY, LENGTH - 1):
        there, expected = draft.at(0, position), drawn[position]
        assert (there.char, there.index, there.draw) == (expected.char, expected.index, expected.draw)
        np.testing.assert_array_equal(there.logits, expected.logits)
        np.testing.assert_array_equal(there.weights, expected.weights)


@pytest.mark.parametrize("position", [0, 5, KEPT_EVERY - 1, KEPT_EVERY, KEPT_EVERY + 1, LENGTH - 1])
def test_a_branch_goes_on_from_the_very_state(model: NumpyModel, position: int) -> None:
    draft = written(model)
    index = other_than(draft, 0, position)
    branch = draft.branch(0, position, index)
    while draft.write(branch, 17):
        pass
    text = draft.text(branch)
    assert text[:position] == draft.text(0)[:position]
    assert text[position] == VOCABULARY.characters[index]
    assert len(text) == LENGTH
    # Read from the start, prime included, the same numbers come out bit for bit: nothing was primed again or left out.
    read = stepped_probabilities(model, VOCABULARY, SETTINGS.prime + text)
    for at in range(LENGTH):
        np.testing.assert_array_equal(softmax(draft.at(branch, at).logits), read[len(SETTINGS.prime) + at - 1])


def test_a_branch_with_the_character_that_was_drawn_is_the_same_text(model: NumpyModel) -> None:
    draft = written(model)
    branch = draft.branch(0, 70, draft.at(0, 70).index)
    draft.write(branch, LENGTH)
    assert draft.text(branch) == draft.text(0)
    np.testing.assert_array_equal(draft.probabilities(branch), draft.probabilities(0))
    np.testing.assert_array_equal(draft.entropies(branch), draft.entropies(0))


def test_a_branch_leaves_its_parent_as_it_was_and_can_be_branched_again() -> None:
    draft = written(model_of())
    before = draft.text(0), draft.probabilities(0).tolist(), draft.at(0, 100).logits.tolist()
    child = draft.branch(0, 90, other_than(draft, 0, 90))
    draft.write(child, LENGTH)
    grandchild = draft.branch(child, 100, other_than(draft, child, 100))
    draft.write(grandchild, LENGTH)
    assert before == (draft.text(0), draft.probabilities(0).tolist(), draft.at(0, 100).logits.tolist())
    assert [(b.number, b.parent, b.start) for b in draft.branches] == [(0, None, 0), (1, 0, 90), (2, 1, 100)]
    assert draft.text(grandchild)[:100] == draft.text(child)[:100] != draft.text(0)[:100]
    assert draft.by_hand(grandchild) == {90, 100}


def test_what_the_model_thought_is_kept_in_nats_whatever_the_temperature() -> None:
    draft = written(model_of(), SampleConfig("fox", MEASURED_AT_ONCE + 9, 0.3, top_k=4, seed=1))
    for position in range(MEASURED_AT_ONCE + 9):
        sampled = draft.at(0, position)
        p = softmax(sampled.logits)
        assert draft.probabilities(0)[position] == pytest.approx(p[sampled.index], rel=1e-12)
        assert draft.entropies(0)[position] == pytest.approx(-(p * np.log(p)).sum(), rel=1e-9)


def test_without_a_prime_the_first_character_is_measured_by_its_frequency() -> None:
    settings = SampleConfig("", 3, seed=5)
    draft = written(model_of(), settings)
    first = VOCABULARY.index(draft.text(0)[0])
    assert draft.probabilities(0)[0] == pytest.approx(VOCABULARY.frequencies[first], rel=1e-6)
    frequencies = VOCABULARY.frequencies
    assert draft.entropies(0)[0] == pytest.approx(-(frequencies * np.log(frequencies)).sum(), rel=1e-6)


def test_a_text_is_written_by_hand_and_by_the_model_in_turns_and_taken_back(model: NumpyModel) -> None:
    draft = Draft(model, VOCABULARY, SETTINGS)
    whole = written(model).text(0)
    assert draft.put(0, VOCABULARY.index("q")) == "q"
    likeliest = int(draft.next(0).logits.argmax())
    draft.put(0, likeliest)
    drawn = draft.next(0)
    assert draft.write(0, 1) == drawn.char
    assert draft.text(0) == "q" + VOCABULARY.characters[likeliest] + drawn.char
    assert draft.by_hand(0) == {0, 1}
    draft.take_back(0, 2)
    assert (draft.text(0), draft.by_hand(0), len(draft.probabilities(0))) == ("q", {0}, 1)
    draft.take_back(0, 100)
    draft.take_back(0)
    assert draft.text(0) == ""
    draft.write(0, LENGTH)
    assert draft.text(0) == whole


def test_the_stop_text_ends_every_branch() -> None:
    free = written(model_of())
    stop = free.text(0)[30:32]
    settings = SampleConfig(**{**SETTINGS.to_json(), "stop": stop})
    draft = written(model_of(), settings)
    end = free.text(0).index(stop) + len(stop)
    assert draft.text(0) == free.text(0)[:end]
    branch = draft.branch(0, 2, VOCABULARY.index(stop[0]))
    if not draft.is_over(branch):
        assert draft.put(branch, VOCABULARY.index(stop[1])) == stop[1]
    assert draft.is_over(branch)
    assert draft.write(branch, 5) == draft.put(branch, 0) == ""
    draft.take_back(branch)
    assert not draft.is_over(branch)


def test_an_ended_text_stays_as_it_is_and_can_still_branch() -> None:
    draft = Draft(model_of(), VOCABULARY, SETTINGS)
    draft.write(0, 30)
    before = draft.text(0)
    draft.end(0)
    assert draft.is_over(0)
    assert draft.write(0, 10) == draft.put(0, 1) == ""
    assert draft.text(0) == before
    branch = draft.branch(0, 10, other_than(draft, 0, 10))
    assert len(draft.write(branch, 500)) == LENGTH - 11


def test_what_cannot_be_is_refused_in_a_sentence() -> None:
    draft = written(model_of(), SampleConfig("fox", 5))
    for position, index in ((5, 0), (-1, 0), (0, -1), (0, len(VOCABULARY))):
        with pytest.raises(ConfigError, match="characters"):
            draft.branch(0, position, index)
    with pytest.raises(ConfigError, match="no draw 6"):
        draft.next(0)
    with pytest.raises(ConfigError, match="characters"):
        draft.at(0, 5)
    assert len(draft.branches) == 1
    for _ in range(MOST_BRANCHES - 1):
        draft.branch(0, 1, 2)
    with pytest.raises(ConfigError, match=f"at most {MOST_BRANCHES} branches"):
        draft.branch(0, 1, 2)
    with pytest.raises(UnknownCharacterError):
        Draft(model_of(), VOCABULARY, SampleConfig("Ж"))


def test_an_empty_text_is_over_at_once() -> None:
    draft = Draft(model_of(), VOCABULARY, SampleConfig("fox", 0))
    assert draft.is_over(0)
    assert draft.write(0, 5) == draft.put(0, 1) == draft.text(0) == ""


def test_few_states_are_kept_of_a_long_text() -> None:
    draft = written(model_of(), SampleConfig("fox", 1000))
    assert len(draft._written[0].kept) == math.ceil(1000 / KEPT_EVERY) + 1

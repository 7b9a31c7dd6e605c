"""How long a model remembers: windows are what they say, places are shared, the shipped file is the models' own."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn import corpora, remembering
from rnn.config import ModelConfig
from rnn.errors import CheckpointError, InputError
from rnn.models import CharRNN
from rnn.records import REMEMBERED, MemoryCurve
from rnn.remembering import (
    LENGTHS,
    PLACES,
    counted,
    curve_of,
    held_out,
    lengths_in,
    places_in,
    shipped_curves,
    windowed_losses,
)
from rnn.sampling import NumpyModel
from rnn.shipped import SHIPPED, open_shipped
from rnn.stepwise import to_the_end
from rnn.trace import trace
from rnn.vocabulary import Vocabulary


def curve(losses: list[float]) -> MemoryCurve:
    zeros = (0.0,) * len(losses)
    return MemoryCurve(LENGTHS[: len(losses)], tuple(losses), zeros, zeros, 7)


@pytest.mark.parametrize(("cell", "layers"), [("rnn", 1), ("gru", 2), ("lstm", 3)])
def test_a_windows_loss_is_that_of_reading_the_window_alone(
    cell: str, layers: int, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembering, "_BATCH", 4)  # several batches, the last one smaller
    vocabulary = Vocabulary.from_text(text)
    config = ModelConfig(cell=cell, hidden_size=5, num_layers=layers)
    model = CharRNN(config, len(vocabulary), seed=1)
    weights = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    indices, places, length = vocabulary.encode(text), np.array([8, 9, 31, 100, 101, 200]), 8
    found = to_the_end(windowed_losses(NumpyModel(config, weights), indices, places, length))
    for place, loss in zip(places, found, strict=True):
        read = trace(config, weights, vocabulary, text[place - length : place])
        assert loss == pytest.approx(-math.log(read.probabilities[-1, indices[place]]), rel=1e-4)


def test_a_machine_that_copies_remembers_exactly_as_far_as_it_copies() -> None:
    """h_t = (x_t, x_t-1): the next character is the last but one, which two characters show and one does not."""
    V = 3
    config = ModelConfig(cell="rnn", hidden_size=2 * V, nonlinearity="relu", bias=False)
    W_xh, W_hh = np.zeros((2 * V, V)), np.zeros((2 * V, 2 * V))
    W_xh[:V], W_hh[V:, :V] = np.eye(V), np.eye(V)
    head = np.hstack([np.zeros((V, V)), 30 * np.eye(V)])
    weights = {
        "recurrent.weight_ih_l0": W_xh, "recurrent.weight_hh_l0": W_hh, "head.weight": head, "head.bias": np.zeros(V),
    }  # fmt: skip
    model = NumpyModel(config, {name: weights[name] for name in config.parameter_shapes(V)})
    indices = np.array([0, 1] * 60)  # the next is always the last but one
    places = places_in(len(indices))
    found = curve_of({n: to_the_end(windowed_losses(model, indices, places, n)) for n in lengths_in(len(indices))})
    assert found.losses[0] == pytest.approx(math.log(V))
    assert found.losses[1:] == pytest.approx([0.0] * (len(found.losses) - 1), abs=1e-6)
    assert found.memory == 2


@given(st.integers(20, 5_000), st.integers(1, 3_000))
def test_every_place_has_the_longest_window_before_it_and_half_the_text_is_left(characters: int, most: int) -> None:
    lengths, places = lengths_in(characters), places_in(characters, most)
    assert lengths[0] == 1
    assert 2 * lengths[-1] <= characters
    assert places[0] >= lengths[-1]
    assert places[-1] <= characters - 1
    assert len(places) <= most
    assert (np.diff(places) > 0).all()


def test_memory_is_the_first_length_that_no_longer_one_improves_on() -> None:
    assert curve([3.0, 2.0, 1.0, 1.0 - REMEMBERED / 2, 1.0]).memory == 3
    assert curve([3.0, 2.0, 1.0]).memory is None
    assert curve([1.0, 1.5, 1.2]).memory == 1  # more to see only confuses it
    assert curve([2.0, 2.0, 1.0, 1.0]).gains == pytest.approx((1.0, 1.0, 0.0, 0.0))


def test_standard_errors_are_those_of_the_mean_and_of_the_paired_gain() -> None:
    far = np.array([1.0, 2.0, 3.0, 6.0])
    found = curve_of({1: far + 0.5, 2: far})
    assert found.errors == pytest.approx([far.std(ddof=1) / 2] * 2)
    assert found.gain_errors == pytest.approx((0.0, 0.0))  # the same gain everywhere
    assert found.places == 4


def test_counting_at_places_is_the_baseline_where_all_are_places(text: str) -> None:
    from rnn.ngrams import baselines

    vocabulary = Vocabulary.from_text(text)
    encoded = vocabulary.encode(text)
    training, part = encoded[:500], encoded[500:]
    places = np.arange(2, len(part))
    found = counted(training, part, places, len(vocabulary))
    everywhere = baselines(training, part, len(vocabulary))  # from the second character on: one place more
    expected = np.array([everywhere.unigram, everywhere.bigram, everywhere.trigram])
    assert np.array(found.losses) == pytest.approx(expected, abs=0.02)
    assert all(error > 0 for error in found.errors)


def test_counting_in_the_text_itself_leaves_out_what_is_predicted() -> None:
    indices = np.array([0, 0] * 15 + [1])  # 1 was never seen but at the end
    own, other = (counted(t, indices, np.array([30]), 2).losses for t in (indices, indices.copy()))
    assert own[0] > other[0]


def test_held_out_is_the_validation_part_or_all_of_a_short_text() -> None:
    long = "abcdefghij" * 1_000
    part = held_out(long, 0.1)
    assert (part.content, part.training, part.is_held_out) == (long[9_000:], long[:9_000], True)
    short = held_out("abcdefghij" * 10, 0.1)
    assert (short.content, short.is_held_out) == ("abcdefghij" * 10, False)
    with pytest.raises(InputError, match="at least 20 characters; this one has 5 characters"):
        held_out("hello", 0.0)


def test_weights_that_diverged_are_one_sentence(text: str) -> None:
    vocabulary, config = Vocabulary.from_text(text), ModelConfig(hidden_size=2)
    weights = {name: np.full(shape, np.nan) for name, shape in config.parameter_shapes(len(vocabulary)).items()}
    with pytest.raises(InputError, match="no longer finite"):
        to_the_end(windowed_losses(NumpyModel(config, weights), vocabulary.encode(text), np.array([5]), 2))


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_curves_are_those_of_the_shipped_models(name: str) -> None:
    kept, text = shipped_curves(), corpora.load(remembering.shipped_curves().text).content
    part = held_out(text, SHIPPED[name].train.validation_fraction)
    if part.sha256 != kept.sha256:
        pytest.skip("This Python comes with another edition of its reference.")
    checkpoint, found = open_shipped(name), kept.curves[name]
    indices = checkpoint.vocabulary.encode(part.content)
    places = places_in(len(indices))
    assert found.lengths == LENGTHS
    assert found.places == len(places) == PLACES
    for length in (1, 5, 13):
        losses = to_the_end(windowed_losses(checkpoint.sampler(), indices, places, length))
        assert found.losses[LENGTHS.index(length)] == pytest.approx(losses.mean(), abs=1e-4)
        assert found.errors[LENGTHS.index(length)] == pytest.approx(losses.std() / math.sqrt(PLACES), rel=1e-2)
    numbers = counted(checkpoint.vocabulary.encode(part.training), indices, places, len(checkpoint.vocabulary))
    assert kept.counted.losses == pytest.approx(numbers.losses, abs=1e-4)


def test_gates_remember_longer_than_a_vanilla_rnn() -> None:
    curves = shipped_curves().curves
    lengths = {name: curves[name].memory or math.inf for name in SHIPPED}
    assert lengths["rnn"] < min(lengths["gru"], lengths["lstm"])


def test_a_damaged_file_says_how_it_is_made_again(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    damaged = tmp_path / "memory.json"
    damaged.write_text('{"text": 3}')
    monkeypatch.setattr(remembering, "SHIPPED_FILE", damaged)
    shipped_curves.cache_clear()
    try:
        with pytest.raises(CheckpointError, match=r"python -m assets\.memory"):
            shipped_curves()
    finally:
        shipped_curves.cache_clear()

"""Sampling: the numpy step is the torch model, the filters keep what they promise, a seed settles the text."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import rnn
from rnn.config import CELLS, NONLINEARITIES, ModelConfig, SampleConfig
from rnn.errors import ConfigError, UnknownCharacterError
from rnn.models import CharRNN
from rnn.sampling import NumpyModel, filter_logits, generate, generate_many, sample_next, softmax
from rnn.vocabulary import UNKNOWN, Vocabulary

V, H = 4, 5
VOCABULARY = Vocabulary.from_text("abacabad")  # a is half of it
EVERY = [("rnn", name) for name in NONLINEARITIES] + [("gru", "tanh"), ("lstm", "tanh")]
LOGITS = arrays(np.float32, st.integers(1, 9), elements=st.floats(-50, 50, width=32))


@pytest.fixture(autouse=True)
def no_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def new_model(cell: str = "gru", seed: int = 0, **settings: object) -> CharRNN:
    return CharRNN(ModelConfig(cell, **{"hidden_size": H, **settings}), V, seed)  # type: ignore[arg-type]


def wild_model(cell: str = "gru", seed: int = 0) -> CharRNN:
    """Weights large enough for probabilities to differ from character to character."""
    model = new_model(cell, seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter *= 4
    return model


def text_of(model: object, **settings: object) -> str:
    return "".join(s.char for s in generate(model, VOCABULARY, **settings))  # type: ignore[arg-type]


# The numpy model


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("embedding_size", [0, 3])
@pytest.mark.parametrize("layers", [1, 2, 3, 4])
@pytest.mark.parametrize(("cell", "nonlinearity"), EVERY)
def test_numpy_steps_equal_the_torch_model(
    cell: str, nonlinearity: str, layers: int, embedding_size: int, bias: bool
) -> None:
    model = new_model(
        cell, nonlinearity=nonlinearity, num_layers=layers, embedding_size=embedding_size, bias=bias, dropout=0.5
    ).eval()
    indices = torch.randint(V, (6, 3), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected, last = model(indices)
    ours = NumpyModel.of(model)
    state = ours.initial_state(3)
    for t, characters in enumerate(indices.numpy()):
        logits, state = ours.step(characters, state)
        np.testing.assert_allclose(logits, expected[t], rtol=0, atol=1e-5)
    for part, tensor in enumerate(last):
        for layer in range(layers):
            np.testing.assert_allclose(state[layer][part], tensor[layer], rtol=0, atol=1e-5)


@pytest.mark.parametrize("cell", CELLS)
def test_a_step_leaves_the_state_it_was_given(cell: str) -> None:
    model = NumpyModel.of(new_model(cell, num_layers=2))
    _, state = model.step([1], model.initial_state())
    before = [[part.copy() for part in layer] for layer in state]
    model.step([2], state)
    np.testing.assert_equal([list(layer) for layer in state], before)


def test_the_numpy_model_is_made_of_the_weights_as_they_are_now() -> None:
    model = new_model()
    first = NumpyModel.of(model)
    with torch.no_grad():
        model.head.weight.add_(1)
    before, after = (each.step([0], each.initial_state())[0] for each in (first, NumpyModel.of(model)))
    assert not np.allclose(before, after)
    assert NumpyModel.of(first) is first


def test_a_bidirectional_model_is_refused() -> None:
    with pytest.raises(ConfigError, match="bidirectional"):
        generate(new_model(bidirectional=True), VOCABULARY)


def test_weights_that_are_missing_or_of_another_shape_are_refused() -> None:
    model = new_model()
    weights = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    for name, array in weights.items():
        with pytest.raises(ConfigError):
            NumpyModel(model.config, {n: a for n, a in weights.items() if n != name})
        with pytest.raises(ConfigError):
            NumpyModel(model.config, weights | {name: array[:-1]})


def test_a_vocabulary_of_another_size_is_refused() -> None:
    with pytest.raises(ConfigError, match=f"scores {V} characters, but the vocabulary has 2"):
        generate(new_model(), Vocabulary.from_text("ab"))


# Softmax and filters


@given(LOGITS)
def test_probabilities_are_positive_and_sum_to_one(logits: np.ndarray) -> None:
    probabilities = softmax(logits)
    assert (probabilities >= 0).all()
    assert probabilities.sum() == pytest.approx(1, abs=1e-12)
    np.testing.assert_allclose(probabilities, torch.softmax(torch.from_numpy(logits).double(), 0), atol=1e-12)


@given(LOGITS, st.floats(0.05, 20))
def test_temperature_divides_the_logits(logits: np.ndarray, temperature: float) -> None:
    expected = torch.softmax(torch.from_numpy(logits).double() / temperature, 0)
    np.testing.assert_allclose(softmax(filter_logits(logits, temperature)), expected, atol=1e-12)


@given(LOGITS)
def test_temperature_zero_is_argmax_the_first_of_equals(logits: np.ndarray) -> None:
    expected = np.zeros(len(logits))
    expected[np.argmax(logits)] = 1
    np.testing.assert_array_equal(softmax(filter_logits(logits, 0)), expected)
    np.testing.assert_array_equal(softmax(filter_logits(logits, 0, top_k=3, top_p=0.5)), expected)


@pytest.mark.parametrize("temperature", [5e-324, 1e-300, 1e-9, 100])
@pytest.mark.parametrize("scale", [0, 1e-30, 1, 1e30])
def test_extreme_temperatures_give_probabilities(temperature: float, scale: float) -> None:
    logits = np.array([0.5, -1, 1, 0.25], np.float32) * np.float32(scale)
    for filters in ({}, {"top_k": 2}, {"top_p": 0.9}, {"top_k": 3, "top_p": 1e-9}):
        probabilities = softmax(filter_logits(logits, temperature, **filters))
        assert probabilities.sum() == pytest.approx(1)
        assert probabilities[logits.argmax()] == probabilities.max()


@given(LOGITS, st.integers(1, 12))
def test_top_k_keeps_exactly_the_k_likeliest(logits: np.ndarray, k: int) -> None:
    filtered = filter_logits(logits, top_k=k)
    kept = np.isfinite(filtered)
    assert kept.sum() == min(k, len(logits))
    if not kept.all():
        assert logits[kept].min() >= logits[~kept].max()
    whole = softmax(logits) * kept
    np.testing.assert_allclose(softmax(filtered), whole / whole.sum(), atol=1e-12)


@pytest.mark.parametrize("k", [1, 2, 3])
def test_top_k_keeps_the_first_of_equals(k: int) -> None:
    kept = np.isfinite(filter_logits(np.array([0, 1, 1, 1, 0]), top_k=k))
    assert np.flatnonzero(kept).tolist() == [1, 2, 3][:k]


@given(LOGITS, st.floats(0, 1, exclude_min=True))
def test_top_p_keeps_the_fewest_that_reach_p(logits: np.ndarray, p: float) -> None:
    probabilities = softmax(logits)
    kept = np.isfinite(filter_logits(logits, top_p=p))
    assert kept.any()
    assert probabilities[kept].sum() >= p - 1e-9
    likeliest_first = np.sort(probabilities)[::-1]
    assert likeliest_first[: kept.sum() - 1].sum() < p, "one fewer would not do"
    if not kept.all():
        assert logits[kept].min() >= logits[~kept].max()


def test_top_p_counts_after_top_k() -> None:
    logits = np.log([0.4, 0.3, 0.2, 0.1])
    assert np.isfinite(filter_logits(logits, top_k=2, top_p=0.5)).sum() == 1, "0.4 of 0.7 is more than half"
    assert np.isfinite(filter_logits(logits, top_p=0.5)).sum() == 2


@given(st.data())
def test_the_draw_falls_where_its_share_of_the_line_lies(data: st.DataObject) -> None:
    weights = data.draw(st.lists(st.integers(0, 5), min_size=1, max_size=6).filter(any))
    line = [index for index, weight in enumerate(weights) for _ in range(weight)]
    probabilities = np.array(weights) / sum(weights)
    for place, index in enumerate(line):
        assert sample_next(probabilities, (place + 0.5) / len(line)) == index
    assert sample_next(probabilities, 0.0) == line[0]
    assert sample_next(probabilities, math.nextafter(1, 0)) == line[-1]


# Generated text


@pytest.mark.parametrize("prime", ["", "abad"])
@pytest.mark.parametrize("cell", CELLS)
def test_each_character_is_drawn_from_what_the_model_says_there(cell: str, prime: str) -> None:
    model = wild_model(cell)
    sampled = list(generate(model, VOCABULARY, prime, length=12, temperature=0.7, top_k=3, seed=2))
    read = prime + "".join(s.char for s in sampled)
    with torch.no_grad():
        logits = model(torch.from_numpy(VOCABULARY.encode(read).astype(np.int64))[:, None])[0][:, 0].numpy()
    for t, s in enumerate(sampled):
        if prime or t:
            np.testing.assert_allclose(s.logits, logits[len(prime) + t - 1], rtol=0, atol=1e-5)
        np.testing.assert_allclose(s.probabilities, softmax(filter_logits(s.logits, 0.7, 3)), atol=1e-12)
        assert s.probabilities.sum() == pytest.approx(1)
        assert s.char == VOCABULARY.characters[s.index]
        assert s.rank == 1 + sum(s.logits > s.logits[s.index]) <= 3
        assert s.surprise == pytest.approx(-math.log(s.probabilities[s.index]))
        before = s.probabilities[: s.index].sum()
        assert before <= s.draw <= before + s.probabilities[s.index] + 1e-12


def test_same_seed_gives_same_text_and_another_seed_another() -> None:
    model = wild_model()
    assert text_of(model, seed=3, length=50) == text_of(model, seed=3, length=50)
    assert len({text_of(model, seed=seed, length=50) for seed in range(5)}) == 5


def test_sampling_leaves_the_global_generators_alone() -> None:
    before, torch_before = np.random.get_state()[1].tolist(), torch.get_rng_state()
    text_of(wild_model(), length=20)
    assert np.random.get_state()[1].tolist() == before
    assert torch.equal(torch.get_rng_state(), torch_before)


def test_a_longer_sample_begins_with_the_shorter() -> None:
    assert text_of(wild_model(), length=50).startswith(text_of(wild_model(), length=20))


@pytest.mark.parametrize("prime", ["", "ab"])
def test_temperature_zero_writes_the_same_whatever_the_seed(prime: str) -> None:
    sampled = list(generate(wild_model(), VOCABULARY, prime, length=20, temperature=0))
    assert all(s.index == s.logits.argmax() and s.rank == 1 and s.surprise == 0 for s in sampled)
    assert text_of(wild_model(), prime=prime, length=20, temperature=0, seed=9) == "".join(s.char for s in sampled)


@pytest.mark.parametrize("temperature", [5e-324, 1e-9, 100.0])
def test_extreme_temperatures_write(temperature: float) -> None:
    sampled = list(generate(wild_model(), VOCABULARY, length=20, temperature=temperature))
    assert all(np.isfinite(s.probabilities).all() and math.isfinite(s.surprise) for s in sampled)


def test_a_relu_network_whose_state_explodes_keeps_writing() -> None:
    model = new_model("rnn", nonlinearity="relu")
    with torch.no_grad():
        model.recurrent.weight_hh_l0.copy_(3 * torch.eye(H))
        model.recurrent.bias_hh_l0.fill_(1)
    sampled = list(generate(model, VOCABULARY, length=300))
    assert all(np.isfinite(s.logits).all() and math.isfinite(s.surprise) for s in sampled)


def test_length_zero_writes_nothing() -> None:
    assert list(generate(new_model(), VOCABULARY, "ab", length=0)) == []
    assert generate_many(new_model(), VOCABULARY, 2, SampleConfig(length=0)) == ["", ""]


@pytest.mark.parametrize("stop", ["a", "ab", "ba"])
def test_a_stop_text_ends_the_sample_where_it_first_appears(stop: str) -> None:
    whole = text_of(wild_model(), length=300)
    assert stop in whole
    stopped = text_of(wild_model(), length=300, stop=stop)
    assert stopped == whole[: whole.index(stop) + len(stop)]


def test_a_stop_text_in_the_prime_does_not_count_and_an_empty_one_never_stops() -> None:
    whole = text_of(wild_model(), prime="abab", length=30)
    assert text_of(wild_model(), prime="abab", length=30, stop="") == whole
    assert text_of(wild_model(), prime="abab", length=30, stop="zz") == whole
    stopped = text_of(wild_model(), prime="abab", length=30, stop="ab")
    assert stopped.endswith("ab") or stopped == whole


@pytest.mark.parametrize("stop", [None, "ab"])
@pytest.mark.parametrize("prime", ["", "ab"])
@pytest.mark.parametrize("cell", CELLS)
def test_many_samples_are_the_single_ones(cell: str, prime: str, stop: str | None) -> None:
    settings = SampleConfig(prime, length=40, temperature=0.9, top_k=3, top_p=0.95, seed=11, stop=stop)
    singles = [text_of(wild_model(cell), **replace(settings, seed=11 + i).to_json()) for i in range(6)]
    assert generate_many(wild_model(cell), VOCABULARY, 6, settings) == singles


@pytest.mark.parametrize("count", [0, -1, 1001])
def test_an_impossible_number_of_samples_is_refused(count: int) -> None:
    with pytest.raises(ConfigError, match="1 to 1,000"):
        generate_many(new_model(), VOCABULARY, count, SampleConfig())


@pytest.mark.parametrize(
    "setting", [{"temperature": -1}, {"temperature": math.nan}, {"top_k": 0}, {"top_p": 0}, {"length": -1}]
)
def test_a_setting_out_of_bounds_is_refused_at_once(setting: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(setting))):
        generate(new_model(), VOCABULARY, **setting)  # type: ignore[arg-type]


# The prime


def test_an_unknown_character_of_the_prime_is_refused_with_its_place() -> None:
    with pytest.raises(UnknownCharacterError, match="'é', 'z', first at position 3") as refusal:
        generate(new_model(), VOCABULARY, "abéaz")
    assert refusal.value.positions == [2, 4]
    assert refusal.value.characters == ["é", "z"]
    with pytest.raises(UnknownCharacterError):
        generate_many(new_model(), VOCABULARY, 2, SampleConfig("abéaz"))


def test_an_unknown_character_can_be_dropped() -> None:
    dropped = text_of(wild_model(), prime="abéaz", unknown="drop", length=30)
    assert dropped == text_of(wild_model(), prime="aba", length=30)
    assert text_of(wild_model(), prime="éz", unknown="drop", length=30) == text_of(wild_model(), length=30)


def test_an_unknown_character_can_be_replaced_where_the_vocabulary_has_a_symbol_for_it() -> None:
    with pytest.raises(UnknownCharacterError):
        generate(new_model(), VOCABULARY, "abé", unknown="replace")
    vocabulary = Vocabulary.from_characters(["a", "b", "c", UNKNOWN])
    replaced, written = (
        [s.char for s in generate(wild_model(), vocabulary, prime, length=30, unknown="replace")]
        for prime in ("abé", f"ab{UNKNOWN}")
    )
    assert replaced == written


def test_an_empty_prime_draws_the_first_character_from_the_frequencies_of_the_text() -> None:
    (first,) = generate(new_model(), VOCABULARY, length=1, temperature=1)
    np.testing.assert_allclose(first.probabilities, [4 / 8, 2 / 8, 1 / 8, 1 / 8], atol=1e-6)
    drawn = [next(generate(new_model(), VOCABULARY, length=1, temperature=1, seed=seed)).char for seed in range(800)]
    assert_drawn_from(np.array([drawn.count(c) for c in "abcd"]), np.array([4, 2, 1, 1]) / 8)


def test_a_character_that_never_occurred_is_never_drawn_first() -> None:
    vocabulary = replace(VOCABULARY, counts=(0, 3, 0, 1))
    for filters in ({}, {"top_k": 4}, {"top_p": 1.0}, {"temperature": 100}):
        (first,) = generate(new_model(), vocabulary, length=1, **filters)  # type: ignore[arg-type]
        np.testing.assert_array_equal(first.probabilities > 0, [False, True, False, True])


def assert_drawn_from(counts: np.ndarray, probabilities: np.ndarray) -> None:
    """Pearson's chi-square, 3 degrees of freedom: above 16.3 once in a thousand seeds."""
    expected = counts.sum() * probabilities
    assert ((counts - expected) ** 2 / expected).sum() < 16.3


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_characters_come_as_often_as_their_probabilities_say(temperature: float) -> None:
    settings = SampleConfig("ab", length=1, temperature=temperature, seed=1)
    model = NumpyModel.of(wild_model())
    texts = generate_many(model, VOCABULARY, 1000, settings)
    (first,) = generate(model, VOCABULARY, **replace(settings).to_json())
    assert_drawn_from(np.array([texts.count(c) for c in "abcd"]), first.probabilities)


def test_generate_is_the_packages_own() -> None:
    assert rnn.generate is generate

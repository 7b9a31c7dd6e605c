"""A trace is what the model computed: the torch model's forward, and the readable one step by step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from rnn.config import CELLS, ModelConfig
from rnn.errors import ConfigError, InputError, UnknownCharacterError
from rnn.inspection import inspect
from rnn.models import CharRNN
from rnn.networks import BlankFiller
from rnn.records import LayerTrace, Trace
from rnn.sampling import NumpyModel, generate
from rnn.trace import MOST_BYTES, MOST_CHARACTERS, TraceCache, character_weights, most_characters, trace
from rnn.vocabulary import Vocabulary

VOCABULARY = Vocabulary.from_text("a cab <&bead")
TEXT = "a cab bead"
V, H = len(VOCABULARY), 5
CONFIGS = [
    ModelConfig(cell, H, layers, 0.0, embedding, nonlinearity, bias, both)
    for cell, layers, embedding, nonlinearity, bias, both in (
        ("rnn", 1, 0, "tanh", True, False),
        ("rnn", 2, 3, "relu", True, True),
        ("rnn", 1, 0, "sigmoid", False, False),
        ("gru", 1, 0, "tanh", False, True),
        ("gru", 3, 4, "tanh", True, False),
        ("lstm", 2, 0, "tanh", True, True),
        ("lstm", 3, 3, "tanh", False, False),
    )
]


def new_model(config: ModelConfig) -> CharRNN:
    """With weights large enough for values to differ from step to step."""
    model = CharRNN(config, V, seed=1).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter *= 3
    return model


def weights_of(model: CharRNN) -> dict[str, Any]:
    return {name: tensor.numpy() for name, tensor in model.state_dict().items()}


def read(config: ModelConfig, text: str = TEXT) -> Trace:
    return trace(config, weights_of(new_model(config)), VOCABULARY, text)


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_a_trace_is_the_forward_of_the_torch_model(config: ModelConfig) -> None:
    model, ours = new_model(config), read(config)
    indices = torch.from_numpy(ours.indices)[:, None]
    embedding = model.embedding.weight if config.embedding_size else None
    with torch.no_grad():
        logits, _ = model(indices)
        states, last = model.recurrent(indices, embedding=embedding)
    np.testing.assert_allclose(ours.states, states[:, 0], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(ours.logits, logits[:, 0], rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(ours.probabilities, logits[:, 0].softmax(-1), rtol=0, atol=1e-5)
    for number, one in enumerate(one for passes in ours.layers for one in passes):
        end = 0 if one.reverse else -1
        np.testing.assert_allclose(one.h[end], last[0][number, 0], rtol=1e-5, atol=1e-5)
        if one.c is not None:
            np.testing.assert_allclose(one.c[end], last[1][number, 0], rtol=0, atol=1e-5)


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_states_and_gates_of_every_layer_are_those_of_the_readable_form(config: ModelConfig) -> None:
    ours = read(config)
    readable = inspect(config, weights_of(new_model(config)), ours.indices)
    for passes, expected in zip(ours.layers, readable.layers, strict=True):
        for one, other in zip(passes, expected, strict=True):
            assert one.reverse == other.reverse
            assert tuple(one.gates) == tuple(other.gates)
            for mine, theirs in (
                (one.h, other.h), (one.c, other.c), (one.h_before, other.h_before), (one.c_before, other.c_before),
                *((one.gates[name], other.gates[name]) for name in one.gates),
            ):  # fmt: skip
                assert (mine is None) == (theirs is None)
                if mine is not None and theirs is not None:
                    assert mine.dtype == np.float32
                    np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=2e-5)


def test_losses_are_the_cross_entropies_of_the_characters_that_came() -> None:
    config = ModelConfig("lstm", H)
    ours, model = read(config), new_model(config)
    indices = torch.from_numpy(ours.indices)
    with torch.no_grad():
        logits, _ = model(indices[:, None])
    expected = torch.nn.functional.cross_entropy(logits[:-1, 0], indices[1:], reduction="none")
    np.testing.assert_allclose(ours.losses, expected, atol=1e-5)
    assert read(config, "a").losses.shape == (0,)


def test_a_trace_of_a_written_text_holds_the_distributions_it_was_drawn_from() -> None:
    config = ModelConfig("gru", H)
    drawn = list(generate(NumpyModel.of(new_model(config)), VOCABULARY, "a", length=6, temperature=1, seed=3))
    inside = read(config, "a" + "".join(s.char for s in drawn))
    for t, sampled in enumerate(drawn):
        np.testing.assert_allclose(inside.probabilities[t], sampled.probabilities, atol=1e-6)


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_no_text_gives_a_trace_of_no_steps(config: ModelConfig) -> None:
    empty = read(config, "")
    assert len(empty) == 0
    assert empty.states.shape == (0, H * config.directions)
    assert empty.probabilities.shape == (0, V)


def test_unknown_characters_are_refused_with_their_places() -> None:
    with pytest.raises(UnknownCharacterError) as refused:
        read(ModelConfig("rnn", H), "ab?c!")
    assert refused.value.positions == [2, 4]


def test_a_vocabulary_of_another_size_is_refused() -> None:
    config = ModelConfig("rnn", H)
    with pytest.raises(ConfigError, match="vocabulary"):
        trace(config, weights_of(new_model(config)), Vocabulary.from_text("ab"), "ab")


@pytest.mark.parametrize("cell", CELLS)
def test_weights_that_are_no_numbers_are_refused(cell: str) -> None:
    config = ModelConfig(cell, H)
    weights = weights_of(new_model(config))
    weights["recurrent.weight_hh_l0"] = np.full_like(weights["recurrent.weight_hh_l0"], np.nan)
    with pytest.raises(InputError, match="no longer finite"):
        trace(config, weights, VOCABULARY, TEXT)


@pytest.mark.parametrize("config", [*CONFIGS, ModelConfig("lstm", 1024, 4), ModelConfig("gru", 512, 2)], ids=str)
def test_the_longest_text_fits_the_memory_of_one_trace(config: ModelConfig) -> None:
    most = most_characters(config, V)
    assert 1 <= most <= MOST_CHARACTERS
    small = read(config, "ab") if config.hidden_size == H else None
    if small is not None:
        assert small.nbytes / 2 * most <= MOST_BYTES + 8 * most  # the indices are counted on top
    with pytest.raises(InputError, match="shorter part"):
        trace(config, weights_of(CharRNN(config, V)), VOCABULARY, "a" * (most + 1))


def test_five_thousand_characters_of_the_shipped_sizes_are_kept() -> None:
    assert most_characters(ModelConfig("lstm", 192, embedding_size=64), 103) == MOST_CHARACTERS


@pytest.mark.parametrize("embedding", [0, 3])
def test_the_network_that_names_blanks_reads_characters_with_its_own_weights(embedding: int) -> None:
    config = ModelConfig("gru", H, 2, embedding_size=embedding, bidirectional=True)
    filler = BlankFiller(config, V, seed=2)
    weights = {name: tensor.numpy() for name, tensor in filler.state_dict().items()}
    ours = trace(config, character_weights(weights, V), VOCABULARY, TEXT)
    with_blank = ours.indices.copy()
    with_blank[4] = filler.blank
    with torch.no_grad():
        outputs, _ = filler.reader(torch.from_numpy(ours.indices)[:, None], None, None)
        behind = filler(torch.from_numpy(with_blank)[:, None])
    np.testing.assert_allclose(ours.states, outputs[:, 0], rtol=0, atol=1e-5)
    assert behind.shape == (1, V)


# The cache


def of_bytes(count: int) -> Trace:
    h = np.zeros((1, count // 4), np.float32)
    none = np.zeros((0, 0), np.float32)
    return Trace("", (), np.zeros(0, np.int64), ((LayerTrace(h, None, {}),),), none, none)


def test_the_cache_keeps_what_was_asked_for_last_within_its_memory() -> None:
    cache, made = TraceCache(most_bytes=100), list[str]()

    def get(key: str, size: int = 40) -> Trace:
        def make() -> Trace:
            made.append(key)
            return of_bytes(size)

        return cache.get(key, make)

    assert get("a") is get("a")
    get("b")
    get("a")
    get("c")  # b goes: a was asked for since
    assert cache.nbytes == 80
    get("a")
    get("b")
    assert made == ["a", "b", "c", "b"]


def test_what_is_larger_than_the_cache_is_made_and_not_kept() -> None:
    cache = TraceCache(most_bytes=100)
    kept = cache.get("small", lambda: of_bytes(60))
    assert cache.get("large", lambda: of_bytes(400)).nbytes == 400
    assert cache.get("small", lambda: of_bytes(60)) is kept
    assert cache.nbytes == 60

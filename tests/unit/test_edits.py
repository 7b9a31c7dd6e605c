"""A changed character moves what comes after it, and KL is what that costs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rnn.config import ModelConfig
from rnn.edits import Edit, lengths, with_character
from rnn.errors import ConfigError, InputError
from rnn.models import CharRNN
from rnn.records import Trace
from rnn.trace import trace
from rnn.vocabulary import Vocabulary

TEXT, K = "a cab bead", 4
VOCABULARY = Vocabulary.from_text(TEXT)


def reader(config: ModelConfig) -> Any:
    model = CharRNN(config, len(VOCABULARY), seed=1).eval()
    weights = {name: 3 * tensor.detach().numpy() for name, tensor in model.state_dict().items()}

    def read(text: str) -> Trace:
        return trace(config, weights, VOCABULARY, text)

    return read


def edit(config: ModelConfig) -> Edit:
    read = reader(config)
    return Edit(read(TEXT), read(with_character(TEXT, K, "d")), K)


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_nothing_before_the_change_moves_and_something_after_it_does(cell: str) -> None:
    one = edit(ModelConfig(cell, 3, 2))
    assert one.after.text == "a cad bead"
    for layer in (0, 1):
        assert not one.states(layer)[:K].any()
        assert one.states(layer)[K:].any(axis=1).all()
    assert not one.divergences[:K].any()
    assert (one.divergences[K:] > 0).all()
    assert not one.costs[:K].any()
    np.testing.assert_allclose(lengths(one.states(0)), np.linalg.norm(one.states(0), axis=1), rtol=1e-6)
    if cell == "lstm":
        before, after = (trace.layers[0][0].c for trace in (one.before, one.after))
        np.testing.assert_array_equal(one.states(0, vector="c"), after - before)
    else:
        with pytest.raises(ConfigError, match="h or, of an LSTM, c"):
            one.states(0, vector="c")


def test_divergence_and_costs_are_their_definitions() -> None:
    one = edit(ModelConfig("gru", 4))
    for t in range(len(TEXT)):
        p, q = (x.probabilities[t].astype(np.float64) for x in (one.before, one.after))
        assert one.divergences[t] == pytest.approx(float((p * np.log2(p / q)).sum()), abs=1e-5)
        if t + 1 < len(TEXT) and t + 1 != K:
            following = VOCABULARY.characters.index(TEXT[t + 1])
            assert one.costs[t] == pytest.approx(np.log2(p[following] / q[following]), abs=1e-5)


def test_in_both_directions_the_change_is_seen_on_both_sides() -> None:
    one = edit(ModelConfig("gru", 3, bidirectional=True))
    assert one.divergences.all()
    assert one.states(0, 1)[: K + 1].any(axis=1).all()
    assert not one.states(0, 1)[K + 1 :].any()


def test_only_one_other_character_is_put() -> None:
    for position, character, match in (
        (len(TEXT), "b", "there is none at"),
        (0, "bc", "one other"),
        (0, "a", "one other"),
    ):
        with pytest.raises(InputError, match=match):
            with_character(TEXT, position, character)
    read = reader(ModelConfig("rnn", 2))
    with pytest.raises(ConfigError, match="same length"):
        Edit(read("ab"), read("abc"), 0)


def test_a_text_of_one_character_can_be_changed() -> None:
    read = reader(ModelConfig("lstm", 1))
    one = Edit(read("a"), read("b"), 0)
    assert one.costs.shape == (0,)
    assert one.divergences.shape == (1,)

"""A held unit is a constant: its outgoing weights may as well be biases, or, at 0, not be there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rnn.config import ModelConfig
from rnn.errors import ConfigError
from rnn.models import CharRNN
from rnn.sampling import NumpyModel, generate
from rnn.silencing import PinnedModel, losses, mean_losses
from rnn.stepwise import to_the_end
from rnn.trace import trace
from rnn.vocabulary import Vocabulary

TEXT = "a cab bead bed"
VOCABULARY = Vocabulary.from_text(TEXT)
V, H = len(VOCABULARY), 5
INDICES = VOCABULARY.encode(TEXT)
CONFIGS = [
    ModelConfig("rnn", H, 2, nonlinearity="relu"),
    ModelConfig("rnn", H, 1, embedding_size=3, nonlinearity="sigmoid"),
    ModelConfig("gru", H, 2),
    ModelConfig("lstm", H, 3, embedding_size=3),
]
PLACES = [(config, layer) for config in CONFIGS for layer in {0, config.num_layers - 1}]


def weights_of(config: ModelConfig) -> dict[str, Any]:
    model = CharRNN(config, V, seed=1)
    return {name: 2 * tensor.detach().numpy() for name, tensor in model.state_dict().items()}


def without(config: ModelConfig, weights: dict[str, Any], layer: int, unit: int, value: float) -> dict[str, Any]:
    """The unit's outgoing weights times the value moved into the biases; then nobody hears the unit itself."""
    changed = {name: w.copy() for name, w in weights.items()}
    top = layer == config.num_layers - 1
    above = (
        ("head.weight", "head.bias")
        if top
        else (f"recurrent.weight_ih_l{layer + 1}", f"recurrent.bias_ih_l{layer + 1}")
    )
    for matrix, bias in ((f"recurrent.weight_hh_l{layer}", f"recurrent.bias_hh_l{layer}"), above):
        changed[bias] += value * changed[matrix][:, unit]
        changed[matrix][:, unit] = 0
    return changed


@pytest.mark.parametrize(("config", "layer"), PLACES, ids=str)
@pytest.mark.parametrize("value", [0.0, 0.7])
def test_holding_a_unit_is_zeroing_its_outgoing_weights_by_hand(config: ModelConfig, layer: int, value: float) -> None:
    weights = weights_of(config)
    by_hand = trace(config, without(config, weights, layer, 2, value), VOCABULARY, TEXT)
    held = losses(PinnedModel(config, weights, layer, 2, value), INDICES)
    np.testing.assert_allclose(held, by_hand.losses, atol=1e-5)
    assert np.abs(held - losses(NumpyModel(config, weights), INDICES)).max() > 1e-3


@pytest.mark.parametrize(("config", "layer"), PLACES, ids=str)
def test_a_unit_that_nobody_hears_is_silenced_without_effect(config: ModelConfig, layer: int) -> None:
    weights = without(config, weights_of(config), layer, 3, 0.0)
    plain, held = (losses(m, INDICES) for m in (NumpyModel(config, weights), PinnedModel(config, weights, layer, 3)))
    np.testing.assert_array_equal(held, plain)


def test_losses_are_those_of_the_trace() -> None:
    config = CONFIGS[-1]
    weights = weights_of(config)
    np.testing.assert_allclose(
        losses(NumpyModel(config, weights), INDICES), trace(config, weights, VOCABULARY, TEXT).losses, atol=1e-5
    )
    assert losses(NumpyModel(config, weights), INDICES[:1]).shape == (0,)


@pytest.mark.parametrize(("config", "layer"), PLACES, ids=str)
def test_every_unit_in_its_turn_is_each_unit_alone(
    config: ModelConfig, layer: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rnn.silencing.TURN", 1)
    weights = weights_of(config)
    turns = mean_losses(config, weights, INDICES, layer, 0.3)
    assert next(turns) is None  # others have their turn
    found = to_the_end(turns)
    alone = [losses(PinnedModel(config, weights, layer, unit, 0.3), INDICES).mean() for unit in range(H)]
    np.testing.assert_allclose(found, alone, atol=1e-6)


def test_a_model_with_a_silenced_unit_writes_and_the_model_itself_is_left_alone() -> None:
    config = ModelConfig("gru", H)
    weights = weights_of(config)
    before = {name: w.copy() for name, w in weights.items()}
    text = "".join(s.char for s in generate(PinnedModel(config, weights, 0, 1), VOCABULARY, "a", 40, seed=3))
    assert len(text) == 40
    for name, w in weights.items():
        np.testing.assert_array_equal(w, before[name])


def test_the_only_unit_of_a_model_can_be_silenced() -> None:
    config = ModelConfig("lstm", 1)
    weights = weights_of(config)
    held = losses(PinnedModel(config, weights, 0, 0), INDICES)
    scores = weights["head.bias"].astype(float)
    expected = np.log(np.exp(scores).sum()) - scores[INDICES[1:]]
    np.testing.assert_allclose(held, expected, atol=1e-6)


def test_what_is_not_there_cannot_be_held() -> None:
    config = ModelConfig("rnn", H)
    for layer, unit, value, match in ((1, 0, 0.0, "layer 2"), (0, H, 0.0, "5 units"), (0, 0, float("nan"), "finite")):
        with pytest.raises(ConfigError, match=match):
            PinnedModel(config, weights_of(config), layer, unit, value)
    with pytest.raises(ConfigError, match="two characters"):
        to_the_end(mean_losses(config, weights_of(config), INDICES[:1], 0))

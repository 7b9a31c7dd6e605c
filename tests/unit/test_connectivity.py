"""What a prediction depends on is what moves it: the gradient against finite differences, place by place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from rnn.config import ModelConfig
from rnn.errors import ConfigError, InputError
from rnn.gradients.connectivity import connectivity, typical_norms
from rnn.influence import forgotten_after, held_within, reach
from rnn.models import CharRNN
from rnn.records import Trace
from rnn.trace import trace
from rnn.vocabulary import Vocabulary

TEXT = "a cab bead bed"
VOCABULARY = Vocabulary.from_text(TEXT)
V, H = len(VOCABULARY), 5
CONFIGS = [
    ModelConfig("rnn", H, 1),
    ModelConfig("rnn", H, 2, embedding_size=3, nonlinearity="relu"),
    ModelConfig("rnn", H, 1, nonlinearity="sigmoid", bias=False),
    ModelConfig("gru", H, 2),
    ModelConfig("lstm", H, 3, embedding_size=4),
    ModelConfig("lstm", 1, 1),
]


def read(config: ModelConfig) -> tuple[dict[str, Any], Trace]:
    model = CharRNN(config, V, seed=2).eval()
    weights = {name: 2 * tensor.detach().numpy() for name, tensor in model.state_dict().items()}
    return weights, trace(config, weights, VOCABULARY, TEXT)


def as_vectors(config: ModelConfig, weights: dict[str, Any], inputs: np.ndarray) -> np.ndarray:
    """Logits (V,) after inputs (T, I) that need be no characters: the model without its embedding, in float64."""
    module = {"rnn": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[config.cell]
    more = {"nonlinearity": config.nonlinearity} if config.cell == "rnn" else {}
    layers = module(inputs.shape[1], config.hidden_size, config.num_layers, bias=config.bias, **more).double()
    own = {name.removeprefix("recurrent."): torch.tensor(w) for name, w in weights.items() if "recurrent" in name}
    layers.load_state_dict(own)
    with torch.no_grad():
        h = layers(torch.tensor(inputs))[0][-1].numpy()
    return weights["head.weight"] @ h + weights.get("head.bias", 0)


@pytest.mark.parametrize("config", [c for c in CONFIGS if c.nonlinearity != "sigmoid"], ids=str)
@pytest.mark.parametrize("quantity", ["logit", "log-probability"])
def test_the_gradient_is_the_slope_of_the_output_in_every_input(config: ModelConfig, quantity: Any) -> None:
    weights, inside = read(config)
    position, output = 9, 3
    found = connectivity(config, weights, inside, position, output, quantity)
    inputs = weights.get("embedding.weight", np.eye(V))[inside.indices[:position]].astype(np.float64)

    def value(x: np.ndarray) -> float:
        logits = as_vectors(config, weights, x)
        return float(logits[output] - (0 if quantity == "logit" else np.log(np.exp(logits).sum())))

    slopes = np.empty_like(inputs)
    for place in np.ndindex(*inputs.shape):
        nudge = np.zeros_like(inputs)
        nudge[place] = 1e-5
        slopes[place] = (value(inputs + nudge) - value(inputs - nudge)) / 2e-5
    assert found.begin == 0
    assert found.value == pytest.approx(value(inputs), abs=1e-9)
    np.testing.assert_allclose(found.norms, np.linalg.norm(slopes, axis=1), atol=1e-7)
    np.testing.assert_allclose(found.pushes, (slopes * inputs).sum(axis=1), atol=1e-7)


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_a_shorter_window_starts_from_the_state_there_and_changes_no_number_of_it(config: ModelConfig) -> None:
    weights, inside = read(config)
    whole, part = (connectivity(config, weights, inside, 11, window=window) for window in (500, 4))
    assert (whole.begin, part.begin, len(part.norms)) == (0, 7, 4)
    assert part.value == pytest.approx(whole.value, abs=1e-5)  # a trace keeps its states in float32
    np.testing.assert_allclose(part.norms, whole.norms[7:], rtol=1e-4, atol=1e-7)
    assert part.value == pytest.approx(-inside.losses[10], abs=1e-5)


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_several_places_side_by_side_are_each_place_alone(config: ModelConfig) -> None:
    weights, inside = read(config)
    rows = typical_norms(config, weights, inside, [6, 8, 13], window=6)
    for row, position in zip(rows, (6, 8, 13), strict=True):
        alone = connectivity(config, weights, inside, position, window=6)
        np.testing.assert_allclose(row, alone.norms, rtol=1e-4, atol=1e-7)


def test_what_cannot_be_asked_is_refused_in_one_sentence() -> None:
    config = ModelConfig("gru", H)
    weights, inside = read(config)
    for position in (0, -1, len(TEXT)):
        with pytest.raises(InputError, match="No character was read before this one"):
            connectivity(config, weights, inside, position)
    with pytest.raises(ConfigError, match="An output is one of"):
        connectivity(config, weights, inside, 3, output=V)
    with pytest.raises(ConfigError, match="quantity must be one of"):
        connectivity(config, weights, inside, 3, quantity="loss")  # type: ignore[arg-type]
    both = ModelConfig("gru", H, bidirectional=True)
    weights, inside = read(both)
    with pytest.raises(ConfigError, match="not bidirectional"):
        connectivity(both, weights, inside, 3)


def test_a_gradient_that_explodes_is_one_sentence() -> None:
    config = ModelConfig("rnn", 1, nonlinearity="relu")
    weights, _ = read(config)
    vocabulary, text = Vocabulary.from_text("ab"), "ab" * 100
    weights = {name: np.ones_like(w[:2] if name.startswith("head") else w) for name, w in weights.items()}
    weights["recurrent.weight_ih_l0"] = np.array([[0.0, 0.0]], np.float32)
    weights["recurrent.weight_hh_l0"] = np.array([[1e4]], np.float32)
    for bias in ("recurrent.bias_ih_l0", "recurrent.bias_hh_l0"):
        weights[bias] = np.full(1, 1e-30, np.float32)
    weights["head.weight"] = np.array([[1e-30], [0.0]], np.float32)
    inside = trace(config, weights, vocabulary, text)
    with pytest.raises(InputError, match="exploded"):
        connectivity(config, weights, inside, 199, output=0, quantity="logit")


def test_the_reach_is_the_shortest_way_back_that_holds_the_share() -> None:
    assert reach(np.array([1.0, 0, 0, 9])) == 1
    assert reach(np.array([1.0, 1, 8])) == 2
    assert reach(np.array([0.0, 5, 0, 0])) == 3
    assert reach(np.full(10, 1e-300)) == 9
    assert reach(np.zeros(4)) == reach(np.zeros(0)) == 0
    np.testing.assert_allclose(held_within(np.array([[1.0, 1, 2], [0, 0, 0]])), [[0.5, 0.75, 1], [0, 0, 0]])


def test_a_change_is_forgotten_where_it_stays_below_its_share() -> None:
    sizes = np.array([0, 0, 10, 4, 0.05, 0.3, 0.09, 0.02])
    assert forgotten_after(sizes, 2) == 4  # it came back at 3
    assert forgotten_after(sizes[:6], 2) is None
    assert forgotten_after(sizes, 2, share=0.9) == 1
    assert forgotten_after(np.zeros(3), 1) == 0
    assert forgotten_after(sizes[::-1], 5) == 4
    assert forgotten_after(np.array([3.0]), 0) is None
    with pytest.raises(ConfigError):
        forgotten_after(sizes, 8)

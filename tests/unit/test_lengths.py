"""The same weights read sequences of any length, and the states are the model's."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rnn.config import CELLS, NONLINEARITIES, ModelConfig
from rnn.errors import ConfigError
from rnn.lengths import affordable_steps, run_length, states
from rnn.models import CharRNN

V = 5


def model_and_weights(config: ModelConfig) -> tuple[CharRNN, dict[str, np.ndarray]]:
    model = CharRNN(config, V, seed=3).eval()
    return model, {name: t.numpy() for name, t in model.state_dict().items()}


def torch_states(model: CharRNN, indices: list[int]) -> np.ndarray:
    with torch.no_grad():
        embedding = model.embedding.weight if model.config.embedding_size else None
        outputs, _ = model.recurrent(torch.tensor(indices)[:, None], embedding=embedding)
    return outputs[:, 0].numpy()


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("embedding", [0, 3])
@pytest.mark.parametrize("cell", CELLS)
def test_states_are_those_of_the_torch_model(cell: str, embedding: int, bidirectional: bool) -> None:
    config = ModelConfig(cell, 4, 2, embedding_size=embedding, bidirectional=bidirectional)
    model, weights = model_and_weights(config)
    indices = [0, 3, 1, 1, 4, 2]
    h, c = states(config, weights, np.array(indices))
    np.testing.assert_allclose(h, torch_states(model, indices), rtol=0, atol=1e-6)
    assert (c is not None) == (cell == "lstm")


@pytest.mark.parametrize("nonlinearity", NONLINEARITIES)
def test_every_nonlinearity_and_no_biases(nonlinearity: str) -> None:
    config = ModelConfig("rnn", 4, nonlinearity=nonlinearity, bias=False)
    model, weights = model_and_weights(config)
    h, _ = states(config, weights, np.array([2, 0, 4]))
    np.testing.assert_allclose(h, torch_states(model, [2, 0, 4]), rtol=0, atol=1e-6)


def test_an_lstm_has_the_cell_state_of_torch() -> None:
    config = ModelConfig("lstm", 4)
    model, weights = model_and_weights(config)
    indices = torch.tensor([1, 2, 3, 3])
    with torch.no_grad():
        _, (_, c_n) = model(indices[:, None])
    _, c = states(config, weights, indices.numpy())
    assert c is not None
    np.testing.assert_allclose(c[-1], c_n[0, 0].numpy(), rtol=0, atol=1e-6)


@pytest.mark.parametrize("cell", CELLS)
def test_a_long_run_begins_like_a_short_one(cell: str) -> None:
    config = ModelConfig(cell, 4)
    _, weights = model_and_weights(config)
    indices = np.random.default_rng(0).integers(V, size=300)
    short, long = (run_length(config, weights, indices[:T].tolist()) for T in (5, 300))
    assert (short.steps, long.steps) == (5, 300)
    np.testing.assert_allclose(long.norms[:5], short.norms, rtol=1e-6)
    assert long.largest == 2
    assert long.norms.max() <= 2
    assert (long.cell_norms is not None) == (cell == "lstm")


def test_a_growing_relu_stays_a_number() -> None:
    config = ModelConfig("rnn", 2, nonlinearity="relu")
    _, weights = model_and_weights(config)
    weights["recurrent.weight_hh_l0"] = np.full((2, 2), 5, np.float32)
    weights["recurrent.bias_hh_l0"] = np.ones(2, np.float32)
    run = run_length(config, weights, [0] * 200)
    assert np.isfinite(run.norms).all()
    assert run.norms[-1] > 1e20
    assert run.largest is None


@pytest.mark.parametrize("indices", [[], [-1], [V]])
def test_characters_that_are_not_there_are_refused(indices: list[int]) -> None:
    config = ModelConfig("rnn", 2)
    with pytest.raises(ConfigError, match="from 0 to 4"):
        run_length(config, model_and_weights(config)[1], indices)


def test_only_large_networks_read_fewer_steps() -> None:
    assert affordable_steps(ModelConfig("lstm", 128, 2), 65, 5000) == 5000
    assert 1 <= affordable_steps(ModelConfig("lstm", 2048, 4), 65, 5000) < 5000

"""The same weights read sequences of any length, and the states are the model's."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rnn.config import CELLS, ModelConfig
from rnn.errors import ConfigError
from rnn.lengths import affordable_steps, run_length
from rnn.models import CharRNN

V = 5


def model_and_weights(config: ModelConfig) -> tuple[CharRNN, dict[str, np.ndarray]]:
    model = CharRNN(config, V, seed=3).eval()
    return model, {name: t.numpy() for name, t in model.state_dict().items()}


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_norms_are_those_of_the_torch_models_states(cell: str, bidirectional: bool) -> None:
    config = ModelConfig(cell, 4, 2, bidirectional=bidirectional)
    model, weights = model_and_weights(config)
    indices = [0, 3, 1, 1, 4, 2]
    with torch.no_grad():
        outputs, state = model.recurrent(torch.tensor(indices)[:, None])
    run = run_length(config, weights, indices)
    np.testing.assert_allclose(run.norms, outputs[:, 0].norm(dim=1), rtol=1e-5)
    if cell == "lstm" and not bidirectional:
        assert run.cell_norms is not None
        np.testing.assert_allclose(run.cell_norms[-1], state[1][-1, 0].norm(), rtol=1e-5)


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

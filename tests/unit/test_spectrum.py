"""Eigenvalues of recurrent matrices whose spectrum is known."""

from __future__ import annotations

import numpy as np
import pytest

from rnn.config import CELLS, ModelConfig
from rnn.errors import ConfigError
from rnn.models import CharRNN
from rnn.spectrum import LARGEST, blocks, spectra


def weights(W: np.ndarray) -> dict[str, np.ndarray]:
    return {"recurrent.weight_hh_l0": W}


def test_a_rotation_turns_on_its_circle() -> None:
    angle, scale = 0.3, 0.9
    W = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    (found,) = spectra(ModelConfig("rnn", hidden_size=2), weights(W))
    assert found.name == "W_hh"
    assert found.radius == pytest.approx(scale)
    np.testing.assert_allclose(sorted(np.angle(found.eigenvalues)), [-angle, angle])


def test_the_radius_is_how_fast_a_state_grows() -> None:
    W = np.random.default_rng(0).normal(size=(7, 7))
    (found,) = spectra(ModelConfig("rnn", hidden_size=7), weights(W))
    grown = np.linalg.norm(np.linalg.matrix_power(W / found.radius, 400), 2)
    assert 0.1 < grown < 100  # with another radius it would be 0 or infinite


def test_each_gate_has_its_own_rows() -> None:
    W = np.concatenate([np.diag([value, value / 2]) for value in (1.0, 2.0, 3.0, 4.0)])
    found = spectra(ModelConfig("lstm", hidden_size=2), weights(W))
    assert [(s.name, s.radius) for s in found] == [("W_hi", 1), ("W_hf", 2), ("W_hg", 3), ("W_ho", 4)]
    assert [s.name for s in spectra(ModelConfig("gru", hidden_size=2), weights(W[:6]))] == ["W_hr", "W_hz", "W_hn"]


@pytest.mark.parametrize("cell", CELLS)
def test_every_layer_and_direction_of_a_model_has_one(cell: str) -> None:
    config = ModelConfig(cell, hidden_size=3, num_layers=2, bidirectional=True)
    w = {name: t.numpy() for name, t in CharRNN(config, 4).state_dict().items()}
    for layer in (0, 1):
        for backward in (False, True):
            assert len(spectra(config, w, layer, backward)) == config.gates
    with pytest.raises(ConfigError, match="no layer 3"):
        spectra(config, w, 2)


def test_other_matrices_are_not_cut() -> None:
    W = np.zeros((6, 2))
    assert list(blocks("W_hy", "lstm", W)) == ["W_hy"]
    assert list(blocks("W_xh", "gru", W)) == ["W_xr", "W_xz", "W_xn"]
    assert list(blocks("W_xh", "rnn", W)) == ["W_xh"]


def test_what_is_too_large_or_exploded_is_refused() -> None:
    with pytest.raises(ConfigError, match="at most 512"):
        spectra(ModelConfig("rnn"), weights(np.zeros((LARGEST + 1, LARGEST + 1))))
    with pytest.raises(ConfigError, match="no finite numbers"):
        spectra(ModelConfig("rnn"), weights(np.full((2, 2), np.nan)))

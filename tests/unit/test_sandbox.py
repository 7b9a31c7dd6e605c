"""The sandbox: its hand-derived way back is autograd's, and its lines are what theory says of them."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn.errors import ConfigError
from rnn.gradients.sandbox import (
    LOSSES,
    MATRICES,
    NONLINEARITIES,
    RADII,
    Decay,
    Sandbox,
    decay,
    inputs_and_losses,
    recurrent_matrix,
)
from rnn.spectrum import Spectrum


@pytest.mark.parametrize("nonlinearity", NONLINEARITIES)
@pytest.mark.parametrize("matrix", MATRICES)
def test_the_norms_are_those_of_autograd(nonlinearity: str, matrix: str) -> None:
    network = Sandbox(1.2, hidden_size=7, steps=9, nonlinearity=nonlinearity, matrix=matrix, seed=3)
    W_hh = torch.from_numpy(recurrent_matrix(network))
    x, directions = (torch.from_numpy(a) for a in inputs_and_losses(network))
    states = [torch.zeros(7, dtype=torch.float64, requires_grad=True)]
    for read in x:
        a = W_hh @ states[-1] + read
        states.append(torch.tanh(a) if nonlinearity == "tanh" else a)
    expected = [
        [g.norm().item() for g in torch.autograd.grad(w @ states[-1], states[::-1], retain_graph=True)]
        for w in directions
    ]
    np.testing.assert_allclose(decay(network).norms, np.array(expected).T, rtol=1e-12)


@settings(max_examples=25, deadline=None)
@given(
    st.floats(*RADII), st.integers(1, 24), st.integers(1, 40), st.sampled_from(NONLINEARITIES),
    st.sampled_from(MATRICES), st.integers(0, 99),
)  # fmt: skip
def test_no_gradient_grows_faster_than_the_largest_singular_value(
    radius: float, H: int, T: int, nonlinearity: str, matrix: str, seed: int
) -> None:
    found = decay(Sandbox(radius, H, T, nonlinearity, matrix, seed))
    assert found.spectrum.radius == pytest.approx(radius)
    assert found.sigma >= radius * (1 - 1e-9)
    bound = found.sigma ** np.arange(T + 1)
    assert (found.norms <= bound[:, None] * (1 + 1e-9)).all()
    assert found.norms.shape == (T + 1, LOSSES)
    np.testing.assert_allclose(found.norms[0], 1)


@pytest.mark.parametrize("radius", [0.5, 0.8, 1.0, 1.3, 1.5])
def test_an_orthogonal_matrix_without_tanh_gives_the_line_of_the_radius_itself(radius: float) -> None:
    found = decay(Sandbox(radius, 32, 200, "identity", "orthogonal"))
    np.testing.assert_allclose(found.norms, np.repeat(radius ** np.arange(201)[:, None], LOSSES, 1), rtol=1e-9)
    assert found.factor == pytest.approx(radius)


def test_over_many_steps_the_radius_of_a_random_matrix_decides() -> None:
    assert decay(Sandbox(0.9, 64, 200, "identity")).factor == pytest.approx(0.9, rel=0.02)
    assert decay(Sandbox(1.1, 64, 200, "identity")).factor == pytest.approx(1.1, rel=0.02)


def test_tanh_takes_away_from_the_gradient() -> None:
    linear, squashed = (decay(Sandbox(1.0, 64, 100, name)) for name in ("identity", "tanh"))
    assert linear.slope == 1
    assert squashed.slope < 1
    assert squashed.factor < linear.factor


@pytest.mark.parametrize(
    ("factor", "sentence"),
    [
        (0.5, "halves every step"), (0.9, "halves every 6.6 steps"), (1.1, "doubles every 7.3 steps"),
        (1.01, "doubles every 70 steps"), (1.0, "keeps its size"), (0.25, "is multiplied by 0.25 at every step"),
    ],
)  # fmt: skip
def test_the_sentence_says_what_was_measured(factor: float, sentence: str) -> None:
    norms = np.repeat(factor ** np.arange(50.0)[:, None], 3, axis=1)
    assert Decay(norms, Spectrum("W_hh", np.ones(1, complex)), 1.0, 1.0).sentence == sentence


@pytest.mark.parametrize(
    "bad",
    [
        {"radius": math.nan}, {"radius": 0.4}, {"radius": math.inf}, {"hidden_size": 0}, {"hidden_size": 257},
        {"steps": 201}, {"steps": 0}, {"nonlinearity": "cube"}, {"matrix": "sparse"}, {"seed": -1},
    ],
)  # fmt: skip
def test_a_value_out_of_bounds_is_said_in_a_sentence(bad: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=r"must be .*, not .*\.$"):
        Sandbox(**bad)  # type: ignore[arg-type]

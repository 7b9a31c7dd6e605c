"""What each step adds to a shared gradient is what autograd finds for matrices of that step's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from rnn.config import CELLS, ModelConfig
from rnn.errors import ConfigError, InputError
from rnn.gradients.contributions import Contributions, contributions
from rnn.gradients.steps import as_tensors, read_steps
from rnn.models import CharRNN

V, T, H = 7, 5, 4
READ = np.array([3, 1, 1, 6, 0])
WANTED = np.array([1, 1, 6, 0, 2])
CONFIGS = [
    *(ModelConfig(cell, H, layers) for cell in CELLS for layers in (1, 2, 3)),
    *(ModelConfig(cell, H, 2, embedding_size=3, bias=False) for cell in CELLS),
    ModelConfig("rnn", H, nonlinearity="relu"), ModelConfig("rnn", 1, nonlinearity="sigmoid"),
]  # fmt: skip


def weights_of(config: ModelConfig) -> dict[str, NDArray[Any]]:
    return {name: 2 * p.detach().double().numpy() for name, p in CharRNN(config, V, seed=1).named_parameters()}


def name_of(name: str, layer: int) -> str:
    of_layers = {"W_xh": f"recurrent.weight_ih_l{layer}", "W_hh": f"recurrent.weight_hh_l{layer}"}
    return of_layers.get(name, "head.weight")


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_each_norm_is_that_of_the_gradient_of_a_matrix_used_at_one_step(config: ModelConfig) -> None:
    arrays = weights_of(config)
    found = contributions(config, arrays, READ, WANTED)
    own = [as_tensors(arrays, requires_grad=True) for _ in range(T)]
    steps = read_steps(config, own, torch.tensor(READ)[:, None])
    losses = steps.losses(torch.tensor(WANTED)[:, None])
    losses.sum().backward()
    assert [(m.name, m.layer) for m in found.matrices] == [
        *((name, layer) for layer in range(config.num_layers) for name in ("W_xh", "W_hh")),
        ("W_hy", config.num_layers - 1),
    ]
    for matrix in found.matrices:
        parts = [w[name_of(matrix.name, matrix.layer)].grad for w in own]
        expected = [0.0 if part is None else float(part.norm()) for part in parts]
        np.testing.assert_allclose(matrix.norms, expected, rtol=0, atol=1e-12)
        whole = sum(part for part in parts if part is not None)
        assert matrix.whole == pytest.approx(float(whole.norm()), abs=1e-12)  # type: ignore[union-attr]
        assert matrix.shape == arrays[name_of(matrix.name, matrix.layer)].shape
        assert matrix.difference < 1e-13
    np.testing.assert_allclose(found.losses, losses.detach()[:, 0].numpy(), rtol=0, atol=1e-12)


@pytest.mark.parametrize("cell", CELLS)
def test_the_norms_at_the_states_are_slopes_of_the_total_loss(cell: str) -> None:
    config = ModelConfig(cell, 1, 2)  # of one unit the norm is the size of a slope
    arrays = weights_of(config)
    state = [tuple(np.array([0.3 + layer]) for _ in range(1 + (cell == "lstm"))) for layer in range(2)]
    found = contributions(config, arrays, READ, WANTED, state)
    assert found.states.shape == (T + 1, 2)

    def total(layer: int, h: float) -> float:
        moved = [list(of_layer) for of_layer in state]
        moved[layer][0] = np.array([h])
        return contributions(config, arrays, READ, WANTED, moved).total

    for layer in range(2):
        slope = (total(layer, 0.3 + layer + 1e-5) - total(layer, 0.3 + layer - 1e-5)) / 2e-5
        assert found.states[0, layer] == pytest.approx(abs(slope), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("cell", CELLS)
def test_a_stretch_that_goes_on_has_the_losses_of_the_whole(cell: str) -> None:
    config = ModelConfig(cell, H, 2)
    arrays = weights_of(config)
    before = read_steps(config, as_tensors(arrays), torch.tensor(READ[:2])[:, None]).states[-1]
    state = [tuple(part[0].numpy() for part in of_layer) for of_layer in before]
    whole = contributions(config, arrays, READ, WANTED)
    rest = contributions(config, arrays, READ[2:], WANTED[2:], state)
    np.testing.assert_allclose(rest.losses, whole.losses[2:], rtol=0, atol=1e-12)
    np.testing.assert_allclose(rest.states[1:], whole.states[3:], rtol=0, atol=1e-12)  # the future is the same


def test_the_last_state_feels_its_own_loss_only() -> None:
    config = ModelConfig("rnn", H)
    arrays = weights_of(config)
    found: Contributions = contributions(config, arrays, READ, WANTED)
    h = read_steps(config, as_tensors(arrays), torch.tensor(READ)[:, None]).hidden()[-1][0].numpy()
    W_hy, b = arrays["head.weight"], arrays["head.bias"]
    p = np.exp(W_hy @ h + b)
    p /= p.sum()
    p[WANTED[-1]] -= 1
    assert found.states[-1, 0] == pytest.approx(np.linalg.norm(W_hy.T @ p), abs=1e-12)


def test_what_has_no_loss_is_refused() -> None:
    config = ModelConfig("rnn", H)
    with pytest.raises(InputError, match="at least one character"):
        contributions(config, weights_of(config), READ[:0], WANTED[:0])
    with pytest.raises(InputError, match="at least one character"):
        contributions(config, weights_of(config), READ, WANTED[1:])
    both = ModelConfig("rnn", H, bidirectional=True)
    with pytest.raises(ConfigError, match="one direction"):
        contributions(both, weights_of(both), READ, WANTED)

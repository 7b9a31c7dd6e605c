"""Two chunks with the state carried are one long forward pass, by every path; with the state forgotten they are not."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest
import torch

from rnn.carrying import PATHS, carried, random_networks
from rnn.config import CELLS, ModelConfig
from rnn.errors import ConfigError, InputError
from rnn.figures.carrying import carried_steps, carried_steps_alt
from rnn.models import CharRNN

V, T = 7, 20
INDICES = np.random.default_rng(0).integers(V, size=T)
TEXT = "abcdefg<b>&nopqrst\n "


def weights_of(config: ModelConfig) -> dict[str, np.ndarray]:
    return {name: 2 * tensor.numpy() for name, tensor in CharRNN(config, V, seed=1).state_dict().items()}


@pytest.mark.parametrize("cut", [1, 7, T - 1])
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("cell", CELLS)
def test_two_chunks_with_the_state_carried_are_one_pass(cell: str, layers: int, cut: int) -> None:
    config = ModelConfig(cell, 5, layers, embedding_size=3 * (layers - 1))
    found = carried(config, weights_of(config), INDICES, cut)
    assert [(one.path, one.dtype) for one in found] == [(p, d) for d in ("float32", "float64") for p in PATHS]
    for one in found:
        assert one.is_equal
        assert one.largest <= (1e-5 if one.dtype == "float32" else 1e-10)
        assert one.steps.shape == one.forgotten.shape == (T,)
        assert one.forgotten[:cut].max() <= one.allowed
        assert one.forgotten[cut] > 1e-3


def test_the_difference_of_a_forgotten_state_is_that_of_the_torch_model() -> None:
    config = ModelConfig("gru", 5)
    model = CharRNN(config, V, seed=1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter *= 2
        whole, _ = model.recurrent(torch.from_numpy(INDICES)[:, None])
        second, _ = model.recurrent(torch.from_numpy(INDICES[9:])[:, None])
    found = carried(config, weights_of(config), INDICES, 9)[1]
    np.testing.assert_allclose(found.forgotten[9:], (whole[9:] - second).abs().amax(dim=(1, 2)), atol=1e-6)


def test_every_cell_stands_in_one_layer_and_in_two() -> None:
    networks = random_networks(V, seed=3)
    assert [(c.cell, c.num_layers) for c, _ in networks] == [(cell, n) for cell in CELLS for n in (1, 2)]
    assert not np.array_equal(networks[0][1]["head.weight"], random_networks(V, seed=4)[0][1]["head.weight"])


@pytest.mark.parametrize("cut", [0, T, -1])
def test_a_cut_outside_is_refused(cut: int) -> None:
    config = ModelConfig("rnn", 5)
    with pytest.raises(ConfigError, match="cut must be"):
        carried(config, weights_of(config), INDICES, cut)


def test_one_character_and_both_directions_have_no_two_chunks() -> None:
    config = ModelConfig("rnn", 5)
    with pytest.raises(InputError, match="two characters"):
        carried(config, weights_of(config), [1], 1)
    both = ModelConfig("rnn", 5, bidirectional=True)
    with pytest.raises(ConfigError, match="both directions"):
        carried(both, weights_of(both), INDICES, 3)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_the_figure_shows_both_ways_and_says_how_far_they_are_off(cell: str, dark: bool) -> None:
    config = ModelConfig(cell, 5)
    one = carried(config, weights_of(config), INDICES, 7)[1]
    fig = carried_steps(one.steps, one.forgotten, TEXT, 7, one.allowed, dark)
    go.Figure(fig.to_dict())  # here with Plotly's checks
    forgotten, with_state = fig.data
    np.testing.assert_allclose(forgotten.y[7:], one.forgotten[7:])
    assert with_state.y.max() <= one.allowed
    largest = one.steps.max()
    assert (f"{largest:.0e}" if largest else "to the last bit") in fig.layout.title.text
    assert "State forgotten" in carried_steps_alt(one.steps, one.forgotten, 7)

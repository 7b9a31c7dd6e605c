"""What the gates keep of the gradient, and what the whole Jacobian keeps, which autograd computes, too."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rnn.config import CELLS, NONLINEARITIES, ModelConfig
from rnn.errors import InputError
from rnn.gradients.paths import FEWEST_STEPS, MOST_LAGS, STARTS, _ends, kept_by_gates, kept_in_all, lags_of
from rnn.gradients.steps import as_tensors, read_steps
from rnn.models import CharRNN
from rnn.records import LayerTrace
from rnn.trace import trace
from rnn.vocabulary import Vocabulary

LETTERS = tuple("helo ")
TEXT = "hello hell hole"
H = 4
Weights = dict[str, np.ndarray]


def read(
    config: ModelConfig, text: str = TEXT, scale: float = 2.0
) -> tuple[Weights, tuple[tuple[LayerTrace, ...], ...]]:
    model = CharRNN(config, len(LETTERS), seed=2)
    weights = {name: scale * p.detach().numpy() for name, p in model.named_parameters()}
    return weights, trace(config, weights, Vocabulary.from_characters(LETTERS), text).layers


@pytest.mark.parametrize(
    ("cell", "nonlinearity"), [*(("rnn", name) for name in NONLINEARITIES), ("gru", "tanh"), ("lstm", "tanh")]
)
def test_the_jacobian_is_autograds(cell: str, nonlinearity: str) -> None:
    config = ModelConfig(cell, H, nonlinearity=nonlinearity)
    weights, layers = read(config)
    found = kept_in_all(config, weights, layers[0][0], 0, np.eye(H)).mean
    indices = torch.from_numpy(Vocabulary.from_characters(LETTERS).encode(TEXT).astype(np.int64))[:, None]
    steps = read_steps(config, as_tensors(weights, requires_grad=True), indices)
    state = [at_step[0][1 if cell == "lstm" else 0] for at_step in steps.states]
    lags = lags_of(len(TEXT))
    squares = np.zeros(lags + 1)
    for t in _ends(len(TEXT), lags, STARTS):
        for unit in range(H):
            back = torch.autograd.grad(
                state[t][0, unit], [state[t - lag] for lag in range(lags + 1)], retain_graph=True
            )
            squares += [g.square().sum().item() for g in back]
    np.testing.assert_allclose(found, np.sqrt(squares / squares[0]), rtol=1e-4)


@pytest.mark.parametrize("layer", [0, 1])
@pytest.mark.parametrize("cell", CELLS)
def test_a_layer_that_reads_from_the_end_is_one_that_reads_the_text_turned_round(cell: str, layer: int) -> None:
    config = ModelConfig(cell, H, 2, bidirectional=True)
    weights, layers = read(config)
    swapped = {  # the same with the directions' names exchanged: what each reads of the layer below, too
        name.removesuffix("_reverse") if name.endswith("_reverse") else name + "_reverse" * ("recurrent" in name): (
            np.concatenate(np.split(w, 2, axis=1)[::-1], axis=1) if "weight_ih_l1" in name else w
        )
        for name, w in weights.items()
    }
    turned = trace(config, swapped, Vocabulary.from_characters(LETTERS), TEXT[::-1]).layers
    np.testing.assert_allclose(
        kept_in_all(config, weights, layers[layer][1], layer).mean,
        kept_in_all(config, swapped, turned[layer][0], layer).mean,
        rtol=1e-4,
    )


def test_products_of_gates_are_products_of_gates() -> None:
    config = ModelConfig("lstm", H)
    _, layers = read(config)
    f = layers[0][0].gates["f"].astype(np.float64)
    found = kept_by_gates("lstm", layers[0][0])
    assert found is not None
    assert found.best is not None
    lags = lags_of(len(TEXT))
    for lag in range(lags + 1):
        products = np.mean([f[t - lag + 1 : t + 1].prod(axis=0) for t in range(lags, len(TEXT))], axis=0)
        assert found.mean[lag] == pytest.approx(products.mean())
        assert found.best[lag] == pytest.approx(products.max())


@pytest.mark.parametrize("shift", [-1.0, 0.0, 2.0])
def test_a_shift_is_what_a_bias_does_to_a_sigmoid(shift: float) -> None:
    sums = np.random.default_rng(0).standard_normal((20, 3)).astype(np.float32)

    def layer(sums: np.ndarray) -> LayerTrace:
        z = 1 / (1 + np.exp(-sums))
        return LayerTrace(z, None, {"r": z, "z": z, "n": z})

    moved, direct = kept_by_gates("gru", layer(sums), shift), kept_by_gates("gru", layer(sums + np.float32(shift)))
    assert moved is not None
    assert direct is not None
    np.testing.assert_allclose(moved.mean, direct.mean, rtol=1e-5)


def test_shut_and_open_gates_stay_finite() -> None:
    shut = np.zeros((20, 1), np.float32)
    found = kept_by_gates("gru", LayerTrace(shut, None, {"z": shut}), 3.0)
    assert found is not None
    np.testing.assert_allclose(found.mean, [1, *[0] * 10], atol=1e-300)
    full = kept_by_gates("gru", LayerTrace(shut, None, {"z": shut + 1}), -3.0)
    assert full is not None
    np.testing.assert_allclose(full.mean, 1)


def test_an_rnn_has_no_gate_and_a_short_text_is_said() -> None:
    config = ModelConfig("rnn", 1)
    weights, layers = read(config, TEXT * 20)
    assert kept_by_gates("rnn", layers[0][0]) is None
    assert len(kept_in_all(config, weights, layers[0][0], 0).mean) == MOST_LAGS + 1
    weights, layers = read(config, TEXT[: FEWEST_STEPS - 1])
    with pytest.raises(InputError, match="at least 8 characters; this one has 7"):
        kept_in_all(config, weights, layers[0][0], 0)


def test_a_jacobian_that_explodes_is_said() -> None:
    config = ModelConfig("rnn", H, nonlinearity="relu")
    weights, layers = read(config, TEXT)
    one = layers[0][0]
    with pytest.raises(InputError, match="not finite"):
        kept_in_all(config, {n: w * 1e20 for n, w in weights.items()}, LayerTrace(abs(one.h) + 1, None, {}), 0)

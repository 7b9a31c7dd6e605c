"""The way back by hand is autograd's: every loss to every step, with and without walls, in float64."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from rnn.config import CELLS, NONLINEARITIES, ModelConfig
from rnn.errors import ConfigError, InputError
from rnn.gradients.chunk_cost import measuring_chunks, saved_bytes
from rnn.gradients.reach import (
    MOST_STEPS,
    by_lag,
    cut_by,
    each_loss,
    most_steps,
    reach,
    share_kept,
    stretch_of,
)
from rnn.gradients.steps import as_tensors, read_steps
from rnn.gradients.truncation import ALL, TITLES, truncation
from rnn.inspection import inspect
from rnn.models import CharRNN
from rnn.records import LayerTrace, Trace
from rnn.stepwise import to_the_end

V, H, E, START, T = 6, 4, 3, 2, 7
INDICES = np.random.default_rng(0).integers(V, size=START + T + 1)

Arrays = dict[str, NDArray[Any]]


def model_of(cell: str = "gru", layers: int = 2, **settings: Any) -> tuple[ModelConfig, Arrays]:
    config = ModelConfig(cell, H, layers, **({"embedding_size": E} | settings))
    # Larger than the first weights are, so that the gradient reaches far.
    return config, {n: 2 * p.detach().double().numpy() for n, p in CharRNN(config, V, seed=1).named_parameters()}


def trace_of(config: ModelConfig, weights: Arrays, indices: NDArray[np.int64] = INDICES) -> Trace:
    """The readable path's numbers, float64."""
    seen = inspect(config, weights, indices)
    layers = tuple(tuple(LayerTrace(p.h, p.c, p.gates, p.reverse) for p in passes) for passes in seen.layers)  # type: ignore[arg-type]
    letters = tuple("abcdef")
    return Trace("".join(letters[i] for i in indices), letters, indices, layers, seen.logits, seen.probabilities)  # type: ignore[arg-type]


def of_autograd(config: ModelConfig, weights: Arrays, chunk: int | None) -> tuple[Any, list[Arrays]]:
    """dL_t/d(every state of every step), and the gradient of every parameter, for each loss t on its own."""
    w = as_tensors(weights, requires_grad=True)
    before = read_steps(config, w, torch.from_numpy(INDICES[:START, None])).states[-1]
    carried = [tuple(part.detach() for part in of_layer) for of_layer in before]
    cuts = [t for t in range(1, T) if chunk and t % chunk == 0]
    steps = read_steps(config, w, torch.from_numpy(INDICES[START:-1, None]), carried, cuts)
    losses = steps.losses(torch.from_numpy(INDICES[START + 1 :, None]))[:, 0]
    states = [part for at_step in steps.states for of_layer in at_step for part in of_layer]
    of_states, of_weights = [], []
    for loss in losses:
        found = torch.autograd.grad(loss, [*states, *w.values()], retain_graph=True, materialize_grads=True)
        of_states.append([g.numpy()[0] for g in found[: len(states)]])
        of_weights.append({name: g.numpy() for name, g in zip(w, found[len(states) :], strict=True)})
    parts = 2 if config.cell == "lstm" else 1
    shaped = np.array(of_states).reshape(T, T, config.num_layers, parts, H)  # loss, step, layer, h or c
    return shaped, of_weights


SETTINGS = [
    *(model_of(cell, layers, embedding_size=E * (layers % 2)) for cell, layers in itertools.product(CELLS, (1, 2, 3))),
    *(model_of("rnn", 2, nonlinearity=name, bias=False) for name in NONLINEARITIES),
    model_of("gru", bias=False),
    model_of("lstm", bias=False),
]


@pytest.mark.parametrize("chunk", [None, 1, 3, T])
@pytest.mark.parametrize(("config", "weights"), SETTINGS)
def test_every_loss_reaches_every_step_as_autograd_has_it(
    config: ModelConfig, weights: Arrays, chunk: int | None
) -> None:
    stretch = stretch_of(config, weights, trace_of(config, weights), START)
    expected, _ = of_autograd(config, weights, chunk)
    for layer, flow in each_loss(stretch, chunk):
        parts = [flow.d_h] + ([flow.d_c] if flow.d_c is not None else [])
        for number, part in enumerate(parts):
            np.testing.assert_allclose(part.transpose(1, 0, 2), expected[:, :, layer, number], rtol=0, atol=1e-12)


@pytest.mark.parametrize("chunk", [1, 2, 3, 5, T])
def test_a_wall_makes_zero_what_it_cuts_and_nothing_else(chunk: int) -> None:
    config, weights = model_of("lstm")
    stretch = stretch_of(config, weights, trace_of(config, weights), START)
    for _, flow in each_loss(stretch, chunk):
        reached = np.abs(flow.d_h).sum(2).T > 0
        up_to_here = np.tri(T, dtype=bool)
        np.testing.assert_array_equal(reached, up_to_here & ~cut_by(T, chunk))


@pytest.mark.parametrize("cell", CELLS)
def test_the_gradient_of_all_losses_is_the_sum_of_those_of_each(cell: str) -> None:
    config, weights = model_of(cell)
    stretch = stretch_of(config, weights, trace_of(config, weights), START)
    w = as_tensors(weights)
    before = read_steps(config, w, torch.from_numpy(INDICES[:START, None])).states[-1]
    state = [tuple(part.requires_grad_() for part in of_layer) for of_layer in before]
    steps = read_steps(config, w, torch.from_numpy(INDICES[START:-1, None]), state)
    total = steps.losses(torch.from_numpy(INDICES[START + 1 :, None])).sum()
    expected = torch.autograd.grad(total, steps.hidden())
    _, top = next(each_loss(stretch))
    for k in range(T):
        np.testing.assert_allclose(top.d_h[k].sum(0), expected[k][0].numpy(), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("config", "weights"), SETTINGS)
def test_cosine_and_ratio_are_those_of_autograds_gradients(config: ModelConfig, weights: Arrays) -> None:
    found = truncation(stretch_of(config, weights, trace_of(config, weights), START))
    full = grouped(of_autograd(config, weights, None)[1])
    for k in (1, 2, 3, T):
        cut = grouped(of_autograd(config, weights, k)[1])
        assert list(cut) == [name for name in TITLES if name in cut] == list(found.cosine)
        for name in cut:
            a, b = cut[name], full[name]
            cosine, ratio = found.at(k, name)
            assert cosine == pytest.approx(a @ b / np.linalg.norm(a) / np.linalg.norm(b), abs=1e-10)
            assert ratio == pytest.approx(np.linalg.norm(a) / np.linalg.norm(b), abs=1e-10)


def grouped(of_losses: list[Arrays]) -> dict[str, NDArray[Any]]:
    """The gradient of the summed loss, by the letters of the page."""
    kinds = {"weight_ih": "W_xh", "weight_hh": "W_hh", "bias_ih": "b_h", "bias_hh": "b_h", "embedding": "E"}
    parts: dict[str, list[NDArray[Any]]] = {}
    for name in of_losses[0]:
        total = np.sum([one[name] for one in of_losses], axis=0).ravel()
        letter = {"head.weight": "W_hy", "head.bias": "b_y"}.get(name) or kinds[
            name.removeprefix("recurrent.").split("_l")[0].split(".")[0]
        ]
        parts.setdefault(letter, []).append(total)
        parts.setdefault(ALL, []).append(total)
    return {name: np.concatenate(parts[name]) for name in TITLES if name in parts}


@pytest.mark.parametrize("cell", CELLS)
def test_one_chunk_is_the_full_gradient_and_the_output_needs_no_history(cell: str) -> None:
    config, weights = model_of(cell)
    found = truncation(stretch_of(config, weights, trace_of(config, weights)))
    for name in found.cosine:
        assert found.at(len(found), name) == pytest.approx((1, 1), abs=1e-12)
    for name in ("W_hy", "b_y"):
        np.testing.assert_allclose(found.cosine[name], 1, atol=1e-12)
    assert found.at(1, "W_hh")[0] < 0.999


def test_a_network_of_one_unit_has_norms_that_are_products_of_slopes() -> None:
    config = ModelConfig("rnn", 1, nonlinearity="tanh")
    weights = {name: np.full(shape, 0.5) for name, shape in config.parameter_shapes(V).items()}
    weights["head.weight"] = np.arange(V, dtype=np.float64)[:, None]
    trace = trace_of(config, weights)
    stretch = stretch_of(config, weights, trace)
    norms = reach(stretch).h[0]
    h = trace.layers[0][0].h[:, 0]
    for t, k in ((3, 1), (6, 0), (8, 7)):
        expected = abs(stretch.d_logits[t] @ weights["head.weight"][:, 0]) * np.prod(0.5 * (1 - h[k + 1 : t + 1] ** 2))
        assert norms[t, k] == pytest.approx(expected, rel=1e-5)


def test_the_curve_over_lags_is_the_mean_of_a_diagonal() -> None:
    norms = np.tril(np.random.default_rng(0).random((12, 12), np.float32))
    curve = by_lag(norms)
    assert len(curve.mean) == 12 - 5 + 1
    assert curve.mean[3] == pytest.approx(np.mean([norms[t, t - 3] for t in range(3, 12)]))
    assert (curve.low <= curve.mean).all()
    assert (curve.mean <= curve.high).all()
    assert curve.left(0) == 1
    assert curve.left(3) == pytest.approx(curve.mean[3] / curve.mean[0])
    for lag in (-1, 8):
        with pytest.raises(ConfigError, match="from 0 to 7"):
            curve.left(lag)


def test_longer_chunks_keep_more_of_what_flows_back_and_one_chunk_all_of_it() -> None:
    norms = np.tril(np.ones((6, 6), np.float32))
    assert share_kept(norms, 1) == 0
    assert share_kept(norms, 2) == pytest.approx(3 / 15)
    assert share_kept(norms, 6) == 1
    assert share_kept(np.zeros((6, 6), np.float32), 2) == 1


def test_gradients_that_vanish_altogether_have_no_direction() -> None:
    config, weights = model_of("rnn", 1, nonlinearity="relu")
    weights["recurrent.bias_ih_l0"] = np.full(H, -1e3)  # no unit ever wakes up
    found = truncation(stretch_of(config, weights, trace_of(config, weights)))
    assert np.isnan(found.at(1, "W_hh")).all()
    assert found.at(1, "b_y") == pytest.approx((1, 1))


def test_a_gradient_that_explodes_is_said_so() -> None:
    config, weights = model_of("rnn", 1, nonlinearity="relu")
    weights = {name: np.abs(w) * 1e3 for name, w in weights.items()}
    weights["recurrent.weight_hh_l0"] *= 1e100
    trace = trace_of(config, {**weights, "recurrent.weight_hh_l0": weights["recurrent.weight_hh_l0"] / 1e100})
    stretch = stretch_of(config, weights, trace)
    with pytest.raises(InputError, match="explodes"):
        reach(stretch)
    with pytest.raises(InputError, match="explodes"):
        truncation(stretch)


def test_what_has_no_way_back_is_refused() -> None:
    config, weights = model_of()
    trace = trace_of(config, weights)
    with pytest.raises(InputError, match="at least 3 characters"):
        stretch_of(config, weights, trace_of(config, weights, INDICES[:1]))
    for steps in (0, 1, len(trace)):
        with pytest.raises(InputError, match=f"2 to {len(trace) - 1} steps"):
            stretch_of(config, weights, trace, steps=steps)
    for start in (-1, len(trace) - 2):
        with pytest.raises(InputError, match="needs a text"):
            stretch_of(config, weights, trace, start)
    with pytest.raises(ConfigError, match="bidirectional"):
        stretch_of(ModelConfig("rnn", H, bidirectional=True), weights, trace)
    found = truncation(stretch_of(config, weights, trace))
    for k in (0, len(found) + 1):
        with pytest.raises(ConfigError, match="chunk length k"):
            found.at(k)
        with pytest.raises(ConfigError, match="chunk length k"):
            cut_by(len(found), k)


def test_a_larger_network_is_followed_over_fewer_steps() -> None:
    assert most_steps(ModelConfig("lstm", 192, embedding_size=64), 103) == MOST_STEPS
    large = [most_steps(ModelConfig("lstm", 2048, layers), 103) for layers in (1, 2, 4)]
    assert MOST_STEPS > large[0] > large[1] > large[2] >= 2


# What a chunk costs -----------------------------------------------------------------------------------------------


def test_saved_bytes_are_those_that_the_equations_need() -> None:
    """Of h = tanh(W_xh x + W_hh h + b): x, h before, h itself; of the loss its log-softmax and the targets."""
    config, weights = model_of("rnn", 1, embedding_size=0)
    w = as_tensors(weights, torch.float32, requires_grad=True)
    read = torch.from_numpy(INDICES[:, None])
    one, two, three = (saved_bytes(config, w, read[: k + 1]) for k in (1, 2, 3))
    assert three - two == two - one  # each further step adds the same
    assert 4 * (V + H + V) <= two - one <= 4 * (V + H + 2 * V) + 24


@pytest.mark.parametrize("cell", CELLS)
def test_memory_grows_with_the_chunk_and_every_length_is_measured(cell: str) -> None:
    config, weights = model_of(cell)
    costs = to_the_end(measuring_chunks(config, weights, INDICES, (1, 4, 7), rounds=1))
    assert [cost.length for cost in costs] == [1, 4, 7]
    assert costs[2].saved_bytes - costs[1].saved_bytes == costs[1].saved_bytes - costs[0].saved_bytes > 0
    assert all(cost.seconds > 0 for cost in costs)
    for k in (0, len(INDICES)):
        with pytest.raises(ConfigError, match="chunk length k"):
            to_the_end(measuring_chunks(config, weights, INDICES, (k,)))

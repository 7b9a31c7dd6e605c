"""Three paths, one result: the readable cells, the fast scan, and torch.nn as the judge of both."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from rnn.cells import Weights
from rnn.config import ModelConfig
from rnn.models import CharRNN, Recurrent
from rnn.scan import Path, scan

T, B, I, H = 7, 3, 4, 5  # noqa: E741
PATHS: tuple[Path, ...] = ("cells", "scan")
FUSED = [("rnn", "tanh"), ("rnn", "relu"), ("gru", "tanh"), ("lstm", "tanh")]  # what torch.nn has, too
EVERY = [*FUSED, ("rnn", "sigmoid")]
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-10}
SHAPES = list(product((1, 2, 3, 4), (False, True), (True, False)))  # layers, bidirectional, bias

cells = pytest.mark.parametrize(("cell", "nonlinearity"), EVERY)
fused_cells = pytest.mark.parametrize(("cell", "nonlinearity"), FUSED)
both_paths = pytest.mark.parametrize("path", PATHS)


def assert_close(ours: Tensor, reference: Tensor) -> None:
    """max|a - b| <= tolerance * max(1, max|b|)"""
    assert ours.shape == reference.shape
    assert (ours - reference).abs().max() <= TOLERANCE[ours.dtype] * max(1.0, reference.abs().max().item())


def draw(*shape: int, dtype: torch.dtype = torch.float64, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def new_recurrent(config: ModelConfig, dtype: torch.dtype = torch.float64) -> Recurrent:
    return Recurrent(I, config, torch.Generator().manual_seed(1)).to(dtype)


def torch_network(config: ModelConfig, dtype: torch.dtype) -> nn.Module:
    kind: Any = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[config.cell]
    options = {"nonlinearity": config.nonlinearity} if config.cell == "rnn" else {}
    network: nn.Module = kind(
        I, config.hidden_size, config.num_layers, bias=config.bias, bidirectional=config.bidirectional, **options
    )
    return network.to(dtype)


def first_state(config: ModelConfig, dtype: torch.dtype) -> list[Tensor]:
    count = 2 if config.cell == "lstm" else 1
    shape = (config.num_layers * config.directions, B, config.hidden_size)
    return [draw(*shape, dtype=dtype, seed=10 + i).requires_grad_() for i in range(count)]


def outcome(run: Any, network: nn.Module, config: ModelConfig, dtype: torch.dtype) -> dict[str, Tensor]:
    """Outputs, last states, and the gradients of all of them with respect to everything that goes in."""
    x, state = draw(T, B, I, dtype=dtype).requires_grad_(), first_state(config, dtype)
    network.zero_grad()
    outputs, *last = run(x, state)
    # Weighted sums: with a plain sum, errors of opposite sign could cancel.
    total = sum((part * draw(*part.shape, dtype=dtype, seed=20 + i)).sum() for i, part in enumerate((outputs, *last)))
    assert isinstance(total, Tensor)
    total.backward()
    gradients = {"x": x, **{f"state {i}": s for i, s in enumerate(state)}, **dict(network.named_parameters())}
    results = {"outputs": outputs.detach(), **{f"last {i}": s.detach() for i, s in enumerate(last)}}
    return results | {f"gradient of {name}": tensor.grad for name, tensor in gradients.items()}  # type: ignore[dict-item]


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize(("layers", "bidirectional", "bias"), SHAPES)
@fused_cells
def test_outputs_states_and_gradients_are_those_of_torch_nn(
    cell: str, nonlinearity: str, layers: int, bidirectional: bool, bias: bool, dtype: torch.dtype
) -> None:
    config = ModelConfig(cell, H, layers, nonlinearity=nonlinearity, bias=bias, bidirectional=bidirectional)
    recurrent, network = new_recurrent(config, dtype), torch_network(config, dtype)
    network.load_state_dict(recurrent.state_dict())

    def reference(x: Tensor, state: list[Tensor]) -> tuple[Tensor, ...]:
        outputs, last = network(x, tuple(state) if cell == "lstm" else state[0])
        return (outputs, *last) if cell == "lstm" else (outputs, last)

    expected = outcome(reference, network, config, dtype)
    for path in PATHS:

        def ours(x: Tensor, state: list[Tensor], path: Path = path) -> tuple[Tensor, ...]:
            outputs, last = recurrent(x, tuple(state), path)
            return outputs, *last

        found = outcome(ours, recurrent, config, dtype)
        assert found.keys() == expected.keys()
        for name in expected:
            assert_close(found[name], expected[name])


@pytest.mark.parametrize(("layers", "bidirectional", "bias"), SHAPES)
@fused_cells
def test_state_dicts_move_unchanged_both_ways(
    cell: str, nonlinearity: str, layers: int, bidirectional: bool, bias: bool
) -> None:
    config = ModelConfig(cell, H, layers, nonlinearity=nonlinearity, bias=bias, bidirectional=bidirectional)
    recurrent, network = new_recurrent(config), torch_network(config, torch.float64)
    theirs = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    network.load_state_dict(recurrent.state_dict(), strict=True)
    assert list(recurrent.state_dict()) == list(theirs)
    assert all(torch.equal(tensor, recurrent.state_dict()[name]) for name, tensor in network.state_dict().items())
    recurrent.load_state_dict(theirs, strict=True)
    assert all(torch.equal(tensor, theirs[name]) for name, tensor in recurrent.state_dict().items())


@both_paths
@pytest.mark.parametrize("bidirectional", [False, True])
def test_sigmoid_network_equals_a_numpy_loop(path: Path, bidirectional: bool) -> None:
    """torch.nn has no sigmoid RNN, so the reference is written out here."""
    config = ModelConfig("rnn", H, 2, nonlinearity="sigmoid", bidirectional=bidirectional)
    recurrent = new_recurrent(config)
    w = {name: parameter.detach().numpy() for name, parameter in recurrent.named_parameters()}
    (h_first,) = first_state(config, torch.float64)
    layer_inputs, last = draw(T, B, I).numpy(), []
    for layer in range(2):
        outputs = []
        for direction, suffix in enumerate(("", "_reverse")[: config.directions]):
            h = h_first[layer * config.directions + direction].detach().numpy()
            states = np.empty((T, B, H))
            for t in reversed(range(T)) if suffix else range(T):
                a = layer_inputs[t] @ w[f"weight_ih_l{layer}{suffix}"].T + w[f"bias_ih_l{layer}{suffix}"]
                a = a + h @ w[f"weight_hh_l{layer}{suffix}"].T + w[f"bias_hh_l{layer}{suffix}"]
                h = states[t] = 1 / (1 + np.exp(-a))
            outputs.append(states)
            last.append(h)
        layer_inputs = np.concatenate(outputs, axis=-1)
    found, (h_last,) = recurrent(draw(T, B, I), (h_first,), path)
    np.testing.assert_allclose(found.detach(), layer_inputs, rtol=0, atol=1e-12)
    np.testing.assert_allclose(h_last.detach(), np.stack(last), rtol=0, atol=1e-12)


@both_paths
@pytest.mark.parametrize("bidirectional", [False, True])
@cells
def test_gradients_are_those_of_finite_differences(
    cell: str, nonlinearity: str, bidirectional: bool, path: Path
) -> None:
    config = ModelConfig(cell, 2, 2, nonlinearity=nonlinearity, bidirectional=bidirectional)
    recurrent = new_recurrent(config)
    names = [name for name, _ in recurrent.named_parameters()]
    state = first_state(config, torch.float64)

    def run(x: Tensor, *rest: Tensor) -> tuple[Tensor, ...]:
        parameters = dict(zip(names, rest[len(state) :], strict=True))
        outputs, last = torch.func.functional_call(recurrent, parameters, (x, rest[: len(state)], path))
        return outputs, *last

    x = draw(3, B, I).requires_grad_()
    assert torch.autograd.gradcheck(run, (x, *state, *recurrent.parameters()), fast_mode=True)


@both_paths
@cells
def test_two_chunks_with_carried_state_equal_one_long_forward(cell: str, nonlinearity: str, path: Path) -> None:
    model = CharRNN(ModelConfig(cell, H, 3, nonlinearity=nonlinearity), vocabulary_size=I).double()
    indices = torch.randint(I, (T, B), generator=torch.Generator().manual_seed(0))
    whole, last = model(indices, path=path)
    first, state = model(indices[:2], path=path)
    second, state = model(indices[2:], state, path=path)
    torch.testing.assert_close(torch.cat([first, second]), whole, rtol=0, atol=1e-12)
    for ours, reference in zip(state, last, strict=True):
        torch.testing.assert_close(ours, reference, rtol=0, atol=1e-12)


@both_paths
@cells
def test_gradient_crosses_the_chunks_unless_the_state_is_detached(cell: str, nonlinearity: str, path: Path) -> None:
    recurrent = new_recurrent(ModelConfig(cell, H, 2, nonlinearity=nonlinearity))
    for cut in (False, True):
        x = draw(2, B, I).requires_grad_()
        _, state = recurrent(x, None, path)
        outputs, _ = recurrent(draw(3, B, I), tuple(s.detach() for s in state) if cut else state, path)
        (gradient,) = torch.autograd.grad(outputs.sum(), x, allow_unused=True)
        assert (gradient is None) == cut


@both_paths
@cells
def test_reading_in_reverse_is_reading_the_reversed_sequence(cell: str, nonlinearity: str, path: Path) -> None:
    recurrent = new_recurrent(ModelConfig(cell, H, nonlinearity=nonlinearity))
    w = recurrent.weights(0)
    x, state = draw(T, B, I), tuple(draw(B, H, seed=i) for i in range(2 if cell == "lstm" else 1))
    backward, last = scan(cell, x, state, w, nonlinearity, reverse=True, path=path)
    forward, last_of_flipped = scan(cell, x.flip(0), state, w, nonlinearity, path=path)
    torch.testing.assert_close(backward.flip(0), forward, rtol=0, atol=1e-12)
    torch.testing.assert_close(last, last_of_flipped, rtol=0, atol=1e-12)
    torch.testing.assert_close(backward[0], last[0], rtol=0, atol=1e-12)


@cells
def test_memory_layout_of_input_and_weights_does_not_matter(cell: str, nonlinearity: str) -> None:
    recurrent = new_recurrent(ModelConfig(cell, H, nonlinearity=nonlinearity))
    w = recurrent.weights(0)
    x, state = draw(T, B, I), tuple(draw(B, H, seed=i) for i in range(2 if cell == "lstm" else 1))
    expected = scan(cell, x, state, w, nonlinearity)

    def strided(tensor: Tensor) -> Tensor:
        return tensor.mT.contiguous().mT

    scattered = Weights(strided(w.W_xh), strided(w.W_hh), w.b_xh, w.b_hh)
    found = scan(cell, strided(x), tuple(strided(s) for s in state), scattered, nonlinearity)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")
@fused_cells
def test_cuda_gives_the_numbers_of_the_cpu(cell: str, nonlinearity: str) -> None:
    config = ModelConfig(cell, H, 2, nonlinearity=nonlinearity, bidirectional=True)
    recurrent = new_recurrent(config)
    expected = recurrent(draw(T, B, I), tuple(first_state(config, torch.float64)), "cells")
    recurrent = recurrent.cuda()
    state = tuple(s.cuda() for s in first_state(config, torch.float64))
    for path in PATHS:
        outputs, last = recurrent(draw(T, B, I).cuda(), state, path)
        assert_close(outputs.cpu(), expected[0])
        for ours, reference in zip(last, expected[1], strict=True):
            assert_close(ours.cpu(), reference)

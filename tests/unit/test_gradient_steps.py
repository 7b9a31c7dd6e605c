"""The model unrolled by hand is the model, and a cut stops the gradient where it is asked for."""

from __future__ import annotations

import pytest
import torch

from rnn.config import CELLS, ModelConfig
from rnn.errors import ConfigError
from rnn.gradients.steps import as_tensors, read_steps
from rnn.models import CharRNN

V, T, B, H = 6, 5, 2, 4
INDICES = torch.randint(V, (T, B), generator=torch.Generator().manual_seed(0))
TARGETS = torch.randint(V, (T, B), generator=torch.Generator().manual_seed(1))


def model_of(cell: str, layers: int = 2, embedding: int = 3) -> tuple[ModelConfig, CharRNN]:
    config = ModelConfig(cell, H, layers, embedding_size=embedding)
    return config, CharRNN(config, V, seed=1).double()


@pytest.mark.parametrize("embedding", [0, 3])
@pytest.mark.parametrize("cell", CELLS)
def test_logits_states_and_gradients_are_the_models(cell: str, embedding: int) -> None:
    config, model = model_of(cell, embedding=embedding)
    weights = as_tensors({n: p.detach().numpy() for n, p in model.named_parameters()}, requires_grad=True)
    steps = read_steps(config, weights, INDICES)
    logits, state = model(INDICES, path="cells")
    torch.testing.assert_close(torch.stack(steps.logits), logits, rtol=0, atol=1e-12)
    for layer, of_layer in enumerate(steps.states[-1]):
        for part, expected in zip(of_layer, state, strict=True):
            torch.testing.assert_close(part, expected[layer], rtol=0, atol=1e-12)
    assert len(steps.hidden()) == T
    steps.losses(TARGETS).sum().backward()
    torch.nn.functional.cross_entropy(logits.flatten(0, 1), TARGETS.flatten(), reduction="sum").backward()
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(weights[name].grad, parameter.grad, rtol=0, atol=1e-10)


@pytest.mark.parametrize("cell", CELLS)
def test_weights_of_their_own_at_each_step_split_the_gradient_into_what_each_step_contributes(cell: str) -> None:
    config, model = model_of(cell)
    arrays = {n: p.detach().numpy() for n, p in model.named_parameters()}
    shared, own = as_tensors(arrays, requires_grad=True), [as_tensors(arrays, requires_grad=True) for _ in range(T)]
    read_steps(config, shared, INDICES).losses(TARGETS).sum().backward()
    read_steps(config, own, INDICES).losses(TARGETS).sum().backward()
    for name in arrays:
        parts = [w[name].grad for w in own if w[name].grad is not None]
        torch.testing.assert_close(torch.stack(parts).sum(0), shared[name].grad, rtol=0, atol=1e-10)


@pytest.mark.parametrize("cell", CELLS)
def test_no_gradient_passes_a_cut_and_the_numbers_stay(cell: str) -> None:
    config, model = model_of(cell)
    weights = as_tensors({n: p.detach().numpy() for n, p in model.named_parameters()})
    steps = read_steps(config, weights, INDICES, cuts=(3,), inputs_require_grad=True)
    whole = read_steps(config, weights, INDICES)
    torch.testing.assert_close(torch.stack(steps.logits), torch.stack(whole.logits), rtol=0, atol=0)
    found = torch.autograd.grad(steps.losses(TARGETS)[4].sum(), steps.x)
    assert [bool(gradient.any()) for gradient in found] == [False, False, False, True, True]


def test_what_cannot_be_unrolled_is_refused() -> None:
    config, model = model_of("rnn")
    weights = as_tensors({n: p.detach().numpy() for n, p in model.named_parameters()})
    with pytest.raises(ConfigError, match="5 steps"):
        read_steps(config, [weights] * 4, INDICES)
    with pytest.raises(ConfigError, match="one direction"):
        read_steps(ModelConfig("rnn", H, bidirectional=True), weights, INDICES)

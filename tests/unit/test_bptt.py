"""Backpropagation by hand: its derivatives are those of numbers, of autograd on the readable cells, and of torch.nn."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor

from rnn.bptt import rows, sequence
from rnn.cells import Weights
from rnn.config import NONLINEARITIES, ModelConfig
from rnn.models import CharRNN
from rnn.scan import scan

GATES = {"rnn": 1, "gru": 3, "lstm": 4}
KINDS = [*(("rnn", name) for name in NONLINEARITIES), ("gru", "tanh"), ("lstm", "tanh")]
kinds = pytest.mark.parametrize(("cell", "nonlinearity"), KINDS)


def draw(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    drawn = torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return drawn.to(dtype).requires_grad_()


def arguments(cell: str, T: int, B: int, H: int, dtype: torch.dtype = torch.float64) -> list[Tensor]:
    """a, the states, W_hh and, for the GRU, b_hn."""
    states = [draw(B, H, seed=1 + i, dtype=dtype) for i in range(2 if cell == "lstm" else 1)]
    W_hh = draw(GATES[cell] * H, H, seed=3, dtype=dtype)
    bias = [draw(H, seed=4, dtype=dtype)] if cell == "gru" else []
    return [draw(T, B, GATES[cell] * H, dtype=dtype), *states, W_hh, *bias]


def by_hand(cell: str, nonlinearity: str, given: list[Tensor]) -> tuple[Tensor, Tensor]:
    """The outputs, and the last state (the LSTM's: c)."""
    a, *states = given[: 3 if cell == "lstm" else 2]
    W_hh, *bias = given[1 + len(states) :]
    outputs, last = sequence(cell, a, tuple(states), W_hh, *bias, nonlinearity=nonlinearity)
    return outputs, last[-1]


def by_cells(cell: str, nonlinearity: str, given: list[Tensor]) -> tuple[Tensor, Tensor]:
    """The same with the readable cells: W_xh is the identity, so that `a` is what comes in."""
    a, *states = given[: 3 if cell == "lstm" else 2]
    W_hh = given[len(states) + 1]
    H = W_hh.shape[1]
    W_xh, none = torch.eye(len(W_hh), dtype=a.dtype), torch.zeros(len(W_hh), dtype=a.dtype)
    b_hh = torch.cat([none[: 2 * H], given[-1]]) if cell == "gru" else none
    outputs, last = scan(cell, a, tuple(states), Weights(W_xh, W_hh, none, b_hh), nonlinearity, path="cells")
    return outputs, last[-1]


@pytest.mark.parametrize("size", [2, 3, 4, 5])
@kinds
def test_the_derivatives_are_those_of_small_differences(cell: str, nonlinearity: str, size: int) -> None:
    """All sizes different from each other, and every argument, initial states included."""
    given = arguments(cell, T=size, B=7 - size, H=size + 1)

    def run(*given: Tensor) -> tuple[Tensor, Tensor]:
        return by_hand(cell, nonlinearity, list(given))

    assert torch.autograd.gradcheck(run, tuple(given))


@pytest.mark.parametrize(("T", "B", "H"), [(1, 1, 1), (2, 3, 4), (5, 1, 3), (12, 4, 2)])
@kinds
def test_outputs_and_derivatives_are_those_of_autograd_on_the_readable_cells(
    cell: str, nonlinearity: str, T: int, B: int, H: int
) -> None:
    results = []
    for run in (by_hand, by_cells):
        given = arguments(cell, T, B, H)
        outputs, last = run(cell, nonlinearity, given)
        ((outputs * draw(T, B, H, seed=8)).sum() + (last * draw(B, H, seed=9)).sum()).backward()  # type: ignore[no-untyped-call]
        results.append([outputs, last, *(tensor.grad for tensor in given)])
    for ours, reference in zip(*results, strict=True):
        assert ours is not None
        assert reference is not None
        torch.testing.assert_close(ours, reference, rtol=1e-10, atol=1e-12)


@kinds
def test_arguments_are_left_as_they_are(cell: str, nonlinearity: str) -> None:
    given = arguments(cell, T=4, B=3, H=2)
    copies = [tensor.detach().clone() for tensor in given]
    outputs, last = by_hand(cell, nonlinearity, given)
    before = outputs.detach().clone()
    for _ in range(2):  # the second time with everything that the first one may have changed
        gradients = torch.autograd.grad([outputs.sum() + last.sum()], given, retain_graph=True)
    assert all(torch.equal(tensor, copy) for tensor, copy in zip(given, copies, strict=True))
    assert torch.equal(outputs, before)
    again = torch.autograd.grad([outputs.sum() + last.sum()], given)
    assert all(torch.equal(first, second) for first, second in zip(gradients, again, strict=True))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
def test_rows_are_the_product_with_one_hot_vectors(dtype: torch.dtype) -> None:
    table, indices = draw(5, 3, dtype=dtype), torch.tensor([[0, 4, 4], [2, 0, 4]])
    ours = rows(table, indices)
    assert torch.equal(ours, table[indices])
    weights = draw(2, 3, 3, seed=1, dtype=dtype).detach()
    (ours * weights).sum().backward()
    expected = torch.nn.functional.one_hot(indices, 5).double().flatten(0, 1).T @ weights.double().flatten(0, 1)
    assert table.grad is not None
    torch.testing.assert_close(table.grad, expected.to(dtype), rtol=0, atol=1e-6 if dtype == torch.float32 else 1e-12)


MODELS = [*product(("rnn", "gru", "lstm"), (64, 384), (0, 16), (1, 2))]


@pytest.mark.parametrize(("cell", "hidden_size", "embedding_size", "layers"), MODELS)
def test_bfloat16_follows_float32(cell: str, hidden_size: int, embedding_size: int, layers: int) -> None:
    """The same loss within 1 %, and gradients that point the same way. From 384 on, the LSTM is the one by hand."""
    T, B, V = 24, 6, 30
    indices = torch.randint(0, V, (T + 1, B), generator=torch.Generator().manual_seed(2))
    results: list[Any] = []
    for dtype in (None, torch.bfloat16):
        model = CharRNN(ModelConfig(cell, hidden_size, layers, embedding_size=embedding_size), V, seed=3)
        model.compute_dtype = dtype  # type: ignore[assignment]
        logits, _ = model(indices[:-1])
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), indices[1:].flatten())
        loss.backward()  # type: ignore[no-untyped-call]
        results.append((loss.item(), torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])))
    (loss, gradient), (low_loss, low_gradient) = results
    assert abs(low_loss - loss) < 0.01 * loss
    assert torch.cosine_similarity(gradient, low_gradient, dim=0) > 0.99

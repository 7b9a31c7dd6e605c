"""The lecture's step API, its sequence form, and the equations themselves."""

from __future__ import annotations

import math
import re
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch.nn import functional as F

import rnn
from rnn.cells import SQUASH, State, Weights, cell_step, concatenated_step
from rnn.config import CELLS, NONLINEARITIES
from rnn.errors import ConfigError


def lecture_matrices() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """W_hh, W_xh, W_hy of the lecture's example, drawn in that order."""
    draw = np.random.RandomState(0)
    W_hh, W_xh, W_hy = (draw.randn(3, 3) for _ in range(3))
    return W_hh, W_xh, W_hy


def numpy_squash(name: str, a: np.ndarray) -> np.ndarray:
    return {"tanh": np.tanh, "relu": lambda a: a * (a > 0), "sigmoid": lambda a: 1 / (1 + np.exp(-a))}[name](a)


# The step API


def test_three_steps_give_the_numbers_of_the_lecture() -> None:
    net = rnn.RNN.from_matrices(*lecture_matrices())
    net.h = np.zeros((3, 3))
    for column in (
        (-2.80121891, 0.69469708, 0.96886448),
        (-3.04406657, 0.7898616, 0.86068273),
        (-3.04498651, 0.78981591, 0.86049092),
    ):
        np.testing.assert_allclose(net.step(np.ones((3, 3))), np.array([column] * 3).T, rtol=0, atol=1e-8)


def test_a_vector_gives_the_column_that_a_matrix_of_copies_gives() -> None:
    one, many = (rnn.RNN.from_matrices(*lecture_matrices()) for _ in range(2))
    for _ in range(3):
        y = one.step(np.ones(3))
        np.testing.assert_allclose(many.step(np.ones((3, 4))), np.tile(y[:, None], 4), rtol=1e-12)


def test_the_hidden_state_starts_at_zero_and_reset_puts_it_back() -> None:
    net = rnn.RNN(input_size=2, hidden_size=3, output_size=4)
    np.testing.assert_array_equal(net.h, np.zeros(3))
    first, second = net.step(np.ones(2)), net.step(np.ones(2))
    assert not np.allclose(first, second)
    net.reset()
    np.testing.assert_array_equal(net.h, np.zeros(3))
    np.testing.assert_array_equal(net.step(np.ones(2)), first)


def test_there_are_three_matrices_and_no_biases() -> None:
    net = rnn.RNN(input_size=2, hidden_size=3, output_size=4)
    assert {name: tuple(p.shape) for name, p in net.named_parameters()} == {
        "W_xh": (3, 2), "W_hh": (3, 3), "W_hy": (4, 3),
    }  # fmt: skip


def test_same_seed_gives_same_matrices_and_the_global_generator_is_left_alone() -> None:
    before = torch.get_rng_state()
    a, b, c = (rnn.RNN(2, 3, 4, seed=seed) for seed in (5, 5, 6))
    assert torch.equal(a.W_hh, b.W_hh)
    assert not torch.equal(a.W_hh, c.W_hh)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("nonlinearity", NONLINEARITIES)
@pytest.mark.parametrize("columns", [None, 5])
def test_steps_equal_numpy(nonlinearity: str, columns: int | None) -> None:
    net = rnn.RNN(2, 3, 4, nonlinearity=nonlinearity)
    W_xh, W_hh, W_hy = (W.detach().numpy() for W in (net.W_xh, net.W_hh, net.W_hy))
    shape = (2,) if columns is None else (2, columns)
    h = np.zeros((3, *shape[1:]))
    for x in np.random.default_rng(0).normal(size=(4, *shape)):
        h = numpy_squash(nonlinearity, W_hh @ h + W_xh @ x)
        y = net.step(x)
        assert type(y) is np.ndarray
        np.testing.assert_allclose(y, W_hy @ h, rtol=1e-12)
        np.testing.assert_allclose(net.h, h, rtol=1e-12)


def test_arrays_and_tensors_give_the_same_and_may_take_turns() -> None:
    arrays, tensors, mixed = (rnn.RNN(2, 3, 4) for _ in range(3))
    for t, x in enumerate(np.random.default_rng(0).normal(size=(4, 2))):
        y = arrays.step(x)
        y_tensor = tensors.step(torch.from_numpy(x))
        assert y_tensor.requires_grad
        np.testing.assert_array_equal(y_tensor.detach(), y)
        turn = mixed.step(x if t % 2 else torch.from_numpy(x))
        np.testing.assert_array_equal(torch.as_tensor(turn).detach(), y)


@pytest.mark.parametrize(
    "x", [np.ones(3), np.ones((3, 2)), np.ones((2, 3, 4)), np.float64(1), torch.ones(3), torch.ones(2, 3, 4)]
)
def test_an_input_of_the_wrong_shape_is_refused(x: object) -> None:
    with pytest.raises(ConfigError, match="x must be"):
        rnn.RNN(input_size=2, hidden_size=3, output_size=4).step(x)


@pytest.mark.parametrize(("first", "then"), [((2, 5), (2,)), ((2, 5), (2, 4)), ((2, 1), (2, 4)), ((2, 3), (2,))])
def test_another_number_of_columns_needs_a_reset(first: tuple[int, ...], then: tuple[int, ...]) -> None:
    net = rnn.RNN(input_size=2, hidden_size=3, output_size=4)
    net.step(np.ones(first))
    with pytest.raises(ConfigError, match="reset"):
        net.step(np.ones(then))
    net.reset()
    assert net.step(np.ones(then)).shape == (4, *then[1:])


@pytest.mark.parametrize("sizes", [(0, 3, 4), (2, -1, 4), (2, 3, 4.0), ("2", 3, 4)])
def test_a_size_that_is_no_positive_whole_number_is_refused(sizes: tuple[int, int, int]) -> None:
    with pytest.raises(ConfigError, match="_size must be"):
        rnn.RNN(*sizes)


def test_an_unknown_nonlinearity_is_refused() -> None:
    with pytest.raises(ConfigError, match="tanh, relu, sigmoid"):
        rnn.RNN(2, 3, 4, nonlinearity="softplus")


@pytest.mark.parametrize(
    "shapes", [[(3, 4), (3, 2), (4, 3)], [(3, 3), (2, 2), (4, 3)], [(3, 3), (3, 2), (4, 2)], [(3,), (3, 2), (4, 3)]]
)
def test_matrices_that_do_not_fit_together_are_refused(shapes: list[tuple[int, ...]]) -> None:
    with pytest.raises(ConfigError, match=re.escape("W_hh (H, H)")):
        rnn.RNN.from_matrices(*(np.ones(shape) for shape in shapes))


@pytest.mark.parametrize("depth", [2, 3])
def test_stacked_networks_train_jointly_as_one_graph(depth: int) -> None:
    sizes = (2, 4, 3, 5)[: depth + 1]
    nets = [rnn.RNN(i, 6, o, seed=n) for n, (i, o) in enumerate(pairwise(sizes))]
    parameters = [p for net in nets for p in net.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=0.02)
    inputs = torch.randn(6, sizes[0], generator=torch.Generator().manual_seed(0))
    losses = []
    for _ in range(60):
        for net in nets:
            net.reset()
        loss = torch.zeros(())
        for t, x in enumerate(inputs):
            y = x
            for net in nets:
                y = net.step(y)
            loss = loss + F.cross_entropy(y[None], torch.tensor([t % sizes[-1]]))
        optimizer.zero_grad()
        loss.backward()
        assert all(p.grad is not None and p.grad.any() for p in parameters)
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 4


# The concatenated form


@pytest.mark.parametrize("nonlinearity", NONLINEARITIES)
@pytest.mark.parametrize("columns", [None, 5])
def test_one_matrix_on_the_concatenation_gives_the_same_state(nonlinearity: str, columns: int | None) -> None:
    net = rnn.RNN(2, 3, 4, nonlinearity=nonlinearity)
    assert net.W.shape == (3, 3 + 2)
    shape = (2,) if columns is None else (2, columns)
    h = torch.zeros(3, *shape[1:], dtype=torch.float64)
    for x in torch.from_numpy(np.random.default_rng(0).normal(size=(4, *shape))):
        h = concatenated_step(x, h, net.W, nonlinearity)
        net.step(x)
        torch.testing.assert_close(h, net.h, rtol=0, atol=1e-12)


# The sequence form


def sequence_case() -> dict[str, torch.Tensor]:
    draw = np.random.default_rng(0)
    shapes = {
        "x": (7, 3, 2), "h": (3, 5), "W_xh": (5, 2), "W_hh": (5, 5), "W_hy": (4, 5), "b_h": (5,), "b_y": (4,),
    }  # fmt: skip
    return {name: torch.from_numpy(draw.normal(size=shape)) for name, shape in shapes.items()}


def test_sequence_equals_a_numpy_loop_over_steps_and_examples() -> None:
    case = sequence_case()
    x, h0, W_xh, W_hh, W_hy, b_h, b_y = (tensor.numpy() for tensor in case.values())
    outputs, last = rnn.rnn_sequence(**case)
    assert outputs.shape == (7, 3, 4)
    for example in range(3):
        h = h0[example]
        for t in range(7):
            h = np.tanh(W_xh @ x[t, example] + W_hh @ h + b_h)
            np.testing.assert_allclose(outputs[t, example], np.tanh(W_hy @ h + b_y), rtol=1e-12)
        np.testing.assert_allclose(last[example], h, rtol=1e-12)


def test_sequence_prints_mean_and_variance_of_h_every_k_steps(capsys: pytest.CaptureFixture[str]) -> None:
    case = sequence_case()
    rnn.rnn_sequence(**case)
    assert capsys.readouterr().out == ""
    rnn.rnn_sequence(**case, stats_every=3)
    lines = capsys.readouterr().out.splitlines()
    assert [re.findall(r"\d+", line)[0] for line in lines] == ["0", "3", "6"]
    for t, line in zip((0, 3, 6), lines, strict=True):
        h = rnn.rnn_sequence(**case | {"x": case["x"][: t + 1]})[1].numpy()
        mean, variance = map(float, re.findall(r"-?\d+\.\d+", line))
        assert mean == pytest.approx(h.mean(), abs=1e-4)
        assert variance == pytest.approx(h.var(ddof=1), abs=1e-4)


def test_sequence_is_differentiable_in_everything() -> None:
    case = {name: tensor.requires_grad_() for name, tensor in sequence_case().items()}
    outputs, last = rnn.rnn_sequence(**case)
    (outputs.sum() + last.sum()).backward()
    assert all(tensor.grad is not None and tensor.grad.any() for tensor in case.values())


def test_an_empty_sequence_is_refused() -> None:
    case = sequence_case()
    with pytest.raises(ConfigError, match="empty"):
        rnn.rnn_sequence(**case | {"x": case["x"][:0]})


@pytest.mark.parametrize("name", ["x", "h", "W_xh", "W_hh", "W_hy", "b_h", "b_y"])
def test_a_shape_that_does_not_fit_is_named(name: str) -> None:
    case = sequence_case()
    with pytest.raises(ConfigError, match=r"^\w+ must be \("):
        rnn.rnn_sequence(**case | {name: case[name][..., :-1]})


# The cells


@pytest.mark.parametrize("nonlinearity", NONLINEARITIES)
def test_nonlinearity_is_the_function_of_that_name(nonlinearity: str) -> None:
    a = np.linspace(-4, 4, 9)
    np.testing.assert_allclose(SQUASH[nonlinearity](torch.from_numpy(a)), numpy_squash(nonlinearity, a), rtol=1e-12)


def small_weights(gates: int) -> Weights:
    draw = torch.Generator().manual_seed(0)
    H, I = 2, 3  # noqa: E741
    shapes = ((gates * H, I), (gates * H, H), (gates * H,), (gates * H,))
    return Weights(*(torch.randn(shape, generator=draw, dtype=torch.float64) for shape in shapes))


def sigmoid(a: float) -> float:
    return 1 / (1 + math.exp(-a))


@pytest.mark.parametrize("cell", CELLS)
def test_a_step_is_the_textbook_equation_number_by_number(cell: str) -> None:
    """Each unit written out with scalars, gate by gate."""
    gates = {"rnn": 1, "gru": 3, "lstm": 4}[cell]
    w = small_weights(gates)
    W_xh, W_hh, b_xh, b_hh = (t.tolist() for t in w)
    x, h, c = [0.5, -1.0, 2.0], [0.3, -0.7], [1.2, -0.4]

    def from_x(row: int) -> float:
        return math.fsum(W_xh[row][k] * x[k] for k in range(3)) + b_xh[row]

    def from_h(row: int) -> float:
        return math.fsum(W_hh[row][k] * h[k] for k in range(2)) + b_hh[row]

    expected: list[list[float]] = []
    for unit in range(2):
        a = [from_x(gate * 2 + unit) + from_h(gate * 2 + unit) for gate in range(gates)]
        if cell == "rnn":
            expected.append([math.tanh(a[0])])
        elif cell == "gru":
            r, z = sigmoid(a[0]), sigmoid(a[1])
            n = math.tanh(from_x(4 + unit) + r * from_h(4 + unit))
            expected.append([(1 - z) * n + z * h[unit], r, z, n])
        else:
            i, f, g, o = sigmoid(a[0]), sigmoid(a[1]), math.tanh(a[2]), sigmoid(a[3])
            after = f * c[unit] + i * g
            expected.append([o * math.tanh(after), after, i, f, g, o])

    state: State = tuple(torch.tensor([s], dtype=torch.float64) for s in ((h, c) if cell == "lstm" else (h,)))
    step = cell_step(cell, torch.tensor([x], dtype=torch.float64), state, w)
    torch.testing.assert_close(torch.cat(step).T, torch.tensor(expected, dtype=torch.float64), rtol=0, atol=1e-12)

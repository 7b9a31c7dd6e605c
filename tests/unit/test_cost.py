"""What a network costs is counted by a formula, and the formula by counting."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn.config import CELLS, ModelConfig
from rnn.cost import (
    KEPT,
    break_even,
    costs,
    input_way,
    log_spaced,
    parameter_table,
    step_activation_bytes,
    step_multiplications,
)
from rnn.errors import ConfigError
from rnn.models import CharRNN

SMALL = st.builds(
    ModelConfig, cell=st.sampled_from(CELLS), hidden_size=st.integers(1, 4), num_layers=st.integers(1, 3),
    embedding_size=st.integers(0, 3), bias=st.booleans(), bidirectional=st.booleans(),
)  # fmt: skip


class Counted:
    """A number that counts the multiplications it takes part in."""

    products = 0

    def __add__(self, other: object) -> Counted:
        return self

    __sub__ = __rsub__ = __radd__ = __add__

    def __mul__(self, other: object) -> Counted:
        Counted.products += 1
        return self


def vector(size: int) -> list[Counted]:
    return [Counted() for _ in range(size)]


def product(W_rows: int, x: list[Counted]) -> list[Counted]:
    """W x, entry by entry."""
    return [sum((Counted() * v for v in x), Counted()) for _ in range(W_rows)]


def counted_step(config: ModelConfig, V: int) -> int:
    """Multiplications of one step, by taking it as the equations of rnn.cells are written; activations change none."""
    Counted.products, H = 0, config.hidden_size
    x = None if not config.embedding_size else vector(config.embedding_size)
    for _ in range(config.num_layers):
        above: list[Counted] = []
        for _ in range(config.directions):
            h = vector(H)
            if x is not None:
                product(config.gates * H, x)
            u = product(config.gates * H, h)
            if config.cell == "gru":
                n = [Counted() + Counted() * v for v in u[2 * H :]]  # r * (W_hn h + b_hn)
                h = [(1 - Counted()) * a + Counted() * b for a, b in zip(n, h, strict=True)]
            if config.cell == "lstm":
                c = [Counted() * v + Counted() * Counted() for v in vector(H)]
                h = [Counted() * v for v in c]
            above += h
        x = above
    product(V, above)
    return Counted.products


@pytest.mark.parametrize(("cell", "count"), [("rnn", 66_369), ("gru", 182_337), ("lstm", 240_321)])
def test_two_layers_of_128_on_65_characters_have_the_known_number_of_parameters(cell: str, count: int) -> None:
    config = ModelConfig(cell, hidden_size=128, num_layers=2)
    table = parameter_table(config, 65)
    assert sum(p.count for p in table) == count
    assert sum(p.bytes for p in table) == 4 * count
    assert costs(config, 65, [1, 5000]).parameters == count


@given(SMALL, st.integers(1, 5))
def test_the_table_has_the_parameters_of_the_torch_model(config: ModelConfig, V: int) -> None:
    state = CharRNN(config, V).state_dict()
    table = parameter_table(config, V)
    assert {p.name: (p.shape, p.count) for p in table} == {
        name: (tuple(t.shape), t.numel()) for name, t in state.items()
    }
    assert len({(p.symbol, p.part) for p in table}) == len(table)


def test_parameters_have_the_letters_of_the_equations() -> None:
    config = ModelConfig("gru", hidden_size=3, num_layers=2, embedding_size=2, bidirectional=True)
    titles = {p.name: p.title for p in parameter_table(config, 5)}
    assert titles["embedding.weight"] == "E, input"
    assert titles["recurrent.weight_ih_l0"] == "W_xh, layer 1"
    assert titles["recurrent.bias_hh_l1_reverse"] == "b_hh, layer 2, backward"
    assert titles["head.weight"] == "W_hy, output"
    assert titles["head.bias"] == "b_y, output"


@given(SMALL, st.integers(1, 5))
def test_multiplications_are_those_that_a_step_does(config: ModelConfig, V: int) -> None:
    assert step_multiplications(config, V) == counted_step(config, V)


def test_multiplications_by_hand() -> None:
    assert step_multiplications(ModelConfig("rnn", hidden_size=3), 4) == 3 * 3 + 4 * 3
    assert step_multiplications(ModelConfig("gru", hidden_size=2), 5) == 3 * 2 * 2 + 3 * 2 + 5 * 2
    assert step_multiplications(ModelConfig("lstm", hidden_size=2, embedding_size=3), 5) == 4 * 2 * (3 + 2) + 6 + 10


def test_activation_memory_by_hand() -> None:
    assert step_activation_bytes(ModelConfig("rnn", hidden_size=3), 4) == 4 * (3 + 4)  # h and the softmax
    assert step_activation_bytes(ModelConfig("gru", hidden_size=3), 4) == 4 * (5 * 3 + 4)
    assert step_activation_bytes(ModelConfig("lstm", hidden_size=3, num_layers=2), 4) == 4 * (2 * 6 * 3 + 4)
    both = ModelConfig("rnn", hidden_size=3, bidirectional=True, embedding_size=2)
    assert step_activation_bytes(both, 4) == 4 * (2 * 3 + 2 + 4)


def test_no_cell_keeps_less_than_it_computes() -> None:
    gates = {"rnn": 0, "gru": 3, "lstm": 4}
    for cell in CELLS:
        assert KEPT[cell] >= gates[cell] + 1


@given(SMALL, st.integers(1, 5))
def test_parameters_do_not_depend_on_T_and_the_rest_grows_with_it(config: ModelConfig, V: int) -> None:
    taken = costs(config, V, [1, 5, 5000])
    assert taken.parameters == config.parameter_count(V)
    for grown in (taken.multiplications, taken.activation_bytes):
        assert (grown == grown[0] * np.array([1, 5, 5000])).all()


def test_a_sequence_of_no_steps_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least 1 step"):
        costs(ModelConfig(), 4, [0])


@given(SMALL, st.integers(1, 8), st.integers(1, 6))
def test_both_ways_in_count_what_the_two_models_count(config: ModelConfig, V: int, E: int) -> None:
    one_hot, embedded = input_way(config, V, 0), input_way(config, V, E)
    assert one_hot.looked_up == 0
    assert one_hot.total - one_hot.count == embedded.total - embedded.count  # the rest of the model is the same
    rows = config.directions * config.gates * config.hidden_size
    assert one_hot.count == one_hot.written == V * rows
    assert embedded.count == V * E + E * rows
    assert (embedded.count < one_hot.count) == (break_even(config, V) > E) or math.isclose(break_even(config, V), E)


def test_log_spaced_lengths_begin_at_1_and_end_at_the_longest() -> None:
    steps = log_spaced(5000, 40)
    assert steps[0] == 1
    assert steps[-1] == 5000
    assert steps == sorted(set(steps))
    assert log_spaced(1, 40) == [1]

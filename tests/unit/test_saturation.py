"""Shares of saturated gates are counts; what survives is what the recurrence leaves of a state."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rnn.config import ModelConfig
from rnn.errors import InputError
from rnn.records import LayerTrace
from rnn.saturation import OF_TANH, keeping_gate, saturation, surviving
from rnn.trace import trace
from tests.unit.test_trace import VOCABULARY, new_model, weights_of

TEXT = "a cab bead abed"


def layer(cell: str, both: bool = False) -> tuple[LayerTrace, ...]:
    config = ModelConfig(cell=cell, hidden_size=5, bidirectional=both)
    return trace(config, weights_of(new_model(config)), VOCABULARY, TEXT).layers[0]


def test_shares_are_counts_of_characters() -> None:
    found = saturation(np.array([[0.05, 0.95], [0.5, 0.95], [0.1, 0.9], [0.0, 1.0]]))
    assert found.left.tolist() == [0.5, 0]  # the bounds themselves are not saturated
    assert found.right.tolist() == [0, 0.75]
    tanh = saturation(np.array([[-0.95], [0.05], [0.95], [0.99]]), OF_TANH)
    assert (tanh.left[0], tanh.right[0]) == (0.25, 0.5)


def test_no_text_has_no_shares() -> None:
    with pytest.raises(InputError, match="at least one character"):
        saturation(np.empty((0, 3)))


def perturbed(one: LayerTrace, come: int, on_the_way: list[int], by: float) -> NDArray[Any]:
    """The state at the end when it is larger by `by` at the start and all gates and candidates stay what they were."""
    g = {name: gate.astype(np.float64) for name, gate in one.gates.items()}
    state = (one.h if one.c is None else one.c)[come].astype(np.float64) + by
    for t in on_the_way:
        if one.c is None:
            state = (1 - g["z"][t]) * g["n"][t] + g["z"][t] * state
        else:
            state = g["f"][t] * state + g["i"][t] * g["g"][t]
    return state


@pytest.mark.parametrize("cell", ["gru", "lstm"])
@pytest.mark.parametrize("reverse", [False, True])
def test_what_survives_of_a_change_is_what_reaches_the_end(cell: str, reverse: bool) -> None:
    one = layer(cell, both=True)[int(reverse)]
    assert one.reverse == reverse
    first, last = 3, 9
    come, way = (last, list(range(last - 1, first - 1, -1))) if reverse else (first, list(range(first + 1, last + 1)))
    gate = keeping_gate(one.gates)
    assert gate is not None
    left = surviving(one.gates[gate], first, last, reverse)
    assert left.shape == (last - first + 1, 5)
    np.testing.assert_array_equal(left[come - first], 1)
    for steps in range(len(way) + 1):
        reached = perturbed(one, come, way[:steps], 1.0) - perturbed(one, come, way[:steps], 0.0)
        at = way[steps - 1] if steps else come
        np.testing.assert_allclose(left[at - first], reached, atol=1e-12)


def test_an_rnn_has_no_gate_that_keeps() -> None:
    assert keeping_gate(layer("rnn")[0].gates) is None
    assert [keeping_gate(layer(cell)[0].gates) for cell in ("gru", "lstm")] == ["z", "f"]


@pytest.mark.parametrize(("first", "last"), [(-1, 2), (3, 2), (0, 15)])
def test_only_two_characters_of_the_text_can_be_followed(first: int, last: int) -> None:
    with pytest.raises(InputError, match="two characters from 1 to 15"):
        surviving(np.ones((15, 2)), first, last)


def test_a_single_character_keeps_all() -> None:
    assert surviving(np.full((4, 3), 0.5), 2, 2).tolist() == [[1, 1, 1]]

"""The steps shown are those of rnn.RNN, and the code shown is the code that ran."""

from __future__ import annotations

import contextlib
import io
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn.errors import ConfigError, InputError
from rnn.lecture import (
    MOST_STEPS,
    BatchExample,
    StepNetwork,
    one_hot,
    parse_vector,
    run_batch,
    run_steps,
    sequence_code,
    step_code,
    worked_matrices,
)

WORKED = StepNetwork(3, 3, 3, is_worked=True)
NUMBERS = st.floats(-100, 100)


def executed(code: str) -> tuple[dict[str, Any], str]:
    """The names that a program leaves, and what it printed."""
    names: dict[str, Any] = {}
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, names)
    return names, printed.getvalue()


def test_the_worked_example_gives_the_known_numbers() -> None:
    steps = run_steps(WORKED, [(1, 1, 1)] * 3)
    known = [
        (-2.80121891, 0.69469708, 0.96886448), (-3.04406657, 0.7898616, 0.86068273),
        (-3.04498651, 0.78981591, 0.86049092),
    ]  # fmt: skip
    np.testing.assert_allclose([step[0].y for step in steps], known, atol=1e-8)


def test_steps_are_those_of_the_equation() -> None:
    W_hh, W_xh, W_hy = worked_matrices()
    h = np.zeros(3)
    for (step,), x in zip(run_steps(WORKED, [(1, 0, 2), (0, -1, 0.5)]), [(1, 0, 2), (0, -1, 0.5)], strict=True):
        np.testing.assert_allclose(step.before, h, atol=1e-12)
        h = np.tanh(W_hh @ h + W_xh @ np.array(x))
        np.testing.assert_allclose(step.after, h, atol=1e-12)
        np.testing.assert_allclose(step.y, W_hy @ h, atol=1e-12)


def test_the_same_x_gives_another_y() -> None:
    first, second = (step[0].y for step in run_steps(StepNetwork(), [one_hot(0, 4)] * 2))
    assert np.abs(first - second).max() > 1e-3


def test_a_second_network_reads_what_the_first_returned() -> None:
    for first, second in run_steps(StepNetwork(4, 3, 5, is_composed=True), [one_hot(1, 4)] * 3):
        np.testing.assert_array_equal(second.x, first.y)
        assert len(second.y) == 5


@given(
    st.builds(StepNetwork, *[st.integers(2, 8)] * 3, st.integers(0, 9), st.booleans())
    | st.booleans().map(lambda both: StepNetwork(3, 3, 3, is_composed=both, is_worked=True)),
    st.data(),
)
def test_the_code_shown_gives_the_numbers_shown(network: StepNetwork, data: st.DataObject) -> None:
    inputs = data.draw(st.lists(st.tuples(*[NUMBERS] * network.input_size), min_size=1, max_size=3))
    names, printed = executed(step_code(network, inputs))
    last = run_steps(network, inputs)[-1]
    np.testing.assert_allclose(names["y"], last[-1].y, atol=1e-12)  # sums round as arrays happen to lie in memory
    for name, stepped in zip(network.names, last, strict=True):
        np.testing.assert_allclose(names[name].h, stepped.after, atol=1e-12)
    assert printed.count("[") == len(inputs)


def test_before_the_first_step_the_code_only_makes_the_network() -> None:
    names, printed = executed(step_code(WORKED, []))
    assert printed == ""
    np.testing.assert_array_equal(names["net"].h, np.zeros(3))


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("1, 0,-0.5", (1, 0, -0.5)), ("1 2 3", (1, 2, 3)), ("  1,2 , 3e-2 ", (1, 2, 0.03)), ("−1, 0, 0", (-1, 0, 0))],
)
def test_numbers_are_read_as_people_type_them(text: str, numbers: tuple[float, ...]) -> None:
    assert parse_vector(text, 3) == numbers


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1, 2", "needs 3 numbers"), ("", "needs 3 numbers"), ("1, 2, 3, 4", "here are 4"), ("1, nan, 2", "finite"),
        ("inf, 1, 2", "finite"), ("1e999, 1, 2", "finite"), ("a, 1, 2", "no number"), ("1e7, 0, 0", "beyond"),
        ("x" * 500 + ", 1, 2", "no number"),
    ],
)  # fmt: skip
def test_what_is_no_vector_is_refused_in_one_sentence(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as refused:
        parse_vector(text, 3)
    assert len(str(refused.value)) < 120


@given(st.text(max_size=40), st.integers(2, 8))
def test_any_text_is_a_vector_or_refused(text: str, size: int) -> None:
    try:
        numbers = parse_vector(text, size)
    except InputError:
        return
    assert len(numbers) == size
    assert all(math.isfinite(v) for v in numbers)


def test_inputs_of_another_length_and_endless_ones_are_refused() -> None:
    with pytest.raises(InputError, match="needs 4 numbers"):
        run_steps(StepNetwork(), [(1, 0, 0)])
    with pytest.raises(InputError, match="Reset"):
        run_steps(StepNetwork(), [one_hot(0, 4)] * (MOST_STEPS + 1))
    with pytest.raises(InputError, match="no place 5"):
        one_hot(4, 4)


@pytest.mark.parametrize(
    "settings", [{"input_size": 1}, {"hidden_size": 9}, {"seed": -1}, {"is_worked": True}, {"output_size": 2.0}]
)
def test_a_network_beyond_the_page_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        StepNetwork(**settings)


@pytest.mark.parametrize("example", [BatchExample(), BatchExample(7, 3, 2, 5, 4, 3, 1), BatchExample(7, 1, 2, 2, 1, 7)])
def test_the_statistics_shown_are_those_that_the_code_prints(example: BatchExample) -> None:
    names, printed = executed(sequence_code(example))
    found = run_batch(example)
    assert printed.strip() == found.lines
    assert found.output_shape == tuple(names["y"].shape) == (example.steps, example.batch_size, example.output_size)
    assert found.last_shape == tuple(names["h"].shape)


@pytest.mark.parametrize("settings", [{"steps": 0}, {"hidden_size": 1}, {"batch_size": 65}, {"every": 0}])
def test_a_batch_beyond_the_page_is_refused(settings: dict[str, int]) -> None:
    with pytest.raises(ConfigError):
        BatchExample(**settings)

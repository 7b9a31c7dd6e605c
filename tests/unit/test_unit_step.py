"""The sums of one unit are those of the readable forward pass, and its equations add up as they are written."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rnn.config import ModelConfig
from rnn.errors import InputError
from rnn.figures.unit_equations import DIGITS, adding_up, unit_equations, written
from rnn.inspection import inspect
from rnn.models import CharRNN
from rnn.trace import trace
from rnn.unit_step import candidate, unit_step
from rnn.vocabulary import Vocabulary

VOCABULARY = Vocabulary.from_text("a cab bead")
TEXT, H = "a cab bead", 3
CONFIGS = [
    ModelConfig("rnn", H), ModelConfig("rnn", H, 2, embedding_size=2, nonlinearity="relu", bias=False),
    ModelConfig("rnn", 1, nonlinearity="sigmoid"), ModelConfig("rnn", H, 2, bidirectional=True),
    ModelConfig("gru", H, 2), ModelConfig("gru", H, bias=False, bidirectional=True),
    ModelConfig("lstm", H, 3, embedding_size=4), ModelConfig("lstm", H, bias=False),
]  # fmt: skip


def weights_of(config: ModelConfig) -> dict[str, NDArray[Any]]:
    return {n: 2 * p.detach().numpy() for n, p in CharRNN(config, len(VOCABULARY), seed=1).named_parameters()}


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_sums_and_states_are_those_of_the_readable_pass(config: ModelConfig) -> None:
    weights = weights_of(config)
    read, seen = trace(config, weights, VOCABULARY, TEXT), inspect(config, weights, VOCABULARY.encode(TEXT))
    for layer, passes in enumerate(seen.layers):
        for one in passes:
            for t in (0, 4, len(TEXT) - 1):
                unit = config.hidden_size - 1
                step = unit_step(config, weights, read, layer, one.reverse, unit, t)
                for name, found in step.sums.items():
                    total = candidate(found, step.values["r"]) if name == "n" else found.total
                    assert total == pytest.approx(one.sums[name][t, unit], abs=1e-5)
                assert step.h == pytest.approx(one.h[t, unit], abs=1e-5)
                assert step.h_before == pytest.approx(one.h_before[t, unit], abs=1e-5)
                assert (step.c is None) == (one.c is None)
                if one.c is not None:
                    assert step.c == pytest.approx(one.c[t, unit], abs=1e-5)


def test_units_and_steps_that_are_not_there_are_refused() -> None:
    config = CONFIGS[0]
    weights = weights_of(config)
    read = trace(config, weights, VOCABULARY, TEXT)
    for unit, t in ((H, 0), (0, len(TEXT)), (-1, 0), (0, -1)):
        with pytest.raises(InputError, match="no such unit or step"):
            unit_step(config, weights, read, 0, False, unit, t)


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=4))
def test_rounded_terms_have_the_rounded_sum(terms: list[float]) -> None:
    rounded, total = adding_up(terms)
    assert total == pytest.approx(sum(terms), abs=0.51 * 10**-DIGITS)
    assert sum(rounded) == pytest.approx(total, abs=1e-9)
    for term, shown in zip(terms, rounded, strict=True):
        assert shown == pytest.approx(term, abs=1.01 * 10**-DIGITS)


def numbers_in(formula: str) -> list[float]:
    """The numbers of a sum, its signs joined to them."""
    plain = re.sub(r"\\textcolor\{#\w+\}\{([^{}]*)\}", r"\1", formula).replace(" ", "")
    return [float(number) for number in re.findall(r"[+-]?\d+\.\d+", plain)]


@pytest.mark.parametrize("config", CONFIGS, ids=str)
@pytest.mark.parametrize("dark", [False, True])
def test_the_written_numbers_give_the_written_result(config: ModelConfig, dark: bool) -> None:
    weights = weights_of(config)
    read = trace(config, weights, VOCABULARY, TEXT)
    for layer in range(config.num_layers):
        for unit in range(config.hidden_size):
            step = unit_step(config, weights, read, layer, False, unit, 4)
            lines = unit_equations(step, layer, dark=dark)
            assert len(lines) == {"rnn": 1, "gru": 4, "lstm": 6}[config.cell]
            for line in lines:
                assert line.count("{") == line.count("}")
                assert line.count("(") == line.count(")")
                _, numbers = line.split("=", 2)[1:]
                shown = numbers_in(numbers)
                if r"\cdot" in line:
                    assert shown[0] * math.tanh(shown[1]) == pytest.approx(shown[2], abs=2e-3)
                    continue
                squashed = re.match(r" \\(tanh|sigma|operatorname\{ReLU\})", numbers)
                terms, result = (shown[:-2], shown[-1]) if squashed else (shown[:-1], shown[-1])
                total = shown[-2] if squashed else result
                assert sum(terms) == pytest.approx(total, abs=1e-9)
                if squashed:
                    functions = {"tanh": math.tanh, "sigma": lambda s: 1 / (1 + math.exp(-s))}
                    function = functions.get(squashed[1], lambda s: max(s, 0.0))
                    assert function(total) == pytest.approx(result, abs=0.6 * 10 ** (1 - DIGITS))


def test_what_rounds_to_nothing_has_no_sign() -> None:
    assert (written(-0.00001), written(-0.5), written(0.25, 1)) == ("0.0000", "-0.5000", "0.2")


def test_the_step_before_is_the_next_one_for_the_direction_from_the_end() -> None:
    config = CONFIGS[3]
    weights = weights_of(config)
    read = trace(config, weights, VOCABULARY, TEXT)
    line = unit_equations(unit_step(config, weights, read, 1, True, 0, 4), 1, reverse=True)[0]
    assert "h_{6}" in line
    assert "h_{4}" not in line
    assert "h^{(1)}_{5}" in line


def test_the_numbers_of_the_sigmoid_of_extreme_sums_are_finite() -> None:
    config = ModelConfig("lstm", 1)
    weights = {name: np.full_like(array, 1e4) for name, array in weights_of(config).items()}
    step = unit_step(config, weights, trace(config, weights, VOCABULARY, TEXT), 0, False, 0, 3)
    assert step.values["f"] == 1.0
    assert math.isfinite(step.h)

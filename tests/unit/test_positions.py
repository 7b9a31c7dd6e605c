"""The loss by position is that of reading each chunk by itself, and reading on is that of the whole text."""

from __future__ import annotations

import json

import numpy as np
import plotly.graph_objects as go
import pytest
from numpy.typing import NDArray

from rnn.config import CELLS, ModelConfig
from rnn.errors import ConfigError, InputError
from rnn.figures.positions import by_position as drawn
from rnn.figures.positions import by_position_alt
from rnn.positions import ByPosition, by_position, carried_losses, longest_chunk
from rnn.trace import trace
from rnn.vocabulary import Vocabulary

LETTERS = Vocabulary.from_characters("abcde")
TEXT = "".join(np.random.default_rng(0).choice(list("abcde"), 62))


def drawn_weights(config: ModelConfig) -> dict[str, NDArray[np.float32]]:
    rng = np.random.default_rng(1)
    shapes = config.parameter_shapes(len(LETTERS))
    return {name: rng.normal(0, 0.8, shape).astype(np.float32) for name, shape in shapes.items()}


def losses(config: ModelConfig, weights: dict[str, NDArray[np.float32]], text: str) -> NDArray[np.float64]:
    """Of every character but the first, from zeros, by the probabilities of the trace."""
    found = trace(config, weights, LETTERS, text)
    answers = LETTERS.encode(text[1:])
    return np.array([-np.log(float(found.probabilities[t, a])) for t, a in enumerate(answers)])


def measured(config: ModelConfig, k: int, text: str = TEXT) -> ByPosition:
    weights = drawn_weights(config)
    read = trace(config, weights, LETTERS, text)
    return by_position(config, weights, read.indices, carried_losses(read.logits, read.indices), k)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("k", [1, 4, 7, 20])
def test_each_chunk_is_read_as_a_text_of_its_own(cell: str, k: int) -> None:
    config = ModelConfig(cell=cell, hidden_size=6, num_layers=2)
    weights, found = drawn_weights(config), measured(config, k)
    starts = [k * i for i in range(1, (len(TEXT) - 1) // k)]
    apart = np.array([losses(config, weights, TEXT[start : start + k + 1]) for start in starts])
    on = np.array([losses(config, weights, TEXT)[start : start + k] for start in starts])
    assert found.chunks == len(starts)
    np.testing.assert_allclose(found.reset, apart.mean(0), atol=1e-5)
    np.testing.assert_allclose(found.carry, on.mean(0), atol=1e-5)
    for error, each in ((found.reset_error, apart), (found.carry_error, on), (found.gap_error, apart - on)):
        np.testing.assert_allclose(error, each.std(0, ddof=1) / np.sqrt(len(starts)), atol=1e-5)
    assert found.cost == pytest.approx((apart - on).mean(), abs=1e-5)


def test_a_network_that_forgets_everything_loses_nothing_by_a_reset() -> None:
    config = ModelConfig(cell="rnn", hidden_size=6)
    weights = drawn_weights(config)
    weights["recurrent.weight_hh_l0"][:] = 0
    read = trace(config, weights, LETTERS, TEXT)
    found = by_position(config, weights, read.indices, carried_losses(read.logits, read.indices), 5)
    np.testing.assert_allclose(found.gap, 0, atol=1e-5)
    assert found.first_below(0.1) == 0


@pytest.mark.parametrize(("characters", "longest"), [(0, 0), (1, 0), (3, 0), (4, 1), (7, 2), (61, 20)])
def test_the_longest_chunk_is_the_last_that_is_measured(characters: int, longest: int) -> None:
    assert longest_chunk(characters) == longest
    config = ModelConfig(cell="gru", hidden_size=1)
    if longest:
        assert measured(config, longest, TEXT[:characters]).chunks >= 2
    if characters:
        with pytest.raises(InputError, match=f"at least {3 * (longest + 1) + 1} characters"):
            measured(config, longest + 1, TEXT[:characters])


def test_a_chunk_of_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least 1"):
        measured(ModelConfig(cell="rnn", hidden_size=2), 0)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("k", [1, 2, 20])
def test_the_figure_draws_both_means_and_its_title_says_the_first_gap(k: int, dark: bool) -> None:
    found = measured(ModelConfig(cell="gru", hidden_size=6), k)
    figure = drawn(found, dark)
    go.Figure(figure.to_plotly_json())  # every property is one that Plotly knows
    lines = [trace for trace in figure.data if trace.name]
    np.testing.assert_allclose(lines[0].y, found.reset, atol=1e-6)
    np.testing.assert_allclose(lines[1].y, found.carry, atol=1e-6)
    gap = f"{found.gap[0]:.2f}".replace("-", "−")
    assert f"A reset costs {gap} nats at position 0" in figure.layout.title.text
    assert f"reset {found.reset[0]:.2f}, carry {found.carry[0]:.2f}" in by_position_alt(found)
    assert len(json.dumps(figure.to_json())) < 50_000

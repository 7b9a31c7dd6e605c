"""Figures say what they show, in numbers that are those of the data."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable
from functools import partial

import numpy as np
import plotly.graph_objects as go
import pytest

from rnn.figures.characters import visible
from rnn.figures.loss import UNITS, loss_curves, loss_title
from rnn.figures.softmax import SHOWN, bars_title, next_character_bars
from rnn.records import StepMetrics, smoothed


def metrics(step: int, loss: float, validation: float | None = None) -> StepMetrics:
    return StepMetrics(step, step / 10, loss, 1.0, 1e-3, 1000.0, step / 100, 100 * step, validation)


CURVE = [metrics(1, 4.0), metrics(2, 3.0), metrics(3, 2.0, validation=2.5), metrics(4, 1.0)]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize(
    "draw",
    [
        *(partial(loss_curves, CURVE, unit, log_steps=log) for unit in UNITS for log in (False, True)),
        partial(loss_curves, []), partial(loss_curves, CURVE * 10),
        partial(next_character_bars, "abc", np.array([0.5, 0.3, 0.2]), np.array([0.0, 0.4, 0.6]), 1),
    ],
)  # fmt: skip
def test_every_figure_is_one_that_plotly_accepts(draw: Callable[..., go.Figure], dark: bool) -> None:
    fig = draw(dark=dark).to_dict()
    assert go.Figure(fig).to_dict() == fig  # here with Plotly's checks


@pytest.mark.parametrize(
    ("unit", "expected"), [("nats", 1.5), ("bits", 1.5 / math.log(2)), ("perplexity", math.exp(1.5))]
)
def test_a_loss_is_converted_to_the_unit_that_is_asked_for(unit: str, expected: float) -> None:
    fig = loss_curves([metrics(1, 1.5, validation=1.5)], unit)
    for trace in fig.data:
        assert list(trace.y) == pytest.approx([expected], abs=1e-4)
    assert f"{expected:.2f}" in loss_title([metrics(1, 1.5)], unit)
    assert unit in fig.layout.yaxis.title.text


def test_a_loss_that_exploded_can_be_told_in_every_unit() -> None:
    for unit in UNITS:
        assert math.isfinite(loss_curves([metrics(1, 1e6)], unit).data[0].y[0])


def test_steps_can_stand_on_a_logarithmic_axis() -> None:
    assert loss_curves(CURVE, log_steps=True).layout.xaxis.type == "log"
    assert loss_curves(CURVE).layout.xaxis.type != "log"


def test_a_single_step_can_be_seen() -> None:
    assert "markers" in loss_curves(CURVE[:1]).data[1].mode


@pytest.mark.parametrize("dark", [False, True])
def test_loss_curves_show_every_point_and_name_both_axes(dark: bool) -> None:
    fig = loss_curves(CURVE, dark=dark)
    each, smooth, validation = fig.data
    assert list(each.x) == [1, 2, 3, 4]
    assert list(each.y) == [4.0, 3.0, 2.0, 1.0]
    assert list(smooth.y) == pytest.approx(smoothed([4.0, 3.0, 2.0, 1.0]), abs=1e-4)
    assert list(validation.x) == [3]
    assert list(validation.y) == [2.5]
    assert fig.layout.xaxis.title.text == "step"
    assert fig.layout.yaxis.title.text == "loss (nats per character)"


def test_loss_title_states_the_last_smoothed_loss_and_the_last_validation() -> None:
    last = smoothed([m.loss for m in CURVE])[-1]
    assert loss_title(CURVE) == f"Loss {last:.2f} nats at step 4, validation 2.50"
    assert loss_title(CURVE[:2]) == f"Loss {smoothed([4.0, 3.0])[-1]:.2f} nats at step 2"
    assert loss_title([]) == "No step yet"


def test_a_run_without_steps_draws_an_empty_chart_of_the_same_height() -> None:
    assert loss_curves([]).layout.height == loss_curves(CURVE).layout.height


def test_smoothing_keeps_a_constant_and_begins_at_the_first_value() -> None:
    assert smoothed([2.0] * 5) == pytest.approx([2.0] * 5)
    assert smoothed([7.0, 1.0])[0] == pytest.approx(7.0)
    assert smoothed([]) == []


def test_bars_are_sorted_by_the_distribution_drawn_from_and_outline_the_drawn_character() -> None:
    before, after = np.array([0.5, 0.3, 0.2]), np.array([0.0, 0.4, 0.6])
    model, drawn = next_character_bars("abc", before, after, chosen=1).data
    assert list(drawn.y) == [0.6, 0.4, 0.0]
    assert list(model.y) == [0.2, 0.3, 0.5]
    assert list(drawn.marker.line.width) == [0, 3, 0]
    assert bars_title("abc", before, after, 1) == "Drew “b” with p = 0.40; the model's number 2"


def test_the_drawn_character_has_a_bar_however_unlikely_it_was() -> None:
    probabilities = np.linspace(1, 2, 100) / np.linspace(1, 2, 100).sum()
    characters = [chr(200 + i) for i in range(100)]
    fig = next_character_bars(characters, probabilities, probabilities, chosen=0)
    assert len(fig.data[0].x) == SHOWN
    assert visible(characters[0]) in fig.layout.xaxis.ticktext


@pytest.mark.parametrize(
    "character", ["\n", "\t", " ", "\x00", "\x1b", "\u200f", "\u202e", "\u2028", "\ue000", "\u00a0"]
)
def test_invisible_characters_get_a_visible_label(character: str) -> None:
    label = visible(character)
    assert label.strip()
    assert all(unicodedata.category(c)[0] not in "CZ" for c in label)


@pytest.mark.parametrize("character", ["a", "é", "中", "א", "😀"])
def test_visible_characters_stand_for_themselves(character: str) -> None:
    assert visible(character) == character

"""Figures of units beside features: the numbers are those measured, and what is best stands on top."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from rnn.config import ModelConfig
from rnn.figures.units import (
    SHOWN,
    best_units,
    best_units_alt,
    number,
    ranked_features,
    unit_beside,
    unit_beside_alt,
    unit_table,
    unit_table_alt,
    units_and_depth,
    units_and_depth_alt,
)
from rnn.models import CharRNN
from rnn.trace import trace
from rnn.units import FEATURES, Correlations, correlations
from rnn.vocabulary import Vocabulary

TEXT = 'He said: "One (and only <b>one</b>) 42."\n  Then (he (left)).\n' * 6
VOCABULARY = Vocabulary.from_text(TEXT)


def found(cell: str = "lstm", layers: int = 2) -> Correlations:
    config = ModelConfig(cell, 6, layers)
    weights = {n: 3 * t.numpy() for n, t in CharRNN(config, len(VOCABULARY), seed=1).state_dict().items()}
    return correlations(trace(config, weights, VOCABULARY, TEXT))


def checked(fig: go.Figure) -> go.Figure:
    """The figure as Plotly checks it, small enough and with a title of two lines."""
    assert len(fig.to_json()) < 1_000_000
    assert fig.layout.title.text.count("<br>") == 1
    return go.Figure(fig.to_dict())


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("cell", ["rnn", "lstm"])
def test_every_feature_has_the_r_of_its_best_unit_and_its_chance_level(cell: str, dark: bool) -> None:
    measured = found(cell)
    fig = checked(best_units(measured, dark))
    widths = sorted(float(x) for data in fig.data if data.type == "bar" for x in data.x)
    expected = sorted(abs(measured.best(name)[1]) for name in measured.features)
    np.testing.assert_allclose(widths, expected, atol=1e-3)
    drawn = fig.to_json()
    for name in measured.features:
        assert name in drawn
        assert name in best_units_alt(measured)
    assert ranked_features(measured)[0] == max(measured.features, key=lambda name: abs(measured.best(name)[1]))


@pytest.mark.parametrize("dark", [False, True])
def test_the_table_has_the_best_units_of_every_feature(dark: bool) -> None:
    measured = found()
    checked(unit_table(measured, dark))
    words = unit_table_alt(measured)
    for name in measured.features:
        assert name in words


@pytest.mark.parametrize("r", [0.8, -0.8])
@pytest.mark.parametrize("length", [50, 400])
def test_a_unit_stands_beside_a_feature_which_is_turned_over_where_r_is_negative(r: float, length: int) -> None:
    text = (TEXT * 2)[:length]
    values = FEATURES["bracket depth"](text)
    states = (values * np.sign(r) / 3).astype(np.float32)
    fig = checked(unit_beside(states, values, text, 0, "unit 3", "h", "bracket depth", r))
    assert fig.layout.yaxis2.autorange == ("reversed" if r < 0 else True)
    assert number(r) in fig.layout.title.text
    assert len(fig.data[0].x) == min(SHOWN, length)
    assert "bracket depth" in unit_beside_alt(states, values, text, 0, "unit 3", "bracket depth", r)


def test_units_are_drawn_in_the_order_of_their_r_with_the_depth_above() -> None:
    depth = FEATURES["bracket depth"](TEXT)
    r = np.array([0.1, -0.9, 0.5])
    states = np.column_stack([np.zeros(len(TEXT)), -depth / 3, depth / 9]).astype(np.float32)
    fig = units_and_depth(states, depth, r, TEXT, 5, "h")
    checked(fig)
    heat: Any = next(data for data in fig.data if data.type == "heatmap")
    np.testing.assert_allclose(heat.z[0], states[5 : 5 + len(heat.z[0]), 1], atol=1e-6)
    np.testing.assert_allclose(heat.z[2], states[5 : 5 + len(heat.z[0]), 0], atol=1e-6)
    assert "Unit 2 falls as the depth rises" in fig.layout.title.text
    assert "unit 2" in units_and_depth_alt(states, r, "h").lower()


def test_markup_of_a_text_is_shown_letter_by_letter() -> None:
    values = FEATURES["vowel"](TEXT)
    fig = unit_beside(values.astype(np.float32), values, TEXT, 20, "unit 1", "h", "vowel", 1.0)
    assert "&lt;" in fig.to_json() or "\\u003c" in fig.to_json()
    assert "<b>one" not in " ".join(str(c) for data in fig.data if data.customdata is not None for c in data.customdata)

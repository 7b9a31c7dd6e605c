"""The strip of entropies or surprises says what it shows, in numbers that are those of the data."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn.figures.scoring import HEIGHT, MOST_BARS, QUANTITIES, surprise_strip, surprise_strip_alt

VALUES = [1.0, 0.5, 3.0, 0.5]
LN_V = math.log(103)
LONG = np.linspace(0, 3, 1234)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", list(QUANTITIES))
@pytest.mark.parametrize("unit", ["nats", "bits"])
@pytest.mark.parametrize("values", [[], [0.0], VALUES, LONG])
def test_every_strip_is_one_that_plotly_accepts_and_equally_high(
    values: Sequence[float], unit: str, name: str, dark: bool
) -> None:
    fig = surprise_strip(values, unit, selected=0, uniform=LN_V, dark=dark, name=name)
    assert go.Figure(fig.to_dict()).to_dict() == fig.to_dict()  # here with Plotly's checks
    assert fig.layout.height == HEIGHT


@pytest.mark.parametrize(("unit", "scale"), [("nats", 1.0), ("bits", 1 / math.log(2))])
def test_bars_are_the_values_in_the_unit_that_is_asked_for(unit: str, scale: float) -> None:
    fig = surprise_strip(VALUES, unit, uniform=LN_V)
    (bars,) = fig.data
    assert list(bars.x) == [1, 2, 3, 4]
    assert list(bars.y) == pytest.approx([scale * v for v in VALUES], abs=1e-4)
    assert fig.layout.shapes[0].y0 == fig.layout.shapes[0].y1 == pytest.approx(scale * LN_V)
    assert fig.layout.yaxis.range[1] > fig.layout.shapes[0].y0
    assert f"({unit})" in fig.layout.yaxis.title.text


def test_axes_are_named_after_what_the_values_are() -> None:
    for name, words in [("entropy", "entropy (bits)"), ("surprise", "surprise (bits)")]:
        layout = surprise_strip(VALUES, "bits", name=name).layout
        assert layout.yaxis.title.text.replace("<br>", " ") == words
        assert layout.xaxis.title.text == "character"


def test_the_title_states_the_mean_and_the_highest_place() -> None:
    titles = [surprise_strip(VALUES, unit, name=name).layout.title.text for unit, name in
              [("nats", "entropy"), ("bits", "surprise")]]  # fmt: skip
    assert titles == [
        "Entropy 1.2 nats on average;<br>least sure at character 3",
        "Surprise 1.8 bits on average;<br>most surprised at character 3",
    ]
    assert surprise_strip([], "bits").layout.title.text == "Nothing read yet"


@given(st.integers(1, 3000))
def test_a_long_text_is_shown_in_means_that_cover_it_once(n: int) -> None:
    values = np.random.default_rng(n).uniform(0, 4, n)
    fig = surprise_strip(values, "nats")
    (bars,) = fig.data
    size = math.ceil(n / MOST_BARS)
    assert len(bars.x) == math.ceil(n / size) <= MOST_BARS
    assert list(bars.y) == pytest.approx([values[i : i + size].mean() for i in range(0, n, size)], abs=1e-4)
    first, last = (bars.customdata[i] for i in (0, -1))
    assert first.removeprefix("characters ").removeprefix("character ").startswith("1")
    assert last.replace(",", "").endswith(str(n))
    assert (f"in means of {size};" in fig.layout.title.text) == (size > 1)
    assert f"at character {values.argmax() + 1:,}" in fig.layout.title.text
    if size > 1:
        assert bars.x[0] == (1 + size) / 2
        edges = [(x - w / 2, x + w / 2) for x, w in zip(bars.x, bars.width, strict=True)]
        assert edges[0][0] == 0.5
        assert edges[-1][1] == n + 0.5


@pytest.mark.parametrize(("selected", "marked"), [(None, []), (0, [1]), (3, [4]), (4, []), (-1, [])])
def test_the_selected_character_is_marked_where_it_stands(selected: int | None, marked: list[int]) -> None:
    shapes = surprise_strip(VALUES, "bits", selected=selected).layout.shapes
    assert [shape.x0 for shape in shapes] == [shape.x1 for shape in shapes] == marked
    assert ("Marked" in surprise_strip_alt(VALUES, "bits", selected=selected)) == bool(marked)


def test_the_line_of_guessing_is_named_in_its_unit_and_only_drawn_where_it_is_known() -> None:
    for unit, said in [("bits", "log₂ V = 6.7 bits"), ("nats", "ln V = 4.6 nats")]:
        (label,) = surprise_strip(VALUES, unit, uniform=LN_V).layout.annotations
        assert label.text == said
        assert said in surprise_strip_alt(VALUES, unit, uniform=LN_V)
    assert not surprise_strip(VALUES, "bits").layout.annotations


def test_the_text_alternative_says_what_the_bars_do() -> None:
    assert surprise_strip_alt(VALUES, "nats", selected=1, uniform=LN_V, name="surprise") == (
        "Surprise 1.2 nats on average; most surprised at character 3. From 0.5 to 3.0 nats over 4 characters. "
        "Guessing: ln V = 4.6 nats. Marked: character 2, 0.5 nats."
    )
    assert surprise_strip_alt([], "bits") == "Nothing read yet."

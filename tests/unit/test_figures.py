"""Figures say what they show, in numbers that are those of the data."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable
from functools import partial
from itertools import pairwise

import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn.figures.characters import legible, visible
from rnn.figures.loss import (
    ABOVE,
    BELOW,
    HEIGHT,
    LABEL_HEIGHT,
    SHARE_BEHIND,
    UNITS,
    loss_alt,
    loss_curves,
    loss_title,
)  # fmt: skip
from rnn.records import Baselines, StepMetrics, smoothed


def metrics(step: int, loss: float, validation: float | None = None) -> StepMetrics:
    return StepMetrics(step, step / 10, loss, 1.0, 1e-3, 1000.0, step / 100, 100 * step, validation)


CURVE = [metrics(1, 4.0), metrics(2, 3.0), metrics(3, 2.0, validation=2.5), metrics(4, 1.0)]


LINES = Baselines(uniform=4.2, unigram=3.3, bigram=2.5, trigram=2.0, is_held_out=True)
NATS = st.floats(0, 12)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize(
    "draw",
    [
        *(partial(loss_curves, CURVE, unit, log_steps=log) for unit in UNITS for log in (False, True)),
        *(partial(loss_curves, CURVE, unit, log_steps=log, baselines=LINES) for unit in UNITS for log in (False, True)),
        partial(loss_curves, []), partial(loss_curves, CURVE * 10), partial(loss_curves, [], baselines=LINES),
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


# Baselines on the loss chart


def labels(fig: go.Figure) -> list[str]:
    return [label.text for label in fig.layout.annotations]


def label_heights(fig: go.Figure) -> list[float]:
    """Pixels of the labels' middles above the lower edge of the plot."""
    low, high = fig.layout.yaxis.range
    plot = HEIGHT - ABOVE - BELOW
    return [(label.y - low) / (high - low) * plot + label.yshift for label in fig.layout.annotations]


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("nats", ["trigram 2.00", "bigram 2.50", "unigram 3.30", "ln V 4.20"]),
        ("bits", ["trigram 2.89", "bigram 3.61", "unigram 4.76", "log₂ V 6.06"]),
        ("perplexity", ["trigram 7.39", "bigram 12.2", "unigram 27.1", "V 67"]),
    ],
)
def test_each_baseline_is_named_at_its_line_in_the_unit_before_the_first_step_too(
    unit: str, expected: list[str]
) -> None:
    for metrics in ([], CURVE):
        fig = loss_curves(metrics, unit, baselines=LINES)
        assert labels(fig) == expected
        for line, nats in zip(fig.layout.shapes, sorted(LINES.by_name().values()), strict=True):
            assert line.y0 == line.y1 == pytest.approx(UNITS[unit].of(nats))
            assert line.xref == "paper"


@given(st.tuples(NATS, NATS, NATS, NATS), st.lists(NATS, max_size=5), st.sampled_from(list(UNITS)))
def test_labels_overlap_neither_each_other_nor_the_edges(
    values: tuple[float, float, float, float], losses: list[float], unit: str
) -> None:
    fig = loss_curves([metrics(i + 1, v) for i, v in enumerate(losses)], unit, baselines=Baselines(*values, True))
    heights = label_heights(fig)
    assert all(b - a > LABEL_HEIGHT - 0.2 for a, b in pairwise(heights))  # shifts are sent to a tenth of a pixel
    assert heights[0] > -0.1
    assert heights[-1] < HEIGHT - ABOVE - BELOW + 0.1


def test_a_label_with_room_around_it_stands_at_its_line() -> None:
    assert [label.yshift for label in loss_curves([], baselines=LINES).layout.annotations] == [0, 0, 0, 0]


@given(st.tuples(NATS, NATS, NATS, NATS), st.lists(NATS, min_size=1, max_size=5))
def test_the_range_shows_the_whole_curve_and_every_baseline_below_it(
    values: tuple[float, float, float, float], losses: list[float]
) -> None:
    fig = loss_curves([metrics(i + 1, v) for i, v in enumerate(losses)], baselines=Baselines(*values, True))
    low, high = fig.layout.yaxis.range
    ahead = [v for v in values if v <= min(losses)]
    assert low < min(losses + ahead)
    assert max(losses) < high
    drawn = {line.y0 for line in fig.layout.shapes}
    assert drawn >= set(ahead)
    assert all(low < value < high for value in drawn)


def test_a_curve_far_below_a_baseline_is_not_squashed_and_the_baseline_is_named_at_the_edge() -> None:
    fig = loss_curves([metrics(i, 1.5 - i / 1000) for i in range(1, 100)], baselines=LINES)
    low, high = fig.layout.yaxis.range
    assert high - low < SHARE_BEHIND * 0.15
    assert labels(fig) == ["↑trigram 2.00", "↑bigram 2.50", "↑unigram 3.30", "↑ln V 4.20"]
    assert not fig.layout.shapes


def test_a_run_that_has_only_begun_is_seen_with_all_that_is_before_it() -> None:
    fig = loss_curves([metrics(1, 4.15)], baselines=LINES)
    assert len(fig.layout.shapes) == 4


def test_every_unit_shows_the_same_picture() -> None:
    pictures = [label_heights(loss_curves(CURVE, unit, baselines=LINES)) for unit in UNITS]
    for picture in pictures[1:]:
        assert picture == pytest.approx(pictures[0], abs=0.1)


def test_the_title_says_which_baseline_the_validation_loss_is_below() -> None:
    assert loss_title(CURVE, "nats", LINES).endswith("at step 4, validation 2.50, below unigram")
    assert loss_title([metrics(1, 5.0)], "bits", LINES).endswith("at step 1, above log₂ V")
    assert loss_title([], "nats", LINES) == "No step yet"
    shown = loss_curves(CURVE, baselines=LINES).layout.title.text
    assert shown.replace("<br>", ", ") == loss_title(CURVE, "nats", LINES)


def test_the_text_alternative_names_every_baseline_and_the_lowest_validation_loss() -> None:
    curve = [*CURVE, metrics(5, 1.0, validation=2.7)]
    said = loss_alt(curve, "nats", LINES)
    assert said.startswith(loss_title(curve, "nats", LINES) + ". Lowest validation 2.50 at step 3. ")
    assert said.endswith("on the validation part: ln V 4.20, unigram 3.30, bigram 2.50, trigram 2.00.")
    assert "left out" in loss_alt([], "bits", Baselines(4.0, 3.0, 2.0, 1.0, is_held_out=False))
    assert loss_alt([]) == "No step yet."


def test_smoothing_keeps_a_constant_and_begins_at_the_first_value() -> None:
    assert smoothed([2.0] * 5) == pytest.approx([2.0] * 5)
    assert smoothed([7.0, 1.0])[0] == pytest.approx(7.0)
    assert smoothed([]) == []


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


@pytest.mark.parametrize(
    "character", ["\x00", "\x1b", "\r", "\u200f", "\u202e", "\u2066", "\u2028", "\ufeff", "\ue000"]
)
def test_what_could_hide_or_turn_a_text_around_is_spelled_out(character: str) -> None:
    assert legible(f"a{character}b") == f"a<U+{ord(character):04X}>b"


def test_a_legible_text_stays_as_it_is() -> None:
    text = "Émile: 日本\tx\n\u00a0👩\u200d👧 e\u0301 <b>"
    assert legible(text) == text

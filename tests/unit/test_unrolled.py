"""The unrolled figure shows the numbers of a trace legibly."""

from __future__ import annotations

import re
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rnn.config import ModelConfig
from rnn.figures import theme
from rnn.figures.graph import VEIL
from rnn.figures.unrolled import GUESSES, UNITS, guesses, signed, unrolled, unrolled_alt
from rnn.models import CharRNN
from rnn.records import LayerTrace, Trace
from rnn.trace import trace
from rnn.vocabulary import Vocabulary

CONFIG = Path(__file__).parents[2] / ".streamlit" / "config.toml"
VOCABULARY = Vocabulary.from_text("a cab <&bead")
TEXT = "a cab bead"
V, H = len(VOCABULARY), 5

COLOURS = st.integers(0, 0xFFFFFF).map(lambda n: f"#{n:06X}")


def new_model(cell: str = "rnn", **settings: Any) -> CharRNN:
    """With weights large enough for values to differ from step to step."""
    model = CharRNN(ModelConfig(cell, **{"hidden_size": H, **settings}), V, seed=1).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter *= 3
    return model


def read(model: CharRNN, text: str) -> Trace:
    return trace(model.config, {name: tensor.numpy() for name, tensor in model.state_dict().items()}, VOCABULARY, text)


@pytest.fixture
def example() -> Trace:
    return read(new_model(), TEXT)


def handmade(text: str, states: list[list[float]], probabilities: list[list[float]], characters: str) -> Trace:
    p, layers = np.array(probabilities, np.float32), ((LayerTrace(np.array(states, np.float32), None, {}),),)
    indices = np.array([characters.index(c) for c in text], np.int64)
    with np.errstate(divide="ignore"):
        return Trace(text, tuple(characters), indices, layers, np.log(p), p)


def labels(fig: go.Figure) -> list[str]:
    return list(fig.data[0].text)


def frames(fig: go.Figure) -> list[Any]:
    return [shape for shape in fig.layout.shapes if shape.fillcolor is None]


def boxes(fig: go.Figure) -> list[Any]:
    return [shape for shape in fig.layout.shapes if shape.fillcolor is not None]


def opacity(box: Any) -> float:
    return float(re.fullmatch(r"rgba\(.*, ([\d.]+)\)", box.fillcolor)[1])  # type: ignore[index]


def test_no_text_is_a_figure_of_no_steps() -> None:
    empty = read(new_model(), "")
    assert unrolled(empty).layout.height == unrolled(read(new_model(), "ab")).layout.height


# The figure


@pytest.mark.parametrize("dark", [False, True])
def test_the_figure_is_one_that_plotly_accepts(example: Trace, dark: bool) -> None:
    fig = unrolled(example, start=2, dark=dark).to_dict()
    assert go.Figure(fig).to_dict() == fig  # here with Plotly's checks


@pytest.mark.parametrize("dark", [False, True])
def test_every_step_shows_its_character_its_state_and_its_likeliest_next_characters(example: Trace, dark: bool) -> None:
    shown = labels(unrolled(example, start=2, steps=3, dark=dark))
    for t in range(2, 5):
        assert f"t = {t + 1}" in shown
        assert TEXT[t] in shown
        values = [signed(float(h)) for h in example.states[t, :UNITS]]
        assert any(shown[i : i + UNITS] == values for i in range(len(shown)))
        for i in guesses(example, t):
            assert f"{example.probabilities[t, i]:.2f}" in shown


def test_the_same_three_matrices_are_named_at_every_step(example: Trace) -> None:
    fig = unrolled(example, steps=4)
    for name in ("xh", "hh", "hy"):
        assert sum(f"W<sub>{name}</sub>" in label for label in labels(fig)) == 4


def test_the_state_before_the_first_step_is_named_by_its_number(example: Trace) -> None:
    assert "h<sub>0</sub>" in labels(unrolled(example))
    assert "h<sub>3</sub>" in labels(unrolled(example, start=3))


def test_the_character_that_came_next_is_framed_where_there_is_one(example: Trace) -> None:
    assert len(frames(unrolled(example, start=0, steps=4))) == 4
    assert len(frames(unrolled(example, start=len(TEXT) - 3, steps=5))) == 2  # nothing came after the last one


def test_the_frame_stands_around_the_row_of_the_character_that_came() -> None:
    made = handmade("ab", [[0.0], [0.0]], [[0.2, 0.7, 0.1], [0.2, 0.3, 0.5]], "abc")
    fig = unrolled(made, steps=1)
    (frame,) = frames(fig)
    points = zip(fig.data[0].x, fig.data[0].y, fig.data[0].text, strict=True)
    inside = [text for x, y, text in points if frame.x0 < x < frame.x1 and frame.y0 < y < frame.y1]
    assert inside == ["0.70", "b"]


def test_an_unlikely_character_that_came_takes_the_last_row() -> None:
    made = handmade("ae", [[0.0]] * 2, [[0.5, 0.2, 0.15, 0.1, 0.05]] * 2, "abcde")
    assert guesses(made, 0) == [0, 1, 4]
    assert guesses(made, 1) == [0, 1, 2]


def test_a_vocabulary_smaller_than_the_rows_shows_all_of_it() -> None:
    made = handmade("ab", [[0.5]] * 2, [[0.5, 0.5]] * 2, "ab")
    assert len(guesses(made, 0)) == 2 < GUESSES
    assert len(frames(unrolled(made))) == 1


def test_magnitude_is_opacity_and_the_number_has_the_sign() -> None:
    made = handmade("a", [[-1.0, 0.5, 0.0]], [[1.0]], "a")
    fig = unrolled(made)
    hidden = [opacity(box) for box in boxes(fig) if box.line.color == theme.HIDDEN]
    assert hidden == sorted(hidden, reverse=True)
    assert len(set(hidden)) == 3
    assert {"−1.0", "0.5", "0.0"} <= set(labels(fig))


def test_the_pointer_finds_the_exact_values(example: Trace) -> None:
    words = list(unrolled(example, steps=2).data[1].customdata)
    assert f"step 2, unit 1<br>h = {example.states[1, 0]:.5f}" in words
    top = guesses(example, 0)[0]
    assert any(f"p = {example.probabilities[0, top]:.5f}, number 1 of {V}" in each for each in words)


def test_boxes_leave_room_between_them(example: Trace) -> None:
    drawn = boxes(unrolled(example))
    for one, other in pairwise(sorted(drawn, key=lambda box: (box.x0, box.y0))):
        assert one.x1 < other.x0 or one.y1 < other.y0


def test_characters_that_look_like_tags_are_shown_letter_by_letter() -> None:
    fig = unrolled(read(new_model(), "<b&"))
    assert "“&lt;b&amp;”" in fig.layout.title.text
    assert {"&lt;", "b", "&amp;"} <= set(labels(fig))


def test_the_title_says_which_characters_were_read(example: Trace) -> None:
    fig = unrolled(example, start=2, steps=3, name="GRU")
    assert fig.layout.title.text.startswith("One GRU unrolled over “cab”:")
    assert "␣" in unrolled(example, steps=2).layout.title.text


def test_the_figure_in_words_has_the_characters_and_numbers_of_each_step(example: Trace) -> None:
    said = unrolled_alt(example, start=2, steps=3)
    assert said.startswith("One RNN unrolled over “cab”: the same three matrices at every step.")
    for t in range(2, 5):
        assert f"Step {t + 1} reads “{TEXT[t]}”" in said
        assert f"{example.probabilities[t, guesses(example, t)[0]]:.2f}" in said
    assert said.endswith("“␣” came.")


def test_the_same_trace_draws_the_same_figure_of_a_fixed_height(example: Trace) -> None:
    assert unrolled(example).to_json() == unrolled(example).to_json()
    assert unrolled(example).layout.height == unrolled(example, start=4, steps=2, dark=True).layout.height


@given(st.floats(-1e30, 1e30))
def test_a_value_fits_its_box_and_never_reads_minus_zero(value: float) -> None:
    shown = signed(value)
    assert len(shown) <= 6
    assert "-" not in shown.replace("e-", "")
    if shown.startswith("−"):
        assert float(shown.replace("−", "-")) < 0


# The colours


def contrast(one: float, other: float) -> float:
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)


def test_luminance_is_that_of_the_standard() -> None:
    assert theme.luminance((0, 0, 0)) == 0
    assert theme.luminance((255, 255, 255)) == pytest.approx(1)
    assert theme.luminance(theme.channels("#808080")) == pytest.approx(0.2159, abs=1e-4)
    assert contrast(theme.luminance(theme.channels("#777777")), 1) == pytest.approx(4.48, abs=0.01)


@given(COLOURS, st.floats(0, 1), COLOURS)
def test_text_on_any_colour_has_a_contrast_of_4_5(colour: str, opacity: float, background: str) -> None:
    parts = zip(theme.channels(colour), theme.channels(background), strict=True)
    seen = theme.luminance([opacity * c + (1 - opacity) * b for c, b in parts])
    text = theme.text_on(colour, opacity, background)
    assert contrast(theme.luminance(theme.channels(text)), seen) >= 4.5


@pytest.mark.parametrize("dark", [False, True])
@given(st.sampled_from([theme.INPUT, theme.HIDDEN, theme.OUTPUT]), st.floats(0.07, 1))
def test_text_under_the_veil_keeps_a_contrast_of_3_9(dark: bool, colour: str, opacity: float) -> None:
    background = theme.ink(dark).background
    under = theme.channels(background)

    def seen(rgb: tuple[int, ...], opacity: float) -> float:
        return theme.luminance([opacity * c + (1 - opacity) * b for c, b in zip(rgb, under, strict=True)])

    text = theme.channels(theme.text_on(colour, opacity, background, VEIL))
    cell = seen(theme.channels(colour), opacity * (1 - VEIL))
    assert contrast(seen(text, 1 - VEIL), cell) >= 3.9


@pytest.mark.parametrize("dark", [False, True])
def test_coloured_text_can_be_read_on_the_page(dark: bool) -> None:
    ink = theme.ink(dark)
    background = theme.luminance(theme.channels(ink.background))
    for colour in (ink.foreground, ink.input, ink.hidden, ink.output, ink.cell_state, ink.gradient):
        assert contrast(theme.luminance(theme.channels(colour)), background) >= 4.5


@pytest.mark.parametrize("dark", [False, True])
def test_figures_and_pages_have_the_same_colours(dark: bool) -> None:
    page = tomllib.loads(CONFIG.read_text(encoding="utf-8"))["theme"]["dark" if dark else "light"]
    ink = theme.ink(dark)
    assert (ink.background, ink.foreground) == (page["backgroundColor"], page["textColor"])
    of_page = [page[f"{name}TextColor"] for name in ("blue", "orange", "green", "violet", "red")]
    assert [ink.input, ink.hidden, ink.output, ink.cell_state, ink.gradient] == of_page
    assert (page["blueColor"], page["orangeColor"], page["greenColor"]) == (theme.INPUT, theme.HIDDEN, theme.OUTPUT)

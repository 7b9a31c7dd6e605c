"""The figure of one draw is true: its bars are the stages of the draw, and the marker stands at the drawn character."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rnn.config import ModelConfig, SampleConfig
from rnn.errors import ConfigError
from rnn.figures import theme
from rnn.figures.characters import visible
from rnn.figures.draw import SHOWN, draw_alt, draw_columns, segments, temperature_word
from rnn.records import DrawStages
from rnn.sampling import NumpyModel, draw_stages, filter_logits, generate, sample_next, softmax
from rnn.vocabulary import Vocabulary

HELO, SCORES = tuple("helo"), np.array([1.2, 2.1, -0.7, 0.3])
MANY = [chr(0x4E00 + i) for i in range(103)]
MANY_SCORES = np.random.default_rng(0).normal(0, 2, len(MANY))

LOGITS = arrays(np.float32, st.integers(2, 40), elements=st.floats(-50, 50, width=32))
TEMPERATURES = st.one_of(st.sampled_from([0.0, 0.5, 1.0, 1.7]), st.floats(0, 3))
FILTERS = st.fixed_dictionaries(
    {}, optional={"top_k": st.integers(1, 50), "top_p": st.floats(0, 1, exclude_min=True).filter(lambda p: p > 1e-6)}
)
DRAWS = st.floats(0, 1, exclude_max=True)


def names(V: int) -> list[str]:
    return [chr(0x4E00 + i) for i in range(V)]


def bars(fig: go.Figure, axis: str, name: str = "") -> Any:
    """The first trace on that axis with that name."""
    return next(t for t in fig.data if t.xaxis == axis and (t.name or "") == name)


def outlines(fig: go.Figure) -> dict[str, Any]:
    """The frames around the chosen character, by the axis of their column."""
    return {shape.xref.removesuffix(" domain"): shape for shape in fig.layout.shapes}


def marker(fig: go.Figure) -> Any:
    return next(note for note in fig.layout.annotations if note.xref == "x4 domain")


# The stages


@given(LOGITS, TEMPERATURES, FILTERS, DRAWS)
def test_the_draw_falls_on_the_segment_of_the_character_that_sampling_picks(
    logits: Any, temperature: float, filters: dict[str, Any], draw: float
) -> None:
    stages = draw_stages(logits, temperature, draw=draw, **filters)
    weights = np.exp(filter_logits(logits, temperature, **filters))
    assert stages.chosen == sample_next(weights, draw)
    place = list(stages.order).index(stages.chosen)
    start = stages.reached[place - 1] if place else 0.0
    assert start - 1e-12 <= draw <= stages.reached[place] + 1e-12


@given(LOGITS, TEMPERATURES, FILTERS, DRAWS, st.sampled_from([0.0, 0.02, 0.3]))
def test_the_drawn_segment_beside_the_marker_is_the_chosen_one_alone(
    logits: Any, temperature: float, filters: dict[str, Any], draw: float, thin: float
) -> None:
    stages = draw_stages(logits, temperature, draw=draw, **filters)
    pieces = segments(stages, stages.chosen, thin)
    (own,) = [piece for piece in pieces if stages.chosen in piece.members]
    assert list(own.members) == [stages.chosen]
    assert temperature == 0 or own.start - 1e-12 <= draw <= own.end + 1e-12


@given(LOGITS, TEMPERATURES, FILTERS, st.sampled_from([0.0, 0.02, 0.3]))
def test_segments_lie_end_to_end_from_0_to_1_in_the_order_of_the_vocabulary(
    logits: Any, temperature: float, filters: dict[str, Any], thin: float
) -> None:
    stages = draw_stages(logits, temperature, **filters)
    pieces = segments(stages, None, thin)
    assert pieces[0].start == 0
    assert pieces[-1].end == 1
    assert [p.end for p in pieces[:-1]] == [p.start for p in pieces[1:]]
    members = np.concatenate([p.members for p in pieces])
    assert list(members) == list(np.flatnonzero(stages.probabilities))
    for piece in pieces:
        assert piece.end - piece.start == pytest.approx(stages.probabilities[piece.members].sum(), abs=1e-12)


@given(LOGITS, TEMPERATURES, FILTERS)
def test_the_stages_are_those_of_the_equations(logits: Any, temperature: float, filters: dict[str, Any]) -> None:
    stages = draw_stages(logits, temperature, **filters)
    x = logits.astype(np.float64)
    np.testing.assert_allclose(stages.model, np.exp(x) / np.exp(x).sum(), atol=1e-12)
    if temperature == 0:
        assert stages.scaled is None
        assert stages.chosen == x.argmax()
        assert list(stages.tempered) == list(stages.probabilities) == list(np.arange(len(x)) == x.argmax())
        return
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(stages.scaled, x / temperature)
    np.testing.assert_allclose(stages.tempered, softmax((x - x.max()) / max(temperature, 1e-290)), atol=1e-12)
    kept = np.where(stages.kept, stages.tempered, 0)
    np.testing.assert_allclose(stages.probabilities, kept / kept.sum(), atol=1e-12)
    assert stages.kept.sum() <= filters.get("top_k", len(x))
    assert filters or temperature < 1e-280 or stages.kept.all()


def test_the_stages_of_a_generated_character_are_those_it_was_drawn_by() -> None:
    vocabulary = Vocabulary.from_text("abacabad")
    V, H = len(vocabulary), 3
    rng = np.random.default_rng(0)
    shapes = {"weight_ih_l0": (H, V), "weight_hh_l0": (H, H), "bias_ih_l0": (H,), "bias_hh_l0": (H,)}
    weights = {f"recurrent.{name}": rng.normal(0, 2, shape) for name, shape in shapes.items()}
    weights |= {"head.weight": rng.normal(0, 2, (V, H)), "head.bias": np.zeros(V)}
    model = NumpyModel(ModelConfig("rnn", hidden_size=H), weights)
    settings = SampleConfig(length=40, temperature=0.7, top_k=3, top_p=0.9).to_json()
    for sampled in generate(model, vocabulary, **settings):
        stages = draw_stages(sampled.logits, 0.7, 3, 0.9, sampled.draw)
        np.testing.assert_allclose(stages.probabilities, sampled.probabilities, atol=1e-12)
        assert stages.chosen == sampled.index


def test_a_character_that_cannot_come_has_no_segment_and_does_not_count_as_cut() -> None:
    stages = draw_stages(np.array([0.0, -np.inf, 1.0]), draw=0.5)
    assert list(stages.order) == [0, 2]
    assert "Cut by" not in draw_alt("abc", stages)
    assert "−∞" in bars(draw_columns("abc", stages), "x").customdata[2]


@pytest.mark.parametrize(
    ("logits", "settings", "said"),
    [
        ([0.0, math.nan], {}, "not a finite number"),
        ([0.0, math.inf], {}, "not a finite number"),
        ([-math.inf, -math.inf], {}, "not a finite number"),
        ([], {}, "row of V numbers"),
        ([[0.0, 1.0]], {}, "row of V numbers"),
        ([0.0, 1.0], {"temperature": -0.1}, "temperature"),
        ([0.0, 1.0], {"temperature": math.nan}, "temperature"),
        ([0.0, 1.0], {"top_k": 0}, "top_k"),
        ([0.0, 1.0], {"top_p": 1.5}, "top_p"),
        ([0.0, 1.0], {"draw": 1.0}, "random number"),
        ([0.0, 1.0], {"draw": math.nan}, "random number"),
    ],
)
def test_what_cannot_be_drawn_from_is_refused_with_a_sentence(logits: Any, settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        draw_stages(np.array(logits), **settings)


# The figure

SETTINGS: list[dict[str, Any]] = [
    {"temperature": 1.0, "draw": 0.4137},
    {"temperature": 0.5, "draw": 0.9},
    {"temperature": 1.7, "draw": 0.1},
    {"temperature": 1.0, "draw": 0.99999, "top_k": 3},
    {"temperature": 1.7, "draw": 0.0, "top_p": 0.9},
    {"temperature": 0.85, "draw": 0.5, "top_k": 2, "top_p": 0.95},
    {"temperature": 0.0, "draw": 0.5},
    {"temperature": 1e-300, "draw": 0.5},
    {"temperature": 100.0, "draw": 0.5},
    {"temperature": 1.0},
]


def cases() -> list[tuple[Any, DrawStages]]:
    return [
        (characters, draw_stages(logits, **settings))
        for characters, logits in ((HELO, SCORES), (MANY, MANY_SCORES), ("<&", np.array([-3.0, -1.0])))
        for settings in SETTINGS
    ]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize(("characters", "stages"), cases())
def test_the_figure_is_one_that_plotly_accepts(characters: Any, stages: DrawStages, dark: bool) -> None:
    fig = draw_columns(characters, stages, dark=dark).to_dict()
    assert go.Figure(fig).to_dict() == fig


@pytest.mark.parametrize(("characters", "stages"), cases())
def test_the_softmax_bars_sum_to_1_with_the_row_of_the_rest(characters: Any, stages: DrawStages) -> None:
    fig = draw_columns(characters, stages)
    for name in ("T = 1, no filter", "drawn from"):
        assert sum(bars(fig, "x3", name).x) == pytest.approx(1, abs=1e-12)
    assert sum(bars(fig, "x4").y) == pytest.approx(1, abs=1e-12)


def test_every_column_shows_the_numbers_of_its_stage_likeliest_on_top() -> None:
    stages = draw_stages(SCORES, 0.5, draw=0.5)
    fig = draw_columns(HELO, stages)
    assert list(fig.layout.yaxis.ticktext) == list("ehol")
    assert fig.layout.yaxis.range[0] > fig.layout.yaxis.range[1]
    by_rank = np.sort(SCORES)[::-1]
    assert list(bars(fig, "x").x) == list(by_rank)
    assert list(bars(fig, "x2").x) == list(by_rank / 0.5)
    assert list(bars(fig, "x3", "T = 1, no filter").x) == list(np.sort(stages.model)[::-1])
    assert list(bars(fig, "x3", "drawn from").x) == list(np.sort(stages.probabilities)[::-1])
    warm = bars(draw_columns(HELO, draw_stages(SCORES, 1.7)), "x4")
    assert list(warm.text) == list("helo"), "the order of the vocabulary"
    assert list(warm.y) == pytest.approx(list(softmax(SCORES / 1.7)))


def test_temperature_is_seen_to_stretch_the_logits_because_both_columns_share_a_scale() -> None:
    fig = draw_columns(HELO, draw_stages(SCORES, 0.5))
    assert fig.layout.xaxis.range == fig.layout.xaxis2.range
    far = draw_columns(HELO, draw_stages(SCORES, 0.01))
    assert far.layout.xaxis.range[1] < 5, "here the logits would shrink to nothing"


@given(LOGITS, st.sampled_from([0.0, 0.2, 0.5, 1.0, 1.7]), FILTERS, DRAWS)
def test_the_chosen_character_is_outlined_in_every_column_and_the_marker_points_at_it(
    logits: Any, temperature: float, filters: dict[str, Any], draw: float
) -> None:
    stages = draw_stages(logits, temperature, draw=draw, **filters)
    characters = names(len(logits))
    fig = draw_columns(characters, stages)
    frames = outlines(fig)
    assert set(frames) == {"x", "x2", "x3", "x4"}
    row = list(fig.layout.yaxis.ticktext).index(characters[stages.chosen])
    for axis in ("x", "x2", "x3"):
        assert (frames[axis].y0, frames[axis].y1) == (row - 0.5, row + 0.5)
    assert frames["x4"].y1 - frames["x4"].y0 == pytest.approx(stages.probabilities[stages.chosen], abs=1e-12)
    if temperature > 0:
        assert marker(fig).y == draw
        assert frames["x4"].y0 - 1e-12 <= draw <= frames["x4"].y1 + 1e-12


@given(LOGITS, st.sampled_from([0.2, 1.0, 1.7]), FILTERS)
def test_no_bar_leaves_its_column(logits: Any, temperature: float, filters: dict[str, Any]) -> None:
    fig = draw_columns(names(len(logits)), draw_stages(logits, temperature, **filters))
    for trace in fig.data:
        if trace.orientation == "h":
            low, high = fig.layout[trace.xaxis.replace("x", "xaxis")].range
            ends = np.array(trace.x) + np.array(trace.base if trace.base is not None else 0.0)
            assert (ends >= low - 1e-9 * (high - low)).all()
            assert (ends <= high + 1e-9 * (high - low)).all()


def test_an_unlikely_character_that_was_drawn_has_a_row_and_a_segment_of_its_own() -> None:
    probabilities = softmax(MANY_SCORES)
    rare = int(probabilities.argmin())
    draw = float(probabilities[:rare].sum() + probabilities[rare] / 2)
    fig = draw_columns(MANY, draw_stages(MANY_SCORES, draw=draw))
    assert fig.layout.yaxis.ticktext[SHOWN - 1] == MANY[rare]
    assert outlines(fig)["x4"].y0 < draw < outlines(fig)["x4"].y1


def test_cut_characters_are_hatched_and_named_so_and_have_no_green_bar() -> None:
    fig = draw_columns(HELO, draw_stages(SCORES, 1.7, top_k=2))
    hatched, drawn = bars(fig, "x3", "cut"), bars(fig, "x3", "drawn from")
    assert hatched.marker.pattern.shape == "x"
    assert [length > 0 for length in hatched.x] == [False, False, True, True]
    assert [length > 0 for length in drawn.x] == [True, True, False, False]
    numbers = next(t for t in fig.data if t.xaxis == "x3" and t.text is not None)
    assert list(numbers.text[2:]) == ["cut", "cut"]
    assert any("2 cut" in note.text for note in fig.layout.annotations)
    assert not [t for t in draw_columns(HELO, draw_stages(SCORES, 1.7)).data if t.name == "cut"]


def test_temperature_0_needs_no_division_and_no_random_number() -> None:
    fig = draw_columns(HELO, draw_stages(SCORES, 0, top_k=2, draw=0.3))
    assert "T = 0:<br>argmax" in [note.text for note in fig.layout.annotations]
    assert "random" in marker(fig).text
    assert not marker(fig).showarrow
    assert list(bars(fig, "x3", "drawn from").x) == [1, 0, 0, 0]
    assert list(bars(fig, "x4").text) == ["e"]
    assert fig.layout.title.text == "T = 0: always the likeliest, “e”"
    assert not [t for t in fig.data if t.name == "cut"]


def test_a_character_picked_by_hand_is_outlined_without_a_random_number() -> None:
    stages = draw_stages(SCORES, 1.0, draw=0.5, top_k=2)
    fig = draw_columns(HELO, stages, chosen=2)
    assert set(outlines(fig)) == {"x", "x2", "x3"}, "it was cut: it has no segment"
    assert marker(fig).text == "picked<br>by hand"
    assert "“l”, of probability 0, is picked by hand." in draw_alt(HELO, stages, chosen=2)
    assert set(outlines(draw_columns(HELO, stages, chosen=0))) == {"x", "x2", "x3", "x4"}


def test_without_a_draw_nothing_is_outlined() -> None:
    fig = draw_columns(HELO, draw_stages(SCORES))
    assert not fig.layout.shapes
    assert "not<br>drawn" in marker(fig).text


@pytest.mark.parametrize(
    ("settings", "title"),
    [
        ({"temperature": 0.5}, "T = 0.5, safer: “e” rises from 0.61 to 0.84"),
        ({"temperature": 1.7}, "T = 1.7, wilder: “e” falls from 0.61 to 0.47"),
        ({"temperature": 1.0}, "T = 1: the model's own softmax"),
        ({"temperature": 1.0, "top_k": 2}, "T = 1, top-k = 2: “e” rises from 0.61 to 0.71"),
        ({"temperature": 1.0, "top_k": 4}, "T = 1, top-k = 4: “e” stays at 0.61"),
        ({"temperature": 1.7, "top_k": 3, "top_p": 0.9}, "T = 1.7, wilder, top-k = 3, top-p = 0.9:<br>“e” falls from "),
    ],
)
def test_the_title_says_what_temperature_and_filters_did(settings: dict[str, Any], title: str) -> None:
    stages = draw_stages(SCORES, **settings)
    assert draw_columns(HELO, stages).layout.title.text.startswith(title)
    assert draw_alt(HELO, stages).startswith(title.replace("<br>", " "))


def test_title_lines_have_room_on_a_phone() -> None:
    for characters, stages in cases():
        for line in draw_columns(characters, stages).layout.title.text.split("<br>"):
            assert len(re.sub("&[a-z]+;", "&", line)) <= 48


@pytest.mark.parametrize(
    ("temperature", "word"),
    [(0, "always the likeliest"), (0.3, "safer"), (1, "as the model has it"), (1.2, "wilder")],
)
def test_a_temperature_has_a_word(temperature: float, word: str) -> None:
    assert temperature_word(temperature) == word


def test_every_column_has_a_heading_and_the_name_of_its_axis() -> None:
    said = [note.text for note in draw_columns(HELO, draw_stages(SCORES, 0.5)).layout.annotations]
    headings = ["<b>1</b><br>logits", "<b>2</b><br>÷ 0.5", "<b>3</b><br>softmax", "<b>4</b><br>draw"]
    assert said[:4] == headings
    assert said[4:8] == ["logit", "logit / T", "probability", "cumulative<br>probability"]


@given(LOGITS, st.sampled_from([0.0, 0.5, 1.7]), FILTERS, DRAWS)
def test_the_text_alternative_names_the_chosen_character_the_random_number_and_the_temperature(
    logits: Any, temperature: float, filters: dict[str, Any], draw: float
) -> None:
    stages = draw_stages(logits, temperature, draw=draw, **filters)
    characters = names(len(logits))
    said = draw_alt(characters, stages)
    assert said.startswith(f"T = {temperature:g}")
    assert f"“{characters[stages.chosen]}” is chosen" in said
    shown = f"u = {min(draw, 0.9999):.4f}"
    assert (shown in said) == (temperature > 0)


def test_invisible_characters_and_those_of_markup_are_shown_as_themselves() -> None:
    characters = ("\n", "\u202e", "<", "&")
    fig = draw_columns(characters, draw_stages(np.array([3.0, 2.0, 1.0, 0.0]), draw=0.0))
    ticks = [re.sub("<.*?>", "", text) for text in fig.layout.yaxis.ticktext]
    assert ticks == [visible("\n"), "U+202E", "&lt;", "&amp;"]
    raw = json.dumps(json.loads(fig.to_json()), ensure_ascii=False)
    assert "\u202e" not in raw
    assert "“<" not in raw


@pytest.mark.parametrize("V", [2, 13, 14, 1000, 65_535])
@pytest.mark.parametrize("settings", SETTINGS)
def test_the_figure_stays_small_however_many_characters_there_are(V: int, settings: dict[str, Any]) -> None:
    rng = np.random.default_rng(1)
    logits = np.where(rng.random(V) < 60 / V, 12.0, rng.normal(0, 1, V))  # many segments with thin ones between them
    fig = draw_columns([chr(i) for i in range(V)], draw_stages(logits, **settings))
    assert len(fig.to_json()) < 60_000
    assert len(fig.layout.yaxis.ticktext) == min(V, SHOWN + 1)


@pytest.mark.parametrize("dark", [False, True])
def test_letters_on_the_segments_can_be_read(dark: bool) -> None:
    bar = bars(draw_columns(HELO, draw_stages(SCORES, 1.7, draw=0.5), dark=dark), "x4")
    ground = theme.channels(theme.ink(dark).background)
    for fill, letter in zip(bar.marker.color, bar.insidetextfont.color, strict=True):
        *rgb, opacity = map(float, re.findall(r"[\d.]+", fill))
        laid = [opacity * c + (1 - opacity) * b for c, b in zip(rgb, ground, strict=True)]
        lights = sorted([theme.luminance(laid), theme.luminance(theme.channels(letter))])
        assert (lights[1] + 0.05) / (lights[0] + 0.05) >= 4.5


def test_characters_that_are_not_those_of_the_draw_are_refused() -> None:
    stages = draw_stages(SCORES)
    with pytest.raises(ConfigError, match="4 characters, but 3"):
        draw_columns("abc", stages)
    with pytest.raises(ConfigError, match="index from 0 to 3"):
        draw_alt(HELO, stages, chosen=4)

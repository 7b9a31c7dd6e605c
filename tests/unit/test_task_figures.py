"""The figures of the sequence tasks show the data itself, say what is wrong in words, and have room on a phone."""

from __future__ import annotations

import base64
import re
from collections import Counter
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rnn.data import digits
from rnn.errors import ConfigError
from rnn.figures import theme
from rnn.figures.accuracy import (
    BARS,
    LABEL,
    OTHER,
    POINTS,
    TOP,
    Bar,
    accuracy_by_length,
    accuracy_by_length_alt,
    confusion,
    confusion_alt,
    length_bars,
    score_alt,
    score_curve,
    short,
    tenths,
)  # fmt: skip
from rnn.figures.predictions import (
    IMAGE_GAP,
    LEVELS,
    MOST_IMAGES,
    SIDE,
    prediction_images,
    prediction_images_alt,
    prediction_videos,
    prediction_videos_alt,
)
from rnn.figures.probabilities import (
    WORDS,
    class_bars,
    class_bars_alt,
    sentiment_trace,
    sentiment_trace_alt,
    share,
)
from rnn.records import Prediction, StepMetrics

PHONE = 48  # letters that a phone has room for in a line of a title
RNG = np.random.default_rng(0)


def image_of(predicted: str, expected: str, probabilities: Any = None) -> Prediction:
    image = RNG.random((SIDE, SIDE)).astype(np.float32)
    return Prediction(image, expected, predicted, predicted == expected, probabilities)


def video_of(predicted: str, expected: str, T: int = 3, each_step: bool = True) -> Prediction:
    probabilities = np.full((T, 10), 0.1, np.float32) if each_step else None
    images = RNG.random((T, SIDE, SIDE)).astype(np.float32)
    return Prediction(images, expected, predicted, predicted == expected, probabilities)


def at(step: int, score: float | None) -> StepMetrics:
    return StepMetrics(step, step / 10, 1.0, 1.0, 1e-3, 1000.0, step / 100, 100 * step, score=score)


SURE = np.array([0.1, 0.61, 0.29], np.float32)
IMAGES = [image_of("8", "8", SURE), image_of("1", "8", SURE), image_of("3", "3", SURE)]
WORDS_OF_DIGITS = [image_of("seven", "seven"), image_of("", "<b>"), image_of("threethreethree", "three")]
FRAMES = [video_of("3 5 5", "3 5 5"), video_of("3 9 2", "3 5 5")]
CAPTIONS = [
    video_of("one two six", "one two six", each_step=False),
    video_of("one two two two", "one two", T=2, each_step=False),
]
CURVE = [at(1, None), at(50, 0.4), at(100, 0.975), at(150, 0.972), at(151, None)]
LINES = {"a bag of words, without their order": 0.62, "the frame alone, without memory": 0.6}
TEN = [str(digit) for digit in range(10)]
SENTENCE, TURNS = ["the", "plot", "was", "dull", "but", "funny"], [0.5, 0.49, 0.48, 0.1, 0.2, 0.97]

FIGURES = {
    "images": partial(prediction_images, IMAGES), "many": partial(prediction_images, IMAGES * 9),
    "no images": partial(prediction_images, []), "words": partial(prediction_images, WORDS_OF_DIGITS),
    "frames": partial(prediction_videos, FRAMES), "captions": partial(prediction_videos, CAPTIONS),
    "long video": partial(prediction_videos, [video_of("1 " * 20, "2 " * 20, T=20)]),
    "no videos": partial(prediction_videos, []),
    "score": partial(score_curve, CURVE, LINES, "whole captions"), "no score": partial(score_curve, [], {}, "images"),
    "not measured": partial(score_curve, CURVE[:1], LINES, "images"),
    "confusion": partial(confusion, ["8", "8", "1"], ["8", "1", "1"], TEN),
    "confusion of words": partial(confusion, ["positive"] * 2000, ["negative"] * 2000, ["negative", "positive"]),
    "confusion of many": partial(confusion, list("abcdefghijklmn"), list("abcdefghijklmm"), list("abcdefghijklmnop")),
    "confusion of long names": partial(confusion, ["a" * 20] * 9999, ["b" * 20] * 9999, ["a" * 20, "b" * 20]),
    "no confusion": partial(confusion, [], [], TEN), "no classes": partial(confusion, [], [], []),
    "lengths": partial(accuracy_by_length, [3] * 50 + [9] * 50, [True] * 50 + [False] * 50, "letters"),
    "one length": partial(accuracy_by_length, [1] * 5, [True] * 5, "words"),
    "many lengths": partial(accuracy_by_length, range(3, 90), [True] * 87, "words"),
    "no lengths": partial(accuracy_by_length, [], [], "words"),
    "sentence": partial(sentiment_trace, SENTENCE, TURNS), "no sentence": partial(sentiment_trace, [], []),
    "long sentence": partial(sentiment_trace, ["<unk>"] * 60, np.linspace(0.5, 0.9, 60)),
    "classes": partial(class_bars, [0.02, 0.98], ["0", "7"]),
    "many classes": partial(class_bars, np.full(40, 0.025), [chr(32 + i) for i in range(40)]),
}  # fmt: skip


def title(fig: go.Figure) -> str:
    return str(fig.layout.title.text)


def in_words(html: str) -> str:
    return re.sub("<[^>]*>", "", html.replace("<br>", " ")).replace("&lt;", "<").replace("&gt;", ">")


def texts(fig: go.Figure) -> list[str]:
    return [note.text for note in fig.layout.annotations]


def heavy_frames(fig: go.Figure) -> list[Any]:
    return [shape for shape in fig.layout.shapes if shape.line.width > 2]


def canvases(fig: go.Figure) -> list[NDArray[np.uint8]]:
    """The pixels of each row, as they are sent."""
    sent = [trace["z"] for trace in fig.to_dict()["data"] if trace["type"] == "heatmap"]
    return [
        np.frombuffer(base64.b64decode(z["bdata"]), np.uint8).reshape([int(n) for n in z["shape"].split(",")])
        for z in sent
    ]


# All of them


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("draw", FIGURES.values(), ids=FIGURES)
def test_every_figure_is_one_that_plotly_accepts(draw: Callable[..., go.Figure], dark: bool) -> None:
    fig = draw(dark=dark).to_dict()
    for name in ("annotations", "shapes"):  # Plotly leaves empty ones out
        if not fig["layout"].get(name):
            fig["layout"].pop(name, None)
    assert go.Figure(fig).to_dict() == fig  # here with Plotly's checks


@pytest.mark.parametrize("draw", FIGURES.values(), ids=FIGURES)
def test_every_line_of_a_title_has_room_on_a_phone(draw: Callable[..., go.Figure]) -> None:
    lines = title(draw()).split("<br>")
    small = [line for line in lines if "13px" in line]
    assert all(len(in_words(line)) <= PHONE for line in lines if line not in small)
    assert all(len(in_words(line)) <= 60 for line in small)
    assert in_words(lines[0])


@pytest.mark.parametrize(
    ("fig", "alt"),
    [
        (prediction_images(IMAGES), prediction_images_alt(IMAGES)),
        (prediction_images([]), prediction_images_alt([])),
        (prediction_videos(FRAMES), prediction_videos_alt(FRAMES)),
        (prediction_videos([]), prediction_videos_alt([])),
        (score_curve(CURVE, LINES, "images"), score_alt(CURVE, LINES, "images")),
        (score_curve([], {}, "images"), score_alt([], {}, "images")),
        (confusion(["8", "8"], ["8", "1"], TEN), confusion_alt(["8", "8"], ["8", "1"], TEN)),
        (confusion([], [], TEN), confusion_alt([], [], TEN)),
        (accuracy_by_length([1, 2], [True, False], "words"), accuracy_by_length_alt([1, 2], [True, False], "words")),
        (accuracy_by_length([], [], "words"), accuracy_by_length_alt([], [], "words")),
        (sentiment_trace(SENTENCE, TURNS), sentiment_trace_alt(SENTENCE, TURNS)),
        (sentiment_trace([], []), sentiment_trace_alt([], [])),
        (class_bars([0.1, 0.9], ["0", "8"]), class_bars_alt([0.1, 0.9], ["0", "8"])),
    ],
)
def test_the_alternative_begins_with_the_title(fig: go.Figure, alt: str) -> None:
    said = in_words(re.sub(r"<br><span.*", "", title(fig)))
    assert alt.startswith(said)
    assert alt.endswith(".")


# Images


@given(st.integers(1, 15))
def test_the_images_are_those_that_were_read_pixel_by_pixel(count: int) -> None:
    predictions = (IMAGES * 5)[:count]
    rows = canvases(prediction_images(predictions))
    shown = predictions[:MOST_IMAGES]
    assert len(rows) == -(-len(shown) // 6)
    for number, prediction in enumerate(shown):
        left = number % 6 * (SIDE + IMAGE_GAP)
        pixels = rows[number // 6][:, left : left + SIDE]
        np.testing.assert_allclose(pixels / LEVELS, prediction.inputs, atol=0.5 / LEVELS)
    assert not rows[-1][:, (len(shown) - 1) % 6 * (SIDE + IMAGE_GAP) + SIDE :].any()


def test_real_digits_take_few_bytes() -> None:
    test = digits.part("test")
    predictions = [Prediction(image, "1", "1", True, SURE) for image in test.images[:12]]
    assert sum(len(row.tobytes()) for row in canvases(prediction_images(predictions))) < 1200


def test_a_wrong_answer_has_a_cross_a_frame_and_what_it_is() -> None:
    fig = prediction_images(IMAGES)
    right, wrong, _ = texts(fig)
    assert right == "8 (0.61)"
    assert "×" in wrong
    assert in_words(wrong) == "× 1 (0.61) is 8"
    (frame,) = heavy_frames(fig)
    assert (frame.x0, frame.x1) == (SIDE + IMAGE_GAP - 0.5, 2 * SIDE + IMAGE_GAP - 0.5)
    assert title(fig).startswith("2 of 3 images right")
    assert "Wrong: 1 (0.61) where it is 8." in prediction_images_alt(IMAGES).replace(". Right", ".")


def test_written_answers_are_shown_as_text_never_as_html_and_cut_where_they_would_overlap() -> None:
    right, empty, long = texts(prediction_images(WORDS_OF_DIGITS))
    assert right == "seven"
    assert empty == "<b>×</b> nothing<br>is <b>&lt;b&gt;</b>"
    assert "threeth…" in long


def test_only_what_the_figure_can_show_is_taken() -> None:
    with pytest.raises(ConfigError, match=r"an image \(8, 8\), not a text"):
        prediction_images([Prediction("a text", "1", "1", True)])
    with pytest.raises(ConfigError, match=r"an image \(8, 8\), not an array of shape \(3, 8, 8\)"):
        prediction_images(FRAMES)
    with pytest.raises(ConfigError, match=r"a video \(T, 8, 8\)"):
        prediction_videos(IMAGES)
    with pytest.raises(ConfigError, match="3 frames takes as many labels, not 2"):
        prediction_videos([video_of("1 2", "1 2")])


# Videos


def test_every_frame_has_its_label_and_a_wrong_one_is_framed() -> None:
    fig = prediction_videos(FRAMES)
    assert [in_words(text) for text in texts(fig)] == ["3", "5", "5", "3", "× 9 is 5", "× 2 is 5"]
    assert [frame.yref for frame in heavy_frames(fig)] == ["y2", "y2"]
    assert title(fig).startswith("4 of 6 frames right")


def test_a_caption_stands_under_its_row_and_a_wrong_one_is_framed_as_a_whole() -> None:
    fig = prediction_videos(CAPTIONS)
    assert [in_words(text) for text in texts(fig)] == ["one two six", "× one two two two is one two"]
    (frame,) = heavy_frames(fig)
    assert frame.yref == "y2"
    assert title(fig).startswith("1 of 2 captions right")


def test_of_a_long_video_the_first_frames_are_shown_and_all_are_counted() -> None:
    fig = prediction_videos([video_of("1 " * 20, "1 " * 19 + "2", T=20)])
    assert len(texts(fig)) == 8
    assert title(fig).startswith("19 of 20 frames right")
    assert "first 8 of 20 frames" in title(fig)


@pytest.mark.parametrize("fig", [prediction_images(IMAGES * 4), prediction_videos(FRAMES * 2)])
def test_pixels_are_square_and_rows_do_not_overlap(fig: go.Figure) -> None:
    axes = [fig.layout[name] for name in sorted(fig.layout) if name.startswith("yaxis")]
    assert all(axis.scaleanchor == "x" and axis.constrain == "domain" for axis in axes)
    assert all(lower.domain[1] < upper.domain[0] for upper, lower in pairwise(axes))


# The score


def test_the_curve_has_the_measured_scores_alone_in_percent() -> None:
    (curve,) = score_curve(CURVE, {}, "images").data
    assert list(curve.x) == [50, 100, 150]
    assert list(curve.y) == pytest.approx([40, 97.5, 97.2])


@pytest.mark.parametrize(
    ("metrics", "words"),
    [
        (CURVE, "97.2 % of whole words right at step 150;<br>best 97.5 % at step 100"),
        (CURVE[:3], "97.5 % of whole words right at step 100;<br>no earlier score is better"),
        (CURVE[:2], "40.0 % of whole words right at step 50"),
        (CURVE[:1], "The first score comes with the first validation"),
        ([], "The first score comes with the first validation"),
    ],
)
def test_the_title_says_the_last_score_and_the_best(metrics: list[StepMetrics], words: str) -> None:
    assert title(score_curve(metrics, LINES, "whole words")) == words


@given(st.integers(0, 3000))
def test_a_long_curve_is_thinned_and_keeps_its_last_score(count: int) -> None:
    (curve,) = score_curve([at(step, 0.5) for step in range(1, count + 1)], {}, "images").data
    assert len(curve.x) <= POINTS
    assert not count or curve.x[-1] == count


@given(st.lists(st.floats(0, 1), max_size=5), st.floats(0, 1))
def test_each_baseline_has_a_dashed_line_and_a_label_and_no_two_labels_overlap(
    shares: list[float], score: float
) -> None:
    fig = score_curve([at(1, score)], {f"way {i}": value for i, value in enumerate(shares)}, "images")
    assert sorted(line.y0 for line in fig.layout.shapes) == pytest.approx(sorted(100 * value for value in shares))
    assert all(line.line.dash == "dash" for line in fig.layout.shapes)
    assert sorted(texts(fig)) == sorted(f"way {i} {tenths(v)}".replace("<", "&lt;").replace(">", "&gt;") for i, v in
                                        enumerate(shares))  # fmt: skip
    heights = [label.y for label in fig.layout.annotations]
    assert all(upper - lower > LABEL - 1e-6 for lower, upper in pairwise(heights))
    assert all(-1e-6 <= height <= TOP - LABEL + 1e-6 for height in heights)


@pytest.mark.parametrize(("score", "is_under"), [(0.9, True), (0.3, False)])
def test_a_label_stands_on_the_side_of_its_line_where_the_curve_is_not(score: float, is_under: bool) -> None:
    (label,) = score_curve([at(1, score)], {"chance": 0.5}, "images").layout.annotations
    assert (label.y < 50) == is_under


@given(st.floats(0, 1))
def test_only_none_is_0_percent_and_only_all_is_100(value: float) -> None:
    assert (tenths(value) in ("0 %", "0.0 %")) == (value == 0)
    assert (tenths(value) in ("100 %", "100.0 %")) == (value == 1)


# Confusion

PAIRS = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcdx")), max_size=60)


@given(PAIRS)
def test_every_cell_counts_its_pairs(pairs: list[tuple[str, str]]) -> None:
    fig = confusion([e for e, _ in pairs], [p for _, p in pairs], list("abcd"))
    _, numbers = fig.data
    names = {OTHER: "x"}
    columns = [names.get(name, name) for name in fig.layout.xaxis.ticktext]
    rows = list(fig.layout.yaxis.ticktext)
    cells = zip(numbers.x, numbers.y, numbers.text, strict=True)
    assert {(rows[y], columns[x]): int(text) for x, y, text in cells} == dict(Counter(pairs))
    assert (OTHER in fig.layout.xaxis.ticktext) == any(p == "x" for _, p in pairs)


@pytest.mark.parametrize("dark", [False, True])
@given(right=st.integers(0, 400), wrong=st.integers(0, 400))
def test_every_number_can_be_read_on_its_cell(dark: bool, right: int, wrong: int) -> None:
    heat, numbers = confusion(["a"] * (right + wrong), ["a"] * right + ["b"] * wrong, ["a", "b"], dark).data
    background = np.array(theme.channels(theme.ink(dark).background))
    for x, y, colour in zip(numbers.x, numbers.y, numbers.textfont.color, strict=True):
        laid = heat.z[y][x] * np.array(theme.channels(theme.OUTPUT)) + (1 - heat.z[y][x]) * background
        dim, bright = sorted([theme.luminance(laid.tolist()), theme.luminance(theme.channels(colour))])
        assert (bright + 0.05) / (dim + 0.05) >= 4.5


def test_a_single_error_among_hundreds_is_seen() -> None:
    heat, _ = confusion(["a"] * 400, ["a"] * 399 + ["b"], ["a", "b"]).data
    assert heat.z[0][1] == 0.05


@pytest.mark.parametrize(
    ("expected", "predicted", "words"),
    [
        ("8888811", "8118811", "Most often 8 is taken for 1: 2 of 5"),
        ("8811", "8811", "All 4 right: nothing is confused"),
        ("88", "8x", "Most often 8 is taken for something else: 1 of 2"),
        ("", "", "Nothing to compare yet"),
    ],
)
def test_the_title_names_the_commonest_confusion(expected: str, predicted: str, words: str) -> None:
    assert title(confusion(list(expected), list(predicted), TEN)) == words


def test_of_many_classes_the_commonest_have_rows_in_their_own_order() -> None:
    classes = [chr(97 + i) for i in range(20)]
    expected = [name for i, name in enumerate(classes) for _ in range(1 + i)]
    fig = confusion(expected, expected, classes)
    assert list(fig.layout.yaxis.ticktext) == classes[8:]
    assert "12 commonest" in title(fig)


def test_answers_that_cannot_be_counted_are_refused_with_a_sentence() -> None:
    with pytest.raises(ConfigError, match="there are 1 for 2"):
        confusion(["1", "2"], ["1"], TEN)
    with pytest.raises(ConfigError, match="'ten' is none"):
        confusion(["ten"], ["1"], TEN)


@pytest.mark.parametrize(
    ("count", "written"), [(7, "7"), (999, "999"), (1000, "1.0k"), (9949, "9.9k"), (9950, "10k"), (39_400, "39k")]
)
def test_a_count_has_at_most_four_letters(count: int, written: str) -> None:
    assert short(count) == written


# Lengths


@given(st.lists(st.tuples(st.integers(1, 200), st.booleans()), max_size=80))
def test_every_answer_is_counted_in_the_bar_of_its_length(answers: list[tuple[int, bool]]) -> None:
    bars = length_bars([n for n, _ in answers], [ok for _, ok in answers])
    assert len(bars) <= BARS
    assert all(a.last < b.first for a, b in pairwise(bars))
    for bar in bars:
        own = [ok for n, ok in answers if bar.first <= n <= bar.last]
        assert (bar.right, bar.answers) == (sum(own), len(own))
    assert sum(bar.answers for bar in bars) == len(answers)
    if len({n for n, _ in answers}) <= BARS:
        assert [bar.first for bar in bars] == sorted({n for n, _ in answers})


def test_bars_are_percentages_with_their_number_below() -> None:
    fig = accuracy_by_length([3, 3, 3, 3, 9], [True, True, True, False, True], "words")
    assert list(fig.data[0].y) == [75, 100]
    assert [in_words(text) for text in fig.layout.xaxis.ticktext] == ["3 4", "9 1"]
    assert "words" in fig.layout.xaxis.title.text


@pytest.mark.parametrize(
    ("right", "answers", "low", "high"),
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (5, 10, 0.2366, 0.7634), (81, 263, 0.2553, 0.3662)],
)
def test_the_interval_is_that_of_the_literature(right: int, answers: int, low: float, high: float) -> None:
    assert Bar(1, 1, right, answers).interval == pytest.approx((low, high), abs=1e-4)


@pytest.mark.parametrize(
    ("short_ones", "long_ones", "words"),
    [
        ((100, 100), (82, 100), "Up to 24 letters 100 %, beyond that 82 %"),
        ((80, 100), (98, 100), "Up to 24 letters 80 %, beyond that 98 %"),
        ((97, 100), (96, 100), "No length is clearly harder: 96 % right"),
        ((10, 10), (5, 10), "No length is clearly harder: 75 % right"),  # chi-squared 6.7: it could be chance
        ((20, 20), (10, 20), "Up to 24 letters 100 %, beyond that 50 %"),  # 13.3
        ((100, 100), (100, 100), "No length is clearly harder: 100 % right"),
    ],
)
def test_the_title_says_where_the_answers_get_worse_only_if_that_is_clear(
    short_ones: tuple[int, int], long_ones: tuple[int, int], words: str
) -> None:
    lengths = [24] * short_ones[1] + [40] * long_ones[1]
    right = [i < n for n, count in (short_ones, long_ones) for i in range(count)]
    assert title(accuracy_by_length(lengths, right, "letters")) == words


def test_one_length_and_none_are_said_to_be_so() -> None:
    assert title(accuracy_by_length([1, 1], [True, False], "words")) == "All of 1 word: 50 % right"
    assert title(accuracy_by_length([], [], "words")) == "No answer yet"
    with pytest.raises(ConfigError, match="there are 1 for 2 answers"):
        accuracy_by_length([1], [True, False], "words")


# A sentence, and classes


@pytest.mark.parametrize(
    ("probabilities", "words"),
    [
        (TURNS, "Positive, 0.97; “funny” turned it"),
        ([0.5, 0.6, 0.7, 0.1, 0.1, 0.02], "Negative, positive only 0.02; “dull” turned it"),
        ([0.5, 0.6, 0.7, 0.1, 0.3, 0.51], "Positive, 0.51; “dull” moved it most"),
        ([0.9, 0.9, 0.9, 0.9, 0.9, 0.999], "Positive, >0.99; “the” moved it most"),
    ],
)
def test_the_title_names_the_word_with_the_largest_change(probabilities: list[float], words: str) -> None:
    assert title(sentiment_trace(SENTENCE, probabilities)).replace("&gt;", ">") == words


def test_the_trace_has_every_probability_over_its_word() -> None:
    fig = sentiment_trace(SENTENCE, TURNS)
    assert list(fig.data[0].y) == TURNS
    assert [in_words(word) for word in fig.layout.xaxis.ticktext] == SENTENCE
    assert fig.layout.xaxis.ticktext[-1] == "<b>funny</b>"
    assert fig.layout.shapes[0].y0 == 0.5
    assert fig.data[0].customdata[3] == "“dull”<br>probability of positive 0.100 (−0.38)"


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60))
def test_words_that_are_named_stand_apart_and_the_largest_change_is_among_them(values: list[float]) -> None:
    fig = sentiment_trace([f"word{i}" for i in range(len(values))], values)
    named = list(fig.layout.xaxis.tickvals)
    apart = 1 if len(values) <= WORDS else -(-len(values) // WORDS)
    assert all(b - a >= apart for a, b in pairwise(named))
    assert 1 + int(np.abs(np.diff([0.5, *values])).argmax()) in named


def test_words_without_their_probabilities_are_refused() -> None:
    with pytest.raises(ConfigError, match="there are 1 for 2 words"):
        sentiment_trace(["not", "bad"], [0.5])


@given(st.lists(st.floats(1e-3, 1), min_size=1, max_size=40), st.integers(1, 12), st.data())
def test_the_bars_of_the_classes_sum_to_1_and_the_chosen_one_is_outlined(
    weights: list[float], top: int, data: st.DataObject
) -> None:
    probabilities = np.array(weights) / sum(weights)
    classes = [f"c{i}" for i in range(len(weights))]
    chosen = data.draw(st.none() | st.integers(0, len(weights) - 1))
    (bars,) = class_bars(probabilities, classes, chosen, top=top).data
    assert sum(bars.x) == pytest.approx(1, abs=1e-3)
    assert len(bars.x) <= top + 1
    (outlined,) = [i for i, width in enumerate(bars.marker.line.width) if width]
    assert bars.customdata[outlined] == classes[int(probabilities.argmax()) if chosen is None else chosen]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("7", "A 7, says the model: 0.98"),
        ("8", "An 8, says the model: 0.98"),
        (" ", "“␣”, says the model: 0.98"),
        ("<b>", "“&lt;b&gt;”, says the model: 0.98"),
    ],
)
def test_the_title_says_what_the_model_says(name: str, words: str) -> None:
    assert title(class_bars([0.02, 0.98], ["0", name])) == words


def test_classes_without_their_probabilities_are_refused() -> None:
    with pytest.raises(ConfigError, match="there are 1 for 2 classes"):
        class_bars([1.0], ["a", "b"])
    with pytest.raises(ConfigError, match="one at least"):
        class_bars([], [])
    with pytest.raises(ConfigError, match="index from 0 to 1, not 2"):
        class_bars([0.5, 0.5], ["a", "b"], 2)


@given(st.floats(0, 1))
def test_only_certainty_is_said_to_be_certain(probability: float) -> None:
    assert (share(probability) == "0.00") == (probability == 0)
    assert (share(probability) == "1.00") == (probability == 1)

"""The drawing of a sequence shape shows every step or says how many it leaves out, and what is right and wrong."""

from __future__ import annotations

import re
from base64 import b64decode
from dataclasses import replace
from functools import cache
from html import unescape
from itertools import pairwise
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn.catalogue import TASKS
from rnn.checkpoints import opened
from rnn.figures import theme
from rnn.figures.shape_plan import CELL, HALF, MOST_READ, MOST_STEPS, MOST_WRITTEN, Plan
from rnn.figures.shapes import sequence_shape, sequence_shape_alt
from rnn.records import Unrolled, UnrolledStep
from rnn.shipped import SHIPPED_TASKS, open_shipped
from rnn.tasks.unrolling import unroll

IMAGE = (np.arange(64).reshape(8, 8) % 17 / 16).tolist()
GIVEN: dict[str, Any] = {
    "digit": IMAGE, "digit-rows": IMAGE, "digit-name": IMAGE, "sentiment": "the plot was dull but the end was lovely",
    "frames": "3 1 4 1 5 9 2 6", "caption": "3 1 4 1 5 9", "number-names": "342", "fill-blank": "the obj_ct",
}  # fmt: skip
KINDS = [kind for kind in TASKS if kind in SHIPPED_TASKS]
EVERY_KIND = pytest.mark.parametrize("kind", KINDS)
IN_BOTH = pytest.mark.parametrize("dark", [False, True])


@cache
def shipped(kind: str) -> Unrolled:
    return unroll(*opened(open_shipped(kind)), GIVEN[kind])


def step(
    role: Any = "network", read: Any = "a", guess: int | None = 0, counts: bool = True, **more: Any
) -> UnrolledStep:
    probabilities = None if guess is None else np.where(np.arange(3) == guess, 0.5, 0.25).astype(np.float32)
    h = np.linspace(-1, 1, 9, dtype=np.float32)
    return UnrolledStep(role, read, h, None, probabilities, counts, more.pop("expected", None), **more)


def made(steps: list[UnrolledStep], kind: str = "frames", **more: Any) -> Unrolled:
    first = np.zeros(9, np.float32)
    return Unrolled(kind, "lstm", tuple(steps), ("<a>", "é", "long word"), None, first,
                    **{"summary": (), "predicted": "a", "expected": "a", "is_right": True} | more)  # fmt: skip


def delayed(read: int, written: int) -> Unrolled:
    h = np.full(9, 0.3, np.float32)
    encoder = [step("encoder", guess=None, counts=False)] * read
    return made([*encoder, *[step("decoder", expected=0)] * written], "number-names", summary=(h, 9 * h))


def labels(fig: go.Figure) -> list[str]:
    return [text for text in fig.data[0].text if text]


def annotated(fig: go.Figure) -> list[str]:
    return [note.text for note in fig.layout.annotations if note.text]


def title(fig: go.Figure) -> str:
    return str(fig.layout.title.text).replace("<br>", " ")


def frames(fig: go.Figure) -> list[Any]:
    """Around wrong outputs."""
    return [s for s in fig.layout.shapes if s.type == "rect" and s.line.width == 2.5]


def dashed(fig: go.Figure) -> list[Any]:
    return [s for s in fig.layout.shapes if s.type == "rect" and s.line.dash]


@EVERY_KIND
@IN_BOTH
def test_plotly_takes_the_figure_of_every_task(kind: str, dark: bool) -> None:
    fig = sequence_shape(shipped(kind), dark)
    assert go.Figure(fig.to_dict()).layout.height == fig.layout.height
    assert len(fig.to_json()) < 100_000


@EVERY_KIND
@IN_BOTH
def test_texts_stand_out_from_the_boxes_they_are_on(kind: str, dark: bool) -> None:
    fig = sequence_shape(shipped(kind), dark)
    background = theme.ink(dark).background
    boxes = [s for s in fig.layout.shapes if s.type == "rect" and s.fillcolor and not s.line.dash]
    checked = 0
    for x, y, text, colour in zip(
        fig.data[0].x, fig.data[0].y, fig.data[0].text, fig.data[0].textfont.color, strict=True
    ):
        on = [s for s in boxes if s.x0 < x < s.x1 and s.y0 < y < s.y1 and s.line.width == 1]
        if text and on:
            rgb, opacity = re.match(r"rgba\((.*), ([\d.]+)\)", on[0].fillcolor).groups()
            laid = [
                float(opacity) * int(c) + (1 - float(opacity)) * b
                for c, b in zip(rgb.split(", "), theme.channels(background), strict=True)
            ]
            bright = sorted([theme.luminance(laid), theme.luminance(theme.channels(colour))])
            assert (bright[1] + 0.05) / (bright[0] + 0.05) >= 4.5
            checked += 1
    assert checked >= 10


@EVERY_KIND
def test_every_state_that_is_drawn_shows_its_first_numbers_in_order(kind: str) -> None:
    found = shipped(kind)
    fig, plan = sequence_shape(found), Plan.of(found)
    for column in plan.steps():
        h = found.steps[column.step].h[: plan.units]
        at = [i for i, x in enumerate(fig.data[1].x) if x == column.x]
        said = [re.search(r", h<br>unit (\d+): (-?[\d.]+)", fig.data[1].customdata[i]) for i in at]
        shown = {int(each[1]): (float(each[2]), fig.data[1].y[i]) for each, i in zip(said, at, strict=True) if each}
        np.testing.assert_allclose([shown[unit][0] for unit in range(1, plan.units + 1)], h, atol=1e-5)
        heights = [shown[unit][1] for unit in range(1, plan.units + 1)]
        np.testing.assert_allclose(np.diff(heights), -CELL)


@given(st.integers(1, 40))
@settings(deadline=None)
def test_one_networks_steps_are_drawn_or_counted_as_left_out(count: int) -> None:
    plan = Plan.of(made([step(expected=0)] * count))
    drawn = [column.step for column in plan.steps()]
    assert len(drawn) + sum(column.left_out for column in plan.columns) == count
    assert drawn == sorted(drawn)
    assert {0, count - 1} <= set(drawn)
    assert len(drawn) == min(count, MOST_STEPS)


@given(st.integers(1, 40), st.integers(1, 40))
@settings(deadline=None)
def test_an_encoder_and_its_decoder_have_the_room_for_ten_columns_between_them(read: int, written: int) -> None:
    found = delayed(read, written)
    plan = Plan.of(found)
    drawn = [found.steps[column.step].role for column in plan.steps()]
    assert len(drawn) + sum(column.left_out for column in plan.columns) == read + written
    assert len(drawn) == min(read + written, MOST_READ + MOST_WRITTEN)
    shown = [column.shows for column in plan.columns]
    summary = shown.index("summary")
    before = [found.steps[c.step].role for c in plan.columns[:summary] if c.shows == "step"]
    after = [found.steps[c.step].role for c in plan.columns[summary:] if c.shows == "step"]
    assert before == ["encoder"] * len(before)
    assert after == ["decoder"] * len(after)


@given(st.integers(1, 60), st.integers(0, 59))
@settings(deadline=None)
def test_the_blank_is_drawn_wherever_it_is(count: int, blank: int) -> None:
    blank %= count
    steps = [step(guess=0 if t == blank else None, counts=t == blank) for t in range(count)]
    plan = Plan.of(made([replace(each, h_backward=each.h) for each in steps], "fill-blank"))
    drawn = [column.step for column in plan.steps()]
    assert blank in drawn
    assert len(drawn) == min(count, 11)
    assert len(drawn) + sum(column.left_out for column in plan.columns) == count


@EVERY_KIND
def test_columns_do_not_overlap(kind: str) -> None:
    plan = Plan.of(shipped(kind))
    xs = [column.x for column in plan.columns]
    assert all(after - before >= 2 * HALF for before, after in pairwise(xs))
    assert plan.left <= xs[0] - HALF
    assert xs[-1] + HALF <= plan.right


def test_the_gap_says_how_many_steps_are_left_out() -> None:
    assert "8 steps left out" in annotated(sequence_shape(made([step()] * 20)))
    assert "1 step left out" in annotated(sequence_shape(made([step()] * 13)))
    assert not any("left out" in text for text in annotated(sequence_shape(made([step()] * 12))))


def test_a_right_answer_has_a_tick_and_a_wrong_one_a_cross_a_frame_and_what_is_right() -> None:
    fig = sequence_shape(made([step(expected=0), step(expected=1)], expected="a b", is_right=False))
    assert labels(fig).count("<b>✓</b>") == labels(fig).count("<b>✗</b>") == len(frames(fig)) == 1
    assert "é" in labels(fig)
    assert title(fig).endswith("1 of 2 answers are right")


def test_where_nobody_knows_the_right_answer_nothing_is_ticked() -> None:
    fig = sequence_shape(made([step(counts=False), step()], expected=None, is_right=None))
    assert not {"<b>✓</b>", "<b>✗</b>"} & set(labels(fig))
    assert "It answers “a”, p = 0.50" in title(fig)


def test_what_is_not_used_is_dashed_and_said_to_be() -> None:
    fig = sequence_shape(shipped("sentiment"))
    assert len(dashed(fig)) == len(shipped("sentiment").steps) - 1
    assert "not used" in labels(fig)
    assert not dashed(sequence_shape(shipped("frames")))
    assert "not used" not in labels(sequence_shape(shipped("frames")))


def test_an_encoder_has_no_outputs_and_the_summary_is_framed_and_named() -> None:
    fig = sequence_shape(shipped("number-names"))
    assert {"<b>summary</b>", "<b>encoder</b>", "<b>decoder</b>"} <= set(labels(fig))
    assert not dashed(fig)
    summary = next(c.x for c in Plan.of(shipped("number-names")).columns if c.shows == "summary")
    assert [s for s in fig.layout.shapes if s.type == "rect" and s.line.width == 2 and s.x0 < summary < s.x1]


def test_a_decoder_is_seen_to_read_what_it_wrote() -> None:
    found = shipped("digit-name")
    dotted = [s for s in sequence_shape(found).layout.shapes if s.type == "path" and s.line.dash == "dot"]
    assert len(dotted) == len(found.steps) - 1
    assert not [s for s in sequence_shape(shipped("frames")).layout.shapes if s.line.dash == "dot"]


def test_images_are_drawn_where_they_enter() -> None:
    counts = {kind: len(sequence_shape(shipped(kind)).layout.images) for kind in KINDS}
    assert counts == {"digit": 1, "digit-name": 1, "digit-rows": 8, "sentiment": 0, "frames": 8, "number-names": 0,
                      "caption": 4, "fill-blank": 0}  # fmt: skip


def test_a_pixel_is_as_opaque_as_it_is_bright_and_the_row_that_is_read_is_marked() -> None:
    drawn = [b64decode(i.source.split(",")[1]).decode() for i in sequence_shape(shipped("digit-rows")).layout.images]
    bright = np.array(IMAGE)
    for row, svg in enumerate(drawn):
        pixels = re.findall(r'x="(\d)" y="(\d)" width="1" height="1" fill-opacity="([\d.]+)"', svg)
        assert len(pixels) == np.count_nonzero(bright)
        for x, y, opacity in pixels:
            assert float(opacity) == pytest.approx(bright[int(y), int(x)] * (1 if int(y) == row else 0.25), abs=0.006)
        assert f'y="{row - 0.1}"' in svg


def test_without_recurrence_the_whole_softmax_is_shown() -> None:
    found = shipped("digit")
    fig = sequence_shape(found)
    assert set("0123456789") <= set(labels(fig))
    assert not any("h<sub>0</sub>" in text for text in labels(fig))
    other = (int(found.predicted) + 1) % 10
    wrong = sequence_shape(
        replace(found, is_right=False, expected=str(other), steps=(replace(found.steps[0], expected=other),))
    )
    place = {text: x for text, x in zip(wrong.data[0].text, wrong.data[0].x, strict=True) if text}
    assert place["<b>is</b>"] == place[str(other)]
    assert place["<b>✗</b>"] == place[found.predicted]
    assert len(frames(wrong)) == 1


@EVERY_KIND
def test_the_words_say_what_the_picture_shows(kind: str) -> None:
    found = shipped(kind)
    said = sequence_shape_alt(found)
    heading = unescape(str(sequence_shape(found).layout.title.text)).split("<br>")
    assert said.startswith(f"{'. '.join(heading)}. ")
    assert len(re.findall(r"[Ss]tep \d+ (?:of the \w+ )?reads", said)) == len(list(Plan.of(found).steps()))
    assert ("left out" in said) == any(column.left_out for column in Plan.of(found).columns)


@EVERY_KIND
def test_a_line_of_the_title_fits_a_phone(kind: str) -> None:
    for expected in (None, "something else that goes on and on and on"):
        found = replace(shipped(kind), expected=expected, is_right=None if expected is None else False,
                        steps=tuple(replace(s, expected=None) for s in shipped(kind).steps))  # fmt: skip
        assert max(map(len, str(sequence_shape(found).layout.title.text).split("<br>"))) <= 46


def test_what_a_person_typed_is_never_read_as_tags() -> None:
    fig = sequence_shape(made([step(read="<b>"), step(read="<")], predicted="<i>", expected=None, is_right=None))
    texts = [*labels(fig), *annotated(fig), *fig.data[1].customdata, title(fig)]
    assert not any(re.search(r"<(b|i|a)>", text) for text in texts if "✓" not in text)
    assert any("&lt;b&gt;" in text for text in texts)

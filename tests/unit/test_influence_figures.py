"""Figures of what depends on what say what their numbers say, and are valid, small and legible."""

from __future__ import annotations

from html import unescape
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from rnn.figures.edits import Change, change_panels, change_panels_alt
from rnn.figures.influence import (
    Fading,
    Look,
    influence_bars,
    influence_bars_alt,
    influence_fading,
    influence_fading_alt,
    influence_strips,
    influence_strips_alt,
)
from rnn.figures.silencing import missed_units, missed_units_alt
from rnn.influence import forgotten_after, reach

PHONE = 52  # letters of a title that a phone has room for


def look(values: Any, name: str = "LSTM", read: str = "", foretold: str = ")") -> Look:
    norms = np.abs(np.asarray(values, float))
    return Look(name, read or "abcdefghij"[: len(norms)], foretold, 0.25, np.asarray(values, float), reach(norms))


def change(T: int = 60, H: int = 5, position: int = 20, both: bool = False, rate: float = 0.5) -> Change:
    rng = np.random.default_rng(0)
    away = np.arange(T) - position
    left = np.where((away >= 0) | both, rate ** np.abs(away), 0.0)
    states = (left[:, None] * rng.standard_normal((T, H))).astype(np.float32)
    return Change(
        "ab<c" * (T // 4), position, "&", left * 3, None if both else np.diff(left), states, left,
        forgotten_after(left, position),
    )  # fmt: skip


def title(figure: go.Figure) -> str:
    return str(figure.layout.title.text)


def check(figure: go.Figure) -> None:
    """Plotly accepts it, and its title fits a phone."""
    go.Figure(figure.to_dict())
    assert len(figure.to_json()) < 1_000_000
    for line in map(unescape, title(figure).split("<br>")):
        assert len(line) <= PHONE, line


@pytest.mark.parametrize("dark", [False, True])
def test_bars_name_the_reach_and_the_most_influential_character(dark: bool) -> None:
    figure = influence_bars(look([0.0, 1, 1, 2, 6]), dark=dark)
    check(figure)
    assert title(figure) == "The last 3 characters hold 90% of the influence<br>on “)”; the most “e” 1 before: 60%"
    assert list(figure.data[0].x) == [-5, -4, -3, -2, -1]
    assert list(figure.layout.xaxis.ticktext) == list("abcde")
    assert figure.layout.shapes[0].x0 == -3.5
    assert "“e” 1 before 6" in influence_bars_alt(look([0.0, 1, 1, 2, 6]))


def test_signed_bars_name_the_strongest_push_of_each_sign() -> None:
    one = look([0.5, -2, 0.1])
    figure = influence_bars(one, is_signed=True, is_log=True)
    check(figure)
    assert title(figure).endswith("“a” 3 before: +0.5 nats; “b” 2 before: −2")
    colours = figure.data[0].marker.color
    assert colours[0] == colours[2] != colours[1]
    assert figure.layout.yaxis.type is None
    assert "“b” 2 before -2" in influence_bars_alt(one, is_signed=True)


def test_a_long_way_back_is_drawn_as_far_as_there_is_something_or_whole_on_a_log_scale() -> None:
    values = np.concatenate([np.full(400, 1e-40), np.ones(60)])
    one = look(values, read="x" * 460)
    near, whole = influence_bars(one), influence_bars(one, is_log=True)
    for figure in (near, whole):
        check(figure)
    assert len(near.data[0].x) == 60
    assert len(whole.data[0].x) == 460
    assert whole.layout.yaxis.range[0] > -32  # the smallest do not squeeze the rest
    assert list(near.layout.xaxis.ticktext) == ["1", "20", "40", "60"]


def test_no_influence_at_all_is_said() -> None:
    for figure in (influence_bars(look([0.0, 0])), influence_bars(look([0.0, 0]), is_log=True)):
        check(figure)
        assert "every gradient is 0" in title(figure)
    check(influence_strips([look([0.0, 0]), look([0.0, 0])]))


def test_strips_are_as_dark_as_their_share_and_name_who_looks_furthest() -> None:
    far, near = look([1.0] * 10, "GRU"), look([0.0] * 9 + [1], "RNN")
    figure = influence_strips([near, far])
    check(figure)
    assert title(figure) == "For “)” GRU looks back furthest:<br>90% within 9 characters, RNN within 1"
    opacities = [float(str(s.fillcolor).rsplit(",", 1)[1].rstrip(")")) for s in figure.layout.shapes]
    assert opacities[:11] == [0.0] * 9 + [0.92, pytest.approx(0.23)]
    assert opacities[11:21] == [0.92] * 10
    letters = [text for text in figure.data[0].text if text != ")"]
    assert letters == list("abcdefghij") * 2
    said = influence_strips_alt([near, far])
    assert "RNN: 90% within 1 character, most from “j” 1 before" in said
    assert "equally far" in title(influence_strips([far, far]))


def test_long_names_of_runs_are_cut_and_markup_is_shown_letter_by_letter() -> None:
    rows = [look([1.0, i], f"<b>a long name of run {i}", "<&") for i in range(2)]
    figure = influence_strips(rows)
    check(figure)
    assert "&lt;" in figure.data[0].text
    fadings = [Fading(f"<b>a long name of run {i}", np.full(20, 0.05), 18 + i) for i in range(4)]
    figure = influence_fading(fadings, 24)
    check(figure)
    assert not any("<b><b>" in note.text for note in figure.layout.annotations)


def test_fading_curves_end_where_nothing_is_left_and_their_names_do_not_collide() -> None:
    far = np.arange(1, 101)
    curves = [
        Fading("RNN", 0.5**far, 4), Fading("GRU", 1 / far**1.0 / 5.2, 60), Fading("LSTM", 1.01 / far**1.0 / 5.2, 61)
    ]  # fmt: skip
    figure = influence_fading(curves, 24, dark=True)
    check(figure)
    assert title(figure).endswith("61 (LSTM), 60 (GRU), 4 (RNN) characters")
    assert 15 < len(figure.data[0].x) < 25
    assert len(figure.data[1].x) == 100
    assert len({line.line.dash for line in figure.data}) == 3
    heights = sorted(note.y for note in figure.layout.annotations)[1:]
    assert heights[1] - heights[0] > 0.07
    assert "RNN: 50.0% at 1 character" in influence_fading_alt(curves, 24)
    check(influence_fading([Fading("RNN", np.zeros(10), 0)], 1))


@pytest.mark.parametrize("is_signed", [False, True])
def test_a_change_is_drawn_from_its_place_to_beyond_where_it_is_forgotten(is_signed: bool) -> None:
    one = change()
    figure = change_panels(one, is_signed)
    check(figure)
    assert title(figure).startswith("“a” → “&amp;” is forgotten after 7 characters:")
    assert list(figure.data[0].x) == list(range(20, 60))
    assert list(figure.layout.xaxis.ticktext)[:3] == ["&amp;", "b", "&lt;"]
    z = np.asarray(figure.data[-1].z)
    assert z.dtype == np.int8
    assert z.shape == (5, 40)
    assert (z.min() < 0) == is_signed
    units = [int(str(name).removeprefix("unit ")) - 1 for name in figure.data[-1].y]
    moved = np.abs(one.states).sum(axis=0)[units]
    assert (np.diff(moved) >= 0).all()  # the last row is on top
    assert "forgotten after 7 characters" in change_panels_alt(one)


def test_a_change_that_lasts_is_drawn_up_to_a_limit() -> None:
    one = change(T=4_000, H=64, rate=0.9999)
    figure = change_panels(one)
    check(figure)
    assert len(figure.data[0].x) == 400
    assert "is not forgotten" in title(figure)


def test_a_change_that_moves_both_sides_is_drawn_on_both() -> None:
    figure = change_panels(change(both=True))
    check(figure)
    assert figure.data[0].x[0] == 0
    assert len(figure.data) == 3  # nothing is foretold


def test_a_change_without_effect_or_without_a_rest_is_drawn() -> None:
    still = Change("ab", 0, "b", np.zeros(2), np.zeros(1), np.zeros((2, 1), np.float32), np.zeros(2), 0)
    check(change_panels(still))
    assert "changes nothing" in title(change_panels(still))
    last = Change("a", 0, "b", np.ones(1), np.zeros(0), np.ones((1, 1), np.float32), np.ones(1), None)
    for figure in (change_panels(last), change_panels(last, is_signed=True)):
        check(figure)
    assert change_panels_alt(last)


@pytest.mark.parametrize("H", [1, 30, 500])
def test_units_stand_in_the_order_in_which_they_are_missed(H: int) -> None:
    differences = np.random.default_rng(1).standard_normal(H)
    figure = missed_units(differences)
    check(figure)
    assert list(figure.data[0].y) == sorted(figure.data[0].y, reverse=True)
    assert [u for (u,) in figure.data[0].customdata] == (np.argsort(-differences) + 1).tolist()
    most = int(np.argmax(differences))
    assert f"nit {most + 1} " in title(figure)
    assert title(figure).replace("<br>", " ") in missed_units_alt(differences)


def test_where_no_unit_is_missed_it_is_said() -> None:
    figure = missed_units(np.array([-1.0, -0.5]), value=-0.5)
    check(figure)
    assert title(figure) == (
        "No unit is missed when it is held at −0.5:<br>unit 2 comes nearest, −0.500 bits per character"
    )

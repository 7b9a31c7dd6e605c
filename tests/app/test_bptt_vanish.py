"""Vanishing gradients on the Truncated BPTT page: real numbers at first sight, of every network; else a sentence."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts import bptt_vanish, keys, service
from rnn.gradients import clipping
from rnn.shipped import SHIPPED
from tests.app.conftest import figure, run_of, said, train_hello

PAGE = "pages/5_Truncated_BPTT.py"
SANDBOX, CLIPPING, GATES = bptt_vanish.PARTS


def opened(app: AppTest, part: str = SANDBOX, **query: Any) -> AppTest:
    app.query_params[keys.BPTT_VIEW] = "Vanishing"
    app.query_params[bptt_vanish.PART] = part
    for name, value in query.items():
        app.query_params[name] = str(value)
    return shown(app.switch_page(PAGE).run())


def shown(app: AppTest) -> AppTest:
    assert not app.exception
    return app


def titles(app: AppTest) -> list[str]:
    count = len(app.get("plotly_chart"))
    return [str(figure(app, i)["layout"]["title"]["text"]).replace("<br>", " ") for i in range(count)]


def typed(app: AppTest, text: str) -> AppTest:
    return shown(app.text_area(key=keys.READ_TEXT).set_value(text).run())


def names(app: AppTest, number: int = 0) -> list[str]:
    return [trace["name"] for trace in figure(app, number)["data"]]


def test_the_sandbox_follows_its_sliders(app: AppTest) -> None:
    opened(app)
    assert titles(app)[0].startswith("The gradient halves every 3.4 steps")
    assert "spectral radius 0.90 inside the circle" in titles(app)[1]
    app.segmented_control(key=bptt_vanish.SQUASH).set_value("identity").run()
    app.segmented_control(key=bptt_vanish.MATRIX).set_value("orthogonal").run()
    assert titles(app)[0].startswith("The gradient halves every 6.6 steps")
    app.slider(key=bptt_vanish.RADIUS).set_value(1.1).run()
    assert titles(shown(app))[0].startswith("The gradient doubles every 7.3 steps")
    app.slider(key=bptt_vanish.RADIUS).set_value(1.0).run()
    assert "on the circle" in titles(shown(app))[1]
    assert not app.error


@pytest.mark.parametrize(
    "query",
    [
        {"bptt_vanish_radius": "nan"}, {"bptt_vanish_radius": "9"}, {"bptt_vanish_radius": "inf"},
        {"bptt_vanish_radius": "-1"}, {"bptt_vanish_size": "1"}, {"bptt_vanish_size": "0"},
        {"bptt_vanish_size": "99999"}, {"bptt_vanish_steps": "201"}, {"bptt_vanish_steps": "1"},
        {"bptt_vanish_steps": "0"}, {"bptt_vanish_squash": "cube"}, {"bptt_vanish_seed": "-3"},
        {"bptt_vanish_seed": "inf"}, {"bptt_vanish_seed": "1e300"}, {"bptt_vanish_matrix": "x"},
        {bptt_vanish.PART: "Nothing"},
    ],
)  # fmt: skip
def test_whatever_the_link_says_the_sandbox_is_there_or_a_sentence(app: AppTest, query: dict[str, str]) -> None:
    part = query.pop(bptt_vanish.PART, SANDBOX)
    opened(app, part, **query)
    assert len(titles(app)) == 2 or app.error


def test_one_run_diverges_and_the_clipped_one_learns(app: AppTest) -> None:
    opened(app, CLIPPING)
    assert titles(app)[0].startswith("Without clipping it explodes at step")
    assert "shortens" in titles(app)[1]
    assert "Python language reference" in said(app)
    before = figure(app)["data"]
    app.number_input(key=bptt_vanish.CLIP_SEED).set_value(1).run()
    assert figure(shown(app))["data"] != before
    app.select_slider(key=bptt_vanish.RATE).set_value(0.1).run()
    assert "hold out" in titles(shown(app))[0] or "little difference" in titles(app)[0]
    assert not app.error


def test_what_is_chosen_at_first_is_what_was_measured_to_show_it() -> None:
    assert (bptt_vanish.FIRST_RATE, bptt_vanish.FIRST_LIMIT) == (clipping.RATE, clipping.LIMIT)
    assert bptt_vanish.FIRST_RATE in bptt_vanish.RATES
    assert bptt_vanish.FIRST_LIMIT in bptt_vanish.LIMITS
    assert clipping.MOST_TEXT <= bptt_vanish.ENOUGH


def test_the_text_that_is_trained_on_is_the_one_chosen(app: AppTest) -> None:
    opened(app, CLIPPING, bptt_vanish_text=bptt_vanish.READ)
    assert "the text above" in said(app)
    typed(app, "hello world, " * 30)
    assert len(titles(app)) == 2
    typed(app, "hello")
    assert "at least 100 characters; this one has 5" in app.error[0].value.replace("\\", "")
    typed(app, "hello world, " * 30)
    assert len(titles(app)) == 2


@pytest.mark.parametrize("query", [{"bptt_vanish_rate": "nan"}, {"bptt_vanish_limit": "7"}, {"bptt_vanish_rate": "0"}])
def test_a_rate_that_is_no_choice_is_the_usual_one(app: AppTest, query: dict[str, str]) -> None:
    opened(app, CLIPPING, **query)
    assert len(titles(app)) == 2
    assert not app.error


@pytest.mark.parametrize("name", SHIPPED)
def test_the_three_cells_are_compared_on_one_text(app: AppTest, name: str) -> None:
    opened(app, GATES, model=name)
    assert sorted(names(app, 1)) == ["GRU", "LSTM", "RNN"]
    assert sorted(names(app)) == ["GRU", "GRU, best 10 %", "LSTM", "LSTM, best 10 %", "RNN"]
    assert names(app)[-1] == name.upper()  # drawn last, over the others
    kept = {trace["name"]: trace["y"][20] for trace in figure(app, 1)["data"]}
    assert kept["LSTM"] > kept["GRU"] > kept["RNN"]


def test_a_bias_opens_and_shuts_the_gates_and_nothing_else(app: AppTest) -> None:
    opened(app, GATES)
    gates, whole = figure(app)["data"], figure(app, 1)["data"]
    app.slider(key=bptt_vanish.SHIFT).set_value(2.0).run()
    opener = {trace["name"]: trace["y"][-1] for trace in figure(shown(app))["data"]}
    closed = {trace["name"]: trace["y"][-1] for trace in gates}
    assert all(opener[name] > closed[name] for name in ("LSTM", "GRU", "LSTM, best 10 %"))
    assert opener["RNN"] == closed["RNN"]
    assert [t["y"] for t in figure(app, 1)["data"]] == [t["y"] for t in whole]


def test_a_network_that_reads_both_ways_is_drawn_in_the_chosen_one(app: AppTest) -> None:
    opened(app, GATES)
    app.selectbox(key=keys.READ_MODEL).select("shipped:fill-blank").run()
    assert "this model" in names(shown(app), 1)
    assert not app.error
    before = figure(app, 1)["data"][-1]["y"]
    choice = next(box for box in app.selectbox if str(box.key).startswith(bptt_vanish.LAYER))
    choice.set_value(1 - choice.value if len(choice.options) == 2 else 0).run()
    assert figure(shown(app), 1)["data"][-1]["y"] != before


def test_a_run_of_the_visitors_is_this_model_and_one_deleted_meanwhile_is_missed(app: AppTest) -> None:
    train_hello(app)
    run_id = run_of(app)
    opened(app, GATES, run=run_id)
    typed(app, "hello" * 20)
    assert names(app, 1)[-1] == "this model"
    assert not app.error
    service._scheduler().delete(run_id, app.session_state[keys.OWNER])
    shown(app.run())
    assert "this model" not in names(app, 1)


@pytest.mark.parametrize(("text", "is_enough"), [("a", False), ("abcdefg", False), ("abcdefgh", True), ("é" * 9, True)])
def test_a_text_that_is_too_short_for_lags_is_said(app: AppTest, text: str, is_enough: bool) -> None:
    opened(app, GATES)
    typed(app, text)
    if is_enough:
        assert len(titles(app)) == 2
    else:
        assert f"at least 8 characters; this one has {len(text)}" in app.error[0].value.replace("\\", "")
    typed(app, "the quick brown fox " * 250)
    assert len(titles(app)) == 2
    assert not app.error

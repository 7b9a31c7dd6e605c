"""The gradient on the Truncated BPTT page: real numbers at first sight, for every network; else a sentence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pages.parts import bptt_gradient, keys, service
from rnn.shipped import SHIPPED
from tests.app.conftest import figure, run_of, said, status, train_hello, until

PAGE = "pages/5_Truncated_BPTT.py"
LENGTHS, EVERY, LAG = bptt_gradient.PARTS


def opened(app: AppTest, part: str = LENGTHS, model: str = "", **query: Any) -> AppTest:
    app.query_params[keys.BPTT_VIEW] = "Gradient"
    app.query_params[bptt_gradient.PART] = part
    for name, value in query.items():
        app.query_params[name] = str(value)
    app.switch_page(PAGE).run()
    return chosen(app, model) if model else shown(app)


def chosen(app: AppTest, model: str) -> AppTest:
    app.selectbox(key=keys.READ_MODEL).select(model).run()
    return shown(app)


def typed(app: AppTest, text: str) -> AppTest:
    app.text_area(key=keys.READ_TEXT).set_value(text).run()
    return shown(app)


def slider(app: AppTest, key: str) -> Any:
    """Its key ends with its largest value."""
    return next(s for s in app.slider if s.key.startswith(key))


def shown(app: AppTest) -> AppTest:
    assert not app.exception
    return app


def titles(app: AppTest) -> list[str]:
    count = len(app.get("plotly_chart"))
    return [str(figure(app, i)["layout"]["title"]["text"]).replace("<br>", " ") for i in range(count)]


@pytest.mark.parametrize("part", [LENGTHS, EVERY, LAG])
@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_model_fills_every_figure_at_first_sight(app: AppTest, name: str, part: str) -> None:
    opened(app, part, f"shipped:{name}")
    assert not app.error
    assert len(titles(app)) == {LENGTHS: 2, EVERY: 1, LAG: 2}[part]


def test_a_chunk_of_all_steps_is_the_full_gradient(app: AppTest) -> None:
    opened(app, model="shipped:rnn")
    slider(app, bptt_gradient.STEPS).set_value(40).run()
    slider(app, bptt_gradient.CHUNK).set_value(40).run()
    assert titles(shown(app))[0].startswith("One chunk of all 40 steps: the gradient is 0° off")
    slider(app, bptt_gradient.CHUNK).set_value(2).run()
    assert titles(shown(app))[0].startswith("Chunks of 2 of 40 steps: ")
    assert "here 1" in said(app)
    slider(app, bptt_gradient.STEPS).set_value(5).run()
    assert titles(shown(app))[0].startswith("Chunks of 2 of 5 steps: ")
    slider(app, bptt_gradient.CHUNK).set_value(50).run()
    slider(app, bptt_gradient.STEPS).set_value(3).run()  # the chunk is no longer than the stretch
    assert titles(shown(app))[0].startswith("One chunk of all 3 steps")


def test_costs_are_measured_again_at_a_click(app: AppTest) -> None:
    opened(app, model="shipped:gru")
    before = [trace.get("y") for trace in figure(app, 1)["data"]]
    app.button(key=bptt_gradient.AGAIN).click().run()
    after = [trace.get("y") for trace in figure(shown(app), 1)["data"]]
    assert before[0] != after[0]  # milliseconds
    assert before[2] == after[2]  # bytes


def test_walls_cut_the_triangle_and_the_stretch_can_begin_later(app: AppTest) -> None:
    opened(app, EVERY, "shipped:lstm")
    whole = titles(app)[0]
    slider(app, bptt_gradient.CHUNK).set_value(30).run()
    assert titles(shown(app))[0] != whole
    first = next(n for n in app.number_input if n.key.startswith(bptt_gradient.START))
    first.set_value(21).run()
    ticks = figure(shown(app))["layout"]["xaxis"]["ticktext"]
    assert ticks[0].startswith("21 ")
    app.segmented_control(key=keys.VECTOR).set_value("c").run()
    assert "dc<sub>k</sub>" in str(figure(shown(app))["data"][0]["colorbar"])


def test_a_run_goes_back_through_its_training(app: AppTest) -> None:
    train_hello(app)
    opened(app, EVERY, run_of(app))
    assert not app.error
    kept = service._scheduler().store.snapshots(run_of(app))
    training = app.select_slider[0]
    assert list(training.options) == [*map(str, kept), "best"]
    trained = figure(app)["data"][0]["text"]
    training.set_value("0").run()
    assert figure(shown(app))["data"][0]["text"] != trained
    app.segmented_control(key=bptt_gradient.PART).set_value(LAG).run()
    assert "this model keeps" in titles(shown(app))[0]
    assert "those its run began with" in said(app)
    service._scheduler().store.snapshot_path(run_of(app), 0).unlink()
    app.segmented_control(key=bptt_gradient.PART).set_value(EVERY).run()
    assert titles(shown(app))


def test_the_lag_is_marked_and_before_and_after_share_an_axis(app: AppTest) -> None:
    opened(app, LAG, "shipped:gru")
    slider(app, bptt_gradient.LAG).set_value(7).run()
    before, after = titles(shown(app))
    assert before.startswith("Before training, 7 steps back, GRU keeps")
    assert after.startswith("After training, 7 steps back, GRU keeps")
    assert figure(app)["layout"]["yaxis"]["range"] == figure(app, 1)["layout"]["yaxis"]["range"]
    names = {trace.get("name") for trace in figure(app)["data"]}
    assert {"RNN", "GRU", "LSTM", "LSTM c"} <= names


@pytest.mark.parametrize("part", [LENGTHS, EVERY, LAG])
@pytest.mark.parametrize("text", ["abc", "a" * 5_000])
def test_the_shortest_and_the_longest_text_have_their_figures(app: AppTest, part: str, text: str) -> None:
    typed(opened(app, part, "shipped:rnn"), text)
    assert not app.error
    assert titles(app)


def test_a_text_too_short_gets_a_sentence(app: AppTest) -> None:
    typed(opened(app, model="shipped:rnn"), "a")
    assert "at least 3 characters" in app.error[0].value
    assert not titles(app)


def test_a_network_that_does_not_predict_gets_a_sentence(app: AppTest) -> None:
    opened(app, model="shipped:fill-blank")
    assert "predicts the next character" in app.error[0].value


@pytest.mark.parametrize("query", [{f"{bptt_gradient.CHUNK}_100": 0}, {f"{bptt_gradient.CHUNK}_100": 500},
                                   {f"{bptt_gradient.STEPS}_100": -1}, {f"{bptt_gradient.STEPS}_100": 10**6},
                                   {f"{bptt_gradient.LAG}_95": 10**4, bptt_gradient.PART: LAG},
                                   {f"{bptt_gradient.CHUNK}_100": "nan"}, {bptt_gradient.PART: "Nothing"},
                                   {f"{bptt_gradient.START}_298": "1e400"}])  # fmt: skip
def test_a_forged_link_opens_all_the_same(app: AppTest, query: dict[str, Any]) -> None:
    app.query_params[keys.BPTT_VIEW] = "Gradient"
    for name, value in query.items():
        app.query_params[name] = str(value)
    app.switch_page(PAGE).run()
    assert not shown(app).error
    assert titles(app)


def test_a_run_of_one_unit_and_three_layers_is_shown(app: AppTest) -> None:
    app.switch_page("pages/2_Train.py").run()
    app.selectbox(key=keys.TEXT).select("hello").run()
    app.number_input(key="train_hidden_size_default").set_value(1)
    app.number_input(key="train_num_layers_default").set_value(3)
    app.number_input(key="train_steps_default").set_value(5).run()
    app.button(key="train_start").click().run()
    until(app, lambda app: status(app) == "finished")
    for part in (LENGTHS, EVERY, LAG):
        opened(app, part, run_of(app))
        assert not app.error
        assert titles(app)


def test_a_run_that_is_deleted_leaves_a_page_that_works(app: AppTest) -> None:
    train_hello(app)
    opened(app, EVERY, run_of(app))
    runs = service._scheduler()
    runs.delete(run_of(app), str(app.session_state[keys.OWNER]))
    app.run()
    assert titles(shown(app)) or app.error


def test_the_numbers_of_the_figure_are_those_of_the_engine(app: AppTest) -> None:
    """The table at k says what the curve says there."""
    opened(app, model="shipped:lstm")
    table = next(m.value for m in app.markdown if "| all |" in m.value)
    angle = table.split("| all | ")[1].split(" |")[0]
    assert f"is {angle} off" in titles(app)[0]
    cosine = float(table.split("| all | ")[1].split(" | ")[1])
    assert (
        angle == f"{np.degrees(np.arccos(cosine)):.0f}°" or abs(float(angle[:-1]) - np.degrees(np.arccos(cosine))) < 2
    )

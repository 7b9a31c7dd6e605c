"""Which unit follows what: found by itself, against chance, and shown beside the text."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts import keys, unroll_units
from tests.app.conftest import figure, said, title

UNROLL = "pages/4_Unroll_Visualizer.py"


def open_page(app: AppTest, model: str = "parentheses", text: str | None = None, **query: str) -> AppTest:
    app.query_params.update({"model": model, "unroll_view": "Units", **query})
    if text is not None:
        app.session_state[keys.READ_TEXT] = text
    app.switch_page(UNROLL).run()
    assert not app.exception
    return app


def chosen_unit(app: AppTest, hidden_size: int) -> int:
    return int(app.number_input(key=f"{keys.CHOSEN_UNIT}_{hidden_size}").value)


def test_the_depth_unit_of_the_shipped_gru_is_found_by_itself(app: AppTest) -> None:
    open_page(app)
    assert not app.error
    best, r = title(app).split("<br>")[0].split(" follows the bracket depth: r = ")
    assert abs(float(r.replace("−", "-"))) > 0.9
    assert f"Unit {chosen_unit(app, 15)}" == best  # and shown beside the text
    assert figure(app, 1)["layout"]["title"]["text"].startswith(f"{best} and bracket depth: r = {r}")
    assert "falls as the depth rises" in figure(app, 2)["layout"]["title"]["text"]


def test_a_click_looks_at_another_unit_and_another_feature_at_its_best_one(app: AppTest) -> None:
    open_page(app, "lstm")
    first = chosen_unit(app, 192)
    app.button(key="unroll_units_look_1").click().run()
    assert chosen_unit(app, 192) != first
    assert not app.error
    app.selectbox(key=unroll_units.FEATURE).select("vowel").run()
    assert "vowel" in figure(app, 1)["layout"]["title"]["text"]
    shown = app.button(key="unroll_units_look_0").label
    assert str(chosen_unit(app, 192)) in shown
    app.number_input(key=f"{keys.CHOSEN_UNIT}_192").set_value(7).run()
    assert chosen_unit(app, 192) == 7


@pytest.mark.parametrize("model", ["rnn", "gru", "lstm", "fill-blank"])
def test_every_network_has_its_units_ranked(app: AppTest, model: str) -> None:
    open_page(app, model)
    assert not app.error
    assert "above chance" in title(app)


def test_a_short_text_says_that_it_is_too_short_to_tell_chance(app: AppTest) -> None:
    open_page(app, "rnn", "short", unroll_units_on=unroll_units.TYPED)
    assert any("takes at least 40" in e.value for e in app.error)


def test_features_that_do_not_vary_are_left_out_and_said(app: AppTest) -> None:
    open_page(app, "rnn", "a b " * 30, unroll_units_on=unroll_units.TYPED)
    assert not app.error
    assert "Left out, for they do not vary in this text: inside quotes, bracket depth" in said(app)
    other = "a" * 60
    app.text_area(key=keys.READ_TEXT).set_value(other).run()
    assert not app.exception


@pytest.mark.parametrize("value", ["nan", "-1", "x", "99999"])
def test_settings_in_a_link_that_cannot_be_are_the_usual_ones(app: AppTest, value: str) -> None:
    open_page(app, unroll_units_on=value, unroll_units_feature=value, unroll_unit_15=value)
    assert not app.error

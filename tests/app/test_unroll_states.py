"""The view of states: every model and text is shown, and what is chosen in one place holds in the others."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pages.parts import alive, keys, unroll_states
from rnn.figures import theme
from rnn.shipped import SHIPPED
from tests.app.conftest import TRAIN, figure, said, status, train_hello, until

PAGE = "pages/4_Unroll_Visualizer.py"
PANELS = list(unroll_states.PANELS)
H = SHIPPED["lstm"].model.hidden_size


@pytest.fixture
def page(app: AppTest) -> AppTest:
    app.query_params[keys.UNROLL_VIEW] = "States"
    return app.switch_page(PAGE)


def charts(app: AppTest) -> list[str]:
    """The titles of the figures, after a look at what went wrong."""
    assert not app.exception
    assert not app.error
    found = range(len(app.get("plotly_chart")))
    return [str(figure(app, n)["layout"]["title"]["text"]).replace("<br>", " ") for n in found]


def read(app: AppTest, model: str, text: str, panel: str = PANELS[0]) -> AppTest:
    app.session_state[keys.READ_MODEL] = model
    app.session_state[keys.READ_TEXT] = text
    app.session_state[keys.READ_SUGGESTED] = "another"
    app.run()
    return app.segmented_control(key=unroll_states.PANEL).set_value(panel).run()


def heading(app: AppTest) -> str:
    """The value of the unit at the character that is looked at."""
    return next(block.value.replace("\\", "") for block in app.markdown if block.value.startswith("**Unit "))


def notes(app: AppTest) -> str:
    return " ".join(block.value.replace("\\", "") for block in app.info)


@pytest.mark.parametrize("panel", PANELS)
@pytest.mark.parametrize("model", [f"shipped:{name}" for name in (*SHIPPED, "fill-blank")])
@pytest.mark.parametrize("text", ["a", "ab", "The (first) line\nand another one."])
def test_every_model_shows_every_text(page: AppTest, model: str, text: str, panel: str) -> None:
    titles = charts(read(page, model, text, panel))
    assert titles or notes(page)
    assert "Unit 1: h" in heading(page)


def test_the_unit_and_the_state_chosen_are_those_of_text_and_map(page: AppTest) -> None:
    read(page, "shipped:lstm", "A text that is read.")
    page.number_input(key=f"{keys.CHOSEN_UNIT}_{H}").set_value(7).run()
    page.segmented_control(key=keys.VECTOR).set_value("c").run()
    value = re.match(r"Unit 7: c is (\S+) after “(\S)” \(11\)", charts(page)[0])
    assert value
    assert heading(page) == f"**Unit 7: c is {value[1]} after “{value[2]}”, character 11**"
    assert "Purple: positive; grey and underlined: negative" in said(page)


def test_the_character_looked_at_moves_in_every_panel(page: AppTest) -> None:
    text = "A text that is read."
    page.session_state[unroll_states.AT] = (text, 3)
    for panel, where in {"All units": "after “e” (4)", "Gates": "at “e” (4)", "Highway": "after “e” (4)"}.items():
        assert where in charts(read(page, "shipped:lstm", text, panel))[0]
    page.session_state[unroll_states.AT] = (text, 8)
    assert "after “h” (9)" in charts(page.run())[0]  # the way begins anew where the click was
    read(page, "shipped:lstm", "Another text", "Gates")
    assert "(7)" in charts(page)[0]


def test_the_way_is_followed_from_the_end_where_the_text_is_read_from_there(page: AppTest) -> None:
    read(page, "shipped:fill-blank", "The line from which it is.", "Highway")
    first, last = page.slider(key=f"{unroll_states.FOLLOWED}_26").value
    assert (first, last) == (14, 26)
    page.selectbox(key=f"{keys.LAYER}_2").set_value(1).run()
    page.session_state[unroll_states.AT] = ("The line from which it is.", 20)
    page.run()
    assert "(21)" in charts(page)[0].split("left at")[0]
    assert page.slider(key=f"{unroll_states.FOLLOWED}_26").value[1] == 21


@pytest.mark.parametrize("ordered", list(unroll_states.ORDERS))
def test_rows_are_sorted_as_asked(page: AppTest, ordered: str) -> None:
    page.query_params[unroll_states.ORDER] = ordered
    read(page, "shipped:gru", "A text that is read, and so are its lines.")
    assert charts(page)
    rows = [int(row.removeprefix("unit ")) for row in figure(page)["data"][0]["y"]]
    assert sorted(rows) == list(range(1, SHIPPED["gru"].model.hidden_size + 1))
    assert (rows == sorted(rows)) == (ordered == "As they are")


def test_a_vanilla_rnn_is_said_to_have_no_gates_and_no_highway(page: AppTest) -> None:
    assert len(charts(read(page, "shipped:rnn", "A text", "Gates"))) == 1
    assert "has no gates" in notes(page)
    assert charts(read(page, "shipped:rnn", "A text", "Highway")) == []
    assert "it has no highway" in notes(page)
    assert "Hidden state h near an end" in charts(read(page, "shipped:rnn", "A text", "Saturation"))[0]


@pytest.mark.parametrize(("model", "gates"), [("lstm", "ifo"), ("gru", "rz")])
def test_there_is_a_saturation_panel_per_gate(page: AppTest, model: str, gates: str) -> None:
    titles = charts(read(page, f"shipped:{model}", "A text that is read.", "Saturation"))
    assert [re.search(r"gate (\w):", title)[1] for title in titles] == list(gates)  # type: ignore[index]


def test_of_a_long_text_a_part_is_drawn_and_that_is_said(page: AppTest) -> None:
    text = "A line of text.\n" * 312 + "12345678"
    read(page, "shipped:lstm", text)
    assert charts(page)
    assert len(figure(page)["data"][0]["x"]) == 2_000
    page.slider(key=f"{unroll_states.WINDOW}_5000").set_value((2_500, 5_000)).run()
    assert figure(page)["data"][0]["x"][0].endswith("(2,500)")
    assert "At most 2,000 characters are drawn at a time: 2,500 to 4,499 of 5,000." in said(page)


def test_a_forged_address_shows_what_is_there(page: AppTest) -> None:
    for key, value in {
        unroll_states.PANEL: "Nothing", unroll_states.ORDER: "Backwards", keys.VECTOR: "z",
        f"{keys.CHOSEN_UNIT}_{H}": "9999",
    }.items():  # fmt: skip
        page.query_params[key] = value
    page.run()
    assert charts(page)[0].startswith("Unit ")


def test_a_click_that_names_no_unit_changes_nothing(page: AppTest) -> None:
    page.session_state[unroll_states.AT] = ("A text", 99)
    assert "character 4" in heading(read(page, "shipped:lstm", "A text"))


def test_a_run_of_ones_own_is_shown(app: AppTest) -> None:
    train_hello(app)
    app.query_params[keys.UNROLL_VIEW] = "States"
    app.switch_page(PAGE).run()
    assert "of 8 units" not in said(app)
    assert len(figure(app)["data"][0]["y"]) == 8
    assert charts(app)[0].startswith("Unit 1: h is")


@pytest.mark.parametrize("squash", ["relu", "sigmoid"])
def test_a_single_unit_in_each_of_two_layers_is_shown(app: AppTest, squash: str) -> None:
    app.query_params["train_cell_default"] = "RNN"
    app.query_params["train_nonlinearity_default"] = squash
    app.switch_page(TRAIN).run()
    app.selectbox(key=keys.TEXT).select("hello").run()
    app.number_input(key="train_hidden_size_default").set_value(1)
    app.number_input(key="train_num_layers_default").set_value(2)
    app.number_input(key="train_steps_default").set_value(3).run()
    app.button(key="train_start").click().run()
    until(app, lambda app: status(app) == "finished")
    app.query_params[keys.UNROLL_VIEW] = "States"
    app.switch_page(PAGE).run()
    assert charts(app)[0].startswith("Unit 1: h of layer 2 is")
    for ordered in unroll_states.ORDERS:
        app.segmented_control(key=unroll_states.ORDER).set_value(ordered).run()
        assert charts(app)
    app.segmented_control(key=unroll_states.PANEL).set_value("Saturation").run()
    assert ("ReLU has no upper end" in notes(app)) == (squash == "relu")
    assert len(charts(app)) == (squash == "sigmoid")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("vector", ["h", "c"])
def test_signed_colours_go_from_one_hue_over_none_to_the_other(
    monkeypatch: pytest.MonkeyPatch, vector: str, dark: bool
) -> None:
    monkeypatch.setattr(alive.shell, "is_dark", lambda: dark)
    colours: list[Any] = alive.signed_palette(vector)
    assert len(colours) == 2 * alive.LEVELS + 1
    assert colours[alive.LEVELS] == ("transparent", theme.ink(dark).foreground)
    assert colours[-1][0] == theme.shade(theme.CELL_STATE if vector == "c" else theme.HIDDEN, 1.0)
    places = alive.signed_levels(np.array([-2, -1, -0.1, 0, 0.1, 0.5, 1, 7], np.float32), 1.0)
    assert places == [0, 0, 9, 10, 11, 15, 20, 20]

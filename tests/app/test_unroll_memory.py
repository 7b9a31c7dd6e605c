"""The Unroll Visualizer's memory: every model and text gets its figures, or one sentence."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts import keys, unroll_memory, writers
from pages.parts import reading as readings
from rnn.errors import TextError
from rnn.shipped import SHIPPED
from tests.app.conftest import TRAIN, figure, run_of, said, status, train_hello, until

PAGE = "pages/4_Unroll_Visualizer.py"
REMEMBERS, PATH, MAP = unroll_memory.PARTS
VIEW = "Memory"


@pytest.fixture
def page(app: AppTest) -> AppTest:
    return opened(app, REMEMBERS)


def opened(app: AppTest, part: str) -> AppTest:
    app.query_params[keys.UNROLL_VIEW] = VIEW
    app.query_params[unroll_memory.PART] = part
    return app.switch_page(PAGE)


def choose(app: AppTest, model: str) -> AppTest:
    return app.selectbox(key=keys.READ_MODEL).select(model).run()


def read(app: AppTest, text: str) -> AppTest:
    return app.text_area(key=keys.READ_TEXT).set_value(text).run()


def title(app: AppTest, number: int = 0) -> str:
    return str(figure(app, number)["layout"]["title"]["text"]).replace("<br>", " ")


def complaints(app: AppTest) -> list[str]:
    assert not app.exception
    return [error.value.replace("\\", "") for error in app.error]


def train_brackets(app: AppTest) -> AppTest:
    app.switch_page(TRAIN).run()
    app.selectbox(key=keys.TEXT).select("Nested parentheses").run()
    app.number_input(key="train_hidden_size_default").set_value(8)
    app.number_input(key="train_steps_default").set_value(30).run()
    app.button(key="train_start").click().run()
    return until(app, lambda app: status(app) == "finished")


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_models_are_compared_at_first_sight(page: AppTest, name: str) -> None:
    page.query_params["model"] = name
    page.run()
    assert not complaints(page)
    assert title(page).startswith(f"The {name.upper()} remembers about ")
    assert all(cell.upper() in title(page, 1) for cell in SHIPPED)
    assert "2,000 characters of “Python language reference”" in said(page)


def test_bits_are_larger_than_nats(page: AppTest) -> None:
    page.run()
    nats = figure(page)["layout"]["yaxis"]["range"][1]
    page.segmented_control(key=unroll_memory.UNIT).set_value("bits").run()
    assert not complaints(page)
    assert figure(page)["layout"]["yaxis"]["range"][1] > 1.4 * nats


def test_a_run_of_ones_own_is_measured_once_on_its_own_text(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    train_brackets(app)
    calls: list[int] = []
    measured = unroll_memory.windowed_losses

    def counting(*of: Any) -> Any:
        calls.append(of[-1])
        return measured(*of)

    monkeypatch.setattr(unroll_memory, "windowed_losses", counting)
    opened(app, REMEMBERS).run()
    assert not complaints(app)
    assert title(app).startswith("This model remembers")
    assert "of “Nested parentheses” that it was not trained on" in said(app)
    assert calls == list(unroll_memory.lengths_in(10_000))
    read(app, "(()")
    assert not complaints(app)
    assert len(calls) == len(unroll_memory.lengths_in(10_000))


def test_weights_that_moved_on_are_measured_again_when_asked(app: AppTest) -> None:
    train_brackets(app)
    opened(app, REMEMBERS).run()
    kept = app.session_state[unroll_memory.CURVES][run_of(app)]
    assert "unroll_memory_again" not in [button.key for button in app.button]
    app.session_state[unroll_memory.CURVES][run_of(app)] = replace(kept, name="of before")
    app.run()
    assert "It has trained on" in said(app)
    app.button(key="unroll_memory_again").click().run()
    assert not complaints(app)
    assert app.session_state[unroll_memory.CURVES][run_of(app)].name == kept.name
    assert "It has trained on" not in said(app)


def test_without_its_training_text_it_is_measured_in_what_was_typed(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    train_brackets(app)

    def gone(*_: Any) -> Any:
        raise TextError("It is somebody else's.")

    monkeypatch.setattr(readings, "corpus", gone)
    opened(app, REMEMBERS).run()
    read(app, "(())" * 30)
    assert not complaints(app)
    assert "characters of the text above" in said(app)
    assert "Dashed" not in said(app)  # nothing to count in
    assert "(log scale)" in figure(app, 1)["layout"]["xaxis"]["title"]["text"]
    read(app, "(((")
    assert complaints(app) == [
        "How long it remembers is measured in a text of at least 20 characters; this one has 3 characters. "
        "Type or choose a longer one."
    ]


def test_a_text_of_five_letters_is_one_sentence(app: AppTest) -> None:
    train_hello(app)
    opened(app, REMEMBERS).run()
    assert len(complaints(app)) == 1
    assert "at least 20 characters; this one has 5" in complaints(app)[0]


def test_a_network_that_reads_from_both_sides_has_paths_and_a_map_but_no_memory(page: AppTest) -> None:
    page.run()
    choose(page, "shipped:fill-blank")
    assert "needs a network that predicts the next character" in complaints(page)[0]
    for part in (PATH, MAP):
        page.segmented_control(key=unroll_memory.PART).set_value(part).run()
        assert not complaints(page)
        assert figure(page)["data"]
    page.segmented_control(key=unroll_memory.PART).set_value(PATH).run()
    layer = next(box for box in page.selectbox if box.label == "Layer")
    for place in range(len(layer.options)):
        next(box for box in page.selectbox if box.label == "Layer").select_index(place).run()
        assert not complaints(page)


@pytest.mark.parametrize("colour", unroll_memory.COLOURED_BY)
def test_the_path_is_drawn_in_every_colour_for_any_text(app: AppTest, colour: str) -> None:
    app.query_params[unroll_memory.COLOUR] = unroll_memory.COLOURED_BY[colour].capitalize()
    opened(app, PATH).run()
    for text in ("ab", "abc", "(a[b]c)\n" * 5, "a"):
        read(app, text)
        if text == "a":
            assert complaints(app) == ["A path needs at least two states. Type a longer text."]
        else:
            assert not complaints(app)
            assert title(app).startswith("Two directions hold")


def test_the_slider_draws_a_part_and_five_thousand_characters_fit(app: AppTest) -> None:
    opened(app, PATH).run()
    read(app, ("for each (name) in list:\n    print(name, 12)\n" * 120)[:5_000])
    app.slider(key=f"{unroll_memory.DRAWN}_5000").set_value((1, 5_000)).run()
    assert not complaints(app)
    spec = app.get("plotly_chart")[0].proto.spec
    assert len(spec) < 1_000_000
    assert "Drawn are the steps from 1 to 5,000" in json.dumps(app.get("plotly_chart")[0].proto.alt, ensure_ascii=False)


def test_the_cell_state_has_a_path_too(app: AppTest) -> None:
    opened(app, PATH).run()
    app.segmented_control(key=keys.VECTOR).set_value("c").run()
    assert not complaints(app)
    assert "of how c varies" in title(app)


def test_the_map_names_the_matrix_that_it_shows(app: AppTest) -> None:
    opened(app, MAP).run()
    assert "a row of the embedding E" in said(app)
    assert "lie nearest to their own kind" in title(app)
    train_hello(app)
    opened(app, MAP).run()
    assert not complaints(app)


def test_of_very_many_characters_the_first_ones_are_drawn(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unroll_memory, "MOST_CHARACTERS", 40)
    opened(app, MAP).run()
    assert not complaints(app)
    assert "The first 40 are drawn" in said(app)
    assert " of 40 lie nearest" in title(app)


def test_an_uploaded_checkpoint_is_measured_beside_those_that_come_with_the_app(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unroll_memory, "affordable_places", lambda *_: 20)
    opened(app, REMEMBERS).run()
    choose(app, writers.FILE)
    content = SHIPPED["rnn"].path.read_bytes()
    app.file_uploader(key=keys.READ_FILE).upload("mine.safetensors", content, "application/octet-stream").run()
    assert not complaints(app)
    assert title(app).startswith("This model remembers")
    assert "this model" in title(app, 1)
    assert "the others 13 to 80" in title(app, 1)
    assert "at the same 20 characters" in said(app)
    assert "Other models: at more or fewer of them." in said(app)
    for part in (PATH, MAP):
        app.segmented_control(key=unroll_memory.PART).set_value(part).run()
        assert not complaints(app)
        assert figure(app)["data"]


def test_forged_addresses_show_the_view_all_the_same(app: AppTest) -> None:
    app.query_params[unroll_memory.UNIT] = "metres"
    app.query_params[unroll_memory.COLOUR] = "plaid"
    opened(app, "nonsense").run()
    assert not complaints(app)
    assert title(app).startswith("The LSTM remembers")

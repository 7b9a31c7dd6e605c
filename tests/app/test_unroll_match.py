"""The view of matches: every model searches its text, and what is chosen is what is searched for."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts import keys, unroll_match, writers
from rnn.config import ModelConfig
from rnn.errors import TextError
from rnn.levels import ScanCache
from rnn.shipped import SHIPPED
from tests.app.conftest import figure, said, train_hello

PAGE = "pages/4_Unroll_Visualizer.py"
SENTENCE = 'He wrote "the first example" and then the second example.'


@pytest.fixture
def page(app: AppTest) -> AppTest:
    app.query_params[keys.UNROLL_VIEW] = "Match"
    return app.switch_page(PAGE)


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A short part of the training text is quickly read."""
    monkeypatch.setattr(unroll_match, "most_characters", lambda hidden_size: 6_000)


def read(app: AppTest, model: str, text: str) -> AppTest:
    app.session_state[keys.READ_MODEL] = model
    app.session_state[keys.READ_TEXT] = text
    app.session_state[keys.READ_SUGGESTED] = "another"
    return app.run()


def titles(app: AppTest) -> list[str]:
    """Of the figures, after a look at what went wrong."""
    assert not app.exception
    assert not app.error
    found = range(len(app.get("plotly_chart")))
    return [str(figure(app, n)["layout"]["title"]["text"]).replace("<br>", " ") for n in found]


def notes(app: AppTest) -> str:
    return " ".join(block.value.replace("\\", "") for block in app.info)


def headings(app: AppTest) -> str:
    return " ".join(block.value.replace("\\", "") for block in app.markdown)


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("model", [f"shipped:{name}" for name in (*SHIPPED, "fill-blank")])
@pytest.mark.parametrize("text", ["a", "ab", SENTENCE])
def test_every_model_searches_its_training_text(page: AppTest, model: str, text: str) -> None:
    read(page, model, text)
    lines, *tally = titles(page)
    assert "≥ 0.25 throughout" in lines
    assert "similar place" in headings(page) or notes(page)
    if tally and model.endswith("fill-blank"):
        assert "expects no next character" in said(page)
    elif tally:
        assert "the model" in tally[0]


@pytest.mark.usefixtures("short")
def test_the_span_threshold_and_signs_chosen_are_those_of_the_figure(page: AppTest) -> None:
    read(page, "shipped:gru", SENTENCE)
    page.slider(key=f"{unroll_match.SPAN}_{len(SENTENCE)}").set_value((11, 13)).run()
    few = titles(page)[0]
    assert "h ≥ 0.25 throughout “the” (11 to 13)" in few
    page.selectbox(key=unroll_match.BOTH_SIGNS).select(unroll_match.EITHER).run()
    both = titles(page)[0]
    assert "|h| ≥ 0.25" in both
    assert int(both.split()[0]) > int(few.split()[0])
    page.toggle(key=unroll_match.ALONE).set_value(True).run()
    assert int(titles(page)[0].split()[0].replace("No", "0")) < int(both.split()[0])
    page.select_slider(key=f"{unroll_match.THRESHOLD}_1").set_value(0.875).run()
    assert "≥ 0.875" in titles(page)[0]


@pytest.mark.usefixtures("short")
def test_two_clicks_choose_a_span(page: AppTest) -> None:
    read(page, "shipped:lstm", SENTENCE)

    class Picked:
        picked: Any = None

    def click(place: Any) -> None:
        Picked.picked = place
        state[unroll_match.TEXT] = Picked
        unroll_match._clicked(len(SENTENCE))

    state: dict[str, Any] = {}
    span = f"{unroll_match.SPAN}_{len(SENTENCE)}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(unroll_match.st, "session_state", state)
        click(12)
        assert state[span] == (13, 13)
        click(10)  # backwards, too
        assert state[span] == (11, 13)
        for forged in (-1, 10_000, "x", None):
            click(forged)
        assert state[span] == (11, 13)
        click(20)
        assert state[span] == (21, 21)


@pytest.mark.usefixtures("short")
def test_the_cell_state_of_an_lstm_is_searched_too(page: AppTest) -> None:
    read(page, "shipped:lstm", SENTENCE)
    page.segmented_control(key=keys.VECTOR).set_value("c").run()
    assert " have c ≥ " in titles(page)[0]
    assert "similar places" in headings(page)


@pytest.mark.usefixtures("short")
def test_that_only_the_beginning_of_a_text_fits_is_said(page: AppTest) -> None:
    read(page, "shipped:gru", SENTENCE)
    assert "The first 6,000 of the 465,126 characters are searched" in said(page)


def test_a_pattern_without_units_asks_for_a_lower_threshold(page: AppTest) -> None:
    read(page, "shipped:lstm", SENTENCE)
    page.slider(key=f"{unroll_match.SPAN}_{len(SENTENCE)}").set_value((1, len(SENTENCE))).run()
    page.select_slider(key=f"{unroll_match.THRESHOLD}_1").set_value(0.875).run()
    assert titles(page)[0].startswith("No unit has h ≥ 0.875")
    assert "Lower the threshold, or choose a shorter span" in notes(page)
    page.toggle(key=unroll_match.ALONE).set_value(True).run()
    assert "or let them be on before and after it" in notes(page)


def test_without_the_training_text_the_text_above_is_searched(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    def somebody_elses(*_: Any) -> Any:
        raise TextError("Its text is not open.")

    monkeypatch.setattr(writers, "text_of", somebody_elses)
    text = 'print("red") and print("red") and print("red") and print("red")'
    read(page, "shipped:gru", text)
    assert "Its text is not open. So the text above is searched itself." in said(page)
    assert "in the text above" in headings(page)
    assert len(titles(page)) == 2


def test_a_run_of_ones_own_needs_no_setting_up(page: AppTest) -> None:
    train_hello(page)
    page.query_params[keys.UNROLL_VIEW] = "Match"
    page.switch_page(PAGE).run()
    assert titles(page)
    assert "of 8 units" in titles(page)[0] or titles(page)[0].startswith("No unit")


@pytest.mark.usefixtures("short")
def test_the_long_text_is_read_once_for_all_searches(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[ModelConfig] = []
    scan = unroll_match.Scan

    def counted(config: ModelConfig, *rest: Any) -> Any:
        made.append(config)
        return scan(config, *rest)

    monkeypatch.setattr(unroll_match, "Scan", counted)
    read(page, "shipped:gru", SENTENCE)
    for span in ((11, 13), (12, 20), (30, 30)):
        page.slider(key=f"{unroll_match.SPAN}_{len(SENTENCE)}").set_value(span).run()
    assert titles(page)
    assert len(made) == 1
    assert isinstance(unroll_match._scans(), ScanCache)


@pytest.mark.usefixtures("short")
def test_a_text_of_five_thousand_characters_and_a_span_of_all_of_it(page: AppTest) -> None:
    text = (SENTENCE + "\n") * 86
    text = text[:5_000]
    read(page, "shipped:rnn", text)
    page.slider(key=f"{unroll_match.SPAN}_{len(text)}").set_value((1, len(text))).run()
    assert titles(page)
    assert "A span has at most 200 characters" in said(page)


@pytest.mark.usefixtures("short")
def test_forged_addresses_show_the_view_all_the_same(page: AppTest) -> None:
    page.query_params[unroll_match.BOTH_SIGNS] = "never"
    page.query_params[unroll_match.ALONE] = "perhaps"
    read(page, "shipped:lstm", SENTENCE)
    assert "h ≥ 0.25" in titles(page)[0]

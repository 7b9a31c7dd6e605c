"""The model and the text that the pages which look inside are about."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts import keys, service
from rnn.shipped import SHIPPED
from rnn.trace import MOST_CHARACTERS
from tests.app.conftest import run_of, said, train_hello

PAGES = ("pages/4_Unroll_Visualizer.py", "pages/5_Truncated_BPTT.py")


def open_page(app: AppTest, page: str = PAGES[0], **query: str) -> AppTest:
    app.query_params.update(query)
    app.switch_page(page).run()
    assert not app.exception
    return app


def text_of(app: AppTest) -> str:
    return str(app.text_area(key=keys.READ_TEXT).value)


def errors(app: AppTest) -> list[str]:
    return [error.value.replace("\\", "") for error in app.error]


@pytest.mark.parametrize("page", PAGES)
def test_a_shipped_model_reads_a_passage_at_once(app: AppTest, page: str) -> None:
    open_page(app, page)
    assert len(text_of(app)) > 50
    assert not app.error


@pytest.mark.parametrize("name", SHIPPED)
def test_a_link_opens_a_shipped_model(app: AppTest, name: str) -> None:
    open_page(app, model=name)
    assert app.selectbox(key=keys.READ_MODEL).value == f"shipped:{name}"
    assert app.query_params["model"] == name


def test_a_run_reads_its_own_text_and_one_that_is_deleted_meanwhile_is_missed(app: AppTest) -> None:
    train_hello(app)
    run_id = run_of(app)
    open_page(app, run=run_id)
    assert app.selectbox(key=keys.READ_MODEL).value == run_id
    assert set(text_of(app)) <= set("helo\n")
    service._scheduler().delete(run_id, app.session_state[keys.OWNER])
    app.run()
    assert not app.exception
    assert app.selectbox(key=keys.READ_MODEL).value != run_id


def test_another_passage_is_another_part_of_the_text(app: AppTest) -> None:
    open_page(app)
    seen = {text_of(app)}
    for _ in range(4):
        app.button(key="read_other").click().run()
        seen.add(text_of(app))
    assert len(seen) == 5


def test_a_typed_text_stays_with_another_model_and_on_the_other_page(app: AppTest) -> None:
    open_page(app)
    first = text_of(app)
    app.selectbox(key=keys.READ_MODEL).select("shipped:rnn").run()
    assert text_of(app) == first  # trained on the same text, so the same passage
    app.text_area(key=keys.READ_TEXT).set_value("What was typed").run()
    app.selectbox(key=keys.READ_MODEL).select("shipped:gru").run()
    assert text_of(app) == "What was typed"
    open_page(app, PAGES[1])
    assert text_of(app) == "What was typed"
    assert app.selectbox(key=keys.READ_MODEL).value == "shipped:gru"


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [("", "There is no text to read"), ("\u4e16\u754c", "knows none of these characters")],
)
def test_a_text_that_cannot_be_read_is_said_and_the_next_one_can(app: AppTest, typed: str, sentence: str) -> None:
    open_page(app)
    app.text_area(key=keys.READ_TEXT).set_value(typed).run()
    assert any(sentence in error for error in errors(app))
    assert text_of(app) == typed
    app.text_area(key=keys.READ_TEXT).set_value("The next one").run()
    assert not app.error


def test_characters_that_the_model_never_saw_are_named(app: AppTest) -> None:
    open_page(app)
    app.text_area(key=keys.READ_TEXT).set_value("caf\u00e9 \u4e16").run()
    assert not app.error
    assert "does not know “\u00e9” “\u4e16”" in said(app)


def test_of_a_text_that_is_too_long_the_beginning_is_read(app: AppTest) -> None:
    open_page(app)
    app.text_area(key=keys.READ_TEXT).set_value("abcde " * 17_000).run()
    assert not app.error
    assert f"The first {MOST_CHARACTERS:,} are read." in said(app)

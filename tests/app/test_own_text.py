"""A text of the visitor's own: what is made of it before it is kept, and what training will find in it."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts import keys, service
from tests.app.conftest import TRAIN, run_of, said

CHAT = "\n".join(
    f"31/12/2023, 21:{minute:02} - {who}: {text}"
    for minute, (who, text) in enumerate(
        [("Anna", "are you there?"), ("Ben", "yes, call me: +49 170 1234567"), ("Anna", "or write to anna@example.org")]
        * 6
    )
)
LETTER = "Dear Ben,\nwrite to me at anna@example.org, or call +49 170 1234567.\nAnna\n" * 4


def paste(app: AppTest, text: str) -> AppTest:
    app.switch_page(TRAIN).run()
    app.selectbox(key=keys.TEXT).select("Paste my own").run()
    return app.text_area(key=keys.PASTE).input(text).run()


def trained_on(app: AppTest) -> str:
    """The text of a run that is started now."""
    app.number_input(key="train_hidden_size_default").set_value(8)
    app.number_input(key="train_steps_default").set_value(2).run()
    app.button(key="train_start").click().run()
    return service._scheduler().store.text(run_of(app)).content


def test_a_chat_is_recognised_and_shown_as_it_would_be_read(app: AppTest) -> None:
    paste(app, CHAT)
    assert app.toggle(key=keys.CLEAN).value
    assert "18 messages by 2 speakers" in said(app)
    assert any("Anna: are you there?" in code.value for code in app.code)


def test_of_a_chat_neither_stamps_nor_addresses_are_kept(app: AppTest) -> None:
    kept = trained_on(paste(app, CHAT))
    assert "Anna: are you there?" in kept
    assert not any(part in kept for part in ("2023", "1234567", "example.org"))


def test_a_chat_can_be_kept_as_it_is(app: AppTest) -> None:
    paste(app, CHAT).toggle(key=keys.CLEAN).set_value(False).run()
    assert trained_on(app) == CHAT


def test_addresses_in_another_text_are_masked_where_that_is_wanted(app: AppTest) -> None:
    paste(app, LETTER)
    assert not app.toggle(key=keys.MASK).value
    app.toggle(key=keys.MASK).set_value(True).run()
    kept = trained_on(app)
    assert "Dear Ben" in kept
    assert not any(part in kept for part in ("1234567", "example.org"))


def test_a_text_without_addresses_is_not_asked_about(app: AppTest) -> None:
    paste(app, "Once upon a midnight dreary, while I pondered, weak and weary. " * 5)
    assert not {keys.CLEAN, keys.MASK} & {toggle.key for toggle in app.toggle}


def test_the_characters_stand_in_a_table_with_code_points_names_and_counts(app: AppTest) -> None:
    paste(app, "aaab😀\n" * 20)
    app.toggle(key=keys.CHARACTER_TABLE).set_value(True).run()
    table = app.dataframe[0].value.set_index("character")
    assert table.loc["a", "count"] == 60
    assert table.loc["😀", "code point"] == "U+1F600"
    assert "GRINNING FACE" in table.loc["😀", "name"]
    assert table.loc["⏎", "count"] == 20


def test_rare_characters_are_named(app: AppTest) -> None:
    paste(app, "abab" * 100 + "é")
    assert "Too rare" in said(app)
    assert "é 1" in said(app)


@pytest.mark.parametrize(
    ("text", "advice"), [("hello", "Take a longer text"), ("to be or not to be " * 160, "hidden size")]
)
def test_a_model_out_of_proportion_to_its_text_is_told_what_would_suit(app: AppTest, text: str, advice: str) -> None:
    paste(app, text)
    assert "by heart" in said(app)
    assert advice in said(app)

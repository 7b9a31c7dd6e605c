"""What people typed appears letter by letter: as no HTML, no Markdown, no colour, no formula, on no page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts import keys, shell
from tests.app.conftest import ENTRYPOINT, run_of, status, until
from tests.app.test_own_text import paste

NAME = "<img src=x onerror=alert(1)> **bold** :red[red] $x^2$"
TEXT = f"{NAME}\n<script>alert(1)</script> [a](javascript:alert(1)) `code` :material/delete: # head\n" * 20
MARKDOWN = ("markdown", "caption", "info", "warning", "error", "success", "toast", "title", "header", "subheader")
LIVE = re.compile(r"(?<!\\)(<img|<script|\*\*bold|:red\[|\$x\^2|\]\(javascript)")
ROOT = ENTRYPOINT.parent


def marked_up(app: AppTest) -> Iterator[str]:
    """All that the browser reads as Markdown or HTML: texts, labels and help of widgets, progress."""
    for kind in MARKDOWN:
        yield from (str(element.value) for element in app.get(kind))
    yield from (html.proto.body for html in app.get("html"))
    for block in (app.main, app.sidebar):
        for element in block:
            proto = getattr(element, "proto", None)
            for field in ("label", "help", "text", "placeholder"):
                if isinstance(value := getattr(proto, field, None), str) and type(element).__name__ not in (
                    "Code",
                    "Text",
                ):
                    yield value


@pytest.fixture
def trained(app: AppTest) -> AppTest:
    """A run over such a text, with such a name."""
    paste(app, TEXT)
    app.number_input(key="train_hidden_size_default").set_value(8)
    app.number_input(key="train_steps_default").set_value(2).run()
    app.button(key="train_start").click().run()
    until(app, lambda app: status(app) == "finished")
    app.run()
    app.text_input(key=f"{keys.NEW_NAME}_{run_of(app)}").input(NAME)
    next(button for button in app.button if button.label == "Rename").click().run()
    return app


def test_names_and_texts_of_people_are_no_markup_on_any_page(trained: AppTest) -> None:
    for page in shell.PAGES:
        trained.switch_page(page.path).run()
        assert not trained.exception
        for shown in marked_up(trained):
            assert not LIVE.search(shown), (page.title, shown[:300])


def test_the_name_is_there_as_it_was_typed(trained: AppTest) -> None:
    trained.switch_page("pages/2_Train.py").run()
    escaped = shell.plain(NAME)
    assert any(NAME in shown or escaped in shown for shown in marked_up(trained)) or any(
        NAME in str(option) for box in trained.selectbox for option in box.options
    )


def test_no_page_lets_html_through_and_no_script_makes_any_from_text() -> None:
    pages = "".join(path.read_text("utf-8") for path in [ENTRYPOINT, *ROOT.glob("pages/**/*.py")])
    assert "unsafe_allow_html" not in pages
    scripts = "".join(Path(path).read_text("utf-8") for path in ROOT.glob("assets/*.js"))
    assert scripts
    for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"):
        assert way not in scripts, way

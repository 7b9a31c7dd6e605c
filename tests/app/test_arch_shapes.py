"""The view of the sequence shapes: every task, on examples and on the visitor's own input, and forged links."""

from __future__ import annotations

from urllib.parse import parse_qs

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts import keys
from pages.parts.arch_shapes import CHOSEN, NUMBER, OWN, SAYS, SHAPE, SHAPES
from rnn.catalogue import TASKS
from rnn.errors import TrainingError
from rnn.tasks.blanks import FillBlank
from tests.app.conftest import figure, said, title

PAGE = "pages/1_Architecture.py"
OWN_INPUT = {
    "sentiment": "the dull plot was wonderful", "frames": "3 1 4", "caption": "3 1 4", "number-names": "97",
    "fill-blank": "The obj_ct", "next-character": "hello",
}  # fmt: skip


@pytest.fixture
def shapes(app: AppTest) -> AppTest:
    app.query_params[keys.ARCH_VIEW] = "Tasks"
    return app.switch_page(PAGE).run()


def open_task(app: AppTest, kind: str) -> AppTest:
    """The page with the task's shape and the task chosen, as a link has it."""
    info = TASKS[kind]
    kinds = [each for each in TASKS if TASKS[each].shape == info.shape]
    app.query_params[keys.ARCH_VIEW] = "Tasks"
    app.query_params[SHAPE] = next(name for name, shape in SHAPES.items() if shape == info.shape)
    if len(kinds) > 1:
        app.query_params[CHOSEN.format(kinds[0].replace("-", "_"))] = info.title
    return app.switch_page(PAGE).run()


def links(app: AppTest) -> list[str]:
    return [link.proto.query_string for link in app.get("page_link") if link.proto.label.startswith("Train it")]


@pytest.mark.parametrize("kind", SAYS)
def test_every_task_is_drawn_explained_and_can_be_trained(app: AppTest, kind: str) -> None:
    open_task(app, kind)
    assert not app.exception
    assert not app.error
    assert title(app).startswith(next(name for name, shape in SHAPES.items() if shape == TASKS[kind].shape))
    assert TASKS[kind].description in said(app)
    text = " ".join(markdown.value for markdown in app.markdown)
    assert all(sentence in text for sentence in SAYS[kind])
    assert "**The parameters.**" in text
    [query] = links(app)
    assert parse_qs(query) == {keys.TASK: [TASKS[kind].title]}


def test_every_task_of_the_catalogue_is_here() -> None:
    assert set(SAYS) == set(TASKS)
    assert set(SHAPES.values()) == {info.shape for info in TASKS.values()}


def test_another_example_is_another_picture(shapes: AppTest) -> None:
    before = figure(shapes)
    shapes.button(key="arch_shape_another").click().run()
    assert figure(shapes) != before
    shapes.button(key="arch_shape_another").click().run()
    assert shapes.session_state[NUMBER.format("digit-rows")] == 2


def test_after_the_last_example_comes_the_first(app: AppTest) -> None:
    open_task(app, "digit")
    before = figure(app)
    app.session_state[NUMBER.format("digit")] = 397
    assert figure(app.run()) == before


@pytest.mark.parametrize(("kind", "typed"), OWN_INPUT.items())
def test_the_visitors_own_input_is_drawn_until_another_example_is_asked_for(
    app: AppTest, kind: str, typed: str
) -> None:
    open_task(app, kind)
    before = figure(app)
    own = OWN.format(kind)
    app.text_input(key=own).set_value(typed).run()
    assert not app.exception
    assert not app.error
    assert figure(app) != before
    app.button(key="arch_shape_another").click().run()
    assert app.text_input(key=own).value == ""


def test_what_cannot_be_read_gets_a_sentence_and_stays_in_its_place(app: AppTest) -> None:
    open_task(app, "number-names")
    app.text_input(key=OWN.format("number-names")).set_value("a lot").run()
    assert not app.exception
    assert len(app.error) == 1
    assert app.text_input(key=OWN.format("number-names")).value == "a lot"
    app.text_input(key=OWN.format("number-names")).set_value("97").run()
    assert not app.error
    assert "quatre-vingt-dix-sept" in title(app)


@pytest.mark.parametrize("kind", ["digit", "digit-name", "digit-rows"])
def test_nothing_can_be_typed_where_an_image_is_read(app: AppTest, kind: str) -> None:
    assert not open_task(app, kind).text_input


def test_a_forged_link_shows_the_first_shape(app: AppTest) -> None:
    app.query_params[keys.ARCH_VIEW] = "Tasks"
    app.query_params[SHAPE] = "Many to none"
    app.query_params[CHOSEN.format("digit_rows")] = "../../etc/passwd"
    app.switch_page(PAGE).run()
    assert not app.exception
    assert title(app).startswith("Many to one: rows in")


def test_without_the_text_that_the_blanks_are_from_one_is_filled_all_the_same(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise TrainingError("The text is not here.")

    monkeypatch.setattr(FillBlank, "held_out", refuse)
    open_task(app, "fill-blank")
    assert not app.exception
    assert title(app).startswith("Many to one: text in")

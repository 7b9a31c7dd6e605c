"""Lessons on their pages: a step sets what it says and points at what is there, answers are checked and counted."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts import keys, lesson, shell
from rnn.lessons import PAGES, Step, lessons
from rnn.progress import Progress
from tests.app.conftest import visitor

STEPS = [(one.name, n) for one in lessons().values() for n in range(1, len(one.steps) + 1)]


def open_step(app: AppTest, name: str, number: int) -> AppTest:
    app.query_params[keys.LESSON], app.query_params[keys.LESSON_STEP] = name, str(number)
    return app.switch_page(lesson.PATHS[lessons()[name].steps[number - 1].page]).run()


def widgets(app: AppTest) -> dict[str, Any]:
    """The values of the widgets on the page, by their keys."""
    kinds = ("selectbox", "segmented_control", "number_input", "slider", "select_slider", "toggle", "text_area",
             "text_input", "pills", "radio")  # fmt: skip
    found = {}
    for kind in kinds:
        for widget in app.get(kind):
            if getattr(widget, "key", None):
                found[widget.key] = widget.value
    return found


def keys_on(app: AppTest) -> set[str]:
    """Keys of all widgets and figures on the page."""
    charts = {chart.proto.id.split("-", 5)[-1] for chart in app.get("plotly_chart")}
    return charts | set(widgets(app)) | {button.key for button in app.button if button.key}


def check_taken(app: AppTest, step: Step) -> None:
    assert not app.exception, step.title
    assert not app.error, (step.title, [error.value for error in app.error])
    on_page = widgets(app)
    for key, value in step.settings.items():
        if key == keys.SHIPPED:
            chosen = [on_page[k] for k in lesson.MODELS if k in on_page]
            assert [str(name).removeprefix("shipped:") for name in chosen] == [value], step.title
        elif key in on_page:
            assert on_page[key] == value, (step.title, key)


@pytest.mark.parametrize("name", lessons())
def test_every_step_sets_its_page_and_points_at_what_is_there(name: str) -> None:
    """Walked with the button, as in class: a step must also undo what the one before it has set."""
    one, met = lessons()[name], set[str]()
    app = open_step(visitor(), name, 1)
    for number, step in enumerate(one.steps, 1):
        assert app.session_state[keys.LESSON_AT] == (name, number)
        check_taken(app, step)
        met |= set(step.settings) & set(widgets(app)) | {keys.SHIPPED}
        missing = set(step.highlight) - keys_on(app)
        assert not missing, (step.title, missing)
        if step.ask:
            assert step.ask.text in [m.value for m in app.markdown], step.title
            assert {b.key for b in app.button} >= {"lesson_check"}, (step.title, [c.value for c in app.caption])
        if number < len(one.steps) and one.steps[number].page == step.page:
            app.button(key="lesson_next").click().run()
        elif number < len(one.steps):  # AppTest stays on the page it was told
            open_step(app, name, number + 1)
    named = {key for step in one.steps for key in step.settings}
    assert named <= met, f"on no page of this lesson: {named - met}"


def test_the_settings_of_a_step_stand_in_a_link_to_it(app: AppTest) -> None:
    open_step(app, "bptt", 4)
    assert widgets(app)["bptt_vanish_radius"] == 0.9
    assert widgets(app)[keys.READ_MODEL] == "shipped:rnn"


def test_what_a_link_says_beside_the_step_comes_first(app: AppTest) -> None:
    app.query_params["bptt_vanish_radius"] = "1.2"
    assert widgets(open_step(app, "bptt", 4))["bptt_vanish_radius"] == 1.2


def test_show_me_brings_back_what_was_changed(app: AppTest) -> None:
    open_step(app, "bptt", 4)
    app.slider(key="bptt_vanish_radius").set_value(1.3).run()
    assert widgets(app)["bptt_vanish_radius"] == 1.3
    app.button(key="lesson_show").click().run()
    assert widgets(app)["bptt_vanish_radius"] == 0.9


@pytest.mark.parametrize(("name", "step"), [("none", "1"), ("bptt", "0"), ("bptt", "99"), ("bptt", "x"), ("", "1"),
                                            ("../bptt", "1"), ("bptt", "²"), ("bptt", "9" * 5000)])  # fmt: skip
def test_a_link_to_no_step_gets_a_sentence(app: AppTest, name: str, step: str) -> None:
    app.query_params[keys.LESSON], app.query_params[keys.LESSON_STEP] = name, step
    app.switch_page(lesson.PATHS["Truncated BPTT"]).run()
    assert not app.exception
    assert len(app.warning) == 1
    assert "lesson" in app.warning[0].value


@pytest.mark.parametrize("page", shell.PAGES, ids=lambda page: page.title)
def test_a_step_on_another_page_leads_there(app: AppTest, page: shell.Page) -> None:
    other = next(title for title in PAGES if title != page.title)
    name = next(one.name for one in lessons().values() if one.page == other)
    app.query_params[keys.LESSON] = name
    app.switch_page(page.path).run()
    assert not app.exception
    assert other in app.info[0].value
    assert f"Go to {other}" in [link.proto.label for link in app.main.get("page_link")]


def test_a_lesson_can_be_folded_and_left(app: AppTest) -> None:
    open_step(app, "sample", 2)
    text = lessons()["sample"].steps[1].text
    assert text in [m.value for m in app.markdown]
    app.button(key="lesson_fold").click().run()
    assert text not in [m.value for m in app.markdown]
    app.button(key="lesson_leave").click().run()
    assert "lesson_next" not in {button.key for button in app.button}
    assert keys.LESSON_AT not in app.session_state


# Questions


def answer(app: AppTest, given: str | float) -> None:
    name, number = app.session_state[keys.LESSON_AT]
    key = f"lesson_answer_{name}_{number}"
    place = app.radio(key=key) if isinstance(given, str) else app.number_input(key=key)
    place.set_value(given)
    app.button(key="lesson_check").click().run()
    assert not app.exception


def progress(app: AppTest) -> Progress:
    found: Progress = app.session_state[keys.PROGRESS]
    return found


ASKED = [(one.name, n) for one in lessons().values() if one.page for n in one.questions]


@pytest.mark.parametrize(("name", "number"), ASKED)
def test_a_right_and_a_wrong_answer_are_told_why_and_counted(app: AppTest, name: str, number: int) -> None:
    solution = open_step(app, name, number).session_state[keys.SOLUTION]
    answer(app, solution.right if solution.choices else solution.number)
    assert any("is right" in m.value for m in app.markdown)
    assert progress(app).score(lessons()[name]) == (1, 1)
    other = open_step(visitor(), name, number)
    wrong = next(c for c in solution.choices if c != solution.right) if solution.choices else solution.number + 1
    answer(other, wrong)
    shown = next(m.value for m in other.markdown if "it is **" in m.value).replace("\\", "")
    assert solution.right in shown
    assert solution.why in shown
    assert progress(other).score(lessons()[name]) == (0, 1)


def test_the_answer_is_that_of_the_network_on_the_page(app: AppTest) -> None:
    """Not of the one that the lesson began with."""
    open_step(app, "architecture", 2)
    first = app.session_state[keys.SOLUTION].right
    app.number_input(key="arch_hidden").set_value(8).run()
    assert app.session_state[keys.SOLUTION].right != first
    open_step(app, "bptt", 1)
    app.slider(key="bptt_chunks_k").set_value(5).run()
    assert app.session_state[keys.SOLUTION].number == 4


def test_checking_without_an_answer_counts_nothing(app: AppTest) -> None:
    open_step(app, "sample", 1)
    app.button(key="lesson_check").click().run()
    assert not app.exception
    assert progress(app) == Progress()


def test_a_step_is_done_when_it_is_left_or_its_question_answered(app: AppTest) -> None:
    open_step(app, "unroll", 1)
    app.button(key="lesson_next").click().run()
    assert progress(app).done == {}  # it asks something
    app.button(key="lesson_next").click().run()
    assert progress(app).done == {"unroll": {2}}
    app.button(key="lesson_back").click().run()
    app.button(key="lesson_back").click().run()
    answer(app, app.session_state[keys.SOLUTION].right)
    assert progress(app).done == {"unroll": {1, 2}}


# Ways in


def test_home_lists_every_lesson_with_its_minutes(app: AppTest) -> None:
    app.run()
    labels = " ".join(link.proto.label for link in app.main.get("page_link"))
    for one in lessons().values():
        assert f"{one.minutes:g} min" in labels, one.name


@pytest.mark.parametrize("title", PAGES)
def test_the_sidebar_has_the_lesson_of_its_page(app: AppTest, title: str) -> None:
    app.switch_page(lesson.PATHS[title]).run()
    links = [link.proto for link in app.sidebar.get("page_link") if "Lesson" in link.proto.label]
    assert len(links) == 1
    assert "lesson=" in links[0].query_string


def test_a_lesson_that_a_link_led_away_from_is_offered_again(app: AppTest) -> None:
    open_step(app, "unroll", 3)
    app.query_params.clear()
    app.switch_page(lesson.PATHS["Train"]).run()
    assert "Back to the lesson, step 3" in [link.proto.label for link in app.sidebar.get("page_link")]

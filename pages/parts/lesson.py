"""Guided lessons: the panel on top of a page, the way from step to step, and what the browser keeps of it."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.parts import keys, sharing
from rnn.errors import LessonError
from rnn.lessons import Lesson, Step, lessons
from rnn.progress import Progress

PATHS = {
    "Architecture": "pages/1_Architecture.py", "Train": "pages/2_Train.py", "Sample": "pages/3_Sample.py",
    "Unroll Visualizer": "pages/4_Unroll_Visualizer.py", "Truncated BPTT": "pages/5_Truncated_BPTT.py",
}  # fmt: skip
HOME = "streamlit_app.py"
MODELS = (keys.MODEL, keys.READ_MODEL, keys.BLUEPRINT)  # widgets that take their first choice from `keys.SHIPPED`
KEEPER = "lesson_keeper"
DONE, OPEN = ":material/check_circle:", ":material/school:"

_keeper = st.components.v2.component(
    "rnn_playground_lesson", js=(Path(__file__).parents[2] / "assets" / "lesson.js").read_text(encoding="utf-8")
)


def panel(title: str) -> DeltaGenerator | None:
    """Draws the lesson that the URL names on top of the page called `title`; the place of its question, if it asks."""
    now = current()
    here = st.session_state.get(keys.LESSON_AT)
    if now is None:
        if here:  # a link led to another page: the sidebar leads back
            st.session_state[keys.LESSON_LEFT] = st.session_state.pop(keys.LESSON_AT)
        _keep(None, 0)
        return None
    lesson, number = now
    step = lesson.steps[number - 1]
    if step.page != title:
        with st.container(key="lesson_elsewhere"):
            st.info(f"Step {number} of this lesson is on the page {step.page}.")
            link(lesson, number, f"Go to {step.page}")
        return None
    if here != (lesson.name, number):
        _set(step, is_first=here is None and keys.LESSON_LEFT not in st.session_state)
        st.session_state[keys.LESSON_AT] = lesson.name, number
    _keep(lesson, number)
    with st.container(key="lesson", border=True, gap="xsmall"):
        _bar(lesson, number, title)
        if st.session_state.get(keys.LESSON_FOLDED):
            return None
        if step.ask is None:
            _told(step)
            return None
        told, asked = st.columns([5, 4], gap="medium")
        with told:
            _told(step)
        return asked


def is_on(title: str) -> bool:
    """Whether the page called `title` has a lesson's panel, which then has what else stands beside the page's name."""
    now = _named()
    return isinstance(now, tuple) and now[0].steps[now[1] - 1].page == title


def current() -> tuple[Lesson, int] | None:
    """The lesson and the number of the step that the URL names, from 1; a sentence on the page where there is none."""
    now = _named()
    if isinstance(now, str):
        st.warning(now)
        return None
    return now


def _named() -> tuple[Lesson, int] | str | None:
    """What the URL names, or a sentence of what is wrong with it; None where it names nothing."""
    name = st.query_params.get(keys.LESSON)
    if name is None:
        return None
    try:
        lesson = lessons().get(name)
    except LessonError as error:  # a file of ours
        return str(error)
    number = st.query_params.get(keys.LESSON_STEP, "1")
    if lesson is None:
        return "There is no such lesson. Home lists those there are."
    if not (number.isascii() and number.isdigit() and len(number) < 4 and 1 <= int(number) <= len(lesson.steps)):
        return f"This lesson has the steps 1 to {len(lesson.steps)}, and the link names another one."
    return lesson, int(number)


# The panel --------------------------------------------------------------------------------------------------------


def _bar(lesson: Lesson, number: int, title: str) -> None:
    """Where one is, the ways on, and the link for the class."""
    step, is_last = lesson.steps[number - 1], number == len(lesson.steps)
    is_folded = bool(st.session_state.get(keys.LESSON_FOLDED))
    with st.container(key="lesson_bar", horizontal=True, vertical_alignment="center", gap="small"):
        tick = f" {DONE}" if number in progress().done.get(lesson.name, ()) else ""
        st.markdown(f":small[:gray[{lesson.title} · {number} of {len(lesson.steps)}]]  \n**{step.title}**{tick}")
        st.button(
            "Show me", key="lesson_show", icon=":material/tune:", on_click=_again,
            help="Sets the page as this step has it.",
        )  # fmt: skip
        back = st.button(
            "Previous", key="lesson_back", icon=":material/arrow_back:", disabled=number == 1,
            help="The step before; the left arrow key does the same.",
        )  # fmt: skip
        on = st.button(
            "Finish" if is_last else "Next", key="lesson_next", type="primary", icon=":material/arrow_forward:",
            help="The next step; the right arrow key does the same.",
        )  # fmt: skip
        st.button(
            "Unfold" if is_folded else "Fold", key="lesson_fold", type="tertiary", on_click=_fold,
            icon=":material/unfold_more:" if is_folded else ":material/unfold_less:", help="Shows or hides the text.",
        )  # fmt: skip
        sharing.button(title)
        leave = st.button(
            "Leave", key="lesson_leave", type="tertiary", icon=":material/close:",
            help="Ends the lesson; the page stays as it is.",
        )  # fmt: skip
    if on:
        if step.ask is None:
            _note(progress().with_step(lesson.name, number))
        if is_last:
            _forget()
            st.switch_page(HOME, query_params={})  # None would be refused where widgets are in the URL
        _go(lesson, number + 1)
    if back:
        _go(lesson, number - 1)
    if leave:
        _forget()
        for key in (keys.LESSON, keys.LESSON_STEP):
            st.query_params.pop(key, None)
        st.rerun()


def _told(step: Step) -> None:
    """The text, and outlines around what it is about."""
    st.markdown(step.text)
    if step.look:
        st.markdown(f":material/visibility: **{step.look}**")
    if step.highlight:
        places = ", ".join(f".st-key-{key}" for key in step.highlight)
        st.html(f"<style>{places} {{outline: 2px dashed; outline-offset: 5px; border-radius: 2px}}</style>")


def link(lesson: Lesson, number: int, label: str, icon: str = OPEN) -> None:
    """A link to a step."""
    st.page_link(PATHS[lesson.steps[number - 1].page], label=label, icon=icon, query_params=_address(lesson, number))


def _address(lesson: Lesson, number: int) -> dict[str, str]:
    return {keys.LESSON: lesson.name, keys.LESSON_STEP: str(number)}


def _go(lesson: Lesson, number: int) -> None:
    st.switch_page(PATHS[lesson.steps[number - 1].page], query_params=_address(lesson, number))


def _set(step: Step, is_first: bool) -> None:
    """Gives the page's widgets the step's values; in a session that begins, those that the URL names come first."""
    for key, value in step.settings.items():
        if is_first and key in st.query_params:
            continue
        if key == keys.SHIPPED:
            for widget in MODELS:
                st.session_state.pop(widget, None)
            st.query_params[keys.SHIPPED] = str(value)
            st.query_params.pop(keys.RUN, None)
        else:
            keys.put(key, value)


def _again() -> None:
    st.session_state[keys.LESSON_LEFT] = st.session_state.pop(keys.LESSON_AT, None)  # not the session's first step


def _fold() -> None:
    st.session_state[keys.LESSON_FOLDED] = not st.session_state.get(keys.LESSON_FOLDED)


def _forget() -> None:
    for key in (keys.LESSON_AT, keys.LESSON_LEFT):
        st.session_state.pop(key, None)


# What the browser keeps -------------------------------------------------------------------------------------------


def progress() -> Progress:
    """What the visitor has done so far."""
    kept: Progress = st.session_state.setdefault(keys.PROGRESS, Progress())
    return kept


def _note(done: Progress) -> None:
    st.session_state[keys.PROGRESS] = done


def note_answer(lesson: Lesson, number: int, is_right: bool) -> None:
    """A question was answered; the browser keeps the first answer."""
    _note(progress().with_answer(lesson.name, number, is_right))


def _keep(lesson: Lesson | None, number: int) -> None:
    """Draws the (invisible) part that keeps the ticks in the browser and listens to the arrow keys."""
    step = lesson.steps[number - 1] if lesson else None
    data = {
        "progress": progress().to_json(), "nothing": Progress().to_json(),
        "step": f"{lesson.name} {number}" if lesson else "", "show": list(step.highlight) if step else [],
    }  # fmt: skip
    with st.sidebar:
        _keeper(key=KEEPER, data=data, default={"kept": ""}, on_kept_change=_take, height=1)


def _take() -> None:
    """The browser has kept more than this session knows of."""
    kept = st.session_state[KEEPER].kept
    _note(Progress.from_json(kept, lessons()).joined(progress()))


# Ways in ----------------------------------------------------------------------------------------------------------


def of_page(title: str) -> None:
    """In the sidebar: the lesson of this page, or the way back to the one that was left."""
    if st.query_params.get(keys.LESSON):
        return
    with st.container(key="lesson_ways", gap=None):
        _ways(title)


def _ways(title: str) -> None:
    left = st.session_state.get(keys.LESSON_AT) or st.session_state.get(keys.LESSON_LEFT)
    if left and left[0] in lessons():
        lesson = lessons()[left[0]]
        link(lesson, left[1], f"Back to the lesson, step {left[1]}", ":material/undo:")
    for lesson in lessons().values():
        if lesson.page == title:
            link(lesson, 1, "Lesson for this page", icon(lesson))
            if said := standing(lesson):
                st.caption(said)


def icon(lesson: Lesson) -> str:
    """A tick where all steps are done."""
    return DONE if progress().is_complete(lesson) else OPEN


def standing(lesson: Lesson) -> str:
    """How far one has come, or "" where it has not begun."""
    done = len(progress().done.get(lesson.name, ()))
    right, of = progress().score(lesson)
    if not done:
        return ""
    score = f", {right} of {of} answers right" if of else ""
    return f"{done} of {len(lesson.steps)} steps done{score}"

"""Questions of a lesson: to be answered before the answer is shown, which is computed from what is on the screen."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.parts import (
    arch_hello,
    blueprint,
    bptt_chunks,
    bptt_position,
    controls,
    keys,
    lesson,
    service,
    shell,
    unroll_graph,
    writers,
)
from pages.parts.blueprint import Blueprint
from pages.parts.reading import Reading
from pages.parts.writers import Writer
from rnn.config import ModelConfig, SampleConfig
from rnn.corpora import Preflight, Text
from rnn.errors import PlaygroundError
from rnn.lessons import Ask, Lesson
from rnn.questions import Screen, Solution, answer
from rnn.sampling import read_prime

READ = 300  # characters of a training text that an untrained network is tried on


def ask(place: DeltaGenerator | None, screen: Callable[[], tuple[str, Screen] | None]) -> None:
    """Asks the question of the step, if there is one, or says how it was answered.

    Args:
        place: in the lesson's panel; None: nothing is asked.
        screen: gives what the page shows, and a name that tells it from what it shows otherwise; None where the page
            shows nothing yet.
    """
    now = lesson.current() if place is not None else None
    if place is None or now is None:
        return
    of, number = now
    question = of.steps[number - 1].ask
    assert question is not None  # else there were no place
    with place:
        given = st.session_state.setdefault(keys.ANSWERED, {}).get((of.name, number))
        if given is not None:
            _reveal(question, *given)
            return
        try:
            seen = screen()
            if seen is None:
                st.caption("A question comes here as soon as there is something on the page to ask about.")
                return
            solution = _solution(question.question, *seen)
        except PlaygroundError as error:
            st.caption(shell.plain(error))
            return
        st.session_state[keys.SOLUTION] = solution
        _form(of, number, question, solution)


@st.cache_data(max_entries=256, show_spinner=False)
def _solution(question: str, name: str, _screen: Screen) -> Solution:
    """`name` tells screens apart."""
    return service.scheduler().compute(lambda: answer(question, _screen))


def _form(of: Lesson, number: int, question: Ask, solution: Solution) -> None:
    key = f"lesson_answer_{of.name}_{number}"
    st.markdown(question.text)
    form = st.form(f"lesson_form_{of.name}_{number}", border=False)
    with form, st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        if solution.choices:
            st.radio(
                question.text, solution.choices, index=None, key=key, horizontal=True, format_func=shell.plain,
                label_visibility="collapsed", width="content",
                help="Your first answer counts; a guess is fine.",
            )  # fmt: skip
        else:
            st.number_input(
                question.text, 0, controls.LARGEST, None, key=key, placeholder="a whole number", width=180,
                label_visibility="collapsed",
                help="Your first answer counts; a guess is fine.",
            )  # fmt: skip
        st.form_submit_button(
            "Check", key="lesson_check", icon=":material/quiz:", on_click=_check, args=(of, number, key)
        )
    earlier = lesson.progress().answers.get(of.name, {}).get(number)
    if earlier is not None:
        st.caption(
            f"Your first answer, some other time, was {'right' if earlier else 'wrong'}; it is the one that counts."
        )


def _check(of: Lesson, number: int, key: str) -> None:
    """Takes the answer that stands in the form."""
    given, solution = st.session_state.get(key), st.session_state.get(keys.SOLUTION)
    if given is None or solution is None or not isinstance(given, str | int | float):
        st.toast("Choose or type an answer first: a guess is fine.")
        return
    is_right = solution.is_right(given)
    st.session_state[keys.ANSWERED] = {**st.session_state.get(keys.ANSWERED, {}), (of.name, number): (given, solution)}
    lesson.note_answer(of, number, is_right)


def _reveal(question: Ask, given: str | float, solution: Solution) -> None:
    shown = given if isinstance(given, str) else f"{given:,}"
    st.markdown(question.text)
    if solution.is_right(given):
        st.markdown(f":material/check_circle: **{shell.plain(shown)}** is right. {shell.plain(solution.why)}")
    else:
        st.markdown(
            f":material/cancel: You said {shell.plain(shown)}; it is **{shell.plain(solution.right)}**. "
            f"{shell.plain(solution.why)}"
        )


# What the pages show ----------------------------------------------------------------------------------------------


def about_network(place: DeltaGenerator | None, chosen: Blueprint | None, T: int) -> None:
    """Of the Architecture page."""

    def screen() -> tuple[str, Screen] | None:
        if chosen is None:
            return None
        walk = arch_hello.on_show()
        numbers = {"T": T}
        seen = Screen(chosen.model, chosen.characters, weights=lambda: chosen.weights, numbers=numbers, walk=walk)
        return f"{chosen.name} {numbers} {walk.losses.tolist()}", seen

    ask(place, screen)


def about_training(
    place: DeltaGenerator | None, text: Text | None, found: Preflight | None, model: ModelConfig
) -> None:
    """Of the Train page: the network that would be trained, before its first step."""

    def screen() -> tuple[str, Screen] | None:
        if text is None or found is None:
            return None
        characters = found.vocabulary.characters
        read = "".join(c for c in text.content[:READ] if c in found.vocabulary)
        weights = blueprint.first_weights(model, len(characters), found.config.seed)
        return f"{model} {text.sha256} {found.config.seed}", Screen(model, characters, read, lambda: weights)

    ask(place, screen)


def about_writing(
    place: DeltaGenerator | None, choice: str | None, writer: Writer | None, settings: SampleConfig
) -> None:
    """Of the Sample page."""

    def screen() -> tuple[str, Screen] | None:
        if choice is None or writer is None:
            return None
        prime = settings.prime

        def after() -> Any:
            return read_prime(writer.model, writer.vocabulary, writer.vocabulary.encode(prime), 1)[0][0]

        name = f"{writers.identity(choice)} {writer.about} {prime}"
        return name, Screen(writer.model.config, writer.vocabulary.characters, prime, after=after)

    ask(place, screen)


def about_reading(place: DeltaGenerator | None, reading: Reading | None) -> None:
    """Of the pages that look inside."""

    def screen() -> tuple[str, Screen] | None:
        if reading is None:
            return None
        longer = bptt_position.held_out(reading)
        numbers = {
            "k": bptt_chunks.chunk_on_show(reading), "T": _number(unroll_graph.COLUMNS, unroll_graph.DEFAULT_COLUMNS),
            "start": _number(unroll_graph.START, 1),
        }  # fmt: skip
        shipped = reading.choice.removeprefix(writers.SHIPPED_PREFIX)
        seen = Screen(
            reading.network.model, reading.vocabulary.characters, reading.text, lambda: reading.network.weights,
            shipped=shipped if shipped != reading.choice else "", numbers=numbers,
            longer=None if longer is None else lambda: longer.text,
        )  # fmt: skip
        return f"{reading.name} {numbers} {longer and hashlib.sha256(longer.text.encode()).hexdigest()}", seen

    ask(place, screen)


def _number(key: str, first: int) -> int:
    value = st.session_state.get(key)
    return value if isinstance(value, int) else first

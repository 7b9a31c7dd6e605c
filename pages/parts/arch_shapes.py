"""The sequence shapes by what they do: each shape's tasks, unrolled over an example with a shipped network's values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from pages.parts import address, service, shell
from pages.parts.answers import FIRST_ASKED, QUESTIONS, opened_shipped
from pages.parts.blueprint import SHAPES, Blueprint
from pages.parts.keys import TASK, in_url, name_of, put
from rnn.catalogue import TASKS
from rnn.errors import PlaygroundError, TrainingError
from rnn.figures.shapes import sequence_shape, sequence_shape_alt
from rnn.records import Unrolled

if TYPE_CHECKING:
    from rnn.tasks.examples import Examples

FIRST_SHAPE = "Many to one"
SHAPE, CHOSEN, OWN, NUMBER = "arch_task_shape", "arch_shape_task_{}", "arch_shape_own_{}", "arch_shape_number_{}"
TEXT_MODEL = "lstm"  # the shipped network that predicts characters
OWN_LABELS = {
    "sentiment": "Your own sentence", "fill-blank": "Your own text with _", "next-character": "Your own text",
    "frames": "Your own digits", "number-names": "Your own number", "caption": "Your own digits",
}  # fmt: skip
PHRASES = ("the object", "a function", "import this", "returned as", "exceptions")
MOST_TYPED = 60  # letters: as many as a text of next-character may have
FIRST_ROW, STRIDE = {"fill-blank": 400}, 81  # which held-out example comes first, and how far the next one is

# Of each task where the first state comes from, and which outputs count.
SAYS = {
    "digit": (
        "There is none: nothing came before the image, and nothing is kept after it.",
        "The only output is the answer: a softmax over ten digits.",
    ),
    "digit-name": (
        "The image sets it: a learned linear map takes the 64 pixels to the first hidden state.",
        "Every one counts. Each letter is read back at the next step, until the network writes END.",
    ),
    "digit-rows": (
        "Zeros: before the first row, nothing is known.",
        "Only the last: its hidden state is the summary of all rows. The dashed ones show what the network would say "
        "if the image ended there.",
    ),
    "sentiment": (
        "Zeros: before the first word, nothing is known.",
        "Only the last: its hidden state is the summary of all words. The dashed ones show how the judgement turns.",
    ),
    "fill-blank": (
        "Zeros, twice: one direction begins on the left, the other on the right.",
        "Only the one at the blank, from both states there: what stands before it and what follows it.",
    ),
    "next-character": (
        "Zeros: before the first character, nothing is known.",
        "Every one counts: at each character the network predicts the one that follows.",
    ),
    "frames": (
        "Zeros: before the first frame, nothing is known.",
        "Every one counts: a label for each frame, the largest digit so far, which no frame shows by itself.",
    ),
    "number-names": (
        "The encoder starts from zeros, the decoder from the framed summary: all that is left of the English name.",
        "Only the decoder's. Each letter is read back at the next step, until the network writes END.",
    ),
    "caption": (
        "The encoder starts from zeros, the decoder from the framed summary: all that is left of the video.",
        "Only the decoder's. Each word is read back at the next step, until the network writes END.",
    ),
}  # fmt: skip


def show(chosen: Blueprint, T: int) -> None:
    """A shape, one of its tasks, and its network over one example; the chosen network is not what this is about."""
    name = st.segmented_control(
        "Shape",
        list(SHAPES),
        default=FIRST_SHAPE,
        **in_url(SHAPE),
        required=True,
        label_visibility="collapsed",
        help="How many inputs are read for how many answers.",
    )
    kinds = [kind for kind, info in TASKS.items() if info.shape == SHAPES.get(name, SHAPES[FIRST_SHAPE])]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        kind = _chosen_task(kinds)
        own = _own(kind)
        _another(kind)
    st.caption(shell.plain(TASKS[kind].description))
    number = address.number(name_of(NUMBER.format(kind)))
    try:
        unrolled, parameters = _unrolled(kind, number, own)
    except PlaygroundError as error:
        st.error(shell.plain(error))
        return
    shell.chart(sequence_shape(unrolled, shell.is_dark()), key="arch_shape_figure", alt=sequence_shape_alt(unrolled))
    if unrolled.note:
        st.caption(shell.plain(unrolled.note))
    first, counting = SAYS[kind]
    shared = _shared(unrolled, parameters)
    st.markdown(f"- **The first state.** {first}\n- **The outputs.** {counting}\n- **The parameters.** {shared}")
    st.caption("The network comes with the app; it is not the one that is chosen for the other views.")
    st.page_link(
        "pages/2_Train.py", label=f"Train it yourself: {TASKS[kind].title}", icon=":material/trending_down:",
        query_params={TASK: TASKS[kind].title},
    )  # fmt: skip


def _chosen_task(kinds: list[str]) -> str:
    """One of the shape's tasks, where there are several."""
    titles = {TASKS[kind].title: kind for kind in kinds}
    if len(kinds) == 1:
        return kinds[0]
    title = st.selectbox(
        "Task",
        list(titles),
        **in_url(CHOSEN.format(kinds[0].replace("-", "_"))),
        help="What the network of this shape has learned.",
    )
    return titles.get(title, kinds[0])  # else a forged one


def _another(kind: str) -> None:
    def next_one() -> None:
        address.step(name_of(NUMBER.format(kind)))
        if (own := OWN.format(kind)) in st.session_state:
            put(own, "")

    st.button(
        "Another", key="arch_shape_another", icon=":material/casino:", on_click=next_one,
        help="Another text." if kind == "next-character" else "Another example that was kept from training.",
    )  # fmt: skip


def _own(kind: str) -> str:
    """What the visitor types in place of an example; "" where nothing, or where the task reads images."""
    if kind not in OWN_LABELS:
        return ""
    _, help_text = QUESTIONS.get(kind, ("", f"From 2 to {MOST_TYPED} characters."))
    typed = st.text_input(
        OWN_LABELS[kind], max_chars=MOST_TYPED, placeholder=f"such as {FIRST_ASKED.get(kind, 'hello')}",
        **in_url(OWN.format(kind)), help=help_text,
    )  # fmt: skip
    return (typed or "").strip(" ")


def _shared(unrolled: Unrolled, parameters: int) -> str:
    read = sum(step.role == "encoder" for step in unrolled.steps)
    T = len(unrolled.steps)
    if not unrolled.cell:
        return f"{parameters:,}, each used once: there is no second step to share them with."
    if read:
        return (
            f"{parameters:,} in all, and no more for a longer sequence: the encoder's serve all its {read} steps, the "
            f"decoder's all its {T - read}."
        )
    return f"{parameters:,}, and no more for a longer sequence: the same ones serve all {T} steps."


# What the picture shows -------------------------------------------------------------------------------------------


@st.cache_data(max_entries=128, show_spinner=False)
def _unrolled(kind: str, number: int, own: str) -> tuple[Unrolled, int]:
    """The network of a task over an example, and its number of parameters."""

    def computed() -> tuple[Unrolled, int]:
        from rnn.tasks.unrolling import unroll

        task, model = opened_shipped(TEXT_MODEL if kind == "next-character" else kind)
        parameters = sum(parameter.numel() for parameter in model.parameters())
        return unroll(task, model, own or _example(kind, task, number)), parameters

    return service.scheduler().compute(computed)


def _example(kind: str, task: Any, number: int) -> Examples | str:
    """An example that was kept from training; of those of several lengths the shortest first, which are drawn whole."""
    if kind == "next-character":
        return PHRASES[number % len(PHRASES)]
    try:
        examples = task.held_out("test")
    except TrainingError:  # the text that it learned from is not that of this version of Python
        return FIRST_ASKED[kind]
    rows = np.arange(len(examples))
    if examples.input_lengths is not None and examples.target_lengths is not None:
        row = np.argsort(examples.input_lengths + examples.target_lengths, kind="stable")[number % len(rows)]
    else:
        row = rows[(FIRST_ROW.get(kind, 0) + STRIDE * number) % len(rows)]
    return examples[row : row + 1]

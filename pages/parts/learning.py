"""What is to be learned: the task, its data, and whether it can begin."""

from __future__ import annotations

import streamlit as st

from pages.parts import keys, texts
from pages.parts.keys import in_url
from pages.parts.limits import check_caps
from pages.parts.shell import plain
from rnn.catalogue import TASKS, parameter_count
from rnn.config import KINDS, ModelConfig, TaskConfig, TrainConfig
from rnn.corpora import Preflight
from rnn.errors import PlaygroundError
from rnn.records import RunInfo

TEXT_TASK = TaskConfig().kind  # the character-level language model


def choose_task(info: RunInfo | None) -> str:
    """What is to be learned; a run that comes on show brings its task with it, unless the link names another."""
    titles = {TASKS[kind].title: kind for kind in KINDS}
    if info is not None and st.session_state.get(keys.TASK_OF_RUN) != info.id:
        is_first = keys.TASK_OF_RUN not in st.session_state
        if not (is_first and keys.TASK in st.query_params):
            keys.put(keys.TASK, TASKS[info.kind].title)
        st.session_state[keys.TASK_OF_RUN] = info.id
    title = st.selectbox(
        "Task", list(titles), **in_url(keys.TASK),
        help="What the network learns: how many inputs it reads for how many answers.",
    )  # fmt: skip
    kind = titles.get(title, TEXT_TASK)  # else a forged one
    shape = TASKS[kind].shape.value.capitalize()
    st.caption(f"**{shape}.** " + (TASKS[kind].description if kind != TEXT_TASK else ""))
    return kind


def is_ready(task: TaskConfig, model: ModelConfig, train: TrainConfig, found: Preflight | None) -> bool:
    """Says what training will find; whether it may begin."""
    if task.kind == TEXT_TASK:
        return found is not None and texts.show_preflight(found, model)
    if TASKS[task.kind].needs_text and found is None:
        return False
    size = len(found.vocabulary) if found else 0
    try:
        parameters = parameter_count(task, model, size)
        check_caps(model, train, size, task)
    except PlaygroundError as error:
        st.error(plain(error))
        return False
    st.caption(f"The network has {parameters:,} parameters.")
    return True

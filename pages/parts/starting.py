"""The click that starts a run."""

from __future__ import annotations

import time

import streamlit as st

from pages.parts import keys, owner, service
from pages.parts.shell import plain
from rnn.config import ModelConfig, TrainConfig
from rnn.corpora import Text
from rnn.errors import PlaygroundError
from rnn.records import RunInfo

SECOND_CLICK = 2.0  # seconds within which the same start again is the same click: a double one
FIRST_POINT = 0.9  # seconds that the page waits for the first point of the curve before it draws itself


def start_button(is_ready: bool) -> bool:
    """Whether a run is to be started."""
    clicked = st.button(
        "Start training", key="train_start", type="primary", icon=":material/play_arrow:", disabled=not is_ready,
        width="stretch",
    )  # fmt: skip
    return clicked and is_ready


def start(text: Text, model: ModelConfig, train: TrainConfig) -> RunInfo | None:
    """Starts a run and makes it the current one; None where that cannot be done, and the page says why.

    The second half of a double click cuts this off at the next call of Streamlit's and runs the page anew: the run that
    has been made is noted first, and not made again.
    """
    wanted = (text.sha256, model, train)
    before, when = st.session_state.get(keys.STARTED, (None, 0.0))
    if before == wanted and time.monotonic() - when < SECOND_CLICK:
        return service.current_run()
    runs = service.scheduler()
    try:
        with st.spinner("Starting"):  # the first run of a server waits for torch, some seconds
            run_id = runs.create(owner.token(), text, model, train)
            st.session_state[keys.STARTED] = wanted, time.monotonic()
            service.choose_run(run_id)
        if runs.queue_position(run_id) is None:
            runs.wait_for_step(run_id, 1, FIRST_POINT)
        return runs.store.get(run_id)
    except PlaygroundError as error:
        st.error(plain(error))
        return None

"""The click that starts a run."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.parts import keys, owner, service
from pages.parts.shell import clock, plain
from rnn.config import ModelConfig, TaskConfig, TrainConfig
from rnn.corpora import Text
from rnn.errors import PlaygroundError
from rnn.records import Estimate, RunInfo

SECOND_CLICK = 2.0  # seconds within which the same start again is the same click: a double one
FIRST_POINT = 0.9  # seconds that the page waits for the first point of the curve before it draws itself
ESTIMATE_HEIGHT = 48  # pixels: two lines
ESTIMATE_PATIENCE = 2.0  # seconds for each of its steps; on a crowded server there is none


def start_button(is_ready: bool) -> bool:
    """Whether a run is to be started."""
    clicked = st.button(
        "Start training", key="train_start", type="primary", icon=":material/play_arrow:", disabled=not is_ready,
        width="stretch", help=None if is_ready else "What it waits for stands above.",
    )  # fmt: skip
    return clicked and is_ready


def once(wanted: object, make: Callable[[], str]) -> str:
    """The id of the run that `make` makes; the second half of a double click gets that of the first.

    A click cuts off the script at its next call of Streamlit's and runs the page anew, which may be seconds later, when
    `make` is done. What it made is therefore noted in an object of our own before anything else is called.
    """
    note: dict[str, Any] = st.session_state.setdefault(keys.STARTED, {})
    if note.get("wanted") != wanted or time.monotonic() - note["when"] > SECOND_CLICK:
        note["run"] = make()
        note["when"], note["wanted"] = time.monotonic(), wanted
    return str(note["run"])


def start(text: Text | None, task: TaskConfig, model: ModelConfig, train: TrainConfig) -> RunInfo | None:
    """Starts a run and makes it the current one; None where that cannot be done, and the page says why."""
    runs = service.scheduler()
    try:
        with st.spinner("Starting"):  # the first run of a server waits for torch, some seconds
            token = owner.token()
            wanted = text and text.sha256, task, model, train
            run_id = once(wanted, lambda: runs.create(token, text, model, train, task=task))
            service.choose_run(run_id)  # before anything is drawn: what asks for the page meanwhile cuts it off there
        if runs.queue_position(run_id) is None:
            runs.wait_for_step(run_id, 1, FIRST_POINT)
        return runs.store.get(run_id)
    except PlaygroundError as error:
        st.error(plain(error))
        return None


def place_of_estimate() -> DeltaGenerator:
    """Where the estimate will stand; a line that is there from the beginning, so that nothing moves."""
    return st.empty().container(height=ESTIMATE_HEIGHT, border=False, key="train_estimate")


def show_estimate(
    place: DeltaGenerator, text: Text | None, task: TaskConfig, model: ModelConfig, train: TrainConfig
) -> None:
    """Seconds, memory and speed of this training here, by a few steps of it, as soon as the server is warm."""
    runs = service.scheduler()
    if not runs.is_warm:
        return
    with suppress(PlaygroundError):  # the start says what is wrong
        found = _estimate(
            text.sha256 if text else "", task, model, train,
            lambda: runs.estimate(text, model, train, ESTIMATE_PATIENCE, task),
        )  # fmt: skip
        predictions = "characters" if task.kind == "next-character" else "predictions"
        place.caption(
            f"About {clock(found.seconds)} here: {found.chars_per_second:,.0f} {predictions}/s, "
            f"{max(1, found.memory_bytes / 1e6):,.0f} MB.",
            help="By four steps of this very training on this machine, had it nothing else to do.",
        )


@st.cache_data(
    max_entries=256, show_spinner=False,
    hash_funcs={kind: kind.to_json for kind in (TaskConfig, ModelConfig, TrainConfig)},
)  # fmt: skip
def _estimate(
    sha256: str, task: TaskConfig, model: ModelConfig, train: TrainConfig, _measure: Callable[[], Estimate]
) -> Estimate:
    """Measured once for all who ask for the same, however many do so at once."""
    return _measure()

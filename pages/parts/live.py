"""A run while it trains: its curve, its newest sample, and the buttons that steer it."""

from __future__ import annotations

import streamlit as st

from pages.parts import service, shell
from rnn.config import TrainConfig
from rnn.errors import PlaygroundError
from rnn.figures.loss import loss_curves, loss_title
from rnn.records import RunInfo, StepMetrics

PLOT_CONFIG = {"modeBarButtons": [["toImage"]], "displaylogo": False}


def run_panel(info: RunInfo) -> None:
    """Draws the run, once a second while it is active."""
    st.fragment(run_every=1.0 if service.is_active(info) else None)(_panel)(info.id, service.is_active(info))


def _panel(run_id: str, was_active: bool) -> None:
    runs = service.scheduler()
    try:
        info = runs.store.get(run_id)
        metrics = runs.store.metrics(run_id)
    except PlaygroundError as error:
        st.error(shell.plain(error))
        return
    if was_active != service.is_active(info):
        st.rerun()  # the whole page: whether this part is polled is decided there
    _status(info, metrics)
    if runs.store.owns(run_id, service.token()):
        _buttons(info)
    st.plotly_chart(
        loss_curves(metrics, shell.is_dark()), width="stretch", key="loss", config=PLOT_CONFIG, alt=loss_title(metrics)
    )
    samples = runs.store.samples(run_id)
    if samples:
        step, text = samples[-1]
        st.caption(f"Written after step {step:,}, always with the same random numbers")
        st.code(text, language=None, wrap_lines=True)


def _status(info: RunInfo, metrics: list[StepMetrics]) -> None:
    steps = info.last_step
    share = min(1.0, info.step / steps)
    position = service.scheduler().queue_position(info.id)
    words = f"waiting, number {position} in the queue" if position else info.status
    speed = f" · {metrics[-1].chars_per_second:,.0f} characters/s" if metrics else ""
    st.progress(share, f"**{words}** · step {info.step:,} of {steps:,} · {info.elapsed:.0f} s{speed}")
    if info.message:
        st.info(shell.plain(info.message))


def _buttons(info: RunInfo) -> None:
    active, is_done = service.is_active(info), info.step >= info.last_step
    pause, step, stop, sample = st.columns(4)
    if active:
        pause.button("Pause", key="run_pause", on_click=_command, args=("pause", info.id), width="stretch")
    else:
        beyond = info.step + TrainConfig.from_json(info.train).steps if is_done else info.stop_at
        pause.button(
            "Resume", key="run_resume", on_click=_command, args=("resume", info.id, beyond), width="stretch",
            help="Goes on beyond the last step, at the final learning rate." if is_done else None,
        )  # fmt: skip
    step.button(
        "One step", key="run_step", on_click=_command, args=("step_once", info.id), disabled=active, width="stretch",
        help="Takes a single optimizer step." + (" Pause the run first." if active else ""),
    )  # fmt: skip
    stop.button("Stop", key="run_stop", on_click=_command, args=("stop", info.id), disabled=not active, width="stretch")
    if sample.button("Sample", key="run_sample", icon=":material/edit_note:", width="stretch"):
        st.switch_page("pages/3_Sample.py", query_params={service.RUN: info.id})


def _command(name: str, run_id: str, *arguments: object) -> None:
    """Carries out a click; what cannot be done is said."""
    try:
        getattr(service.scheduler(), name)(run_id, service.token(), *arguments)
    except PlaygroundError as error:
        st.toast(shell.plain(error), icon=":material/error:")

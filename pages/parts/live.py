"""A run while it trains: its curve, its newest sample, and the buttons that steer it."""

from __future__ import annotations

import streamlit as st

from pages.parts import keys, owner, service, shell
from pages.parts.keys import in_url
from pages.parts.limits import is_public
from pages.parts.runs import command
from rnn.config import TrainConfig
from rnn.errors import NoSuchRunError, PlaygroundError
from rnn.figures.loss import UNITS, loss_curves, loss_title
from rnn.records import RunInfo, StepMetrics

REDRAWS_PER_SECOND = 10  # of all runs that train together: each takes about 20 ms from training


def run_panel(info: RunInfo) -> None:
    """Draws the run, once a second while it is active; less often where many train."""
    is_active = service.is_active(info)
    seconds = max(1.0, service.scheduler().active_count() / REDRAWS_PER_SECOND)
    st.fragment(run_every=seconds if is_active else None)(_panel)(info.id, is_active)


def empty_panel() -> None:
    """What stands in a run's place. The empty chart makes the browser load Plotly before the first point comes."""
    st.info("Press **Start training**: within seconds the loss falls and the model begins to write.")
    _draw([], "nats", False)


def _panel(run_id: str, was_active: bool) -> None:
    runs = service.scheduler()
    try:
        info = runs.store.get(run_id)
        metrics = runs.store.metrics(run_id)
        samples = runs.store.samples(run_id)
        is_own = runs.store.owns(run_id, owner.token())
    except NoSuchRunError:
        st.rerun()  # deleted in another tab: the whole page says so, once
    except PlaygroundError as error:
        st.error(shell.plain(error))
        return
    if was_active != service.is_active(info):
        st.rerun()  # the whole page: whether this part is polled is decided there
    _status(info, metrics)
    _buttons(info, is_own)
    _chart(run_id, metrics)
    if samples:
        step, text = samples[-1]
        st.caption(f"Written after step {step:,}, always with the same random numbers")
        st.code(text, language=None, wrap_lines=True)
    if is_own and is_public() and not service.is_active(info) and info.step > 0:
        st.caption("Runs are not kept on this server for ever: **Manage**, **Download** keeps this one for you.")


def _status(info: RunInfo, metrics: list[StepMetrics]) -> None:
    runs = service.scheduler()
    position, left = runs.queue_position(info.id), runs.seconds_left(info.id)
    words = [
        f"**{f'waiting, number {position} in the queue' if position else info.status}**",
        f"step {info.step:,} of {info.last_step:,}",
        _clock(info.elapsed),
    ]
    if metrics:
        in_bfloat16 = " in bfloat16" if runs.precision(info.id) == "bfloat16" else ""
        words.append(f"{metrics[-1].chars_per_second:,.0f} characters/s{in_bfloat16}")
    if left is not None:
        words.append(f"about {_clock(left)} left")
    st.progress(min(1.0, max(0, info.step) / max(1, info.last_step)), " · ".join(words))
    if info.message:
        place = st.caption if info.status in ("running", "finished") else st.info
        place(shell.plain(info.message))
    if trouble := runs.trouble(info.id):
        st.warning(f"Training goes on in memory. {shell.plain(trouble)}")


def _clock(seconds: float) -> str:
    """`42 s`, `3:07 min`."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes}:{seconds:02} min"


def _buttons(info: RunInfo, is_own: bool) -> None:
    with st.container(horizontal=True, gap="small"):
        if is_own:
            _steering(info)
        if st.button("Sample", key="run_sample", icon=":material/edit_note:", type="primary"):
            st.session_state.pop(keys.PIECE, None)  # written anew, with the weights as they are now
            st.switch_page("pages/3_Sample.py", query_params={keys.RUN: info.id})


def _steering(info: RunInfo) -> None:
    active, is_done = service.is_active(info), info.step >= info.last_step
    if active:
        _button("Pause", "pause", info, "pause")
    else:
        beyond = info.step + TrainConfig.from_json(info.train).steps if is_done else info.stop_at
        help_text = "Goes on beyond the last step, at the final learning rate." if is_done else None
        _button("Resume", "resume", info, "play_arrow", beyond, help=help_text)
    help_text = "Takes a single optimizer step." + (" Pause the run first." if active else "")
    _button("One step", "step_once", info, "skip_next", disabled=active, help=help_text)
    _button("Stop", "stop", info, "stop", disabled=not active)
    with st.popover("Reset", icon=":material/restart_alt:", disabled=info.step == 0):
        st.write("What the run has learned is lost. Settings and seed stay, so it would learn the same again.")
        _button("Back to step 0", "reset", info, "restart_alt")


def _button(label: str, name: str, info: RunInfo, icon: str, *arguments: object, **options: object) -> None:
    st.button(
        label, key=f"run_{name}_{info.id}", icon=f":material/{icon}:", on_click=command,
        args=(name, info.id, *arguments), **options,
    )  # fmt: skip


def _chart(run_id: str, metrics: list[StepMetrics]) -> None:
    """The loss. Frozen, it stands still while training goes on, so that it can be zoomed."""
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        unit = st.segmented_control(
            "Unit of the loss", list(UNITS), default="nats", **in_url(keys.UNIT), label_visibility="collapsed",
            required=True,
        )  # fmt: skip
        log_steps = st.toggle("Log steps", **in_url(keys.LOG_STEPS), help="Steps on a logarithmic axis.")
        is_frozen = st.toggle("Freeze", key=keys.FREEZE, help="Holds the chart still, to zoom; training goes on.")
    if is_frozen:
        if st.session_state.get(keys.FROZEN, (None,))[0] != run_id:
            st.session_state[keys.FROZEN] = run_id, metrics
        metrics = st.session_state[keys.FROZEN][1]
    else:
        st.session_state.pop(keys.FROZEN, None)
    _draw(metrics, unit if unit in UNITS else "nats", log_steps)


def _draw(metrics: list[StepMetrics], unit: str, log_steps: bool) -> None:
    st.plotly_chart(
        loss_curves(metrics, unit, log_steps, shell.is_dark()), width="stretch", key="loss", config=shell.PLOT_CONFIG,
        alt=loss_title(metrics, unit),
    )  # fmt: skip

"""A run while it trains: its curve, its newest sample, and the buttons that steer it."""

from __future__ import annotations

import streamlit as st

from pages.parts import keys, owner, service, shell, views
from pages.parts.learning import TEXT_TASK
from pages.parts.limits import is_public
from pages.parts.runs import command
from rnn.catalogue import TASKS
from rnn.config import TrainConfig, help_for
from rnn.corpora import Text
from rnn.errors import NoSuchRunError, PlaygroundError
from rnn.records import RunInfo, StepMetrics

RATE_FACTORS = (0.03, 0.1, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
REDRAWS_PER_SECOND = 8  # of all runs that train together: each takes about 20 ms from training
MOST_OFF = 1.5  # times what the time between two redraws should be


def run_panel(info: RunInfo) -> None:
    """Draws the run; what moves, once a second while it is active, and less often where many train."""
    _panel(info.id, service.is_active(info), info.step > 0)


def empty_panel(text: Text | None, train: TrainConfig) -> None:
    """What stands in a run's place. The empty chart makes the browser load Plotly before the first point comes."""
    st.info("Press **Start training**: within seconds the loss falls and the model begins to write.")
    views.draw_loss([], "nats", False, views.baselines_of(text, train) if text else None)


@st.fragment
def _panel(run_id: str, was_active: bool, had_begun: bool) -> None:
    """Controls, which stay as they are while it trains, and what they are about. All in all some forty elements, of
    which five move: the others cost most of the time that thirty visitors would take from training."""
    info = _seen(run_id, was_active, had_begun)
    if info is None:
        return
    runs = service.scheduler()
    is_own = runs.store.owns(run_id, owner.token())
    if info.diverged and is_own:
        _recovery(info)
    if is_own:
        _steering(info)
    view, options = views.choose(info)
    seconds = pace() if was_active else None
    st.fragment(run_every=seconds)(_moving)(run_id, was_active, had_begun, seconds, is_own, view, options)
    if is_own and is_public() and not was_active and info.step > 0:
        st.caption("Runs are not kept on this server for ever: **Manage**, **Download** keeps this one for you.")


def pace() -> float:
    """Seconds between two redraws of a run that trains: the more of them train, the longer."""
    return max(1.0, service.scheduler().active_count() / REDRAWS_PER_SECOND)


def keep_pace(seconds: float | None) -> None:
    """Draws the whole page anew where a timer of so many seconds is far from what it should be by now: a browser keeps
    the one that it was given, and who came first into a class would redraw as often as when nobody else was there."""
    if seconds is not None and not 1 / MOST_OFF <= pace() / seconds <= MOST_OFF:
        st.rerun()


def _moving(
    run_id: str, was_active: bool, had_begun: bool, seconds: float | None, is_own: bool, view: str,
    options: views.LossOptions,
) -> None:  # fmt: skip
    info = _seen(run_id, was_active, had_begun)
    keep_pace(seconds)
    if info is not None:
        _status(info, metrics := service.scheduler().store.metrics(run_id))
        views.show(view, options, info, metrics, is_own)


def _seen(run_id: str, was_active: bool, had_begun: bool) -> RunInfo | None:
    """The run as it is now; None where it cannot be read. The whole page is drawn anew where its controls change."""
    try:
        info = service.scheduler().store.get(run_id)
    except NoSuchRunError:
        st.rerun()  # deleted in another tab: the whole page says so, once
    except PlaygroundError as error:
        st.error(shell.plain(error))
        return None
    if was_active != service.is_active(info) or had_begun != (info.step > 0):
        st.rerun()
    return info


def _status(info: RunInfo, metrics: list[StepMetrics]) -> None:
    runs = service.scheduler()
    position, left = runs.queue_position(info.id), runs.seconds_left(info.id)
    held = ", held by the teacher" if position and runs.is_held else ""
    words = [
        f"**{f'waiting, number {position} in the queue{held}' if position else info.status}**",
        f"step {info.step:,} of {info.last_step:,}",
        shell.clock(info.elapsed),
    ]
    if metrics:
        in_bfloat16 = " in bfloat16" if runs.precision(info.id) == "bfloat16" else ""
        predictions = "characters" if info.kind == TEXT_TASK else "predictions"
        words.append(f"{metrics[-1].chars_per_second:,.0f} {predictions}/s{in_bfloat16}")
    if info.score is not None:
        words.append(f"{info.score:.1%} of {TASKS[info.kind].score} right")
    if left is not None:
        words.append(f"about {shell.clock(left)} left")
    said = info.message if info.status == "finished" else ""
    words += [shell.plain(said)] if said else []
    st.progress(min(1.0, max(0, info.step) / max(1, info.last_step)), " · ".join(words))
    if info.message and info.message != said:
        place = st.caption if info.status in ("running", "finished") else st.warning if info.diverged else st.info
        place(shell.plain(info.message))
    if trouble := runs.trouble(info.id):
        st.warning(f"Training goes on in memory. {shell.plain(trouble)}")


def _recovery(info: RunInfo) -> None:
    """The way on for a run that broke, instead of one that would break again in the same place."""
    _button(
        "Recover", "recover", info, "healing", type="primary",
        help="Goes on from the last good weights with a third of the learning rate and the gradient clipped by norm.",
    )  # fmt: skip


def _steering(info: RunInfo) -> None:
    """The buttons of its owner."""
    active, is_done = service.is_active(info), info.step >= info.last_step
    with st.container(horizontal=True, gap="small"):
        if active:
            _button("Pause", "pause", info, "pause")
        else:
            beyond = info.step + TrainConfig.from_json(info.train).steps if is_done else info.stop_at
            help_text = "Goes on beyond the last step, at the final learning rate." if is_done else None
            _button("Resume", "resume", info, "play_arrow", beyond, help=help_text)
        help_text = "Takes a single optimizer step." + (" Pause the run first." if active else "")
        _button("One step", "step_once", info, "skip_next", disabled=active, help=help_text)
        help_text = "Saves the run and ends it; it can be resumed." if active else "It does not train now."
        _button("Stop", "stop", info, "stop", disabled=not active, help=help_text)
        with st.popover("Adjust", icon=":material/speed:"):
            _rate(info)
            _stops(info)
        with st.popover("Reset", icon=":material/restart_alt:", disabled=info.step == 0, help=_why_no_reset(info)):
            st.write("What the run has learned is lost. Settings and seed stay, so it would learn the same again.")
            _button("Back to step 0", "reset", info, "restart_alt")


def _why_no_reset(info: RunInfo) -> str | None:
    return "There is nothing to undo before the first step." if info.step == 0 else None


def _rate(info: RunInfo) -> None:
    """The learning rate while it trains; the next step uses it."""
    key = f"{keys.RATE}_{info.id}_{info.rate_multiplier:.3g}"  # it follows what a recovery does to the rate
    choices = sorted({*RATE_FACTORS, info.rate_multiplier})
    st.select_slider(
        "Learning rate, times the scheduled one", choices, info.rate_multiplier, key=key,
        format_func=lambda factor: f"{factor:.3g}", on_change=_set_rate, args=(info.id, key),
        help="Takes effect at the next step and is noted in the run with its step.",
    )  # fmt: skip


def _set_rate(run_id: str, key: str) -> None:
    factor = st.session_state[key]
    if isinstance(factor, int | float):
        command("set_rate_multiplier", run_id, float(factor))


def _stops(info: RunInfo) -> None:
    """When it ends by itself, apart from its steps."""
    train = TrainConfig.from_json(info.train)
    with st.form(f"stops_{info.id}", border=False):
        minutes = st.number_input(
            "Stop after minutes of training", 0.01, 100_000.0, train.minutes, placeholder="none",
            key=f"run_minutes_{info.id}", help=help_for(TrainConfig, "minutes"),
        )  # fmt: skip
        target = st.number_input(
            "Stop at a validation loss of", 0.0, 100.0, train.target_loss, placeholder="none",
            key=f"run_target_{info.id}", help=help_for(TrainConfig, "target_loss"),
        )  # fmt: skip
        patience = st.number_input(
            "Stop after validations without a new best", 1, 100_000, train.patience, placeholder="none",
            key=f"run_patience_{info.id}", help=help_for(TrainConfig, "patience"),
        )  # fmt: skip
        if st.form_submit_button("Set the stops", icon=":material/flag:"):
            command("set_stops", info.id, minutes, target, patience)


def _button(label: str, name: str, info: RunInfo, icon: str, *arguments: object, **options: object) -> None:
    st.button(
        label, key=f"run_{name}_{info.id}", icon=f":material/{icon}:", on_click=command,
        args=(name, info.id, *arguments), **options,
    )  # fmt: skip

"""For the teacher: what the whole server does, and how all of it is let rest. Behind a key, or not there at all."""

from __future__ import annotations

import hmac
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import streamlit as st
from streamlit import runtime

from pages.parts import keys, service, shell
from rnn.errors import PlaygroundError
from rnn.figures.classroom import server_load, server_load_alt
from rnn.records import Overview, WatchedRun
from rnn.runs.watch import as_csv

VARIABLE = "RNN_PLAYGROUND_TEACHER_KEY"
MOST_LETTERS = 500  # of a key that is tried
REFRESH_SECONDS = 2.0
MOST_WRONG, WITHIN_SECONDS = 10, 60.0
WRONG = "This is not the key."
TOO_MANY = "Too many wrong keys were tried here. Wait a minute, then try again."


class Guesses:
    """Lets a key be tried a few times a minute, by all visitors together: a new session would be a new visitor.

    Args:
        now: a clock, seconds.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._wrong: deque[float] = deque()  # when

    def refusal(self, given: str, key: str) -> str:
        """ "" for the right key, else a sentence. While too many were wrong, the right one is refused, too."""
        with self._lock:
            while self._wrong and self._wrong[0] <= self._now() - WITHIN_SECONDS:
                self._wrong.popleft()
            if len(self._wrong) >= MOST_WRONG:
                return TOO_MANY
            if hmac.compare_digest(_bytes(given), _bytes(key)):
                return ""
            self._wrong.append(self._now())
            return WRONG


def part() -> None:
    """The entry at the end of Home, where this server has a key."""
    if not os.environ.get(VARIABLE):
        return
    with st.expander("For the teacher", icon=":material/school:"):
        if st.session_state.get(keys.TEACHER) is True:
            st.fragment(run_every=REFRESH_SECONDS)(_show)()
        else:
            _door()


@st.fragment
def _door() -> None:
    with st.form("teacher_door", clear_on_submit=True, border=False):
        given = st.text_input(
            "Key", type="password", key=keys.TEACHER_KEY, max_chars=MOST_LETTERS, autocomplete="off",
            help="The one that this server was started with.",
        )  # fmt: skip
        if not st.form_submit_button("Open", icon=":material/key:"):
            return
    refusal = _guesses().refusal(str(given)[:MOST_LETTERS], os.environ.get(VARIABLE, ""))
    if refusal:
        st.error(refusal)
        return
    st.session_state[keys.TEACHER] = True
    st.rerun()


def _show() -> None:
    try:
        seen = service.scheduler().overview()
    except PlaygroundError as error:
        st.error(shell.plain(error))
        return
    _numbers(seen)
    _buttons(seen)
    if seen.runs:
        _table(seen.runs)
    else:
        st.caption("Nothing trains and nothing waits.")
    shell.chart(server_load(seen, shell.is_dark()), key="teacher_load", alt=server_load_alt(seen))


def _numbers(seen: Overview) -> None:
    waiting, pages = sum(run.place is not None for run in seen.runs), _open_pages()
    told = {
        "Training": str(len(seen.runs) - waiting), "Waiting": str(waiting), "Visitors": str(seen.visitors),
        "Open pages": "?" if pages is None else str(pages), "Characters/s": f"{seen.chars_per_second:,.0f}",
        "Memory": _megabytes(seen.memory_bytes), "On disk": _megabytes(seen.disk_bytes),
    }  # fmt: skip
    with st.container(horizontal=True, gap="medium"):
        for label, value in told.items():
            st.metric(label, value, width="content")


def _buttons(seen: Overview) -> None:
    with st.container(horizontal=True, gap="small"):
        _button("Pause all", "pause_all", "pause", disabled=not seen.runs, help="Saves all runs and lets them rest.")
        if seen.is_held:
            _button("Release", "release", "lock_open", help="Runs may start again; what waits starts.")
        else:
            _button("Hold", "hold", "lock", help="No run starts or resumes until the release; active ones go on.")
        _button(
            f"Resume all ({seen.paused})", "resume_all", "play_arrow", disabled=not seen.paused,
            help="Ends the hold and goes on with what was paused here.",
        )  # fmt: skip
        st.download_button(
            "List as CSV", _csv, "class.csv", "text/csv", key="teacher_csv", on_click="ignore",
            icon=":material/download:", disabled=not seen.runs,
        )  # fmt: skip
        st.button(
            "Close", key="teacher_close", icon=":material/logout:", on_click=_close, help="The key opens it again."
        )
    if seen.is_held:
        st.warning("On hold: no run starts or resumes until the release, whoever asks.", icon=":material/lock:")


def _button(label: str, name: str, icon: str, **options: Any) -> None:
    st.button(label, key=f"teacher_{name}", icon=f":material/{icon}:", on_click=_carry_out, args=(name,), **options)


def _carry_out(name: str) -> None:
    """A click; the session asks again whether it may."""
    if st.session_state.get(keys.TEACHER) is not True:
        return
    try:
        failed = getattr(service.scheduler(), name)()
        if failed:
            what = "could not be saved and train on" if name == "pause_all" else "cannot go on now and rest"
            st.toast(f"Runs that {what}: {failed}.", icon=":material/error:")
    except PlaygroundError as error:
        st.toast(shell.plain(error), icon=":material/error:")


def _csv() -> bytes:
    """The list as it is when it is asked for; with the mark by which spreadsheets know UTF-8."""
    return as_csv(service.scheduler().overview().runs).encode("utf-8-sig")


def _close() -> None:
    st.session_state.pop(keys.TEACHER, None)


def _table(runs: tuple[WatchedRun, ...]) -> None:
    import pandas as pd  # here, because half a second of the first visit to a new server would go into it

    rows = [
        {
            "visitor": f"visitor {run.visitor}", "run": run.name, "learns": run.task, "network": run.network,
            "is": run.status if run.place is None else f"number {run.place} in the queue",
            "step": run.step, "of": run.last_step, "speed": run.chars_per_second, "since": run.since,
        }
        for run in runs
    ]  # fmt: skip
    table = pd.DataFrame(rows)
    table["since"] = pd.to_datetime(table["since"], unit="s", utc=True)
    st.dataframe(
        table, hide_index=True, key="teacher_runs",
        column_config={
            "speed": st.column_config.NumberColumn("characters/s", format="%.0f", help="by the clock, others included"),
            "since": st.column_config.DatetimeColumn(format="distance"),
        },
    )  # fmt: skip


def _megabytes(size: int | None) -> str:
    return "?" if size is None else f"{size / 1e6:,.0f} MB"


def _open_pages() -> int | None:
    """How many sessions are connected, or None where Streamlit does not tell."""
    with suppress(RuntimeError, AttributeError):
        return int(runtime.get_instance()._session_mgr.num_active_sessions())
    return None


@st.cache_resource(show_spinner=False)
def _guesses() -> Guesses:
    return Guesses()


def _bytes(key: str) -> bytes:
    return key.encode("utf-8", "surrogatepass")

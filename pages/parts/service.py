"""The one store and scheduler of the server, and the run that a page is about."""

from __future__ import annotations

from contextlib import suppress

import streamlit as st

from pages.parts import owner
from pages.parts.keys import OWNER, RUN, RUN_IN_URL
from pages.parts.limits import is_public, limits, quota
from pages.parts.shell import complaints, plain
from rnn.errors import NoSuchRunError, PlaygroundError, StoreError
from rnn.records import RunInfo
from rnn.runs import journal
from rnn.runs.scheduler import Scheduler
from rnn.runs.store import ACTIVE, Store


@st.cache_resource(show_spinner=False, on_release=Scheduler.close)
def _scheduler() -> Scheduler:
    journal.write_to_stderr()
    caps = limits()
    runs = Scheduler(Store(), caps.active_per_owner, caps.active_in_total, caps.kept_per_owner, quota=quota())
    runs.resume_interrupted()
    return runs


def scheduler() -> Scheduler:
    """The server's scheduler. Where it cannot be made, the page says why and ends."""
    with complaints():
        return _scheduler()


def open_runs() -> Scheduler:
    """The scheduler for a page that begins: it learns who is asking, and says, once, if this server does not train."""
    runs, kept = scheduler(), owner.recognised()
    with complaints():
        if kept:
            if runs.store.count_of(owner.token()):
                runs.change_owner(owner.token(), kept)
            st.session_state[OWNER] = kept  # last: what is cut off before is done again
        refusal = runs.refusal
    if refusal and is_public():  # whom the server's folders do not concern
        refusal = "Another server is already training with these runs. This one shows them and can sample."
    if refusal:
        st.warning(plain(refusal))
    return runs


def warm_up() -> None:
    """Loads torch in the background; pages call it when they have drawn themselves."""
    with suppress(PlaygroundError):  # of runs that cannot be opened, the pages that show some say it
        _scheduler().warm_up()


def own_runs() -> list[RunInfo]:
    """The visitor's runs, the newest first."""
    with complaints():
        return scheduler().store.runs_of(owner.token())


def current_run() -> RunInfo | None:
    """The run that the page is about: the one that the URL names anew, else the one chosen before."""
    named, chosen = st.query_params.get(RUN), st.session_state.get(RUN)
    # After a click that was interrupted, the browser's URL may still be that of before.
    run_id = named if named and named != st.session_state.get(RUN_IN_URL) else chosen or named
    if not run_id:
        return None
    try:
        info = scheduler().store.get(run_id)
    except NoSuchRunError as error:
        st.warning(plain(error))
        choose_run(None)
        return None
    except StoreError as error:
        st.error(plain(error))
        return None
    st.session_state[RUN], st.session_state[RUN_IN_URL] = info.id, named
    return info


def choose_run(run_id: str | None) -> None:
    """Makes a run the current one, here and in the URL."""
    if run_id is None:
        for key in (RUN, RUN_IN_URL):
            st.session_state.pop(key, None)
        st.query_params.pop(RUN, None)
        return
    st.session_state[RUN] = run_id
    if st.query_params.get(RUN) != run_id:
        st.query_params[RUN] = run_id
    st.session_state[RUN_IN_URL] = run_id


def is_active(info: RunInfo) -> bool:
    return info.status in ACTIVE

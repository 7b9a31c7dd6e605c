"""The one store and scheduler of the server, and who is asking."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from pages.parts.limits import is_public, limits
from pages.parts.shell import complaints, plain
from rnn.checkpoint_file import read
from rnn.errors import NoSuchRunError, StoreError
from rnn.records import RunInfo
from rnn.runs.scheduler import Scheduler
from rnn.runs.store import ACTIVE, Store
from rnn.sampling import NumpyModel
from rnn.vocabulary import Vocabulary

RUN = "run"  # key of the current run, in the session and in the URL
TOKEN = "owner_token"


@st.cache_resource(show_spinner=False, on_release=Scheduler.close)
def _scheduler() -> Scheduler:
    caps = limits()
    return Scheduler(Store(), caps.active_per_owner, caps.active_in_total)


def scheduler() -> Scheduler:
    """The server's scheduler. Where it cannot be made, the page says why and ends."""
    with complaints():
        return _scheduler()


def open_runs() -> Scheduler:
    """The scheduler for a page that begins: it says, once, if this server does not train."""
    runs = scheduler()
    with complaints():
        refusal = runs.refusal
    if refusal:
        st.warning(plain(refusal))
    return runs


@st.cache_resource(show_spinner=False)
def warm_up() -> None:
    """Loads torch in the background, once; pages call it when they have drawn themselves."""
    _scheduler().warm_up()


def token() -> str:
    """The visitor's secret: one owner on a laptop, one per session on a public server."""
    if not is_public():
        return "laptop"
    return str(st.session_state.setdefault(TOKEN, secrets.token_urlsafe(32)))


def current_run() -> RunInfo | None:
    """The run that the page is about: the one in the URL, else the one chosen before."""
    run_id = st.query_params.get(RUN) or st.session_state.get(RUN)
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
    choose_run(info.id)
    return info


def choose_run(run_id: str | None) -> None:
    """Makes a run the current one, here and in the URL."""
    if run_id is None:
        st.session_state.pop(RUN, None)
        st.query_params.pop(RUN, None)
    else:
        st.session_state[RUN] = st.query_params[RUN] = run_id


def is_active(info: RunInfo) -> bool:
    return info.status in ACTIVE


@dataclass(frozen=True)
class Writer:
    """A trained model as far as writing needs it; shared by all sessions and never changed."""

    model: NumpyModel
    vocabulary: Vocabulary
    weights: str  # which weights these are, in words


def writer(run_id: str) -> Writer:
    """A run's model as it is now (its owner's active run is saved first), or as it was last saved.

    Raises:
        PlaygroundError: nothing has been saved yet, or it cannot be read.
    """
    runs = scheduler()
    if runs.store.owns(run_id, token()) and not runs.refusal:
        runs.save(run_id, token())
    path = runs.store.checkpoint_path(run_id)
    if not path.exists():
        raise StoreError("This run has not been saved yet. Its first save comes within half a minute of training.")
    return _read(path, path.stat().st_mtime_ns)


@st.cache_resource(max_entries=8, show_spinner=False)
def _read(path: Path, changed: int) -> Writer:
    """`changed`, the time of the file's last change, is part of the key."""
    checkpoint = read(path)
    best = checkpoint.metadata["best"]
    which = (
        f"step {best['step']:,}, the lowest validation loss so far ({best['loss']:.2f} nats)"
        if best
        else f"step {checkpoint.step:,}"
    )
    return Writer(checkpoint.sampler(), checkpoint.vocabulary, which)

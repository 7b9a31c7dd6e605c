"""What is kept of a visitor, for how long, and how all of it goes at once."""

from __future__ import annotations

from contextlib import suppress

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.parts import keys, owner, reading, service, writers
from pages.parts.limits import is_public, limits
from pages.parts.shell import plain
from rnn.errors import PlaygroundError
from rnn.records import RunInfo


def kept_for() -> str:
    """What is kept and for how long, in a sentence or two."""
    if is_public():
        return (
            f"Your runs, with their texts, are kept on this server until you delete them, and for at most "
            f"{limits().kept_days:g} days after their last change; when it needs the room, those that rest for longest "
            "go earlier. Your browser keeps a random token, which makes them yours, and no name."
        )
    return "Your runs, with their texts, are kept on this computer until you delete them."


def delete_everything(runs: list[RunInfo]) -> None:
    """The way to delete all that is kept of the visitor, with one step to confirm it."""
    with st.popover("Delete everything of mine", icon=":material/delete_forever:"):
        st.write(
            f"{'Your run goes' if len(runs) == 1 else f'All {len(runs)} runs of yours go'}, active or not: weights, "
            "curves, samples and texts. So does what this page and this browser hold. It cannot be undone."
        )
        st.button(
            "Yes, delete everything", key="delete_everything", icon=":material/delete_forever:", type="primary",
            on_click=_delete_everything,
        )  # fmt: skip
    st.caption(kept_for())


def say_so(runs: list[RunInfo]) -> None:
    """What a page says that was opened anew because everything was deleted."""
    if st.query_params.pop(keys.DELETED, None) and not runs:
        st.toast("Everything of yours is deleted.", icon=":material/check:", duration="long")


def _delete_everything() -> None:
    try:
        service.scheduler().delete_all(owner.token())
    except PlaygroundError as error:
        st.toast(plain(error), icon=":material/error:")
        return
    _forget()


def _forget() -> None:
    """Empties the session and what the server's memory has of texts, and lets the browser begin anew."""
    service.choose_run(None)  # the rest of the URL goes when the page is opened anew
    for key in list(st.session_state):
        del st.session_state[key]
    context = get_script_run_ctx()
    if context is not None:
        with suppress(AttributeError):  # a test has no place for uploads
            context.uploaded_file_mgr.remove_session_files(context.session_id)
    reading.forget_traces()
    writers.forget_runs()
    st.session_state[keys.FORGETS] = True

"""What pages put into the URL by hand, because no widget holds it or a long one would make a URL that no server takes.

A value is kept in the session too, under the same name, since the URL loses it on the way to another page.
"""

from __future__ import annotations

import re

import streamlit as st

from pages.parts import keys

LONGEST = 500  # characters of a text that a link carries
WHOLE = re.compile(r"[0-9]{1,9}")
PRINTED = re.compile(r"[^\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]+")  # and tabs and line breaks


def number(key: str) -> int:
    """How often something was asked to be another one, or drawn anew: the session's number, else the link's, else 0."""
    if key not in st.session_state:
        st.session_state[key] = linked_number(key, 0)
    found = int(st.session_state[key])
    put_number(key, found, 0)
    return found


def step(key: str) -> None:
    """The next of these numbers."""
    st.session_state[key] = int(st.session_state.get(key, 0)) + 1


def linked_number(key: str, usual: int) -> int:
    """The whole number that the link carries, else the usual one."""
    linked = st.query_params.get(key, "")
    return int(linked) if WHOLE.fullmatch(linked) else usual


def put_number(key: str, value: int, usual: int) -> None:
    """Puts a number into the URL, unless it is the one that stands there without a link."""
    put(key, None if value == usual else str(value))


def linked_text(key: str) -> str | None:
    """The text that the link carries; None where it carries none, or more than a link can hold."""
    text = st.query_params.get(key)
    return text if text and len(text) <= LONGEST and PRINTED.fullmatch(text) else None


def put_text(key: str, text: str, usual: str, what: str) -> None:
    """Puts a text into the URL, unless it is the one that stands there without a link.

    Args:
        what: the text's name, for the sentence that says that it is too long for a link.
    """
    put(key, None if text == usual or not 0 < len(text) <= LONGEST else text)
    if text != usual and len(text) > LONGEST:
        leave_out(f"{what} has more than {LONGEST} characters")


def put(key: str, value: str | None) -> None:
    """A value in the URL; None takes it out."""
    if value is None:
        if key in st.query_params:
            del st.query_params[key]
    elif st.query_params.get(key) != value:
        st.query_params[key] = value


def leave_out(what: str) -> None:
    """Notes for who shares the page that something on it is not in its link."""
    st.session_state.setdefault(keys.LEFT_OUT, []).append(what)

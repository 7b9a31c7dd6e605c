"""Who is asking: a random token that the visitor's browser keeps, and that no URL ever holds."""

from __future__ import annotations

import re
import secrets
from pathlib import Path

import streamlit as st

from pages.parts.keys import FORGETS, OWNER
from pages.parts.limits import is_public

TOKEN = re.compile(r"[\w-]{43}")  # as `token_urlsafe(32)` writes 256 random bits
ON_A_LAPTOP = "laptop"  # everybody who opens the app is its owner

_keeper = st.components.v2.component(
    "rnn_playground_owner", js=(Path(__file__).parents[2] / "assets" / "owner.js").read_text(encoding="utf-8")
)


def token() -> str:
    """The visitor's secret."""
    if not is_public():
        return ON_A_LAPTOP
    return str(st.session_state.setdefault(OWNER, secrets.token_urlsafe(32)))


def recognised() -> str | None:
    """Draws the (invisible) part that asks the browser for the token it keeps; that token, if the session has another.

    A first visitor's browser keeps the session's. Of somebody who comes back, the page learns a moment after it has
    been drawn, and runs again. Where everything was deleted, the browser forgets its token and opens the page anew.
    """
    if st.session_state.get(FORGETS):
        with st.sidebar:
            _keeper(key="owner_forgets", data={"forget": True}, height=1)
        return None
    if not is_public():
        return None
    own = token()
    with st.sidebar:
        kept = _keeper(
            key="owner", data={"token": own}, default={"token": ""}, on_token_change=_nothing, height=1
        ).token
    return kept if isinstance(kept, str) and TOKEN.fullmatch(kept) and kept != own else None


def _nothing() -> None:
    """Streamlit wants a callback for a value that has a default."""

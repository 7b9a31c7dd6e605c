"""The glossary: every symbol and word in a line, with where it comes from; in the sidebar of every page."""

from __future__ import annotations

import streamlit as st

from rnn.errors import LessonError
from rnn.glossary import BLOG, LECTURE, Entry, glossary

OPEN, SEARCH = "glossary", "glossary_search"


@st.fragment
def popover() -> None:
    """A button that opens it. What is in it is sent only then."""
    place = st.popover(
        "Glossary", icon=":material/menu_book:", width="stretch", key=OPEN, on_change="rerun",
        help="Every symbol and word in a line, and where it comes from.",
    )  # fmt: skip
    if place.open:
        with place:
            _list()


def _list() -> None:
    try:
        entries = glossary()
    except LessonError as error:  # a file of ours
        st.error(str(error))
        return
    wanted = str(
        st.text_input("Symbol or word", key=SEARCH, max_chars=60, help="Searches names, symbols and explanations.")
        or ""
    )
    found = [entry for entry in entries if entry.has(wanted)]
    st.caption(f"{len(found)} of {len(entries)}")
    st.markdown("\n\n".join(map(_line, found)) or "Nothing of this name. Try a shorter word.")


def _line(entry: Entry) -> str:
    """In Markdown."""
    symbol = f"${entry.symbol}$ " if entry.symbol else ""
    sources = []
    if entry.lecture:
        sources.append(f"[cs231n, lecture 10]({LECTURE}): {entry.lecture}")
    if entry.blog:
        sources.append(f"[Karpathy 2015]({BLOG}): {entry.blog}")
    if entry.other:
        sources.append(entry.other)
    return f"{symbol}**{entry.word}**. {entry.line}  \n:small[:gray[{'; '.join([*sources, f'page {entry.page}'])}]]"

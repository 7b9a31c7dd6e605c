"""The glossary in the sidebar: a symbol or word, one line of what it is, where it comes from, where it is shown."""

from __future__ import annotations

import streamlit as st

from pages.parts import keys
from rnn.errors import LessonError
from rnn.glossary import Entry, glossary, search

HEIGHT, WIDTH = 460, 420  # pixels of the list
MOST_LETTERS = 60  # that are searched for


@st.fragment
def button() -> None:
    """The button; what it opens is made when it is open."""
    with st.popover(
        "Glossary", icon=":material/menu_book:", key=keys.GLOSSARY, on_change="rerun", width="stretch"
    ) as opened:
        if opened.open:
            with st.container(width=WIDTH):
                _contents()


def _contents() -> None:
    try:
        entries = glossary()
    except LessonError as error:
        st.error(str(error))
        return
    wanted = st.text_input(
        "Search", key=keys.GLOSSARY_SEARCH, placeholder="h_t, softmax, entropy …", max_chars=MOST_LETTERS,
        icon=":material/search:", help="A symbol or a word; all words must occur.",
    )  # fmt: skip
    found = search(entries, str(wanted or "")[:MOST_LETTERS])
    with st.container(height=HEIGHT, border=False):
        if not found:
            st.caption("Nothing here is called so. Try one word, or a part of it.")
        for entry in found:
            st.markdown(line(entry))


def line(entry: Entry) -> str:
    """An entry in Markdown."""
    symbol = f"${entry.symbol}$ " if entry.symbol else ""
    return (
        f"{symbol}**{entry.name}**  \n{entry.means}  \n"
        f":small[:gray[[{entry.source}]({entry.link}), {_part(entry.section)}. Here: {entry.page}.]]"
    )


def _part(section: str) -> str:
    """`section 2.1`, or a heading in quotes."""
    return f"section {section}" if section[0].isdigit() or section.isupper() else f"“{section}”"

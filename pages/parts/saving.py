"""The figures of a page to take away: as pictures, as pages and as tables.

Pictures are made in the browser, from what it has drawn. For a page or a table the visitor's click runs the script
anew, and the figure becomes a file as it is drawn: no session keeps figures, and the file goes with a later run.
"""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.parts import keys

if TYPE_CHECKING:
    import plotly.graph_objects as go

ASSETS = Path(__file__).parents[2] / "assets"
KEY = "save_figures"
SENT_SECONDS = 5.0
TYPES = {"HTML": "text/html", "CSV": "text/csv"}

_list = st.components.v2.component(
    "rnn_playground_figures", html='<ul class="figures"></ul>',
    css=(ASSETS / "figures.css").read_text(encoding="utf-8"), js=(ASSETS / "figures.js").read_text(encoding="utf-8"),
)  # fmt: skip


def picture_options(key: str) -> dict[str, Any]:
    """How Plotly draws the figure with this key, and saves a picture of it: twice as fine, for a projector."""
    options = {"format": "png", "scale": 2, "filename": in_class(key)}
    return {"modeBarButtons": [["toImage"]], "displaylogo": False, "toImageButtonOptions": options}


def in_class(key: str) -> str:
    """A key as Streamlit writes it into the class of what has it: all that the browser knows of it."""
    return re.sub(r"[^a-zA-Z0-9_-]", "-", key.strip())


def offer() -> None:
    """The end of a page: its figures by their titles, each with four ways to save it."""
    with st.expander("Save figures and their data", icon=":material/download:"):
        st.caption(
            "PNG and SVG are pictures. HTML is a page of its own that can be zoomed and pointed at; it loads Plotly "
            "from the network. CSV is the figure's numbers, for a spreadsheet."
        )
        _list(key=KEY, data={"file": _made()}, on_wanted_change=_remember)
    st.session_state.pop(keys.WANTED_FILE, None)  # it has been made, or is no longer here


def _made() -> dict[str, str] | None:
    """The file that was made a moment ago. It is sent with every run for some seconds: of two runs that follow each
    other at once, a browser may look at the second only. It takes each file once, by its number."""
    made, until = st.session_state.get(keys.MADE_FILE, (None, 0.0))
    if time.monotonic() > until:
        st.session_state.pop(keys.MADE_FILE, None)
        return None
    found: dict[str, str] | None = made
    return found


def _remember() -> None:
    """The browser asks for a file; its words are checked where they are used."""
    st.session_state[keys.WANTED_FILE] = st.session_state[KEY].wanted


def make_if_wanted(figure: go.Figure, key: str) -> None:
    """Makes the file that the visitor has asked for, if it is one of this figure."""
    wanted = st.session_state.get(keys.WANTED_FILE)
    if not (isinstance(wanted, dict) and wanted.get("key") == in_class(key) and wanted.get("kind") in list(TYPES)):
        return
    from rnn.figures import export

    kind = wanted["kind"]
    content = export.to_csv(figure) if kind == "CSV" else export.to_page(figure, export.title(figure) or key)
    name, number = f"{in_class(key)}.{kind.lower()}", str(wanted.get("number"))
    made = {"number": number, "name": name, "type": TYPES[kind], "content": content}
    st.session_state[keys.MADE_FILE] = (made, time.monotonic() + SENT_SECONDS)

"""The frame of every page: configuration, navigation, previous and next."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.parts import classroom, glossary, lesson, saving, sharing
from rnn.errors import PlaygroundError

if TYPE_CHECKING:
    import plotly.graph_objects as go  # Home shows its text before Plotly is there

STYLE = Path(__file__).parents[2] / "assets" / "app.css"
ARROWS = {"Next": ":material/arrow_forward:", "Back": ":material/arrow_back:"}


@dataclass(frozen=True)
class Page:
    title: str
    path: str
    icon: str
    purpose: str


PAGES = (
    Page("Home", "streamlit_app.py", ":material/home:", "What a recurrent network is, and where to begin."),
    Page(
        "Architecture", "pages/1_Architecture.py", ":material/account_tree:",
        "The network drawn, in equations and in numbers.",
    ),
    Page("Train", "pages/2_Train.py", ":material/trending_down:", "Train a model on a text and watch the loss fall."),
    Page("Sample", "pages/3_Sample.py", ":material/edit_note:", "Let a trained model write, character by character."),
    Page(
        "Unroll Visualizer", "pages/4_Unroll_Visualizer.py", ":material/view_column:",
        "Every time step side by side, with its real numbers.",
    ),
    Page(
        "Truncated BPTT", "pages/5_Truncated_BPTT.py", ":material/content_cut:",
        "How far back the gradient flows, and where it is cut.",
    ),
)  # fmt: skip


def neighbours(here: int) -> list[tuple[str, Page]]:
    """The next page and the one before, where there are some."""
    return [(label, PAGES[i]) for label, i in (("Next", here + 1), ("Back", here - 1)) if 0 <= i < len(PAGES)]


def page(title: str) -> DeltaGenerator | None:
    """Begins a page: each one calls this first, so that a cold deep link finds everything in its place.

    Returns:
        Where the question of a lesson goes, if one is asked.
    """
    here = next(i for i, p in enumerate(PAGES) if p.title == title)
    link = classroom.begin()
    st.set_page_config(
        page_title=f"{title} · RNN Playground", page_icon=":material/all_inclusive:", layout="wide",
        initial_sidebar_state="collapsed" if link.is_large else "auto",
    )  # fmt: skip
    st.html(STYLE)
    if link.style:
        st.html(f"<style>{link.style}</style>")
    with st.sidebar:
        st.subheader("RNN Playground", anchor=False)
        for p in PAGES:
            st.page_link(p.path, label=p.title, icon=p.icon)
        if not link.is_large:
            st.divider()
            lesson.of_page(title)
            glossary.button()
            for label, p in neighbours(here):
                st.page_link(p.path, label=f"{label}: {p.title}", icon=ARROWS[label])
    question = lesson.panel(title)
    with st.container(key="page_head", horizontal=True, vertical_alignment="center"):
        st.title(title if here else "RNN Playground", anchor=False, width="content")
        if not lesson.is_on(title):
            sharing.button(title)
    if here:  # Home has something to show before its first figure
        load_pandas()
    return question


def load_pandas() -> None:
    """To be called before the first figure: Plotly and Streamlit look into pandas where they find it, and one that
    another visitor's script is just loading breaks them. It takes a quarter of a second, once in a server's life."""
    import pandas  # noqa: F401  # waits where another script has begun


def chart(
    figure: go.Figure,
    *,
    key: str,
    alt: str,
    on_select: Callable[[], None] | None = None,
    place: DeltaGenerator | None = None,
) -> None:
    """Draws a figure: every one of the app comes through here.

    Args:
        key: its own in the whole app; a figure that stays in its place keeps it.
        alt: what it shows now, in words.
        on_select: called after a click on one of its points; what was clicked is in the session, under `key`.
        place: a column or another place; None: where the page has come to.
    """
    saving.make_if_wanted(figure, key)
    (place or st).plotly_chart(
        classroom.sized(figure), width="stretch", key=key, config=saving.picture_options(key), alt=alt,
        on_select=on_select or "ignore", selection_mode="points",
    )  # fmt: skip


def settings_and_show(widths: list[int], is_shown_first: bool) -> tuple[DeltaGenerator, DeltaGenerator]:
    """A column for settings and one for what they make; on a phone the second may come first (assets/app.css).

    The first one stays what it is when that changes: a browser that builds a field anew forgets what is being typed.
    """
    settings, show = st.columns(widths, gap="large")
    return settings, show.container(key="shown_first" if is_shown_first else "shown_last")


def plain(text: object) -> str:
    """`text` for widgets that read Markdown, so that it appears letter by letter: it may hold what people typed."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", str(text))


def power(number: float, digits: int = 1) -> str:
    """2.4e−07; with a hyphen the line could break there."""
    return f"{number:.{digits}e}".replace("-", "−") if number else "0"


def clock(seconds: float) -> str:
    """`42 s`, `3:07 min`."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes}:{seconds:02} min"


@contextmanager
def complaints() -> Iterator[None]:
    """Ends the page with the sentence of what goes wrong inside: a forged widget value, say."""
    try:
        yield
    except PlaygroundError as error:
        st.error(plain(error))
        st.stop()


def is_dark() -> bool:
    """Whether the visitor's theme is the dark one."""
    return st.context.theme.type == "dark"

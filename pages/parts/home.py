"""The Home page's parts: what a recurrent network computes, and one at work."""

from __future__ import annotations

import time
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.parts import address, keys, lesson, shell
from pages.parts.writers import Writer, shipped_writer
from rnn.errors import PlaygroundError
from rnn.figures import theme
from rnn.figures.unrolled import STEPS, UNITS, unrolled, unrolled_alt
from rnn.lessons import Lesson, lessons
from rnn.records import Trace
from rnn.sampling import generate
from rnn.shipped import open_shipped
from rnn.trace import trace

MODEL = "rnn"  # its step is the equation on the page, and nothing more
PRIME = "The "
LENGTH = 340  # characters
HEIGHT = 305  # pixels: what stands below on a phone stays where it is while the text grows
TEMPERATURE = 0.6
REDRAW_EVERY, REDRAW_SECONDS = 7, 0.05  # the whole text takes some two seconds


def equations() -> None:
    """One step, in the colours of the figure. On a phone the formulas stand below each other, each one whole.

    Beside them is the way into the lesson for all who begin.
    """
    ink = theme.ink(shell.is_dark())
    x, h, y = (partial(_coloured, colour) for colour in (ink.input, ink.hidden, ink.output))
    formulas = (
        rf"{h('h_t')} = \tanh({h('W_{hh}')}\,{h('h_{t-1}')} + {x('W_{xh}')}\,{x('x_t')} + b_h)",
        rf"{y('y_t')} = {y('W_{hy}')}\,{h('h_t')} + b_y",
        rf"p_t = \mathrm{{softmax}}({y('y_t')})",
    )
    written, tour = st.columns([7, 3], vertical_alignment="center")
    written.markdown(" &emsp; ".join(f"${{{formula}}}$" for formula in formulas))
    with tour:
        _lesson(next(one for one in lessons().values() if one.page is None), "A lesson on all pages")


def _coloured(colour: str, formula: str) -> str:
    return rf"\textcolor{{{colour}}}{{{formula}}}"


@st.fragment
def at_work() -> None:
    """The shipped model writes a text, beside its first steps unrolled; a click writes another."""
    seed = address.number(keys.HOME_SEED)
    try:
        writer, text = shipped_writer(MODEL), _text(seed)
    except PlaygroundError as error:
        st.error(shell.plain(error))
        return
    text_side, figure_side = st.columns([2, 3], gap="medium")
    with text_side:
        st.button("Write again", key="home_write", icon=":material/edit_note:", on_click=_next_seed)
        place = st.container(height=HEIGHT, border=True).empty()
        _small(
            "An RNN trained on the Python manual. "
            f"It favours likely characters (temperature {TEMPERATURE}); seed {seed}."
        )
    _write(place, text[:REDRAW_EVERY])  # before the browser is busy with loading Plotly
    with figure_side:
        shell.load_pandas()
        _figure(writer, text)
    _write(place, text, REDRAW_EVERY)


def _figure(writer: Writer, text: str) -> None:
    """The first characters that were drawn, each with the one that came after it."""
    start = len(PRIME)
    inside = _inside(text[: start + STEPS + 1])
    shell.chart(unrolled(inside, start, dark=shell.is_dark()), key="unrolled", alt=unrolled_alt(inside, start))
    _small(
        f":blue[x], the character read. :orange[h], {UNITS} of the {writer.model.config.hidden_size} numbers of the "
        ":orange[hidden state]. :green[softmax(y)], the likeliest next characters; framed, the one that was "
        "drawn. It is read next."
    )


def _small(text: str) -> None:
    """As a caption, but without its transparency, which takes too much from the colours."""
    st.markdown(f":small[{text}]")


def _write(place: DeltaGenerator, text: str, start: int = 0) -> None:
    """Shows the text as it grows from `start` characters to all, slowly enough for the eye.

    Not with `st.code`: the browser would load its highlighter first, which doubles the time to the first character.
    """
    for end in range(start + REDRAW_EVERY, len(text) + REDRAW_EVERY, REDRAW_EVERY):
        place.text(text[:end])
        time.sleep(REDRAW_SECONDS)


def _next_seed() -> None:
    address.step(keys.HOME_SEED)


def ways_on() -> None:
    """The five pages, what each is for, and its lesson."""
    of_page = {one.page: one for one in lessons().values()}
    for column, page in zip(st.columns(len(shell.PAGES) - 1), shell.PAGES[1:], strict=True):
        with column.container(gap=None):
            st.page_link(page.path, label=f"**{page.title}**", icon=page.icon)
            _small(f":gray[{page.purpose}]")
            _lesson(of_page[page.title], "Lesson")


def _lesson(one: Lesson, label: str) -> None:
    """The way into a lesson, with its minutes and what the visitor has done of it."""
    lesson.link(one, 1, f"{label}, {one.minutes:g} min", lesson.icon(one))
    if said := lesson.standing(one):
        _small(f":gray[{said}]")


# The same for every visitor, so computed once ---------------------------------------------------------------------


@st.cache_data(max_entries=64, show_spinner=False)
def _text(seed: int) -> str:
    writer = shipped_writer(MODEL)
    drawn = generate(writer.model, writer.vocabulary, PRIME, LENGTH, TEMPERATURE, seed=seed)
    return PRIME + "".join(s.char for s in drawn)


@st.cache_data(max_entries=64, show_spinner=False)
def _inside(text: str) -> Trace:
    checkpoint = open_shipped(MODEL)
    return trace(checkpoint.model, checkpoint.weights("best"), checkpoint.vocabulary, text)

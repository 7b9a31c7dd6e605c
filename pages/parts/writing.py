"""The Sample page's text as it is written, and a look at one draw of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.parts import keys, shell
from pages.parts.writers import Writer
from rnn.config import SampleConfig
from rnn.figures.characters import visible
from rnn.figures.softmax import bars_title, next_character_bars
from rnn.records import Sampled
from rnn.sampling import generate, softmax

REDRAW_SECONDS = 0.05
REDRAWS = 60  # for a whole text, however long: three seconds that an eye can follow and a hand can stop


@dataclass
class Piece:
    """A text as far as it is written, and all it takes to go on with it or to draw it again."""

    model_id: Any
    writer: Writer
    settings: SampleConfig
    draws: Iterator[Sampled]
    text: str = ""
    is_over: bool = False  # all is written, or it was stopped
    seen: tuple[int, Sampled] | None = None  # the draw that was looked at last, and its place from 1


def new_piece(model_id: Any, open_writer: Callable[[], Writer], settings: SampleConfig) -> Piece:
    """A text to be written; by the same weights as the last one of this model, so that the settings can be compared.

    Raises:
        PlaygroundError: the model cannot begin with this prime.
    """
    before: Piece | None = st.session_state.get(keys.PIECE)
    writer = before.writer if before and before.model_id == model_id else open_writer()
    draws = generate(writer.model, writer.vocabulary, **settings.to_json())  # says at once if it cannot
    return Piece(model_id, writer, settings, draws)


def piece_on_show(model_id: Any, settings: SampleConfig) -> Piece | None:
    """The text there is, if it is what this model writes with these settings."""
    piece: Piece | None = st.session_state.get(keys.PIECE)
    return piece if piece and (piece.model_id, piece.settings) == (model_id, settings) else None


def show(piece: Piece) -> None:
    """Draws the text; one that is not over goes on, whatever has run the page anew in the meantime."""
    st.session_state[keys.PIECE] = piece
    st.caption(f"Written with the weights of {shell.plain(piece.writer.about)}")
    place, stop = st.empty(), st.empty()
    if not piece.is_over:
        stop.button("Stop", key="sample_stop", icon=":material/stop:", on_click=_stop)
        _write(piece, place)
        stop.empty()
    _draw(piece, place)


def _stop() -> None:
    st.session_state[keys.PIECE].is_over = True


def _write(piece: Piece, place: DeltaGenerator) -> None:
    """Lets the text appear as it is written."""
    at_once = max(1, piece.settings.length // REDRAWS)
    while more := list(islice(piece.draws, at_once)):
        piece.text += "".join(s.char for s in more)
        piece.seen = len(piece.text), more[-1]
        _draw(piece, place)
        time.sleep(REDRAW_SECONDS)
    piece.is_over = True


def _draw(piece: Piece, place: DeltaGenerator) -> None:
    place.code(piece.settings.prime + piece.text, language=None, wrap_lines=True)


def _draw_at(piece: Piece, position: int) -> Sampled:
    """The draw of one character. The same seed draws the same text, so only the one looked at last is kept."""
    if piece.seen is None or piece.seen[0] != position:
        again = generate(piece.writer.model, piece.writer.vocabulary, **piece.settings.to_json())
        piece.seen = position, next(islice(again, position - 1, position))
    return piece.seen[1]


def inspect(piece: Piece) -> None:
    """The softmax that one character was drawn from."""
    text, writer = piece.text, piece.writer
    position = last = len(text)
    if last == 0:
        return
    if last > 1:
        position = st.slider(
            "Look at character", 1, last, last, key=f"sample_position_{last}",
            help="Whose softmax is shown: the last one, or any other of the text.",
        )  # fmt: skip
    drawn = _draw_at(piece, position)
    before = softmax(drawn.logits)
    context = (piece.settings.prime + text[: position - 1])[-30:]
    st.caption(
        f"After “{shell.plain(''.join(map(visible, context)))}” the model drew “{shell.plain(visible(drawn.char))}”: "
        f"rank {drawn.rank}, surprise {drawn.surprise:.2f} nats."
    )
    shown = (writer.vocabulary.characters, before, drawn.probabilities, drawn.index)
    st.plotly_chart(
        next_character_bars(*shown, shell.is_dark()), width="stretch", key="softmax", config=shell.PLOT_CONFIG,
        alt=bars_title(*shown),
    )  # fmt: skip

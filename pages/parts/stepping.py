"""One character at a time: the model draws, or the visitor picks among what it thinks likely."""

from __future__ import annotations

import weakref
from functools import partial
from typing import Any

import streamlit as st

from pages.parts import alive, keys, shell
from pages.parts.writers import Writer
from pages.parts.writing import Held, Piece, forget, new_piece, other_character, show_draw
from rnn.config import SampleConfig
from rnn.errors import PlaygroundError
from rnn.figures.characters import visible
from rnn.sampling import softmax

MORE = 10  # characters drawn by the second button


def show(model_id: Any, writer: Writer, settings: SampleConfig) -> None:
    """A text that is written together."""
    piece: Piece | None = st.session_state.get(keys.STEPPED)
    if not (piece and (piece.model_id, piece.settings) == (model_id, settings) and piece.writer is writer):
        before, piece = piece, new_piece(model_id, writer, settings)
        if before:
            forget(before)
        st.session_state[keys.STEPPED] = piece
    _together()


@st.fragment
def _together() -> None:
    piece: Piece = st.session_state[keys.STEPPED]
    try:
        _text(piece)
        if piece.is_over:
            _buttons(piece)
            st.info("The text has its length, or has come to the stop text. Take characters back, or start over.")
            return
        sampled = piece.draft.next(piece.branch)
        _buttons(piece)
        other_character(
            "… or pick the next character yourself", piece.draft, sampled, f"step_{len(piece.text)}_{id(piece.draft)}",
            partial(_put, weakref.ref(piece)),
        )  # fmt: skip
        show_draw(piece.draft, sampled, None, "step_draw")
        likeliest = int(softmax(sampled.logits).argmax())
        st.caption(
            f"The random number of this place is u = {sampled.draw:.4f}: **Draw** would take "
            f"“{shell.plain(visible(sampled.char))}”. The likeliest is "
            f"“{shell.plain(visible(piece.draft.vocabulary.characters[likeliest]))}”."
        )
    except PlaygroundError as error:
        st.error(shell.plain(error))


def _text(piece: Piece) -> None:
    if not piece.settings.prime + piece.text:
        st.caption(
            "Nothing has been read yet, so the first character is drawn from the characters' frequencies in the "
            "training text."
        )
        return
    probabilities = piece.draft.probabilities(0)
    shades, surprises = alive.levels(probabilities.tolist(), 1.0), alive.bits(probabilities)
    values = [f"p {p:.1%}, {s:.1f}" for p, s in zip(probabilities, surprises, strict=True)]
    alive.coloured_text(
        piece.settings.prime, piece.text, shades, values, " bits", len(piece.text) - 1, piece.draft.by_hand(0),
        "sample_stepped_text", lambda: None,
        f"step {id(piece.draft)} {hash(piece.text)}",
    )  # fmt: skip
    by_hand = piece.draft.by_hand(0)
    st.caption(
        f"{len(piece.text)} of at most {piece.settings.length} characters; underlined: the {len(by_hand)} that you "
        "picked. Dark: the model thought it likely."
    )


def _buttons(piece: Piece) -> None:
    with st.container(horizontal=True, gap="small"):
        over = piece.is_over
        st.button(
            "Draw", key="sample_draw", type="primary", icon=":material/casino:", on_click=piece.draft.write,
            args=(0, 1), disabled=over, help="The model draws one character, with this place's random number.",
        )  # fmt: skip
        st.button(
            f"Draw {MORE}", key="sample_draw_more", icon=":material/fast_forward:", on_click=piece.draft.write,
            args=(0, MORE), disabled=over, help=f"The model draws the next {MORE}.",
        )  # fmt: skip
        st.button(
            "Take back", key="sample_take_back", icon=":material/undo:", on_click=piece.draft.take_back,
            args=(0, 1), disabled=not piece.text, help="The last character goes; the model's state goes back with it.",
        )  # fmt: skip
        st.button(
            "Start over", key="sample_start_over", icon=":material/restart_alt:", on_click=piece.draft.take_back,
            args=(0, len(piece.text)), disabled=not piece.text, help="Back to the prime.",
        )  # fmt: skip


def _put(held: Held, index: int) -> None:
    if piece := held():
        piece.draft.put(0, index)

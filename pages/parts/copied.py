"""Whether a text is the model's own, or stands in what it was trained on."""

from __future__ import annotations

import streamlit as st

from pages.parts import alive, shell, writers
from pages.parts.writing import Piece
from rnn.copying import Copies, copies
from rnn.errors import TextError
from rnn.figures.characters import legible
from rnn.figures.copying import novelty_alt, novelty_bars

MARKED = 12  # characters in a row that count as copied, in the marked text
MARK = 4  # shade of these
LONG = 40  # characters: longer than a phrase that everybody uses


def show(choice: str, piece: Piece) -> None:
    """The text on show against the training text."""
    text = piece.text
    if not text:
        st.info("There is no text yet.")
        return
    try:
        trained_on, name = writers.training_part(choice, piece.writer)
    except TextError as error:
        st.info(shell.plain(error))
        return
    found = _copies(text, name, trained_on)
    length, start = found.longest.length, found.longest.start
    verdict = "a long copy" if length >= LONG else "no longer than a phrase"
    st.markdown(
        f"The longest passage that stands word for word in **{shell.plain(name)}** has **{length} characters**, "
        f"{verdict}:"
    )
    if length:
        st.code(legible(text[start : start + length]), language=None, wrap_lines=True)
    shell.chart(novelty_bars(found, shell.is_dark()), key="novelty", alt=novelty_alt(found))
    covered = found.is_copied(MARKED)
    st.markdown(f"**Marked: what stands there in stretches of {MARKED} characters and more ({covered.mean():.0%})**")
    alive.coloured_text(
        piece.settings.prime, text, [MARK * int(c) for c in covered],
        [f"{n} characters from here stand there" for n in found.longest_from.tolist()], "", start, (),
        f"sample_copied_{id(piece.draft)}_{piece.branch}", lambda: None, f"copied {hash(text)}",
    )  # fmt: skip


@st.cache_data(max_entries=64, show_spinner="Comparing with the training text …")
def _copies(text: str, name: str, _trained_on: str) -> Copies:
    return copies(text, _trained_on)

"""Any text as a trained model reads it: what it expected at each character, and what it was surprised by."""

from __future__ import annotations

import math

import pandas as pd
import streamlit as st

from pages.parts import address, alive, keys, sampling, shell
from pages.parts.limits import SCORED_LENGTH
from pages.parts.writers import Writer
from rnn.errors import ConfigError
from rnn.figures.characters import visible
from rnn.figures.scoring import surprise_strip, surprise_strip_alt
from rnn.scoring import Score, score

EXAMPLE = "An object is an instance of a class. Socrates is an instance of a man, the class of all mortals."
GRID = 240  # characters whose guesses are shown at a time
PLACES = 12


def show(writer: Writer) -> None:
    """A text of the visitor's, scored.

    Raises:
        PlaygroundError: it cannot be read by this model.
    """
    st.session_state.setdefault(keys.SCORED, address.linked_text(keys.SCORED) or EXAMPLE)
    text = st.text_area(
        "Text to score", height=110, **keys.in_session(keys.SCORED),
        help="The model reads it from its beginning and says, before each character, how likely it is.",
    )  # fmt: skip
    text = str(text or "")
    address.put_text(keys.SCORED, text, EXAMPLE, "The text to score")
    if len(text) > SCORED_LENGTH:
        raise ConfigError(
            f"The text has {len(text):,} characters; at most {SCORED_LENGTH:,} are scored at once. Paste a part of it."
        )
    text = sampling.known(text, writer.vocabulary, "scored")
    if not text:
        st.info("Write or paste a text, and the model reads it.")
        return
    found = score(writer.model, writer.vocabulary, text)
    _numbers(found, len(writer.vocabulary))
    _grid(found, writer)
    _strip(found, len(writer.vocabulary))
    _places(found)


def _numbers(found: Score, vocabulary_size: int) -> None:
    left, middle, right = st.columns(3)
    left.metric(
        "Bits per character", f"{found.bits_per_char:.2f}", border=True,
        help=f"The mean of -log2 p. Guessing blindly among {vocabulary_size} characters takes "
        f"{math.log2(vocabulary_size):.2f} bits.",
    )  # fmt: skip
    middle.metric(
        "Perplexity", f"{found.perplexity:.2f}", border=True,
        help="2 to the bits per character: as unsure as among so many equally likely characters.",
    )  # fmt: skip
    right.metric(
        "Guessed right", f"{(found.ranks == 1).mean():.0%}", border=True,
        help="Where the character that came was the model's first guess.",
    )  # fmt: skip


def _grid(found: Score, writer: Writer) -> None:
    begin = 0
    if len(found.text) > GRID:
        most = len(found.text) - GRID
        begin = int(
            st.slider(
                "From character", 1, most + 1, 1, **keys.in_url(f"{keys.SCORED_FROM}_{most}"), help="Moves the columns."
            )
        ) - 1  # fmt: skip
    st.markdown("**Five guesses for what comes next, under each character**")
    alive.guesses(found, writer.vocabulary.characters, begin, begin + GRID, "sample_guesses")
    st.caption(
        "Dark is likely; outlined is what did come next. As in Karpathy's figures of 2015. The very first character is "
        "scored by its frequency in the training text."
    )


def _strip(found: Score, vocabulary_size: int) -> None:
    worst = int(found.surprises.argmax())
    strip = (found.surprises, "bits", worst, math.log(vocabulary_size))
    shell.chart(
        surprise_strip(*strip, dark=shell.is_dark(), name="surprise"), key="surprises",
        alt=surprise_strip_alt(*strip, name="surprise"),
    )  # fmt: skip


def _places(found: Score) -> None:
    st.markdown("**The most surprising places**")
    rows = [
        {
            "character": place.position + 1,
            "after": "".join(map(visible, place.before)),
            "came": visible(place.character),
            "bits": place.surprise / math.log(2),
            "expected": f"{visible(place.favourite)} ({place.favourite_probability:.0%})",
        }
        for place in found.most_surprising(PLACES)
    ]
    st.dataframe(
        pd.DataFrame(rows), hide_index=True, width="stretch",
        column_config={"bits": st.column_config.NumberColumn("surprise (bits)", format="%.1f")},
    )  # fmt: skip

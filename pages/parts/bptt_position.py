"""Truncated BPTT, the learning: the loss by position in a chunk, with the state carried on and with zeros."""

from __future__ import annotations

import streamlit as st

from pages.parts import reading as readings
from pages.parts import service, shell
from pages.parts.keys import in_url
from pages.parts.reading import Reading
from rnn import corpora
from rnn.errors import InputError, PlaygroundError
from rnn.figures.positions import by_position, by_position_alt
from rnn.positions import ByPosition, Losses, carried_losses, longest_chunk
from rnn.positions import by_position as measured
from rnn.trace import MOST_CHARACTERS, most_characters
from rnn.unknown import resolve

TEXT, CHUNK = "bptt_learning_text", "bptt_learning_k"
HELD_OUT, TYPED = "Its own text, held out", "The text above"
FIRST_CHUNK, LONGEST_CHUNK = 16, 128


@st.fragment
def show(reading: Reading) -> None:
    """Errors are shown here: what is in a fragment has no page around it."""
    try:
        reading.check_predicts("The loss by position in a chunk")
        left, right = st.columns([3, 4], gap="medium")
        with left:
            read = _read(reading)
        with right:
            k = _chunk(len(read.trace))
        found = _measured(read.name, k, read)
    except PlaygroundError as error:
        st.error(shell.plain(error))
        return
    shell.chart(by_position(found, shell.is_dark()), key="bptt_learning_positions", alt=by_position_alt(found))
    st.caption(
        f"The network reads {len(read.text):,} characters twice, and predicts the same ones both times: in one go, and "
        f"with its state set to zeros after every {k}. Means over {found.chunks:,} chunks (the first one is left out: "
        "it begins with zeros both times); the bands are one standard error."
    )
    st.caption(
        "Training that resets pays for this at every chunk, and sees no connection that is longer than one. So "
        "character models usually carry the state on and cut only the gradient. A network that was trained with resets "
        "is more used to zeros; of this one they may ask too much."
    )


def _read(reading: Reading) -> Reading:
    """What is read: a long part of the network's own text where that is here, or what was typed."""
    own = held_out(reading)
    if own is None:
        return reading
    chosen = st.segmented_control(
        "Text", (HELD_OUT, TYPED), default=HELD_OUT, **in_url(TEXT), required=True,
        help="Many chunks give steady means, so this view reads up to 5,000 characters if it may.",
    )  # fmt: skip
    return own if chosen != TYPED else reading


def held_out(reading: Reading) -> Reading | None:
    """The beginning of the part that it was not trained on, or, of a short text, of all."""
    network = reading.network
    try:
        content, _ = readings.corpus(reading.choice, network)
        kept = corpora.validation_length(len(content), network.validation_fraction)
        part = content[len(content) - kept :] if kept >= len(reading.text) else content
        most = min(MOST_CHARACTERS, most_characters(network.model, len(network.characters)))
        known = resolve(part[:most], reading.vocabulary, "nearest").text[:most]
        if longest_chunk(len(known)) < 2:
            return None
        return readings.of(reading.choice, network, known)
    except PlaygroundError:  # not here, or somebody else's: there is what was typed
        return None


def _chunk(characters: int) -> int:
    most = min(LONGEST_CHUNK, longest_chunk(characters))
    if most < 2:
        raise InputError(
            f"The loss by position needs a text of at least 7 characters; this one has {characters}. Type more, or "
            "press “Another passage”."
        )
    if most == 2:
        st.caption("Chunk length k: 2")
        return 2
    value = st.slider(
        "Chunk length k", 2, most, min(FIRST_CHUNK, most), **in_url(f"{CHUNK}_{most}"),
        help="Characters of a chunk: after so many, the second reading sets the state to zeros.",
    )  # fmt: skip
    return max(2, min(int(value), most))


@st.cache_data(max_entries=128, show_spinner=False)
def _measured(name: str, k: int, _reading: Reading) -> ByPosition:
    """`name` tells readings apart."""
    network, indices, carried = _reading.network, _reading.trace.indices, _carried(name, _reading)
    return service.scheduler().compute(lambda: measured(network.model, network.weights, indices, carried, k))


@st.cache_data(max_entries=16, show_spinner=False)
def _carried(name: str, _reading: Reading) -> Losses:
    return carried_losses(_reading.trace.logits, _reading.trace.indices)

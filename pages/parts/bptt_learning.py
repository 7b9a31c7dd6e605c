"""Truncated BPTT, the learning: what chunks cost in the loss, measured on networks that are trained or already were."""

from __future__ import annotations

import streamlit as st

from pages.parts import bptt_position, bptt_race, bptt_recall, shell
from pages.parts.keys import in_url
from pages.parts.reading import Reading
from rnn.errors import PlaygroundError

PART = "bptt_learning_part"
PARTS = {
    "Carry, reset or full": bptt_race.show, "Delayed recall": bptt_recall.show,
    "By position in the chunk": bptt_position.show,
}  # fmt: skip


def show(reading: Reading) -> None:
    """One of three parts."""
    part = st.segmented_control(
        "Part", list(PARTS), default=next(iter(PARTS)), **in_url(PART), label_visibility="collapsed", required=True
    )
    try:
        PARTS.get(part, next(iter(PARTS.values())))(reading)
    except PlaygroundError as error:
        st.error(shell.plain(error))

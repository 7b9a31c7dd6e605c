"""Truncated BPTT: how far back the gradient flows, and where it is cut."""

from collections.abc import Callable

import streamlit as st

from pages.parts import (
    bptt_chunks,
    bptt_gradient,
    bptt_learning,
    bptt_proof,
    bptt_vanish,
    keys,
    reading,
    service,
    shell,
)
from pages.parts.reading import Reading
from rnn.errors import PlaygroundError

VIEWS: dict[str, Callable[[Reading], None]] = {
    "Chunks": bptt_chunks.show, "Gradient": bptt_gradient.show, "Learning": bptt_learning.show,
    "Vanishing": bptt_vanish.show, "Proof": bptt_proof.show,
}  # fmt: skip

shell.page("Truncated BPTT")
service.open_runs()
try:
    chosen = reading.choose()
    if chosen is not None:
        view = st.segmented_control(
            "View", list(VIEWS), default=next(iter(VIEWS)), **keys.in_url(keys.BPTT_VIEW),
            label_visibility="collapsed", required=True,
        )  # fmt: skip
        VIEWS.get(view, next(iter(VIEWS.values())))(chosen)
except PlaygroundError as error:
    st.error(shell.plain(error))
service.warm_up()

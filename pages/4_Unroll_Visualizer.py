"""Unroll Visualizer: every time step side by side, with its real numbers."""

from collections.abc import Callable

import streamlit as st

from pages.parts import (
    keys,
    reading,
    service,
    shell,
    unroll_graph,
    unroll_influence,
    unroll_match,
    unroll_memory,
    unroll_states,
    unroll_units,
)
from pages.parts.reading import Reading
from rnn.errors import PlaygroundError

VIEWS: dict[str, Callable[[Reading], None]] = {
    "Graph": unroll_graph.show, "States": unroll_states.show, "Units": unroll_units.show,
    "Match": unroll_match.show, "Influence": unroll_influence.show, "Memory": unroll_memory.show,
}  # fmt: skip

shell.page("Unroll Visualizer")
service.open_runs()
try:
    chosen = reading.choose()
    if chosen is not None:
        view = st.segmented_control(
            "View", list(VIEWS), default=next(iter(VIEWS)), **keys.in_url(keys.UNROLL_VIEW),
            label_visibility="collapsed", required=True,
        )  # fmt: skip
        VIEWS.get(view, next(iter(VIEWS.values())))(chosen)
except PlaygroundError as error:
    st.error(shell.plain(error))
service.warm_up()

"""Truncated BPTT, the proof: two chunks with the state carried are one long forward pass, computed now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.parts import address, service, shell
from pages.parts.keys import in_url
from pages.parts.reading import Reading
from rnn.errors import InputError
from rnn.figures.carrying import carried_steps, carried_steps_alt

if TYPE_CHECKING:  # it needs torch
    from rnn.carrying import Carried

CUT, FORMAT = "bptt_proof_cut", "bptt_proof_format"
SEED = "bptt_proof_seed"  # in the session: of the random networks
LONGEST = 120  # characters that are read
FORMATS = ("float32", "float64")
PATHS = {"cells": "readable cells", "scan": "fast path", "torch": "torch.nn"}


def show(reading: Reading) -> None:
    """The chosen network over the text, and every cell with random weights over the same characters.

    Raises:
        PlaygroundError: the text or the network has no two chunks.
    """
    reading.check_predicts("Carrying the state from chunk to chunk")
    T = min(LONGEST, len(reading.text))
    if T < 2:
        raise InputError("Two chunks need at least two characters. Type more.")
    _compared(reading, T)


@st.fragment
def _compared(reading: Reading, T: int) -> None:
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    cut = T // 2
    if T > 2:
        cut = left.slider(
            "Characters in the first chunk", 1, LONGEST - 1, min(T // 2, 50), **in_url(CUT),
            help="The second chunk reads the rest, from the state that the first one ended with.",
        )  # fmt: skip
    cut = max(1, min(int(cut), T - 1))
    number_format = right.segmented_control(
        "Numbers",
        FORMATS,
        default=FORMATS[0],
        **in_url(FORMAT),
        required=True,
        help="How many bits a number has: 32 as in training, or 64 for a proof.",
    )
    number_format = number_format if number_format in FORMATS else FORMATS[0]
    seed = address.number(SEED)
    own, others = _found(reading.name, T, cut, seed, reading)
    shown = next(one for one in own if (one.path, one.dtype) == ("scan", number_format))
    text = reading.text[:T]
    shell.chart(
        carried_steps(shown.steps, shown.forgotten, text, cut, shown.allowed, shell.is_dark()), key="bptt_proof_steps",
        alt=carried_steps_alt(shown.steps, shown.forgotten, cut),
    )  # fmt: skip
    st.caption(
        f"{T:,} characters in one go against {cut} and then {T - cut}. Forgotten: the second chunk begins with zeros, "
        "the usual mistake. Only the gradient may be cut at a chunk's edge, never the state."
    )
    rows = [("above", own), *others]
    _table(rows, number_format)
    every = [one for _, ways in rows for one in ways]
    worst = max(every, key=lambda one: one.largest / one.allowed)
    verdict = (
        "Two chunks are one pass but for rounding, in every cell and by every path"
        if all(one.is_equal for one in every)
        else f"**Not the same by {PATHS[worst.path]} in {worst.dtype}**"
    )
    st.markdown(f"{verdict}: outputs and last state of {len(rows)} networks, three paths, two number formats.")
    st.button("With other random weights", key="bptt_proof_again", icon=":material/refresh:", on_click=_next_seed)


def _table(rows: list[tuple[str, list[Carried]]], number_format: str) -> None:
    """The largest differences, a row for each network: the one above, then random ones (cell × layers)."""
    lines = []
    for name, ways in rows:
        shown = {one.path: one for one in ways if one.dtype == number_format}
        cells = [shell.power(shown[path].largest, 0) for path in PATHS]
        lines.append(f"| {name} | {' | '.join(cells)} | {shown['scan'].forgotten.max():.2g} |")
    head = f"| {number_format} | cells | fast | torch.nn | forgotten |"
    st.markdown("\n".join([head, "|:--|--:|--:|--:|--:|", *lines]))
    st.caption("“above” is the chosen model; the others have random weights and are named by cell × layers.")


@st.cache_resource(max_entries=64, show_spinner=False)
def _found(
    name: str, T: int, cut: int, seed: int, _reading: Reading
) -> tuple[list[Carried], list[tuple[str, list[Carried]]]]:
    """`name` tells the readings apart."""

    def computed() -> tuple[list[Carried], list[tuple[str, list[Carried]]]]:
        from rnn.carrying import carried, random_networks

        network, indices = _reading.network, _reading.trace.indices[:T]
        own = carried(network.model, network.weights, indices, cut)
        others = []
        for model, weights in random_networks(len(network.characters), seed):
            title = f"{model.cell.upper()} × {model.num_layers}"
            others.append((title, carried(model, weights, indices, cut)))
        return own, others

    return service.scheduler().compute(computed)


def _next_seed() -> None:
    address.step(SEED)

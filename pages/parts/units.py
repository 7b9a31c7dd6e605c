"""Which numbers of a network are looked at: a layer, its hidden or cell state, one unit of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages.parts import keys
from pages.parts.controls import number_input
from pages.parts.keys import in_url
from rnn.records import LayerTrace, Trace


@dataclass(frozen=True)
class Chosen:
    """States of one layer in one direction.

    Attributes:
        layer: from 0, the lowest.
        one: the layer with its gates.
        vector: "h" or, of an LSTM, perhaps "c".
        values: these states after every step, (T, H).
        title: which they are: "h", "h of layer 2", "c of layer 1, read from the end".
    """

    layer: int
    one: LayerTrace
    vector: str
    values: NDArray[np.float32]
    title: str


def choose_states(trace: Trace) -> Chosen:
    """The layer, the direction and the vector, each asked for where there is a choice; the top layer's h at first."""
    every = _every(trace)
    names = [
        ", ".join(
            ([f"layer {layer + 1}"] if len(trace.layers) > 1 else [])
            + ([f"read from the {'end' if one.reverse else 'beginning'}"] if len(trace.layers[layer]) > 1 else [])
        )
        for layer, one in every
    ]
    first, vector = len(every) - len(trace.layers[-1]), "h"
    place = first
    if len(every) > 1:
        chosen = st.selectbox(
            "Layer", range(len(every)), first, format_func=lambda i: names[i].capitalize(),
            **in_url(f"{keys.LAYER}_{len(every)}"), width=220,
            help="1 reads the characters, the next one the states of the one below.",
        )  # fmt: skip
        place = chosen if chosen in range(len(every)) else first
    layer, one = every[place]
    if one.c is not None:
        vector = st.segmented_control(
            "State", ("h", "c"), default="h", **in_url(keys.VECTOR), required=True,
            help="The hidden state h, or the cell state c that an LSTM keeps behind it.",
        )  # fmt: skip
    values = one.c if vector == "c" and one.c is not None else one.h
    shown = "c" if values is one.c else "h"
    joined = " of " if names[place].startswith("layer") else ", "
    return Chosen(layer, one, shown, values, f"{shown}{joined}{names[place]}" if names[place] else shown)


def _every(trace: Trace) -> list[tuple[int, LayerTrace]]:
    """Each layer in each direction, the lowest first, with its number from 0."""
    return [(layer, one) for layer, passes in enumerate(trace.layers) for one in passes]


def choose_unit(hidden_size: int) -> int:
    """One of the units, from 0; the page counts from 1."""
    unit = number_input(
        st,
        "Unit",
        1,
        hidden_size,
        "min",
        f"{keys.CHOSEN_UNIT}_{hidden_size}",
        width=130,
        help="One of the H numbers of the state, counted from 1.",
    )
    return max(1, min(int(unit), hidden_size)) - 1


def show_unit(hidden_size: int, unit: int) -> None:
    """The next time a unit is chosen, it is this one, from 0; to be called before the page draws the widget."""
    keys.put(f"{keys.CHOSEN_UNIT}_{hidden_size}", unit + 1)


def show_states(trace: Trace, layer: int, reverse: bool, vector: str, unit: int) -> None:
    """The next time states and a unit are chosen, they are these; to be called before the page draws the widgets."""
    every = [(place, one.reverse) for place, one in _every(trace)]
    if len(every) > 1:
        keys.put(f"{keys.LAYER}_{len(every)}", every.index((layer, reverse)))
    if trace.layers[layer][0].c is not None:
        keys.put(keys.VECTOR, vector)
    show_unit(trace.layers[layer][0].h.shape[1], unit)

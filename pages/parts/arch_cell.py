"""Architecture, the cell: one step of it drawn with its real numbers, in equations, in code, and judged by torch.nn."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from pages.parts import address, service, shell
from pages.parts.blueprint import Blueprint, complain
from pages.parts.keys import in_url
from rnn.errors import InputError, PlaygroundError
from rnn.figures.cell import CellStep, cell_diagram, cell_diagram_alt
from rnn.figures.characters import visible
from rnn.figures.equations import equations
from rnn.figures.gates import gate_vectors, gate_vectors_alt
from rnn.figures.nonlinearity import nonlinearity, nonlinearity_alt
from rnn.inspection import Pass, inspect
from rnn.unknown import resolve
from rnn.vocabulary import Vocabulary

if TYPE_CHECKING:  # it needs torch
    from rnn.judging import Difference

CONTEXT, CHARACTER, LAYER, BACKWARD, GATE = (
    "arch_cell_context", "arch_cell_character", "arch_cell_layer", "arch_cell_backward", "arch_cell_gate",
)  # fmt: skip
SEED = "arch_cell_seed"  # in the session: of the random input that torch.nn judges
FIRST = "hello"  # what is read where nothing was typed: its last character at this step, the others before
LONGEST = 200  # characters of the context
ROUNDING = 1e-12  # the two forms may differ by so much
PATHS = {"cells": "Readable cell", "scan": "Fast path", "numpy": "Numpy, for sampling"}
TORCH = {"rnn": "torch.nn.RNN", "gru": "torch.nn.GRU", "lstm": "torch.nn.LSTM"}


def show(chosen: Blueprint, T: int) -> None:
    """The cell at one step. `T` is not used: it is the same cell at every step."""
    layer, backward = _where(chosen)
    step = _read_step(chosen, layer, backward)
    dark = shell.is_dark()
    shell.chart(cell_diagram(step, dark), key="arch_cell_diagram", alt=cell_diagram_alt(step))
    st.caption(
        "A number is the mean of a gate, or the mean size of a vector with signs; the larger, the fuller its colour. "
        "⊙ and the circled × multiply unit by unit. Point at a box for its first values."
    )
    shell.chart(gate_vectors(step, dark), key="arch_cell_vectors", alt=gate_vectors_alt(step))
    _equations(chosen, len(step.x), layer, backward)
    _nonlinearity(step)
    _judged(chosen)


# One step ---------------------------------------------------------------------------------------------------------


def _where(chosen: Blueprint) -> tuple[int, bool]:
    """The layer, from 0, and whether it is the one that reads from the end."""
    model, layer, backward = chosen.model, 1, False
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if model.num_layers > 1:
            layer = st.selectbox(
                "Layer",
                range(1, model.num_layers + 1),
                **in_url(LAYER),
                width=100,
                help="1 reads the characters, 2 reads the states of layer 1, and so on.",
            )
        if model.bidirectional:
            backward = st.toggle(
                "The one that reads from the end", **in_url(BACKWARD), help="The network has one of each direction."
            )
    return max(1, min(int(layer or 1), model.num_layers)) - 1, bool(backward) and model.bidirectional


def _read_step(chosen: Blueprint, layer: int, backward: bool) -> CellStep:
    """What the cell computes for the character that is picked, after the context that is typed.

    Raises:
        InputError: the network's numbers are no numbers any more.
    """
    vocabulary = Vocabulary.from_characters(chosen.characters)
    known = resolve(FIRST, vocabulary, "nearest").text or chosen.characters[0]
    left, right = st.columns([3, 2])
    typed = left.text_input(
        "Read before", known[:-1], max_chars=LONGEST, **in_url(CONTEXT),
        help="What the cell has read before this step, from a state of zeros. It may be empty.",
    )  # fmt: skip
    character = right.selectbox(
        "Read at this step", chosen.characters, chosen.characters.index(known[-1]), format_func=visible,
        **in_url(CHARACTER),
        help="The character x of this step.",
    )  # fmt: skip
    character = character if character in vocabulary else known[-1]
    resolved = resolve(str(typed)[:LONGEST], vocabulary, "nearest")
    if resolved.changes:
        others = ", ".join(dict.fromkeys(f"“{visible(c)}”" for change in resolved.changes for c in change.character))
        st.caption(
            f"This network does not know {shell.plain(others)}. It reads “{shell.plain(resolved.text)}” before."
            if resolved.text
            else f"This network does not know {shell.plain(others)}. It reads nothing before."
        )
    return _step(chosen.name, resolved.text, character, layer, backward, chosen)


@st.cache_resource(max_entries=64, show_spinner=False)
def _step(name: str, context: str, character: str, layer: int, backward: bool, _chosen: Blueprint) -> CellStep:
    """`name` tells the networks apart."""
    text = character + context[::-1] if backward else context + character
    vocabulary = Vocabulary.from_characters(_chosen.characters)
    with np.errstate(all="ignore"):  # of weights that diverged
        seen = inspect(_chosen.model, _chosen.weights, vocabulary.encode(text).astype(np.int64))
    step = _at(_chosen, seen.layers[layer][int(backward)], 0 if backward else len(context), context, character)
    if not all(np.isfinite(values).all() for values in (step.x, *step.vectors.values(), *step.sums.values())):
        raise InputError("The numbers of this network are no longer finite: its training diverged. Choose another one.")
    return step


def _at(chosen: Blueprint, cell: Pass, t: int, context: str, character: str) -> CellStep:
    """Step t of a layer, with what was read before it."""
    states = {"h_before": cell.h_before, "c_before": cell.c_before, **cell.gates, "c": cell.c, "h": cell.h}
    return CellStep(
        cell=chosen.model.cell, nonlinearity=chosen.model.nonlinearity, context=context, character=character,
        layer=cell.layer, x=cell.x[t], vectors={name: v[t] for name, v in states.items() if v is not None},
        sums={name: s[t] for name, s in cell.sums.items()}, has_bias=chosen.model.bias,
    )  # fmt: skip


# Equations, code, non-linearity -----------------------------------------------------------------------------------


def _equations(chosen: Blueprint, input_size: int, layer: int, backward: bool) -> None:
    """The two forms beside each other, how far they are apart, and the code that computes them."""
    st.header("In equations", anchor=False)
    written = equations(chosen.model, input_size, shell.is_dark())
    for column, title, formulas in zip(
        st.columns(2),
        ("With two matrices", "With one matrix"),
        ((*written.separate, *written.sizes), (*written.concatenated, *written.concatenated_sizes)),
        strict=True,
    ):
        column.markdown(f"**{title}**")
        column.markdown("\n\n".join(f"${formula}$" for formula in formulas))
    apart = _forms_apart(chosen.name, layer, backward, chosen)
    said = [
        f"Both forms on the same random input and state, in float64: they differ by {shell.power(apart)} at most, "
        f"which is {'rounding' if apart <= ROUNDING else 'more than rounding'}."
    ]
    if chosen.model.bias:
        said.append("torch keeps b as two vectors, which are added.")
    own, of_all = _counts(chosen, layer, backward)
    said.append(f"This cell has {own:,} of the network's {of_all:,} parameters.")
    st.caption(" ".join(said))
    st.markdown("**In code**, the readable cell, in `rnn/cells.py`")
    st.code(_source(chosen.model.cell), language="python", wrap_lines=True)


def _counts(chosen: Blueprint, layer: int, backward: bool) -> tuple[int, int]:
    """Parameters of the cell, and of the whole network."""
    sizes = {name: math.prod(s) for name, s in chosen.model.parameter_shapes(len(chosen.characters)).items()}
    end = f"_l{layer}" + ("_reverse" if backward else "")
    return sum(n for name, n in sizes.items() if name.endswith(end)), sum(sizes.values())


@st.cache_data(max_entries=64, show_spinner=False)
def _forms_apart(name: str, layer: int, backward: bool, _chosen: Blueprint) -> float:
    def computed() -> float:
        from rnn.judging import concatenation

        return concatenation(_chosen.model, _chosen.weights, layer, backward)

    return service.scheduler().compute(computed)


@st.cache_data(max_entries=3, show_spinner=False)
def _source(cell: str) -> str:
    """The function that computes one step; its module needs torch."""

    def read() -> str:
        from inspect import getsource

        from rnn import cells

        return getsource({"rnn": cells.rnn_cell, "gru": cells.gru_cell, "lstm": cells.lstm_cell}[cell])

    return service.scheduler().compute(read)


def _nonlinearity(step: CellStep) -> None:
    """The graph of what squashes the sums; of a gated cell, those of one gate."""
    st.header("The non-linearity", anchor=False)
    of = "h"
    if step.gates:
        first = "f" if step.cell == "lstm" else "z"
        of = st.segmented_control(
            "Of", step.gates, default=first, required=True, **in_url(f"{GATE}_{step.cell}"),
            help="Gates pass a sigmoid, candidates a tanh.",
        )  # fmt: skip
        of = of if of in step.gates else first
    name, sums = step.squash(of), step.sums[of]
    shell.chart(
        nonlinearity(name, sums, of, shell.is_dark()), key="arch_cell_function", alt=nonlinearity_alt(name, sums, of)
    )


# The judge --------------------------------------------------------------------------------------------------------


@st.fragment
def _judged(chosen: Blueprint) -> None:
    """Every path of this package against torch.nn, computed now; a click takes other random numbers."""
    st.header("Checked against torch.nn", anchor=False)
    seed = address.number(SEED)
    try:
        found = _differences(chosen.name, seed, chosen)
    except PlaygroundError as error:  # a click reruns this part alone
        complain(error)
        return
    rows = [
        f"| {PATHS[one.path]}, {one.dtype} | {shell.power(one.outputs)} | {shell.power(one.state)} "
        f"| {shell.power(one.allowed, 0)} |"
        for one in found
    ]
    st.markdown("| largest difference of | outputs | state | allowed |\n|:--|--:|--:|--:|\n" + "\n".join(rows))
    model = chosen.model
    verdict = (
        f"The same as {TORCH[model.cell]} but for rounding"
        if all(one.is_equal for one in found)
        else f"**Not the same as {TORCH[model.cell]}**"
    )
    said = f"{verdict}: this network's weights, 12 random characters in 3 sequences, random first states, seed {seed}."
    if model.cell == "rnn" and model.nonlinearity == "sigmoid":
        said += " torch has no sigmoid RNN; its tanh RNN computes it with other weights: σ(a) = (1 + tanh(a/2)) / 2."
    if model.bidirectional:
        said += " Sampling reads in one direction only, so there is no numpy path of it."
    st.markdown(said)
    st.button("Check with other numbers", key="arch_cell_again", icon=":material/refresh:", on_click=_next_seed)


def _next_seed() -> None:
    address.step(SEED)


@st.cache_resource(max_entries=64, show_spinner=False)
def _differences(name: str, seed: int, _chosen: Blueprint) -> list[Difference]:
    def computed() -> list[Difference]:
        from rnn.judging import judge

        return judge(_chosen.model, _chosen.weights, seed)

    return service.scheduler().compute(computed)

"""What the chosen network costs: its parameters, what grows with T, and what its matrices look like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from pages.parts import shell
from pages.parts.blueprint import Blueprint
from pages.parts.controls import number_input
from pages.parts.keys import in_url
from rnn.config import ModelConfig, bounds_for
from rnn.cost import LONGEST, InputWay, Parameter, break_even, costs, input_way, log_spaced, parameter_table
from rnn.figures.cost import any_length, any_length_alt, growth, growth_alt, size, spelled
from rnn.figures.weights import GATES, eigenvalue_plane, eigenvalue_plane_alt, weight_map, weight_map_alt
from rnn.lengths import LengthRun, affordable_steps, run_length
from rnn.spectrum import LARGEST, Spectrum, blocks, spectra

SHORTEST = 5  # steps of the short run
POINTS = 60  # of a curve against T
LENGTHS = "arch_cost_lengths"  # in the session: of which weights, and the runs
COLOURS = {"E": "blue", "W_xh": "blue", "b_xh": "blue", "W_hh": "orange", "b_hh": "orange"}  # else green

Weights = Mapping[str, NDArray[np.float32]]


def show(chosen: Blueprint, T: int) -> None:
    """One of three parts."""
    part = st.segmented_control(
        "Part", list(PARTS), default=next(iter(PARTS)), **in_url("arch_cost_part"), label_visibility="collapsed",
        required=True,
        help="Parameters: every matrix. Against T: what grows with the sequence. Weights: heat maps and eigenvalues.",
    )  # fmt: skip
    PARTS.get(part, _parameters)(chosen, T)


# Parameters -------------------------------------------------------------------------------------------------------


def _parameters(chosen: Blueprint, T: int) -> None:
    """Every matrix with its size, and the two ways in."""
    V = len(chosen.characters)
    table = parameter_table(chosen.model, V)
    total = sum(p.count for p in table)
    st.header(f"{total:,} parameters, {size(sum(p.bytes for p in table))} in float32", anchor=False)
    rows = [
        {
            "matrix": p.title, "shape": _shape(p.shape), "numbers": p.count, "bytes": p.bytes,
            "share": 100 * p.count / total, "in the state dict": p.name,
        }
        for p in table
    ]  # fmt: skip
    number = st.column_config.NumberColumn(format="localized", width=75)
    share = st.column_config.ProgressColumn(format="%.1f %%", min_value=0, max_value=100, color="gray", width=95)
    st.dataframe(
        pd.DataFrame(rows), hide_index=True, width="stretch", key="arch_cost_table",
        column_config={
            "shape": st.column_config.TextColumn(width=90), "numbers": number, "bytes": number, "share": share,
        },
    )  # fmt: skip
    _ways_in(chosen.model, V)


def _ways_in(model: ModelConfig, V: int) -> None:
    """One-hot against an embedding."""
    st.header("One-hot or embedding", anchor=False)
    most = int(bounds_for(ModelConfig, "embedding_size")[1] or 1)
    first = model.embedding_size or min(32, max(1, V // 2))
    E = number_input(
        st, "Embedding size to compare with", 1, most, first, f"arch_cost_embedding_{first}", width=260,
        help="Length of the learned vector that stands for a character.",
    )  # fmt: skip
    E = max(1, min(int(E), most))
    one_hot, embedded = input_way(model, V, 0), input_way(model, V, E)
    st.markdown(_comparison(one_hot, embedded))
    saved = one_hot.total - embedded.total
    says = "as many" if not saved else f"{abs(saved):,} {'fewer' if saved > 0 else 'more'}"
    st.caption(
        f"With an embedding of {E} the network has {says} parameters. Below {break_even(model, V):.1f} it has fewer, "
        "above it more. Multiplying by a one-hot vector is looking up a column, which takes no multiplication."
    )


def _comparison(one_hot: InputWay, embedded: InputWay) -> str:
    """The two as a Markdown table."""
    matrices = {p.name: p for p in embedded.parameters}
    left = {p.name: p for p in one_hot.parameters}
    lines = ["| numbers in | one-hot | embedding |", "|:--|--:|--:|"]
    for name, p in matrices.items():
        lines.append(f"| {_coloured(p)} | {_sized(left.get(name))} | {_sized(p)} |")
    for words, of in (
        ("together", "count"), ("the whole network", "total"), ("multiplications a step, in full", "written"),
        ("the same by look-up", "looked_up"),
    ):  # fmt: skip
        lines.append(f"| {words} | {getattr(one_hot, of):,} | {getattr(embedded, of):,} |")
    return "\n".join(lines)


def _coloured(p: Parameter) -> str:
    letter, _, index = p.symbol.partition("_")
    symbol = f"{letter}_{{{index}}}" if index else letter
    backward = ", backward" if p.part.endswith("backward") else ""
    return f":{COLOURS.get(p.symbol, 'green')}[${symbol}$]{backward}"


def _sized(p: Parameter | None) -> str:
    return "none" if p is None else f"{_shape(p.shape)} = {p.count:,}"


def _shape(shape: tuple[int, ...]) -> str:
    return " × ".join(f"{n:,}" for n in shape)


# Against T --------------------------------------------------------------------------------------------------------


def _against_time(chosen: Blueprint, T: int) -> None:
    """What stays and what grows, and a run that shows it."""
    V = len(chosen.characters)
    taken = costs(chosen.model, V, log_spaced(LONGEST, POINTS))
    shell.chart(growth(taken, shell.is_dark()), key="arch_cost_growth", alt=growth_alt(taken))
    here = costs(chosen.model, V, [T])
    st.caption(
        f"At T = {T}: {spelled(float(here.multiplications[0]))} multiplications and "
        f"{size(float(here.activation_bytes[0]))} for one sequence."
    )
    with st.expander("How this is counted", icon=":material/calculate:"):
        st.markdown(_formulas(chosen.model))
    st.header("The same weights on any length", anchor=False)
    _any_length(chosen, V)


def _formulas(model: ModelConfig) -> str:
    """The formulas of `rnn.cost`, for this cell."""
    gates = {"rnn": "", "gru": "3", "lstm": "4"}[model.cell]
    gating = "" if model.cell == "rnn" else " + 3H"
    vectors = {
        "rnn": ("H", "the state $h$"),
        "gru": ("5H", "$r, z, n$, the product $W_{hn} h + b_{hn}$, and $h$"),
        "lstm": ("6H", "the gates $i, f, g, o$, and $c$ and $h$"),
    }
    kept, which = vectors[model.cell]
    directions = ", once in each direction" if model.bidirectional else ""
    output = "2H" if model.bidirectional else "H"
    return (
        f"* **Multiplications** of a step: in every layer ${gates}H(I + H){gating}${directions}, and "
        f"$V \\cdot {output}$ for the output. $I$ is the length of what the layer reads; a one-hot character only "
        "picks a column, so there $I$ counts as 0. A sequence takes $T$ times as many.\n"
        f"* **Memory for the backward pass**: every step leaves ${kept}$ numbers in every layer{directions} "
        f"({which}), the embedded character if there is one, and the softmax of $V$; 4 bytes each, for one sequence. "
        "A batch of $B$ takes $B$ times as much. Truncated BPTT stops this growth at the length of its chunks. "
        "A fast implementation may keep more."
    )


def _any_length(chosen: Blueprint, V: int) -> None:
    """Runs the weights on a short and a long sequence of random characters, when asked to."""
    steps = affordable_steps(chosen.model, V, LONGEST)
    if st.button(f"Run {SHORTEST} steps and {steps:,}", key="arch_cost_run", icon=":material/play_arrow:"):
        read = np.random.default_rng(0).integers(V, size=steps).tolist()
        with st.spinner("Reading …"):
            run_length(chosen.model, chosen.weights, read[:1])  # the first run of all also wakes things up
            runs = [run_length(chosen.model, chosen.weights, read[:count]) for count in (min(SHORTEST, steps), steps)]
        st.session_state[LENGTHS] = (chosen.name, runs)
    if steps < LONGEST:
        st.caption(f"A network of this size would take long for {LONGEST:,} steps, so it reads {steps:,}.")
    kept: tuple[str, list[LengthRun]] | None = st.session_state.get(LENGTHS)
    if kept is None or kept[0] != chosen.name:
        st.caption("Random characters, read from a state of zeros: the state's norm is then shown at every step.")
        return
    count = chosen.model.parameter_count(V)
    shell.chart(
        any_length(kept[1], count, shell.is_dark()), key="arch_cost_any_length", alt=any_length_alt(kept[1], count)
    )
    largest = kept[1][-1].largest
    if largest is not None:
        st.caption(f"Each number of h lies between −1 and 1, so its norm is at most {largest:.1f}, whatever T is.")


# Weights ----------------------------------------------------------------------------------------------------------


def _weights(chosen: Blueprint, T: int) -> None:
    """The heat map of a matrix, and the eigenvalues of the recurrent ones, before and after training."""
    maps = _matrices(chosen, chosen.weights)
    default = next(i for i, title in enumerate(maps) if title.startswith("W_h"))
    title = st.selectbox(
        "Matrix", list(maps), index=default, **in_url(f"arch_cost_matrix_{chosen.model.cell}"),
        help="Of GRU and LSTM, the rows of each gate on their own.",
    )  # fmt: skip
    title = title if title in maps else list(maps)[default]
    first = _first(chosen)
    before = None if first is None else _matrices(chosen, first)[title]
    _maps(chosen, title, maps[title], before)
    _eigenvalues(chosen, first)


def _first(chosen: Blueprint) -> Weights | None:
    """The weights before training, if they are of this network."""
    first = chosen.first_weights
    shapes = chosen.model.parameter_shapes(len(chosen.characters))
    if first is None or any(name not in first or first[name].shape != shape for name, shape in shapes.items()):
        return None
    return first


def _matrices(chosen: Blueprint, weights: Weights) -> dict[str, NDArray[Any]]:
    """Every matrix, or of a gated cell every gate's block of it, under a title that begins with its symbol."""
    found = {}
    for p in parameter_table(chosen.model, len(chosen.characters)):
        if len(p.shape) == 2:
            for symbol, block in blocks(p.symbol, chosen.model.cell, weights[p.name]).items():
                found[f"{symbol}, {p.part}"] = block
    return found


def _maps(chosen: Blueprint, title: str, after: NDArray[Any], before: NDArray[Any] | None) -> None:
    symbol = title.split(",")[0]
    letters = chosen.characters
    reads_characters = symbol.startswith("W_x") and "layer 1" in title and not chosen.model.embedding_size
    names: dict[str, Any] = {
        "rows": letters if symbol in ("W_hy", "E") else None, "columns": letters if reads_characters else None
    }  # fmt: skip
    shown = [("", after)] if before is None else [("before training", before), ("after training", after)]
    largest = max(float(np.nan_to_num(np.abs(m)).max()) for _, m in shown)
    height = 420 if before is None else 330
    for place, (when, matrix) in zip(st.columns(len(shown)), shown, strict=True):
        shell.chart(
            weight_map(matrix, symbol, largest, **names, when=when, dark=shell.is_dark(), height=height),
            key=f"arch_cost_map_{when}", alt=weight_map_alt(matrix, symbol, when), place=place,
        )  # fmt: skip


def _eigenvalues(chosen: Blueprint, first: Weights | None) -> None:
    model = chosen.model
    st.header("Eigenvalues of the recurrent matrix", anchor=False)
    if model.hidden_size > LARGEST:
        st.info(f"They are computed for a hidden size of at most {LARGEST}; this one is {model.hidden_size:,}.")
        return
    parts = {
        f"layer {layer + 1}{', backward' if backward else ''}": (layer, backward)
        for layer in range(model.num_layers)
        for backward in (False, True)[: model.directions]
    }
    where = next(iter(parts))
    if len(parts) > 1:
        where = st.selectbox("Layer", list(parts), **in_url("arch_cost_layer"), help="Whose recurrent matrix it is.")
    layer, backward = parts.get(where, (0, False))
    after = _spectra(chosen.name, "as they are", model, chosen.weights, layer, backward)
    before = [None] * len(after)
    if first is not None:
        before = _spectra(chosen.name, "first", model, first, layer, backward)
    is_one = len(after) == 1
    places = [st.container()] if is_one else [place for _ in range(0, len(after), 2) for place in st.columns(2)]
    for i, (place, now, then) in enumerate(zip(places, after, before, strict=False)):
        shell.chart(
            eigenvalue_plane(now, then, chosen.is_trained, shell.is_dark(), 440 if is_one else 360),
            key=f"arch_cost_plane_{i}", alt=eigenvalue_plane_alt(now, then, chosen.is_trained), place=place,
        )  # fmt: skip
    st.caption(_about_eigenvalues(model))


def _about_eigenvalues(model: ModelConfig) -> str:
    if model.cell == "rnn":
        return (
            "Inside the circle, what a state holds fades from step to step, and so does the gradient on its way back; "
            "outside it, both grow, until the non-linearity holds the state back."
        )
    gates = ", ".join(dict.fromkeys(GATES[name] for name in _gate_names(model)))
    carried = "the cell state" if model.cell == "lstm" else "the state itself"
    return (
        f"One block of rows for each: {gates}. They drive the gates; the memory is {carried}, which the gates keep or "
        "replace, so a radius beyond 1 does not by itself mean that a gradient explodes."
    )


def _gate_names(model: ModelConfig) -> list[str]:
    return list(blocks("W_hh", model.cell, np.zeros((model.gates, 1))))


@st.cache_data(max_entries=64, show_spinner="Computing eigenvalues …")
def _spectra(
    name: str, which: str, _model: ModelConfig, _weights: Weights, layer: int, backward: bool
) -> list[Spectrum]:
    """`name` and `which` say which weights these are."""
    return spectra(_model, _weights, layer, backward)


PARTS = {"Parameters": _parameters, "Against T": _against_time, "Weights": _weights}

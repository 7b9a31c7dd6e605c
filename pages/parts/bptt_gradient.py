"""Truncated BPTT, the gradient: what chunks of k steps cost in it, and how far back each loss reaches."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages.parts import blueprint, service, shell, writers
from pages.parts.blueprint import Blueprint
from pages.parts.controls import number_input
from pages.parts.keys import in_url
from pages.parts.reading import Reading, show_part
from pages.parts.units import choose_states
from rnn.checkpoint_file import read
from rnn.errors import InputError, PlaygroundError, StoreError
from rnn.figures.cost import duration, size
from rnn.figures.reach import OF_C, decades_of, every_loss, every_loss_alt, lags, lags_alt, share
from rnn.figures.truncation import (
    angle,
    at_length,
    chunk_costs,
    chunk_costs_alt,
    chunk_lengths,
    chunk_lengths_alt,
)
from rnn.gradients.reach import FEWEST_STEPS, LagCurve, Reach, by_lag, most_steps, reach, share_kept, stretch_of
from rnn.gradients.truncation import Truncation, truncation
from rnn.shipped import SHIPPED
from rnn.trace import trace
from rnn.unknown import resolve
from rnn.vocabulary import Vocabulary

if TYPE_CHECKING:  # it needs torch
    from rnn.gradients.chunk_cost import ChunkCost

PART, STEPS, CHUNK, START, LAG, SNAPSHOT = (
    "bptt_gradient_part", "bptt_gradient_steps", "bptt_gradient_chunk", "bptt_gradient_start", "bptt_gradient_lag",
    "bptt_gradient_snapshot",
)  # fmt: skip
AGAIN = "bptt_gradient_again"  # a button; in the session under "..._round": how often it was pressed
FIRST_STEPS, FIRST_CHUNK, FIRST_LAG = 60, 10, 20
MATRICES = {
    "all": "all", "E": ":blue[$E$]", "W_xh": ":blue[$W_{xh}$]", "W_hh": ":orange[$W_{hh}$]",
    "b_h": ":orange[$b_h$]", "W_hy": ":green[$W_{hy}$]", "b_y": ":green[$b_y$]",
}  # fmt: skip

Weights = Mapping[str, NDArray[Any]]


def show(reading: Reading) -> None:
    """One of three parts.

    Raises:
        InputError: the network does not predict the next character, or the text has too few steps.
    """
    reading.check_predicts("The gradient of its losses")
    if len(reading.trace) <= FEWEST_STEPS:
        raise InputError(
            f"The gradient over time needs a text of at least {FEWEST_STEPS + 1} characters; this one has "
            f"{len(reading.trace)}. Type more, or press “Another passage”."
        )
    show_part("Part", PARTS, PART, reading)


# By chunk length --------------------------------------------------------------------------------------------------


def _by_chunk_length(reading: Reading) -> None:
    """The truncated gradient beside the full one, and what a chunk takes."""
    start, T, k = _stretch(reading)
    found = _truncation(reading.name, start, T, reading)
    shell.chart(chunk_lengths(found, k, shell.is_dark()), key="bptt_gradient_lengths", alt=chunk_lengths_alt(found, k))
    st.caption(
        "Chunks of k steps carry the state over their edges and cut the gradient there, so each loss reaches at most "
        f"k\u00a0−\u00a01 steps back; here {k - 1}. One chunk of all T steps gives the full gradient. "
        "A cosine of 1 is the same direction, 0 a right angle; a curve dips where an edge happens to stand in the way "
        "of much. W_hy and b_y need no earlier step, so nothing is cut for them."
    )
    table, costs = st.columns([4, 7], gap="medium")
    table.markdown(_table(found, k))
    with costs:
        _costs(reading, k)


def _table(found: Truncation, k: int) -> str:
    """The marked chunk length in numbers, a row for each matrix."""
    rows = [f"| k = {k} | angle | cosine | ratio |", "|:--|--:|--:|--:|"]
    for name in ("all", *(n for n in found.cosine if n != "all")):
        cosine, ratio = found.at(k, name)
        numbers = f"{angle(cosine)} | {cosine:.2f} | {ratio:.2f}" if math.isfinite(cosine) else "none | none | none"
        rows.append(f"| {MATRICES[name]} | {numbers} |")
    return "\n".join(rows)


@st.cache_data(max_entries=64, show_spinner=False)
def _truncation(name: str, start: int, steps: int, _reading: Reading) -> Truncation:
    """`name` tells readings apart."""
    network = _reading.network

    def computed() -> Truncation:
        return truncation(stretch_of(network.model, network.weights, _reading.trace, start, steps))

    return service.scheduler().compute(computed)


def _costs(reading: Reading, k: int) -> None:
    """Milliseconds and bytes of a chunk, measured when the network is first looked at, and again at a click."""
    measured = int(st.session_state.get(f"{AGAIN}_round", 0))
    try:
        with st.spinner("Measuring …", show_time=False):
            costs = _measured(reading.network.name, measured, reading)
    except PlaygroundError as error:  # the rest of the page does not need it
        st.error(shell.plain(error))
        return
    shell.chart(chunk_costs(costs, k, shell.is_dark()), key="bptt_gradient_costs", alt=chunk_costs_alt(costs))
    seconds, kept = at_length(costs, min(k, costs[-1].length))
    st.caption(
        f"Measured on this server just now, step by step under autograd: medians of one gradient of one sequence. "
        f"At k = {k} about {duration(seconds)} and {size(kept)}. Both grow with the chunk, not with the text."
    )
    st.button("Measure again", key=AGAIN, icon=":material/refresh:", on_click=_next_round)


def _next_round() -> None:
    st.session_state[f"{AGAIN}_round"] = int(st.session_state.get(f"{AGAIN}_round", 0)) + 1


@st.cache_data(max_entries=32, show_spinner=False)
def _measured(name: str, measured: int, _reading: Reading) -> tuple[ChunkCost, ...]:
    """`name` tells networks apart, `measured` the measurements."""
    network, trace = _reading.network, _reading.trace
    longest = most_steps(network.model, len(network.characters))
    lengths = sorted({1, *(max(1, round(longest * part)) for part in (0.25, 0.5, 0.75)), longest})
    indices = np.resize(trace.indices, longest + 1)  # a short text again and again: time does not depend on it

    def begin() -> Any:
        from rnn.gradients.chunk_cost import measuring_chunks

        return measuring_chunks(network.model, network.weights, indices, lengths)

    return service.scheduler().compute_in_turns(begin)


# Every loss, every step -------------------------------------------------------------------------------------------


def _every_loss(reading: Reading) -> None:
    """The triangle, of the weights as they are or of a snapshot."""
    start, T, k = _stretch(reading)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        chosen = choose_states(reading.trace)
        step = _snapshot(reading)
    found = _reach(reading.name, start, reading) if step is None else _reach_then(reading, step, start)
    norms = (found.c if chosen.vector == "c" else found.h)[chosen.layer][:T, :T]
    kept, text = share_kept(norms, k), reading.text[start : start + T + 1]
    shell.chart(
        every_loss(norms, text, k, kept, chosen.title, start, shell.is_dark()), key="bptt_gradient_every",
        alt=every_loss_alt(norms, k, kept, chosen.title),
    )  # fmt: skip
    st.caption(
        "A row is the loss of one step, a column a step that the gradient of this loss flows back to, right to left: "
        "the fuller the colour, the more that state could have changed the loss. Hatched: behind a wall, so truncated "
        "training never sees it."
    )
    if not _is_run(reading.choice):
        st.caption("This is the trained network. Of a run of yours, a slider goes back to how it was during training.")


def _snapshot(reading: Reading) -> int | None:
    """The step of the run whose weights are looked at; None: those of the lowest validation loss."""
    if not _is_run(reading.choice):
        return None
    kept = service.scheduler().store.snapshots(reading.choice)
    if not kept:
        return None
    options = [*map(str, kept), "best"]
    at = st.select_slider(
        "Weights at training step", options, "best", **in_url(f"{SNAPSHOT}_{reading.choice[:8]}_{len(kept)}"),
        help="Weights that were kept while it trained; the best ones are those of the lowest validation loss.",
    )  # fmt: skip
    return int(at) if at in map(str, kept) else None


def _is_run(choice: str) -> bool:
    return choice != writers.FILE and not choice.startswith(writers.SHIPPED_PREFIX)


@st.cache_data(max_entries=64, show_spinner=False)
def _reach(name: str, start: int, _reading: Reading) -> Reach:
    """Over all steps that are affordable: fewer are a part of it. `name` tells readings apart."""
    network = _reading.network

    def computed() -> Reach:
        return reach(stretch_of(network.model, network.weights, _reading.trace, start))

    return service.scheduler().compute(computed)


def _reach_then(reading: Reading, step: int, start: int) -> Reach:
    path = service.scheduler().store.snapshot_path(reading.choice, step)
    if not path.exists():
        raise StoreError("The weights of this step are no longer kept: the run was deleted or began anew.")
    weights = read(path).weights()
    name = f"{reading.choice} {step} {path.stat().st_mtime_ns}"
    return _reach_of(name, reading.text, start, reading.network, weights)


@st.cache_data(max_entries=64, show_spinner=False)
def _reach_of(name: str, text: str, start: int, _network: Blueprint, _weights: Weights) -> Reach:
    """What weights do with a text that the network knows; `name` tells both apart."""
    model, vocabulary = _network.model, Vocabulary.from_characters(_network.characters)
    end = start + most_steps(model, len(vocabulary)) + 1

    def computed() -> Reach:
        return reach(stretch_of(model, _weights, trace(model, _weights, vocabulary, text[:end]), start))

    return service.scheduler().compute(computed)


# Against the lag --------------------------------------------------------------------------------------------------


def _against_lag(reading: Reading) -> None:
    """The chosen network and the shipped ones, before and after training, side by side."""
    networks, chosen = _compared(reading)
    groups = {
        when: {name: curve for of in networks for name, curve in _curves(of, networks[of], reading, when).items()}
        for when in ("before training", "after training")
    }
    shortest = min(len(group[chosen].mean) for group in groups.values())
    lag = _slider("Lag", 0, shortest - 1, FIRST_LAG, LAG, "Steps back from the loss.") if shortest > 1 else 0
    decades = decades_of(list(groups.values()))
    for (when, curves), place in zip(groups.items(), st.columns(2), strict=True):
        shell.chart(
            lags(curves, chosen, lag, when, decades, shell.is_dark()), key=f"bptt_gradient_lags_{when[0]}",
            alt=lags_alt(curves, chosen, lag, when), place=place,
        )  # fmt: skip
    origin = (
        "those its run began with" if reading.network.first_weights is not None
        else "drawn again from the seed of its training" if reading.choice.startswith(writers.SHIPPED_PREFIX)
        else "drawn anew, for those it began with were not kept"
    )  # fmt: skip
    st.caption(
        "The mean over all losses of this text; the band around the chosen network holds 80 % of them. The shares in "
        "the title are of the mean at the loss itself, lag 0. All networks read the same text from its beginning; h is "
        f"that of the highest layer. The weights before training are {origin}."
    )
    _about_c(groups["after training"], chosen, lag)


def _about_c(after: Mapping[str, LagCurve], chosen: str, lag: int) -> None:
    """An LSTM's two ways back, in numbers."""
    lstm = chosen if chosen + OF_C in after else "LSTM"
    both = [after[name] for name in (lstm + OF_C, lstm) if name in after]
    if len(both) == 2 and lag < min(len(curve.mean) for curve in both):
        of_c, of_h = (share(curve.left(lag)) for curve in both)
        whose = "This" if lstm == chosen else "An"
        st.caption(
            f"{whose} LSTM remembers in its cell state c, and its gradient flows back there: trained, {lag} steps back "
            f"it keeps {of_c} of dL/dc and {of_h} of dL/dh."
        )


def _compared(reading: Reading) -> tuple[dict[str, Blueprint], str]:
    """The shipped networks and the chosen one, by their names in the figure, and the chosen one's name."""
    networks = dict[str, Blueprint]()
    chosen = "this model"
    for name in reversed(SHIPPED):  # RNN, GRU, LSTM
        if reading.choice == writers.SHIPPED_PREFIX + name:
            chosen = name.upper()
            networks[chosen] = reading.network
        else:
            with suppress(PlaygroundError):  # without one of them, the others are still there
                networks[name.upper()] = blueprint.trained(writers.SHIPPED_PREFIX + name, SHIPPED[name].title)
    return networks if chosen in networks else {**networks, chosen: reading.network}, chosen


def _curves(of: str, network: Blueprint, reading: Reading, when: str) -> dict[str, LagCurve]:
    """Of the highest layer's h and, of an LSTM, c; none where it knows too little of the text."""
    known = reading.text
    if network is not reading.network:
        vocabulary = Vocabulary.from_characters(network.characters)
        known = resolve(known[: 2 * FIRST_STEPS], vocabulary, "nearest").text
        if len(known) <= FEWEST_STEPS:
            return {}
    weights = network.weights if when == "after training" else _first(network, of)
    known = known[: most_steps(network.model, len(network.characters)) + 1]
    found = _reach_of(f"{network.name} {when}", known, 0, network, weights)
    curves = {of: by_lag(found.h[-1])}
    return curves | ({of + OF_C: by_lag(found.c[-1])} if found.c else {})


def _first(network: Blueprint, of: str) -> Weights:
    """The weights before training."""
    shapes = network.model.parameter_shapes(len(network.characters))
    first = network.first_weights
    if first is not None and all(name in first and first[name].shape == shape for name, shape in shapes.items()):
        return first
    seed = SHIPPED[of.lower()].train.seed if of.lower() in SHIPPED else 0
    return blueprint.first_weights(network.model, len(network.characters), seed)


# Sliders ----------------------------------------------------------------------------------------------------------


def _stretch(reading: Reading) -> tuple[int, int, int]:
    """The first step from 0, T and the chunk length k."""
    last = len(reading.trace) - FEWEST_STEPS
    steps_place, chunk_place, start_place = st.columns([3, 3, 2], gap="medium")
    with start_place:
        key = f"{START}_{last}"
        start = number_input(st, "First step", 1, last, 1, key, help="Of the text; it takes over the state before it.")
    start = max(1, min(int(start), last)) - 1
    most = min(len(reading.trace) - 1 - start, most_steps(reading.network.model, len(reading.vocabulary)))
    with steps_place:
        T = _slider(
            "Steps T of the stretch",
            FEWEST_STEPS,
            most,
            FIRST_STEPS,
            STEPS,
            "As many losses, one a step. A large network is followed over fewer.",
        )
    with chunk_place:
        k = _slider(
            "Chunk length k", 1, most, FIRST_CHUNK, CHUNK, "The gradient is cut after every k steps; at most T."
        )
    return start, T, min(k, T)


def _slider(label: str, low: int, high: int, first: int, key: str, words: str) -> int:
    """A whole number of `low` to `high`, in the URL; with another `high` it is another slider, which begins anew."""
    if high <= low:
        st.caption(f"{label}: {low}")
        return low
    value = st.slider(label, low, high, max(low, min(first, high)), **in_url(f"{key}_{high}"), help=words)
    return max(low, min(int(value), high))


PARTS = {
    "By chunk length": _by_chunk_length, "Every loss, every step": _every_loss, "Against the lag": _against_lag,
}  # fmt: skip

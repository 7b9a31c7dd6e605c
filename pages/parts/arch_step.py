"""The step function: x goes in, h moves, y comes out; one step at a time, and over a whole batch of sequences."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from pages.parts import service, shell
from pages.parts.blueprint import Blueprint
from pages.parts.controls import number_input
from pages.parts.keys import in_url
from rnn.errors import InputError, PlaygroundError
from rnn.figures.characters import visible
from rnn.figures.step import hidden_statistics, hidden_statistics_alt, signed, step_bars, step_bars_alt
from rnn.lecture import (
    LETTERS,
    MOST_STEPS,
    SIZES,
    WORKED_SIZE,
    BatchExample,
    HiddenStatistics,
    StepNetwork,
    Stepped,
    one_hot,
    parse_vector,
    run_batch,
    run_steps,
    sequence_code,
    step_code,
)

TYPED = "numbers"  # the choice of an x that is typed
INPUTS = "arch_step_inputs"  # in the session: the input size, and every x so far

Inputs = tuple[tuple[float, ...], ...]


def show(chosen: Blueprint, T: int) -> None:
    """The view has small networks of its own: these show what the step function does, whatever was chosen."""
    _one_by_one()
    with st.expander("A whole sequence at once: rnn.rnn_sequence", icon=":material/view_week:"):
        _whole_sequence()


# One step at a time -----------------------------------------------------------------------------------------------


@st.fragment
def _one_by_one() -> None:
    try:
        network = _network()
        x = _x(network)
        inputs = _inputs(network, x)
        inputs = _buttons(network, inputs, x)
        _show_steps(network, inputs, x)
    except PlaygroundError as error:
        st.error(shell.plain(error))


def _network() -> StepNetwork:
    """The network, or the two that are composed."""
    with st.container(horizontal=True, gap="medium", vertical_alignment="center"):
        is_worked = st.toggle(
            "Worked example", False, **in_url("arch_step_worked"),
            help="Three 3 × 3 matrices from numpy's random numbers with seed 0.",
        )  # fmt: skip
        is_composed = st.toggle(
            "Two networks", False, **in_url("arch_step_two"), help="Deep by composition: y = rnn2.step(rnn1.step(x))."
        )
        if is_worked:
            return StepNetwork(WORKED_SIZE, WORKED_SIZE, WORKED_SIZE, is_composed=bool(is_composed), is_worked=True)
        with st.popover("Sizes", icon=":material/tune:"):
            return _sized(bool(is_composed))


def _sized(is_composed: bool) -> StepNetwork:
    first = StepNetwork()
    sizes = [
        int(number_input(st, label, *SIZES, default, f"arch_step_{key}", help=f"How many numbers {symbol} has."))
        for label, default, key, symbol in (
            ("Input size", first.input_size, "input", "x"), ("Hidden size", first.hidden_size, "hidden", "h"),
            ("Output size", first.output_size, "output", "y"),
        )
    ]  # fmt: skip
    seed = number_input(st, "Seed", 0, 2**31 - 1, 0, "arch_step_seed", help="Of the random matrices.")
    return StepNetwork(*sizes, seed=int(seed), is_composed=is_composed)


def _x(network: StepNetwork) -> tuple[float, ...] | None:
    """The next input; None where what was typed is none, which is said."""
    size = network.input_size
    letters = list(LETTERS[:size])
    kind = "worked" if network.is_worked else str(size)
    choice = st.segmented_control(
        "x", [*letters, TYPED], default=TYPED if network.is_worked else letters[0], required=True,
        format_func=lambda c: "type numbers" if c == TYPED else visible(c), **in_url(f"arch_step_x_{kind}"),
        help="A character stands for its one-hot vector.",
    )  # fmt: skip
    if choice in letters:
        return one_hot(letters.index(choice), size)
    text = st.text_input(
        f"The {size} numbers of x",
        ", ".join("1" * size),
        max_chars=400,
        **in_url(f"arch_step_numbers_{kind}"),
        help="Parted by commas; x is a vector of this length.",
    )
    try:
        return parse_vector(text or "", size)
    except InputError as error:
        st.error(shell.plain(error))
        return None


def _inputs(network: StepNetwork, x: tuple[float, ...] | None) -> Inputs:
    """Every x so far: other matrices read them anew, another input size begins anew with one step taken."""
    kind = (network.input_size, network.is_worked)
    kept: tuple[Any, Inputs] | None = st.session_state.get(INPUTS)
    if kept is None or kept[0] != kind:
        kept = (kind, (x,) if x else ())
        st.session_state[INPUTS] = kept
    return kept[1]


def _buttons(network: StepNetwork, inputs: Inputs, x: tuple[float, ...] | None) -> Inputs:
    """Takes a step, or starts over; the inputs after that."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        is_full = len(inputs) >= MOST_STEPS
        stepped = st.button(
            "Step", key="arch_step_step", type="primary", icon=":material/skip_next:", disabled=x is None or is_full,
            help="Reads x: h moves one step, and y comes out.",
        )  # fmt: skip
        reset = st.button("Reset", key="arch_step_reset", icon=":material/restart_alt:", help="h is zero again.")
        if is_full:
            st.caption(f"{MOST_STEPS} steps are the most. Reset, and start over.")
    if stepped and x is not None and not is_full:
        inputs = (*inputs, x)
    if reset:
        inputs = ()
    st.session_state[INPUTS] = (st.session_state[INPUTS][0], inputs)
    return inputs


def _show_steps(network: StepNetwork, inputs: Inputs, x: tuple[float, ...] | None) -> None:
    # Before the first step there is something to see, too: h = 0, and what the next x is.
    shown = inputs or (x or one_hot(0, network.input_size),)
    steps = _steps(network, shown)
    for i, name in enumerate(network.names):
        history = [step[i] for step in steps]
        if not inputs:
            history = [_not_taken(history[0])]
        shell.chart(
            step_bars(history, name, shell.is_dark(), "x = y1" if i else "x"), key=f"arch_step_bars_{i}",
            alt=step_bars_alt(history, name),
        )  # fmt: skip
    if inputs:
        narrow = st.column_config.NumberColumn(width=50)
        st.dataframe(
            _table(network, steps), hide_index=True, width="stretch", key="arch_step_table",
            column_config={"step": narrow},
        )  # fmt: skip
    if network.is_worked:
        st.caption("x may be a matrix, too: a 3 × 3 matrix of ones gives three columns, each as 1, 1, 1 gives it.")
    st.caption("The code that ran")
    st.code(step_code(network, inputs), language="python", wrap_lines=True)


def _not_taken(step: Stepped) -> Stepped:
    nothing = float("nan")
    return Stepped(step.x, step.before, step.after * nothing, step.y * nothing)


def _table(network: StepNetwork, steps: list[tuple[Stepped, ...]]) -> pd.DataFrame:
    """One row per step, the newest on top."""
    rows = []
    for number, step in enumerate(steps, start=1):
        row = {"step": number, "x": _read(network, step[0])}
        for name, stepped in zip(network.names, step, strict=True):
            which = name.removeprefix("rnn") if network.is_composed else ""
            row |= {f"y{which}": _listed(stepped.y), f"h{which} after": _listed(stepped.after)}
        rows.append(row)
    return pd.DataFrame(rows[::-1])


def _read(network: StepNetwork, step: Stepped) -> str:
    """An x as its character, or its numbers."""
    places = [i for i, v in enumerate(step.x) if v]
    if len(places) == 1 and step.x[places[0]] == 1:
        return f"“{visible(LETTERS[places[0]])}”"
    return _listed(step.x)


def _listed(values: Any) -> str:
    return "  ".join(map(signed, values.tolist()))


@st.cache_data(max_entries=64, show_spinner=False, hash_funcs={StepNetwork: repr})
def _steps(network: StepNetwork, inputs: Inputs) -> list[tuple[Stepped, ...]]:
    return service.scheduler().compute(lambda: run_steps(network, inputs))


# A whole sequence -------------------------------------------------------------------------------------------------


@st.fragment
def _whole_sequence() -> None:
    first = BatchExample()
    places = st.columns(3)
    names = (
        ("Steps T", 1, 500, first.steps, "steps", "Time steps of each sequence."),
        ("Batch B", 1, 64, first.batch_size, "batch", "Sequences that are read side by side."),
        ("Every k steps", 1, 500, first.every, "every", "How often mean and variance of h are printed."),
        ("Input size I", 1, 64, first.input_size, "i", "How many numbers x has."),
        ("Hidden size H", 2, 64, first.hidden_size, "h", "How many numbers h has."),
        ("Seed", 0, 2**31 - 1, first.seed, "seed", "Draws the matrices and the inputs."),
    )  # fmt: skip
    T, B, every, inputs, hidden, seed = (
        int(number_input(places[i % 3], label, low, high, value, f"arch_batch_{key}", help=words))
        for i, (label, low, high, value, key, words) in enumerate(names)
    )
    try:
        example = BatchExample(T, B, inputs, hidden, first.output_size, every, seed)
        found = _batch(example)
    except PlaygroundError as error:
        st.error(shell.plain(error))
        return
    shell.chart(hidden_statistics(found, shell.is_dark()), key="arch_batch_figure", alt=hidden_statistics_alt(found))
    st.caption(
        f"The outputs, stacked over time, are {_shape(found.output_shape)}; the last h is {_shape(found.last_shape)}. "
        "The code that ran, and what it prints:"
    )
    st.code(sequence_code(example), language="python", wrap_lines=True)
    with st.container(height=196 if len(found.at) > 6 else "content", border=False):  # it scrolls, by keys too
        st.code(found.lines, language=None, wrap_lines=True)


def _shape(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))


@st.cache_data(max_entries=32, show_spinner=False, hash_funcs={BatchExample: repr})
def _batch(example: BatchExample) -> HiddenStatistics:
    return service.scheduler().compute(lambda: run_batch(example))

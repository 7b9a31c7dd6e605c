""" "hello": the lecture's four letters with all numbers on one picture, to be changed, trained and sampled.

It has a network of its own, whatever the page is about.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from pages.parts import service, shell
from pages.parts.blueprint import Blueprint
from pages.parts.controls import LARGEST, number_input
from pages.parts.keys import in_url
from rnn import hello
from rnn.errors import InputError, PlaygroundError
from rnn.figures import hello as figures
from rnn.hello import CHARACTERS, HIDDEN, LECTURE_LOGITS, LECTURE_STATES, READ, TARGETS, WORD, Progress
from rnn.records import Walk

Array = NDArray[np.float64]

MODE, SEED, RULE = "arch_hello_mode", "arch_hello_seed", "arch_hello_rule"
RATE = "arch_hello_rate_{}"  # of each rule
LOGITS, BENCH = "arch_hello_logits", "arch_hello_bench"  # in the session only
DRAWS = "arch_hello_draws"  # how often texts were drawn

LECTURE, NETWORK = "The lecture's numbers", "A network"
FIRST_SEED = 2  # a start from which learning can be watched: some forty steps
RULES = {"sgd": "Gradient descent", "adam": "Adam"}
FIRST_RATES = {"sgd": 0.1, "adam": 0.05}
LOWEST_RATE, HIGHEST_RATE = 0.0001, 10.0
AT_ONCE = 100  # steps, about 0.1 s: then the server's other trainings have a turn
AT_MOST = 2_000  # steps that are tried until it spells the word
IN_ALL = 10_000
TEXTS = 8  # that are drawn from the softmax

LETTERS = [f"“{c}”" for c in CHARACTERS]
UNITS = [f"h{i + 1}" for i in range(HIDDEN)]
TABLES = {  # name: rows, columns
    "W_xh": (UNITS, LETTERS), "W_hh": (UNITS, UNITS), "W_hy": (LETTERS, UNITS), "b_h": (["b_h"], UNITS),
    "b_y": (["b_y"], LETTERS),
}  # fmt: skip
WIDTH = 62  # pixels of a column
STEPS = [f"t = {t + 1}" for t in range(len(READ))]

_versions = count()


@dataclass
class Tables:
    """Numbers in tables that can be written in.

    Attributes:
        drawn: what the tables were drawn with. It stays while they are written in, for a table that is drawn with
            other numbers forgets what was written.
        now: the same with what was written, where that was numbers.
        version: of the tables; a new one is drawn afresh.
    """

    drawn: Mapping[str, Array]
    now: Mapping[str, Array]
    version: int

    @classmethod
    def of(cls, numbers: Mapping[str, Array]) -> Tables:
        return cls(numbers, numbers, next(_versions))


@dataclass
class Bench:
    """The visitor's network: its seed, its training so far, its tables, and what is to be said once."""

    seed: int
    progress: Progress
    tables: Tables
    message: str = ""
    complaint: str = ""


def show(chosen: Blueprint, T: int) -> None:
    """The view; it is about its own four letters, not about the chosen network and T."""
    _walk_through()


@st.fragment
def _walk_through() -> None:
    row = st.container(horizontal=True, vertical_alignment="center")
    with row:
        mode = st.segmented_control(
            "Whose numbers", [LECTURE, NETWORK], default=LECTURE, required=True, label_visibility="collapsed",
            **in_url(MODE),
            help="Those of the lecture's picture, or of a small network that is trained here.",
        )  # fmt: skip
    try:
        if mode == NETWORK:
            with row.popover("Settings", icon=":material/tune:"):
                settings = _settings()
            _network(*settings)
        else:
            _lecture()
    except PlaygroundError as error:
        st.error(shell.plain(error))


# The lecture's numbers --------------------------------------------------------------------------------------------


def _lecture() -> None:
    """Its states, and logits that can be changed."""
    tables: Tables = st.session_state.setdefault(LOGITS, Tables.of({"Logits": LECTURE_LOGITS.T}))
    picture, below = st.container(), st.container()
    with below:
        left, right = st.columns([4, 1], vertical_alignment="bottom")
        left.markdown("**Logits**, each can be changed:")
        right.button("Undo all", key="arch_hello_undo", on_click=_undo, width="stretch", icon=":material/undo:")
        _written(tables, {"Logits": (LETTERS, STEPS)}, [st.container()])
    walk = hello.walk(LECTURE_STATES, tables.now["Logits"].T)
    with picture:
        _picture(walk)
        p = walk.probabilities[0, CHARACTERS.index(TARGETS[0])]
        st.caption(
            f"Training time: “{READ}” is read, and “{TARGETS}” should come, the same word shifted by one. The loss of "
            f"a step is −ln of the target's probability: at t = 1, −ln {p:.3f} = {walk.losses[0]:.3f} nats. States and "
            "logits are those of Stanford cs231n, lecture 10."
        )


def on_show() -> Walk:
    """The way through the letters as it was shown last, or would be at first."""
    if st.session_state.get(MODE) == NETWORK and BENCH in st.session_state:
        return _looked(st.session_state[BENCH].progress.weights)[0]
    tables: Tables | None = st.session_state.get(LOGITS)
    return hello.walk(LECTURE_STATES, LECTURE_LOGITS if tables is None else tables.now["Logits"].T)


def _undo() -> None:
    st.session_state[LOGITS] = Tables.of({"Logits": LECTURE_LOGITS.T})


# A network --------------------------------------------------------------------------------------------------------


def _network(seed: int, rule: str, rate: float) -> None:
    """One of its own shape: trained step by step, sampled, and taken apart."""
    bench = _bench(seed)
    buttons, picture, writing, curve, gradient = (st.container() for _ in range(5))
    with st.expander("The weights, each can be changed"):
        st.markdown(
            r"$h_t = \tanh(W_{xh} x_t + W_{hh} h_{t-1} + b_h)$ and $y_t = W_{hy} h_t + b_y$: "
            "a row for each number that comes out, a column for each that goes in."
        )
        left, right = st.columns([4, 3])
        are_numbers = _written(bench.tables, TABLES, [left, right, left, right, left])
    bench.progress = replace(bench.progress, weights=bench.tables.now)
    weights = bench.progress.weights
    walk, of_autograd = _looked(weights)
    with buttons:
        _buttons(bench, rule, rate, are_numbers)
    with picture:
        _picture(walk)
    with writing:
        _writing(walk, weights)
    with curve:
        losses, shape = bench.progress.losses, (len(TARGETS), len(CHARACTERS))
        shell.chart(
            figures.hello_losses(losses, walk.total, *shape, shell.is_dark()), key="arch_hello_losses",
            alt=figures.hello_losses_alt(losses, walk.total, *shape),
        )  # fmt: skip
    with gradient:
        _gradient(walk, weights, of_autograd)


def _settings() -> tuple[int, str, float]:
    """Seed, update rule and learning rate."""
    seed = number_input(
        st, "Seed", 0, LARGEST, FIRST_SEED, SEED, help="Draws the first weights. Another seed starts over."
    )
    rule = st.selectbox(
        "Update",
        list(RULES),
        format_func=RULES.__getitem__,
        **in_url(RULE),
        help="The rule that turns gradients into steps.",
    )
    rule = rule if rule in RULES else "sgd"
    rate = number_input(
        st,
        "Learning rate",
        LOWEST_RATE,
        HIGHEST_RATE,
        FIRST_RATES[rule],
        RATE.format(rule),
        format="%g",
        help="How far one step moves the weights.",
    )
    return max(0, min(int(seed), LARGEST)), rule, max(LOWEST_RATE, min(float(rate), HIGHEST_RATE))


def _bench(seed: int) -> Bench:
    """What this seed's network has come to; another seed begins anew."""
    bench: Bench | None = st.session_state.get(BENCH)
    if bench is None or bench.seed != seed:
        first = _first_weights(seed)
        bench = Bench(seed, Progress(first), Tables.of(first))
        st.session_state[BENCH] = bench
    return bench


@st.cache_data(max_entries=64, show_spinner=False)
def _first_weights(seed: int) -> dict[str, Array]:
    def drawn() -> dict[str, Array]:
        from rnn import speller

        return speller.first_weights(seed)

    return service.scheduler().compute(drawn)


def _looked(weights: Mapping[str, Array]) -> tuple[Walk, Array]:
    """The way through the letters, and autograd's gradient of W_hh."""

    def looked() -> tuple[Walk, Array]:
        from rnn import speller

        return speller.look(weights)

    return service.scheduler().compute(looked)


def _buttons(bench: Bench, rule: str, rate: float, are_numbers: bool) -> None:
    with st.container(horizontal=True, gap="small"):
        for steps in (1, 10, 100):
            st.button(
                f"{steps} step{'' if steps == 1 else 's'}", key=f"arch_hello_{steps}", on_click=_train,
                args=(bench, steps, rule, rate, False), disabled=not are_numbers,
            )  # fmt: skip
        st.button(
            f"Until it spells {WORD}", key="arch_hello_until", type="primary", icon=":material/play_arrow:",
            on_click=_train, args=(bench, AT_MOST, rule, rate, True), disabled=not are_numbers,
            help="Until the likeliest letter at each step is the target.",
        )  # fmt: skip
        st.button(
            "Start over", key="arch_hello_over", icon=":material/restart_alt:", on_click=_start_over,
            help="The seed's first weights again.",
        )  # fmt: skip
    if bench.complaint:
        st.error(shell.plain(bench.complaint))
    if bench.message:
        st.caption(bench.message)
    bench.complaint = bench.message = ""


def _start_over() -> None:
    st.session_state.pop(BENCH, None)


def _train(bench: Bench, steps: int, rule: str, rate: float, until_it_spells: bool) -> None:
    """So many steps, in pieces. What goes wrong leaves the network as it was."""
    progress, begun = bench.progress, bench.progress.steps
    steps = min(steps, IN_ALL - begun)
    try:
        while (left := steps - (progress.steps - begun)) > 0:
            taken = _piece(progress, min(left, AT_ONCE), rule, rate, until_it_spells)
            if taken.steps == progress.steps:
                break
            progress = taken
    except PlaygroundError as error:
        bench.complaint = str(error)
        return
    bench.progress, bench.tables = progress, Tables.of(progress.weights)
    if begun >= IN_ALL:
        bench.message = f"{IN_ALL:,} steps are enough for four letters. Start over to see it learn again."
    elif until_it_spells:
        writes = hello.greedy(progress.weights)
        bench.message = (
            f"It spells {WORD} after {progress.steps:,} steps." if writes == WORD else
            f"After {progress.steps:,} steps it spells {writes}. Try another learning rate, or start over."
        )  # fmt: skip


def _piece(progress: Progress, steps: int, rule: str, rate: float, until_it_spells: bool) -> Progress:
    def trained() -> Progress:
        from rnn import speller

        return speller.train(progress, steps, rule, rate, until_it_spells)

    return service.scheduler().compute(trained)


def _writing(walk: Walk, weights: Mapping[str, Array]) -> None:
    """Test time: what it writes by itself."""
    draws = st.session_state.get(DRAWS, 0)
    drawn = hello.samples(weights, TEXTS, TEXTS * draws)
    right, chance = drawn.count(WORD), _percent(math.exp(-walk.total))
    texts = ", ".join(f"**{text}**" if text == WORD else text for text in drawn)
    st.markdown(
        f"Test time: after “{READ[0]}”, each letter that it writes is what it reads next.\n"
        f"* Always the likeliest: **{hello.greedy(weights)}**\n"
        f"* Drawn from the softmax: {texts}\n\n"
        f"{right} of {TEXTS} draws say {WORD}. It has the probability $e^{{-L}}$ with $L$ the total loss: {chance}."
    )
    st.button("Draw again", key="arch_hello_draw", icon=":material/casino:", on_click=_draw_again)


def _percent(share: float) -> str:
    return f"{share:.1%}" if share >= 0.001 else "less than 0.1%"


def _draw_again() -> None:
    st.session_state[DRAWS] = st.session_state.get(DRAWS, 0) + 1


def _gradient(walk: Walk, weights: Mapping[str, Array], of_autograd: Array) -> None:
    """dL/dW_hh as a sum over losses and copies, beside autograd's."""
    shares = hello.gradient_shares(walk, weights)
    shell.chart(
        figures.hello_gradient(shares, TARGETS, shell.is_dark()), key="arch_hello_gradient",
        alt=figures.hello_gradient_alt(shares, TARGETS),
    )  # fmt: skip
    total = shares.sum((0, 1))
    st.caption(
        "The numbers are norms: matrices add up, their norms do not. Copy 1 multiplied h₀ = 0, so it has no share. The "
        "shares are backpropagation through time by hand; their sum differs from autograd's gradient of the total loss "
        f"by {np.abs(total - of_autograd).max():.0e} at most."
    )
    with st.expander("The nine numbers of each"):
        columns = {f"L{t + 1}": shares[t].sum(0).ravel() for t in range(len(shares))}
        columns |= {"sum": total.ravel(), "autograd": of_autograd.ravel()}
        cells = [f"{i + 1},{j + 1}" for i in range(HIDDEN) for j in range(HIDDEN)]
        decimals = {name: st.column_config.NumberColumn(format="%.4f", width=WIDTH) for name in columns}
        st.dataframe(
            pd.DataFrame(columns, pd.Index(cells, name="row, column")), column_config=decimals,
            key="arch_hello_numbers", height="content",
        )  # fmt: skip


# What both have ---------------------------------------------------------------------------------------------------


def _picture(walk: Walk) -> None:
    shell.chart(figures.hello(walk, shell.is_dark()), key="arch_hello_walk", alt=figures.hello_alt(walk))


def _written(
    tables: Tables, names: Mapping[str, tuple[Sequence[str], Sequence[str]]], places: Sequence[DeltaGenerator]
) -> bool:
    """Draws the tables and takes in what was written; whether it is all numbers. If not, says so and keeps it."""
    key = f"arch_hello_{{}}_{tables.version}"
    if any(key.format(name) not in st.session_state for name in names):
        tables.drawn = tables.now  # they come on show (again): what was written is in their numbers
    now: dict[str, Array] = dict(tables.now)
    two_decimals = st.column_config.NumberColumn(format="%.2f", width=WIDTH)  # on show; a cell keeps all it has
    names_only = st.column_config.Column(disabled=True)
    are_numbers = True
    for (name, (rows, columns)), place in zip(names.items(), places, strict=True):
        values = np.atleast_2d(tables.drawn[name])
        with place:
            if len(names) > 1:
                st.caption(f"{name}, {' × '.join(map(str, tables.drawn[name].shape))}")
            try:
                edited: Any = st.data_editor(
                    pd.DataFrame(values, pd.Index(rows, name="row"), list(columns)), key=key.format(name),
                    width="stretch", num_rows="fixed",
                    column_config=dict.fromkeys(columns, two_decimals) | {"_index": names_only},
                )  # fmt: skip
                typed = hello.checked(edited.to_numpy(object).tolist(), name, rows, columns)
                now[name] = typed.reshape(tables.drawn[name].shape)
            except InputError as error:
                st.error(shell.plain(error))
                are_numbers = False
            except (LookupError, TypeError, ValueError, AttributeError):  # Streamlit's, at cells that are not there
                st.error("What was written is not in this table. Reload the page.")
                are_numbers = False
    tables.now = now
    return are_numbers

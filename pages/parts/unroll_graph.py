"""Unroll Visualizer, the graph: a stretch of the text in columns, stepped and played, forward and backward."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.parts import service, shell, units
from pages.parts.keys import in_url
from pages.parts.player import Player
from pages.parts.reading import Reading
from pages.parts.units import Chosen
from rnn.errors import InputError, PlaygroundError
from rnn.figures.characters import visible
from rnn.figures.contributions import contribution_bars, contribution_bars_alt
from rnn.figures.graph import MOST, Matrix, Stretch, graph, graph_alt, matrices
from rnn.figures.network import network, network_alt
from rnn.figures.unit_equations import unit_equations
from rnn.topology import SequenceShape, topology
from rnn.unit_step import unit_step

if TYPE_CHECKING:  # it needs torch
    from rnn.gradients.contributions import Contributions

DIRECTION, COLUMNS, START, LIT = "unroll_graph_way", "unroll_graph_T", "unroll_graph_from", "unroll_graph_lit"
AT = "unroll_graph_at"  # the current step, from 1; in the URL while it stands
PLAYING = "unroll_graph_playing"  # in the session: when it last moved; absent while it stands
WIDE = "unroll_graph_wide"  # the container that scrolls by itself where the columns need more than the page
FORWARD, BACKWARD, FOLDED = "Forward", "Backward", "Folded"
DEFAULT_COLUMNS = 8
PLAYER = Player("unroll_graph", AT, PLAYING)
TICK = 0.65  # seconds from one step to the next while it plays


def show(reading: Reading) -> None:
    """The controls, the graph, and the equation of its current column.

    Raises:
        PlaygroundError: what is asked for needs another network or a longer text.
    """
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        way = st.segmented_control(
            "Drawn", (FORWARD, BACKWARD, FOLDED), default=FORWARD, required=True, **in_url(DIRECTION),
            help="Forward, the network reads. Backward, the gradient of the loss flows. Folded, time is a loop.",
        )  # fmt: skip
        if way == FOLDED:
            PLAYER.stop()
        else:
            start, steps = _where(reading.text)
    if way == FOLDED:
        _folded(reading)
        return
    if way == BACKWARD:
        reading.check_predicts("The gradient")
        if len(reading.text) < 2:
            raise InputError("A loss needs a character that comes next. Type at least two characters.")
    PLAYER.run(_stepped, TICK, reading, start, steps, way == BACKWARD)


def _where(text: str) -> tuple[int, int]:
    """The first step, from 0, and how many columns."""
    length = len(text)
    steps = st.slider(
        "Columns T", 1, MOST, DEFAULT_COLUMNS, **in_url(COLUMNS), width=220, help="Time steps drawn side by side."
    )
    steps = max(1, min(int(steps), MOST, length))
    if length == 1:
        return 0, 1
    begins = 1 + length - len(text.lstrip()) if text.strip() else 1  # white space shows little
    if int(st.session_state.get(START) or 1) > length:
        st.session_state[START] = begins
    start = st.slider(
        "From character", 1, length, begins, **in_url(START), width=320,
        help="The network has read all before it: its state there is what the first column begins with.",
    )  # fmt: skip
    start = max(1, min(int(start), length)) - 1
    return start, min(steps, length - start)


# One column after another -----------------------------------------------------------------------------------------


def _stepped(reading: Reading, start: int, steps: int, is_back: bool, was_playing: bool) -> None:
    """The part that moves: the current column, the graph and the equation."""
    try:
        flow = _flow(reading, start, steps) if is_back else None
        if flow is not None:
            steps = min(steps, len(flow.losses))
        first, last = start + 1, start + steps
        PLAYER.advance(first, last, TICK, was_playing, is_back)
        plays = "Right to left, as the gradient flows." if is_back else "Column after column, to the last one."
        helps = ("One column to the left.", plays, "One column to the right.")
        current = PLAYER.place(first, last, "Current column t", helps, is_back, "Whose equation stands below.") - 1
        place = st.container()
        lit = "" if is_back else _lit(reading)
        chosen, unit = _unit(reading)
        stretch = Stretch(
            reading.trace, reading.network.model, reading.network.model.cell.upper(), start, steps, current, unit,
            (chosen.layer, int(chosen.one.reverse)), chosen.vector, lit, reading.predicts,
        )  # fmt: skip
        with place:
            _draw(stretch, flow)
        _equations(reading, chosen, unit, current)
        if flow is not None:
            _sums(flow)
    except PlaygroundError as error:
        PLAYER.stop()
        st.error(shell.plain(error))


def _lit(reading: Reading) -> str:
    """The key of the matrix that is lit on all its arrows."""
    every = {m.key: m for m in matrices(reading.network.model, len(reading.network.characters))}

    def label(key: str) -> str:
        return _label(every[key])

    chosen = st.pills(
        "The same matrix at every step", list(every), format_func=label,
        **in_url(f"{LIT}_{len(every)}"), help="Choose one to see all its arrows.",
    )  # fmt: skip
    return chosen if chosen in every else ""


def _label(matrix: Matrix) -> str:
    return f"{matrix.plain}, {matrix.shape[0]} × {matrix.shape[1]}".replace("_", r"\_")


def _unit(reading: Reading) -> tuple[Chosen, int]:
    """The layer, the state and the unit whose numbers are written out."""
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        chosen = units.choose_states(reading.trace)
        unit = units.choose_unit(reading.network.model.hidden_size)
    return chosen, unit


def _draw(stretch: Stretch, flow: Contributions | None) -> None:
    dark = shell.is_dark()
    st.html(f"<style>.st-key-{WIDE} > .stElementContainer {{min-width: {stretch.width}px; max-width: none}}</style>")
    with st.container(key=WIDE):
        shell.chart(graph(stretch, flow, dark), key="unroll_graph_figure", alt=graph_alt(stretch, flow))
        if flow is not None:
            text = "".join(stretch.trace.text[t] for t in stretch.shown)
            shell.chart(
                contribution_bars(flow, stretch.start, stretch.current, len(stretch.shown), dark),
                key="unroll_graph_bars", alt=contribution_bars_alt(flow, text, stretch.start),
            )  # fmt: skip
    said = "The fuller the colour, the larger the number" + (
        "" if stretch.is_roomy else "; a dash marks a negative one"
    )
    if flow is not None:
        said += ". An arrow to the left is as wide as the norm of dL/dh where it ends"
    elif stretch.predicts:
        said += ". The character that came next is framed; its loss is L = −ln p"
    st.caption(f"{said}. Point at a number for all its digits.")


def _equations(reading: Reading, chosen: Chosen, unit: int, t: int) -> None:
    """What the chosen unit computes in the current column."""
    model = reading.network.model
    step = unit_step(model, reading.network.weights, reading.trace, chosen.layer, chosen.one.reverse, unit, t)
    lines = unit_equations(step, chosen.layer, chosen.one.reverse, shell.is_dark())
    losses = reading.trace.losses
    if reading.predicts and t < len(losses):
        p = float(reading.trace.probabilities[t, reading.trace.indices[t + 1]])
        lines = (*lines, rf"L_{{{t + 1}}} = -\ln p_{{{t + 1}}} = -\ln {p:.4f} = \mathbf{{{losses[t]:.3f}}}")
    st.markdown("\n\n".join(f"${line}$" for line in lines))
    read = "the h of the layer below" if chosen.layer else f"“{shell.plain(visible(reading.text[t]))}”"
    said = f"Square brackets: row or unit {unit + 1}. This layer reads {read} at step {t + 1}."
    if reading.predicts and t < len(losses):
        said += f" p is that of “{shell.plain(visible(reading.text[t + 1]))}”, which came next."
    st.caption(said)


# Folded -----------------------------------------------------------------------------------------------------------


def _folded(reading: Reading) -> None:
    """One cell, and time as a loop."""
    model = reading.network.model
    drawn = topology(model, len(reading.network.characters), SequenceShape.MANY_TO_MANY, 2, is_folded=True)
    shell.chart(network(drawn, None, shell.is_dark()), key="unroll_graph_folded", alt=network_alt(drawn, None))
    st.caption("The loop is W_hh: the state goes back into the same cell at the next step.".replace("_", r"\_"))


# Backward ---------------------------------------------------------------------------------------------------------


def _flow(reading: Reading, start: int, steps: int) -> Contributions:
    """The gradient of the losses of a stretch.

    Raises:
        InputError: nothing comes after it.
    """
    steps = min(steps, len(reading.text) - 1 - start)
    if steps < 1:
        raise InputError("The text ends here, so there is no loss. Begin further to the left.")
    return _contributions(reading.name, start, steps, reading)


@st.cache_resource(max_entries=64, show_spinner=False)
def _contributions(name: str, start: int, steps: int, _reading: Reading) -> Contributions:
    """`name` tells readings apart."""

    def computed() -> Contributions:
        from rnn.gradients.contributions import contributions, most_steps

        model, indices = _reading.network.model, _reading.trace.indices
        T = min(steps, most_steps(model, len(_reading.network.characters)))
        state = [
            (one.h_before[start],) if one.c_before is None else (one.h_before[start], one.c_before[start])
            for (one,) in _reading.trace.layers
        ]
        return contributions(
            model, _reading.network.weights, indices[start : start + T], indices[start + 1 : start + T + 1], state
        )

    return service.scheduler().compute(computed)


def _sums(flow: Contributions) -> None:
    """The sums of the contributions against autograd's gradients."""
    layers = flow.states.shape[1]
    rows = [
        f"| W_{m.name[2:]}{f' of layer {m.layer + 1}' if layers > 1 and m.name != 'W_hy' else ''} | "
        f"{m.shape[0]:,} × {m.shape[1]:,} | {m.whole:.4g} | {m.norms.sum():.4g} | {shell.power(m.difference)} |"
        for m in flow.matrices
    ]
    head = "| matrix | size | norm of the sum | sum of the norms | largest difference from autograd |"
    st.markdown("\n".join([head, "|:--|--:|--:|--:|--:|", *rows]).replace("W_", r"W\_"))
    largest = max(m.difference for m in flow.matrices)
    st.caption(
        f"Each matrix is used at every step, so its gradient is the sum of what the {len(flow.losses)} steps add. "
        f"That sum and autograd's gradient differ by {shell.power(largest)} at most, in float64."
    )

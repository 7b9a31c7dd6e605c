"""Unroll Visualizer, the states: what the units of a layer do over a text, one of them above all."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray

from pages.parts import address, alive, service, shell, units
from pages.parts.keys import in_url
from pages.parts.reading import Reading
from pages.parts.units import Chosen
from rnn.errors import PlaygroundError
from rnn.figures import along
from rnn.figures.characters import visible
from rnn.figures.gate_tracks import gate_tracks, gate_tracks_alt
from rnn.figures.highway import highway, highway_alt, lasting_units
from rnn.figures.saturated import saturation_scatter, saturation_scatter_alt
from rnn.figures.states import MOST_COLUMNS, columns, state_map, state_map_alt
from rnn.ordering import by_cluster, by_variance, correlations
from rnn.saturation import OF_SIGMOID, OF_TANH, SIGMOID_GATES, keeping_gate, saturation
from rnn.tables import states_csv

PANEL, ORDER = "unroll_states_panel", "unroll_states_order"
WINDOW, FOLLOWED = "unroll_states_window", "unroll_states_from"
AT_IN_URL = "unroll_states_at"
AT = "unroll_states_place"  # in the session: which text, and the character of it that is looked at
FOLLOWED_AT = "unroll_states_from_at"  # in the session: the character that the way was chosen for
TEXT, MAP = "unroll_states_text", "unroll_states_map"
ORDERS = {"As they are": "index", "By cluster": "cluster", "By variance": "variance"}
FOLLOWED_AT_FIRST = 30  # characters
LINES = 6  # of the text that are seen at a time


def show(reading: Reading) -> None:
    """The text coloured by a unit, and below it all units, the unit's gates, or what it keeps."""
    _view(reading)


@st.fragment
def _view(reading: Reading) -> None:
    try:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            chosen = units.choose_states(reading.trace)
            unit = units.choose_unit(chosen.values.shape[1])
            panel = st.segmented_control(
                "Below the text", list(PANELS), default=next(iter(PANELS)), **in_url(PANEL), required=True
            )
        at = _at(reading)
        _text(reading, chosen, unit, at)
        PANELS.get(panel or "", _map)(reading, chosen, unit, at)
    except PlaygroundError as error:
        st.error(shell.plain(error))


# The text ---------------------------------------------------------------------------------------------------------


def _at(reading: Reading) -> int:
    """The character that is looked at; of another text the one in the middle at first."""
    usual = len(reading.text) // 2
    text, at = st.session_state.setdefault(AT, (reading.text, address.linked_number(AT_IN_URL, usual)))
    at = at if text == reading.text and 0 <= at < len(text) else usual
    address.put_number(AT_IN_URL, at, usual)
    return at


def _picked(text: str) -> None:
    picked = alive.picked(TEXT)
    if picked is not None and 0 <= picked < len(text):
        st.session_state[AT] = (text, picked)


def _text(reading: Reading, chosen: Chosen, unit: int, at: int) -> None:
    values = chosen.values[:, unit]
    full = along.rounded_up(float(np.abs(values).max()))
    shades = alive.signed_levels(values, full)
    value, character = along.signed(float(values[at])), visible(reading.text[at])
    said = f"Unit {unit + 1}: {chosen.title} is {value} after “{character}”, character {at + 1:,}"
    st.markdown(f"**{shell.plain(said)}**")
    alive.coloured_text(
        "", reading.text, shades, [f"{chosen.vector} = {along.signed(v)}" for v in values.tolist()], "", at, (), TEXT,
        partial(_picked, reading.text), f"{reading.name} {chosen.title} {unit}", alive.signed_palette(chosen.vector),
        [i for i, shade in enumerate(shades) if shade < alive.LEVELS], LINES,
    )  # fmt: skip
    hue = "Purple" if chosen.vector == "c" else "Orange"
    st.caption(
        f"{hue}: positive; grey and underlined: negative; the strongest colour is ±{full:g}. "
        "Click a character, or move with the arrow keys."
    )


# All units --------------------------------------------------------------------------------------------------------


def _map(reading: Reading, chosen: Chosen, unit: int, at: int) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        said = st.segmented_control("Rows", list(ORDERS), default="As they are", **in_url(ORDER), required=True)
        ordered = ORDERS.get(said or "", "index")
        with st.container(width=420):
            window = _window(reading, columns(chosen.values.shape[1]))
        st.download_button(
            "CSV", partial(states_csv, reading.text, chosen.values, chosen.vector), f"states-{chosen.vector}.csv",
            "text/csv", key="unroll_states_csv", icon=":material/download:", on_click="ignore",
            help="The values of all units after every character of the text.",
        )  # fmt: skip
    order = _order(f"{reading.name} {chosen.title}", ordered, chosen.values)
    shown = (reading.text, chosen.values, order, chosen.title, unit, at, window, ordered)
    _chart(
        state_map(*shown, dark=shell.is_dark()), state_map_alt(*shown), MAP,
        partial(_clicked, MAP, chosen.values.shape[1]),
    )  # fmt: skip
    st.caption("Each row is a unit, each column a character. Click a bar on the right to look at its unit.")


@st.cache_data(max_entries=64, show_spinner=False)
def _order(name: str, ordered: str, _states: NDArray[np.float32]) -> NDArray[np.int64]:
    """The order of the rows; sorted on the compute thread."""
    if ordered == "cluster":
        return service.scheduler().compute(lambda: by_cluster(correlations(_states)))
    return by_variance(_states) if ordered == "variance" else np.arange(_states.shape[1])


def _clicked(key: str, hidden_size: int) -> None:
    """A point was clicked: its unit is the one that is looked at."""
    points = st.session_state[key].selection.points
    unit = points[0].get("customdata") if points else None
    if isinstance(unit, list):
        unit = unit[0] if unit else None
    if isinstance(unit, int) and 0 <= unit < hidden_size:
        units.show_unit(hidden_size, unit)


def _window(reading: Reading, most: int = MOST_COLUMNS) -> along.Window:
    """The characters that are drawn: all of them, or as many as can be, from where the slider says."""
    T = len(reading.text)
    if T <= 2:
        return 0, T
    wanted = st.slider(
        "Characters shown", 1, T, (1, min(T, MOST_COLUMNS)), **in_url(f"{WINDOW}_{T}"),
        help=f"Up to {along.FEW} are written one by one.",
    )  # fmt: skip
    first, last = sorted(max(1, min(int(end), T)) for end in wanted)
    if last - first >= most:
        st.caption(f"At most {most:,} characters are drawn at a time: {first:,} to {first + most - 1:,} of {T:,}.")
    return first - 1, min(last, first - 1 + most)


# One unit ---------------------------------------------------------------------------------------------------------


def _gates(reading: Reading, chosen: Chosen, unit: int, at: int) -> None:
    if not chosen.one.gates:
        st.info("A vanilla RNN has no gates: at every step it computes its whole state h anew. This is all there is.")
    window = _window(reading)
    shown = (reading.text, chosen.one, _where(chosen), unit, at, window)
    _chart(gate_tracks(*shown, dark=shell.is_dark()), gate_tracks_alt(*shown), "unroll_states_tracks")
    if chosen.one.gates:
        st.caption(_EQUATIONS["lstm" if chosen.one.c is not None else "gru"])


_EQUATIONS = {
    "lstm": "c = f × c before + i × g, and h = o × tanh(c): a gate near 0 lets nothing through, one near 1 everything.",
    "gru": "h = z × h before + (1 − z) × n; r says how much of h before enters n. A gate near 0 lets nothing through, "
    "one near 1 everything.",
}


def _saturation(reading: Reading, chosen: Chosen, unit: int, at: int) -> None:
    model, gates = reading.network.model, chosen.one.gates
    if model.cell == "rnn" and model.nonlinearity == "relu":
        st.info(
            "A ReLU has no upper end, so its units cannot be saturated there. "
            f"Here h is exactly 0 at {(chosen.one.h == 0).mean():.0%} of all units and characters."
        )
        return
    shown = {name: gates[name] for name in SIGMOID_GATES if name in gates} or {"h": chosen.one.h}
    bounds = OF_TANH if model.cell == "rnn" and model.nonlinearity == "tanh" else OF_SIGMOID
    if not gates:
        st.info(
            "A vanilla RNN has no gates that could be open or shut. Its state itself can be saturated: near an end of "
            f"its non-linearity ({model.nonlinearity}), where it hardly moves and passes hardly any gradient on."
        )
    for place, (name, values) in zip(st.columns(len(shown)), shown.items(), strict=True):
        found, key = saturation(values, bounds), f"unroll_states_saturation_{name}"
        with place:
            _chart(
                saturation_scatter(found, name, unit, shell.is_dark()), saturation_scatter_alt(found, name, unit), key,
                partial(_clicked, key, chosen.values.shape[1]),
            )  # fmt: skip
    if gates:
        st.caption(
            f"Each point is a unit{f' of {_where(chosen)}' if _where(chosen) else ''}; the ring marks unit {unit + 1}. "
            "Right: its gate is open at most characters; top: it is shut. Click a point to look at its unit. "
            "After Karpathy, Johnson and Fei-Fei, 2015."
        )


def _highway(reading: Reading, chosen: Chosen, unit: int, at: int) -> None:
    gate, T = keeping_gate(chosen.one.gates), len(reading.text)
    if gate is None:
        st.info(
            "A vanilla RNN multiplies its whole state by W_hh and squashes it at every step: nothing passes through "
            "unchanged, so it has no highway. An LSTM has one, its cell state c; a GRU has one in h."
        )
        return
    if T < 2:
        st.info("The way from one character to another needs a text of at least two.")
        return
    first, last = _followed(T, at, chosen.one.reverse)
    around = max((along.FEW - (last - first + 1)) // 2, (last - first) // 10)
    window = max(0, first - around), min(T, last + 1 + around)
    shown = (reading.text, chosen.one, unit, first, last, at, window)
    _chart(highway(*shown, dark=shell.is_dark()), highway_alt(*shown), "unroll_states_highway")
    state = "c" if chosen.one.c is not None else "h"
    st.caption(
        f"At every step {state} is multiplied by {gate}, and something new is added. What is left of it from the first "
        f"of the two characters is the product of all {gate} since. {lasting_units(chosen.one, first, last)}"
    )


def _followed(T: int, at: int, reverse: bool) -> tuple[int, int]:
    """Two characters, from 0: the one that was clicked last and one some steps further on the way of the reading."""
    key = f"{FOLLOWED}_{T}"
    wanted = st.session_state.get(key)
    if wanted is None or st.session_state.get(FOLLOWED_AT) != (T, at):
        span = wanted[1] - wanted[0] if wanted else FOLLOWED_AT_FIRST
        first = min(max(0, at - span if reverse else at), T - 2)
        st.session_state[key] = (first + 1, min(T, (at if reverse else first + span) + 1))
        st.session_state[FOLLOWED_AT] = (T, at)
    wanted = st.slider(
        "From which character to which", 1, T, **in_url(key),
        help="The state after the one that is read first is followed to the other. A click in the text moves both.",
    )  # fmt: skip
    first, last = sorted(max(1, min(int(end), T)) for end in wanted)
    return first - 1, last - 1


def _where(chosen: Chosen) -> str:
    """Which layer it is, where there are several."""
    return chosen.title.partition(" of ")[2]


def _chart(figure: go.Figure, alt: str, key: str, on_click: Callable[[], None] | None = None) -> None:
    shell.chart(figure, key=key, alt=alt, on_select=on_click)


PANELS: dict[str, Callable[[Reading, Chosen, int, int], None]] = {
    "All units": _map, "Gates": _gates, "Saturation": _saturation, "Highway": _highway,
}  # fmt: skip

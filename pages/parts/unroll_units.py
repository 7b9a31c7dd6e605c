"""Unroll Visualizer, the units: which of them follows what in the text, and how far chance alone would take them."""

from __future__ import annotations

import numpy as np
import streamlit as st

from pages.parts import reading as readings
from pages.parts import service, shell
from pages.parts.keys import in_url, name_of
from pages.parts.reading import Reading
from pages.parts.units import choose_states, choose_unit, show_states
from rnn import corpora
from rnn.errors import PlaygroundError
from rnn.figures.units import (
    LETTERED,
    SHOWN,
    best_units,
    best_units_alt,
    number,
    ranked_features,
    unit_beside,
    unit_beside_alt,
    unit_label,
    unit_table,
    unit_table_alt,
    units_and_depth,
    units_and_depth_alt,
)
from rnn.trace import most_characters
from rnn.units import FEATURES, SHORTEST, Correlations, Unit, correlations
from rnn.unknown import resolve

ON, FEATURE, BEGIN = "unroll_units_on", "unroll_units_feature", "unroll_units_from"
LOOKED_AT = "unroll_units_looked_at"  # in the session: the text and feature whose best unit was shown
MORE, TYPED = "More of its training text", "The text above"
OFFERED = 5  # units of a feature
MOST_DRAWN = 32  # units of a layer whose rows are drawn one by one
DEPTH = "bracket depth"


def show(reading: Reading) -> None:
    """The best unit of every feature against chance, and one unit beside one feature."""
    measured = _measured(reading)
    found = _correlations(measured.name, measured)
    if not found.features:
        st.info("Nothing varies in this text that a unit could follow. Type words, brackets or several lines.")
        return
    dark = shell.is_dark()
    shell.chart(best_units(found, dark), key="unroll_units_best", alt=best_units_alt(found))
    st.caption(_warning(found))
    feature = _choose_feature(found, measured)
    _beside(found, measured, feature)
    with st.expander("The best units with every feature", icon=":material/grid_on:"):
        shell.chart(unit_table(found, dark), key="unroll_units_table", alt=unit_table_alt(found))


# What it is measured on -------------------------------------------------------------------------------------------


def _measured(reading: Reading) -> Reading:
    """What was typed, or thousands of characters of the text that the model was trained on, where these are here."""
    longer = _longer(reading)
    if longer is None:
        return reading
    on = st.segmented_control(
        "Measured on", (MORE, TYPED), default=MORE, **in_url(ON), required=True,
        help=f"{len(longer):,} characters say more than {len(reading.text):,}: the more there are, the less is chance.",
    )  # fmt: skip
    return reading if on == TYPED else readings.of(reading.choice, reading.network, longer)


def _longer(reading: Reading) -> str | None:
    """As many characters as fit of the part that the model was not trained on; None where that is no longer text."""
    network = reading.network
    most = most_characters(network.model, len(network.characters))
    try:
        content, _ = readings.corpus(reading.choice, network)
    except PlaygroundError:  # not here, or somebody else's
        return None
    held_out = corpora.validation_length(len(content), network.validation_fraction)
    begin = len(content) - (held_out if held_out >= most else most)
    text = resolve(content[max(0, begin) :][:most], reading.vocabulary, "nearest").text[:most]
    return text if len(text) >= max(SHORTEST, len(reading.text)) else None


@st.cache_resource(max_entries=32, show_spinner=False)
def _correlations(name: str, _measured: Reading) -> Correlations:
    """`name` tells the readings apart."""
    return service.scheduler().compute(lambda: correlations(_measured.trace))


def _warning(found: Correlations) -> str:
    said = (
        "r is 1 or −1 where a unit is a straight line of the feature, and 0 where they have nothing in common. Chance "
        f"is what the best of all {len(found.units):,} numbers reaches with the text shifted against them, in 95 of "
        "100 shifts. So one feature in twenty passes its mark by chance alone, and what just passes it proves little."
    )
    if found.constant:
        said += f" Left out, for they do not vary in this text: {', '.join(found.constant)}."
    return said


# One unit ---------------------------------------------------------------------------------------------------------


def _choose_feature(found: Correlations, measured: Reading) -> str:
    """The feature, and a click on one of its best units."""
    names = ranked_features(found)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            "Feature", list(FEATURES), list(FEATURES).index(names[0]), **in_url(FEATURE), width=200,
            help="Its best units stand beside it. A click looks at one.",
        )  # fmt: skip
        feature = chosen if chosen in found.features else names[0]
        for place, (unit, r) in enumerate(found.ranked(feature, OFFERED)):
            st.button(
                f"{unit_label(unit, found.units)}: {number(r)}", key=f"unroll_units_look_{place}",
                icon=":material/visibility:", on_click=_look_at, args=(measured, unit),
                help=f"Look at this unit: r = {number(r)} with {feature}.",
            )  # fmt: skip
    if st.session_state.get(LOOKED_AT) != (measured.name, feature):  # until somebody chooses another one
        st.session_state[LOOKED_AT] = (measured.name, feature)
        _look_at(measured, found.ranked(feature, 1)[0][0])
    if chosen != feature:
        st.caption(f"“{shell.plain(chosen)}” does not vary in this text.")
    return feature


def _look_at(measured: Reading, unit: Unit) -> None:
    show_states(measured.trace, unit.layer, unit.reverse, unit.vector, unit.number)


def _beside(found: Correlations, measured: Reading, feature: str) -> None:
    """The chosen unit over a stretch of the text, and, where they are few, all units of its layer."""
    trace = measured.trace
    with st.container(horizontal=True, vertical_alignment="bottom"):
        states = choose_states(trace)
        number_of_unit = choose_unit(states.values.shape[1])
        values = FEATURES[feature](measured.text)
        begin = _choose_begin(values, measured.name, feature)
    unit = Unit(states.layer, states.one.reverse, states.vector, number_of_unit)
    row, of_layer = found.features.index(feature), _of_layer(found, unit)
    r = found.r[row, of_layer]
    dark = shell.is_dark()
    title = f"unit {number_of_unit + 1}" + (f" of {states.title}" if states.title != "h" else "")
    one = states.values[:, number_of_unit]
    shell.chart(
        unit_beside(one, values, measured.text, begin, title, states.vector, feature, float(r[number_of_unit]), dark ),
        key="unroll_units_beside",
        alt=unit_beside_alt(one, values, measured.text, begin, title, feature, float(r[number_of_unit])),
    )  # fmt: skip
    if len(of_layer) <= MOST_DRAWN and DEPTH in found.features:
        depth, r = FEATURES[DEPTH](measured.text), found.r[found.features.index(DEPTH), of_layer]
        shell.chart(
            units_and_depth(states.values, depth, r, measured.text, begin, states.vector, dark),
            key="unroll_units_depth", alt=units_and_depth_alt(states.values, r, states.vector),
        )  # fmt: skip


def _of_layer(found: Correlations, unit: Unit) -> list[int]:
    """The places of all units that are in the same vector of the same layer and direction."""
    same = (unit.layer, unit.reverse, unit.vector)
    return [n for n, other in enumerate(found.units) if (other.layer, other.reverse, other.vector) == same]


def _choose_begin(values: np.ndarray, name: str, feature: str) -> int:
    """Where the drawn stretch begins, from 0; at first where the feature moves most."""
    last = len(values) - SHOWN
    if last <= 0:
        return 0
    first = max(range(0, last + 1, LETTERED), key=lambda begin: float(np.ptp(values[begin : begin + SHOWN])))
    begin = st.slider(
        "From character",
        1,
        last + 1,
        first + 1,
        **in_url(name_of(f"{BEGIN}_{name[-8:]}_{feature}")),
        help="Where the stretch that is drawn begins.",
    )
    return max(1, min(int(begin), last + 1)) - 1

"""A unit held at a value: what the text costs without it, and what the model writes without it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from pages.parts import influence_place, keys, service, shell, units
from pages.parts.clicks import clicked
from pages.parts.controls import number_input
from pages.parts.reading import Reading
from rnn.errors import InputError
from rnn.figures import theme
from rnn.figures.characters import legible, visible
from rnn.figures.silencing import missed_units, missed_units_alt
from rnn.sampling import NumpyModel, generate
from rnn.silencing import PinnedModel, losses, mean_losses, work

VALUE, SEED = "unroll_influence_value", "unroll_influence_seed"
TEXT, MISSED = "unroll_influence_silence_text", "unroll_influence_missed"
WRITTEN, PRIME = 300, 200  # characters that are written, and those of the text that are read before
BUDGET = 6e9  # multiplications for the loss with every unit held: about 0.2 s
LEAST, MOST = 30, 200  # characters of the text that it is of
ROWS = 8
RANGES = {"tanh": (-1.0, 1.0), "sigmoid": (0.0, 1.0), "relu": (-10.0, 10.0)}


def show(reading: Reading) -> None:
    """All units by how much they are missed; one of them held, and what comes of it.

    Raises:
        PlaygroundError: there is nothing to score.
    """
    reading.check_predicts("Silencing a unit")
    if len(reading.text) < 2:
        raise InputError("A score needs something to foretell. Type a text of at least two characters.")
    config = reading.network.model
    with st.container(horizontal=True, vertical_alignment="bottom"):
        layer = _layer(config.num_layers)
        low, high = RANGES[config.nonlinearity if config.cell == "rnn" else "tanh"]
        value = number_input(
            st, "Held at", low, high, 0.0, f"{VALUE}_{low:g}", width=130, step=0.1,
            help="The value of h of this unit at every step; 0 silences it.",
        )  # fmt: skip
        value = max(low, min(float(value), high))
        part = max(LEAST, min(MOST, int(BUDGET // work(config))))
        differences = _missed(reading.name, layer, value, part, reading)
        _start_with(config.hidden_size, int(np.argmax(differences)))
        unit = units.choose_unit(config.hidden_size)
        seed = number_input(st, "Seed", 0, 2**31 - 1, 0, SEED, width=130, help="Of the two texts below.")
    shell.chart(
        missed_units(differences, value, dark=shell.is_dark()), key=MISSED, alt=missed_units_alt(differences, value),
        on_select=_pick_unit,
    )  # fmt: skip
    scored = "" if len(reading.text) <= part else f" of the first {part} characters"
    st.caption(
        f"Each unit of the layer is held in its turn, and the loss{scored} measured. Click a bar, or type a unit's "
        "number, to look at it below."
    )
    before = reading.trace.losses / np.log(2)
    after = _held(reading.name, layer, unit, value, reading) / np.log(2)
    _numbers(before, after, unit, value)
    _painted(reading, after - before, (layer, unit, value))
    _texts(reading, layer, unit, value, max(0, min(int(seed), 2**31 - 1)))
    _characters(reading, before, after)


def _layer(layers: int) -> int:
    """The top one at first; asked for where there are several."""
    if layers == 1:
        return 0
    layer = st.selectbox(
        "Layer", range(layers), layers - 1, format_func=lambda i: f"Layer {i + 1}",
        **keys.in_url(f"{keys.LAYER}_{layers}"), width=220,
        help="Whose unit is silenced.",
    )  # fmt: skip
    return layer if layer in range(layers) else layers - 1


def _start_with(hidden_size: int, unit: int) -> None:
    """Where no unit was chosen yet, it is this one."""
    key = f"{keys.CHOSEN_UNIT}_{hidden_size}"
    if key not in st.session_state and key not in st.query_params:
        units.show_unit(hidden_size, unit)


def _pick_unit() -> None:
    unit = clicked(MISSED)
    size = st.session_state.get(f"{MISSED}_of")
    if isinstance(unit, int) and isinstance(size, int) and 1 <= unit <= size:
        units.show_unit(size, unit - 1)


def _numbers(before: NDArray[np.float64], after: NDArray[np.float64], unit: int, value: float) -> None:
    held = "silent" if value == 0 else f"held at {value:g}"
    left, middle, right = st.columns(3)
    left.metric(
        "Bits per character",
        f"{before.mean():.3f}",
        border=True,
        height="stretch",
        help="Of the text, as the model is.",
    )
    middle.metric(
        f"With unit {unit + 1} {held}", f"{after.mean():.3f}", f"{after.mean() - before.mean():+.3f}",
        delta_color="inverse", border=True, height="stretch",
    )  # fmt: skip
    worse = int((after > before).sum())
    right.metric(
        "Characters foretold worse", f"{worse / len(before):.0%}", border=True, height="stretch",
        help=f"{worse:,} of {len(before):,}; the others are foretold better, or as before.",
    )  # fmt: skip


def _painted(reading: Reading, differences: NDArray[np.float64], identity: object) -> None:
    """Each character by what it costs more without the unit; nothing foretells the first one."""
    costs = [0.0, *differences.tolist()]
    full = float(np.percentile(np.abs(differences), 99)) or float(np.abs(differences).max()) or 1.0
    influence_place.text(
        reading, reading.text, influence_place.signed_levels(costs, full),
        [f"{c:+.2f} bits".replace("-", "−") for c in costs], influence_place.chosen(reading), TEXT, identity,
        influence_place.signed_shades(theme.HIDDEN), below=[i for i, c in enumerate(costs) if c < -full / 20],
    )  # fmt: skip
    st.caption("Orange characters are foretold worse without the unit, grey and underlined ones better.")


def _texts(reading: Reading, layer: int, unit: int, value: float, seed: int) -> None:
    one, other = _written(reading.name, layer, unit, value, seed, reading)
    parted = next((i for i, (a, b) in enumerate(zip(one, other, strict=True)) if a != b), None)
    where = "They are the same." if parted is None else f"They part at character {parted + 1}."
    st.markdown(f"**The text goes on, with the same random numbers.** {where}")
    left, right = st.columns(2)
    left.caption("As the model is")
    left.code(legible(one), language=None, wrap_lines=True)
    right.caption(f"With unit {unit + 1} {'silent' if value == 0 else f'held at {value:g}'}")
    right.code(legible(other), language=None, wrap_lines=True)


def _characters(reading: Reading, before: NDArray[np.float64], after: NDArray[np.float64]) -> None:
    """Which characters the unit matters to."""
    indices, V = reading.trace.indices[1:], len(reading.vocabulary)
    times = np.bincount(indices, minlength=V)
    more, old = (np.bincount(indices, weights, V) for weights in (after - before, before))
    order = [int(i) for i in np.argsort(-np.abs(more), kind="stable")[:ROWS] if times[i]]
    rows = [
        {
            "character": visible(reading.vocabulary.characters[i]), "times": int(times[i]),
            "bits each, before": old[i] / times[i], "after": (old[i] + more[i]) / times[i], "more bits in all": more[i],
        }
        for i in order
    ]  # fmt: skip
    st.markdown("**The characters that it matters most to**")
    number = st.column_config.NumberColumn
    st.dataframe(
        pd.DataFrame(rows), hide_index=True, width="stretch",
        column_config={
            "bits each, before": number(format="%.2f"), "after": number(format="%.2f"),
            "more bits in all": number(format="%+.2f"),
        },
    )  # fmt: skip


# Computed ---------------------------------------------------------------------------------------------------------


def _missed(name: str, layer: int, value: float, part: int, reading: Reading) -> NDArray[np.float64]:
    """Bits per character that the beginning of the text costs more with each unit held, (H,)."""
    st.session_state[f"{MISSED}_of"] = reading.network.model.hidden_size
    found = _mean_losses(name, layer, value, part, reading)
    differences: NDArray[np.float64] = (found - reading.trace.losses[: part - 1].mean()) / np.log(2)
    return differences


@st.cache_data(max_entries=64, show_spinner=False)
def _mean_losses(name: str, layer: int, value: float, part: int, _reading: Reading) -> Any:
    network, indices = _reading.network, _reading.trace.indices[:part]
    return service.scheduler().compute_in_turns(
        lambda: mean_losses(network.model, network.weights, indices, layer, value)
    )


@st.cache_data(max_entries=64, show_spinner=False)
def _held(name: str, layer: int, unit: int, value: float, _reading: Reading) -> Any:
    network = _reading.network
    return service.scheduler().compute(
        lambda: losses(PinnedModel(network.model, network.weights, layer, unit, value), _reading.trace.indices)
    )


@st.cache_data(max_entries=64, show_spinner=False)
def _written(name: str, layer: int, unit: int, value: float, seed: int, _reading: Reading) -> tuple[str, str]:
    """What the model writes after the end of the text, as it is and with the unit held."""
    network, vocabulary, prime = _reading.network, _reading.vocabulary, _reading.text[-PRIME:]

    def written() -> tuple[str, str]:
        models = (
            NumpyModel(network.model, network.weights),
            PinnedModel(network.model, network.weights, layer, unit, value),
        )
        one, other = ("".join(s.char for s in generate(m, vocabulary, prime, WRITTEN, seed=seed)) for m in models)
        return one, other

    return service.scheduler().compute(written)

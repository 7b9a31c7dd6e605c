"""Unroll Visualizer, memory: how far back the network remembers, the path of its state, and the map of characters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages.parts import reading as readings
from pages.parts import service, shell, units, writers
from pages.parts.keys import in_url
from pages.parts.reading import Reading, show_one
from rnn import corpora
from rnn.errors import InputError, PlaygroundError, TextError
from rnn.figures.projection import (
    COLOURED_BY,
    Drawn,
    character_map,
    character_map_alt,
    state_path,
    state_path_alt,
)
from rnn.figures.remembering import Remembered, gain_alt, gain_curves, memory_alt, memory_curves
from rnn.projection import Plane, character_vectors, plane
from rnn.records import MemoryCurve
from rnn.remembering import (
    Counted,
    HeldOut,
    affordable_places,
    check_length,
    counted,
    curve_of,
    held_out,
    lengths_in,
    places_in,
    shipped_curves,
    windowed_losses,
)
from rnn.sampling import NumpyModel
from rnn.shipped import SHIPPED
from rnn.stepwise import Stepwise

PART, UNIT, COLOUR, DRAWN = "unroll_memory_part", "unroll_memory_unit", "unroll_memory_colour", "unroll_memory_drawn"
CURVES = "unroll_memory_curves"  # in the session: what was measured, by model
MOST_CURVES = 8  # kept there
OVERLAID = 4  # curves in the figure
MOST_CHARACTERS = 600  # on the map
FIRST_DRAWN = 80  # steps of a path
COUNTING = (
    "Dashed: counting how often each character follows none, one or two others (×). With so little to see a network "
    "may do worse, because it has hardly ever started in the middle of a text."
)


@dataclass(frozen=True)
class Measured:
    """A curve of the visitor's, and what it was measured with.

    Attributes:
        title: what the model is called.
        cell: a key of `rnn.config.CELLS`.
        name: of the network: another one once it has trained on.
        sha256: of the text part.
        curve: the numbers.
    """

    title: str
    cell: str
    name: str
    sha256: str
    curve: MemoryCurve


def show(reading: Reading) -> None:
    """One of three parts."""
    show_one("Part", PARTS, PART, reading)


# How long it remembers --------------------------------------------------------------------------------------------


def _remembers(reading: Reading) -> None:
    """The chosen model's curve, over those of other models that were measured at the same places."""
    reading.check_predicts("How long it remembers")
    if reading.choice.startswith(writers.SHIPPED_PREFIX):
        _of_shipped(reading.choice.removeprefix(writers.SHIPPED_PREFIX))
    else:
        _of_own(reading)


def _of_shipped(name: str) -> None:
    kept = shipped_curves()
    names = [name, *(other for other in SHIPPED if other != name)]
    models = [Remembered(other.upper(), SHIPPED[other].model.cell, kept.curves[other]) for other in names]
    _figures(models, kept.counted, f"of “{corpora.CORPORA[kept.text].title}” that they were not trained on")


def _of_own(reading: Reading) -> None:
    part, where = _text(reading)
    own = _measured(reading, part)
    kept, curves = shipped_curves(), [Remembered("this model", own.cell, own.curve)]
    others = [one for key, one in _session().items() if key != _key(reading) and one.sha256 == own.sha256]
    curves += [Remembered(one.title, one.cell, one.curve) for one in reversed(others)]
    if own.sha256 == kept.sha256:
        curves += [Remembered(f"{name.upper()} (app)", SHIPPED[name].model.cell, kept.curves[name]) for name in SHIPPED]
    numbers = _counted(own.sha256, reading.network.characters, part, own.curve.places) if part.training else None
    _figures(curves[:OVERLAID], numbers, where)
    if own.name != reading.network.name:
        st.caption("It has trained on since this was measured.")
        if st.button("Measure again", key="unroll_memory_again", icon=":material/refresh:"):
            _session().pop(_key(reading), None)
            st.rerun()


def _text(reading: Reading) -> tuple[HeldOut, str]:
    """Where it is measured: in the training text's validation part, or else in what was typed; and that in words."""
    try:
        content, title = readings.corpus(reading.choice, reading.network)
        part = held_out(content, reading.network.validation_fraction)
    except TextError:  # it is not here, or somebody else's
        check_length(reading.text)
        return HeldOut(reading.text, "", False), "of the text above"
    return part, f"of “{title}”" + (" that it was not trained on" if part.is_held_out else ", which it was trained on")


def _measured(reading: Reading, part: HeldOut) -> Measured:
    """The model's curve, measured now unless the session has it: also of earlier weights, if the text is the same."""
    session, key = _session(), _key(reading)
    kept = session.get(key)
    if kept is not None and kept.sha256 == part.sha256:
        return kept
    model, vocabulary = NumpyModel(reading.network.model, reading.network.weights), reading.vocabulary
    indices = vocabulary.encode(part.content, "replace")
    places = places_in(len(indices), affordable_places(reading.network.model, len(vocabulary)))
    curve = _curve(model, indices, places)
    while len(session) >= MOST_CURVES:
        session.pop(next(iter(session)))
    session[key] = Measured(reading.network.title, reading.network.model.cell, reading.network.name, part.sha256, curve)
    return session[key]


def _curve(model: NumpyModel, indices: NDArray[Any], places: NDArray[np.int64]) -> MemoryCurve:
    """Length by length, so that the page says how far it is; training goes on between the steps of each."""
    lengths, losses, done = lengths_in(len(indices)), {}, 0
    bar = st.progress(0.0, "Reading …")
    for length in lengths:
        bar.progress(done / sum(lengths), f"Predicting {len(places):,} characters, each after reading {length} …")

        def windows(length: int = length) -> Stepwise[NDArray[np.float64]]:
            return windowed_losses(model, indices, places, length)

        losses[length] = service.scheduler().compute_in_turns(windows)
        done += length
    bar.empty()
    return curve_of(losses)


@st.cache_data(max_entries=32, show_spinner=False)
def _counted(sha256: str, characters: tuple[str, ...], _part: HeldOut, count: int) -> Counted:
    """The n-grams at the same places; `sha256` is the part's."""
    from rnn.vocabulary import Vocabulary

    vocabulary = Vocabulary.from_characters(characters)
    indices = vocabulary.encode(_part.content, "replace")
    training = vocabulary.encode(_part.training, "replace") if _part.is_held_out else indices
    places = places_in(len(indices), count)
    return service.scheduler().compute(lambda: counted(training, indices, places, len(vocabulary)))


def _session() -> dict[str, Measured]:
    kept: dict[str, Measured] = st.session_state.setdefault(CURVES, {})
    return kept


def _key(reading: Reading) -> str:
    return reading.network.name if reading.choice == writers.FILE else reading.choice


def _figures(models: list[Remembered], numbers: Counted | None, where: str) -> None:
    """The loss, and what is still to be gained. The first model is the one that is chosen."""
    unit = st.segmented_control(
        "Unit",
        ("nats", "bits"),
        default="nats",
        **in_url(UNIT),
        label_visibility="collapsed",
        required=True,
        help="Of the loss: 1 nat is 1.44 bits.",
    )
    unit = "bits" if unit == "bits" else "nats"
    levels, curve, dark = numbers.losses if numbers else (), models[0].curve, shell.is_dark()
    shell.chart(
        memory_curves(models, levels, unit, dark), key="unroll_memory_loss", alt=memory_alt(models, levels, unit)
    )
    st.caption(
        f"The mean loss at the same {curve.places:,} characters {shell.plain(where)}. Before each of them the network "
        "reads only so many characters, from a state of zeros. The bars are standard errors."
        + ("" if all(m.curve.places == curve.places for m in models) else " Other models: at more or fewer of them.")
        + (f" {COUNTING}" if numbers else "")
    )
    shell.chart(gain_curves(models, unit, dark), key="unroll_memory_gain", alt=gain_alt(models, unit))
    st.caption(
        f"How much lower the loss would be with more to see, up to {curve.lengths[-1]} characters. Where less than "
        "0.01 nats is left, what lies farther back is forgotten, or of no use for this text."
    )


# The path of the state --------------------------------------------------------------------------------------------


@st.fragment
def _path(reading: Reading) -> None:
    """The state after each character of the text, on a plane."""
    try:
        _draw_path(reading)
    except PlaygroundError as error:
        st.error(shell.plain(error))


def _draw_path(reading: Reading) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = units.choose_states(reading.trace)
        colour = st.segmented_control(
            "Colour", list(COLOURED_BY), default="kind", format_func=lambda name: COLOURED_BY[name].capitalize(),
            **in_url(COLOUR), required=True,
            help="What a point's colour says of its character.",
        )  # fmt: skip
    T = len(reading.text)
    if T < 2:
        raise InputError("A path needs at least two states. Type a longer text.")
    found = _plane(reading.name, chosen.title, chosen.values)
    drawn = _part_of(T)
    shown = (found, reading.text, chosen.title, drawn)
    shell.chart(
        state_path(*shown, colour if colour in COLOURED_BY else "kind", shell.is_dark()), key="unroll_memory_path",
        alt=state_path_alt(*shown),
    )  # fmt: skip
    st.caption(
        "Each point is the whole state after one character: its place in the two directions in which the states of "
        "this text differ most. What lies close together here may still differ in the other directions."
    )


def _part_of(T: int) -> Drawn:
    """Which steps are drawn. The plane is that of the whole text, so that moving the slider turns nothing."""
    if T == 2:
        return Drawn(0, 1)
    first, last = st.slider(
        "Characters that are drawn", 1, T, (1, min(T, FIRST_DRAWN)), **in_url(f"{DRAWN}_{T}"),
        help="Drag either end. The ring is where the path begins, the thick ring where it ends.",
    )  # fmt: skip
    first = max(1, min(int(first), T))
    return Drawn(first - 1, max(first, min(int(last), T)) - 1)


@st.cache_data(max_entries=64, show_spinner=False)
def _plane(name: str, which: str, _values: NDArray[np.float32]) -> Plane:
    """`name` and `which` say which states these are."""
    return service.scheduler().compute(lambda: plane(_values, "states"))


# The map of characters --------------------------------------------------------------------------------------------


def _map(reading: Reading) -> None:
    """The learned vectors of all characters, on a plane."""
    characters = reading.network.characters
    if len(characters) < 2:
        raise InputError("A map needs at least two characters; this network knows one. Choose another one.")
    name, vectors = character_vectors(reading.network.model, reading.network.weights)
    if len(characters) > MOST_CHARACTERS:
        st.caption(f"It knows {len(characters):,} characters. The first {MOST_CHARACTERS:,} are drawn.")
        characters, vectors = characters[:MOST_CHARACTERS], vectors[:MOST_CHARACTERS]
    drawn = (_plane(reading.network.name, name, vectors), vectors, characters, name)
    shell.chart(character_map(*drawn, dark=shell.is_dark()), key="unroll_memory_map", alt=character_map_alt(*drawn))
    what = (
        f"Each character is a learned vector of {vectors.shape[1]} numbers, a row of the embedding E."
        if name == "E"
        else f"Each character, as a one-hot vector, picks a column of W_xh: {vectors.shape[1]} learned numbers."
    )
    st.caption(shell.plain(
        f"{what} Nobody told the network what a vowel or a digit is: characters that are used alike come to lie close "
        "together. Nearest is meant in all dimensions, not only in the two that are drawn."
    ))  # fmt: skip


PARTS: dict[str, Callable[[Reading], None]] = {
    "How long it remembers": _remembers, "The path of the state": _path, "The map of characters": _map,
}  # fmt: skip

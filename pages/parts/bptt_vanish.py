"""Truncated BPTT, vanishing: why gradients vanish and explode, what clipping does, and how gates keep the way open."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

import streamlit as st

from pages.parts import blueprint, reading, service, shell, writers
from pages.parts.blueprint import Blueprint
from pages.parts.controls import LARGEST, number_input
from pages.parts.keys import in_url
from pages.parts.reading import Reading, show_part
from rnn import corpora
from rnn.errors import PlaygroundError
from rnn.figures.vanishing import (
    clip_losses,
    clip_losses_alt,
    clip_norms,
    clip_norms_alt,
    decay_lines,
    decay_lines_alt,
    deepest_of,
    kept_lines,
    kept_lines_alt,
)
from rnn.figures.weights import eigenvalue_plane, eigenvalue_plane_alt
from rnn.gradients.paths import FEWEST_STEPS, MOST_READ, Kept, kept_by_gates, kept_in_all, lags_of
from rnn.gradients.sandbox import MATRICES, NONLINEARITIES, RADII, SIZES, STEPS, Decay, Sandbox, decay
from rnn.records import LayerTrace
from rnn.shipped import SHIPPED
from rnn.shipped import TEXT as BUILT_IN
from rnn.stepwise import Stepwise
from rnn.unknown import resolve
from rnn.vocabulary import Vocabulary

if TYPE_CHECKING:  # it needs torch
    from rnn.gradients.clipping import Pair

PART = "bptt_vanish_part"
RADIUS, SIZE, LENGTH, SQUASH, MATRIX, SEED = (
    f"bptt_vanish_{name}" for name in ("radius", "size", "steps", "squash", "matrix", "seed")
)
RATE, LIMIT, CLIP_SEED, CLIP_TEXT = (f"bptt_vanish_{name}" for name in ("rate", "limit", "clip_seed", "text"))
LAG, SHIFT, LAYER = (f"bptt_vanish_{name}" for name in ("lag", "shift", "layer"))

RATES = (0.1, 0.2, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 8.0)
LIMITS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0)
FIRST_RATE, FIRST_LIMIT = 3.0, 0.25  # those of rnn.gradients.clipping, which needs torch
ENOUGH = 20_000  # characters of a text; it trains on fewer
LEARNED, READ = "Its training text", "The text above"
MOST_SHIFT = 3.0
FIRST_LAG = 20
OTHER = "this model"


def show(reading: Reading) -> None:
    """One of three parts; the page's text and model matter to the last two."""
    show_part("Part", PARTS, PART, reading)


# The sandbox ------------------------------------------------------------------------------------------------------


def _sandbox(_: Reading) -> None:
    """A random network, and how its gradient changes on its way back."""
    network = _network()
    found = _decay(network)
    lines, plane = st.columns([5, 3], gap="medium")
    shell.chart(
        decay_lines(found, network, shell.is_dark()), key="bptt_vanish_decay", alt=decay_lines_alt(found, network),
        place=lines,
    )  # fmt: skip
    shell.chart(
        eigenvalue_plane(found.spectrum, None, False, shell.is_dark(), height=396), key="bptt_vanish_plane",
        alt=eigenvalue_plane_alt(found.spectrum, None, False), place=plane,
    )  # fmt: skip
    slope = (
        f"Here tanh takes away from it, too: its slope $1 - h^2$ is {found.slope:.2f} on average."
        if network.nonlinearity == "tanh"
        else "Without tanh nothing else is in the way."
    )
    st.caption(
        "Each step back multiplies the gradient by $W_{hh}$, transposed. Over many steps the largest eigenvalue "
        r"decides, the spectral radius ρ: $\rho^{\text{lag}}$ is the dashed line. "
        f"{slope}"
    )
    st.caption(
        f"Dotted, a bound: with the largest singular value of $W_{{hh}}$, σ = {found.sigma:.2f}, no gradient is above "
        r"$\sigma^{\text{lag}}$ (Pascanu et al. 2013, arXiv 1211.5063). "
        "The thick line is the mean of 8 losses, each a random direction of $h_T$; the band holds them all."
    )


def _network() -> Sandbox:
    """What is chosen; what the URL says is checked by `Sandbox`."""
    left, middle, right = st.columns(3, gap="medium")
    with left:
        radius = st.slider(
            "Spectral radius ρ of W_hh", *RADII, 0.9, 0.01, **in_url(RADIUS), help="The largest |eigenvalue|."
        )
        nonlinearity = _one_of(
            "Non-linearity", NONLINEARITIES, SQUASH, {"tanh": "tanh", "identity": "none"}, "Squashes every sum, or not."
        )
    with middle:
        size = st.slider("Hidden size H", *SIZES, 64, **in_url(SIZE), help="Numbers in the state.")
        matrix = _one_of(
            "W_hh", MATRICES, MATRIX, {name: name for name in MATRICES},
            "Random numbers, or a matrix that keeps every length; both are scaled to ρ.",
        )  # fmt: skip
    with right:
        steps = st.slider("Steps T", *STEPS, 100, **in_url(LENGTH), help="How far back the gradient flows.")
        seed = _seed(SEED, "Draws the matrix, the inputs and the losses.")
    return Sandbox(float(radius), int(size), int(steps), nonlinearity, matrix, seed)


def _one_of(label: str, options: tuple[str, ...], key: str, names: Mapping[str, str], words: str) -> str:
    chosen = st.segmented_control(
        label, options, default=options[0], format_func=lambda name: names[name], **in_url(key), required=True,
        help=words,
    )  # fmt: skip
    return chosen if chosen in options else options[0]  # a forged one


def _seed(key: str, words: str) -> int:
    value = number_input(st, "Seed", 0, LARGEST, 0, key, help=words)
    return max(0, min(int(value), LARGEST)) if math.isfinite(value) else 0


@st.cache_data(max_entries=128, show_spinner=False, hash_funcs={Sandbox: repr})
def _decay(network: Sandbox) -> Decay:
    return service.scheduler().compute(lambda: decay(network))


# Clipping ---------------------------------------------------------------------------------------------------------


def _clipping(reading: Reading) -> None:
    """The same training twice, from the same weights, without and with clipping."""
    left, middle, right = st.columns(3, gap="medium")
    with left:
        rate = _choice("Learning rate", RATES, FIRST_RATE, RATE, "Of plain SGD. High on purpose.")
    with middle:
        limit = _choice("Limit of the gradient's norm", LIMITS, FIRST_LIMIT, LIMIT, "Where clipping begins.")
    with right:
        seed = _seed(CLIP_SEED, "Draws the first weights.")
    chosen = st.segmented_control(
        "Text to train on", (LEARNED, READ), default=LEARNED, **in_url(CLIP_TEXT), label_visibility="collapsed",
        required=True,
        help="The text that the model above has learned from, or the one typed above.",
    )  # fmt: skip
    text, name = (reading.text, "the text above") if chosen == READ else _training_text(reading)
    text = text[:ENOUGH]
    with st.spinner("Training twice …", show_time=False):
        pair = _pair(hashlib.sha256(text.encode()).hexdigest(), rate, limit, seed, text)
    losses, norms = st.columns(2, gap="medium")
    shell.chart(clip_losses(pair, shell.is_dark()), key="bptt_vanish_losses", alt=clip_losses_alt(pair), place=losses)
    shell.chart(clip_norms(pair, shell.is_dark()), key="bptt_vanish_norms", alt=clip_norms_alt(pair), place=norms)
    stops = pair.off.diverged_at or pair.on.diverged_at
    breaks = " A run breaks off when the mean of its last ten losses is three times the first one." if stops else ""
    st.caption(
        "Clipping scales a gradient that is too long down to the limit: its direction stays, and one step can move the "
        f"weights by at most rate × limit = {rate * limit:.2g}.{breaks}"
    )
    model, train = pair.model, pair.train
    st.caption(
        f"Both runs start from the same weights: a vanilla RNN, H = {model.hidden_size}, {model.nonlinearity}, plain "
        f"SGD, {train.batch_size} streams in chunks of {train.bptt_steps} steps, {train.steps} updates, on the first "
        f"{pair.characters:,} characters of {shell.plain(name)}. So high a rate is a demonstration, no recipe."
    )


def _choice(label: str, values: tuple[float, ...], first: float, key: str, words: str) -> float:
    chosen = st.select_slider(label, values, first, format_func=lambda v: f"{v:g}", **in_url(key), help=words)
    return chosen if chosen in values else first


def _training_text(read: Reading) -> tuple[str, str]:
    """The text that the model was trained on, or where that is not here a built-in one, and its name."""
    try:
        content, name = reading.corpus(read.choice, read.network)
    except PlaygroundError:
        built_in = corpora.load(BUILT_IN)
        content, name = built_in.content, built_in.name
    return content, f"“{name}”"


@st.cache_data(max_entries=64, show_spinner=False)
def _pair(name: str, rate: float, limit: float, seed: int, _text: str) -> Pair:
    """`name` tells texts apart."""

    def begin() -> Stepwise[Pair]:
        from rnn.gradients.clipping import training_both

        return training_both(_text, rate, limit, seed)

    return service.scheduler().compute_in_turns(begin)


# Gates ------------------------------------------------------------------------------------------------------------


def _gates(reading: Reading) -> None:
    """What the gates alone keep over several steps, and what the whole Jacobian does."""
    longest = lags_of(min(len(reading.trace), MOST_READ))
    lag_place, shift_place, layer_place = st.columns(3, gap="medium")
    with lag_place:
        value = st.slider("Lag", 1, longest, min(FIRST_LAG, longest), **in_url(f"{LAG}_{longest}"), help="Steps back.")
        lag = max(1, min(int(value), longest))
    with shift_place:
        moved = st.slider(
            "Bias added to the gates", -MOST_SHIFT, MOST_SHIFT, 0.0, 0.5, **in_url(SHIFT),
            help="What if every forget gate f and update gate z had this more (or less) in its sum? All else stays.",
        )  # fmt: skip
        shift = max(-MOST_SHIFT, min(float(moved), MOST_SHIFT)) if math.isfinite(moved) else 0.0
    with layer_place:
        layer, one, where = _layer(reading)
    gates, whole, chosen = _curves(reading, layer, one, shift, lag)
    deepest = deepest_of([gates, whole])
    for curves, is_gates, place in zip((gates, whole), (True, False), st.columns(2, gap="medium"), strict=True):
        shell.chart(
            kept_lines(curves, chosen, lag, is_gates, deepest, shell.is_dark()),
            key=f"bptt_vanish_kept_{'gates' if is_gates else 'whole'}", alt=kept_lines_alt(curves, lag, is_gates),
            place=place,
        )  # fmt: skip
    added = f" Each gate has {shift:+g} in its sum here." if shift else ""
    st.caption(
        "First, the product of the gates over the lag: of the LSTM's forget gates $f$, since "
        r"$c_t = f \odot c_{t-1} + i \odot g$, and of the GRU's update gates $z$, since "
        r"$h_t = z \odot h_{t-1} + (1 - z) \odot n$. A thin line is the mean of the tenth of the units that keep most. "
        f"The RNN has no gate: it goes through $W_{{hh}}$ and the slope of its squashing.{added}"
    )
    st.caption(
        r"Second, measured: what the whole Jacobian $\partial h_t / \partial h_{t-\text{lag}}$, of an LSTM "
        r"$\partial c_t / \partial c_{t-\text{lag}}$, leaves of a random direction's length. "
        f"The shipped RNN, GRU and LSTM have equally many parameters; all read the same text{where}."
    )


def _layer(reading: Reading) -> tuple[int, LayerTrace, str]:
    """One layer of the chosen network in one direction, its number, and words for which it is; the top one at first."""
    every = [(number, one) for number, passes in enumerate(reading.trace.layers) for one in passes]
    both = len(reading.trace.layers[0]) > 1
    names = [
        f"Layer {number + 1}" + (f", from the {'end' if one.reverse else 'beginning'}" if both else "")
        for number, one in every
    ]
    place = first = len(every) - len(reading.trace.layers[-1])
    if len(every) > 1:
        chosen = st.selectbox(
            "Layer of this model", range(len(every)), first, format_func=names.__getitem__,
            **in_url(f"{LAYER}_{len(every)}"),
            help="Whose gates are shown.",
        )  # fmt: skip
        place = chosen if chosen in range(len(every)) else first
    where = f"; of this model {names[place].lower()} is shown" if len(every) > 1 else ""
    return *every[place], where


def _curves(
    reading: Reading, layer: int, one: LayerTrace, shift: float, lag: int
) -> tuple[dict[str, Kept], dict[str, Kept], str]:
    """Those of the gates, those of the whole, by the networks' names, and the chosen one's name."""
    gates, whole, chosen = dict[str, Kept](), dict[str, Kept](), OTHER
    for name in SHIPPED:
        if reading.choice == writers.SHIPPED_PREFIX + name:
            chosen = name.upper()
            of, number, found = reading, layer, one
        else:
            other = _other(name, reading)
            if other is None:
                continue
            of, number, found = other, 0, other.trace.layers[0][0]
        _add(gates, whole, name.upper(), of, number, found, shift)
    if chosen == OTHER:
        _add(gates, whole, OTHER, reading, layer, one, shift)
    return (
        {name: curve for name, curve in gates.items() if len(curve.mean) > lag},
        {name: curve for name, curve in whole.items() if len(curve.mean) > lag},
        chosen,
    )


def _add(
    gates: dict[str, Kept], whole: dict[str, Kept], name: str, of: Reading, number: int, one: LayerTrace, shift: float
) -> None:
    whole[name] = _whole(of.name, number, one.reverse, of.network, one)
    own = kept_by_gates(of.network.model.cell, one, shift)
    gates[name] = whole[name] if own is None else own


def _other(name: str, read: Reading) -> Reading | None:
    """A shipped network that reads the same text; None where it knows too little of it, or is not there."""
    choice = writers.SHIPPED_PREFIX + name
    with suppress(PlaygroundError):
        network = blueprint.trained(choice, SHIPPED[name].title)
        text = resolve(read.text[:MOST_READ], Vocabulary.from_characters(network.characters), "nearest").text
        if len(text) >= FEWEST_STEPS:
            return reading.of(choice, network, text[:MOST_READ])
    return None


@st.cache_data(max_entries=128, show_spinner=False)
def _whole(name: str, number: int, reverse: bool, _network: Blueprint, _one: LayerTrace) -> Kept:
    """`name` tells readings apart."""

    def computed() -> Kept:
        return kept_in_all(_network.model, _network.weights, _one, number)

    return service.scheduler().compute(computed)


PARTS: dict[str, Callable[[Reading], None]] = {
    "Sandbox": _sandbox, "Clipping": _clipping, "How gates keep the path open": _gates,
}  # fmt: skip

"""Which earlier characters one prediction depends on: the gradient back to every input."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages.parts import alive, influence_place, service, shell
from pages.parts.keys import in_url
from pages.parts.reading import Reading
from rnn.figures import theme
from rnn.figures.characters import visible
from rnn.figures.influence import Look, influence_bars, influence_bars_alt
from rnn.influence import reach

OUTPUT, OF = "unroll_influence_output", "unroll_influence_of"
SIGNED, LOG = "unroll_influence_signed", "unroll_influence_log"
TEXT = "unroll_influence_text"
GUESSES = 5  # outputs that can be asked, beside the one that came
QUANTITIES = ("log-probability", "logit")


def show(reading: Reading) -> None:
    """A character is picked, and those before it are shaded by their influence on it.

    Raises:
        PlaygroundError: nothing is foretold here.
    """
    reading.check_predicts("What a prediction looks back to")
    at = influence_place.foretold(reading)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        output = _output(reading, at)
        quantity = st.segmented_control(
            "Gradient of its", QUANTITIES, default=QUANTITIES[0], **in_url(OF), required=True,
            help="The logit is the output itself; the log-probability counts the rivals' logits as well.",
        )  # fmt: skip
        is_signed = st.toggle(
            "Signed", False, **in_url(SIGNED),
            help="Gradient · x: how much each character pushed the output up or down, to first order.",
        )  # fmt: skip
        is_log = st.toggle(
            "Log scale",
            False,
            **in_url(LOG, is_signed),
            help="Equal distances are equal factors, so that weak influences can be seen.",
        )
    quantity = quantity if quantity in QUANTITIES else QUANTITIES[0]
    begin, norms, pushes = connectivity(reading, at, output, quantity)
    look = Look(
        reading.network.title, reading.text[begin:at], reading.vocabulary.characters[output],
        float(reading.trace.probabilities[at - 1, output]), pushes if is_signed else norms, reach(norms),
    )  # fmt: skip
    _painted(reading, look, at, begin, is_signed, (output, quantity))
    st.caption(_caption(at, begin, is_signed))
    unit = "nats" if quantity == "log-probability" else ""
    shell.chart(
        influence_bars(look, unit, is_signed, is_log, dark=shell.is_dark()), key="unroll_influence_bars",
        alt=influence_bars_alt(look, unit, is_signed),
    )  # fmt: skip


def _caption(at: int, begin: int, is_signed: bool) -> str:
    shade = (
        "is orange where it pushed the prediction up, grey and underlined where it pushed it down."
        if is_signed
        else "is shaded by the norm of the gradient: how far the prediction would move if that input x moved a little."
    )
    before = f" Only the {at - begin:,} characters before it are looked at." if begin else ""
    return f"Pick a character. What was read before it {shade}{before}"


def _output(reading: Reading, at: int) -> int:
    """The character whose output is asked: the one that came, or one of the likeliest."""
    probabilities, came = reading.trace.probabilities[at - 1], int(reading.trace.indices[at])
    likely = np.argsort(-probabilities, kind="stable")[:GUESSES].tolist()
    choices = [came, *(i for i in likely if i != came)]
    names = {
        i: f"{visible(reading.vocabulary.characters[i])}  {probabilities[i]:.2f}{', which came' if i == came else ''}"
        for i in choices
    }
    output = st.selectbox(
        "Output", choices, format_func=names.__getitem__, **in_url(f"{OUTPUT}_{at}"), width=210,
        help="The character that came, or one that the model held likely there.",
    )  # fmt: skip
    return output if output in names else came


def _painted(reading: Reading, look: Look, at: int, begin: int, is_signed: bool, identity: object) -> None:
    values, n = look.values, len(reading.text)
    full = float(np.abs(values).max(initial=0)) or 1.0
    if is_signed:
        levels = influence_place.signed_levels(values.tolist(), full)
        said, none = [f"{v:+.2g}".replace("-", "−") for v in values.tolist()], alive.LEVELS
        palette = influence_place.signed_shades(theme.GRADIENT)
    else:
        levels, none = alive.levels(values.tolist(), full), 0
        said = [f"{share:.1%} of the influence" for share in (values / (values.sum() or 1)).tolist()]
        palette = influence_place.shades(theme.GRADIENT)
    outside = ["too far back to be looked at"] * begin, ["not read yet"] * (n - at - 1)
    below = [begin + i for i, v in enumerate(values.tolist()) if is_signed and v < 0 and levels[i] != none]
    influence_place.text(
        reading, reading.text, [*[none] * begin, *levels, *[none] * (n - at)],
        [*outside[0], *said, "foretold", *outside[1]], at, TEXT, (at, is_signed, identity), palette, below=below,
    )  # fmt: skip


def connectivity(
    reading: Reading, at: int, output: int, quantity: str = "log-probability"
) -> tuple[int, NDArray[np.float64], NDArray[np.float64]]:
    """Where the window begins, norms and pushes of the characters from there up to `at`, each (n,).

    Raises:
        PlaygroundError: there is no finite gradient.
    """
    found: tuple[int, NDArray[np.float64], NDArray[np.float64]] = _connectivity(
        reading.name, at, output, quantity, reading
    )
    return found


@st.cache_data(max_entries=256, show_spinner=False)
def _connectivity(name: str, at: int, output: int, quantity: Any, _reading: Reading) -> Any:
    def computed() -> Any:
        from rnn.gradients.connectivity import connectivity

        network = _reading.network
        found = connectivity(network.model, network.weights, _reading.trace, at, output, quantity)
        return found.begin, found.norms, found.pushes

    return service.scheduler().compute(computed)

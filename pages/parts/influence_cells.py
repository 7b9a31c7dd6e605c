"""How far back several models look, on the same text: by default the three cells that come with the app."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages.parts import blueprint, influence_look, influence_place, reading, service, shell, writers
from pages.parts.keys import in_url
from pages.parts.reading import Reading
from rnn.errors import InputError
from rnn.figures.characters import visible
from rnn.figures.influence import (
    Fading,
    Look,
    influence_fading,
    influence_fading_alt,
    influence_strips,
    influence_strips_alt,
)
from rnn.influence import reach
from rnn.shipped import SHIPPED
from rnn.unknown import resolve
from rnn.vocabulary import Vocabulary

MODELS = "unroll_influence_models"
TEXT = "unroll_influence_cells_text"
MOST = 4  # models
WINDOW, PLACES, LEAST = 120, 16, 10  # characters looked back over, places of the text, characters that are too few


@dataclass(frozen=True)
class Member:
    """A model that is compared, and the same place of the same text as it reads it.

    Attributes:
        name: on the figure.
        reading: of the text without the characters that it does not know.
        at: the place.
        is_changed: whether it does not know all of the text.
    """

    name: str
    reading: Reading
    at: int
    is_changed: bool


def show(first: Reading) -> None:
    """Strips of text for one place, and how influence fades over many.

    Raises:
        PlaygroundError: nothing is foretold here, or a model cannot be read.
    """
    at = influence_place.foretold(first)
    chosen, text = _models(first), first.text
    influence_place.text(first, text, [0] * len(text), [""] * len(text), at, TEXT, "")
    members = [_member(first, at, choice, title) for choice, title in chosen.items()]
    if not members:
        st.info("Choose at least one model.")
        return
    looks = [_look(member) for member in members]
    shell.chart(
        influence_strips(looks, dark=shell.is_dark()), key="unroll_influence_strips", alt=influence_strips_alt(looks)
    )
    changed = [member.name for member in members if member.is_changed]
    others = (
        f" {shell.plain(', '.join(changed))}: not all of the text is known, the nearest is read." if changed else ""
    )
    st.caption(
        "Pick a character. Each row shows the characters before it, shaded by the norm of the gradient of its "
        f"log-probability; p is what the model gave it.{others}"
    )
    _fading(members)


def _models(first: Reading) -> dict[str, str]:
    """The chosen models and their titles."""
    labels = writers.choices(writers.linked_run())
    own = first.choice not in labels and first.predicts  # a file
    if own:
        labels = {first.choice: first.network.title, **labels}
    shipped = [writers.SHIPPED_PREFIX + name for name in ("rnn", "gru", "lstm")]
    default = [*([first.choice] if first.predicts and first.choice not in shipped else []), *shipped]
    wanted = st.multiselect(
        "Models", list(labels), default, format_func=labels.__getitem__, max_selections=MOST,
        **in_url(f"{MODELS}_{'own' if own else 'any'}"),
        help="The three that come with the app have the same number of parameters and have read the same text.",
    )  # fmt: skip
    return {choice: labels[choice] for choice in wanted[:MOST] if choice in labels}


def _member(first: Reading, at: int, choice: str, title: str) -> Member:
    """Raises PlaygroundError where the model cannot be read, or knows nothing of this place."""
    if choice == first.choice:
        return Member(_name(choice, title), first, at, False)
    network = blueprint.trained(choice, title)
    vocabulary = Vocabulary.from_characters(network.characters)
    before, one, after = (
        resolve(part, vocabulary, "nearest").text for part in (first.text[:at], first.text[at], first.text[at + 1 :])
    )
    if not before or not one:
        raise InputError(
            f"{title} does not know “{visible(first.text[at])}” or anything before it. Pick another character, or take "
            "this model out."
        )
    text = before + one + after
    return Member(_name(choice, title), reading.of(choice, network, text), len(before), text != first.text)


def _name(choice: str, title: str) -> str:
    """Short: the cell of a shipped model, a run as lists call it."""
    shipped = choice.removeprefix(writers.SHIPPED_PREFIX)
    return SHIPPED[shipped].model.cell.upper() if shipped in SHIPPED else title


def _look(member: Member) -> Look:
    one, output = member.reading, int(member.reading.trace.indices[member.at])
    begin, norms, _ = influence_look.connectivity(one, member.at, output)
    return Look(
        member.name, one.text[begin : member.at], one.text[member.at],
        float(one.trace.probabilities[member.at - 1, output]), norms, reach(norms),
    )  # fmt: skip


def _fading(members: list[Member]) -> None:
    """The same over the whole text; a short one has no room for it."""
    shortest = min(len(member.reading.text) for member in members)
    window = min(WINDOW, shortest // 2)
    if window < LEAST:
        st.caption(f"With a text of at least {2 * LEAST} characters the influence at many places is shown, too.")
        return
    fadings, places = [], 0
    for member in members:
        norms = _typical(member.reading.name, window, member.reading)
        places = len(norms)
        shares = norms / np.maximum(norms.sum(axis=1, keepdims=True), 1e-300)
        far = float(np.median([reach(row) for row in norms]))
        fadings.append(Fading(member.name, shares.mean(axis=0)[::-1], far))
    shell.chart(
        influence_fading(fadings, places, dark=shell.is_dark()), key="unroll_influence_fading",
        alt=influence_fading_alt(fadings, places),
    )  # fmt: skip


@st.cache_data(max_entries=64, show_spinner=False)
def _typical(name: str, window: int, _reading: Reading) -> NDArray[np.float64]:
    """Norms at places spread over the text, (places, window)."""
    last = len(_reading.text) - 1
    positions = np.unique(np.linspace(window, last, PLACES).round().astype(int)).tolist()

    def computed() -> Any:
        from rnn.gradients.connectivity import typical_norms

        return typical_norms(_reading.network.model, _reading.network.weights, _reading.trace, positions, window)

    found: NDArray[np.float64] = service.scheduler().compute(computed)
    return found

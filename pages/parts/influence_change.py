"""One character of the text changed: which later states and predictions move, and how long it is remembered."""

from __future__ import annotations

import numpy as np
import streamlit as st

from pages.parts import alive, influence_place, reading, shell, units
from pages.parts.keys import in_url
from pages.parts.reading import Reading
from rnn.edits import Edit, lengths, with_character
from rnn.errors import InputError
from rnn.figures.characters import visible
from rnn.figures.edits import Change, change_panels, change_panels_alt
from rnn.influence import forgotten_after

PUT, SIGNED = "unroll_influence_put", "unroll_influence_signed_states"
TEXT = "unroll_influence_change_text"


def show(first: Reading) -> None:
    """A character is picked and another one put there.

    Raises:
        PlaygroundError: there is no other character.
    """
    at = influence_place.chosen(first)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        put = _put(first, at)
        chosen = units.choose_states(first.trace)
        is_signed = st.toggle("Signed", False, **in_url(SIGNED), help="Where a unit moved down, it is grey.")
    changed = reading.of(first.choice, first.network, with_character(first.text, at, put))
    edit = Edit(first.trace, changed.trace, at)
    direction = list(first.trace.layers[chosen.layer]).index(chosen.one)
    states = edit.states(chosen.layer, direction, chosen.vector)
    sizes, divergences = lengths(states), edit.divergences
    change = Change(
        first.text, at, put, divergences, edit.costs if first.predicts else None, states, sizes,
        forgotten_after(sizes, at), layer=chosen.title,
    )  # fmt: skip
    levels = alive.levels(divergences.tolist(), float(divergences.max(initial=0)) or 1.0)
    said = [f"the prediction after it moves by {bits:.2g} bits" for bits in divergences.tolist()]
    influence_place.text(first, changed.text, levels, said, at, TEXT, (at, put), marked=[at])
    st.caption(_caption(edit, first.predicts))
    shell.chart(
        change_panels(change, is_signed, dark=shell.is_dark()), key="unroll_influence_change",
        alt=change_panels_alt(change),
    )  # fmt: skip


def _put(first: Reading, at: int) -> str:
    """Another character, the likeliest there at first."""
    characters, here = first.vocabulary.characters, int(first.trace.indices[at])
    if len(characters) < 2:
        raise InputError("This network knows one character only, so there is no other to put.")
    order = list(range(len(characters)))
    if at > 0 and first.predicts:
        order = np.argsort(-first.trace.probabilities[at - 1], kind="stable").tolist()
    choices = [characters[i] for i in order if i != here]
    put = st.selectbox(
        f"In place of “{shell.plain(visible(characters[here]))}”", choices, format_func=visible,
        **in_url(f"{PUT}_{at}"), width=190,
        help="Pick a character of the text, then choose what stands there. The likeliest come first.",
    )  # fmt: skip
    return put if put in choices else choices[0]


def _caption(edit: Edit, predicts: bool) -> str:
    said = (
        "Pick a character to change. The others are shaded by how far the prediction after them moves (KL divergence)."
    )
    after = edit.costs[edit.position :]
    if predicts and after.size:
        total = float(after.sum())
        said += f" The rest of the text costs {abs(total):.1f} bits {'more' if total >= 0 else 'less'}."
    return said

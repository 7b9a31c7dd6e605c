"""Text that can be pointed at: painted characters, and the guesses under them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages.parts import shell
from rnn.figures import along, theme
from rnn.figures.characters import legible, visible

if TYPE_CHECKING:
    from rnn.scoring import Score

ASSETS = Path(__file__).parents[2] / "assets"
TINY = 2.0**-1000
LEVELS = 10  # shades beside none
LINE = 1.66  # rem, its height in assets/coloured_text.css


def component(name: str, html: str) -> Any:
    """The component of this name in `assets/`: its script, its style, and the boxes that several have."""
    boxed, css, js = (
        (ASSETS / file).read_text(encoding="utf-8") for file in ("boxed.css", f"{name}.css", f"{name}.js")
    )
    return st.components.v2.component(f"rnn_playground_{name}", html=html, css=boxed + css, js=js)


_text = component("coloured_text", '<div class="text boxed" role="listbox" tabindex="0"></div>')
_guesses = component("guesses", '<div class="guesses boxed" role="list" tabindex="0"></div>')


def palette() -> list[tuple[str, str]]:
    """Background and text colour of each level, from none to full: magnitude is opacity, and all can be read."""
    ink = theme.ink(shell.is_dark())
    shades = [level / LEVELS for level in range(LEVELS + 1)]
    painted = [(theme.shade(theme.OUTPUT, s), theme.text_on(theme.OUTPUT, s, ink.background)) for s in shades]
    return [("transparent", ink.foreground), *painted[1:]]


def signed_palette(vector: str) -> list[tuple[str, str]]:
    """The same from full on the negative side over none to full on the positive one, for the state "h" or "c"."""
    ink = theme.ink(shell.is_dark())
    negative, positive = along.signs(vector, shell.is_dark())
    shades = [level / LEVELS for level in range(1, LEVELS + 1)]
    sides = [
        [(theme.shade(colour, s), theme.text_on(colour, s, ink.background)) for s in shades]
        for colour in (negative, positive)
    ]
    return [*sides[0][::-1], ("transparent", ink.foreground), *sides[1]]


def signed_levels(values: NDArray[np.float32], full: float) -> list[int]:
    """Places in `signed_palette` of values between -full and full; `LEVELS` is that of 0."""
    found: list[int] = (LEVELS + np.round(LEVELS * np.clip(values / full, -1, 1))).astype(int).tolist()
    return found


def levels(values: Sequence[float], full: float) -> list[int]:
    """Shades of values between 0 and `full`, whatever lies beyond is full."""
    return [round(LEVELS * min(1.0, max(0.0, value / full))) for value in values]


def bits(probabilities: NDArray[np.float64]) -> list[float]:
    """The surprise of characters that had these probabilities, -log2 p; finite, because shades are made of it."""
    surprises: list[float] = np.abs(np.log2(np.maximum(probabilities, TINY))).tolist()
    return surprises


def coloured_text(
    prime: str, text: str, shades: Sequence[int], values: Sequence[str], unit: str, picked: int,
    by_hand: Collection[int], key: str, on_pick: Callable[[], None], identity: str,
    colours: Sequence[tuple[str, str]] | None = None, below: Collection[int] = (), lines: int = 9,
) -> None:  # fmt: skip
    """A text whose characters can be picked.

    Args:
        prime: what stands before it and cannot be picked.
        text: the characters, n of them.
        shades: a level for each, a place in `colours`.
        values: what is said of each, with `unit` after it.
        picked: the one that is picked, from 0.
        by_hand: those that were chosen and not drawn.
        key: of the widget; the callback finds the new one as `st.session_state[key].picked`.
        identity: the same as long as text and shades are.
        colours: background and text colour of each level; None: those of `palette`.
        below: those with a negative value, which are underlined.
        lines: how many are seen at a time.
    """
    labels = [" " if c == " " else visible(c) for c in text]
    data = {
        "id": f"{identity} {shell.is_dark()}", "label": f"{len(text)} characters. Pick one with the arrow keys.",
        "prime": legible(prime), "labels": labels, "levels": list(shades), "names": list(values), "unit": unit,
        "breaks": [i for i, c in enumerate(text) if c == "\n"], "by_hand": sorted(by_hand), "below": sorted(below),
        "palette": list(colours or palette()), "picked": picked, "height": f"{lines * LINE + 1.6:.2f}rem",
    }  # fmt: skip
    _text(key=key, data=data, on_picked_change=on_pick)


def guesses(score: Score, characters: Sequence[str], begin: int, end: int, key: str) -> None:
    """Under each character from `begin` to `end` the likeliest next ones, the one that did come outlined."""
    columns = []
    for i in range(begin, min(end, len(score.text))):
        if i + 1 == len(score.text):
            columns.append((visible(score.text[i]), "the last one", []))
            continue
        known = list(zip(score.top_indices[i + 1].tolist(), score.top_probabilities[i + 1].tolist(), strict=True))
        true = int(score.indices[i + 1])
        shades = levels([p for _, p in known], 1.0)
        shown = [(visible(characters[g]), level, g == true) for (g, _), level in zip(known, shades, strict=True)]
        said = f"After “{visible(score.text[i])}”: " + ", ".join(f"{visible(characters[g])} {p:.0%}" for g, p in known)
        said += f". Then came “{visible(characters[true])}”, {score.probabilities[i + 1]:.1%}."
        columns.append((visible(score.text[i]), said, shown))
    label = f"The likeliest next characters after each of characters {begin + 1} to {min(end, len(score.text))}"
    identity = f"{hash((score.text, begin, end, float(score.nats_per_char)))} {shell.is_dark()}"
    _guesses(key=key, data={"id": identity, "label": label, "columns": columns, "palette": palette()})

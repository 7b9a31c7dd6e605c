"""Widgets that say how a model is to write."""

from __future__ import annotations

import streamlit as st

from pages.parts import keys, shell
from pages.parts.controls import LARGEST, number_input
from pages.parts.keys import in_url
from pages.parts.limits import PRIME_LENGTH, SAMPLE_LENGTH
from rnn.config import SampleConfig, help_for
from rnn.errors import ConfigError
from rnn.figures.characters import legible, visible
from rnn.figures.draw import temperature_word
from rnn.unknown import default_replacement, resolve, segments
from rnn.vocabulary import Vocabulary

FIRST_PRIME = "The "  # where nothing else is asked for, for models that know these letters
SHOWN = 160  # characters of a text that is quoted
POLICIES = {"nearest": "Nearest", "drop": "Drop", "replace": "Replace"}


def settings(vocabulary: Vocabulary | None) -> SampleConfig:
    """How the model writes; where there is none yet, its vocabulary is not known.

    Raises:
        ConfigError: the prime is too long.
    """
    prime = _prime(vocabulary)
    temperature = float(
        st.slider("Temperature", 0.0, 2.0, 0.8, 0.05, **in_url(keys.TEMPERATURE),
                  help=help_for(SampleConfig, "temperature"))
    )  # fmt: skip
    _between(temperature)
    left, right = st.columns(2)
    length = number_input(left, "Length", 1, SAMPLE_LENGTH, 400, keys.LENGTH, help=help_for(SampleConfig, "length"))
    seed = number_input(right, "Seed", 0, LARGEST, 0, keys.SEED, help=help_for(SampleConfig, "seed"))
    top_k = number_input(
        left, "Top k", 1, LARGEST, None, keys.TOP_K, placeholder="all", help=help_for(SampleConfig, "top_k")
    )
    top_p = number_input(
        right, "Top p", 0.01, 1.0, None, keys.TOP_P, step=0.05, placeholder="1", help=help_for(SampleConfig, "top_p")
    )
    top_k = None if top_k is None else min(int(top_k), 1_000_000)
    stop = st.text_input(
        "Stop text", max_chars=100, placeholder="none", **in_url(keys.STOP),
        help=help_for(SampleConfig, "stop") + r" \n stands for a line break.",
    )  # fmt: skip
    stop = (stop or "").replace(r"\n", "\n")[:100] or None
    return SampleConfig(prime, min(int(length), SAMPLE_LENGTH), temperature, top_k, top_p, int(seed), stop)


def _between(temperature: float) -> None:
    """What the slider's two ends do to the text; where it stands is in bold."""
    word = temperature_word(temperature)
    left, right = word if temperature == 0 else "safer", "wilder"
    with st.container(horizontal=True, horizontal_alignment="distribute", gap="small", key="sample_words"):
        st.caption(f"**← {left}**" if word == left else f"← {left}", width="content")
        st.caption(f"**{right} →**" if word == right else f"{right} →", width="content")


def _prime(vocabulary: Vocabulary | None) -> str:
    """What the model reads first, made of characters that it knows."""
    # A long one would make a URL that no server takes, so it is put there by hand.
    linked = st.query_params.get(keys.PRIME)
    st.session_state.setdefault(keys.PRIME, linked or FIRST_PRIME)
    if st.session_state[keys.PRIME] == FIRST_PRIME and not linked and vocabulary:
        is_known = all(character in vocabulary for character in FIRST_PRIME)
        st.session_state[keys.PRIME] = FIRST_PRIME if is_known else ""
    prime = st.text_area(
        "Prime", height=68, **keys.in_session(keys.PRIME), help=help_for(SampleConfig, "prime"),
        placeholder="Empty: the first character comes by its frequency in the training text.",
    )  # fmt: skip
    prime = str(prime or "")
    if prime == FIRST_PRIME or not 0 < len(prime) <= PRIME_LENGTH:
        st.query_params.pop(keys.PRIME, None)
    elif linked != prime:
        st.query_params[keys.PRIME] = prime
    if len(prime) > PRIME_LENGTH:
        raise ConfigError(
            f"The prime has {len(prime):,} characters; at most {PRIME_LENGTH:,} are read before a text. "
            "Shorten it to its end: what stands further back, the model would have forgotten."
        )
    return known(prime, vocabulary) if vocabulary else prime


def known(text: str, vocabulary: Vocabulary, key: str = "") -> str:
    """`text` in the model's characters. Those it does not know are shown, and the visitor says what becomes of them."""
    pieces = segments(text, vocabulary)
    if all(is_known for _, is_known in pieces):
        return text
    st.markdown(f"The model does not know the marked characters: {_highlighted(pieces)}")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        policy = st.segmented_control(
            "Unknown characters", list(POLICIES), default="nearest", format_func=POLICIES.__getitem__, required=True,
            help="Nearest: the same letter in a form that it knows. Drop: leave them out. Replace: put another one.",
            **in_url(f"{keys.UNKNOWN}_{key}" if key else keys.UNKNOWN),
        )  # fmt: skip
        put = default_replacement(vocabulary)
        if policy == "replace":
            put = st.selectbox(
                "by", vocabulary.characters, vocabulary.characters.index(put), format_func=visible, width=90,
                **in_url(f"{keys.PUT}_{key}" if key else keys.PUT),
                help="What is read in place of each unknown character.",
            )  # fmt: skip
    resolved = resolve(text, vocabulary, policy if policy in POLICIES else "nearest", put).text
    if resolved:
        st.caption(f"It reads “{shell.plain(_short(resolved))}”.")
    else:
        st.caption("Nothing is left to read, so the first character comes by its frequency in the training text.")
    return resolved


def nearest(text: str, vocabulary: Vocabulary) -> str:
    """`text` as a model reads it that does not know all of it."""
    return resolve(text, vocabulary, "nearest").text


def _highlighted(pieces: list[tuple[str, bool]]) -> str:
    """A text's beginning with its unknown characters marked, or a part of it where there are some."""
    first = next(i for i, (_, is_known) in enumerate(pieces) if not is_known)
    shown, room = [], SHOWN
    for text, is_known in [(pieces[first - 1][0][-20:], True), *pieces[first:]] if first else pieces:
        part = shell.plain(_short(text, room)).replace("\n", " ")
        shown.append(part if is_known else f":orange-background[**{part}**]")
        room -= len(text)
        if room <= 0:
            break
    return ("… " if first and len(pieces[first - 1][0]) > 20 else "") + "".join(shown)


def _short(text: str, most: int = SHOWN) -> str:
    text = text if len(text) <= most else text[:most] + " …"
    return legible(text).replace("\n", "⏎")

"""Widgets that return plain values of the engine."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.parts import keys
from pages.parts.keys import in_url, of_preset
from pages.parts.limits import SAMPLE_LENGTH, check_caps, limits
from pages.parts.shell import plain
from pages.parts.uploads import read_once
from rnn import corpora
from rnn.config import CELLS, PRESETS, ModelConfig, SampleConfig, TrainConfig, bounds_for, help_for
from rnn.corpora import Preflight, Text
from rnn.errors import PlaygroundError
from rnn.figures.characters import visible
from rnn.vocabulary import Vocabulary

PASTE, UPLOAD = "Paste my own", "Upload a .txt file"
LARGEST = 2**53 - 1  # the largest whole number that a browser holds exactly
SHOWN_CHARACTERS = 300


def text_chooser() -> Text | None:
    """The text to train on, or None while there is none that can be used (the reason is on the page)."""
    built_in = {corpus.title: corpus for corpus in corpora.CORPORA.values()}
    choice = st.selectbox(
        "Text", [*built_in, PASTE, UPLOAD], **in_url(keys.TEXT), help="What the model learns to predict."
    )
    cap = limits().text_bytes
    choice = choice if choice in (*built_in, PASTE, UPLOAD) else next(iter(built_in))  # a forged one
    try:
        if choice == PASTE:
            pasted = st.text_area("Your text", key=keys.PASTE, height=140, help=_size_help(cap))
            return corpora.from_paste(pasted, cap) if pasted else None
        if choice == UPLOAD:
            file = st.file_uploader("A text file", key=keys.UPLOAD, help=_size_help(cap))
            return _uploaded(file, cap) if file else None
        st.caption(built_in[choice].description)
        return corpora.load(built_in[choice].name)
    except PlaygroundError as error:
        st.error(plain(error))
        return None


def _uploaded(file: Any, cap: int | None) -> Text:
    text = read_once(keys.TEXT_FILE, file, lambda file: corpora.from_upload(file.getvalue(), file.name, cap))
    if not any(note.startswith("Read as") for note in text.notes):  # a guess stands among the notes
        st.caption("Read as UTF-8.")
    return text


def _size_help(cap: int | None) -> str:
    if cap is None:
        return "Any plain text."
    return f"Plain text, up to {cap / 1e6:g} MB. {limits().reason}"


def show_preflight(found: Preflight, model: ModelConfig) -> bool:
    """Says what training will make of the text: its size, its characters, what is changed to fit; whether it may."""
    vocabulary = found.vocabulary
    st.caption(
        f"{found.characters:,} characters, {len(vocabulary)} different ones; "
        f"{found.chunks_per_epoch:,} steps read it once. "
        f"The model has {model.parameter_count(len(vocabulary)):,} parameters."
    )
    for note in found.notes:
        st.caption(plain(note))
    try:
        check_caps(model, found.config, len(vocabulary))
    except PlaygroundError as error:
        st.error(plain(error))
        return False
    return True


def show_characters(vocabulary: Vocabulary) -> None:
    """The characters that training will find in the text."""
    with st.popover("Its characters", icon=":material/abc:", width="stretch"):
        st.caption(f"The vocabulary: V = {len(vocabulary):,}, in the order of their indices.")
        more = len(vocabulary) - SHOWN_CHARACTERS
        listed = "  ".join(map(visible, vocabulary.characters[:SHOWN_CHARACTERS]))
        st.code(listed + (f"  and {more:,} more" if more > 0 else ""), language=None, wrap_lines=True)


def settings() -> tuple[ModelConfig, TrainConfig]:
    """Model and training: a preset, and what was changed in it."""
    name = st.selectbox(
        "Model",
        list(PRESETS),
        format_func=lambda n: PRESETS[n].title,
        **in_url(keys.PRESET),
        help="Settings that go together.",
    )
    name = name if name in PRESETS else next(iter(PRESETS))  # a forged one
    preset = PRESETS[name]
    st.caption(preset.description)
    with st.expander("Settings", icon=":material/tune:"):
        left, right = st.columns(2)
        cell = left.selectbox(
            "Cell", CELLS, CELLS.index(preset.model.cell), **in_url(of_preset("cell", name)), format_func=str.upper,
            help=help_for(ModelConfig, "cell"),
        )  # fmt: skip
        model = replace(
            preset.model,
            cell=cell,
            hidden_size=_number(right, "Hidden size", ModelConfig, "hidden_size", preset.model.hidden_size, name),
            num_layers=_number(left, "Layers", ModelConfig, "num_layers", preset.model.num_layers, name),
        )
        train = replace(
            preset.train,
            steps=_number(right, "Steps", TrainConfig, "steps", preset.train.steps, name),
            bptt_steps=_number(left, "BPTT steps", TrainConfig, "bptt_steps", preset.train.bptt_steps, name),
            batch_size=_number(right, "Batch size", TrainConfig, "batch_size", preset.train.batch_size, name),
            learning_rate=_number_input(
                left, "Learning rate", 1e-6, 1.0, preset.train.learning_rate, of_preset("learning_rate", name),
                format="%.4g", help=help_for(TrainConfig, "learning_rate"),
            ),
            seed=_number(right, "Seed", TrainConfig, "seed", preset.train.seed, name),
            max_vocabulary=limits().max_vocabulary,
        )  # fmt: skip
    return model, train


def _number(place: DeltaGenerator, label: str, kind: type, field: str, value: int, preset: str) -> int:
    """A whole number within the engine's bounds and the server's caps, checked here again: widgets can be forged."""
    low, high = bounds_for(kind, field)
    cap = getattr(limits(), field, None)
    most = min(int(high), cap or int(high), LARGEST)
    help_text = help_for(kind, field) + (f" At most {cap:,} here. {limits().reason}" if cap else "")
    given = _number_input(place, label, int(low), most, min(value, most), of_preset(field, preset), help=help_text)
    return max(int(low), min(int(given), most))


def _number_input(
    place: DeltaGenerator, label: str, low: float, high: float, value: Any, key: str, **options: Any
) -> Any:
    """A number whose value stands in the URL, or does not where the URL says infinity."""
    try:
        return place.number_input(label, low, high, value, **in_url(key), **options)
    except OverflowError:  # Streamlit 1.67 tries to make a whole number of it
        return place.number_input(label, low, high, value, key=f"{key}_finite", **options)


def sampling() -> SampleConfig:
    """How the model writes."""
    most = limits().prime_characters
    prime = st.text_input("Prime", max_chars=most, **in_url(keys.PRIME), help=help_for(SampleConfig, "prime"))
    temperature = st.slider(
        "Temperature", 0.0, 2.0, 0.8, 0.05, **in_url(keys.TEMPERATURE), help=help_for(SampleConfig, "temperature")
    )
    left, right = st.columns(2)
    length = _number_input(left, "Length", 1, SAMPLE_LENGTH, 400, keys.LENGTH, help=help_for(SampleConfig, "length"))
    seed = _number_input(right, "Seed", 0, LARGEST, 0, keys.SEED, help=help_for(SampleConfig, "seed"))
    top_k = _number_input(
        left, "Top k", 1, LARGEST, None, keys.TOP_K, placeholder="all", help=help_for(SampleConfig, "top_k")
    )
    top_p = _number_input(
        right, "Top p", 0.01, 1.0, None, keys.TOP_P, step=0.05, placeholder="1", help=help_for(SampleConfig, "top_p")
    )
    top_k = None if top_k is None else min(int(top_k), 1_000_000)
    return SampleConfig(prime[:most], min(int(length), SAMPLE_LENGTH), float(temperature), top_k, top_p, int(seed))

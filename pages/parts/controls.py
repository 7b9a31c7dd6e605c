"""Widgets that return plain values of the engine."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from pages.parts.limits import check_step, limits
from pages.parts.shell import plain
from rnn import corpora
from rnn.config import CELLS, PRESETS, ModelConfig, SampleConfig, TrainConfig, bounds_for, help_for
from rnn.corpora import Text
from rnn.errors import PlaygroundError

MAX_LENGTH = 5_000  # characters of one sample: a second of the page's time
PASTE, UPLOAD = "Paste my own", "Upload a .txt file"


def text_chooser() -> Text | None:
    """The text to train on, or None while there is none that can be used (the reason is on the page)."""
    built_in = {corpus.title: corpus.name for corpus in corpora.CORPORA.values()}
    choice = st.selectbox(
        "Text", [*built_in, PASTE, UPLOAD], key="train_text", help="What the model learns to predict."
    )
    cap = limits().text_bytes
    try:
        if choice == PASTE:
            pasted = st.text_area("Your text", key="train_paste", height=140, help=_size_help(cap))
            return corpora.from_paste(pasted, cap) if pasted else None
        if choice == UPLOAD:
            file = st.file_uploader("A text file", key="train_upload", help=_size_help(cap))
            return corpora.from_upload(file.getvalue(), file.name, cap) if file else None
        return corpora.load(built_in[choice])
    except PlaygroundError as error:
        st.error(plain(error))
        return None


def _size_help(cap: int | None) -> str:
    if cap is None:
        return "Any plain text."
    return f"Plain text, up to {cap / 1e6:g} MB. {limits().reason}"


def show_preflight(text: Text, model: ModelConfig, train: TrainConfig) -> bool:
    """Says what training will make of the text: its size, its characters, what is changed to fit; whether it may."""
    found = corpora.preflight(text, train)
    st.caption(
        f"{found.characters:,} characters, {len(found.vocabulary)} different ones; "
        f"{found.chunks_per_epoch:,} steps read it once."
    )
    for note in found.notes:
        st.caption(plain(note))
    try:
        check_step(model, found.config, len(found.vocabulary))
    except PlaygroundError as error:
        st.error(plain(error))
        return False
    return True


def settings() -> tuple[ModelConfig, TrainConfig]:
    """Model and training: a preset, and what was changed in it."""
    name = st.selectbox(
        "Model",
        list(PRESETS),
        format_func=lambda n: PRESETS[n].title,
        key="train_preset",
        help="Settings that go together.",
    )
    preset = PRESETS[name]
    st.caption(preset.description)
    with st.expander("Settings"):
        # The keys carry the preset's name: another preset shows its own values.
        left, right = st.columns(2)
        cell = left.selectbox(
            "Cell", CELLS, CELLS.index(preset.model.cell), key=f"train_cell_{name}", format_func=str.upper,
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
            learning_rate=left.number_input(
                "Learning rate", 1e-6, 1.0, preset.train.learning_rate, format="%.4g", key=f"train_lr_{name}",
                help=help_for(TrainConfig, "learning_rate"),
            ),
            seed=_number(right, "Seed", TrainConfig, "seed", preset.train.seed, name),
            max_vocabulary=limits().max_vocabulary,
        )  # fmt: skip
    return model, train


def _number(
    place: st.delta_generator.DeltaGenerator, label: str, kind: type, field: str, value: int, preset: str
) -> int:
    """A whole number within the engine's bounds and the server's caps, checked here again: widgets can be forged."""
    low, high = bounds_for(kind, field)
    cap = getattr(limits(), field, None)
    most = min(int(high), cap or int(high), 2**53 - 1)
    help_text = help_for(kind, field) + (f" At most {cap:,} here. {limits().reason}" if cap else "")
    given = place.number_input(label, int(low), most, min(value, most), key=f"train_{field}_{preset}", help=help_text)
    return max(int(low), min(int(given), most))


def sampling() -> SampleConfig:
    """How the model writes."""
    prime = st.text_input(
        "Prime", key="sample_prime", max_chars=limits().prime_characters, help=help_for(SampleConfig, "prime")
    )[: limits().prime_characters]
    temperature = st.slider(
        "Temperature", 0.0, 2.0, 0.8, 0.05, key="sample_temperature", help=help_for(SampleConfig, "temperature")
    )
    left, right = st.columns(2)
    length = left.number_input("Length", 1, MAX_LENGTH, 400, key="sample_length", help=help_for(SampleConfig, "length"))
    seed = right.number_input("Seed", 0, 2**53 - 1, 0, key="sample_seed", help=help_for(SampleConfig, "seed"))
    with st.expander("Filters"):
        top_k = st.number_input(
            "Top k", 1, None, None, key="sample_top_k", placeholder="all", help=help_for(SampleConfig, "top_k")
        )
        top_p = st.number_input(
            "Top p", 0.01, 1.0, None, 0.05, key="sample_top_p", placeholder="1", help=help_for(SampleConfig, "top_p")
        )
    return SampleConfig(prime, min(int(length), MAX_LENGTH), float(temperature), top_k, top_p, int(seed))

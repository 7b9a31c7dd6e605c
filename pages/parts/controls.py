"""Widgets that return the settings of a training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.parts import keys
from pages.parts.keys import in_url, of_preset
from pages.parts.limits import limits
from rnn.catalogue import TASKS, TaskInfo
from rnn.config import (
    CELLS,
    CLIPS,
    NONLINEARITIES,
    OPTIMIZER_NAMES,
    OPTIMIZERS,
    PRESETS,
    TRUNCATIONS,
    USUAL_RATES,
    VARIANTS,
    WITH_DECODER,
    WITH_LENGTH,
    WRITERS,
    ModelConfig,
    TaskConfig,
    TrainConfig,
    bounds_for,
    help_for,
)

FORMS = {
    "": "the usual one", "sum": "sum so far, without its tens", "large": "numbers up to 99,999",
    "left": "from the left side only",
}  # fmt: skip
LARGEST = 2**53 - 1  # the largest whole number that a browser holds exactly


def settings(kind: str) -> tuple[TaskConfig, ModelConfig, TrainConfig]:
    """What is learned by which network in which way: a preset, and what was changed in it."""
    if kind != TaskConfig().kind:
        return _of_task(kind)
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
    with st.expander("Settings", icon=":material/tune:", key=keys.SETTINGS):
        network, training, stops = st.tabs(["Network", "Training", "Stops"])
        with network:
            model = _network(name, preset.model)
        with training:
            train = _over_a_text(name, _training(name, preset.train))
        with stops:
            train = _stops(name, train)
    return TaskConfig(), model, train


def _of_task(kind: str) -> tuple[TaskConfig, ModelConfig, TrainConfig]:
    """The same where every example begins anew."""
    info = TASKS[kind]
    with st.expander("Settings", icon=":material/tune:", key=keys.SETTINGS):
        learned, network, training, stops = st.tabs(["Task", "Network", "Training", "Stops"])
        with learned:
            task = _task(kind, info)
        form = f"{kind}_{task.variant}" if task.variant else kind  # each has settings of its own
        with network:
            model = _network(form, info.model, kind)
            model = replace(model, bidirectional=_both_ways(task, model))
        with training:
            train = _training(form, replace(info.training(task.variant), max_vocabulary=limits().max_vocabulary))
        with stops:
            train = _stops(form, train)
    return task, model, train


def _both_ways(task: TaskConfig, model: ModelConfig) -> bool:
    """Whether the network reads from both sides, where the task leaves the choice."""
    if task.kind == "fill-blank":
        return task.variant != "left"
    if task.kind in ("digit", "digit-name"):
        return False
    return st.toggle(
        "Both directions", model.bidirectional, **in_url(of_preset("bidirectional", task.kind)),
        help=help_for(ModelConfig, "bidirectional"),
    )  # fmt: skip


def _task(kind: str, info: TaskInfo) -> TaskConfig:
    """What is learned, in which form, and the decoder where there is one."""
    task, left, right = info.task, *st.columns(2)
    if len(VARIANTS[kind]) > 1:
        variant = _choice(left, "Form", TaskConfig, "variant", VARIANTS[kind], task.variant, kind, FORMS.__getitem__)
        task = replace(task, variant=variant)
    if kind in WITH_LENGTH:
        task = replace(task, length=_optional_number(right, "Length", TaskConfig, "length", task.length, kind))
    if kind in WITH_DECODER:
        same = "as the encoder"
        cell = _choice(
            left, "Decoder's cell", TaskConfig, "decoder_cell", (same, *CELLS), task.decoder_cell or same, kind,
            lambda cell: cell if cell == same else cell.upper(),
        )  # fmt: skip
        task = replace(
            task,
            decoder_cell=None if cell == same else cell,
            decoder_hidden_size=_optional_number(
                right, "Its hidden size", TaskConfig, "decoder_hidden_size", task.decoder_hidden_size, kind
            ),
            decoder_num_layers=_optional_number(
                left, "Its layers", TaskConfig, "decoder_num_layers", task.decoder_num_layers, kind
            ),
            reverse_input=right.toggle(
                "Reversed input", task.reverse_input, **in_url(of_preset("reverse_input", kind)),
                help=help_for(TaskConfig, "reverse_input"),
            ),
        )  # fmt: skip
    if kind in WRITERS:
        forcing = _real(left, "Teacher forcing", TaskConfig, "teacher_forcing", 0.0, 1.0, task.teacher_forcing, kind)
        task = replace(task, teacher_forcing=forcing)
    if task == info.task and kind not in (*WITH_LENGTH, *WRITERS):
        st.caption("This task has no settings of its own.")
    return task


def _network(preset: str, model: ModelConfig, kind: str = "next-character") -> ModelConfig:
    left, right = st.columns(2)
    if kind == "digit":  # one hidden layer and nothing recurrent
        return replace(
            model,
            hidden_size=_number(left, "Hidden size", ModelConfig, "hidden_size", model.hidden_size, preset),
            dropout=_real(right, "Dropout", ModelConfig, "dropout", 0.0, 0.9, model.dropout, preset, step=0.1),
        )
    model = replace(
        model,
        cell=_choice(left, "Cell", ModelConfig, "cell", CELLS, model.cell, preset, str.upper),
        hidden_size=_number(right, "Hidden size", ModelConfig, "hidden_size", model.hidden_size, preset),
        num_layers=_number(left, "Layers", ModelConfig, "num_layers", model.num_layers, preset),
        embedding_size=_number(right, "Embedding", ModelConfig, "embedding_size", model.embedding_size, preset),
        dropout=_real(left, "Dropout", ModelConfig, "dropout", 0.0, 0.9, model.dropout, preset, step=0.1),
    )
    if model.cell != "rnn":
        return model
    squash = _choice(
        right, "Non-linearity", ModelConfig, "nonlinearity", NONLINEARITIES, model.nonlinearity, preset, str
    )
    return replace(model, nonlinearity=squash)


def _training(preset: str, train: TrainConfig) -> TrainConfig:
    left, right = st.columns(2)
    optimizer = _choice(
        left, "Optimizer", TrainConfig, "optimizer", OPTIMIZERS, train.optimizer, preset, OPTIMIZER_NAMES.__getitem__
    )
    # Each optimizer has a usual rate of its own, so each has a rate of its own here.
    own = optimizer == train.optimizer
    rate = train.learning_rate if own else USUAL_RATES[optimizer]
    train = replace(
        train,
        optimizer=optimizer,
        learning_rate=_real(
            right, "Learning rate", TrainConfig, "learning_rate", 1e-6, 100.0, rate,
            preset if own else f"{preset}_{optimizer}", format="%.4g",
        ),
        batch_size=_number(left, "Batch size", TrainConfig, "batch_size", train.batch_size, preset),
        seed=_number(right, "Seed", TrainConfig, "seed", train.seed, preset),
        clip=_choice(left, "Clip", TrainConfig, "clip", CLIPS, train.clip, preset, str),
        clip_norm=_real(
            right, "Clip at", TrainConfig, "clip_norm", 1e-3, 1e6, train.clip_norm, preset, format="%.4g"
        ),
    )  # fmt: skip
    return train


def _over_a_text(preset: str, train: TrainConfig) -> TrainConfig:
    """What only one long text asks for: where it is cut, and what of it is kept for validation."""
    left, right = st.columns(2)
    train = replace(
        train,
        bptt_steps=_number(left, "BPTT steps", TrainConfig, "bptt_steps", train.bptt_steps, preset),
        truncation=_choice(
            right, "Between chunks", TrainConfig, "truncation", TRUNCATIONS, train.truncation, preset, str
        ),
        max_vocabulary=limits().max_vocabulary,
    )
    percent = st.slider(
        "Validation part, %", 0, 50, round(100 * train.validation_fraction),
        **in_url(of_preset("validation", preset)), help=help_for(TrainConfig, "validation_fraction"),
    )  # fmt: skip
    return replace(train, validation_fraction=max(0, min(50, int(percent))) / 100)


def _stops(preset: str, train: TrainConfig) -> TrainConfig:
    """When a run ends by itself: after its steps, always; earlier, where something more is asked for."""
    left, right = st.columns(2)
    return replace(
        train,
        steps=_number(left, "Steps", TrainConfig, "steps", train.steps, preset),
        minutes=_real(right, "Minutes", TrainConfig, "minutes", 0.01, 100_000.0, train.minutes, preset),
        target_loss=_real(left, "Target loss", TrainConfig, "target_loss", 0.0, 100.0, train.target_loss, preset),
        patience=_optional_number(right, "Patience", TrainConfig, "patience", train.patience, preset),
    )


def _choice(
    place: DeltaGenerator, label: str, kind: type, field: str, choices: tuple[str, ...], value: str, preset: str,
    shown: Callable[[str], str],
) -> str:  # fmt: skip
    """One of the engine's words; what is none of them is refused when the configuration is made."""
    return place.selectbox(
        label, choices, choices.index(value), **in_url(of_preset(field, preset)), format_func=shown,
        help=help_for(kind, field),
    )  # fmt: skip


def _real(
    place: DeltaGenerator, label: str, kind: type, field: str, low: float, high: float, value: float | None,
    preset: str, **options: Any,
) -> Any:  # fmt: skip
    """A number that need not be whole, or None where the field may be left empty and is."""
    options.setdefault("placeholder", "none")
    return number_input(place, label, low, high, value, of_preset(field, preset), help=help_for(kind, field), **options)


def _optional_number(
    place: DeltaGenerator, label: str, kind: type, field: str, value: int | None, preset: str
) -> int | None:
    low, high = (int(bound or 1) for bound in bounds_for(kind, field))
    key = of_preset(field, preset)
    given = number_input(place, label, low, high, value, key, placeholder="none", help=help_for(kind, field))
    return None if given is None else max(low, min(int(given), high))


def _number(place: DeltaGenerator, label: str, kind: type, field: str, value: int, preset: str) -> int:
    """A whole number within the engine's bounds and the server's caps, checked here again: widgets can be forged."""
    low, high = bounds_for(kind, field)
    cap = getattr(limits(), field, None)
    most = min(int(high), cap or int(high), LARGEST)
    help_text = help_for(kind, field) + (f" At most {cap:,} here. {limits().reason}" if cap else "")
    given = number_input(place, label, int(low), most, min(value, most), of_preset(field, preset), help=help_text)
    return max(int(low), min(int(given), most))


def number_input(
    place: DeltaGenerator, label: str, low: float, high: float, value: Any, key: str, **options: Any
) -> Any:
    """A number whose value stands in the URL, or does not where the URL says infinity."""
    try:
        return place.number_input(label, low, high, value, **in_url(key), **options)
    except OverflowError:  # Streamlit 1.67 tries to make a whole number of it
        return place.number_input(label, low, high, value, key=f"{key}_finite", disabled=keys.is_locked(key), **options)

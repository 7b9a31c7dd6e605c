"""Small runs to try the engine on. Sizes differ from each other, so that a swapped axis cannot pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any

import pytest
import torch

from rnn.config import ModelConfig, TrainConfig
from rnn.training import TrainState

TEXT = (
    "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness, "
    "it was the epoch of belief, it was the epoch of incredulity, it was the season of Light, it was the season of "
    "Darkness, it was the spring of hope, it was the winter of despair, we had everything before us, we had nothing "
    "before us, we were all going direct to Heaven, we were all going direct the other way.\n"
) * 2

SMALL_MODEL = {"cell": "gru", "hidden_size": 5, "num_layers": 2}
SMALL_TRAINING = {
    "batch_size": 3, "bptt_steps": 4, "steps": 40, "warmup_steps": 2, "evaluate_every": 10, "precision": "float32",
    "device": "cpu",
}  # fmt: skip

NewState = Callable[..., TrainState]


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    """Tiny matrices are not worth a second thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def text() -> str:
    return TEXT


@pytest.fixture(scope="session")
def new_state() -> NewState:
    """`new_state(cell="lstm", bptt_steps=2, ...)`: a small run with these settings of model and training."""
    of_model = {f.name for f in fields(ModelConfig)}

    def create(text: str = TEXT, **settings: Any) -> TrainState:
        model = {name: value for name, value in settings.items() if name in of_model}
        training = {name: value for name, value in settings.items() if name not in of_model}
        return TrainState.create(text, ModelConfig(**SMALL_MODEL | model), TrainConfig(**SMALL_TRAINING | training))

    return create

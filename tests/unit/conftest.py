"""Small runs to try the engine on. Sizes differ from each other, so that a swapped axis cannot pass."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from rnn.config import ModelConfig, TrainConfig
from rnn.runs.scheduler import Scheduler
from rnn.runs.store import Store
from rnn.sampling import NumpyModel, softmax
from rnn.training import TrainState
from rnn.vocabulary import Vocabulary

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

DEADLINE = 30.0  # seconds until a test that waits for nothing fails

NewState = Callable[..., TrainState]
Serve = Callable[..., Scheduler]


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    """Tiny matrices are not worth a second thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def stepped_probabilities(model: Any, vocabulary: Vocabulary, text: str) -> NDArray[np.float64]:
    """The softmax over the next character after each one of the text, as the sampler's own steps give it; (T, V)."""
    numpy_model, rows = NumpyModel.of(model), []
    state = numpy_model.initial_state()
    for index in vocabulary.encode(text):
        logits, state = numpy_model.step([index], state)
        rows.append(softmax(logits[0]))
    return np.array(rows)


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


@pytest.fixture
def serve() -> Iterator[Serve]:
    """`serve(...)` starts a server on the test's home; it is closed after the test."""
    started = []

    def start(**settings: Any) -> Scheduler:
        started.append(Scheduler(Store(), **settings))
        return started[-1]

    yield start
    for scheduler in started:
        scheduler.close()
        scheduler.store.close()


@pytest.fixture
def server(serve: Serve) -> Scheduler:
    return serve()


def until(is_so: Callable[[], bool], what: str = "it") -> None:
    """Waits for a condition; fails where it does not come."""
    deadline = time.monotonic() + DEADLINE
    while not is_so():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.01)

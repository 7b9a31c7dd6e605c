"""What a network can be trained on. A task brings the data, the loss and the score; `rnn.training` brings the rest.

Everything random about a task's batches follows from the run's seed and the number of the step, so that a run which
is resumed at step 100 sees what it would have seen anyway, and no position has to be saved.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from rnn.cells import State
from rnn.config import ModelConfig, TaskConfig, TrainConfig
from rnn.records import Prediction


@dataclass(frozen=True)
class Batch:
    """The data of one optimizer step.

    Attributes:
        inputs, targets: whatever the task's model and loss take; characters are (T, B).
        begins: whether the sequences begin here, so that no state is carried in.
        predictions: how many predictions the loss is the mean of.
        epoch: passes over the training data when this batch is done, fractional.
        steps: that a recurrent network takes over one sequence.
        input_lengths, target_lengths: (B,), where sequences of several lengths are filled up at their ends.
    """

    inputs: Tensor
    targets: Tensor
    begins: bool
    predictions: int
    epoch: float
    steps: int
    input_lengths: Tensor | None = None
    target_lengths: Tensor | None = None

    def to(self, device: torch.device | str) -> Batch:
        """The same batch with its tensors on this device."""
        moved = {name: value.to(device) for name, value in vars(self).items() if isinstance(value, Tensor)}
        return replace(self, **moved)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Evaluation:
    """A score on the validation part, or on as much of it as has been read.

    Attributes:
        loss: mean cross-entropy, nats per prediction.
        predictions: how many were scored.
        fraction: share of the part that has been read, 1 when it is done.
        scores: what else the task measures, by name; "accuracy" is the share of right answers.
    """

    loss: float
    predictions: int
    fraction: float
    scores: dict[str, float]


class Task(Protocol):
    """One thing to train on; `rnn.tasks.next_character.NextCharacter` is the first, `rnn.tasks.examples` has others."""

    @property
    def kind(self) -> str:
        """The task's name in checkpoints."""

    def model(self, config: ModelConfig, seed: int) -> nn.Module:
        """A fresh network for this task; ConfigError where the configuration does not suit it."""

    def fit(self, config: TrainConfig) -> tuple[TrainConfig, tuple[str, ...]]:
        """The configuration made to fit the data, and a sentence for each thing that was changed."""

    def has_validation(self, config: TrainConfig) -> bool:
        """Whether some of the data is kept for validation. TrainingError where a checkpoint came without its data."""

    def batch(self, config: TrainConfig, step: int) -> Batch:
        """The data of optimizer step `step`, from 0: a pure function of its arguments."""

    def loss(self, model: nn.Module, batch: Batch, state: State | None) -> tuple[Tensor, State | None]:
        """The mean loss in nats (a scalar to differentiate) and the state after the batch."""

    def evaluate(
        self, model: nn.Module, config: TrainConfig, predictions: int | None, streams: int
    ) -> Iterator[Evaluation]:
        """Scores the first `predictions` of the validation part (all: None) chunk by chunk; the last one is whole.

        `streams` is the number of parts that are read side by side, where the task reads one long sequence.
        """

    def example(self, model: nn.Module, seed: int) -> str:
        """Something a person can read that shows what the model can do; same seed, same random numbers."""

    def to_json(self) -> dict[str, Any]:
        """What a checkpoint must say of the task, without its data."""


class Answering(Task, Protocol):
    """A task with right answers, which can be shown and counted."""

    @property
    def config(self) -> TaskConfig:
        """What is learned."""

    def predictions(self, model: nn.Module, count: int, seed: int = 0) -> list[Prediction]:
        """What the model answers to `count` examples of the test part; same seed, same examples."""

    def test(self, model: nn.Module) -> Evaluation:
        """The score on the test part, which neither training nor its stop has seen."""

    def baselines(self) -> dict[str, float]:
        """What is right as often without the very thing that the task is about, by name: a share of 1."""

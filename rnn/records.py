"""What the engine hands out. Plain data, numpy at most."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class StepMetrics:
    """One optimizer step, as it is plotted and stored.

    Attributes:
        step: number of the step, from 1.
        epoch: passes over the training text so far, fractional.
        loss: cross-entropy of this step's batch before the update, nats per prediction.
        grad_norm: L2 norm of the whole gradient before clipping.
        learning_rate: the rate used, schedule and live multiplier included.
        chars_per_second: characters (predictions) of this step divided by its seconds.
        elapsed: seconds of computation since the run began, pauses and evaluations excluded.
        characters: predictions trained on so far.
        validation_loss: nats per prediction on the validation part, on the steps that measured it.
    """

    step: int
    epoch: float
    loss: float
    grad_norm: float
    learning_rate: float
    chars_per_second: float
    elapsed: float
    characters: int
    validation_loss: float | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a training will take on this machine, if it has it to itself.

    Attributes:
        seconds: of all steps and evaluations.
        chars_per_second: predictions trained on in a second, evaluations aside.
        memory_bytes: of the run's own arrays, computed and not measured; the program itself comes on top.
        steps: that will be taken, if no loss or patience stops it before.
        precision: number format that it will compute in.
        seconds_per_step: the fastest of the steps that were measured.
    """

    seconds: float
    chars_per_second: float
    memory_bytes: int
    steps: int
    precision: str
    seconds_per_step: float


METRICS = tuple(f.name for f in fields(StepMetrics))


@dataclass(slots=True)  # not frozen: that would make drawing a character slower by a tenth
class Sampled:
    """One character drawn from the model.

    Attributes:
        char: the character.
        index: its index in the vocabulary.
        logits: the model's scores before temperature and filters, shape (V,).
        probabilities: the distribution it was drawn from, shape (V,), sum 1; cut characters have 0.
        draw: the uniform random number in [0, 1) that chose it on the cumulative distribution.
    """

    char: str
    index: int
    logits: NDArray[np.float32]
    probabilities: NDArray[np.float64]
    draw: float

    @property
    def rank(self) -> int:
        """1 for the model's likeliest character, counted on the logits."""
        return 1 + int((self.logits > self.logits[self.index]).sum())

    @property
    def surprise(self) -> float:
        """-ln of its probability in `probabilities`, nats."""
        return -math.log(self.probabilities[self.index])


@dataclass(frozen=True, slots=True)
class Trace:
    """What happened inside a model while it read a text, from a state of zeros.

    Attributes:
        text: the characters read, T of them.
        states: the hidden state of the top layer after each of them, shape (T, H).
        probabilities: the softmax over the next character after each of them, shape (T, V), rows sum to 1.
        characters: the vocabulary, V of them.
    """

    text: str
    states: NDArray[np.float32]
    probabilities: NDArray[np.float64]
    characters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunInfo:
    """One run in the store, as it is listed.

    Attributes:
        id: uuid4, the address of the run.
        name: what its owner calls it.
        status: queued, running, paused, finished, failed or interrupted.
        message: one sentence about why it stands where it stands, or "".
        text_name: name of the text it trains on.
        text_sha256: key of that text in the store.
        kind: the task, as in the checkpoint.
        model: `ModelConfig` as JSON values.
        train: `TrainConfig` as JSON values.
        stop_at: the step to stop at in place of the configured one, or None.
        step: the last step whose metrics are stored.
        saved_step: the step of the checkpoint on disk.
        elapsed: seconds of computation.
        loss: the last training loss, nats, or None before the first step.
        validation_loss: the last one measured, or None.
        best_validation_loss: the lowest, or None.
        created, updated: seconds since 1970 (UTC).
    """

    id: str
    name: str
    status: str
    message: str
    text_name: str
    text_sha256: str
    kind: str
    model: dict[str, object]
    train: dict[str, object]
    stop_at: int | None
    step: int
    saved_step: int
    elapsed: float
    loss: float | None
    validation_loss: float | None
    best_validation_loss: float | None
    created: float
    updated: float

    @property
    def last_step(self) -> int:
        """The step at which it will stop by itself."""
        return self.stop_at or int(str(self.train["steps"]))

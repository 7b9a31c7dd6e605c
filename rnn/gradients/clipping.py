"""Clipping on and off: one vanilla RNN trained twice from the same seed, at a learning rate that is too high without.

Clipping by norm keeps the gradient's direction and limits how long a step can be, so a single steep place cannot throw
the weights far away (Pascanu, Mikolov and Bengio 2013, arXiv 1211.5063). Plain SGD shows it: Adam divides by the size
of the gradient anyway. Both runs are `rnn.training`'s own; nothing here is a second training loop.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnn.config import ModelConfig, TrainConfig
from rnn.errors import TextError
from rnn.stepwise import Stepwise
from rnn.training import TrainState, train

STEPS = 200
TURN = 10  # steps between two turns of others
MOST_TEXT = 19_969  # characters that are trained on: 16 streams of 39 whole chunks, and the last one's target
FEWEST_TEXT = 100
# On the first and on the last 20,000 characters of the Python reference all of 8 seeds diverged at this rate without
# clipping, at steps 11 to 14, and none with it: their mean loss of the last ten steps was 2.41 to 2.45 on the first.
# At a rate of 2, 6 of 8 seeds diverged on the first, and the two others ended at 9 nats; at a rate of 1, none did.
RATE, LIMIT = 3.0, 0.25
MODEL = ModelConfig(cell="rnn", hidden_size=64)
TRAIN = TrainConfig(
    batch_size=16, bptt_steps=32, steps=STEPS, optimizer="sgd", beta1=0.0, learning_rate=RATE, warmup_steps=0,
    decay="none", clip="norm", clip_norm=LIMIT, validation_fraction=0.0, max_vocabulary=256,
    precision="float32", device="cpu",
)  # fmt: skip


@dataclass(frozen=True)
class Course:
    """How one of the two runs went.

    Attributes:
        losses: after 1, 2, ... steps, nats.
        norms: of the gradient at these steps, before it was clipped.
        clipped: how many of these steps were clipped.
        diverged_at: the step at which the run had to stop; None where it came to its end.
        reason: "loss", "gradient" or "exploded", as in `rnn.divergence`; "" where it came to its end.
    """

    losses: NDArray[np.float64]
    norms: NDArray[np.float64]
    clipped: int
    diverged_at: int | None
    reason: str

    @property
    def last(self) -> float:
        """The mean of the last ten losses."""
        return float(self.losses[-10:].mean())


@dataclass(frozen=True)
class Pair:
    """The same run without and with clipping.

    Attributes:
        off, on: how it went.
        model: the network's settings.
        train: the settings of the one with clipping.
        characters: how many were trained on.
    """

    off: Course
    on: Course
    model: ModelConfig
    train: TrainConfig
    characters: int


def training_both(text: str, rate: float = RATE, limit: float = LIMIT, seed: int = 0) -> Stepwise[Pair]:
    """Trains twice on the first 19,969 characters; others may have a turn every ten steps.

    Args:
        text: what is trained on.
        rate: the learning rate.
        limit: where clipping limits the gradient's norm.
        seed: of the first weights.

    Raises:
        TextError: the text is too short.
        ConfigError: a setting is out of its bounds.
    """
    if len(text) < FEWEST_TEXT:
        raise TextError(
            f"Training needs a text of at least {FEWEST_TEXT} characters; this one has {len(text)}. Choose another one."
        )
    on = replace(TRAIN, learning_rate=rate, clip_norm=limit, seed=seed)
    text = text[:MOST_TEXT]
    without, _ = yield from _training(text, replace(on, clip="off"))
    clipped, fitted = yield from _training(text, on)
    return Pair(without, clipped, MODEL, fitted, len(text))


def _training(text: str, config: TrainConfig) -> Stepwise[tuple[Course, TrainConfig]]:
    """One of the runs, and its settings as they were fitted to the text."""
    state = TrainState.create(text, MODEL, config)
    seen = list[Any]()  # the run's own history goes back to its last good step where it diverges
    for metrics in train(state):
        seen.append((metrics.loss, metrics.grad_norm, metrics.clipped))
        if metrics.step % TURN == 0:
            yield
    losses, norms, clipped = np.array(seen, np.float64).reshape(-1, 3).T
    broke = state.divergence
    at, reason = (broke.step, broke.reason) if broke else (None, "")
    return Course(losses, norms, int(clipped.sum()), at, reason), state.train_config

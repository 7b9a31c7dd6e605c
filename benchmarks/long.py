"""Validation loss on tiny Shakespeare after 107 s and 600 s of training: the best preset against char-rnn's setting.

Half an hour, so only on request: `python -m benchmarks long`.
"""

from __future__ import annotations

import math
from dataclasses import replace

from benchmarks.recipe import our_validation_loss, shakespeare, theirs
from rnn.config import PRESETS
from rnn.tasks.next_character import NextCharacter
from rnn.training import TrainState, train

PRESET = "quality"
SECONDS = (107.0, 600.0)
PACE_STEPS = 60
NEVER = 1_000_000  # steps: evaluations are made here, between the measured seconds
EVALUATIONS = 20  # of a run; their seconds do not count


def ours(task: NextCharacter, seconds: float) -> tuple[float, float]:
    """The seconds taken and the lowest loss of the preset, its schedule as long as this machine gets to in the time."""
    preset = PRESETS[PRESET]
    state = TrainState.create(task, preset.model, replace(preset.train, steps=10_000_000, evaluate_every=NEVER))
    steps = train(state)
    for _ in range(PACE_STEPS):
        next(steps)
    began = state.elapsed
    for _ in range(PACE_STEPS):
        next(steps)
    horizon = max(1, int(seconds * PACE_STEPS / (state.elapsed - began)))
    config = replace(preset.train, steps=horizon, evaluate_every=NEVER, minutes=seconds / 60)
    state = TrainState.create(task, preset.model, config)
    lowest = math.inf
    for metrics in train(state):
        if metrics.step % (horizon // EVALUATIONS) == 0:
            lowest = min(lowest, our_validation_loss(state))
    return state.elapsed, min(lowest, our_validation_loss(state))


def run() -> None:
    task = shakespeare()
    if task is None:
        return
    print(f"Validation loss on tiny Shakespeare, nats: preset {PRESETS[PRESET].title!r} against char-rnn's setting")
    curve = list(theirs(task, 0, max(SECONDS), evaluate_every=250))
    for seconds in SECONDS:
        taken, loss = ours(task, seconds)
        lowest = min((their_loss for at, their_loss in curve if at <= seconds), default=math.inf)
        print(
            f"  {seconds:4.0f} s: {loss:.3f} (after {taken:.0f} s)   char-rnn's lowest until then {lowest:.3f}",
            flush=True,
        )

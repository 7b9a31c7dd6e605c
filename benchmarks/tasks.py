"""What the presets of the tasks reach on their test parts, which nothing was trained or chosen by."""

from __future__ import annotations

import math
from dataclasses import replace

from rnn import corpora
from rnn.catalogue import TASKS, TaskInfo
from rnn.config import VARIANTS, ModelConfig, TaskConfig
from rnn.shipped import TEXT
from rnn.tasks.examples import ExamplesTask
from rnn.training import TrainState, train

# The least share of right answers, and the most seconds of training (None: as many as it takes).
AIMS: dict[str, tuple[float, float | None]] = {
    "digit": (0.96, None),
    "digit-name": (0.95, 60),
    "digit-rows": (0.95, 60),
    "sentiment": (0.97, None),
    "frames": (0.95, None),
    "number-names": (0.97, 100),
    "caption": (0.85, 180),
}


def run() -> None:
    print("Right answers on the test part after training with the preset, against the aim; and what needs no training")
    for kind, info in TASKS.items():
        if kind not in ("next-character", "fill-blank"):
            for variant in VARIANTS[kind]:
                _show(info, info.model, replace(info.task, variant=variant))
    blanks = TASKS["fill-blank"]
    both = _show(blanks, blanks.model, blanks.task)
    left = _show(blanks, replace(blanks.model, bidirectional=False), replace(blanks.task, variant="left"))
    print(
        f"  Both sides of a blank, in place of the left one: {both[0] - left[0]:+.1%} right, "
        f"{(left[1] - both[1]) / math.log(2):.2f} bits less a character"
    )


def _show(info: TaskInfo, model: ModelConfig, learned: TaskConfig) -> tuple[float, float]:
    """Trains, prints a line, and returns the share that is right and the loss in nats."""
    text = corpora.load(TEXT) if info.needs_text else None
    state = TrainState.create(text, model, info.training(learned.variant), learned)
    for _ in train(state):
        pass
    assert isinstance(state.task, ExamplesTask)
    found = state.task.test(state.model)
    right = found.scores["accuracy"]
    least, seconds = AIMS.get(learned.kind, (None, None)) if not learned.variant else (None, None)
    aim = f"aim {least:.0%}" if least else ""
    limit = f" of {seconds:.0f}" if seconds else ""
    baselines = ", ".join(f"{name} {share:.1%}" for name, share in state.task.baselines().items())
    name = " ".join(filter(None, (learned.kind, learned.variant)))
    score = f"{right:6.1%} of the {info.score:14} {aim:8}"
    effort = f"{state.step:5,} steps, {state.elapsed:4.0f} s{limit:7}"
    print(f"  {name:16} {score}  {effort}  {baselines}".rstrip(), flush=True)
    return right, found.loss

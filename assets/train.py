"""`python -m assets.train [NAME ...]`: trains the models that come with the playground (`rnn.shipped`) anew.

Each file gets weights and no more: those of the lowest validation loss where the model writes text, and the last ones
where answers are right or wrong, for a few very wrong ones can raise the loss while more become right. The same seed
gives the same weights on one machine.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import torch

from rnn import corpora
from rnn.catalogue import TASKS
from rnn.checkpoints import save_checkpoint
from rnn.errors import PlaygroundError, TrainingError
from rnn.records import StepMetrics
from rnn.shipped import Shipped, every_shipped
from rnn.tasks.examples import ExamplesTask
from rnn.training import TrainState, evaluate, train

SHOWN_EVERY = 500  # steps between two lines


def main(names: Sequence[str]) -> int:
    """Trains the models of these names, or all of them, and returns the exit code."""
    models = every_shipped()
    unknown = [name for name in names if name not in models]
    if unknown:
        print(f"There is no shipped model {unknown[0]!r}; there are {', '.join(models)}.", file=sys.stderr)
        return 2
    torch.set_num_threads(1)  # with another number of them, sums round differently, and the weights are others
    try:
        for name in names or models:
            make(models[name])
    except PlaygroundError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def make(shipped: Shipped) -> None:
    """Trains one model and writes its file.

    Raises:
        TrainingError: the run diverged; the file is left as it was.
        CheckpointError: the file cannot be written.
    """
    text = corpora.load(shipped.text) if TASKS[shipped.task.kind].needs_text else None
    state = TrainState.create(text, shipped.model, shipped.train, shipped.task)
    for metrics in train(state):
        _show(shipped, metrics)
    if state.divergence is not None:
        raise TrainingError(state.divergence.sentence(can_recover=False))
    seconds = state.elapsed
    if shipped.task.kind == "next-character":
        go_back_to_best(state)
    state.notes = (*state.notes, measured(state))
    save_checkpoint(shipped.path, state, weights_only=True)
    print(f"{shipped.path.name}: {state.notes[-1]} {seconds:.0f} s of training.", flush=True)


def go_back_to_best(state: TrainState) -> None:
    """Takes back the weights of the lowest validation loss, and with them the step they were reached at."""
    assert state.best is not None  # every recipe has a validation part and ends with an evaluation
    state.model.load_state_dict(state.best.weights)
    del state.history[state.best.step :]
    last = state.history[-1]
    state.step, state.elapsed, state.characters = last.step, last.elapsed, last.characters


def measured(state: TrainState) -> str:
    """How good the weights are as they are, in a sentence."""
    if isinstance(state.task, ExamplesTask):
        accuracy, unit = state.task.test(state.model).scores["accuracy"], TASKS[state.task.kind].score
        return f"{accuracy:.1%} of the {unit} right at step {state.step:,} (test part)."
    *_, evaluation = evaluate(state)
    return f"Validation loss {evaluation.loss:.3f} nats at step {state.step:,} (whole validation part, state carried)."


def _show(shipped: Shipped, metrics: StepMetrics) -> None:
    if metrics.step % SHOWN_EVERY == 0 and metrics.validation_loss is not None:
        print(
            f"{shipped.name} {metrics.step:>6,} of {shipped.train.steps:,}  loss {metrics.loss:.3f}  "
            f"validation {metrics.validation_loss:.3f}  {metrics.elapsed:.0f} s",
            flush=True,
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

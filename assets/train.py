"""`python -m assets.train [NAME ...]`: trains the models that come with the playground (`rnn.shipped`) anew.

Each file gets the weights of the lowest validation loss and no more: enough to sample from. The same seed gives the
same weights on one machine.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import torch

from rnn import corpora
from rnn.checkpoints import save_checkpoint
from rnn.errors import PlaygroundError, TrainingError
from rnn.records import StepMetrics
from rnn.shipped import SHIPPED, TEXT, Shipped
from rnn.training import TrainState, evaluate, train

SHOWN_EVERY = 500  # steps between two lines


def main(names: Sequence[str]) -> int:
    """Trains the models of these names, or all of them, and returns the exit code."""
    unknown = [name for name in names if name not in SHIPPED]
    if unknown:
        print(f"There is no shipped model {unknown[0]!r}; there are {', '.join(SHIPPED)}.", file=sys.stderr)
        return 2
    torch.set_num_threads(1)  # with another number of them, sums round differently, and the weights are others
    try:
        for name in names or SHIPPED:
            make(SHIPPED[name])
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
    state = TrainState.create(corpora.load(TEXT), shipped.model, shipped.train)
    for metrics in train(state):
        _show(shipped, metrics)
    if state.divergence is not None:
        raise TrainingError(state.divergence.sentence(can_recover=False))
    seconds = state.elapsed
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
    """The validation loss of the weights as they are, in a sentence."""
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

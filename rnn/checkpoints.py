"""A `TrainState` to and from a checkpoint file (`rnn.checkpoint_file` holds the format and its checks)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from rnn import corpora
from rnn.checkpoint_file import Checkpoint, pack, read, write
from rnn.corpora import Text
from rnn.errors import CheckpointError, PlaygroundError, UnknownCharacterError
from rnn.records import METRICS, StepMetrics
from rnn.tasks import Task
from rnn.tasks.making import make, of_text
from rnn.training import TrainState


def save_checkpoint(path: str | Path, state: TrainState, weights_only: bool = False) -> None:
    """Writes the run to one .safetensors file; an older file of that name stays whole until the new one is.

    Args:
        path: where to.
        state: a run between two steps.
        weights_only: leaves out what only training needs; about a quarter of the size.

    Raises:
        CheckpointError: the disk is full, or the place cannot be written.
    """
    write(path, to_bytes(state, weights_only))


def to_bytes(state: TrainState, weights_only: bool = False) -> bytes:
    """The file's bytes, for a download or a store."""
    arrays, values = state.to_arrays(), state.to_json()
    if weights_only:
        arrays = {name: array for name, array in arrays.items() if name.startswith("weights/")}
        values["best"] = None
    else:
        arrays["history"] = _history_array(state.history)
    return pack(arrays, values)


def last_good_to_bytes(state: TrainState) -> bytes | None:
    """The checkpoint of the copy that a divergence goes back to; None where the run is its own, or has none yet."""
    if state.is_healthy or state.last_good is None:
        return None
    arrays, values = state.last_good
    return pack({**arrays, "history": _history_array(state.history[: values["step"]])}, values)


def set_last_good(state: TrainState, checkpoint: Checkpoint) -> None:
    """Gives a run that was saved while it broke the healthy copy that was saved with it, if it is one of this run."""
    is_earlier = checkpoint.is_resumable and checkpoint.step <= state.step
    if is_earlier and not state.is_healthy and _history(checkpoint) == state.history[: checkpoint.step]:
        state.set_last_good(checkpoint.arrays, checkpoint.metadata)


def load_checkpoint(path: str | Path, text: str | Text | None = None) -> TrainState:
    """Reads a run back.

    Args:
        path: a file that `save_checkpoint` wrote.
        text: the text it was trained on; needed to go on training, unless it is a built-in or the task has its own
            data. Sampling works without.

    Raises:
        CheckpointError: the file cannot be read or used, or `text` is not the text it was trained on.
    """
    return to_state(read(path), text)


def to_state(checkpoint: Checkpoint, text: str | Text | None = None) -> TrainState:
    """The run of a checkpoint that has been read; see `load_checkpoint`."""
    task = _task(checkpoint, text)
    try:
        return TrainState.from_saved(task, checkpoint.metadata, checkpoint.arrays, _history(checkpoint))
    except (RuntimeError, TypeError, ValueError) as error:
        # The format's checks have passed, so this is a generator state that torch refuses, or the like.
        reason = str(error).partition("\n")[0].rstrip(".")
        raise CheckpointError(f"The checkpoint cannot be resumed here: {reason}.") from error


def opened(checkpoint: Checkpoint, text: str | Text | None = None) -> tuple[Task, nn.Module]:
    """Task and network of a checkpoint, to be asked and tested: its best weights, or its last where none were best.

    Args:
        checkpoint: of any kind; weights alone are enough.
        text: the text it was trained on, unless it is a built-in. Only a test needs it, and only where the task reads
            one.

    Returns:
        The task, and the network on the CPU, in float32 and without dropout.

    Raises:
        CheckpointError: `text` is not the text it was trained on.
    """
    task = _task(checkpoint, text)
    network = task.model(checkpoint.model, seed=0)
    weights = checkpoint.weights("best")
    network.load_state_dict({name: torch.from_numpy(np.array(array)) for name, array in weights.items()})
    return task, network.eval()


def _task(checkpoint: Checkpoint, text: str | Text | None) -> Task:
    """The checkpoint's task with its data, as far as it is to be had."""
    if checkpoint.characters is None:
        return make(checkpoint.task)
    return of_text(checkpoint.task, checkpoint.characters, _encoded(checkpoint, text), checkpoint.metadata["text"])


def _encoded(checkpoint: Checkpoint, text: str | Text | None) -> np.ndarray[Any, Any] | None:
    """The training text as indices; None where it is not to be had, or nothing could be done with it."""
    known = checkpoint.metadata["text"]
    is_of_use = checkpoint.is_resumable or checkpoint.kind != "next-character"  # others are tested on it as well
    if text is None and not (is_of_use and _is_at_hand(known)):
        return None
    try:
        given = corpora.load(known["name"]) if text is None else text
    except PlaygroundError:
        return None  # a built-in that cannot be had here and now; training would say so, sampling needs none
    given = corpora.from_paste(given) if isinstance(given, str) else given
    if given.sha256 == known["sha256"]:
        try:
            return checkpoint.vocabulary.encode(given.content, "replace")
        except UnknownCharacterError as error:
            raise CheckpointError("The checkpoint's vocabulary is not that of the text it names.") from error
    if text is None:
        return None  # the built-in differs between versions of Python
    raise CheckpointError(
        f"This is not the text the checkpoint was trained on ({known['name']!r}, {known['length']:,} characters, "
        f"sha256 {known['sha256'][:12]}...); the given one has {len(given.content):,} characters. Give the same text."
    )


def _is_at_hand(known: dict[str, Any]) -> bool:
    """Whether the text is a built-in that needs no download: opening an uploaded file must not start one."""
    return known["builtin"] and known["name"] in corpora.CORPORA and corpora.is_available_offline(known["name"])


def _history_array(history: list[StepMetrics]) -> np.ndarray[Any, Any]:
    """One row per step in the order of `METRICS`; what was not measured is NaN."""
    rows = [[getattr(m, name) for name in METRICS] for m in history]
    return np.array(rows, dtype=np.float64).reshape(len(history), len(METRICS))


def _history(checkpoint: Checkpoint) -> list[StepMetrics]:
    rows = checkpoint.arrays.get("history", np.empty((0, len(METRICS))))
    return [_metrics(row) for row in rows.tolist()]


def _metrics(row: list[float]) -> StepMetrics:
    # Older files do not say whether a step was clipped, or the score.
    values: dict[str, Any] = dict(zip(METRICS, row, strict=False))
    values["step"], values["characters"] = int(values["step"]), int(values["characters"])
    for name in ("validation_loss", "clipped", "score"):
        if np.isnan(values.get(name, 0.0)):
            values[name] = None
    return StepMetrics(**values)

"""Every cap of a public deployment, in one place. On a laptop (`RNN_PLAYGROUND_PUBLIC=0`) there are none."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields

from rnn.catalogue import parameter_count
from rnn.checkpoint_file import Checkpoint
from rnn.config import ModelConfig, TaskConfig, TrainConfig
from rnn.errors import ConfigError
from rnn.runs.eviction import Quota

# Everywhere: a second or two of the page's time for a usual model.
SAMPLE_LENGTH = 5_000  # characters of one sample
SCORED_LENGTH = 20_000  # of a text whose characters are scored
USUAL_LENGTH = 64  # steps over one example of a task: names of numbers are not longer
PRIME_LENGTH = 2_000  # read before a sample: what stands further back, such networks have forgotten


@dataclass(frozen=True)
class Limits:
    """What one visitor may ask for; None means no cap."""

    hidden_size: int | None
    batch_size: int | None
    bptt_steps: int | None
    steps: int | None  # of one start; a run can be resumed for as many again
    evaluation_chars: int | None  # read for each live validation loss
    history: int | None  # steps that an uploaded run has behind it
    max_vocabulary: int | None  # characters; rarer ones share the unknown one
    step_products: int | None  # multiplications of one step's forward pass
    text_bytes: int | None
    checkpoint_bytes: int | None
    kept_per_owner: int | None  # runs
    active_per_owner: int | None  # runs that train at a time; more wait
    active_in_total: int | None
    waiting_in_total: int | None  # runs and races in the queue
    training_hours: float | None  # that one visitor's runs compute in a day
    kept_days: float | None  # after a run's last change; then it goes, whatever it was
    kept_bytes_per_owner: int | None
    kept_bytes_in_total: int | None  # then what rests for longest goes
    reason: str


PUBLIC = Limits(
    hidden_size=512,
    batch_size=128,
    bptt_steps=256,
    steps=5_000,
    evaluation_chars=20_000,
    history=50_000,
    max_vocabulary=4_000,
    step_products=3_000_000_000,  # about 0.4 s on one core in float32: no turn lasts long
    text_bytes=5_000_000,
    checkpoint_bytes=40_000_000,  # two layers of 512 with Adam's moments and the best weights
    kept_per_owner=10,
    active_per_owner=2,
    active_in_total=40,
    waiting_in_total=100,
    training_hours=4.0,
    kept_days=30.0,
    kept_bytes_per_owner=500_000_000,  # ten usual runs take 100 MB, one of the largest 250 MB
    kept_bytes_in_total=5_000_000_000,
    reason="This server is shared; run the app on your own computer (`make app`) to lift the caps.",
)
LAPTOP = Limits(*[None] * (len(fields(Limits)) - 1), reason="")
CAPPED = ("hidden_size", "batch_size", "bptt_steps", "steps", "evaluation_chars")  # settings with a cap of their own


def is_public() -> bool:
    """Public unless `RNN_PLAYGROUND_PUBLIC` says 0."""
    return os.environ.get("RNN_PLAYGROUND_PUBLIC", "1") != "0"


def limits() -> Limits:
    return PUBLIC if is_public() else LAPTOP


def quota() -> Quota:
    """What the visitors of this server have together."""
    caps = limits()
    return Quota(
        caps.kept_bytes_in_total, caps.kept_bytes_per_owner, caps.kept_days, caps.waiting_in_total,
        None if caps.training_hours is None else 3_600 * caps.training_hours,
    )  # fmt: skip


def check_caps(model: ModelConfig, train: TrainConfig, vocabulary_size: int, task: TaskConfig | None = None) -> None:
    """Raises ConfigError where a run is more than this server gives one visitor, wherever its settings came from.

    Args:
        vocabulary_size: of the text; 0 where the task reads none.
        task: what is learned; None: to predict the next character.
    """
    task = task or TaskConfig()
    values = {**model.to_json(), **train.to_json()}
    values["hidden_size"] = max(model.hidden_size, task.decoder(model).hidden_size)
    for name in CAPPED:
        cap, value = getattr(limits(), name), values[name]
        if cap is not None and value > cap:
            raise ConfigError(f"{name} is {value:,}, and at most {cap:,} is allowed here. {limits().reason}")
    most = limits().max_vocabulary
    if most is not None and vocabulary_size > most:
        raise ConfigError(f"The vocabulary has {vocabulary_size:,} characters, more than {most:,}. {limits().reason}")
    if is_public() and train.truncation == "full" and task.kind == "next-character":
        raise ConfigError(f"A gradient through the whole text keeps everybody waiting. {limits().reason}")
    _check_step(model, train, vocabulary_size, task)


def check_file(checkpoint: Checkpoint) -> None:
    """Raises ConfigError where a model or run from a file is more than this server gives one visitor."""
    check_caps(checkpoint.model, checkpoint.train, len(checkpoint.characters or ()), checkpoint.task)
    most = limits().history
    if most is not None and checkpoint.step > most:
        raise ConfigError(f"The run is at step {checkpoint.step:,}, beyond {most:,}. {limits().reason}")


def _check_step(model: ModelConfig, train: TrainConfig, vocabulary_size: int, task: TaskConfig) -> None:
    """Each within its cap, the settings can still make a step of seconds.

    Every weight matrix is applied once per symbol, so a step multiplies B * T times as often as they have entries.
    """
    cap = limits().step_products
    T = train.bptt_steps if task.kind == "next-character" else task.length or USUAL_LENGTH
    products = parameter_count(task, model, vocabulary_size) * train.batch_size * T
    if cap is not None and products > cap:
        raise ConfigError(
            f"One training step would take about {products / cap:.1f} times what is allowed here. "
            f"Lower the hidden size, the layers, the batch size or the BPTT steps. {limits().reason}"
        )

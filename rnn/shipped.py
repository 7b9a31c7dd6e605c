"""The models that come with the playground: an LSTM, a GRU and a vanilla RNN, trained on the same built-in text, a
small GRU that counts brackets, and one for every other task.

Their files lie in `assets/`, of an installed package in `rnn/assets/`; `make models` trains them again. Opening one
takes no torch.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from rnn.catalogue import TASKS
from rnn.checkpoint_file import Checkpoint, read
from rnn.config import ModelConfig, TaskConfig, TrainConfig, shown
from rnn.errors import CheckpointError

_HERE = Path(__file__).resolve().parent
ASSETS = (_HERE if (_HERE / "assets").is_dir() else _HERE.parent) / "assets"
TEXT = "python-reference"  # what those that write English were trained on, by its name in `rnn.corpora.CORPORA`
VOCABULARY_SIZE = 103  # V of that text in Python 3.11; other versions have a few characters more or fewer

_LSTM = ModelConfig(cell="lstm", hidden_size=192, embedding_size=64)
PARAMETERS = _LSTM.parameter_count(VOCABULARY_SIZE)  # of each of the three, as nearly as a hidden size can

# Weight decay, because 419,000 characters are soon learned by heart: with 0.01 an LSTM of 4,000 steps had 0.89 nats in
# training and 1.41 on the first 20,000 validation characters, with 0.15 one of 5,000 steps had 1.04 and 1.35.
_RECIPE = TrainConfig(steps=4000, weight_decay=0.15, evaluate_every=100, precision="float32", device="cpu")


@dataclass(frozen=True)
class Shipped:
    """A model that comes with the playground.

    Attributes:
        name: its key in `SHIPPED` and the name of its file.
        title: its name in lists.
        model, train: the settings it was trained with.
        task: what it has learned.
        text: what it was trained on, by its name in `rnn.corpora.CORPORA`.
    """

    name: str
    title: str
    model: ModelConfig
    train: TrainConfig
    task: TaskConfig = field(default_factory=TaskConfig)
    text: str = TEXT

    @property
    def path(self) -> Path:
        """Where its file lies."""
        return ASSETS / f"{self.name}.safetensors"


def _shipped(cell: str, title: str, learning_rate: float) -> Shipped:
    model = replace(_LSTM, cell=cell).sized_for(PARAMETERS, VOCABULARY_SIZE)
    return Shipped(cell, title, model, replace(_RECIPE, learning_rate=learning_rate))


# To compare cells, all else is the same, but for the hidden size, which makes the parameters equal, and the learning
# rate: each cell has its own good one (half of it was worse: 1.44 for 1.40 nats in the LSTM, 1.49 for 1.42 in the RNN).
SHIPPED: dict[str, Shipped] = {
    "lstm": _shipped("lstm", "LSTM", 8e-3),
    "gru": _shipped("gru", "GRU", 4e-3),
    "rnn": _shipped("rnn", "Vanilla RNN", 2e-3),
}


# Ground truth for those who look inside: the digits of its text can only be known by counting, so there has to be a
# counter. It is small enough for all of its units to be seen at once.
COUNTERS: dict[str, Shipped] = {
    "parentheses": Shipped(
        "parentheses", "GRU of 15 units, nested parentheses", ModelConfig(cell="gru", hidden_size=15),
        TrainConfig(steps=2000, evaluate_every=100, precision="float32", device="cpu"), text="nested-parentheses",
    )
}  # fmt: skip


def _shipped_task(name: str, kind: str, variant: str = "") -> Shipped:
    """In float32 and on the CPU, so that it comes out the same on every run."""
    info = TASKS[kind]
    model = replace(info.model, bidirectional=False) if variant == "left" else info.model
    train = replace(info.training(variant), precision="float32", device="cpu")
    return Shipped(name, info.title, model, train, replace(info.task, variant=variant))


SHIPPED_TASKS: dict[str, Shipped] = {
    **{kind: _shipped_task(kind, kind) for kind in TASKS if kind != "next-character"},
    "fill-blank-left": _shipped_task("fill-blank-left", "fill-blank", "left"),  # beside the one that reads both sides
}


def every_writer() -> dict[str, Shipped]:
    """Those that predict the next character. Of these `SHIPPED` alone are to be compared: one text, one size."""
    return SHIPPED | COUNTERS


def every_shipped() -> dict[str, Shipped]:
    """Those that predict the next character, and those of the other tasks."""
    return every_writer() | SHIPPED_TASKS


def open_shipped(name: str) -> Checkpoint:
    """The shipped model of this name, read and checked anew at each call.

    Raises:
        CheckpointError: there is no such model, or its file is missing or damaged.
    """
    models = every_shipped()
    if name not in models:
        raise CheckpointError(f"There is no shipped model named {shown(name)}; there are {', '.join(models)}.")
    try:
        return read(models[name].path)
    except CheckpointError as error:
        raise CheckpointError(f"{error} `make models` makes the shipped models.") from error

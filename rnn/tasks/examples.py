"""Tasks whose data are separate examples: a question and its answer, and nothing is carried from one to the next.

`Examples` are arrays with the example first; a batch has time first, as the networks read. A task of this kind says
which examples there are; what it answers with, one of the classes or a sequence that is written, is settled by the two
classes below.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from rnn.catalogue import fingerprint
from rnn.cells import State
from rnn.config import ModelConfig, TaskConfig, TrainConfig
from rnn.data.sequences import END, PAD, Symbols
from rnn.networks import Writer
from rnn.records import Prediction
from rnn.tasks import Batch, Evaluation

Part = Literal["validation", "test"]

CHUNK = 128  # examples between two places where an evaluation can be interrupted
SHOWN = 5  # examples in what a run shows along the way


@dataclass(frozen=True)
class Examples:
    """N examples.

    Attributes:
        inputs: (N, I) vectors, (N, T) symbols or (N, T, I) sequences of vectors.
        targets: (N,) classes, or (N, T) classes or symbols.
        input_lengths, target_lengths: (N,), where sequences are filled up at their ends; None where all are real.
    """

    inputs: NDArray[Any]
    targets: NDArray[Any]
    input_lengths: NDArray[Any] | None = None
    target_lengths: NDArray[Any] | None = None

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, rows: slice | NDArray[Any]) -> Self:
        """Those of these rows, no longer than the longest of them."""
        inputs, input_lengths = _cut(self.inputs[rows], self.input_lengths, rows)
        targets, target_lengths = _cut(self.targets[rows], self.target_lengths, rows)
        return type(self)(inputs, targets, input_lengths, target_lengths)


def _cut(
    array: NDArray[Any], lengths: NDArray[Any] | None, rows: slice | NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any] | None]:
    if lengths is None:
        return array, None
    own = lengths[rows]
    return array[:, : own.max(initial=1)], own


@dataclass(frozen=True)
class Scored:
    """What a chunk of examples came to.

    Attributes:
        loss: summed over the predictions, nats.
        predictions: how many.
        right, answers: answers that are right, of how many; a sequence that is written is one answer.
    """

    loss: float
    predictions: int
    right: int
    answers: int


class ExamplesTask(ABC):
    """What all of them share.

    Attributes:
        config: what is learned.
        reads_sequence: whether the network reads its input step by step.
    """

    config: TaskConfig
    reads_sequence: ClassVar[bool] = True

    @property
    def kind(self) -> str:
        """The task's name in checkpoints."""
        return self.config.kind

    @abstractmethod
    def model(self, config: ModelConfig, seed: int) -> nn.Module:
        """A fresh network for this task; ConfigError where the configuration does not suit it."""

    @abstractmethod
    def drawn(self, config: TrainConfig, step: int) -> tuple[Examples, float]:
        """The training examples of optimizer step `step`, and the passes over the data when they are done."""

    @abstractmethod
    def held_out(self, part: Part) -> Examples:
        """The examples of the validation part or of the test part, always the same ones."""

    @abstractmethod
    def loss(self, model: nn.Module, batch: Batch, state: State | None) -> tuple[Tensor, None]:
        """The mean loss in nats; no state is carried."""

    @abstractmethod
    def scored(self, model: nn.Module, batch: Batch) -> Scored:
        """Loss and right answers of a batch."""

    @abstractmethod
    def shown(self, examples: Examples, row: int) -> NDArray[np.float32] | str:
        """The input of one example, as `Prediction` has it."""

    @abstractmethod
    def predict(self, model: nn.Module, examples: Examples) -> list[Prediction]:
        """What the model answers to each example."""

    @abstractmethod
    def predictions_in(self, examples: Examples) -> NDArray[np.int64]:
        """How many predictions each example is scored by, (N,)."""

    def steps_over(self, examples: Examples) -> int:
        """Steps that a recurrent network takes over these examples, which lie side by side."""
        return examples.inputs.shape[1] if self.reads_sequence else 1

    def baselines(self) -> dict[str, float]:
        """What is right as often without the very thing that the task is about, by name: a share of 1."""
        return {}

    def fit(self, config: TrainConfig) -> tuple[TrainConfig, tuple[str, ...]]:
        """The data is made for the task: there is nothing to fit."""
        return config, ()

    def has_validation(self, config: TrainConfig) -> bool:
        """It has a part of its own for validation."""
        return True

    def batch(self, config: TrainConfig, step: int) -> Batch:
        return self.batch_of(*self.drawn(config, step))

    def batch_of(self, examples: Examples, epoch: float = 0.0) -> Batch:
        """Examples as the network takes them: time first."""
        inputs = np.moveaxis(examples.inputs, 0, 1) if self.reads_sequence else examples.inputs
        return Batch(
            inputs=_tensor(inputs),
            targets=_tensor(examples.targets.T),
            begins=True,
            predictions=int(self.predictions_in(examples).sum()),
            epoch=epoch,
            steps=self.steps_over(examples),
            input_lengths=None if examples.input_lengths is None else _tensor(examples.input_lengths),
            target_lengths=None if examples.target_lengths is None else _tensor(examples.target_lengths),
        )

    def evaluate(
        self, model: nn.Module, config: TrainConfig, predictions: int | None, streams: int
    ) -> Iterator[Evaluation]:
        """Scores the validation part, or the first examples of it that have so many predictions."""
        examples = self.held_out("validation")
        if predictions is not None:
            enough = int(np.searchsorted(np.cumsum(self.predictions_in(examples)), predictions)) + 1
            examples = examples[:enough]
        yield from self._evaluated(model, examples)

    def test(self, model: nn.Module) -> Evaluation:
        """The score on the test part, which neither training nor its stop has seen."""
        *_, evaluation = self._evaluated(model, self.held_out("test"))
        return evaluation

    def _evaluated(self, model: nn.Module, examples: Examples) -> Iterator[Evaluation]:
        device = device_of(model)
        loss, predictions, right, answers = 0.0, 0, 0, 0
        for start in range(0, len(examples), CHUNK):
            with evaluating(model):
                chunk = self.scored(model, self.batch_of(examples[start : start + CHUNK]).to(device))
            loss, predictions = loss + chunk.loss, predictions + chunk.predictions
            right, answers = right + chunk.right, answers + chunk.answers
            fraction = min(1.0, (start + CHUNK) / len(examples))
            yield Evaluation(loss / predictions, predictions, fraction, {"accuracy": right / answers})

    def predictions(self, model: nn.Module, count: int, seed: int = 0) -> list[Prediction]:
        """What the model answers to `count` examples of the test part; same seed, same examples."""
        test = self.held_out("test")
        rows = np.random.default_rng(seed).permutation(len(test))[:count]
        return self.predict(model, test[rows])

    def example(self, model: nn.Module, seed: int) -> str:
        """A few examples of the validation part, a line each."""
        validation = self.held_out("validation")
        rows = np.random.default_rng(seed).permutation(len(validation))[:SHOWN]
        return "\n".join(_line(each) for each in self.predict(model, validation[rows]))

    def to_json(self) -> dict[str, Any]:
        return {"task": self.config.to_json(), "symbols": fingerprint(self.config)}


class Classification(ExamplesTask):
    """A class for each example, or for each step of it."""

    @property
    @abstractmethod
    def classes(self) -> tuple[str, ...]:
        """Their names."""

    def predictions_in(self, examples: Examples) -> NDArray[np.int64]:
        return np.full(len(examples), examples.targets[0].size)

    def loss(self, model: nn.Module, batch: Batch, state: State | None) -> tuple[Tensor, None]:
        return F.cross_entropy(_logits(model, batch).flatten(0, -2), batch.targets.flatten()), None

    def scored(self, model: nn.Module, batch: Batch) -> Scored:
        logits, targets = _logits(model, batch).flatten(0, -2), batch.targets.flatten()
        loss = F.cross_entropy(logits, targets, reduction="sum").item()
        return Scored(loss, len(targets), int((logits.argmax(-1) == targets).sum()), len(targets))

    def predict(self, model: nn.Module, examples: Examples) -> list[Prediction]:
        with evaluating(model):
            logits = _logits(model, self.batch_of(examples).to(device_of(model)))
        probabilities = np.moveaxis(logits.softmax(-1).cpu().numpy(), -2, 0)  # (N, classes) or (N, T, classes)
        predicted = probabilities.argmax(-1)
        return [
            Prediction(
                self.shown(examples, row),
                self._named(examples.targets[row]),
                self._named(predicted[row]),
                bool(np.array_equal(examples.targets[row], predicted[row])),
                probabilities[row],
            )
            for row in range(len(examples))
        ]

    def _named(self, labels: NDArray[Any]) -> str:
        return " ".join(self.classes[label] for label in np.atleast_1d(labels))


class Writing(ExamplesTask):
    """A sequence for each example, written symbol by symbol; targets end with END, which the lengths count.

    Attributes:
        symbols: what is written.
        between: what stands between two of them.
    """

    symbols: ClassVar[Symbols]
    between: ClassVar[str] = ""

    def predictions_in(self, examples: Examples) -> NDArray[np.int64]:
        assert examples.target_lengths is not None
        return np.asarray(examples.target_lengths, dtype=np.int64)

    def steps_over(self, examples: Examples) -> int:
        written: int = examples.targets.shape[1]
        return super().steps_over(examples) + written

    def loss(self, model: nn.Module, batch: Batch, state: State | None) -> tuple[Tensor, None]:
        forcing = self.config.teacher_forcing
        return _writer(model).loss(batch.inputs, batch.targets, batch.input_lengths, forcing), None

    def scored(self, model: nn.Module, batch: Batch) -> Scored:
        """The loss with every symbol before it given; the answers, as it writes them by itself."""
        writer = _writer(model)
        logits = writer(batch.inputs, batch.targets, batch.input_lengths).flatten(0, 1)
        loss = F.cross_entropy(logits, batch.targets.flatten(), ignore_index=PAD, reduction="sum").item()
        written = writer.greedy(batch.inputs, batch.input_lengths, len(batch.targets))
        expected = [[s for s in column if s not in (END, PAD)] for column in batch.targets.t().tolist()]
        right = sum(a == b for a, b in zip(written, expected, strict=True))
        return Scored(loss, int((batch.targets != PAD).sum()), right, len(expected))

    def predict(self, model: nn.Module, examples: Examples) -> list[Prediction]:
        batch = self.batch_of(examples).to(device_of(model))
        written = _writer(model).greedy(batch.inputs, batch.input_lengths, 2 * len(batch.targets))
        predictions = []
        for row, symbols in enumerate(written):
            expected, predicted = self._spelled(examples.targets[row].tolist()), self._spelled(symbols)
            predictions.append(Prediction(self.shown(examples, row), expected, predicted, predicted == expected))
        return predictions

    def _spelled(self, symbols: list[int]) -> str:
        return self.between.join(self.symbols.decode(symbols))


# Pieces


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Without dropout and gradients; as it was afterwards, for a training step may come next."""
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        model.train(was_training)


def device_of(model: nn.Module) -> torch.device:
    """Where the model's weights are."""
    return next(model.parameters()).device


def _logits(model: nn.Module, batch: Batch) -> Tensor:
    logits: Tensor = model(batch.inputs, *(() if batch.input_lengths is None else (batch.input_lengths,)))
    return logits


def _writer(model: nn.Module) -> Writer:
    assert isinstance(model, Writer)
    return model


def _tensor(array: NDArray[Any]) -> Tensor:
    """float32 for vectors, int64 for symbols, classes and lengths."""
    dtype = np.float32 if array.dtype.kind == "f" else np.int64
    return torch.from_numpy(np.array(array, dtype=dtype, order="C"))  # a copy: the data is read-only


def _line(prediction: Prediction) -> str:
    read = prediction.inputs if isinstance(prediction.inputs, str) else prediction.expected
    verdict = "" if prediction.is_right else f" (it is {prediction.expected})"
    return f"{read}: {prediction.predicted}{verdict}"

"""The character-level language model: read a text, predict at every character the one that follows."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from rnn import corpora
from rnn.catalogue import check
from rnn.cells import State
from rnn.config import ModelConfig, TaskConfig, TrainConfig
from rnn.corpora import Text
from rnn.errors import ConfigError, TrainingError
from rnn.models import CharRNN
from rnn.sampling import generate
from rnn.tasks import Batch, Evaluation
from rnn.vocabulary import Vocabulary

MAX_FULL_STEPS = 10_000  # as many as bptt_steps may have
EXAMPLE_CHARACTERS = 200
EXAMPLE_TEMPERATURE = 0.8
EVALUATION_STEPS = 256  # characters per stream between two places where an evaluation can be interrupted


@dataclass(frozen=True)
class NextCharacter:
    """Next-character prediction on one text.

    The training part is cut into B streams of equal length that are read side by side, T characters at a step
    (`corpora.streams`); validation reads the end of the text.

    Attributes:
        vocabulary: the characters of the text.
        encoded: the whole text as indices, one or two bytes each; None where only the model is known.
        text: name, length in characters, sha256 and whether it is a built-in.
    """

    vocabulary: Vocabulary
    encoded: NDArray[Any] | None
    text: dict[str, Any]
    kind: ClassVar[str] = "next-character"
    config: ClassVar[TaskConfig] = TaskConfig()

    @classmethod
    def from_text(cls, text: Text, max_vocabulary: int | None = None) -> Self:
        """The task of predicting `text`; characters beyond the cap become the visible unknown one."""
        vocabulary = Vocabulary.from_text(text.content, max_vocabulary)
        return cls(vocabulary, vocabulary.encode(text.content, "replace"), describe(text))

    def model(self, config: ModelConfig, seed: int) -> CharRNN:
        check(self.config, config)
        return CharRNN(config, len(self.vocabulary), seed)

    def fit(self, config: TrainConfig) -> tuple[TrainConfig, tuple[str, ...]]:
        fitted, notes = corpora.fit(config, len(self._data))
        length = (len(self._parts(fitted)[0]) - 1) // fitted.batch_size
        if fitted.truncation == "full" and length > MAX_FULL_STEPS:
            raise ConfigError(
                f"truncation is full, which keeps every one of {length:,} steps in memory for one gradient; at most "
                f"{MAX_FULL_STEPS:,} are allowed. Use a shorter text, a larger batch_size, or carry."
            )
        return fitted, notes

    def has_validation(self, config: TrainConfig) -> bool:
        return len(self._parts(config)[1]) > 1

    def batch(self, config: TrainConfig, step: int) -> Batch:
        inputs, targets = corpora.streams(self._parts(config)[0], config.batch_size)
        length = inputs.shape[1]
        T = length if config.truncation == "full" else config.bptt_steps
        chunks = math.ceil(length / T)
        start = step % chunks * T
        chunk = slice(start, start + T)
        return Batch(
            inputs=_time_first(inputs[:, chunk]),
            targets=_time_first(targets[:, chunk]),
            begins=start == 0 or config.truncation == "reset",
            predictions=inputs[:, chunk].size,
            epoch=step // chunks + min(start + T, length) / length,
            steps=inputs[:, chunk].shape[1],
        )

    def loss(self, model: nn.Module, batch: Batch, state: State | None) -> tuple[Tensor, State | None]:
        logits, state = model(batch.inputs, state)
        return F.cross_entropy(logits.flatten(0, 1), batch.targets.flatten()), state

    def evaluate(
        self, model: nn.Module, config: TrainConfig, predictions: int | None, streams: int
    ) -> Iterator[Evaluation]:
        """Carries the state over the validation text, or over `streams` contiguous parts of it side by side."""
        part = self._parts(config)[1]
        if predictions is not None:
            part = part[: predictions + 1]
        inputs, targets = corpora.streams(part, max(1, min(streams, (len(part) - 1) // EVALUATION_STEPS)))
        device = next(model.parameters()).device
        length, state, total, count = inputs.shape[1], None, 0.0, 0
        for start in range(0, length, EVALUATION_STEPS):
            chunk = slice(start, start + EVALUATION_STEPS)
            # Set at every chunk: between two of them a training step, or another run, may have its turn.
            was_training = model.training
            model.eval()
            with torch.no_grad():
                logits, state = model(_time_first(inputs[:, chunk]).to(device), state)
                answers = _time_first(targets[:, chunk]).to(device)
                total += F.cross_entropy(logits.flatten(0, 1), answers.flatten(), reduction="sum").item()
            model.train(was_training)
            count += answers.numel()
            yield _evaluation(total / count, count, min(1.0, (start + EVALUATION_STEPS) / length))

    def example(self, model: nn.Module, seed: int) -> str:
        drawn = generate(model, self.vocabulary, length=EXAMPLE_CHARACTERS, temperature=EXAMPLE_TEMPERATURE, seed=seed)
        return "".join(s.char for s in drawn)

    def to_json(self) -> dict[str, Any]:
        return {"task": self.config.to_json(), "vocabulary": self.vocabulary.to_json(), "text": self.text}

    @property
    def _data(self) -> NDArray[Any]:
        return needed(self.encoded, self.text)

    def _parts(self, config: TrainConfig) -> tuple[NDArray[Any], NDArray[Any]]:
        return corpora.split(self._data, config.validation_fraction)


def needed(encoded: NDArray[Any] | None, text: dict[str, Any]) -> NDArray[Any]:
    """The encoded text.

    Raises:
        TrainingError: a checkpoint came without it.
    """
    if encoded is None:
        raise TrainingError(
            f"The text {text['name']!r} ({text['length']:,} characters) is not here, so training cannot go on; give "
            "the text the model was trained on. Sampling works without it."
        )
    return encoded


def describe(text: Text) -> dict[str, Any]:
    """What a checkpoint remembers of a text: enough to know it again, none of its words."""
    return {"name": text.name, "length": len(text.content), "sha256": text.sha256, "builtin": text.builtin}


def _time_first(chunk: NDArray[Any]) -> Tensor:
    """(B, T) small integers -> (T, B) int64, the order in which the network reads."""
    return torch.from_numpy(np.ascontiguousarray(chunk.T, dtype=np.int64))


def _evaluation(loss: float, predictions: int, fraction: float) -> Evaluation:
    return Evaluation(loss, predictions, fraction, {"bits_per_char": loss / math.log(2)})

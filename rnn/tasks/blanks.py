"""The character behind a blank, from both sides of it or from the left alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from rnn import corpora
from rnn.catalogue import check
from rnn.config import ModelConfig, TaskConfig, TrainConfig
from rnn.data.blanks import Windows, validation_windows, windows
from rnn.errors import TextError
from rnn.networks import BlankFiller
from rnn.tasks.examples import Classification, Examples, Part
from rnn.tasks.next_character import needed
from rnn.vocabulary import Vocabulary

LENGTH = 32  # characters of a window, where none are asked for
KEPT = 0.1  # share of the text at its end that is kept for validation and, the second half of it, for the test
HELD_OUT = 2000  # windows of either, at most
BLANK = "□"  # as it is shown


@dataclass(frozen=True)
class FillBlank(Classification):
    """Many to one: a window of a text with a blank in its middle in, the character that belongs there out.

    Attributes:
        vocabulary: the characters of the text.
        encoded: the whole text as indices; None where only the model is known.
        text: name, length in characters, sha256 and whether it is a built-in.
    """

    config: TaskConfig
    vocabulary: Vocabulary
    encoded: NDArray[Any] | None
    text: dict[str, Any]

    @property
    def classes(self) -> tuple[str, ...]:
        """The characters."""
        return tuple(self.vocabulary.characters)

    @property
    def length(self) -> int:
        """Characters of a window, the blank included."""
        return self.config.length or LENGTH

    @property
    def blank(self) -> int:
        """The index of the blank."""
        return len(self.vocabulary)

    def model(self, config: ModelConfig, seed: int) -> nn.Module:
        check(self.config, config)
        return BlankFiller(config, self.blank, seed, left_only=self.config.variant == "left")

    def fit(self, config: TrainConfig) -> tuple[TrainConfig, tuple[str, ...]]:
        characters = len(needed(self.encoded, self.text))
        least = math.ceil(2 * self.length / KEPT)
        if characters < least:
            raise TextError(
                f"The text has {characters:,} characters; windows of {self.length} need at least {least:,}, for a "
                "twentieth of the text is kept for validation and as much for the test. Give a longer text."
            )
        return config, ()

    def drawn(self, config: TrainConfig, step: int) -> tuple[Examples, float]:
        count, part = config.batch_size, self._parts["training"]
        drawn = windows(part, self.blank, config.seed, step, count, self.length, "middle")
        return _examples(drawn), (step + 1) * count / len(part)

    def held_out(self, part: Part) -> Examples:
        return self._held_out[part]

    @cached_property
    def _held_out(self) -> dict[Part, Examples]:
        parts: tuple[Part, ...] = ("validation", "test")
        return {
            part: _examples(validation_windows(self._parts[part], self.blank, HELD_OUT, self.length, "middle"))
            for part in parts
        }

    @property
    def _parts(self) -> dict[str, NDArray[Any]]:
        training, kept = corpora.split(needed(self.encoded, self.text), KEPT)
        half = len(kept) // 2
        return {"training": training, "validation": kept[:half], "test": kept[half:]}

    def shown(self, examples: Examples, row: int) -> str:
        return "".join((*self.vocabulary.characters, BLANK)[index] for index in examples.inputs[row])

    def baselines(self) -> dict[str, float]:
        """How often the commonest character of the training part is right."""
        commonest = np.bincount(self._parts["training"]).argmax()
        return {"always the commonest character": float((self.held_out("test").targets == commonest).mean())}

    def to_json(self) -> dict[str, Any]:
        return {"task": self.config.to_json(), "vocabulary": self.vocabulary.to_json(), "text": self.text}


def _examples(drawn: Windows) -> Examples:
    return Examples(drawn.inputs, drawn.targets)

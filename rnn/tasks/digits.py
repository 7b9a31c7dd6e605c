"""Three ways to read a handwritten digit: at once and named, at once and spelled, row by row and named.

Every other step shows the images shifted and noisy, for 1,200 of them are soon known by heart; the steps between show
them as the test part has them.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import nn

from rnn.catalogue import PIXELS, check
from rnn.config import ModelConfig, TaskConfig, TrainConfig
from rnn.data import digits
from rnn.data.digits import LETTERS, NAMES, SIDE, Digits
from rnn.data.sequences import Symbols
from rnn.networks import ImageDecoder, PlainClassifier, SequenceClassifier
from rnn.tasks.examples import Classification, Examples, ExamplesTask, Part, Writing


class _Images(ExamplesTask):
    """Examples from the images, which each task puts into its own form."""

    @abstractmethod
    def examples(self, chosen: Digits) -> Examples:
        """These images and their answers."""

    def drawn(self, config: TrainConfig, step: int) -> tuple[Examples, float]:
        chosen = digits.batch(config.seed, step, config.batch_size, augment=step % 2 == 0)
        return self.examples(chosen), (step + 1) * config.batch_size / digits.TRAIN

    def held_out(self, part: Part) -> Examples:
        return self.examples(digits.part(part))

    def shown(self, examples: Examples, row: int) -> NDArray[np.float32]:
        image: NDArray[np.float32] = examples.inputs[row].reshape(SIDE, SIDE)
        return image


@dataclass(frozen=True)
class Digit(_Images, Classification):
    """One to one: all 64 pixels in, a digit out."""

    config: TaskConfig
    classes: ClassVar[tuple[str, ...]] = tuple(map(str, range(len(NAMES))))
    reads_sequence: ClassVar[bool] = False

    def model(self, config: ModelConfig, seed: int) -> nn.Module:
        check(self.config, config)
        return PlainClassifier(config, PIXELS, len(NAMES), seed)

    def examples(self, chosen: Digits) -> Examples:
        return Examples(chosen.images.reshape(-1, PIXELS), chosen.labels)


@dataclass(frozen=True)
class DigitRows(_Images, Classification):
    """Many to one: eight rows of eight pixels in, one after the other, a digit out."""

    config: TaskConfig
    classes: ClassVar[tuple[str, ...]] = Digit.classes

    def model(self, config: ModelConfig, seed: int) -> nn.Module:
        check(self.config, config)
        return SequenceClassifier(config, SIDE, len(NAMES), seed)

    def examples(self, chosen: Digits) -> Examples:
        return Examples(chosen.images, chosen.labels)


@dataclass(frozen=True)
class DigitName(_Images, Writing):
    """One to many: all 64 pixels in, the letters of the digit's name out."""

    config: TaskConfig
    symbols: ClassVar[Symbols] = LETTERS
    reads_sequence: ClassVar[bool] = False

    def model(self, config: ModelConfig, seed: int) -> nn.Module:
        check(self.config, config)
        return ImageDecoder(config, PIXELS, len(self.symbols), seed)

    def examples(self, chosen: Digits) -> Examples:
        names, lengths = digits.spelled(chosen.labels)
        return Examples(chosen.images.reshape(-1, PIXELS), names, target_lengths=lengths)

"""Videos of handwritten digits: a label for every frame, or a caption after the last one.

Every other step shows the images shifted and noisy, for 1,200 of them are soon known by heart; the steps between show
them as the test part has them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import nn

from rnn.catalogue import PIXELS, check
from rnn.config import ModelConfig, TaskConfig, TrainConfig
from rnn.data import digits, frames
from rnn.data.digits import NAMES, SIDE
from rnn.data.frames import CaptionedVideos, Videos
from rnn.data.sequences import Symbols
from rnn.networks import EncoderDecoder, SequenceClassifier
from rnn.tasks.digits import Digit
from rnn.tasks.examples import Classification, Examples, Part, Writing

LENGTH = 8  # frames, where none are asked for
HELD_OUT = 500  # videos of the validation part, and of the test part
SEEDS = {"validation": 1, "test": 2}


@dataclass(frozen=True)
class Frames(Classification):
    """Many to many, in step: at every frame the largest digit so far, or the last digit of the sum so far."""

    config: TaskConfig
    classes: ClassVar[tuple[str, ...]] = Digit.classes

    @property
    def length(self) -> int:
        """Frames of a video."""
        return self.config.length or LENGTH

    def model(self, config: ModelConfig, seed: int) -> nn.Module:
        check(self.config, config)
        return SequenceClassifier(config, PIXELS, len(NAMES), seed, each_step=True)

    def drawn(self, config: TrainConfig, step: int) -> tuple[Examples, float]:
        videos = frames.videos("train", config.seed, step, config.batch_size, self.length, augment=step % 2 == 0)
        return self.examples(videos), (step + 1) * config.batch_size * self.length / digits.TRAIN

    def held_out(self, part: Part) -> Examples:
        return self.examples(_held_out(part, self.length))

    def examples(self, videos: Videos) -> Examples:
        """These videos and their labels."""
        label = frames.running_sum_mod10 if self.config.variant == "sum" else frames.running_max
        return Examples(_flat(videos.images), label(videos.digits))

    def shown(self, examples: Examples, row: int) -> NDArray[np.float32]:
        return _frames(examples.inputs[row])

    def baselines(self) -> dict[str, float]:
        question: frames.Question = "sum" if self.config.variant == "sum" else "maximum"
        return {"the frame alone, without memory": float(frames.memoryless(question, self.length).accuracy.mean())}


@dataclass(frozen=True)
class Caption(Writing):
    """Many to many, delayed: all frames in, then the names of their digits out, word by word."""

    config: TaskConfig
    symbols: ClassVar[Symbols] = frames.WORDS
    between: ClassVar[str] = " "

    def model(self, config: ModelConfig, seed: int) -> nn.Module:
        check(self.config, config)
        decoder = self.config.decoder(config)
        backwards = self.config.reverse_input
        return EncoderDecoder(config, decoder, PIXELS, len(self.symbols), seed, "vectors", backwards)

    def drawn(self, config: TrainConfig, step: int) -> tuple[Examples, float]:
        videos = frames.captioned("train", config.seed, step, config.batch_size, augment=step % 2 == 0)
        mean = (frames.SHORTEST + frames.LONGEST) / 2
        return self.examples(videos), (step + 1) * config.batch_size * mean / digits.TRAIN

    def held_out(self, part: Part) -> Examples:
        return self.examples(_captioned(part))

    def examples(self, videos: CaptionedVideos) -> Examples:
        """These videos and their captions."""
        return Examples(_flat(videos.images), videos.captions.values, videos.lengths, videos.captions.lengths)

    def shown(self, examples: Examples, row: int) -> NDArray[np.float32]:
        assert examples.input_lengths is not None
        return _frames(examples.inputs[row, : examples.input_lengths[row]])


@lru_cache(maxsize=4)
def _held_out(part: Part, length: int) -> Videos:
    return frames.videos(part, SEEDS[part], 0, HELD_OUT, length)


@lru_cache(maxsize=2)
def _captioned(part: Part) -> CaptionedVideos:
    return frames.captioned(part, SEEDS[part], 0, HELD_OUT)


def _flat(images: NDArray[np.float32]) -> NDArray[np.float32]:
    return images.reshape(*images.shape[:2], PIXELS)


def _frames(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    return vectors.reshape(-1, SIDE, SIDE)

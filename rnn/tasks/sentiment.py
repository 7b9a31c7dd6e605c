"""A sentence, word by word: how likely is it to be positive?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from torch import nn

from rnn.catalogue import check
from rnn.config import ModelConfig, TaskConfig, TrainConfig
from rnn.data import sentences
from rnn.data.sentences import Arrays
from rnn.networks import SequenceClassifier
from rnn.tasks.examples import Classification, Examples, Part

UNKNOWN_NOUNS = 0.1  # share of the nouns that are hidden in training, for people bring nouns of their own


@dataclass(frozen=True)
class Sentiment(Classification):
    """Many to one: the words in, positive or negative out."""

    config: TaskConfig
    classes: ClassVar[tuple[str, ...]] = ("negative", "positive")

    def model(self, config: ModelConfig, seed: int) -> nn.Module:
        check(self.config, config)
        return SequenceClassifier(config, len(sentences.vocabulary()), len(self.classes), seed, "symbols")

    def drawn(self, config: TrainConfig, step: int) -> tuple[Examples, float]:
        count, everything = config.batch_size, len(sentences.sentences("train"))
        return self.examples(sentences.batch(config.seed, step, count, UNKNOWN_NOUNS)), (step + 1) * count / everything

    def held_out(self, part: Part) -> Examples:
        return self._held_out[part]

    @cached_property
    def _held_out(self) -> dict[Part, Examples]:
        """Every other one of the sentences that are kept from training: half of them are for the test."""
        kept = self.examples(sentences.part_arrays("validation"))
        return {"validation": kept[::2], "test": kept[1::2]}

    def examples(self, chosen: Arrays) -> Examples:
        """These sentences and what they are."""
        return Examples(chosen.indices, chosen.labels, chosen.lengths)

    def shown(self, examples: Examples, row: int) -> str:
        assert examples.input_lengths is not None
        words = sentences.vocabulary()
        return " ".join(words[index] for index in examples.inputs[row, : examples.input_lengths[row]])

    def baselines(self) -> dict[str, float]:
        return {"a bag of words, without their order": sentences.bag_of_words_baseline()}

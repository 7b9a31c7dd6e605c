"""From the English name of a number to the French one, letter by letter."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from torch import nn

from rnn.catalogue import check
from rnn.config import ModelConfig, TaskConfig, TrainConfig
from rnn.data import numbers
from rnn.data.numbers import SYMBOLS, Pairs, Preset
from rnn.data.sequences import Symbols
from rnn.networks import EncoderDecoder
from rnn.tasks.examples import Examples, Part, Writing


@dataclass(frozen=True)
class NumberNames(Writing):
    """Many to many, delayed: the English name in, then the French one out."""

    config: TaskConfig
    symbols: ClassVar[Symbols] = SYMBOLS["fr"]

    @property
    def preset(self) -> Preset:
        """How far the numbers go."""
        return "large" if self.config.variant == "large" else "small"

    def model(self, config: ModelConfig, seed: int) -> nn.Module:
        check(self.config, config)
        sizes = len(SYMBOLS["en"]), len(self.symbols)
        return EncoderDecoder(config, self.config.decoder(config), *sizes, seed, "symbols", self.config.reverse_input)

    def drawn(self, config: TrainConfig, step: int) -> tuple[Examples, float]:
        count = config.batch_size
        chosen = numbers.batch(self.preset, config.seed, step, count)
        return self.examples(numbers.pairs(chosen)), (step + 1) * count / len(numbers.numbers("train", self.preset))

    def held_out(self, part: Part) -> Examples:
        return self._held_out[part]

    @cached_property
    def _held_out(self) -> dict[Part, Examples]:
        """Every other one of the numbers that are kept from training: half of them are for the test."""
        kept = numbers.numbers("validation", self.preset)
        return {
            "validation": self.examples(numbers.pairs(kept[::2])),
            "test": self.examples(numbers.pairs(kept[1::2])),
        }

    def examples(self, names: Pairs) -> Examples:
        """These names in both languages."""
        return Examples(names.source, names.target, names.source_lengths, names.target_lengths)

    def shown(self, examples: Examples, row: int) -> str:
        assert examples.input_lengths is not None
        return "".join(SYMBOLS["en"].decode(examples.inputs[row, : examples.input_lengths[row]].tolist()))

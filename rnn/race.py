"""What a fair race is made of: two to four members that differ in one thing, and how they take turns. No torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rnn.config import CELLS, OPTIMIZER_NAMES, USUAL_RATES, ModelConfig, TrainConfig, shown
from rnn.errors import ConfigError

FEWEST, MOST = 2, 4  # members

# By what the members keep level while they race.
MODES = {"steps": "equal steps", "seconds": "equal seconds of computing"}


@dataclass(frozen=True)
class Member:
    """One model in a race, and how it is trained."""

    label: str
    model: ModelConfig
    train: TrainConfig


def cells(model: ModelConfig, train: TrainConfig, vocabulary_size: int) -> list[Member]:
    """RNN, GRU and LSTM with as many parameters as `model` has, or as near as a whole hidden size comes.

    Raises:
        ConfigError: some cell cannot have so many parameters.
    """
    parameters = model.parameter_count(vocabulary_size)
    sized = (
        model if cell == model.cell else replace(model, cell=cell).sized_for(parameters, vocabulary_size)
        for cell in CELLS
    )
    return [Member(own.cell.upper(), own, train) for own in sized]


def optimizers(model: ModelConfig, train: TrainConfig) -> list[Member]:
    """The same model under four update rules, each at its usual rate (`USUAL_RATES`); all else is that of `train`."""
    last = "adam" if train.optimizer == "adam" else "adamw"
    return [
        Member(OPTIMIZER_NAMES[rule], model, replace(train, optimizer=rule, learning_rate=USUAL_RATES[rule]))
        for rule in ("sgd", "rmsprop", "adagrad", last)
    ]


def settings(first: Member, second: Member) -> list[Member]:
    """Any two settings. Both are judged on the same characters: on those that the first one keeps for validation.

    Raises:
        ConfigError: they do not differ.
    """
    judged = ("validation_fraction", "evaluation_chars", "max_vocabulary")
    second = replace(second, train=replace(second.train, **{name: getattr(first.train, name) for name in judged}))
    if (first.model, first.train) == (second.model, second.train):
        raise ConfigError("Both sides have the same settings, so neither could win. Change a setting of one.")
    if first.label == second.label:
        second = replace(second, label=f"{second.label} (2)")
    return [first, second]


def check(members: Sequence[Member], mode: str) -> None:
    """Raises ConfigError where these members cannot race, or not in this way."""
    if mode not in MODES:
        raise ConfigError(f"A race alternates by {' or '.join(MODES)}, not by {shown(mode)}.")
    if not FEWEST <= len(members) <= MOST:
        raise ConfigError(f"A race has {FEWEST} to {MOST} members, not {len(members)}.")
    if len({member.label for member in members}) < len(members):
        raise ConfigError("Two members of the race have the same name. Give each its own.")


def spread(members: Sequence[Member], vocabulary_size: int) -> float:
    """By what share the largest member has more parameters than the smallest: 0.004 is 0.4 %."""
    counts = [member.model.parameter_count(vocabulary_size) for member in members]
    return max(counts) / min(counts) - 1

"""A run that broke names what most likely broke it, from the facts, and what a recovery will do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rnn.config import OPTIMIZERS, ModelConfig, TrainConfig
from rnn.divergence import Divergence, gradient_growth, likely_cause, recovery
from rnn.records import StepMetrics

MODEL = ModelConfig(cell="lstm")
RELU = ModelConfig(cell="rnn", nonlinearity="relu")
TRAIN = TrainConfig(learning_rate=2e-3)
FREE = replace(TRAIN, clip="off")


def steps(*norms: float) -> list[StepMetrics]:
    return [StepMetrics(n, n / 10, 2.0, norm, 1e-3, 1.0, 1.0, 1) for n, norm in enumerate(norms, start=1)]


CALM, GROWN = steps(*[0.5] * 60), steps(*[0.5] * 59, 400.0)


@pytest.mark.parametrize(
    ("words", "facts"),
    [
        ("learning rate 0.2 is far above what adamw", {"rate": 0.2}),
        ("far above", {"rate": 0.2, "model": RELU, "train": FREE, "metrics": GROWN}),  # of several, the strongest
        ("relu network's states have no upper limit", {"model": RELU, "train": FREE}),
        ("not clipped and had grown to 800 times", {"train": FREE, "metrics": GROWN}),
        ("the gradient was not clipped", {"train": FREE, "reason": "gradient"}),
        ("without a warm-up", {"train": replace(TRAIN, warmup_steps=0), "metrics": CALM[:5]}),
        ("without a warm-up", {"train": replace(TRAIN, warmup_steps=0), "metrics": []}),
        ("bfloat16", {"precision": "bfloat16"}),
        ("the gradient exploded before the loss did", {"metrics": GROWN}),
        ("the gradient exploded before the loss did", {"reason": "gradient"}),
        ("the gradient kept its size", {}),
        ("the gradient kept its size", {"train": FREE}),
        ("the gradient kept its size", {"train": replace(TRAIN, warmup_steps=0)}),
        ("the gradient kept its size", {"model": RELU}),
    ],
)  # fmt: skip
def test_the_cause_follows_from_the_facts(words: str, facts: dict[str, Any]) -> None:
    calm = {"reason": "exploded", "rate": 2e-3, "metrics": CALM, "model": MODEL, "train": TRAIN}
    assert words in likely_cause(**calm | facts)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_has_a_rate_that_is_too_high(optimizer: str) -> None:
    train = replace(TRAIN, optimizer=optimizer)
    for rate, is_high in ((1e-3, False), (50.0, True)):
        assert ("far above" in likely_cause("loss", rate, CALM, MODEL, train)) == is_high


def test_momentum_lowers_the_rate_that_sgd_usually_takes() -> None:
    for beta1, is_high in ((0.0, False), (0.9, True)):
        train = replace(TRAIN, optimizer="sgd", beta1=beta1)
        assert ("far above" in likely_cause("loss", 10.0, CALM, MODEL, train)) == is_high


def test_growth_is_measured_against_the_steps_before_the_last_ones() -> None:
    assert gradient_growth([]) == 1.0
    assert gradient_growth(steps(0.0, 1.0)) == 1.0
    assert gradient_growth(steps(2.0)) == 1.0
    assert gradient_growth(steps(2.0, 6.0)) == 3.0
    assert gradient_growth(steps(*[1.0, 1.0, 9.0] * 5, *[2.0] * 9, 8.0)) == 8.0


def test_a_recovery_limits_the_norm_at_one_or_lower() -> None:
    assert recovery(replace(TRAIN, clip="off", clip_norm=0.5)) == 1.0
    assert recovery(replace(TRAIN, clip="value", clip_norm=5.0)) == 1.0
    assert recovery(replace(TRAIN, clip="norm", clip_norm=5.0)) == 1.0
    assert recovery(replace(TRAIN, clip="norm", clip_norm=0.25)) == 0.25


@pytest.mark.parametrize("reason", ["loss", "gradient", "exploded"])
def test_the_sentence_says_where_why_and_what_recover_does(reason: str) -> None:
    divergence = Divergence(60, reason, 0.3, 50, "it was the weather", 1.0)
    said = divergence.sentence()
    for words in ("at step 60", "learning rate 0.3", "Likely cause: it was the weather.", "back at step 50",
                  "Recover goes on", "a third of the learning rate", "clipping by norm at 1."):  # fmt: skip
        assert words in said
    assert divergence.sentence(can_recover=False) == said.replace("Recover goes on from there", "Train anew")

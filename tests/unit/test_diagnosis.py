"""A run is judged by what its curve shows; the advice fits the settings that it has."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn import diagnosis
from rnn.config import CELLS, OPTIMIZERS, USUAL_RATES, ModelConfig, TrainConfig
from rnn.diagnosis import OUT_OF_PROPORTION, RULES, Run, capacity_advice, diagnose, growth, rate_advice, regularisation
from rnn.records import Baselines, StepMetrics

LINES = Baselines(uniform=4.2, unigram=3.3, bigram=2.5, trigram=2.0, is_held_out=True)
KINDS = {"starting", "learning", "plateau", "overfitting", "underfitting", "unstable", "fine"}
MODEL = ModelConfig("gru", hidden_size=64)
TRAIN = TrainConfig(steps=200)
V, CHARACTERS = 65, 100_000

Loss = Callable[[int], float]


def curve(
    steps: int, loss: Loss, validation: Loss | None = None, every: int = 20, stride: int = 1, noise: float = 0.01
) -> list[StepMetrics]:
    """The losses at each `stride`th step, the training ones with noise, as the store would give them."""
    rng = random.Random(0)
    return [
        StepMetrics(
            step, step / 100, loss(step) + noise * rng.gauss(0, 1), 1.0, 4e-4, 1e5, step / 10, 100 * step,
            validation(step) if validation and step % every == 0 else None,
        )
        for step in range(stride, steps + 1, stride)
    ]  # fmt: skip


def run_of(metrics: Sequence[StepMetrics], **more: Any) -> Run:
    return Run(**{
        "metrics": metrics, "model": MODEL, "train": TRAIN, "vocabulary_size": V, "characters": CHARACTERS,
        "baselines": LINES, **more,
    })  # fmt: skip


def judged(metrics: Sequence[StepMetrics], **more: Any) -> diagnosis.Diagnosis:
    run = run_of(metrics, **more)
    return diagnose(**{name: getattr(run, name) for name in Run.__dataclass_fields__})


def falling(step: int) -> float:
    return 1.4 + 2.8 * math.exp(-step / 60)


# Each rule alone


def test_a_run_without_steps_or_within_its_warm_up_is_starting() -> None:
    assert diagnosis.starting(run_of([])).kind == "starting"  # type: ignore[union-attr]
    few = run_of(curve(5, falling), train=replace(TRAIN, warmup_steps=0))
    assert "5 steps" in diagnosis.starting(few).sentence  # type: ignore[union-attr]
    warming = diagnosis.starting(run_of(curve(50, falling)))
    assert warming is not None
    assert "rises until step 50" in warming.sentence
    assert warming.advice == "Wait until step 51."
    assert diagnosis.starting(run_of(curve(51, falling))) is None


def test_a_run_that_ended_too_soon_to_judge_is_told_to_be_longer() -> None:
    short = replace(TRAIN, steps=5, warmup_steps=0)
    assert judged(curve(5, falling), train=short, is_active=False).advice == "Train again with 500 steps."
    slow = replace(TRAIN, steps=100, warmup_steps=1000)
    assert judged(curve(100, falling), train=slow, is_active=False).advice == "Train again with warmup_steps 10."
    assert judged(curve(5, falling), is_active=False).advice == "Resume it."


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_no_number_is_unstable_however_early(bad: float) -> None:
    metrics = curve(3, falling)
    assert judged([*metrics, replace(metrics[-1], step=4, loss=bad)]).kind == "unstable"


def test_a_run_that_was_put_back_says_so_until_it_goes_on() -> None:
    found = judged(curve(25, falling), has_diverged=True, is_active=False)
    assert found.kind == "unstable"
    assert "back at step 25" in found.sentence
    assert found.advice.startswith("Press Recover. Or: Start a new run with")
    assert judged(curve(25, falling), has_diverged=True).kind == "starting"


@pytest.mark.parametrize("noise", [0.01, 0.3])
def test_a_loss_that_climbs_far_above_its_lowest_is_unstable(noise: float) -> None:
    climbing = curve(120, lambda step: falling(step) + max(0, step - 100) * 0.2, noise=noise)
    found = judged(climbing, train=replace(TRAIN, learning_rate=0.03, clip="off"))
    assert found.kind == "unstable"
    assert found.advice == "Start a new run with a learning rate of 0.01 and the gradient's norm clipped at 1."


def test_noise_alone_is_not_unstable() -> None:
    for level in (0.1, 0.5, 1.0, 2.0):
        assert diagnosis.unstable(run_of(curve(500, falling, noise=level))) is None


def test_noise_that_lasts_over_many_steps_is_not_unstable() -> None:
    wave = curve(500, lambda step: falling(step) + 0.8 * math.sin(step / 7), noise=0.3)
    assert diagnosis.unstable(run_of(wave)) is None


def test_a_loss_far_above_guessing_is_unstable_from_the_start() -> None:
    found = judged(curve(100, lambda step: 9.0))
    assert found.kind == "unstable"
    assert "worse than guessing (ln V 4.20)" in found.sentence
    assert diagnosis.worse_than_guessing(run_of(curve(100, lambda step: 9.0), baselines=None)) is None


def test_validation_that_rises_while_training_falls_is_overfitting() -> None:
    rising = curve(200, falling, lambda step: 2.0 + abs(step - 100) / 1000)
    found = judged(rising)
    assert found.kind == "overfitting"
    assert found.sentence.startswith(
        "Validation loss rose by 0.10 nats over the last 100 steps while training loss fell"
    )
    assert "(2.00)" in found.advice


@pytest.mark.parametrize(
    "validation",
    [
        lambda step: 2.0 + (0.1 if step == 180 else 0.0),  # back again
        lambda step: 2.0 + (0.1 if step == 200 else 0.0),  # one measurement is none
        lambda step: 2.0 + abs(step - 100) / 10_000,  # within its noise
        lambda step: falling(step) + 0.1,
        None,
    ],
)  # fmt: skip
def test_validation_that_only_trembles_is_not_overfitting(validation: Loss | None) -> None:
    assert diagnosis.overfitting(run_of(curve(200, falling, validation))) is None


def test_validation_and_training_that_rise_together_are_not_overfitting() -> None:
    both = curve(200, lambda step: 2.0 + abs(step - 100) / 500, lambda step: 2.0 + abs(step - 100) / 500)
    assert diagnosis.overfitting(run_of(both)) is None


def test_training_that_falls_away_from_a_standing_validation_is_overfitting() -> None:
    apart = run_of(curve(200, lambda step: 2.0 - step / 400, lambda step: 2.2))
    assert diagnosis.drifting_apart(apart).kind == "overfitting"  # type: ignore[union-attr]
    close = run_of(curve(200, lambda step: 2.0 - step / 400, lambda step: 1.6))
    assert diagnosis.drifting_apart(close) is None


def test_a_falling_loss_is_learning_and_says_how_far_it_has_come() -> None:
    found = judged(curve(100, falling, lambda step: falling(step) + 0.1))
    assert found.kind == "learning"
    assert "below bigram (2.50)" in found.sentence
    assert found.advice == "Let it run: 100 steps left."
    assert judged(curve(100, falling), is_active=False).advice == "Resume it: 100 steps left."


def test_a_run_beyond_its_horizon_hears_of_its_final_rate() -> None:
    train = replace(TRAIN, steps=80)
    assert judged(curve(150, falling), train=train).advice.startswith(
        "Beyond its 80 steps the learning rate stays at 0.0004"
    )
    flat = judged(curve(150, lambda step: 1.5), train=train)
    assert flat.kind == "plateau"
    assert flat.advice.endswith("start a new run with 300 steps.")


def test_a_run_that_ends_while_it_falls_needs_more_steps() -> None:
    ended = judged(curve(200, lambda step: 4.0 - step / 100), is_active=False)
    assert ended.kind == "underfitting"
    assert ended.advice.startswith("Train again with 400 steps")


def test_a_flat_loss_at_the_unigrams_is_a_plateau_whose_advice_is_about_the_rate() -> None:
    flat = curve(100, lambda step: 3.3)
    high = judged(flat, train=replace(TRAIN, learning_rate=0.5))
    assert high.kind == "plateau"
    assert "knows little more than how frequent each character is (unigram 3.30)" in high.sentence
    assert high.advice.startswith("Lower the learning rate from 0.5 to 0.008")
    above = judged(curve(100, lambda step: 4.1), train=replace(TRAIN, learning_rate=1e-6))
    assert "does not even know" in above.sentence
    assert above.advice.startswith("Raise the learning rate from 1e-06 to 0.008")


def test_a_text_whose_pairs_say_nothing_is_not_called_stuck_below_its_unigrams() -> None:
    brackets = Baselines(2.48, 0.97, 0.95, 0.94, True)
    assert diagnosis.stuck(run_of(curve(100, lambda step: 0.93), baselines=brackets)) is None
    assert diagnosis.stuck(run_of(curve(100, lambda step: 0.98), baselines=brackets)) is not None


def test_a_flat_loss_below_the_baselines_is_a_plateau_while_steps_are_left() -> None:
    flat = curve(100, lambda step: 1.5, lambda step: 1.6)
    assert judged(flat).advice.startswith("Let it run: the learning rate falls until step 200")
    constant = judged(flat, train=replace(TRAIN, decay="none", learning_rate=0.009))
    assert constant.advice == "Start a run with linear decay, or a learning rate of 0.003."


def test_batches_too_small_to_see_a_fall_are_told_to_grow() -> None:
    train = replace(TRAIN, batch_size=2)
    found = judged(curve(100, lambda step: 2.2, noise=0.8), train=train)
    assert found.kind == "plateau"
    assert found.advice.endswith("train with a batch size of 8.")
    assert not diagnosis.noise_advice(run_of(curve(200, falling)))


def test_a_run_that_ends_above_what_counting_reaches_is_underfitting() -> None:
    ended = judged(curve(200, lambda step: 2.2), is_active=False)
    assert ended.kind == "underfitting"
    assert "above trigram (2.00)" in ended.sentence


def test_a_run_that_ends_flat_below_the_baselines_is_fine() -> None:
    done = judged(curve(200, lambda step: 1.5, lambda step: 1.6), is_active=False)
    assert done.kind == "fine"
    assert "validation loss is 1.60 nats, below trigram (2.00)" in done.sentence
    assert done.advice.startswith("Sample from it.")


def test_a_run_without_validation_is_judged_by_its_training_loss_and_told_what_it_cannot_know() -> None:
    done = judged(curve(200, lambda step: 0.3), is_active=False, train=replace(TRAIN, validation_fraction=0.0))
    assert done.kind == "fine"
    assert "training loss is 0.30" in done.sentence
    assert done.advice.startswith("Keep 10 % of the text for validation")
    short = judged(curve(200, lambda step: 0.3), is_active=False, characters=180)
    assert short.advice.startswith("Take a longer text")


def test_a_curve_in_bins_is_judged_as_its_steps_are() -> None:
    shapes: list[tuple[Loss, Loss | None]] = [
        (falling, lambda step: 2.0 + abs(step - 100) / 1000), (lambda step: 1.5, lambda step: 1.6),
        (lambda step: falling(step) + max(0, step - 160) * 0.1, None),
    ]  # fmt: skip
    for loss, validation in shapes:
        assert judged(curve(200, loss, validation)).kind == judged(curve(200, loss, validation, stride=4)).kind


def test_a_long_curve_is_judged_over_its_last_quarter() -> None:
    fall = diagnosis.training_change(run_of(curve(400, lambda step: 4 - step / 200, noise=0)))
    assert fall.steps == 100
    assert fall.by == pytest.approx(-0.5)


def test_only_a_fall_beyond_the_noise_is_one() -> None:
    assert diagnosis.Change("training loss", -0.05, 0.01, 10).is_fall
    assert not diagnosis.Change("training loss", -0.05, 0.03, 10).is_fall
    assert not diagnosis.Change("training loss", -0.005, 0.0, 10).is_fall
    assert not diagnosis.Change("training loss", 0.05, 0.0, 10).is_fall


# All together


@given(
    st.lists(st.tuples(st.floats(0, 50), st.none() | st.floats(0, 50)), max_size=40),
    st.booleans(),
    st.booleans(),
    st.sampled_from([None, LINES, Baselines(0.0, 0.0, 0.0, 0.0, False), Baselines(1.4, 1.8, 2.1, 2.1, False)]),
    st.integers(1, 10**9),
    st.builds(
        TrainConfig, steps=st.integers(1, 60), warmup_steps=st.integers(0, 20), optimizer=st.sampled_from(OPTIMIZERS),
        batch_size=st.integers(1, 1024), validation_fraction=st.sampled_from([0.0, 0.1]),
    ),
    st.builds(ModelConfig, cell=st.sampled_from(CELLS), hidden_size=st.integers(1, 2048), num_layers=st.integers(1, 4)),
)  # fmt: skip
def test_every_run_gets_one_judgement_in_plain_sentences(
    losses: list[tuple[float, float | None]], is_active: bool, has_diverged: bool, baselines: Baselines | None,
    characters: int, train: TrainConfig, model: ModelConfig,
) -> None:  # fmt: skip
    metrics = [StepMetrics(i + 1, i / 7, a, 1.0, 1e-3, 1.0, 1.0, 1, b) for i, (a, b) in enumerate(losses)]
    found = diagnose(metrics, model, train, V, characters, baselines, is_active, 512, has_diverged)
    assert found.kind in KINDS
    for text in (found.sentence, found.advice):
        assert text.endswith(".")
        assert len(text) < 260
        assert "\n" not in text
        assert "nan" not in text.lower().split()


def test_every_rule_passes_on_a_run_that_is_fine() -> None:
    done = run_of(curve(200, lambda step: 1.5, lambda step: 1.6), is_active=False)
    assert [rule(done) for rule in RULES] == [None] * len(RULES)


# Advice


def test_advice_against_learning_by_heart_follows_the_settings() -> None:
    run = run_of([], characters=1_000_000, train=replace(TRAIN, weight_decay=0.01))
    assert "longer text" in regularisation(replace(run, characters=3_000))
    assert "hidden size" in regularisation(replace(run, characters=30_000, model=ModelConfig(hidden_size=512)))
    assert regularisation(replace(run, model=replace(MODEL, num_layers=2))) == "dropout 0.2 between the 2 layers."
    assert regularisation(replace(run, model=replace(MODEL, num_layers=1))) == "weight_decay 0.15 in place of 0.01."
    assert "hidden size of 32" in regularisation(replace(run, train=replace(TRAIN, optimizer="sgd")))


def test_advice_for_a_lower_loss_follows_the_settings() -> None:
    read = curve(200, falling)
    assert "has read 50% of the text" in growth(run_of(curve(50, falling)))
    assert growth(run_of(read, train=replace(TRAIN, bptt_steps=4))).startswith("Train with bptt_steps 48")
    small = run_of(read, model=replace(MODEL, hidden_size=8), characters=10_000_000)
    assert growth(replace(small, largest=512)) == "Train with a hidden size of 512."
    assert growth(run_of(read)) == "Train with a hidden size of 128."
    assert growth(run_of(read, model=replace(MODEL, hidden_size=512), largest=512)) == "Train with 400 steps."


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_usual_rate_is_not_called_high_or_low(optimizer: str) -> None:
    usual = replace(TRAIN, optimizer=optimizer, learning_rate=USUAL_RATES[optimizer])
    assert rate_advice(usual).startswith("Lower the learning rate from")
    assert "clipped at 1" in rate_advice(replace(usual, clip="off"))
    assert "saturate" in rate_advice(replace(usual, learning_rate=10 * usual.learning_rate))
    assert "Raise" in rate_advice(replace(usual, learning_rate=usual.learning_rate / 100))


@pytest.mark.parametrize("factor", [0.11, 1, 9.9])
def test_parameters_in_proportion_need_no_warning(factor: float) -> None:
    parameters = MODEL.parameter_count(V)
    assert capacity_advice(parameters, round(factor * parameters), MODEL, V) == ""


@given(
    st.sampled_from(CELLS), st.integers(1, 512), st.integers(1, 3), st.sampled_from([0, 32]), st.integers(2, 10**9),
    st.sampled_from([2, 65, 4000]),
)  # fmt: skip
def test_a_size_that_is_suggested_is_in_proportion_and_within_the_cap(
    cell: str, hidden_size: int, num_layers: int, embedding_size: int, characters: int, vocabulary_size: int
) -> None:
    model = ModelConfig(cell, hidden_size=hidden_size, num_layers=num_layers, embedding_size=embedding_size)
    parameters = model.parameter_count(vocabulary_size)
    said = capacity_advice(parameters, characters, model, vocabulary_size, largest=512)
    is_out = not 1 / OUT_OF_PROPORTION <= parameters / characters <= OUT_OF_PROPORTION
    assert bool(said) == is_out
    if "A hidden size of" in said:
        size = int(said.split("A hidden size of ")[1].split()[0].replace(",", ""))
        count = replace(model, hidden_size=size).parameter_count(vocabulary_size)
        assert size <= 512
        assert f"has {count:,}." in said
        assert (size < hidden_size) == (parameters > characters)
        assert size == 512 or 1 / OUT_OF_PROPORTION <= count / characters <= OUT_OF_PROPORTION


def test_a_text_too_short_for_any_model_is_told_to_be_longer() -> None:
    assert capacity_advice(MODEL.parameter_count(V), 5, MODEL, V).endswith("Take a longer text.")


def test_a_model_at_its_cap_is_told_to_grow_another_way() -> None:
    model = ModelConfig("rnn", hidden_size=512)
    assert capacity_advice(model.parameter_count(V), 10**9, model, V, largest=512).endswith("Add a layer.")

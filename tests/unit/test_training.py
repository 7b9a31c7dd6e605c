"""Training: the arithmetic against a plain loop written here, then schedules, stops, evaluation and divergence."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import rnn
from rnn.checkpoints import load_checkpoint, save_checkpoint, to_bytes
from rnn.config import CELLS, CLIPS, DECAYS, OPTIMIZERS, TRUNCATIONS, ModelConfig, TrainConfig
from rnn.errors import ConfigError, TextError, TrainingError
from rnn.optimizers import Optimizer
from rnn.tasks import Evaluation
from rnn.training import EXPLODED, KEEPSAKE_EVERY, TrainState, advance, scheduled_rate, train

NewState = Callable[..., TrainState]
RAW_SGD = {"optimizer": "sgd", "beta1": 0.0, "clip": "off", "warmup_steps": 0, "decay": "none"}
SHORT = "abcab cabba ccabc abacb "  # 24 characters


def weights(state: TrainState) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in state.model.state_dict().items()}


def same_weights(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return all(torch.equal(a[name], b[name]) for name in a)


def losses(state: TrainState) -> list[float]:
    return [m.loss for m in state.history]


def encode(text: str) -> list[int]:
    return [sorted(set(text)).index(c) for c in text]


# The arithmetic, against torch.nn modules, autograd and the optimizers' formulas


class PlainNetwork(nn.Module):
    """One-hot characters -> torch.nn's layers -> linear."""

    def __init__(self, state: TrainState) -> None:
        super().__init__()
        c, self.V = state.config, len(state.vocabulary)
        kind: Any = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[c.cell]
        self.recurrent = kind(self.V, c.hidden_size, c.num_layers)
        self.head = nn.Linear(c.hidden_size, self.V)
        self.double().load_state_dict(state.model.state_dict())

    def forward(self, indices: Tensor, hidden: Any) -> tuple[Tensor, Any]:
        outputs, hidden = self.recurrent(torch.eye(self.V, dtype=torch.float64)[indices], hidden)
        return self.head(outputs), hidden


def plain_chunks(text: str, config: TrainConfig) -> Iterator[tuple[Tensor, Tensor, bool]]:
    """(inputs, targets, whether a new pass begins), time first, for ever."""
    data = encode(text)
    data = data[: len(data) - round(len(data) * config.validation_fraction)]
    n = (len(data) - 1) // config.batch_size
    T = n if config.truncation == "full" else config.bptt_steps
    while True:
        for start in range(0, n, T):
            stop = min(start + T, n)
            places = [range(b * n + start, b * n + stop) for b in range(config.batch_size)]
            inputs = torch.tensor([[data[i] for i in place] for place in places]).T
            targets = torch.tensor([[data[i + 1] for i in place] for place in places]).T
            yield inputs, targets, start == 0


class PlainOptimizer:
    """The formulas of the optimizers, one parameter at a time."""

    def __init__(self, config: TrainConfig) -> None:
        self.config, self.memory = config, {}  # type: tuple[TrainConfig, dict[str, Any]]

    def step(self, name: str, p: Tensor, g: Tensor, rate: float, t: int) -> None:
        c, (m, v) = self.config, self.memory.get(name, (torch.zeros_like(p), torch.zeros_like(p)))
        if c.optimizer in ("adam", "adamw"):
            if c.optimizer == "adamw" and p.ndim > 1:
                p *= 1 - rate * c.weight_decay
            m, v = c.beta1 * m + (1 - c.beta1) * g, c.beta2 * v + (1 - c.beta2) * g**2
            p -= rate * (m / (1 - c.beta1**t)) / ((v / (1 - c.beta2**t)).sqrt() + 1e-8)
        elif c.optimizer == "rmsprop":
            v = c.beta2 * v + (1 - c.beta2) * g**2
            p -= rate * g / (v.sqrt() + 1e-8)
        elif c.optimizer == "adagrad":
            v = v + g**2
            p -= rate * g / (v.sqrt() + 1e-10)
        else:
            m = c.beta1 * m + g
            p -= rate * m
        self.memory[name] = (m, v)


def plain_clip(gradients: list[Tensor], config: TrainConfig) -> tuple[list[Tensor], float]:
    norm = math.sqrt(sum((g**2).sum().item() for g in gradients))
    if config.clip == "norm":
        return [g * min(1.0, config.clip_norm / (norm + 1e-6)) for g in gradients], norm
    if config.clip == "value":
        return [g.clip(-config.clip_norm, config.clip_norm) for g in gradients], norm
    return gradients, norm


def plain_training(text: str, state: TrainState, steps: int) -> tuple[list[tuple[float, float]], dict[str, Tensor]]:
    """(loss, gradient norm) of each step, and the weights after them."""
    config, network = state.train_config, PlainNetwork(state)
    optimizer, hidden, curve = PlainOptimizer(config), None, []
    chunks = plain_chunks(text, config)
    for step in range(steps):
        inputs, targets, begins = next(chunks)
        if begins or config.truncation == "reset":
            hidden = None
        elif hidden is not None:
            hidden = tuple(s.detach() for s in hidden) if isinstance(hidden, tuple) else hidden.detach()
        logits, hidden = network(inputs, hidden)
        loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
        names, parameters = zip(*network.named_parameters(), strict=True)
        gradients, norm = plain_clip(list(torch.autograd.grad(loss, parameters)), config)
        rate = config.learning_rate * min(1.0, (step + 1) / max(1, config.warmup_steps))
        with torch.no_grad():
            for name, p, g in zip(names, parameters, gradients, strict=True):
                optimizer.step(name, p, g, rate, step + 1)
        curve.append((loss.item(), norm))
    return curve, network.state_dict()


def assert_trains_like_the_plain_loop(state: TrainState, text: str, steps: int = 9) -> None:
    state.model.double()  # rounding would hide small mistakes
    state.optimizer = Optimizer.of(state.model, state.train_config)
    curve, expected = plain_training(text, state, steps)
    found = [(m.loss, m.grad_norm) for m in train(state, stop_at=steps)]
    np.testing.assert_allclose(found, curve, rtol=1e-8)
    for name, tensor in state.model.state_dict().items():
        torch.testing.assert_close(tensor, expected[name], rtol=0, atol=1e-7)


@pytest.mark.parametrize("truncation", TRUNCATIONS)
@pytest.mark.parametrize("cell", CELLS)
def test_each_truncation_is_that_of_a_plain_loop(new_state: NewState, cell: str, truncation: str) -> None:
    """Nine steps are two passes and more; the last chunk of a pass is shorter than the others."""
    text = SHORT * 3
    settings = {"batch_size": 3, "bptt_steps": 7, "decay": "none", "truncation": truncation}
    state = new_state(text, cell=cell, validation_fraction=0, **settings)
    length = (len(text) - 1) // 3
    assert length % 7
    assert_trains_like_the_plain_loop(state, text)
    assert state.history[-1].epoch == pytest.approx(9 if truncation == "full" else 2 + 7 / length)


@pytest.mark.parametrize("clip", CLIPS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_each_optimizer_and_clip_is_its_formula(new_state: NewState, text: str, optimizer: str, clip: str) -> None:
    settings = {"optimizer": optimizer, "clip": clip, "decay": "none", "weight_decay": 0.5, "beta1": 0.8, "beta2": 0.95}
    state = new_state(text, clip_norm=0.3 if clip == "norm" else 0.05, learning_rate=0.02, **settings)
    assert_trains_like_the_plain_loop(state, text)
    assert state.history[0].grad_norm > 0.3, "the limit was reached, and the norm is that before clipping"


def test_full_truncation_differentiates_through_the_whole_stream(new_state: NewState, text: str) -> None:
    state = new_state(text, truncation="full", **RAW_SGD)
    before = PlainNetwork(state)
    next(iter(train(state)))
    inputs, targets, _ = next(plain_chunks(text, state.train_config))
    assert len(inputs) > 200
    loss = F.cross_entropy(before(inputs, None)[0].flatten(0, 1), targets.flatten())
    for p, (name, reference) in zip(state.model.parameters(), before.named_parameters(), strict=True):
        assert p.grad is not None
        (expected,) = torch.autograd.grad(loss, reference, retain_graph=True)
        torch.testing.assert_close(p.grad.double(), expected, rtol=0, atol=1e-5, msg=name)


@pytest.mark.parametrize("cell", CELLS)
def test_carried_state_is_cut_off_from_its_history(new_state: NewState, cell: str) -> None:
    state = new_state(cell=cell)
    for _ in train(state, stop_at=2):
        pass
    assert state.hidden is not None
    assert len(state.hidden) == (2 if cell == "lstm" else 1)
    assert all(s.shape == (2, 3, 5) and not s.requires_grad for s in state.hidden)


def test_reset_carries_nothing(new_state: NewState) -> None:
    state = new_state(truncation="reset")
    next(iter(train(state)))
    assert state.hidden is None


def test_a_full_pass_too_long_for_memory_is_refused(new_state: NewState) -> None:
    with pytest.raises(ConfigError, match="truncation"):
        new_state("ab cd" * 6000, truncation="full", batch_size=2)


# What a run is


@pytest.mark.parametrize("cell", CELLS)
def test_loss_falls(new_state: NewState, cell: str) -> None:
    state = new_state(cell=cell, hidden_size=16, num_layers=1, learning_rate=0.03, steps=80)
    curve = [m.loss for m in train(state)]
    assert np.mean(curve[-10:]) < 0.8 * curve[0]
    assert state.best is not None
    assert state.best.loss < curve[0]


@pytest.mark.parametrize("cell", CELLS)
def test_same_seed_gives_same_curve_and_the_global_generator_is_left_alone(new_state: NewState, cell: str) -> None:
    before = torch.get_rng_state()
    first, same, other = (new_state(cell=cell, dropout=0.4, seed=seed) for seed in (3, 3, 4))
    for state in (first, same, other):
        for _ in train(state, stop_at=12):
            pass
    assert torch.equal(torch.get_rng_state(), before)
    assert losses(first) == losses(same)
    assert losses(first)[0] != losses(other)[0]
    assert same_weights(weights(first), weights(same))


def test_pausing_at_every_step_changes_nothing(new_state: NewState) -> None:
    straight, paused = new_state(dropout=0.4), new_state(dropout=0.4)
    whole = [m.loss for m in train(straight)]
    parts = [m.loss for step in range(1, 41) for m in train(paused, stop_at=step)]
    assert parts == whole
    assert same_weights(weights(paused), weights(straight))


def test_metrics_count_steps_epochs_and_characters(new_state: NewState, text: str) -> None:
    state = new_state(text)
    for metrics in train(state):
        assert metrics is state.history[-1]
    assert [m.step for m in state.history] == list(range(1, 41))
    assert [m.characters for m in state.history] == [12 * step for step in range(1, 41)]
    length = (len(text) - round(0.1 * len(text)) - 1) // 3
    assert [m.epoch for m in state.history] == pytest.approx([4 * step / length for step in range(1, 41)])
    assert all(m.chars_per_second > 0 for m in state.history)
    elapsed = [m.elapsed for m in state.history]
    assert elapsed == sorted(elapsed)
    assert state.loss == pytest.approx(np.mean(losses(state)[-10:]))


def test_every_default_works_on_a_plain_string(text: str) -> None:
    state = TrainState.create(text, ModelConfig(hidden_size=4))
    assert state.train_config.batch_size < TrainConfig().batch_size
    assert any("batch size" in note for note in state.notes)
    assert len(list(rnn.train(state, stop_at=2))) == 2


@pytest.mark.parametrize("text", ["ab", "hello", "ab\n" * 7, "x" * 199 + "y"])
def test_a_very_short_text_trains(new_state: NewState, text: str) -> None:
    state = new_state(text, steps=15)
    assert all(math.isfinite(m.loss) for m in train(state))
    assert state.stop_reason == "steps"


@pytest.mark.parametrize("text", ["", "a", "aaaa"])
def test_a_text_with_nothing_to_learn_is_refused(new_state: NewState, text: str) -> None:
    with pytest.raises(TextError):
        new_state(text)


def test_a_bidirectional_model_is_refused_with_the_reason(new_state: NewState) -> None:
    with pytest.raises(ConfigError, match=r"bidirectional.*predicted"):
        new_state(bidirectional=True)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
def test_cuda_is_refused_where_there_is_none(new_state: NewState) -> None:
    with pytest.raises(ConfigError, match="device"):
        new_state(device="cuda")


def test_bfloat16_trains(new_state: NewState) -> None:
    state = new_state(cell="lstm", hidden_size=16, precision="bfloat16", learning_rate=0.03, steps=60)
    curve = [m.loss for m in train(state)]
    assert curve[-1] < curve[0]
    assert state.resolved.precision == "bfloat16"
    assert state.hidden is not None
    assert torch.equal(state.hidden[0], state.hidden[0].bfloat16())
    assert all(p.dtype == torch.float32 for p in state.model.parameters())


# The learning rate


def reference_rate(config: TrainConfig, step: int) -> float:
    """The rate of optimizer step `step`, counted from 1: a ramp to 1, a fall to the final share, flat after it."""
    if step <= config.warmup_steps:
        return config.learning_rate * step / config.warmup_steps
    fallen = min(1.0, (step - 1 - config.warmup_steps) / (config.steps - config.warmup_steps))
    shape = {"none": 1.0, "linear": 1 - fallen, "cosine": 0.5 + 0.5 * math.cos(math.pi * fallen)}[config.decay]
    share = config.final_rate if config.decay != "none" else 0.0
    return config.learning_rate * (share + (1 - share) * shape)


@pytest.mark.parametrize("warmup_steps", [0, 1, 5])
@pytest.mark.parametrize("decay", DECAYS)
def test_schedule_rises_falls_and_holds(decay: str, warmup_steps: int) -> None:
    config = TrainConfig(decay=decay, warmup_steps=warmup_steps, steps=20, learning_rate=0.4, final_rate=0.25)
    rates = [scheduled_rate(config, step) for step in range(30)]
    assert rates == pytest.approx([reference_rate(config, step + 1) for step in range(30)])
    assert max(rates) == rates[max(0, warmup_steps - 1)] == pytest.approx(0.4)
    assert rates[20:] == [pytest.approx(0.4 if decay == "none" else 0.1)] * 10


@pytest.mark.parametrize("warmup_steps", [20, 50])
def test_a_warm_up_as_long_as_the_run_is_no_error(warmup_steps: int) -> None:
    config = TrainConfig(warmup_steps=warmup_steps, steps=20, learning_rate=0.4)
    assert [scheduled_rate(config, step) for step in range(20)] == pytest.approx(
        [0.4 * (step + 1) / warmup_steps for step in range(20)]
    )


def test_the_scheduled_rate_is_the_one_that_is_used(new_state: NewState, monkeypatch: pytest.MonkeyPatch) -> None:
    state = new_state(decay="cosine", **{k: v for k, v in RAW_SGD.items() if k not in ("decay", "warmup_steps")})
    used, step = list[float](), state.optimizer.step
    monkeypatch.setattr(state.optimizer, "step", lambda rate: (used.append(rate), step(rate)))
    for metrics in train(state):
        assert used[-1] == metrics.learning_rate == scheduled_rate(state.train_config, metrics.step - 1)
    assert len(used) == state.step


def test_multiplier_takes_effect_on_the_next_step_and_is_recorded(new_state: NewState) -> None:
    state, plain = new_state(), new_state()
    for metrics in train(state):
        if metrics.step in (7, 20):
            state.set_rate_multiplier({7: 0.5, 20: 2.0}[metrics.step])
            state.set_rate_multiplier(state.rate_multiplier)  # the same again is no change
    factors = [m.learning_rate / n.learning_rate for m, n in zip(state.history, train(plain), strict=True)]
    assert factors == pytest.approx([1.0] * 7 + [0.5] * 13 + [2.0] * 20)
    assert state.rate_changes == [(7, 0.5), (20, 2.0)]
    assert losses(state)[:8] == losses(plain)[:8]
    assert losses(state)[8] != losses(plain)[8]


@pytest.mark.parametrize("multiplier", [0, -1, math.nan, math.inf, 1e7, "2", None])
def test_an_impossible_multiplier_is_refused(new_state: NewState, multiplier: Any) -> None:
    state = new_state()
    with pytest.raises(ConfigError, match="multiplier"):
        state.set_rate_multiplier(multiplier)
    assert state.rate_changes == []


# Stops


def test_training_stops_at_its_steps_and_may_go_beyond(new_state: NewState) -> None:
    state = new_state(steps=10, validation_fraction=0)
    assert len(list(train(state))) == 10
    assert state.stop_reason == "steps"
    assert list(train(state)) == []
    beyond = [m.learning_rate for m in train(state, stop_at=15)]
    assert beyond == pytest.approx([state.train_config.learning_rate * state.train_config.final_rate] * 5)
    assert [m.step for m in state.history] == list(range(1, 16))


def test_training_stops_after_its_minutes_of_computation(new_state: NewState) -> None:
    state = new_state(minutes=1e-9)
    assert len(list(train(state))) == 1
    assert state.stop_reason == "minutes"


def test_training_stops_at_the_target_validation_loss(new_state: NewState) -> None:
    state = new_state(target_loss=50)
    assert [m.validation_loss is not None for m in train(state)] == [False] * 9 + [True]
    assert state.stop_reason == "target loss"


def test_without_validation_the_training_loss_is_held_against_the_target(new_state: NewState) -> None:
    state = new_state(target_loss=50, validation_fraction=0)
    assert len(list(train(state))) == 1
    assert state.stop_reason == "target loss"


def test_a_target_not_reached_does_not_stop(new_state: NewState) -> None:
    state = new_state(target_loss=0.01)
    assert len(list(train(state))) == 40


def scripted(state: TrainState, script: list[float]) -> TrainState:
    state.task = ScriptedValidation(state.task, iter(script))
    return state


def test_training_stops_when_patience_is_out_and_goes_on_when_asked_to(new_state: NewState) -> None:
    # The best is the second; one that equals it is no new best.
    state = scripted(new_state(patience=3, evaluate_every=2), [3.0, 2.0, 2.5, 2.0, 2.1] + [9.0] * 20)
    assert len(list(train(state))) == 10
    assert state.stop_reason == "patience"
    assert state.best is not None
    assert (state.best.loss, state.best.step) == (2.0, 4)
    assert len(list(train(state))) == 30, "the criterion that stopped it does not stop it again"
    assert state.stop_reason == "steps"


def test_a_stop_that_was_reached_but_not_yet_obeyed_holds_after_a_resume(
    new_state: NewState, text: str, tmp_path: Path
) -> None:
    def again(state: TrainState) -> TrainState:
        save_checkpoint(tmp_path / "run", state)
        return load_checkpoint(tmp_path / "run", text)

    state = scripted(new_state(target_loss=2.0, evaluate_every=2), [3.0, 1.0])
    steps = train(state)
    while next(steps).step < 4:
        pass  # left at the moment between reaching it and ending
    resumed = again(state)
    assert list(train(resumed)) == []
    assert resumed.stop_reason == "target loss"
    assert [m.step for m in train(again(resumed), stop_at=6)] == [5, 6]


@pytest.mark.parametrize("stop", [{"patience": 1}, {"target_loss": 2.0}])
def test_a_stop_found_by_an_interrupted_evaluation_is_obeyed(new_state: NewState, stop: dict[str, Any]) -> None:
    state = scripted(new_state(evaluate_every=2, **stop), [3.0] * 10 if "patience" in stop else [3.0, 2.0])
    steps = advance(state)
    while next(steps) is not None or state.step < 4:
        pass
    steps.close()
    assert [m.step for m in train(state)] == [4]
    assert state.stop_reason == " ".join(stop).replace("_", " ")


@pytest.mark.parametrize("interrupted", [False, True])
def test_a_validation_loss_that_is_not_finite_ends_the_run(new_state: NewState, interrupted: bool) -> None:
    state = scripted(new_state(), [3.0, 2.0, math.nan, math.nan])
    if interrupted:
        steps = advance(state)
        while next(steps) is not None or state.step < 30:
            pass
        steps.close()
        list(train(state))
    else:
        assert [m.step for m in train(state)][-1] == 29
    assert state.divergence is not None
    assert (state.divergence.step, state.step) == (30, 25)
    assert state.best is not None
    assert state.best.loss == 2.0


class ScriptedValidation:
    """A task whose validation losses are given."""

    def __init__(self, task: Any, script: Iterator[float]) -> None:
        self.task, self.script = task, script

    def __getattr__(self, name: str) -> Any:
        return getattr(self.task, name)

    def evaluate(self, *_: Any) -> Iterator[Any]:
        yield Evaluation(1.0, 1, 0.5, {})
        yield Evaluation(next(self.script), 2, 1.0, {})


def test_best_weights_are_those_of_the_best_evaluation(new_state: NewState) -> None:
    state = scripted(new_state(evaluate_every=5), [3.0, 1.0] + [2.0] * 6)
    seen = {m.step: weights(state) for m in train(state)}
    assert state.best is not None
    assert state.best.step == 10
    assert same_weights(state.best.weights, seen[10])
    assert not same_weights(state.best.weights, weights(state))


# Evaluation


def finish(evaluations: Iterator[Any]) -> Any:
    *_, last = evaluations
    return last


def plain_validation_loss(state: TrainState, text: str) -> tuple[float, int]:
    """One long forward over the end of the text."""
    data = torch.tensor(encode(text))[len(text) - round(0.1 * len(text)) :]
    logits, _ = PlainNetwork(state)(data[:-1, None], None)
    return F.cross_entropy(logits[:, 0], data[1:]).item(), len(data) - 1


@pytest.mark.parametrize("cell", CELLS)
def test_one_stream_evaluation_equals_one_long_forward(new_state: NewState, text: str, cell: str) -> None:
    text = text * 8  # long enough for several pieces between which an evaluation can be interrupted
    state = new_state(text, cell=cell)
    whole = list(state.task.evaluate(state.model, state.train_config, None, streams=1))  # type: ignore[call-arg]
    loss, count = plain_validation_loss(state, text)
    assert len(whole) > 2
    assert whole[-1].predictions == count
    assert whole[-1].loss == pytest.approx(loss, abs=1e-5)
    assert whole[-1].scores["bits_per_char"] == pytest.approx(loss / math.log(2), abs=1e-5)
    fractions = [part.fraction for part in whole]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1


def test_evaluation_covers_the_whole_validation_text_and_is_close_to_one_stream(new_state: NewState, text: str) -> None:
    text = text * 8
    state = new_state(text)
    evaluation = finish(rnn.evaluate(state))
    loss, count = plain_validation_loss(state, text)
    assert count - 16 < evaluation.predictions <= count
    assert evaluation.loss == pytest.approx(loss, abs=0.05)


def test_evaluation_can_be_limited_to_the_first_characters(new_state: NewState) -> None:
    assert finish(rnn.evaluate(new_state(), predictions=17)).predictions == 17


def test_evaluation_changes_nothing(new_state: NewState) -> None:
    state = new_state(dropout=0.5)
    for _ in train(state, stop_at=3):
        pass
    before, generator, shared = weights(state), state.model.generator.get_state(), torch.get_rng_state()  # type: ignore[union-attr, operator]
    first = finish(rnn.evaluate(state))
    for training in (True, False):
        state.model.train(training)
        evaluations = []
        for evaluation in rnn.evaluate(state):
            evaluations.append(evaluation)
            assert state.model.training is training
        assert evaluations[-1] == first
    assert same_weights(weights(state), before)
    assert torch.equal(state.model.generator.get_state(), generator)  # type: ignore[union-attr, operator]
    assert torch.equal(torch.get_rng_state(), shared)


def test_evaluating_between_steps_does_not_change_training(new_state: NewState) -> None:
    often, never = new_state(dropout=0.4, evaluate_every=1), new_state(dropout=0.4, evaluate_every=1000)
    assert [m.loss for m in train(often)] == [m.loss for m in train(never)]


def test_validation_loss_is_measured_when_due_and_at_the_end(new_state: NewState) -> None:
    state = new_state(steps=13, evaluate_every=5)
    measured = [m.step for m in train(state) if m.validation_loss is not None]
    assert measured == [5, 10, 13]


def test_no_validation_part_means_no_validation_loss(new_state: NewState) -> None:
    state = new_state(validation_fraction=0)
    assert all(m.validation_loss is None for m in train(state))
    assert state.best is None
    with pytest.raises(TrainingError, match="validation_fraction"):
        rnn.evaluate(state)


def test_an_interrupted_evaluation_is_taken_up_again_and_changes_nothing(new_state: NewState, text: str) -> None:
    settings = {"steps": 30, "dropout": 0.4, "evaluate_every": 5}
    straight, interrupted = new_state(text * 8, **settings), new_state(text * 8, **settings)
    yielded, gaps = [], 0
    while interrupted.stop_reason is None:
        for metrics in advance(interrupted):
            if metrics is None:
                gaps += 1
                if gaps % 5 == 1:
                    break  # leaves it in the middle of an evaluation
            else:
                yielded.append(metrics)
    assert gaps > 12
    expected = list(train(straight))
    assert [(m.step, m.loss, m.validation_loss) for m in yielded] == [
        (m.step, m.loss, m.validation_loss) for m in expected
    ], "each step once, with its validation loss"
    assert yielded == interrupted.history
    assert same_weights(weights(interrupted), weights(straight))


# Divergence


WILD = {"optimizer": "sgd", "beta1": 0.9, "learning_rate": 100, "clip": "off", "warmup_steps": 0, "decay": "none"}


def assert_ended_well(state: TrainState, reason: str) -> None:
    """The run stands at an earlier step with usable weights, says so, and can be told to go on."""
    assert state.stop_reason == "diverged"
    assert state.divergence is not None
    assert state.divergence.reason == reason
    assert state.divergence.last_good_step == state.step == len(state.history)
    assert state.divergence.step > state.step
    assert str(state.step) in state.divergence.sentence()
    assert all(p.isfinite().all() for p in state.model.parameters())
    to_bytes(state)
    state.set_rate_multiplier(1e-5)
    steps = [m.step for m in train(state, stop_at=state.step + 2)]
    assert steps == [state.step - 1, state.step]
    assert state.divergence is None


@pytest.mark.parametrize(
    ("cell", "nonlinearity"), [("rnn", "relu"), ("rnn", "tanh"), ("gru", "tanh"), ("lstm", "tanh")]
)
def test_a_wild_learning_rate_ends_with_the_last_good_weights(
    new_state: NewState, cell: str, nonlinearity: str
) -> None:
    state = new_state(cell=cell, nonlinearity=nonlinearity, steps=60, **WILD)
    first = weights(state)
    for _ in train(state):
        pass
    assert same_weights(weights(state), first)
    assert state.divergence is not None
    assert_ended_well(state, state.divergence.reason)


@pytest.mark.parametrize("poison", ["loss", "gradient"])
def test_a_number_that_is_not_finite_puts_the_run_back_where_it_was_healthy(new_state: NewState, poison: str) -> None:
    state, healthy = new_state(dropout=0.4, steps=60), new_state(dropout=0.4, steps=60)
    for _ in train(healthy):
        pass
    for _ in train(state, stop_at=KEEPSAKE_EVERY + 3):
        pass
    parameter = next(iter(state.model.parameters()))
    if poison == "loss":
        parameter.data.fill_(math.nan)
    else:
        hook = parameter.register_hook(lambda gradient: gradient * math.inf)
    assert list(train(state)) == []
    if poison == "gradient":
        hook.remove()
    assert state.step == KEEPSAKE_EVERY
    assert state.divergence is not None
    assert state.divergence.step == KEEPSAKE_EVERY + 4
    for _ in train(state):
        pass
    assert losses(state) == losses(healthy), "it goes on exactly as it would have"
    assert same_weights(weights(state), weights(healthy))


def test_a_loss_that_grows_to_three_times_the_first_ends_the_run(new_state: NewState) -> None:
    state = new_state(cell="rnn", steps=100, **WILD | {"learning_rate": 20})
    seen = [m.loss for m in train(state)]
    assert all(map(math.isfinite, seen))
    assert np.mean(seen[-9:]) > EXPLODED / 2 * seen[0]
    assert_ended_well(state, "exploded")


@pytest.mark.parametrize("hidden_size", [5, 32])
@pytest.mark.parametrize("steps", [1, 2, 3, 4])
def test_a_run_that_is_blowing_up_can_be_saved_and_opened_at_every_step(
    new_state: NewState, tmp_path: Path, steps: int, hidden_size: int
) -> None:
    """A step's loss is taken before its update, so the weights may be ruined before any training loss shows it."""
    settings = {"cell": "rnn", "nonlinearity": "relu", "hidden_size": hidden_size, "evaluate_every": 1}
    state = new_state(steps=steps, **settings, **WILD)
    for _ in train(state):
        save_checkpoint(tmp_path / "last.safetensors", state)
        load_checkpoint(tmp_path / "last.safetensors")
    save_checkpoint(tmp_path / "last.safetensors", state)
    load_checkpoint(tmp_path / "last.safetensors")


def test_divergence_in_the_middle_does_not_lose_the_best(new_state: NewState) -> None:
    state = new_state(steps=60, evaluate_every=5)
    for _ in train(state, stop_at=KEEPSAKE_EVERY):
        pass
    best = state.best
    assert best is not None
    state.model.head.weight.data.fill_(math.nan)  # type: ignore[union-attr, operator]
    for _ in train(state):
        pass
    assert state.best is not None
    assert (state.best.loss, state.best.step) == (best.loss, best.step)
    assert same_weights(state.best.weights, best.weights)


def test_a_divergence_names_what_the_facts_of_the_run_point_to(new_state: NewState) -> None:
    state = new_state(cell="rnn", steps=60, **WILD)
    list(train(state))
    assert state.divergence is not None
    assert "learning rate 1e+02 is far above what sgd usually takes" in state.divergence.cause
    state = new_state(steps=60, learning_rate=1e-3)
    list(train(state, stop_at=30))
    next(iter(state.model.parameters())).register_hook(lambda gradient: gradient * math.nan)
    list(train(state))
    assert state.divergence is not None
    assert "gradient exploded before the loss" in state.divergence.cause


def test_each_recovery_divides_the_rate_again_and_clips_until_the_run_holds(new_state: NewState) -> None:
    state = new_state(cell="rnn", steps=60, **WILD)
    for recovered in range(20):
        assert state.rate_multiplier == pytest.approx(3.0**-recovered)
        assert (state.train_config.clip == "norm") == (recovered > 0)
        list(train(state))
        if state.divergence is None:
            break
        state.recover()
    assert recovered >= 2
    assert (state.step, state.stop_reason, state.train_config.clip_norm) == (60, "steps", 1.0)
    assert state.rate_changes[-1][1] == state.rate_multiplier


def test_a_recovery_stays_within_the_bounds_of_the_multiplier(new_state: NewState) -> None:
    state = new_state()
    state.set_rate_multiplier(2e-6)
    state.recover()
    assert state.rate_multiplier == 1e-6
    state.recover()
    assert state.rate_multiplier == 1e-6


@pytest.mark.parametrize("clip", ["norm", "value", "off"])
def test_a_step_says_whether_its_gradient_was_clipped(new_state: NewState, clip: str) -> None:
    state = new_state(clip=clip)
    gradients: dict[int, torch.Tensor] = {}
    for i, p in enumerate(state.model.parameters()):
        p.register_hook(lambda gradient, i=i: gradients.__setitem__(i, gradient.flatten().clone()))
    limit = 1e-6
    for _ in range(30):
        state.train_config = replace(state.train_config, clip_norm=limit)
        list(train(state, stop_at=state.step + 1))
        whole = torch.cat(list(gradients.values()))
        size = whole.abs().max().item() if clip == "value" else whole.norm().item()
        assert state.history[-1].clipped == float(clip != "off" and size > limit)
        limit = size  # of the next gradients, some are larger
    assert len({m.clipped for m in state.history}) == (1 if clip == "off" else 2)


def test_a_state_without_its_text_refuses_to_train(new_state: NewState) -> None:
    state = new_state()
    state.task = replace(state.task, encoded=None)  # type: ignore[type-var]
    with pytest.raises(TrainingError, match="give the text"):
        next(iter(train(state)))

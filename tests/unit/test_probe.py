"""The probe: the clearly faster number format wins, once per shape, and the run is the one that was asked for."""

from __future__ import annotations

import pytest
import torch

from rnn import probe
from rnn.config import ModelConfig, TrainConfig
from rnn.corpora import from_paste, nested_parentheses
from rnn.hardware import has_bfloat16
from rnn.stepwise import to_the_end
from rnn.tasks.next_character import NextCharacter
from rnn.training import TrainState, train

TEXT = nested_parentheses(3_000)
TRAINING = TrainConfig(batch_size=4, bptt_steps=6, steps=3, device="cpu")
MODEL = ModelConfig(cell="gru", hidden_size=64, dropout=0.5, num_layers=2)


@pytest.fixture(autouse=True)
def nothing_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "_measured", {})
    monkeypatch.setattr(probe, "has_bfloat16", lambda device: True)


def slower(monkeypatch: pytest.MonkeyPatch, times: float) -> None:
    """As if a step took so many times as long in float32 as in bfloat16."""
    monkeypatch.setattr(probe, "seconds_per_step", lambda *_: {"float32": times, "bfloat16": 1.0})


@pytest.mark.parametrize(
    ("times", "precision"), [(3.0, "bfloat16"), (1.2, "bfloat16"), (1.05, "float32"), (0.5, "float32")]
)
def test_bfloat16_is_taken_where_it_is_clearly_faster_and_the_run_says_so(
    monkeypatch: pytest.MonkeyPatch, times: float, precision: str
) -> None:
    slower(monkeypatch, times)
    state = TrainState.create(TEXT, MODEL, TRAINING)
    assert state.resolved.precision == precision
    assert state.to_json()["resolved"]["precision"] == precision
    assert any(f"{times:.1f} times as fast" in note for note in state.notes) == (precision == "bfloat16")


def test_what_is_asked_for_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "seconds_per_step", lambda *_: pytest.fail("measured"))
    for precision in ("float32", "bfloat16"):
        settings = TrainConfig(batch_size=4, bptt_steps=6, precision=precision, device="cpu")
        assert TrainState.create(TEXT, MODEL, settings).resolved.precision == precision


def test_small_models_and_machines_without_it_use_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    slower(monkeypatch, 3.0)
    assert TrainState.create(TEXT, ModelConfig(hidden_size=63), TRAINING).resolved.precision == "float32"
    monkeypatch.setattr(probe, "has_bfloat16", lambda device: False)
    assert TrainState.create(TEXT, ModelConfig(hidden_size=64), TRAINING).resolved.precision == "float32"


def test_a_shape_is_measured_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = []
    measure = probe.in_turns
    monkeypatch.setattr(probe, "in_turns", lambda steps: rounds.append(0) or measure(steps))
    task = NextCharacter.from_text(from_paste(TEXT))
    first = probe.seconds_per_step(task, MODEL, TRAINING, "cpu")
    assert probe.seconds_per_step(task, MODEL, TRAINING, "cpu") == first
    assert len(rounds) == 1
    assert first.keys() == {"float32", "bfloat16"}
    assert min(first.values()) > 0
    probe.seconds_per_step(task, ModelConfig(hidden_size=65), TRAINING, "cpu")
    assert len(rounds) == 2


def test_others_may_have_their_turn_after_each_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "ENOUGH_SECONDS", float("inf"))
    steps: list[str] = []
    turns = probe.in_turns([lambda: steps.append("a"), lambda: steps.append("b")])
    for taken, _ in enumerate(turns, 1):
        assert len(steps) == taken
    assert steps == ["a", "b"] * (1 + probe.STEPS)


def test_of_slow_steps_the_first_has_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "ENOUGH_SECONDS", 0.0)
    steps: list[None] = []
    assert len(to_the_end(probe.in_turns([lambda: steps.append(None)]))) == len(steps) == 1


def test_a_run_that_was_probed_is_the_one_that_was_asked_for() -> None:
    """No random number is drawn from where the run, or anybody else, would draw it."""
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    probed = TrainState.create(TEXT, MODEL, TRAINING)
    assert torch.equal(torch.rand(3), expected)
    asked = TrainConfig(**{**TRAINING.to_json(), "precision": probed.resolved.precision})
    direct = TrainState.create(TEXT, MODEL, asked)
    assert [m.loss for m in train(probed)] == [m.loss for m in train(direct)]


def test_capabilities_are_asked_of_the_cpu() -> None:
    abilities = torch.cpu.get_capabilities()
    assert has_bfloat16("cpu") == bool(abilities.get("avx512_bf16") or abilities.get("amx_bf16"))

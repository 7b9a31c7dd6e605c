"""Resume is exact: stopping, saving, loading and going on gives bit for bit what going straight on gives."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any

import pytest
import torch

from rnn.checkpoint_file import unpack
from rnn.checkpoints import (
    last_good_to_bytes,
    load_checkpoint,
    save_checkpoint,
    set_last_good,
    to_bytes,
    to_state,
)
from rnn.config import CELLS, OPTIMIZERS, TRUNCATIONS
from rnn.training import KEEPSAKE_EVERY, TrainState, advance, train

NewState = Callable[..., TrainState]
CLOCK = ("elapsed", "chars_per_second")  # the only things of a run that its seed does not settle


def run(state: TrainState, stop_at: int | None = None) -> TrainState:
    for _ in train(state, stop_at):
        pass
    return state


def reloaded(state: TrainState, folder: Path, text: str) -> TrainState:
    save_checkpoint(folder / "run.safetensors", state)
    return load_checkpoint(folder / "run.safetensors", text)


def everything(state: TrainState) -> dict[str, Any]:
    """All of a run but its clock: weights, best, optimizer, hidden state, generator as bytes; settings; history."""
    arrays = {name: (array.dtype.str, array.shape, array.tobytes()) for name, array in state.to_arrays().items()}
    values = {name: value for name, value in state.to_json().items() if name not in CLOCK}
    history = [[getattr(m, name) for name in m.__slots__ if name not in CLOCK] for m in state.history]
    hidden = [(s.dtype, s.tolist()) for s in state.hidden or ()]
    return {**arrays, **values, "history": history, "carried": hidden}


def assert_same_run(found: TrainState, expected: TrainState) -> None:
    ours, theirs = everything(found), everything(expected)
    assert ours.keys() == theirs.keys()
    assert [name for name in theirs if ours[name] != theirs[name]] == []


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("cell", CELLS)
def test_100_steps_and_100_more_after_loading_are_200_steps(
    new_state: NewState, text: str, tmp_path: Path, cell: str, optimizer: str
) -> None:
    settings = {"cell": cell, "optimizer": optimizer, "hidden_size": 3, "num_layers": 2, "dropout": 0.3}
    training = {"steps": 200, "batch_size": 2, "bptt_steps": 3, "learning_rate": 0.01, "evaluate_every": 40}
    straight = run(new_state(**settings, **training), stop_at=100)
    resumed = reloaded(straight, tmp_path, text)
    assert_same_run(resumed, straight)
    assert_same_run(run(resumed), run(straight))
    assert straight.best is not None
    assert sum(m.validation_loss is not None for m in straight.history) == 5


@pytest.mark.parametrize(
    "settings",
    [
        *({"truncation": truncation, "batch_size": 30} for truncation in TRUNCATIONS),
        {"embedding_size": 2},
        {"cell": "rnn", "nonlinearity": "relu", "bias": False},
        {"clip": "value"},
        {"optimizer": "sgd", "beta1": 0.0},  # remembers nothing
        {"validation_fraction": 0},
        {"decay": "cosine"},
        *({"cell": cell, "precision": "bfloat16"} for cell in CELLS),
    ],
    ids=lambda settings: "-".join(map(str, settings.values())),
)
def test_resume_is_exact_wherever_and_whatever(new_state: NewState, text: str, settings: dict[str, Any]) -> None:
    straight = new_state(**{"dropout": 0.3, "steps": 20, "evaluate_every": 6} | settings)
    saved = [to_bytes(run(straight, at)) for at in (0, 1, 13)]
    run(straight)
    for data in saved:
        assert_same_run(run(to_state(unpack(data), text)), straight)


def test_saving_and_loading_after_every_step_changes_nothing(new_state: NewState, text: str, tmp_path: Path) -> None:
    state = new_state(dropout=0.3, steps=12)
    for step in range(1, 13):
        state = run(reloaded(state, tmp_path, text), step)
    assert_same_run(state, run(new_state(dropout=0.3, steps=12)))


def test_runs_that_take_turns_do_not_disturb_each_other(new_state: NewState, text: str, tmp_path: Path) -> None:
    kinds = [
        {"cell": "lstm", "dropout": 0.3, "seed": 1},
        {"cell": "gru", "dropout": 0.5, "seed": 1},
        {"cell": "gru", "dropout": 0.5, "seed": 2, "precision": "bfloat16"},
    ]
    alone = [run(new_state(steps=20, **kind)) for kind in kinds]
    together = [new_state(steps=20, **kind) for kind in kinds]
    for stop_at in (9, 20):
        for _ in zip(*(advance(state, stop_at) for state in together), strict=False):
            torch.rand(2)  # and somebody uses the global generator, too
        together = [reloaded(run(state, stop_at), tmp_path, text) for state in together]
    for found, expected in zip(together, alone, strict=True):
        assert_same_run(found, expected)


def test_a_change_of_the_rate_is_resumed(new_state: NewState, text: str, tmp_path: Path) -> None:
    def changed() -> TrainState:
        state = run(new_state(steps=20), 5)
        state.set_rate_multiplier(0.3)
        return state

    straight, resumed = run(changed()), run(reloaded(changed(), tmp_path, text))
    assert resumed.rate_changes == [(5, 0.3)]
    assert_same_run(resumed, straight)


def test_a_recovery_is_resumed(new_state: NewState, text: str, tmp_path: Path) -> None:
    def recovered() -> TrainState:
        state = run(new_state(clip="off", steps=20), 5)
        state.recover()
        return state

    straight, resumed = run(recovered()), run(reloaded(recovered(), tmp_path, text))
    assert (resumed.rate_multiplier, resumed.train_config.clip) == (1 / 3, "norm")
    assert_same_run(resumed, straight)


def test_a_run_saved_while_it_broke_goes_back_to_the_good_copy_saved_with_it(
    new_state: NewState, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rnn.training.EXPLODED", 1e9)
    state = run(new_state(dropout=0.3, steps=60), KEEPSAKE_EVERY)
    assert last_good_to_bytes(state) is None
    good = everything(state)
    wreck(state)
    run(state, KEEPSAKE_EVERY + 5)
    assert not state.is_healthy
    last_good = last_good_to_bytes(state)
    assert last_good is not None
    again = to_state(unpack(to_bytes(state)), text)
    set_last_good(again, unpack(last_good))
    for p in again.model.parameters():
        p.register_hook(lambda gradient: gradient * math.nan)
    run(again)
    assert (again.stop_reason, again.step) == ("diverged", KEEPSAKE_EVERY)
    assert everything(again) == {**good, "train": everything(again)["train"]}


def test_a_good_copy_of_another_run_is_not_gone_back_to(new_state: NewState, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnn.training.EXPLODED", 1e9)
    state, other = (run(new_state(steps=60, seed=seed), KEEPSAKE_EVERY) for seed in (1, 2))
    wreck(state)
    run(state, KEEPSAKE_EVERY + 5)
    set_last_good(state, unpack(to_bytes(other)))
    assert state.last_good is not None
    assert state.last_good[1]["train"]["seed"] == 1


def wreck(state: TrainState) -> None:
    """Weights with which the loss is far above its first value, and finite."""
    with torch.no_grad():
        state.model.head.weight.mul_(-1000)  # type: ignore[union-attr, operator]
    state.train_config = replace(state.train_config, learning_rate=1e-6)


def test_training_beyond_the_horizon_is_resumed(new_state: NewState, text: str, tmp_path: Path) -> None:
    straight = run(run(new_state(steps=10)), stop_at=20)
    resumed = run(reloaded(run(new_state(steps=10)), tmp_path, text), stop_at=20)
    assert_same_run(resumed, straight)


def test_a_checkpoint_of_an_interrupted_evaluation_is_resumed(new_state: NewState, text: str, tmp_path: Path) -> None:
    text = text * 8
    settings = {"steps": 24, "evaluate_every": 6}
    state = new_state(text, **settings)
    steps = advance(state)
    while next(steps) is not None or state.step < 12:
        pass
    assert state.history[-1].validation_loss is None
    assert_same_run(run(reloaded(state, tmp_path, text)), run(new_state(text, **settings)))


def test_patience_is_resumed(new_state: NewState, text: str, tmp_path: Path) -> None:
    settings = {"learning_rate": 1e-12, "evaluate_every": 2, "patience": 6, "weight_decay": 0, "optimizer": "sgd"}
    straight = run(new_state(**settings))
    resumed = run(reloaded(run(new_state(**settings), 9), tmp_path, text))
    assert straight.stop_reason == resumed.stop_reason
    assert_same_run(resumed, straight)


@pytest.mark.parametrize("saved_at", [KEEPSAKE_EVERY, KEEPSAKE_EVERY + 2])
def test_a_run_that_diverges_after_loading_goes_back_to_where_it_was_loaded(
    new_state: NewState, text: str, tmp_path: Path, saved_at: int
) -> None:
    saved = run(new_state(dropout=0.3), saved_at)
    state = reloaded(saved, tmp_path, text)
    hook = next(iter(state.model.parameters())).register_hook(lambda gradient: gradient * math.nan)
    run(state)
    hook.remove()
    assert state.stop_reason == "diverged"
    assert_same_run(state, saved)
    assert_same_run(run(state), run(saved))


def test_history_comes_back_with_its_clock(new_state: NewState, text: str, tmp_path: Path) -> None:
    state = run(new_state(), 15)
    again = reloaded(state, tmp_path, text)
    assert [astuple(m) for m in again.history] == [astuple(m) for m in state.history]
    assert again.elapsed == state.elapsed
    assert [type(v) for m in again.history for v in astuple(m)] == [type(v) for m in state.history for v in astuple(m)]

"""Runs that take turns train exactly as they would alone, in fair shares, and nothing that happens to one is lost."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from rnn import checkpoint_file, files
from rnn import estimate as estimate_module
from rnn.checkpoints import save_checkpoint
from rnn.config import ModelConfig, TaskConfig, TrainConfig
from rnn.corpora import Text
from rnn.errors import CheckpointError, ConfigError, StoreError, TrainingError
from rnn.records import StepMetrics
from rnn.runs import scheduler as scheduler_module
from rnn.runs.scheduler import Scheduler, is_milestone
from rnn.runs.store import Store
from rnn.sampling import generate
from rnn.stepwise import Stepwise
from rnn.tasks import Evaluation
from rnn.tasks.next_character import NextCharacter
from rnn.training import TrainState, train
from tests.unit.conftest import DEADLINE, Serve, until

ANNA, BEN = "anna's token", "ben's token"
TEXT = Text("fire and ice", "Some say the world will end in fire,\nSome say in ice.\nFrom what I've tasted of\n" * 12)
MODEL = ModelConfig(cell="gru", hidden_size=5, num_layers=2, dropout=0.25)
QUICK = ModelConfig(cell="rnn", hidden_size=4)
TRAINING = TrainConfig(batch_size=3, bptt_steps=4, steps=60, warmup_steps=2, evaluate_every=10, precision="float32")
LONG = TrainConfig(batch_size=3, bptt_steps=4, steps=1_000_000, evaluate_every=100, precision="float32")


@pytest.fixture(autouse=True)
def short_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many turns within a small run, each written at once."""
    monkeypatch.setattr(scheduler_module, "SLICE_SECONDS", 0.003)
    monkeypatch.setattr(scheduler_module, "WRITE_SECONDS", 0.0)


def wait_for(server: Scheduler, run_id: str, status: str = "finished") -> None:
    until(lambda: server.store.get(run_id).status == status, status)


def wait_for_steps(server: Scheduler, run_id: str, more: int = 1) -> int:
    """Waits until the run has taken that many more steps; where it is then."""
    start = server.store.get(run_id).step
    until(lambda: server.store.get(run_id).step >= start + more, f"{more} more steps")
    return server.store.get(run_id).step


def numbers(metrics: list[StepMetrics]) -> list[tuple[float | None, ...]]:
    """What must be the same however a run is interrupted: everything but the times."""
    return [(m.step, m.epoch, m.loss, m.grad_norm, m.learning_rate, m.characters, m.validation_loss) for m in metrics]


def curves(server: Scheduler, run_id: str) -> list[tuple[float | None, ...]]:
    return numbers(server.store.metrics(run_id, points=None))


def straight(
    model: ModelConfig = MODEL, training: TrainConfig = TRAINING, stop_at: int | None = None
) -> list[tuple[float | None, ...]]:
    """The same run by itself, without a scheduler."""
    return numbers(list(train(TrainState.create(TEXT, model, training), stop_at)))


# A run's life


def test_a_finished_run_has_the_numbers_of_the_bare_training(server: Scheduler) -> None:
    run_id = server.create(ANNA, TEXT, MODEL, TRAINING)
    wait_for(server, run_id)
    assert curves(server, run_id) == straight()
    info = server.store.get(run_id)
    assert info.message == "All steps are done."
    assert info.step == info.saved_step == checkpoint_file.read(server.store.checkpoint_path(run_id)).step == 60
    validated = [m.validation_loss for m in server.store.metrics(run_id, None) if m.validation_loss is not None]
    assert (info.validation_loss, info.best_validation_loss) == (validated[-1], min(validated))


def test_a_run_that_is_not_started_waits_for_its_owner(server: Scheduler) -> None:
    run_id = server.create(ANNA, TEXT, MODEL, TRAINING, "later", start=False)
    assert server.store.get(run_id).status == "paused"
    server.resume(run_id, ANNA)
    wait_for(server, run_id)
    assert curves(server, run_id) == straight()


def test_pausing_changes_nothing_but_the_time(server: Scheduler) -> None:
    run_id = server.create(ANNA, TEXT, MODEL, LONG)
    for _ in range(4):
        wait_for_steps(server, run_id, 5)
        server.pause(run_id, ANNA)
        rests = server.store.get(run_id)
        assert (rests.status, rests.step) == ("paused", rests.saved_step)
        server.compute(lambda: None)
        assert server.store.get(run_id) == rests
        server.resume(run_id, ANNA)
        assert server.store.get(run_id).status == "running"
    server.pause(run_id, ANNA)
    last = server.store.get(run_id).step
    assert curves(server, run_id) == straight(MODEL, LONG, stop_at=last)


def test_step_once_takes_exactly_one_step(server: Scheduler) -> None:
    run_id = server.create(ANNA, TEXT, MODEL, TRAINING, start=False)
    for step in range(1, 13):
        taken = server.step_once(run_id, ANNA)
        assert taken is not None
        assert taken.step == step
        info = server.store.get(run_id)
        assert (info.status, info.step, info.saved_step) == ("paused", step, step)
    server.resume(run_id, ANNA)
    wait_for(server, run_id)
    assert curves(server, run_id) == straight()


def test_step_once_goes_beyond_the_last_step(server: Scheduler) -> None:
    run_id = server.create(ANNA, TEXT, MODEL, TRAINING)
    wait_for(server, run_id)
    taken = server.step_once(run_id, ANNA)
    assert taken is not None
    assert taken.step == 61


def test_an_active_run_takes_no_single_steps(server: Scheduler) -> None:
    run_id = server.create(ANNA, TEXT, QUICK, LONG)
    with pytest.raises(StoreError, match="active already"):
        server.step_once(run_id, ANNA)
    assert server.store.get(run_id).status == "running"


def test_a_run_left_inside_an_evaluation_goes_on_exactly(server: Scheduler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnn.tasks.next_character.EVALUATION_STEPS", 4)
    expected = straight()
    whole, asked = NextCharacter.evaluate, []

    def evaluate(*arguments: Any) -> Iterator[Evaluation]:
        for evaluation in whole(*arguments):
            if not asked and server._jobs[run_id].state.step == 20:
                asked.append(server._thread.submit(lambda: server.pause(run_id, ANNA)))
            yield evaluation

    monkeypatch.setattr(scheduler_module, "SLICE_SECONDS", 0.0)  # the thread looks for requests after every chunk
    monkeypatch.setattr(NextCharacter, "evaluate", evaluate)
    run_id = server.create(ANNA, TEXT, MODEL, TRAINING, start=False)
    server.resume(run_id, ANNA)
    wait_for(server, run_id, "paused")
    assert (server.store.get(run_id).step, server.store.get(run_id).validation_loss) == (20, expected[9][-1])
    taken = server.step_once(run_id, ANNA)
    assert taken is not None
    assert taken.step == 21
    server.resume(run_id, ANNA)
    wait_for(server, run_id)
    assert curves(server, run_id) == expected


def test_a_stopped_run_is_finished_and_can_go_on(server: Scheduler) -> None:
    run_id = server.create(ANNA, TEXT, QUICK, LONG)
    wait_for_steps(server, run_id)
    server.stop(run_id, ANNA)
    info = server.store.get(run_id)
    assert (info.status, info.message, info.saved_step) == ("finished", "Stopped by hand.", info.step)
    server.resume(run_id, ANNA, stop_at=info.step + 10)
    wait_for(server, run_id)
    assert curves(server, run_id) == straight(QUICK, LONG, stop_at=info.step + 10)


def test_a_finished_run_goes_on_beyond_its_horizon(server: Scheduler) -> None:
    run_id = server.create(ANNA, TEXT, MODEL, TRAINING)
    wait_for(server, run_id)
    server.resume(run_id, ANNA)  # nothing is left to do
    wait_for(server, run_id)
    assert server.store.get(run_id).step == 60
    server.resume(run_id, ANNA, stop_at=75)
    wait_for(server, run_id)
    assert curves(server, run_id) == straight(stop_at=75)


@pytest.mark.parametrize("is_active", [True, False])
def test_a_run_that_is_reset_begins_anew_and_repeats_itself(server: Scheduler, is_active: bool) -> None:
    run_id = server.create(ANNA, TEXT, MODEL, LONG)
    step = wait_for_steps(server, run_id, 60)
    if not is_active:
        server.stop(run_id, ANNA)
    server.reset(run_id, ANNA)
    info = server.store.get(run_id)
    assert (info.status, info.step, info.saved_step, info.loss, info.message) == ("paused", 0, 0, None, "")
    assert info.best_validation_loss is None
    assert [at for at, _ in server.store.samples(run_id)] == server.store.snapshots(run_id) == [0]
    server.resume(run_id, ANNA, stop_at=step)
    wait_for(server, run_id)
    assert curves(server, run_id) == straight(MODEL, LONG, stop_at=step)


def test_a_run_goes_on_from_a_checkpoint_file_exactly(server: Scheduler, tmp_path: Path) -> None:
    state = TrainState.create(TEXT, MODEL, TRAINING)
    list(train(state, stop_at=25))
    save_checkpoint(tmp_path / "a.safetensors", state)
    run_id = server.adopt(ANNA, TEXT, checkpoint_file.read(tmp_path / "a.safetensors"), "from a file")
    info = server.store.get(run_id)
    assert (info.status, info.step, info.name) == ("paused", 25, "from a file")
    server.resume(run_id, ANNA)
    wait_for(server, run_id)
    assert curves(server, run_id) == straight()


def test_a_file_of_another_text_or_without_its_run_is_not_adopted_and_leaves_nothing(
    server: Scheduler, tmp_path: Path
) -> None:
    state = TrainState.create(TEXT, MODEL, TRAINING)
    list(train(state, stop_at=2))
    for weights_only, text, words in (
        (False, Text("other", TEXT.content[::-1]), "not the text"), (True, TEXT, "without its run"),
    ):  # fmt: skip
        save_checkpoint(tmp_path / "a.safetensors", state, weights_only=weights_only)
        with pytest.raises(CheckpointError, match=words):
            server.adopt(ANNA, text, checkpoint_file.read(tmp_path / "a.safetensors"))
    assert server.store.runs_of(ANNA) == []


def test_no_more_runs_are_kept_for_one_owner_than_allowed(serve: Serve) -> None:
    server = serve(kept_per_owner=2)
    first, _ = (server.create(ANNA, TEXT, QUICK, LONG, start=False) for _ in range(2))
    with pytest.raises(StoreError, match="You have 2 runs"):
        server.create(ANNA, TEXT, QUICK, LONG)
    server.create(BEN, TEXT, QUICK, LONG, start=False)
    server.delete(first, ANNA)
    server.create(ANNA, TEXT, QUICK, LONG, start=False)


def test_an_owner_who_changes_tokens_keeps_control_and_share(serve: Serve) -> None:
    server = serve(active_per_owner=1)
    running, waiting = (server.create(ANNA, TEXT, QUICK, LONG) for _ in range(2))
    server.change_owner(ANNA, BEN)
    with pytest.raises(StoreError, match="somebody else"):
        server.stop(running, ANNA)
    assert server.queue_position(waiting) == 1
    server.stop(running, BEN)
    wait_for(server, waiting, "running")
    wait_for_steps(server, waiting)


def test_the_first_step_is_in_the_store_at_once(server: Scheduler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler_module, "WRITE_SECONDS", 1e6)
    run_id = server.create(ANNA, TEXT, QUICK, LONG)
    assert server.wait_for_step(run_id, 1, timeout=DEADLINE)
    assert not server.wait_for_step(run_id, 10**6, timeout=0.05)


def test_the_time_left_is_that_of_the_pace_and_unknown_at_rest(
    server: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = server.create(ANNA, TEXT, QUICK, LONG)
    until(lambda: server.seconds_left(run_id) is not None, "a pace")
    monkeypatch.setattr(scheduler_module, "WRITE_SECONDS", 1e6)
    server.compute(lambda: setattr(server._jobs[run_id], "pace", ((100.0, 10), (110.0, 30))))
    assert server.seconds_left(run_id) == (LONG.steps - 30) * 0.5
    server.pause(run_id, ANNA)
    assert server.seconds_left(run_id) is None


def test_a_computation_in_turns_tells_its_caller_after_each_and_can_be_left(server: Scheduler) -> None:
    done: list[int] = []

    def work() -> Stepwise[str]:
        for turn in range(5):
            done.append(turn)
            yield
        return "all of it"

    seen: list[int] = []
    assert server.compute_in_turns(work, after_each=lambda: seen.append(len(done))) == "all of it"
    assert seen == [1, 2, 3, 4, 5]

    def leave() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        server.compute_in_turns(work, after_each=leave)
    assert server.compute(lambda: len(done)) == 6


def test_a_deleted_run_leaves_nothing_and_others_go_on(server: Scheduler) -> None:
    kept, gone = (server.create(ANNA, TEXT, QUICK, LONG) for _ in range(2))
    wait_for_steps(server, gone)
    server.delete(gone, ANNA)
    assert [info.id for info in server.store.runs_of(ANNA)] == [kept]
    assert not server.store.folder(gone).exists()
    wait_for_steps(server, kept)
    assert not server.store.folder(gone).exists()


def test_a_run_can_be_renamed_while_it_trains(server: Scheduler) -> None:
    run_id = server.create(ANNA, TEXT, QUICK, LONG)
    server.rename(run_id, ANNA, "poet")
    wait_for_steps(server, run_id)
    assert (server.store.get(run_id).name, server.store.get(run_id).status) == ("poet", "running")


def test_a_second_click_changes_nothing(server: Scheduler) -> None:
    run_id = server.create(ANNA, TEXT, MODEL, TRAINING)
    server.resume(run_id, ANNA)
    server.resume(run_id, ANNA)
    wait_for(server, run_id)
    for click in (server.pause, server.stop, server.pause):
        click(run_id, ANNA)
    assert server.store.get(run_id).status == "finished"
    assert curves(server, run_id) == straight()


@pytest.mark.parametrize(
    "command",
    [
        lambda server, run_id, token: server.resume(run_id, token),
        lambda server, run_id, token: server.pause(run_id, token),
        lambda server, run_id, token: server.stop(run_id, token),
        lambda server, run_id, token: server.step_once(run_id, token),
        lambda server, run_id, token: server.set_rate_multiplier(run_id, token, 0.5),
        lambda server, run_id, token: server.set_stops(run_id, token, 1.0, None, None),
        lambda server, run_id, token: server.recover(run_id, token),
        lambda server, run_id, token: server.rename(run_id, token, "mine now"),
        lambda server, run_id, token: server.delete(run_id, token),
    ],
    ids=["resume", "pause", "stop", "step_once", "set_rate_multiplier", "set_stops", "recover", "rename", "delete"],
)
def test_nobody_commands_another_persons_run(server: Scheduler, command: Callable[..., object]) -> None:
    run_id = server.create(ANNA, TEXT, QUICK, LONG, "anna's")
    with pytest.raises(StoreError, match="belongs to somebody else"):
        command(server, run_id, BEN)
    assert (server.store.get(run_id).status, server.store.get(run_id).name) == ("running", "anna's")


# The live learning rate


def test_the_rate_multiplier_changes_the_next_steps_and_is_kept(server: Scheduler) -> None:
    steady = TrainConfig(batch_size=3, bptt_steps=4, steps=1_000_000, warmup_steps=0, decay="none", learning_rate=1e-3)
    run_id = server.create(ANNA, TEXT, MODEL, steady)
    wait_for_steps(server, run_id)
    server.set_rate_multiplier(run_id, ANNA, 0.5)
    wait_for_steps(server, run_id, 5)
    server.pause(run_id, ANNA)
    ((changed_at, factor),) = checkpoint_file.read(server.store.checkpoint_path(run_id)).metadata["rate_changes"]
    assert factor == 0.5
    server.resume(run_id, ANNA)
    wait_for_steps(server, run_id)
    rates = [m.learning_rate for m in server.store.metrics(run_id, None)]
    assert set(rates[:changed_at]) == {1e-3}
    assert set(rates[changed_at:]) == {0.5e-3}


def test_a_resting_runs_rate_can_be_changed(server: Scheduler) -> None:
    run_id = server.create(ANNA, TEXT, MODEL, TRAINING, start=False)
    before = server.step_once(run_id, ANNA)
    server.set_rate_multiplier(run_id, ANNA, 0.25)
    after = server.step_once(run_id, ANNA)
    assert before is not None
    assert after is not None
    assert after.learning_rate == pytest.approx(straight()[1][4] / 4)  # type: ignore[operator]
    assert server.store.get(run_id).status == "paused"


def test_a_rate_multiplier_out_of_bounds_is_refused(server: Scheduler) -> None:
    run_id = server.create(ANNA, TEXT, QUICK, LONG)
    with pytest.raises(ConfigError, match="multiplier must be from"):
        server.set_rate_multiplier(run_id, ANNA, 0.0)
    wait_for_steps(server, run_id)


# Taking turns


def test_runs_that_take_turns_do_not_change_each_other(server: Scheduler) -> None:
    """Each with dropout, from the same seed: numbers drawn from a common generator would show."""
    models = [ModelConfig(cell=cell, hidden_size=size, num_layers=2, dropout=0.5) for cell, size in
              (("rnn", 4), ("gru", 5), ("lstm", 6), ("gru", 5))]  # fmt: skip
    ids = [server.create(token, TEXT, model, TRAINING) for model, token in zip(models, (ANNA, BEN) * 2, strict=True)]
    torch.rand(3)  # and whoever uses the common one does no harm
    for run_id, model in zip(ids, models, strict=True):
        wait_for(server, run_id)
        assert curves(server, run_id) == straight(model)


STEP_SECONDS = {4: 0.001, 5: 0.002}  # by hidden size


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A time that passes only in training steps, so that shares of it are exact on any computer."""
    now, whole = [time.monotonic()], NextCharacter.loss

    def loss(task: NextCharacter, model: Any, *arguments: Any) -> Any:
        now[0] += STEP_SECONDS[model.config.hidden_size]
        return whole(task, model, *arguments)

    monkeypatch.setattr(NextCharacter, "loss", loss)
    monkeypatch.setattr(scheduler_module, "time", SimpleNamespace(monotonic=lambda: now[0]))


def seconds_of(server: Scheduler) -> dict[str, float]:
    """How long each active run has trained, on that clock."""

    def look() -> dict[str, float]:
        states = {job.run_id: job.state for job in server._jobs.values()}
        return {run_id: state.step * STEP_SECONDS[state.config.hidden_size] for run_id, state in states.items()}

    return server.compute(look)


def shares_of(server: Scheduler, seconds: float = 0.4) -> dict[str, float]:
    """How long each active run trains from now on, until it is that much together."""
    before = seconds_of(server)
    until(lambda: sum(seconds_of(server).values()) >= sum(before.values()) + seconds, "training")
    return {run_id: after - before[run_id] for run_id, after in seconds_of(server).items()}


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("runs_of_anna", [1, 2, 3])
def test_every_owner_gets_the_same_time_however_many_runs_they_have(server: Scheduler, runs_of_anna: int) -> None:
    annas = [server.create(ANNA, TEXT, QUICK, LONG) for _ in range(runs_of_anna)]
    bens = server.create(BEN, TEXT, ModelConfig(cell="rnn", hidden_size=5), LONG)
    shares = shares_of(server)
    assert sum(shares[run_id] for run_id in annas) == pytest.approx(shares[bens], rel=0.25)
    assert min(shares[run_id] for run_id in annas) == pytest.approx(shares[bens] / runs_of_anna, rel=0.25)


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("was_here_before", [False, True])
def test_who_comes_late_neither_catches_up_nor_waits(server: Scheduler, was_here_before: bool) -> None:
    late = server.create(BEN, TEXT, QUICK, LONG, start=False)
    if was_here_before:
        server.resume(late, BEN)
        shares_of(server, 0.05)
        server.pause(late, BEN)
    early = server.create(ANNA, TEXT, QUICK, LONG)
    shares_of(server, 0.2)
    server.resume(late, BEN)
    shares = shares_of(server, 0.1)
    assert shares[late] == pytest.approx(shares[early], rel=0.25)


def test_more_runs_than_an_owner_may_have_wait_in_a_queue(serve: Serve) -> None:
    server = serve(active_per_owner=2)
    ids = [server.create(ANNA, TEXT, QUICK, LONG, f"run {i}") for i in range(4)]
    bens = server.create(BEN, TEXT, QUICK, LONG)
    assert [server.store.get(i).status for i in ids] == ["running", "running", "queued", "queued"]
    assert [server.queue_position(i) for i in ids] == [None, None, 1, 2]
    assert server.store.get(bens).status == "running"
    server.stop(ids[0], ANNA)
    wait_for(server, ids[2], "running")
    assert (server.queue_position(ids[2]), server.queue_position(ids[3])) == (None, 1)
    wait_for_steps(server, ids[2])
    assert server.store.get(ids[3]).step == 0


def test_a_full_server_takes_the_next_run_when_one_ends(serve: Serve) -> None:
    server = serve(active_in_total=1)
    first = server.create(ANNA, TEXT, MODEL, TRAINING)
    second = server.create(BEN, TEXT, MODEL, TRAINING)
    wait_for(server, first)
    wait_for(server, second)
    assert curves(server, first) == curves(server, second) == straight()


@pytest.mark.parametrize("leave", ["pause", "stop", "delete"])
def test_a_run_can_leave_the_queue(serve: Serve, leave: str) -> None:
    server = serve(active_per_owner=1)
    running, waiting, last = (server.create(ANNA, TEXT, QUICK, LONG) for _ in range(3))
    getattr(server, leave)(waiting, ANNA)
    assert (server.queue_position(waiting), server.queue_position(last)) == (None, 1)
    server.stop(running, ANNA)
    wait_for(server, last, "running")
    assert waiting not in server._jobs


# What is kept along the way


def test_milestones_are_evenly_spaced_by_factors() -> None:
    milestones = [step for step in range(50_001) if is_milestone(step)]
    assert milestones == [0, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000]


def test_samples_and_snapshots_are_kept_at_milestones_and_belong_together(server: Scheduler) -> None:
    run_id = server.create(ANNA, TEXT, MODEL, TRAINING)
    wait_for(server, run_id)
    samples = dict(server.store.samples(run_id))
    assert list(samples) == [0, 10, 20, 50, 60]  # and where it ended
    assert server.store.snapshots(run_id) == [0, 10, 20, 50]
    for step in (0, 10, 20, 50):
        snapshot = checkpoint_file.read(server.store.snapshot_path(run_id, step))
        assert snapshot.step == step
        drawn = generate(snapshot.sampler(), snapshot.vocabulary, length=200, temperature=0.8, seed=0)
        assert "".join(s.char for s in drawn) == samples[step]


def test_no_more_snapshots_are_kept_than_allowed(server: Scheduler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler_module, "MAX_SNAPSHOTS", 3)
    run_id = server.create(ANNA, TEXT, MODEL, TRAINING)
    wait_for(server, run_id)
    assert server.store.snapshots(run_id) == [0, 10, 20]


def test_a_running_run_is_saved_now_and_then(serve: Serve) -> None:
    server = serve(autosave_seconds=0.0)
    run_id = server.create(ANNA, TEXT, QUICK, LONG)
    until(lambda: server.store.get(run_id).saved_step > 20, "an autosave")
    assert server.store.get(run_id).status == "running"
    assert checkpoint_file.read(server.store.checkpoint_path(run_id)).step > 20


# What goes wrong


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (RuntimeError("out of memory"), "It stopped on an unexpected RuntimeError('out of memory')."),
        (TrainingError("There is nothing to train on."), "There is nothing to train on."),
    ],
)
def test_a_run_that_fails_says_why_and_the_others_go_on(
    server: Scheduler, monkeypatch: pytest.MonkeyPatch, error: Exception, message: str
) -> None:
    whole = NextCharacter.batch

    def batch(task: NextCharacter, config: TrainConfig, step: int) -> Any:
        if config.seed == 13 and step == 7:
            raise error
        return whole(task, config, step)

    monkeypatch.setattr(NextCharacter, "batch", batch)
    good = server.create(ANNA, TEXT, MODEL, TRAINING)
    bad = server.create(ANNA, TEXT, MODEL, TrainConfig(batch_size=3, bptt_steps=4, steps=60, seed=13))
    wait_for(server, bad, "failed")
    wait_for(server, good)
    assert server.store.get(bad).message == message
    assert curves(server, good) == straight()


def test_a_run_whose_file_is_damaged_says_so(server: Scheduler) -> None:
    run_id = server.create(ANNA, TEXT, MODEL, TRAINING)
    wait_for(server, run_id)
    path = server.store.checkpoint_path(run_id)
    path.write_bytes(path.read_bytes()[:-100])
    server.resume(run_id, ANNA, stop_at=100)
    info = server.store.get(run_id)
    assert info.status == "failed"
    assert "damaged or cut short" in info.message
    with pytest.raises(CheckpointError, match="damaged"):
        server.step_once(run_id, ANNA)


def test_settings_that_do_not_suit_the_task_fail_with_their_sentence(server: Scheduler) -> None:
    run_id = server.create(ANNA, TEXT, ModelConfig(hidden_size=4, bidirectional=True), TRAINING)
    info = server.store.get(run_id)
    assert info.status == "failed"
    assert info.message.startswith("bidirectional must be false")


def test_a_run_that_diverges_rests_at_its_last_good_step_and_can_go_on(server: Scheduler) -> None:
    wild = TrainConfig(batch_size=3, bptt_steps=4, steps=200, optimizer="sgd", learning_rate=0.05, warmup_steps=0,
                       decay="none", clip="off", validation_fraction=0.2, evaluate_every=10)  # fmt: skip
    run_id = server.create(ANNA, TEXT, MODEL, wild, start=False)
    server.resume(run_id, ANNA, stop_at=40)
    wait_for(server, run_id)
    server.set_rate_multiplier(run_id, ANNA, 1e5)
    server.resume(run_id, ANNA)
    wait_for(server, run_id, "paused")
    info = server.store.get(run_id)
    assert "a third of the learning rate" in info.message
    kept = server.store.metrics(run_id, points=None)
    saved = checkpoint_file.read(server.store.checkpoint_path(run_id)).step
    assert info.step == info.saved_step == saved == len(kept) == kept[-1].step
    assert info.loss == kept[-1].loss
    assert max(step for step, _ in server.store.samples(run_id)) <= info.step
    server.set_rate_multiplier(run_id, ANNA, 1.0)
    server.resume(run_id, ANNA)
    wait_for(server, run_id)
    assert server.store.get(run_id).step == 200


WILD = replace(LONG, steps=200, optimizer="sgd", learning_rate=50, warmup_steps=0, decay="none", clip="off")


def broken(server: Scheduler) -> str:
    """A run that has diverged."""
    run_id = server.create(ANNA, TEXT, QUICK, WILD)
    wait_for(server, run_id, "paused")
    assert server.store.get(run_id).diverged
    return run_id


def test_a_run_recovers_as_often_as_it_takes_and_the_store_says_how(server: Scheduler) -> None:
    run_id, recoveries = broken(server), 0
    while server.store.get(run_id).diverged:
        assert "Recover" in server.store.get(run_id).message
        server.recover(run_id, ANNA)
        recoveries += 1
        until(lambda: server.store.get(run_id).status in ("paused", "finished"), "its end")
    info = server.store.get(run_id)
    assert recoveries >= 2
    assert (info.status, info.step, info.message) == ("finished", 200, "All steps are done.")
    assert info.rate_multiplier == pytest.approx(3.0**-recoveries)
    train_now = TrainConfig.from_json(info.train)
    assert train_now == replace(WILD, clip="norm", clip_norm=1.0)
    saved = checkpoint_file.read(server.store.checkpoint_path(run_id))
    assert saved.train == train_now
    assert saved.metadata["rate_multiplier"] == info.rate_multiplier
    assert len(saved.metadata["rate_changes"]) >= 1
    assert {m.clipped for m in server.store.metrics(run_id, None)} <= {0.0, 1.0}


def test_a_recovered_run_goes_on_as_its_state_would(server: Scheduler) -> None:
    state = TrainState.create(TEXT, QUICK, WILD)
    list(train(state))
    state.recover()
    expected = numbers(list(train(state, stop_at=state.step + 3)))
    run_id = broken(server)
    assert server.store.get(run_id).step == expected[0][0] - 1  # type: ignore[operator]
    server.recover(run_id, ANNA)
    until(lambda: server.store.get(run_id).status in ("paused", "finished"), "its end")
    kept = curves(server, run_id)
    assert kept == expected[: len(kept)] or kept[: len(expected)] == expected


def test_only_a_run_that_has_diverged_is_recovered(server: Scheduler) -> None:
    run_id = server.create(ANNA, TEXT, MODEL, TRAINING, start=False)
    with pytest.raises(StoreError, match="has not diverged"):
        server.recover(run_id, ANNA)
    wild = broken(server)
    server.reset(wild, ANNA)
    with pytest.raises(StoreError, match="has not diverged"):
        server.recover(wild, ANNA)


def test_a_second_click_on_recover_does_not_divide_twice(serve: Serve) -> None:
    server = serve(active_per_owner=1)
    run_id = broken(server)
    server.create(ANNA, TEXT, QUICK, LONG)  # it has to wait for this one
    for _ in range(3):
        server.recover(run_id, ANNA)
    assert server.queue_position(run_id) == 1
    assert server.store.get(run_id).rate_multiplier == pytest.approx(1 / 3)


def test_a_reset_forgets_what_a_recovery_did_to_the_rate(server: Scheduler) -> None:
    run_id = broken(server)
    server.recover(run_id, ANNA)
    server.reset(run_id, ANNA)
    info = server.store.get(run_id)
    assert (info.rate_multiplier, info.diverged, info.step) == (1.0, False, 0)


def test_a_single_step_that_diverges_can_be_recovered(server: Scheduler) -> None:
    run_id = broken(server)
    taken: StepMetrics | None = server.step_once(run_id, ANNA)
    while taken is not None:
        assert not server.store.get(run_id).diverged
        taken = server.step_once(run_id, ANNA)
    info = server.store.get(run_id)
    assert (info.status, info.diverged) == ("paused", True)
    assert info.step == info.saved_step == len(curves(server, run_id))


def ruin(server: Scheduler, run_id: str) -> None:
    """Makes the weights of an active run so bad, and keeps them so, that its loss stays far above its first."""
    state = server._jobs[run_id].state
    state.set_rate_multiplier(1e-6)
    with torch.no_grad():
        state.model.head.weight.mul_(-300)  # type: ignore[union-attr, operator]


def test_a_run_killed_or_paused_while_it_breaks_goes_back_to_weights_that_were_good(
    server: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is saved with ruined weights, as an autosave or a pause would; opened again, it must not take them as good."""
    monkeypatch.setattr("rnn.training.EXPLODED", 1e9)
    run_id = server.create(ANNA, TEXT, QUICK, replace(WILD, learning_rate=0.05, steps=1_000_000, evaluate_every=10**6))
    wait_for_steps(server, run_id, 60)
    server.compute(lambda: ruin(server, run_id))
    wait_for_steps(server, run_id, 30)
    server.pause(run_id, ANNA)
    paused = server.store.get(run_id)
    good = checkpoint_file.read(server.store.last_good_path(run_id))
    assert 0 < good.step < paused.step
    server.resume(run_id, ANNA)
    wait_for_steps(server, run_id, 3)
    server.pause(run_id, ANNA)
    monkeypatch.setattr("rnn.training.EXPLODED", 3.0)
    server.resume(run_id, ANNA)
    wait_for(server, run_id, "paused")
    until(lambda: server.store.get(run_id).diverged, "the divergence")
    info = server.store.get(run_id)
    assert info.step == info.saved_step == good.step == len(curves(server, run_id))
    assert max(n.step for n in server.store.layers(run_id)) <= good.step
    saved = checkpoint_file.read(server.store.checkpoint_path(run_id))
    for name, weights in good.weights().items():
        assert (saved.weights()[name] == weights).all()
    assert not server.store.last_good_path(run_id).exists()
    server.set_rate_multiplier(run_id, ANNA, 1.0)
    server.recover(run_id, ANNA)
    wait_for_steps(server, run_id, 10)
    assert server.store.get(run_id).status == "running"


def test_a_damaged_good_copy_does_not_keep_a_run_from_going_on(server: Scheduler) -> None:
    run_id = server.create(ANNA, TEXT, QUICK, LONG)
    wait_for_steps(server, run_id)
    server.pause(run_id, ANNA)
    server.store.last_good_path(run_id).write_bytes(b"damaged")
    server.resume(run_id, ANNA)
    wait_for_steps(server, run_id)


# Stops while it runs


def test_stops_of_a_live_run_are_obeyed_and_kept(server: Scheduler) -> None:
    run_id = server.create(ANNA, TEXT, QUICK, LONG)
    wait_for_steps(server, run_id)
    server.set_stops(run_id, ANNA, minutes=None, target_loss=None, patience=1)
    assert TrainConfig.from_json(server.store.get(run_id).train) == replace(LONG, patience=1)
    server.set_stops(run_id, ANNA, minutes=1e-9, target_loss=None, patience=None)
    wait_for(server, run_id)
    assert server.store.get(run_id).message == "Its time is up."
    saved = checkpoint_file.read(server.store.checkpoint_path(run_id)).train
    assert saved == TrainConfig.from_json(server.store.get(run_id).train) == replace(LONG, minutes=1e-9)


def test_stops_of_a_resting_run_hold_when_it_goes_on(server: Scheduler) -> None:
    run_id = server.create(ANNA, TEXT, MODEL, TRAINING, start=False)
    server.set_stops(run_id, ANNA, minutes=None, target_loss=100.0, patience=None)
    server.resume(run_id, ANNA)
    wait_for(server, run_id)
    info = server.store.get(run_id)
    assert (info.step, info.message) == (10, "It reached its target loss.")


def test_stops_out_of_bounds_are_refused_and_change_nothing(server: Scheduler) -> None:
    run_id = server.create(ANNA, TEXT, QUICK, LONG)
    wrong: Any = {"minutes": 0, "target_loss": -1.0, "patience": "many"}
    for name, value in wrong.items():
        with pytest.raises(ConfigError, match=name):
            server.set_stops(run_id, ANNA, **{"minutes": None, "target_loss": None, "patience": None, name: value})
    assert TrainConfig.from_json(server.store.get(run_id).train) == LONG
    wait_for_steps(server, run_id)


def test_the_matrices_of_a_run_are_measured_and_kept_once(server: Scheduler) -> None:
    run_id = server.create(ANNA, TEXT, QUICK, TRAINING, start=False)
    for stop_at in (7, 34, 60):
        server.resume(run_id, ANNA, stop_at=stop_at)
        wait_for(server, run_id)
    state = TrainState.create(TEXT, QUICK, TRAINING)
    list(train(state))
    assert server.store.layers(run_id) == sorted(state.layers, key=lambda n: (n.step, n.name))
    server.reset(run_id, ANNA)
    assert server.store.layers(run_id) == []


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """While it is set, no file can be written to its end."""
    is_full, fsync = threading.Event(), os.fsync

    def sync(descriptor: int) -> None:
        if is_full.is_set():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fsync(descriptor)

    monkeypatch.setattr(files.os, "fsync", sync)
    return is_full


def test_a_full_disk_is_reported_and_training_goes_on(serve: Serve, full_disk: threading.Event) -> None:
    server = serve(autosave_seconds=0.02)
    run_id = server.create(ANNA, TEXT, QUICK, LONG)
    until(lambda: server.store.get(run_id).saved_step > 0, "an autosave")
    full_disk.set()
    until(lambda: "the disk is full" in server.store.get(run_id).message, "a message")
    wait_for_steps(server, run_id, 20)
    with pytest.raises(CheckpointError, match="disk is full"):
        server.pause(run_id, ANNA)  # what could not be saved is not let go
    assert server.store.get(run_id).status == "running"
    full_disk.clear()
    until(lambda: server.store.get(run_id).message == "", "the message to go")
    server.pause(run_id, ANNA)
    assert curves(server, run_id) == straight(QUICK, LONG, stop_at=server.store.get(run_id).step)


def test_a_run_that_ends_on_a_full_disk_is_saved_when_there_is_room(
    serve: Serve, full_disk: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler_module, "RETRY_SECONDS", 0.02)
    server = serve()
    training = replace(TRAINING, steps=300)
    run_id = server.create(ANNA, TEXT, MODEL, training)
    wait_for_steps(server, run_id)
    full_disk.set()
    until(lambda: "the disk is full" in server.store.get(run_id).message, "a message")
    until(lambda: server.store.get(run_id).step == training.steps, "the last step")
    assert server.store.get(run_id).status == "running"
    assert server.compute(lambda: "still answers") == "still answers"
    full_disk.clear()
    wait_for(server, run_id)
    assert curves(server, run_id) == straight(MODEL, training)
    assert checkpoint_file.read(server.store.checkpoint_path(run_id)).step == training.steps


def test_a_database_that_is_full_for_a_while_loses_no_steps(server: Scheduler) -> None:
    def limit(pages: int) -> None:
        server.store._db.execute(f"PRAGMA max_page_count = {pages}")  # SQLite answers as it does on a full disk

    def step() -> int:
        return server.compute(lambda: server._jobs[run_id].state.step)

    run_id = server.create(ANNA, TEXT, QUICK, LONG)
    wait_for_steps(server, run_id)
    server.compute(lambda: limit(1))
    start = step()
    until(lambda: step() > start + 200, "steps without a store")
    assert server.store.get(run_id).step < start + 100
    assert "full" in server.trouble(run_id)  # which the store itself can no longer say
    server.compute(lambda: limit(1_000_000))
    until(lambda: server.store.get(run_id).step > start + 200, "the steps in the store")
    until(lambda: server.trouble(run_id) == "", "the trouble to be over")  # said after the steps are stored
    server.pause(run_id, ANNA)
    assert [m.step for m in server.store.metrics(run_id, None)] == list(range(1, server.store.get(run_id).step + 1))


# Other tasks than to predict text


DIGITS = TaskConfig("digit-rows")
DIGIT_TRAINING = replace(TRAINING, steps=40, evaluation_chars=50)


def digits_alone(stop_at: int | None = None) -> list[tuple[float | None, ...]]:
    """The same training without a server."""
    return numbers(list(train(TrainState.create(None, MODEL, DIGIT_TRAINING, DIGITS), stop_at)))


def test_a_run_without_a_text_is_the_same_training_and_goes_on_from_its_save(server: Scheduler) -> None:
    run_id = server.create(ANNA, None, MODEL, DIGIT_TRAINING, start=False, task=DIGITS)
    info = server.store.get(run_id)
    assert (info.kind, info.text_name, info.name) == ("digit-rows", "handwritten digits, row by row",
                                                      "GRU 5 on handwritten digits, row by row")  # fmt: skip
    assert TaskConfig.from_json(info.task) == DIGITS
    assert server.store.text(run_id) is None
    server.resume(run_id, ANNA, stop_at=15)
    wait_for(server, run_id)
    server.resume(run_id, ANNA)
    wait_for(server, run_id)
    found = server.store.metrics(run_id, None)
    assert numbers(found) == digits_alone()
    scores = [m.score for m in found if m.score is not None]
    assert len(scores) == 40 // DIGIT_TRAINING.evaluate_every
    assert server.store.get(run_id).score == scores[-1]
    assert all(": " in line for _, text in server.store.samples(run_id) for line in text.splitlines())


def test_a_run_without_a_text_goes_back_and_begins_anew(server: Scheduler) -> None:
    run_id = server.create(ANNA, None, MODEL, DIGIT_TRAINING, task=DIGITS)
    wait_for(server, run_id)
    server.reset(run_id, ANNA)
    assert (server.store.get(run_id).step, server.store.get(run_id).score) == (0, None)
    server.resume(run_id, ANNA)
    wait_for(server, run_id)
    assert numbers(server.store.metrics(run_id, None)) == digits_alone()


def test_a_file_of_a_task_without_a_text_becomes_a_run(server: Scheduler, tmp_path: Path) -> None:
    state = TrainState.create(None, MODEL, DIGIT_TRAINING, DIGITS)
    list(train(state, 20))
    save_checkpoint(tmp_path / "a.safetensors", state)
    run_id = server.adopt(BEN, None, checkpoint_file.read(tmp_path / "a.safetensors"))
    assert TaskConfig.from_json(server.store.get(run_id).task) == DIGITS
    server.resume(run_id, BEN)
    wait_for(server, run_id)
    assert numbers(server.store.metrics(run_id, None)) == digits_alone()


def test_what_is_learned_from_a_text_needs_one(server: Scheduler, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="learns it from a text"):
        server.create(ANNA, None, MODEL, TRAINING)
    state = TrainState.create(TEXT, MODEL, TRAINING)
    save_checkpoint(tmp_path / "a.safetensors", state)
    with pytest.raises(CheckpointError, match="Give that text"):
        server.adopt(ANNA, None, checkpoint_file.read(tmp_path / "a.safetensors"))


# Pages' own computations


def test_pages_get_their_answers_while_runs_are_active(server: Scheduler) -> None:
    for token in (ANNA, BEN):
        server.create(token, TEXT, QUICK, LONG)
    threads = {server.compute(threading.get_ident) for _ in range(20)}
    assert len(threads) == 1
    assert threads != {threading.get_ident()}
    with pytest.raises(ZeroDivisionError):
        server.compute(lambda: 1 / 0)
    assert torch.equal(server.compute(lambda: torch.ones(2) + 1), torch.full((2,), 2.0))


def test_a_scheduler_is_made_without_torch(own_home: Any) -> None:
    code = "import sys; from rnn.runs.scheduler import Scheduler; from rnn.runs.store import Store; "
    code += "Scheduler(Store()).close(); print('torch' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (result.stdout, result.stderr) == ("False\n", "")


def test_an_estimate_lets_active_runs_have_a_turn_after_each_step(
    server: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = server.create(ANNA, TEXT, QUICK, LONG)
    wait_for_steps(server, run_id)
    steps: list[int] = []  # of the run, when the estimate has its turns

    def turns(*_: object) -> Iterator[None]:
        for _ in range(6):
            steps.append(server._jobs[run_id].state.step)
            yield
        return "the estimate"

    monkeypatch.setattr(estimate_module, "estimating", turns)
    # Asked from the torch thread itself, where nothing else can come between.
    assert server.compute(lambda: server.estimate(TEXT, MODEL, TRAINING)) == "the estimate"
    assert server.estimate(TEXT, MODEL, TRAINING) == "the estimate"
    assert len(steps) == 12
    assert all(before < after for before, after in pairwise(steps))


def test_estimates_disturb_no_run(server: Scheduler) -> None:
    estimate_module._known.clear()
    run_id = server.create(ANNA, TEXT, MODEL, TRAINING)
    found = server.estimate(TEXT, MODEL, TRAINING)
    assert (found.steps, found.precision) == (60, "float32")
    assert found.seconds > 0
    wait_for(server, run_id)
    assert curves(server, run_id) == straight()


def test_an_estimate_that_cannot_be_made_says_why_and_runs_go_on(server: Scheduler) -> None:
    run_id = server.create(ANNA, TEXT, QUICK, LONG)
    with pytest.raises(ConfigError, match="bidirectional"):
        server.estimate(TEXT, replace(MODEL, bidirectional=True), TRAINING)
    wait_for_steps(server, run_id)


def test_warming_up_disturbs_no_run(server: Scheduler) -> None:
    run_id = server.create(ANNA, TEXT, MODEL, TRAINING)
    server.warm_up()
    wait_for(server, run_id)
    assert curves(server, run_id) == straight()


# Servers that end, and more than one of them


def test_a_closed_server_leaves_runs_that_go_on_exactly(serve: Serve) -> None:
    first = serve(active_per_owner=1)
    run_id = first.create(ANNA, TEXT, MODEL, LONG)
    waiting = first.create(ANNA, TEXT, MODEL, TRAINING)
    wait_for_steps(first, run_id, 10)
    first.close()
    info = first.store.get(run_id)
    assert (info.status, info.saved_step) == ("interrupted", info.step)
    assert "Resume it" in info.message

    second = serve()
    assert second.refusal == ""
    second.resume(run_id, ANNA, stop_at=info.step + 20)
    second.resume(waiting, ANNA)
    wait_for(second, run_id)
    wait_for(second, waiting)
    assert curves(second, run_id) == straight(MODEL, LONG, stop_at=info.step + 20)
    assert curves(second, waiting) == straight()


def test_runs_that_were_active_go_on_by_themselves_after_a_restart(serve: Serve) -> None:
    first = serve(active_per_owner=1)
    running, waiting = (first.create(ANNA, TEXT, MODEL, LONG) for _ in range(2))
    resting = first.create(ANNA, TEXT, MODEL, LONG, start=False)
    wait_for_steps(first, running, 10)
    first.close()
    saved = first.store.get(running).saved_step

    second = serve(active_per_owner=1)
    second.resume_interrupted()
    assert {second.store.get(run_id).status for run_id in (running, waiting)} <= {"queued", "running"}  # at once
    wait_for(second, running, "running")
    assert "restarted" in second.store.get(running).message
    wait_for_steps(second, running)
    assert second.store.get(resting).status == "paused"
    assert second.queue_position(waiting) == 1
    second.stop(running, ANNA)
    wait_for(second, waiting, "running")
    step = second.store.get(running).step
    assert step > saved
    assert curves(second, running) == straight(MODEL, LONG, stop_at=step)


def test_a_server_that_opens_before_the_old_one_has_ended_restarts_its_runs_all_the_same(serve: Serve) -> None:
    first = serve()
    run_id = first.create(ANNA, TEXT, QUICK, LONG)
    wait_for_steps(first, run_id)
    second = serve()
    second.resume_interrupted()
    first.close()
    assert second.refusal == ""  # which a page asks for
    assert second.store.get(run_id).status in ("queued", "running")
    wait_for(second, run_id, "running")


def test_a_run_that_brings_servers_down_is_not_restarted_for_ever(serve: Serve) -> None:
    first = serve()
    run_id = first.create(ANNA, TEXT, QUICK, LONG, start=False)
    first.close()
    for _ in range(scheduler_module.MAX_RESTARTS):
        first.store.set_status(run_id, "interrupted")
        assert [found for found, _ in first.store.take_interrupted(scheduler_module.MAX_RESTARTS)] == [run_id]
    assert first.store.take_interrupted(scheduler_module.MAX_RESTARTS) == []
    first.store.set_saved(run_id, 1)  # it got on in between
    assert len(first.store.take_interrupted(scheduler_module.MAX_RESTARTS)) == 1


def test_a_second_server_restarts_nothing(serve: Serve) -> None:
    first, second = serve(), serve()
    run_id = first.create(ANNA, TEXT, QUICK, LONG, start=False)
    second.store.set_status(run_id, "interrupted")
    second.resume_interrupted()
    second.compute(lambda: None)  # what was submitted before has been done
    assert second.store.get(run_id).status == "interrupted"


def test_a_second_server_on_the_same_home_shows_runs_and_trains_none(serve: Serve) -> None:
    first = serve()
    run_id = first.create(ANNA, TEXT, QUICK, LONG)
    second = serve()
    assert "Another server is already training" in second.refusal
    for command in (second.resume, second.pause, second.step_once, second.delete):
        with pytest.raises(StoreError, match="Another server"):
            command(run_id, ANNA)
    with pytest.raises(StoreError, match="Another server"):
        second.create(ANNA, TEXT, MODEL, TRAINING)
    assert second.compute(lambda: "can sample") == "can sample"
    assert [info.status for info in second.store.runs_of(ANNA)] == ["running"]
    wait_for_steps(first, run_id)
    assert first.store.get(run_id).status == "running"
    first.close()
    assert second.refusal == ""
    second.resume(run_id, ANNA)
    wait_for_steps(second, run_id)


def test_a_run_that_goes_on_with_other_threads_says_so(server: Scheduler, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = server.create(ANNA, TEXT, MODEL, LONG)
    wait_for_steps(server, run_id)
    server.pause(run_id, ANNA)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 99)
    server.resume(run_id, ANNA)
    assert "goes on with 99" in server.store.get(run_id).message


def test_any_thread_may_close_a_server(serve: Serve) -> None:
    first = serve()
    closer = threading.Thread(target=first.close)
    closer.start()
    closer.join(DEADLINE)
    assert serve().refusal == ""


def test_a_store_that_fails_at_the_start_leaves_the_home_free(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(store: Store) -> int:
        raise StoreError("The disk is full.")

    with monkeypatch.context() as context, closing(Store()) as store:
        context.setattr(Store, "interrupt_active", fail)
        with pytest.raises(StoreError, match="disk is full") as caught:
            Scheduler(store)
    assert caught.value.args == ("The disk is full.",)
    assert serve().refusal == ""


def test_curves_that_a_power_cut_took_from_the_database_come_back(server: Scheduler) -> None:
    run_id = server.create(ANNA, TEXT, QUICK, LONG, start=False)
    server.resume(run_id, ANNA, stop_at=30)
    wait_for(server, run_id)
    server.store.rewind(run_id, 12)  # the file is at step 30
    server.resume(run_id, ANNA, stop_at=40)
    wait_for(server, run_id)
    assert curves(server, run_id) == straight(QUICK, LONG, stop_at=40)

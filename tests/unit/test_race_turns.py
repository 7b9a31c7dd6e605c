"""A race is one job: its members keep level, share one run's turns, and start, rest and end together."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from rnn import checkpoint_file, training
from rnn.config import CELLS, ModelConfig, TrainConfig
from rnn.corpora import Text
from rnn.errors import CheckpointError, ConfigError, StoreError
from rnn.race import Member
from rnn.records import RunInfo, StepMetrics
from rnn.runs import scheduler as scheduler_module
from rnn.runs.scheduler import Scheduler
from rnn.runs.turns import Job
from rnn.sampling import generate
from rnn.tasks.next_character import NextCharacter
from rnn.training import TrainState, train
from tests.unit.conftest import Serve, until

ANNA, BEN = "anna's token", "ben's token"
TEXT = Text("fire and ice", "Some say the world will end in fire,\nSome say in ice.\nFrom what I've tasted of\n" * 12)
TRAINING = TrainConfig(batch_size=3, bptt_steps=4, steps=60, warmup_steps=2, evaluate_every=10, precision="float32")
LONG = replace(TRAINING, steps=1_000_000, evaluate_every=100)
SIZES = {"rnn": 4, "gru": 5, "lstm": 6}
STEP_SECONDS = {4: 0.001, 5: 0.002, 6: 0.003}  # on the clock of these tests, by hidden size
SLICE = 0.01


def racers(training: TrainConfig = LONG, cells: tuple[str, ...] = CELLS) -> list[Member]:
    return [Member(cell.upper(), ModelConfig(cell=cell, hidden_size=SIZES[cell]), training) for cell in cells]


@pytest.fixture(autouse=True)
def short_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler_module, "SLICE_SECONDS", SLICE)
    monkeypatch.setattr(scheduler_module, "WRITE_SECONDS", 0.0)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A time that passes only in training steps, for the turns and for the members' own clocks."""
    now, whole = [time.monotonic()], NextCharacter.loss

    def loss(task: NextCharacter, model: Any, *arguments: Any) -> Any:
        now[0] += STEP_SECONDS[model.config.hidden_size]
        return whole(task, model, *arguments)

    monkeypatch.setattr(NextCharacter, "loss", loss)
    monkeypatch.setattr(scheduler_module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(training, "time", SimpleNamespace(perf_counter=lambda: now[0]))


def statuses(server: Scheduler, race_id: str) -> list[str]:
    return [info.status for info in server.store.race(race_id)]


def ids(server: Scheduler, race_id: str) -> list[str]:
    return [info.id for info in server.store.race(race_id)]


def wait_for(server: Scheduler, race_id: str, *wanted: str) -> None:
    until(lambda: set(statuses(server, race_id)) == set(wanted), str(wanted))


def wait_for_steps(server: Scheduler, race_id: str, more: int = 1) -> None:
    start = {info.id: info.step for info in server.store.race(race_id)}
    until(lambda: all(i.step >= start[i.id] + more for i in server.store.race(race_id)), f"{more} more steps of each")


def numbers(metrics: list[StepMetrics]) -> list[tuple[float | None, ...]]:
    return [(m.step, m.epoch, m.loss, m.grad_norm, m.learning_rate, m.characters, m.validation_loss) for m in metrics]


def check_curves(server: Scheduler, race_id: str) -> None:
    """Each member has the numbers of the bare training up to where it is."""
    for info in server.store.race(race_id):
        state = TrainState.create(TEXT, ModelConfig.from_json(info.model), TrainConfig.from_json(info.train))
        bare = numbers(list(train(state, info.step)))
        assert numbers(server.store.metrics(info.id, None)) == bare, info.race_label


def watch(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, tuple[int, float]]]:
    """Where every active run stands after each slice: (step, elapsed)."""
    seen: list[dict[str, tuple[int, float]]] = []
    whole = Scheduler._advance

    def advance(server: Scheduler, job: Job) -> None:
        whole(server, job)
        seen.append({run_id: (job.state.step, job.state.elapsed) for run_id, job in server._jobs.items()})

    monkeypatch.setattr(Scheduler, "_advance", advance)
    return seen


# Keeping level


@pytest.mark.usefixtures("clock")
def test_at_equal_steps_members_never_differ_by_more_than_a_slice_of_steps(
    server: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = watch(monkeypatch)
    race_id = server.create_race(ANNA, TEXT, racers(), "steps")
    until(lambda: len(seen) > 100, "a hundred slices")
    server.pause(ids(server, race_id)[0], ANNA)
    most = SLICE / STEP_SECONDS[4] + 1
    differences = [max(s for s, _ in now.values()) - min(s for s, _ in now.values()) for now in seen if now]
    assert 0 < max(differences) <= most
    stored = [info.step for info in server.store.race(race_id)]
    assert max(stored) - min(stored) <= most
    assert min(stored) > 50


@pytest.mark.usefixtures("clock")
def test_at_equal_seconds_members_never_differ_by_more_than_a_slice_of_computing(
    server: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = watch(monkeypatch)
    race_id = server.create_race(ANNA, TEXT, racers(), "seconds")
    until(lambda: len(seen) > 100, "a hundred slices")
    server.pause(ids(server, race_id)[0], ANNA)
    most = SLICE + max(STEP_SECONDS.values())
    differences = [max(t for _, t in now.values()) - min(t for _, t in now.values()) for now in seen if now]
    assert 0 < max(differences) <= most + 1e-9
    members = server.store.race(race_id)
    assert max(i.elapsed for i in members) - min(i.elapsed for i in members) <= most + 1e-9
    assert members[0].step > 1.5 * members[2].step  # whose steps take three times as long


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("mode", ["steps", "seconds"])
def test_each_members_clock_counts_its_own_computing_only(server: Scheduler, mode: str) -> None:
    race_id = server.create_race(ANNA, TEXT, racers(TRAINING), mode)
    server.create(BEN, TEXT, ModelConfig(cell="rnn", hidden_size=4), LONG)
    wait_for(server, race_id, "finished")
    for info in server.store.race(race_id):
        assert info.elapsed == pytest.approx(60 * STEP_SECONDS[SIZES[str(info.model["cell"])]])
    check_curves(server, race_id)


def test_on_the_real_clock_the_member_behind_goes_next(server: Scheduler, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen: list[tuple[float, float]] = []
    whole = Scheduler._advance

    def advance(server: Scheduler, job: Job) -> None:
        chosen.append((job.state.elapsed, min(other.state.elapsed for other in server._jobs.values())))
        whole(server, job)

    monkeypatch.setattr(Scheduler, "_advance", advance)
    server.create_race(ANNA, TEXT, racers(), "seconds")
    until(lambda: len(chosen) > 50, "fifty slices")
    assert all(own == least for own, least in chosen)


# Fair shares


def seconds_of(server: Scheduler) -> dict[str, float]:
    def look() -> dict[str, float]:
        return {run_id: job.state.elapsed for run_id, job in server._jobs.items()}

    return server.compute(look)


def shares_of(server: Scheduler, seconds: float = 0.6) -> dict[str, float]:
    before = seconds_of(server)
    until(lambda: sum(seconds_of(server).values()) >= sum(before.values()) + seconds, "training")
    return {run_id: after - before[run_id] for run_id, after in seconds_of(server).items()}


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("other", [ANNA, BEN])
def test_a_race_of_three_gets_the_turns_of_one_run(server: Scheduler, other: str) -> None:
    alone = server.create(other, TEXT, ModelConfig(cell="rnn", hidden_size=4), LONG)
    race_id = server.create_race(ANNA, TEXT, racers(), "seconds")
    shares = shares_of(server)
    assert sum(shares[run_id] for run_id in ids(server, race_id)) == pytest.approx(shares[alone], rel=0.25)


def test_a_race_counts_as_one_active_run_and_waits_as_one(serve: Serve) -> None:
    server = serve(active_per_owner=2, active_in_total=3)
    first = server.create_race(ANNA, TEXT, racers(), "steps")
    second = server.create_race(ANNA, TEXT, racers(), "steps")
    third = server.create_race(ANNA, TEXT, racers(cells=("rnn", "gru")), "steps")
    last = server.create(ANNA, TEXT, ModelConfig(hidden_size=4), LONG)
    assert statuses(server, first) == statuses(server, second) == ["running"] * 3
    assert statuses(server, third) == ["queued"] * 2
    assert {server.queue_position(run_id) for run_id in ids(server, third)} == {1}
    assert server.queue_position(last) == 2
    bens = server.create(BEN, TEXT, ModelConfig(hidden_size=4), LONG)
    assert server.store.get(bens).status == "running"
    full = server.create(BEN, TEXT, ModelConfig(hidden_size=4), LONG)
    assert server.store.get(full).status == "queued"
    server.stop(ids(server, first)[1], ANNA)
    wait_for(server, third, "running")
    assert server.queue_position(last) == 1


def test_a_race_that_does_not_fit_says_so_before_anything_is_made(serve: Serve) -> None:
    server = serve(kept_per_owner=4)
    for _ in range(2):
        server.create(ANNA, TEXT, ModelConfig(hidden_size=4), LONG, start=False)
    with pytest.raises(StoreError, match=r"A race of 3 needs room for 3 runs\. You have 2, and 4 are kept"):
        server.create_race(ANNA, TEXT, racers())
    assert server.store.count_of(ANNA) == 2
    server.create_race(ANNA, TEXT, racers()[:2], start=False)
    assert server.store.count_of(ANNA) == 4


def test_what_cannot_race_is_refused_and_leaves_nothing(server: Scheduler) -> None:
    for members, mode in ((racers()[:1], "steps"), (racers() * 2, "steps"), (racers(), "luck"), ([], "steps")):
        with pytest.raises(ConfigError):
            server.create_race(ANNA, TEXT, members, mode)
    assert server.store.count_of(ANNA) == 0


# Together


@pytest.mark.parametrize("mode", ["steps", "seconds"])
def test_pausing_a_race_changes_nothing_but_the_time(server: Scheduler, mode: str) -> None:
    race_id = server.create_race(ANNA, TEXT, racers(), mode)
    for member in (0, 2, 1):
        wait_for_steps(server, race_id, 5)
        server.pause(ids(server, race_id)[member], ANNA)
        resting = server.store.race(race_id)
        assert {info.status for info in resting} == {"paused"}
        assert [info.saved_step for info in resting] == [info.step for info in resting]
        server.compute(lambda: None)
        assert server.store.race(race_id) == resting
        server.resume(ids(server, race_id)[member], ANNA)
        assert set(statuses(server, race_id)) == {"running"}
    server.pause(ids(server, race_id)[0], ANNA)
    check_curves(server, race_id)


def test_a_race_is_stopped_reset_and_deleted_as_a_whole(server: Scheduler) -> None:
    race_id = server.create_race(ANNA, TEXT, racers(), "steps")
    first, second, third = ids(server, race_id)
    wait_for_steps(server, race_id)
    server.stop(second, ANNA)
    assert {(i.status, i.message) for i in server.store.race(race_id)} == {("finished", "Stopped by hand.")}
    server.resume(first, ANNA)
    wait_for(server, race_id, "running")
    server.reset(third, ANNA)
    assert {(i.status, i.step, i.saved_step) for i in server.store.race(race_id)} == {("paused", 0, 0)}
    server.resume(third, ANNA, stop_at=30)
    wait_for(server, race_id, "finished")
    check_curves(server, race_id)
    server.delete(second, ANNA)
    assert server.store.runs_of(ANNA) == []
    assert not any(server.store.folder(run_id).exists() for run_id in (first, second, third))


def test_one_step_of_a_race_is_one_of_each(server: Scheduler) -> None:
    race_id = server.create_race(ANNA, TEXT, racers(), "steps", start=False)
    for step in (1, 2):
        taken = server.step_once(ids(server, race_id)[1], ANNA)
        assert taken is not None
        assert taken.step == step
        assert [(i.status, i.step) for i in server.store.race(race_id)] == [("paused", step)] * 3
    server.resume(ids(server, race_id)[0], ANNA)
    with pytest.raises(StoreError, match="active already"):
        server.step_once(ids(server, race_id)[2], ANNA)


@pytest.mark.parametrize("leave", ["pause", "stop", "delete"])
def test_a_race_can_leave_the_queue(serve: Serve, leave: str) -> None:
    server = serve(active_per_owner=1)
    running = server.create(ANNA, TEXT, ModelConfig(hidden_size=4), LONG)
    race_id = server.create_race(ANNA, TEXT, racers(), "steps")
    waiting = ids(server, race_id)
    last = server.create(ANNA, TEXT, ModelConfig(hidden_size=4), LONG)
    getattr(server, leave)(waiting[1], ANNA)
    assert [server.queue_position(run_id) for run_id in (*waiting, last)] == [None, None, None, 1]
    server.stop(running, ANNA)
    until(lambda: server.store.get(last).status == "running", "the last one")
    assert not set(waiting) & set(server._jobs)


def test_nobody_commands_another_persons_race(server: Scheduler) -> None:
    race_id = server.create_race(ANNA, TEXT, racers(), "steps")
    for command in (server.pause, server.stop, server.reset, server.delete, server.resume):
        with pytest.raises(StoreError, match="belongs to somebody else"):
            command(ids(server, race_id)[0], BEN)
    assert set(statuses(server, race_id)) == {"running"}


def test_an_owner_who_changes_tokens_keeps_the_race(serve: Serve) -> None:
    server = serve(active_per_owner=1)
    running = server.create_race(ANNA, TEXT, racers(), "steps")
    waiting = server.create_race(ANNA, TEXT, racers(), "steps")
    server.change_owner(ANNA, BEN)
    server.stop(ids(server, running)[0], BEN)
    wait_for(server, waiting, "running")
    wait_for_steps(server, waiting)


# Members that end


def by_label(server: Scheduler, race_id: str) -> dict[str, RunInfo]:
    return {info.race_label: info for info in server.store.race(race_id)}


def test_a_member_that_reaches_its_stop_drops_out_and_the_others_go_on(server: Scheduler) -> None:
    first, second, third = racers(TRAINING)
    race_id = server.create_race(ANNA, TEXT, [first, replace(second, train=replace(TRAINING, steps=7)), third], "steps")
    until(lambda: by_label(server, race_id)["GRU"].status == "finished", "the shortest")
    wait_for(server, race_id, "finished")
    assert [info.step for info in server.store.race(race_id)] == [60, 7, 60]
    check_curves(server, race_id)


def test_who_has_finished_stays_finished_when_the_race_is_paused_and_goes_on(server: Scheduler) -> None:
    short, long = racers(cells=("rnn", "gru"))
    race_id = server.create_race(ANNA, TEXT, [replace(short, train=replace(LONG, steps=5)), long], "steps")
    run_id = ids(server, race_id)[1]
    until(lambda: statuses(server, race_id) == ["finished", "running"], "the short one")
    server.pause(run_id, ANNA)
    assert statuses(server, race_id) == ["finished", "paused"]
    server.resume(ids(server, race_id)[0], ANNA)
    assert statuses(server, race_id) == ["finished", "running"]
    server.stop(run_id, ANNA)
    assert server.store.race(race_id)[0].step == 5
    check_curves(server, race_id)


def test_a_member_that_diverges_drops_out_and_the_others_go_on(
    server: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = NextCharacter.loss

    def loss(task: NextCharacter, model: Any, *arguments: Any) -> Any:
        value, hidden = whole(task, model, *arguments)
        diverges = model.config.cell == "gru" and model.training and next(counted) > 30
        return (value * math.nan if diverges else value), hidden

    counted = iter(range(10**9))
    monkeypatch.setattr(NextCharacter, "loss", loss)
    race_id = server.create_race(ANNA, TEXT, racers(TRAINING), "steps")
    wait_for(server, race_id, "finished", "paused")
    rnn, gru, lstm = server.store.race(race_id)
    assert (rnn.status, rnn.step, lstm.status, lstm.step) == ("finished", 60, "finished", 60)
    assert (gru.status, gru.step, gru.saved_step) == ("paused", 25, 25)
    assert "no longer a finite number" in gru.message


def test_a_member_that_fails_says_why_and_the_others_go_on(server: Scheduler) -> None:
    good, bad, other = racers(TRAINING)
    bad = replace(bad, model=replace(bad.model, bidirectional=True))
    race_id = server.create_race(ANNA, TEXT, [good, bad, other], "steps")
    until(lambda: statuses(server, race_id) == ["finished", "failed", "finished"], "the others")
    assert by_label(server, race_id)["GRU"].message.startswith("bidirectional must be false")


def test_what_cannot_be_saved_of_one_member_is_not_let_go_of_any(
    server: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    race_id = server.create_race(ANNA, TEXT, racers(), "steps")
    wait_for_steps(server, race_id)
    last = ids(server, race_id)[2]
    whole = Scheduler._save

    def save(server: Scheduler, job: Job) -> None:
        if job.run_id == last:
            raise CheckpointError("The disk is full.")
        whole(server, job)

    with monkeypatch.context() as full:
        full.setattr(Scheduler, "_save", save)
        with pytest.raises(CheckpointError, match="disk is full"):
            server.pause(last, ANNA)
        assert set(statuses(server, race_id)) == {"running"}
    server.pause(last, ANNA)
    check_curves(server, race_id)


# What is kept, and servers that end


def test_members_are_ordinary_runs_with_samples_snapshots_and_checkpoints(server: Scheduler) -> None:
    race_id = server.create_race(ANNA, TEXT, racers(TRAINING), "steps")
    wait_for(server, race_id, "finished")
    for run_id in ids(server, race_id):
        assert [step for step, _ in server.store.samples(run_id)] == [0, 10, 20, 50, 60]
        assert server.store.snapshots(run_id) == [0, 10, 20, 50]
        opened = checkpoint_file.read(server.store.checkpoint_path(run_id))
        assert opened.step == 60
        assert len(list(generate(opened.sampler(), opened.vocabulary, length=5, seed=0))) == 5


def test_a_race_goes_on_by_itself_after_a_restart_whole_and_exactly(serve: Serve) -> None:
    first = serve(active_per_owner=1)
    running = first.create_race(ANNA, TEXT, racers(), "seconds")
    waiting = first.create_race(ANNA, TEXT, racers(TRAINING), "steps")
    wait_for_steps(first, running, 10)
    first.close()
    saved = [info.saved_step for info in first.store.race(running)]
    assert set(statuses(first, running)) == set(statuses(first, waiting)) == {"interrupted"}

    second = serve(active_per_owner=1)
    second.resume_interrupted()
    wait_for(second, running, "running")
    assert {second.queue_position(run_id) for run_id in ids(second, waiting)} == {1}
    assert all("restarted" in info.message for info in second.store.race(running))
    wait_for_steps(second, running)
    second.stop(ids(second, running)[0], ANNA)
    wait_for(second, waiting, "finished")
    assert all(info.step > step for info, step in zip(second.store.race(running), saved, strict=True))
    check_curves(second, running)
    check_curves(second, waiting)


def test_who_had_dropped_out_before_a_restart_stays_out(serve: Serve) -> None:
    first = serve()
    short, long = racers(cells=("rnn", "gru"))
    race_id = first.create_race(ANNA, TEXT, [replace(short, train=replace(LONG, steps=5)), long], "steps")
    until(lambda: statuses(first, race_id) == ["finished", "running"], "the short one")
    first.close()
    second = serve()
    second.resume_interrupted()
    until(lambda: statuses(second, race_id) == ["finished", "running"], "the long one")


def test_all_members_are_saved_now_and_then(serve: Serve) -> None:
    server = serve(autosave_seconds=0.0)
    race_id = server.create_race(ANNA, TEXT, racers(), "steps")
    until(lambda: min(info.saved_step for info in server.store.race(race_id)) > 10, "autosaves")
    assert set(statuses(server, race_id)) == {"running"}

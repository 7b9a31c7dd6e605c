"""Who looks after a server sees numbers of everybody's runs and nothing they wrote, and can let all of it rest."""

from __future__ import annotations

import csv
import io
import threading
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn import checkpoint_file
from rnn.config import ModelConfig, TrainConfig
from rnn.corpora import Text
from rnn.errors import StoreError
from rnn.files import folder_bytes
from rnn.memory import resident_bytes
from rnn.race import Member
from rnn.records import WatchedRun
from rnn.runs import scheduler as scheduler_module
from rnn.runs.scheduler import Scheduler
from rnn.runs.watch import BIN_SECONDS, BINS, PAUSED_BY_TEACHER, Meter, as_csv
from tests.unit.conftest import Serve, until

ANNA, BEN = "anna's token", "ben's token"
TEXT = Text("fire and ice", "Some say the world will end in fire,\nSome say in ice.\nFrom what I've tasted of\n" * 12)
MODEL = ModelConfig(cell="gru", hidden_size=5, num_layers=2)
LONG = TrainConfig(batch_size=3, bptt_steps=4, steps=1_000_000, evaluate_every=100, precision="float32")
SHORT = replace(LONG, steps=20)
RACERS = [Member(cell.upper(), ModelConfig(cell=cell, hidden_size=4), LONG) for cell in ("rnn", "gru")]


@pytest.fixture(autouse=True)
def short_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler_module, "SLICE_SECONDS", 0.003)
    monkeypatch.setattr(scheduler_module, "WRITE_SECONDS", 0.0)


def advance(server: Scheduler, run_id: str) -> int:
    """Waits until a run has taken five more steps; where it is then."""
    start = server.store.get(run_id).step
    until(lambda: server.store.get(run_id).step >= start + 5, "five more steps")
    return server.store.get(run_id).step


def status(server: Scheduler, run_id: str) -> str:
    return server.store.get(run_id).status


# The overview


def test_the_overview_lists_what_trains_and_then_what_waits(serve: Serve) -> None:
    server = serve(active_per_owner=1)
    of_anna = server.create(ANNA, TEXT, MODEL, LONG, "mine")
    of_ben = server.create(BEN, TEXT, ModelConfig(cell="lstm", hidden_size=7), LONG)
    first, second = (server.create(ANNA, TEXT, MODEL, LONG) for _ in range(2))
    rests = server.create(BEN, TEXT, MODEL, LONG, start=False)
    advance(server, of_anna)
    advance(server, of_ben)
    seen = server.overview().runs
    assert [run.short_id for run in seen] == [run_id[:8] for run_id in (of_anna, of_ben, first, second)]
    assert rests[:8] not in {run.short_id for run in seen}
    assert [run.place for run in seen] == [None, None, 1, 2]
    assert [run.status for run in seen] == ["running", "running", "queued", "queued"]
    assert [run.visitor for run in seen] == [1, 2, 1, 1]
    assert server.overview().visitors == 2
    assert [(run.name, run.network) for run in seen[:2]] == [
        ("mine", "GRU 5 × 2"),
        ("LSTM 7 on fire and ice", "LSTM 7"),
    ]
    assert all(run.chars_per_second is None for run in seen[2:])


def test_a_runs_speed_is_that_of_its_steps_by_the_clock(server: Scheduler) -> None:
    run_id = server.create(ANNA, TEXT, MODEL, LONG)
    advance(server, run_id)
    job = server._jobs[run_id]

    def speed() -> float | None:  # on the torch thread, so that training does not go on in between
        job.pace = ((100.0, 10), (110.0, 30))
        return job.chars_per_second

    assert server.compute(speed) == pytest.approx(2 * LONG.batch_size * LONG.bptt_steps)


def test_the_overview_holds_no_text_no_sample_and_no_id_that_opens_a_run(server: Scheduler) -> None:
    secret = Text("diary", "Dear diary, XYZZY happened today and then nothing did. " * 20)
    run_id = server.create(ANNA, secret, MODEL, LONG, "a run")
    advance(server, run_id)
    told = str(asdict(server.overview()))
    assert "a run" in told
    for hidden in ("XYZZY", run_id, ANNA, *(text for _, text in server.store.samples(run_id) if len(text) > 3)):
        assert hidden not in told


def test_who_is_recognised_late_keeps_the_number(server: Scheduler) -> None:
    server.create(BEN, TEXT, MODEL, LONG)
    server.create(ANNA, TEXT, MODEL, LONG)
    assert [run.visitor for run in server.overview().runs] == [1, 2]
    server.change_owner(ANNA, "another token of anna's")
    assert [run.visitor for run in server.overview().runs] == [1, 2]


def test_the_overview_can_be_asked_for_by_many_threads_while_runs_begin_and_end(server: Scheduler) -> None:
    wrong: list[BaseException] = []

    def look() -> None:
        try:
            for _ in range(40):
                server.overview()
        except BaseException as error:
            wrong.append(error)

    watchers = [threading.Thread(target=look) for _ in range(4)]
    for watcher in watchers:
        watcher.start()
    for _ in range(10):
        server.create(ANNA, TEXT, MODEL, SHORT)
    for watcher in watchers:
        watcher.join()
    assert not wrong


def test_characters_of_all_runs_are_counted_as_they_train(server: Scheduler) -> None:
    counted: list[int] = []
    server._watch.meter.count = counted.append  # type: ignore[method-assign]
    ids = [server.create(owner, TEXT, MODEL, SHORT) for owner in (ANNA, BEN)]
    until(lambda: all(status(server, run_id) == "finished" for run_id in ids), "both ends")
    assert sum(counted) == sum(server.store.metrics(run_id)[-1].characters for run_id in ids)


# The meter


def test_each_point_is_the_mean_of_its_time_and_the_running_one_is_left_out() -> None:
    clock = iter([0.0, 1.0, 2.5, 8.1, 8.5])
    meter = Meter(lambda: next(clock), lambda: 7)
    for characters in (100, 60, 10, 1_000):
        meter.count(characters)
    points = meter.points()
    assert [point.chars_per_second for point in points] == [80.0, 5.0, 0.0, 0.0]
    assert [point.seconds_ago for point in points] == [6.0, 4.0, 2.0, 0.0]
    assert {point.memory_bytes for point in points} == {7}


@given(st.lists(st.tuples(st.floats(0, 100), st.integers(0, 10_000)), max_size=60))
def test_the_points_hold_every_character_of_the_last_minutes(counts: list[tuple[float, int]]) -> None:
    now = 0.0
    meter = Meter(lambda: now, lambda: None)
    expected: dict[int, int] = {}
    for pause, characters in counts:
        now += pause
        meter.count(characters)
        number = int(now / BIN_SECONDS)
        expected[number] = expected.get(number, 0) + characters
    last = int(now / BIN_SECONDS)
    points = meter.points()
    assert len(points) <= BINS
    within = sum(n for number, n in expected.items() if last - BINS <= number < last)
    assert sum(point.chars_per_second for point in points) * BIN_SECONDS == pytest.approx(within)


def test_the_memory_of_this_process_grows_with_what_it_holds() -> None:
    before = resident_bytes()
    held = bytearray(b"x") * 50_000_000
    after = resident_bytes()
    assert before is not None
    assert after is not None
    assert after - before > 0.8 * len(held)


def test_a_folders_size_is_that_of_its_files(tmp_path: Path) -> None:
    (tmp_path / "in" / "side").mkdir(parents=True)
    for path, size in (("a", 10), ("in/b", 200), ("in/side/c", 3_000)):
        (tmp_path / path).write_bytes(bytes(size))
    assert folder_bytes(tmp_path) == 3_210
    assert folder_bytes(tmp_path / "not there") == 0


# Pausing and holding


def test_pause_all_saves_everybodys_runs_says_who_did_it_and_empties_the_queue(serve: Serve) -> None:
    server = serve(active_per_owner=1)
    of_anna, of_ben, waits = (server.create(owner, TEXT, MODEL, LONG) for owner in (ANNA, BEN, ANNA))
    race = server.create_race("carl's token", TEXT, RACERS)
    members = [info.id for info in server.store.race(race)]
    for run_id in (of_anna, of_ben, *members):
        advance(server, run_id)
    assert server.pause_all() == 0
    for run_id in (of_anna, of_ben, waits, *members):
        info = server.store.get(run_id)
        assert (info.status, info.message) == ("paused", PAUSED_BY_TEACHER)
        assert info.step == info.saved_step
    assert checkpoint_file.read(server.store.checkpoint_path(of_ben)).step == server.store.get(of_ben).step
    seen = server.overview()
    assert (seen.runs, seen.paused) == ((), 5)


def test_an_owner_resumes_what_was_paused_for_all_and_the_message_goes(server: Scheduler) -> None:
    run_id = server.create(ANNA, TEXT, MODEL, LONG)
    advance(server, run_id)
    server.pause_all()
    server.resume(run_id, ANNA)
    assert (status(server, run_id), server.store.get(run_id).message) == ("running", "")
    advance(server, run_id)


def test_a_run_that_cannot_be_saved_goes_on_and_the_others_are_paused(
    server: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    full, other = (server.create(owner, TEXT, MODEL, LONG) for owner in (ANNA, BEN))
    advance(server, other)
    save = server._save

    def no_room(job: scheduler_module.Job) -> None:
        if job.run_id == full:
            raise StoreError("The disk is full.")
        save(job)

    monkeypatch.setattr(server, "_save", no_room)
    assert server.pause_all() == 1
    assert (status(server, full), status(server, other)) == ("running", "paused")
    advance(server, full)


def test_while_held_nothing_starts_and_what_runs_goes_on(serve: Serve) -> None:
    server = serve(active_per_owner=1)
    runs = server.create(ANNA, TEXT, MODEL, LONG)
    waits = server.create(ANNA, TEXT, MODEL, LONG)
    rests = server.create(BEN, TEXT, MODEL, LONG, start=False)
    server.hold()
    assert server.overview().is_held
    before = server.store.count_of(BEN)
    for refused in (
        lambda: server.create(BEN, TEXT, MODEL, LONG),
        lambda: server.create_race(BEN, TEXT, RACERS),
        lambda: server.resume(rests, BEN),
        lambda: server.step_once(rests, BEN),
    ):
        with pytest.raises(StoreError, match="The teacher holds all training"):
            refused()
    assert server.store.count_of(BEN) == before
    advance(server, runs)
    server.stop(runs, ANNA)
    server.compute(lambda: None)
    assert status(server, waits) == "queued"
    server.release()
    advance(server, waits)
    server.resume(rests, BEN)
    advance(server, rests)


def test_resume_all_ends_the_hold_and_goes_on_exactly_with_what_was_paused_for_all(server: Scheduler) -> None:
    own_pause, runs = (server.create(ANNA, TEXT, MODEL, LONG) for _ in range(2))
    race = server.create_race(BEN, TEXT, RACERS)
    stops = server.create(BEN, TEXT, MODEL, LONG, start=False)
    server.resume(stops, BEN, stop_at=900_000)
    for run_id in (own_pause, runs, stops):
        advance(server, run_id)
    server.pause(own_pause, ANNA)
    server.hold()
    server.pause_all()
    server.resume_all()
    assert not server.is_held
    for run_id in (runs, stops, *(info.id for info in server.store.race(race))):
        advance(server, run_id)
    assert status(server, own_pause) == "paused"
    assert server.store.get(stops).last_step == 900_000


def test_one_that_cannot_go_on_does_not_keep_the_others_from_it(
    server: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused, other = (server.create(owner, TEXT, MODEL, LONG) for owner in (ANNA, BEN))
    server.pause_all()
    enqueue = server._enqueue

    def no_time_left(run_id: str, owner: str, stop_at: int | None) -> None:
        if run_id == refused:
            raise StoreError("Your runs have trained for as long as they may today.")
        enqueue(run_id, owner, stop_at)

    monkeypatch.setattr(server, "_enqueue", no_time_left)
    assert server.resume_all() == 1
    assert (status(server, refused), status(server, other)) == ("paused", "running")
    assert server.overview().paused == 1


def test_a_server_that_does_not_train_pauses_and_deletes_nothing(serve: Serve) -> None:
    first, second = serve(), serve()
    run_id = first.create(ANNA, TEXT, MODEL, LONG)
    assert [run.short_id for run in second.overview().runs] == [run_id[:8]]
    for refused in (second.pause_all, second.resume_all, lambda: second.delete_all(ANNA)):
        with pytest.raises(StoreError, match="Another server"):
            refused()
    assert status(first, run_id) == "running"


# As a file


def test_the_csv_has_a_line_per_run_and_no_cell_that_a_spreadsheet_carries_out() -> None:
    run = WatchedRun("1a2b3c4d", '=HYPERLINK("x"),\n2', "Next character", "GRU 5", 3, "queued", 2, 4, 50, None, 0.0)
    rows = list(csv.DictReader(io.StringIO(as_csv([run, replace(run, name="plain", chars_per_second=12.6)]))))
    assert [row["name"] for row in rows] == ['\'=HYPERLINK("x"),\n2', "plain"]
    assert rows[0]["since (UTC)"] == "1970-01-01T00:00:00+00:00"
    assert [row["characters per second"] for row in rows] == ["", "13"]
    assert [rows[0][name] for name in ("visitor", "run", "place in the queue", "step", "last step")] == [
        "3", "1a2b3c4d", "2", "4", "50",
    ]  # fmt: skip

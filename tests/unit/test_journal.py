"""The log has a line for what starts, stops and goes wrong, and nothing that a person wrote or that opens a run."""

from __future__ import annotations

import errno
import io
import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from rnn import files
from rnn.config import ModelConfig, TrainConfig
from rnn.corpora import Text
from rnn.errors import StoreError
from rnn.runs import journal
from rnn.runs import scheduler as scheduler_module
from rnn.runs.scheduler import Scheduler
from rnn.runs.store import Store, owner_key
from rnn.tasks.next_character import NextCharacter
from tests.unit.conftest import Serve, until

TOKEN = "anna's token"
MARK = "XYZZY"
TEXT = Text(f"{MARK} diary.txt", f"Dear {MARK}, nothing happened today and nothing will tomorrow. " * 20)
MODEL = ModelConfig(cell="gru", hidden_size=5, num_layers=2)
LONG = TrainConfig(batch_size=3, bptt_steps=4, steps=1_000_000, evaluate_every=100, precision="float32")
START = re.compile(r"start run=(\w{8}) owner=(\w{6}) task=next-character model=gru-5x2 step=(\d+)/(\d+)")
STOP = re.compile(r"stop run=(\w{8}) owner=\w{6} task=\S+ model=gru-5x2 step=(\d+)/\d+ seconds=\d+\.\d reason=(\w+)")


@pytest.fixture(autouse=True)
def short_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler_module, "SLICE_SECONDS", 0.003)
    monkeypatch.setattr(scheduler_module, "WRITE_SECONDS", 0.0)


@pytest.fixture
def lines() -> Iterator[Callable[[], list[str]]]:
    """All that `rnn` logs in this test, formatted as the server does it, tracebacks and all."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter(journal.LINE))
    logger = logging.getLogger("rnn")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield lambda: stream.getvalue().splitlines()
    logger.removeHandler(handler)
    logger.setLevel(level)


def create(server: Scheduler, **settings: int) -> str:
    return server.create(TOKEN, TEXT, MODEL, replace(LONG, **settings), f"{MARK} by me")


def trains(server: Scheduler, run_id: str) -> str:
    start = server.store.get(run_id).step
    until(lambda: server.store.get(run_id).step > start + 3, "steps")
    return run_id


def reasons(lines: list[str]) -> list[str]:
    return [found[3] for line in lines if (found := STOP.search(line))]


def ends(server: Scheduler, run_id: str, status: str) -> None:
    until(lambda: server.store.get(run_id).status == status, status)
    server.compute(lambda: None)  # and its line is written


def test_a_runs_start_and_every_way_it_stops_are_a_line_each(
    serve: Serve, lines: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve()
    short = create(server, steps=12)
    ends(server, short, "finished")
    long = trains(server, create(server))
    server.pause(long, TOKEN)
    server.resume(long, TOKEN)
    server.stop(trains(server, long), TOKEN)
    server.resume(long, TOKEN)
    server.reset(trains(server, long), TOKEN)
    server.resume(long, TOKEN)
    trains(server, long)
    server.pause_all()
    server.resume(long, TOKEN)
    server.delete(trains(server, long), TOKEN)
    broken = create(server)
    trains(server, broken)
    monkeypatch.setattr(NextCharacter, "batch", lambda *_: 1 / 0)
    ends(server, broken, "failed")
    monkeypatch.undo()
    trains(server, create(server))
    server.close()

    found = lines()
    started = [match for line in found if (match := START.search(line))]
    assert len(started) == 8
    assert started[0].groups() == (short[:8], owner_key(TOKEN)[:6], "0", "12")
    assert reasons(found) == ["finished", "paused", "stopped", "reset", "paused", "deleted", "failed", "interrupted"]
    assert [STOP.search(line)[2] for line in found if f"run={short[:8]}" in line and "stop " in line] == ["12"]  # type: ignore[index]
    assert any("failed run=" in line and "error=ZeroDivisionError at=test_journal.py:" in line for line in found)
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (INFO|ERROR) rnn\.runs\.", line) for line in found)


def test_nothing_in_the_log_was_written_by_a_person_or_a_model_or_opens_a_run(
    serve: Serve, lines: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve()
    run_id = trains(server, create(server))

    def quotes(*_: object) -> None:
        raise ValueError(f"could not read {MARK}") from StoreError(f"the text {MARK}")

    with monkeypatch.context() as patch:
        patch.setattr(server.store, "set_saved", lambda *_: quotes())
        patch.setattr(NextCharacter, "batch", quotes)
        ends(server, run_id, "failed")
    server.store.set_status(run_id, "paused")
    server.store.remove_checkpoint(run_id)
    monkeypatch.setattr(Store, "text", quotes)  # it cannot even begin
    server.resume(run_id, TOKEN)
    ends(server, run_id, "failed")
    found = "\n".join(lines())
    assert "failed run=" in found
    assert MARK in server.store.get(run_id).message  # its owner is told
    for hidden in (MARK, run_id, TOKEN, owner_key(TOKEN), "nothing happened"):
        assert hidden not in found


def test_what_cannot_be_kept_is_a_line_once_and_names_the_systems_reason(
    server: Scheduler, lines: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = trains(server, create(server))
    monkeypatch.setattr(server, "autosave_seconds", 0.0)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    until(lambda: server.trouble(run_id) != "", "trouble")
    trains(server, run_id)
    kept = [line.partition("not kept")[2] for line in lines() if "not kept" in line]
    assert "OSError(ENOSPC)" in kept[0]
    assert len(kept) == len(set(kept))


def test_the_handler_is_there_once_however_often_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    logger = logging.getLogger("rnn.runs")
    level = logger.level
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    monkeypatch.setattr(logger, "handlers", [])
    for _ in range(3):
        journal.write_to_stderr()
    assert [handler.name for handler in logger.handlers] == [journal.HANDLER]
    assert logger.isEnabledFor(logging.INFO)
    logger.setLevel(level)


def test_a_program_that_has_set_up_logging_gets_no_second_line(monkeypatch: pytest.MonkeyPatch) -> None:
    logger = logging.getLogger("rnn.runs")
    level = logger.level
    monkeypatch.setattr(logging.getLogger(), "handlers", [logging.NullHandler()])
    monkeypatch.setattr(logger, "handlers", [])
    journal.write_to_stderr()
    assert logger.handlers == []
    logger.setLevel(level)

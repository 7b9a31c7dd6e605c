"""Of what is deleted nothing is left: no rows, no files, and no letter in the database's own files."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from rnn.config import ModelConfig, TrainConfig
from rnn.corpora import Text
from rnn.errors import NoSuchRunError
from rnn.race import Member
from rnn.records import LayerNorms, StepMetrics
from rnn.runs import scheduler as scheduler_module
from rnn.runs.scheduler import Scheduler
from rnn.runs.store import Store
from tests.unit.conftest import until

ANNA, BEN = "anna's token", "ben's token"
MARK = "XYZZY"
SECRET = Text(f"{MARK}.txt", f"Dear {MARK}, nothing happened today and nothing will tomorrow. " * 400)
SHARED = Text("shared", "Some say the world will end in fire,\nSome say in ice.\n" * 12)
MODEL = ModelConfig(cell="gru", hidden_size=5)
LONG = TrainConfig(batch_size=3, bptt_steps=4, steps=1_000_000, evaluate_every=100, precision="float32")


@pytest.fixture(autouse=True)
def short_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler_module, "SLICE_SECONDS", 0.003)
    monkeypatch.setattr(scheduler_module, "WRITE_SECONDS", 0.0)


def holds(home: Path, mark: str = MARK) -> list[str]:
    """The files below this folder with these letters in their content or name."""
    files = [path for path in home.rglob("*") if path.is_file()]
    return [path.name for path in files if mark in path.name or mark.encode() in path.read_bytes()]


def test_everything_of_one_owner_goes_at_once_and_nothing_of_others(server: Scheduler, own_home: Path) -> None:
    mine = [server.create(ANNA, SECRET, MODEL, LONG, f"{MARK} {i}") for i in range(3)]
    mine.append(server.create(ANNA, SHARED, MODEL, LONG, f"{MARK} shared"))
    race = server.create_race(ANNA, SECRET, [Member("GRU", MODEL, LONG), Member("RNN", ModelConfig(cell="rnn"), LONG)])
    mine += [info.id for info in server.store.race(race)]
    others = server.create(BEN, SHARED, MODEL, LONG)
    for run_id in (*mine, others):
        until(lambda run_id=run_id: server.store.get(run_id).step > 3, "steps")  # type: ignore[misc]
    server.pause(mine[0], ANNA)
    assert "runs.db" in {name.removesuffix("-wal") for name in holds(own_home)}

    assert server.delete_all(ANNA) == len(mine)
    assert server.store.count_of(ANNA) == 0
    assert [path.name for path in (own_home / "runs").iterdir()] == [others]
    for run_id in mine:
        with pytest.raises(NoSuchRunError):
            server.store.get(run_id)
    assert holds(own_home) == []
    before = server.store.get(others).step
    until(lambda: server.store.get(others).step > before, "a step of somebody else's")
    text = server.store.text(others)
    assert text is not None
    assert text.content == SHARED.content
    assert server.delete_all(ANNA) == 0


def test_a_text_that_somebody_else_uses_stays_for_them(server: Scheduler, own_home: Path) -> None:
    server.create(ANNA, SECRET, MODEL, LONG, start=False)
    of_ben = server.create(BEN, SECRET, MODEL, LONG, start=False)
    server.delete_all(ANNA)
    assert server.store.text(of_ben) == SECRET
    server.delete(of_ben, BEN)
    assert holds(own_home) == []


def test_no_letter_stays_in_the_databases_files_whatever_was_written_and_changed_before(own_home: Path) -> None:
    store, chance = Store(), random.Random(0)
    ids: dict[str, str] = {}
    for i in range(60):
        text = Text(f"{MARK}{i}", f"{MARK}{i} " * chance.randrange(1, 3_000))
        token = chance.choice((ANNA, BEN))
        run_id = store.create(token, text, MODEL, LONG, f"{MARK}{i}")
        ids[run_id] = token
        for step in range(1, chance.randrange(2, 60)):
            store.add_metrics(run_id, [StepMetrics(step, 0.1, 1.0, 0.5, 1e-3, 9.0, 0.1, 8)], 1.0)
            store.add_layers(run_id, [LayerNorms(step, "embedding", 1.0, 1.0, 1.0)])
        for step in range(chance.randrange(12)):
            store.add_sample(run_id, step, f"{MARK} " * chance.randrange(1, 900))
        changed = chance.choice(list(ids))
        store.rename(changed, f"{MARK} " * chance.randrange(1, 13))
        store.set_status(changed, "paused", f"{MARK} " * chance.randrange(1, 40))
        if chance.random() < 0.3:
            gone = chance.choice(list(ids))
            ids.pop(gone)
            store.delete(gone)
    store.delete(*ids)
    assert holds(own_home) == []
    assert (own_home / "runs.db-wal").stat().st_size == 0
    store.close()

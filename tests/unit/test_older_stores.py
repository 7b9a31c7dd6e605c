"""Stores and checkpoints of older versions open, say what they said, and go on where they were.

`older_stores/VERSION` holds what that version's own code wrote: an LSTM of 3 units on four lines, stopped at step 6 of
10. `runs.sql` is a dump of its database. "1-first" is the very first one, which calls itself version 1 as well.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from filelock import FileLock

from rnn.catalogue import TASKS
from rnn.checkpoint_file import read
from rnn.config import ModelConfig, TaskConfig, TrainConfig
from rnn.corpora import Text
from rnn.errors import StoreError
from rnn.race import Member
from rnn.records import LayerNorms
from rnn.runs import store as store_module
from rnn.runs.scheduler import Scheduler
from rnn.runs.store import UPGRADES, VERSION, Store
from rnn.sampling import generate
from tests.unit.conftest import until

OLDER = Path(__file__).parent / "older_stores"
WRITTEN = sorted(folder.name for folder in OLDER.iterdir())
ANNA = "anna's token"
# Of every step, as each of those versions computed it when it went straight to the end.
LOSSES = (
    3.343092679977417, 3.369964599609375, 3.1203274726867676, 3.7103500366210938, 3.4549148082733154,
    3.2379257678985596, 3.0215353965759277, 3.2866008281707764, 3.1031126976013184, 3.0096356868743896,
)  # fmt: skip


@pytest.fixture(params=WRITTEN)
def older(request: pytest.FixtureRequest, own_home: Path) -> Path:
    """A home as an older version left it."""
    written = OLDER / request.param
    dump = (written / "runs.sql").read_text(encoding="utf-8")
    (run_id,) = set(re.findall(r'INSERT INTO "samples" VALUES\(\'([^\']+)\'', dump))
    folder = own_home / "runs" / run_id
    folder.mkdir(parents=True)
    shutil.copy(written / "checkpoint.safetensors", folder)
    with closing(sqlite3.connect(own_home / "runs.db")) as db:
        db.executescript(dump)
    return own_home


def version_of(home: Path) -> int:
    with closing(sqlite3.connect(home / "runs.db")) as db:
        return int(db.execute("PRAGMA user_version").fetchone()[0])


def schema_of(home: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every table's columns: name, type, whether NULL is refused, place in the key."""
    with closing(sqlite3.connect(home / "runs.db")) as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'index')")]
        return {
            name: sorted((*row[1:4], row[5]) for row in db.execute(f"PRAGMA table_info({name})")) for name in tables
        }


def test_there_is_a_store_of_every_version() -> None:
    assert {int(name[0]) for name in WRITTEN} >= set(range(1, VERSION)) == UPGRADES.keys() - {0}


def test_runs_curves_samples_and_texts_are_as_they_were(older: Path) -> None:
    with closing(Store()) as store:
        (info,) = store.runs_of(ANNA)
        assert (info.name, info.status, info.step, info.saved_step) == ("Tyger", "finished", 6, 6)
        assert (info.text_name, info.kind, info.loss) == ("poem.txt", "next-character", LOSSES[5])
        assert (info.diverged, info.rate_multiplier, info.race_id, info.score) == (False, 1.0, None, None)
        assert ModelConfig.from_json(info.model) == ModelConfig(cell="lstm", hidden_size=3)
        assert TrainConfig.from_json(info.train).bptt_steps == 5
        assert TaskConfig.from_json(info.task) == TaskConfig()
        text = store.text(info.id)
        assert text is not None
        assert (text.name, text.builtin, text.content.splitlines()[0]) == (
            "poem.txt", False, "Tyger Tyger, burning bright,"
        )  # fmt: skip
        curve = store.metrics(info.id, None)
        assert [m.loss for m in curve] == list(LOSSES[:6])
        assert [m.step for m in curve] == [m.characters // 10 for m in curve] == [1, 2, 3, 4, 5, 6]
        assert [step for step, _ in store.samples(info.id)] == [0, 6]
        assert all(len(sample) == 200 for _, sample in store.samples(info.id))
    assert version_of(older) == VERSION


def test_a_run_goes_on_exactly_where_it_was(older: Path, serve: Callable[..., Scheduler]) -> None:
    server = serve()
    (info,) = server.store.runs_of(ANNA)
    server.resume(info.id, ANNA, stop_at=10)
    until(lambda: server.store.get(info.id).status not in ("queued", "running"))
    assert (server.store.get(info.id).status, server.store.get(info.id).step) == ("finished", 10)
    assert [m.loss for m in server.store.metrics(info.id, None)] == pytest.approx(LOSSES, rel=1e-5)


def test_what_came_since_is_there_as_in_a_new_store(older: Path, tmp_path: Path) -> None:
    with closing(Store()) as store, closing(Store(tmp_path / "new")):
        assert schema_of(older) == schema_of(tmp_path / "new")
        (info,) = store.runs_of(ANNA)
        norms = [LayerNorms(6, "W_hh", 1.0, 2.0, 1e-3)]
        store.add_layers(info.id, norms)
        assert [n for n in store.layers(info.id) if n.name == "W_hh"] == norms
        small, text = ModelConfig(cell="gru", hidden_size=5), Text("two", "words")
        members = [Member(name, small, TrainConfig()) for name in ("A", "B")]
        assert len(store.race(store.create_race(ANNA, text, members, "steps"))) == 2
        digit = TASKS["digit"]
        assert store.get(store.create(ANNA, None, digit.model, digit.train, task=digit.task)).kind == "digit"


@pytest.mark.parametrize("older", [name for name in WRITTEN if int(name[0]) < VERSION], indirect=True)
def test_under_a_server_that_trains_with_it_an_older_store_stays_as_it_is(
    older: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = version_of(older)
    monkeypatch.setattr(store_module, "UPGRADE_SECONDS", 0.0)
    with FileLock(older / "server.lock"):
        with pytest.raises(StoreError, match=r"An older version .* still training .* End it with Ctrl-C"):
            Store()
        assert version_of(older) == before
    with closing(Store()) as store:
        assert store.count_of(ANNA) == 1


@pytest.mark.parametrize("written", WRITTEN)
def test_a_checkpoint_of_an_older_version_writes(written: str) -> None:
    checkpoint = read(OLDER / written / "checkpoint.safetensors")
    assert (checkpoint.step, checkpoint.is_resumable, checkpoint.kind) == (6, True, "next-character")
    sampled = generate(checkpoint.sampler(), checkpoint.vocabulary, prime="Tyger ", length=20, seed=0)
    assert len([s.char for s in sampled]) == 20


def test_checkpoints_of_all_versions_are_the_same_model() -> None:
    first, *others = (read(OLDER / written / "checkpoint.safetensors").weights() for written in WRITTEN)
    for other in others:
        assert all((other[name] == array).all() for name, array in first.items())

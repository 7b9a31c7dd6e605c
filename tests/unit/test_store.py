"""The store keeps runs, hands them to who may have them, and says in a sentence what is wrong with its database."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from rnn.config import ModelConfig, TrainConfig
from rnn.corpora import Text
from rnn.errors import StoreError
from rnn.files import playground_home
from rnn.race import Member
from rnn.records import LayerNorms, StepMetrics, is_measured
from rnn.runs import store as store_module
from rnn.runs.store import Store

ANNA, BEN = "anna's token", "ben's token"
ID = "6fa459ea-ee8a-4ca4-894e-db77e160355e"
SETTINGS = (ModelConfig(cell="gru", hidden_size=5), TrainConfig(steps=9))
RACERS = [Member(cell.upper(), ModelConfig(cell=cell, hidden_size=5), TrainConfig(steps=9)) for cell in ("rnn", "gru")]
POEM = Text("poem.txt", "Tyger Tyger, burning bright,\nIn the forests of the night;\n")


@pytest.fixture
def store(own_home: Path) -> Iterator[Store]:
    opened = Store()
    yield opened
    opened.close()


def create(store: Store, token: str = ANNA, text: Text = POEM, name: str = "") -> str:
    return store.create(token, text, *SETTINGS, name)


def steps(first: int, last: int, validated: tuple[int, ...] = ()) -> list[StepMetrics]:
    """The metrics of these steps; the loss of step n is 1 / n, a validation loss twice that."""
    return [
        StepMetrics(n, n / 10, 1 / n, 0.5, 1e-3, 100.0, n * 0.1, n * 8, 2 / n if n in validated else None)
        for n in range(first, last + 1)
    ]


def layers(first: int, last: int) -> list[LayerNorms]:
    """What is measured of two matrices at these steps."""
    return [
        LayerNorms(step, name, 1 / step, 2.0 + step, 1e-3 * step)
        for step in range(first, last + 1)
        if is_measured(step)
        for name in ("head W_hy", "layer 1 W_xh")
    ]


# Runs


def test_a_new_run_is_paused_at_step_zero_and_says_what_it_is(store: Store) -> None:
    info = store.get(create(store))
    assert (info.status, info.step, info.saved_step, info.loss, info.message) == ("paused", 0, 0, None, "")
    assert info.name == "GRU 5 on poem.txt"
    assert (info.text_name, info.text_sha256, info.kind) == ("poem.txt", POEM.sha256, "next-character")
    assert ModelConfig.from_json(info.model) == ModelConfig(cell="gru", hidden_size=5)
    assert TrainConfig.from_json(info.train) == TrainConfig(steps=9)


def test_runs_are_listed_newest_first_and_only_to_their_owner(store: Store) -> None:
    ids = [create(store) for _ in range(3)]
    create(store, BEN)
    assert [info.id for info in store.runs_of(ANNA)] == ids[::-1]
    assert len(store.runs_of(BEN)) == 1
    assert store.runs_of("nobody's token") == []


def test_only_the_owner_controls_a_run_but_its_id_opens_it(store: Store) -> None:
    run_id = create(store)
    store.require_owner(run_id, ANNA)
    assert store.owns(run_id, ANNA)
    assert not store.owns(run_id, BEN)
    assert store.get(run_id).id == run_id
    with pytest.raises(StoreError, match="belongs to somebody else"):
        store.require_owner(run_id, BEN)


def test_the_files_hold_the_owners_token_only_as_a_hash(store: Store) -> None:
    create(store, "a-very-secret-token")
    assert b"a-very-secret-token" not in b"".join(path.read_bytes() for path in store.home.glob("runs.db*"))


@pytest.mark.parametrize("token", ["", "\ud800", "💥" * 1000, "' OR 1=1 --"])
def test_any_token_is_only_a_token(store: Store, token: str) -> None:
    mine, others = create(store, token), create(store)
    assert [info.id for info in store.runs_of(token)] == [mine]
    assert not store.owns(others, token)


@pytest.mark.parametrize(
    "run_id",
    [
        "", "1", "../../etc/passwd", "..", "a" * 36, "' OR 1=1; DROP TABLE runs; --", "é" * 36, "\0", None, 7,
        ID.upper(), "{" + ID + "}", ID.replace("-", ""), ID + "/..", "../" + ID,
    ],
)  # fmt: skip
def test_what_is_no_id_finds_no_run(store: Store, run_id: str) -> None:
    create(store)
    for look_up in (store.get, store.text, store.metrics, store.samples, store.delete, store.checkpoint_path):
        with pytest.raises(StoreError, match=r"^There is no run with this id here\. Check the link\.$"):
            look_up(run_id)
    assert len(store.runs_of(ANNA)) == 1


def test_an_id_of_no_run_says_so(store: Store) -> None:
    for look_up in (store.get, lambda run_id: store.require_owner(run_id, ANNA)):
        with pytest.raises(StoreError, match="no run with this id here"):
            look_up(str(uuid.uuid4()))


def test_a_name_is_one_short_visible_line(store: Store) -> None:
    run_id = create(store, name="  my\tfirst \n run\0 ")
    assert store.get(run_id).name == "my first run"
    store.rename(run_id, "x" * 500)
    assert store.get(run_id).name == "x" * 80
    with pytest.raises(StoreError, match="at least one visible character"):
        store.rename(run_id, " \n\t\u200b")
    assert store.get(run_id).name == "x" * 80


def test_delete_removes_the_run_its_curves_and_its_files(store: Store) -> None:
    run_id, other = create(store), create(store)
    for one in (run_id, other):
        store.add_metrics(one, steps(1, 3), None)
        store.add_layers(one, layers(1, 3))
        store.add_sample(one, 0, "xyz")
        store.make_folder(one)
        store.checkpoint_path(one).write_bytes(b"weights")
    store.delete(run_id)
    with pytest.raises(StoreError, match="may have been deleted"):
        store.get(run_id)
    assert store.metrics(run_id) == store.samples(run_id) == store.layers(run_id) == []
    assert not store.folder(run_id).exists()
    assert (len(store.metrics(other)), store.layers(other)) == (3, layers(1, 3))
    assert store.checkpoint_path(other).read_bytes() == b"weights"


# Races


def test_the_members_of_a_race_are_runs_in_their_order(store: Store) -> None:
    alone = create(store)
    race_id = store.create_race(ANNA, POEM, RACERS, "seconds")
    members = store.race(race_id)
    assert [(info.race_label, info.race_order) for info in members] == [("RNN", 0), ("GRU", 1)]
    assert [info.name for info in members] == ["RNN in a race on poem.txt", "GRU in a race on poem.txt"]
    assert {(info.race_id, info.race_mode, info.entry_id, info.status) for info in members} == {
        (race_id, "seconds", race_id, "paused")
    }
    assert store.together(members[1].id) == members
    assert [info.id for info in store.together(alone)] == [alone] == [store.get(alone).entry_id]
    assert store.count_of(ANNA) == 3


@pytest.mark.parametrize("race_id", ["", "1", None, ID.upper(), "' OR 1=1; --"])
def test_what_is_no_id_finds_no_race(store: Store, race_id: str) -> None:
    store.create_race(ANNA, POEM, RACERS, "steps")
    for unknown in (race_id, create(store), str(uuid.uuid4())):
        with pytest.raises(StoreError, match="There is no r"):
            store.race(unknown)


def test_of_a_race_that_cannot_be_written_nothing_is_left(store: Store) -> None:
    nameless = Member(" ", ModelConfig(), TrainConfig())
    with pytest.raises(StoreError, match="needs a name"):
        store.create_race(ANNA, POEM, [RACERS[0], replace(nameless, label="\u200b")], "steps")
    store._db.execute(
        "CREATE TRIGGER full BEFORE INSERT ON runs WHEN NEW.race_order = 1 BEGIN SELECT raise(FAIL, 'full'); END"
    )
    with pytest.raises(StoreError):
        store.create_race(ANNA, POEM, RACERS, "steps")
    assert store.runs_of(ANNA) == []


def test_a_race_is_restarted_whole_or_not_at_all(store: Store) -> None:
    first, second = (info.id for info in store.race(store.create_race(ANNA, POEM, RACERS, "steps")))
    for _ in range(2):
        for run_id in (first, second):
            store.set_status(run_id, "interrupted")
        assert [run_id for run_id, _ in store.take_interrupted(2)] == [first, second]
        store.set_saved(first, 1)  # the other one is what brings the server down
    assert store.take_interrupted(2) == []
    store.set_status(second, "finished")
    assert [run_id for run_id, _ in store.take_interrupted(2)] == [first]


# Texts


def test_a_text_is_kept_once_and_goes_with_the_last_run_that_uses_it(store: Store) -> None:
    def kept() -> int:
        with closing(sqlite3.connect(store.home / "runs.db")) as db:
            return db.execute("SELECT count(*) FROM texts").fetchone()[0]

    first, second = create(store), create(store, BEN)
    assert kept() == 1
    store.delete(first)
    assert (kept(), store.text(second)) == (1, POEM)
    store.delete(second)
    assert kept() == 0


def test_the_same_words_keep_each_owners_own_title(store: Store) -> None:
    diary = create(store, ANNA, Text("annas-diary.txt", POEM.content))
    builtin = create(store, BEN, Text("tyger", POEM.content, builtin=True))
    assert store.text(diary) == Text("annas-diary.txt", POEM.content)
    assert store.text(builtin) == Text("tyger", POEM.content, builtin=True)
    assert [info.text_name for info in store.runs_of(BEN)] == ["tyger"]


def test_any_text_comes_back_as_it_was(store: Store) -> None:
    text = Text("mixed", "👍🏽 👩🏿‍🚀 天地玄黄 مرحبا\n\t'; DROP TABLE texts; --" * 50)
    assert store.text(create(store, text=text)).content == text.content


# Curves and samples


def test_curves_come_back_as_they_were_written(store: Store) -> None:
    run_id, written = create(store), steps(1, 20, validated=(10, 20))
    store.add_metrics(run_id, written[:15], best=0.2)
    store.add_metrics(run_id, written[15:], best=0.1)
    assert store.metrics(run_id, points=None) == written
    info = store.get(run_id)
    assert (info.step, info.loss, info.elapsed) == (20, 1 / 20, 2.0)
    assert (info.validation_loss, info.best_validation_loss) == (0.1, 0.1)


def test_steps_without_a_validation_loss_leave_the_last_one_standing(store: Store) -> None:
    run_id = create(store)
    store.add_metrics(run_id, steps(1, 10, validated=(10,)), best=0.2)
    store.add_metrics(run_id, steps(11, 12), best=0.2)
    assert store.get(run_id).validation_loss == 0.2


def test_a_growing_curve_read_as_it_grows_equals_one_read_at_the_end(store: Store) -> None:
    run_id, polled = create(store), create(store)
    for last in (1, 2, 49, 50, 51, 499, 500, 501, 777, 1024, 1025, 3000):
        for one in (run_id, polled):
            done = store.get(one).step
            # As the scheduler writes: the last step once more, for it has its validation loss by now.
            store.add_metrics(one, steps(max(1, done), last, validated=(done, 50, 500)), best=None)
        read_now = store.metrics(polled)
        with closing(Store(store.home)) as fresh:
            assert read_now == fresh.metrics(run_id)


def test_a_curve_that_was_read_is_forgotten_when_its_run_goes_back(store: Store) -> None:
    run_id = create(store)
    store.add_metrics(run_id, steps(1, 600), best=None)
    store.metrics(run_id)
    store.rewind(run_id, 10)
    other = [StepMetrics(n, n / 10, 9.0, 0.5, 1e-3, 100.0, n * 0.1, n * 8) for n in range(11, 601)]
    store.add_metrics(run_id, other, best=None)
    assert store.metrics(run_id)[-1].loss == 9.0
    assert store.metrics(run_id)[100].loss == 9.0


def test_an_owner_who_comes_under_another_token_keeps_the_runs(store: Store) -> None:
    mine, bens = create(store), create(store, BEN)
    store.change_owner(ANNA, "anna's other token")
    assert not store.owns(mine, ANNA)
    assert [run.id for run in store.runs_of("anna's other token")] == [mine]
    assert store.owns(bens, BEN)
    assert (store.count_of(ANNA), store.count_of("anna's other token")) == (0, 1)


@pytest.mark.parametrize("points", [1, 7, 100, 499, 500, 999, 1000, 5000])
def test_thinned_curves_keep_mean_end_and_validation(store: Store, points: int) -> None:
    run_id, count = create(store), 1000
    written = steps(1, count, validated=tuple(range(50, count + 1, 50)))
    store.add_metrics(run_id, written, best=None)
    thinned = store.metrics(run_id, points)
    ends = [0, *(m.step for m in thinned)]
    sizes = [end - start for start, end in pairwise(ends)]

    assert len(thinned) <= points
    assert len(thinned) >= min(points, count) // 2  # points are not thrown away either
    assert thinned[-1].step == count
    assert thinned[-1].characters == written[-1].characters
    assert len(set(sizes[:-1])) <= 1
    total = sum(m.loss * size for m, size in zip(thinned, sizes, strict=True))
    assert total == pytest.approx(sum(m.loss for m in written))
    validated = [m.validation_loss for m in thinned if m.validation_loss is not None]
    assert len(validated) == min(20, len(thinned))
    assert written[-1].validation_loss is not None
    assert validated[-1] >= written[-1].validation_loss


def test_a_run_without_steps_has_empty_curves(store: Store) -> None:
    run_id = create(store)
    store.add_metrics(run_id, [], best=None)
    assert store.metrics(run_id) == []


def test_the_share_of_clipped_steps_survives_thinning(store: Store) -> None:
    run_id = create(store)
    store.add_metrics(run_id, [replace(m, clipped=float(m.step % 4 == 0)) for m in steps(1, 1024)], best=None)
    assert {m.clipped for m in store.metrics(run_id, points=256)} == {0.25}


def test_measurements_of_the_matrices_come_back_in_the_order_of_their_steps(store: Store) -> None:
    run_id = create(store)
    store.add_layers(run_id, layers(11, 60))
    store.add_layers(run_id, layers(1, 30))  # some of them again
    store.add_layers(run_id, [])
    assert store.layers(run_id) == layers(1, 60)


@pytest.mark.parametrize("last", [0, 1, 9, 10, 19, 4000, 4990, 5000, 5010, 12340, 100_000])
def test_long_measurements_are_thinned_to_what_a_chart_can_show(store: Store, last: int) -> None:
    run_id, written = create(store), layers(1, last)
    store.add_layers(run_id, written)
    read = store.layers(run_id)
    one = [n.step for n in read if n.name == "layer 1 W_xh"]
    assert set(read) <= set(written)
    assert len(one) <= store_module.LAYER_POINTS
    assert len(one) >= min(len(written) // 2, store_module.LAYER_POINTS // 2)
    assert one[:10] == list(range(1, min(last, 10) + 1))
    assert one[-1:] == [n.step for n in written[-1:]]
    assert len({b - a for a, b in pairwise(one[10:-1])}) <= 1, "evenly spaced"


def test_a_run_counts_as_diverged_until_it_stands_elsewhere(store: Store) -> None:
    run_id = create(store)
    store.set_status(run_id, "paused", "It broke.", diverged=True)
    store.rename(run_id, "broken")
    assert store.get(run_id).diverged
    store.set_status(run_id, "queued")
    assert not store.get(run_id).diverged


def test_samples_are_kept_in_the_order_of_their_steps(store: Store) -> None:
    run_id = create(store)
    for step, text in ((20, "the"), (0, "q;"), (20, "the night")):
        store.add_sample(run_id, step, text)
    assert store.samples(run_id) == [(0, "q;"), (20, "the night")]


def test_rewind_leaves_a_run_as_it_was_at_that_step(store: Store) -> None:
    run_id = create(store)
    store.make_folder(run_id)
    store.add_metrics(run_id, steps(1, 12, validated=(10,)), best=0.2)
    before = store.get(run_id)
    store.add_layers(run_id, layers(1, 30))
    for step in (0, 10, 20):
        store.add_sample(run_id, step, f"at {step}")
        store.snapshot_path(run_id, step).write_bytes(b"")
    store.add_metrics(run_id, steps(13, 30, validated=(20, 30)), best=1 / 15)
    store.rewind(run_id, 12)
    after = store.get(run_id)
    for value in ("step", "loss", "elapsed", "validation_loss", "best_validation_loss"):
        assert getattr(after, value) == getattr(before, value), value
    assert [m.step for m in store.metrics(run_id)] == list(range(1, 13))
    assert store.layers(run_id) == layers(1, 12)
    assert store.samples(run_id) == [(0, "at 0"), (10, "at 10")]
    assert store.snapshots(run_id) == [0, 10]


def test_rewind_to_the_beginning_leaves_no_loss(store: Store) -> None:
    run_id = create(store)
    store.add_metrics(run_id, steps(1, 12, validated=(10,)), best=0.2)
    store.rewind(run_id, 0)
    info = store.get(run_id)
    assert (info.step, info.elapsed, info.loss, info.validation_loss, info.best_validation_loss) == (0, 0, *[None] * 3)


# Opening and reopening


def test_everything_survives_reopening(store: Store) -> None:
    run_id = create(store, name="kept")
    store.add_metrics(run_id, steps(1, 4), None)
    store.add_sample(run_id, 0, "sample")
    store.set_status(run_id, "finished", "Reached its stop.")
    store.set_saved(run_id, 4)
    before = store.get(run_id)
    store.close()
    with closing(Store(store.home)) as again:
        assert again.runs_of(ANNA) == [before]
        assert again.text(run_id) == POEM
        assert (len(again.metrics(run_id)), again.samples(run_id)) == (4, [(0, "sample")])


def test_active_runs_of_a_dead_server_become_interrupted_and_no_others(store: Store) -> None:
    ids = {status: create(store) for status in store_module.STATUSES}
    for status, run_id in ids.items():
        store.set_status(run_id, status, "as it was")
    assert store.interrupt_active() == 2
    left = {status: store.get(run_id) for status, run_id in ids.items()}
    assert left["running"].status == left["queued"].status == "interrupted"
    assert "Resume it" in left["running"].message
    for status in ("paused", "finished", "failed", "interrupted"):
        assert (left[status].status, left[status].message) == (status, "as it was")


def test_half_written_files_are_removed_and_nothing_else(store: Store) -> None:
    run_id = create(store)
    store.make_folder(run_id)
    whole = (store.checkpoint_path(run_id), store.snapshot_path(run_id, 10))
    partial = [path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp") for path in whole]
    for path in (*whole, *partial):
        path.write_bytes(b"weights")
    store.remove_partial_files()
    assert [path.exists() for path in (*whole, *partial)] == [True, True, False, False]


def test_the_home_comes_from_the_environment_or_is_a_folder_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RNN_PLAYGROUND_HOME", "/somewhere/else")
    assert playground_home() == Path("/somewhere/else")
    monkeypatch.delenv("RNN_PLAYGROUND_HOME")
    assert playground_home() == Path(".playground")


# What can be wrong with it


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "BUSY_SECONDS", 0.05)


@pytest.fixture
def other_program(store: Store) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(store.home / "runs.db", isolation_level=None)) as db:
        yield db


@pytest.mark.usefixtures("impatient")
def test_a_locked_database_says_so_and_can_still_be_read(store: Store, other_program: sqlite3.Connection) -> None:
    with closing(Store(store.home)) as opened:
        run_id = create(opened)
        other_program.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreError, match="in use by another program"):
            opened.rename(run_id, "new")
        assert opened.get(run_id).name == "GRU 5 on poem.txt"
        with pytest.raises(StoreError, match="in use by another program"):
            Store(store.home)
        other_program.execute("COMMIT")
        opened.rename(run_id, "new")
        assert opened.get(run_id).name == "new"


def test_a_short_lock_is_waited_for(store: Store, other_program: sqlite3.Connection) -> None:
    writer = f"import sqlite3, time; db = sqlite3.connect({str(store.home / 'runs.db')!r}, isolation_level=None); "
    writer += "db.execute('BEGIN EXCLUSIVE'); print('locked', flush=True); time.sleep(0.2); db.execute('COMMIT')"
    with subprocess.Popen([sys.executable, "-c", writer], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"locked\n"
        assert store.get(create(store)).status == "paused"


def test_a_home_that_another_server_is_just_making_is_waited_for(own_home: Path) -> None:
    own_home.mkdir()
    with closing(sqlite3.connect(own_home / "runs.db", isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")  # SQLite does not wait for this by itself when it is to change its journal
        threading.Timer(0.1, other.execute, ["COMMIT"]).start()
        Store().close()


def test_a_newer_version_is_left_alone(store: Store, other_program: sqlite3.Connection) -> None:
    create(store)
    store.close()
    newer = store_module.VERSION + 1
    other_program.execute(f"PRAGMA user_version = {newer}")
    with pytest.raises(StoreError, match=rf"newer version of this program \(store version {newer}; this one reads"):
        Store(store.home)
    assert other_program.execute("PRAGMA user_version").fetchone() == (newer,)


def test_a_home_that_is_a_file_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    for home in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(StoreError, match=r"cannot be made .* Set RNN_PLAYGROUND_HOME"):
            Store(home)


@pytest.mark.parametrize("content", [b"this is not a database, " * 100, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_file_that_is_no_database_says_so(own_home: Path, content: bytes) -> None:
    own_home.mkdir()
    (own_home / "runs.db").write_bytes(content)
    with pytest.raises(StoreError, match="damaged or is not one"):
        Store()
    assert (own_home / "runs.db").read_bytes() == content


def test_a_damaged_database_says_so(store: Store) -> None:
    run_id = create(store)
    store.add_metrics(run_id, steps(1, 500), None)
    store.close()
    path = store.home / "runs.db"
    size = path.stat().st_size
    path.write_bytes(path.read_bytes()[:4096] + b"\xa5" * (size - 4096))  # all pages but the first
    with pytest.raises(StoreError, match="damaged or is not one"), closing(Store(store.home)) as opened:
        opened.runs_of(ANNA)


def test_a_database_that_is_a_folder_says_so(own_home: Path) -> None:
    (own_home / "runs.db").mkdir(parents=True)
    with pytest.raises(StoreError, match="cannot be written"):
        Store()


def test_a_full_disk_says_so_and_nothing_is_half_done(store: Store) -> None:
    run_id = create(store)
    store.add_metrics(run_id, steps(1, 5), None)
    pages = store._db.execute("PRAGMA page_count").fetchone()[0]
    store._db.execute(f"PRAGMA max_page_count = {pages}")  # SQLite answers as it does on a full disk
    with pytest.raises(StoreError, match=r"disk is full.*Make room"):
        store.add_metrics(run_id, steps(6, 5000), None)
    assert store.get(run_id).step == 5
    assert len(store.metrics(run_id)) == 5
    store._db.execute("PRAGMA max_page_count = 1000000")
    store.add_metrics(run_id, steps(6, 5000), None)
    assert store.get(run_id).step == 5000


OPEN_UNPRIVILEGED = """
import os, sys
from rnn.runs.store import Store
if os.geteuid() == 0:  # root may write anything
    os.setgid(65534)
    os.setuid(65534)
Store(sys.argv[1])
"""


@pytest.fixture
def open_home(store: Store) -> Iterator[Path]:
    """A copy of the store's folder at a place that every user can reach."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        store.close()
        yield shutil.copytree(store.home, Path(folder) / "home")
        subprocess.run(["chmod", "-R", "u+w", folder], check=True)


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
@pytest.mark.parametrize("locked", ["runs.db", "."])
def test_a_store_that_cannot_be_written_says_so_at_once(open_home: Path, locked: str) -> None:
    open_home.chmod(0o777)
    (open_home / locked).chmod(0o555)
    (open_home / "runs.db").chmod(0o444)
    result = subprocess.run(
        [sys.executable, "-c", OPEN_UNPRIVILEGED, str(open_home)], capture_output=True, text=True, timeout=60
    )
    assert "StoreError: The run database cannot be written. Check the folder's permissions" in result.stderr

"""Runs, their texts and metrics in SQLite, their weights in files beside it. No torch.

    HOME/runs.db                          runs, texts, metrics, samples (write-ahead log)
    HOME/runs/ID/checkpoint.safetensors   the run as it can be resumed
    HOME/runs/ID/good.safetensors         its last good state, where the one above was breaking
    HOME/runs/ID/snapshots/STEP.safetensors   weights alone, as they were at that step

A run's id (a random uuid) opens it for reading; changing it takes its owner's token, of which only a hash is kept.
"""

from __future__ import annotations

import hashlib
import json
import math
import shutil
import sqlite3
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from rnn.catalogue import TASKS
from rnn.config import ModelConfig, TaskConfig, TrainConfig
from rnn.corpora import Text
from rnn.errors import NoSuchRunError, StoreError
from rnn.files import playground_home, remove_partial
from rnn.race import Member
from rnn.records import MEASURED_EVERY, MEASURED_FIRST, METRICS, LayerNorms, RunInfo, StepMetrics

VERSION = 5
BUSY_SECONDS = 5.0
UPGRADE_SECONDS = 1.0  # that a server waits for another one that is bringing the store up to date
ACTIVE = ("queued", "running")
STATUSES = (*ACTIVE, "paused", "finished", "failed", "interrupted")
MAX_NAME = 80  # characters of a run's name
LAYER_POINTS = 500  # of one matrix's curve
STEP_BYTES = 160  # that a step takes in the database, about: its metrics, and a tenth of what is measured of matrices
CURVES_KEPT = 64  # runs whose curves are kept in memory, for the pages that ask once a second

SCHEMA = """
CREATE TABLE IF NOT EXISTS texts (sha256 TEXT PRIMARY KEY, content TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS runs (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, name TEXT NOT NULL, status TEXT NOT NULL, message TEXT NOT NULL,
    kind TEXT NOT NULL, text_sha256 TEXT NOT NULL REFERENCES texts, text_name TEXT NOT NULL,
    text_builtin INTEGER NOT NULL, model TEXT NOT NULL, train TEXT NOT NULL,
    stop_at INTEGER, step INTEGER NOT NULL, saved_step INTEGER NOT NULL, elapsed REAL NOT NULL,
    loss REAL, validation_loss REAL, best_validation_loss REAL, created REAL NOT NULL, updated REAL NOT NULL,
    restarts INTEGER NOT NULL DEFAULT 0, diverged INTEGER NOT NULL DEFAULT 0, rate_multiplier REAL NOT NULL DEFAULT 1,
    race_id TEXT, race_label TEXT NOT NULL DEFAULT '', race_order INTEGER NOT NULL DEFAULT 0,
    race_mode TEXT NOT NULL DEFAULT '', task TEXT NOT NULL DEFAULT '{}', score REAL
);
CREATE INDEX IF NOT EXISTS runs_of_owner ON runs (owner, created);
CREATE INDEX IF NOT EXISTS runs_of_race ON runs (race_id, race_order);
CREATE TABLE IF NOT EXISTS metrics (
    run_id TEXT NOT NULL REFERENCES runs ON DELETE CASCADE, step INTEGER NOT NULL, epoch REAL NOT NULL,
    loss REAL NOT NULL, grad_norm REAL NOT NULL, learning_rate REAL NOT NULL, chars_per_second REAL NOT NULL,
    elapsed REAL NOT NULL, characters INTEGER NOT NULL, validation_loss REAL, clipped REAL,
    score REAL, PRIMARY KEY (run_id, step)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS layers (
    run_id TEXT NOT NULL REFERENCES runs ON DELETE CASCADE, step INTEGER NOT NULL, name TEXT NOT NULL,
    grad_norm REAL NOT NULL, weight_norm REAL NOT NULL, update_ratio REAL NOT NULL, PRIMARY KEY (run_id, step, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS samples (
    run_id TEXT NOT NULL REFERENCES runs ON DELETE CASCADE, step INTEGER NOT NULL, text TEXT NOT NULL,
    PRIMARY KEY (run_id, step)
) WITHOUT ROWID;
"""

# From one version of the store to the next. 0: from the very first stores, which call themselves version 1 too, but
# keep a text's title with the text.
UPGRADES = {
    0: """
        ALTER TABLE runs ADD COLUMN text_name TEXT NOT NULL DEFAULT '';
        ALTER TABLE runs ADD COLUMN text_builtin INTEGER NOT NULL DEFAULT 0;
        UPDATE runs SET (text_name, text_builtin) = (SELECT name, builtin FROM texts WHERE sha256 = text_sha256);
        ALTER TABLE texts DROP COLUMN name;
        ALTER TABLE texts DROP COLUMN builtin;
    """,
    1: "ALTER TABLE runs ADD COLUMN restarts INTEGER NOT NULL DEFAULT 0;",
    2: """
        ALTER TABLE runs ADD COLUMN diverged INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE runs ADD COLUMN rate_multiplier REAL NOT NULL DEFAULT 1;
        ALTER TABLE metrics ADD COLUMN clipped REAL;
        CREATE TABLE layers (
            run_id TEXT NOT NULL REFERENCES runs ON DELETE CASCADE, step INTEGER NOT NULL, name TEXT NOT NULL,
            grad_norm REAL NOT NULL, weight_norm REAL NOT NULL, update_ratio REAL NOT NULL,
            PRIMARY KEY (run_id, step, name)
        ) WITHOUT ROWID;
    """,
    3: """
        ALTER TABLE runs ADD COLUMN race_id TEXT;
        ALTER TABLE runs ADD COLUMN race_label TEXT NOT NULL DEFAULT '';
        ALTER TABLE runs ADD COLUMN race_order INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE runs ADD COLUMN race_mode TEXT NOT NULL DEFAULT '';
        CREATE INDEX runs_of_race ON runs (race_id, race_order);
    """,
    4: """
        ALTER TABLE runs ADD COLUMN task TEXT NOT NULL DEFAULT '{}';
        ALTER TABLE runs ADD COLUMN score REAL;
        ALTER TABLE metrics ADD COLUMN score REAL;
    """,
}


def owner_key(token: str) -> str:
    """What the store keeps of an owner's token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


class Store:
    """All runs of one server. Every method may be called from any thread.

    Args:
        home: its folder, made if it is not there.

    Raises:
        StoreError: from any method, when the folder or the database cannot be read or written.
    """

    def __init__(self, home: str | Path | None = None) -> None:
        self.home = Path(home) if home is not None else playground_home()
        self._lock = threading.RLock()
        self._curves: OrderedDict[str, tuple[int, list[StepMetrics]]] = OrderedDict()  # run -> stride, whole bins
        try:
            (self.home / "runs").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"The folder {self.home} for runs cannot be made ({error.strerror}). "
                "Set RNN_PLAYGROUND_HOME to a folder that can be written."
            ) from error
        with _sentences():
            self._db = sqlite3.connect(self.home / "runs.db", BUSY_SECONDS, check_same_thread=False)
            self._db.row_factory = sqlite3.Row
        try:
            self._prepare()
        except StoreError:
            self._db.close()
            raise

    def _prepare(self) -> None:
        with self._lock, _sentences():
            version = self._version()
            if version > VERSION:
                raise StoreError(
                    f"The runs in {self.home} were written by a newer version of this program (store version "
                    f"{version}; this one reads {VERSION}). Update the program, or set RNN_PLAYGROUND_HOME to "
                    "another folder."
                )
            self._use_write_ahead_log()
            self._db.execute("PRAGMA synchronous = NORMAL")  # with WAL, a crash of the program loses nothing
            self._db.execute("PRAGMA foreign_keys = ON")
            self._db.execute("PRAGMA secure_delete = ON")  # what is deleted is overwritten
            if version == 0:
                self._db.executescript(f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")
            elif version < VERSION:
                self._upgrade()
            self._db.execute(f"PRAGMA user_version = {VERSION}")  # a read-only store says so here, not at the first run

    def _upgrade(self) -> None:
        """Brings an older store up to date. Not under a server that trains: its program knows the older one alone."""
        try:
            with FileLock(self.home / "server.lock", timeout=UPGRADE_SECONDS):
                version = self._version()
                if version == 1 and "name" in self._columns("texts"):
                    version = 0
                for old in range(version, VERSION):
                    self._db.executescript(f"BEGIN IMMEDIATE; {UPGRADES[old]} PRAGMA user_version = {old + 1}; COMMIT;")
        except Timeout as error:
            if self._version() == VERSION:  # another server that has just started did it, and trains
                return
            raise StoreError(
                f"An older version of this program is still training with the runs in {self.home}. "
                "End it with Ctrl-C, which saves them, and try again."
            ) from error
        except OSError as error:
            raise StoreError(
                f"The folder {self.home} cannot be written ({error.strerror}), so its runs cannot be brought up to "
                "date. Check the folder's permissions, or set RNN_PLAYGROUND_HOME."
            ) from error

    def _version(self) -> int:
        return int(self._db.execute("PRAGMA user_version").fetchone()[0])

    def _columns(self, table: str) -> set[str]:
        return {row["name"] for row in self._db.execute(f"PRAGMA table_info({table})")}

    def _use_write_ahead_log(self) -> None:
        """SQLite does not wait by itself here, and two servers that start at once meet."""
        deadline = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                self._db.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, _sentences(), self._db:
            yield self._db

    def _rows(self, query: str, *values: Any) -> list[sqlite3.Row]:
        with self._lock, _sentences():
            return self._db.execute(query, values).fetchall()

    # Runs

    def create(
        self,
        token: str,
        text: Text | None,
        model: ModelConfig,
        train: TrainConfig,
        name: str = "",
        task: TaskConfig | None = None,
    ) -> str:
        """Adds a run, paused at step 0, and returns its id.

        Args:
            text: what it reads; None where the task has its own data.
            task: what it learns; None: to predict the next character.
        """
        task = task or TaskConfig()
        text = _text_of(task, text)
        row = _new_row(token, text, model, train, name, task)
        self._insert(text, [row])
        return str(row["id"])

    def create_race(self, token: str, text: Text, members: Sequence[Member], mode: str) -> str:
        """Adds a run for each member, all of them or none, paused at step 0; returns the id of the race."""
        race_id = str(uuid.uuid4())
        rows = [
            _new_row(token, text, member.model, member.train, f"{member.label} in a race on {text.name}", TaskConfig())
            | {"race_id": race_id, "race_label": _checked_name(member.label), "race_order": place, "race_mode": mode}
            for place, member in enumerate(members)
        ]
        self._insert(text, rows)
        return race_id

    def _insert(self, text: Text, rows: list[dict[str, Any]]) -> None:
        columns, marks = ", ".join(rows[0]), ", ".join("?" * len(rows[0]))
        with self._transaction() as db:
            db.execute("INSERT OR IGNORE INTO texts VALUES (?, ?)", (text.sha256, text.content))
            db.executemany(f"INSERT INTO runs ({columns}) VALUES ({marks})", [tuple(row.values()) for row in rows])

    def get(self, run_id: str) -> RunInfo:
        """The run with this id.

        Raises:
            StoreError: there is none; so says any text that is not an id.
        """
        rows = self._rows("SELECT * FROM runs WHERE id = ?", _checked_id(run_id))
        if not rows:
            raise NoSuchRunError("There is no run with this id here. It may have been deleted; choose another one.")
        return _info(rows[0])

    def race(self, race_id: str) -> list[RunInfo]:
        """The members of a race, in their order.

        Raises:
            StoreError: there is no such race; so says any text that is not an id.
        """
        rows = self._rows("SELECT * FROM runs WHERE race_id = ? ORDER BY race_order", _checked_id(race_id))
        if not rows:
            raise NoSuchRunError("There is no race with this id here. It may have been deleted; start another one.")
        return [_info(row) for row in rows]

    def together(self, run_id: str) -> list[RunInfo]:
        """All members of the run's race in their order, or the run alone."""
        info = self.get(run_id)
        return self.race(info.race_id) if info.race_id else [info]

    def runs_of(self, token: str) -> list[RunInfo]:
        """The runs of one owner, the newest first."""
        rows = self._rows("SELECT * FROM runs WHERE owner = ? ORDER BY created DESC, rowid DESC", owner_key(token))
        return [_info(row) for row in rows]

    def active(self) -> list[tuple[RunInfo, str]]:
        """Everybody's active and waiting runs, each with its owner's key, the oldest first."""
        rows = self._rows("SELECT * FROM runs WHERE status IN (?, ?) ORDER BY created, rowid", *ACTIVE)
        return [(_info(row), row["owner"]) for row in rows]

    def paused_with(self, message: str) -> list[tuple[str, str]]:
        """(id, owner's key) of the runs that are paused for this reason, the oldest first."""
        query = "SELECT id, owner FROM runs WHERE status = 'paused' AND message = ? ORDER BY created, rowid"
        return [(row["id"], row["owner"]) for row in self._rows(query, message)]

    def owns(self, run_id: str, token: str) -> bool:
        """Whether this token controls the run."""
        rows = self._rows("SELECT owner FROM runs WHERE id = ?", _checked_id(run_id))
        return bool(rows) and rows[0]["owner"] == owner_key(token)

    def require_owner(self, run_id: str, token: str) -> None:
        """Raises StoreError where the run is not there or belongs to somebody else."""
        self.get(run_id)
        if not self.owns(run_id, token):
            raise StoreError("This run belongs to somebody else: it can be watched and sampled from, not changed.")

    def count_of(self, token: str) -> int:
        """How many runs this owner has."""
        return int(self._rows("SELECT count(*) FROM runs WHERE owner = ?", owner_key(token))[0][0])

    def change_owner(self, token: str, new_token: str) -> None:
        """Gives all runs of one owner to another."""
        with self._transaction() as db:
            db.execute("UPDATE runs SET owner = ? WHERE owner = ?", (owner_key(new_token), owner_key(token)))

    def set_status(self, run_id: str, status: str, message: str = "", diverged: bool = False) -> None:
        """Where the run stands and why; it counts as diverged until it is said to stand anywhere else."""
        assert status in STATUSES
        with self._transaction() as db:
            db.execute(
                "UPDATE runs SET status = ?, message = ?, diverged = ?, updated = ? WHERE id = ?",
                (status, message, diverged, time.time(), _checked_id(run_id)),
            )

    def set_stop_at(self, run_id: str, stop_at: int | None) -> None:
        """The step to stop at, in place of the configured one."""
        with self._transaction() as db:
            db.execute("UPDATE runs SET stop_at = ? WHERE id = ?", (stop_at, _checked_id(run_id)))

    def stop_at(self, run_id: str) -> int | None:
        rows = self._rows("SELECT stop_at FROM runs WHERE id = ?", _checked_id(run_id))
        return rows[0]["stop_at"] if rows else None

    def set_train(self, run_id: str, train: TrainConfig) -> None:
        """The configuration as it was fitted to the text, or changed since."""
        with self._transaction() as db:
            db.execute("UPDATE runs SET train = ? WHERE id = ?", (json.dumps(train.to_json()), _checked_id(run_id)))

    def set_rate_multiplier(self, run_id: str, multiplier: float) -> None:
        """The live factor on the learning rate."""
        with self._transaction() as db:
            db.execute("UPDATE runs SET rate_multiplier = ? WHERE id = ?", (multiplier, _checked_id(run_id)))

    def rename(self, run_id: str, name: str) -> None:
        with self._transaction() as db:
            db.execute("UPDATE runs SET name = ? WHERE id = ?", (_checked_name(name), _checked_id(run_id)))

    def delete(self, *run_ids: str) -> None:
        """Removes the runs, their files, and the texts that no other run uses."""
        ids = [_checked_id(run_id) for run_id in run_ids]
        with self._transaction() as db:
            db.executemany("DELETE FROM runs WHERE id = ?", [(run_id,) for run_id in ids])
            db.execute("DELETE FROM texts WHERE sha256 NOT IN (SELECT text_sha256 FROM runs)")
        self._rows("PRAGMA wal_checkpoint(TRUNCATE)")  # the log would still hold what was deleted
        for run_id in ids:
            self._forget_curve(run_id)
            shutil.rmtree(self.folder(run_id), ignore_errors=True)

    def resting(self) -> list[tuple[float, list[str]]]:
        """(last change, ids) of what neither waits nor trains, a run or all members of a race; the oldest first."""
        rows = self._rows(
            "SELECT max(updated) AS changed, group_concat(id) AS ids FROM runs GROUP BY coalesce(race_id, id) "
            "HAVING sum(status IN (?, ?)) = 0 ORDER BY changed, min(rowid)",
            *ACTIVE,
        )
        return [(row["changed"], row["ids"].split(",")) for row in rows]

    def database_bytes(self) -> int:
        """What the database holds; the file may be larger, its free pages are used again."""
        page, count, free = (
            self._rows(f"PRAGMA {name}")[0][0] for name in ("page_size", "page_count", "freelist_count")
        )
        return int(page * (count - free))

    def rows_bytes_of(self, token: str) -> int:
        """What one owner's texts and curves take in the database, about."""
        key = owner_key(token)
        steps = self._rows("SELECT coalesce(sum(step), 0) FROM runs WHERE owner = ?", key)[0][0]
        texts = self._rows(
            "SELECT coalesce(sum(length(CAST(content AS BLOB))), 0) FROM texts "
            "WHERE sha256 IN (SELECT text_sha256 FROM runs WHERE owner = ?)",
            key,
        )[0][0]
        return int(texts + STEP_BYTES * steps)

    def interrupt_active(self) -> int:
        """Marks the runs that a server left behind when it ended; returns how many."""
        message = "The server stopped while this run was active. Resume it: it goes on from its last save."
        with self._transaction() as db:
            changed = db.execute(
                "UPDATE runs SET status = 'interrupted', message = ?, updated = ? WHERE status IN (?, ?)",
                (message, time.time(), *ACTIVE),
            )
            return changed.rowcount

    def take_interrupted(self, most_restarts: int) -> list[tuple[str, str]]:
        """(id, owner's key) of the interrupted runs that a server may start again by itself, the oldest first.

        Each counts the restarts since its last save, so a run that brings its server down does not do so for ever. A
        race starts whole or not at all: the member with the most restarts decides.
        """
        with self._transaction() as db:
            rows = db.execute(
                "SELECT id, owner FROM runs WHERE status = 'interrupted' AND ? > (SELECT max(other.restarts) "
                "FROM runs AS other WHERE other.id = runs.id OR "
                "(other.race_id = runs.race_id AND other.status = 'interrupted')) ORDER BY created, rowid",
                (most_restarts,),
            ).fetchall()
            db.executemany("UPDATE runs SET restarts = restarts + 1 WHERE id = ?", [(row["id"],) for row in rows])
        return [(row["id"], row["owner"]) for row in rows]

    def remove_partial_files(self) -> None:
        """Removes what a server that was killed had only half written; only for the one that may write."""
        remove_partial(self.home / "runs")

    def text(self, run_id: str) -> Text | None:
        """The text of a run; None where its task has its own data."""
        rows = self._rows(
            "SELECT kind, text_name, content, text_builtin FROM texts JOIN runs ON sha256 = text_sha256 WHERE id = ?",
            _checked_id(run_id),
        )
        if not rows:
            raise StoreError("The text of this run is no longer here.")
        if not TASKS[rows[0]["kind"]].needs_text:
            return None
        return Text(rows[0]["text_name"], rows[0]["content"], builtin=bool(rows[0]["text_builtin"]))

    # Metrics and samples

    def add_metrics(self, run_id: str, metrics: Iterable[StepMetrics], best: float | None) -> None:
        """Adds steps to a run's curves and updates its row; a step that is there already is replaced."""
        run_id, metrics = _checked_id(run_id), tuple(metrics)
        if not metrics:
            return
        last = metrics[-1]
        validated = next((m for m in reversed(metrics) if m.validation_loss is not None), None)
        rows = [(run_id, *(getattr(m, name) for name in METRICS)) for m in metrics]
        with self._transaction() as db:
            db.executemany(f"INSERT OR REPLACE INTO metrics VALUES (?{', ?' * len(METRICS)})", rows)
            db.execute(
                "UPDATE runs SET step = ?, elapsed = ?, loss = ?, best_validation_loss = ?, updated = ? WHERE id = ?",
                (last.step, last.elapsed, last.loss, best, time.time(), run_id),
            )
            if validated is not None:
                values = (validated.validation_loss, validated.score, run_id)
                db.execute("UPDATE runs SET validation_loss = ?, score = ? WHERE id = ?", values)

    def metrics(self, run_id: str, points: int | None = 500) -> list[StepMetrics]:
        """A run's curves in at most `points` points, each the mean of equally many steps (None: every step)."""
        run_id = _checked_id(run_id)
        if points is None:
            return self._bins(run_id, 1, 0)
        with self._lock:
            steps = self._rows("SELECT max(step) FROM metrics WHERE run_id = ?", run_id)[0][0] or 0
            stride = _stride(steps, points)
            # Pages ask once a second: whole bins are read once, and only what came since is read again.
            known_stride, known = self._curves.get(run_id, (0, []))
            whole = known if known_stride == stride and len(known) * stride < steps else []
            curve = whole + self._bins(run_id, stride, len(whole) * stride)
            # The newest step may still get its validation loss, so the bin that it ends is not whole yet.
            self._curves[run_id] = stride, curve[: max(0, steps - 1) // stride]
            self._curves.move_to_end(run_id)
            while len(self._curves) > CURVES_KEPT:
                self._curves.popitem(last=False)
        return curve

    def _bins(self, run_id: str, stride: int, after: int) -> list[StepMetrics]:
        """The means of every `stride` steps, from the one after step `after` on."""
        rows = self._rows(
            "SELECT max(step), max(epoch), avg(loss), avg(grad_norm), avg(learning_rate), avg(chars_per_second), "
            "max(elapsed), max(characters), avg(validation_loss), avg(clipped), avg(score) FROM metrics "
            "WHERE run_id = ? AND step > ? GROUP BY (step - 1) / ? ORDER BY step",
            run_id,
            after,
            stride,
        )
        return [StepMetrics(*row) for row in rows]

    def _forget_curve(self, run_id: str) -> None:
        with self._lock:
            self._curves.pop(run_id, None)

    def add_layers(self, run_id: str, norms: Iterable[LayerNorms]) -> None:
        """Adds what was measured of a run's matrices; a measurement that is there already is replaced."""
        run_id = _checked_id(run_id)
        rows = [(run_id, n.step, n.name, n.grad_norm, n.weight_norm, n.update_ratio) for n in norms]
        if rows:
            with self._transaction() as db:
                db.executemany("INSERT OR REPLACE INTO layers VALUES (?, ?, ?, ?, ?, ?)", rows)

    def layers(self, run_id: str) -> list[LayerNorms]:
        """What was measured of a run's matrices, in the order of the steps: at most `LAYER_POINTS` steps of them.

        Means of many steps would have to read them all; of a long run these are single steps, evenly spaced, besides
        the first ones and the last.
        """
        run_id = _checked_id(run_id)
        last = self._rows("SELECT max(step) FROM layers WHERE run_id = ?", run_id)[0][0] or 0
        shown = ", ".join(map(str, _measured_steps(last, LAYER_POINTS)))
        rows = self._rows(
            "SELECT step, name, grad_norm, weight_norm, update_ratio FROM layers "
            f"WHERE run_id = ? AND step IN ({shown}) ORDER BY step, name",
            run_id,
        )
        return [LayerNorms(*row) for row in rows]

    def add_sample(self, run_id: str, step: int, text: str) -> None:
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO samples VALUES (?, ?, ?)", (_checked_id(run_id), step, text))

    def samples(self, run_id: str) -> list[tuple[int, str]]:
        """(step, text) of what the run wrote along the way, all with the same random numbers."""
        rows = self._rows("SELECT step, text FROM samples WHERE run_id = ? ORDER BY step", _checked_id(run_id))
        return [(row["step"], row["text"]) for row in rows]

    def newest_sample(self, run_id: str) -> tuple[int, str] | None:
        """(step, text) of the last of them."""
        rows = self._rows(
            "SELECT step, text FROM samples WHERE run_id = ? ORDER BY step DESC LIMIT 1", _checked_id(run_id)
        )
        return (rows[0]["step"], rows[0]["text"]) if rows else None

    def rewind(self, run_id: str, step: int) -> None:
        """Forgets what came after `step`, because the run goes on from there."""
        run_id = _checked_id(run_id)
        with self._transaction() as db:
            db.execute("DELETE FROM metrics WHERE run_id = ? AND step > ?", (run_id, step))
            db.execute("DELETE FROM layers WHERE run_id = ? AND step > ?", (run_id, step))
            db.execute("DELETE FROM samples WHERE run_id = ? AND step > ?", (run_id, step))
            db.execute(f"UPDATE runs SET step = :step, {_LAST_METRICS} WHERE id = :id", {"id": run_id, "step": step})
        self._forget_curve(run_id)
        for later in (s for s in self.snapshots(run_id) if s > step):
            self.snapshot_path(run_id, later).unlink(missing_ok=True)

    # Files

    def folder(self, run_id: str) -> Path:
        return self.home / "runs" / _checked_id(run_id)

    def checkpoint_path(self, run_id: str) -> Path:
        return self.folder(run_id) / "checkpoint.safetensors"

    def last_good_path(self, run_id: str) -> Path:
        return self.folder(run_id) / "good.safetensors"

    def snapshot_path(self, run_id: str, step: int) -> Path:
        return self.folder(run_id) / "snapshots" / f"{step}.safetensors"

    def snapshots(self, run_id: str) -> list[int]:
        """The steps whose weights are kept."""
        return sorted(int(path.stem) for path in (self.folder(run_id) / "snapshots").glob("[0-9]*.safetensors"))

    def make_folder(self, run_id: str) -> None:
        """Makes the run's folders."""
        try:
            (self.folder(run_id) / "snapshots").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"The folder of the run cannot be made ({error.strerror}).") from error

    def set_saved(self, run_id: str, step: int) -> None:
        """Records that the checkpoint on disk is at `step`; called when it is."""
        with self._transaction() as db:
            db.execute("UPDATE runs SET saved_step = ?, restarts = 0 WHERE id = ?", (step, _checked_id(run_id)))

    def remove_checkpoint(self, run_id: str) -> None:
        """Removes what was saved, so that the run begins anew."""
        try:
            self.checkpoint_path(run_id).unlink(missing_ok=True)
            self.last_good_path(run_id).unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"What was saved of the run cannot be removed ({error.strerror}).") from error
        self.set_saved(run_id, 0)


# What a run's row says of its curves, read from them.
_LAST_METRICS = """
    elapsed = coalesce((SELECT max(elapsed) FROM metrics WHERE run_id = :id), 0),
    loss = (SELECT loss FROM metrics WHERE run_id = :id ORDER BY step DESC LIMIT 1),
    validation_loss = (
        SELECT validation_loss FROM metrics WHERE run_id = :id AND validation_loss IS NOT NULL
        ORDER BY step DESC LIMIT 1
    ),
    score = (SELECT score FROM metrics WHERE run_id = :id AND validation_loss IS NOT NULL ORDER BY step DESC LIMIT 1),
    best_validation_loss = (SELECT min(validation_loss) FROM metrics WHERE run_id = :id)
"""


@contextmanager
def _sentences() -> Iterator[None]:
    """Turns SQLite's errors into sentences."""
    try:
        yield
    except sqlite3.OperationalError as error:
        reason = str(error)
        if "locked" in reason or "busy" in reason:
            advice = "The run database is in use by another program. Close it, then try again."
        elif "readonly" in reason or "read-only" in reason or "unable to open" in reason:
            advice = "The run database cannot be written. Check the folder's permissions, or set RNN_PLAYGROUND_HOME."
        elif "full" in reason or "disk I/O" in reason:
            advice = "The disk is full or cannot be written, so nothing can be saved. Make room, then try again."
        else:
            advice = f"The run database could not be used ({reason})."
        raise StoreError(advice) from error
    except sqlite3.DatabaseError as error:
        raise StoreError(
            f"The run database is damaged or is not one ({error}). Move it away, or set RNN_PLAYGROUND_HOME."
        ) from error


def _stride(steps: int, points: int) -> int:
    """The smallest power of two that leaves at most `points` points: it seldom changes while a curve grows."""
    return int(2 ** math.ceil(math.log2(max(1.0, steps / points))))


def _measured_steps(last: int, most: int) -> list[int]:
    """At most `most` of the steps up to `last` that were measured: the first ones, the last, and evenly between."""
    stride = MEASURED_EVERY * _stride(last // MEASURED_EVERY, most - MEASURED_FIRST - 1)
    first = range(1, min(last, MEASURED_FIRST) + 1)
    return sorted({*first, *range(stride, last + 1, stride), *([last] if last else [])})


def _checked_id(run_id: object) -> str:
    """The id if it is one in the canonical form, so that it can stand in a path."""
    try:
        if isinstance(run_id, str) and str(uuid.UUID(run_id)) == run_id:
            return run_id
    except ValueError:
        pass
    raise NoSuchRunError("There is no run with this id here. Check the link.")


def _checked_name(name: str) -> str:
    cleaned = " ".join("".join(c if c.isprintable() else " " for c in name).split())
    if not cleaned:
        raise StoreError("A run needs a name of at least one visible character.")
    return cleaned[:MAX_NAME]


def _text_of(task: TaskConfig, text: Text | None) -> Text:
    """The text as it is stored: of a task with its own data the empty one, under the name of that data."""
    info = TASKS[task.kind]
    if not info.needs_text:
        return Text(info.data, "", builtin=True)
    if text is None:
        raise StoreError(f"A model that {info.does} learns it from a text. Choose one.")
    return text


def _new_row(
    token: str, text: Text, model: ModelConfig, train: TrainConfig, name: str, task: TaskConfig
) -> dict[str, Any]:
    """The columns of a run that has not begun."""
    now = time.time()
    network = "Network" if task.kind == "digit" else model.cell.upper()  # the one without a cell
    return {
        "id": str(uuid.uuid4()), "owner": owner_key(token),
        "name": _checked_name(name or f"{network} {model.hidden_size} on {text.name}"),
        "status": "paused", "message": "", "kind": task.kind, "task": json.dumps(task.to_json()),
        "text_sha256": text.sha256, "text_name": text.name, "text_builtin": text.builtin,
        "model": json.dumps(model.to_json()), "train": json.dumps(train.to_json()),
        "stop_at": None, "step": 0, "saved_step": 0, "elapsed": 0.0,
        "created": now, "updated": now,
    }  # fmt: skip


def _info(row: sqlite3.Row) -> RunInfo:
    values = {name: row[name] for name in RunInfo.__dataclass_fields__}
    values |= {name: json.loads(row[name]) for name in ("model", "train", "task")}
    return RunInfo(**values | {"diverged": bool(row["diverged"])})

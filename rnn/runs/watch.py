"""What the one who looks after a server sees of it: what trains, how fast, in how much memory. No torch.

Of other people's runs it shows names and numbers; never a text, a sample, or an id that would open one.
"""

from __future__ import annotations

import csv
import io
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from rnn.catalogue import TASKS
from rnn.config import ModelConfig
from rnn.files import folder_bytes
from rnn.memory import resident_bytes
from rnn.records import Overview, RunInfo, ServerPoint, WatchedRun
from rnn.runs.journal import short
from rnn.runs.store import Store
from rnn.runs.turns import Turns
from rnn.tables import guarded

PAUSED_BY_TEACHER = "Paused by the teacher."
HELD = "The teacher holds all training for the moment. Start it when training is open again."
BIN_SECONDS = 2.0
BINS = 150  # five minutes
RECENT = 5  # bins that "now" is the mean of
DISK_SECONDS = 10.0  # a walk through the folder is made this often


@dataclass
class Bin:
    """What happened in one short time."""

    number: int  # BIN_SECONDS apart
    characters: int
    memory: int | None


class Meter:
    """How many characters all runs are trained on, and the memory of the process, over the last minutes.

    Every method may be called from any thread.

    Args:
        now: a clock, seconds.
        memory: the memory of the process, bytes.
    """

    def __init__(
        self, now: Callable[[], float] = time.monotonic, memory: Callable[[], int | None] = resident_bytes
    ) -> None:
        self._now, self._memory = now, memory
        self._lock = threading.Lock()
        self._bins: deque[Bin] = deque(maxlen=BINS + 1)  # and the one that is not over yet

    def count(self, characters: int) -> None:
        """Adds to what is going on now; 0 looks at the memory alone."""
        number = int(self._now() / BIN_SECONDS)
        with self._lock:
            if not self._bins or self._bins[-1].number < number:
                self._bins.append(Bin(number, 0, self._memory()))
            self._bins[-1].characters += characters

    def points(self) -> tuple[ServerPoint, ...]:
        """The last minutes, the oldest first, one point for each time that is over; nothing counted is none trained."""
        self.count(0)
        with self._lock:
            kept = {each.number: each for each in self._bins}
        last, points, memory = max(kept), [], None
        for number in range(max(min(kept), last - BINS), last):
            found = kept.get(number)
            memory = found.memory if found else memory  # it was not looked at, because nothing happened
            ago = (last - 1 - number) * BIN_SECONDS
            points.append(ServerPoint(ago, (found.characters if found else 0) / BIN_SECONDS, memory))
        return tuple(points)


class Watch:
    """The overview of a server. Every method may be called from any thread.

    Args:
        store: where its runs are kept.
        turns: those that are active or wait.
    """

    def __init__(self, store: Store, turns: Turns) -> None:
        self.meter = Meter()
        self._store, self._turns = store, turns
        self._lock = threading.Lock()
        self._visitors: dict[str, int] = {}  # owner's key -> number
        self._disk = (-DISK_SECONDS, 0)  # when it was measured last, bytes

    def overview(self, is_held: bool) -> Overview:
        """The server as it is now."""
        points = self.meter.points()
        recent = [point.chars_per_second for point in points[-RECENT:]]
        runs = [self._watched(info, owner) for info, owner in self._store.active()]
        return Overview(
            runs=tuple(sorted(runs, key=lambda run: (run.place or 0, run.since))),
            paused=len(self._store.paused_with(PAUSED_BY_TEACHER)),
            is_held=is_held,
            chars_per_second=sum(recent) / max(1, len(recent)),
            memory_bytes=resident_bytes(),
            disk_bytes=self._disk_bytes(),
            points=points,
        )

    def change_owner(self, old: str, new: str) -> None:
        """Somebody who was recognised late keeps the number."""
        with self._lock:
            if old in self._visitors:
                self._visitors.setdefault(new, self._visitors.pop(old))

    def _watched(self, info: RunInfo, owner: str) -> WatchedRun:
        job, model = self._turns.jobs.get(info.id), ModelConfig.from_json(info.model)
        with self._lock:
            visitor = self._visitors.setdefault(owner, 1 + max(self._visitors.values(), default=0))
        cell = "Network" if info.kind == "digit" else model.cell.upper()  # the one without a cell
        layers = f" × {model.num_layers}" if model.num_layers > 1 else ""
        return WatchedRun(
            short(info.id), info.name, TASKS[info.kind].title, f"{cell} {model.hidden_size}{layers}", visitor,
            info.status, self._turns.position(info.id), info.step, info.last_step,
            job.chars_per_second if job else None, job.began if job else info.updated,
        )  # fmt: skip

    def _disk_bytes(self) -> int:
        with self._lock:
            measured, size = self._disk
            if time.monotonic() - measured >= DISK_SECONDS:
                self._disk = time.monotonic(), (size := folder_bytes(self._store.home))
            return size


def as_csv(runs: Iterable[WatchedRun]) -> str:
    """The list of active and waiting runs for a spreadsheet."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(
        ("visitor", "run", "name", "task", "network", "status", "place in the queue", "step", "last step",
         "characters per second", "since (UTC)")
    )  # fmt: skip
    for run in runs:
        since = datetime.fromtimestamp(run.since, UTC).isoformat(timespec="seconds")
        speed = "" if run.chars_per_second is None else round(run.chars_per_second)
        writer.writerow(
            (run.visitor, run.short_id, guarded(run.name), run.task, run.network, run.status, run.place or "", run.step,
             run.last_step, speed, since)
        )  # fmt: skip
    return file.getvalue()

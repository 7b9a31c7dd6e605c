"""Who waits, who is active, and whose turn is next. No torch, no store."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rnn.records import StepMetrics

if TYPE_CHECKING:
    from rnn.training import TrainState


@dataclass
class Entry:
    """What waits, starts and takes turns as one: a run, or those members of a race that are to go on."""

    id: str  # of the run or of the race
    owner: str  # the owner's key
    run_ids: list[str]
    mode: str = ""  # what the members of a race keep level: "steps" or "seconds"
    used: float = 0.0  # seconds of turns it has had


@dataclass
class Job:
    """A run while it is active."""

    run_id: str
    entry: Entry
    state: TrainState
    ticks: Iterator[StepMetrics | None]
    last_step: int  # where it stops by itself
    stored: int  # steps whose metrics the store has
    written: float = -math.inf  # when the store last got metrics: the first ones are written at once
    saved: float = field(default_factory=time.monotonic)  # when the run was last saved
    rests_until: float = 0.0  # no turns before this time
    note: str = ""  # what its owner should know about how it goes on
    trouble: str = ""  # why something of it could not be kept
    logged: set[str] = field(default_factory=set)  # troubles that have their line in the log
    pace: tuple[tuple[float, int], ...] = ()  # (time, step) of the last seconds
    began: float = field(default_factory=time.time)  # when it became active, seconds since 1970

    @property
    def progress(self) -> float:
        """How far it is in its race; the member that is behind all others goes next."""
        return {"steps": self.state.step, "seconds": self.state.elapsed}.get(self.entry.mode, 0)

    @property
    def characters(self) -> int:
        """Predictions that it was trained on so far, those of before it became active included."""
        return self.state.history[-1].characters if self.state.history else 0

    @property
    def chars_per_second(self) -> float | None:
        """Predictions a second of the clock, the turns of others included; None in its first moments."""
        if len(self.pace) < 2 or not self.state.history:
            return None
        (began, first), (now, last), newest = self.pace[0], self.pace[-1], self.state.history[-1]
        return newest.characters / newest.step * (last - first) / (now - began) if now > began else None


class Turns:
    """Fair shares of one thread: every owner gets as much, and of that every entry of theirs.

    Attributes:
        jobs: the active runs by id.
        queue: what waits, first come, first served.
    """

    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}
        self.queue: list[Entry] = []
        self._used: dict[str, float] = {}  # seconds of turns that each owner of an active run has had

    def next(self, now: float) -> Job | None:
        """The run whose turn it is; None where all rest for the moment.

        The owner who has had least goes first; of that owner's entries the one that has had least; of a race the
        member that is behind.
        """
        ready = [job for job in self.jobs.values() if job.rests_until <= now]
        return min(ready, key=lambda job: (self._used[job.entry.owner], job.entry.used, job.progress), default=None)

    def count(self, job: Job, seconds: float) -> None:
        """Counts a turn that was had."""
        job.entry.used += seconds
        self._used[job.entry.owner] += seconds

    def of(self, entry: Entry) -> list[Job]:
        """Its active runs."""
        return [job for job in self.jobs.values() if job.entry is entry]

    def next_waiting(self, per_owner: int | None, in_total: int | None) -> Entry | None:
        """Takes the first entry that may start now out of the queue. None in place of a limit: any number."""
        active = list({job.entry.id: job.entry for job in self.jobs.values()}.values())
        if in_total is not None and len(active) >= in_total:
            return None
        for entry in self.queue:
            if per_owner is None or sum(other.owner == entry.owner for other in active) < per_owner:
                self.queue.remove(entry)
                return entry
        return None

    def begin(self, jobs: list[Job]) -> None:
        """Gives the runs of one entry their turns.

        A newcomer starts level with the one who has had least: no backlog to catch up on, no head start.
        """
        entry = jobs[0].entry
        self._used.setdefault(entry.owner, min(self._used.values(), default=0.0))
        own = (job.entry.used for job in self.jobs.values() if job.entry.owner == entry.owner)
        entry.used = min(own, default=0.0)
        self.jobs.update({job.run_id: job for job in jobs})

    def drop(self, run_id: str) -> None:
        """Takes a run out of the turns; those it raced against go on."""
        job = self.jobs.pop(run_id, None)
        if job and not any(other.entry.owner == job.entry.owner for other in self.jobs.values()):
            self._used.pop(job.entry.owner, None)

    def leave(self, entry: Entry) -> None:
        """Takes all of an entry out of queue and turns."""
        self.queue[:] = [other for other in self.queue if other is not entry]
        for job in self.of(entry):
            self.drop(job.run_id)

    def position(self, run_id: str) -> int | None:
        """1 for what starts next; None for a run that does not wait."""
        return next((i for i, entry in enumerate(list(self.queue), start=1) if run_id in entry.run_ids), None)

    def entry(self, entry_id: str) -> Entry | None:
        """The run or race of this id, if it waits or is active."""
        return next((entry for entry in self.entries() if entry.id == entry_id), None)

    def entries(self) -> list[Entry]:
        """What is active, then what waits, each once."""
        return list({entry.id: entry for entry in [*(job.entry for job in self.jobs.values()), *self.queue]}.values())

    def change_owner(self, old: str, new: str) -> None:
        """Gives what one owner has to another, with the share that was used."""
        for entry in self.entries():
            entry.owner = new if entry.owner == old else entry.owner
        if old in self._used:
            self._used[new] = max(self._used.pop(old), self._used.get(new, 0.0))

    def clear(self) -> None:
        self.jobs.clear()
        self.queue.clear()

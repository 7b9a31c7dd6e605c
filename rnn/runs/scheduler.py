"""Advances all active runs in turns on the server's one torch thread, and carries out what their owners ask.

Turns are slices of about 75 ms, given to the owner who has had the least time so far, so that a person with one run
gets as much as a person with two (`rnn.runs.turns`). A race of several runs starts, waits and ends as one, and has the
turns of one. torch is imported by the thread itself: making a scheduler is instant.
"""

from __future__ import annotations

import atexit
import math
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from filelock import FileLock, Timeout

from rnn.blas import leave_the_cores
from rnn.catalogue import TASKS
from rnn.checkpoint_file import Checkpoint, read, write
from rnn.config import ModelConfig, TaskConfig, TrainConfig
from rnn.corpora import Text
from rnn.errors import CheckpointError, PlaygroundError, StoreError
from rnn.memory import keep_freed_memory
from rnn.race import Member, check
from rnn.records import Estimate, Overview, StepMetrics
from rnn.runs import journal
from rnn.runs.allowance import Allowance
from rnn.runs.compute import ComputeThread
from rnn.runs.eviction import Quota, evict, require_bytes
from rnn.runs.store import Store, owner_key
from rnn.runs.turns import Entry, Job, Turns
from rnn.runs.watch import HELD, PAUSED_BY_TEACHER, Watch

if TYPE_CHECKING:
    from torch import nn

    from rnn.stepwise import Stepwise
    from rnn.tasks import Task
    from rnn.training import TrainState

T = TypeVar("T")

SLICE_SECONDS = 0.075
WRITE_SECONDS = 0.5  # metrics reach the store this often
AUTOSAVE_SECONDS = 30.0
TIDY_SECONDS = 60.0  # between two looks for what is too old or too much
RETRY_SECONDS = 5.0  # until the end of a run that could not be saved is tried again
SAMPLE_SEED = 0
MAX_SNAPSHOTS = 12  # weight files kept of one run
MAX_RESTARTS = 2  # of a run by itself without a save in between: it may be what brings the server down
BUSY_SECONDS = 2.0  # that a page waits at most for the runs of an ended server to be queued again
PACE_SECONDS = 10.0  # the time left is reckoned from the pace of the last seconds
RESTARTED = "The server was restarted, and this run went on from its last save."
STOPPED = {
    "steps": "All steps are done.",
    "minutes": "Its time is up.",
    "target loss": "It reached its target loss.",
    "patience": "Its validation loss has stopped improving.",
}


def is_milestone(step: int) -> bool:
    """Whether a sample and the weights are kept at this step: 0, 10, 20, 50, 100, 200, 500 and so on."""
    return step == 0 or (step >= 10 and str(step).rstrip("0") in ("1", "2", "5"))


class Scheduler:
    """The runs of one server.

    Methods that change a run take its owner's token, wait for the running slice to end (75 ms, or one step where a
    step takes longer), and take effect before they return. Starting, resting, resetting and deleting a member of a race
    does so to the whole race.

    Args:
        store: where the runs are kept.
        active_per_owner: how many runs of one owner advance at a time; more wait in a queue. None: any number. A race
            counts as one.
        active_in_total: the same for the whole server.
        kept_per_owner: how many runs of one owner are kept, active or not; of a race, each member counts.
        autosave_seconds: how much work a crash can lose.
        quota: further limits of a shared server.

    Attributes:
        store: as given.

    Raises:
        StoreError: from any method: no such run, somebody else's run, or this server does not train.
        BusyError: from any method that changes a run: the torch thread did not come to it within a minute.
    """

    def __init__(
        self,
        store: Store,
        active_per_owner: int | None = None,
        active_in_total: int | None = None,
        kept_per_owner: int | None = None,
        autosave_seconds: float = AUTOSAVE_SECONDS,
        quota: Quota | None = None,
    ) -> None:
        self.store = store
        self.active_per_owner = active_per_owner
        self.active_in_total = active_in_total
        self.kept_per_owner = kept_per_owner
        self.autosave_seconds = autosave_seconds
        self.quota = quota or Quota()
        self._allowance = Allowance(self.quota.training_seconds)
        self._tidied = -math.inf  # when there was last a look for what is too old or too much
        self._turns = Turns()
        self._jobs = self._turns.jobs
        self._watch = Watch(store, self._turns)
        self._held = False  # whether nothing may start
        self._file_lock = FileLock(store.home / "server.lock", thread_local=False)  # any thread may close the server
        self._lock = threading.Lock()  # around the one on file
        self._closed = False
        self._warms_up, self._warm = False, threading.Event()
        self._restarts = False  # whether interrupted runs start by themselves
        self._take_over()
        keep_freed_memory()
        leave_the_cores()
        self._thread = ComputeThread(self._work, TIDY_SECONDS)
        atexit.register(self.close)  # Python must not end while its thread is inside torch

    def _take_over(self) -> bool:
        """Becomes the server that trains, if no other one is, and tidies up after a dead one; whether it just has."""
        with self._lock:
            if self._closed or self._file_lock.is_locked:
                return False
            try:
                self._file_lock.acquire(timeout=0)
            except (Timeout, OSError):
                return False
            try:
                self.store.remove_partial_files()
                self.store.interrupt_active()
            except StoreError:
                self._file_lock.release()
                raise
            return True

    @property
    def refusal(self) -> str:
        """Why this server does not train: another one has the same store open. "" when it does, or now can."""
        if self._take_over() and self._restarts:
            self._queue_interrupted()
        if self._file_lock.is_locked:
            return ""
        return (
            f"Another server is already training with the runs in {self.store.home}. This one shows them and can "
            "sample; to train here, close the other one or set RNN_PLAYGROUND_HOME to another folder."
        )

    # What pages ask for

    def create(
        self,
        token: str,
        text: Text | None,
        model: ModelConfig,
        train: TrainConfig,
        name: str = "",
        start: bool = True,
        task: TaskConfig | None = None,
    ) -> str:
        """Adds a run, starts it (or queues it, if its owner has too many active ones), and returns its id.

        Args:
            text: what it reads; None where the task has its own data.
            task: what it learns; None: to predict the next character.
        """
        self._require_room(token)
        if start:
            self._require_open()
        run_id = self.store.create(token, text, model, train, name, task)
        if start:
            self.resume(run_id, token)
        return run_id

    def create_race(
        self, token: str, text: Text, members: Sequence[Member], mode: str = "steps", start: bool = True
    ) -> str:
        """Adds the runs of a race, starts it (or queues it), and returns its id.

        Args:
            mode: what the members keep level, a key of `rnn.race.MODES`.

        Raises:
            ConfigError: these members cannot race.
        """
        check(members, mode)
        self._require_room(token, len(members))
        if start:
            self._require_open()
        race_id = self.store.create_race(token, text, members, mode)
        if start:
            self.resume(self.store.race(race_id)[0].id, token)
        return race_id

    def adopt(self, token: str, text: Text | None, checkpoint: Checkpoint, name: str = "") -> str:
        """Adds a run that goes on from a checkpoint file; it rests until it is resumed. Returns its id.

        Args:
            text: what it was trained on; None where the task has its own data.

        Raises:
            CheckpointError: no run can go on from it, or it was trained on another text.
        """
        if not checkpoint.is_resumable:
            raise CheckpointError("This file holds a model without its run: it can be used, but not trained further.")
        if text is None and TASKS[checkpoint.kind].needs_text:
            raise CheckpointError("Training goes on from this file with the text it was trained on. Give that text.")
        self._require_room(token)
        return self._thread.compute(lambda: self._adopt(token, checkpoint, text, name))

    def resume_interrupted(self) -> None:
        """Starts the runs that were active when the last server ended, as soon as this one may train.

        They are in the queue when this returns: a page never sees one at rest that is about to go on.
        """
        self._restarts = True
        if not self.refusal:
            self._queue_interrupted()

    def resume(self, run_id: str, token: str, stop_at: int | None = None) -> None:
        """Starts a run, or goes on with it from its last save; of a race, with all that are not finished, or else all.

        Args:
            stop_at: the step to stop at, in place of the configured number of steps.
        """
        self._require_open()
        self._command(run_id, token, lambda: self._enqueue(run_id, owner_key(token), stop_at))

    def pause(self, run_id: str, token: str) -> None:
        """Saves an active run and lets it rest; others are left as they are."""
        self._command(run_id, token, lambda: self._rest(run_id, "paused"))

    def stop(self, run_id: str, token: str) -> None:
        """Saves an active run and ends it; it can still be resumed."""
        self._command(run_id, token, lambda: self._rest(run_id, "finished", "Stopped by hand."))

    def save(self, run_id: str, token: str) -> None:
        """Saves an active run now, so that its newest weights can be read; one that rests is saved already."""
        self._command(run_id, token, lambda: self._save(self._jobs[run_id]) if run_id in self._jobs else None)

    def step_once(self, run_id: str, token: str) -> StepMetrics | None:
        """Takes one optimizer step of a run that rests (in a race, of every member), and saves it.

        Returns:
            Its metrics, or None if it cannot go on.
        """
        self._require_open()
        return self._command(run_id, token, lambda: self._step_once(run_id, owner_key(token)))

    def reset(self, run_id: str, token: str) -> None:
        """Puts a run back to step 0, active or not; what it learned is gone, and it rests."""
        self._command(run_id, token, lambda: self._reset(run_id))

    def set_rate_multiplier(self, run_id: str, token: str, multiplier: float) -> None:
        """Multiplies a run's learning rate from its next step on, whether it is active or rests."""

        def change(state: TrainState) -> None:
            state.set_rate_multiplier(multiplier)

        self._command(run_id, token, lambda: self._change(run_id, owner_key(token), change))

    def set_stops(
        self, run_id: str, token: str, minutes: float | None, target_loss: float | None, patience: int | None
    ) -> None:
        """Changes when a run stops by itself, whether it is active or rests; None switches a criterion off.

        Raises:
            ConfigError: one of them is out of bounds.
        """

        def change(state: TrainState) -> None:
            state.set_stops(minutes, target_loss, patience)

        self._command(run_id, token, lambda: self._change(run_id, owner_key(token), change))

    def recover(self, run_id: str, token: str) -> None:
        """Goes on with a run that has diverged, from its last good weights, with smaller steps (`TrainState.recover`).

        Raises:
            StoreError: it has not diverged.
        """
        self._require_open()
        self._command(run_id, token, lambda: self._recover(run_id, owner_key(token)))

    def rename(self, run_id: str, token: str, name: str) -> None:
        self.store.require_owner(run_id, token)
        self.store.rename(run_id, name)

    def delete(self, run_id: str, token: str) -> None:
        """Removes a run and all that is kept of it, active or not."""
        self._command(run_id, token, lambda: self._delete(run_id))

    def delete_all(self, token: str) -> int:
        """Removes all runs of one owner, active or not, and all that is kept of them at once; returns how many."""
        self._require_lock()
        return self._thread.compute(lambda: self._delete_all(token))

    def change_owner(self, token: str, new_token: str) -> None:
        """Gives all runs of one owner to another, who knows both tokens."""
        self._require_lock()
        self._thread.compute(lambda: self._change_owner(token, new_token))

    # What the one who looks after the server asks for: no owner's token is needed

    def overview(self) -> Overview:
        """What trains and what waits here, how fast, in how much memory."""
        return self._watch.overview(self._held)

    def hold(self) -> None:
        """Nothing starts from now on until `release` or the end of the server; active runs go on, waiting ones wait."""
        self._held = True
        journal.noted("hold: nothing starts until the release")

    def release(self) -> None:
        """Ends the hold; what waits may start."""
        self._held = False
        journal.noted("release: runs may start")
        self._thread.submit(self._admit)

    @property
    def is_held(self) -> bool:
        """Whether nothing may start."""
        return self._held

    def pause_all(self) -> int:
        """Pauses everybody's active and waiting runs; returns how many could not be saved, so that they go on.

        Their owners can resume them, if there is no hold.
        """
        self._require_lock()
        return self._thread.compute(self._pause_all)

    def resume_all(self) -> int:
        """Ends the hold and goes on with what `pause_all` has paused and its owners have left as it was.

        Returns:
            How many go on resting, because their owners have had their time, or too many wait.
        """
        self._require_lock()
        self.release()
        return self._thread.compute(self._resume_all)

    # What pages ask for while runs train

    def wait_for_step(self, run_id: str, step: int, timeout: float) -> bool:
        """Waits until a run's curve has come to `step`, or `timeout` seconds; whether it has."""
        deadline = time.monotonic() + timeout
        while self.store.get(run_id).step < step:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def seconds_left(self, run_id: str) -> float | None:
        """Until an active run stops, at the pace of its last seconds (other runs take their turns, too), or None."""
        job = self._jobs.get(run_id)
        if job is None or len(job.pace) < 2:
            return None
        (began, first), (now, last) = job.pace[0], job.pace[-1]
        return max(0, job.last_step - last) * (now - began) / max(1, last - first)

    def precision(self, run_id: str) -> str | None:
        """The number format in which an active run computes, or None."""
        job = self._jobs.get(run_id)
        return job.state.resolved.precision if job else None

    def active_count(self) -> int:
        """How many runs take turns now."""
        return len(self._jobs)

    def trouble(self, run_id: str) -> str:
        """Why something of an active run could not be kept the last time it was tried, or ""."""
        job = self._jobs.get(run_id)
        return job.trouble if job else ""

    def queue_position(self, run_id: str) -> int | None:
        """1 for the run that starts next; None for one that does not wait."""
        return self._turns.position(run_id)

    def compute(self, function: Callable[[], T], timeout: float = 60.0) -> T:
        """Runs a short torch computation of a page on the torch thread, before the next slice of training."""

        def prepared() -> T:
            _prepare_torch()
            return function()

        return self._thread.compute(prepared, timeout)

    def estimate(
        self,
        text: Text | None,
        model: ModelConfig,
        train: TrainConfig,
        timeout: float = 60.0,
        task: TaskConfig | None = None,
    ) -> Estimate:
        """What this training would take here, by a few steps of it; active runs have a turn after each.

        Args:
            text, task: as `create` takes them.
            timeout: seconds that the torch thread may take to come to any one step.

        Raises:
            TextError, ConfigError, TrainingError: the run could not be started, either.
            BusyError: the torch thread did not come to a step in time.
        """

        def begin() -> Stepwise[Estimate]:
            from rnn.estimate import estimating

            return estimating(text, model, train, task)

        return self.compute_in_turns(begin, timeout)

    def compute_in_turns(
        self, begin: Callable[[], Stepwise[T]], timeout: float = 60.0, after_each: Callable[[], None] | None = None
    ) -> T:
        """What a longer computation of a page comes to; active runs have a turn after each of its steps.

        Args:
            begin: makes it, on the torch thread.
            timeout: seconds that the thread may take to come to any one step.
            after_each: called on the caller's own thread after each step, to say how far it is.

        Raises:
            BusyError: it took longer.
        """
        work = self.compute(begin, timeout)
        while (found := self._thread.compute(lambda: self._take_turn(work), timeout)) is None:
            if after_each is not None:
                after_each()
        return found

    def network(self, run_id: str) -> tuple[Task, nn.Module]:
        """What a run learns, and its network: as it is now if it is active, else as it was last saved.

        Only for functions that `compute` carries out. The network is a copy: a run goes on while others look at it.

        Raises:
            StoreError: nothing has been saved yet.
            CheckpointError: what was saved cannot be read.
        """
        from rnn.checkpoints import to_state

        if job := self._jobs.get(run_id):
            state = job.state
            model = state.task.model(state.config, 0)
            model.load_state_dict(state.model.state_dict())
            return state.task, model
        path = self.store.checkpoint_path(run_id)
        if not path.exists():
            raise StoreError("This run has not been saved yet. Its first save comes within half a minute of training.")
        state = to_state(read(path), self.store.text(run_id))
        return state.task, state.model

    def warm_up(self) -> None:
        """Loads torch on its thread, in the background, so that the first run starts at once; again it does nothing."""
        if not self._warms_up:
            self._warms_up = True
            self._thread.submit(_warm_up)
            self._thread.submit(self._warm.set)

    @property
    def is_warm(self) -> bool:
        """Whether torch is there and has been used."""
        return self._warm.is_set()

    def close(self) -> None:
        """Saves every active run, marks it interrupted, and ends the thread; so does the end of the program."""
        atexit.unregister(self.close)
        self._thread.submit(self._shut_down)
        self._thread.close()
        with self._lock:
            self._closed = True
            self._file_lock.release()

    # On the torch thread

    def _command(self, run_id: str, token: str, action: Callable[[], T]) -> T:
        self._require_lock()
        self.store.require_owner(run_id, token)
        return self._thread.compute(action)

    def _queue_interrupted(self) -> None:
        queued = self._thread.submit(self._resume_interrupted)
        with suppress(TimeoutError):  # on a busy thread it is done a little later
            queued.result(BUSY_SECONDS)

    def _require_lock(self) -> None:
        refusal = self.refusal
        if refusal:
            raise StoreError(refusal)

    def _require_open(self) -> None:
        if self._held:
            raise StoreError(HELD)

    def _require_room(self, token: str, more: int = 1) -> None:
        self._require_lock()
        self._require_turns(owner_key(token))
        if self.quota.bytes_in_total is not None:
            self._thread.compute(self._tidy)
        require_bytes(self.store, self.quota, token)
        have, most = self.store.count_of(token), self.kept_per_owner
        if most is None or have + more <= most:
            return
        if more > 1:
            raise StoreError(
                f"A race of {more} needs room for {more} runs. You have {have}, and {most} are kept here for one "
                "visitor. Download what you want to keep, then delete some."
            )
        raise StoreError(
            f"You have {most} runs, which is as many as are kept here for one visitor. "
            "Download what you want to keep, then delete one."
        )

    def _require_turns(self, owner: str) -> None:
        """Raises StoreError where nothing of this owner's could start, now or soon."""
        if self._allowance.is_used_up(owner):
            raise StoreError(self._allowance.sentence())
        most = self.quota.waiting_in_total
        if most is not None and len(self._turns.queue) >= most:
            raise StoreError(f"{most} runs wait here already. Try again in some minutes.")

    def _tidy(self) -> None:
        """Removes runs that are too old, or too much."""
        self._tidied = time.monotonic()
        try:
            evict(self.store, self.quota)
        except StoreError as error:
            journal.noted(f"nothing could be evicted: {journal.named(error)}")

    def _work(self) -> bool:
        """One slice of one run; False when no run is active."""
        if time.monotonic() - self._tidied >= TIDY_SECONDS and self._file_lock.is_locked:
            self._tidy()
        self._admit()
        if not self._jobs:
            return False
        job = self._turns.next(time.monotonic())
        if job is None:
            time.sleep(SLICE_SECONDS)  # an idle slice: all that is left are runs whose end cannot be saved yet
            return True
        try:
            self._advance(job)
        except Exception as error:
            # One run's failure, whatever it is, must not end the thread that all others live on.
            self._turns.drop(job.run_id)
            journal.stopped(job, "failed")
            self._report(job.run_id, error)
        return True

    def _take_turn(self, work: Stepwise[T]) -> T | None:
        """One step of somebody's longer computation, then a slice of a run; the result, when it has come to it."""
        try:
            next(work)
        except StopIteration as end:
            result: T = end.value
            return result
        self._work()
        return None

    def _advance(self, job: Job) -> None:
        """Lets a run train for one slice."""
        started = now = time.monotonic()
        before = job.characters
        for metrics in job.ticks:
            if metrics is not None:
                self._keep_milestone(job, metrics.step)
            now = time.monotonic()
            if now - started >= SLICE_SECONDS:
                break
        else:
            self._watch.meter.count(max(0, job.characters - before))
            self._end(job)
            return
        self._watch.meter.count(job.characters - before)
        self._turns.count(job, now - started)
        self._allowance.count(job.entry.owner, now - started)
        if self._allowance.is_used_up(job.entry.owner):
            self._try_to(lambda job: self._rest(job.run_id, "paused", self._allowance.sentence()), job)
            return
        for each in self._turns.of(job.entry):  # the curves of a race are looked at side by side
            self._keep_up(each, now)

    def _keep_up(self, job: Job, now: float) -> None:
        """Brings the store up to date when it is time."""
        if now - job.saved >= self.autosave_seconds:
            self._try_to(self._autosave, job)
        elif now - job.written >= WRITE_SECONDS:
            self._try_to(self._write, job)

    def _keep_milestone(self, job: Job, step: int) -> None:
        if is_milestone(step):
            self._try_to(self._keep_sample, job)
            self._try_to(self._keep_snapshot, job)

    def _admit(self) -> None:
        """Starts what waits, in order, as far as the limits allow."""
        while not self._held and (entry := self._turns.next_waiting(self.active_per_owner, self.active_in_total)):
            if jobs := [job for run_id in entry.run_ids if (job := self._opened(entry, run_id))]:
                self._turns.begin(jobs)

    def _opened(self, entry: Entry, run_id: str) -> Job | None:
        """A run that begins; None where it cannot, and says so."""
        try:
            job = self._open(entry, run_id, self.store.stop_at(run_id))
            job.note = " ".join(note for note in (self.store.get(run_id).message, job.note) if note)
            self.store.set_status(run_id, "running", job.note)
        except Exception as error:
            # As in _work: whatever is wrong with this run is its own affair.
            self._report(run_id, error)
            return None
        journal.started(job)
        return job

    def _open(self, entry: Entry, run_id: str, stop_at: int | None) -> Job:
        """The run as it was last saved, or as it was created, ready to advance."""
        from rnn.checkpoints import set_last_good, to_state
        from rnn.hardware import threads_note
        from rnn.training import TrainState, advance

        _prepare_torch()
        text = self.store.text(run_id)
        path = self.store.checkpoint_path(run_id)
        if path.exists():
            state = to_state(read(path), text)
            if self.store.last_good_path(run_id).exists():
                with suppress(CheckpointError):  # then the run is its own last good copy
                    set_last_good(state, read(self.store.last_good_path(run_id)))
        else:
            info = self.store.get(run_id)
            model, train = ModelConfig.from_json(info.model), TrainConfig.from_json(info.train)
            state = TrainState.create(text, model, train, TaskConfig.from_json(info.task))
        stored = min(self.store.get(run_id).step, state.step)  # after a power cut the database may be behind the file
        self.store.rewind(run_id, state.step)
        last_step = stop_at or state.train_config.steps
        job = Job(run_id, entry, state, advance(state, stop_at), last_step, stored, note=threads_note(state.resolved))
        self._tell_settings(job)  # what was changed after the last save went with a kill
        if state.step == 0:
            self._keep_sample(job)
            self._keep_snapshot(job)
        return job

    def _enqueue(self, run_id: str, owner: str, stop_at: int | None) -> None:
        together = self.store.together(run_id)
        if self._turns.entry(together[0].entry_id):
            return  # a second click
        self._require_turns(owner)
        to_go = [info for info in together if info.status != "finished"] or together
        for info in to_go:
            self.store.set_stop_at(info.id, stop_at)
            self.store.set_status(info.id, "queued")
        first = to_go[0]
        self._turns.queue.append(Entry(first.entry_id, owner, [info.id for info in to_go], first.race_mode))
        self._admit()

    def _resume_interrupted(self) -> None:
        for run_id, owner in self.store.take_interrupted(MAX_RESTARTS):
            info = self.store.get(run_id)
            entry = self._turns.entry(info.entry_id)
            if entry is None:
                entry = Entry(info.entry_id, owner, [], info.race_mode)
                self._turns.queue.append(entry)
            if run_id not in entry.run_ids:
                self.store.set_status(run_id, "queued", RESTARTED)
                entry.run_ids.append(run_id)

    def _adopt(self, token: str, checkpoint: Checkpoint, text: Text | None, name: str) -> str:
        from rnn.checkpoints import to_state

        _prepare_torch()
        state = to_state(checkpoint, text)
        run_id = self.store.create(token, text, checkpoint.model, checkpoint.train, name, checkpoint.task)
        try:
            entry = Entry(run_id, owner_key(token), [run_id])
            job = Job(run_id, entry, state, iter(()), state.train_config.steps, stored=0)
            self._keep_sample(job)
            self._save(job)
            self._tell_settings(job)
        except PlaygroundError:
            self.store.delete(run_id)
            raise
        return run_id

    def _change_owner(self, token: str, new_token: str) -> None:
        self.store.change_owner(token, new_token)
        self._turns.change_owner(owner_key(token), owner_key(new_token))
        self._watch.change_owner(owner_key(token), owner_key(new_token))
        self._allowance.change_owner(owner_key(token), owner_key(new_token))

    def _rest(self, run_id: str, status: str, message: str = "") -> None:
        """Takes a run, or what is left of its race, out of the turns; one that has none is left as it is."""
        entry = self._turns.entry(self.store.get(run_id).entry_id)
        if entry is not None:
            self._rest_entry(entry, status, message)

    def _rest_entry(self, entry: Entry, status: str, message: str = "") -> None:
        jobs = self._turns.of(entry)
        for job in jobs:  # all of them, before any is let go
            self._save(job)
        self._leave(entry, "paused" if status == "paused" else "stopped")
        for resting in [job.run_id for job in jobs] or entry.run_ids:
            self.store.set_status(resting, status, message)

    def _leave(self, entry: Entry, reason: str) -> None:
        """Takes an entry out of queue and turns, and says so in the log."""
        for job in self._turns.of(entry):
            journal.stopped(job, reason)
        self._turns.leave(entry)

    def _pause_all(self) -> int:
        entries, failed = self._turns.entries(), 0
        for entry in entries:
            try:
                self._rest_entry(entry, "paused", PAUSED_BY_TEACHER)
            except PlaygroundError as error:
                failed += 1
                journal.went_wrong("not paused", entry.run_ids[0], error)
        journal.noted(f"pause all: {len(entries) - failed} of {len(entries)} paused")
        return failed

    def _resume_all(self) -> int:
        paused, failed = self.store.paused_with(PAUSED_BY_TEACHER), 0
        for run_id, owner in paused:
            try:
                self._enqueue(run_id, owner, self.store.stop_at(run_id))
            except PlaygroundError as error:
                failed += 1
                journal.went_wrong("not resumed", run_id, error)
        journal.noted(f"resume all: {len(paused) - failed} of {len(paused)} go on")
        return failed

    def _withdraw(self, run_id: str, reason: str) -> list[str]:
        """Takes a run, or its race, out of queue and turns as it is; the ids of all that belong together."""
        together = self.store.together(run_id)
        if entry := self._turns.entry(together[0].entry_id):
            self._leave(entry, reason)
        return [info.id for info in together]

    def _reset(self, run_id: str) -> None:
        for each in self._withdraw(run_id, "reset"):
            self.store.set_stop_at(each, None)
            self.store.set_status(each, "paused")
            self.store.set_rate_multiplier(each, 1.0)
            self.store.remove_checkpoint(each)
            self.store.rewind(each, 0)

    def _step_once(self, run_id: str, owner: str) -> StepMetrics | None:
        together = self.store.together(run_id)
        if self._turns.entry(together[0].entry_id):
            raise StoreError("This run is active already. Pause it to take single steps.")
        return {info.id: self._step_alone(info.id, owner) for info in together}[run_id]

    def _step_alone(self, run_id: str, owner: str) -> StepMetrics | None:
        job = self._open(Entry(run_id, owner, [run_id]), run_id, stop_at=sys.maxsize)  # also at the horizon
        before, taken = job.state.step, None
        for metrics in job.ticks:
            if metrics is None:
                continue
            self._keep_milestone(job, metrics.step)
            if metrics.step > before:  # else the validation loss that was due when the run was left
                taken = metrics
                break
        divergence = job.state.divergence
        if divergence:
            self.store.rewind(run_id, job.state.step)
        self._save(job)
        self.store.set_status(run_id, "paused", divergence.sentence() if divergence else "", divergence is not None)
        return taken

    def _change(self, run_id: str, owner: str, change: Callable[[TrainState], None]) -> None:
        """Changes a setting of a run between two of its steps."""
        job = self._jobs.get(run_id) or self._open(Entry(run_id, owner, [run_id]), run_id, stop_at=None)
        change(job.state)
        if run_id not in self._jobs:
            self._save(job)
        self._tell_settings(job)

    def _tell_settings(self, job: Job) -> None:
        """Brings what the store says of a run's settings up to date."""
        self.store.set_train(job.run_id, job.state.train_config)
        self.store.set_rate_multiplier(job.run_id, job.state.rate_multiplier)

    def _recover(self, run_id: str, owner: str) -> None:
        info = self.store.get(run_id)
        entry = self._turns.entry(info.entry_id)
        if entry is not None and info.diverged:
            raise StoreError("The race goes on without this member. Pause the race, then recover it.")
        if entry is not None:
            return  # a second click
        if not info.diverged:
            raise StoreError("This run has not diverged, so there is nothing to recover from. Resume it to go on.")
        self._change(run_id, owner, lambda state: state.recover())
        self._enqueue(run_id, owner, self.store.stop_at(run_id))

    def _delete(self, run_id: str) -> None:
        self.store.delete(*self._withdraw(run_id, "deleted"))

    def _delete_all(self, token: str) -> int:
        ids = [info.id for info in self.store.runs_of(token)]
        for run_id in ids:
            self._withdraw(run_id, "deleted")
        self.store.delete(*ids)
        return len(ids)

    def _end(self, job: Job) -> None:
        """The generator has come to its end: a stop was reached, or the loss diverged."""
        if not self._try_to(self._save_end, job):
            # A full disk must not cost what was trained: the run stays active, and saving it is tried again.
            job.rests_until = time.monotonic() + RETRY_SECONDS
            return
        reason, divergence = job.state.stop_reason, job.state.divergence
        status, message = ("paused", divergence.sentence()) if divergence else ("finished", STOPPED[reason or "steps"])
        self._turns.drop(job.run_id)
        self.store.set_status(job.run_id, status, message, divergence is not None)
        journal.stopped(job, "diverged" if divergence else "finished")

    def _save_end(self, job: Job) -> None:
        if job.state.divergence is not None:
            self.store.rewind(job.run_id, job.state.step)
        else:
            self._keep_sample(job)
        self._save(job)

    def _keep_sample(self, job: Job) -> None:
        """Keeps what the run writes now, always with the same random numbers."""
        self.store.add_sample(job.run_id, job.state.step, job.state.task.example(job.state.model, SAMPLE_SEED))

    def _keep_snapshot(self, job: Job) -> None:
        """Keeps the weights as they are now, for before and after."""
        from rnn.checkpoints import to_bytes

        if len(self.store.snapshots(job.run_id)) < MAX_SNAPSHOTS:
            self.store.make_folder(job.run_id)
            write(self.store.snapshot_path(job.run_id, job.state.step), to_bytes(job.state, weights_only=True))

    def _write(self, job: Job) -> None:
        """Brings the run's curves in the store up to date."""
        best = job.state.best
        new = slice(max(0, job.stored - 1), None)  # the last one again: it may have its validation loss by now
        self.store.add_metrics(job.run_id, job.state.history[new], best.loss if best else None)
        job.stored = len(job.state.history)
        self.store.add_layers(job.run_id, job.state.layers)
        job.state.layers.clear()
        job.written = now = time.monotonic()
        recent = tuple(point for point in job.pace if point[0] >= now - PACE_SECONDS)
        job.pace = (*recent, (now, job.state.step))
        job.trouble = ""

    def _save(self, job: Job) -> None:
        """Brings curves and checkpoint up to the run's step. One that may be breaking keeps a good copy beside it."""
        from rnn.checkpoints import last_good_to_bytes, to_bytes

        self._write(job)
        self.store.make_folder(job.run_id)
        last_good, path = last_good_to_bytes(job.state), self.store.last_good_path(job.run_id)
        if last_good is not None:  # before the checkpoint that needs it
            write(path, last_good)
        write(self.store.checkpoint_path(job.run_id), to_bytes(job.state))
        if last_good is None:
            path.unlink(missing_ok=True)
        self.store.set_saved(job.run_id, job.state.step)
        job.saved = time.monotonic()
        job.logged.clear()

    def _autosave(self, job: Job) -> None:
        """Saves; the message that this could not be done, if there is one, goes."""
        self._save(job)
        if self.store.get(job.run_id).message != job.note:
            self.store.set_status(job.run_id, "running", job.note)

    def _try_to(self, keep: Callable[[Job], None], job: Job) -> bool:
        """Keeps something of an active run; where it cannot (a full disk), the run says so, and training goes on."""
        try:
            keep(job)
            return True
        except PlaygroundError as error:
            job.trouble = str(error)  # the store may be what fails
            if job.trouble not in job.logged:  # once until it can be saved again, not twice a second
                journal.went_wrong("not kept", job.run_id, error)
                job.logged.add(job.trouble)
            with suppress(StoreError):
                self.store.set_status(job.run_id, "running", str(error))
            job.written = job.saved = time.monotonic()  # not again at once
            return False

    def _report(self, run_id: str, error: Exception) -> None:
        """Marks a run as failed, with the error's sentence, or with its name where it has none to show."""
        journal.went_wrong("failed", run_id, error)
        message = str(error) if isinstance(error, PlaygroundError) else f"It stopped on an unexpected {error!r}."
        try:
            self.store.set_status(run_id, "failed", message)
        except StoreError as unmarked:
            journal.went_wrong("not marked as failed", run_id, unmarked)

    def _shut_down(self) -> None:
        for job in self._jobs.values():
            try:
                self._save(job)
            except PlaygroundError as error:
                journal.went_wrong("not saved at the end", job.run_id, error)
            journal.stopped(job, "interrupted")
        self._turns.clear()
        if self._file_lock.is_locked:
            self.store.interrupt_active()


def _warm_up() -> None:
    """Imports torch and takes two steps of a tiny run: what comes only once, before anybody waits for it."""
    from rnn.training import TrainState, train

    _prepare_torch()
    config = TrainConfig(batch_size=2, bptt_steps=4, steps=2)
    for _ in train(TrainState.create("warming up the operators", ModelConfig(hidden_size=4, embedding_size=2), config)):
        pass


def _prepare_torch() -> None:
    """On the torch thread, before anything of torch runs there: OpenMP counts its threads thread by thread."""
    from rnn.hardware import leave_a_core

    leave_a_core()

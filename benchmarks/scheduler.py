"""One run through the app's scheduler against the bare train() loop: what fair turns, the store and saving cost."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from benchmarks.measure import Comparison
from rnn.config import PRESETS, TrainConfig
from rnn.corpora import load
from rnn.runs.scheduler import Scheduler
from rnn.runs.store import Store
from rnn.training import TrainState, train

REPEATS = 5
SECONDS = 8.0  # of one repeat of one side
OWNER = "benchmark"


def run() -> None:
    text, model = load("python-reference"), PRESETS["default"].model
    config = TrainConfig(steps=1_000_000, evaluate_every=1_000_000)  # steps alone; the app evaluates as train() does
    print("The default preset, characters per second: the app's scheduler with its store against the bare train() loop")
    bare = train(TrainState.create(text, model, config))
    for _ in range(5):
        next(bare)
    with tempfile.TemporaryDirectory() as home:
        scheduler = Scheduler(Store(Path(home)))
        try:
            run_id = scheduler.create(OWNER, text, model, config)
            scheduler.wait_for_step(run_id, 5, timeout=60)
            result = Comparison([], [])
            for _ in range(REPEATS):
                scheduler.resume(run_id, OWNER)
                result.ours.append(through(scheduler, run_id))
                scheduler.pause(run_id, OWNER)
                started, characters = time.perf_counter(), 0
                while time.perf_counter() - started < SECONDS:
                    next(bare)
                    characters += config.batch_size * config.bptt_steps
                result.theirs.append(characters / (time.perf_counter() - started))
        finally:
            scheduler.close()
    print(f"  {result}")


def through(scheduler: Scheduler, run_id: str) -> float:
    """Characters per second of a run that goes on by itself, by its stored metrics."""
    first = scheduler.store.get(run_id).step
    scheduler.wait_for_step(run_id, first + 3, timeout=60)  # what taking it up again costs is not its speed
    before, started = scheduler.store.get(run_id).step, time.perf_counter()
    time.sleep(SECONDS)
    steps, seconds = scheduler.store.get(run_id).step - before, time.perf_counter() - started
    config = TrainConfig.from_json(scheduler.store.get(run_id).train)
    return steps * config.batch_size * config.bptt_steps / seconds

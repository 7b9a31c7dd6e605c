"""A lesson: thirty visitors come one after another, look at pages, start a small run each, watch it and let it write.

One public server of its own, on this computer. It is killed in the middle and started again, and what was lost is
counted. SESSIONS and MINUTES in the environment make it smaller or longer (half an hour shows what grows).
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.load import (
    ALONE_SECONDS,
    PAGE,
    STOP,
    memory_bytes,
    run_of,
    server,
    share,
    spread,
    start,
    together,
    watch,
)
from benchmarks.streamlit_client import Visitor
from rnn.config import ModelConfig, TrainConfig
from rnn.records import RunInfo
from rnn.runs.store import Store
from rnn.training import TrainState, train

SESSIONS = int(os.environ.get("SESSIONS", "30"))
MINUTES = float(os.environ.get("MINUTES", "2"))  # of watching, when all have come
IS_LONG = MINUTES > 8
TITLE = f"classroom, {MINUTES:g} minutes" if IS_LONG else "classroom"
SETTINGS = {"Hidden size": 128 if IS_LONG else 64, "Steps": 5000}  # not at its end within the lesson
ARRIVAL_SECONDS = 60.0  # over which they come
WARMING_SECONDS = 8.0  # a new server loads torch as soon as somebody has opened a page
WINDOW_SECONDS = 90.0  # in which speed and shares are counted: some thirty turns of each run
ROUND_SECONDS = 20.0  # in which everybody changes a setting once, and one in three lets the model write
HOME, SAMPLE, WRITE = "", "Sample", "sample_write"
SETTLED = 4  # rounds, after which everybody has done everything once and memory should no longer grow
POINTS = 8  # of the memory's curve that are printed
GO_ON_STEPS = 20  # beyond its save, that every killed run has to take
PATIENCE = 120.0  # seconds

TARGETS = {
    "page": "100 / 400 ms", "start": "3 s", "share": "0.75 to 1.25", "before": "400 MB", "with": "690 MB",
    "speed": "0.70, aim 0.80", "growth": "5 %", "lost": "0",
}  # fmt: skip


@dataclass
class Lesson:
    """What was measured in it; seconds, and bytes."""

    pages: list[float] = field(default_factory=list)  # reruns of Train
    losses: list[float] = field(default_factory=list)  # from the click on Start to the first point
    writings: list[float] = field(default_factory=list)  # until a whole text stands there, letter by letter
    memory: list[tuple[str, float]] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    lost_sessions: int = 0


async def come(stack: AsyncExitStack, port: int, delay: float, lesson: Lesson) -> Visitor:
    """Somebody arrives: Home, then Train, and starts a run."""
    await asyncio.sleep(delay)
    visitor = await stack.enter_async_context(Visitor(port, HOME))
    lesson.pages.append(await visitor.go(PAGE))
    lesson.losses.append(await start(visitor, SETTINGS))
    lesson.runs.append(run_of(visitor))
    return visitor


async def take_part(number: int, visitor: Visitor, rounds: int, lesson: Lesson) -> None:
    """Changes settings now and then; in every third round the visitor looks at Sample and lets the run write."""
    began = time.perf_counter()
    for turn in range(rounds):
        due = began + ROUND_SECONDS * (turn + (number + 0.5) / SESSIONS)
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        if (number + turn) % 3:
            lesson.pages.append(await visitor.rerun())
            continue
        lesson.writings.append(await visitor.go(SAMPLE))
        lesson.writings.append(await visitor.click(WRITE))
        lesson.pages.append(await visitor.go(PAGE))


async def teach(home: Path, port: int, process: int, lesson: Lesson) -> tuple[float, Any]:
    """The lesson up to the kill: characters a second of one run alone, and what the window of all measured."""
    with closing(Store(home)) as store:
        async with Visitor(port, HOME):
            await asyncio.sleep(WARMING_SECONDS)
            lesson.memory.append(("before", memory_bytes(process)))
        async with Visitor(port, PAGE) as first:
            await start(first, SETTINGS)
            alone = await watch([first], store, process, ALONE_SECONDS, SETTINGS)
            await first.click(STOP)
            await first.until(lambda: store.get(run_of(first)).status == "finished")
        async with AsyncExitStack() as stack:
            delays = ARRIVAL_SECONDS * np.arange(SESSIONS) / SESSIONS
            visitors: list[Visitor] = await together(come(stack, port, float(d), lesson) for d in delays)
            window = await watch(visitors, store, process, WINDOW_SECONDS, SETTINGS)
            lesson.memory.append(("with all", memory_bytes(process)))
            rounds = max(SETTLED + 1, round(60 * MINUTES / ROUND_SECONDS))
            work = [take_part(n, v, rounds, lesson) for n, v in enumerate(visitors)]
            await together([*work, note_memory(process, rounds, lesson)])
            await together(kept_up(visitor, lesson) for visitor in visitors)
            for visitor in visitors:
                lesson.complaints += visitor.complaints
            os.kill(process, signal.SIGKILL)
    return float(alone.characters.sum()), window


async def note_memory(process: int, rounds: int, lesson: Lesson) -> None:
    for turn in range(rounds):
        await asyncio.sleep(ROUND_SECONDS)
        lesson.memory.append((f"round {turn + 1}", memory_bytes(process)))


def curve(memory: Sequence[tuple[str, float]]) -> str:
    """Some of what was measured, the first and the last among it."""
    places = np.unique(np.linspace(0, len(memory) - 1, POINTS).round().astype(int))
    return " ".join(f"{memory[place][1] / 1e6:.0f}" for place in places)


async def kept_up(visitor: Visitor, lesson: Lesson) -> None:
    """Whether the session still answers."""
    try:
        await visitor.rerun()
    except (OSError, TimeoutError):
        lesson.lost_sessions += 1


def lost_steps(home: Path, runs: Sequence[str]) -> int:
    """How many steps are missing in the curves of the runs."""
    with closing(Store(home)) as store:
        return sum(store.get(run).step - len(store.metrics(run, None)) for run in runs)


def after_the_kill(home: Path, runs: Sequence[str]) -> list[str]:
    """Starts a server again on what the killed one left; what is wrong with that, in sentences."""
    wrong = []
    with closing(Store(home)) as store:
        before = [store.get(run) for run in runs]
        wrong += [f"A killed run is {info.status}." for info in before if info.status != "running"]
    began = time.time()
    with server(home) as (port, _), closing(Store(home)) as store:
        asyncio.run(_open_a_page(port))
        until = time.monotonic() + PATIENCE
        while any(not _goes_on(store.get(info.id), info, began) for info in before):
            if time.monotonic() > until:
                wrong.append(f"Not every run has gone on after {PATIENCE:.0f} s.")
                break
            time.sleep(0.2)
        wrong += [f"A run is {now.status}: {now.message}" for now in map(store.get, runs) if now.status != "running"]
        lost = [info.step - info.saved_step for info in before]
        checked = min(before, key=lambda info: info.saved_step)
        found = [point.loss for point in store.metrics(checked.id, None)]
        text, settings = store.text(checked.id), store.get(checked.id)
    model, training = ModelConfig.from_json(settings.model), TrainConfig.from_json(settings.train)
    straight = [point.loss for point in train(TrainState.create(text, model, training), stop_at=len(found))]
    same = found == straight
    if not same:
        first = next(i for i, (a, b) in enumerate(zip(found, straight, strict=True)) if a != b)
        wrong.append(f"A killed run is not the same training straight, from step {first + 1} on.")
    print(
        f"  kill -9 and a restart   {len(runs)} runs were training and go on from their last autosave, at most "
        f"{max(lost)} steps back;\n  {'':24}{len(found):,} steps of one, trained again straight, are "
        f"{'the same bit for bit' if same else 'NOT the same'}"
    )
    return wrong


def _goes_on(now: RunInfo, before: RunInfo, began: float) -> bool:
    return now.status == "running" and now.updated > began and now.step >= before.saved_step + GO_ON_STEPS


async def _open_a_page(port: int) -> None:
    async with Visitor(port, PAGE):
        pass


def run() -> None:
    print(
        f"Classroom: {SESSIONS} visitors come within {ARRIVAL_SECONDS:.0f} s, each starts an LSTM of "
        f"{SETTINGS['Hidden size']},\nwatches it and lets it write for {MINUTES:g} minutes; all on {os.cpu_count()} "
        "cores",
        flush=True,
    )
    lesson, wrong = Lesson(), []
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with server(home) as (port, process):
            alone, window = asyncio.run(teach(home, port, process, lesson))
        log = (home / "server.log").read_text(errors="replace")
        errors = [line for line in log.splitlines() if "ERROR" in line or "Traceback" in line]
        missing = lost_steps(home, lesson.runs)
        total = window.characters.sum()
        sizes = dict(lesson.memory)
        settled, last = lesson.memory[1 + SETTLED][1], lesson.memory[-1][1]
        rows = [
            ("page rerun, ms", spread(lesson.pages, 1000, 0), TARGETS["page"]),
            ("Start to first loss, s", spread(lesson.losses, most=True), TARGETS["start"]),
            ("a text written, s", spread(lesson.writings, digits=2), ""),
            ("a run's share", share(window.characters), TARGETS["share"]),
            ("characters/s", f"{total:,.0f}, {total / alone:.2f} of one run's alone", TARGETS["speed"]),
            ("memory before, with all", f"{sizes['before'] / 1e6:.0f} MB, {sizes['with all'] / 1e6:.0f} MB",
             f"{TARGETS['before']}, {TARGETS['with']}"),
            ("  its growth", f"{last / settled - 1:+.1%} from round {SETTLED} to the last", TARGETS["growth"]),
            ("  on the way, MB", curve(lesson.memory[1 + SETTLED :]), ""),
            ("lost sessions", f"{lesson.lost_sessions}", TARGETS["lost"]),
            ("lost metrics", f"{missing} steps of {len(lesson.runs)} runs", TARGETS["lost"]),
            ("errors in the log", f"{len(errors)}", TARGETS["lost"]),
        ]  # fmt: skip
        print(f"  {'':24}{'measured':48}to reach")
        for row in rows:
            print("  {:24}{:48}{}".format(*row))
        wrong += after_the_kill(home, lesson.runs)
    wrong += lesson.complaints + errors[:3]
    if wrong:
        print("\n".join(wrong), file=sys.stderr)
        raise SystemExit(f"NOT ALL WELL: {len(wrong)} things, the first: {wrong[0]}")

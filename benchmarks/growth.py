"""Memory and time as the text grows from 1 to 100 MB, and as the truncation length grows from 16 to 1,024 steps.

Each row is a process of its own, because memory that Python has once taken stays with it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from rnn.config import ModelConfig, TrainConfig
from rnn.corpora import nested_parentheses

MEGA = 1_000_000
TEXTS = (1, 10, 100)  # MB
LENGTHS = (16, 64, 256, 1024)  # steps
STEPS = 10


def run() -> None:
    print("As the text grows (GRU 128, B 32, T 64): memory of the process beyond the text and its indices, and time")
    first = None
    for size in TEXTS:
        found = child("gru", 128, size * MEGA, 64)
        first = first or found
        memory, text = found["memory"], found["text"] / MEGA
        print(
            f"  {size:4} MB  {memory / MEGA:6.0f} MB, {memory / first['memory']:.2f} times the first   "
            f"{time_of(found, first)}   text and indices {text:.0f} MB",
            flush=True,
        )
    print("As T grows (H 256, B 32): memory that training takes at its peak, and time")
    for cell in ("rnn", "gru", "lstm"):
        first = None
        for T in LENGTHS:
            found = child(cell, 256, 2 * MEGA, T)
            first = first or found
            peak = found["peak"] / MEGA
            print(
                f"  {cell:4} T {T:5}  {peak:6.0f} MB   {peak / T:5.2f} MB a step of T   {time_of(found, first)}",
                flush=True,
            )


def time_of(found: dict[str, float], first: dict[str, float]) -> str:
    return f"{found['seconds'] * 1e6:6.2f} us a character, {found['seconds'] / first['seconds']:.2f} times the first"


def child(cell: str, hidden_size: int, characters: int, T: int) -> dict[str, float]:
    """What `measure` finds in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.growth", cell, str(hidden_size), str(characters), str(T)]
    found: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found


def measure(cell: str, hidden_size: int, characters: int, T: int) -> dict[str, float]:
    """Seconds per character; bytes of the text, of the process without it, and those that its first steps added."""
    from rnn.corpora import from_paste
    from rnn.hardware import leave_a_core
    from rnn.training import TrainState, train

    leave_a_core()
    piece = nested_parentheses(MEGA)
    text = from_paste(piece * (characters // MEGA))
    config = TrainConfig(batch_size=32, bptt_steps=T, steps=1000, precision="float32", validation_fraction=0)
    state = TrainState.create(text, ModelConfig(cell=cell, hidden_size=hidden_size), config)
    held = len(text.content) + state.task.encoded.nbytes  # type: ignore[attr-defined]
    before = resident("VmRSS")
    steps, least = train(state), float("inf")
    for _ in range(STEPS):
        started = time.perf_counter()
        next(steps)
        least = min(least, time.perf_counter() - started)
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew, without what reading the text took
    next(steps)
    return {
        "seconds": least / (32 * T),
        "text": held,
        "memory": resident("VmRSS") - held,
        "peak": resident("VmHWM") - before,
    }


def resident(name: str) -> int:
    """Bytes of this process, now (VmRSS) or at most (VmHWM); Linux only."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(name))


if __name__ == "__main__":
    cell, *numbers = sys.argv[1:]
    print(json.dumps(measure(cell, *map(int, numbers))))

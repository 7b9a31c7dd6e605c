"""`python -m benchmarks [NAME ...]`: both sides measured in one process, ratios printed and kept in RESULTS.md."""

from __future__ import annotations

import importlib
import sys
from contextlib import redirect_stdout
from datetime import date

from benchmarks.measure import machine
from benchmarks.results import RESULTS, Copy, keep
from rnn.hardware import leave_a_core
from rnn.memory import keep_freed_memory

NAMES = ("step", "rate", "sampling", "recipe", "scheduler", "growth", "copying", "matching", "load")
ON_REQUEST = ("cold", "tasks", "classroom", "long")  # one minute (needs Chromium), four, five, half an hour


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in NAMES + ON_REQUEST]
    if unknown:
        print(f"There is no benchmark {unknown[0]!r}; there are {', '.join(NAMES + ON_REQUEST)}.", file=sys.stderr)
        return 2
    keep_freed_memory()
    leave_a_core()  # as the app does; both sides run with the same threads
    for name in names or NAMES:
        with redirect_stdout(Copy(sys.stdout)) as copy:
            print(f"{date.today()}, {machine()}")
            benchmark = importlib.import_module(f"benchmarks.{name}")
            benchmark.run()
        keep(RESULTS, getattr(benchmark, "TITLE", name), copy.text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

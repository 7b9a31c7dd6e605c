"""`python -m benchmarks [NAME ...]`: measures, both sides in one process, and prints ratios."""

from __future__ import annotations

import importlib
import sys
from datetime import date

from benchmarks.measure import machine
from rnn.hardware import leave_a_core

NAMES = ("step", "sampling", "recipe", "load")


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        print(f"There is no benchmark {unknown[0]!r}; there are {', '.join(NAMES)}.", file=sys.stderr)
        return 2
    leave_a_core()  # as the app does; both sides run with the same threads
    print(f"{date.today()}, {machine()}")
    for name in names or NAMES:
        importlib.import_module(f"benchmarks.{name}").run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

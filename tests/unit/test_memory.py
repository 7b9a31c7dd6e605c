"""Freed memory is kept for the next step."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from rnn import memory

AGAIN_AND_AGAIN = """
import resource, sys
import numpy as np
from rnn.memory import keep_freed_memory
if sys.argv[1] == "keep":
    keep_freed_memory()

def step():  # a small array in between, as a network has them: the large ones are not at the heap's end
    arrays = [np.ones(5_000_000 // 8) for _ in range(8)]
    return [arrays.pop() for _ in range(8)][-1][:10].copy()

kept = [step() for _ in range(3)]
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
kept += [step() for _ in range(10)]
print((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / 10)
"""


def faults(how: str) -> float:
    return float(subprocess.run([sys.executable, "-c", AGAIN_AND_AGAIN, how], check=True, capture_output=True).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc's malloc can be told to keep memory")
def test_arrays_that_are_taken_again_cost_no_page_faults() -> None:
    assert faults("keep") < faults("leave") / 5


def test_without_such_a_c_library_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    for trouble in (OSError, TypeError):

        def refuse(_: object, trouble: type[Exception] = trouble) -> None:
            raise trouble

        monkeypatch.setattr(memory.ctypes, "CDLL", refuse)
        memory.keep_freed_memory()
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda _: object())
    memory.keep_freed_memory()

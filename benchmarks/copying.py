"""What a sample copies from 5 million characters: the walk of `rnn.copying` against searching with Python's `in`.

The plain search is the best that `in` allows: a copy that begins a character later is at most one shorter, so about two
searches for each character of the sample find all. It runs once, ours a few times, of which the median is told.
"""

from __future__ import annotations

import statistics
import sysconfig
import time
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from rnn.config import SampleConfig
from rnn.copying import copies
from rnn.corpora import python_reference
from rnn.sampling import generate_many
from rnn.shipped import open_shipped

CHARACTERS = 5_000_000
SAMPLES = (400, 5000)
REPEATS = 5
MEGA = 1_000_000


def run() -> None:
    text = long_text()
    checkpoint = open_shipped("lstm")
    sample = generate_many(checkpoint.sampler(), checkpoint.vocabulary, 1, SampleConfig(length=max(SAMPLES)))[0]
    print(f"What a sample of the shipped LSTM copies from {len(text):,} characters: copies() against `in`, seconds")
    for length in SAMPLES:
        part = sample[:length]
        ours = median_seconds(partial(copies, part, text))
        started = time.perf_counter()
        expected = plain(part, text)
        theirs = time.perf_counter() - started
        found = copies(part, text)
        if found.longest_from.tolist() != expected:
            raise AssertionError("The two found different copies.")
        print(
            f"  {length:5,} characters  {ours:7.3f} {theirs:8.2f}   {theirs / ours:5.0f}x   "
            f"{peak(partial(copies, part, text))}, longest copy {found.longest.length}",
            flush=True,
        )
    same = partial(copies, "ab" * (max(SAMPLES) // 2), "ab" * (CHARACTERS // 2))
    print(f"  a text and a sample of nothing but “ab”: copies() {median_seconds(same):.3f} s, {peak(same)}")


def long_text() -> str:
    """What the shipped models were trained on, and after it the standard library's source until it is long enough."""
    pieces = [python_reference().content]
    missing = CHARACTERS - len(pieces[0])
    for path in sorted(Path(sysconfig.get_path("stdlib")).glob("**/*.py")):
        if missing <= 0:
            break
        if "site-packages" not in path.parts:
            pieces.append(path.read_text("utf-8", "replace"))
            missing -= len(pieces[-1])
    return "".join(pieces)[:CHARACTERS]


def plain(sample: str, text: str) -> list[int]:
    """For each position of the sample, the length of the longest piece from there on that is in the text."""
    found, length = [], 0
    for start in range(len(sample)):
        length = max(0, length - 1)
        while start + length < len(sample) and sample[start : start + length + 1] in text:
            length += 1
        found.append(length)
    return found


def median_seconds(work: Callable[[], Any]) -> float:
    seconds = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def peak(work: Callable[[], Any]) -> str:
    """The most memory that it holds at once, in words."""
    tracemalloc.start()  # slows the work down, so this is a run of its own
    work()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return f"peak of {most / MEGA:.0f} MB more"

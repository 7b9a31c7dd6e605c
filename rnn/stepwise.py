"""Work in steps, between which whoever shares the thread has a turn."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import TypeVar

T = TypeVar("T")
Stepwise = Generator[None, None, T]  # work in steps that others may come between, and what it comes to


def to_the_end(turns: Stepwise[T]) -> T:
    """What the turns come to, taken one after the other."""
    while True:
        try:
            next(turns)
        except StopIteration as end:
            result: T = end.value
            return result


def in_slices(turns: Stepwise[T], seconds: float) -> Stepwise[T]:
    """The same work in fewer turns: each goes on until so many seconds are over."""
    began = time.monotonic()
    while True:
        try:
            next(turns)
        except StopIteration as end:
            result: T = end.value
            return result
        if time.monotonic() - began >= seconds:
            yield
            began = time.monotonic()

"""Work in steps, between which whoever shares the thread has a turn."""

from __future__ import annotations

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

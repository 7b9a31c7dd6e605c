"""Two sides measured in turns in one process, so that whatever else the machine does meets both alike."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

REPEATS = 5
LEAST_SECONDS = 0.5  # how long one repeat of one side runs at least


@dataclass(frozen=True)
class Comparison:
    """Work per second of two sides, repeat by repeat."""

    ours: list[float]
    theirs: list[float]

    @property
    def ratios(self) -> list[float]:
        """How many times faster ours is, repeat by repeat, sorted."""
        return sorted(a / b for a, b in zip(self.ours, self.theirs, strict=True))

    def __str__(self) -> str:
        low, middle, high = self.ratios[0], statistics.median(self.ratios), self.ratios[-1]
        ours, theirs = statistics.median(self.ours), statistics.median(self.theirs)
        return f"{ours:>12,.0f} {theirs:>12,.0f}   {middle:5.2f}x  ({low:.2f} to {high:.2f})"


def compare(ours: Callable[[], int], theirs: Callable[[], int], repeats: int = REPEATS) -> Comparison:
    """Runs both sides in turns; each returns the amount of work that one call does (characters)."""
    ours(), theirs()  # what comes only once comes here
    result = Comparison([], [])
    for _ in range(repeats):
        result.ours.append(rate(ours))
        result.theirs.append(rate(theirs))
    return result


def rate(work: Callable[[], int]) -> float:
    """Work per second."""
    done, started = 0, time.perf_counter()
    while (seconds := time.perf_counter() - started) < LEAST_SECONDS:
        done += work()
    return done / seconds


def machine() -> str:
    """The kind of machine and the versions, for the head of a table."""
    abilities = torch.cpu.get_capabilities()
    features = [name for name in ("avx512_f", "avx512_bf16", "amx_bf16") if abilities.get(name)]
    parts = [
        str(abilities.get("cpu_name", platform.machine())),
        f"{os.cpu_count()} cores ({torch.get_num_threads()} for torch)",
        " ".join(features) or "no AVX-512",
        *([torch.cuda.get_device_name()] if torch.cuda.is_available() else []),
        f"Python {platform.python_version()}",
        f"torch {torch.__version__}",
    ]
    return ", ".join(parts)

"""The memory of this process: how much it has, and how the C library treats what was freed. No torch."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from pathlib import Path

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8  # malloc.h's names for what mallopt sets
LARGEST_KEPT = 32 << 20  # bytes of one array; glibc takes no more
MOST_KEPT = 64 << 20  # bytes that lie free before some are given back to the system


def keep_freed_memory() -> None:
    """Lets a training step find the memory that the step before has freed, where the C library is glibc.

    To be called before the threads that will use it begin. A step of a large network takes and frees some hundred
    megabytes. Left to itself, glibc gives large pieces back to the system and asks for them again: thousands of page
    faults a step, a tenth to a third of its time on a virtual machine (docs/decisions.md). One arena for all threads,
    because those of other threads than the first are too small to keep such pieces.
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):  # another C library, or none to be asked
        mallopt = ctypes.CDLL(None).mallopt
        for name, value in (
            (M_ARENA_MAX, 1),
            (M_MMAP_THRESHOLD, LARGEST_KEPT),
            (M_TRIM_THRESHOLD, MOST_KEPT),
        ):
            mallopt(name, value)


def resident_bytes() -> int | None:
    """The memory that this process has now; where the system does not tell, the most it has had, or None."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    with contextlib.suppress(ImportError):  # Windows
        import resource

        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024
    return None

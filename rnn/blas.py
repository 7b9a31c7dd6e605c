"""How many threads numpy's matrix products take. No torch."""

from __future__ import annotations

import os

from threadpoolctl import ThreadpoolController

DECIDED = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")


def leave_the_cores() -> None:
    """Lets numpy's OpenBLAS use one thread, from now on and in the whole process, unless the environment decides.

    A step of a network is a small product, for which the threads only wait for each other: with one of two cores busy
    elsewhere, 2,000 windows of an LSTM took six times as long with two threads as with one (docs/decisions.md). Other
    libraries that do the same work are left as they are.
    """
    if not any(name in os.environ for name in DECIDED):
        ThreadpoolController().select(internal_api="openblas").limit(limits=1)

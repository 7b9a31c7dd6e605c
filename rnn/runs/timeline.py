"""Which of a run's samples stand side by side."""

from __future__ import annotations

from collections.abc import Sequence

SIDE_BY_SIDE = 4


def timeline(samples: Sequence[tuple[int, str]], most: int = SIDE_BY_SIDE) -> list[tuple[int, str]]:
    """At most `most` of the samples (step, text): the first, the last, and evenly counted ones between them.

    Samples are kept at 0, 10, 20, 50, 100 and so on, so an even count is even on a logarithmic axis of steps.

    Args:
        samples: in the order of their steps, as `Store.samples` gives them.
        most: at least 2.
    """
    if len(samples) <= most:
        return list(samples)
    return [samples[round(i * (len(samples) - 1) / (most - 1))] for i in range(most)]

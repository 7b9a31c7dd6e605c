"""In which order the units of a layer are drawn, so that those that do the same stand together. No torch."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Order = NDArray[np.int64]


def correlations(states: NDArray[Any]) -> NDArray[np.float64]:
    """Pearson's r of every two units, (H, H); 0 with a unit that never changes, and of that one with itself.

    Args:
        states: (T, H).
    """
    centred = states.astype(np.float64)
    if len(centred):
        centred -= centred.mean(axis=0)
    norms = np.linalg.norm(centred, axis=0)
    # What is left of a constant after its mean is taken away is rounding.
    changes = norms > 1e-6 * np.abs(states).max(axis=0, initial=0) * np.sqrt(len(states))
    centred *= np.divide(1, norms, out=np.zeros_like(norms), where=changes)
    return centred.T @ centred


def by_variance(states: NDArray[Any]) -> Order:
    """The units of states (T, H), those that change most first; (H,)."""
    return np.argsort(-states.astype(np.float64).std(axis=0), kind="stable") if len(states) else np.arange(0)


def by_cluster(correlation: NDArray[np.float64]) -> Order:
    """The units as the leaves of a tree that joins, again and again, the two groups that are most alike.

    Two groups are as far apart as their units are on average, two units 1 - r (average linkage). The tree is found by
    chains of nearest neighbours (Murtagh 1983), in O(H^2). Where two groups are joined, the one or the other is turned
    around so that the units that meet are as alike as they can be.

    Args:
        correlation: of the units, (H, H).

    Returns:
        the units, (H,).
    """
    apart = 1 - correlation
    between = apart.copy()  # of groups; each has the number of one of its units
    np.fill_diagonal(between, np.inf)
    groups = {unit: [unit] for unit in range(len(apart))}
    chain: list[int] = []
    while len(groups) > 1:
        if not chain:
            chain.append(next(iter(groups)))
        last = chain[-1]
        nearest = int(between[last].argmin())
        if len(chain) > 1 and between[last, chain[-2]] <= between[last, nearest]:  # each is the other's nearest
            a, b = chain.pop(), chain.pop()
            size_a, size_b = len(groups[a]), len(groups[b])
            mean = (size_a * between[a] + size_b * between[b]) / (size_a + size_b)
            mean[a] = np.inf
            between[a] = between[:, a] = mean
            between[b] = between[:, b] = np.inf
            groups[a] = _joined(groups[a], groups.pop(b), apart)
        else:
            chain.append(nearest)
    return np.array([unit for group in groups.values() for unit in group], np.int64)


def _joined(a: list[int], b: list[int], apart: NDArray[np.float64]) -> list[int]:
    """One after the other, with the two ends meeting that are nearest."""
    ways = [(left, right) for left in (a, a[::-1]) for right in (b, b[::-1])]
    left, right = min(ways, key=lambda way: apart[way[0][-1], way[1][0]])
    return left + right


def alike(correlation: NDArray[np.float64], order: Order) -> float:
    """How alike neighbouring rows are: the mean r of each unit and the next one in this order; 0 of a single unit."""
    return float(correlation[order[:-1], order[1:]].mean()) if len(order) > 1 else 0.0

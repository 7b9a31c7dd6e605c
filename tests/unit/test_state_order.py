"""Rows of units: those that are alike come to stand together, and none is lost."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from rnn.ordering import alike, by_cluster, by_variance, correlations


def families(
    T: int, sizes: tuple[int, ...], noise: float = 0.2, seed: int = 0
) -> tuple[NDArray[np.float32], list[int]]:
    """Units that follow one signal per family, shuffled, and the family of each."""
    rng = np.random.default_rng(seed)
    signals = rng.normal(size=(T, len(sizes)))
    of = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    return (signals[:, of] + noise * rng.normal(size=(T, len(of)))).astype(np.float32), of.tolist()


def test_correlations_are_those_of_numpy() -> None:
    states, _ = families(50, (2, 3, 4), noise=1.0)
    np.testing.assert_allclose(correlations(states), np.corrcoef(states.astype(np.float64).T), atol=1e-12)


@pytest.mark.parametrize("constant", [0.0, 0.1, -37.3])
def test_a_unit_that_never_changes_correlates_with_none(constant: float) -> None:
    states, _ = families(200, (2, 2))
    states[:, 1] = constant
    found = correlations(states)
    assert not found[1].any()
    assert not found[:, 1].any()
    assert np.isfinite(found).all()


def test_a_family_stands_together() -> None:
    states, of = families(300, (3, 5, 4, 2))
    rows = [of[u] for u in by_cluster(correlations(states))]
    changes = sum(a != b for a, b in pairwise(rows))
    assert changes == 3  # as few as four families can have


@pytest.mark.parametrize("seed", range(5))
def test_groups_are_those_of_scipys_average_linkage(seed: int) -> None:
    states, _ = families(60, (7, 5, 6), noise=2.0, seed=seed)
    matrix = correlations(states)
    apart = 1 - (matrix + matrix.T) / 2
    np.fill_diagonal(apart, 0)
    tree = linkage(squareform(apart, checks=False), "average")
    rows = by_cluster(matrix)
    for count in range(2, 18):  # however the tree is cut, each group is one run of rows
        group = fcluster(tree, count, "maxclust")[rows]
        assert sum(a != b for a, b in pairwise(group)) == len(set(group)) - 1


def test_neighbours_are_more_alike_after_sorting() -> None:
    states, _ = families(100, (8, 8, 8), noise=1.0)
    matrix = correlations(states)
    assert alike(matrix, by_cluster(matrix)) > alike(matrix, np.arange(24)) + 0.2
    assert alike(matrix[:1, :1], np.arange(1)) == 0


@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (9, 1), (2, 5), (30, 7)])
def test_every_unit_has_one_row(shape: tuple[int, int]) -> None:
    states = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    for rows in (by_cluster(correlations(states)), by_variance(states)):
        assert sorted(rows) == list(range(shape[1]))


def test_the_one_that_varies_most_is_first() -> None:
    states = np.random.default_rng(0).normal(size=(40, 4)) * [0.1, 3, 0, 1] + [100, 0, 0, 0]
    assert by_variance(states.astype(np.float32)).tolist() == [1, 3, 0, 2]


def test_units_that_are_all_the_same_are_ordered_all_the_same() -> None:
    assert sorted(by_cluster(correlations(np.zeros((10, 6), np.float32)))) == list(range(6))
    assert sorted(by_cluster(correlations(np.tile(np.arange(10.0)[:, None], 6)))) == list(range(6))

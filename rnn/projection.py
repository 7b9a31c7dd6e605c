"""Many numbers as two: states and characters on a plane, and what kind of character each is. No torch."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnn.config import ModelConfig
from rnn.errors import InputError

VOWELS = frozenset("aeiouAEIOU")
KINDS = ("vowel", "consonant", "upper case", "digit", "punctuation", "white space", "other")  # of characters


@dataclass(frozen=True)
class Plane:
    """Vectors on the plane in which they differ most.

    Attributes:
        points: each vector's coordinates on the first two principal components, in the vectors' own units, (N, 2).
            Which end of an axis is positive means nothing; it is the one of the farthest point.
        shares: of the vectors' variance that each of the two explains, (2,).
        dimensions: of the vectors.
    """

    points: NDArray[np.float32]
    shares: NDArray[np.float64]
    dimensions: int


def plane(vectors: NDArray[Any], what: str = "vectors") -> Plane:
    """Principal components (Pearson 1901): the directions of the largest variance.

    They are those of the singular value decomposition of the centred vectors, X = U S V^T: the points are U S = X V.
    U comes from X X^T, or V from X^T X, whichever of the two products is smaller.

    Args:
        vectors: (N, D), N at least 2. Those of a single dimension lie on a line: their second coordinate is 0.
        what: they are, in the plural, for the error's sentence.

    Raises:
        InputError: there are fewer than two, or they are all the same.
    """
    if len(vectors) < 2:
        raise InputError(f"A plane through {what} needs at least two of them; there is {len(vectors)}.")
    centred = np.asarray(vectors, np.float64)
    centred = centred - centred.mean(axis=0)
    size = np.abs(centred).max()
    if not np.isfinite(size) or size == 0:
        raise InputError(f"The {what} are all the same or not finite, so no direction tells them apart.")
    centred /= size  # states of ReLU may be so large that their squares overflow
    is_tall = len(centred) >= centred.shape[1]
    squares, directions = np.linalg.eigh(centred.T @ centred if is_tall else centred @ centred.T)  # ascending
    variances, first = np.maximum(squares[::-1], 0), directions[:, ::-1][:, :2]
    places = centred @ first if is_tall else first * np.sqrt(variances[:2])
    places = places * np.sign(places[np.abs(places).argmax(axis=0), np.arange(places.shape[1])])
    points, shares = np.zeros((len(vectors), 2), np.float32), np.zeros(2)
    points[:, : places.shape[1]] = places * size
    shares[: places.shape[1]] = variances[:2] / variances.sum()
    return Plane(points, shares, centred.shape[1])


def character_vectors(config: ModelConfig, weights: Mapping[str, NDArray[Any]]) -> tuple[str, NDArray[Any]]:
    """What the model has learned each character to be, and its name: a row for each character, (V, D).

    With an embedding its rows E; else, because multiplying by a one-hot vector picks one, the columns of W_xh of the
    lowest layer.
    """
    if config.embedding_size:
        return "E", weights["embedding.weight"]
    return "W_xh", weights["recurrent.weight_ih_l0"].T


def kind_of(character: str) -> str:
    """One of `KINDS`. Vowels are those of English; letters without case are "other"."""
    category = unicodedata.category(character)
    if character.isspace() or category[0] in "ZC":
        return "white space"
    if category in ("Lu", "Lt"):
        return "upper case"
    if category == "Ll":
        base = unicodedata.normalize("NFD", character)[0]  # é is an e
        return "vowel" if base in VOWELS else "consonant"
    if category[0] == "N":
        return "digit"
    return "punctuation" if category[0] in "PS" else "other"


def like_neighbours(vectors: NDArray[Any], kinds: Sequence[str]) -> tuple[int, float]:
    """How many vectors are nearest to one of their own kind, and how many would be if the kinds were shuffled.

    Args:
        vectors: (V, D), V at least 2; distances are Euclidean, in all D dimensions.
        kinds: one per vector.
    """
    rows = np.asarray(vectors, np.float64)
    squares = (rows**2).sum(axis=1)
    distances = squares[:, None] + squares - 2 * rows @ rows.T
    np.fill_diagonal(distances, np.inf)
    names, of = np.unique(list(kinds), return_inverse=True)
    same = int((of[distances.argmin(axis=1)] == of).sum())
    counts = np.bincount(of, minlength=len(names))
    return same, float((counts * (counts - 1)).sum() / (len(rows) - 1))

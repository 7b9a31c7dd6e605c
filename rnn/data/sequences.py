"""What the data of the sequence tasks share: which examples a step reads, symbols as indices, rows of unequal length.

Everything is batch first, (N, T), and counts in int64, as embeddings and cross-entropies want it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import sha256
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from rnn.errors import InputError

Integers = NDArray[np.int64]
Array = TypeVar("Array", bound=NDArray[Any])

PAD, BEGIN, END = 0, 1, 2  # what fills a shorter row, what a decoder reads first, what it writes last
FIRST = 3  # the index of the first symbol proper

HELD_OUT = 10  # one example in so many is kept for validation


class Padded(NamedTuple):
    """Rows of unequal length as one array.

    Attributes:
        values: (N, T), T that of the longest row; shorter ones end with `PAD`.
        lengths: (N,), without the padding.
    """

    values: Integers
    lengths: Integers


def padded(rows: Sequence[Sequence[int]]) -> Padded:
    """The rows as one array, the shorter ones filled with `PAD`."""
    lengths = np.array([len(row) for row in rows], np.int64)
    values = np.full((len(rows), int(lengths.max(initial=0))), PAD, np.int64)
    for value, row in zip(values, rows, strict=True):
        value[: len(row)] = row
    return Padded(values, lengths)


@dataclass(frozen=True)
class Symbols:
    """The characters or words that a decoder writes, indexed from `FIRST` on: `PAD`, `BEGIN` and `END` come before.

    Attributes:
        names: one string per symbol.
    """

    names: tuple[str, ...]

    def __len__(self) -> int:
        """How many indices there are, those of `PAD`, `BEGIN` and `END` included."""
        return FIRST + len(self.names)

    @cached_property
    def _index(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.names, FIRST)}

    def encode(self, symbols: Iterable[str]) -> list[int]:
        """One index per symbol, nothing added.

        Raises:
            InputError: one of them is not here.
        """
        try:
            return [self._index[symbol] for symbol in symbols]
        except KeyError as error:
            raise InputError(f"The network does not know {error.args[0]!r}: use only what it was trained on.") from None

    def decode(self, indices: Iterable[int]) -> list[str]:
        """The symbols up to the first `END`; `PAD` and `BEGIN` are left out."""
        found = []
        for index in indices:
            if index == END:
                break
            if index >= FIRST:
                found.append(self.names[index - FIRST])
        return found

    def sources(self, rows: Iterable[Iterable[str]]) -> Padded:
        """What an encoder reads: the symbols and nothing else."""
        return padded([self.encode(row) for row in rows])

    def targets(self, rows: Iterable[Iterable[str]]) -> Padded:
        """What a decoder writes: the symbols, then `END`, which the lengths count. `BEGIN` is its first input alone."""
        return padded([[*self.encode(row), END] for row in rows])


def indices(size: int, seed: int, step: int, count: int) -> Integers:
    """Which of `size` examples step `step` reads, shape (count,).

    Every example is read once before any is read again, in an order that is new for each pass.
    """
    places = np.arange(step * count, (step + 1) * count)
    orders = {epoch: _order(size, seed, epoch) for epoch in np.unique(places // size).tolist()}
    return np.array([orders[place // size][place % size] for place in places.tolist()], np.int64)


@lru_cache(maxsize=8)
def _order(size: int, seed: int, epoch: int) -> Integers:
    return read_only(np.random.default_rng([seed, epoch]).permutation(size))


def is_held_out(name: str) -> bool:
    """Whether the example of this name is kept for validation: a tenth, by a hash that never changes."""
    return int.from_bytes(sha256(name.encode()).digest()[:8]) % HELD_OUT == 0


def read_only(array: Array) -> Array:
    """The same array, which is shared from now on and so cannot be written to."""
    array.flags.writeable = False
    return array

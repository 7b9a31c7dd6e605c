"""Characters <-> indices. A character is one Unicode code point."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from rnn.errors import ConfigError, TextError, UnknownCharacterError

UNKNOWN = "\N{REPLACEMENT CHARACTER}"  # shown wherever a capped vocabulary has no character of its own
MAX_SIZE = 65_535  # two bytes per character in memory

UnknownPolicy = Literal["error", "drop", "replace"]
Indices = NDArray[np.uint8] | NDArray[np.uint16]

CONTROL_NAMES = {  # Unicode gives control characters no names, only these aliases
    "\0": "NULL", "\a": "ALERT", "\b": "BACKSPACE", "\t": "CHARACTER TABULATION", "\n": "LINE FEED",
    "\v": "LINE TABULATION", "\f": "FORM FEED", "\r": "CARRIAGE RETURN", "\x1b": "ESCAPE", "\x7f": "DELETE",
    "\x85": "NEXT LINE",
}  # fmt: skip
NAMELESS = {"Cc": "CONTROL", "Co": "PRIVATE USE", "Cn": "UNASSIGNED", "Cs": "HALF OF A SURROGATE PAIR"}

_MISSING = -1
_BLOCK = 1 << 20  # characters looked at together: numpy's indices take 8 bytes each, a long text's would take too much


def code_points(text: str) -> NDArray[np.uint32]:
    """The code points of `text`, shape (len(text),). Lone surrogates pass through."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")


def _blocks(text: str) -> Iterator[tuple[int, NDArray[np.uint32]]]:
    """Where each block of `text` starts, and its code points."""
    for start in range(0, len(text), _BLOCK):
        yield start, code_points(text[start : start + _BLOCK])


def _count(text: str) -> NDArray[np.int64]:
    """How often each code point up to the largest one occurs in `text`."""
    counts = np.zeros(1, np.int64)
    for _, points in _blocks(text):
        found = np.bincount(points, minlength=len(counts))
        found[: len(counts)] += counts
        counts = found
    return counts


@dataclass(frozen=True)
class Vocabulary:
    """The characters that a model knows, in the order of their indices.

    Attributes:
        characters: one string per index, in code point order; a capped vocabulary ends with `UNKNOWN`.
        counts: how often each occurred in the text it was made from (0 where that is not known).
    """

    characters: tuple[str, ...]
    counts: tuple[int, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.characters) <= MAX_SIZE:
            raise ConfigError(f"A vocabulary has 1 to {MAX_SIZE:,} characters, not {len(self.characters):,}.")
        if any(not isinstance(c, str) or len(c) != 1 for c in self.characters):
            raise ConfigError("Each entry of a vocabulary is one character.")
        if any("\ud800" <= c <= "\udfff" for c in self.characters):
            # A sample with one in it could not be written to a file or sent to a browser.
            raise ConfigError("Half of a surrogate pair is no character, so a vocabulary cannot hold it.")
        if len(set(self.characters)) != len(self.characters):
            raise ConfigError("A vocabulary holds each character once.")
        if len(self.counts) != len(self.characters):
            raise ConfigError("A vocabulary has one count per character.")
        if any(not isinstance(n, int) or isinstance(n, bool) or not 0 <= n < 2**63 for n in self.counts):
            raise ConfigError("The counts of a vocabulary are whole numbers, 0 or more.")

    @classmethod
    def from_text(cls, text: str, max_size: int | None = None) -> Self:
        """The vocabulary of `text`, capped to its `max_size` most frequent characters.

        With a cap, the rarer characters share the last index, `UNKNOWN`, which counts as one of the `max_size`.

        Raises:
            TextError: `text` is empty.
            ConfigError: `max_size` is below 2, or `text` holds lone surrogates.
        """
        if not text:
            raise TextError("The text is empty: a vocabulary needs at least one character.")
        if max_size is not None and max_size < 2:
            raise ConfigError(f"max_size must be at least 2 (a character and the unknown one), not {max_size}.")
        cap = min(max_size or MAX_SIZE, MAX_SIZE)
        counts = _count(text)
        kept = np.flatnonzero(counts)
        rest = 0
        if len(kept) > cap:
            # Stable order: the more frequent first, ties by code point. UNKNOWN itself, if there, joins the rest.
            kept = kept[kept != ord(UNKNOWN)]
            kept = np.sort(kept[np.argsort(-counts[kept], kind="stable")][: cap - 1])
            rest = len(text) - int(counts[kept].sum())
        characters = [chr(c) for c in kept]
        numbers = [int(n) for n in counts[kept]]
        if rest:
            characters.append(UNKNOWN)
            numbers.append(rest)
        return cls(tuple(characters), tuple(numbers))

    @classmethod
    def from_characters(cls, characters: Iterable[str]) -> Self:
        """A vocabulary with these characters in this order and no counts."""
        chosen = tuple(characters)
        return cls(chosen, (0,) * len(chosen))

    def __len__(self) -> int:
        return len(self.characters)

    def __contains__(self, character: object) -> bool:
        return character in self._index

    @cached_property
    def _index(self) -> dict[str, int]:
        return {character: i for i, character in enumerate(self.characters)}

    @cached_property
    def _table(self) -> NDArray[np.int32]:
        """Code point -> index, `_MISSING` where there is none; the last entry stands for all code points above."""
        table = np.full(max(map(ord, self.characters)) + 2, _MISSING, np.int32)
        table[[ord(c) for c in self.characters]] = np.arange(len(self), dtype=np.int32)
        return table

    @property
    def unknown_index(self) -> int | None:
        """The index of `UNKNOWN`, which capped vocabularies and those of texts that contain it have, else None."""
        return self._index.get(UNKNOWN)

    @property
    def dtype(self) -> type[np.uint8 | np.uint16]:
        """The smallest integer type that holds every index."""
        return np.uint8 if len(self) <= 256 else np.uint16

    @cached_property
    def frequencies(self) -> NDArray[np.float64]:
        """The share of each character in the text, shape (V,); uniform where no counts are known."""
        counts = np.asarray(self.counts, np.float64)
        total = counts.sum()
        return counts / total if total else np.full(len(self), 1 / len(self))

    def index(self, character: str) -> int:
        """The index of one character.

        Raises:
            UnknownCharacterError: the vocabulary does not hold it.
            ValueError: `character` is not exactly one.
        """
        if len(character) != 1:
            raise ValueError(f"index() takes one character, not {len(character)}.")
        return int(self.encode(character)[0])

    def find_unknown(self, text: str) -> NDArray[np.int64]:
        """The positions in `text` of the characters that the vocabulary does not hold."""
        return np.flatnonzero(self._look_up(text) == _MISSING)

    def encode(self, text: str, unknown: UnknownPolicy = "error") -> Indices:
        """`text` as indices, shape (n,), one or two bytes each.

        Args:
            text: any string.
            unknown: what happens to characters that the vocabulary does not hold. "error" refuses them, "drop"
                leaves them out, "replace" gives them the index of `UNKNOWN`, where there is one. Nothing is ever
                mapped silently.

        Raises:
            UnknownCharacterError: there are some and `unknown` is "error", or "replace" has nothing to put.
        """
        found = self._look_up(text)
        missing = found == _MISSING
        if missing.any():
            if unknown == "drop":
                found = found[~missing]
            elif unknown == "replace" and self.unknown_index is not None:
                found = np.where(missing, self.unknown_index, found)
            else:
                raise self._unknown_error(text, np.flatnonzero(missing), unknown)
        return found.astype(np.uint8) if self.dtype is np.uint8 else found.astype(np.uint16)

    def decode(self, indices: Sequence[int] | NDArray[Any]) -> str:
        """The text of these indices.

        Raises:
            IndexError: an index is outside 0 ... V-1.
        """
        wanted = np.asarray(indices, dtype=np.int64)
        if wanted.size and (wanted.min() < 0 or wanted.max() >= len(self)):
            raise IndexError(f"Indices must be 0 to {len(self) - 1}; got {wanted.min()} to {wanted.max()}.")
        return "".join(map(self.characters.__getitem__, wanted.tolist()))

    def _look_up(self, text: str) -> NDArray[np.int32]:
        found = np.empty(len(text), np.int32)
        for start, points in _blocks(text):
            found[start : start + _BLOCK] = self._table.take(points, mode="clip")
        return found

    def _unknown_error(self, text: str, positions: NDArray[np.int64], policy: str) -> UnknownCharacterError:
        distinct = list(dict.fromkeys(text[i] for i in positions))
        listed = ", ".join(f"{c!r}" for c in distinct[:8]) + (" and more" if len(distinct) > 8 else "")
        many = "characters" if len(distinct) > 1 else "character"
        if policy == "replace":
            hint = "It has no unknown symbol to put in their place: drop them instead."
        else:
            ways = "Drop them" if self.unknown_index is None else "Drop or replace them"
            hint = f"{ways}, or choose a model that was trained on them."
        message = f"The model does not know the {many} {listed}, first at position {int(positions[0]) + 1}. {hint}"
        return UnknownCharacterError(message, [int(p) for p in positions], distinct)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {"characters": list(self.characters), "counts": list(self.counts)}

    @classmethod
    def from_json(cls, values: Any) -> Self:
        """The inverse of `to_json`.

        Raises:
            ConfigError: `values` does not describe a vocabulary.
        """
        try:
            return cls(tuple(values["characters"]), tuple(values["counts"]))
        except (KeyError, TypeError) as error:
            raise ConfigError("A vocabulary needs its characters and their counts.") from error


@dataclass(frozen=True, slots=True)
class CharacterRow:
    """A character as it stands in a table.

    Attributes:
        index: its place in the vocabulary.
        character: itself; `rnn.figures.characters.visible` makes a label of it.
        code_point: "U+0041".
        name: as Unicode calls it, or what kind of nameless character it is.
        count: how often it occurs in the text, or None where that is not known.
        share: of the text, 0 to 1, or None.
    """

    index: int
    character: str
    code_point: str
    name: str
    count: int | None
    share: float | None


def vocabulary_table(vocabulary: Vocabulary) -> list[CharacterRow]:
    """One row per character, in the order of their indices."""
    total = sum(vocabulary.counts)
    return [
        CharacterRow(i, c, f"U+{ord(c):04X}", character_name(c), n if total else None, n / total if total else None)
        for i, (c, n) in enumerate(zip(vocabulary.characters, vocabulary.counts, strict=True))
    ]


def character_name(character: str) -> str:
    """The Unicode name of one character, or its kind where it has none."""
    nameless = CONTROL_NAMES.get(character) or NAMELESS.get(unicodedata.category(character), "WITHOUT A NAME")
    return unicodedata.name(character, nameless)

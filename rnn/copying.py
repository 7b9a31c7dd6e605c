"""How much of a generated text stands word for word in the training text.

Everything is read off the matching statistics (Chang and Lawler 1994, "Sublinear approximate string matching and
biological applications"): for each position of the sample, the length of the longest piece from there on that occurs
in the text. They are found in one walk of the text through the suffix automaton of the sample, the smallest machine
whose paths are the pieces of the sample (Blumer et al. 1985, "The smallest automaton recognizing the subwords of a
text"):

1. The automaton is built, and completed: where a state lacks an arrow for a character, the longest suffix of what was
   read that can go on with it does, as in Aho and Corasick (1975). So each character of the text is one look-up.
2. The text is cut into thousands of parts that walk side by side, one numpy call moving all of them by a character. A
   part walks on past its end for as long as it is in a piece that began before it, so no piece is cut.
3. The longest piece read in each state answers for all its suffixes, and thereby for every position of the sample.

Time is linear in the text, whatever the two contain, and memory is two bytes per character of the text besides the
automaton: text that repeats itself without end and a sample that is one long copy are ordinary cases.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from rnn.errors import ConfigError, TextError
from rnn.vocabulary import code_points

SHOWN = (3, 4, 6, 8, 12, 16, 24, 32)  # lengths of n-grams, characters
MAX_SAMPLE = 10_000  # characters; the automaton has up to twice as many states, and they are numbered in two bytes

_MAX_ARROWS = (
    1 << 25
)  # four bytes each; prose of 10,000 characters needs 1 million, any 5,000 characters fewer than this
_PARTS = 1 << 14  # of the text, at most: few numpy calls, each of which leaves the interpreter to other threads
_PART = 64  # characters of a part, at least
_BLOCK = 1 << 20  # characters encoded together


@dataclass(frozen=True)
class Passage:
    """A piece of the sample that stands in the text.

    Attributes:
        start: position of its first character in the sample.
        length: its characters.
    """

    start: int
    length: int

    @property
    def end(self) -> int:
        """The position in the sample after its last character."""
        return self.start + self.length


@dataclass(frozen=True, eq=False)
class Copies:
    """What a sample shares with a text.

    Attributes:
        longest_from: for each position of the sample, the length of the longest piece from there on that occurs in
            the text, shape (n,) for n characters.
        longest: the longest of these pieces, the first of equals; of length 0 where there is none.
        text_start: where the longest piece first stands in the text; 0 where there is none.
        novel: for each length asked for that fits, the share of the sample's n-grams, 0 to 1, that are not in the
            text. Every occurrence counts: a sample of n characters has n - 2 trigrams, equal ones included.
    """

    longest_from: NDArray[np.int64]
    longest: Passage
    text_start: int
    novel: dict[int, float]

    def passages(self, minimum: int) -> list[Passage]:
        """The copied pieces of at least `minimum` characters that are part of no longer one, in order.

        Two of them may overlap: each stands in the text, what they make together does not.

        Raises:
            ConfigError: `minimum` is not positive.
        """
        _check_length(minimum)
        lengths = self.longest_from
        before = np.concatenate([[0], lengths[:-1]])
        starts = np.flatnonzero((lengths >= minimum) & (before <= lengths))
        return [Passage(int(i), int(lengths[i])) for i in starts]

    def is_copied(self, minimum: int) -> NDArray[np.bool_]:
        """Whether each character of the sample is in such a passage, shape (n,); for marking them.

        Raises:
            ConfigError: `minimum` is not positive.
        """
        _check_length(minimum)
        positions = np.arange(len(self.longest_from))
        ends = np.where(self.longest_from >= minimum, positions + self.longest_from, 0)
        return np.asarray(np.maximum.accumulate(ends) > positions)


def copies(sample: str, text: str, shown: Sequence[int] = SHOWN) -> Copies:
    """Compares a sample with the text that its model was trained on, exactly, code point by code point.

    Args:
        sample: the generated text, at most `MAX_SAMPLE` characters.
        text: any length.
        shown: the lengths of the n-grams whose novelty is asked for; longer ones than the sample are left out.

    Raises:
        TextError: the sample is too long, or longer than 5,000 characters and too many of them different.
        ConfigError: a length in `shown` is not positive.
    """
    for n in shown:
        _check_length(n)
    if len(sample) > MAX_SAMPLE:
        raise TextError(
            f"The sample has {len(sample):,} characters, and at most {MAX_SAMPLE:,} are compared. Give a part of it."
        )
    lengths = _longest_from(sample, text)
    start = int(lengths.argmax()) if len(lengths) else 0
    longest = Passage(start, int(lengths[start]) if len(lengths) else 0)
    fitting = sorted({n for n in shown if n <= len(sample)})
    novel = {n: float(np.mean(lengths[: len(sample) - n + 1] < n)) for n in fitting}
    return Copies(lengths, longest, text.find(sample[longest.start : longest.end]), novel)


def _check_length(n: int) -> None:
    if n < 1:
        raise ConfigError(f"A length must be at least 1 character, not {n}.")


def _longest_from(sample: str, text: str) -> NDArray[np.int64]:
    """The matching statistics of the sample, shape (n,)."""
    if not sample or not text:
        return np.zeros(len(sample), np.int64)
    alphabet, encoded = np.unique(code_points(sample), return_inverse=True)
    automaton = Automaton.of(encoded.tolist(), len(alphabet))
    up_to = automaton.longest_suffixes(_longest_read(automaton, _parts(text, alphabet)))
    # The longest copied piece that ends at e begins at e - up_to[e], which never falls as e grows. So the longest one
    # from i on ends at the last e whose piece begins at i or before.
    starts = np.arange(len(sample) + 1) - up_to
    positions = np.arange(len(sample))
    return np.searchsorted(starts, positions, side="right") - 1 - positions


def _parts(text: str, alphabet: NDArray[np.uint32]) -> NDArray[np.uint16]:
    """The text as indices into the sample's alphabet, `len(alphabet)` for others, in rows of equal length.

    The last row is filled up with characters that the sample lacks; there is at least one of them.
    """
    unknown = len(alphabet)
    index = np.full(int(alphabet[-1]) + 2, unknown, np.uint16)  # its last entry stands for all code points above
    index[alphabet] = np.arange(unknown)
    rows = min(_PARTS, len(text) // _PART + 1)
    encoded = np.full((rows, len(text) // rows + 1), unknown, np.uint16)
    for start in range(0, len(text), _BLOCK):
        points = code_points(text[start : start + _BLOCK])
        encoded.ravel()[start : start + len(points)] = index.take(points, mode="clip")
    return encoded


def _longest_read(automaton: Automaton, parts: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """The length of the longest piece that the text reaches each state with, 0 for states it does not, (states,)."""
    rows, columns = parts.shape
    longest = np.zeros(len(automaton.link), np.uint16)
    state, length = np.zeros(rows, np.intp), np.zeros(rows, np.uint16)

    def read(characters: NDArray[np.uint16]) -> None:
        nonlocal state, length
        arrow = state * automaton.width + characters
        state = automaton.target.take(arrow).astype(np.intp)
        length = np.minimum(length + np.uint16(1), automaton.limit.take(arrow))
        np.maximum.at(longest, state, length)

    for column in range(columns):
        read(parts[:, column])
    text, position = parts.ravel(), columns * np.arange(1, rows + 1)
    for past_end in range(parts.size):
        is_open = length > past_end  # in a piece that began in its own part
        position, state, length = position[is_open], state[is_open], length[is_open]
        if not len(position):
            break
        read(text[position])
        position += 1
    return longest


class Automaton(NamedTuple):
    """The suffix automaton of a sample, completed so that every state has an arrow for every character.

    A state stands for pieces that end at the same places of the sample, each a suffix of the longest. State 0 has
    read nothing.

    Attributes:
        width: arrows per state: the size of the sample's alphabet, and one for all other characters.
        target: where each arrow leads, shape (states * width,).
        limit: the longest piece that can have been read after each arrow, shape (states * width,).
        link: of each state, the state of the longest suffix that is in another one; -1 for state 0.
        length: of each state, its longest piece.
        prefixes: the states that the sample itself passes through, shape (n + 1,).
    """

    width: int
    target: NDArray[np.uint16]
    limit: NDArray[np.uint16]
    link: list[int]
    length: list[int]
    prefixes: list[int]

    @classmethod
    def of(cls, sample: Sequence[int], alphabet_size: int) -> Self:
        """The automaton of a sample whose characters are indices below `alphabet_size`.

        Raises:
            TextError: it would have too many arrows.
        """
        arrows, link, length, prefixes = _build(sample)
        width = alphabet_size + 1
        if len(link) * width > _MAX_ARROWS:
            raise TextError(
                f"The sample has {len(sample):,} characters, {alphabet_size:,} of them different, "
                "which is too much to compare at once. Give a part of it."
            )
        target, limit = np.zeros((2, len(link), width), np.uint16)
        for state in sorted(range(len(link)), key=length.__getitem__):
            if state > 0:  # what is missing, the longest suffix in another state knows; it is shorter, so it is done
                target[state], limit[state] = target[link[state]], limit[link[state]]
            own = list(arrows[state])
            target[state, own], limit[state, own] = list(arrows[state].values()), length[state] + 1
        return cls(width, target.ravel(), limit.ravel(), link, length, prefixes)

    def longest_suffixes(self, longest_read: NDArray[Any]) -> NDArray[np.int64]:
        """For each prefix of the sample, the length of its longest suffix that was read, shape (n + 1,)."""
        longest: list[int] = longest_read.tolist()
        by_length = sorted(range(1, len(longest)), key=self.length.__getitem__)
        for state in reversed(by_length):
            if longest[state]:  # whoever reads a piece has read its suffixes
                longest[self.link[state]] = self.length[self.link[state]]
        for state in by_length:
            longest[state] = longest[state] or longest[self.link[state]]
        return np.array([longest[state] for state in self.prefixes], np.int64)


def _build(sample: Sequence[int]) -> tuple[list[dict[int, int]], list[int], list[int], list[int]]:
    """Arrows, links, lengths and prefixes of the automaton, a character of the sample at a time."""
    arrows: list[dict[int, int]] = [{}]
    link, length, prefixes = [-1], [0], [0]
    for character in sample:
        last, new = prefixes[-1], len(link)
        prefixes.append(new)
        arrows.append({})
        length.append(length[last] + 1)
        while last >= 0 and character not in arrows[last]:
            arrows[last][character] = new
            last = link[last]
        if last < 0:
            link.append(0)
            continue
        known = arrows[last][character]
        if length[known] == length[last] + 1:
            link.append(known)
            continue
        # The shorter pieces of `known` now end where its longer ones do not: they get a state of their own.
        shorter = new + 1
        arrows.append(dict(arrows[known]))
        length.append(length[last] + 1)
        link.extend([shorter, link[known]])
        link[known] = shorter
        while last >= 0 and arrows[last].get(character) == known:
            arrows[last][character] = shorter
            last = link[last]
    return arrows, link, length, prefixes

"""A text as a tree: go back to any character, put another in its place, and write on from that very state.

Nothing is primed again: a branch goes on from the state in which the character was drawn, so all that comes after it
differs for the sake of that one character. The random numbers belong to the positions, not to the branch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnn.config import SampleConfig, shown
from rnn.errors import ConfigError
from rnn.records import Sampled
from rnn.sampling import Layer, NumpyModel, checked, draw_next, read_prime, softmax
from rnn.vocabulary import Vocabulary

MOST_BRANCHES = 24
MEASURED_AT_ONCE = 64  # characters
KEPT_EVERY = 64  # characters: a state of two wide layers takes 16 kB, so not every one is kept


@dataclass(frozen=True)
class Branch:
    """One way through the tree.

    Attributes:
        number: its place in `Draft.branches`; 0 is the text that was written first.
        parent: the branch it left, None for the first.
        start: how many characters it has in common with its parent; the next one was chosen by hand.
    """

    number: int
    parent: int | None
    start: int


@dataclass
class _Written:
    """What has been written of a branch, what it shares with its parent included."""

    indices: list[int] = field(default_factory=list)
    probabilities: list[float] = field(default_factory=list)
    entropies: list[float] = field(default_factory=list)
    by_hand: set[int] = field(default_factory=set)
    kept: dict[int, tuple[NDArray[Any], list[Layer]]] = field(default_factory=dict)  # before the character there
    is_over: bool = False


class Draft:
    """Writes a text, and other texts that leave it at a character.

    Args:
        model: a `CharRNN` or a `NumpyModel`.
        vocabulary: the model's own.
        settings: prime, length of every branch, temperature, filters, seed and stop text.

    Attributes:
        vocabulary, settings: as given.
        branches: the first text, and the branches in the order in which they were made.

    Raises:
        ConfigError: the model cannot generate.
        UnknownCharacterError: the prime has characters that the model does not know.
    """

    def __init__(self, model: Any, vocabulary: Vocabulary, settings: SampleConfig) -> None:
        self.vocabulary, self.settings = vocabulary, settings
        self._model: NumpyModel = checked(model, vocabulary)
        self._draws = np.random.default_rng(settings.seed).random(settings.length)
        self.branches = [Branch(0, None, 0)]
        start = read_prime(self._model, vocabulary, vocabulary.encode(settings.prime), 1)
        self._written = [_Written(kept={0: start}, is_over=settings.length == 0)]

    def write(self, branch: int, count: int) -> str:
        """Draws up to `count` more characters of a branch; "" when it is over."""
        written = self._written[branch]
        if written.is_over:
            return ""
        begin = len(written.indices)
        logits, state = self._before(branch, begin)
        rows: list[NDArray[Any]] = []
        for position in range(begin, min(begin + count, self.settings.length)):
            if self.is_over(branch):  # ended from another thread meanwhile
                break
            sampled = draw_next(logits[0], self.vocabulary, self.settings, float(self._draws[position]))
            rows.append(sampled.logits)
            logits, state = self._append(written, sampled.index, state)
            if len(rows) == MEASURED_AT_ONCE:
                self._measure(written, rows)
                rows = []
            if self._has_stopped(written):
                break
        self._measure(written, rows)
        written.is_over |= len(written.indices) == self.settings.length or self._has_stopped(written)
        return self._decode(written.indices[begin:])

    def put(self, branch: int, index: int) -> str:
        """Puts a character of one's own choice at a branch's end; "" when it is over."""
        written = self._written[branch]
        if written.is_over:
            return ""
        position = len(written.indices)
        logits, state = self._before(branch, position)
        self._require_character(index)
        self._append(written, index, state)
        written.by_hand.add(position)
        self._measure(written, [logits[0]])
        written.is_over = len(written.indices) == self.settings.length or self._has_stopped(written)
        return self.vocabulary.characters[index]

    def end(self, branch: int) -> None:
        """Ends a branch where it is, even while another thread writes it."""
        self._written[branch].is_over = True

    def take_back(self, branch: int, count: int = 1) -> None:
        """Removes the last `count` characters of a branch, as many as it has of its own."""
        written, own = self._written[branch], self.branches[branch].start
        length = max(own + (branch > 0), len(written.indices) - count)
        length = max([length, *(b.start for b in self.branches if b.parent == branch)])
        if length < len(written.indices):
            del written.indices[length:], written.probabilities[length:], written.entropies[length:]
            written.by_hand = {p for p in written.by_hand if p < length}
            written.kept = {p: kept for p, kept in written.kept.items() if p <= length}
            written.is_over = False

    def branch(self, branch: int, position: int, index: int) -> int:
        """Leaves a branch before its character at `position` (from 0), with the character `index` in its place.

        Returns:
            The new branch's number; it has `position` + 1 characters, and `write` goes on.

        Raises:
            ConfigError: there is no such character, or the tree is full.
        """
        written = self._written[branch]
        self._require_position(branch, position)
        self._require_character(index)
        if len(self.branches) >= MOST_BRANCHES:
            raise ConfigError(
                f"A text has at most {MOST_BRANCHES} branches. Go back to one of them, or write a new text."
            )
        # The state before that character belongs to both.
        kept = {p: state for p, state in written.kept.items() if p < position}
        kept[position] = self._before(branch, position)
        by_hand = {p for p in written.by_hand if p < position}
        shared = written.indices[:position], written.probabilities[:position], written.entropies[:position]
        self._written.append(_Written(*shared, by_hand, kept))
        number = len(self.branches)
        self.branches.append(Branch(number, branch, position))
        self.put(number, index)
        return number

    def text(self, branch: int) -> str:
        """What has been written of a branch, without the prime."""
        return self._decode(self._written[branch].indices)

    def is_over(self, branch: int) -> bool:
        """Whether it has its length, has come to the stop text, or was ended."""
        return self._written[branch].is_over

    def probabilities(self, branch: int) -> NDArray[np.float64]:
        """Of each character in the model's own softmax, whatever temperature it was drawn at, (n,)."""
        return np.array(self._written[branch].probabilities)

    def entropies(self, branch: int) -> NDArray[np.float64]:
        """Of the model's own softmax before each character, nats, (n,)."""
        return np.array(self._written[branch].entropies)

    def by_hand(self, branch: int) -> frozenset[int]:
        """Positions of the characters that were chosen and not drawn."""
        return frozenset(self._written[branch].by_hand)

    def at(self, branch: int, position: int) -> Sampled:
        """The draw of the character at `position`, from 0; of one chosen by hand, `draw` is the number it ignored."""
        self._require_position(branch, position)
        index = self._written[branch].indices[position]
        sampled = self.next(branch, position)
        return Sampled(self.vocabulary.characters[index], index, sampled.logits, sampled.weights, sampled.draw)

    def next(self, branch: int, position: int | None = None) -> Sampled:
        """What would be drawn at `position`, or at the end: nothing is written."""
        end = len(self._written[branch].indices)
        position = end if position is None else position
        if not 0 <= position <= min(end, self.settings.length - 1):
            raise ConfigError(f"There is no draw {position + 1}; the text has {self.settings.length} characters.")
        logits, _ = self._before(branch, position)
        return draw_next(logits[0], self.vocabulary, self.settings, float(self._draws[position]))

    def _before(self, branch: int, position: int) -> tuple[NDArray[Any], list[Layer]]:
        """Logits (1, V) and state before the character at `position`: the nearest kept ones, and the steps since."""
        written = self._written[branch]
        if position in written.kept:
            return written.kept[position]
        begin = max(p for p in written.kept if p < position)
        logits, state = written.kept[begin]
        for index in written.indices[begin:position]:
            logits, state = self._model.step([index], state)
        return logits, state

    def _append(self, written: _Written, index: int, state: Sequence[Layer]) -> tuple[NDArray[Any], list[Layer]]:
        written.indices.append(index)
        before = self._model.step([index], state)
        end = len(written.indices)
        # The end's own, so that the next character need not walk; of the earlier ones, a few.
        if (end - 1) % KEPT_EVERY:
            written.kept.pop(end - 1, None)
        written.kept[end] = before
        return before

    def _measure(self, written: _Written, rows: list[NDArray[Any]]) -> None:
        """Keeps what the model thought of the characters that were appended last."""
        if not rows:
            return
        softmaxes = softmax(np.stack(rows))
        new = written.indices[-len(rows) :]
        written.probabilities += softmaxes[np.arange(len(rows)), new].tolist()
        logs = np.log(np.where(softmaxes > 0, softmaxes, 1))
        written.entropies += (-(softmaxes * logs).sum(axis=1)).tolist()

    def _has_stopped(self, written: _Written) -> bool:
        stop = self.settings.stop
        return bool(stop) and self._decode(written.indices[-len(stop or "") :]) == stop

    def _decode(self, indices: Sequence[int]) -> str:
        return "".join(map(self.vocabulary.characters.__getitem__, indices))

    def _require_position(self, branch: int, position: int) -> None:
        length = len(self._written[branch].indices)
        if not 0 <= position < length:
            raise ConfigError(f"The text has {length} characters; there is no number {shown(position + 1)}.")

    def _require_character(self, index: int) -> None:
        if not 0 <= index < len(self.vocabulary):
            raise ConfigError(f"The model knows {len(self.vocabulary)} characters; {shown(index)} is none of them.")

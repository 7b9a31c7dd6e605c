"""One character of a text changed: what a model's states and predictions make of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnn.errors import ConfigError, InputError
from rnn.records import LayerTrace, Trace


def with_character(text: str, position: int, character: str) -> str:
    """`text` with another character at `position`.

    Raises:
        InputError: there is no such place, or what is put there is not one character, or the same.
    """
    if not 0 <= position < len(text):
        raise InputError(f"The text has {len(text):,} characters; there is none at {position + 1:,} to change.")
    if len(character) != 1 or character == text[position]:
        raise InputError("Put one other character in place of the one that stands there.")
    return text[:position] + character + text[position + 1 :]


@dataclass(frozen=True)
class Edit:
    """A text before and after one of its characters was changed, as one model read both.

    Attributes:
        before, after: the two traces, of T characters each.
        position: the place where they differ.
    """

    before: Trace
    after: Trace
    position: int

    def __post_init__(self) -> None:
        if len(self.before) != len(self.after) or self.before.characters != self.after.characters:
            raise ConfigError("A change is seen between two readings of one model over texts of the same length.")

    def states(self, layer: int = -1, direction: int = 0, vector: str = "h") -> NDArray[np.float32]:
        """h' - h (or, of an LSTM, c' - c) of every unit at every step, (T, H).

        Raises:
            ConfigError: the layer has no such state.
        """
        one, other = (_state(trace.layers[layer][direction], vector) for trace in (self.before, self.after))
        changed: NDArray[np.float32] = other - one
        return changed

    @property
    def divergences(self) -> NDArray[np.float64]:
        """How far the prediction after each character moved, KL(p || p') in bits, (T,).

        It is what the distribution after the change costs more, per character, where the one before it is the truth.
        """
        bits = np.zeros(len(self.before))
        moved = np.flatnonzero((self.before.logits != self.after.logits).any(axis=1))
        one, other = (_log_softmax(trace.logits[moved]) for trace in (self.before, self.after))
        bits[moved] = (np.exp(one) * (one - other)).sum(axis=1) / np.log(2)
        return np.maximum(bits, 0)  # rounding may leave less than nothing

    @property
    def costs(self) -> NDArray[np.float64]:
        """How many bits more each next character of the text surprises after the change; step t foretells t + 1.

        Where the changed character itself is foretold nothing is compared, because it is another one: 0. (T - 1,).
        """
        bits: NDArray[np.float64] = (self.after.losses - self.before.losses) / np.log(2)
        if self.position > 0:
            bits[self.position - 1] = 0
        return bits


def _state(layer: LayerTrace, vector: str) -> NDArray[np.float32]:
    found = {"h": layer.h, "c": layer.c}.get(vector)
    if found is None:
        raise ConfigError("The state is h or, of an LSTM, c.")
    return found


def lengths(states: NDArray[np.float32]) -> NDArray[np.float64]:
    """The length of each row, (T, H) -> (T,)."""
    found: NDArray[np.float64] = np.sqrt(np.square(states, dtype=np.float64).sum(axis=1))
    return found


def _log_softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    scores = logits.astype(np.float64)
    scores -= scores.max(axis=1, keepdims=True, initial=-np.inf)
    scores -= np.log(np.exp(scores).sum(axis=1, keepdims=True))
    return scores

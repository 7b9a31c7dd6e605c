"""The loss by position in a chunk: with the state carried from chunk to chunk, and from zeros at each. No torch.

Training may cut a text into chunks of k characters and begin each with a state of zeros. Then the first predictions of
a chunk know nothing of what came before. Both ways of reading predict the same characters, so what differs between
them is the state alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnn.config import ModelConfig
from rnn.errors import ConfigError, InputError
from rnn.sampling import NumpyModel

FEWEST_CHUNKS = 3  # the first one is left out, and a standard error takes two

Losses = NDArray[np.float32]


@dataclass(frozen=True)
class ByPosition:
    """Means over all chunks but the first, in which both ways are the same.

    Attributes:
        carry: the mean loss at each position of a chunk with the state carried on, nats per character, (k,).
        reset: the same with a state of zeros at the beginning of each chunk, (k,).
        carry_error: standard errors of the means, (k,).
        reset_error: the same, (k,).
        gap_error: the standard error of reset minus carry; both predict the same characters, so it is smaller, (k,).
        chunks: how many chunks each mean is over.
    """

    carry: NDArray[np.float64]
    reset: NDArray[np.float64]
    carry_error: NDArray[np.float64]
    reset_error: NDArray[np.float64]
    gap_error: NDArray[np.float64]
    chunks: int

    def __len__(self) -> int:
        return len(self.carry)

    @property
    def gap(self) -> NDArray[np.float64]:
        """What starting from zeros costs at each position, nats per character, (k,)."""
        return self.reset - self.carry

    @property
    def cost(self) -> float:
        """The same over all positions: by how much the mean loss is higher, nats per character."""
        return float(self.gap.mean())

    def first_below(self, gap: float) -> int | None:
        """The first position at which starting from zeros costs less than `gap`; None: there is none."""
        found = np.flatnonzero(self.gap < gap)
        return int(found[0]) if len(found) else None


def longest_chunk(characters: int) -> int:
    """The longest chunk of which a text of so many characters has enough; 0: it has not enough of any."""
    return max(0, characters - 1) // FEWEST_CHUNKS


def carried_losses(logits: NDArray[np.float32], indices: NDArray[np.int64]) -> Losses:
    """The loss of each character but the first, nats, of logits that were read in one go.

    Args:
        logits: after each character, (T, V).
        indices: the characters, (T,).
    """
    return _losses(logits[:-1], indices[1:])


def by_position(
    config: ModelConfig, weights: Mapping[str, NDArray[Any]], indices: NDArray[np.int64], carried: Losses, k: int
) -> ByPosition:
    """Reads a text in chunks of k with zeros before each, beside what it was with the state carried on.

    Args:
        config: of one direction.
        weights: every parameter by its name in the state dict.
        indices: the characters, (T,).
        carried: the losses of all but the first, read in one go from zeros, (T - 1,) (`carried_losses`).
        k: characters of a chunk; what is left over at the end of the text is left out.

    Raises:
        ConfigError: k is below 1, or the model reads in both directions.
        InputError: the text has fewer than three chunks.
    """
    if k < 1:
        raise ConfigError(f"A chunk has at least 1 character, not {k}.")
    if k > longest_chunk(len(indices)):
        raise InputError(
            f"The loss by position needs {FEWEST_CHUNKS} chunks, so with chunks of {k} a text of at least "
            f"{FEWEST_CHUNKS * k + 1} characters; this one has {len(indices):,}. Type more, or choose a shorter chunk."
        )
    chunks = len(carried) // k - 1
    read, answers = (indices[start : start + chunks * k].reshape(chunks, k) for start in (k, k + 1))
    carry = carried[k : k + chunks * k].reshape(chunks, k).astype(np.float64)
    reset, model = np.empty((chunks, k)), NumpyModel(config, weights)
    state = model.initial_state(chunks)
    for position in range(k):
        logits, state = model.step(read[:, position], state)
        reset[:, position] = _losses(logits, answers[:, position])
    return ByPosition(
        carry.mean(0), reset.mean(0), _error(carry), _error(reset), _error(reset - carry), chunks
    )  # fmt: skip


def _losses(logits: NDArray[np.float32], answers: NDArray[np.int64]) -> Losses:
    """-log softmax(logits)[answer], row by row."""
    shifted = logits - logits.max(1, keepdims=True)
    found: Losses = np.log(np.exp(shifted).sum(1)) - shifted[np.arange(len(answers)), answers]
    return found


def _error(losses: NDArray[np.float64]) -> NDArray[np.float64]:
    """The standard error of each column's mean."""
    found: NDArray[np.float64] = losses.std(0, ddof=1) / math.sqrt(len(losses))
    return found

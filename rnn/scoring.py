"""How well a model foretells a text: what it thought of every character before that came."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnn.errors import ConfigError, TextError
from rnn.sampling import checked
from rnn.vocabulary import Vocabulary

BLOCK_VALUES = 1 << 14  # logits that are looked at together; they stay in the cache
MOST = 700.0  # nats; beyond it perplexity is no finite number
NEARLY_AS_GOOD = 0.9  # of a place's surprise


@dataclass(frozen=True, slots=True)
class Place:
    """A character that surprised the model.

    Attributes:
        position: index in the text.
        character: the one that came.
        surprise: -ln of the probability that the model gave it, nats.
        before: the text just before it.
        favourite: the character that the model held likeliest.
        favourite_probability: what it gave that one.
    """

    position: int
    character: str
    surprise: float
    before: str
    favourite: str
    favourite_probability: float


@dataclass(frozen=True, slots=True)
class Score:
    """What a model thought of each character of a text before it came: n characters.

    The first has nothing before it that a model could answer to. It is scored by the characters' frequencies in the
    training text, from which `rnn.sampling.generate` draws its first character too.

    Attributes:
        text: the characters, n of them.
        indices: the same as indices of the vocabulary, shape (n,).
        surprises: -ln of the probability of each, nats, shape (n,).
        ranks: 1 where it was the model's likeliest, shape (n,).
        entropies: how unsure the model was, nats between 0 and ln V, shape (n,).
        top_indices: the likeliest characters, likeliest first, shape (n, top).
        top_probabilities: and their probabilities, shape (n, top).
        characters: the vocabulary, V of them.
    """

    text: str
    indices: NDArray[Any]
    surprises: NDArray[np.float64]
    ranks: NDArray[np.int64]
    entropies: NDArray[np.float64]
    top_indices: NDArray[np.intp]
    top_probabilities: NDArray[np.float64]
    characters: tuple[str, ...]

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """What the model gave each character that came, shape (n,)."""
        probabilities: NDArray[np.float64] = np.exp(-self.surprises)
        return probabilities

    @property
    def nats_per_char(self) -> float:
        """The mean surprise: the loss of training, on this text."""
        return float(self.surprises.mean())

    @property
    def bits_per_char(self) -> float:
        return self.nats_per_char / math.log(2)

    @property
    def perplexity(self) -> float:
        """As uncertain as a fair draw among so many characters."""
        return math.exp(min(self.nats_per_char, MOST))

    def most_surprising(self, count: int, context: int = 20) -> list[Place]:
        """The `count` most surprising places (all, if there are fewer), the most surprising first.

        Of two places right beside each other the lesser gives way to one elsewhere that is nearly as surprising, so
        that one odd word does not fill the list.

        Args:
            count: how many places.
            context: how many characters before each are given with it.
        """
        # A chosen place has two neighbours, so among three times as many there are always enough others.
        candidates = np.argsort(-self.surprises, kind="stable")[: 3 * max(count, 0)].tolist()
        chosen: list[int] = []
        while candidates and len(chosen) < count:
            apart = (i for i in candidates if i - 1 not in chosen and i + 1 not in chosen)
            best, other = candidates[0], next(apart, candidates[0])
            is_as_good = self.surprises[other] >= NEARLY_AS_GOOD * self.surprises[best]
            chosen.append(other if is_as_good else best)
            candidates.remove(chosen[-1])
        return [self._place(i, context) for i in sorted(chosen, key=lambda i: (-self.surprises[i], i))]

    def _place(self, i: int, context: int) -> Place:
        return Place(
            position=i,
            character=self.text[i],
            surprise=float(self.surprises[i]),
            before=self.text[max(0, i - context) : i],
            favourite=self.characters[self.top_indices[i, 0]],
            favourite_probability=float(self.top_probabilities[i, 0]),
        )


def score(model: Any, vocabulary: Vocabulary, text: str, top: int = 5) -> Score:
    """Reads `text` once, from a state of zeros, and keeps what the model thought of each character before it came.

    Memory is that of the result: the distributions over all V characters are looked at in blocks and let go.

    Args:
        model: a `CharRNN` or a `NumpyModel`.
        vocabulary: the model's own.
        text: at least one character.
        top: how many of the likeliest characters are kept at each place; V, if it is larger.

    Raises:
        TextError: the text is empty.
        ConfigError: `top` is below 1, the model is bidirectional, or the vocabulary is not its own.
        UnknownCharacterError: the text has characters that the model does not know.
    """
    if not text:
        raise TextError("There is nothing to score: the text is empty. Type or paste at least one character.")
    if top < 1:
        raise ConfigError(f"top must be at least 1, not {top}.")
    numpy_model = checked(model, vocabulary)
    indices = vocabulary.encode(text)
    n, V = len(text), len(vocabulary)
    result = Score(
        text=text,
        indices=indices,
        surprises=np.empty(n),
        ranks=np.empty(n, np.int64),
        entropies=np.empty(n),
        top_indices=np.empty((n, min(top, V)), np.intp),
        top_probabilities=np.empty((n, min(top, V))),
        characters=vocabulary.characters,
    )
    # A character that the training text never had has no logarithm: it is as good as impossible, and finite.
    before_all = np.log(np.maximum(vocabulary.frequencies, np.finfo(np.float64).tiny)).astype(np.float32)
    read = indices.tolist()
    logits = np.empty((max(1, min(n, BLOCK_VALUES // V)), V), np.float32)
    state = numpy_model.initial_state()
    for start in range(0, n, len(logits)):
        rows = slice(start, min(start + len(logits), n))
        block = logits[: rows.stop - rows.start]
        for row, t in enumerate(range(rows.start, rows.stop)):
            if t == 0:
                block[row] = before_all
            else:
                block[row : row + 1], state = numpy_model.step(read[t - 1 : t], state)
        _fill(result, rows, block)
    return result


def _fill(result: Score, rows: slice, logits: NDArray[np.float32]) -> None:
    """Writes what is kept of the logits (rows, V), and leaves them in pieces."""
    came = result.indices[rows, np.newaxis].astype(np.intp)
    scores = logits - logits.max(axis=1, keepdims=True).astype(np.float64)
    powers = np.exp(scores)
    sums = powers.sum(axis=1)
    log_sums = np.log(sums)
    result.surprises[rows] = log_sums - np.take_along_axis(scores, came, axis=1)[:, 0]
    # -sum p ln p, where ln p = score - ln sum
    result.entropies[rows] = log_sums - np.einsum("ij,ij->i", powers, scores) / sums
    result.ranks[rows] = 1 + np.count_nonzero(logits > np.take_along_axis(logits, came, axis=1), axis=1)
    result.top_indices[rows] = likeliest = _likeliest(logits, result.top_indices.shape[1])
    result.top_probabilities[rows] = np.take_along_axis(powers, likeliest, axis=1) / sums[:, np.newaxis]


def _likeliest(logits: NDArray[np.float32], top: int) -> NDArray[np.intp]:
    """The indices of the `top` largest logits of each row, the largest first, of equals the first.

    For the few that are wanted, finding the largest again and again takes a twentieth of what a partition does.
    It overwrites the logits.
    """
    picked = np.empty((len(logits), top), np.intp)
    for column in picked.T:
        column[:] = logits.argmax(axis=1)
        np.put_along_axis(logits, column[:, np.newaxis], -np.inf, axis=1)
    return picked

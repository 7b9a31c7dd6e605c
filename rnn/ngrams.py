"""How well counting alone predicts a text: the lines that a network's loss has to get below.

Smoothing is interpolated Witten-Bell (Witten and Bell 1991, "The zero-frequency problem", method C; interpolated as in
Chen and Goodman 1998, "An empirical study of smoothing techniques for language modeling"): after a context that was
read n times with t different characters behind it,

    P(c | context) = (count(context, c) + t * P(c | context without its first character)) / (n + t)

from trigrams down to bigrams, unigrams and 1/V, so that nothing has probability 0. A context that was never read gives
the probabilities of the shorter one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from rnn import corpora
from rnn.config import TrainConfig
from rnn.corpora import Text
from rnn.errors import ConfigError, TextError
from rnn.records import Baselines
from rnn.vocabulary import Vocabulary

ORDERS = (1, 2, 3)  # characters of an n-gram, the predicted one included
_BLOCK = 1 << 20  # predictions counted together: memory grows with the different trigrams, not with the text
_PREDICTED = 1_000_000  # predictions that are scored at most: their mean is known to about 0.002 nats

Codes = NDArray[np.int64]  # an n-gram as one number, its characters the digits to the base V + 1
Probabilities = NDArray[np.float64]


def baselines_of(text: Text, train: TrainConfig) -> Baselines:
    """The baselines for training on `text`: its vocabulary with the same cap, cut into the same two parts.

    They are measured on the predictions that the live validation loss reads.

    Raises:
        TextError: the text has fewer than two characters.
    """
    train, _ = corpora.fit(train, len(text))
    vocabulary = Vocabulary.from_text(text.content, train.max_vocabulary)
    encoded = vocabulary.encode(text.content, "replace")
    training, validation = corpora.split(encoded, train.validation_fraction)
    return baselines(training, validation[: train.evaluation_chars + 1], len(vocabulary))


def baselines(training: NDArray[Any], validation: NDArray[Any], vocabulary_size: int) -> Baselines:
    """Cross-entropies, nats per character, of predicting 0 to 2 characters of context ahead by counting.

    Args:
        training: the text that is counted, as indices below `vocabulary_size`.
        validation: the text that is predicted, from its second character on, as the network does. With fewer than two
            characters the training text is predicted instead, each time from the counts without that prediction. Of a
            part of more than a million characters, the first million is predicted.
        vocabulary_size: V.

    Raises:
        TextError: neither part has two characters.
        ConfigError: an index is not below `vocabulary_size`.
    """
    counts = TrigramCounts.of(training, vocabulary_size)
    is_held_out = len(validation) > 1
    predicted = TrigramCounts.of((validation if is_held_out else training)[: _PREDICTED + 1], vocabulary_size)
    if not len(predicted.codes):
        raise TextError("A text of fewer than two characters has no next one to predict.")
    unigram, bigram, trigram = (
        float(np.average(-np.log(p), weights=predicted.counts))
        for p in counts.probabilities(predicted.codes, leave_one_out=not is_held_out)
    )
    return Baselines(math.log(vocabulary_size), unigram, bigram, trigram, is_held_out)


@dataclass(frozen=True)
class TrigramCounts:
    """How often each character followed each two, of which the counts of pairs and single ones are sums.

    Attributes:
        vocabulary_size: V; the index V stands for "nothing before", at the beginning of the text.
        codes: the different trigrams, in order, shape (n,).
        counts: how often each was read, shape (n,).
    """

    vocabulary_size: int
    codes: Codes
    counts: NDArray[np.int64]

    @classmethod
    def of(cls, encoded: NDArray[Any], vocabulary_size: int) -> Self:
        """The counts of all predictions in a text: each of its characters but the first, with what stands before.

        Raises:
            ConfigError: an index is not from 0 to `vocabulary_size` - 1.
        """
        if len(encoded) and not 0 <= int(encoded.min()) <= int(encoded.max()) < vocabulary_size:
            raise ConfigError(f"The text has indices outside 0 to {vocabulary_size - 1}: it has another vocabulary.")
        codes, counts = np.empty(0, np.int64), np.empty(0, np.int64)
        for block in _blocks(encoded, vocabulary_size):
            block.sort()
            starts = _starts(block)
            codes, counts = _summed(
                np.concatenate([codes, block[starts]]), np.concatenate([counts, _lengths(starts, len(block))])
            )
        return cls(vocabulary_size, codes, counts)

    def probabilities(self, codes: Codes, leave_one_out: bool = False) -> tuple[Probabilities, ...]:
        """The probability of each trigram's last character after 0, 1 and 2 characters: three arrays like `codes`.

        Args:
            codes: trigrams, read or not.
            leave_one_out: whether one reading of the trigram itself is taken out of all counts first. Then all of
                `codes` must have been read.
        """
        base = self.vocabulary_size + 1
        probability: Probabilities = np.full(len(codes), 1 / self.vocabulary_size)
        found = []
        for order in ORDERS:
            own = self if order == ORDERS[-1] else self._shorter(base**order)
            ends, first, places = np.unique(codes % base**order, return_index=True, return_inverse=True)
            probability = own._interpolated(ends, probability[first], leave_one_out)[places]
            found.append(probability)
        return tuple(found)

    def _shorter(self, modulus: int) -> TrigramCounts:
        return TrigramCounts(self.vocabulary_size, *_summed(self.codes % modulus, self.counts))

    def _interpolated(self, codes: Codes, shorter: Probabilities, leave_one_out: bool) -> Probabilities:
        """The formula of this module for n-grams in ascending order, which are found several times as fast."""
        base = self.vocabulary_size + 1
        contexts = self.codes // base
        starts = _starts(contexts)
        read = np.add.reduceat(self.counts, starts) if len(starts) else starts
        count = _look_up(self.codes, self.counts, codes)
        n = _look_up(contexts[starts], read, codes // base)
        t = _look_up(contexts[starts], _lengths(starts, len(contexts)), codes // base)
        if leave_one_out:
            count, n, t = count - 1, n - 1, t - (count == 1)
        known = np.where(n > 0, (count + t * shorter) / np.maximum(1, n + t), shorter)
        return np.asarray(known, np.float64)


def _blocks(encoded: NDArray[Any], vocabulary_size: int) -> Iterator[Codes]:
    """The trigram that ends at each character of the text but the first, a block of them at a time."""
    base = vocabulary_size + 1
    for start in range(1, len(encoded), _BLOCK):
        before = encoded[max(0, start - 2) : start + _BLOCK].astype(np.int64)
        if start == 1:
            before = np.concatenate([[vocabulary_size], before])
        yield (before[:-2] * base + before[1:-1]) * base + before[2:]


def _summed(codes: Codes, counts: NDArray[np.int64]) -> tuple[Codes, NDArray[np.int64]]:
    """Each different code once, in order, with the sum of its counts."""
    order = np.argsort(codes, kind="stable")  # merges runs that are in order already
    codes, counts = codes[order], counts[order]
    starts = _starts(codes)
    return codes[starts], np.add.reduceat(counts, starts) if len(starts) else counts


def _starts(ordered: Codes) -> NDArray[np.int64]:
    """Where each different value of an ordered array begins."""
    is_first = np.ones(len(ordered), bool)
    np.not_equal(ordered[1:], ordered[:-1], out=is_first[1:])
    return np.flatnonzero(is_first)


def _lengths(starts: NDArray[np.int64], end: int) -> NDArray[np.int64]:
    return np.diff(starts, append=end)


def _look_up(keys: Codes, values: NDArray[np.int64], wanted: Codes) -> NDArray[np.int64]:
    """The value of each wanted key, 0 where there is none."""
    if not len(keys):
        return np.zeros(len(wanted), np.int64)
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[places] == wanted, values[places], 0)

"""How long a character model remembers: its loss as a function of how many past characters it may see.

The curve of Karpathy, Johnson and Fei-Fei 2015 ("Visualizing and understanding recurrent networks") and of Khandelwal
et al. 2018 ("Sharp nearby, fuzzy far away"): the same places of a text are predicted again and again, each time after
reading only the last n characters from a state of zeros. Where a longer n no longer lowers the loss, what lies farther
back is forgotten, or of no use.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnn import corpora
from rnn.config import ModelConfig
from rnn.errors import CheckpointError, InputError
from rnn.ngrams import TrigramCounts
from rnn.records import MemoryCurve
from rnn.sampling import NumpyModel
from rnn.shipped import ASSETS
from rnn.stepwise import Stepwise

LENGTHS = (1, 2, 3, 5, 8, 13, 20, 30, 50, 80, 120, 200)  # characters that may be seen
PLACES = 2_000  # characters that are predicted, at most
FEWEST_PLACES = 200  # of a large model, in a long text
SHORTEST = 20  # characters of a text in which anything can be measured
COUNTED = 1_000_000  # characters of the training text that are counted for n-grams, at most
SHIPPED_FILE = ASSETS / "memory.json"

_BATCH = 250  # windows side by side; their states fit into a core's cache
_TURN = 0.1  # seconds of work between two turns of others
_WORK = 3e11  # multiplications that one curve may take: some seconds

Losses = NDArray[np.float64]


@dataclass(frozen=True)
class Counted:
    """What counting reaches at the same places with 0, 1 and 2 characters of context.

    Attributes:
        losses: means of unigram, bigram and trigram, nats (`rnn.ngrams`).
        errors: their standard errors, nats.
    """

    losses: tuple[float, ...]
    errors: tuple[float, ...]


@dataclass(frozen=True)
class HeldOut:
    """The part of a text in which places are predicted, and the part that may be counted.

    Attributes:
        content: what is read and predicted.
        training: what n-grams are counted in; "" where nothing is known of it.
        is_held_out: whether the model has not been trained on `content`, as far as is known.
    """

    content: str
    training: str
    is_held_out: bool

    @property
    def sha256(self) -> str:
        """Of the content; the same for the same places."""
        return hashlib.sha256(self.content.encode()).hexdigest()


def held_out(content: str, validation_fraction: float) -> HeldOut:
    """The validation part of a training text; all of it where that part is too short to measure the longest memory.

    Raises:
        InputError: the text is shorter than `SHORTEST`.
    """
    length = corpora.validation_length(len(content), validation_fraction)
    if length >= 2 * LENGTHS[-1]:
        cut = len(content) - length
        return HeldOut(content[cut:], content[max(0, cut - COUNTED) : cut], True)
    check_length(content)
    part = content[-COUNTED:]
    return HeldOut(part, part, False)


def curve_of(losses: Mapping[int, Losses]) -> MemoryCurve:
    """The curve of the losses at every place, (N,) for each length; the lengths ascend."""
    rows = np.stack(list(losses.values()))
    means, gain_errors = tuple(rows.mean(axis=1).tolist()), _standard_errors(rows - rows[-1])
    return MemoryCurve(tuple(losses), means, _standard_errors(rows), gain_errors, rows.shape[1])


def check_length(content: str) -> None:
    """Raises InputError where a text has too few characters to leave some of them out."""
    if len(content) < SHORTEST:
        raise InputError(
            f"How long it remembers is measured in a text of at least {SHORTEST} characters; this one has "
            f"{corpora.count_of(len(content), 'character')}. Type or choose a longer one."
        )


def lengths_in(characters: int) -> tuple[int, ...]:
    """The lengths that leave at least half of a text of so many characters to be predicted."""
    return tuple(n for n in LENGTHS if 2 * n <= characters)


def places_in(characters: int, most: int = PLACES) -> NDArray[np.int64]:
    """Which characters of a text are predicted: evenly spread, the longest length of all others before the first."""
    first = lengths_in(characters)[-1]
    count = min(most, characters - first)
    return np.linspace(first, characters - 1, count).astype(np.int64)


def affordable_places(config: ModelConfig, vocabulary_size: int) -> int:
    """How many places are predicted, so that a curve takes seconds: `PLACES`, of large networks fewer."""
    of_one = sum(LENGTHS) * config.parameter_count(vocabulary_size)
    return int(max(FEWEST_PLACES, min(PLACES, _WORK // of_one)))


def windowed_losses(
    model: NumpyModel, indices: NDArray[Any], places: NDArray[np.int64], length: int
) -> Stepwise[Losses]:
    """The loss at each place after reading the `length` characters before it from a state of zeros, nats, (N,).

    Args:
        model: it reads from left to right.
        indices: the text, (T,).
        places: of the characters that are predicted, each at least `length`, (N,).
        length: how many characters are seen, at least 1.

    Raises:
        InputError: the weights give numbers that are not finite.
    """
    losses, since = np.empty(len(places)), time.monotonic()
    for begin in range(0, len(places), _BATCH):
        ends = places[begin : begin + _BATCH]
        state = model.initial_state(len(ends))
        for back in range(length, 0, -1):
            logits, state = model.step(indices[ends - back], state)
            if time.monotonic() - since > _TURN:
                yield
                since = time.monotonic()
        losses[begin : begin + _BATCH] = _cross_entropy(logits, indices[ends])
    if not np.isfinite(losses).all():
        raise InputError(
            "The network's numbers are no longer finite, so nothing can be measured. "
            "Go back to weights from before the training diverged."
        )
    return losses


def _cross_entropy(logits: NDArray[Any], targets: NDArray[Any]) -> Losses:
    shifted = logits.astype(np.float64)
    shifted -= shifted.max(axis=1, keepdims=True)
    losses: Losses = np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(targets)), targets]
    return losses


def counted(training: NDArray[Any], indices: NDArray[Any], places: NDArray[np.int64], vocabulary_size: int) -> Counted:
    """Unigram, bigram and trigram at the same places.

    Args:
        training: the text that is counted, (S,). Where it is `indices` itself, each place is predicted from the counts
            without it.
        indices: the text that is predicted, (T,).
        places: as for `windowed_losses`, each at least 2.
        vocabulary_size: V.
    """
    base, read = vocabulary_size + 1, indices.astype(np.int64)
    codes = (read[places - 2] * base + read[places - 1]) * base + read[places]
    counts = TrigramCounts.of(training, vocabulary_size)
    rows = -np.log(np.stack(counts.probabilities(codes, leave_one_out=training is indices)))
    return Counted(tuple(rows.mean(axis=1).tolist()), _standard_errors(rows))


def _standard_errors(rows: Losses) -> tuple[float, ...]:
    """Of the mean of each row; of a single value nothing is known, which counts as 0."""
    N = rows.shape[1]
    if N < 2:
        return (0.0,) * len(rows)
    return tuple((rows.std(axis=1, ddof=1) / math.sqrt(N)).tolist())


# The shipped results ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ShippedCurves:
    """What was measured with the models that come with the playground.

    Attributes:
        text: name of their training text in `rnn.corpora.CORPORA`.
        sha256: of its part in which was measured, as `HeldOut` has it.
        counted: the n-grams.
        curves: by the models' names in `rnn.shipped.SHIPPED`.
    """

    text: str
    sha256: str
    counted: Counted
    curves: Mapping[str, MemoryCurve]

    def to_json(self) -> str:
        return json.dumps(_rounded(asdict(self)), indent=1) + "\n"


def _rounded(values: Any) -> Any:
    if isinstance(values, Mapping):
        return {name: _rounded(value) for name, value in values.items()}
    if isinstance(values, Sequence) and not isinstance(values, str):
        return [_rounded(value) for value in values]
    return round(values, 5) if isinstance(values, float) else values


def _curve(values: Mapping[str, Any]) -> MemoryCurve:
    return MemoryCurve(
        tuple(values["lengths"]), tuple(values["losses"]), tuple(values["errors"]), tuple(values["gain_errors"]),
        int(values["places"]),
    )  # fmt: skip


@lru_cache(maxsize=1)
def shipped_curves() -> ShippedCurves:
    """Those in `assets/memory.json`.

    Raises:
        CheckpointError: the file is missing or damaged.
    """
    try:
        values = json.loads(SHIPPED_FILE.read_text("utf-8"))
        numbers = Counted(*(tuple(values["counted"][name]) for name in ("losses", "errors")))
        curves = {name: _curve(curve) for name, curve in values["curves"].items()}
        return ShippedCurves(values["text"], values["sha256"], numbers, curves)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(
            "assets/memory.json is missing or damaged. `python -m assets.memory` makes it again."
        ) from error

"""Two experiments on what truncation costs in learning: settings, and results that come with the app. No torch.

* A race of three ways to cut the gradient on the same text: chunks of k with the state carried on (and detached), with
  zeros at the beginning of each, and one chunk as long as the stream, which is full backpropagation through time.
* Delayed recall: a letter is shown once and asked for after `lag` other characters, in training with chunks of k. The
  loss of the answer stands lag + 1 steps after the letter, so a chunk holds both only if k is at least lag + 2.
  Beyond that, no gradient ever says that the letter should be kept; what the state happens to carry is all there is.

`python -m assets.truncation` makes the results again.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from rnn import corpora
from rnn.config import ModelConfig, TrainConfig
from rnn.corpora import RECALL_KEYS, Text
from rnn.errors import CheckpointError, ConfigError, TextError
from rnn.race import Member
from rnn.records import StepMetrics
from rnn.sampling import NumpyModel
from rnn.shipped import ASSETS
from rnn.vocabulary import Vocabulary

RESULTS = ASSETS / "truncation.json"
MODES = ("carry", "reset")  # of `TrainConfig.truncation`, whose chunks have k characters

# The race. 128 streams of 256 characters: as large as a step of full BPTT may be on a server that others use, too.
STREAMS, STREAM_LENGTH = 128, 256
VALIDATION = 0.1
RACE_TEXT = math.ceil((STREAMS * STREAM_LENGTH + 1) / (1 - VALIDATION))  # characters, of which a tenth is validation
RACE_MODEL = ModelConfig(cell="gru", hidden_size=64)
RACE_CHUNK, RACE_PASSES = 16, 100
RACE_CHUNKS = (4, 8, 16, 32, 64)
CURVE_POINTS = 160  # of a shipped curve

# Delayed recall. Each place of the grid gets as many updates, and each update as many streams.
LAGS, CHUNKS = (2, 4, 8, 16, 32), (4, 8, 16, 32, 64)
RECALL_MODEL = ModelConfig(cell="gru", hidden_size=32)
RECALL_STEPS, RECALL_STREAMS, RECALL_RATE = 4_000, 64, 0.01
RECALL_TEXT = 200_000  # characters
CHANCE = 1 / len(RECALL_KEYS)
FRESH_SEED, FRESH_STREAMS, WARM_LINES, ASKED_LINES = 1_000_003, 250, 2, 8  # the lines that accuracy is measured on


# The race ---------------------------------------------------------------------------------------------------------


def race_text(text: Text) -> Text:
    """The beginning of a text, as long as the race needs it.

    Raises:
        TextError: it is too short.
    """
    if len(text) < RACE_TEXT:
        raise TextError(
            f"The race needs a text of {RACE_TEXT:,} characters; “{text.name}” has {len(text):,}. Choose another model "
            "above: its text is raced on."
        )
    return Text(f"{text.name}, beginning", text.content[:RACE_TEXT])


def race_members(model: ModelConfig, k: int, passes: int, seed: int = 0) -> list[Member]:
    """The three ways to cut, each with as many passes over the same text.

    Args:
        k: characters of a chunk, at most half a stream.

    Raises:
        ConfigError: k does not cut the streams.
    """
    if not 1 <= k <= STREAM_LENGTH // 2:
        raise ConfigError(f"The chunk length k must be from 1 to {STREAM_LENGTH // 2}, not {k}.")
    updates = passes * math.ceil(STREAM_LENGTH / k)
    chunks = TrainConfig(
        batch_size=STREAMS, bptt_steps=k, steps=updates, evaluate_every=max(1, updates // 25), seed=seed,
        evaluation_chars=5_000, validation_fraction=VALIDATION, decay="none", precision="float32",
    )  # fmt: skip
    # One chunk is the whole stream, so nothing is cut; this way it is within the caps of a shared server.
    whole = replace(
        chunks, bptt_steps=STREAM_LENGTH, truncation="reset", steps=passes, evaluate_every=max(1, passes // 25)
    )
    return [
        Member(f"carry, k={k}", model, chunks),
        Member(f"reset, k={k}", model, replace(chunks, truncation="reset")),
        Member(f"full, k={STREAM_LENGTH}", model, whole),
    ]  # fmt: skip


def is_race(labels: Sequence[str]) -> bool:
    """Whether a race with members of these labels is one of these."""
    return [label.split(",")[0] for label in labels] == ["carry", "reset", "full"]


# Delayed recall ---------------------------------------------------------------------------------------------------


def needs_chunk(lag: int) -> int:
    """The shortest chunk that can hold a letter and its answer."""
    return lag + 2


@lru_cache(maxsize=len(LAGS))
def recall_text(lag: int) -> Text:
    """What is trained on."""
    return Text(f"delayed-recall, lag {lag}", corpora.delayed_recall(lag, RECALL_TEXT))


def recall_settings(k: int, mode: str, seed: int = 0) -> TrainConfig:
    """How one place of the grid is trained.

    Raises:
        ConfigError: k or mode is not one of the grid's.
    """
    if k not in CHUNKS or mode not in MODES:
        raise ConfigError(f"The grid has chunks of {', '.join(map(str, CHUNKS))} with {' or '.join(MODES)}.")
    return TrainConfig(
        batch_size=RECALL_STREAMS, bptt_steps=k, steps=RECALL_STEPS, learning_rate=RECALL_RATE, truncation=mode,
        validation_fraction=0.0, precision="float32", seed=seed,
    )  # fmt: skip


@dataclass(frozen=True)
class Place:
    """A place of the grid, and with which seed it was trained."""

    lag: int
    chunk: int
    mode: str
    seed: int


def place_of(text_sha256: str, model: Mapping[str, object], train: Mapping[str, object]) -> Place | None:
    """Where in the grid a run with this text and these settings (as JSON values) belongs, or None."""
    k, mode, seed = train.get("bptt_steps"), train.get("truncation"), train.get("seed")
    if model != RECALL_MODEL.to_json() or k not in CHUNKS or mode not in MODES or not isinstance(seed, int):
        return None
    if train != recall_settings(k, mode, seed).to_json():
        return None
    return next((Place(lag, k, mode, seed) for lag in LAGS if recall_text(lag).sha256 == text_sha256), None)


def recalled(config: ModelConfig, weights: Mapping[str, Any], vocabulary: Vocabulary, lag: int) -> float:
    """The share of letters that are given back right, over fresh lines, each the likeliest character; state carried.

    Args:
        weights: every parameter by its name in the state dict.
    """
    length, lines = lag + 4, WARM_LINES + ASKED_LINES
    text = corpora.delayed_recall(lag, FRESH_STREAMS * lines * length, FRESH_SEED)
    read = vocabulary.encode(text).astype(np.int64).reshape(FRESH_STREAMS, lines * length)
    model = NumpyModel(config, weights)
    state, right = model.initial_state(FRESH_STREAMS), list[float]()
    for t in range(read.shape[1] - 1):
        logits, state = model.step(read[:, t], state)
        line, place = divmod(t, length)
        if place == lag + 1 and line >= WARM_LINES:  # the question mark was read
            right.append(float(np.mean(logits.argmax(1) == read[:, t + 1])))
    return float(np.mean(right))


# Results ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Curve:
    """A member of the race that comes with the app, and what it came to."""

    label: str
    metrics: tuple[StepMetrics, ...]


@dataclass(frozen=True)
class Results:
    """What comes with the app.

    Attributes:
        text_sha256: of the text that was raced on; other versions of Python bring other ones.
        curves: of `race_members(RACE_MODEL, RACE_CHUNK, RACE_PASSES)`.
        recall: the share of right answers, by mode, lag and chunk length.
    """

    text_sha256: str
    curves: tuple[Curve, ...]
    recall: Mapping[str, Mapping[int, Mapping[int, float]]]


@lru_cache(maxsize=1)
def results() -> Results:
    """Those that come with the app, all of them.

    Raises:
        CheckpointError: the file is missing or damaged.
    """
    try:
        found = results_of(json.loads(RESULTS.read_text()))
        if not found.curves or any(set(found.recall[mode][lag]) != set(CHUNKS) for mode in MODES for lag in LAGS):
            raise ValueError("Some are missing.")
        return found
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(
            f"The results in {RESULTS.name} cannot be read: install the app again, or run python -m assets.truncation."
        ) from error


def results_of(values: Mapping[str, Any]) -> Results:
    """Of JSON values, as `results_json` made them."""
    curves = tuple(
        Curve(one["label"], tuple(_metrics(*point) for point in one["points"])) for one in values["race"]["members"]
    )
    recall = {
        mode: {int(lag): {int(k): float(share) for k, share in row.items()} for lag, row in grid.items()}
        for mode, grid in values["recall"].items()
    }
    return Results(values["race"]["text_sha256"], curves, recall)


def results_json(found: Results) -> dict[str, Any]:
    """As JSON values; the curves thinned."""
    return {
        "race": {
            "text_sha256": found.text_sha256,
            "members": [
                {"label": one.label, "points": [_point(m) for m in thinned(one.metrics)]} for one in found.curves
            ],
        },
        "recall": found.recall,
    }  # fmt: skip


def thinned(metrics: Sequence[StepMetrics]) -> list[StepMetrics]:
    """About `CURVE_POINTS` of them: evenly spaced, each that measured validation, the first and the last."""
    stride = math.ceil(len(metrics) / CURVE_POINTS) or 1
    last = len(metrics) - 1
    return [m for i, m in enumerate(metrics) if i % stride == 0 or i == last or m.validation_loss is not None]


def _point(m: StepMetrics) -> list[float | None]:
    validation = None if m.validation_loss is None else round(m.validation_loss, 4)
    return [m.step, round(m.epoch, 3), round(m.loss, 4), round(m.elapsed, 3), m.characters, validation]


def _metrics(
    step: int, epoch: float, loss: float, elapsed: float, characters: int, validation: float | None
) -> StepMetrics:
    return StepMetrics(step, epoch, loss, math.nan, math.nan, math.nan, elapsed, characters, validation)

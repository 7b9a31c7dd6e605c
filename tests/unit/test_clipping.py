"""Clipping on and off are the same run but for the clipping."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from rnn import corpora
from rnn.errors import ConfigError, TextError
from rnn.gradients.clipping import MODEL, MOST_TEXT, STEPS, TRAIN, training_both
from rnn.stepwise import to_the_end
from rnn.training import TrainState, train

TEXT = corpora.load("python-reference").content[:MOST_TEXT]


def test_at_the_settings_that_are_shown_first_one_diverges_and_the_other_learns() -> None:
    pair = to_the_end(training_both(TEXT))
    assert pair.off.diverged_at is not None
    assert pair.off.diverged_at < 60
    assert pair.off.reason == "exploded"
    assert len(pair.off.losses) == pair.off.diverged_at - 1
    assert pair.on.diverged_at is None
    assert len(pair.on.losses) == STEPS
    assert pair.on.last < 2.8 < pair.off.last


def test_both_begin_at_the_same_weights_and_part_at_the_first_clipped_step() -> None:
    pair = to_the_end(training_both(TEXT, seed=1))
    assert pair.off.losses[0] == pair.on.losses[0]
    assert pair.off.norms[0] == pair.on.norms[0] > pair.train.clip_norm
    assert pair.off.losses[1] != pair.on.losses[1]
    assert pair.off.clipped == 0
    assert pair.on.clipped == np.sum(pair.on.norms > pair.train.clip_norm)


def test_a_limit_that_is_never_reached_changes_nothing() -> None:
    pair = to_the_end(training_both(TEXT[:4000], rate=0.1, limit=5.0))
    assert pair.on.clipped == 0
    np.testing.assert_array_equal(pair.on.losses, pair.off.losses)


def test_the_first_step_is_that_of_sgd_by_hand() -> None:
    state = TrainState.create(TEXT, MODEL, replace(TRAIN, steps=1))
    before = {n: p.detach().clone() for n, p in state.model.named_parameters()}
    (metrics,) = train(state)
    moved = torch.cat([(p.detach() - before[n]).flatten() for n, p in state.model.named_parameters()])
    assert metrics.grad_norm > TRAIN.clip_norm
    assert moved.norm().item() == pytest.approx(TRAIN.learning_rate * TRAIN.clip_norm, rel=1e-4)


def test_bad_input_is_said() -> None:
    with pytest.raises(TextError, match="at least 100 characters; this one has 5"):
        to_the_end(training_both("hello"))
    with pytest.raises(ConfigError, match="learning_rate"):
        to_the_end(training_both(TEXT, rate=float("nan")))

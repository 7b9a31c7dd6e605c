"""What a training will take on this machine, from a few steps of it: seconds, characters a second, memory."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch

from rnn import corpora
from rnn.config import ModelConfig, TaskConfig, TrainConfig
from rnn.corpora import Text, from_paste
from rnn.errors import TrainingError
from rnn.hardware import Resolved
from rnn.probe import faster_precision, gains_are_possible, in_turns, measuring
from rnn.records import Estimate, StepMetrics
from rnn.scan import is_by_hand
from rnn.stepwise import Stepwise, to_the_end
from rnn.tasks import Task
from rnn.tasks.making import make
from rnn.tasks.next_character import NextCharacter
from rnn.training import LIVE_STREAMS, TrainState, advance
from rnn.vocabulary import Vocabulary

MAX_KNOWN = 256  # shapes remembered; the one that was asked for longest ago goes first
WIDTHS = {"float32": 4, "bfloat16": 2}  # bytes of a number
SLOTS = {"adamw": 2, "adam": 2, "rmsprop": 1, "adagrad": 1, "sgd": 1}  # numbers remembered of each weight
BY_HAND = {"rnn": 1, "gru": 5, "lstm": 7}  # arrays (T, B, H) that rnn.bptt keeps: states; gates and candidate; cells

# The steps that are timed: neither a stop nor an evaluation among them, and too small to go astray.
UNDISTURBED: dict[str, Any] = {
    "steps": 1_000_000, "evaluate_every": 1_000_000, "minutes": None, "target_loss": None, "patience": None,
    "learning_rate": 1e-9,
}  # fmt: skip


@dataclass(frozen=True)
class _Rates:
    """What was measured of one shape."""

    precision: str
    device: str
    parameters: int
    outputs: int  # scores at each place, V
    T: int
    B: int
    predictions: int  # of one step
    seconds_per_step: float
    evaluated: int  # predictions of one evaluation, of the data that was measured
    seconds_per_evaluated: float  # each


_known: OrderedDict[tuple[Any, ...], _Rates] = OrderedDict()


def estimate(
    data: str | Text | Task | None, model: ModelConfig, train: TrainConfig, learned: TaskConfig | None = None
) -> Estimate:
    """What this training would take, if it had the machine to itself.

    Args:
        data: a text, or any task; None where `learned` has its own data.
        model, train: as they would be given to `TrainState.create`, which shrinks `train` in the same way.
        learned: what is learned; None: to predict the next character of the text.

    Raises:
        TextError: the text cannot be trained on.
        ConfigError: a setting does not suit the task or this machine.
        TrainingError: not even the first step can be taken.
    """
    return to_the_end(estimating(data, model, train, learned))


def estimating(
    data: str | Text | Task | None, model: ModelConfig, train: TrainConfig, learned: TaskConfig | None = None
) -> Stepwise[Estimate]:
    """`estimate`, with a pause after each step for whoever shares the thread.

    What was measured of a text is remembered for all texts with as many characters in their vocabulary.
    """
    given = from_paste(data) if isinstance(data, str) else data
    if learned is not None and learned.kind != "next-character":
        assert given is None or isinstance(given, Text)
        given = make(learned, given, train.max_vocabulary)
    assert given is not None
    if not isinstance(given, Text):
        train, _ = given.fit(train)
        rates = yield from _measuring(given, model, train)
        encoded = getattr(given, "encoded", None)
        return _estimate(model, train, rates, rates.evaluated, 0 if encoded is None else encoded.nbytes)
    train, _ = corpora.fit(train, len(given))
    size = len(Vocabulary.from_text(given.content, train.max_vocabulary))
    validation = corpora.validation_length(len(given), train.validation_fraction)
    key = _shape(model, train, size, len(given) - validation, validation > 1)
    if key not in _known:
        task = NextCharacter.from_text(given, train.max_vocabulary)
        train, _ = task.fit(train)
        yield
        measured = yield from _measuring(task, model, train)
        _known[key] = measured
        while len(_known) > MAX_KNOWN:
            _known.popitem(last=False)
    rates = _known[key]
    _known.move_to_end(key)
    return _estimate(model, train, rates, _evaluated(train, validation), len(given) * (1 if size <= 256 else 2))


def _shape(model: ModelConfig, train: TrainConfig, size: int, training: int, has_validation: bool) -> tuple[Any, ...]:
    """All that the time of a step and of an evaluated prediction depends on."""
    B = train.batch_size
    T = (training - 1) // B if train.truncation == "full" else train.bptt_steps
    rule = (train.optimizer, train.clip, train.truncation, train.precision, train.device)
    return model, size, T, B, rule, has_validation, torch.get_num_threads()


def _evaluated(train: TrainConfig, validation: int) -> int:
    return max(0, min(train.evaluation_chars, validation - 1))


def _measuring(task: Task, model: ModelConfig, train: TrainConfig) -> Stepwise[_Rates]:
    """Steps of the very training: forward, backward, clip, update; then a chunk of an evaluation."""
    resolved = Resolved.here(train)
    precision, device = resolved.precision, resolved.device
    if precision == "auto":
        if gains_are_possible(model, device):
            yield from measuring(task, model, train, device)
        precision, _ = faster_precision(task, model, train, device)
    state = TrainState.create(task, model, replace(train, precision=precision, **UNDISTURBED))
    yield
    batch = task.batch(train, 0)
    [seconds] = yield from in_turns([partial(_step, state, advance(state))])
    evaluated, seconds_per_evaluated = _time_evaluation(state, train)
    weights = state.model.state_dict()
    return _Rates(
        precision=precision,
        device=device,
        parameters=sum(weight.numel() for weight in weights.values()),
        outputs=next((len(weight) for name, weight in weights.items() if name.endswith("head.weight")), 1),
        T=batch.steps,
        B=batch.targets.shape[-1],
        predictions=batch.predictions,
        seconds_per_step=seconds,
        evaluated=evaluated,
        seconds_per_evaluated=seconds_per_evaluated,
    )


def _step(state: TrainState, ticks: Iterator[StepMetrics | None]) -> None:
    if next(ticks, None) is None:
        assert state.divergence is not None  # there is no other stop, and no evaluation
        raise TrainingError("The loss of the very first steps is no finite number. Choose other settings.")


def _time_evaluation(state: TrainState, train: TrainConfig) -> tuple[int, float]:
    """Predictions of one live evaluation, and the seconds of each, by its first chunk."""
    if not state.task.has_validation(train):
        return 0, 0.0
    started = time.perf_counter()
    first = next(state.task.evaluate(state.model, train, train.evaluation_chars, LIVE_STREAMS))
    return round(first.predictions / first.fraction), (time.perf_counter() - started) / first.predictions


def _estimate(model: ModelConfig, train: TrainConfig, rates: _Rates, evaluated: int, data_bytes: int) -> Estimate:
    steps = train.steps
    if train.minutes is not None:  # of steps; evaluations do not count
        steps = min(steps, max(1, math.ceil(60 * train.minutes / rates.seconds_per_step)))
    is_last_extra = steps == train.steps and steps % train.evaluate_every != 0
    evaluations = steps // train.evaluate_every + is_last_extra if evaluated else 0
    return Estimate(
        seconds=steps * rates.seconds_per_step + evaluations * evaluated * rates.seconds_per_evaluated,
        chars_per_second=rates.predictions / rates.seconds_per_step,
        memory_bytes=_memory(model, train, rates, evaluated > 0) + data_bytes,
        steps=steps,
        precision=rates.precision,
        seconds_per_step=rates.seconds_per_step,
    )


def _memory(model: ModelConfig, train: TrainConfig, rates: _Rates, has_validation: bool) -> int:
    """Bytes of the run's arrays, its data aside; torch itself and the program come on top.

    Of each weight there are the weight, its gradient, the optimizer's slots, the best one, and the copies of all these
    but the gradient to go back to if the loss explodes. The backward pass holds about as much again as it was left.
    """
    slots = SLOTS[train.optimizer] if train.optimizer != "sgd" or train.beta1 else 0
    kept = 1 + slots + has_validation
    copies = 4 * rates.parameters * (2 * kept + 1)
    return copies + 2 * activation_bytes(model, rates.outputs, rates.T, rates.B, rates.precision, rates.device)


def activation_bytes(
    model: ModelConfig, outputs: int, T: int, B: int, precision: str = "float32", device: str = "cpu"
) -> int:
    """Bytes that the forward pass of one chunk (T, B) leaves for the backward pass.

    Args:
        outputs: V, of characters in and scores out.
    """
    width, N = WIDTHS[precision], T * B
    numbers = sum(_kept_of_layer(model, layer, outputs, precision, device) for layer in range(model.num_layers))
    if model.dropout:
        numbers += model.num_layers * 2 * model.directions * model.hidden_size  # the mask, and what it leaves
    if model.bidirectional:
        numbers += model.num_layers * 2 * model.hidden_size  # both directions side by side
    weights = model.parameter_count(outputs) * width if precision != "float32" else 0  # in the narrow format
    return N * (numbers * width + outputs * 4 + 16) + weights  # the softmax in float32; two whole numbers


def _kept_of_layer(model: ModelConfig, layer: int, outputs: int, precision: str, device: str) -> int:
    """Numbers that one layer keeps of one step of one sequence."""
    H, is_first = model.hidden_size, layer == 0
    I = (model.embedding_size or outputs) if is_first else model.directions * H  # noqa: E741
    own_input = model.embedding_size if is_first else 0
    if is_by_hand(model.cell, torch.empty(0, H, device=device), getattr(torch, precision), model.nonlinearity):
        return own_input + model.directions * BY_HAND[model.cell] * H
    if device != "cpu":  # cuDNN keeps about the same
        return I + model.directions * BY_HAND[model.cell] * H
    # oneDNN's workspace: three arrays as wide as the wider of input and state, for each side; gates, states, cells.
    return (I if is_first else 0) + model.directions * (6 * max(I, H) + 10 * H)

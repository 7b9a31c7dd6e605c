"""Training as a generator: `for metrics in train(state): ...`.

`TrainState` is everything a run is made of; `train` advances it one optimizer step at a time, so that the command
line, the scheduler of the app and the tests drive the same code. Every random number of a run comes from its own
generator, so runs that take turns do not disturb each other.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from rnn.cells import State
from rnn.config import ModelConfig, TaskConfig, TrainConfig
from rnn.corpora import Text, from_paste
from rnn.divergence import EXPLODED, RECOVERY_RATE, Divergence, likely_cause, recovery
from rnn.errors import ConfigError, TrainingError
from rnn.hardware import Resolved
from rnn.models import detach_state
from rnn.norms import after_update, before_update
from rnn.optimizers import Optimizer, clip, scheduled_rate
from rnn.probe import faster_precision
from rnn.records import LayerNorms, StepMetrics, is_measured
from rnn.tasks import Evaluation, Task
from rnn.tasks.making import make
from rnn.vocabulary import Vocabulary

KEEPSAKE_EVERY = 25  # steps between two copies of a healthy run, to go back to if the loss explodes
SMOOTHED_OVER = 10  # steps
MULTIPLIERS = (1e-6, 1e6)  # the least and the greatest factor on the learning rate
LIVE_STREAMS = 16  # parts in which live validation reads its text side by side


@dataclass(frozen=True)
class Best:
    """The lowest validation loss so far and the weights that reached it."""

    loss: float  # nats
    step: int
    weights: dict[str, Tensor]


@dataclass
class TrainState:
    """One training of one model on one task, at one step.

    Attributes:
        task, model, optimizer: what is trained, on what, by which rule.
        config, train_config: as they are used; `train_config` has been fitted to the data.
        resolved: precision, device and threads that "auto" came to.
        step: optimizer steps taken.
        hidden: the state carried to the next chunk, detached; None before the first and after a reset.
        history: the metrics of every step taken.
        layers: the size of each matrix's gradient and update, at the steps that measured it since the run was opened.
            Nothing depends on it: no checkpoint holds it, and who has kept it elsewhere may clear it.
        best: the lowest validation loss and its weights.
        evaluations_without_best: validation losses since then.
        rate_multiplier: the live factor on the learning rate; `rate_changes` lists (step, factor).
        elapsed: seconds of computation. characters: predictions trained on.
        notes: sentences about what was changed to fit the data.
        stop_reason: why the last `train` ended: "steps", "minutes", "target loss", "patience" or "diverged".
        divergence: set when it diverged.
        passed_stops: stops that have ended a `train` before; they do not end another, for going on was asked for.
    """

    task: Task
    config: ModelConfig
    train_config: TrainConfig
    resolved: Resolved
    model: nn.Module
    optimizer: Optimizer
    step: int = 0
    hidden: State | None = None
    history: list[StepMetrics] = field(default_factory=list)
    layers: list[LayerNorms] = field(default_factory=list)
    best: Best | None = None
    evaluations_without_best: int = 0
    rate_multiplier: float = 1.0
    rate_changes: list[tuple[int, float]] = field(default_factory=list)
    elapsed: float = 0.0
    characters: int = 0
    notes: tuple[str, ...] = ()
    stop_reason: str | None = None
    divergence: Divergence | None = None
    passed_stops: set[str] = field(default_factory=set)
    _last_good: tuple[dict[str, Any], dict[str, Any]] | None = None

    @classmethod
    def create(
        cls,
        data: str | Text | Task | None,
        config: ModelConfig | None = None,
        train_config: TrainConfig | None = None,
        learned: TaskConfig | None = None,
    ) -> Self:
        """A run at step 0 with freshly drawn weights.

        Args:
            data: a text (a plain string is treated as pasted), or any task; None where `learned` has its own data.
            config, train_config: the defaults of the classes where left out. A short text shrinks `batch_size`,
                `bptt_steps` and the validation part; `notes` says so.
            learned: what is learned of a text, or without one.

        Raises:
            TextError: the text cannot be trained on, or there is none.
            ConfigError: a setting does not suit the task or this machine.
        """
        given = from_paste(data) if isinstance(data, str) else data
        config, train_config = config or ModelConfig(), train_config or TrainConfig()
        if given is None or isinstance(given, Text):
            task = make(learned or TaskConfig(), given, train_config.max_vocabulary)
        else:
            task = given
        train_config, notes = task.fit(train_config)
        resolved = Resolved.here(train_config)
        if resolved.precision == "auto":
            precision, note = faster_precision(task, config, train_config, resolved.device)
            resolved, notes = replace(resolved, precision=precision), (*notes, *filter(None, [note]))
        if isinstance(given, Text):
            notes = (*given.notes, *notes)
        return cls._build(task, config, train_config, resolved, notes)

    @classmethod
    def _build(
        cls, task: Task, config: ModelConfig, train_config: TrainConfig, resolved: Resolved, notes: tuple[str, ...]
    ) -> Self:
        model = task.model(config, train_config.seed).to(resolved.device)
        if resolved.precision == "bfloat16":
            model.compute_dtype = torch.bfloat16  # type: ignore[assignment]
        return cls(task, config, train_config, resolved, model, Optimizer.of(model, train_config), notes=notes)

    @property
    def vocabulary(self) -> Vocabulary:
        """The characters of a text task."""
        vocabulary: Vocabulary = self.task.vocabulary  # type: ignore[attr-defined]
        return vocabulary

    @property
    def loss(self) -> float | None:
        """The mean training loss of the last steps, nats; None before the first."""
        recent = [m.loss for m in self.history[-SMOOTHED_OVER:]]
        return math.fsum(recent) / len(recent) if recent else None

    def set_rate_multiplier(self, multiplier: float) -> None:
        """Multiplies the learning rate from the next step on, and records it.

        Raises:
            ConfigError: it is not between 1e-6 and 1e6.
        """
        low, high = MULTIPLIERS
        if not (isinstance(multiplier, int | float) and low <= multiplier <= high):
            raise ConfigError(f"The learning-rate multiplier must be from 1e-6 to 1e6, not {multiplier!r}.")
        if multiplier != self.rate_multiplier:
            self.rate_multiplier = float(multiplier)
            self.rate_changes.append((self.step, self.rate_multiplier))

    def set_stops(
        self, minutes: float | None = None, target_loss: float | None = None, patience: int | None = None
    ) -> None:
        """Changes when training stops by itself; None switches a criterion off. The schedule stays as it is."""
        self.train_config = replace(self.train_config, minutes=minutes, target_loss=target_loss, patience=patience)
        self.passed_stops.clear()

    def recover(self) -> None:
        """After a divergence: a third of the learning rate, and the gradient's norm clipped at 1, from here on."""
        self.set_rate_multiplier(max(MULTIPLIERS[0], self.rate_multiplier * RECOVERY_RATE))
        self.train_config = replace(self.train_config, clip="norm", clip_norm=recovery(self.train_config))

    @property
    def is_healthy(self) -> bool:
        """Whether its loss is no higher than it was at first; before the first step it is."""
        return self.loss is None or self.loss <= self.history[0].loss

    @property
    def last_good(self) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """The copy that a divergence goes back to, as `to_arrays` and `to_json` gave it; None before training."""
        return self._last_good

    def set_last_good(self, arrays: Mapping[str, np.ndarray[Any, Any]], values: Mapping[str, Any]) -> None:
        """Gives the run a healthy copy of itself, from an earlier step, to go back to."""
        self._last_good = dict(arrays), dict(values)

    # To arrays and JSON values, and back: the one form in which a run is saved, resumed and rolled back.

    def to_arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        """The run's tensors as arrays of their own (copies), named as `rnn.checkpoint_file` says."""
        arrays = {f"weights/{name}": _array(t) for name, t in self.model.state_dict().items()}
        for name, own in self.optimizer.slots.items():
            arrays |= {f"optimizer/{name}/{slot}": _array(value) for slot, value in own.items()}
        arrays |= {f"hidden/{i}": _array(s) for i, s in enumerate(self.hidden or ())}
        arrays["generator"] = _array(_generator(self.model).get_state())
        if self.best:
            arrays |= {f"best/{name}": _array(t) for name, t in self.best.weights.items()}
        return arrays

    def to_json(self) -> dict[str, Any]:
        """Everything else about the run, as JSON values."""
        return {
            "kind": self.task.kind,
            **self.task.to_json(),
            "model": self.config.to_json(),
            "train": self.train_config.to_json(),
            "resolved": asdict(self.resolved),
            "step": self.step,
            "epoch": self.history[-1].epoch if self.history else 0.0,
            "elapsed": self.elapsed,
            "characters": self.characters,
            "best": {"loss": self.best.loss, "step": self.best.step} if self.best else None,
            "evaluations_without_best": self.evaluations_without_best,
            "rate_multiplier": self.rate_multiplier,
            "rate_changes": [list(change) for change in self.rate_changes],
            "passed_stops": sorted(self.passed_stops),
            "notes": list(self.notes),
        }

    def load(self, arrays: Mapping[str, np.ndarray[Any, Any]], values: Mapping[str, Any]) -> None:
        """Puts the run where `to_arrays` and `to_json` were taken; `history` is the caller's."""
        device = self.resolved.device
        tensors = {name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}
        self.model.load_state_dict(_with_prefix(tensors, "weights/"))
        names = (name for name, _ in self.model.named_parameters())
        self.optimizer.load({name: _with_prefix(tensors, f"optimizer/{name}/") for name in names})
        self.hidden = tuple(tensors[f"hidden/{i}"].to(device) for i in range(2) if f"hidden/{i}" in tensors) or None
        if "generator" in tensors:
            _generator(self.model).set_state(tensors["generator"])
        best = values["best"]
        self.best = best and Best(best["loss"], best["step"], _with_prefix(tensors, "best/"))
        self.step, self.elapsed, self.characters = values["step"], values["elapsed"], values["characters"]
        self.evaluations_without_best = values["evaluations_without_best"]
        self.rate_multiplier = values["rate_multiplier"]
        self.rate_changes = [(step, factor) for step, factor in values["rate_changes"]]
        self.passed_stops = set(values["passed_stops"])

    @classmethod
    def from_saved(
        cls,
        task: Task,
        values: Mapping[str, Any],
        arrays: Mapping[str, np.ndarray[Any, Any]],
        history: list[StepMetrics],
    ) -> Self:
        """The run that was saved, on this machine: the recorded precision, and the CPU where there is no GPU."""
        config, train_config = ModelConfig.from_json(values["model"]), TrainConfig.from_json(values["train"])
        resolved = Resolved(**values["resolved"])
        if resolved.device == "cuda" and not torch.cuda.is_available():
            resolved = replace(resolved, device="cpu")
        state = cls._build(task, config, train_config, resolved, tuple(values["notes"]))
        state.load(arrays, values)
        state.history = history
        return state


def train(state: TrainState, stop_at: int | None = None) -> Iterator[StepMetrics]:
    """Trains until a stop, one `StepMetrics` per optimizer step. It can be left and taken up again at any point.

    Args:
        state: advanced in place. Afterwards `state.stop_reason` says why it ended.
        stop_at: the step to stop at, in place of `train_config.steps`; beyond that horizon the final rate holds.

    Raises:
        TrainingError: the state came from a checkpoint without its text, or from one with weights alone.
    """
    return (metrics for metrics in advance(state, stop_at) if metrics is not None)


def advance(state: TrainState, stop_at: int | None = None) -> Iterator[StepMetrics | None]:
    """The same as `train`, with None wherever a step can be interrupted: between the chunks of an evaluation."""
    state.stop_reason = state.divergence = None
    if len(state.history) != state.step:
        raise TrainingError(
            "This checkpoint holds a model without its run, so training cannot go on from it. Use the run's own one."
        )
    last = state.train_config.steps if stop_at is None else stop_at
    if state.last_good is None:
        _keep(state)
    try:
        if _evaluation_is_due(state):  # left in the middle of it the last time
            yield from _finish_step(state)
        while not (reasons := _reasons_to_stop(state, last) - state.passed_stops):
            _take_step(state)
            yield from _finish_step(state)
    except _Diverged as diverged:
        _roll_back(state, diverged)
    else:
        state.stop_reason = min(reasons)
        state.passed_stops |= reasons - {"steps"}


def _finish_step(state: TrainState) -> Iterator[StepMetrics | None]:
    if _evaluation_is_due(state):
        yield from _evaluate_step(state)
    if state.step % KEEPSAKE_EVERY == 0 and state.is_healthy:
        _keep(state)
    yield state.history[-1]


def evaluate(state: TrainState, predictions: int | None = None, streams: int = 1) -> Iterator[Evaluation]:
    """The validation loss, chunk by chunk; the last one yielded covers all of it (or the first `predictions`).

    Args:
        streams: in how many parts the text is read side by side, each from a zero state. One carries the state over
            the whole text; 16, as live validation uses, are many times faster and cost some characters of context.

    Raises:
        TrainingError: there is no validation part.
    """
    if not state.task.has_validation(state.train_config):
        raise TrainingError("There is no validation part to evaluate on; set validation_fraction above 0.")
    return state.task.evaluate(state.model, state.train_config, predictions, streams)


class _Diverged(Exception):
    """A step cannot be used; made of the reason and the step's number."""


def _take_step(state: TrainState) -> None:
    """Forward over a chunk, backward through it, clip, update; the state is carried on, its history cut off."""
    started = time.perf_counter()
    config = state.train_config
    batch = state.task.batch(config, state.step).to(state.resolved.device)
    state.model.train()
    state.optimizer.zero_grad()
    loss, hidden = state.task.loss(state.model, batch, None if batch.begins else state.hidden)
    loss_value = loss.item()
    if not math.isfinite(loss_value):
        raise _Diverged("loss", state.step + 1)
    loss.backward()  # type: ignore[no-untyped-call]
    measured = before_update(state.model) if is_measured(state.step + 1) else []
    norm, was_clipped = clip(list(state.model.parameters()), config)
    if not math.isfinite(norm):
        raise _Diverged("gradient", state.step + 1)
    rate = scheduled_rate(config, state.step) * state.rate_multiplier
    state.optimizer.step(rate)

    state.hidden = None if hidden is None or config.truncation == "reset" else detach_state(hidden)
    state.step += 1
    state.layers += after_update(state.step, measured)
    state.characters += batch.predictions
    seconds = time.perf_counter() - started
    state.elapsed += seconds
    speed = batch.predictions / max(seconds, 1e-9)
    state.history.append(
        StepMetrics(
            state.step, batch.epoch, loss_value, norm, rate, speed, state.elapsed, state.characters,
            clipped=float(was_clipped),
        )
    )  # fmt: skip
    if len(state.history) > SMOOTHED_OVER and state.loss > EXPLODED * state.history[0].loss:  # type: ignore[operator]
        raise _Diverged("exploded", state.step)


def _evaluation_is_due(state: TrainState) -> bool:
    config = state.train_config
    if not state.history or not state.task.has_validation(config):
        return False
    measured = state.history[-1].validation_loss is not None
    return not measured and (state.step % config.evaluate_every == 0 or state.step == config.steps)


def _evaluate_step(state: TrainState) -> Iterator[None]:
    """Measures the validation loss, puts it into the last metrics, and keeps the weights if they are the best."""
    config = state.train_config
    for partial in state.task.evaluate(state.model, config, config.evaluation_chars, LIVE_STREAMS):
        evaluation = partial
        yield
    if not math.isfinite(evaluation.loss):
        raise _Diverged("loss", state.step)
    score = evaluation.scores.get("accuracy")
    state.history[-1] = replace(state.history[-1], validation_loss=evaluation.loss, score=score)
    if state.best is None or evaluation.loss < state.best.loss:
        weights = {name: t.detach().clone() for name, t in state.model.state_dict().items()}
        state.best = Best(evaluation.loss, state.step, weights)
        state.evaluations_without_best = 0
    else:
        state.evaluations_without_best += 1


def _reasons_to_stop(state: TrainState, last_step: int | None = None) -> set[str]:
    """Every stop that is reached, by name; the number of steps is one where it is given."""
    config = state.train_config
    reached = {
        "steps": last_step is not None and state.step >= last_step,
        "minutes": config.minutes is not None and state.elapsed >= 60 * config.minutes,
        "target loss": config.target_loss is not None and _is_below(state, config.target_loss),
        "patience": config.patience is not None and state.evaluations_without_best >= config.patience,
    }
    return {name for name, is_reached in reached.items() if is_reached}


def _is_below(state: TrainState, target: float) -> bool:
    """By the best validation loss, or by the smoothed training loss where there is no validation part."""
    if state.task.has_validation(state.train_config):
        return state.best is not None and state.best.loss <= target
    return state.loss is not None and state.loss <= target


def _keep(state: TrainState) -> None:
    """Remembers a healthy run, to go back to."""
    state.set_last_good(state.to_arrays(), state.to_json())


def _roll_back(state: TrainState, diverged: _Diverged) -> None:
    """Puts the run back to its last good copy and says where it broke."""
    assert state.last_good is not None  # `advance` makes one before anything can go wrong
    reason, failed = diverged.args
    config, multiplier = state.train_config, state.rate_multiplier
    rate = scheduled_rate(config, failed - 1) * multiplier
    before = state.history[: failed - 1]
    cause = likely_cause(reason, rate, before, state.config, config, state.resolved.precision)
    state.load(*state.last_good)
    state.set_rate_multiplier(multiplier)  # a rate that was turned down since stays down
    del state.history[state.step :]
    state.layers = [norms for norms in state.layers if norms.step <= state.step]
    state.stop_reason = "diverged"
    state.divergence = Divergence(failed, reason, rate, state.step, cause, recovery(config))


def _array(tensor: Tensor) -> np.ndarray[Any, Any]:
    return np.array(tensor.detach().cpu().numpy())  # a copy


def _with_prefix(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}


def _generator(model: nn.Module) -> torch.Generator:
    generator: torch.Generator = model.generator  # type: ignore[assignment]
    return generator

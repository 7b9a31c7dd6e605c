"""How long a training step takes on this machine, measured on a few of them before a run begins."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import torch

from rnn.config import ModelConfig, TrainConfig
from rnn.hardware import has_bfloat16
from rnn.stepwise import Stepwise, to_the_end
from rnn.tasks import Task

STEPS = 3  # that are timed; the fastest counts, because whatever else the machine does only adds
ENOUGH_SECONDS = 0.25  # of a step: of slow ones, the first has to do
CHUNK = TrainConfig(batch_size=64, bptt_steps=32)  # at most; formats differ in speed by the step of the cell
WORTH_IT = 1.1  # bfloat16 rounds to three digits, so it has to be faster by more than the noise of the measurement
SMALLEST = 64  # H from which it can be: below, calling the operators is what takes the time
FORMATS = ("float32", "bfloat16")

_measured: dict[tuple[Any, ...], dict[str, float]] = {}


def faster_precision(task: Task, model: ModelConfig, train: TrainConfig, device: str) -> tuple[str, str]:
    """The number format in which this model trains faster here, and a sentence that says so ("" where none is needed).

    The first answer for a shape holds as long as the program runs, so that equal runs are equal.

    Raises:
        ConfigError: the model does not suit the task.
    """
    if not gains_are_possible(model, device):
        return "float32", ""
    seconds = seconds_per_step(task, model, train, device)
    gain = seconds["float32"] / seconds["bfloat16"]
    if gain < WORTH_IT:
        return "float32", ""
    return "bfloat16", f"It computes in bfloat16, which makes a step {gain:.1f} times as fast here as float32."


def gains_are_possible(model: ModelConfig, device: str) -> bool:
    """Whether another format than float32 is worth measuring."""
    return has_bfloat16(device) and model.hidden_size >= SMALLEST


def seconds_per_step(task: Task, model: ModelConfig, train: TrainConfig, device: str) -> dict[str, float]:
    """Seconds of a step's forward and backward pass in each format, over at most 64 sequences by 32 steps."""
    return to_the_end(measuring(task, model, train, device))


def measuring(task: Task, model: ModelConfig, train: TrainConfig, device: str) -> Stepwise[dict[str, float]]:
    """`seconds_per_step`, with a pause after each step for whoever shares the thread."""
    B, T = min(train.batch_size, CHUNK.batch_size), min(train.bptt_steps, CHUNK.bptt_steps)
    network = task.model(model, train.seed).to(device)
    size = sum(parameter.numel() for parameter in network.parameters())
    key = (task.kind, model, size, B, T, device, torch.get_num_threads())
    if key not in _measured:
        batch = task.batch(replace(train, batch_size=B, bptt_steps=T, truncation="reset"), 0)
        batch = batch.to(device)

        def step(precision: str) -> None:
            network.compute_dtype = getattr(torch, precision)
            loss, _ = task.loss(network, batch, None)
            loss.backward()  # type: ignore[no-untyped-call]
            if device == "cuda":
                torch.cuda.synchronize()

        seconds = yield from in_turns([partial(step, precision) for precision in FORMATS])
        _measured[key] = dict(zip(FORMATS, seconds, strict=True))
    return _measured[key]


def in_turns(steps: list[Callable[[], object]]) -> Stepwise[list[float]]:
    """The least seconds of each, taken in turns, so that what else the machine does meets all alike."""
    least = []
    for step in steps:
        least.append(_seconds(step))
        yield
    if max(least) >= ENOUGH_SECONDS:  # the first time, which loads the operators too, has to do
        return least
    least = [math.inf] * len(steps)
    for _ in range(STEPS):
        for i, step in enumerate(steps):
            least[i] = min(least[i], _seconds(step))
            yield
    return least


def _seconds(step: Callable[[], object]) -> float:
    started = time.perf_counter()
    step()
    return time.perf_counter() - started

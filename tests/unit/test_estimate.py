"""An estimate comes from steps of the very training, once per shape, and lets others have their turn in between."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch

from rnn import corpora, probe
from rnn import estimate as estimate_module
from rnn.config import CELLS, OPTIMIZERS, ModelConfig, TrainConfig
from rnn.corpora import Text, from_paste, nested_parentheses
from rnn.errors import ConfigError, TextError, TrainingError
from rnn.estimate import activation_bytes, estimate, estimating
from rnn.hardware import has_bfloat16
from rnn.models import CharRNN
from rnn.tasks.next_character import NextCharacter
from rnn.training import TrainState, train

TEXT = Text("parentheses", nested_parentheses(6_000))
MODEL = ModelConfig(cell="gru", hidden_size=7, num_layers=2, dropout=0.5)
TRAINING = TrainConfig(batch_size=4, bptt_steps=6, steps=120, evaluate_every=50, precision="float32", device="cpu")


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "_measured", {})
    estimate_module._known.clear()


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """As if every step took 0.5 s and every evaluated prediction 0.01 s; lists what was measured."""
    shapes: list[Any] = []

    def measure(task: Any, model: ModelConfig, train: TrainConfig) -> Any:
        shapes.append((model, train))
        yield
        count = model.parameter_count(len(task.vocabulary))
        T, B = train.bptt_steps, train.batch_size
        return estimate_module._Rates("float32", "cpu", count, len(task.vocabulary), T, B, T * B, 0.5, 100, 0.01)

    monkeypatch.setattr(estimate_module, "_measuring", measure)
    return shapes


# What it says


def test_an_estimate_is_of_this_training() -> None:
    found = estimate(TEXT, MODEL, TRAINING)
    assert (found.steps, found.precision) == (120, "float32")
    assert found.seconds >= found.steps * found.seconds_per_step > 0  # evaluations come on top
    assert found.chars_per_second == pytest.approx(24 / found.seconds_per_step)
    assert found.memory_bytes > 4 * MODEL.parameter_count(len(set(TEXT.content)))


@pytest.mark.parametrize(
    ("settings", "steps", "evaluations"),
    [
        ({}, 120, 3),  # at 50, at 100, and at the end
        ({"steps": 100}, 100, 2),
        ({"steps": 3}, 3, 1),
        ({"minutes": 0.5}, 60, 1),
        ({"minutes": 10.0}, 120, 3),
        ({"validation_fraction": 0.0}, 120, 0),
    ],
)
def test_seconds_are_those_of_all_steps_and_evaluations(
    measured: list[Any], settings: dict[str, Any], steps: int, evaluations: int
) -> None:
    found = estimate(TEXT, MODEL, replace(TRAINING, **settings))
    assert found.steps == steps
    assert found.seconds == pytest.approx(0.5 * steps + evaluations * 0.01 * (len(TEXT) // 10 - 1))


def test_an_evaluation_reads_no_more_than_it_is_told_to(measured: list[Any]) -> None:
    found = estimate(TEXT, MODEL, replace(TRAINING, evaluation_chars=200, steps=50))
    assert found.seconds == pytest.approx(0.5 * 50 + 0.01 * 200)


def test_a_short_text_is_estimated_with_the_settings_that_fit_it(measured: list[Any]) -> None:
    short = from_paste("hello world " * 17)
    estimate(short, MODEL, TrainConfig(device="cpu"))
    [(_, fitted)] = measured
    assert fitted == corpora.fit(TrainConfig(device="cpu"), len(short))[0] != TrainConfig(device="cpu")


def test_a_string_and_a_task_are_estimated_as_a_text_is(measured: list[Any]) -> None:
    found = estimate(TEXT, MODEL, TRAINING)
    assert estimate(TEXT.content, MODEL, TRAINING) == found
    of_task = estimate(NextCharacter.from_text(TEXT), MODEL, TRAINING)
    assert (of_task.steps, of_task.memory_bytes) == (found.steps, found.memory_bytes)


def test_the_precision_is_the_one_that_the_run_picks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "has_bfloat16", lambda device: True)
    asked = replace(TRAINING, precision="auto", steps=3)
    model = ModelConfig(cell="gru", hidden_size=64)
    for faster in probe.FORMATS:
        estimate_module._known.clear()
        seconds = {name: 1.0 if name == faster else 2.0 for name in probe.FORMATS}
        monkeypatch.setattr(probe, "seconds_per_step", lambda *_, seconds=seconds: seconds)
        assert estimate(TEXT, model, asked).precision == faster
        assert TrainState.create(TEXT, model, asked).resolved.precision == faster


# How it is measured


def test_each_turn_takes_at_most_one_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "ENOUGH_SECONDS", math.inf)
    monkeypatch.setattr(probe, "has_bfloat16", lambda device: True)
    steps: list[int] = []
    loss = NextCharacter.loss
    monkeypatch.setattr(NextCharacter, "loss", lambda *args: steps.append(0) or loss(*args))
    before = 0
    for _ in estimating(TEXT, ModelConfig(cell="rnn", hidden_size=64), replace(TRAINING, precision="auto")):
        assert len(steps) <= before + 1
        before = len(steps)
    rounds = 1 + probe.STEPS
    assert len(steps) == rounds * len(probe.FORMATS) + rounds


def test_an_estimate_draws_from_nobodys_generator() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    state = TrainState.create(TEXT, MODEL, TRAINING)
    estimate(TEXT, MODEL, TRAINING)
    assert torch.equal(torch.rand(3), expected)
    losses = [m.loss for m in train(state, 5)]
    assert losses == [m.loss for m in train(TrainState.create(TEXT, MODEL, TRAINING), 5)]


def test_a_shape_is_measured_once(measured: list[Any]) -> None:
    first = estimate(TEXT, MODEL, TRAINING)
    assert estimate(TEXT, MODEL, TRAINING) == first
    same = [
        (Text("another", TEXT.content[::-1] * 2), MODEL, TRAINING),
        (TEXT, MODEL, replace(TRAINING, steps=7, learning_rate=1.0, evaluate_every=3, minutes=1.0)),
    ]
    for arguments in same:
        estimate(*arguments)
    assert len(measured) == 1
    others = [
        (Text("another", TEXT.content + "ABC"), MODEL, TRAINING),
        (TEXT, replace(MODEL, hidden_size=8), TRAINING),
        (TEXT, MODEL, replace(TRAINING, bptt_steps=7)),
        (TEXT, MODEL, replace(TRAINING, batch_size=5)),
        (TEXT, MODEL, replace(TRAINING, optimizer="sgd")),
        (TEXT, MODEL, replace(TRAINING, precision="bfloat16")),
    ]
    for count, arguments in enumerate(others, 2):
        estimate(*arguments)
        assert len(measured) == count


def test_only_so_many_shapes_are_remembered_the_last_used_ones(
    measured: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimate_module, "MAX_KNOWN", 3)
    for size in (1, 2, 3, 1, 4, 5):  # 1 is asked for again before 4 and 5 push out 2 and 3
        estimate(TEXT, replace(MODEL, hidden_size=size), TRAINING)
    assert len(estimate_module._known) == 3
    before = len(measured)
    for size in (1, 4, 5):
        estimate(TEXT, replace(MODEL, hidden_size=size), TRAINING)
    assert len(measured) == before


def test_an_estimate_that_is_left_is_not_remembered() -> None:
    turns = estimating(TEXT, MODEL, TRAINING)
    next(turns)
    turns.close()
    assert not estimate_module._known


# What goes wrong


def test_what_cannot_be_trained_cannot_be_estimated(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TextError, match="empty"):
        estimate("", MODEL, TRAINING)
    with pytest.raises(ConfigError, match="bidirectional"):
        estimate(TEXT, replace(MODEL, bidirectional=True), TRAINING)
    with pytest.raises(ConfigError, match="truncation is full"):
        estimate(Text("long", "ab" * 60_000), MODEL, replace(TRAINING, truncation="full"))
    monkeypatch.setattr(NextCharacter, "loss", lambda *_: (torch.tensor(math.nan), None))
    with pytest.raises(TrainingError, match="no finite number"):
        estimate(TEXT, MODEL, TRAINING)


# Memory


def kept_bytes(model: ModelConfig, T: int, B: int, V: int, dtype: torch.dtype) -> int:
    """What autograd keeps of one forward pass: every piece of memory once, the weights aside."""
    network = CharRNN(model, V)
    network.compute_dtype = dtype
    own = {parameter.untyped_storage().data_ptr() for parameter in network.parameters()}
    kept: dict[int, Any] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor  # held, so that no other one takes its place
        return tensor

    indices = torch.randint(V, (T, B), generator=torch.Generator().manual_seed(0))
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        logits, _ = network(indices)
        torch.nn.functional.cross_entropy(logits.flatten(0, 1), indices.flatten()).backward()
    return sum(tensor.untyped_storage().nbytes() for pointer, tensor in kept.items() if pointer not in own)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(
    "settings",
    [
        {"hidden_size": 96},
        {"hidden_size": 96, "embedding_size": 24},
        {"hidden_size": 64, "num_layers": 3, "dropout": 0.5},
        {"hidden_size": 32, "num_layers": 2, "bidirectional": True},
        {"hidden_size": 400, "embedding_size": 64},
    ],
    ids=["one-hot", "embedding", "deep", "both directions", "wide"],
)
def test_activations_are_within_a_factor_of_two_of_what_autograd_keeps(
    cell: str, settings: dict[str, Any], precision: str
) -> None:
    if precision == "bfloat16" and cell == "lstm" and not has_bfloat16("cpu"):
        pytest.skip("this CPU computes bfloat16 by way of float32")
    model, T, B, V = ModelConfig(cell=cell, **settings), 24, 10, 65
    kept = kept_bytes(model, T, B, V, getattr(torch, precision))
    assert kept / 2 <= activation_bytes(model, V, T, B, precision) <= 2 * kept


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_memory_covers_the_arrays_of_a_run_and_what_one_chunk_keeps(optimizer: str) -> None:
    settings = replace(TRAINING, optimizer=optimizer, steps=50, evaluate_every=25)
    model = ModelConfig(cell="gru", hidden_size=48)
    state = TrainState.create(TEXT, model, settings)
    for _ in train(state):
        pass
    assert state.best is not None
    assert state.last_good is not None
    tensors = [*state.model.parameters(), *(p.grad for p in state.model.parameters()), *state.best.weights.values()]
    tensors += [slot for own in state.optimizer.slots.values() for slot in own.values()]
    arrays = sum(t.nbytes for t in tensors if t is not None) + sum(a.nbytes for a in state.last_good[0].values())
    arrays += state.task.encoded.nbytes  # type: ignore[attr-defined]
    chunk = kept_bytes(model, 6, 4, len(state.vocabulary), torch.float32)
    found = estimate(TEXT, model, settings).memory_bytes
    assert (arrays + chunk) / 2 <= found <= 2 * (arrays + chunk)

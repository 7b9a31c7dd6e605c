"""Every task trains, is scored, saved and resumed as the language model is, and answers as its network does."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import astuple, replace
from typing import Any

import numpy as np
import pytest
import torch
from num2words import num2words
from torch.nn import functional as F

from rnn.catalogue import TASKS, SequenceShape, check, parameter_shapes
from rnn.checkpoint_file import Checkpoint, pack, unpack
from rnn.checkpoints import to_bytes, to_state
from rnn.config import CELLS, KINDS, VARIANTS, WITH_DECODER, ModelConfig, TaskConfig, TrainConfig
from rnn.corpora import Text
from rnn.data.numbers import parse
from rnn.errors import CheckpointError, ConfigError, TextError, TrainingError
from rnn.estimate import estimate
from rnn.records import METRICS
from rnn.tasks.examples import Classification, ExamplesTask, Writing
from rnn.tasks.making import make
from rnn.training import TrainState, evaluate, train

TEXT = Text("letters", "the cat sat on the mat and the dog ran to the log. " * 30)
LEARNED = [TaskConfig(kind, variant) for kind in KINDS[1:] for variant in VARIANTS[kind]]
TRAINING = TrainConfig(
    batch_size=3, steps=6, warmup_steps=1, evaluate_every=2, evaluation_chars=12, precision="float32", device="cpu"
)
EVERY_TASK = pytest.mark.parametrize("learned", LEARNED, ids=lambda c: f"{c.kind}-{c.variant}".rstrip("-"))


def small(learned: TaskConfig, **settings: Any) -> ModelConfig:
    is_both = learned.kind == "fill-blank" and not learned.variant
    return ModelConfig(**{"cell": "gru", "hidden_size": 5, "dropout": 0.3, "bidirectional": is_both} | settings)


def new_state(learned: TaskConfig, **training: Any) -> TrainState:
    text = TEXT if TASKS[learned.kind].needs_text else None
    return TrainState.create(text, small(learned), replace(TRAINING, **training), learned)


def run(state: TrainState, stop_at: int | None = None) -> TrainState:
    for _ in train(state, stop_at):
        pass
    return state


def task_of(state: TrainState) -> ExamplesTask:
    assert isinstance(state.task, ExamplesTask)
    return state.task


def text_of(learned: TaskConfig) -> Text | None:
    return TEXT if TASKS[learned.kind].needs_text else None


# Training


@EVERY_TASK
def test_resume_is_exact(learned: TaskConfig) -> None:
    learned = replace(learned, teacher_forcing=0.5) if isinstance(make(learned, TEXT), Writing) else learned
    straight = new_state(learned)
    saved = [to_bytes(run(straight, step)) for step in (0, 3)]
    run(straight)
    timed = [METRICS.index(name) for name in ("elapsed", "chars_per_second")]
    for data in saved:
        resumed = run(to_state(unpack(data), text_of(learned)))
        ours, theirs = resumed.to_arrays(), straight.to_arrays()
        assert {n: a.tobytes() for n, a in ours.items()} == {n: a.tobytes() for n, a in theirs.items()}
        histories = [np.delete(np.array([astuple(m) for m in s.history], float), timed, 1) for s in (resumed, straight)]
        np.testing.assert_array_equal(*histories)


@EVERY_TASK
def test_a_batch_follows_from_seed_and_step(learned: TaskConfig) -> None:
    task, again = make(learned, TEXT), make(learned, TEXT)
    batches = [task.batch(replace(TRAINING, seed=seed), step) for seed in (0, 1) for step in (4, 0, 4)]
    first = again.batch(TRAINING, 4)
    assert all(torch.equal(batches[i].inputs, first.inputs) for i in (0, 2))
    assert all(torch.equal(batches[i].targets, first.targets) for i in (0, 2))
    assert not any(_are_equal(batches[0].inputs, batches[i].inputs) for i in (1, 3, 4))


def _are_equal(a: torch.Tensor, b: torch.Tensor) -> bool:
    return a.shape == b.shape and torch.equal(a, b)


@EVERY_TASK
def test_every_step_has_examples_predictions_and_passes(learned: TaskConfig) -> None:
    task = make(learned, TEXT)
    before = 0.0
    for step in range(3):
        batch = task.batch(TRAINING, step)
        assert batch.begins
        assert batch.targets.shape[-1] == TRAINING.batch_size
        lengths = batch.target_lengths
        expected = batch.targets.numel() if lengths is None else int(lengths.sum())
        assert batch.predictions == expected
        assert batch.epoch > before
        before = batch.epoch


@EVERY_TASK
def test_only_scored_steps_have_a_score(learned: TaskConfig) -> None:
    history = run(new_state(learned)).history
    assert [m.score is not None for m in history] == [False, True] * 3
    assert all(0 <= m.score <= 1 for m in history if m.score is not None)


@pytest.mark.parametrize("kind", ["digit", "digit-rows"])
def test_the_digits_are_soon_learned(kind: str) -> None:
    model = ModelConfig(cell="gru", hidden_size=32)
    settings = replace(TRAINING, batch_size=64, steps=120, learning_rate=2e-2, evaluate_every=120, evaluation_chars=200)
    state = run(TrainState.create(None, model, settings, TaskConfig(kind)))
    assert task_of(state).test(state.model).scores["accuracy"] > 0.85


# Scores


@EVERY_TASK
def test_accuracy_is_the_share_of_predictions_that_are_right(learned: TaskConfig) -> None:
    state = run(new_state(learned))
    task = task_of(state)
    found = task.test(state.model)
    everything = task.predictions(state.model, len(task.held_out("test")))
    if learned.kind == "frames":
        pairs = [(a, b) for p in everything for a, b in zip(p.expected.split(), p.predicted.split(), strict=True)]
        right = sum(a == b for a, b in pairs) / len(pairs)
    else:
        right = sum(p.expected == p.predicted for p in everything) / len(everything)
    assert found.scores["accuracy"] == pytest.approx(right, abs=0.002)  # a tie may fall either way in another batch
    assert found.fraction == 1


@EVERY_TASK
def test_the_loss_of_an_evaluation_is_the_mean_over_its_predictions(learned: TaskConfig) -> None:
    state = new_state(learned)
    task = task_of(state)
    state.model.eval()
    *_, found = task.evaluate(state.model, TRAINING, 40, 1)
    examples = task.held_out("validation")
    total, count, row = 0.0, 0, 0
    while count < 40:
        batch = task.batch_of(examples[row : row + 1])
        with torch.no_grad():
            total += task.loss(state.model, batch, None)[0].item() * batch.predictions
        count, row = count + batch.predictions, row + 1
    assert found.predictions == count
    assert found.loss == pytest.approx(total / count, rel=1e-4)


@EVERY_TASK
def test_evaluating_leaves_the_run_as_it_is(learned: TaskConfig) -> None:
    state = new_state(learned)
    state.model.train()
    before = state.to_arrays()
    list(evaluate(state, 30))
    task_of(state).predictions(state.model, 3)
    assert state.model.training
    assert all(np.array_equal(before[name], array) for name, array in state.to_arrays().items())


@EVERY_TASK
def test_validation_and_test_have_no_example_in_common(learned: TaskConfig) -> None:
    task = make(learned, Text("long", "".join(chr(97 + n * n % 26 + n % 7) for n in range(3000))))
    assert isinstance(task, ExamplesTask)
    validation, test = ({row.tobytes() for row in task.held_out(part).inputs} for part in ("validation", "test"))
    if learned.kind != "fill-blank":  # a text may repeat itself
        assert not validation & test
    assert validation
    assert test


@EVERY_TASK
def test_predictions_follow_from_their_seed_and_the_example_is_made_of_such(learned: TaskConfig) -> None:
    state = new_state(learned)
    task = task_of(state)
    three, again, other = (task.predictions(state.model, 3, seed) for seed in (1, 1, 2))
    assert len(three) == 3
    assert [p.expected for p in three] == [p.expected for p in again]
    assert [str(p.inputs) for p in three] != [str(p.inputs) for p in other]
    assert all(p.is_right is (p.expected == p.predicted) for p in three)
    lines = task.example(state.model, 0).splitlines()
    assert len(lines) == 5
    assert all(": " in line for line in lines)


@EVERY_TASK
def test_probabilities_are_of_the_classes_and_the_answer_is_the_likeliest(learned: TaskConfig) -> None:
    state = new_state(learned)
    task = task_of(state)
    for prediction in task.predictions(state.model, 4):
        if not isinstance(task, Classification):
            assert prediction.probabilities is None
            continue
        assert prediction.probabilities is not None
        np.testing.assert_allclose(prediction.probabilities.sum(-1), 1, rtol=1e-5)
        assert prediction.probabilities.shape[-1] == len(task.classes)
        best = np.atleast_1d(prediction.probabilities.argmax(-1))
        assert prediction.predicted == " ".join(task.classes[i] for i in best)


@pytest.mark.parametrize("learned", [c for c in LEARNED if c.kind in ("frames", "sentiment", "fill-blank")], ids=str)
def test_a_baseline_is_a_share_below_what_is_aimed_at(learned: TaskConfig) -> None:
    task = make(learned, TEXT)
    assert isinstance(task, ExamplesTask)
    assert task.baselines()
    assert all(0 < share < 0.8 for share in task.baselines().values())


def test_what_is_shown_is_what_was_read() -> None:
    number = make(TaskConfig("number-names"))
    assert isinstance(number, Writing)
    model = number.model(small(number.config), 0)
    for prediction in number.predictions(model, 5):
        assert num2words(parse(str(prediction.inputs), "small"), lang="fr") == prediction.expected
    blank = make(TaskConfig("fill-blank", length=5), TEXT)
    assert isinstance(blank, Classification)
    for prediction in blank.predictions(blank.model(small(blank.config), 0), 5):
        assert str(prediction.inputs).replace("□", prediction.expected) in TEXT.content
        assert str(prediction.inputs)[2] == "□"
    captions = make(TaskConfig("caption"))
    assert isinstance(captions, Writing)
    for prediction in captions.predictions(captions.model(small(captions.config), 0), 5):
        assert isinstance(prediction.inputs, np.ndarray)
        assert prediction.inputs.shape == (len(prediction.expected.split()), 8, 8)
        assert prediction.inputs.any(axis=(1, 2)).all()


# Networks and settings


@pytest.mark.parametrize("cell", CELLS)
@EVERY_TASK
def test_the_shapes_known_before_are_those_of_the_network(learned: TaskConfig, cell: str) -> None:
    if learned.kind in WITH_DECODER:
        learned = replace(learned, decoder_cell="lstm", decoder_hidden_size=7, decoder_num_layers=2)
    task = make(learned, TEXT)
    for settings in ({}, {"embedding_size": 3}, {"bias": False}):
        model = small(learned, cell=cell, **settings)
        found = {name: tuple(value.shape) for name, value in task.model(model, 0).state_dict().items()}
        size = len(set(TEXT.content)) if TASKS[learned.kind].needs_text else 0
        assert found == parameter_shapes(learned, model, size)


@pytest.mark.parametrize(
    ("kind", "settings", "sentence"),
    [
        ("next-character", {"bidirectional": True}, "bidirectional must be false for next-character"),
        ("digit", {"bidirectional": True}, "it reads no sequence"),
        ("digit", {"num_layers": 2}, "num_layers must be 1 for digit"),
        ("digit-name", {"bidirectional": True}, "what is still to be written"),
        ("fill-blank", {"bidirectional": False}, "bidirectional must be true for fill-blank"),
    ],
)
def test_a_model_that_cannot_learn_the_task_is_refused(kind: str, settings: dict[str, Any], sentence: str) -> None:
    model = ModelConfig(hidden_size=4, **settings)
    with pytest.raises(ConfigError, match=sentence):
        check(TaskConfig(kind), model)
    with pytest.raises(ConfigError, match=sentence):
        TrainState.create(TEXT, model, TRAINING, TaskConfig(kind))


def test_every_kind_is_listed_with_a_preset_that_suits_it() -> None:
    assert tuple(TASKS) == KINDS
    assert {info.shape for info in TASKS.values()} == set(SequenceShape)
    for kind, info in TASKS.items():
        assert info.task.kind == kind
        assert sum(map(math.prod, parameter_shapes(info.task, info.model, 103).values())) < 250_000  # under a megabyte


def test_a_task_on_a_text_needs_one() -> None:
    for kind in ("next-character", "fill-blank"):
        with pytest.raises(TextError, match="from a text"):
            TrainState.create(None, ModelConfig(), TRAINING, TaskConfig(kind))


def test_a_text_too_short_for_windows_is_refused() -> None:
    model = ModelConfig(hidden_size=4, bidirectional=True)
    with pytest.raises(TextError, match="has 100 characters; windows of 32 need at least 640"):
        TrainState.create(Text("short", TEXT.content[:100]), model, TRAINING, TaskConfig("fill-blank"))


@EVERY_TASK
def test_its_training_can_be_estimated(learned: TaskConfig) -> None:
    found = estimate(text_of(learned), small(learned), TRAINING, learned)
    assert found.steps == 6
    assert found.seconds > 0
    assert found.memory_bytes > 0


# Files


def checkpoint_of(learned: TaskConfig) -> Checkpoint:
    return unpack(to_bytes(run(new_state(learned))))


@pytest.fixture(scope="module")
def digit() -> Checkpoint:
    return checkpoint_of(TaskConfig("digit"))


@EVERY_TASK
def test_a_file_says_what_was_learned_and_answers_alike(learned: TaskConfig) -> None:
    state = run(new_state(learned))
    checkpoint = unpack(to_bytes(state, weights_only=True))
    assert checkpoint.task == learned
    assert checkpoint.parameter_count == sum(p.numel() for p in state.model.parameters())
    again = to_state(checkpoint, text_of(learned))
    ours, theirs = (task_of(s).predictions(s.model, 3) for s in (again, state))
    assert [p.predicted for p in ours] == [p.predicted for p in theirs]


@pytest.mark.parametrize("kind", KINDS[1:])
def test_a_model_of_another_kind_cannot_write_text_and_says_what_it_does(kind: str) -> None:
    checkpoint = checkpoint_of(TaskConfig(kind))
    with pytest.raises(
        CheckpointError, match=rf"^This model {TASKS[kind].does}; it cannot write text\. The Train page"
    ):
        checkpoint.sampler()
    if TASKS[kind].needs_text:
        assert set(checkpoint.vocabulary.characters) == set(TEXT.content)
    else:
        with pytest.raises(CheckpointError, match="has no characters of a text"):
            _ = checkpoint.vocabulary


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda m: m.update(kind="digit-rows"), "its kind is 'digit-rows', but its task is 'digit'"),
        (lambda m: m.update(task=None), "TaskConfig needs named settings"),
        (lambda m: m.pop("task"), "its kind is 'digit', but its task is 'next-character'"),
        (lambda m: m["task"].update(variant="sum"), "variant must be one of"),
        (lambda m: m["task"].update(length=9), "length is a setting of"),
        (lambda m: m.update(symbols="other"), "other words or letters"),
        (lambda m: m.update(text={}), "says its text"),
        (lambda m: m.update(vocabulary={}), "says its vocabulary"),
        (lambda m: m["model"].update(num_layers=2), "num_layers must be 1 for digit"),
        (lambda m: m["model"].update(hidden_size=6), r"must be float32 \(6, 64\)"),
        (lambda m: m.update(kind="digit-rows", task={"kind": "digit-rows"}), "tensor weights/reader"),
        (lambda m: m.update(kind=["digit"]), "does not know"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused(
    digit: Checkpoint, change: Callable[[dict[str, Any]], object], sentence: str
) -> None:
    metadata = copy.deepcopy(digit.metadata)
    change(metadata)
    with pytest.raises(CheckpointError, match=sentence) as refusal:
        unpack(pack(digit.arrays, metadata), "mine.safetensors")
    assert str(refusal.value).startswith("mine.safetensors")
    assert str(refusal.value).endswith(".")


def test_a_carried_state_in_a_file_of_separate_examples_is_refused(digit: Checkpoint) -> None:
    with pytest.raises(CheckpointError, match="hidden/0"):
        unpack(pack(digit.arrays | {"hidden/0": np.zeros((1, 3, 5), np.float32)}, digit.metadata))


def test_files_of_before_there_were_scores_and_tasks_open_and_go_on() -> None:
    state = run(TrainState.create(TEXT, ModelConfig(hidden_size=4), replace(TRAINING, bptt_steps=5)))
    now = unpack(to_bytes(state))
    old = dict(now.metadata)
    del old["task"]
    arrays = now.arrays | {"history": now.arrays["history"][:, : METRICS.index("score")]}
    checkpoint = unpack(pack(arrays, old))
    assert checkpoint.task == TaskConfig()
    resumed = to_state(checkpoint, TEXT)
    assert [m.score for m in resumed.history] == [None] * 6
    assert len(run(resumed, 8).history) == 8


def test_blanks_are_not_learned_without_their_text() -> None:
    state = to_state(unpack(to_bytes(run(new_state(TaskConfig("fill-blank")), 2))))
    with pytest.raises(TrainingError, match="is not here, so training cannot go on"):
        run(state)


def test_teacher_forcing_changes_the_training_and_not_the_score() -> None:
    model = ModelConfig(hidden_size=5)
    settings = (TaskConfig("digit-name", teacher_forcing=share) for share in (1.0, 0.0))
    forced, free = (TrainState.create(None, model, TRAINING, learned) for learned in settings)
    assert [e.loss for e in evaluate(forced, 40)] == [e.loss for e in evaluate(free, 40)]
    assert run(forced).history[-1].loss != run(free).history[-1].loss


def test_the_loss_of_labels_at_every_frame_is_their_mean() -> None:
    state = new_state(TaskConfig("frames"), batch_size=2)
    task = task_of(state)
    batch = task.batch(TRAINING, 0)
    state.model.eval()
    logits = state.model(batch.inputs)
    own = torch.stack([F.cross_entropy(logits[t], batch.targets[t]) for t in range(len(logits))]).mean()
    assert task.loss(state.model, batch, None)[0].item() == pytest.approx(own.item(), rel=1e-5)

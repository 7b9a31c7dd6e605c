"""What is shown of a network over one example is what the network itself computes and answers."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from rnn.catalogue import TASKS
from rnn.checkpoints import opened
from rnn.config import KINDS, ModelConfig, TaskConfig
from rnn.corpora import Text
from rnn.data.sequences import BEGIN
from rnn.errors import InputError
from rnn.networks import EncoderDecoder
from rnn.records import Unrolled
from rnn.shipped import SHIPPED_TASKS, open_shipped
from rnn.tasks.asking import ask
from rnn.tasks.examples import Classification, ExamplesTask, Writing
from rnn.tasks.making import make
from rnn.tasks.unrolling import MOST_CHARACTERS, unroll

TEXT = Text("letters", "the cat sat on the mat and the dog, too; the rat ran to the log and it ate. " * 30)
LEARNED = [*(TaskConfig(kind) for kind in KINDS[1:]), TaskConfig("frames", "sum"), TaskConfig("fill-blank", "left")]
IMAGE = (np.arange(64).reshape(8, 8) % 17 / 16).tolist()
GIVEN: dict[str, Any] = {
    "digit": IMAGE, "digit-rows": IMAGE, "digit-name": IMAGE, "sentiment": "the plot was dull, but the zorp was good",
    "frames": "3 1 4", "caption": "3 1 4", "number-names": "342", "fill-blank": "the c_t",
}  # fmt: skip
KNOWN = ("frames", "caption", "number-names")  # whose right answer follows from what a person gives
CLOSE = {"rtol": 0, "atol": 1e-6}  # sums are not taken in the same order over one step and over many

EVERY_TASK = pytest.mark.parametrize("learned", LEARNED, ids=lambda c: f"{c.kind}-{c.variant}".rstrip("-"))
EVERY_CELL = pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])


@cache
def network(learned: TaskConfig, cell: str = "gru", layers: int = 1) -> tuple[ExamplesTask, nn.Module]:
    is_both = learned.kind == "fill-blank" and not learned.variant
    has_text = learned.kind == "fill-blank"
    task = make(learned, TEXT if has_text else None)
    assert isinstance(task, ExamplesTask)
    config = ModelConfig(cell=cell, hidden_size=7, num_layers=layers, dropout=0.3, bidirectional=is_both)
    return task, task.model(config, seed=3)


def unrolled(learned: TaskConfig, row: int = 5, **settings: Any) -> tuple[ExamplesTask, Any, Any, Unrolled]:
    """Task, network, example and what is shown of it."""
    task, model = network(learned, **settings)
    example = task.held_out("test")[row : row + 1]
    return task, model, example, unroll(task, model, example)


def states(found: Unrolled, role: str = "network") -> np.ndarray[Any, Any]:
    return np.array([step.h for step in found.steps if step.role == role])


@torch.no_grad()
def after_each_beginning(read: Any, x: torch.Tensor) -> np.ndarray[Any, Any]:
    """The top layer's last h after the first step, the first two, and so on: nothing of what follows is there."""
    return np.array([read(x[: t + 1], None, None)[1][0][-1, 0].numpy() for t in range(len(x))])


@EVERY_TASK
def test_the_answer_is_that_of_the_task(learned: TaskConfig) -> None:
    for row in (0, 5, 11):
        task, model, example, found = unrolled(learned, row)
        [answer] = task.predict(model, example)
        assert (found.predicted, found.expected, found.is_right) == (
            answer.predicted, answer.expected, answer.is_right
        )  # fmt: skip
        if isinstance(task, Classification):
            shown = np.array([step.probabilities for step in found.steps if step.counts])
            np.testing.assert_allclose(shown, np.atleast_2d(answer.probabilities), **CLOSE)
            named = " ".join(task.classes[step.guess or 0] for step in found.steps if step.counts)
            assert named == answer.predicted


@pytest.mark.parametrize("kind", [kind for kind in TASKS if kind in SHIPPED_TASKS])
def test_shipped_networks_answer_as_they_do_elsewhere(kind: str) -> None:
    task, model = opened(open_shipped(kind))
    assert isinstance(task, Classification | Writing)
    answer, found = ask(task, model, GIVEN[kind]), unroll(task, model, GIVEN[kind])
    assert found.predicted == answer.predicted
    assert found.note == answer.note
    assert found.is_right == answer.is_right
    assert (found.expected is not None) == (kind in KNOWN)
    assert kind in KNOWN or all(step.expected is None for step in found.steps)


@EVERY_CELL
@pytest.mark.parametrize("kind", ["digit-rows", "sentiment", "frames"])
def test_a_state_holds_what_was_read_until_then_and_no_more(kind: str, cell: str) -> None:
    task, model, example, found = unrolled(TaskConfig(kind), cell=cell, layers=2)
    with torch.no_grad():
        expected = after_each_beginning(model.eval().reader, task.batch_of(example).inputs)
    np.testing.assert_allclose(states(found), expected, **CLOSE)


def test_the_second_direction_holds_what_follows() -> None:
    task, model, example, found = unrolled(TaskConfig("fill-blank"))
    x = task.batch_of(example).inputs
    for t in (0, 9, len(x) - 1):
        _, (h,) = model.eval().reader(x[t:], None, None)
        np.testing.assert_allclose(found.steps[t].h_backward, h[1, 0].detach().numpy(), **CLOSE)
        _, (h,) = model.reader(x[: t + 1], None, None)
        np.testing.assert_allclose(found.steps[t].h, h[0, 0].detach().numpy(), **CLOSE)


def test_without_recurrence_there_is_one_step_and_nothing_before_it() -> None:
    _, model, example, found = unrolled(TaskConfig("digit"))
    weights = {name: value.numpy() for name, value in model.state_dict().items()}
    h = np.tanh(weights["hidden.weight"] @ example.inputs[0] + weights["hidden.bias"])
    np.testing.assert_allclose(states(found), [h], **CLOSE)
    assert (found.first, found.cell, found.summary) == (None, "", ())


@EVERY_CELL
@pytest.mark.parametrize("learned", [
    TaskConfig("digit-name"), TaskConfig("number-names"), TaskConfig("number-names", reverse_input=False),
    TaskConfig("caption", decoder_cell="rnn", decoder_hidden_size=5, decoder_num_layers=2),
], ids=lambda c: f"{c.kind} {c.reverse_input}")  # fmt: skip
def test_a_decoder_reads_what_it_wrote_and_goes_on_from_its_state(learned: TaskConfig, cell: str) -> None:
    task, model, example, found = unrolled(learned, cell=cell)
    assert isinstance(task, Writing)
    writing = [step for step in found.steps if step.role == "decoder"]
    names = [found.classes[step.guess or 0] for step in writing]
    assert [step.read for step in writing] == ["BEGIN", *names[:-1]]
    assert found.predicted == task.between.join(name for name in names if name not in ("END", "PAD", "BEGIN"))
    assert "END" not in names[:-1]
    columns = [*range(3, len(task.symbols)), 2, 0, 1]
    with torch.no_grad():
        state, symbol = model.eval().first_state(task.batch_of(example).inputs), BEGIN
        for step in writing:
            logits, state = model.decoder(torch.tensor([[symbol]]), state)
            np.testing.assert_allclose(step.h, state[0][-1, 0].numpy(), **CLOSE)
            shown = logits[0, 0, columns].softmax(-1).numpy()
            np.testing.assert_allclose(step.probabilities, shown, **CLOSE)
            symbol = columns[int(shown.argmax())]


@pytest.mark.parametrize("is_reversed", [True, False])
def test_the_summary_is_the_encoders_last_state(is_reversed: bool) -> None:
    learned = TaskConfig("number-names", reverse_input=is_reversed)
    task, model, example, found = unrolled(learned, cell="lstm")
    assert isinstance(model, EncoderDecoder)
    x = task.batch_of(example).inputs
    read = x.flip(0) if is_reversed else x
    encoded = states(found, "encoder")
    np.testing.assert_allclose(encoded, after_each_beginning(model.eval().encoder, read), **CLOSE)
    h, c = found.summary
    np.testing.assert_allclose(h, encoded[-1], **CLOSE)
    np.testing.assert_allclose(c, model.first_state(x)[1][-1, 0].detach().numpy(), **CLOSE)
    name = "".join(str(step.read) for step in found.steps if step.role == "encoder")
    assert (name[::-1] if is_reversed else name) == task.shown(example, 0)
    assert not any(step.counts or step.probabilities is not None for step in found.steps if step.role == "encoder")


def test_an_image_sets_the_first_state() -> None:
    _, model, example, found = unrolled(TaskConfig("digit-name"))
    weights = {name: value.numpy() for name, value in model.state_dict().items()}
    mapped = weights["front.weight_h_l0"] @ example.inputs[0] + weights["front.bias_h_l0"]
    assert found.first is not None
    assert found.image is not None
    np.testing.assert_allclose(found.first, mapped, rtol=0, atol=1e-5)
    np.testing.assert_array_equal(found.image.ravel(), example.inputs[0])


@EVERY_TASK
def test_the_outputs_that_count_are_those_of_the_shape(learned: TaskConfig) -> None:
    *_, found = unrolled(learned)
    counts = [step.counts for step in found.steps]
    reading = sum(step.role == "encoder" for step in found.steps)
    if learned.kind in ("digit-rows", "sentiment"):
        assert counts == [False] * (len(counts) - 1) + [True]
    elif learned.kind == "fill-blank":
        assert counts == [step.read == "□" for step in found.steps]
    else:
        assert counts == [False] * reading + [True] * (len(counts) - reading)
    assert (reading > 0) == (learned.kind in ("number-names", "caption"))
    assert all(step.counts for step in found.steps if step.expected is not None)


@EVERY_TASK
def test_a_network_in_training_is_looked_at_without_dropout_and_goes_on_training(learned: TaskConfig) -> None:
    task, model = network(learned)
    example = task.held_out("test")[5:6]
    model.train()
    once, twice = unroll(task, model, example), unroll(task, model, example)
    assert model.training
    model.eval()
    for found in (twice, unroll(task, model, example)):
        np.testing.assert_array_equal([s.h for s in once.steps[:1]], [s.h for s in found.steps[:1]])
        assert found.predicted == once.predicted


def test_unknown_words_are_shown_as_they_were_typed() -> None:
    task, model = network(TaskConfig("sentiment"))
    found = unroll(task, model, "The zorp was good!")
    assert [step.read for step in found.steps] == ["the", "zorp", "was", "good"]
    assert "zorp" in found.note


def test_more_than_one_example_is_refused() -> None:
    task, model = network(TaskConfig("digit"))
    with pytest.raises(InputError, match="One example is unrolled at a time, not 3"):
        unroll(task, model, task.held_out("test")[:3])


@EVERY_TASK
def test_what_a_task_does_not_read_is_refused(learned: TaskConfig) -> None:
    with pytest.raises(InputError):
        unroll(*network(learned), "no digit, no _ blank _, no zorp" if learned.kind != "sentiment" else "zorp")


# The next character


@cache
def writer() -> tuple[Any, Any]:
    task = make(TaskConfig(), TEXT)
    return task, task.model(ModelConfig(cell="lstm", hidden_size=6, embedding_size=3), seed=2)


def test_the_next_character_is_predicted_after_each_one() -> None:
    task, model = writer()
    found = unroll(task, model, "the cat")
    assert "".join(str(step.read) for step in found.steps) == "the ca"
    assert "".join(found.classes[step.expected or 0] for step in found.steps) == found.expected == "he cat"
    logits, _ = model(torch.from_numpy(task.vocabulary.encode("the ca").astype(np.int64)).unsqueeze(1))
    shown = np.array([step.probabilities for step in found.steps])
    np.testing.assert_allclose(shown, logits[:, 0].softmax(-1).detach().numpy(), **CLOSE)
    assert found.is_right == all(step.is_right for step in found.steps)


@pytest.mark.parametrize("given", ["", "t", "the 漢字", "t" * (MOST_CHARACTERS + 1), None, 5])
def test_a_text_that_cannot_be_read_is_refused(given: Any) -> None:
    with pytest.raises(InputError):
        unroll(*writer(), given)


def test_a_character_is_read_as_the_nearest_known_one_and_that_is_said() -> None:
    found = unroll(*writer(), "thé cat")
    assert found.steps[2].read == "e"
    assert "'é' as 'e'" in found.note


def test_a_guess_is_the_likeliest_class_and_right_where_it_is_expected() -> None:
    *_, found = unrolled(TaskConfig("digit"))
    [step] = found.steps
    assert step.probabilities is not None
    assert step.guess == int(np.argmax(step.probabilities))
    assert replace(step, expected=step.guess).is_right is True
    assert replace(step, expected=(step.guess or 0) + 1).is_right is False
    assert replace(step, expected=None).is_right is None
    assert replace(step, probabilities=None).guess is None

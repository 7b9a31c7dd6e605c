"""A task's network over one example, unrolled: what enters, what it holds and what comes out at every step.

States and outputs are those of the network's own layers, as they are when it is scored, so that a picture of them
shows what is scored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from rnn.cells import SQUASH, State
from rnn.data import numbers, sentences
from rnn.data.digits import SIDE
from rnn.data.sequences import BEGIN, FIRST, PAD
from rnn.data.sequences import END as END_INDEX
from rnn.errors import ConfigError, InputError
from rnn.models import CharRNN
from rnn.networks import BlankFiller, EncoderDecoder, ImageDecoder, PlainClassifier, SequenceClassifier, Writer
from rnn.records import Unrolled, UnrolledStep
from rnn.tasks import Task
from rnn.tasks.asking import END, Question, after_each_step, as_known, question, typed_text
from rnn.tasks.blanks import BLANK, FillBlank
from rnn.tasks.digits import Digit, DigitName, DigitRows
from rnn.tasks.examples import Classification, Examples, Writing, device_of, evaluating
from rnn.tasks.next_character import NextCharacter
from rnn.tasks.sentiment import Sentiment
from rnn.tasks.translation import NumberNames

MOST_CHARACTERS = 60  # of a text whose characters are predicted
BEGINNING, PADDING = "BEGIN", "PAD"  # the names of what a decoder reads first, and of what fills shorter sequences

Values = NDArray[np.float32]
Read = Values | str


def unroll(task: Task, model: nn.Module, given: Examples | Any, seed: int = 0) -> Unrolled:
    """One example, step by step.

    Args:
        task, model: as `rnn.checkpoints.opened` gives them, or those of a run.
        given: one example of the task's own, or what `rnn.tasks.asking.ask` takes from a person; for next-character a
            text of 2 to 60 characters, of which each but the first is to be predicted.
        seed: as in `ask`.

    Raises:
        InputError: the input is not one that this task reads, or is not one example.
    """
    if isinstance(task, NextCharacter):
        with evaluating(model):
            return _followed(task, model, given)
    asked = Question(given) if isinstance(given, Examples) else question(task, given, seed)
    if len(asked.example) != 1:
        raise InputError(f"One example is unrolled at a time, not {len(asked.example)}.")
    asked = replace(asked, example=asked.example[:1])  # without filling: it is as long as it is
    with evaluating(model):
        unrolled = replace(_unrolled(task, model, asked), note=asked.note)
    if asked.has_answer:
        return unrolled
    steps = tuple(replace(step, expected=None) for step in unrolled.steps)
    return replace(unrolled, steps=steps, expected=None, is_right=None)


def _unrolled(task: Task, model: nn.Module, asked: Question) -> Unrolled:
    match task, model:
        case Digit(), PlainClassifier():
            return _at_once(task, model, asked)
        case Classification(), SequenceClassifier():
            return _classified(task, model, asked)
        case FillBlank(), BlankFiller():
            return _filled(task, model, asked)
        case Writing(), Writer():
            return _written(task, model, asked)
        case _:
            raise ConfigError(f"A network of the task {task.kind} is not of the kind {type(model).__name__}.")


# Networks that name a class


def _at_once(task: Digit, model: PlainClassifier, asked: Question) -> Unrolled:
    """One to one: there is one step, and nothing before it."""
    x = task.batch_of(asked.example).inputs.to(device_of(model))
    h = SQUASH[model.config.nonlinearity](model.hidden(x))
    [step] = _steps("network", _inputs(task, asked), h, _softmax(model(x)), asked.example.targets)
    return _whole(task, model, asked, "", [step])


def _classified(task: Classification, model: SequenceClassifier, asked: Question) -> Unrolled:
    """Many to one, where only the last output counts, and many to many in step, where all do."""
    x = task.batch_of(asked.example).inputs.to(device_of(model))
    states, _ = model.reader(x, None, model.compute_dtype)
    logits = model(x).squeeze(1) if model.each_step else after_each_step(model, x)
    T = len(x)
    expected = (
        asked.example.targets[0].tolist() if model.each_step else [None] * (T - 1) + asked.example.targets.tolist()
    )
    counts = [model.each_step or t == T - 1 for t in range(T)]
    steps = _steps("network", _inputs(task, asked), states.squeeze(1), _softmax(logits), expected, counts)
    return _whole(task, model, asked, model.config.cell, _parted(steps, model.config.bidirectional))


def _filled(task: FillBlank, model: BlankFiller, asked: Question) -> Unrolled:
    """Only at the blank there is an output."""
    x = task.batch_of(asked.example).inputs.to(device_of(model))
    states, _ = model.reader(x, None, model.compute_dtype)
    answer, [expected] = _softmax(model(x))[0], asked.example.targets.tolist()
    is_blank = (x.squeeze(1) == model.blank).tolist()
    steps = _steps(
        "network", _inputs(task, asked), states.squeeze(1), [answer if here else None for here in is_blank],
        [expected if here else None for here in is_blank], is_blank,
    )  # fmt: skip
    return _whole(task, model, asked, model.config.cell, _parted(steps, model.config.bidirectional))


def _followed(task: NextCharacter, model: nn.Module, given: Any) -> Unrolled:
    """Many to many in step: the next character, whose place the text itself fills."""
    assert isinstance(model, CharRNN)
    [text], note = as_known([typed_text(given, "a text", MOST_CHARACTERS)], task.vocabulary)
    if len(text) < 2:
        raise InputError("Type a text of 2 characters or more: each but the first is to be predicted.")
    indices = task.vocabulary.encode(text)
    x = torch.from_numpy(indices[:-1].astype(np.int64)).unsqueeze(1).to(device_of(model))
    h, logits = _decoded(model, x, model.initial_state(1))
    steps = _steps("network", list(text[:-1]), h, _softmax(logits), indices[1:])
    predicted = "".join(task.vocabulary.characters[step.guess] for step in steps if step.guess is not None)
    return Unrolled(
        kind=task.kind,
        cell=model.config.cell,
        steps=tuple(steps),
        classes=tuple(task.vocabulary.characters),
        image=None,
        first=np.zeros_like(steps[0].h),
        summary=(),
        predicted=predicted,
        expected=text[1:],
        is_right=predicted == text[1:],
        note=note,
    )


# Networks that write


def _written(task: Writing, model: Writer, asked: Question) -> Unrolled:
    """One to many, or many to one and then one to many: the decoder reads what it has written itself."""
    device, batch = device_of(model), task.batch_of(asked.example)
    x = batch.inputs.to(device)
    reading: list[UnrolledStep] = []
    if isinstance(model, EncoderDecoder):
        reading = _encoded(task, model, asked, x)
    begun = model.first_state(x)
    most = 2 * len(batch.targets)  # symbols, as in `Writing.predict`
    [written] = model.greedy(x, None, most)
    written = [*written, END_INDEX][:most]  # what was cut did not end
    read = torch.tensor([[BEGIN], *([symbol] for symbol in written[:-1])], device=device)
    h, logits = _decoded(model.decoder, read, begun)
    columns = [*range(FIRST, len(task.symbols)), END_INDEX, PAD, BEGIN]  # those of the classes
    names = _written_classes(task)
    read_back = [names[columns.index(symbol)] for symbol in read.flatten().tolist()]
    right = [columns.index(symbol) for symbol in asked.example.targets[0].tolist()]
    expected = [*right, *([None] * len(written))][: len(written)]
    writing = _steps("decoder", read_back, h, _softmax(logits[:, columns]), expected)
    tops = tuple(_values(part[-1, 0]) for part in begun)
    whole = _whole(task, model, asked, model.decoder.config.cell, [*reading, *writing])
    if isinstance(model, ImageDecoder):
        return replace(whole, first=tops[0], image=asked.example.inputs[0].reshape(SIDE, SIDE))
    return replace(whole, summary=tops)


def _encoded(task: Writing, model: EncoderDecoder, asked: Question, x: Tensor) -> list[UnrolledStep]:
    """The encoder's steps, in the order in which it reads."""
    read = _inputs(task, asked)
    if model.reverse_source:
        x, read = x.flip(0), read[::-1]
    states, _ = model.encoder(x, None, model.compute_dtype)
    nothing = [None] * len(x)
    steps = _steps("encoder", read, states.squeeze(1), nothing, nothing, [False] * len(x))
    return _parted(steps, model.encoder_config.bidirectional)


def _decoded(model: CharRNN, read: Tensor, state: State) -> tuple[Tensor, Tensor]:
    """A model of symbols over some of them, (T, 1): h of its top layer, (T, H), and logits, (T, V)."""
    embedding = model.embedding.weight if model.config.embedding_size else None
    states, _ = model.recurrent(read, state, embedding=embedding)
    logits, _ = model(read, state)
    return states.squeeze(1), logits.squeeze(1)


# Pieces


def _inputs(task: Task, asked: Question) -> Sequence[Read]:
    """What enters at each step, as it is shown."""
    row = asked.example.inputs[0]
    match task:
        case Digit() | DigitName():
            return [row.reshape(SIDE, SIDE)]
        case DigitRows():
            return list(row)
        case Sentiment():
            return asked.words or [sentences.vocabulary()[index] for index in row]
        case NumberNames():
            return numbers.SYMBOLS["en"].decode(row.tolist())
        case FillBlank():
            return [(*task.vocabulary.characters, BLANK)[index] for index in row]
        case _:
            return list(row.reshape(-1, SIDE, SIDE))


def _steps(
    role: Any, read: Sequence[Read], states: Tensor, outputs: Sequence[Values | None] | Values,
    expected: Sequence[Any] | NDArray[Any], counts: Sequence[bool] | None = None,
) -> list[UnrolledStep]:  # fmt: skip
    """One step for each of these; all count unless it is said which do."""
    counts = [True] * len(read) if counts is None else counts
    return [
        UnrolledStep(role, entered, _values(h), None, output, counting, None if right is None else int(right))
        for entered, h, output, right, counting in zip(read, states, outputs, expected, counts, strict=True)
    ]


def _parted(steps: list[UnrolledStep], is_both: bool) -> list[UnrolledStep]:
    """With the states of two directions, which lie side by side, taken apart."""
    if not is_both:
        return steps
    halves = [np.split(step.h, 2) for step in steps]
    return [replace(s, h=forward, h_backward=backward) for s, (forward, backward) in zip(steps, halves, strict=True)]


def _whole(
    task: Classification | Writing, model: nn.Module, asked: Question, cell: str, steps: Sequence[UnrolledStep]
) -> Unrolled:
    """Steps and answer; the first state is zeros where there is recurrence."""
    [answer] = task.predict(model, asked.example)
    classes = task.classes if isinstance(task, Classification) else _written_classes(task)
    return Unrolled(
        kind=task.kind,
        cell=cell,
        steps=tuple(steps),
        classes=classes,
        image=asked.example.inputs[0] if isinstance(task, DigitRows) else None,
        first=np.zeros_like(steps[0].h) if cell else None,
        summary=(),
        predicted=answer.predicted,
        expected=answer.expected,
        is_right=answer.is_right,
    )


def _written_classes(task: Writing) -> tuple[str, ...]:
    """The symbols, and after them the marks, of which an untrained network may write any."""
    return (*task.symbols.names, END, PADDING, BEGINNING)


def _softmax(logits: Tensor) -> Values:
    probabilities: Values = logits.softmax(-1).cpu().numpy()
    return probabilities


def _values(h: Tensor) -> Values:
    values: Values = h.float().cpu().numpy()
    return values

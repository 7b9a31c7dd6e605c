"""Asking a trained model something of one's own, and looking at all that it gets wrong.

What a person gives becomes an example like those of the task's own data, so it is answered by the code that is scored.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from rnn.catalogue import PIXELS
from rnn.data import digits, frames, numbers, sentences, sequences
from rnn.data.digits import NAMES, SIDE, Digits
from rnn.data.frames import LONGEST, SHORTEST, WORDS, CaptionedVideos, Videos
from rnn.data.sequences import FIRST, Integers
from rnn.errors import ConfigError, InputError, TrainingError
from rnn.networks import SequenceClassifier, Writer
from rnn.records import Answer, Prediction, Review
from rnn.stepwise import Stepwise, to_the_end
from rnn.tasks import Task
from rnn.tasks.blanks import BLANK, FillBlank
from rnn.tasks.digits import Digit, DigitName, DigitRows
from rnn.tasks.examples import Classification, Examples, ExamplesTask, Writing, device_of, evaluating
from rnn.tasks.sentiment import Sentiment
from rnn.tasks.translation import NumberNames
from rnn.tasks.videos import Caption, Frames
from rnn.unknown import resolve
from rnn.vocabulary import Vocabulary

END = "END"  # the name of what ends a writing
MAX_CHARACTERS = 1000  # of a sentence, a number or digits that a person types
MAX_CONTEXT = 200  # characters of a text with a blank
MAX_FRAMES = 12  # of a video to label
BLANKS = (BLANK, "_")  # as they are typed; beside the first, the second is a character like any other
LIKELIEST = 5  # characters that are named for a blank
SHOWN = 24  # examples that a review keeps
CHUNK = 32  # examples of a review between two places where others have a turn


# Asking


@dataclass(frozen=True)
class Question:
    """A person's own input as the task's networks take it.

    Attributes:
        example: one example; where `has_answer` is false, its target only fills its place.
        has_answer: whether the right answer follows from the input; else only the person knows it.
        words: those that were read, as they were typed; None where the input is no sentence.
        unknown: those of them that the network does not know, which it reads all alike.
        note: what the person should know about how it was read, or "".
    """

    example: Examples
    has_answer: bool = True
    words: tuple[str, ...] | None = None
    unknown: tuple[str, ...] = ()
    note: str = ""


def question(task: Task, given: Any, seed: int = 0) -> Question:
    """A person's own input, read; `given` and `seed` are those of `ask`.

    Raises:
        InputError: the input is not one that this task reads.
        ConfigError: the task has no answers.
    """
    match task:
        case Digit() | DigitRows() | DigitName():
            return _image_question(task, given)
        case Sentiment():
            return _sentence_question(task, given)
        case Frames():
            return _frames_question(task, given, seed)
        case Caption():
            return _caption_question(task, given, seed)
        case NumberNames():
            return _name_question(task, given)
        case FillBlank():
            return _blank_question(task, given)
        case _:
            raise ConfigError("A model that predicts the next character answers nothing: let it write a sample.")


def ask(task: Task, model: nn.Module, given: Any, seed: int = 0) -> Answer:
    """What the model answers to a person's own input.

    Args:
        task, model: as `rnn.checkpoints.opened` gives them, or those of a run.
        given: for digit, digit-rows and digit-name an image, 8 rows of 8 numbers or 64 numbers, from 0 to 1 or to 16;
            for sentiment a sentence; for frames 1 to 12 digits and for caption 3 to 8, "3 1 4" or "314"; for
            number-names a number in digits or in English words; for fill-blank a text with one blank, "_" or "□".
        seed: of the images of the digits, which neither training nor its stop has seen.

    Raises:
        InputError: the input is not one that this task reads.
        ConfigError: the task has no answers.
    """
    asked = question(task, given, seed)
    assert isinstance(task, Classification | Writing)
    answer = replace(_answer(task, model, asked.example), unknown=asked.unknown, note=asked.note)
    if not asked.has_answer:
        answer = replace(answer, expected=None, is_right=None)
    if asked.words is not None:
        answer = replace(answer, inputs=" ".join(asked.words))
    return _shortened(answer) if isinstance(task, FillBlank) else answer


def _image_question(task: Digit | DigitRows | DigitName, given: Any) -> Question:
    any_digit = np.zeros(1, np.int64)
    return Question(task.examples(Digits(_image(given)[np.newaxis], any_digit)), has_answer=False)


def _sentence_question(task: Sentiment, given: Any) -> Question:
    parsed = sentences.parse(typed_text(given, "a sentence"), sentences.vocabulary())
    any_label = np.zeros(1, np.int64)
    read = sentences.Arrays(parsed.indices[np.newaxis], np.array([len(parsed.words)]), any_label)
    note = ""
    if parsed.unknown:
        note = f"The network does not know {', '.join(parsed.unknown)}: it reads each of them as one unknown word."
    return Question(task.examples(read), False, tuple(parsed.words), tuple(parsed.unknown), note)


def _frames_question(task: Frames, given: Any, seed: int) -> Question:
    shown = _digits(given, 1, MAX_FRAMES)
    count, note = shown.shape[1], ""
    if count > task.length:
        note = f"The network learned from videos of {task.length} frames; this one has {count}."
    return Question(task.examples(Videos(_images_of(shown, seed), shown)), note=note)


def _caption_question(task: Caption, given: Any, seed: int) -> Question:
    shown = _digits(given, SHORTEST, LONGEST)
    captions = WORDS.targets([NAMES[digit] for digit in row] for row in shown.tolist())
    videos = CaptionedVideos(_images_of(shown, seed), np.array([shown.shape[1]]), captions)
    return Question(task.examples(videos))


def _name_question(task: NumberNames, given: Any) -> Question:
    number = numbers.parse(typed_text(given, "a number, in digits or in English words"), task.preset)
    is_trained_on = bool((numbers.numbers("train", task.preset) == number).any())
    note = "The network has trained on this number." if is_trained_on else "The network has never seen this number."
    return Question(task.examples(numbers.pairs([number])), note=note)


def _blank_question(task: FillBlank, given: Any) -> Question:
    typed = typed_text(given, "a text with one blank", MAX_CONTEXT).replace("\r\n", "\n")
    mark = next((mark for mark in BLANKS if mark in typed), BLANK)
    if (count := typed.count(mark)) != 1:
        found = f"has {count}" if count else "has none"
        raise InputError(f'A text is read with exactly one blank, typed as "_" or "{BLANK}"; this one {found}.')
    sides, note = as_known(typed.split(mark), task.vocabulary)
    before, after = (task.vocabulary.encode(side) for side in sides)
    window = np.concatenate([before, [task.blank], after]).astype(np.int64)
    any_character = np.zeros(1, np.int64)
    return Question(Examples(window[np.newaxis], any_character), has_answer=False, note=note)


def _shortened(answer: Answer) -> Answer:
    """With the likeliest of many characters only."""
    assert answer.probabilities is not None
    likeliest = np.argsort(-answer.probabilities, kind="stable")[:LIKELIEST]
    classes = tuple(answer.classes[character] for character in likeliest)
    return replace(answer, classes=classes, probabilities=answer.probabilities[likeliest])


def _answer(task: Classification | Writing, model: nn.Module, examples: Examples) -> Answer:
    """The answer to one example."""
    [prediction] = task.predict(model, examples)
    classes, probabilities, steps = _chances(task, model, examples, prediction)
    return Answer(
        inputs=prediction.inputs,
        predicted=prediction.predicted,
        expected=prediction.expected,
        is_right=prediction.is_right,
        classes=classes,
        probabilities=probabilities,
        steps=steps,
    )


Chances = NDArray[np.float32]


def _chances(
    task: Classification | Writing, model: nn.Module, examples: Examples, prediction: Prediction
) -> tuple[tuple[str, ...], Chances | None, Chances | None]:
    """`classes`, `probabilities` and `steps` of an `Answer`."""
    if isinstance(task, Writing):
        assert isinstance(model, Writer)
        return (*task.symbols.names, END), None, _while_writing(task, model, examples, prediction.predicted)
    if examples.targets.ndim == 2:
        return task.classes, None, prediction.probabilities
    if isinstance(model, SequenceClassifier):
        with evaluating(model):
            logits = after_each_step(model, task.batch_of(examples).inputs.to(device_of(model)))
        return task.classes, prediction.probabilities, logits.softmax(-1).cpu().numpy()
    return task.classes, prediction.probabilities, None


def after_each_step(model: SequenceClassifier, x: Tensor) -> Tensor:
    """What the model would answer if the sequence ended at each of its steps.

    Args:
        x: one sequence, (T, 1) or (T, 1, I).

    Returns:
        Logits, (T, classes).
    """
    if not model.config.bidirectional:
        h, _ = model.reader(x, None, model.compute_dtype)
        return model.classified(h).squeeze(1)
    T = len(x)  # the second direction begins at the end, so each of the T beginnings is read for itself
    logits: Tensor = model(x.expand(-1, T, *x.shape[2:]), torch.arange(1, T + 1))
    return logits


def _while_writing(task: Writing, model: Writer, examples: Examples, predicted: str) -> Chances:
    """The probabilities that each symbol of `predicted` was chosen by, and those of what comes next, (T + 1, V + 1).

    The marks that are never written have no column, and that of the end is the last one.
    """
    written = predicted.split(task.between) if task.between and predicted else list(predicted)
    rows = torch.from_numpy(task.symbols.targets([written]).values)
    batch = task.batch_of(examples).to(device_of(model))
    with evaluating(model):
        logits = model(batch.inputs, rows.t().to(device_of(model)), batch.input_lengths)
    columns = [*range(FIRST, len(task.symbols)), sequences.END]
    chances: Chances = logits.squeeze(1)[:, columns].softmax(-1).cpu().numpy()
    return chances


# What a person gives


def _image(given: Any) -> digits.Images:
    """(8, 8), 0 to 1."""
    if isinstance(given, np.ndarray):
        given = given.tolist()
    if isinstance(given, list | tuple) and len(given) == PIXELS and not isinstance(given[0], list | tuple | np.ndarray):
        given = [given[start : start + SIDE] for start in range(0, PIXELS, SIDE)]
    image = digits.check_image(given)
    if image.min() == image.max():
        raise InputError("The image is empty: every pixel has the same brightness. Draw a digit, bright on dark.")
    return image


def typed_text(given: Any, what: str, most: int = MAX_CHARACTERS) -> str:
    """What a person typed.

    Raises:
        InputError: it is no text, or longer than `most` characters.
    """
    if not isinstance(given, str):
        raise InputError(f"Type {what}: this is no text.")
    if len(given) > most:
        raise InputError(f"Type {what}, of at most {most:,} characters: this has {len(given):,}.")
    return given


def _digits(given: Any, fewest: int, most: int) -> Integers:
    """(1, count)"""
    typed = typed_text(given, "digits, such as 3 1 4")
    if not re.fullmatch(r"[0-9\s,]*", typed):
        raise InputError("A video is made of digits: type only 0 to 9, such as 3 1 4.")
    found = [int(digit) for digit in re.findall("[0-9]", typed)]
    if not fewest <= len(found) <= most:
        raise InputError(f"A video has {fewest} to {most} digits here, one in each frame, not {len(found)}.")
    return np.array([found], np.int64)


def _images_of(shown: Integers, seed: int) -> digits.Images:
    return frames.images_of(shown, "test", np.random.default_rng(seed))


def as_known(texts: Sequence[str], vocabulary: Vocabulary) -> tuple[list[str], str]:
    """Typed texts in the characters that a network knows, the nearest where it lacks one, and a note of these.

    Raises:
        InputError: a character has none that comes near.
    """
    resolved = [resolve(text, vocabulary, "nearest") for text in texts]
    changes = [change for each in resolved for change in each.changes]
    unknown = list(dict.fromkeys(change.character for change in changes if not change.put))
    if unknown:
        raise InputError(f"The network has never read {_listed(map(repr, unknown))}: leave out what it does not know.")
    pairs = dict.fromkeys(f"{change.character!r} as {change.put!r}" for change in changes)
    note = f"Characters that the network has never read are read as the nearest it knows: {_listed(pairs)}."
    return [each.text for each in resolved], note if changes else ""


def _listed(found: Iterable[str]) -> str:
    names = list(found)
    return ", ".join(names[:8]) + (" and more" if len(names) > 8 else "")


# Looking at what is wrong


def review(task: Task, model: nn.Module, most: int = 500) -> Review:
    """How the model does on the test part, which neither training nor its stop has seen.

    Args:
        task, model: as `rnn.checkpoints.opened` gives them, or those of a run.
        most: examples that are looked at, evenly over the part where it has more.

    Raises:
        TrainingError: the text to test on is not here.
        TextError: the text is too short for a test.
        ConfigError: the task has no answers, or `most` is below 1.
    """
    return to_the_end(reviewing(task, model, most))


def reviewing(task: Task, model: nn.Module, most: int = 500) -> Stepwise[Review]:
    """`review`, with a pause after each chunk of examples for whoever shares the thread."""
    if not isinstance(task, Classification | Writing):
        raise ConfigError("A model that predicts the next character has no right answers to count; evaluate its loss.")
    if most < 1:
        raise ConfigError(f"A review looks at 1 example or more, not {most}.")
    examples = _spread(_test_part(task), most)
    yield
    predictions: list[Prediction] = []
    for start in range(0, len(examples), CHUNK):
        predictions += task.predict(model, examples[start : start + CHUNK])
        yield
    return _reviewed(task, examples, predictions)


def _test_part(task: ExamplesTask) -> Examples:
    if isinstance(task, FillBlank) and task.encoded is None:
        raise TrainingError(
            f"The text {task.text['name']!r} that the model was trained on is not here, so there is nothing to test it "
            "on. Give the text, or ask the model to fill a blank of your own."
        )
    return task.held_out("test")


def _spread(examples: Examples, most: int) -> Examples:
    """At most so many of them, from the first to the last: number names, for one, lie in the order of the numbers."""
    if len(examples) <= most:
        return examples
    return examples[np.linspace(0, len(examples) - 1, most).round().astype(np.int64)]


def _reviewed(task: Classification | Writing, examples: Examples, predictions: list[Prediction]) -> Review:
    lengths = _steps_read(task, examples)
    shown = tuple(sorted(predictions, key=lambda each: each.is_right)[:SHOWN])
    if isinstance(task, Writing):
        right = np.array([each.is_right for each in predictions])
        return Review(len(examples), right, lengths, (), None, None, shown)
    probabilities = np.array([each.probabilities for each in predictions])  # (N, classes) or (N, T, classes)
    expected, predicted = examples.targets.astype(np.int64).ravel(), probabilities.argmax(-1).ravel()
    return Review(len(examples), predicted == expected, lengths, task.classes, expected, predicted, shown)


def _steps_read(task: ExamplesTask, examples: Examples) -> Integers:
    """Before each answer, (N,)."""
    if isinstance(task, Frames):
        return np.tile(np.arange(1, examples.targets.shape[1] + 1), len(examples))
    if examples.input_lengths is not None:
        return examples.input_lengths.astype(np.int64)
    return np.full(len(examples), examples.inputs.shape[1] if task.reads_sequence else 1, np.int64)

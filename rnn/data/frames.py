"""Videos whose frames are handwritten digits, and questions about them that need memory, or a caption.

A frame shows a digit that is drawn uniformly, in an image drawn uniformly among those of its digit, so what can be
known without memory is known exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnn.data.digits import NAMES, Images, Part, augmented, part
from rnn.data.sequences import Integers, Padded, Symbols
from rnn.errors import ConfigError

SHORTEST, LONGEST = 3, 8  # frames of a video with a caption
WORDS = Symbols(NAMES)  # what captions are written with
DIGITS = np.arange(10)

Question = Literal["maximum", "sum"]


class Videos(NamedTuple):
    """Some videos of one length.

    Attributes:
        images: (count, length, 8, 8), brightness 0 to 1.
        digits: (count, length), what each frame shows.
    """

    images: Images
    digits: Integers


class CaptionedVideos(NamedTuple):
    """Videos of 3 to 8 frames and the digits they show, in words.

    Attributes:
        images: (count, 8, 8, 8), black after a video's end.
        lengths: (count,), frames.
        captions: word indices of `WORDS`, (count, up to 9), each caption followed by `END`; lengths (count,).
    """

    images: Images
    lengths: Integers
    captions: Padded


class Memoryless(NamedTuple):
    """The best that can be answered from the frame at hand alone, without knowing how many came before.

    Attributes:
        answers: (10,), the best answer to each digit.
        accuracy: (length,), the expected share of right answers at each frame.
    """

    answers: Integers
    accuracy: NDArray[np.float64]


def videos(name: Part, seed: int, step: int, count: int, length: int, augment: bool = False) -> Videos:
    """The videos of one step, out of images of this part alone; `augment` passes them through `augmented`."""
    return _videos(np.random.default_rng([seed, step]), name, count, length, augment)


def _videos(rng: np.random.Generator, name: Part, count: int, length: int, augment: bool) -> Videos:
    source = part(name)
    by_digit = np.argsort(source.labels, kind="stable")
    counts = np.bincount(source.labels, minlength=10)
    starts = np.cumsum(counts) - counts
    digits = rng.integers(0, 10, (count, length))
    images = source.images[by_digit[starts[digits] + rng.integers(0, counts[digits])]]
    return Videos(augmented(images, rng) if augment else images, digits)


def running_max(digits: Integers) -> Integers:
    """The largest digit so far, at every frame: (count, length) -> the same shape."""
    return np.maximum.accumulate(digits, axis=1)


def running_sum_mod10(digits: Integers) -> Integers:
    """The last digit of the sum so far, at every frame: (count, length) -> the same shape."""
    return np.cumsum(digits, axis=1) % 10


_UPDATES: dict[Question, Callable[[Integers, Integers], Integers]] = {
    "maximum": np.maximum,
    "sum": lambda so_far, digit: (so_far + digit) % 10,
}


def memoryless(question: Question, length: int) -> Memoryless:
    """How well the running maximum or sum can be told without memory, exactly.

    All 10^length videos are counted, not drawn: those that agree on the answer so far count together.

    Raises:
        ConfigError: there is no such question, or `length` is below 1.
    """
    if question not in _UPDATES or length < 1:
        raise ConfigError(f"The questions are maximum and sum, of 1 frame or more, not {question!r} of {length}.")
    answer = _UPDATES[question](DIGITS[:, None], DIGITS)  # (so far, digit) -> answer
    so_far = np.eye(10)[0]  # P(answer so far); both questions begin with 0
    joint = np.zeros((length, 10, 10))  # P(digit, answer) at each frame
    for frame in joint:
        np.add.at(frame, (np.broadcast_to(DIGITS, (10, 10)), answer), so_far[:, None] / 10)
        so_far = frame.sum(axis=0)
    answers = joint.sum(axis=0).argmax(axis=1)
    return Memoryless(answers, joint[:, DIGITS, answers].sum(axis=1))


def captioned(name: Part, seed: int, step: int, count: int, augment: bool = False) -> CaptionedVideos:
    """The videos of one step with their captions; the lengths are uniform in 3 to 8."""
    rng = np.random.default_rng([seed, step])
    images, digits = _videos(rng, name, count, LONGEST, augment)
    lengths = rng.integers(SHORTEST, LONGEST + 1, count)
    images[np.arange(LONGEST) >= lengths[:, None]] = 0
    rows = (row[:length] for row, length in zip(digits.tolist(), lengths.tolist(), strict=True))
    captions = WORDS.targets([NAMES[digit] for digit in row] for row in rows)
    return CaptionedVideos(images, lengths, captions)


def caption(digits: Iterable[int]) -> str:
    """The words of a video: "three one four"."""
    return " ".join(NAMES[digit] for digit in digits)

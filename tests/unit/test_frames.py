"""Videos of digits: they come from one part, and what needs memory is counted by going through every video."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from rnn.data.digits import NAMES, part
from rnn.data.frames import (
    LONGEST,
    SHORTEST,
    WORDS,
    Question,
    caption,
    captioned,
    memoryless,
    running_max,
    running_sum_mod10,
    videos,
)
from rnn.data.sequences import END, PAD
from rnn.errors import ConfigError

QUESTIONS = {"maximum": running_max, "sum": running_sum_mod10}


@pytest.mark.parametrize("name", ["train", "validation", "test"])
def test_every_frame_is_an_image_of_its_digit_from_its_part_alone(name: str) -> None:
    source = part(name)  # type: ignore[arg-type]
    labels = {image.tobytes(): label for image, label in zip(source.images, source.labels.tolist(), strict=True)}
    images, digits = videos(name, seed=1, step=2, count=40, length=7)  # type: ignore[arg-type]
    assert images.shape == (40, 7, 8, 8)
    assert [labels[frame.tobytes()] for frame in images.reshape(-1, 8, 8)] == digits.ravel().tolist()


def test_digits_and_images_are_uniform() -> None:
    images, digits = videos("validation", seed=0, step=0, count=2_000, length=10)
    counts = np.bincount(digits.ravel(), minlength=10)
    assert abs(counts / counts.sum() - 0.1).max() < 0.01
    sevens = images[digits == 7]
    shown = np.unique(sevens.reshape(-1, 64), axis=0, return_counts=True)[1]
    assert len(shown) == (part("validation").labels == 7).sum()
    assert shown.min() > 0.5 * shown.mean()


def test_videos_follow_from_the_seed_and_the_step() -> None:
    first, again = videos("train", 3, 4, 5, 6, augment=True), videos("train", 3, 4, 5, 6, augment=True)
    np.testing.assert_array_equal(first.images, again.images)
    assert not np.array_equal(first.digits, videos("train", 3, 5, 5, 6).digits)
    assert not np.array_equal(first.digits, videos("train", 2, 4, 5, 6).digits)


def test_running_answers_are_those_of_the_frames_so_far() -> None:
    _, digits = videos("train", 0, 0, 20, 9)
    for row, largest, total in zip(digits, running_max(digits), running_sum_mod10(digits), strict=True):
        assert largest.tolist() == [max(row[: t + 1]) for t in range(9)]
        assert total.tolist() == [sum(row[: t + 1]) % 10 for t in range(9)]


@pytest.mark.parametrize("length", [1, 2, 4])
@pytest.mark.parametrize("question", ["maximum", "sum"])
def test_memoryless_is_the_best_of_every_answer_over_every_video(question: Question, length: int) -> None:
    every = np.array(list(product(range(10), repeat=length)))
    answers = QUESTIONS[question](every)
    best, accuracy = memoryless(question, length)
    right = np.array([[(answers[every == digit] == guess).sum() for guess in range(10)] for digit in range(10)])
    assert right[np.arange(10), best].tolist() == right.max(axis=1).tolist()
    np.testing.assert_allclose(accuracy, (answers == best[every]).mean(axis=0), atol=1e-12)


def test_without_memory_a_sum_is_chance_after_the_first_frame() -> None:
    np.testing.assert_allclose(memoryless("sum", 8).accuracy, [1] + [0.1] * 7)
    assert memoryless("maximum", 8).accuracy.mean() < 0.45


def test_a_video_without_frames_or_a_question_is_refused() -> None:
    with pytest.raises(ConfigError, match="1 frame or more"):
        memoryless("sum", 0)
    with pytest.raises(ConfigError, match="maximum and sum"):
        memoryless("product", 3)  # type: ignore[arg-type]


def test_captions_say_what_the_frames_show_and_nothing_comes_after() -> None:
    source = part("train")
    labels = {image.tobytes(): label for image, label in zip(source.images, source.labels.tolist(), strict=True)}
    images, lengths, captions = captioned("train", seed=5, step=0, count=200)
    assert images.shape == (200, LONGEST, 8, 8)
    assert set(lengths.tolist()) == set(range(SHORTEST, LONGEST + 1))
    assert (captions.lengths == lengths + 1).all()
    for video, length, words in zip(images, lengths.tolist(), captions.values.tolist(), strict=True):
        digits = [labels[frame.tobytes()] for frame in video[:length]]
        assert " ".join(WORDS.decode(words)) == caption(digits) == " ".join(NAMES[d] for d in digits)
        assert words[length:] == [END] + [PAD] * (len(words) - length - 1)
        assert not video[length:].any()

"""Real digits: the parts share no image, and a person's image is read or refused in one sentence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

from rnn.data import digits
from rnn.data.digits import NAMES, augmented, batch, check_image, part, spelled
from rnn.errors import ConfigError, InputError

PARTS: tuple[digits.Part, ...] = ("train", "validation", "test")


def test_the_images_are_those_of_scikit_learn_from_0_to_1() -> None:
    everything, original = digits.everything(), load_digits()
    assert everything.images.shape == (1797, 8, 8)
    assert everything.images.dtype == np.float32
    np.testing.assert_array_equal(everything.images * 16, original.images)
    np.testing.assert_array_equal(everything.labels, original.target)


def test_the_parts_are_every_image_once() -> None:
    together = np.concatenate([part(name).images.reshape(-1, 64) for name in PARTS])
    assert [len(part(name)) for name in PARTS] == [1_200, 200, 397]
    assert sorted(map(tuple, together)) == sorted(map(tuple, digits.everything().images.reshape(-1, 64)))


def test_the_split_never_moves() -> None:
    assert part("train").labels[:10].tolist() == [0, 4, 0, 7, 5, 5, 5, 7, 9, 7]
    assert part("test").labels[:10].tolist() == [3, 9, 0, 7, 9, 9, 7, 2, 5, 2]


@pytest.mark.parametrize("name", PARTS)
def test_each_digit_is_in_each_part(name: digits.Part) -> None:
    assert np.bincount(part(name).labels, minlength=10).min() >= len(part(name)) / 20


def test_shared_images_cannot_be_written_to() -> None:
    with pytest.raises(ValueError, match="read-only"):
        part("train").images[0] = 0


def test_a_part_that_is_not_there_is_refused() -> None:
    with pytest.raises(ConfigError, match="train, validation, test, not 'all'"):
        part("all")  # type: ignore[arg-type]


def test_a_batch_follows_from_the_seed_and_the_step() -> None:
    first, again, later = batch(1, 2, 16, augment=True), batch(1, 2, 16, augment=True), batch(1, 3, 16, augment=True)
    np.testing.assert_array_equal(first.images, again.images)
    assert first.labels.tolist() == again.labels.tolist()
    assert not np.array_equal(first.images, later.images)


def test_a_pass_of_batches_is_the_training_part() -> None:
    read = np.concatenate([batch(0, step, 100).images for step in range(12)])
    assert sorted(map(tuple, read.reshape(-1, 64))) == sorted(map(tuple, part("train").images.reshape(-1, 64)))


def test_an_image_is_moved_by_one_pixel_at_most() -> None:
    images = part("train").images[:300]
    moved = augmented(images, np.random.default_rng(0), noise=0.0)
    moves = set()
    for before, after in zip(images, moved, strict=True):
        around = np.pad(before, 1)
        windows = [(i, j) for i in range(3) for j in range(3) if np.array_equal(around[i : i + 8, j : j + 8], after)]
        assert windows
        moves.update(windows if len(windows) == 1 else [])
    assert len(moves) == 9


def test_noise_keeps_shape_type_and_range() -> None:
    videos = part("train").images[:24].reshape(4, 6, 8, 8)
    noisy = augmented(videos, np.random.default_rng(0), noise=0.3)
    assert (noisy.shape, noisy.dtype) == (videos.shape, np.float32)
    assert noisy.min() == 0
    assert noisy.max() == 1


def test_names_are_spelled() -> None:
    values, lengths = spelled(np.arange(10))
    assert ["".join(digits.LETTERS.decode(row)) for row in values.tolist()] == list(NAMES)
    assert (lengths - 1).tolist() == [len(name) for name in NAMES]


def test_an_image_of_either_scale_is_read_the_same() -> None:
    image = digits.everything().images[0]
    read = check_image(image.tolist())
    np.testing.assert_array_equal(read, image)
    assert read.dtype == np.float32
    np.testing.assert_array_equal(check_image(image * 16), image)


WRONG: dict[str, tuple[Any, str]] = {
    "flat": (np.zeros(64), "8 x 8 pixels, not 64"),
    "too large": (np.zeros((28, 28)), "not 28 x 28"),
    "a number": (3, "not a single number"),
    "nothing": (None, "8 x 8|not a number"),
    "ragged": ([[1, 2], [3]], "not a number"),
    "words": ([["x"] * 8] * 8, "not a number"),
    "nan": (np.full((8, 8), np.nan), "not finite"),
    "infinite": (np.full((8, 8), np.inf), "not finite"),
    "negative": (np.full((8, 8), -0.1), "is 0 to 1"),
    "too bright": (np.full((8, 8), 255), "these are 255 to 255"),
}


@pytest.mark.parametrize(("values", "message"), WRONG.values(), ids=WRONG.keys())
def test_what_is_no_image_is_refused_in_one_sentence(values: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_image(values)

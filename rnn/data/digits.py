"""Real handwritten digits, 8 x 8 pixels: the 1,797 images that scikit-learn brings along.

E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998 (its test
part). The same thirteen people wrote the images of every part below, so a stranger's digits can be harder to read.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from rnn.data.sequences import Integers, Padded, Symbols, indices, read_only
from rnn.errors import ConfigError, InputError

Images = NDArray[np.float32]
Part = Literal["train", "validation", "test"]

SIDE = 8  # pixels
LEVELS = 16  # the brightest pixel of the original images
NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
LETTERS = Symbols(tuple(sorted(set("".join(NAMES)))))  # what the names are spelled with

TRAIN, VALIDATION = 1_200, 200  # images; the other 397 are the test part
NOISE = 0.05  # standard deviation of `augmented`, brightness


@dataclass(frozen=True)
class Digits:
    """Images and what they show; the arrays of a whole part are read-only.

    Attributes:
        images: (N, 8, 8), brightness 0 to 1.
        labels: (N,), 0 to 9.
    """

    images: Images
    labels: Integers

    def __len__(self) -> int:
        return len(self.labels)


@lru_cache(maxsize=1)
def everything() -> Digits:
    """All images, in scikit-learn's order.

    Read from its file: importing it would take more than a second and 160 MB, which a small server does not have.
    """
    package = find_spec("sklearn")  # which does not import it
    assert package is not None
    assert package.submodule_search_locations is not None
    path = Path(package.submodule_search_locations[0], "datasets", "data", "digits.csv.gz")
    rows = np.loadtxt(path, delimiter=",")  # 64 pixels and the label
    images = (rows[:, :-1].reshape(-1, SIDE, SIDE) / LEVELS).astype(np.float32)
    return Digits(read_only(images), read_only(rows[:, -1].astype(np.int64)))


@lru_cache(maxsize=3)
def part(name: Part) -> Digits:
    """The training, validation or test images. Nothing is ever trained or chosen by the test part.

    Raises:
        ConfigError: there is no part of this name.
    """
    if name not in get_args(Part):
        raise ConfigError(f"The parts of the digits are {', '.join(get_args(Part))}, not {name!r}.")
    digits = everything()
    start, stop = {
        "train": (0, TRAIN),
        "validation": (TRAIN, TRAIN + VALIDATION),
        "test": (TRAIN + VALIDATION, len(digits)),
    }[name]
    chosen = _order(len(digits))[start:stop]
    return Digits(read_only(digits.images[chosen]), read_only(digits.labels[chosen]))


def _order(size: int) -> list[int]:
    """A shuffled order by a hash: unlike a generator's, it can never change, so no test image is ever trained on."""
    return sorted(range(size), key=lambda i: sha256(str(i).encode()).digest())


def batch(seed: int, step: int, count: int, augment: bool = False) -> Digits:
    """The training images of one step, all once before any again; `augment` passes them through `augmented`."""
    train = part("train")
    chosen = indices(len(train), seed, step, count)
    images = train.images[chosen]
    if augment:
        images = augmented(images, np.random.default_rng([seed, step]))
    return Digits(images, train.labels[chosen])


def augmented(images: Images, rng: np.random.Generator, noise: float = NOISE) -> Images:
    """Images of the same digits, written a little differently.

    Each is moved by -1, 0 or 1 pixel in either direction (what leaves is lost, black comes in), and every pixel gets
    normal noise of this standard deviation, within 0 to 1.

    Args:
        images: (..., 8, 8).
    """
    flat = images.reshape(-1, SIDE, SIDE)
    around = np.pad(flat, ((0, 0), (1, 1), (1, 1)))
    rows, columns = rng.integers(0, 3, (2, len(flat), 1, 1)) + np.arange(SIDE)  # (2, N, 1, 8)
    moved = around[np.arange(len(flat))[:, None, None], rows.swapaxes(1, 2), columns]
    noisy: Images = moved + np.float32(noise) * rng.standard_normal(flat.shape, np.float32)
    return noisy.clip(0, 1).reshape(images.shape)


def spelled(labels: Integers) -> Padded:
    """The names of these digits as indices of `LETTERS`, each followed by `END`: (N, up to 6) and lengths (N,)."""
    return LETTERS.targets(NAMES[label] for label in labels.tolist())


def check_image(values: Any) -> Images:
    """A person's image as the networks read it: (8, 8), float32, 0 to 1.

    Args:
        values: 8 rows of 8 brightnesses, from 0 to 1 or, where one is above 1, from 0 to 16.

    Raises:
        InputError: they are not.
    """
    try:
        image = np.asarray(values, np.float64)
    except (TypeError, ValueError, OverflowError):
        raise InputError("An image is 8 rows of 8 numbers; at least one value is not a number.") from None
    if image.shape != (SIDE, SIDE):
        shape = " x ".join(map(str, image.shape)) or "a single number"
        raise InputError(f"An image is 8 x 8 pixels, not {shape}: scale it down or crop it.")
    if not np.isfinite(image).all():
        raise InputError("Some pixels are not finite numbers: give each a brightness from 0 to 1.")
    if image.min() < 0 or image.max() > LEVELS:
        found = f"{image.min():g} to {image.max():g}"
        raise InputError(f"The brightness of a pixel is 0 to 1 (or 0 to 16), and these are {found}: scale them.")
    return (image / LEVELS if image.max() > 1 else image).astype(np.float32)

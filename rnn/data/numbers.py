"""The names of whole numbers in English and French, spelled by num2words: a small translation, letter by letter.

French counts its own way (71 is "soixante et onze", 80 is "quatre-vingts", but 81 is "quatre-vingt-un"), so no letter
of the one language stands for a letter of the other: the whole name has to be read before the first word is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np

from rnn.data.sequences import Integers, Symbols, indices, is_held_out, read_only
from rnn.errors import ConfigError, InputError

Preset = Literal["small", "large"]
Part = Literal["train", "validation"]
Language = Literal["en", "fr"]

LIMITS: dict[Preset, int] = {"small": 10_000, "large": 100_000}  # the numbers below these
MILLION = 1_000_000  # names from here on have more letters
BUILDING_BLOCKS = 100  # the numbers below are always trained on: every larger name is made of theirs

SYMBOLS: dict[Language, Symbols] = {  # every character of the names below a million
    "en": Symbols(tuple(" ,-adefghilnorstuvwxyz")),
    "fr": Symbols(tuple(" -acdefghilmnopqrstuvxzé")),
}


class Pairs(NamedTuple):
    """The same numbers in both languages, as character indices of `SYMBOLS`, padded with `PAD`.

    Attributes:
        source: (N, S), English.
        target: (N, T), French; every name is followed by `END`.
        source_lengths, target_lengths: (N,); those of the targets count the `END`.
    """

    source: Integers
    target: Integers
    source_lengths: Integers
    target_lengths: Integers


def spell(number: int, language: Language) -> str:
    """The name of `number` in lower case, 0 to 999,999: "ninety-nine", "quatre-vingt-dix-neuf".

    Raises:
        InputError: the number is out of range.
        ConfigError: the language is another one.
    """
    if not 0 <= number < MILLION:
        raise InputError(f"The numbers that are spelled here are 0 to {MILLION - 1:,}.")
    if language not in SYMBOLS:
        raise ConfigError(f"The languages are en and fr, not {language!r}.")
    thousands, rest = divmod(number, 1_000)
    if not thousands:
        return _spell_below_1000(rest, language)
    join = _english_thousands if language == "en" else _french_thousands
    return join(_spell_below_1000(thousands, language), _spell_below_1000(rest, language), rest)


@lru_cache(maxsize=2_000)
def _spell_below_1000(number: int, language: Language) -> str:
    from num2words import num2words  # loads all of its languages

    return str(num2words(number, lang=language))


# num2words spells thousands the same way. It takes 0.06 to 0.14 ms a name, though, which a batch would wait for, and
# the names of the large preset would fill 60 MB.
def _english_thousands(thousands: str, rest: str, value: int) -> str:
    if not value:
        return f"{thousands} thousand"
    return f"{thousands} thousand{' and' if value < 100 else ','} {rest}"


def _french_thousands(thousands: str, rest: str, value: int) -> str:
    if thousands.endswith(("cents", "vingts")):  # plural at the end of a name only: quatre-vingts, quatre-vingt mille
        thousands = thousands[:-1]
    counted = "mille" if thousands == "un" else f"{thousands} mille"
    return f"{counted} {rest}" if value else counted


@lru_cache(maxsize=4)
def numbers(part: Part, preset: Preset) -> Integers:
    """The numbers to train on, or the tenth of them that is held out, ascending; read-only.

    Raises:
        ConfigError: there is no such part or preset.
    """
    if part not in ("train", "validation") or preset not in LIMITS:
        raise ConfigError(f"The parts are train and validation, of small and large; not {part!r} of {preset!r}.")
    is_wanted = part == "validation"
    return read_only(np.array([n for n in range(LIMITS[preset]) if _is_held_out(n) is is_wanted], np.int64))


def _is_held_out(number: int) -> bool:
    return number >= BUILDING_BLOCKS and is_held_out(str(number))


def batch(preset: Preset, seed: int, step: int, count: int) -> Integers:
    """The training numbers of one step, shape (count,): all of them once before any again."""
    train = numbers("train", preset)
    return train[indices(len(train), seed, step, count)]


def pairs(chosen: Iterable[int]) -> Pairs:
    """These numbers in English and French, as arrays as wide as the longest name."""
    values = [int(n) for n in chosen]
    source = SYMBOLS["en"].sources(spell(n, "en") for n in values)
    target = SYMBOLS["fr"].targets(spell(n, "fr") for n in values)
    return Pairs(source.values, target.values, source.lengths, target.lengths)


MAX_TYPED = 100  # characters; the longest name below a million has 73
_DIGITS = re.compile(r"[0-9]+|[0-9]{1,3}(?:[, ][0-9]{3})+")
_VALUES = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50,
    "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip


def parse(text: str, preset: Preset) -> int:
    """The number that a person typed, in digits or in English words; hyphens, commas and "and" may be left out.

    Raises:
        InputError: it is no number, or not one that this preset spells.
    """
    typed = " ".join(text.lower().split())
    number = None
    if len(typed) <= MAX_TYPED:
        number = int(re.sub("[, ]", "", typed)) if _DIGITS.fullmatch(typed) else _from_words(typed)
    if number is None:
        raise InputError(
            'Type a whole number, 0 or more, in digits or in English words: 342 or "three hundred and forty-two".'
        )
    if number >= LIMITS[preset]:
        raise InputError(f"That number is too large: give one from 0 to {LIMITS[preset] - 1:,}.")
    return number


def _from_words(typed: str) -> int | None:
    """The value of an English name, or None. It is spelled again, as "twenty twelve" would be 32 otherwise."""
    words = _words(typed)
    if words and words[0] == "a":
        words[0] = "one"
    thousands, below = 0, 0
    for word in words:
        if word == "thousand":
            thousands, below = thousands + below * 1_000, 0
        elif word == "hundred":
            below *= 100
        else:
            below += _VALUES.get(word, 0)
    number = thousands + below
    return number if number < MILLION and words == _words(spell(number, "en")) else None


def _words(name: str) -> list[str]:
    return [word for word in re.split(r"[\s,-]+", name) if word not in ("", "and")]

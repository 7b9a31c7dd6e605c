"""What to do with the characters of a text that a model's vocabulary lacks."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal, get_args

import numpy as np

from rnn.errors import ConfigError
from rnn.vocabulary import UNKNOWN, Vocabulary

Policy = Literal["drop", "replace", "nearest"]

# Punctuation that Unicode does not relate to each other: members, and what may stand for any of them, best first.
ALIKE = (
    ("'‘’‚‛‹›′ʼ´`", "'’"),
    ('"“”„‟«»″', '"”'),
    ("-‐‑‒–—―−", "-–—"),
    ("•‣◦●▪∙", "*-"),
    ("⁄∕", "/"),
)  # fmt: skip
# Letters that Unicode relates to others by no decomposition, and in their names by no "WITH".
SPELLED = {
    "Æ": "AE", "æ": "ae", "Œ": "OE", "œ": "oe", "ẞ": "SS", "ß": "ss", "Þ": "Th", "þ": "th", "Ð": "D", "ð": "d",
    "ı": "i",
}  # fmt: skip
ALPHABETS_WITH_MARKS = ("LATIN", "GREEK", "CYRILLIC")  # elsewhere, X WITH Y may be quite another letter
MAX_MARKS = 30  # after one letter, as in Unicode's stream-safe text; normalising takes time quadratic in their number


@dataclass(frozen=True, slots=True)
class Change:
    """One place where a text was changed.

    Attributes:
        position: index in the original text.
        character: what stood there: one character, or a letter and its combining marks.
        put: what stands there now, "" where it was left out.
    """

    position: int
    character: str
    put: str


@dataclass(frozen=True, slots=True)
class Resolution:
    """A text without unknown characters.

    Attributes:
        text: every character of it is in the vocabulary.
        changes: what was changed, in the order of the text.
    """

    text: str
    changes: tuple[Change, ...]


def nearest(character: str, vocabulary: Vocabulary) -> str:
    """The known text that comes nearest to one character; "" if there is none. A known one is its own nearest.

    The same letter in the other case, then without its accents; what Unicode calls compatible (ligatures, full-width
    and superscript forms); plain quotes, dashes, spaces and line ends; the usual spelling (ß as ss); and any
    combination of these. No letter becomes an unrelated one.
    """
    forms = [character]
    for form in forms:  # grows while it is walked: one change away, then two, and so on
        if len(form) == 1:
            if form in vocabulary:
                return form
            forms += [other for other in _forms(form) if other not in forms]
        else:
            put = [nearest(part, vocabulary) for part in form]
            if all(put):
                return "".join(put)
    return ""


def _forms(character: str) -> Iterator[str]:
    """What one character may become by one change, the nearest first."""
    yield unicodedata.normalize("NFC", character)
    yield unicodedata.normalize("NFD", character)
    other_case = character.swapcase()
    if other_case.swapcase() == character:  # not ı, whose capital is I
        yield other_case
    if len(character.casefold()) == 1:  # ς and ſ, the other forms of σ and s
        yield character.casefold()
    if character.isalpha():
        yield from _without_a_mark(character)
    if character.isspace():
        if character.splitlines() == [""]:
            yield "\n"
        yield " "
    yield from _plain(character)
    yield unicodedata.normalize("NFKC", character)


def _without_a_mark(letter: str) -> Iterator[str]:
    """ấ -> â, â -> a, ø -> o. The stroke of the last is part of the letter in Unicode, but for the letter's name."""
    parts = unicodedata.decomposition(letter).split()  # code points; the first is <narrow> or so if it is no mark
    if len(parts) == 2 and "<" not in parts[0] and unicodedata.combining(chr(int(parts[1], 16))):
        yield chr(int(parts[0], 16))
    base, has_mark, _ = unicodedata.name(letter, "").partition(" WITH ")
    if has_mark and base.startswith(ALPHABETS_WITH_MARKS):
        try:
            yield unicodedata.lookup(base)
        except KeyError:  # the plain letter has another name, or there is none
            return


def _plain(character: str) -> Iterator[str]:
    """The ways to type it on a plain keyboard, as far as they are not Unicode's own."""
    if character in SPELLED:
        yield SPELLED[character]
    for members, plain in ALIKE:
        if character in members:
            yield from plain
    if unicodedata.category(character) == "Pd":
        yield "-"
    digit = unicodedata.decimal(character, None)
    if digit is not None:
        yield str(digit)


def default_replacement(vocabulary: Vocabulary) -> str:
    """What stands for unknown characters: the vocabulary's unknown symbol, else a space, else its likeliest one."""
    for character in (UNKNOWN, " "):
        if character in vocabulary:
            return character
    return vocabulary.characters[int(vocabulary.frequencies.argmax())]


def resolve(text: str, vocabulary: Vocabulary, policy: Policy, replacement: str | None = None) -> Resolution:
    """`text` without characters that the vocabulary lacks, and what was changed.

    Under every policy, a letter with combining marks becomes the one character that Unicode holds equal, or the other
    way round, if that is known; else an unknown letter takes its marks along. `Vocabulary.encode` has policies too;
    these say what they did, and know likenesses.

    Args:
        text: any string.
        vocabulary: the model's own.
        policy: "drop" leaves unknown characters out, "replace" puts `replacement` for each, "nearest" the known text
            that comes nearest (see `nearest`), or nothing where there is none.
        replacement: a known character; None is `default_replacement`.

    Raises:
        ConfigError: the policy, or the replacement, is not a known one.
    """
    if policy not in get_args(Policy):
        raise ConfigError(f"Unknown characters can be handled by {', '.join(get_args(Policy))}, not {policy!r}.")
    if replacement is None:
        replacement = default_replacement(vocabulary)
    elif replacement not in vocabulary:
        raise ConfigError(f"The replacement must be one character that the model knows, not {replacement!r}.")
    rest = replacement if policy == "replace" else ""

    @cache
    def reformed(cluster: str) -> str | None:
        same = _equivalent(cluster, vocabulary)
        if same is not None or policy != "nearest":
            return same
        return "".join(nearest(c, vocabulary) for c in unicodedata.normalize("NFC", cluster))

    pieces, changes, done = [], [], 0
    for position in vocabulary.find_unknown(text).tolist():
        if position < done:
            continue
        start, end = _cluster(text, position, done)
        put = reformed(text[start:end])
        if put is None:
            put = rest
            if start < position:  # the letter is known, its marks are not
                start, end = position, position + 1
        elif policy == "nearest" and text[start : end + 1] == "\r\n":
            put = ""  # Windows ends a line by two characters: the second is enough
        changes.append(Change(start, text[start:end], put))
        pieces += [text[done:start], put]
        done = end
    return Resolution("".join([*pieces, text[done:]]), tuple(changes))


def _equivalent(cluster: str, vocabulary: Vocabulary) -> str | None:
    """The known text that Unicode holds equal to this, if there is one: é as one character or as two."""
    forms = (unicodedata.normalize(form, cluster) for form in ("NFC", "NFD"))
    return next((form for form in forms if all(c in vocabulary for c in form)), None)


def _cluster(text: str, position: int, first: int) -> tuple[int, int]:
    """Where what the unknown character at `position` belongs to begins and ends, at `first` or later.

    That is the letter and all its marks if Unicode composes any of them, else the character alone.
    """
    start, end = position, position + 1
    while start > max(first, position - MAX_MARKS) and _continues(text[start]):
        start -= 1
    while end < min(len(text), position + MAX_MARKS) and _continues(text[end]):
        end += 1
    cluster = text[start:end]
    if len(cluster) > 1 and len(unicodedata.normalize("NFC", cluster)) < len(cluster):
        return start, end
    return position, position + 1


def _continues(character: str) -> bool:
    """Whether it may compose with what stands before it: a mark, or the second or third part of a Korean syllable."""
    return unicodedata.category(character)[0] == "M" or "\u1160" <= character <= "\u11ff"


def segments(text: str, vocabulary: Vocabulary) -> list[tuple[str, bool]]:
    """`text` cut into stretches of known and of unknown characters: (stretch, whether it is known)."""
    if not text:
        return []
    is_known = np.ones(len(text), bool)
    is_known[vocabulary.find_unknown(text)] = False
    starts = [0, *(np.flatnonzero(np.diff(is_known)) + 1).tolist()]
    return [
        (text[start:end], bool(is_known[start])) for start, end in zip(starts, [*starts[1:], len(text)], strict=True)
    ]

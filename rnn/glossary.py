"""Symbols and words, each in a line, and where they come from: `assets/glossary.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from rnn.errors import LessonError

FILE = Path(__file__).parents[1] / "assets" / "glossary.toml"
LECTURE = "https://cs231n.stanford.edu/"
BLOG = "https://karpathy.github.io/2015/05/21/rnn-effectiveness/"
REQUIRED, OPTIONAL = ("word", "line", "page"), ("symbol", "lecture", "blog", "other")


@dataclass(frozen=True)
class Entry:
    """One line of the glossary.

    Attributes:
        word: what it is called.
        line: what it is, in a sentence.
        page: the page where it is used first.
        symbol: in TeX, or "".
        lecture: the topic of Stanford cs231n, lecture 10, that introduces it, or "".
        blog: the section of Karpathy's post on recurrent networks that has it, or "".
        other: another source, or "".
    """

    word: str
    line: str
    page: str
    symbol: str = ""
    lecture: str = ""
    blog: str = ""
    other: str = ""

    def has(self, text: str) -> bool:
        """Whether it is what somebody looks for who types this."""
        wanted = text.casefold().strip()
        plain = self.symbol.replace("{", "").replace("}", "")
        return any(wanted in part.casefold() for part in (self.word, self.line, self.symbol, plain))


@lru_cache(maxsize=1)
def glossary() -> tuple[Entry, ...]:
    """All entries, by their words.

    Raises:
        LessonError: the file cannot be read as a glossary.
    """
    return read_glossary(FILE)


def read_glossary(path: Path) -> tuple[Entry, ...]:
    """The entries in a file, by their words.

    Raises:
        LessonError: it cannot be read, or a part of it is missing, unknown or of the wrong kind.
    """
    try:
        entries = tomllib.loads(path.read_text("utf-8")).get("entry")
    except (OSError, ValueError) as error:  # TOML and UTF-8 errors are ValueErrors
        raise LessonError(f"The glossary {path.name} cannot be read: {error}.") from error
    if not isinstance(entries, list) or not entries:
        raise LessonError(f"The glossary {path.name} needs at least one [[entry]].")
    found = [_entry(values, f"{path.name}, entry {number}") for number, values in enumerate(entries, 1)]
    return tuple(sorted(found, key=lambda entry: entry.word.casefold()))


def _entry(values: Any, where: str) -> Entry:
    if not isinstance(values, dict) or not all(isinstance(text, str) and text.strip() for text in values.values()):
        raise LessonError(f"{where}: every part must be a text that is not empty.")
    if others := [name for name in values if name not in (*REQUIRED, *OPTIONAL)]:
        raise LessonError(f"{where}: “{others[0]}” is not known here. There are {', '.join((*REQUIRED, *OPTIONAL))}.")
    if missing := [name for name in REQUIRED if name not in values]:
        raise LessonError(f"{where}: {missing[0]} is missing.")
    return Entry(**values)

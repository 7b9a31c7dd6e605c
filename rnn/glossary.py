"""The glossary: every symbol and word of the app in one line, with its source, from `assets/glossary.toml`."""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from rnn.errors import LessonError
from rnn.shipped import ASSETS

FILE = ASSETS / "glossary.toml"
FIELDS = ("symbol", "name", "means", "from", "section", "page")


@dataclass(frozen=True)
class Entry:
    """One symbol or word.

    Attributes:
        symbol: in LaTeX, or "".
        name: in words.
        means: one line.
        source: the lecture, blog or paper that it comes from.
        section: the part of it.
        link: its address.
        page: the title of the page that shows it.
    """

    symbol: str
    name: str
    means: str
    source: str
    section: str
    link: str
    page: str

    @property
    def searched(self) -> str:
        """All that a search looks into."""
        return plain(f"{self.name} {self.symbol.replace('{', '').replace('}', '')} {self.means}")


def plain(text: str) -> str:
    """Without case and accents, for comparing."""
    return unicodedata.normalize("NFKD", text).casefold()


def search(entries: Iterable[Entry], wanted: str) -> list[Entry]:
    """Those in which every word of `wanted` occurs; by name first, then by meaning."""
    words = plain(wanted).split()
    found = [entry for entry in entries if all(word in entry.searched for word in words)]
    return sorted(found, key=lambda entry: not all(word in plain(f"{entry.symbol} {entry.name}") for word in words))


@lru_cache(maxsize=1)
def glossary() -> tuple[Entry, ...]:
    """The glossary that comes with the app, in its own order.

    Raises:
        LessonError: the file cannot be read as one.
    """
    return read_glossary(FILE)


def read_glossary(path: Path) -> tuple[Entry, ...]:
    """The glossary in a file.

    Raises:
        LessonError: it cannot be read, or a part of it is missing or unknown.
    """
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:  # TOML and UTF-8 errors are ValueErrors
        raise LessonError(f"The glossary {path.name} cannot be read: {error}.") from error
    sources, entries = values.get("source"), values.get("entry")
    if not isinstance(sources, dict) or not isinstance(entries, list):
        raise LessonError(f"The glossary {path.name} needs a table [source] and its [[entry]] tables.")
    return tuple(_entry(found, sources, f"{path.name}, entry {i}") for i, found in enumerate(entries, 1))


def _entry(values: Any, sources: Mapping[str, Any], where: str) -> Entry:
    if not isinstance(values, dict) or any(name not in FIELDS for name in values):
        raise LessonError(f"{where}: an entry has {', '.join(FIELDS)}, and nothing else.")
    for name in FIELDS[1:]:
        if not isinstance(values.get(name), str) or not values[name]:
            raise LessonError(f"{where}: {name} must be a text.")
    source = sources.get(values["from"])
    if not isinstance(source, dict) or not all(isinstance(source.get(name), str) for name in ("title", "link")):
        raise LessonError(f"{where}: no [source.{values['from']}] has a title and a link.")
    return Entry(
        str(values.get("symbol", "")), values["name"], values["means"], source["title"], values["section"],
        source["link"], values["page"],
    )  # fmt: skip

"""Guided lessons: what is told, in which order, on which page with which settings, and what is asked.

A lesson is a file in `assets/lessons/`, in TOML:

    title, purpose       what it is called, and what is known at its end
    page                 the page that it is about; left out where it goes through several
    [settings."PAGE"]    what every step on this page sets there, by the keys of its widgets
    [[step]]             page (if the lesson has none), title, minutes, text, look, highlight, settings, question

A step's own settings replace those of its page, and may name no others: each step then sets everything that an
earlier one has set. A question names one of `rnn.questions.QUESTIONS`, so its answer is computed and never written.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from rnn.errors import LessonError
from rnn.questions import QUESTIONS
from rnn.shipped import ASSETS

FOLDER = ASSETS / "lessons"
PAGES = ("Architecture", "Train", "Sample", "Unroll Visualizer", "Truncated BPTT")
KEY = re.compile(r"[a-z][A-Za-z0-9_]*")

Value = str | int | float | bool


@dataclass(frozen=True)
class Ask:
    """A question of a step.

    Attributes:
        question: what answers it, a name in `rnn.questions.QUESTIONS`.
        text: the question itself.
    """

    question: str
    text: str


@dataclass(frozen=True)
class Step:
    """One stop of a lesson.

    Attributes:
        page: the title of the page it is on, one of `PAGES`.
        title: a few words.
        minutes: that it takes in class.
        text: Markdown.
        look: what to look at, in a sentence, or "".
        highlight: keys of the widgets and figures that it is about.
        settings: the value of each of its page's widgets that the lesson sets, by their keys.
        ask: the question, or None.
    """

    page: str
    title: str
    minutes: float
    text: str
    look: str
    highlight: tuple[str, ...]
    settings: Mapping[str, Value]
    ask: Ask | None


@dataclass(frozen=True)
class Lesson:
    """A way through the playground.

    Attributes:
        name: of its file, and in the URL.
        title: what it is called.
        purpose: what is known at its end, in a sentence.
        page: the page that it is about; None where it goes through several.
        steps: in their order.
    """

    name: str
    title: str
    purpose: str
    page: str | None
    steps: tuple[Step, ...]

    @property
    def minutes(self) -> float:
        """The minutes of all steps."""
        return sum(step.minutes for step in self.steps)

    @property
    def questions(self) -> tuple[int, ...]:
        """The numbers, from 1, of the steps that ask something."""
        return tuple(number for number, step in enumerate(self.steps, 1) if step.ask)


@lru_cache(maxsize=1)
def lessons() -> Mapping[str, Lesson]:
    """The lessons that come with the app, the one through all pages first, then in the pages' order.

    Raises:
        LessonError: a file cannot be read as a lesson.
    """
    found = [read_lesson(path) for path in FOLDER.glob("*.toml")]
    found.sort(key=lambda one: (PAGES.index(one.page) + 1 if one.page else 0, one.name))
    return {one.name: one for one in found}


def read_lesson(path: Path) -> Lesson:
    """The lesson in a file.

    Raises:
        LessonError: it cannot be read, or a part of it is missing, unknown or of the wrong kind.
    """
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:  # TOML and UTF-8 errors are ValueErrors
        raise LessonError(f"The lesson {path.name} cannot be read: {error}.") from error
    return _lesson(path.stem, path.name, values)


def _lesson(name: str, where: str, values: Mapping[str, Any]) -> Lesson:
    _check_names(values, ("title", "purpose", "page", "settings", "step"), where)
    page = values.get("page")
    if page is not None:
        _check_page(page, where)
    shared = _table(values.get("settings", {}), "settings", where)
    for title, settings in shared.items():
        _check_page(title, where)
        _check_settings(settings, where)
    steps = values.get("step")
    if not isinstance(steps, list) or not steps:
        raise LessonError(f"The lesson {where} needs at least one [[step]].")
    return Lesson(
        name, _text(values, "title", where), _text(values, "purpose", where), page,
        tuple(_step(values, page, shared, f"{where}, step {number}") for number, values in enumerate(steps, 1)),
    )  # fmt: skip


def _step(values: Any, page: str | None, shared: Mapping[str, Mapping[str, Value]], where: str) -> Step:
    values = _table(values, "a step", where)
    _check_names(
        values, ("page", "title", "minutes", "text", "look", "highlight", "settings", "question"), where
    )  # fmt: skip
    page = values.get("page", page)
    _check_page(page, where)
    minutes = values.get("minutes")
    if isinstance(minutes, bool) or not isinstance(minutes, int | float) or not 0 < minutes <= 60:
        raise LessonError(f"{where}: minutes must be a number above 0 and at most 60, not {minutes!r}.")
    highlight = values.get("highlight", [])
    if not isinstance(highlight, list) or not all(isinstance(key, str) and KEY.fullmatch(key) for key in highlight):
        raise LessonError(f"{where}: highlight must be a list of keys of widgets and figures, not {highlight!r}.")
    own, of_page = values.get("settings", {}), shared.get(page or "", {})
    _check_settings(own, where)
    if others := [key for key in own if key not in of_page]:
        raise LessonError(f'{where}: {others[0]} must have a value in [settings."{page}"], too: other steps set it.')
    return Step(
        str(page), _text(values, "title", where), float(minutes), _text(values, "text", where),
        _text(values, "look", where) if "look" in values else "", tuple(highlight), {**of_page, **own},
        _ask(values["question"], where) if "question" in values else None,
    )  # fmt: skip


def _ask(values: Any, where: str) -> Ask:
    values = _table(values, "question", where)
    _check_names(values, ("ask", "text"), where)
    question = _text(values, "ask", where)
    if question not in QUESTIONS:
        raise LessonError(f"{where}: no question is named “{question}”. There are {', '.join(sorted(QUESTIONS))}.")
    return Ask(question, _text(values, "text", where))


def _check_names(values: Mapping[str, Any], known: Collection[str], where: str) -> None:
    if others := [name for name in values if name not in known]:
        raise LessonError(f"{where}: “{others[0]}” is not known here. There are {', '.join(known)}.")


def _check_page(page: Any, where: str) -> None:
    if page not in PAGES:
        raise LessonError(f"{where}: page must be one of {', '.join(PAGES)}, not {page!r}.")


def _check_settings(settings: Any, where: str) -> None:
    for key, value in _table(settings, "settings", where).items():
        if not KEY.fullmatch(key) or not isinstance(value, Value):
            raise LessonError(f"{where}: the setting {key} must be a text, a number, true or false, by a widget's key.")


def _table(values: Any, what: str, where: str) -> Mapping[str, Any]:
    if not isinstance(values, dict):
        raise LessonError(f"{where}: {what} must be a table, not {values!r}.")
    return values


def _text(values: Mapping[str, Any], name: str, where: str) -> str:
    text = values.get(name)
    if not isinstance(text, str) or not text.strip():
        raise LessonError(f"{where}: {name} must be a text that is not empty.")
    return text.strip()

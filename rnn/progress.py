"""How far somebody has come in the lessons. It is kept in the browser, so what comes from there is checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from rnn.lessons import Lesson

MOST_CHARACTERS = 20_000  # of what a browser may send


@dataclass(frozen=True)
class Progress:
    """Steps and questions that are done.

    Attributes:
        done: by the lesson's name the numbers of its steps, from 1.
        answers: by the lesson's name and the number of the step, whether the first answer was right.
    """

    done: Mapping[str, frozenset[int]] = field(default_factory=dict)
    answers: Mapping[str, Mapping[int, bool]] = field(default_factory=dict)

    @classmethod
    def from_json(cls, text: object, lessons: Mapping[str, Lesson]) -> Self:
        """The inverse of `to_json`; what belongs to none of these lessons is left out, whatever it is."""
        if not isinstance(text, str) or len(text) > MOST_CHARACTERS:
            return cls()
        try:
            values = json.loads(text)
        except (ValueError, RecursionError):
            return cls()
        done, answers = (_table(_table(values).get(name)) for name in ("done", "answers"))
        steps = {name: range(1, len(lesson.steps) + 1) for name, lesson in lessons.items()}
        return cls(
            {name: found for name in steps if (found := _numbers(done.get(name), steps[name]))},
            {
                name: given for name, lesson in lessons.items()
                if (given := _answers(answers.get(name), lesson.questions))
            },
        )  # fmt: skip

    def to_json(self) -> str:
        """In one form: names and numbers in order, no spaces. The browser keeps it as it is."""
        values = {
            "answers": {name: {str(n): got[n] for n in sorted(got)} for name, got in sorted(self.answers.items())},
            "done": {name: sorted(numbers) for name, numbers in sorted(self.done.items())},
        }
        return json.dumps(values, separators=(",", ":"))

    def with_step(self, lesson: str, number: int) -> Self:
        """The same with one more step done."""
        return type(self)({**self.done, lesson: self.done.get(lesson, frozenset()) | {number}}, self.answers)

    def with_answer(self, lesson: str, number: int, is_right: bool) -> Self:
        """The same with a question answered, which also does its step. Only the first answer counts."""
        given = self.answers.get(lesson, {})
        answers = {**self.answers, lesson: {number: is_right, **given}}
        return type(self)(self.done, answers).with_step(lesson, number)

    def joined(self, other: Progress) -> Self:
        """What is done in either; of two answers to a question, this one's."""
        done = {
            name: self.done.get(name, frozenset()) | other.done.get(name, frozenset())
            for name in {*self.done, *other.done}
        }
        answers = {
            name: {**other.answers.get(name, {}), **self.answers.get(name, {})}
            for name in {*self.answers, *other.answers}
        }
        return type(self)(done, answers)

    def is_complete(self, lesson: Lesson) -> bool:
        """Whether all steps of a lesson are done."""
        return len(self.done.get(lesson.name, ())) == len(lesson.steps)

    def score(self, lesson: Lesson) -> tuple[int, int]:
        """How many first answers in a lesson were right, and how many there are."""
        given = self.answers.get(lesson.name, {})
        return sum(given.values()), len(given)


def _table(values: Any) -> Mapping[str, Any]:
    return values if isinstance(values, dict) else {}


def _numbers(values: Any, known: range) -> frozenset[int]:
    return frozenset(n for n in values if type(n) is int and n in known) if isinstance(values, list) else frozenset()


def _answers(values: Any, asked: tuple[int, ...]) -> dict[int, bool]:
    given = _table(values)
    return {n: given[str(n)] for n in asked if isinstance(given.get(str(n)), bool)}

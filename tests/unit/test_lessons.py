"""Lessons as files: those that come with the app can be taught, and what is no lesson gets a sentence."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rnn.errors import LessonError
from rnn.lessons import PAGES, Lesson, lessons, read_lesson
from rnn.questions import QUESTIONS

GOOD = """
title = "A title"
purpose = "A purpose."
page = "Sample"
[settings.Sample]
sample_seed = 1
[[step]]
title = "First"
minutes = 2
text = "Look."
look = "There."
highlight = ["sample_seed"]
settings = { sample_seed = 2 }
[step.question]
ask = "entropy at temperature 0"
text = "What is left?"
[[step]]
title = "Second"
minutes = 1.5
text = "Again."
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "one.toml"
    path.write_text(text, "utf-8")
    return path


def test_a_lesson_is_read_with_the_settings_of_its_page_in_every_step(tmp_path: Path) -> None:
    lesson = read_lesson(written(tmp_path, GOOD))
    first, second = lesson.steps
    assert (lesson.name, lesson.page, lesson.minutes, lesson.questions) == ("one", "Sample", 3.5, (1,))
    assert (first.settings, second.settings) == ({"sample_seed": 2}, {"sample_seed": 1})
    assert (first.highlight, first.look, second.look, second.ask) == (("sample_seed",), "There.", "", None)
    assert first.ask is not None
    assert first.ask.question in QUESTIONS


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('title = "A title"', "", "title must be"),
        ('title = "A title"', "title = [", "cannot be read"),
        ('title = "A title"', 'title = "x"\ntitel = "y"', "“titel” is not known"),
        ('page = "Sample"', 'page = "Sampel"', "page must be one of"),
        ('page = "Sample"', "", "step 1: page must be one of"),
        ("minutes = 2", "minutes = 0", "step 1: minutes must be"),
        ("minutes = 2", "minutes = true", "step 1: minutes must be"),
        ("minutes = 1.5", "", "step 2: minutes must be"),
        ('text = "Again."', 'text = " "', "step 2: text must be"),
        ('["sample_seed"]', '["x {} body"]', "step 1: highlight must be"),
        ("{ sample_seed = 2 }", "{ sample_sead = 2 }", "sample_sead must have a value"),
        ("{ sample_seed = 2 }", "{ sample_seed = [2] }", "must be a text, a number"),
        ("{ sample_seed = 2 }", "3", "step 1: settings must be a table"),
        ("entropy at temperature 0", "entropy", "no question is named “entropy”"),
        ("[[step]]", "[[steps]]", "“steps” is not known"),
    ],
)
def test_what_is_no_lesson_gets_a_sentence_with_its_place(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in GOOD
    with pytest.raises(LessonError, match=re.escape(words)) as caught:
        read_lesson(written(tmp_path, GOOD.replace(old, new)))
    assert "one.toml" in str(caught.value)
    assert str(caught.value).endswith(".")


def test_a_file_that_is_no_text_gets_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "one.toml"
    path.write_bytes(b"\xff\xfe")
    for broken in (path, tmp_path / "none.toml"):
        with pytest.raises(LessonError, match="cannot be read"):
            read_lesson(broken)


# Those that come with the app


def of_pages() -> list[Lesson]:
    return [lesson for lesson in lessons().values() if lesson.page]


def test_there_is_one_lesson_for_every_page_and_first_one_through_all() -> None:
    first, *others = lessons().values()
    assert first.page is None
    assert [lesson.page for lesson in others] == list(PAGES)
    visited = [step.page for step in first.steps]
    assert sorted(set(visited), key=PAGES.index) == list(PAGES)
    assert visited == sorted(visited, key=PAGES.index)


def test_the_lesson_through_all_pages_takes_45_minutes() -> None:
    tour = next(iter(lessons().values()))
    assert sum(step.minutes for step in tour.steps) == tour.minutes == 45


def test_every_page_has_a_question_and_there_are_ten_at_least() -> None:
    asked = {(step.page, step.ask.question) for lesson in of_pages() for step in lesson.steps if step.ask}
    assert {page for page, _ in asked} == set(PAGES)
    assert len({question for _, question in asked}) >= 10
    tour = next(iter(lessons().values()))
    assert {step.page for step in tour.steps if step.ask} == set(PAGES)


def test_no_step_is_longer_than_one_can_listen() -> None:
    for lesson in lessons().values():
        for step in lesson.steps:
            assert len(step.text.split()) <= 85, (lesson.name, step.title)
            assert step.look or step.ask, (lesson.name, step.title)

"""The glossary: it can be read, has a source for everything, and no symbol of a lesson is missing."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from rnn import config
from rnn.errors import LessonError
from rnn.glossary import glossary, read_glossary
from rnn.lessons import PAGES, lessons

WORDS = {"ln", "log", "tanh"}  # functions are words of the glossary or of school
SYMBOL = re.compile(r"[A-Za-zρσ]+(?:_[A-Za-z]+)?")


def symbols(text: str) -> set[str]:
    """Those between dollar signs, in one form: h_{t-1} is h_t, \\rho is ρ."""
    found = set()
    for formula in re.findall(r"\$([^$]+)\$", text):
        plain = formula.replace(r"\rho", "ρ").replace("t-1", "t").replace("{", "").replace("}", "")
        found |= set(SYMBOL.findall(re.sub(r"\\([a-z]+|,)", lambda m: f" {m[1].strip(',')} ", plain)))
    return found


def test_symbols_are_found_in_formulas() -> None:
    assert symbols(r"the $h_{t-1}$, :orange[$W_{hh}\,h_t$], $\rho$ and $\tanh$") == {"h_t", "W_hh", "ρ", "tanh"}


def test_every_symbol_of_a_lesson_is_in_the_glossary() -> None:
    known = {symbol for entry in glossary() for symbol in symbols(f"${entry.symbol}$")} | WORDS
    known |= {symbol.removesuffix("_t") for symbol in known}  # c is c_t at any step
    for lesson in lessons().values():
        for step in lesson.steps:
            text = " ".join([step.text, step.look, step.ask.text if step.ask else ""])
            assert symbols(text) <= known, (lesson.name, step.title)


def test_every_entry_has_a_source_a_page_and_a_name_of_its_own() -> None:
    assert len({entry.word for entry in glossary()}) == len(glossary())
    named = [entry.symbol for entry in glossary() if entry.symbol]
    assert len(set(named)) == len(named)
    for entry in glossary():
        assert entry.lecture or entry.blog or entry.other, entry.word
        assert entry.page in PAGES, entry.word
        assert entry.line.endswith("."), entry.word


@pytest.mark.parametrize("typed", ["W_hh", "w_{hh}", "recurrent matrix", "  Recurrent ", "old state to the new"])
def test_an_entry_is_found_by_its_symbol_its_word_and_its_line(typed: str) -> None:
    assert "recurrent matrix" in [entry.word for entry in glossary() if entry.has(typed)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "needs at least one"), ("entry = 3", "needs at least one"), ("entry = [", "cannot be read"),
        ('[[entry]]\nword = "x"\nline = "y"', "page is missing"), ("[[entry]]\nword = 3", "must be a text"),
        ('[[entry]]\nword = "x"\nline = "y"\npage = "Train"\nsource = "z"', "“source” is not known"),
    ],
)  # fmt: skip
def test_what_is_no_glossary_gets_a_sentence(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "glossary.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(LessonError, match=words):
        read_glossary(path)


@pytest.mark.parametrize("settings", [config.ModelConfig, config.TaskConfig, config.TrainConfig, config.SampleConfig])
def test_every_setting_has_a_line_of_help(settings: type) -> None:
    for field in dataclasses.fields(settings):
        assert field.metadata["help"].strip().endswith("."), field.name

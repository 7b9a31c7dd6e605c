"""The glossary: complete, in one line each, found by symbol and by word."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rnn.errors import LessonError
from rnn.glossary import FILE, glossary, read_glossary, search
from rnn.lessons import PAGES, lessons

FORMULA = re.compile(r"\$([^$]+)\$")
SYMBOL = re.compile(r"\\?[A-Za-z]+(?:_[a-z]+)?")
NO_SYMBOLS = {"\\log", "\\ln", "ln", "log", "\\exp"}  # what school has taught


def symbols(formula: str) -> set[str]:
    """Those of a formula; one that changes with time, without its step: c_t, c_{t-1} and c are one."""
    return {symbol.removesuffix("_t") for symbol in SYMBOL.findall(re.sub("[{}]", "", formula))}


def known() -> set[str]:
    return {found for entry in glossary() for found in symbols(entry.symbol)}


def test_every_entry_is_one_line_of_a_page_of_the_app_with_a_link() -> None:
    assert len(glossary()) >= 60
    for entry in glossary():
        assert entry.page in PAGES, entry
        assert entry.link.startswith("https://"), entry
        assert entry.means.endswith("."), entry
        assert len(entry.means) <= 115, entry
    names = [entry.name for entry in glossary()]
    assert len(set(names)) == len(names)


def test_the_lecture_and_the_blog_are_both_sources() -> None:
    titles = " ".join(entry.source for entry in glossary())
    assert "cs231n" in titles
    assert "Karpathy" in titles


def test_every_symbol_of_a_lesson_is_in_the_glossary() -> None:
    used = {
        symbol
        for lesson in lessons().values()
        for step in lesson.steps
        for formula in FORMULA.findall(step.text + (step.ask.text if step.ask else ""))
        for symbol in symbols(formula)
    }
    assert len(used) > 8
    assert used - NO_SYMBOLS <= known()


@pytest.mark.parametrize(
    ("wanted", "name"),
    [("W_hh", "recurrent matrix"), ("w_HH", "recurrent matrix"), ("h_t", "hidden state"), ("temp", "temperature"),
     ("cell state lstm", "cell state"), ("perplexity", "perplexity"), ("", "time step"),
     ("rho", "spectral radius, eigenvalues")],
)  # fmt: skip
def test_a_symbol_or_some_words_find_their_entry_first(wanted: str, name: str) -> None:
    assert search(glossary(), wanted)[0].name == name


def test_what_is_not_there_is_not_found() -> None:
    assert search(glossary(), "transformer attention") == []


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [('name = "time step"', "", "entry 1: name must be a text"),
     ('from = "lecture"', 'from = "nobody"', "source.nobody"),
     ('symbol = "t"', 'color = "t"', "and nothing else"), ("[source.lecture]", "[source", "cannot be read"),
     ("[[entry]]", "[[entries]]", "needs a table")],
)  # fmt: skip
def test_what_is_no_glossary_gets_a_sentence_with_its_place(tmp_path: Path, old: str, new: str, words: str) -> None:
    path = tmp_path / "glossary.toml"
    text = FILE.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new) if old == "[[entry]]" else text.replace(old, new, 1), "utf-8")
    with pytest.raises(LessonError, match=re.escape(words)):
        read_glossary(path)

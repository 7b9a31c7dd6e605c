"""Unknown characters: what is put for them is known, near, and told."""

from __future__ import annotations

import string
import sys
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn.errors import ConfigError
from rnn.unknown import Change, Policy, default_replacement, nearest, resolve, segments
from rnn.vocabulary import UNKNOWN, Vocabulary

ASCII = Vocabulary.from_text(string.printable.replace("\r", "").replace("\t", "").replace("\v", "").replace("\f", ""))
POLICIES: list[Policy] = ["drop", "replace", "nearest"]
VOCABULARIES = st.text(min_size=1, max_size=30).map(Vocabulary.from_text)
ACUTE = "\N{COMBINING ACUTE ACCENT}"


def knowing(characters: str) -> Vocabulary:
    return Vocabulary.from_characters(characters)


# The nearest


@pytest.mark.parametrize(
    ("characters", "expected"),
    [
        ("éèêëẽē", "eeeeee"), ("ÀÇÑŘŽ", "ACNRZ"), ("ấǖ", "au"), ("øØłŁđħ", "oOlLdh"),
        ("ﬁﬀ", "fiff"), ("Ａｂ３！", "Ab3!"), ("²ₓ①", "2x1"), ("½", "1/2"), ("…", "..."), ("™", "TM"), ("٣", "3"),
        ("‘’‚′´", "'''''"), ("“”„«»", '"""""'), ("‐‑–—―−", "------"), ("•‣", "**"),
        ("ßẞ", "ssSS"), ("œŒæÆ", "oeOEaeAE"), ("ǽ", "ae"), ("þıſ", "this"),
        ("\t\xa0\u2003\u3000", "    "), ("\r\v\f\x85\u2028\u2029", "\n\n\n\n\n\n"),
    ],
)  # fmt: skip
def test_plain_text_stands_for_what_resembles_it(characters: str, expected: str) -> None:
    assert "".join(nearest(c, ASCII) for c in characters) == expected


@pytest.mark.parametrize("character", ["中", "д", "λ", "א", "∑", "😀", "€", "≠", "∉", "\u200d", "\ufe0f", "\0", ACUTE])
def test_what_resembles_nothing_known_has_no_nearest(character: str) -> None:
    assert nearest(character, ASCII) == ""


@pytest.mark.parametrize(
    ("known", "expected"),
    [("ÉéEe", "É"), ("éEe", "é"), ("Ee", "E"), ("e", "e"), ("EeE" + ACUTE, "E" + ACUTE), ("ab", "")],
)
def test_of_several_likenesses_the_nearest_is_taken(known: str, expected: str) -> None:
    assert nearest("É", knowing("".join(dict.fromkeys(known)))) == expected


@pytest.mark.parametrize(
    ("character", "known", "expected"),
    [
        ("ß", "S", "SS"), ("Æ", "ae", "ae"), ("Æ", "a", ""), ("…", "…", "…"), ("…", ",", ""), ("a", "A", "A"),
        ("'", "’", "’"), ("-", "–", "–"), ("•", "-", "-"), ("\n", " ", " "), ("\N{KELVIN SIGN}", "k", "k"),
        ("é", "É", "É"), ("٣", "3", "3"), ("ё", "е", "е"), ("ς", "σ", "σ"), ("Ё", "е", "е"),
        ("か", "が", ""), ("한", "ㄱ", ""),
    ],
)  # fmt: skip
def test_likenesses_combine_and_are_known_in_full(character: str, known: str, expected: str) -> None:
    assert nearest(character, knowing(known)) == expected


@given(st.characters(), VOCABULARIES)
def test_the_nearest_is_known_whatever_the_character(character: str, vocabulary: Vocabulary) -> None:
    assert all(c in vocabulary for c in nearest(character, vocabulary))
    assert character not in vocabulary or nearest(character, vocabulary) == character


def test_every_character_that_unicode_takes_apart_has_a_known_nearest_or_none() -> None:
    for character in filter(unicodedata.decomposition, map(chr, range(sys.maxunicode + 1))):
        assert all(c in ASCII for c in nearest(character, ASCII))


@given(st.characters(categories=["L"]))
def test_a_letter_becomes_letters_of_its_own_name(letter: str) -> None:
    """An independent judge: the names of a letter and of its nearest in plain ASCII end in the same letters."""
    put = nearest(letter, ASCII)
    if put.isalpha() and len(put) == 1 and unicodedata.normalize("NFKC", letter) == letter:
        name = unicodedata.name(letter)
        assert f" {put.upper()}" in name.partition(" WITH ")[0] or letter in "Ððı"


# Whole texts


@given(st.text(), VOCABULARIES, st.sampled_from(POLICIES))
def test_a_resolved_text_is_known_and_its_changes_lead_to_it(text: str, vocabulary: Vocabulary, policy: Policy) -> None:
    resolution = resolve(text, vocabulary, policy)
    assert not vocabulary.find_unknown(resolution.text).size
    rebuilt, end = "", 0
    for change in resolution.changes:
        assert vocabulary.find_unknown(change.character).size  # nothing known is touched but with something unknown
        assert text.startswith(change.character, change.position)
        assert change.position >= end
        rebuilt += text[end : change.position] + change.put
        end = change.position + len(change.character)
    assert rebuilt + text[end:] == resolution.text


@pytest.mark.parametrize(
    ("policy", "replacement", "expected"),
    [("drop", None, "naf"), ("replace", None, "na f"), ("replace", "?", "na?f"), ("nearest", None, "naif")],
)
def test_each_policy_does_what_it_says(policy: Policy, replacement: str | None, expected: str) -> None:
    resolution = resolve("naïf", ASCII, policy, replacement)
    assert resolution.text == expected
    (change,) = resolution.changes
    assert (change.position, change.character) == (2, "ï")


@pytest.mark.parametrize("policy", POLICIES)
def test_a_known_text_comes_back_as_it_is(policy: Policy) -> None:
    text = "All of this is known.\n"
    resolution = resolve(text, ASCII, policy)
    assert resolution.text is text
    assert resolution.changes == ()


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_equal_texts_in_two_forms_become_the_known_form(form: str, policy: Policy) -> None:
    word = "Café, ệ, 한"
    known = knowing("".join(dict.fromkeys(unicodedata.normalize(form, word))))
    other = unicodedata.normalize("NFD" if form == "NFC" else "NFC", word)
    assert resolve(other, known, policy).text == unicodedata.normalize(form, word)


def test_a_change_of_form_is_told_where_the_letter_stands() -> None:
    resolution = resolve(f"ae{ACUTE}b", knowing("aébe"), "nearest")
    assert resolution.changes == (Change(1, f"e{ACUTE}", "é"),)


@pytest.mark.parametrize(
    ("known", "policy", "expected"),
    [
        ("xe ", "drop", "xe"), ("xe ", "replace", "xe "), ("xe ", "nearest", "xe"),  # the letter is known
        ("x" + ACUTE + " ", "drop", "x"), ("x" + ACUTE + " ", "replace", "x "),  # the letter is not: no mark on the x
        ("xE", "nearest", "xE"), ("xÉ", "nearest", "xÉ"),
    ],
)  # fmt: skip
def test_marks_without_a_known_composition_follow_their_letter(known: str, policy: Policy, expected: str) -> None:
    assert resolve(f"xe{ACUTE}", knowing(known), policy).text == expected


@pytest.mark.parametrize(("known", "expected"), [("ab\n", "a\nb\na"), ("ab ", "a b a"), ("ab", "aba")])
def test_line_ends_of_other_systems_become_one_each(known: str, expected: str) -> None:
    assert resolve("a\r\nb\ra", knowing(known), "nearest").text == expected


def test_the_default_replacement_is_the_unknown_symbol_then_a_space_then_the_likeliest() -> None:
    assert default_replacement(Vocabulary.from_text("aaa  bbbb cde", 4)) == UNKNOWN
    assert default_replacement(Vocabulary.from_text("aaa bbbb")) == " "
    assert default_replacement(Vocabulary.from_text("aaabbbb")) == "b"


@pytest.mark.parametrize(
    ("policy", "replacement", "said"),
    [("guess", None, "drop, replace, nearest"), ("replace", "é", "'é'"), ("replace", "", "one"), ("drop", "ab", "one")],
)
def test_unknown_policies_and_replacements_are_refused(policy: str, replacement: str | None, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        resolve("abc", ASCII, policy, replacement)  # type: ignore[arg-type]


def test_a_letter_with_ten_thousand_marks_is_resolved() -> None:
    marks = f"{ACUTE}\N{COMBINING CEDILLA}" * 5_000
    assert resolve(f"e{marks}", knowing("e"), "drop").text == "e"
    assert resolve(f"e{marks}", knowing("e"), "nearest").text == "e"


# Highlighting


@given(st.text(), VOCABULARIES)
def test_segments_are_the_text_in_stretches_as_long_as_they_can_be(text: str, vocabulary: Vocabulary) -> None:
    found = segments(text, vocabulary)
    assert "".join(stretch for stretch, _ in found) == text
    assert all(stretch and all((c in vocabulary) == known for c in stretch) for stretch, known in found)
    assert all(a[1] != b[1] for a, b in pairwise(found))


def test_segments_of_an_example() -> None:
    assert segments("aéèb", knowing("ab")) == [("a", True), ("éè", False), ("b", True)]

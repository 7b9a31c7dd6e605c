"""Characters <-> indices: nothing is lost, and nothing is mapped to something else in silence."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn.errors import ConfigError, TextError, UnknownCharacterError
from rnn.vocabulary import UNKNOWN, CharacterRow, Vocabulary, character_name, code_points, vocabulary_table

SCRIPTS = {
    "emoji with skin tones": "👍🏽 👩🏿‍🚀 👨‍👩‍👧‍👦 🇩🇪 ❤️",
    "chinese": "天地玄黄,宇宙洪荒。𠮷",
    "arabic": "السَّلامُ عليكم",
    "hebrew": "שָׁלוֹם עולם",
    "accents, composed and not": "café cafe\u0301 naïve Ångström",
    "controls": "a\0b\t\x1b\u2028\ufeff",
}


@pytest.mark.parametrize("text", SCRIPTS.values(), ids=SCRIPTS.keys())
def test_every_script_survives_encode_and_decode(text: str) -> None:
    vocabulary = Vocabulary.from_text(text)
    assert vocabulary.decode(vocabulary.encode(text)) == text


@given(st.text(min_size=1))
def test_encode_then_decode_is_identity(text: str) -> None:
    vocabulary = Vocabulary.from_text(text)
    assert vocabulary.decode(vocabulary.encode(text)) == text


@given(st.text(min_size=1))
def test_counts_are_those_of_the_text(text: str) -> None:
    vocabulary = Vocabulary.from_text(text)
    assert dict(zip(vocabulary.characters, vocabulary.counts, strict=True)) == Counter(text)
    assert list(vocabulary.characters) == sorted(vocabulary.characters)


@given(st.text(min_size=1), st.integers(2, 8))
def test_capped_counts_still_add_up_to_the_text(text: str, max_size: int) -> None:
    vocabulary = Vocabulary.from_text(text, max_size)
    assert len(vocabulary) <= max_size
    assert sum(vocabulary.counts) == len(text)
    assert len(vocabulary.encode(text, "replace")) == len(text)


@given(st.text(min_size=1), st.text())
def test_encode_never_maps_silently(known: str, text: str) -> None:
    vocabulary = Vocabulary.from_text(known)
    strange = [i for i, character in enumerate(text) if character not in known]
    assert vocabulary.find_unknown(text).tolist() == strange
    assert vocabulary.decode(vocabulary.encode(text, "drop")) == "".join(c for c in text if c in known)
    if not strange:
        assert vocabulary.decode(vocabulary.encode(text)) == text
        return
    with pytest.raises(UnknownCharacterError) as refused:
        vocabulary.encode(text)
    assert refused.value.positions == strange
    assert refused.value.characters == list(dict.fromkeys(text[i] for i in strange))


def test_code_points_above_and_below_the_known_ones_are_unknown() -> None:
    vocabulary = Vocabulary.from_text("mn")
    for character in ("a", "l", "o", "z", "\0", "中", "😀", "\U0010ffff", "\ud800"):
        with pytest.raises(UnknownCharacterError):
            vocabulary.encode(character)


def test_texts_longer_than_a_block_are_counted_and_encoded_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnn.vocabulary._BLOCK", 3)
    vocabulary = Vocabulary.from_text("ab😀 cab😀 zz")
    assert vocabulary.counts == (2, 2, 2, 1, 2, 2)
    assert vocabulary.decode(vocabulary.encode("zz😀 bab")) == "zz😀 bab"
    assert vocabulary.find_unknown("abc!ab?").tolist() == [3, 6]


def test_capped_vocabulary_shows_the_unknown_symbol_last() -> None:
    vocabulary = Vocabulary.from_text("aaaabbbccd", max_size=3)
    assert vocabulary.characters == ("a", "b", UNKNOWN)
    assert vocabulary.counts == (4, 3, 3)
    assert vocabulary.unknown_index == 2
    assert vocabulary.decode(vocabulary.encode("abcd", "replace")) == f"ab{UNKNOWN}{UNKNOWN}"


def test_capped_vocabulary_refuses_unknown_characters_unless_told_to_replace_them() -> None:
    vocabulary = Vocabulary.from_text("aaaabbbccd", max_size=3)
    with pytest.raises(UnknownCharacterError, match=r"'c', 'd', first at position 3\. Drop or replace"):
        vocabulary.encode("abcdc")


def test_a_cap_that_is_not_reached_changes_nothing() -> None:
    assert Vocabulary.from_text("abc", max_size=3) == Vocabulary.from_text("abc")
    assert Vocabulary.from_text("abc", max_size=3).unknown_index is None


def test_equally_frequent_characters_are_capped_in_code_point_order() -> None:
    assert Vocabulary.from_text("dcba", max_size=3).characters == ("a", "b", UNKNOWN)


def test_unknown_symbol_of_the_text_itself_joins_the_rest_under_a_cap() -> None:
    vocabulary = Vocabulary.from_text(UNKNOWN * 5 + "aaab", max_size=2)
    assert vocabulary.characters == ("a", UNKNOWN)
    assert vocabulary.counts == (3, 6)


def test_replace_without_an_unknown_symbol_is_refused() -> None:
    with pytest.raises(UnknownCharacterError, match="no unknown symbol"):
        Vocabulary.from_text("ab").encode("abc", "replace")


def test_replacing_is_not_proposed_where_it_cannot_work() -> None:
    with pytest.raises(UnknownCharacterError, match=r"position 3\. Drop them, or"):
        Vocabulary.from_text("ab").encode("abc")


def test_many_unknown_characters_are_listed_in_one_line() -> None:
    with pytest.raises(UnknownCharacterError) as refused:
        Vocabulary.from_text("ab").encode("0123456789\n")
    assert "and more" in str(refused.value)
    assert "\n" not in str(refused.value)
    assert len(refused.value.characters) == 11


@pytest.mark.parametrize(("size", "dtype"), [(256, np.uint8), (257, np.uint16)])
def test_encoded_text_takes_the_fewest_bytes(size: int, dtype: type[np.generic]) -> None:
    text = "".join(map(chr, range(size)))
    vocabulary = Vocabulary.from_text(text)
    assert vocabulary.encode(text).dtype == dtype == vocabulary.dtype
    assert vocabulary.decode(vocabulary.encode(text)) == text


def test_more_characters_than_two_bytes_can_tell_apart_are_capped() -> None:
    text = "".join(chr(c) for c in range(70_000) if not 0xD800 <= c <= 0xDFFF)
    vocabulary = Vocabulary.from_text(text)
    assert len(vocabulary) == 65_535
    assert vocabulary.characters[-1] == UNKNOWN
    assert vocabulary.encode(text, "replace").max() == 65_534


def test_index_takes_exactly_one_known_character() -> None:
    vocabulary = Vocabulary.from_text("hello")
    assert [vocabulary.index(c) for c in "ehlo"] == [0, 1, 2, 3]
    assert "e" in vocabulary
    assert [c for c in ("x", "he", "", 7) if c in vocabulary] == []
    with pytest.raises(UnknownCharacterError):
        vocabulary.index("x")
    for wrong in ("", "he"):
        with pytest.raises(ValueError, match="one character"):
            vocabulary.index(wrong)


@pytest.mark.parametrize("indices", [[-1], [4], [0, 99]])
def test_decode_refuses_indices_outside_the_vocabulary(indices: list[int]) -> None:
    with pytest.raises(IndexError, match="0 to 3"):
        Vocabulary.from_text("hello").decode(indices)


def test_decode_of_nothing_is_nothing() -> None:
    assert Vocabulary.from_text("hello").decode([]) == ""
    assert len(Vocabulary.from_text("hello").encode("")) == 0


def test_frequencies_are_shares_and_uniform_where_unknown() -> None:
    np.testing.assert_allclose(Vocabulary.from_text("aaab").frequencies, [0.75, 0.25])
    np.testing.assert_allclose(Vocabulary.from_characters("abcd").frequencies, [0.25] * 4)


@given(st.text(min_size=1))
def test_json_round_trip(text: str) -> None:
    vocabulary = Vocabulary.from_text(text)
    assert Vocabulary.from_json(json.loads(json.dumps(vocabulary.to_json()))) == vocabulary


@pytest.mark.parametrize(
    "values",
    [
        None,
        [],
        {},
        {"characters": ["a"]},
        {"characters": [], "counts": []},
        {"characters": ["ab"], "counts": [1]},
        {"characters": [97], "counts": [1]},
        {"characters": ["a", "a"], "counts": [1, 1]},
        {"characters": ["a"], "counts": [1, 2]},
        {"characters": ["a"], "counts": [-1]},
        {"characters": ["a"], "counts": [1.5]},
        {"characters": ["a"], "counts": [True]},
        {"characters": ["a"], "counts": [2**63]},
        {"characters": ["a", "\ud800"], "counts": [1, 1]},
        {"characters": ["a"] * 65_536, "counts": [1] * 65_536},
    ],
    ids=lambda values: str(values)[:60],
)
def test_from_json_refuses_what_is_no_vocabulary(values: object) -> None:
    with pytest.raises(ConfigError):
        Vocabulary.from_json(values)


def test_lone_surrogates_cannot_enter_a_vocabulary() -> None:
    with pytest.raises(ConfigError, match="surrogate"):
        Vocabulary.from_text("a\udfff")


def test_empty_text_has_no_vocabulary() -> None:
    with pytest.raises(TextError, match="empty"):
        Vocabulary.from_text("")


@pytest.mark.parametrize("max_size", [1, 0, -3])
def test_a_cap_leaves_room_for_a_character_and_the_unknown_symbol(max_size: int) -> None:
    with pytest.raises(ConfigError, match="at least 2"):
        Vocabulary.from_text("abc", max_size)


@given(st.text(st.characters(exclude_categories=())))
def test_code_points_are_those_of_the_characters(text: str) -> None:
    assert code_points(text).tolist() == [ord(character) for character in text]


TABLE = [
    ("A", "U+0041", "LATIN CAPITAL LETTER A"),
    ("\n", "U+000A", "LINE FEED"),
    ("\t", "U+0009", "CHARACTER TABULATION"),
    ("\x01", "U+0001", "CONTROL"),
    (" ", "U+0020", "SPACE"),
    ("\u200e", "U+200E", "LEFT-TO-RIGHT MARK"),
    ("\u0301", "U+0301", "COMBINING ACUTE ACCENT"),
    ("天", "U+5929", "CJK UNIFIED IDEOGRAPH-5929"),
    ("👍", "U+1F44D", "THUMBS UP SIGN"),
    ("\ue000", "U+E000", "PRIVATE USE"),
    ("\ufffe", "U+FFFE", "UNASSIGNED"),
    ("\U0010ffff", "U+10FFFF", "UNASSIGNED"),
    (UNKNOWN, "U+FFFD", "REPLACEMENT CHARACTER"),
]


@pytest.mark.parametrize(("character", "code_point", "name"), TABLE)
def test_every_character_has_a_row_with_its_code_point_and_a_name(character: str, code_point: str, name: str) -> None:
    rows = vocabulary_table(Vocabulary.from_text(f"zz{character}z"))
    assert (rows[0].index, rows[1].index) == (0, 1)
    assert CharacterRow(0 if character < "z" else 1, character, code_point, name, 1, 0.25) in rows


def test_shares_add_up_and_rows_are_in_the_order_of_the_indices() -> None:
    vocabulary = Vocabulary.from_text("hello, 天地 👍🏽\n" * 3, max_size=6)
    rows = vocabulary_table(vocabulary)
    assert [(row.index, row.character, row.count) for row in rows] == [
        (i, c, vocabulary.counts[i]) for i, c in enumerate(vocabulary.characters)
    ]
    assert sum(row.share or 0 for row in rows) == pytest.approx(1)


def test_counts_that_are_not_known_are_not_made_up() -> None:
    assert [(row.count, row.share) for row in vocabulary_table(Vocabulary.from_characters("ab"))] == [(None, None)] * 2


def test_even_half_a_surrogate_pair_has_a_name() -> None:
    """A vocabulary holds none, but a table of other characters may."""
    assert character_name("\ud800") == "HALF OF A SURROGATE PAIR"

"""What a sample copies is what a plain search finds, whatever the sample and the text are made of."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rnn import copying
from rnn.copying import MAX_SAMPLE, SHOWN, Automaton, Passage, copies
from rnn.errors import ConfigError, TextError

SENTENCE = "The same sentence again and again, said the teacher. "
LETTERS = st.sampled_from(["ab", "abc", "aé\n", "\U0001f600\ud800\U0010ffff\0a"])
PAIRS = LETTERS.flatmap(lambda letters: st.tuples(st.text(letters, max_size=40), st.text(letters, max_size=300)))


def longest_from(sample: str, text: str) -> list[int]:
    """For each position the longest prefix of what follows that is in the text, tried one by one."""
    return [
        max(length for length in range(len(sample) - i + 1) if sample[i : i + length] in text)
        for i in range(len(sample))
    ]  # fmt: skip


def shared(sample: str, text: str) -> list[int]:
    return copies(sample, text).longest_from.tolist()


@given(PAIRS)
@example(("", "abc"))
@example(("abc", ""))
@example(("", ""))
@example(("abab" * 8, "ab" * 150))
@example(("xyz", "abc" * 100))
def test_the_longest_copy_from_each_position_is_the_one_a_plain_search_finds(pair: tuple[str, str]) -> None:
    assert shared(*pair) == longest_from(*pair)


@given(st.text(), st.text())
def test_any_characters_can_be_compared(sample: str, text: str) -> None:
    assert shared(sample, text) == longest_from(sample, text)


@given(st.text("ab", min_size=1, max_size=60), st.integers(0, 5000), st.integers(1, 300))
def test_a_piece_of_the_text_is_found_across_the_parts_that_it_is_read_in(piece: str, start: int, length: int) -> None:
    text = (piece + "c") * (6000 // (len(piece) + 1))  # about a hundred parts, some shorter than the piece
    sample = text[start : start + length]
    assert shared(sample, text) == list(range(len(sample), 0, -1))


def test_a_piece_is_found_wherever_a_part_of_the_text_ends_in_it() -> None:
    text = "".join(map(chr, range(0x4E00, 0x4E00 + 400)))  # each piece stands in it once
    pieces = [text[start : start + 3] for start in range(398)]
    assert shared("".join(pieces[::2]), text) == [3, 2, 1] * 199
    assert shared("".join(pieces[1::2]), text) == [3, 2, 1] * 199


def test_a_text_in_many_blocks_is_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "".join(map(str, range(3000)))
    samples = [text[700:900] + text[:100], "999100010011", "x" + text[-50:] + "x"]
    whole = [shared(sample, text) for sample in samples]
    monkeypatch.setattr(copying, "_BLOCK", 7)
    monkeypatch.setattr(copying, "_PARTS", 5)
    assert [shared(sample, text) for sample in samples] == whole


@given(PAIRS, st.sets(st.integers(1, 12)))
def test_novel_is_the_share_of_n_grams_by_occurrence_that_the_text_lacks(
    pair: tuple[str, str], shown: set[int]
) -> None:
    sample, text = pair
    novel = copies(sample, text, tuple(shown)).novel
    assert list(novel) == sorted(n for n in shown if n <= len(sample))
    for n, share in novel.items():
        grams = [sample[i : i + n] for i in range(len(sample) - n + 1)]
        assert share == pytest.approx(sum(gram not in text for gram in grams) / len(grams))


@given(PAIRS)
def test_the_longest_copy_stands_in_both(pair: tuple[str, str]) -> None:
    sample, text = pair
    found = copies(sample, text)
    piece = sample[found.longest.start : found.longest.end]
    assert found.longest.length == len(piece) == max(longest_from(sample, text), default=0)
    assert text[found.text_start : found.text_start + len(piece)] == piece
    assert found.text_start == text.find(piece)


@given(PAIRS, st.integers(1, 12))
def test_passages_are_the_copies_that_no_longer_one_holds(pair: tuple[str, str], minimum: int) -> None:
    sample, text = pair
    spans = {
        (i, j) for i, j in itertools.combinations(range(len(sample) + 1), 2) if sample[i:j] in text and j - i >= minimum
    }  # fmt: skip
    maximal = {(i, j) for i, j in spans if not {(i - 1, j), (i, j + 1)} & spans}
    found = copies(sample, text)
    passages = found.passages(minimum)
    assert [(p.start, p.end) for p in passages] == sorted(maximal)
    marked = {k for i, j in spans for k in range(i, j)}
    assert np.flatnonzero(found.is_copied(minimum)).tolist() == sorted(marked)


def test_passages_of_a_patchwork_are_its_pieces() -> None:
    text = "It was a bright cold day in April, and the clocks were striking thirteen."
    found = copies("bright cold day? The clocks were striking", text)
    assert found.passages(6) == [Passage(0, 15), Passage(18, 23)]
    assert (found.longest, found.text_start) == (Passage(18, 23), text.index("he clocks"))
    assert found.is_copied(6).tolist() == [True] * 15 + [False] * 3 + [True] * 23


@pytest.mark.parametrize(
    ("sample", "text", "length"),
    [
        ("ab" * 500, "ab" * 20_000, 1000),
        ("ba" * 500, "a" * 20_000 + "b" * 20_000, 2),
        ((SENTENCE * 20)[7:1000], SENTENCE * 800, 993),
        ("一丁" * 500, SENTENCE * 800, 0),
    ],
)
def test_texts_that_repeat_themselves_are_compared_whole(sample: str, text: str, length: int) -> None:
    found = copies(sample, text)
    assert found.longest.length == length
    assert set(found.novel) == set(SHOWN)
    assert set(found.novel.values()) == {0.0 if length > max(SHOWN) else 1.0}


@given(st.lists(st.integers(0, 2), max_size=30))
def test_the_automaton_reads_the_pieces_of_the_sample_and_no_others(sample: list[int]) -> None:
    automaton = Automaton.of(sample, 3)
    assert len(automaton.link) <= max(2, 2 * len(sample))
    pieces = {tuple(sample[i:j]) for i in range(len(sample)) for j in range(i + 1, len(sample) + 1)}
    read = [((), 0)]
    for piece, state in read:  # grows as it is walked
        arrows = range(state * 4, state * 4 + 4)
        own = [c for c, arrow in enumerate(arrows) if automaton.limit[arrow] == automaton.length[state] + 1]
        read += [((*piece, c), int(automaton.target[arrows[c]])) for c in own]
    assert sorted(piece for piece, _ in read[1:]) == sorted(pieces)


def test_samples_that_would_take_too_much_are_refused() -> None:
    with pytest.raises(TextError, match=r"10,001 characters, and at most 10,000 are compared\. Give a part"):
        copies("a" * (MAX_SAMPLE + 1), "a")
    with pytest.raises(TextError, match=r"7,000 characters, 7,000 of them different.*Give a part"):
        copies("".join(map(chr, range(0x4E00, 0x4E00 + 7000))), "a")


def test_a_length_below_one_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least 1 character, not 0"):
        copies("a", "a", (3, 0))
    for method in (copies("a", "a").passages, copies("a", "a").is_copied):
        with pytest.raises(ConfigError, match="at least 1 character, not -1"):
            method(-1)

"""What the sequence data share: each example once a pass, rows padded and never mixed up."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn.data.sequences import BEGIN, END, FIRST, PAD, Symbols, indices, is_held_out, padded
from rnn.errors import InputError

LETTERS = Symbols(tuple("abc"))


@given(st.integers(1, 30), st.integers(0, 5), st.integers(1, 12))
def test_every_example_is_read_once_before_any_is_read_again(size: int, seed: int, count: int) -> None:
    read = np.concatenate([indices(size, seed, step, count) for step in range(3 * size)])
    for start in range(0, len(read) - size + 1, size):
        assert sorted(read[start : start + size]) == list(range(size))


def test_orders_follow_from_the_seed_and_differ_between_passes_and_seeds() -> None:
    first, second, other = indices(50, 3, 0, 50), indices(50, 3, 1, 50), indices(50, 4, 0, 50)
    assert first.tolist() == indices(50, 3, 0, 50).tolist()
    assert first.tolist() != second.tolist()
    assert first.tolist() != other.tolist()


@given(st.lists(st.lists(st.integers(1, 9), max_size=6), max_size=6))
def test_padded_rows_hold_the_rows_and_nothing_but_padding(rows: list[list[int]]) -> None:
    values, lengths = padded(rows)
    assert [value[:length].tolist() for value, length in zip(values, lengths, strict=True)] == rows
    assert values.shape == (len(rows), max(map(len, rows), default=0))
    assert all((value[length:] == PAD).all() for value, length in zip(values, lengths, strict=True))


@given(st.lists(st.text("abc"), min_size=1, max_size=5))
def test_what_a_decoder_writes_is_read_back(words: list[str]) -> None:
    values, lengths = LETTERS.targets(words)
    assert ["".join(LETTERS.decode(row)) for row in values.tolist()] == words
    assert [row[length - 1] for row, length in zip(values.tolist(), lengths.tolist(), strict=True)] == [END] * len(
        words
    )
    assert LETTERS.sources(words).lengths.tolist() == [len(word) for word in words]


def test_symbols_leave_room_for_padding_begin_and_end() -> None:
    assert sorted({PAD, BEGIN, END, *LETTERS.encode("abc")}) == list(range(len(LETTERS)))
    assert LETTERS.decode([BEGIN, FIRST, PAD, FIRST + 1, END, FIRST + 2]) == ["a", "b"]


def test_a_symbol_that_is_not_there_is_named() -> None:
    with pytest.raises(InputError, match="does not know 'd'"):
        LETTERS.encode("abd")


def test_a_tenth_is_held_out_and_always_the_same() -> None:
    held_out = [n for n in range(10_000) if is_held_out(str(n))]
    assert 900 < len(held_out) < 1_100
    assert held_out[:5] == [0, 7, 9, 10, 33]


def test_the_data_need_no_torch_and_load_their_libraries_late() -> None:
    code = """
import sys
from rnn.data import blanks, digits, frames, numbers, sentences
assert not {"torch", "sklearn", "num2words"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)

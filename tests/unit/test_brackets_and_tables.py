"""Depths are those that a digit in nested parentheses tells; a table can be read back."""

from __future__ import annotations

import csv
import io

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rnn.brackets import depths, share
from rnn.corpora import nested_parentheses
from rnn.tables import states_csv


def test_digits_of_nested_parentheses_tell_the_depth() -> None:
    text = nested_parentheses(3_000, seed=1)
    told = [(t, int(c)) for t, c in enumerate(text) if c.isdigit()]
    assert len(told) > 50
    assert all(depths(text)[t] == digit for t, digit in told)


def test_all_brackets_count_and_what_closes_nothing_does_not() -> None:
    assert depths(")([{x}]a)").tolist() == [0, 1, 2, 3, 3, 2, 1, 1, 0]
    assert depths("").size == 0
    assert (share("(a)b"), share("")) == (0.5, 0)


@given(st.text(min_size=1, max_size=20))
def test_a_table_gives_back_characters_and_values(text: str) -> None:
    states = np.random.default_rng(0).normal(size=(len(text), 3)).astype(np.float32)
    rows = list(csv.reader(io.StringIO(states_csv(text, states, "c"), newline="")))
    assert rows[0] == ["position", "character", "c1", "c2", "c3"]
    assert [int(row[0]) for row in rows[1:]] == list(range(1, len(text) + 1))
    assert [row[1] for row in rows[1:]] == list(text)
    np.testing.assert_allclose([[float(v) for v in row[2:]] for row in rows[1:]], states, rtol=1e-5)

"""The bars of novelty are the shares that were counted, and the title says where new pieces outnumber copies."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn.copying import Copies, Passage, copies
from rnn.figures import theme
from rnn.figures.copying import novelty_alt, novelty_bars, percent

TEXT = "It was a bright cold day in April, and the clocks were striking thirteen."
SAMPLE = "It was a cold day, and the clocks were bright. It is a striking day in all."


def with_novel(novel: dict[int, float], length: int = 20) -> Copies:
    return Copies(np.full(50, length), Passage(0, length), 0, novel)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("found", [copies(SAMPLE, TEXT), copies(TEXT, TEXT), copies("ab", TEXT), copies("", TEXT)])
def test_the_figure_is_one_that_plotly_accepts(found: Copies, dark: bool) -> None:
    fig = novelty_bars(found, dark).to_dict()
    assert go.Figure(fig).to_dict() == fig  # here with Plotly's checks


def test_each_length_has_a_bar_of_its_share() -> None:
    found = copies(SAMPLE, TEXT)
    fig = novelty_bars(found)
    (bars,) = fig.data
    assert list(fig.layout.xaxis.ticktext) == [str(n) for n in found.novel]
    assert list(bars.y) == pytest.approx([100 * share for share in found.novel.values()], abs=0.01)
    assert list(bars.text) == [percent(share) for share in found.novel.values()]
    assert bars.marker.color == theme.OUTPUT
    assert fig.layout.yaxis.range[1] > 100  # room for the label of a bar of 100 %


@pytest.mark.parametrize(
    ("novel", "words"),
    [
        ({4: 0.1, 8: 0.4, 12: 0.6, 16: 0.9}, "Over half is new from 12 characters on"),
        ({4: 0.1, 8: 1.0, 12: 1.0}, "All is new from 8 characters on"),
        ({4: 0.6, 8: 0.5, 12: 0.6}, "Over half is new from 12 characters on"),
        ({4: 0.7, 8: 0.9}, "Over half is new from 4 characters on"),
        ({1: 0.7, 8: 0.9}, "Over half is new from 1 character on"),
        ({1: 1.0}, "All is new from 1 character on"),
        ({4: 0.0, 32: 0.2}, "Only 20 % is new even at 32 characters"),
        ({4: 0.0, 32: 0.0}, "Nothing new in up to 32 characters"),
        ({}, "Too short to compare n-grams"),
    ],
)
def test_the_title_says_from_where_on_new_pieces_outnumber_copies(novel: dict[int, float], words: str) -> None:
    title = novelty_bars(with_novel(novel)).layout.title.text
    assert title.split("<br>") == [words, "Longest copied piece: 20 characters"]
    assert novelty_alt(with_novel(novel)).startswith(f"{words}. Longest copied piece: 20 characters.")


def test_the_alternative_tells_every_bar() -> None:
    alt = novelty_alt(with_novel({4: 0.1, 32: 0.999}, length=1))
    assert "Longest copied piece: 1 character." in alt
    assert alt.endswith("not in the training text: 4 characters 10 %; 32 characters >99 %.")


def test_no_sample_is_said_to_be_none() -> None:
    assert novelty_alt(copies("", TEXT)) == "No text to compare yet."


@given(st.floats(0, 1))
def test_only_none_is_0_percent_and_only_all_is_100(share: float) -> None:
    assert (percent(share) == "0 %") == (share == 0)
    assert (percent(share) == "100 %") == (share == 1)

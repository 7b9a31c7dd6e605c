"""Blanks: every window is the text, but for one character, which is the target."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn.data.blanks import Where, Windows, validation_windows, windows
from rnn.errors import ConfigError, TextError

V = 200
TEXT = np.arange(V, dtype=np.uint8)  # every character is its own place


def assert_windows_of_the_text(drawn: Windows) -> None:
    for row, target, position in zip(
        drawn.inputs.tolist(), drawn.targets.tolist(), drawn.positions.tolist(), strict=True
    ):
        assert row[position] == V
        start = target - position
        assert [*row[:position], target, *row[position + 1 :]] == list(range(start, start + len(row)))


@given(st.integers(1, V), st.integers(0, 9), st.sampled_from(["middle", "anywhere"]))
def test_a_window_is_the_text_with_its_target_blanked_out(length: int, step: int, where: Where) -> None:
    for drawn in (windows(TEXT, V, 0, step, 20, length, where), validation_windows(TEXT, V, 20, length, where)):
        assert drawn.inputs.shape[1] == length
        assert drawn.inputs.dtype == np.int64
        assert_windows_of_the_text(drawn)
        if where == "middle":
            assert set(drawn.positions.tolist()) == {length // 2}


def test_every_window_and_every_position_is_drawn() -> None:
    drawn = windows(TEXT, V, seed=0, step=0, count=20_000, length=10)
    assert set((drawn.targets - drawn.positions).tolist()) == set(range(V - 9))
    assert abs(np.bincount(drawn.positions, minlength=10) / 20_000 - 0.1).max() < 0.02


def test_windows_follow_from_the_seed_and_the_step() -> None:
    first = windows(TEXT, V, 1, 2, 8, 9)
    assert first.inputs.tolist() == windows(TEXT, V, 1, 2, 8, 9).inputs.tolist()
    assert first.inputs.tolist() != windows(TEXT, V, 1, 3, 8, 9).inputs.tolist()
    assert first.inputs.tolist() != windows(TEXT, V, 2, 2, 8, 9).inputs.tolist()


def test_validation_reads_the_whole_text_evenly_and_every_position_alike() -> None:
    drawn = validation_windows(TEXT, V, count=20, length=10)
    starts = drawn.targets - drawn.positions
    assert (starts[0], starts[-1]) == (0, V - 10)
    assert set(np.diff(starts).tolist()) == {10}
    assert np.bincount(drawn.positions).tolist() == [2] * 10


def test_validation_repeats_no_window() -> None:
    assert len(validation_windows(TEXT[:12], V, count=50, length=10).targets) == 3


def test_the_text_is_left_as_it_was() -> None:
    text = TEXT.copy()
    windows(text, V, 0, 0, 50, 5)
    assert (text == TEXT).all()


def test_a_text_that_is_too_short_is_refused() -> None:
    with pytest.raises(TextError, match="9 characters and a window 10"):
        windows(TEXT[:9], V, 0, 0, 1, 10)
    with pytest.raises(TextError, match="0 characters"):
        validation_windows(TEXT[:0], V, 5, 3)


def test_a_window_without_characters_or_a_blank_elsewhere_is_refused() -> None:
    with pytest.raises(ConfigError, match="not 0 and"):
        windows(TEXT, V, 0, 0, 1, 0)
    with pytest.raises(ConfigError, match="'end'"):
        windows(TEXT, V, 0, 0, 1, 5, "end")  # type: ignore[arg-type]

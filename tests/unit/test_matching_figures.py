"""The figures of a pattern show its units and what came next, and stay small."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from rnn.figures import theme
from rnn.figures.matching import quote, span_lines, span_lines_alt, tally_bars, tally_bars_alt

TEXT = "ab <cd>\nef"
SPAN, WINDOW = (2, 4), (1, 9)


def states(T: int = len(TEXT), H: int = 4) -> np.ndarray:
    return np.sin(np.arange(T * H, dtype=np.float32)).reshape(T, H)


def drawn(units: tuple[int, ...], span: tuple[int, int] = SPAN, dark: bool = False) -> go.Figure:
    figure = span_lines(TEXT, states(), span, units, 0.25, True, "h of layer 2", "h", WINDOW, dark)
    return go.Figure(figure)  # Plotly checks it


def title(figure: go.Figure) -> str:
    return str(figure.layout.title.text).replace("<br>", " ")


@pytest.mark.parametrize("dark", [False, True])
def test_the_lines_are_the_states_of_the_window_and_the_pattern_is_marked(dark: bool) -> None:
    figure = drawn((1, 3), dark=dark)
    others, thin, bold = figure.data
    x, y = np.array(bold["x"]), np.array(bold["y"])
    of_unit = (np.array(bold["customdata"]) == 4) & ~np.isnan(y)
    assert x[of_unit].tolist() == [2, 3]
    np.testing.assert_array_equal(y[of_unit], states()[2:4, 3])
    assert set(thin["customdata"]) == {2, 4}
    assert set(others["customdata"]) == {1, 3}
    assert bold["line"]["color"] == theme.HIDDEN
    assert title(figure) == "2 of 4 units have |h of layer 2| ≥ 0.25 throughout “ &lt;” (3 to 4)"
    band, upper, lower = figure["layout"]["shapes"]
    assert (band["x0"], band["x1"], upper["y0"], lower["y0"]) == (1.5, 3.5, 0.25, -0.25)
    assert list(figure["layout"]["xaxis"]["ticktext"])[:3] == ["b", "␣", "&lt;"]


def test_a_span_of_one_character_is_seen_as_points() -> None:
    assert drawn((0,), (2, 3)).data[-1]["mode"] == "markers"
    assert title(drawn((0,), (2, 3))).endswith("throughout “ ” (3)")


def test_a_pattern_without_units_says_so() -> None:
    assert title(drawn(())).startswith("No unit has |h of layer 2| ≥ 0.25")
    assert (
        span_lines_alt(TEXT, states(), SPAN, (), 0.25, False, "h") == "No unit has h ≥ 0.25 throughout “ <” (3 to 4)."
    )
    said = span_lines_alt(TEXT, states(), SPAN, (1, 3), 0.25, False, "h")
    assert "The units with the largest mean over the span: 2 (0.42), 4 (−0.17)." in said


def test_many_units_over_a_long_window_are_thinned_and_that_is_said() -> None:
    text = "x" * 300
    figure = span_lines(text, states(300, 1024), (50, 250), tuple(range(0, 1024, 2)), 0.125, False, "c", "c", (0, 300))
    assert len(figure.to_json()) < 1_000_000
    assert figure.data[0]["name"] == "other units, every 6th"
    assert title(figure).startswith("512 of 1024 units")


def test_a_long_span_is_quoted_by_its_ends() -> None:
    assert quote("a\tb") == "a⇥b"
    assert quote("abcdefghijklmnopqrstuvwxyz") == "abcdefghijk…pqrstuvwxyz"


def test_bars_are_shares_of_what_came_beside_what_the_model_expects() -> None:
    tally = {"<": 6, " ": 3, "z": 1}
    expected = {" ": 0.5, "<": 0.25, "q": 0.25}
    figure = go.Figure(tally_bars(tally, expected))
    came, model = figure.data
    assert dict(zip(came["y"], came["x"], strict=True)) == {"&lt;": 0.6, "␣": 0.3, "z": 0.1, "q": 0, "others": 0}
    assert dict(zip(model["y"], model["x"], strict=True)) == {"&lt;": 0.25, "␣": 0.5, "z": 0, "q": 0.25, "others": 0}
    assert came["marker"]["pattern"]["shape"] == "/"  # not told by the colour alone
    assert title(figure) == "“&lt;” came after 6 of 10 places the model expects “␣” (50%)"
    assert tally_bars_alt(tally, expected) == (
        "“<” came after 6 of 10 places; the model expects “␣” (50%). < 60% (the model 25%), ␣ 30% (the model 50%), "
        "z 10% (the model 0%), q 0% (the model 25%)."
    )


def test_without_a_prediction_there_is_one_kind_of_bars() -> None:
    tally = {chr(97 + i): i + 1 for i in range(20)}
    figure = go.Figure(tally_bars(tally, None, dark=True))
    assert len(figure.data) == 1
    assert len(figure.data[0].x) == 9
    assert sum(figure.data[0].x) == pytest.approx(1, abs=0.001)
    assert tally_bars_alt(tally) == (
        "“t” came after 20 of 210 places. t 10%, s 9%, r 9%, q 8%, p 8%, o 7%, n 7%, m 6%."
    )

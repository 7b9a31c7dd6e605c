"""The step's figure shows every number of x, h and y, and the title says what the step did."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from rnn.figures.step import hidden_statistics, hidden_statistics_alt, signed, step_bars, step_bars_alt
from rnn.lecture import HiddenStatistics, StepNetwork, Stepped, one_hot, run_steps

FOUND = HiddenStatistics([0, 10, 20], [0.1, -0.2, 0.05], [0.5, 0.4, 0.3], (25, 8, 4), (8, 16))


def history(count: int = 2, outputs: int = 4) -> list[Stepped]:
    return [step[0] for step in run_steps(StepNetwork(4, 3, outputs), [one_hot(0, 4)] * count)]


def title(fig: go.Figure) -> str:
    return str(fig.layout.title.text).replace("<br>", " ")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("outputs", [2, 8])
def test_the_figure_is_one_that_plotly_accepts(dark: bool, outputs: int) -> None:
    fig = step_bars(history(2, outputs), "net", dark).to_dict()
    assert go.Figure(fig).to_dict() == fig  # here with Plotly's checks


def test_every_number_is_a_bar_and_is_written_beside_it() -> None:
    step = history()[-1]
    fig = step_bars([*history()])
    bars = [list(trace.x) for trace in fig.data]
    assert bars == [step.before.tolist(), step.x.tolist(), step.after.tolist(), step.y.tolist()]
    written = [note.text for note in fig.layout.annotations]
    for value in (*step.before, *step.x, *step.after, *step.y):
        assert signed(float(value)) in written


def test_a_number_stands_on_the_other_side_of_zero_than_its_bar() -> None:
    fig = step_bars(history())
    for note in fig.layout.annotations:
        is_number = note.text.lstrip("−").replace(".", "").isdigit()
        if is_number and note.text != "0.00":  # which is either side's
            assert note.xanchor == ("left" if note.text.startswith("−") else "right")


def test_h_after_stands_beside_h_before_row_by_row() -> None:
    before, x, after, _ = step_bars(history()).data
    assert list(before.y) == list(after.y)
    assert max(x.y) < min(before.y)


def test_bars_fit_their_columns() -> None:
    fig = step_bars([*history()], "net")
    for trace in fig.data:
        low, high = fig.layout[trace.xaxis.replace("x", "xaxis")].range
        assert low <= min(trace.x)
        assert max(trace.x) <= high


def test_the_title_says_that_the_same_x_gave_another_y() -> None:
    first, second = history()
    assert title(step_bars([first])).startswith("Step 1 of net: h moved by up to")
    apart = np.abs(second.y - first.y).max()
    expected = f"the same x as in step 1, another y (up to {apart:.2g} apart)"
    assert expected in title(step_bars([first, second]))
    assert expected in step_bars_alt([first, second])


def test_before_the_first_step_h_is_zero_and_y_is_not_known() -> None:
    step = history(1)[0]
    fig = step_bars([Stepped(step.x, step.before, step.after * np.nan, step.y * np.nan)])
    assert title(fig) == "Before step 1 of net: h is the zero vector"
    assert sum(note.text == "?" for note in fig.layout.annotations) == 3 + 4


@pytest.mark.parametrize(
    ("value", "text"), [(0.534, "0.53"), (-2.8012, "−2.80"), (1.0, "1"), (-0.001, "0.00"), (123456.7, "1e5")]
)
def test_numbers_are_short_and_signed(value: float, text: str) -> None:
    assert signed(value) == text


@pytest.mark.parametrize("dark", [False, True])
def test_the_statistics_show_mean_and_variance(dark: bool) -> None:
    fig = hidden_statistics(FOUND, dark)
    go.Figure(fig.to_dict())
    mean, variance = fig.data
    assert (list(mean.x), list(mean.y), list(variance.y)) == (FOUND.at, FOUND.means, FOUND.variances)
    assert title(fig) == "25 steps of 8 sequences side by side: at t = 20 h has mean 0.05, variance 0.30"
    assert "t 10: mean -0.200, variance 0.400" in hidden_statistics_alt(FOUND)

"""The figures of the gradient show the numbers they are given, and their titles say what these are."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from rnn.figures.reach import decades_of, every_loss, every_loss_alt, lags, lags_alt, share
from rnn.figures.truncation import (
    angle,
    at_length,
    chunk_costs,
    chunk_costs_alt,
    chunk_lengths,
    chunk_lengths_alt,
)
from rnn.gradients.chunk_cost import ChunkCost
from rnn.gradients.reach import LagCurve, by_lag, cut_by, share_kept
from rnn.gradients.truncation import Truncation

T = 12
NORMS = np.tril(np.random.default_rng(0).random((T, T)) + 0.01).astype(np.float32)
TEXT = "a <b>c\n&defgh"  # T + 1, some of which Plotly would read as tags
COSINES = np.linspace(0.5, 1, T)
FOUND = Truncation(
    dict.fromkeys(("all", "W_xh", "W_hh", "W_hy"), COSINES),
    dict.fromkeys(("all", "W_xh", "W_hh", "W_hy"), COSINES**2),
)
COSTS = (ChunkCost(1, 0.001, 5_000), ChunkCost(10, 0.011, 41_000), ChunkCost(20, 0.02, 2_000_000))
CURVES = {
    "RNN": LagCurve(0.1 ** np.arange(20.0), 0.1 ** np.arange(20.0) / 2, 0.1 ** np.arange(20.0) * 2),
    "LSTM": by_lag(NORMS),
    "LSTM c": by_lag(NORMS),
}


def valid(figure: go.Figure) -> dict[str, Any]:
    """Every property is one that Plotly knows."""
    go.Figure(figure.to_plotly_json())
    return dict(json.loads(figure.to_json()))


def title(figure: go.Figure) -> str:
    return str(figure.layout.title.text).replace("<br>", " ")


@pytest.mark.parametrize("dark", [False, True])
def test_plotly_knows_all_that_is_drawn(dark: bool) -> None:
    for k in (1, 5, T):
        valid(every_loss(NORMS, TEXT, k, 0.5, "c of layer 2", 30, dark))
        valid(chunk_lengths(FOUND, k, dark))
        valid(chunk_costs(COSTS, k, dark))
    valid(lags(CURVES, "LSTM", 3, "after training", decades_of([CURVES]), dark))


@pytest.mark.parametrize("k", [1, 5, 7, T])
def test_the_hatched_area_is_what_the_walls_cut(k: int) -> None:
    _, *cut = valid(every_loss(NORMS, TEXT, k, share_kept(NORMS, k)))["data"]
    area = 0.0
    if cut:
        x, y = np.array(cut[0]["x"]), np.array(cut[0]["y"])
        area = abs(float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))) / 2  # the shoelace formula
    assert area == pytest.approx(cut_by(T, k).sum())
    assert bool(cut) == (k < T)


def test_the_triangle_holds_the_norms_and_says_of_what() -> None:
    figure = every_loss(NORMS, TEXT, 5, 0.42, "h")
    z = np.asarray(figure.data[0]["z"])
    assert np.isnan(z[np.triu_indices(T, 1)]).all()
    np.testing.assert_allclose(10 ** z[np.tril_indices(T)], NORMS[np.tril_indices(T)], rtol=1e-5)
    assert title(figure) == "Walls every 5 steps keep 42 % of the gradient that flows to earlier steps"
    said = figure.data[0]["text"]
    assert said[3][2] == f"loss of &gt; at step 4<br>to h at step 3, &lt;: {NORMS[3, 2]:.2g}"
    assert said[2][3] == ""
    assert "42 %" in every_loss_alt(NORMS, 5, 0.42)
    for k, words in ((1, "no loss reaches"), (T, "every loss reaches")):
        assert words in title(every_loss(NORMS, TEXT, k, float(k == T)))


def test_a_triangle_of_zeros_can_be_drawn() -> None:
    z = np.asarray(every_loss(np.zeros((3, 3), np.float32), "abcd", 2, 1.0).data[0]["z"])
    assert np.isfinite(z[np.tril_indices(3)]).all()


def test_a_triangle_of_the_longest_stretch_is_small_to_send() -> None:
    norms = np.tril(np.random.default_rng(0).random((100, 100))).astype(np.float32)
    assert len(every_loss(norms, "x" * 101, 10, 0.5).to_json()) < 1_000_000


def test_the_marked_length_is_told_in_degrees_and_length() -> None:
    figure = chunk_lengths(FOUND, 1)
    assert title(figure) == "Chunks of 1 of 12 steps: the gradient is 60° off and 0.25 times as long"
    assert [note["text"] for note in figure.layout.annotations if "0." in note["text"]] == [
        "<b>0.50</b>",
        "<b>0.25</b>",
    ]
    assert "W_hh: cosine 0.50, norm 0.25" in chunk_lengths_alt(FOUND, 1)
    assert "One chunk of all 12 steps: the gradient is 0°" in title(chunk_lengths(FOUND, T))
    assert (angle(1.0), angle(0.99), angle(0.0), angle(-1.0)) == ("0°", "8.1°", "90°", "180°")


def test_a_gradient_of_nothing_has_no_angle() -> None:
    none = {name: np.full(T, np.nan) for name in FOUND.cosine}
    figure = chunk_lengths(Truncation(none, none), 3)
    valid(figure)
    assert "no gradient at all" in title(figure)


def test_costs_are_those_measured_and_between_them_the_line_is_followed() -> None:
    figure = chunk_costs(COSTS, 5)
    assert title(figure) == "1 step: 1 ms and 5.0 kB; 20 steps: 20 ms and 2.0 MB"
    assert at_length(COSTS, 10) == (0.011, 41_000)
    assert at_length(COSTS, 15)[1] == pytest.approx((41_000 + 2_000_000) / 2)
    assert "k = 10: 11 ms, 41 kB" in chunk_costs_alt(COSTS)


def test_the_chosen_network_has_the_colour_the_band_and_the_title() -> None:
    figure = lags(CURVES, "LSTM", 3, "after training", decades_of([CURVES]))
    band, *lines = figure.data
    assert [line["name"] for line in lines] == ["RNN", "LSTM c", "LSTM"]
    assert len({line["line"]["dash"] for line in lines}) == 3
    assert len(band["x"]) == 2 * len(CURVES["LSTM"].mean)
    assert title(figure).startswith("After training, 3 steps back, LSTM keeps")
    assert title(figure).endswith("RNN 0.1 %")
    assert title(lags(CURVES, "RNN", 3, "after training", (-12.0, 1.0))).split(" ")[-4:-2] == ["LSTM", "c"]
    assert "too short" in title(lags(CURVES, "LSTM", 15, "after training", (-12.0, 1.0)))
    assert "RNN: 1 at the loss's own step, 0.001 at lag 3" in lags_alt(CURVES, "LSTM", 3, "after training")


def test_a_line_that_leaves_the_axis_is_named_where_it_leaves() -> None:
    figure = lags(CURVES, "LSTM", 3, "before training", decades_of([CURVES]))
    name = next(note for note in figure.layout.annotations if note["text"] == "RNN")
    low, high = figure.layout.yaxis.range
    assert high - low == pytest.approx(12)
    assert name["x"] == sum(CURVES["RNN"].mean >= 10**low) < 20


def test_shares_are_short() -> None:
    assert [share(v) for v in (1, 0.253, 0.027, 0.0028, 1e-7, 0)] == [
        "100 %",
        "25 %",
        "2.7 %",
        "0.3 %",
        "< 0.01 %",
        "0 %",
    ]

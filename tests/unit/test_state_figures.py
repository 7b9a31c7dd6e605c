"""Figures of states over a text hold the model's own numbers, stay small, and say what they show."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import numpy as np
import plotly.graph_objects as go
import plotly.io
import pytest
from numpy.typing import NDArray

from rnn.brackets import depths
from rnn.config import ModelConfig
from rnn.errors import InputError
from rnn.figures import along, theme
from rnn.figures.gate_tracks import gate_tracks, gate_tracks_alt
from rnn.figures.highway import highway, highway_alt
from rnn.figures.saturated import saturation_scatter, saturation_scatter_alt
from rnn.figures.states import columns, state_map, state_map_alt
from rnn.ordering import by_cluster, correlations
from rnn.records import LayerTrace
from rnn.saturation import saturation, surviving
from rnn.trace import trace
from tests.unit.test_trace import TEXT, VOCABULARY, new_model, weights_of

CELLS = ("rnn", "gru", "lstm")
MEGABYTE = 1_000_000


def layer(cell: str, units: int = 5, both: bool = False) -> LayerTrace:
    config = ModelConfig(cell=cell, hidden_size=units, bidirectional=both)
    return trace(config, weights_of(new_model(config)), VOCABULARY, TEXT).layers[0][-1]


def noise(T: int, H: int) -> NDArray[np.float32]:
    return np.tanh(np.random.default_rng(0).normal(size=(T, H))).astype(np.float32)


def title(fig: go.Figure) -> str:
    return str(fig.layout.title.text).replace("<br>", " ")


def drawn(states: NDArray[np.float32], order: Any = None, text: str = TEXT, **more: Any) -> go.Figure:
    rows = np.arange(states.shape[1]) if order is None else order
    chosen = {"unit": 0, "at": 0, "window": (0, len(text))} | more
    return state_map(text, states, rows, "h", **chosen)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_the_figures_are_ones_that_plotly_accepts(cell: str, dark: bool) -> None:
    one, whole = layer(cell), (0, len(TEXT))
    figures = [
        state_map("(a cab b)", one.h[:9], np.arange(5), "h", 1, 2, (0, 9), dark=dark),
        gate_tracks(TEXT, one, "layer 2", 1, 2, whole, dark),
        *[saturation_scatter(saturation(gate), name, 1, dark) for name, gate in one.gates.items() if name not in "gn"],
        saturation_scatter(saturation(one.h, (-0.9, 0.9)), "h", 1, dark),
    ]
    if cell != "rnn":
        figures.append(highway(TEXT, one, 1, 2, 6, 3, whole, dark))
    for fig in figures:
        spec = json.loads(plotly.io.to_json(fig))
        assert json.loads(plotly.io.to_json(go.Figure(spec))) == spec  # here with Plotly's checks


def test_rows_are_the_units_in_their_order_and_columns_the_characters_shown() -> None:
    states, order = noise(10, 4), np.array([2, 0, 3, 1])
    heat = drawn(states, order, window=(3, 8)).data[0]
    np.testing.assert_array_equal(heat.z, states[3:8].T[order])
    assert list(heat.y) == ["unit 3", "unit 1", "unit 4", "unit 2"]
    assert list(heat.x) == along.names(TEXT, (3, 8))
    assert (heat.zmin, heat.zmax) == (-heat.zmax, heat.zmax)


def test_a_click_on_a_bar_is_one_on_the_unit_of_its_row() -> None:
    order = np.array([2, 0, 3, 1])
    fig = drawn(noise(10, 4), order)
    clicked = [trace for trace in fig.data if trace.customdata is not None and trace.type == "bar"]
    assert [list(bar.customdata) for bar in clicked] == [[2, 0, 3, 1]]
    assert list(clicked[0].y) == list(fig.data[0].y)
    assert fig.data[0].hovertemplate.startswith("%{y} after %{x}")


@pytest.mark.parametrize(("T", "H"), [(5_000, 192), (5_000, 512), (2_000, 2_048), (1, 1), (41, 17)])
def test_the_map_stays_under_a_megabyte(T: int, H: int) -> None:
    text = ("(word)\n" * 800)[:T]
    window = (0, min(T, columns(H)))
    states = noise(T, H)
    fig = drawn(states, text=text, window=window)
    assert len(plotly.io.to_json(fig)) < MEGABYTE
    heat = fig.data[0]
    if heat.z.dtype == np.int8:
        full = along.full(states[: window[1]])
        expected = np.clip(states[: window[1]].T / full, -1, 1) * 100
        assert np.abs(heat.z - expected).max() <= 0.51


def test_tracks_and_highway_of_five_thousand_characters_stay_under_a_megabyte() -> None:
    T, text = 5_000, "(word)\n" * 714 + "ab"
    gates = {name: np.abs(noise(T, 3)) for name in "ifgo"}
    one = LayerTrace(noise(T, 3), noise(T, 3), gates)
    assert len(plotly.io.to_json(gate_tracks(text, one, "", 0, 0, (0, 2_000)))) < MEGABYTE
    assert len(plotly.io.to_json(highway(text, one, 0, 0, T - 1, 0, (0, T)))) < MEGABYTE


def test_the_depth_of_brackets_stands_under_a_text_that_has_some() -> None:
    text = "a(b(c)d)e("
    states = np.column_stack([noise(10, 2), -depths(text)]).astype(np.float32)
    fig = drawn(states, text=text, window=(1, 9))
    assert list(fig.data[-1].y) == depths(text)[1:9].tolist()
    assert "unit 3 follows bracket depth best (r = −1.00)" in title(fig)
    assert len(drawn(noise(10, 2)).data) == 3


def test_the_map_says_how_much_sorting_has_done() -> None:
    states = noise(10, 6)
    matrix = correlations(states)
    order = by_cluster(matrix)
    mean = np.mean([matrix[a, b] for a, b in pairwise(order)])
    assert f"mean r = {along.signed(float(mean))}, unsorted" in title(drawn(states, order, ordered="cluster"))
    fig = drawn(states, np.argsort(-states.std(axis=0)), ordered="variance")
    assert f"unit {states.std(axis=0).argmax() + 1} varies most" in title(fig)
    assert title(fig) in state_map_alt(
        TEXT, states, np.argsort(-states.std(axis=0)), "h", 0, 0, (0, 10), "variance"
    ).replace(". ", " ")


def test_the_character_looked_at_is_marked_only_where_it_is_shown() -> None:
    states = noise(10, 3)
    marks = [[s for s in drawn(states, at=at, window=(2, 8)).layout.shapes if s.type == "line"] for at in (1, 2, 7, 8)]
    assert [[s.x0 for s in found] for found in marks] == [[], [0], [5], []]


@pytest.mark.parametrize(("T", "written"), [(1, True), (40, True), (41, False), (5_000, False)])
def test_characters_are_written_where_there_is_room(T: int, written: bool) -> None:
    found = along.axis("ab" * T, (0, T), 1, theme.LIGHT)
    assert (found["ticktext"][0] == "a") == written
    assert len(found["tickvals"]) == len(found["ticktext"]) <= (40 if written else 8)
    assert all(1 <= at <= T for at in found["tickvals"])
    if not written:
        assert [f"{at:,.0f}" for at in found["tickvals"]] == found["ticktext"]


def test_positions_of_a_part_are_those_in_the_text() -> None:
    found = along.axis("a" * 900, (333, 777), 0, theme.LIGHT)
    assert found["ticktext"] == ["400", "500", "600", "700"]
    assert found["tickvals"] == [66, 166, 266, 366]


@pytest.mark.parametrize(("cell", "names"), [("lstm", "ifogch"), ("gru", "rznh"), ("rnn", "h")])
def test_each_track_is_one_gate_or_state_of_the_unit(cell: str, names: str) -> None:
    one = layer(cell)
    fig = gate_tracks(TEXT, one, "", 3, 4, (2, 9))
    assert len(fig.data) == len(names)
    states = {"h": one.h, "c": one.c}
    for name, track in zip(names, fig.data, strict=True):
        np.testing.assert_array_equal(track.y, one.gates.get(name, states.get(name))[2:9, 3])
        low, high = fig.layout[track.yaxis.replace("y", "yaxis")].range
        assert low <= min(track.y)
        assert max(track.y) <= high
    kept = {"lstm": "f", "gru": "z"}.get(cell)
    if kept:
        assert f"keeps {one.gates[kept][4, 3]:.0%} of its" in title(fig)
        assert title(fig) in gate_tracks_alt(TEXT, one, "", 3, 4, (2, 9))


def test_tracks_say_how_often_a_gate_is_saturated() -> None:
    gates = {name: np.array([[0.05], [0.5], [0.95], [0.95]], np.float32) for name in "ifgo"}
    fig = gate_tracks("abab", LayerTrace(gates["i"], gates["f"], gates), "", 0, 0, (0, 4))
    assert fig.layout.annotations[1].text == "forget gate f: under 0.1 25%, over 0.9 50% of the time"
    assert fig.layout.annotations[3].text == "candidate g: under −0.9 0%, over 0.9 50% of the time"


def test_each_unit_is_a_point_of_its_two_shares() -> None:
    values = np.abs(noise(40, 6))
    found = saturation(values)
    points, ring = saturation_scatter(found, "f", 4).data
    np.testing.assert_allclose(points.x, (values > 0.9).mean(axis=0), atol=1e-7)
    np.testing.assert_allclose(points.y, (values < 0.1).mean(axis=0), atol=1e-7)
    assert list(points.customdata) == list(range(6))
    assert (ring.x[0], ring.y[0]) == (found.right[4], found.left[4])
    assert "unit 5: " in saturation_scatter_alt(found, "f", 4)


def test_units_that_are_always_open_are_counted() -> None:
    values = np.ones((20, 5))
    values[:, 3:] = 0.5
    values[:, 4] = 0.0
    assert title(saturation_scatter(saturation(values), "i", 0)) == (
        "Input gate i: 3 of 5 units are nearly always open, 1 shut"
    )


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(("cell", "gate"), [("lstm", "f"), ("gru", "z")])
def test_the_highway_falls_as_its_gates_multiply(cell: str, gate: str, reverse: bool) -> None:
    one = layer(cell, both=reverse)
    assert one.reverse == reverse
    fig = highway(TEXT, one, 2, 3, 7, 5, (1, 10))
    left = surviving(one.gates[gate], 3, 7, reverse)[:, 2]
    np.testing.assert_allclose(fig.data[-1].y, left, rtol=1e-6)
    assert list(fig.data[-1].x) == [4, 5, 6, 7, 8]
    end, come = (3, 7) if reverse else (7, 3)
    assert f"after {along.name(TEXT, come)}" in title(fig)
    assert f"is left at {along.name(TEXT, end)}" in title(fig)
    assert title(fig) in highway_alt(TEXT, one, 2, 3, 7, 5, (1, 10))


def test_an_rnn_has_no_highway() -> None:
    with pytest.raises(InputError, match="computes its whole state anew"):
        highway(TEXT, layer("rnn"), 0, 0, 3, 0, (0, 5))


def test_scales_are_rounded_upward() -> None:
    assert [along.rounded_up(x) for x in (0.0, 0.98, 0.981, 1.0, 3.42, 120.5)] == [1.0, 0.98, 0.99, 1.0, 3.5, 130.0]
    assert [along.signed(x) for x in (-0.001, -0.5, 0.25, 12345.0)] == ["0.00", "−0.50", "0.25", "1.2e+04"]

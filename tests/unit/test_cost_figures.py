"""The figures of costs, weights and eigenvalues show the numbers they are given."""

from __future__ import annotations

import base64
import json

import numpy as np
import plotly.graph_objects as go
import pytest

from rnn.config import ModelConfig
from rnn.cost import costs, log_spaced
from rnn.errors import ConfigError
from rnn.figures import theme
from rnn.figures.cost import any_length, any_length_alt, duration, growth, growth_alt, size, spelled
from rnn.figures.weights import (
    EXACT,
    LEVELS,
    MOST,
    colour_of,
    eigenvalue_plane,
    eigenvalue_plane_alt,
    quantised,
    weight_map,
    weight_map_alt,
)
from rnn.lengths import LengthRun
from rnn.spectrum import Spectrum

COSTS = costs(ModelConfig("lstm", 128, 2), 65, log_spaced(5000, 40))
RUNS = [
    LengthRun(T, 0.1 * T, np.linspace(1, 2, T), np.linspace(2, 3, T), 11.3) for T in (5, 5000)
]  # fmt: skip


def rotation(radius: float, name: str = "W_hh") -> Spectrum:
    return Spectrum(name, radius * np.exp(1j * np.linspace(0, 6, 12)))


def figures(dark: bool) -> list[go.Figure]:
    matrix = np.random.default_rng(0).normal(size=(40, 40))
    return [
        growth(COSTS, dark), any_length(RUNS, 240_321, dark), weight_map(matrix, "W_hh", dark=dark),
        weight_map(matrix[:4, :3], "W_hy", rows="he<o", dark=dark),
        eigenvalue_plane(rotation(1.3), rotation(0.6), dark=dark),
        eigenvalue_plane(rotation(0.9, "W_hf"), is_trained=False, dark=dark),
    ]  # fmt: skip


@pytest.mark.parametrize("dark", [False, True])
def test_the_figures_are_ones_that_plotly_accepts(dark: bool) -> None:
    for fig in figures(dark):
        go.Figure(fig.to_dict())  # here with Plotly's checks
        assert fig.layout.height


def title(fig: go.Figure) -> str:
    return str(fig.layout.title.text).replace("<br>", " ").replace("<sub>", "_").replace("</sub>", "")


# Against T


def test_growth_shows_one_flat_line_and_two_that_rise() -> None:
    parameters, products, memory = growth(COSTS).data
    assert set(parameters.y) == {240_321}
    for line in (products, memory):
        assert line.y[-1] == 5000 * line.y[0]
    assert list(parameters.x) == COSTS.steps.tolist()
    assert title(growth(COSTS)) == "240,321 parameters at any T; 5,000 times the work at T = 5,000"


def test_growth_is_told_in_words() -> None:
    told = growth_alt(COSTS)
    assert "Parameters: 240,321 at T = 1, 240,321 at T = 5,000." in told
    assert spelled(float(COSTS.multiplications[-1])) in told


def test_all_lines_lie_within_their_axes() -> None:
    fig = growth(COSTS)
    for line in fig.data:
        low, high = fig.layout[line.yaxis.replace("y", "yaxis")].range
        assert low < np.log10(min(line.y)) <= np.log10(max(line.y)) < high


@pytest.mark.parametrize(
    ("number", "words"), [(240_321, "240,321"), (1.23e6, "1.2 million"), (9.89e8, "989 million"), (2e13, "20 trillion")]
)
def test_large_numbers_are_spelled(number: float, words: str) -> None:
    assert spelled(number) == words


def test_sizes_and_durations_have_units() -> None:
    assert [size(n) for n in (172, 6200, 31e6, 2e9)] == ["172 bytes", "6.2 kB", "31 MB", "2.0 GB"]
    assert [duration(s) for s in (0.00021, 0.036, 1.72, 34)] == ["0.21 ms", "36 ms", "1.7 s", "34 s"]


def test_a_run_of_any_length_shows_both_and_few_points() -> None:
    fig = any_length(RUNS, 240_321)
    line, dots, cells, _ = fig.data
    assert list(dots.y) == RUNS[0].norms.round(5).tolist()
    assert (line.x[0], line.x[-1]) == (1, 5000)
    assert len(line.x) <= 400
    assert line.y[-1] == 2
    assert cells.y[-1] == 3
    assert "240,321 parameters read 5 steps and 5,000" in title(fig)
    assert "Over 5,000 steps" in any_length_alt(RUNS, 240_321)


def test_a_state_that_explodes_has_a_logarithmic_axis() -> None:
    grown = [LengthRun(T, 0.1, np.geomspace(1, 1e20, T), None, None) for T in (5, 50)]
    assert any_length(grown, 9).layout.yaxis.type == "log"
    assert any_length(RUNS, 9).layout.yaxis.type is None


# Weights


def test_a_small_matrix_keeps_its_numbers_and_writes_them() -> None:
    matrix = np.array([[0.5, -1.5], [0.0, 1.0]])
    (heat,) = weight_map(matrix, "W_xh", columns="ab").data
    np.testing.assert_array_equal(heat.z, matrix.astype(np.float32))
    assert (heat.zmin, heat.zmid, heat.zmax) == (-1.5, 0, 1.5)
    assert heat.texttemplate
    assert list(heat.x) == ["a", "b"]


def test_a_large_matrix_is_cut_and_sent_in_bytes() -> None:
    matrix = np.random.default_rng(0).normal(size=(512, 200))
    fig = weight_map(matrix, "W_hh")
    (heat,) = fig.data
    assert heat.z.dtype == np.int8
    assert heat.z.shape == (MOST, MOST)
    assert heat.z.size > EXACT
    full = np.abs(matrix[:MOST, :MOST]).max()
    np.testing.assert_allclose(heat.z / LEVELS * full, matrix[:MOST, :MOST], atol=full / LEVELS / 2 + 1e-9)
    assert "the first 128 × 128 of 512 × 200" in title(fig)
    sent = json.loads(fig.to_json())["data"][0]["z"]
    assert len(base64.b64decode(sent["bdata"])) == MOST * MOST
    assert len(fig.to_json()) < 40_000


def test_two_maps_can_share_their_scale() -> None:
    (heat,) = weight_map(np.full((2, 2), 0.5), "W_hh", largest=2.0).data
    assert heat.zmax == 2


def test_zero_is_the_background_and_the_signs_differ_in_lightness() -> None:
    for dark in (False, True):
        (heat,) = weight_map(np.eye(2), "W_hh", dark=dark).data
        (_, negative), (_, zero), (_, positive) = heat.colorscale
        assert zero == theme.ink(dark).background
        assert positive == theme.HIDDEN
        seen = [theme.luminance(theme.channels(colour)) for colour in (negative, positive)]
        assert abs(seen[0] - seen[1]) > 0.05


def test_levels_are_symmetric() -> None:
    values = np.linspace(-1, 1, 51)
    np.testing.assert_array_equal(quantised(values, 1.0), -quantised(-values, 1.0))
    assert quantised(np.array([5.0, -5.0]), 1.0).tolist() == [LEVELS, -LEVELS]


def test_matrices_have_the_colours_of_what_they_meet() -> None:
    assert [colour_of(name) for name in ("W_xh", "W_xi", "E", "W_hh", "W_hf", "W_hy")] == [
        theme.INPUT, theme.INPUT, theme.INPUT, theme.HIDDEN, theme.HIDDEN, theme.OUTPUT,
    ]  # fmt: skip


def test_characters_that_look_alike_do_not_share_a_column() -> None:
    (heat,) = weight_map(np.eye(2), "W_xh", columns=[" ", "␣"]).data
    assert heat.x is None


def test_exploded_weights_are_refused_and_told() -> None:
    with pytest.raises(ConfigError, match="exploded"):
        weight_map(np.array([[np.nan]]), "W_hh")


def test_a_map_is_told_in_words() -> None:
    told = weight_map_alt(np.array([[1.0, -0.5]]), "W_hh", "after training")
    assert "from -0.50 to 1.00" in told
    assert "50% are positive" in told


# Eigenvalues


def test_the_radius_is_in_the_title_and_the_circle_has_radius_1() -> None:
    fig = eigenvalue_plane(rotation(1.3), rotation(0.6))
    assert title(fig) == "W_hh: spectral radius 1.30 outside the circle, 0.60 before"
    (circle,) = fig.layout.shapes
    assert (circle.x0, circle.x1, circle.y0, circle.y1) == (-1, 1, -1, 1)
    assert [trace.name for trace in fig.data] == ["trained", "before"]
    assert fig.layout.xaxis.range[1] > 1.3
    assert fig.layout.yaxis.scaleanchor == "x"


def test_the_eigenvalues_are_told_in_words() -> None:
    told = eigenvalue_plane_alt(rotation(0.9, "W_hf"), is_trained=False)
    assert told == (
        "W_hf, forget gate: spectral radius 0.90 inside the circle, untrained. "
        "0 of 12 eigenvalues lie outside the unit circle; they are 0.90 to 0.90 from 0."
    )

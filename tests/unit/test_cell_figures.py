"""The cell's figures show what the cell computed: its gates, its vectors, its sums, its equations."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from rnn.config import CELLS, NONLINEARITIES, ModelConfig
from rnn.errors import ConfigError
from rnn.figures import theme
from rnn.figures.cell import CellStep, cell_diagram, cell_diagram_alt, number, size
from rnn.figures.equations import equations
from rnn.figures.gates import UNITS, gate_vectors, gate_vectors_alt
from rnn.figures.nonlinearity import FUNCTIONS, WIDEST, nonlinearity, nonlinearity_alt

LETTERS = {"rnn": (), "gru": ("r", "z", "n"), "lstm": ("i", "f", "g", "o")}


def new_step(cell: str = "lstm", H: int = 5, **settings: Any) -> CellStep:
    """With values that differ from each other everywhere."""
    rng = np.random.default_rng(0)
    sums = {name: rng.normal(size=H) * 2 for name in (LETTERS[cell] or ("h",))}
    squashed = {name: np.tanh(a) if name in "ngh" else 1 / (1 + np.exp(-a)) for name, a in sums.items()}
    vectors = {"h_before": rng.uniform(-1, 1, H), **squashed, "h": squashed.get("h", rng.uniform(-1, 1, H))}
    if cell == "lstm":
        vectors |= {"c_before": rng.normal(size=H) * 2, "c": rng.normal(size=H) * 2}
    given = {"context": "hell", "character": "o", "layer": 0, **settings}
    return CellStep(cell=cell, nonlinearity="tanh", x=rng.random(4), vectors=vectors, sums=sums, **given)


def texts(fig: go.Figure) -> list[str]:
    return [text for trace in fig.data if trace.text is not None for text in trace.text]


def words(fig: go.Figure) -> str:
    return " | ".join(str(text) for trace in fig.data if trace.customdata is not None for text in trace.customdata)


def opacity(shape: Any) -> float:
    return float(re.fullmatch(r"rgba\(.*, ([\d.]+)\)", shape.fillcolor)[1])  # type: ignore[index]


# The diagram


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_every_gate_and_state_stands_in_the_diagram_with_its_mean(cell: str, dark: bool) -> None:
    step = new_step(cell)
    fig = cell_diagram(step, dark)
    go.Figure(fig.to_dict())  # what Plotly checks
    shown = texts(fig)
    names = [name for name in step.vectors if cell != "rnn" or name in ("h", "h_before")]
    for name in names:
        assert number(size(step, name)) in shown
    assert "“o”" in shown
    for gate in step.gates:
        assert f"<b>{gate}</b> = {'tanh' if gate in 'ng' else 'σ'}" in shown


def test_the_larger_a_gate_the_darker_its_box() -> None:
    step = new_step()
    open_, shut = np.full(5, 0.9), np.full(5, 0.1)
    for name in "ifo":
        wide = cell_diagram(CellStep(**{**vars(step), "vectors": {**step.vectors, name: open_}}))
        narrow = cell_diagram(CellStep(**{**vars(step), "vectors": {**step.vectors, name: shut}}))
        pairs = [(a, b) for a, b in zip(wide.layout.shapes, narrow.layout.shapes, strict=True) if a != b]
        assert [opacity(a) > opacity(b) for a, b in pairs] == [True]


@pytest.mark.parametrize("cell", CELLS)
def test_boxes_of_the_diagram_do_not_overlap_and_stay_inside(cell: str) -> None:
    fig = cell_diagram(new_step(cell))
    boxes = [s for s in fig.layout.shapes if s.type == "rect"]
    (left, right), (bottom, top) = fig.layout.xaxis.range, fig.layout.yaxis.range
    for i, a in enumerate(boxes):
        assert left <= a.x0 < a.x1 <= right
        assert bottom <= a.y0 < a.y1 <= top
        for b in boxes[:i]:
            assert a.x1 <= b.x0 or b.x1 <= a.x0 or a.y1 <= b.y0 or b.y1 <= a.y0


@pytest.mark.parametrize("cell", CELLS)
def test_the_pointer_finds_the_first_values_of_every_vector(cell: str) -> None:
    step = new_step(cell, H=9)
    found = words(cell_diagram(step)).replace("−", "-")
    for values in step.vectors.values():
        assert ", ".join(f"{v:.3f}" for v in values[:6]) in found
    assert "(9 in all)" in found


def test_text_on_a_box_can_be_read_in_both_themes() -> None:
    for dark in (False, True):
        fig, ink = cell_diagram(new_step(), dark), theme.ink(dark)
        boxes = {(round((s.x0 + s.x1) / 2, 3), s.y0, s.y1): s for s in fig.layout.shapes if s.type == "rect"}
        labels = fig.data[1]
        for x, y, colour in zip(labels.x, labels.y, labels.textfont.color, strict=True):
            below = [s for (cx, y0, y1), s in boxes.items() if abs(cx - x) < 1e-3 and y0 < y < y1]
            if not below or not below[0].fillcolor.startswith("rgba"):
                continue
            *rgb, a = (float(part) for part in below[0].fillcolor[5:-1].split(","))
            laid = [a * c + (1 - a) * b for c, b in zip(rgb, theme.channels(ink.background), strict=True)]
            light, deep = sorted((theme.luminance(laid), theme.luminance(theme.channels(colour))), reverse=True)
            assert (light + 0.05) / (deep + 0.05) >= 4.5


def test_the_title_says_what_is_read_after_what() -> None:
    title = cell_diagram(new_step(context="The\n", layer=1)).layout.title.text
    assert title.startswith("LSTM layer 2 reads “o” after “The⏎”:")
    assert "at its first step" in cell_diagram(new_step(context="")).layout.title.text
    assert "after “…ijklmnopqr”" in cell_diagram(new_step(context="abcdefghijklmnopqr")).layout.title.text
    assert "&lt;b&gt;" in cell_diagram(new_step(context="<b>")).layout.title.text
    step = new_step()
    assert f"f keeps {step.vectors['f'].mean():.0%} of c" in cell_diagram(step).layout.title.text


def test_a_higher_layer_reads_the_state_below_and_no_character() -> None:
    step = new_step(layer=1)
    assert "“o”" not in texts(cell_diagram(step))
    assert "h of layer 1" in words(cell_diagram(step))


def test_a_cell_without_biases_shows_none() -> None:
    assert "b<sub>h</sub>" in texts(cell_diagram(new_step("rnn")))
    assert "b<sub>h</sub>" not in texts(cell_diagram(new_step("rnn", has_bias=False)))
    assert "b<sub>hn</sub>" in words(cell_diagram(new_step("gru")))
    assert "b<sub>hn</sub>" not in words(cell_diagram(new_step("gru", has_bias=False)))


def test_large_states_of_relu_have_short_numbers() -> None:
    assert [number(v) for v in (0.126, 9.994, 12.34, 1e30)] == ["0.13", "9.99", "12.3", "1e30"]
    step = new_step("rnn")
    grown = CellStep(**{**vars(step), "vectors": {name: v * 1e30 for name, v in step.vectors.items()}})
    assert max(len(text) for text in texts(cell_diagram(grown)) if "<" not in text) <= 6


@pytest.mark.parametrize("cell", CELLS)
def test_the_text_alternatives_hold_the_numbers(cell: str) -> None:
    step = new_step(cell)
    said = cell_diagram_alt(step)
    assert all(f"{name} {size(step, name):.2f}" in said for name in (*step.gates, "h"))
    vectors = gate_vectors_alt(step)
    assert all(f"{v.max():.3f}".replace("-", "−") in vectors for v in step.vectors.values())


# The vectors


@pytest.mark.parametrize("cell", CELLS)
def test_a_bar_is_as_long_as_its_value(cell: str) -> None:
    step = new_step(cell)
    fig = gate_vectors(step)
    go.Figure(fig.to_dict())
    order = [
        "h_before",
        *(["c_before"] if cell == "lstm" else []),
        *LETTERS[cell],
        *(["c"] if cell == "lstm" else []),
        "h",
    ]
    for name, bar in zip(order, fig.data, strict=True):
        values, lengths = step.vectors[name], np.array(bar.y)
        np.testing.assert_allclose(lengths / lengths[0], values / values[0], atol=0.03)
        assert np.array_equal(np.sign(lengths), np.sign(values))
        assert f"unit 2: {values[1]:.3f}".replace("-", "−") in bar.customdata[1]


def test_bars_of_one_row_do_not_reach_into_another() -> None:
    fig = gate_vectors(new_step("lstm", H=40))
    ends = [(bar.base, *(bar.base + np.array(bar.y))) for bar in fig.data]
    for upper, lower in pairwise(ends):
        assert max(lower) < min(upper)


def test_of_many_units_the_first_are_shown_and_it_is_said() -> None:
    fig = gate_vectors(new_step(H=UNITS + 7))
    assert {len(bar.x) for bar in fig.data} == {UNITS}
    assert f"First {UNITS} of {UNITS + 7} units" in fig.layout.title.text
    assert "All 3 units" in gate_vectors(new_step(H=3)).layout.title.text


def test_the_title_counts_all_units_also_those_not_shown() -> None:
    step = new_step("rnn", H=200)
    change = np.abs(step.vectors["h"] - step.vectors["h_before"]).mean()
    assert f"changes by {change:.2f} on average" in gate_vectors(step).layout.title.text
    step = new_step("gru", H=200)
    assert f"{int((step.vectors['z'] > 0.9).sum())} of 200 keep over 90%" in gate_vectors(step).layout.title.text


@pytest.mark.parametrize(
    ("largest", "said"), [(0.0312, "±0.032"), (0.99, "±0.99"), (1.0, "±1"), (14.53, "±15"), (2e30, "±2e30")]
)
def test_a_row_reaches_as_far_as_its_largest_value_and_says_it(largest: float, said: str) -> None:
    step = new_step("rnn", H=3)
    before, after = np.array([0.2, -0.5, 0.0]) * largest, np.array([-1.0, 0.1, 0.3]) * largest
    fig = gate_vectors(CellStep(**{**vars(step), "vectors": {"h_before": before, "h": after}}))
    assert all(text.endswith(said) for text in fig.layout.yaxis.ticktext)
    assert 0.9 < max(map(abs, fig.data[1].y)) / (2 * max(map(abs, fig.data[0].y))) < 1.1  # one scale for both


# The non-linearity


@pytest.mark.parametrize("name", NONLINEARITIES)
def test_the_derivative_is_that_of_finite_differences(name: str) -> None:
    function, derivative = FUNCTIONS[name]
    a = np.linspace(-5, 5, 40)  # not 0, where relu has a corner
    np.testing.assert_allclose(derivative(a), (function(a + 1e-6) - function(a - 1e-6)) / 2e-6, atol=1e-6)


@pytest.mark.parametrize("name", NONLINEARITIES)
def test_every_sum_is_marked_on_the_curve(name: str) -> None:
    sums = np.array([-1e9, -1.5, 0.25, 3.0, 1e9])
    fig = nonlinearity(name, sums)
    go.Figure(fig.to_dict())
    marks = fig.data[-1]
    assert list(marks.x) == [-WIDEST, -1.5, 0.25, 3.0, WIDEST]
    np.testing.assert_allclose(marks.y, FUNCTIONS[name][0](np.array(marks.x)), atol=1e-4)
    assert "unit 3: a = 0.250" in marks.customdata[2]
    assert name in nonlinearity_alt(name, sums)


def test_the_title_counts_the_units_that_let_no_gradient_back() -> None:
    title = nonlinearity("tanh", np.array([0.0, 0.0, 9.0, -9.0])).layout.title.text
    assert "mean slope 0.50, at most 1" in title
    assert title.endswith("2 of 4 units let less than 5% of that back")


def test_a_function_that_there_is_not_is_refused() -> None:
    with pytest.raises(ConfigError, match="one of tanh"):
        nonlinearity("softsign", np.zeros(3))


# The equations


def plain(formulas: tuple[str, ...]) -> str:
    """Without the colours."""
    return re.sub(r"\\textcolor\{#\w{6}\}\{((?:[^{}]|\{[^{}]*\})*)\}", r"\1", "\n".join(formulas))


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("cell", CELLS)
def test_sizes_are_those_of_the_parameters(cell: str, bias: bool) -> None:
    model = ModelConfig(cell, 128, bias=bias)
    written = equations(model, 65)
    assert "W_{x" in plain(written.sizes)
    assert r"\in \mathbb{R}^{128 \times 65}" in plain(written.sizes)
    assert r"\in \mathbb{R}^{128 \times 128}" in plain(written.sizes)
    rows = {"rnn": 1, "gru": 2, "lstm": 4}[cell] * 128  # of a GRU the gates r and z
    assert written.concatenated_sizes == (rf"W \in \mathbb{{R}}^{{{rows} \times {128 + 65 + bias}}}",)


@pytest.mark.parametrize("cell", CELLS)
def test_equations_without_biases_have_none(cell: str) -> None:
    for bias in (True, False):
        written = equations(ModelConfig(cell, 4, bias=bias), 3)
        everything = plain((*written.separate, *written.concatenated, *written.sizes))
        assert ("b_" in everything) == bias
        assert (r"\\ 1" in everything) == bias


@pytest.mark.parametrize(("name", "symbol"), [("tanh", r"\tanh"), ("relu", "ReLU"), ("sigmoid", r"\sigma")])
def test_the_equation_names_the_nonlinearity(name: str, symbol: str) -> None:
    written = equations(ModelConfig("rnn", 4, nonlinearity=name), 3)
    assert symbol in written.separate[0]
    assert symbol in written.concatenated[0]


def test_the_gru_is_torchs_reset_after_the_product() -> None:
    assert r"r \odot (W_{hn}\,h_{t-1} + b_{hn})" in plain(equations(ModelConfig("gru", 4), 3).separate)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_one_colour_per_symbol_and_every_brace_is_closed(cell: str, dark: bool) -> None:
    written, ink = equations(ModelConfig(cell, 4), 3, dark), theme.ink(dark)
    for formula in (*written.separate, *written.concatenated, *written.sizes, *written.concatenated_sizes):
        assert formula.count("{") == formula.count("}")
        coloured = re.findall(r"\\textcolor\{(#\w{6})\}\{([^{}]*(?:\{[^{}]*\})?)\}", formula)
        assert len(coloured) == formula.count("textcolor")
        for colour, symbol in coloured:
            kind = ink.input if symbol[0] == "x" or symbol.startswith("W_{x") else ink.hidden
            assert colour == (ink.cell_state if symbol[0] in "cg" else kind)

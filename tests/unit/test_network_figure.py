"""The drawn network and the table of a block: valid for Plotly, without overlap, with the numbers it was given."""

from __future__ import annotations

import itertools
import re
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from rnn.config import CELLS, ModelConfig
from rnn.figures import blocks, theme
from rnn.figures.network import COLOURS, Values, network, network_alt, title, values_of
from rnn.inspection import Inspection, inspect_steps
from rnn.topology import WRITERS, SequenceShape, Topology, steps_of, topology

CHARACTERS = ("h", "<", "l", "o")  # one that Plotly would read as a tag
V = len(CHARACTERS)
CASES = [
    (shape, is_folded, ModelConfig(cell, 3, layers, 0.0, embedding, "tanh", bias, both))
    for shape, is_folded, cell, (layers, embedding, bias, both) in itertools.product(
        SequenceShape, (False, True), CELLS, ((1, 0, True, False), (2, 2, False, False), (2, 0, True, True))
    )
    if not (both and shape in WRITERS)
]


def weights_of(model: ModelConfig) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    return {name: rng.normal(size=shape) for name, shape in model.parameter_shapes(V).items()}


def drawn(
    shape: SequenceShape, is_folded: bool, model: ModelConfig, T: int = 4
) -> tuple[Topology, Inspection, Values | None]:
    steps = steps_of(shape, T)
    given = [0, 1, 2, 3] * 3
    seen = inspect_steps(model, weights_of(model), steps, given[: sum(step.reads == "given" for step in steps)])
    network = topology(model, V, shape, T, is_folded)
    return network, seen, None if is_folded else values_of(network, seen, CHARACTERS)


def in_step(model: ModelConfig, T: int = 4) -> tuple[Topology, Inspection, Values]:
    network, seen, values = drawn(SequenceShape.MANY_TO_MANY, False, model, T)
    assert values is not None
    return network, seen, values


def rectangles(figure: go.Figure) -> list[Any]:
    return [s for s in figure.layout.shapes if s.type == "rect" and s.line.width]


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("dark", [False, True])
def test_plotly_accepts_every_network(case: Any, dark: bool) -> None:
    network_, _, values = drawn(*case)
    go.Figure(network(network_, values, dark).to_dict())


@pytest.mark.parametrize("case", CASES, ids=str)
def test_each_block_has_a_box_and_a_point_in_it_and_no_boxes_overlap(case: Any) -> None:
    network_, _, values = drawn(*case)
    figure = network(network_, values)
    boxes = rectangles(figure)
    assert len(boxes) == len(network_.blocks)
    for one, other in itertools.combinations(boxes, 2):
        assert one.x1 <= other.x0 or other.x1 <= one.x0 or one.y1 <= other.y0 or other.y1 <= one.y0
    points = figure.data[-1]
    at = {key: (x, y) for x, y, (key,) in zip(points.x, points.y, points.customdata, strict=True) if key}
    assert set(at) == {block.key for block in network_.blocks}
    for x, y in at.values():
        assert any(box.x0 < x < box.x1 and box.y0 < y < box.y1 for box in boxes)
    low, high = figure.layout.xaxis.range
    assert all(low <= box.x0 < box.x1 <= high and 0 <= box.y0 < box.y1 <= figure.layout.yaxis.range[1] for box in boxes)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_title_says_cell_shape_and_parameters_in_lines_for_a_phone(case: Any) -> None:
    network_, *_ = drawn(*case)
    shape, _, model = case
    first, second = title(network_)
    assert model.cell.upper() in first
    assert shape.value in second.lower()
    assert f"{model.parameter_count(V):,} parameters" in second
    assert max(len(first), len(second)) <= 44


@pytest.mark.parametrize("cell", CELLS)
def test_the_edge_names_every_matrix_with_its_shape_and_the_gates_factor(cell: str) -> None:
    network_, _, values = in_step(ModelConfig(cell, 3))
    said = " ".join(note.text for note in network(network_, values).layout.annotations)
    factor = {"rnn": "", "gru": "3·", "lstm": "4·"}[cell]
    assert f"W<sub>xh</sub><br>{factor}3 × 4" in said
    assert f"W<sub>hh</sub><br>{factor}3 × 3" in said
    assert "W<sub>hy</sub><br>4 × 3" in said


def test_only_an_lstm_has_an_arrow_in_the_cell_states_colour() -> None:
    for cell in CELLS:
        network_, _, values = in_step(ModelConfig(cell, 3))
        colours = [note.arrowcolor for note in network(network_, values).layout.annotations if note.showarrow]
        assert colours.count(theme.CELL_STATE) == (4 if cell == "lstm" else 0)


def test_bars_are_the_states_first_numbers_up_for_positive_and_down_for_negative() -> None:
    network_, seen, values = in_step(ModelConfig("rnn", 3))
    bars = next(trace for trace in network(network_, values).data if trace.mode == "lines")
    ends = np.array([y for y in bars.y if y is not None], float).reshape(4, 3, 2)
    lengths = ends[..., 1] - ends[..., 0]
    states = seen.layers[0][0].h
    assert np.allclose(lengths / np.abs(lengths).max(), states / np.abs(states).max())


def test_outputs_name_the_likeliest_character_and_its_probability() -> None:
    network_, seen, values = in_step(ModelConfig("gru", 3))
    texts = [note.text for note in network(network_, values).layout.annotations]
    for p in seen.probabilities:
        name = {"<": "&lt;"}.get(CHARACTERS[p.argmax()], CHARACTERS[p.argmax()])
        assert f"<b>{name}</b><br>{p.max():.2f}" in texts


def test_a_hover_says_shape_equation_and_first_numbers() -> None:
    network_, seen, values = in_step(ModelConfig("rnn", 3))
    points = network(network_, values).data[-1]
    words = {key: text for text, (key,) in zip(points.text, points.customdata, strict=True)}
    assert "shape (3)" in words["h2 layer 1"]
    assert (
        "h<sub>2</sub> = tanh(W<sub>xh</sub> x<sub>2</sub> + W<sub>hh</sub> h<sub>1</sub> + b)" in words["h2 layer 1"]
    )
    assert blocks.first_numbers(seen.layers[0][0].h[1]) in words["h2 layer 1"]
    assert "“&lt;”: 1 at place 2" in words["x2"]
    assert f"{seen.probabilities[1].max():.3f}" in words["y2"]
    assert any("W<sub>hh</sub></b>, shape 3 × 3" in text for text in points.text)


def test_the_summary_is_framed_in_the_colour_of_text() -> None:
    for shape in (SequenceShape.MANY_TO_ONE, SequenceShape.DELAYED):
        network_, _, values = drawn(shape, False, ModelConfig("gru", 3))
        figure = network(network_, values)
        framed = [box for box in rectangles(figure) if box.line.color == theme.LIGHT.foreground]
        assert [round((box.x0 + box.x1) / 2) for box in framed] == [4 if shape is SequenceShape.MANY_TO_ONE else 2]
        assert "summary" in [note.text for note in figure.layout.annotations]


def test_inputs_that_nobody_gave_are_dotted() -> None:
    network_, _, values = drawn(SequenceShape.ONE_TO_MANY, False, ModelConfig("rnn", 3))
    inputs = [box for box in rectangles(network(network_, values)) if box.line.color == theme.INPUT]
    assert [box.line.dash for box in sorted(inputs, key=lambda box: box.x0)] == ["solid", "dot", "dot", "dot"]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_alternative_names_every_block_and_what_is_expected(case: Any) -> None:
    network_, seen, values = drawn(*case)
    said = network_alt(network_, values)
    assert all(blocks.name(network_, block) in said for block in network_.blocks)
    if values is not None:
        assert f"with {seen.probabilities[-1].max():.2f}" in said


def test_a_network_of_twelve_steps_and_four_layers_fits_its_own_picture() -> None:
    network_, _, values = in_step(ModelConfig("lstm", 3, 4, bidirectional=True), 12)
    figure = network(network_, values)
    assert figure.layout.height < 1400
    assert len(figure.to_json()) < 400_000


# A block in words and numbers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES, ids=str)
def test_equations_balance_their_braces_and_name_the_block(case: Any) -> None:
    network_, *_ = drawn(*case)
    for block in network_.blocks:
        equations = blocks.latex(network_, block)
        for equation in equations:
            assert equation.count("{") == equation.count("}")
            assert equation.count("\\begin") == equation.count("\\end")
        letter = {"input": "x", "embedding": "e", "output": "y"}.get(block.kind, "h")
        time = "t" if network_.is_folded else str(block.column + 1)
        assert re.search(letter + r"\}?(\^\{\(\d\)\})?_\{" + time, " ".join(equations))


def test_biases_are_in_the_equations_where_the_model_has_them() -> None:
    for bias in (True, False):
        network_, *_ = in_step(ModelConfig("lstm", 3, bias=bias))
        said = " ".join(e for block in network_.blocks for e in blocks.latex(network_, block))
        assert ("b_{xh}" in said) == ("b_{hh}" in said) == ("b_y" in said) == bias


def test_the_second_direction_starts_from_the_step_after() -> None:
    network_, *_ = in_step(ModelConfig("rnn", 3, bidirectional=True))
    block = network_.block("h2 layer 1 backward")
    assert block is not None
    assert "\\overleftarrow{h}_{3}" in blocks.latex(network_, block)[0]


def test_a_table_is_darkest_at_its_largest_number_and_says_small_ones() -> None:
    rows = {"y": np.array([4.1, -2.0, 0.5]), "softmax": np.array([0.9, 0.02, 0.08])}
    figure = blocks.table(rows, ["a", "b", "c"], "Title", "character", COLOURS["output"])
    go.Figure(figure.to_dict())
    heat, written = figure.data
    assert np.allclose(heat.z[0], rows["y"] / 4.1)
    assert np.allclose(heat.z[1], rows["softmax"])
    assert list(written.text) == ["4.10", "−2.00", "0.50", "0.90", "0.02", "0.08"]
    assert list(written.y) == ["y"] * 3 + ["softmax"] * 3
    assert "y begins 4.10, −2.00, 0.50" in blocks.table_alt(rows, "Title")


def test_a_long_table_says_what_it_leaves_out() -> None:
    figure = blocks.table({"h": np.zeros(200)}, [str(i) for i in range(200)], "Title", "unit", theme.HIDDEN, dark=True)
    go.Figure(figure.to_dict())
    assert len(figure.data[0].z[0]) == blocks.MOST
    assert figure.layout.xaxis.title.text == "unit, the first 128 of 200"


@pytest.mark.parametrize(("value", "text"), [(-0.001, "0.00"), (-1.5, "−1.50"), (12345.0, "1e+04"), (0.126, "0.13")])
def test_numbers_are_short_with_a_true_minus(value: float, text: str) -> None:
    assert blocks.number(value) == text

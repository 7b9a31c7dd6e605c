"""A saved table holds the numbers of the figure that is on show, and nothing that a spreadsheet would compute."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn.figures import theme
from rnn.figures.export import BOM, plain, table, title, to_csv, to_page
from rnn.figures.loss import loss_curves
from rnn.records import StepMetrics
from rnn.tables import FORMULA


def rows(figure: go.Figure) -> list[dict[str, str]]:
    text = to_csv(figure)
    assert text.startswith(BOM)
    return list(csv.DictReader(io.StringIO(text.removeprefix(BOM), newline="")))


def drawn(*traces: dict[str, Any], **layout: Any) -> go.Figure:
    return theme.figure(traces, "A title", "steps", "loss (nats)", dark=False, **layout)


def test_a_line_is_a_row_for_each_point_under_the_names_of_the_axes() -> None:
    y = np.array([0.1, 2.5, 1e-12], np.float32)
    figure = drawn({"type": "scatter", "name": "training", "x": [1, 2, 3], "y": y})
    found = rows(figure)
    assert [row["trace"] for row in found] == ["training"] * 3
    assert [row["steps"] for row in found] == ["1", "2", "3"]
    np.testing.assert_array_equal(np.float32([row["loss (nats)"] for row in found]), y)


def test_a_broken_line_has_no_empty_rows() -> None:
    figure = drawn({"x": [1, 2, None, 4], "y": [1.0, None, None, 4.0]})
    assert [row["steps"] for row in rows(figure)] == ["1", "4"]


def test_what_has_no_x_is_counted_from_0() -> None:
    assert [row["steps"] for row in rows(drawn({"y": [5.0, 7.0]}))] == ["0", "1"]


def test_bars_have_their_base_width_text_error_and_details() -> None:
    figure = drawn(
        {
            "type": "bar", "x": [3.0, 4.0], "y": [0, 1], "base": 2.0, "width": [1, 0.5], "text": ["<b>a</b>", "b"],
            "error_y": {"type": "data", "array": [0.25, 0.5]}, "hovertext": ["one<br>two", ""],
            "customdata": [["left", 1], ["right", 2]], "marker": {"color": [0.75, 0.5]},
        },
    )  # fmt: skip
    first, second = rows(figure)
    assert list(first) == [
        "trace", "steps", "loss (nats)", "base", "width", "error", "colour", "text", "hover text", "detail 1",
        "detail 2",
    ]  # fmt: skip
    assert list(first.values()) == ["1", "3.0", "0", "2.0", "1.0", "0.25", "0.75", "a", "one two", "left", "1"]
    assert (second["width"], second["text"], second["detail 1"]) == ("0.5", "b", "right")


def test_a_heat_map_is_a_row_for_each_cell() -> None:
    z = np.arange(6, dtype=np.float64).reshape(2, 3) / 7
    figure = drawn(
        {
            "type": "heatmap", "z": z, "y": [10, 20], "text": [list("abc"), list("def")],
            "customdata": np.arange(12).reshape(2, 3, 2),
        },
        xaxis={"tickvals": [0, 2], "ticktext": ["first", "last"]},
    )  # fmt: skip
    found = rows(figure)
    assert [(row["steps"], row["loss (nats)"]) for row in found] == [(x, y) for y in ("10", "20") for x in "012"]
    np.testing.assert_array_equal([float(row["value"]) for row in found], z.ravel())
    assert "".join(row["text"] for row in found) == "abcdef"
    assert [int(row["detail 2"]) for row in found] == [1, 3, 5, 7, 9, 11]
    assert [row["steps (label)"] for row in found][:3] == ["first", "", "last"]


def test_panels_keep_their_own_axes_and_notes_come_last() -> None:
    figure = drawn(
        {"x": [1], "y": [2.0]},
        {"x": [3], "y": [4.0], "yaxis": "y2"},
        yaxis2={"title": {"text": "dL<sub>t</sub>/dh, 10<sup>3</sup>"}},
        annotations=[
            {"text": "chance &lt; 5", "x": 1, "y": 0.5, "yref": "y2"}, {"text": "beside", "xref": "paper", "x": 0.5},
        ],
    )  # fmt: skip
    above, below, note, beside = rows(figure)
    assert (above["panel"], above["loss (nats)"], above["dL_t/dh, 10^3"]) == ("1", "2.0", "")
    assert (below["panel"], below["loss (nats)"], below["dL_t/dh, 10^3"]) == ("2", "", "4.0")
    assert (note["text"], note["dL_t/dh, 10^3"]) == ("chance < 5", "0.5")
    assert (beside["text"], beside["steps"]) == ("beside", "")


def test_the_loss_figure_comes_back_number_by_number() -> None:
    metrics = [
        StepMetrics(step, 0.1, 4 / step, 1.0, 0.01, 1e3, 1.0, 1, validation_loss=None if step % 10 else 5 / step)
        for step in range(1, 41)
    ]
    figure = loss_curves(metrics)
    found = rows(figure)
    assert {"each batch", "validation"} <= {row["trace"] for row in found}
    for trace in figure.data:
        own = [float(row["loss (nats per character)"]) for row in found if row["trace"] == trace.name]
        if trace.name:
            np.testing.assert_allclose(own, np.asarray(trace.y, float))


def test_another_kind_of_trace_is_not_passed_over() -> None:
    with pytest.raises(ValueError, match="pie"):
        table(go.Figure({"data": [{"type": "pie", "values": [1]}]}))


@given(st.text(max_size=12))
def test_no_cell_of_text_begins_as_a_formula(text: str) -> None:
    figure = drawn({"x": [1], "y": [2], "text": [text], "name": text, "hovertext": [f"={text}"]})
    (row,) = csv.reader(io.StringIO(to_csv(figure).split("\r\n", 1)[1], newline=""))
    for cell in row:
        assert not cell.startswith(FORMULA) or float(cell) <= 0 or cell.startswith("+")


@pytest.mark.parametrize("formula", ["=1+2", "@SUM(A1)", "+1+2", "-1+2", "=", "-", "+"])
def test_a_formula_gets_an_apostrophe_and_a_number_none(formula: str) -> None:
    first, second = rows(drawn({"x": [1, -2], "y": [2, 3], "text": [formula, "-0.5"]}))
    assert (first["text"], second["text"], second["steps"]) == (f"'{formula}", "-0.5", "-2")


def test_words_lose_their_tags_and_keep_what_was_typed() -> None:
    assert (
        plain("W<sub>hh</sub> of “&lt;b&gt;”<br>in <b>one</b>  line &amp; a < b") == "W_hh of “<b>” in one line & a < b"
    )
    assert title(drawn({"x": [1], "y": [1]})) == "A title"


@pytest.mark.parametrize("dark", [False, True])
def test_the_page_holds_the_figure_on_its_own_background(dark: bool) -> None:
    typed = "</script><script>alert(1)</script>"
    figure = theme.figure([{"x": [1.0, 2.0], "y": [0.125, 0.5]}], "Loss", typed, "y", dark)
    page = to_page(figure, typed)
    assert page.count("</script>") == page.count("<script") == 3
    assert theme.ink(dark).background in page
    assert '<html lang="en">' in page
    assert 'integrity="sha256-' in page
    data = page[page.index("Plotly.newPlot(") :]
    data = data[data.index("[{") :]
    assert json.JSONDecoder().raw_decode(data)[0][0]["y"] == [0.125, 0.5]

"""The unrolled graph shows the numbers of the trace and of the gradient, legibly at every number of columns."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from rnn.config import CELLS, ModelConfig
from rnn.figures.contributions import contribution_bars, contribution_bars_alt
from rnn.figures.graph import LEAST, MOST, NAMES, Stretch, graph, graph_alt, matrices
from rnn.figures.strokes import signed
from rnn.gradients.contributions import Contributions, contributions
from rnn.models import CharRNN
from rnn.trace import trace
from rnn.vocabulary import Vocabulary

TEXT = "a cab <b>&bead</b> " * 4
VOCABULARY = Vocabulary.from_text(TEXT)
V = len(VOCABULARY)


def stretch_of(
    cell: str = "gru", steps: int = 6, start: int = 3, layers: int = 1, both: bool = False, **settings: Any
) -> Stretch:
    config = ModelConfig(cell, 7, layers, bidirectional=both)
    weights = {name: 3 * tensor.numpy() for name, tensor in CharRNN(config, V, seed=1).state_dict().items()}
    current = settings.pop("current", start + 1)
    predicts = settings.pop("predicts", not both)
    return Stretch(
        trace(config, weights, VOCABULARY, TEXT), config, cell.upper(), start, steps, current, predicts=predicts,
        **settings,
    )  # fmt: skip


def flow_of(stretch: Stretch) -> Contributions:
    model = stretch.model
    weights = {name: 3 * tensor.numpy() for name, tensor in CharRNN(model, V, seed=1).state_dict().items()}
    read = stretch.trace.indices[stretch.start : stretch.start + len(stretch.shown) + 1]
    state = [
        (one.h_before[stretch.start],)
        if one.c_before is None
        else (one.h_before[stretch.start], one.c_before[stretch.start])
        for (one,) in stretch.trace.layers
    ]
    return contributions(model, weights, read[:-1], read[1:], state)


def written(fig: go.Figure) -> list[str]:
    """Everything that is written or said at the pointer."""
    found = [note.text for note in fig.layout.annotations or ()]
    for data in fig.data:
        for field in (data.text, data.customdata, data.hovertext):
            if field is not None:
                found += [str(each) for each in (field if not isinstance(field, str) else [field])]
    return found


SHAPES = [
    stretch_of(cell, steps, layers=layers, both=both)
    for cell in CELLS
    for steps, layers, both in ((1, 1, False), (6, 1, False), (MOST, 1, False), (5, 3, False), (9, 2, True))
]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("stretch", SHAPES, ids=lambda s: f"{s.name} {len(s.shown)} {s.model.num_layers}")
def test_the_figure_is_one_that_plotly_accepts_and_small(stretch: Stretch, dark: bool) -> None:
    for flow in (None, flow_of(stretch)) if stretch.predicts else (None,):
        drawn = graph(stretch, flow, dark)
        go.Figure(drawn.to_dict())  # here with Plotly's checks
        assert len(drawn.to_json()) < 1_000_000
        assert len(drawn.layout.title.text.split("<br>")) == 2
        assert graph_alt(stretch, flow)


@pytest.mark.parametrize("stretch", SHAPES, ids=lambda s: f"{s.name} {len(s.shown)} {s.model.num_layers}")
def test_no_two_texts_of_a_column_overlap(stretch: Stretch) -> None:
    fig = graph(stretch)
    column = (fig.layout.xaxis.range[1] - fig.layout.xaxis.range[0]) / stretch.width  # of a pixel
    places = [
        (float(x) / column, float(y), str(text))
        for data in fig.data
        if data.type == "scatter" and data.text is not None and "text" in (data.mode or "")
        for x, y, text in zip(data.x, data.y, data.text, strict=True)
    ]
    assert len(places) >= len(stretch.shown)
    for (x0, y0, a), (x1, y1, b) in combinations(places, 2):
        assert abs(x0 - x1) > 6 or abs(y0 - y1) >= 9, (a, b)


@pytest.mark.parametrize("cell", CELLS)
def test_a_roomy_column_has_its_characters_states_guesses_and_loss(cell: str) -> None:
    stretch = stretch_of(cell)
    said, inside = written(graph(stretch)), stretch.trace
    for t in stretch.shown:
        for unit in stretch.units:
            assert signed(float(inside.states[t, unit])) in said
        for i in stretch.guesses(t):
            assert f"{inside.probabilities[t, i]:.2f}" in said
        assert f"{inside.losses[t]:.2f}" in said


@pytest.mark.parametrize("steps", [6, MOST])
def test_every_state_that_is_shown_can_be_pointed_at(steps: int) -> None:
    stretch = stretch_of("lstm", steps)
    said = " | ".join(written(graph(stretch)))
    for t in stretch.shown:
        for unit in stretch.units:
            assert f"{stretch.trace.states[t, unit]:.4f}" in said or f"{stretch.trace.states[t, unit]:.5f}" in said


def test_a_matrix_that_is_lit_is_named_with_its_size_and_stands_out_on_all_its_arrows() -> None:
    stretch = stretch_of("rnn")
    for matrix in matrices(stretch.model, V):
        lit = graph(replace(stretch, lit=matrix.key))
        assert matrix.words in lit.layout.title.text
        assert "the same matrix at every step" in matrix.words
        assert f"{matrix.shape[0]:,} × {matrix.shape[1]:,}" in graph_alt(replace(stretch, lit=matrix.key))
        assert lit.to_json() != graph(stretch).to_json()


def test_all_shared_matrices_are_there_once() -> None:
    model = ModelConfig("gru", 7, 2, bidirectional=True)
    keys = [m.key for m in matrices(model, V)]
    assert len(keys) == len(set(keys)) == 2 * 2 * 2 + 1
    assert {m.shape for m in matrices(model, V)} == {(21, V), (21, 7), (21, 14), (V, 14)}


def test_the_stretch_ends_where_the_text_ends_and_nothing_came_after_its_last_character() -> None:
    stretch = stretch_of("rnn", 10, start=len(TEXT) - 3)
    assert list(stretch.shown) == [len(TEXT) - 3, len(TEXT) - 2, len(TEXT) - 1]
    assert [stretch.target(t) is None for t in stretch.shown] == [False, False, True]
    assert graph(stretch).layout.title.text


def test_more_columns_take_more_width_and_numbers_are_written_while_there_is_room() -> None:
    widths = [stretch_of("rnn", steps, start=0).width for steps in range(LEAST, MOST + 1)]
    assert max(widths) < 1000  # the page is no wider
    assert min(widths) > NAMES
    assert stretch_of("rnn", 12).is_roomy
    assert not stretch_of("rnn", 13).is_roomy


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("layers", [1, 2])
def test_backward_the_title_has_the_total_loss_and_the_bars_the_norms(cell: str, layers: int) -> None:
    stretch = stretch_of(cell, layers=layers)
    flow = flow_of(stretch)
    fig = graph(stretch, flow)
    assert f"{flow.total:.2f} nats" in fig.layout.title.text
    assert flow.total == pytest.approx(stretch.trace.losses[stretch.start : stretch.start + 6].sum(), rel=1e-4)
    bars = contribution_bars(flow, stretch.start, stretch.current, len(stretch.shown))
    go.Figure(bars.to_dict())  # here with Plotly's checks
    heights = [list(data.y) for data in bars.data if data.type == "bar"]
    assert len(heights) == len(flow.matrices)
    for matrix in flow.matrices:
        assert any(np.allclose(y, matrix.norms, rtol=1e-2) for y in heights)
    assert "sum" in contribution_bars_alt(flow, TEXT[3:9], stretch.start)


def test_markup_in_a_text_is_shown_letter_by_letter() -> None:
    stretch = stretch_of("rnn", 12, start=5)
    labels = " ".join(written(graph(stretch)))
    assert "&lt;" in labels
    assert not re.search(r"<b>&bead", labels)

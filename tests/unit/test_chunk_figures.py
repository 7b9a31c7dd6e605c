"""Chunks, batch and growth are drawn with the numbers that were measured, legibly."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import plotly.graph_objects as go
import pytest

from rnn.config import CELLS, ModelConfig
from rnn.figures.chunks import batch_columns, batch_layout, batch_layout_alt, chunks, chunks_alt, growth, growth_alt
from rnn.gradients.chunks import ChunkStep, chunk_steps, growing
from rnn.models import CharRNN
from rnn.stepwise import to_the_end

V, K = 6, 5
TEXT = "a<b>&\ncab de" * 5


def weights_of(config: ModelConfig) -> dict[str, np.ndarray]:
    return {name: 2 * tensor.numpy() for name, tensor in CharRNN(config, V, seed=1).state_dict().items()}


def steps_of(cell: str, count: int = 4, k: int = K) -> tuple[ChunkStep, ...]:
    config = ModelConfig(cell, 4)
    indices = np.random.default_rng(0).integers(V, size=count * k + 1)
    return to_the_end(chunk_steps(config, weights_of(config), indices, k))


def written(fig: go.Figure) -> list[str]:
    return [str(text) for data in fig.data if data.text is not None for text in data.text]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_every_phase_of_every_chunk_is_drawn_with_its_numbers(cell: str, dark: bool) -> None:
    steps = steps_of(cell)
    text = TEXT[: steps[-1].end]
    for done in range(1, 3 * len(steps) + 1):
        fig = chunks(text, steps, done, dark)
        go.Figure(fig.to_dict())  # here with Plotly's checks
        labels = " ".join(written(fig))
        for number, one in enumerate(steps):
            assert (f"loss {one.loss:.2f}" in labels) >= (done > 3 * number)
            assert (f"{one.gradient:.2g}" in labels) >= (done > 3 * number + 1)
            assert (f"{one.update:.2%}" in labels) >= (done > 3 * number + 2)
        assert chunks_alt(text, steps, done)


def test_forward_arrows_cross_the_border_and_backward_ones_stop_at_the_wall() -> None:
    steps = steps_of("gru")
    fig = chunks(TEXT[: steps[-1].end], steps, 3 * len(steps))
    forward = sorted((a.ax, a.x) for a in fig.layout.annotations if a.ax < a.x)
    backward = sorted((a.x, a.ax) for a in fig.layout.annotations if a.ax > a.x)
    assert len(forward) == len(backward) == len(steps)
    for (_, head), one in zip(forward[:-1], steps[:-1], strict=True):
        assert head > one.end + 0.5  # beyond the wall
    for (head, tail), one in zip(backward, steps, strict=True):
        assert one.begin + 0.5 < head < tail < one.end + 0.5
    walls = [s for s in fig.layout.shapes if s.type == "line"]
    assert [w.x0 for w in walls] == [one.begin + 0.5 for one in steps[1:]]


def test_bars_are_as_tall_as_the_gradient_at_each_step() -> None:
    steps = steps_of("lstm", count=2)
    fig = chunks(TEXT[: steps[-1].end], steps, 5)
    tall = [s.y1 - s.y0 for s in fig.layout.shapes if s.type == "rect" and s.y0 == 118]
    norms = np.concatenate([one.arriving for one in steps])
    assert len(tall) == len(norms)
    np.testing.assert_allclose(tall, np.maximum(1.0, 52 * norms / norms.max()), rtol=1e-6)


@pytest.mark.parametrize("B", [1, 2, 6])
@pytest.mark.parametrize("step", [0, 2])
def test_the_cells_of_one_gradient_step_are_one_chunk_of_each_stream(B: int, step: int) -> None:
    streams = [TEXT[9 * b : 9 * b + 9] for b in range(B)]
    fig = batch_layout(streams, 4, step)
    go.Figure(fig.to_dict())
    lit = [list(np.flatnonzero(np.asarray(row) == 1.0)) for row in fig.data[0].z]
    assert lit == [list(range(4 * step, min(9, 4 * step + 4)))] * B
    assert f"{B * len(lit[0])} characters" in fig.layout.title.text
    assert "&lt;" in " ".join(written(fig)) or "<" not in "".join(streams)
    assert f"stream {B}" in batch_layout_alt(streams, 4, step)


@pytest.mark.parametrize("dark", [False, True])
def test_the_growing_graph_stands_beside_the_cut_one(dark: bool) -> None:
    config = ModelConfig("rnn", 4)
    indices = np.random.default_rng(0).integers(V, size=21)
    cut, grown = (to_the_end(growing(config, weights_of(config), indices, 5, detach)) for detach in (True, False))
    fig = growth(cut, grown, dark)
    go.Figure(fig.to_dict())
    assert len(fig.data) == 6
    assert list(fig.data[0].y) == [one.nodes for one in grown]
    assert list(fig.data[1].y) == [one.nodes for one in cut]
    assert "times as much" in fig.layout.title.text
    tops = sorted(note.y for note in fig.layout.annotations)
    assert all(b - a > 0.2 for a, b in pairwise(tops))
    assert f"{grown[-1].nodes:,} operations" in growth_alt(cut, grown)


@pytest.mark.parametrize("k", [1, 4, 7, 16, 50])
def test_long_streams_show_whole_chunks_around_the_step_and_every_step_once(k: int) -> None:
    n = 100
    pages = [batch_columns(n, k, step) for step in range(-(-n // k))]
    for step, columns in enumerate(pages):
        assert columns[0] % k == 0
        assert set(range(step * k, min(n, (step + 1) * k))) <= set(columns)
        assert len(columns) <= max(32, k)
    distinct = list(dict.fromkeys(pages))
    assert [t for columns in distinct for t in columns] == list(range(n))
    fig = batch_layout(["a" * n] * 2, k, len(pages) - 1)
    assert list(fig.data[0].x) == [t + 1 for t in pages[-1]]
    assert f"Gradient step {len(pages)} of {len(pages)}" in fig.layout.title.text


def test_no_border_is_named_where_there_is_none() -> None:
    steps = steps_of("rnn", count=2)
    titles = [chunks(TEXT[: steps[-1].end], steps, done).layout.title.text for done in range(1, 7)]
    assert ["wall" in title for title in titles] == [False, False, False, False, True, False]
    assert ["crosses the border" in title for title in titles] == [True, False, False, False, False, False]

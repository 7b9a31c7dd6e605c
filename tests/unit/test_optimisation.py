"""The charts of gradients and updates say what they show, in numbers that are those of the data."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import plotly.graph_objects as go
import pytest

from rnn.config import CLIPS
from rnn.figures import theme
from rnn.figures.optimisation import (
    GUIDE,
    gradient_norm,
    gradient_norm_alt,
    layer_gradients,
    layer_gradients_alt,
    share_clipped,
    spread,
    update_ratios,
    update_ratios_alt,
)
from rnn.records import LayerNorms, StepMetrics

DEEP = ("embedding", *(f"layer {n} {w}" for n in (1, 2, 3, 4) for w in ("W_xh", "W_hh")), "head W_hy")


def curve(*points: tuple[int, float, float | None]) -> list[StepMetrics]:
    return [StepMetrics(n, n / 10, 2.0, norm, 1e-3, 1.0, 1.0, n, None, clipped) for n, norm, clipped in points]


def measured(names: tuple[str, ...] = DEEP, steps: int = 3, ratio: float = 2e-3) -> list[LayerNorms]:
    return [
        LayerNorms(n, name, 0.1 * (i + 1) / n, 5.0, ratio * n / steps)
        for n in range(1, steps + 1)
        for i, name in enumerate(names)
    ]


CURVE = curve((1, 4.0, 1.0), (2, 2.0, 1.0), (3, 0.5, 0.0), (4, 0.62, 0.0))


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize(
    "draw",
    [
        *(partial(gradient_norm, data, clip, 0.7) for data in ([], CURVE[:1], CURVE) for clip in CLIPS),
        partial(gradient_norm, curve((1, 0.0, None)), "norm", 1.0),
        *(partial(draw, data) for data in ([], measured(steps=1), measured(), measured(("strange name",)))
          for draw in (layer_gradients, update_ratios)),
        partial(layer_gradients, [LayerNorms(1, "embedding", 0.0, 1.0, 0.0)]),
        partial(update_ratios, [LayerNorms(1, "embedding", 1e-30, 1.0, 1e9)]),
    ],
)  # fmt: skip
def test_every_figure_is_one_that_plotly_accepts(draw: Callable[..., go.Figure], dark: bool) -> None:
    fig = draw(dark=dark).to_dict()
    fig["layout"] = {name: value for name, value in fig["layout"].items() if value != []}  # as Plotly has it
    assert go.Figure(fig).to_dict() == fig  # here with Plotly's checks
    assert fig["layout"]["height"] == gradient_norm([], "off", 1.0).layout.height
    assert fig["layout"]["yaxis"]["type"] == "log"
    assert len(fig["layout"]["yaxis"]["tickvals"]) < 30


# The gradient's norm


def test_the_norm_stands_beside_the_limit_that_it_is_held_against() -> None:
    fig = gradient_norm(CURVE, "norm", 0.7)
    assert (list(fig.data[0].x), list(fig.data[0].y)) == ([1, 2, 3, 4], [4.0, 2.0, 0.5, 0.62])
    assert fig.data[0].line.color == theme.GRADIENT
    assert [(shape.y0, shape.y1, shape.line.dash) for shape in fig.layout.shapes] == [(0.7, 0.7, "dash")]
    (label,) = fig.layout.annotations
    assert (label.text, 10**label.y) == ("clip at 0.7", pytest.approx(0.7))
    low, high = fig.layout.yaxis.range
    assert all(low < math.log10(y) < high for y in (*fig.data[0].y, 0.7))


@pytest.mark.parametrize("clip", ["value", "off"])
def test_a_limit_that_is_not_one_of_the_norm_is_not_drawn(clip: str) -> None:
    fig = gradient_norm(CURVE, clip, 0.7)
    assert fig.layout.shapes == fig.layout.annotations == ()


@pytest.mark.parametrize(
    ("metrics", "clip", "said"),
    [
        (CURVE, "norm", "Gradient norm 0.62; 50 % of steps clipped at 1"),
        (CURVE, "value", "Gradient norm 0.62; 50 % of steps clipped, each value at 1"),
        (curve((1, 9.0, 0.0)), "off", "Gradient norm 9; clipping is off"),
        (CURVE, "off", "Gradient norm 0.62; 50 % of steps clipped"),
        (curve((1, 9.0, None)), "norm", "Gradient norm 9"),
        (curve((1, 9.0, None), (2, 8.0, 1.0)), "norm", "Gradient norm 8; 100 % of steps clipped at 1"),
        (curve((1, 9.0, 1.0), (1000, 8.0, 0.0)), "norm", "Gradient norm 8; less than 1 % of steps clipped at 1"),
        (curve((1, 9.0, 0.0), (1000, 8.0, 1.0)), "norm", "Gradient norm 8; 99 % of steps clipped at 1"),
        (curve((1, 9.0, 0.0)), "norm", "Gradient norm 9; 0 % of steps clipped at 1"),
        ([], "norm", "No step yet"),
    ],
)
def test_the_title_says_the_last_norm_and_how_many_steps_were_clipped(
    metrics: list[StepMetrics], clip: str, said: str
) -> None:
    assert gradient_norm(metrics, clip, 1.0).layout.title.text.replace("<br>", " ") == said
    assert gradient_norm_alt(metrics, clip, 1.0).startswith(said)


def test_points_that_stand_for_more_steps_weigh_more() -> None:
    assert share_clipped(curve((8, 1.0, 0.25), (16, 1.0, 0.75), (18, 1.0, 1.0))) == (8 * 0.25 + 8 * 0.75 + 2) / 18
    assert share_clipped(curve((8, 1.0, None), (16, 1.0, 0.75))) == 0.75
    assert share_clipped([]) is share_clipped(curve((8, 1.0, None))) is None


def test_the_text_alternative_gives_the_extent() -> None:
    assert gradient_norm_alt(CURVE, "norm", 1.0).endswith(
        "Up to step 4 the norm before clipping lay between 0.5 and 4."
    )


# Layer by layer


@pytest.mark.parametrize(("draw", "field"), [(layer_gradients, "grad_norm"), (update_ratios, "update_ratio")])
def test_each_matrix_has_its_curve_from_input_to_output(draw: Callable[..., go.Figure], field: str) -> None:
    data = measured()
    fig = draw(data)
    assert [trace.name for trace in fig.data] == list(DEEP)
    for trace in fig.data:
        own = [n for n in data if n.name == trace.name]
        assert list(trace.x) == [n.step for n in own]
        assert list(trace.y) == pytest.approx([getattr(n, field) for n in own], rel=1e-3)


@pytest.mark.parametrize("dark", [False, True])
def test_curves_can_be_told_apart_without_their_hue(dark: bool) -> None:
    backward = tuple(f"layer 1 {w} backward" for w in ("W_xh", "W_hh"))
    fig = layer_gradients(measured((*DEEP, *backward)), dark)
    looks = {(trace.line.dash, trace.marker.symbol) for trace in fig.data}
    assert len(looks) == len(fig.data) == 12
    labels = [label.text for label in fig.layout.annotations]
    assert len(set(labels)) == len(labels) == 12


def test_colours_keep_their_meaning() -> None:
    colours = {trace.name: trace.line.color for trace in layer_gradients(measured()).data}
    for name, colour in colours.items():
        end = name.rpartition(" ")[2]
        expected = {"W_xh": theme.INPUT, "embedding": theme.INPUT, "W_hh": theme.HIDDEN, "W_hy": theme.OUTPUT}[end]
        assert colour == expected


def test_one_layer_needs_no_number() -> None:
    one = measured(("layer 1 W_xh", "layer 1 W_hh", "head W_hy"))
    assert {label.text for label in layer_gradients(one).layout.annotations} == {"W_xh", "W_hh", "W_hy"}
    deep = {label.text for label in layer_gradients(measured()).layout.annotations}
    assert {"W_xh 1", "W_hh 4", "W_hy", "embedding"} < deep


@pytest.mark.parametrize("draw", [layer_gradients, update_ratios])
def test_names_at_the_ends_do_not_overlap_and_lead_to_their_curves(draw: Callable[..., go.Figure]) -> None:
    fig = draw(measured())
    low, high = fig.layout.yaxis.range
    at = [216 * (label.y - low) / (high - low) - label.ay for label in fig.layout.annotations]
    assert all(b - a >= 17 - 1e-6 for a, b in pairwise(at))
    assert all(-1e-6 <= y <= 216 + 1e-6 for y in at)
    ends = {f"{trace.y[-1]:.3g}" for trace in fig.data} | {f"{GUIDE:.3g}"}
    assert {f"{10**label.y:.3g}" for label in fig.layout.annotations} <= ends
    assert {label.x for label in fig.layout.annotations} == {3}


def test_the_guide_is_drawn_and_named_on_the_ratios_alone() -> None:
    fig = update_ratios(measured())
    assert [shape.y0 for shape in fig.layout.shapes] == [GUIDE] == [1e-3]
    assert "guide 1e-3" in [label.text for label in fig.layout.annotations]
    assert layer_gradients(measured()).layout.shapes == ()


@pytest.mark.parametrize(
    ("ratio", "said"),
    [
        (1.2e-3, "Updates are 1.2e-3 of the weights: in the usual range"),
        (3.2e-4, "Updates are 3.2e-4 of the weights: in the usual range"),
        (3e-4, "Updates are 3e-4 of the weights: smaller than usual"),
        (2e-2, "Updates are 2e-2 of the weights: larger than usual"),
        (3.0, "Updates are 3e0 of the weights: larger than usual"),
    ],
)
def test_the_title_of_the_ratios_says_how_they_compare(ratio: float, said: str) -> None:
    data = measured(ratio=ratio)
    assert update_ratios(data).layout.title.text.replace("<br>", " ") == said
    assert update_ratios_alt(data).startswith(f"{said}. At step 3: embedding ")


def test_the_mean_of_the_ratios_is_that_of_their_logarithms() -> None:
    data = [LayerNorms(1, name, 1.0, 1.0, ratio) for name, ratio in (("embedding", 1e-2), ("head W_hy", 1e-4))]
    assert update_ratios_alt(data).startswith("Updates are 1e-3 of the weights: in")


def test_the_title_of_the_gradients_names_the_largest_and_the_smallest() -> None:
    said = "Largest gradient: head W_hy, 0.33, 10 times that of embedding"
    assert layer_gradients(measured()).layout.title.text.replace("<br>", " ") == said
    assert layer_gradients_alt(measured()).startswith(f"{said}. At step 3: embedding 0.033, layer 1 W_xh 0.067,")


def test_before_the_first_step_the_words_say_so() -> None:
    assert layer_gradients_alt([]) == update_ratios_alt([]) == "No step yet"


@pytest.mark.parametrize(
    ("heights", "expected"),
    [
        ([], []),
        ([50.0], [50.0]),
        ([10.0, 40.0], [10.0, 40.0]),
        ([50.0, 50.0], [45.0, 55.0]),
        ([0.0, 0.0, 0.0], [0.0, 10.0, 20.0]),
        ([99.0, 100.0], [90.0, 100.0]),
        ([20.0, 22.0, 80.0], [16.0, 26.0, 80.0]),
    ],
)
def test_labels_are_moved_apart_as_little_as_it_takes(heights: list[float], expected: Any) -> None:
    assert spread(heights, 10, 100) == pytest.approx(expected)

"""Every figure of every page, view and part says in words what it shows now, and can be saved as a table."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import plotly.graph_objects as go
import pytest
from streamlit.testing.v1 import AppTest

from pages.parts import keys
from rnn.figures.export import to_csv
from tests.app.conftest import SAMPLE, TRAIN
from tests.unit.colours import APART, VISIONS, distance

ARCHITECTURE, UNROLL, BPTT = "1_Architecture", "4_Unroll_Visualizer", "5_Truncated_BPTT"
PARTS = {  # the controls that choose what a view shows; those of numbers are left as they are
    "arch_cost_part", "arch_hello_mode", "arch_shape", "arch_shapes_task", "arch_drawn", "unroll_graph_way",
    "unroll_states_panel", "unroll_states_order", "unroll_vector", "unroll_influence_question", "unroll_memory_part",
    "bptt_chunks_part", "bptt_gradient_part", "bptt_learning_part", "bptt_vanish_part",
}  # fmt: skip
TAG = re.compile(r"</?(b|i|br|sub|sup|span)\b")


def shown(app: AppTest) -> Iterator[tuple[str, dict[str, Any], str]]:
    """What tells the figures on the page apart, their spec, and what they say."""
    assert not app.exception
    for chart in app.get("plotly_chart"):
        yield chart.proto.id.split("-")[-1], json.loads(chart.proto.spec), chart.proto.alt


def walk(app: AppTest, view_key: str) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Every figure of every view of the page, in every part of the view."""
    for view in app.segmented_control(key=view_key).options:
        app.segmented_control(key=view_key).set_value(view).run()
        yield from shown(app)
        for key in [control.key for control in app.segmented_control if control.key in PARTS]:
            options = list(app.segmented_control(key=key).options)
            for option in [option for option in options if option != app.segmented_control(key=key).value]:
                app.segmented_control(key=key).set_value(option).run()
                yield from shown(app)
            app.segmented_control(key=key).set_value(options[0]).run()


def numbers(spec: Any) -> set[str]:
    """Numbers that are in a figure, as they may be rounded in words."""
    words = json.dumps(spec, ensure_ascii=False)
    return set(re.findall(r"\d+", words))


def check(figures: list[tuple[str, dict[str, Any], str]]) -> None:
    assert figures
    said: dict[tuple[str, str], str] = {}
    for key, spec, alt in figures:
        assert len(alt) >= 40, f"{key} says too little: {alt}"
        assert alt.strip().endswith((".", "!", "?", "”")), f"{key} breaks off: {alt}"
        assert not TAG.search(alt), f"{key} says tags: {alt}"
        assert ";." not in alt, alt
        assert not (alike := told_by_hue(spec)), f"{key}: these differ by a hue that not everybody sees: {alike}"
        found = set(re.findall(r"\d+", alt))
        assert found, f"{key} says no number: {alt}"
        assert found & numbers(spec), f"{key} says other numbers than it shows: {alt}"
        saved = list(csv.reader(io.StringIO(to_csv(go.Figure(spec, _validate=False)), newline="")))
        points = sum(len([y for y in trace["y"] if y is not None]) for trace in spec["data"] if is_list(trace.get("y")))
        assert len(saved) > max(1, points), f"{key} is saved in part"
        what = rounded([spec["data"], spec["layout"].get("title")])
        assert said.setdefault((key, alt), what) == what, f"{key} says the same of two figures: {alt}"


def told_by_hue(spec: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Traces of one panel that differ in their colour alone, where somebody may not see the difference."""
    background = spec["layout"]["paper_bgcolor"]
    looks = {look(trace) for trace in spec["data"] if isinstance(colour_of(trace), str)}
    return [
        (one, other)
        for one, other in combinations(sorted(looks, key=str), 2)
        if one[1:] == other[1:] and min(distance(one[0], other[0], v, background) for v in VISIONS) < APART
    ]


def colour_of(trace: dict[str, Any]) -> Any:
    of_line, of_mark = (trace.get(part, {}).get("color") for part in ("line", "marker"))
    return (of_line if "lines" in trace.get("mode", "lines") else None) or of_mark


def look(trace: dict[str, Any]) -> tuple[Any, ...]:
    """Its colour, and all else that tells it from others: its panel, its kind, dash and symbol."""
    line, mark = trace.get("line", {}), trace.get("marker", {})
    return (
        colour_of(trace), trace.get("xaxis", "x"), trace.get("yaxis", "y"), trace.get("type", "scatter"),
        trace.get("mode"), line.get("dash", "solid"), str(mark.get("symbol")), str(mark.get("pattern")),
        trace.get("fill"), trace.get("base") is None or str(trace.get("base")), line.get("width"),
    )  # fmt: skip


def is_list(values: Any) -> bool:
    return isinstance(values, list)


def rounded(values: Any) -> str:
    """Two figures whose numbers differ by rounding only are one."""
    return re.sub(r"\d+\.\d{5,}(e-\d+)?", lambda number: f"{float(number[0]):.3g}", json.dumps(values))


@pytest.mark.parametrize(
    ("page", "view_key"), [(ARCHITECTURE, keys.ARCH_VIEW), (UNROLL, keys.UNROLL_VIEW), (BPTT, keys.BPTT_VIEW)]
)
def test_every_figure_of_a_page_says_what_it_shows(app: AppTest, page: str, view_key: str) -> None:
    app.switch_page(f"pages/{page}.py").run(timeout=60)
    check(list(walk(app, view_key)))


def test_the_figures_of_a_text_that_is_written_say_what_they_show(app: AppTest) -> None:
    app.switch_page(SAMPLE).run()
    check(list(walk(app, keys.SAMPLE_VIEW)))


def test_the_figures_of_home_and_of_every_task_say_what_they_show(app: AppTest) -> None:
    figures = list(shown(app.run()))
    app.switch_page(TRAIN).run()
    for task in app.selectbox(key=keys.TASK).options:
        app.selectbox(key=keys.TASK).select(task).run()
        figures += shown(app)
    check(figures)

"""The figures of the view Memory: what they say is what the numbers say, and they are small."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable
from functools import partial
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from numpy.typing import NDArray

from rnn.errors import ConfigError
from rnn.figures.projection import (
    COLOURED_BY,
    LETTER,
    SIDES,
    STYLES,
    Drawn,
    character_map,
    character_map_alt,
    free_sides,
    state_path,
    state_path_alt,
)
from rnn.figures.remembering import Remembered, gain_alt, gain_curves, memory_alt, memory_curves
from rnn.projection import KINDS, kind_of, plane
from rnn.records import MemoryCurve

LENGTHS = (1, 2, 5, 20)
SHORT = MemoryCurve(LENGTHS, (3.0, 2.0, 1.505, 1.5), (0.1, 0.1, 0.1, 0.1), (0.05, 0.02, 0.003, 0.0), 500)
LONG = MemoryCurve(LENGTHS, (3.2, 2.5, 1.9, 1.3), (0.1, 0.1, 0.1, 0.1), (0.05, 0.02, 0.01, 0.0), 500)
ONE = MemoryCurve((1,), (2.0,), (0.0,), (0.0,), 1)
MODELS = [
    Remembered("RNN", "rnn", SHORT),
    Remembered("LSTM", "lstm", LONG),
    Remembered("a <b>long</b> name", "rnn", ONE),
]
COUNTED = (3.1, 2.4, 1.8)

TEXT = "It was (the [best] of) times, 1859.\n\tÉ"
STATES = np.random.default_rng(0).normal(size=(len(TEXT), 6)).astype(np.float32)
PLANE = plane(STATES)
CHARACTERS = tuple(sorted(set(TEXT)))
VECTORS = np.random.default_rng(1).normal(size=(len(CHARACTERS), 4))
ALL = Drawn(0, len(TEXT) - 1)


def title(fig: go.Figure) -> str:
    return str(fig.layout.title.text).replace("<br>", " ")


def traces(fig: go.Figure, **wanted: Any) -> list[dict[str, Any]]:
    return [t for t in fig.to_dict()["data"] if all(t.get(name) == value for name, value in wanted.items())]


def numbers(sent: dict[str, str]) -> NDArray[Any]:
    """An array as it goes to the browser."""
    return np.frombuffer(base64.b64decode(sent["bdata"]), sent["dtype"])


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize(
    "draw",
    [
        *(partial(memory_curves, MODELS, counted, unit) for unit in ("nats", "bits") for counted in ((), COUNTED)),
        *(partial(gain_curves, MODELS[:count], unit) for unit in ("nats", "bits") for count in (1, 3)),
        partial(memory_curves, MODELS[2:], ()), partial(gain_curves, MODELS[2:]),
        *(partial(state_path, PLANE, TEXT, "h", ALL, by) for by in COLOURED_BY),
        partial(state_path, PLANE, TEXT, "h", Drawn(3, 3)),
        partial(character_map, plane(VECTORS), VECTORS, CHARACTERS, "E"),
    ],
)  # fmt: skip
def test_every_figure_is_one_that_plotly_accepts(draw: Callable[..., go.Figure], dark: bool) -> None:
    fig = draw(dark=dark)
    go.Figure(fig.to_dict())  # here with Plotly's checks


def test_the_title_is_the_memory_and_the_line_the_losses_in_the_unit() -> None:
    fig = memory_curves(MODELS, COUNTED, "bits")
    assert title(fig) == "The RNN remembers about 5 characters: beyond, it gains less than 0.01 nats"
    line = traces(fig, mode="lines+markers")[-1]
    assert line["x"] == [1, 2, 5, 20]
    assert line["y"] == pytest.approx([loss / math.log(2) for loss in SHORT.losses], abs=1e-3)
    assert line["error_y"]["array"] == pytest.approx([0.1 / math.log(2)] * 4, abs=1e-3)
    assert title(memory_curves(MODELS[1:], ())) == "The LSTM remembers at least 20 characters: more were not tried"
    assert "LSTM falls from 3.20 nats with 1 character to 1.30 with 20 characters" in memory_alt(MODELS, COUNTED)
    assert "bigram 2.40" in memory_alt(MODELS, COUNTED)


def test_counters_stand_where_their_context_is() -> None:
    points = traces(memory_curves(MODELS, COUNTED), mode="markers")[0]
    assert (points["x"], points["y"]) == ([1, 2], [2.4, 1.8])
    assert [shape.y0 for shape in memory_curves(MODELS, COUNTED).layout.shapes] == list(COUNTED)


def test_gains_are_drawn_up_to_the_last_but_one_and_not_below_the_floor() -> None:
    flat = Remembered("GRU", "gru", MemoryCurve(LENGTHS, (3.0, 1.0, 1.2, 1.1), (0.1,) * 4, (0.01,) * 4, 9))
    fig = gain_curves([MODELS[0], flat])
    lines = traces(fig, mode="lines+markers")
    assert lines[1]["y"] == pytest.approx([1.5, 0.5, 0.005])
    assert lines[0]["y"] == pytest.approx([2.0, 0.001, 0.1])  # GRU: from 2 nothing is to be gained
    assert lines[0]["customdata"][1] == 0
    for line in lines:
        assert all(y - minus >= 0.001 - 1e-9 for y, minus in zip(line["y"], line["error_y"]["arrayminus"], strict=True))
    assert title(fig) == "Characters that are remembered: RNN 5, GRU 2"
    assert title(gain_curves(MODELS[1:2])).endswith("LSTM over 20")
    assert title(gain_curves([flat, *MODELS[:2], flat])).endswith("GRU 2, the others 2 to over 20")
    assert "0.005 from 5" in gain_alt(MODELS)


def test_names_of_levels_that_are_close_stand_apart() -> None:
    labels = memory_curves(MODELS[:1], (1.52, 1.51, 1.50)).layout.annotations[:3]
    places = [label.y * (430 - 124) / 1.68 + label.yshift for label in labels]  # pixels of a nat, about
    assert min(a - b for a, b in pairwise(places)) >= 17


def test_lines_differ_where_two_models_have_the_same_cell() -> None:
    for count in (2, 3):
        same = [Remembered(f"model {i}", "lstm", LONG) for i in range(count)]
        assert len({t["line"]["dash"] for t in traces(memory_curves(same, ()), mode="lines+markers")}) == count


def test_names_from_people_are_text_and_names_at_the_ends_do_not_overlap() -> None:
    fig = memory_curves([MODELS[0], *[Remembered("x<i>" * 9, "gru", SHORT)] * 3], ())
    labels = fig.layout.annotations
    assert all("<i>" not in label.text for label in labels)
    heights = sorted(label.yshift for label in labels)
    assert min(b - a for a, b in pairwise(heights)) >= 18


def test_every_step_is_drawn_once_with_what_was_read_until_then() -> None:
    fig = state_path(PLANE, TEXT, "h", ALL)
    marked = [t for t in traces(fig, mode="markers") if t.get("name") in KINDS]
    assert sum(len(numbers(t["x"])) for t in marked) == len(TEXT)
    digits = next(t for t in marked if t["name"] == "digit")
    rows = [i for i, c in enumerate(TEXT) if kind_of(c) == "digit"]
    assert np.allclose(numbers(digits["x"]), PLANE.points[rows, 0])
    assert digits["customdata"][0].startswith(f"{rows[0] + 1}: …")
    assert digits["customdata"][0].endswith("times,␣<b>1</b>")
    assert len({(STYLES[kind][0]) for kind in KINDS}) == len(KINDS)  # symbols tell them apart without colour


def test_a_part_of_the_path_keeps_its_place_on_the_plane_of_the_whole() -> None:
    part = traces(state_path(PLANE, TEXT, "h", Drawn(4, 9), "position"), mode="markers")[0]
    assert np.allclose(numbers(part["x"]), PLANE.points[4:10, 0])
    assert numbers(part["marker"]["color"]).tolist() == list(range(5, 11))
    assert "steps from 5 to 10" in state_path_alt(PLANE, TEXT, "h", Drawn(4, 9))
    with pytest.raises(ConfigError):
        state_path(PLANE, TEXT, "h", Drawn(4, len(TEXT)))


def test_the_title_says_how_much_of_the_states_is_on_the_plane() -> None:
    share = round(100 * PLANE.shares.sum())
    assert title(state_path(PLANE, TEXT, "h", ALL)).startswith(f"Two directions hold {share} % of how h varies")
    one = plane(STATES[:, :1])
    assert title(state_path(one, TEXT, "c", ALL)) == "c has 1 unit: nothing is left out of this picture"


def test_labels_that_are_shown_do_not_meet() -> None:
    points, names = np.random.default_rng(3).normal(size=(300, 2)).astype(np.float32), list(map(str, range(300)))
    sides, shift = free_sides(points, names, 1_000), {name: (dx, dy) for name, dx, dy in SIDES}
    shown = [i for i, side in enumerate(sides) if side]
    assert len(shown) > 40
    assert sum(map(bool, free_sides(points, names, 7))) == 7
    from rnn.figures.projection import HEIGHT, TWO_LINES, WIDTH

    pixels = (points - points.min(axis=0)) / np.ptp(points, axis=0) * (WIDTH, HEIGHT - TWO_LINES - 100)
    for i, j in combinations(shown, 2):
        distance = np.abs(pixels[i] + shift[sides[i]] - pixels[j] - shift[sides[j]])
        assert (distance >= np.array(LETTER) - 1e-6).any()


def test_the_same_character_is_named_once_at_a_place() -> None:
    points = np.array([[0, 0], [0.001, 0], [0.002, 0], [1, 1]], np.float32)
    assert sum(map(bool, free_sides(points, "aaaa", 9))) == 2


def test_five_thousand_steps_are_less_than_a_megabyte() -> None:
    text = ("The state of a network, after each character (of many). " * 100)[:5_000]
    found = plane(np.random.default_rng(0).normal(size=(5_000, 8)))
    for by in COLOURED_BY:
        assert len(state_path(found, text, "h", Drawn(0, 4_999), by).to_json()) < 1_000_000


def test_the_map_has_every_character_and_says_how_many_lie_with_their_kind() -> None:
    vectors = np.array([[0.0, 0.0], [0.1, 0.0], [5.0, 5.0], [5.1, 5.0]])
    fig = character_map(plane(vectors), vectors, ("a", "e", "1", "2"), "E")
    assert title(fig) == "4 of 4 lie nearest to their own kind; if the kinds were shuffled, 1 would be"
    assert sorted(t["name"] for t in traces(fig, mode="markers")) == ["digit", "vowel"]
    assert traces(fig, mode="markers+text")[0]["text"] == ["a", "e", "1", "2"]
    assert "vowel (2) around" in character_map_alt(plane(vectors), vectors, ("a", "e", "1", "2"), "E")

"""Searching a long text for a span's pattern finds what the definition finds, and the levels lose nothing of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from benchmarks.matching import plain, unpacked
from rnn.config import ModelConfig
from rnn.errors import ConfigError, InputError
from rnn.levels import WARM_UP, Levels, Scan, ScanCache, full_of, most_characters, thresholds
from rnn.matching import MOST_SPAN, Match, Pattern, is_on, next_characters, pattern_of, search
from rnn.models import CharRNN
from rnn.stepwise import in_slices, to_the_end
from rnn.trace import read_layers

V = 7


@st.composite
def searches(draw: st.DrawFn) -> dict[str, Any]:
    """States that change slowly, so that there are runs, a span of them and how it is searched for."""
    T, H = draw(st.integers(1, 40)), draw(st.integers(1, 5))
    kept = draw(arrays(bool, (T, H)))
    fresh = draw(arrays(np.float32, (T, H), elements=st.sampled_from([-1, -0.5, -0.375, -0.1, 0, 0.25, 0.26, 0.5, 1])))
    for t in range(1, T):
        fresh[t] = np.where(kept[t], fresh[t - 1], fresh[t])
    begin = draw(st.integers(0, T - 1))
    end = draw(st.integers(begin + 1, min(T, begin + 8)))
    return {
        "states": fresh, "span": (begin, end), "threshold": draw(st.sampled_from(thresholds(1.0))),
        "both_signs": draw(st.booleans()), "alone": draw(st.booleans()),
        "is_besides": draw(st.booleans()), "most": draw(st.integers(1, 5)),
    }  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(searches())
def test_the_search_finds_what_its_definition_finds(case: dict[str, Any]) -> None:
    states, span = case["states"], case["span"]
    pattern = pattern_of(states, span, case["threshold"], case["both_signs"], case["alone"])
    besides = span if case["is_besides"] else None
    expected = plain(states, pattern, besides, case["most"]) if pattern.units else ()
    assert search(Levels.of(states), pattern, besides, case["most"]) == expected


def test_matches_are_ranked_by_units_then_others_then_length_then_place() -> None:
    text = "ab.ab.abc.a.abab."
    states = np.array([[c in "ab", c in "abc", c == "a"] for c in text], np.float32)
    found = search(Levels.of(states), Pattern((0, 1), 2, 0.5))
    assert [(text[m.begin : m.end], m.units, m.others) for m in found] == [
        ("ab", 2, 0), ("ab", 2, 0), ("ab", 2, 0), ("abab", 2, 0), ("a", 2, 1),
    ]  # fmt: skip
    assert found[0].begin == 0
    assert next_characters(text, found) == {".": 4, "c": 1}
    assert next_characters("ab", [Match(0, 2, 1, 0)]) == {}


@given(
    arrays(np.float32, st.tuples(st.integers(1, 6), st.integers(1, 5)), elements=st.floats(-4, 4, width=32)),
    st.booleans(),
)
def test_a_threshold_is_told_exactly_from_sixteen_levels(states: np.ndarray, both_signs: bool) -> None:
    levels = Levels.of(states, 4.0)
    assert len(levels) == len(states)
    for threshold in levels.thresholds:
        on = np.stack([levels.on(unit, threshold, both_signs) for unit in range(states.shape[1])], axis=1)
        np.testing.assert_array_equal(on, is_on(states, threshold, both_signs))


def test_states_beyond_the_scale_have_the_outermost_levels() -> None:
    assert unpacked(Levels.of(np.array([[7.0, -7.0, 0.3]], np.float32), 2.0)).tolist() == [[1.75, -2.0, 0.25]]
    assert [full_of(np.array([[v]], np.float32)) for v in (0.2, 1, 1.01, -5, 0)] == [1, 1, 2, 8, 1]


def test_a_threshold_between_the_levels_and_a_span_outside_the_text_are_refused() -> None:
    states = np.ones((300, 2), np.float32)
    with pytest.raises(ConfigError, match="must be one of"):
        search(Levels.of(states), Pattern((0,), 1, 0.3))
    for span in ((-1, 2), (3, 3), (299, 301), (0, MOST_SPAN + 1)):
        with pytest.raises(InputError, match="A span has 1 to"):
            pattern_of(states, span, 0.25)


CONFIGS = [
    (ModelConfig("rnn", 5, 1), 0, False, "h"),
    (ModelConfig("rnn", 4, 2, nonlinearity="relu", bias=False), 1, False, "h"),
    (ModelConfig("gru", 1, 3, embedding_size=3), 1, False, "h"),
    (ModelConfig("lstm", 5, 2, embedding_size=3), 1, False, "c"),
    (ModelConfig("gru", 4, 2, bidirectional=True), 0, True, "h"),
    (ModelConfig("lstm", 3, 1, bidirectional=True), 0, False, "h"),
]


@pytest.mark.parametrize(("config", "layer", "reverse", "vector"), CONFIGS, ids=str)
@pytest.mark.parametrize("length", [1, 900, 4_321])
def test_parts_side_by_side_give_the_states_of_one_pass(
    config: ModelConfig, layer: int, reverse: bool, vector: str, length: int
) -> None:
    weights = {name: tensor.numpy() for name, tensor in CharRNN(config, V, seed=1).state_dict().items()}
    indices = np.random.default_rng(0).integers(0, V, length)
    exact = read_layers(config, weights, indices)[layer][int(reverse)]
    states = exact.c if vector == "c" else exact.h
    full = full_of(states)
    scan = Scan(config, weights, indices, layer, reverse, vector, full)
    assert scan.share == 0
    levels = to_the_end(scan.turns())
    assert scan.share == 1
    difference = unpacked(levels) - unpacked(Levels.of(states, full))
    assert len(levels) == length
    assert np.abs(difference).max() <= full / 8  # where rounding moves a state over a threshold
    assert (difference != 0).mean() < 0.001


def test_a_pass_that_was_left_goes_on_where_it_was() -> None:
    config = ModelConfig("rnn", 4)
    weights = {name: tensor.numpy() for name, tensor in CharRNN(config, V, seed=1).state_dict().items()}
    indices = np.random.default_rng(0).integers(0, V, 3 * WARM_UP)
    scan = Scan(config, weights, indices)
    turns = scan.turns()
    next(turns)
    assert 0 < scan.share < 1
    np.testing.assert_array_equal(
        to_the_end(scan.turns()).planes, to_the_end(Scan(config, weights, indices).turns()).planes
    )


def test_what_cannot_be_read_in_one_pass_is_a_sentence() -> None:
    config = ModelConfig("rnn", 2, 2, bidirectional=True)
    weights = {name: tensor.numpy() for name, tensor in CharRNN(config, V, seed=1).state_dict().items()}
    with pytest.raises(InputError, match="Choose its lowest layer"):
        Scan(config, weights, np.zeros(3, int), layer=1)
    nan = {name: w * np.nan for name, w in weights.items()}
    with pytest.raises(InputError, match="no longer finite"):
        to_the_end(Scan(config, nan, np.zeros(3, int)).turns())


def test_all_scans_together_stay_in_their_memory() -> None:
    config, scans = ModelConfig("rnn", 4), []
    weights = {name: tensor.numpy() for name, tensor in CharRNN(config, V, seed=1).state_dict().items()}
    cache = ScanCache(most_bytes=500)

    def get(key: str) -> Scan:
        def make() -> Scan:
            scans.append(key)
            return Scan(config, weights, np.zeros(100, int))

        with cache.lock:
            return cache.get(key, 200, make)

    assert get("a") is get("a")
    get("b"), get("a"), get("c")
    assert cache.nbytes == 400
    get("a"), get("b")
    assert scans == ["a", "b", "c", "b"]


@pytest.mark.parametrize("hidden_size", [1, 128, 1024])
def test_the_longest_text_fits_the_memory(hidden_size: int) -> None:
    length = most_characters(hidden_size)
    part = -(-length // 256)
    assert (hidden_size + 1) // 2 * part * 256 <= 64 * 2**20


def test_slices_come_to_the_same_in_fewer_turns() -> None:
    def work() -> Any:
        for _ in range(5):
            yield
        return "done"

    assert len(list(in_slices(work(), 1000.0))) == 0
    assert len(list(in_slices(work(), 0.0))) == 5
    assert to_the_end(in_slices(work(), 0.0)) == "done"


def test_a_step_without_the_next_character_is_the_same_step() -> None:
    from rnn.sampling import NumpyModel

    model = NumpyModel.of(CharRNN(ModelConfig("gru", 3, 2), V, seed=0))
    state = model.initial_state(2)
    _, after = model.step([1, 2], state)
    for one, other in zip(after, model.advance([1, 2], state), strict=True):
        np.testing.assert_array_equal(one[0], other[0])

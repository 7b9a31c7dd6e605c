"""The blocks and arrows of drawn networks, against what the sequence shapes are by definition."""

from __future__ import annotations

import pytest

from rnn.config import CELLS, ModelConfig
from rnn.errors import ConfigError
from rnn.topology import SequenceShape, Topology, steps_of, topology

V = 5
RNN = ModelConfig("rnn", 3)
ALL = list(SequenceShape)


def columns(drawn: Topology, kind: str) -> list[int]:
    return [block.column for block in drawn.blocks if block.kind == kind]


def pairs(drawn: Topology, kind: str) -> set[tuple[str, str]]:
    return {(a.tail.key if a.tail else "", a.head.key) for a in drawn.arrows if a.kind == kind}


@pytest.mark.parametrize(
    ("shape", "reads", "answers"),
    [
        (SequenceShape.ONE_TO_ONE, "g", [0]),
        (SequenceShape.ONE_TO_MANY, "gwww", [0, 1, 2, 3]),
        (SequenceShape.MANY_TO_ONE, "gggg", [3]),
        (SequenceShape.MANY_TO_MANY, "gggg", [0, 1, 2, 3]),
        (SequenceShape.DELAYED, "ggnw", [2, 3]),
    ],
)
def test_a_shape_says_what_is_read_and_which_outputs_count(
    shape: SequenceShape, reads: str, answers: list[int]
) -> None:
    assert "".join(step.reads[0] for step in steps_of(shape, 4)) == reads
    assert columns(topology(RNN, V, shape, 4), "output") == answers


@pytest.mark.parametrize("T", range(1, 13))
def test_a_delayed_network_reads_and_then_writes_however_few_the_steps(T: int) -> None:
    steps = steps_of(SequenceShape.DELAYED, T)
    assert len(steps) == max(T, 2)
    parts = [step.part for step in steps]
    assert parts == sorted(parts, reverse=True)  # encoder before decoder
    assert set(parts) == {"encoder", "decoder"}
    assert [i for i, step in enumerate(steps) if step.is_summary] == [parts.index("decoder") - 1]


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("embedding", [0, 2])
@pytest.mark.parametrize("both", [False, True])
def test_every_matrix_of_the_model_is_an_arrow_with_its_shape(
    cell: str, layers: int, embedding: int, both: bool
) -> None:
    model = ModelConfig(cell, 3, layers, embedding_size=embedding, bidirectional=both)
    expected = {name: s for name, s in model.parameter_shapes(V).items() if len(s) == 2}
    for is_folded in (False, True):
        drawn = topology(model, V, SequenceShape.MANY_TO_MANY, 4, is_folded)
        assert {a.weights: (a.gates * a.rows, a.columns) for a in drawn.arrows if a.weights} == expected


def test_a_grid_has_a_state_for_each_layer_and_step() -> None:
    drawn = topology(ModelConfig("gru", 3, 3), V, SequenceShape.MANY_TO_MANY, 4)
    assert len(columns(drawn, "hidden")) == 12
    assert ("h2 layer 1", "h2 layer 2") in pairs(drawn, "input")
    assert ("h1 layer 3", "h2 layer 3") in pairs(drawn, "recurrent")
    assert ("", "h1 layer 3") in pairs(drawn, "recurrent")


def test_the_second_direction_goes_from_the_end_and_both_feed_what_is_above() -> None:
    drawn = topology(ModelConfig("lstm", 3, 2, bidirectional=True), V, SequenceShape.MANY_TO_MANY, 3)
    for kind in ("recurrent", "cell"):
        assert ("h3 layer 1 backward", "h2 layer 1 backward") in pairs(drawn, kind)
        assert ("", "h3 layer 1 backward") in pairs(drawn, kind)
        assert ("h1 layer 1", "h2 layer 1") in pairs(drawn, kind)
    assert {tail for tail, head in pairs(drawn, "join") if head == "h2 layer 1 both"} == {
        "h2 layer 1", "h2 layer 1 backward"
    }  # fmt: skip
    assert ("h2 layer 1 both", "h2 layer 2 backward") in pairs(drawn, "input")
    assert ("h2 layer 2 both", "y2") in pairs(drawn, "output")


def test_the_summary_of_both_directions_joins_the_last_state_of_each() -> None:
    drawn = topology(ModelConfig("rnn", 3, bidirectional=True), V, SequenceShape.MANY_TO_ONE, 3)
    assert pairs(drawn, "join") == {("h3 layer 1", "h3 layer 1 both"), ("h1 layer 1 backward", "h3 layer 1 both")}


def test_folded_networks_are_loops_and_one_to_one_has_none() -> None:
    for shape in ALL:
        loops = [a for a in topology(RNN, V, shape, 4, is_folded=True).arrows if a.is_loop]
        assert len(loops) == {SequenceShape.ONE_TO_ONE: 0, SequenceShape.DELAYED: 2}.get(shape, 1)


def test_the_encoders_state_is_the_decoders_first_folded_or_not() -> None:
    for is_folded, arrow in ((False, ("h2 layer 1", "h3 layer 1")), (True, ("h1 layer 1", "h2 layer 1"))):
        assert arrow in pairs(topology(RNN, V, SequenceShape.DELAYED, 4, is_folded), "recurrent")


def test_what_is_written_is_read_at_the_next_step() -> None:
    assert pairs(topology(RNN, V, SequenceShape.ONE_TO_MANY, 3), "feedback") == {("y1", "x2"), ("y2", "x3")}
    assert pairs(topology(RNN, V, SequenceShape.DELAYED, 5), "feedback") == {("y4", "x5")}
    assert not pairs(topology(RNN, V, SequenceShape.MANY_TO_MANY, 3), "feedback")


@pytest.mark.parametrize("shape", ALL)
def test_no_two_blocks_share_a_key(shape: SequenceShape) -> None:
    drawn = topology(ModelConfig("lstm", 3, 2, embedding_size=2), V, shape, 12)
    assert len({block.key for block in drawn.blocks}) == len(drawn.blocks)
    assert all(drawn.block(block.key) == block for block in drawn.blocks)
    assert drawn.block("nothing") is None


@pytest.mark.parametrize("shape", [SequenceShape.ONE_TO_MANY, SequenceShape.DELAYED])
def test_a_bidirectional_network_that_is_to_write_is_refused_with_the_reason(shape: SequenceShape) -> None:
    with pytest.raises(ConfigError, match="cannot write from left to right"):
        topology(ModelConfig("rnn", 3, bidirectional=True), V, shape, 4)


@pytest.mark.parametrize("shape", ALL)
def test_no_time_step_is_no_network(shape: SequenceShape) -> None:
    with pytest.raises(ConfigError, match="at least one time step, not 0"):
        topology(RNN, V, shape, 0)

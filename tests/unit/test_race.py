"""Races are fair: members differ in what is raced and in nothing else; and their figure says who leads."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any

import plotly.graph_objects as go
import pytest

from rnn import race
from rnn.config import CELLS, PRESETS, USUAL_RATES, ModelConfig, TrainConfig
from rnn.errors import ConfigError
from rnn.figures.loss import UNITS
from rnn.figures.race import AXES, POINTS, Racer, lead, race_alt, race_curves, race_rows, race_title
from rnn.race import Member
from rnn.records import RunInfo, StepMetrics, smoothed

V = 65
MODEL, TRAINING = PRESETS["default"].model, PRESETS["default"].train


# Members


@pytest.mark.parametrize("model", [preset.model for preset in PRESETS.values()])
def test_cells_race_with_as_many_parameters_as_a_whole_hidden_size_allows(model: ModelConfig) -> None:
    members = race.cells(model, TRAINING, V)
    target = model.parameter_count(V)
    assert [member.model.cell for member in members] == list(CELLS)
    assert next(member.model for member in members if member.model.cell == model.cell) == model
    for member in members:
        own = member.model.parameter_count(V)
        beside = [replace(member.model, hidden_size=member.model.hidden_size + d).parameter_count(V) for d in (-1, 1)]
        assert abs(own - target) <= min(abs(count - target) for count in beside)
        assert replace(member.model, cell=model.cell, hidden_size=model.hidden_size) == model
    assert race.spread(members, V) < 0.02


def test_cells_race_with_the_same_training() -> None:
    assert {member.train for member in race.cells(MODEL, TRAINING, V)} == {TRAINING}


def test_a_size_that_no_rnn_can_have_gets_a_sentence() -> None:
    with pytest.raises(ConfigError, match="this rnn can have"):
        race.cells(ModelConfig(cell="lstm", hidden_size=2048), TRAINING, V)


@pytest.mark.parametrize(("chosen", "last"), [("adamw", "adamw"), ("adam", "adam"), ("sgd", "adamw")])
def test_optimizers_race_on_the_same_model_and_differ_in_rule_and_rate_only(chosen: str, last: str) -> None:
    members = race.optimizers(MODEL, replace(TRAINING, optimizer=chosen))
    assert [member.train.optimizer for member in members] == ["sgd", "rmsprop", "adagrad", last]
    assert {member.model for member in members} == {MODEL}
    for member in members:
        assert member.train.learning_rate == USUAL_RATES[member.train.optimizer]
        assert replace(member.train, optimizer="sgd", learning_rate=1) == replace(
            TRAINING, optimizer="sgd", learning_rate=1
        )
    race.check(members, "steps")
    assert race.spread(members, V) == 0


def test_any_two_settings_race_and_are_judged_on_the_same_characters() -> None:
    mine = Member("mine", MODEL, replace(TRAINING, validation_fraction=0.2, max_vocabulary=50))
    other = Member("mine", ModelConfig(cell="rnn"), TrainConfig(evaluation_chars=5, steps=7))
    first, second = race.settings(mine, other)
    assert first == mine
    assert second.label == "mine (2)"
    assert (second.model, second.train.steps) == (other.model, 7)
    for name in ("validation_fraction", "evaluation_chars", "max_vocabulary"):
        assert getattr(second.train, name) == getattr(mine.train, name)


def test_settings_do_not_race_against_themselves() -> None:
    with pytest.raises(ConfigError, match="same settings"):
        race.settings(Member("a", MODEL, TRAINING), Member("b", MODEL, TRAINING))


@pytest.mark.parametrize(
    ("labels", "mode", "words"),
    [("a", "steps", "2 to 4"), ("abcde", "steps", "2 to 4"), ("aa", "steps", "same name"), ("ab", "luck", "'luck'")],
)
def test_what_is_no_race_gets_a_sentence(labels: str, mode: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        race.check([Member(label, MODEL, TRAINING) for label in labels], mode)


# The figure


def curve(losses: list[float], validation: dict[int, float] | None = None, pace: float = 0.5) -> list[StepMetrics]:
    """One point a step from 1, `pace` seconds and 100 characters each."""
    return [
        StepMetrics(n, n / 10, loss, 1.0, 1e-3, 200.0, n * pace, n * 100, (validation or {}).get(n))
        for n, loss in enumerate(losses, start=1)
    ]


FAST = Racer("RNN", "rnn", curve([4.0, 3.0, 2.8, 2.6, 2.5, 2.4], {2: 3.1, 4: 2.7, 6: 2.5}, pace=0.5))
SLOW = Racer("LSTM", "lstm", curve([4.0, 2.9, 2.2, 2.0], {2: 3.0, 4: 2.1}, pace=1.0))
BROKEN = Racer("GRU", "gru", curve([4.0]), is_out=True)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize(
    "draw",
    [
        *(partial(race_curves, [FAST, SLOW, BROKEN], x, unit) for x in AXES for unit in UNITS),
        partial(race_curves, [Racer("a", "rnn", []), Racer("b", "rnn", [])]),
        partial(race_curves, [Racer(label, "rnn", FAST.metrics) for label in "abcd"]),
    ],
)
def test_every_figure_is_one_that_plotly_accepts(draw: Callable[..., go.Figure], dark: bool) -> None:
    fig = draw(dark=dark).to_dict()
    assert go.Figure(fig).to_dict() == fig


def lines(fig: go.Figure) -> list[Any]:
    """The members' training lines, then the legend's."""
    return [trace for trace in fig.data if trace.showlegend is False][::2]


@pytest.mark.parametrize(
    ("x", "expected"),
    [("steps", [1, 2, 3, 4]), ("seconds", [1.0, 2.0, 3.0, 4.0]), ("characters", [100, 200, 300, 400])],
)
def test_lines_and_points_are_the_data_against_the_axis_that_is_chosen(x: str, expected: list[float]) -> None:
    fig = race_curves([FAST, SLOW], x, "bits")
    assert list(lines(fig)[1].x) == expected
    assert list(lines(fig)[1].y) == pytest.approx([loss / math.log(2) for loss in smoothed([4, 2.9, 2.2, 2])], abs=1e-4)
    points = fig.data[3]
    assert (list(points.x), list(points.y)) == (
        [expected[1], expected[3]],
        pytest.approx([3.0 / math.log(2), 2.1 / math.log(2)], abs=1e-4),
    )
    assert fig.layout.xaxis.title.text == AXES[x].title
    assert "bits" in fig.layout.yaxis.title.text


def test_each_member_has_a_line_a_marker_and_a_name_of_its_own() -> None:
    fig = race_curves([FAST, BROKEN, SLOW])
    assert [line.line.dash for line in lines(fig)] == ["solid", "dash", "dot"]
    assert len({line.marker.symbol for line in lines(fig)}) == 3
    assert {note.text for note in fig.layout.annotations} == {"● RNN", "■ GRU, out", "◆ LSTM"}
    ends = {note.text[2:]: (note.x, note.y) for note in fig.layout.annotations}
    assert ends["LSTM"] == (4, lines(fig)[2].y[-1])


def test_a_cell_has_its_line_in_every_race_between_cells_and_others_theirs_by_place() -> None:
    assert [line.line.dash for line in lines(race_curves([SLOW, FAST]))] == ["dot", "solid"]
    same = [Racer(label, "lstm", SLOW.metrics) for label in "abcd"]
    assert [line.line.dash for line in lines(race_curves(same))] == ["solid", "dash", "dot", "dashdot"]


def test_labels_of_lines_that_end_together_do_not_overlap() -> None:
    for losses in ([1.0, 1.0, 1.0, 1.0], [1.0, 1.001, 2.0, 2.001], [3.0, 2.0, 1.01, 1.0]):
        racers = [
            Racer(label, "rnn", curve([4.0] * 9 + [loss] * 90)) for label, loss in zip("abcd", losses, strict=True)
        ]
        fig = race_curves(racers)
        low, high = fig.layout.yaxis.range
        places = sorted((note.y - low) / (high - low) * 248 + note.yshift for note in fig.layout.annotations)
        assert all(above - below >= 18.9 for below, above in pairwise(places))
        assert places[0] > 9


def test_no_curve_has_more_points_than_a_page_can_poll() -> None:
    long = curve([4 - n / 1000 for n in range(1234)], dict.fromkeys(range(1, 1235), 3.0))
    fig = race_curves([Racer("a", "rnn", long), Racer("b", "gru", long)])
    for trace in fig.data:
        assert len(trace.x) <= POINTS
    assert fig.data[0].x[-1] == fig.data[1].x[-1] == 1234


# Who leads


def test_who_leads_is_decided_by_validation_where_all_have_come_to() -> None:
    first = lead([FAST, SLOW], "steps")
    assert first is not None
    assert (first.label, first.loss, first.at, first.is_validation) == ("LSTM", 2.1, 4, True)
    in_time = lead([FAST, SLOW], "seconds")  # three seconds: the fast one at step 6, the slow one at step 3
    assert in_time is not None
    assert (in_time.label, in_time.loss, in_time.at) == ("RNN", 2.5, 3.0)


def test_before_all_have_validated_the_training_loss_decides() -> None:
    first = lead([replace(FAST, metrics=FAST.metrics[:1]), SLOW])
    assert first is not None
    assert (first.is_validation, first.at) == (False, 1)


def test_who_dropped_out_holds_nobody_back() -> None:
    with_it, without = lead([FAST, BROKEN, SLOW]), lead([FAST, SLOW])
    assert with_it == without


def test_the_title_states_who_leads_at_what_and_after_how_much() -> None:
    assert race_title([FAST, SLOW]) == "LSTM leads at 2.10 nats after 4 steps each (validation)"
    assert (
        race_title([FAST, SLOW], "seconds", "bits") == "RNN leads at 3.61 bits after 3 s of computing each (validation)"
    )
    perplexity = f"LSTM leads at perplexity {math.exp(2.1):.2f} after 400 characters each (validation)"
    assert race_title([FAST, SLOW], "characters", "perplexity") == perplexity
    assert race_title([FAST, Racer("b", "gru", [])]) == "No step of each yet"
    assert race_title([]) == "No step of each yet"


def test_the_text_alternative_says_where_each_stands() -> None:
    said = race_alt([FAST, BROKEN, SLOW, Racer("b", "gru", [])])
    assert said.startswith("No step of each yet. ")
    for words in ("RNN is at step 6 after 3 s", "GRU is at step 1 after 0.5 s and has dropped out", "b has not begun"):
        assert words in said


def test_what_people_typed_is_no_markup_in_the_figure() -> None:
    fig = race_curves([replace(FAST, label="<b>x</b>"), replace(SLOW, label="y")], "seconds")
    texts = [fig.layout.title.text, *(note.text for note in fig.layout.annotations), fig.data[0].hovertemplate]
    assert not any("<b>" in text for text in texts)


# The table


def test_the_table_has_the_numbers_of_the_runs() -> None:
    model = ModelConfig(cell="lstm", hidden_size=7)
    info = RunInfo(
        "id", "name", "running", "", "text", "sha", "next-character", model.to_json(), TRAINING.to_json(), None, 4, 0,
        4.0, 2.0, 2.1, 2.05, 0.0, 0.0, race_id="race", race_label="LSTM", race_mode="steps",
    )  # fmt: skip
    begun, waiting = race_rows([info, replace(info, step=0, validation_loss=None)], [SLOW.metrics, []], V)
    assert begun == {
        "member": "LSTM", "cell": "LSTM", "hidden size": 7,
        "parameters": model.parameter_count(V), "steps": 4, "final validation": 2.1, "best validation": 2.05,
        "training, smoothed": smoothed([4.0, 2.9, 2.2, 2.0])[-1], "characters/s": 100, "seconds": 4.0,
    }  # fmt: skip
    assert (waiting["training, smoothed"], waiting["characters/s"], waiting["seconds"]) == (None, None, 0.0)

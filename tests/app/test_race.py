"""The race's part of the Train page: what would run, how it starts and is steered, and whose it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts import keys, service, starting
from pages.parts.limits import PUBLIC
from rnn.config import ModelConfig, TrainConfig
from rnn.corpora import load
from rnn.race import MODES
from rnn.records import RunInfo
from tests.app.conftest import figure, until

PAGE = """
import streamlit as st
from pages.parts import racing, service
from rnn import corpora
from rnn.config import ModelConfig, TrainConfig

service.open_runs()
info = service.current_run()
text = corpora.load("hello")
model = ModelConfig(cell="lstm", hidden_size={hidden})
train = TrainConfig(batch_size=1, bptt_steps=4, steps={steps}, evaluate_every=10, precision="float32")
info = racing.race_controls(text, model, train, 4) or info
if info is not None and info.race_id:
    racing.race_panel(info.race_id)
"""


@pytest.fixture
def page(tmp_path: Path) -> Callable[..., AppTest]:
    """`page(hidden=8, steps=60)`: a session of a page that holds the race alone."""

    def make(hidden: int = 8, steps: int = 60) -> AppTest:
        path = tmp_path / f"race_{hidden}_{steps}.py"
        path.write_text(PAGE.format(hidden=hidden, steps=steps))
        return AppTest.from_file(path, default_timeout=30)

    return make


def members(app: AppTest) -> list[RunInfo]:
    store = service._scheduler().store
    return store.together(app.session_state[keys.RUN])


def statuses(app: AppTest) -> set[str]:
    return {info.status for info in members(app)}


def start(app: AppTest) -> AppTest:
    app.run()
    return app.button(key="race_start").click().run()


def steer(app: AppTest, name: str) -> AppTest:
    return app.button(key=f"race_{name}_{members(app)[0].race_id}").click().run()


def table(app: AppTest) -> str:
    return next(markdown.value for markdown in app.markdown if "parameters ·" in markdown.value)


def test_the_solved_hidden_sizes_and_counts_are_shown_before_the_start(page: Callable[..., AppTest]) -> None:
    app = page(hidden=64).run()
    target = ModelConfig(cell="lstm", hidden_size=64).parameter_count(4)
    for cell in ("rnn", "gru", "lstm"):
        own = ModelConfig(cell=cell).sized_for(target, 4)
        assert f"**{own.cell.upper()}** {own.hidden_size} · {own.parameter_count(4):,} parameters" in table(app)
    assert "% at most" in table(app)


@pytest.mark.parametrize("mode", MODES)
def test_one_click_starts_a_race_and_the_chart_says_who_leads(page: Callable[..., AppTest], mode: str) -> None:
    app = page().run()
    app.selectbox(key=keys.RACE_MODE).select(mode)
    start(app)
    until(app, lambda app: statuses(app) == {"finished"}).run()
    assert [info.race_label for info in members(app)] == ["RNN", "GRU", "LSTM"]
    assert {info.race_mode for info in members(app)} == {mode}
    drawn = figure(app)["layout"]
    assert "leads at" in drawn["title"]["text"]
    assert {note["text"] for note in drawn["annotations"]} == {"● RNN", "■ GRU", "◆ LSTM"}
    assert list(app.dataframe[0].value["steps"]) == [60, 60, 60]
    assert f"**finished** · level by {MODES[mode]}" in [markdown.value for markdown in app.markdown]


def test_optimizers_race_on_the_same_model(page: Callable[..., AppTest]) -> None:
    app = page().run()
    app.selectbox(key=keys.RACE_KIND).select("optimizers").run()
    assert "All have as many parameters" in table(app)
    app.button(key="race_start").click().run()
    assert [info.train["optimizer"] for info in members(app)] == ["sgd", "rmsprop", "adagrad", "adamw"]
    assert len({str(info.model) for info in members(app)}) == 1


def test_the_present_settings_race_those_of_a_preset_or_a_run(page: Callable[..., AppTest]) -> None:
    app = page().run()
    token = app.session_state[keys.OWNER]
    other = service._scheduler().create(
        token, load("hello"), ModelConfig(cell="gru", hidden_size=3), TrainConfig(steps=7), "older", start=False
    )
    app.selectbox(key=keys.RACE_KIND).select("settings").run()
    assert "Recommended" in table(app)
    app.selectbox(key=keys.RACE_OPPONENT).select(other).run()
    assert "**older** GRU 3 · " in table(app)
    app.button(key="race_start").click().run()
    assert [(info.race_label, info.model["hidden_size"]) for info in members(app)] == [
        ("These settings", 8), ("older", 3),
    ]  # fmt: skip


def test_a_race_against_the_same_settings_gets_a_sentence(page: Callable[..., AppTest]) -> None:
    app = start(page())
    lstm = members(app)[2]
    app.selectbox(key=keys.RACE_KIND).select("settings").run()
    app.selectbox(key=keys.RACE_OPPONENT).select(lstm.id).run()
    assert "same settings" in app.info[0].value
    assert "race_start" not in {button.key for button in app.button}


def test_a_member_beyond_the_caps_is_named_and_nothing_starts(page: Callable[..., AppTest]) -> None:
    app = page(hidden=400).run()
    assert "RNN: hidden" in app.info[0].value.replace("\\", "")
    assert "race_start" not in {button.key for button in app.button}


def test_a_laptop_has_no_caps(page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RNN_PLAYGROUND_PUBLIC", "0")
    assert not page(hidden=400).run().error


def test_a_race_that_does_not_fit_says_so_and_leaves_nothing(page: Callable[..., AppTest]) -> None:
    app = page().run()
    scheduler, token = service._scheduler(), app.session_state[keys.OWNER]
    for _ in range((PUBLIC.kept_per_owner or 0) - 2):
        scheduler.create(token, load("hello"), ModelConfig(hidden_size=4), TrainConfig(steps=1), start=False)
    app.button(key="race_start").click().run()
    assert "needs room for 3 runs" in app.error[0].value
    assert scheduler.store.count_of(token) == (PUBLIC.kept_per_owner or 0) - 2


def test_the_second_half_of_a_double_click_starts_nothing(
    page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = start(page(steps=5000))
    first = members(app)[0].race_id
    app.button(key="race_start").click().run()
    assert members(app)[0].race_id == first
    monkeypatch.setattr(starting, "SECOND_CLICK", 0.0)
    app.button(key="race_start").click().run()
    assert members(app)[0].race_id != first


def test_the_buttons_steer_the_whole_race(page: Callable[..., AppTest]) -> None:
    app = start(page(steps=5000))
    steer(app, "pause")
    assert statuses(app) == {"paused"}
    steer(app, "resume")
    assert statuses(app) == {"running"}
    until(app, lambda app: all(info.step for info in members(app)))
    steer(app, "stop")
    assert statuses(app) == {"finished"}
    steer(app, "reset")
    assert {(info.status, info.step) for info in members(app)} == {("paused", 0)}
    race_id = members(app)[0].race_id
    assert app.button(key=f"race_delete_{race_id}").disabled
    app.checkbox(key=f"race_sure_{race_id}").check().run()
    steer(app, "delete")
    assert service._scheduler().store.count_of(app.session_state[keys.OWNER]) == 0
    assert not app.exception


def test_a_finished_race_goes_on_for_as_many_steps_again(page: Callable[..., AppTest]) -> None:
    app = start(page())
    until(app, lambda app: statuses(app) == {"finished"}).run()
    steer(app, "resume")
    until(app, lambda app: {info.step for info in members(app)} == {120})


def test_axis_and_unit_can_be_chosen(page: Callable[..., AppTest]) -> None:
    app = start(page())
    until(app, lambda app: statuses(app) == {"finished"}).run()
    for axis, name in (("seconds", "seconds of computing"), ("characters", "characters trained on"), ("steps", "step")):
        app.segmented_control(key=keys.RACE_AXIS).set_value(axis).run()
        assert figure(app)["layout"]["xaxis"]["title"]["text"] == name
    app.segmented_control(key=keys.RACE_UNIT).set_value("bits").run()
    assert "bits per character" in figure(app)["layout"]["yaxis"]["title"]["text"]


def test_somebody_elses_race_can_be_watched_but_not_steered(page: Callable[..., AppTest]) -> None:
    app = start(page())
    until(app, lambda app: statuses(app) == {"finished"})
    stranger = page()
    stranger.query_params["run"] = members(app)[1].id
    stranger.run()
    assert "leads at" in figure(stranger)["layout"]["title"]["text"]
    assert {button.label for button in stranger.button} == {
        "Start the race", "Sample RNN", "Sample GRU", "Sample LSTM",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("key", "forged"), [("race_kind", "nothing"), ("race_mode", "luck"), ("race_x", "fame"), ("race_unit", "likes")]
)
def test_a_forged_choice_in_the_url_falls_back(page: Callable[..., AppTest], key: str, forged: str) -> None:
    app = page()
    app.query_params[key] = forged
    start(app)
    assert not app.exception
    assert len(members(app)) == 3

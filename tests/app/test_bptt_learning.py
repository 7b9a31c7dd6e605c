"""The view of the learning: results at first sight, and networks that are trained here and now."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts import bptt_learning, bptt_position, bptt_race, bptt_recall, keys, service
from rnn import truncated
from rnn.shipped import SHIPPED
from rnn.truncated import CHUNKS, LAGS, results
from tests.app.conftest import figure, run_of, said, title, train_hello, until

PAGE = "pages/5_Truncated_BPTT.py"
RACE, RECALL, POSITION = bptt_learning.PARTS


def opened(app: AppTest, part: str, model: str = "shipped:gru", **query: Any) -> AppTest:
    app.query_params[keys.BPTT_VIEW] = "Learning"
    app.query_params[bptt_learning.PART] = part
    for name, value in query.items():
        app.query_params[name] = str(value)
    app.switch_page(PAGE).run()
    if app.selectbox(key=keys.READ_MODEL).value != model:
        app.selectbox(key=keys.READ_MODEL).select(model).run()
    return shown(app)


def shown(app: AppTest) -> AppTest:
    assert not app.exception
    return app


def typed(app: AppTest, text: str) -> AppTest:
    app.text_area(key=keys.READ_TEXT).set_value(text).run()
    return shown(app)


@pytest.mark.parametrize("part", [RACE, RECALL, POSITION])
@pytest.mark.parametrize("name", SHIPPED)
def test_every_part_is_full_at_first_sight(app: AppTest, name: str, part: str) -> None:
    opened(app, part, f"shipped:{name}")
    assert not app.error
    assert len(app.get("plotly_chart")) == (2 if part == RECALL else 1)


# By position ------------------------------------------------------------------------------------------------------


def test_the_chunk_length_and_the_text_change_the_figure(app: AppTest) -> None:
    opened(app, POSITION)
    assert "5,000 characters" in said(app)
    slider = app.slider(key=f"{bptt_position.CHUNK}_128")
    slider.set_value(40).run()
    assert figure(shown(app))["layout"]["xaxis"]["range"] == [-0.5, 39.5]
    assert "after every 40" in said(app)
    whole = title(app)
    app.segmented_control(key=bptt_position.TEXT).set_value(bptt_position.TYPED).run()
    assert "5,000 characters" not in said(shown(app))
    assert title(app) != whole


@pytest.mark.parametrize(
    ("text", "is_enough"), [("a", False), ("abcdef", False), ("abcdefg", True), ("a" * 5_000, True)]
)
def test_a_text_too_short_gets_a_sentence(app: AppTest, text: str, is_enough: bool) -> None:
    opened(app, POSITION, bptt_learning_text=bptt_position.TYPED)
    typed(app, text)
    assert bool(app.error) is not is_enough
    assert is_enough or "at least 7 characters" in app.error[0].value


def test_a_network_that_does_not_predict_can_still_look_at_the_other_parts(app: AppTest) -> None:
    opened(app, POSITION, "shipped:fill-blank")
    assert "predicts the next character" in app.error[0].value
    for part in (RACE, RECALL):
        app.segmented_control(key=bptt_learning.PART).set_value(part).run()
        assert not shown(app).error
        assert title(app)


def test_a_run_on_five_letters_gets_its_figure_or_a_sentence(app: AppTest) -> None:
    train_hello(app)
    opened(app, POSITION, run_of(app))
    assert "at least 7 characters" in app.error[0].value
    typed(app, "hello" * 10)
    assert not app.error
    assert title(app)


@pytest.mark.parametrize("query", [
    {f"{bptt_position.CHUNK}_128": 0}, {f"{bptt_position.CHUNK}_128": 10**9}, {bptt_position.TEXT: "none"},
])  # fmt: skip
def test_a_forged_link_opens_all_the_same(app: AppTest, query: dict[str, Any]) -> None:
    opened(app, POSITION, **query)
    assert not app.error
    assert title(app)


def test_a_part_that_is_not_there_is_the_first(app: AppTest) -> None:
    opened(app, "none")
    assert "leads" in title(app)


# The race ---------------------------------------------------------------------------------------------------------


def test_the_race_that_comes_with_the_app_is_told_in_numbers(app: AppTest) -> None:
    opened(app, RACE)
    assert "carry, k=16 leads" in title(app)
    table = next(m.value for m in app.markdown if "| loss | step" in m.value)
    for curve in results().curves:
        assert f"| {curve.label} |" in table
    app.segmented_control(key=bptt_race.AXIS).set_value("steps").run()
    assert "100 steps each" in title(shown(app))
    assert "1801.00632" in said(app)


def test_a_race_here_and_now_is_shown_in_place_of_the_one_that_comes_with_the_app(
    app: AppTest,
) -> None:
    opened(app, RACE, bptt_learning_race_k=64)
    app.number_input(key=bptt_race.SIZE).set_value(4)
    app.number_input(key=bptt_race.PASSES).set_value(5).run()
    app.button(key="bptt_learning_start").click().run()
    until(app, lambda app: all(run.status == "finished" for run in own_runs(app)))
    assert [run.race_label for run in reversed(own_runs(app))] == ["carry, k=64", "reset, k=64", "full, k=256"]
    app.run()
    assert "finished" in next(m.value for m in app.markdown if "level by" in m.value)
    assert "k=" in title(shown(app))
    app.segmented_control(key=bptt_race.SHOWN).set_value(bptt_race.SHIPPED).run()
    assert "carry, k=16 leads" in title(shown(app))


def own_runs(app: AppTest) -> list[Any]:
    return service._scheduler().store.runs_of(str(app.session_state[keys.OWNER]))


def test_settings_beyond_the_caps_of_a_shared_server_get_a_sentence(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RNN_PLAYGROUND_PUBLIC", "1")
    opened(app, RACE, bptt_learning_race_k=4, bptt_learning_passes=150)
    assert "at most 5,000" in app.info[0].value.replace("\\", "")
    assert not any(button.key == "bptt_learning_start" for button in app.button)


# Delayed recall ---------------------------------------------------------------------------------------------------


def test_a_place_trained_here_and_now_goes_into_the_grid(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (truncated, bptt_recall):
        monkeypatch.setattr(module, "RECALL_STEPS", 30)
    opened(app, RECALL, bptt_learning_lag=2, bptt_learning_chunk=4)
    app.button(key="bptt_learning_train").click().run()
    until(app, lambda app: all(run.status == "finished" for run in own_runs(app)))
    app.run()
    notes = [note["text"] for note in figure(shown(app))["layout"]["annotations"]]
    assert sum("◆" in note for note in notes) == 1
    assert not any(button.key == "bptt_learning_train" for button in app.button)
    assert "Another seed" in said(app)
    app.number_input(key=bptt_recall.SEED).set_value(2).run()
    assert any(button.key == "bptt_learning_train" for button in app.button)
    runs = service._scheduler()
    runs.delete(own_runs(app)[0].id, str(app.session_state[keys.OWNER]))
    app.run()
    assert not any("◆" in note["text"] for note in figure(shown(app))["layout"]["annotations"])


def test_the_grid_says_what_chance_is_and_frames_the_chosen_place(app: AppTest) -> None:
    opened(app, RECALL, bptt_learning_lag=LAGS[0], bptt_learning_chunk=CHUNKS[0])
    app.segmented_control(key=bptt_recall.MODE).set_value("reset").run()
    assert "chance" in figure(app)["data"][0]["colorbar"]["ticktext"]
    assert not figure(app, 0)["layout"]["shapes"]
    assert len(figure(app, 1)["layout"]["shapes"]) == 1


@pytest.mark.parametrize("query", [
    {bptt_recall.LAG: 3}, {bptt_recall.CHUNK: "x"}, {bptt_recall.MODE: "full"}, {bptt_recall.SEED: -1},
    {bptt_recall.SEED: "1e400"},
])  # fmt: skip
def test_forged_places_open_all_the_same(app: AppTest, query: dict[str, Any]) -> None:
    opened(app, RECALL, **query)
    assert not app.error
    assert len(app.get("plotly_chart")) == 2


def test_a_server_without_its_results_says_so(app: AppTest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(truncated, "RESULTS", tmp_path / "none.json")
    truncated.results.cache_clear()
    opened(app, RECALL)
    assert "python -m assets.truncation" in app.error[0].value.replace("\\", "")
    truncated.results.cache_clear()

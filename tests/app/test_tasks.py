"""The other tasks on the Train page: shown at once, trained, asked, and never tripped."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pages.parts import answers, keys, learning, limits, service
from rnn.catalogue import TASKS
from rnn.checkpoint_file import read
from rnn.config import ModelConfig, TaskConfig, TrainConfig
from rnn.corpora import Text
from rnn.records import RunInfo
from rnn.shipped import open_shipped
from tests.app.conftest import SAMPLE, TRAIN, figure, run_of, said, status, title, until, visitor

KINDS = [kind for kind in TASKS if kind != learning.TEXT_TASK]
LARGEST = 2_000


def open_task(app: AppTest, kind: str, **query: str) -> AppTest:
    app.query_params[keys.TASK] = TASKS[kind].title
    for name, value in query.items():
        app.query_params[name] = value
    app.switch_page(TRAIN).run()
    assert not app.exception
    return app


def start(app: AppTest, kind: str, steps: int = 2) -> str:
    """Trains a task for so many steps; the run's id."""
    open_task(app, kind)
    app.number_input(key=f"train_steps_{kind}").set_value(steps).run()
    app.button(key="train_start").click().run()
    assert not app.exception
    until(app, lambda app: status(app) == "finished").run()
    return run_of(app)


def view(app: AppTest, name: str) -> AppTest:
    app.session_state[keys.TASK_VIEW] = name
    app.run()
    assert not app.exception
    assert not app.error
    return app


def markdown(app: AppTest) -> str:
    return " ".join(m.value for m in app.markdown).replace("\\", "")


@pytest.mark.parametrize("kind", KINDS)
def test_every_task_is_there_before_anything_is_trained_and_trains_by_one_click(app: AppTest, kind: str) -> None:
    open_task(app, kind)
    assert "a model that comes with the app" in markdown(app)
    assert TASKS[kind].shape.value.capitalize() in said(app)
    assert not app.button(key="train_start").disabled
    run_id = start(app, kind)
    info = service._scheduler().store.get(run_id)
    assert (info.kind, info.step) == (kind, 2)
    assert info.score is not None
    assert title(app).startswith("Loss ")
    assert "nats per prediction" in figure(app)["layout"]["yaxis"]["title"]["text"]
    assert f"of {TASKS[kind].score} right" in str(app.get("progress")[0].proto.text).replace("\\", "")
    view(app, "Answers")
    assert f"{TASKS[kind].score} right" in markdown(app)
    view(app, "Samples")
    assert len(app.code) >= 1
    view(app, "Inside")
    view(app, "Ask it")


@pytest.mark.parametrize("kind", KINDS)
def test_the_shipped_model_shows_its_answers(app: AppTest, kind: str) -> None:
    open_task(app, kind)
    app.session_state[keys.DEMO_VIEW] = "Answers"
    app.run()
    assert not app.exception
    assert not app.error
    assert f"{TASKS[kind].score} right" in markdown(app)
    if kind == "fill-blank":
        both, left = (float(m.value.rstrip("%")) for m in app.metric)
        assert both > left + 10


# Asking


def asked(app: AppTest, kind: str, given: str) -> str:
    """What the page answers."""
    app.text_input(key=keys.ASKED.format(kind)).input(given).run()
    assert not app.exception
    charts = [figure(app, i)["layout"]["title"]["text"] for i in range(len(app.get("plotly_chart")))]
    return " ".join([markdown(app), said(app), *charts, *(e.value for e in app.error)]).replace("\\", "")


@pytest.mark.parametrize(
    ("kind", "given", "answer"),
    [
        ("sentiment", "the soup was not bad", "Positive"),
        ("sentiment", "nobody liked the soup", "Negative"),
        ("number-names", "97", "quatre-vingt-dix-sept"),
        ("number-names", "four thousand and eleven", "quatre mille onze"),
        ("frames", "2 7 3", "3 of 3 frames right"),
        ("caption", "6 0 2", "1 of 1 caption right"),
        ("fill-blank", "the stat_ment", "“e”, says the model"),
    ],
)
def test_a_shipped_model_answers_a_question(app: AppTest, kind: str, given: str, answer: str) -> None:
    assert answer in asked(open_task(app, kind), kind, given)


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("sentiment", ""), ("sentiment", "xyzzy plugh"), ("sentiment", "the " * 70),
        ("number-names", ""), ("number-names", "10000"), ("number-names", "-3"), ("number-names", "many"),
        ("frames", ""), ("frames", "3 x 1"), ("frames", "1" * 99), ("caption", "12"), ("caption", "1" * 9),
        ("fill-blank", "no blank here"), ("fill-blank", "_ and _"), ("fill-blank", "Жизнь _"), ("fill-blank", ""),
    ],
)  # fmt: skip
def test_a_question_that_cannot_be_answered_gets_a_sentence(app: AppTest, kind: str, given: str) -> None:
    open_task(app, kind)
    app.text_input(key=keys.ASKED.format(kind)).input(given).run()
    assert not app.exception
    assert len(app.error) == 1
    assert app.error[0].value.rstrip().endswith(".")
    assert not app.button(key="train_start").disabled


@pytest.mark.parametrize("kind", answers.IMAGES)
def test_an_image_is_read_and_another_and_an_empty_one_is_asked_for(app: AppTest, kind: str) -> None:
    open_task(app, kind)
    shown = app.session_state[keys.DRAWN][0]
    app.button(key="ask_another").click().run()
    assert not app.exception
    assert app.session_state[keys.DRAWN][0] != shown
    app.button(key="ask_clear").click().run()
    assert "Draw a digit" in app.info[0].value


@pytest.mark.parametrize("forged", [None, "drawn", [1, 2], [17] * 64, [float("nan")] * 64, [True] * 64, ["1"] * 64])
def test_a_forged_drawing_is_left_alone(forged: Any) -> None:
    from pages.parts import pad

    assert not (isinstance(forged, list) and len(forged) == 64 and all(pad._is_ink(value) for value in forged))


# Settings


def run_info(app: AppTest) -> RunInfo:
    return service._scheduler().store.get(run_of(app))


def test_encoder_and_decoder_are_chosen_apart_and_swapped(app: AppTest) -> None:
    open_task(app, "number-names")
    app.selectbox(key="train_cell_number-names").select("rnn")
    app.selectbox(key="train_decoder_cell_number-names").select("gru")
    app.number_input(key="train_decoder_hidden_size_number-names").set_value(20)
    app.number_input(key="train_hidden_size_number-names").set_value(12)
    app.number_input(key="train_teacher_forcing_number-names").set_value(0.5)
    app.number_input(key="train_steps_number-names").set_value(1).run()
    app.button(key="train_start").click().run()
    until(app, lambda app: status(app) == "finished")
    info = run_info(app)
    assert (info.model["cell"], info.model["hidden_size"]) == ("rnn", 12)
    task = TaskConfig.from_json(info.task)
    assert (task.decoder_cell, task.decoder_hidden_size, task.teacher_forcing) == ("gru", 20, 0.5)


def test_each_form_of_a_task_has_steps_of_its_own(app: AppTest) -> None:
    open_task(app, "number-names")
    assert app.number_input(key="train_steps_number-names").value == 1000
    app.selectbox(key="train_variant_number-names").select("large").run()
    assert app.number_input(key="train_steps_number-names_large").value == 3000


FORGED = {
    "digit": {"train_hidden_size_digit": "0", "train_bidirectional_digit": "true", "train_num_layers_digit": "9"},
    "frames": {"train_length_frames": "0", "train_variant_frames": "backwards", "train_cell_frames": "quantum"},
    "number-names": {
        "train_decoder_hidden_size_number-names": "999999", "train_teacher_forcing_number-names": "nan",
        "train_decoder_cell_number-names": "quantum", "train_reverse_input_number-names": "perhaps",
    },
    "fill-blank": {"train_length_fill-blank": "1", "train_variant_fill-blank": "right"},
}  # fmt: skip


@pytest.mark.parametrize("kind", FORGED)
def test_settings_in_a_link_that_cannot_be_are_not_obeyed(app: AppTest, kind: str) -> None:
    open_task(app, kind, **FORGED[kind])
    app.number_input(key=f"train_steps_{kind}").set_value(1).run()
    assert not app.exception
    if not app.button(key="train_start").disabled:
        app.button(key="train_start").click().run()
        assert not app.exception
        until(app, lambda app: status(app) == "finished")
        ModelConfig.from_json(run_info(app).model)


def test_a_task_that_is_none_is_the_language_model(app: AppTest) -> None:
    app.query_params[keys.TASK] = "Telepathy"
    app.switch_page(TRAIN).run()
    assert not app.exception
    assert app.selectbox(key=keys.TASK).value == TASKS[learning.TEXT_TASK].title


def test_caps_hold_for_the_decoder_too(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RNN_PLAYGROUND_PUBLIC", "1")
    open_task(app, "number-names")
    app.number_input(key="train_decoder_hidden_size_number-names").set_value(LARGEST).run()
    assert f"hidden_size is {LARGEST:,}, and at most {limits.PUBLIC.hidden_size:,}" in app.error[0].value.replace(
        "\\", ""
    )
    assert app.button(key="train_start").disabled


# Runs and files


def test_a_run_brings_its_task_along_and_another_task_shows_its_own_model(app: AppTest) -> None:
    run_id = start(app, "digit-rows")
    other = visitor()
    other.query_params["run"] = run_id
    other.switch_page(TRAIN).run()
    assert other.selectbox(key=keys.TASK).value == TASKS["digit-rows"].title
    other.selectbox(key=keys.TASK).select(TASKS["sentiment"].title).run()
    assert "a model that comes with the app" in markdown(other)
    assert run_of(other) == run_id


def test_a_run_of_another_task_says_on_the_sample_page_where_it_can_be_used(app: AppTest) -> None:
    run_id = start(app, "digit")
    del app.query_params["run"]  # as a click in the navigation does
    app.switch_page(SAMPLE).run()
    assert not app.exception
    assert not app.error
    assert app.selectbox(key=keys.MODEL).value == "shipped:lstm"
    other = visitor()
    other.query_params["run"] = run_id
    other.switch_page(SAMPLE).run()
    assert not other.exception
    sentence = "This model names digits; it cannot write text. The Train page opens it."
    assert sentence in other.error[0].value.replace("\\", "")


def test_a_file_of_another_task_goes_on_as_a_run(app: AppTest) -> None:
    run_id = start(app, "digit-rows")
    store = service._scheduler().store
    token = app.session_state[keys.OWNER]
    checkpoint = read(store.checkpoint_path(run_id))
    adopted = service._scheduler().adopt(token, None, checkpoint)
    app.session_state[keys.RUN] = adopted
    app.query_params["run"] = adopted
    app.run()
    assert not app.exception
    metrics = service._scheduler().step_once(adopted, token)
    assert metrics is not None
    assert metrics.step == 3
    assert run_info(app).kind == "digit-rows"


def test_whoever_watches_a_run_on_a_text_sees_none_of_it(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RNN_PLAYGROUND_PUBLIC", "1")
    runs = service._scheduler()
    text = Text("my diary", "to be or not to be, that is the question. " * 40)
    task, model = TaskConfig("fill-blank"), ModelConfig(cell="gru", hidden_size=8, bidirectional=True)
    run_id = runs.create("somebody else's token", text, model, TrainConfig(steps=2), task=task)
    runs.wait_for_step(run_id, 2, 30)
    app.query_params["run"] = run_id
    app.switch_page(TRAIN).run()
    until(app, lambda app: status(app) == "finished")
    for name in ("Answers", "Samples"):
        app.session_state[keys.TASK_VIEW] = name
        app.run()
        assert "somebody else's text" in app.info[0].value
        assert not app.dataframe
        assert not any("the question" in code.value for code in app.code)


def test_predictions_of_an_active_run_change_with_its_validation(app: AppTest) -> None:
    open_task(app, "digit-rows")
    app.number_input(key="train_steps_digit-rows").set_value(100_000).run()
    app.button(key="train_start").click().run()
    run_id = run_of(app)
    until(app, lambda _: service._scheduler().store.get(run_id).score is not None)
    app.session_state[keys.TASK_VIEW] = "Answers"
    app.run()
    first = said(app)
    until(app, lambda app: said(app) != first)
    service._scheduler().stop(run_id, app.session_state[keys.OWNER])


def test_the_shipped_files_say_what_they_do_where_they_cannot_write() -> None:
    for kind in KINDS:
        checkpoint = open_shipped(kind)
        with pytest.raises(Exception, match=r"This model .*; it cannot write text\. The Train page opens it\."):
            checkpoint.sampler()
        assert np.isfinite(sum(float(w.sum()) for w in checkpoint.weights().values()))

"""The Train page: what it says of a text, how it starts, steers and shows runs, and whose they are."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts import keys, owner, runs, service, starting, uploads
from pages.parts.limits import PUBLIC, check_caps
from rnn import checkpoint_file
from rnn.checkpoints import to_bytes
from rnn.config import ModelConfig, TrainConfig
from rnn.corpora import load
from rnn.errors import BusyError, CheckpointError, ConfigError, StoreError
from rnn.records import METRICS
from rnn.runs.scheduler import Scheduler
from rnn.runs.store import Store
from rnn.shipped import open_shipped
from rnn.training import TrainState, train
from tests.app.conftest import TRAIN, figure, run_of, said, start_hello, status, title, train_hello, until, visitor


def labels(app: AppTest) -> set[str]:
    return {button.label for button in app.button}


def steer(app: AppTest, name: str) -> Any:
    """A button of the run on show."""
    return app.button(key=f"run_{name}_{run_of(app)}")


def paste(app: AppTest, text: str) -> AppTest:
    app.switch_page(TRAIN).run()
    app.selectbox(key=keys.TEXT).select("Paste my own").run()
    return app.text_area(key=keys.PASTE).input(text).run()


# Before a run


def test_preflight_says_what_was_shrunk_for_a_short_text(app: AppTest) -> None:
    app.switch_page(TRAIN).run()
    app.selectbox(key=keys.TEXT).select("hello").run()
    assert "5 characters, 4 different ones" in said(app)
    assert "from 48 to 4" in said(app)


def test_preflight_shows_the_characters_and_how_many_numbers_the_model_has(app: AppTest) -> None:
    app.switch_page(TRAIN).run()
    app.selectbox(key=keys.TEXT).select("hello").run()
    assert [code.value for code in app.code] == ["e  h  l  o"]
    count = ModelConfig(cell="lstm", hidden_size=192, embedding_size=64).parameter_count(4)
    assert f"{count:,} parameters" in said(app)


@pytest.mark.parametrize("text", ["x", "aaaa"])
def test_a_text_with_nothing_to_predict_gets_a_sentence_and_no_start(app: AppTest, text: str) -> None:
    paste(app, text)
    assert app.error
    assert app.button(key="train_start").disabled


def test_a_text_of_many_characters_is_capped_on_a_public_server(app: AppTest) -> None:
    paste(app, "".join(map(chr, range(0x4E00, 0x4E00 + 6000))) * 2)
    assert "capped at 4,000" in said(app)


def test_a_step_that_would_hold_up_a_shared_server_is_refused_with_the_reason(app: AppTest) -> None:
    app.switch_page(TRAIN).run()
    app.number_input(key="train_hidden_size_default").set_value(512)
    app.number_input(key="train_batch_size_default").set_value(128).run()
    assert "times what is allowed here" in app.error[0].value
    assert app.button(key="train_start").disabled


def test_a_laptop_has_no_caps(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RNN_PLAYGROUND_PUBLIC", "0")
    app.switch_page(TRAIN).run()
    app.number_input(key="train_hidden_size_default").set_value(2048)
    app.number_input(key="train_batch_size_default").set_value(128).run()
    assert not app.error


@pytest.mark.parametrize(
    ("model", "train"),
    [
        ({"hidden_size": 513}, {}), ({}, {"steps": 5001}), ({}, {"batch_size": 129}), ({}, {"bptt_steps": 257}),
        ({}, {"truncation": "full"}), ({}, {"evaluation_chars": 20_001}),
        ({"hidden_size": 512, "num_layers": 4}, {"batch_size": 128}),
    ],
)  # fmt: skip
def test_no_way_leads_around_the_caps(model: dict[str, int], train: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match="make app"):
        check_caps(ModelConfig(**model), TrainConfig(**train), 100)
    with pytest.raises(ConfigError, match="make app"):
        check_caps(ModelConfig(), TrainConfig(), 4001)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0, 1e9])
def test_a_forged_learning_rate_never_becomes_a_traceback(app: AppTest, value: float) -> None:
    app.switch_page(TRAIN).run()
    app.number_input(key="train_learning_rate_default").set_value(value).run()
    assert not app.exception


# A run


def test_one_click_trains_and_the_chart_moves(app: AppTest) -> None:
    app.switch_page(TRAIN).run()
    app.number_input(key="train_hidden_size_default").set_value(8)
    app.number_input(key="train_batch_size_default").set_value(2).run()
    app.button(key="train_start").click().run()
    until(app, lambda app: "at step" in title(app))
    first = title(app)
    until(app, lambda app: title(app) != first)
    assert figure(app)["layout"]["yaxis"]["title"]["text"] == "loss (nats per character)"


def test_the_second_half_of_a_double_click_starts_nothing(app: AppTest) -> None:
    first = start_hello(app, steps=5000)
    app.button(key="train_start").click().run()
    assert run_of(app) == first
    assert len(service._scheduler().store.runs_of(app.session_state[keys.OWNER])) == 1
    app.number_input(key="train_seed_default").set_value(1).run()
    app.button(key="train_start").click().run()  # not the same click: it asks for something else
    assert run_of(app) != first


def test_the_same_can_be_started_again_later(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    first = start_hello(app)
    monkeypatch.setattr(starting, "SECOND_CLICK", 0.0)
    app.button(key="train_start").click().run()
    assert run_of(app) != first


def test_a_start_that_fails_says_why_and_can_be_tried_again_at_once(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.switch_page(TRAIN).run()
    app.selectbox(key=keys.TEXT).select("hello").run()
    with monkeypatch.context() as full:
        full.setattr(Store, "create", lambda *_: (_ for _ in ()).throw(StoreError("The disk is full.")))
        app.button(key="train_start").click().run()
    assert "disk is full" in app.error[0].value
    app.button(key="train_start").click().run()
    assert not app.error
    assert run_of(app)


def test_pause_step_resume_stop_and_reset_do_what_they_say(app: AppTest) -> None:
    start_hello(app, steps=5000)
    store = service._scheduler().store
    steer(app, "pause").click().run()
    assert status(app) == "paused"
    step = store.get(run_of(app)).step
    steer(app, "step_once").click().run()
    assert store.get(run_of(app)).step == step + 1
    steer(app, "resume").click().run()
    assert status(app) == "running"
    steer(app, "stop").click().run()
    assert status(app) == "finished"
    assert "Stopped by hand" in app.get("progress")[0].proto.text.replace("\\", "")
    steer(app, "reset").click().run()
    assert (status(app), store.get(run_of(app)).step) == ("paused", 0)
    assert title(app) == "No step yet"


def test_a_finished_run_can_go_on(app: AppTest) -> None:
    train_hello(app)
    app.run()
    steer(app, "resume").click().run()
    until(app, lambda app: service._scheduler().store.get(run_of(app)).step == 120)


def test_the_loss_is_told_in_the_unit_that_is_chosen(app: AppTest) -> None:
    train_hello(app)
    app.run()
    for unit, words in (("bits", "bits per character"), ("perplexity", "perplexity"), ("nats", "nats per character")):
        app.selectbox(key=keys.UNIT).select(unit).run()
        assert words in figure(app)["layout"]["yaxis"]["title"]["text"]
    app.toggle(key=keys.LOG_STEPS).set_value(True).run()
    assert figure(app)["layout"]["xaxis"]["type"] == "log"


def test_a_frozen_chart_stands_still_while_the_run_goes_on(app: AppTest) -> None:
    start_hello(app, steps=5000)
    until(app, lambda app: "at step" in title(app))
    app.toggle(key=keys.FREEZE).set_value(True).run()
    still, step = title(app), service._scheduler().store.get(run_of(app)).step
    until(app, lambda app: service._scheduler().store.get(run_of(app)).step > step + 50)
    assert title(app.run()) == still
    app.toggle(key=keys.FREEZE).set_value(False).run()
    assert title(app) != still


def test_who_comes_back_without_a_link_finds_the_newest_run(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RNN_PLAYGROUND_PUBLIC", "0")
    train_hello(app)
    again = visitor().switch_page(TRAIN).run()
    assert run_of(again) == run_of(app)
    assert "at step 60" in title(again)


def test_the_runs_of_one_visitor_are_listed_and_can_be_chosen(app: AppTest) -> None:
    train_hello(app)
    first = run_of(app)
    app.number_input(key="train_seed_default").set_value(1).run()
    app.button(key="train_start").click().run()
    second = run_of(app)
    until(app, lambda app: status(app) == "finished").run()
    chooser = app.selectbox(key=f"{keys.CHOSEN_RUN}_0")
    assert set(chooser.options) == {f"LSTM 8 on hello · {i[:4]}" for i in (first, second)}
    assert list(app.dataframe[0].value["step"]) == [60, 60]
    chooser.select(first).run()
    assert run_of(app) == first


def test_a_run_is_renamed_and_deleted_where_it_is_managed(app: AppTest) -> None:
    train_hello(app)
    run_id = run_of(app)
    app.run()
    app.text_input(key=f"{keys.NEW_NAME}_{run_id}").input("five letters")
    next(b for b in app.button if b.label == "Rename").click().run()
    assert service._scheduler().store.get(run_id).name == "five letters"
    assert app.button(key=f"run_delete_{run_id}").disabled
    app.checkbox(key=f"run_sure_{run_id}").check().run()
    app.button(key=f"run_delete_{run_id}").click().run()
    assert service._scheduler().store.count_of(app.session_state[keys.OWNER]) == 0
    assert "Start training" in app.info[0].value
    assert not app.exception


def test_a_run_deleted_elsewhere_gets_a_sentence(app: AppTest) -> None:
    train_hello(app)
    service._scheduler().delete(run_of(app), app.session_state[keys.OWNER])
    app.run()
    assert "may have been deleted" in app.warning[0].value
    assert not app.exception


def test_a_visitor_keeps_as_many_runs_as_the_caps_say(app: AppTest) -> None:
    start_hello(app)
    scheduler, token = service._scheduler(), app.session_state[keys.OWNER]
    config = ModelConfig(hidden_size=4), TrainConfig(steps=1)
    for _ in range((PUBLIC.kept_per_owner or 0) - 1):
        scheduler.create(token, load("hello"), *config, start=False)
    app.number_input(key="train_seed_default").set_value(3).run()
    app.button(key="train_start").click().run()
    assert "You have 10 runs" in app.error[0].value


def test_a_store_that_is_busy_for_a_moment_does_not_forget_the_run(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    train_hello(app)
    run_id = run_of(app)
    with monkeypatch.context() as busy:
        busy.setattr(Store, "get", lambda *_: (_ for _ in ()).throw(StoreError("The run database is in use.")))
        app.run()
        assert "in use" in app.error[0].value
    assert run_of(app.run()) == run_id


# Whose runs


def test_somebody_elses_run_can_be_watched_but_not_steered(app: AppTest) -> None:
    train_hello(app)
    stranger = visitor()
    stranger.query_params["run"] = run_of(app)
    stranger.switch_page(TRAIN).run()
    assert "at step 60" in title(stranger)
    assert "somebody else's run" in said(stranger)
    assert labels(stranger) == {"Start training", "Start the race", "Sample"}


def test_who_is_recognised_late_takes_the_runs_started_until_then_along(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    train_hello(app)
    kept = "k" * 43
    monkeypatch.setattr(owner, "_keeper", lambda **_: type("Result", (), {"token": kept})())
    app.run()
    assert app.session_state[keys.OWNER] == kept
    assert service._scheduler().store.owns(run_of(app), kept)
    assert "Resume" in labels(app)


@pytest.mark.parametrize("kept", ["", None, 7, "short", "k" * 42 + "!", "k" * 5000])
def test_what_is_no_token_is_not_taken_for_one(app: AppTest, monkeypatch: pytest.MonkeyPatch, kept: object) -> None:
    app.switch_page(TRAIN).run()
    own = app.session_state[keys.OWNER]
    monkeypatch.setattr(owner, "_keeper", lambda **_: type("Result", (), {"token": kept})())
    app.run()
    assert app.session_state[keys.OWNER] == own


def test_runs_are_handed_over_again_where_that_failed_the_first_time(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    train_hello(app)
    kept = "k" * 43
    monkeypatch.setattr(owner, "_keeper", lambda **_: type("Result", (), {"token": kept})())
    with monkeypatch.context() as busy:
        busy.setattr(Scheduler, "change_owner", lambda *_: (_ for _ in ()).throw(BusyError("The server is busy.")))
        app.run()
        assert "busy" in app.error[0].value
    app.run()
    assert service._scheduler().store.owns(run_of(app), kept)


# Checkpoint files


class Upload(io.BytesIO):
    """A file as the uploader hands it over."""

    def __init__(self, data: bytes, name: str) -> None:
        super().__init__(data)
        self.name, self.size = name, len(data)


def checkpoint(steps: int = 3) -> bytes:
    state = TrainState.create(load("hello"), ModelConfig(hidden_size=4), TrainConfig(steps=10))
    list(train(state, stop_at=steps))
    return to_bytes(state)


def test_a_downloaded_run_is_read_back(tmp_path: Path) -> None:
    opened = uploads.read_checkpoint(Upload(checkpoint(), "run.safetensors"))
    assert (opened.step, opened.model.hidden_size) == (3, 4)


def test_a_file_larger_than_the_cap_is_refused_before_it_is_read() -> None:
    file = Upload(b"", "huge.safetensors")
    file.size = 41_000_000
    with pytest.raises(CheckpointError, match=r"41\.0 MB; at most 40 MB"):
        uploads.read_checkpoint(file)


@pytest.mark.parametrize("data", [b"", b"\x80\x04K\x01.", b"PK\x03\x04", b"just text", b"\x00" * 100])
def test_a_file_that_is_no_checkpoint_gets_a_sentence_with_its_name(data: bytes) -> None:
    with pytest.raises(CheckpointError, match=r"model\.bin"):
        uploads.read_checkpoint(Upload(data, "model.bin"))


def crafted(**changes: object) -> bytes:
    """A whole file whose settings or tensors were changed on purpose, its checksum made to match."""
    read = checkpoint_file.unpack(checkpoint())
    train = {**read.metadata["train"], **changes.pop("train", {})}  # type: ignore[dict-item]
    arrays = {**read.arrays, **changes}
    metadata = {name: value for name, value in read.metadata.items() if name != "format"}
    return checkpoint_file.pack(arrays, {**metadata, "train": train})  # type: ignore[arg-type]


def test_a_file_that_asks_for_more_than_the_caps_is_refused_with_the_reason() -> None:
    with pytest.raises(ConfigError, match="evaluation_chars is 100,000,000"):
        uploads.read_checkpoint(Upload(crafted(train={"evaluation_chars": 10**8}), "run.safetensors"))


@pytest.mark.parametrize("column", ["step", "epoch", "elapsed", "characters", "validation_loss", "clipped"])
@pytest.mark.parametrize("value", [-3.0, 1e300, float("inf")])
def test_a_file_with_an_impossible_history_is_refused(column: str, value: float) -> None:
    history = checkpoint_file.unpack(checkpoint()).arrays["history"].copy()
    if column == "validation_loss" and value != float("inf"):
        return  # any number may be a loss
    history[1, METRICS.index(column)] = value
    with pytest.raises(CheckpointError, match="history"):
        uploads.read_checkpoint(Upload(crafted(history=history), "run.safetensors"))


def test_a_run_from_a_file_that_is_reset_has_the_capped_vocabulary(app: AppTest) -> None:
    """Its file may know few characters; the text that is given with it may have many."""
    start_hello(app)
    text = replace(load("hello"), content="".join(map(chr, range(0x4E00, 0x4E00 + 5000))) * 2)
    state = TrainState.create(text, ModelConfig(hidden_size=2), TrainConfig(steps=2, batch_size=2, max_vocabulary=50))
    opened = checkpoint_file.unpack(to_bytes(state))
    opened = replace(opened, train=replace(opened.train, max_vocabulary=None))
    adopted = runs.capped(opened, text)
    assert adopted.train.max_vocabulary == PUBLIC.max_vocabulary


def test_a_file_finds_its_built_in_text_by_itself_and_asks_for_any_other() -> None:
    known = checkpoint_file.unpack(checkpoint())
    assert runs.text_of(known, None) == load("hello")
    text = {**known.metadata["text"], "name": "my diary.txt", "builtin": False}
    other = replace(known, metadata={**known.metadata, "text": text})
    assert runs.text_of(other, load("hello")) == load("hello")
    with pytest.raises(CheckpointError, match=r"needs the text of this run, 'my diary\.txt'"):
        runs.text_of(other, None)


def test_a_file_whose_task_has_its_own_data_needs_no_text() -> None:
    assert runs.text_of(open_shipped("digit-rows"), load("hello")) is None

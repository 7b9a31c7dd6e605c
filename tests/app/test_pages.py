"""Every page in this process, by Streamlit's own test runner: it opens, it does its job, bad input gets a sentence."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts import service, shell
from pages.parts.controls import MAX_LENGTH
from rnn.errors import StoreError
from rnn.runs.scheduler import Scheduler
from rnn.runs.store import Store
from tests.app.conftest import ENTRYPOINT

PAGES = [page.path for page in shell.PAGES]
TRAIN, SAMPLE = "pages/2_Train.py", "pages/3_Sample.py"


def until(app: AppTest, holds: Callable[[AppTest], bool], seconds: float = 60) -> AppTest:
    """Reruns the page, as its fragment does every second, until `holds`."""
    deadline = time.monotonic() + seconds
    while not holds(app):
        assert time.monotonic() < deadline, "it did not come to pass"
        assert not app.exception
        app.run()
    return app


def figure(app: AppTest, number: int = 0) -> dict[str, Any]:
    charts = app.get("plotly_chart")
    return json.loads(charts[number].proto.spec) if len(charts) > number else {}


def title(app: AppTest) -> str:
    return figure(app).get("layout", {}).get("title", {}).get("text", "")


def train_hello(app: AppTest) -> AppTest:
    """The five letters, on the smallest settings, to the end."""
    app.switch_page(TRAIN).run()
    app.selectbox(key="train_text").select("hello").run()
    app.number_input(key="train_hidden_size_default").set_value(8)
    app.number_input(key="train_steps_default").set_value(60).run()
    app.button[0].click().run()
    return until(app, lambda app: service._scheduler().store.get(run_of(app)).status == "finished")


def run_of(app: AppTest) -> str:
    return str(app.session_state[service.RUN])


@pytest.mark.parametrize("path", PAGES)
def test_page_opens_by_itself_without_an_exception(app: AppTest, path: str) -> None:
    app.switch_page(path).run()
    assert not app.exception
    assert len(app.title) == 1


def test_one_click_trains_and_the_chart_moves(app: AppTest) -> None:
    app.switch_page(TRAIN).run()
    app.number_input(key="train_hidden_size_default").set_value(8)
    app.number_input(key="train_batch_size_default").set_value(2).run()
    app.button[0].click().run()
    until(app, lambda app: "at step" in title(app))
    first = title(app)
    until(app, lambda app: title(app) != first)
    assert figure(app)["layout"]["yaxis"]["title"]["text"] == "loss (nats per character)"


def test_a_finished_run_writes_and_shows_its_softmax(app: AppTest) -> None:
    train_hello(app)
    app.switch_page(SAMPLE).run()
    assert not app.exception
    assert set(app.code[0].value) <= set("helo")
    bars = figure(app)["data"][1]
    assert sum(bars["y"]) == pytest.approx(1, abs=1e-6)
    assert title(app).startswith("Drew “")


def test_temperature_zero_writes_the_likeliest_characters(app: AppTest) -> None:
    train_hello(app)
    app.switch_page(SAMPLE).run()
    app.slider(key="sample_temperature").set_value(0.0)
    app.button(key="sample_write").click().run()
    assert max(figure(app)["data"][1]["y"]) == 1.0


def test_prime_with_unknown_characters_gets_a_sentence(app: AppTest) -> None:
    train_hello(app)
    app.switch_page(SAMPLE).run()
    app.text_input(key="sample_prime").input("hxllo")
    app.button(key="sample_write").click().run()
    assert shell.plain("'x'") in app.error[0].value
    assert not app.exception


def test_sample_page_without_a_model_leads_to_training(app: AppTest) -> None:
    app.switch_page(SAMPLE).run()
    assert "no trained model" in app.info[0].value


@pytest.mark.parametrize("text", ["x", "aaaa"])
def test_a_text_with_nothing_to_predict_gets_a_sentence_and_no_start(app: AppTest, text: str) -> None:
    app.switch_page(TRAIN).run()
    app.selectbox(key="train_text").select("Paste my own").run()
    app.text_area(key="train_paste").input(text).run()
    assert app.error
    assert app.button[0].disabled


@pytest.mark.parametrize(
    "run_id", ["nobody", "../../etc/passwd", "' OR 1=1 --", "00000000-0000-4000-8000-000000000000"]
)
def test_a_link_to_no_run_gets_a_sentence(app: AppTest, run_id: str) -> None:
    app.query_params["run"] = run_id
    app.switch_page(TRAIN).run()
    assert "no run with this id" in app.warning[0].value
    assert not app.exception


def test_somebody_elses_run_can_be_watched_but_not_steered(app: AppTest) -> None:
    train_hello(app)
    stranger = AppTest.from_file(ENTRYPOINT, default_timeout=30)
    stranger.query_params["run"] = run_of(app)
    stranger.switch_page(TRAIN).run()
    assert "at step 60" in title(stranger)
    assert [button.label for button in stranger.button] == ["Start training"]


@pytest.mark.parametrize("typed", [":red[x]", "$x$", "**x** _y_ `z` <b>", "[a](https://b)", "# - 1. > |"])
def test_what_people_typed_is_escaped_for_markdown(typed: str) -> None:
    escaped = shell.plain(typed)
    assert escaped.replace("\\", "") == typed
    assert all(escaped[i - 1] == "\\" for i, c in enumerate(escaped) if c in "!\"#$%&'()*+,-./:;<=>?@[]^_`{|}~")


def test_preflight_says_what_was_shrunk_for_a_short_text(app: AppTest) -> None:
    app.switch_page(TRAIN).run()
    app.selectbox(key="train_text").select("hello").run()
    said = " ".join(caption.value for caption in app.caption)
    assert "5 characters, 4 different ones" in said
    assert "from 48 to 4" in said


def test_choosing_another_model_while_one_trains_keeps_the_choice(app: AppTest) -> None:
    train_hello(app)
    first = run_of(app)
    app.switch_page(TRAIN).run()
    app.selectbox(key="train_text").select("hello").run()
    app.number_input(key="train_hidden_size_default").set_value(8)
    app.number_input(key="train_steps_default").set_value(5000).run()
    app.button[0].click().run()
    until(app, lambda app: service._scheduler().store.get(run_of(app)).step > 5)
    second = run_of(app)
    app.switch_page(SAMPLE).run()
    assert app.selectbox(key="sample_model").value == second
    app.selectbox(key="sample_model").select(first).run()
    app.run()
    assert run_of(app) == first
    service._scheduler().stop(second, app.session_state[service.TOKEN])


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


def test_a_step_that_would_hold_up_a_shared_server_is_refused_with_the_reason(app: AppTest) -> None:
    app.switch_page(TRAIN).run()
    app.number_input(key="train_hidden_size_default").set_value(512)
    app.number_input(key="train_batch_size_default").set_value(128).run()
    assert "times what is allowed here" in app.error[0].value
    assert app.button[0].disabled


def test_a_laptop_has_no_caps(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RNN_PLAYGROUND_PUBLIC", "0")
    app.switch_page(TRAIN).run()
    app.number_input(key="train_hidden_size_default").set_value(2048)
    app.number_input(key="train_batch_size_default").set_value(128).run()
    assert not app.error


def test_a_text_of_many_characters_is_capped_on_a_public_server(app: AppTest) -> None:
    app.switch_page(TRAIN).run()
    app.selectbox(key="train_text").select("Paste my own").run()
    app.text_area(key="train_paste").input("".join(map(chr, range(0x4E00, 0x4E00 + 6000))) * 2).run()
    assert any("capped at 4,000" in caption.value.replace("\\", "") for caption in app.caption)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0, 1e9])
def test_a_forged_learning_rate_never_becomes_a_traceback(app: AppTest, value: float) -> None:
    app.switch_page(TRAIN).run()
    app.number_input(key="train_lr_default").set_value(value).run()
    assert not app.exception


def test_a_forged_length_is_held_to_the_limit(app: AppTest) -> None:
    train_hello(app)
    app.switch_page(SAMPLE).run()
    app.number_input(key="sample_length").set_value(10**9)
    app.button(key="sample_write").click().run()
    assert not app.exception
    assert 0 < len(app.code[0].value) <= MAX_LENGTH


@pytest.mark.parametrize("path", [TRAIN, SAMPLE])
def test_a_second_server_on_the_same_runs_says_so_once(app: AppTest, path: str) -> None:
    with closing(Scheduler(Store())):
        app.switch_page(path).run()
        assert not app.exception
        assert ["Another server is already training" in warning.value for warning in app.warning] == [True]

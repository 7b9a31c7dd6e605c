"""What can be seen of a run, and how it is set, steered and mended."""

from __future__ import annotations

import json

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts import keys, service
from rnn.config import OPTIMIZERS, PRESETS, USUAL_RATES, TrainConfig
from rnn.records import RunInfo
from tests.app.conftest import TRAIN, run_of, said, start_hello, status, title, train_hello, until


def info_of(app: AppTest) -> RunInfo:
    return service._scheduler().store.get(run_of(app))


def train_of(app: AppTest) -> TrainConfig:
    return TrainConfig.from_json(info_of(app).train)


def view(app: AppTest, name: str) -> AppTest:
    return app.segmented_control(key=keys.VIEW).set_value(name).run()


def charts(app: AppTest) -> list[str]:
    """The titles of the figures."""
    return [json.loads(chart.proto.spec)["layout"]["title"]["text"] for chart in app.get("plotly_chart")]


# Settings


def test_every_optimizer_begins_with_its_usual_rate(app: AppTest) -> None:
    app.switch_page(TRAIN).run()
    own = PRESETS["default"].train
    for optimizer in OPTIMIZERS:
        app.selectbox(key="train_optimizer_default").select(optimizer).run()
        key = "train_learning_rate_default" + ("" if optimizer == own.optimizer else f"_{optimizer}")
        expected = own.learning_rate if optimizer == own.optimizer else USUAL_RATES[optimizer]
        assert app.number_input(key=key).value == pytest.approx(expected)


def test_settings_reach_the_run(app: AppTest) -> None:
    app.switch_page(TRAIN).run()
    app.selectbox(key="train_optimizer_default").select("sgd").run()
    app.selectbox(key="train_clip_default").select("value")
    app.number_input(key="train_clip_norm_default").set_value(0.5)
    app.slider(key="train_validation_default").set_value(0)
    app.number_input(key="train_minutes_default").set_value(2.5)
    app.number_input(key="train_target_loss_default").set_value(0.25)
    app.number_input(key="train_patience_default").set_value(7)
    app.number_input(key="train_dropout_default").set_value(0.25)
    start_hello(app)
    train = train_of(app)
    assert (train.optimizer, train.learning_rate) == ("sgd", USUAL_RATES["sgd"])
    assert (train.clip, train.clip_norm, train.validation_fraction) == ("value", 0.5, 0.0)
    assert (train.minutes, train.target_loss, train.patience) == (2.5, 0.25, 7)
    assert info_of(app).model["dropout"] == 0.25


def test_the_squashing_function_is_a_choice_of_the_plain_rnn_only(app: AppTest) -> None:
    app.switch_page(TRAIN).run()
    assert "train_nonlinearity_default" not in {box.key for box in app.selectbox}
    app.selectbox(key="train_cell_default").select("rnn").run()
    assert app.selectbox(key="train_nonlinearity_default").value == "tanh"


@pytest.mark.parametrize("field", ["cell", "optimizer", "clip", "truncation"])
def test_a_forged_choice_is_no_traceback(app: AppTest, field: str) -> None:
    app.query_params[f"train_{field}_default"] = "forged"
    app.switch_page(TRAIN).run()
    assert not app.exception


def test_before_the_start_the_page_tells_seconds_memory_and_speed(app: AppTest) -> None:
    app.switch_page(TRAIN).run()
    until(app, lambda app: "characters/s" in said(app))
    assert "MB" in said(app)


# Views


def test_the_loss_stands_beside_what_counting_reaches_and_is_judged(app: AppTest) -> None:
    train_hello(app)
    app.run()
    assert "trigram" in json.dumps(json.loads(app.get("plotly_chart")[0].proto.spec))
    assert any("**" in words.value and "." in words.value for words in app.markdown if ":material/" in words.value)


def test_samples_can_be_gone_through_and_stand_side_by_side(app: AppTest) -> None:
    train_hello(app)
    view(app.run(), "Samples")
    slider = next(s for s in app.select_slider if s.label == "Written after step")
    assert [int(step) for step in slider.options] == [0, 10, 20, 50, 60]
    samples = dict(service._scheduler().store.samples(run_of(app)))
    slider.set_value(10).run()
    assert samples[10] in [code.value for code in app.code]
    assert {samples[0], samples[60]} <= {code.value for code in app.code}


def test_gradients_and_updates_can_be_seen(app: AppTest) -> None:
    train_hello(app)
    view(app.run(), "Inside")
    gradient, updates, layers = charts(app)
    assert "clipped" in gradient
    assert "pdate" in updates
    assert "radient" in layers


def test_the_code_of_a_run_can_be_read_and_taken_along(app: AppTest) -> None:
    train_hello(app)
    view(app.run(), "Code")
    code = next(c.value for c in app.code if "import torch" in c.value)
    compile(code, "run.py", "exec")
    assert "nn.LSTM" in code
    assert {"run.py", "run.ipynb", "text.txt", "first.safetensors"} <= {
        b.proto.label for b in app.get("download_button")
    }


def test_a_view_without_a_step_says_what_will_come(app: AppTest) -> None:
    start_hello(app, steps=5000)
    app.button(key=f"run_stop_{run_of(app)}").click().run()
    app.button(key=f"run_reset_{run_of(app)}").click().run()
    for name in ("Samples", "Inside", "Code", "Loss"):
        assert not view(app, name).exception


def test_a_forged_view_is_the_loss(app: AppTest) -> None:
    train_hello(app)
    app.query_params[keys.VIEW] = "Forged"
    app.run()
    assert not app.exception
    assert "at step 60" in title(app)


# Steering


def test_the_learning_rate_can_be_changed_while_it_trains(app: AppTest) -> None:
    start_hello(app, steps=5000)
    slider = next(s for s in app.select_slider if s.label.startswith("Learning rate"))
    slider.set_value(0.1).run()
    assert info_of(app).rate_multiplier == pytest.approx(0.1)


def test_stops_can_be_set_while_it_trains(app: AppTest) -> None:
    start_hello(app, steps=5000)
    app.number_input(key=f"run_patience_{run_of(app)}").set_value(4)
    next(b for b in app.button if b.label == "Set the stops").click().run()
    assert train_of(app).patience == 4


def test_a_run_that_breaks_offers_the_way_on(app: AppTest) -> None:
    app.switch_page(TRAIN).run()
    app.selectbox(key="train_optimizer_default").select("sgd").run()
    app.selectbox(key="train_clip_default").select("off")
    app.number_input(key="train_learning_rate_default_sgd").set_value(50.0)
    start_hello(app, steps=400)
    store = service._scheduler().store
    until(app, lambda app: status(app) in ("paused", "finished"))
    assert store.get(run_of(app)).diverged
    app.run()
    assert "Likely cause" in app.warning[0].value
    app.button(key=f"run_recover_{run_of(app)}").click().run()
    info = store.get(run_of(app))
    assert info.rate_multiplier == pytest.approx(1 / 3)
    assert (info.train["clip"], info.train["clip_norm"]) == ("norm", 1.0)

"""For the teacher: only with the key; numbers of everybody's runs, nothing that they wrote, and a rest for all."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts import keys, service, teacher
from pages.parts.teacher import MOST_WRONG, TOO_MANY, VARIABLE, WITHIN_SECONDS, WRONG, Guesses
from rnn.config import ModelConfig, TrainConfig
from rnn.corpora import Text
from rnn.runs.store import Store
from rnn.runs.watch import HELD, PAUSED_BY_TEACHER
from tests.app.conftest import TRAIN, said, start_hello, status, visitor

KEY = "correct höhrse 🔋 staple"
MARK = "XYZZY"
SECRET = Text(f"{MARK} diary", f"Dear {MARK}, nothing happened today. " * 40)
LONG = ModelConfig(hidden_size=4), TrainConfig(batch_size=2, bptt_steps=4, steps=100_000)


@pytest.fixture(autouse=True)
def with_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, KEY)


def knock(app: AppTest, key: str) -> AppTest:
    app.text_input(key=keys.TEACHER_KEY).input(key)
    next(b for b in app.button if b.label == "Open").click()
    return app.run()


@pytest.fixture
def desk() -> AppTest:
    """A teacher's session that is let in."""
    return knock(visitor().run(), KEY)


def press(app: AppTest, name: str) -> AppTest:
    return app.button(key=f"teacher_{name}").click().run()


def metric(app: AppTest, label: str) -> str:
    return str(next(m.value for m in app.metric if m.label == label))


def is_open(app: AppTest) -> bool:
    return any(m.label == "Waiting" for m in app.metric)


@pytest.mark.parametrize("value", [None, ""])
def test_without_a_key_the_part_is_not_there(app: AppTest, monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    if value is None:
        monkeypatch.delenv(VARIABLE)
    else:
        monkeypatch.setenv(VARIABLE, value)
    app.session_state[keys.TEACHER] = True
    app.run()
    assert not app.exception
    assert "For the teacher" not in [e.label for e in app.expander]
    assert not is_open(app)


def test_a_wrong_key_gets_a_sentence_and_the_right_one_opens_until_it_is_closed(app: AppTest) -> None:
    app.run()
    assert "For the teacher" in [e.label for e in app.expander]
    assert not is_open(app)
    for wrong in ("", KEY[:-1], KEY + " ", KEY.upper()):
        knock(app, wrong)
        assert [error.value for error in app.error] == [WRONG]
        assert not is_open(app)
    assert is_open(knock(app, KEY))
    assert not app.exception
    assert not [t for t in app.text_input if t.key == keys.TEACHER_KEY]
    assert is_open(app.run())
    assert not is_open(press(app, "close"))


def test_the_key_stands_neither_in_the_url_nor_in_what_the_session_keeps(desk: AppTest) -> None:
    assert is_open(desk)
    assert KEY not in str(dict(desk.query_params))
    assert KEY not in repr(desk.session_state)


def test_few_keys_can_be_tried_a_minute_whoever_tries_them() -> None:
    now = [0.0]
    guesses = Guesses(lambda: now[0])
    assert guesses.refusal(KEY, KEY) == ""
    for second in range(MOST_WRONG):
        now[0] = second
        assert guesses.refusal("\ud800", KEY) == WRONG
    assert guesses.refusal("x", KEY) == guesses.refusal(KEY, KEY) == TOO_MANY
    now[0] = WITHIN_SECONDS
    assert guesses.refusal("x", KEY) == WRONG  # the first is a minute old, so one more may be tried
    assert guesses.refusal(KEY, KEY) == TOO_MANY
    now[0] = 3 * WITHIN_SECONDS
    assert guesses.refusal(KEY, KEY) == ""


def test_a_new_session_does_not_begin_to_count_anew(app: AppTest) -> None:
    app.run()
    for _ in range(MOST_WRONG):
        knock(app, "guess")
    other = knock(visitor().run(), KEY)
    assert [error.value for error in other.error] == [TOO_MANY]
    assert not is_open(other)


def test_the_list_shows_who_trains_what_and_nothing_that_they_wrote(desk: AppTest) -> None:
    runs = service._scheduler()
    trains = runs.create("anna's token", SECRET, *LONG, "*diary* <b>")
    for _ in range(3):
        runs.create("ben's token", SECRET, *LONG, "of ben")
    assert runs.wait_for_step(trains, 1, 30)
    desk.run()
    assert not desk.exception
    table = desk.dataframe[0].value
    assert list(table["visitor"]) == ["visitor 1", *["visitor 2"] * 3]
    assert list(table["run"]) == ["*diary* <b>", *["of ben"] * 3]
    assert list(table["is"]) == ["running", "running", "running", "number 1 in the queue"]
    assert (metric(desk, "Training"), metric(desk, "Waiting"), metric(desk, "Visitors")) == ("3", "1", "2")
    assert metric(desk, "Memory").endswith(" MB")
    assert int(metric(desk, "Memory").removesuffix(" MB").replace(",", "")) > 50
    shown = str(desk.main) + table.to_csv()
    for hidden in (MARK, trains, "anna's token"):
        assert hidden not in shown
    chart = desk.get("plotly_chart")[-1].proto
    assert chart.alt.startswith(f"{metric(desk, 'Characters/s')} characters/s, {metric(desk, 'Memory')}")


def test_pause_all_rests_a_visitors_run_which_says_so_and_can_be_resumed(app: AppTest, desk: AppTest) -> None:
    start_hello(app, steps=5_000)
    press(desk.run(), "pause_all")
    assert status(app) == "paused"
    app.run()
    assert PAUSED_BY_TEACHER in [info.value.replace("\\", "") for info in app.info]
    app.button(key=f"run_resume_{app.session_state[keys.RUN]}").click().run()
    assert status(app) == "running"
    press(desk.run(), "pause_all")
    press(desk, "resume_all")
    assert status(app) == "running"


def test_on_hold_a_start_and_a_resume_get_a_sentence_and_a_release_lets_them_through(
    app: AppTest, desk: AppTest
) -> None:
    start_hello(app, steps=5_000)
    run_id = app.session_state[keys.RUN]
    app.button(key=f"run_pause_{run_id}").click().run()
    press(desk, "hold")
    assert "On hold" in desk.warning[0].value
    app.button(key=f"run_resume_{run_id}").click().run()
    assert status(app) == "paused"
    assert HELD in app.toast[0].value.replace("\\", "")
    app.number_input(key="train_seed_default").set_value(1).run()
    app.button(key="train_start").click().run()
    assert app.error[0].value.replace("\\", "") == HELD
    assert service._scheduler().store.count_of(app.session_state[keys.OWNER]) == 1
    press(desk, "release")
    app.button(key="train_start").click().run()
    assert not app.error
    assert service._scheduler().store.count_of(app.session_state[keys.OWNER]) == 2


def test_who_waits_while_all_is_held_is_told_so(app: AppTest, desk: AppTest) -> None:
    start_hello(app, steps=100_000)
    runs, token = service._scheduler(), app.session_state[keys.OWNER]
    runs.create(token, SECRET, *LONG)
    waits = runs.create(token, SECRET, *LONG)
    press(desk, "hold")
    app.query_params["run"] = waits
    app.switch_page(TRAIN).run()
    assert "number 1 in the queue, held by the teacher" in app.get("progress")[0].proto.text


def test_a_forged_click_of_a_session_that_was_not_let_in_does_nothing(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.run()
    monkeypatch.setattr(teacher.st, "session_state", app.session_state)
    teacher._carry_out("hold")
    assert not service._scheduler().is_held


def test_a_store_that_cannot_be_read_gets_a_sentence(desk: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    from rnn.errors import StoreError

    monkeypatch.setattr(Store, "active", lambda _: (_ for _ in ()).throw(StoreError("The run database is in use.")))
    desk.run()
    assert not desk.exception
    assert "in use" in said(desk) + desk.error[0].value

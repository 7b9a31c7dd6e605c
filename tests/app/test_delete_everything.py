"""Delete everything of mine: after one confirmation nothing is kept of the visitor, on the server or in the session."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts import keeping, keys, owner, service
from pages.parts.texts import PASTE
from rnn.errors import StoreError
from rnn.runs.scheduler import Scheduler
from tests.app.conftest import TRAIN, said, start_hello, status, train_hello, until

MARK = "XYZZY"


def start_own_text(app: AppTest) -> AppTest:
    """A run that is at work on a text of the visitor's own."""
    app.switch_page(TRAIN).run()
    app.selectbox(key=keys.TEXT).select(PASTE).run()
    app.text_area(key=keys.PASTE).input(f"Dear {MARK}, nothing happened today. " * 60).run()
    app.number_input(key="train_hidden_size_default").set_value(8)
    app.number_input(key="train_steps_default").set_value(5_000).run()
    app.button(key="train_start").click().run()
    return until(app, lambda app: service._scheduler().store.get(app.session_state[keys.RUN]).step > 0)


def test_it_is_offered_as_soon_as_something_is_owned_with_what_is_kept_and_for_how_long(app: AppTest) -> None:
    app.switch_page(TRAIN).run()
    assert "Delete everything of mine" not in [p.proto.popover.label for p in app.get("popover")]
    start_hello(app)
    assert app.button(key="delete_everything").label == "Yes, delete everything"
    assert keeping.kept_for() in said(app)


@pytest.mark.parametrize("public", ["0", "1"])
def test_one_confirmation_removes_runs_texts_files_and_what_the_session_keeps(
    app: AppTest, own_home: Path, monkeypatch: pytest.MonkeyPatch, public: str
) -> None:
    monkeypatch.setenv("RNN_PLAYGROUND_PUBLIC", public)
    start_own_text(app)
    run_id, token = app.session_state[keys.RUN], app.session_state[keys.OWNER] if public == "1" else ""
    assert status(app) == "running"
    app.button(key="delete_everything").click().run()
    assert not app.exception
    store = service._scheduler().store
    assert store.active() == []
    assert list((own_home / "runs").iterdir()) == []
    assert not [p.name for p in own_home.rglob("*") if p.is_file() and MARK.encode() in p.read_bytes()]
    kept = repr(app.session_state)
    for gone in (MARK, run_id, *([token] if token else [])):
        assert gone not in kept
    assert keys.RUN not in app.query_params
    assert app.session_state[keys.FORGETS] is True
    assert "Start training" in app.info[0].value
    if public == "1":
        assert app.session_state[keys.OWNER] != token


def test_the_browser_is_asked_to_forget_and_its_old_token_is_not_taken_back(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    start_hello(app)
    old, asked = app.session_state[keys.OWNER], []

    def keeper(**options: object) -> object:
        asked.append(options["data"])
        return type("Result", (), {"token": old})()

    monkeypatch.setattr(owner, "_keeper", keeper)
    app.button(key="delete_everything").click().run()
    app.run()
    assert asked == [{"forget": True}] * 2
    assert app.session_state[keys.OWNER] != old


def test_what_cannot_be_deleted_stays_and_the_page_says_why(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    train_hello(app).run()  # to its end: the rerun that ends a run would take the message along
    token = app.session_state[keys.OWNER]

    def refuses(*_: object) -> None:
        raise StoreError("The run database is in use.")

    with monkeypatch.context() as busy:
        busy.setattr(Scheduler, "delete_all", refuses)
        app.button(key="delete_everything").click().run()
    assert "in use" in app.toast[0].value
    assert app.session_state[keys.OWNER] == token
    assert keys.FORGETS not in app.session_state
    assert service._scheduler().store.count_of(token) == 1


def test_a_page_that_was_opened_anew_says_that_everything_is_deleted_and_no_other_does(app: AppTest) -> None:
    app.query_params[keys.DELETED] = "1"
    app.switch_page(TRAIN).run()
    assert [toast.value for toast in app.toast] == ["Everything of yours is deleted."]
    assert keys.DELETED not in app.query_params
    start_hello(app)
    app.query_params[keys.DELETED] = "1"
    app.run()
    assert not app.toast

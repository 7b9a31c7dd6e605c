"""Page tests run the pages in this process, so what one test has cached is not there for the next."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pages.parts import home, keys, service, writing

ENTRYPOINT = Path(__file__).parents[2] / "streamlit_app.py"
TRAIN, SAMPLE = "pages/2_Train.py", "pages/3_Sample.py"


@pytest.fixture(autouse=True)
def empty_caches() -> Iterator[None]:
    st.cache_data.clear()
    st.cache_resource.clear()
    yield
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture(autouse=True)
def in_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody watches a text appear."""
    for part in (writing, home):
        monkeypatch.setattr(part, "REDRAW_SECONDS", 0.0)


@pytest.fixture
def app() -> AppTest:
    """The app before its first run: `app.run()` is Home, `app.switch_page("pages/2_Train.py").run()` another page."""
    return visitor()


def visitor() -> AppTest:
    """A session of its own."""
    return AppTest.from_file(ENTRYPOINT, default_timeout=30)


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


def said(app: AppTest) -> str:
    """The captions of the page."""
    return " ".join(caption.value.replace("\\", "") for caption in app.caption)


def start_hello(app: AppTest, steps: int = 60) -> str:
    """Starts the five letters on the smallest settings; the run's id."""
    app.switch_page(TRAIN).run()
    app.selectbox(key=keys.TEXT).select("hello").run()
    app.number_input(key="train_hidden_size_default").set_value(8)
    app.number_input(key="train_steps_default").set_value(steps).run()
    app.button(key="train_start").click().run()
    return run_of(app)


def train_hello(app: AppTest) -> AppTest:
    """The same to its end."""
    start_hello(app)
    return until(app, lambda app: status(app) == "finished")


def run_of(app: AppTest) -> str:
    return str(app.session_state[keys.RUN])


def status(app: AppTest) -> str:
    return str(service._scheduler().store.get(run_of(app)).status)

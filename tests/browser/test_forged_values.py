"""What a raw websocket claims: values that no widget lets one enter. Every page of a public server gets them all."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetState

from benchmarks.streamlit_client import Visitor
from pages.parts.limits import PUBLIC
from rnn.runs.store import Store
from tests.browser.forging import forged, malformed
from tests.browser.playground import Server

PAGES = ("", "Architecture", "Train", "Sample", "Unroll_Visualizer", "Truncated_BPTT")
TOGETHER = 40  # values that are claimed at once, each for another widget
OF_OURS = "/pages/"  # in a traceback: a line of this project


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("public"), {"RNN_PLAYGROUND_PUBLIC": "1"}) as server:
        yield server


def rounds(widgets: list[tuple[str, Any, str]], values: Any) -> Iterator[list[WidgetState]]:
    """All values of all widgets, several widgets at a time, each of which has one."""
    waiting = [list(values(kind, widget)) for kind, widget, _ in widgets]
    waiting = [states for states in waiting if states]
    while waiting:
        yield [states.pop() for states in waiting[:TOGETHER]]
        waiting = [states for states in waiting if states]
        waiting = waiting[TOGETHER:] + waiting[:TOGETHER]  # all get their turn


async def claim_all(server: Server, page: str) -> list[str]:
    """Exceptions that were on the page."""
    async with Visitor(server.port, page) as visitor:
        widgets = visitor.widgets()
        assert page == "" or len(widgets) > 3
        for states in rounds(widgets, forged):
            for state in states:
                visitor.forge(state)
            await visitor.rerun()
            visitor.forge(None)
        return [shown for shown in visitor.complaints if "Error:" in shown or "Exception" in shown]


async def garble(server: Server, page: str) -> None:
    """Claims what is not even of a widget's type: Streamlit may end such a session, and no other."""
    async with Visitor(server.port, page) as visitor:
        widgets = visitor.widgets()
    for states in list(rounds(widgets, malformed))[:4]:
        async with Visitor(server.port, page) as visitor:
            for state in states:
                visitor.forge(state)
            with suppress(TimeoutError, OSError, ConnectionError):
                async with asyncio.timeout(10):
                    await visitor.rerun()


@pytest.mark.parametrize("page", PAGES)
def test_no_forged_value_breaks_a_page(public: Server, page: str) -> None:
    assert asyncio.run(claim_all(public, page)) == []
    assert public.answers()


def test_no_forged_value_has_made_a_traceback_of_ours_or_a_run_beyond_the_caps(public: Server) -> None:
    log = public.log.read_text(errors="replace")
    assert "Traceback" not in log, public.tail()
    store = Store(public.home)
    try:
        for info in [info for info, _ in store.active()]:
            assert int(str(info.train["steps"])) <= PUBLIC.steps
            assert int(str(info.model["hidden_size"])) <= PUBLIC.hidden_size
    finally:
        store.close()


def test_what_is_no_value_at_all_leaves_the_server_to_the_others(public: Server) -> None:
    asyncio.run(garble(public, "Train"))
    assert asyncio.run(claim_nothing(public)) == []


async def claim_nothing(server: Server) -> list[str]:
    async with Visitor(server.port, "Train") as visitor:
        await visitor.rerun()
        return visitor.complaints

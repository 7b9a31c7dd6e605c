"""What a raw websocket claims that widgets hold: Streamlit checks most limits in the browser only, so pages do too.

No browser is needed for it: `benchmarks.streamlit_client` speaks the protocol.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from itertools import islice
from typing import Any
from urllib.parse import urlencode

import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetState

from benchmarks.streamlit_client import Visitor
from pages.parts import keys
from pages.parts.limits import PUBLIC
from rnn.catalogue import TASKS
from rnn.runs.store import Store
from tests.browser import forging
from tests.browser.playground import Server

EACH = 1  # values of each widget alone
ROUNDS = 4  # in which all widgets of a page claim something at once
TASK_TITLES = [task.title for kind, task in TASKS.items() if kind != "next-character"]
# Home has a button and nothing to enter.
VIEWS: dict[str, list[dict[str, str]]] = {
    "Architecture": [{keys.ARCH_VIEW: v} for v in ("Network", "Cell", "Step", "hello", "Cost", "Tasks")],
    "Train": [
        *({keys.TEXT: v} for v in ("hello", "Paste my own", "Upload a .txt file")),
        *({keys.TASK: title} for title in TASK_TITLES),
    ],
    "Sample": [
        {keys.SAMPLE_VIEW: v} for v in ("Text", "Step by step", "Score a text", "Compare", "Copied?")
    ],
    "Unroll_Visualizer": [
        {keys.UNROLL_VIEW: v} for v in ("Graph", "States", "Units", "Match", "Influence", "Memory")
    ],
    "Truncated_BPTT": [{keys.BPTT_VIEW: v} for v in ("Chunks", "Gradient", "Learning", "Vanishing", "Proof")],
}  # fmt: skip
EXCEPTION = re.compile(r"\w*(Error|Exception|Interrupt)\b")


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server for strangers."""
    with Server(tmp_path_factory.mktemp("public"), {"RNN_PLAYGROUND_PUBLIC": "1"}) as server:
        yield server


def visit(
    server: Server, page: str, query: dict[str, str], conversation: Callable[[Visitor], Awaitable[None]]
) -> Visitor:
    async def main() -> Visitor:
        visitor = Visitor(server.port, page)
        visitor.query = urlencode(query)
        async with visitor:
            await conversation(visitor)
        return visitor

    # In a thread of its own: in this one, a browser of other tests may have a loop already.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(main())).result()


def exceptions(visitor: Visitor) -> list[str]:
    return [complaint for complaint in visitor.complaints if EXCEPTION.match(complaint)]


async def asks(visitor: Visitor, *claims: WidgetState) -> None:
    """Claims these values, and no others."""
    visitor.forge(None)
    for claim in claims:
        visitor.forge(claim)
    await visitor.rerun()
    assert not exceptions(visitor), (exceptions(visitor), [(c.id, str(c)[-200:]) for c in claims])


TRIED: set[str] = set()  # widgets whose values were claimed alone


@pytest.mark.parametrize(("page", "query"), [(page, query) for page, views in VIEWS.items() for query in views])
def test_no_value_that_a_widget_can_hold_breaks_a_page(public: Server, page: str, query: dict[str, str]) -> None:
    before = public.log.stat().st_size

    async def one_after_the_other(visitor: Visitor) -> None:
        for kind, widget, _ in visitor.widgets():
            values = list(forging.forged(kind, widget))
            own = kind in ("bidi_component", "plotly_chart", "dataframe")  # what our own code reads
            if widget.id not in TRIED and values:
                TRIED.add(widget.id)
                random.Random(widget.id).shuffle(values)
                for claim in values if own else islice(values, EACH):
                    await asks(visitor, claim)

    async def all_at_once(visitor: Visitor) -> None:
        for number in range(ROUNDS):
            values = [list(forging.forged(kind, widget)) for kind, widget, _ in visitor.widgets()]
            await asks(visitor, *(some[(number * 3 + i) % len(some)] for i, some in enumerate(values) if some))

    visit(public, page, query, one_after_the_other)
    visit(public, page, query, all_at_once)
    said = public.log.read_bytes()[before:].decode(errors="replace")
    # Where a cell of a table holds no number, Streamlit itself notes it with a traceback, leaves the cell and goes on.
    assert said.count("Traceback") == said.count("Failed to parse value")


def test_what_no_widget_can_hold_harms_nobody_else_and_tells_nothing(public: Server) -> None:
    """Streamlit's own code fails at it before a page does; the forger sees the kind of the error and no more."""
    shown: list[str] = []
    widgets: dict[str, Any] = {}

    async def look(visitor: Visitor) -> None:
        assert not visitor.complaints
        widgets.update({kind: widget for kind, widget, _ in visitor.widgets()})

    async def lie(kind: str, visitor: Visitor) -> None:
        for claim in forging.malformed(kind, widgets[kind]):
            visitor.forge(None)
            visitor.forge(claim)
            await visitor.rerun()
        shown.extend(exceptions(visitor))

    for page, query in (("Train", {keys.TEXT: "Paste my own"}), ("Unroll_Visualizer", {keys.UNROLL_VIEW: "States"})):
        widgets.clear()
        visit(public, page, query, look)
        for kind in list(widgets):  # what cannot be read stays with its session, so each kind gets one
            visit(public, page, query, partial(lie, kind))
        visit(public, page, query, look)
    assert shown  # else this test tests nothing
    assert all("The original error message is redacted" in text and "File" not in text for text in shown)
    assert public.answers()


@pytest.mark.parametrize(("number", "becomes"), [(512.0, 512), (513.0, 192), (1e308, 192), (-1e308, 192)], ids=str)
def test_a_run_that_is_started_with_forged_settings_is_within_the_caps(
    public: Server, number: float, becomes: int
) -> None:
    """A number out of its range is the default again."""

    async def start(visitor: Visitor) -> None:
        for kind, widget, _ in visitor.widgets():
            # With all the caps at once a step would be too long, and no run would start.
            if kind == "number_input" and not re.search("layers|embedding|batch", widget.id):
                visitor.forge(WidgetState(id=widget.id, double_value=number))
        await visitor.rerun()
        await visitor.click("train_start")

    visitor = visit(public, "Train", {keys.TEXT: "hello"}, start)
    assert not exceptions(visitor)
    with closing(Store(public.home)) as store:
        found = [store.get(row["id"]) for row in store._rows("SELECT id FROM runs")]
    assert found
    assert becomes in {run.model["hidden_size"] for run in found}
    for run in found:
        assert 1 <= run.model["hidden_size"] <= PUBLIC.hidden_size
        assert 1 <= run.train["steps"] <= PUBLIC.steps
        assert 1 <= run.train["bptt_steps"] <= PUBLIC.bptt_steps
        assert 1 <= run.train["batch_size"] <= PUBLIC.batch_size


@pytest.mark.parametrize(
    ("page", "query", "key", "length", "sentence"),
    [
        ("Train", {keys.TEXT: "Paste my own"}, keys.PASTE, 5_000_001, "at most 5,000,000 are accepted"),
        ("Sample", {}, keys.PRIME, 2_001, "at most 2,000 are read"),
        ("Sample", {keys.SAMPLE_VIEW: "Score a text"}, keys.SCORED, 20_001, "at most 20,000 are scored"),
        ("Unroll_Visualizer", {}, keys.READ_TEXT, 1_000_001, "characters"),
    ],
)  # fmt: skip
def test_a_text_that_is_too_long_is_refused_in_a_sentence(
    public: Server, page: str, query: dict[str, str], key: str, length: int, sentence: str
) -> None:
    said: list[Any] = []

    async def claim(visitor: Visitor) -> None:
        widget = next(w for _, w, _ in visitor.widgets() if w.id.endswith(f"-{key}"))
        await asks(visitor, WidgetState(id=widget.id, string_value="ab\n" * (length // 3 + 1)))
        said.extend([*visitor.complaints, *(m.body for m in visitor.drawn("markdown"))])

    visit(public, page, query, claim)
    assert any(sentence in text.replace("\\", "") for text in said), said

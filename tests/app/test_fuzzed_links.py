"""Whatever the query of a link says, its page opens: names that pages know with values that they do not, and both."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from pages.parts import keys
from tests.app.conftest import SAMPLE, TRAIN, visitor

VIEWS: list[tuple[str, dict[str, str]]] = [
    ("streamlit_app.py", {}),
    *(("pages/1_Architecture.py", {keys.ARCH_VIEW: v}) for v in ("Network", "Cell", "Step", "hello", "Cost", "Tasks")),
    *((TRAIN, {keys.TEXT: v}) for v in ("hello", "Paste my own")),
    (TRAIN, {keys.TASK: "Sentiment"}),
    *((SAMPLE, {keys.SAMPLE_VIEW: v}) for v in ("Text", "Step by step", "Score a text", "Compare")),
    *(("pages/4_Unroll_Visualizer.py", {keys.UNROLL_VIEW: v}) for v in ("Graph", "States", "Units", "Influence")),
    *(("pages/5_Truncated_BPTT.py", {keys.BPTT_VIEW: v}) for v in ("Chunks", "Learning", "Vanishing")),
]  # fmt: skip
BY_HAND = (
    keys.RUN, keys.SHIPPED, keys.LOOKED_AT, keys.DELETED, keys.LESSON, keys.LESSON_STEP, keys.LOCK, keys.HIDE,
    keys.PRESENT, keys.READ_TEXT, keys.READ_PASSAGE, keys.SCORED,
)  # fmt: skip
NUMBERS = st.one_of(
    st.integers(-(10**25), 10**25), st.floats(), st.sampled_from(["1e400", "0x10", "١٢", "-0", "1_000", "٣.٥"])
)
VALUES = st.one_of(NUMBERS.map(str), st.text(max_size=60), st.sampled_from(["true", "none", "x" * 5_000, "../../x"]))


def asked_of(app: AppTest) -> list[str]:
    """The parameters that the page on show reads."""
    protos = (getattr(node, "proto", None) for node in app._tree)
    names = {getattr(proto, "query_param_key", "") for proto in protos} - {""}
    return sorted(names | set(BY_HAND))


@pytest.mark.parametrize(("page", "view"), VIEWS, ids=[f"{p[:-3]} {' '.join(v.values())}" for p, v in VIEWS])
def test_whatever_a_link_says_its_page_opens(page: str, view: dict[str, str]) -> None:
    names = asked_of(opened(page, view))
    assert set(view) <= set(names)

    @given(st.dictionaries(st.sampled_from(names), st.one_of(VALUES, st.lists(VALUES, max_size=3)), max_size=8))
    @settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    def opens(query: dict[str, Any]) -> None:
        opened(page, {**view, **query})

    opens()


def opened(page: str, query: dict[str, Any]) -> AppTest:
    app = visitor()
    app.query_params.update(query)
    (app if page == "streamlit_app.py" else app.switch_page(page)).run()
    assert not app.exception, (page, query, [e.value for e in app.exception])
    return app

"""Every control says in a line what it is for: wherever it is written, and as the pages show it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts import keys, lesson
from rnn.catalogue import TASKS
from tests.app.conftest import visitor

FOLDER = Path(__file__).parents[2] / "pages"
KINDS = (
    "selectbox", "segmented_control", "number_input", "slider", "select_slider", "toggle", "text_area", "text_input",
    "pills", "radio", "multiselect", "checkbox", "file_uploader",
)  # fmt: skip
VIEWS = {  # by the page and the widget that chooses what is shown, the choices
    "Architecture": [
        (keys.ARCH_VIEW, ("Network", "Cell", "Step", "hello", "Cost", "Tasks")),
        ("arch_cost_part", ("Parameters", "Against T", "Weights")),
    ],
    "Train": [(keys.TASK, tuple(task.title for task in TASKS.values()))],
    "Sample": [(keys.SAMPLE_VIEW, ("Text", "Step by step", "Score a text", "Compare", "Copied?"))],
    "Unroll Visualizer": [
        (keys.UNROLL_VIEW, ("Graph", "States", "Units", "Match", "Influence", "Memory")),
        ("unroll_influence_question", ("Three cells", "Change a character", "Silence a unit")),
    ],
    "Truncated BPTT": [
        (keys.BPTT_VIEW, ("Chunks", "Gradient", "Learning", "Vanishing", "Proof")),
        ("bptt_learning_part", ("Delayed recall", "By position in the chunk")),
        ("bptt_vanish_part", ("Clipping", "How gates keep the path open")),
        ("bptt_chunks_part", ("In a batch", "The line that cuts")),
    ],
}  # fmt: skip
PARENT = {  # the view that a part belongs to
    "arch_cost_part": (keys.ARCH_VIEW, "Cost"), "unroll_influence_question": (keys.UNROLL_VIEW, "Influence"),
    "bptt_learning_part": (keys.BPTT_VIEW, "Learning"), "bptt_vanish_part": (keys.BPTT_VIEW, "Vanishing"),
    "bptt_chunks_part": (keys.BPTT_VIEW, "Chunks"),
}  # fmt: skip


def calls() -> Iterator[tuple[str, ast.Call]]:
    for path in sorted(FOLDER.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            name = getattr(node.func, "attr", getattr(node.func, "id", "")) if isinstance(node, ast.Call) else ""
            if name in KINDS:
                yield f"{path.name}:{node.lineno}", node


def test_every_control_is_written_with_a_line_of_help() -> None:
    found = list(calls())
    assert len(found) > 100
    without = [
        where for where, call in found
        if not any(keyword.arg == "help" for keyword in call.keywords)
        and not any(getattr(k.value, "id", "") in ("options", "more") for k in call.keywords if k.arg is None)
    ]  # fmt: skip
    assert without == []


def without_help(app: AppTest) -> list[str]:
    assert not app.exception
    return [widget.proto.label for kind in KINDS for widget in app.get(kind) if not widget.proto.help]


@pytest.mark.parametrize("page", VIEWS)
def test_every_control_of_every_view_shows_its_help(page: str) -> None:
    for key, choices in VIEWS[page]:
        for choice in choices:
            app = visitor()
            for name, value in filter(None, ((key, choice), PARENT.get(key))):
                app.query_params[name] = value
            app.switch_page(lesson.PATHS[page]).run()
            assert without_help(app) == [], choice


def test_the_glossary_is_on_every_page_and_can_be_searched(app: AppTest) -> None:
    app.session_state[keys.GLOSSARY] = True
    app.switch_page(lesson.PATHS["Sample"]).run()
    app.text_input(key=keys.GLOSSARY_SEARCH).set_value("gates of the lstm").run()
    assert not app.exception
    listed = next(m.value for m in app.sidebar.markdown if "**gates of the LSTM**" in m.value)
    assert "cs231n, lecture 10](https://cs231n.stanford.edu/)" in listed
    assert not any("**temperature**" in m.value for m in app.sidebar.markdown)
    app.text_input(key=keys.GLOSSARY_SEARCH).set_value("<b>:red[x]$").run()
    assert not app.exception
    assert any("Nothing here is called so" in c.value for c in app.sidebar.caption)

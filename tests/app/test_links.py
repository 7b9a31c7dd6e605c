"""The link to a page, opened by somebody else, shows the same figures: every view, several settings each."""

from __future__ import annotations

import ast
import fnmatch
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts import address, keys, service
from rnn.errors import PlaygroundError
from tests.app.conftest import SAMPLE, TRAIN, start_hello, visitor

ARCHITECTURE, UNROLL, BPTT = "pages/1_Architecture.py", "pages/4_Unroll_Visualizer.py", "pages/5_Truncated_BPTT.py"
TEXT = "The class is (an [instance]) of its own class, and every instance of it knows which."
T, ON_TEXT = len(TEXT), {keys.READ_TEXT: TEXT}

VIEWS: dict[str, tuple[str, list[dict[str, Any]]]] = {  # what is set one after the other: a view, then what it shows
    "Network": (ARCHITECTURE, [{"arch_cell": "gru", "arch_hidden": 5}, {"arch_text": "hole", "arch_steps": 4}]),
    "Network that is shipped": (ARCHITECTURE, [{keys.BLUEPRINT: "shipped:gru"}, {"arch_shape": "Many to one"}]),
    "Cell": (ARCHITECTURE, [
        {keys.ARCH_VIEW: "Cell", "arch_cell": "lstm"}, {"arch_cell_again": ...},
        {"arch_cell_context": "hel", "arch_cell_character": "o"},
    ]),
    "Cost": (ARCHITECTURE, [{keys.ARCH_VIEW: "Cost", keys.BLUEPRINT: "shipped:lstm"}, {"arch_cost_part": "Weights"},
                            {"arch_cost_matrix_lstm": "W_hy, output"}]),
    "Tasks": (ARCHITECTURE, [{keys.ARCH_VIEW: "Tasks"}, {"arch_task_shape": "Many to one"},
                             {"arch_shape_another": ...}]),
    "Train": (TRAIN, [{keys.TASK: "Sentiment"}, {keys.DEMO_VIEW: "Answers"}]),
    "Sample": (SAMPLE, [{keys.MODEL: "shipped:gru", keys.PRIME: "for x in", keys.TEMPERATURE: 0.5, keys.SEED: 7},
                        {keys.LENGTH: 90, keys.TOP_K: 5}, {"sample_position_*_90": 12}]),
    "Score": (SAMPLE, [{keys.SAMPLE_VIEW: "Score a text"}, {keys.SCORED: TEXT * 4}, {f"{keys.SCORED_FROM}_96": 30}]),
    "Compare": (SAMPLE, [{keys.SAMPLE_VIEW: "Compare", keys.LENGTH: 40}, {keys.COMPARISON: "Seeds"},
                         {"sample_count": 3}]),
    "Graph": (UNROLL, [{keys.READ_MODEL: "shipped:rnn", **ON_TEXT}, {"unroll_graph_T": 5, "unroll_graph_from": 7},
                       {"unroll_graph_at": 9}]),
    "Another passage": (UNROLL, [{keys.READ_MODEL: "shipped:gru"}, {"read_other": ...}, {"read_other": ...}]),
    "States": (UNROLL, [{keys.UNROLL_VIEW: "States", **ON_TEXT},
                        {keys.VECTOR: "c", "unroll_states_order": "By variance"},
                        {f"unroll_states_window_{T}": (3, 40), f"{keys.CHOSEN_UNIT}_192": 8}]),
    "Highway": (UNROLL, [{keys.UNROLL_VIEW: "States", **ON_TEXT}, {"unroll_states_panel": "Highway"},
                         {f"unroll_states_from_{T}": (5, 20)}]),
    "Units": (UNROLL, [{keys.UNROLL_VIEW: "Units", **ON_TEXT}, {"unroll_units_on": "The text above"},
                       {"unroll_units_feature": "position in word"}]),
    "Match": (UNROLL, [{keys.UNROLL_VIEW: "Match", **ON_TEXT}, {f"unroll_match_span_{T}": (15, 20)},
                       {"unroll_match_signs": "also below minus it"}]),
    "Influence": (UNROLL, [{keys.UNROLL_VIEW: "Influence", **ON_TEXT}, {"unroll_influence_of": "logit"},
                           {"unroll_influence_signed": True}]),
    "Change": (UNROLL, [{keys.UNROLL_VIEW: "Influence", **ON_TEXT},
                        {"unroll_influence_question": "Change a character"},
                        {"unroll_influence_signed_states": True}]),
    "Memory": (UNROLL, [{keys.UNROLL_VIEW: "Memory", **ON_TEXT}, {"unroll_memory_part": "The path of the state"},
                        {f"unroll_memory_drawn_{T}": (4, 30), "unroll_memory_colour": "depth"}]),
    "Chunks": (BPTT, [{keys.READ_MODEL: "shipped:rnn", **ON_TEXT}, {"bptt_chunks_k": 6, "bptt_chunks_count": 3},
                      {"bptt_chunks_moment": 4}]),
    "Vanishing": (BPTT, [{keys.BPTT_VIEW: "Vanishing"}, {"bptt_vanish_radius": 1.2, "bptt_vanish_seed": 3}]),
    "Proof": (BPTT, [{keys.BPTT_VIEW: "Proof", **ON_TEXT}, {"bptt_proof_again": ...}, {"bptt_proof_cut": 20}]),
}  # fmt: skip


def widgets(app: AppTest) -> dict[str, Any]:
    return {node.key: node for node in app._tree if getattr(node, "key", None)}


def set_all(app: AppTest, values: dict[str, Any]) -> None:
    """Sets these, clicks where the value is an ellipsis, and runs the page once. A star in a key is any text."""
    found = widgets(app)
    for pattern, value in values.items():
        matching = fnmatch.filter(found, pattern)
        assert len(matching) == 1, f"{pattern} is none of {sorted(found)}"
        key = matching[0]
        if value is ...:
            found[key].click()
        else:
            found[key].set_value(value)
    app.run()
    assert not app.exception


def link(app: AppTest) -> dict[str, Any]:
    """The parameters that the browser's URL has: those that the page put there, and those of widgets in it.

    AppTest has no browser, which writes the latter: what is chosen by its label, everything else as it is printed.
    """
    parameters: dict[str, Any] = dict(app.query_params)
    for key, widget in widgets(app).items():
        if getattr(widget.proto, "query_param_key", ""):
            value = widget.value
            several = value if isinstance(value, list | tuple) else [] if value is None else [value]
            parameters[key] = [_printed(widget, one) for one in several]
    return parameters


def _printed(widget: Any, value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    shown = getattr(widget, "format_func", None)
    return str(shown(value)) if shown is not None and widget.type not in ("slider",) else str(value)


def figures(app: AppTest) -> list[tuple[str, str]]:
    return [(chart.proto.alt, chart.proto.spec) for chart in app.get("plotly_chart")]


@pytest.mark.parametrize("view", VIEWS)
def test_a_link_opens_the_same_figures(app: AppTest, view: str) -> None:
    path, changes = VIEWS[view]
    app.switch_page(path).run()
    shown = []
    for values in changes:
        set_all(app, values)
        shown.append(figures(app))
    assert shown[-1] or view in ("Compare", "Train")
    assert view in ("Compare", "Train", "Score") or shown[-1] != shown[-2], "the last setting changes nothing"

    other = visitor()
    other.query_params.update(link(app))
    other.switch_page(path).run()
    assert not other.exception
    assert figures(other) == shown[-1]
    said = [element.value for element in (*app.caption, *app.markdown, *app.code)]
    assert [element.value for element in (*other.caption, *other.markdown, *other.code)] == said


@pytest.mark.parametrize(("path", "key"), [(UNROLL, keys.READ_TEXT), (BPTT, keys.READ_TEXT), (SAMPLE, keys.SCORED)])
def test_a_text_that_is_too_long_for_a_link_is_not_in_it(app: AppTest, path: str, key: str) -> None:
    app.query_params[keys.SAMPLE_VIEW] = "Score a text"
    app.switch_page(path).run()
    assert key not in app.query_params
    for text in ("ab" * (address.LONGEST // 2), "ab" * (address.LONGEST // 2) + "c"):
        app.text_area(key=key).set_value(text).run()
        is_carried = len(text) <= address.LONGEST
        assert app.query_params.get(key) == (text if is_carried else None)
        assert bool(app.session_state[keys.LEFT_OUT]) != is_carried


@pytest.mark.parametrize("said", ["x" * (address.LONGEST + 1), "a\x00b", "\x1b[1m", ""])
def test_a_text_in_a_link_is_checked(app: AppTest, said: str) -> None:
    app.query_params[keys.READ_TEXT] = said
    app.switch_page(UNROLL).run()
    assert not app.exception
    assert app.text_area(key=keys.READ_TEXT).value not in (said, "")


@pytest.mark.parametrize("said", ["-1", "1e9", "9" * 20, "x", "٣", "", "999999999"])
def test_a_number_in_a_link_is_checked(app: AppTest, said: str) -> None:
    names = (keys.READ_PASSAGE, "unroll_states_at", "unroll_influence_at", "unroll_graph_at", keys.LOOKED_AT,
             "bptt_chunks_moment", "arch_cell_seed", "bptt_proof_seed", keys.HOME_SEED)  # fmt: skip
    views = ((UNROLL, ""), (UNROLL, "States"), (UNROLL, "Influence"), (SAMPLE, ""), (BPTT, "Proof"), (BPTT, ""))
    for path, view in views:
        app.query_params.clear()
        app.query_params.update(dict.fromkeys(names, said))
        app.query_params.update({keys.UNROLL_VIEW: view, keys.BPTT_VIEW: view} if view else {})
        app.switch_page(path).run()
        assert not app.exception
        assert not app.error


# Every widget with a value is in the URL, or has a reason not to be --------------------------------------------------

WIDGETS = {
    "slider", "select_slider", "selectbox", "multiselect", "segmented_control", "pills", "toggle", "checkbox",
    "text_input", "text_area", "number_input", "file_uploader", "data_editor", "radio", "color_picker", "date_input",
}  # fmt: skip
REASONS = {  # file: how many of its widgets, and why
    "asking.py": (2, "an answer that is given before it is shown"),
    "arch_hello.py": (1, "a table of numbers that is edited by hand"),
    "controls.py": (1, "what stands in for a number that the URL calls infinite"),
    "glossary.py": (1, "a word that is looked up"),
    "live.py": (4, "steer a run, and are noted in it"),
    "player.py": (1, "put into the URL by hand while it stands"),
    "racing.py": (2, "runs of the visitor's own, and a question before deleting"),
    "runs.py": (3, "the run, by its id; its new name; a question before deleting"),
    "sharing.py": (2, "are made into another link"),
    "teacher.py": (1, "the teacher's key"),
    "texts.py": (4, "a text of the visitor's own, and what is done with it"),
    "uploads.py": (1, "a file"),
    "views.py": (2, "a chart that stands still; which of a run's samples is shown"),
    "writers.py": (1, "the model, by its name or the run's id"),
    "writing.py": (4, "a character that is chosen next; the branch; the place, by hand"),
}


def test_every_widget_is_in_the_url_or_has_a_reason() -> None:
    here = Path(keys.__file__).parents[1]
    without: dict[str, int] = {}
    for path in (*here.glob("*.py"), *here.glob("parts/*.py")):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in WIDGETS:
                is_put = any(word in ast.unparse(call) for word in ("in_url(", "in_session("))
                without[path.name] = without.get(path.name, 0) + (not is_put)
    assert {name: count for name, count in without.items() if count} == {name: n for name, (n, _) in REASONS.items()}


# A shared run ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("click", ["pause", "stop", "reset", "delete"])
def test_nobody_elses_clicks_steer_a_shared_run(app: AppTest, monkeypatch: pytest.MonkeyPatch, click: str) -> None:
    monkeypatch.setenv("RNN_PLAYGROUND_PUBLIC", "1")
    run_id = start_hello(app, 5_000)
    store = service._scheduler().store
    try:
        key = f"run_{click}_{run_id}"
        other = visitor()
        other.query_params[keys.RUN] = run_id
        other.switch_page(TRAIN).run()
        assert figures(other)
        assert key in widgets(app)
        assert not [name for name in widgets(other) if name.startswith(("run_delete", "run_name", "run_pause"))]
        widgets(app)[key].proto.disabled = False  # one of them asks first
        widgets(app)[key].click()
        other._run(app._tree.get_widget_states())  # the owner's very message, from another session
        assert not other.exception
        assert store.get(run_id).status in ("queued", "running")
        assert other.session_state[keys.OWNER] != app.session_state[keys.OWNER]
        with pytest.raises(PlaygroundError):
            getattr(service._scheduler(), click)(run_id, other.session_state[keys.OWNER])
        assert store.get(run_id).status in ("queued", "running")
    finally:
        service._scheduler().stop(run_id, app.session_state[keys.OWNER])

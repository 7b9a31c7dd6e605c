"""A teacher's link: what it locks, hides and enlarges, on every page, and what no link can do."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from pages.parts import keys
from pages.parts.classroom import MOST, NAME, OF_FIGURES, ClassLink, controls_of, with_wishes

SAMPLE, TRAIN = "pages/3_Sample.py", "pages/2_Train.py"
NAMES = st.lists(st.from_regex(NAME, fullmatch=True).filter(lambda n: n not in (keys.SHARE, keys.SHARED)), unique=True)


def styles(app: AppTest) -> str:
    return " ".join(html.proto.body for html in app.get("html"))


def figures(app: AppTest) -> list[dict[str, Any]]:
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


@given(locked=NAMES, hidden=NAMES, is_large=st.booleans())
def test_a_link_says_what_was_asked_for(locked: list[str], hidden: list[str], is_large: bool) -> None:
    asked = ClassLink(tuple(locked[:MOST]), tuple(hidden[:MOST]), is_large)
    assert ClassLink.of(asked.parameters) == asked


@given(st.dictionaries(st.sampled_from([keys.LOCK, keys.HIDE, keys.PRESENT]), st.text(max_size=300)))
def test_no_link_puts_anything_but_names_into_the_page(parameters: dict[str, str]) -> None:
    link = ClassLink.of(parameters)
    assert all(NAME.fullmatch(name) for name in link.locked + link.hidden)
    assert "<" not in link.style
    assert "}" not in link.style.replace("{ display: none; }", "").replace("html:root { font-size: 20px; }", "")


@given(
    st.recursive(st.none() | st.integers() | st.text(max_size=9), lambda x: st.lists(x) | st.dictionaries(st.text(), x))
)
def test_whatever_the_browser_says_is_on_the_page_only_names_and_labels_are_taken(said: Any) -> None:
    for page in (said, {"controls": said}, {"controls": [said, ["sample_top_k", "Top-k"]]}):
        found = controls_of(page, {"sample_top_k"})
        assert all(NAME.fullmatch(name) and isinstance(label, str) for name, label in found.hideable.items())


def test_a_locked_control_stands_at_what_the_link_says(app: AppTest) -> None:
    app.query_params[keys.LOCK], app.query_params[keys.TEMPERATURE] = keys.TEMPERATURE, "1.3"
    app.switch_page(SAMPLE).run()
    assert app.slider(key=keys.TEMPERATURE).disabled
    assert app.slider(key=keys.TEMPERATURE).value == 1.3
    assert not app.exception
    assert not app.number_input(key=keys.TOP_K).disabled


def test_a_name_that_ends_in_an_underline_locks_all_that_begin_with_it(app: AppTest) -> None:
    app.query_params[keys.LOCK] = "train_"
    app.switch_page(TRAIN).run()
    ours = [w for w in [*app.selectbox, *app.number_input, *app.slider] if w.key and w.key.startswith("train_")]
    assert len(ours) > 10
    assert all(widget.disabled for widget in ours)
    assert not app.button(key="train_start").disabled


def test_what_a_link_asks_for_holds_on_the_next_page_too(app: AppTest) -> None:
    app.query_params[keys.LOCK], app.query_params[keys.PRESENT] = keys.TEMPERATURE, "1"
    app.switch_page(TRAIN).run()
    app.query_params.clear()  # as a link of the navigation does
    app.switch_page(SAMPLE).run()
    assert app.slider(key=keys.TEMPERATURE).disabled
    assert app.query_params[keys.LOCK] == keys.TEMPERATURE
    assert "font-size: 20px" in styles(app)


def test_hidden_controls_are_not_shown_and_names_of_none_change_nothing(app: AppTest) -> None:
    app.query_params[keys.HIDE] = "sample_write.<script>.share.no_such_thing"
    app.switch_page(SAMPLE).run()
    assert not app.exception
    assert ".stElementContainer.st-key-sample_write" in styles(app)
    assert "script" not in styles(app).partition("st-key-sample_write")[2]
    assert "st-key-share," not in styles(app)  # the way to another link stays


def test_large_type_is_in_the_figures_too(app: AppTest) -> None:
    (usual,) = figures(app.run())
    app.query_params[keys.PRESENT] = "1"
    (large,) = figures(app.run())
    assert large["layout"]["height"] == round(OF_FIGURES * usual["layout"]["height"])
    sizes = [
        [text["font"]["size"] for text in f["layout"]["annotations"] if "size" in text.get("font", {})]
        for f in (usual, large)
    ]
    assert sizes[0]
    assert sizes[1] == pytest.approx([OF_FIGURES * size for size in sizes[0]])
    assert large["data"][0]["x"] == usual["data"][0]["x"]


def test_a_teachers_link_is_the_pages_link_and_the_wishes(app: AppTest) -> None:
    link = "https://a.example/Sample?sample_seed=3&lock=old&present=1"
    made = with_wishes(link, ClassLink(("sample_", "train_task"), ("sample_write",), False))
    assert parse_qs(urlsplit(made).query) == {
        "sample_seed": ["3"], "lock": ["sample_.train_task"], "hide": ["sample_write"],
    }  # fmt: skip

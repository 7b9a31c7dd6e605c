"""A teacher's link: what it locks holds in Python too, names that do not exist change nothing."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from pages.parts import keys
from pages.parts.classroom import MOST, OF_FIGURES, ClassLink, controls_of, with_wishes
from tests.app.conftest import SAMPLE, TRAIN, figure

UNROLL, ARCHITECTURE = "pages/4_Unroll_Visualizer.py", "pages/1_Architecture.py"
names = st.lists(st.from_regex(r"[a-z][a-z0-9_-]{0,30}", fullmatch=True), max_size=5, unique=True).map(tuple)


def forge(widget: Any, value: object) -> None:
    """Sends a value for a disabled widget, which no browser does by itself."""
    assert widget.disabled
    widget.proto.disabled = False
    widget.set_value(value)


def styles(app: AppTest) -> str:
    return " ".join(html.proto.body for html in app.get("html"))


@given(names, names, st.booleans())
def test_a_link_asks_for_what_it_was_made_for(locked: tuple[str, ...], hidden: tuple[str, ...], large: bool) -> None:
    asked = ClassLink(locked, hidden, large)
    assert ClassLink.of(asked.parameters) == asked


@given(st.text(), st.text(), st.text())
def test_whatever_a_url_says_makes_selectors_of_names_only(lock: str, hide: str, present: str) -> None:
    asked = ClassLink.of({keys.LOCK: lock, keys.HIDE: hide, keys.PRESENT: present})
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+", name) for name in (*asked.locked, *asked.hidden))
    assert len(asked.locked) <= MOST
    assert not re.search(r"[<\\@]|url\(", asked.style)


def test_share_itself_is_never_hidden() -> None:
    assert ClassLink.of({keys.HIDE: f"{keys.SHARE}.a.{keys.SHARED}"}).hidden == ("a",)


def test_a_locked_value_is_the_links_whatever_the_browser_sends(app: AppTest) -> None:
    app.query_params.update({keys.TEMPERATURE: "0.5", keys.LOCK: f"{keys.TEMPERATURE}.{keys.SEED}", keys.SEED: "7"})
    app.switch_page(SAMPLE).run()
    assert app.slider(key=keys.TEMPERATURE).disabled
    assert not app.number_input(key=keys.LENGTH).disabled
    forge(app.slider(key=keys.TEMPERATURE), 1.5)
    forge(app.number_input(key=keys.SEED), 8)
    app.number_input(key=keys.LENGTH).set_value(50).run()
    assert (app.slider(key=keys.TEMPERATURE).value, app.number_input(key=keys.SEED).value) == (0.5, 7)
    assert app.number_input(key=keys.LENGTH).value == 50
    app.button(key="sample_write").click().run()  # which draws another seed where it may
    assert app.number_input(key=keys.SEED).value == 7
    assert app.session_state[keys.PIECE].settings.temperature == 0.5


def test_a_locked_setting_that_the_link_does_not_name_stands_at_its_default(app: AppTest) -> None:
    app.query_params.update({keys.LOCK: "train_"})
    app.switch_page(TRAIN).run()
    before = app.number_input(key="train_hidden_size_default").value
    assert app.selectbox(key=keys.TEXT).disabled
    forge(app.number_input(key="train_hidden_size_default"), 8)
    app.run()
    assert app.number_input(key="train_hidden_size_default").value == before
    assert not app.button(key="train_start").disabled


def test_locked_model_and_text_stay_what_the_link_opened(app: AppTest) -> None:
    app.query_params.update({keys.LOCK: "read_", keys.SHIPPED: "gru"})
    app.switch_page(UNROLL).run()
    text = app.text_area(key=keys.READ_TEXT).value
    forge(app.selectbox(key=keys.READ_MODEL), "shipped:lstm")
    forge(app.text_area(key=keys.READ_TEXT), "forged")
    app.run()
    assert app.selectbox(key=keys.READ_MODEL).value == "shipped:gru"
    assert app.text_area(key=keys.READ_TEXT).value == text
    assert app.button(key="read_other").disabled


def test_what_a_link_asks_for_survives_a_change_of_pages(app: AppTest) -> None:
    wanted = {keys.LOCK: keys.TEMPERATURE, keys.HIDE: "sample_write", keys.PRESENT: "1"}
    app.query_params.update({**wanted, keys.TEMPERATURE: "0.5"})
    app.switch_page(SAMPLE).run()
    assert ".stElementContainer.st-key-sample_write" in styles(app)
    app.query_params.clear()  # as a navigation link does
    app.switch_page(ARCHITECTURE).run()
    assert {name: app.query_params.get(name) for name in wanted} == wanted
    app.query_params.clear()
    app.switch_page(SAMPLE).run()
    assert app.slider(key=keys.TEMPERATURE).disabled
    assert app.slider(key=keys.TEMPERATURE).value == 0.5


def test_unknown_names_change_nothing(app: AppTest) -> None:
    app.query_params.update({keys.LOCK: "nobody._.x<y", keys.HIDE: "nobody", keys.PRESENT: "yes"})
    app.switch_page(SAMPLE).run()
    assert not app.exception
    assert not app.slider(key=keys.TEMPERATURE).disabled
    assert "html:root" not in styles(app)


def test_for_a_projector_figures_have_larger_type_and_say_the_same(app: AppTest) -> None:
    app.switch_page(ARCHITECTURE).run()
    usual = figure(app)["layout"]
    other = AppTest.from_file(app._script_path, default_timeout=30)
    other.query_params[keys.PRESENT] = "1"
    other.switch_page(ARCHITECTURE).run()
    large = figure(other)["layout"]
    assert large["title"]["text"] == usual["title"]["text"]
    assert large["title"]["font"]["size"] == pytest.approx(OF_FIGURES * usual["title"]["font"]["size"])
    assert large["height"] > usual["height"]
    assert "html:root" in styles(other)


def test_a_page_offers_its_controls_by_name_and_locks_only_what_has_a_value() -> None:
    said = [["train_cell_default", "Cell"], ["train_start", "Start training"], ["share", "Share"], ["bptt_a", "Cell"],
            ["sample_pills_140261233415312", "Momentary"], ["a b", "x"], [3, "x"], "ab", ["one"]]  # fmt: skip
    found = controls_of({"controls": said}, {"train_cell_default", "bptt_a", "sample_seed"})
    assert found.hideable == {
        "train_cell_default": "Cell (train_cell_default)", "train_start": "Start training", "bptt_a": "Cell (bptt_a)",
    }  # fmt: skip
    assert list(found.lockable) == ["train_cell_default", "bptt_a"]
    more = controls_of({"controls": [*said, ["train_text", "Text"]]}, {"train_cell_default", "train_text"})
    assert next(iter(more.lockable)) == "train_"


@pytest.mark.parametrize("page", [None, 3, {}, {"controls": 3}, {"controls": [None, {}, [[], []]]}])
def test_a_forged_page_has_no_controls(page: object) -> None:
    assert not controls_of(page, {"a"}).hideable


def test_a_teachers_link_keeps_the_settings_and_forgets_what_was_asked_before(app: AppTest) -> None:
    link = "https://a.example/Sample?sample_seed=7&lock=a&sample_prime=a%26b&present=1"
    made = with_wishes(link, ClassLink((), ("sample_write",)))
    assert made == "https://a.example/Sample?sample_seed=7&sample_prime=a%26b&hide=sample_write"

"""The Architecture page's first view: the network drawn, and its blocks."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts import arch_network, keys
from tests.app.conftest import figure, said

PAGE = "pages/1_Architecture.py"
SHAPES = list(arch_network.SHAPES)


@pytest.fixture
def page(app: AppTest) -> AppTest:
    app.switch_page(PAGE).run()
    assert not app.exception
    return app


def title(app: AppTest) -> str:
    return str(figure(app)["layout"]["title"]["text"]).replace("<br>", " ")


def choose(app: AppTest, key: str, value: str) -> AppTest:
    app.segmented_control(key=key).set_value(value).run()
    assert not app.exception
    return app


def keys_of(app: AppTest) -> list[str]:
    points = next(t for t in figure(app)["data"] if t["mode"] == "markers")
    return [key for (key,) in points["customdata"] if key]


def test_another_cell_changes_drawing_equation_and_parameters_in_one_rerun(page: AppTest) -> None:
    assert title(page) == "RNN over 5 steps Many to many, in step: 43 parameters"
    page.selectbox(key=arch_network.BLOCK).select("h5 layer 1").run()
    assert "\\tanh" in page.latex[0].value
    page.selectbox(key="arch_cell").select("lstm").run()
    assert not page.exception
    assert title(page) == "LSTM over 5 steps Many to many, in step: 124 parameters"
    assert "a_i; a_f; a_g; a_o" in page.latex[0].value


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("drawn", ["Unrolled", "Folded"])
def test_every_shape_is_drawn_and_has_an_example(page: AppTest, shape: str, drawn: str) -> None:
    choose(page, arch_network.SHAPE, shape)
    choose(page, arch_network.DRAWN, drawn)
    assert arch_network.SHAPES[shape].value in title(page).lower()
    assert "For example: " in said(page)
    assert len(page.get("plotly_chart")) == (2 if drawn == "Unrolled" else 1)  # folded, a block has no one number


def test_depth_and_time_make_a_grid(page: AppTest) -> None:
    page.number_input(key="arch_layers").set_value(3)
    page.number_input(key=keys.BLUEPRINT_STEPS).set_value(7).run()
    assert sum(key.startswith("h") for key in keys_of(page)) == 21
    assert "3-layer RNN over 7 steps" in title(page)


def test_an_embedding_is_a_row_of_its_own(page: AppTest) -> None:
    page.number_input(key="arch_embedding").set_value(2).run()
    assert {"e1", "e5"} <= set(keys_of(page))
    page.selectbox(key=arch_network.BLOCK).select("e2").run()
    assert "E^\\top" in page.latex[0].value


def test_a_bidirectional_network_is_drawn_with_the_reason_it_cannot_write(page: AppTest) -> None:
    page.toggle(key="arch_both").set_value(True).run()
    assert not page.exception
    assert "cannot write from left to right" in page.info[0].value
    assert "Fill in the blank" in page.info[0].value
    assert {"h1 layer 1", "h1 layer 1 backward", "h1 layer 1 both"} <= set(keys_of(page))
    for shape in ("One to many", "Seq2seq"):
        choose(page, arch_network.SHAPE, shape)
        assert not page.get("plotly_chart")
        assert "cannot write" in page.info[0].value
    assert keys_of(choose(page, arch_network.SHAPE, "Many to one"))


def test_every_block_shows_its_shape_equation_and_numbers(page: AppTest) -> None:
    for key in keys_of(page):
        page.selectbox(key=arch_network.BLOCK).select(key).run()
        assert not page.exception
        assert page.latex
        assert any(" numbers: " in m.value for m in page.markdown)
        assert figure(page, 1)["data"][0]["type"] == "heatmap"


def test_the_text_that_is_typed_is_read(page: AppTest) -> None:
    page.text_input(key=arch_network.TEXT).set_value("olleh").run()
    texts = [a.get("text") for a in figure(page)["layout"]["annotations"]]
    assert [t for t in texts if t in ("<b>h</b>", "<b>e</b>", "<b>l</b>", "<b>o</b>")] == [
        f"<b>{c}</b>" for c in "olleh"
    ]  # fmt: skip


def test_unknown_characters_are_named_and_cost_nothing(page: AppTest) -> None:
    page.text_input(key=arch_network.TEXT).set_value("H*llo").run()
    assert "“H” is read as “h”, “*” is left out" in said(page)
    assert "The text has 4 characters, so fewer than 5 steps are drawn." in said(page)
    assert "over 4 steps" in title(page)


def test_a_text_without_a_known_character_leaves_a_network_without_numbers(page: AppTest) -> None:
    page.text_input(key=arch_network.TEXT).set_value("123").run()
    assert not page.exception
    assert "There is nothing to read" in said(page)
    assert len(page.get("plotly_chart")) == 1
    assert "over 5 steps" in title(page)


def test_a_shipped_model_shows_its_own_numbers(page: AppTest) -> None:
    page.selectbox(key=keys.BLUEPRINT).select("shipped:lstm").run()
    assert not page.exception
    assert "LSTM over 5 steps" in title(page)
    page.selectbox(key=arch_network.BLOCK).select("h5 layer 1").run()
    assert list(figure(page, 1)["data"][0]["y"]) == ["i", "f", "g", "o", "c", "h"]


def test_a_block_that_is_no_longer_there_gives_way_to_one_that_is(page: AppTest) -> None:
    page.selectbox(key=arch_network.BLOCK).select("x5").run()
    page.number_input(key=keys.BLUEPRINT_STEPS).set_value(2).run()
    assert not page.exception
    assert page.selectbox(key=arch_network.BLOCK).value == "y2"


@pytest.mark.parametrize(
    "link", [{"arch_shape": "Many to all"}, {"arch_block": "h99"}, {"arch_drawn": "Torn"}, {"arch_text": "é" * 5000}]
)
def test_a_link_that_makes_no_sense_opens_the_page_all_the_same(app: AppTest, link: dict[str, str]) -> None:
    for key, value in link.items():
        app.query_params[key] = value
    app.switch_page(PAGE).run()
    assert not app.exception
    assert title(app)

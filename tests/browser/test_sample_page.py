"""A text that can be pointed at: picked, branched, shown letter by letter whatever is in it."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

import rnn
from rnn.checkpoint_file import pack, unpack
from rnn.checkpoints import to_bytes
from rnn.corpora import Text
from rnn.shipped import SHIPPED_TASKS
from tests.browser.playground import Server, settled
from tests.browser.visitor import button, chart_title, choose, main, open_page, says, upload, written

LSTM = {"model": "lstm", "sample_length": "200"}
PICKED = "[role=option][aria-selected=true]"
TRAPS = (
    "<script>window.caught=1</script><img src=x onerror=window.caught=1> :red[x] $x^2$ **b** "
    "\x1b[31m \u202eabc\u2066 \x07"
)


def character(page: Page, number: int) -> Locator:
    """One of the text's, from 1."""
    return written(page).get_by_role("option").nth(number - 1)


def looked_at(page: Page) -> Locator:
    return main(page).get_by_role("slider", name="Look at character")


def branch_chooser(page: Page) -> Locator:
    return main(page).get_by_role("combobox", name="Branch", exact=True)


def test_a_character_is_picked_by_click_by_arrow_keys_and_by_the_slider(server: Server, page: Page) -> None:
    open_page(page, server, "Sample", LSTM)
    expect(written(page).get_by_role("option")).to_have_count(200)
    character(page, 40).click()
    expect(looked_at(page)).to_have_value("40")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(looked_at(page)).to_have_value("42")
    page.keyboard.press("Home")
    expect(looked_at(page)).to_have_value("1")
    page.keyboard.press("ArrowDown")  # the line below
    expect(looked_at(page)).not_to_have_value("1")
    looked_at(page).press("End")
    expect(written(page).locator(PICKED)).to_have_id("c199")
    assert "surprise" in main(page).get_by_text("the model drew").inner_text()


def test_another_character_branches_the_text_from_there_and_the_first_text_stays(server: Server, page: Page) -> None:
    open_page(page, server, "Sample", LSTM)
    expect(written(page).get_by_role("option")).to_have_count(200)  # its component comes after the page
    first = written(page).inner_text()
    character(page, 40).click()
    expect(looked_at(page)).to_have_value("40")
    place = main(page).get_by_test_id("stButtonGroup").last.get_by_role("radio").nth(1)
    put = place.inner_text()[0]
    place.click()
    expect(branch_chooser(page)).to_have_value(re.compile("Text 2: text 1 at 40"))
    expect(character(page, 40)).to_have_class(re.compile("chosen"))
    expect(written(page).get_by_role("option")).to_have_count(200)
    assert character(page, 40).inner_text() == put.replace("␣", " ")
    expect(main(page).get_by_test_id("stCode")).to_have_count(0)  # what was shown as it was written has gone
    branched = written(page).inner_text()
    assert branched[:42] == first[:42]
    assert branched != first
    choose(page, "Branch", "Text 1, as it was drawn first")
    expect(written(page).locator(".chosen")).to_have_count(0)
    settled(page)
    assert written(page).inner_text() == first


def test_moving_the_temperature_changes_figure_and_text_at_once(server: Server, page: Page) -> None:
    open_page(page, server, "Sample", LSTM)
    expect(chart_title(page)).to_contain_text("T = 0.8, safer")
    expect(written(page).get_by_role("option")).to_have_count(200)
    before = written(page).inner_text()
    slider = main(page).get_by_role("slider", name="Temperature")
    slider.press("End")
    expect(chart_title(page)).to_contain_text("T = 2, wilder")
    settled(page)
    assert written(page).inner_text() != before
    slider.press("Home")
    expect(chart_title(page)).to_contain_text("always the likeliest")
    settled(page)
    expect(main(page).get_by_test_id("stAlert")).to_contain_text("temperature")  # it goes in circles


def test_a_long_text_is_stopped_and_stays_as_it_is(server: Server, page: Page) -> None:
    open_page(page, server, "Sample", {"model": "lstm", "sample_length": "5000"})
    expect(written(page)).to_be_visible()
    button(page, "Write again").click()
    button(page, "Stop").click()
    expect(button(page, "Stop")).to_have_count(0)
    settled(page)
    count = written(page).get_by_role("option").count()
    assert 0 < count < 5000
    character(page, 2).click()
    expect(looked_at(page)).to_have_value("2")
    assert written(page).get_by_role("option").count() == count


def test_the_visitor_picks_characters_and_the_model_goes_on(server: Server, page: Page) -> None:
    open_page(page, server, "Sample", {**LSTM, "sample_view": "Step by step"})
    main(page).get_by_test_id("stButtonGroup").last.get_by_role("radio").first.click()
    expect(written(page).locator(".chosen")).to_have_count(1)
    button(page, "Draw 10").click()
    expect(written(page).get_by_role("option")).to_have_count(11)
    button(page, "Take back").click()
    expect(written(page).get_by_role("option")).to_have_count(10)


@pytest.fixture(scope="module")
def trap() -> bytes:
    """A model that writes nothing but what pages must not obey."""
    model, train = rnn.ModelConfig(hidden_size=4), rnn.TrainConfig(steps=1)
    return to_bytes(rnn.TrainState.create(Text("traps", TRAPS * 9), model, train), weights_only=True)


def test_whatever_a_model_writes_is_text_and_its_hidden_characters_are_seen(
    server: Server, page: Page, trap: bytes
) -> None:
    settings = {"sample_length": "400", "sample_temperature": "2.0", "sample_prime": TRAPS}
    open_page(page, server, "Sample", settings)
    choose(page, "Model", "A checkpoint file of mine")
    upload(page, "sample_file", "trap.safetensors", trap)
    expect(written(page).get_by_role("option")).to_have_count(400)
    text = written(page).text_content() or ""
    for seen in ("<script>", ":red[x]", "$x^2$", "<U+001B>[31m", "<U+202E>abc<U+2066>", "<U+0007>", "U+001B", "U+202E"):
        assert seen in text
    assert not set(text) & {"\x1b", "\u202e", "\u2066", "\x07"}
    for view in ("Step by step", "Score a text", "Compare", "Text"):
        main(page).get_by_role("radio", name=view, exact=True).click()
        settled(page)
        if view == "Score a text":
            field = main(page).get_by_role("textbox", name="Text to score")
            field.fill(TRAPS)
            field.press("Control+Enter")
            expect(main(page).locator(".guesses [role=listitem]")).to_have_count(len(TRAPS))
            assert not set(main(page).inner_text()) & {"\u202e", "\u2066", "\x07"}
        if view == "Compare":
            expect(main(page).get_by_test_id("stCode").first).to_contain_text("<U+202E>")
    assert page.evaluate("window.caught") is None
    expect(main(page).locator("img[src=x]")).to_have_count(0)


def test_a_model_that_cannot_write_says_why_or_where_it_can_be_used(server: Server, page: Page, trap: bytes) -> None:
    open_page(page, server, "Sample", LSTM)
    choose(page, "Model", "A checkpoint file of mine")
    upload(page, "sample_file", "both.safetensors", both_ways(trap))
    says(page, "the second direction reads from the end")
    upload(page, "sample_file", "blanks.safetensors", open_file("fill-blank"))
    says(page, "This model fills blanks in a text; it cannot write text. The Train page opens it.")
    expect(page.get_by_test_id("stException")).to_have_count(0)
    choose(page, "Model", "GRU (comes with the app)")
    expect(written(page).get_by_role("option")).to_have_count(200)


def open_file(kind: str) -> bytes:
    return SHIPPED_TASKS[kind].path.read_bytes()


def both_ways(one_way: bytes) -> bytes:
    """The same file, if its network had a second direction."""
    checkpoint = unpack(one_way)
    model = {**checkpoint.model.to_json(), "bidirectional": True}
    shapes = rnn.ModelConfig.from_json(model).parameter_shapes(len(checkpoint.vocabulary))
    arrays = {f"weights/{name}": np.zeros(shape, np.float32) for name, shape in shapes.items()}
    return pack(arrays, json.loads(json.dumps({**checkpoint.metadata, "model": model})))

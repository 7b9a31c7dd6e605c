"""The other tasks as a visitor meets them: an image drawn by hand, and a run whose answers are looked at."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.playground import Server, settled
from tests.browser.visitor import button, chart_title, main, open_page, says, status

SAYS = re.compile("says the model")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One of its own: the Train page opens with the task of the newest run, and other tests train on texts."""
    with Server(tmp_path_factory.mktemp("tasks")) as server:
        yield server


def cell(page: Page, row: int, column: int) -> Locator:
    """Of the image, both from 1."""
    return main(page).locator(".pad").get_by_role("gridcell").nth(8 * (row - 1) + column - 1)


def ink(page: Page) -> int:
    """Cells with ink in them."""
    labels = main(page).locator(".pad [role=gridcell]").evaluate_all("cells => cells.map(c => c.ariaLabel)")
    return sum(not label.endswith("ink 0 of 16") for label in labels)


def test_a_digit_is_drawn_with_the_pointer_and_with_keys_and_named(server: Server, page: Page) -> None:
    open_page(page, server, "Train", {"train_task": "Digit"})
    expect(chart_title(page)).to_have_text(SAYS)
    button(page, "Clear").click()
    expect(main(page).get_by_text("Draw a digit, and the network answers.")).to_be_visible()
    assert ink(page) == 0

    top, bottom = cell(page, 1, 5).bounding_box(), cell(page, 8, 5).bounding_box()  # a one
    assert top
    assert bottom
    page.mouse.move(top["x"] + 9, top["y"] + 9)
    page.mouse.down()
    page.mouse.move(bottom["x"] + 9, bottom["y"] + 9, steps=30)
    page.mouse.up()
    expect(chart_title(page)).to_have_text(re.compile("A 1, says the model"))
    assert ink(page) == 24  # the stroke, and half as much beside it

    cell(page, 1, 1).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    page.keyboard.press(" ")
    expect(cell(page, 2, 2)).to_have_attribute("aria-label", "row 2, column 2, ink 16 of 16")
    page.keyboard.press(" ")
    expect(cell(page, 2, 2)).to_have_attribute("aria-label", "row 2, column 2, ink 0 of 16")
    settled(page)
    expect(chart_title(page)).to_have_text(re.compile("A 1, says the model"))


def test_a_task_is_trained_watched_and_asked(server: Server, page: Page) -> None:
    open_page(page, server, "Train", {"train_task": "Sentiment", "train_steps_sentiment": 60})
    expect(main(page).get_by_text("a model that comes with the app")).to_be_visible()
    button(page, "Start training").click()
    expect(status(page)).to_contain_text(re.compile(r"finished .* of sentences right"))
    expect(chart_title(page)).to_contain_text("sentences right")
    for view in ("Answers", "Ask it"):
        main(page).get_by_role("radio", name=view, exact=True).click()
        settled(page)
    field = main(page).get_by_role("textbox", name="A sentence")
    field.fill("xyzzy")
    field.press("Enter")
    says(page, re.compile("xyzzy"))
    field.fill("the soup was good")
    field.press("Enter")
    expect(chart_title(page)).to_contain_text(re.compile("(posi|nega)tive", re.IGNORECASE))
    expect(main(page).get_by_test_id("stAlert")).to_have_count(0)
    page.reload()
    settled(page)
    expect(main(page).get_by_role("combobox", name="Task", exact=True)).to_have_value("Sentiment")
    expect(status(page)).to_contain_text("finished")

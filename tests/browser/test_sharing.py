"""Share: the link to a page and its QR code, as a visitor and a camera see them."""

from __future__ import annotations

import io
import re
from contextlib import suppress

import numpy as np
import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.playground import Server, settled
from tests.browser.visitor import PATIENCE, REOPENED, at_rest, button, go_to, open_page, popover, window

PHONE = {"width": 390, "height": 844}
WIDTH = "document.documentElement.scrollWidth"


def share(page: Page) -> Locator:
    """Opens it; the field with the link."""
    button(page, "Share").click()
    link = popover(page).get_by_label("Link to this page")
    expect(link).to_have_value(page.url)
    settled(page)
    return link


def seen(picture: bytes) -> list[str]:
    """What a camera reads in a screenshot."""
    return [found.text for found in zxingcpp.read_barcodes(np.asarray(Image.open(io.BytesIO(picture)).convert("L")))]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_phone_shows_the_link_and_its_code(server: Server, browser: Browser, theme: str) -> None:
    with window(browser, viewport=PHONE, color_scheme=theme) as page:
        open_page(page, server, "Unroll_Visualizer", {"unroll_graph_T": 5})
        share(page)
        box = popover(page).bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE["width"]
        assert page.evaluate(WIDTH) == PHONE["width"]
        assert seen(page.screenshot()) == [page.url]
        assert "unroll_graph_T=5" in page.url

        popover(page).get_by_role("button", name="Show large").click()
        large = page.get_by_role("dialog", name="QR code of the link")
        expect(large).to_be_visible()
        assert seen(large.screenshot()) == [page.url]
        page.keyboard.press("Escape")
        expect(large).not_to_be_visible()


def test_a_link_is_copied_where_the_browser_gives_no_clipboard(server: Server, browser: Browser) -> None:
    with window(browser) as page:
        page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
        open_page(page, server, "Sample", {"sample_prime": "for x in"})
        share(page)
        url = page.url
        popover(page).get_by_role("button", name="Copy").click()
        expect(popover(page).get_by_role("status")).to_have_text("Copied.")
        page.keyboard.press("Escape")
        field = page.get_by_label("Stop text", exact=True)
        field.focus()
        page.keyboard.press("Control+V")
        expect(field).to_have_value(url[:100])


def test_a_long_link_is_copied_and_has_no_code(server: Server, page: Page) -> None:
    open_page(page, server, "Sample", {"sample_prime": "the " * 499})
    share(page)
    expect(popover(page).get_by_text("too many for a QR code")).to_be_visible()
    expect(popover(page).get_by_role("button", name="Show large")).to_have_count(0)


def pick(page: Page, label: str, control: str, link: Locator, asks: str) -> None:
    """One more control; a list that is scrolled or redrawn meanwhile closes, and is opened again."""
    field = popover(page).get_by_role("combobox", name=label)
    for _ in range(REOPENED):
        at_rest(field).scroll_into_view_if_needed()
        field.fill(control)
        field.press("Enter")
        with suppress(AssertionError):
            expect(link).to_have_value(re.compile(asks), timeout=PATIENCE / 10)
            break
    expect(link).to_have_value(re.compile(asks))
    settled(page)


def test_a_teachers_link_hides_locks_and_enlarges_for_the_class(server: Server, browser: Browser, page: Page) -> None:
    open_page(page, server, "Sample", {"sample_temperature": 0.5})
    link = share(page)
    at_rest(popover(page).get_by_text("For your class")).click()
    at_rest(popover(page).get_by_text("Large type, for a projector"))
    pick(page, "Hide", "Write again", link, "hide=sample_write")
    pick(page, "Lock at their values", "Temperature", link, "lock=sample_temperature")
    popover(page).get_by_text("Large type, for a projector").click()
    expect(link).to_have_value(re.compile(r"&lock=sample_temperature&hide=sample_write&present=1$"))
    made = link.input_value()

    page.keyboard.press("Escape")
    expect(link).to_have_count(0)
    button(page, "Share").click()  # what was chosen is still there
    expect(link).to_have_value(made)

    with window(browser) as pupil:
        pupil.goto(made)
        for visit in range(2):
            expect(pupil.get_by_role("slider", name="Temperature")).to_be_disabled()
            expect(pupil.get_by_role("slider", name="Temperature")).to_have_value("0.5")
            expect(button(pupil, "Write again")).to_be_hidden()
            expect(pupil.locator("html")).to_have_css("font-size", "20px")
            settled(pupil)
            if visit == 0:
                pupil.get_by_test_id("stExpandSidebarButton").click()
            go_to(pupil, "Architecture")
            go_to(pupil, "Sample")
        assert "lock=sample_temperature" in pupil.url

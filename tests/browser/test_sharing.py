"""Share: the link to a page and its QR code, as a visitor and a camera see them."""

from __future__ import annotations

import io

import numpy as np
import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.playground import Server
from tests.browser.visitor import button, open_page, popover, window

PHONE = {"width": 390, "height": 844}
WIDTH = "document.documentElement.scrollWidth"


def share(page: Page) -> Locator:
    """Opens it; the field with the link."""
    button(page, "Share").click()
    link = popover(page).get_by_label("Link to this page")
    expect(link).to_have_value(page.url)
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

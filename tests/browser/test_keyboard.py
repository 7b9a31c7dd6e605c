"""The main way through the app with keys alone: nothing is clicked, and what has the focus can be seen."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.playground import Server, settled
from tests.browser.visitor import button, chart_title, main, open_page, status, written

FAR = 150  # presses of Tab: more than any way is long
HAS_FOCUS = "e => { const root = e.getRootNode(); return root.activeElement === e; }"
# Where the focus is shown: on the element itself or on a box around it, by a line or a shadow.
SHOWS_FOCUS = """e => {
    for (let box = e, i = 0; box && i < 4; box = box.parentElement, i++) {
        const style = getComputedStyle(box);
        if (style.boxShadow !== "none" || (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0)
            || (e.matches("[role=option], a") && style.backgroundColor !== "rgba(0, 0, 0, 0)")) return true;
    }
    return false;
}"""


def tab_to(page: Page, place: Locator, back: bool = False) -> Locator:
    """Goes on with Tab until `place` has the focus, and it can be seen there."""
    expect(place).to_be_visible()
    for _ in range(FAR):
        page.keyboard.press("Shift+Tab" if back else "Tab")
        if place.count() == 1 and place.evaluate(HAS_FOCUS):
            assert place.evaluate(SHOWS_FOCUS), f"{place} shows no focus"
            return place
    raise AssertionError(f"Tab does not come to {place}")


def test_train_stop_sample_and_choose_a_character_with_keys_alone(server: Server, page: Page) -> None:
    open_page(page, server)
    tab_to(page, main(page).get_by_role("link", name="Train", exact=True))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Train")
    settled(page)

    tab_to(page, button(page, "Start training"))
    page.keyboard.press("Enter")
    expect(status(page)).to_contain_text(re.compile(r"step [1-9]"))
    tab_to(page, button(page, "Stop"))
    page.keyboard.press("Enter")
    expect(status(page)).to_contain_text("finished")
    settled(page)

    tab_to(page, button(page, "Sample"), back=True)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sample")
    settled(page)
    expect(written(page).get_by_role("option")).to_have_count(400)
    tab_to(page, button(page, "Write again"))
    before = page.url
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: url != before)  # another seed
    settled(page)
    expect(written(page).get_by_role("option")).to_have_count(400)

    text = tab_to(page, written(page))
    picked = text.locator("[aria-selected=true]")
    title = chart_title(page).text_content() or ""
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    expect(picked).to_have_attribute("data-i", "1")
    expect(chart_title(page)).not_to_have_text(title)
    settled(page)

    likeliest = main(page).get_by_test_id("stButtonGroup").last.get_by_role("radio").first
    tab_to(page, likeliest)
    page.keyboard.press("Space")
    expect(written(page).locator(".chosen")).to_have_count(1)
    expect(written(page).locator(".chosen")).to_have_attribute("data-i", "1")

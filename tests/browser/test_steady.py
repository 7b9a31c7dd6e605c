"""A page that is redrawn every second stands still: nothing below the chart moves, and the browser keeps nothing."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.playground import Server, settled
from tests.browser.visitor import DESKTOP, LONG, beyond, main, start, step

UPDATES = 6
LOOKS = 20
MOST_SHIFT = 0.1  # the layout shift that web.dev calls good: https://web.dev/articles/cls
MOST_GROWTH = 1_000_000  # bytes that an update may leave in the browser: it keeps 30 minutes of them
WATCH = """() => {
    window.shift = 0;
    new PerformanceObserver(list => {
        for (const entry of list.getEntries()) window.shift += entry.hadRecentInput ? 0 : entry.value;
    }).observe({ type: "layout-shift" });
}"""

TOP = """e => {  // null: it has just been replaced
    const { y, height } = e.getBoundingClientRect();
    return height ? Math.round(y + document.querySelector("[data-testid=stMain]").scrollTop) : null;
}"""


def heap(page: Page) -> int:
    """Bytes that the page's script still holds."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    used = int(session.send("Runtime.getHeapUsage")["usedSize"])
    session.detach()
    return used


def top(place: Locator) -> int:
    """Pixels between the top of the page and it."""
    for _ in range(LOOKS):
        found: int | None = place.evaluate(TOP)
        if found is not None:
            return found
    raise AssertionError(f"{place} has no height")


@pytest.mark.parametrize("size", [DESKTOP, {"width": 390, "height": 844}], ids=["desktop", "phone"])
def test_nothing_moves_while_the_chart_of_a_run_is_redrawn(server: Server, page: Page, size: dict[str, int]) -> None:
    page.set_viewport_size({"width": size["width"], "height": size["height"]})
    start(page, server, LONG, train_text="python-reference")
    below = [
        page.locator(".st-key-loss"), page.locator(".st-key-run_verdict"), main(page).get_by_test_id("stCode"),
        main(page).get_by_text("Save figures and their data"),
    ]  # fmt: skip
    for place in below:
        expect(place).to_be_visible()
    beyond(settled(page), step(page))
    page.evaluate(WATCH)
    before, places = heap(page), []
    for _ in range(UPDATES):
        beyond(page, step(page))
        places.append([top(place.first) for place in below])
    assert all(place == places[0] for place in places), places
    assert page.evaluate("window.shift") < MOST_SHIFT
    assert heap(page) - before < UPDATES * MOST_GROWTH

"""The way a newcomer goes: one click trains on a built-in text, the curve moves, stop, and the model writes."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.playground import Server, settled
from tests.browser.visitor import written


def test_train_on_a_built_in_text_see_the_curve_move_stop_and_sample(server: Server, page: Page) -> None:
    page.goto(server.url)
    settled(page)
    page.get_by_test_id("stSidebar").get_by_role("link", name="Train", exact=True).click()
    # Long enough to be paused and resumed before it ends, however fast the computer.
    page.get_by_text("Settings", exact=True).click()
    page.get_by_role("tab", name="Stops", exact=True).click()
    page.get_by_label("Steps", exact=True).fill("5000")
    page.get_by_label("Steps", exact=True).press("Enter")
    settled(page)
    page.get_by_role("button", name="Start training").click()

    title = page.locator(".gtitle").last  # a chart that is being replaced is there twice for a moment
    expect(title).to_contain_text(re.compile(r"Loss \d\.\d+ nats at step \d+"))
    first = title.text_content() or ""
    expect(title).not_to_have_text(first)

    main = page.get_by_test_id("stMain")
    main.get_by_role("button", name="Pause", exact=True).click()
    resume = main.get_by_role("button", name="Resume", exact=True)
    expect(resume).to_be_visible()
    paused = title.text_content() or ""
    resume.click()
    expect(title).not_to_have_text(paused)

    main.get_by_role("button", name="Stop", exact=True).click()
    expect(main.get_by_text("Stopped by hand.")).to_be_visible()

    main.get_by_role("button", name="Sample", exact=True).click()
    expect(page.get_by_role("heading", name="Sample")).to_be_visible()
    expect(written(page)).to_have_text(re.compile(r"\S{3}"))
    expect(title).to_contain_text("T = 0.8, safer")

"""A lesson as it is taught: through the pages with the arrow keys, a question, and what the browser keeps of it."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, Page, expect

from rnn.lessons import lessons
from tests.browser.playground import Server, settled
from tests.browser.visitor import main, open_page, window

BAR = ".st-key-lesson_bar"


def at(page: Page, name: str, number: int) -> None:
    """Wait until the step is on the page and nothing is to come."""
    step = lessons()[name].steps[number - 1]
    expect(page.locator(BAR)).to_contain_text(f"{number} of {len(lessons()[name].steps)}")
    expect(page.locator(BAR)).to_contain_text(step.title)
    settled(page)


def test_a_lesson_goes_through_the_pages_by_arrow_keys_and_is_remembered(browser: Browser, server: Server) -> None:
    one = lessons()["tour"]
    with window(browser) as page:
        open_page(page, server, "Architecture", {"lesson": "tour", "step": 1})
        at(page, "tour", 1)
        page.keyboard.press("ArrowRight")
        at(page, "tour", 2)
        expect(page.locator(f"{BAR} [data-testid=stMarkdown]")).not_to_contain_text("check_circle")
        # A slider or a typed number keeps its arrow keys.
        steps = main(page).get_by_label("Time steps T", exact=True)
        steps.click()
        page.keyboard.press("ArrowRight")
        at(page, "tour", 2)
        steps.blur()
        # The answer is computed from the network that is drawn; 43 parameters, whatever T is.
        panel = page.locator(".st-key-lesson")
        panel.get_by_text("43", exact=True).click()
        panel.get_by_role("button", name="Check").click()
        expect(panel).to_contain_text("43 is right")
        page.locator("body").press("ArrowRight")
        at(page, "tour", 3)
        page.keyboard.press("ArrowRight")
        at(page, "tour", 4)
        assert "/Train" in page.url
        assert one.steps[3].page == "Train"
        page.keyboard.press("ArrowLeft")
        at(page, "tour", 3)
        assert "/Architecture" in page.url
        page.reload()
        at(page, "tour", 3)
        open_page(page, server)
        expect(main(page)).to_contain_text(re.compile("3 of 17 steps done, 1 of 1 answers right"))


def test_every_step_of_the_lesson_on_all_pages_can_be_reached_with_next(browser: Browser, server: Server) -> None:
    """On a projector: what the step points at is on the screen, at least its upper part, and no step fails."""
    one = lessons()["tour"]
    with window(browser) as page:
        open_page(page, server, "Architecture", {"lesson": "tour"})
        for number, step in enumerate(one.steps, 1):
            at(page, "tour", number)
            for key in step.highlight:
                expect(page.locator(f".st-key-{key}").first).to_be_visible()
            if step.highlight:
                expect(page.locator(f".st-key-{step.highlight[-1]}").first).to_be_in_viewport()
            assert not page.locator("[data-testid=stException]").count(), step.title
            page.locator(".st-key-lesson_next button:visible").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("RNN Playground")

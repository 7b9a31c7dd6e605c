"""What a visitor does again and again, and what the page says to it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from playwright.sync_api import Browser, BrowserContext, Locator, Page, TimeoutError, expect

from rnn.records import RunInfo
from rnn.runs.store import Store
from tests.browser.playground import Server, settled

DESKTOP = {"width": 1280, "height": 800}
PATIENCE = 60_000  # milliseconds: the first run of a server imports torch, and the computer may be busy
REOPENED = 4  # times that a list is opened again
SMALL = {"train_text": "hello", "train_hidden_size_default": 8}
LONG = 100_000  # steps: longer than any test
STEP = re.compile(r"step ([\d,]+) of")
STEP_IS_BEYOND = """step => {
    const said = document.querySelector("[data-testid=stMain] [data-testid=stProgress]")?.innerText ?? "";
    const found = /step ([\\d,]+) of/.exec(said);
    return found && Number(found[1].replaceAll(",", "")) > step;
}"""


def visitor_context(browser: Browser, **options: Any) -> BrowserContext:
    """The browser of a visitor nobody has seen before: 1280 x 800 if `options` do not say otherwise."""
    context = browser.new_context(**{"viewport": DESKTOP, **options})
    context.set_default_timeout(PATIENCE)
    return context


@contextmanager
def window(browser: Browser, **options: Any) -> Iterator[Page]:
    """The first page of such a visitor."""
    with closing(visitor_context(browser, **options)) as context:
        yield context.new_page()


def visit(page: Page, server: Server, path: str = "", settings: Mapping[str, Any] | None = None) -> Page:
    """Open a deep link; what is on the page is still to come."""
    page.goto(f"{server.url}/{path}?{urlencode(settings or {})}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    return page


def open_page(page: Page, server: Server, path: str = "", settings: Mapping[str, Any] | None = None) -> Page:
    """Open a deep link and wait for the whole page."""
    return settled(visit(page, server, path, settings))


def go_to(page: Page, title: str) -> None:
    """Another page, by the sidebar."""
    page.get_by_test_id("stSidebar").get_by_role("link", name=title, exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    settled(page)


def start(page: Page, server: Server, steps: int = LONG, **settings: Any) -> str:
    """Train on five letters; the run's id, once it has taken a step."""
    open_page(page, server, "Train", {**SMALL, "train_steps_default": steps, **settings})
    before = run_in_url(page)
    button(page, "Start training").click()
    page.wait_for_function("old => (new URL(location).searchParams.get('run') ?? '') !== old", arg=before)
    settled(page)  # until then the run of before may be on show
    beyond(page, 0)
    return run_in_url(page)


def stop(page: Page) -> None:
    """Stop the run on show, if one is active, so that the next test has the computer to itself."""
    is_connected = page.locator("[data-test-connection-state=CONNECTED]").count()
    if is_connected and status(page).count() and button(page, "Pause").count():
        button(page, "Stop").click()
        expect(status(page)).to_contain_text("finished")


def run_in_url(page: Page) -> str:
    return parse_qs(urlsplit(page.url).query).get("run", [""])[0]


def main(page: Page) -> Locator:
    return page.get_by_test_id("stMain")


def button(page: Page, name: str) -> Locator:
    """A button of the page itself: the toolbar has a Stop, too."""
    return main(page).get_by_role("button", name=name, exact=True)


def popover(page: Page) -> Locator:
    """What a popover's button has opened."""
    return page.get_by_test_id("stPopoverBody")


def status(page: Page) -> Locator:
    """The line that begins with running, paused and so on."""
    return main(page).get_by_test_id("stProgress")


def step(page: Page) -> int:
    """The step that the status line names."""
    found = STEP.search(status(page).inner_text())
    assert found
    return int(found[1].replace(",", ""))


def beyond(page: Page, before: int) -> int:
    """Wait until the status line names a step after `before`, and return it."""
    page.wait_for_function(STEP_IS_BEYOND, arg=before)
    return step(page)


def written(page: Page) -> Locator:
    """The text of the Sample page that can be pointed at."""
    return main(page).locator("div.text")  # Plotly has groups of this class


def chart_title(page: Page) -> Locator:
    return page.locator(".gtitle").last  # a chart that is being replaced is there twice for a moment


def choose(page: Page, label: str, option: str) -> None:
    """Another option of a select box; a page that is drawn or scrolled meanwhile closes the list, which is reopened."""
    field = main(page).get_by_role("combobox", name=label, exact=True)
    wanted = page.get_by_role("option", name=option, exact=True)
    settled(page)
    field.scroll_into_view_if_needed()
    for _ in range(REOPENED):
        field.click()
        with suppress(TimeoutError):
            wanted.click(timeout=PATIENCE / 10)
            return
    field.click()
    wanted.click()


def tab(page: Page, name: str) -> None:
    """Another tab of the settings, once these are open."""
    main(page).get_by_role("tab", name=name, exact=True).click()


def at_rest(place: Locator) -> Locator:
    """The same place when it has stopped moving: an expander slides open, and a click on its way is lost."""
    moved = "e => { const y = e.getBoundingClientRect().y, was = window.wasAt; window.wasAt = y; return y === was; }"
    place.page.wait_for_function(moved, arg=place.element_handle(), polling=250)
    return place


def upload(page: Page, key: str, name: str, data: bytes) -> None:
    """Put a file into the uploader with this key."""
    field = page.locator(f".st-key-{key} input[type=file]")
    field.set_input_files({"name": name, "mimeType": "application/octet-stream", "buffer": data})


def says(page: Page, sentence: str | re.Pattern[str]) -> None:
    """Wait for a message box with these words."""
    expect(main(page).get_by_test_id("stAlert").filter(has_text=sentence)).to_be_visible()


def stored(server: Server, run_id: str) -> RunInfo:
    """What the server's store says of a run."""
    store = Store(server.home)
    try:
        return store.get(run_id)
    finally:
        store.close()


def delete_in_popover(page: Page) -> None:
    """Deletes the run on show, once its popover is open."""
    button = popover(page).get_by_role("button", name="Delete this run", exact=True)
    expect(button).to_be_disabled()
    popover(page).get_by_text("Its weights, curves and samples can go").click()
    expect(button).to_be_enabled()
    button.click()

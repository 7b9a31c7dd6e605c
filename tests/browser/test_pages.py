"""What holds for every page: it opens by its own link, fits a phone, and can be read by everybody."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from rnn.figures import theme
from tests.browser.playground import Server, settled
from tests.browser.visitor import PATIENCE, chart_title, main, open_page

TITLES = {
    "": "RNN Playground",
    "Architecture": "Architecture",
    "Train": "Train",
    "Sample": "Sample",
    "Unroll_Visualizer": "Unroll Visualizer",
    "Truncated_BPTT": "Truncated BPTT",
}
LINKS = ["Home", *list(TITLES.values())[1:]]
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 800}

WIDER_THAN_ITS_WINDOW = """() => [document.documentElement, document.querySelector("[data-testid=stMain]")]
    .some(e => e.scrollWidth > e.clientWidth) || document.documentElement.scrollWidth > innerWidth"""


@pytest.fixture(scope="module")
def fresh(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server to start anew."""
    with Server(tmp_path_factory.mktemp("fresh")) as server:
        yield server


@pytest.mark.parametrize(("path", "title"), TITLES.items())
def test_every_page_opens_on_a_fresh_server_by_its_own_link(fresh: Server, page: Page, path: str, title: str) -> None:
    fresh.kill()
    fresh.start()
    open_page(page, fresh, path)
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    expect(page).to_have_title(re.compile("RNN Playground$"))
    sidebar = page.get_by_test_id("stSidebar")
    for link in LINKS:
        expect(sidebar.get_by_role("link", name=link, exact=True)).to_be_visible()


@pytest.mark.parametrize("path", TITLES)
def test_every_page_fits_a_phone_and_axe_finds_nothing_serious_in_light_and_dark(
    server: Server, browser: Browser, finished_run: str, path: str
) -> None:
    found = []
    for scheme, ink in (("light", theme.LIGHT), ("dark", theme.DARK)):
        with closing(browser.new_context(viewport=PHONE, color_scheme=scheme)) as context:
            page = context.new_page()
            open_with_run(page, server, path, finished_run, ink)
            assert not page.evaluate(WIDER_THAN_ITS_WINDOW)
            page.set_viewport_size(DESKTOP)
            for expander in page.get_by_test_id("stExpander").locator("summary").all():
                expander.click()
            found += [f"{scheme}: {violation}" for violation in violations(settled(page))]
    assert not found, "\n".join(found)


def open_with_run(page: Page, server: Server, path: str, run_id: str, ink: theme.Ink) -> None:
    """The page with as much on it as it can show; its chart is written in this ink."""
    open_page(page, server, path, {"run": run_id} if path in ("Train", "Sample") else {})
    if path == "Sample":
        expect(main(page).get_by_role("slider", name="Look at character")).to_be_attached(timeout=PATIENCE)
    if path in ("Train", "Sample"):
        expect(chart_title(page)).to_have_text(re.compile("at step|Drew"), timeout=PATIENCE)
        expect(chart_title(page)).to_have_css("fill", rgb(ink.foreground))
    settled(page)


def rgb(colour: str) -> str:
    """As browsers write it."""
    return f"rgb({', '.join(map(str, theme.channels(colour)))})"


def violations(page: Page) -> list[str]:
    """What axe calls serious or critical: the rule, where, and why."""
    return [
        f"{rule['id']} at {node['target']}: {node['failureSummary']}"
        for rule in Axe().run(page).response["violations"]
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]


def test_the_chart_follows_the_theme_that_the_visitor_chooses(server: Server, page: Page, finished_run: str) -> None:
    open_with_run(page, server, "Train", finished_run, theme.LIGHT)
    for choice, ink in (("Dark", theme.DARK), ("Light", theme.LIGHT)):
        page.get_by_role("button", name="Main menu").click()
        page.get_by_role("menuitemradio", name=choice).click()
        page.keyboard.press("Escape")
        expect(chart_title(page)).to_have_css("fill", rgb(ink.foreground), timeout=PATIENCE)

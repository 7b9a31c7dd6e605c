"""What holds for every page: it opens by its own link, fits a phone, and can be read by everybody."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from rnn.figures import theme
from tests.browser.playground import Server, settled
from tests.browser.visitor import DESKTOP, chart_title, open_page, window

TITLES = {
    "": "RNN Playground",
    "Architecture": "Architecture",
    "Train": "Train",
    "Sample": "Sample",
    "Unroll_Visualizer": "Unroll Visualizer",
    "Truncated_BPTT": "Truncated BPTT",
}
CHARTS = {  # what their last one says
    "Train": "at step", "Sample": "T = 0.8", "Step by step": "T = 0.8", "Score a text": "Surprise",
    "Copied?": "new|copied", "Digit": "says the model", "Sentiment": "ositive|egative", "Label every frame": "right",
}  # fmt: skip
PLACES = [
    *((path, {}) for path in TITLES),
    *(("Sample", {"sample_view": view}) for view in ("Step by step", "Score a text", "Compare", "Copied?")),
    *(("Train", {"train_task": task}) for task in ("Digit", "Sentiment", "Label every frame")),
    *(("Architecture", {"arch_view": view}) for view in ("Cell", "Step", "hello", "Cost", "Tasks")),
]
# Half of these in each theme: what figures are written in is tested without a browser, in both.
INSIDE = [
    *(
        ("Unroll_Visualizer", {"unroll_view": view})
        for view in ("Graph", "States", "Units", "Match", "Influence", "Memory")
    ),
    *(("Truncated_BPTT", {"bptt_view": view}) for view in ("Gradient", "Learning", "Vanishing", "Proof")),
]
LINKS = ["Home", *list(TITLES.values())[1:]]
PHONE = {"width": 390, "height": 844}

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


@pytest.mark.parametrize(("scheme", "ink"), [("light", theme.LIGHT), ("dark", theme.DARK)])
def test_every_page_fits_a_phone_and_axe_finds_nothing_serious(
    server: Server, browser: Browser, finished_run: str, scheme: str, ink: theme.Ink
) -> None:
    found = []
    with window(browser, viewport=PHONE, color_scheme=scheme) as page:
        for path, settings in [*PLACES, *INSIDE[scheme == "dark" :: 2]]:
            page.set_viewport_size(PHONE)
            open_with_run(page, server, path, finished_run, ink, **settings)
            assert not page.evaluate(WIDER_THAN_ITS_WINDOW), path
            page.set_viewport_size(DESKTOP)
            for expander in page.get_by_test_id("stExpander").locator("summary").all():
                expander.click()
            found += [f"{path}: {violation}" for violation in violations(settled(page))]
    assert not found, "\n".join(found)


def open_with_run(page: Page, server: Server, path: str, run_id: str, ink: theme.Ink, **settings: str) -> None:
    """The page with as much on it as it can show; its chart is written in this ink."""
    open_page(page, server, path, {"run": run_id, **settings} if path else {})
    view = settings.get("sample_view") or settings.get("train_task", path)
    if view in CHARTS:
        expect(chart_title(page)).to_have_text(re.compile(CHARTS[view]))
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


def test_the_chart_follows_the_theme_that_the_visitor_chooses(
    server: Server, browser: Browser, finished_run: str
) -> None:
    with window(browser) as page:
        open_with_run(page, server, "Train", finished_run, theme.LIGHT)
        for choice, ink in (("Dark", theme.DARK), ("Light", theme.LIGHT)):
            page.get_by_role("button", name="Main menu").click()
            page.get_by_role("menuitemradio", name=choice).click()
            page.keyboard.press("Escape")
            expect(chart_title(page)).to_have_css("fill", rgb(ink.foreground))

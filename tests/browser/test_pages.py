"""What holds for every page: it opens by its own link, fits a phone, and can be read by everybody."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from rnn.figures import theme
from tests.browser.playground import Server, settled
from tests.browser.visitor import DESKTOP, chart_title, main, open_page, popover, window

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
VIEWS = [  # half of these in each theme: what figures are written in is tested without a browser, in both
    *(("Sample", {"sample_view": view}) for view in ("Step by step", "Score a text", "Compare", "Copied?")),
    *(("Train", {"train_task": task}) for task in ("Digit", "Sentiment", "Label every frame")),
    *(("Architecture", {"arch_view": view}) for view in ("Cell", "Step", "hello", "Cost", "Tasks")),
    ("Architecture", {"arch_view": "hello", "arch_hello_mode": "A network"}),
    ("Architecture", {"arch_view": "Cost", "arch_cost_part": "Against T"}),
    ("Architecture", {"arch_view": "Cost", "arch_cost_part": "Weights"}),
    ("Train", {"train_view": "Samples"}),
    ("Train", {"train_view": "Inside"}),
    ("Train", {"train_view": "Code"}),
    *(
        ("Unroll_Visualizer", {"unroll_view": view})
        for view in ("Graph", "States", "Units", "Match", "Influence", "Memory")
    ),
    ("Unroll_Visualizer", {"unroll_view": "States", "model": "parentheses"}),
    *(
        ("Unroll_Visualizer", {"unroll_view": "States", "unroll_states_panel": panel})
        for panel in ("Gates", "Saturation", "Highway")
    ),
    ("Unroll_Visualizer", {"unroll_view": "Graph", "unroll_graph_way": "Backward"}),
    ("Unroll_Visualizer", {"unroll_view": "Graph", "unroll_graph_way": "Folded"}),
    *(
        ("Unroll_Visualizer", {"unroll_view": "Influence", "unroll_influence_question": question})
        for question in ("Three cells", "Change a character", "Silence a unit")
    ),
    *(
        ("Unroll_Visualizer", {"unroll_view": "Memory", "unroll_memory_part": part})
        for part in ("The path of the state", "The map of characters")
    ),
    *(("Truncated_BPTT", {"bptt_view": view}) for view in ("Gradient", "Learning", "Vanishing", "Proof")),
    ("Truncated_BPTT", {"bptt_view": "Chunks", "bptt_chunks_part": "The line that cuts"}),
    ("Truncated_BPTT", {"bptt_view": "Chunks", "bptt_chunks_part": "In a batch"}),
    ("Truncated_BPTT", {"bptt_view": "Gradient", "bptt_gradient_part": "Every loss, every step"}),
    ("Truncated_BPTT", {"bptt_view": "Gradient", "bptt_gradient_part": "Against the lag"}),
    ("Truncated_BPTT", {"bptt_view": "Learning", "bptt_learning_part": "By position in the chunk"}),
    ("Truncated_BPTT", {"bptt_view": "Learning", "bptt_learning_part": "Delayed recall"}),
    ("Truncated_BPTT", {"bptt_view": "Vanishing", "bptt_vanish_part": "Clipping"}),
    ("Truncated_BPTT", {"bptt_view": "Vanishing", "bptt_vanish_part": "How gates keep the path open"}),
]
LINKS = ["Home", *list(TITLES.values())[1:]]
PHONE = {"width": 390, "height": 844}

WIDER_THAN_ITS_WINDOW = """() => [document.documentElement, document.querySelector("[data-testid=stMain]")]
    .some(e => e.scrollWidth > e.clientWidth) || document.documentElement.scrollWidth > innerWidth"""
CUT_TITLES = """() => [...document.querySelectorAll(".js-plotly-plot")].flatMap(plot => {
    if (!plot.checkVisibility()) return [];
    const title = plot.querySelector(".gtitle"), room = plot.getBoundingClientRect();
    if (!title) return ["a figure without a title"];
    const box = title.getBoundingClientRect();
    return box.left < room.left || box.right > room.right || box.top < room.top ? [title.textContent] : [];
})"""

# What axe finds in Streamlit's own elements, where the app has no say: the rule, what it is found on, and why.
STREAMLITS_OWN = [
    ("presentation-role-conflict", 'data-testid="stFileUploaderDropzone"', "the drop zone has a role and a label"),
]


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


@pytest.mark.parametrize(("scheme", "ink"), [("light", theme.LIGHT), ("dark", theme.DARK)], ids=["light", "dark"])
@pytest.mark.parametrize("path", TITLES)
def test_every_page_fits_a_phone_and_can_be_read_by_everybody(
    server: Server, browser: Browser, finished_run: str, path: str, scheme: str, ink: theme.Ink
) -> None:
    """On a phone nothing is wider than the page and no title is cut, also with all opened that can be opened. At a
    desk axe finds nothing, by any of its rules."""
    is_dark, wrong, needed = scheme == "dark", [], set()
    with window(browser, viewport=PHONE, color_scheme=scheme) as page:
        for settings in ({}, *(view for where, view in VIEWS[is_dark::2] if where == path)):
            place = " ".join([path, *settings.values()])
            page.set_viewport_size(PHONE)
            open_with_run(page, server, path, finished_run, ink, **settings)
            wrong += [f"{place}: cut: {title}" for title in page.evaluate(CUT_TITLES)]
            for opened in everything_opened(page, is_page=not settings):
                if page.evaluate(WIDER_THAN_ITS_WINDOW):
                    wrong.append(f"{place}: scrolls sideways with {opened}")
            page.set_viewport_size(DESKTOP)
            if not settings and (buttons := popover_buttons(page)):
                buttons[-1 if is_dark else 0].click()
                expect(popover(page)).to_be_visible()
            for rule, found, why in violations(settled(page)):
                own = [entry for entry in STREAMLITS_OWN if entry[0] == rule and entry[1] in found]
                needed.update(own)
                wrong += [] if own else [f"{place}: {rule} at {found}: {why}"]
    assert not wrong, "\n".join(wrong)
    if path == "Train":  # what is found nowhere any longer is taken off the list
        assert needed == set(STREAMLITS_OWN)


def popover_buttons(page: Page) -> list[Locator]:
    # Streamlit draws a button with a help twice, one of them out of sight.
    return main(page).get_by_test_id("stPopoverButton").and_(page.locator(":enabled:visible")).all()


def everything_opened(page: Page, is_page: bool) -> Iterator[str]:
    """Opens one thing after another and says which: expanders stay open. A page's views have the same sidebar."""
    yield "nothing open"
    if is_page:
        page.get_by_test_id("stExpandSidebarButton").click()
        expect(page.get_by_test_id("stSidebar")).to_be_visible()
        yield "the sidebar open"
        page.get_by_test_id("stSidebarCollapseButton").get_by_role("button").click()
    for button in popover_buttons(page) if is_page else []:
        button.click()
        expect(popover(page)).to_be_visible()
        settled(page)  # Share draws its code first
        yield f"the popover “{button.inner_text()}” open"
        page.keyboard.press("Escape")
        expect(popover(page)).to_be_hidden()
    for expander in page.get_by_test_id("stExpander").locator("summary").all():
        expander.click()
    yield "all expanders open"


def open_with_run(page: Page, server: Server, path: str, run_id: str, ink: theme.Ink, **settings: str) -> None:
    """The page with as much on it as it can show; its chart is written in this ink."""
    open_page(page, server, path, {"run": run_id, **settings} if path else {})
    view = settings.get("sample_view") or settings.get("train_task") or settings.get("train_view", path)
    if view in CHARTS:
        expect(chart_title(page)).to_have_text(re.compile(CHARTS[view]))
        expect(chart_title(page)).to_have_css("fill", rgb(ink.foreground))
    settled(page)


def rgb(colour: str) -> str:
    """As browsers write it."""
    return f"rgb({', '.join(map(str, theme.channels(colour)))})"


def violations(page: Page) -> list[tuple[str, str, str]]:
    """What axe finds, by all rules that it runs by itself: the rule, the element, and why."""
    return [
        (rule["id"], node["html"], f"{node['target']}: {node['failureSummary']}")
        for rule in Axe().run(page).response["violations"]
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

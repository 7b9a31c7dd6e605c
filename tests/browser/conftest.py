"""A server, a browser and a page for the browser tests. Without a Chromium they are skipped, or fail under CI."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Generator, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser import chromium
from tests.browser.playground import REPOSITORY, Server
from tests.browser.visitor import PATIENCE, start, status, stop, visitor_context

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def server(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app, started once for all tests. A test that restarts or configures it makes its own `Server(tmp_path)`."""
    # It asks for `browser` so that without one nothing starts.
    with Server(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = chromium.find()
    if path is None and os.environ.get("CI"):
        pytest.fail("Browser tests are never skipped under CI, and no Chromium starts. `make chromium` says more.")
    if path is None:
        pytest.skip("no Chromium that starts: `make chromium` installs one, CHROMIUM=/path/to/it names one")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def finished_run(context: BrowserContext, server: Server) -> str:
    """The id of a small run that has ended, to look at; no test changes it."""
    with contextlib.closing(context.new_page()) as page:
        run_id = start(page, server, steps=60)
        expect(status(page)).to_contain_text("finished")
        return run_id


@pytest.fixture(scope="session")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """One visitor's browser, so that Streamlit's and Plotly's code is compiled once for all tests."""
    with contextlib.closing(visitor_context(browser)) as context:
        yield context


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A new tab: for the server a new session. The test fails if the page shows an exception at its end."""
    page = context.new_page()
    yield page
    if not page.is_closed():
        shown = page.locator("[data-testid=stException]").all_inner_texts()
        stop(page)
        for tab in context.pages:
            tab.close()
        assert not shown, f"{page.url} shows an exception: {shown}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure comes with the end of the servers' logs and a picture of the page in test-results/."""
    report = yield
    if report.failed:
        report.sections += [(f"log of the server at {server.url}", server.tail()) for server in Server.running]
        page = getattr(item, "funcargs", {}).get("page")
        if isinstance(page, Page) and not page.is_closed():
            picture = REPOSITORY / "test-results" / (re.sub(r"[^\w.-]+", "_", item.nodeid) + ".png")
            with contextlib.suppress(Exception):
                page.screenshot(path=picture)
                report.sections.append(("picture", str(picture)))
    return report

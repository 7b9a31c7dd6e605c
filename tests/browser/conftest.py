"""A server, a browser and a page for the browser tests. Without a Chromium they are skipped, or fail under CI."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Generator, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser import chromium
from tests.browser.playground import REPOSITORY, Server
from tests.browser.visitor import PATIENCE, start, status

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
DESKTOP = {"width": 1280, "height": 800}


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
def finished_run(browser: Browser, server: Server) -> str:
    """The id of a small run that has ended, to look at; no test changes it."""
    with contextlib.closing(browser.new_context(viewport=DESKTOP)) as context:
        page = context.new_page()
        run_id = start(page, server, steps=60)
        expect(status(page)).to_contain_text("finished", timeout=PATIENCE)
        return run_id


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh visitor with a window of 1280 x 800. The test fails if the page shows an exception at its end."""
    with contextlib.closing(browser.new_context(viewport=DESKTOP)) as context:
        page = context.new_page()
        yield page
        if not page.is_closed():
            shown = page.locator("[data-testid=stException]").all_inner_texts()
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

"""Whole visits: runs that go on while nobody looks, two tabs, other people, links, files taken home."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from rnn.runs.store import Store
from tests.browser.playground import Server, settled
from tests.browser.visitor import (
    PATIENCE,
    SMALL,
    beyond,
    button,
    chart_title,
    choose,
    go_to,
    main,
    open_page,
    run_in_url,
    start,
    status,
    step,
    stored,
)

STEERING = ("Pause", "One step", "Stop", "Reset")
TOKEN = "localStorage.getItem('rnn-playground-owner')"


@pytest.fixture(scope="module")
def public(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app as many visitors share it."""
    with Server(tmp_path_factory.mktemp("public"), {"RNN_PLAYGROUND_PUBLIC": "1"}) as server:
        yield server


@pytest.fixture
def stranger(browser: Browser) -> Iterator[Page]:
    """Somebody with another browser."""
    with closing(browser.new_context()) as context:
        yield context.new_page()


def test_a_run_goes_on_over_a_change_of_pages_and_a_reload_until_it_is_stopped(server: Server, page: Page) -> None:
    run_id = start(page, server)
    before = step(page)
    go_to(page, "Architecture")
    go_to(page, "Train")
    before = beyond(page, before)
    assert run_in_url(page) == run_id

    page.reload()
    beyond(page, before)
    assert run_in_url(page) == run_id

    button(page, "Stop").click()
    expect(main(page).get_by_text("Stopped by hand.")).to_be_visible(timeout=PATIENCE)
    assert stored(server, run_id).step == step(page)
    button(page, "Sample").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sample")
    expect(main(page).get_by_test_id("stCode")).to_have_text(re.compile("[helo]{10}"), timeout=PATIENCE)
    expect(chart_title(page)).to_contain_text("Drew", timeout=PATIENCE)
    assert run_in_url(page) == run_id


def test_an_open_page_and_its_run_outlive_a_restart_and_a_crash_of_the_server(tmp_path: Path, page: Page) -> None:
    with Server(tmp_path) as server:
        run_id = start(page, server)
        for end in (server.stop, server.kill):
            before = beyond(page, step(page))
            end()
            server.start()
            expect(main(page).get_by_text("The server was restarted")).to_be_visible(timeout=PATIENCE)
            beyond(page, before)
            assert run_in_url(page) == run_id
            expect(button(page, "Pause")).to_be_enabled()


def test_only_the_owner_steers_a_public_run_and_is_known_again_after_a_reload(
    public: Server, page: Page, stranger: Page
) -> None:
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    page.on("framenavigated", lambda frame: urls.append(frame.url))
    # A long step keeps the run alive within the 5,000 steps that a visitor may ask for.
    run_id = start(page, public, 5_000, train_text="Nested parentheses", train_batch_size_default=128)

    open_page(stranger, public, "Train", {"run": run_id})
    expect(main(stranger).get_by_text("somebody else's run")).to_be_visible()
    expect(chart_title(stranger)).to_have_text(re.compile("at step"), timeout=PATIENCE)
    expect(main(stranger).get_by_test_id("stCode")).to_have_text(re.compile(r"\S{3}"), timeout=PATIENCE)
    beyond(stranger, step(stranger))

    page.reload()
    for name in STEERING:
        expect(button(page, name)).to_be_visible(timeout=PATIENCE)
    expect(main(page).get_by_text("somebody else's run")).to_have_count(0)
    token = page.evaluate(TOKEN)
    assert len(token) == 43
    assert not [url for url in (*urls, page.url) if token in url]
    assert stranger.evaluate(TOKEN) != token

    for name in (*STEERING, "Resume"):
        expect(button(stranger, name)).to_have_count(0)
    button(page, "Stop").click()
    expect(status(stranger)).to_contain_text("finished", timeout=PATIENCE)
    expect(button(stranger, "Resume")).to_have_count(0)
    button(stranger, "Sample").click()
    expect(main(stranger).get_by_test_id("stCode")).to_have_text(re.compile(r"\S{3}"), timeout=PATIENCE)


def test_settings_stay_in_the_url_over_a_reload_a_change_of_pages_and_a_start(server: Server, page: Page) -> None:
    open_page(page, server, "Train", SMALL)

    def size_is(value: str) -> None:
        page.get_by_text("Settings", exact=True).click()
        expect(page.get_by_label("Hidden size", exact=True)).to_have_value(value)
        page.get_by_text("Settings", exact=True).click()

    size_is("8")
    page.get_by_text("Settings", exact=True).click()
    for label, value in (("Hidden size", "9"), ("Steps", "12"), ("BPTT steps", "7"), ("Batch size", "3")):
        page.get_by_label(label, exact=True).fill(value)
        page.get_by_label(label, exact=True).press("Enter")
        expect(page).to_have_url(re.compile(rf"train_{label.lower().replace(' ', '_')}_default={value}\b"))
    choose(page, "Text", "Nested parentheses")
    expect(page).to_have_url(re.compile("train_text=Nested"))

    page.reload()
    settled(page)
    size_is("9")
    go_to(page, "Sample")
    go_to(page, "Train")
    size_is("9")
    button(page, "Start training").click()
    expect(status(page)).to_contain_text("step 12 of 12", timeout=PATIENCE)
    for part in ("hidden_size_default=9", "steps_default=12", "bptt_steps_default=7", "batch_size_default=3"):
        assert f"train_{part}" in page.url
    assert "train_text=Nested" in page.url


def test_what_one_tab_does_is_seen_in_the_other(server: Server, page: Page) -> None:
    run_id = start(page, server)
    other = open_page(page.context.new_page(), server, "Train", {"run": run_id})
    beyond(other, step(page))
    button(page, "Pause").click()
    expect(button(other, "Resume")).to_be_visible(timeout=PATIENCE)
    expect(status(other)).to_contain_text("paused")


def test_a_double_click_on_start_makes_one_run(server: Server, page: Page) -> None:
    open_page(page, server, "Train", {**SMALL, "train_steps_default": 21})
    with closing(Store(server.home)) as store:
        before = {run.id for run in store.runs_of("laptop")}
        button(page, "Start training").dblclick()
        expect(status(page)).to_contain_text("step 21 of 21", timeout=PATIENCE)
        settled(page)
        after = {run.id for run in store.runs_of("laptop")}
    assert after - before == {run_in_url(page)}

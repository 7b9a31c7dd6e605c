"""Whole visits: runs that go on while nobody looks, two tabs, other people, links, files taken home."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from rnn import checkpoint_file
from rnn.runs.store import Store
from tests.browser.playground import Server, settled
from tests.browser.visitor import (
    SMALL,
    at_rest,
    beyond,
    button,
    chart_title,
    choose,
    delete_in_popover,
    go_to,
    main,
    open_page,
    popover,
    run_in_url,
    start,
    status,
    step,
    stored,
    tab,
    upload,
    visit,
    window,
    written,
)

STEERING = ("Pause", "One step", "Stop", "Reset")
MARK = "XYZZY"
TOKEN = "localStorage.getItem('rnn-playground-owner')"


@pytest.fixture(scope="module")
def public(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app as many visitors share it."""
    with Server(tmp_path_factory.mktemp("public"), {"RNN_PLAYGROUND_PUBLIC": "1"}) as server:
        yield server


@pytest.fixture
def stranger(browser: Browser) -> Iterator[Page]:
    """Somebody with another browser."""
    with window(browser) as page:
        yield page


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
    expect(main(page).get_by_text("Stopped by hand.")).to_be_visible()
    assert stored(server, run_id).step == step(page)
    button(page, "Sample").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sample")
    expect(written(page)).to_have_text(re.compile("[helo]{10}"))
    expect(chart_title(page)).to_contain_text("T = 0.8, safer")
    assert run_in_url(page) == run_id


def test_an_open_page_and_its_run_outlive_a_restart_and_a_crash_of_the_server(tmp_path: Path, page: Page) -> None:
    with Server(tmp_path) as server:
        run_id = start(page, server)
        for end in (server.stop, server.kill):
            before = beyond(page, step(page))
            end()
            server.start()
            expect(main(page).get_by_text("The server was restarted")).to_be_visible()
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
    expect(chart_title(stranger)).to_have_text(re.compile("at step"))
    expect(main(stranger).get_by_test_id("stCode")).to_have_text(re.compile(r"\S{3}"))
    beyond(stranger, step(stranger))

    page.reload()
    for name in STEERING:
        expect(button(page, name)).to_be_visible()
    expect(main(page).get_by_text("somebody else's run")).to_have_count(0)
    token = page.evaluate(TOKEN)
    assert len(token) == 43
    assert not [url for url in (*urls, page.url) if token in url]
    assert stranger.evaluate(TOKEN) != token

    for name in (*STEERING, "Resume"):
        expect(button(stranger, name)).to_have_count(0)
    button(page, "Stop").click()
    expect(status(stranger)).to_contain_text("finished")
    expect(button(stranger, "Resume")).to_have_count(0)
    button(stranger, "Sample").click()
    expect(written(stranger)).to_have_text(re.compile(r"\S{3}"))


def test_delete_everything_leaves_nothing_behind_and_the_browser_gets_a_new_token(
    public: Server, stranger: Page
) -> None:
    settings = {"train_text": "Paste my own", "train_hidden_size_default": 8, "train_steps_default": 5_000}
    open_page(stranger, public, "Train", settings)
    field = stranger.get_by_label("Your text", exact=True)
    field.fill(f"Dear {MARK}, nothing happened today. " * 40)
    field.press("Control+Enter")
    button(stranger, "Start training").click()
    beyond(stranger, 0)
    settled(stranger)
    run_id, token = run_in_url(stranger), stranger.evaluate(TOKEN)
    assert MARK in "".join(path.read_bytes().decode("latin-1") for path in public.home.glob("runs.db*"))
    stranger.evaluate("localStorage.setItem('rnn-playground-more', 'x')")

    other_tab = open_page(stranger.context.new_page(), public, "Train", SMALL)

    stranger.bring_to_front()  # what opens in a tab that is not seen slides to its place when it is seen again
    main(stranger).get_by_text("My runs (1)").click()
    at_rest(button(stranger, "Delete everything of mine")).click()
    button_in_popover(stranger, "Yes, delete everything").click()
    expect(stranger.get_by_text("Everything of yours is deleted.")).to_be_visible()
    settled(stranger)
    stranger.wait_for_function(f"old => ![null, old].includes({TOKEN})", arg=token)
    fresh = stranger.evaluate(TOKEN)
    stranger.reload()
    settled(stranger)
    expect(button(stranger, "Start training")).to_be_enabled()
    expect(main(stranger).get_by_text("My runs")).to_have_count(0)
    expect(stranger.get_by_label("Your text", exact=True)).to_have_count(0)
    assert (run_in_url(stranger), stranger.evaluate(TOKEN)) == ("", fresh)
    assert stranger.evaluate("localStorage.getItem('rnn-playground-more')") is None
    assert not (public.home / "runs" / run_id).exists()
    kept = [path for path in public.home.rglob("*") if path.is_file()]
    assert not [path.name for path in kept if MARK.encode() in path.read_bytes()]
    assert MARK not in public.log.read_text()

    button(other_tab, "Start training").click()  # what another tab does from now on belongs to the new token, too
    beyond(other_tab, 0)
    settled(other_tab)
    with closing(Store(public.home)) as store:
        assert [run.id for run in store.runs_of(fresh)] == [run_in_url(other_tab)]


def test_what_is_typed_before_the_page_knows_its_visitor_is_not_lost(public: Server, page: Page) -> None:
    start(page, public, 60)
    expect(status(page)).to_contain_text("finished")
    tab = visit(page.context.new_page(), public, "Train", {"train_text": "Paste my own"})
    field = tab.get_by_label("Your text", exact=True)
    field.fill("typed at once")
    expect(status(tab)).to_contain_text("finished")  # the browser has said whose it is, and the run is on show
    settled(tab)
    expect(field).to_have_value("typed at once")


def test_a_shared_run_opens_read_only(public: Server, page: Page, stranger: Page) -> None:
    secret = "Nobody else reads this sentence of mine. " * 30
    open_page(page, public, "Train", {**SMALL, "train_text": "Paste my own", "train_steps_default": 300})
    page.get_by_label("Your text", exact=True).fill(secret)
    page.keyboard.press("Control+Enter")
    settled(page)
    button(page, "Start training").click()
    expect(status(page)).to_contain_text("finished")
    run_id = run_in_url(page)

    button(page, "Share").click()
    link = popover(page).get_by_label("Link to this page")
    expect(link).to_have_value(page.url)
    expect(popover(page).get_by_text("so it is not in the link")).to_be_visible()
    frames: list[bytes | str] = []
    stranger.on("websocket", lambda socket: socket.on("framereceived", lambda frame: frames.append(frame)))
    stranger.goto(link.input_value())
    expect(main(stranger).get_by_text("somebody else's run")).to_be_visible()
    expect(chart_title(stranger)).to_have_text(re.compile("at step"))
    expect(main(stranger).get_by_test_id("stCode")).to_have_text(re.compile(r"\S{3}"))
    for name in (*STEERING, "Resume", "Go on"):
        expect(button(stranger, name)).to_have_count(0)
    button(stranger, "Manage").click()
    expect(popover(stranger).get_by_role("button", name="Download")).to_be_visible()
    for name in ("Rename", "Delete this run"):
        expect(popover(stranger).get_by_role("button", name=name)).to_have_count(0)
    assert frames
    assert not [f for f in frames if secret[:30] in (f if isinstance(f, str) else f.decode("utf-8", "replace"))]
    assert stored(public, run_id).status == "finished"


def test_settings_stay_in_the_url_over_a_reload_a_change_of_pages_and_a_start(server: Server, page: Page) -> None:
    open_page(page, server, "Train", SMALL)

    def size_is(value: str) -> None:
        page.get_by_text("Settings", exact=True).click()
        expect(page.get_by_label("Hidden size", exact=True)).to_have_value(value)
        page.get_by_text("Settings", exact=True).click()

    size_is("8")
    page.get_by_text("Settings", exact=True).click()
    values = {
        "Network": [("Hidden size", "9")], "Stops": [("Steps", "12")],
        "Training": [("BPTT steps", "7"), ("Batch size", "3")],
    }  # fmt: skip
    for at, label, value in ((at, *pair) for at, pairs in values.items() for pair in pairs):
        tab(page, at)
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
    expect(status(page)).to_contain_text("step 12 of 12")
    for part in ("hidden_size_default=9", "steps_default=12", "bptt_steps_default=7", "batch_size_default=3"):
        assert f"train_{part}" in page.url
    assert "train_text=Nested" in page.url


def test_what_one_tab_does_is_seen_in_the_other(server: Server, page: Page) -> None:
    run_id = start(page, server)
    other = open_page(page.context.new_page(), server, "Train", {"run": run_id})
    beyond(other, step(page))
    button(page, "Pause").click()
    expect(button(other, "Resume")).to_be_visible()
    expect(status(other)).to_contain_text("paused")


def test_a_double_click_on_start_makes_one_run(server: Server, page: Page) -> None:
    open_page(page, server, "Train", {**SMALL, "train_steps_default": 21})
    with closing(Store(server.home)) as store:
        before = {run.id for run in store.runs_of("laptop")}
        button(page, "Start training").dblclick()
        expect(status(page)).to_contain_text("step 21 of 21")
        settled(page)
        after = {run.id for run in store.runs_of("laptop")}
    assert after - before == {run_in_url(page)}


def test_a_run_can_be_reset_renamed_and_deleted(server: Server, page: Page) -> None:
    run_id = start(page, server)
    button(page, "Reset").click()
    button_in_popover(page, "Back to step 0").click()
    expect(status(page)).to_contain_text("paused · step 0 of")
    button(page, "One step").click()
    expect(status(page)).to_contain_text("paused · step 1 of")

    button(page, "Manage").click()
    popover(page).get_by_role("textbox", name="Name").fill("*Emma* & <b>")
    button_in_popover(page, "Rename").click()
    expect(main(page).get_by_role("combobox", name="Run", exact=True)).to_have_value(re.compile(r"^\*Emma\* & <b> · "))
    assert stored(server, run_id).name == "*Emma* & <b>"

    if not popover(page).is_visible():
        button(page, "Manage").click()
    delete_in_popover(page)
    page.wait_for_function("old => new URL(location).searchParams.get('run') !== old", arg=run_id)
    with closing(Store(server.home)) as store:
        assert run_id not in {run.id for run in store.runs_of("laptop")}
    expect(button(page, "Start training")).to_be_enabled()


def button_in_popover(page: Page, name: str) -> Locator:
    return popover(page).get_by_role("button", name=name, exact=True)


def freeze(page: Page) -> None:
    button(page, "Chart").click()
    popover(page).get_by_text("Freeze", exact=True).click()
    settled(page)


def test_the_chart_changes_its_unit_and_stands_still_when_it_is_frozen(server: Server, page: Page) -> None:
    start(page, server)
    for unit, axis in (("bits", "bits per"), ("perplexity", "perplexity"), ("nats", "nats per")):
        choose(page, "Unit of the loss", unit)
        expect(page.locator(".ytitle").last).to_contain_text(axis)

    freeze(page)
    expect(popover(page).get_by_role("switch", name="Freeze")).to_be_checked()
    page.keyboard.press("Escape")
    before = beyond(page, beyond(page, step(page)))  # the first redraw may have been under way before the click
    frozen = chart_title(page).text_content() or ""
    for _ in range(3):
        before = beyond(page, before)
        expect(chart_title(page)).to_have_text(frozen)
    freeze(page)
    expect(chart_title(page)).not_to_have_text(frozen)
    page.keyboard.press("Escape")
    button(page, "Stop").click()
    expect(status(page)).to_contain_text("finished")


def test_a_downloaded_run_can_be_read_gone_on_with_and_sampled_from(
    server: Server, page: Page, finished_run: str, tmp_path: Path
) -> None:
    open_page(page, server, "Train", {"run": finished_run})
    button(page, "Manage").click()
    with page.expect_download() as download:
        button_in_popover(page, "Download").click()
    assert download.value.suggested_filename.endswith(".safetensors")
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    checkpoint = checkpoint_file.read(path)
    assert checkpoint.step == 60
    page.keyboard.press("Escape")

    page.get_by_text("Go on from a checkpoint file", exact=True).click()
    upload(page, "train_checkpoint", path.name, path.read_bytes())
    button(page, "Open as a run of mine").click()
    page.wait_for_function("old => new URL(location).searchParams.get('run') !== old", arg=finished_run)
    expect(status(page)).to_contain_text(re.compile("paused.* step 60 of 60"))  # the other one is finished
    assert run_in_url(page) != finished_run
    button(page, "One step").click()
    expect(status(page)).to_contain_text("step 61 of")

    go_to(page, "Sample")
    choose(page, "Model", "A checkpoint file of mine")
    upload(page, "sample_file", path.name, path.read_bytes())
    expect(main(page).get_by_text(f"the file {path.name}")).to_be_visible()
    expect(written(page)).to_have_text(re.compile("[helo]{10}"))

"""The Train page for a text of one's own: from pasting it to its samples, its code, a race, and a run that breaks."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.playground import Server, settled
from tests.browser.visitor import SMALL, at_rest, button, chart_title, choose, main, open_page, popover, start, status

LINES = [("Anna", "shall we meet at the station?"), ("Ben", "yes, at six. My number is +49 170 1234567")]
CHAT = "\n".join(f"31/12/2023, 21:{m:02} - {who}: {text}" for m, (who, text) in enumerate(LINES * 12))


def view(page: Page, name: str) -> None:
    main(page).get_by_role("radio", name=name, exact=True).click()
    expect(main(page).get_by_role("radio", name=name, exact=True)).to_be_checked()


def test_a_pasted_chat_is_cleaned_trained_on_judged_sampled_and_shown_as_code(server: Server, page: Page) -> None:
    small = {name: value for name, value in SMALL.items() if name != "train_text"}
    open_page(page, server, "Train", {**small, "train_steps_default": 60})
    choose(page, "Text", "Paste my own")
    page.get_by_label("Your text", exact=True).fill(CHAT)
    page.get_by_label("Your text", exact=True).press("Control+Enter")
    button(page, "What it will read").click()
    expect(popover(page)).to_contain_text("Anna: shall we meet at the station?")
    expect(popover(page)).not_to_contain_text("1234567")
    page.keyboard.press("Escape")

    button(page, "Start training").click()
    expect(status(page)).to_contain_text("finished")
    expect(main(page).get_by_text(re.compile("trigram"))).not_to_have_count(0)  # the lines that counting reaches
    kinds = re.compile(r"(Starting|Learning|Plateau|Overfitting|Underfitting|Unstable|Fine)\.")
    expect(main(page).get_by_text(kinds).first).to_be_visible()

    view(page, "Samples")
    expect(main(page).get_by_text("After step 60", exact=False)).to_be_visible()
    slider = main(page).get_by_role("slider", name="Written after step")
    slider.press("ArrowLeft")
    expect(main(page).get_by_text("After step 50", exact=False)).to_be_visible()

    view(page, "Inside")
    expect(main(page).locator(".gtitle")).to_have_count(3)
    view(page, "Code")
    expect(main(page).get_by_test_id("stCode")).to_contain_text("loss.backward()")
    with page.expect_download() as download:
        button(page, "run.py").click()
    assert "import torch" in download.value.path().read_text(encoding="utf-8")


def test_three_cells_race_and_the_chart_says_who_leads(server: Server, page: Page) -> None:
    open_page(page, server, "Train", {**SMALL, "train_steps_default": 60})
    page.get_by_text("Race", exact=True).click()
    expect(main(page).get_by_text(re.compile("parameter counts differ by"))).to_be_visible()
    at_rest(button(page, "Start the race")).click()
    expect(chart_title(page)).to_contain_text("leads")
    expect(main(page).get_by_text("finished")).to_be_visible()
    main(page).get_by_role("radio", name="Seconds", exact=True).click()
    expect(page.locator(".xtitle").last).to_contain_text("seconds of computing")


def test_a_run_that_breaks_says_why_and_goes_on_with_smaller_steps(server: Server, page: Page) -> None:
    broken = {"train_optimizer_default": "SGD", "train_learning_rate_default_sgd": 50, "train_clip_default": "off"}
    open_page(page, server, "Train", {**SMALL, **broken, "train_steps_default": 200})
    button(page, "Start training").click()
    expect(main(page).get_by_text("Likely cause")).to_be_visible()
    button(page, "Recover").click()
    expect(main(page).get_by_text("Likely cause")).to_have_count(0)
    settled(page)


def test_the_rate_of_a_run_changes_while_it_trains(server: Server, page: Page) -> None:
    start(page, server)
    button(page, "Adjust").click()
    popover(page).get_by_role("slider").press("ArrowLeft")
    expect(popover(page).get_by_text("0.7", exact=True).first).to_be_visible()
    page.keyboard.press("Escape")
    button(page, "Stop").click()
    expect(status(page)).to_contain_text("finished")

"""The pages that look inside a model, as a visitor uses them: characters, bars and sliders choose what is shown."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.playground import Server, settled
from tests.browser.visitor import button, chart_title, choose, main, open_page, written

UNROLL, BPTT = "Unroll_Visualizer", "Truncated_BPTT"
TEXT = 'She said: "One (and only one) thing."'


def read(page: Page, text: str) -> None:
    """Types another text to read."""
    box = main(page).get_by_role("textbox", name="Text to read")
    box.fill(text)
    box.press("Control+Enter")
    settled(page)


def character(page: Page, number: int) -> Locator:
    """One of the text's, from 1."""
    return written(page).get_by_role("option").nth(number - 1)


def view(page: Page, name: str) -> None:
    main(page).get_by_role("radio", name=name, exact=True).click()
    settled(page)


def test_a_text_is_painted_by_a_unit_and_a_clicked_character_is_marked_in_every_figure(
    server: Server, page: Page
) -> None:
    open_page(page, server, UNROLL, {"model": "lstm", "unroll_view": "States"})
    read(page, TEXT)
    expect(written(page).get_by_role("option")).to_have_count(len(TEXT))
    character(page, 12).click()
    expect(chart_title(page)).to_have_text(re.compile(r"Unit 1: h is .* after “O” \(12\)"))
    view(page, "Highway")
    expect(chart_title(page)).to_have_text(re.compile("c after “O”"))
    view(page, "All units")
    with page.expect_download() as download:
        main(page).get_by_role("button", name="CSV").click()
    lines = download.value.path().read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(TEXT) + 1
    assert lines[0].count(",") == 193  # position, character, and 192 units


def test_a_clicked_character_says_what_it_looks_back_to_and_the_link_opens_the_same(server: Server, page: Page) -> None:
    open_page(page, server, UNROLL, {"model": "gru", "unroll_view": "Influence"})
    read(page, TEXT)
    character(page, 20).click()
    expect(chart_title(page)).to_have_text(re.compile("of the influence"))
    view(page, "Change a character")
    expect(chart_title(page)).to_have_text(re.compile("→"))
    page.reload()
    settled(page)
    expect(main(page).get_by_role("radio", name="Change a character")).to_be_checked()
    expect(chart_title(page)).to_have_text(re.compile("→"))


def test_another_model_reads_the_typed_text_and_what_it_does_not_know_is_said(server: Server, page: Page) -> None:
    open_page(page, server, UNROLL, {"model": "rnn"})
    read(page, "naïve 世")
    expect(main(page).get_by_text(re.compile("does not know"))).to_be_visible()
    choose(page, "Model", "GRU (comes with the app)")
    expect(main(page).get_by_role("textbox", name="Text to read")).to_have_value("naïve 世")
    expect(main(page).get_by_test_id("stAlert")).to_have_count(0)
    read(page, "世")
    expect(main(page).get_by_test_id("stAlert")).to_contain_text("knows none of these characters")
    read(page, TEXT)
    expect(main(page).get_by_test_id("stAlert")).to_have_count(0)


def test_the_chunk_length_slider_moves_the_cut_of_the_gradient(server: Server, page: Page) -> None:
    open_page(page, server, BPTT, {"model": "rnn", "bptt_view": "Gradient"})
    title = main(page).locator(".gtitle").first
    expect(title).to_have_text(re.compile("Chunks of 10 of 60 steps"))
    slider = main(page).get_by_role("slider", name="Chunk length k")
    slider.press("ArrowRight")
    expect(title).to_have_text(re.compile("Chunks of 11 of 60 steps"))
    slider.press("End")
    expect(title).to_have_text(re.compile("full|whole|same|0°"))


def test_the_unrolled_graph_is_stepped_and_plays_to_its_last_column(server: Server, page: Page) -> None:
    open_page(page, server, UNROLL, {"model": "rnn", "unroll_view": "Graph", "unroll_graph_T": 4})
    read(page, TEXT)
    expect(chart_title(page)).to_have_text(re.compile("One RNN at 4 steps"))
    button(page, "Step").click()
    expect(main(page).get_by_text(re.compile("reads “h” at step 2"))).to_be_visible()
    button(page, "Play").click()
    expect(main(page).get_by_text(re.compile("reads “␣” at step 4"))).to_be_visible()
    expect(button(page, "Play")).to_be_visible()
    view(page, "Backward")
    expect(main(page).get_by_text(re.compile("differ by .* at most, in float64"))).to_be_visible()


def test_the_depth_unit_of_nested_parentheses_is_found_by_itself(server: Server, page: Page) -> None:
    open_page(page, server, UNROLL, {"model": "parentheses", "unroll_view": "Units"})
    expect(main(page).locator(".gtitle").first).to_have_text(
        re.compile(r"Unit 15 follows the bracket depth: r = −0\.9")
    )


def test_chunks_are_stepped_forward_backward_and_updated(server: Server, page: Page) -> None:
    open_page(page, server, BPTT, {"model": "gru"})
    read(page, TEXT)
    for phase in ("backward", "update"):
        button(page, "Step").click()
        expect(chart_title(page)).to_have_text(re.compile(f"Chunk 1 of 4, {phase}"))
    view(page, "The line that cuts")
    expect(main(page).locator("mark")).to_contain_text("detach_state(layer)")
    expect(chart_title(page)).to_have_text(re.compile("Without the line"))

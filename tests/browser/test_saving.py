"""What is on a page can be taken away: each figure in four formats, while a run trains, too."""

from __future__ import annotations

import csv
import struct
from pathlib import Path
from xml.etree import ElementTree

from playwright.sync_api import Page, expect

from tests.browser.playground import Server, settled
from tests.browser.visitor import main, open_page, start, step, stop


def saved(page: Page, kind: str, title: str = "") -> Path:
    """The file that the button of a figure brings."""
    with page.expect_download() as download:
        main(page).get_by_role("button", name=f"{kind} of {title}").first.click()
    assert download.value.suggested_filename.endswith(f".{kind.lower()}")
    return download.value.path()


def unfold(page: Page) -> None:
    main(page).get_by_text("Save figures and their data", exact=True).click()
    expect(main(page).get_by_role("button", name="PNG of").first).to_be_visible()


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def newest(rows: list[dict[str, str]]) -> int:
    """The last step in the table of a loss."""
    return max(int(row["step"]) for row in rows if row["step"])


def test_a_figure_is_saved_as_a_picture_a_page_and_a_table(server: Server, page: Page, finished_run: str) -> None:
    open_page(page, server, "Train", {"run": finished_run})
    chart = page.locator(".st-key-loss .js-plotly-plot")
    said = chart.locator(".gtitle tspan").first.text_content() or "no title"
    unfold(page)
    box = chart.bounding_box()
    png = saved(page, "PNG").read_bytes()
    assert png.startswith(b"\x89PNG")
    assert box is not None
    assert struct.unpack(">II", png[16:24]) == (2 * round(box["width"]), 2 * round(box["height"]))
    svg = ElementTree.fromstring(saved(page, "SVG").read_text(encoding="utf-8"))
    assert said in "".join(svg.itertext())
    assert said in saved(page, "HTML").read_text(encoding="utf-8")
    assert newest(table(saved(page, "CSV"))) == 60
    expect(main(page).locator(".gtitle")).to_contain_text(said)  # nothing has moved


def test_the_button_in_a_figures_corner_can_be_reached_with_keys(server: Server, page: Page, finished_run: str) -> None:
    open_page(page, server, "Train", {"run": finished_run})
    corner = page.locator(".st-key-loss").get_by_role("button", name="Download plot as a PNG")
    corner.focus()
    expect(corner.locator("xpath=ancestor::div[contains(@class,'modebar--hover')]")).to_have_css("opacity", "1")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename == "loss.png"


def test_the_figures_of_a_page_are_listed_as_they_come_and_go(server: Server, page: Page) -> None:
    """A view inside a part that is redrawn alone; and while a run trains its table grows."""
    start(page, server)
    unfold(page)
    first = table(saved(page, "CSV"))
    stop(page)
    settled(page)
    last = table(saved(page, "CSV"))
    assert newest(first) < newest(last) <= step(page)
    main(page).get_by_role("radio", name="Inside", exact=True).click()
    rows = main(page).get_by_role("listitem").filter(has=page.get_by_role("button", name="CSV"))
    expect(rows).to_have_count(3)
    assert "grad" in saved(page, "CSV", "Gradient").read_text(encoding="utf-8-sig").lower()

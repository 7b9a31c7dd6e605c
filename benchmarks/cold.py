"""The first visit: a new server and a new Chromium, from the address to a page that can be read, and to its figure.

The same for a page of Streamlit with one small figure and nothing else, in turns: what of it is not ours.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Playwright, sync_playwright

from benchmarks import load
from tests.browser import chromium

ROUNDS = 5
WINDOW = {"width": 1280, "height": 800}
PATIENCE = 60_000  # milliseconds
PLAIN = """
import plotly.graph_objects as go
import streamlit as st

st.title("A page")
st.markdown("A line of text, and $a + b$.")
st.plotly_chart(go.Figure(go.Scatter(x=[1, 2], y=[1, 2])).update_layout(title="A figure"))
"""
# Looked for in every frame: a page can be read when its formulas stand, a figure when its title does.
WATCH = """() => {
    const seen = window.firstSeen = {};
    const parts = {page: "[data-testid=stMarkdown] .katex", figure: ".js-plotly-plot .gtitle"};
    const look = () => {
        for (const [part, selector] of Object.entries(parts)) {
            if (!(part in seen) && document.querySelector(selector)) seen[part] = performance.now() / 1000;
        }
        requestAnimationFrame(look);
    };
    look();
}"""
SEEN = "() => 'page' in firstSeen && 'figure' in firstSeen && firstSeen"


def visit(playwright: Playwright, path: str, port: int) -> dict[str, float]:
    """Seconds from the address to the page and to its figure, in a browser that knows nothing yet."""
    browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
    try:
        page = browser.new_page(viewport=WINDOW)
        page.add_init_script(f"({WATCH})()")
        page.goto(f"http://127.0.0.1:{port}/")
        return dict(page.wait_for_function(SEEN, timeout=PATIENCE).json_value())
    finally:
        browser.close()


@contextmanager
def servers(folder: Path, playwright: Playwright, path: str) -> Iterator[tuple[list[dict[str, float]], int, int]]:
    """Both pages: the app's very first visits, its port, the plain page's port."""
    script = folder / "plain.py"
    script.write_text(PLAIN, encoding="utf-8")
    firsts = []
    for i in range(ROUNDS):
        (home := folder / f"home {i}").mkdir()
        with load.server(home) as (port, _):
            firsts.append(visit(playwright, path, port))
    (home := folder / "home").mkdir()
    (other := folder / "other").mkdir()
    with load.server(home) as (port, _), load.server(other, script) as (plain, _):
        yield firsts, port, plain


def run() -> None:
    path = chromium.find()
    if path is None:
        raise SystemExit(chromium.MISSING)
    with (
        tempfile.TemporaryDirectory() as folder,
        sync_playwright() as playwright,
        servers(Path(folder), playwright, path) as (firsts, port, plain),
    ):
        visit(playwright, path, port), visit(playwright, path, plain)
        pairs = [(visit(playwright, path, port), visit(playwright, path, plain)) for _ in range(ROUNDS)]
    print(f"First visit in a new Chromium, seconds: median (least to most) of {ROUNDS}")
    print(f"  {'':38}{'page to read':24}figure")
    for name, found in (
        ("Home, the first visit to a new server", firsts),
        ("Home, later ones", [ours for ours, _ in pairs]),
        ("a plain page of Streamlit beside it", [theirs for _, theirs in pairs]),
    ):
        times = [
            f"{statistics.median(values):.1f} ({min(values):.1f} to {max(values):.1f})"
            for values in ([visit[part] for visit in found] for part in ("page", "figure"))
        ]
        print("  {:38}{:24}{}".format(name, *times))
    print(f"  {'to reach':38}{'2':24}4")

"""The link to a page: what it is, and its QR code, which an independent reader reads."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import numpy as np
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from pages.parts import shell
from pages.parts.sharing import MOST_IN_CODE, MOST_IN_LINK, QUIET, Code, address, code_of

SQUARES = re.compile(r"M(\d+) (\d+)h(\d+)v1h-(\d+)z")


def drawn(code: Code, pixels: int = 4) -> np.ndarray:
    """The picture that the SVG path describes: 0 is black, 255 white."""
    assert SQUARES.sub("", code.path) == ""
    picture = np.full((code.size, code.size), 255, np.uint8)
    for x, y, right, left in (map(int, found) for found in SQUARES.findall(code.path)):
        assert right == left
        picture[y, x : x + right] = 0
    return np.kron(picture, np.ones((pixels, pixels), np.uint8))


@settings(max_examples=25, deadline=None)
@given(st.text(st.characters(codec="utf-8"), max_size=250))
def test_a_qr_code_says_the_link(typed: str) -> None:
    link = "https://class.example.org/rnn/Unroll_Visualizer?" + urlencode({"read_text": typed})
    code = code_of(link[:MOST_IN_CODE])
    assert code is not None
    (read,) = zxingcpp.read_barcodes(drawn(code))
    assert read.text == link[:MOST_IN_CODE]


def test_a_qr_code_has_its_white_margin() -> None:
    code = code_of("http://127.0.0.1:8501/")
    assert code is not None
    picture = drawn(code, 1)
    inner = picture[QUIET:-QUIET, QUIET:-QUIET]
    assert (picture == 0).sum() == (inner == 0).sum()
    assert (inner[0, :7] == 0).all()


def test_a_link_that_no_camera_could_read_has_no_code() -> None:
    longest = "http://a.example/?" + "x" * (MOST_IN_CODE - 18)
    assert code_of(longest) is not None
    assert code_of(longest + "x") is None
    assert code_of("") is None


def test_the_address_is_the_browsers_own() -> None:
    for url in ("https://class.example.org/rnn/Train?run=a&train_text=hello", "http://[::1]:8501/"):
        assert address({"url": url}) == url
    assert address({"url": "http://a.example/Train#below"}) == "http://a.example/Train"


@pytest.mark.parametrize(
    "page", [None, 3, [], {}, {"url": 3}, {"url": "javascript:alert(1)"}, {"url": "//a.example"}, {"url": "http://["},
             {"url": "http://a.example/" + "x" * MOST_IN_LINK}],
)  # fmt: skip
def test_what_is_no_address_of_a_page_is_none(page: object) -> None:
    assert address(page) == ""


@pytest.mark.parametrize("page", shell.PAGES, ids=lambda page: page.title)
def test_every_page_can_be_shared(app: AppTest, page: shell.Page) -> None:
    app.switch_page(page.path).run()
    assert [p.proto.popover.label for p in app.get("popover") if p.proto.popover.label == "Share"] == ["Share"]

"""The app behind nginx as docs/deploy/nginx.conf sets it up. With `pytest -s` it says the bytes of a first visit."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from rnn.shipped import SHIPPED
from tests import nginx
from tests.browser.playground import Server, free_port
from tests.browser.visitor import choose, main, open_page, start, status, upload, window

pytestmark = pytest.mark.skipif(not nginx.NGINX, reason=nginx.WITHOUT)


class Behind(Server):
    """A server as its visitors see it through the proxy on this port."""

    def __init__(self, server: Server, port: int) -> None:
        vars(self).update(vars(server), url=f"http://127.0.0.1:{port}")


@contextmanager
def proxy(folder: Path, server: Server, gzip: bool = True) -> Iterator[Behind]:
    port = free_port()
    process = subprocess.Popen(nginx.command(folder, port, server.port, gzip))
    try:
        yield Behind(server, port)
    finally:
        process.terminate()
        process.wait(15)


def first_visit(browser: Browser, folder: Path, server: Server, gzip: bool) -> dict[str, int]:
    """What a browser that has nothing yet is sent until Home has settled, by path."""
    with proxy(folder, server, gzip) as behind, window(browser) as page:
        open_page(page, behind)
        page.close()  # the websocket's line is written at its end
    return nginx.bytes_sent(folder)


def test_the_first_visit_is_sent_compressed(browser: Browser, server: Server, tmp_path: Path) -> None:
    plain = first_visit(browser, tmp_path / "plain", server, gzip=False)
    compressed = first_visit(browser, tmp_path / "gzip", server, gzip=True)
    socket = "/_stcore/stream"
    print(f"\nfirst visit: {sum(plain.values()):,} bytes, {sum(compressed.values()):,} with gzip; ", end="")
    print(f"of them over the websocket {plain[socket]:,} and {compressed[socket]:,}")
    assert sum(compressed.values()) < sum(plain.values()) / 2
    large = {path for path, sent in plain.items() if sent > 20_000 and path.endswith((".js", ".css", "/"))}
    assert large
    assert large <= compressed.keys()
    assert all(compressed[path] < plain[path] / 2 for path in large)


def test_training_and_uploads_go_through(browser: Browser, server: Server, tmp_path: Path) -> None:
    with proxy(tmp_path, server) as behind, window(browser) as page:
        start(page, behind, steps=60)
        expect(status(page)).to_contain_text("finished")
        open_page(page, behind, "Sample")
        choose(page, "Model", "A checkpoint file of mine")
        upload(page, "sample_file", "mine.safetensors", SHIPPED["lstm"].path.read_bytes())
        expect(main(page).get_by_text("the file mine.safetensors")).to_be_visible()

"""The app as a visitor meets it: a real server, and when a page has settled."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Self

from playwright.sync_api import Page

REPOSITORY = Path(__file__).parents[2]
START_SECONDS = 60
SETTLED = """() => {
    const app = document.querySelector("[data-testid=stApp]");
    return app && app.dataset.testConnectionState === "CONNECTED" && app.dataset.testScriptState === "notRunning"
        && !document.querySelector("[data-testid=stSkeleton]");
}"""


def settled(page: Page) -> Page:
    """Wait until the page is connected, its script has run and nothing is a placeholder any more.

    After a click the script may not have begun yet: `expect` what the click should change.
    """
    page.wait_for_function(SETTLED)
    return page


class Server:
    """`streamlit run` on a free port of this computer, with its own runs. A context manager; it can be restarted.

    Args:
        folder: gets the run store (`home/`) and the log (`server.log`).
        environment: variables on top of this process's own and of RNN_PLAYGROUND_HOME and _PUBLIC=0.
        script: the app, from the repository's root.
        options: more options of `streamlit run`.
    """

    running: ClassVar[list[Server]] = []

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str] | None = None,
        script: str | Path = "streamlit_app.py",
        options: Sequence[str] = (),
    ) -> None:
        self.home = folder / "home"
        self.log = folder / "server.log"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None
        own = {"RNN_PLAYGROUND_HOME": str(self.home), "RNN_PLAYGROUND_PUBLIC": "0", "PYTHONUNBUFFERED": "1"}
        self._environment = {**os.environ, **own, **(environment or {})}
        address = ["--server.address=127.0.0.1", f"--server.port={self.port}", "--server.headless=true"]
        self._command = [sys.executable, "-m", "streamlit", "run", str(script), *address, *options]

    def start(self) -> Self:
        """Start, and return when the server answers. A stopped server comes back on the same port and home."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command, cwd=REPOSITORY, env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self.running.append(self)
        until = time.monotonic() + START_SECONDS
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > until:
                self.stop()
                raise RuntimeError(f"The server did not start. The end of its log:\n{self.tail()}")
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(0.05)
        return self

    def answers(self) -> bool:
        """Whether the server says that it is healthy."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/_stcore/health")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def stop(self) -> None:
        """End it as Ctrl-C or a deployment does."""
        if self.process and self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(15)
        self.kill()

    def kill(self) -> None:
        """End it as a power cut does."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None
            self.running.remove(self)

    def tail(self, lines: int = 40) -> str:
        """The end of the log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])

"""Find a Chromium that runs; as a script, install one where there is none.

    python tests/browser/chromium.py     prints its path, or one sentence why there is none

The order: $CHROMIUM, a browser of the system, Playwright's own, then `playwright install chromium`, then (as root,
where there is apt-get) Debian's package. Under CI a missing browser is an error.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
MACOS = ("Google Chrome", "Chromium", "Microsoft Edge")
INSTALL_SECONDS = 900
MISSING = (
    "No Chromium was found that starts, and none could be installed: install Chromium or Chrome, "
    "or name one in the environment variable CHROMIUM."
)


def candidates() -> Iterator[str]:
    """Where a browser may be, best first."""
    yield from (path for name in NAMES if (path := shutil.which(name)))
    yield from (f"/Applications/{name}.app/Contents/MacOS/{name}" for name in MACOS)
    yield playwrights_own()


def playwrights_own() -> str:
    """Where `playwright install chromium` puts its browser, whether it is there or not."""
    code = "from playwright.sync_api import sync_playwright as s\nwith s() as p: print(p.chromium.executable_path)"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False).stdout.strip()


def starts(path: str) -> bool:
    """Whether the browser says its version: a shared library may be missing, or a snap stands behind the name."""
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=60, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def find() -> str | None:
    """The path of a Chromium that starts. $CHROMIUM, where it is set, is the only candidate."""
    named = os.environ.get("CHROMIUM")
    return next(filter(starts, [named] if named else candidates()), None)


def installers() -> Iterator[list[list[str]]]:
    """The ways to get a browser, each a list of commands."""
    yield [[sys.executable, "-m", "playwright", "install", "chromium"]]
    if shutil.which("apt-get") and os.geteuid() == 0:
        yield [["apt-get", "update"], ["apt-get", "install", "--yes", "--no-install-recommends", "chromium"]]


def install() -> str | None:
    """Try each way until a browser starts."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    quiet: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": sys.stderr}
    for commands in installers():
        for command in commands:
            print("No Chromium yet, trying:", *[Path(command[0]).name, *command[1:]], file=sys.stderr, flush=True)
            try:
                subprocess.run(command, env=environment, check=False, timeout=INSTALL_SECONDS, **quiet)
            except (OSError, subprocess.TimeoutExpired) as error:
                print(error, file=sys.stderr)
        if path := find():
            return path
    return None


def main() -> int:
    if os.environ.get("CHROMIUM"):
        path, missing = find(), "The browser that the environment variable CHROMIUM names does not start."
    else:
        path, missing = find() or install(), MISSING
    if path:
        print("Browser tests use", path)
        return 0
    print(missing, file=sys.stderr)
    return 1 if os.environ.get("CI") else 0


if __name__ == "__main__":
    sys.exit(main())

"""The files of docs/deploy/ fit the app: each is tried as far as the programs of this computer go."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

from tests import nginx
from tests.unit.conftest import DEADLINE

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "docs" / "deploy"
SETTINGS = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
CONTAINER = re.sub(r"#.*\n", "", (DEPLOY / "Containerfile").read_text(encoding="utf-8"))


@pytest.mark.skipif(not nginx.NGINX, reason=nginx.WITHOUT)
def test_nginx_accepts_its_configuration(tmp_path: Path) -> None:
    checked = subprocess.run([*nginx.command(tmp_path), "-t"], capture_output=True, text=True, timeout=DEADLINE)
    assert checked.returncode == 0, checked.stderr
    assert "warn" not in checked.stderr


def test_an_upload_of_the_allowed_size_fits_through_nginx() -> None:
    (allowed,) = re.findall(r"client_max_body_size (\d+)m;", nginx.SITE.read_text(encoding="utf-8"))
    assert int(allowed) > SETTINGS["server"]["maxUploadSize"]


def test_the_readmes_caddy_lines_are_the_file() -> None:
    lines = (DEPLOY / "Caddyfile").read_text(encoding="utf-8")
    site = re.sub(r"^#.*\n", "", lines, flags=re.MULTILINE)
    assert site in (ROOT / "README.md").read_text(encoding="utf-8")


def copied() -> list[tuple[str, str]]:
    """What the Containerfile copies, and where it puts it below /app."""
    pairs = []
    for words in (line.split()[1:] for line in CONTAINER.splitlines() if line.startswith("COPY ")):
        pairs += [(source, source if words[-1] in (".", "./") else words[-1]) for source in words[:-1]]
    return pairs


def test_the_builder_is_sent_what_the_container_is_made_of_and_no_more() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[:1] != "#"]
    assert lines[0] == "*"
    assert {line[1:] for line in lines if line[:1] == "!"} == {source for source, _ in copied()}


def test_the_containers_python_is_one_that_the_app_runs_on() -> None:
    (base,) = re.findall(r"^FROM \S+/python:3\.(\d+)-slim$", CONTAINER, re.MULTILINE)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert int(base) >= int(project["requires-python"].removeprefix(">=3."))


def test_what_the_container_holds_is_enough_to_serve_and_to_be_found_healthy(tmp_path: Path) -> None:
    """Its own command in a folder with its files alone. Nothing but its home is written."""
    app, home = tmp_path / "app", tmp_path / "data"
    app.mkdir()
    for source, place in copied():
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, app / place, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / source, app / place)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = str(listener.getsockname()[1])
    command, health = (
        [word.replace("8501", port) for word in json.loads(words)]
        for words in re.findall(r"^(?:CMD|HEALTHCHECK .*CMD) (\[.*\])$", CONTAINER, re.MULTILINE)[::-1]
    )
    assert command[0] == health[0] == "python"
    environment = {**os.environ, "RNN_PLAYGROUND_HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
    before = sorted(app.rglob("*"))
    log = tmp_path / "log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, *command[1:]], cwd=app, env=environment, stdout=output, stderr=output
        )
    try:
        until = time.monotonic() + DEADLINE
        while subprocess.run([sys.executable, *health[1:]], capture_output=True).returncode:
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
    finally:
        server.terminate()
        server.wait(DEADLINE)
    assert sorted(app.rglob("*")) == before
    assert subprocess.run([sys.executable, *health[1:]], capture_output=True).returncode == 1

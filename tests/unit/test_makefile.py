"""`make app` installs what is missing or has changed, and no more. Python is a stub here that writes down its calls."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Answers with the version in the file `version` beside it, and makes venvs of itself.
STUB = """#!/bin/sh
here=$(dirname "$0")
version=$(cat "$here/version")
case "$*" in
    "-c "*print*) echo "$version" ;;
    "-c "*) test "$version" != 3.10 ;;
    "-m pip --version") test -e "$here/../has-$version" ;;
    "-m venv"*)
        for folder; do :; done
        case "$*" in *--clear*) rm -rf "$folder" ;; esac
        mkdir -p "$folder/bin"
        cp "$0" "$folder/bin/python"
        cp "$here/version" "$folder/bin/version"
        echo "version = $version.7" > "$folder/pyvenv.cfg"
        touch "$folder/has-$version"
        echo "venv $version" >> calls ;;
    "-m pip install"*) echo "install $version ${*##* }" >> calls; test ! -e offline ;;
    "-m streamlit"*) echo "app $version" >> calls ;;
esac
"""

pytestmark = pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "requirements.txt").write_text("streamlit==1\n")
    (tmp_path / "requirements-dev.txt").write_text("pytest==1\n")
    return tmp_path


def python(checkout: Path, version: str) -> Path:
    """A Python of this version in a folder of its own."""
    path = checkout / f"python-{version}" / "python3"
    path.parent.mkdir()
    path.write_text(STUB)
    path.chmod(0o755)
    (path.parent / "version").write_text(version)
    return path


def make(checkout: Path, *arguments: str, path: Path | None = None) -> list[str]:
    """What `make app` had its Python do; `path`: the one that is found first."""
    (checkout / "calls").write_text("")
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHON", "VENV", "MAKEFLAGS")}
    if path:
        environment["PATH"] = f"{path.parent}:{environment['PATH']}"
    done = subprocess.run(
        ["make", "--silent", "app", *arguments],
        cwd=checkout,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    calls = (checkout / "calls").read_text().splitlines()
    return calls if done.returncode == 0 else [*calls, done.stdout.strip()]


def test_the_first_call_makes_the_venv_and_the_second_only_opens_the_app(checkout: Path) -> None:
    found = python(checkout, "3.11")
    assert make(checkout, path=found) == ["venv 3.11", "install 3.11 requirements.txt", "app 3.11"]
    assert make(checkout, path=found) == ["app 3.11"]


def test_changed_requirements_are_installed_into_the_same_venv(checkout: Path) -> None:
    found = python(checkout, "3.11")
    make(checkout, path=found)
    stamp = (checkout / ".venv" / ".installed-app").stat().st_mtime
    os.utime(checkout / "requirements.txt", (stamp + 1, stamp + 1))  # as `git pull` leaves a file that it changes
    assert make(checkout, path=found) == ["install 3.11 requirements.txt", "app 3.11"]


def test_what_could_not_be_installed_is_tried_again(checkout: Path) -> None:
    found = python(checkout, "3.11")
    (checkout / "offline").touch()
    assert make(checkout, path=found)[:2] == ["venv 3.11", "install 3.11 requirements.txt"]
    (checkout / "offline").unlink()
    assert make(checkout, path=found) == ["install 3.11 requirements.txt", "app 3.11"]


def test_another_python_that_is_asked_for_gets_a_new_venv_and_keeps_it(checkout: Path) -> None:
    found, other = python(checkout, "3.11"), python(checkout, "3.13")
    make(checkout, path=found)
    assert make(checkout, f"PYTHON={other}", path=found) == [
        "venv 3.13", "install 3.13 requirements.txt", "app 3.13"
    ]  # fmt: skip
    assert make(checkout, f"PYTHON={other}", path=found) == ["app 3.13"]
    assert make(checkout, path=found) == ["app 3.13"]  # nobody has asked for the one that is found


def test_a_venv_whose_python_was_updated_with_the_system_is_made_anew(checkout: Path) -> None:
    make(checkout, path=python(checkout, "3.11"))
    (checkout / ".venv" / "bin" / "version").write_text("3.12")
    found = python(checkout, "3.12")
    assert make(checkout, path=found) == ["venv 3.12", "install 3.12 requirements.txt", "app 3.12"]
    assert make(checkout, path=found) == ["app 3.12"]


def test_a_venv_whose_python_is_gone_is_made_anew(checkout: Path) -> None:
    found = python(checkout, "3.11")
    make(checkout, path=found)
    (checkout / ".venv" / "bin" / "python").unlink()
    assert make(checkout, path=found) == ["venv 3.11", "install 3.11 requirements.txt", "app 3.11"]


def test_a_python_that_is_too_old_or_not_there_is_refused_and_the_venv_stays(checkout: Path) -> None:
    found = python(checkout, "3.11")
    make(checkout, path=found)
    for asked in (str(python(checkout, "3.10")), "no-such-python"):
        (sentence,) = make(checkout, f"PYTHON={asked}", path=found)
        assert sentence.startswith(f"RNN Playground needs Python 3.11 or newer, and {asked} is not.")
    assert make(checkout, path=found) == ["app 3.11"]

"""RESULTS.md keeps the last output of every benchmark."""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from pathlib import Path

from benchmarks.results import HEAD, SECTION, Copy, keep


def test_a_benchmark_replaces_its_own_output_and_leaves_the_others(tmp_path: Path) -> None:
    path = tmp_path / "RESULTS.md"
    for name, text in (("step", "1.2x\n"), ("load", "a\nb\n"), ("step", "1.3x\n")):
        keep(path, name, text)
    written = path.read_text(encoding="utf-8")
    assert written.startswith(HEAD)
    found = SECTION.findall(written)
    assert [title.split(",")[0] for title, _ in found] == ["step", "load"]
    assert [text for _, text in found] == ["1.3x\n", "a\nb\n"]


def test_what_is_printed_is_seen_and_kept() -> None:
    screen = io.StringIO()
    with redirect_stdout(Copy(screen)) as copy:
        print("one")
        print("two", flush=True)
    assert copy.text == screen.getvalue() == "one\ntwo\n"

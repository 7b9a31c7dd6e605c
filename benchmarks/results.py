"""RESULTS.md: the last output of every benchmark, each under its name and the device it ran on."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import TextIO

import torch

RESULTS = Path(__file__).with_name("RESULTS.md")
HEAD = """# Results

What `python -m benchmarks` printed the last time each of them ran. Ours stands left of what it is compared with, in
units of work per second where nothing else is said, then the ratio: median (least to most) of repeats taken in turns.
"""
SECTION = re.compile(r"^## ([^\n]+)\n\n```text\n(.*?)```\n", re.MULTILINE | re.DOTALL)


class Copy(io.TextIOBase):
    """Writes on to a stream and keeps what was written."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.text = ""

    def write(self, text: str) -> int:
        self.text += text
        return self.stream.write(text)

    def flush(self) -> None:
        self.stream.flush()


def keep(path: Path, name: str, text: str) -> None:
    """Puts the output of a benchmark in place of that of its last run on this kind of device."""
    title = f"{name}, {torch.cuda.get_device_name()}" if torch.cuda.is_available() else name
    sections = dict(SECTION.findall(path.read_text(encoding="utf-8"))) if path.exists() else {}
    sections[title] = text
    body = "".join(f"\n## {title}\n\n```text\n{text}```\n" for title, text in sections.items())
    path.write_text(HEAD + body, encoding="utf-8")

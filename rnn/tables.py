"""Tables for other programs: numbers of every character of a text, and cells that a spreadsheet shows as they are.
No torch."""

from __future__ import annotations

import csv
import io
from typing import Any

from numpy.typing import NDArray

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # how a cell begins that a spreadsheet would carry out


def guarded(text: str) -> str:
    """What a person may have typed, so that a spreadsheet shows it and does not carry it out."""
    return f"'{text}" if text.startswith(FORMULA) else text


def states_csv(text: str, states: NDArray[Any], name: str) -> str:
    """One row per character as CSV (RFC 4180): its position from 1, the character, then a column per unit.

    Args:
        text: T characters.
        states: (T, H).
        name: of the states, "h" or "c"; unit 3 of h has the column "h3".
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(["position", "character", *(f"{name}{unit}" for unit in range(1, states.shape[1] + 1))])
    for t, (character, row) in enumerate(zip(text, states.tolist(), strict=True), 1):
        writer.writerow([t, character, *(f"{value:.6g}" for value in row)])
    return file.getvalue()

"""Numbers of every character of a text as a table for other programs. No torch."""

from __future__ import annotations

import csv
import io
from typing import Any

from numpy.typing import NDArray


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

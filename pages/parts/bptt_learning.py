"""Truncated BPTT, the learning: what chunks cost in the loss, measured on networks that are trained or already were."""

from __future__ import annotations

from pages.parts import bptt_position, bptt_race, bptt_recall
from pages.parts.reading import Reading, show_one

PART = "bptt_learning_part"
PARTS = {
    "Carry, reset or full": bptt_race.show, "Delayed recall": bptt_recall.show,
    "By position in the chunk": bptt_position.show,
}  # fmt: skip


def show(reading: Reading) -> None:
    """One of three parts."""
    show_one("Part", PARTS, PART, reading)

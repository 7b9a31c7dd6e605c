"""Every cap of a public deployment, in one place. On a laptop (`RNN_PLAYGROUND_PUBLIC=0`) there are none."""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What one visitor may ask for; None means no cap."""

    hidden_size: int | None
    batch_size: int | None
    bptt_steps: int | None
    steps: int | None
    text_bytes: int | None
    active_per_owner: int | None  # runs that train at a time; more wait
    active_in_total: int | None
    reason: str


PUBLIC = Limits(
    hidden_size=512,
    batch_size=128,
    bptt_steps=256,
    steps=5_000,
    text_bytes=5_000_000,
    active_per_owner=2,
    active_in_total=40,
    reason="This server is shared; run the app on your own computer (`make app`) to lift the caps.",
)
LAPTOP = Limits(None, None, None, None, None, None, None, "")


def is_public() -> bool:
    """Public unless `RNN_PLAYGROUND_PUBLIC` says 0."""
    return os.environ.get("RNN_PLAYGROUND_PUBLIC", "1") != "0"


def limits() -> Limits:
    return PUBLIC if is_public() else LAPTOP

"""Truncated BPTT: how far back the gradient flows, and where it is cut."""

from collections.abc import Callable

from pages.parts import (
    asking,
    bptt_chunks,
    bptt_gradient,
    bptt_learning,
    bptt_proof,
    bptt_vanish,
    keys,
    reading,
    saving,
    service,
    shell,
)
from pages.parts.reading import Reading

VIEWS: dict[str, Callable[[Reading], None]] = {
    "Chunks": bptt_chunks.show, "Gradient": bptt_gradient.show, "Learning": bptt_learning.show,
    "Vanishing": bptt_vanish.show, "Proof": bptt_proof.show,
}  # fmt: skip

question = shell.page("Truncated BPTT")
service.open_runs()
asking.about_reading(question, reading.show_views(VIEWS, keys.BPTT_VIEW))
saving.offer()
service.warm_up()

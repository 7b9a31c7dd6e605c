"""Unroll Visualizer: every time step side by side, with its real numbers."""

from collections.abc import Callable

from pages.parts import (
    asking,
    keys,
    reading,
    saving,
    service,
    shell,
    unroll_graph,
    unroll_influence,
    unroll_match,
    unroll_memory,
    unroll_states,
    unroll_units,
)
from pages.parts.reading import Reading

VIEWS: dict[str, Callable[[Reading], None]] = {
    "Graph": unroll_graph.show, "States": unroll_states.show, "Units": unroll_units.show,
    "Match": unroll_match.show, "Influence": unroll_influence.show, "Memory": unroll_memory.show,
}  # fmt: skip

question = shell.page("Unroll Visualizer")
service.open_runs()
asking.about_reading(question, reading.show_views(VIEWS, keys.UNROLL_VIEW))
saving.offer()
service.warm_up()

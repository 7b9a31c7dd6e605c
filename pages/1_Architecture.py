"""Architecture: a network drawn, in equations and in numbers."""

import streamlit as st

from pages.parts import (
    arch_cell,
    arch_cost,
    arch_hello,
    arch_network,
    arch_shapes,
    arch_step,
    asking,
    blueprint,
    keys,
    saving,
    service,
    shell,
)
from rnn.errors import PlaygroundError

VIEWS = {  # name -> what shows it, called with (Blueprint, T)
    "Network": arch_network.show, "Cell": arch_cell.show, "Step": arch_step.show, "hello": arch_hello.show,
    "Cost": arch_cost.show, "Tasks": arch_shapes.show,
}  # fmt: skip

question = shell.page("Architecture")
service.open_runs()
choose, show = shell.settings_and_show([2, 5], is_shown_first=True)
chosen, steps = None, 0
with choose:
    try:
        chosen, steps = blueprint.choose()
    except PlaygroundError as error:
        blueprint.complain(error)
with show:
    if chosen is not None and VIEWS:
        view = st.segmented_control(
            "View", list(VIEWS), default=next(iter(VIEWS)), **keys.in_url(keys.ARCH_VIEW),
            label_visibility="collapsed", required=True,
            help="Its blocks, the inside of one, a step, four letters, what it costs, and every sequence shape.",
        )  # fmt: skip
        try:
            VIEWS.get(view, next(iter(VIEWS.values())))(chosen, steps)
        except PlaygroundError as error:
            blueprint.complain(error)
asking.about_network(question, chosen, steps)
saving.offer()
service.warm_up()

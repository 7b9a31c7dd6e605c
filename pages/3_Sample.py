"""Sample: a trained model writes, one character at a time."""

import random

import streamlit as st

from pages.parts import controls, keys, service, shell, writers, writing
from rnn.errors import PlaygroundError


def new_seed() -> None:
    """Other random numbers, and the newest weights of a run that trains."""
    st.session_state[keys.SEED] = random.randrange(1_000_000)
    st.session_state.pop(keys.PIECE, None)


shell.page("Sample")
service.open_runs()
choose, read = shell.settings_and_show([2, 3], is_shown_first=True)
with choose, shell.complaints():
    model = writers.choose_model()
    settings = controls.sampling()
    st.button(
        "Write again", key="sample_write", type="primary", icon=":material/edit_note:", on_click=new_seed,
        width="stretch", disabled=model is None,
        help="With another seed, and with the newest weights of a run that trains.",
    )  # fmt: skip

with read:
    if model is None:
        st.info("Choose a file that was downloaded on the Train page or written by `python -m rnn train`.")
    else:
        try:
            identity = writers.identity(model)
            piece = writing.piece_on_show(identity, settings)
            piece = piece or writing.new_piece(identity, lambda: writers.writer(model), settings)
            writing.show(piece)
            writing.inspect(piece)
        except PlaygroundError as error:
            st.error(shell.plain(error))
service.warm_up()

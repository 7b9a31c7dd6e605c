"""Sample: a trained model writes, one character at a time."""

import random

import streamlit as st

from pages.parts import (
    asking,
    comparing,
    copied,
    keys,
    sampling,
    saving,
    scoring,
    service,
    shell,
    stepping,
    writers,
    writing,
)
from rnn.errors import PlaygroundError

TEXT, STEPS, SCORE, COMPARE, COPIED = "Text", "Step by step", "Score a text", "Compare", "Copied?"
VIEWS = (TEXT, STEPS, SCORE, COMPARE, COPIED)


def new_seed() -> None:
    """Other random numbers, and the newest weights of a run that trains."""
    keys.put(keys.SEED, random.randrange(1_000_000))
    st.session_state[keys.STREAM] = True
    writers.let_go()


question = shell.page("Sample")
service.open_runs()
choose, read = shell.settings_and_show([2, 5], is_shown_first=True)
writer = trouble = None
with choose, shell.complaints():
    choice = writers.choose_model()
    try:
        writer = writers.held(choice) if choice else None
    except PlaygroundError as error:
        trouble = error
    settings = sampling.settings(writer.vocabulary if writer else None)
    st.button(
        "Write again", key="sample_write", type="primary", icon=":material/edit_note:", on_click=new_seed,
        width="stretch", disabled=writer is None,
        help="With another seed, and with the newest weights of a run that trains.",
    )  # fmt: skip

with read:
    if trouble is not None:
        st.error(shell.plain(trouble))
    elif choice is None or writer is None:
        st.info("Choose a file that was downloaded on the Train page or written by `python -m rnn train`.")
    else:
        view = st.segmented_control(
            "View",
            VIEWS,
            default=TEXT,
            **keys.in_url(keys.SAMPLE_VIEW),
            label_visibility="collapsed",
            required=True,
            help="It writes alone or with you, scores a text, compares, and shows what is copied.",
        )
        st.caption(f"With the weights of {shell.plain(writer.about)}")
        try:
            model_id = writers.identity(choice)
            if view == STEPS:
                stepping.show(model_id, writer, settings)
            elif view == SCORE:
                scoring.show(writer)
            elif view == COMPARE:
                comparing.show(choice, writer, settings)
            else:
                piece = writing.piece_on_show(model_id, writer, settings)
                writing.show(piece, is_read=view != COPIED)
                if view == COPIED:
                    copied.show(choice, piece)
        except PlaygroundError as error:
            st.error(shell.plain(error))
asking.about_writing(question, choice, writer, settings)
saving.offer()
service.warm_up()

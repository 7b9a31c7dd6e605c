"""Sample: a trained model writes, one character at a time."""

import streamlit as st

from pages.parts import controls, service, shell, writing
from rnn.errors import PlaygroundError

shell.page("Sample")
service.open_runs()
run = writing.choose_model()
if run is None:
    st.info("There is no trained model yet.")
    st.page_link("pages/2_Train.py", label="Train one: it takes less than a minute", icon=":material/trending_down:")
    service.warm_up()
    st.stop()

choose, read = st.columns([2, 3], gap="large")
with choose:
    with shell.complaints():
        settings = controls.sampling()
    write = st.button("Write", key="sample_write", type="primary", icon=":material/edit_note:", width="stretch")
with read:
    try:
        writing.inspect(writing.piece_on_show(run.id, settings, write))
    except PlaygroundError as error:
        st.error(shell.plain(error))

service.warm_up()

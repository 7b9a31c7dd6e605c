"""Train: a model on a text, and its loss as it falls."""

import streamlit as st

from pages.parts import controls, live, service, shell
from rnn.errors import PlaygroundError

shell.page("Train")
runs = service.open_runs()
choose, watch = st.columns([2, 3], gap="large")

with choose:
    text = controls.text_chooser()
    with shell.complaints():
        model, train = controls.settings()
    ready = text is not None and controls.show_preflight(text, model, train)
    start = st.button(
        "Start training", type="primary", icon=":material/play_arrow:", disabled=not ready, width="stretch"
    )
    if start and ready and text is not None:
        try:
            service.choose_run(runs.create(service.token(), text, model, train))
        except PlaygroundError as error:
            st.error(shell.plain(error))

with watch:
    info = service.current_run()
    if info is None:
        st.info("Press **Start training**: within seconds the loss falls and the model begins to write.")
    else:
        live.run_panel(info)

service.warm_up()

"""Train: a model on a text, and its loss as it falls."""

from pages.parts import controls, live, runs, service, shell, starting
from rnn import corpora

shell.page("Train")
service.open_runs()
info = runs.run_on_show()

choose, watch = shell.settings_and_show([3, 7], is_shown_first=info is not None)

with choose:
    text = controls.text_chooser()
    with shell.complaints():
        model, train = controls.settings()
    found = corpora.preflight(text, train) if text else None
    ready = found is not None and controls.show_preflight(found, model)
    if starting.start_button(ready) and text is not None:
        info = starting.start(text, model, train) or info
    if found is not None:
        controls.show_characters(found.vocabulary)
    runs.open_file(text)

with watch:
    if info is None:
        live.empty_panel()
    else:
        live.run_panel(runs.run_bar(info))

if len(own := service.own_runs()) > 1:
    runs.run_table(own)
service.warm_up()

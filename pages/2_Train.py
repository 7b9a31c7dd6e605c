"""Train: a model on a text, and its loss as it falls."""

from pages.parts import controls, live, racing, runs, service, shell, starting, texts
from rnn import corpora

shell.page("Train")
service.open_runs()
info = runs.run_on_show()

choose, watch = shell.settings_and_show([3, 7], is_shown_first=info is not None)

with choose:
    text = texts.text_chooser()
    with shell.complaints():
        model, train = controls.settings()
    found = corpora.preflight(text, train) if text else None
    ready = found is not None and texts.show_preflight(found, model)
    if starting.start_button(ready) and text is not None:
        info = starting.start(text, model, train) or info
    estimate = starting.place_of_estimate()
    if text is not None and found is not None:
        if ready:
            info = racing.race_controls(text, model, train, len(found.vocabulary)) or info
        texts.show_characters(found)
    runs.open_file(text)

with watch:
    if info is None:
        live.empty_panel(text if ready else None, found.config if found else train)
    elif info.race_id:
        runs.run_bar(info)
        racing.race_panel(info.race_id)
    else:
        live.run_panel(runs.run_bar(info))

if len(own := service.own_runs()) > 1:
    runs.run_table(own)
    racing.compare_runs(own)
if text is not None and found is not None and ready:
    starting.show_estimate(estimate, text, model, found.config)  # last, because measuring takes its time
service.warm_up()

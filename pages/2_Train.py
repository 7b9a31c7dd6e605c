"""Train: a model on a text or another task, and its loss as it falls."""

from pages.parts import (
    answers,
    asking,
    controls,
    keeping,
    learning,
    live,
    racing,
    runs,
    saving,
    service,
    shell,
    starting,
    texts,
)
from rnn import corpora
from rnn.catalogue import TASKS

question = shell.page("Train")
service.open_runs()
info = runs.run_on_show()

choose, watch = shell.settings_and_show([3, 7], is_shown_first=info is not None)

with choose:
    kind = learning.choose_task(info)
    text = texts.text_chooser() if TASKS[kind].needs_text else None
    with shell.complaints():
        task, model, train = controls.settings(kind)
    found = corpora.preflight(text, train) if text else None
    ready = learning.is_ready(task, model, train, found)
    if starting.start_button(ready):
        info = starting.start(text, task, model, train) or info
    estimate = starting.place_of_estimate()
    if text is not None and found is not None:
        if ready and kind == learning.TEXT_TASK:
            info = racing.race_controls(text, model, train, len(found.vocabulary)) or info
        texts.show_characters(found)
    runs.open_file(text)

with watch:
    if info is not None:
        runs.run_bar(info)
    if info is None or info.kind != kind:
        if kind == learning.TEXT_TASK:
            live.empty_panel(text if ready else None, found.config if found else train)
        else:
            answers.of_shipped(kind)
    elif info.race_id:
        racing.race_panel(info.race_id)
    else:
        live.run_panel(info)

own = service.own_runs()
keeping.say_so(own)
if own:
    runs.run_table(own)
if len(own) > 1:
    racing.compare_runs(own)
if ready:  # last, because measuring takes its time
    starting.show_estimate(estimate, text, task, model, found.config if found else train)
asking.about_training(question, text, found, model)
saving.offer()
service.warm_up()

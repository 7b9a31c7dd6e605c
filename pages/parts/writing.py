"""The Sample page's parts: choosing a model, letting it write, looking at one draw."""

from __future__ import annotations

from itertools import islice

import streamlit as st

from pages.parts import live, service, shell
from rnn.checkpoint_file import Checkpoint
from rnn.config import SampleConfig
from rnn.figures.characters import visible
from rnn.figures.softmax import bars_title, next_character_bars
from rnn.records import RunInfo
from rnn.sampling import generate, softmax

TEXT, MADE_WITH = "sample_text", "sample_made_with"  # in the session: the text on show, and what it was drawn with
REDRAW_EVERY = 20  # characters


def choose_model() -> RunInfo | None:
    """One of the visitor's runs, or the one that the link names."""
    own = service.scheduler().store.runs_of(service.token())
    current = service.current_run()
    by_id = {run.id: run for run in [*([current] if current else []), *own]}
    if not by_id:
        return None
    ids = list(by_id)
    chosen = st.selectbox("Model", ids, format_func=lambda i: f"{by_id[i].name} · step {by_id[i].step:,}")
    service.choose_run(chosen)
    return by_id[chosen]


def written_text(model: Checkpoint, settings: SampleConfig, made_with: tuple[object, ...]) -> str:
    """The model's text for these settings: drawn now, shown as it comes, or as it was drawn before."""
    best = model.metadata["best"]
    which = (
        f"step {best['step']:,}, its lowest validation loss ({best['loss']:.2f} nats)"
        if best
        else f"step {model.step:,}"
    )
    st.caption(f"Written with the weights of {which}")
    place, stop = st.empty(), st.empty()
    if st.session_state.get(MADE_WITH) != made_with:
        # Set first: a click on Stop runs the page anew, and what was drawn until then stays.
        st.session_state[MADE_WITH] = made_with
        stop.button("Stop", key="sample_stop", icon=":material/stop:")
        _draw(model, settings, place)
        stop.empty()
    text = str(st.session_state[TEXT])
    place.code(settings.prime + text, language=None, wrap_lines=True)
    return text


def _draw(model: Checkpoint, settings: SampleConfig, place: st.delta_generator.DeltaGenerator) -> None:
    st.session_state[TEXT] = ""
    drawn = generate(model.sampler(), model.vocabulary, **settings.to_json())
    while more := "".join(s.char for s in islice(drawn, REDRAW_EVERY)):
        st.session_state[TEXT] += more
        place.code(settings.prime + st.session_state[TEXT], language=None, wrap_lines=True)


def inspect(model: Checkpoint, settings: SampleConfig, text: str) -> None:
    """The softmax that one character was drawn from. The same seed draws the same text, so nothing need be kept."""
    if not text:
        return
    last = len(text)
    position = last
    if last > 1:
        position = st.slider(
            "Look at character", 1, last, last, key=f"sample_position_{last}", help="Whose softmax is shown."
        )
    drawn = next(islice(generate(model.sampler(), model.vocabulary, **settings.to_json()), position - 1, position))
    before = softmax(drawn.logits)
    characters = model.vocabulary.characters
    context = (settings.prime + text[: position - 1])[-30:]
    st.caption(
        f"After “{shell.plain(''.join(map(visible, context)))}” the model drew “{shell.plain(visible(drawn.char))}”: "
        f"rank {drawn.rank}, surprise {drawn.surprise:.2f} nats."
    )
    st.plotly_chart(
        next_character_bars(characters, before, drawn.probabilities, drawn.index, shell.is_dark()),
        width="stretch", key="softmax", config=live.PLOT_CONFIG,
        alt=bars_title(characters, before, drawn.probabilities, drawn.index),
    )  # fmt: skip

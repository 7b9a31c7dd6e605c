"""The Sample page's parts: choosing a model, letting it write, looking at one draw."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

import streamlit as st

from pages.parts import live, service, shell
from rnn.config import SampleConfig
from rnn.figures.characters import visible
from rnn.figures.softmax import bars_title, next_character_bars
from rnn.records import RunInfo
from rnn.sampling import generate, softmax

CHOICE, PIECE = "sample_model", "sample_piece"  # in the session: the model's run, and the text on show
REDRAW_EVERY = 20  # characters


@dataclass
class Piece:
    """A text, and all it takes to draw it again character by character."""

    run_id: str
    writer: service.Writer
    settings: SampleConfig
    text: str = ""


def choose_model() -> RunInfo | None:
    """One of the visitor's runs, or the one that the link names."""
    linked = service.current_run()
    runs = {run.id: run for run in service.scheduler().store.runs_of(service.token())}
    if linked is not None:
        runs.setdefault(linked.id, linked)
    if not runs:
        return None
    if st.session_state.get(CHOICE) not in runs:
        st.session_state[CHOICE] = linked.id if linked else next(iter(runs))
    # Labels that changed while a run trains would make the widget forget the choice; the id tells namesakes apart.
    chosen = st.selectbox("Model", list(runs), format_func=lambda i: f"{runs[i].name} · {i[:4]}", key=CHOICE)
    service.choose_run(chosen)
    return runs[chosen]


def piece_on_show(run_id: str, settings: SampleConfig, is_wanted: bool) -> Piece:
    """The model's text: a new one where it is wanted or there is none of this model, else the one there is.

    Raises:
        PlaygroundError: the model cannot be read, or cannot begin with this prime.
    """
    piece: Piece | None = st.session_state.get(PIECE)
    is_new = is_wanted or piece is None or piece.run_id != run_id
    if is_new or piece is None:
        piece = Piece(run_id, service.writer(run_id), settings)
    st.caption(f"Written with the weights of {piece.writer.weights}")
    place = st.empty()
    if is_new:
        _write(piece, place)
    place.code(piece.settings.prime + piece.text, language=None, wrap_lines=True)
    return piece


def _write(piece: Piece, place: st.delta_generator.DeltaGenerator) -> None:
    """Draws the text, showing it as it comes. A click on Stop runs the page anew, with the text as far as it is."""
    writer = piece.writer
    drawn = generate(writer.model, writer.vocabulary, **piece.settings.to_json())  # says at once if it cannot
    st.session_state[PIECE] = piece
    stop = st.empty()
    stop.button("Stop", key="sample_stop", icon=":material/stop:")
    while more := "".join(s.char for s in islice(drawn, REDRAW_EVERY)):
        piece.text += more
        place.code(piece.settings.prime + piece.text, language=None, wrap_lines=True)
    stop.empty()


def inspect(piece: Piece) -> None:
    """The softmax that one character was drawn from. The same seed draws the same text, so nothing need be kept."""
    text, writer = piece.text, piece.writer
    position = last = len(text)
    if last == 0:
        return
    if last > 1:
        position = st.slider(
            "Look at character", 1, last, last, key=f"sample_position_{last}", help="Whose softmax is shown."
        )
    again = generate(writer.model, writer.vocabulary, **piece.settings.to_json())
    drawn = next(islice(again, position - 1, position))
    before = softmax(drawn.logits)
    context = (piece.settings.prime + text[: position - 1])[-30:]
    st.caption(
        f"After “{shell.plain(''.join(map(visible, context)))}” the model drew “{shell.plain(visible(drawn.char))}”: "
        f"rank {drawn.rank}, surprise {drawn.surprise:.2f} nats."
    )
    shown = (writer.vocabulary.characters, before, drawn.probabilities, drawn.index)
    st.plotly_chart(
        next_character_bars(*shown, shell.is_dark()), width="stretch", key="softmax", config=live.PLOT_CONFIG,
        alt=bars_title(*shown),
    )  # fmt: skip

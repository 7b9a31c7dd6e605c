"""Truncated BPTT, the chunks: what crosses their borders, what stops there, and the line that does it."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from pages.parts import service, shell
from pages.parts.keys import in_url
from pages.parts.player import Player
from pages.parts.reading import Reading, show_one
from rnn import corpora
from rnn.errors import InputError, PlaygroundError
from rnn.figures.chunks import batch_columns, batch_layout, batch_layout_alt, chunks, chunks_alt, growth, growth_alt

if TYPE_CHECKING:  # it needs torch
    from rnn.gradients.chunks import ChunkStep, Growth

PART, CHUNK, COUNT, STREAMS = "bptt_chunks_part", "bptt_chunks_k", "bptt_chunks_count", "bptt_chunks_streams"
MOMENT = "bptt_chunks_moment"  # the phase on show, from 1; in the URL while it stands
PLAYING = "bptt_chunks_playing"  # in the session: when it last moved; absent while it stands
ROUND = "bptt_chunks_round"  # in the session: how often was measured again
FIRST_CHUNK, LONGEST, MOST_CHUNKS, MOST_STREAMS = 8, 16, 6, 6
GROWN = 8  # chunks that are measured with and without the line
PLAYER = Player("bptt_chunks", MOMENT, PLAYING)
TICK = 1.0  # seconds from one phase to the next while it plays
CUT = "detach_state(layer)"  # what the line that matters has in it


def show(reading: Reading) -> None:
    """One of three parts.

    Raises:
        PlaygroundError: the text or the network has no chunks.
    """
    reading.check_predicts("Truncated backpropagation")
    if len(reading.text) < 2:
        raise InputError("A chunk needs a character and the one that comes next. Type at least two.")
    show_one("Part", PARTS, PART, reading)


def _chunk_length(reading: Reading) -> int:
    k = st.slider(
        "Chunk length k", 1, LONGEST, FIRST_CHUNK, **in_url(CHUNK), width=260,
        help="Characters of one chunk: the gradient of a loss reaches at most k - 1 steps back.",
    )  # fmt: skip
    return max(1, min(int(k), LONGEST, len(reading.text) - 1))


def chunk_on_show(reading: Reading) -> int:
    """The chunk length k that is set, or would be at first."""
    k = st.session_state.get(CHUNK)
    return max(1, min(k if isinstance(k, int) else FIRST_CHUNK, LONGEST, len(reading.text) - 1))


# One chunk after the other ----------------------------------------------------------------------------------------


def _one_after_another(reading: Reading) -> None:
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        k = _chunk_length(reading)
        count = st.slider(
            "Chunks",
            2,
            MOST_CHUNKS,
            4,
            **in_url(COUNT),
            width=200,
            help="How many chunks are read, one after the other.",
        )
    count = max(1, min(int(count), MOST_CHUNKS, -(-(len(reading.text) - 1) // k)))
    steps = _steps(reading.name, k, min(count * k, len(reading.text) - 1), reading)
    PLAYER.run(_played, TICK, reading, steps)


@st.cache_resource(max_entries=64, show_spinner=False)
def _steps(name: str, k: int, T: int, _reading: Reading) -> tuple[ChunkStep, ...]:
    """`name` tells the readings apart."""
    from rnn.gradients.chunks import chunk_steps

    network, indices = _reading.network, _reading.trace.indices[: T + 1]
    return service.scheduler().compute_in_turns(lambda: chunk_steps(network.model, network.weights, indices, k))


def _played(reading: Reading, steps: tuple[ChunkStep, ...], was_playing: bool) -> None:
    """The part that moves."""
    last = 3 * len(steps)
    PLAYER.advance(1, last, TICK, was_playing)
    helps = ("The phase before.", "Forward, backward, update, then the next chunk.", "The next phase.")
    three = "Three of each chunk: forward, backward, update."
    done = PLAYER.place(1, last, "Phase", helps, slider_help=three)
    text = reading.text[: steps[-1].end]
    shell.chart(chunks(text, steps, done, shell.is_dark()), key="bptt_chunks_figure", alt=chunks_alt(text, steps, done))
    st.caption(
        "A copy of the model is trained on this text by plain gradient descent: rate 0.1, the gradient's norm limited "
        "to 1. The fuller a box, the larger h. Orange goes on to the right over every border; the gradient goes to the "
        "left and stops at the wall. ‖g‖: norm of the whole gradient. Δ: how far the update moves all weights."
    )


# The batch --------------------------------------------------------------------------------------------------------


@st.fragment
def _in_a_batch(reading: Reading) -> None:
    try:
        with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
            k = _chunk_length(reading)
            most = min(MOST_STREAMS, len(reading.text) - 1)
            B = st.slider(
                "Streams B",
                1,
                MOST_STREAMS,
                4,
                **in_url(STREAMS),
                width=200,
                help="Parts of the text that are read side by side.",
            )
            B = max(1, min(int(B), most))
            encoded, _ = corpora.streams(np.arange(len(reading.text)), B)
            n = encoded.shape[1]
            total = -(-n // k)
            step = 1
            if total > 1:
                step = st.slider(
                    "Gradient step",
                    1,
                    total,
                    1,
                    **in_url(f"bptt_chunks_at_{total}"),
                    width=260,
                    help="Which update: each reads the next chunk of every stream.",
                )
        step = max(1, min(int(step), total)) - 1
        streams = ["".join(reading.text[i] for i in row) for row in encoded]
        shell.chart(
            batch_layout(streams, k, step, shell.is_dark()), key="bptt_chunks_batch",
            alt=batch_layout_alt(streams, k, step),
        )  # fmt: skip
        columns = batch_columns(n, k, step)
        shown = (
            "" if len(columns) == n else f" Characters {columns[0] + 1:,} to {columns[-1] + 1:,} of {n:,} are shown."
        )
        st.caption(
            f"The text is cut in {B} equal parts, read side by side: stream b + 1 begins where stream b ends. The "
            "framed cells are one gradient step. Each stream carries its own state into its next chunk, and the next "
            f"step reads on to the right.{shown}"
        )
    except PlaygroundError as error:
        st.error(shell.plain(error))


# The line ---------------------------------------------------------------------------------------------------------


@st.fragment
def _the_line(reading: Reading) -> None:
    try:
        st.markdown("**The loop that runs here**, in `rnn/gradients/chunks.py`")
        st.html(_marked(_source()))
        st.caption(
            "The marked line is the cut: the same numbers go on, without their history. For one tensor it is "
            "h = h.detach()."
        )
        k = _chunk_length(reading)
        T = min(GROWN * k, len(reading.text) - 1)
        cut, grown = _growth(reading.name, k, T, int(st.session_state.setdefault(ROUND, 0)), reading)
        if len(cut) < 2:
            raise InputError("To see the graph grow takes two chunks. Take a shorter chunk or a longer text.")
        shell.chart(growth(cut, grown, shell.is_dark()), key="bptt_chunks_growth", alt=growth_alt(cut, grown))
        st.caption(
            "Measured on this server, step by step under autograd; each time is the shortest of three. Weights are "
            "not updated here: changed in place, they would spoil the graph of the earlier chunks, and torch refuses "
            "to go back through it."
        )
        st.button("Measure again", key="bptt_chunks_again", icon=":material/refresh:", on_click=_next_round)
    except PlaygroundError as error:
        st.error(shell.plain(error))


def _marked(source: str) -> str:
    """The source as HTML of our own, the line that matters marked."""
    lines = [
        f"<mark>{escape(line)}</mark>" if CUT in line else escape(line) for line in source.rstrip("\n").split("\n")
    ]
    return f'<pre class="marked-code" tabindex="0">{chr(10).join(lines)}</pre>'


@st.cache_data(max_entries=1, show_spinner=False)
def _source() -> str:
    """The loop; its module needs torch."""

    def read() -> str:
        from inspect import getsource

        from rnn.gradients.chunks import learn_in_chunks

        return getsource(learn_in_chunks)

    return service.scheduler().compute(read)


@st.cache_resource(max_entries=32, show_spinner="Chunk after chunk is measured…")
def _growth(name: str, k: int, T: int, again: int, _reading: Reading) -> tuple[tuple[Growth, ...], tuple[Growth, ...]]:
    """`name` tells the readings apart, `again` one measurement from the next."""
    from rnn.gradients.chunks import growing

    network, indices = _reading.network, _reading.trace.indices[: T + 1]

    def measured(detach: bool) -> tuple[Growth, ...]:
        return service.scheduler().compute_in_turns(lambda: growing(network.model, network.weights, indices, k, detach))

    return measured(True), measured(False)


def _next_round() -> None:
    st.session_state[ROUND] = int(st.session_state.get(ROUND, 0)) + 1


PARTS = {"One after the other": _one_after_another, "In a batch": _in_a_batch, "The line that cuts": _the_line}

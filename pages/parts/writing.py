"""The Sample page's text: it appears, it can be pointed at, and it branches."""

from __future__ import annotations

import math
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.parts import address, alive, keys, shell
from pages.parts.clicks import picked
from pages.parts.keys import in_url
from pages.parts.stale import forget_widgets
from pages.parts.writers import Writer
from rnn.config import SampleConfig
from rnn.drafts import Branch, Draft
from rnn.errors import PlaygroundError
from rnn.figures.characters import legible, visible
from rnn.figures.draw import draw_alt, draw_columns
from rnn.figures.scoring import surprise_strip, surprise_strip_alt
from rnn.loops import advice, find_loop
from rnn.records import Sampled
from rnn.sampling import draw_stages, softmax

REDRAW_SECONDS = 0.05
REDRAWS = 60  # for a whole text, however long: three seconds that an eye can follow and a hand can stop
AT_ONCE = 200  # characters between two looks at the clock
PATIENCE = 0.25  # seconds without a sign of life
IN_SIGHT = 150  # characters of a text that are seen without scrolling
FULL_SURPRISE = 8.0  # bits: as good as 1 in 256
ALTERNATIVES = 8
PAINTS = ("surprise", "probability")


@dataclass
class Piece:
    """A text as far as it is written, with its branches."""

    model_id: Any
    writer: Writer
    settings: SampleConfig
    draft: Draft
    branch: int = 0  # the one on show
    picked: int | None = None  # the character that is looked at, from 0; None: one where there was much to choose

    @property
    def text(self) -> str:
        return self.draft.text(self.branch)

    @property
    def is_over(self) -> bool:
        return self.draft.is_over(self.branch)

    @property
    def position(self) -> int:
        """The character that is looked at, from 0."""
        entropies = self.draft.entropies(self.branch)
        if self.picked is None:
            return int(entropies[:IN_SIGHT].argmax())
        return max(0, min(self.picked, len(entropies) - 1))


# A session of Streamlit keeps the callbacks of widgets that have gone, with all that they refer to (stale.py). Each
# text has widgets of its own and takes, with its logits, a megabyte or many: callbacks refer to it weakly.
Held = Callable[[], Piece | None]


def new_piece(model_id: Any, writer: Writer, settings: SampleConfig) -> Piece:
    """A text to be written.

    Raises:
        PlaygroundError: the model cannot begin with this prime.
    """
    return Piece(model_id, writer, settings, Draft(writer.model, writer.vocabulary, settings))


def piece_on_show(model_id: Any, writer: Writer, settings: SampleConfig) -> Piece:
    """The text there is, if it is what this model writes with these settings; else one to be written."""
    before: Piece | None = st.session_state.get(keys.PIECE)
    if before and (before.model_id, before.settings) == (model_id, settings) and before.writer is writer:
        return before
    piece = new_piece(model_id, writer, settings)
    if before:
        piece.picked = before.picked  # moving the temperature, one looks at the same place
        forget(before)
    elif keys.LOOKED_AT in st.query_params:
        piece.picked = address.linked_number(keys.LOOKED_AT, 1) - 1
    return piece


def forget(piece: Piece) -> None:
    """Lets go of the widgets around a text that is not shown again."""
    forget_widgets(f"_{id(piece.draft)}")


def show(piece: Piece, is_read: bool = True) -> None:
    """Draws the text; one that is not over goes on, whatever has run the page anew in the meantime.

    Args:
        is_read: whether its characters are looked at.
    """
    st.session_state[keys.PIECE] = piece
    _finish(piece, "sample_halt")
    if is_read:
        _reading()


def _finish(piece: Piece, key: str) -> None:
    """Writes what is still to come, with a button to stop it; both go when it is there."""
    place, stop = st.empty(), st.empty()
    if not piece.is_over:
        stop.button("Stop", key=key, icon=":material/stop:", on_click=_stop)
        _write(piece, place)
        stop.empty()
        place.empty()


def _stop() -> None:
    piece: Piece = st.session_state[keys.PIECE]
    piece.draft.end(piece.branch)


def _write(piece: Piece, place: DeltaGenerator) -> None:
    """Writes what is to come: letter by letter where that was asked for, else as fast as it can."""
    is_watched = st.session_state.get(keys.STREAM, True)
    at_once = max(1, piece.settings.length // REDRAWS) if is_watched else AT_ONCE
    drawn = time.monotonic()
    while piece.draft.write(piece.branch, at_once):
        if is_watched or time.monotonic() - drawn > PATIENCE:
            _draw(piece, place)
            drawn = time.monotonic()
        if is_watched:
            time.sleep(REDRAW_SECONDS)
    st.session_state[keys.STREAM] = False  # the next one, of other settings, is to be there at once


def _draw(piece: Piece, place: DeltaGenerator) -> None:
    place.code(legible(piece.settings.prime + piece.text), language=None, wrap_lines=True)


# The text that is there -------------------------------------------------------------------------------------------


@st.fragment
def _reading() -> None:
    """The text and a look at one of its draws: only this is drawn anew when a character is picked."""
    piece: Piece = st.session_state[keys.PIECE]
    _finish(piece, "sample_halt_branch")  # one that was begun in this fragment
    if not piece.text:
        return
    try:
        _options(piece)
        _painted(piece)
        _looping(piece)
        _look(piece)
    except PlaygroundError as error:
        st.error(shell.plain(error))


def _options(piece: Piece) -> None:
    """How the text is painted, and which of its branches is on show."""
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.segmented_control(
            "Painted by", PAINTS, default=PAINTS[0], **in_url(keys.PAINT), required=True,
            format_func="Painted by {}".format, label_visibility="collapsed",
            help="How dark a character is: how surprised the model was by it (-log p), or how likely it was (p). "
            "By the model's own softmax, at whatever temperature it was drawn.",
        )  # fmt: skip
        _download(piece)
        if len(piece.draft.branches) > 1:
            names = [_branch_name(piece, branch) for branch in piece.draft.branches]
            st.selectbox(
                "Branch", range(len(names)), piece.branch, key=_branch_key(piece), format_func=names.__getitem__,
                on_change=_show_branch, args=(weakref.ref(piece),), width=320,
                help="The texts that left this one at a character. Each goes on from the very state it left.",
            )  # fmt: skip


def _download(piece: Piece) -> None:
    st.download_button(
        "Download", (piece.settings.prime + piece.text).encode(), "sample.txt", "text/plain", key="sample_download",
        icon=":material/download:", on_click="ignore", help="The text with its prime, in UTF-8.",
    )  # fmt: skip


def _branch_key(piece: Piece) -> str:
    return f"sample_branch_{id(piece.draft)}_{len(piece.draft.branches)}"


def _branch_name(piece: Piece, branch: Branch) -> str:
    if branch.parent is None:
        return "Text 1, as it was drawn first"
    old, new = (visible(piece.draft.at(b, branch.start).char) for b in (branch.parent, branch.number))
    depth, above = 0, branch
    while above.parent is not None:
        depth, above = depth + 1, piece.draft.branches[above.parent]
    place = f"text {branch.parent + 1} at {branch.start + 1}"
    return f"{'   ' * (depth - 1)}└ Text {branch.number + 1}: {place}, “{new}” for “{old}”"


def _show_branch(held: Held) -> None:
    piece = held()
    number = st.session_state[_branch_key(piece)] if piece else None
    if piece and isinstance(number, int) and 0 <= number < len(piece.draft.branches):
        piece.branch = number


def _painted(piece: Piece) -> None:
    draft, branch = piece.draft, piece.branch
    probabilities = draft.probabilities(branch)
    surprises = alive.bits(probabilities)
    if st.session_state.get(keys.PAINT) == "probability":
        shades, values, unit = alive.levels(probabilities.tolist(), 1.0), [f"{p:.1%}" for p in probabilities], ""
    else:
        shades, values, unit = alive.levels(surprises, FULL_SURPRISE), [f"{s:.1f}" for s in surprises], " bits"
    key = f"sample_text_{id(draft)}_{branch}"
    alive.coloured_text(
        piece.settings.prime, piece.text, shades, values, unit, piece.position, draft.by_hand(branch), key,
        partial(_picked, weakref.ref(piece), key), f"{key} {unit} {len(piece.text)}",
    )  # fmt: skip
    mean = sum(surprises) / len(surprises)
    st.caption(
        f"{len(piece.text):,} characters, {mean:.2f} bits of surprise each on average. Click one, or move with the "
        "arrow keys, to see what it was drawn from."
    )


def _picked(held: Held, key: str) -> None:
    piece = held()
    position = picked(key, len(piece.text)) if piece else None
    if piece and position is not None:
        piece.picked = position


def _looping(piece: Piece) -> None:
    loop = find_loop(piece.text)
    if loop is not None:
        settings = piece.settings
        st.warning(shell.plain(advice(loop, settings.temperature, settings.top_k, settings.top_p)))


# One draw ---------------------------------------------------------------------------------------------------------


def _look(piece: Piece) -> None:
    """The entropy along the text, and the softmax that one character was drawn from."""
    draft, branch, position, dark = piece.draft, piece.branch, piece.position, shell.is_dark()
    address.put(keys.LOOKED_AT, None if piece.picked is None else str(position + 1))
    strip = (draft.entropies(branch), "bits", position, math.log(len(draft.vocabulary)))
    shell.chart(surprise_strip(*strip, dark=dark), key="entropy", alt=surprise_strip_alt(*strip))
    last = len(piece.text)
    if last > 1:
        # One of its own for each text: what a browser still says of the one before is no move on this one.
        key = f"sample_position_{id(draft)}_{branch}_{last}"
        st.session_state[key] = position + 1
        st.slider(
            "Look at character", 1, last, key=key, on_change=_slid, args=(weakref.ref(piece), key),
            help="Whose draw is shown below. The text above and this slider move together.",
        )  # fmt: skip
    sampled = draft.at(branch, position)
    st.caption(_said(piece, sampled))
    show_draw(draft, sampled, sampled.index if position in draft.by_hand(branch) else None, "draw")
    _alternatives(piece, sampled)


def _slid(held: Held, key: str) -> None:
    if piece := held():
        piece.picked = int(st.session_state[key]) - 1


def _said(piece: Piece, sampled: Sampled) -> str:
    """One character in a sentence: its rank, its surprise, and how unsure the model was."""
    p = float(piece.draft.probabilities(piece.branch)[piece.position])
    entropy = float(piece.draft.entropies(piece.branch)[piece.position])
    context = (piece.settings.prime + piece.text[: piece.position])[-30:]
    after = f"After “{shell.plain(''.join(map(visible, context)))}”"
    if not context:
        after = "At the beginning, by the frequencies of the characters in the training text,"
    how = "you chose" if piece.position in piece.draft.by_hand(piece.branch) else "the model drew"
    nats = -math.log(p) if p > 0 else math.inf
    return (
        f"{after} {how} “{shell.plain(visible(sampled.char))}”: rank {sampled.rank}, surprise {nats / math.log(2):.2f} "
        f"bits ({nats:.2f} nats). Entropy there: {entropy / math.log(2):.2f} bits ({entropy:.2f} nats)."
    )


def show_draw(draft: Draft, sampled: Sampled, chosen: int | None, key: str) -> None:
    """Logits, temperature, filter, softmax and draw of one character; `chosen` is one that was picked by hand."""
    settings = draft.settings
    stages = draw_stages(sampled.logits, settings.temperature, settings.top_k, settings.top_p, sampled.draw)
    shell.chart(
        draw_columns(draft.vocabulary.characters, stages, chosen, shell.is_dark()), key=key,
        alt=draw_alt(draft.vocabulary.characters, stages, chosen),
    )  # fmt: skip


def _alternatives(piece: Piece, sampled: Sampled) -> None:
    """Other characters for this place: each begins a branch."""
    here = f"{id(piece.draft)}_{piece.branch}_{piece.position}_{len(piece.draft.branches)}"
    other_character(
        "Put another character here; the text goes on from this very state", piece.draft, sampled, here,
        partial(_branch_off, weakref.ref(piece)), sampled.index,
    )  # fmt: skip


def _branch_off(held: Held, index: int) -> None:
    if piece := held():
        piece.branch = piece.draft.branch(piece.branch, piece.position, index)
        st.session_state[keys.STREAM] = True


def other_character(
    label: str, draft: Draft, sampled: Sampled, key: str, put: Callable[[int], None], without: int | None = None
) -> None:
    """The likeliest characters as buttons, the rest in a list; `put` gets the index of the one that is taken."""
    probabilities, characters = softmax(sampled.logits), draft.vocabulary.characters
    order = [i for i in (-probabilities).argsort(kind="stable").tolist() if i != without]
    names = [f"{shell.plain(visible(c))}  {p:.1%}" for c, p in zip(characters, probabilities.tolist(), strict=True)]
    named = names.__getitem__
    pills, rest = f"sample_pills_{key}", f"sample_rest_{key}"
    st.pills(
        label,
        order[:ALTERNATIVES],
        format_func=named,
        key=pills,
        on_change=_taken,
        args=(pills, len(characters), put),
        help="With the probability that the model gives to it.",
    )
    if len(order) > ALTERNATIVES:
        st.selectbox(
            "Any other", order[ALTERNATIVES:], index=None, placeholder="any other", key=rest, width=200,
            format_func=named, on_change=_taken, args=(rest, len(characters), put), label_visibility="collapsed",
            help="All other characters, the likeliest first.",
        )  # fmt: skip


def _taken(widget: str, vocabulary_size: int, put: Callable[[int], None]) -> None:
    index = st.session_state[widget]
    if isinstance(index, int) and 0 <= index < vocabulary_size:
        try:
            put(index)
        except PlaygroundError as error:
            st.toast(shell.plain(error))

"""The text to train on: chosen, pasted or uploaded, made fit to be kept, and what training will find in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import streamlit as st

from pages.parts import address, keys
from pages.parts.keys import in_url
from pages.parts.limits import check_caps, limits
from pages.parts.shell import plain
from pages.parts.uploads import read_once
from rnn import chats, corpora, masking
from rnn.chats import Cleaned
from rnn.config import ModelConfig
from rnn.corpora import Preflight, Text, count_of
from rnn.diagnosis import capacity_advice
from rnn.errors import PlaygroundError
from rnn.figures.characters import visible
from rnn.vocabulary import Vocabulary, vocabulary_table

T = TypeVar("T")

PASTE, UPLOAD = "Paste my own", "Upload a .txt file"
SHOWN_CHARACTERS = 300
SHOWN_RARE = 20


def text_chooser() -> Text | None:
    """The text to train on, or None while there is none that can be used (the reason is on the page)."""
    built_in = {corpus.title: corpus for corpus in corpora.CORPORA.values()}
    choice = st.selectbox(
        "Text", [*built_in, PASTE, UPLOAD], **in_url(keys.TEXT), help="What the model learns to predict."
    )
    choice = choice if choice in (*built_in, PASTE, UPLOAD) else next(iter(built_in))  # a forged one
    try:
        if choice in built_in:
            st.caption(built_in[choice].description)
            return corpora.load(built_in[choice].name)
        address.leave_out("The text to train on is your own")
        text = _pasted() if choice == PASTE else _uploaded()
        return None if text is None else _fit_to_keep(text)
    except PlaygroundError as error:
        st.error(plain(error))
        return None


def _pasted() -> Text | None:
    cap = limits().text_bytes
    pasted = st.text_area("Your text", key=keys.PASTE, height=140, help=_size_help(cap))
    return corpora.from_paste(str(pasted), cap) if pasted else None


def _uploaded() -> Text | None:
    cap = limits().text_bytes
    file = st.file_uploader("A text file", key=keys.UPLOAD, help=_size_help(cap))
    if file is None:
        return None
    return read_once(keys.TEXT_FILE, file, lambda file: corpora.from_upload(file.getvalue(), file.name, cap))


def _size_help(cap: int | None) -> str:
    if cap is None:
        return "Any plain text, or a chat exported from WhatsApp."
    return f"Plain text, or a chat exported from WhatsApp, up to {cap / 1e6:g} MB. {limits().reason}"


# A person's own writing -------------------------------------------------------------------------------------------


def _fit_to_keep(text: Text) -> Text:
    """A chat without its stamps and addresses, if it is one; of other texts the addresses go, if that is wanted."""
    cleaned = _once(keys.CHAT, text, _cleaned)
    if cleaned is not None:
        return _chat(text, cleaned)
    masked = _once(keys.MASKED, text, masking.without_addresses)
    if masked is text:
        return text
    wanted = st.toggle(
        "Mask phone numbers and e-mail addresses", key=keys.MASK,
        help="Nothing has been kept yet. A model can repeat what it was trained on, letter by letter.",
    )  # fmt: skip
    return masked if wanted else text


def _cleaned(text: Text) -> Cleaned | None:
    chat = chats.recognise(text.content)
    return None if chat is None else chats.cleaned(chat, text)


def _chat(text: Text, cleaned: Cleaned) -> Text:
    """Shows what would be made of a chat, before anything is kept."""
    wanted = st.toggle(
        "Clean this WhatsApp export", value=True, key=keys.CLEAN,
        help="Dates go, phone numbers and e-mail addresses are masked, who speaks stays. Nothing has been kept yet.",
    )  # fmt: skip
    if not wanted:
        return text
    with st.popover("What it will read", icon=":material/visibility:", width="stretch"):
        st.caption(
            f"{count_of(cleaned.messages, 'message')} by {count_of(cleaned.speakers, 'speaker')}. "
            f"Masked: {count_of(cleaned.phones, 'phone number')}, {count_of(cleaned.emails, 'e-mail address', 'es')}. "
            f"Left out: {count_of(cleaned.dropped, 'line')} of WhatsApp's own."
        )
        st.code(cleaned.preview(), language=None, wrap_lines=True)
    return cleaned.text


def _once(key: str, text: Text, make: Callable[[Text], T]) -> T:
    """What `make` makes of a text; the session keeps it, so that clicks do not make it again."""
    known, made = st.session_state.get(key, (None, None))
    if known != text:
        made = make(text)
        st.session_state[key] = text, made
    return made


# What training will find ------------------------------------------------------------------------------------------


def show_preflight(found: Preflight, model: ModelConfig) -> bool:
    """Says what training will make of the text: its size, its characters, what is changed to fit; whether it may."""
    vocabulary = found.vocabulary
    parameters = model.parameter_count(len(vocabulary))
    read_as = f" Read as {found.encoding}." if found.encoding else ""
    st.caption(
        f"{found.characters:,} characters, {len(vocabulary)} different ones; "
        f"{count_of(found.chunks_per_epoch, 'step')} to read it once. The model has {parameters:,} parameters.{read_as}"
    )
    for note in found.notes:
        st.caption(plain(note))
    if advice := capacity_advice(
        parameters, found.training_characters, model, len(vocabulary), limits().hidden_size
    ):  # fmt: skip
        st.caption(f":material/balance: {plain(advice)}")
    try:
        check_caps(model, found.config, len(vocabulary))
    except PlaygroundError as error:
        st.error(plain(error))
        return False
    return True


def show_characters(found: Preflight) -> None:
    """The characters that training will find in the text."""
    vocabulary = found.vocabulary
    with st.popover("Its characters", icon=":material/abc:", width="stretch"):
        st.caption(f"The vocabulary: V = {len(vocabulary):,}, in the order of their indices.")
        more = len(vocabulary) - SHOWN_CHARACTERS
        listed = "  ".join(map(visible, vocabulary.characters[:SHOWN_CHARACTERS]))
        st.code(listed + (f"  and {more:,} more" if more > 0 else ""), language=None, wrap_lines=True)
        if found.rare:
            shown = ", ".join(f"{visible(character)} {count}" for character, count in found.rare[:SHOWN_RARE])
            more = f" and {len(found.rare) - SHOWN_RARE:,} more" if len(found.rare) > SHOWN_RARE else ""
            st.caption(f"Too rare to be learned well, with how often each occurs: {plain(shown + more)}")
        if st.toggle("As a table", **in_url(keys.CHARACTER_TABLE), help="With code points, names and counts."):
            _table(vocabulary)


def _table(vocabulary: Vocabulary) -> None:
    import pandas as pd  # here, because half a second of the first visit to a new server would go into it

    rows: list[dict[str, Any]] = [
        {
            "index": row.index, "character": visible(row.character), "code point": row.code_point, "name": row.name,
            "count": row.count, "share": row.share,
        }
        for row in vocabulary_table(vocabulary)
    ]  # fmt: skip
    st.dataframe(
        pd.DataFrame(rows), hide_index=True,
        column_config={"share": st.column_config.NumberColumn(format="percent", help="of the text")},
    )  # fmt: skip

"""A network that reads a text: the model and the text that the pages which look inside are about."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import streamlit as st

from pages.parts import address, blueprint, keys, service, shell, writers
from pages.parts.blueprint import BLANKS, READERS, Blueprint
from pages.parts.learning import TEXT_TASK
from pages.parts.uploads import checkpoint_uploader, read_checkpoint, read_once
from rnn import corpora
from rnn.errors import InputError, PlaygroundError
from rnn.figures.characters import visible
from rnn.records import Trace
from rnn.shipped import SHIPPED_TASKS
from rnn.trace import TraceCache, most_characters, trace
from rnn.unknown import resolve
from rnn.vocabulary import Vocabulary

STOCK = 'She said: "Every step reads one character (and what it remembers)." Then it guesses the next one, again.'
PASSAGE = 300  # characters that are read where the visitor has typed nothing
TRIED = 4  # of which the one with most letters is taken: prose, where there is some
GOLDEN = 0.618_033_988_75  # steps of an irrational share of a text come everywhere, and never twice to the same place
MOST_TYPED = 1_000_000  # characters that the browser may send


@dataclass(frozen=True)
class Reading:
    """A network, the text it reads, and what happens inside.

    Attributes:
        choice: what was chosen as the model.
        network: the model with its weights, also those from before training where they were kept.
        vocabulary: its characters.
        trace: the text that it reads, at least one character of its vocabulary, and all its numbers.
    """

    choice: str
    network: Blueprint
    vocabulary: Vocabulary
    trace: Trace

    @property
    def text(self) -> str:
        """The text that it reads."""
        return self.trace.text

    @property
    def name(self) -> str:
        """Tells two readings apart; the same for the same weights and text."""
        return f"{self.network.name} {hashlib.sha256(self.text.encode()).hexdigest()}"

    @property
    def predicts(self) -> bool:
        """Whether it has learned to predict the next character."""
        return self.network.kind == TEXT_TASK

    def check_predicts(self, what: str) -> None:
        """Raises InputError, saying that `what` ("The loss", say) needs a network that predicts the next character."""
        if not self.predicts:
            raise InputError(
                f"{what} needs a network that predicts the next character; this one reads a text from both sides to "
                "fill a blank. Choose another one."
            )


def choose() -> Reading | None:
    """The model and the text, each with its widgets; None until a file is chosen.

    Raises:
        PlaygroundError: the model cannot be read, or there is nothing that it could read.
    """
    left, right = st.columns([2, 5], gap="medium")
    with left:
        choice, network = _network()
    if network is None:
        return None
    with right:
        text = _text(choice, network)
        return of(choice, network, text)


def of(choice: str, network: Blueprint, text: str) -> Reading:
    """What a network does with a text of characters that it knows; computed once as long as memory allows.

    Raises:
        PlaygroundError: it cannot read it.
    """
    vocabulary = Vocabulary.from_characters(network.characters)

    def computed() -> Trace:
        return service.scheduler().compute(lambda: trace(network.model, network.weights, vocabulary, text))

    return Reading(choice, network, vocabulary, _traces().get((network.name, text), computed))


@st.cache_resource(show_spinner=False)
def _traces() -> TraceCache:
    return TraceCache()


def forget_traces() -> None:
    """Removes what has been computed of everybody's texts; whoever still needs it computes it again, in a moment."""
    _traces.clear()


def show_views(views: Mapping[str, Callable[[Reading], None]], key: str) -> Reading | None:
    """What a page that looks inside is made of: the model and the text, the choice of a view, and the view.

    Args:
        views: by their names, the first one being shown at first.
        key: of the choice; it stands in the URL.

    Returns:
        What is looked into, if there is something.
    """
    chosen = None
    try:
        chosen = choose()
        if chosen is not None:
            show_one("View", views, key, chosen)
    except PlaygroundError as error:
        st.error(shell.plain(error))
    return chosen


def show_one(label: str, parts: Mapping[str, Callable[[Reading], None]], key: str, reading: Reading) -> None:
    """Asks which part is wanted, shows it, and says in its place what goes wrong.

    Args:
        label: what the choice is of, for those who cannot see it.
        parts: by their names, the first one being shown at first.
        key: of the choice; it stands in the URL.
    """
    first = next(iter(parts))
    chosen = st.segmented_control(
        label, list(parts), default=first, **keys.in_url(key), label_visibility="collapsed", required=True,
        help=f"What is shown below: {', '.join(parts)}.",
    )  # fmt: skip
    try:
        parts.get(str(chosen), parts[first])(reading)
    except PlaygroundError as error:
        st.error(shell.plain(error))


show_part = st.fragment(show_one)  # the same where a click on a part's controls concerns nothing else


# The network ------------------------------------------------------------------------------------------------------


def _network() -> tuple[str, Blueprint | None]:
    """Which model was chosen, and its network; None where its file is still to be chosen."""
    linked = writers.linked_run()
    both_ways = {
        writers.SHIPPED_PREFIX + name: f"{shipped.title}, both directions (comes with the app)"
        for name, shipped in SHIPPED_TASKS.items()
        if shipped.task.kind == BLANKS and shipped.model.bidirectional
    }
    labels = {**writers.choices(linked), **both_ways, writers.FILE: "A checkpoint file of mine"}
    if st.session_state.get(keys.READ_MODEL) not in labels:
        st.session_state[keys.READ_MODEL] = writers.first_choice(linked, list(labels))
    choice: str = st.selectbox(
        "Model", list(labels), format_func=labels.__getitem__, **keys.in_session(keys.READ_MODEL),
        help="One that comes with the app, a run of yours, or a file.",
    )  # fmt: skip
    is_file = choice == writers.FILE
    writers.put_in_url(choice, is_run=not is_file and not choice.startswith(writers.SHIPPED_PREFIX))
    if not is_file:
        st.session_state.pop(keys.READ_UPLOADED, None)  # a file's network is as large as the file
        return choice, blueprint.trained(choice, labels[choice], READERS)
    return choice, _of_file()


def _of_file() -> Blueprint | None:
    address.leave_out("The model is from a file of yours")
    file = checkpoint_uploader(keys.READ_FILE)
    if file is not None:
        name, title = f"file {file.file_id}", f"the file {corpora.printable(file.name)}"
        read_once(
            keys.READ_UPLOADED, file,
            lambda file: blueprint.of_checkpoint(read_checkpoint(file), name, title),
        )  # fmt: skip
    if keys.READ_UPLOADED not in st.session_state:
        st.info("Choose a file that was downloaded on the Train page or written by `python -m rnn train`.")
        return None
    network: Blueprint = st.session_state[keys.READ_UPLOADED][1]
    return network


# The text ---------------------------------------------------------------------------------------------------------


def _text(choice: str, network: Blueprint) -> str:
    """What the network reads: what was typed, else a passage of the text it was trained on; all of it known to it.

    Raises:
        InputError: there is nothing that it could read.
    """
    suggested = _passage(choice, network)
    if keys.READ_TEXT not in st.session_state and (linked := address.linked_text(keys.READ_TEXT)):
        st.session_state[keys.READ_TEXT] = linked
    elif st.session_state.get(keys.READ_TEXT) in (None, st.session_state.get(keys.READ_SUGGESTED)):
        st.session_state[keys.READ_TEXT] = suggested  # nothing else was typed, so another model brings its own
    st.session_state[keys.READ_SUGGESTED] = suggested
    typed = st.text_area(
        "Text to read", height=110, max_chars=MOST_TYPED, **keys.in_session(keys.READ_TEXT),
        help="The network reads it from its beginning, from a state of zeros.",
    )  # fmt: skip
    st.button(
        "Another passage", key="read_other", icon=":material/casino:", on_click=_next_passage,
        disabled=keys.is_locked(keys.READ_TEXT),
        help="Of the part of its text that the model was not trained on.",
    )  # fmt: skip
    address.put_text(keys.READ_TEXT, str(typed or ""), suggested, "The text to read")
    return known(str(typed or ""), network)


def known(text: str, network: Blueprint) -> str:
    """A text as this network can read it, with a caption where that is not all of it.

    Raises:
        InputError: nothing is left.
    """
    if not text:
        raise InputError("There is no text to read. Type at least one character.")
    most = most_characters(network.model, len(network.characters))
    if len(text) > most:
        st.caption(f"The text has {len(text):,} characters. The first {most:,} are read.")
    vocabulary = Vocabulary.from_characters(network.characters)
    resolved = resolve(text[: most + 1], vocabulary, "nearest")
    if not resolved.text:
        raise InputError("The network knows none of these characters. Type others, or press “Another passage”.")
    if resolved.changes:
        others = list(dict.fromkeys(visible(c) for change in resolved.changes for c in change.character))
        shown = " ".join(f"“{c}”" for c in others[:8]) + (" and others" if len(others) > 8 else "")
        left_out = all(change.put == "" for change in resolved.changes)
        instead = "They are left out." if left_out else "The nearest known ones are read instead, or none."
        st.caption(f"This network does not know {shell.plain(shown)}. {instead}")
    return resolved.text[:most]


def _next_passage() -> None:
    address.step(keys.READ_PASSAGE)
    st.session_state.pop(keys.READ_TEXT, None)


def _passage(choice: str, network: Blueprint) -> str:
    """A part of the text that it was trained on, from its validation part where that is long enough."""
    try:
        content, _ = corpus(choice, network)
    except PlaygroundError:  # not here, or somebody else's
        return resolve(STOCK, Vocabulary.from_characters(network.characters), "nearest").text or network.characters[0]
    held_out = corpora.validation_length(len(content), network.validation_fraction)
    part = content[len(content) - held_out :] if held_out >= PASSAGE else content
    number = address.number(keys.READ_PASSAGE)
    found = [passage(part, number * TRIED + i) for i in range(TRIED)]
    return max(found, key=lambda text: sum(c.isalpha() or c == " " for c in text) / len(text))


def passage(text: str, number: int) -> str:
    """One of many parts of a text: the first characters, then others everywhere, from the beginning of a line."""
    begin = int(len(text) * ((number * GOLDEN) % 1.0))
    begin = text.find("\n", begin, begin + PASSAGE) + 1 or begin
    return text[begin : begin + PASSAGE].strip() or text[:PASSAGE]


def corpus(choice: str, network: Blueprint) -> tuple[str, str]:
    """The whole text that a network was trained on, and its name.

    Raises:
        TextError: it is not here, or it is somebody else's.
    """
    assert network.text is not None  # a checkpoint's network
    return writers.text_of(choice, network.text)

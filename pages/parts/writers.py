"""Models that can write: of runs, shipped with the app, or uploaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from pages.parts import address, keys, owner, service
from pages.parts.learning import TEXT_TASK
from pages.parts.uploads import checkpoint_uploader, read_checkpoint, read_once
from rnn import corpora
from rnn.checkpoint_file import Checkpoint, read
from rnn.errors import StoreError, TextError
from rnn.records import RunInfo
from rnn.sampling import NumpyModel
from rnn.shipped import SHIPPED, every_shipped, every_writer, open_shipped
from rnn.vocabulary import Vocabulary

FILE = "file"  # the choice of an uploaded file
MOST_HELD = 12  # models
SHIPPED_PREFIX = "shipped:"  # before a shipped model's name, where runs stand by their ids
COMPARABLE = tuple(SHIPPED_PREFIX + name for name in SHIPPED)  # of one text and one size


@dataclass(frozen=True)
class Writer:
    """A trained model as far as writing needs it; shared by all sessions and never changed."""

    model: NumpyModel
    vocabulary: Vocabulary
    about: str  # which weights these are, in words
    text: dict[str, Any]  # what a checkpoint knows of the text it was trained on
    validation_fraction: float  # the part of that text, at its end, that it was not trained on


def choose_model() -> str | None:
    """A run of the visitor's or the one that the link names, a shipped model, or a file; None until there is one."""
    linked = linked_run()
    labels = {**choices(linked), FILE: "A checkpoint file of mine"}
    if st.session_state.get(keys.MODEL) not in labels:
        st.session_state[keys.MODEL] = first_choice(linked, list(labels))
    chosen = st.selectbox(
        "Model",
        list(labels),
        format_func=labels.__getitem__,
        key=keys.MODEL,
        disabled=keys.is_locked(keys.MODEL),
        help="One that comes with the app, a run of yours, or a file.",
    )
    put_in_url(chosen, is_run=chosen != FILE and not chosen.startswith(SHIPPED_PREFIX))
    if chosen != FILE:
        st.session_state.pop(keys.UPLOADED, None)  # a file's model is as large as the file
    elif not _take_file():
        return None
    return str(chosen)


def first_choice(linked: RunInfo | None, choices: list[str]) -> str:
    """What the link names, else the run last looked at, else the newest, else the first of the shipped models."""
    named = SHIPPED_PREFIX + st.query_params.get(keys.SHIPPED, "")
    if named in choices:
        return named
    return linked.id if linked else choices[0]


def linked_run() -> RunInfo | None:
    """The run that the page is about. One of another task only if the link names it: what it is for is then said."""
    run = service.current_run()
    is_meant = run is not None and (run.kind == TEXT_TASK or st.query_params.get(keys.RUN) == run.id)
    return run if is_meant else None


def choices(linked: RunInfo | None = None) -> dict[str, str]:
    """The models there are, files aside, and what they are called."""
    runs = {run.id: run for run in service.own_runs() if run.kind == TEXT_TASK}
    if linked is not None:
        runs.setdefault(linked.id, linked)
    # Labels that changed while a run trains would make the widget forget the choice; the id tells namesakes apart.
    labels = {run.id: f"{run.name} · {run.id[:4]}" for run in runs.values()}
    shipped = {SHIPPED_PREFIX + name: f"{model.title} (comes with the app)" for name, model in every_writer().items()}
    return labels | shipped


def put_in_url(chosen: str, is_run: bool) -> None:
    """A link to the page opens it with this model."""
    shipped = chosen.removeprefix(SHIPPED_PREFIX) if chosen.startswith(SHIPPED_PREFIX) else None
    if shipped is None:
        st.query_params.pop(keys.SHIPPED, None)
    elif st.query_params.get(keys.SHIPPED) != shipped:
        st.query_params[keys.SHIPPED] = shipped
    if is_run:
        service.choose_run(chosen)
    else:
        st.query_params.pop(keys.RUN, None)


def _take_file() -> bool:
    """Reads what is uploaded, once; whether there is a model, perhaps of before."""
    address.leave_out("The model is from a file of yours")
    file = checkpoint_uploader(keys.FILE)
    if file is not None:
        read_once(keys.UPLOADED, file, lambda file: _of_file(read_checkpoint(file), f"the file {file.name}"))
    return keys.UPLOADED in st.session_state


def writer(choice: str) -> Writer:
    """The model of a choice as it is now.

    Raises:
        PlaygroundError: nothing has been saved yet, or it cannot be read.
    """
    if choice == FILE:
        uploaded: Writer = st.session_state[keys.UPLOADED][1]
        return uploaded
    if choice.startswith(SHIPPED_PREFIX):
        return shipped_writer(choice.removeprefix(SHIPPED_PREFIX))
    return _of_run(choice)


def held(choice: str) -> Writer:
    """The same, but the weights of before as long as the visitor compares settings: until `let_go`.

    Raises:
        PlaygroundError: as `writer`.
    """
    kept: dict[Any, Writer] = st.session_state.setdefault(keys.WRITERS, {})
    of = identity(choice)
    if of not in kept:
        if len(kept) >= MOST_HELD:
            kept.clear()
        kept[of] = writer(choice)
    return kept[of]


def let_go() -> None:
    """The next texts are written with the newest weights."""
    st.session_state.pop(keys.WRITERS, None)


def identity(choice: str) -> Any:
    """What tells two models of the same choice apart: of uploaded files, which one it is."""
    return st.session_state[keys.UPLOADED][0] if choice == FILE else choice


@st.cache_resource(max_entries=len(every_writer()), show_spinner=False)
def shipped_writer(name: str) -> Writer:
    """A shipped model.

    Raises:
        CheckpointError: its file is missing or damaged.
    """
    checkpoint = open_shipped(name)
    notes = " ".join(checkpoint.metadata["notes"][-1:])
    return _writer(checkpoint, f"the shipped {every_writer()[name].title}. {notes}".strip())


def file_of(choice: str) -> Path:
    """The checkpoint file of a shipped model or a run; `writer` is what writing needs of it.

    Raises:
        StoreError: nothing has been saved yet.
    """
    if choice.startswith(SHIPPED_PREFIX):
        return every_shipped()[choice.removeprefix(SHIPPED_PREFIX)].path
    return _saved(choice)


def _of_run(run_id: str) -> Writer:
    path = _saved(run_id)
    return _read(path, path.stat().st_mtime_ns)


def _saved(run_id: str) -> Path:
    """A run's file, its owner's active run being saved first, or as it was last saved."""
    runs = service.scheduler()
    if runs.store.owns(run_id, owner.token()) and not runs.refusal:
        runs.save(run_id, owner.token())
    path = runs.store.checkpoint_path(run_id)
    if not path.exists():
        raise StoreError("This run has not been saved yet. Its first save comes within half a minute of training.")
    return path


@st.cache_resource(max_entries=8, show_spinner=False)
def _read(path: Path, changed: int) -> Writer:
    """`changed`, the time of the file's last change, is part of the key."""
    return _of_file(read(path), "")


def forget_runs() -> None:
    """Removes the models of everybody's runs from memory; whoever still needs one reads it again, in a moment."""
    _read.clear()


def _of_file(checkpoint: Checkpoint, of: str) -> Writer:
    """With the step in its name."""
    best = checkpoint.metadata["best"]
    which = f"step {checkpoint.step:,}"
    if best:
        which = f"step {best['step']:,}, the lowest validation loss so far ({best['loss']:.2f} nats)"
    return _writer(checkpoint, f"{of}, {which}" if of else which)


def _writer(checkpoint: Checkpoint, about: str) -> Writer:
    """Raises CheckpointError where the model has learned something else than to write."""
    fraction = checkpoint.train.validation_fraction
    model = checkpoint.sampler()  # first: what cannot write says where it can be used
    return Writer(model, checkpoint.vocabulary, about, checkpoint.metadata["text"], fraction)


def training_part(choice: str, writer: Writer) -> tuple[str, str]:
    """The text that a model was trained on, without its validation part, and its name.

    Raises:
        TextError: it is not here, or it is somebody else's.
    """
    text, title = text_of(choice, writer.text)
    return text[: len(text) - corpora.validation_length(len(text), writer.validation_fraction)], title


def text_of(choice: str, known: Mapping[str, Any]) -> tuple[str, str]:
    """The whole text that a model was trained on, and its name.

    Args:
        known: what its checkpoint knows of the text.

    Raises:
        TextError: it is not here, or it is somebody else's.
    """
    sha256, name = known["sha256"], str(known["name"])
    text = _text(choice, sha256, name, bool(known["builtin"]))
    title = corpora.CORPORA[name].title if known["builtin"] and name in corpora.CORPORA else name
    return text, title


def _text(choice: str, sha256: str, name: str, is_builtin: bool) -> str:
    for run in service.own_runs():
        if run.text_sha256 == sha256:
            return service.scheduler().store.text(run.id).content
    if is_builtin and name in corpora.CORPORA and corpora.is_available_offline(name):
        text = corpora.load(name)
        if text.sha256 == sha256:
            return text.content
        raise TextError(
            f"The model was trained on {name} of another version of Python, so the two cannot be compared here."
        )
    if choice == FILE or choice.startswith(SHIPPED_PREFIX):
        raise TextError(
            f"A checkpoint holds no text, and {name!r} is not here. Train on it once, and it can be compared."
        )
    raise TextError("This run is somebody else's: its model is open, its text is not, so the two cannot be compared.")

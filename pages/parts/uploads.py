"""Files that visitors upload: each is read once, and checked before anything of it is used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import streamlit as st

from pages.parts.limits import check_file, limits
from rnn import corpora
from rnn.checkpoint_file import Checkpoint, unpack
from rnn.errors import CheckpointError

T = TypeVar("T")


def read_once(key: str, file: Any, read: Callable[[Any], T]) -> T:
    """What `read` makes of a file. The session keeps (the file's id, that) under `key`, so clicks do not read again."""
    known, content = st.session_state.get(key, (None, None))
    if known != file.file_id:
        content = read(file)
        st.session_state[key] = file.file_id, content
    return content


def checkpoint_uploader(key: str) -> Any:
    """The widget for a checkpoint file, which says what it takes."""
    cap = limits().checkpoint_bytes
    return st.file_uploader(
        "A .safetensors file of this app", key=key,
        help="It is checked before anything of it is used." + (f" Up to {cap / 1e6:g} MB." if cap else ""),
    )  # fmt: skip


def read_checkpoint(file: Any) -> Checkpoint:
    """The checkpoint in an uploaded file.

    Raises:
        CheckpointError: too large, or not one that can be used.
        ConfigError: more than this server gives one visitor.
    """
    cap, name = limits().checkpoint_bytes, corpora.printable(file.name)
    if cap is not None and file.size > cap:
        raise CheckpointError(
            f"{name} has {file.size / 1e6:,.1f} MB; at most {cap / 1e6:g} MB are accepted here. {limits().reason}"
        )
    checkpoint = unpack(file.getvalue(), name)
    check_file(checkpoint)
    return checkpoint

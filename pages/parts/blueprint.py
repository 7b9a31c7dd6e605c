"""The network that the Architecture page is about: one of the visitor's making, a shipped one, or a run's."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages.parts import keys, service, shell, writers
from pages.parts.controls import number_input
from pages.parts.keys import in_url
from pages.parts.learning import TEXT_TASK
from pages.parts.limits import limits
from rnn.catalogue import TASKS, SequenceShape
from rnn.checkpoint_file import Checkpoint, read
from rnn.config import CELLS, NONLINEARITIES, ModelConfig, bounds_for, help_for
from rnn.errors import CheckpointError, PlaygroundError
from rnn.shipped import open_shipped
from rnn.trace import character_weights

BLANKS = "fill-blank"  # a task whose network reads text as well, from both sides
READERS = (TEXT_TASK, BLANKS)
MINE = "mine"  # the choice of a network that is made up
LETTERS = ("h", "e", "l", "o")  # what it reads
SHAPES = {  # as short names
    "One to one": SequenceShape.ONE_TO_ONE, "One to many": SequenceShape.ONE_TO_MANY,
    "Many to one": SequenceShape.MANY_TO_ONE, "Many to many": SequenceShape.MANY_TO_MANY,
    "Seq2seq": SequenceShape.DELAYED,
}  # fmt: skip
MOST_STEPS = 12  # columns that can be drawn


@dataclass(frozen=True)
class Blueprint:
    """A network with its weights.

    Attributes:
        name: tells two of them apart, and one from itself at another time.
        title: what it is called on the page.
        model: its settings.
        characters: what its input and output stand for, V of them.
        weights: every parameter by its name in the state dict.
        first_weights: the same before training, where they were kept; else None.
        is_trained: whether it has learned anything.
        kind: what it has learned, a key of `rnn.catalogue.TASKS`.
        text: what its checkpoint knows of the text it was trained on; None where it has not read one.
        validation_fraction: the part of that text, at its end, that it was not trained on.
    """

    name: str
    title: str
    model: ModelConfig
    characters: tuple[str, ...]
    weights: Mapping[str, NDArray[np.float32]]
    first_weights: Mapping[str, NDArray[np.float32]] | None
    is_trained: bool
    kind: str = TEXT_TASK
    text: Mapping[str, Any] | None = None
    validation_fraction: float = 0.0


def choose() -> tuple[Blueprint, int]:
    """The network and the number of time steps to draw it with.

    Raises:
        PlaygroundError: it cannot be made or read.
    """
    linked = writers.linked_run()
    choices = {MINE: "A network of my own making", **writers.choices(linked)}
    if st.session_state.get(keys.BLUEPRINT) not in choices:
        named = st.query_params.get(keys.RUN) == (linked.id if linked else None)
        shipped = writers.SHIPPED_PREFIX + st.query_params.get(keys.SHIPPED, "")
        st.session_state[keys.BLUEPRINT] = linked.id if linked and named else shipped if shipped in choices else MINE
    chosen = st.selectbox(
        "Network", list(choices), format_func=choices.__getitem__, **keys.in_session(keys.BLUEPRINT),
        help="One that you make up here, one that comes with the app, or a run of yours.",
    )  # fmt: skip
    writers.put_in_url(chosen, is_run=chosen != MINE and not chosen.startswith(writers.SHIPPED_PREFIX))
    steps = number_input(
        st, "Time steps T", 1, MOST_STEPS, 5, keys.BLUEPRINT_STEPS, help="Columns of the unrolled network."
    )
    T = max(1, min(int(steps), MOST_STEPS))
    if chosen == MINE:
        return _made_up(_settings()), T
    return trained(chosen, choices[chosen]), T


def _settings() -> ModelConfig:
    """What the visitor makes up."""
    left, right = st.columns(2)
    cell = left.selectbox(
        "Cell", CELLS, **in_url("arch_cell"), format_func=str.upper, help=help_for(ModelConfig, "cell")
    )
    nonlinearity = "tanh"
    if cell == "rnn":
        nonlinearity = right.selectbox(
            "Non-linearity", NONLINEARITIES, **in_url("arch_nonlinearity"), help=help_for(ModelConfig, "nonlinearity")
        )
    most = limits().hidden_size or int(bounds_for(ModelConfig, "hidden_size")[1] or 1)
    hidden = number_input(left, "Hidden size", 1, most, 3, "arch_hidden", help=help_for(ModelConfig, "hidden_size"))
    layers = number_input(right, "Layers", 1, 4, 1, "arch_layers", help=help_for(ModelConfig, "num_layers"))
    embedding = number_input(
        left, "Embedding", 0, 1024, 0, "arch_embedding", help=help_for(ModelConfig, "embedding_size")
    )
    bias = st.toggle("Biases", True, **in_url("arch_bias"), help=help_for(ModelConfig, "bias"))
    both = st.toggle("Both directions", False, **in_url("arch_both"), help=help_for(ModelConfig, "bidirectional"))
    return ModelConfig(
        cell=cell, hidden_size=max(1, min(int(hidden), most)), num_layers=max(1, min(int(layers), 4)),
        embedding_size=max(0, min(int(embedding), 1024)), nonlinearity=nonlinearity, bias=bool(bias),
        bidirectional=bool(both),
    )  # fmt: skip


def _made_up(model: ModelConfig) -> Blueprint:
    weights = _first_weights(model, len(LETTERS))
    return Blueprint(f"mine {model}", "A network of my own making", model, LETTERS, weights, None, False)


@st.cache_resource(max_entries=64, show_spinner=False, hash_funcs={ModelConfig: ModelConfig.to_json})
def _first_weights(model: ModelConfig, vocabulary_size: int) -> dict[str, NDArray[np.float32]]:
    """As training would draw them, from seed 0."""

    def drawn() -> dict[str, NDArray[np.float32]]:
        from rnn.models import CharRNN

        state = CharRNN(model, vocabulary_size, seed=0).state_dict()
        return {name: tensor.numpy().copy() for name, tensor in state.items()}

    return service.scheduler().compute(drawn)


def trained(choice: str, title: str, kinds: Collection[str] = (TEXT_TASK,)) -> Blueprint:
    """A shipped model or a run as it is now.

    Args:
        choice: as `writers.choices` has it.
        kinds: what it may have learned.

    Raises:
        PlaygroundError: it cannot be read, or it has learned something else.
    """
    path = writers.file_of(choice)
    first = None
    if not choice.startswith(writers.SHIPPED_PREFIX):
        first = service.scheduler().store.snapshot_path(choice, 0)
    network = _read(f"{choice} {_changed(path)}", title, path, first, _changed(first))
    _check_kind(network.kind, kinds)
    return network


def _check_kind(kind: str, kinds: Collection[str]) -> None:
    if kind not in kinds:
        raise CheckpointError(f"This model {TASKS[kind].does}. The Train page opens it.")


def _changed(path: Path | None) -> int:
    """When a file last changed; 0 where there is none."""
    return path.stat().st_mtime_ns if path is not None and path.exists() else 0


@st.cache_resource(max_entries=16, show_spinner=False)
def _read(name: str, title: str, path: Path, first: Path | None, first_changed: int) -> Blueprint:
    """Read once for all reruns until a file changes: `name` says when the one did, `first_changed` when the other."""
    checkpoint = open_shipped(path.stem) if first is None else read(path)  # of a shipped one an error says more
    before = None
    if first is not None and first_changed:
        with suppress(PlaygroundError):  # then there is nothing to compare with
            before = read(first).weights()
    return of_checkpoint(checkpoint, name, title, before)


def of_checkpoint(
    checkpoint: Checkpoint, name: str, title: str, first_weights: Mapping[str, NDArray[np.float32]] | None = None
) -> Blueprint:
    """The network in a checkpoint, with the weights of its lowest validation loss.

    Raises:
        CheckpointError: it does not read the characters of a text.
    """
    _check_kind(checkpoint.kind, READERS)
    characters, weights = checkpoint.vocabulary.characters, checkpoint.weights("best")
    if checkpoint.kind == BLANKS:
        weights = character_weights(weights, len(characters))
    return Blueprint(
        name, title, checkpoint.model, characters, weights, first_weights, True, checkpoint.kind,
        checkpoint.metadata["text"], checkpoint.train.validation_fraction,
    )  # fmt: skip


def complain(error: PlaygroundError) -> None:
    """Says what is wrong with the network that was chosen."""
    st.error(shell.plain(error))

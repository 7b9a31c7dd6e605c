"""What happened inside a character model while it read a text: one `Trace`, from which every page draws.

No torch. `rnn.inspection` computes the same step by step in float64, as the equations are written, and is the proof;
here all that does not wait for the step before is one product for all steps, and nothing is kept twice.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnn.config import ModelConfig
from rnn.errors import InputError
from rnn.inspection import GATES
from rnn.records import LayerTrace, Trace
from rnn.sampling import HALF, SQUASH, check_vocabulary, checked_weights, gate_halves, softmax
from rnn.vocabulary import Vocabulary

Array = NDArray[np.float32]

MOST_CHARACTERS = 5_000  # of one trace
MOST_BYTES = 32 * 2**20  # of one trace: a large network's is of fewer characters
CACHED_BYTES = 64 * 2**20  # of all traces that a server keeps


def trace(config: ModelConfig, weights: Mapping[str, NDArray[Any]], vocabulary: Vocabulary, text: str) -> Trace:
    """Reads `text` from a state of zeros and keeps what happened inside, in float32.

    Args:
        config: of one direction or two.
        weights: every parameter by its name in the state dict.
        vocabulary: the model's own.
        text: what is read; "" gives a trace of no steps.

    Raises:
        ConfigError: weights are missing or of another shape, or the vocabulary is not the model's own.
        InputError: the text is longer than `most_characters`, or the weights give numbers that are not finite.
        UnknownCharacterError: the text has characters that the model does not know.
    """
    w = checked_weights(config, weights)
    check_vocabulary(len(w["head.weight"]), vocabulary)
    most = most_characters(config, len(vocabulary))
    if len(text) > most:
        raise InputError(
            f"The text has {len(text):,} characters; of this network the numbers of at most {most:,} are kept. "
            "Give a shorter part."
        )
    indices = vocabulary.encode(text).astype(np.int64)
    with np.errstate(over="ignore", invalid="ignore"):  # of weights that diverged; what comes of it is looked at below
        layers = read_layers(config, w, indices)
        outputs = np.concatenate([one.h for one in layers[-1]], axis=1)
        logits: Array = outputs @ w["head.weight"].T + w.get("head.bias", np.float32(0))
    if not np.isfinite(logits).all():
        raise InputError(
            "The network's numbers are no longer finite, so there is nothing to show. "
            "Go back to weights from before the training diverged."
        )
    probabilities = softmax(logits).astype(np.float32)
    return Trace(text, vocabulary.characters, indices, layers, logits, probabilities)


def most_characters(config: ModelConfig, vocabulary_size: int) -> int:
    """How long a text can be of which everything is kept: `MOST_CHARACTERS`, of large networks fewer."""
    kept = 1 + len(GATES[config.cell]) + (config.cell == "lstm")  # h, gates, c
    numbers = config.num_layers * config.directions * config.hidden_size * kept + 2 * vocabulary_size
    return max(1, min(MOST_CHARACTERS, MOST_BYTES // (4 * numbers)))


def read_layers(
    config: ModelConfig, weights: Mapping[str, Array], indices: NDArray[np.int64]
) -> tuple[tuple[LayerTrace, ...], ...]:
    """The states and gates of every layer, without the head.

    Args:
        weights: every parameter by its name in the state dict, float32.
        indices: the characters, (T,).
    """
    layers: list[tuple[LayerTrace, ...]] = []
    for layer in range(config.num_layers):
        below = np.concatenate([one.h for one in layers[-1]], axis=1) if layers else None
        layers.append(
            tuple(
                _read(config, weights, layer, reverse, indices, below) for reverse in (False, True)[: config.directions]
            )
        )
    return tuple(layers)


def _read(
    config: ModelConfig, weights: Mapping[str, Array], layer: int, reverse: bool, indices: NDArray[np.int64],
    below: Array | None,
) -> LayerTrace:  # fmt: skip
    """One layer in one direction. What goes into a sigmoid is halved in the weights already, as the sampler has it."""
    H, cell, suffix = config.hidden_size, config.cell, f"_l{layer}" + ("_reverse" if reverse else "")
    none = np.zeros(config.gates * H, np.float32)
    W_xh, W_hh, b_xh, b_hh = (
        weights.get(f"recurrent.{name}{suffix}", none) for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    )
    if cell != "rnn":
        halves = gate_halves(config.gates, H)
        W_xh, W_hh, b_xh, b_hh = W_xh * halves[:, None], W_hh * halves[:, None], b_xh * halves, b_hh * halves
    if below is not None:
        sums = below @ W_xh.T
    else:  # a one-hot x picks its column
        embedding = weights.get("embedding.weight")
        rows = W_xh.T if embedding is None else embedding @ W_xh.T
        sums = rows[indices]
    sums += b_xh if cell == "gru" else b_xh + b_hh  # (T, gates * H)
    sums = sums[::-1] if reverse else sums
    back = np.ascontiguousarray(W_hh.T)
    if cell == "rnn":
        found = LayerTrace(_rnn(sums, back, SQUASH[config.nonlinearity]), None, {}, reverse)
    elif cell == "gru":
        found = _gru(sums, back, b_hh, reverse)
    else:
        found = _lstm(sums, back, reverse)
    return _turned(found) if reverse else found


def _rnn(sums: Array, W_hh: Array, squash: Callable[[Array], Array]) -> Array:
    """h after every step, (T, H), of W_xh x_t + b for all steps, (T, H); W_hh is transposed."""
    states = np.empty_like(sums)
    h = np.zeros(sums.shape[1], np.float32)
    for t, a in enumerate(sums):
        states[t] = h = squash(a + np.dot(h, W_hh))
    return states


def _gru(sums: Array, W_hh: Array, b_hh: Array, reverse: bool) -> LayerTrace:
    T, H = len(sums), len(W_hh)
    states, kept = np.empty((T, H), np.float32), np.empty((T, 3 * H), np.float32)
    h = np.zeros(H, np.float32)
    for t, a in enumerate(sums):
        u = np.dot(h, W_hh) + b_hh
        gates = kept[t]
        np.tanh(a[: 2 * H] + u[: 2 * H], out=gates[: 2 * H])
        gates[: 2 * H] *= HALF
        gates[: 2 * H] += HALF
        n = np.tanh(a[2 * H :] + gates[:H] * u[2 * H :], out=gates[2 * H :])
        states[t] = h = n + gates[H : 2 * H] * (h - n)
    return LayerTrace(states, None, _blocks("gru", kept), reverse)


def _lstm(sums: Array, W_hh: Array, reverse: bool) -> LayerTrace:
    T, H = len(sums), len(W_hh)
    states, cells, kept = (np.empty((T, n * H), np.float32) for n in (1, 1, 4))
    h = c = np.zeros(H, np.float32)
    scale, shift = np.full(4 * H, HALF), np.full(4 * H, HALF)
    scale[2 * H : 3 * H], shift[2 * H : 3 * H] = 1, 0
    for t, a in enumerate(sums):
        gates = np.tanh(a + np.dot(h, W_hh), out=kept[t])
        gates *= scale
        gates += shift
        cells[t] = c = gates[H : 2 * H] * c + gates[:H] * gates[2 * H : 3 * H]
        states[t] = h = gates[3 * H :] * np.tanh(c)
    return LayerTrace(states, cells, _blocks("lstm", kept), reverse)


def _blocks(cell: str, kept: Array) -> dict[str, Array]:
    return dict(zip(GATES[cell], np.split(kept, len(GATES[cell]), axis=1), strict=True))


def _turned(one: LayerTrace) -> LayerTrace:
    """Rows in the order of the text, of a layer that read from its end."""
    gates = {name: gate[::-1] for name, gate in one.gates.items()}
    return LayerTrace(one.h[::-1], None if one.c is None else one.c[::-1], gates, one.reverse)


def character_weights(weights: Mapping[str, NDArray[Any]], vocabulary_size: int) -> dict[str, NDArray[Any]]:
    """Those of a network that names blanks, by the names of the character model: it reads one symbol more, the blank.

    Args:
        weights: every parameter by its name in the state dict of `rnn.networks.BlankFiller`.
        vocabulary_size: V; the blank is symbol V.
    """
    named = {name.removeprefix("reader."): array for name, array in weights.items()}
    if "embedding.weight" in named:
        return named | {"embedding.weight": named["embedding.weight"][:vocabulary_size]}
    firsts = {name: array[:, :vocabulary_size] for name, array in named.items() if "weight_ih_l0" in name}
    return named | firsts


class TraceCache:
    """The traces that were asked for last, as many as fit. All threads may ask.

    Args:
        most_bytes: of all that are kept together.
    """

    def __init__(self, most_bytes: int = CACHED_BYTES) -> None:
        self.most_bytes = most_bytes
        self._kept: OrderedDict[Hashable, Trace] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Trace]) -> Trace:
        """The trace of this key; `make` computes it where it is not kept. What is too large is not kept at all."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = make()  # without the lock: it takes a while, and others may ask for what is there
        with self._lock:
            if made.nbytes <= self.most_bytes:
                self._kept[key] = made
                self._kept.move_to_end(key)
            while self.nbytes > self.most_bytes:
                self._kept.popitem(last=False)
        return made

    @property
    def nbytes(self) -> int:
        """The memory that all of them take."""
        return sum(one.nbytes for one in self._kept.values())

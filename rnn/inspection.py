"""What happens inside the character model while it reads a text: every vector of every step, written as the equations.

No torch. One readable forward pass in float64 for pages that show the numbers; `rnn.sampling` steps the same equations
fast, and the tests hold this against both it and `rnn.models.CharRNN`. The equations are those of `rnn.cells`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnn.config import ModelConfig
from rnn.errors import ConfigError, InputError
from rnn.records import before
from rnn.sampling import SQUASH, checked_weights, softmax
from rnn.topology import CANNOT_WRITE, Step

Array = NDArray[np.float64]

NO_INPUT = -1  # the index that stands for the zero vector: a step that reads nothing
GATES = {"rnn": (), "gru": ("r", "z", "n"), "lstm": ("i", "f", "g", "o")}  # blocks of H rows, in their order
MOST_NUMBERS = 10_000_000  # T * V: the logits of all steps


@dataclass(frozen=True, slots=True)
class Pass:
    """One layer in one direction, over T steps. Row t is what belongs to the t-th character, whatever the direction.

    Attributes:
        layer: from 0, the lowest.
        reverse: whether it read the sequence from its end.
        x: what it read: the one-hot or embedded characters, or the outputs of the layer below, (T, I).
        h: the hidden state after each step, (T, H).
        c: the cell state of an LSTM after each step, (T, H); None elsewhere.
        gates: of a GRU r, z and the candidate n; of an LSTM i, f, o and the candidate g; each (T, H). An RNN has none.
        sums: what each of these was squashed from, by the same names; of an RNN that of "h". Each (T, H).
    """

    layer: int
    reverse: bool
    x: Array
    h: Array
    c: Array | None
    gates: Mapping[str, Array]
    sums: Mapping[str, Array]

    @property
    def h_before(self) -> Array:
        """The hidden state that each step started from, (T, H); zeros at the first step read."""
        return before(self.h, self.reverse)

    @property
    def c_before(self) -> Array | None:
        """The cell state that each step started from, (T, H); None where there is none."""
        return None if self.c is None else before(self.c, self.reverse)


@dataclass(frozen=True, slots=True)
class Inspection:
    """Everything that a character model computed over T characters, from a state of zeros.

    Attributes:
        indices: the characters read, (T,).
        layers: from the lowest to the highest, each with one `Pass` per direction, forward first.
        outputs: what the head read: the highest layer's h, both directions side by side, (T, directions * H).
        logits: scores of the next character, (T, V).
        probabilities: their softmax, (T, V).
    """

    indices: NDArray[np.int64]
    layers: tuple[tuple[Pass, ...], ...]
    outputs: Array
    logits: Array
    probabilities: Array


def inspect(
    model: ModelConfig, weights: Mapping[str, NDArray[Any]], indices: Sequence[int] | NDArray[Any]
) -> Inspection:
    """Reads characters from a state of zeros and keeps every vector on the way.

    Args:
        model: of one direction or two.
        weights: every parameter by its name in the state dict.
        indices: the characters, (T,); `NO_INPUT` is a step that reads the zero vector.

    Raises:
        ConfigError: weights are missing or of another shape.
        InputError: there is no character, one that the model does not have, or there are too many to keep it all;
            or the weights give numbers that are not finite.
    """
    w = checked_weights(model, weights, None)
    W_hy = w["head.weight"]
    read = _checked_indices(indices, len(W_hy))
    x = _vectors(read, w.get("embedding.weight"), len(W_hy))
    layers: list[tuple[Pass, ...]] = []
    for layer in range(model.num_layers):
        passes = tuple(_run(model, w, layer, reverse, x) for reverse in (False, True)[: model.directions])
        layers.append(passes)
        x = np.concatenate([one.h for one in passes], axis=1)
    logits = x @ W_hy.T + w.get("head.bias", 0.0)
    if not np.isfinite(logits).all():
        raise InputError(
            "The network's numbers are no longer finite, so there is nothing to show. "
            "Go back to weights from before the training diverged."
        )
    return Inspection(read, tuple(layers), x, logits, softmax(logits))


def inspect_steps(
    model: ModelConfig, weights: Mapping[str, NDArray[Any]], steps: Sequence[Step], given: Sequence[int]
) -> Inspection:
    """The same for a sequence shape, in which some steps read the likeliest character that the step before wrote.

    Where all that counts is a summary of the sequence, what a second direction has to say is its state after the
    first character, the last that it read; the last step's output is made of that.

    Args:
        steps: what each of them reads, as `rnn.topology.steps_of` has it.
        given: a character for each step that is given one.

    Raises:
        ConfigError: as `inspect`, or a step that reads what was written follows none, or the network is bidirectional.
        InputError: as `inspect`, or there is not one character for each such step.
    """
    wanted = sum(step.reads == "given" for step in steps)
    if len(given) != wanted:
        raise InputError(f"The network reads {wanted:,} characters here, not {len(given):,}.")
    if model.bidirectional and any(step.reads == "written" for step in steps):
        raise ConfigError(CANNOT_WRITE)
    if steps and steps[0].reads == "written":
        raise ConfigError("The first step has nothing that was written before it.")
    left, read = iter(given), list[int]()
    for step in steps:
        if step.reads == "written":  # the few steps that are drawn cost nothing to read again
            read.append(int(inspect(model, weights, read).logits[-1].argmax()))
        else:
            read.append(next(left) if step.reads == "given" else NO_INPUT)
    seen = inspect(model, weights, read)
    return _summarised(seen, weights) if model.bidirectional and steps[-1].is_summary else seen


def _summarised(seen: Inspection, weights: Mapping[str, NDArray[Any]]) -> Inspection:
    """The output at the end made of the last states of both directions."""
    forward, backward = seen.layers[-1]
    outputs, logits = seen.outputs.copy(), seen.logits.copy()
    outputs[-1] = np.concatenate([forward.h[-1], backward.h[0]])
    logits[-1] = weights["head.weight"] @ outputs[-1] + weights.get("head.bias", 0.0)
    return replace(seen, outputs=outputs, logits=logits, probabilities=softmax(logits))


def _checked_indices(indices: Sequence[int] | NDArray[Any], vocabulary_size: int) -> NDArray[np.int64]:
    read = np.asarray(indices)
    if read.ndim != 1 or len(read) == 0 or read.dtype.kind not in "iu":
        raise InputError("The network needs at least one character to read. Type one.")
    if len(read) * vocabulary_size > MOST_NUMBERS:
        raise InputError(
            f"The text has {len(read):,} characters, too many to keep every number of each step. "
            f"Give at most {max(1, MOST_NUMBERS // vocabulary_size):,}."
        )
    if read.min() < NO_INPUT or read.max() >= vocabulary_size:
        raise InputError(f"The network knows {vocabulary_size:,} characters; their indices go from 0 up.")
    return read.astype(np.int64)


def _vectors(read: NDArray[np.int64], table: Array | None, vocabulary_size: int) -> Array:
    """What the first layer reads, (T, I): one-hot vectors or rows of the embedding, zeros for `NO_INPUT`."""
    if table is not None:
        return np.where((read == NO_INPUT)[:, np.newaxis], 0.0, table[read].astype(np.float64))
    x = np.zeros((len(read), vocabulary_size))
    steps = np.flatnonzero(read != NO_INPUT)
    x[steps, read[steps]] = 1.0
    return x


def _run(model: ModelConfig, w: Mapping[str, NDArray[Any]], layer: int, reverse: bool, x: Array) -> Pass:
    """The equations of one layer, step by step."""
    suffix = f"_l{layer}" + ("_reverse" if reverse else "")
    zeros = np.zeros(model.gates * model.hidden_size)
    W_xh, W_hh, b_xh, b_hh = (  # one layer at a time, because large ones take much memory in float64
        np.asarray(w.get(f"recurrent.{name}{suffix}", zeros), np.float64)
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    )
    h = c = np.zeros(model.hidden_size)
    kept: dict[int, tuple[Array, Array, dict[str, Array], dict[str, Array]]] = {}
    for t in reversed(range(len(x))) if reverse else range(len(x)):
        a, u = W_xh @ x[t] + b_xh, W_hh @ h + b_hh  # (gates * H,)
        if model.cell == "rnn":
            h, gates, sums = _rnn(a, u, model.nonlinearity)
        elif model.cell == "gru":
            h, gates, sums = _gru(a, u, h)
        else:
            h, c, gates, sums = _lstm(a, u, c)
        kept[t] = h, c, gates, sums
    steps = [kept[t] for t in range(len(x))]
    return Pass(
        layer, reverse, x, np.stack([h for h, *_ in steps]),
        np.stack([c for _, c, *_ in steps]) if model.cell == "lstm" else None,
        _stacked([gates for *_, gates, _ in steps]), _stacked([sums for *_, sums in steps]),
    )  # fmt: skip


def _rnn(a: Array, u: Array, nonlinearity: str) -> tuple[Array, dict[str, Array], dict[str, Array]]:
    squash: Callable[[Any], Any] = SQUASH[nonlinearity]
    return squash(a + u), {}, {"h": a + u}


def _gru(a: Array, u: Array, h: Array) -> tuple[Array, dict[str, Array], dict[str, Array]]:
    a_r, a_z, a_n = np.split(a, 3)
    u_r, u_z, u_n = np.split(u, 3)
    sums = {"r": a_r + u_r, "z": a_z + u_z}
    r, z = _sigmoid(sums["r"]), _sigmoid(sums["z"])
    sums["n"] = a_n + r * u_n
    n = np.tanh(sums["n"])
    return (1 - z) * n + z * h, {"r": r, "z": z, "n": n}, sums


def _lstm(a: Array, u: Array, c: Array) -> tuple[Array, Array, dict[str, Array], dict[str, Array]]:
    sums = dict(zip(GATES["lstm"], np.split(a + u, 4), strict=True))
    gates = {name: np.tanh(s) if name == "g" else _sigmoid(s) for name, s in sums.items()}
    c = gates["f"] * c + gates["i"] * gates["g"]
    return gates["o"] * np.tanh(c), c, gates, sums


def _sigmoid(s: Array) -> Array:
    gate: Array = 0.5 + 0.5 * np.tanh(0.5 * s)  # 1 / (1 + exp(-s)) without the overflow
    return gate


def _stacked(steps: Sequence[Mapping[str, Array]]) -> dict[str, Array]:
    return {name: np.stack([step[name] for step in steps]) for name in steps[0]}

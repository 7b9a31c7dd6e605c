"""The lecture's four letters, h e l l and the targets e l l o, in numbers that can be looked at and changed.

The picture's numbers are those of Stanford cs231n lecture 10 (and of Karpathy's "The Unreasonable Effectiveness of
Recurrent Neural Networks", 2015): a hidden state of three numbers and the logits at each step. A network of this shape
is in `rnn.speller`; here is what needs no torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnn.config import ModelConfig, SampleConfig
from rnn.errors import InputError
from rnn.records import Walk
from rnn.sampling import NumpyModel, generate, generate_many, softmax
from rnn.vocabulary import Vocabulary

Array = NDArray[np.float64]
Weights = Mapping[str, Array]  # W_xh (H, V), W_hh (H, H), W_hy (V, H), b_h (H,), b_y (V,)

WORD = "hello"
READ, TARGETS = WORD[:-1], WORD[1:]  # the same text, shifted by one
CHARACTERS = ("h", "e", "l", "o")
VOCABULARY = Vocabulary.from_characters(CHARACTERS)
HIDDEN = 3  # H
SHAPES = {"W_xh": (HIDDEN, 4), "W_hh": (HIDDEN, HIDDEN), "W_hy": (4, HIDDEN), "b_h": (HIDDEN,), "b_y": (4,)}

LECTURE_STATES: Array = np.array([(0.3, -0.1, 0.9), (1.0, 0.3, 0.1), (0.1, -0.5, -0.3), (-0.3, 0.9, 0.7)])  # (T, H)
LECTURE_LOGITS: Array = np.array([
    (1.0, 2.2, -3.0, 4.1), (0.5, 0.3, -1.0, 1.2), (0.1, 0.5, 1.9, -1.1), (0.2, -1.5, -0.1, 2.2),
])  # fmt: skip  # (T, V)

LARGEST = 1_000.0  # of a number that is typed, or of a weight; far beyond it a loss would be no finite number


@dataclass(frozen=True)
class Progress:
    """A training of the four letters so far: plain arrays, so that it can be kept anywhere.

    Attributes:
        weights: as they are now.
        losses: the total loss before each step taken, nats, shape (steps,).
        rule: the update rule of the last step, or "".
        slots: what that rule remembers of each matrix (Adam's running means), by the matrix's name.
    """

    weights: Weights
    losses: Array = field(default_factory=lambda: np.zeros(0))
    rule: str = ""
    slots: Mapping[str, Mapping[str, NDArray[Any]]] = field(default_factory=dict)

    @property
    def steps(self) -> int:
        return len(self.losses)


def walk(states: Array, logits: Array) -> Walk:
    """Softmax, targets and losses of these logits (T, V), beside the states (T, H) that they came from."""
    targets = [CHARACTERS.index(c) for c in TARGETS]
    above = logits.max(axis=1, keepdims=True)  # taken off first, so that no exponential overflows
    log_sums = above[:, 0] + np.log(np.exp(logits - above).sum(axis=1))
    losses = log_sums - logits[np.arange(len(targets)), targets]
    return Walk(READ, TARGETS, CHARACTERS, states, logits, softmax(logits), losses)


def checked(values: Sequence[Sequence[Any]], what: str, rows: Sequence[str], columns: Sequence[str]) -> Array:
    """A table that was typed, as numbers.

    Args:
        values: the table, row by row.
        what: its name in a complaint.
        rows, columns: the names of its rows and columns.

    Raises:
        InputError: it has not these rows and columns, or a cell is no number from -1,000 to 1,000.
    """
    if len(values) != len(rows) or any(len(row) != len(columns) for row in values):
        raise InputError(f"{what} must have {len(rows)} rows and {len(columns)} columns.")
    numbers = np.array([[_number(value) for value in row] for row in values])
    for i, j in np.argwhere(~(np.abs(numbers) <= LARGEST)):  # NaN is not
        raise InputError(
            f"{what}, row {rows[i]}, column {columns[j]}: write a number from −1,000 to 1,000"
            f"{_instead_of(values[i][j])}. Until then the numbers of before are shown."
        )
    return numbers


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return np.nan


def _instead_of(value: Any) -> str:
    is_empty = value is None or value != value or str(value).strip() in ("", "None", "<NA>")
    return "" if is_empty else f" in place of “{str(value)[:20]}”"


def gradient_shares(seen: Walk, weights: Weights) -> Array:
    """What each loss and each copy of W_hh adds to the gradient, by hand: backpropagation through time.

    With s_k the sum inside step k's tanh, the gradient of loss t starts at its own logits and goes back in time:

        dL_t/ds_t = W_hy^T (softmax(y_t) - target_t) * (1 - h_t^2)
        dL_t/ds_{k-1} = W_hh^T dL_t/ds_k * (1 - h_{k-1}^2)
        share[t, k] = dL_t/ds_k h_{k-1}^T

    Source: Werbos 1990, "Backpropagation through time: what it does and how to do it".

    Returns:
        (T, T, H, H): loss t in the first place, step k in the second, nothing where k > t. Their sum is dL/dW_hh.
    """
    T, H = seen.states.shape
    before = np.vstack([np.zeros(H), seen.states[:-1]])  # h_{k-1}
    slopes = 1 - seen.states**2
    errors = seen.probabilities - np.array([[c == target for c in seen.characters] for target in seen.targets])
    shares = np.zeros((T, T, H, H))
    for t in range(T):
        through = weights["W_hy"].T @ errors[t]
        for k in range(t, -1, -1):
            d_s = through * slopes[k]
            shares[t, k] = np.outer(d_s, before[k])
            through = weights["W_hh"].T @ d_s
    return shares


def sampler(weights: Weights) -> NumpyModel:
    """The network as a model that writes."""
    return NumpyModel(
        ModelConfig("rnn", hidden_size=HIDDEN),
        {
            "recurrent.weight_ih_l0": weights["W_xh"], "recurrent.weight_hh_l0": weights["W_hh"],
            "recurrent.bias_ih_l0": weights["b_h"], "recurrent.bias_hh_l0": np.zeros(HIDDEN),
            "head.weight": weights["W_hy"], "head.bias": weights["b_y"],
        },
    )  # fmt: skip


def greedy(weights: Weights) -> str:
    """What it writes after h if it always takes the likeliest letter and reads it next; the h comes first."""
    drawn = generate(sampler(weights), VOCABULARY, READ[0], len(TARGETS), temperature=0.0)
    return READ[0] + "".join(s.char for s in drawn)


def samples(weights: Weights, count: int, seed: int) -> list[str]:
    """`count` texts that it draws after h from its softmax, of five letters each; the h comes first."""
    settings = SampleConfig(READ[0], len(TARGETS), temperature=1.0, seed=seed)
    return [READ[0] + text for text in generate_many(sampler(weights), VOCABULARY, count, settings)]

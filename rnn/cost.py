"""What a character model costs: its parameters, which do not depend on T, and what grows with T. No torch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rnn.config import ModelConfig
from rnn.errors import ConfigError

NUMBER = 4  # bytes of a float32
LONGEST = 5_000  # steps; the right end of the charts
GATES = {"rnn": "", "gru": "rzn", "lstm": "ifgo"}  # the blocks of H rows, from the top
KEPT = {"rnn": 1, "gru": 5, "lstm": 6}  # vectors of H that a step keeps: h; r, z, n, W_hn h + b_hn, h; i, f, g, o, c, h
GATING = {"rnn": 0, "gru": 3, "lstm": 3}  # products per unit: r (W_hn h), (1 - z) n, z h; f c, i g, o tanh(c)


@dataclass(frozen=True)
class Parameter:
    """One weight matrix or bias vector.

    Attributes:
        name: its name in the state dict.
        symbol: its letter in the equations: "W_xh", "b_hh", "W_hy", "b_y" or "E", the embedding.
        part: "layer 1", "layer 2, backward", "output" or "input".
        shape: rows and columns, or entries of a vector.
    """

    name: str
    symbol: str
    part: str
    shape: tuple[int, ...]

    @property
    def count(self) -> int:
        return math.prod(self.shape)

    @property
    def bytes(self) -> int:
        """In float32."""
        return NUMBER * self.count

    @property
    def title(self) -> str:
        """`W_xh, layer 1`."""
        return f"{self.symbol}, {self.part}"


@dataclass(frozen=True)
class Costs:
    """What sequences of these lengths take.

    Attributes:
        steps: T, increasing.
        parameters: numbers that are learned: the same for every T.
        multiplications: of the forward pass over one sequence, for each T.
        activation_bytes: what training keeps of it for the backward pass, in float32, for each T.
    """

    steps: NDArray[np.int64]
    parameters: int
    multiplications: NDArray[np.int64]
    activation_bytes: NDArray[np.int64]


@dataclass(frozen=True)
class InputWay:
    """How characters enter the first layer: one-hot, or through an embedding.

    Attributes:
        embedding_size: E; 0 is one-hot.
        parameters: the matrices that the choice decides about.
        total: parameters of the whole model.
        written: multiplications of a step if the vectors are multiplied as the equation has it.
        looked_up: the same if a product with a one-hot vector is the row or column that it picks.
    """

    embedding_size: int
    parameters: tuple[Parameter, ...]
    total: int
    written: int
    looked_up: int

    @property
    def count(self) -> int:
        return sum(p.count for p in self.parameters)


def parameter_table(config: ModelConfig, vocabulary_size: int) -> tuple[Parameter, ...]:
    """Every parameter of the character model, in the order of its state dict."""
    shapes = config.parameter_shapes(vocabulary_size)
    return tuple(Parameter(name, *_symbol_and_part(name), shape) for name, shape in shapes.items())


def _symbol_and_part(name: str) -> tuple[str, str]:
    outer = {"embedding.weight": ("E", "input"), "head.weight": ("W_hy", "output"), "head.bias": ("b_y", "output")}
    if name in outer:
        return outer[name]
    kind, which, layer, *backward = name.removeprefix("recurrent.").split("_")
    symbol = f"{'W' if kind == 'weight' else 'b'}_{'xh' if which == 'ih' else 'hh'}"
    return symbol, f"layer {int(layer[1:]) + 1}{', backward' if backward else ''}"


def step_multiplications(config: ModelConfig, vocabulary_size: int) -> int:
    """Multiplications of one sequence's forward step, in every layer and direction and in the output.

    Per layer and direction gates * H * (I + H) for the two matrix products and, in GRU and LSTM, 3 H for the gating;
    V * directions * H for the output. A character picks its column of W_xh, or its row of the embedding, which
    multiplies nothing: I is 0 in the first layer where the input is one-hot.
    """
    H, products = config.hidden_size, 0
    for layer in range(config.num_layers):
        I = config.embedding_size if layer == 0 else config.directions * H  # noqa: E741
        products += config.directions * (config.gates * H * (I + H) + GATING[config.cell] * H)
    return products + vocabulary_size * config.directions * H


def step_activation_bytes(config: ModelConfig, vocabulary_size: int) -> int:
    """Bytes in float32 that the backward pass needs of one step of one sequence.

    Per layer and direction 1 (RNN: h), 5 (GRU: its gates, W_hn h + b_hn and h) or 6 (LSTM: its gates, c and h)
    vectors of H; the embedded character, E; the softmax, V. What the layer above reads is the h that is kept anyway.
    """
    per_layer = config.directions * KEPT[config.cell] * config.hidden_size
    return NUMBER * (config.num_layers * per_layer + config.embedding_size + vocabulary_size)


def costs(config: ModelConfig, vocabulary_size: int, steps: Sequence[int]) -> Costs:
    """Parameters, multiplications and memory for sequences of each of these lengths.

    Raises:
        ConfigError: a length is below 1.
    """
    T = np.array(steps, np.int64)
    if T.size and T.min() < 1:
        raise ConfigError(f"A sequence has at least 1 step, not {T.min()}.")
    return Costs(
        T, config.parameter_count(vocabulary_size), T * step_multiplications(config, vocabulary_size),
        T * step_activation_bytes(config, vocabulary_size),
    )  # fmt: skip


def input_way(config: ModelConfig, vocabulary_size: int, embedding_size: int) -> InputWay:
    """The model's input with this embedding size in place of its own; 0 for one-hot."""
    config = replace(config, embedding_size=embedding_size)
    table = parameter_table(config, vocabulary_size)
    own = tuple(p for p in table if p.symbol == "E" or (p.symbol == "W_xh" and p.part.startswith("layer 1")))
    products = config.directions * config.gates * config.hidden_size * (embedding_size or vocabulary_size)
    written = products + vocabulary_size * embedding_size
    return InputWay(
        embedding_size, own, sum(p.count for p in table), written, products if embedding_size else 0
    )  # fmt: skip


def break_even(config: ModelConfig, vocabulary_size: int) -> float:
    """The embedding size below which an embedding takes fewer parameters than one-hot input: V R / (V + R).

    R is the number of rows of the first layer's W_xh, over both directions.
    """
    R = config.directions * config.gates * config.hidden_size
    return vocabulary_size * R / (vocabulary_size + R)


def log_spaced(most: int, count: int) -> list[int]:
    """At most `count` whole numbers from 1 to `most`, both included, evenly spaced on a logarithmic axis."""
    return sorted({round(v) for v in np.geomspace(1, most, count)})

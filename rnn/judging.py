"""torch.nn as the judge of the mathematics: this package's own ways to compute a network, held against it.

The same weights, the same random characters from the same random state go through each; what is reported is the
largest difference of any number. torch.nn has no RNN with a sigmoid. Its tanh network computes one all the same, in
other coordinates: sigmoid(a) = (1 + tanh(a / 2)) / 2, so with h = (1 + k) / 2 the state k is that of a tanh network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from rnn.cells import State, Weights, cell_step, concatenated_step
from rnn.config import ModelConfig
from rnn.models import CharRNN, undrawn
from rnn.network_shapes import state_parts
from rnn.sampling import NumpyModel, checked_weights

TOLERANCES = {torch.float32: 1e-5, torch.float64: 1e-10}  # of max|a - b|, times max(1, max|b|)
T, B = 12, 3  # the steps and the sequences that are compared

Computed = tuple[Tensor, State]  # h of the last layer, (T, B, directions * H), and the state after the last step


class Difference(NamedTuple):
    """How far one way of computing is from torch.nn.

    Attributes:
        path: "cells", the readable cell step by step; "scan", the fast path; or "numpy", which sampling uses.
        dtype: "float32" or "float64".
        outputs: max|a - b| of h at every step.
        state: the same of the state after the last step, every layer's (an LSTM's c included).
        allowed: how large both may be.
    """

    path: str
    dtype: str
    outputs: float
    state: float
    allowed: float

    @property
    def is_equal(self) -> bool:
        """Whether the two are the same but for rounding."""
        return self.outputs <= self.allowed and self.state <= self.allowed  # false for what is not a number


def judge(config: ModelConfig, weights: Mapping[str, NDArray[Any]], seed: int = 0) -> list[Difference]:
    """Runs a character model in every way there is, and torch.nn.RNN, GRU or LSTM beside them.

    The numpy path computes in float32 and from left to right only, so float64 and two directions have no row of it.

    Args:
        config: the model.
        weights: every parameter by its name in the state dict, float arrays.
        seed: of the random characters and of the state that they start from.

    Raises:
        ConfigError: weights are missing or of another shape.
    """
    weights = checked_weights(config, weights)
    V = len(weights["head.weight"])
    rng = np.random.default_rng(seed)
    indices = rng.integers(V, size=(T, B))
    # From 0 to 1, where a state may lie with every non-linearity.
    first = rng.random((len(state_parts(config)), config.num_layers * config.directions, B, config.hidden_size))
    found = []
    for dtype, tolerance in TOLERANCES.items():
        model = model_of(config, weights, dtype)
        state = tuple(torch.from_numpy(part).to(dtype) for part in first)
        with torch.no_grad():
            expected = by_torch(model, torch.from_numpy(indices), state)
            ways: dict[str, Computed] = {
                "cells": by_scan(model, indices, state, "cells"), "scan": by_scan(model, indices, state, "scan"),
            }  # fmt: skip
        if dtype == torch.float32 and not config.bidirectional:
            ways["numpy"] = _by_numpy(NumpyModel(config, weights), indices, state)
        largest = max(float(part.abs().max()) for part in (expected[0], *expected[1]))
        for path, (outputs, last) in ways.items():
            found.append(
                Difference(
                    path,
                    str(dtype).removeprefix("torch."),
                    _apart([outputs], [expected[0]]),
                    _apart(last, expected[1]),
                    tolerance * max(1.0, largest),
                )
            )
    return found


def model_of(config: ModelConfig, weights: Mapping[str, NDArray[Any]], dtype: torch.dtype) -> CharRNN:
    model = CharRNN(config, len(weights["head.weight"])).eval().to(dtype)
    model.load_weights({name: torch.from_numpy(np.array(array)) for name, array in weights.items()})
    return model


def _apart(ours: Any, theirs: Any) -> float:
    return max(float((a - b).abs().max()) for a, b in zip(ours, theirs, strict=True))


def by_scan(model: CharRNN, indices: NDArray[np.int64], state: State, path: Any) -> Computed:
    embedding = model.embedding.weight if model.config.embedding_size else None
    outputs, last = model.recurrent(torch.from_numpy(indices), state, path, None, embedding)
    return outputs, last


def _by_numpy(model: NumpyModel, indices: NDArray[np.int64], state: State) -> Computed:
    layers: list[Any] = [tuple(part.numpy()[layer] for part in state) for layer in range(model.config.num_layers)]
    outputs = []
    for row in indices:
        _, layers = model.step(row, layers)
        outputs.append(layers[-1][0])
    last = tuple(torch.from_numpy(np.stack(parts)) for parts in zip(*layers, strict=True))
    return torch.from_numpy(np.stack(outputs)), last


def by_torch(model: CharRNN, indices: Tensor, state: State) -> Computed:
    """torch.nn.RNN, GRU or LSTM with the model's weights."""
    config, weights = model.config, model.recurrent.state_dict()
    x = model.embedding(indices) if config.embedding_size else F.one_hot(indices, model.vocabulary_size).to(state[0])
    if config.cell == "rnn" and config.nonlinearity == "sigmoid":
        weights = _as_tanh(config, weights)
        k, last = _torch_network(config, "tanh", x.shape[-1], weights)(x, 2 * state[0] - 1)
        return (1 + k) / 2, ((1 + last) / 2,)
    network = _torch_network(config, config.nonlinearity, x.shape[-1], weights)
    outputs, last = network(x, state if config.cell == "lstm" else state[0])
    return outputs, last if config.cell == "lstm" else (last,)


def _torch_network(
    config: ModelConfig, nonlinearity: str, input_size: int, weights: Mapping[str, Tensor]
) -> Callable[..., Any]:
    kinds: dict[str, Any] = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}
    network: nn.Module = undrawn(kinds[config.cell])(
        input_size, config.hidden_size, config.num_layers, bias="bias_ih_l0" in weights,
        bidirectional=config.bidirectional, **({"nonlinearity": nonlinearity} if config.cell == "rnn" else {}),
    )  # fmt: skip
    network.load_state_dict(dict(weights), strict=True, assign=True)
    return network.eval()


def _as_tanh(config: ModelConfig, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of the tanh network whose state is k = 2 h - 1, for those of a sigmoid network with the state h.

    k_t = tanh(a / 2) with a = W_xh x + b + W_hh (1 + k_{t-1}) / 2; a higher layer reads (1 + k) / 2 for x as well.
    """
    turned: dict[str, Tensor] = {}
    for layer in range(config.num_layers):
        for suffix in ("", "_reverse")[: config.directions]:
            name = f"_l{layer}{suffix}"
            W_xh, W_hh = weights["weight_ih" + name], weights["weight_hh" + name]
            b_xh, b_hh = (weights.get(f"bias_{part}{name}", W_hh.new_zeros(len(W_hh))) for part in ("ih", "hh"))
            reads_states = layer > 0
            turned["weight_ih" + name] = W_xh / (4 if reads_states else 2)
            turned["weight_hh" + name] = W_hh / 4
            turned["bias_ih" + name] = b_xh / 2 + (W_xh.sum(dim=1) / 4 if reads_states else 0)
            turned["bias_hh" + name] = b_hh / 2 + W_hh.sum(dim=1) / 4
    return turned


# The concatenated form -------------------------------------------------------------------------------------------


def concatenation(
    config: ModelConfig, weights: Mapping[str, NDArray[Any]], layer: int = 0, reverse: bool = False, seed: int = 0
) -> float:
    """max|a - b| of one step's state in two forms, in float64: W_hh h + W_xh x + b, and one matrix times [h; x; 1].

    A GRU's candidate keeps W_hn h apart in both, because the reset gate is applied to it.

    Args:
        config, weights: the model.
        layer, reverse: whose step it is.
        seed: of the random x and of the random state before.

    Raises:
        ConfigError: weights are missing or of another shape.
    """
    weights = checked_weights(config, weights)
    model = model_of(config, weights, torch.float64)
    w = model.recurrent.weights(layer, reverse)
    rng = np.random.default_rng(seed)
    x = torch.from_numpy(rng.random((B, w.W_xh.shape[1])))
    state = tuple(torch.from_numpy(part) for part in rng.random((len(state_parts(config)), B, config.hidden_size)))
    with torch.no_grad():
        separate = cell_step(config.cell, x, state, w, config.nonlinearity).state
        return _apart(_concatenated(config, x, state, w), separate)


def _concatenated(config: ModelConfig, x: Tensor, state: State, w: Weights) -> State:
    """The state after x: W [h; x; 1], then what the cell does with its sums."""
    H = config.hidden_size
    b = w.W_xh.new_zeros(len(w.W_xh)) if w.b_xh is None or w.b_hh is None else w.b_xh + w.b_hh
    xs = torch.cat([x, x.new_ones(len(x), 1)], dim=1)  # [x; 1], so that the bias is a column of W
    if config.cell == "rnn":
        W = torch.cat([w.W_hh, w.W_xh, b.unsqueeze(1)], dim=1)  # (H, H + I + 1)
        return (concatenated_step(xs.T, state[0].T, W, config.nonlinearity).T,)
    apart, b_apart = torch.zeros_like(w.W_hh), torch.zeros_like(b)
    if config.cell == "gru":
        apart[2 * H :] = w.W_hh[2 * H :]
        if w.b_hh is not None:
            b_apart[2 * H :] = w.b_hh[2 * H :]
    W = torch.cat([w.W_hh - apart, w.W_xh, (b - b_apart).unsqueeze(1)], dim=1)  # (gates * H, H + I + 1)
    joined = torch.cat([state[0], xs], dim=1)
    return cell_step(config.cell, joined, state, Weights(W, apart, torch.zeros_like(b), b_apart)).state

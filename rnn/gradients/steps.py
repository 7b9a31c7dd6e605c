"""A character model unrolled by hand: a tensor for each step, layer and part of the state, in one graph of autograd."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from rnn.cells import State, Weights, cell_step
from rnn.config import ModelConfig
from rnn.errors import ConfigError
from rnn.network_shapes import state_parts

TensorWeights = Mapping[str, Tensor]


@dataclass(frozen=True)
class Steps:
    """What each of T steps computed.

    Attributes:
        x: what the lowest layer read, T tensors (B, I): one-hot or embedded characters.
        states: the state after each step, one for each layer, the lowest first: (h,) or (h, c), each (B, H).
        logits: scores of the next character, T tensors (B, V).
    """

    x: list[Tensor]
    states: list[list[State]]
    logits: list[Tensor]

    def losses(self, targets: Tensor) -> Tensor:
        """Cross-entropies of the targets (T, B), nats, (T, B)."""
        return F.cross_entropy(torch.stack(self.logits).movedim(2, 1), targets, reduction="none")

    def hidden(self, layer: int = -1) -> list[Tensor]:
        """h of one layer after each step, the highest one's if none is named."""
        return [at_step[layer][0] for at_step in self.states]


def as_tensors(
    weights: Mapping[str, NDArray[Any]], dtype: torch.dtype = torch.float64, requires_grad: bool = False
) -> dict[str, Tensor]:
    """Copies of all parameters by their names, each a leaf of a new graph."""
    return {name: torch.tensor(array, dtype=dtype).requires_grad_(requires_grad) for name, array in weights.items()}


def read_steps(
    config: ModelConfig,
    weights: TensorWeights | Sequence[TensorWeights],
    indices: Tensor,
    state: Sequence[State] | None = None,
    cuts: Collection[int] = (),
    inputs_require_grad: bool = False,
) -> Steps:
    """Reads characters step by step; nothing is detached but where a cut is asked for.

    Args:
        config: of one direction; there is no dropout here.
        weights: the parameters by their names, the same at every step, or one such mapping for each of the T steps:
            the gradient of the t-th mapping is then what step t alone contributes.
        indices: characters, integers (T, B).
        state: what to begin with, one for each layer; None: zeros.
        cuts: steps, from 0, that take over the state of the step before without its history: the wall of truncated
            backpropagation through time.
        inputs_require_grad: whether each x is a leaf of its own whose gradient can be asked for.

    Raises:
        ConfigError: the model is bidirectional, or there is not one mapping of weights for each step.
    """
    if config.bidirectional:
        raise ConfigError(
            "Step by step a network is read in one direction. Choose a model that is not bidirectional for this."
        )
    at_step = [weights] * len(indices) if isinstance(weights, Mapping) else list(weights)
    if len(at_step) != len(indices):
        raise ConfigError(f"There are {len(indices)} steps, but weights for {len(at_step)}.")
    carried = list(state) if state is not None else zero_state(config, indices.shape[1], at_step[0])
    x, states, logits = list[Tensor](), list[list[State]](), list[Tensor]()
    for t, read in enumerate(indices):
        w = at_step[t]
        if t in cuts:
            carried = [tuple(part.detach() for part in of_layer) for of_layer in carried]
        below = _input(w, read)
        if inputs_require_grad:
            below = below.detach().requires_grad_()
        x.append(below)
        after = list[State]()
        for layer in range(config.num_layers):
            step = cell_step(config.cell, below, carried[layer], _layer(w, layer), config.nonlinearity)
            after.append(step.state)
            below = step.h
        states.append(after)
        carried = after
        logits.append(F.linear(below, w["head.weight"], w.get("head.bias")))
    return Steps(x, states, logits)


def zero_state(config: ModelConfig, batch_size: int, weights: TensorWeights) -> list[State]:
    """Zeros for each layer: (h,) or (h, c), each (B, H)."""
    like = weights["recurrent.weight_hh_l0"]
    zeros = like.new_zeros(batch_size, config.hidden_size)
    return [tuple(zeros for _ in state_parts(config)) for _ in range(config.num_layers)]


def _input(w: TensorWeights, read: Tensor) -> Tensor:
    """What the lowest layer reads of characters (B,): rows of the embedding or one-hot vectors, (B, I)."""
    embedding = w.get("embedding.weight")
    if embedding is not None:
        return F.embedding(read, embedding)
    return F.one_hot(read, len(w["head.weight"])).to(w["head.weight"])


def _layer(w: TensorWeights, layer: int) -> Weights:
    W_xh, W_hh = (w[f"recurrent.{name}_l{layer}"] for name in ("weight_ih", "weight_hh"))
    return Weights(W_xh, W_hh, *(w.get(f"recurrent.{name}_l{layer}") for name in ("bias_ih", "bias_hh")))

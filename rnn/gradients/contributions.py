"""What each step adds to the gradient of the shared matrices: backpropagation through time as a sum over the steps.

Every step uses the same W_xh, W_hh and W_hy, so the gradient of each of them is a sum of one contribution per step,

    dL/dW_hh = sum over t of delta_t h_{t-1}^T,   dL/dW_xh = sum over t of delta_t x_t^T,
    dL/dW_hy = sum over t of dL/dy_t h_t^T,

with delta_t = dL/d(W_hh h_{t-1} + b_hh) of step t alone (of a GRU, dL/d(W_xh x_t + b_xh) for W_xh is another vector).
These vectors are what autograd finds for biases that each step has for itself, so no step needs matrices of its own.

Source: Karpathy's min-char-rnn (2015), whose loop accumulates dWhh += dhraw h_{t-1}^T; Werbos 1990.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rnn.cells import State
from rnn.config import ModelConfig
from rnn.errors import InputError
from rnn.gradients.steps import TensorWeights, as_tensors, read_steps, zero_state

LAYER_NAMES = ("W_xh", "W_hh")
MOST_WORK = 60_000_000  # steps times parameters of one computation, about a second


@dataclass(frozen=True, slots=True)
class MatrixContributions:
    """One shared matrix: what each step adds to its gradient.

    Attributes:
        name: "W_xh", "W_hh" or "W_hy".
        layer: from 0, the lowest; of W_hy the highest.
        shape: rows and columns; GRU and LSTM stack those of their gates.
        norms: L2 norm of what each step adds, nats per unit of weight, (T,).
        whole: L2 norm of the gradient, which is their sum.
        difference: the largest of the differences between that sum and autograd's gradient of the shared matrix.
    """

    name: str
    layer: int
    shape: tuple[int, int]
    norms: NDArray[np.float64]
    whole: float
    difference: float


@dataclass(frozen=True, slots=True)
class Contributions:
    """The gradient of the total loss of T steps, taken apart.

    Attributes:
        losses: of each step, nats, (T,).
        states: L2 norm of dL/dh_t of each layer, (T + 1, L); row 0 is the state before the first step.
        matrices: from the lowest layer to the output, W_xh before W_hh.
    """

    losses: NDArray[np.float64]
    states: NDArray[np.float64]
    matrices: tuple[MatrixContributions, ...]

    @property
    def total(self) -> float:
        """The sum of the losses, nats: what was differentiated."""
        return float(self.losses.sum())


def contributions(
    config: ModelConfig,
    weights: Mapping[str, NDArray[Any]],
    indices: NDArray[np.int64],
    targets: NDArray[np.int64],
    state: Sequence[Sequence[NDArray[Any]]] | None = None,
) -> Contributions:
    """The gradient of the total loss of T steps, taken apart into steps, in float64.

    Args:
        config: of one direction.
        weights: every parameter by its name in the state dict.
        indices, targets: the characters that are read, and those that should come after each, (T,).
        state: what to begin with, one for each layer: (h,) or (h, c), each (H,); None: zeros. It is held fixed.

    Raises:
        ConfigError: the model is bidirectional.
        InputError: there is no step, or not one target for each.
    """
    if len(indices) == 0 or len(indices) != len(targets):
        raise InputError("The gradient needs a loss, so at least one character and the one that comes after it.")
    shared = as_tensors(weights)
    first = _first(config, shared, state)
    read, wanted = torch.as_tensor(indices)[:, None], torch.as_tensor(targets)[:, None]
    own = [_with_own_biases(config, shared) for _ in range(len(read))]
    steps = read_steps(config, own, read, first)
    losses = steps.losses(wanted)[:, 0]
    hidden = [steps.hidden(layer) for layer in range(config.num_layers)]
    begun = [of_layer[0] for of_layer in first]
    biases = [w[name] for w in own for name in _biases(config)]
    found = torch.autograd.grad(losses.sum(), [*(h for of_layer in hidden for h in of_layer), *begun, *biases])
    T, L = len(read), config.num_layers
    of_states = torch.stack(found[: T * L]).view(L, T, -1)
    of_first = torch.stack(found[T * L : (T + 1) * L])  # (L, 1, H)
    names = _biases(config)
    deltas = {name: torch.stack(found[(T + 1) * L + i :: len(names)]) for i, name in enumerate(names)}  # (T, gates * H)
    whole = _shared_gradients(config, shared, read, wanted, first)
    matrices = list[MatrixContributions]()
    for layer in range(L):
        below = torch.cat(steps.x) if layer == 0 else torch.cat(hidden[layer - 1])
        before = torch.cat([begun[layer], *hidden[layer][:-1]])
        for name, bias, entered in zip(LAYER_NAMES, ("bias_ih", "bias_hh"), (below, before), strict=True):
            delta = deltas[f"recurrent.{bias}_l{layer}"]
            matrices.append(_split(name, layer, delta, entered, whole[_parameter(name, layer)]))
    matrices.append(_split("W_hy", L - 1, deltas["head.bias"], torch.cat(hidden[-1]), whole["head.weight"]))
    norms = torch.cat([of_first.transpose(0, 1), of_states.transpose(0, 1)]).norm(dim=2)  # (T + 1, L)
    return Contributions(_array(losses), _array(norms), tuple(matrices))


def most_steps(config: ModelConfig, vocabulary_size: int) -> int:
    """How many steps of this network can be taken apart in about a second."""
    return max(1, MOST_WORK // config.parameter_count(vocabulary_size))


def _parameter(name: str, layer: int) -> str:
    return f"recurrent.{'weight_ih' if name == 'W_xh' else 'weight_hh'}_l{layer}"


def _biases(config: ModelConfig) -> list[str]:
    return [f"recurrent.{bias}_l{layer}" for layer in range(config.num_layers) for bias in ("bias_ih", "bias_hh")] + [
        "head.bias"
    ]


def _with_own_biases(config: ModelConfig, shared: TensorWeights) -> dict[str, Tensor]:
    """The shared matrices and one step's own copies of the biases, zeros where the model has none."""
    own = dict(shared)
    for name in _biases(config):
        like = shared["head.weight" if name == "head.bias" else name.replace("bias", "weight")]
        bias = shared.get(name, like.new_zeros(len(like)))
        own[name] = bias.clone().requires_grad_()
    return own


def _first(config: ModelConfig, shared: TensorWeights, state: Sequence[Sequence[NDArray[Any]]] | None) -> list[State]:
    """What the first step begins with, as leaves that can be asked for their gradient."""
    given: Sequence[State]
    if state is None:
        given = zero_state(config, 1, shared)
    else:
        given = [tuple(torch.tensor(part, dtype=torch.float64)[None] for part in of_layer) for of_layer in state]
    return [tuple(part.clone().requires_grad_() for part in of_layer) for of_layer in given]


def _shared_gradients(
    config: ModelConfig, shared: TensorWeights, read: Tensor, wanted: Tensor, first: Sequence[State]
) -> dict[str, Tensor]:
    """What autograd finds for matrices that all steps share: the reference that the sum is held against."""
    matrices = [name for name in shared if "weight" in name and name != "embedding.weight"]
    leaves = dict(shared) | {name: shared[name].detach().requires_grad_() for name in matrices}
    begun = [tuple(part.detach() for part in of_layer) for of_layer in first]
    total = read_steps(config, leaves, read, begun).losses(wanted).sum()
    return dict(zip(matrices, torch.autograd.grad(total, [leaves[name] for name in matrices]), strict=True))


def _split(name: str, layer: int, delta: Tensor, entered: Tensor, whole: Tensor) -> MatrixContributions:
    """The contributions delta_t entered_t^T of all steps, (T, rows) and (T, columns), without making one of them."""
    entered = entered.detach()
    norms = delta.norm(dim=1) * entered.norm(dim=1)  # of a matrix of rank one
    summed = delta.T @ entered
    rows, columns = whole.shape
    return MatrixContributions(
        name, layer, (rows, columns), _array(norms), float(whole.norm()), float((summed - whole).abs().max())
    )


def _array(tensor: Tensor) -> NDArray[np.float64]:
    found: NDArray[np.float64] = tensor.detach().numpy()
    return found

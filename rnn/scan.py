"""The cells over whole sequences, one layer in one direction.

`scan` is the fast path: torch's fused sequence operators, which are oneDNN's on a CPU and cuDNN's on a GPU.
`scan_stepwise` is the readable path, one call of the cell per time step. Both give the same outputs, states and
gradients (tests/unit/test_paths.py).
"""

from __future__ import annotations

import torch
from torch import Tensor

from rnn.cells import State, Weights, cell_step


def scan_stepwise(
    cell: str, x: Tensor, state: State, w: Weights, nonlinearity: str = "tanh", reverse: bool = False
) -> tuple[Tensor, State]:
    """The cell applied at every time step in turn: the definition that `scan` is tested against.

    Args:
        cell: "rnn", "gru" or "lstm".
        x: the inputs, (T, B, I), T >= 1.
        state: (h,) or (h, c) before the first step, each (B, H).
        reverse: reads the sequence from its end; outputs stay in the order of the inputs.

    Returns:
        h at every step, (T, B, H), and the state after the last step taken.
    """
    outputs = []
    for x_t in x.flip(0) if reverse else x:
        step = cell_step(cell, x_t, state, w, nonlinearity)
        state = step.state
        outputs.append(step.h)
    return torch.stack(outputs[::-1] if reverse else outputs), state


def scan(
    cell: str, x: Tensor, state: State, w: Weights, nonlinearity: str = "tanh", reverse: bool = False
) -> tuple[Tensor, State]:
    """The same as `scan_stepwise`, fast."""
    if cell == "rnn" and nonlinearity == "sigmoid":
        return scan_stepwise(cell, x, state, w, nonlinearity, reverse)  # no fused operator has this one
    outputs, *last = _fused(cell, x.flip(0) if reverse else x, state, w, nonlinearity)
    return (outputs.flip(0) if reverse else outputs), tuple(s[0] for s in last)


def _in_one_block(weights: list[Tensor]) -> list[Tensor]:
    """The same weights in one piece of memory, one behind the other as cuDNN lays them out; else it would copy them."""
    block = torch.cat([p.reshape(-1) for p in weights])
    parts = torch.split(block, [p.numel() for p in weights])
    return [part.view_as(p) for part, p in zip(parts, weights, strict=True)]


def _fused(cell: str, x: Tensor, state: State, w: Weights, nonlinearity: str) -> tuple[Tensor, ...]:
    """torch's operator for one layer; outputs (T, B, H), then the states with a leading axis of 1 layer."""
    first = tuple(s.unsqueeze(0).contiguous() for s in state)
    weights = [p for p in w if p is not None]
    if x.is_cuda:
        weights = _in_one_block(weights)
    # has biases, layers, dropout, training (keeps what the backward pass needs), bidirectional, batch first
    options = (w.b_xh is not None, 1, 0.0, torch.is_grad_enabled(), False, False)
    if cell == "lstm":
        return torch.lstm(x, first, weights, *options)
    operator = torch.gru if cell == "gru" else torch.rnn_tanh if nonlinearity == "tanh" else torch.rnn_relu
    return operator(x, first[0], weights, *options)

"""The cells over whole sequences, one layer in one direction.

`scan` has a readable path, "cells", one call of the cell per time step, and a fast one, "scan": backpropagation through
time by hand (`rnn.bptt`) or torch's fused sequence operators, which are oneDNN's on a CPU and cuDNN's on a GPU,
whichever is faster (docs/decisions.md). All give the same outputs, states and gradients (tests/unit/test_paths.py).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from rnn.bptt import rows, sequence
from rnn.cells import State, Weights, cell_step

Path = Literal["scan", "cells"]

LSTM_BY_HAND_FROM = 384  # H, in bfloat16 on a CPU with AMX, which oneDNN's LSTM does not use; else that is the faster


def scan(
    cell: str,
    x: Tensor,
    state: State,
    w: Weights,
    nonlinearity: str = "tanh",
    reverse: bool = False,
    dtype: torch.dtype | None = None,
    path: Path = "scan",
) -> tuple[Tensor, State]:
    """The cell applied at every time step in turn.

    Args:
        cell: "rnn", "gru" or "lstm".
        x: the inputs, (T, B, I), T >= 1; or integers (T, B), which stand for one-hot vectors.
        state: (h,) or (h, c) before the first step, each (B, H).
        reverse: reads the sequence from its end; outputs stay in the order of the inputs.
        dtype: number format of the computation; None means that of the weights.
        path: "scan" is the fast one, "cells" the definition that it is tested against.

    Returns:
        h at every step, (T, B, H), in the format of the computation, and the state after the last step taken, in that
        of the weights.
    """
    wide = w.W_hh.dtype
    w, state = w.to(dtype or wide), tuple(s.to(dtype or wide) for s in state)
    if x.is_floating_point():
        x = x.to(dtype or wide)
    if reverse:
        x = x.flip(0)
    fast = _by_hand if is_by_hand(cell, w.W_hh, w.W_hh.dtype, nonlinearity) else _fused
    run = fast if path == "scan" else _by_cells
    outputs, last = run(cell, x, state, w, nonlinearity)
    return (outputs.flip(0) if reverse else outputs), tuple(s.to(wide) for s in last)


def is_by_hand(cell: str, W_hh: Tensor, dtype: torch.dtype, nonlinearity: str = "tanh") -> bool:
    """Which of its two ways `scan` takes with these weights and products in this format."""
    if W_hh.is_cuda:
        return nonlinearity == "sigmoid"  # which cuDNN does not have
    return cell != "lstm" or (dtype == torch.bfloat16 and W_hh.shape[1] >= LSTM_BY_HAND_FROM and _has_amx())


@lru_cache(maxsize=1)
def _has_amx() -> bool:
    return bool(torch.cpu.get_capabilities().get("amx_bf16"))


def one_hot(x: Tensor, w: Weights) -> Tensor:
    """Integers as the one-hot vectors that they stand for; vectors as they are."""
    if x.is_floating_point():
        return x
    zeros = torch.zeros(*x.shape, w.W_xh.shape[1], dtype=w.W_xh.dtype, device=x.device)
    return zeros.scatter_(-1, x.long().unsqueeze(-1), 1)


def _by_cells(cell: str, x: Tensor, state: State, w: Weights, nonlinearity: str) -> tuple[Tensor, State]:
    outputs = []
    for x_t in one_hot(x, w):
        step = cell_step(cell, x_t, state, w, nonlinearity)
        state = step.state
        outputs.append(step.h)
    return torch.stack(outputs), state


def _by_hand(cell: str, x: Tensor, state: State, w: Weights, nonlinearity: str) -> tuple[Tensor, State]:
    """What every step takes in is computed for all steps at once; the sequence does the rest."""
    H = w.W_hh.shape[1]
    bias = inner = None
    if w.b_xh is not None and w.b_hh is not None:
        bias = w.b_xh + w.b_hh
        if cell == "gru":  # the candidate's b_hh is multiplied by the reset gate, so it stays inside
            inner = w.b_hh[2 * H :]
            bias = w.b_xh + torch.cat([w.b_hh[: 2 * H], torch.zeros_like(inner)])
    if x.is_floating_point():
        a = F.linear(x, w.W_xh, bias)
    else:  # a one-hot vector picks a column of W_xh
        table = w.W_xh.t()
        a = rows(table if bias is None else table + bias, x)
    return sequence(cell, a, state, w.W_hh, inner, nonlinearity)


def _fused(cell: str, x: Tensor, state: State, w: Weights, nonlinearity: str) -> tuple[Tensor, State]:
    """torch's operator for one layer."""
    x = one_hot(x, w)
    first = tuple(s.unsqueeze(0).contiguous() for s in state)
    weights = [p for p in w if p is not None]
    if x.is_cuda:
        weights = _in_one_block(weights)
    # has biases, layers, dropout, training (keeps what the backward pass needs), bidirectional, batch first
    options = (w.b_xh is not None, 1, 0.0, torch.is_grad_enabled(), False, False)
    if cell == "lstm":
        outputs, *last = torch.lstm(x, first, weights, *options)
    else:
        operator = torch.gru if cell == "gru" else torch.rnn_tanh if nonlinearity == "tanh" else torch.rnn_relu
        outputs, *last = operator(x, first[0], weights, *options)
    return outputs, tuple(s[0] for s in last)


def _in_one_block(weights: list[Tensor]) -> list[Tensor]:
    """The same weights in one piece of memory, one behind the other as cuDNN lays them out; else it would copy them."""
    block = torch.cat([p.reshape(-1) for p in weights])
    parts = torch.split(block, [p.numel() for p in weights])
    return [part.view_as(p) for part, p in zip(parts, weights, strict=True)]

"""One time step of the three recurrent cells, written as their equations are, and the step API of the lecture.

This is the readable path. `rnn.scan` runs the same equations over whole sequences fast, and the tests hold the two
and torch.nn against each other. Weights have torch.nn's layout: the rows of W_xh and W_hh are the gates' blocks of
H rows one below the other (GRU: r, z, n; LSTM: i, f, g, o).

Sources: Karpathy, "The Unreasonable Effectiveness of Recurrent Neural Networks" (2015) and Stanford cs231n lecture 10
for the RNN; Cho et al. 2014 (arXiv 1406.1078) for the GRU, in cuDNN's and torch's form; Hochreiter & Schmidhuber 1997
with the forget gate of Gers et al. 2000 for the LSTM.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rnn.config import NONLINEARITIES
from rnn.errors import ConfigError

State = tuple[Tensor, ...]  # (h,) for RNN and GRU, (h, c) for the LSTM; each (B, H) here

SQUASH: dict[str, Callable[[Tensor], Tensor]] = {"tanh": torch.tanh, "relu": torch.relu, "sigmoid": torch.sigmoid}


class Weights(NamedTuple):
    """The parameters of one layer in one direction."""

    W_xh: Tensor  # (gates * H, I)
    W_hh: Tensor  # (gates * H, H)
    b_xh: Tensor | None  # (gates * H,)
    b_hh: Tensor | None  # (gates * H,)

    def to(self, dtype: torch.dtype) -> Weights:
        """The same weights in another number format; gradients come back in their own."""
        b_xh, b_hh = (b if b is None else b.to(dtype) for b in (self.b_xh, self.b_hh))
        return Weights(self.W_xh.to(dtype), self.W_hh.to(dtype), b_xh, b_hh)


class RNNStep(NamedTuple):
    """What one step of the vanilla RNN computes."""

    h: Tensor  # (B, H)

    @property
    def state(self) -> State:
        return (self.h,)


class GRUStep(NamedTuple):
    """What one step of the GRU computes: the new state and its gates."""

    h: Tensor  # (B, H)
    r: Tensor  # reset gate
    z: Tensor  # update gate
    n: Tensor  # candidate state

    @property
    def state(self) -> State:
        return (self.h,)


class LSTMStep(NamedTuple):
    """What one step of the LSTM computes: the new state, the cell state and its gates."""

    h: Tensor  # (B, H)
    c: Tensor  # (B, H)
    i: Tensor  # input gate
    f: Tensor  # forget gate
    g: Tensor  # candidate cell state
    o: Tensor  # output gate

    @property
    def state(self) -> State:
        return (self.h, self.c)


Step = RNNStep | GRUStep | LSTMStep


def rnn_cell(x: Tensor, state: State, w: Weights, nonlinearity: str = "tanh") -> RNNStep:
    """h_t = phi(W_xh x_t + b_xh + W_hh h_{t-1} + b_hh), with phi one of tanh, relu, sigmoid.

    Args:
        x: the input of this step, (B, I).
        state: (h,), each (B, H).
    """
    (h,) = state
    a = F.linear(x, w.W_xh, w.b_xh) + F.linear(h, w.W_hh, w.b_hh)
    return RNNStep(SQUASH[nonlinearity](a))


def gru_cell(x: Tensor, state: State, w: Weights) -> GRUStep:
    """The gated recurrent unit, reset gate applied after the matrix product, as in torch.nn.GRU and cuDNN.

    r = sigmoid(W_xr x + b_xr + W_hr h + b_hr)
    z = sigmoid(W_xz x + b_xz + W_hz h + b_hz)
    n = tanh(W_xn x + b_xn + r * (W_hn h + b_hn))
    h_t = (1 - z) * n + z * h
    """
    (h,) = state
    x_r, x_z, x_n = F.linear(x, w.W_xh, w.b_xh).chunk(3, dim=-1)
    h_r, h_z, h_n = F.linear(h, w.W_hh, w.b_hh).chunk(3, dim=-1)
    r = torch.sigmoid(x_r + h_r)
    z = torch.sigmoid(x_z + h_z)
    n = torch.tanh(x_n + r * h_n)
    return GRUStep((1 - z) * n + z * h, r, z, n)


def lstm_cell(x: Tensor, state: State, w: Weights) -> LSTMStep:
    """The long short-term memory.

    i, f, o = sigmoid(W_x x + b_x + W_h h + b_h), each with its own rows;  g = tanh(the same with its rows)
    c_t = f * c_{t-1} + i * g
    h_t = o * tanh(c_t)
    """
    h, c = state
    a_i, a_f, a_g, a_o = (F.linear(x, w.W_xh, w.b_xh) + F.linear(h, w.W_hh, w.b_hh)).chunk(4, dim=-1)
    i, f, o = torch.sigmoid(a_i), torch.sigmoid(a_f), torch.sigmoid(a_o)
    g = torch.tanh(a_g)
    c = f * c + i * g
    return LSTMStep(o * torch.tanh(c), c, i, f, g, o)


def cell_step(cell: str, x: Tensor, state: State, w: Weights, nonlinearity: str = "tanh") -> Step:
    """One step of the cell with this name: "rnn", "gru" or "lstm"."""
    if cell == "rnn":
        return rnn_cell(x, state, w, nonlinearity)
    return gru_cell(x, state, w) if cell == "gru" else lstm_cell(x, state, w)


def concatenated_step(x: Tensor, h: Tensor, W: Tensor, nonlinearity: str = "tanh") -> Tensor:
    """phi(W [h; x]): one matrix W = [W_hh W_xh] in place of two, the same h_t.

    Args:
        x: (I,) or (I, N), one column per example.
        h: (H,) or (H, N).
        W: (H, H + I).
    """
    return SQUASH[nonlinearity](W @ torch.cat([h, x], dim=0))


class RNN(nn.Module):
    """The recurrent network of the lecture: three matrices, one hidden state, one method.

    >>> net = RNN(input_size=4, hidden_size=3, output_size=4)
    >>> y = net.step(x)  # h = tanh(W_hh h + W_xh x);  y = W_hy h

    x is a vector (input_size,) or a matrix (input_size, N) of N columns that are stepped side by side. A numpy array
    gives a numpy array; a tensor gives a tensor that can be differentiated, so networks stack by composition,
    `rnn2.step(rnn1.step(x))`, and train jointly. Computation is in float64 unless the module is cast.

    Attributes:
        h: the hidden state, zeros (hidden_size,) at the start; an array or a tensor, as the last x was.
        W_xh: (hidden_size, input_size). W_hh: (hidden_size, hidden_size). W_hy: (output_size, hidden_size).
    """

    h: Any

    def __init__(
        self, input_size: int, hidden_size: int, output_size: int, seed: int = 0, nonlinearity: str = "tanh"
    ) -> None:
        super().__init__()
        for name, size in (("input_size", input_size), ("hidden_size", hidden_size), ("output_size", output_size)):
            if not isinstance(size, int) or size < 1:
                raise ConfigError(f"{name} must be a whole number of at least 1, not {size!r}.")
        if nonlinearity not in NONLINEARITIES:
            raise ConfigError(f"nonlinearity must be one of {', '.join(NONLINEARITIES)}, not {nonlinearity!r}.")
        self.nonlinearity = nonlinearity
        generator = torch.Generator().manual_seed(seed)

        def matrix(rows: int, columns: int) -> nn.Parameter:
            # Variance 1/columns keeps the size of the sums independent of the number of terms.
            drawn = torch.randn(rows, columns, generator=generator, dtype=torch.float64)
            return nn.Parameter(drawn / columns**0.5)

        self.W_xh = matrix(hidden_size, input_size)
        self.W_hh = matrix(hidden_size, hidden_size)
        self.W_hy = matrix(output_size, hidden_size)
        self.reset()

    @classmethod
    def from_matrices(cls, W_hh: Any, W_xh: Any, W_hy: Any, nonlinearity: str = "tanh") -> Self:
        """A network with these matrices (arrays or tensors), copied in float64.

        Raises:
            ConfigError: the shapes do not fit together.
        """
        given = [torch.as_tensor(W).detach().to(torch.float64).clone() for W in (W_hh, W_xh, W_hy)]
        hh, xh, hy = (tuple(W.shape) for W in given)
        if [len(shape) for shape in (hh, xh, hy)] != [2, 2, 2] or not hh[0] == hh[1] == xh[0] == hy[1]:
            raise ConfigError(
                "The matrices must have the shapes W_hh (H, H), W_xh (H, input), W_hy (output, H); "
                f"they have {hh}, {xh}, {hy}."
            )
        net = cls(xh[1], hh[0], hy[0], nonlinearity=nonlinearity)
        net.W_hh, net.W_xh, net.W_hy = (nn.Parameter(W) for W in given)
        return net

    @property
    def W(self) -> Tensor:
        """[W_hh W_xh], (hidden_size, hidden_size + input_size): the one matrix of the concatenated form."""
        return torch.cat([self.W_hh, self.W_xh], dim=1)

    def reset(self) -> None:
        """Puts the hidden state back to the zero vector."""
        self.h = np.zeros(self.W_hh.shape[0])

    def step(self, x: Any) -> Any:
        """Takes in x, moves the hidden state one step, and returns y = W_hy h.

        Raises:
            ConfigError: x has not input_size rows, or not the columns of the steps before.
        """
        if isinstance(x, Tensor):
            return self._step(x)
        with torch.no_grad():
            y = self._step(torch.as_tensor(np.asarray(x, dtype=np.float64)))
        self.h = self.h.numpy()
        return y.numpy()

    forward = step

    def _step(self, x: Tensor) -> Tensor:
        x = x.to(self.W_xh)
        if x.ndim not in (1, 2) or x.shape[0] != self.W_xh.shape[1]:
            raise ConfigError(
                f"x must be ({self.W_xh.shape[1]},) or ({self.W_xh.shape[1]}, N) for this network; "
                f"it is {tuple(x.shape)}."
            )
        h = torch.as_tensor(self.h).to(self.W_hh)
        if x.ndim == 2 and h.ndim == 1:
            h = h.unsqueeze(1)  # the zero vector stands in front of every column
        elif h.shape[1:] != x.shape[1:]:
            raise ConfigError(
                f"x is {tuple(x.shape)}, but the hidden state is {tuple(h.shape)} from the steps before. "
                "Keep to one number of columns, or call reset() first."
            )
        h = SQUASH[self.nonlinearity](self.W_hh @ h + self.W_xh @ x)
        self.h = h
        return self.W_hy @ h


def rnn_sequence(
    x: Tensor,
    h: Tensor,
    W_xh: Tensor,
    W_hh: Tensor,
    W_hy: Tensor,
    b_h: Tensor,
    b_y: Tensor,
    stats_every: int | None = None,
) -> tuple[Tensor, Tensor]:
    """A vanilla RNN with biases over a whole sequence; its output passes tanh.

    h_t = tanh(W_xh x_t + W_hh h_{t-1} + b_h),  y_t = tanh(W_hy h_t + b_y)

    Args:
        x: the sequence, (T, B, I).
        h: the state before it, (B, H).
        W_xh: (H, I). W_hh: (H, H). W_hy: (O, H). b_h: (H,). b_y: (O,).
        stats_every: prints the mean and variance of h at every k-th step, the first included.

    Returns:
        The outputs stacked over time, (T, B, O), and the last state, (B, H).

    Raises:
        ConfigError: the sequence is empty, or the shapes do not fit together.
    """
    hidden, inputs, outputs = len(W_hh), x.shape[-1], len(W_hy)
    if x.ndim != 3 or len(x) == 0:
        raise ConfigError(f"x must be (T, B, I) and not empty; it is {tuple(x.shape)}.")
    wanted = {
        "h": (x.shape[1], hidden), "W_xh": (hidden, inputs), "W_hh": (hidden, hidden), "W_hy": (outputs, hidden),
        "b_h": (hidden,), "b_y": (outputs,),
    }  # fmt: skip
    for (name, shape), given in zip(wanted.items(), (h, W_xh, W_hh, W_hy, b_h, b_y), strict=True):
        if tuple(given.shape) != shape:
            raise ConfigError(f"{name} must be {shape} to fit the others; it is {tuple(given.shape)}.")
    y = []
    for t, x_t in enumerate(x):
        h = torch.tanh(x_t @ W_xh.T + h @ W_hh.T + b_h)
        y.append(torch.tanh(h @ W_hy.T + b_y))
        if stats_every and t % stats_every == 0:
            print(f"t {t}: h mean {h.mean():.4f}, variance {h.var():.4f}")
    return torch.stack(y), h

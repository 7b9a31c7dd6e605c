"""What truncation costs in the gradient: that of chunks of k steps beside that of the whole stretch. No torch.

Chunks of k steps carry the state over and cut the gradient: loss t reaches the steps of its own chunk only. All k are
followed back side by side, a row for each (`rnn.gradients.reach`), and the gradient of a shared matrix is the sum of
what its copies get,

    dL/dW_hh = sum_t (dL/da_t) h_{t-1}^T

W_hy and b_y are outside the loop through time: their gradient is the same for every k.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnn.errors import ConfigError, InputError
from rnn.gradients.reach import Array, Flow, LayerSteps, Stretch, flow_back

ALL = "all"  # every parameter of the network as one long vector
TITLES = {ALL: "all parameters", "E": "E", "W_xh": "W_xh", "W_hh": "W_hh", "b_h": "b_h", "W_hy": "W_hy", "b_y": "b_y"}


@dataclass(frozen=True)
class Truncation:
    """The truncated gradient beside the full one, for chunks of k = 1, 2, ..., T steps.

    Attributes:
        cosine: of the angle between the two, by "all" or a matrix over all layers ("E", "W_xh", "W_hh", "b_h", "W_hy",
            "b_y"; b_h are both biases of the cells), each (T,); 1 is the same direction. NaN where one of them is 0.
        ratio: norm of the truncated one divided by that of the full one; NaN where that is 0.
    """

    cosine: Mapping[str, NDArray[np.float64]]
    ratio: Mapping[str, NDArray[np.float64]]

    def __len__(self) -> int:
        return len(self.cosine[ALL])

    def at(self, k: int, matrix: str = ALL) -> tuple[float, float]:
        """Cosine and ratio for chunks of k steps.

        Raises:
            ConfigError: k is not one of them.
        """
        if not 1 <= k <= len(self):
            raise ConfigError(f"The chunk length k must be from 1 to {len(self)}, the steps of the stretch, not {k}.")
        return float(self.cosine[matrix][k - 1]), float(self.ratio[matrix][k - 1])


def truncation(stretch: Stretch) -> Truncation:
    """Cosine and norm ratio of the truncated gradient of all T losses together, for every chunk length.

    Raises:
        InputError: the gradient is not finite.
    """
    T = len(stretch)
    lengths = np.arange(1, T + 1)
    passes = np.arange(T)[:, None] % lengths[None, :] != 0  # (T, k): not out of the first step of a chunk
    top = stretch.d_logits @ stretch.W_hy
    arriving = np.ascontiguousarray(np.broadcast_to(top[:, None, :], (T, T, top.shape[1])))
    sums = _Sums(T)
    with np.errstate(over="ignore", invalid="ignore"):  # what comes of it is looked at below
        for layer, flow in flow_back(stretch, arriving, passes):
            _add_layer(sums, stretch, stretch.layers[layer], flow, layer)
        sums.add_constant("W_hy", stretch.d_logits.T @ stretch.layers[-1].h)
        if stretch.config.bias:
            sums.add_constant("b_y", stretch.d_logits.sum(0))
    return sums.compared()


def _add_layer(sums: _Sums, stretch: Stretch, one: LayerSteps, flow: Flow, layer: int) -> None:
    """The gradients of a layer's parameters, and of the embedding below the lowest one."""
    back_x = np.ascontiguousarray(flow.d_x_sums.transpose(1, 2, 0))  # (k, gates * H, T)
    back_h = back_x if flow.d_h_sums is flow.d_x_sums else np.ascontiguousarray(flow.d_h_sums.transpose(1, 2, 0))
    sums.add("W_xh", back_x, one.x)
    sums.add("W_hh", back_h, one.h_before)
    if stretch.config.bias:
        ones = np.ones((len(stretch), 1), one.h.dtype)
        sums.add("b_h", back_x, ones)
        sums.add("b_h", back_h, ones)
    if layer == 0 and stretch.embedding is not None:
        read = np.eye(len(stretch.embedding), dtype=one.h.dtype)[stretch.indices]
        sums.add("E", np.ascontiguousarray((flow.d_x_sums @ one.W_xh).transpose(1, 2, 0)), read)


class _Sums:
    """Products of the gradients for each chunk length with the full one and with themselves; no gradient is kept."""

    def __init__(self, T: int) -> None:
        self.T = T
        self.dot: dict[str, NDArray[np.float64]] = {}
        self.square: dict[str, NDArray[np.float64]] = {}

    def add(self, name: str, back: Array, forward: Array) -> None:
        """Gradients back[k] @ forward of one matrix: back (T, G, T), forward (T, I)."""
        full = (back[-1] @ forward).ravel()  # chunks of T steps cut nothing
        dot, square = np.empty(self.T), np.empty(self.T)
        for k, d in enumerate(back):
            gradient = (d @ forward).ravel()
            dot[k], square[k] = gradient @ full, gradient @ gradient
        self._put(name, dot, square)

    def add_constant(self, name: str, gradient: Array) -> None:
        """A gradient that is the same for each chunk length."""
        square = np.full(self.T, float(np.vdot(gradient, gradient)))
        self._put(name, square, square)

    def _put(self, name: str, dot: NDArray[np.float64], square: NDArray[np.float64]) -> None:
        if not (np.isfinite(dot).all() and np.isfinite(square).all()):
            raise InputError("The gradient of this network is not finite: it explodes. Choose another one.")
        for of in (name, ALL):
            self.dot[of] = self.dot.get(of, 0) + dot
            self.square[of] = self.square.get(of, 0) + square

    def compared(self) -> Truncation:
        cosine, ratio = dict[str, NDArray[np.float64]](), dict[str, NDArray[np.float64]]()
        with np.errstate(divide="ignore", invalid="ignore"):  # 0 / 0 is NaN, as said
            for name in (n for n in TITLES if n in self.dot):
                norms = np.sqrt(self.square[name])
                cosine[name] = np.clip(self.dot[name] / (norms * norms[-1]), -1, 1)
                ratio[name] = norms / norms[-1] if norms[-1] else np.full(self.T, np.nan)
        return Truncation(cosine, ratio)

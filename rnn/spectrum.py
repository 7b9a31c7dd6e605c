"""The eigenvalues of the recurrent matrix: what happens to a state that is multiplied by it again and again. No torch.

In the linear part of the network h_t = W_hh h_{t-1}, the share of h along an eigenvector is multiplied by its
eigenvalue at every step: it fades inside the unit circle, grows outside it, and turns by the eigenvalue's angle. A
gradient flowing back through time meets the same matrix transposed, which has the same eigenvalues (Pascanu et al.
2013, arXiv 1211.5063).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnn.config import ModelConfig
from rnn.cost import GATES
from rnn.errors import ConfigError

LARGEST = 512  # H; a larger matrix takes seconds


@dataclass(frozen=True)
class Spectrum:
    """The eigenvalues of one H x H block of a recurrent matrix.

    Attributes:
        name: "W_hh", or with its gate "W_hi".
        eigenvalues: H complex numbers.
    """

    name: str
    eigenvalues: NDArray[np.complex128]

    @property
    def radius(self) -> float:
        """The largest absolute value."""
        return float(np.abs(self.eigenvalues).max())


def blocks(symbol: str, cell: str, matrix: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """The gates' blocks of rows of W_xh ("W_xi", ...) or W_hh ("W_hi", ...); any other matrix as it is."""
    gates = GATES[cell]
    if not gates or symbol not in ("W_xh", "W_hh"):
        return {symbol: matrix}
    parts = np.split(matrix, len(gates))
    return {f"{symbol[:-1]}{gate}": part for gate, part in zip(gates, parts, strict=True)}


def spectra(
    config: ModelConfig, weights: Mapping[str, NDArray[Any]], layer: int = 0, backward: bool = False
) -> list[Spectrum]:
    """The eigenvalues of the W_hh of a layer, of each gate's block on its own.

    Args:
        weights: every parameter by its name in the state dict.
        layer: from 0.
        backward: of the direction that reads from the end.

    Raises:
        ConfigError: there is no such layer, or its matrix is too large or not finite.
    """
    name = f"recurrent.weight_hh_l{layer}{'_reverse' if backward else ''}"
    if name not in weights:
        raise ConfigError(f"This network has no layer {layer + 1}{' that reads backward' if backward else ''}.")
    matrix = np.asarray(weights[name], np.float64)
    if matrix.shape[1] > LARGEST:
        raise ConfigError(f"Eigenvalues are computed for a hidden size of at most {LARGEST}, not {matrix.shape[1]:,}.")
    if not np.isfinite(matrix).all():
        raise ConfigError("These weights are no finite numbers, so they have no eigenvalues: the training exploded.")
    return [
        Spectrum(block, np.linalg.eigvals(part).astype(np.complex128))
        for block, part in blocks("W_hh", config.cell, matrix).items()
    ]

"""A random network whose knob is the spectral radius of W_hh, and how its gradient shrinks or grows. No torch.

    h_t = phi(W_hh h_{t-1} + x_t)        dL/dh_{t-1} = W_hh^T (phi'(a_t) * dL/dh_t)

Every step back multiplies by W_hh^T, so over many steps the largest |eigenvalue|, the spectral radius rho, decides:
the gradient goes like rho^lag where phi is the identity. It can never grow faster than sigma^lag, sigma being the
largest singular value, as |phi'| is at most 1 (Pascanu, Mikolov and Bengio 2013, arXiv 1211.5063). tanh takes away
more, by its slope 1 - h^2. All in float64; torch's autograd is the judge (tests/unit/test_sandbox.py).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnn.errors import ConfigError
from rnn.spectrum import Spectrum

Array = NDArray[np.float64]

RADII = (0.5, 1.5)
SIZES = (1, 256)  # H
STEPS = (1, 200)  # T
NONLINEARITIES = ("tanh", "identity")
MATRICES = ("random", "orthogonal")
LOSSES = 8  # each with a random direction of its own
INPUT = 0.2  # standard deviation of each number that a unit reads: larger ones leave tanh no slope at any radius
KEEPS = 1e-4  # a change of the gradient by less than this share at each step is none


@dataclass(frozen=True)
class Sandbox:
    """The network of the sandbox.

    Attributes:
        radius: the spectral radius of W_hh.
        hidden_size: H.
        steps: T.
        nonlinearity: "tanh" or "identity".
        matrix: "random" (normal numbers) or "orthogonal" (all singular values equal), before it is scaled.
        seed: of the matrix, the inputs and the losses.

    Raises:
        ConfigError: a value is out of its bounds.
    """

    radius: float = 0.9
    hidden_size: int = 64
    steps: int = 100
    nonlinearity: str = "tanh"
    matrix: str = "random"
    seed: int = 0

    def __post_init__(self) -> None:
        for name, value, (low, high) in (
            ("spectral radius", self.radius, RADII),
            ("hidden size H", self.hidden_size, SIZES),
            ("number of steps T", self.steps, STEPS),
        ):
            if not low <= value <= high:  # nor is NaN
                raise ConfigError(f"The {name} must be from {low:g} to {high:g}, not {value:g}.")
        for name, chosen, choices in (
            ("non-linearity", self.nonlinearity, NONLINEARITIES),
            ("matrix", self.matrix, MATRICES),
        ):
            if chosen not in choices:
                raise ConfigError(f"The {name} must be {' or '.join(choices)}, not {chosen!r}.")
        if self.seed < 0:
            raise ConfigError(f"The seed must be 0 or more, not {self.seed}.")


@dataclass(frozen=True)
class Decay:
    """How the gradient changes on its way back.

    Attributes:
        norms: ||dL_T/dh_{T-lag}|| of each loss, for lag 0 to T, (T + 1, losses); 1 at lag 0.
        spectrum: the eigenvalues of W_hh.
        sigma: its largest singular value.
        slope: the mean of phi' over all steps and units; 1 for the identity.
    """

    norms: Array
    spectrum: Spectrum
    sigma: float
    slope: float

    @property
    def middle(self) -> Array:
        """The geometric mean over the losses, (T + 1,); 0 where a gradient is 0."""
        with np.errstate(divide="ignore"):
            mean: Array = np.exp(np.log(self.norms).mean(axis=1))
        return mean

    @property
    def factor(self) -> float:
        """What one step back multiplies the gradient by, fitted to all lags; 0 where it is 0 after one step."""
        middle = self.middle
        lags = np.flatnonzero(middle > 0)
        if len(lags) < 2:
            return 0.0
        return float(np.exp(np.polyfit(lags, np.log(middle[lags]), 1)[0]))

    @property
    def sentence(self) -> str:
        """`halves every 6.6 steps`, `doubles every 14 steps`."""
        factor = self.factor
        if abs(factor - 1) < KEEPS:
            return "keeps its size"
        if factor <= 0.5 - KEEPS or factor >= 2:
            return f"is multiplied by {factor:.2g} at every step"
        steps = math.log(2) / abs(math.log(factor))
        number = f"{steps:.1f}" if steps < 10 else f"{steps:,.0f}"
        each = "step" if number == "1.0" else f"{number} steps"
        return f"{'halves' if factor < 1 else 'doubles'} every {each}"


def recurrent_matrix(network: Sandbox) -> Array:
    """W_hh, (H, H), with exactly the spectral radius that is asked for."""
    return _scaled(network)[0]


def _scaled(network: Sandbox) -> tuple[Array, Spectrum]:
    """W_hh and its eigenvalues, which take the longest: they are computed once."""
    H = network.hidden_size
    drawn: Array = np.random.default_rng([network.seed, 0]).standard_normal((H, H))
    if network.matrix == "orthogonal":
        drawn = np.linalg.qr(drawn)[0]
    eigenvalues = np.linalg.eigvals(drawn).astype(np.complex128)
    scale = network.radius / np.abs(eigenvalues).max()
    return drawn * scale, Spectrum("W_hh", eigenvalues * scale)


def inputs_and_losses(network: Sandbox) -> tuple[Array, Array]:
    """x, (T, H), and the directions w of the losses L_T = w . h_T, each of length 1, (losses, H)."""
    random = np.random.default_rng([network.seed, 1])
    directions = random.standard_normal((LOSSES, network.hidden_size))
    x: Array = INPUT * random.standard_normal((network.steps, network.hidden_size))
    return x, directions / np.linalg.norm(directions, axis=1, keepdims=True)


def decay(network: Sandbox) -> Decay:
    """Runs the network forward from zeros over T steps, and the gradient of every loss back."""
    W_hh, spectrum = _scaled(network)
    x, gradients = inputs_and_losses(network)
    slopes = _slopes(network, W_hh, x)
    norms = np.empty((network.steps + 1, LOSSES))
    norms[0] = np.linalg.norm(gradients, axis=1)
    for lag, slope in enumerate(slopes[::-1], start=1):
        gradients = (gradients * slope) @ W_hh  # in rows, so W_hh^T from the left is W_hh from the right
        norms[lag] = np.linalg.norm(gradients, axis=1)
    return Decay(norms, spectrum, float(np.linalg.norm(W_hh, 2)), float(slopes.mean()))


def _slopes(network: Sandbox, W_hh: Array, x: Array) -> Array:
    """phi'(a_t) of every step, (T, H)."""
    if network.nonlinearity == "identity":
        return np.ones_like(x)
    slopes, h = np.empty_like(x), np.zeros(network.hidden_size)
    for t, read in enumerate(x):
        h = np.tanh(W_hh @ h + read)
        slopes[t] = 1 - h**2
    return slopes

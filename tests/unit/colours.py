"""How a colour looks to people who see fewer, and how far two are apart.

After Machado, Oliveira and Fernandes, "A physiologically-based model for simulation of color vision deficiency", IEEE
Transactions on Visualization and Computer Graphics 15 (2009), the matrices of severity 1.0, on linear RGB. A distance
is CIE 1976 Delta E*ab under D65, in which about 2.3 can just be seen.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from rnn.figures import theme

Colour = NDArray[np.float64]  # linear red, green and blue, 0 to 1

VISIONS = {
    "usual": np.eye(3),
    "protanopia": np.array([
        [0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998],
    ]),
    "deuteranopia": np.array([
        [0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881],
    ]),
    "tritanopia": np.array([
        [1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900],
    ]),
}  # fmt: skip
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
APART = 15.0  # of two that have to be told apart by colour alone, lines and small marks too: over six times 2.3
WHITE = TO_XYZ.sum(axis=1)


def linear(colour: str, background: str) -> Colour:
    """Of "#RRGGBB" or "rgba(...)", the latter as it is laid over the background."""
    if colour.startswith("#"):
        mixed = np.array(theme.channels(colour), float)
    else:
        *channels, opacity = (float(part) for part in re.findall(r"[\d.]+", colour))
        mixed = opacity * np.array(channels) + (1 - opacity) * np.array(theme.channels(background))
    share = mixed / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def lab(colour: Colour) -> NDArray[np.float64]:
    """CIE 1976 L*a*b*."""
    t = TO_XYZ @ colour / WHITE
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def distance(one: str, other: str, vision: str, background: str = "#FFFFFF") -> float:
    """Delta E*ab of two colours as they are seen."""
    seen = [lab(np.clip(VISIONS[vision] @ linear(colour, background), 0, 1)) for colour in (one, other)]
    return float(np.linalg.norm(seen[0] - seen[1]))

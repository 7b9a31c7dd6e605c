"""One unit of a model held at a value at every step: what the model can still do without it.

Only h is held. What an LSTM keeps in the unit's cell state c reaches the others, and the next step, through h alone or
within the unit itself; so a unit whose h is held has nothing more to say.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnn.config import ModelConfig
from rnn.errors import ConfigError
from rnn.sampling import Layer, NumpyModel
from rnn.stepwise import Stepwise

Array = NDArray[np.float32]
TURN = 4e9  # multiplications between which others have a turn: a tenth of a second


class PinnedModel(NumpyModel):
    """The model's forward step with units of one layer held at a value, beginning with h_0.

    Args:
        config, weights: as `NumpyModel` takes them.
        layer: from 0, the lowest.
        unit: from 0; or, of sequences side by side, one for each: sequence n has unit[n] held.
        value: what h of the unit is at every step; 0 silences it.

    Raises:
        ConfigError: there is no such layer or unit, the value is not finite, or as `NumpyModel` has it.
    """

    def __init__(
        self, config: ModelConfig, weights: Mapping[str, NDArray[Any]], layer: int, unit: int | NDArray[np.int64],
        value: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__(config, weights)
        units = np.asarray(unit)
        if not 0 <= layer < config.num_layers:
            raise ConfigError(f"The model has {config.num_layers} layers, so there is no layer {layer + 1}.")
        if ((units < 0) | (units >= config.hidden_size)).any():
            raise ConfigError(f"A layer of this model has {config.hidden_size} units. Choose one of them.")
        if not math.isfinite(value):
            raise ConfigError("A unit is held at a finite number.")
        self._layer = layer
        self._hold = partial(_hold, slice(None) if units.ndim == 0 else np.arange(len(units)), units, value)
        cell = self._cells[layer]
        self._cells[layer] = cell._replace(advance=partial(_advance, cell.advance, self._hold))

    def initial_state(self, count: int = 1) -> list[Layer]:
        """Zeros but for the unit that is held."""
        state = super().initial_state(count)
        h, *rest = state[self._layer]
        state[self._layer] = (self._hold(h.copy()), *rest)
        return state


def _hold(rows: Any, units: NDArray[np.int64], value: float, h: Array) -> Array:
    h[rows, units] = value
    return h


def _advance(advance: Callable[[Array, Layer], Layer], hold: Callable[[Array], Array], a: Array, state: Layer) -> Layer:
    h, *rest = advance(a, state)  # of its own making, so it may be written into
    return hold(h), *rest


def losses(model: NumpyModel, indices: NDArray[Any]) -> NDArray[np.float64]:
    """-ln of the probability of each character of a text but the first, from a state of zeros, nats, (T - 1,).

    Args:
        model: plain or with a unit held.
        indices: the text, (T,).
    """
    state = model.initial_state()
    logits = np.empty((max(len(indices) - 1, 0), model.vocabulary_size), np.float32)
    for t, index in enumerate(indices[:-1]):
        row, state = model.step([index], state)
        logits[t] = row[0]
    return _cross_entropies(logits, indices[1:])


def mean_losses(
    config: ModelConfig, weights: Mapping[str, NDArray[Any]], indices: NDArray[Any], layer: int, value: float = 0.0
) -> Stepwise[NDArray[np.float64]]:
    """The loss of a text with each unit of a layer held in its turn, nats per character, (H,).

    All H models read the text side by side, so that one product of matrices serves them all.

    Args:
        indices: the text, (T,), of at least two characters.
        layer, value: as `PinnedModel` takes them.

    Raises:
        ConfigError: as `PinnedModel`; or the text is too short.
    """
    if len(indices) < 2:
        raise ConfigError("A loss needs at least two characters, one to read and one to foretell.")
    H = config.hidden_size
    model = PinnedModel(config, weights, layer, np.arange(H), value)
    state, total = model.initial_state(H), np.zeros(H)
    at_once = max(1, round(TURN / work(config)))
    for t, (index, following) in enumerate(pairwise(indices)):
        logits, state = model.step(np.full(H, index), state)
        total += _cross_entropies(logits, np.full(H, following))
        if (t + 1) % at_once == 0:
            yield
    return total / (len(indices) - 1)


def work(config: ModelConfig) -> int:
    """How many multiplications `mean_losses` needs for each character of the text, the head aside."""
    return config.gates * config.hidden_size**3 * (2 * config.num_layers - 1)


def _cross_entropies(logits: Array, targets: NDArray[Any]) -> NDArray[np.float64]:
    scores = logits.astype(np.float64)
    scores -= scores.max(axis=1, keepdims=True, initial=-np.inf)
    found: NDArray[np.float64] = np.log(np.exp(scores).sum(axis=1)) - scores[np.arange(len(scores)), targets]
    return found

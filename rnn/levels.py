"""The states of one layer over a long text, small enough to be kept: every value as one of 16 levels, four bits.

The levels are eighths of a power of two, so whether a state reaches one of the thresholds is told exactly. No torch.

A recurrent network reads one character after the other, which would make a long text slow. So the text is cut into
parts that are read side by side. Each part but the first starts from a state of zeros some characters early: by its
beginning the state is nearly that of having read everything.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from rnn.config import ModelConfig
from rnn.errors import ConfigError, InputError
from rnn.sampling import NumpyModel
from rnn.stepwise import Stepwise

SIDE = 8  # levels from 0 up, and as many below
WARM_UP = 400  # characters that a part reads before its own beginning; see docs/decisions.md
MOST_PARTS = 256
LEAST_PART = 5 * WARM_UP  # characters: the warm-up stays a sixth of the work
MOST_WORK = 2**29  # multiplications of one step of all parts
STEPS = 16  # written together
USUAL = 80  # percent of the states that lie within the scale: those beyond have its outermost levels
MOST_BYTES = 64 * 2**20  # of all texts that a server keeps in this form


@dataclass(frozen=True)
class Levels:
    """The states of one layer over a text of N characters.

    Attributes:
        planes: two units a byte, the even one in the low half, ((H + 1) // 2, N).
        hidden_size: H.
        full: what the eighth level above 0 would begin at, a power of two.
    """

    planes: NDArray[np.uint8]
    hidden_size: int
    full: float

    @classmethod
    def of(cls, states: NDArray[np.float32], full: float = 1.0) -> Self:
        """The levels of states (N, H) that are all here."""
        return cls(np.ascontiguousarray(_packed(_level(states, full)).T), states.shape[1], full)

    def __len__(self) -> int:
        return int(self.planes.shape[1])

    @property
    def thresholds(self) -> tuple[float, ...]:
        """What a state can be compared with."""
        return thresholds(self.full)

    def on(self, unit: int, threshold: float, both_signs: bool = False) -> NDArray[np.bool_]:
        """Where a unit is on, (N,): its value is at least the threshold or, with `both_signs`, below minus it.

        Raises:
            ConfigError: the threshold is none of `thresholds`.
        """
        if threshold not in self.thresholds:
            raise ConfigError(f"The threshold must be one of {', '.join(map(str, self.thresholds))}, not {threshold}.")
        plane, steps = self.planes[unit // 2], round(threshold * SIDE / self.full)
        level = plane >> 4 if unit % 2 else plane & 15
        is_on: NDArray[np.bool_] = level >= SIDE + steps
        if both_signs:
            is_on |= level < SIDE - steps
        return is_on


def thresholds(full: float) -> tuple[float, ...]:
    """Where the levels above 0 begin, 0 aside."""
    return tuple(full * step / SIDE for step in range(1, SIDE))


def full_of(states: NDArray[np.float32]) -> float:
    """The least power of two that few states are beyond; 1 at least, which is all that tanh and sigmoid give."""
    usual = float(np.percentile(np.abs(states), USUAL)) if states.size else 0.0
    return float(2 ** np.ceil(np.log2(max(1.0, usual))))


def most_characters(hidden_size: int) -> int:
    """How long a text can be that is kept in this form."""
    return MOST_BYTES // ((hidden_size + 1) // 2) - MOST_PARTS  # the parts are all equally long


def _level(states: NDArray[np.float32], full: float) -> NDArray[np.uint8]:
    """0 to 15. The product with a power of two and its floor are exact, so that a threshold is, too."""
    level = np.floor(states * np.float32(SIDE / full))
    np.clip(level, -SIDE, SIDE - 1, out=level)
    level += SIDE
    whole: NDArray[np.uint8] = level.astype(np.uint8)
    return whole


def _packed(level: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(..., H) -> (..., (H + 1) // 2)."""
    packed = level[..., 0::2].copy()
    packed[..., : level.shape[-1] // 2] |= level[..., 1::2] << 4
    return packed


class Scan:
    """One pass over a long text. It can be left and gone on with; all turns are to be taken on one thread.

    Args:
        config: of one direction, or of two if the layer is the lowest.
        weights: every parameter by its name in the state dict.
        indices: the characters, (N,), at least one.
        layer: from 0, the lowest.
        reverse: whether it is the direction that reads from the end.
        vector: "h", or "c" of an LSTM.
        full: see `Levels`.

    Raises:
        InputError: the layer would have to know what comes later in the text as well.
    """

    def __init__(
        self, config: ModelConfig, weights: Mapping[str, NDArray[Any]], indices: NDArray[Any], layer: int = 0,
        reverse: bool = False, vector: str = "h", full: float = 1.0,
    ) -> None:  # fmt: skip
        self._model = _up_to(config, weights, layer, reverse)
        N, H = len(indices), config.hidden_size
        work = (layer + 1) * config.gates * H * H
        parts = max(1, min(MOST_PARTS, N // LEAST_PART, MOST_WORK // work))
        self._indices, self._layer, self._reverse, self._part = indices, layer, reverse, 1 if vector == "c" else 0
        self._length = -(-N // parts)
        self._begins = np.arange(parts) * self._length
        self._step = -WARM_UP if parts > 1 else 0
        self._state = self._model.initial_state(parts)
        self._planes = np.empty(((H + 1) // 2, parts, self._length), np.uint8)
        self.levels = Levels(self._planes.reshape(len(self._planes), -1)[:, :N], H, full)
        if reverse:
            self.levels = replace(self.levels, planes=self.levels.planes[:, ::-1])

    @property
    def nbytes(self) -> int:
        """The memory that the levels take."""
        return self._planes.nbytes

    @property
    def share(self) -> float:
        """How much of the text has been read, 0 to 1."""
        return max(0, self._step) / self._length

    def turns(self) -> Stepwise[Levels]:
        """Reads what is left, a few steps of all parts in each turn.

        Raises:
            InputError: the weights give numbers that are not finite.
        """
        while self._step < self._length:
            self._read(min(STEPS, self._length - self._step))
            yield
        return self.levels

    def _read(self, steps: int) -> None:
        found = []
        with np.errstate(over="ignore", invalid="ignore"):  # of weights that diverged; what comes of it is looked at
            for _ in range(steps):
                if self._step == 0:  # the first part has nothing before it
                    self._state = [tuple(_first_zeroed(s) for s in one) for one in self._state]
                places = np.clip(self._begins + self._step, 0, len(self._indices) - 1)
                self._state = self._model.advance(self._indices[-1 - places if self._reverse else places], self._state)
                if self._step >= 0:
                    found.append(_packed(_level(self._state[self._layer][self._part], self.levels.full)))
                self._step += 1
        if not np.isfinite(self._state[self._layer][self._part]).all():
            raise InputError(
                "The network's numbers are no longer finite, so there is nothing to compare. "
                "Go back to weights from before the training diverged."
            )
        if found:
            self._planes[:, :, self._step - len(found) : self._step] = np.stack(found, axis=-1).transpose(1, 0, 2)


def _first_zeroed(states: NDArray[np.float32]) -> NDArray[np.float32]:
    states = states.copy()
    states[0] = 0
    return states


def _up_to(config: ModelConfig, weights: Mapping[str, NDArray[Any]], layer: int, reverse: bool) -> NumpyModel:
    """The layers that this one needs, as a model that reads in one direction; nobody asks what it would predict."""
    if config.bidirectional and layer > 0:
        raise InputError(
            "Above the lowest layer, a network of two directions knows what comes later in the text, so a long text "
            "cannot be read in one pass. Choose its lowest layer."
        )
    one_way = replace(config, num_layers=layer + 1, bidirectional=False)
    suffix = "_reverse" if reverse else ""
    V = len(weights["head.weight"])
    needed = {
        name: np.zeros(shape, np.float32) if name.startswith("head") else
        weights[name if name.startswith("embedding") else name + suffix]
        for name, shape in one_way.parameter_shapes(V).items()
    }  # fmt: skip
    return NumpyModel(one_way, needed)


class ScanCache:
    """The scans that were asked for last, as many as fit.

    Attributes:
        lock: held while a scan is made, read or searched: of two large ones at once both would be in memory.

    Args:
        most_bytes: of all that are kept together.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self.most_bytes = most_bytes
        self.lock = threading.Lock()
        self._kept: OrderedDict[Hashable, Scan] = OrderedDict()

    def get(self, key: Hashable, nbytes: int, make: Callable[[], Scan]) -> Scan:
        """The scan of this key, perhaps one that somebody left in the middle; only for those who hold the lock.

        Args:
            nbytes: about what it will take; others make room before it is made.
        """
        if key not in self._kept:
            while self._kept and self.nbytes + nbytes > self.most_bytes:
                self._kept.popitem(last=False)
            self._kept[key] = make()
        self._kept.move_to_end(key)
        return self._kept[key]

    @property
    def nbytes(self) -> int:
        """The memory that all of them take."""
        return sum(one.nbytes for one in self._kept.values())

"""The step function of the lecture, run on a list of inputs, together with the code that does the same.

A session with a network is a `StepNetwork` and the inputs so far. It is run from the beginning each time, so nothing
is kept that could differ from what the code shows. torch is imported where something runs: a page opens without it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rnn.errors import ConfigError, InputError

if TYPE_CHECKING:
    from rnn.cells import RNN

LETTERS = "helowrd "  # the characters that one-hot vectors of 2 to 8 numbers stand for
SIZES = (2, 8)  # the smallest and the largest size of a vector
MOST_STEPS = 100
LARGEST = 1e6  # of a number that is typed
WORKED_SIZE = 3

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class StepNetwork:
    """One network of the step API, or two composed: y = rnn2.step(rnn1.step(x)).

    Attributes:
        input_size, hidden_size, output_size: of x, h and y.
        seed: of the matrices; a second network has the next one.
        is_composed: whether a second network reads the first one's y.
        is_worked: the worked example: three 3 x 3 matrices of standard normal numbers, W_hh, W_xh and W_hy in that
            order, from numpy's legacy generator with seed 0. The sizes are 3 then, and the seed is not used for them.

    Raises:
        ConfigError: a size or the seed is out of bounds.
    """

    input_size: int = 4
    hidden_size: int = 3
    output_size: int = 4
    seed: int = 0
    is_composed: bool = False
    is_worked: bool = False

    def __post_init__(self) -> None:
        low, high = SIZES
        for name in ("input_size", "hidden_size", "output_size"):
            size = getattr(self, name)
            if not isinstance(size, int) or not low <= size <= high:
                raise ConfigError(f"{name} must be a whole number from {low} to {high} here, not {size!r}.")
            if self.is_worked and size != WORKED_SIZE:
                raise ConfigError(f"{name} is {WORKED_SIZE} in the worked example, not {size}.")
        if not 0 <= self.seed < 2**31:
            raise ConfigError(f"seed must be a whole number from 0 to {2**31 - 1:,}, not {self.seed}.")

    @property
    def names(self) -> tuple[str, ...]:
        """What the code calls the networks."""
        return ("rnn1", "rnn2") if self.is_composed else ("net",)

    def built(self) -> list[RNN]:
        """The networks, with h = 0."""
        from rnn.cells import RNN

        first = RNN.from_matrices(*worked_matrices()) if self.is_worked else RNN(*self._sizes, seed=self.seed)
        if not self.is_composed:
            return [first]
        return [first, RNN(*self._second_sizes, seed=self.seed + 1)]

    @property
    def _sizes(self) -> tuple[int, int, int]:
        return self.input_size, self.hidden_size, self.output_size

    @property
    def _second_sizes(self) -> tuple[int, int, int]:
        return self.output_size, self.hidden_size, self.output_size


@dataclass(frozen=True)
class Stepped:
    """What one network did in one step.

    Attributes:
        x: what it read. before: h before the step. after: h after it. y: what it returned.
    """

    x: Vector
    before: Vector
    after: Vector
    y: Vector


@dataclass(frozen=True)
class BatchExample:
    """A batch of random sequences for `rnn_sequence`, with random weights.

    Attributes:
        steps: T. batch_size: B. input_size: I. hidden_size: H. output_size: O.
        every: mean and variance of h at every k-th step, the first included.
        seed: of the sequences and of the weights.

    Raises:
        ConfigError: a size is out of bounds.
    """

    steps: int = 50
    batch_size: int = 8
    input_size: int = 4
    hidden_size: int = 16
    output_size: int = 4
    every: int = 10
    seed: int = 0

    def __post_init__(self) -> None:
        bounds = {"steps": 500, "batch_size": 64, "input_size": 64, "hidden_size": 64, "output_size": 64, "every": 500}
        for name, most in bounds.items():
            least = 2 if name == "hidden_size" else 1  # one number has no variance
            if not least <= getattr(self, name) <= most:
                raise ConfigError(f"{name} must be a whole number from {least} to {most}, not {getattr(self, name)}.")


@dataclass(frozen=True)
class HiddenStatistics:
    """Mean and variance of h over the batch and its units.

    Attributes:
        at: the steps, from 0. means, variances: one per such step.
        output_shape: (T, B, O). last_shape: (B, H).
    """

    at: list[int]
    means: list[float]
    variances: list[float]
    output_shape: tuple[int, ...]
    last_shape: tuple[int, ...]

    @property
    def lines(self) -> str:
        """As `rnn_sequence` prints them."""
        rows = zip(self.at, self.means, self.variances, strict=True)
        return "\n".join(f"t {t}: h mean {mean:.4f}, variance {variance:.4f}" for t, mean, variance in rows)


# One step at a time -----------------------------------------------------------------------------------------------


def worked_matrices() -> tuple[Vector, Vector, Vector]:
    """W_hh, W_xh and W_hy of the worked example."""
    numbers = np.random.RandomState(0)
    W_hh, W_xh, W_hy = (numbers.randn(WORKED_SIZE, WORKED_SIZE) for _ in range(3))
    return W_hh, W_xh, W_hy


def parse_vector(text: str, size: int) -> tuple[float, ...]:
    """The numbers of a vector as a person types them, between commas or spaces.

    Raises:
        InputError: they are not `size` finite numbers, or one is very large.
    """
    words = text.replace(",", " ").replace("−", "-").split()
    if len(words) != size:
        raise InputError(f"x needs {size} numbers with commas between them, and here are {len(words)}.")
    return tuple(_number(word) for word in words)


def _number(word: str) -> float:
    shown = word if len(word) <= 20 else word[:20] + "…"
    try:
        value = float(word)
    except ValueError:
        raise InputError(f"“{shown}” is no number. Write numbers such as 1, -0.5 or 2e-3.") from None
    if not math.isfinite(value):
        raise InputError(f"“{shown}” is no finite number: every sum it enters would be lost. Write another number.")
    if abs(value) > LARGEST:
        raise InputError(f"“{shown}” is beyond {LARGEST:,.0f} either way. Write a smaller number.")
    return value + 0.0  # -0.0 is 0.0


def one_hot(index: int, size: int) -> tuple[float, ...]:
    """1 at this place and 0 elsewhere.

    Raises:
        InputError: there is no such place.
    """
    if not 0 <= index < size:
        raise InputError(f"A one-hot vector of {size} numbers has no place {index + 1}.")
    return tuple(float(place == index) for place in range(size))


def run_steps(network: StepNetwork, inputs: Sequence[Sequence[float]]) -> list[tuple[Stepped, ...]]:
    """Steps through these inputs from h = 0; per step one `Stepped` for each network.

    Raises:
        InputError: there are too many inputs, or one has the wrong length.
    """
    if len(inputs) > MOST_STEPS:
        raise InputError(f"{MOST_STEPS} steps are enough to see it. Reset, and start over.")
    networks, done = network.built(), []
    for x in inputs:
        if len(x) != network.input_size:
            raise InputError(f"x needs {network.input_size} numbers, and here are {len(x)}.")
        y = np.array(x, np.float64)
        step = []
        for net in networks:
            x_here, before = y, net.h
            y = net.step(x_here)
            step.append(Stepped(x_here, before, net.h, y))
        done.append(tuple(step))
    return done


def step_code(network: StepNetwork, inputs: Sequence[Sequence[float]]) -> str:
    """The Python program that takes these steps and prints y after each."""
    lines = ["import numpy as np", "import rnn", ""] if network.is_worked else ["import rnn", ""]
    if network.is_worked:
        lines += ["numbers = np.random.RandomState(0)", "W_hh, W_xh, W_hy = (numbers.randn(3, 3) for _ in range(3))"]
    first, *second = network.names
    made = "from_matrices(W_hh, W_xh, W_hy)" if network.is_worked else None
    lines.append(f"{first} = rnn.RNN.{made}" if made else f"{first} = {_made(network._sizes, network.seed)}")
    lines += [f"{name} = {_made(network._second_sizes, network.seed + 1)}" for name in second]
    if not inputs:
        return "\n".join(lines)
    lines += [
        "",
        "inputs = [",
        *(f"    [{', '.join(f'{v:.15g}' for v in x)}]," for x in inputs),
        "]",
        "for x in inputs:",
    ]
    taken = ["    y1 = rnn1.step(x)", "    y = rnn2.step(y1)"] if second else [f"    y = {first}.step(x)"]
    return "\n".join([*lines, *taken, "    print(y)"])


def _made(sizes: tuple[int, int, int], seed: int) -> str:
    names = ("input_size", "hidden_size", "output_size")
    given = ", ".join(f"{name}={size}" for name, size in zip(names, sizes, strict=True))
    return f"rnn.RNN({given}, seed={seed})"


# A whole sequence -------------------------------------------------------------------------------------------------


def run_batch(example: BatchExample) -> HiddenStatistics:
    """What `sequence_code` computes, with the numbers that it prints.

    The sequence is run in pieces that end where the numbers are wanted: each begins with the state that the piece
    before ended with, so the states are those of one run.
    """
    import torch

    from rnn.cells import rnn_sequence

    generator = torch.Generator().manual_seed(example.seed)
    I, H, O = example.input_size, example.hidden_size, example.output_size  # noqa: E741
    x = torch.randn(example.steps, example.batch_size, I, generator=generator)
    W_xh = torch.randn(H, I, generator=generator) / I**0.5
    W_hh = torch.randn(H, H, generator=generator) / H**0.5
    W_hy = torch.randn(O, H, generator=generator) / H**0.5
    h, b_h, b_y = torch.zeros(example.batch_size, H), torch.zeros(H), torch.zeros(O)
    at, outputs, means, variances = list(range(0, example.steps, example.every)), [], [], []
    starts = [0, *(t + 1 for t in at)]
    for start, end in zip(starts, [*starts[1:], example.steps], strict=True):
        if start == end:
            continue  # the last number is that of the last step
        y, h = rnn_sequence(x[start:end], h, W_xh, W_hh, W_hy, b_h, b_y)
        outputs.append(y)
        if end - 1 in at:
            means.append(float(h.mean()))
            variances.append(float(h.var()))
    return HiddenStatistics(at, means, variances, tuple(torch.cat(outputs).shape), tuple(h.shape))


def sequence_code(example: BatchExample) -> str:
    """The Python program that runs `rnn_sequence` over the batch and prints the statistics."""
    return f"""import rnn
import torch

T, B = {example.steps}, {example.batch_size}
I, H, O = {example.input_size}, {example.hidden_size}, {example.output_size}
generator = torch.Generator().manual_seed({example.seed})
x = torch.randn(T, B, I, generator=generator)
W_xh = torch.randn(H, I, generator=generator) / I**0.5
W_hh = torch.randn(H, H, generator=generator) / H**0.5
W_hy = torch.randn(O, H, generator=generator) / H**0.5
h, b_h, b_y = torch.zeros(B, H), torch.zeros(H), torch.zeros(O)
y, h = rnn.rnn_sequence(x, h, W_xh, W_hh, W_hy, b_h, b_y, stats_every={example.every})"""

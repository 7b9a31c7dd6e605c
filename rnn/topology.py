"""Which blocks a network has when it is drawn, and what joins them: folded, or unrolled in time and depth.

The five sequence shapes are those of Karpathy, "The Unreasonable Effectiveness of Recurrent Neural Networks" (2015).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from rnn.config import ModelConfig
from rnn.errors import ConfigError


class SequenceShape(Enum):
    """How many inputs a model reads for how many answers."""

    ONE_TO_ONE = "one to one"
    ONE_TO_MANY = "one to many"
    MANY_TO_ONE = "many to one"
    MANY_TO_MANY = "many to many, in step"
    DELAYED = "many to many, delayed"


WRITERS = (SequenceShape.ONE_TO_MANY, SequenceShape.DELAYED)  # read what they have written themselves
CANNOT_WRITE = (
    "A bidirectional network cannot write from left to right: its second direction starts at the end of the text, "
    "which is not there before it is written."
)

Reads = Literal["given", "written", "nothing"]
Part = Literal["", "encoder", "decoder"]
BlockKind = Literal["input", "embedding", "hidden", "joined", "output"]
ArrowKind = Literal["lookup", "input", "recurrent", "cell", "join", "output", "feedback"]


@dataclass(frozen=True, slots=True)
class Step:
    """One time step.

    Attributes:
        reads: a character that is given, the one that the step before wrote, or nothing (the zero vector).
        answers: whether its output counts.
        part: of an encoder and a decoder, which one it belongs to.
        is_summary: whether its state is all that is left of the sequence read.
    """

    reads: Reads
    answers: bool
    part: Part = ""
    is_summary: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """A vector of the network.

    Attributes:
        kind: "joined" is both directions' states of one layer side by side.
        column: from 0: the time step or, folded, the part of the network.
        layer: from 0, of "hidden" and "joined".
        reverse: whether it belongs to the second direction.
        size: how many numbers it has.
    """

    kind: BlockKind
    column: int
    layer: int
    reverse: bool
    size: int

    @property
    def key(self) -> str:
        """A name that no other block has, such as "h3 layer 1 backward"."""
        letter = {"input": "x", "embedding": "e", "hidden": "h", "joined": "h", "output": "y"}[self.kind]
        layer = f" layer {self.layer + 1}" if letter == "h" else ""
        side = " both" if self.kind == "joined" else " backward" if self.reverse else ""
        return f"{letter}{self.column + 1}{layer}{side}"


@dataclass(frozen=True, slots=True)
class Arrow:
    """What goes from one block to another.

    Attributes:
        kind: "cell" is the second thing that an LSTM carries, "join" a copy, "feedback" an output that is read again.
        tail, head: the blocks; no tail is the state of zeros before the first step. The same twice is a loop.
        weights: the parameter's name in the state dict, "" where nothing is multiplied.
        gates, rows, columns: its shape, (gates * rows, columns).
    """

    kind: ArrowKind
    tail: Block | None
    head: Block
    weights: str = ""
    gates: int = 1
    rows: int = 0
    columns: int = 0

    @property
    def is_loop(self) -> bool:
        return self.tail == self.head


@dataclass(frozen=True, slots=True)
class Topology:
    """A network as it is drawn.

    Attributes:
        model: its settings.
        shape: of its sequences.
        is_folded: whether time is a loop; else each step has a column.
        steps: of each column; folded, one of each part.
        blocks: from the first column to the last, in each from the input upwards.
        arrows: what joins them.
    """

    model: ModelConfig
    shape: SequenceShape
    is_folded: bool
    steps: tuple[Step, ...]
    blocks: tuple[Block, ...]
    arrows: tuple[Arrow, ...]

    def block(self, key: str) -> Block | None:
        """The block with this key, if there is one."""
        return next((block for block in self.blocks if block.key == key), None)


def steps_of(shape: SequenceShape, T: int) -> tuple[Step, ...]:
    """What happens at each of T time steps. One to one has one step whatever T is, a delayed one two at least.

    Raises:
        ConfigError: T is below 1.
    """
    if T < 1:
        raise ConfigError(f"A network has at least one time step, not {T}.")
    match shape:
        case SequenceShape.ONE_TO_ONE:
            return (Step("given", True),)
        case SequenceShape.ONE_TO_MANY:
            return (Step("given", True), *[Step("written", True)] * (T - 1))
        case SequenceShape.MANY_TO_ONE:
            return (*[Step("given", False)] * (T - 1), Step("given", True, is_summary=True))
        case SequenceShape.MANY_TO_MANY:
            return (Step("given", True),) * T
        case SequenceShape.DELAYED:
            read = max(1, (T + 1) // 2)
            write = max(1, T - read)
            encoder = [*[Step("given", False, "encoder")] * (read - 1), Step("given", False, "encoder", True)]
            return (*encoder, Step("nothing", True, "decoder"), *[Step("written", True, "decoder")] * (write - 1))


def topology(
    model: ModelConfig, vocabulary_size: int, shape: SequenceShape, T: int, is_folded: bool = False
) -> Topology:
    """The blocks and arrows of a network that reads, and answers, with V characters.

    Raises:
        ConfigError: T is below 1, or a bidirectional network is to write.
    """
    if model.bidirectional and shape in WRITERS:
        raise ConfigError(CANNOT_WRITE)
    steps = steps_of(shape, T)
    if is_folded:
        steps = _folded(shape, steps)
    grid = _Grid(model, vocabulary_size, steps, has_loops=is_folded and shape is not SequenceShape.ONE_TO_ONE)
    return Topology(model, shape, is_folded, steps, tuple(grid.blocks.values()), tuple(grid.arrows()))


def _folded(shape: SequenceShape, steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """One step of each part, the one that says most about it."""
    if shape is SequenceShape.DELAYED:
        encoder = next(step for step in steps if step.is_summary)
        return encoder, steps[-1]
    return (steps[-1],)


class _Grid:
    """The blocks in their places, and the ways between them."""

    def __init__(self, model: ModelConfig, vocabulary_size: int, steps: tuple[Step, ...], has_loops: bool) -> None:
        self.model, self.V, self.steps, self.has_loops = model, vocabulary_size, steps, has_loops
        self.directions = (False, True)[: model.directions]
        self.blocks = {
            (b.kind, b.column, b.layer, b.reverse): b for column in range(len(steps)) for b in self._column(column)
        }

    def _column(self, column: int) -> Iterator[Block]:
        c = self.model
        yield Block("input", column, 0, False, self.V)
        if c.embedding_size:
            yield Block("embedding", column, 0, False, c.embedding_size)
        for layer in range(c.num_layers):
            for reverse in self.directions:
                yield Block("hidden", column, layer, reverse, c.hidden_size)
            is_read = self.steps[column].answers or layer + 1 < c.num_layers
            if c.bidirectional and is_read:
                yield Block("joined", column, layer, False, 2 * c.hidden_size)
        if self.steps[column].answers:
            yield Block("output", column, 0, False, self.V)

    def arrows(self) -> Iterator[Arrow]:
        for column in range(len(self.steps)):
            yield from self._upward(column)
            for layer in range(self.model.num_layers):
                for reverse in self.directions:
                    yield from self._across(column, layer, reverse)
            yield from self._feedback(column)

    def _upward(self, column: int) -> Iterator[Arrow]:
        c = self.model
        below = self.blocks["input", column, 0, False]
        if c.embedding_size:
            above = self.blocks["embedding", column, 0, False]
            yield Arrow("lookup", below, above, "embedding.weight", 1, self.V, c.embedding_size)
            below = above
        for layer in range(c.num_layers):
            for reverse in self.directions:
                name = f"recurrent.weight_ih_l{layer}" + ("_reverse" if reverse else "")
                above = self.blocks["hidden", column, layer, reverse]
                yield Arrow("input", below, above, name, c.gates, c.hidden_size, below.size)
            if ("joined", column, layer, False) in self.blocks:
                above = self.blocks["joined", column, layer, False]
                is_summary = self.steps[column].is_summary and layer + 1 == c.num_layers
                for reverse in self.directions:
                    end = 0 if is_summary and reverse else column  # the second direction ends at the first step
                    yield Arrow("join", self.blocks["hidden", end, layer, reverse], above)
            below = above
        if self.steps[column].answers:
            top = self.blocks["output", column, 0, False]
            yield Arrow("output", below, top, "head.weight", 1, self.V, below.size)

    def _across(self, column: int, layer: int, reverse: bool) -> Iterator[Arrow]:
        """The states that come from the step before; folded, from the block itself, and from the part before."""
        c = self.model
        head = self.blocks["hidden", column, layer, reverse]
        before = self.blocks.get(("hidden", column + (1 if reverse else -1), layer, reverse))
        tails = [before]
        if self.has_loops:
            tails = [head] if before is None else [before, head]
        name = f"recurrent.weight_hh_l{layer}" + ("_reverse" if reverse else "")
        for tail in tails:
            yield Arrow("recurrent", tail, head, name, c.gates, c.hidden_size, c.hidden_size)
            if c.cell == "lstm":
                yield Arrow("cell", tail, head)

    def _feedback(self, column: int) -> Iterator[Arrow]:
        """What was written is read at the next step."""
        writer = self.blocks.get(("output", column, 0, False))
        reader = column if self.has_loops else column + 1
        if writer and reader < len(self.steps) and self.steps[reader].reads == "written":
            yield Arrow("feedback", writer, self.blocks["input", reader, 0, False])

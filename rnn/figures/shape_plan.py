"""Where everything stands in the drawing of a sequence shape: see `rnn.figures.shapes`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Self

from rnn.figures.characters import legible, visible
from rnn.records import Unrolled, UnrolledStep

MOST_STEPS, MOST_READ, MOST_WRITTEN = 12, 4, 6  # columns that are drawn: of one network, of an encoder, of a decoder
AROUND = 5  # columns on either side of a blank
UNITS, UNITS_OF_TWO = 6, 4  # values of the hidden state that are shown, the first ones; of either of two directions
PHONE = 320  # pixels that the narrowest screen has for all columns: by these it is settled which texts have room

# Across, the unit is one time step, so that the drawing widens with the page.
HALF, GAP, APART = 0.36, 0.9, 0.3  # half a box; a gap in place of steps; the room on either side of a summary
LEAD, ROOMY = 0.5, 9.0  # more room before the first step, where the steps are no more than so many
FEWEST = 5.5  # a single column is not drawn wider
# Upward, the unit is one pixel, because letters do not shrink.
CELL, LINE, ARROW, BETWEEN = 18, 17, 32, 14  # a value, a line of text, an arrow, and between two directions
PICTURE, PICTURE_ALONE, BOX = 54, 84, 26
SMALL, WIDE = 12, 0.62  # of the smaller letters the size, and of a letter the width in sizes
DENSE = 27  # pixels of a box that holds two digits and no more


class Column(NamedTuple):
    """One of the things that are drawn side by side, its middle at x.

    Attributes:
        shows: a step; steps that are left out; a state by itself: the first one, that of the second direction, which
            begins at the other end, or the summary that an encoder leaves.
        step: which step it is.
        left_out: how many are left out.
    """

    shows: Literal["step", "gap", "first", "last", "summary"]
    step: int = 0
    left_out: int = 0
    x: float = 0.0


@dataclass(frozen=True)
class Plan:
    """Where everything stands.

    Attributes:
        columns: from left to right.
        left, right: ends of the axis.
        box: pixels of a box on the narrowest screen.
        units: values of a state that are shown.
        reads, hidden, other, output: the heights at which the inputs, the states, those of a second direction and the
            outputs begin.
        read_height, output_height: of their boxes.
        top: where the drawing ends.
    """

    columns: tuple[Column, ...]
    left: float
    right: float
    box: float
    units: int
    reads: float
    hidden: float
    other: float
    output: float
    read_height: float
    output_height: float
    top: float

    @classmethod
    def of(cls, unrolled: Unrolled) -> Self:
        columns, end = _placed(unrolled)
        spare = max(0.0, FEWEST - end) / 2
        box = PHONE / max(end, FEWEST) * 2 * HALF
        shown = [unrolled.steps[c.step] for c in columns if c.shows == "step"]
        units = min(UNITS_OF_TWO if is_both(unrolled) else UNITS, *(len(s.h) for s in shown))
        said = [unrolled.classes[s.guess] for s in shown if s.guess is not None]
        right = [unrolled.classes[s.expected] for s in shown if s.is_right is False and s.expected is not None]
        read_height, output_height = _read_height(unrolled, shown, box), _height(said, box)
        reads = LINE * (2 if unrolled.summary else 1) + 4
        hidden = reads + read_height + ARROW
        other = hidden + units * CELL + BETWEEN
        output = (other if is_both(unrolled) else hidden) + units * CELL + ARROW
        has_marks = any(s.is_right is not None or is_unused(s) for s in shown)
        above = LINE + (LINE if has_marks else 0) + (_height(right, box) if right else 0)
        top = output + output_height + above + 4
        return cls(
            columns, -spare, end + spare, box, units, reads, hidden, other, output, read_height, output_height, top
        )

    @property
    def is_dense(self) -> bool:
        """Whether numbers have to do without the zero before their point."""
        return self.box < DENSE

    @property
    def states_end(self) -> float:
        """Above the states."""
        return self.output - ARROW

    @property
    def marks(self) -> float:
        """Where ticks and crosses begin, above the probabilities."""
        return self.output + self.output_height + LINE

    def has_room(self, text: str) -> bool:
        """Whether a box holds it on the narrowest screen, written from left to right."""
        return _has_room(text, self.box)

    def steps(self) -> Iterator[Column]:
        """The columns that are steps."""
        return (column for column in self.columns if column.shows == "step")


# What kind of network it is


def is_both(unrolled: Unrolled) -> bool:
    """Whether it reads in both directions."""
    return any(step.h_backward is not None for step in unrolled.steps)


def is_unused(step: UnrolledStep) -> bool:
    """Whether there is an output that is not part of the answer."""
    return step.probabilities is not None and not step.counts


def has_image(unrolled: Unrolled) -> bool:
    """Whether an image sets the first state."""
    return unrolled.image is not None and isinstance(unrolled.steps[0].read, str)


def read_steps(unrolled: Unrolled) -> int:
    """Those of an encoder."""
    return sum(step.role == "encoder" for step in unrolled.steps)


def symbol(text: str) -> str:
    """A character or a word as it is shown."""
    return visible(text) if len(text) == 1 else legible(text)


# Across


def _placed(unrolled: Unrolled) -> tuple[tuple[Column, ...], float]:
    """The columns side by side from x = 0 on, and where they end."""
    columns = list(_columns(unrolled))
    widths = [_width(unrolled, column) for column in columns]
    is_roomy = sum(widths) <= ROOMY and unrolled.first is not None and not unrolled.summary and not is_both(unrolled)
    placed, end = [], 0.0
    for number, (column, width) in enumerate(zip(columns, widths, strict=True)):
        end += LEAD if is_roomy and number == 1 else 0.0
        placed.append(column._replace(x=end + width / 2))
        end += width
    return tuple(placed), end


def _width(unrolled: Unrolled, column: Column) -> float:
    if column.shows == "summary":
        return len(unrolled.summary) + 2 * APART
    return GAP if column.shows == "gap" else 1.0


def _columns(unrolled: Unrolled) -> Iterator[Column]:
    if unrolled.first is not None:
        yield Column("first")
    before = -1
    for t in _drawn(unrolled):
        if t > before + 1:
            yield Column("gap", left_out=t - before - 1)
        if unrolled.summary and t == read_steps(unrolled):
            yield Column("summary")
        yield Column("step", step=t)
        before = t
    if (left_out := len(unrolled.steps) - before - 1) > 0:
        yield Column("gap", left_out=left_out)
    if is_both(unrolled):
        yield Column("last")


def _drawn(unrolled: Unrolled) -> list[int]:
    """The steps that have a column: the first and the last ones of each network, or those around a blank."""
    steps, read = unrolled.steps, read_steps(unrolled)
    if read:
        written = len(steps) - read
        most_read = max(MOST_READ, MOST_READ + MOST_WRITTEN - written)
        most_written = max(MOST_WRITTEN, MOST_READ + MOST_WRITTEN - read)
        return [*_ends(0, read, most_read), *_ends(read, written, most_written)]
    if all(step.counts == (step.probabilities is not None) for step in steps) and sum(s.counts for s in steps) == 1:
        blank = next(t for t, step in enumerate(steps) if step.counts)
        first = max(0, min(blank - AROUND, len(steps) - 2 * AROUND - 1))
        return list(range(first, min(len(steps), first + 2 * AROUND + 1)))
    return _ends(0, len(steps), MOST_STEPS)


def _ends(start: int, count: int, most: int) -> list[int]:
    """The first and the last of so many steps."""
    if count <= most:
        return list(range(start, start + count))
    first = (most + 1) // 2
    return [*range(start, start + first), *range(start + count - most + first, start + count)]


# Upward


def _read_height(unrolled: Unrolled, shown: Sequence[UnrolledStep], box: float) -> float:
    texts = [step.read for step in shown if isinstance(step.read, str)]
    pictures = len(shown) - len(texts) + has_image(unrolled)
    picture = 0 if not pictures else PICTURE if unrolled.cell else PICTURE_ALONE
    return max(picture, _height(texts, box) if texts else 0)


def _height(texts: Sequence[str], box: float) -> float:
    """Of boxes that hold these texts, upright ones where they are too long for the narrowest screen."""
    upright = [len(symbol(text)) for text in texts if not _has_room(text, box)]
    return max(BOX, max(upright, default=0) * SMALL * WIDE + 10)


def _has_room(text: str, box: float) -> bool:
    letters = len(symbol(text))
    return letters <= 1 or letters * SMALL * WIDE + 4 <= box

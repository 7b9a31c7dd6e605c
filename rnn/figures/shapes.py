"""The sequence shapes: the network of a task unrolled over one example, with all that enters it and leaves it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from rnn.figures import theme
from rnn.figures.characters import legible, visible
from rnn.figures.unrolled import (
    FIXED_WIDTH,
    Drawing,
    Label,
    arrow,
    hover_trace,
    label_trace,
    shielded,
    signed,
)
from rnn.records import Unrolled, UnrolledStep

MOST_STEPS, MOST_READ, MOST_WRITTEN = 12, 4, 6  # columns that are drawn: of one network, of an encoder, of a decoder
AROUND = 5  # columns on either side of a blank
UNITS, UNITS_OF_TWO = 6, 4  # values of the hidden state that are shown, the first ones; of either of two directions
PHONE = 320  # pixels that the narrowest screen has for all columns: by these it is settled which texts have room

# Across, the unit is one time step, so that the drawing widens with the page.
HALF, GAP, APART = 0.36, 0.7, 0.3  # half a box; a gap in place of steps; the room beside what is framed
FEWEST = 5.5  # units: a single column is not drawn wider
# Upward, the unit is one pixel, because letters do not shrink.
CELL, LINE, ARROW, PICTURE = 18, 17, 32, 46
BETWEEN = 14  # the two directions
TITLE, LEFT = 58, 34
LETTER, SMALL, NUMBER = 15, 12, 11  # sizes of texts
WIDE = 0.62  # of a letter's size is its width

Values = NDArray[np.float32]
Dict = dict[str, Any]


class Column(NamedTuple):
    """What is drawn side by side, its middle at x."""

    x: float
    step: int | None = None  # a step
    left_out: int = 0  # so many steps that are not drawn
    state: str = ""  # a state by itself: "first", "last" (of the second direction, which begins there) or "summary"


@dataclass(frozen=True)
class Plan:
    """Where everything stands.

    Attributes:
        columns: from left to right.
        left, right: the ends of the axis.
        reads, hidden, other, output, top: heights where what is read, the states, those of a second direction and the
            outputs begin, and where the drawing ends.
        read_height, output_height: of their boxes.
        units: values of a state that are shown.
        is_dense: whether there is no room for more than two digits in a box.
    """

    columns: tuple[Column, ...]
    left: float
    right: float
    reads: float
    hidden: float
    other: float
    output: float
    top: float
    read_height: float
    output_height: float
    units: int
    is_dense: bool
    box: float  # pixels of a box on the narrowest screen


def sequence_shape(unrolled: Unrolled, dark: bool = False) -> go.Figure:
    """The network over one example: inputs below, states in the middle, outputs on top, time from left to right.

    An output that does not count is dashed and grey. A right one has a tick; a wrong one has a cross, a frame and what
    it should be. Of many steps, some are left out.

    Args:
        unrolled: from `rnn.tasks.unrolling.unroll`.
        dark: whether it stands on a dark background.
    """
    ink, plan = theme.ink(dark), _planned(unrolled)
    parts = [_column(unrolled, plan, number, ink) for number in range(len(plan.columns))]
    drawing = Drawing.joined([*parts, _read_back(unrolled, plan), *_roles(unrolled, plan, ink)])
    title = f"{shielded(_title(unrolled))}<br>{shielded(_verdict(unrolled))}"
    return theme.figure(
        [label_trace(drawing.labels), hover_trace(drawing.labels)], title, "", "", dark, height=int(plan.top) + TITLE,
        xaxis={"range": [plan.left, plan.right], "visible": False, "fixedrange": True},
        yaxis={"range": [0, plan.top], "visible": False, "fixedrange": True},
        shapes=[*drawing.boxes, *drawing.frames], annotations=[*drawing.arrows, *_names(unrolled, plan, ink)],
        images=_pictures(unrolled, plan, ink), margin={"l": LEFT, "r": 2, "t": TITLE, "b": 0}, dragmode=False,
        hovermode="closest", showlegend=False,
    )  # fmt: skip


def sequence_shape_alt(unrolled: Unrolled) -> str:
    """The figure in words."""
    sentences = [f"{_title(unrolled)}. {_verdict(unrolled)}."]
    previous = -1
    for column in _planned(unrolled).columns:
        if column.left_out:
            sentences.append(f"{column.left_out} steps are left out.")
        if column.state:
            sentences.append(_state_said(unrolled, column.state))
        if column.step is not None:
            sentences.append(_step_said(unrolled, column.step))
    return " ".join(sentences)


# The words --------------------------------------------------------------------------------------------------------

TITLES = {
    "digit": "One to one: an image in, a digit out",
    "digit-name": "One to many: an image in, letters out",
    "digit-rows": "Many to one: rows of an image in, a digit out",
    "sentiment": "Many to one: words in, a judgement out",
    "fill-blank": "Many to one: both sides of a blank in, a character out",
    "frames": "Many to many, in step: a label for every frame",
    "number-names": "Many to many, delayed: English in, then French out",
    "caption": "Many to many, delayed: frames in, then words out",
}
LONGEST = 36  # letters of an answer in the title's second line, for which a phone has room


def _title(unrolled: Unrolled) -> str:
    return TITLES.get(unrolled.kind, unrolled.kind)


def _verdict(unrolled: Unrolled) -> str:
    """What is answered, and whether that is right."""
    labelled = [step.is_right for step in unrolled.steps if step.counts]
    if unrolled.kind == "frames" and None not in labelled:
        return f"{_mark(all(labelled))} {sum(map(bool, labelled))} of {len(labelled)} labels are right"
    said = _quoted(unrolled.predicted)
    if unrolled.kind in ("digit", "digit-rows", "sentiment", "fill-blank"):
        said += f", p = {_of_answer(unrolled):.2f}"
    if unrolled.is_right is None:
        return f"It answers {said}"
    if unrolled.is_right:
        return f"{_mark(True)} {said} is right"
    return f"{_mark(False)} {said}: wrong, it is {_quoted(unrolled.expected or '')}"


def _of_answer(unrolled: Unrolled) -> float:
    """The probability of the one answer."""
    return max(
        float(step.probabilities.max()) for step in unrolled.steps if step.counts and step.probabilities is not None
    )


def _quoted(text: str) -> str:
    said = visible(text) if len(text) == 1 else legible(text) or "nothing"
    return f"“{said if len(said) <= LONGEST else said[: LONGEST - 1] + '…'}”"


def _mark(is_right: bool) -> str:
    return "✓" if is_right else "✗"


def _state_said(unrolled: Unrolled, state: str) -> str:
    if state == "last":
        return "The second direction begins here, with zeros."
    begins = ", ".join(signed(float(v)) for v in _state(unrolled, state)[0][:UNITS])
    if state == "summary":
        return f"The summary, from which the decoder starts, begins {begins}."
    return (
        f"h_0 comes from the image through a learned map and begins {begins}." if _has_image(unrolled) else "h_0 is 0."
    )


def _step_said(unrolled: Unrolled, t: int) -> str:
    step = unrolled.steps[t]
    said = f"Step {_number(unrolled, t)} of the {step.role} reads {_read_said(unrolled, t)}"
    if step.guess is None or step.probabilities is None:
        return f"{said}; no output."
    said += f"; says {_quoted(unrolled.classes[step.guess])} ({step.probabilities[step.guess]:.2f})"
    if not step.counts:
        return f"{said}, which is not used."
    if step.is_right is None:
        return f"{said}."
    return f"{said}, right." if step.is_right else f"{said}, wrong: it is {_quoted(_expected(unrolled, step))}."


def _read_said(unrolled: Unrolled, t: int) -> str:
    read = unrolled.steps[t].read
    if isinstance(read, str):
        return _quoted(read)
    return f"row {t + 1} of the image" if read.ndim == 1 else "an image"


def _expected(unrolled: Unrolled, step: UnrolledStep) -> str:
    return "" if step.expected is None else unrolled.classes[step.expected]


def _number(unrolled: Unrolled, t: int) -> int:
    """Of the step, from 1; a decoder counts its own."""
    return t + 1 - (_read_steps(unrolled) if unrolled.steps[t].role == "decoder" else 0)


def _read_steps(unrolled: Unrolled) -> int:
    """Of an encoder."""
    return sum(step.role == "encoder" for step in unrolled.steps)


def _has_image(unrolled: Unrolled) -> bool:
    """Whether an image sets the first state."""
    return unrolled.image is not None and not _is_by_rows(unrolled)


def _is_by_rows(unrolled: Unrolled) -> bool:
    read = unrolled.steps[0].read
    return not isinstance(read, str) and read.ndim == 1


def _is_both(unrolled: Unrolled) -> bool:
    return any(step.h_backward is not None for step in unrolled.steps)


# The plan ---------------------------------------------------------------------------------------------------------


def _planned(unrolled: Unrolled) -> Plan:
    columns = _columns(unrolled)
    span = columns[-1].x + _width(unrolled, columns[-1]) / 2
    spare = max(0.0, FEWEST - span) / 2
    box = PHONE / max(span, FEWEST) * 2 * HALF
    drawn = [unrolled.steps[c.step] for c in columns if c.step is not None]
    written = [unrolled.classes[i] for s in drawn for i in (s.guess, s.expected) if i is not None]
    read_height = _height([s.read for s in drawn if isinstance(s.read, str)], box)
    if any(not isinstance(s.read, str) for s in drawn) or _has_image(unrolled):
        read_height = max(read_height, PICTURE)
    output_height = _height(written, box)
    units = min(UNITS_OF_TWO if _is_both(unrolled) else UNITS, *(len(s.h) for s in drawn))
    reads = LINE * (2 if unrolled.summary else 1) + 4
    hidden = reads + read_height + ARROW
    other = hidden + units * CELL + BETWEEN
    ends = other + units * CELL if _is_both(unrolled) else hidden + units * CELL
    output = ends + ARROW
    wrong = [s for s in drawn if s.is_right is False]
    marks = LINE if any(s.is_right is not None for s in drawn) or any(not s.counts for s in drawn) else 0
    says = _height([_expected(unrolled, s) for s in wrong], box) if wrong else 0
    top = output + output_height + LINE + marks + says + 4
    return Plan(columns, -spare, span + spare, reads, hidden, other, output, top, read_height, output_height, units,
                box < 26, box)  # fmt: skip


def _columns(unrolled: Unrolled) -> tuple[Column, ...]:
    """Side by side from x = 0 on."""
    kinds: list[Column] = [] if unrolled.first is None else [Column(0, state="first")]
    previous = -1
    for t in _drawn(unrolled):
        if t > previous + 1:
            kinds.append(Column(0, left_out=t - previous - 1))
        if unrolled.summary and t == _read_steps(unrolled):
            kinds.append(Column(0, state="summary"))
        kinds.append(Column(0, step=t))
        previous = t
    if previous + 1 < len(unrolled.steps):
        kinds.append(Column(0, left_out=len(unrolled.steps) - previous - 1))
    if _is_both(unrolled):
        kinds.append(Column(0, state="last"))
    placed, end = [], 0.0
    for column in kinds:
        width = _width(unrolled, column)
        placed.append(column._replace(x=end + width / 2))
        end += width
    return tuple(placed)


def _width(unrolled: Unrolled, column: Column) -> float:
    if column.left_out:
        return GAP
    return len(unrolled.summary) + 2 * APART if column.state == "summary" else 1.0


def _drawn(unrolled: Unrolled) -> list[int]:
    """The steps that have a column: the first and the last ones of each network, or those around a blank."""
    steps = unrolled.steps
    if any(not s.counts and s.probabilities is None and s.role == "network" for s in steps):
        blank = next(t for t, s in enumerate(steps) if s.counts)
        first = max(0, min(blank - AROUND, len(steps) - 2 * AROUND - 1))
        return list(range(first, min(len(steps), first + 2 * AROUND + 1)))
    read = _read_steps(unrolled)
    written = len(steps) - read
    if not read:
        return _ends(0, written, MOST_STEPS)
    most = max(MOST_READ, MOST_READ + MOST_WRITTEN - written)
    most_written = max(MOST_WRITTEN, MOST_READ + MOST_WRITTEN - read)
    return [*_ends(0, read, most), *_ends(read, written, most_written)]


def _ends(start: int, count: int, most: int) -> list[int]:
    """The first and the last of so many steps; one that alone would be left out has the room of its gap."""
    if count <= most + 1:
        return list(range(start, start + count))
    first = (most + 1) // 2
    return [*range(start, start + first), *range(start + count - (most - first), start + count)]


def _height(texts: Sequence[str], box: float) -> float:
    """Of boxes that hold these texts, upright ones where they are too long for the narrowest screen."""
    longest = max((len(visible_word(text)) for text in texts if not _fits(text, box)), default=0)
    return max(26.0, longest * SMALL * WIDE + 10)


def _fits(text: str, box: float) -> bool:
    word = visible_word(text)
    return len(word) <= 1 or len(word) * SMALL * WIDE + 4 <= box


def visible_word(text: str) -> str:
    """A symbol as it is shown: a character, or a word."""
    return visible(text) if len(text) == 1 else legible(text)


# The columns ------------------------------------------------------------------------------------------------------


def _column(unrolled: Unrolled, plan: Plan, number: int, ink: theme.Ink) -> Drawing:
    column = plan.columns[number]
    if column.left_out:
        return _left_out(unrolled, plan, column, ink)
    if column.state:
        return _state_alone(unrolled, plan, number, ink)
    step, t, x = unrolled.steps[column.step or 0], column.step or 0, column.x
    name = f"step {_number(unrolled, t)}" + (f" of the {step.role}" if step.role != "network" else "")
    parts = [_read(unrolled, plan, column, name, ink), _cells(plan, x, plan.hidden, step.h, f"{name}, h", ink)]
    if unrolled.cell:
        parts.append(_across(plan, number))
    if step.h_backward is not None:
        parts += [
            _cells(plan, x, plan.other, step.h_backward, f"{name}, h of the second direction", ink),
            _both_ways(plan, number, step),
        ]
    if step.probabilities is not None or step.role == "network":
        parts.append(_output(unrolled, plan, column, name, ink))
    return Drawing.joined(parts)


def _read(unrolled: Unrolled, plan: Plan, column: Column, name: str, ink: theme.Ink) -> Drawing:
    """What enters at a step, and the way up from it; images are drawn by `_pictures`."""
    t, x = column.step or 0, column.x
    step = unrolled.steps[t]
    middle = plan.reads + plan.read_height / 2
    up = arrow((x, plan.reads + plan.read_height), (x, plan.hidden), theme.INPUT)
    time = Label(x, plan.reads - LINE / 2, str(_number(unrolled, t)) if unrolled.cell else "", ink.foreground, SMALL)
    words = f"{name} reads {shielded(_read_said(unrolled, t))}"
    if not isinstance(step.read, str):
        return Drawing(labels=[time, Label(x, middle, "", ink.foreground, words=words)], arrows=[up])
    box = _box(x, plan.reads, plan.read_height, theme.INPUT, 0.16)
    on_it = theme.text_on(theme.INPUT, 0.16, ink.background)
    text = _text(plan, x, middle, step.read, on_it, words)
    return Drawing.joined([Drawing([box], [time], arrows=[up]), text])


def _cells(
    plan: Plan, x: float, y: float, values: Values, name: str, ink: theme.Ink, colour: str = theme.HIDDEN
) -> Drawing:
    """The first values of a vector, the first on top, the darker the larger."""
    boxes, labels = [], []
    for unit, value in enumerate(values[: plan.units].tolist()):
        bottom = y + CELL * (plan.units - 1 - unit)
        opacity = 0.06 + 0.94 * min(abs(value), 1.0)  # a cell is seen even at 0
        boxes.append(_box(x, bottom + 0.75, CELL - 1.5, colour, opacity))
        words = f"{name}, unit {unit + 1}: {value:.5f}"
        on_it = theme.text_on(colour, opacity, ink.background)
        text = _short(signed(value)) if plan.is_dense else signed(value)
        labels.append(Label(x, bottom + CELL / 2, text, on_it, NUMBER if plan.is_dense else SMALL, words=words))
    return Drawing(boxes, labels)


def _short(number: str) -> str:
    """Without the zero that a narrow box has no room for: .4, −.9, 1, 0."""
    return number.removesuffix(".0").replace("0.", ".") if number[-2:] == ".0" else number.replace("0.", ".")


def _across(plan: Plan, number: int, y: float | None = None, is_back: bool = False) -> Drawing:
    """The state that comes from the column before, or in the second direction from the one after."""
    here, other = plan.columns[number], plan.columns[number + (1 if is_back else -1)]
    reach = HALF if not other.left_out else GAP / 2 - 0.12
    if other.state == "summary":
        reach = (plan.columns[number].x - other.x) - 0.5 - APART + 0.08
        reach = here.x - 0.5 - APART + 0.1 - other.x
    side = -1 if is_back else 1
    middle = (plan.hidden if y is None else y) + CELL * plan.units / 2
    return Drawing(arrows=[arrow((other.x + side * reach, middle), (here.x - side * HALF, middle), theme.HIDDEN)])


def _both_ways(plan: Plan, number: int, step: UnrolledStep) -> Drawing:
    """Around the states of the first direction: the input to those of the second, and both to the output."""
    x = plan.columns[number].x
    left, right = x - HALF - 0.07, x + HALF + 0.07
    under, middle = plan.reads + plan.read_height + ARROW / 2, plan.other + CELL * plan.units / 2 - CELL
    lines = [_line([(x, under), (left, under), (left, middle)], theme.INPUT)]
    heads = [arrow((left, middle), (x - HALF + 0.02, middle), theme.INPUT)]
    if step.counts:
        start, end = plan.hidden + CELL * plan.units / 2 + CELL, plan.output - ARROW / 2
        lines.append(_line([(x + HALF, start), (right, start), (right, end), (x, end)], theme.OUTPUT))
    back = _across(plan, number, plan.other, is_back=True)
    return Drawing.joined([Drawing(frames=lines, arrows=heads), back])


def _output(unrolled: Unrolled, plan: Plan, column: Column, name: str, ink: theme.Ink) -> Drawing:
    """What comes out of a step, its probability over it, and whether it is right."""
    step, x = unrolled.steps[column.step or 0], column.x
    below = (plan.other if _is_both(unrolled) else plan.hidden) + CELL * plan.units
    if not unrolled.cell:
        return _every_class(unrolled, plan, step, x, ink)
    faint = theme.shade(ink.foreground, 0.72)
    if step.guess is None or step.probabilities is None:
        box = _unused(x, plan, ink)
        return Drawing([box], [Label(x, plan.output + plan.output_height / 2, "", faint, words=f"{name}: no output")])
    p = float(step.probabilities[step.guess])
    said = unrolled.classes[step.guess]
    words = f"{name} says {shielded(_ranked(unrolled, step))}"
    middle = plan.output + plan.output_height / 2
    if not step.counts:
        up = arrow((x, below), (x, plan.output), ink.muted)
        chance = Label(x, plan.output + plan.output_height + LINE / 2, _chance(p, plan), faint, NUMBER)
        parts = [Drawing([_unused(x, plan, ink)], [chance], arrows=[up])]
        return Drawing.joined([*parts, _text(plan, x, middle, said, faint, f"{words}<br>not used")])
    up = arrow((x, below), (x, plan.output), theme.OUTPUT)
    opacity = 0.06 + 0.94 * p
    box = _box(x, plan.output, plan.output_height, theme.OUTPUT, opacity)
    chance = Label(
        x, plan.output + plan.output_height + LINE / 2, _chance(p, plan), ink.foreground, NUMBER + (not plan.is_dense)
    )
    text = _text(plan, x, middle, said, theme.text_on(theme.OUTPUT, opacity, ink.background), words)
    return Drawing.joined([Drawing([box], [chance], arrows=[up]), text, _marked(unrolled, plan, x, step, ink)])


def _marked(unrolled: Unrolled, plan: Plan, x: float, step: UnrolledStep, ink: theme.Ink) -> Drawing:
    """A tick; or a cross, a frame around the output, and what is right."""
    if step.is_right is None:
        return Drawing()
    y = plan.output + plan.output_height + LINE
    mark = Label(x, y + LINE / 2, f"<b>{_mark(step.is_right)}</b>", ink.foreground, LETTER)
    if step.is_right:
        return Drawing(labels=[mark])
    frame = _box(x, plan.output - 1, plan.output_height + 2, ink.foreground, 0) | {
        "line": {"color": ink.foreground, "width": 2.5}
    }
    room = (plan.top - 4) - (y + LINE)
    right = _expected(unrolled, step)
    words = f"right would be {shielded(_quoted(right))}"
    return Drawing.joined(
        [Drawing(labels=[mark], frames=[frame]), _text(plan, x, y + LINE + room / 2, right, ink.foreground, words)]
    )


def _every_class(unrolled: Unrolled, plan: Plan, step: UnrolledStep, x: float, ink: theme.Ink) -> Drawing:
    """The whole softmax side by side, where a single output has the room."""
    assert step.probabilities is not None
    pitch = (plan.right - plan.left) / len(unrolled.classes)
    boxes, labels, frames = [], [], []
    below = plan.hidden + CELL * plan.units
    arrows = [arrow((x, below), (x, plan.output - 4), theme.OUTPUT)]
    for index, (name, p) in enumerate(zip(unrolled.classes, step.probabilities.tolist(), strict=True)):
        at = plan.left + (index + 0.5) * pitch
        opacity = 0.06 + 0.94 * p
        boxes.append(_box(at, plan.output, plan.output_height, theme.OUTPUT, opacity, 0.44 * pitch))
        on_it = theme.text_on(theme.OUTPUT, opacity, ink.background)
        words = f"“{shielded(visible_word(name))}”: p = {p:.5f}"
        labels += [
            Label(at, plan.output + plan.output_height / 2, shielded(visible_word(name)), on_it, LETTER, words=words),
            Label(at, plan.output + plan.output_height + LINE / 2, f"{p:.2f}", ink.foreground, NUMBER),
        ]
        if index == step.guess and step.is_right is not None:
            mark = f"<b>{_mark(step.is_right)}</b>"
            labels.append(Label(at, plan.output + plan.output_height + 1.5 * LINE, mark, ink.foreground, LETTER))
            if not step.is_right:
                frames.append(_box(at, plan.output - 1, plan.output_height + 2, ink.foreground, 0, 0.44 * pitch)
                              | {"line": {"color": ink.foreground, "width": 2.5}})  # fmt: skip
        if index == step.expected != step.guess:
            labels.append(Label(at, plan.output + plan.output_height + 1.5 * LINE, "is", ink.foreground, SMALL))
    return Drawing(boxes, labels, frames, arrows)


def _state(unrolled: Unrolled, state: str) -> tuple[Values, ...]:
    """The vectors of a state that stands by itself."""
    if state == "summary":
        return unrolled.summary
    assert unrolled.first is not None
    return (unrolled.first,)


def _state_alone(unrolled: Unrolled, plan: Plan, number: int, ink: theme.Ink) -> Drawing:
    """Where a network starts from: zeros, what an image is mapped to, or a summary of what was read."""
    column = plan.columns[number]
    x, above = column.x, (plan.other if column.state == "last" else plan.hidden) + CELL * plan.units + LINE / 2
    y = plan.other if column.state == "last" else plan.hidden
    if column.state != "summary":
        name = (
            "h<sub>0</sub>" if _has_image(unrolled) else "h<sub>0</sub> = 0" if not plan.is_dense else "h<sub>0</sub>=0"
        )
        words = "h before the first step"
        cells = _cells(plan, x, y, _state(unrolled, column.state)[0], words, ink)
        label = Label(
            x,
            above
            if column.state == "first" and not _is_both(unrolled)
            else y - LINE / 2
            if column.state == "last"
            else above,
            name,
            ink.hidden,
            SMALL,
        )
        parts = [cells, Drawing(labels=[label])]
        if _has_image(unrolled):
            up = arrow((x, plan.reads + plan.read_height), (x, plan.hidden), theme.INPUT)
            learned = Label(
                x,
                plan.reads + plan.read_height + ARROW / 2,
                "\N{NO-BREAK SPACE}map",
                ink.input,
                SMALL,
                "middle right",
                words="a learned linear map",
            )
            parts.append(Drawing(labels=[learned], arrows=[up]))
        return Drawing.joined(parts)
    parts = []
    count = len(unrolled.summary)
    for part, (vector, letter) in enumerate(zip(unrolled.summary, ("h", "c"), strict=False)):
        at = x + part - (count - 1) / 2
        colour, on_page = (theme.HIDDEN, ink.hidden) if letter == "h" else (theme.CELL_STATE, ink.foreground)
        parts.append(_cells(plan, at, y, vector, f"summary, {letter}", ink, colour))
        parts.append(Drawing(labels=[Label(at, y - LINE / 2 - 2, letter, on_page, SMALL + 1)]))
    half = count / 2 + 0.04
    frame = {
        "type": "rect", "x0": x - half, "x1": x + half, "y0": y - 4, "y1": y + CELL * plan.units + 4,
        "line": {"color": ink.foreground, "width": 2},
    }  # fmt: skip
    name = Label(
        x + half, y + CELL * plan.units + 4 + LINE / 2, "<b>summary</b>", ink.foreground, SMALL + 1, "middle left"
    )
    other = plan.columns[number - 1]
    reach = HALF if not other.left_out else GAP / 2 - 0.12
    middle = y + CELL * plan.units / 2
    into = arrow((other.x + reach, middle), (x - half, middle), theme.HIDDEN)
    return Drawing.joined([*parts, Drawing(labels=[name], frames=[frame], arrows=[into])])


def _left_out(unrolled: Unrolled, plan: Plan, column: Column, ink: theme.Ink) -> Drawing:
    """In place of steps."""
    ends = (plan.other if _is_both(unrolled) else plan.hidden) + CELL * plan.units
    text = f"{column.left_out} steps left out"
    note = _upright(column.x, (plan.hidden + ends) / 2, text, theme.shade(ink.foreground, 0.72), SMALL)
    return Drawing(arrows=[note])


def _read_back(unrolled: Unrolled, plan: Plan) -> Drawing:
    """A decoder reads what it has just written: from each output to the next input."""
    lines, heads = [], []
    for here, after in zip(plan.columns, plan.columns[1:], strict=False):
        if here.step is None or after.step is None or unrolled.steps[here.step].role != "decoder":
            continue
        high, low = plan.output + plan.output_height / 2, plan.reads + plan.read_height / 2
        between = (here.x + after.x) / 2
        lines.append(_line([(here.x + HALF, high), (between, high), (between, low)], theme.OUTPUT, "dot"))
        heads.append(arrow((between, low), (after.x - HALF, low), theme.OUTPUT) | {"arrowwidth": 1.3})
    return Drawing(frames=lines, arrows=heads)


def _roles(unrolled: Unrolled, plan: Plan, ink: theme.Ink) -> list[Drawing]:
    """Under the columns of an encoder and a decoder, which is which; over outputs that do not count, that they don't."""
    found = []
    for role in ("encoder", "decoder") if unrolled.summary else ():
        at = [c.x for c in plan.columns if c.step is not None and unrolled.steps[c.step].role == role]
        line = _line([(at[0] - HALF, LINE), (at[-1] + HALF, LINE)], ink.muted)
        label = Label((at[0] + at[-1]) / 2, LINE / 2, f"<b>{role}</b>", ink.foreground, SMALL + 1)
        found.append(Drawing(labels=[label], frames=[line]))
    unused = [
        c.x for c in plan.columns
        if c.step is not None and not unrolled.steps[c.step].counts and unrolled.steps[c.step].probabilities is not None
    ]  # fmt: skip
    if unused:
        y = plan.output + plan.output_height + 1.5 * LINE
        found.append(Drawing(labels=[Label((unused[0] + unused[-1]) / 2, y, "not used", ink.foreground, SMALL + 1)]))
    return found


def _names(unrolled: Unrolled, plan: Plan, ink: theme.Ink) -> list[Dict]:
    """What the rows are, beside them."""
    H, units = len(unrolled.steps[-1].h), plan.units
    middle = plan.hidden + CELL * units / 2
    under, over = plan.reads + plan.read_height + ARROW / 2, plan.output - ARROW / 2
    names = [
        (plan.reads + plan.read_height / 2, "x", ink.input, 0), (under, "W<sub>xh</sub>", ink.input, 0),
        (middle, f"h{'→' if _is_both(unrolled) else ''}, {units} of {H}", ink.hidden, -90),
        (over, "W<sub>hy</sub>", ink.output, 0), (plan.output + plan.output_height / 2, "y", ink.output, 0),
        (plan.output + plan.output_height + LINE / 2, "p", ink.foreground, 0),
    ]  # fmt: skip
    if _is_both(unrolled):
        names.append((plan.other + CELL * units / 2, f"h←, {units} of {H}", ink.hidden, -90))
    if unrolled.cell:
        names.append((plan.reads - LINE / 2, "t", ink.foreground, 0))
    return [
        {"x": 0, "xref": "paper", "xshift": -LEFT / 2, "y": y, "text": text, "font": {"color": colour, "size": 13},
         "textangle": angle, "showarrow": False}
        for y, text, colour, angle in names
    ]  # fmt: skip


# The strokes ------------------------------------------------------------------------------------------------------


def _box(x: float, y: float, height: float, colour: str, opacity: float, half: float = HALF) -> Dict:
    return {
        "type": "rect", "x0": x - half, "x1": x + half, "y0": y, "y1": y + height, "layer": "below",
        "fillcolor": theme.shade(colour, opacity), "line": {"color": colour, "width": 1},
    }  # fmt: skip


def _unused(x: float, plan: Plan, ink: theme.Ink) -> Dict:
    dashed = {"color": ink.muted, "width": 1.3, "dash": "3px,3px"}
    return _box(x, plan.output, plan.output_height, ink.muted, 0.08) | {"line": dashed}


def _line(points: Sequence[tuple[float, float]], colour: str, dash: str = "solid") -> Dict:
    path = "M" + "L".join(f"{x:.4f},{y:.1f}" for x, y in points)
    return {"type": "path", "path": path, "layer": "below", "line": {"color": colour, "width": 1.5, "dash": dash}}


def _text(plan: Plan, x: float, y: float, text: str, colour: str, words: str) -> Drawing:
    """A symbol in its box, upright where it is too long."""
    shown = shielded(visible_word(text))
    if _fits(text, plan.box):
        is_letter = len(visible_word(text)) == 1
        family = {"family": FIXED_WIDTH} if is_letter else {}
        return Drawing(labels=[Label(x, y, shown, colour, LETTER if is_letter else SMALL, words=words, **family)])
    return Drawing(labels=[Label(x, y, "", colour, words=words)], arrows=[_upright(x, y, shown, colour, SMALL)])


def _upright(x: float, y: float, text: str, colour: str, size: int) -> Dict:
    return {
        "x": x, "y": y, "text": text, "textangle": -90, "showarrow": False, "font": {"color": colour, "size": size},
    }  # fmt: skip


def _chance(p: float, plan: Plan) -> str:
    """A probability: .98 where there is no room for 0.98."""
    text = f"{p:.2f}"
    return text if not plan.is_dense else text.removeprefix("0") if text != "1.00" else "1.0"


def _ranked(unrolled: Unrolled, step: UnrolledStep) -> str:
    """The three likeliest, in words."""
    assert step.probabilities is not None
    order = np.argsort(-step.probabilities, kind="stable")[:3].tolist()
    return ", ".join(f"{_quoted(unrolled.classes[i])} {step.probabilities[i]:.3f}" for i in order)


# Images -----------------------------------------------------------------------------------------------------------


def _pictures(unrolled: Unrolled, plan: Plan, ink: theme.Ink) -> list[Dict]:
    """The images that enter, square at any width."""
    placed: list[tuple[float, Values, int | None]] = []
    for column in plan.columns:
        if column.state == "first" and _has_image(unrolled):
            assert unrolled.image is not None
            placed.append((column.x, unrolled.image, None))
        elif column.step is not None and not isinstance(read := unrolled.steps[column.step].read, str):
            image = unrolled.image if read.ndim == 1 else read
            assert image is not None
            placed.append((column.x, image, column.step if read.ndim == 1 else None))
    return [
        {
            "source": _svg(image, row, ink), "xref": "x", "yref": "y", "x": x, "y": plan.reads + plan.read_height / 2,
            "xanchor": "center", "yanchor": "middle", "sizex": 0.92, "sizey": plan.read_height, "sizing": "contain",
            "layer": "above",
        }
        for x, image, row in placed
    ]  # fmt: skip


def _svg(image: Values, row: int | None, ink: theme.Ink) -> str:
    """An image as an address: brightness is opacity; where one row is read, the others are faint."""
    rows, columns = image.shape
    pixels = []
    for i, j in zip(*np.nonzero(image > 0.02), strict=True):
        opacity = float(np.clip(image[i, j], 0, 1)) * (1 if row is None or i == row else 0.25)
        pixels.append(f'<rect x="{j}" y="{i}" width="1" height="1" fill-opacity="{opacity:.2f}"/>')
    frame = f'<rect x="-.1" y="-.1" width="{columns + 0.2}" height="{rows + 0.2}" fill="none" stroke="{ink.muted}" stroke-width=".2"/>'
    if row is not None:
        frame += (
            f'<rect x="-.1" y="{row}" width="{columns + 0.2}" height="1" fill="none" stroke="{ink.foreground}" '
            'stroke-width=".25"/>'
        )
    drawn = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-.3 -.3 {columns + 0.6} {rows + 0.6}" width="320" height="320">'
        f'<g fill="{ink.input}" shape-rendering="crispEdges">{"".join(pixels)}</g>{frame}</svg>'
    )
    return "data:image/svg+xml;base64," + b64encode(drawn.encode()).decode()

"""The sequence shapes: the network of a task unrolled over one example, with all that enters it and leaves it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from rnn.figures import theme
from rnn.figures.characters import shielded
from rnn.figures.shape_plan import (
    APART,
    ARROW,
    CELL,
    GAP,
    HALF,
    LINE,
    SMALL,
    Column,
    Plan,
    has_image,
    is_both,
    is_unused,
    read_steps,
    symbol,
)  # fmt: skip
from rnn.figures.strokes import FIXED_WIDTH, Drawing, Label, arrow, hover, signed, texts
from rnn.records import Unrolled, UnrolledStep

TITLE, LEFT = 54, 36  # pixels of the title's two lines, and of the rows' names
LETTER, NAME, NUMBER = 15, 13, 11  # pixels of a symbol, of what is named, and of numbers in narrow boxes
READ = 0.16  # opacity of a symbol that is read: it is there, or it is not
FAINT = 0.72  # opacity of texts about what is not used
RANKED = 3  # likeliest classes that are named under the pointer

TITLES = {
    "digit": "One to one: an image in, a digit out",
    "digit-name": "One to many: an image in, letters out",
    "digit-rows": "Many to one: rows in, a digit out",
    "sentiment": "Many to one: words in, a judgement out",
    "fill-blank": "Many to one: text in, a character out",
    "next-character": "Many to many: the next character",
    "frames": "Many to many: a label for every frame",
    "number-names": "Seq2seq: English in, then French out",
    "caption": "Seq2seq: frames in, then words out",
}
MOST_QUOTED, MOST_SAID = 24, 38  # letters of an answer, and of a line in the title: a phone has no room for more

Values = NDArray[np.float32]
Dict = dict[str, Any]


def sequence_shape(unrolled: Unrolled, dark: bool = False) -> go.Figure:
    """The network over one example: inputs below, states in the middle, outputs on top, time from left to right.

    An output that does not count is dashed and grey. A right one has a tick; a wrong one has a cross, a frame and what
    would be right. Of many steps, some are left out.

    Args:
        unrolled: from `rnn.tasks.unrolling.unroll`.
        dark: whether it stands on a dark background.
    """
    scene = _Scene(unrolled, Plan.of(unrolled), theme.ink(dark))
    drawing, plan = scene.drawing(), scene.plan
    return theme.figure(
        [texts(drawing.labels), hover(drawing.labels)],
        f"{shielded(_title(unrolled))}<br>{shielded(_verdict(unrolled))}", "", "", dark, height=round(plan.top) + TITLE,
        xaxis={"range": [plan.left, plan.right], "visible": False, "fixedrange": True},
        yaxis={"range": [0, plan.top], "visible": False, "fixedrange": True},
        shapes=[*drawing.boxes, *drawing.frames], annotations=[*drawing.arrows, *scene.row_names()],
        images=scene.pictures(), margin={"l": LEFT, "r": 2, "t": TITLE, "b": 0}, dragmode=False, hovermode="closest",
        showlegend=False,
    )  # fmt: skip


def sequence_shape_alt(unrolled: Unrolled) -> str:
    """The figure in words."""
    columns = [_column_said(unrolled, column) for column in Plan.of(unrolled).columns]
    return " ".join([f"{_title(unrolled)}. {_verdict(unrolled)}.", *columns])


# The words --------------------------------------------------------------------------------------------------------


def _title(unrolled: Unrolled) -> str:
    return TITLES.get(unrolled.kind, unrolled.kind)


def _verdict(unrolled: Unrolled) -> str:
    """What is answered, and whether that is right."""
    answers = [step for step in unrolled.steps if step.counts]
    marks = [step.is_right for step in answers]
    if answers[-1].role == "network" and len(answers) > 1 and None not in marks:
        said = f"{sum(map(bool, marks))} of {len(marks)} answers are right"
        return f"{_mark(True)} {said}" if all(marks) else said
    chances = answers[0].probabilities
    chance = f", p = {chances.max():.2f}" if len(answers) == 1 and chances is not None else ""
    said, truth = _quoted(unrolled.predicted), f"it is {_quoted(unrolled.expected or '')}"
    if unrolled.is_right is None:
        return f"It answers {said}{chance}"
    if unrolled.is_right:
        return f"{_mark(True)} {said} is right{chance}"
    whole = f"{_mark(False)} {said}{chance}: {truth}"
    return whole if len(whole) <= MOST_SAID else f"{_mark(False)} wrong: {truth}"


def _mark(is_right: bool) -> str:
    return "✓" if is_right else "✗"


def _quoted(text: str) -> str:
    said = symbol(text) or "nothing"
    return f"“{said if len(said) <= MOST_QUOTED else said[: MOST_QUOTED - 1] + '…'}”"


def _column_said(unrolled: Unrolled, column: Column) -> str:
    match column.shows:
        case "gap":
            return f"{_steps_left_out(column)}."
        case "first" if has_image(unrolled):
            return f"The first hidden state comes from the image through a learned map: {_begins(unrolled.first)}."
        case "first":
            return "The first hidden state is zeros."
        case "last":
            return "The second direction begins here, with zeros."
        case "summary":
            return f"The summary, which the decoder starts from: {_begins(unrolled.summary[0])}."
        case _:
            return _step_said(unrolled, column.step)


def _steps_left_out(column: Column) -> str:
    return f"{column.left_out} {'step' if column.left_out == 1 else 'steps'} left out"


def _begins(values: Values | None) -> str:
    return "" if values is None else f"it begins {', '.join(signed(v) for v in values[:RANKED].tolist())}"


def _step_said(unrolled: Unrolled, t: int) -> str:
    step = unrolled.steps[t]
    said = f"{_name(unrolled, t).capitalize()} reads {_read_said(unrolled, t)}"
    if step.guess is None or step.probabilities is None:
        return f"{said}; no output."
    said += f"; says {_quoted(unrolled.classes[step.guess])} ({step.probabilities[step.guess]:.2f})"
    if not step.counts:
        return f"{said}, which is not used."
    if step.is_right is None or step.expected is None:
        return f"{said}."
    return f"{said}, right." if step.is_right else f"{said}, wrong: it is {_quoted(unrolled.classes[step.expected])}."


def _name(unrolled: Unrolled, t: int) -> str:
    role = unrolled.steps[t].role
    return f"step {_number(unrolled, t)}" + (f" of the {role}" if role != "network" else "")


def _number(unrolled: Unrolled, t: int) -> int:
    """Of the step, from 1; a decoder counts its own."""
    return t + 1 - (read_steps(unrolled) if unrolled.steps[t].role == "decoder" else 0)


def _read_said(unrolled: Unrolled, t: int) -> str:
    read = unrolled.steps[t].read
    if isinstance(read, str):
        return _quoted(read)
    return f"row {t + 1} of the image" if read.ndim == 1 else "an image"


def _ranked(unrolled: Unrolled, chances: Values) -> str:
    """The likeliest classes."""
    order = np.argsort(-chances, kind="stable")[:RANKED].tolist()
    return ", ".join(f"{_quoted(unrolled.classes[i])} {chances[i]:.3f}" for i in order)


def _short(number: str) -> str:
    """Without the zero before the point: .4, −.9, .98; and 1, not 1.0."""
    return number.removesuffix(".00").removesuffix(".0").replace("0.", ".", 1)


# The drawing ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Scene:
    """What is drawn, and where, and in which colours."""

    unrolled: Unrolled
    plan: Plan
    ink: theme.Ink

    def drawing(self) -> Drawing:
        columns = [self._column(number) for number in range(len(self.plan.columns))]
        return Drawing.joined([*columns, self._read_back(), self._roles(), self._not_used(), self._weights()])

    def _column(self, number: int) -> Drawing:
        column = self.plan.columns[number]
        match column.shows:
            case "gap":
                return self._gap(column)
            case "summary":
                return self._summary(number)
            case "first" | "last":
                return self._start(column)
            case _:
                return self._step(number)

    def _step(self, number: int) -> Drawing:
        """What enters, the state, and what comes out."""
        column, plan = self.plan.columns[number], self.plan
        step, name = self.unrolled.steps[column.step], _name(self.unrolled, column.step)
        parts = [self._input(column, name), self._cells(column.x, plan.hidden, step.h, f"{name}, h")]
        if self.unrolled.cell:
            parts.append(self._from_beside(number, plan.hidden))
        if step.h_backward is not None:
            parts.append(self._cells(column.x, plan.other, step.h_backward, f"{name}, h of the second direction"))
            parts.append(self._from_beside(number, plan.other, is_back=True))
            parts.append(self._around(column.x, step))
        if not self.unrolled.cell:
            parts.append(self._every_class(column.x, step))
        elif step.role != "encoder":
            parts.append(self._output(column.x, step, name))
        return Drawing.joined(parts)

    def _input(self, column: Column, name: str) -> Drawing:
        """What a step reads, and the way up from it; `pictures` has the images."""
        plan, read, x = self.plan, self.unrolled.steps[column.step].read, column.x
        time = str(_number(self.unrolled, column.step)) if self.unrolled.cell else ""
        up = arrow((x, plan.reads + plan.read_height), (x, plan.hidden), theme.INPUT)
        below = Drawing(labels=[Label(x, plan.reads - LINE / 2, time, self.ink.foreground, SMALL)], arrows=[up])
        middle, words = (
            plan.reads + plan.read_height / 2,
            f"{name} reads {shielded(_read_said(self.unrolled, column.step))}",
        )
        if not isinstance(read, str):
            return Drawing.joined([below, Drawing(labels=[Label(x, middle, "", self.ink.foreground, words=words)])])
        box = _box(x, plan.reads, plan.read_height, theme.INPUT, READ)
        on_it = theme.text_on(theme.INPUT, READ, self.ink.background)
        return Drawing.joined([Drawing([box]), below, self._symbol(x, middle, read, on_it, words)])

    def _cells(self, x: float, y: float, values: Values, name: str, colour: str = theme.HIDDEN) -> Drawing:
        """The first values of a vector, the first on top, the darker the larger."""
        boxes, labels, units = [], [], self.plan.units
        for unit, value in enumerate(values[:units].tolist(), 1):
            bottom = y + CELL * (units - unit)
            opacity = _opacity(abs(value))
            boxes.append(_box(x, bottom + 0.75, CELL - 1.5, colour, opacity))
            on_it = theme.text_on(colour, opacity, self.ink.background)
            text, size = (_short(signed(value)), NUMBER) if self.plan.is_dense else (signed(value), SMALL)
            words = f"{name}<br>unit {unit}: {value:.5f}"
            labels.append(Label(x, bottom + CELL / 2, text, on_it, size, words=words))
        return Drawing(boxes, labels)

    def _from_beside(self, number: int, y: float, is_back: bool = False) -> Drawing:
        """The state that comes from the column before; in the second direction, from the one after."""
        side = -1 if is_back else 1
        here, other = self.plan.columns[number], self.plan.columns[number - side]
        start = other.x + side * self._reach(other)
        middle = y + CELL * self.plan.units / 2
        return Drawing(arrows=[self._narrow(arrow((start, middle), (here.x - side * HALF, middle), theme.HIDDEN))])

    def _narrow(self, across: Dict) -> Dict:
        """An arrow with a smaller head, where there are few pixels between two boxes."""
        return across | {"arrowwidth": 1.2, "arrowsize": 1} if self.plan.is_dense else across

    def _reach(self, column: Column) -> float:
        """From the middle of a column to its end."""
        if column.shows == "summary":
            return len(self.unrolled.summary) / 2 + APART / 5
        return GAP / 2 - 0.05 if column.shows == "gap" else HALF

    def _around(self, x: float, step: UnrolledStep) -> Drawing:
        """Past the states of the first direction: the input to those of the second, and both to the output."""
        plan, aside = self.plan, HALF + 0.07
        fork, middle = plan.hidden - ARROW / 2, plan.other + CELL
        lines = [_line([(x, fork), (x - aside, fork), (x - aside, middle)], theme.INPUT)]
        heads = [arrow((x - aside, middle), (x - HALF + 0.02, middle), theme.INPUT)]
        if step.counts:
            start, end = plan.hidden + CELL, plan.output - ARROW / 2
            lines.append(_line([(x + HALF, start), (x + aside, start), (x + aside, end), (x, end)], theme.OUTPUT))
        return Drawing(frames=lines, arrows=heads)

    # Outputs

    def _output(self, x: float, step: UnrolledStep, name: str) -> Drawing:
        """What a step says, its probability, and whether it is right."""
        plan, faint = self.plan, theme.shade(self.ink.foreground, FAINT)
        y = plan.output + plan.output_height / 2
        if step.guess is None or step.probabilities is None:
            return Drawing([self._dashed(x)], [Label(x, y, "", faint, words=f"{name}: no output")])
        p, said = float(step.probabilities[step.guess]), self.unrolled.classes[step.guess]
        words = f"{name}<br>{shielded(_ranked(self.unrolled, step.probabilities))}"
        if step.counts:
            colour, opacity, written = theme.OUTPUT, _opacity(p), self.ink.foreground
            box = _box(x, plan.output, plan.output_height, colour, opacity)
            on_it = theme.text_on(colour, opacity, self.ink.background)
        else:
            colour, written, box, on_it, words = self.ink.muted, faint, self._dashed(x), faint, f"{words}<br>not used"
        chance = f"{p:.2f}" if not plan.is_dense else _short(f"{p:.2f}")
        above = Label(x, plan.marks - LINE / 2, chance, written, NUMBER if plan.is_dense else SMALL)
        up = arrow((x, plan.states_end), (x, plan.output), colour)
        drawn = [Drawing([box], [above], arrows=[up]), self._symbol(x, y, said, on_it, words)]
        return Drawing.joined([*drawn, self._marked(x, step)])

    def _marked(self, x: float, step: UnrolledStep) -> Drawing:
        """A tick; or a cross, a frame, and what would be right."""
        if step.is_right is None or step.expected is None:
            return Drawing()
        plan = self.plan
        mark = Label(x, plan.marks + LINE / 2, f"<b>{_mark(step.is_right)}</b>", self.ink.foreground, LETTER)
        if step.is_right:
            return Drawing(labels=[mark])
        y = (plan.marks + LINE + plan.top - 4) / 2
        right = self.unrolled.classes[step.expected]
        words = f"right would be {shielded(_quoted(right))}"
        framed = Drawing(labels=[mark], frames=[self._frame(x)])
        return Drawing.joined([framed, self._symbol(x, y, right, self.ink.foreground, words)])

    def _every_class(self, x: float, step: UnrolledStep) -> Drawing:
        """The whole softmax, where the only output has all the room."""
        plan, classes = self.plan, self.unrolled.classes
        assert step.probabilities is not None
        pitch = (plan.right - plan.left) / len(classes)
        half = 0.44 * pitch
        up = arrow((x, plan.states_end), (x, plan.output - 4), theme.OUTPUT)
        parts = [Drawing(arrows=[up])]
        for index, (name, p) in enumerate(zip(classes, step.probabilities.tolist(), strict=True)):
            at, opacity = plan.left + (index + 0.5) * pitch, _opacity(p)
            on_it = theme.text_on(theme.OUTPUT, opacity, self.ink.background)
            words = f"{shielded(_quoted(name))}: p = {p:.5f}"
            labels = [
                Label(at, plan.output + plan.output_height / 2, shielded(symbol(name)), on_it, LETTER, words=words),
                Label(at, plan.marks - LINE / 2, f"{p:.2f}", self.ink.foreground, NUMBER),
            ]
            mark = "" if step.is_right is None else _mark(step.is_right) if index == step.guess else ""
            mark = mark or ("is" if index == step.expected else "")
            labels.append(Label(at, plan.marks + LINE / 2, f"<b>{mark}</b>", self.ink.foreground, LETTER))
            frames = [self._frame(at, half)] if index == step.guess and step.is_right is False else []
            parts.append(
                Drawing([_box(at, plan.output, plan.output_height, theme.OUTPUT, opacity, half)], labels, frames)
            )
        return Drawing.joined(parts)

    def _frame(self, x: float, half: float = HALF) -> Dict:
        """Around an output that is wrong."""
        box = _box(x, self.plan.output - 1, self.plan.output_height + 2, self.ink.foreground, 0, half)
        return box | {"line": {"color": self.ink.foreground, "width": 2.5}}

    def _dashed(self, x: float) -> Dict:
        """An output that does not count, or is not there."""
        box = _box(x, self.plan.output, self.plan.output_height, self.ink.muted, 0.08)
        return box | {"line": {"color": self.ink.muted, "width": 1.3, "dash": "3px,3px"}}

    # What a network starts from, and what is left out

    def _start(self, column: Column) -> Drawing:
        """The first state of a direction: zeros, or what an image is mapped to."""
        plan, x = self.plan, column.x
        assert self.unrolled.first is not None
        y, name = (plan.other, "beginning") if column.shows == "last" else (plan.hidden, "h before the first step")
        is_short = plan.is_dense or has_image(self.unrolled)
        text = "h<sub>0</sub>" if is_short else "h<sub>0</sub> = 0"
        label = Label(x, y + CELL * plan.units + LINE / 2, text, self.ink.hidden, NAME)
        drawn = Drawing.joined([self._cells(x, y, self.unrolled.first, name), Drawing(labels=[label])])
        if not has_image(self.unrolled):
            return drawn
        up = arrow((x, plan.reads + plan.read_height), (x, plan.hidden), theme.INPUT)
        y, words = plan.hidden - ARROW / 2, "a learned linear map, one for each layer"
        learned = Label(x, y, "\N{NO-BREAK SPACE}map", self.ink.input, NAME, "middle right", words=words)
        return Drawing.joined([drawn, Drawing(labels=[learned], arrows=[up])])

    def _summary(self, number: int) -> Drawing:
        """What the decoder gets of all that was read, framed and named."""
        plan, x, y = self.plan, self.plan.columns[number].x, self.plan.hidden
        vectors = self.unrolled.summary
        kinds = [("h", theme.HIDDEN, self.ink.hidden), ("c", theme.CELL_STATE, self.ink.foreground)]
        parts = []
        for part, (vector, (letter, colour, on_page)) in enumerate(zip(vectors, kinds, strict=False)):
            at = x + part - (len(vectors) - 1) / 2
            label = Label(at, y - LINE / 2 - 3, letter, on_page, NAME)
            parts += [self._cells(at, y, vector, f"summary, {letter}", colour), Drawing(labels=[label])]
        half, end = self._reach(self.plan.columns[number]), y + CELL * plan.units + 4
        line = {"color": self.ink.foreground, "width": 2}
        frame = {"type": "rect", "x0": x - half, "x1": x + half, "y0": y - 4, "y1": end, "line": line}
        name = Label(x, end + LINE / 2, "<b>summary</b>", self.ink.foreground, NAME)
        before, middle = plan.columns[number - 1], y + CELL * plan.units / 2
        into = self._narrow(arrow((before.x + self._reach(before), middle), (x - half, middle), theme.HIDDEN))
        return Drawing.joined([*parts, Drawing(labels=[name], frames=[frame], arrows=[into])])

    def _gap(self, column: Column) -> Drawing:
        middle = (self.plan.hidden + self.plan.states_end) / 2
        faint = theme.shade(self.ink.foreground, FAINT)
        return Drawing(arrows=[_upright(column.x, middle, _steps_left_out(column), faint)])

    # Over all columns

    def _read_back(self) -> Drawing:
        """A decoder reads what it has just written: from each output to the next input."""
        plan, columns = self.plan, self.plan.columns
        high, low = plan.output + plan.output_height / 2, plan.reads + plan.read_height / 2
        lines, heads = [], []
        for here, after in pairwise(columns):
            if here.shows == after.shows == "step" and self.unrolled.steps[here.step].role == "decoder":
                between = (here.x + after.x) / 2
                lines.append(_line([(here.x + HALF, high), (between, high), (between, low)], theme.OUTPUT, "dot"))
                heads.append(arrow((between, low), (after.x - HALF, low), theme.OUTPUT) | {"arrowwidth": 1.2})
        return Drawing(frames=lines, arrows=heads)

    def _roles(self) -> Drawing:
        """Under the columns of an encoder and of a decoder, which is which."""
        lines, labels = [], []
        for role in ("encoder", "decoder") if self.unrolled.summary else ():
            at = [column.x for column in self.plan.steps() if self.unrolled.steps[column.step].role == role]
            lines.append(_line([(at[0] - HALF, LINE), (at[-1] + HALF, LINE)], self.ink.muted))
            labels.append(Label((at[0] + at[-1]) / 2, LINE / 2, f"<b>{role}</b>", self.ink.foreground, NAME))
        return Drawing(labels=labels, frames=lines)

    def _not_used(self) -> Drawing:
        """Over the outputs that do not count, that they don't."""
        at = [column.x for column in self.plan.steps() if is_unused(self.unrolled.steps[column.step])]
        y = self.plan.marks + LINE / 2
        return Drawing(labels=[Label((at[0] + at[-1]) / 2, y, "not used", self.ink.foreground, NAME)] if at else [])

    def _weights(self) -> Drawing:
        """W_hh over its first arrow, where that is long enough."""
        columns = self.plan.columns
        if columns[0].shows != "first" or columns[1].x - columns[0].x <= 1:
            return Drawing()
        y = self.plan.hidden + CELL * self.plan.units / 2 + LINE / 2 + 2
        return Drawing(labels=[Label((columns[0].x + columns[1].x) / 2, y, "W<sub>hh</sub>", self.ink.hidden, SMALL)])

    def row_names(self) -> list[Dict]:
        """What the rows are, beside them."""
        plan, ink = self.plan, self.ink
        height, H = CELL * plan.units, len(self.unrolled.steps[-1].h)
        is_wrong = any(self.unrolled.steps[column.step].is_right is False for column in plan.steps())
        right = "right" if is_wrong and self.unrolled.cell else ""
        hidden = "h" if not is_both(self.unrolled) else "h→"
        names = [
            (plan.reads - LINE / 2, "t" if self.unrolled.cell else "", ink.foreground, 0),
            (plan.reads + plan.read_height / 2, "x", ink.input, 0),
            (plan.hidden - ARROW / 2, "W<sub>xh</sub>", ink.input, 0),
            (plan.hidden + height / 2, f"{hidden} {plan.units} of {H}", ink.hidden, -90),
            (plan.other + height / 2, f"h← {plan.units} of {H}" if is_both(self.unrolled) else "", ink.hidden, -90),
            (plan.output - ARROW / 2, "W<sub>hy</sub>", ink.output, 0),
            (plan.output + plan.output_height / 2, "y", ink.output, 0),
            (plan.marks - LINE / 2, "p", ink.foreground, 0),
            ((plan.marks + LINE + plan.top - 4) / 2, right, ink.foreground, 0),
        ]  # fmt: skip
        return [
            {
                "x": 0, "xref": "paper", "xshift": -LEFT / 2 - 3, "y": y, "text": text, "showarrow": False,
                "font": {"color": colour, "size": NAME}, "textangle": angle,
            }
            for y, text, colour, angle in names
            if text
        ]  # fmt: skip

    def pictures(self) -> list[Dict]:
        """The images that enter, square at any width; where a row is read, the image with this row marked."""
        placed: list[tuple[float, Values, int | None]] = []
        for column in self.plan.columns:
            read = self.unrolled.steps[column.step].read
            if column.shows == "first" and has_image(self.unrolled) and self.unrolled.image is not None:
                placed.append((column.x, self.unrolled.image, None))
            elif column.shows == "step" and not isinstance(read, str):
                image = self.unrolled.image if read.ndim == 1 else read
                assert image is not None  # rows are rows of it
                placed.append((column.x, image, column.step if read.ndim == 1 else None))
        height = self.plan.read_height
        return [
            {
                "source": _svg(image, row, self.ink), "xref": "x", "yref": "y", "x": x,
                "y": self.plan.reads + height / 2, "xanchor": "center", "yanchor": "middle", "sizex": 0.94,
                "sizey": height, "sizing": "contain", "layer": "above",
            }
            for x, image, row in placed
        ]  # fmt: skip

    def _symbol(self, x: float, y: float, text: str, colour: str, words: str) -> Drawing:
        """A character or a word, upright where it is too long for its box."""
        shown = shielded(symbol(text))
        if not self.plan.has_room(text):
            return Drawing(labels=[Label(x, y, "", colour, words=words)], arrows=[_upright(x, y, shown, colour)])
        if len(symbol(text)) > 1:
            return Drawing(labels=[Label(x, y, shown, colour, SMALL, words=words)])
        return Drawing(labels=[Label(x, y, shown, colour, LETTER, family=FIXED_WIDTH, words=words)])


# The strokes ------------------------------------------------------------------------------------------------------


def _opacity(magnitude: float) -> float:
    """A box is seen even at 0."""
    return 0.06 + 0.94 * min(magnitude, 1.0)


def _box(x: float, y: float, height: float, colour: str, opacity: float, half: float = HALF) -> Dict:
    return {
        "type": "rect", "x0": x - half, "x1": x + half, "y0": y, "y1": y + height, "layer": "below",
        "fillcolor": theme.shade(colour, opacity), "line": {"color": colour, "width": 1},
    }  # fmt: skip


def _line(points: Sequence[tuple[float, float]], colour: str, dash: str = "solid") -> Dict:
    path = "M" + "L".join(f"{x:.4f},{y:.1f}" for x, y in points)
    return {"type": "path", "path": path, "layer": "below", "line": {"color": colour, "width": 1.4, "dash": dash}}


def _upright(x: float, y: float, text: str, colour: str) -> Dict:
    """Text from bottom to top."""
    return {
        "x": x, "y": y, "text": text, "textangle": -90, "showarrow": False, "font": {"color": colour, "size": SMALL},
    }  # fmt: skip


def _svg(image: Values, row: int | None, ink: theme.Ink) -> str:
    """An image as an address of its own: brightness is opacity; where one row is read, the others are faint."""
    height, width = image.shape
    pixels = []
    for i, j in zip(*np.nonzero(image > 0.02), strict=True):
        opacity = float(np.clip(image[i, j], 0, 1)) * (1 if row in (None, i) else 0.25)
        pixels.append(f'<rect x="{j}" y="{i}" width="1" height="1" fill-opacity="{opacity:.2f}"/>')
    marked = "" if row is None else _outline(row, width, 1, ink.foreground)
    drawn = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-.3 -.3 {width + 0.6} {height + 0.6}" width="320" '
        f'height="320"><g fill="{ink.input}" shape-rendering="crispEdges">{"".join(pixels)}</g>'
        f"{_outline(0, width, height, ink.muted)}{marked}</svg>"
    )
    return "data:image/svg+xml;base64," + b64encode(drawn.encode()).decode()


def _outline(y: int, width: int, height: int, colour: str) -> str:
    place = f'x="-.1" y="{y - 0.1}" width="{width + 0.2}" height="{height + 0.2}"'
    return f'<rect {place} fill="none" stroke="{colour}" stroke-width=".22"/>'

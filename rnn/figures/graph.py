"""A stretch of a text, unrolled: a column per time step with its real numbers, and the gradient on its way back.

What a column shows adapts to how many there are: up to `ROOMY` of them have their numbers written; of more, a strip
of cells shows the state, in which a dash marks what is negative, and pointing at a cell gives its number.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from rnn.config import ModelConfig
from rnn.figures import strokes, theme
from rnn.figures.characters import shielded, visible
from rnn.figures.strokes import FIXED_WIDTH, HALF, ROW, Label, signed
from rnn.records import LayerTrace, Trace

if TYPE_CHECKING:  # it needs torch
    from rnn.gradients.contributions import Contributions

MOST = 40  # columns
ROOMY = 12  # columns up to which numbers are written
LEAST = 5  # columns that the width is parted into at least
NAMES = 84  # pixels on the left, for the names of the rows
EDGE = 8  # pixels on the right
HEADING = 58  # pixels of the title's two lines
INPUT = 24  # the bottom of the input boxes; the numbers of the steps stand below
SECOND = 24  # from the strip of one direction to that of the other
LOSS = 40  # of the tallest loss
LOWEST = 56  # a strip, so that its names have room beside it
THIN, THICK = 1.6, 4.0  # arrows, and those of the matrix that is lit
NARROWEST, WIDEST = 2.0, 16.0  # the gradient's arrows
FAINT, VEIL = 0.25, 0.14  # arrows that are not lit, and what lies over the columns that are not the current one
COLUMN = {True: 58, False: 19}  # pixels that a column needs, where numbers are written and where they are not

Array = NDArray[np.float32]
Dict = dict[str, Any]
Point = tuple[float, float]


@dataclass(frozen=True)
class Stretch:
    """Which part of a trace is drawn, and what of it.

    Attributes:
        trace: what happened inside the model.
        model: its settings.
        name: what the title calls it, "LSTM", say.
        start: the first step, from 0.
        steps: how many columns, at most `MOST`.
        current: the step that is lit, from 0 at the beginning of the text.
        unit: a unit that is among those shown, from 0.
        chosen: the layer and direction (1: from the end) whose unit it is.
        vector: "h", or "c" of an LSTM.
        lit: the key of a matrix that is lit, or "".
        predicts: whether the outputs are of the next character, so that there is a target and a loss.
    """

    trace: Trace
    model: ModelConfig
    name: str
    start: int
    steps: int
    current: int
    unit: int = 0
    chosen: tuple[int, int] = (0, 0)
    vector: str = "h"
    lit: str = ""
    predicts: bool = True

    @property
    def shown(self) -> range:
        """The steps, from 0."""
        return range(self.start, min(self.start + min(self.steps, MOST), len(self.trace)))

    @property
    def is_roomy(self) -> bool:
        """Whether numbers are written; of many matrices, the names are longer."""
        is_plain = self.model.num_layers == 1 and not self.model.bidirectional
        return len(self.shown) <= (ROOMY if is_plain else ROOMY - 4)

    @property
    def units(self) -> range:
        """The units that are shown: the block that the chosen one is in."""
        L, H = self.model.num_layers, self.model.hidden_size
        size = (4 if L == 1 else 3) if self.is_roomy else (14 if L == 1 else 9)
        first = min(self.unit // size * size, max(H - size, 0))
        return range(first, min(first + size, H))

    @property
    def width(self) -> int:
        """The pixels that the figure needs so that nothing overlaps."""
        return NAMES + EDGE + COLUMN[self.is_roomy] * (len(self.shown) + self.model.directions)

    def target(self, t: int) -> int | None:
        """The index of the character that came after step t, where that is what the network predicts."""
        return int(self.trace.indices[t + 1]) if self.predicts and t + 1 < len(self.trace) else None

    def guesses(self, t: int) -> list[int]:
        """The likeliest characters after step t, likeliest first; where a target is not there, it is the last."""
        if not self.is_roomy:
            return [int(self.trace.probabilities[t].argmax())]
        order: list[int] = np.argsort(-self.trace.probabilities[t], kind="stable")[:3].tolist()
        target = self.target(t)
        return order if target is None or target in order else [*order[:-1], target]


class Matrix(NamedTuple):
    """One of the matrices that all steps share."""

    key: str  # "W_hh 0", "W_hh 0 reverse"
    name: str  # as Plotly writes it
    plain: str  # as words write it
    shape: tuple[int, int]

    @property
    def words(self) -> str:
        return f"{self.name}, {self.shape[0]:,} × {self.shape[1]:,}: the same matrix at every step"


def matrices(model: ModelConfig, vocabulary_size: int) -> list[Matrix]:
    """The shared matrices, from the lowest layer to the output."""
    shapes = model.parameter_shapes(vocabulary_size)
    found = list[Matrix]()
    for layer in range(model.num_layers):
        for reverse in (False, True)[: model.directions]:
            for letter, parameter in (("x", "weight_ih"), ("h", "weight_hh")):
                where = (f",{layer + 1}" if model.num_layers > 1 else "") + ("←" if reverse else "")
                suffix = f"_l{layer}" + ("_reverse" if reverse else "")
                words = (f" of layer {layer + 1}" if model.num_layers > 1 else "") + (" (←)" if reverse else "")
                rows, columns = shapes[f"recurrent.{parameter}{suffix}"]
                found.append(
                    Matrix(
                        _key(f"W_{letter}h", layer, reverse), f"W<sub>{letter}h{where}</sub>", f"W_{letter}h{words}",
                        (rows, columns),
                    )
                )  # fmt: skip
    rows, columns = shapes["head.weight"]
    return [*found, Matrix("W_hy", "W<sub>hy</sub>", "W_hy", (rows, columns))]


def _key(name: str, layer: int, reverse: bool) -> str:
    return f"{name} {layer}" + (" reverse" if reverse else "")


# The figure and its words -----------------------------------------------------------------------------------------


def graph(stretch: Stretch, flow: Contributions | None = None, dark: bool = False) -> go.Figure:
    """The columns of a stretch, joined by the matrices that all of them share.

    Args:
        stretch: what is drawn.
        flow: the gradient of its total loss; None: the network reads forward.
        dark: whether it stands on a dark background.
    """
    return _Drawing(stretch, flow, theme.ink(dark)).figure(dark)


def graph_alt(stretch: Stretch, flow: Contributions | None = None) -> str:
    """The figure in words."""
    trace, sentences = stretch.trace, [theme.spoken([_plain(line) for line in title(stretch, flow)]) + "."]
    for t in stretch.shown:
        likely = ", ".join(
            f"“{visible(trace.characters[i])}” {trace.probabilities[t, i]:.2f}" for i in stretch.guesses(t)
        )
        states = trace.states[t]
        if (vector := stretch.vector if flow is None else "h") == "c":
            states = np.concatenate([one.c[t] for one in trace.layers[-1] if one.c is not None])
        state = f"{vector} has the norm {float(np.linalg.norm(states)):.2f}"
        target = stretch.target(t)
        came = f"; “{visible(trace.characters[target])}” came" if target is not None else ""
        back = ""
        if flow is not None and t - stretch.start < len(flow.losses):
            back = f"; the gradient at h has the norm {flow.states[t - stretch.start + 1, -1]:.3g}"
        sentences.append(f"Step {t + 1} reads “{visible(trace.text[t])}”; {state}; it expects {likely}{came}{back}.")
    return " ".join(sentences)


def title(stretch: Stretch, flow: Contributions | None = None) -> tuple[str, str]:
    """What is shown now, in two lines."""
    trace, shown = stretch.trace, stretch.shown
    T = len(shown)
    if flow is not None:
        norms = flow.states[1:, -1]
        most = int(norms.argmax())
        losses = f"the sum of {len(flow.losses)} losses" if len(flow.losses) > 1 else "one loss"
        first = f"Backward: total loss {flow.total:.2f} nats, {losses}"
        t = shown[most]
        return first, (
            f"‖dL/dh<sub>t</sub>‖ is largest at t = {t + 1} (“{shielded(visible(trace.text[t]))}”): {norms[most]:.3g}"
        )
    targets = [(t, i) for t in shown if (i := stretch.target(t)) is not None]
    both = ", both directions," if stretch.model.bidirectional else ""
    first = f"One {stretch.name}{both} at {T} steps" if T > 1 else f"One {stretch.name}{both} at one step"
    if targets:
        mean = trace.losses[[t for t, _ in targets]].mean()
        first += f": {mean:.2f} nats a character"
    lit = next((m for m in matrices(stretch.model, len(trace.characters)) if m.key == stretch.lit), None)
    if lit is not None:
        return first, lit.words
    if targets:
        right = sum(int(trace.probabilities[t].argmax()) == i for t, i in targets)
        return first, f"The likeliest character came {right} of {len(targets)} times"
    return first, "The same matrices at every step"


def _plain(line: str) -> str:
    for tag in ("<sub>", "</sub>"):
        line = line.replace(tag, "")
    return line.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


class _Strip(NamedTuple):
    """The states of one layer in one direction, and where they stand."""

    layer: int
    reverse: bool
    one: LayerTrace
    y: float
    height: float

    @property
    def middle(self) -> float:
        return self.y + self.height / 2

    @property
    def top(self) -> float:
        return self.y + self.height


class _Arrows(NamedTuple):
    """Those of one matrix: one trace of lines and one of heads, so that many cost as much as one."""

    matrix: Matrix
    colour: str
    lines: Sequence[Sequence[Point]]  # with a head at the end
    joining: Sequence[Sequence[Point]] = ()  # without one
    is_faint: bool = False

    def traces(self, lit: str) -> list[Dict]:
        is_lit = lit == self.matrix.key
        opacity, width = (FAINT if self.is_faint or (lit and not is_lit) else 1.0), THICK if is_lit else THIN
        if not self.lines:
            return []
        (x0, y0), (x1, y1) = self.lines[0][-2:]
        across, upward = x1 - x0, y1 - y0
        angle = (0 if upward > 0 else 180) if upward else (90 if across > 0 else 270)
        heads = [line[-1] for line in self.lines]
        size = 13 if is_lit else 9
        paths = [*self.lines, *self.joining]
        flat = list[tuple[float | None, float | None]]()
        for path in paths:
            flat += [*path, (None, None)]
        return [
            {
                "type": "scatter", "mode": "lines", "x": [x for x, _ in flat], "y": [y for _, y in flat],
                "line": {"color": self.colour, "width": width}, "opacity": opacity, "hoverinfo": "skip",
            },
            {
                "type": "scatter", "mode": "markers", "x": [x for x, _ in heads], "y": [y for _, y in heads],
                "marker": {"symbol": "arrow", "angle": angle, "size": size, "color": self.colour, "opacity": opacity},
                "cliponaxis": False, "hoverinfo": "skip",
            },
        ]  # fmt: skip


class _Drawing:
    """Collects what is drawn."""

    def __init__(self, stretch: Stretch, flow: Contributions | None, ink: theme.Ink) -> None:
        self.stretch, self.flow, self.ink = stretch, flow, ink
        self.trace, self.model, self.roomy = stretch.trace, stretch.model, stretch.is_roomy
        self.T, self.first = len(stretch.shown), stretch.start
        is_plain = self.model.num_layers == 1 and not self.model.bidirectional
        wide_columns = ROOMY - 4 if is_plain else 4
        is_narrow = self.roomy and wide_columns < self.T
        self.half = 0.27 if is_narrow else HALF  # so that the arrows between have room
        self.is_named = self.roomy and not self.model.bidirectional  # the matrices, at every arrow
        self.cell = ROW if self.roomy else max(8, math.ceil(LOWEST / len(stretch.units)))
        self.arrow = 40 if self.roomy else 30
        self.vector = stretch.vector if flow is None else "h"
        self.colour = theme.CELL_STATE if self.vector == "c" else theme.HIDDEN
        self.labels: list[Label] = []
        self.shapes: list[Dict] = []
        self.cells: list[Dict] = []
        self.unseen: list[Label] = []
        self.row_names: list[tuple[float, str, str]] = []  # y, text, colour
        self.matrices = {m.key: m for m in matrices(self.model, len(self.trace.characters))}
        self.strips = list(self._places())
        self.outputs = self.strips[-1].top + self.arrow
        self.rows = 3 if self.roomy else 1
        self.targets = self.outputs + self.rows * ROW
        has_targets = stretch.predicts and not self.roomy
        self.losses = self.targets + (ROW + 6 if has_targets else 4)
        self.top = self.losses + ((20 if self.roomy else LOSS + 16) if stretch.predicts else 0)

    def _places(self) -> Iterator[_Strip]:
        y, height = float(INPUT + ROW), float(self.cell * len(self.stretch.units))
        for layer, passes in enumerate(self.trace.layers):
            y += self.arrow
            for one in passes:
                yield _Strip(layer, one.reverse, one, y, height)
                y += height + SECOND
            y -= SECOND

    def figure(self, dark: bool) -> go.Figure:
        self._inputs()
        for strip in self.strips:
            self._strip(strip)
        self._outputs()
        if self.stretch.predicts:
            self._losses()
        arrows = [*chain.from_iterable(a.traces(self.stretch.lit) for a in self._arrows())]
        flowing = self._flow() if self.flow is not None else []
        self._light()
        last = max(self.T, LEAST) + 0.5 + (self.model.directions - 1) * 0.95
        return theme.figure(
            [*self.cells, *arrows, *flowing, strokes.texts(self.labels), self._hover()],
            "<br>".join(title(self.stretch, self.flow)), "", "", dark, height=round(self.top) + HEADING,
            xaxis={"visible": False, "range": [-0.45, last], "fixedrange": True},
            yaxis={"visible": False, "range": [0, self.top], "fixedrange": True}, shapes=self.shapes,
            annotations=self._names(), margin={"l": NAMES, "r": EDGE, "t": HEADING, "b": 0}, dragmode=False,
            hovermode="closest", hoverdistance=4, showlegend=False, hoverlabel={"align": "left"},
        )  # fmt: skip

    def _hover(self) -> Dict:
        found = strokes.hover(self.unseen)
        found["marker"] = {"size": 14 if self.roomy else 9, "opacity": 0}
        return found

    # The parts of a column --------------------------------------------------------------------------------------

    def _x(self, t: int) -> int:
        """The column of step t, from 1."""
        return t - self.first + 1

    def _grid(
        self,
        columns: Sequence[float],
        y: float,
        height: float,
        values: NDArray[Any],
        colour: str,
        words: list[list[str]],
    ) -> None:
        """Cells in columns, the first row on top: values (rows, columns) from 0 to 1, the larger the fuller.

        A heat map with columns of nothing between: one trace, however many cells there are.
        """
        rows, gap = len(values), (3.0 if height >= ROW else 1.0)
        z = np.full((rows, 2 * len(columns) - 1), np.nan, np.float32)
        z[:, ::2] = values[::-1]
        texts = [list(chain.from_iterable((word, "") for word in row))[:-1] for row in words[::-1]]
        edges = list(chain.from_iterable((x - self.half, x + self.half) for x in columns))
        self.cells.append(
            {
                "type": "heatmap", "x": edges, "y": [y + height * row for row in range(rows + 1)], "z": z,
                "zmin": 0, "zmax": 1, "colorscale": [[0, theme.shade(colour, 0.07)], [1, theme.shade(colour, 1)]],
                "showscale": False, "ygap": gap, "text": texts, "hovertemplate": "%{text}<extra></extra>",
                "hoverongaps": False,
            }
        )  # fmt: skip
        if self.roomy:
            self.shapes += [
                {
                    "type": "rect", "x0": x - self.half, "x1": x + self.half, "y0": y + height * row + gap / 2,
                    "y1": y + height * (row + 1) - gap / 2, "line": {"color": colour, "width": 1},
                }
                for x in columns for row in range(rows)
            ]  # fmt: skip
        else:
            self.shapes += [
                {
                    "type": "rect", "x0": x - self.half, "x1": x + self.half, "y0": y, "y1": y + height * rows,
                    "line": {"color": theme.shade(colour, 0.6), "width": 1},
                }
                for x in columns
            ]  # fmt: skip

    def _inputs(self) -> None:
        characters = [visible(self.trace.text[t]) for t in self.stretch.shown]
        words = [
            f"step {t + 1} reads “{shielded(c)}”{self._embedded()}"
            for t, c in zip(self.stretch.shown, characters, strict=True)
        ]
        columns = range(1, self.T + 1)
        self._grid(columns, INPUT, ROW, np.ones((1, self.T)), theme.INPUT, [words])
        for x, t, character in zip(columns, self.stretch.shown, characters, strict=True):
            on_it = self._text_on(theme.INPUT, 1, x)
            self.labels.append(self._character(x, INPUT + ROW / 2, character, on_it, self.roomy))
            is_current = t == self.stretch.current
            is_round = (t + 1) % 5 == 0 and abs(t - self.stretch.current) > 1
            if self.roomy or is_current or is_round:
                number = f"t = {t + 1}" if self.roomy else f"{t + 1}"
                self.labels.append(
                    Label(x, INPUT / 2 - 1, f"<b>{number}</b>" if is_current else number, self.ink.foreground, 12)
                )

    def _character(self, x: float, y: float, character: str, colour: str, has_room: bool = False) -> Label:
        """One character; a name such as U+200B stands where it has room, else three dots, and the words name it."""
        if len(character) > 1 and not character.startswith("◌"):
            return Label(x, y, character if has_room else "…", colour, 9, family=FIXED_WIDTH)
        return Label(x, y, shielded(character), colour, 14, family=FIXED_WIDTH)

    def _embedded(self) -> str:
        size = self.model.embedding_size
        return (
            f"<br>x<sub>t</sub>: {size} numbers, its row of the embedding"
            if size
            else "<br>x<sub>t</sub>: its one-hot vector"
        )

    def _strip(self, strip: _Strip) -> None:
        """The states of one layer after each step, and the one that the first step begins with."""
        stretch, one = self.stretch, strip.one
        units = stretch.units
        values = one.c if self.vector == "c" and one.c is not None else one.h
        before = one.c_before if values is one.c else one.h_before
        assert before is not None  # there is one of everything that there is
        begin, end = self.stretch.shown[0], self.stretch.shown[-1]
        rows = values[begin : end + 1]
        if strip.reverse:
            steps, columns, states = [*range(begin, end + 1), end + 1], [*range(1, self.T + 2)], [*rows, before[end]]
        else:
            steps, columns, states = [begin - 1, *range(begin, end + 1)], [*range(self.T + 1)], [before[begin], *rows]
        whole = np.stack(states)  # (T + 1, H)
        numbers = whole[:, units.start : units.stop].T  # (units, T + 1)
        scale = max(1.0, float(np.abs(numbers).max()))
        sizes = np.abs(numbers) / scale
        names = [f"{self.vector}<sub>{t + 1}</sub>" for t in steps]
        if not strip.reverse and begin == 0:
            names[0] += ", all 0"
        vectors = [self._vector(name, state, strip) for name, state in zip(names, whole, strict=True)]
        words = [
            [
                f"{names[i].split(',')[0]}, unit {unit + 1} = {float(row[i]):.5f}<br>{vectors[i]}"
                for i in range(len(steps))
            ]
            for unit, row in zip(units, numbers, strict=True)
        ]
        self._grid(columns, strip.y, self.cell, sizes, self.colour, words)
        self._signs(strip, columns, numbers, sizes)
        if (strip.layer, int(strip.reverse)) == stretch.chosen:
            self._mark(strip)
        at_start = columns[-1] if strip.reverse else 0
        zero = "0" if (strip.reverse and end + 1 == len(self.trace)) or (not strip.reverse and begin == 0) else ""
        name = f"{self.vector}<sub>{steps[-1] + 1 if strip.reverse else begin}</sub>" + (" = 0" if zero else "")
        if not zero or self.roomy or strip.reverse:
            self.labels.append(Label(at_start, strip.y - 9, name, self._text_colour(), 12))
        else:
            self.labels.append(Label(at_start - 0.2, strip.y - 9, name, self._text_colour(), 12))

    def _mark(self, strip: _Strip) -> None:
        """Around the chosen unit in the current column."""
        x, row = self._x(self.stretch.current), self.stretch.unit - self.stretch.units.start
        top = strip.top - self.cell * row
        self.shapes.append(
            {
                "type": "rect", "x0": x - self.half, "x1": x + self.half, "y0": top - self.cell, "y1": top,
                "line": {"color": self.ink.foreground, "width": 2},
            }
        )  # fmt: skip

    def _vector(self, name: str, state: Array, strip: _Strip) -> str:
        """A state in words: its first numbers and its norm."""
        units = self.stretch.units
        shown = "  ".join(signed(float(v)) for v in state[units.start : units.stop])
        where = f"layer {strip.layer + 1}, " if self.model.num_layers > 1 else ""
        norm = float(np.linalg.norm(state))
        first = f"{where}units {units.start + 1}–{units.stop} of {len(state)}:"
        return f"{first}<br>{shown}<br>‖{name.split(',')[0]}‖ = {norm:.3f}"

    def _text_colour(self) -> str:
        return self.ink.cell_state if self.vector == "c" else self.ink.hidden

    def _signs(self, strip: _Strip, columns: Sequence[int], numbers: Array, sizes: Array) -> None:
        """The numbers in the cells or, where there is no room for them, a dash in each that is negative."""
        rows, T = numbers.shape
        at = [(row, i) for row in range(rows) for i in range(T)]
        middles = [(columns[i], strip.top - self.cell * (row + 0.5)) for row, i in at]
        colours = [self._text_on(self.colour, 0.07 + 0.93 * float(sizes[row, i]), columns[i]) for row, i in at]
        if self.roomy:
            self.labels += [
                Label(x, y, signed(float(numbers[row, i])), colour, 13, family=FIXED_WIDTH)
                for (row, i), (x, y), colour in zip(at, middles, colours, strict=True)
            ]
            return
        dashes = [(x, y, c) for (row, i), (x, y), c in zip(at, middles, colours, strict=True) if numbers[row, i] < 0]
        self.cells.append(
            {
                "type": "scatter", "mode": "markers", "x": [x for x, _, _ in dashes], "y": [y for _, y, _ in dashes],
                "marker": {
                    "symbol": "line-ew", "size": 6, "line": {"width": 1.5, "color": [c for _, _, c in dashes]},
                },
                "hoverinfo": "skip",
            }
        )  # fmt: skip

    def _outputs(self) -> None:
        """The likeliest characters, the likeliest on top, and the one that came, framed."""
        trace, shown = self.trace, self.stretch.shown
        lists = [self.stretch.guesses(t) for t in shown]
        columns = range(1, self.T + 1)
        rows = min(self.rows, *(len(found) for found in lists))
        bottom = self.outputs + ROW * (self.rows - rows)
        p = np.array([[trace.probabilities[t, i] for i in found] for t, found in zip(shown, lists, strict=True)]).T
        words = [
            [self._guess_words(t, found[row]) for t, found in zip(shown, lists, strict=True)] for row in range(rows)
        ]
        self._grid(columns, bottom, ROW, p, theme.OUTPUT, words)
        for x, t, found in zip(columns, shown, lists, strict=True):
            target = self.stretch.target(t)
            for row, i in enumerate(found):
                y = bottom + ROW * (rows - 1 - row)
                self._guess(x, y, i, float(trace.probabilities[t, i]))
                if self.roomy and i == target:
                    self.shapes.append(self._frame(x - self.half - 0.19, x + self.half + 0.02, y))
        if self.stretch.predicts and not self.roomy:
            self._targets()

    def _targets(self) -> None:
        """A row of their own where there is one guess only, framed."""
        known = [(t, i) for t in self.stretch.shown if (i := self.stretch.target(t)) is not None]
        if not known:
            return
        columns = [self._x(t) for t, _ in known]
        p = np.array([[self.trace.probabilities[t, i] for t, i in known]])
        words = [[self._guess_words(t, i) for t, i in known]]
        self._grid(columns, self.targets, ROW, p, theme.OUTPUT, words)
        for x, (t, i) in zip(columns, known, strict=True):
            self._guess(x, self.targets, i, float(self.trace.probabilities[t, i]))
            self.shapes.append(self._frame(x - self.half - 0.05, x + self.half + 0.05, self.targets))

    def _frame(self, x0: float, x1: float, y: float) -> Dict:
        """Around the character that came."""
        line = {"color": self.ink.foreground, "width": 2}
        return {"type": "rect", "x0": x0, "x1": x1, "y0": y + 0.5, "y1": y + ROW - 0.5, "line": line}

    def _guess(self, x: float, y: float, i: int, p: float) -> None:
        character = visible(self.trace.characters[i])
        on_it = self._text_on(theme.OUTPUT, 0.07 + 0.93 * p, x)
        if not self.roomy:
            self.labels.append(self._character(x, y + ROW / 2, character, on_it))
            return
        self.labels.append(Label(x, y + ROW / 2, f"{p:.2f}", on_it, 13, family=FIXED_WIDTH))
        self.labels.append(self._character(x - self.half - 0.1, y + ROW / 2, character, self.ink.foreground))

    def _guess_words(self, t: int, i: int) -> str:
        probabilities = self.trace.probabilities[t]
        p = float(probabilities[i])
        rank = 1 + int(np.count_nonzero(probabilities > p))
        came = "<br>it came" if i == self.stretch.target(t) else ""
        name = shielded(visible(self.trace.characters[i]))
        return f"after step {t + 1}: “{name}”<br>p = {p:.5f}, number {rank} of {len(probabilities)}{came}"

    def _losses(self) -> None:
        losses = self.trace.losses
        known = [t for t in self.stretch.shown if t < len(losses)]
        words = [f"L<sub>{t + 1}</sub> = −ln p = {losses[t]:.5f} nats" for t in known]
        if self.roomy:
            for t, said in zip(known, words, strict=True):
                colour = self.ink.gradient if self.flow is not None else self.ink.foreground
                self.labels.append(Label(self._x(t), self.losses + 9, f"{losses[t]:.2f}", colour, 14))
                self.unseen.append(Label(self._x(t), self.losses + 9, "", "", words=said))
            return
        most = max([float(losses[t]) for t in known] or [1.0]) or 1.0
        columns = [self._x(t) for t in known]
        heights = [LOSS * float(losses[t]) / most for t in known]
        colour = theme.GRADIENT if self.flow is not None else self.ink.foreground
        self.cells.append(
            {
                "type": "bar", "x": columns, "y": heights, "base": [self.losses] * len(known), "width": 2 * self.half,
                "marker": {"color": colour}, "customdata": words, "hovertemplate": "%{customdata}<extra></extra>",
            }
        )  # fmt: skip
        for t, height in zip(known, heights, strict=True):
            if t == self.stretch.current:
                self.labels.append(
                    Label(self._x(t), self.losses + height + 9, f"{losses[t]:.2f}", self.ink.foreground, 12)
                )

    # Arrows -----------------------------------------------------------------------------------------------------

    def _arrows(self) -> Iterator[_Arrows]:
        """The arrows of every matrix, from the input up; backward, what the losses send down."""
        columns = [float(x) for x in range(1, self.T + 1)]
        below = [float(INPUT + ROW)]  # where what is read ends: the input, or each direction of the layer below
        for layer in range(self.model.num_layers):
            strips = [strip for strip in self.strips if strip.layer == layer]
            for strip in strips:
                matrix = self.matrices[_key("W_xh", layer, strip.reverse)]
                yield self._up(matrix, columns, below, strip.y, strips[0].y if strip.reverse else None, layer == 0)
                if self.flow is None:
                    yield self._across(strip, columns)
            below = [strip.top for strip in strips]
        if self.flow is not None:
            columns = columns[: len(self.flow.losses)]
        yield self._up(self.matrices["W_hy"], columns, below, self.outputs, None, False)

    def _up(
        self, matrix: Matrix, columns: Sequence[float], below: Sequence[float], head: float, around: float | None,
        is_input: bool,
    ) -> _Arrows:  # fmt: skip
        """The arrows from what a matrix reads to what it makes.

        Args:
            below: the upper edge of what it reads; of two directions both, the lower one first.
            head: the lower edge of what it makes.
            around: the lower edge of the strip on the way that the arrow passes on the left; None: nothing.
        """
        colour, text = self._colours(matrix, is_input)
        is_back = self.flow is not None and not is_input
        side = self.half + 0.09
        start = below[-1]
        lines = list[list[Point]]()
        for x in columns:
            line = [(x, start), (x, head)]
            if around is not None:
                fork = (start + around) / 2 - 4
                enter = x - 0.5 * self.half
                line = [(x, fork), (x - side, fork), (x - side, head - 9), (enter, head - 9), (enter, head)]
            lines.append(line[::-1] if is_back else line)
        joining = list[list[Point]]()
        if len(below) == 2 and around is None:  # the lower direction's way past the upper one
            low, high = below
            leave = 0.5 * self.half
            joining = [
                [(x + leave, low), (x + leave, low + 8), (x + side, low + 8), (x + side, high + 8), (x, high + 8)]
                for x in columns
            ]
        if around is None:
            middle = (start + head) / 2 + (4 if joining else 0)
            self._name_arrows(matrix, [(x, middle) for x in columns], text, "middle right")
        else:
            self._name_arrows(matrix, [(x - side, head - 12) for x in columns], text, "middle left")
        is_faint = self.flow is not None and is_input
        return _Arrows(matrix, theme.GRADIENT if is_back else colour, lines, joining, is_faint)

    def _across(self, strip: _Strip, columns: Sequence[float]) -> _Arrows:
        """From every state to the next; of the direction that reads from the end, to the left."""
        matrix = self.matrices[_key("W_hh", strip.layer, strip.reverse)]
        tails = [x + 1 if strip.reverse else x - 1 for x in columns]
        towards = -1 if strip.reverse else 1
        lines = [
            [(tail + towards * self.half, strip.middle), (x - towards * self.half, strip.middle)]
            for tail, x in zip(tails, columns, strict=True)
        ]
        middles = [((tail + x) / 2, strip.middle) for tail, x in zip(tails, columns, strict=True)]
        self._name_arrows(matrix, middles, self.ink.hidden, "top center")
        return _Arrows(matrix, theme.HIDDEN, lines)

    def _colours(self, matrix: Matrix, is_input: bool) -> tuple[str, str]:
        """Of lines and of text."""
        if matrix.key == "W_hy":
            return theme.OUTPUT, self.ink.output
        return (theme.INPUT, self.ink.input) if is_input else (theme.HIDDEN, self.ink.hidden)

    def _name_arrows(self, matrix: Matrix, middles: Sequence[Point], colour: str, position: str) -> None:
        """The name of the matrix at every arrow where there is room, else once, on the left; words everywhere."""
        is_lit = self.stretch.lit == matrix.key
        text = f"<b>{matrix.name}</b>" if is_lit else matrix.name
        for x, y in middles:
            if self.is_named:
                shift = 7 if position == "top center" else 0
                gap = "\N{NO-BREAK SPACE}" if shift == 0 else ""
                size = 11 if shift or "," in matrix.name else 12
                self.labels.append(Label(x, y + shift, gap + text + gap, colour, size, position))
            self.unseen.append(Label(x, y, "", "", words=matrix.words))
        if not self.is_named:
            self._name(middles[0][1] + (16 if position == "top center" else 0), text, colour)

    # The gradient -----------------------------------------------------------------------------------------------

    def _flow(self) -> list[Dict]:
        """The way of the gradient through time: from right to left, the wider the larger its norm."""
        assert self.flow is not None
        norms = self.flow.states  # (T + 1, L)
        steps = len(self.flow.losses)
        most = float(norms[:steps].max()) or 1.0
        reached, to_come = list[list[Point]](), list[list[Point]]()
        for strip in self.strips:
            for i in range(steps):  # into column i, from column i + 1
                norm = float(norms[i, strip.layer])
                width = NARROWEST + (WIDEST - NARROWEST) * norm / most
                polygon = self._leftward(i, strip.middle, width)
                is_reached = self.first + i >= self.stretch.current - 1
                (reached if is_reached else to_come).append(polygon)
                where = f" of layer {strip.layer + 1}" if self.model.num_layers > 1 else ""
                words = f"‖dL/dh<sub>{self.first + i}</sub>‖{where} = {norm:.5g}"
                self.unseen.append(Label(i + 0.5, strip.middle, "", "", words=words))
                if self.roomy:
                    text = _short(norm)
                    self.labels.append(Label(i + 0.5, strip.middle + 7, text, self.ink.gradient, 11, "top center"))
            last = float(norms[steps, strip.layer])
            words = f"‖dL/dh<sub>{self.first + steps}</sub>‖ = {last:.5g}, of its own loss only"
            self.unseen.append(Label(steps + self.half + 0.06, strip.middle, "", "", words=words))
        return [_filled(reached, 1.0), _filled(to_come, 0.35)]

    def _leftward(self, i: int, y: float, width: float) -> list[Point]:
        """An arrow that ends at the right edge of column i."""
        tail, head = i + 1 - self.half, i + self.half
        if not self.roomy:
            return [(tail, y + width), (head, y), (tail, y - width), (tail, y + width)]
        half, wing = width / 2, width / 2 + 3
        neck = head + min(0.5 * (tail - head), 0.16)
        return [
            (tail, y + half), (neck, y + half), (neck, y + wing), (head, y), (neck, y - wing), (neck, y - half),
            (tail, y - half), (tail, y + half),
        ]  # fmt: skip

    # Around it --------------------------------------------------------------------------------------------------

    def _name(self, y: float, text: str, colour: str) -> None:
        self.row_names.append((y, text, colour))

    def _names(self) -> list[Dict]:
        """What the rows are, along the left edge."""
        units, H = self.stretch.units, self.model.hidden_size
        which = f"{units.start + 1}–{units.stop}" if len(units) > 1 else f"{units.start + 1}"
        self._name(INPUT + ROW / 2, "x", self.ink.input)
        for strip in self.strips:
            layer = f" layer {strip.layer + 1}" if self.model.num_layers > 1 else ""
            way = (" ←" if strip.reverse else " →") if self.model.bidirectional else ""
            lines = f"{self.vector}{layer}{way}<br>{which} of {H}"
            shift = 0 if self.is_named else -16
            self._name(strip.middle + shift, lines, self._text_colour())
        self._name(self.outputs + self.rows * ROW / 2, "softmax(y)", self.ink.output)
        if self.stretch.predicts:
            if not self.roomy:
                self._name(self.targets + ROW / 2, "came", self.ink.foreground)
            colour = self.ink.gradient if self.flow is not None else self.ink.foreground
            self._name(self.losses + (9 if self.roomy else LOSS / 2), "loss, nats", colour)
        return [
            {
                "x": 0, "xref": "paper", "xanchor": "right", "xshift": -4, "y": y, "yanchor": "middle", "text": text,
                "align": "right", "font": {"color": colour, "size": 13}, "showarrow": False,
            }
            for y, text, colour in self.row_names
        ]  # fmt: skip

    def _text_on(self, colour: str, opacity: float, x: float) -> str:
        """What a text in the column at x is written in, under the veil if one lies over it."""
        is_current = x == self._x(self.stretch.current)
        return theme.text_on(colour, opacity, self.ink.background, 0.0 if is_current else VEIL)

    def _light(self) -> None:
        """A veil over all columns but the current one."""
        x = self._x(self.stretch.current)
        veil = theme.shade(self.ink.background, VEIL)
        sides = [(-0.45, x - 0.5), (x + 0.5, self.T + 0.5 + (self.model.directions - 1) * 0.95)]
        self.shapes += [
            {
                "type": "rect", "x0": x0, "x1": x1, "y0": 0, "y1": self.top, "fillcolor": veil, "line": {"width": 0},
                "layer": "above",
            }
            for x0, x1 in sides if x1 > x0
        ]  # fmt: skip
        self.shapes.append(
            {
                "type": "rect", "x0": x - 0.49, "x1": x + 0.49, "y0": 1, "y1": self.top - 1, "layer": "below",
                "fillcolor": theme.shade(self.ink.foreground, 0.06), "line": {"color": self.ink.muted, "width": 1},
            }
        )  # fmt: skip


def _short(norm: float) -> str:
    """A norm in the room of a label."""
    return f"{norm:.2f}" if norm >= 0.01 or norm == 0 else f"{norm:.0e}".replace("e-0", "e−").replace("e-", "e−")


def _filled(polygons: Sequence[Sequence[Point]], opacity: float) -> Dict:
    """Polygons as one trace."""
    flat: list[tuple[float | None, float | None]] = []
    for polygon in polygons:
        flat += [*polygon, (None, None)]
    return {
        "type": "scatter", "mode": "lines", "x": [x for x, _ in flat], "y": [y for _, y in flat], "fill": "toself",
        "fillcolor": theme.GRADIENT, "line": {"width": 0, "color": theme.GRADIENT}, "opacity": opacity,
        "hoverinfo": "skip",
    }  # fmt: skip

"""The inside of a cell at one step, drawn: its gates and states with their real values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from rnn.figures import theme
from rnn.figures.characters import shielded, visible
from rnn.figures.nonlinearity import FUNCTIONS
from rnn.figures.strokes import FIXED_WIDTH, Dict, Label, texts

Array = NDArray[np.floating[Any]]

FIRST = 6  # values that appear under the pointer
CONTEXT = 10  # characters of what was read before that a title shows, the last ones

WORDS = {
    "r": "reset", "z": "update", "n": "new", "i": "input", "f": "forget", "g": "new", "o": "output",
}  # fmt: skip
CANDIDATES = ("n", "g")  # from −1 to 1; the gates are from 0 to 1

# Across, the unit is a tenth of the width, so that the drawing widens with the page. Upward it is one pixel, because
# letters do not shrink.
WIDTH, LEFT, RIGHT = 10.0, 0.85, 9.15
HALF = 0.72  # half the width of a box
BOX, GATE = 42, 58  # heights: two lines of text, three of them
RADIUS = 13  # pixels, of the circle of an operation
APART = 0.28  # from the middle of a gate to the arrow of each of its two products
HEADING = 66  # pixels of the title


@dataclass(frozen=True)
class CellStep:
    """What one cell of a network computed at one step.

    Attributes:
        cell: "rnn", "gru" or "lstm".
        nonlinearity: of the rnn cell.
        context: what was read before.
        character: what is read at this step.
        layer: from 0; the lowest reads the character, the others the states of the layer below.
        x: what it reads, (I,).
        vectors: "h_before" and "h", of an LSTM "c_before" and "c", and the gates by their letters, each (H,).
        sums: what the gates (of an rnn: "h") were squashed from, by the same names.
        has_bias: whether biases were added.
    """

    cell: str
    nonlinearity: str
    context: str
    character: str
    layer: int
    x: Array
    vectors: Mapping[str, Array]
    sums: Mapping[str, Array]
    has_bias: bool = True

    @property
    def gates(self) -> list[str]:
        """The letters of the gates and the candidate, in torch's order."""
        return [name for name in self.vectors if name in WORDS]

    def squash(self, name: str) -> str:
        """The function that made a gate, or "h" of an rnn, of its sums."""
        if name == "h":
            return self.nonlinearity
        return "tanh" if name in CANDIDATES else "sigmoid"


# The diagram ------------------------------------------------------------------------------------------------------


def cell_diagram(step: CellStep, dark: bool = False) -> go.Figure:
    """The cell as a drawing; a box is the darker the larger its vector's values are on average.

    The number in a box is a gate's mean, and of a vector with signs (states, candidates) the mean of the magnitudes.

    Args:
        step: what the cell computed.
        dark: whether it stands on a dark background.
    """
    sketch = _Sketch(theme.ink(dark))
    height = {"rnn": _draw_rnn, "gru": _draw_gru, "lstm": _draw_lstm}[step.cell](sketch, step)
    return theme.figure(
        sketch.traces(), "<br>".join(map(shielded, _title(step))), "", "", dark, height=height + HEADING,
        xaxis={"range": [0, WIDTH], "visible": False, "fixedrange": True},
        yaxis={"range": [0, height], "visible": False, "fixedrange": True},
        shapes=sketch.shapes, annotations=sketch.arrows, margin={"l": 0, "r": 0, "t": HEADING, "b": 0},
        dragmode=False, hovermode="closest", showlegend=False,
    )  # fmt: skip


def cell_diagram_alt(step: CellStep) -> str:
    """The drawing in words."""
    values = ", ".join(f"{spoken(name)} {size(step, name):.2f}" for name in ("h_before", *step.gates, "h"))
    how = {
        "rnn": f"h is {step.nonlinearity} of the sum W_hh h before plus W_xh x",
        "gru": "h is (1 − z) times n plus z times h before; r scales what n takes from h before",
        "lstm": "c is f times c before plus i times g; h is o times tanh of c",
    }[step.cell]
    return f"{theme.spoken(_title(step))}. {how}. Mean sizes: {values}."


def size(step: CellStep, name: str) -> float:
    """The mean of a gate, or of a vector's magnitudes."""
    return float(np.abs(step.vectors[name]).mean())


def _title(step: CellStep) -> tuple[str, str]:
    """What is read and what becomes of it, in two lines: a phone has no room for it in one."""
    read = [visible(character) for character in step.context]
    before = "".join(["…", *read[-CONTEXT:]] if len(read) > CONTEXT else read)
    layer = f" layer {step.layer + 1}" if step.layer else ""
    after = f"after “{before}”" if read else "at its first step"
    first = f"{step.cell.upper()}{layer} reads “{visible(step.character)}” {after}:"
    if step.cell == "rnn":
        sums = float(np.abs(step.sums["h"]).mean())
        return first, f"{step.nonlinearity}: sums of ±{number(sums)} to states of ±{number(size(step, 'h'))}"
    kept, part = ("f", "c") if step.cell == "lstm" else ("z", "h")
    return first, f"{kept} keeps {size(step, kept):.0%} of {part} (mean of {len(step.vectors['h'])} units)"


def number(value: float) -> str:
    """Two decimals, one from 10 on; large ones (of relu) in one digit and a power."""
    if value < 1000:
        return f"{value:.2f}" if value < 10 else f"{value:.1f}"
    return f"{value:.0e}".replace("e+0", "e").replace("e+", "e")


def _draw_rnn(sketch: _Sketch, step: CellStep) -> int:
    middle, sum_x, squash = 150, 3.7, 6.1
    sketch.vector(LEFT, middle, step, "h_before")
    sketch.vector(RIGHT, middle, step, "h")
    sketch.input(sum_x, 22, step)
    sketch.operation(sum_x, middle, "+", "the sum of the products" + (" and the bias" if step.has_bias else ""))
    sketch.arrow((LEFT + HALF, middle), (sum_x, middle), theme.HIDDEN, end=RADIUS)
    sketch.label((LEFT + HALF + 0.85, middle + 14), "W<sub>hh</sub>h", sketch.ink.hidden)
    sketch.arrow((sum_x, 22 + BOX / 2), (sum_x, middle), theme.INPUT, end=RADIUS)
    sketch.label((sum_x + 0.15, 88), "W<sub>xh</sub>x", sketch.ink.input, "middle right")
    if step.has_bias:
        sketch.label((sum_x, middle + 66), "b<sub>h</sub>", sketch.ink.foreground)
        sketch.arrow((sum_x, middle + 54), (sum_x, middle), sketch.ink.muted, end=RADIUS)
    sketch.arrow((sum_x, middle), (squash - 0.9, middle), sketch.ink.muted, start=RADIUS)
    sums = step.sums["h"]
    words = f"a<sub>t</sub>, the sums: mean size {number(float(np.abs(sums).mean()))}<br>{_first_values(sums)}"
    sketch.label((squash - 1.5, middle + 14), "a<sub>t</sub>", sketch.ink.foreground, words=words)
    sketch.curve(squash, middle, step.nonlinearity)
    sketch.arrow((squash + 0.9, middle), (RIGHT - HALF, middle), theme.HIDDEN)
    return middle + (80 if step.has_bias else 54)


def _draw_lstm(sketch: _Sketch, step: CellStep) -> int:
    x_bus, h_bus, gates, product, top = 22, 76, 160, 234, 302
    at = {"f": 2.75, "i": 4.35, "g": 5.95, "o": 7.55}
    sketch.input(LEFT, x_bus, step)
    sketch.vector(LEFT, h_bus, step, "h_before")
    sketch.vector(LEFT, top, step, "c_before")
    sketch.vector(RIGHT, top, step, "c")
    sketch.vector(RIGHT, product, step, "h")
    sketch.buses(x_bus, h_bus, at["o"], step)
    for name, x in at.items():
        sketch.gate(x, gates, step, name)
        sketch.products(x, x_bus, h_bus, gates - GATE / 2)
    joined, tanh = (at["i"] + at["g"]) / 2, (top + product) / 2 + 7
    gate_top = gates + GATE / 2
    # The highway of the cell state: only a product and a sum on the way from one step to the next
    sketch.line([(LEFT + HALF, top), (RIGHT - HALF, top)], theme.CELL_STATE, 4)
    sketch.arrow((joined, top), (RIGHT - HALF, top), theme.CELL_STATE, start=RADIUS, width=4)
    sketch.operation(at["f"], top, "×", "f ⊙ c<sub>t−1</sub>: how much of each unit is kept")
    sketch.operation(joined, top, "+", "c<sub>t</sub> = f ⊙ c<sub>t−1</sub> + i ⊙ g")
    sketch.arrow((at["f"], gate_top), (at["f"], top), sketch.ink.muted, end=RADIUS)
    for name in ("i", "g"):
        colour = theme.CELL_STATE if name == "g" else sketch.ink.muted
        sketch.line([(at[name], gate_top), (at[name], product)], colour)
        sketch.arrow((at[name], product), (joined, product), colour, end=RADIUS)
    sketch.operation(joined, product, "×", "i ⊙ g: what is written to each unit")
    sketch.arrow((joined, product), (joined, top), theme.CELL_STATE, start=RADIUS, end=RADIUS)
    sketch.arrow((at["o"], gate_top), (at["o"], product), sketch.ink.muted, end=RADIUS)
    sketch.line([(at["o"], top), (at["o"], tanh)], theme.CELL_STATE)
    sketch.tag(at["o"], tanh, "tanh")
    sketch.arrow((at["o"], tanh - 10), (at["o"], product), theme.CELL_STATE, end=RADIUS)
    sketch.operation(at["o"], product, "×", "h<sub>t</sub> = o ⊙ tanh(c<sub>t</sub>)")
    sketch.arrow((at["o"], product), (RIGHT - HALF, product), theme.HIDDEN, start=RADIUS)
    return top + BOX // 2 + 2


def _draw_gru(sketch: _Sketch, step: CellStep) -> int:
    x_bus, h_bus, gates, new, mixed, top = 22, 76, 160, 222, 290, 350
    at, inner, n = {"z": 2.6, "r": 4.45}, 6.2, 6.7
    sketch.input(LEFT, x_bus, step)
    sketch.vector(LEFT, top, step, "h_before")
    sketch.vector(RIGHT, top, step, "h")
    sketch.line([(LEFT, top - BOX / 2), (LEFT, h_bus), (inner, h_bus)], theme.HIDDEN)
    sketch.line([(LEFT + HALF, x_bus), (n + 0.45, x_bus)], theme.INPUT)
    sketch.weights((n + 0.8, x_bus), (LEFT + 0.1, h_bus + 14), step)
    for name, x in at.items():
        sketch.gate(x, gates, step, name)
        sketch.products(x, x_bus, h_bus, gates - GATE / 2)
    sketch.gate(n, new, step, "n")
    sketch.arrow((n + 0.45, x_bus), (n + 0.45, new - GATE / 2), theme.INPUT)
    # torch's form: the reset gate scales W_hn h, after the product
    sketch.arrow((inner, h_bus), (inner, gates), theme.HIDDEN, end=RADIUS)
    sketch.arrow((at["r"] + HALF, gates), (inner, gates), sketch.ink.muted, end=RADIUS)
    words = (
        "r ⊙ (W<sub>hn</sub>h<sub>t−1</sub> + b<sub>hn</sub>)" if step.has_bias else "r ⊙ W<sub>hn</sub>h<sub>t−1</sub>"
    )
    sketch.operation(inner, gates, "×", words + ": what the new state takes from the old one")
    sketch.arrow((inner, gates), (inner, new - GATE / 2), theme.HIDDEN, start=RADIUS)
    # The old state and the new one, mixed
    sketch.line([(LEFT + HALF, top), (n, top)], theme.HIDDEN, 4)
    sketch.arrow((n, top), (RIGHT - HALF, top), theme.HIDDEN, start=RADIUS, width=4)
    sketch.operation(at["z"], top, "×", "z ⊙ h<sub>t−1</sub>: how much of each unit is kept")
    sketch.operation(n, top, "+", "h<sub>t</sub> = (1 − z) ⊙ n + z ⊙ h<sub>t−1</sub>")
    sketch.arrow((at["z"], gates + GATE / 2), (at["z"], top), sketch.ink.muted, end=RADIUS)
    sketch.line([(at["z"], mixed), (at["r"], mixed)], sketch.ink.muted)
    sketch.tag(at["r"], mixed, "1 − z")
    sketch.arrow((at["r"] + 0.55, mixed), (n, mixed), sketch.ink.muted, end=RADIUS)
    sketch.arrow((n, new + GATE / 2), (n, mixed), theme.HIDDEN, end=RADIUS)
    sketch.operation(n, mixed, "×", "(1 − z) ⊙ n: what is written to each unit")
    sketch.arrow((n, mixed), (n, top), theme.HIDDEN, start=RADIUS, end=RADIUS)
    return top + BOX // 2 + 2


# The strokes ------------------------------------------------------------------------------------------------------

Point = tuple[float, float]


class _Sketch:
    """Collects what is drawn on the axes."""

    def __init__(self, ink: theme.Ink) -> None:
        self.ink = ink
        self.shapes: list[Dict] = []
        self.arrows: list[Dict] = []
        self._labels: list[Label] = []
        self._operations: list[tuple[float, float, str]] = []
        self._words: list[tuple[float, float, str]] = []  # which appear when the pointer is there

    def traces(self) -> list[Dict]:
        """The circles, then what is written, then the unseen points that the pointer finds."""
        return [
            {
                "type": "scatter", "mode": "markers+text", "x": [x for x, *_ in self._operations],
                "y": [y for _, y, _ in self._operations], "text": [sign for *_, sign in self._operations],
                "textfont": {"size": 18, "color": self.ink.foreground}, "hoverinfo": "skip", "cliponaxis": False,
                "marker": {
                    "size": 2 * RADIUS - 2, "color": self.ink.background, "opacity": 1,
                    "line": {"width": 1.5, "color": self.ink.foreground},
                },
            },
            texts(self._labels),
            {
                "type": "scatter", "mode": "markers", "x": [x for x, *_ in self._words],
                "y": [y for _, y, _ in self._words], "customdata": [words for *_, words in self._words],
                "marker": {"size": 34, "opacity": 0}, "hovertemplate": "%{customdata}<extra></extra>",
            },
        ]  # fmt: skip

    def label(self, at: Point, text: str, colour: str, position: str = "middle center", words: str = "") -> None:
        self._labels.append(Label(*at, text, colour, position=position))
        if words:
            self._words.append((*at, words))

    def line(self, points: Sequence[Point], colour: str, width: float = 2) -> None:
        path = " L ".join(f"{x} {y}" for x, y in points)
        line = {"color": colour, "width": width}
        self.shapes.append({"type": "path", "path": f"M {path}", "line": line, "layer": "below"})

    def arrow(self, tail: Point, head: Point, colour: str, start: float = 0, end: float = 0, width: float = 2) -> None:
        """`start` and `end` are pixels left free at its ends."""
        self.arrows.append(
            {
                "x": head[0], "y": head[1], "ax": tail[0], "ay": tail[1], "axref": "x", "ayref": "y", "text": "",
                "showarrow": True, "arrowhead": 2, "arrowsize": 0.9 if width < 3 else 0.6, "arrowwidth": width,
                "arrowcolor": colour, "standoff": end, "startstandoff": start,
            }
        )  # fmt: skip

    def operation(self, x: float, y: float, sign: str, words: str) -> None:
        """A circle: elementwise product or sum."""
        self._operations.append((x, y, sign))
        self._words.append((x, y, words))

    def tag(self, x: float, y: float, text: str) -> None:
        """A function without weights, on an arrow."""
        self._rectangle(x, y, 0.55, 22, self.ink.background, self.ink.foreground, above=True)
        self._labels.append(Label(x, y, text, self.ink.foreground, 12))

    def vector(self, x: float, y: float, step: CellStep, name: str) -> None:
        """A state: its name and the mean of its magnitudes."""
        colour = theme.CELL_STATE if name.startswith("c") else theme.HIDDEN
        values = step.vectors[name]
        words = f"{symbol(name)}: mean size {number(size(step, name))}<br>{_first_values(values)}"
        self._filled(x, y, BOX, colour, size(step, name), [symbol(name), number(size(step, name))], words)

    def gate(self, x: float, y: float, step: CellStep, name: str) -> None:
        """Its word, its letter and function, and its mean."""
        colour = {"n": theme.HIDDEN, "g": theme.CELL_STATE}.get(name, self.ink.muted)
        is_candidate = name in CANDIDATES
        mean = "mean size" if is_candidate else "mean"
        what = "candidate" if is_candidate else "gate"
        words = (
            f"{WORDS[name]} {what} {name} = {step.squash(name)}(sums): {mean} {size(step, name):.3f}<br>"
            f"{_first_values(step.vectors[name])}"
        )
        function = "tanh" if is_candidate else "σ"
        lines = [WORDS[name], f"<b>{name}</b> = {function}", number(size(step, name))]
        self._filled(x, y, GATE, colour, size(step, name), lines, words)

    def input(self, x: float, y: float, step: CellStep) -> None:
        """The character, or of a higher layer the state below."""
        if step.layer == 0:
            lines = ["x<sub>t</sub>", f"“{shielded(visible(step.character))}”"]
            words = f"x<sub>t</sub>: “{shielded(visible(step.character))}”, {len(step.x)} numbers"
            self._filled(x, y, BOX, theme.INPUT, 0.25, lines, words)
            return
        mean = float(np.abs(step.x).mean())
        words = f"x<sub>t</sub>: h of layer {step.layer}, {len(step.x)} numbers<br>{_first_values(step.x)}"
        self._filled(x, y, BOX, theme.INPUT, mean, ["x<sub>t</sub>", number(mean)], words)

    def buses(self, x_bus: float, h_bus: float, end: float, step: CellStep) -> None:
        """What is read and the state before, on their way to all gates."""
        self.line([(LEFT + HALF, x_bus), (end - APART, x_bus)], theme.INPUT)
        self.line([(LEFT + HALF, h_bus), (end + APART, h_bus)], theme.HIDDEN)
        self.weights((end + 0.42, x_bus), (end + 0.42, h_bus), step)

    def weights(self, of_x: Point, of_h: Point, step: CellStep) -> None:
        """The names of the matrices."""
        gates, H = len(step.gates), len(step.vectors["h"])
        for (x, y), letter, colour, columns in (
            (of_x, "x", self.ink.input, len(step.x)), (of_h, "h", self.ink.hidden, H)
        ):  # fmt: skip
            words = f"W<sub>{letter}h</sub>: {H} × {columns} for each of the {gates} gates"
            self.label((x, y), f"W<sub>{letter}h</sub>{letter}", colour, "middle right")
            self._words.append((x + 0.6, y, words))

    def products(self, x: float, x_bus: float, h_bus: float, bottom: float) -> None:
        """The two products that a gate adds."""
        self.arrow((x - APART, x_bus), (x - APART, bottom), theme.INPUT)
        self.arrow((x + APART, h_bus), (x + APART, bottom), theme.HIDDEN)

    def curve(self, x: float, y: float, function: str) -> None:
        """A box with the function's graph in it, and its name above."""
        half, height = 0.9, 60
        self._rectangle(x, y, half, height, self.ink.background, self.ink.foreground, above=True)
        a = np.linspace(-3, 3, 41)
        value = FUNCTIONS[function][0](a)
        low, high = (-1.0, 1.0) if function == "tanh" else (0.0, 1.0 if function == "sigmoid" else 3.0)
        share = (value - low) / (high - low)
        points = zip(x + a / 3 * half * 0.8, y + (share - 0.5) * height * 0.7, strict=True)
        path = " L ".join(f"{px:.3f} {py:.2f}" for px, py in points)
        line = {"color": theme.HIDDEN, "width": 2.5}
        self.shapes.append({"type": "path", "path": f"M {path}", "line": line, "layer": "between"})
        self.label((x, y + height / 2 + 12), function, self.ink.foreground)
        self._words.append((x, y, f"h<sub>t</sub> = {function}(a<sub>t</sub>), unit by unit"))

    def _filled(
        self, x: float, y: float, height: float, colour: str, magnitude: float, lines: Sequence[str], words: str
    ) -> None:
        opacity = 0.06 + 0.94 * min(magnitude, 1.0)  # a box is seen even at 0
        self._rectangle(x, y, HALF, height, theme.shade(colour, opacity), colour)
        on_it = theme.text_on(colour, opacity, self.ink.background)
        for row, text in enumerate(lines):
            is_last = row == len(lines) - 1
            place = y + (len(lines) - 1 - 2 * row) * 8.5
            family = {"family": FIXED_WIDTH} if is_last else {}
            self._labels.append(Label(x, place, text, on_it, 13 if is_last else 12, **family))
        self._words.append((x, y, words))

    def _rectangle(
        self, x: float, y: float, half: float, height: float, fill: str, line: str, above: bool = False
    ) -> None:
        self.shapes.append(
            {
                "type": "rect", "x0": x - half, "x1": x + half, "y0": y - height / 2, "y1": y + height / 2,
                "fillcolor": fill, "line": {"color": line, "width": 1}, "layer": "between" if above else "below",
            }
        )  # fmt: skip


def is_gate(name: str) -> bool:
    """Whether its values are shares, from 0 to 1."""
    return name in WORDS and name not in CANDIDATES


def symbol(name: str) -> str:
    """A vector's name as figures write it."""
    letter, before, _ = name.partition("_before")
    return f"{letter}<sub>t−1</sub>" if before else (f"{letter}<sub>t</sub>" if letter in "hc" else letter)


def spoken(name: str) -> str:
    """A vector's name in a text alternative."""
    return name.replace("_", " ")


def _first_values(values: Array) -> str:
    shown = ", ".join(f"{float(v):.3f}".replace("-", "−") for v in values[:FIRST])
    return f"{shown}, … ({len(values)} in all)" if len(values) > FIRST else shown

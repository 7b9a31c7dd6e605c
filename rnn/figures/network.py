"""The network as blocks and arrows: folded, with time a loop, or unrolled in time (to the right) and depth (up)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from rnn.config import ModelConfig
from rnn.figures import blocks, theme
from rnn.figures.characters import shielded, visible
from rnn.topology import Arrow, Block, SequenceShape, Topology

if TYPE_CHECKING:
    from rnn.inspection import Inspection

# Across, the unit is one column, so that the drawing widens with the page: column i is centred at x = i + 1.
HALF = 0.28  # half a block
WIDE, SHIFT = 0.36, 0.12  # the same where there are two directions, and how far either stands to its side
ARM = WIDE - SHIFT  # where arrows pass on the free side of one direction to the other
# Upward, the unit is one pixel, because letters do not shrink.
CELL, PLAIN, OUT, JOINED = 54, 30, 38, 13  # heights: a hidden state, a vector, an output, both directions joined
GAP, SHORT = 42, 18  # of an arrow with a matrix, and of one without
BOTTOM = 24  # the numbers of the steps
PART = 20  # the names of encoder and decoder below these
SYMBOL = 20  # the upper part of a hidden state's block, for its name
NAMES = 80  # pixels on the left, for the names of the rows
HEADING = 56  # pixels of the title's two lines

UNITS = 8  # numbers of a hidden state that are drawn, the first ones
ROOMY = 5  # columns up to which a phone has room for the arrows' names and the outputs' numbers
FEW = 3  # the same for the arrows between two directions, which stand closer
NAMED = 8  # columns up to which the hidden states have their names on them
COLOURS = {
    "input": theme.INPUT, "embedding": theme.INPUT, "hidden": theme.HIDDEN, "joined": theme.HIDDEN,
    "output": theme.OUTPUT,
}  # fmt: skip

Array = NDArray[np.float64]
Dict = dict[str, Any]


class Values(NamedTuple):
    """The numbers of the blocks of an unrolled network."""

    characters: Sequence[str]  # of the vocabulary
    read: Sequence[int | None]  # what each step reads, as an index; None is nothing
    vectors: dict[str, Array]  # by the blocks' keys
    probabilities: Array  # (T, V)


def values_of(topology: Topology, seen: Inspection, characters: Sequence[str]) -> Values:
    """The numbers of an unrolled network's blocks, of what `rnn.inspection` saw in it."""
    read = [None if i < 0 else i for i in seen.indices.tolist()]
    vectors: dict[str, Array] = {}
    for block in topology.blocks:
        passes = seen.layers[block.layer]
        rows: dict[str, Array] = {
            "embedding": passes[0].x, "hidden": passes[int(block.reverse)].h, "output": seen.logits,
            "joined": seen.outputs if block.layer + 1 == len(seen.layers) else seen.layers[block.layer + 1][0].x,
        }  # fmt: skip
        if block.kind in rows:
            vectors[block.key] = rows[block.kind][block.column]
    return Values(characters, read, vectors, seen.probabilities)


class Place(NamedTuple):
    """Where a block stands: its middle and half its width in columns, its lower edge and its height in pixels."""

    x: float
    half: float
    y: float
    height: float

    @property
    def top(self) -> float:
        return self.y + self.height

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


def network(topology: Topology, values: Values | None = None, dark: bool = False) -> go.Figure:
    """The blocks of a network, what each is, and what joins them.

    Args:
        topology: which blocks there are.
        values: their numbers; none are known of a folded network, in which a block stands for every step.
        dark: whether it stands on a dark background.
    """
    return _Drawing(topology, values, dark).figure()


def network_alt(topology: Topology, values: Values | None = None) -> str:
    """The figure in words."""
    said = [theme.spoken(title(topology)) + "."]
    for row in _rows(topology):
        block = row[0]
        kinds = ", ".join(blocks.name(topology, b) for b in row)
        said.append(f"{kinds}: {blocks.purpose(topology, block)}, {block.size:,} numbers.")
    if values is not None:
        for column, step in enumerate(topology.steps):
            if step.answers:
                i = int(values.probabilities[column].argmax())
                likely = f"“{visible(values.characters[i])}” with {values.probabilities[column, i]:.2f}"
                said.append(f"After step {column + 1} it expects {likely}.")
    return " ".join(said)


def _rows(topology: Topology) -> list[list[Block]]:
    """The blocks of each row, from the lowest."""
    rows: dict[tuple[str, int, bool], list[Block]] = {}
    for block in topology.blocks:
        rows.setdefault((block.kind, block.layer, block.reverse), []).append(block)
    outputs = rows.pop(("output", 0, False), [])  # of many to one, they come with the last column only
    return [*rows.values(), outputs]


def title(topology: Topology) -> tuple[str, str]:
    """What is shown, in two lines: a phone has no room for it in one."""
    model, V = topology.model, topology.blocks[0].size
    sides = "bidirectional " if model.bidirectional else ""
    layers = f"{model.num_layers}-layer " if model.num_layers > 1 else ""
    T = len(topology.steps)
    how = ", folded" if topology.is_folded else f" over {T} step{'s' if T > 1 else ''}"
    what = f"{sides}{layers}{model.cell.upper()}{how}"
    shape = topology.shape.value
    return what[0].upper() + what[1:], f"{shape[0].upper()}{shape[1:]}: {model.parameter_count(V):,} parameters"


class _Drawing:
    """Collects what is drawn."""

    def __init__(self, topology: Topology, values: Values | None, dark: bool) -> None:
        self.topology, self.values, self.dark = topology, values, dark
        self.ink = theme.ink(dark)
        self.columns = len(topology.steps)
        self.is_roomy = self.columns <= ROOMY
        self.has_room_beside = self.columns <= (FEW if topology.model.bidirectional else ROOMY)
        states = [] if values is None else [v for key, v in values.vectors.items() if key.startswith("h")]
        self.largest = max((float(np.abs(v).max()) for v in states), default=0.0) or 1.0
        self.has_feedback = any(a.kind == "feedback" for a in topology.arrows)
        self.shapes: list[Dict] = []
        self.notes: list[Dict] = []
        self.points: list[tuple[float, float, str, str]] = []  # x, y, words, key
        self.bars: dict[str, tuple[list[float | None], list[float | None]]] = {}
        self.places, self.top = _places(topology)

    def figure(self) -> go.Figure:
        self._parts()
        for arrow in self.topology.arrows:
            self._arrow(arrow)
        for block in self.topology.blocks:
            self._block(block)
        self._names()
        for column in range(self.columns):
            self._time(column)
        left, right = (0.08, 0.92) if self.topology.model.bidirectional else (0.15, 0.45)
        if self.topology.is_folded:
            left, right = 0.0, 1.0
        return theme.figure(
            [*self._units(), self._hover()], "<br>".join(title(self.topology)), "", "", self.dark,
            height=int(self.top + HEADING),
            xaxis={"range": [left, self.columns + right], "visible": False, "fixedrange": True},
            yaxis={"range": [0, self.top], "visible": False, "fixedrange": True},
            shapes=self.shapes, annotations=self.notes, margin={"l": NAMES, "r": 0, "t": HEADING, "b": 0},
            dragmode=False, hovermode="closest", showlegend=False, clickmode="event+select",
        )  # fmt: skip

    # Blocks -------------------------------------------------------------------------------------------------------

    def _block(self, block: Block) -> None:
        place, colour = self.places[block.key], COLOURS[block.kind]
        step = self.topology.steps[block.column]
        is_written = block.kind in ("input", "embedding") and step.reads != "given"
        opacity = self._opacity(block)
        is_summary = blocks.is_summary(self.topology, block) and not self.topology.is_folded
        self.shapes.append(
            {
                "type": "rect", "x0": place.x - place.half, "x1": place.x + place.half, "y0": place.y, "y1": place.top,
                "fillcolor": theme.shade(colour, opacity), "layer": "below",
                "line": {
                    "color": self.ink.foreground if is_summary else colour, "width": 3 if is_summary else 1.3,
                    "dash": "dot" if is_written else "solid",
                },
            }
        )  # fmt: skip
        on_it = theme.text_on(colour, opacity, self.ink.background)
        if block.kind == "hidden" and self.values is not None:
            if self.columns <= NAMED:
                self._text(place.x, place.top - SYMBOL / 2, self._symbol(block), on_it, 13 if self.is_roomy else 11)
            self._bars(block, place)
        elif block.kind != "joined":
            self._text(place.x, place.middle, self._label(block), on_it, 13)
        self.points.append((place.x, place.middle, self._words(block), block.key))
        if self.topology.is_folded:
            self._when(block, place)
        model = self.topology.model
        if is_summary and block.layer + 1 == model.num_layers and not model.bidirectional:
            anchor = "center" if step.part else "right"
            self._text(place.x - (0 if step.part else 0.05), place.top + 12, "summary", self.ink.foreground, 12, anchor)

    def _when(self, block: Block, place: Place) -> None:
        """Beside a block that is not there at every step, when it is."""
        once = {
            ("output", SequenceShape.MANY_TO_ONE): "at the end",
            ("input", SequenceShape.ONE_TO_MANY): "x<sub>1</sub> is given",
        }
        text = once.get((block.kind, self.topology.shape))
        if text:
            self._text(place.x + place.half + 0.06, place.middle, text, self.ink.foreground, 12, "left")

    def _opacity(self, block: Block) -> float:
        """Magnitude: of an output its largest probability. A state's numbers are drawn on it."""
        if block.kind == "hidden":
            return 0.10 if self.values is not None else 0.75
        if self.values is None:
            return 0.75
        if block.kind == "output":
            return 0.08 + 0.92 * float(self.values.probabilities[block.column].max())
        if block.kind == "input":
            return 1.0 if self.topology.steps[block.column].reads == "given" else 0.15
        return 0.3

    def _label(self, block: Block) -> str:
        if self.values is None or block.kind == "embedding":
            return self._symbol(block)
        if block.kind == "input":
            i = self.values.read[block.column]
            return "0" if i is None else f"<b>{_shielded(self.values.characters[i])}</b>"
        probabilities = self.values.probabilities[block.column]
        i = int(probabilities.argmax())
        character = f"<b>{_shielded(self.values.characters[i])}</b>"
        return f"{character}<br>{probabilities[i]:.2f}" if self.is_roomy else character

    def _symbol(self, block: Block) -> str:
        letter = {"input": "x", "embedding": "e", "hidden": "h", "joined": "h", "output": "y"}[block.kind]
        return f"{letter}<sub>{blocks.time_of(self.topology, block)}</sub>"

    def _bars(self, block: Block, place: Place) -> None:
        """The first numbers of a state: upwards from the middle where positive, downwards where negative."""
        assert self.values is not None
        vector = self.values.vectors[block.key][: UNITS if self.is_roomy else UNITS - 2]
        floor, room = place.y + 3, (CELL - SYMBOL - 5) / 2
        pitch = 2 * 0.82 * place.half / max(len(vector), 4)
        left = place.x - len(vector) * pitch / 2
        xs, ys = self.bars.setdefault(theme.HIDDEN, ([], []))
        for unit, value in enumerate(vector.tolist()):
            x = left + (unit + 0.5) * pitch
            xs += [x, x, None]
            ys += [floor + room, floor + room * (1 + value / self.largest), None]
        zero = {"type": "line", "y0": floor + room, "y1": floor + room, "line": {"color": self.ink.muted, "width": 1}}
        self.shapes.append({**zero, "x0": place.x - 0.82 * place.half, "x1": place.x + 0.82 * place.half})

    def _words(self, block: Block) -> str:
        """What a block says under the pointer."""
        topology = self.topology
        said = [
            f"<b>{blocks.name(topology, block)}</b>, shape ({block.size:,})", blocks.purpose(topology, block),
            blocks.plain_equation(topology, block),
        ]  # fmt: skip
        if self.values is not None:
            said += self._numbers(block, self.values)
        return "<br>".join(said)

    def _numbers(self, block: Block, values: Values) -> list[str]:
        if block.kind == "input":
            i = values.read[block.column]
            return ["all 0"] if i is None else [f"“{_shielded(values.characters[i])}”: 1 at place {i + 1}"]
        if block.kind != "output":
            return [blocks.first_numbers(values.vectors[block.key])]
        p = values.probabilities[block.column]
        likely = np.argsort(-p, kind="stable")[:3].tolist()
        return ["softmax: " + ", ".join(f"“{_shielded(values.characters[i])}” {p[i]:.3f}" for i in likely)]

    # Arrows -------------------------------------------------------------------------------------------------------

    def _arrow(self, arrow: Arrow) -> None:
        if arrow.kind == "feedback":
            self._feedback(arrow)
        elif arrow.kind in ("recurrent", "cell"):
            self._recurrent(arrow)
        else:
            self._up(arrow)

    def _up(self, arrow: Arrow) -> None:
        assert arrow.tail is not None
        below, above = self.places[arrow.tail.key], self.places[arrow.head.key]
        colour = {"join": theme.HIDDEN, "output": theme.OUTPUT}.get(arrow.kind, theme.INPUT)
        if arrow.kind == "input" and arrow.head.layer > 0:
            colour = theme.HIDDEN
        x = self._lane(arrow)
        if arrow.tail.column != arrow.head.column:  # the second direction's last state is at the first step
            path = f"M {x},{below.top} L {x},{above.middle} L {above.x - above.half},{above.middle}"
            self.shapes.append({"type": "path", "path": path, "line": {"color": colour, "width": 2}, "layer": "below"})
            self._stroke((above.x - above.half - 0.02, above.middle), (above.x - above.half, above.middle), colour)
            return
        self._stroke((x, below.top), (x, above.y), colour)
        if arrow.weights and (self.has_room_beside or (arrow.kind in ("lookup", "output") and self.is_roomy)):
            reach = above.y if not arrow.head.reverse else below.top + GAP
            self._named(arrow, x, (below.top + reach) / 2, "left")

    def _lane(self, arrow: Arrow) -> float:
        """Where an upward arrow runs: with two directions, on the free side of the block that it passes."""
        assert arrow.tail is not None
        x = arrow.tail.column + 1.0
        if not self.topology.model.bidirectional or arrow.kind in ("lookup", "output"):
            return x
        hidden = arrow.tail if arrow.kind == "join" else arrow.head
        assert hidden is not None
        return x + ARM if hidden.reverse else x - ARM

    def _recurrent(self, arrow: Arrow) -> None:
        head, is_cell = self.places[arrow.head.key], arrow.kind == "cell"
        side = -1 if arrow.head.reverse else 1  # the way that it goes
        colour = theme.CELL_STATE if is_cell else theme.HIDDEN
        has_cell = self.topology.model.cell == "lstm"
        y = head.middle + (14 if is_cell else -8 if has_cell else 0)
        end = head.x - side * head.half
        if arrow.is_loop:
            self._loop(arrow, head, colour)
            return
        if arrow.tail is None:
            start = end - side * 0.26
            letter = "c" if is_cell else "h"
            number = 0 if side == 1 else self.columns + 1
            symbol, anchor = f"{letter}<sub>{number}</sub>", "right" if side == 1 else "left"
            if self.is_roomy:
                self._text(start, y, symbol, self._text_colour(arrow), 12, anchor)
            self.points.append((start - side * 0.08, y, f"<b>{symbol}</b>: before the first step, all 0", ""))
        else:
            tail = self.places[arrow.tail.key]
            start = tail.x + side * tail.half
        self._stroke((start, y), (end, y), colour)
        if arrow.tail is not None:
            self._name_recurrent(arrow, (start + end) / 2, y)

    def _name_recurrent(self, arrow: Arrow, x: float, y: float) -> None:
        if arrow.kind == "cell":
            words = "<b>c</b>: the cell state goes on without a matrix,<br>only scaled by the forget gate f"
            self.points.append((x, y, words, ""))
            return
        self.points.append((x, y, self._arrow_words(arrow), ""))
        if self.has_room_beside and not self.has_feedback:
            name = "W<sub>hh</sub>"
            has_cell = self.topology.model.cell == "lstm"
            self._text(x, y - 13 if has_cell else y + 13, name, self.ink.hidden, 10)

    def _loop(self, arrow: Arrow, place: Place, colour: str) -> None:
        """From a block's side out and back into it."""
        is_first = self.topology.steps[arrow.head.column].part == "encoder"
        side = -1 if is_first or (self.topology.model.bidirectional and not arrow.head.reverse) else 1
        is_cell = arrow.kind == "cell"
        out, high, low = (0.30, 22, 22) if is_cell else (0.20, 10, 10)
        edge = place.x + side * place.half
        far = edge + side * out * 1.33
        y0, y1 = place.middle + high, place.middle - low
        back = edge + side * 0.1  # from where it is straight, because an arrow is
        path = f"M {edge},{y0} L {back},{y0} C {far},{y0} {far},{y1} {back},{y1} L {edge},{y1}"
        self.shapes.append({"type": "path", "path": path, "line": {"color": colour, "width": 2}, "layer": "below"})
        self._stroke((back, y1), (edge, y1), colour)
        x = edge + side * out
        anchor = "left" if side == 1 else "right"
        if is_cell:
            self._text(x + side * 0.03, place.middle + 18, "c", self._text_colour(arrow), 13, anchor)
            self.points.append((x, place.middle + 12, "<b>c</b>: the cell state, without a matrix", ""))
        else:
            x_text = x + side * (0.15 if self.topology.model.cell == "lstm" else 0.03)
            self._text(x_text, place.middle, "W<sub>hh</sub>", self.ink.hidden, 13, anchor)
            self.points.append((x, place.middle, self._arrow_words(arrow), ""))

    def _feedback(self, arrow: Arrow) -> None:
        """Dotted, from the right side of an output down to the left of the next input; folded, around the left."""
        assert arrow.tail is not None
        writer, reader = self.places[arrow.tail.key], self.places[arrow.head.key]
        lane = reader.x - reader.half - (0.13 if not self.topology.is_folded else 0.2)
        start = writer.x + writer.half if lane > writer.x else writer.x - writer.half
        path = f"M {start},{writer.middle} L {lane},{writer.middle} L {lane},{reader.middle}"
        line = {"color": theme.OUTPUT, "width": 2, "dash": "dot"}
        self.shapes.append({"type": "path", "path": path, "line": line, "layer": "below"})
        self._stroke((lane, reader.middle), (reader.x - reader.half, reader.middle), theme.OUTPUT)
        words = "what was written is read next:<br>here the likeliest character"
        self.points.append((lane, writer.middle, words, ""))

    def _stroke(self, tail: tuple[float, float], head: tuple[float, float], colour: str) -> None:
        self.notes.append(
            {
                "x": head[0], "y": head[1], "ax": tail[0], "ay": tail[1], "axref": "x", "ayref": "y", "text": "",
                "showarrow": True, "arrowhead": 2, "arrowsize": 1, "arrowwidth": 1.8, "arrowcolor": colour,
            }
        )  # fmt: skip

    def _named(self, arrow: Arrow, x: float, y: float, anchor: str) -> None:
        """The matrix beside its arrow."""
        text = {"lookup": "E", "output": "W<sub>hy</sub>"}.get(arrow.kind, "W<sub>xh</sub>")
        self._text(x + 0.03, y, text, self._text_colour(arrow), 11, anchor)
        self.points.append((x, y, self._arrow_words(arrow), ""))

    def _arrow_words(self, arrow: Arrow) -> str:
        matrix = blocks.matrix(self.topology, arrow).html
        note = f", the {arrow.gates} gates' blocks one below the other" if arrow.gates > 1 else ""
        return f"<b>{matrix}</b>, shape {blocks.shape_of(arrow)}{note}<br>the same at every step"

    def _text_colour(self, arrow: Arrow) -> str:
        if arrow.kind == "cell":
            return self.ink.cell_state
        if arrow.kind == "output":
            return self.ink.output
        return self.ink.hidden if arrow.kind == "recurrent" or arrow.head.layer > 0 else self.ink.input

    # Words around -------------------------------------------------------------------------------------------------

    def _names(self) -> None:
        """What the rows are, along the left edge, and between them what they are multiplied by."""
        named: set[tuple[Any, ...]] = set()
        row: tuple[Any, ...]
        for block in self.topology.blocks:
            row = (block.kind, block.layer, block.reverse)
            if row not in named:
                named.add(row)
                self._name_row(block)
        for arrow in self.topology.arrows:
            row = (arrow.kind, arrow.head.kind, arrow.head.layer)
            if arrow.weights and arrow.kind != "recurrent" and row not in named:
                named.add(row)
                name = {"lookup": "E", "output": "W<sub>hy</sub>"}.get(arrow.kind, "W<sub>xh</sub>")
                middle = self.places[arrow.head.key].y - GAP / 2
                self._edge(middle, f"{name}<br>{blocks.shape_of(arrow)}", self._text_colour(arrow))

    def _name_row(self, block: Block) -> None:
        model, place = self.topology.model, self.places[block.key]
        ink = {"input": self.ink.input, "embedding": self.ink.input, "output": self.ink.output}
        colour = ink.get(block.kind, self.ink.hidden)
        if block.kind == "joined":
            self._edge(place.middle, f"joined ({block.size:,})", colour)
            return
        if block.kind != "hidden":
            letter = {"input": "x", "embedding": "e", "output": "y"}[block.kind]
            self._edge(place.middle, f"{letter}<sub>t</sub> ({block.size:,})", colour)
            return
        layer = f"<sup>({block.layer + 1})</sup>" if model.num_layers > 1 else ""
        side = ("← " if block.reverse else "→ ") if model.bidirectional else ""
        arrow = next(a for a in self.topology.arrows if a.kind == "recurrent" and a.head == block)
        shape = blocks.shape_of(arrow)
        cell = ", c" if model.cell == "lstm" else ""
        own = f"{side}<b>h<sub>t</sub>{layer}</b>{cell} ({block.size:,})<br>W<sub>hh</sub><br>{shape}"
        self._edge(place.middle, own, colour)

    def _edge(self, y: float, text: str, colour: str) -> None:
        self.notes.append(
            {
                "x": 0, "xref": "paper", "xshift": -NAMES + 4, "xanchor": "left", "align": "left", "y": y,
                "yanchor": "middle", "text": text, "showarrow": False, "font": {"size": 12, "color": colour},
            }
        )  # fmt: skip

    def _time(self, column: int) -> None:
        base = self.places[f"x{column + 1}"].y
        number = f"t = {column + 1}" if self.is_roomy else str(column + 1)
        text = "each step t" if self.topology.is_folded else number
        self._text(column + 1, base - BOTTOM / 2, text, self.ink.foreground, 12)

    def _parts(self) -> None:
        """A ground under the decoder, and the names of both parts."""
        for part, words in (("encoder", "encoder reads"), ("decoder", "decoder writes")):
            found = [i + 1 for i, step in enumerate(self.topology.steps) if step.part == part]
            if not found:
                continue
            left, right = found[0] - 0.5, found[-1] + 0.5
            if part == "decoder":
                self.shapes.append(
                    {"type": "rect", "x0": left, "x1": self.columns + 1, "y0": 0, "y1": self.top, "layer": "below",
                     "fillcolor": theme.shade(self.ink.muted, 0.13), "line": {"width": 0}}
                )  # fmt: skip
            self._text((left + right) / 2, PART / 2, words, self.ink.foreground, 12)

    def _text(self, x: float, y: float, text: str, colour: str, size: int, anchor: str = "center") -> None:
        self.notes.append(
            {"x": x, "y": y, "text": text, "showarrow": False, "xanchor": anchor, "yanchor": "middle",
             "font": {"size": size, "color": colour}, "borderpad": 0}
        )  # fmt: skip

    # Traces -------------------------------------------------------------------------------------------------------

    def _units(self) -> list[Dict]:
        width = 4 if self.is_roomy else 2
        return [
            {"type": "scatter", "mode": "lines", "x": xs, "y": ys, "line": {"color": colour, "width": width},
             "hoverinfo": "skip"}
            for colour, (xs, ys) in self.bars.items()
        ]  # fmt: skip

    def _hover(self) -> Dict:
        """Unseen points that the pointer finds, and that can be clicked where they are blocks."""
        return {
            "type": "scatter", "mode": "markers", "x": [p[0] for p in self.points], "y": [p[1] for p in self.points],
            "text": [p[2] for p in self.points], "customdata": [[p[3]] for p in self.points],
            "marker": {"size": 26, "symbol": "square", "opacity": 0},
            "selected": {"marker": {"opacity": 0}}, "unselected": {"marker": {"opacity": 0}},
            "hovertemplate": "%{text}<extra></extra>",
        }  # fmt: skip


def _shielded(character: str) -> str:
    """A character as Plotly shows it."""
    return shielded(visible(character))


def _places(topology: Topology) -> tuple[dict[str, Place], float]:
    """Where each block stands, by its key, and the height of it all."""
    model = topology.model
    has_parts = topology.shape is SequenceShape.DELAYED
    base = BOTTOM + (PART if has_parts else 0)
    heights = _heights(model, base)
    places = {}
    for block in topology.blocks:
        y, height = heights[block.kind, block.layer, block.reverse]
        x, half = block.column + 1.0, WIDE if model.bidirectional else HALF
        if block.kind == "hidden" and model.bidirectional:
            x, half = x + (SHIFT if block.reverse else -SHIFT), WIDE - SHIFT
        places[block.key] = Place(x, half, y, height)
    y, height = heights["output", 0, False]
    return places, y + height + 6


def _heights(model: ModelConfig, base: float) -> dict[tuple[str, int, bool], tuple[float, float]]:
    """The lower edge and the height of each row, from the lowest."""
    rows: dict[tuple[str, int, bool], tuple[float, float]] = {("input", 0, False): (base, PLAIN)}
    y: float = base + PLAIN
    if model.embedding_size:
        rows["embedding", 0, False] = (y + GAP, PLAIN)
        y += GAP + PLAIN
    for layer in range(model.num_layers):
        y += GAP
        for reverse in (False, True)[: model.directions]:
            rows["hidden", layer, reverse] = (y, CELL)
            y += CELL + (SHORT if model.bidirectional else 0)
        if model.bidirectional:
            rows["joined", layer, False] = (y, JOINED)
            y += JOINED
    rows["output", 0, False] = (y + GAP, OUT)
    return rows

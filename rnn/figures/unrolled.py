"""A network unrolled in time: the same cell once per character, side by side, with its real numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from rnn.figures import strokes, theme
from rnn.figures.characters import shielded, visible
from rnn.figures.strokes import FIXED_WIDTH, HALF, ROW, Drawing, Label, signed
from rnn.records import Trace

STEPS = 5  # columns that a phone has room for
UNITS = 4  # values of the hidden state that are shown, the first ones
GUESSES = 3  # likeliest next characters that are shown

LEFT, NAMES, BEFORE = -0.12, 0.0, 0.36  # the edge, the names of the rows, the state before the first column
RIGHT = 0.46  # from the middle of the last box to the other edge
ARROW, HEADING = 40, 55
INPUT = 24  # the bottom of the input boxes; the numbers of the steps stand below
HIDDEN = INPUT + ROW + ARROW

Dict = dict[str, Any]


def unrolled(trace: Trace, start: int = 0, steps: int = STEPS, name: str = "RNN", dark: bool = False) -> go.Figure:
    """Character read, hidden state and likeliest next characters at each step, joined by the weights.

    Where the trace goes on, the character that came next is framed: to see one after every step, trace one more.

    Args:
        trace: what happened inside the model.
        start: the first step shown, from 0.
        steps: how many are shown at most.
        name: what the title calls the model.
        dark: whether it stands on a dark background.
    """
    shown = _shown(trace, start, steps)
    ink = theme.ink(dark)
    columns = [_column(trace, t, x, ink) for x, t in enumerate(shown, start=1)]
    drawing = Drawing.joined([_before(trace, start, ink), *columns])
    top = _outputs(trace) + ROW * GUESSES + 2
    return theme.figure(
        [strokes.texts(drawing.labels), strokes.hover(drawing.labels)],
        "<br>".join(map(shielded, _title(trace, shown, name))), "", "", dark, height=top + HEADING,
        xaxis={"range": [LEFT, max(len(shown), 1) + RIGHT], "visible": False, "fixedrange": True},
        yaxis={"range": [0, top], "visible": False, "fixedrange": True},
        shapes=[*drawing.boxes, *drawing.frames], annotations=[*drawing.arrows, *_names(trace, ink)],
        margin={"l": 0, "r": 0, "t": HEADING, "b": 0}, dragmode=False, hovermode="closest", showlegend=False,
    )  # fmt: skip


def unrolled_alt(trace: Trace, start: int = 0, steps: int = STEPS, name: str = "RNN") -> str:
    """The figure in words; the arguments are those of `unrolled`."""
    shown = _shown(trace, start, steps)
    sentences = [theme.spoken(_title(trace, shown, name)) + "."]
    for t in shown:
        state = ", ".join(f"{float(h):.1f}" for h in trace.states[t, :UNITS])
        likely = ", ".join(
            f"“{visible(trace.characters[i])}” {trace.probabilities[t, i]:.2f}" for i in guesses(trace, t)
        )
        said = f"Step {t + 1} reads “{visible(trace.text[t])}”; its state begins {state}; it expects {likely}"
        came = f"; “{visible(trace.text[t + 1])}” came" if t + 1 < len(trace.text) else ""
        sentences.append(f"{said}{came}.")
    return " ".join(sentences)


def guesses(trace: Trace, t: int) -> list[int]:
    """The likeliest characters after step t, likeliest first; if the one that came is not there, it is the last."""
    order: list[int] = np.argsort(-trace.probabilities[t], kind="stable")[:GUESSES].tolist()
    following = _following(trace, t)
    if following is not None and following not in order:
        order[-1] = following
    return order


def _shown(trace: Trace, start: int, steps: int) -> range:
    return range(start, min(start + steps, len(trace.text)))


def _title(trace: Trace, shown: range, name: str) -> tuple[str, str]:
    """What is shown, in two lines: a phone has no room for it in one."""
    text = "".join(visible(trace.text[t]) for t in shown)
    return f"One {name} unrolled over “{text}”:", "the same three matrices at every step"


def _following(trace: Trace, t: int) -> int | None:
    """The index of the character that came after step t, where the trace goes on."""
    return trace.characters.index(trace.text[t + 1]) if t + 1 < len(trace.text) else None


# The parts --------------------------------------------------------------------------------------------------------


def _outputs(trace: Trace) -> int:
    """The bottom of the outputs: they stand above as many units as there are, and an arrow."""
    return HIDDEN + ROW * _units(trace) + ARROW


def _units(trace: Trace) -> int:
    return min(UNITS, int(trace.states.shape[1]))


def _column(trace: Trace, t: int, x: int, ink: theme.Ink) -> Drawing:
    """Step t, drawn at x."""
    return Drawing.joined([_input(trace, t, x, ink), _hidden(trace, t, x, ink), _output(trace, t, x, ink)])


def _input(trace: Trace, t: int, x: int, ink: theme.Ink) -> Drawing:
    """The number of the step, the character read, and the way up from it."""
    character = shielded(visible(trace.text[t]))
    box = strokes.box(x, INPUT, character, 1, theme.INPUT, f"step {t + 1} reads “{character}”", ink)
    number = Label(x, INPUT / 2 - 2, f"t = {t + 1}", ink.foreground, 12)
    weights = Label(x, INPUT + ROW + ARROW / 2, "\N{NO-BREAK SPACE}W<sub>xh</sub>", ink.input, position="middle right")
    up = strokes.arrow((x, INPUT + ROW), (x, HIDDEN), theme.INPUT)
    return Drawing.joined([box, Drawing(labels=[number, weights], arrows=[up])])


def _hidden(trace: Trace, t: int, x: int, ink: theme.Ink) -> Drawing:
    """The first values of the hidden state, the first on top, and the way from the state before."""
    values = trace.states[t, :UNITS].tolist()
    boxes = []
    for unit, h in enumerate(values):
        y = HIDDEN + ROW * (len(values) - 1 - unit)
        boxes.append(
            strokes.box(x, y, signed(h), abs(h), theme.HIDDEN, f"step {t + 1}, unit {unit + 1}<br>h = {h:.5f}", ink)
        )
    middle = HIDDEN + ROW * len(values) / 2
    tail, head = (x - 1 + HALF if x > 1 else BEFORE + 0.12), x - HALF
    weights = Label(x - 0.5, middle + 14, "W<sub>hh</sub>", ink.hidden, 11)
    across = strokes.arrow((tail, middle), (head, middle), theme.HIDDEN)
    return Drawing.joined([*boxes, Drawing(labels=[weights], arrows=[across])])


def _output(trace: Trace, t: int, x: int, ink: theme.Ink) -> Drawing:
    """The likeliest next characters, the likeliest on top, the one that came framed, and the way up to them."""
    bottom, following, probabilities = _outputs(trace), _following(trace, t), trace.probabilities[t]
    rows, frames = [], []
    for row, i in enumerate(guesses(trace, t)):
        y, p = bottom + ROW * (GUESSES - 1 - row), float(probabilities[i])
        name = shielded(visible(trace.characters[i]))
        rank = 1 + int(np.count_nonzero(probabilities > p))
        words = f"after step {t + 1}: “{name}”<br>p = {p:.5f}, number {rank} of {len(probabilities)}"
        rows.append(strokes.box(x, y, f"{p:.2f}", p, theme.OUTPUT, words, ink))
        rows.append(Drawing(labels=[Label(x - HALF - 0.13, y + ROW / 2, name, ink.foreground, 14, family=FIXED_WIDTH)]))
        frames += [strokes.frame(x, y, ink)] if i == following else []
    weights = Label(x, bottom - ARROW / 2, "\N{NO-BREAK SPACE}W<sub>hy</sub>", ink.output, position="middle right")
    up = strokes.arrow((x, bottom - ARROW), (x, bottom), theme.OUTPUT)
    return Drawing.joined([*rows, Drawing(labels=[weights], frames=frames, arrows=[up])])


def _before(trace: Trace, start: int, ink: theme.Ink) -> Drawing:
    """The state that the first step shown begins with."""
    words = "before the first step: all 0" if start == 0 else f"the state after step {start}"
    middle = HIDDEN + ROW * _units(trace) / 2
    return Drawing(labels=[Label(BEFORE, middle, f"h<sub>{start}</sub>", ink.hidden, 14, words=words)])


def _names(trace: Trace, ink: theme.Ink) -> list[Dict]:
    """What the rows are, along the left edge."""
    units, H = _units(trace), trace.states.shape[1]
    names = [
        (INPUT + ROW / 2, "x", ink.input, 0),
        (HIDDEN + ROW * units / 2, f"h, {units} of {H}", ink.hidden, -90),
        (_outputs(trace) + ROW * GUESSES / 2, "softmax(y)", ink.output, -90),
    ]
    return [
        {"x": NAMES, "y": y, "text": text, "font": {"color": colour, "size": 13}, "textangle": a, "showarrow": False}
        for y, text, colour, a in names
    ]

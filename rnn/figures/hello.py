"""The four letters that a network learns to spell: its way through them, its training, and its gradient."""

from __future__ import annotations

import math

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from rnn.figures import strokes, theme
from rnn.figures.characters import visible
from rnn.figures.strokes import FIXED_WIDTH, HALF, ROW, Dict, Drawing, Label, signed
from rnn.records import Walk

MOST_POINTS = 500  # of the curve

# Across, in time steps: the edge, the names of the rows, the state before the first column, and the other edge.
LEFT, NAMES, BEFORE, RIGHT = -0.3, -0.18, 0.13, 0.42
LETTER = HALF + 0.12  # from the middle of a box to the letter on its left
ARROW, SUBSCRIPT, HEADING = 36, 14, 55  # pixels
INPUT = 44  # the bottom of the input boxes; the letters and the numbers of the steps stand below
LINE = 19  # pixels of a line of text above the boxes

NUMBERS = 13  # pixels of the numbers in the boxes
LARGE_LOGIT = 4.0  # darkest from here

# The gradient's table
GRADIENT_LEFT, LOSSES, SUM_COLUMN, GRADIENT_RIGHT = -0.15, 0.22, 5.15, 0.36
SUM_GAP = 12  # pixels between the table and its sums
AXIS = 44  # pixels below the table, for the names of its columns


# The walk ---------------------------------------------------------------------------------------------------------


def hello(walk: Walk, dark: bool = False) -> go.Figure:
    """All of training time on one picture: one-hot inputs, states, logits, softmax, targets, and their losses.

    Args:
        walk: what the network computed; a few steps with a few letters, for every number has a box.
        dark: whether it stands on a dark background.
    """
    ink = theme.ink(dark)
    columns = [_column(walk, t, ink) for t in range(len(walk.text))]
    before = Label(BEFORE, _hidden(walk) + ROW * walk.states.shape[1] / 2, "h<sub>0</sub><br>= 0", ink.hidden, NUMBERS)
    drawing = Drawing.joined([Drawing(labels=[before]), *columns])
    top = _softmax(walk) + ROW * len(walk.characters) + 2 * LINE + 10
    return _drawn(drawing, _names(walk, ink), "<br>".join(_title(walk)), LEFT, len(walk.text) + RIGHT, top, dark)


def hello_alt(walk: Walk) -> str:
    """The figure in words."""
    sentences = [f"{'; '.join(_title(walk))}."]
    for t, (read, target) in enumerate(zip(walk.text, walk.targets, strict=True)):
        state = ", ".join(map(signed, walk.states[t]))
        logits = ", ".join(f"{visible(c)} {signed(y)}" for c, y in zip(walk.characters, walk.logits[t], strict=True))
        p = walk.probabilities[t, walk.characters.index(target)]
        sentences.append(
            f"Step {t + 1} reads “{visible(read)}”: state {state}; logits {logits}; "
            f"target “{visible(target)}”, p = {p:.3f}, loss {number(walk.losses[t])}."
        )
    return " ".join(sentences)


def number(nats: float) -> str:
    """A loss with as many digits as are of use: 2.08, 14.9, 0.0012."""
    if nats >= 10:
        return f"{nats:,.1f}" if nats < 100 else f"{nats:,.0f}"
    return f"{nats:.2f}" if nats >= 0.1 or nats < 5e-5 else f"{nats:.4f}" if nats < 0.01 else f"{nats:.3f}"


def _title(walk: Walk) -> tuple[str, str]:
    return f"Total loss {number(walk.total)} nats", f"best guesses “{walk.guesses}”, targets “{walk.targets}”"


def _hidden(walk: Walk) -> int:
    """The bottom of the hidden states."""
    return INPUT + ROW * len(walk.characters) + ARROW


def _logits(walk: Walk) -> int:
    return _hidden(walk) + ROW * int(walk.states.shape[1]) + ARROW


def _softmax(walk: Walk) -> int:
    return _logits(walk) + ROW * len(walk.characters) + ARROW


def _column(walk: Walk, t: int, ink: theme.Ink) -> Drawing:
    """Step t, from the letter that is read up to the loss."""
    return Drawing.joined(
        [_input(walk, t, ink), _state(walk, t, ink), _scores(walk, t, ink), _guess(walk, t, ink), _loss(walk, t, ink)]
    )


def _input(walk: Walk, t: int, ink: theme.Ink) -> Drawing:
    """The letter, its one-hot vector, and the way up."""
    x, read = t + 1, walk.text[t]
    boxes = []
    for row, character in enumerate(walk.characters):
        is_read = character == read
        words = f"step {t + 1}, input for “{character}”: {int(is_read)}"
        y = _row(INPUT, len(walk.characters), row)
        boxes.append(strokes.box(x, y, str(int(is_read)), float(is_read), theme.INPUT, words, ink, NUMBERS))
        if t == 0:
            boxes.append(_letter(x, y, character, ink))
    below = [
        Label(x, INPUT - 13, f"<b>“{read}”</b>", ink.input, 16),
        Label(x, 10, f"t = {t + 1}", ink.foreground, 12),
    ]
    top = INPUT + ROW * len(walk.characters)
    way = _way_up(x, top, "W<sub>xh</sub>", theme.INPUT, ink.input)
    return Drawing.joined([*boxes, Drawing(labels=below), way])


def _state(walk: Walk, t: int, ink: theme.Ink) -> Drawing:
    """The hidden state, and the way from the one before."""
    x, units, bottom = t + 1, walk.states.shape[1], _hidden(walk)
    boxes = [
        strokes.box(x, _row(bottom, units, i), signed(h), abs(h), theme.HIDDEN,
                    f"step {t + 1}, hidden unit {i + 1}<br>h = {h:.5f}", ink, NUMBERS)
        for i, h in enumerate(walk.states[t].tolist())
    ]  # fmt: skip
    middle = bottom + ROW * units / 2
    tail = x - 1 + HALF if t else BEFORE + 0.19
    across = strokes.arrow((tail, middle), (x - HALF, middle), theme.HIDDEN)
    weights = Label((tail + x - HALF) / 2, middle + SUBSCRIPT, "W<sub>hh</sub>", ink.hidden, 11)
    way = _way_up(x, bottom + ROW * units, "W<sub>hy</sub>", theme.OUTPUT, ink.output)
    return Drawing.joined([*boxes, Drawing(labels=[weights], arrows=[across]), way])


def _scores(walk: Walk, t: int, ink: theme.Ink) -> Drawing:
    """The logits, and the way to the softmax."""
    x, V, bottom = t + 1, len(walk.characters), _logits(walk)
    parts = []
    for row, (character, y_t) in enumerate(zip(walk.characters, walk.logits[t].tolist(), strict=True)):
        y = _row(bottom, V, row)
        words = f"step {t + 1}, logit of “{character}”<br>y = {y_t:.5f}"
        parts += [
            strokes.box(x, y, signed(y_t), abs(y_t) / LARGE_LOGIT, theme.OUTPUT, words, ink, NUMBERS),
            _letter(x, y, character, ink),
        ]
    return Drawing.joined([*parts, _way_up(x, bottom + ROW * V, "softmax", theme.OUTPUT, ink.output)])


def _guess(walk: Walk, t: int, ink: theme.Ink) -> Drawing:
    """The softmax, with the target framed."""
    x, V = t + 1, len(walk.characters)
    parts = []
    for row, (character, p) in enumerate(zip(walk.characters, walk.probabilities[t].tolist(), strict=True)):
        y, is_target = _row(_softmax(walk), V, row), character == walk.targets[t]
        logit = float(walk.logits[t, row])
        words = (
            f"step {t + 1}, “{character}”{', the target' if is_target else ''}<br>p = e^({logit:.3g}) / sum = {p:.5f}"
        )
        frames = [strokes.frame(x, y, ink)] if is_target else []
        parts += [
            strokes.box(x, y, f"{p:.3f}", p, theme.OUTPUT, words, ink, NUMBERS),
            _letter(x, y, character, ink),
            Drawing(frames=frames),
        ]
    return Drawing.joined(parts)


def _loss(walk: Walk, t: int, ink: theme.Ink) -> Drawing:
    """The target, and the loss under it."""
    x, bottom = t + 1 - 0.13, _softmax(walk) + ROW * len(walk.characters) + 4
    target, loss = walk.targets[t], float(walk.losses[t])
    p = float(walk.probabilities[t, walk.characters.index(target)])
    words = f"step {t + 1}: −ln {p:.5f} = {loss:.5f} nats"
    plus = [Label(x - 0.5, bottom + 0.5 * LINE, "+", ink.foreground, NUMBERS)] if t else []
    return Drawing(
        labels=[
            Label(x, bottom + 1.5 * LINE, f"target <b>“{target}”</b>", ink.foreground, NUMBERS),
            Label(x, bottom + 0.5 * LINE, f"loss {number(loss)}", ink.foreground, NUMBERS, words=words),
            *plus,
        ]
    )


def _row(bottom: int, rows: int, row: int) -> int:
    """The bottom of a box; the first row is on top."""
    return bottom + ROW * (rows - 1 - row)


def _letter(x: float, y: float, character: str, ink: theme.Ink) -> Drawing:
    return Drawing(labels=[Label(x - LETTER, y + ROW / 2, character, ink.foreground, NUMBERS, family=FIXED_WIDTH)])


def _way_up(x: float, bottom: float, name: str, colour: str, text: str) -> Drawing:
    arrow = strokes.arrow((x, bottom), (x, bottom + ARROW), colour)
    side = "left" if name == "softmax" else "right"  # on the right there is no room for a word
    label = Label(x, bottom + ARROW / 2, f"\N{NO-BREAK SPACE}{name}\N{NO-BREAK SPACE}", text, 12, f"middle {side}")
    return Drawing(labels=[label], arrows=[arrow])


def _names(walk: Walk, ink: theme.Ink) -> list[Dict]:
    """What the rows are, along the left edge."""
    V, units = len(walk.characters), walk.states.shape[1]
    names = [
        (INPUT + ROW * V / 2, "input x", ink.input),
        (_hidden(walk) + ROW * units / 2, "state h", ink.hidden),
        (_logits(walk) + ROW * V / 2, "logits y", ink.output),
        (_softmax(walk) + ROW * V / 2, "softmax", ink.output),
    ]
    return [
        {"x": NAMES, "y": y, "text": text, "font": {"color": colour, "size": 13}, "textangle": -90, "showarrow": False}
        for y, text, colour in names
    ]


# The training -----------------------------------------------------------------------------------------------------


def hello_losses(losses: NDArray[np.float64], now: float, letters: int, V: int, dark: bool = False) -> go.Figure:
    """The total loss against the steps taken.

    Args:
        losses: before each step, nats, (steps,).
        now: after the last one.
        letters: T, how many are predicted.
        V: from how many.
        dark: whether it stands on a dark background.
    """
    ink, values = theme.ink(dark), np.append(losses, now)
    steps = np.unique(np.linspace(0, len(losses), MOST_POINTS).round().astype(int))
    guessing = letters * math.log(V)
    curve = {
        "type": "scatter", "mode": "lines+markers" if len(values) < 3 else "lines",
        "x": steps.tolist(), "y": values[steps].round(5).tolist(), "line": {"color": ink.foreground, "width": 2},
        "hovertemplate": "step %{x}<br>%{y:.4f} nats<extra></extra>",
    }  # fmt: skip
    reference = {
        "type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": guessing, "y1": guessing, "layer": "below",
        "line": {"color": ink.muted, "width": 1.5, "dash": "dot"},
    }  # fmt: skip
    label = {
        "text": f"guessing: {letters} ln {V} = {guessing:.2f}", "xref": "paper", "x": 1, "xanchor": "right",
        "y": guessing, "yanchor": "bottom", "showarrow": False, "font": {"size": 12},
    }  # fmt: skip
    return theme.figure(
        [curve], _losses_title(losses, now), "step", "total loss, nats", dark, height=230, showlegend=False,
        margin={"t": 40}, shapes=[reference], annotations=[label],
        xaxis={"range": [0, max(len(losses), 10)], "tickformat": ",d"},
        yaxis={"range": [0, 1.12 * max(guessing, float(values.max()))]},
    )  # fmt: skip


def hello_losses_alt(losses: NDArray[np.float64], now: float, letters: int, V: int) -> str:
    """The figure in words; the arguments are those of `hello_losses`."""
    first = f" It began at {number(losses[0])}." if len(losses) else ""
    return f"{_losses_title(losses, now)}.{first} Guessing gives {letters * math.log(V):.2f}."


def _losses_title(losses: NDArray[np.float64], now: float) -> str:
    steps = len(losses)
    return f"{number(now)} nats after {steps:,} step{'' if steps == 1 else 's'}"


# The gradient -----------------------------------------------------------------------------------------------------


def hello_gradient(shares: NDArray[np.float64], targets: str, dark: bool = False) -> go.Figure:
    """How large the share of each loss, through each copy of W_hh, is in the gradient.

    Args:
        shares: (T, T, H, H), loss t and copy k; see `rnn.hello.gradient_shares`.
        targets: the letter of each loss.
        dark: whether it stands on a dark background.
    """
    ink, T = theme.ink(dark), len(shares)
    sums = AXIS + ROW + SUM_GAP  # the bottom of the losses' rows
    parts = [
        _share(k + 1, _row(sums, T, t), _norm(shares[t, k]), shares, _share_words(t, k), ink)
        for t in range(T) for k in range(t + 1)
    ]  # fmt: skip
    parts += [
        _share(SUM_COLUMN, _row(sums, T, t), _norm(shares[t].sum(0)), shares, f"all shares of loss {t + 1}, added", ink)
        for t in range(T)
    ]
    parts += [
        _share(k + 1, AXIS, _norm(shares[:, k].sum(0)), shares, f"all shares through copy {k + 1}, added", ink)
        for k in range(T)
    ]
    parts.append(_share(SUM_COLUMN, AXIS, _norm(shares.sum((0, 1))), shares, "the gradient: all shares, added", ink))
    rows = [
        Label(LOSSES, _row(sums, T, t) + ROW / 2, f"L<sub>{t + 1}</sub> “{c}”", ink.foreground, NUMBERS)
        for t, c in enumerate(targets)
    ]
    columns = [Label(k + 1, AXIS - 12, f"copy {k + 1}", ink.hidden, 12) for k in range(T)]
    columns += [
        Label(SUM_COLUMN, AXIS - 12, "sum", ink.foreground, 12),
        Label(LOSSES, AXIS + ROW / 2, "sum", ink.foreground),
    ]
    axis = {
        "text": "step whose copy of W<sub>hh</sub> the gradient goes through", "x": (T + 1) / 2, "y": 10,
        "font": {"size": 12}, "showarrow": False,
    }  # fmt: skip
    drawing = Drawing.joined([*parts, Drawing(labels=[*rows, *columns])])
    top = sums + ROW * T + 4
    return _drawn(
        drawing, [axis], "<br>".join(_gradient_title(shares)), GRADIENT_LEFT, SUM_COLUMN + GRADIENT_RIGHT, top, dark
    )


def hello_gradient_alt(shares: NDArray[np.float64], targets: str) -> str:
    """The figure in words; the arguments are those of `hello_gradient`."""
    of_losses = ", ".join(f"loss {t + 1} (“{c}”) {_short(_norm(shares[t].sum(0)))}" for t, c in enumerate(targets))
    of_copies = ", ".join(f"copy {k + 1} {_short(_norm(shares[:, k].sum(0)))}" for k in range(len(shares)))
    title = theme.spoken(_gradient_title(shares))
    return f"{title}. By loss: {of_losses}. By copy of the matrix: {of_copies}."


def _gradient_title(shares: NDArray[np.float64]) -> tuple[str, str]:
    return (
        f"‖dL/dW<sub>hh</sub>‖ = {_short(_norm(shares.sum((0, 1))))}, a sum of shares:",
        "of each loss, through each copy of W<sub>hh</sub>",
    )


def _share(x: float, y: float, norm: float, shares: NDArray[np.float64], words: str, ink: theme.Ink) -> Drawing:
    largest = max(_norm(shares[t].sum(0)) for t in range(len(shares))) or 1.0
    said = f"{words}<br>norm {norm:.6f}"
    return strokes.box(x, y, _short(norm), norm / largest, theme.GRADIENT, said, ink, NUMBERS)


def _share_words(t: int, k: int) -> str:
    nothing = ", which multiplied h<sub>0</sub> = 0" if k == 0 else ""
    return f"loss {t + 1} through copy {k + 1}{nothing}"


def _short(norm: float) -> str:
    """In five letters at most, which is what a box on a phone holds."""
    if norm == 0 or norm >= 0.1:
        return "0" if norm == 0 else f"{norm:.2f}" if norm < 9.995 else f"{norm:.0f}"
    return f"{norm:.3f}" if norm >= 0.0005 else f"{norm:.0e}".replace("e-0", "e−").replace("e-", "e−")


def _norm(matrix: NDArray[np.float64]) -> float:
    return float(np.linalg.norm(matrix))


def _drawn(
    drawing: Drawing, names: list[Dict], title: str, left: float, right: float, top: int, dark: bool
) -> go.Figure:  # fmt: skip
    return theme.figure(
        [strokes.texts(drawing.labels), strokes.hover(drawing.labels)], title, "", "", dark, height=top + HEADING,
        xaxis={"range": [left, right], "visible": False, "fixedrange": True},
        yaxis={"range": [0, top], "visible": False, "fixedrange": True},
        shapes=[*drawing.boxes, *drawing.frames], annotations=[*drawing.arrows, *names],
        margin={"l": 0, "r": 0, "t": HEADING, "b": 0}, dragmode=False, hovermode="closest", showlegend=False,
    )  # fmt: skip

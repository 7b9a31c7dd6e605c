"""The chunks of truncated backpropagation through time: what crosses their borders, and what stops there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from rnn.figures import strokes, theme
from rnn.figures.characters import shielded, visible
from rnn.figures.strokes import FIXED_WIDTH, Label

if TYPE_CHECKING:  # it needs torch
    from rnn.gradients.chunks import ChunkStep, Growth

PHASES = ("forward", "backward", "update")  # of every chunk, in this order
LETTERS = 48  # columns that have room for a letter each on a wide screen
COLUMNS = 32  # of the batch that are shown at a time: room for a letter each on a phone too
HEADING, FOOT = 64, 34

CHARACTERS, STATES, FORWARD, BACKWARD, BARS, WORDS = 10, 26, 70, 100, 118, 196  # pixels from the bottom
BOX, BAR = 30, 52  # the height of a state's box, and of the tallest bar
FAINT = 0.25

Dict = dict[str, Any]


def chunks(text: str, steps: Sequence[ChunkStep], done: int, dark: bool = False) -> go.Figure:
    """The text in chunks up to a moment of its training: forward, backward and update of one chunk after the other.

    Args:
        text: the characters read, those of all chunks.
        steps: what each chunk computed.
        done: how many phases are over, the current one included, 1 to 3 for each chunk.
        dark: whether it stands on a dark background.
    """
    ink, now = theme.ink(dark), _now(done, steps)
    labels, shapes, arrows = list[Label](), list[Dict](), list[Dict]()
    largest = max(float(one.arriving.max()) for one in steps) or 1.0
    has_letters = len(text) <= LETTERS
    for number, one in enumerate(steps):
        phases = max(0, min(3, done - 3 * number))  # of this chunk that are over
        shapes += _boxes(one, text, phases > 0, ink)
        if has_letters:
            labels += [
                Label(t + 1, CHARACTERS, shielded(visible(text[t])), ink.foreground, 13, family=FIXED_WIDTH)
                for t in range(one.begin, one.end)
            ]
        if number:
            shapes.append(_wall(one.begin, ink))
        if phases > 0:
            last = number == len(steps) - 1
            arrows.append(
                strokes.arrow((one.begin + 0.6, FORWARD), (one.end + (0.4 if last else 0.9), FORWARD), theme.HIDDEN)
            )
        if phases > 1:
            arrows.append(strokes.arrow((one.end + 0.4, BACKWARD), (one.begin + 0.62, BACKWARD), theme.GRADIENT))
            shapes += _bars(one, largest, number == now[0])
        labels += _words(one, phases, number == now[0], ink)
    chunk = steps[now[0]]
    shapes.append(
        {"type": "rect", "x0": chunk.begin + 0.5, "x1": chunk.end + 0.5, "y0": 1, "y1": WORDS + 44, "layer": "below",
         "fillcolor": theme.shade(ink.muted, 0.14), "line": {"width": 0}}
    )  # fmt: skip
    points = _points(text, steps, done)
    height = WORDS + 48
    return theme.figure(
        [points, strokes.texts(labels)], "<br>".join(_title(steps, done)), "time step t", "", dark,
        height=height + HEADING + FOOT,
        xaxis={"range": [-0.2, len(text) + 0.8], "fixedrange": True, "showgrid": False, "zeroline": False,
               "tickvals": [1, *(one.end for one in steps)]},
        yaxis={"range": [0, height], "fixedrange": True, "showgrid": False, "zeroline": False, "tickangle": 0,
               "tickvals": [STATES + BOX / 2, FORWARD, BACKWARD, BARS + BAR / 2],
               "ticktext": ["h", "state", "gradient", "‖dL/dh<sub>t</sub>‖"]},
        shapes=shapes, annotations=arrows, margin={"t": HEADING, "b": FOOT}, showlegend=False, dragmode=False,
        hovermode="closest",
    )  # fmt: skip


def chunks_alt(text: str, steps: Sequence[ChunkStep], done: int) -> str:
    """The figure in words."""
    said = [theme.spoken(_title(steps, done)) + "."]
    for number, one in enumerate(steps):
        if done >= 3 * number + 1:
            said.append(f"Chunk {number + 1}, steps {one.begin + 1} to {one.end}: loss {one.loss:.2f} nats.")
        if done >= 3 * number + 2:
            said.append(f"Norm of its gradient {one.gradient:.2g}; it goes back to step {one.begin + 1}.")
        if done >= 3 * number + 3:
            said.append(f"The update moves the weights by {one.update:.2%}.")
    return " ".join(said)


def _now(done: int, steps: Sequence[ChunkStep]) -> tuple[int, str]:
    """The chunk, from 0, and the phase that is on show."""
    number, phase = divmod(max(1, min(done, 3 * len(steps))) - 1, 3)
    return number, PHASES[phase]


def _title(steps: Sequence[ChunkStep], done: int) -> tuple[str, str]:
    number, phase = _now(done, steps)
    one = steps[number]
    first = f"Chunk {number + 1} of {len(steps)}, {phase}"
    if phase == "forward":
        goes_on = "is kept" if number == len(steps) - 1 else "crosses the border"
        return f"{first}: loss {one.loss:.2f} nats", f"Its last state, ‖h‖ = {one.carried:.2g}, {goes_on}"
    if phase == "backward":
        stops = f"It stops at the wall before step {one.begin + 1}" if number else "It ends where the text begins"
        return f"{first}: gradient norm {one.gradient:.2g}", stops
    then = "That was the last chunk" if number == len(steps) - 1 else "The next chunk begins with the carried state"
    return f"{first}: weights move by {one.update:.2%}", then


def _boxes(one: ChunkStep, text: str, is_read: bool, ink: theme.Ink) -> list[Dict]:
    return [
        {
            "type": "rect", "x0": t + 1 - 0.36, "x1": t + 1 + 0.36, "y0": STATES, "y1": STATES + BOX, "layer": "below",
            "fillcolor": theme.shade(theme.HIDDEN, 0.08 + 0.92 * min(1.0, float(h))) if is_read else "rgba(0,0,0,0)",
            "line": {"color": theme.HIDDEN if is_read else ink.grid, "width": 1},
        }
        for t, h in zip(range(one.begin, one.end), one.states, strict=True)
    ]  # fmt: skip


def _bars(one: ChunkStep, largest: float, is_now: bool) -> list[Dict]:
    return [
        {
            "type": "rect", "x0": t + 1 - 0.3, "x1": t + 1 + 0.3, "y0": BARS, "layer": "below",
            "y1": BARS + max(1.0, BAR * float(norm) / largest), "line": {"width": 0},
            "fillcolor": theme.shade(theme.GRADIENT, 1.0 if is_now else 0.45),
        }
        for t, norm in zip(range(one.begin, one.end), one.arriving, strict=True)
    ]  # fmt: skip


def _wall(begin: int, ink: theme.Ink) -> Dict:
    return {
        "type": "line", "x0": begin + 0.5, "x1": begin + 0.5, "y0": BACKWARD - 14, "y1": BARS + BAR + 8,
        "line": {"color": ink.foreground, "width": 5},
    }  # fmt: skip


def _words(one: ChunkStep, phases: int, is_now: bool, ink: theme.Ink) -> list[Label]:
    middle = (one.begin + one.end + 1) / 2
    said = [(f"loss {one.loss:.2f}", ink.foreground), (f"‖g‖ {one.gradient:.2g}", ink.gradient),
            (f"Δ {one.update:.2%}", ink.foreground)][:phases]  # fmt: skip
    return [
        Label(middle, WORDS + 38 - 18 * row, f"<b>{words}</b>" if is_now else words, colour, 13)
        for row, (words, colour) in enumerate(said)
    ]


def _points(text: str, steps: Sequence[ChunkStep], done: int) -> Dict:
    """Unseen, for the pointer: one at every step that has been read."""
    x, words = list[int](), list[str]()
    for number, one in enumerate(steps):
        for i, t in enumerate(range(one.begin, one.end)):
            if done > 3 * number:
                back = f"<br>‖dL/dh‖ {one.arriving[i]:.3g}" if done > 3 * number + 1 else ""
                words.append(
                    f"step {t + 1} reads “{shielded(visible(text[t]))}”<br>loss {one.losses[i]:.3f} nats{back}"
                )
                x.append(t + 1)
    return {
        "type": "scatter", "mode": "markers", "x": x, "y": [STATES + BOX / 2] * len(x), "customdata": words,
        "marker": {"size": 18, "opacity": 0}, "hovertemplate": "%{customdata}<extra></extra>",
    }  # fmt: skip


# The batch --------------------------------------------------------------------------------------------------------


def batch_columns(n: int, k: int, step: int) -> range:
    """The columns, from 0, that are shown of streams of n characters: whole chunks, the step's own among them."""
    width = max(1, COLUMNS // k) * k
    begin = step * k // width * width
    return range(begin, min(n, begin + width))


def batch_layout(streams: Sequence[str], k: int, step: int, dark: bool = False) -> go.Figure:
    """B parts of a text side by side, cut in chunks: the cells of one gradient step are those of one column of chunks.

    Of long streams the `batch_columns` are shown.

    Args:
        streams: the characters of each part, B of equal length n.
        k: characters of a chunk.
        step: the gradient step on show, from 0; the ones before it are done.
        dark: whether it stands on a dark background.
    """
    ink, B, n = theme.ink(dark), len(streams), len(streams[0])
    columns = batch_columns(n, k, step)
    z = np.array([[0.55 if t // k < step else 1.0 if t // k == step else 0.0 for t in columns]] * B)
    heat = {
        "type": "heatmap", "z": z.astype(np.float32), "x": [t + 1 for t in columns], "y": list(range(1, B + 1)),
        "zmin": 0, "zmax": 1, "showscale": False, "xgap": 1, "ygap": 2,
        "colorscale": [[0, theme.shade(ink.muted, 0.08)], [0.55, theme.shade(theme.HIDDEN, 0.22)], [1, theme.HIDDEN]],
        "customdata": [
            [f"stream {b + 1}, “{shielded(visible(stream[t]))}”: gradient step {t // k + 1}" for t in columns]
            for b, stream in enumerate(streams)
        ],
        "hovertemplate": "%{customdata}<extra></extra>",
    }  # fmt: skip
    lit = theme.text_on(theme.HIDDEN, 1.0, ink.background)
    labels = [
        Label(
            t + 1,
            b + 1,
            shielded(visible(stream[t])),
            lit if t // k == step else ink.foreground,
            13,
            family=FIXED_WIDTH,
        )
        for b, stream in enumerate(streams)
        for t in columns
    ]
    walls = [
        {"type": "line", "x0": t + 0.5, "x1": t + 0.5, "y0": 0.45, "y1": B + 0.55,
         "line": {"color": ink.foreground, "width": 3}}
        for t in columns[k::k]
    ]  # fmt: skip
    first = step * k
    frame = {
        "type": "rect", "x0": first + 0.5, "x1": min(n, first + k) + 0.5, "y0": 0.45, "y1": B + 0.55,
        "line": {"color": theme.GRADIENT, "width": 4},
    }  # fmt: skip
    return theme.figure(
        [heat, strokes.texts(labels)], "<br>".join(_batch_title(streams, k, step)), "character of the stream",
        "stream b", dark, height=HEADING + 30 * B + 70,
        xaxis={"range": [columns[0] + 0.3, columns[-1] + 1.7], "fixedrange": True, "showgrid": False,
               "zeroline": False, "tickvals": [columns[0] + 1, *(t + k for t in columns[::k] if k > 1 and t + k <= n)]},
        yaxis={"range": [B + 0.7, 0.3], "fixedrange": True, "showgrid": False, "zeroline": False, "dtick": 1},
        shapes=[*walls, frame], margin={"t": HEADING}, showlegend=False, dragmode=False,
    )  # fmt: skip


def batch_layout_alt(streams: Sequence[str], k: int, step: int) -> str:
    """The figure in words."""
    read = "; ".join(f"stream {b + 1}: “{stream[step * k : (step + 1) * k]}”" for b, stream in enumerate(streams))
    return f"{theme.spoken(_batch_title(streams, k, step))}. Its chunks are {read}."


def _batch_title(streams: Sequence[str], k: int, step: int) -> tuple[str, str]:
    B, n = len(streams), len(streams[0])
    cells = B * (min(n, (step + 1) * k) - step * k)
    return (
        f"Gradient step {step + 1} of {-(-n // k)}: {cells} characters",
        f"one chunk of each of {B} stream{'s' if B > 1 else ''}",
    )


# Without the line -------------------------------------------------------------------------------------------------


def growth(cut: Sequence[Growth], grown: Sequence[Growth], dark: bool = False) -> go.Figure:
    """Nodes, milliseconds and kilobytes of every chunk's backward pass, with the state detached and without.

    Args:
        cut: detached at every edge.
        grown: never detached.
        dark: whether it stands on a dark background.
    """
    ink, x = theme.ink(dark), [one.chunk for one in cut]
    rows: list[tuple[str, list[NDArray[Any] | list[float]]]] = [
        ("operations in the graph", [[float(one.nodes) for one in way] for way in (grown, cut)]),
        ("backward pass, ms", [[1e3 * one.seconds for one in way] for way in (grown, cut)]),
        ("kept for it, kB", [[one.saved_bytes / 1e3 for one in way] for way in (grown, cut)]),
    ]
    looks = (
        ("without h.detach()", theme.GRADIENT, "dash", "circle"),
        ("with h.detach()", theme.HIDDEN, "solid", "diamond"),
    )
    traces, axes, notes = list[Dict](), dict[str, Dict](), list[Dict]()
    for row, (name, ways) in enumerate(rows):
        suffix = "" if row == 0 else str(row + 1)
        for (label, colour, dash, mark), y in zip(looks, ways, strict=True):
            traces.append(
                {"type": "scatter", "mode": "lines+markers", "x": x, "y": [float(f"{v:.4g}") for v in y], "name": label,
                 "xaxis": f"x{suffix}", "yaxis": f"y{suffix}", "showlegend": row == 0, "legendgroup": label,
                 "line": {"color": colour, "width": 2.5, "dash": dash}, "marker": {"symbol": mark, "size": 8},
                 "hovertemplate": f"chunk %{{x}}, {label}<br>{name}: %{{y:,.4g}}<extra></extra>"}
            )  # fmt: skip
        top = 1 - row / 3
        font = {"size": 13, "color": ink.foreground}
        is_last = row == len(rows) - 1
        axes[f"xaxis{suffix}"] = {
            "anchor": f"y{suffix}", "title": {"text": "chunk" if is_last else "", "font": font}, "dtick": 1,
            "fixedrange": True, "showgrid": False, "tickfont": font, "zeroline": False, "showticklabels": is_last,
        }  # fmt: skip
        axes[f"yaxis{suffix}"] = {
            "domain": [top - 0.25, top - 0.06], "anchor": f"x{suffix}", "rangemode": "tozero", "nticks": 4,
            "fixedrange": True, "tickfont": font, "gridcolor": ink.grid, "zerolinecolor": ink.grid,
            "title": {"text": ""}, "automargin": True,
        }  # fmt: skip
        notes.append(
            {"xref": "paper", "x": 0, "xanchor": "left", "yref": "paper", "y": top - 0.055, "yanchor": "bottom",
             "text": f"<b>{name}</b>", "showarrow": False, "font": font}
        )  # fmt: skip
    return theme.figure(
        traces, "<br>".join(_growth_title(cut, grown)), "", "", dark, height=500, annotations=notes, dragmode=False,
        margin={"t": 112}, **axes,
    )  # fmt: skip


def growth_alt(cut: Sequence[Growth], grown: Sequence[Growth]) -> str:
    """The figure in words."""
    a, b = cut[-1], grown[-1]
    told = [
        f"{one.nodes:,} operations, {1e3 * one.seconds:.1f} ms and {one.saved_bytes / 1e3:,.0f} kB" for one in (a, b)
    ]
    title = theme.spoken(_growth_title(cut, grown))
    return f"{title}. Chunk {a.chunk} takes {told[0]} with the line, {told[1]} without it."


def _growth_title(cut: Sequence[Growth], grown: Sequence[Growth]) -> tuple[str, str]:
    times = grown[-1].saved_bytes / cut[-1].saved_bytes
    return (
        f"Without the line, chunk {grown[-1].chunk} keeps {times:.1f} times as much",
        "and goes back to the very first character",
    )

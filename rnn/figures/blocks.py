"""A block of a drawn network in words: its name, its shape, its equation, and its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from rnn.config import ModelConfig
from rnn.figures import theme
from rnn.figures.characters import shielded
from rnn.topology import Arrow, Block, Topology

Array = NDArray[np.float64]
FIRST = 4  # numbers that a hover shows
WRITTEN = 8  # columns up to which a table writes its numbers
MOST = 128  # columns of a table at most
TICKS = 12  # names of columns that a phone has room for
ROW, ABOVE = 30, 104  # pixels of a row, and of the title and the axis together
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
SUPERSCRIPTS = str.maketrans("0123456789()", "⁰¹²³⁴⁵⁶⁷⁸⁹⁽⁾")

PHI = {"tanh": "\\tanh", "relu": "\\mathrm{ReLU}", "sigmoid": "\\sigma"}


class Matrix(NamedTuple):
    """The name of a parameter, as HTML and as LaTeX."""

    html: str
    latex: str


def matrix(topology: Topology, arrow: Arrow) -> Matrix:
    """What an arrow multiplies by: W_xh, W_hh with layer and direction where there are several, W_hy, E."""
    if arrow.kind == "lookup":
        return Matrix("E", "E")
    letters = {"input": "xh", "recurrent": "hh", "output": "hy"}[arrow.kind]
    top_html, top_latex = "", ""
    if arrow.kind != "output":
        top_html, top_latex = _above(topology.model, arrow.head.layer)
        if topology.model.bidirectional:
            side_html, side_latex = ("←", "\\leftarrow") if arrow.head.reverse else ("→", "\\rightarrow")
            top_html, top_latex = top_html + side_html, top_latex + side_latex
    raised = f"<sup>{top_html}</sup>" if top_html else ""
    return Matrix(f"W<sub>{letters}</sub>{raised}", f"W_{{{letters}}}" + (f"^{{{top_latex}}}" if top_latex else ""))


def _above(model: ModelConfig, layer: int) -> tuple[str, str]:
    """The number of a layer, where there are several."""
    number = f"({layer + 1})" if model.num_layers > 1 else ""
    return number, number


def shape_of(arrow: Arrow) -> str:
    """`3 × 4`, or with the gates' factor `4·3 × 4`."""
    factor = f"{arrow.gates}·" if arrow.gates > 1 else ""
    return f"{factor}{arrow.rows} × {arrow.columns}"


def time_of(topology: Topology, block: Block) -> str:
    """The index that a block's symbols carry: "t", or unrolled the number of its step, from 1."""
    return "t" if topology.is_folded else str(block.column + 1)


def name(topology: Topology, block: Block) -> str:
    """`h₂⁽¹⁾ forward`, in characters that any list shows."""
    time = "ₜ" if topology.is_folded else time_of(topology, block).translate(SUBSCRIPTS)
    letter = {"input": "x", "embedding": "e", "hidden": "h", "joined": "h", "output": "y"}[block.kind]
    layer = f"({block.layer + 1})".translate(SUPERSCRIPTS) if letter == "h" and topology.model.num_layers > 1 else ""
    side = ""
    if topology.model.bidirectional and letter == "h":
        side = " both directions" if block.kind == "joined" else " backward" if block.reverse else " forward"
    part = topology.steps[block.column].part
    return f"{letter}{time}{layer}{side}" + (f" of the {part}" if part and topology.is_folded else "")


def is_summary(topology: Topology, block: Block) -> bool:
    """Whether nothing but this state of its layer and direction is left of the sequence: at its end, or its start."""
    steps = topology.steps
    if not block.reverse or topology.is_folded:
        return block.kind == "hidden" and steps[block.column].is_summary
    return block.kind == "hidden" and block.column == 0 and any(step.is_summary for step in steps)


def purpose(topology: Topology, block: Block) -> str:
    """What a block is, in a few words."""
    step = topology.steps[block.column]
    match block.kind:
        case "input" if step.reads == "nothing":
            return "what starts the decoder: nothing, the zero vector"
        case "input" if step.reads == "written":
            return "the character that the network wrote before, one-hot"
        case "input":
            return "the character read, one-hot"
        case "embedding":
            return "the character's learned vector"
        case "hidden" if is_summary(topology, block):
            return "the hidden state, a summary of all that was read"
        case "hidden":
            return "the hidden state"
        case "joined":
            return "both directions' states, one below the other"
        case _:
            return "a score for each character; their softmax is the answer"


def latex(topology: Topology, block: Block) -> list[str]:
    """The equations of a block, with the names that stand in the drawing."""
    t = time_of(topology, block)
    bias = topology.model.bias
    match block.kind:
        case "input":
            return [f"x_{{{t}}} \\in \\{{0, 1\\}}^{{{block.size}}}"]
        case "embedding":
            return [f"e_{{{t}}} = E^\\top x_{{{t}}}"]
        case "joined":
            h = _state(topology, block.layer, None)
            forward, backward = (_state(topology, block.layer, reverse) for reverse in (False, True))
            tails = {a.tail.reverse: time_of(topology, a.tail) for a in topology.arrows if a.head == block and a.tail}
            return [f"{h}_{{{t}}} = [{forward}_{{{tails[False]}}};\\; {backward}_{{{tails[True]}}}]"]
        case "output":
            h = _state(topology, topology.model.num_layers - 1, None)
            return [
                f"y_{{{t}}} = W_{{hy}}\\, {h}_{{{t}}}" + (" + b_y" if bias else ""),
                f"p_{{{t}}} = \\mathrm{{softmax}}(y_{{{t}}})",
            ]
        case _:
            return _cell(topology, block)


def _state(topology: Topology, layer: int, reverse: bool | None, letter: str = "h") -> str:
    """h with layer and direction, without the time."""
    number = f"^{{({layer + 1})}}" if topology.model.num_layers > 1 else ""
    if topology.model.bidirectional and reverse is not None:
        letter = f"\\overleftarrow{{{letter}}}" if reverse else f"\\overrightarrow{{{letter}}}"
    return letter + number


def _cell(topology: Topology, block: Block) -> list[str]:
    model = topology.model
    t, before = _times(topology, block)
    arrows = {a.kind: a for a in topology.arrows if a.head == block}
    h = _state(topology, block.layer, block.reverse)
    x = f"{_state(topology, block.layer - 1, None)}_{{{t}}}" if block.layer else f"{_first(model)}_{{{t}}}"
    W_xh, W_hh = (matrix(topology, arrows[kind]).latex for kind in ("input", "recurrent"))
    b_x, b_h = (f" + {W.replace('W', 'b', 1)}" if model.bias else "" for W in (W_xh, W_hh))
    sums = f"{W_xh}\\, {x}{b_x}", f"{W_hh}\\, {h}_{{{before}}}{b_h}"
    if model.cell == "rnn":
        return [_aligned(f"{h}_{{{t}}} = {PHI[model.nonlinearity]}(&{sums[0]}", f"& {{}} + {sums[1]})")]
    if model.cell == "gru":
        return [
            _aligned(
                f"[a_r; a_z; a_n] &= {sums[0]}", f"[u_r; u_z; u_n] &= {sums[1]}", "r &= \\sigma(a_r + u_r)",
                "z &= \\sigma(a_z + u_z)", "n &= \\tanh(a_n + r \\odot u_n)",
                f"{h}_{{{t}}} &= (1 - z) \\odot n + z \\odot {h}_{{{before}}}",
            )
        ]  # fmt: skip
    c = _state(topology, block.layer, block.reverse, "c")
    return [
        _aligned(
            f"[a_i; a_f; a_g; a_o] &= {sums[0]}", f"& \\quad {{}} + {sums[1]}",
            "i, f, o &= \\sigma(a_i), \\sigma(a_f), \\sigma(a_o)", "g &= \\tanh(a_g)",
            f"{c}_{{{t}}} &= f \\odot {c}_{{{before}}} + i \\odot g", f"{h}_{{{t}}} &= o \\odot \\tanh({c}_{{{t}}})",
        )
    ]  # fmt: skip


def _aligned(*lines: str) -> str:
    """Lines below each other, the places of & too: a phone has no room for long ones."""
    return "\\begin{aligned}" + " \\\\ ".join(lines) + "\\end{aligned}"


def _first(model: ModelConfig) -> str:
    return "e" if model.embedding_size else "x"


def _times(topology: Topology, block: Block) -> tuple[str, str]:
    """This step and the one whose state it starts from."""
    step = 1 if block.reverse else -1
    if topology.is_folded:
        return "t", f"t {step:+d}".replace("+", "+ ").replace("-", "- ")
    return str(block.column + 1), str(block.column + 1 + step)


def plain_equation(topology: Topology, block: Block) -> str:
    """What a hover says of the equation, in one line."""
    model = topology.model
    t, before = (text.replace(" ", "").replace("-", "−") for text in _times(topology, block))
    x = f"h<sub>{t}</sub> of the layer below" if block.layer else f"{_first(model)}<sub>{t}</sub>"
    match block.kind:
        case "input":
            return "a single 1 among zeros"
        case "embedding":
            return f"e<sub>{t}</sub> = E<sup>T</sup> x<sub>{t}</sub>"
        case "joined":
            first = next(a.tail for a in topology.arrows if a.head == block and a.tail and a.tail.reverse)
            return f"[→h<sub>{t}</sub>; ←h<sub>{time_of(topology, first)}</sub>]"
        case "output":
            return f"y<sub>{t}</sub> = W<sub>hy</sub> h<sub>{t}</sub>" + (" + b<sub>y</sub>" if model.bias else "")
        case _ if model.cell == "rnn":
            b = " + b" if model.bias else ""
            inner = f"W<sub>xh</sub> {x} + W<sub>hh</sub> h<sub>{before}</sub>{b}"
            return f"h<sub>{t}</sub> = {model.nonlinearity}({inner})"
        case _ if model.cell == "gru":
            return f"h<sub>{t}</sub> = (1 − z) ⊙ n + z ⊙ h<sub>{before}</sub>"
        case _:
            return f"c<sub>{t}</sub> = f ⊙ c<sub>{before}</sub> + i ⊙ g<br>h<sub>{t}</sub> = o ⊙ tanh(c<sub>{t}</sub>)"


def number(value: float) -> str:
    """Two decimals and a true minus; large ones in powers of ten."""
    short = f"{value:.2f}" if abs(value) < 1000 else f"{value:.0e}"
    return short.replace("-0.00", "0.00").replace("-", "−")


def first_numbers(values: Array) -> str:
    """`0.12, −0.30, 0.44, 0.90 …`"""
    return ", ".join(number(float(v)) for v in values[:FIRST]) + (" …" if len(values) > FIRST else "")


# The numbers as a table -------------------------------------------------------------------------------------------


def table(
    rows: Mapping[str, Array],
    labels: Sequence[str],
    title: str,
    axis: str,
    colour: str,
    dark: bool = False,
) -> go.Figure:
    """A block's vectors, one below the other: the darker the larger; grey is below 0, the block's colour above.

    Args:
        rows: name -> numbers, (N,) each. Their darkest is 1, or what is beyond 1 in the row.
        labels: what the N columns are called.
        title: what is shown.
        axis: the name of the columns.
        colour: of the block.
        dark: whether it stands on a dark background.
    """
    ink = theme.ink(dark)
    values = np.stack(list(rows.values()))[:, :MOST]
    N = values.shape[1]
    if len(labels) > N:
        axis = f"{axis}, the first {N} of {len(labels):,}"
    darkest = np.maximum(np.abs(values).max(axis=1, keepdims=True), 1.0)
    every = max(1, round(N / TICKS))
    places = [i for i in range(N) if i % every == 0]
    heat = {
        "type": "heatmap", "y": list(rows), "z": (values / darkest).tolist(), "zmin": -1, "zmax": 1,
        "xgap": 2 if N <= WRITTEN else 0, "ygap": 3, "showscale": False,
        "colorscale": [[0, ink.muted], [0.5, ink.background], [1, colour]],
        "customdata": [[[label, value] for label, value in zip(labels, row, strict=False)] for row in values.tolist()],
        "hovertemplate": "%{y}, %{customdata[0]}: %{customdata[1]:.5f}<extra></extra>",
    }  # fmt: skip
    traces = [heat, _written(list(rows), values, values / darkest, colour, ink)] if N <= WRITTEN else [heat]
    return theme.figure(
        traces, title, axis, "", dark, height=ABOVE + ROW * len(rows),
        xaxis={"tickvals": places, "ticktext": [shielded(labels[i]) for i in places], "showgrid": False,
               "zeroline": False, "tickangle": 0, "fixedrange": True},
        yaxis={"autorange": "reversed", "showgrid": False, "zeroline": False, "fixedrange": True},
        margin={"l": 8, "r": 8, "t": 44, "b": 52}, dragmode=False,
    )  # fmt: skip


def _written(names: Sequence[str], values: Array, scaled: Array, colour: str, ink: theme.Ink) -> dict[str, Any]:
    """The numbers on their cells, black or white by what is under them."""
    places = [(row, column) for row in range(len(names)) for column in range(values.shape[1])]
    under = [(colour if scaled[place] > 0 else ink.muted, float(abs(scaled[place]))) for place in places]
    return {
        "type": "scatter", "mode": "text",
        "x": [column for _, column in places], "y": [names[row] for row, _ in places],
        "text": [number(float(values[place])) for place in places], "hoverinfo": "skip", "showlegend": False,
        "textfont": {"color": [theme.text_on(fill, opacity, ink.background) for fill, opacity in under], "size": 14},
    }  # fmt: skip


def table_alt(rows: Mapping[str, Array], title: str) -> str:
    """The table in words."""
    said = "; ".join(f"{name} begins {first_numbers(values)}" for name, values in rows.items())
    return f"{title}. {said}.".replace("<br>", " ")

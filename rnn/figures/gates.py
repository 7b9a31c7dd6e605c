"""The vectors of a cell at one step, unit by unit."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from rnn.figures import theme
from rnn.figures.cell import CellStep, is_gate, number, spoken, symbol

UNITS = 64  # of a vector that a phone has room for, the first ones
KEEPING = 0.9  # a gate that is open wider keeps its unit's state
HEADING = 66  # pixels of the title
ROW, GAP, AXIS = 46, 12, 52  # pixels: of a vector, between two of them, and of the axis of the units


def gate_vectors(step: CellStep, dark: bool = False) -> go.Figure:
    """Every vector of the step, unit by unit, in the order in which they are computed.

    Gates go from 0 (shut) to 1 (open, dotted line); states and candidates up and down from 0 in the middle, to the
    largest value, which stands beside the row's name.

    Args:
        step: what the cell computed.
        dark: whether it stands on a dark background.
    """
    ink, names = theme.ink(dark), _rows(step)
    units = min(UNITS, len(step.vectors["h"]))
    bars, lines, ticks = [], [], []
    for row, name in enumerate(names):
        values = np.asarray(step.vectors[name], np.float64)[:units]
        bottom = (len(names) - 1 - row) * (ROW + GAP)
        reach = 1.0 if is_gate(name) else _reach(step, name)
        zero, scale = (bottom, ROW) if is_gate(name) else (bottom + ROW / 2, ROW / 2)
        bars.append(
            {
                "type": "bar", "x": list(range(1, units + 1)), "y": (values / reach * scale).round(2).tolist(),
                "base": zero,
                "customdata": [f"{symbol(name)}, unit {u}: {_signed(v)}" for u, v in enumerate(values, 1)],
                "marker": {"color": _bar_colour(name, ink), "line": {"width": 0}},
                "hovertemplate": "%{customdata}<extra></extra>",
            }
        )  # fmt: skip
        lines.append(_level(zero, ink.foreground, "solid"))
        if is_gate(name):
            lines.append(_level(bottom + ROW, ink.muted, "dot"))
        ticks.append((bottom + ROW / 2, f"{symbol(name)} " + ("0…1" if is_gate(name) else f"±{_short(reach)}")))
    height = len(names) * (ROW + GAP)
    every = {"dtick": 1} if units <= 12 else {"nticks": 9}
    return theme.figure(
        bars, "<br>".join(_vectors_title(step)), "unit", "", dark, height=height + HEADING + AXIS,
        xaxis={"range": [0.4, units + 0.6], "showgrid": False, "zeroline": False, "fixedrange": True, **every},
        yaxis={
            "range": [-GAP / 2, height - GAP / 2], "tickvals": [y for y, _ in ticks], "ticktext": [t for _, t in ticks],
            "showgrid": False, "zeroline": False, "fixedrange": True,
        },
        shapes=lines, margin={"t": HEADING, "b": AXIS}, barmode="overlay", bargap=0.25, showlegend=False,
        dragmode=False, hovermode="closest",
    )  # fmt: skip


def gate_vectors_alt(step: CellStep) -> str:
    """The bars in words."""
    said = []
    for name in _rows(step):
        values = step.vectors[name]
        said.append(f"{spoken(name)} from {_signed(float(values.min()))} to {_signed(float(values.max()))}")
    return f"{theme.spoken(_vectors_title(step))}. {'; '.join(said)}."


def _rows(step: CellStep) -> list[str]:
    before = [name for name in ("h_before", "c_before") if name in step.vectors]
    return [*before, *step.gates, *[name for name in ("c", "h") if name in step.vectors]]


def _reach(step: CellStep, name: str) -> float:
    """What a row goes up to, in two digits: the largest value; of a state, before the step and after it."""
    names = [n for n in (name.removesuffix("_before"), f"{name.removesuffix('_before')}_before") if n in step.vectors]
    largest = max(float(np.abs(step.vectors[n]).max()) for n in names)
    if largest == 0:
        return 1.0
    digit = 10.0 ** (np.floor(np.log10(largest)) - 1)
    return float(np.ceil(largest / digit - 1e-9) * digit)


def _vectors_title(step: CellStep) -> tuple[str, str]:
    H = len(step.vectors["h"])
    shown = f"All {H} units" if H <= UNITS else f"First {UNITS} of {H} units"
    if step.cell == "rnn":
        change = float(np.abs(step.vectors["h"] - step.vectors["h_before"]).mean())
        return f"{shown}, before and after:", f"a unit changes by {number(change)} on average"
    name = "f" if step.cell == "lstm" else "z"
    part = "c" if step.cell == "lstm" else "h"
    kept = int((step.vectors[name] > KEEPING).sum())
    return f"{shown}, from state to state:", f"{kept} of {H} keep over {KEEPING:.0%} of their {part}"


def _bar_colour(name: str, ink: theme.Ink) -> str:
    if name.startswith(("c", "g")):
        return theme.CELL_STATE
    return ink.muted if is_gate(name) else theme.HIDDEN


def _level(y: float, colour: str, dash: str) -> dict[str, Any]:
    return {
        "type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": y, "y1": y, "layer": "below",
        "line": {"color": colour, "width": 1, "dash": dash},
    }  # fmt: skip


def _signed(value: float) -> str:
    return (f"{value:.3f}" if abs(value) < 1000 else f"{value:.1e}").replace("-", "−")


def _short(value: float) -> str:
    """As few letters as a row's name has room for."""
    return f"{value:.2g}" if 0.001 <= value < 100 else f"{value:.0e}".replace("e+", "e").replace("-", "−")

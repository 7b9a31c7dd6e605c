"""Delayed recall: how often the asked-for letter is right, by its lag and the chunk length in training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from rnn.figures import theme

HEIGHT = 430
LEARNED = 0.9  # a share of right answers from which on a place counts as learned

Dict = dict[str, Any]
Grid = Mapping[int, Mapping[int, float]]  # the share of right answers by lag and chunk length
At = tuple[int, int]  # a lag and a chunk length


def recall_grid(
    grid: Grid, mode: str, chance: float, needs: Mapping[int, int], own: Mapping[At, Sequence[float]],
    chosen: At | None = None, dark: bool = False,
) -> go.Figure:  # fmt: skip
    """A square for each place, the fuller the more often right, with the number in it.

    Args:
        mode: "carry" or "reset".
        chance: the share that guessing reaches.
        needs: the shortest chunk that holds a letter and its answer, by lag; a line is drawn there.
        own: what the visitor's own networks reach; the last one is written into its place.
        chosen: the place that gets a frame.
        dark: whether it stands on a dark background.
    """
    ink = theme.ink(dark)
    lags, chunks = _axes(grid)
    shares = np.array([[grid[lag][k] for k in chunks] for lag in lags], np.float32)
    squares = {
        "type": "heatmap", "z": shares, "x": list(range(len(chunks))), "y": list(range(len(lags))),
        "zmin": 0, "zmax": 1, "xgap": 3, "ygap": 3,
        "colorscale": [[0, theme.shade(theme.OUTPUT, 0)], [1, theme.shade(theme.OUTPUT, 1)]],
        "customdata": [[[lag, k] for k in chunks] for lag in lags],
        "hovertemplate": "lag %{customdata[0]}, chunks of %{customdata[1]}: %{z:.1%} right<extra></extra>",
        "colorbar": {
            "thickness": 12, "outlinewidth": 0, "tickvals": [0, chance, 0.5, 1], "x": 1.01, "xpad": 0,
            "ticktext": ["0", "chance", "50 %", "100 %"], "tickfont": {"size": 12, "color": ink.foreground},
        },
    }  # fmt: skip
    return theme.figure(
        [squares, _line(lags, chunks, needs, ink)], "<br>".join(_title(grid, mode, chance, needs)),
        "chunk length k in training, characters", "lag, characters", dark, height=HEIGHT, dragmode=False,
        showlegend=False, annotations=_numbers(grid, own, ink), shapes=_frame(lags, chunks, chosen, ink),
        xaxis=_categories(chunks), yaxis=_categories(lags), margin={"t": 64},
    )  # fmt: skip


def recall_grid_alt(
    grid: Grid, mode: str, chance: float, needs: Mapping[int, int], own: Mapping[At, Sequence[float]]
) -> str:
    """The figure in words; the arguments are those of `recall_grid`."""
    rows = [
        f"Lag {lag}: " + ", ".join(f"k {k} {share:.0%}" for k, share in row.items()) + "." for lag, row in grid.items()
    ]
    mine = [f"Your own network at lag {lag}, k {k}: {shares[-1]:.0%}." for (lag, k), shares in own.items()]
    return " ".join([f"{theme.spoken(_title(grid, mode, chance, needs))}.", *rows, *mine])


def _title(grid: Grid, mode: str, chance: float, needs: Mapping[int, int]) -> tuple[str, str]:
    within = [share for lag, row in grid.items() for k, share in row.items() if k >= needs[lag]]
    beyond = [share for lag, row in grid.items() for k, share in row.items() if k < needs[lag]]
    learned = sum(share >= LEARNED for share in within)
    return (
        f"{mode.capitalize()}: {learned} of {len(within)} learned right of the line,",
        f"at most {max(beyond):.0%} left of it (chance {chance:.1%})" if beyond else f"chance is {chance:.1%}",
    )


def _axes(grid: Grid) -> tuple[list[int], list[int]]:
    lags = sorted(grid)
    return lags, sorted(grid[lags[0]])


def _categories(values: Sequence[int]) -> Dict:
    return {
        "tickvals": list(range(len(values))), "ticktext": [str(value) for value in values], "fixedrange": True,
        "range": [-0.5, len(values) - 0.5], "showgrid": False, "zeroline": False,
    }  # fmt: skip


def _numbers(grid: Grid, own: Mapping[At, Sequence[float]], ink: theme.Ink) -> list[Dict]:
    lags, chunks = _axes(grid)
    notes = []
    for row, lag in enumerate(lags):
        for column, k in enumerate(chunks):
            share = grid[lag][k]
            mine = own.get((lag, k))
            text = f"{share:.0%}" + (f"<br><b>◆ {mine[-1]:.0%}</b>" if mine else "")
            notes.append({
                "x": column, "y": row, "text": text, "showarrow": False,
                "font": {"size": 14, "color": theme.text_on(theme.OUTPUT, share, ink.background)},
            })  # fmt: skip
    return notes


def _line(lags: Sequence[int], chunks: Sequence[int], needs: Mapping[int, int], ink: theme.Ink) -> Dict:
    """A staircase: to its right a chunk can hold a letter and its answer."""
    x, y = list[float](), list[float]()
    for row, lag in enumerate(lags):
        edge = sum(k < needs[lag] for k in chunks) - 0.5
        x += [edge, edge]
        y += [row - 0.5, row + 0.5]
    return {
        "type": "scatter", "mode": "lines", "x": x, "y": y, "line": {"color": ink.gradient, "width": 4},
        "hoverinfo": "skip", "cliponaxis": False,
    }  # fmt: skip


def _frame(lags: Sequence[int], chunks: Sequence[int], chosen: At | None, ink: theme.Ink) -> list[Dict]:
    if chosen is None or chosen[0] not in lags or chosen[1] not in chunks:
        return []
    row, column = lags.index(chosen[0]), chunks.index(chosen[1])
    return [{
        "type": "rect", "x0": column - 0.46, "x1": column + 0.46, "y0": row - 0.46, "y1": row + 0.46,
        "line": {"color": ink.foreground, "width": 2.5, "dash": "dot"},
    }]  # fmt: skip

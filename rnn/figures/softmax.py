"""The distribution over the next character."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from rnn.figures import theme
from rnn.figures.characters import visible

SHOWN = 24  # bars; the rest of the characters share one more


def next_character_bars(
    characters: Sequence[str],
    before: NDArray[Any],
    after: NDArray[Any],
    chosen: int | None = None,
    dark: bool = False,
) -> go.Figure:
    """The likeliest next characters: the model's softmax, and what temperature and filters made of it.

    Args:
        characters: the vocabulary, V of them.
        before: the model's probabilities, (V,).
        after: the probabilities drawn from, (V,).
        chosen: index of the character that was drawn; its bar is outlined.
    """
    colours = theme.ink(dark)
    shown = _likeliest(before, after, chosen)
    labels = [visible(characters[i]) for i in shown]
    x = list(range(len(shown)))
    model = {
        "type": "bar", "name": "model (temperature 1)", "x": x, "y": before[shown].tolist(), "customdata": labels,
        "marker": {"color": colours.muted}, "hovertemplate": "“%{customdata}”<br>model %{y:.4f}<extra></extra>",
    }  # fmt: skip
    widths = [3 if i == chosen else 0 for i in shown]
    drawn = {
        "type": "bar", "name": "drawn from", "x": x, "y": after[shown].tolist(), "customdata": labels,
        "marker": {"color": theme.OUTPUT, "line": {"color": colours.foreground, "width": widths}},
        "hovertemplate": "“%{customdata}”<br>drawn with %{y:.4f}<extra></extra>",
    }  # fmt: skip
    letters = {"family": "monospace", "size": 14, "color": colours.foreground}
    ticks = {"tickvals": x, "ticktext": labels, "tickangle": 0, "tickfont": letters}
    highest = float(max(before[shown].max(), after[shown].max()))
    return theme.figure(
        [model, drawn], bars_title(characters, before, after, chosen), "next character, likeliest first",
        "probability", dark, height=340, xaxis=ticks, yaxis={"range": [0, 1.02 * highest]}, barmode="group",
        bargap=0.25,
    )  # fmt: skip


def _likeliest(before: NDArray[Any], after: NDArray[Any], chosen: int | None) -> list[int]:
    """The characters that get a bar, likeliest first; the chosen one always does."""
    order = np.lexsort((-before, -after))[:SHOWN].tolist()
    if chosen is not None and chosen not in order:
        order[-1] = chosen
    return [int(i) for i in order]


def bars_title(characters: Sequence[str], before: NDArray[Any], after: NDArray[Any], chosen: int | None) -> str:
    """What the bars say, in one line; also the figure's text alternative."""
    if chosen is None:
        top = int(after.argmax())
        return f"Likeliest next character: “{visible(characters[top])}”, p = {after[top]:.2f}"
    rank = 1 + int(np.count_nonzero(before > before[chosen]))
    return f"Drew “{visible(characters[chosen])}” with p = {after[chosen]:.2f}; the model's number {rank}"

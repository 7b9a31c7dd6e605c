"""How new a generated text is: the share of its n-grams that the training text does not hold, by their length."""

from __future__ import annotations

from typing import TYPE_CHECKING

import plotly.graph_objects as go

from rnn.figures import theme

if TYPE_CHECKING:
    from rnn.copying import Copies

HALF = 0.5
HEIGHT, TOP = 320, 62  # pixels: the figure, and in it a title of two lines


def novelty_bars(copies: Copies, dark: bool = False) -> go.Figure:
    """One bar per length of n-gram: the percentage of the sample's that the training text does not hold.

    Args:
        copies: what the sample shares with the text.
        dark: whether it stands on a dark background.
    """
    lengths, shares = list(copies.novel), list(copies.novel.values())
    places = list(range(len(lengths)))  # the lengths grow by factors, the bars stand side by side
    bars = {
        "type": "bar", "x": places, "y": [round(100 * share, 2) for share in shares], "customdata": lengths,
        "marker": {"color": theme.OUTPUT, "line": {"width": 0}}, "cliponaxis": False,
        "text": [percent(share) for share in shares], "textposition": "outside",
        "textfont": {"size": 14, "color": theme.ink(dark).foreground},
        "hovertemplate": "%{customdata} characters<br>%{text} new<extra></extra>",
    }  # fmt: skip
    xaxis = {"tickvals": places, "ticktext": [str(n) for n in lengths], "showgrid": False, "zeroline": False}
    yaxis = {"range": [0, 108], "tickvals": [0, 25, 50, 75, 100]}
    return theme.figure(
        [bars], "<br>".join(_title(copies)), "length of the n-gram, characters", "n-grams that are new, %",
        dark, height=HEIGHT, xaxis=xaxis, yaxis=yaxis, margin={"t": TOP}, bargap=0.35,
    )  # fmt: skip


def novelty_alt(copies: Copies) -> str:
    """The figure in words."""
    title = ". ".join(_title(copies))
    bars = "; ".join(f"{n} characters {percent(share)}" for n, share in copies.novel.items())
    return f"{title}. Share of the sample's n-grams that are not in the training text: {bars}." if bars else f"{title}."


def percent(share: float) -> str:
    """A share as a whole percentage, which is 0 % or 100 % only where it is exactly that."""
    if 0 < share < 0.005:
        return "<1 %"
    return ">99 %" if 0.995 <= share < 1 else f"{100 * share:.0f} %"


def _title(copies: Copies) -> list[str]:
    if not len(copies.longest_from):
        return ["No text to compare yet"]
    length = copies.longest.length
    longest = f"Longest copied piece: {length:,} character{'s' * (length != 1)}"
    if not copies.novel:
        return ["Too short to compare n-grams", longest]
    return [_novelty(copies.novel), longest]


def _novelty(novel: dict[int, float]) -> str:
    """Where new n-grams outnumber the copied ones, short enough for a phone."""
    lengths, shares = list(novel), list(novel.values())
    start = max((i + 1 for i, share in enumerate(shares) if share <= HALF), default=0)
    if not any(shares):
        return f"Nothing new in up to {lengths[-1]} characters"
    if start == len(lengths):
        return f"Only {percent(shares[-1])} is new even at {lengths[-1]} characters"
    share = "All" if min(shares[start:]) == 1 else "Over half"
    return f"{share} is new from {lengths[start]} {'characters' if lengths[start] > 1 else 'character'} on"

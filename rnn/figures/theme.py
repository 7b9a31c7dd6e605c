"""The visual language: one meaning per colour in every figure, and the layout that all figures share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

# Okabe and Ito's palette, which colour-blind people can tell apart. The same in light and dark.
INPUT = "#0072B2"
HIDDEN = "#E69F00"
OUTPUT = "#009E73"
CELL_STATE = "#CC79A7"
GRADIENT = "#D55E00"
VALIDATION = "#56B4E9"


@dataclass(frozen=True)
class Ink:
    """The colours that depend on the background."""

    foreground: str  # text, and the training loss
    muted: str  # what stands behind: single steps, references
    grid: str


LIGHT = Ink("#1F2328", "#8C959F", "#E4E7EB")
DARK = Ink("#ECEEF1", "#7C8590", "#2B3038")


def ink(dark: bool) -> Ink:
    return DARK if dark else LIGHT


def layout(fig: go.Figure, title: str, x: str, y: str, dark: bool, height: int = 360) -> go.Figure:
    """Gives a figure its title, axis names and the shared look; the height is fixed so that updates do not jump."""
    colours = ink(dark)
    axis: dict[str, Any] = {
        "gridcolor": colours.grid, "zerolinecolor": colours.grid, "linecolor": colours.grid,
        "tickfont_size": 13, "title_font_size": 14, "automargin": True,
    }  # fmt: skip
    fig.update_layout(
        title={
            "text": title,
            "font_size": 16,
            "x": 0,
            "y": 1,
            "xanchor": "left",
            "yanchor": "top",
            "pad": {"t": 12, "l": 8},
        },
        font={"color": colours.foreground, "size": 14},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        height=height,
        margin={"l": 8, "r": 8, "t": 76, "b": 8},  # room above for the title, and one row of legend under it
        legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "font_size": 13},
        hoverlabel_font_size=14,
        uirevision="keep",  # a redraw keeps the viewer's zoom
    )
    fig.update_xaxes(title=x, **axis)
    fig.update_yaxes(title=y, **axis)
    return fig

"""The visual language: one meaning per colour in every figure, and the layout that all figures share."""

from __future__ import annotations

from collections.abc import Sequence
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
    """The colours that depend on the background. Those of the page are the same in .streamlit/config.toml."""

    background: str
    foreground: str  # text, and the training loss
    muted: str  # what stands behind: single steps, references
    grid: str
    input: str  # the colours of the network as text, contrast >= 4.5
    hidden: str
    output: str
    cell_state: str
    gradient: str


LIGHT = Ink("#FFFFFF", "#1F2328", "#8C959F", "#E4E7EB", "#0072B2", "#8A5A00", "#00704F", "#9C4A78", "#A84700")
DARK = Ink("#0F1216", "#ECEEF1", "#7C8590", "#2B3038", "#62B0E8", "#F0B43C", "#3FC79B", "#E0A3C4", "#FF9357")


def ink(dark: bool) -> Ink:
    """The colours of lines and texts on this background."""
    return DARK if dark else LIGHT


def channels(colour: str) -> tuple[int, int, int]:
    """Red, green and blue of "#RRGGBB", each 0 to 255."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def shade(colour: str, opacity: float) -> str:
    """`colour` with that opacity (0 to 1), as Plotly takes it: magnitude is opacity."""
    return f"rgba({', '.join(map(str, channels(colour)))}, {opacity:.3f})"


def text_on(colour: str, opacity: float, background: str, veil: float = 0.0) -> str:
    """Black or white, whichever is read more easily on `colour` laid over `background`: contrast at least 4.5.

    Args:
        veil: opacity of a layer of the background's colour that lies over both.
    """
    black, white = "#000000", "#FFFFFF"
    under = channels(background)

    def seen(rgb: Sequence[float], opacity: float) -> float:
        mixed = [opacity * c + (1 - opacity) * b for c, b in zip(rgb, under, strict=True)]
        return 0.05 + luminance(mixed)

    dark, laid, light = (seen(channels(c), o * (1 - veil)) for c, o in ((black, 1), (colour, opacity), (white, 1)))
    return black if laid**2 >= light * dark else white  # where both contrasts are equal


def luminance(rgb: Sequence[float]) -> float:
    """The relative luminance of red, green and blue (0 to 255), from 0 for black to 1 for white, as WCAG has it."""
    parts = [c / 255 for c in rgb]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def spoken(lines: Sequence[str]) -> str:
    """A title's lines, one after another, as a text alternative says them: without tags, two sentences apart."""
    said, *others = filter(None, lines)
    for line in others:
        is_sentence = line[:1].isupper() and line[1:2].islower()  # GRU, a number and a name go on with the first
        said += (". " if is_sentence and said[-1] not in ".;:,?!" else " ") + line
    for tag, letter in (("<sub>", "_"), ("<sup>", "^"), ("</sub>", ""), ("</sup>", "")):
        said = said.replace(tag, letter)
    return said


def figure(
    data: Sequence[dict[str, Any]], title: str, x: str, y: str, dark: bool, height: int = 360, **more: Any
) -> go.Figure:
    """A figure of these traces with its title, axis names and the shared look.

    Plotly does not check the dictionaries here: its checks take 30 to 60 ms, which every watched run would cost every
    second, and training would wait for them. The tests check every figure in its place.

    Args:
        data: traces as plain dictionaries.
        title: what the figure shows now.
        x, y: the names of the axes, with units.
        dark: whether it stands on a dark background.
        height: in pixels; it is fixed so that updates do not jump.
        more: what this layout has on top of the shared one, or in its place.
    """
    shared = _layout(title, x, y, ink(dark), height)
    for name, value in more.items():
        shared[name] = {**shared[name], **value} if isinstance(shared.get(name), dict) else value
    return go.Figure({"data": list(data), "layout": shared}, _validate=False)


def _layout(title: str, x: str, y: str, colours: Ink, height: int) -> dict[str, Any]:
    return {
        "title": {
            "text": title, "font": {"size": 16}, "x": 0, "y": 1, "xanchor": "left", "yanchor": "top",
            "pad": {"t": 18 if "<br>" in title else 12, "l": 8},  # Plotly puts the first of two lines higher
        },
        "font": {"color": colours.foreground, "size": 14},
        "paper_bgcolor": colours.background,  # a saved picture can be read on any other
        "plot_bgcolor": "rgba(0,0,0,0)",
        "height": height,
        "margin": {"l": 8, "r": 8, "t": 76, "b": 8},  # room above for the title, and one row of legend under it
        "legend": {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "font": {"size": 13}},
        "hoverlabel": {"bgcolor": colours.background, "font": {"size": 14, "color": colours.foreground}},
        "uirevision": "keep",  # a redraw keeps the viewer's zoom
        "xaxis": _axis(x, colours),
        "yaxis": _axis(y, colours),
    }  # fmt: skip


def _axis(name: str, colours: Ink) -> dict[str, Any]:
    return {
        "title": {"text": name, "font": {"size": 14, "color": colours.foreground}},
        "tickfont": {"size": 13, "color": colours.foreground}, "gridcolor": colours.grid,
        "zerolinecolor": colours.grid, "linecolor": colours.grid, "automargin": True,
    }  # fmt: skip

"""How sure a model is of one answer: the probabilities of the classes, and how they move from word to word."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from rnn.errors import ConfigError
from rnn.figures import theme
from rnn.figures.characters import legible, visible

ROW = 27  # pixels of a class
TOP, TWO_LINES = 42, 62  # pixels of a title of one line, and of two
AXIS = 58  # pixels under the plot: the numbers of the axis, and its name
TRACE = 360  # pixels of the chart of a sentence
WORDS = 16  # that a phone has room to name on the axis
LETTERS = 14  # of a word or a class that are shown
LINE = 48  # letters of a title that a phone has room for
SENTENCE = 56  # letters of a sentence, which is written smaller
BEHIND = 0.45  # opacity of the classes that are not chosen


# The classes ------------------------------------------------------------------------------------------------------


class Classes(NamedTuple):
    """What stands in the rows, from top to bottom."""

    names: list[str]
    shares: list[float]
    chosen: int  # the row of the chosen one
    own: int  # so many rows are of one class; one more is of the rest, if that is any


def class_bars(
    probabilities: Sequence[float] | NDArray[Any],
    classes: Sequence[str],
    chosen: int | None = None,
    dark: bool = False,
    top: int = 10,
) -> go.Figure:
    """One bar per class, in the order of the classes; of more than `top`, the likeliest, and one bar for the rest.

    Args:
        probabilities: of each class, sum 1.
        classes: their names.
        chosen: index of the class that the model names; by default the likeliest.
        dark: whether it stands on a dark background.
        top: so many classes have a bar of their own.

    Raises:
        ConfigError: there are not as many probabilities as classes, none at all, or `chosen` is no index of one.
    """
    chosen = _chosen(probabilities, classes, chosen)
    ink, rows = theme.ink(dark), _rows(probabilities, classes, chosen, top)
    is_chosen = [row == rows.chosen for row in range(len(rows.names))]
    places = list(range(len(rows.names)))
    bars = {
        "type": "bar", "orientation": "h", "y": places, "x": [round(share, 4) for share in rows.shares],
        "text": [share(value) for value in rows.shares], "textposition": "outside", "cliponaxis": False,
        "textfont": {"size": 13, "color": ink.foreground}, "customdata": rows.names,
        "marker": {
            "color": [
                theme.shade(theme.OUTPUT if row < rows.own else ink.muted, 1.0 if own else BEHIND)
                for row, own in enumerate(is_chosen)
            ],
            "line": {"color": ink.foreground, "width": [2 if own else 0 for own in is_chosen]},
        },
        "hovertemplate": "%{customdata}<br>p = %{x:.4f}<extra></extra>",
    }  # fmt: skip
    names = [f"<b>{name}</b>" if own else name for name, own in zip(rows.names, is_chosen, strict=True)]
    return theme.figure(
        [bars], _says(classes, probabilities, chosen), "probability", "", dark,
        height=TOP + ROW * len(places) + AXIS,
        xaxis={"range": [0, 1.16], "tickvals": [0, 0.25, 0.5, 0.75, 1], "fixedrange": True},
        yaxis={
            "range": [len(places) - 0.5, -0.5], "tickvals": places, "ticktext": names, "showgrid": False,
            "zeroline": False, "fixedrange": True, "tickfont": {"size": 14, "color": ink.foreground},
        },
        margin={"t": TOP}, bargap=0.25, showlegend=False,
    )  # fmt: skip


def class_bars_alt(
    probabilities: Sequence[float] | NDArray[Any], classes: Sequence[str], chosen: int | None = None, top: int = 10
) -> str:
    """The bars in words, the likeliest first; the arguments are those of `class_bars`."""
    chosen = _chosen(probabilities, classes, chosen)
    order = np.argsort(-np.asarray(probabilities), kind="stable")[:top]
    likely = ", ".join(f"{plain(classes[i])} {share(float(probabilities[i]))}" for i in order)
    said = f"{_article(classes[chosen])}, says the model: {share(float(probabilities[chosen]))}"
    return f"{said}. Likeliest: {likely}."


def _chosen(probabilities: Sequence[float] | NDArray[Any], classes: Sequence[str], chosen: int | None) -> int:
    if len(probabilities) != len(classes) or not len(classes):
        raise ConfigError(
            f"The bars take a probability for each class, and one at least: there are {len(probabilities)} "
            f"for {len(classes)} classes."
        )
    if chosen is None:
        return int(np.argmax(probabilities))
    if not 0 <= chosen < len(classes):
        raise ConfigError(f"The chosen class must be an index from 0 to {len(classes) - 1}, not {chosen}.")
    return chosen


def _rows(probabilities: Sequence[float] | NDArray[Any], classes: Sequence[str], chosen: int, top: int) -> Classes:
    values = np.asarray(probabilities, np.float64)
    if len(classes) <= top + 1:  # a row for the rest is not spent on a single one
        return Classes([name_of(name) for name in classes], values.tolist(), chosen, len(classes))
    shown = np.argsort(-values, kind="stable")[:top].tolist()
    if chosen not in shown:
        shown[-1] = chosen
    names = [name_of(classes[i]) for i in shown]
    shares = [*values[shown].tolist(), float(np.delete(values, shown).sum())]
    return Classes([*names, f"{len(classes) - top:,} others"], shares, shown.index(chosen), top)


def _says(classes: Sequence[str], probabilities: Sequence[float] | NDArray[Any], chosen: int) -> str:
    return f"{escape(_article(classes[chosen]))}, says the model: {escape(share(float(probabilities[chosen])))}"


def _article(name: str) -> str:
    """A 7, an 8; other classes stand for themselves."""
    if name.isdecimal():
        return f"{'An' if name.startswith('8') or name in ('11', '18') else 'A'} {name}"
    return f"“{plain(name)}”"


# A sentence -------------------------------------------------------------------------------------------------------


def sentiment_trace(
    words: Sequence[str], probabilities: Sequence[float] | NDArray[Any], dark: bool = False
) -> go.Figure:
    """The probability that a sentence is positive after each word read, over its words in their order.

    Of a long sentence the words with the largest changes are named on the axis, the others when pointed at.

    Args:
        words: of the sentence, T of them.
        probabilities: of positive after each word, (T,).
        dark: whether it stands on a dark background.

    Raises:
        ConfigError: there are not as many probabilities as words.
    """
    changes = _changes(words, probabilities)
    ink, values = theme.ink(dark), [round(float(p), 4) for p in probabilities]
    places = list(range(1, len(words) + 1))
    turn = int(np.abs(changes).argmax()) if len(words) > 1 else None
    is_turn = [i == turn for i in range(len(words))]
    line = {
        "type": "scatter", "mode": "lines+markers", "x": places, "y": values, "cliponaxis": False,
        "line": {"color": theme.OUTPUT, "width": 2.5},
        "marker": {
            "opacity": 1, "color": theme.OUTPUT, "size": [14 if own else 7 for own in is_turn],
            "line": {"color": ink.foreground, "width": [2.5 if own else 0 for own in is_turn]},
        },
        "customdata": [
            f"“{_cut(name_of(word), LINE)}”<br>probability of positive {value:.3f} ({signed(change)})"
            for word, value, change in zip(words, values, changes.tolist(), strict=True)
        ],
        "hovertemplate": "%{customdata}<extra></extra>",
    }  # fmt: skip
    named = _named(changes)
    labels = [f"<b>{name_of(words[i])}</b>" if is_turn[i] else name_of(words[i]) for i in named]
    even = {
        "type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 0.5, "y1": 0.5, "layer": "below",
        "line": {"color": ink.muted, "width": 1.5, "dash": "dash"},
    }  # fmt: skip
    return theme.figure(
        [line], in_lines(_turned(words, probabilities)), "words, in the order they are read",
        "probability of positive", dark, height=TRACE,
        xaxis={
            "range": [0.5, max(len(words), 1) + 0.5], "tickvals": [places[i] for i in named], "ticktext": labels,
            "tickangle": -45 if len(words) > 3 else 0, "showgrid": False, "zeroline": False,
        },
        yaxis={"range": [-0.06, 1.06], "tickvals": [0, 0.25, 0.5, 0.75, 1], "zeroline": False, "fixedrange": True},
        margin={"t": TWO_LINES, "r": 16}, shapes=[even], showlegend=False,
    )  # fmt: skip


def sentiment_trace_alt(words: Sequence[str], probabilities: Sequence[float] | NDArray[Any]) -> str:
    """The chart in words: the title, and the probability after each word."""
    title = theme.spoken(_turned(words, probabilities))
    after = ", ".join(
        f"“{plain(word)}” {share(float(value))}" for word, value in zip(words, probabilities, strict=True)
    )
    return f"{title}. Probability of positive after each word: {after}." if after else f"{title}."


def _changes(words: Sequence[str], probabilities: Sequence[float] | NDArray[Any]) -> NDArray[np.float64]:
    """What each word added, (T,); before the first one neither answer is likelier."""
    if len(words) != len(probabilities):
        raise ConfigError(
            f"The chart takes a probability for each word: there are {len(probabilities)} for {len(words)} words."
        )
    changes: NDArray[np.float64] = np.diff(np.asarray(probabilities, np.float64), prepend=0.5)
    return changes


def _turned(words: Sequence[str], probabilities: Sequence[float] | NDArray[Any]) -> list[str]:
    """The parts of the title."""
    changes = _changes(words, probabilities)
    if not len(changes):
        return ["No word read yet"]
    last = float(probabilities[-1])
    verdict = f"Positive, {share(last)}" if last >= 0.5 else f"Negative, positive only {share(last)}"
    if len(changes) == 1:
        return [verdict]
    turn = int(np.abs(changes).argmax())
    after = float(probabilities[turn])
    before = after - float(changes[turn])
    crossed = min(before, after) < 0.5 < max(before, after) and (after >= 0.5) == (last >= 0.5)
    return [f"{verdict};", f"“{plain(words[turn])}” {'turned it' if crossed else 'moved it most'}"]


def _named(changes: NDArray[np.float64]) -> list[int]:
    """Indices of the words that are written on the axis: those that changed most, none too near another."""
    T = len(changes)
    if T <= WORDS:
        return list(range(T))
    apart, chosen = -(-T // WORDS), np.empty(0, np.int64)
    for index in np.argsort(-np.abs(changes), kind="stable"):
        if (np.abs(chosen - index) >= apart).all():
            chosen = np.append(chosen, index)
    named: list[int] = np.sort(chosen).tolist()
    return named


# Words and numbers ------------------------------------------------------------------------------------------------


def share(probability: float) -> str:
    """Two decimals, which are 0.00 and 1.00 only where it is exactly that."""
    if 0 < probability < 0.005:
        return "<0.01"
    return ">0.99" if 0.995 <= probability < 1 else f"{probability:.2f}"


def signed(change: float) -> str:
    """+0.21, −0.40."""
    return f"{change:+.2f}".replace("-", "−")


def in_lines(parts: Sequence[str]) -> str:
    """The parts of a title in one line, or in a line each where that would be too long for a phone."""
    line = " ".join(parts)
    return escape(line) if len(line) <= LINE else "<br>".join(map(escape, parts))


def plain(name: str, letters: int = LETTERS) -> str:
    """A word or a class as it can be seen: a character that is none to the eye has a mark, a long word is cut."""
    return visible(name) if len(name) == 1 else _cut(legible(name), letters)


def name_of(name: str) -> str:
    """The same, where Plotly would take it for HTML."""
    return escape(plain(name))


def _cut(text: str, letters: int) -> str:
    return text if len(text) <= letters else text[: letters - 1] + "…"

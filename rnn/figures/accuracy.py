"""How many answers are right: while a run trains, by class, and by the length of what was read."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from rnn.errors import ConfigError
from rnn.figures import theme
from rnn.figures.copying import percent
from rnn.figures.probabilities import TWO_LINES, in_lines, name_of, plain
from rnn.records import StepMetrics

HEIGHT = 300  # pixels of the charts
POINTS = 500  # of a curve
FEW = 3  # points that no line shows
TOP = 104  # of the axis of percentages: room over 100 for a label and a marker
LABEL = 11.0  # percent points that a label is high

CLASSES = 12  # of a confusion matrix
CELL = 26  # pixels
LETTERS = 10  # of a class in the title
WIDE = 5  # columns that have room for any number
OTHER = "other"  # the column of what is none of them

BARS, BINS = 12, 6  # lengths with a bar of their own; bars where there are more
CLEAR = 9.0  # chi-squared of two groups: three standard errors, for the best of several splits is taken
Z = 1.96  # standard errors of an interval of 95 %

Dict = dict[str, Any]


# While a run trains -----------------------------------------------------------------------------------------------


def score_curve(
    metrics: Sequence[StepMetrics], baselines: Mapping[str, float], what: str, dark: bool = False
) -> go.Figure:
    """The percentage of right answers on the validation part against the step, over what the task needs no memory for.

    The axis goes from 0 to 100, so that a redraw moves nothing.

    Args:
        metrics: the run's curve, in order; only steps with a score are drawn, at most 500.
        baselines: name -> share of right answers.
        what: the answers are, in the plural: "whole words".
        dark: whether it stands on a dark background.
    """
    ink, measured = theme.ink(dark), _measured(metrics)
    shown = _thinned(measured)
    curve = {
        "type": "scatter", "mode": "lines+markers" if len(shown) <= 60 else "lines", "cliponaxis": False,
        "x": [m.step for m, _ in shown], "y": [round(100 * score, 2) for _, score in shown],
        "line": {"color": theme.VALIDATION, "width": 2.5},
        "marker": {"size": 8, "symbol": "diamond", "line": {"color": ink.foreground, "width": 1}},
        "hovertemplate": f"step %{{x:,}}<br>%{{y:.1f}} % of {escape(what)} right<extra></extra>",
    }  # fmt: skip
    last = metrics[-1].step if metrics else 10
    return theme.figure(
        [curve], in_lines(_said(measured, what)), "step", f"{escape(what)} right, %", dark,
        height=HEIGHT,
        xaxis={"range": [0, 1.03 * max(last, 10)], "tickformat": ",d" if last < 10_000 else "~s", "nticks": 6},
        yaxis={"range": [0, TOP], "tickvals": [0, 25, 50, 75, 100]},
        margin={"t": TWO_LINES, "r": 12}, showlegend=False,
        shapes=[_level(100 * share, ink) for share in baselines.values()],
        annotations=_labels(baselines, measured[-1][1] if measured else 0.0, ink),
    )  # fmt: skip


def score_alt(metrics: Sequence[StepMetrics], baselines: Mapping[str, float], what: str) -> str:
    """The curve in words: the title, and each baseline."""
    measured = _measured(metrics)
    sentences = [theme.spoken(_said(measured, what))]
    if baselines:
        sentences.append("To compare: " + "; ".join(f"{name} {tenths(share)}" for name, share in baselines.items()))
    return ". ".join(sentences) + "."


def _measured(metrics: Sequence[StepMetrics]) -> list[tuple[StepMetrics, float]]:
    return [(m, m.score) for m in metrics if m.score is not None]


def _thinned(measured: list[tuple[StepMetrics, float]]) -> list[tuple[StepMetrics, float]]:
    """At most `POINTS` of them, evenly spaced, the last one among them."""
    stride = math.ceil(len(measured) / POINTS) or 1
    return measured[::-stride][::-1]


def _said(measured: list[tuple[StepMetrics, float]], what: str) -> list[str]:
    """The parts of the title."""
    if not measured:
        return ["The first score comes with the first validation"]
    last, score = measured[-1]
    best, highest = max(measured, key=lambda pair: pair[1])
    first = f"{tenths(score)} of {what} right at step {last.step:,}"
    if highest == score:
        return [first] if len(measured) == 1 else [f"{first};", "no earlier score is better"]
    return [f"{first};", f"best {tenths(highest)} at step {best.step:,}"]


def _level(height: float, ink: theme.Ink) -> Dict:
    return {
        "type": "line", "layer": "below", "xref": "paper", "x0": 0, "x1": 1, "y0": height, "y1": height,
        "line": {"color": ink.muted, "width": 1.5, "dash": "dash"},
    }  # fmt: skip


def _labels(baselines: Mapping[str, float], score: float, ink: theme.Ink) -> list[Dict]:
    """At the right end, on the side of its line where the curve is not, and moved where two would overlap."""
    bottoms = {name: 100 * share - LABEL * (share <= score) for name, share in baselines.items()}
    lowest_first = sorted(baselines.items(), key=lambda item: bottoms[item[0]])
    places: list[float] = []
    for name, _ in lowest_first:
        places.append(max(bottoms[name], places[-1] + LABEL if places else 0.0))
    ceiling = TOP - LABEL
    for i in reversed(range(len(places))):
        places[i] = min(places[i], ceiling)
        ceiling = places[i] - LABEL
    return [
        {
            "text": f"{escape(name)} {escape(tenths(share))}", "showarrow": False, "xref": "paper", "x": 1,
            "xanchor": "right", "y": place, "yanchor": "bottom", "borderpad": 0,
            "bgcolor": theme.shade(ink.background, 0.7), "font": {"size": 12, "color": ink.foreground},
        }
        for (name, share), place in zip(lowest_first, places, strict=True)
    ]  # fmt: skip


def tenths(share: float) -> str:
    """A percentage with one decimal, which is 0 % or 100 % only where it is exactly that."""
    if share in (0, 1):
        return f"{100 * share:.0f} %"
    if share < 0.0005:
        return "<0.1 %"
    return ">99.9 %" if share >= 0.9995 else f"{100 * share:.1f} %"


# By class ---------------------------------------------------------------------------------------------------------


class Table(NamedTuple):
    """How often each expected class was answered with each class.

    Attributes:
        rows: expected classes.
        columns: the same, and `OTHER` where something else was answered.
        counts: (rows, columns).
        total: expected answers, also of classes that have no row.
    """

    rows: list[str]
    columns: list[str]
    counts: NDArray[np.int64]
    total: int

    @property
    def errors(self) -> NDArray[np.int64]:
        """The same counts without the right answers."""
        errors: NDArray[np.int64] = self.counts.copy()
        np.fill_diagonal(errors, 0)
        return errors


def confusion(
    expected: Sequence[str], predicted: Sequence[str], classes: Sequence[str], dark: bool = False
) -> go.Figure:
    """The confusion matrix: a row for each expected class, a column for each answer.

    A cell is as opaque as the square root of its share of the row, so that a single error is seen; cells of right
    answers are framed.

    Args:
        expected, predicted: the names of the classes, one pair for each answer.
        classes: in their order; of more than 12, those that are expected most often are shown.
        dark: whether it stands on a dark background.

    Raises:
        ConfigError: there are not as many answers as are expected, or one is expected that is no class.
    """
    table, ink = _table(expected, predicted, classes), theme.ink(dark)
    totals = np.maximum(table.counts.sum(axis=1, keepdims=True), 1)
    opacity = np.sqrt(table.counts / totals)
    rows, columns = table.counts.shape
    heat = {
        "type": "heatmap", "z": opacity.round(3).tolist(), "zmin": 0, "zmax": 1, "showscale": False,
        "colorscale": [[0, theme.shade(theme.OUTPUT, 0)], [1, theme.shade(theme.OUTPUT, 1)]],
        "customdata": [
            [f"{name_of(row)} taken for {name_of(column)}: {count:,} of {total:,}" for column, count in zip(
                table.columns, counts, strict=True)]
            for row, counts, total in zip(table.rows, table.counts.tolist(), totals[:, 0].tolist(), strict=True)
        ],
        "hovertemplate": "%{customdata}<extra></extra>",
    }  # fmt: skip
    filled = np.argwhere(table.counts)
    numbers = {
        "type": "scatter", "mode": "text", "hoverinfo": "skip", "cliponaxis": False,
        "x": filled[:, 1].tolist(), "y": filled[:, 0].tolist(),
        "text": [_written(int(table.counts[row, column]), columns) for row, column in filled],
        "textfont": {
            "size": 12,
            "color": [theme.text_on(theme.OUTPUT, opacity[row, column], ink.background) for row, column in filled],
        },
    }  # fmt: skip
    names = {"showgrid": False, "zeroline": False, "fixedrange": True, "ticklen": 0}
    is_long = columns > 3 and max(map(len, table.columns), default=0) > 2
    return theme.figure(
        [heat, numbers], in_lines(_confused(table)), "predicted", "expected", dark,
        height=TWO_LINES + CELL * max(rows, 4) + (110 if is_long else 64),
        xaxis={
            **names, "range": [-0.5, max(columns, 1) - 0.5], "tickvals": list(range(columns)), "tickangle": -45
            if is_long else 0, "ticktext": [name_of(name) for name in table.columns],
        },
        yaxis={
            **names, "range": [max(rows, 1) - 0.5, -0.5], "tickvals": list(range(rows)),
            "ticktext": [name_of(name) for name in table.rows],
        },
        shapes=[_cell(i, ink) for i in range(rows)], margin={"t": TWO_LINES}, showlegend=False, dragmode=False,
    )  # fmt: skip


def confusion_alt(expected: Sequence[str], predicted: Sequence[str], classes: Sequence[str]) -> str:
    """The matrix in words: the title, and what each class was mostly taken for."""
    table = _table(expected, predicted, classes)
    rows = []
    for name, counts, wrong in zip(table.rows, table.counts, table.errors, strict=True):
        right, total = int(counts.sum() - wrong.sum()), int(counts.sum())
        likely = f", mostly taken for {plain(table.columns[int(wrong.argmax())])}" if wrong.any() else ""
        if total:
            rows.append(f"{plain(name)} {right:,} of {total:,} right{likely}")
    return ". ".join([theme.spoken(_confused(table)), *(["; ".join(rows)] if rows else [])]) + "."


def _table(expected: Sequence[str], predicted: Sequence[str], classes: Sequence[str]) -> Table:
    if len(expected) != len(predicted):
        raise ConfigError(
            f"The matrix takes as many answers as are expected: there are {len(predicted)} for {len(expected)}."
        )
    times = Counter(expected)
    unknown = sorted(set(times) - set(classes))
    if unknown:
        raise ConfigError(f"Only a class can be expected, and {plain(unknown[0])!r} is none: name it as one.")
    common = set(sorted(classes, key=lambda name: -times[name])[:CLASSES])
    rows = [name for name in classes if name in common]
    place = {name: i for i, name in enumerate(rows)}
    counts = np.zeros((len(rows), len(rows) + 1), np.int64)
    for (right, answer), count in Counter(zip(expected, predicted, strict=True)).items():
        if right in place:
            counts[place[right], place.get(answer, len(rows))] += count
    if not counts[:, -1].any():
        return Table(rows, rows, counts[:, :-1], len(expected))
    return Table(rows, [*rows, OTHER], counts, len(expected))


def _confused(table: Table) -> list[str]:
    """The parts of the title."""
    shown = int(table.counts.sum())
    if not shown:
        return ["Nothing to compare yet"]
    scope = f"the {len(table.rows)} commonest of all classes" if shown < table.total else ""
    if not table.errors.any():
        return [f"All {shown:,} right: nothing is confused{';' if scope else ''}", *([scope] if scope else [])]
    row, column = (int(i) for i in np.unravel_index(table.errors.argmax(), table.errors.shape))
    taken = "something else" if table.columns[column] == OTHER else plain(table.columns[column], LETTERS)
    count = f"{table.errors[row, column]:,} of {table.counts[row].sum():,}"
    words = f"Most often {plain(table.rows[row], LETTERS)} is taken for {taken}:"
    return [f"{words} {count};", scope] if scope else [words, count]


def _cell(place: int, ink: theme.Ink) -> Dict:
    return {
        "type": "rect", "x0": place - 0.5, "x1": place + 0.5, "y0": place - 0.5, "y1": place + 0.5,
        "line": {"color": ink.foreground, "width": 1.5},
    }  # fmt: skip


def _written(count: int, columns: int) -> str:
    """A few columns have room for all digits."""
    return f"{count:,}" if columns <= WIDE else short(count)


def short(count: int) -> str:
    """A count of at most four letters: 39, 1.2k, 39k."""
    if count < 1000:
        return str(count)
    return f"{count / 1000:.1f}k" if count < 9950 else f"{count / 1000:.0f}k"


# By length --------------------------------------------------------------------------------------------------------


class Bar(NamedTuple):
    """The answers to inputs of these lengths."""

    first: int
    last: int
    right: int
    answers: int

    @property
    def name(self) -> str:
        return f"{self.first}" if self.first == self.last else f"{self.first}–{self.last}"

    @property
    def interval(self) -> tuple[float, float]:
        """Where the accuracy lies with 95 %: E. B. Wilson, Journal of the American Statistical Association, 1927."""
        n, share = self.answers, self.right / self.answers
        middle = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
        half = Z / (1 + Z**2 / n) * math.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
        return max(0.0, middle - half), min(1.0, middle + half)


def accuracy_by_length(
    lengths: Sequence[int] | NDArray[Any],
    right: Sequence[bool] | NDArray[Any],
    what: str,
    dark: bool = False,
) -> go.Figure:
    """The percentage of right answers by the length of the input, with its interval of 95 % and how many there are.

    What a single vector carries from the end of the input to the answer shows here, if anywhere.

    Args:
        lengths: of the inputs; more than 12 different ones are put together.
        right: whether each answer is right.
        what: the lengths count, in the plural: "letters".
        dark: whether it stands on a dark background.

    Raises:
        ConfigError: there are not as many lengths as answers.
    """
    bars, ink = length_bars(lengths, right), theme.ink(dark)
    shares, places = [bar.right / bar.answers for bar in bars], list(range(len(bars)))
    below = [round(100 * (share - bar.interval[0]), 2) for share, bar in zip(shares, bars, strict=True)]
    above = [round(100 * (bar.interval[1] - share), 2) for share, bar in zip(shares, bars, strict=True)]
    trace = {
        "type": "bar", "x": places, "y": [round(100 * share, 2) for share in shares],
        "marker": {"color": theme.OUTPUT, "line": {"width": 0}},
        "error_y": {
            "type": "data", "symmetric": False, "array": above, "arrayminus": below, "thickness": 1.5, "width": 4,
            "color": ink.foreground,
        },
        "customdata": [
            f"{bar.name} {escape(what)}<br>{bar.right:,} of {bar.answers:,} right, {escape(percent(share))}"
            for share, bar in zip(shares, bars, strict=True)
        ],
        "hovertemplate": "%{customdata}<extra></extra>",
    }  # fmt: skip
    ticks = [f'{bar.name}<br><span style="font-size:11px">{short(bar.answers)}</span>' for bar in bars]
    name = f'length, {escape(what)} <span style="font-size:12px">(below: how many)</span>'
    return theme.figure(
        [trace], in_lines(_bottleneck(bars, what)), name, "right, %", dark, height=HEIGHT,
        xaxis={
            "range": [-0.6, max(len(bars), 1) - 0.4], "tickvals": places, "ticktext": ticks, "showgrid": False,
            "zeroline": False, "tickangle": 0, "fixedrange": True,
        },
        yaxis={"range": [0, TOP], "tickvals": [0, 25, 50, 75, 100], "fixedrange": True},
        margin={"t": TWO_LINES}, bargap=0.3, showlegend=False,
    )  # fmt: skip


def accuracy_by_length_alt(
    lengths: Sequence[int] | NDArray[Any], right: Sequence[bool] | NDArray[Any], what: str
) -> str:
    """The bars in words."""
    bars = length_bars(lengths, right)
    each = "; ".join(f"{bar.name} {what} {percent(bar.right / bar.answers)} of {bar.answers:,}" for bar in bars)
    title = theme.spoken(_bottleneck(bars, what))
    return f"{title}. By length: {each}." if each else f"{title}."


def length_bars(lengths: Sequence[int] | NDArray[Any], right: Sequence[bool] | NDArray[Any]) -> list[Bar]:
    """One bar for each length that occurs, or, where those are more than 12, for equally wide ranges of lengths.

    Raises:
        ConfigError: there are not as many lengths as answers.
    """
    if len(lengths) != len(right):
        raise ConfigError(f"Each answer takes a length: there are {len(lengths)} for {len(right)} answers.")
    sizes, is_right = np.asarray(lengths, np.int64), np.asarray(right, np.bool_)
    if not len(sizes):
        return []
    shortest, longest = int(sizes.min()), int(sizes.max())
    width = 1 if len(np.unique(sizes)) <= BARS else -(-(longest - shortest + 1) // BINS)
    bins = (sizes - shortest) // width
    bars = []
    for number in np.unique(bins).tolist():
        own, first = bins == number, shortest + number * width
        bars.append(Bar(first, min(first + width - 1, longest), int(is_right[own].sum()), int(own.sum())))
    return bars


def _bottleneck(bars: Sequence[Bar], what: str) -> list[str]:
    """The parts of the title: the split of the lengths that tells right from wrong best, if it is a clear one."""
    if not bars:
        return ["No answer yet"]
    total, count = sum(bar.right for bar in bars), sum(bar.answers for bar in bars)
    if len(bars) == 1:
        return [f"All of {bars[0].name} {_units(bars[0].last, what)}: {percent(total / count)} right"]
    splits = [(bars[:k], bars[k:]) for k in range(1, len(bars))]
    short_ones, long_ones = max(splits, key=lambda split: _chi_squared(*split))
    if _chi_squared(short_ones, long_ones) < CLEAR:
        return ["No length is clearly harder:", f"{percent(total / count)} right"]
    low, high = (percent(sum(b.right for b in part) / sum(b.answers for b in part)) for part in (short_ones, long_ones))
    border = short_ones[-1].last
    return [f"Up to {border} {_units(border, what)} {low},", f"beyond that {high}"]


def _units(number: int, what: str) -> str:
    return what.removesuffix("s") if number == 1 else what


def _chi_squared(one: Sequence[Bar], other: Sequence[Bar]) -> float:
    """Pearson's, of the right and wrong answers in two groups; 0 where all are right or all wrong."""
    n, m = (sum(bar.answers for bar in part) for part in (one, other))
    a, b = (sum(bar.right for bar in part) for part in (one, other))
    pooled = (a + b) / (n + m)
    if pooled in (0, 1):
        return 0.0
    return (a / n - b / m) ** 2 / (pooled * (1 - pooled) * (1 / n + 1 / m))

"""One draw from left to right: logits, divided by T, softmax and filters, and where the random number falls."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from rnn.errors import ConfigError
from rnn.figures import theme
from rnn.figures.characters import shielded, visible
from rnn.records import DrawStages

SHOWN = 12  # characters with a row of their own; the others share one more
ROW, LEAST = 25, 200  # pixels of a row, and of all of them at least
TITLE, HEADING, BELOW = 52, 42, 76  # pixels of the title's two lines, the columns' headings, the axes with the legend
RIGHT = 64  # pixels beside the last column, for the random number
TITLE_LETTERS = 48  # as many as a phone has room for in one line

# The columns, in shares of the width.
LOGITS, SCALED, SOFTMAX, DRAW = (0.0, 0.21), (0.25, 0.46), (0.50, 0.80), (0.90, 1.0)
SLOT = 0.42  # room for the number at the end of a bar, in lengths of the longest
LARGEST = 1e300  # of a bar: a tiny temperature may take scores to the end of what a float holds, and beyond
STRETCH = 4  # by so much at most temperature is seen to stretch the bars; beyond, the columns have scales of their own
THIN, LETTER = 5, 15  # pixels that a character needs for a segment of its own, and for its letter on it

LETTERS = {"family": "Source Code Pro, Menlo, Consolas, monospace", "size": 14}
NUMBERS, SMALL = 13, 12  # pixels of the numbers at the bars, and of what stands below

Array = NDArray[Any]
Dict = dict[str, Any]


class Rows(NamedTuple):
    """What stands in the rows of the first three columns, the likeliest on top."""

    shown: list[int]  # indices of the characters with a row of their own
    rest: NDArray[np.intp]  # those that share the last row; none if all are shown
    names: list[str]

    def of(self, values: Array) -> list[float]:
        """One number per row: the rest is added up."""
        own: list[float] = values[self.shown].tolist()
        return [*own, float(values[self.rest].sum())] if len(self.rest) else own


class Segment(NamedTuple):
    """A piece of the cumulative bar: one character, or several thin ones side by side."""

    start: float
    end: float
    members: NDArray[np.intp]  # indices, in the order of the vocabulary


class Scale(NamedTuple):
    """What the bars of a column span, with 0 in it."""

    low: float
    high: float

    @property
    def slot(self) -> float:
        """The room for a number at the end of a bar."""
        return SLOT * ((self.high - self.low) or 1.0)

    @property
    def range(self) -> tuple[float, float]:
        """With numbers at the ends of the bars; the other side has a little room, too."""
        left = self.slot if self.low < 0 else 0.0
        right = self.slot if self.high > 0 or self.low == 0 else self.slot / 4
        return self.low - left, self.high + right

    @property
    def ticks(self) -> list[float]:
        """0 and one round number on the longer side: the bars carry their own, and a phone has no room for more."""
        longest = max(self.high, -self.low) or 1.0
        power = 10.0 ** math.floor(math.log10(longest))
        step = power * max(digit for digit in (1, 2, 5) if digit == 1 or digit * power <= longest)
        return [0, step] if self.high >= -self.low else [-step, 0]


class Column(NamedTuple):
    """Where a column stands, and what is written above and below it."""

    domain: tuple[float, float]
    heading: str
    axis: str


# The figure and its words -----------------------------------------------------------------------------------------


def draw_columns(
    characters: Sequence[str],
    stages: DrawStages,
    chosen: int | None = None,
    dark: bool = False,
    height: int | None = None,
) -> go.Figure:
    """How one character is drawn, in four columns.

    The bar of the last column is laid in the order of the vocabulary, as the draw itself does it, so that the
    segment beside the random number is the character that was drawn.

    Args:
        characters: the vocabulary, V of them.
        stages: the draw, from `rnn.sampling.draw_stages`.
        chosen: index of a character that a person picked in place of the random number; else the drawn one is outlined.
        dark: whether it stands on a dark background.
        height: in pixels; by default that which the rows need.

    Raises:
        ConfigError: the characters are not those of the logits, or do not hold the chosen one.
    """
    picked = _picked(characters, stages, chosen)
    ink, rows = theme.ink(dark), _rows(characters, stages, picked)
    around = TITLE + HEADING + BELOW
    plot = max(LEAST, height - around if height else ROW * len(rows.names))
    pieces = segments(stages, picked, THIN / plot)
    scales = _scales(stages, rows)
    thick = min(1.0, 30 * len(rows.names) / plot)  # of a row: few characters do not get fat bars
    traces = [
        *_score_bars(rows, stages.logits, scales[0], "x", "logit", thick, ink),
        *_scaled_bars(rows, stages, scales[1], thick, ink),
        *_softmax_bars(rows, stages, scales[2], thick, ink),
        _cumulative_bar(characters, stages, pieces, picked, plot, ink),
        _fitting_text(),
    ]
    columns = _columns(stages)
    notes = [
        *map(_heading, columns), *map(_axis_name, columns), *_no_division(stages), _key(stages, ink),
        _marker(stages, picked, ink),
    ]  # fmt: skip
    title, outlines = _wrapped(_title(characters, stages)), _outlines(rows, pieces, picked, ink)
    return theme.figure(
        traces, title, "", "", dark, height=plot + around, **_axes(stages, columns, rows, scales, ink),
        annotations=notes, barmode="overlay", bargap=0, showlegend=False, **({"shapes": outlines} if outlines else {}),
        margin={"l": 8, "r": RIGHT, "t": TITLE + HEADING, "b": BELOW, "pad": 0}, dragmode=False,
        hovermode="closest", uniformtext={"mode": "hide", "minsize": NUMBERS},
    )  # fmt: skip


def draw_alt(characters: Sequence[str], stages: DrawStages, chosen: int | None = None) -> str:
    """The figure in words; the arguments are those of `draw_columns`."""
    picked = _picked(characters, stages, chosen)
    rows = _rows(characters, stages, picked)
    cut = _is_cut(stages)
    likely = ", ".join(
        f"“{visible(characters[i])}” logit {_score(stages.logits[i])}, softmax {_share(stages.model[i])}, "
        f"drawn from {_share(stages.probabilities[i])}{' (cut)' if cut[i] else ''}"
        for i in rows.shown[:3]
    )
    removed = f" Cut by {_filters(stages)}: {cut.sum():,} of {len(cut):,} characters." if cut.any() else ""
    return f"{_title(characters, stages)}.{removed} Likeliest: {likely}. {_outcome(characters, stages, picked)}"


def temperature_word(temperature: float) -> str:
    """What a temperature does to a text, in a word or a few."""
    if temperature == 0:
        return "always the likeliest"
    if temperature == 1:
        return "as the model has it"
    return "safer" if temperature < 1 else "wilder"


def segments(stages: DrawStages, chosen: int | None = None, thin: float = 0.0) -> list[Segment]:
    """The bar from 0 to 1: neighbours that are each thinner than `thin` become one, but for the chosen character."""
    sizes = np.diff(stages.reached, prepend=0.0)
    own = (sizes >= thin) | (stages.order == chosen)
    begins = own | np.concatenate([[True], own[:-1]])
    first = np.flatnonzero(begins)
    ends = stages.reached[np.append(first[1:], len(own)) - 1].tolist()
    starts = [0.0, *ends[:-1]]
    return [Segment(*piece) for piece in zip(starts, ends, np.split(stages.order, first[1:]), strict=True)]


def _picked(characters: Sequence[str], stages: DrawStages, chosen: int | None) -> int | None:
    V = len(stages.logits)
    if len(characters) != V:
        raise ConfigError(f"The draw is one of {V} characters, but {len(characters)} are named.")
    if chosen is not None and not 0 <= chosen < V:
        raise ConfigError(f"The chosen character must be an index from 0 to {V - 1}, not {chosen}.")
    return stages.chosen if chosen is None else chosen


def _rows(characters: Sequence[str], stages: DrawStages, picked: int | None) -> Rows:
    order = np.argsort(-stages.logits, kind="stable")
    fits = SHOWN if len(order) > SHOWN + 1 else SHOWN + 1  # a row for the rest is not spent on a single one
    shown: list[int] = order[:fits].tolist()
    if picked is not None and picked not in shown:
        shown[-1] = picked
    rest = np.setdiff1d(order, shown)
    names = [_name(characters, i) for i in shown]
    return Rows(shown, rest, [*names, f"+{len(rest):,}"] if len(rest) else names)


# The words --------------------------------------------------------------------------------------------------------


def _title(characters: Sequence[str], stages: DrawStages) -> str:
    """What temperature and filters did to the likeliest character."""
    top = int(stages.logits.argmax())
    name, T = f"“{visible(characters[top])}”", f"T = {stages.temperature:g}"
    if stages.temperature == 0:
        return f"{T}: {temperature_word(0)}, {name}"
    filters = _filters(stages)
    if stages.temperature == 1 and not filters:
        return f"{T}: the model's own softmax"
    word = "" if stages.temperature == 1 else temperature_word(stages.temperature)
    before, after = _share(stages.model[top]), _share(stages.probabilities[top])
    if before == after:
        change = f"stays at {after}"
    else:
        rises = stages.probabilities[top] > stages.model[top]
        change = f"{'rises' if rises else 'falls'} from {before} to {after}"
    return f"{', '.join(filter(None, [T, word, filters]))}: {name} {change}"


def _wrapped(title: str) -> str:
    """In two lines if a phone has no room for it in one."""
    head, colon, tail = shielded(title).partition(": ")
    return f"{head}:<br>{tail}" if colon and len(title) > TITLE_LETTERS else f"{head}{colon}{tail}"


def _filters(stages: DrawStages) -> str:
    """The filters that are set, unless temperature 0 has decided before them."""
    if stages.temperature == 0:
        return ""
    named = {"top-k": stages.top_k, "top-p": stages.top_p}
    return ", ".join(f"{name} = {value:g}" for name, value in named.items() if value is not None)


def _cut(stages: DrawStages) -> int:
    """How many characters the filters cut."""
    return int(_is_cut(stages).sum())


def _is_cut(stages: DrawStages) -> NDArray[np.bool_]:
    filtered: NDArray[np.bool_] = ~stages.kept & np.isfinite(stages.logits) & bool(_filters(stages))
    return filtered


def _outcome(characters: Sequence[str], stages: DrawStages, picked: int | None) -> str:
    """How the character came to be chosen, in a sentence."""
    if picked is None:
        return "No random number is drawn yet."
    name, p = f"“{visible(characters[picked])}”", _share(stages.probabilities[picked])
    if picked != stages.chosen:
        return f"{name}, of probability {p}, is picked by hand."
    if stages.temperature == 0:
        return f"No random number is needed: {name} is chosen."
    place = int(np.flatnonzero(stages.order == picked)[0])
    start, end = (stages.reached[place - 1] if place else 0.0), stages.reached[place]
    return (
        f"Laid end to end in the order of the vocabulary, {name} reaches from {start:.4f} to {end:.4f}; "
        f"the random number {_random_number(stages.draw)} falls there, so {name} is chosen, with probability {p}."
    )


def _name(characters: Sequence[str], index: int) -> str:
    """As Plotly shows it letter by letter: it reads tags, but no more entities than these three."""
    return shielded(visible(characters[index]))


def _exact(value: float) -> str:
    return f"{value:.5g}".replace("inf", "∞").replace("-", "−")


def _small_if_long(name: str) -> str:
    """U+200B in the room of three letters, so that it does not push the columns aside on a phone."""
    return f'<span style="font-size:10px">{name}</span>' if len(name) > 5 else name


def _score(value: float) -> str:
    """A logit with a true minus; the digits that a column has room for."""
    short = f"{value:.1f}" if abs(value) < 100 else f"{value:.0f}" if abs(value) < 10_000 else f"{value:.0e}"
    return short.replace("-0.0", "0.0").replace("inf", "∞").replace("-", "−")


def _share(p: float) -> str:
    """A probability in two decimals, in three where those would say 0."""
    if p == 0:
        return "0"
    return f"{p:.2f}" if p >= 0.00995 else f"{p:.3f}" if p >= 0.001 else "<0.001"


def _random_number(draw: float | None) -> str:
    """u = 0.4137; never rounded to 1, which it is always below."""
    return "u" if draw is None else f"u = {min(draw, 0.9999):.4f}"


# The columns ------------------------------------------------------------------------------------------------------


def _columns(stages: DrawStages) -> list[Column]:
    is_divided = stages.temperature > 0
    divided = f"÷ {stages.temperature:g}" if is_divided else "÷ T"
    return [
        Column(LOGITS, "<b>1</b><br>logits", "logit"),
        Column(SCALED, f"<b>2</b><br>{divided}", "logit / T" if is_divided else "no division"),
        Column(SOFTMAX, "<b>3</b><br>softmax", "probability"),
        Column(DRAW, "<b>4</b><br>draw", "cumulative<br>probability"),
    ]


def _scales(stages: DrawStages, rows: Rows) -> list[Scale]:
    """Those of the first three columns.

    Logits before and after the division share one, so that temperature is seen to stretch or shrink the bars.
    """
    logits = _scale(stages.logits[rows.shown])
    scaled = logits if stages.scaled is None else _scale(stages.scaled[rows.shown])
    if 1 / STRETCH <= stages.temperature <= STRETCH:
        logits = scaled = Scale(min(logits.low, scaled.low), max(logits.high, scaled.high))
    shares = [stages.model, stages.probabilities, np.where(_is_cut(stages), stages.tempered, 0.0)]
    return [logits, scaled, Scale(0.0, max(max(rows.of(p)) for p in shares))]


def _scale(values: Array) -> Scale:
    finite = np.append(values[np.isfinite(values)], 0.0).clip(-LARGEST, LARGEST)
    return Scale(float(finite.min()), float(finite.max()))


def _score_bars(
    rows: Rows, scores: Array, scale: Scale, axis: str, name: str, thick: float, ink: theme.Ink
) -> list[Dict]:
    """Signed bars from 0 with their numbers; the rest has no bar, because its scores cannot be added."""
    values = scores[rows.shown]
    lengths = np.clip(values, *scale.range).tolist()
    texts = [_score(v) for v in values.tolist()]
    hover = [f"“{label}”<br>{name} {_exact(v)}" for label, v in zip(rows.names, values.tolist(), strict=False)]
    if len(rows.rest):
        low, high = scores[rows.rest].min(), scores[rows.rest].max()
        lengths, texts = [*lengths, 0.0], [*texts, "…"]
        hover.append(f"{len(rows.rest):,} more characters<br>{name} {_exact(low)} to {_exact(high)}")
    marks = {"color": theme.shade(theme.OUTPUT, 0.5), "line": {"color": theme.OUTPUT, "width": 1}}
    bars = _bars(lengths, axis, (-0.3, 0.6), thick, hover, marks)
    return [bars, _numbers(lengths, texts, scale, axis, hover, ink)]


def _scaled_bars(rows: Rows, stages: DrawStages, scale: Scale, thick: float, ink: theme.Ink) -> list[Dict]:
    """The logits divided by T; at temperature 0 an empty column."""
    if stages.scaled is None:
        return [{"type": "bar", "xaxis": "x2", "yaxis": "y", "x": [], "y": []}]
    return _score_bars(rows, stages.scaled, scale, "x2", "logit / T", thick, ink)


def _softmax_bars(rows: Rows, stages: DrawStages, scale: Scale, thick: float, ink: theme.Ink) -> list[Dict]:
    """The distribution drawn from, what the filters cut of it, and the model's own below, thinner."""
    before, tempered, after = (rows.of(p) for p in (stages.model, stages.tempered, stages.probabilities))
    gone = _is_cut(stages)
    cut = [bool(gone[i]) for i in rows.shown] + ([bool(gone[rows.rest].all())] if len(rows.rest) else [])
    names = [f"“{name}”" for name in rows.names]
    if len(rows.rest):
        names[-1] = f"{len(rows.rest):,} more characters"
    hover = [
        f"{name}<br>T = 1, no filter: {b:.6f}<br>at T, no filter: {t:.6f}<br>drawn from: {a:.6f}{' (cut)' if c else ''}"
        for name, b, t, a, c in zip(names, before, tempered, after, cut, strict=True)
    ]
    place, below = (-0.38, 0.5), (0.14, 0.2)
    drawn = _bars(after, "x3", place, thick, hover, {"color": theme.OUTPUT}, "drawn from")
    model = _bars(before, "x3", below, thick, hover, {"color": ink.muted}, "T = 1, no filter")
    crossed = {
        "color": "rgba(0,0,0,0)", "line": {"color": ink.muted, "width": 1},
        "pattern": {"shape": "x", "fgcolor": ink.muted, "size": 6, "solidity": 0.25},
    }  # fmt: skip
    hatched = [t if c else 0.0 for t, c in zip(tempered, cut, strict=True)]
    texts = ["cut" if c else _share(a) for a, c in zip(after, cut, strict=True)]
    ends = [max(b, a, h) for b, a, h in zip(before, after, hatched, strict=True)]
    numbers = _numbers(ends, texts, scale, "x3", hover, ink)
    filtered = [_bars(hatched, "x3", place, thick, hover, crossed, "cut")] if any(cut) else []
    return [model, drawn, *filtered, numbers]


def _bars(
    lengths: list[float], axis: str, place: tuple[float, float], thick: float, hover: list[str], marker: Dict,
    name: str = "",
) -> Dict:  # fmt: skip
    """Bars of these lengths, one a row; `place` is where they begin and how thick they are, in rows."""
    return {
        "type": "bar", "orientation": "h", "xaxis": axis, "yaxis": "y", "x": lengths, "y": list(range(len(lengths))),
        "offset": place[0] * thick, "width": place[1] * thick, "marker": {"line": {"width": 0}} | marker,
        "customdata": hover, "hovertemplate": "%{customdata}<extra></extra>", "name": name,
    }  # fmt: skip


def _numbers(ends: list[float], texts: list[str], scale: Scale, axis: str, hover: list[str], ink: theme.Ink) -> Dict:
    """Numbers at the ends of bars, written on unseen bars: where those are too narrow, Plotly leaves the number out."""
    room = [scale.range[1] - end if text == "cut" else scale.slot for end, text in zip(ends, texts, strict=True)]
    is_left = [end < 0 or scale.high == 0 > scale.low for end in ends]
    widths = [-width if left else width for width, left in zip(room, is_left, strict=True)]
    slots = _bars(widths, axis, (-0.5, 1.0), 1, hover, {"color": "rgba(0,0,0,0)"})
    return slots | {
        "base": ends, "text": [escape(text) for text in texts], "textposition": "inside",
        "insidetextanchor": "start", "textangle": 0, "insidetextfont": {"color": ink.foreground, "size": NUMBERS},
    }  # fmt: skip


def _cumulative_bar(
    characters: Sequence[str], stages: DrawStages, pieces: list[Segment], picked: int | None, plot: int, ink: theme.Ink
) -> Dict:
    """The probabilities drawn from, laid end to end from 0 to 1."""
    fills, texts, inks, hover = [], [], [], []
    for start, end, members in pieces:
        first, last = (_name(characters, int(members[k])) for k in (0, -1))
        is_own = len(members) == 1 and ((end - start) * plot >= THIN or members[0] == picked)
        colour, opacity = (theme.OUTPUT, 1.0 if members[0] == picked else 0.35) if is_own else (ink.muted, 0.6)
        fills.append(theme.shade(colour, opacity))
        inks.append(theme.text_on(colour, opacity, ink.background))
        texts.append(first if is_own and (end - start) * plot >= LETTER else "")
        whose = f"“{first}”" if len(members) == 1 else f"{len(members):,} characters, “{first}” to “{last}”"
        hover.append(f"{whose}<br>from {start:.6f} to {end:.6f}<br>p = {end - start:.6f}")
    return {
        "type": "bar", "xaxis": "x4", "yaxis": "y2", "x": [0] * len(pieces), "width": 1,
        "base": [s.start for s in pieces], "y": [s.end - s.start for s in pieces], "text": texts,
        "marker": {"color": fills, "line": {"color": ink.background, "width": 0.7}}, "customdata": hover,
        "hovertemplate": "%{customdata}<extra></extra>", "textposition": "inside", "insidetextanchor": "middle",
        "textangle": 0, "insidetextfont": {**LETTERS, "color": inks},
    }  # fmt: skip


def _fitting_text() -> Dict:
    """A space that has room at any width: if none had, Plotly would show all texts, tiny, in place of hiding them."""
    return {
        "type": "bar", "xaxis": "x4", "yaxis": "y2", "x": [0], "y": [1], "width": 1, "opacity": 0, "hoverinfo": "skip",
        "text": ["\N{NO-BREAK SPACE}"], "textposition": "inside", "textangle": 0, "insidetextfont": {"size": NUMBERS},
    }  # fmt: skip


# The furniture ----------------------------------------------------------------------------------------------------


def _axes(stages: DrawStages, columns: list[Column], rows: Rows, scales: list[Scale], ink: theme.Ink) -> Dict:
    """The four axes below the columns, the characters on the left, and the scale from 0 to 1."""
    ticks = {
        "tickfont": {"size": SMALL, "color": ink.foreground}, "tickangle": 0, "fixedrange": True, "gridcolor": ink.grid,
        "ticks": "outside", "ticklen": 3, "tickcolor": ink.muted,
    }  # fmt: skip
    below: list[Dict] = [
        {**ticks, "domain": list(column.domain), "zeroline": True, "zerolinecolor": ink.muted, "zerolinewidth": 1.5}
        for column in columns
    ]
    for axis, scale in zip(below, scales, strict=False):
        axis |= {"range": list(scale.range), "tickvals": scale.ticks}
    if stages.scaled is None:
        below[1] |= {"showticklabels": False, "showgrid": False, "ticks": ""}
    below[3] |= {
        "range": [-0.5, 0.5], "anchor": "y2", "showticklabels": False, "showgrid": False, "zeroline": False,
        "ticks": "",
    }  # fmt: skip
    names = {
        "range": [len(rows.names) - 0.5, -0.5], "tickvals": list(range(len(rows.names))),
        "ticktext": [_small_if_long(name) for name in rows.names],
        "tickfont": {**LETTERS, "color": ink.foreground}, "showgrid": False, "zeroline": False, "fixedrange": True,
    }  # fmt: skip
    cumulative = {
        **ticks, "range": [0, 1], "tickvals": [0, 0.5, 1], "ticktext": ["0", "0.5", "1"], "anchor": "x4",
        "showgrid": False, "zeroline": False,
    }  # fmt: skip
    x, x2, x3, x4 = below
    return {"xaxis": x, "xaxis2": x2, "xaxis3": x3, "xaxis4": x4, "yaxis": names, "yaxis2": cumulative}


def _heading(column: Column) -> Dict:
    return {
        "text": column.heading, "x": sum(column.domain) / 2, "y": 1, "xref": "paper", "yref": "paper",
        "xanchor": "center", "yanchor": "top", "yshift": HEADING, "showarrow": False, "font": {"size": 15},
    }  # fmt: skip


def _axis_name(column: Column) -> Dict:
    """Below the numbers of the axis; not as its title, whose height would depend on them."""
    return {
        "text": column.axis, "x": sum(column.domain) / 2, "y": 0, "xref": "paper", "yref": "paper", "showarrow": False,
        "xanchor": "center", "yanchor": "top", "yshift": -22, "font": {"size": SMALL},
    }  # fmt: skip


def _key(stages: DrawStages, ink: theme.Ink) -> Dict:
    """What the bars of the softmax are, in one line under them: a phone would break Plotly's legend into three."""
    marks = [(ink.muted, "■", "T = 1, no filter"), (theme.OUTPUT, "■", "drawn from")]
    if _cut(stages):
        marks.append((ink.foreground, "×", f"{_cut(stages):,} cut"))
    parts = [f'<span style="color:{colour};font-size:18px">{mark}</span> {words}' for colour, mark, words in marks]
    return {
        "text": "\N{EM SPACE}".join(parts), "x": sum(SOFTMAX) / 2, "y": 0, "xref": "paper", "yref": "paper",
        "xanchor": "center", "yanchor": "top", "yshift": -54, "showarrow": False, "font": {"size": NUMBERS},
    }  # fmt: skip


def _no_division(stages: DrawStages) -> list[Dict]:
    """What stands in the second column at temperature 0."""
    if stages.temperature:
        return []
    middle = sum(SCALED) / 2
    return [
        {
            "text": "T = 0:<br>argmax", "x": middle, "y": 0.5, "xref": "paper", "yref": "paper", "showarrow": False,
            "font": {"size": 14},
        }
    ]  # fmt: skip


def _outlines(rows: Rows, pieces: list[Segment], picked: int | None, ink: theme.Ink) -> list[Dict]:
    """Frames around the chosen character: its row in three columns, and its segment in the fourth."""
    if picked is None:
        return []
    row, line = rows.shown.index(picked), {"color": ink.foreground, "width": 2}
    frames = [
        {"type": "rect", "xref": f"{x} domain", "yref": "y", "x0": 0, "x1": 1, "y0": row - 0.5, "y1": row + 0.5}
        for x in ("x", "x2", "x3")
    ]
    frames += [
        {"type": "rect", "xref": "x4 domain", "yref": "y2", "x0": 0, "x1": 1, "y0": start, "y1": end}
        for start, end, members in pieces
        if members[0] == picked and len(members) == 1
    ]
    return [frame | {"line": line} for frame in frames]


def _marker(stages: DrawStages, picked: int | None, ink: theme.Ink) -> Dict:
    """The random number beside the bar, pointing at where it falls; or why there is none."""
    note = {
        "xref": "x4 domain", "yref": "y2", "x": 1, "xanchor": "left", "align": "left", "font": {"size": 13},
        "y": 0.5, "showarrow": False, "xshift": 6,
    }  # fmt: skip
    if picked is None:
        return note | {"text": "u not<br>drawn<br>yet"}
    if picked != stages.chosen:
        return note | {"text": "picked<br>by hand"}
    if stages.temperature == 0:
        return note | {"text": "no<br>random<br>number<br>needed"}
    return note | {
        "text": f"<b>{_random_number(stages.draw).replace('= ', '=<br>')}</b>", "y": stages.draw, "showarrow": True,
        "ax": 17, "ay": 0, "xshift": 1, "arrowhead": 2, "arrowwidth": 2, "arrowcolor": ink.foreground,
    }  # fmt: skip

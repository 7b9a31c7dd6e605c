"""Gradients and updates while a run trains: whether they are clipped, and how they differ from layer to layer."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from statistics import fmean
from typing import Any, NamedTuple

import plotly.graph_objects as go

from rnn.figures import theme
from rnn.records import LayerNorms, StepMetrics

# Where the ratio of update to weights is usually found: the rule of thumb of Stanford's course CS231n.
GUIDE = 1e-3
NEAR = math.sqrt(10)  # times the guide or a part of it: still the usual range
HEIGHT = 330
TOP = 62  # pixels for a title of two lines
PLOT = 216  # of these pixels, the ones between the axes
LABEL = 17  # pixels of height that the label at a line's end takes
MARGIN = 104  # pixels beside the lines, for those labels
FEW = 3  # points that no line shows

Dict = dict[str, Any]


class Look(NamedTuple):
    """How the curve of one matrix is told from the others."""

    colour: str
    text: str  # the same colour for letters
    dash: str
    marker: str


class End(NamedTuple):
    """Where a line ends, and what it is called there."""

    step: int
    y: float
    name: str
    colour: str  # of the letters


# The gradient's norm and the clipping threshold


def gradient_norm(metrics: Sequence[StepMetrics], clip: str, clip_norm: float, dark: bool = False) -> go.Figure:
    """The gradient's norm before clipping, on a logarithmic axis, and the norm at which it is clipped.

    Args:
        metrics: the run's curve, at most some hundred points, in order.
        clip, clip_norm: as in `TrainConfig`; only a limit of the norm can be drawn.
        dark: whether it stands on a dark background.
    """
    shown = [m for m in metrics if m.grad_norm > 0]
    steps, norms = [m.step for m in shown], [m.grad_norm for m in shown]
    line = {
        "type": "scatter", "mode": "lines" if len(shown) > FEW else "lines+markers", "x": steps,
        "y": [_rounded(norm) for norm in norms], "line": {"color": theme.GRADIENT, "width": 1.5},
        "hovertemplate": "step %{x:,}<br>gradient norm %{y:.3g}<extra></extra>", "showlegend": False,
    }  # fmt: skip
    threshold = [clip_norm] if clip == "norm" else []
    xaxis, yaxis = _steps_axis(steps), _log_axis([*norms, *threshold], "{:g}".format)
    ends = [_level_end(xaxis, y, f"clip at {y:g}", dark) for y in threshold]
    return theme.figure(
        [line], "<br>".join(_gradient_norm_title(metrics, clip, clip_norm)), "step", "gradient norm, before clipping",
        dark, height=HEIGHT, xaxis=xaxis, yaxis=yaxis, margin={"t": TOP, "r": MARGIN if ends else 8},
        shapes=[_level(y, dark) for y in threshold], annotations=_names(ends, yaxis["range"], dark),
    )  # fmt: skip


def gradient_norm_alt(metrics: Sequence[StepMetrics], clip: str, clip_norm: float) -> str:
    """The figure in words."""
    said = theme.spoken(_gradient_norm_title(metrics, clip, clip_norm))
    if not metrics:
        return said
    norms = [m.grad_norm for m in metrics]
    return (
        f"{said}. Up to step {metrics[-1].step:,} the norm before clipping lay between {min(norms):.2g} and "
        f"{max(norms):.2g}."
    )


def share_clipped(metrics: Sequence[StepMetrics]) -> float | None:
    """Of the steps that a curve stands for, the share whose gradient was clipped; None where that is not known."""
    ends = [0, *(m.step for m in metrics)]
    sizes = [(end - start, m.clipped) for (start, end), m in zip(pairwise(ends), metrics, strict=True)]
    known = [(size, clipped) for size, clipped in sizes if clipped is not None]
    return sum(size * clipped for size, clipped in known) / sum(size for size, _ in known) if known else None


def _gradient_norm_title(metrics: Sequence[StepMetrics], clip: str, clip_norm: float) -> list[str]:
    """In two lines, so that a phone has room for it."""
    if not metrics:
        return ["No step yet"]
    norm, share = f"Gradient norm {metrics[-1].grad_norm:.2g}", share_clipped(metrics)
    if share is None:
        return [norm]
    if clip == "off" and share == 0:
        return [f"{norm};", "clipping is off"]
    limit = {"norm": f" at {clip_norm:g}", "value": f", each value at {clip_norm:g}", "off": ""}[clip]
    return [f"{norm};", f"{_percent(share)} of steps clipped{limit}"]


def _percent(share: float) -> str:
    """In whole percent, but never 0 for what happened or 100 for what did not always."""
    if 0 < share < 0.01:
        return "less than 1 %"
    return f"{min(99, round(100 * share)) if share < 1 else 100} %"


# Layer by layer


def layer_gradients(layers: Sequence[LayerNorms], dark: bool = False) -> go.Figure:
    """The norm of each weight matrix's gradient before clipping, on a logarithmic axis.

    Args:
        layers: what was measured, in the order of the steps.
        dark: whether it stands on a dark background.
    """
    return _curves(
        layers, _gradient, _layer_gradients_title(layers), "gradient norm, before clipping", "{:g}".format, dark
    )


def layer_gradients_alt(layers: Sequence[LayerNorms]) -> str:
    """The figure in words."""
    return _in_words(layers, _gradient, _layer_gradients_title(layers))


def update_ratios(layers: Sequence[LayerNorms], dark: bool = False) -> go.Figure:
    """How far each update moves a weight matrix, as a share of the matrix, with the usual value as a guide.

    Args:
        layers: what was measured, in the order of the steps.
        dark: whether it stands on a dark background.
    """
    return _curves(layers, _ratio, _update_ratios_title(layers), "norm of update ÷ weights", _power, dark, guide=GUIDE)


def update_ratios_alt(layers: Sequence[LayerNorms]) -> str:
    """The figure in words."""
    return _in_words(layers, _ratio, _update_ratios_title(layers))


def _gradient(norms: LayerNorms) -> float:
    return norms.grad_norm


def _ratio(norms: LayerNorms) -> float:
    return norms.update_ratio


def _layer_gradients_title(layers: Sequence[LayerNorms]) -> list[str]:
    found = [n for n in _latest(layers) if n.grad_norm > 0]
    if not found:
        return ["No step yet"]
    least, most = min(found, key=_gradient), max(found, key=_gradient)
    if least is most:
        return [f"Gradient norm {most.grad_norm:.2g} in {most.name}"]
    return [
        f"Largest gradient: {most.name}, {most.grad_norm:.2g},",
        f"{most.grad_norm / least.grad_norm:.2g} times that of {least.name}",
    ]


def _update_ratios_title(layers: Sequence[LayerNorms]) -> list[str]:
    found = [n.update_ratio for n in _latest(layers) if n.update_ratio > 0]
    if not found:
        return ["No step yet"]
    mean = math.exp(math.fsum(map(math.log, found)) / len(found))
    range_ = "in the usual range" if GUIDE / NEAR <= mean <= GUIDE * NEAR else (
        "larger than usual" if mean > GUIDE else "smaller than usual"
    )  # fmt: skip
    return [f"Updates are {_power(mean)} of the weights:", range_]


def _latest(layers: Sequence[LayerNorms]) -> list[LayerNorms]:
    """What was measured at the last step, in the order in which a character passes through the network."""
    return sorted((n for n in layers if n.step == layers[-1].step), key=lambda n: _order(n.name))


def _in_words(layers: Sequence[LayerNorms], of: Callable[[LayerNorms], float], title: Sequence[str]) -> str:
    if not layers:
        return title[0]
    each = ", ".join(f"{n.name} {of(n):.2g}" for n in _latest(layers))
    return f"{theme.spoken(title)}. At step {layers[-1].step:,}: {each}."


def _curves(
    layers: Sequence[LayerNorms],
    of: Callable[[LayerNorms], float],
    title: Sequence[str],
    y: str,
    tick: Callable[[float], str],
    dark: bool,
    guide: float | None = None,
) -> go.Figure:
    """One line for each matrix, named at its end."""
    names = sorted({n.name for n in layers}, key=_order)
    points = {name: [(n.step, of(n)) for n in layers if n.name == name and of(n) > 0] for name in names}
    guides = [] if guide is None else [guide]
    xaxis = _steps_axis([n.step for n in layers])
    yaxis = _log_axis([v for curve in points.values() for _, v in curve] + guides, tick)
    is_one_layer = len({_layer(name) for name in names}) == 1
    ends = [
        End(*curve[-1], _short(name, is_one_layer), _look(name, dark).text) for name, curve in points.items() if curve
    ]
    ends += [_level_end(xaxis, v, f"guide {tick(v)}", dark) for v in guides]
    return theme.figure(
        [_curve(name, curve, dark) for name, curve in points.items()], "<br>".join(title), "step", y, dark,
        height=HEIGHT, xaxis=xaxis, yaxis=yaxis, margin={"t": TOP, "r": MARGIN if ends else 8}, showlegend=False,
        shapes=[_level(v, dark) for v in guides], annotations=_names(ends, yaxis["range"], dark),
    )  # fmt: skip


def _curve(name: str, points: Sequence[tuple[int, float]], dark: bool) -> Dict:
    look = _look(name, dark)
    return {
        "type": "scatter", "mode": "lines+markers", "name": name, "x": [step for step, _ in points],
        "y": [_rounded(value) for _, value in points], "line": {"color": look.colour, "width": 2, "dash": look.dash},
        "marker": {"symbol": look.marker, "size": 7, "maxdisplayed": 8}, "cliponaxis": len(points) > FEW,
        "hovertemplate": f"step %{{x:,}}<br>{name} %{{y:.3g}}<extra></extra>",
    }  # fmt: skip


def _names(ends: Sequence[End], decades: Sequence[float], dark: bool) -> list[Dict]:
    """The names beside the ends, moved up or down where two would overlap, with lines that lead to them."""
    low, high = decades
    rising = sorted(ends, key=lambda end: end.y)
    at = [PLOT * (math.log10(end.y) - low) / (high - low) for end in rising]
    return [
        {
            "x": end.step, "y": math.log10(end.y), "ax": 22, "ay": here - there, "text": end.name, "xanchor": "left",
            "font": {"size": 13, "color": end.colour}, "showarrow": True, "arrowhead": 0, "arrowwidth": 1,
            "arrowcolor": theme.ink(dark).muted, "standoff": 4,
        }
        for end, here, there in zip(rising, at, spread(at, LABEL, PLOT), strict=True)
    ]  # fmt: skip


def spread(heights: Sequence[float], apart: float, top: float) -> list[float]:
    """Rising heights moved as little as it takes (least squares) to be `apart`, and within 0 and `top` if they fit.

    Less `apart` for each one below, they only have not to fall: neighbours that would are put at their common mean.
    """
    groups: list[list[float]] = []
    for i, height in enumerate(heights):
        groups.append([height - i * apart])
        while len(groups) > 1 and fmean(groups[-2]) > fmean(groups[-1]):
            groups[-2:] = [groups[-2] + groups[-1]]
    room = max(0.0, top - apart * (len(heights) - 1))
    level = [min(max(fmean(group), 0.0), room) for group in groups for _ in group]
    return [height + i * apart for i, height in enumerate(level)]


def _look(name: str, dark: bool) -> Look:
    """Colour and marker by the matrix, dash by the layer."""
    ink, matrix = theme.ink(dark), name.removesuffix(" backward").rpartition(" ")[2]
    colour, text, marker = {
        "W_xh": (theme.INPUT, ink.input, "circle"),
        "embedding": (theme.INPUT, ink.input, "diamond"),
        "W_hh": (theme.HIDDEN, ink.hidden, "square"),
        "W_hy": (theme.OUTPUT, ink.output, "triangle-up"),
    }.get(matrix, (ink.muted, ink.foreground, "x"))
    dashes = ("solid", "dash", "dashdot", "longdash")
    dash = "dot" if matrix == "embedding" else dashes[(_layer(name) - 1) % len(dashes)]
    return Look(colour, text, dash, marker + ("-open" if name.endswith("backward") else ""))


def _layer(name: str) -> int:
    """The number of the layer that a matrix belongs to; 1 for one outside the layers."""
    found = re.search(r"layer (\d+)", name)
    return int(found[1]) if found else 1


def _order(name: str) -> tuple[int, int, str]:
    """From the input to the output; W_xh before W_hh."""
    if name.startswith("embedding"):
        return 0, 0, name
    if "layer" not in name:
        return 2, 0, name
    return 1, _layer(name), name.replace("W_xh", "W_a")


def _short(name: str, is_one_layer: bool) -> str:
    """As it fits beside a line: "W_xh 1" for "layer 1 W_xh", without the number where there is one layer."""
    name = re.sub(r"layer (\d+) (\S+)", r"\2" if is_one_layer else r"\2 \1", name).removeprefix("head ")
    return name.replace("backward", "back")


# Axes and levels


def _level(y: float, dark: bool) -> Dict:
    """A dashed line across the chart."""
    line = {"color": theme.ink(dark).foreground, "width": 1.5, "dash": "dash"}
    return {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": y, "y1": y, "line": line}


def _level_end(xaxis: Dict, y: float, name: str, dark: bool) -> End:
    return End(xaxis["range"][1], y, name, theme.ink(dark).foreground)


def _steps_axis(steps: Sequence[int]) -> Dict:
    """Whole steps, from 0 to the last one: what stands beside the lines needs their end."""
    last = max(steps, default=10)
    return {"tickformat": ",d", "range": [0, last], **({"dtick": 1} if last < 7 else {"nticks": 7})}


def _log_axis(values: Sequence[float], tick: Callable[[float], str]) -> Dict:
    """Logarithmic, with room around the values, and at 1, 2, 5, 10 and so on what `tick` writes, or only at powers."""
    logs = [math.log10(v) for v in values if v > 0] or [-1.0, 0.0]
    low, high = min(logs), max(logs)
    room = max(0.12 * (high - low), 0.15)
    stride = max(1, math.ceil((high - low) / 8))  # decades between two ticks
    decades = range(math.floor(low - room) // stride * stride, math.ceil(high + room) + 1, stride)
    ticks = [m * 10.0**decade for decade in decades for m in ((1, 2, 5) if high - low < 1.7 else (1,))]
    return {
        "type": "log", "range": [low - room, high + room], "tickvals": ticks, "ticktext": [tick(t) for t in ticks],
    }  # fmt: skip


def _power(value: float) -> str:
    """ "1.2e-3": with as many digits as are needed, and no zero in the exponent."""
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent)}"


def _rounded(value: float) -> float:
    """With the digits that a hover shows and one more: a chart is sent again and again."""
    return float(f"{value:.4g}")

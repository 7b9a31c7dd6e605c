"""Vanishing and exploding gradients: a random network's, a run's with and without clipping, and what gates keep."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from rnn.figures import theme
from rnn.figures.optimisation import spread

if TYPE_CHECKING:
    from rnn.gradients.clipping import Course, Pair
    from rnn.gradients.paths import Kept
    from rnn.gradients.sandbox import Decay, Sandbox

PLOT = 280  # pixels between the axes, one above the other
AXIS = 54  # below them
LABEL = 17  # pixels of a label's height
DEEPEST = 8  # decades that the kept gradient is followed down

Dict = dict[str, Any]


class End(NamedTuple):
    """What stands at a line's end, and where the line ends, as a power of ten."""

    text: str
    power: float
    colour: str


# The sandbox ------------------------------------------------------------------------------------------------------


def decay_lines(found: Decay, network: Sandbox, dark: bool = False) -> go.Figure:
    """||dL_T/dh_{T-lag}|| against the lag on a logarithmic axis, beside the radius's line and the bound.

    Args:
        found: what was measured of `network`.
        dark: whether it stands on a dark background.
    """
    ink, lags = theme.ink(dark), np.arange(network.steps + 1)
    line = lags * math.log10(network.radius)
    bound = lags * math.log10(found.sigma)
    with np.errstate(divide="ignore"):
        middle, least, most = (np.log10(v) for v in (found.middle, found.norms.min(axis=1), found.norms.max(axis=1)))
    low, high = _room([middle, line, least, most])
    high = max(high, min(float(bound[-1]) + 0.1, high + 0.25 * (high - low)))  # so that something of the bound is seen
    inside = bound <= high
    ends = [
        End("<b>measured</b>", float(middle[-1]), ink.gradient),
        End(f"{network.radius:.2f}<sup>lag</sup>", float(line[-1]), ink.foreground),
    ]
    if inside.all():
        ends.append(End(f"bound {found.sigma:.2f}<sup>lag</sup>", float(bound[-1]), ink.foreground))
    traces = [
        _band(lags, least, most, low),
        _curve("bound", lags, np.minimum(bound, high + 1), ink.muted, "dot", 2, f"at most {found.sigma:.2f}^lag"),
        _curve("measured", lags, middle, theme.GRADIENT, "solid", 3.5, "measured"),
        _curve("radius", lags, line, ink.foreground, "dash", 2, f"{network.radius:.2f}^lag"),
    ]
    annotations = _beside(ends, low, high)
    if not inside.all():
        leaves = int(np.argmin(inside))
        is_late = leaves > 0.6 * network.steps
        annotations.append({
            "x": leaves, "y": high, "yanchor": "top", "xanchor": "right" if is_late else "left",
            "xshift": -12 if is_late else 6, "showarrow": False, "text": f"bound {found.sigma:.2f}<sup>lag</sup>",
            "font": {"size": 13, "color": ink.foreground},
        })  # fmt: skip
    return theme.figure(
        traces, "<br>".join(_decay_title(found, network)), "lag, steps back from the loss",
        "norm of dL<sub>T</sub>/dh<sub>T−lag</sub>", dark, height=62 + PLOT + AXIS, showlegend=False, dragmode=False,
        margin={"t": 62, "b": AXIS, "r": 104 if inside.all() else 84}, annotations=annotations,
        xaxis={"range": [0, max(1, network.steps)], "fixedrange": True, "nticks": 6}, yaxis=_powers(low, high),
    )  # fmt: skip


def decay_lines_alt(found: Decay, network: Sandbox) -> str:
    """The figure in words."""
    title = theme.spoken(_decay_title(found, network))
    T = network.steps
    return (
        f"{title}. A logarithmic axis with three lines from 1 at lag 0 to lag {T}: the measured norm ends at "
        f"{found.middle[-1]:.2g}, the spectral radius to the power of the lag at {network.radius**T:.2g}, and the "
        f"largest singular value to the power of the lag, which no gradient can exceed, at {found.sigma**T:.2g}."
    )


def _decay_title(found: Decay, network: Sandbox) -> tuple[str, str]:
    left, T = float(found.middle[-1]), network.steps
    steps = "1 step" if T == 1 else f"{T} steps"
    what = f"{_number(left)} of it is left" if left < 1 - 1e-9 else f"it is {_number(left)} times as large"
    if abs(left - 1) < 0.005:
        what = "all of it is left"
    return f"The gradient {found.sentence}:", f"after {steps} {what}"


# Clipping ---------------------------------------------------------------------------------------------------------


def clip_losses(pair: Pair, dark: bool = False) -> go.Figure:
    """The losses of both runs on one axis; where one had to stop there is a cross.

    Args:
        pair: the same run without and with clipping.
        dark: whether it stands on a dark background.
    """
    ink = theme.ink(dark)
    colours = (theme.shade(ink.foreground, 0.68), ink.foreground)
    return _both(
        pair, (pair.off.losses, pair.on.losses), colours, (ink.foreground, ink.foreground), _loss_title(pair),
        "training loss, nats per character", "nats", ink, dark,
    )  # fmt: skip


def clip_norms(pair: Pair, dark: bool = False) -> go.Figure:
    """The gradient's norm in both runs, before clipping, and where clipping limits it.

    Args:
        pair: the same run without and with clipping.
        dark: whether it stands on a dark background.
    """
    ink, limit = theme.ink(dark), pair.train.clip_norm
    colours = (theme.GRADIENT, theme.GRADIENT)
    fig = _both(
        pair, (pair.off.norms, pair.on.norms), colours, (ink.gradient, ink.gradient), _norm_title(pair),
        "gradient norm, before clipping", "", ink, dark, also=limit,
    )  # fmt: skip
    fig.add_shape(
        type="line", xref="paper", x0=0, x1=1, y0=limit, y1=limit, layer="below",
        line={"color": ink.foreground, "width": 1.5, "dash": "dot"},
    )  # fmt: skip
    return fig


def clip_losses_alt(pair: Pair) -> str:
    """The figure in words."""
    return f"{theme.spoken(_loss_title(pair))}. {_course('Without clipping', pair.off)} {_course('With it', pair.on)}"


def clip_norms_alt(pair: Pair) -> str:
    """The figure in words."""
    off, on = (course.norms for course in (pair.off, pair.on))
    ranges = [f"{n.min():.2g} to {n.max():.2g}" if len(n) else "none" for n in (off, on)]
    return (
        f"{theme.spoken(_norm_title(pair))}. The norm before clipping was {ranges[0]} without clipping and {ranges[1]} "
        f"with it; the limit is {pair.train.clip_norm:g}."
    )


def _course(name: str, course: Course) -> str:
    if not len(course.losses):
        return f"{name} the run broke at its first step."
    end = f"then broke at step {course.diverged_at}" if course.diverged_at else "came to its end"
    return f"{name} the loss went from {course.losses[0]:.2f} to {course.losses[-1]:.2f} nats and the run {end}."


def _loss_title(pair: Pair) -> tuple[str, str]:
    off, on = pair.off, pair.on
    if off.diverged_at and on.diverged_at:
        return f"Both explode: at step {off.diverged_at} without clipping,", f"at step {on.diverged_at} with it"
    if on.diverged_at:
        return f"Clipped, the run explodes at step {on.diverged_at};", f"without it ends at {off.last:.2f} nats"
    if off.diverged_at:
        return (
            f"Without clipping it explodes at step {off.diverged_at};",
            f"clipped it learns down to {on.last:.2f} nats",
        )
    if abs(off.last - on.last) < 0.05:
        return "Here clipping makes little difference:", f"{off.last:.2f} nats without, {on.last:.2f} with it"
    better = "better" if on.last < off.last else "worse"
    return f"Both hold out; clipped it ends {better}:", f"{off.last:.2f} nats without, {on.last:.2f} with it"


def _norm_title(pair: Pair) -> tuple[str, str]:
    steps, share = len(pair.on.norms), pair.on.clipped / max(1, len(pair.on.norms))
    largest = pair.off.norms.max(initial=0.0)
    first = f"Without clipping the norm rises to {_number(float(largest))};"
    if not pair.on.clipped:
        return first, f"the limit {pair.train.clip_norm:g} is never reached"
    steps_clipped = f"{min(99, max(1, round(100 * share)))} % of the steps" if pair.on.clipped < steps else "every step"
    return first, f"the limit {pair.train.clip_norm:g} shortens {steps_clipped}"


def _both(
    pair: Pair, values: Sequence[NDArray[Any]], colours: Sequence[str], letters: Sequence[str],
    title: Sequence[str], y: str, unit: str, ink: theme.Ink, dark: bool, also: float | None = None,
) -> go.Figure:  # fmt: skip
    """Two curves against the step, both axes logarithmic: the one without clipping may be over after ten steps."""
    with np.errstate(divide="ignore"):
        logs = [np.log10(v) for v in values]
    low, high = _room([*logs, *([np.array([math.log10(also)])] if also else [])])
    last = max(2, *(len(v) for v in values))
    traces, notes, ends = list[Dict](), list[Dict](), list[End]()
    for name, one, course, colour, dash, width, letter in zip(
        ("no clipping", "clipped"),
        logs,
        (pair.off, pair.on),
        colours,
        ("dash", "solid"),
        (2, 2.5),
        letters,
        strict=True,
    ):
        if not len(one):
            continue
        steps = np.arange(1, len(one) + 1)
        trace = _curve(name, steps, one, colour, dash, width, f"{name}, step", unit)
        stops = course.diverged_at is not None
        trace |= {
            "mode": "lines+markers", "cliponaxis": False,
            "marker": {
                "symbol": "x" if stops else "circle", "color": colour,
                "size": [0] * (len(one) - 1) + [11 if stops else 7],
            },
        }  # fmt: skip
        traces.append(trace)
        if len(one) == last:
            ends.append(End(f"<b>{name}</b>" if name == "clipped" else name, float(one[-1]), letter))
            continue
        is_late = math.log10(len(one)) > 0.5 * math.log10(last)
        notes.append({
            "x": math.log10(len(one)), "y": float(np.clip(one[-1], low, high)), "showarrow": False, "yanchor": "middle",
            "xanchor": "right" if is_late else "left", "xshift": -10 if is_late else 10, "text": f"{name}, breaks off",
            "font": {"size": 13, "color": letter}, "bgcolor": theme.shade(ink.background, 0.75), "borderpad": 0,
        })  # fmt: skip
    if also:
        ends.append(End(f"limit {also:g}", math.log10(also), ink.foreground))
    ticks = [t for t in (1, 2, 5, 10, 20, 50, 100, 200) if t <= last]
    return theme.figure(
        traces, "<br>".join(title), "optimizer step", y, dark, height=62 + PLOT + AXIS, showlegend=False,
        dragmode=False, margin={"t": 62, "b": AXIS, "r": 84},
        **({"annotations": notes + _beside(ends, low, high)} if notes or ends else {}),
        xaxis={
            "type": "log", "range": [0, math.log10(last) + 0.03], "tickvals": ticks, "ticktext": list(map(str, ticks)),
            "fixedrange": True,
        },
        yaxis=_powers(low, high),
    )  # fmt: skip


# What gates keep --------------------------------------------------------------------------------------------------


class Look(NamedTuple):
    """How a network is told from the others."""

    dash: str
    marker: str


LOOKS = {"RNN": Look("solid", "circle"), "GRU": Look("dash", "square"), "LSTM": Look("dot", "diamond")}
OTHER = Look("dashdot", "triangle-up")
GREYS = {"RNN": 0.95, "GRU": 0.75, "LSTM": 0.6}


def kept_lines(
    curves: Mapping[str, Kept], chosen: str, lag: int, is_gates: bool, deepest: float, dark: bool = False
) -> go.Figure:
    """What is left of the gradient against the lag, on a logarithmic axis from 1 down.

    Args:
        curves: by the names of the networks: "RNN", "GRU", "LSTM", "this model". Those whose best units are known
            have a thin line for them.
        chosen: the name of the one that is looked at.
        lag: the marked one.
        is_gates: whether this is the product of the gates; else the whole Jacobian.
        deepest: the lower end of the axis, as a power of ten.
        dark: whether it stands on a dark background.
    """
    ink = theme.ink(dark)
    longest = max(len(curve.mean) for curve in curves.values()) - 1
    with np.errstate(divide="ignore"):
        drawn = [
            (name, values is curve.best, np.log10(values))
            for name, curve in sorted(curves.items(), key=lambda one: one[0] == chosen)
            for values in (curve.best, curve.mean)
            if values is not None
        ]
    high = max(0.05, *(float(one.max()) + 0.05 for _, _, one in drawn))
    traces, ends = list[Dict](), list[End]()
    for name, is_best, one in drawn:
        look, is_chosen = LOOKS.get(name, OTHER), name == chosen
        colour = theme.GRADIENT if is_chosen else theme.shade(ink.foreground, GREYS.get(name, 0.8))
        said = f"{name}, best 10 %" if is_best else name
        trace = _curve(
            said, np.arange(len(one)), np.where(one >= deepest, one, np.nan), colour, look.dash,
            (1.5 if is_best else 3) + is_chosen * 0.5, f"{said}, lag",
        )  # fmt: skip
        every = max(1, longest // 6)
        trace |= {
            "mode": "lines+markers", "cliponaxis": False,
            "marker": {
                "symbol": look.marker + "-open" * is_best, "color": colour,
                "size": [8 if i % every == 0 else 0 for i in range(len(one))],
            },
        }  # fmt: skip
        traces.append(trace)
        letter = ink.gradient if is_chosen else ink.foreground
        label = f"<b>{name}</b>" if is_chosen else name
        if is_best:
            label = f"{name}, best 10 %" if name in LOOKS else "its best 10 %"
        ends.append(End(label, float(max(one[-1], deepest)), letter))
    line = {"color": ink.foreground, "width": 1.5, "dash": "dash"}
    marker = {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": lag, "x1": lag, "line": line, "layer": "below"}
    title = "<br>".join(_kept_title(curves, lag, is_gates))
    return theme.figure(
        traces, title, "lag, steps back", "share of the gradient that is left", dark, height=84 + PLOT + AXIS,
        showlegend=False, dragmode=False, shapes=[marker], annotations=_beside(ends, deepest, high),
        margin={"t": 84, "b": AXIS, "r": 118 if is_gates else 78},
        xaxis={"range": [0, longest], "fixedrange": True, "nticks": 6}, yaxis=_powers(deepest, high),
    )  # fmt: skip


def kept_lines_alt(curves: Mapping[str, Kept], lag: int, is_gates: bool) -> str:
    """The figure in words; the arguments are those of `kept_lines`."""
    said = [
        f"{name}: {_share(curve.mean[1])} after one step, {_share(curve.mean[-1])} after {len(curve.mean) - 1}"
        + (f", in its best units {_share(curve.best[-1])}." if is_gates and curve.best is not None else ".")
        for name, curve in curves.items()
    ]
    return " ".join([theme.spoken(_kept_title(curves, lag, is_gates)) + ".", *said])


def deepest_of(groups: Sequence[Mapping[str, Kept]]) -> float:
    """The lower end of an axis on which all these curves have room, as a power of ten; two figures share it."""
    values = np.concatenate([curve.mean for curves in groups for curve in curves.values()])
    values = values[values > 0]
    return max(min(-1.0, math.log10(float(values.min())) - 0.2), -float(DEEPEST))


def _kept_title(curves: Mapping[str, Kept], lag: int, is_gates: bool) -> list[str]:
    """In three lines, which a phone has room for."""
    steps = "1 step" if lag == 1 else f"{lag} steps"
    named = {name: curve for name, curve in curves.items() if not is_gates or curve.best is not None}
    if not named:
        return [f"{steps} back", "no network here has a gate"]
    first = f"{steps} back, {'the gates alone leave' if is_gates else 'the whole path leaves'}"
    kept = [f"{name} {_share(curve.mean[lag])}" for name, curve in named.items()]
    best = [_share(curve.best[lag]) for curve in named.values() if curve.best is not None]
    if not is_gates or len(kept) > 2:
        others = ", ".join(kept[2:])
        return [first, ", ".join(kept[:2]) + "," * bool(others), *filter(None, [others])]
    return [first, ", ".join(kept), f"in their best units {' and '.join(best)}"]


def _share(value: float) -> str:
    """`18 %`, `2.7 %`, `0.3 %`, `0.01 %` or less as a power."""
    if value >= 0.095:
        return f"{100 * value:.0f} %"
    if value >= 1e-4:
        return f"{100 * value:.2g} %"
    return "< 0.01 %"


# Common -----------------------------------------------------------------------------------------------------------


def _number(value: float) -> str:
    """`0.18`, `1,240`, `3 × 10<sup>−5</sup>`."""
    if value == 0 or 1e-3 <= value < 1e5:
        return f"{value:,.0f}" if value >= 100 else f"{value:.2g}"
    power = math.floor(math.log10(value))
    digit = f"{value / 10.0**power:.0f}" if power > -300 else "1"
    digit, power = ("1", power + 1) if digit == "10" else (digit, power)
    return f"{digit} × 10<sup>{str(power).replace('-', '−')}</sup>"


def _room(lines: Sequence[NDArray[Any]]) -> tuple[float, float]:
    """The ends of a logarithmic axis, as powers of ten, with some air around all that is finite; at least a decade."""
    finite = np.concatenate(lines)
    finite = finite[np.isfinite(finite)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (-1.0, 0.0)
    air = 0.06 * max(high - low, 1.0)
    middle, half = (low + high) / 2, max((high - low) / 2 + air, 0.5)
    return middle - half, middle + half


def _powers(low: float, high: float) -> Dict:
    """A logarithmic axis with few, round ticks."""
    if high - low < 2.5:  # less than some decades: 1, 2 and 5 of each
        values = [d * 10.0**p for p in range(math.floor(low), math.ceil(high) + 1) for d in (1, 2, 5)]
        texts = [f"{v:g}" for v in values]
    else:
        stride = max(1, math.ceil((high - low) / 7))
        powers = range(math.ceil(low / stride) * stride, math.floor(high) + 1, stride)
        values = [10.0**p for p in powers]
        texts = ["1" if p == 0 else f"10<sup>{str(p).replace('-', '−')}</sup>" for p in powers]
    return {"type": "log", "range": [low, high], "tickvals": values, "ticktext": texts, "fixedrange": True}


def _curve(
    name: str, x: NDArray[Any], powers: NDArray[Any], colour: str, dash: str, width: float, hover: str,
    unit: str = "",
) -> Dict:  # fmt: skip
    """A line of what is given as powers of ten; where it is 0 there is none."""
    return {
        "type": "scatter", "mode": "lines", "x": x.tolist(), "name": name,
        "y": [float(f"{10.0**p:.4g}") if math.isfinite(p) else None for p in powers],
        "line": {"color": colour, "width": width, "dash": dash},
        "hovertemplate": f"{hover} %{{x}}: %{{y:.3g}} {unit}<extra></extra>",
    }  # fmt: skip


def _band(x: NDArray[Any], least: NDArray[Any], most: NDArray[Any], low: float) -> Dict:
    """From the least to the most of all losses."""
    edge = np.maximum(np.concatenate([most, least[::-1]]), low - 1)
    return {
        "type": "scatter", "mode": "lines", "x": [*x.tolist(), *x[::-1].tolist()],
        "y": [float(f"{10.0**p:.4g}") for p in edge], "fill": "toself", "line": {"width": 0}, "hoverinfo": "skip",
        "fillcolor": theme.shade(theme.GRADIENT, 0.18),
    }  # fmt: skip


def _beside(ends: Sequence[End], low: float, high: float) -> list[Dict]:
    """The names at the lines' ends, right of the axes, moved apart where they would overlap."""
    rising = sorted(ends, key=lambda end: end.power if math.isfinite(end.power) else low)
    heights = [PLOT * (min(max(end.power, low), high) - low) / (high - low) for end in rising]
    return [
        {
            "xref": "paper", "x": 1, "xshift": 6, "xanchor": "left", "yref": "paper", "y": place / PLOT,
            "yanchor": "middle", "showarrow": False, "text": end.text, "font": {"size": 13, "color": end.colour},
        }
        for end, place in zip(rising, spread(heights, LABEL, PLOT), strict=True)
    ]  # fmt: skip

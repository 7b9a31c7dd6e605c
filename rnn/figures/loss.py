"""The loss while a run trains."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from rnn.figures import theme
from rnn.records import StepMetrics, smoothed

FEW = 3  # points that no line shows


@dataclass(frozen=True)
class Unit:
    """A way to say a loss of so many nats per character."""

    axis: str
    word: str  # after the number
    of: Callable[[float], float]  # from nats


UNITS = {
    "nats": Unit("loss (nats per character)", "nats", lambda nats: nats),
    "bits": Unit("loss (bits per character)", "bits", lambda nats: nats / math.log(2)),
    # As uncertain as a fair draw among so many characters. A loss that exploded has no finite one.
    "perplexity": Unit("perplexity (equally likely characters)", "perplexity", lambda nats: math.exp(min(nats, 700))),
}


def loss_curves(
    metrics: Sequence[StepMetrics], unit: str = "nats", log_steps: bool = False, dark: bool = False
) -> go.Figure:
    """Training loss (single points and smoothed) and validation loss against the step.

    Args:
        metrics: the run's curve, at most some hundred points, in order; losses in nats per character.
        unit: a key of `UNITS`, the one that is shown.
        log_steps: whether the steps are on a logarithmic axis.
        dark: whether it stands on a dark background.
    """
    colours, shown = theme.ink(dark), UNITS[unit]
    steps, losses = [m.step for m in metrics], [m.loss for m in metrics]
    measured = [m for m in metrics if m.validation_loss is not None]
    each = {
        "type": "scatter", "mode": "lines", "name": "each batch", "x": steps, "y": _rounded(losses, shown),
        "line": {"color": colours.muted, "width": 1}, "opacity": 0.6, "hoverinfo": "skip",
    }  # fmt: skip
    smooth = {
        "type": "scatter", "mode": "lines" if len(metrics) > FEW else "lines+markers", "name": "smoothed",
        "x": steps, "y": _rounded(smoothed(losses), shown),
        "line": {"color": colours.foreground, "width": 2.5}, "marker": {"size": 8},
        "hovertemplate": f"step %{{x:,}}<br>training %{{y:.3f}} {shown.word}<extra></extra>",
    }  # fmt: skip
    validation = {
        "type": "scatter", "mode": "lines+markers", "name": "validation", "x": [m.step for m in measured],
        "y": _rounded([m.validation_loss or 0.0 for m in measured], shown),
        "line": {"color": theme.VALIDATION, "width": 2, "dash": "dot"}, "marker": {"size": 8, "symbol": "diamond"},
        "hovertemplate": f"step %{{x:,}}<br>validation %{{y:.3f}} {shown.word}<extra></extra>",
    }  # fmt: skip
    return theme.figure(
        [each, smooth, validation], loss_title(metrics, unit), "step", shown.axis, dark, height=300,
        xaxis=_steps_axis(steps, log_steps), yaxis={"rangemode": "normal" if metrics else "tozero"},
    )  # fmt: skip


def _rounded(losses: Sequence[float], unit: Unit) -> list[float]:
    """In the unit, with the digits that a hover shows and one more: a chart is sent once a second."""
    return [round(unit.of(loss), 4) for loss in losses]


def _steps_axis(steps: Sequence[int], log_steps: bool) -> dict[str, object]:
    """Whole steps only; on a logarithmic axis 1, 2, 5, 10 and so on."""
    if not log_steps:
        return {"tickformat": ",d", "rangemode": "tozero"} if steps else {"tickformat": ",d", "range": [0, 10]}
    return {"type": "log", "dtick": "D2", "tickformat": ",d"}


def loss_title(metrics: Sequence[StepMetrics], unit: str = "nats") -> str:
    """What the curves say now, in one line; also the figure's text alternative."""
    if not metrics:
        return "No step yet"
    shown = UNITS[unit]
    loss = shown.of(smoothed([m.loss for m in metrics])[-1])
    validation = next((m.validation_loss for m in reversed(metrics) if m.validation_loss is not None), None)
    what = f"Loss {loss:.2f} {shown.word}" if unit != "perplexity" else f"Perplexity {loss:.2f}"
    said = f"{what} at step {metrics[-1].step:,}"
    return said if validation is None else f"{said}, validation {shown.of(validation):.2f}"

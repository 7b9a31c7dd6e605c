"""The loss while a run trains."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from rnn.figures import theme
from rnn.records import StepMetrics

SMOOTHING = 0.9  # share of the running mean that each point keeps


def loss_curves(metrics: Sequence[StepMetrics], dark: bool = False) -> go.Figure:
    """Training loss (single points and smoothed) and validation loss against the step, nats per character.

    Args:
        metrics: the run's curve, at most some hundred points, in order.
        dark: whether it stands on a dark background.
    """
    colours = theme.ink(dark)
    steps = [m.step for m in metrics]
    measured = [m for m in metrics if m.validation_loss is not None]
    fig = go.Figure()
    fig.add_scatter(
        x=steps, y=[m.loss for m in metrics], name="each batch", mode="lines",
        line={"color": colours.muted, "width": 1}, opacity=0.6, hoverinfo="skip",
    )  # fmt: skip
    fig.add_scatter(
        x=steps, y=smoothed([m.loss for m in metrics]), name="smoothed", mode="lines",
        line={"color": colours.foreground, "width": 2.5},
        hovertemplate="step %{x:,}<br>training %{y:.3f} nats<extra></extra>",
    )  # fmt: skip
    fig.add_scatter(
        x=[m.step for m in measured], y=[m.validation_loss for m in measured], name="validation",
        mode="lines+markers", line={"color": theme.VALIDATION, "width": 2, "dash": "dot"},
        marker={"size": 8, "symbol": "diamond"},
        hovertemplate="step %{x:,}<br>validation %{y:.3f} nats<extra></extra>",
    )  # fmt: skip
    theme.layout(fig, loss_title(metrics), "step", "loss (nats per character)", dark)
    fig.update_yaxes(rangemode="tozero" if not metrics else "normal")
    return fig


def smoothed(values: Sequence[float]) -> list[float]:
    """An exponential running mean that starts at the first value (corrected for its start, as Adam's are)."""
    result, mean, weight = [], 0.0, 0.0
    for value in values:
        mean = SMOOTHING * mean + (1 - SMOOTHING) * value
        weight = SMOOTHING * weight + (1 - SMOOTHING)
        result.append(mean / weight)
    return result


def loss_title(metrics: Sequence[StepMetrics]) -> str:
    """What the curves say now, in one line; also the figure's text alternative."""
    if not metrics:
        return "No step yet"
    loss = smoothed([m.loss for m in metrics])[-1]
    validation = next((m.validation_loss for m in reversed(metrics) if m.validation_loss is not None), None)
    said = f"Loss {loss:.2f} nats at step {metrics[-1].step:,}"
    return said if validation is None else f"{said}, validation {validation:.2f}"

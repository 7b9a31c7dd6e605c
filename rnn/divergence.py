"""Where a run broke, and the likeliest cause, in words."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from rnn.config import ModelConfig, TrainConfig
from rnn.records import StepMetrics

EXPLODED = 3.0  # a smoothed loss this many times the first one has exploded
RECOVERY_RATE = 1 / 3  # of the learning rate, after a divergence
RECOVERY_CLIP = 1.0  # the limit of the gradient's norm from then on, unless it was lower

FAR_ABOVE = 3.0  # times the usual rate
GREW = 10.0  # times the usual gradient
RECENT = 10  # steps that count as the last ones
EARLY = 20  # steps that a warm-up would have covered


@dataclass(frozen=True)
class Divergence:
    """Where a run's loss or gradient stopped being usable."""

    step: int  # the step that failed
    reason: str  # "loss", "gradient" or "exploded"
    learning_rate: float
    last_good_step: int  # where the run was put back to
    cause: str  # the likeliest one, as `likely_cause` words it
    recovery_clip: float  # where a recovery limits the gradient's norm

    def sentence(self, can_recover: bool = True) -> str:
        """What happened, why, where the run is now, and what to do: recover it, or begin anew where nobody can."""
        what = {
            "loss": "The loss was no longer a finite number",
            "gradient": "The gradient was no longer a finite number",
            "exploded": f"The loss grew to more than {EXPLODED:g} times its first value",
        }[self.reason]
        go_on = "Recover goes on from there" if can_recover else "Train anew"
        return (
            f"{what} at step {self.step} (learning rate {self.learning_rate:.2g}). Likely cause: {self.cause}. "
            f"The run is back at step {self.last_good_step} with its last good weights. "
            f"{go_on} with a third of the learning rate and clipping by norm at {self.recovery_clip:g}."
        )


def recovery(config: TrainConfig) -> float:
    """Where a recovery limits the gradient's norm: at 1, or lower where that was the limit already."""
    return min(RECOVERY_CLIP, config.clip_norm) if config.clip == "norm" else RECOVERY_CLIP


def likely_cause(
    reason: str,
    rate: float,
    metrics: Sequence[StepMetrics],
    model: ModelConfig,
    train: TrainConfig,
    precision: str = "float32",
) -> str:
    """The first of the known causes that the facts point to, as the end of a sentence.

    Args:
        reason: what failed: "loss", "gradient" or "exploded".
        rate: the learning rate of the step that failed.
        metrics: the steps before it.
        model, train, precision: how it was trained.
    """
    usual, growth = train.usual_rate, gradient_growth(metrics)
    is_free, broke_first = train.clip == "off", reason == "gradient" or growth >= GREW
    if rate > FAR_ABOVE * usual:
        return f"the learning rate {rate:.2g} is far above what {train.optimizer} usually takes (up to {usual:.2g})"
    if is_free and model.cell == "rnn" and model.nonlinearity == "relu":
        return "a relu network's states have no upper limit, and its gradient was not clipped"
    if is_free and broke_first:
        grew = f" and had grown to {growth:,.0f} times its usual norm" if growth >= GREW else ""
        return f"the gradient was not clipped{grew}"
    if train.warmup_steps == 0 and len(metrics) < EARLY:
        return "training began at the full learning rate, without a warm-up"
    if precision == "bfloat16":
        return "bfloat16 keeps only three digits, which may be too few for this run; float32 keeps seven"
    if broke_first:
        return "the gradient exploded before the loss did, as it can where it flows back through many steps"
    return "the loss rose although the gradient kept its size, so the steps were too long for where the run was"


def gradient_growth(metrics: Sequence[StepMetrics]) -> float:
    """The largest gradient norm of the last steps, in multiples of the median of those before; 1 before any step."""
    before, last = metrics[:-RECENT] or metrics[:1], metrics[-RECENT:]
    usual = statistics.median(m.grad_norm for m in before) if before else 0.0
    return max(m.grad_norm for m in last) / usual if usual > 0 else 1.0

"""What the curve of a run says, in one sentence, and the next thing to try.

The rules stand in the order in which they are asked; each looks at the run and passes or judges.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from statistics import fmean, median

from rnn.config import ModelConfig, TrainConfig, bounds_for
from rnn.errors import ConfigError
from rnn.records import Baselines, StepMetrics, smoothed

FEW = 10  # points of a curve: two windows of five, fewer have no trend
WINDOW = 5  # points that a mean is taken of, at least
SMALL = 0.01  # nats: 1 % fewer equally likely characters, which nobody sees in a sample
SURE = 2.0  # standard errors between what the batches' noise makes and what counts as a change
RISE = 0.02  # nats: two validation losses of a healthy run, on the same characters, differ by about half of it
UNSTABLE_RISE = 0.5  # nats: more than one part of a text is harder than another
SURE_OF_RISE = 5.0  # standard errors: the lowest of many windows is low by chance
NORMAL_MEDIAN = 0.6745  # standard deviations that half of all normal draws stay within
UNFINISHED = 0.03  # nats gained in the last quarter: as much again in a longer run is worth its time
NEAR = 0.1  # nats: a loss this close above or below the unigrams' has learned little but how frequent characters are
GAP = 0.2  # nats between validation and training: more than the parts of a text usually differ by
OUT_OF_PROPORTION = 10  # parameters per training character, or the reverse, from which capacity is the likely trouble
USEFUL_SIZE = 4  # hidden units; with fewer nothing can be seen of a recurrent network
SHORT = 20_000  # characters; a text that a usual model reads dozens of times within a minute
HIGH, LOW = 3.0, 0.1  # times the usual rate: above it states saturate, below it a run takes ten times as long
DROPOUT, WEIGHT_DECAY = 0.2, 0.15  # first values to try: the latter is what the shipped models are trained with
SHORT_MEMORY = 16  # BPTT steps that reach no farther back than a word or two


@dataclass(frozen=True)
class Diagnosis:
    """A judgement on a run.

    Attributes:
        kind: starting, learning, plateau, overfitting, underfitting, unstable or fine.
        sentence: what the curve shows, with its numbers.
        advice: what to try next.
    """

    kind: str
    sentence: str
    advice: str


@dataclass(frozen=True)
class Change:
    """How far a loss moved between two windows of the curve, nats; it fell where `by` is negative."""

    name: str  # of the loss
    by: float
    noise: float  # standard error of `by`
    steps: int  # between the windows

    @property
    def is_fall(self) -> bool:
        """Whether it fell by more than the noise of the batches explains."""
        return self.by < -max(SMALL, SURE * self.noise)


@dataclass(frozen=True)
class Run:
    """What a judgement is made of.

    Attributes:
        metrics: the curve, in order; each point a step or the mean of equally many.
        model, train: its settings.
        vocabulary_size: V.
        characters: length of the training part.
        baselines: what counting reaches on the same text, if it is known.
        is_active: whether it trains or waits for its turn.
        largest: the largest hidden size that may be suggested, None for the largest there is.
        has_diverged: whether its last training ended so, and it was put back to its last good step.
    """

    metrics: Sequence[StepMetrics]
    model: ModelConfig
    train: TrainConfig
    vocabulary_size: int
    characters: int
    baselines: Baselines | None = None
    is_active: bool = True
    largest: int | None = None
    has_diverged: bool = False

    @property
    def step(self) -> int:
        return self.metrics[-1].step if self.metrics else 0

    @cached_property
    def losses(self) -> list[float]:
        return [m.loss for m in self.metrics]

    @cached_property
    def validation(self) -> list[tuple[int, float]]:
        """(step, loss), in order."""
        return [(m.step, m.validation_loss) for m in self.metrics if m.validation_loss is not None]

    @cached_property
    def loss(self) -> float:
        """The number that the run is judged by: the last validation loss, or the smoothed training loss."""
        return self.validation[-1][1] if self.validation else smoothed(self.losses)[-1]

    @property
    def name(self) -> str:
        return "validation loss" if self.validation else "training loss"

    @property
    def is_at_end(self) -> bool:
        """Whether it has come to the end of its schedule and does not go on beyond it."""
        return self.step >= self.train.steps and not self.is_active

    @property
    def longer(self) -> int:
        """Steps of a run twice as long."""
        return 2 * max(self.step, self.train.steps)

    @property
    def standing(self) -> str:
        """`, below trigram (2.05)`, or nothing."""
        if self.baselines is None:
            return ""
        words = self.baselines.standing(self.loss)
        return f", {words} ({self.baselines.by_name()[words.split(' ', 1)[1]]:.2f})"


def diagnose(
    metrics: Sequence[StepMetrics],
    model: ModelConfig,
    train: TrainConfig,
    vocabulary_size: int,
    characters: int,
    baselines: Baselines | None = None,
    is_active: bool = True,
    largest: int | None = None,
    has_diverged: bool = False,
) -> Diagnosis:
    """The judgement on a run; see `Run` for what is given."""
    run = Run(metrics, model, train, vocabulary_size, characters, baselines, is_active, largest, has_diverged)
    for rule in RULES:
        if (found := rule(run)) is not None:
            return found
    return fine(run)


def starting(run: Run) -> Diagnosis | None:
    """Too few points for a trend, or the learning rate has not reached its full value."""
    warmup = run.train.warmup_steps
    is_warming_up = run.step <= warmup
    if len(run.metrics) >= FEW and not is_warming_up:
        return None
    if not run.metrics:
        return Diagnosis("starting", "No step has been taken yet.", "Start the run, or wait for its turn.")
    taken = _steps(run.step)
    why = f": the learning rate still rises until step {warmup:,}" if is_warming_up else ""
    if not run.is_at_end:
        wait = f"Wait until step {max(FEW, warmup + 1):,}." if run.is_active else "Resume it."
        return Diagnosis("starting", f"After {taken} it is too early to judge{why}.", wait)
    advice = f"Train again with {max(500, 10 * run.train.steps):,} steps."
    if is_warming_up:
        advice = f"Train again with warmup_steps {run.train.steps // 10:,}."
    return Diagnosis("starting", f"The run ended after {taken}, too few to judge{why}.", advice)


def broken(run: Run) -> Diagnosis | None:
    """The training loss exploded or is no number."""
    if run.has_diverged and not run.is_active:
        sentence = f"The loss exploded, and the run is back at step {run.step:,}: the updates are too large."
        return Diagnosis("unstable", sentence, f"Press Recover. Or: {_calmer(run.train)}")
    if not all(map(math.isfinite, run.losses)):
        sentence = "The training loss is no longer a finite number: the updates are too large."
        return Diagnosis("unstable", sentence, _calmer(run.train))
    return None


def unstable(run: Run) -> Diagnosis | None:
    """The training loss is far above what it was."""
    now, lowest, step = _now_and_lowest(run)
    if now - lowest <= max(UNSTABLE_RISE, SURE_OF_RISE * _noise_of_means(run)):
        return None
    return Diagnosis(
        "unstable",
        f"Training loss rose from {lowest:.2f} to {now:.2f} nats in the last {run.step - step:,} steps: "
        "the updates are too large.",
        _calmer(run.train),
    )


def worse_than_guessing(run: Run) -> Diagnosis | None:
    """The training loss is far above that of taking every character for equally likely."""
    now, _, _ = _now_and_lowest(run)
    if run.baselines is None or now <= run.baselines.uniform + UNSTABLE_RISE:
        return None
    sentence = f"Training loss {now:.2f} nats is worse than guessing (ln V {run.baselines.uniform:.2f})"
    return Diagnosis("unstable", f"{sentence}: the updates are too large.", _calmer(run.train))


def overfitting(run: Run) -> Diagnosis | None:
    """The validation loss has left its lowest value behind while the training loss fell."""
    if len(run.validation) < 3:
        return None
    best_step, best = min(run.validation, key=lambda measured: (measured[1], measured[0]))
    after = [loss for step, loss in run.validation if step > best_step]
    fall = training_change(run, since=best_step)
    if min(after[-2:], default=best) - best <= RISE or len(after) < 2 or not fall.is_fall:
        return None
    return Diagnosis(
        "overfitting",
        f"Validation loss rose by {after[-1] - best:.2f} nats over the last {run.step - best_step:,} steps while "
        f"training loss fell by {-fall.by:.2f}: the model is learning this text by heart.",
        f"The weights of the lowest validation loss ({best:.2f}) are kept. Next time: {regularisation(run)}",
    )


def drifting_apart(run: Run) -> Diagnosis | None:
    """The validation loss stands still, well above a training loss that goes on falling."""
    training = training_change(run)
    validation = validation_change(run, training.steps)
    if validation is None or validation.is_fall or not training.is_fall:
        return None
    if run.loss - fmean(run.losses[-WINDOW:]) <= GAP:
        return None
    return Diagnosis(
        "overfitting",
        f"Training loss fell by {-training.by:.2f} nats over the last {training.steps:,} steps, validation loss "
        f"({run.loss:.2f}) did not: what the model learns now holds for this text only.",
        f"Stop here. Next time: {regularisation(run)}",
    )


def learning(run: Run) -> Diagnosis | None:
    """The loss falls, and the run has not come to its end."""
    change = recent_change(run)
    if run.is_at_end or not change.is_fall:
        return None
    whose = "it" if change.name == run.name else f"the {change.name}"
    pace = f"{whose} fell by {-change.by:.2f} over the last {change.steps:,} steps"
    left = run.train.steps - run.step
    if left > 0:
        advice = f"{'Let it run' if run.is_active else 'Resume it'}: {_steps(left)} left."
    else:
        advice = f"{_beyond(run)}, so a new run with {run.longer:,} steps would learn faster."
    return Diagnosis("learning", f"The {run.name} is {run.loss:.2f} nats{run.standing}; {pace}.", advice)


def unfinished(run: Run) -> Diagnosis | None:
    """The steps ran out while the loss was falling."""
    change = recent_change(run)
    if not run.is_at_end or not change.is_fall or -change.by < UNFINISHED:
        return None
    return Diagnosis(
        "underfitting",
        f"The run ended at {run.loss:.2f} nats{run.standing}, while the loss still fell by {-change.by:.2f} over the "
        f"last {change.steps:,} steps.",
        f"Train again with {run.longer:,} steps: it has more to learn.",
    )


def stuck(run: Run) -> Diagnosis | None:
    """The loss does not fall, and is no better than knowing how frequent each character is."""
    if run.baselines is None or run.loss < _unigram_level(run.baselines):
        return None
    unigram = run.baselines.unigram
    is_at_it = run.loss <= unigram + NEAR
    knows = "knows little more than" if is_at_it else "does not even know"
    return Diagnosis(
        "plateau",
        f"The {run.name} stands at {run.loss:.2f} nats, and has not fallen for {recent_change(run).steps:,} steps: the "
        f"model {knows} how frequent each character is (unigram {unigram:.2f}).",
        noise_advice(run) or rate_advice(run.train),
    )


def plateau(run: Run) -> Diagnosis | None:
    """The loss does not fall, though the run goes on or could."""
    if run.is_at_end:
        return None
    steps = recent_change(run).steps
    sentence = f"The {run.name} is {run.loss:.2f} nats{run.standing}, and has not fallen for {steps:,} steps."
    return Diagnosis("plateau", sentence, noise_advice(run) or _patience_advice(run))


def underfitting(run: Run) -> Diagnosis | None:
    """The run has ended, and a table of counts predicts better."""
    if run.baselines is None:
        return None
    name, table = min(run.baselines.by_name().items(), key=lambda item: item[1])
    if run.loss <= table:
        return None
    return Diagnosis(
        "underfitting",
        f"The run ended with a {run.name} of {run.loss:.2f} nats, above {name} ({table:.2f}): counting characters "
        "predicts this text better.",
        growth(run),
    )


def fine(run: Run) -> Diagnosis:
    """Nothing is wrong."""
    sentence = f"Done: the {run.name} is {run.loss:.2f} nats{run.standing}, and hardly falls any more."
    if not run.validation:
        return Diagnosis("fine", sentence, _validation_advice(run))
    return Diagnosis("fine", sentence, f"Sample from it. For a lower loss: {growth(run)[0].lower()}{growth(run)[1:]}")


RULES = (
    broken,
    starting,
    unstable,
    worse_than_guessing,
    overfitting,
    drifting_apart,
    learning,
    unfinished,
    stuck,
    plateau,
    underfitting,
)


# What a curve shows


def recent_change(run: Run) -> Change:
    """The larger fall of two: of the training loss and of the validation loss, over the last quarter of the steps."""
    training = training_change(run)
    validation = validation_change(run, training.steps)
    if validation is not None and validation.is_fall and not training.is_fall:
        return validation
    return training


def training_change(run: Run, since: int | None = None) -> Change:
    """The mean of the last quarter of the points against that of the quarter before, or of those up to step `since`."""
    quarter = max(WINDOW, len(run.losses) // 4)
    end = len(run.losses) - quarter if since is None else sum(m.step <= since for m in run.metrics)
    later, earlier = run.losses[end:][-quarter:], run.losses[max(0, end - quarter) : end]
    if not earlier or not later:
        return Change("training loss", 0.0, 0.0, 0)
    noise = math.hypot(_noise(run.losses, len(later)), _noise(run.losses, len(earlier)))
    return Change("training loss", fmean(later) - fmean(earlier), noise, run.step - run.metrics[end - 1].step)


def validation_change(run: Run, steps: int) -> Change | None:
    """The last validation loss against the one `steps` before; it reads the same characters, so it has no noise."""
    earlier = [measured for measured in run.validation if measured[0] <= run.step - steps]
    if not earlier:
        return None
    (last_step, last), (step, loss) = run.validation[-1], earlier[-1]
    return Change("validation loss", last - loss, 0.0, last_step - step)


def _unigram_level(baselines: Baselines) -> float:
    """The loss from which on a model knows little more than frequencies: `NEAR` below, or half way to the next line."""
    frequencies = min(baselines.uniform, baselines.unigram)
    return frequencies - min(NEAR, max(0.0, frequencies - min(baselines.bigram, baselines.trigram)) / 2)


def _now_and_lowest(run: Run) -> tuple[float, float, int]:
    """The mean of the last points, the lowest mean of as many, and the step where that one ended."""
    size = _window(run)
    means = [fmean(run.losses[end - size : end]) for end in range(size, len(run.losses) + 1)]
    lowest = min(range(len(means)), key=means.__getitem__)
    return means[-1], means[lowest], run.metrics[lowest + size - 1].step


def _window(run: Run) -> int:
    return max(WINDOW, len(run.losses) // 20)


def _noise_of_means(run: Run) -> float:
    """Standard error of the means above, from neighbours that share no point.

    A batch of few streams reads on where the last one stopped, so points that follow each other are not independent.
    The median leaves out the rise itself.
    """
    size = _window(run)
    means = [fmean(run.losses[end - size : end]) for end in range(size, len(run.losses) + 1, size)]
    moves = [abs(b - a) for a, b in pairwise(means)]
    return median(moves) / (NORMAL_MEDIAN * math.sqrt(2)) if moves else 0.0


def _spread(losses: Sequence[float]) -> float:
    """Standard deviation of one point, from the last neighbours' differences, which a trend does not enlarge."""
    recent = losses[-max(FEW, len(losses) // 2) :]
    squares = [(b - a) ** 2 / 2 for a, b in pairwise(recent)]
    return math.sqrt(fmean(squares)) if squares else 0.0


def _noise(losses: Sequence[float], points: int) -> float:
    """Standard error of a mean of so many points."""
    return _spread(losses) / math.sqrt(points)


# What to try


def regularisation(run: Run) -> str:
    """Against learning by heart, the likeliest cause first."""
    parameters = run.model.parameter_count(run.vocabulary_size)
    smaller = max(1, run.model.hidden_size // 2)
    if run.characters < SHORT:
        return f"take a longer text; {run.characters:,} characters are soon known by heart."
    if parameters > OUT_OF_PROPORTION * run.characters:
        return f"a hidden size of {_suggested(run.model, run.characters, run.vocabulary_size) or smaller:,}."
    if run.model.num_layers > 1 and run.model.dropout < DROPOUT:
        return f"dropout {DROPOUT:g} between the {run.model.num_layers} layers."
    if run.train.optimizer == "adamw" and run.train.weight_decay < WEIGHT_DECAY:
        return f"weight_decay {WEIGHT_DECAY:g} in place of {run.train.weight_decay:g}."
    return f"a hidden size of {smaller:,}, or fewer steps."


def growth(run: Run) -> str:
    """Against a loss that is too high at the end, the likeliest cause first."""
    parameters = run.model.parameter_count(run.vocabulary_size)
    if run.metrics and run.metrics[-1].epoch < 1:
        return f"Train with {run.longer:,} steps: it has read {run.metrics[-1].epoch:.0%} of the text so far."
    if run.train.truncation != "full" and run.train.bptt_steps < SHORT_MEMORY < run.characters:
        return f"Train with bptt_steps 48: gradients reach only {run.train.bptt_steps} characters back."
    if OUT_OF_PROPORTION * parameters < run.characters:
        suggested = _suggested(run.model, run.characters, run.vocabulary_size, run.largest)
        if suggested is not None and suggested > run.model.hidden_size:
            return f"Train with a hidden size of {suggested:,}."
    most = _largest(run.largest)
    if run.model.hidden_size < most and parameters < run.characters:
        return f"Train with a hidden size of {min(most, 2 * run.model.hidden_size):,}."
    return f"Train with {run.longer:,} steps."


def noise_advice(run: Run) -> str:
    """Where batches differ so much that a fall worth having would not be seen; else ""."""
    if training_change(run).noise <= SMALL:
        return ""
    larger = min(int(bounds_for(TrainConfig, "batch_size")[1] or 1), 4 * run.train.batch_size)
    return (
        f"The loss jumps by about {_spread(run.losses):.2f} from one point to the next, which hides small falls: train "
        f"with a batch size of {larger:,}."
    )


def _patience_advice(run: Run) -> str:
    if run.step >= run.train.steps:
        return f"{_beyond(run)}: start a new run with {run.longer:,} steps."
    if run.train.decay == "none":
        return f"Start a run with linear decay, or a learning rate of {_rate(run.train.learning_rate / 3)}."
    go_on = "Let it run" if run.is_active else "Resume it"
    return f"{go_on}: the learning rate falls until step {run.train.steps:,}, and the loss often falls with it."


def rate_advice(train: TrainConfig) -> str:
    """For a loss that does not leave the unigrams' level: the rate is what keeps most runs there."""
    usual, rate = train.usual_rate, train.learning_rate
    if rate > HIGH * usual:
        return (
            f"Lower the learning rate from {_rate(rate)} to {_rate(usual)}: large updates saturate the hidden states."
        )
    if rate < LOW * usual:
        return (
            f"Raise the learning rate from {_rate(rate)} to {_rate(usual)}: the updates are too small to get anywhere."
        )
    if clipping := _clipping(train):
        return f"Start a new run{clipping.replace(' and', ' with', 1)}: single large gradients undo what was learned."
    return f"Lower the learning rate from {_rate(rate)} to {_rate(rate / 3)}, or train for {2 * train.steps:,} steps."


def capacity_advice(
    parameters: int, characters: int, model: ModelConfig, vocabulary_size: int, largest: int | None = None
) -> str:
    """A warning where parameters and training characters differ more than ten times, with a better size; else "".

    Args:
        parameters: how many the model has.
        characters: length of the training part.
        largest: the largest hidden size that may be suggested, None for the largest there is.
    """
    is_too_large = parameters > OUT_OF_PROPORTION * characters
    if not is_too_large and characters <= OUT_OF_PROPORTION * parameters:
        return ""
    danger = "it can learn them by heart" if is_too_large else "it is too small to learn all that they teach"
    warning = f"The model has {parameters:,} parameters for {characters:,} training characters: {danger}."
    size = _suggested(model, characters, vocabulary_size, largest)
    if size is None or size == model.hidden_size or (size < model.hidden_size) != is_too_large:
        return f"{warning} {'Take a longer text.' if is_too_large else 'Add a layer.'}"
    count = replace(model, hidden_size=size).parameter_count(vocabulary_size)
    return f"{warning} A hidden size of {size:,} has {count:,}."


def _suggested(model: ModelConfig, characters: int, vocabulary_size: int, largest: int | None = None) -> int | None:
    """The hidden size whose parameters are half way (as a factor) from out of proportion to as many as characters.

    None where even `USEFUL_SIZE` has more.
    """
    is_too_large = model.parameter_count(vocabulary_size) > characters
    half_way = math.sqrt(OUT_OF_PROPORTION) if is_too_large else 1 / math.sqrt(OUT_OF_PROPORTION)
    wanted = max(1, round(characters * half_way))
    if replace(model, hidden_size=USEFUL_SIZE).parameter_count(vocabulary_size) > wanted:
        return None
    try:
        size = model.sized_for(wanted, vocabulary_size).hidden_size
    except ConfigError:  # even the largest size there is has fewer
        size = _largest(None)
    return min(size, _largest(largest))


def _largest(cap: int | None) -> int:
    most = int(bounds_for(ModelConfig, "hidden_size")[1] or 1)
    return most if cap is None else min(cap, most)


def _validation_advice(run: Run) -> str:
    if run.train.validation_fraction == 0 and run.characters >= SHORT:
        return "Keep 10 % of the text for validation: without it nobody knows whether it learned the text by heart."
    return "Take a longer text with a validation part: without one nobody knows whether it learned this by heart."


def _calmer(train: TrainConfig) -> str:
    return f"Start a new run with a learning rate of {_rate(train.learning_rate / 3)}{_clipping(train)}."


def _clipping(train: TrainConfig) -> str:
    """` and the gradient's norm clipped at 1`, where it is not."""
    is_clipped = train.clip == "value" or (train.clip == "norm" and train.clip_norm <= 1)
    return "" if is_clipped else " and the gradient's norm clipped at 1"


def _beyond(run: Run) -> str:
    return f"Beyond its {run.train.steps:,} steps the learning rate stays at {_rate(run.metrics[-1].learning_rate)}"


def _steps(count: int) -> str:
    """`1 step`, `2,000 steps`."""
    return f"{count:,} {'step' if count == 1 else 'steps'}"


def _rate(rate: float) -> str:
    """Two digits: 0.0027, 8e-05."""
    return f"{rate:.2g}"

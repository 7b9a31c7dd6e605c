"""What the engine hands out. Plain data, numpy at most."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

REMEMBERED = 0.01  # nats; what lowers a loss by less than this is not counted as remembered
F = TypeVar("F", np.float32, np.float64)

SMOOTHING = 0.9  # share of the running mean that each point of a curve keeps


@dataclass(frozen=True, slots=True)
class StepMetrics:
    """One optimizer step, as it is plotted and stored.

    Attributes:
        step: number of the step, from 1.
        epoch: passes over the training text so far, fractional.
        loss: cross-entropy of this step's batch before the update, nats per prediction.
        grad_norm: L2 norm of the whole gradient before clipping.
        learning_rate: the rate used, schedule and live multiplier included.
        chars_per_second: characters (predictions) of this step divided by its seconds.
        elapsed: seconds of computation since the run began, pauses and evaluations excluded.
        characters: predictions trained on so far.
        validation_loss: nats per prediction on the validation part, on the steps that measured it.
        clipped: 1 where the gradient was limited before the update, 0 where it was not; of several steps, the share.
            None in what was written before it was recorded.
        score: the share of the validation part that the model answers right, on the steps that measured it, where the
            task has right answers; None elsewhere, and in what was written before it was recorded.
    """

    step: int
    epoch: float
    loss: float
    grad_norm: float
    learning_rate: float
    chars_per_second: float
    elapsed: float
    characters: int
    validation_loss: float | None = None
    clipped: float | None = None
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a training will take on this machine, if it has it to itself.

    Attributes:
        seconds: of all steps and evaluations.
        chars_per_second: predictions trained on in a second, evaluations aside.
        memory_bytes: of the run's own arrays, computed and not measured; the program itself comes on top.
        steps: that will be taken, if no loss or patience stops it before.
        precision: number format that it will compute in.
        seconds_per_step: the fastest of the steps that were measured.
    """

    seconds: float
    chars_per_second: float
    memory_bytes: int
    steps: int
    precision: str
    seconds_per_step: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """One example that was kept from training, and what a model answers.

    Attributes:
        inputs: what the model reads: an image (8, 8), frames (T, 8, 8), or a text.
        expected, predicted: the right answer and the model's, as they are shown; at each step they are lists in words
            parted by spaces.
        is_right: whether they are the same.
        probabilities: the model's of each class, (classes,) or, at each step, (T, classes); None where it writes.
    """

    inputs: NDArray[np.float32] | str
    expected: str
    predicted: str
    is_right: bool
    probabilities: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model answers to something that a person gave it.

    Attributes:
        inputs: what the model read: an image (8, 8), frames (T, 8, 8), or a text.
        predicted: its answer, as it is shown; at each step it is a list in words parted by spaces.
        expected: the right answer in the same form; None where only the person knows it.
        is_right: whether they are the same; None where the right one is not known.
        classes: what the probabilities below are of: the answers to choose from, or what is written with, the end of
            the writing last. Of characters for a blank only the five likeliest, the likeliest first.
        probabilities: the model's of each class, (classes,); None where there is not one answer but one at each step.
        steps: the model's after each step, (T, classes): at each frame, after each word or row as if it were the last,
            or of each symbol that is written and of what comes after them. None where nothing is read or written in
            steps, or too many classes to look at.
        unknown: the words that the model does not know, which it reads all alike.
        note: what the person should know about how it was read, in a sentence or two, or "".
    """

    inputs: NDArray[np.float32] | str
    predicted: str
    expected: str | None
    is_right: bool | None
    classes: tuple[str, ...]
    probabilities: NDArray[np.float32] | None
    steps: NDArray[np.float32] | None
    unknown: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Review:
    """How a model does on the test part.

    An answer is one of an example or, where there is a label for every frame, one of a frame.

    Attributes:
        examples: how many were answered, evenly over the test part.
        right: which answers are right, (N,).
        lengths: steps read for each answer, (N,): letters, words or frames; at a frame, those until then.
        classes: the answers to choose from; () where answers are written.
        expected, predicted: the right and the model's class of each answer, indices (N,); None where answers are
            written.
        shown: the first examples that are not all right, and then, if there is room, the first right ones.
    """

    examples: int
    right: NDArray[np.bool_]
    lengths: NDArray[np.int64]
    classes: tuple[str, ...]
    expected: NDArray[np.int64] | None
    predicted: NDArray[np.int64] | None
    shown: tuple[Prediction, ...]

    @property
    def accuracy(self) -> float:
        """The share of right answers."""
        return float(self.right.mean())


@dataclass(frozen=True, slots=True)
class UnrolledStep:
    """One time step of a network that answers something: what it reads, what it holds, what comes out.

    Attributes:
        role: "network", or "encoder" and "decoder" where there are two.
        read: what enters: an image (8, 8), one row of an image (8,), or a symbol, "BEGIN" where a decoder begins.
        h: hidden state of the top layer after this step, (H,).
        h_backward: that of a second direction, which has read this step and all that follow; None where there is none.
        probabilities: of each class, (classes,); None where the network has no output.
        counts: whether the output is the answer, or a part of it.
        expected: the right class of this step, an index; None where nobody knows it, or the output does not count.
    """

    role: Literal["network", "encoder", "decoder"]
    read: NDArray[np.float32] | str
    h: NDArray[np.float32]
    h_backward: NDArray[np.float32] | None
    probabilities: NDArray[np.float32] | None
    counts: bool
    expected: int | None

    @property
    def guess(self) -> int | None:
        """The likeliest class, an index."""
        return None if self.probabilities is None else int(self.probabilities.argmax())

    @property
    def is_right(self) -> bool | None:
        """Whether that is the right one; None where nobody knows."""
        return None if self.expected is None else self.guess == self.expected


@dataclass(frozen=True, slots=True)
class Unrolled:
    """The network of a task over one example, step by step.

    Attributes:
        kind: the task, a key of `rnn.catalogue.TASKS`.
        cell: "rnn", "gru" or "lstm"; "" for a network without recurrence.
        steps: in the order in which they are computed; those of an encoder come before those of its decoder.
        classes: what the probabilities are of; where a sequence is written, the marks END, PAD and BEGIN come last.
        image: what sets the first hidden state, or what the rows that are read are rows of, (8, 8); None elsewhere.
        first: hidden state of the top layer before the first step, (H,); None without recurrence.
        summary: what a decoder gets from its encoder, at the top layer: (h,) or, for the LSTM, (h, c); () elsewhere.
        predicted, expected, is_right: the answer as a whole, as in `Answer`.
        note: what is to be known about how the input was read, or "".
    """

    kind: str
    cell: str
    steps: tuple[UnrolledStep, ...]
    classes: tuple[str, ...]
    image: NDArray[np.float32] | None
    first: NDArray[np.float32] | None
    summary: tuple[NDArray[np.float32], ...]
    predicted: str
    expected: str | None
    is_right: bool | None
    note: str = ""


METRICS = tuple(f.name for f in fields(StepMetrics))

MEASURED_FIRST = 10  # so many steps from the first on have their matrices measured
MEASURED_EVERY = 10  # and every so many after that


def is_measured(step: int) -> bool:
    """Whether the matrices are measured at this step, from 1: a resumed run measures at the same ones."""
    return step <= MEASURED_FIRST or step % MEASURED_EVERY == 0


@dataclass(frozen=True, slots=True)
class LayerNorms:
    """One weight matrix at one step.

    Attributes:
        step: number of the step, from 1.
        name: "embedding", "layer 1 W_xh", "layer 1 W_hh", "head W_hy" and so on.
        grad_norm: L2 norm of its gradient before clipping.
        weight_norm: L2 norm of the matrix before the update.
        update_ratio: L2 norm of the update divided by `weight_norm`.
    """

    step: int
    name: str
    grad_norm: float
    weight_norm: float
    update_ratio: float


def smoothed(values: Sequence[float]) -> list[float]:
    """An exponential running mean that starts at the first value (corrected for its start, as Adam's are)."""
    result, mean, weight = [], 0.0, 0.0
    for value in values:
        mean = SMOOTHING * mean + (1 - SMOOTHING) * value
        weight = SMOOTHING * weight + (1 - SMOOTHING)
        result.append(mean / weight)
    return result


@dataclass(frozen=True, slots=True)
class Baselines:
    """What simple predictors of one text reach, nats per character: see `rnn.ngrams`.

    Attributes:
        uniform: ln V, every character as likely as any other.
        unigram, bigram, trigram: counts of single characters, and of those that follow one and two others.
        is_held_out: whether they were measured on the validation part; else on the training part, each prediction
            made from the counts without it.
    """

    uniform: float
    unigram: float
    bigram: float
    trigram: float
    is_held_out: bool

    def by_name(self) -> dict[str, float]:
        """The four values, simplest predictor first."""
        return {"ln V": self.uniform, "unigram": self.unigram, "bigram": self.bigram, "trigram": self.trigram}

    def standing(self, loss: float) -> str:
        """Where a loss stands: below the nearest of those above it, or above them all.

        `below trigram`, `below unigram`, `above ln V`. Of equal ones, the one that knows more is named.
        """
        values = dict(reversed(self.by_name().items()))
        above = [name for name in values if values[name] > loss]
        if above:
            return f"below {min(above, key=values.__getitem__)}"
        return f"above {max(values, key=values.__getitem__)}"


@dataclass(frozen=True, slots=True)
class MemoryCurve:
    """Mean loss of the next character against the number of past characters seen: see `rnn.remembering`.

    Attributes:
        lengths: characters seen, ascending.
        losses: mean over the places, nats, one per length.
        errors: standard error of each of these means, nats.
        gain_errors: standard error of the mean gain from each length to the longest one, nats. The gains are those of
            the same places, so it is much smaller than `errors`.
        places: how many characters were predicted.
    """

    lengths: tuple[int, ...]
    losses: tuple[float, ...]
    errors: tuple[float, ...]
    gain_errors: tuple[float, ...]
    places: int

    @property
    def gains(self) -> tuple[float, ...]:
        """How much reading farther back lowers the loss at best, from each length, nats; 0 where nothing does."""
        return tuple(loss - min(self.losses[i:]) for i, loss in enumerate(self.losses))

    @property
    def memory(self) -> int | None:
        """The shortest length from which less than `REMEMBERED` is to be gained; None if that is the longest one."""
        length = next(n for n, gain in zip(self.lengths, self.gains, strict=True) if gain < REMEMBERED)
        return length if length < self.lengths[-1] else None


@dataclass(slots=True)  # not frozen: that would make drawing a character slower by a tenth
class Sampled:
    """One character drawn from the model.

    Attributes:
        char: the character.
        index: its index in the vocabulary.
        logits: the model's scores before temperature and filters, shape (V,).
        weights: what it was drawn by, probabilities but for their sum, shape (V,); cut characters have 0.
        draw: the uniform random number in [0, 1) that chose it on the cumulative distribution.
    """

    char: str
    index: int
    logits: NDArray[np.float32]
    weights: NDArray[np.float64]
    draw: float

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """The distribution it was drawn from, shape (V,), sum 1. Computed when asked for: most of them never are."""
        probabilities: NDArray[np.float64] = self.weights / np.add.reduce(self.weights)
        return probabilities

    @property
    def rank(self) -> int:
        """1 for the model's likeliest character, counted on the logits."""
        return 1 + int((self.logits > self.logits[self.index]).sum())

    @property
    def surprise(self) -> float:
        """-ln of its probability in `probabilities`, nats."""
        return -math.log(self.probabilities[self.index])


@dataclass(frozen=True, slots=True)
class DrawStages:
    """How one character is drawn, from the logits to where the random number falls: see `rnn.sampling.draw_stages`.

    Attributes:
        temperature, top_k, top_p: the settings, as in `SampleConfig`.
        logits: the model's scores, shape (V,).
        scaled: logits / temperature, shape (V,); None at temperature 0, which takes the likeliest instead.
        model: softmax of the logits at temperature 1, without filters, shape (V,).
        tempered: softmax of `scaled`, without filters, shape (V,); at temperature 0 the likeliest has 1.
        kept: which characters may come, shape (V,): not those that top-k or top-p cut; at temperature 0 only the
            likeliest.
        probabilities: the distribution drawn from, shape (V,), sum 1; that of the kept characters.
        order: indices of the characters with a probability above 0, in the order in which they are laid end to end:
            that of the vocabulary, because the random number is compared with sums in this order. Shape (K,).
        reached: where each of them ends, the cumulative sum of their probabilities; the last is 1. Shape (K,).
        draw: the uniform random number in [0, 1), or None where none was drawn.
        chosen: index of the character that `draw` falls on; at temperature 0 the likeliest, whatever `draw` is.
    """

    temperature: float
    top_k: int | None
    top_p: float | None
    logits: NDArray[np.float64]
    scaled: NDArray[np.float64] | None
    model: NDArray[np.float64]
    tempered: NDArray[np.float64]
    kept: NDArray[np.bool_]
    probabilities: NDArray[np.float64]
    order: NDArray[np.intp]
    reached: NDArray[np.float64]
    draw: float | None
    chosen: int | None


@dataclass(frozen=True, slots=True)
class LayerTrace:
    """One layer in one direction. Row t is what belongs to the t-th character, whatever the direction.

    Attributes:
        h: the hidden state after each step, (T, H).
        c: the cell state of an LSTM after each step, (T, H); None elsewhere.
        gates: of a GRU r, z and the candidate n; of an LSTM i, f, o and the candidate g; each (T, H). An RNN has none.
        reverse: whether it read the text from its end.
    """

    h: NDArray[np.float32]
    c: NDArray[np.float32] | None
    gates: Mapping[str, NDArray[np.float32]]
    reverse: bool = False

    @property
    def h_before(self) -> NDArray[np.float32]:
        """The hidden state that each step started from, (T, H); zeros at the first step read."""
        return before(self.h, self.reverse)

    @property
    def c_before(self) -> NDArray[np.float32] | None:
        """The cell state that each step started from, (T, H); None where there is none."""
        return None if self.c is None else before(self.c, self.reverse)


def before(states: NDArray[F], reverse: bool) -> NDArray[F]:
    """The state that each step started from, of those after each step, (T, H); zeros at the first step read."""
    zeros = np.zeros_like(states[:1])
    return np.concatenate([states[1:], zeros] if reverse else [zeros, states[:-1]])


@dataclass(frozen=True, slots=True)
class Trace:
    """What happened inside a character model while it read a text, from a state of zeros.

    Attributes:
        text: the characters read, T of them.
        characters: the vocabulary, V of them.
        indices: the characters read, by their place in the vocabulary, (T,).
        layers: from the lowest to the highest, each with one `LayerTrace` per direction, forward first.
        logits: scores of the next character after each of them, (T, V).
        probabilities: their softmax, (T, V), rows sum to 1.
    """

    text: str
    characters: tuple[str, ...]
    indices: NDArray[np.int64]
    layers: tuple[tuple[LayerTrace, ...], ...]
    logits: NDArray[np.float32]
    probabilities: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.text)

    @property
    def states(self) -> NDArray[np.float32]:
        """What the head reads: h of the highest layer, both directions side by side, (T, directions * H)."""
        top = self.layers[-1]
        return top[0].h if len(top) == 1 else np.concatenate([one.h for one in top], axis=1)

    @property
    def losses(self) -> NDArray[np.float64]:
        """-ln of the probability of the character that came next, nats; after the last one nothing came: (T - 1,)."""
        shifted = self.logits[:-1].astype(np.float64)
        shifted -= shifted.max(axis=1, keepdims=True, initial=-np.inf)
        reached = shifted[np.arange(len(shifted)), self.indices[1:]]
        losses: NDArray[np.float64] = np.log(np.exp(shifted).sum(axis=1)) - reached
        return losses

    @property
    def nbytes(self) -> int:
        """The memory that the numbers take."""
        of_layers: Iterator[int] = (
            array.nbytes
            for passes in self.layers
            for one in passes
            for array in (one.h, *(() if one.c is None else (one.c,)), *one.gates.values())
        )
        return sum(of_layers) + self.logits.nbytes + self.probabilities.nbytes + self.indices.nbytes


@dataclass(frozen=True, slots=True)
class Walk:
    """A character model's way through one text, with the loss at every step.

    Attributes:
        text: the characters read, T of them.
        targets: the character that should come after each of them, T of them.
        characters: the vocabulary, V of them.
        states: the hidden state after each character, shape (T, H); that before the first one is zeros.
        logits: the scores of the next character, shape (T, V).
        probabilities: their softmax, shape (T, V), rows sum to 1.
        losses: -ln of the target's probability, nats, shape (T,).
    """

    text: str
    targets: str
    characters: tuple[str, ...]
    states: NDArray[np.float64]
    logits: NDArray[np.float64]
    probabilities: NDArray[np.float64]
    losses: NDArray[np.float64]

    @property
    def total(self) -> float:
        """The loss of the whole sequence, nats: the sum over its steps."""
        return float(self.losses.sum())

    @property
    def guesses(self) -> str:
        """The likeliest character after each step."""
        return "".join(self.characters[i] for i in self.logits.argmax(axis=1))


@dataclass(frozen=True, slots=True)
class RunInfo:
    """One run in the store, as it is listed.

    Attributes:
        id: uuid4, the address of the run.
        name: what its owner calls it.
        status: queued, running, paused, finished, failed or interrupted.
        message: one sentence about why it stands where it stands, or "".
        text_name: name of the text it trains on, or of the task's own data.
        text_sha256: key of that text in the store; that of the empty text where the task has its own data.
        kind: what it learns, a key of `rnn.catalogue.TASKS`.
        model: `ModelConfig` as JSON values.
        train: `TrainConfig` as JSON values.
        stop_at: the step to stop at in place of the configured one, or None.
        step: the last step whose metrics are stored.
        saved_step: the step of the checkpoint on disk.
        elapsed: seconds of computation.
        loss: the last training loss, nats, or None before the first step.
        validation_loss: the last one measured, or None.
        best_validation_loss: the lowest, or None.
        created, updated: seconds since 1970 (UTC).
        rate_multiplier: the live factor on the learning rate.
        diverged: whether it is paused because its loss or gradient broke; `Scheduler.recover` goes on with it.
        race_id: uuid4 of the race it is a member of, or None.
        race_label, race_order: its name and place (from 0) in that race.
        race_mode: what the members of that race keep level, a key of `rnn.race.MODES`, or "".
        task: `TaskConfig` as JSON values.
        score: the last share of right answers on the validation part, or None.
    """

    id: str
    name: str
    status: str
    message: str
    text_name: str
    text_sha256: str
    kind: str
    model: dict[str, object]
    train: dict[str, object]
    stop_at: int | None
    step: int
    saved_step: int
    elapsed: float
    loss: float | None
    validation_loss: float | None
    best_validation_loss: float | None
    created: float
    updated: float
    rate_multiplier: float = 1.0
    diverged: bool = False
    race_id: str | None = None
    race_label: str = ""
    race_order: int = 0
    race_mode: str = ""
    task: dict[str, object] = field(default_factory=dict)
    score: float | None = None

    @property
    def last_step(self) -> int:
        """The step at which it will stop by itself."""
        return self.stop_at or int(str(self.train["steps"]))

    @property
    def entry_id(self) -> str:
        """What it waits and takes turns as: its race, or itself."""
        return self.race_id or self.id


@dataclass(frozen=True, slots=True)
class WatchedRun:
    """An active or waiting run as the one who looks after the server sees it: no text, no sample, no id.

    Attributes:
        short_id: the first eight characters of its id, as in the log; they open nothing.
        name: what its owner calls it.
        task: what it learns, as it is listed.
        network: its cell, hidden size and layers.
        visitor: number of its owner among those who have trained since the server began.
        status: running or queued.
        place: 1 for what starts next; None for one that runs.
        step, last_step: where it is, and where it stops by itself.
        chars_per_second: predictions a second of the clock, the turns of others included; None where none is known.
        since: when it began or queued, seconds since 1970 (UTC).
    """

    short_id: str
    name: str
    task: str
    network: str
    visitor: int
    status: str
    place: int | None
    step: int
    last_step: int
    chars_per_second: float | None
    since: float


@dataclass(frozen=True, slots=True)
class ServerPoint:
    """What all runs of a server did together in a short time.

    Attributes:
        seconds_ago: the end of that time before now.
        chars_per_second: predictions that all runs were trained on, a second.
        memory_bytes: of the server's process, or None where the system does not tell.
    """

    seconds_ago: float
    chars_per_second: float
    memory_bytes: int | None


@dataclass(frozen=True, slots=True)
class Overview:
    """A server at one moment.

    Attributes:
        runs: those that train, the oldest first, then those that wait, the next one first.
        paused: how many rest because everything was paused; `Scheduler.resume_all` goes on with them.
        is_held: whether nothing may start.
        chars_per_second: predictions that all runs together were trained on in the last seconds, a second.
        memory_bytes: of the server's process, or None where the system does not tell.
        disk_bytes: of the folder with the runs.
        points: the last minutes, the oldest first.
    """

    runs: tuple[WatchedRun, ...]
    paused: int
    is_held: bool
    chars_per_second: float
    memory_bytes: int | None
    disk_bytes: int
    points: tuple[ServerPoint, ...]

    @property
    def visitors(self) -> int:
        """How many people these runs belong to."""
        return len({run.visitor for run in self.runs})

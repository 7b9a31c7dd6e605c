"""Questions to predict before the answer is shown. No torch.

Neither right answers nor wrong ones are written down: each is computed from what is on the screen, a network, the text
it reads and the numbers that are set. A lesson names a question of `QUESTIONS`; `tests/unit/test_questions.py` judges
each by another way to its answer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from rnn.config import ModelConfig
from rnn.cost import step_multiplications
from rnn.errors import InputError
from rnn.figures.characters import visible
from rnn.gradients.reach import by_lag, most_steps, reach, stretch_of
from rnn.gradients.truncation import truncation
from rnn.positions import by_position, carried_losses
from rnn.records import Trace, Walk
from rnn.remembering import shipped_curves
from rnn.sampling import filter_logits, softmax
from rnn.trace import trace
from rnn.vocabulary import Vocabulary

NEAR = 0.9  # a cosine that counts as nearly the same direction
FADED = 0.01  # a share of the gradient that counts as gone
STRETCH = 60  # steps over which the truncated gradient is compared with the full one
TYPED = 1e-6  # of a number that is asked for: how far from the right one still counts

Number = TypeVar("Number", bound=float)


@dataclass(frozen=True)
class Screen:
    """What a page shows when a question is asked.

    Attributes:
        model: the network's settings.
        characters: its vocabulary, V of them.
        text: what it reads, or what it reads first.
        weights: gives every parameter by its name.
        after: gives the logits of the character after the text, (V,), where they are known without the weights.
        shipped: name of the shipped model that it is, or "".
        numbers: what else is set or shown, by its symbol: T, k.
        walk: the way through the word "hello", where that is on show.
        longer: gives a longer text that it was not trained on, where there is one; else the text.
    """

    model: ModelConfig
    characters: tuple[str, ...]
    text: str = ""
    weights: Callable[[], Mapping[str, NDArray[Any]]] = dict
    after: Callable[[], NDArray[Any]] | None = None
    shipped: str = ""
    numbers: Mapping[str, int] = field(default_factory=dict)
    walk: Walk | None = None
    longer: Callable[[], str] | None = None

    def trace(self, text: str | None = None) -> Trace:
        """What happens inside while it reads its text, or another one.

        Raises:
            PlaygroundError: it cannot read it.
        """
        vocabulary = Vocabulary.from_characters(self.characters)
        return trace(self.model, self.weights(), vocabulary, self.text if text is None else text)


@dataclass(frozen=True)
class Solution:
    """The answer to a question.

    Attributes:
        right: the right answer in words.
        choices: what there is to choose from, the right one among them, in an order that says nothing; () where a
            number is to be typed.
        number: the right number, where one is to be typed; else None.
        why: the reason in a sentence or two, with the numbers of this network. Markdown-free.
    """

    right: str
    choices: tuple[str, ...]
    number: float | None
    why: str

    def is_right(self, given: str | float) -> bool:
        """Whether an answer is right."""
        if self.number is None:
            return given == self.right
        return isinstance(given, int | float) and abs(given - self.number) <= TYPED * max(1.0, abs(self.number))


def answer(question: str, screen: Screen) -> Solution:
    """The answer to a question about what is on the screen.

    Raises:
        InputError: there is no such question, or this screen does not hold what it is about.
        PlaygroundError: the network cannot do what the question is about.
    """
    if question not in QUESTIONS:
        raise InputError(f"No question is named “{question}”.")
    return QUESTIONS[question](screen)


def _of_words(right: str, others: Iterable[str], why: str) -> Solution:
    """One of several, in the order of the alphabet."""
    return Solution(right, tuple(sorted({right, *others})), None, why)


def _of_numbers(right: Number, others: Iterable[Number], shown: Callable[[Number], str], why: str) -> Solution:
    """One number of several, the smallest first; those that look alike are shown once."""
    every: list[Number] = [*others, right]
    return Solution(shown(right), tuple(dict.fromkeys(map(shown, sorted(every)))), None, why)


# Architecture -----------------------------------------------------------------------------------------------------


def _recurrent(screen: Screen, model: ModelConfig) -> int:
    """The parameters of a model's recurrent layers, where it reads what this screen's network reads."""
    shapes = model.recurrent_shapes(model.embedding_size or len(screen.characters))
    return sum(math.prod(shape) for shape in shapes.values())


def _parameters_when_T_doubles(screen: Screen) -> Solution:
    V, T = len(screen.characters), screen.numbers.get("T", 5)
    now = screen.model.parameter_count(V)
    recurrent = _recurrent(screen, screen.model)
    work = step_multiplications(screen.model, V)
    return _of_numbers(
        now, (2 * now, now + recurrent, now + T), "{:,}".format,
        f"The same matrices serve every step, so {now:,} parameters are enough for {T} steps and for {2 * T}. "
        f"What doubles is the work: {T * work:,} multiplications become {2 * T * work:,}.",
    )  # fmt: skip


def _numbers_in_W_hh(screen: Screen) -> Solution:
    H, gates = screen.model.hidden_size, screen.model.gates
    count = gates * H * H
    blocks = "" if gates == 1 else f"{gates} blocks of "
    return Solution(
        f"{count:,}", (), count,
        f"W_hh takes the {H} numbers of the state to {'the' if gates == 1 else 'each of the'} {H} new ones, so it is "
        f"{blocks}{H} × {H}: {count:,} numbers in each layer.",
    )  # fmt: skip


def _loss_of_the_first_letter(screen: Screen) -> Solution:
    walk = screen.walk
    if walk is None:
        raise InputError("This question is about the word “hello”. Open the view named hello.")
    place = walk.characters.index(walk.targets[0])
    p, loss = walk.probabilities[0], float(walk.losses[0])
    return _of_numbers(
        loss, (float(-np.log(p.max())), float(p[place]), math.log(len(p))), "{:.2f}".format,
        f"The right letter “{walk.targets[0]}” has the probability {p[place]:.3f}, and −ln {p[place]:.3f} = "
        f"{loss:.2f} nats. Among {len(p)} equal letters it would be ln {len(p)} = {math.log(len(p)):.2f}.",
    )  # fmt: skip


# Train ------------------------------------------------------------------------------------------------------------


def _loss_of_an_untrained_model(screen: Screen) -> Solution:
    V, losses = len(screen.characters), screen.trace().losses
    if not len(losses):
        raise InputError("A loss needs a character and the one that comes next. Choose a longer text.")
    measured = float(losses.mean())
    return _of_numbers(
        measured, (0.0, 1.0, measured / 2, float(V)), "{:.2f} nats".format,
        f"It has learned nothing, so all V = {V} characters are about equally likely: −ln(1/{V}) = ln {V} = "
        f"{math.log(V):.2f}. This network's first weights give {measured:.2f} over {len(losses):,} characters.",
    )  # fmt: skip


def _when_the_RNN_becomes_an_LSTM(screen: Screen) -> Solution:
    count = {cell: _recurrent(screen, replace(screen.model, cell=cell)) for cell in ("rnn", "gru", "lstm")}
    times = {cell: count[cell] // count["rnn"] for cell in count}
    return _of_numbers(
        times["lstm"], (times["rnn"], 2, times["gru"], 2 * times["lstm"]), "{} times as many".format,
        f"An LSTM computes three gates and a candidate, each with matrices of its own, where an RNN computes h alone: "
        f"{count['lstm']:,} in place of {count['rnn']:,} numbers with H = {screen.model.hidden_size}. A GRU has "
        f"{times['gru']} such blocks.",
    )  # fmt: skip


# Sample -----------------------------------------------------------------------------------------------------------


def _after_the_text(screen: Screen) -> NDArray[np.float64]:
    """The logits of the next character, (V,).

    Raises:
        InputError: nothing has been read.
    """
    if not screen.text:
        raise InputError("This question needs a text that the network reads first. Type a prime, such as “The ”.")
    logits = screen.after() if screen.after else screen.trace().logits[-1]
    return logits.astype(np.float64)


def _likeliest_next_character(screen: Screen) -> Solution:
    p = softmax(_after_the_text(screen))
    order = np.argsort(-p, kind="stable")
    ranks = [rank for rank in (0, 2, 6, 12) if rank < len(order)]
    names = [f"“{visible(screen.characters[i])}”" for i in order]
    shown = ", ".join(f"{names[rank]} {p[order[rank]]:.1%}" for rank in ranks)
    return _of_words(
        names[0], (names[rank] for rank in ranks),
        f"After “{_end(screen.text)}” the softmax says {shown}. Likeliest does not mean certain: drawing gives every "
        "character its chance.",
    )  # fmt: skip


def _end(text: str) -> str:
    return ("…" if len(text) > 20 else "") + "".join(map(visible, text[-20:]))


def entropy(logits: NDArray[np.float64], temperature: float) -> float:
    """Entropy in bits of the softmax at a temperature: how many yes-no questions a character is worth on average."""
    p = softmax(filter_logits(logits, temperature))
    p = p[p > 0]
    return float(-(p * np.log2(p)).sum()) + 0.0  # no -0.0


def _entropy_at_0(screen: Screen) -> Solution:
    logits = _after_the_text(screen)
    cold, one, most = entropy(logits, 0), entropy(logits, 1), math.log2(len(logits))
    best = visible(screen.characters[int(logits.argmax())])
    return _of_numbers(
        cold, (one, one / 2, most), "{:.2f} bits".format,
        f"Near 0 the softmax puts everything on the likeliest character, here “{best}”, so nothing is left to chance: "
        f"{entropy(logits, 0.1):.2f} bits at a temperature of 0.1, {cold:.2f} at 0. At 1 it is {one:.2f}.",
    )  # fmt: skip


def _entropy_at_2(screen: Screen) -> Solution:
    logits = _after_the_text(screen)
    one, two, most = entropy(logits, 1), entropy(logits, 2), math.log2(len(logits))
    return _of_numbers(
        two, (entropy(logits, 0.5), one, most), "{:.2f} bits".format,
        f"Halved logits lie closer together, so the choice is wider: {one:.2f} bits become {two:.2f}. It cannot pass "
        f"log₂ {len(logits)} = {most:.2f}, where all V = {len(logits)} characters are equally likely.",
    )  # fmt: skip


# Unroll Visualizer ------------------------------------------------------------------------------------------------


def _most_surprising_character(screen: Screen) -> Solution:
    losses = screen.trace().losses
    start, T = screen.numbers.get("start", 1) - 1, screen.numbers.get("T", 8)
    stretch = losses[start : start + T]
    if len(stretch) < 2:
        raise InputError("This question needs at least three characters on show. Begin further to the left.")
    order = start + np.argsort(-stretch, kind="stable")
    names = {
        int(t): f"“{visible(screen.text[t + 1])}” after “{''.join(map(visible, screen.text[max(0, t - 3) : t + 1]))}”"
        for t in order
    }
    places = [int(order[i]) for i in sorted({0, len(order) // 3, 2 * len(order) // 3, len(order) - 1})]
    first, last = int(order[0]), int(order[-1])
    return Solution(
        names[first], tuple(names[t] for t in sorted(places)), None,
        f"It gave {names[first]} a probability of {math.exp(-losses[first]):.1%}, a loss of {losses[first]:.2f} nats. "
        f"Least surprising was {names[last]}, with {math.exp(-losses[last]):.1%} and {losses[last]:.2f} nats.",
    )  # fmt: skip


def _characters_remembered(screen: Screen) -> Solution:
    if not screen.shipped or screen.shipped not in shipped_curves().curves:
        raise InputError("This was measured for the models that come with the app. Choose one of them.")
    curve = shipped_curves().curves[screen.shipped]
    lengths = list(curve.lengths)
    right = curve.memory or lengths[-1]
    at = lengths.index(right)
    others = [lengths[i] for i in (1, (at + 2) // 2, at - 2, at + 2, len(lengths) - 1) if 0 <= i < len(lengths)]
    gain = curve.gains[at]
    return _of_numbers(
        right, others[:4], "{} characters".format,
        f"Having read {right} characters, it would gain only {gain:.3f} nats by reading more, less than 0.01. With 1 "
        f"character the loss is {curve.losses[0]:.2f}, with {right} it is {curve.losses[at]:.2f} nats.",
    )  # fmt: skip


# Truncated BPTT ---------------------------------------------------------------------------------------------------


def _farthest_step_in_a_chunk(screen: Screen) -> Solution:
    k = screen.numbers.get("k", 8)
    return Solution(
        f"{k - 1}", (), k - 1,
        f"The last of the {k} losses of a chunk reaches back to its first step, and that is {k - 1} steps earlier. "
        "There the wall stands. The state itself crosses it.",
    )  # fmt: skip


def _shortest_chunk_near_the_full_gradient(screen: Screen) -> Solution:
    found = screen.trace()
    most = min(STRETCH, len(found) - 1, most_steps(screen.model, len(screen.characters)))
    cosine = truncation(stretch_of(screen.model, screen.weights(), found, 0, most)).cosine["all"]
    right = 1 + int(np.argmax(cosine > NEAR))  # chunks of all steps give 1
    others = {1, max(1, right // 2), min(most, 2 * right + 1), most // 2, most} - {right}
    before = f", {cosine[right - 2]:.2f} at k = {right - 1}" if right > 1 else ""
    return _of_numbers(
        right, sorted(others, key=lambda k: abs(k - right))[:3], "k = {}".format,
        f"At k = {right} the cosine is {cosine[right - 1]:.2f}{before}, and 1 at k = {most}, the full gradient. Most "
        "of what a loss has to say goes to the steps just before it.",
    )  # fmt: skip


def _lag_at_which_the_gradient_has_faded(screen: Screen) -> Solution:
    found = reach(stretch_of(screen.model, screen.weights(), screen.trace(), 0))
    curve = by_lag(found.h[-1])
    share = curve.mean / curve.mean[0]
    gone = np.flatnonzero(share < FADED)
    longest = len(share) - 1
    if not len(gone):
        words = f"not within {longest}"
        return _of_words(
            words, (f"{lag} steps" for lag in (2, longest // 4, longest // 2)),
            f"{longest} steps back, {share[-1]:.1%} of the gradient at the loss itself are still there.",
        )  # fmt: skip
    lag = int(gone[0])
    return _of_numbers(
        lag, sorted({2, max(2, lag // 3), min(longest, 2 * lag), min(longest, 4 * lag)} - {lag})[:3],
        "{} steps".format,
        f"On average over this text {share[lag]:.2%} of the gradient's norm are left {lag} steps back, and "
        f"{share[lag - 1]:.2%} one step before. What lies farther back hardly changes the weights.",
    )  # fmt: skip


def _cost_of_a_reset(screen: Screen) -> Solution:
    text = screen.longer() if screen.longer else screen.text
    found, k = screen.trace(text), screen.numbers.get("k", 16)
    carried = carried_losses(found.logits, found.indices)
    both = by_position(screen.model, screen.weights(), found.indices, carried, k)
    gap = both.gap
    return _of_numbers(
        float(gap[0]), (0.0, float(gap[k // 2]), float(both.cost), 3 * float(gap[0])), "{:.2f} nats".format,
        f"At the first position of a chunk of {k} the loss is {both.reset[0]:.2f} nats from zeros and "
        f"{both.carry[0]:.2f} with the state carried on, over {both.chunks:,} chunks. At the last position "
        f"{gap[-1]:.2f} are left of it.",
    )  # fmt: skip


QUESTIONS: dict[str, Callable[[Screen], Solution]] = {
    "parameters when T doubles": _parameters_when_T_doubles,
    "numbers in W_hh": _numbers_in_W_hh,
    "loss of the first letter of hello": _loss_of_the_first_letter,
    "loss of an untrained model": _loss_of_an_untrained_model,
    "parameters when the RNN becomes an LSTM": _when_the_RNN_becomes_an_LSTM,
    "likeliest next character": _likeliest_next_character,
    "entropy at temperature 0": _entropy_at_0,
    "entropy at temperature 2": _entropy_at_2,
    "most surprising character": _most_surprising_character,
    "characters remembered": _characters_remembered,
    "farthest step in a chunk": _farthest_step_in_a_chunk,
    "shortest chunk near the full gradient": _shortest_chunk_near_the_full_gradient,
    "lag at which the gradient has faded": _lag_at_which_the_gradient_has_faded,
    "cost of a reset": _cost_of_a_reset,
}

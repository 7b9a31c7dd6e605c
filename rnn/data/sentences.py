"""Opinions in short English sentences whose words alone do not tell whether they are positive.

A small grammar, written for this project, makes them. Negation turns an adjective round ("hardly boring"), the clause
after "but" decides, "although" and "despite" give way to the rest, and the order says what came first ("went from
clear to confusing"). Every wording says both things equally often, so a count of the words is nearly worthless.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnn.data.sequences import Integers, indices, is_held_out, padded, read_only
from rnn.errors import ConfigError, InputError

Part = Literal["train", "validation"]

PADDING, UNKNOWN = "<pad>", "<unk>"  # words 0 and 1 of every vocabulary
UNKNOWN_INDEX = 1
DRAWN = 12_000  # sentences, of which the distinct ones are kept
NEWTON_STEPS = 12  # of the bag of words; after eight nothing changes
MAX_WORDS = 60  # of a sentence that a person types


class Sentence(NamedTuple):
    """A sentence and its label: 1 is positive, 0 negative."""

    words: tuple[str, ...]
    label: int

    @property
    def text(self) -> str:
        return " ".join(self.words)


class Arrays(NamedTuple):
    """Sentences as the network reads them.

    Attributes:
        indices: (N, T), of the words in `vocabulary()`, padded with 0.
        lengths: (N,), in words.
        labels: (N,), 1 is positive, 0 negative.
    """

    indices: Integers
    lengths: Integers
    labels: Integers


class Parsed(NamedTuple):
    """A typed sentence.

    Attributes:
        words: lower case, without punctuation.
        indices: (T,), the unknown ones as `UNKNOWN_INDEX`.
        unknown: the distinct words that the vocabulary does not hold, in order.
    """

    words: tuple[str, ...]
    indices: Integers
    unknown: tuple[str, ...]


@dataclass(frozen=True)
class Topic:
    """What an opinion can be about, in words that all go together.

    Attributes:
        wholes, parts: nouns; a part belongs to each of the wholes.
        bad, good: as many adjectives of either kind, which suit every noun, also with "not"; more in `BAD`, `GOOD`.
        shun, seek: what one should do with a whole.
    """

    wholes: tuple[str, ...]
    parts: tuple[str, ...]
    bad: tuple[str, ...]
    good: tuple[str, ...]
    shun: str
    seek: str

    @property
    def nouns(self) -> tuple[str, ...]:
        return self.wholes + self.parts


TOPICS = (
    Topic(
        wholes=("film", "play", "show", "musical"),
        parts=("plot", "ending", "acting", "dialogue"),
        bad=("dull", "boring", "silly", "disappointing"),
        good=("clever", "exciting", "funny", "wonderful"),
        shun="skip",
        seek="see",
    ),
    Topic(
        wholes=("meal", "lunch", "dinner", "menu"),
        parts=("soup", "cake", "salad", "bread"),
        bad=("bland", "tasteless", "disappointing", "awful"),
        good=("tasty", "delicious", "fresh", "wonderful"),
        shun="skip",
        seek="try",
    ),
    Topic(
        wholes=("lesson", "course", "lecture", "class"),
        parts=("explanation", "homework", "exercise", "quiz"),
        bad=("confusing", "boring", "useless", "tedious"),
        good=("clear", "interesting", "useful", "helpful"),
        shun="skip",
        seek="attend",
    ),
    Topic(
        wholes=("trip", "walk", "tour", "picnic"),
        parts=("weather", "view", "route", "company"),
        bad=("dreadful", "miserable", "gloomy", "unpleasant"),
        good=("pleasant", "lovely", "delightful", "enjoyable"),
        shun="skip",
        seek="join",
    ),
    Topic(
        wholes=("match", "game", "race", "tournament"),
        parts=("opening", "finish", "atmosphere", "commentary"),
        bad=("dull", "tedious", "boring", "disappointing"),
        good=("thrilling", "exciting", "gripping", "entertaining"),
        shun="skip",
        seek="watch",
    ),
    Topic(
        wholes=("teacher", "waiter", "guide", "doctor"),
        parts=("answer", "advice", "manner", "voice"),
        bad=("rude", "unfriendly", "unpleasant", "awful"),
        good=("kind", "friendly", "pleasant", "helpful"),
        shun="avoid",
        seek="trust",
    ),
)

BAD, GOOD = ("bad", "terrible", "horrible"), ("good", "great", "nice")  # of every topic
SPEAKERS = ("i", "we", "they", "my friends", "my parents", "our neighbours")
# Of each pair of tuples, the first says what follows and the second denies it.
PLAIN, DENIED = ("", "really", "truly", "simply"), ("not", "never", "hardly", "anything but")
DENIED_SHARE = 0.4  # people affirm a little more often than they deny; this is all that the words alone give away
ALL, NONE = ("everybody", "most people", "nearly everybody"), ("nobody", "few people", "hardly anybody")
VERBS, DENIED_VERBS = ("really", "simply"), ("never", "hardly")


class _Speech:
    """The choices of one sentence: draws words of one topic from `rng`."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self.topic: Topic = TOPICS[int(rng.integers(len(TOPICS)))]
        self.whole = self.pick(self.topic.wholes)
        self.be = self.pick(("was", "is"))

    def pick(self, choices: Sequence[str]) -> str:
        return choices[int(self._rng.integers(len(choices)))]

    def chance(self, share: float = 0.5) -> bool:
        return bool(self._rng.random() < share)

    def two(self, choices: Sequence[str]) -> tuple[str, str]:
        """Two different ones."""
        first, second = self._rng.choice(len(choices), 2, replace=False).tolist()
        return choices[first], choices[second]

    def adjective(self, positive: bool) -> str:
        return self.pick(self.topic.good + GOOD if positive else self.topic.bad + BAD)

    def quality(self, positive: bool) -> str:
        """ "really tasty" or "hardly bland": the same opinion said either way."""
        denied = self.chance(DENIED_SHARE)
        return f"{self.pick(DENIED if denied else PLAIN)} {self.adjective(positive is not denied)}"

    def clause(self, noun: str, positive: bool) -> str:
        return f"the {noun} {self.be} {self.quality(positive)}"

    def denies(self, positive: bool) -> tuple[bool, str]:
        """Whether a sentence denies what it says, and the adjective that makes it positive or negative all the same."""
        denied = self.chance()
        return denied, self.adjective(positive is not denied)


def _plain(s: _Speech, positive: bool) -> str:
    noun = s.pick([f"the {noun}" for noun in s.topic.nouns] + ["it"] * 2)
    return f"{noun} {s.be} {s.quality(positive)}"


def _and(s: _Speech, positive: bool) -> str:
    first, second = s.two(s.topic.nouns)
    return f"{s.clause(first, positive)} and {s.clause(second, positive)}"


def _but(s: _Speech, positive: bool) -> str:
    first, second = s.two(s.topic.parts)
    return f"{s.clause(first, not positive)} but {s.clause(second, positive)}"


def _although(s: _Speech, positive: bool) -> str:
    first, second = s.two(s.topic.parts)
    gives_way, decides = f"although {s.clause(first, not positive)}", s.clause(second, positive)
    return f"{gives_way} {decides}" if s.chance() else f"{decides} {gives_way}"


def _despite(s: _Speech, positive: bool) -> str:
    gives_way = f"despite the {s.adjective(not positive)} {s.pick(s.topic.parts)}"
    decides = f"the {s.whole} {s.be} {s.adjective(positive)}"
    return f"{gives_way} {decides}" if s.chance() else f"{decides} {gives_way}"


def _not_but(s: _Speech, positive: bool) -> str:
    """ "not dull but clever", "clever and not dull" """
    right, wrong = s.adjective(positive), s.adjective(not positive)
    said = f"not {wrong} but {right}" if s.chance() else f"{right} and not {wrong}"
    return f"the {s.pick(s.topic.nouns)} {s.be} {said}"


def _expected(s: _Speech, positive: bool) -> str:
    wrong, right = s.adjective(not positive), s.adjective(positive)
    return f"{s.pick(SPEAKERS)} expected {_article(wrong)} {wrong} {s.whole} and got {_article(right)} {right} one"


def _went(s: _Speech, positive: bool) -> str:
    before, after = s.adjective(not positive), s.adjective(positive)
    if s.chance():
        return f"the {s.whole} went from {before} to {after}"
    return f"the {s.whole} was {after} after {_article(before)} {before} start"


def _found(s: _Speech, positive: bool) -> str:
    denied, adjective = s.denies(positive)
    who, noun = s.pick(NONE if denied else ALL), s.pick(s.topic.nouns)
    return f"{who} found the {noun} {adjective}" if s.chance() else f"{who} said the {noun} was {adjective}"


def _thought(s: _Speech, positive: bool) -> str:
    denied, adjective = s.denies(positive)
    return f"{s.pick(SPEAKERS)} {'never' if denied else 'always'} thought the {s.pick(s.topic.nouns)} was {adjective}"


def _true(s: _Speech, positive: bool) -> str:
    denied, adjective = s.denies(positive)
    truth = s.pick(("it is not true", "i do not think") if denied else ("it is quite true", "i do think"))
    return f"{truth} that the {s.pick(s.topic.nouns)} was {adjective}"


def _as_expected(s: _Speech, positive: bool) -> str:
    denied, adjective = s.denies(positive)
    degree = "not as" if denied else s.pick(("just as", "exactly as"))
    return f"the {s.pick(s.topic.nouns)} was {degree} {adjective} as {s.pick(SPEAKERS)} expected"


def _neither(s: _Speech, positive: bool) -> str:
    denied = s.chance()
    first, second = s.two(s.topic.good if positive is not denied else s.topic.bad)
    both = f"neither {first} nor {second}" if denied else f"both {first} and {second}"
    return f"the {s.pick(s.topic.nouns)} {s.be} {both}"


def _spoiled(s: _Speech, positive: bool) -> str:
    """ "the gloomy weather hardly spoiled the lovely trip", "the good acting really saved the dull film" """
    saved = s.chance()
    effect = f"{s.pick(VERBS if saved is positive else DENIED_VERBS)} {'saved' if saved else 'spoiled'}"
    return f"the {s.adjective(saved)} {s.pick(s.topic.parts)} {effect} the {s.adjective(not saved)} {s.whole}"


def _should(s: _Speech, positive: bool) -> str:
    denied = s.chance()
    action = s.topic.seek if positive is not denied else s.topic.shun
    if s.chance():
        return f"{'nobody' if denied else 'everybody'} should {action} this {s.whole}"
    return f"{s.pick(SPEAKERS)} would {'never' if denied else 'always'} {action} this {s.whole}"


def _liked(s: _Speech, positive: bool) -> str:
    denied = s.chance()
    verb = "liked" if positive is not denied else "disliked"
    return f"{s.pick(NONE if denied else ALL)} {verb} the {s.pick(s.topic.nouns)}"


# Those that can say most come up more often; the shortest would soon repeat themselves.
_WORDINGS: dict[Callable[[_Speech, bool], str], int] = {
    _plain: 12, _and: 8, _but: 16, _although: 12, _despite: 6, _not_but: 6, _expected: 6, _went: 6, _found: 6,
    _thought: 6, _true: 5, _as_expected: 5, _neither: 5, _spoiled: 6, _should: 5, _liked: 3,
}  # fmt: skip
_CHOICES = tuple(wording for wording, share in _WORDINGS.items() for _ in range(share))


def _article(adjective: str) -> str:
    return "an" if adjective[0] in "aeio" or adjective.startswith("un") else "a"  # a useful one, an unpleasant one


def sentence(rng: np.random.Generator) -> Sentence:
    """A sentence of 3 to 13 words, positive or negative with the same probability."""
    positive = bool(rng.integers(2))
    wording = _CHOICES[int(rng.integers(len(_CHOICES)))]
    return Sentence(tuple(wording(_Speech(rng), positive).split()), int(positive))


@lru_cache(maxsize=2)
def sentences(part: Part) -> tuple[Sentence, ...]:
    """The distinct sentences of a part, always the same; a tenth is held out for validation, by a hash of its words.

    Raises:
        ConfigError: there is no part of this name.
    """
    if part not in ("train", "validation"):
        raise ConfigError(f"The parts of the sentences are train and validation, not {part!r}.")
    return tuple(s for s in _drawn() if is_held_out(s.text) is (part == "validation"))


@lru_cache(maxsize=1)
def _drawn() -> tuple[Sentence, ...]:
    rng = np.random.default_rng(0)
    return tuple(dict.fromkeys(sentence(rng) for _ in range(DRAWN)))


@lru_cache(maxsize=1)
def vocabulary() -> tuple[str, ...]:
    """Padding, the unknown word, then the words of the training sentences in alphabetical order."""
    return (PADDING, UNKNOWN, *sorted({word for s in sentences("train") for word in s.words}))


def arrays(chosen: Iterable[Sentence]) -> Arrays:
    """These sentences as arrays as wide as the longest."""
    known = {word: i for i, word in enumerate(vocabulary())}
    rows = list(chosen)
    values, lengths = padded([[known.get(word, UNKNOWN_INDEX) for word in s.words] for s in rows])
    return Arrays(values, lengths, np.array([s.label for s in rows], np.int64))


@lru_cache(maxsize=2)
def part_arrays(part: Part) -> Arrays:
    """All sentences of a part; read-only arrays."""
    return Arrays(*map(read_only, arrays(sentences(part))))


def batch(seed: int, step: int, count: int, unknown_nouns: float = 0.0) -> Arrays:
    """The training sentences of one step, all of them once before any again.

    Args:
        unknown_nouns: the share of nouns that are read as the unknown word, drawn anew each time. A noun says nothing
            about the label, and so the network learns what to make of the nouns that people bring along.
    """
    everything = part_arrays("train")
    chosen = indices(len(everything.labels), seed, step, count)
    lengths = everything.lengths[chosen]
    values = everything.indices[chosen, : lengths.max()]
    if unknown_nouns:
        hidden = np.random.default_rng([seed, step]).random(values.shape) < unknown_nouns
        values[hidden & np.isin(values, _noun_indices())] = UNKNOWN_INDEX
    return Arrays(values, lengths, everything.labels[chosen])


@lru_cache(maxsize=1)
def _noun_indices() -> Integers:
    nouns = {noun for topic in TOPICS for noun in topic.nouns}
    return read_only(np.array([i for i, word in enumerate(vocabulary()) if word in nouns], np.int64))


_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")


def parse(text: str, words: Sequence[str]) -> Parsed:
    """The words of a typed sentence and their indices in the vocabulary `words`.

    Raises:
        InputError: there is no word, none that the vocabulary holds, or more than 60.
    """
    plain = text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    found = tuple(_WORD.findall(re.sub(r"n't\b", " not", plain)))
    if not found:
        raise InputError("The sentence has no words: type one, such as: the plot was dull but the ending was clever.")
    if len(found) > MAX_WORDS:
        raise InputError(f"The sentence has {len(found):,} words: use at most {MAX_WORDS}.")
    known = {word: i for i, word in enumerate(words) if word not in (PADDING, UNKNOWN)}
    unknown = tuple(dict.fromkeys(word for word in found if word not in known))
    if len(unknown) == len(set(found)):
        raise InputError(f"The network knows none of these words ({_listed(unknown)}): use some that it has read.")
    return Parsed(found, np.array([known.get(word, UNKNOWN_INDEX) for word in found], np.int64), unknown)


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words[:8]) + (" and more" if len(words) > 8 else "")


@lru_cache(maxsize=1)
def bag_of_words_baseline() -> float:
    """The share of validation sentences that logistic regression on word counts gets right, trained on the others."""
    train, validation = part_arrays("train"), part_arrays("validation")
    weights = logistic_regression(_counts(train), train.labels)
    guesses = _with_one(_counts(validation)) @ weights > 0
    return float((guesses == validation.labels).mean())


def logistic_regression(features: Integers, labels: Integers) -> NDArray[np.float64]:
    """Weights (F + 1,), the intercept last, by Newton's method: the label is 1 where features @ weights > 0.

    With an L2 penalty of half the weights' square, as scikit-learn's has it; importing that takes 160 MB of a server.

    Args:
        features: (N, F). labels: 0 or 1, (N,).
    """
    x = _with_one(features)
    penalty = np.diag([*np.ones(x.shape[1] - 1), 1e-9])
    weights = np.zeros(x.shape[1])
    for _ in range(NEWTON_STEPS):
        p = 1 / (1 + np.exp(-x @ weights))
        gradient = x.T @ (p - labels) + penalty @ weights
        weights -= np.linalg.solve((x.T * (p * (1 - p))) @ x + penalty, gradient)
    return weights


def _with_one(features: Integers) -> NDArray[np.float64]:
    return np.column_stack([features, np.ones(len(features))]).astype(np.float64)


def _counts(data: Arrays) -> Integers:
    """How often each word of the vocabulary occurs in each sentence, (N, V), without the padding."""
    counts = np.zeros((len(data.labels), len(vocabulary())), np.int64)
    np.add.at(counts, (np.arange(len(counts))[:, None], data.indices), 1)
    counts[:, 0] = 0
    return counts

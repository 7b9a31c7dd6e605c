"""How much texts differ from each other: what sampling gives and always taking the best does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

GRAM = 4  # characters


@dataclass(frozen=True)
class Diversity:
    """Several texts of the same model and prime.

    Attributes:
        texts: how many there are.
        different: how many of them are no copy of another.
        distinct: different 4-grams as a share of all of them (distinct-n of Li et al. 2016, "A Diversity-Promoting
            Objective Function for Neural Conversation Models", over characters); 0 where no text has one.
        shared: characters that all of them have in common at their beginning.
    """

    texts: int
    different: int
    distinct: float
    shared: int


def diversity(texts: Sequence[str]) -> Diversity:
    """Counts it. No texts at all are as diverse as one empty one."""
    grams = [text[i : i + GRAM] for text in texts for i in range(len(text) - GRAM + 1)]
    distinct = len(set(grams)) / len(grams) if grams else 0.0
    return Diversity(len(texts), len(set(texts)), distinct, _shared(texts))


def _shared(texts: Sequence[str]) -> int:
    first, last = min(texts, default=""), max(texts, default="")  # what these have in common, all have
    return next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))

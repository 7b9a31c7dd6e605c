"""A task from what a person chose, or from what a checkpoint says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from rnn.catalogue import TASKS
from rnn.config import TaskConfig
from rnn.corpora import Text
from rnn.errors import TextError
from rnn.tasks import Task
from rnn.tasks.blanks import FillBlank
from rnn.tasks.digits import Digit, DigitName, DigitRows
from rnn.tasks.next_character import NextCharacter, describe
from rnn.tasks.sentiment import Sentiment
from rnn.tasks.translation import NumberNames
from rnn.tasks.videos import Caption, Frames
from rnn.vocabulary import Vocabulary

OWN_DATA: dict[str, Callable[[TaskConfig], Task]] = {
    "digit": Digit,
    "digit-name": DigitName,
    "digit-rows": DigitRows,
    "sentiment": Sentiment,
    "frames": Frames,
    "number-names": NumberNames,
    "caption": Caption,
}


def make(config: TaskConfig, text: Text | None = None, max_vocabulary: int | None = None) -> Task:
    """The task of learning this; characters of the text beyond the cap become the visible unknown one.

    Raises:
        TextError: it is learned from a text, and there is none.
    """
    if not TASKS[config.kind].needs_text:
        return OWN_DATA[config.kind](config)
    if text is None:
        raise TextError(f"A model that {TASKS[config.kind].does} learns it from a text. Choose one.")
    vocabulary = Vocabulary.from_text(text.content, max_vocabulary)
    return of_text(config, vocabulary, vocabulary.encode(text.content, "replace"), describe(text))


def of_text(
    config: TaskConfig, vocabulary: Vocabulary, encoded: NDArray[Any] | None, text: dict[str, Any]
) -> NextCharacter | FillBlank:
    """A task that reads a text, of which only the vocabulary may be here."""
    if config.kind == "fill-blank":
        return FillBlank(config, vocabulary, encoded, text)
    return NextCharacter(vocabulary, encoded, text)

"""Everything that can go wrong by what a person typed, uploaded or linked to.

The message of each of these is one or two plain sentences: what was wrong, and what to do about it. Pages and
the command line show it as it is; anything else that escapes is a bug.
"""

from __future__ import annotations


class PlaygroundError(Exception):
    """Base class: its message can be shown to the person who caused it."""


class ConfigError(PlaygroundError, ValueError):
    """A setting is out of bounds or of the wrong type. The message names the field."""


class TextError(PlaygroundError, ValueError):
    """A text cannot be used for training: empty, not text, too large, not to be had."""


class UnknownCharacterError(PlaygroundError, ValueError):
    """Characters that the vocabulary does not hold.

    Attributes:
        positions: index in the text of every unknown character.
        characters: the distinct unknown characters, in order of appearance.
    """

    def __init__(self, message: str, positions: list[int], characters: list[str]) -> None:
        super().__init__(message)
        self.positions = positions
        self.characters = characters


class InputError(PlaygroundError, ValueError):
    """What was given to a network to read is not what it reads: an image, a sentence, a number."""


class CheckpointError(PlaygroundError, ValueError):
    """A checkpoint file cannot be read, does not fit, or cannot be written."""


class TrainingError(PlaygroundError, RuntimeError):
    """Training cannot start or go on in this state."""


class StoreError(PlaygroundError, RuntimeError):
    """The run store cannot be opened, read or written, or does not allow what was asked."""


class NoSuchRunError(StoreError):
    """There is no run with this id."""


class BusyError(PlaygroundError, TimeoutError):
    """The torch thread did not come to a computation in time."""


class LessonError(PlaygroundError, ValueError):
    """A lesson or the glossary cannot be read. The message names the file and the place in it."""

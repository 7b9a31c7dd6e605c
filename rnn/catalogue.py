"""What the models of the playground can learn: of each task its shape, its preset, and the parameters it needs.

No torch: lists, forms and checkpoint files need no more than this. `rnn.tasks` holds the tasks themselves.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace

from rnn.config import ModelConfig, TaskConfig, TrainConfig
from rnn.data import sentences
from rnn.data.digits import LETTERS, NAMES, SIDE
from rnn.data.frames import WORDS
from rnn.data.numbers import SYMBOLS
from rnn.errors import ConfigError
from rnn.network_shapes import (
    Shapes,
    blank_filler_shapes,
    encoder_decoder_shapes,
    image_decoder_shapes,
    plain_classifier_shapes,
    sequence_classifier_shapes,
)
from rnn.topology import SequenceShape as SequenceShape

PIXELS = SIDE * SIDE


@dataclass(frozen=True)
class TaskInfo:
    """A task as it is listed.

    Attributes:
        title: its name in lists.
        shape: of its sequences.
        description: what is read and what is answered, in a sentence.
        does: what a model of it does, to go on after "This model".
        data: what the data is called where a text would have its name; "" where the task reads a text.
        score: what its accuracy counts.
        task, model, train: a preset that learns it here.
    """

    title: str
    shape: SequenceShape
    description: str
    does: str
    data: str
    score: str
    task: TaskConfig
    model: ModelConfig
    train: TrainConfig

    def training(self, variant: str) -> TrainConfig:
        """The preset's, with the steps that this form of the task takes."""
        return replace(self.train, steps=STEPS.get((self.task.kind, variant), self.train.steps))

    @property
    def needs_text(self) -> bool:
        """Whether it is learned from a text of one's choice."""
        return not self.data


STEPS = {("frames", "sum"): 4000, ("number-names", "large"): 3000}  # of the harder forms

# Small networks on short sequences: a rate that falls to its end, and no more weight decay than usual.
_TRAIN = TrainConfig(batch_size=64, steps=1000, learning_rate=5e-3, warmup_steps=20, evaluate_every=50)

TASKS: dict[str, TaskInfo] = {
    "next-character": TaskInfo(
        "Next character",
        SequenceShape.MANY_TO_MANY,
        "Reads a text and says at every character which one follows.",
        "predicts the next character",
        "",
        "characters",
        TaskConfig(),
        ModelConfig(cell="lstm", hidden_size=192, embedding_size=64),
        TrainConfig(),
    ),
    "digit": TaskInfo(
        "Digit",
        SequenceShape.ONE_TO_ONE,
        "Sees an image of a handwritten digit at once and names the digit. No recurrence: what the others add to.",
        "names digits",
        "handwritten digits",
        "images",
        TaskConfig("digit"),
        ModelConfig(cell="rnn", hidden_size=256, dropout=0.3, nonlinearity="relu"),
        replace(_TRAIN, steps=2000),
    ),
    "digit-name": TaskInfo(
        "Digit to word",
        SequenceShape.ONE_TO_MANY,
        "Sees an image of a handwritten digit and spells its name, letter by letter.",
        "spells digits",
        "handwritten digits and their names",
        "whole words",
        TaskConfig("digit-name"),
        ModelConfig(cell="gru", hidden_size=128, embedding_size=16, dropout=0.2),
        _TRAIN,
    ),
    "digit-rows": TaskInfo(
        "Digit, row by row",
        SequenceShape.MANY_TO_ONE,
        "Reads an image of a handwritten digit as a sequence of eight rows and then names the digit.",
        "names digits that it reads row by row",
        "handwritten digits, row by row",
        "images",
        TaskConfig("digit-rows"),
        ModelConfig(cell="gru", hidden_size=96),
        _TRAIN,
    ),
    "sentiment": TaskInfo(
        "Sentiment",
        SequenceShape.MANY_TO_ONE,
        "Reads a sentence word by word and then says how likely it is to be positive.",
        "judges whether a sentence is positive",
        "sentences of praise and blame",
        "sentences",
        TaskConfig("sentiment"),
        ModelConfig(cell="gru", hidden_size=64, embedding_size=32),
        replace(_TRAIN, steps=400),
    ),
    "frames": TaskInfo(
        "Label every frame",
        SequenceShape.MANY_TO_MANY,
        "Watches a video of digits and says at every frame the largest digit so far (or the sum, without its tens).",
        "labels the frames of a video of digits",
        "videos of digits",
        "frames",
        TaskConfig("frames"),
        ModelConfig(cell="lstm", hidden_size=96, num_layers=2, dropout=0.3),
        replace(_TRAIN, steps=1500, learning_rate=1e-2, warmup_steps=50, weight_decay=0.2),
    ),
    "number-names": TaskInfo(
        "English to French",
        SequenceShape.DELAYED,
        "Reads the English name of a number to its end and then writes the French one.",
        "translates the names of numbers",
        "English and French names of numbers",
        "whole names",
        TaskConfig("number-names"),
        ModelConfig(cell="lstm", hidden_size=144, embedding_size=48),
        replace(_TRAIN, batch_size=32, warmup_steps=50, evaluate_every=100),
    ),
    "caption": TaskInfo(
        "Caption a video",
        SequenceShape.DELAYED,
        "Watches a video of digits to its end and then names them in their order.",
        "captions videos of digits",
        "videos of digits and their captions",
        "whole captions",
        TaskConfig("caption", decoder_num_layers=1),
        ModelConfig(cell="lstm", hidden_size=104, num_layers=2, embedding_size=32, dropout=0.1),
        replace(_TRAIN, steps=3000, learning_rate=1e-2, warmup_steps=50, evaluate_every=100),
    ),
    "fill-blank": TaskInfo(
        "Fill in the blank",
        SequenceShape.MANY_TO_ONE,
        "Reads a piece of text from both sides and names the character behind the blank.",
        "fills blanks in a text",
        "",
        "blanks",
        TaskConfig("fill-blank"),
        ModelConfig(cell="gru", hidden_size=96, embedding_size=32, bidirectional=True),
        replace(_TRAIN, steps=2000),
    ),
}


def symbols(task: TaskConfig) -> tuple[str, ...]:
    """What the indices of the task's own data stand for, in their order: letters or words; () where it has none."""
    match task.kind:
        case "sentiment":
            return sentences.vocabulary()
        case "digit-name":
            return LETTERS.names
        case "caption":
            return WORDS.names
        case "number-names":
            return (*SYMBOLS["en"].names, *SYMBOLS["fr"].names)
        case _:
            return ()


def fingerprint(task: TaskConfig) -> str:
    """A hash of `symbols`, by which a file of another version is known: its indices would mean other words."""
    return hashlib.sha256("\0".join(symbols(task)).encode()).hexdigest()[:16]


def check(task: TaskConfig, model: ModelConfig) -> None:
    """Raises ConfigError where this model cannot learn this task."""
    if model.bidirectional and task.kind in ("next-character", "digit", "digit-name"):
        raise ConfigError(
            {
                "next-character": "bidirectional must be false for next-character prediction: the second direction "
                "reads from the end, so it would see the very characters that are to be predicted.",
                "digit": "bidirectional must be false for digit: it reads no sequence.",
                "digit-name": "bidirectional must be false for digit-name: it would read what is still to be written.",
            }[task.kind]
        )
    if task.kind == "digit" and model.num_layers > 1:
        raise ConfigError("num_layers must be 1 for digit: it is a network of one hidden layer, without recurrence.")
    if task.kind == "fill-blank" and model.bidirectional != (task.variant != "left"):
        raise ConfigError(
            "bidirectional must be true for fill-blank, and false for its variant left, which reads one side only."
        )


def parameter_count(task: TaskConfig, model: ModelConfig, vocabulary_size: int = 0) -> int:
    """How many numbers the network that learns this task learns; see `parameter_shapes`."""
    return sum(math.prod(shape) for shape in parameter_shapes(task, model, vocabulary_size).values())


def parameter_shapes(task: TaskConfig, model: ModelConfig, vocabulary_size: int = 0) -> Shapes:
    """Name -> shape of every parameter of the network that learns this task, in the order of its state dict.

    Args:
        vocabulary_size: V of the text, where the task reads one.

    Raises:
        ConfigError: this model cannot learn this task.
    """
    check(task, model)
    decoder = task.decoder(model)
    match task.kind:
        case "digit":
            return plain_classifier_shapes(model, PIXELS, len(NAMES))
        case "digit-name":
            return image_decoder_shapes(model, PIXELS, len(LETTERS))
        case "digit-rows":
            return sequence_classifier_shapes(model, SIDE, len(NAMES))
        case "sentiment":
            return sequence_classifier_shapes(model, len(sentences.vocabulary()), 2, "symbols")
        case "frames":
            return sequence_classifier_shapes(model, PIXELS, len(NAMES))
        case "number-names":
            return encoder_decoder_shapes(model, decoder, len(SYMBOLS["en"]), len(SYMBOLS["fr"]))
        case "caption":
            return encoder_decoder_shapes(model, decoder, PIXELS, len(WORDS), "vectors")
        case "fill-blank":
            return blank_filler_shapes(model, vocabulary_size, left_only=task.variant == "left")
        case _:
            return model.parameter_shapes(vocabulary_size)

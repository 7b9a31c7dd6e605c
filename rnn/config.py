"""Every choice a person can make, as frozen dataclasses: what the model is, what it learns, how it trains and samples.

A field's help text is the one source for the command line, the pages and this file's reader; its bounds are checked
when the object is made, wherever the values came from (a widget, a URL, a file, a checkpoint).
"""

from __future__ import annotations

import dataclasses
import math
import operator
from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from rnn.errors import ConfigError

CELLS = ("rnn", "gru", "lstm")
NONLINEARITIES = ("tanh", "relu", "sigmoid")
TRUNCATIONS = ("carry", "reset", "full")
OPTIMIZERS = ("adamw", "adam", "rmsprop", "adagrad", "sgd")
OPTIMIZER_NAMES = {"adamw": "AdamW", "adam": "Adam", "rmsprop": "RMSprop", "adagrad": "Adagrad", "sgd": "SGD"}
# Each rule's usual rate: the largest of a few tried before the vanilla preset, more delicate than gated cells, learned
# worse. How long a useful step is depends on the rule more than on the model. The numbers are in docs/decisions.md.
USUAL_RATES = {"adamw": 8e-3, "adam": 8e-3, "rmsprop": 5e-3, "adagrad": 0.1, "sgd": 0.5}
USUAL_MOMENTUM = 0.9  # with which sgd's was found
# What a model can learn, and the other forms of it; `rnn.catalogue` says what each is.
VARIANTS: dict[str, tuple[str, ...]] = {
    "next-character": ("",),
    "digit": ("",),
    "digit-name": ("",),
    "digit-rows": ("",),
    "sentiment": ("",),
    "frames": ("", "sum"),
    "number-names": ("", "large"),
    "caption": ("",),
    "fill-blank": ("", "left"),
}
KINDS = tuple(VARIANTS)
WITH_DECODER = ("number-names", "caption")  # an encoder and a decoder, which need not be alike
WRITERS = ("digit-name", *WITH_DECODER)  # write a sequence, and read what they have written
WITH_LENGTH = ("frames", "fill-blank")
DECAYS = ("linear", "cosine", "none")
CLIPS = ("norm", "value", "off")
PRECISIONS = ("auto", "float32", "bfloat16")
DEVICES = ("auto", "cpu", "cuda")

LIMITS: dict[str, tuple[Callable[[float, float], bool], str]] = {
    "low": (operator.ge, "at least"),
    "high": (operator.le, "at most"),
    "above": (operator.gt, "greater than"),
    "below": (operator.lt, "less than"),
}


def setting(
    default: Any,
    help: str,
    *,
    low: float | None = None,
    high: float | None = None,
    above: float | None = None,
    below: float | None = None,
    choices: tuple[str, ...] | None = None,
) -> Any:
    """A dataclass field with its one-line help and its bounds (`low <= x <= high`, `above < x < below`)."""
    bounds = {"help": help, "low": low, "high": high, "above": above, "below": below, "choices": choices}
    return field(default=default, metadata=bounds)


@dataclass(frozen=True)
class _Settings:
    """Checks each field against its annotation and bounds; goes to JSON and back."""

    def __post_init__(self) -> None:
        for f in dataclasses.fields(self):
            _check(f, getattr(self, f.name))

    def to_json(self) -> dict[str, Any]:
        """The settings as a plain dictionary of JSON values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`. Fields left out take their defaults.

        Raises:
            ConfigError: `values` is no mapping, has a field that is not known, or a value that is out of bounds.
        """
        if not isinstance(values, Mapping):
            raise ConfigError(f"{cls.__name__} needs named settings, not {shown(values)}.")
        known = {f.name for f in dataclasses.fields(cls)}
        unknown = [str(name) for name in values if name not in known]
        if unknown:
            raise ConfigError(
                f"{cls.__name__} has no setting named {shown(unknown[0])}; it has {', '.join(sorted(known))}."
            )
        return cls(**values)


def help_for(settings: type[_Settings], name: str) -> str:
    """The one-line help of a field: `help_for(TrainConfig, "batch_size")`."""
    return str(_field(settings, name).metadata["help"])


def bounds_for(settings: type[_Settings], name: str) -> tuple[float | None, float | None]:
    """The smallest and largest value of a numeric field, None where it is open or excluded."""
    metadata = _field(settings, name).metadata
    return metadata["low"], metadata["high"]


def _field(settings: type[_Settings], name: str) -> dataclasses.Field[Any]:
    return next(f for f in dataclasses.fields(settings) if f.name == name)


def shown(value: object) -> str:
    """`value` as it is shown inside a message: never longer than a line."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # thousands of digits, or lists a thousand deep: Python does not print them
        text = f"this {type(value).__name__}"
    return text if len(text) <= 60 else text[:57] + "..."


def _check(f: dataclasses.Field[Any], value: Any) -> None:
    kind = str(f.type)
    if value is None and kind.endswith("| None"):
        return
    kind = kind.removesuffix(" | None")
    accepted: dict[str, tuple[str, tuple[type, ...]]] = {
        "int": ("a whole number", (int,)),
        "float": ("a number", (int, float)),
        "bool": ("true or false", (bool,)),
        "str": ("text", (str,)),
    }
    wanted, types = accepted[kind]
    is_accepted = isinstance(value, types) and (kind == "bool" or not isinstance(value, bool))
    if not is_accepted:
        raise ConfigError(f"{f.name} must be {wanted}, not {shown(value)}.")
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"{f.name} must be a finite number, not {value}.")
    if f.metadata["choices"] and value not in f.metadata["choices"]:
        raise ConfigError(f"{f.name} must be one of {', '.join(f.metadata['choices'])}, not {shown(value)}.")
    for limit, (holds, words) in LIMITS.items():
        bound = f.metadata[limit]
        if bound is not None and not holds(value, bound):
            raise ConfigError(f"{f.name} must be {words} {bound:g}, not {shown(value)}.")


@dataclass(frozen=True)
class ModelConfig(_Settings):
    """What the network is. The names are those of torch.nn.RNN, GRU and LSTM."""

    cell: str = setting("lstm", "The step function: rnn (one tanh), gru or lstm (gated).", choices=CELLS)
    hidden_size: int = setting(128, "H: numbers in the hidden state of one layer.", low=1, high=2048)
    num_layers: int = setting(1, "Layers stacked on each other; each reads the states of the one below.", low=1, high=4)
    dropout: float = setting(
        0.0,
        "Share of what each layer passes on, to the next one or to the output, that is zeroed in training.",
        low=0,
        below=1,
    )
    embedding_size: int = setting(
        0,
        "Length of a learned vector per character; 0 feeds the character one-hot, as in the equations.",
        low=0,
        high=1024,
    )
    nonlinearity: str = setting("tanh", "The squashing function of the rnn cell.", choices=NONLINEARITIES)
    bias: bool = setting(True, "Whether the cells and the output have bias vectors.")
    bidirectional: bool = setting(False, "A second network reads the sequence from its end; outputs use both.")

    @property
    def directions(self) -> int:
        """2 for a bidirectional network, else 1."""
        return 2 if self.bidirectional else 1

    @property
    def gates(self) -> int:
        """Blocks of H rows in each weight matrix: 1 (rnn), 3 (gru: r, z, n) or 4 (lstm: i, f, g, o)."""
        return {"rnn": 1, "gru": 3, "lstm": 4}[self.cell]

    def recurrent_shapes(self, input_size: int) -> dict[str, tuple[int, ...]]:
        """Name -> shape of the recurrent layers' parameters, as torch.nn.RNN, GRU and LSTM name them."""
        rows = self.gates * self.hidden_size
        shapes: dict[str, tuple[int, ...]] = {}
        for layer in range(self.num_layers):
            width = input_size if layer == 0 else self.directions * self.hidden_size
            for suffix in ("", "_reverse")[: self.directions]:
                shapes[f"weight_ih_l{layer}{suffix}"] = (rows, width)
                shapes[f"weight_hh_l{layer}{suffix}"] = (rows, self.hidden_size)
                if self.bias:
                    shapes[f"bias_ih_l{layer}{suffix}"] = (rows,)
                    shapes[f"bias_hh_l{layer}{suffix}"] = (rows,)
        return shapes

    def parameter_shapes(self, vocabulary_size: int) -> dict[str, tuple[int, ...]]:
        """Name -> shape of every parameter of the character model, in the order of its state dict.

        Two LSTM layers of 128 on 65 one-hot characters have 240,321 numbers, char-rnn's count.
        """
        shapes: dict[str, tuple[int, ...]] = {}
        if self.embedding_size:
            shapes["embedding.weight"] = (vocabulary_size, self.embedding_size)
        for name, shape in self.recurrent_shapes(self.embedding_size or vocabulary_size).items():
            shapes[f"recurrent.{name}"] = shape
        shapes["head.weight"] = (vocabulary_size, self.directions * self.hidden_size)
        if self.bias:
            shapes["head.bias"] = (vocabulary_size,)
        return shapes

    def parameter_count(self, vocabulary_size: int) -> int:
        """How many numbers the character model learns."""
        return sum(math.prod(shape) for shape in self.parameter_shapes(vocabulary_size).values())

    def sized_for(self, parameters: int, vocabulary_size: int) -> Self:
        """The same model with the hidden size whose `parameter_count` comes closest (the smaller of two as close).

        Raises:
            ConfigError: even the smallest hidden size has more parameters, or the largest one fewer.
        """

        def count(size: int) -> int:
            return replace(self, hidden_size=size).parameter_count(vocabulary_size)

        low, high = (int(bound or 1) for bound in bounds_for(ModelConfig, "hidden_size"))
        if not count(low) <= parameters <= count(high):
            raise ConfigError(
                f"With the other settings as they are, this {self.cell} can have {count(low):,} parameters "
                f"(hidden_size {low}) to {count(high):,} (hidden_size {high}), not {shown(parameters)}."
            )
        above = bisect_left(range(high), parameters, lo=low, key=count)  # the smallest size with at least so many
        nearest = min({max(low, above - 1), above}, key=lambda size: (abs(count(size) - parameters), size))
        return replace(self, hidden_size=nearest)


@dataclass(frozen=True)
class TaskConfig(_Settings):
    """What is learned. The settings of an encoder are the `ModelConfig`'s; the decoder has those of its own here."""

    kind: str = setting("next-character", "What the model learns.", choices=KINDS)
    variant: str = setting(
        "", "Another form of it: sum (frames), large (number-names), left (fill-blank: reads the left side only)."
    )
    decoder_cell: str | None = setting(None, "The decoder's cell; none given, the encoder's.", choices=CELLS)
    decoder_hidden_size: int | None = setting(
        None, "The decoder's hidden size; none given, the encoder's.", low=1, high=2048
    )
    decoder_num_layers: int | None = setting(None, "The decoder's layers; none given, the encoder's.", low=1, high=4)
    teacher_forcing: float = setting(
        1.0,
        "Share of its steps at which a decoder reads the right symbol in training, and not the one it wrote itself.",
        low=0,
        high=1,
    )
    reverse_input: bool = setting(
        False, "Whether an encoder reads from the end, so that what is written first was read last."
    )
    length: int | None = setting(
        None, "Frames of a video, or characters of a window with a blank; none given, the usual.", low=2, high=200
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.variant not in VARIANTS[self.kind]:
            known = ", ".join(shown(variant) for variant in VARIANTS[self.kind])
            raise ConfigError(f"variant must be one of {known} for {self.kind}, not {shown(self.variant)}.")
        for names, kinds in (
            (("decoder_cell", "decoder_hidden_size", "decoder_num_layers", "reverse_input"), WITH_DECODER),
            (("teacher_forcing",), WRITERS),
            (("length",), WITH_LENGTH),
        ):
            for name in names:
                if self.kind not in kinds and getattr(self, name) != _field(TaskConfig, name).default:
                    raise ConfigError(f"{name} is a setting of {', '.join(kinds)}, not of {self.kind}.")

    def decoder(self, encoder: ModelConfig) -> ModelConfig:
        """The decoder that goes with this encoder; it reads in one direction, what it has written."""
        return replace(
            encoder,
            cell=self.decoder_cell or encoder.cell,
            hidden_size=self.decoder_hidden_size or encoder.hidden_size,
            num_layers=self.decoder_num_layers or encoder.num_layers,
            bidirectional=False,
        )


@dataclass(frozen=True)
class TrainConfig(_Settings):
    """How the network is trained. Losses are in nats per character, rates per optimizer step."""

    batch_size: int = setting(32, "B: streams of the text that are read in parallel.", low=1, high=1024)
    bptt_steps: int = setting(48, "T: characters the gradient flows back through before it is cut.", low=1, high=10_000)
    truncation: str = setting(
        "carry",
        "What crosses from chunk to chunk: carry keeps the state and cuts the gradient, reset starts from zeros, "
        "full lets the gradient run through the whole stream.",
        choices=TRUNCATIONS,
    )
    steps: int = setting(
        500, "Optimizer steps: the horizon of the learning-rate schedule and the stop.", low=1, high=10_000_000
    )
    optimizer: str = setting("adamw", "The rule that turns gradients into steps.", choices=OPTIMIZERS)
    learning_rate: float = setting(8e-3, "Step size after the warm-up.", above=0, high=100)
    warmup_steps: int = setting(50, "Steps over which the rate rises from 0.", low=0, high=100_000)
    decay: str = setting("linear", "How the rate falls from the warm-up to the last step.", choices=DECAYS)
    final_rate: float = setting(0.05, "Rate at and after the last step, as a share of the full rate.", low=0, high=1)
    beta1: float = setting(0.9, "Memory of the mean gradient (adamw, adam) or the momentum (sgd).", low=0, below=1)
    beta2: float = setting(0.99, "Memory of the mean squared gradient (adamw, adam, rmsprop).", low=0, below=1)
    weight_decay: float = setting(
        0.01, "Shrinks each weight matrix by this times the rate at each step (adamw).", low=0, high=10
    )
    clip: str = setting("norm", "Limits the gradient: its norm as a whole, each value alone, or not.", choices=CLIPS)
    clip_norm: float = setting(1.0, "The limit for the gradient's norm (or value).", above=0, high=1e6)
    validation_fraction: float = setting(
        0.1, "Share of the text, at its end, that is kept for validation.", low=0, high=0.5
    )
    evaluate_every: int = setting(50, "Steps between two validation losses.", low=1, high=1_000_000)
    evaluation_chars: int = setting(
        20_000,
        "Validation characters read for a live validation loss (the first ones of the part).",
        low=2,
        high=100_000_000,
    )
    max_vocabulary: int | None = setting(
        None, "Keep only so many characters, the most frequent; the others share the unknown one.", low=2, high=65_535
    )
    minutes: float | None = setting(None, "Stop after this many minutes of training.", above=0, high=100_000)
    target_loss: float | None = setting(
        None, "Stop when the validation loss is at or below this (nats).", low=0, high=100
    )
    patience: int | None = setting(
        None, "Stop after this many validation losses without a new best.", low=1, high=100_000
    )
    seed: int = setting(0, "Draws the first weights and the dropout masks; same seed, same run.", low=0, high=2**63 - 1)
    precision: str = setting(
        "auto",
        "Number format of the matrix products; auto takes bfloat16 where this machine is faster with it.",
        choices=PRECISIONS,
    )
    device: str = setting("auto", "Where it trains; auto is CUDA when there is one, else the CPU.", choices=DEVICES)

    @property
    def usual_rate(self) -> float:
        """The learning rate that this optimizer usually takes; sgd's steps add up to 1 / (1 - momentum) of its rate."""
        usual = USUAL_RATES[self.optimizer]
        return usual * (1 - self.beta1) / (1 - USUAL_MOMENTUM) if self.optimizer == "sgd" else usual


@dataclass(frozen=True)
class SampleConfig(_Settings):
    """How text is drawn from a trained model."""

    prime: str = setting("", "Text the model reads first; its state then starts the sample.")
    length: int = setting(200, "Characters to draw.", low=0, high=1_000_000)
    temperature: float = setting(
        0.8, "Divides the logits: below 1 safer, above 1 wilder; 0 always takes the likeliest.", low=0, high=100
    )
    top_k: int | None = setting(None, "Draw from the k likeliest characters only.", low=1, high=1_000_000)
    top_p: float | None = setting(
        None, "Draw from the fewest characters whose probabilities reach this sum.", above=0, high=1
    )
    seed: int = setting(0, "Same seed, same text.", low=0, high=2**63 - 1)
    stop: str | None = setting(None, "End the sample when this text has appeared.")


@dataclass(frozen=True)
class Preset:
    """A model and a training that go together."""

    title: str
    description: str
    model: ModelConfig
    train: TrainConfig


PRESETS: dict[str, Preset] = {
    "default": Preset(
        "Recommended",
        "One LSTM layer with a learned embedding: readable text within seconds on a laptop.",
        ModelConfig(cell="lstm", hidden_size=192, embedding_size=64),
        TrainConfig(),
    ),
    "classic": Preset(
        "Classic char-rnn",
        "Two LSTM layers of 128 on one-hot characters, trained as char-rnn did in 2015.",
        ModelConfig(cell="lstm", hidden_size=128, num_layers=2),
        TrainConfig(
            batch_size=50,
            bptt_steps=50,
            optimizer="rmsprop",
            learning_rate=2e-3,
            beta2=0.95,
            warmup_steps=0,
            decay="none",
            clip="value",
            clip_norm=5.0,
            steps=1000,
        ),
    ),
    "vanilla": Preset(
        "Vanilla RNN",
        "The three matrices of the lecture and one tanh: fast, simple, and short of memory.",
        ModelConfig(cell="rnn", hidden_size=192),
        TrainConfig(learning_rate=2e-3),
    ),
    "quality": Preset(
        "Best text",
        "A wide GRU for several minutes of training: the lowest loss, when there is time.",
        ModelConfig(cell="gru", hidden_size=512, embedding_size=128, dropout=0.2),
        TrainConfig(bptt_steps=64, learning_rate=6e-3, weight_decay=0.15, steps=1500, evaluate_every=100),
    ),
}

"""The parameters of the networks of `rnn.networks`, by name and shape, known before one is built.

A checkpoint is held against these before any tensor is made; tests hold them against the networks' state dicts.
"""

from __future__ import annotations

from dataclasses import replace

from rnn.config import ModelConfig
from rnn.errors import ConfigError

Shapes = dict[str, tuple[int, ...]]

SOURCES = ("symbols", "vectors")


def state_parts(config: ModelConfig) -> tuple[str, ...]:
    """The names of what a cell carries from step to step."""
    return ("h", "c") if config.cell == "lstm" else ("h",)


def needs_bridge(encoder: ModelConfig, decoder: ModelConfig) -> bool:
    """Whether the encoder's last state is of another kind or size than the state that the decoder starts from."""
    return encoder.cell != decoder.cell or encoder.directions * encoder.hidden_size != decoder.hidden_size


def state_map_shapes(width: int, config: ModelConfig) -> Shapes:
    """A learned linear map from vectors of `width` numbers to the state of each layer of `config`."""
    shapes: Shapes = {}
    for part in state_parts(config):
        for layer in range(config.num_layers):
            shapes[f"weight_{part}_l{layer}"] = (config.hidden_size, width)
            if config.bias:
                shapes[f"bias_{part}_l{layer}"] = (config.hidden_size,)
    return shapes


def reader_shapes(config: ModelConfig, source_size: int, source: str) -> Shapes:
    """Recurrent layers that read vectors of `source_size` numbers, or as many different symbols.

    Raises:
        ConfigError: `source` is neither.
    """
    if source not in SOURCES:
        raise ConfigError(f"source must be one of {', '.join(SOURCES)}, not {source!r}.")
    is_embedded = source == "symbols" and config.embedding_size > 0
    shapes: Shapes = {"embedding.weight": (source_size, config.embedding_size)} if is_embedded else {}
    width = config.embedding_size if is_embedded else source_size
    return shapes | _within("recurrent", config.recurrent_shapes(width))


def encoder_decoder_shapes(
    encoder: ModelConfig, decoder: ModelConfig, source_size: int, target_size: int, source: str = "symbols"
) -> Shapes:
    """The parameters of an `EncoderDecoder`, in the order of its state dict."""
    bridge = (
        state_map_shapes(encoder.directions * encoder.hidden_size, decoder) if needs_bridge(encoder, decoder) else {}
    )
    return (
        _within("encoder", reader_shapes(encoder, source_size, source))
        | _within("bridge.map", bridge)
        | _within("decoder", decoder.parameter_shapes(target_size))
    )


def image_decoder_shapes(config: ModelConfig, image_size: int, target_size: int) -> Shapes:
    """The parameters of an `ImageDecoder`."""
    front = _within("front", state_map_shapes(image_size, config))
    return front | _within("decoder", config.parameter_shapes(target_size))


def sequence_classifier_shapes(config: ModelConfig, source_size: int, classes: int, source: str = "vectors") -> Shapes:
    """The parameters of a `SequenceClassifier`."""
    width = config.directions * config.hidden_size
    reader = _within("reader", reader_shapes(config, source_size, source))
    return reader | _linear("head", width, classes, config.bias)


def plain_classifier_shapes(config: ModelConfig, source_size: int, classes: int) -> Shapes:
    """The parameters of a `PlainClassifier`."""
    hidden = _linear("hidden", source_size, config.hidden_size, config.bias)
    return hidden | _linear("head", config.hidden_size, classes, config.bias)


def blank_filler_shapes(config: ModelConfig, vocabulary_size: int, left_only: bool = False) -> Shapes:
    """The parameters of a `BlankFiller`, which reads one symbol more than it can write: the blank."""
    config = replace(config, bidirectional=not left_only)
    width = config.directions * config.hidden_size
    reader = _within("reader", reader_shapes(config, vocabulary_size + 1, "symbols"))
    return reader | _linear("head", width, vocabulary_size, config.bias)


def _linear(name: str, inputs: int, outputs: int, bias: bool) -> Shapes:
    weight: Shapes = {f"{name}.weight": (outputs, inputs)}
    return weight | {f"{name}.bias": (outputs,)} if bias else weight


def _within(name: str, shapes: Shapes) -> Shapes:
    return {f"{name}.{inner}": shape for inner, shape in shapes.items()}

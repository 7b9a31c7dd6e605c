"""The networks of the other sequence shapes, made of the recurrent layers of `rnn.models`.

One to one: `PlainClassifier`. Many to one, and many to many in step: `SequenceClassifier`. One to many: `ImageDecoder`.
Many to many, delayed: `EncoderDecoder`, which is many to one followed by one to many. Both directions: `BlankFiller`.

Sequences of several lengths lie side by side with time first, (T, B) or (T, B, I), each filled up at its end;
`lengths` (B,) says where, and what stands in the filling changes nothing; targets say it by PAD. Every random number
comes from the network's own generator. `rnn.network_shapes` lists the parameters of each.

Sources: Sutskever et al. 2014 (arXiv 1409.3215) and Cho et al. 2014 (arXiv 1406.1078) for the encoder and the decoder;
Vinyals et al. 2015 (arXiv 1411.4555) for an image that starts a decoder; Schuster & Paliwal 1997 for two directions;
Bengio et al. 2015 (arXiv 1506.03099) for teacher forcing in part.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rnn.cells import SQUASH, State
from rnn.config import ModelConfig
from rnn.data.sequences import BEGIN, END, PAD
from rnn.errors import ConfigError
from rnn.models import CharRNN, Padding, Recurrent, dropped, undrawn
from rnn.network_shapes import needs_bridge, reader_shapes, state_map_shapes, state_parts

Source = Literal["symbols", "vectors"]

KEEPING = 2.0  # first bias of the gate that keeps the state, in an encoder and its decoder: sigmoid(2) = 0.88
IGNORED = -100  # the label of a step that has none, as F.cross_entropy knows it


class _Network(nn.Module):
    """What all of them share.

    Attributes:
        generator: draws the first weights, dropout masks and teacher forcing.
        compute_dtype: number format of the matrix products; None means that of the weights. Weights, gradients,
            logits and losses stay in the weights' own format.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.generator = torch.Generator().manual_seed(seed)
        self.compute_dtype: torch.dtype | None = None

    def load_weights(self, weights: Mapping[str, Tensor]) -> None:
        """Copies these parameters in; names and shapes must be those of `state_dict()`."""
        self.load_state_dict(dict(weights), strict=True)


class _Classifier(_Network):
    """A network whose last step is a linear layer over the classes."""

    head: nn.Linear

    def __init__(self, config: ModelConfig, seed: int) -> None:
        super().__init__(seed)
        self.config = config

    def classified(self, h: Tensor) -> Tensor:
        """(..., H) -> logits (..., classes), with dropout before the head."""
        h = dropped(h, self.config.dropout if self.training else 0.0, self.generator)
        return _apply(self.head, h, self.compute_dtype)


# One to one


class PlainClassifier(_Classifier):
    """One hidden layer and no recurrence: (B, I) vectors in, (B, classes) logits out. The config's cell is not used.

    Raises:
        ConfigError: the config asks for several layers or two directions, or a size is not at least 1.
    """

    def __init__(self, config: ModelConfig, source_size: int, classes: int, seed: int = 0) -> None:
        super().__init__(config, seed)
        _check_sizes(source_size=source_size, classes=classes)
        if config.num_layers > 1 or config.bidirectional:
            raise ConfigError("A network without recurrence has one hidden layer: num_layers 1, bidirectional false.")
        self.hidden = _linear(source_size, config.hidden_size, config.bias, self.generator)
        self.head = _linear(config.hidden_size, classes, config.bias, self.generator)

    def forward(self, x: Tensor) -> Tensor:
        h = SQUASH[self.config.nonlinearity](_apply(self.hidden, x, self.compute_dtype))
        return self.classified(h)

    def loss(self, x: Tensor, labels: Tensor) -> Tensor:
        """Mean cross-entropy, nats per label (B,)."""
        return F.cross_entropy(self(x), labels)


# Many to one, and many to many in step


class Reader(nn.Module):
    """Recurrent layers over vectors (T, B, I), or over symbols (T, B): one-hot, or embedded where the config says so.

    Raises:
        ConfigError: `source` is neither "symbols" nor "vectors", or its size is not at least 1.
    """

    def __init__(self, config: ModelConfig, source_size: int, source: Source, generator: torch.Generator) -> None:
        super().__init__()
        _check_sizes(source_size=source_size)
        self.is_embedded = "embedding.weight" in reader_shapes(config, source_size, source)
        if self.is_embedded:
            self.embedding = _embedding(source_size, config.embedding_size, generator)
        self.recurrent = Recurrent(config.embedding_size if self.is_embedded else source_size, config, generator)

    def forward(self, x: Tensor, lengths: Tensor | None, dtype: torch.dtype | None) -> tuple[Tensor, State]:
        """h of the last layer at every step, (T, B, directions * H), and the state of every layer after reading."""
        embedding = self.embedding.weight if self.is_embedded else None
        outputs, state = self.recurrent(x, None, "scan", dtype, embedding, lengths)
        return outputs, state


class SequenceClassifier(_Classifier):
    """Reads a sequence and names its class: once, from the last hidden state, or at every step.

    From two directions, the last state of each is used: both have then read all of it.

    Args:
        source: "vectors" of `source_size` numbers (rows of an image, frames), or as many different "symbols" (words).
        each_step: whether there is a label for every step.

    Raises:
        ConfigError: a size is not at least 1.
    """

    def __init__(
        self,
        config: ModelConfig,
        source_size: int,
        classes: int,
        seed: int = 0,
        source: Source = "vectors",
        each_step: bool = False,
    ) -> None:
        super().__init__(config, seed)
        _check_sizes(classes=classes)
        self.each_step = each_step
        self.reader = Reader(config, source_size, source, self.generator)
        self.head = _linear(config.directions * config.hidden_size, classes, config.bias, self.generator)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Logits, (B, classes) or, for each step, (T, B, classes)."""
        outputs, (h, *_) = self.reader(x, lengths, self.compute_dtype)
        if not self.each_step:
            outputs = torch.cat(h[-self.config.directions :].unbind(), dim=-1)
        return self.classified(outputs)

    def loss(self, x: Tensor, labels: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Mean cross-entropy, nats per label, of labels (B,) or, for each step, (T, B); padding has none."""
        if self.each_step and lengths is not None:
            labels = labels.masked_fill(Padding(lengths, x).here, IGNORED)
        return F.cross_entropy(self(x, lengths).flatten(0, -2), labels.flatten(), ignore_index=IGNORED)


# One to many, and one to many after many to one


class StateMap(nn.Module):
    """A learned linear map from vectors to the state from which recurrent layers start."""

    def __init__(self, width: int, config: ModelConfig, generator: torch.Generator) -> None:
        super().__init__()
        self.config = config
        limit = 1 / math.sqrt(width)
        for name, shape in state_map_shapes(width, config).items():
            self.register_parameter(name, nn.Parameter(torch.empty(shape).uniform_(-limit, limit, generator=generator)))

    def forward(self, vectors: State) -> State:
        """One tensor (num_layers, B, width) for each part of the state (h; c) -> as many, (num_layers, B, H)."""
        return tuple(
            torch.stack([self._mapped(v, f"{part}_l{layer}") for layer, v in enumerate(own)])
            for part, own in zip(state_parts(self.config), vectors, strict=True)
        )

    def _mapped(self, vector: Tensor, name: str) -> Tensor:
        return F.linear(vector, getattr(self, f"weight_{name}"), getattr(self, f"bias_{name}", None))


class Bridge(nn.Module):
    """From the encoder's last state to the decoder's first: as it is where cell and width fit, else by a `StateMap`.

    Layers are matched from the top, which is where the encoder's summary is: with fewer layers than the encoder, the
    decoder takes its upper ones; with more, its own upper ones all take the top one. The two directions of an encoder
    stand side by side in one vector. A decoder's c comes from the encoder's c, or from h where it has none.
    """

    def __init__(self, encoder: ModelConfig, decoder: ModelConfig, generator: torch.Generator) -> None:
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self.map: StateMap | None = None
        if needs_bridge(encoder, decoder):
            self.map = StateMap(encoder.directions * encoder.hidden_size, decoder, generator)

    def forward(self, state: State) -> State:
        """(h,) or (h, c) of the encoder, each (layers * directions, B, H) -> the decoder's, (layers, B, H)."""
        skipped = max(0, self.encoder.num_layers - self.decoder.num_layers)
        top = self.encoder.num_layers - 1
        taken = [min(skipped + layer, top) for layer in range(self.decoder.num_layers)]
        parts = [self._side_by_side(s)[taken] for s in state]
        if self.map is None:
            return tuple(parts)
        mapped: State = self.map((parts[0], parts[-1])[: len(state_parts(self.decoder))])
        return mapped

    def _side_by_side(self, s: Tensor) -> Tensor:
        """(layers * directions, B, H) -> (layers, B, directions * H)"""
        B, H = s.shape[1:]
        return s.view(-1, self.encoder.directions, B, H).transpose(1, 2).flatten(2)


class Writer(_Network, ABC):
    """A network that writes a sequence: the character model of `rnn.models`, started from a state that says what.

    Targets are as `rnn.data.sequences` makes them: indices of `Symbols`, each sequence ended by END and then filled up
    with PAD. BEGIN is what the decoder reads first, in front of the target.
    """

    decoder: CharRNN

    @abstractmethod
    def first_state(self, source: Tensor, lengths: Tensor | None = None) -> State:
        """The decoder's state before BEGIN, each part (num_layers, B, H)."""

    def forward(
        self, source: Tensor, target: Tensor, source_lengths: Tensor | None = None, teacher_forcing: float = 1.0
    ) -> Tensor:
        """Scores every symbol of the target from the source and the symbols before it.

        Args:
            source: what the network reads.
            target: (T, B).
            source_lengths: real steps of each source, (B,); None where all are real.
            teacher_forcing: the probability, at each step of each sequence, that the decoder reads the right symbol
                and not the one that it holds for the likeliest itself.

        Returns:
            Logits, (T, B, target_size).
        """
        state = self.first_state(source, source_lengths)
        read = torch.cat([target.new_full((1, target.shape[1]), BEGIN), target[:-1]])
        if teacher_forcing >= 1:
            return self._decode(read, state)[0]
        is_forced = torch.rand(read.shape, generator=self.generator).to(read.device) < teacher_forcing
        return self._partly_forced(read, state, is_forced)

    def _partly_forced(self, read: Tensor, state: State, is_forced: Tensor) -> Tensor:
        """Step by step, for what a step reads may depend on the step before; BEGIN is read by all."""
        steps: list[Tensor] = []
        for right, forced in zip(read, is_forced, strict=True):
            symbols = torch.where(forced, right, steps[-1][0].argmax(dim=-1)) if steps else right
            logits, state = self._decode(symbols.unsqueeze(0), state)
            steps.append(logits)
        return torch.cat(steps)

    def loss(
        self, source: Tensor, target: Tensor, source_lengths: Tensor | None = None, teacher_forcing: float = 1.0
    ) -> Tensor:
        """Mean cross-entropy, nats per symbol of the targets, END included."""
        logits = self(source, target, source_lengths, teacher_forcing)
        return F.cross_entropy(logits.flatten(0, 1), target.flatten(), ignore_index=PAD)

    @torch.no_grad()
    def greedy(self, source: Tensor, lengths: Tensor | None = None, max_length: int = 100) -> list[list[int]]:
        """What the network writes for each source: always the likeliest symbol, until END, which is left out.

        Dropout is off meanwhile. A sequence that has not ended after `max_length` symbols is cut there.
        """
        was_training = self.training
        self.eval()
        state = self.first_state(source, lengths)
        symbols = torch.full((1, state[0].shape[1]), BEGIN, device=source.device)
        has_ended = torch.zeros_like(symbols, dtype=torch.bool)
        written = [symbols]
        while len(written) <= max_length and not has_ended.all():
            logits, state = self._decode(symbols, state)
            symbols = logits.argmax(dim=-1).masked_fill(has_ended, END)
            has_ended = symbols == END
            written.append(symbols)
        self.train(was_training)
        return [[s for s in column if s != END] for column in torch.cat(written)[1:].t().tolist()]

    def _decode(self, symbols: Tensor, state: State) -> tuple[Tensor, State]:
        """The decoder over some steps: symbols (T, B) -> logits (T, B, target_size), and the state after them."""
        self.decoder.compute_dtype = self.compute_dtype
        logits, state = self.decoder(symbols, state)
        return logits, state


class EncoderDecoder(Writer):
    """Sequence to sequence: an encoder reads the source to its end, a decoder writes the target from what is left.

    Args:
        encoder_config, decoder_config: cell, size and layers of each side; they need not be alike.
        source_size: different symbols, or numbers in a vector.
        target_size: different symbols, PAD, BEGIN and END among them.
        source: "symbols", (T, B), or "vectors", (T, B, source_size).
        reverse_source: whether the source is read from its end, so that its beginning, which is written first, was
            read last.

    What is read first is written first, a whole sequence later. So that it is still there then, GRU and LSTM start with
    a bias of 2 on the gate that keeps the state (the GRU's z, the LSTM's f), and not of 0 and 1 as elsewhere.

    Raises:
        ConfigError: the decoder is bidirectional, or a size is too small.
    """

    def __init__(
        self,
        encoder_config: ModelConfig,
        decoder_config: ModelConfig,
        source_size: int,
        target_size: int,
        seed: int = 0,
        source: Source = "symbols",
        reverse_source: bool = False,
    ) -> None:
        super().__init__(seed)
        self.encoder_config, self.decoder_config = encoder_config, decoder_config
        self.reverse_source = reverse_source
        self.encoder = Reader(encoder_config, source_size, source, self.generator)
        self.bridge = Bridge(encoder_config, decoder_config, self.generator)
        self.decoder = _decoder(decoder_config, target_size, self.generator)
        for layers in (self.encoder.recurrent, self.decoder.recurrent):
            _keep_state(layers)

    def first_state(self, source: Tensor, lengths: Tensor | None = None) -> State:
        if self.reverse_source:
            source = source.flip(0) if lengths is None else Padding(lengths, source).turned(source)
        _, state = self.encoder(source, lengths, self.compute_dtype)
        first: State = self.bridge(state)
        return first


class ImageDecoder(Writer):
    """One to many: the image, (B, image_size), sets the first state; the decoder spells what it shows.

    Raises:
        ConfigError: the config is bidirectional, or a size is too small.
    """

    def __init__(self, config: ModelConfig, image_size: int, target_size: int, seed: int = 0) -> None:
        super().__init__(seed)
        _check_sizes(image_size=image_size)
        self.config = config
        self.front = StateMap(image_size, config, self.generator)
        self.decoder = _decoder(config, target_size, self.generator)

    def first_state(self, source: Tensor, lengths: Tensor | None = None) -> State:
        """`lengths` has no meaning for images."""
        image = source.expand(self.config.num_layers, *source.shape)
        first: State = self.front((image,) * len(state_parts(self.config)))
        return first


# Both directions


class BlankFiller(_Classifier):
    """Names the character behind a blank from what stands on both sides of it, or on the left only.

    Reads characters 0 to V - 1 and V, the blank; one blank in each sequence. The config's `bidirectional` gives way to
    `left_only`.

    Raises:
        ConfigError: the vocabulary is empty.
    """

    def __init__(self, config: ModelConfig, vocabulary_size: int, seed: int = 0, left_only: bool = False) -> None:
        super().__init__(replace(config, bidirectional=not left_only), seed)
        _check_sizes(vocabulary_size=vocabulary_size)
        self.blank = vocabulary_size
        self.reader = Reader(self.config, vocabulary_size + 1, "symbols", self.generator)
        width = self.config.directions * config.hidden_size
        self.head = _linear(width, vocabulary_size, config.bias, self.generator)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Characters with a blank, (T, B) -> logits at the blank, (B, V).

        Raises:
            ConfigError: a sequence does not have exactly one blank.
        """
        is_blank = x == self.blank
        if not (is_blank.sum(0) == 1).all():
            raise ConfigError(f"Every sequence must have one blank (the symbol {self.blank}), no more and no less.")
        outputs, _ = self.reader(x, lengths, self.compute_dtype)
        at_blank = outputs[is_blank.int().argmax(0), torch.arange(x.shape[1], device=x.device)]
        return self.classified(at_blank)

    def loss(self, x: Tensor, targets: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Mean cross-entropy, nats per blank, of characters (B,)."""
        return F.cross_entropy(self(x, lengths), targets)


# Pieces


def _check_sizes(**sizes: int) -> None:
    for name, size in sizes.items():
        if size < 1:
            raise ConfigError(f"{name} must be at least 1, not {size}.")


def _decoder(config: ModelConfig, target_size: int, generator: torch.Generator) -> CharRNN:
    if target_size <= END:
        raise ConfigError(
            f"target_size counts PAD, BEGIN and END, so it must be at least {END + 1}, not {target_size}."
        )
    if config.bidirectional:
        raise ConfigError(
            "A decoder cannot be bidirectional: the second direction would read what is still to be written."
        )
    return CharRNN(config, target_size, generator=generator)


def _keep_state(layers: Recurrent) -> None:
    """Biases the gates that keep the state towards keeping it. In both cells they are the second block of rows."""
    size = layers.config.hidden_size
    if layers.config.cell == "rnn":
        return
    with torch.no_grad():
        for name, bias in layers.named_parameters():
            if name.startswith("bias"):
                bias[size : 2 * size] = KEEPING if name.startswith("bias_ih") else 0.0


def _linear(inputs: int, outputs: int, bias: bool, generator: torch.Generator) -> nn.Linear:
    """A linear layer whose first weights are uniform in +-1/sqrt(inputs), as torch.nn's, from this generator."""
    layer: nn.Linear = undrawn(nn.Linear)(inputs, outputs, bias=bias)
    for parameter in layer.parameters():
        nn.init.uniform_(parameter, -1 / math.sqrt(inputs), 1 / math.sqrt(inputs), generator=generator)
    return layer


def _embedding(symbols: int, size: int, generator: torch.Generator) -> nn.Embedding:
    """A learned vector for each symbol, normal at first, as torch.nn's, from this generator."""
    layer: nn.Embedding = undrawn(nn.Embedding)(symbols, size)
    nn.init.normal_(layer.weight, generator=generator)
    return layer


def _apply(layer: nn.Linear, x: Tensor, dtype: torch.dtype | None) -> Tensor:
    """A linear layer computed in `dtype`; its outputs are in the format of its weights."""
    wide = layer.weight.dtype
    dtype = dtype or wide
    bias = None if layer.bias is None else layer.bias.to(dtype)
    return F.linear(x.to(dtype), layer.weight.to(dtype), bias).to(wide)

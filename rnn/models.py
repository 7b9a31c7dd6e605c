"""The networks: cells scanned over time, stacked in depth, read in one direction or both, and the character model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rnn.bptt import rows
from rnn.cells import State, Weights
from rnn.config import ModelConfig
from rnn.errors import ConfigError
from rnn.scan import Path, is_by_hand, scan

M = TypeVar("M", bound=nn.Module)

SHUT = 1e4  # a gate's sum of this size rounds to 0 or 1 in every number format


def detach_state(state: State) -> State:
    """The same numbers without their history: gradients stop here. This is the cut of truncated BPTT."""
    return tuple(s.detach() for s in state)


@cache
def undrawn(layer: type[M]) -> type[M]:
    """A layer of torch.nn without first weights, which it would draw from the global generator that others share.

    Made on the device "meta" it would draw none either, but torch would load its compiler for that: a second, 94 MB.
    """
    return type(layer.__name__, (layer,), {"reset_parameters": lambda self: None})


class Recurrent(nn.Module):
    """Layers of one cell, stacked; parameters have the names, shapes and order of torch.nn.RNN, GRU and LSTM.

    A state dict moves between this class and torch.nn's unchanged. Initial weights are uniform in +-1/sqrt(H), as
    torch.nn's, except that an LSTM's forget gates start with a bias of 1 (Jozefowicz et al. 2015): it remembers
    until it learns to forget.

    Args:
        input_size: I, length of the vector read at each step.
        config: the cell, its size, the number of layers and directions.
        generator: draws the initial weights and, in training, the dropout masks.
    """

    def __init__(self, input_size: int, config: ModelConfig, generator: torch.Generator) -> None:
        super().__init__()
        self.config = config
        self.generator = generator
        limit = 1 / math.sqrt(config.hidden_size)
        for name, shape in config.recurrent_shapes(input_size).items():
            self.register_parameter(name, nn.Parameter(torch.empty(shape).uniform_(-limit, limit, generator=generator)))
        if config.cell == "lstm" and config.bias:
            self._open_forget_gates()

    def _open_forget_gates(self) -> None:
        size = self.config.hidden_size
        with torch.no_grad():
            for name, parameter in self.named_parameters():
                if name.startswith("bias"):
                    parameter[size : 2 * size] = 1.0 if name.startswith("bias_ih") else 0.0

    def weights(self, layer: int, reverse: bool = False) -> Weights:
        """The parameters of one layer in one direction."""
        suffix = f"_l{layer}" + ("_reverse" if reverse else "")
        W_xh, W_hh = getattr(self, "weight_ih" + suffix), getattr(self, "weight_hh" + suffix)
        return Weights(W_xh, W_hh, getattr(self, "bias_ih" + suffix, None), getattr(self, "bias_hh" + suffix, None))

    def initial_state(self, batch_size: int) -> State:
        """Zeros: (h,) or, for the LSTM, (h, c); each (num_layers * directions, B, H), layer by layer."""
        c = self.config
        parameter = self.weights(0).W_hh
        shape = (c.num_layers * c.directions, batch_size, c.hidden_size)
        count = 2 if c.cell == "lstm" else 1
        return tuple(torch.zeros(shape, dtype=parameter.dtype, device=parameter.device) for _ in range(count))

    def forward(
        self,
        x: Tensor,
        state: State | None = None,
        path: Path = "scan",
        dtype: torch.dtype | None = None,
        embedding: Tensor | None = None,
        lengths: Tensor | None = None,
    ) -> tuple[Tensor, State]:
        """Runs the layers over a sequence.

        Args:
            x: inputs, (T, B, I); or integers (T, B), which stand for one-hot vectors or for rows of `embedding`.
            state: what `initial_state` or an earlier call returned; None means zeros.
            path: "scan" is the fast one, "cells" the readable one.
            dtype: number format of the computation; None means that of the weights.
            embedding: (V, I), one row for each symbol.
            lengths: (B,), how many steps of each sequence are real; the others, at its end, are padding, whatever
                they hold, and change nothing: the outputs at them are not to be used. None: all T are real.

        Returns:
            The last layer's h at every step, (T, B, directions * H), in the format of the computation, and the state
            after the last real step (of the second direction: after the first one), in that of the weights.

        Raises:
            ConfigError: there is not one length for each sequence, from 1 to T.
        """
        c = self.config
        padding = None if lengths is None else Padding(lengths, x)
        dtype = dtype or self.weights(0).W_hh.dtype
        if state is None:
            state = self.initial_state(x.shape[1])
        if embedding is not None and not (path == "scan" and self._gains_from_folding(embedding, x, dtype)):
            x, embedding = rows(embedding, x), None
        last: list[State] = []
        for layer in range(c.num_layers):
            if layer > 0:
                x = self.dropped(x)
            outputs = []
            for reverse in (False, True)[: c.directions]:
                own = tuple(s[len(last)] for s in state)
                w = self.weights(layer, reverse)
                if embedding is not None and layer == 0:
                    w = w._replace(W_xh=w.W_xh @ embedding.t())  # what each symbol brings, before it is looked up
                if padding is None:
                    output, after = scan(c.cell, x, own, w, c.nonlinearity, reverse, dtype, path)
                else:
                    output, after = self._padded_scan(x, own, w, reverse, dtype, path, padding)
                outputs.append(output)
                last.append(after)
            x = torch.cat(outputs, dim=-1) if c.bidirectional else outputs[0]
        return x, tuple(torch.stack(parts) for parts in zip(*last, strict=True))

    def _padded_scan(
        self, x: Tensor, state: State, w: Weights, reverse: bool, dtype: torch.dtype, path: Path, padding: Padding
    ) -> tuple[Tensor, State]:
        """`scan` over sequences of several lengths. What follows a sequence cannot reach back into it, so only the
        state has to be fetched from the last real step; an LSTM's c, which no output shows, is kept to the end."""
        c = self.config
        if reverse:
            x = padding.turned(x)
        if c.cell == "lstm":
            x, w = padding.keeping(x, w)
        outputs, after = scan(c.cell, x, state, w, c.nonlinearity, False, dtype, path)
        after = (padding.last(outputs).to(after[0].dtype), *after[1:])
        return (padding.turned(outputs) if reverse else outputs), after

    def _gains_from_folding(self, embedding: Tensor, x: Tensor, dtype: torch.dtype) -> bool:
        """Whether W_xh is to be multiplied with the embedding: where one-hot vectors cost nothing, and these more."""
        c = self.config
        return is_by_hand(c.cell, self.weights(0).W_hh, dtype, c.nonlinearity) and len(embedding) <= x.numel()

    def dropped(self, x: Tensor) -> Tensor:
        """Dropout with a mask from the run's own generator (drawn on the CPU: the same on every device).

        Between layers here, and by `CharRNN` between the last one and the output, as char-rnn had it.
        """
        return dropped(x, self.config.dropout if self.training else 0.0, self.generator)


def dropped(x: Tensor, p: float, generator: torch.Generator) -> Tensor:
    """x with a share p of its numbers set to 0 and the others scaled up, so that the expected sum stays the same."""
    if p == 0:
        return x
    kept = torch.empty(x.shape, dtype=x.dtype).bernoulli_(1 - p, generator=generator)
    return x * (kept / (1 - p)).to(x.device)


class Padding:
    """Where sequences of several lengths, side by side and filled up at their ends, are real.

    Args:
        lengths: real steps of each, (B,).
        x: the sequences, (T, B, ...).

    Attributes:
        here: true at the padding, (T, B).

    Raises:
        ConfigError: there is not one length for each sequence, from 1 to T.
    """

    def __init__(self, lengths: Tensor, x: Tensor) -> None:
        T, B = x.shape[:2]
        if lengths.shape != (B,):
            raise ConfigError(f"lengths must be one for each of the {B} sequences, not {tuple(lengths.shape)}.")
        lengths = lengths.to(x.device, torch.long)
        shortest, longest = lengths.aminmax()
        if shortest < 1 or longest > T:
            raise ConfigError(f"lengths must be from 1 to {T}, not {int(shortest)} to {int(longest)}.")
        t, b = torch.arange(T, device=x.device).unsqueeze(1), torch.arange(B, device=x.device)
        self.here = t >= lengths
        self._last = (lengths - 1) * B + b  # in the rows of a matrix (T * B, ...)
        self._turned = (torch.where(self.here, t, lengths - 1 - t) * B + b).flatten()

    def last(self, outputs: Tensor) -> Tensor:
        """The row of each sequence's last real step: (T, B, H) -> (B, H)."""
        return outputs.flatten(0, 1).index_select(0, self._last)

    def turned(self, x: Tensor) -> Tensor:
        """Each sequence backwards, its padding still behind it; (T, B) or (T, B, I). Turned twice it is as before."""
        return x.flatten(0, 1).index_select(0, self._turned).view_as(x)

    def keeping(self, x: Tensor, w: Weights) -> tuple[Tensor, Weights]:
        """Inputs and weights of an LSTM that keeps its c at the padding.

        There it reads one input more (one symbol more, where x holds integers), whose weights shut the input gate and
        open the forget gate: c_t = 1 * c_{t-1} + 0 * g, exactly, and the gradient of all else is zero.
        """
        rows, symbols = w.W_xh.shape
        gate = w.W_xh.new_zeros(4, rows // 4)
        gate[0], gate[1] = -SHUT, SHUT
        if x.is_floating_point():
            x = torch.cat([x, self.here.unsqueeze(-1).to(x)], dim=-1)
        else:
            x = x.long().masked_fill(self.here, symbols)
        return x, w._replace(W_xh=torch.cat([w.W_xh, gate.view(rows, 1)], dim=1))


class CharRNN(nn.Module):
    """The character-level model: characters in, one score (logit) per possible next character out.

    >>> model = CharRNN(ModelConfig(cell="gru", hidden_size=128), vocabulary_size=65)
    >>> logits, state = model(indices, state)  # (T, B) -> (T, B, V)

    Attributes:
        config, vocabulary_size: as given.
        compute_dtype: number format of the matrix products; None means that of the weights. Weights, gradients and
            losses stay in the weights' own format.

    Args:
        seed: of the generator that draws weights and dropout masks.
        generator: draws them in its place, where the model is a part of another.

    Raises:
        ConfigError: the vocabulary is empty.
    """

    def __init__(
        self, config: ModelConfig, vocabulary_size: int, seed: int = 0, generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        if vocabulary_size < 1:
            raise ConfigError(f"vocabulary_size must be at least 1, not {vocabulary_size}.")
        self.config = config
        self.vocabulary_size = vocabulary_size
        self.compute_dtype: torch.dtype | None = None
        self.generator = generator or torch.Generator().manual_seed(seed)
        width = config.directions * config.hidden_size
        if config.embedding_size:
            self.embedding = undrawn(nn.Embedding)(vocabulary_size, config.embedding_size)
        self.recurrent = Recurrent(config.embedding_size or vocabulary_size, config, self.generator)
        self.head = undrawn(nn.Linear)(width, vocabulary_size, bias=config.bias)
        self._draw_outer_weights(1 / math.sqrt(width))

    def _draw_outer_weights(self, limit: float) -> None:
        """Gives embedding and head their first weights."""
        if self.config.embedding_size:
            nn.init.normal_(self.embedding.weight, generator=self.generator)
        for parameter in self.head.parameters():
            nn.init.uniform_(parameter, -limit, limit, generator=self.generator)

    def initial_state(self, batch_size: int) -> State:
        """Zeros, (num_layers * directions, B, H): (h,) or, for the LSTM, (h, c)."""
        return self.recurrent.initial_state(batch_size)

    def forward(self, indices: Tensor, state: State | None = None, path: Path = "scan") -> tuple[Tensor, State]:
        """Reads characters and scores the next one after each of them.

        Args:
            indices: characters, integers (T, B).
            state: the state that an earlier call returned; None starts from zeros.
            path: "scan" is the fast one, "cells" the readable one.

        Returns:
            Logits (T, B, V) in the weights' number format, and the state after the last character.
        """
        dtype = self.compute_dtype or self.head.weight.dtype
        embedding = self.embedding.weight if self.config.embedding_size else None
        outputs, state = self.recurrent(indices, state, path, dtype, embedding)
        outputs = self.recurrent.dropped(outputs)
        bias = None if self.head.bias is None else self.head.bias.to(dtype)
        logits = F.linear(outputs.to(dtype), self.head.weight.to(dtype), bias)
        return logits.to(self.head.weight.dtype), state

    def load_weights(self, weights: Mapping[str, Tensor]) -> None:
        """Copies these parameters in; names and shapes must be those of `state_dict()`."""
        self.load_state_dict(dict(weights), strict=True)

"""Text from a trained model, one character at a time, in numpy.

A step of one sequence is a handful of matrix-vector products; torch's recurrent operators spend most of it on
calling and repacking. And pages that only sample need not load torch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from rnn.config import ModelConfig, SampleConfig
from rnn.errors import ConfigError
from rnn.records import DrawStages, Sampled
from rnn.vocabulary import UnknownPolicy, Vocabulary

Array = NDArray[np.float32]
Layer = tuple[Array, ...]  # (h,) or (h, c), each (N, H)
DRAWS_AT_ONCE = 256  # random numbers of each of many texts


class Cell(NamedTuple):
    """One layer, ready to be stepped."""

    W_xh: Array  # (I, gates * H): transposed, so that rows of x stand on its left
    b_xh: Array  # (gates * H,)
    advance: Callable[[Array, Layer], Layer]  # (W_xh x + b_xh, which it leaves alone, and the state) -> the new state


class NumpyModel:
    """The character model's forward step for N sequences side by side.

    Args:
        config: the model; not bidirectional.
        weights: every parameter by its name in the state dict, float arrays.

    Raises:
        ConfigError: the model is bidirectional, or weights are missing or of another shape.
    """

    def __init__(self, config: ModelConfig, weights: Mapping[str, NDArray[Any]]) -> None:
        if config.bidirectional:
            raise ConfigError(
                "A bidirectional model has read the characters to come, so it cannot write text from left to right. "
                "Choose a model that reads in one direction."
            )
        self.config = config
        w = checked_weights(config, weights)
        self.vocabulary_size = len(w["head.weight"])
        self._cells = [_cell(config, w, layer) for layer in range(config.num_layers)]
        first = self._cells[0]
        seen = w["embedding.weight"] @ first.W_xh if config.embedding_size else first.W_xh
        self._rows: Array = seen + first.b_xh  # what each character brings to the first layer, (V, gates * H)
        self._W_hy = np.ascontiguousarray(w["head.weight"].T)
        self._b_y = w.get("head.bias", np.zeros(self.vocabulary_size, np.float32))

    @classmethod
    def of(cls, model: Any) -> Self:
        """`model` itself if it is one of these, else the numpy form of a `CharRNN` as its weights are now."""
        if isinstance(model, cls):
            return model
        state = model.state_dict()
        return cls(model.config, {name: tensor.detach().float().cpu().numpy() for name, tensor in state.items()})

    def initial_state(self, count: int = 1) -> list[Layer]:
        """Zeros for `count` sequences: per layer (h,) or (h, c), each (count, H)."""
        parts = 2 if self.config.cell == "lstm" else 1
        zeros = np.zeros((count, self.config.hidden_size), np.float32)
        return [(zeros,) * parts for _ in range(self.config.num_layers)]

    def step(self, indices: Any, state: Sequence[Layer]) -> tuple[Array, list[Layer]]:
        """Reads one character per sequence.

        Args:
            indices: the characters, integers (N,).
            state: as `initial_state` or an earlier step returned it; left as it is.

        Returns:
            The logits of the next characters, (N, V), and the new state.
        """
        after = self.advance(indices, state)
        logits: Array = np.dot(after[-1][0], self._W_hy)
        logits += self._b_y
        return logits, after

    def advance(self, indices: Any, state: Sequence[Layer]) -> list[Layer]:
        """The new state alone, of the same arguments: nobody asks for the next character."""
        first = int(indices[0])  # a slice costs a third of what picking rows does
        a: Array = self._rows[first : first + 1] if len(indices) == 1 else self._rows[indices]
        after: list[Layer] = []
        for layer, cell in enumerate(self._cells):
            if layer > 0:
                a = np.dot(after[-1][0], cell.W_xh)
                a += cell.b_xh
            after.append(cell.advance(a, state[layer]))
        return after


def checked_weights(
    config: ModelConfig, weights: Mapping[str, NDArray[Any]], dtype: type[Any] | None = np.float32
) -> dict[str, NDArray[Any]]:
    """The parameters of the character model in this number format or, for None, their own; by their names.

    Raises:
        ConfigError: some are missing or of another shape.
    """
    vocabulary_size = len(weights["head.weight"]) if "head.weight" in weights else 0
    shapes = config.parameter_shapes(vocabulary_size)
    w = {name: np.asarray(weights.get(name, 0), dtype) for name in shapes}
    for name, shape in shapes.items():
        if w[name].shape != shape:
            raise ConfigError(f"The weights {name} must have the shape {shape}; they have {w[name].shape}.")
    return w


HALF = np.float32(0.5)


def _sigmoid(a: Array) -> Array:
    gate: Array = HALF + HALF * np.tanh(HALF * a)  # the same function as 1 / (1 + exp(-a)), without the overflow
    return gate


def _relu(a: Array) -> Array:
    # An unbounded state may grow at every step; far below infinity, so that no logit becomes inf - inf, not a number.
    return np.clip(a, np.float32(0), np.float32(1e30))


SQUASH: dict[str, Callable[[Array], Array]] = {"tanh": np.tanh, "relu": _relu, "sigmoid": _sigmoid}


def gate_halves(gates: int, hidden_size: int) -> Array:
    """1/2 for what goes into a sigmoid and 1 for what goes into a tanh, of a GRU (r, z, n) or an LSTM (i, f, g, o).

    sigmoid(s) = (1 + tanh(s / 2)) / 2, so one tanh does for all gates.
    """
    halves = np.full(gates * hidden_size, HALF)
    halves[2 * hidden_size : 3 * hidden_size] = 1  # the candidate
    return halves


def _cell(config: ModelConfig, w: Mapping[str, Array], layer: int) -> Cell:
    """The equations of `rnn.cells` for rows of N sequences, in as few calls as they can be written.

    A call costs about a microsecond whatever it computes, and a character has thirty to spare. So what goes into a
    sigmoid is halved in the weights already, sigmoid(s) = (1 + tanh(s / 2)) / 2, and one tanh does for all gates.
    """
    H = config.hidden_size
    W_xh, W_hh = (np.ascontiguousarray(w[f"recurrent.weight_{name}_l{layer}"].T) for name in ("ih", "hh"))
    none = np.zeros(W_hh.shape[1], np.float32)
    b_xh, b_hh = (w.get(f"recurrent.bias_{name}_l{layer}", none) for name in ("ih", "hh"))
    if config.cell == "rnn":
        return Cell(W_xh, b_xh + b_hh, partial(_rnn, W_hh, SQUASH[config.nonlinearity]))
    halves = gate_halves(config.gates, H)
    W_xh, W_hh, b_xh, b_hh = W_xh * halves, W_hh * halves, b_xh * halves, b_hh * halves
    if config.cell == "lstm":  # nothing stands between its two sums, so their biases can be added once
        return Cell(W_xh, b_xh + b_hh, partial(_lstm, W_hh))
    return Cell(W_xh, b_xh, partial(_gru, W_hh, b_hh))


def _rnn(W_hh: Array, squash: Callable[[Array], Array], a: Array, state: Layer) -> Layer:
    s = np.dot(state[0], W_hh)
    s += a
    return (squash(s),)


def _gru(W_hh: Array, b_hh: Array, a: Array, state: Layer) -> Layer:
    (h,) = state
    H = h.shape[1]
    u = np.dot(h, W_hh)
    u += b_hh
    rz = np.tanh(a[:, : 2 * H] + u[:, : 2 * H])
    rz *= HALF
    rz += HALF
    n = rz[:, :H] * u[:, 2 * H :]
    n += a[:, 2 * H :]
    np.tanh(n, n)
    after = h - n
    after *= rz[:, H:]
    after += n
    return (after,)


def _lstm(W_hh: Array, a: Array, state: Layer) -> Layer:
    h, c = state
    H = h.shape[1]
    s = np.dot(h, W_hh)
    s += a
    np.tanh(s, s)
    g = s[:, 2 * H : 3 * H]
    gates = s * HALF
    gates += HALF  # i, f, o; what is in g's place is not used
    c = gates[:, H : 2 * H] * c
    g *= gates[:, :H]
    c += g
    after = np.tanh(c)
    after *= gates[:, 3 * H :]
    return after, c


def softmax(logits: NDArray[Any]) -> NDArray[np.float64]:
    """exp(logits) / sum over the last axis; -inf gives 0."""
    scores = np.asarray(logits, np.float64)
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    probabilities: NDArray[np.float64] = powers / powers.sum(axis=-1, keepdims=True)
    return probabilities


def filter_logits(
    logits: NDArray[Any], temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None
) -> NDArray[np.float64]:
    """Logits after temperature, then top-k, then top-p, the largest of them moved to 0; cut characters have -inf.

    Args:
        logits: scores, (V,) or (N, V).
        temperature: divides the logits; 0 keeps only the likeliest (the first of equals).
        top_k: keeps exactly this many, the first of equals (all, if it is larger than V).
        top_p: keeps the fewest characters, likeliest first, whose probabilities sum to at least this; never none.
    """
    # Subtracting the maximum first: a tiny temperature then gives -inf and 0, never inf - inf.
    scores: NDArray[np.float64] = np.subtract(
        logits, np.maximum.reduce(logits, axis=-1, keepdims=True), dtype=np.float64
    )
    if temperature == 0:
        top_k = 1
    elif temperature < 1e-290:  # the one case that overflows
        with np.errstate(over="ignore"):
            scores /= temperature
    elif temperature != 1:
        scores /= temperature
    if top_k is None and top_p is None:
        return scores
    order = np.argsort(-scores, axis=-1, kind="stable")
    ranked = np.take_along_axis(scores, order, axis=-1)
    if top_k is not None:
        ranked[..., top_k:] = -np.inf
    if top_p is not None:
        reached = np.cumsum(softmax(ranked), axis=-1)
        ranked[..., 1:][reached[..., :-1] >= top_p - 1e-12] = -np.inf  # those before are enough
    np.put_along_axis(scores, order, ranked, axis=-1)
    return scores


def sample_next(weights: NDArray[np.float64], draw: float) -> int:
    """The index that `draw`, uniform in [0, 1), falls on when the weights (probabilities) are laid end to end."""
    reached = np.add.accumulate(weights)
    chosen = int(reached.searchsorted(draw * reached[-1], side="right"))
    # Rounding may leave draw * sum at the very end, past the last character that has any weight.
    return chosen if chosen < len(weights) else int(np.flatnonzero(weights)[-1])


def sample_rows(weights: NDArray[np.float64], draws: NDArray[np.float64]) -> NDArray[np.intp]:
    """`sample_next` for each row of weights (N, V) with its draw (N,)."""
    reached = np.cumsum(weights, axis=1)
    chosen = np.count_nonzero(reached <= (draws * reached[:, -1])[:, np.newaxis], axis=1)
    last = weights.shape[1] - 1 - np.argmax(weights[:, ::-1] > 0, axis=1)
    picked: NDArray[np.intp] = np.minimum(chosen, last)
    return picked


def generate(
    model: Any,
    vocabulary: Vocabulary,
    prime: str = "",
    length: int = 200,
    temperature: float = 0.8,
    top_k: int | None = None,
    top_p: float | None = None,
    seed: int = 0,
    stop: str | None = None,
    unknown: UnknownPolicy = "error",
) -> Iterator[Sampled]:
    """Draws text: sample a character, feed it back, again.

    With an empty prime the model has read nothing that it could answer to; the first character is then drawn from
    the characters' frequencies in the training text, under the same temperature and filters.

    Args:
        model: a `CharRNN` or a `NumpyModel`.
        vocabulary: the model's own.
        prime: text read before the first draw; it is not part of the result.
        length: how many characters to draw at most.
        temperature, top_k, top_p: see `filter_logits`.
        seed: same seed, same text.
        stop: ends the sample once this text has appeared in it (the stop text is included).
        unknown: what happens to characters of the prime that the model does not know, see `Vocabulary.encode`.

    Yields:
        One `Sampled` per character.

    Raises:
        ConfigError: a setting is out of bounds, or the model cannot generate.
        UnknownCharacterError: the prime has characters that the model does not know.
    """
    settings = SampleConfig(prime, length, temperature, top_k, top_p, seed, stop)
    numpy_model = checked(model, vocabulary)
    return _generate(numpy_model, vocabulary, vocabulary.encode(prime, unknown), settings)


def checked(model: Any, vocabulary: Vocabulary) -> NumpyModel:
    """The model in numpy.

    Raises:
        ConfigError: it is bidirectional, or the vocabulary is not its own.
    """
    numpy_model = NumpyModel.of(model)
    check_vocabulary(numpy_model.vocabulary_size, vocabulary)
    return numpy_model


def check_vocabulary(vocabulary_size: int, vocabulary: Vocabulary) -> None:
    """Raises ConfigError where a model that scores so many characters has another vocabulary."""
    if vocabulary_size != len(vocabulary):
        raise ConfigError(f"The model scores {vocabulary_size} characters, but the vocabulary has {len(vocabulary)}.")


def _generate(
    model: NumpyModel, vocabulary: Vocabulary, prime: NDArray[Any], settings: SampleConfig
) -> Iterator[Sampled]:
    logits, state = read_prime(model, vocabulary, prime, 1)
    rng = np.random.default_rng(settings.seed)
    tail = ""
    for _ in range(settings.length):
        sampled = draw_next(logits[0], vocabulary, settings, rng.random())
        yield sampled
        if settings.stop:
            tail = (tail + sampled.char)[-len(settings.stop) :]
            if tail == settings.stop:
                return
        logits, state = model.step([sampled.index], state)


def read_prime(
    model: NumpyModel, vocabulary: Vocabulary, prime: NDArray[Any], count: int
) -> tuple[NDArray[Any], list[Layer]]:
    """The logits (count, V) after the prime, or the log frequencies if there is none, and the state (count, ...)."""
    state = model.initial_state()
    with np.errstate(divide="ignore"):
        logits: NDArray[Any] = np.log(vocabulary.frequencies).astype(np.float32)[np.newaxis]
    for index in prime:
        logits, state = model.step([index], state)
    return np.repeat(logits, count, axis=0), [tuple(np.repeat(s, count, axis=0) for s in layer) for layer in state]


def _weights(logits: NDArray[Any], settings: SampleConfig) -> NDArray[np.float64]:
    """What characters are drawn by: probabilities but for their sum. The largest is 1, so nothing overflows."""
    weights: NDArray[np.float64] = np.exp(filter_logits(logits, settings.temperature, settings.top_k, settings.top_p))
    return weights


def draw_next(logits: NDArray[Any], vocabulary: Vocabulary, settings: SampleConfig, draw: float) -> Sampled:
    """The character that the random number `draw` falls on, of logits (V,) under temperature and filters."""
    weights = _weights(logits, settings)
    index = sample_next(weights, draw)
    return Sampled(vocabulary.characters[index], index, logits, weights, draw)


def generate_many(
    model: Any, vocabulary: Vocabulary, count: int, settings: SampleConfig, unknown: UnknownPolicy = "error"
) -> list[str]:
    """`count` texts at once; the i-th is the one that `generate` gives with seed `settings.seed + i`.

    The sequences are stepped side by side, which costs little more than one of them alone.

    Raises:
        ConfigError: `count` is not 1 to 1,000, or the model cannot generate.
        UnknownCharacterError: the prime has characters that the model does not know.
    """
    if not 1 <= count <= 1000:
        raise ConfigError(f"The number of samples must be 1 to 1,000, not {count}.")
    numpy_model = checked(model, vocabulary)
    logits, state = read_prime(numpy_model, vocabulary, vocabulary.encode(settings.prime, unknown), count)
    rngs = [np.random.default_rng(settings.seed + i) for i in range(count)]
    drawn = np.empty((settings.length, count), np.uint16)
    for t in range(settings.length):
        if t % DRAWS_AT_ONCE == 0:
            draws = np.stack([rng.random(DRAWS_AT_ONCE) for rng in rngs], axis=1)
        drawn[t] = sample_rows(_weights(logits, settings), draws[t % DRAWS_AT_ONCE])
        logits, state = numpy_model.step(drawn[t], state)
    characters = vocabulary.characters
    return [_cut_at("".join([characters[i] for i in text]), settings.stop) for text in drawn.T.tolist()]


def _cut_at(text: str, stop: str | None) -> str:
    found = text.find(stop) if stop else -1
    return text if found < 0 else text[: found + len(stop or "")]


def draw_stages(
    logits: NDArray[Any],
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    draw: float | None = None,
) -> DrawStages:
    """The way of one draw, step by step: logits, temperature, filters, softmax, and where the random number falls.

    Args:
        logits: the model's scores, (V,). -inf is a character that cannot come: one that the training text, from whose
            frequencies a text without a prime begins, never had.
        temperature, top_k, top_p: see `filter_logits`.
        draw: the uniform random number in [0, 1), as `Sampled.draw` has it.

    Raises:
        ConfigError: the logits are not a row of numbers, or a setting is out of bounds.
    """
    SampleConfig(temperature=temperature, top_k=top_k, top_p=top_p)  # says so if one is out of bounds
    scores = np.asarray(logits, np.float64)
    if scores.ndim != 1 or len(scores) == 0:
        raise ConfigError(f"The logits of one draw are a row of V numbers, not an array of the shape {scores.shape}.")
    if not np.isfinite(scores.max()):  # the largest is NaN where any is
        raise ConfigError(
            "The logits have a value that is not a finite number, so there is nothing to draw from. "
            "Go back to weights from before the training diverged."
        )
    if draw is not None and not 0 <= draw < 1:
        raise ConfigError(f"The random number of a draw must be at least 0 and below 1, not {draw}.")
    filtered = filter_logits(scores, temperature, top_k, top_p)
    weights = np.exp(filtered)
    order = np.flatnonzero(weights)
    reached = np.add.accumulate(weights)
    with np.errstate(over="ignore"):  # a tiny temperature may leave the range of a float
        scaled = scores / temperature if temperature else None
    return DrawStages(
        temperature, top_k, top_p, scores, scaled, softmax(scores), softmax(filter_logits(scores, temperature)),
        filtered > -np.inf, weights / np.add.reduce(weights), order, reached[order] / reached[-1], draw,
        sample_next(weights, draw or 0.0) if draw is not None or temperature == 0 else None,
    )  # fmt: skip

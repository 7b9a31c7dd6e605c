"""The networks of the other sequence shapes: what padding, the bridge, teacher forcing and the blank may not do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from rnn.config import CELLS, ModelConfig
from rnn.data.sequences import BEGIN, END, FIRST, PAD
from rnn.errors import ConfigError
from rnn.models import Recurrent
from rnn.network_shapes import (
    Shapes,
    blank_filler_shapes,
    encoder_decoder_shapes,
    image_decoder_shapes,
    plain_classifier_shapes,
    sequence_classifier_shapes,
)
from rnn.networks import (
    BlankFiller,
    Bridge,
    EncoderDecoder,
    ImageDecoder,
    PlainClassifier,
    SequenceClassifier,
    Source,
    Writer,
)

# All sizes differ, so that a swapped axis cannot pass. S, V: source and target symbols; I: numbers in a vector.
T, B, I, S, V, H, CLASSES = 7, 4, 3, 9, 8, 5, 6  # noqa: E741
LENGTHS = torch.tensor([7, 1, 4, 6])
TARGET_LENGTHS = torch.tensor([2, 5, 1, 4])
EXACT = {"rtol": 0, "atol": 1e-12}  # float64

Network = nn.Module
SOURCES: tuple[Source, ...] = ("symbols", "vectors")

cells = pytest.mark.parametrize("cell", CELLS)
cell_pairs = pytest.mark.parametrize(("encoder", "decoder"), list(product(CELLS, CELLS)))
sources = pytest.mark.parametrize("source", ["symbols", "vectors"])
two_ways = pytest.mark.parametrize("bidirectional", [False, True])


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def symbols(size: int, *shape: int, seed: int = 0) -> Tensor:
    return torch.randint(size, shape, generator=torch.Generator().manual_seed(seed))


def read(source: Source) -> Tensor:
    """(T, B) symbols or (T, B, I) vectors, whose padding holds anything but zeros."""
    return symbols(S, T, B) if source == "symbols" else draw(T, B, I)


def written(seed: int = 0) -> Tensor:
    """Targets (5, B) as the data makes them: symbols, END, PAD."""
    target = FIRST + symbols(V - FIRST, 5, B, seed=seed)
    t = torch.arange(5).unsqueeze(1)
    return target.masked_fill(t == TARGET_LENGTHS - 1, END).masked_fill(t >= TARGET_LENGTHS, PAD)


def source_size(source: Source) -> int:
    return S if source == "symbols" else I


def gradients(network: Network, loss: Tensor) -> dict[str, Tensor]:
    network.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    return {name: p.grad.clone() for name, p in network.named_parameters() if p.grad is not None}


def encoder_decoder(encoder: str, decoder: str, source: Source = "symbols", **options: Any) -> EncoderDecoder:
    first, second = ModelConfig(encoder, H, 2, embedding_size=2), ModelConfig(decoder, H + 1, 2, embedding_size=2)
    return EncoderDecoder(first, second, source_size(source), V, source=source, **options).double()


# Sequences of several lengths


@two_ways
@pytest.mark.parametrize("path", ["cells", "scan"])
@cells
def test_recurrent_layers_read_several_lengths_as_torch_nn_reads_a_packed_sequence(
    cell: str, path: Any, bidirectional: bool
) -> None:
    config = ModelConfig(cell, H, 3, bidirectional=bidirectional)
    recurrent = Recurrent(I, config, torch.Generator().manual_seed(0)).double()
    kind: Any = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[cell]
    judge = kind(I, H, 3, bidirectional=bidirectional).double()
    judge.load_state_dict(recurrent.state_dict())
    x = draw(T, B, I)
    start = tuple(draw(3 * config.directions, B, H, seed=1 + i) for i in range(2 if cell == "lstm" else 1))

    packed, last = judge(pack_padded_sequence(x, LENGTHS, enforce_sorted=False), start if cell == "lstm" else start[0])
    expected = [pad_packed_sequence(packed)[0], *(last if cell == "lstm" else [last])]
    outputs, state = recurrent(x, start, path, lengths=LENGTHS)
    is_padding = (torch.arange(T).unsqueeze(1) >= LENGTHS).unsqueeze(-1)
    found = [outputs.masked_fill(is_padding, 0), *state]
    torch.testing.assert_close(found, expected, **EXACT)

    weights = [draw(*part.shape, seed=5 + i) for i, part in enumerate(expected)]
    wanted = gradients(judge, sum((w * e).sum() for w, e in zip(weights, expected, strict=True)))  # type: ignore[arg-type]
    got = gradients(recurrent, sum((w * f).sum() for w, f in zip(weights, found, strict=True)))  # type: ignore[arg-type]
    torch.testing.assert_close(got, wanted, **EXACT)


@pytest.mark.parametrize("embedding_size", [0, 2])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_an_lstm_keeps_its_state_at_the_padding_in_every_number_format(dtype: torch.dtype, embedding_size: int) -> None:
    recurrent = Recurrent(embedding_size or S, ModelConfig("lstm", H, 2), torch.Generator().manual_seed(0))
    embedding = draw(S, embedding_size).float() if embedding_size else None
    x = symbols(S, T, 1).expand(T, 2)
    _, state = recurrent(x, None, "scan", dtype, embedding, torch.tensor([3, 1]))
    for b, length in enumerate((3, 1)):
        _, alone = recurrent(x[:length, :1], None, "scan", dtype, embedding)
        torch.testing.assert_close([s[:, b : b + 1] for s in state], list(alone), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        ([0, 1, 1, 1], f"from 1 to {T}, not 0 to 1"),
        ([1, 1, 1, T + 1], f"from 1 to {T}, not 1 to 8"),
        ([1], "one for each"),
    ],
)
def test_lengths_that_do_not_fit_the_sequences_are_refused(lengths: list[int], message: str) -> None:
    network = SequenceClassifier(ModelConfig("gru", H), I, CLASSES).double()
    with pytest.raises(ConfigError, match=f"lengths must be {message}"):
        network(read("vectors"), torch.tensor(lengths))


@pytest.mark.parametrize("reverse_source", [False, True])
@sources
@cell_pairs
def test_padding_changes_nothing_for_an_encoder_and_its_decoder(
    encoder: str, decoder: str, source: Source, reverse_source: bool
) -> None:
    network = encoder_decoder(encoder, decoder, source, reverse_source=reverse_source)
    x, target = read(source), written()
    together = network(x, target, LENGTHS)
    alone = []
    for b, (length, steps) in enumerate(zip(LENGTHS.tolist(), TARGET_LENGTHS.tolist(), strict=True)):
        own = x[:length, b : b + 1], target[:steps, b : b + 1]
        torch.testing.assert_close(network(*own), together[:steps, b : b + 1], **EXACT)
        alone.append(network.loss(*own) * steps)
    one_by_one = torch.stack(alone).sum() / TARGET_LENGTHS.sum()
    loss = network.loss(x, target, LENGTHS)
    torch.testing.assert_close(loss, one_by_one, **EXACT)
    torch.testing.assert_close(gradients(network, loss), gradients(network, one_by_one), **EXACT)
    found = network.greedy(x, LENGTHS, max_length=6)
    assert found == [network.greedy(x[:n, b : b + 1], max_length=6)[0] for b, n in enumerate(LENGTHS.tolist())]


@pytest.mark.parametrize("each_step", [False, True])
@two_ways
@sources
@cells
def test_padding_changes_nothing_for_a_classifier(
    cell: str, source: Source, bidirectional: bool, each_step: bool
) -> None:
    config = ModelConfig(cell, H, 2, embedding_size=2, bidirectional=bidirectional)
    network = SequenceClassifier(config, source_size(source), CLASSES, 0, source, each_step).double()
    x, labels = read(source), symbols(CLASSES, *([T, B] if each_step else [B]))
    together = network(x, LENGTHS)
    alone = []
    for b, length in enumerate(LENGTHS.tolist()):
        own = x[:length, b : b + 1]
        theirs = together[:length, b : b + 1] if each_step else together[b : b + 1]
        torch.testing.assert_close(network(own), theirs, **EXACT)
        answers = labels[:length, b : b + 1] if each_step else labels[b : b + 1]
        alone.append(network.loss(own, answers) * answers.numel())
    one_by_one = torch.stack(alone).sum() / (LENGTHS.sum() if each_step else B)
    loss = network.loss(x, labels, LENGTHS)
    torch.testing.assert_close(loss, one_by_one, **EXACT)
    torch.testing.assert_close(gradients(network, loss), gradients(network, one_by_one), **EXACT)


# The bridge


@cell_pairs
def test_the_bridge_gives_the_decoder_a_state_of_its_own_cell_size_and_depth(encoder: str, decoder: str) -> None:
    for above, below, size, directions in product((1, 2, 3), (1, 2, 3), (H, H + 1), (1, 2)):
        first = ModelConfig(encoder, H, above, bidirectional=directions == 2)
        second = ModelConfig(decoder, size, below)
        bridge = Bridge(first, second, torch.Generator().manual_seed(0)).double()
        given = tuple(draw(above * directions, B, H, seed=i) for i in range(2 if encoder == "lstm" else 1))
        state = bridge(given)
        assert [tuple(s.shape) for s in state] == [(below, B, size)] * (2 if decoder == "lstm" else 1)
        fits = encoder == decoder and size == directions * H
        assert (bridge.map is None) == fits == (not list(bridge.parameters()))
        if fits and above == below:
            assert all(torch.equal(s, g) for s, g in zip(state, given, strict=True))


def test_the_bridge_puts_both_directions_of_a_layer_side_by_side() -> None:
    bridge = Bridge(ModelConfig("gru", H, 2, bidirectional=True), ModelConfig("gru", 2 * H, 2), torch.Generator())
    h = draw(4, B, H)
    torch.testing.assert_close(bridge((h,))[0], torch.stack([torch.cat([h[0], h[1]], -1), torch.cat([h[2], h[3]], -1)]))


@pytest.mark.parametrize(("layers", "below", "taken"), [(3, 1, [2]), (3, 2, [1, 2]), (2, 4, [0, 1, 1, 1])])
def test_layers_meet_from_the_top(layers: int, below: int, taken: list[int]) -> None:
    bridge = Bridge(ModelConfig("gru", H, layers), ModelConfig("gru", H, below), torch.Generator())
    h = draw(layers, B, H)
    assert torch.equal(bridge((h,))[0], h[taken])


@pytest.mark.parametrize("decoder", ["gru", "lstm"])
@pytest.mark.parametrize("encoder", ["gru", "lstm"])
def test_a_decoder_takes_c_from_the_c_of_the_encoder_or_else_from_its_h(encoder: str, decoder: str) -> None:
    bridge = Bridge(ModelConfig(encoder, H), ModelConfig(decoder, H + 1), torch.Generator().manual_seed(0)).double()
    given = tuple(draw(1, B, H, seed=i) for i in range(2 if encoder == "lstm" else 1))
    weights = dict(bridge.map.named_parameters())  # type: ignore[union-attr]
    sources = {"h": given[0], "c": given[-1]}
    for part, found in zip("hc", bridge(given), strict=False):
        expected = sources[part] @ weights[f"weight_{part}_l0"].t() + weights[f"bias_{part}_l0"]
        torch.testing.assert_close(found, expected, **EXACT)


@cell_pairs
def test_every_parameter_learns(encoder: str, decoder: str) -> None:
    for above, below in ((1, 1), (1, 3), (2, 2)):
        network = EncoderDecoder(ModelConfig(encoder, H, above), ModelConfig(decoder, H, below), S, V).double()
        found = gradients(network, network.loss(read("symbols"), written()))
        assert list(found) == [name for name, _ in network.named_parameters()]
        assert all(gradient.abs().sum() > 0 for gradient in found.values())


# Writing


def greedy_by_hand(network: Writer, source: Tensor, steps: int) -> list[int]:
    """One source, by asking anew after every symbol for all of them; no state is carried."""
    found: list[int] = []
    while len(found) < steps:
        logits = network(source, torch.tensor([*found, PAD]).view(-1, 1))
        best = int(logits[-1, 0].argmax())
        if best == END:
            break
        found.append(best)
    return found


def redrawn(network: Writer, end_bias: float) -> Writer:
    """Large weights make states, and so what is likeliest, change from step to step."""
    with torch.no_grad():
        for i, parameter in enumerate(network.parameters()):
            parameter.copy_(draw(*parameter.shape, seed=i))
        network.decoder.head.bias[END] += end_bias
    return network


@cells
def test_greedy_writes_what_is_likeliest_after_what_it_has_written_and_stops_at_the_end(cell: str) -> None:
    network = redrawn(encoder_decoder("gru", cell), end_bias=1.0)
    x = symbols(S, T, 40)
    found = network.greedy(x, max_length=9)
    assert found == [greedy_by_hand(network, x[:, b : b + 1], 9) for b in range(40)]
    assert len({len(own) for own in found}) > 1
    assert all(END not in own for own in found)


@pytest.mark.parametrize(("by", "length"), [(1e6, 0), (-1e6, 6)])
def test_greedy_stops_at_once_or_at_the_maximal_length(by: float, length: int) -> None:
    network = redrawn(encoder_decoder("gru", "lstm"), by)
    assert [len(own) for own in network.greedy(read("symbols"), max_length=6)] == [length] * B


def test_greedy_leaves_training_mode_as_it_was_and_drops_nothing() -> None:
    config = ModelConfig("gru", H, 2, dropout=0.5)
    network = EncoderDecoder(config, config, S, V).double()
    first, second = (network.train().greedy(read("symbols"), max_length=9) for _ in range(2))
    assert first == second
    assert network.training
    assert network.decoder.training


def test_teacher_forcing_reads_the_target_and_free_running_the_own_output() -> None:
    network = encoder_decoder("gru", "lstm")
    x, target, other = read("symbols"), symbols(V, 5, B), symbols(V, 5, B, seed=1)
    forced, free = network(x, target), network(x, target, teacher_forcing=0.0)
    torch.testing.assert_close(forced[0], free[0], **EXACT)
    assert not torch.allclose(forced[1:], network(x, other)[1:])
    torch.testing.assert_close(free, network(x, other, teacher_forcing=0.0), **EXACT)
    # What is read freely is what was likeliest, so reading that by force is the same.
    torch.testing.assert_close(network(x, free.argmax(-1)), free, **EXACT)


def test_what_is_written_at_a_step_depends_on_no_later_symbol_of_the_target() -> None:
    network = encoder_decoder("gru", "gru")
    x, target = read("symbols"), symbols(V, 5, B)
    for t in range(5):
        changed = target.clone()
        changed[t] = (target[t] + 1) % V
        is_same = (network(x, changed) == network(x, target)).all(dim=-1)
        assert is_same[: t + 1].all()
        assert not is_same[t + 1 :].any()


def test_step_by_step_with_every_step_forced_is_the_whole_sequence_at_once() -> None:
    network = encoder_decoder("lstm", "gru")
    almost_one = 1 - 1e-12  # so close that no draw is above it, and yet not 1, which takes the fast way
    expected = network(read("symbols"), written(), LENGTHS)
    torch.testing.assert_close(network(read("symbols"), written(), LENGTHS, almost_one), expected, **EXACT)


def test_teacher_forcing_in_part_follows_from_the_seed() -> None:
    x, target = read("symbols"), symbols(V, 5, B)
    first, same = (encoder_decoder("rnn", "gru", seed=3) for _ in range(2))
    half = first(x, target, teacher_forcing=0.5)
    torch.testing.assert_close(same(x, target, teacher_forcing=0.5), half, **EXACT)
    assert not torch.allclose(first(x, target, teacher_forcing=0.5), half)


@cells
def test_an_image_sets_the_first_state_and_no_later_input(cell: str) -> None:
    network = ImageDecoder(ModelConfig(cell, H, 2), I, V).double()
    image, target = draw(B, I), written()
    state = network.first_state(image)
    assert [tuple(s.shape) for s in state] == [(2, B, H)] * (2 if cell == "lstm" else 1)
    read_in = torch.cat([torch.full((1, B), BEGIN), target[:-1]])
    logits = network(image, target)
    torch.testing.assert_close(logits, network.decoder(read_in, state)[0], **EXACT)
    assert not torch.allclose(logits[-1], network(image + 1, target)[-1])
    is_real = target != PAD
    expected = F.cross_entropy(logits[is_real], target[is_real])
    torch.testing.assert_close(network.loss(image, target), expected, **EXACT)


# Classifying


def test_the_plain_classifier_is_two_matrices_and_a_nonlinearity() -> None:
    network = PlainClassifier(ModelConfig(hidden_size=H, nonlinearity="relu"), I, CLASSES).double()
    p, x = network.state_dict(), draw(B, I)
    h = (x @ p["hidden.weight"].t() + p["hidden.bias"]).clamp(min=0)
    torch.testing.assert_close(network(x), h @ p["head.weight"].t() + p["head.bias"], **EXACT)


@two_ways
def test_the_decision_is_taken_from_the_last_hidden_state(bidirectional: bool) -> None:
    network = SequenceClassifier(ModelConfig("lstm", H, 2, bidirectional=bidirectional), I, CLASSES).double()
    outputs, _ = network.reader.recurrent(draw(T, B, I))
    h = torch.cat([outputs[-1, :, :H], outputs[0, :, H:]], dim=-1)
    expected = h @ network.head.weight.t() + network.head.bias
    torch.testing.assert_close(network(draw(T, B, I)), expected, **EXACT)


def test_one_direction_labels_a_step_from_nothing_that_comes_after_it() -> None:
    network = SequenceClassifier(ModelConfig("gru", H), I, CLASSES, each_step=True).double()
    x = draw(T, B, I)
    changed = torch.cat([x[:4], x[4:] + 1])
    torch.testing.assert_close(network(changed)[:4], network(x)[:4], **EXACT)
    assert not torch.allclose(network(changed)[4], network(x)[4])


@pytest.mark.parametrize("left_only", [False, True])
@cells
def test_left_only_sees_nothing_of_the_right(cell: str, left_only: bool) -> None:
    network = BlankFiller(ModelConfig(cell, H, 2), V, left_only=left_only).double()
    places = [0, 2, 3, T - 1]
    x = symbols(V, T, B)
    x[places, torch.arange(B)] = network.blank
    for b, place in enumerate(places):
        for t in set(range(T)) - {place}:
            changed = x.clone()
            changed[t, b] = (x[t, b] + 1) % V
            is_same = torch.equal(network(changed)[b], network(x)[b])
            assert is_same == (left_only and t > place)


@pytest.mark.parametrize("blanks", [[], [1, 3]])
def test_a_sequence_without_one_blank_is_refused(blanks: list[int]) -> None:
    network = BlankFiller(ModelConfig("gru", H), V)
    x = symbols(V, T, B)
    x[0] = network.blank
    x[0, 1] = 0
    x[blanks, 1] = network.blank
    with pytest.raises(ConfigError, match="one blank"):
        network(x)


# Parameters and randomness


def variants() -> list[tuple[str, Callable[[int], Network], Shapes]]:
    """Each network in each of its forms: a name, how it is made from a seed, and the shapes that it should have."""
    made: list[tuple[str, Callable[[int], Network], Shapes]] = []
    for cell, bias, embedding, both in product(CELLS, (True, False), (0, 2), (False, True)):
        a = ModelConfig(cell, H, 2, embedding_size=embedding, bias=bias, bidirectional=both)
        b = ModelConfig("lstm", H + 1, 3, embedding_size=embedding, bias=bias)
        one = replace(a, bidirectional=False)
        name = f"{cell} bias={bias} embedding={embedding} both={both}"
        made += [
            (f"blank {name}", partial(BlankFiller, one, V, left_only=both), blank_filler_shapes(one, V, both)),
            (f"image {name}", partial(ImageDecoder, one, I, V), image_decoder_shapes(one, I, V)),
            (f"same {name}", partial(EncoderDecoder, one, one, S, V), encoder_decoder_shapes(one, one, S, V)),
        ]
        for source in SOURCES:
            size = source_size(source)
            classifier = partial(SequenceClassifier, a, size, CLASSES, source=source)
            translator = partial(EncoderDecoder, a, b, size, V, source=source)
            made += [
                (f"classifier {source} {name}", classifier, sequence_classifier_shapes(a, size, CLASSES, source)),
                (f"translator {source} {name}", translator, encoder_decoder_shapes(a, b, size, V, source)),
            ]
    plain = ModelConfig(hidden_size=H)
    made.append(("plain", partial(PlainClassifier, plain, I, CLASSES), plain_classifier_shapes(plain, I, CLASSES)))
    return made


every_network = pytest.mark.parametrize(("new", "shapes"), [pytest.param(m, s, id=name) for name, m, s in variants()])


@every_network
def test_parameters_are_those_that_the_shapes_list(new: Callable[..., Network], shapes: Shapes) -> None:
    state = new(seed=0).state_dict()
    assert [(name, tuple(tensor.shape)) for name, tensor in state.items()] == list(shapes.items())
    assert all(tensor.dtype == torch.float32 for tensor in state.values())


@every_network
def test_first_weights_follow_from_the_seed_alone(new: Callable[..., Network], shapes: Shapes) -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = new(seed=7).state_dict()
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    same, other = new(seed=7).state_dict(), new(seed=8).state_dict()
    assert all(torch.equal(first[name], same[name]) for name in shapes)
    assert not any(torch.equal(first[name], other[name]) for name in shapes if "weight" in name)


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_an_encoder_and_its_decoder_start_by_keeping_their_state(cell: str) -> None:
    config = ModelConfig(cell, H, 2)
    network = EncoderDecoder(config, config, S, V)
    for layers, layer in product((network.encoder.recurrent, network.decoder.recurrent), range(2)):
        w = layers.weights(layer)
        assert torch.equal((w.b_xh + w.b_hh)[H : 2 * H], torch.full((H,), 2.0))  # type: ignore[operator]


def test_dropout_follows_from_the_seed_and_is_off_outside_training() -> None:
    config = ModelConfig("gru", H, dropout=0.5)
    first, same = (SequenceClassifier(config, I, CLASSES, seed=3).double() for _ in range(2))
    x = draw(T, B, I)
    dropped = first(x)
    assert torch.equal(same(x), dropped)
    assert not torch.equal(first(x), dropped)
    assert torch.equal(first.eval()(x), same.eval()(x))


@pytest.mark.parametrize("network", ["translator", "image", "classifier", "plain", "blank"])
def test_bfloat16_gives_nearly_the_same_loss_and_gradients_in_float32(network: str) -> None:
    config = ModelConfig("lstm", 32, embedding_size=8)
    target, labels, image = written(), symbols(CLASSES, B), draw(B, I).float()
    blank = symbols(V, T, B)
    blank[2] = V
    makes: dict[str, tuple[Any, tuple[Tensor, ...]]] = {
        "translator": (EncoderDecoder(config, replace(config, cell="gru"), S, V), (read("symbols"), target, LENGTHS)),
        "image": (ImageDecoder(config, I, V), (image, target)),
        "classifier": (SequenceClassifier(config, I, CLASSES), (read("vectors").float(), labels, LENGTHS)),
        "plain": (PlainClassifier(config, I, CLASSES), (image, labels)),
        "blank": (BlankFiller(config, V), (blank, symbols(V, B))),
    }
    made, data = makes[network]
    exact = made.loss(*data)
    wide = gradients(made, exact)
    made.compute_dtype = torch.bfloat16
    rounded = made.loss(*data)
    assert rounded.dtype == torch.float32
    assert 0 < (rounded - exact).abs() < 0.02
    for name, gradient in gradients(made, rounded).items():
        assert (gradient - wide[name]).norm() < 0.1 * wide[name].norm() + 1e-3


# What is refused


def test_what_a_network_cannot_be_is_refused_in_a_sentence() -> None:
    both = ModelConfig("gru", H, bidirectional=True)
    one = ModelConfig("gru", H)
    with pytest.raises(ConfigError, match="decoder cannot be bidirectional"):
        EncoderDecoder(one, both, S, V)
    with pytest.raises(ConfigError, match="decoder cannot be bidirectional"):
        ImageDecoder(both, I, V)
    with pytest.raises(ConfigError, match="one hidden layer"):
        PlainClassifier(ModelConfig(num_layers=2), I, CLASSES)
    with pytest.raises(ConfigError, match="source must be one of symbols, vectors"):
        EncoderDecoder(one, one, S, V, source="images")  # type: ignore[arg-type]
    refused: list[tuple[Callable[..., Network], tuple[int, ...]]] = [
        (partial(EncoderDecoder, one, one), (0, V)),
        (partial(EncoderDecoder, one, one), (S, END)),
        (partial(ImageDecoder, one), (I, END)),
        (partial(ImageDecoder, one), (0, V)),
        (partial(SequenceClassifier, one), (I, 0)),
        (partial(PlainClassifier, one), (0, CLASSES)),
        (partial(BlankFiller, one), (0,)),
    ]
    for new, sizes in refused:
        with pytest.raises(ConfigError, match="must be at least"):
            new(*sizes)

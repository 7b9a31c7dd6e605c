"""The character model around the cells: its parameters, its inputs, its randomness, its number formats."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from rnn.config import CELLS, NONLINEARITIES, ModelConfig
from rnn.errors import ConfigError
from rnn.models import CharRNN, Recurrent, detach_state

T, B, V, H = 6, 3, 4, 5
EVERY = [("rnn", name) for name in NONLINEARITIES] + [("gru", "tanh"), ("lstm", "tanh")]


def characters(seed: int = 0, shape: tuple[int, ...] = (T, B)) -> Tensor:
    return torch.randint(V, shape, generator=torch.Generator().manual_seed(seed))


# Parameters


@pytest.mark.parametrize(("cell", "count"), [("rnn", 66_369), ("gru", 182_337), ("lstm", 240_321)])
def test_two_layers_of_128_on_65_characters_have_the_known_number_of_parameters(cell: str, count: int) -> None:
    config = ModelConfig(cell=cell, hidden_size=128, num_layers=2)
    model = CharRNN(config, vocabulary_size=65)
    assert sum(p.numel() for p in model.parameters()) == count == config.parameter_count(65)


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("embedding_size", [0, 2])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_parameters_are_those_that_the_configuration_lists(
    cell: str, bias: bool, embedding_size: int, bidirectional: bool
) -> None:
    config = ModelConfig(cell, H, 2, embedding_size=embedding_size, bias=bias, bidirectional=bidirectional)
    state = CharRNN(config, V).state_dict()
    assert [(name, tuple(tensor.shape)) for name, tensor in state.items()] == list(config.parameter_shapes(V).items())
    assert all(tensor.dtype == torch.float32 for tensor in state.values())


@pytest.mark.parametrize("embedding_size", [0, 2])
@pytest.mark.parametrize("cell", CELLS)
def test_first_weights_follow_from_the_seed(cell: str, embedding_size: int) -> None:
    config = ModelConfig(cell, H, 2, embedding_size=embedding_size)
    first, same, other = (CharRNN(config, V, seed).state_dict() for seed in (7, 7, 8))
    assert all(torch.equal(first[name], same[name]) for name in first)
    assert not any(torch.equal(first[name], other[name]) for name in first if "weight" in name)
    assert all(tensor.isfinite().all() for tensor in first.values())


def test_an_lstm_starts_with_open_forget_gates() -> None:
    recurrent = CharRNN(ModelConfig("lstm", H, 2), V).recurrent
    for layer in range(2):
        w = recurrent.weights(layer)
        assert w.b_xh is not None
        assert w.b_hh is not None
        assert torch.equal((w.b_xh + w.b_hh)[H : 2 * H], torch.ones(H))


def test_a_model_without_characters_is_refused() -> None:
    with pytest.raises(ConfigError, match="vocabulary_size"):
        CharRNN(ModelConfig(hidden_size=H), vocabulary_size=0)


# Forward


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("embedding_size", [0, 2])
@pytest.mark.parametrize(("cell", "nonlinearity"), EVERY)
def test_both_paths_give_the_same_logits_and_state(
    cell: str, nonlinearity: str, embedding_size: int, bidirectional: bool
) -> None:
    config = ModelConfig(
        cell, H, 2, embedding_size=embedding_size, nonlinearity=nonlinearity, bidirectional=bidirectional
    )
    model = CharRNN(config, V)
    logits, state = model(characters(), path="scan")
    assert logits.shape == (T, B, V)
    assert all(s.shape == (2 * config.directions, B, H) for s in state)
    torch.testing.assert_close(model(characters(), path="cells"), (logits, state), rtol=0, atol=1e-5)


@pytest.mark.parametrize("cell", CELLS)
def test_no_state_means_zeros(cell: str) -> None:
    model = CharRNN(ModelConfig(cell, H, 2), V)
    zeros = model.initial_state(B)
    assert len(zeros) == (2 if cell == "lstm" else 1)
    assert not any(s.any() for s in zeros)
    torch.testing.assert_close(model(characters(), zeros), model(characters()), rtol=0, atol=0)


@pytest.mark.parametrize("cell", CELLS)
def test_one_hot_input_is_an_embedding_by_the_identity(cell: str) -> None:
    one_hot = CharRNN(ModelConfig(cell, H, 2), V)
    embedded = CharRNN(ModelConfig(cell, H, 2, embedding_size=V), V)
    embedded.load_weights({**one_hot.state_dict(), "embedding.weight": torch.eye(V)})
    torch.testing.assert_close(embedded(characters()), one_hot(characters()), rtol=0, atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int32])
@pytest.mark.parametrize("embedding_size", [0, 2])
def test_indices_may_be_of_any_integer_type(dtype: torch.dtype, embedding_size: int) -> None:
    model = CharRNN(ModelConfig("gru", H, embedding_size=embedding_size), V)
    torch.testing.assert_close(model(characters().to(dtype)), model(characters()), rtol=0, atol=0)


@pytest.mark.parametrize("cell", CELLS)
def test_sequences_of_a_batch_do_not_see_each_other(cell: str) -> None:
    model = CharRNN(ModelConfig(cell, H, 2), V)
    together = model(characters())[0]
    for b in range(B):
        torch.testing.assert_close(model(characters()[:, b : b + 1])[0], together[:, b : b + 1], rtol=0, atol=1e-6)


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_only_a_bidirectional_model_sees_what_comes(cell: str, bidirectional: bool) -> None:
    model = CharRNN(ModelConfig(cell, H, 2, bidirectional=bidirectional), V)
    text = characters()
    changed = text.clone()
    changed[-1] = (text[-1] + 1) % V
    same = torch.isclose(model(text)[0], model(changed)[0], rtol=0, atol=1e-7).all(dim=-1)
    assert same[:-1].all() != bidirectional
    assert not same[-1].any()


@pytest.mark.parametrize("cell", CELLS)
def test_detached_state_keeps_the_numbers_and_drops_the_history(cell: str) -> None:
    _, state = CharRNN(ModelConfig(cell, H), V)(characters())
    for cut, whole in zip(detach_state(state), state, strict=True):
        assert torch.equal(cut, whole)
        assert whole.requires_grad
        assert not cut.requires_grad


# Dropout


def dropping(p: float, seed: int = 0, layers: int = 2) -> CharRNN:
    return CharRNN(ModelConfig("gru", H, layers, dropout=p), V, seed)


def test_dropout_is_off_when_evaluating() -> None:
    with_dropout, without = dropping(0.5).eval(), dropping(0.0).eval()
    before = with_dropout.generator.get_state()
    torch.testing.assert_close(with_dropout(characters()), without(characters()), rtol=0, atol=0)
    assert torch.equal(with_dropout.generator.get_state(), before)


@pytest.mark.parametrize("layers", [1, 2])
def test_what_the_last_layer_passes_to_the_output_is_dropped_too(layers: int) -> None:
    model, same = dropping(0.5, layers=layers), dropping(0.5, layers=layers)
    dropped = same.recurrent.dropped(same.recurrent(characters(), embedding=None)[0])
    torch.testing.assert_close(model(characters())[0], same.head(dropped))


def test_dropout_masks_come_from_the_models_own_generator() -> None:
    before = torch.get_rng_state()
    one, same, other = dropping(0.5, seed=1), dropping(0.5, seed=1), dropping(0.5, seed=2)
    other.load_weights(one.state_dict())
    first = one(characters())[0]
    torch.rand(3)  # somebody else draws
    assert torch.equal(same(characters())[0], first)
    assert not torch.equal(other(characters())[0], first)
    assert not torch.equal(one(characters())[0], first), "each step has a new mask"
    torch.set_rng_state(before)
    dropping(0.5, seed=1)(characters())
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("p", [0.2, 0.75])
def test_dropout_zeroes_its_share_and_keeps_the_mean(p: float) -> None:
    recurrent = Recurrent(2, ModelConfig("rnn", H, 2, dropout=p), torch.Generator().manual_seed(0))
    dropped = recurrent.dropped(torch.ones(100, 20, H))
    assert dropped.unique().tolist() == pytest.approx([0, 1 / (1 - p)])
    assert (dropped == 0).float().mean().item() == pytest.approx(p, abs=0.02)
    assert dropped.mean().item() == pytest.approx(1, abs=0.05)


# Number formats


@pytest.mark.parametrize("embedding_size", [0, 3])
@pytest.mark.parametrize(("cell", "nonlinearity"), EVERY)
def test_bfloat16_is_close_to_float32(cell: str, nonlinearity: str, embedding_size: int) -> None:
    config = ModelConfig(cell, 16, 2, nonlinearity=nonlinearity, embedding_size=embedding_size)
    model, rounded = CharRNN(config, V), CharRNN(config, V)
    rounded.compute_dtype = torch.bfloat16
    targets = characters(seed=1).flatten()
    losses = []
    for each in (model, rounded):
        logits, state = each(characters())
        assert logits.dtype == torch.float32
        losses.append(torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets))
        losses[-1].backward()
    assert all(s.dtype == torch.float32 for s in (*state, *rounded.initial_state(B)))
    torch.testing.assert_close(losses[1], losses[0], rtol=0, atol=0.02)
    for ours, reference in zip(rounded.parameters(), model.parameters(), strict=True):
        assert ours.grad is not None
        assert reference.grad is not None
        assert ours.grad.dtype == torch.float32
        assert (ours.grad - reference.grad).norm() <= 0.05 * reference.grad.norm() + 1e-3


@pytest.mark.parametrize("cell", CELLS)
def test_bfloat16_state_is_carried_from_chunk_to_chunk(cell: str) -> None:
    model = CharRNN(ModelConfig(cell, H, 2), V)
    model.compute_dtype = torch.bfloat16
    whole, _ = model(characters())
    first, state = model(characters()[:2])
    second, _ = model(characters()[2:], state)
    torch.testing.assert_close(torch.cat([first, second]), whole, rtol=0, atol=0.02)

"""Chunk by chunk: the steps are those of training by torch.nn, and without the wall graphs grow."""

from __future__ import annotations

import inspect
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from rnn.config import CELLS, ModelConfig
from rnn.errors import ConfigError, InputError
from rnn.gradients.chunks import CLIP_NORM, ChunkStep, Growth, chunk_steps, growing, learn_in_chunks
from rnn.models import CharRNN, detach_state
from rnn.stepwise import to_the_end

V, T, K, RATE = 6, 22, 5, 0.3
INDICES = np.random.default_rng(0).integers(V, size=T + 1)


def weights_of(config: ModelConfig) -> dict[str, np.ndarray]:
    return {name: 2 * tensor.numpy() for name, tensor in CharRNN(config, V, seed=1).state_dict().items()}


def steps_of(config: ModelConfig, k: int = K) -> tuple[ChunkStep, ...]:
    return to_the_end(chunk_steps(config, weights_of(config), INDICES, k, RATE))


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("cell", CELLS)
def test_losses_gradients_and_updates_are_those_of_a_plain_training_loop(cell: str, layers: int) -> None:
    config = ModelConfig(cell, 4, layers, embedding_size=3 * (layers - 1))
    model = CharRNN(config, V, seed=1)
    model.load_weights({name: torch.from_numpy(w) for name, w in weights_of(config).items()})
    size = float(torch.cat([p.detach().flatten() for p in model.parameters()]).norm())
    state = None
    for found in steps_of(config):
        before = torch.cat([p.detach().flatten().clone() for p in model.parameters()])
        read = torch.from_numpy(INDICES[found.begin : found.end])[:, None]
        targets = torch.from_numpy(INDICES[found.begin + 1 : found.end + 1])
        logits, after = model(read, state)
        losses = F.cross_entropy(logits[:, 0], targets, reduction="none")
        model.zero_grad()
        losses.mean().backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP_NORM)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter -= RATE * parameter.grad
        moved = torch.cat([p.detach().flatten() for p in model.parameters()]) - before
        np.testing.assert_allclose(found.losses, losses.detach(), rtol=1e-4)
        assert found.gradient == pytest.approx(float(norm), rel=1e-4)
        assert found.update == pytest.approx(float(moved.norm()) / size, rel=1e-3)
        assert found.carried == pytest.approx(float(after[0][-1].detach().norm()), rel=1e-4)
        state = detach_state(after)


@pytest.mark.parametrize("k", [1, 5, 11, T])
def test_chunks_follow_each_other_to_the_end(k: int) -> None:
    found = steps_of(ModelConfig("gru", 4), k)
    assert [one.begin for one in found] == list(range(0, T, k))
    assert [one.end for one in found] == [*range(k, T, k), T]
    for one in found:
        assert one.losses.shape == one.states.shape == one.arriving.shape == (one.end - one.begin,)
        assert one.arriving.min() > 0  # every step of the chunk gets its part, no step outside is asked for


def test_weights_that_were_given_stay_as_they_are() -> None:
    config = ModelConfig("rnn", 4)
    weights = weights_of(config)
    before = {name: array.copy() for name, array in weights.items()}
    to_the_end(chunk_steps(config, weights, INDICES, K, RATE))
    for name, array in weights.items():
        np.testing.assert_array_equal(array, before[name])


@pytest.mark.parametrize("cell", CELLS)
def test_detached_the_graph_stays_and_with_its_history_it_grows_chunk_by_chunk(cell: str) -> None:
    config = ModelConfig(cell, 4)
    cut, grown = (to_the_end(growing(config, weights_of(config), INDICES[:21], 5, detach)) for detach in (True, False))
    assert [one.chunk for one in cut] == [one.chunk for one in grown] == [1, 2, 3, 4]
    assert (cut[0].nodes, cut[0].saved_bytes) == (grown[0].nodes, grown[0].saved_bytes)
    assert len({one.nodes for one in cut[1:]}) == len({one.saved_bytes for one in cut[1:]}) == 1
    more = [(b.nodes - a.nodes, b.saved_bytes - a.saved_bytes) for a, b in pairwise(grown)]
    assert min(nodes for nodes, _ in more) > 0.5 * cut[0].nodes
    assert min(kept for _, kept in more) > 0.5 * cut[0].saved_bytes
    assert all(isinstance(one, Growth) and one.seconds > 0 for one in (*cut, *grown))


def test_the_line_that_is_shown_is_in_the_loop_that_runs() -> None:
    assert "detach_state(layer)" in inspect.getsource(learn_in_chunks)
    assert "h = h.detach()" in inspect.getsource(learn_in_chunks)


@pytest.mark.parametrize("k", [0, -1, T + 1])
def test_a_chunk_length_that_cannot_be_is_refused(k: int) -> None:
    config = ModelConfig("rnn", 4)
    for work in (
        chunk_steps(config, weights_of(config), INDICES, k),
        growing(config, weights_of(config), INDICES, k, True),
    ):
        with pytest.raises(ConfigError, match="chunk length"):
            to_the_end(work)


def test_one_character_and_a_network_that_is_too_large_are_refused() -> None:
    config = ModelConfig("rnn", 4)
    with pytest.raises(InputError, match="at least two"):
        to_the_end(chunk_steps(config, weights_of(config), INDICES[:1], 1))
    large = {"head.weight": np.zeros((6_000_000, 1), np.float32)}
    with pytest.raises(ConfigError, match="take too long"):
        to_the_end(chunk_steps(config, large, INDICES, 5))

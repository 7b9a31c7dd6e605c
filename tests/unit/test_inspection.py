"""The readable forward pass, held against the torch model and the numpy sampler."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from rnn.cells import Weights, cell_step
from rnn.config import CELLS, ModelConfig
from rnn.errors import ConfigError, InputError, PlaygroundError
from rnn.inspection import GATES, MOST_NUMBERS, NO_INPUT, Inspection, inspect, inspect_steps
from rnn.models import CharRNN
from rnn.sampling import NumpyModel
from rnn.topology import SequenceShape, Step, steps_of

V = 7
INDICES = [3, 0, 6, 6, 2]
CONFIGS = [
    ModelConfig(cell, 4, layers, 0.0, embedding, nonlinearity, bias, both)
    for cell, layers, embedding, nonlinearity, bias, both in (
        ("rnn", 1, 0, "tanh", True, False),
        ("rnn", 2, 3, "relu", True, True),
        ("rnn", 1, 0, "sigmoid", False, False),
        ("gru", 1, 0, "tanh", False, True),
        ("gru", 3, 5, "tanh", True, False),
        ("lstm", 2, 0, "tanh", True, True),
        ("lstm", 2, 3, "tanh", False, False),
    )
]


def inspected(config: ModelConfig, indices: Any = INDICES) -> tuple[CharRNN, dict[str, Any], Inspection]:
    model = CharRNN(config, V, seed=1)
    with torch.no_grad():
        for parameter in model.parameters():  # biases of our own, so that none can be left out unseen
            parameter.add_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(2)))
    weights = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    return model, weights, inspect(config, weights, indices)


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_the_logits_are_the_torch_models(config: ModelConfig) -> None:
    model, _, seen = inspected(config)
    with torch.no_grad():
        logits, _ = model(torch.tensor(INDICES).unsqueeze(1), path="cells")
    assert np.abs(seen.logits - logits[:, 0].numpy()).max() < 1e-5 * max(1.0, float(logits.abs().max()))
    assert np.allclose(seen.probabilities, torch.softmax(logits[:, 0].double(), -1).numpy(), atol=1e-5)


@pytest.mark.parametrize("config", [c for c in CONFIGS if not c.bidirectional], ids=str)
def test_states_and_logits_are_the_samplers(config: ModelConfig) -> None:
    _, weights, seen = inspected(config)
    sampler = NumpyModel(config, weights)
    state = sampler.initial_state()
    for t, index in enumerate(INDICES):
        logits, state = sampler.step([index], state)
        assert np.allclose(seen.logits[t], logits[0], rtol=1e-5, atol=1e-5)
        for (one,), (h, *c) in zip(seen.layers, state, strict=True):
            assert np.allclose(one.h[t], h[0], rtol=1e-5, atol=1e-5)
            if c:
                assert one.c is not None
                assert np.allclose(one.c[t], c[0][0], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_every_step_of_every_layer_is_the_cells(config: ModelConfig) -> None:
    model, _, seen = inspected(config)
    for passes in seen.layers:
        for one in passes:
            w = Weights(*(None if p is None else p.double() for p in model.recurrent.weights(one.layer, one.reverse)))
            before = (one.h_before,) if one.c_before is None else (one.h_before, one.c_before)
            state = tuple(torch.from_numpy(s) for s in before)
            step: Any = cell_step(config.cell, torch.from_numpy(one.x), state, w, config.nonlinearity)
            assert np.allclose(one.h, step.h.detach(), atol=1e-12)
            assert tuple(one.gates) == GATES[config.cell]
            for name, gate in one.gates.items():
                assert np.allclose(gate, getattr(step, name).detach(), atol=1e-12)


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_gates_are_their_sums_squashed(config: ModelConfig) -> None:
    for passes in inspected(config)[2].layers:
        for one in passes:
            for name, gate in one.gates.items():
                s = one.sums[name]
                assert np.allclose(gate, np.tanh(s) if name in "ng" else 1 / (1 + np.exp(-s)))
            if config.cell == "rnn" and config.nonlinearity == "tanh":
                assert np.allclose(one.h, np.tanh(one.sums["h"]))


def test_each_direction_starts_from_zeros_at_its_own_end() -> None:
    (forward, backward), _ = inspected(ModelConfig("lstm", 4, 2, bidirectional=True))[2].layers
    assert not forward.h_before[0].any()
    assert not backward.h_before[-1].any()
    assert (forward.h_before[1:] == forward.h[:-1]).all()
    assert (backward.h_before[:-1] == backward.h[1:]).all()


def test_the_first_layer_reads_one_hot_vectors_and_the_next_both_directions() -> None:
    first, second = inspected(ModelConfig("gru", 4, 2, bidirectional=True))[2].layers
    assert (first[0].x == np.eye(V)[INDICES]).all()
    assert (second[0].x == np.concatenate([first[0].h, first[1].h], axis=1)).all()


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("embedding", [0, 3])
def test_no_input_is_the_zero_vector(cell: str, embedding: int) -> None:
    *_, seen = inspected(ModelConfig(cell, 4, embedding_size=embedding), [1, NO_INPUT])
    assert not seen.layers[0][0].x[1].any()
    assert seen.layers[0][0].x[0].any()


@pytest.mark.parametrize("indices", [[], [V], [-2], [0.5], [[0]]])
def test_what_is_no_text_is_refused(indices: Any) -> None:
    with pytest.raises(InputError):
        inspected(ModelConfig("rnn", 4), indices)


def test_a_text_too_long_to_keep_is_refused_with_the_most_that_can_be() -> None:
    with pytest.raises(InputError, match=f"at most {MOST_NUMBERS // V:,}"):
        inspected(ModelConfig("rnn", 4), np.zeros(MOST_NUMBERS // V + 1, int))


def test_weights_of_another_network_are_refused() -> None:
    _, weights, _ = inspected(ModelConfig("rnn", 4))
    with pytest.raises(ConfigError, match="weight_ih_l0"):
        inspect(ModelConfig("gru", 4), weights, INDICES)
    with pytest.raises(ConfigError):
        inspect(ModelConfig("rnn", 4), {}, INDICES)


def test_a_network_that_diverged_is_refused() -> None:
    config = ModelConfig("rnn", 4)
    _, weights, _ = inspected(config)
    weights["recurrent.weight_hh_l0"] = weights["recurrent.weight_hh_l0"] * np.float32("nan")
    with pytest.raises(InputError, match="before the training diverged"):
        inspect(config, weights, INDICES)


# Sequence shapes --------------------------------------------------------------------------------------------------


def shaped(shape: SequenceShape, T: int, given: list[int], both: bool = False) -> tuple[CharRNN, Inspection]:
    config = ModelConfig("lstm", 4, 2, bidirectional=both)
    model, weights, _ = inspected(config)
    return model, inspect_steps(config, weights, steps_of(shape, T), given)


def test_one_to_many_reads_what_it_has_written() -> None:
    _, seen = shaped(SequenceShape.ONE_TO_MANY, 5, [2])
    assert seen.indices[0] == 2
    assert (seen.indices[1:] == seen.logits[:-1].argmax(axis=1)).all()


def test_a_decoder_starts_from_the_summary_and_nothing_else() -> None:
    model, seen = shaped(SequenceShape.DELAYED, 5, [2, 0, 5])
    assert seen.indices[3] == NO_INPUT
    assert seen.indices[4] == seen.logits[3].argmax()
    with torch.no_grad():
        _, state = model(torch.tensor([[2], [0], [5]]))
    h = state[0][:, 0].numpy()
    for one, summary in zip(seen.layers, h, strict=True):
        assert np.allclose(one[0].h_before[3], summary, atol=1e-5)


def test_many_to_one_in_both_directions_answers_from_the_last_state_of_each() -> None:
    model, seen = shaped(SequenceShape.MANY_TO_ONE, 3, [2, 0, 5], both=True)
    with torch.no_grad():
        _, (h, _) = model(torch.tensor([[2], [0], [5]]))
        logits = model.head(torch.cat([h[-2, 0], h[-1, 0]]))
    assert np.allclose(seen.logits[-1], logits.numpy(), atol=1e-5)
    assert np.allclose(seen.probabilities[-1], torch.softmax(logits, -1).numpy(), atol=1e-5)


@pytest.mark.parametrize(("shape", "given", "both"), [
    (SequenceShape.MANY_TO_MANY, [1, 2], False), (SequenceShape.ONE_TO_MANY, [], False),
    (SequenceShape.ONE_TO_MANY, [1], True),
])  # fmt: skip
def test_steps_without_their_characters_are_refused(shape: SequenceShape, given: list[int], both: bool) -> None:
    with pytest.raises(PlaygroundError):
        shaped(shape, 3, given, both)


def test_a_first_step_cannot_read_what_was_written() -> None:
    config = ModelConfig("rnn", 4)
    _, weights, _ = inspected(config)
    with pytest.raises(ConfigError, match="nothing that was written"):
        inspect_steps(config, weights, [Step("written", True)], [])

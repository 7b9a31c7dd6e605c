"""torch.nn judges every path with a network's own weights, and what is wrong does not pass."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from rnn import judging
from rnn.config import ModelConfig
from rnn.errors import ConfigError
from rnn.judging import concatenation, judge
from rnn.models import CharRNN

V, H = 7, 5
EVERY = [("rnn", "tanh"), ("rnn", "relu"), ("rnn", "sigmoid"), ("gru", "tanh"), ("lstm", "tanh")]

cells = pytest.mark.parametrize(("cell", "nonlinearity"), EVERY)


def weights_of(config: ModelConfig) -> dict[str, NDArray[np.float32]]:
    return {name: tensor.numpy() for name, tensor in CharRNN(config, V, seed=1).state_dict().items()}


@pytest.mark.parametrize(
    ("layers", "bidirectional", "bias", "embedding"), list(product((1, 3), (False, True), (True, False), (0, 4)))
)
@cells
def test_every_path_is_torch_nn_but_for_rounding(
    cell: str, nonlinearity: str, layers: int, bidirectional: bool, bias: bool, embedding: int
) -> None:
    config = ModelConfig(
        cell, H, layers, embedding_size=embedding, nonlinearity=nonlinearity, bias=bias, bidirectional=bidirectional
    )
    found = judge(config, weights_of(config))
    both = {("cells", "float32"), ("scan", "float32"), ("cells", "float64"), ("scan", "float64")}
    assert {(one.path, one.dtype) for one in found} == both | ({("numpy", "float32")} if not bidirectional else set())
    assert all(one.is_equal for one in found)
    assert all(max(one.outputs, one.state) < (1e-6 if one.dtype == "float32" else 1e-13) for one in found)


def test_another_seed_judges_other_numbers_and_the_same_seed_the_same() -> None:
    config = ModelConfig("rnn", 16, nonlinearity="relu")  # whose states grow: no two rounding errors are the same
    weights = {name: 3 * array for name, array in weights_of(config).items()}
    first, again, other = (judge(config, weights, seed) for seed in (0, 0, 1))
    assert first == again
    assert first != other


@pytest.mark.parametrize("path", ["_by_numpy", "by_scan"])
def test_a_path_that_forgets_its_state_does_not_pass(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    right = getattr(judging, path)

    def forgetful(model: Any, indices: Any, state: Any, *more: Any) -> Any:
        return right(model, indices, tuple(torch.zeros_like(part) for part in state), *more)

    monkeypatch.setattr(judging, path, forgetful)
    config = ModelConfig("gru", H)
    failed = {one.path for one in judge(config, weights_of(config)) if not one.is_equal}
    assert failed == ({"numpy"} if path == "_by_numpy" else {"cells", "scan"})


def test_what_is_not_a_number_does_not_pass() -> None:
    config = ModelConfig("lstm", H)
    weights = weights_of(config)
    weights["recurrent.weight_hh_l0"] = np.full_like(weights["recurrent.weight_hh_l0"], np.nan)
    assert not any(one.is_equal for one in judge(config, weights))


def test_the_global_generator_of_torch_stays_as_it_is() -> None:
    config = ModelConfig("lstm", H)
    before = torch.random.get_rng_state()
    judge(config, weights_of(config))
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("layer", "reverse"), [(0, False), (1, True)])
@cells
def test_one_matrix_gives_what_two_give(cell: str, nonlinearity: str, layer: int, reverse: bool, bias: bool) -> None:
    config = ModelConfig(cell, H, 2, nonlinearity=nonlinearity, bias=bias, bidirectional=True)
    assert concatenation(config, weights_of(config), layer, reverse) <= 1e-12


def test_the_two_forms_are_computed_differently(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its input columns, the one matrix gives something else."""
    config = ModelConfig("lstm", H)
    right = judging._concatenated

    def without_x(config: ModelConfig, x: torch.Tensor, state: Any, w: Any) -> Any:
        return right(config, torch.zeros_like(x), state, w)

    monkeypatch.setattr(judging, "_concatenated", without_x)
    assert concatenation(config, weights_of(config)) > 1e-3


@pytest.mark.parametrize("judged", [judge, concatenation])
def test_weights_that_do_not_fit_are_refused(judged: Any) -> None:
    config = ModelConfig("gru", H)
    missing: Mapping[str, Any] = {k: v for k, v in weights_of(config).items() if k != "recurrent.bias_hh_l0"}
    with pytest.raises(ConfigError, match=r"recurrent\.bias_hh_l0"):
        judged(config, missing)
    with pytest.raises(ConfigError, match="must have the shape"):
        judged(ModelConfig("lstm", H), weights_of(config))

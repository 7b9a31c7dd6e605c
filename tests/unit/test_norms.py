"""What is measured of each weight matrix is what a plain computation gives, and measuring changes nothing."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch

from rnn import training
from rnn.norms import after_update, before_update, matrix_name
from rnn.records import is_measured
from rnn.training import KEEPSAKE_EVERY, TrainState, train

NewState = Callable[..., TrainState]


def copies(state: TrainState) -> dict[str, torch.Tensor]:
    return {name: p.detach().clone() for name, p in state.model.named_parameters()}


@pytest.mark.parametrize(
    ("parameter", "name"),
    [
        ("embedding.weight", "embedding"),
        ("recurrent.weight_ih_l0", "layer 1 W_xh"),
        ("recurrent.weight_hh_l1", "layer 2 W_hh"),
        ("recurrent.weight_ih_l0_reverse", "layer 1 W_xh backward"),
        ("encoder.recurrent.weight_hh_l0", "encoder layer 1 W_hh"),
        ("weight_ih_l3", "layer 4 W_xh"),
        ("head.weight", "head W_hy"),
        ("decoder.head.weight", "decoder head"),
    ],
)
def test_a_parameter_has_a_name_that_people_read(parameter: str, name: str) -> None:
    assert matrix_name(parameter) == name


def test_every_matrix_of_a_model_is_measured_once(new_state: NewState) -> None:
    state = new_state(num_layers=2, embedding_size=3)
    list(train(state, stop_at=1))
    assert [n.name for n in state.layers] == [
        "embedding", "layer 1 W_xh", "layer 1 W_hh", "layer 2 W_xh", "layer 2 W_hh", "head W_hy",
    ]  # fmt: skip


@pytest.mark.parametrize("clip", ["norm", "value", "off"])
def test_norms_are_those_of_the_whole_gradient_and_of_the_change(new_state: NewState, clip: str) -> None:
    state = new_state(clip=clip, clip_norm=1e-4)
    gradients: dict[str, torch.Tensor] = {}
    for name, p in state.model.named_parameters():
        p.register_hook(lambda gradient, name=name: gradients.__setitem__(name, gradient.clone()))
    for _ in range(3):
        before = copies(state)
        list(train(state, stop_at=state.step + 1))
        after = copies(state)
        found = {n.name: n for n in state.layers if n.step == state.step}
        for name in (name for name, p in before.items() if p.ndim > 1):
            norms = found.pop(matrix_name(name))
            assert norms.grad_norm == pytest.approx(gradients[name].norm().item(), rel=1e-5)
            assert norms.weight_norm == pytest.approx(before[name].norm().item(), rel=1e-5)
            change = (after[name].double() - before[name].double()).norm().item()
            assert norms.update_ratio * norms.weight_norm == pytest.approx(change, rel=1e-4)
        assert found == {}


def test_the_first_steps_and_every_tenth_are_measured(new_state: NewState) -> None:
    state = new_state(steps=35)
    list(train(state))
    assert sorted({n.step for n in state.layers}) == [*range(1, 11), 20, 30]
    assert all(is_measured(n.step) for n in state.layers)


def test_measuring_changes_no_number_of_the_training(new_state: NewState, monkeypatch: pytest.MonkeyPatch) -> None:
    measured, bare = new_state(dropout=0.3), new_state(dropout=0.3)
    list(train(measured))
    monkeypatch.setattr(training, "is_measured", lambda step: False)
    list(train(bare))
    assert bare.layers == []
    assert [(m.loss, m.grad_norm) for m in measured.history] == [(m.loss, m.grad_norm) for m in bare.history]
    for name, weights in copies(bare).items():
        assert torch.equal(weights, copies(measured)[name])


def test_a_run_that_goes_back_forgets_what_came_after(new_state: NewState) -> None:
    state = new_state(steps=60)
    list(train(state, stop_at=KEEPSAKE_EVERY + 7))
    assert state.layers[-1].step == 30
    next(iter(state.model.parameters())).data.fill_(math.nan)
    list(train(state))
    assert (state.stop_reason, state.layers[-1].step) == ("diverged", 20)


@pytest.mark.parametrize("poison", [math.nan, math.inf, 0.0])
def test_what_is_no_finite_number_is_left_out(poison: float) -> None:
    model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Linear(3, 4))
    model(torch.ones(2)).sum().backward()
    model[0].weight.data.fill_(poison)
    assert [n.name for n in after_update(1, before_update(model))] == ["1"]

"""The update rules are torch.optim's, bit for bit, and training loads no compiler for them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from rnn.config import OPTIMIZERS, TrainConfig
from rnn.optimizers import Optimizer

RATES = (0.1, 0.03, 0.01, 0.002)
CONFIG = TrainConfig(weight_decay=0.2, beta1=0.8, beta2=0.97)


def new_model() -> nn.Module:
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return model


def judge(model: nn.Module, rule: str, momentum: float) -> torch.optim.Optimizer:
    parameters, betas = list(model.parameters()), (CONFIG.beta1, CONFIG.beta2)
    if rule == "adamw":
        groups = [
            {"params": [p for p in parameters if p.ndim > 1], "weight_decay": CONFIG.weight_decay},
            {"params": [p for p in parameters if p.ndim == 1], "weight_decay": 0.0},
        ]
        return torch.optim.AdamW(groups, betas=betas, fused=True)
    rules: dict[str, Callable[..., Any]] = {
        "adam": lambda: torch.optim.Adam(parameters, betas=betas, fused=True),
        "rmsprop": lambda: torch.optim.RMSprop(parameters, alpha=CONFIG.beta2),
        "adagrad": lambda: torch.optim.Adagrad(parameters),
        "sgd": lambda: torch.optim.SGD(parameters, lr=1.0, momentum=momentum),
    }
    optimizer: torch.optim.Optimizer = rules[rule]()
    return optimizer


def backward(model: nn.Module, step: int) -> None:
    x = torch.randn(5, 3, generator=torch.Generator().manual_seed(step))
    model(x).square().sum().backward()


@pytest.mark.parametrize("momentum", [CONFIG.beta1, 0.0])
@pytest.mark.parametrize("rule", OPTIMIZERS)
def test_steps_are_those_of_torch_bit_for_bit_also_after_a_load(rule: str, momentum: float) -> None:
    ours, theirs = new_model(), new_model()
    settings = (rule, momentum if rule == "sgd" else CONFIG.beta1, CONFIG.beta2, CONFIG.weight_decay)
    optimizer, reference = Optimizer(ours.named_parameters(), *settings), judge(theirs, rule, momentum)
    for step, rate in enumerate(RATES):
        if step == 2:
            saved, optimizer = optimizer.slots, Optimizer(ours.named_parameters(), *settings)
            optimizer.load(saved)
        for model in (ours, theirs):
            backward(model, step)
        optimizer.step(rate)
        for group in reference.param_groups:
            group["lr"] = rate
        reference.step()
        for mine, expected in zip(ours.parameters(), theirs.parameters(), strict=True):
            assert torch.equal(mine, expected)
        optimizer.zero_grad()
        reference.zero_grad()
        assert all(p.grad is None for p in ours.parameters())


@pytest.mark.parametrize("rule", OPTIMIZERS)
def test_a_parameter_without_a_gradient_stays_as_it_is(rule: str) -> None:
    model = new_model()
    optimizer = Optimizer(model.named_parameters(), rule, 0.9, 0.99, 0.1)
    before = [p.detach().clone() for p in model.parameters()]
    backward(model, 0)
    next(iter(model.parameters())).grad = None
    optimizer.step(0.1)
    moved = [not torch.equal(p, old) for p, old in zip(model.parameters(), before, strict=True)]
    assert moved == [False, True, True, True]


def test_what_is_loaded_is_a_copy() -> None:
    model = new_model()
    optimizer = Optimizer.of(model, CONFIG)
    backward(model, 0)
    optimizer.step(0.1)
    saved = optimizer.slots
    other = Optimizer.of(model, CONFIG)
    other.load(saved)
    before = saved["0.weight"]["exp_avg"].clone()
    other.step(0.1)
    assert torch.equal(saved["0.weight"]["exp_avg"], before)


TRAINS = """
import sys
from dataclasses import replace
from rnn.checkpoints import to_bytes
from rnn.config import OPTIMIZERS, ModelConfig, TrainConfig
from rnn.judging import judge
from rnn.training import TrainState, train

config = TrainConfig(batch_size=2, bptt_steps=4, steps=3, evaluate_every=2)
for rule in OPTIMIZERS:
    for cell in ("rnn", "gru", "lstm"):
        model = ModelConfig(cell, hidden_size=4, embedding_size=2)
        state = TrainState.create("a text to be learned " * 20, model, replace(config, optimizer=rule))
        list(train(state))
        to_bytes(state)
judge(model, {name: tensor.numpy() for name, tensor in state.model.state_dict().items()})
print([name for name in ("torch._dynamo", "torch._inductor", "sympy") if name in sys.modules])
"""


def test_training_saving_and_judging_load_no_compiler() -> None:
    done = subprocess.run([sys.executable, "-c", TRAINS], capture_output=True, text=True, timeout=120, check=False)
    assert done.stderr == ""
    assert done.stdout.strip() == "[]"

"""From gradients to steps: the update rules, their learning rate over time, clipping, and what they remember."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from rnn.config import TrainConfig

Slots = dict[str, Tensor]  # what an optimizer remembers of one parameter, by the slot's name


def make_optimizer(model: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    """The optimizer; weight decay (adamw) reaches the matrices, not the biases. The rate is set at every step."""
    parameters = list(model.parameters())
    betas = (config.beta1, config.beta2)
    if config.optimizer == "adamw":
        matrices = {"params": [p for p in parameters if p.ndim > 1], "weight_decay": config.weight_decay}
        biases = {"params": [p for p in parameters if p.ndim == 1], "weight_decay": 0.0}
        groups = [group for group in (matrices, biases) if group["params"]]
        return torch.optim.AdamW(groups, betas=betas, fused=True)
    if config.optimizer == "adam":
        return torch.optim.Adam(parameters, betas=betas, fused=True)
    if config.optimizer == "rmsprop":
        return torch.optim.RMSprop(parameters, alpha=config.beta2)
    if config.optimizer == "adagrad":
        return torch.optim.Adagrad(parameters)
    return torch.optim.SGD(parameters, lr=1.0, momentum=config.beta1)


def scheduled_rate(config: TrainConfig, step: int) -> float:
    """The learning rate of step `step` (from 0): linear warm-up, then decay to the final rate, which holds."""
    if step < config.warmup_steps:
        return config.learning_rate * (step + 1) / config.warmup_steps
    if config.decay == "none":
        return config.learning_rate
    progress = min(1.0, (step - config.warmup_steps) / max(1, config.steps - config.warmup_steps))
    shape = 1 - progress if config.decay == "linear" else (1 + math.cos(math.pi * progress)) / 2
    return config.learning_rate * (config.final_rate + (1 - config.final_rate) * shape)


def clip(parameters: list[Tensor], config: TrainConfig) -> tuple[float, bool]:
    """Clips the gradients in place; their norm before that, and whether it changed any of them."""
    gradients = [p.grad for p in parameters if p.grad is not None]
    norm = largest = torch.nn.utils.get_total_norm(gradients)
    if config.clip == "norm":
        torch.nn.utils.clip_grads_with_norm_(parameters, config.clip_norm, norm)
    elif config.clip == "value":
        largest = torch.nn.utils.get_total_norm(gradients, math.inf)
        torch.nn.utils.clip_grad_value_(parameters, config.clip_norm)
    return norm.item(), config.clip != "off" and largest.item() > config.clip_norm


def slots(optimizer: torch.optim.Optimizer, model: nn.Module) -> dict[str, Slots]:
    """What the optimizer remembers of each parameter, by the parameter's name."""
    remembered = {name: optimizer.state.get(p, {}) for name, p in model.named_parameters()}
    return {name: {k: v for k, v in own.items() if isinstance(v, Tensor)} for name, own in remembered.items()}


def load_slots(optimizer: torch.optim.Optimizer, model: nn.Module, saved: Mapping[str, Slots]) -> None:
    """The inverse of `slots`."""
    name_of = {parameter: name for name, parameter in model.named_parameters()}
    order = [name_of[parameter] for group in optimizer.param_groups for parameter in group["params"]]
    state = optimizer.state_dict()
    state["state"] = {i: saved[name] for i, name in enumerate(order) if saved.get(name)}
    optimizer.load_state_dict(state)

"""From gradients to steps: the update rules, their learning rate over time, clipping, and what they remember."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Self

import torch
from torch import Tensor, nn
from torch.optim import adagrad, adam, rmsprop, sgd

from rnn.config import TrainConfig

Slots = dict[str, Tensor]  # what an optimizer remembers of one parameter, by the slot's name


class Optimizer:
    """One of torch.optim's rules, by its functional form: the same steps, bit for bit.

    The classes of torch.optim load torch's compiler when they are made, to keep it off: 94 MB, which a small server
    does not have, and a second of the first training.

    Args:
        parameters: what is trained, by name.
        rule: "adamw", "adam", "rmsprop", "adagrad" or "sgd".
        beta1: share that a mean of gradients keeps (adamw, adam); momentum (sgd).
        beta2: share that a mean of squared gradients keeps (adamw, adam, rmsprop).
        weight_decay: of the matrices, not of the biases (adamw).

    Attributes:
        slots: what is remembered of each parameter, by the parameter's name; empty before the first step.
    """

    def __init__(
        self, parameters: Iterable[tuple[str, nn.Parameter]], rule: str, beta1: float, beta2: float,
        weight_decay: float = 0.0,
    ) -> None:  # fmt: skip
        self.slots: dict[str, Slots] = {}
        self._parameters = dict(parameters)
        self._rule, self._betas, self._weight_decay = rule, (beta1, beta2), weight_decay

    @classmethod
    def of(cls, model: nn.Module, config: TrainConfig) -> Self:
        """The one that the settings ask for."""
        return cls(model.named_parameters(), config.optimizer, config.beta1, config.beta2, config.weight_decay)

    def zero_grad(self) -> None:
        """Forgets the gradients."""
        for parameter in self._parameters.values():
            parameter.grad = None

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Changes every parameter that has a gradient, at this learning rate."""
        names = [name for name, p in self._parameters.items() if p.grad is not None]
        if self._rule == "adamw":  # each of its calls has one weight decay for all
            matrices = [name for name in names if self._parameters[name].ndim > 1]
            self._adam(matrices, rate, self._weight_decay)
            self._adam([name for name in names if name not in matrices], rate, 0.0)
        elif self._rule == "adam":
            self._adam(names, rate, 0.0)
        elif self._rule == "rmsprop":
            self._rmsprop(names, rate)
        elif self._rule == "adagrad":
            self._adagrad(names, rate)
        else:
            self._sgd(names, rate)

    def load(self, saved: Mapping[str, Slots]) -> None:
        """Takes over what an optimizer of this rule remembered, copied and moved to where the parameters are."""
        self.slots = {
            name: {slot: value.clone().to(self._place(name, slot)) for slot, value in own.items()}
            for name, own in saved.items()
            if own
        }

    def _place(self, name: str, slot: str) -> torch.device:
        """Of the fused rules everything lies beside the parameter; of the others, the number of steps on the CPU."""
        is_fused = self._rule in ("adamw", "adam")
        return self._parameters[name].device if slot != "step" or is_fused else torch.device("cpu")

    def _remembered(self, names: list[str], *slots: str) -> tuple[list[Tensor], ...]:
        """Parameters, gradients, the slots and the numbers of steps; slots are zeros at first."""
        for name in names:
            if name not in self.slots:
                like = self._parameters[name]
                self.slots[name] = {slot: torch.zeros_like(like) for slot in slots}
                self.slots[name]["step"] = torch.zeros((), device=self._place(name, "step"))
        parameters = [self._parameters[name] for name in names]
        gradients = [p.grad for p in parameters if p.grad is not None]
        own = [[self.slots[name][slot] for name in names] for slot in (*slots, "step")]
        return (list[Tensor](parameters), gradients, *own)

    def _adam(self, names: list[str], rate: float, weight_decay: float) -> None:
        if names:
            p, gradients, means, squares, steps = self._remembered(names, "exp_avg", "exp_avg_sq")
            adam.adam(
                p, gradients, means, squares, [], steps, foreach=False, fused=True, decoupled_weight_decay=True,
                amsgrad=False, beta1=self._betas[0], beta2=self._betas[1], lr=rate, weight_decay=weight_decay,
                eps=1e-8, maximize=False,
            )  # fmt: skip

    def _rmsprop(self, names: list[str], rate: float) -> None:
        p, gradients, squares, steps = self._remembered(names, "square_avg")
        rmsprop.rmsprop(
            p, gradients, squares, [], [], steps, lr=rate, alpha=self._betas[1], eps=1e-8, weight_decay=0.0,
            momentum=0.0, centered=False,
        )  # fmt: skip

    def _adagrad(self, names: list[str], rate: float) -> None:
        p, gradients, sums, steps = self._remembered(names, "sum")
        adagrad.adagrad(p, gradients, sums, steps, lr=rate, weight_decay=0.0, lr_decay=0.0, eps=1e-10, maximize=False)

    def _sgd(self, names: list[str], rate: float) -> None:
        p = list[Tensor](self._parameters[name] for name in names)
        gradients = [t.grad for t in p if t.grad is not None]
        buffers = [self.slots.get(name, {}).get("momentum_buffer") for name in names]
        sgd.sgd(
            p, gradients, buffers, weight_decay=0.0, momentum=self._betas[0], lr=rate, dampening=0.0, nesterov=False,
            maximize=False,
        )  # fmt: skip
        if self._betas[0]:
            self.slots = {n: {"momentum_buffer": b} for n, b in zip(names, buffers, strict=True) if b is not None}


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

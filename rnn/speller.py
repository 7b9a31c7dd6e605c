"""A network of 4 inputs, 3 hidden units and 4 outputs that learns to spell "hello".

    h_t = tanh(W_xh x_t + W_hh h_{t-1} + b_h)        y_t = W_hy h_t + b_y        L = sum_t -ln softmax(y_t)[target_t]

In float64, and whole: one sequence, the full gradient, no truncation. Nothing in here is kept between two calls.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rnn import cells, hello
from rnn.errors import ConfigError, TrainingError
from rnn.hello import CHARACTERS, HIDDEN, LARGEST, READ, TARGETS, Array, Progress, Weights
from rnn.optimizers import Optimizer
from rnn.records import Walk
from rnn.scan import scan

RULES = {"adam": 0.9, "sgd": 0.0}  # beta1 or, of sgd, the momentum


def first_weights(seed: int) -> dict[str, Array]:
    """The matrices that `rnn.RNN` draws from this seed, and biases of 0."""
    net = cells.RNN(len(CHARACTERS), HIDDEN, len(CHARACTERS), seed)
    drawn = {name: getattr(net, name).detach().numpy().copy() for name in ("W_xh", "W_hh", "W_hy")}
    return drawn | {"b_h": np.zeros(HIDDEN), "b_y": np.zeros(len(CHARACTERS))}


def look(weights: Weights) -> tuple[Walk, Array]:
    """The network's way through the four letters, and the gradient dL/dW_hh (H, H) that autograd finds."""
    model = _parameters(weights)
    states, logits, losses = _forward(model)
    (gradient,) = torch.autograd.grad(losses.sum(), [model["W_hh"]])
    return hello.walk(states.detach().numpy(), logits.detach().numpy()), gradient.numpy()


def train(
    progress: Progress, steps: int, rule: str = "adam", rate: float = 0.1, until_it_spells: bool = False
) -> Progress:
    """Gradient steps on the sum of the four losses. Twice 10 steps are the same as 20.

    Args:
        progress: where to go on; it stays as it is.
        steps: how many.
        rule: "adam" or "sgd", plain.
        rate: the learning rate, above 0.
        until_it_spells: stop as soon as the likeliest letters are the targets. What it writes by itself is then
            "hello", too: each letter that it feeds back is the one that it was trained on.

    Raises:
        ConfigError: the rule is none of these, or the rate is not above 0.
        TrainingError: a weight has grown beyond 1,000.
    """
    if rule not in RULES:
        raise ConfigError(f"rule must be one of {', '.join(RULES)}, not {rule!r}.")
    if not rate > 0:
        raise ConfigError(f"rate must be above 0, not {rate}.")
    model = _parameters(progress.weights)
    optimizer = Optimizer(model.named_parameters(), rule, RULES[rule], beta2=0.999)
    if rule == progress.rule:
        optimizer.load({n: {k: torch.tensor(v) for k, v in s.items()} for n, s in progress.slots.items()})
    totals: list[float] = []
    for _ in range(steps):
        _, logits, losses = _forward(model)
        if until_it_spells and spells(logits.detach().numpy()):
            break
        optimizer.zero_grad()
        total = losses.sum()
        total.backward()  # type: ignore[no-untyped-call]
        optimizer.step(rate)
        totals.append(total.item())
        _stay_within_bounds(model, progress.steps + len(totals))
    remembered = {n: {k: v.numpy().copy() for k, v in s.items()} for n, s in optimizer.slots.items()}
    weights = {name: p.detach().numpy().copy() for name, p in model.named_parameters()}
    return Progress(weights, np.concatenate([progress.losses, totals]), rule, remembered)


def spells(logits: Array) -> bool:
    """Whether the likeliest letter at each step, of logits (T, V), is the target."""
    return "".join(CHARACTERS[i] for i in logits.argmax(axis=1)) == TARGETS


def _parameters(weights: Weights) -> nn.ParameterDict:
    return nn.ParameterDict({name: nn.Parameter(torch.tensor(weights[name])) for name in hello.SHAPES})


def _forward(w: nn.ParameterDict) -> tuple[Tensor, Tensor, Tensor]:
    """States (T, H), logits (T, V) and losses (T,)."""
    read, targets = (torch.tensor([CHARACTERS.index(c) for c in text]) for text in (READ, TARGETS))
    layer = cells.Weights(w["W_xh"], w["W_hh"], w["b_h"], None)
    states, _ = scan("rnn", read[:, None], (layer.W_hh.new_zeros(1, HIDDEN),), layer, path="cells")
    logits = F.linear(states[:, 0], w["W_hy"], w["b_y"])
    return states[:, 0], logits, F.cross_entropy(logits, targets, reduction="none")


def _stay_within_bounds(model: nn.ParameterDict, step: int) -> None:
    if not all((p.detach().abs() <= LARGEST).all() for p in model.parameters()):
        raise TrainingError(
            f"At step {step} a weight grew beyond {LARGEST:,.0f}, so nothing was changed. Lower the learning rate."
        )

"""How large the gradient of each weight matrix is, and how far a step moves it.

The second is told as a ratio, ||W_after - W_before|| / ||W_before||. About 1e-3 is the rule of thumb of Stanford's
course CS231n (notes on "Neural Networks Part 3", ratio of weights to updates).
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.linalg import vector_norm

from rnn.records import LayerNorms

_RECURRENT = re.compile(r"(?:(.+)\.)?weight_(ih|hh)_l(\d+)(_reverse)?")


class Before(NamedTuple):
    """A matrix between its backward pass and its update."""

    name: str
    matrix: Tensor
    grad_norm: Tensor
    copy: Tensor


def matrix_name(parameter: str) -> str:
    """What people read in place of a parameter's name: "layer 1 W_xh" for "recurrent.weight_ih_l0"."""
    if parameter in ("embedding.weight", "head.weight"):
        return {"embedding.weight": "embedding", "head.weight": "head W_hy"}[parameter]
    found = _RECURRENT.fullmatch(parameter)
    if found is None:
        return parameter.removesuffix(".weight").replace(".", " ")
    network, side, layer, reverse = found.groups()
    of = (network or "").removesuffix("recurrent").replace(".", " ").strip()
    words = (of, f"layer {int(layer) + 1}", "W_xh" if side == "ih" else "W_hh", "backward" if reverse else "")
    return " ".join(filter(None, words))


def before_update(model: nn.Module) -> list[Before]:
    """The matrices as they are now; to be called after the backward pass, before anything is clipped."""
    with torch.no_grad():
        return [
            Before(matrix_name(name), p, vector_norm(p.grad), p.clone())
            for name, p in model.named_parameters()
            if p.ndim > 1 and p.grad is not None
        ]


def after_update(step: int, before: list[Before]) -> list[LayerNorms]:
    """What step `step` did to each matrix; one whose numbers are not finite is left out."""
    if not before:
        return []
    with torch.no_grad():
        norms = [(m.grad_norm, vector_norm(m.copy), vector_norm(m.copy.sub_(m.matrix))) for m in before]
        values = torch.stack([norm for of_one in norms for norm in of_one]).view(-1, 3).tolist()
    found = [
        LayerNorms(step, m.name, gradient, weights, update / weights if weights else math.inf)
        for m, (gradient, weights, update) in zip(before, values, strict=True)
    ]
    return [n for n in found if all(map(math.isfinite, (n.grad_norm, n.weight_norm, n.update_ratio)))]

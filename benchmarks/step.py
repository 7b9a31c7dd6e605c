"""One training step of ours against the same network written with torch.nn: forward, backward, clip, AdamW.

In float32, in bfloat16 (torch.nn's weights and optimizer too), and in the precision that the app picks by itself
against torch.nn in float32.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from benchmarks.measure import compare
from rnn.config import ModelConfig, TrainConfig
from rnn.corpora import nested_parentheses
from rnn.training import TrainState, train

B, T, V = 32, 64, 65
REFERENCES = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}


class Reference(nn.Module):
    """The character model as torch.nn users write it."""

    def __init__(self, cell: str, vocabulary_size: int, hidden_size: int, layers: int = 1) -> None:
        super().__init__()
        self.vocabulary_size = vocabulary_size
        self.recurrent = REFERENCES[cell](vocabulary_size, hidden_size, layers)
        self.head = nn.Linear(hidden_size, vocabulary_size)

    def forward(self, indices, state):  # type: ignore[no-untyped-def]
        outputs, state = self.recurrent(F.one_hot(indices, self.vocabulary_size).to(self.head.weight.dtype), state)
        return self.head(outputs), state


def reference_step(cell: str, hidden_size: int, precision: str = "float32"):  # type: ignore[no-untyped-def]
    """A function that takes one training step and returns its characters."""
    model = Reference(cell, V, hidden_size).to(getattr(torch, precision))
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3, fused=True)
    data = torch.randint(0, V, (T + 1, B), generator=torch.Generator().manual_seed(0))
    carried = None

    def step() -> int:
        nonlocal carried
        logits, state = model(data[:-1], carried)
        carried = tuple(s.detach() for s in state) if cell == "lstm" else state.detach()
        loss = F.cross_entropy(logits.float().flatten(0, 1), data[1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        loss.item()
        return B * T

    return step


def our_step(cell: str, hidden_size: int, precision: str):  # type: ignore[no-untyped-def]
    """The same through `train()`: bookkeeping included."""
    characters = [chr(200 + i) for i in range(V)]
    text = "".join(characters[ord(c) % V] for c in nested_parentheses(100_000)) + "".join(characters)
    config = TrainConfig(
        batch_size=B, bptt_steps=T, steps=10_000_000, precision=precision, validation_fraction=0, learning_rate=1e-3
    )
    steps = train(TrainState.create(text, ModelConfig(cell=cell, hidden_size=hidden_size), config))

    def step() -> int:
        next(steps)
        return B * T

    return step


def run() -> None:
    print(f"Training step, one-hot input, V {V}, B {B}, T {T}, characters per second: train() against a torch.nn loop")
    for cell in REFERENCES:
        for hidden_size in (64, 128, 256, 512):
            for precision, theirs in (("float32", "float32"), ("bfloat16", "bfloat16"), ("auto", "float32")):
                result = compare(our_step(cell, hidden_size, precision), reference_step(cell, hidden_size, theirs))
                print(f"  {cell:4} H {hidden_size:3}  {precision:8} against {theirs:8} {result}", flush=True)

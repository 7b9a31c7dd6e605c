"""How much of the machine's arithmetic a training step uses: its floating-point rate against one large product's."""

from __future__ import annotations

import torch

from benchmarks.measure import compare
from benchmarks.step import B, T, V, our_step
from rnn.config import ModelConfig

MILLION = 1_000_000
SIZE = 2048  # rows and columns of the large matrices


def operations(cell: str, hidden_size: int) -> int:
    """Floating-point operations of one step's matrix products; backward takes twice as many as forward.

    One-hot inputs need none.
    """
    gates = ModelConfig(cell=cell).gates
    weights = gates * hidden_size * hidden_size + V * hidden_size
    return 3 * 2 * weights * B * T


def run() -> None:
    print(
        f"Millions of floating-point operations per second: a training step against one {SIZE} x {SIZE} matrix product"
    )
    for precision in ("float32", "bfloat16"):
        left, right = (torch.randn(SIZE, SIZE).to(getattr(torch, precision)) for _ in range(2))

        def product(left: torch.Tensor = left, right: torch.Tensor = right) -> int:
            left @ right
            return 2 * SIZE**3 // MILLION

        for cell in ("rnn", "gru", "lstm"):
            for hidden_size in (64, 128, 256, 512):
                step, work = our_step(cell, hidden_size, precision), operations(cell, hidden_size) // MILLION

                def ours(step=step, work: int = work) -> int:  # type: ignore[no-untyped-def]
                    step()
                    return work

                print(f"  {cell:4} H {hidden_size:3}  {precision:8} {compare(ours, product)}", flush=True)

"""What "auto" means on this machine: device, number format, threads."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Self

import torch

from rnn.config import ModelConfig, TrainConfig
from rnn.errors import ConfigError

MAX_THREADS = 4  # the matrices of these networks are too small to occupy more


def leave_a_core() -> None:
    """Lets torch use one thread fewer than there are cores (1 to 4). To be called on the thread that will use torch.

    The threads of an operation wait for each other, and a step has hundreds of operations. Where somebody else (a page,
    another program) holds the core of one of them, all wait: with one of two cores busy, a step of the default preset
    took 2,157 ms with two threads and 17 ms with one (docs/decisions.md).
    """
    if "OMP_NUM_THREADS" not in os.environ:  # else the person has decided
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        torch.set_num_threads(min(MAX_THREADS, max(1, cores - 1)))


@dataclass(frozen=True)
class Resolved:
    """What "auto" came to on the machine where the run began; a resumed run keeps to it."""

    precision: str  # "float32" or "bfloat16"
    device: str  # "cpu" or "cuda"
    threads: int  # torch's threads for one operation

    @classmethod
    def here(cls, model: ModelConfig, train: TrainConfig) -> Self:
        """The choices for this machine.

        Raises:
            ConfigError: CUDA is asked for and not there.
        """
        has_cuda = torch.cuda.is_available()
        if train.device == "cuda" and not has_cuda:
            raise ConfigError("device is cuda, but there is no CUDA device here. Choose auto or cpu.")
        # Never MPS by itself: its GRU gives wrong results (pytorch/pytorch#94691).
        device = "cuda" if has_cuda and train.device != "cpu" else "cpu"
        precision = train.precision
        if precision == "auto":
            precision = "bfloat16" if _gains_from_bfloat16(model, device) else "float32"
        return cls(precision, device, torch.get_num_threads())


def threads_note(recorded: Resolved) -> str:
    """A sentence where this process sums with another number of threads than the run did before, else ""."""
    here = torch.get_num_threads()
    if here == recorded.threads:
        return ""
    return (
        f"It was trained with {recorded.threads} threads before and goes on with {here}: the last digits may differ "
        "from those of a run without a break."
    )


def _gains_from_bfloat16(model: ModelConfig, device: str) -> bool:
    """Whether bfloat16 is known to be faster: an LSTM of some size on a CPU with the instructions for it.

    Measured on a 2-core CPU with AVX-512 BF16: LSTM 1.3x faster, GRU 1.05x, RNN 1.4x slower (docs/decisions.md).
    """
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    supported = bool(torch.cpu.get_capabilities().get("avx512_bf16"))
    return supported and model.cell == "lstm" and model.hidden_size >= 128

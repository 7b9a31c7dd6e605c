"""What "auto" means on this machine: device, number format, threads."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Self

import torch

from rnn.config import TrainConfig
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

    precision: str  # "float32" or "bfloat16", see rnn.probe
    device: str  # "cpu" or "cuda"
    threads: int  # torch's threads for one operation

    @classmethod
    def here(cls, train: TrainConfig) -> Self:
        """The choices for this machine; a precision that is left to be measured stays "auto".

        Raises:
            ConfigError: CUDA is asked for and not there.
        """
        has_cuda = torch.cuda.is_available()
        if train.device == "cuda" and not has_cuda:
            raise ConfigError("device is cuda, but there is no CUDA device here. Choose auto or cpu.")
        # Never MPS by itself: its GRU gives wrong results (pytorch/pytorch#94691).
        device = "cuda" if has_cuda and train.device != "cpu" else "cpu"
        return cls(train.precision, device, torch.get_num_threads())


def threads_note(recorded: Resolved) -> str:
    """A sentence where this process sums with another number of threads than the run did before, else ""."""
    here = torch.get_num_threads()
    if here == recorded.threads:
        return ""
    return (
        f"It was trained with {recorded.threads} threads before and goes on with {here}: the last digits may differ "
        "from those of a run without a break."
    )


def has_bfloat16(device: str) -> bool:
    """Whether the device computes in bfloat16 itself, and not by way of float32."""
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    abilities = torch.cpu.get_capabilities()
    return any(bool(abilities.get(name)) for name in ("avx512_bf16", "amx_bf16"))

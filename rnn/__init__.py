"""Recurrent neural networks to train, sample and look into.

    T  time steps        B  batch        V  vocabulary size        H  hidden size

Shape comments in this package use these letters: `# (T, B, H)`. Names are imported on first use, so `import rnn` is
quick and sampling from a checkpoint loads no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rnn.cells import RNN as RNN
    from rnn.cells import rnn_sequence as rnn_sequence
    from rnn.checkpoints import load_checkpoint as load_checkpoint
    from rnn.checkpoints import save_checkpoint as save_checkpoint
    from rnn.config import PRESETS as PRESETS
    from rnn.config import ModelConfig as ModelConfig
    from rnn.config import SampleConfig as SampleConfig
    from rnn.config import TrainConfig as TrainConfig
    from rnn.errors import PlaygroundError as PlaygroundError
    from rnn.models import CharRNN as CharRNN
    from rnn.models import detach_state as detach_state
    from rnn.records import Sampled as Sampled
    from rnn.records import StepMetrics as StepMetrics
    from rnn.sampling import generate as generate
    from rnn.sampling import generate_many as generate_many
    from rnn.training import TrainState as TrainState
    from rnn.training import evaluate as evaluate
    from rnn.training import train as train
    from rnn.vocabulary import Vocabulary as Vocabulary

__version__ = "0.1.0"

_HOMES = {
    "RNN": "rnn.cells",
    "rnn_sequence": "rnn.cells",
    "load_checkpoint": "rnn.checkpoints",
    "save_checkpoint": "rnn.checkpoints",
    "PRESETS": "rnn.config",
    "ModelConfig": "rnn.config",
    "SampleConfig": "rnn.config",
    "TrainConfig": "rnn.config",
    "PlaygroundError": "rnn.errors",
    "CharRNN": "rnn.models",
    "detach_state": "rnn.models",
    "Sampled": "rnn.records",
    "StepMetrics": "rnn.records",
    "generate": "rnn.sampling",
    "generate_many": "rnn.sampling",
    "TrainState": "rnn.training",
    "evaluate": "rnn.training",
    "train": "rnn.training",
    "Vocabulary": "rnn.vocabulary",
}

__all__ = ["__version__", *_HOMES]  # noqa: PLE0604  # the names above, so that `from rnn import *` finds them


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'rnn' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)

"""The checkpoint file: one .safetensors file that holds everything a run needs to go on.

Tensors are numpy arrays here, so that listing, checking and sampling need no torch (`rnn.checkpoints` turns them
into a `TrainState`). Their names:

    weights/NAME              the model's parameters, float32, named as in its state dict
    best/NAME                 the parameters with the lowest validation loss so far (absent before the first)
    optimizer/NAME/SLOT       what the optimizer remembers of a parameter
    hidden/0, hidden/1        the carried state, h and for the LSTM c
    generator                 the run's random generator
    history                   one row per step, in the order of `rnn.records.METRICS` (older files end before `clipped`
                              or `score`)

Everything else is JSON in the file's header. There is no pickle, and nothing in the file is trusted: each field is
checked against its bounds, each tensor against the shape that the configuration gives it, and a checksum over all of
it tells a damaged file from a whole one, before anything is built.
"""

from __future__ import annotations

import errno
import hashlib
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as parse_tensors
from safetensors.numpy import save as pack_tensors

from rnn.catalogue import TASKS, fingerprint, parameter_shapes
from rnn.config import KINDS, ModelConfig, TaskConfig, TrainConfig, shown
from rnn.errors import CheckpointError, PlaygroundError
from rnn.files import write_whole
from rnn.records import METRICS
from rnn.sampling import NumpyModel
from rnn.vocabulary import Vocabulary

FORMAT = 1
COLUMNS = (len(METRICS), METRICS.index("score"), METRICS.index("clipped"))  # of a history, today's and older files'
SLOTS: dict[str, tuple[str, ...]] = {
    "adamw": ("step", "exp_avg", "exp_avg_sq"),
    "adam": ("step", "exp_avg", "exp_avg_sq"),
    "rmsprop": ("step", "square_avg"),
    "adagrad": ("step", "sum"),
    "sgd": ("momentum_buffer",),
}
MAX_HEADER_BYTES = 50_000_000  # a vocabulary of 65,535 characters with counts takes about 2 MB

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint that has passed every check.

    Attributes:
        task: what the model has learned.
        model, train: the other configurations.
        characters: the characters of the text that it was trained on; None where the task reads no text.
        metadata: the header's JSON, checked: step, text, best, resolved and so on.
        arrays: the tensors by name.
    """

    task: TaskConfig
    model: ModelConfig
    train: TrainConfig
    characters: Vocabulary | None
    metadata: dict[str, Any]
    arrays: Arrays

    @property
    def kind(self) -> str:
        """What the model has learned, a key of `rnn.catalogue.TASKS`."""
        return self.task.kind

    @property
    def vocabulary(self) -> Vocabulary:
        """The characters the model knows.

        Raises:
            CheckpointError: its task reads no text.
        """
        if self.characters is None:
            raise CheckpointError(f"This model {TASKS[self.kind].does}; it has no characters of a text.")
        return self.characters

    @property
    def parameter_count(self) -> int:
        """How many numbers the model has learned."""
        return sum(array.size for array in self.weights().values())

    @property
    def step(self) -> int:
        return int(self.metadata["step"])

    @property
    def is_resumable(self) -> bool:
        """Whether training can go on from it; a file with weights alone can only be sampled from."""
        return "generator" in self.arrays

    def weights(self, which: str = "last") -> Arrays:
        """The model's parameters: "last", or "best" (the last ones where no best was recorded)."""
        prefix = "best/" if which == "best" and self.metadata["best"] else "weights/"
        return group(self.arrays, prefix)

    def sampler(self, which: str = "best") -> NumpyModel:
        """The model in numpy, ready for `generate`.

        Raises:
            CheckpointError: it has learned something else than to write text.
        """
        if self.kind != "next-character":
            raise CheckpointError(f"This model {TASKS[self.kind].does}; it cannot write text. The Train page opens it.")
        return NumpyModel(self.model, self.weights(which))


def group(arrays: Mapping[str, NDArray[Any]], prefix: str) -> Arrays:
    """The arrays whose name begins with `prefix`, by the rest of their name."""
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


# Writing ---------------------------------------------------------------------------------------------------------


def pack(arrays: Mapping[str, NDArray[Any]], metadata: Mapping[str, Any]) -> bytes:
    """A checkpoint file's bytes. `metadata` is plain JSON values; format and checksum are added."""
    text = json.dumps({**metadata, "format": FORMAT}, allow_nan=False)
    whole = {name: np.ascontiguousarray(array) if array.ndim else array for name, array in arrays.items()}
    return pack_tensors(whole, {"rnn_playground": text, "sha256": _checksum(whole, text)})


def write(path: str | Path, data: bytes) -> None:
    """Writes a checkpoint; an older file of that name stays whole until the new one is.

    Raises:
        CheckpointError: the disk is full, or the place cannot be written.
    """
    path = Path(path)
    try:
        write_whole(path, data)
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            reason = "the disk is full; make room and save again"
        else:
            reason = f"{getattr(error, 'strerror', None) or error}; choose another place"
        raise CheckpointError(f"Could not save {path.name}: {reason}. What was saved before is untouched.") from error


def _checksum(arrays: Mapping[str, NDArray[Any]], text: str) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"\0{name}\0{array.dtype.str}\0{array.shape}\0".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


# Reading ---------------------------------------------------------------------------------------------------------


def read(path: str | Path) -> Checkpoint:
    """Reads and checks a checkpoint file.

    Raises:
        CheckpointError: it cannot be read, or is not a whole checkpoint of this format.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise CheckpointError(f"There is no file {path.name}. Check the name.") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise CheckpointError(f"{path.name} cannot be read: {getattr(error, 'strerror', None) or error}.") from error
    return unpack(data, path.name)


def unpack(data: bytes, name: str = "The file") -> Checkpoint:
    """Checks a checkpoint file's bytes; `name` is what messages call it.

    Raises:
        CheckpointError: it is not a whole checkpoint of this format.
    """
    text, checksum = _header(data, name)
    metadata = _metadata(text, name)
    try:
        arrays = _tensors(data)
        task = _task(metadata)
        checkpoint = Checkpoint(
            task=task,
            model=ModelConfig.from_json(metadata["model"]),
            train=TrainConfig.from_json(metadata["train"]),
            characters=Vocabulary.from_json(metadata["vocabulary"]) if TASKS[task.kind].needs_text else None,
            metadata=metadata,
            arrays=arrays,
        )
        _check_fields(metadata)
        _check_arrays(checkpoint)
    except SafetensorError as error:
        raise CheckpointError(f"{name} is damaged or cut short ({error}). Copy or download it again.") from error
    except PlaygroundError as error:
        raise CheckpointError(f"{name} is not a checkpoint that can be used: {error}") from error
    if _checksum(arrays, text) != checksum:
        raise CheckpointError(f"{name} is damaged: its contents do not match its checksum. Copy or download it again.")
    return checkpoint


def _header(data: bytes, name: str) -> tuple[str, str]:
    """The JSON text and the checksum that the file's header carries."""
    # A length of the header may begin with the same bytes as a pickle; after it, a header begins with a brace.
    if (data[:2] == b"PK" or data[:1] == b"\x80") and data[8:9] != b"{":
        raise CheckpointError(
            f"{name} is a pickle file, which can run code when it is opened, so it is not opened here. "
            "Use a .safetensors checkpoint made by this app or by `python -m rnn train`."
        )
    try:
        (length,) = struct.unpack_from("<Q", data)
        if length > min(len(data) - 8, MAX_HEADER_BYTES):
            raise ValueError("the header is longer than the file")
        header = json.loads(data[8 : 8 + length])
        own = header["__metadata__"]
        return str(own["rnn_playground"]), str(own["sha256"])
    except (struct.error, ValueError, KeyError, TypeError, RecursionError) as error:
        raise CheckpointError(
            f"{name} is not a checkpoint of RNN Playground, or it is cut short. "
            "Use a .safetensors file that this app or `python -m rnn train` has written."
        ) from error


def _tensors(data: bytes) -> Arrays:
    try:
        return dict(parse_tensors(data))
    except KeyError as error:
        raise CheckpointError(f"its numbers are of the type {error}, which numpy does not have.") from error


def _metadata(text: str, name: str) -> dict[str, Any]:
    try:
        metadata = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{name} is damaged: its description is not JSON. Copy or download it again.") from error
    if not isinstance(metadata, dict):
        raise CheckpointError(f"{name} is damaged: its description has no fields. Copy or download it again.")
    if (version := metadata.get("format")) != FORMAT:
        is_newer = isinstance(version, int | float) and version > FORMAT
        raise CheckpointError(
            f"{name} has the format version {shown(version)}; this program reads version {FORMAT}. "
            + ("Update the program." if is_newer else "Open it with the version that wrote it, or train again.")
        )
    kind = metadata.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise CheckpointError(
            f"{name} holds a model of the kind {shown(kind)}, which this program does not know; "
            f"it knows {', '.join(KINDS)}."
        )
    of_text = {"vocabulary", "text"}
    metadata.setdefault("passed_stops", [])  # the first files do not name any
    needed = {"model", "train", "best", "resolved", "notes", "rate_changes"}
    if missing := (needed | of_text if TASKS[kind].needs_text else needed) - metadata.keys():
        raise CheckpointError(f"{name} is not whole: it does not say its {min(missing)}.")
    if not TASKS[kind].needs_text and (extra := of_text & metadata.keys()):
        raise CheckpointError(f"{name} cannot be used: it says its {min(extra)}, which a model of this kind has not.")
    return metadata


def _task(metadata: Mapping[str, Any]) -> TaskConfig:
    """What was learned. Files of before there were other tasks do not say more than the kind."""
    task = TaskConfig.from_json(metadata.get("task", {"kind": "next-character"}))
    if task.kind != metadata["kind"]:
        raise CheckpointError(f"its kind is {shown(metadata['kind'])}, but its task is {shown(task.kind)}.")
    if not TASKS[task.kind].needs_text and metadata.get("symbols") != fingerprint(task):
        raise CheckpointError("it was made with other words or letters than this version's; train it again.")
    return task


def _number(value: Any, name: str, low: float, high: float, whole: bool = False) -> None:
    is_number = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
    if not (is_number and low <= value <= high):  # NaN is not between anything
        raise CheckpointError(f"{name} must be a number from {low:g} to {high:g}, not {shown(value)}.")


def _check_fields(metadata: Mapping[str, Any]) -> None:
    """The fields that are neither configuration nor vocabulary."""
    for name in ("step", "characters", "evaluations_without_best"):
        _number(metadata.get(name), name, 0, 1e15, whole=True)
    for name in ("elapsed", "epoch"):
        _number(metadata.get(name), name, 0, 1e12)
    _number(metadata.get("rate_multiplier"), "rate_multiplier", 1e-6, 1e6)
    best, resolved = metadata["best"], metadata["resolved"]
    if best is not None:
        _check_mapping(best, "best", ("loss", "step"))
        _number(best["loss"], "best loss", 0, 1e40)
        _number(best["step"], "best step", 0, metadata["step"], whole=True)
    if "text" in metadata:
        _check_mapping(metadata["text"], "text", ("name", "length", "sha256", "builtin"))
        _number(metadata["text"]["length"], "text length", 2, 1e12, whole=True)
    _check_mapping(resolved, "resolved", ("precision", "device", "threads"))
    if resolved["precision"] not in ("float32", "bfloat16"):
        raise CheckpointError("the recorded precision must be float32 or bfloat16.")
    if resolved["device"] not in ("cpu", "cuda"):
        raise CheckpointError("the recorded device must be cpu or cuda.")
    _number(resolved["threads"], "threads", 1, 4096, whole=True)
    if not isinstance(metadata["notes"], list) or not all(isinstance(note, str) for note in metadata["notes"]):
        raise CheckpointError("notes must be a list of sentences.")
    stops = metadata["passed_stops"]
    if not isinstance(stops, list) or not all(stop in ("minutes", "target loss", "patience") for stop in stops):
        raise CheckpointError("passed_stops must list stops by name.")
    if not isinstance(metadata["rate_changes"], list):
        raise CheckpointError("rate_changes must be a list.")
    for change in metadata["rate_changes"]:
        if not isinstance(change, list) or len(change) != 2:
            raise CheckpointError("rate_changes must hold pairs of a step and a multiplier.")
        _number(change[0], "step of a rate change", 0, 1e15, whole=True)
        _number(change[1], "rate multiplier", 1e-6, 1e6)


def _check_mapping(value: Any, name: str, keys: tuple[str, ...]) -> None:
    if not isinstance(value, dict) or not all(key in value for key in keys):
        raise CheckpointError(f"{name} must say {', '.join(keys)}.")
    for key in ("name", "sha256", "precision", "device"):
        if key in value and not isinstance(value[key], str):
            raise CheckpointError(f"the {key} of {name} must be text.")


def _check_arrays(checkpoint: Checkpoint) -> None:
    """Every tensor is one that the configuration calls for, with the shape and type that it gives it."""
    model, train, arrays = checkpoint.model, checkpoint.train, checkpoint.arrays
    shapes = parameter_shapes(checkpoint.task, model, len(checkpoint.characters or ()))
    expected = {f"weights/{name}": shape for name, shape in shapes.items()}
    if checkpoint.metadata["best"]:
        expected |= {f"best/{name}": shape for name, shape in shapes.items()}
    for name, shape in expected.items():
        _check_array(arrays, name, shape)
    resumable = "generator" in arrays
    optional = {f"optimizer/{name}/{slot}": shape for name, shape in shapes.items() for slot in SLOTS[train.optimizer]}
    if checkpoint.kind == "next-character":  # of the others every example begins anew
        hidden = (model.num_layers * model.directions, train.batch_size, model.hidden_size)
        optional |= {f"hidden/{i}": hidden for i in range(2 if model.cell == "lstm" else 1)}
    for name in arrays.keys() - expected.keys():
        if resumable and name in optional:
            _check_array(arrays, name, () if name.endswith("/step") else optional[name])
        elif not (resumable and name in ("generator", "history")):
            raise CheckpointError(f"it holds a tensor {shown(name)} that its settings do not call for.")
    if resumable:
        _check_run_arrays(checkpoint, {name for name in optional if name.startswith("optimizer/")})


def _check_array(arrays: Arrays, name: str, shape: tuple[int, ...]) -> None:
    array = arrays.get(name)
    if array is None:
        raise CheckpointError(f"the tensor {name} is missing.")
    if array.shape != shape or array.dtype != np.float32:
        raise CheckpointError(
            f"the tensor {name} must be float32 {shape}; it is {array.dtype} {array.shape}. "
            "The file's settings and weights are of two different models."
        )
    if not np.isfinite(array).all():
        raise CheckpointError(f"the tensor {name} holds values that are not finite numbers.")


def _check_run_arrays(checkpoint: Checkpoint, slots: set[str]) -> None:
    """What only a file that can be resumed has: generator, history, and the optimizer's memory, whole or not at all."""
    arrays = checkpoint.arrays
    if arrays["generator"].dtype != np.uint8 or arrays["generator"].ndim != 1:
        raise CheckpointError("the generator's state must be bytes.")
    history = arrays.get("history")
    shapes = [(checkpoint.step, columns) for columns in COLUMNS]
    if history is None or history.dtype != np.float64 or history.shape not in shapes:
        raise CheckpointError(f"the history must have one row of {len(METRICS)} numbers for each step.")
    if not np.isfinite(history[:, : METRICS.index("validation_loss")]).all():
        raise CheckpointError("the history holds values that are not finite numbers.")
    counts = history[:, [METRICS.index(name) for name in ("epoch", "elapsed", "characters")]]
    validation = history[:, METRICS.index("validation_loss")]  # NaN where it was not measured
    shares = history[:, METRICS.index("clipped") :]  # clipped, and the score
    if not (
        np.array_equal(history[:, METRICS.index("step")], np.arange(1, checkpoint.step + 1))
        and ((counts >= 0) & (counts <= 1e15)).all()
        and (np.isnan(validation) | np.isfinite(validation)).all()
        and (np.isnan(shares) | ((shares >= 0) & (shares <= 1))).all()
    ):
        raise CheckpointError("the history does not count the steps from 1 on, or holds impossible values.")
    if len(group(arrays, "hidden/")) not in (0, 2 if checkpoint.model.cell == "lstm" else 1):
        raise CheckpointError("a part of the carried state is missing.")
    found = slots & arrays.keys()
    if found and found != slots:
        raise CheckpointError(f"the optimizer's tensor {min(slots - found)} is missing.")
    if checkpoint.step and not found and checkpoint.train.optimizer != "sgd":
        raise CheckpointError("the optimizer's tensors are missing.")

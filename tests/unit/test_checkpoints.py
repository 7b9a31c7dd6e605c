"""Checkpoint files: what goes in comes out, and whatever else comes in is refused in one sentence."""

from __future__ import annotations

import errno
import json
import math
import os
import pickle
import random
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn import checkpoint_file
from rnn.checkpoint_file import Checkpoint, pack, read, unpack
from rnn.checkpoints import load_checkpoint, save_checkpoint, to_bytes, to_state
from rnn.config import CELLS, ModelConfig, TrainConfig
from rnn.corpora import load
from rnn.errors import CheckpointError, TrainingError
from rnn.records import METRICS
from rnn.sampling import generate
from rnn.training import TrainState, train
from rnn.vocabulary import UNKNOWN

NewState = Callable[..., TrainState]


def trained(new_state: NewState, steps: int = 6, **settings: Any) -> TrainState:
    state = new_state(**{"steps": steps, "hidden_size": 3, "num_layers": 2, "evaluate_every": 4} | settings)
    for _ in train(state):
        pass
    return state


@pytest.fixture(scope="module")
def state(new_state: NewState) -> TrainState:
    return trained(new_state, cell="lstm", dropout=0.3)


@pytest.fixture(scope="module")
def data(state: TrainState) -> bytes:
    return to_bytes(state)


@pytest.fixture(scope="module")
def checkpoint(data: bytes) -> Checkpoint:
    return unpack(data)


def same_arrays(a: Any, b: Any) -> bool:
    return a.keys() == b.keys() and all(
        a[n].dtype == b[n].dtype and a[n].shape == b[n].shape and a[n].tobytes() == b[n].tobytes() for n in a
    )


def assert_refused(data: bytes, match: str | None = None) -> None:
    with pytest.raises(CheckpointError, match=match) as refusal:
        unpack(data, "mine.safetensors")
    sentence = str(refusal.value)
    assert sentence.startswith("mine.safetensors")
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert len(sentence) < 500


# Round trip


@pytest.mark.parametrize("embedding_size", [0, 2])
@pytest.mark.parametrize("cell", CELLS)
def test_arrays_and_metadata_come_back(new_state: NewState, tmp_path: Path, cell: str, embedding_size: int) -> None:
    state = trained(new_state, cell=cell, embedding_size=embedding_size)
    save_checkpoint(tmp_path / "run.safetensors", state)
    found = read(tmp_path / "run.safetensors")
    history = found.arrays.pop("history")
    assert same_arrays(found.arrays, state.to_arrays())
    assert history.shape == (6, len(METRICS))
    assert found.metadata == {**state.to_json(), "format": checkpoint_file.FORMAT}
    assert (found.kind, found.model, found.train) == ("next-character", state.config, state.train_config)
    assert found.vocabulary == state.vocabulary
    assert found.step == 6
    assert found.is_resumable


def test_a_file_can_be_saved_again_as_it_was(data: bytes, text: str) -> None:
    again = unpack(to_bytes(to_state(unpack(data), text)))
    assert same_arrays(again.arrays, unpack(data).arrays)
    assert again.metadata == unpack(data).metadata


@pytest.mark.parametrize("steps", range(40))
def test_a_file_opens_however_long_its_header_is(checkpoint: Checkpoint, steps: int) -> None:
    """The first byte of the file counts the header's length; one in 32 is the byte that pickles begin with."""
    note = "x" * 8 * steps
    found = unpack(pack(checkpoint.arrays, checkpoint.metadata | {"notes": [note]}))
    assert found.metadata["notes"] == [note]


def test_it_is_an_ordinary_safetensors_file(data: bytes, state: TrainState) -> None:
    tensors = safetensors.numpy.load(data)
    assert tensors["weights/head.weight"].dtype == np.float32
    np.testing.assert_array_equal(tensors["weights/head.weight"], state.model.state_dict()["head.weight"])


def test_nothing_of_the_text_is_in_the_file(new_state: NewState) -> None:
    secret = "my diary: nobody may read this"
    assert secret.encode() not in to_bytes(trained(new_state, text=(secret + "\n") * 20))


def test_vocabulary_of_any_unicode_comes_back(new_state: NewState) -> None:
    text = "zażółć 漢字 שלום 👩🏽‍🚀\U0010ffff\t" * 9
    state = trained(new_state, text=text)
    assert to_state(unpack(to_bytes(state)), text).vocabulary == state.vocabulary


def test_weights_only_is_small_and_samples_alike(state: TrainState, data: bytes) -> None:
    alone = unpack(to_bytes(state, weights_only=True))
    assert len(to_bytes(state, weights_only=True)) < len(data) / 2
    assert not alone.is_resumable
    assert same_arrays(alone.weights(), unpack(data).weights("last"))
    texts = [
        "".join(s.char for s in generate(model, alone.vocabulary, length=30))
        for model in (alone.sampler(), to_state(alone).model, state.model)
    ]
    assert texts[0] == texts[1] == texts[2]


def test_weights_only_cannot_be_trained_on(state: TrainState, text: str) -> None:
    alone = to_state(unpack(to_bytes(state, weights_only=True)), text)
    with pytest.raises(TrainingError):
        next(iter(train(alone)))


def test_best_and_last_weights_are_kept_apart(new_state: NewState) -> None:
    state = trained(new_state, steps=7, evaluate_every=5)
    assert state.best is not None
    state.best = type(state.best)(0.5, 5, {name: tensor + 1 for name, tensor in state.best.weights.items()})
    found = unpack(to_bytes(state))
    for name, last in state.model.state_dict().items():
        np.testing.assert_array_equal(found.weights("last")[name], last)
        np.testing.assert_array_equal(found.weights("best")[name], state.best.weights[name])


def test_where_there_is_no_best_the_last_weights_stand_in(new_state: NewState) -> None:
    found = unpack(to_bytes(trained(new_state, validation_fraction=0)))
    assert same_arrays(found.weights("best"), found.weights("last"))


# The text


def test_without_its_text_a_model_samples_but_does_not_train(state: TrainState, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "run.safetensors", state)
    alone = load_checkpoint(tmp_path / "run.safetensors")
    assert len(list(generate(alone.model, alone.vocabulary, length=20))) == 20
    with pytest.raises(TrainingError, match="give the text"):
        next(iter(train(alone, stop_at=10)))


def test_another_text_is_refused(data: bytes, text: str) -> None:
    for other in (text[:-1], text + ".", text.upper()):
        with pytest.raises(CheckpointError, match="not the text"):
            to_state(unpack(data), other)


def test_the_same_text_goes_on(data: bytes, text: str) -> None:
    assert [m.step for m in train(to_state(unpack(data), text), stop_at=8)] == [7, 8]


def test_a_built_in_text_need_not_be_given() -> None:
    config = TrainConfig(batch_size=2, bptt_steps=3, steps=4, precision="float32", device="cpu")
    state = TrainState.create(load("hello"), ModelConfig("rnn", 3), config)
    for _ in train(state, stop_at=2):
        pass
    assert [m.step for m in train(to_state(unpack(to_bytes(state))))] == [3, 4]


# Without torch


SAMPLE_WITHOUT_TORCH = """
import sys, rnn.checkpoint_file, rnn.sampling
found = rnn.checkpoint_file.read(sys.argv[1])
print("".join(s.char for s in rnn.sampling.generate(found.sampler(), found.vocabulary, length=40, seed=5)), end="")
assert "torch" not in sys.modules
"""


def in_a_process_of_its_own(program: str, *arguments: str) -> str:
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_a_process_without_torch_samples_the_same_text(new_state: NewState, tmp_path: Path) -> None:
    state = trained(new_state, validation_fraction=0)
    save_checkpoint(tmp_path / "run.safetensors", state)
    sample = in_a_process_of_its_own(SAMPLE_WITHOUT_TORCH, str(tmp_path / "run.safetensors"))
    assert sample == "".join(s.char for s in generate(state.model, state.vocabulary, length=40, seed=5))


def test_import_loads_neither_torch_nor_streamlit() -> None:
    in_a_process_of_its_own("import sys, rnn; assert not {'torch', 'streamlit', 'plotly'} & set(sys.modules)")


# Damaged files


@pytest.mark.parametrize("data", [b"", b"\0", b"{}", b"\0" * 8, b"\xff" * 100, b"\x89PNG\r\n\x1a\n" + b"\0" * 100])
def test_what_is_no_checkpoint_is_refused(data: bytes) -> None:
    assert_refused(data)


def test_a_truncated_file_is_refused_wherever_it_ends(data: bytes) -> None:
    for length in {*range(64), *range(64, len(data), len(data) // 200), *range(len(data) - 40, len(data))}:
        assert_refused(data[:length])


def test_a_file_with_something_behind_its_end_is_refused(data: bytes) -> None:
    assert_refused(data + b"\0")


def test_a_flipped_bit_is_noticed_wherever_it_is(data: bytes) -> None:
    draw = random.Random(0)
    header = 8 + struct.unpack_from("<Q", data)[0]
    places = [*range(64), *draw.sample(range(header), 500), *draw.sample(range(header, len(data)), 200)]
    for place in places:
        flipped = bytearray(data)
        flipped[place] ^= 1 << draw.randrange(8)
        assert_refused(bytes(flipped))


def test_noise_is_refused(data: bytes) -> None:
    draw = random.Random(0)
    for _ in range(300):
        begin = draw.randrange(len(data))
        assert_refused(data[:begin] + draw.randbytes(draw.randrange(1, 40)) + data[begin:])


class Bomb:
    def __reduce__(self) -> Any:
        return os._exit, (1,)


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_renamed_is_refused_unopened(protocol: int) -> None:
    assert_refused(pickle.dumps(Bomb(), protocol), "pickle" if protocol > 1 else None)
    assert_refused(pickle.dumps({"weights": [1.0]}, protocol))


@pytest.mark.parametrize("zipped", [True, False])
def test_a_torch_file_renamed_is_refused(tmp_path: Path, zipped: bool) -> None:
    torch.save({"weights": torch.ones(3)}, tmp_path / "model", _use_new_zipfile_serialization=zipped)
    assert_refused((tmp_path / "model").read_bytes(), "pickle")


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}, {"rnn_playground": "{}"}])
def test_a_safetensors_file_of_somebody_else_is_refused(metadata: dict[str, str] | None) -> None:
    theirs = safetensors.numpy.save({"w": np.ones(3, np.float32)}, metadata)
    assert_refused(theirs, "not a checkpoint of RNN Playground")


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.safetensors", tmp_path, tmp_path / "a" / "b", tmp_path / ("x" * 999), "a\0b"):
        with pytest.raises(CheckpointError):
            load_checkpoint(path)


# Forged files: whole, with a right checksum, and wrong


def forged(checkpoint: Checkpoint, arrays: dict[str, Any] | None = None, **metadata: Any) -> bytes:
    return pack(arrays or checkpoint.arrays, checkpoint.metadata | metadata)


def test_the_forger_changes_nothing_by_himself(checkpoint: Checkpoint, text: str) -> None:
    to_state(unpack(forged(checkpoint)), text)


def test_a_file_of_before_clipped_steps_were_recorded_opens_and_goes_on(checkpoint: Checkpoint, text: str) -> None:
    history = checkpoint.arrays["history"][:, : METRICS.index("clipped")]
    older = to_state(unpack(forged(checkpoint, checkpoint.arrays | {"history": history})), text)
    assert [m.clipped for m in older.history] == [None] * 6
    whole = to_state(unpack(forged(checkpoint)), text)
    list(train(older, stop_at=8))
    list(train(whole, stop_at=8))
    assert [(m.loss, m.clipped) for m in older.history[6:]] == [(m.loss, m.clipped) for m in whole.history[6:]]
    again = to_state(unpack(to_bytes(older)), text)
    assert [m.clipped for m in again.history] == [None] * 6 + [m.clipped for m in whole.history[6:]]


@pytest.mark.parametrize("value", [-0.5, 1.5, math.inf])
def test_an_impossible_share_of_clipped_steps_is_refused(checkpoint: Checkpoint, value: float) -> None:
    history = checkpoint.arrays["history"].copy()
    history[1, METRICS.index("clipped")] = value
    assert_refused(forged(checkpoint, checkpoint.arrays | {"history": history}), "history")


def test_another_format_version_is_refused_by_name(checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint_file, "FORMAT", 2)
    newer = forged(checkpoint)
    monkeypatch.undo()
    assert_refused(newer, "format version 2")


@pytest.mark.parametrize("kind", ["seq2seq", "", None, 3, ["next-character"], "x" * 10_000])
def test_another_kind_is_refused(checkpoint: Checkpoint, kind: Any) -> None:
    assert_refused(forged(checkpoint, kind=kind), "kind")


@pytest.mark.parametrize("size", [10**9, 2**63, pytest.param(10**400, id="huge"), -1, 0, 1.5, "3", None, True])
def test_an_impossible_hidden_size_is_refused_before_anything_is_built(checkpoint: Checkpoint, size: Any) -> None:
    assert_refused(forged(checkpoint, model=checkpoint.metadata["model"] | {"hidden_size": size}), "hidden_size")


@pytest.mark.parametrize("field", ["step", "epoch", "elapsed", "characters", "rate_multiplier"])
@pytest.mark.parametrize("value", [-1, pytest.param(10**400, id="huge"), 1e300, "1", None, True, [], {}])
def test_an_impossible_number_is_refused_by_name(checkpoint: Checkpoint, field: str, value: Any) -> None:
    assert_refused(forged(checkpoint, **{field: value}), field)


@pytest.mark.parametrize("device", ["meta", "mps", "cuda:99", "tpu", "", 3])
def test_an_unknown_device_is_refused(checkpoint: Checkpoint, device: Any) -> None:
    assert_refused(forged(checkpoint, resolved=checkpoint.metadata["resolved"] | {"device": device}), "device")


def test_a_file_made_on_a_gpu_opens_on_a_cpu(checkpoint: Checkpoint, text: str) -> None:
    on_gpu = forged(checkpoint, resolved=checkpoint.metadata["resolved"] | {"device": "cuda"})
    expected = "cuda" if torch.cuda.is_available() else "cpu"
    state = to_state(unpack(on_gpu), text)
    assert state.resolved.device == expected == next(state.model.parameters()).device.type


def test_numbers_deeper_or_longer_than_python_reads_are_refused(checkpoint: Checkpoint) -> None:
    whole = json.dumps(checkpoint.metadata)
    for value in ("1" * 5000, "[" * 100_000, "[" * 900 + "]" * 900, "NaN", "Infinity", "1e999"):
        text = whole.replace('"step": 6', f'"step": {value}')
        assert text != whole
        tensors = safetensors.numpy.save(dict(checkpoint.arrays), {"rnn_playground": text, "sha256": "?"})
        assert_refused(tensors)


def without(arrays: dict[str, Any], name: str) -> dict[str, Any]:
    return {n: array for n, array in arrays.items() if n != name}


def test_every_tensor_is_needed(checkpoint: Checkpoint, text: str) -> None:
    for name in checkpoint.arrays:
        if not name.startswith("hidden/"):
            assert_refused(forged(checkpoint, without(checkpoint.arrays, name)))
    assert_refused(forged(checkpoint, without(checkpoint.arrays, "hidden/1")), "carried state")


@pytest.mark.parametrize(
    "extra", ["", "weights/", "weights/head.weight2", "best", "optimizer/x/step", "hidden/2", "long" * 9999],
    ids=lambda extra: extra[:20],
)  # fmt: skip
def test_a_tensor_too_many_is_refused(checkpoint: Checkpoint, extra: str) -> None:
    assert_refused(forged(checkpoint, checkpoint.arrays | {extra: np.ones(3, np.float32)}), "tensor")


def test_every_tensor_has_its_shape_type_and_finite_numbers(checkpoint: Checkpoint) -> None:
    for name, array in checkpoint.arrays.items():
        wrong = [array[..., np.newaxis], np.zeros_like(array, np.int32), np.zeros_like(array, np.float16)]
        wrong += [np.zeros(0, array.dtype)]
        if name not in ("generator", "history"):
            wrong += [np.full_like(array, np.nan), np.full_like(array, -np.inf), array.astype(np.float64)]
        if array.ndim == 2 and array.shape[0] != array.shape[1]:
            wrong.append(array.T)
        for replacement in wrong:
            assert_refused_on_the_way_to_a_state(forged(checkpoint, checkpoint.arrays | {name: replacement}))


def assert_refused_on_the_way_to_a_state(data: bytes) -> None:
    with pytest.raises(CheckpointError):
        to_state(unpack(data))


@pytest.mark.parametrize("dtype", ["BF16", "F8_E5M2", "F8_E4M3", "C64", "X"])
def test_a_tensor_of_a_type_that_numpy_lacks_is_refused(data: bytes, dtype: str) -> None:
    length = struct.unpack_from("<Q", data)[0]
    header = json.loads(data[8 : 8 + length])
    size = {"BF16": 2, "C64": 8}.get(dtype, 1)
    tensor = header["weights/head.weight"]
    begin, end = tensor["data_offsets"]
    tensor |= {"dtype": dtype, "shape": [(end - begin) // size]}
    text = json.dumps(header).encode()
    assert_refused(struct.pack("<Q", len(text)) + text + data[8 + length :])


@pytest.mark.parametrize("length", [0, 1, 16, 5055, 5057])
def test_a_generator_state_of_the_wrong_length_is_refused(checkpoint: Checkpoint, length: int) -> None:
    arrays = checkpoint.arrays | {"generator": np.zeros(length, np.uint8)}
    assert_refused_on_the_way_to_a_state(forged(checkpoint, arrays))


def test_a_generator_state_of_noise_is_refused_or_draws(checkpoint: Checkpoint, text: str) -> None:
    draw = np.random.default_rng(0)
    whole = checkpoint.arrays["generator"]
    for share in (1.0, 0.5, 0.01, 0.001):
        noise = draw.integers(0, 256, whole.shape, np.uint8)
        arrays = checkpoint.arrays | {"generator": np.where(draw.random(whole.shape) < share, noise, whole)}
        try:
            state = to_state(unpack(forged(checkpoint, arrays)), text)
        except CheckpointError:
            continue
        assert len(list(train(state, stop_at=8))) == 2


def test_a_vocabulary_that_does_not_fit_its_text_is_refused(checkpoint: Checkpoint, text: str) -> None:
    vocabulary = checkpoint.metadata["vocabulary"]
    others = ["\u2603", *vocabulary["characters"][1:]]
    with pytest.raises(CheckpointError):
        to_state(unpack(forged(checkpoint, vocabulary=vocabulary | {"characters": others})), text)


def test_a_bidirectional_language_model_is_refused(checkpoint: Checkpoint) -> None:
    model = ModelConfig(**checkpoint.metadata["model"] | {"bidirectional": True})
    shapes = model.parameter_shapes(len(checkpoint.vocabulary))
    weights = {f"weights/{name}": np.zeros(shape, np.float32) for name, shape in shapes.items()}
    assert_refused_on_the_way_to_a_state(forged(checkpoint, weights, model=model.to_json(), best=None))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in nested JSON, as a path of keys; of a list, its first two."""
    items = value.items() if isinstance(value, dict) else enumerate(value[:2]) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from places(inner, (*path, key))


@settings(max_examples=300)
@given(data=st.data())
def test_any_value_anywhere_is_refused_or_harmless(checkpoint: Checkpoint, text: str, data: st.DataObject) -> None:
    metadata = json.loads(json.dumps(checkpoint.metadata | {"rate_changes": [[1, 0.5]], "notes": ["a note"]}))
    *path, last = data.draw(st.sampled_from(list(places(metadata))))
    parent = metadata
    for key in path:
        parent = parent[key]
    if isinstance(parent, dict) and data.draw(st.booleans()):
        del parent[last]
    else:
        parent[last] = data.draw(JSON)
    try:
        found = unpack(pack(checkpoint.arrays, metadata), "mine.safetensors")
        state = to_state(found)
    except CheckpointError as refusal:
        assert str(refusal).endswith(".")
        return
    to_bytes(state)
    assert len(list(generate(state.model, state.vocabulary, length=2))) == 2


@settings(max_examples=100)
@given(metadata=JSON)
def test_any_json_as_metadata_is_refused(checkpoint: Checkpoint, metadata: Any) -> None:
    header = {"rnn_playground": json.dumps(metadata), "sha256": ""}
    assert_refused(safetensors.numpy.save(dict(checkpoint.arrays), header))


# Writing


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
@pytest.mark.parametrize("at", ["fsync", "replace"])
def test_a_failed_save_leaves_the_old_file_and_nothing_else(
    state: TrainState, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str, code: int
) -> None:
    path = tmp_path / "run.safetensors"
    path.write_bytes(b"the old one")

    def fail(*_: Any) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, at, fail)
    with pytest.raises(CheckpointError, match=r"Could not save run\.safetensors") as refusal:
        save_checkpoint(path, state)
    assert ("disk is full" in str(refusal.value)) == (code != errno.EIO)
    assert path.read_bytes() == b"the old one"
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_written_is_on_the_disk_before_it_takes_the_old_name(
    state: TrainState, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = []
    for name in ("fsync", "replace"):
        original = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *a, name=name, original=original: (done.append(name), original(*a))[1])
    save_checkpoint(tmp_path / "run.safetensors", state)
    assert done[:2] == ["fsync", "replace"]


@pytest.mark.parametrize("place", ["no/such/folder/run", "file/run", ".", "", "x" * 999, "a\0b"])
def test_a_place_that_cannot_be_written_is_refused(
    state: TrainState, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError, match="Could not save"):
        save_checkpoint(place, state)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("cap", [None, 9])
def test_emoji_accents_and_chinese_survive_training_the_file_and_writing(cap: int | None, tmp_path: Path) -> None:
    """200 characters: the settings shrink, and what the model writes is of the same characters."""
    text = ("👍🏽 天地玄黄 cafe\u0301 Größe 👩🏿\u200d🚀\n" * 8)[:200]
    state = TrainState.create(text, ModelConfig(hidden_size=3), TrainConfig(steps=3, max_vocabulary=cap))
    for _ in train(state):
        pass
    assert state.step == 3
    save_checkpoint(tmp_path / "model.safetensors", state)
    loaded = load_checkpoint(tmp_path / "model.safetensors", text)
    written = "".join(s.char for s in generate(loaded.model, loaded.vocabulary, length=300, temperature=50, seed=0))
    assert loaded.vocabulary == state.vocabulary
    assert written == "".join(
        s.char for s in generate(state.model, state.vocabulary, length=300, temperature=50, seed=0)
    )
    assert set(written.encode().decode()) == set(text) if cap is None else UNKNOWN in written

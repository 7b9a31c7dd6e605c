"""The shipped models: there, small, alike in size, opened without torch, and able to write English."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import assets.train
from rnn import corpora, shipped
from rnn.catalogue import TASKS
from rnn.checkpoint_file import Checkpoint, group, read
from rnn.checkpoints import to_state
from rnn.config import CELLS, ModelConfig, TrainConfig
from rnn.corpora import CORPORA, from_paste
from rnn.errors import CheckpointError
from rnn.sampling import generate, softmax
from rnn.shipped import SHIPPED, SHIPPED_TASKS, Shipped, open_shipped
from rnn.tasks.examples import ExamplesTask
from rnn.training import Best, TrainState, evaluate, train

SENTENCE = "The following statement is used to define a function"


@pytest.fixture(scope="module", params=SHIPPED)
def model(request: pytest.FixtureRequest) -> Shipped:
    return SHIPPED[request.param]


@pytest.fixture(scope="module")
def checkpoint(model: Shipped) -> Checkpoint:
    return open_shipped(model.name)


def surprises(checkpoint: Checkpoint, text: str) -> list[float]:
    """-ln p of each character after the first, nats."""
    model, indices = checkpoint.sampler(), checkpoint.vocabulary.encode(text)
    state, found = model.initial_state(), []
    for index, following in itertools.pairwise(indices):
        logits, state = model.step([index], state)
        found.append(-math.log(softmax(logits[0])[following]))
    return found


def test_there_is_one_of_each_cell_and_the_lstm_comes_first() -> None:
    assert list(SHIPPED) == ["lstm", "gru", "rnn"]
    assert {entry.model.cell for entry in SHIPPED.values()} == set(CELLS)
    assert all(name == entry.name and entry.title for name, entry in SHIPPED.items())
    assert shipped.TEXT in CORPORA


def test_a_file_is_under_a_megabyte(model: Shipped) -> None:
    assert model.path.stat().st_size < 1_000_000


def test_the_three_have_about_the_same_number_of_parameters() -> None:
    counts = [sum(a.size for a in open_shipped(name).weights().values()) for name in SHIPPED]
    assert max(counts) <= 1.01 * min(counts)


def test_the_three_differ_in_cell_hidden_size_and_learning_rate_alone() -> None:
    models = [entry.model.to_json() | {"cell": "", "hidden_size": 0} for entry in SHIPPED.values()]
    trainings = [entry.train.to_json() | {"learning_rate": 0} for entry in SHIPPED.values()]
    assert models == models[:1] * 3
    assert trainings == trainings[:1] * 3


def test_the_settings_in_the_file_are_those_it_is_listed_with(model: Shipped, checkpoint: Checkpoint) -> None:
    assert checkpoint.model == model.model
    assert checkpoint.train == model.train
    assert checkpoint.metadata["text"]["name"] == shipped.TEXT


def test_the_file_holds_weights_alone_and_says_how_good_they_are(checkpoint: Checkpoint) -> None:
    assert not checkpoint.is_resumable
    assert all(name.startswith("weights/") for name in checkpoint.arrays)
    assert checkpoint.metadata["notes"][-1].startswith("Validation loss 1.")
    assert f"at step {checkpoint.step:,} " in checkpoint.metadata["notes"][-1]


def test_english_surprises_it_far_less_than_a_uniform_guess(checkpoint: Checkpoint) -> None:
    assert np.mean(surprises(checkpoint, SENTENCE)) < math.log(len(checkpoint.vocabulary)) / 2


def test_it_writes_words_of_its_text(checkpoint: Checkpoint) -> None:
    sample = generate(checkpoint.sampler(), checkpoint.vocabulary, "The ", 1000, temperature=0.5)
    words = "".join(s.char for s in sample).split()
    known = set(corpora.load(shipped.TEXT).content.split())
    assert sum(word in known for word in words) > 0.8 * len(words)


WITHOUT_TORCH = """
import sys
from rnn.sampling import generate
from rnn.shipped import SHIPPED, open_shipped
for name in SHIPPED:
    found = open_shipped(name)
    print(len([s.char for s in generate(found.sampler(), found.vocabulary, "The ", 40)]))
print("torch" in sys.modules)
"""


def test_all_of_them_open_and_write_without_torch() -> None:
    result = subprocess.run([sys.executable, "-c", WITHOUT_TORCH], capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["40", "40", "40", "False"]


# The other tasks


ABOVE = {  # the least share of right answers that each is shipped with
    "digit": 0.96, "digit-name": 0.95, "digit-rows": 0.95, "sentiment": 0.97, "frames": 0.95, "number-names": 0.97,
    "caption": 0.85, "fill-blank": 0.75, "fill-blank-left": 0.55,
}  # fmt: skip


@pytest.mark.parametrize("name", SHIPPED_TASKS)
def test_a_model_of_another_task_answers_right_and_says_how_often(name: str) -> None:
    entry, found = SHIPPED_TASKS[name], open_shipped(name)
    assert entry.path.stat().st_size < 1_000_000
    assert (found.task, found.model, found.train) == (entry.task, entry.model, entry.train)
    assert all(array.startswith("weights/") for array in found.arrays)
    state = to_state(found, corpora.load(shipped.TEXT) if TASKS[found.kind].needs_text else None)
    assert isinstance(state.task, ExamplesTask)
    right = state.task.test(state.model).scores["accuracy"]
    assert right >= ABOVE[name]
    said = found.metadata["notes"][-1]
    assert said == f"{right:.1%} of the {TASKS[found.kind].score} right at step {found.step:,} (test part)."


def test_every_task_has_a_shipped_model() -> None:
    assert list(SHIPPED_TASKS) == list(ABOVE)
    assert list(SHIPPED_TASKS)[:-1] == list(TASKS)[1:]


# What can go wrong


def test_an_unknown_name_is_refused_with_those_there_are() -> None:
    with pytest.raises(
        CheckpointError, match=r"^There is no shipped model named 'elman'; there are lstm, gru, rnn, .*, digit, .*\.$"
    ):
        open_shipped("elman")


def refusal(name: str) -> str:
    with pytest.raises(CheckpointError) as refused:
        open_shipped(name)
    sentence = str(refused.value)
    assert sentence.startswith(f"{name}.safetensors" if "damaged" in sentence else "There is no file")
    assert sentence.endswith("`make models` makes the shipped models.")
    return sentence


def test_a_missing_file_is_a_sentence(model: Shipped, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped, "ASSETS", tmp_path)
    assert "There is no file" in refusal(model.name)


@pytest.mark.parametrize("place", [-1, -100_000])
def test_a_damaged_file_is_a_sentence(
    model: Shipped, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    data = bytearray(model.path.read_bytes())
    data[place] ^= 1
    monkeypatch.setattr(shipped, "ASSETS", tmp_path)
    model.path.write_bytes(data)
    assert "damaged" in refusal(model.name)


# Making them


TINY = Shipped(
    "tiny",
    "Tiny",
    ModelConfig("gru", hidden_size=5),
    TrainConfig(steps=9, batch_size=3, bptt_steps=4, evaluate_every=3, precision="float32", device="cpu"),
)


@pytest.fixture
def tiny(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shipped:
    """A model of seconds to make, in a folder of its own."""
    monkeypatch.setattr(shipped, "ASSETS", tmp_path)
    monkeypatch.setitem(SHIPPED, "tiny", TINY)
    monkeypatch.setattr(corpora, "load", lambda name: from_paste(text))
    return TINY


def test_making_one_twice_gives_the_same_weights(tiny: Shipped) -> None:
    assert assets.train.main(["tiny"]) == 0
    first = read(tiny.path).weights()
    assert assets.train.main(["tiny"]) == 0
    again = read(tiny.path).weights()
    assert all(np.array_equal(first[name], again[name]) for name in first)


def test_the_file_says_the_validation_loss_of_its_weights(tiny: Shipped) -> None:
    assets.train.main(["tiny"])
    found = read(tiny.path)
    *_, evaluation = evaluate(to_state(found, corpora.load("tiny")))
    assert found.metadata["notes"][-1] == (
        f"Validation loss {evaluation.loss:.3f} nats at step {found.step} (whole validation part, state carried)."
    )


def test_going_back_to_the_best_takes_back_its_weights_and_its_step(tiny: Shipped) -> None:
    state = TrainState.create(corpora.load("tiny"), tiny.model, tiny.train)
    list(train(state, stop_at=6))
    then, at_the_time = state.to_arrays(), state.to_json()
    list(train(state))
    state.best = Best(0.0, 6, {name: torch.from_numpy(a) for name, a in group(then, "weights/").items()})
    assets.train.go_back_to_best(state)
    weights = group(state.to_arrays(), "weights/")
    assert all(np.array_equal(weights[name], array) for name, array in group(then, "weights/").items())
    assert len(state.history) == 6
    same = ("step", "epoch", "characters", "elapsed")
    assert [state.to_json()[name] for name in same] == [at_the_time[name] for name in same]


def test_a_run_that_diverges_leaves_the_file_as_it_was(tiny: Shipped, capsys: pytest.CaptureFixture[str]) -> None:
    SHIPPED["tiny"] = replace(tiny, train=replace(tiny.train, steps=60, learning_rate=100.0, clip="off"))
    tiny.path.write_bytes(b"as it was")
    assert assets.train.main(["tiny"]) == 1
    assert "Train anew with a third of the learning rate" in capsys.readouterr().err
    assert tiny.path.read_bytes() == b"as it was"


def test_an_unknown_name_ends_with_a_sentence_and_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert assets.train.main(["lstm", "elman"]) == 2
    assert capsys.readouterr().err.startswith("There is no shipped model 'elman'; there are lstm, gru, rnn, ")

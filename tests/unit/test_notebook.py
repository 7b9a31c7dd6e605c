"""A run's notebook is valid, trains as the run does when its cells are run, and then writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from rnn.checkpoints import to_bytes
from rnn.errors import ConfigError
from rnn.script import script_of
from rnn.training import TrainState, train
from tests.unit.conftest import TEXT, NewState

STEPS = 24


def cells(state: TrainState) -> list[dict[str, Any]]:
    """Of its notebook, which has all that nbformat 4.5 asks for, and nothing else."""
    found = json.loads(script_of(state.to_json(), as_notebook=True))
    assert set(found) == {"cells", "metadata", "nbformat", "nbformat_minor"}
    assert (found["nbformat"], found["nbformat_minor"]) == (4, 5)
    assert {"name", "display_name"} <= set(found["metadata"]["kernelspec"])
    names = [cell["id"] for cell in found["cells"]]
    assert len(set(names)) == len(names)
    assert all(name.replace("-", "").isalnum() and len(name) <= 64 for name in names)
    for cell in found["cells"]:
        extra = {"outputs", "execution_count"} if cell["cell_type"] == "code" else set()
        assert set(cell) == {"cell_type", "id", "metadata", "source"} | extra
        assert all(line.endswith("\n") for line in cell["source"][:-1])
        assert cell["source"][-1].strip()
    return list(found["cells"])


def played(state: TrainState, folder: Path, monkeypatch: pytest.MonkeyPatch, text: str = TEXT) -> dict[str, Any]:
    """What its code cells leave behind, run one after another."""
    (folder / "text.txt").write_text(text, encoding="utf-8")
    monkeypatch.chdir(folder)
    names: dict[str, Any] = {"__name__": "__main__"}
    with torch.random.fork_rng():
        for cell in cells(state):
            if cell["cell_type"] == "code":
                exec(compile("".join(cell["source"]), cell["id"], "exec"), names)
    return names


@pytest.mark.parametrize(
    "changed",
    [
        {"cell": "lstm", "dropout": 0.3, "decay": "cosine"},
        {"cell": "gru", "embedding_size": 3, "warmup_steps": 5},
        {"cell": "rnn", "nonlinearity": "sigmoid", "truncation": "full", "clip": "value"},
        {"validation_fraction": 0.0, "decay": "none", "warmup_steps": 0, "max_vocabulary": 5},
    ],
    ids=str,
)
def test_its_cells_reproduce_the_runs_losses_and_write(
    new_state: NewState, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    changed: dict[str, Any],
) -> None:  # fmt: skip
    state = new_state(**{"steps": STEPS, **changed})
    names = played(state, tmp_path, monkeypatch)
    expected = list(train(state))
    assert names["losses"] == pytest.approx([m.loss for m in expected], abs=1e-4)
    printed = capsys.readouterr().out
    measured = [m.validation_loss for m in expected if m.validation_loss is not None]
    lines = [line.split() for line in printed.splitlines()[: len(measured)]]
    assert [float(line[-1]) for line in lines] == pytest.approx(measured, abs=1e-4)
    assert len(names["written"]) == names["LENGTH"] + 1
    assert set(names["written"]) <= {*TEXT, "\ufffd"}
    assert printed.rstrip("\n").endswith(names["written"].rstrip("\n"))


def test_it_begins_with_the_runs_first_weights_where_they_are(
    new_state: NewState, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "first.safetensors").write_bytes(to_bytes(new_state(steps=STEPS, seed=5), weights_only=True))
    names = played(new_state(steps=STEPS, seed=9), tmp_path, monkeypatch)
    assert names["losses"][0] == pytest.approx(next(iter(train(new_state(steps=STEPS, seed=5)))).loss, abs=1e-4)


def test_it_is_the_script_in_pieces(new_state: NewState) -> None:
    state = new_state(steps=STEPS)
    script = script_of(state.to_json())
    for cell in cells(state):
        if cell["id"] in ("settings", "network", "schedule", "validation"):
            assert "".join(cell["source"]) in script


def test_other_kinds_of_runs_have_no_notebook(new_state: NewState) -> None:
    values = new_state().to_json()
    with pytest.raises(ConfigError, match="not for the kind 'classifier'"):
        script_of(values | {"kind": "classifier"}, as_notebook=True)

"""A run's script is short, plain and safe to run, and its losses are those of the run."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rnn import checkpoint_file, corpora
from rnn.checkpoints import save_checkpoint, to_bytes
from rnn.config import CELLS, CLIPS, DECAYS, NONLINEARITIES, OPTIMIZERS, PRESETS, TRUNCATIONS, ModelConfig, TrainConfig
from rnn.corpora import Text, from_upload, printable
from rnn.errors import ConfigError
from rnn.script import MAX_LINES, MAX_WIDTH, script, script_of
from rnn.training import TrainState, train
from rnn.vocabulary import UNKNOWN, Vocabulary
from tests.unit.conftest import TEXT, NewState

STEPS = 24
LOSS = 1e-4  # nats
ALLOWED = {"collections", "math", "safetensors.torch", "sys", "torch", "torch.nn"}  # modules of a script

Losses = list[tuple[int, float, float | None]]
Play = Callable[..., Losses]


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Play:
    """Runs a script in this process on a text; `initial` is the file of the first weights."""

    def play(source: str, text: str | bytes, initial: bytes | None = None) -> Losses:
        (tmp_path / "text.txt").write_bytes(text.encode() if isinstance(text, str) else text)
        argv = ["script.py", str(tmp_path / "text.txt")]
        if initial is not None:
            (tmp_path / "initial.safetensors").write_bytes(initial)
            argv.append(str(tmp_path / "initial.safetensors"))
        monkeypatch.setattr(sys, "argv", argv)
        capsys.readouterr()
        with torch.random.fork_rng():
            exec(compile(source.encode(), "script.py", "exec"), {"__name__": "__main__"})
        return parsed(capsys.readouterr().out)

    return play


def parsed(output: str) -> Losses:
    """`step loss` or `step loss validation_loss`, line by line."""
    rows = [line.split() for line in output.splitlines()]
    return [(int(row[0]), float(row[1]), float(row[2]) if len(row) > 2 else None) for row in rows]


def trained(state: TrainState) -> Losses:
    return [(m.step, m.loss, m.validation_loss) for m in train(state)]


def assert_same(played: Losses, expected: Losses) -> None:
    """Steps are equal, losses agree to `LOSS`, and validation is measured at the same steps."""
    assert [step for step, *_ in played] == [step for step, *_ in expected]
    for (step, loss, validation), (_, other_loss, other_validation) in zip(played, expected, strict=True):
        assert loss == pytest.approx(other_loss, abs=LOSS), step
        assert validation == pytest.approx(other_validation, abs=LOSS), step


def smoothed(losses: Losses) -> float:
    return sum(loss for _, loss, _ in losses[-10:]) / 10


def names(nodes: Sequence[ast.AST], context: type[ast.expr_context]) -> set[str]:
    return {n.id for node in nodes for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, context)}


def imported(tree: ast.Module) -> tuple[set[str], set[str]]:
    """The modules that are imported, and the names they get."""
    statements = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    modules = {s.module if isinstance(s, ast.ImportFrom) else a.name for s in statements for a in s.names}
    return {str(module) for module in modules}, {a.asname or a.name for s in statements for a in s.names}


# The losses


@pytest.mark.parametrize(
    "changed",
    [
        {"cell": "rnn"},
        {"cell": "rnn", "nonlinearity": "relu", "num_layers": 1},
        {"cell": "rnn", "nonlinearity": "sigmoid"},
        {"cell": "rnn", "nonlinearity": "sigmoid", "bias": False, "dropout": 0.4, "num_layers": 3},
        {"cell": "gru"},
        {"cell": "gru", "embedding_size": 3, "num_layers": 1},
        {"cell": "gru", "bias": False},
        {"cell": "lstm"},
        {"cell": "lstm", "embedding_size": 7, "num_layers": 1},
        {"cell": "lstm", "bias": False, "embedding_size": 3},
        {"cell": "lstm", "dropout": 0.3, "seed": 2**63 - 1},
        {"cell": "gru", "dropout": 0.5, "num_layers": 3, "embedding_size": 4},
        {"dropout": 0.5, "num_layers": 1},
    ],
    ids=str,
)
def test_losses_are_the_runs_for_every_network(new_state: NewState, play: Play, changed: dict[str, Any]) -> None:
    state = new_state(**{"steps": STEPS, **changed})
    source, initial = script_of(state.to_json()), to_bytes(state, weights_only=True)
    expected = trained(state)
    assert_same(play(source, TEXT, initial), expected)
    assert_same(play(source, TEXT), expected)  # the seed alone draws the same weights and dropout masks


@pytest.mark.parametrize(
    "changed",
    [
        {"optimizer": "adamw", "weight_decay": 0.5},
        {"optimizer": "adamw", "weight_decay": 0.5, "bias": False},
        {"optimizer": "adamw", "weight_decay": 0.0},
        {"optimizer": "adam", "beta1": 0.8, "beta2": 0.9},
        {"optimizer": "rmsprop", "beta2": 0.95},
        {"optimizer": "adagrad", "learning_rate": 0.05},
        {"optimizer": "sgd", "learning_rate": 0.3},
        {"optimizer": "sgd", "learning_rate": 1, "beta1": 0.0},
        {"clip": "norm", "clip_norm": 0.05},
        {"clip": "value", "clip_norm": 0.002, "optimizer": "sgd"},
        {"clip": "off"},
        {"decay": "linear", "final_rate": 0.0},
        {"decay": "cosine", "warmup_steps": 7},
        {"decay": "cosine", "warmup_steps": 0},
        {"decay": "linear", "final_rate": 1.0, "warmup_steps": 0},
        {"decay": "none", "warmup_steps": 10},
        {"decay": "none", "warmup_steps": 0},
        {"warmup_steps": 100},
        {"truncation": "carry", "bptt_steps": 50},  # three chunks to a pass, the last one shorter
        {"truncation": "reset", "bptt_steps": 50},
        {"truncation": "full", "steps": 5},
        {"truncation": "full", "steps": 5, "validation_fraction": 0.0, "batch_size": 7},
        {"validation_fraction": 0.0},
        {"validation_fraction": 0.5, "evaluate_every": 7},
        {"validation_fraction": 0.3, "evaluation_chars": 40},
        {"evaluate_every": 1000},  # the last step measures
    ],
    ids=str,
)
def test_losses_are_the_runs_for_every_training(new_state: NewState, play: Play, changed: dict[str, Any]) -> None:
    state = new_state(**{"steps": STEPS, "learning_rate": 0.02, **changed})
    source = script_of(state.to_json())
    assert_same(play(source, TEXT), trained(state))


def test_validation_reads_the_streams_that_the_run_reads(new_state: NewState, play: Play) -> None:
    text = "".join(f"{n} bottles of beer on the wall, {n * n} bottles of beer.\n" for n in range(200))
    state = new_state(text, steps=4, evaluate_every=2, validation_fraction=0.5, cell="lstm")
    assert ", 16, 256)" in script_of(state.to_json())
    assert_same(play(script_of(state.to_json()), text), trained(state))


def test_a_text_too_short_is_read_as_the_run_reads_it(new_state: NewState, play: Play) -> None:
    state = new_state(TEXT[:60], batch_size=32, bptt_steps=48, steps=STEPS)
    assert state.train_config.batch_size == 1
    source = script_of(state.to_json())
    assert "validation" not in source
    assert_same(play(source, TEXT[:60]), trained(state))


VERSE = "老子：道可道\N{NEXT LINE}非常道。\N{LINE SEPARATOR}é ü ñ \v\f\t 🙂🙃 “q”\n" * 20
RARE = "aaaabbbbccccddd" * 9 + "".join(map(chr, range(200, 260))) + UNKNOWN * 3 + "🙂🙂\N{DESERET CAPITAL LETTER EW}"


@pytest.mark.parametrize("cap", [None, 2, 5, 9, 70])
@pytest.mark.parametrize("text", [VERSE, RARE * 4, f"{VERSE}{UNKNOWN}"], ids=["verse", "rare", "unknown"])
def test_every_character_gets_the_index_it_has_in_the_run(
    new_state: NewState, play: Play, text: str, cap: int | None
) -> None:
    state = new_state(text, steps=12, max_vocabulary=cap, cell="rnn", num_layers=1)
    source = script_of(state.to_json())
    assert ("MAX_VOCABULARY" in source) == (cap is not None and cap < len(set(text)))
    assert_same(play(source, text), trained(state))


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_the_file_that_was_uploaded_is_read_as_the_app_reads_it(
    new_state: NewState, play: Play, ends: str, mark: bytes
) -> None:
    data = mark + VERSE.replace("\n", ends).encode()
    state = new_state(from_upload(data, "verse.txt"), steps=8)
    assert_same(play(script_of(state.to_json()), data), trained(state))


def test_rate_changes_of_the_run_are_in_its_script(new_state: NewState, play: Play) -> None:
    state = new_state(steps=STEPS, learning_rate=0.05)
    state.set_rate_multiplier(0.5)
    for _ in train(state, 8):
        pass
    for factor in (3.0, 1 / 3):  # of two at the same step the later one counts
        state.set_rate_multiplier(factor)
    for _ in train(state, 15):
        pass
    state.set_rate_multiplier(4)
    initial = script_of(new_state(steps=STEPS, learning_rate=0.05).to_json())
    trained(state)
    state.set_rate_multiplier(2)  # after the last step, so without effect
    source = script_of(state.to_json())
    assert "RATE_CHANGES" not in initial
    assert "RATE_CHANGES = {0: 0.5, 8: 0.333333, 15: 4}" in source
    assert_same(play(source, TEXT), [(m.step, m.loss, m.validation_loss) for m in state.history])


def test_a_run_without_schedule_follows_its_rate_changes(new_state: NewState, play: Play) -> None:
    state = new_state(steps=STEPS, decay="none", warmup_steps=0)
    list(train(state, 5))
    state.set_rate_multiplier(7)
    trained(state)
    played = play(script_of(state.to_json()), TEXT)
    assert_same(played, [(m.step, m.loss, m.validation_loss) for m in state.history])


@pytest.mark.parametrize("preset", ["default", "vanilla", "quality"])  # one of each cell
def test_a_script_learns_as_well_as_the_run_of_a_preset_in_bfloat16(play: Play, preset: str) -> None:
    model = replace(PRESETS[preset].model, hidden_size=24, embedding_size=min(8, PRESETS[preset].model.embedding_size))
    train_config = replace(
        PRESETS[preset].train, batch_size=8, bptt_steps=16, steps=150, learning_rate=0.01, device="cpu",
        precision="bfloat16",
    )  # fmt: skip
    state = TrainState.create(TEXT, model, train_config)
    source = script_of(state.to_json())
    assert "bfloat16" in source
    losses = trained(state)
    played = play(source, TEXT)
    assert smoothed(losses) < 0.75 * losses[0][1]
    assert smoothed(played) == pytest.approx(smoothed(losses), abs=0.05)


def test_weights_drawn_otherwise_end_at_the_same_loss(new_state: NewState, play: Play) -> None:
    """On a text of which little can be learned by heart."""
    text = corpora.nested_parentheses(8000)
    state = new_state(text, hidden_size=16, batch_size=16, bptt_steps=16, steps=150, learning_rate=0.01, seed=1)
    source = script_of(state.to_json())
    losses, played = trained(state), play(source.replace("SEED = 150, 2, 0.05, 1", "SEED = 150, 2, 0.05, 2"), text)
    assert abs(played[0][1] - losses[0][1]) > LOSS
    assert smoothed(losses) < 0.75 * losses[0][1]
    assert smoothed(played) == pytest.approx(smoothed(losses), abs=0.05)


# The file


def test_a_script_runs_by_itself(new_state: NewState, tmp_path: Path) -> None:
    """In a process of its own that cannot import this package, with the downloaded weights of step 0."""
    state = new_state(steps=20, cell="lstm", embedding_size=3, dropout=0.2)
    state.model.head.weight.data.mul_(3)  # weights that the seed does not draw
    (tmp_path / "script.py").write_text(script_of(state.to_json()), "utf-8")
    (tmp_path / "text.txt").write_text(TEXT, "utf-8")
    save_checkpoint(tmp_path / "initial.safetensors", state, weights_only=True)
    command = [sys.executable, "-I", "script.py", "text.txt", "initial.safetensors"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert_same(parsed(done.stdout), trained(state))


def test_another_text_is_refused_by_name(new_state: NewState, play: Play) -> None:
    source = script_of(new_state(Text("tale.txt", TEXT)).to_json())
    with pytest.raises(AssertionError, match=r"not the text of the run, tale\.txt"):
        play(source, TEXT[:-1])


def test_a_checkpoint_gives_the_script_of_its_run(new_state: NewState, tmp_path: Path) -> None:
    state = new_state(steps=9)
    source = script_of(state.to_json())
    trained(state)
    save_checkpoint(tmp_path / "run.safetensors", state)
    assert script_of(checkpoint_file.read(tmp_path / "run.safetensors").metadata) == source


@pytest.mark.parametrize(
    ("changed", "absent"),
    [
        ({"cell": "gru"}, ["LSTM", "forget", "detach() for"]),
        ({"embedding_size": 3}, ["one_hot"]),
        ({"embedding_size": 0}, ["mbedding", "EMBEDDING"]),
        ({"num_layers": 1, "dropout": 0.5}, ["dropout=DROPOUT"]),
        ({"dropout": 0.0}, ["ropout", "DROPOUT", "eval()"]),
        ({"clip": "off"}, ["clip", "CLIP"]),
        ({"clip": "value"}, ["clip_grad_norm_", "CLIP_NORM"]),
        ({"validation_fraction": 0.0}, ["validation", "no_grad", "EVALUAT"]),
        ({"decay": "none", "warmup_steps": 0}, ["learning_rate", "param_groups", "WARMUP", "FINAL"]),
        ({"decay": "linear"}, ["math"]),
        ({"truncation": "reset"}, ["detach"]),
        ({"truncation": "full"}, ["detach", " T ="]),
        ({"optimizer": "sgd", "beta1": 0.0}, ["MOMENTUM", "momentum", "BETA", "decay"]),
    ],
    ids=str,
)
def test_what_the_run_does_not_use_is_not_there(
    new_state: NewState, changed: dict[str, Any], absent: list[str]
) -> None:
    source = script_of(new_state(**changed).to_json())
    assert [word for word in absent if word in source] == []


def test_the_script_says_where_the_gradient_is_cut(new_state: NewState) -> None:
    carried = script_of(new_state(cell="gru", truncation="carry").to_json())
    assert "state = state.detach()  # truncation" in carried
    for truncation in TRUNCATIONS:
        assert "truncation: " in script_of(new_state(truncation=truncation).to_json())


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"precision": "float32"}, None),
        ({"precision": "bfloat16"}, "bfloat16"),
        ({"minutes": 3.0, "target_loss": 0.0}, "stops by minutes, target_loss"),
    ],
    ids=str,
)
def test_what_is_left_out_is_said(new_state: NewState, changed: dict[str, Any], said: str | None) -> None:
    source = script_of(new_state(**changed).to_json())
    assert ("Left out" in source) == (said is not None)
    assert said is None or said in source


MODELS = st.builds(
    ModelConfig,
    cell=st.sampled_from(CELLS),
    hidden_size=st.integers(1, 2048),
    num_layers=st.integers(1, 4),
    dropout=st.sampled_from([0, 0.0, 0.12345678901234567]),
    embedding_size=st.sampled_from([0, 1024]),
    nonlinearity=st.sampled_from(NONLINEARITIES),
    bias=st.booleans(),
)
CAPS = (None, 2, 5, 65_535)
LONG = 0.012345678901234567  # a number with as many digits as there can be
TRAININGS = st.builds(
    TrainConfig,
    batch_size=st.sampled_from([1, 1024]),
    bptt_steps=st.sampled_from([1, 10_000]),
    truncation=st.sampled_from(TRUNCATIONS),
    steps=st.sampled_from([1, 500, 10_000_000]),
    optimizer=st.sampled_from(OPTIMIZERS),
    learning_rate=st.sampled_from([1, 1.2345678901234567e-05]),
    warmup_steps=st.sampled_from([0, 1, 100_000]),
    decay=st.sampled_from(DECAYS),
    final_rate=st.sampled_from([0, 1, LONG]),
    beta1=st.sampled_from([0.0, LONG]),
    beta2=st.sampled_from([0, LONG]),
    weight_decay=st.sampled_from([0, LONG]),
    clip=st.sampled_from(CLIPS),
    clip_norm=st.just(123456.78901234567),
    validation_fraction=st.sampled_from([0, LONG]),
    evaluate_every=st.sampled_from([1, 1_000_000]),
    evaluation_chars=st.sampled_from([2, 100_000_000]),
    max_vocabulary=st.sampled_from(CAPS),
    minutes=st.sampled_from([None, LONG]),
    target_loss=st.sampled_from([None, LONG]),
    patience=st.sampled_from([None, 100_000]),
    seed=st.sampled_from([0, 2**63 - 1]),
)
FACTORS = st.floats(1e-6, 1e6)
CHANGES = st.lists(st.tuples(st.integers(0, 10_000_000), FACTORS), max_size=20)
FULL_MODEL = ModelConfig(num_layers=4, dropout=LONG, embedding_size=8)
FULL_TRAINING = TrainConfig(
    decay="cosine", warmup_steps=1, max_vocabulary=2, minutes=LONG, target_loss=LONG, patience=9, steps=10_000_000
)
VOCABULARIES = {cap: Vocabulary.from_text("".join(map(chr, range(32, 12_000))), cap) for cap in CAPS}
MANY = [(step, 1e6 / 0.9) for step in range(1_000_000, 1_001_000)]


@settings(max_examples=300)
@given(MODELS, TRAININGS, CHANGES, st.sampled_from(["float32", "bfloat16"]), st.sampled_from(["cpu", "cuda"]))
@example(FULL_MODEL, FULL_TRAINING, MANY, "bfloat16", "cuda")
@example(replace(FULL_MODEL, cell="rnn", nonlinearity="sigmoid"), FULL_TRAINING, MANY, "bfloat16", "cuda")
@example(replace(FULL_MODEL, cell="rnn", nonlinearity="sigmoid"), FULL_TRAINING, MANY[:1], "bfloat16", "cuda")
def test_a_script_of_any_run_is_short_and_whole(
    model: ModelConfig, train: TrainConfig, changes: list[tuple[int, float]], precision: str, device: str
) -> None:
    source = script(
        model, train, text_name="x" * 200, characters=10**9, rate_changes=changes, precision=precision, device=device,
        vocabulary=VOCABULARIES[train.max_vocabulary],
    )  # fmt: skip
    lines = source.split("\n")
    assert lines.pop() == ""  # the file ends with a line feed
    assert len(lines) <= MAX_LINES
    assert max(map(len, lines)) <= MAX_WIDTH
    assert all(line == line.rstrip() for line in lines)
    tree = ast.parse(source)
    modules, from_modules = imported(tree)
    assert modules <= ALLOWED
    made = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    made -= {"__init__", "forward"}
    assigned = names([tree], ast.Store) | from_modules | made
    assert assigned - names([tree], ast.Load) <= {"_"}  # nothing is there that is not used


def table_of(source: str) -> dict[int, float]:
    """The rate changes that the script names."""
    assigned = [node for node in ast.parse(source).body if isinstance(node, ast.Assign)]
    (value,) = (node.value for node in assigned if ast.unparse(node.targets[0]) == "RATE_CHANGES")
    table: dict[int, float] = ast.literal_eval(value)
    return table


@pytest.mark.parametrize("count", [1, 8, 60, 1000])
def test_rate_changes_without_room_are_counted(count: int) -> None:
    changes = [(step, step / 7) for step in range(1, count + 1)]
    source = script(
        ModelConfig(), TrainConfig(steps=2000), text_name="x", characters=900, vocabulary=Vocabulary.from_text("ab"),
        rate_changes=changes,
    )  # fmt: skip
    table = table_of(source)
    expected = [(0, 1.0), *changes]
    assert list(table) == [step for step, _ in expected[: len(table)]]
    assert list(table.values()) == pytest.approx([factor for _, factor in expected[: len(table)]], rel=1e-5)
    left = len(expected) - len(table)
    assert (left > 0) == (count == 1000)
    assert (f"; {left:,} later ones have no room here" in source) == (left > 0)


def with_name(name: str) -> str:
    return script(ModelConfig(), TrainConfig(), text_name=name, characters=900, vocabulary=Vocabulary.from_text("ab"))


@settings(max_examples=100)
@given(st.text() | st.text("\"'\\{}#\n\r\0é\u2028\u202e", max_size=90))
@example('"""\nimport os\n"""')
@example("'; import os; '")
@example("{__import__('os')}")
@example("\\")
@example("# coding: utf-7")
@example("a\nimport os")
@example("\ud800\N{RIGHT-TO-LEFT OVERRIDE}")
def test_a_texts_name_stays_a_name(name: str) -> None:
    source = with_name(name)
    assert max(map(len, source.splitlines())) <= MAX_WIDTH
    assert len(source.splitlines()) == len(with_name("plain.txt").splitlines())
    trees = [ast.parse(text.encode()) for text in (source, with_name("plain.txt"))]
    held = []
    for tree in trees:
        (constant,) = (
            node.value.elts[0] for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple)
            and ast.unparse(node.targets[0]).startswith("(TEXT_NAME")
        )  # fmt: skip
        assert isinstance(constant, ast.Constant)
        held.append(constant.value)
        constant.value = ""
    assert printable(name).startswith(held[0])
    assert ast.dump(trees[0]) == ast.dump(trees[1])


def test_other_kinds_of_runs_have_no_script(new_state: NewState) -> None:
    values = new_state().to_json()
    with pytest.raises(ConfigError, match="not for the kind 'classifier'"):
        script_of(values | {"kind": "classifier"})
    with pytest.raises(ConfigError, match="bidirectional"):
        script_of(values | {"model": values["model"] | {"bidirectional": True}})

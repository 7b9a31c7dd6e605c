"""`python -m rnn` trains, goes on, samples and describes; whatever is wrong with its input is one sentence and a 2."""

from __future__ import annotations

import dataclasses
import errno
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rnn.__main__ as command_line
from rnn import checkpoint_file, corpora, files
from rnn.catalogue import TASKS
from rnn.checkpoints import load_checkpoint, save_checkpoint
from rnn.config import ModelConfig, SampleConfig, TaskConfig, TrainConfig
from rnn.corpora import CORPORA
from rnn.records import METRICS
from rnn.sampling import generate
from rnn.tasks.next_character import NextCharacter
from rnn.training import TrainState, train

POEM = "Über allen Gipfeln ist Ruh,\nin allen Wipfeln spürest du kaum einen Hauch;\n" * 12
SMALL = ["--cell", "gru", "--hidden-size", "5", "--num-layers", "2", "--dropout", "0.3", "--embedding-size", "0",
         "--batch-size", "3", "--bptt-steps", "4", "--evaluate-every", "10", "--warmup-steps", "2",
         "--precision", "float32", "--device", "cpu"]  # fmt: skip
TIMES = ("chars_per_second", "elapsed")

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """`run("sample", ...)`: the exit code, and what was written to standard output and standard error."""

    def run_command(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            code = command_line.main([str(argument) for argument in arguments])
        except SystemExit as exit:  # argparse's way
            code = int(exit.code or 0)
        return code, *capsys.readouterr()

    return run_command


@pytest.fixture(scope="module")
def poem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("texts") / "wanderers-nachtlied.txt"
    path.write_text(POEM, "utf-8")
    return path


@pytest.fixture(scope="module")
def straight(poem: Path) -> Path:
    """A checkpoint of 30 steps without a break."""
    path = poem.with_name("straight.safetensors")
    assert command_line.main(["train", str(poem), "--out", str(path), "--steps", "30", *SMALL]) == 0
    return path


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "model.safetensors"


def in_a_process(*arguments: object, **environment: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "rnn", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, timeout=60, env=os.environ | environment)


def assert_same_run(one: Path, other: Path) -> None:
    """Everything is equal to the last bit, but for the times."""
    a, b = checkpoint_file.read(one), checkpoint_file.read(other)
    assert a.arrays.keys() == b.arrays.keys()
    for name in a.arrays.keys() - {"history"}:
        assert np.array_equal(a.arrays[name], b.arrays[name]), name
    untimed = [METRICS.index(name) for name in METRICS if name not in TIMES]
    assert np.array_equal(a.arrays["history"][:, untimed], b.arrays["history"][:, untimed], equal_nan=True)
    differing = {name for name in a.metadata if a.metadata[name] != b.metadata[name]}
    assert differing <= {"elapsed", "notes"}


def raise_in_step(monkeypatch: pytest.MonkeyPatch, step: int, action: Callable[[], object]) -> None:
    """Lets something happen in the middle of this step (from 0), after random numbers were drawn for it."""
    whole, steps = NextCharacter.loss, iter(range(1_000_000))

    def loss(*arguments: Any) -> Any:
        result = whole(*arguments)
        if next(steps) == step:
            action()
        return result

    monkeypatch.setattr(NextCharacter, "loss", loss)


# train


def test_train_writes_a_checkpoint_that_knows_its_text_and_settings(straight: Path) -> None:
    checkpoint = checkpoint_file.read(straight)
    assert (checkpoint.step, checkpoint.is_resumable) == (30, True)
    assert checkpoint.metadata["text"]["name"] == "wanderers-nachtlied.txt"
    assert checkpoint.model == ModelConfig(cell="gru", hidden_size=5, num_layers=2, dropout=0.3)
    assert (checkpoint.train.batch_size, checkpoint.train.bptt_steps) == (3, 4)
    assert checkpoint.metadata["best"]["step"] in (10, 20, 30)


def test_a_built_in_text_is_named_and_needs_no_file_to_go_on(run: Run, out: Path) -> None:
    small = [*SMALL, "--validation-fraction", "0"]
    assert run("train", "nested-parentheses", "--out", out, "--steps", 5, *small)[0] == 0
    assert run("train", "--resume", out, "--out", out, "--stop-at", 8)[0] == 0
    checkpoint = checkpoint_file.read(out)
    assert (checkpoint.step, checkpoint.metadata["text"]["builtin"]) == (8, True)


def test_a_file_goes_before_a_built_in_of_the_same_name(run: Run, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(out.parent)
    Path("hello").write_text(POEM, "utf-8")
    assert run("train", "hello", "--out", out, "--steps", 1, *SMALL)[0] == 0
    assert checkpoint_file.read(out).metadata["text"]["length"] == len(POEM)


def test_resuming_equals_training_straight_through(run: Run, poem: Path, straight: Path, out: Path) -> None:
    part = out.with_name("part.safetensors")
    assert run("train", poem, "--out", part, "--steps", 30, "--stop-at", 7, *SMALL)[0] == 0
    assert checkpoint_file.read(part).step == 7
    assert run("train", poem, "--out", out, "--resume", part, "--stop-at", 20)[0] == 0
    assert run("train", poem, "--out", out, "--resume", out)[0] == 0
    assert_same_run(out, straight)
    assert checkpoint_file.read(part).step == 7


def test_an_interrupt_inside_a_step_waits_for_its_end(
    run: Run, poem: Path, straight: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as context:
        raise_in_step(context, 12, lambda: signal.raise_signal(signal.SIGINT))
        code, _, said = run("train", poem, "--out", out, "--steps", 30, *SMALL)
    assert code == 0
    assert "Interrupted at step 13." in said
    assert checkpoint_file.read(out).step == 13
    assert run("train", poem, "--out", out, "--resume", out)[0] == 0
    assert_same_run(out, straight)


def test_a_second_interrupt_ends_at_once_and_leaves_the_last_save(
    run: Run, poem: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def press_twice() -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell's background jobs do not have
    assert run("train", poem, "--out", out, "--steps", 30, "--stop-at", 5, *SMALL)[0] == 0
    before = out.read_bytes()
    raise_in_step(monkeypatch, 3, press_twice)
    code, _, said = run("train", poem, "--out", out, "--resume", out)
    assert (code, "Traceback" in said) == (130, False)
    assert out.read_bytes() == before
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


# Other tasks

TINY = ["--hidden-size", "4", "--steps", "6", "--evaluate-every", "3", "--precision", "float32", "--device", "cpu"]


@pytest.mark.parametrize("kind", ["digit-rows", "sentiment", "number-names"])
def test_another_task_is_trained_with_its_own_preset_and_resumed(run: Run, out: Path, kind: str) -> None:
    straight = out.with_name("straight.safetensors")
    code, _, said = run("train", "--task", kind, "--out", straight, *TINY)
    assert code == 0
    assert "right" in said
    assert run("train", "--task", kind, "--out", out, "--stop-at", 2, *TINY)[0] == 0
    assert run("train", "--resume", out, "--out", out)[0] == 0
    assert_same_run(out, straight)
    found = checkpoint_file.read(out)
    assert (found.kind, found.model.cell) == (kind, TASKS[kind].model.cell)
    assert run("sample", out)[0] != 0


def test_settings_of_a_task_are_options_too(run: Run, out: Path) -> None:
    task = ["--task", "number-names", "--decoder-cell", "rnn", "--decoder-hidden-size", "3", "--reverse-input"]
    assert run("train", "--out", out, *task, *TINY, "--steps", "1")[0] == 0
    found = checkpoint_file.read(out).task
    assert (found.decoder_cell, found.decoder_hidden_size, found.reverse_input) == ("rnn", 3, True)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["hello", "--task", "digit"], "has its own data, handwritten digits; leave out 'hello'"),
        (["--task", "fill-blank"], "Name a text file or a built-in text"),
        (["--task", "digit", "--preset", "classic"], "--preset is of the language model"),
        (["--task", "digit", "--teacher-forcing", "0.5"], "teacher_forcing is a setting of"),
        (["--task", "digit", "--bidirectional"], "bidirectional must be false for digit"),
        (["--task", "frames", "--variant", "backwards"], "variant must be one of"),
    ],
)
def test_what_does_not_suit_a_task_gets_a_sentence(run: Run, out: Path, arguments: list[str], sentence: str) -> None:
    code, _, said = run("train", *arguments, "--out", out)
    assert code != 0
    assert sentence in said
    assert "Traceback" not in said


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is sent as POSIX does it")
def test_ctrl_c_saves(poem: Path, out: Path) -> None:
    code = "import sys, rnn.__main__ as m; m.AUTOSAVE_SECONDS = 0; sys.exit(m.main())"
    command = [sys.executable, "-c", code, "train", str(poem), "--out", str(out), "--steps", "1000000", *SMALL]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while not out.exists():
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 0
    assert f"Interrupted at step {checkpoint_file.read(out).step}." in said
    assert "Traceback" not in said


def test_a_partial_file_of_a_killed_training_is_removed(run: Run, poem: Path, out: Path) -> None:
    partial, others = (out.with_name(f".{name}.0123456789abcdef.tmp") for name in (out.name, "other.safetensors"))
    partial.write_bytes(b"half")
    others.write_bytes(b"half")
    assert run("train", poem, "--out", out, "--steps", 1, *SMALL)[0] == 0
    assert (partial.exists(), others.exists()) == (False, True)


def test_training_stops_where_it_is_told_to(run: Run, poem: Path, out: Path) -> None:
    for stop, reason in ((["--target-loss", 50], "target loss"), (["--minutes", 1e-6], "minutes")):
        code, _, said = run("train", poem, "--out", out, "--steps", 500, *SMALL, *stop)
        assert code == 0
        assert f"stopped by {reason}. Saved to" in said
        assert checkpoint_file.read(out).step < 500


def test_a_run_that_diverges_says_so_and_keeps_its_last_good_step(run: Run, poem: Path, out: Path) -> None:
    wild = ["--optimizer", "sgd", "--learning-rate", 100, "--clip", "off", "--warmup-steps", 0]
    code, _, said = run("train", poem, "--out", out, "--steps", 200, *SMALL, *wild)
    assert code == 0
    assert "The run is back at step" in said
    assert "Train anew with a third of the learning rate and clipping by norm at 1." in said
    assert checkpoint_file.read(out).step < 200


def test_progress_is_drawn_on_a_terminal_and_only_there(
    run: Run, poem: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["train", poem, "--out", out, "--steps", 30, *SMALL]
    assert "chars/s" not in run(*arguments)[2]
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    last = run(*arguments)[2].rpartition("\r")[2]
    assert last.startswith(f"[{'#' * command_line.BAR}] 30/30  loss ")
    assert all(part in last for part in ("  val ", " chars/s", "0:00 left"))
    assert "chars/s" not in run(*arguments, "--quiet")[2]


def test_what_was_changed_to_fit_a_short_text_is_said(run: Run, out: Path) -> None:
    code, _, said = run("train", "hello", "--out", out, "--steps", 2, *SMALL)
    assert code == 0
    assert "The batch size went from 3 to 1" in said


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """No file can be written to its end; the numbers of the saves that failed."""
    failed: list[int] = []

    def sync(descriptor: int) -> None:
        failed.append(len(failed))
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files.os, "fsync", sync)
    return failed


def test_a_full_disk_at_the_end_is_a_sentence_and_the_old_file_stays(
    run: Run, poem: Path, out: Path, full_disk: list[int]
) -> None:
    out.write_bytes(b"what was here before")
    code, _, said = run("train", poem, "--out", out, "--steps", 2, *SMALL)
    assert (code, len(full_disk)) == (2, 1)
    assert said.endswith("Could not save model.safetensors: the disk is full; make room and save again. "
                         "What was saved before is untouched.\n")  # fmt: skip
    assert out.read_bytes() == b"what was here before"
    assert os.listdir(out.parent) == [out.name]


def test_an_autosave_that_fails_does_not_end_the_training(
    run: Run, poem: Path, out: Path, full_disk: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command_line, "AUTOSAVE_SECONDS", 0)
    code, _, said = run("train", poem, "--out", out, "--steps", 5, *SMALL)
    assert code == 2
    assert len(full_disk) - 1 == said.count("Training goes on.") >= 5


# Resuming what cannot be resumed, or not so


def flags(settings: type[Any]) -> list[list[str]]:
    """Every setting of a class as it is given on the command line, with its default or, where that is None, 1."""
    given = []
    for f in dataclasses.fields(settings):
        name, value = "--" + f.name.replace("_", "-"), 1 if f.default is None else f.default
        given.append([name if value else "--no" + name[1:]] if isinstance(value, bool) else [name, str(value)])
    return given


def test_what_a_run_was_made_with_is_fixed_when_it_is_resumed(run: Run, poem: Path, straight: Path, out: Path) -> None:
    may_change = ("--minutes", "--target-loss", "--patience")
    fixed = [flag for flag in (*flags(ModelConfig), *flags(TrainConfig)) if flag[0] not in may_change]
    for flag in (*fixed, ["--preset", "classic"]):
        code, _, said = run("train", poem, "--out", out, "--resume", straight, *flag)
        assert code == 2
        assert said.startswith(f"{flag[0].replace('--no-', '--')} is fixed when a run is resumed.")
    assert not out.exists()


def test_stops_may_change_when_a_run_is_resumed(run: Run, poem: Path, straight: Path, out: Path) -> None:
    arguments = ["--minutes", 1000, "--target-loss", 0.5, "--patience", 9, "--stop-at", 35]
    assert run("train", poem, "--out", out, "--resume", straight, *arguments)[0] == 0
    checkpoint = checkpoint_file.read(out)
    assert checkpoint.step == 35
    assert (checkpoint.train.minutes, checkpoint.train.target_loss, checkpoint.train.patience) == (1000, 0.5, 9)
    assert checkpoint.train.steps == 30


def test_a_run_is_not_resumed_with_another_text_or_none(
    run: Run, poem: Path, straight: Path, out: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.txt"
    other.write_text(POEM + "Warte nur, balde ruhest du auch.", "utf-8")
    out.write_bytes(b"what was here before")
    for text, complaint in (([other], "not the text the checkpoint was trained on"), ([], "is not here")):
        code, _, said = run("train", *text, "--out", out, "--resume", straight, "--stop-at", 50)
        assert code == 2
        assert complaint in said
    assert out.read_bytes() == b"what was here before"


def test_weights_alone_are_not_resumed(run: Run, poem: Path, straight: Path, out: Path) -> None:
    weights = out.with_name("weights.safetensors")
    save_checkpoint(weights, load_checkpoint(straight), weights_only=True)
    code, _, said = run("train", poem, "--out", out, "--resume", weights)
    assert (code, said) == (2, "weights.safetensors holds weights to sample from; no run can go on from it.\n")


# sample


def test_sample_writes_the_text_and_nothing_else(run: Run, straight: Path) -> None:
    code, drawn, said = run("sample", straight, "--prime", "Über", "--length", 80, "--temperature", 1.3, "--seed", 4)
    checkpoint = checkpoint_file.read(straight)
    expected = generate(checkpoint.sampler(), checkpoint.vocabulary, "Über", 80, temperature=1.3, seed=4)
    assert (code, drawn, said) == (0, "".join(s.char for s in expected), "")


def test_same_seed_gives_same_text_and_another_seed_another(run: Run, straight: Path) -> None:
    texts = [run("sample", straight, "--seed", seed)[1] for seed in (7, 7, 8)]
    assert texts[0] == texts[1] != texts[2]
    assert len(texts[0]) == SampleConfig().length


def test_sampling_options_reach_the_sampler(run: Run, straight: Path) -> None:
    greedy = run("sample", straight, "--temperature", 0)[1]
    assert run("sample", straight, "--top-k", 1, "--seed", 3)[1] == greedy
    assert run("sample", straight, "--top-p", 1e-9, "--seed", 5)[1] == greedy
    assert run("sample", straight, "--temperature", 0, "--stop", greedy[3:6])[1].endswith(greedy[3:6])
    assert run("sample", straight, "--length", 0) == (0, "", "")


def test_last_and_best_weights_can_both_be_asked_for(run: Run, poem: Path, out: Path) -> None:
    arguments = [*SMALL, "--learning-rate", 0.1, "--steps", 50, "--stop-at", 15]  # the best is of step 10
    assert run("train", poem, "--out", out, *arguments)[0] == 0
    last = run("sample", out, "--weights", "last")
    assert last[0] == 0
    assert last != run("sample", out, "--weights", "best") == run("sample", out)


def test_a_prime_with_unknown_characters_is_refused_unless_told_otherwise(run: Run, straight: Path) -> None:
    code, drawn, said = run("sample", straight, "--prime", "Qß")
    assert (code, drawn) == (2, "")
    assert said.count("\n") == 1
    dropped = run("sample", straight, "--prime", "QÜß", "--unknown", "drop")
    assert dropped == run("sample", straight, "--prime", "Ü")


def test_sampling_loads_no_torch(straight: Path) -> None:
    code = "import sys, rnn.__main__ as m; m.main(); sys.stderr.write(str('torch' in sys.modules))"
    result = subprocess.run([sys.executable, "-c", code, "sample", straight], capture_output=True, timeout=60)
    assert (len(result.stdout.decode()), result.stderr) == (200, b"False")


@pytest.mark.parametrize("arguments", [["sample", "--length", "20000"], ["info"]])
def test_a_reader_that_has_had_enough_is_no_error(straight: Path, arguments: list[str]) -> None:
    command, *options = arguments
    with subprocess.Popen(
        [sys.executable, "-m", "rnn", command, straight, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        if command == "sample":
            assert len(process.stdout.read(10)) == 10
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full here")
@pytest.mark.parametrize("command", ["sample", "info"])
def test_an_output_that_cannot_be_written_is_a_sentence(straight: Path, command: str) -> None:
    with open("/dev/full", "wb") as full:
        result = subprocess.run([sys.executable, "-m", "rnn", command, straight], stdout=full, stderr=subprocess.PIPE)
    assert result.returncode == 2
    assert result.stderr.decode() == f"The output could not be written: {os.strerror(errno.ENOSPC)}.\n"


def test_text_leaves_as_utf8_whatever_the_terminal_speaks(poem: Path, straight: Path, out: Path, run: Run) -> None:
    named = poem.with_name("夜の歌.txt")
    named.write_text(POEM, "utf-8")
    assert run("train", named, "--out", out, "--steps", 1, *SMALL)[0] == 0
    for arguments, part in ((["info", out], "夜の歌.txt"), (["sample", straight, "--length", 1000], "ü")):
        result = in_a_process(*arguments, PYTHONIOENCODING="ascii")
        assert (result.returncode, result.stderr) == (0, b"")
        assert part in result.stdout.decode()


def test_an_interrupted_sample_ends_quietly(run: Run, straight: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command_line, "generate", interrupted)
    assert run("sample", straight) == (130, "", "")


# info, corpora, help


def test_a_model_of_another_kind_is_described_and_goes_on_but_does_not_write(run: Run, tmp_path: Path) -> None:
    settings = TrainConfig(steps=4, batch_size=3, evaluation_chars=10, precision="float32", device="cpu")
    state = TrainState.create(None, ModelConfig("gru", hidden_size=5), settings, TaskConfig("digit-rows"))
    list(train(state, 2))
    path = tmp_path / "rows.safetensors"
    save_checkpoint(path, state)
    code, listed, said = run("info", path)
    facts = dict(line.split("  ", 1) for line in listed.splitlines())
    assert (code, said) == (0, "")
    assert {name: value.strip() for name, value in facts.items()}.items() >= {
        "kind": "digit-rows", "data": "handwritten digits, row by row", "parameters": "285"
    }.items()  # fmt: skip
    assert "vocabulary" not in facts
    code, listed, said = run("sample", path)
    assert (code, listed) == (2, "")
    assert "names digits that it reads row by row; it cannot write text." in said
    code, listed, said = run("script", path)
    assert (code, listed) == (2, "")
    assert "There is a script for next-character runs only, not for the kind 'digit-rows'." in said
    code, _, said = run("train", "--resume", path, "--out", path)
    assert code == 0
    assert "285 parameters, handwritten digits, row by row; B 3; float32" in said
    assert checkpoint_file.read(path).step == 4


def test_info_says_what_a_checkpoint_holds(run: Run, straight: Path) -> None:
    code, listed, said = run("info", straight)
    facts = dict(line.split("  ", 1) for line in listed.splitlines())
    facts = {name.strip(): value.strip() for name, value in facts.items()}
    checkpoint = checkpoint_file.read(straight)
    count = sum(array.size for array in checkpoint.weights().values())
    assert (code, said) == (0, "")
    assert (facts["cell"], facts["layers"], facts["input"]) == ("gru", "2 of 5", "one-hot")
    assert facts["parameters"] == f"{count:,}"
    assert facts["vocabulary"] == f"{len(set(POEM))} characters"
    assert facts["text"].startswith(f"wanderers-nachtlied.txt, {len(POEM):,} characters")
    assert facts["step"].startswith("30 of 30, epoch ")
    assert facts["resumable"] == "yes"


def test_script_prints_the_run_as_code_that_reproduces_its_losses(run: Run, straight: Path, poem: Path) -> None:
    code, source, said = run("script", straight)
    assert (code, said) == (0, "")
    assert "wanderers-nachtlied.txt" in source
    script = straight.with_name("script.py")
    script.write_text(source, "utf-8")
    done = subprocess.run([sys.executable, script, poem], capture_output=True, text=True, timeout=60, check=True)
    losses = [float(line.split()[1]) for line in done.stdout.splitlines()]
    trained = checkpoint_file.read(straight).arrays["history"][:, METRICS.index("loss")]
    assert losses == pytest.approx(trained, abs=1e-4)


def test_script_says_what_is_wrong_with_its_checkpoint(run: Run, poem: Path) -> None:
    assert run("script", poem.with_name("none.safetensors"))[0] == 2
    code, printed, said = run("script", poem)
    assert (code, printed) == (2, "")
    assert "is not a checkpoint" in said


def test_corpora_prints_the_text_that_is_named(run: Run) -> None:
    assert run("corpora", "hello") == (0, corpora.load("hello").content, "")
    code, printed, said = run("corpora", "goodbye")
    assert (code, printed) == (2, "")
    assert "goodbye" in said


def test_corpora_lists_every_built_in_text(run: Run) -> None:
    code, listed, said = run("corpora")
    assert (code, said) == (0, "")
    assert [line.split()[0] for line in listed.splitlines()] == list(CORPORA)


@pytest.mark.parametrize(
    ("command", "settings"), [("train", ModelConfig), ("train", TrainConfig), ("sample", SampleConfig)]
)
def test_help_lists_every_setting_with_its_meaning(run: Run, command: str, settings: type[Any]) -> None:
    code, listed, _ = run(command, "--help")
    listed = " ".join(listed.split())
    assert code == 0
    for f in dataclasses.fields(settings):
        assert f"--{f.name.replace('_', '-')}" in listed
        assert f.metadata["help"].replace("- ", "-") in listed.replace("- ", "-"), f.name


def test_every_default_is_accepted_as_an_option(run: Run, poem: Path, out: Path) -> None:
    given = [word for flag in (*flags(ModelConfig), *flags(TrainConfig)) for word in flag]
    small = [*SMALL, "--steps", 1, "--target-loss", 0.1, "--patience", 3, "--max-vocabulary", 20]
    assert run("train", poem, "--out", out, *given, *small)[0] == 0


# Bad input


@pytest.mark.parametrize(
    "arguments",
    [
        [], ["frobnicate"], ["sample"], ["info"], ["train"], ["train", "POEM"],  # something is missing
        ["train", "--out", "OUT"], ["train", "missing.txt", "--out", "OUT"], ["train", "FOLDER", "--out", "OUT"],
        ["train", "x" * 5000, "--out", "OUT"], ["train", "image.txt", "--out", "OUT"],
        ["train", "empty.txt", "--out", "OUT"], ["train", "one.txt", "--out", "OUT"],
        ["train", "same.txt", "--out", "OUT"], ["train", "MODEL", "--out", "OUT"],
        ["train", "POEM", "--out", "missing/model.safetensors"], ["train", "POEM", "--out", "FOLDER"],
        ["train", "POEM", "--out", "POEM"], ["train", "POEM", "--out", "y" * 300],
        ["train", "POEM", "--out", "OUT", "--resume", "missing"], ["train", "POEM", "--out", "OUT", "--resume", "POEM"],
        ["train", "POEM", "--out", "OUT", "--resume", "pickle"], ["train", "POEM", "--out", "OUT", "--resume", "cut"],
        ["train", "POEM", "--out", "OUT", "--resume", "FOLDER"],
        ["sample", "missing"], ["sample", "POEM"], ["sample", "FOLDER"], ["sample", "pickle"], ["sample", "cut"],
        ["sample", "MODEL", "--prime", "\N{SNOWMAN}"], ["sample", "MODEL", "--weights", "worst"],
        ["info", "missing"], ["info", "empty.txt"], ["info", "image.txt"], ["corpora", "more"],
    ],
    ids=lambda arguments: "-".join(arguments)[:60] or "nothing",
)  # fmt: skip
def test_bad_input_is_one_sentence_and_exit_code_2(
    run: Run, arguments: list[str], poem: Path, straight: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("image.txt").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)))
    Path("empty.txt").touch()
    Path("one.txt").write_text("a")
    Path("same.txt").write_text("aaaa")
    Path("pickle").write_bytes(pickle.dumps({"weights": [1, 2, 3]}))
    Path("cut").write_bytes(straight.read_bytes()[:-50])
    Path("folder").mkdir()
    before = sorted(os.listdir())
    places = {"POEM": poem, "MODEL": straight, "OUT": "model.safetensors", "FOLDER": "folder"}
    small = ["--steps", 1, *SMALL] if arguments[:1] == ["train"] and "--resume" not in arguments else []
    assert_refused(*run(*(places.get(word, word) for word in arguments), *small))
    assert sorted(os.listdir()) == before
    assert poem.read_text("utf-8") == POEM


@pytest.mark.parametrize(
    "setting",
    [
        "hidden-size 0", "hidden-size abc", "hidden-size nan", "hidden-size 1000000000", "hidden-size 1.5",
        "hidden-size", "learning-rate nan", "learning-rate inf", "learning-rate 0", "learning-rate -1", "dropout 1",
        "num-layers 5", "cell transformer", "bidirectional", "steps 0", "steps 99999999999999999999", "seed -1",
        "target-loss nan", "minutes 0", "patience 0", "stop-at 0", "stop-at -3", "stop-at soon", "preset none",
        "precision float64", "frobnicate 3",
    ],
)  # fmt: skip
def test_a_bad_training_setting_is_one_sentence_and_exit_code_2(run: Run, poem: Path, out: Path, setting: str) -> None:
    name = setting.split()[0]
    code, written, said = run("train", poem, "--out", out, *("--" + setting).split())
    assert_refused(code, written, said)
    assert name in said.replace("_", "-")
    assert not out.exists()


@pytest.mark.parametrize(
    "setting",
    ["length -1", "length 1e3", "temperature nan", "temperature -1", "top-k 0", "top-p 0", "top-p 1.1", "seed x"],
)
def test_a_bad_sampling_setting_is_one_sentence_and_exit_code_2(run: Run, straight: Path, setting: str) -> None:
    code, written, said = run("sample", straight, *("--" + setting).split())
    assert_refused(code, written, said)
    assert setting.split()[0] in said.replace("_", "-")


def assert_refused(code: int, written: str, said: str) -> None:
    assert code == 2
    assert written == ""
    assert said.count("\n") == 1
    assert said.endswith("\n")
    assert len(said) < 400
    assert "Traceback" not in said


def test_the_module_runs_as_a_program() -> None:
    listed = in_a_process("corpora")
    assert (listed.returncode, listed.stderr) == (0, b"")
    refused = in_a_process("info", "missing")
    assert (refused.returncode, refused.stdout) == (2, b"")
    assert refused.stderr.decode().splitlines() == ["There is no file missing. Check the name."]


def test_what_is_no_ordinary_file_is_not_written_to(run: Run, poem: Path, out: Path) -> None:
    pipe, link = out.with_name("pipe"), out.with_name("link")
    os.mkfifo(pipe)
    link.symlink_to(poem)
    for special in (pipe, link):
        code, _, said = run("train", poem, "--out", special, *SMALL)
        assert code == 2
        assert "no ordinary file" in said
    assert pipe.is_fifo()
    assert link.is_symlink()


def test_a_run_that_is_at_its_end_asks_for_a_later_stop(run: Run, poem: Path, straight: Path, out: Path) -> None:
    code, _, said = run("train", poem, "--out", out, "--resume", straight)
    assert code == 2
    assert "--stop-at" in said

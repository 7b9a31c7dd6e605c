"""Real processes are killed while they train and while they save: nothing is half written, nothing saved is lost.

Importing torch takes seconds, so a nursery process does it once and forks the children that are killed.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from rnn import checkpoint_file
from rnn.config import ModelConfig, TrainConfig
from rnn.corpora import Text
from rnn.race import Member
from rnn.runs.scheduler import Scheduler
from rnn.runs.store import Store
from rnn.training import TrainState, train

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="children are forked and killed as POSIX does it")

TOKEN = "owner's token"
TEXT = Text("proverb", "All that glisters is not gold; often have you heard that told.\n" * 20)
MODEL = ModelConfig(cell="lstm", hidden_size=4, num_layers=2, dropout=0.2)
TRAINING = TrainConfig(
    batch_size=2, bptt_steps=8, steps=1_000_000, evaluate_every=50, precision="float32", device="cpu"
)
KILLS = 20
RACE_KILLS = 6

NURSERY = """
import os, signal, sys, time
import torch
import rnn.__main__, rnn.checkpoint_file
from rnn.runs.scheduler import Scheduler, _warm_up
from rnn.runs.store import Store

def say(*words):
    print(*words, flush=True)

def announce_saves():
    fsync = os.fsync
    def slow(descriptor):
        say("saving")
        time.sleep(0.02)
        fsync(descriptor)
    rnn.files.os.fsync = slow

def serve(home, run_id, token, stop_at):
    store = Store(home)
    Scheduler(store, autosave_seconds=0.05).resume(run_id, token, int(stop_at))
    say("training")
    while any(info.status == "running" for info in store.together(run_id)):
        time.sleep(0.005)
    say(store.get(run_id).status)

def end_early(home, run_id, token, steps):
    store = Store(home)
    Scheduler(store).resume(run_id, token)
    while store.get(run_id).step < int(steps):
        time.sleep(0.005)

def command_line(*arguments):
    rnn.__main__.AUTOSAVE_SECONDS = 0.05
    say("training")
    rnn.__main__.main(["train", *arguments])

torch.set_num_threads(1)
_warm_up()  # torch imports more of itself at the first step
for line in sys.stdin:
    job, slow, *arguments = line.rstrip("\\n").split("\\t")
    if child := os.fork():
        say("ended", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        continue
    signal.alarm(120)  # a child that hangs fails its test
    say("child", os.getpid())
    if slow == "slow":
        announce_saves()
    {"serve": serve, "end_early": end_early, "command_line": command_line}[job](*arguments)
    break
"""


class Nursery:
    """Starts children one at a time and listens to what they say."""

    def __init__(self, log: Path) -> None:
        with log.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-c", NURSERY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
            )

    def start(self, job: str, *arguments: object, slow: bool = False) -> int:
        """Starts a child and returns its process id; a slow one says "saving" before anything is safe on the disk."""
        assert self._process.stdin is not None
        print(job, "slow" if slow else "fast", *arguments, sep="\t", file=self._process.stdin, flush=True)
        (pid,) = self.hear("child")
        return int(pid)

    def hear(self, word: str, times: int = 1) -> list[str]:
        """Waits until the child has said this word so often; what came after it."""
        assert self._process.stdout is not None
        while times:
            said, *rest = (self._process.stdout.readline() or "nothing any more").split()
            times -= said == word
            assert said == word or said not in ("nothing", "ended", "failed"), f"{said} {rest} before {word}"
        return rest

    def kill(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)
        assert self.hear("ended") == [str(-signal.SIGKILL)]

    def close(self) -> None:
        self._process.communicate()


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    opened = Nursery(tmp_path_factory.mktemp("nursery") / "errors.txt")
    yield opened
    opened.close()


def straight_losses(last_step: int, model: ModelConfig = MODEL) -> list[float]:
    return [metrics.loss for metrics in train(TrainState.create(TEXT, model, TRAINING), last_step)]


def partial_files(folder: Path) -> list[Path]:
    return list(folder.glob("**/.*.tmp"))


def check_after_kill(home: Path, run_id: str) -> int:
    """What holds whenever the server was killed; the step that the run goes on from."""
    with closing(Store(home)) as store, closing(Scheduler(store)) as scheduler:
        assert scheduler.refusal == ""
        assert {info.status for info in store.runs_of(TOKEN)} == {"interrupted"}
        info, path = store.get(run_id), store.checkpoint_path(run_id)
        saved = checkpoint_file.read(path).step if path.exists() else 0
        assert info.saved_step <= saved <= info.step
        for step in store.snapshots(run_id):
            assert checkpoint_file.read(store.snapshot_path(run_id, step)).step == step
        assert partial_files(home) == []
        return saved


def test_a_server_killed_twenty_times_goes_on_from_its_last_save(nursery: Nursery, own_home: Path) -> None:
    rng = random.Random(0)
    with closing(Store(own_home)) as store:
        run_id = store.create(TOKEN, TEXT, MODEL, TRAINING)
    saves = [0]
    half_written = 0
    for kill in range(KILLS):
        in_a_save = kill % 2 == 1
        child = nursery.start("serve", own_home, run_id, TOKEN, TRAINING.steps, slow=in_a_save)
        if in_a_save:
            nursery.hear("saving", times=rng.randint(1, 6))
            time.sleep(rng.uniform(0, 0.01))
        else:
            nursery.hear("training")
            time.sleep(rng.uniform(0, 0.25))
        nursery.kill(child)
        half_written += len(partial_files(own_home))
        saves.append(check_after_kill(own_home, run_id))
        assert saves[-1] >= saves[-2]
    assert half_written > 0  # some were killed inside a save
    assert len(set(saves)) > KILLS // 4  # and most had saved more

    last_step = saves[-1] + 5
    nursery.start("serve", own_home, run_id, TOKEN, last_step)
    nursery.hear("finished")
    nursery.hear("ended")
    with closing(Store(own_home)) as store:
        assert [metrics.loss for metrics in store.metrics(run_id, points=None)] == straight_losses(last_step)


def test_a_race_killed_while_it_runs_and_saves_goes_on_whole_and_exactly(nursery: Nursery, own_home: Path) -> None:
    rng = random.Random(1)
    racers = [Member(cell.upper(), replace(MODEL, cell=cell), TRAINING) for cell in ("rnn", "gru", "lstm")]
    with closing(Store(own_home)) as store:
        ids = [info.id for info in store.race(store.create_race(TOKEN, TEXT, racers, "steps"))]
    last_step = 0
    for kill in range(RACE_KILLS):
        in_a_save = kill % 2 == 1
        nursery_child = nursery.start("serve", own_home, ids[kill % 3], TOKEN, TRAINING.steps, slow=in_a_save)
        if in_a_save:
            nursery.hear("saving", times=rng.randint(1, 12))
        else:
            nursery.hear("training")
            time.sleep(rng.uniform(0.1, 0.3))
        nursery.kill(nursery_child)
        last_step = max(last_step, *(check_after_kill(own_home, run_id) for run_id in ids))
    assert last_step > 0

    nursery.start("serve", own_home, ids[0], TOKEN, last_step + 5)
    nursery.hear("finished")
    nursery.hear("ended")
    with closing(Store(own_home)) as store:
        for racer, run_id in zip(racers, ids, strict=True):
            assert store.get(run_id).status == "finished"
            losses = [metrics.loss for metrics in store.metrics(run_id, points=None)]
            assert losses == straight_losses(last_step + 5, racer.model)


def test_the_command_line_killed_in_a_save_leaves_a_whole_file_to_go_on_from(nursery: Nursery, tmp_path: Path) -> None:
    text, out = tmp_path / "proverb.txt", tmp_path / "model.safetensors"
    text.write_text(TEXT.content)
    settings = {"cell": "lstm", "hidden-size": 4, "num-layers": 2, "dropout": 0.2, "embedding-size": 0, "batch-size": 2,
                "bptt-steps": 8, "steps": TRAINING.steps, "precision": "float32", "device": "cpu"}  # fmt: skip
    begin = [text, "--out", out, *(word for name, value in settings.items() for word in (f"--{name}", value))]
    go_on = [text, "--out", out, "--resume", out]
    saved = 0
    # Each save syncs its file, then the folder: an odd count is before the rename, an even one after it.
    for arguments, syncs in ((begin, 2), (go_on, 1), (go_on, 3), (go_on, 4)):
        child = nursery.start("command_line", *arguments, slow=True)
        nursery.hear("saving", times=syncs)
        nursery.kill(child)
        assert len(partial_files(tmp_path)) == syncs % 2
        step = checkpoint_file.read(out).step
        assert step > saved if syncs > 1 else step == saved
        saved = step
    nursery.start("command_line", *go_on, "--stop-at", saved + 5)
    nursery.hear("ended")
    assert partial_files(tmp_path) == []
    history = checkpoint_file.read(out).arrays["history"]
    losses = straight_losses(saved + 5)
    assert history[:, 2].tolist() == losses


def test_a_program_that_ends_saves_its_runs_first(nursery: Nursery, own_home: Path) -> None:
    with closing(Store(own_home)) as store:
        run_id = store.create(TOKEN, TEXT, MODEL, TRAINING)
        nursery.start("end_early", own_home, run_id, TOKEN, 5)
        assert nursery.hear("ended") == ["0"]
        info = store.get(run_id)
        assert (info.status, info.saved_step) == ("interrupted", info.step)
        assert info.step >= 5

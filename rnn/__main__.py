"""The command line: `python -m rnn train | sample | info | script | corpora`.

It walks the way the app walks, without the scheduler. Bad input ends with exit code 2 and one sentence.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from rnn import corpora
from rnn.catalogue import TASKS
from rnn.checkpoint_file import Checkpoint, read
from rnn.config import KINDS, PRESETS, ModelConfig, SampleConfig, TaskConfig, TrainConfig, shown
from rnn.corpora import Text
from rnn.errors import CheckpointError, ConfigError, PlaygroundError, TextError
from rnn.files import remove_partial
from rnn.memory import keep_freed_memory
from rnn.records import StepMetrics
from rnn.runs.scheduler import AUTOSAVE_SECONDS
from rnn.sampling import generate
from rnn.script import script_of

if TYPE_CHECKING:
    from rnn.training import TrainState

EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130  # as shells say it of Ctrl-C
BAR = 24  # characters of the progress bar
REDRAW_SECONDS = 0.2
STOPS = ("minutes", "target_loss", "patience")  # the settings that may change when a run is resumed


class Parser(argparse.ArgumentParser):
    """argparse, but an error is one sentence."""

    def error(self, message: str) -> NoReturn:
        self.exit(EXIT_BAD_INPUT, f"{message[:1].upper()}{message[1:]}. See: {self.prog} --help\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
        return code
    except PlaygroundError as error:
        print(error, file=sys.stderr)
        return EXIT_BAD_INPUT
    except KeyboardInterrupt:  # training, which has something to save, handles it itself
        return EXIT_INTERRUPTED
    except BrokenPipeError:  # `... | head` has read enough
        _close_output()
        return 0
    except OSError as error:  # of standard output; files' errors are sentences by now
        _close_output()
        print(f"The output could not be written: {error.strerror or error}.", file=sys.stderr)
        return EXIT_BAD_INPUT


def _close_output() -> None:
    """So that Python does not try once more when it ends."""
    with suppress(OSError):
        sys.stdout.close()


def _parser() -> Parser:
    parser = Parser(prog="python -m rnn", description="Train character-level recurrent networks and sample from them.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)

    train = commands.add_parser("train", help="train a model on a text")
    train.add_argument(
        "text", metavar="TEXT", nargs="?", help="a text file, or the name of a built-in text (see corpora)"
    )
    train.add_argument(
        "--out", required=True, type=Path, metavar="FILE", help="where the checkpoint goes (.safetensors)"
    )
    train.add_argument("--resume", type=Path, metavar="FILE", help="go on with the run in this checkpoint")
    train.add_argument("--stop-at", type=int, metavar="STEP", help="stop at this step; the schedule stays as it is")
    train.add_argument("--preset", choices=tuple(PRESETS), help='settings to start from, "default" if not given')
    train.add_argument("--task", dest="kind", choices=KINDS, help="what is learned, next-character if not given")
    train.add_argument("--quiet", action="store_true", help="no progress bar")
    _add_settings(train, TaskConfig, left_out=("kind",))
    _add_settings(train, ModelConfig)
    _add_settings(train, TrainConfig)
    train.set_defaults(run=_train)

    sample = commands.add_parser("sample", help="let a trained model write; the text alone goes to standard output")
    sample.add_argument("checkpoint", type=Path, metavar="CHECKPOINT")
    sample.add_argument(
        "--weights", choices=("best", "last"), default="best", help="of the best validation loss, or the last"
    )
    sample.add_argument(
        "--unknown", choices=("error", "drop", "replace"), default="error",
        help="what to do with characters of the prime that the model does not know",
    )  # fmt: skip
    _add_settings(sample, SampleConfig)
    sample.set_defaults(run=_sample)

    info = commands.add_parser("info", help="say what a checkpoint holds")
    info.add_argument("checkpoint", type=Path, metavar="CHECKPOINT")
    info.set_defaults(run=_info)

    code = commands.add_parser("script", help="print a checkpoint's run as a short PyTorch script without this package")
    code.add_argument("checkpoint", type=Path, metavar="CHECKPOINT")
    code.set_defaults(run=_script)

    listing = commands.add_parser("corpora", help="list the built-in texts, or print one")
    listing.add_argument("name", metavar="NAME", nargs="?", help="the text to print")
    listing.set_defaults(run=_corpora)
    return parser


def _add_settings(parser: argparse.ArgumentParser, settings: type[Any], left_out: Sequence[str] = ()) -> None:
    """One option per field; what is not given is left to the preset or the default."""
    for f in dataclasses.fields(settings):
        if f.name in left_out:
            continue
        kind = str(f.type).removesuffix(" | None")
        option: dict[str, Any] = {"help": f.metadata["help"].replace("%", "%%"), "default": None, "dest": f.name}
        if kind == "bool":
            option["action"] = argparse.BooleanOptionalAction
        elif f.metadata["choices"]:
            option["choices"] = f.metadata["choices"]
        else:
            option |= {"type": {"int": int, "float": float, "str": str}[kind], "metavar": kind.upper()}
        parser.add_argument("--" + f.name.replace("_", "-"), **option)


def _given(options: argparse.Namespace, settings: type[Any]) -> dict[str, Any]:
    """The settings of this class that were given on the command line."""
    names = (f.name for f in dataclasses.fields(settings))
    return {name: getattr(options, name) for name in names if getattr(options, name) is not None}


# train


def _train(options: argparse.Namespace) -> int:
    _check_train_options(options)
    state = _resumed(options) if options.resume else _created(options)
    for note in state.notes:
        print(note, file=sys.stderr)
    print(_headline(state), file=sys.stderr)
    if state.step >= _last_step(state, options):
        raise ConfigError(f"The run is at step {state.step} already. Name a later step with --stop-at.")
    if not _run(state, options):
        print(f"Interrupted at step {state.step}.", file=sys.stderr)
    print(_result(state, options.out), file=sys.stderr)
    return 0


def _check_train_options(options: argparse.Namespace) -> None:
    """What would otherwise be found out only when hours of training are to be saved."""
    folder = options.out.parent
    if not os.path.isdir(folder):
        raise ConfigError(f"The folder {folder} for --out does not exist. Make it, or name another one.")
    if os.path.lexists(options.out) and (os.path.islink(options.out) or not os.path.isfile(options.out)):
        raise ConfigError(f"--out {options.out} is there and is no ordinary file. Name another one.")
    try:
        tempfile.NamedTemporaryFile(dir=folder, prefix=f".{options.out.name}.").close()
    except OSError as error:
        raise ConfigError(f"--out cannot be written: {error.strerror or error}. Name another file.") from error
    if options.text and os.path.exists(options.out) and os.path.realpath(options.text) == os.path.realpath(options.out):
        raise ConfigError("--out is the text itself, which would be lost. Name another file.")
    if options.stop_at is not None and options.stop_at < 1:
        raise ConfigError(f"--stop-at must be at least 1, not {options.stop_at}.")


def _created(options: argparse.Namespace) -> TrainState:
    from rnn.hardware import leave_a_core
    from rnn.training import TrainState

    info = TASKS[options.kind or TaskConfig().kind]
    if info.needs_text and options.text is None:
        raise ConfigError("Name a text file or a built-in text to train on; `python -m rnn corpora` lists those.")
    if options.text is not None and not info.needs_text:
        raise ConfigError(f"The task {info.task.kind} has its own data, {info.data}; leave out {shown(options.text)}.")
    if options.preset and options.kind not in (None, TaskConfig().kind):
        raise ConfigError(f"--preset is of the language model; the task {info.task.kind} has its own. Leave it out.")
    task = dataclasses.replace(info.task, **_given(options, TaskConfig))
    preset = PRESETS[options.preset or "default"]
    of_text = task.kind == TaskConfig().kind
    model = dataclasses.replace(preset.model if of_text else info.model, **_given(options, ModelConfig))
    usual = preset.train if of_text else info.training(task.variant)
    train = dataclasses.replace(usual, **_given(options, TrainConfig))
    keep_freed_memory()
    leave_a_core()
    return TrainState.create(None if options.text is None else _text(options.text), model, train, task)


def _resumed(options: argparse.Namespace) -> TrainState:
    import torch

    from rnn.checkpoints import to_state
    from rnn.hardware import threads_note

    given = _given(options, TaskConfig) | _given(options, ModelConfig) | _given(options, TrainConfig)
    if "kind" in given:
        given["task"] = given.pop("kind")
    fixed = ["preset"] if options.preset else sorted(given.keys() - set(STOPS))
    if fixed:
        raise ConfigError(
            f"--{fixed[0].replace('_', '-')} is fixed when a run is resumed. "
            "What can be given is --stop-at, --minutes, --target-loss and --patience."
        )
    checkpoint = read(options.resume)
    if not checkpoint.is_resumable:
        raise ConfigError(f"{options.resume.name} holds weights to sample from; no run can go on from it.")
    threads = checkpoint.metadata["resolved"]["threads"]
    torch.set_num_threads(min(threads, os.cpu_count() or 1))  # with others, sums would round differently
    state = to_state(checkpoint, None if options.text is None else _text(options.text))
    if given:
        state.set_stops(**{name: getattr(state.train_config, name) for name in STOPS} | given)
    state.notes = tuple(note for note in (*state.notes, threads_note(state.resolved)) if note)
    return state


def _text(name: str) -> Text:
    """A file if there is one of this name, else a built-in."""
    if os.path.exists(name):
        return corpora.read_file(Path(name))
    if name in corpora.CORPORA:
        return corpora.load(name)
    raise TextError(
        f"There is neither a file nor a built-in text named {shown(name)}. "
        "`python -m rnn corpora` lists the built-in ones."
    )


def _last_step(state: TrainState, options: argparse.Namespace) -> int:
    return int(options.stop_at or state.train_config.steps)


def _run(state: TrainState, options: argparse.Namespace) -> bool:
    """Trains, saving now and then and at the end; False when Ctrl-C ended it."""
    from rnn.checkpoints import save_checkpoint
    from rnn.training import advance

    bar = _Progress(
        _last_step(state, options), state.train_config.minutes, quiet=options.quiet or not sys.stderr.isatty()
    )
    remove_partial(options.out)  # of a training that was killed
    saved = time.monotonic()
    with _held_back_interrupt() as interrupt:
        with closing(bar):
            for metrics in advance(state, options.stop_at):
                if metrics is not None:
                    bar.show(metrics)
                if interrupt.is_set():
                    break
                if time.monotonic() - saved >= AUTOSAVE_SECONDS:
                    _autosave(options.out, state)
                    saved = time.monotonic()
        save_checkpoint(options.out, state)
        return not interrupt.is_set()


def _autosave(path: Path, state: TrainState) -> None:
    """Saves if it can; a full disk is no reason to lose what is still in memory."""
    from rnn.checkpoints import save_checkpoint

    try:
        save_checkpoint(path, state)
    except CheckpointError as error:
        print(f"\n{error} Training goes on.", file=sys.stderr)


@contextmanager
def _held_back_interrupt() -> Iterator[threading.Event]:
    """The first Ctrl-C sets the event: a run that is left inside a step could not go on exactly. A second one ends."""
    pressed = threading.Event()
    before = signal.getsignal(signal.SIGINT)

    def press(*_: object) -> None:
        pressed.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, press)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)


class _Progress:
    """A progress line on standard error: bar, loss, speed, time left."""

    def __init__(self, last_step: int, minutes: float | None, quiet: bool) -> None:
        self._last_step = last_step
        self._seconds = math.inf if minutes is None else 60 * minutes
        self._quiet = quiet
        self._drawn = 0.0
        self._first: StepMetrics | None = None
        self._validation: float | None = None

    def show(self, metrics: StepMetrics) -> None:
        self._first = self._first or metrics
        self._validation = metrics.validation_loss or self._validation
        is_last = metrics.step >= self._last_step
        if self._quiet or (time.monotonic() - self._drawn < REDRAW_SECONDS and not is_last):
            return
        self._drawn = time.monotonic()
        print("\r" + self._line(metrics).ljust(100)[:100], end="", file=sys.stderr, flush=True)

    def _line(self, metrics: StepMetrics) -> str:
        assert self._first is not None
        filled = min(BAR, BAR * metrics.step // self._last_step)
        steps = max(1, metrics.step - self._first.step)
        seconds = metrics.elapsed - self._first.elapsed
        left = min(seconds / steps * (self._last_step - metrics.step), self._seconds - metrics.elapsed)
        speed = (metrics.characters - self._first.characters) / seconds if seconds else metrics.chars_per_second
        validation = f"  val {self._validation:.3f}" if self._validation is not None else ""
        return (
            f"[{'#' * filled}{'.' * (BAR - filled)}] {metrics.step}/{self._last_step}  loss {metrics.loss:.3f}"
            f"{validation}  {speed:,.0f} chars/s  {_clock(left)} left"
        )

    def close(self) -> None:
        if not self._quiet:
            print(file=sys.stderr)


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(max(0.0, seconds)), 60)
    return f"{minutes}:{seconds:02}"


def _headline(state: TrainState) -> str:
    model, train, resolved = state.config, state.train_config, state.resolved
    count = sum(parameter.numel() for parameter in state.model.parameters())
    learned = TASKS[state.task.kind]
    data = f"vocabulary {len(state.vocabulary)}" if learned.needs_text else learned.data
    batch = f"B {train.batch_size}"
    if state.task.kind == "next-character":
        batch += f", T {train.bptt_steps}"
    layers = f"{model.num_layers} layer{'s' if model.num_layers > 1 else ''}"
    return (
        f"{model.cell.upper()}, {layers} of {model.hidden_size}, {count:,} parameters, "
        f"{data}; {batch}; "
        f"{resolved.precision} on {resolved.device}"
    )


def _result(state: TrainState, path: Path) -> str:
    parts = [f"Step {state.step}"]
    if state.loss is not None:
        parts.append(f"loss {state.loss:.3f}")
    if (score := next((m.score for m in reversed(state.history) if m.score is not None), None)) is not None:
        parts.append(f"{score:.1%} of the {TASKS[state.task.kind].score} right")
    if state.best is not None:
        parts.append(f"best validation loss {state.best.loss:.3f} at step {state.best.step}")
    if state.stop_reason not in (None, "steps", "diverged"):
        parts.append(f"stopped by {state.stop_reason}")
    sentences = [", ".join(parts) + ".", f"Saved to {path}."]
    if state.divergence is not None:
        sentences.insert(0, state.divergence.sentence(can_recover=False))
    return " ".join(sentences)


# sample, info, script, corpora


def _sample(options: argparse.Namespace) -> int:
    checkpoint = read(options.checkpoint)
    settings = SampleConfig(**_given(options, SampleConfig))
    model = checkpoint.sampler(options.weights)
    drawn = generate(model, checkpoint.vocabulary, **settings.to_json(), unknown=options.unknown)
    _write_text(s.char for s in drawn)
    return 0


def _write_text(characters: Iterable[str]) -> None:
    """The text alone, as UTF-8 whatever the terminal's own encoding is."""
    for character in characters:
        sys.stdout.buffer.write(character.encode("utf-8", "replace"))
        if character == "\n":
            sys.stdout.buffer.flush()
    sys.stdout.buffer.flush()


def _info(options: argparse.Namespace) -> int:
    checkpoint = read(options.checkpoint)
    width = max(len(name) for name, _ in _facts(checkpoint))
    for name, value in _facts(checkpoint):
        _write_text(f"{name.ljust(width)}  {value}\n")
    return 0


def _facts(checkpoint: Checkpoint) -> list[tuple[str, str]]:
    model, metadata = checkpoint.model, checkpoint.metadata
    best, resolved = metadata["best"], metadata["resolved"]
    data = [("data", TASKS[checkpoint.kind].data)]
    if text := metadata.get("text"):
        name = corpora.printable(text["name"])
        data = [
            ("vocabulary", f"{len(checkpoint.vocabulary)} characters"),
            ("text", f"{name}, {text['length']:,} characters, sha256 {text['sha256'][:12]}..."),
        ]
    return [
        ("kind", checkpoint.kind),
        ("cell", model.cell),
        ("layers", f"{model.num_layers} of {model.hidden_size}"),
        ("input", f"embedding of {model.embedding_size}" if model.embedding_size else "one-hot"),
        ("parameters", f"{checkpoint.parameter_count:,}"),
        *data,
        ("step", f"{checkpoint.step:,} of {checkpoint.train.steps:,}, epoch {metadata['epoch']:.2f}"),
        ("best validation loss", f"{best['loss']:.4f} nats at step {best['step']:,}" if best else "not measured"),
        ("trained for", f"{metadata['elapsed']:.1f} s on {resolved['device']} in {resolved['precision']}"),
        ("resumable", "yes" if checkpoint.is_resumable else "no, it holds weights alone"),
    ]


def _script(options: argparse.Namespace) -> int:
    _write_text(script_of(read(options.checkpoint).metadata))
    return 0


def _corpora(options: argparse.Namespace) -> int:
    if options.name is not None:
        _write_text(corpora.load(options.name).content)
        return 0
    for corpus in corpora.CORPORA.values():
        print(f"{corpus.name:20} {corpus.title}: {corpus.description}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

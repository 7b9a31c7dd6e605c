"""A run as a plain PyTorch script of at most 100 lines, or as a notebook, without this package: "show me the code".

The script says what this run does and nothing else: a GRU's has no LSTM in it, one without clipping no clipping. It
reads the same text and draws the same weights from the same seed, so that it reproduces the run's losses; it is held
against `rnn.training` by tests/unit/test_script.py.

Nothing that a person typed becomes code: settings are checked numbers and choices, the text's name is a quoted string.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any, Literal

from rnn.config import ModelConfig, TrainConfig, shown
from rnn.corpora import printable
from rnn.errors import ConfigError
from rnn.vocabulary import MAX_SIZE, UNKNOWN, Vocabulary

MAX_LINES = 100
MAX_WIDTH = 110  # characters of a line
EVALUATION_STEPS = 256  # characters of each stream that the script evaluates together; only memory depends on it
LIVE_STREAMS = 16  # as in rnn.training, which needs torch
TEXT_FILE, WEIGHTS_FILE = "text.txt", "first.safetensors"  # what a notebook reads, beside itself

Line = str | Literal[False]  # a line that is left out is False


def script(
    model: ModelConfig,
    train: TrainConfig,
    *,
    text_name: str,
    characters: int,
    vocabulary: Vocabulary,
    precision: str = "float32",
    device: str = "cpu",
    rate_changes: Sequence[tuple[int, float]] = (),
    kind: str = "next-character",
) -> str:
    """One run as a script: `python script.py text.txt [initial.safetensors]`.

    In float32 its losses are the run's; where the run multiplied in bfloat16 they come close, and a comment says so.

    Args:
        model, train: as the run uses them; `train` has been fitted to the text.
        text_name, characters: the text's name, and how many characters it has.
        vocabulary: of the text; a capped one makes the script cap its own.
        precision, device: what "auto" came to.
        rate_changes: (step, factor), changes of the learning rate while it trained, as `TrainState` records them.
        kind: the task.

    Raises:
        ConfigError: there is no script for this kind of run.
    """
    run = _checked(model, train, text_name, characters, vocabulary, precision, device, rate_changes, kind)
    above, constants = _opening(run), _constants(run)
    below = [_text(run), _network(run), _start(run), _schedule(run), _evaluation(run), _training(run)]
    room = MAX_LINES - sum(len(part) + 1 for part in (above, constants, *below) if part) + 1
    parts = [above, constants + _rate_table(run, room), *below]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def notebook(
    model: ModelConfig,
    train: TrainConfig,
    *,
    text_name: str,
    characters: int,
    vocabulary: Vocabulary,
    precision: str = "float32",
    device: str = "cpu",
    rate_changes: Sequence[tuple[int, float]] = (),
    kind: str = "next-character",
) -> str:
    """The same run as a Jupyter notebook (the JSON of nbformat 4.5): the script in pieces, each explained.

    Its losses are in the list `losses`, and at its end the model writes. It reads the run's text as `text.txt`
    beside it, and the first weights as `first.safetensors` if they are there. The arguments are those of `script`.

    Raises:
        ConfigError: there is no notebook for this kind of run.
    """
    run = _checked(model, train, text_name, characters, vocabulary, precision, device, rate_changes, kind)
    cells = [
        _words("title", *_notebook_title(run)),
        _code("imports", _imports(run, "from pathlib import Path")),
        _words("settings-why", "## Settings", "", "Those of the run. Change one and run all cells again."),
        _code("settings", _constants(run) + _rate_table(run, MAX_LINES)),
        _words("text-why", "## Text", "", *_about_text(run)),
        _code("text", _text(run, repr(TEXT_FILE))),
        _words("network-why", "## Network", "", "Each time step reads one character and the state of the step before."),
        _code("network", _network(run)),
        _words("start-why", "## Weights and optimizer", "", "The seed draws the weights that the run began with."),
        _code("start", _start(run, repr(WEIGHTS_FILE))),
        *_explained("schedule", "## Learning rate", "It changes from step to step.", _schedule(run)),
        *_explained("validation", "## Validation", "The loss on text that is not trained on.", _evaluation(run)),
        _words("training-why", "## Training", "", "The loop: predict, compare, go back through time, take a step."),
        _code("training", ["losses = []", *_training(run, in_notebook=True)]),
        _words("sample-why", "## Sample", "", "The model writes: each character that is drawn is read next."),
        _code("sample", _sample(run)),
    ]
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    found = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(found, ensure_ascii=False, indent=1) + "\n"


def script_of(metadata: Mapping[str, Any], *, as_notebook: bool = False) -> str:
    """The script, or the notebook, of a saved run, from `Checkpoint.metadata` or `TrainState.to_json()`.

    Raises:
        ConfigError: there is no script for this kind of run.
    """
    _check_kind(metadata["kind"])
    return (notebook if as_notebook else script)(
        ModelConfig.from_json(metadata["model"]),
        TrainConfig.from_json(metadata["train"]),
        text_name=metadata["text"]["name"],
        characters=metadata["text"]["length"],
        vocabulary=Vocabulary.from_json(metadata["vocabulary"]),
        precision=metadata["resolved"]["precision"],
        device=metadata["resolved"]["device"],
        rate_changes=metadata["rate_changes"],
        kind=metadata["kind"],
    )


def _check_kind(kind: str) -> None:
    if kind != "next-character":
        raise ConfigError(f"There is a script for next-character runs only, not for the kind {shown(kind)}.")


def _checked(
    model: ModelConfig, train: TrainConfig, text_name: str, characters: int, vocabulary: Vocabulary, precision: str,
    device: str, rate_changes: Sequence[tuple[int, float]], kind: str,
) -> _Run:  # fmt: skip
    _check_kind(kind)
    if model.bidirectional:
        raise ConfigError("There is no script for a bidirectional network: it cannot predict the next character.")
    return _Run(model, train, text_name, characters, vocabulary, precision, device, _in_effect(rate_changes, train))


@dataclass(frozen=True)
class _Run:
    """What the parts of the script are written from."""

    model: ModelConfig
    train: TrainConfig
    text_name: str
    characters: int
    vocabulary: Vocabulary
    precision: str
    device: str
    rate_changes: dict[int, float]

    @property
    def cap(self) -> int | None:
        """The size the vocabulary was capped to; None where every character of the text has its own index."""
        cap = min(self.train.max_vocabulary or MAX_SIZE, MAX_SIZE)
        is_capped = len(self.vocabulary) == cap and self.vocabulary.characters[-1] == UNKNOWN
        return cap if is_capped else None

    @property
    def drops(self) -> bool:
        return self.model.dropout > 0

    @property
    def evaluates(self) -> bool:
        return round(self.characters * self.train.validation_fraction) > 1

    @property
    def validation_streams(self) -> int:
        part = round(self.characters * self.train.validation_fraction)
        predictions = min(part - 1, self.train.evaluation_chars)
        return max(1, min(LIVE_STREAMS, predictions // EVALUATION_STEPS))

    @property
    def carries(self) -> bool:
        return self.train.truncation == "carry"

    @property
    def cuts(self) -> bool:
        """Whether the text is read in chunks; with full truncation one chunk is everything."""
        return self.train.truncation != "full"

    @property
    def has_sigmoid(self) -> bool:
        return self.model.cell == "rnn" and self.model.nonlinearity == "sigmoid"

    @property
    def warms_up(self) -> bool:
        return self.train.warmup_steps > 0

    @property
    def decays(self) -> bool:
        """Whether the rate falls before the last step."""
        train = self.train
        return train.decay != "none" and train.final_rate < 1 and train.warmup_steps < train.steps

    @property
    def has_schedule(self) -> bool:
        return self.warms_up or self.decays


def _kept(*lines: Line) -> list[str]:
    return [line for line in lines if line is not False]


def _assigned(comment: str = "", **values: Any) -> Line:
    """`A, B = 1, 2  # comment`; a name without a value is left out, and so is a line without names."""
    given = {name: value for name, value in values.items() if value is not None}
    line = f"{', '.join(given)} = {', '.join(map(repr, given.values()))}"
    return bool(given) and (f"{line}  # {comment}" if comment else line)


def _in_effect(changes: Sequence[tuple[int, float]], train: TrainConfig) -> dict[int, float]:
    """Step (from 0) -> factor from then on; of several at a step the last counts, those after the end never."""
    last = {step: factor for step, factor in changes if step < train.steps}
    return {0: 1.0} | dict(sorted(last.items())) if last else {}


def _opening(run: _Run) -> list[str]:
    return _kept(
        f'"""A character-level {run.model.cell.upper()}: one run of RNN Playground in plain PyTorch.',
        "",
        "python script.py text.txt [initial.safetensors] prints step, loss and, where measured, validation loss (nats)."
        if run.evaluates
        else "python script.py text.txt [initial.safetensors] prints step and loss (nats per character).",
        "The second file, the run's checkpoint of step 0, is not needed: SEED draws the same first weights.",
        *_differences(run),
        '"""',
        "",
        *_imports(run, "import sys"),
    )


def _imports(run: _Run, *own: str) -> list[str]:
    return _kept(
        (run.decays and run.train.decay == "cosine") and "import math",
        *(line for line in own if line.startswith("import")),
        run.cap is not None and "from collections import Counter",
        *(line for line in own if line.startswith("from")),
        "",
        "import torch",
        "from torch import nn",
        "from torch.nn import functional as F",
    )


def _differences(run: _Run) -> list[str]:
    """What the run had and the script has not: it says so."""
    stops = [name for name in ("minutes", "target_loss", "patience") if getattr(run.train, name) is not None]
    others = _kept(
        run.precision == "bfloat16" and "bfloat16",
        run.device != "cpu" and "the GPU",
        bool(stops) and f"stops by {', '.join(stops)}",
    )
    return [f"Left out, so that losses may differ a little: {'; '.join(others)}."] if others else []


def _constants(run: _Run) -> list[str]:
    model, train = run.model, run.train
    return _kept(
        _assigned(TEXT_NAME=_short(run.text_name), CHARACTERS=run.characters, MAX_VOCABULARY=run.cap),
        _sizes(run),
        _assigned(
            NUM_LAYERS=model.num_layers,
            EMBEDDING_SIZE=model.embedding_size or None,
            DROPOUT=model.dropout if run.drops else None,
        ),
        _assigned(
            STEPS=train.steps,
            WARMUP_STEPS=train.warmup_steps or None,
            FINAL_RATE=train.final_rate if run.decays else None,
            SEED=train.seed,
        ),
        _assigned(
            LEARNING_RATE=train.learning_rate,
            CLIP_NORM=train.clip_norm if train.clip == "norm" else None,
            CLIP_VALUE=train.clip_norm if train.clip == "value" else None,
        ),
        _assigned(**_memories(train)),
        run.evaluates
        and _assigned(
            VALIDATION_FRACTION=train.validation_fraction,
            EVALUATE_EVERY=train.evaluate_every,
            EVALUATION_CHARS=train.evaluation_chars,
        ),
    )


def _sizes(run: _Run) -> Line:
    B, T, V, H = run.train.batch_size, run.train.bptt_steps, len(run.vocabulary), run.model.hidden_size
    if run.cuts:
        return _assigned("streams of text, time steps of a chunk, vocabulary, hidden size", B=B, T=T, V=V, H=H)
    return _assigned("streams of text, vocabulary, hidden size", B=B, V=V, H=H)


def _memories(train: TrainConfig) -> dict[str, Any]:
    """The constants that this optimizer has."""
    if train.optimizer == "adamw":
        return {"BETAS": (train.beta1, train.beta2), "WEIGHT_DECAY": train.weight_decay}
    if train.optimizer == "adam":
        return {"BETAS": (train.beta1, train.beta2)}
    if train.optimizer == "rmsprop":
        return {"BETA2": train.beta2}
    return {"MOMENTUM": train.beta1} if train.optimizer == "sgd" and train.beta1 else {}


def _short(name: str) -> str:
    """A text's name, cut until it takes at most 50 characters as a Python string."""
    name = printable(name)
    while len(repr(name)) > 50:
        name = name[:-1]
    return name


def _rate_table(run: _Run, room: int) -> list[str]:
    """The live changes of the rate, several to a line, as many as `room` lines hold."""
    if not run.rate_changes:
        return []
    changes = [f"{step}:~{factor:.6g}" for step, factor in run.rate_changes.items()]
    table = f"RATE_CHANGES = {{{', '.join(changes)}"
    rows = wrap(table, MAX_WIDTH - 1, subsequent_indent=" " * 4, break_on_hyphens=False)
    kept = [row.replace("~", " ") for row in rows[: room - 1]]
    kept[-1] = kept[-1].rstrip(",") + "}"
    left = len(changes) - "".join(kept).count(":")
    note = f"; {left:,} later ones have no room here" if left else ""
    return [f"# Step: factor on the rate from then on, set while the run trained{note}.", *kept]


def _text(run: _Run, file: str = "sys.argv[1]") -> list[str]:
    return _kept(
        f'text = open({file}, encoding="utf-8-sig").read()  # every kind of line end becomes a line feed',
        'assert len(text) == CHARACTERS, f"This is not the text of the run, {TEXT_NAME}."',
        *(_frequent_characters() if run.cap else ["characters = sorted(set(text))"]),
        "index = {c: i for i, c in enumerate(characters)}",
        f"encoded = torch.tensor([{'index.get(c, V - 1)' if run.cap else 'index[c]'} for c in text])",
        "",
        "def chunks(part, count, steps):  # streams of the text side by side, in pairs of inputs and targets",
        "    n = (len(part) - 1) // count",
        "    inputs, targets = (part[i : i + count * n].view(count, n).t() for i in (0, 1))  # (n, count)",
        "    return list(zip(inputs.split(steps), targets.split(steps)))",
        "",
        *_parts(run),
    )


def _frequent_characters() -> list[str]:
    return [
        r'counts = Counter(sorted(text.replace("\ufffd", ""))).most_common(MAX_VOCABULARY - 1)',
        r'characters = [*sorted(c for c, _ in counts), "\ufffd"]  # the last one stands for all the rarer ones',
    ]


def _parts(run: _Run) -> list[str]:
    """Training and validation data. With full truncation a chunk is as long as a stream."""
    length = "T" if run.cuts else "len(encoded)"
    if not run.evaluates:
        return [f"training = chunks(encoded, B, {length})"]
    return [
        "cut = len(encoded) - round(len(encoded) * VALIDATION_FRACTION)",
        f"training = chunks(encoded[:cut], B, {length})",
        f"validation = chunks(encoded[cut:][: EVALUATION_CHARS + 1], {run.validation_streams}, {EVALUATION_STEPS})",
    ]


def _network(run: _Run) -> list[str]:
    embeds = run.model.embedding_size > 0
    head = "nn.Linear(H, V)" if run.model.bias else "nn.Linear(H, V, bias=False)"
    embedded = "self.embedding(indices)  # (T, B, EMBEDDING_SIZE)"
    one_hot = "F.one_hot(indices, V).float()  # (T, B, V)"
    return _kept(
        "class CharRNN(nn.Module):",
        "    def __init__(self):",
        "        super().__init__()",
        f"        self.recurrent = {_layers(run)}",
        embeds and "        self.embedding = nn.Embedding(V, EMBEDDING_SIZE)",
        f"        self.head = {head}",
        "",
        "    def forward(self, indices, state=None):  # (T, B); no state means zeros",
        f"        x = {embedded if embeds else one_hot}",
        *(_sigmoid_steps(run) if run.has_sigmoid else _steps(run)),
    )


def _layers(run: _Run) -> str:
    """The call that makes the recurrent layers."""
    model = run.model
    options = _kept(
        "EMBEDDING_SIZE" if model.embedding_size else "V",
        "H",
        "NUM_LAYERS",
        model.cell == "rnn" and model.nonlinearity == "relu" and '"relu"',
        not model.bias and "bias=False",
        run.drops and model.num_layers > 1 and not run.has_sigmoid and "dropout=DROPOUT",
    )
    comment = "  # for its weights only" if run.has_sigmoid else ""
    return f"nn.{model.cell.upper()}({', '.join(options)}){comment}"


def _steps(run: _Run) -> list[str]:
    return _kept(
        "        x, state = self.recurrent(x, state)  # (T, B, H)",
        f"        return self.head({_outputs(run)}), state  # (T, B, V)",
    )


def _sigmoid_steps(run: _Run) -> list[str]:
    """torch.nn.RNN squashes with tanh or relu only, so the steps are written out."""
    bias = run.model.bias
    weights = "W_xh, W_hh, b_xh, b_hh" if bias else "W_xh, W_hh"
    outer, inner = ("F.linear(x, W_xh, b_xh)", "F.linear(h, W_hh, b_hh)") if bias else ("x @ W_xh.t()", "h @ W_hh.t()")
    return _kept(
        "        before = torch.zeros(NUM_LAYERS, x.shape[1], H) if state is None else state",
        "        after = []  # the steps are written out, because torch.nn.RNN has no sigmoid",
        f"        for h, ({weights}) in zip(before, self.recurrent.all_weights):  # layer by layer",
        run.drops and "            x = F.dropout(x, DROPOUT, self.training) if after else x",
        f"            x = {outer}",
        f"            x = torch.stack([h := torch.sigmoid(x_t + {inner}) for x_t in x])  # (T, B, H)",
        "            after.append(h)",
        f"        return self.head({_outputs(run)}), torch.stack(after)  # (T, B, V)",
    )


def _outputs(run: _Run) -> str:
    """What the head reads."""
    return "F.dropout(x, DROPOUT, self.training)" if run.drops else "x"


def _start(run: _Run, weights: str = "") -> list[str]:
    return _kept(
        "torch.manual_seed(SEED)",
        "model = CharRNN()",
        *(_open_forget_gates() if run.model.cell == "lstm" and run.model.bias else []),
        f"if Path({weights}).exists():" if weights else "if len(sys.argv) > 2:",
        "    from safetensors.torch import load_file",
        f"    saved = load_file({weights or 'sys.argv[2]'})",
        '    model.load_state_dict({name: saved["weights/" + name] for name in model.state_dict()})',
        *_optimizer(run),
    )


def _open_forget_gates() -> list[str]:
    return [
        "for name, bias in model.recurrent.named_parameters():",
        '    if name.startswith("bias"):  # forget gates begin open: they remember until they learn to forget',
        '        bias.data[H : 2 * H] = float("ih" in name)  # 1 in one bias, 0 in the other',
    ]


def _optimizer(run: _Run) -> list[str]:
    train = run.train
    if train.optimizer == "adamw" and train.weight_decay and run.model.bias:
        return [
            'matrices = {"params": [p for p in model.parameters() if p.ndim > 1], "weight_decay": WEIGHT_DECAY}',
            'biases = {"params": [p for p in model.parameters() if p.ndim == 1], "weight_decay": 0.0}',
            "optimizer = torch.optim.AdamW([matrices, biases], LEARNING_RATE, BETAS)",
        ]
    rule = {
        "adamw": "AdamW(model.parameters(), LEARNING_RATE, BETAS, weight_decay=WEIGHT_DECAY)",
        "adam": "Adam(model.parameters(), LEARNING_RATE, BETAS)",
        "rmsprop": "RMSprop(model.parameters(), LEARNING_RATE, alpha=BETA2)",
        "adagrad": "Adagrad(model.parameters(), LEARNING_RATE)",
        "sgd": f"SGD(model.parameters(), LEARNING_RATE{', momentum=MOMENTUM' if train.beta1 else ''})",
    }[train.optimizer]
    return [f"optimizer = torch.optim.{rule}"]


def _schedule(run: _Run) -> list[str]:
    if not run.has_schedule:
        return []
    if not run.decays:
        return ["def learning_rate(step):", "    return LEARNING_RATE * min(1.0, (step + 1) / WARMUP_STEPS)"]
    share = "(1 + math.cos(math.pi * progress)) / 2" if run.train.decay == "cosine" else "(1 - progress)"
    progress = "(step - WARMUP_STEPS) / (STEPS - WARMUP_STEPS)" if run.warms_up else "step / STEPS"
    return _kept(
        "def learning_rate(step):",
        run.warms_up and "    if step < WARMUP_STEPS:",
        run.warms_up and "        return LEARNING_RATE * (step + 1) / WARMUP_STEPS",
        f"    progress = {progress}  # 0 ... 1",
        f"    return LEARNING_RATE * (FINAL_RATE + (1 - FINAL_RATE) * {share})",
    )


def _evaluation(run: _Run) -> list[str]:
    if not run.evaluates:
        return []
    return _kept(
        "@torch.no_grad()",
        "def validation_loss():",
        run.drops and "    model.eval()  # no dropout",
        "    state, total = None, 0.0",
        "    for x, y in validation:",
        "        logits, state = model(x, state)",
        '        total += F.cross_entropy(logits.flatten(0, 1), y.flatten(), reduction="sum").item()',
        run.drops and "    model.train()",
        "    return total / sum(y.numel() for _, y in validation)",
    )


def _training(run: _Run, in_notebook: bool = False) -> list[str]:
    return _kept(
        "for step in range(STEPS):",
        *_forward(run),
        "    loss = F.cross_entropy(logits.flatten(0, 1), y.flatten())  # mean over T * B predictions",
        "    optimizer.zero_grad()",
        "    loss.backward()",
        run.train.clip == "norm" and "    nn.utils.clip_grad_norm_(model.parameters(), CLIP_NORM)",
        run.train.clip == "value" and "    nn.utils.clip_grad_value_(model.parameters(), CLIP_VALUE)",
        *_set_rate(run),
        "    optimizer.step()",
        run.carries and f"    state = {_detached(run)}  # truncation: the numbers go on, gradients stop here",
        *(_note(run) if in_notebook else _report(run)),
    )


def _forward(run: _Run) -> list[str]:
    if not run.cuts:
        return [
            "    x, y = training[0]",
            "    logits, _ = model(x)  # no truncation: gradients flow back to the first character of each stream",
        ]
    chunk = "    x, y = training[step % len(training)]  # (T, B); the last chunk may be shorter"
    if not run.carries:
        return [chunk, "    logits, _ = model(x)  # truncation: each chunk begins with zeros"]
    return [
        chunk,
        "    state = state if step % len(training) else None  # a new pass over the text begins without memory",
        "    logits, state = model(x, state)",
    ]


def _detached(run: _Run) -> str:
    return "tuple(s.detach() for s in state)" if run.model.cell == "lstm" else "state.detach()"


def _set_rate(run: _Run) -> list[str]:
    changes = bool(run.rate_changes)
    if not (changes or run.has_schedule):
        return []
    rate = "learning_rate(step)" if run.has_schedule else "LEARNING_RATE"
    return _kept(
        changes and "    factor = [factor for since, factor in RATE_CHANGES.items() if since <= step][-1]",
        "    for group in optimizer.param_groups:",
        f'        group["lr"] = {rate}{" * factor" if changes else ""}',
    )


def _report(run: _Run) -> list[str]:
    if not run.evaluates:
        return ['    print(step + 1, f"{loss.item():.6f}")']
    return [
        "    is_measured = (step + 1) % EVALUATE_EVERY == 0 or step + 1 == STEPS",
        '    print(step + 1, f"{loss.item():.6f}", f"{validation_loss():.6f}" if is_measured else "")',
    ]


# A notebook's own pieces ------------------------------------------------------------------------------------------


def _note(run: _Run) -> list[str]:
    """The losses are kept, and printed now and then: a notebook keeps what it has printed."""
    every = "EVALUATE_EVERY" if run.evaluates else "max(1, STEPS // 20)"
    measured = ', f"{validation_loss():.6f}"' if run.evaluates else ""
    return [
        "    losses.append(loss.item())",
        f"    if (step + 1) % {every} == 0 or step + 1 == STEPS:",
        f'        print(step + 1, f"{{loss.item():.6f}}"{measured})',
    ]


def _sample(run: _Run) -> list[str]:
    return _kept(
        "TEMPERATURE, LENGTH = 0.8, 300  # below 1 safer, above 1 wilder; characters",
        run.drops and "model.eval()  # no dropout",
        "x, state, written = encoded[:1].view(1, 1), None, text[:1]  # (T, B) = (1, 1)",
        "with torch.no_grad():",
        "    for _ in range(LENGTH):",
        "        logits, state = model(x, state)  # (1, 1, V)",
        "        x = torch.multinomial(F.softmax(logits[-1] / TEMPERATURE, dim=-1), 1)",
        "        written += characters[x.item()]",
        "print(written)",
    )


def _notebook_title(run: _Run) -> list[str]:
    files = f"Put the run's text beside this notebook as `{TEXT_FILE}`."
    return [
        f"# A character-level {run.model.cell.upper()}",
        "",
        "One run of RNN Playground in plain PyTorch. Losses are in nats per character.",
        f"{files} `{WEIGHTS_FILE}`, the weights of step 0, is not needed: the seed draws the same ones.",
        *_differences(run),
    ]


def _about_text(run: _Run) -> list[str]:
    streams = "`B` streams are read side by side"
    chunks = f"{streams}, `T` characters at a time: a chunk." if run.cuts else f"{streams}, each as a whole."
    return ["Each character becomes its index in the vocabulary.", chunks]


def _explained(name: str, heading: str, why: str, lines: list[str]) -> list[dict[str, Any]]:
    """Two cells; none where there is no code."""
    return [_words(f"{name}-why", heading, "", why), _code(name, lines)] if lines else []


def _words(name: str, *lines: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": name, "metadata": {}, "source": _source(lines)}


def _code(name: str, lines: Sequence[str]) -> dict[str, Any]:
    return {
        "cell_type": "code", "id": name, "metadata": {}, "execution_count": None, "outputs": [],
        "source": _source(lines),
    }  # fmt: skip


def _source(lines: Sequence[str]) -> list[str]:
    return "\n".join(lines).splitlines(keepends=True)

"""What can be seen of a run: its loss, what it wrote on the way, what its optimizer does, and its code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from pages.parts import answers, keys, service, shell
from pages.parts.keys import in_url
from pages.parts.learning import TEXT_TASK
from pages.parts.limits import limits
from rnn import corpora, ngrams
from rnn.catalogue import TASKS
from rnn.checkpoint_file import read
from rnn.config import ModelConfig, TrainConfig
from rnn.corpora import Text
from rnn.diagnosis import diagnose
from rnn.errors import PlaygroundError
from rnn.figures import optimisation
from rnn.figures.accuracy import score_alt, score_curve
from rnn.figures.loss import UNITS, loss_alt, loss_curves
from rnn.records import Baselines, RunInfo, StepMetrics
from rnn.runs.timeline import timeline
from rnn.script import script_of
from rnn.vocabulary import Vocabulary

LOSS = "Loss"  # the first view
NEWEST = 240  # pixels of the newest sample, however many lines it has: what is below stays where it is
MARKS = {
    "starting": "hourglass_top", "learning": "trending_down", "plateau": "trending_flat", "overfitting": "call_split",
    "underfitting": "compress", "unstable": "show_chart", "fine": "check_circle",
}  # fmt: skip


@dataclass(frozen=True)
class LossOptions:
    """How the loss is drawn: in which unit, over logarithmic steps or not, standing still or not."""

    unit: str = "nats"
    log_steps: bool = False
    is_frozen: bool = False


def choose(info: RunInfo) -> tuple[str, LossOptions]:
    """The controls of what is seen of a run: which view, and how the loss is drawn."""
    reads_text = info.kind == TEXT_TASK
    views = VIEWS if reads_text else TASK_VIEWS
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        view = st.segmented_control(
            "View", [LOSS, *views], default=LOSS, **in_url(keys.VIEW if reads_text else keys.TASK_VIEW),
            label_visibility="collapsed", required=True,
            help="The loss; what it wrote or answered on the way; gradients and updates; the run as a script.",
        )  # fmt: skip
        if view in views:
            return view, LossOptions()
        return LOSS, _loss_options()  # which also stands for a forged one


def show(view: str, options: LossOptions, info: RunInfo, metrics: list[StepMetrics], is_own: bool) -> None:
    """One of the views; only the one that is looked at is computed."""
    reads_text = info.kind == TEXT_TASK
    try:
        if view == LOSS:
            (_loss_view if reads_text else _score_view)(info, metrics, options)
        else:
            (VIEWS if reads_text else TASK_VIEWS)[view](info, metrics, is_own)
    except PlaygroundError as error:
        st.error(shell.plain(error))


# The loss ---------------------------------------------------------------------------------------------------------


def _loss_options() -> LossOptions:
    unit = st.selectbox(
        "Unit of the loss", list(UNITS), **in_url(keys.UNIT), label_visibility="collapsed", width=115,
        help="Nats, bits, or perplexity: as many characters would be equally likely.",
    )  # fmt: skip
    with st.popover("Chart", icon=":material/tune:"):
        log_steps = st.toggle("Log steps", **in_url(keys.LOG_STEPS), help="Steps on a logarithmic axis.")
        is_frozen = st.toggle("Freeze", key=keys.FREEZE, help="Holds the chart still, to zoom; training goes on.")
    return LossOptions(unit if unit in UNITS else "nats", log_steps, is_frozen)


def _loss_view(info: RunInfo, metrics: list[StepMetrics], options: LossOptions) -> None:
    """The curves against what counting characters reaches, what they say, and the newest sample."""
    vocabulary_size, characters, baselines = facts(info)
    draw_loss(_held(info.id, metrics, options), options.unit, options.log_steps, baselines)
    found = diagnose(
        metrics, ModelConfig.from_json(info.model), TrainConfig.from_json(info.train), vocabulary_size, characters,
        baselines, service.is_active(info), limits().hidden_size, info.diverged,
    )  # fmt: skip
    verdict = f":material/{MARKS[found.kind]}: **{found.kind.capitalize()}.** {shell.plain(found.sentence)}"
    with st.container(key="run_verdict"):  # with room for its longest, so that nothing below moves (assets/app.css)
        st.markdown(f":small[{verdict} *{shell.plain(found.advice)}*]")
    if newest := service.scheduler().store.newest_sample(info.id):
        step, text = newest
        with st.container(gap="xsmall", height=NEWEST, border=False):
            st.caption(f"Written after step {step:,}, always with the same random numbers")
            st.code(text, language=None, wrap_lines=True)


def _score_view(info: RunInfo, metrics: list[StepMetrics], options: LossOptions) -> None:
    """Of a task with right answers: the loss, and how many of its answers are right."""
    curve = _held(info.id, metrics, options)
    draw_loss(curve, options.unit, options.log_steps, None, "prediction")
    lines, what = answers.baselines(info), TASKS[info.kind].score
    shell.chart(score_curve(curve, lines, what, shell.is_dark()), key="score", alt=score_alt(curve, lines, what))


def _held(run_id: str, metrics: list[StepMetrics], options: LossOptions) -> list[StepMetrics]:
    """The curves as they are, or as they were when the chart was frozen."""
    if not options.is_frozen:
        st.session_state.pop(keys.FROZEN, None)
        return metrics
    if st.session_state.get(keys.FROZEN, (None,))[0] != run_id:
        st.session_state[keys.FROZEN] = run_id, metrics
    frozen: list[StepMetrics] = st.session_state[keys.FROZEN][1]
    return frozen


def draw_loss(
    metrics: Sequence[StepMetrics], unit: str, log_steps: bool, baselines: Baselines | None, of: str = "character"
) -> None:
    """The curve of a run; `of` is what is predicted each time."""
    shell.chart(
        loss_curves(metrics, unit, log_steps, shell.is_dark(), baselines, of), key="loss",
        alt=loss_alt(metrics, unit, baselines),
    )  # fmt: skip


def facts(info: RunInfo) -> tuple[int, int, Baselines]:
    """V, the characters of the training part, and the baselines of a run's text."""
    return _counted(
        info.text_sha256, TrainConfig.from_json(info.train), lambda: service.scheduler().store.text(info.id)
    )


def baselines_of(text: Text, train: TrainConfig) -> Baselines:
    """What counting characters reaches on a text before any run."""
    return _counted(text.sha256, train, lambda: text)[2]


def _counted(sha256: str, train: TrainConfig, text: Callable[[], Text]) -> tuple[int, int, Baselines]:
    """Counted once for a text and its parts, whoever asks first, whatever else is set."""
    parts = TrainConfig(
        validation_fraction=train.validation_fraction, evaluation_chars=train.evaluation_chars,
        max_vocabulary=train.max_vocabulary,
    )  # fmt: skip
    return _count(sha256, parts, text)


@st.cache_data(max_entries=64, show_spinner=False, hash_funcs={TrainConfig: TrainConfig.to_json})
def _count(sha256: str, train: TrainConfig, _text: Callable[[], Text]) -> tuple[int, int, Baselines]:
    text = _text()
    vocabulary = Vocabulary.from_text(text.content, train.max_vocabulary)
    training, _ = corpora.split(text.content, train.validation_fraction)
    return len(vocabulary), len(training), ngrams.baselines_of(text, train)


# What it wrote ----------------------------------------------------------------------------------------------------


def _samples_view(info: RunInfo, metrics: list[StepMetrics], is_own: bool) -> None:
    """Fixed random numbers, ever better weights: back and forth through the samples, and some side by side."""
    if info.kind != TEXT_TASK and not answers.is_open(info, is_own):
        answers.say_closed()  # its samples are places of the text with what the model says of them
        return
    samples = service.scheduler().store.samples(info.id)
    if not samples:
        st.info("The first sample comes before the first step, as soon as the run has its turn.")
        return
    by_step = dict(samples)
    steps = list(by_step)
    step = steps[-1]
    if len(steps) > 1:
        step = st.select_slider(
            "Written after step", steps, steps[-1], key=f"run_sample_at_{info.id}_{steps[-1]}",
            format_func=lambda step: f"{step:,}",
            help="Always with the same random numbers, so that what differs is what was learned.",
        )  # fmt: skip
    loss = next((m.loss for m in metrics if m.step >= step), None) if step else None
    st.caption(f"After step {step:,}" + (f", training loss {loss:.2f} nats" if loss is not None else ""))
    st.code(by_step.get(step, samples[-1][1]), language=None, wrap_lines=True)
    chosen = timeline(samples)
    if len(chosen) > 1:
        st.caption("Side by side")
        for column, (at, text) in zip(st.columns(len(chosen)), chosen, strict=True):
            column.caption(f"step {at:,}")
            column.code(text, language=None, wrap_lines=True)


# What the optimizer does ------------------------------------------------------------------------------------------


def _inside_view(info: RunInfo, metrics: list[StepMetrics], is_own: bool) -> None:
    """The size of the gradient and of the updates."""
    if not metrics:
        st.info("Gradients and updates appear with the first step.")
        return
    train, dark = TrainConfig.from_json(info.train), shell.is_dark()
    shell.chart(
        optimisation.gradient_norm(metrics, train.clip, train.clip_norm, dark), key="gradient",
        alt=optimisation.gradient_norm_alt(metrics, train.clip, train.clip_norm),
    )  # fmt: skip
    layers = service.scheduler().store.layers(info.id)
    if not layers:
        return
    shell.chart(optimisation.update_ratios(layers, dark), key="updates", alt=optimisation.update_ratios_alt(layers))
    shell.chart(optimisation.layer_gradients(layers, dark), key="layers", alt=optimisation.layer_gradients_alt(layers))


# The code ---------------------------------------------------------------------------------------------------------


def _code_view(info: RunInfo, metrics: list[StepMetrics], is_own: bool) -> None:
    """The run as plain PyTorch, with what it takes to run it."""
    store = service.scheduler().store
    path = store.checkpoint_path(info.id)
    if not path.exists():
        st.info("The code of a run can be shown from its first save on, within half a minute, or when it is paused.")
        return
    code, notebook = _script(path, path.stat().st_mtime_ns)
    st.caption(
        "This run in plain PyTorch, without this app: `python run.py text.txt`, or, where another version of torch "
        "draws other first weights, `python run.py text.txt first.safetensors`. The notebook is the same in pieces, "
        "with text.txt beside it, and lets the model write at its end."
    )
    with st.container(horizontal=True, gap="small"):
        _file("run.py", lambda: code.encode(), "text/x-python")
        _file("run.ipynb", lambda: notebook.encode(), "application/x-ipynb+json")
        if is_own:  # others see curves and model, never the text
            _file("text.txt", lambda: store.text(info.id).content.encode(), "text/plain")
        first = store.snapshot_path(info.id, 0)
        if first.exists():
            _file("first.safetensors", first.read_bytes, "application/octet-stream")
    st.code(code, language="python", wrap_lines=True)  # one that scrolls sideways cannot be reached with keys


def _file(name: str, data: Callable[[], bytes], kind: str) -> None:
    st.download_button(name, data, name, kind, key=f"run_file_{name}", icon=":material/download:", on_click="ignore")


@st.cache_data(max_entries=32, show_spinner=False)
def _script(path: Path, changed: int) -> tuple[str, str]:
    """The script and the notebook; `changed`, the time of the file's last change, is part of the key."""
    metadata = read(path).metadata
    return script_of(metadata), script_of(metadata, as_notebook=True)


VIEWS: dict[str, Callable[..., None]] = {
    "Samples": _samples_view, "Inside": _inside_view, "Code": _code_view,
}  # fmt: skip
TASK_VIEWS: dict[str, Callable[..., None]] = {
    "Answers": answers.of_run, "Ask it": answers.ask_run, "Samples": _samples_view, "Inside": _inside_view,
}  # fmt: skip

"""What a network of a task answers: to examples that were kept from training, and to the visitor's own."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.parts import keys, pad, service, shell
from rnn.catalogue import TASKS
from rnn.config import TaskConfig
from rnn.data import digits
from rnn.errors import PlaygroundError
from rnn.figures.accuracy import accuracy_by_length, accuracy_by_length_alt, confusion, confusion_alt
from rnn.figures.characters import visible
from rnn.figures.predictions import (
    prediction_images,
    prediction_images_alt,
    prediction_videos,
    prediction_videos_alt,
)
from rnn.figures.probabilities import class_bars, class_bars_alt, sentiment_trace, sentiment_trace_alt
from rnn.records import Answer, Prediction, Review, RunInfo, StepMetrics
from rnn.shipped import SHIPPED_TASKS, every_shipped, open_shipped

if TYPE_CHECKING:
    from torch import nn

    from rnn.stepwise import Stepwise
    from rnn.tasks import Answering

IMAGES = ("digit", "digit-rows", "digit-name")
VIDEOS = ("frames", "caption")
MOST_CLASSES = 12  # of a confusion matrix
SHOWN = {"images": 12, "videos": 4, "texts": 10}
FIRST_ASKED = {
    "sentiment": "the plot was dull but the ending was wonderful", "frames": "3 1 4 1 5", "caption": "3 1 4",
    "number-names": "97", "fill-blank": "The obj_ct",
}  # fmt: skip
QUESTIONS = {
    "sentiment": ("A sentence", "About a film, a meal, a lesson, the weather. It knows some 160 words."),
    "frames": ("Digits of a video", "One after the other. For each, an image is drawn that no training has seen."),
    "caption": ("Digits of a video", "Three to eight. For each, an image is drawn that no training has seen."),
    "number-names": ("A number", "In digits, or in English words."),
    "fill-blank": ("A text with one blank", "Put _ in place of one character."),
}  # fmt: skip


@dataclass(frozen=True)
class Source:
    """A trained network of a task.

    Attributes:
        name: tells two of them apart.
        version: tells its weights from those of another time.
        task: what it has learned.
        network: opens it; called on the torch thread only.
        is_open: whether examples of its data may be shown: somebody else's text may not.
    """

    name: str
    version: str
    task: TaskConfig
    network: Callable[[], tuple[Answering, nn.Module]]
    is_open: bool = True


def _source(info: RunInfo, metrics: list[StepMetrics], is_own: bool) -> Source:
    """A run's network, whose answers change when it is validated, and when it rests."""
    validated = max((m.step for m in metrics if m.score is not None), default=0)
    version = validated if service.is_active(info) else info.step
    runs = service.scheduler()
    task = TaskConfig.from_json(info.task)
    return Source(info.id, str(version), task, lambda: runs.network(info.id), is_open(info, is_own))


def is_open(info: RunInfo, is_own: bool) -> bool:
    """Whether examples of a run's data may be shown: somebody else's text may not."""
    return is_own or not TASKS[info.kind].needs_text


def say_closed() -> None:
    st.info("This run was trained on somebody else's text, which is not shown. You can ask it.")


def of_run(info: RunInfo, metrics: list[StepMetrics], is_own: bool) -> None:
    """Examples that were kept from training, and what the run gets wrong."""
    if not metrics:
        st.info("The first answers come with the first step.")
        return
    source = _source(info, metrics, is_own)
    st.caption(f"At step {int(source.version):,}, on examples that were kept from training.")
    _answers(source)


def ask_run(info: RunInfo, metrics: list[StepMetrics], is_own: bool) -> None:
    """The visitor's own input."""
    _ask(_source(info, metrics, is_own))


def baselines(info: RunInfo) -> dict[str, float]:
    """What is right as often without what the task is about."""
    runs = service.scheduler()
    return _baselines(info.text_sha256, TaskConfig.from_json(info.task), lambda: runs.network(info.id))


@st.cache_data(max_entries=64, show_spinner=False, hash_funcs={TaskConfig: TaskConfig.to_json})
def _baselines(sha256: str, task: TaskConfig, _network: Callable[[], Any]) -> dict[str, float]:
    return service.scheduler().compute(lambda: _network()[0].baselines())


def of_shipped(kind: str) -> None:
    """The model of a task that comes with the app, before one has been trained."""
    st.markdown(f"**{TASKS[kind].title}: a model that comes with the app.** *Start training* makes one of your own.")
    view = st.segmented_control(
        "View", ["Ask it", "Answers"], default="Ask it", **keys.in_url(keys.DEMO_VIEW),
        label_visibility="collapsed", required=True,
        help="Ask it: with your own input. Answers: what it says to examples that it was not trained on.",
    )  # fmt: skip
    try:
        source = Source(f"shipped {kind}", "", open_shipped(kind).task, lambda: opened_shipped(kind))
        if view == "Answers":
            if kind == "fill-blank":
                _both_sides()
            _answers(source)
        else:
            _ask_alone(source)
    except PlaygroundError as error:
        st.error(shell.plain(error))


def _both_sides() -> None:
    """What the second direction is worth."""
    rows = {
        "from both sides": _tested("fill-blank"), "from the left side alone": _tested("fill-blank-left"),
    }  # fmt: skip
    for column, (name, (right, nats)) in zip(st.columns(2), rows.items(), strict=True):
        column.metric(
            f"Read {name}", f"{right:.1%}", f"{nats / math.log(2):.2f} bits per blank", delta_color="off",
            delta_arrow="off", border=True, help="Blanks filled rightly, of those that were kept from training.",
        )  # fmt: skip


@st.cache_data(max_entries=len(SHIPPED_TASKS), show_spinner=False)
def _tested(name: str) -> tuple[float, float]:
    """The share of right answers on the test part, and the loss in nats."""

    def tested() -> tuple[float, float]:
        task, model = opened_shipped(name)
        found = task.test(model)
        return found.scores["accuracy"], found.loss

    return service.scheduler().compute(tested)


@st.cache_resource(max_entries=len(every_shipped()), show_spinner=False)
def opened_shipped(name: str) -> tuple[Any, nn.Module]:
    """Task and network of a shipped model; called on the torch thread only."""
    from rnn.checkpoints import opened

    return opened(open_shipped(name))


# Examples that were kept from training ----------------------------------------------------------------------------


def _answers(source: Source) -> None:
    kind, dark = source.task.kind, shell.is_dark()
    if not source.is_open:
        say_closed()
        return
    _examples(_predictions(source, max(SHOWN.values())), kind, "answers")
    found = _review(source)
    st.markdown(
        f"**{found.right.sum():,} of {len(found.right):,} {TASKS[kind].score} right ({found.accuracy:.1%}).** "
        + ("What it gets wrong:" if not found.right.all() else "Nothing is wrong.")
    )
    _wrong(found, kind, dark)


def _wrong(found: Review, kind: str, dark: bool) -> None:
    if found.expected is not None and found.predicted is not None and len(found.classes) <= MOST_CLASSES:
        names = ([found.classes[i] for i in indices] for indices in (found.expected, found.predicted))
        confused = (*names, found.classes)
        _chart(confusion(*confused, dark), confusion_alt(*confused), "confusion")
    if kind in LENGTHS and len(set(found.lengths.tolist())) > 1:
        by_length = (found.lengths, found.right, LENGTHS[kind])
        _chart(accuracy_by_length(*by_length, dark), accuracy_by_length_alt(*by_length), "lengths")
    wrong = [p for p in found.shown if not p.is_right]
    if wrong:
        _examples(wrong, kind, "wrong")


def _examples(shown: list[Prediction], kind: str, key: str) -> None:
    """Some of these predictions, as the task's inputs are best seen."""
    dark = shell.is_dark()
    if kind in IMAGES:
        shown = shown[: SHOWN["images"]]
        _chart(prediction_images(shown, dark), prediction_images_alt(shown), f"{key}_images")
    elif kind in VIDEOS:
        shown = shown[: SHOWN["videos"]]
        _chart(prediction_videos(shown, dark), prediction_videos_alt(shown), f"{key}_videos")
    else:
        _table(shown[: SHOWN["texts"]], kind)


LENGTHS = {"number-names": "letters of the English name", "caption": "frames"}
READ = {"sentiment": "sentence", "number-names": "English", "fill-blank": "text around the blank"}


def _table(shown: list[Prediction], kind: str) -> None:
    import pandas as pd  # here, because half a second of the first visit to a new server would go into it

    def legible(answer: str) -> str:
        return visible(answer) if kind == "fill-blank" else answer

    rows = [
        {
            "": "✓" if p.is_right else "✗", READ[kind]: p.inputs, "says": legible(p.predicted),
            "is": legible(p.expected),
            **({} if p.probabilities is None else {"sure": f"{p.probabilities.max():.0%}"}),
        }
        for p in shown
    ]  # fmt: skip
    wide = "medium" if kind == "number-names" else "small"
    st.dataframe(
        pd.DataFrame(rows), hide_index=True, width="stretch",
        column_config={"": st.column_config.Column(width=30), "sure": st.column_config.Column("how sure")}
        | {name: st.column_config.Column(width=wide) for name in ("says", "is")},
    )  # fmt: skip


def _predictions(source: Source, count: int) -> list[Prediction]:
    return _predicted(source.name, source.version, count, source.network)


@st.cache_data(max_entries=64, show_spinner=False)
def _predicted(name: str, version: str, count: int, _network: Callable[[], Any]) -> list[Prediction]:
    def predicted() -> list[Prediction]:
        task, model = _network()
        return task.predictions(model, count)

    return service.scheduler().compute(predicted)


def _review(source: Source) -> Review:
    return _reviewed(source.name, source.version, source.network)


@st.cache_data(max_entries=64, show_spinner=False)
def _reviewed(name: str, version: str, _network: Callable[[], Any]) -> Review:
    def reviewed() -> Stepwise[Review]:
        from rnn.tasks.asking import reviewing

        return reviewing(*_network())

    return service.scheduler().compute_in_turns(reviewed)


def _chart(figure: Any, alt: str, key: str) -> None:
    shell.chart(figure, key=f"answers_{key}", alt=alt)


# The visitor's own ------------------------------------------------------------------------------------------------


@st.fragment
def _ask_alone(source: Source) -> None:
    _ask(source)


def _ask(source: Source) -> None:
    kind = source.task.kind
    if kind not in IMAGES:
        _reply(source, _typed(kind))
        return
    left, right = st.columns([2, 3], gap="medium")
    with left:
        image = _drawn()
    with right:
        if any(image):
            _reply(source, image)
        else:
            st.info("Draw a digit, and the network answers.")


def _reply(source: Source, given: Any) -> None:
    kind = source.task.kind
    try:
        _show(_answer(source, given), kind)
    except PlaygroundError as error:
        is_ours = given == FIRST_ASKED.get(kind)  # a text may lack the letters of the question that stands there first
        (st.info if is_ours else st.error)(shell.plain(error))


def _typed(kind: str) -> str:
    label, help_text = QUESTIONS[kind]
    return str(
        st.text_input(label, FIRST_ASKED[kind], max_chars=300, **keys.in_url(keys.ASKED.format(kind)), help=help_text)
    )  # fmt: skip


def _drawn() -> list[int]:
    """An image: one of those that were kept from training, drawn over or drawn anew."""
    values, number = st.session_state.setdefault(keys.DRAWN, (None, 0))
    if values is None:
        values = _an_image(0)
    pad.draw(values, number, _keep)
    with st.container(horizontal=True, gap="small"):
        st.button(
            "Another", key="ask_another", icon=":material/casino:", on_click=_another,
            help="An image that was kept from training.",
        )  # fmt: skip
        st.button(
            "Clear", key="ask_clear", icon=":material/delete:", on_click=_keep, args=([0] * len(values), True),
            help="An empty image to draw on.",
        )  # fmt: skip
    st.caption("Draw with the pointer, or with the arrow keys and the space bar.")
    return values


def _keep(values: list[int], is_new: bool = False) -> None:
    """Notes an image; a new number makes the pad show it."""
    _, number = st.session_state.get(keys.DRAWN) or (None, 0)
    st.session_state[keys.DRAWN] = values, number + is_new


def _another() -> None:
    _, number = st.session_state[keys.DRAWN]
    _keep(_an_image(number + 1), is_new=True)


def _an_image(number: int) -> list[int]:
    images = digits.part("test").images
    return [round(16 * float(v)) for v in images[(7 * number) % len(images)].ravel()]


def _answer(source: Source, given: Any) -> Answer:
    from rnn.tasks.asking import ask

    def asked() -> Answer:
        task, model = source.network()
        return ask(task, model, given)

    return service.scheduler().compute(asked)


def _show(answer: Answer, kind: str) -> None:
    dark = shell.is_dark()
    if kind == "sentiment" and answer.steps is not None:
        shown = (str(answer.inputs).split(), answer.steps[:, answer.classes.index("positive")])
        _chart(sentiment_trace(*shown, dark), sentiment_trace_alt(*shown), "asked")
    elif kind in VIDEOS:
        labels = answer.steps if kind == "frames" else None
        video = [Prediction(answer.inputs, answer.expected or "", answer.predicted, bool(answer.is_right), labels)]
        _chart(prediction_videos(video, dark), prediction_videos_alt(video), "asked")
    elif answer.probabilities is not None:
        bars = (answer.probabilities, answer.classes, answer.classes.index(answer.predicted))
        _chart(class_bars(*bars, dark), class_bars_alt(*bars), "asked")
    else:
        st.markdown(f"## {shell.plain(answer.predicted)}")
        if answer.steps is not None:
            st.caption(shell.plain(_letters(answer)))
        if answer.expected is not None:
            st.caption("Right." if answer.is_right else f"Right would be: {shell.plain(answer.expected)}.")
    if answer.note:
        st.caption(shell.plain(answer.note))


def _letters(answer: Answer) -> str:
    """How sure the decoder was of each symbol that it wrote, and of having come to the end."""
    assert answer.steps is not None
    chosen = [(answer.classes[int(step.argmax())], float(step.max())) for step in answer.steps]
    *letters, (_, end) = [(visible(name) if len(name) == 1 else name, p) for name, p in chosen]
    return "Step by step: " + ", ".join(f"{name} {p:.0%}" for name, p in letters) + f"; then the end, {end:.0%}."

"""Truncated BPTT, the learning: carry, reset and full BPTT as a race on the same text."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages.parts import owner, racing, service, shell
from pages.parts import reading as readings
from pages.parts.controls import number_input
from pages.parts.keys import in_url
from pages.parts.limits import check_caps
from pages.parts.reading import Reading
from pages.parts.starting import once
from rnn import corpora
from rnn.config import CELLS, ModelConfig
from rnn.corpora import Text
from rnn.errors import PlaygroundError, TextError
from rnn.figures.race import Racer
from rnn.records import RunInfo
from rnn.shipped import TEXT
from rnn.truncated import (
    RACE_CHUNK,
    RACE_CHUNKS,
    RACE_MODEL,
    RACE_TEXT,
    STREAM_LENGTH,
    STREAMS,
    is_race,
    race_members,
    race_text,
    results,
)
from rnn.vocabulary import Vocabulary

CELL, SIZE, CHUNK, PASSES, SEED = (
    "bptt_learning_cell", "bptt_learning_size", "bptt_learning_race_k", "bptt_learning_passes",
    "bptt_learning_race_seed",
)  # fmt: skip
SHOWN, AXIS, UNIT = "bptt_learning_shown", "bptt_learning_x", "bptt_learning_unit"
SHIPPED, OWN = "Comes with the app", "My race"
FIRST_PASSES, MOST_PASSES, LARGEST = 60, 150, 96
PAPERS = (
    "Carrying is not free of fault. De Boom and others ([2018](https://arxiv.org/abs/1801.00632)) saw it make training "
    "unstable on some texts: the carried state comes from weights that have changed since. And cutting biases the "
    "gradient, for what reaches further than a chunk never counts; Tallec and Ollivier "
    "([2017](https://arxiv.org/abs/1705.08209)) cut at random places and weigh the rest, which undoes that."
)


def show(reading: Reading) -> None:
    """The race that comes with the app, or the visitor's newest one."""
    own = _own_race(service.own_runs())
    shown = SHIPPED
    if own:
        shown = st.segmented_control(
            "Race",
            (SHIPPED, OWN),
            default=OWN,
            **in_url(SHOWN),
            required=True,
            help="The one that comes with the app, or one that is run here.",
        )
    if own and shown != SHIPPED:
        racing.race_panel(own)
    else:
        curves = results().curves
        racers = [Racer(one.label, RACE_MODEL.cell, one.metrics) for one in curves]
        racing.overlay(racers, "seconds", AXIS, UNIT)
        st.markdown(_table(racers))
        st.caption(_equal(RACE_MODEL, RACE_CHUNK, "the Python language reference"))
    st.caption(PAPERS)
    _start(reading)


def _equal(model: ModelConfig, k: int, text: str) -> str:
    return (
        f"{model.cell.upper()}s of {model.hidden_size} units with the same first weights, rule and rate read the same "
        f"{STREAMS} streams of {STREAM_LENGTH} characters of {text}, equally often. What cannot be equal as well: a "
        f"chunk of {k} brings an update {STREAM_LENGTH // k} times as often as the whole stream does. All are judged "
        "alike, by a validation text that is read with the state carried on."
    )


def _table(racers: Sequence[Racer]) -> str:
    """Where each stands after equally many updates, at its best, and after equally many characters, at the end."""
    fewest = min(racer.metrics[-1].step for racer in racers)
    rows = [f"| loss | step {fewest:,} | best | last | steps | s |", "|:--|--:|--:|--:|--:|--:|"]
    for racer in racers:
        last = racer.metrics[-1]
        early, late = (_validation(racer, step) for step in (fewest, last.step))
        lowest = min(m.validation_loss for m in racer.metrics if m.validation_loss is not None)
        rows.append(
            f"| {racer.label} | {early:.2f} | **{lowest:.2f}** | {late:.2f} | {last.step:,} | {last.elapsed:.0f} |"
        )
    return "\n".join(rows)


def _validation(racer: Racer, step: int) -> float:
    """The last validation loss measured by this step; infinity where there is none."""
    losses = (m.validation_loss for m in reversed(racer.metrics) if m.step <= step)
    return next((loss for loss in losses if loss is not None), float("inf"))


def _own_race(runs: Sequence[RunInfo]) -> str | None:
    """The newest race of the three ways, by its id."""
    races = dict[str, list[RunInfo]]()
    for run in runs:
        if run.race_id:
            races.setdefault(run.race_id, []).append(run)
    ordered = {race: sorted(members, key=lambda run: run.race_order) for race, members in races.items()}
    return next((race for race, members in ordered.items() if is_race([run.race_label for run in members])), None)


# A race of one's own ----------------------------------------------------------------------------------------------


def _start(reading: Reading) -> None:
    with st.expander("Race here and now", icon=":material/sports_score:"):
        try:
            text = _text(reading)
            with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
                cell = st.segmented_control(
                    "Cell",
                    CELLS,
                    default=RACE_MODEL.cell,
                    format_func=str.upper,
                    **in_url(CELL),
                    required=True,
                    help="The kind of network that is trained.",
                )
                k = st.segmented_control(
                    "Chunk length k",
                    RACE_CHUNKS,
                    default=RACE_CHUNK,
                    **in_url(CHUNK),
                    required=True,
                    help="Characters after which the gradient is cut.",
                )
                size = number_input(
                    st,
                    "Hidden size",
                    1,
                    LARGEST,
                    RACE_MODEL.hidden_size,
                    SIZE,
                    width=130,
                    help="H: numbers in the state.",
                )
                passes = number_input(
                    st, "Passes over the text", 5, MOST_PASSES, FIRST_PASSES, PASSES, width=170,
                    help="Full BPTT makes one update in each.",
                )  # fmt: skip
                seed = number_input(
                    st,
                    "Seed",
                    0,
                    1_000_000,
                    0,
                    SEED,
                    width=120,
                    help="Draws the first weights; the same for all members.",
                )
            model = ModelConfig(
                cell=cell if cell in CELLS else RACE_MODEL.cell, hidden_size=max(1, min(int(size), LARGEST))
            )
            chunk = k if k in RACE_CHUNKS else RACE_CHUNK
            members = race_members(
                model, chunk, max(5, min(int(passes), MOST_PASSES)), max(0, min(int(seed), 1_000_000))
            )
            V = len(Vocabulary.from_text(text.content))
            for member in members:
                check_caps(member.model, member.train, V)
        except PlaygroundError as error:
            st.info(shell.plain(error))
            return
        st.caption(_equal(model, chunk, f"“{shell.plain(text.name)}”"))
        if not st.button("Start the race", key="bptt_learning_start", icon=":material/sports_score:", type="primary"):
            return
        runs = service.scheduler()
        try:
            with st.spinner("Starting"):
                token = owner.token()
                once((text.sha256, *members), lambda: runs.create_race(token, text, members, "seconds"))
        except PlaygroundError as error:
            st.error(shell.plain(error))
            return
        st.session_state.pop(SHOWN, None)
        st.rerun()


def _text(reading: Reading) -> Text:
    """The beginning of what the chosen model was trained on, or, where that is too short or not here, the built-in."""
    try:
        content, name = readings.corpus(reading.choice, reading.network)
        if len(content) >= RACE_TEXT:
            return race_text(Text(name, content))
    except TextError:
        pass
    return race_text(corpora.load(TEXT))

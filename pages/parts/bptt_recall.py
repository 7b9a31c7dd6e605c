"""Truncated BPTT, the learning: a letter that is asked for later than the chunk is long."""

from __future__ import annotations

import streamlit as st

from pages.parts import owner, service, shell
from pages.parts.controls import number_input
from pages.parts.keys import in_url
from pages.parts.limits import check_caps
from pages.parts.reading import Reading
from pages.parts.runs import command
from pages.parts.starting import once
from rnn.checkpoint_file import read
from rnn.errors import NoSuchRunError, PlaygroundError
from rnn.figures.recall import At, recall_grid, recall_grid_alt
from rnn.records import RunInfo
from rnn.truncated import (
    ASKED_LINES,
    CHANCE,
    CHUNKS,
    FRESH_STREAMS,
    LAGS,
    MODES,
    RECALL_MODEL,
    RECALL_STEPS,
    Place,
    needs_chunk,
    place_of,
    recall_settings,
    recall_text,
    recalled,
    results,
)
from rnn.vocabulary import Vocabulary

LAG, CHUNK, MODE, SEED = "bptt_learning_lag", "bptt_learning_chunk", "bptt_learning_mode", "bptt_learning_seed"
FIRST_LAG, FIRST_CHUNK, FIRST_SEED = 8, 8, 1
MODE_NAMES = {"carry": "carry the state", "reset": "begin with zeros"}
EXAMPLE = "c4.09?c"  # lag 4


def show(reading: Reading) -> None:
    """The grid that comes with the app, and what the visitor's own networks reached; the reading plays no part."""
    del reading
    st.markdown(
        f"Lines such as `{EXAMPLE}`: one of eight letters, `lag` random characters, a question mark, the letter again. "
        "After the question mark the network must still know the letter."
    )
    own = {run.id: place for run in service.own_runs() if (place := _place(run))}
    chosen = _choose()
    reached = _reached(own)
    for mode, place in zip(MODES, st.columns(2, gap="medium"), strict=True):
        grid, needs = results().recall[mode], {lag: needs_chunk(lag) for lag in LAGS}
        mine = reached[mode]
        framed = (chosen.lag, chosen.chunk) if chosen.mode == mode else None
        shell.chart(
            recall_grid(grid, mode, CHANCE, needs, mine, framed, shell.is_dark()), key=f"bptt_learning_recall_{mode}",
            alt=recall_grid_alt(grid, mode, CHANCE, needs, mine), place=place,
        )  # fmt: skip
    st.caption(
        f"Each square is a GRU of {RECALL_MODEL.hidden_size} units after {RECALL_STEPS:,} updates, so longer chunks "
        f"read more. It answers {FRESH_STREAMS * ASKED_LINES:,} new questions, its state carried on; guessing gets one "
        "in eight right. Right of the line a chunk is long enough (k is at least lag + 2) to hold a letter and its "
        "answer; left of it, no gradient says that the letter should be kept."
    )
    st.caption(
        "Left of the line a few squares stand above chance. The carried state may still hold traces of the letter that "
        "nobody asked it to keep; but each square is one network, so this grid does not show the reason. Near the line "
        "networks trained with resets may know the answer from a fresh state only, and the test carries the state on. "
        "Squares marked ◆ are your own."
    )
    _train(chosen, own)


def _place(run: RunInfo) -> Place | None:
    return place_of(run.text_sha256, run.model, run.train) if run.race_id is None else None


def _choose() -> Place:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        lag = st.segmented_control(
            "Lag",
            LAGS,
            default=FIRST_LAG,
            **in_url(LAG),
            required=True,
            help="Characters between the letter and the question mark.",
        )
        k = st.segmented_control(
            "Chunk length k",
            CHUNKS,
            default=FIRST_CHUNK,
            **in_url(CHUNK),
            required=True,
            help="Characters after which the gradient is cut.",
        )
        mode = st.segmented_control(
            "Chunks",
            MODES,
            default="carry",
            format_func=MODE_NAMES.__getitem__,
            **in_url(MODE),
            required=True,
            help="What a chunk begins with: the state of the chunk before, or zeros.",
        )
        seed = number_input(
            st, "Seed", 0, 1_000_000, FIRST_SEED, SEED, width=120, help="Draws the first weights; the app's own have 0."
        )
    return Place(
        lag if lag in LAGS else FIRST_LAG, k if k in CHUNKS else FIRST_CHUNK, mode if mode in MODES else "carry",
        max(0, min(int(seed), 1_000_000)),
    )  # fmt: skip


def _reached(own: dict[str, Place]) -> dict[str, dict[At, list[float]]]:
    """What finished runs reach, the newest last, by mode and place in its grid."""
    runs = service.scheduler()
    reached: dict[str, dict[At, list[float]]] = {mode: {} for mode in MODES}
    for run_id, place in reversed(own.items()):
        try:
            info = runs.store.get(run_id)
            if info.status != "finished" or info.saved_step < RECALL_STEPS:
                continue
            share = _recalled(run_id, info.saved_step, place.lag)
        except PlaygroundError:  # deleted meanwhile
            continue
        reached[place.mode].setdefault((place.lag, place.chunk), []).append(share)
    return reached


@st.cache_data(max_entries=256, show_spinner=False)
def _recalled(run_id: str, step: int, lag: int) -> float:
    """Measured once: the same run at the same step has the same weights."""
    runs = service.scheduler()
    checkpoint = read(runs.store.checkpoint_path(run_id))
    return runs.compute(lambda: recalled(checkpoint.model, checkpoint.weights(), checkpoint.vocabulary, lag))


# Training one of them ---------------------------------------------------------------------------------------------


def _train(chosen: Place, own: dict[str, Place]) -> None:
    """The button, and the run of the chosen place while it trains."""
    store = service.scheduler().store
    here = [store.get(run_id) for run_id, place in own.items() if place == chosen]
    active = next((info for info in here if service.is_active(info)), None)
    where = f"lag {chosen.lag}, chunks of {chosen.chunk}, seed {chosen.seed}"
    if active is not None:
        st.fragment(run_every=1.0)(_progress)(active.id, where)
        return
    if any(info.status == "finished" and info.saved_step >= RECALL_STEPS for info in here):
        st.caption(f"You have trained {where}. Another seed is another network.")
        return
    rest = next((info for info in here), None)
    label = f"Go on with {where}" if rest else f"Train {where}, here and now"
    if st.button(label, key="bptt_learning_train", type="primary", icon=":material/play_arrow:"):
        _start(chosen, rest, where)


def _start(chosen: Place, rest: RunInfo | None, where: str) -> None:
    runs = service.scheduler()
    try:
        if rest is not None:
            runs.resume(rest.id, owner.token())
        else:
            text, train = recall_text(chosen.lag), recall_settings(chosen.chunk, chosen.mode, chosen.seed)
            check_caps(RECALL_MODEL, train, len(Vocabulary.from_text(text.content)))
            token = owner.token()
            name = f"Recall, {where}, {chosen.mode}"
            with st.spinner("Starting"):
                once((chosen, text.sha256), lambda: runs.create(token, text, RECALL_MODEL, train, name))
    except PlaygroundError as error:
        st.error(shell.plain(error))
        return
    st.rerun()


def _progress(run_id: str, where: str) -> None:
    runs = service.scheduler()
    try:
        info = runs.store.get(run_id)
    except NoSuchRunError:
        st.rerun()  # deleted in another tab
    except PlaygroundError as error:
        st.error(shell.plain(error))
        return
    if not service.is_active(info):
        st.rerun()  # the whole page: its result goes into the grid
    waiting, left = runs.queue_position(run_id), runs.seconds_left(run_id)
    about = f"waits, number {waiting} in the queue" if waiting else f"update {info.step:,} of {info.last_step:,}"
    loss = "" if info.loss is None else f", loss {info.loss:.2f} nats"
    ends = "" if left is None else f", about {shell.clock(left)} left"
    bar, stop = st.columns([6, 1], vertical_alignment="bottom")
    bar.progress(min(1.0, info.step / max(1, info.last_step)), f"{where[0].upper()}{where[1:]}: {about}{loss}{ends}")
    stop.button("Pause", key="bptt_learning_pause", on_click=command, args=("pause", run_id), width="stretch")

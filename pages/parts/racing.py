"""A fair race: who runs, how they take turns, and where they stand while they do."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.parts import keys, owner, service, shell, views
from pages.parts.keys import in_url
from pages.parts.limits import check_caps
from pages.parts.live import keep_pace, pace
from pages.parts.runs import command
from pages.parts.shell import plain
from pages.parts.starting import once
from rnn import corpora, race
from rnn.config import OPTIMIZER_NAMES, PRESETS, ModelConfig, TrainConfig
from rnn.corpora import Text
from rnn.errors import ConfigError, NoSuchRunError, PlaygroundError
from rnn.figures.loss import UNITS
from rnn.figures.race import AXES, Racer, race_alt, race_curves, race_rows
from rnn.race import Member
from rnn.records import RunInfo, StepMetrics

KINDS = {"cells": "RNN, GRU, LSTM", "optimizers": "Optimizers", "settings": "Two settings"}
AXIS_NAMES = {"steps": "Steps", "seconds": "Seconds", "characters": "Characters"}
MINE = "These settings"
STANDINGS = (  # what the race is about first: a narrow page cuts the rest off
    "member", "best validation", "final validation", "training, smoothed", "characters/s", "seconds", "steps",
    "parameters", "hidden size", "cell",
)  # fmt: skip


def race_controls(text: Text, model: ModelConfig, train: TrainConfig, vocabulary_size: int) -> RunInfo | None:
    """What the settings above would race as; the first member of the race that was started now, or None."""
    with st.expander("Race", icon=":material/sports_score:"):
        kind = _choice(
            "Who races", KINDS, keys.RACE_KIND,
            help="Cells with equally many parameters, optimizers on the same model, or any two settings.",
        )  # fmt: skip
        mode = _choice(
            "Keep level by", race.MODES, keys.RACE_MODE,
            help="They take turns: whoever is behind goes next. Each one's clock counts its own computing only.",
        )  # fmt: skip
        try:
            members = _members(kind, model, train, vocabulary_size)
            race.check(members, mode)
            st.markdown(_who_runs(members, vocabulary_size))
            _check_caps(members, text, vocabulary_size)
        except PlaygroundError as error:
            st.info(plain(error))  # a race that cannot be is no fault of the settings above
            return None
        if st.button("Start the race", key="race_start", icon=":material/sports_score:", width="stretch"):
            return _start(text, members, mode)
    return None


def _choice(label: str, options: dict[str, str], key: str, **more: Any) -> str:
    chosen = st.selectbox(label, list(options), format_func=lambda name: options[name], **in_url(key), **more)
    return chosen if chosen in options else next(iter(options))  # a forged one


def _members(kind: str, model: ModelConfig, train: TrainConfig, vocabulary_size: int) -> list[Member]:
    if kind == "cells":
        return race.cells(model, train, vocabulary_size)
    if kind == "optimizers":
        return race.optimizers(model, train)
    return race.settings(Member(MINE, model, train), _opponent(model, train))


def _opponent(model: ModelConfig, train: TrainConfig) -> Member:
    """A preset, or the settings of a run of the visitor's."""
    runs = {run.id: run for run in service.own_runs()}
    presets = {name: preset for name, preset in PRESETS.items() if (preset.model, preset.train) != (model, train)}
    names = {name: preset.title for name, preset in presets.items()}
    names |= {run.id: f"{run.name} · {run.id[:4]}" for run in runs.values()}
    chosen = _choice("Against", names, keys.RACE_OPPONENT, help="A preset, or the settings of one of your runs.")
    if chosen in presets:
        return Member(presets[chosen].title, presets[chosen].model, presets[chosen].train)
    run = runs[chosen]
    return Member(run.name, ModelConfig.from_json(run.model), TrainConfig.from_json(run.train))


def _who_runs(members: list[Member], vocabulary_size: int) -> str:
    """The members with the sizes that were solved for; lines, because the column is too narrow for a table."""
    rows = [
        f"* **{plain(member.label)}** {_size(member)} · "
        f"{member.model.parameter_count(vocabulary_size):,} parameters · "
        f"{OPTIMIZER_NAMES[member.train.optimizer]} {member.train.learning_rate:.4g}"
        for member in members
    ]
    share = race.spread(members, vocabulary_size)
    said = f"Their parameter counts differ by {share:.2%} at most." if share else "All have as many parameters."
    return "\n".join([*rows, "", said])


def _size(member: Member) -> str:
    """`192`, or `LSTM 192` where the member is not named after its cell."""
    cell, size = member.model.cell.upper(), f"{member.model.hidden_size:,}"
    return size if member.label == cell else f"{cell} {size}"


def _check_caps(members: list[Member], text: Text, vocabulary_size: int) -> None:
    """Raises ConfigError, naming the member, where one is more than this server gives a visitor."""
    for member in members:
        try:
            check_caps(member.model, corpora.fit(member.train, len(text.content))[0], vocabulary_size)
        except ConfigError as error:
            raise ConfigError(f"{member.label}: {error}") from error


def _start(text: Text, members: list[Member], mode: str) -> RunInfo | None:
    runs = service.scheduler()
    try:
        with st.spinner("Starting"):
            token, wanted = owner.token(), (text.sha256, mode, *members)
            race_id = once(wanted, lambda: runs.create_race(token, text, members, mode))
            first = runs.store.race(race_id)[0]
            service.choose_run(first.id)  # before anything is drawn: what asks for the page meanwhile cuts it off there
        return first
    except PlaygroundError as error:
        st.error(plain(error))
        return None


def race_panel(race_id: str) -> None:
    """Draws the race, once a second while it is active; less often where many runs train."""
    try:
        is_active = _is_active(service.scheduler().store.race(race_id))
    except PlaygroundError as error:
        st.error(plain(error))
        return
    seconds = pace() if is_active else None
    st.fragment(run_every=seconds)(_panel)(race_id, is_active, seconds)


def _is_active(members: list[RunInfo]) -> bool:
    return any(service.is_active(info) for info in members)


def _panel(race_id: str, was_active: bool, seconds: float | None) -> None:
    store = service.scheduler().store
    try:
        members = store.race(race_id)
        curves = [store.metrics(info.id) for info in members]
        is_own = store.owns(members[0].id, owner.token())
        vocabulary_size, _, _ = views.facts(members[0])  # all train on one text
    except NoSuchRunError:
        st.rerun()  # deleted in another tab: the whole page says so, once
    except PlaygroundError as error:
        st.error(plain(error))
        return
    if was_active != _is_active(members):
        st.rerun()  # the whole page: whether this part is polled is decided there
    keep_pace(seconds)
    _status(members)
    if is_own:
        _steering(members)
    _chart(members, curves)
    _standings(members, curves, vocabulary_size)
    _samples(members)


def _status(members: list[RunInfo]) -> None:
    runs = service.scheduler()
    waiting = next((place for info in members if (place := runs.queue_position(info.id))), None)
    racing = sum(info.status == "running" for info in members)
    words = f"waiting, number {waiting} in the queue" if waiting else f"{racing} of {len(members)} racing"
    if not racing and not waiting:
        words = "finished" if all(info.status == "finished" for info in members) else "at rest"
    st.markdown(f"**{words}** · level by {race.MODES[members[0].race_mode]}")
    rest = [info for info in members if info.message and info.status != "running"]
    for message in dict.fromkeys(info.message for info in rest):
        labels = ", ".join(info.race_label for info in rest if info.message == message)
        st.caption(plain(f"{labels}: {message}"))
    for info in members:
        if trouble := runs.trouble(info.id):
            st.warning(f"Training goes on in memory. {plain(trouble)}")


def _steering(members: list[RunInfo]) -> None:
    """Each click is about all members; the scheduler takes any of them for the race."""
    first, race_id = members[0].id, members[0].entry_id
    is_active = _is_active(members)
    with st.container(horizontal=True, gap="small"):
        if is_active:
            _button("Pause", "pause", race_id, "pause", first)
        else:
            _button("Resume", "resume", race_id, "play_arrow", first, _next_stop(members))
            for info in (info for info in members if info.diverged):
                _button(
                    f"Recover {info.race_label}", "recover", info.id, "healing", info.id,
                    help="Lets it go on with the others, with a third of its learning rate and clipping by norm.",
                )  # fmt: skip
        _button("Stop", "stop", race_id, "stop", first, disabled=not is_active)
        with st.popover("Reset", icon=":material/restart_alt:", disabled=not any(info.step for info in members)):
            st.write("What all have learned is lost. Settings and seed stay, so they would learn the same again.")
            _button("All back to step 0", "reset", race_id, "restart_alt", first)
        with st.popover("Delete", icon=":material/delete:"):
            is_sure = st.checkbox(
                "All members, with weights, curves and samples, can go",
                key=f"race_sure_{race_id}",
                help="Nothing is deleted before this is ticked.",
            )
            st.button(
                "Delete this race", key=f"race_delete_{race_id}", icon=":material/delete:", on_click=_delete,
                args=(first,), disabled=not is_sure,
            )  # fmt: skip


def _next_stop(members: list[RunInfo]) -> int | None:
    """Where a race that goes on stops: where it was to; or, when all are done, as many steps later again."""
    unfinished = [info for info in members if info.status != "finished"]
    if unfinished:
        return unfinished[0].stop_at
    if any(info.step < info.last_step for info in members):
        return members[0].stop_at
    return max(info.step + TrainConfig.from_json(info.train).steps for info in members)


def _button(label: str, name: str, race_id: str, icon: str, *arguments: object, **options: Any) -> None:
    st.button(
        label, key=f"race_{name}_{race_id}", icon=f":material/{icon}:", on_click=command, args=(name, *arguments),
        **options,
    )  # fmt: skip


def _delete(run_id: str) -> None:
    if command("delete", run_id):
        service.choose_run(None)


def _chart(members: list[RunInfo], curves: list[list[StepMetrics]]) -> None:
    mode = members[0].race_mode
    racers = [_racer(info, metrics) for info, metrics in zip(members, curves, strict=True)]
    overlay(racers, mode if mode in AXES else "steps", keys.RACE_AXIS, keys.RACE_UNIT)


def overlay(racers: list[Racer], axis: str, axis_key: str, unit_key: str) -> None:
    """The curves of several runs over each other, against what and in what unit is chosen."""
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        x = st.segmented_control(
            "Compared by", list(AXES), default=axis, **in_url(axis_key), format_func=lambda name: AXIS_NAMES[name],
            label_visibility="collapsed", required=True,
            help="What runs along the axis: the same steps, or the same seconds.",
        )  # fmt: skip
        unit = st.segmented_control(
            "Unit of the loss", list(UNITS), default="nats", **in_url(unit_key), label_visibility="collapsed",
            required=True,
            help="Nats, bits, or perplexity: as many characters would be equally likely.",
        )  # fmt: skip
    x, unit = x if x in AXES else "steps", unit if unit in UNITS else "nats"
    shell.chart(race_curves(racers, x, unit, shell.is_dark()), key=f"chart_{axis_key}", alt=race_alt(racers, x, unit))


def compare_runs(own: list[RunInfo]) -> None:
    """Any of the visitor's runs over each other, whether or not they were started together."""
    runs = {run.id: run for run in own if run.step}
    with st.expander("Compare runs", icon=":material/ssid_chart:"):
        chosen = st.multiselect(
            "Runs", list(runs), format_func=lambda i: f"{runs[i].name} · {i[:4]}", key=keys.COMPARED,
            max_selections=race.MOST, help="Losses of different texts say little about each other.",
        )  # fmt: skip
        picked = [runs[i] for i in chosen if i in runs][: race.MOST]
        if len(picked) < race.FEWEST:
            st.caption(f"Choose {race.FEWEST} to {race.MOST} runs.")
            return
        store = service.scheduler().store
        try:
            racers = [
                Racer(f"{run.name} · {run.id[:4]}", str(run.model["cell"]), store.metrics(run.id)) for run in picked
            ]
        except PlaygroundError as error:
            st.error(plain(error))
            return
        overlay(racers, "steps", keys.COMPARED_AXIS, keys.COMPARED_UNIT)


def _racer(info: RunInfo, metrics: list[StepMetrics]) -> Racer:
    is_out = info.status == "failed" or info.diverged
    return Racer(info.race_label, str(info.model["cell"]), metrics, is_out)


def _standings(members: list[RunInfo], curves: list[list[StepMetrics]], vocabulary_size: int) -> None:
    import pandas as pd  # here, because half a second of the first visit to a new server would go into it

    losses = ("final validation", "best validation", "training, smoothed")
    number = st.column_config.NumberColumn
    st.dataframe(
        pd.DataFrame(race_rows(members, curves, vocabulary_size)), hide_index=True, key="race_standings",
        column_order=STANDINGS,
        column_config={name: number(format="%.3f", help="nats per character") for name in losses}
        | {"characters/s": number(help="while it computes"), "seconds": number(help="of its own computing")},
    )  # fmt: skip


def _samples(members: list[RunInfo]) -> None:
    """A way to each member's text; its run page has the rest."""
    with st.container(horizontal=True, gap="small"):
        for info in members:
            label = f"Sample {plain(info.race_label)}"
            if st.button(label, key=f"race_sample_{info.id}", icon=":material/edit_note:"):
                st.session_state.pop(keys.WRITERS, None)
                st.switch_page("pages/3_Sample.py", query_params={keys.RUN: info.id})

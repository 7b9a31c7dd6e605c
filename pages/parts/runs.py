"""The visitor's runs: which one is on show, and what can be done with it as a whole."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from typing import Any

import streamlit as st

from pages.parts import keeping, keys, owner, service
from pages.parts.learning import TEXT_TASK
from pages.parts.limits import check_caps, limits
from pages.parts.shell import plain
from pages.parts.starting import once
from pages.parts.uploads import checkpoint_uploader, read_checkpoint, read_once
from rnn import corpora
from rnn.catalogue import TASKS
from rnn.checkpoint_file import Checkpoint
from rnn.config import ModelConfig
from rnn.corpora import Text
from rnn.errors import CheckpointError, PlaygroundError
from rnn.records import RunInfo


def run_on_show() -> RunInfo | None:
    """The linked or chosen run, else the visitor's newest, so that who comes back finds it."""
    info = service.current_run() or next(iter(service.own_runs()), None)
    if info is not None:
        service.choose_run(info.id)
    return info


def run_bar(info: RunInfo) -> RunInfo:
    """The run's name, with the visitor's other runs to choose from, and what can be done with it as a whole."""
    runs = {run.id: run for run in service.own_runs()}
    is_own = info.id in runs
    runs.setdefault(info.id, info)
    # A select box goes on showing the label that its choice had at first: after a renaming it has to be another one.
    key = f"{keys.CHOSEN_RUN}_{st.session_state.get(keys.RENAMINGS, 0)}"
    if st.session_state.get(key) != info.id:
        st.session_state[key] = info.id
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        # Labels that changed while a run trains would make the widget forget the choice; the id tells namesakes apart.
        st.selectbox(
            "Run", list(runs), format_func=lambda i: f"{runs[i].name} · {i[:4]}", key=key,
            on_change=_choose, args=(key,), width="stretch", label_visibility="collapsed",
            help="Which of your runs is on show.",
        )  # fmt: skip
        if info.kind == TEXT_TASK and st.button(
            "Sample", key="run_sample", icon=":material/edit_note:", help="Let it write."
        ):
            st.session_state.pop(keys.WRITERS, None)  # written anew, with the weights as they are now
            st.switch_page("pages/3_Sample.py", query_params={keys.RUN: info.id})
        with st.popover("Manage", icon=":material/more_vert:"):
            _manage(info, is_own)
    if not is_own:
        st.caption(
            "You are watching somebody else's run: its curves, what it writes and its model are open, its text is not, "
            "and only its owner can steer it."
        )
    return info


def _choose(key: str) -> None:
    service.choose_run(st.session_state[key])


def _manage(info: RunInfo, is_own: bool) -> None:
    _download(info, is_own)
    if not is_own:
        return
    with st.form("rename", border=False):
        name = st.text_input(
            "Name", info.name, max_chars=80, key=f"{keys.NEW_NAME}_{info.id}", help="What the run is called in lists."
        )
        if st.form_submit_button("Rename", icon=":material/edit:") and command("rename", info.id, name):
            st.session_state[keys.RENAMINGS] = st.session_state.get(keys.RENAMINGS, 0) + 1
            st.rerun()
    # The keys carry the id: a second click must not hit the run that is shown by then.
    if info.race_id:
        st.caption("To delete it, delete its race.")
        return
    is_sure = st.checkbox(
        "Its weights, curves and samples can go",
        key=f"run_sure_{info.id}",
        help="Nothing is deleted before this is ticked.",
    )
    st.button(
        "Delete this run", key=f"run_delete_{info.id}", icon=":material/delete:", on_click=_delete, args=(info.id,),
        disabled=not is_sure,
    )  # fmt: skip


def _download(info: RunInfo, is_own: bool) -> None:
    """Everything that the run needs to go on, in one file; it is made when it is asked for."""
    runs, token = service.scheduler(), owner.token()

    def data() -> bytes:
        if is_own:
            with suppress(PlaygroundError):  # then the file of the last save it is
                runs.save(info.id, token)
        return runs.store.checkpoint_path(info.id).read_bytes()

    name = re.sub(r"[^\w-]+", "-", info.name).strip("-").lower() or "run"
    st.download_button(
        "Download", data, f"{name}.safetensors", "application/octet-stream", key="run_download", on_click="ignore",
        icon=":material/download:", disabled=info.status != "running" and not info.saved_step,
    )  # fmt: skip
    st.caption("One .safetensors file: weights, settings, vocabulary, and what it takes to go on; not the text.")


def _delete(run_id: str) -> None:
    if command("delete", run_id):
        service.choose_run(None)


def command(name: str, run_id: str, *arguments: object) -> bool:
    """Carries out a click; what cannot be done is said. Whether it could."""
    try:
        getattr(service.scheduler(), name)(run_id, owner.token(), *arguments)
        return True
    except PlaygroundError as error:
        st.toast(plain(error), icon=":material/error:")
        return False


def run_table(runs: list[RunInfo]) -> None:
    """All runs of the visitor side by side, and the way to be rid of them."""
    import pandas as pd  # here, because half a second of the first visit to a new server would go into it

    with st.expander(f"My runs ({len(runs)})", icon=":material/list:"):
        st.dataframe(
            pd.DataFrame([_row(run) for run in runs]).assign(
                started=pd.to_datetime([run.created for run in runs], unit="s", utc=True)
            ),
            hide_index=True,
            column_config={
                "loss": st.column_config.NumberColumn("training loss", format="%.3f", help="nats per prediction"),
                "best": st.column_config.NumberColumn("best validation", format="%.3f", help="nats per prediction"),
                "score": st.column_config.NumberColumn("right", format="percent", help="of its task's answers"),
                "started": st.column_config.DatetimeColumn(format="distance"),
            },
        )
        keeping.delete_everything(runs)


def _row(run: RunInfo) -> dict[str, Any]:
    model = ModelConfig.from_json(run.model)
    return {
        "name": run.name, "task": TASKS[run.kind].title, "text": run.text_name, "cell": model.cell.upper(),
        "hidden size": model.hidden_size,
        "layers": model.num_layers, "status": run.status, "step": run.step, "loss": run.loss,
        "best": run.best_validation_loss, "score": run.score, "seconds": round(run.elapsed, 1),
    }  # fmt: skip


def open_file(text: Text | None) -> None:
    """Goes on with a run from its checkpoint file: its text is a built-in, or the one that is chosen above."""
    with st.expander("Go on from a checkpoint file", icon=":material/upload_file:"):
        file = checkpoint_uploader(keys.CHECKPOINT)
        if file is None:
            st.session_state.pop(keys.CHECKPOINT_READ, None)
            return
        try:
            checkpoint = read_once(keys.CHECKPOINT_READ, file, read_checkpoint)
            st.caption(
                f"{checkpoint.model.cell.upper()} {checkpoint.model.hidden_size} at step {checkpoint.step:,}, trained "
                f"on {plain(_trained_on(checkpoint))}."
            )
            if st.button("Open as a run of mine", key="run_adopt", width="stretch"):
                own_text = text_of(checkpoint, text)
                adopted, own, runs = capped(checkpoint, own_text), owner.token(), service.scheduler()
                service.choose_run(once(file.file_id, lambda: runs.adopt(own, own_text, adopted)))
                st.rerun()
        except PlaygroundError as error:
            st.error(plain(error))


def _trained_on(checkpoint: Checkpoint) -> str:
    if not TASKS[checkpoint.kind].needs_text:
        return TASKS[checkpoint.kind].data
    known = checkpoint.metadata["text"]
    return f"{corpora.printable(known['name'])} ({known['length']:,} characters)"


def capped(checkpoint: Checkpoint, text: Text | None) -> Checkpoint:
    """The checkpoint as it may go on with this text. A reset begins anew from its settings and the text alone.

    Raises:
        ConfigError: that would be more than this server gives one visitor.
    """
    train = replace(checkpoint.train, max_vocabulary=limits().max_vocabulary)
    if text is None:
        check_caps(checkpoint.model, train, 0, checkpoint.task)
    else:
        found = corpora.preflight(text, train)
        check_caps(checkpoint.model, found.config, len(found.vocabulary), checkpoint.task)
    return replace(checkpoint, train=train)


def text_of(checkpoint: Checkpoint, chosen: Text | None) -> Text | None:
    """The built-in text that the file names, if it is the same here; else the chosen one, which is checked later.

    None where its task has its own data.
    """
    if not TASKS[checkpoint.kind].needs_text:
        return None
    known: dict[str, Any] = checkpoint.metadata["text"]
    if known["builtin"] and known["name"] in corpora.CORPORA and corpora.is_available_offline(known["name"]):
        text = corpora.load(known["name"])
        if text.sha256 == known["sha256"]:
            return text
    if chosen is None:
        raise CheckpointError(
            f"To go on, training needs the text of this run, {corpora.printable(known['name'])!r}. Choose it above, "
            "then open the file."
        )
    return chosen

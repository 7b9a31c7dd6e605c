"""`python -m assets.truncation [race | recall]`: measures again what truncation costs in learning (`rnn.truncated`).

About ten minutes on two cores for the 50 networks of delayed recall, one for the race. The same seed gives the same
losses on one machine; seconds are those of the machine.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace

import torch

from rnn import corpora
from rnn.files import write_whole
from rnn.shipped import TEXT
from rnn.training import TrainState, train
from rnn.truncated import (
    CHUNKS,
    LAGS,
    MODES,
    RACE_CHUNK,
    RACE_MODEL,
    RACE_PASSES,
    RECALL_MODEL,
    RESULTS,
    Curve,
    Results,
    race_members,
    race_text,
    recall_settings,
    recall_text,
    recalled,
    results_json,
    results_of,
)

PARTS = ("race", "recall")


def main(parts: Sequence[str]) -> int:
    """Measures these parts, or all, and writes the file; returns the exit code."""
    if unknown := [part for part in parts if part not in PARTS]:
        print(f"There is no part {unknown[0]!r}; there are {' and '.join(PARTS)}.", file=sys.stderr)
        return 2
    found = results_of(json.loads(RESULTS.read_text())) if RESULTS.exists() else Results("", (), {})
    if "race" in (parts or PARTS):
        found = race(found)
        write(found)
    if "recall" in (parts or PARTS):
        write(replace(found, recall=recall()))
    return 0


def write(found: Results) -> None:
    write_whole(RESULTS, json.dumps(results_json(found), separators=(",", ":")).encode() + b"\n")


def race(found: Results) -> Results:
    """One after the other, so that none slows another."""
    torch.set_num_threads(1)
    text, curves = race_text(corpora.load(TEXT)), []
    for member in race_members(RACE_MODEL, RACE_CHUNK, RACE_PASSES):
        metrics = tuple(train(TrainState.create(text, member.model, member.train)))
        print(f"{member.label}: {metrics[-1].validation_loss:.3f} nats, {metrics[-1].elapsed:.0f} s", flush=True)
        curves.append(Curve(member.label, metrics))
    return replace(found, text_sha256=text.sha256, curves=tuple(curves))


def recall() -> dict[str, dict[int, dict[int, float]]]:
    """The grid, as many networks at a time as there are cores."""
    grid: dict[str, dict[int, dict[int, float]]] = {mode: {lag: {} for lag in LAGS} for mode in MODES}
    places = [(mode, lag, k) for k in reversed(CHUNKS) for mode in MODES for lag in LAGS]  # the longest first
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), spawned, torch.set_num_threads, (1,)) as pool:
        running = {pool.submit(one_recall, *place): place for place in places}
        for done in as_completed(running):
            mode, lag, k = running[done]
            grid[mode][lag][k] = round(done.result(), 4)
            print(f"{mode}, lag {lag}, chunks of {k}: {grid[mode][lag][k]:.1%}", flush=True)
    return {mode: {lag: {k: rows[lag][k] for k in CHUNKS} for lag in LAGS} for mode, rows in grid.items()}


def one_recall(mode: str, lag: int, k: int) -> float:
    """Trains the network of one place of the grid; the share of letters that it gives back right."""
    state = TrainState.create(recall_text(lag), RECALL_MODEL, recall_settings(k, mode))
    for _ in train(state):
        pass
    weights = {name: tensor.detach().numpy() for name, tensor in state.model.state_dict().items()}
    return recalled(state.config, weights, state.vocabulary, lag)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The experiments on truncation: what is equal in them, and that what comes with the app can be made again."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest
import torch

from assets import truncation
from rnn import corpora, truncated
from rnn.config import ModelConfig
from rnn.corpora import RECALL_KEYS, Text
from rnn.errors import CheckpointError, ConfigError, TextError
from rnn.figures.recall import recall_grid, recall_grid_alt
from rnn.shipped import TEXT
from rnn.training import TrainState, train
from rnn.truncated import (
    CHANCE,
    CHUNKS,
    LAGS,
    MODES,
    RACE_CHUNK,
    RACE_MODEL,
    RACE_PASSES,
    RACE_TEXT,
    RECALL_MODEL,
    STREAM_LENGTH,
    STREAMS,
    Place,
    needs_chunk,
    place_of,
    race_members,
    race_text,
    recall_settings,
    recall_text,
    recalled,
    results,
    results_json,
    results_of,
)
from rnn.vocabulary import Vocabulary

NEEDS = {lag: needs_chunk(lag) for lag in LAGS}


@pytest.mark.parametrize("k", [4, 10, 64, 128])
def test_all_members_read_the_same_streams_equally_often(k: int) -> None:
    text = Text("any", "the cat sat. " * (RACE_TEXT // 13 + 1))
    for member in race_members(ModelConfig(cell="rnn", hidden_size=2), k, 3):
        state = TrainState.create(race_text(text), member.model, member.train)
        assert not state.notes  # nothing was shrunk
        batches = [state.task.batch(state.train_config, step) for step in range(state.train_config.steps)]
        assert sum(batch.predictions for batch in batches) == 3 * STREAMS * STREAM_LENGTH
        assert batches[-1].epoch == 3
    assert len(batches) == 3  # the last member's chunk is the whole stream


def test_one_chunk_of_the_whole_stream_is_full_bptt() -> None:
    """The same losses as with the setting that a shared server does not allow."""
    text = race_text(Text("any", corpora.delayed_recall(3, RACE_TEXT + 10)))
    *_, whole = race_members(ModelConfig(cell="gru", hidden_size=3), 16, 2)
    both = [
        [m.loss for m in train(TrainState.create(text, whole.model, config))]
        for config in (whole.train, replace(whole.train, truncation="full"))
    ]
    assert both[0] == pytest.approx(both[1], rel=1e-5)


def test_a_race_needs_streams_of_its_length_and_a_chunk_that_cuts_them() -> None:
    with pytest.raises(TextError, match="needs a text of"):
        race_text(Text("short", "ab" * 50))
    for k in (0, STREAM_LENGTH):
        with pytest.raises(ConfigError, match="chunk length"):
            race_members(RACE_MODEL, k, 2)


def test_a_race_is_known_by_its_labels() -> None:
    assert truncated.is_race([member.label for member in race_members(RACE_MODEL, 8, 2)])
    assert not truncated.is_race(["RNN", "GRU", "LSTM"])


def perfect(lag: int) -> tuple[ModelConfig, dict[str, np.ndarray], Vocabulary]:
    """An RNN by hand that shifts what it reads through lag + 2 places and answers with the last one."""
    vocabulary = Vocabulary.from_text(recall_text(lag).content)
    V, places = len(vocabulary), lag + 2
    config = ModelConfig(cell="rnn", nonlinearity="relu", hidden_size=V * places, bias=False)
    W_xh, W_hh = np.zeros((V * places, V)), np.zeros((V * places, V * places))
    W_xh[:V] = np.eye(V)
    for place in range(1, places):
        W_hh[place * V : (place + 1) * V, (place - 1) * V : place * V] = np.eye(V)
    W_hy = np.zeros((V, V * places))
    W_hy[:, -V:] = np.eye(V)
    names = ("recurrent.weight_ih_l0", "recurrent.weight_hh_l0", "head.weight")
    return config, dict(zip(names, (W_xh, W_hh, W_hy), strict=True)), vocabulary


@pytest.mark.parametrize("lag", [2, 8])
def test_what_remembers_as_long_as_the_lag_answers_all_and_what_does_not_guesses(lag: int) -> None:
    config, weights, vocabulary = perfect(lag)
    assert recalled(config, weights, vocabulary, lag) == 1
    assert recalled(config, weights, vocabulary, lag + 1) < 0.05  # it answers with a filler
    always_a = dict(weights)
    always_a["head.weight"] = np.zeros_like(weights["head.weight"])
    always_a["head.weight"][vocabulary.encode(RECALL_KEYS[0])[0]] = 1
    assert recalled(config, always_a, vocabulary, lag) == pytest.approx(CHANCE, abs=0.03)


def test_a_run_is_found_in_its_place_and_others_in_none() -> None:
    train_config = recall_settings(16, "reset", 7)
    sha256, model = recall_text(8).sha256, RECALL_MODEL.to_json()
    assert place_of(sha256, model, train_config.to_json()) == Place(8, 16, "reset", 7)
    assert place_of("0" * 64, model, train_config.to_json()) is None
    assert place_of(sha256, model, replace(train_config, learning_rate=0.1).to_json()) is None
    assert place_of(sha256, replace(RECALL_MODEL, cell="lstm").to_json(), train_config.to_json()) is None
    for k, mode in ((5, "carry"), (8, "full")):
        with pytest.raises(ConfigError, match="grid"):
            recall_settings(k, mode)


# What comes with the app ------------------------------------------------------------------------------------------


def test_every_place_has_its_result_and_only_long_chunks_learn_all() -> None:
    found = results()
    for mode in MODES:
        for lag in LAGS:
            assert list(found.recall[mode][lag]) == list(CHUNKS)
            for k, share in found.recall[mode][lag].items():
                assert 0 <= share <= 1
                if k < needs_chunk(lag):
                    assert share < 0.5
    assert all(found.recall["carry"][lag][64] > 0.7 for lag in LAGS)


def test_the_results_are_the_same_after_a_round_through_json() -> None:
    again = results_of(results_json(results()))
    assert results_json(again) == results_json(results())


def test_a_damaged_file_gets_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for content in ("", "{}", '{"race": {"text_sha256": "", "members": []}, "recall": {}}', "[1]"):
        monkeypatch.setattr(truncated, "RESULTS", tmp_path / "truncation.json")
        (tmp_path / "truncation.json").write_text(content)
        truncated.results.cache_clear()
        with pytest.raises(CheckpointError, match="cannot be read"):
            results()
    truncated.results.cache_clear()


def test_the_race_begins_again_as_it_did() -> None:
    text = race_text(corpora.load(TEXT))
    if text.sha256 != results().text_sha256:
        pytest.skip("the text comes with Python, and this is another version")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    members = race_members(RACE_MODEL, RACE_CHUNK, RACE_PASSES)
    for member, curve, steps in zip(members, results().curves, (31, 31, 2), strict=True):
        assert member.label == curve.label
        assert curve.metrics[-1].step == member.train.steps
        measured = {m.step: m.loss for m in train(TrainState.create(text, member.model, member.train), steps)}
        kept = {m.step: m.loss for m in curve.metrics if m.step <= steps}
        assert len(kept) >= 2
        assert kept == pytest.approx({step: measured[step] for step in kept}, abs=2e-3)
    torch.set_num_threads(threads)


def test_a_place_of_the_grid_is_made_again_as_it_was() -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    assert truncation.one_recall("carry", 2, 4) == pytest.approx(results().recall["carry"][2][4], abs=0.05)
    torch.set_num_threads(threads)


def test_an_unknown_part_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert truncation.main(["everything"]) == 2
    assert "race and recall" in capsys.readouterr().err


def test_a_curve_keeps_its_ends_and_its_validation_losses() -> None:
    metrics = results().curves[0].metrics
    assert metrics[0].step == 1
    assert math.isfinite(metrics[-1].loss)
    assert sum(m.validation_loss is not None for m in metrics) >= 20
    assert [m.step for m in truncated.thinned(metrics)][-1] == metrics[-1].step


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("mode", MODES)
def test_the_grid_draws_every_share_and_its_line_stands_where_chunks_are_long_enough(mode: str, dark: bool) -> None:
    grid = results().recall[mode]
    figure = recall_grid(grid, mode, CHANCE, NEEDS, {(8, 16): [0.5, 0.4321]}, (8, 16), dark)
    go.Figure(figure.to_plotly_json())  # every property is one that Plotly knows
    squares, line = figure.data
    np.testing.assert_allclose(squares.z, [[grid[lag][k] for k in CHUNKS] for lag in LAGS], atol=1e-6)
    for row, lag in enumerate(LAGS):
        assert all((column > line.x[2 * row]) == (k >= lag + 2) for column, k in enumerate(CHUNKS))
    assert sum("◆ 43%" in note.text for note in figure.layout.annotations) == 1
    assert len(figure.layout.shapes) == 1
    said = recall_grid_alt(grid, mode, CHANCE, NEEDS, {(8, 16): [0.4321]})
    assert "Your own network at lag 8, k 16: 43%." in said
    assert f"k 64 {grid[32][64]:.0%}" in said

"""The figures of vanishing gradients are ones that Plotly accepts, and their words are those of the numbers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import plotly.graph_objects as go
import pytest

from rnn.figures.vanishing import (
    clip_losses,
    clip_losses_alt,
    clip_norms,
    clip_norms_alt,
    decay_lines,
    decay_lines_alt,
    deepest_of,
    kept_lines,
    kept_lines_alt,
)
from rnn.gradients.clipping import MODEL, TRAIN, Course, Pair
from rnn.gradients.paths import Kept
from rnn.gradients.sandbox import Sandbox, decay

NETWORKS = [
    Sandbox(), Sandbox(1.5, 256, 200, "identity"), Sandbox(0.5, 1, 1), Sandbox(1.0, 8, 50, "identity", "orthogonal"),
    Sandbox(1.5, 1, 200, "tanh"), Sandbox(0.5, 16, 200),
]  # fmt: skip
HELD = Course(np.linspace(4, 2, 200), np.linspace(1, 2, 200), 150, None, "")
BROKEN = Course(np.array([4.0, 5.0, 20.0]), np.array([1.0, 900.0, 3.0]), 0, 4, "exploded")
AT_ONCE = Course(np.array([]), np.array([]), 0, 1, "gradient")


def pair_of(off: Course, on: Course) -> Pair:
    return Pair(off, on, MODEL, TRAIN, 1000)


PAIRS = [pair_of(off, on) for off in (BROKEN, HELD, AT_ONCE) for on in (HELD, BROKEN, AT_ONCE)]
LAGS = np.arange(31)
CURVES = {
    "LSTM": Kept(0.95**LAGS, 0.99**LAGS), "GRU": Kept(0.8**LAGS, 0.9**LAGS), "RNN": Kept(0.5**LAGS),
    "this model": Kept(1.1**LAGS),
}  # fmt: skip


def title(fig: go.Figure) -> str:
    return str(fig.layout.title.text).replace("<br>", " ")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize(
    "draw",
    [
        *(partial(decay_lines, decay(network), network) for network in NETWORKS),
        *(partial(draw, pair) for draw in (clip_losses, clip_norms) for pair in PAIRS),
        *(partial(kept_lines, CURVES, "LSTM", 20, gates, -8.0) for gates in (False, True)),
        partial(kept_lines, {"RNN": Kept(np.array([1.0, 0, 0, 0, 0]))}, "RNN", 2, True, -8.0),
    ],
)  # fmt: skip
def test_every_figure_is_one_that_plotly_accepts_and_small(draw: Callable[..., go.Figure], dark: bool) -> None:
    fig = draw(dark=dark).to_dict()
    assert go.Figure(fig).to_dict() == fig  # here with Plotly's checks
    assert len(json.dumps(go.Figure(fig).to_json())) < 100_000


def test_the_line_of_the_radius_is_its_powers_and_the_measured_line_what_was_measured() -> None:
    network = Sandbox(1.2, 16, 60, "identity")
    found = decay(network)
    lines = {trace.name: trace for trace in decay_lines(found, network).data}
    np.testing.assert_allclose(lines["radius"].y, 1.2 ** np.arange(61), rtol=1e-3)
    np.testing.assert_allclose(lines["measured"].y, found.middle, rtol=1e-3)
    shown = np.array(lines["bound"].y)
    assert (shown >= found.middle * (1 - 1e-3))[: len(shown)].all() or shown.max() > found.middle.max()


def test_the_sandbox_says_how_fast_and_what_is_left() -> None:
    for radius, steps, words in (
        (0.9, 100, "halves every 6.6 steps: after 100 steps 3 × 10^−5 of it is left"),
        (1.1, 10, "doubles every 7.3 steps: after 10 steps it is 2.6 times as large"),
        (1.0, 1, "keeps its size: after 1 step all of it is left"),
    ):
        network = Sandbox(radius, 8, steps, "identity", "orthogonal")
        alt = decay_lines_alt(decay(network), network)
        assert alt.startswith(f"The gradient {words}")
        assert "largest singular value" in alt


@pytest.mark.parametrize(
    ("off", "on", "words"),
    [
        (BROKEN, HELD, "Without clipping it explodes at step 4; clipped it learns down to 2.05 nats"),
        (HELD, BROKEN, "Clipped, the run explodes at step 4; without it ends at 2.05 nats"),
        (BROKEN, BROKEN, "Both explode: at step 4 without clipping, at step 4 with it"),
        (HELD, HELD, "Here clipping makes little difference: 2.05 nats without, 2.05 with it"),
        (replace(HELD, losses=HELD.losses + 1), HELD, "Both hold out; clipped it ends better: 3.05 nats without"),
        (HELD, replace(HELD, losses=HELD.losses + 1), "Both hold out; clipped it ends worse: 2.05 nats without"),
    ],
)
def test_the_losses_say_honestly_which_run_held_out(off: Course, on: Course, words: str) -> None:
    pair = pair_of(off, on)
    assert title(clip_losses(pair)).startswith(words)
    assert clip_losses_alt(pair).startswith(words)


def test_the_norms_say_how_many_steps_are_clipped() -> None:
    assert title(clip_norms(pair_of(BROKEN, HELD))) == (
        "Without clipping the norm rises to 900; the limit 0.25 shortens 75 % of the steps"
    )
    assert "shortens every step" in title(clip_norms(pair_of(BROKEN, replace(HELD, clipped=200))))
    assert "is never reached" in clip_norms_alt(pair_of(BROKEN, replace(HELD, clipped=0)))


def test_a_run_that_breaks_ends_in_a_cross() -> None:
    off, on = clip_losses(pair_of(BROKEN, HELD)).data
    assert (off.marker.symbol, len(off.x), off.marker.size[-1]) == ("x", 3, 11)
    assert (on.marker.symbol, len(on.x)) == ("circle", 200)


def test_what_is_kept_is_said_of_each_network() -> None:
    gates = {name: curve for name, curve in CURVES.items() if name != "this model"}
    assert title(kept_lines(gates, "LSTM", 20, True, -8.0)) == (
        "20 steps back, the gates alone leave LSTM 36 %, GRU 1.2 % in their best units 82 % and 12 %"
    )
    assert title(kept_lines(gates, "RNN", 10, False, -8.0)) == (
        "10 steps back, the whole path leaves LSTM 60 %, GRU 11 %, RNN 0.098 %"
    )
    gated = gates | {"this model": CURVES["LSTM"]}
    assert title(kept_lines(gated, "this model", 20, True, -8.0)).endswith("LSTM 36 %, GRU 1.2 %, this model 36 %")
    assert kept_lines_alt(gates, 1, False).startswith("1 step back, the whole path leaves LSTM 95 %, GRU 80 %,")
    assert deepest_of([{"RNN": Kept(0.1 ** np.arange(4.0))}]) == pytest.approx(-3.2)
    assert deepest_of([CURVES | {"RNN": Kept(0.1 ** np.arange(31.0))}]) == -8


def test_a_line_ends_where_it_leaves_the_axis() -> None:
    fig = kept_lines({"RNN": Kept(0.1 ** np.arange(12.0))}, "RNN", 2, False, -8.0)
    shown = [y for y in fig.data[0].y if y is not None]
    assert (len(shown), min(shown)) == (9, 1e-8)

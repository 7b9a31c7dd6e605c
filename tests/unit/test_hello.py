"""The lecture's four letters: its numbers, a network that learns them, and its gradient as a sum."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from subprocess import run
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rnn import RNN, hello, speller
from rnn.errors import ConfigError, InputError, TrainingError
from rnn.figures import hello as figures
from rnn.figures import theme
from rnn.hello import CHARACTERS, LECTURE_LOGITS, LECTURE_STATES, READ, TARGETS, Progress
from rnn.records import Walk

Array = NDArray[np.float64]
LECTURE = hello.walk(LECTURE_STATES, LECTURE_LOGITS)


def drawn_weights(seed: int, scale: float = 1.5) -> dict[str, Array]:
    """No zeros among them, biases included."""
    rng = np.random.default_rng(seed)
    return {name: rng.normal(0, scale, shape) for name, shape in hello.SHAPES.items()}


def losses_by_loop(w: Mapping[str, Array], copies: Sequence[Array]) -> list[float]:
    """The definition, one number at a time; step k multiplies with copies[k] in place of W_hh."""
    h, losses = [0.0] * 3, []
    for read, target, W_hh in zip(READ, TARGETS, copies, strict=True):
        x = CHARACTERS.index(read)
        sums = [w["W_xh"][i, x] + sum(W_hh[i, j] * h[j] for j in range(3)) + w["b_h"][i] for i in range(3)]
        h = [math.tanh(s) for s in sums]
        y = [sum(w["W_hy"][v, i] * h[i] for i in range(3)) + w["b_y"][v] for v in range(4)]
        losses.append(math.log(sum(map(math.exp, y))) - y[CHARACTERS.index(target)])
    return losses


# The lecture's numbers


def test_the_first_step_of_the_lecture_has_its_softmax_and_its_loss() -> None:
    assert LECTURE.probabilities[0].round(3).tolist() == [0.038, 0.125, 0.001, 0.837]
    assert LECTURE.losses[0] == pytest.approx(2.079, abs=5e-4)
    assert (LECTURE.text, LECTURE.targets) == ("hell", "ello")


def test_the_total_loss_is_the_sum_over_the_steps() -> None:
    each = [-math.log(math.exp(y[CHARACTERS.index(c)]) / sum(map(math.exp, y)))
            for y, c in zip(LECTURE_LOGITS.tolist(), TARGETS, strict=True)]  # fmt: skip
    assert LECTURE.losses == pytest.approx(each)
    assert LECTURE.total == pytest.approx(math.fsum(each))


@given(st.lists(st.floats(-1000, 1000), min_size=16, max_size=16))
def test_any_logits_that_may_be_typed_have_a_finite_loss(logits: list[float]) -> None:
    walk = hello.walk(LECTURE_STATES, np.reshape(logits, (4, 4)))
    assert np.isfinite(walk.losses).all()
    assert (walk.losses >= 0).all()
    assert walk.probabilities.sum(1) == pytest.approx(np.ones(4))
    assert figures.hello_alt(walk)


# What is typed


def test_numbers_in_any_form_are_taken() -> None:
    assert hello.checked([[1, "2.5"], [np.float64(-3), 1000]], "W", "ab", "cd").tolist() == [[1, 2.5], [-3, 1000]]


@pytest.mark.parametrize("bad", [None, math.nan, math.inf, -1000.1, "abc", "", [1]])
def test_what_is_no_number_gets_a_sentence_with_its_place(bad: Any) -> None:
    with pytest.raises(InputError, match=r"^Logits, row e, column t = 2: write a number from −1,000 to 1,000"):
        hello.checked([[0, 0], [0, bad]], "Logits", "he", ["t = 1", "t = 2"])


@pytest.mark.parametrize(("bad", "said"), [("abc", " in place of “abc”."), (None, "1,000. Until"), (2000, "“2000”.")])
def test_the_sentence_quotes_what_was_typed_if_anything_was(bad: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        hello.checked([[bad]], "W", "a", "b")


def test_a_table_of_another_shape_is_refused() -> None:
    with pytest.raises(InputError, match="2 rows and 1 columns"):
        hello.checked([[1]], "W", "ab", "c")


# The network


@pytest.mark.parametrize("seed", range(3))
def test_the_network_equals_torch_nn(seed: int) -> None:
    w = {name: torch.tensor(value) for name, value in drawn_weights(seed).items()}
    reference = torch.nn.RNN(4, 3).double()
    state = {"weight_ih_l0": w["W_xh"], "weight_hh_l0": w["W_hh"], "bias_ih_l0": w["b_h"], "bias_hh_l0": 0 * w["b_h"]}
    reference.load_state_dict(state)
    x = torch.eye(4).double()[[CHARACTERS.index(c) for c in READ]]
    states, _ = reference(x)
    walk, _ = speller.look(drawn_weights(seed))
    np.testing.assert_allclose(walk.states, states.detach().numpy(), atol=1e-12)
    np.testing.assert_allclose(walk.logits, (states @ w["W_hy"].T + w["b_y"]).detach().numpy(), atol=1e-12)


def test_the_network_equals_its_definition() -> None:
    w = drawn_weights(3)
    assert speller.look(w)[0].losses == pytest.approx(losses_by_loop(w, [w["W_hh"]] * 4), abs=1e-12)


def test_the_first_weights_are_those_of_the_step_api() -> None:
    weights, net = speller.first_weights(5), RNN(4, 3, 4, seed=5)
    y = [net.step(np.eye(4)[CHARACTERS.index(c)]) for c in READ]
    np.testing.assert_allclose(speller.look(weights)[0].logits, y, atol=1e-12)


# The gradient


@pytest.mark.parametrize("seed", range(3))
def test_the_shares_of_all_losses_and_copies_add_up_to_autograds_gradient(seed: int) -> None:
    weights = drawn_weights(seed)
    walk, of_autograd = speller.look(weights)
    assert np.abs(of_autograd).max() > 1e-3
    np.testing.assert_allclose(hello.gradient_shares(walk, weights).sum((0, 1)), of_autograd, rtol=1e-10, atol=1e-12)


def test_each_share_is_the_slope_of_one_loss_in_one_copy_of_the_matrix() -> None:
    w, step = drawn_weights(1, 0.8), 1e-5
    shares = hello.gradient_shares(speller.look(w)[0], w)
    for k in range(4):
        for i in range(3):
            for j in range(3):
                up, down = ([w["W_hh"].copy() for _ in range(4)] for _ in range(2))
                up[k][i, j] += step
                down[k][i, j] -= step
                pairs = zip(losses_by_loop(w, up), losses_by_loop(w, down), strict=True)
                slopes = [(a - b) / (2 * step) for a, b in pairs]
                assert shares[:, k, i, j] == pytest.approx(slopes, abs=1e-8)


def test_no_loss_reaches_a_later_copy_and_the_first_copy_has_no_share() -> None:
    w = drawn_weights(2)
    shares = hello.gradient_shares(speller.look(w)[0], w)
    norms = np.linalg.norm(shares, axis=(2, 3))
    assert (norms[np.triu_indices(4, 1)] == 0).all()
    assert (norms[:, 0] == 0).all()
    assert (norms[np.tril_indices(4)][[2, 4, 5, 7, 8, 9]] > 0).all()


# Training


def test_a_step_of_gradient_descent_goes_down_the_gradient() -> None:
    weights = drawn_weights(0)
    after = speller.train(Progress(weights), 1, "sgd", 0.01).weights
    np.testing.assert_allclose(after["W_hh"], weights["W_hh"] - 0.01 * speller.look(weights)[1], atol=1e-14)


@pytest.mark.parametrize("rule", speller.RULES)
def test_twice_ten_steps_are_twenty(rule: str) -> None:
    first = Progress(speller.first_weights(0))
    parted, whole = first, speller.train(first, 20, rule, 0.05)
    for _ in range(2):
        parted = speller.train(parted, 10, rule, 0.05)
    assert parted.losses.tolist() == whole.losses.tolist()
    assert all((parted.weights[name] == whole.weights[name]).all() for name in hello.SHAPES)
    assert first.steps == 0


def test_another_rule_forgets_what_the_one_before_remembered() -> None:
    adam = speller.train(Progress(speller.first_weights(0)), 5, "adam", 0.05)
    mixed = speller.train(adam, 5, "sgd", 0.05)
    plain = speller.train(Progress(adam.weights), 5, "sgd", 0.05)
    assert mixed.losses[5:].tolist() == plain.losses.tolist()
    assert speller.train(mixed, 0, "adam").steps == 10


@pytest.mark.parametrize(("rule", "rate"), [("sgd", 0.1), ("adam", 0.05)])
@pytest.mark.parametrize("seed", range(4))
def test_it_learns_to_spell_hello_and_stops_there(seed: int, rule: str, rate: float) -> None:
    first = Progress(speller.first_weights(seed))
    assert hello.greedy(first.weights) != "hello"
    learned = speller.train(first, 500, rule, rate, until_it_spells=True)
    assert 1 <= learned.steps < 200
    assert hello.greedy(learned.weights) == "hello"
    assert speller.look(learned.weights)[0].guesses == TARGETS
    assert hello.greedy(speller.train(first, learned.steps - 1, rule, rate).weights) != "hello"
    assert speller.train(learned, 5, rule, rate, until_it_spells=True).steps == learned.steps


def test_the_first_loss_of_the_curve_is_that_of_the_first_weights() -> None:
    weights = speller.first_weights(1)
    assert speller.train(Progress(weights), 3).losses[0] == pytest.approx(speller.look(weights)[0].total)


def test_weights_that_outgrow_the_bounds_are_refused_with_a_sentence() -> None:
    with pytest.raises(TrainingError, match="At step 1 a weight grew beyond 1,000, so nothing was changed"):
        speller.train(Progress(drawn_weights(0)), 5, "sgd", 1e6)


@pytest.mark.parametrize("wrong", [{"rule": "magic"}, {"rate": 0.0}, {"rate": math.nan}])
def test_a_rule_or_rate_that_there_is_not_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        speller.train(Progress(drawn_weights(0)), 1, **wrong)


# Writing


def test_drawn_texts_say_hello_as_often_as_the_loss_promises() -> None:
    weights = speller.train(Progress(speller.first_weights(2)), 60, "sgd", 0.1).weights
    p = math.exp(-speller.look(weights)[0].total)
    assert 0.2 < p < 0.6
    share = hello.samples(weights, 1000, seed=0).count("hello") / 1000
    assert abs(share - p) < 4 * math.sqrt(p * (1 - p) / 1000)


def test_each_drawn_text_begins_with_h_and_has_five_of_the_letters() -> None:
    texts = hello.samples(drawn_weights(0), 20, seed=3)
    assert all(text[0] == "h" and len(text) == 5 and set(text) <= set(CHARACTERS) for text in texts)
    assert texts == hello.samples(drawn_weights(0), 20, seed=3)


def test_the_lectures_numbers_and_sampling_need_no_torch() -> None:
    program = "import sys, rnn.hello, rnn.figures.hello; sys.exit('torch' in sys.modules)"
    assert run([sys.executable, "-c", program], check=False).returncode == 0


# The figures


def labels(fig: go.Figure) -> list[str]:
    return list(fig.data[0].text)


def shares_of(weights: Mapping[str, Array]) -> Array:
    return hello.gradient_shares(speller.look(weights)[0], weights)


@pytest.mark.parametrize("dark", [False, True])
def test_plotly_accepts_the_figures(dark: bool) -> None:
    for fig in (
        figures.hello(LECTURE, dark),
        figures.hello_losses(np.array([3.0, 2.0]), 1.0, 4, 4, dark),
        figures.hello_gradient(shares_of(drawn_weights(0)), TARGETS, dark),
    ):
        assert go.Figure(fig).to_dict() == fig.to_dict()  # here with Plotly's checks


def test_every_number_of_the_lecture_is_on_the_picture() -> None:
    fig = figures.hello(LECTURE)
    shown = labels(fig)
    for values, form in ((LECTURE_STATES, ".1f"), (LECTURE_LOGITS, ".1f"), (LECTURE.probabilities, ".3f")):
        assert {format(v, form).replace("-", "−") for v in values.ravel()} <= set(shown)
    assert [text for text in shown if text.startswith("loss")] == ["loss 2.08", "loss 2.90", "loss 0.38", "loss 0.23"]
    assert fig.layout.title.text == "Total loss 5.59 nats<br>best guesses “oolo”, targets “ello”"
    assert shown.count("1") == 4
    assert shown.count("0") == 12


def test_the_frame_stands_around_the_target_in_the_softmax() -> None:
    fig = figures.hello(LECTURE)
    frames = [shape for shape in fig.layout.shapes if shape.fillcolor is None]
    points = list(zip(fig.data[0].x, fig.data[0].y, fig.data[0].text, strict=True))
    for t, frame in enumerate(frames):
        inside = [text for x, y, text in points if frame.x0 < x < frame.x1 and frame.y0 < y < frame.y1]
        assert inside == [f"{LECTURE.probabilities[t, CHARACTERS.index(TARGETS[t])]:.3f}", TARGETS[t]]
    assert len(frames) == 4


def test_the_pointer_finds_how_a_loss_comes_about() -> None:
    words = list(figures.hello(LECTURE).data[1].customdata)
    p = LECTURE.probabilities[0, 1]
    assert f"step 1: −ln {p:.5f} = {LECTURE.losses[0]:.5f} nats" in words
    assert any("“e”, the target<br>p = e^(2.2) / sum = 0.12512" in each for each in words)


def test_the_picture_in_words_has_each_steps_numbers() -> None:
    said = figures.hello_alt(LECTURE)
    assert said.startswith("Total loss 5.59 nats; best guesses “oolo”, targets “ello”.")
    assert "Step 1 reads “h”: state 0.3, −0.1, 0.9; logits h 1.0, e 2.2, l −3.0, o 4.1; target “e”, p = 0.125" in said


@given(st.floats(0, 1e4))
def test_a_loss_fits_its_place(nats: float) -> None:
    shown = figures.number(nats)
    assert len(shown) <= 6
    assert float(shown.replace(",", "")) == pytest.approx(nats, rel=0.06, abs=5e-5)


def test_a_long_curve_is_thinned_and_keeps_its_ends() -> None:
    fig = figures.hello_losses(np.linspace(6, 1, 9999), 0.5, 4, 4)
    (curve,) = fig.data
    assert len(curve.x) <= figures.MOST_POINTS
    assert (curve.x[0], curve.x[-1], curve.y[0], curve.y[-1]) == (0, 9999, 6.0, 0.5)
    assert fig.layout.title.text == "0.50 nats after 9,999 steps"
    assert "guessing: 4 ln 4 = 5.55" in fig.layout.annotations[0].text


def test_before_the_first_step_the_curve_is_a_point() -> None:
    fig = figures.hello_losses(np.zeros(0), 6.4, 4, 4)
    assert (list(fig.data[0].x), list(fig.data[0].y)) == ([0], [6.4])
    assert "markers" in fig.data[0].mode
    assert figures.hello_losses_alt(np.zeros(0), 6.4, 4, 4).startswith("6.40 nats after 0 steps. Guessing")


def test_the_gradients_table_has_a_box_for_each_share_and_each_sum() -> None:
    shares = shares_of(drawn_weights(0))
    fig = figures.hello_gradient(shares, TARGETS)
    assert len(fig.layout.shapes) == 10 + 4 + 4 + 1
    assert {box.line.color for box in fig.layout.shapes} == {theme.GRADIENT}
    words = list(fig.data[1].customdata)
    assert f"loss 4 through copy 2<br>norm {np.linalg.norm(shares[3, 1]):.6f}" in words
    assert f"all shares of loss 3, added<br>norm {np.linalg.norm(shares[2].sum(0)):.6f}" in words
    assert f"all shares through copy 3, added<br>norm {np.linalg.norm(shares[:, 2].sum(0)):.6f}" in words
    assert "<sub>" not in figures.hello_gradient_alt(shares, TARGETS)


def test_a_gradient_of_zero_is_drawn() -> None:
    fig = figures.hello_gradient(np.zeros((4, 4, 3, 3)), TARGETS)
    assert fig.layout.title.text.startswith("‖dL/dW<sub>hh</sub>‖ = 0,")


def test_walks_of_other_sizes_are_drawn() -> None:
    made = Walk("ab", "ba", ("a", "b"), np.zeros((2, 5)), np.eye(2), np.full((2, 2), 0.5), np.full(2, math.log(2)))
    assert figures.hello(made).layout.title.text.startswith("Total loss 1.39 nats")

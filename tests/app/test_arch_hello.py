"""The Architecture page's "hello": the lecture's numbers changed, a network trained, sampled and taken apart."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
import streamlit
from streamlit.testing.v1 import AppTest

from pages.parts import arch_hello, keys
from rnn import hello, speller
from rnn.figures.hello import number
from rnn.hello import TARGETS, Progress
from tests.app.conftest import figure, said, title

ARCHITECTURE = "pages/1_Architecture.py"
LECTURE_TOTAL = number(hello.walk(hello.LECTURE_STATES, hello.LECTURE_LOGITS).total)


def opened(app: AppTest, mode: str | None = None, **query: str) -> AppTest:
    app.query_params[keys.ARCH_VIEW] = "hello"
    if mode:
        app.query_params[arch_hello.MODE] = mode
    for name, value in query.items():
        app.query_params[name] = value
    app.switch_page(ARCHITECTURE).run()
    assert not app.exception
    return app


def pressed(app: AppTest, name: str) -> AppTest:
    app.button(key=f"arch_hello_{name}").click().run()
    assert not app.exception
    return app


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str, str], Any]:
    """What stands in a table's cells (table, row, column) in place of what was drawn there."""
    cells: dict[tuple[str, str, str], Any] = {}

    def edited(frame: pd.DataFrame, *, key: str, **_: Any) -> pd.DataFrame:
        frame = frame.astype(object)
        for (table, row, column), value in cells.items():
            if key.startswith(f"arch_hello_{table}_"):
                frame.loc[row, column] = value
        return frame

    monkeypatch.setattr(streamlit, "data_editor", edited)
    return cells


def bench(app: AppTest) -> arch_hello.Bench:
    return app.session_state[arch_hello.BENCH]  # type: ignore[no-any-return]


# The lecture's numbers


def test_the_page_begins_with_the_lectures_numbers(app: AppTest) -> None:
    opened(app)
    assert title(app).startswith(f"Total loss {LECTURE_TOTAL} nats")
    assert "−ln 0.125 = 2.079 nats" in said(app)
    assert "Total loss" in app.get("plotly_chart")[0].proto.alt


def test_a_logit_that_is_changed_changes_the_loss(app: AppTest, typed: dict[Any, Any]) -> None:
    typed["Logits", "“e”", "t = 1"] = 9.0
    logits = hello.LECTURE_LOGITS.copy()
    logits[0, 1] = 9.0
    total = hello.walk(hello.LECTURE_STATES, logits).total
    assert title(opened(app)).startswith(f"Total loss {number(total)} nats")


@pytest.mark.parametrize("bad", [None, math.nan, "abc", 1e9])
def test_what_is_no_number_gets_one_sentence_and_the_numbers_of_before_stay(
    app: AppTest, typed: dict[Any, Any], bad: Any
) -> None:
    typed["Logits", "“e”", "t = 1"] = 9.0
    before = title(opened(app))
    typed["Logits", "“l”", "t = 2"] = bad
    app.run()
    assert not app.exception
    assert len(app.error) == 1
    assert "Logits, row “l”, column t = 2: write a number" in app.error[0].value.replace("\\", "")
    assert title(app) == before
    typed["Logits", "“l”", "t = 2"] = -1.0
    assert not app.run().error
    assert title(app) == before


def test_all_changes_can_be_undone(app: AppTest, typed: dict[Any, Any]) -> None:
    typed["Logits", "“o”", "t = 4"] = -5.0
    opened(app)
    typed.clear()
    assert title(pressed(app, "undo")).startswith(f"Total loss {LECTURE_TOTAL} nats")


def test_changes_are_still_there_after_a_look_at_the_network(app: AppTest, typed: dict[Any, Any]) -> None:
    typed["Logits", "“o”", "t = 4"] = -5.0
    before = title(opened(app))
    typed.clear()
    app.session_state[arch_hello.MODE] = arch_hello.NETWORK
    assert title(app.run()) != before
    app.session_state[arch_hello.MODE] = arch_hello.LECTURE
    assert title(app.run()) == before


# A network


def test_a_network_shows_its_walk_its_curve_and_its_gradient(app: AppTest) -> None:
    opened(app, arch_hello.NETWORK)
    walk, of_autograd = speller.look(speller.first_weights(arch_hello.FIRST_SEED))
    assert title(app).startswith(f"Total loss {number(walk.total)} nats")
    assert figure(app, 1)["layout"]["title"]["text"] == f"{number(walk.total)} nats after 0 steps"
    assert f"{np.linalg.norm(of_autograd):.2f}, a sum of shares" in figure(app, 2)["layout"]["title"]["text"]
    shown = next(table.value for table in app.dataframe if "autograd" in table.value)
    np.testing.assert_allclose(shown["autograd"], of_autograd.ravel(), atol=1e-12)
    np.testing.assert_allclose(shown["sum"], shown["autograd"], atol=1e-12)
    np.testing.assert_allclose(shown[["L1", "L2", "L3", "L4"]].sum(axis=1), shown["autograd"], atol=1e-12)


def test_it_is_trained_step_by_step_until_it_spells_hello(app: AppTest) -> None:
    opened(app, arch_hello.NETWORK)
    first = Progress(speller.first_weights(arch_hello.FIRST_SEED))
    for name, steps in (("1", 1), ("10", 11)):
        pressed(app, name)
        assert bench(app).progress.losses.tolist() == speller.train(first, steps, "sgd", 0.1).losses.tolist()
    pressed(app, "until")
    assert f"It spells hello after {bench(app).progress.steps} steps." in said(app)
    assert f"targets “{TARGETS}”" in title(app)
    assert any("Always the likeliest: **hello**" in m.value for m in app.markdown)
    pressed(app, "over")
    assert bench(app).progress.steps == 0


def test_where_it_does_not_learn_it_says_so(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arch_hello, "AT_MOST", 150)
    opened(app, arch_hello.NETWORK, **{arch_hello.RATE.format("sgd"): "0.0001"})
    pressed(app, "until")
    assert bench(app).progress.steps == 150
    assert "After 150 steps it spells " in said(app)
    assert "Try another learning rate" in said(app)


def test_training_ends_after_so_many_steps(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arch_hello, "IN_ALL", 105)
    opened(app, arch_hello.NETWORK)
    for _ in range(2):
        pressed(app, "100")
    assert bench(app).progress.steps == 105
    assert "105 steps are enough" in said(pressed(app, "1"))


def test_weights_that_would_grow_beyond_bounds_leave_the_network_as_it_was(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speller, "LARGEST", 2.0)
    opened(app, arch_hello.NETWORK, **{arch_hello.RATE.format("sgd"): "10"})
    before = title(app)
    pressed(app, "100")
    assert "a weight grew beyond 2" in app.error[0].value
    assert (title(app), bench(app).progress.steps) == (before, 0)
    assert not app.run().error


def test_a_weight_that_is_changed_changes_everything_and_is_trained_from(app: AppTest, typed: dict[Any, Any]) -> None:
    typed["W_hh", "h1", "h2"] = 0.75
    typed["b_y", "b_y", "“o”"] = -2.0
    opened(app, arch_hello.NETWORK)
    weights = speller.first_weights(arch_hello.FIRST_SEED)
    weights["W_hh"][0, 1], weights["b_y"][3] = 0.75, -2.0
    assert title(app).startswith(f"Total loss {number(speller.look(weights)[0].total)} nats")
    typed.clear()
    pressed(app, "1")
    assert bench(app).progress.losses[0] == pytest.approx(speller.look(weights)[0].total)


def test_a_weight_that_is_no_number_gets_a_sentence_and_training_waits(app: AppTest, typed: dict[Any, Any]) -> None:
    before = title(opened(app, arch_hello.NETWORK))
    typed["W_xh", "h3", "“o”"] = math.nan
    app.run()
    assert "W_xh, row h3, column “o”: write a number" in app.error[0].value.replace("\\", "")
    assert title(app) == before
    assert app.button(key="arch_hello_until").disabled
    typed.clear()
    assert not app.run().error
    assert not app.button(key="arch_hello_until").disabled


def test_another_seed_starts_over(app: AppTest) -> None:
    pressed(opened(app, arch_hello.NETWORK), "10")
    app.number_input(key=arch_hello.SEED).set_value(7).run()
    assert bench(app).progress.steps == 0
    assert title(app).startswith(f"Total loss {number(speller.look(speller.first_weights(7))[0].total)} nats")


def test_drawing_again_draws_other_texts(app: AppTest) -> None:
    def drawn() -> str:
        return next(m.value for m in app.markdown if "Drawn from the softmax" in m.value)

    first = drawn() if opened(app, arch_hello.NETWORK) else ""
    pressed(app, "draw")
    assert drawn() != first
    assert len(drawn().split("softmax: ")[1].split("\n")[0].split(", ")) == arch_hello.TEXTS


@pytest.mark.parametrize(
    "query",
    [
        {arch_hello.SEED: "-5"}, {arch_hello.SEED: "nan"}, {arch_hello.SEED: "inf"},
        {arch_hello.RATE.format("sgd"): "inf"}, {arch_hello.RATE.format("sgd"): "-1"},
        {arch_hello.RATE.format("sgd"): "nan"}, {arch_hello.RULE: "magic"}, {arch_hello.MODE: "none"},
    ],
)  # fmt: skip
def test_a_link_with_nonsense_opens_the_view_all_the_same(app: AppTest, query: dict[str, str]) -> None:
    opened(app, arch_hello.NETWORK, **query)
    assert not app.error
    assert title(app).startswith("Total loss")
    if arch_hello.MODE not in query:
        pressed(app, "1")
        assert not app.error

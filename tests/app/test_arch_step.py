"""The step function on the page: what is typed is stepped, and the code shown does the same."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from tests.app.conftest import figure, title

ARCHITECTURE = "pages/1_Architecture.py"


def opened(app: AppTest, **query: str) -> AppTest:
    app.query_params["arch_view"] = "Step"
    for name, value in query.items():
        app.query_params[name] = value
    app.switch_page(ARCHITECTURE).run()
    assert not app.exception
    return app


def step(app: AppTest) -> AppTest:
    app.button(key="arch_step_step").click().run()
    assert not app.exception
    return app


def bars(app: AppTest, number: int = 0) -> list[list[float]]:
    """h before, x, h after and y of a figure."""
    return [list(trace["x"]) for trace in figure(app, number)["data"]]


def executed(app: AppTest) -> dict[str, Any]:
    """What the code on the page leaves behind."""
    names: dict[str, Any] = {}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(app.code[0].value, names)
    return names


def test_it_opens_with_a_step_from_zero(app: AppTest) -> None:
    opened(app)
    before, x, after, y = bars(app)
    assert before == [0, 0, 0]
    assert x == [1, 0, 0, 0]
    assert any(after)
    assert any(y)


def test_the_same_x_gives_another_y(app: AppTest) -> None:
    first = bars(opened(app))
    second = bars(step(app))
    assert second[0] == first[2]
    assert second[1] == first[1]
    assert second[3] != first[3]
    assert title(app).startswith("Step 2 of net: the same x as in step 1")
    assert app.dataframe[0].value["step"].tolist() == [2, 1]


def test_the_code_shown_computes_the_numbers_shown(app: AppTest) -> None:
    opened(app)
    app.segmented_control(key="arch_step_x_4").set_value("l").run()
    step(app)
    names, shown = executed(app), bars(app)
    np.testing.assert_allclose(names["y"], shown[3], atol=1e-12)
    np.testing.assert_allclose(names["net"].h, shown[2], atol=1e-12)


def test_two_networks_run_one_after_the_other_and_so_does_their_code(app: AppTest) -> None:
    opened(app, arch_step_two="true")
    step(app)
    names, first, second = executed(app), bars(app), bars(app, 1)
    assert second[1] == first[3]
    np.testing.assert_allclose(names["y1"], first[3], atol=1e-12)
    np.testing.assert_allclose(names["y"], second[3], atol=1e-12)


def test_the_worked_example_gives_its_numbers(app: AppTest) -> None:
    opened(app, arch_step_worked="true")
    step(app)
    step(app)
    np.testing.assert_allclose(bars(app)[3], [-3.04498651, 0.78981591, 0.86049092], atol=1e-8)
    np.testing.assert_allclose(executed(app)["y"], bars(app)[3], atol=1e-12)


def test_reset_puts_h_back_to_zero(app: AppTest) -> None:
    step(opened(app))
    app.button(key="arch_step_reset").click().run()
    assert title(app) == "Before step 1 of net:<br>h is the zero vector"
    assert bars(app)[0] == [0, 0, 0]
    assert not app.dataframe
    step(app)
    assert title(app).startswith("Step 1 of net: h moved")


@pytest.mark.parametrize("typed", ["1, 2", "nan, 0, 0, 0", "inf 0 0 0", "1, 2, 3, x", ""])
def test_what_is_no_x_is_said_and_loses_no_steps(app: AppTest, typed: str) -> None:
    step(opened(app))
    app.segmented_control(key="arch_step_x_4").set_value("numbers").run()
    app.text_input(key="arch_step_numbers_4").set_value(typed).run()
    assert not app.exception
    assert len(app.error) == 1
    assert app.button(key="arch_step_step").disabled
    assert title(app).startswith("Step 2")


def test_typed_numbers_are_stepped(app: AppTest) -> None:
    opened(app)
    app.segmented_control(key="arch_step_x_4").set_value("numbers").run()
    app.text_input(key="arch_step_numbers_4").set_value("0.5, -1, 0, 2").run()
    assert bars(step(app))[1] == [0.5, -1, 0, 2]


@pytest.mark.parametrize("size", [2, 8])
def test_other_sizes_begin_anew(app: AppTest, size: int) -> None:
    step(opened(app))
    app.number_input(key="arch_step_input").set_value(size).run()
    assert len(bars(app)[1]) == size
    assert title(app).startswith("Step 1")
    app.number_input(key="arch_step_hidden").set_value(size).run()
    assert len(bars(app)[2]) == size


@pytest.mark.parametrize("query", [{"arch_step_input": "0"}, {"arch_step_seed": "-5"}, {"arch_step_x_4": "q"},
                                   {"arch_step_hidden": "x"}, {"arch_batch_steps": "0"}])  # fmt: skip
def test_a_forged_link_opens_all_the_same(app: AppTest, query: dict[str, str]) -> None:
    assert bars(opened(app, **query))


def test_the_whole_sequence_shows_what_its_code_prints(app: AppTest) -> None:
    opened(app)
    app.number_input(key="arch_batch_steps").set_value(9)
    app.number_input(key="arch_batch_every").set_value(4).run()
    assert not app.exception
    code, printed = app.code[1].value, io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, {})
    assert app.code[2].value == printed.getvalue().strip()
    assert len(figure(app, 1)["data"][0]["x"]) == 3

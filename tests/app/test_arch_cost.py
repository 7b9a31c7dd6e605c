"""What a network costs, on networks that are made up, shipped and trained."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts import keys
from rnn.shipped import SHIPPED
from tests.app.conftest import figure, run_of, said, train_hello

ARCHITECTURE = "pages/1_Architecture.py"


def opened(app: AppTest, part: str = "Parameters", **query: str) -> AppTest:
    app.query_params["arch_view"] = "Cost"
    app.query_params["arch_cost_part"] = part
    for name, value in query.items():
        app.query_params[name] = value
    app.switch_page(ARCHITECTURE).run()
    assert not app.exception
    return app


def chosen(app: AppTest, network: str) -> AppTest:
    app.selectbox(key=keys.BLUEPRINT).select(network).run()
    assert not app.exception
    return app


def titles(app: AppTest) -> list[str]:
    count = len(app.get("plotly_chart"))
    return [str(figure(app, i)["layout"]["title"]["text"]).replace("<br>", " ") for i in range(count)]


def test_the_table_adds_up_to_the_heading(app: AppTest) -> None:
    opened(app, arch_cell="GRU", arch_hidden="8", arch_layers="2")
    table = app.dataframe[0].value
    assert f"{table['numbers'].sum():,} parameters" in app.header[0].value
    assert (table["bytes"] == 4 * table["numbers"]).all()
    assert table["share"].sum() == pytest.approx(100)


def test_one_hot_and_an_embedding_stand_side_by_side(app: AppTest) -> None:
    opened(app, arch_cell="RNN", arch_hidden="3")
    app.number_input(key="arch_cost_embedding_2").set_value(5).run()
    comparison = next(m.value for m in app.markdown if "one-hot" in m.value)
    assert "3 × 4 = 12" in comparison
    assert "4 × 5 = 20" in comparison
    assert "3 × 5 = 15" in comparison
    assert "23 more parameters" in said(app)


def test_parameters_are_flat_against_T_and_work_is_not(app: AppTest) -> None:
    opened(app, "Against T")
    flat, products, memory = figure(app)["data"]
    assert len(set(flat["y"])) == 1
    assert products["y"][-1] == 5000 * products["y"][0]
    assert memory["y"][-1] == 5000 * memory["y"][0]


@pytest.mark.parametrize("both", ["false", "true"])
@pytest.mark.parametrize("cell", ["RNN", "GRU", "LSTM"])
def test_the_same_weights_run_on_5_and_on_5000_steps(app: AppTest, cell: str, both: str) -> None:
    opened(app, "Against T", arch_cell=cell, arch_both=both)
    app.button(key="arch_cost_run").click().run()
    assert not app.exception
    long, short = figure(app, 1)["data"][:2]
    assert long["x"][-1] == 5000
    assert len(short["x"]) == 5
    assert "5 steps and 5,000" in titles(app)[1]
    app.number_input(key="arch_hidden").set_value(4).run()
    assert len(titles(app)) == 1  # of other weights there has been no run yet


@pytest.mark.parametrize(("cell", "maps"), [("RNN", 1), ("GRU", 3), ("LSTM", 4)])
def test_each_gate_has_its_eigenvalues(app: AppTest, cell: str, maps: int) -> None:
    opened(app, "Weights", arch_cell=cell)
    assert sum("spectral radius" in title for title in titles(app)) == maps


def test_every_matrix_can_be_looked_at(app: AppTest) -> None:
    opened(app, "Weights", arch_cell="GRU", arch_layers="2", arch_embedding="2", arch_both="true")
    box = app.selectbox(key="arch_cost_matrix_gru")
    assert len(box.options) == 1 + 2 * 2 * 6 + 1
    for title, drawn in (
        ("E, input", "E, 4 × 2"), ("W_hy, output", "W<sub>hy</sub>, 4 × 6"),
        ("W_xn, layer 2, backward", "W<sub>xn</sub>, 3 × 6"),
    ):  # fmt: skip
        app.selectbox(key="arch_cost_matrix_gru").select(title).run()
        assert not app.exception
        assert titles(app)[0].startswith(drawn)
    app.selectbox(key="arch_cost_layer").select("layer 2, backward").run()
    assert not app.exception


@pytest.mark.parametrize("part", ["Parameters", "Against T", "Weights"])
@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_models_show_everything(app: AppTest, name: str, part: str) -> None:
    chosen(opened(app, part), f"shipped:{name}")
    assert app.dataframe or titles(app)
    assert not app.error


def test_a_run_is_shown_before_and_after_training(app: AppTest) -> None:
    train_hello(app)
    chosen(opened(app, "Weights"), run_of(app))
    shown = titles(app)
    assert "before training" in shown[0]
    assert "after training" in shown[1]
    assert shown[2].endswith("before")
    first, last = (heat(app, i) for i in (0, 1))
    assert first["z"] != last["z"]
    assert first["zmax"] == last["zmax"]


def heat(app: AppTest, number: int) -> dict[str, Any]:
    return dict(figure(app, number)["data"][0])


@pytest.mark.parametrize("query", [{"arch_cost_part": "Nothing"}, {"arch_cost_embedding_2": "-3"},
                                   {"arch_cost_embedding_2": "1e400"}, {"arch_hidden": "0"}])  # fmt: skip
def test_a_forged_link_opens_all_the_same(app: AppTest, query: dict[str, str]) -> None:
    app.query_params["arch_view"] = "Cost"
    for name, value in query.items():
        app.query_params[name] = value
    app.switch_page(ARCHITECTURE).run()
    assert not app.exception
    assert app.dataframe


def test_a_very_large_network_shows_what_it_can(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RNN_PLAYGROUND_PUBLIC", "0")
    opened(app, "Weights", arch_cell="RNN", arch_hidden="600")
    assert "at most 512" in app.info[0].value
    assert "the first 128 × 128 of 600 × 600" in titles(app)[0]

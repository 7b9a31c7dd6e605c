"""The Architecture page's cell: whatever is chosen, drawing, equations, code and the judge belong to it."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts import arch_cell, keys
from rnn.config import NONLINEARITIES
from rnn.shipped import SHIPPED
from tests.app.conftest import figure, said

PAGE = "pages/1_Architecture.py"
DIAGRAM, VECTORS, FUNCTION = 0, 1, 2


@pytest.fixture
def page(app: AppTest) -> AppTest:
    app.query_params["arch_view"] = "Cell"
    return app.switch_page(PAGE)


def title(app: AppTest, number: int = DIAGRAM) -> str:
    return str(figure(app, number)["layout"]["title"]["text"]).replace("<br>", " ")


def written(app: AppTest) -> str:
    return "\n".join(block.value for block in app.markdown)


def complaints(app: AppTest) -> list[str]:
    assert not app.exception
    return [error.value for error in app.error]


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_the_cell_changes_diagram_equations_code_and_judge_at_once(page: AppTest, cell: str) -> None:
    page.run()
    page.selectbox(key="arch_cell").select(cell).run()
    assert not complaints(page)
    assert title(page).startswith(f"{cell.upper()} reads “o” after “hell”")
    text = written(page)
    assert (r"a_f" in text, r"b_{hn}" in text) == (cell == "lstm", cell == "gru")
    assert page.code[0].value.startswith(f"def {cell}_cell(")
    assert f"The same as torch.nn.{cell.upper()} but for rounding" in text
    own, of_all = {"rnn": (27, 43), "gru": (81, 97), "lstm": (108, 124)}[cell]
    assert f"{own} of the network's {of_all} parameters" in said(page)


@pytest.mark.parametrize("name", NONLINEARITIES)
def test_the_nonlinearity_changes_equation_and_graph(page: AppTest, name: str) -> None:
    page.query_params["arch_nonlinearity"] = name
    page.run()
    assert not complaints(page)
    assert {"tanh": r"= \tanh(a_t)", "relu": "ReLU", "sigmoid": r"= \sigma(a_t)"}[name] in written(page)
    assert title(page, FUNCTION).startswith(f"h by {name}")
    assert ("torch has no sigmoid RNN" in written(page)) == (name == "sigmoid")


def test_biases_layers_and_directions_are_those_chosen(page: AppTest) -> None:
    page.run()
    page.toggle(key="arch_bias").set_value(False)
    page.toggle(key="arch_both").set_value(True)
    page.number_input(key="arch_layers").set_value(2).run()
    assert not complaints(page)
    assert "b_h" not in written(page)
    page.selectbox(key=arch_cell.LAYER).select(2).run()
    page.toggle(key=arch_cell.BACKWARD).set_value(True).run()
    assert not complaints(page)
    assert title(page).startswith("RNN layer 2 reads “o” after “hell”")
    assert r"\mathbb{R}^{3 \times 6}" in written(page)  # both directions of the layer below


@pytest.mark.parametrize("name", SHIPPED)
def test_a_trained_network_shows_its_own_gates(page: AppTest, name: str) -> None:
    page.run()
    page.selectbox(key=keys.BLUEPRINT).select(f"shipped:{name}").run()
    assert not complaints(page)
    before = figure(page)
    page.selectbox(key=arch_cell.CHARACTER).select("e").run()
    assert "reads “e” after “hell”" in title(page)
    assert figure(page) != before
    page.text_input(key=arch_cell.CONTEXT).set_value("The stat").run()
    assert "reads “e” after “The␣stat”" in title(page)
    assert f"of {SHIPPED[name].model.hidden_size} units" in title(page, VECTORS)


def test_a_character_that_the_next_network_lacks_does_no_harm(page: AppTest) -> None:
    page.run()
    page.selectbox(key=keys.BLUEPRINT).select("shipped:lstm").run()
    page.selectbox(key=arch_cell.CHARACTER).select("\n").run()
    assert "reads “⏎”" in title(page)
    page.selectbox(key=keys.BLUEPRINT).select("mine").run()
    assert not complaints(page)
    assert "reads “o” after “hell”" in title(page)


def test_unknown_characters_of_the_context_are_left_out_and_named(page: AppTest) -> None:
    page.run()
    page.text_input(key=arch_cell.CONTEXT).set_value("h*L<b>").run()
    assert not complaints(page)
    assert "after “hl”" in title(page)
    assert "does not know “*”, “L”, “<”, “b”, “>”" in said(page)
    page.text_input(key=arch_cell.CONTEXT).set_value("").run()
    assert "reads “o” at its first step" in title(page)


def test_a_gate_is_chosen_for_the_graph(page: AppTest) -> None:
    page.query_params["arch_cell"] = "LSTM"  # the label of the choice
    page.run()
    assert title(page, FUNCTION).startswith("f by sigmoid")
    page.segmented_control(key=f"{arch_cell.GATE}_lstm").set_value("g").run()
    assert title(page, FUNCTION).startswith("g by tanh")


def test_a_click_judges_other_numbers(page: AppTest) -> None:
    page.run()
    assert "seed 0" in written(page)
    page.button(key="arch_cell_again").click().run()
    assert not complaints(page)
    assert "seed 1" in written(page)


def test_forged_addresses_show_a_cell_all_the_same(page: AppTest) -> None:
    for key, value in {
        arch_cell.CHARACTER: "Ω", arch_cell.LAYER: "99", arch_cell.BACKWARD: "true", f"{arch_cell.GATE}_rnn": "f",
        arch_cell.CONTEXT: "h" * 5_000,
    }.items():  # fmt: skip
        page.query_params[key] = value
    page.run()
    assert not complaints(page)
    assert "RNN reads “o”" in title(page)


def test_weights_that_diverged_are_one_sentence(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from pages.parts import blueprint

    made_up = blueprint._made_up

    def diverged(model):  # type: ignore[no-untyped-def]
        chosen = made_up(model)
        return replace(chosen, weights={name: w * float("nan") for name, w in chosen.weights.items()})

    monkeypatch.setattr(blueprint, "_made_up", diverged)
    page.run()
    assert len(complaints(page)) == 1
    assert "no longer finite" in complaints(page)[0]

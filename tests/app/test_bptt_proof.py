"""The proof is computed on the page: carried equal, forgotten not."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts import bptt_proof, keys
from tests.app.conftest import said, title, visitor

BPTT = "pages/5_Truncated_BPTT.py"


def open_page(app: AppTest, model: str = "gru", text: str | None = None, **query: str) -> AppTest:
    app.query_params.update({"model": model, "bptt_view": "Proof", **query})
    if text is not None:
        app.session_state[keys.READ_TEXT] = text
    app.switch_page(BPTT).run()
    assert not app.exception
    return app


def rows(app: AppTest) -> list[list[str]]:
    table = next(m.value for m in app.markdown if "| forgotten |" in m.value)
    return [[cell.strip() for cell in row.split("|")[1:-1]] for row in table.splitlines()[2:]]


@pytest.mark.parametrize("model", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize("number_format", bptt_proof.FORMATS)
def test_every_network_is_the_same_carried_and_another_forgotten(app: AppTest, model: str, number_format: str) -> None:
    open_page(app, model, bptt_proof_format=number_format)
    assert not app.error
    assert len(rows(app)) == 7
    for _, *paths, forgotten in rows(app):
        assert all(float(value.replace("−", "-")) <= 1e-5 for value in paths)
        assert float(forgotten) > 0.01
    assert any("one pass but for rounding" in m.value for m in app.markdown)


def test_the_cut_is_chosen_and_the_random_networks_are_drawn_again(app: AppTest) -> None:
    open_page(app, text="A short text.")
    app.slider(key=bptt_proof.CUT).set_value(4).run()
    assert "against 4 and then 9" in said(app)
    before = rows(app)
    app.button(key="bptt_proof_again").click().run()
    assert rows(app)[0] == before[0]
    assert rows(app)[1:] != before[1:]


@pytest.mark.parametrize("value", ["0", "-1", "nan", "500", "x"])
def test_a_cut_in_a_link_that_cannot_be_is_moved_inside(app: AppTest, value: str) -> None:
    open_page(app, text="abc", bptt_proof_cut=value)
    assert not app.error
    assert "State carried" in title(app)


def test_one_character_and_a_network_of_both_directions_get_a_sentence(app: AppTest) -> None:
    open_page(app, text="a")
    assert any("at least two characters" in e.value for e in app.error)
    other = open_page(visitor(), "fill-blank")
    assert any("predicts the next character" in e.value for e in other.error)

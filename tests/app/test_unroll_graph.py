"""The unrolled graph on its page: columns, the current one, forward, backward and folded."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts import keys, service, unroll_graph
from rnn.config import ModelConfig, TrainConfig
from rnn.corpora import Text
from tests.app.conftest import figure, said, title, until, visitor

UNROLL = "pages/4_Unroll_Visualizer.py"
TEXT = "He said so (twice)."


def open_page(app: AppTest, text: str = TEXT, **query: str) -> AppTest:
    app.query_params.update({"model": "gru", "unroll_view": "Graph", **query})
    app.session_state[keys.READ_TEXT] = text
    app.switch_page(UNROLL).run()
    assert not app.exception
    return app


def formulas(app: AppTest) -> str:
    return " ".join(m.value for m in app.markdown if m.value.startswith("$"))


@pytest.mark.parametrize("way", ["Forward", "Backward", "Folded"])
@pytest.mark.parametrize("model", ["rnn", "gru", "lstm"])
def test_every_cell_is_drawn_every_way(app: AppTest, model: str, way: str) -> None:
    open_page(app, model=model, unroll_graph_way=way)
    assert not app.error
    assert {"Forward": "nats a character", "Backward": "total loss", "Folded": "folded"}[way] in title(app)
    assert len(app.get("plotly_chart")) == (2 if way == "Backward" else 1)


@pytest.mark.parametrize("T", ["1", "12", "13", "40"])
@pytest.mark.parametrize("way", ["Forward", "Backward"])
def test_one_to_forty_columns(app: AppTest, T: str, way: str) -> None:
    open_page(app, TEXT * 4, unroll_graph_T=T, unroll_graph_way=way)
    assert not app.error
    assert (f"{T} steps" if T != "1" else "one step") in title(app) or f"{T} losses" in title(app) or T == "1"


def test_step_and_back_move_the_current_column_and_its_equations(app: AppTest) -> None:
    open_page(app)
    assert "h_{1}}[1]" in formulas(app)
    app.button(key="unroll_graph_step").click().run()
    assert "h_{2}}[1]" in formulas(app)
    app.slider(key=unroll_graph.AT).set_value(5).run()
    assert "h_{5}}[1]" in formulas(app)
    app.button(key="unroll_graph_back").click().run()
    assert "h_{4}}[1]" in formulas(app)
    assert "This layer reads “s” at step 4" in said(app)


@pytest.mark.parametrize(("way", "first", "last"), [("Forward", 1, 8), ("Backward", 8, 1)])
def test_it_plays_to_the_end_and_stands_still(
    app: AppTest, monkeypatch: pytest.MonkeyPatch, way: str, first: int, last: int
) -> None:
    monkeypatch.setattr(unroll_graph, "TICK", 0.0)
    open_page(app, unroll_graph_way=way)
    app.button(key="unroll_graph_play").click().run()
    seen = [first]
    for _ in range(12):
        seen.append(int(app.session_state[unroll_graph.AT]))
        app.run()
    assert seen[-1] == last
    assert sorted(set(seen)) == list(range(1, 9))
    assert unroll_graph.PLAYING not in app.session_state
    app.button(key="unroll_graph_play").click().run()
    app.button(key="unroll_graph_play").click().run()  # stopped
    assert unroll_graph.PLAYING not in app.session_state


def test_a_matrix_that_is_chosen_is_named_with_its_size(app: AppTest) -> None:
    app.session_state[f"{unroll_graph.LIT}_3"] = "W_hh 0"
    open_page(app)
    assert "672 × 224: the same matrix at every step" in title(app)


def test_contributions_add_up_to_the_gradient_of_autograd(app: AppTest) -> None:
    open_page(app, unroll_graph_way="Backward")
    table = next(m.value for m in app.markdown if "largest difference" in m.value)
    rows = [row.split("|")[1:-1] for row in table.splitlines()[2:]]
    assert [row[0].strip().replace("\\", "") for row in rows] == ["W_xh", "W_hh", "W_hy"]
    for row in rows:
        assert float(row[-1].strip().replace("−", "-")) < 1e-12


@pytest.mark.parametrize("way", ["Forward", "Backward"])
@pytest.mark.parametrize("length", [1, 2, 5000])
def test_the_shortest_and_the_longest_text(app: AppTest, way: str, length: int) -> None:
    open_page(app, (TEXT * 300)[:length], unroll_graph_way=way)
    sentences = [e.value for e in app.error]
    if length == 1 and way == "Backward":
        assert any("at least two" in sentence for sentence in sentences)
    else:
        assert not sentences


def test_at_the_end_of_the_text_there_is_no_loss_to_go_back_from(app: AppTest) -> None:
    open_page(app, unroll_graph_way="Backward", unroll_graph_from=str(len(TEXT)))
    assert any("Begin further to the left" in e.value for e in app.error)


def test_a_network_of_both_directions_is_drawn_and_has_no_loss(app: AppTest) -> None:
    open_page(app, model="fill-blank")
    assert not app.error
    assert "both directions" in title(app)
    other = open_page(visitor(), model="fill-blank", unroll_graph_way="Backward")
    assert any("predicts the next character" in e.value for e in other.error)


@pytest.mark.parametrize(
    "model",
    [
        ModelConfig("rnn", 1, nonlinearity="relu"),
        ModelConfig("lstm", 3, 3),
        ModelConfig("rnn", 2, nonlinearity="sigmoid"),
    ],
    ids=str,
)
def test_a_run_of_ones_own_is_drawn_whatever_its_network(app: AppTest, model: ModelConfig) -> None:
    runs = service._scheduler()
    training = TrainConfig(batch_size=2, bptt_steps=4, steps=3, evaluate_every=3)
    run_id = runs.create("nobody", Text("hello", "hello world. " * 30), model, training)
    until(app, lambda _: runs.store.get(run_id).status == "finished")
    for way in ("Forward", "Backward"):
        app.query_params.pop("model", None)
        open_page(app, "hello world", run=run_id, model="", unroll_graph_way=way)
        assert app.selectbox(key=keys.READ_MODEL).value == run_id
        assert not app.error
        assert figure(app)["layout"]["title"]["text"]


@pytest.mark.parametrize("value", ["0", "-3", "99", "nan", "x", "1e9"])
def test_settings_in_a_link_that_cannot_be_are_the_usual_ones(app: AppTest, value: str) -> None:
    open_page(app, unroll_graph_T=value, unroll_graph_from=value, unroll_graph_way=value, unroll_unit_224=value)
    assert not app.error

"""The network that the Architecture page is about, wherever it comes from."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts import keys, service
from pages.parts.blueprint import MINE
from rnn.config import ModelConfig, TaskConfig, TrainConfig
from rnn.shipped import SHIPPED
from tests.app.conftest import run_of, train_hello, until

ARCHITECTURE = "pages/1_Architecture.py"
VIEWS = ("Network", "Cell", "Step", "hello", "Cost", "Tasks")


def open_page(app: AppTest, **query: str) -> AppTest:
    app.query_params.update(query)
    app.switch_page(ARCHITECTURE).run()
    assert not app.exception
    return app


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_shows_a_made_up_network(app: AppTest, view: str) -> None:
    open_page(app, arch_view=view)
    assert app.selectbox(key=keys.BLUEPRINT).value == MINE
    assert not app.error


@pytest.mark.parametrize("name", SHIPPED)
def test_a_link_opens_a_shipped_model_and_a_choice_stands_in_the_url(app: AppTest, name: str) -> None:
    open_page(app, model=name)
    assert app.selectbox(key=keys.BLUEPRINT).value == f"shipped:{name}"
    app.selectbox(key=keys.BLUEPRINT).select(MINE).run()
    assert "model" not in app.query_params
    app.selectbox(key=keys.BLUEPRINT).select(f"shipped:{name}").run()
    assert app.query_params["model"] == name
    assert not app.error


@pytest.mark.parametrize("view", VIEWS)
def test_a_run_is_shown_and_one_that_is_deleted_meanwhile_is_missed(app: AppTest, view: str) -> None:
    train_hello(app)
    run_id = run_of(app)
    open_page(app, run=run_id, arch_view=view)
    assert app.selectbox(key=keys.BLUEPRINT).value == run_id
    assert not app.error
    service._scheduler().delete(run_id, app.session_state[keys.OWNER])
    app.run()
    assert not app.exception
    assert app.selectbox(key=keys.BLUEPRINT).value == MINE


def test_a_run_of_another_task_says_where_it_can_be_used(app: AppTest) -> None:
    runs = service._scheduler()
    model, train = ModelConfig(cell="gru", hidden_size=4), TrainConfig(steps=2)
    run_id = runs.create("nobody", None, model, train, task=TaskConfig("digit-rows"))
    until(app, lambda _: runs.store.get(run_id).status == "finished")
    open_page(app, run=run_id)
    assert "The Train page opens it." in app.error[0].value.replace("\\", "")
    app.selectbox(key=keys.BLUEPRINT).select(MINE).run()
    assert not app.error


@pytest.mark.parametrize(
    "link",
    [
        {"arch_hidden": "0", "arch_layers": "99", "arch_embedding": "-1", "arch_steps": "0"},
        {"arch_hidden": "nan", "arch_steps": "1e99", "arch_cell": "quantum", "arch_nonlinearity": "sin"},
        {"model": "../../etc/passwd", "arch_view": "Nothing", "arch_both": "perhaps"},
        {"arch_hidden": "99999999", "arch_bias": "no"},
    ],
)
def test_settings_in_a_link_that_cannot_be_are_the_usual_ones(app: AppTest, link: dict[str, str]) -> None:
    open_page(app, **link)
    assert not app.error
    assert app.selectbox(key=keys.BLUEPRINT).value == MINE


@pytest.mark.parametrize("cell", ["RNN", "GRU", "LSTM"])
@pytest.mark.parametrize("both", [False, True])
def test_cell_layers_and_directions_change_what_is_drawn(app: AppTest, cell: str, both: bool) -> None:
    open_page(app)
    app.selectbox(key="arch_cell").select(cell.lower())
    app.number_input(key="arch_layers").set_value(3)
    app.toggle(key="arch_both").set_value(both).run()
    assert not app.exception
    assert not app.error
    model = ModelConfig(cell=cell.lower(), hidden_size=3, num_layers=3, bidirectional=both)
    assert f"{model.parameter_count(4):,} parameters" in str(app.get("plotly_chart")[0].proto.spec)

"""The view Influence: every question is answered for every model and text, or refused in one sentence."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts import (
    blueprint,
    influence_cells,
    influence_change,
    influence_look,
    influence_silence,
    keys,
    service,
    writers,
)
from pages.parts.unroll_influence import QUESTION, QUESTIONS
from rnn.config import ModelConfig
from rnn.shipped import open_shipped
from tests.app.conftest import figure, run_of, said, train_hello

PAGE = "pages/4_Unroll_Visualizer.py"
LOOK, CELLS, CHANGE, SILENCE = QUESTIONS
SHORT = "print (or read) it (now)."


@pytest.fixture
def page(app: AppTest) -> AppTest:
    app.query_params[keys.UNROLL_VIEW] = "Influence"
    app.query_params["model"] = "rnn"
    return app.switch_page(PAGE)


def ask(page: AppTest, question: str, text: str = SHORT) -> AppTest:
    page.session_state[keys.READ_TEXT] = text
    if any(control.key == QUESTION for control in page.segmented_control):
        page.segmented_control(key=QUESTION).set_value(question)
    else:
        page.query_params[QUESTION] = question
    page.run()
    assert not page.exception
    return page


def title(page: AppTest, number: int = 0) -> str:
    return str(figure(page, number).get("layout", {}).get("title", {}).get("text", "")).replace("<br>", " ")


def complaints(page: AppTest) -> list[str]:
    assert not page.exception
    return [error.value for error in page.error]


@pytest.mark.parametrize("model", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize("question", QUESTIONS)
def test_every_question_is_answered_of_every_shipped_model(page: AppTest, question: str, model: str) -> None:
    page.query_params["model"] = model
    ask(page, question)
    assert not complaints(page)
    assert len(page.get("plotly_chart")) == (2 if question == CELLS else 1)
    assert title(page)


def test_the_prediction_looks_back_to_what_was_read(page: AppTest) -> None:
    ask(page, LOOK)
    assert "of the influence on “)”" in title(page)
    shown = figure(page)["data"][0]
    assert len(shown["x"]) == SHORT.index(")", 15)  # all that stands before the second bracket of the three
    page.toggle(key=influence_look.SIGNED).set_value(True).run()
    assert title(page).startswith("Strongest pushes on “)”")
    assert any(y < 0 for y in figure(page)["data"][0]["y"])
    page.toggle(key=influence_look.SIGNED).set_value(False).run()
    page.toggle(key=influence_look.LOG).set_value(True).run()
    assert figure(page)["layout"]["yaxis"]["type"] == "log"
    page.segmented_control(key=influence_look.OF).set_value("logit").run()
    assert not complaints(page)
    assert "nats" not in figure(page)["layout"]["yaxis"]["title"]["text"]


def test_another_output_can_be_asked(page: AppTest) -> None:
    ask(page, LOOK)
    output = next(box for box in page.selectbox if str(box.key).startswith(influence_look.OUTPUT))
    assert "which came" in output.options[0]
    output.select_index(1).run()
    assert not complaints(page)
    assert "on “)”" not in title(page)


def test_of_a_long_text_a_window_is_looked_at_and_said_so(page: AppTest) -> None:
    ask(page, LOOK, "the list is empty, or it is not. " * 40)
    assert "Only the 500 characters before it are looked at." in said(page)


def test_models_are_compared_by_how_far_they_look(page: AppTest) -> None:
    ask(page, CELLS, "It was said (and written down) that the list (a long one) is empty; nobody knew (why).")
    names = [note["text"] for note in figure(page)["layout"]["annotations"]]
    assert [name.split("</b>")[0] for name in names] == ["<b>RNN", "<b>GRU", "<b>LSTM"]
    assert all("90% within" in name for name in names)
    assert "90% of the influence is within" in title(page, 1)
    assert [line["line"]["dash"] for line in figure(page, 1)["data"]] == ["solid", "dash", "dot"]
    page.multiselect(key=f"{influence_cells.MODELS}_any").set_value(["shipped:gru"]).run()
    assert not complaints(page)
    page.multiselect(key=f"{influence_cells.MODELS}_any").set_value([]).run()
    assert not complaints(page)
    assert page.info[0].value == "Choose at least one model."


def test_a_run_of_ones_own_is_compared_on_what_it_knows_of_the_text(app: AppTest) -> None:
    train_hello(app)
    app.query_params[keys.UNROLL_VIEW] = "Influence"
    app.switch_page(PAGE)
    for question in QUESTIONS:
        ask(app, question, "hello hello")
        assert not complaints(app)
    ask(app, CELLS, "hello")
    members = app.multiselect(key=f"{influence_cells.MODELS}_any").value
    assert len(members) == 4
    names = " ".join(note["text"] for note in figure(app)["layout"]["annotations"])
    assert "hello" in names
    # A shipped model reads the text, and the run, which knows four letters, what it can of it.
    app.selectbox(key=keys.READ_MODEL).select("shipped:rnn").run()
    ask(app, CELLS, "(oh, hello there)")
    app.multiselect(key=f"{influence_cells.MODELS}_any").set_value([members[0], "shipped:rnn"]).run()
    assert len(complaints(app)) == 1
    assert "does not know" in complaints(app)[0]  # the bracket is what is foretold


def test_a_changed_character_is_forgotten_or_not(page: AppTest) -> None:
    text = "a list is empty or it is not, and so on " * 6
    ask(page, CHANGE, text)
    assert "is forgotten after" in title(page)
    assert "The rest of the text costs" in said(page)
    put = next(box for box in page.selectbox if str(box.key).startswith(influence_change.PUT))
    put.select("Z").run()
    assert "→ “Z”" in title(page)
    page.toggle(key=influence_change.SIGNED).set_value(True).run()
    assert figure(page)["data"][-1]["zmin"] < 0
    ask(page, CHANGE, "ab")
    assert "is not forgotten" in title(page)


def test_a_unit_that_is_held_changes_score_and_text(page: AppTest) -> None:
    ask(page, SILENCE)
    before, after = page.metric[0].value, page.metric[1].value
    assert before != after
    first = page.number_input(key="unroll_unit_390").value
    assert title(page).startswith(f"Unit {first} is missed most when it is silent")
    texts = [block.value for block in page.code]
    assert len(texts) == 2
    assert all(len(text) >= influence_silence.WRITTEN for text in texts)
    page.number_input(key="unroll_unit_390").set_value(3).run()
    assert page.metric[0].value == before
    assert "With unit 3 silent" in page.metric[1].label
    page.number_input(key=f"{influence_silence.VALUE}_-1").set_value(1.0).run()
    assert not complaints(page)
    assert "held at 1" in page.metric[1].label
    page.number_input(key=influence_silence.SEED).set_value(5).run()
    assert page.code[0].value != texts[0]


@pytest.mark.parametrize("question", [LOOK, CELLS, SILENCE])
def test_one_character_foretells_nothing(page: AppTest, question: str) -> None:
    ask(page, question, "a")
    assert len(complaints(page)) == 1
    assert "at least two characters" in complaints(page)[0]
    ask(page, CHANGE, "a")
    assert not complaints(page)


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_network_that_reads_from_both_sides_is_changed_but_foretells_nothing(page: AppTest, question: str) -> None:
    page.run()
    page.selectbox(key=keys.READ_MODEL).select("shipped:fill-blank").run()
    ask(page, question)
    if question == CHANGE:
        assert not complaints(page)
        assert title(page)
        x = figure(page)["data"][0]["x"]
        assert x[0] < SHORT.index(")", 15)  # what stands before the change moves, too
    elif question == CELLS:  # other models are compared on the text
        assert not complaints(page)
    else:
        assert len(complaints(page)) == 1
        assert "predicts the next character" in complaints(page)[0]


def test_five_thousand_characters_are_read_and_figures_stay_small(page: AppTest) -> None:
    for question in QUESTIONS:
        ask(page, question, ("a list is (not) empty, or is it? " * 160)[:5_000])
        assert not complaints(page)
        for chart in page.get("plotly_chart"):
            assert len(chart.proto.spec) < 1_000_000


def test_forged_addresses_are_answered_all_the_same(page: AppTest) -> None:
    for key, value in {
        QUESTION: "nothing", influence_look.OF: "loss", influence_look.SIGNED: "maybe", "unroll_unit_390": "4000",
        influence_silence.VALUE + "_-1": "1e9", influence_silence.SEED: "-5",
    }.items():  # fmt: skip
        page.query_params[key] = value
    page.run()
    assert not complaints(page)
    for question in QUESTIONS:
        ask(page, question)
        assert not complaints(page)


@pytest.mark.parametrize(
    "model",
    [
        ModelConfig("rnn", 1, nonlinearity="relu"),
        ModelConfig("lstm", 1, 3),
        ModelConfig("rnn", 2, 2, nonlinearity="sigmoid"),
    ],
)
def test_the_smallest_networks_have_answers(page: AppTest, model: ModelConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from rnn.models import CharRNN

    trained = blueprint.trained

    def small(choice, title, kinds=()):  # type: ignore[no-untyped-def]
        network = trained(choice, title, kinds or ("next-character",))
        weights = CharRNN(model, len(network.characters), seed=0).state_dict()
        return replace(
            network, name=f"{network.name} small", model=model, weights={n: w.numpy() for n, w in weights.items()}
        )

    monkeypatch.setattr(blueprint, "trained", small)
    for question in QUESTIONS:
        ask(page, question)
        assert not complaints(page)
    assert page.number_input(key=f"unroll_unit_{model.hidden_size}").value >= 1
    if model.num_layers > 1:
        assert len(page.selectbox(key=f"unroll_layer_{model.num_layers}").options) == model.num_layers


def test_a_run_that_is_deleted_while_it_is_compared_is_no_longer_there(app: AppTest) -> None:
    train_hello(app)
    app.query_params[keys.UNROLL_VIEW] = "Influence"
    app.switch_page(PAGE).run()
    run = run_of(app)
    app.selectbox(key=keys.READ_MODEL).select("shipped:rnn").run()
    ask(app, CELLS, "hellohellohello")
    app.multiselect(key=f"{influence_cells.MODELS}_any").set_value([run, "shipped:rnn"]).run()
    assert "hello" in " ".join(note["text"] for note in figure(app)["layout"]["annotations"])
    service._scheduler().delete(run, app.session_state[keys.OWNER])
    app.run()
    assert not complaints(app)
    assert "RNN" in " ".join(note["text"] for note in figure(app)["layout"]["annotations"])


def test_an_uploaded_checkpoint_is_asked_and_compared(page: AppTest) -> None:
    network = blueprint.of_checkpoint(open_shipped("gru"), "file 1", "the file of a friend.safetensors")
    page.session_state[keys.READ_MODEL] = writers.FILE
    page.session_state[keys.READ_UPLOADED] = ("1", network)
    for question in QUESTIONS:
        ask(page, question)
        assert not complaints(page)
        assert title(page)
    ask(page, CELLS)
    assert page.multiselect(key=f"{influence_cells.MODELS}_own").value[0] == writers.FILE
    names = [note["text"] for note in figure(page)["layout"]["annotations"]]
    assert names[0].startswith("<b>the file of a fri…")
    assert len(names) == 4

"""The Sample page: which models can write, what they write, and the softmax behind each character."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts import keys, service, shell, writing
from pages.parts.limits import SAMPLE_LENGTH
from rnn.figures.characters import visible
from rnn.sampling import generate
from rnn.shipped import SHIPPED
from tests.app.conftest import SAMPLE, TRAIN, figure, run_of, said, start_hello, title, train_hello, until


@pytest.fixture(autouse=True)
def in_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody watches the text appear."""
    monkeypatch.setattr(writing, "REDRAW_SECONDS", 0.0)


def piece_of(app: AppTest) -> writing.Piece:
    return app.session_state[keys.PIECE]


def written(app: AppTest) -> str:
    """What stands in the component, which these tests cannot look into."""
    piece = piece_of(app)
    return piece.settings.prime + piece.text


def charts(app: AppTest) -> dict[str, dict]:
    """The figures of the page, by the first word of their titles."""
    found = [figure(app, i) for i in range(len(app.get("plotly_chart")))]
    return {f["layout"]["title"]["text"].split()[0]: f for f in found}


def test_before_any_training_a_shipped_model_writes(app: AppTest) -> None:
    app.switch_page(SAMPLE).run()
    assert not app.exception
    assert app.selectbox(key=keys.MODEL).value == "shipped:lstm"
    assert len(written(app)) == 400
    assert app.query_params["model"] == "lstm"


@pytest.mark.parametrize("name", SHIPPED)
def test_a_link_names_a_shipped_model(app: AppTest, name: str) -> None:
    app.query_params["model"] = name
    app.switch_page(SAMPLE).run()
    assert app.selectbox(key=keys.MODEL).value == f"shipped:{name}"


def test_a_link_that_names_no_model_opens_one_all_the_same(app: AppTest) -> None:
    app.query_params["model"] = "../../etc/passwd"
    app.switch_page(SAMPLE).run()
    assert not app.exception
    assert written(app)


def test_a_finished_run_writes_and_shows_its_softmax(app: AppTest) -> None:
    train_hello(app)
    app.switch_page(SAMPLE).run()
    assert not app.exception
    assert set(written(app)) <= set("helo")
    bars = figure(app)["data"][1]
    assert sum(bars["y"]) == pytest.approx(1, abs=1e-6)
    assert title(app).startswith("Drew “")


def test_any_character_can_be_looked_at(app: AppTest) -> None:
    app.switch_page(SAMPLE).run()
    text = written(app)
    for position in (1, 200, 400):
        app.slider(key="sample_position_400").set_value(position).run()
        assert f"drew “{visible(text[position - 1])}”".replace("\\", "") in said(app)
        assert written(app) == text  # looking changes nothing


def test_other_settings_write_another_text_and_the_same_ones_the_same(app: AppTest) -> None:
    app.switch_page(SAMPLE).run()
    first = written(app)
    app.slider(key=keys.TEMPERATURE).set_value(0.3).run()
    assert written(app) != first
    app.slider(key=keys.TEMPERATURE).set_value(0.8).run()
    assert written(app) == first
    app.button(key="sample_write").click().run()  # another seed
    assert written(app) != first
    app.number_input(key=keys.SEED).set_value(0).run()
    assert written(app) == first


def test_temperature_zero_writes_the_likeliest_characters(app: AppTest) -> None:
    app.switch_page(SAMPLE).run()
    app.slider(key=keys.TEMPERATURE).set_value(0.0).run()
    assert max(figure(app)["data"][1]["y"]) == 1.0


def test_a_filter_leaves_so_many_characters_to_draw_from(app: AppTest) -> None:
    app.switch_page(SAMPLE).run()
    app.number_input(key=keys.TOP_K).set_value(3).run()
    assert sum(p > 0 for p in figure(app)["data"][1]["y"]) == 3


def test_the_prime_stands_before_the_text(app: AppTest) -> None:
    app.switch_page(SAMPLE).run()
    app.text_input(key=keys.PRIME).input("The object ").run()
    assert written(app).startswith("The object ")
    assert len(written(app)) == 411


def test_prime_with_unknown_characters_gets_a_sentence(app: AppTest) -> None:
    app.switch_page(SAMPLE).run()
    app.text_input(key=keys.PRIME).input("Жизнь").run()
    assert shell.plain("'Ж'") in app.error[0].value
    assert not app.exception


def begun_anew(piece: writing.Piece) -> writing.Piece:
    draws = generate(piece.writer.model, piece.writer.vocabulary, **piece.settings.to_json())
    return writing.Piece(piece.model_id, piece.writer, piece.settings, draws)


def test_a_stopped_text_stays_as_it_is_and_one_that_was_cut_off_goes_on(app: AppTest) -> None:
    app.switch_page(SAMPLE).run()
    whole, piece = written(app), app.session_state[keys.PIECE]
    half = begun_anew(piece)
    half.text = "".join(next(half.draws).char for _ in range(100))
    app.session_state[keys.PIECE] = half
    assert written(app.run()) == whole  # the page was run anew in the middle of it
    stopped = begun_anew(piece)
    stopped.text, stopped.is_over = whole[:100], True
    app.session_state[keys.PIECE] = stopped
    assert written(app.run()) == whole[:100]


def test_a_forged_length_is_held_to_the_limit(app: AppTest) -> None:
    app.switch_page(SAMPLE).run()
    app.number_input(key=keys.LENGTH).set_value(10**9).run()
    assert not app.exception
    assert 0 < len(written(app)) <= SAMPLE_LENGTH


def test_a_run_that_trains_writes_with_its_newest_weights(app: AppTest) -> None:
    run_id = start_hello(app, steps=5000)
    app.switch_page(SAMPLE).run()
    assert not app.exception
    assert service._scheduler().store.get(run_id).saved_step > 0
    before = said(app)
    step = service._scheduler().store.get(run_id).step
    until(app, lambda _: service._scheduler().store.get(run_id).step > step + 50)
    app.button(key="sample_write").click().run()
    assert said(app) != before


def test_choosing_another_model_while_one_trains_keeps_the_choice(app: AppTest) -> None:
    train_hello(app)
    first = run_of(app)
    second = start_hello(app, steps=5000)
    until(app, lambda app: service._scheduler().store.get(second).step > 5)
    app.switch_page(SAMPLE).run()
    assert app.selectbox(key=keys.MODEL).value == second
    app.selectbox(key=keys.MODEL).select(first).run()
    app.run()
    assert run_of(app) == first
    app.selectbox(key=keys.MODEL).select("shipped:gru").run()
    assert "run" not in app.query_params
    app.run()
    assert len(app.selectbox(key=keys.MODEL).options) == 6  # two runs, three shipped models, a file
    app.switch_page(TRAIN).run()
    assert run_of(app) == first  # the run of the Train page is still the one chosen last


def test_a_file_is_asked_for_before_it_can_write(app: AppTest) -> None:
    app.switch_page(SAMPLE).run()
    app.selectbox(key=keys.MODEL).select("file").run()
    assert "Choose a file" in app.info[0].value
    assert app.button(key="sample_write").disabled
    assert not app.exception

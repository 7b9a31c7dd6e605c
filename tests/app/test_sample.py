"""The Sample page: which models can write, what they write, and the softmax behind each character."""

from __future__ import annotations

import gc
import math
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts import keys, service, shell, writing
from pages.parts.limits import SAMPLE_LENGTH
from pages.parts.stale import widgets_of
from rnn.config import ModelConfig, SampleConfig, TrainConfig
from rnn.corpora import Text
from rnn.drafts import Draft
from rnn.figures.characters import visible
from rnn.sampling import generate, generate_many
from rnn.scoring import score
from rnn.shipped import SHIPPED, every_writer, open_shipped
from tests.app.conftest import SAMPLE, TRAIN, figure, run_of, said, start_hello, title, train_hello, until


def piece_of(app: AppTest) -> writing.Piece:
    return app.session_state[keys.PIECE]


def written(app: AppTest) -> str:
    """What stands in the component, which these tests cannot look into."""
    piece = piece_of(app)
    return piece.settings.prime + piece.text


def look_at(app: AppTest) -> Any:
    return next(slider for slider in app.slider if slider.label == "Look at character")


def draw_title(app: AppTest) -> str:
    """Of the figure of one draw, the last one."""
    last = len(app.get("plotly_chart")) - 1
    return str(figure(app, last)["layout"]["title"]["text"]).replace("<br>", " ")


def test_before_any_training_a_shipped_model_writes(app: AppTest) -> None:
    app.switch_page(SAMPLE).run()
    assert not app.exception
    assert app.selectbox(key=keys.MODEL).value == "shipped:lstm"
    assert len(written(app)) == 404
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
    assert draw_title(app).startswith("T = 0.8, safer")
    assert "the model drew “" in said(app)


def test_any_character_can_be_looked_at(app: AppTest) -> None:
    app.switch_page(SAMPLE).run()
    text = written(app)
    for position in (1, 200, 400):
        look_at(app).set_value(position).run()
        assert f"the model drew “{visible(piece_of(app).text[position - 1])}”" in said(app)
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


@pytest.mark.parametrize(
    ("temperature", "word"), [(0.0, "always the likeliest"), (0.5, "safer"), (1.0, "softmax"), (1.7, "wilder")]
)
def test_the_figure_says_what_the_temperature_does(app: AppTest, temperature: float, word: str) -> None:
    app.switch_page(SAMPLE).run()
    app.slider(key=keys.TEMPERATURE).set_value(temperature).run()
    assert word in draw_title(app)


def test_temperature_zero_writes_the_likeliest_characters(app: AppTest) -> None:
    app.switch_page(SAMPLE).run()
    app.slider(key=keys.TEMPERATURE).set_value(0.0).run()
    draft = piece_of(app).draft
    assert all(draft.at(0, position).rank == 1 for position in range(50))


def test_a_filter_leaves_so_many_characters_to_draw_from(app: AppTest) -> None:
    app.switch_page(SAMPLE).run()
    app.number_input(key=keys.TOP_K).set_value(3).run()
    assert sum(p > 0 for p in piece_of(app).draft.at(0, 7).probabilities) == 3
    assert max(piece_of(app).draft.at(0, position).rank for position in range(200)) <= 3


def test_a_stop_text_ends_the_sample(app: AppTest) -> None:
    app.switch_page(SAMPLE).run()
    app.text_input(key=keys.STOP).input(r"\n").run()
    text = piece_of(app).text
    assert text.index("\n") == len(text) - 1


# The prime


def test_the_prime_stands_before_the_text(app: AppTest) -> None:
    app.switch_page(SAMPLE).run()
    assert written(app).startswith("The ")
    app.text_area(key=keys.PRIME).input("The object ").run()
    assert written(app).startswith("The object ")
    assert len(written(app)) == 411
    assert app.query_params[keys.PRIME] == "The object "


def test_an_empty_prime_writes_from_the_characters_frequencies_and_says_so(app: AppTest) -> None:
    app.switch_page(SAMPLE).run()
    app.text_area(key=keys.PRIME).input("").run()
    assert "frequency in the training text" in app.text_area(key=keys.PRIME).placeholder
    piece = piece_of(app)
    first = piece.writer.vocabulary.index(piece.text[0])
    expected = float(piece.writer.vocabulary.frequencies[first])
    assert piece.draft.probabilities(0)[0] == pytest.approx(expected, rel=1e-5)


def test_the_first_prime_is_none_for_a_model_that_does_not_know_its_letters(app: AppTest) -> None:
    train_hello(app)
    app.switch_page(SAMPLE).run()
    assert app.text_area(key=keys.PRIME).value == ""
    assert "does not know" not in " ".join(m.value for m in app.markdown)


def prime_with(app: AppTest, prime: str, policy: str | None = None) -> str:
    """What the model reads of it."""
    app.text_area(key=keys.PRIME).input(prime).run()
    if policy:
        app.get("button_group")  # drawn
        app.session_state[keys.UNKNOWN] = policy
        app.run()
    assert not app.exception
    return piece_of(app).settings.prime


def test_unknown_characters_of_a_prime_are_marked_and_dropped_replaced_or_brought_near(app: AppTest) -> None:
    app.switch_page(SAMPLE).run()
    assert prime_with(app, "Émile Ж!") == "Emile !"
    assert any("does not know the marked characters" in m.value and ":orange-background[**É**]" in m.value
               for m in app.markdown)  # fmt: skip
    assert "It reads “Emile !”" in said(app)
    assert prime_with(app, "Émile Ж!", "drop") == "mile !"
    assert prime_with(app, "Émile Ж!", "replace") == " mile  !"
    app.selectbox(key=keys.PUT).select("x").run()
    assert piece_of(app).settings.prime == "xmile x!"
    assert len(piece_of(app).text) == 400


def test_a_prime_of_unknown_characters_only_writes_all_the_same(app: AppTest) -> None:
    app.switch_page(SAMPLE).run()
    assert prime_with(app, "Ж日本") == ""
    assert "Nothing is left to read" in said(app)
    assert len(piece_of(app).text) == 400


def test_markup_in_a_prime_is_shown_letter_by_letter(app: AppTest) -> None:
    app.switch_page(SAMPLE).run()
    prime_with(app, ":red[Ж] **$x$** <b>")
    marked = next(m.value for m in app.markdown if "marked characters" in m.value)
    assert shell.plain(":red[") in marked
    assert shell.plain("<b>") in marked


def test_a_prime_that_is_too_long_gets_a_sentence_and_stays(app: AppTest) -> None:
    app.switch_page(SAMPLE).run()
    app.text_area(key=keys.PRIME).input("The " * 25_000).run()
    assert not app.exception
    assert "The prime has 100,000 characters; at most 2,000" in app.error[0].value.replace("\\", "")
    assert len(app.text_area(key=keys.PRIME).value) == 100_000
    assert keys.PRIME not in app.query_params
    app.text_area(key=keys.PRIME).input("The ").run()
    assert not app.error


def test_a_stopped_text_stays_as_it_is_and_one_that_was_cut_off_goes_on(app: AppTest) -> None:
    app.switch_page(SAMPLE).run()
    whole, piece = written(app), piece_of(app)
    half = writing.new_piece(piece.model_id, piece.writer, piece.settings)
    half.draft.write(0, 100)
    app.session_state[keys.PIECE] = half
    assert written(app.run()) == whole  # the page was run anew in the middle of it
    stopped = writing.new_piece(piece.model_id, piece.writer, piece.settings)
    stopped.draft.write(0, 100)
    stopped.draft.end(0)
    app.session_state[keys.PIECE] = stopped
    assert piece_of(app.run()).text == whole[4:104]


# Branches


def pills(app: AppTest, prefix: str) -> Any:
    return next(group for group in app.button_group if str(group.key).startswith(prefix))


def test_another_character_begins_a_branch_and_the_first_text_can_be_gone_back_to(app: AppTest) -> None:
    app.switch_page(SAMPLE).run()
    first = piece_of(app).text
    look_at(app).set_value(31).run()
    group = pills(app, "sample_pills")
    index = group.options  # the likeliest others
    assert len(index) == writing.ALTERNATIVES
    piece_of(app).branch = piece_of(app).draft.branch(0, 30, piece_of(app).writer.vocabulary.index("Q"))
    app.run()
    branched = piece_of(app).text
    assert branched[:31] == first[:30] + "Q"
    assert len(branched) == 400
    assert "you chose “Q”" in said(app)
    chooser = next(box for box in app.selectbox if box.label == "Branch")
    assert [" ".join(o.split()) for o in chooser.options] == [
        "Text 1, as it was drawn first", f"└ Text 2: text 1 at 31, “Q” for “{visible(first[30])}”",
    ]  # fmt: skip
    chooser.select(0).run()
    assert piece_of(app).text == first


# Step by step


def stepped(app: AppTest) -> str:
    return str(app.session_state[keys.STEPPED].text)


def open_view(app: AppTest, view: str, **query: str) -> AppTest:
    app.query_params[keys.SAMPLE_VIEW] = view
    for name, value in query.items():
        app.query_params[name] = value
    return app.switch_page(SAMPLE).run()


def test_model_and_visitor_write_in_turns(app: AppTest) -> None:
    open_view(app, "Step by step")
    assert stepped(app) == ""
    app.button(key="sample_draw").click().run()
    app.button(key="sample_draw_more").click().run()
    drawn = stepped(app)
    assert len(drawn) == 11
    vocabulary = app.session_state[keys.STEPPED].writer.vocabulary
    other = next(box for box in app.selectbox if box.label == "Any other")
    other.select_index(0).run()
    assert len(stepped(app)) == 12
    assert app.session_state[keys.STEPPED].draft.by_hand(0) == {11}
    assert "the 1 that you picked" in said(app)
    assert stepped(app)[11] in vocabulary
    app.button(key="sample_take_back").click().run()
    assert stepped(app) == drawn
    app.button(key="sample_start_over").click().run()
    assert stepped(app) == ""
    assert app.button(key="sample_take_back").disabled
    app.button(key="sample_draw_more").click().run()
    app.button(key="sample_draw").click().run()
    assert stepped(app) == drawn  # the random numbers belong to the places


def test_the_figure_shows_what_the_next_draw_would_take(app: AppTest) -> None:
    open_view(app, "Step by step")
    promised = app.session_state[keys.STEPPED].draft.next(0).char
    assert f"Draw would take “{visible(promised)}”" in said(app).replace("**", "")
    app.button(key="sample_draw").click().run()
    assert stepped(app) == promised


# Score a text


def test_a_text_is_scored_in_bits_and_its_surprising_places_are_listed(app: AppTest) -> None:
    open_view(app, "Score a text")
    app.text_area(key=keys.SCORED).input("The object is a list of zebras.").run()
    assert not app.exception
    numbers = {m.label: m.value for m in app.metric}
    found = score(*of_shipped("lstm"), "The object is a list of zebras.")
    assert numbers["Bits per character"] == f"{found.bits_per_char:.2f}"
    assert numbers["Perplexity"] == f"{found.perplexity:.2f}"
    places = app.dataframe[0].value
    assert len(places) == 12
    assert places["bits"].max() == pytest.approx(found.surprises.max() / math.log(2))


def of_shipped(name: str) -> tuple[Any, Any]:
    checkpoint = open_shipped(name)
    return checkpoint.sampler(), checkpoint.vocabulary


@pytest.mark.parametrize(
    ("text", "sentence"), [("", "Write or paste a text"), ("The " * 6_000, "24,000 characters; at most 20,000")]
)
def test_a_text_that_cannot_be_scored_gets_a_sentence(app: AppTest, text: str, sentence: str) -> None:
    open_view(app, "Score a text")
    app.text_area(key=keys.SCORED).input(text).run()
    assert not app.exception
    assert sentence in " ".join(box.value for box in (*app.info, *app.error)).replace("\\", "")


def test_a_long_text_shows_its_guesses_in_parts(app: AppTest) -> None:
    open_view(app, "Score a text")
    app.text_area(key=keys.SCORED).input("The object é. " * 100).run()
    assert not app.exception
    next(s for s in app.slider if s.label == "From character").set_value(500).run()
    assert not app.exception


# Compare


@pytest.mark.parametrize(
    ("kind", "texts"), [("Temperatures", 4), ("Argmax or sampling", 2), ("Models", 3), ("Seeds", 6)]
)
def test_a_comparison_changes_one_thing_only(app: AppTest, kind: str, texts: int) -> None:
    open_view(app, "Compare", **{keys.COMPARISON: kind, keys.LENGTH: "60"})
    assert not app.exception
    found = [code.value.rstrip() for code in app.code]
    assert len(set(found)) == texts
    assert all(text.startswith("The ") for text in found)
    assert max(map(len, found)) == 64  # the page leaves out the white space at an end
    if kind == "Temperatures":
        settings = SampleConfig("The ", 60, 1.5)
        text = "".join(s.char for s in generate(*of_shipped("lstm"), **settings.to_json()))
        assert found[3] == ("The " + text).rstrip()
    if kind == "Seeds":
        settings = SampleConfig("The ", 60, 0.8)
        assert found == [("The " + t).rstrip() for t in generate_many(*of_shipped("lstm"), 6, settings)]


def test_argmax_writes_one_text_where_sampling_writes_many(app: AppTest) -> None:
    open_view(app, "Compare", **{keys.COMPARISON: "Argmax or sampling"})
    table = app.dataframe[0].value
    assert table["different"].tolist() == [1, 6]
    assert table["distinct 4-grams"][0] < table["distinct 4-grams"][1]


def test_runs_are_compared_with_shipped_models_and_one_that_cannot_read_the_prime_reads_what_is_near(
    app: AppTest,
) -> None:
    train_hello(app)
    open_view(app, "Compare", **{keys.COMPARISON: "Models"})
    app.multiselect(key=f"{keys.RIVALS}_any").select(run_of(app)).run()
    app.text_area(key=keys.PRIME).input("hell").run()
    assert not app.exception
    assert len(app.code) == 4
    app.multiselect(key=f"{keys.RIVALS}_any").set_value([]).run()
    assert "Choose models" in app.info[0].value


# Copied?


def test_a_text_is_held_against_the_text_that_its_model_was_trained_on(app: AppTest) -> None:
    open_view(app, "Copied?")
    assert not app.exception
    said_there = " ".join(m.value for m in app.markdown)
    assert "word for word in **Python language reference**" in said_there
    assert "new" in title(app)
    train_hello(app)
    del app.query_params["model"]
    open_view(app, "Copied?")
    assert "word for word in **hello**" in " ".join(m.value for m in app.markdown)


def test_a_text_of_somebody_elses_run_is_not_held_against_their_text(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RNN_PLAYGROUND_PUBLIC", "1")
    store = service._scheduler().store
    text = Text("my diary", "to be or not to be, that is the question. " * 20)
    run_id = service._scheduler().create(
        "somebody else's token", text, ModelConfig(hidden_size=8), TrainConfig(steps=3)
    )
    service._scheduler().wait_for_step(run_id, 3, 30)
    until(app, lambda _: store.get(run_id).status == "finished")
    open_view(app, "Copied?", run=run_id)
    assert not app.exception
    assert "somebody else's" in app.info[0].value.replace("\\", "")
    assert len(piece_of(app).text) == 400  # the model itself is open


# Which model


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
    assert len(app.selectbox(key=keys.MODEL).options) == 2 + len(every_writer()) + 1  # runs, shipped models, a file
    app.switch_page(TRAIN).run()
    assert run_of(app) == first  # the run of the Train page is still the one chosen last


def test_a_run_that_is_deleted_meanwhile_is_missed_in_a_sentence_and_another_model_writes(app: AppTest) -> None:
    train_hello(app)
    app.switch_page(SAMPLE).run()
    assert set(written(app)) <= set("helo")
    service._scheduler().delete(run_of(app), app.session_state[keys.OWNER])
    for view in ("Text", "Step by step", "Compare", "Copied?", "Score a text"):
        app.query_params[keys.SAMPLE_VIEW] = view
        app.run()
        assert not app.exception
    assert app.selectbox(key=keys.MODEL).value == "shipped:lstm"


def test_a_file_is_asked_for_before_it_can_write(app: AppTest) -> None:
    app.switch_page(SAMPLE).run()
    app.selectbox(key=keys.MODEL).select("file").run()
    assert "Choose a file" in app.info[0].value
    assert app.button(key="sample_write").disabled
    assert not app.exception


def test_a_session_keeps_no_text_that_is_no_longer_on_show(app: AppTest) -> None:
    """Each has widgets of its own, and Streamlit keeps their callbacks: a class would fill the server's memory."""

    def kept() -> tuple[int, int]:
        gc.collect()
        return sum(type(found) is Draft for found in gc.get_objects()), len(widgets_of(app.session_state._state))

    app.switch_page(SAMPLE).run()
    app.button(key="sample_write").click().run()
    drafts, widgets = kept()
    for _ in range(3):
        look_at(app).set_value(31).run()
        app.button(key="sample_write").click().run()
        assert (kept()[0] <= drafts, kept()[1]) == (True, widgets)
    assert widgets > 20

"""The chunks on their page: phases, streams, and the line that cuts."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts import bptt_chunks, keys
from tests.app.conftest import figure, said, title

BPTT = "pages/5_Truncated_BPTT.py"
TEXT = "He said so (twice), and then nobody spoke."


def open_page(app: AppTest, model: str = "gru", text: str = TEXT, **query: str) -> AppTest:
    app.query_params.update({"model": model, "bptt_view": "Chunks", **query})
    app.session_state[keys.READ_TEXT] = text
    app.switch_page(BPTT).run()
    assert not app.exception
    return app


@pytest.mark.parametrize("part", bptt_chunks.PARTS)
@pytest.mark.parametrize("model", ["rnn", "gru", "lstm", "parentheses"])
def test_every_part_shows_every_cell(app: AppTest, model: str, part: str) -> None:
    open_page(app, model, "(()((3)))" * 5 if model == "parentheses" else TEXT, bptt_chunks_part=part)
    assert not app.error
    assert title(app)


def test_phases_are_stepped_forward_backward_update_and_the_next_chunk(app: AppTest) -> None:
    open_page(app)
    seen = [title(app)]
    for _ in range(4):
        app.button(key="bptt_chunks_step").click().run()
        seen.append(title(app))
    for shown, phase in zip(
        seen, ("1 of 4, forward", "1 of 4, backward", "1 of 4, update", "2 of 4, forward"), strict=False
    ):
        assert f"Chunk {phase}" in shown
    app.button(key="bptt_chunks_back").click().run()
    assert title(app) == seen[3]
    app.slider(key=bptt_chunks.MOMENT).set_value(12).run()
    assert "Chunk 4 of 4, update" in title(app)


def test_it_plays_to_the_last_phase_and_stands_still(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bptt_chunks, "TICK", 0.0)
    open_page(app, bptt_chunks_count="2")
    app.button(key="bptt_chunks_play").click().run()
    for _ in range(10):
        app.run()
    assert int(app.session_state[bptt_chunks.MOMENT]) == 6
    assert bptt_chunks.PLAYING not in app.session_state


def test_the_batch_has_as_many_streams_and_steps_as_are_asked_for(app: AppTest) -> None:
    open_page(app, bptt_chunks_part="In a batch", bptt_chunks_streams="3", bptt_chunks_k="4")
    assert "Gradient step 1 of 4: 12 characters" in title(app)
    app.slider(key="bptt_chunks_at_4").set_value(4).run()
    assert "Gradient step 4 of 4" in title(app)


def test_the_line_is_marked_in_the_code_that_runs_and_the_graph_grows_without_it(app: AppTest) -> None:
    open_page(app, bptt_chunks_part="The line that cuts")
    code = next(html.proto.body for html in app.get("html") if "learn_in_chunks" in html.proto.body)
    assert code.count("<mark>") == 1
    assert "detach_state(layer)" in code.split("<mark>")[1].split("</mark>")[0]
    rows = figure(app)["data"]
    assert len(rows) == 6
    before = title(app)
    app.button(key="bptt_chunks_again").click().run()
    assert "Without the line" in title(app)
    assert title(app) == before  # what is kept does not depend on the clock
    assert "Measured on this server" in said(app)


@pytest.mark.parametrize("part", bptt_chunks.PARTS)
@pytest.mark.parametrize("value", ["0", "-2", "99", "nan", "x"])
def test_settings_in_a_link_that_cannot_be_are_moved_inside(app: AppTest, part: str, value: str) -> None:
    open_page(
        app, bptt_chunks_part=part, bptt_chunks_k=value, bptt_chunks_count=value, bptt_chunks_streams=value,
        bptt_chunks_at_4=value,
    )  # fmt: skip
    assert not app.error


@pytest.mark.parametrize("part", bptt_chunks.PARTS)
def test_short_texts_and_networks_that_do_not_predict_get_a_sentence(app: AppTest, part: str) -> None:
    open_page(app, text="a", bptt_chunks_part=part)
    assert any("at least two" in e.value for e in app.error)
    app.text_area(key=keys.READ_TEXT).set_value("ab").run()
    assert not app.exception
    app.text_area(key=keys.READ_TEXT).set_value(TEXT * 120).run()
    assert not app.exception
    assert not app.error
    app.selectbox(key=keys.READ_MODEL).select("shipped:fill-blank").run()
    assert any("predicts the next character" in e.value for e in app.error)

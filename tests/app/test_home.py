"""Home: a shipped model writes and is shown unrolled; nothing that goes wrong with it takes the page away."""

from __future__ import annotations

import json
import subprocess
import sys
from html import escape
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

import rnn
from pages.parts import home, shell
from rnn import shipped
from rnn.figures.characters import visible
from rnn.lessons import lessons
from tests.app.conftest import ENTRYPOINT

TEXT = "The cat sat on the mat. <b>The *dog*</b> $lay$ by :red[the] # log.\n" * 8


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small vanilla RNN in the shipped one's place."""
    state = rnn.TrainState.create(
        TEXT, rnn.ModelConfig(cell="rnn", hidden_size=6), rnn.TrainConfig(steps=2, batch_size=2, bptt_steps=8)
    )
    list(rnn.train(state))
    monkeypatch.setattr(shipped, "ASSETS", tmp_path)
    rnn.save_checkpoint(shipped.SHIPPED[home.MODEL].path, state)
    return shipped.SHIPPED[home.MODEL].path


def figure(app: AppTest) -> dict[str, Any]:
    return json.loads(app.get("plotly_chart")[0].proto.spec)


def written(app: AppTest) -> str:
    return str(app.text[0].value)


@pytest.mark.usefixtures("model")
def test_the_model_writes_characters_of_its_vocabulary(app: AppTest) -> None:
    app.run()
    assert not app.exception
    assert not app.error
    text = written(app)
    assert text.startswith(home.PRIME)
    assert len(text) == len(home.PRIME) + home.LENGTH
    assert set(text) <= set(TEXT)


@pytest.mark.usefixtures("model")
def test_write_again_writes_another_text_and_says_its_seed(app: AppTest) -> None:
    first = written(app.run())
    second = written(app.button(key="home_write").click().run())
    assert not app.exception
    assert first != second
    assert any("seed 1" in element.value for element in app.markdown)


@pytest.mark.usefixtures("model")
def test_every_visitor_begins_with_the_same_text(app: AppTest) -> None:
    other = AppTest.from_file(ENTRYPOINT, default_timeout=30)
    assert written(app.run()) == written(other.run())


@pytest.mark.usefixtures("model")
def test_the_figure_unrolls_the_characters_that_follow_the_given_ones(app: AppTest) -> None:
    app.run()
    drawn = written(app)[len(home.PRIME) :][: home.STEPS]
    title = figure(app)["layout"]["title"]["text"]
    assert f"“{escape(''.join(map(visible, drawn)), quote=False)}”" in title
    assert f"t = {len(home.PRIME) + 1}" in figure(app)["data"][0]["text"]
    assert app.get("plotly_chart")[0].proto.alt.count(" came.") == home.STEPS


@pytest.mark.usefixtures("model")
def test_the_page_leads_to_all_five_others(app: AppTest) -> None:
    app.run()
    labels = [link.proto.label for link in app.main.get("page_link")]
    assert [label for label in labels if "min" not in label] == [f"**{page.title}**" for page in shell.PAGES[1:]]


@pytest.mark.parametrize("damage", ["missing", "cut short", "other text", "no pickle"])
def test_a_model_that_cannot_be_read_gets_a_sentence_and_the_rest_of_the_page(
    app: AppTest, model: Path, damage: str
) -> None:
    if damage == "missing":
        model.unlink()
    else:
        data = {"cut short": model.read_bytes()[:500], "other text": b"hello", "no pickle": b"\x80\x04N."}
        model.write_bytes(data[damage])
    app.run()
    assert not app.exception
    assert model.name in app.error[0].value.replace("\\", "")
    assert len(app.main.get("page_link")) == 5 + len(lessons())
    assert any("hidden state" in element.value for element in app.markdown)


def test_a_model_that_does_not_know_the_first_characters_gets_a_sentence(
    app: AppTest, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home, "PRIME", "Ω ")
    app.run()
    assert not app.exception
    assert "Ω" in app.error[0].value


def test_home_opens_and_writes_without_torch(model: Path) -> None:
    program = f"""
import sys
from pathlib import Path
from streamlit.testing.v1 import AppTest
from pages.parts import home, service
from rnn import shipped
service.warm_up = lambda: None  # what comes after the page, in the background
shipped.ASSETS, home.REDRAW_SECONDS = Path({str(model.parent)!r}), 0
app = AppTest.from_file({str(ENTRYPOINT)!r}, default_timeout=30).run()
assert not app.exception and app.text[0].value and app.get("plotly_chart")
sys.exit("torch" in sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], cwd=ENTRYPOINT.parent, check=True, timeout=120)

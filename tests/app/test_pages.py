"""What every page does: it opens by itself, says what it is, and gives a sentence where something is wrong."""

from __future__ import annotations

from contextlib import closing

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts import keys, shell
from rnn.runs.scheduler import Scheduler
from rnn.runs.store import Store
from tests.app.conftest import SAMPLE, TRAIN

PAGES = [page.path for page in shell.PAGES]


@pytest.mark.parametrize("path", PAGES)
def test_page_opens_by_itself_without_an_exception(app: AppTest, path: str) -> None:
    app.switch_page(path).run()
    assert not app.exception
    assert len(app.title) == 1


def test_every_page_leads_to_the_next_and_back() -> None:
    for here, page in enumerate(shell.PAGES):
        links = shell.neighbours(here)
        assert [link.title for _, link in links] == [
            p.title for p in (*shell.PAGES[here + 1 : here + 2], *shell.PAGES[max(0, here - 1) : here])
        ], page.title


@pytest.mark.parametrize(
    "run_id", ["nobody", "../../etc/passwd", "' OR 1=1 --", "00000000-0000-4000-8000-000000000000", "x" * 5000]
)
@pytest.mark.parametrize("path", PAGES[1:])
def test_a_link_to_no_run_gets_a_sentence(app: AppTest, path: str, run_id: str) -> None:
    app.query_params["run"] = run_id
    app.switch_page(path).run()
    assert "no run with this id" in app.warning[0].value
    assert not app.exception


@pytest.mark.parametrize("typed", [":red[x]", "$x$", "**x** _y_ `z` <b>", "[a](https://b)", "# - 1. > |"])
def test_what_people_typed_is_escaped_for_markdown(typed: str) -> None:
    escaped = shell.plain(typed)
    assert escaped.replace("\\", "") == typed
    assert all(escaped[i - 1] == "\\" for i, c in enumerate(escaped) if c in "!\"#$%&'()*+,-./:;<=>?@[]^_`{|}~")


@pytest.mark.parametrize("path", [TRAIN, SAMPLE])
def test_a_second_server_on_the_same_runs_says_so_once(app: AppTest, path: str) -> None:
    with closing(Scheduler(Store())):
        app.switch_page(path).run()
        assert not app.exception
        assert ["Another server is already training" in warning.value for warning in app.warning] == [True]


def test_no_two_widgets_or_session_values_share_a_key() -> None:
    names = [value for name, value in vars(keys).items() if name.isupper()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("value", ["inf", "-inf", "1e400", "9" * 400, "nan", "x", ""])
def test_numbers_in_a_link_that_cannot_be_are_the_defaults(app: AppTest, value: str) -> None:
    for path, names in (
        (TRAIN, [f"train_{f}_default" for f in ("hidden_size", "steps", "learning_rate", "seed")]),
        (SAMPLE, [keys.LENGTH, keys.SEED, keys.TOP_K, keys.TOP_P, keys.TEMPERATURE]),
    ):
        app.query_params.clear()
        for name in names:
            app.query_params[name] = value
        app.switch_page(path).run()
        assert not app.exception
        assert not app.error

"""docs/example.ipynb is a notebook, holds no outputs, and its cells run in their order and draw what they say."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest

NOTEBOOK = Path(__file__).parents[2] / "docs" / "example.ipynb"
CELLS = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
SMALL = {"STEPS": 40, "DIGIT_STEPS": 3}
FIGURES = {"loss", "states", "gates", "gradient", "digits", "shipped"}


def run(source: str, names: dict[str, Any]) -> Any:
    """What a notebook shows below such a cell: the value of its last line, if that is an expression."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, NOTEBOOK, "exec"), names)
    return eval(compile(ast.Expression(last.value), NOTEBOOK, "eval"), names) if isinstance(last, ast.Expr) else None


@pytest.fixture(scope="module")
def shown() -> dict[str, Any]:
    """What each cell shows, by its id, of a notebook whose settings are small."""
    names: dict[str, Any] = {"__name__": "__main__"}
    values = {}
    for cell in CELLS:
        if cell["cell_type"] == "code":
            values[cell["id"]] = run("".join(cell["source"]), names)
        if "parameters" in cell["metadata"].get("tags", ()):
            assert names.keys() > SMALL.keys()
            names |= SMALL
    return {**values, "names": names}


def test_it_is_a_notebook_of_format_4_without_outputs() -> None:
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert notebook["metadata"]["kernelspec"].keys() == {"display_name", "language", "name"}
    ids = [cell["id"] for cell in CELLS]
    assert len(set(ids)) == len(ids)
    for cell in CELLS:
        code = {"execution_count", "outputs"} if cell["cell_type"] == "code" else set()
        assert cell["cell_type"] in ("code", "markdown")
        assert cell.keys() == {"cell_type", "id", "metadata", "source"} | code
        assert all(line.endswith("\n") for line in cell["source"][:-1])
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


def test_every_figure_has_a_title_and_data(shown: dict[str, Any]) -> None:
    figures = {name: value for name, value in shown.items() if isinstance(value, go.Figure)}
    assert figures.keys() == FIGURES
    for figure in figures.values():
        assert figure.layout.title.text
        assert len(figure.data) > 0


def test_what_it_says_of_the_run_holds(shown: dict[str, Any]) -> None:
    names = shown["names"]
    state, steps = names["state"], SMALL["STEPS"]
    assert [m.loss for m in names["again"]] == [m.loss for m in state.history[steps // 20 : steps // 10]]
    assert len(names["again"]) == steps // 20
    assert abs(names["layer"].h - names["theirs"].numpy()).max() < 1e-5
    assert state.history[-1].loss < state.history[0].loss

"""The example notebook runs from its first cell to its last, and ends its cells in figures."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest

PATH = Path(__file__).parents[2] / "docs" / "example.ipynb"
QUICK = "STEPS = 8\nDIGIT_STEPS = 4\n"  # in place of the first cell


def cells() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(PATH.read_text("utf-8"))["cells"]
    return found


def last_value(source: str, names: dict[str, Any]) -> Any:
    """Runs a cell; what a notebook would show under it."""
    body = ast.parse(source).body
    last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
    exec(compile(ast.Module(body, []), str(PATH), "exec"), names)
    return eval(compile(ast.Expression(last.value), str(PATH), "eval"), names) if isinstance(last, ast.Expr) else None


def test_it_is_a_notebook_of_format_4_without_outputs() -> None:
    notebook = json.loads(PATH.read_text("utf-8"))
    assert notebook["nbformat"] == 4
    assert notebook["nbformat_minor"] >= 5
    assert notebook["metadata"]["kernelspec"]["language"] == "python"
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(set(ids)) == len(ids)
    for cell in notebook["cells"]:
        assert cell["cell_type"] in ("markdown", "code")
        assert isinstance(cell["metadata"], dict)
        assert isinstance(cell["source"], str | list)
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            assert cell["execution_count"] is None


def test_every_cell_runs_and_the_figures_have_titles(capsys: pytest.CaptureFixture[str]) -> None:
    sources = ["".join(cell["source"]) for cell in cells() if cell["cell_type"] == "code"]
    assert "STEPS = " in sources[0]
    names: dict[str, Any] = {}
    shown = [last_value(source, names) for source in [QUICK, *sources[1:]]]
    figures = [value for value in shown if value is not None]
    assert len(figures) >= 6
    for figure in figures:
        assert isinstance(figure, go.Figure)
        assert figure.layout.title.text
    said = capsys.readouterr().out
    assert "equal to the last bit: True" in said
    assert "largest difference from torch.nn.LSTM: " in said
    difference = float(said.partition("largest difference from torch.nn.LSTM: ")[2].split()[0])
    assert difference < 1e-5

"""docs/api.md holds what the code holds: every public name, with its signature and what it says of itself."""

from __future__ import annotations

import ast
import inspect
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import rnn
from docs import api

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
SOURCES = sorted(
    [ROOT / "rnn" / "trace.py", *(ROOT / "rnn" / "tasks").glob("*.py"), *(ROOT / "rnn" / "figures").glob("*.py")]
)


def module_of(source: Path) -> str:
    return ".".join(source.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def part(module: str) -> str:
    """The page's part about this module alone."""
    found = re.search(rf"^###? `{re.escape(module)}`$(.*?)(?=^###? `|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    return found[1] if found else ""


def documented(about: str) -> set[str]:
    return set(re.findall(r"^(?:#### `|- `)(\w+)", about, re.MULTILINE)) - attributes(about)


def attributes(about: str) -> set[str]:
    """The names in lists of arguments and attributes, which are no names of the module."""
    return set(re.findall(r"^- `(\w+)[^(`]*`:", about, re.MULTILINE)) - set(
        re.findall(r"^#### `(\w+)", about, re.MULTILINE)
    )


def test_the_page_is_as_the_code_has_it() -> None:
    assert api.page() == PAGE, "docs/api.md is older than the code: `make api` writes it anew"


@pytest.mark.parametrize("source", SOURCES, ids=module_of)
def test_every_public_function_and_class_is_on_the_page_and_no_dead_name(source: Path) -> None:
    tree = ast.parse(source.read_text(encoding="utf-8"))
    defined = {
        node.name: node
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
    }
    about = part(module_of(source))
    beside = {"Trace", "LayerTrace"} if module_of(source) == "rnn.trace" else set()
    assert documented(about) == defined.keys() | beside
    assert not [name for name, node in defined.items() if not ast.get_docstring(node)]


def test_the_face_of_the_package_is_on_the_page() -> None:
    assert documented(part("rnn")) == set(rnn.__all__) - {"__version__"}


def taken_by(thing: Any) -> list[str]:
    """The names of the parameters of a function, or of the one that makes such an object."""
    if isinstance(thing, type) and issubclass(thing, tuple):
        return list(thing._fields)
    code = (thing.__init__ if isinstance(thing, type) else inspect.unwrap(thing)).__code__
    return [name for name in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount] if name != "self"]


def test_signatures_are_those_of_the_code() -> None:
    """Parameters' names and their order, read from the page by Python's own parser."""
    checked = 0
    for module in ("rnn", *map(module_of, SOURCES)):
        for written in re.findall(r"^```python\n(?:class )?(\w+\(.*?)^```$", part(module), re.MULTILINE | re.DOTALL):
            name = written.split("(")[0]
            if name not in documented(part(module)):
                continue  # an example
            node = ast.parse(f"def {written.strip()}: ...").body[0]
            assert isinstance(node, ast.FunctionDef)
            if written.startswith(f"{name}()"):
                continue
            checked += 1
            thing = getattr(import_module("rnn.records" if name in ("Trace", "LayerTrace") else module), name)
            names = [one.arg for one in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
            assert names == taken_by(thing), name
    assert checked > 150


def test_no_line_of_a_docstring_becomes_html() -> None:
    prose = re.sub(r"```.*?```|`[^`\n]*`", "", PAGE, flags=re.DOTALL)
    assert not re.search(r"(?<!\\)<\w", prose)

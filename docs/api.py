"""`python -m docs.api` writes docs/api.md anew, from the signatures and docstrings of the code (`make api`).

On the page are the public face of `rnn`, all of `rnn.trace` with what it returns, of `rnn.tasks` and of `rnn.figures`:
names without an underscore before them that are defined there. Of the figures' helpers only a line.
"""

from __future__ import annotations

import inspect
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

PAGE = Path(__file__).with_name("api.md")
HEAD = """# The package's public names

Written by `make api` from the code; a test holds it to the code. Letters of the shapes: `T` time steps, `B` batch, `V`
vocabulary size, `H` hidden size. Losses are in nats per prediction. Everything that people can get wrong raises one of
`rnn.errors`, with a sentence that says what to do.

"""
SECTIONS = {
    "rnn": "The face of the package: `import rnn` is quick, each name is loaded on first use.",
    "rnn.trace": "What happened inside a model while it read a text. No torch.",
    "rnn.tasks": "What a network can be trained on. `rnn.TrainState.create(None, model, train, task)` "
    "begins one; `rnn.catalogue.TASKS` has each kind with its preset.",
    "rnn.figures": "Data in, a Plotly figure out: pure functions on numpy arrays and records, no torch, no Streamlit. "
    "Every figure has its text alternative, named after it with `_alt`: what it shows now, for who cannot see it. "
    "`dark` is whether it stands on a dark background.",
}
RETURNED = {"rnn.trace": ("rnn.records", ("Trace", "LayerTrace"))}  # by its functions, but defined elsewhere
WIDTH = 100
TITLE = re.compile(r"^(Args|Attributes|Raises|Returns|Yields):$")
ENTRY = re.compile(r"^    (\S[^:]*):(?: (.*))?$")


def modules(name: str) -> list[ModuleType]:
    """The module of this name, and those of the package that it is."""
    package = import_module(name)
    if name == "rnn" or not hasattr(package, "__path__"):
        return [package]
    return [package, *(import_module(f"{name}.{info.name}") for info in pkgutil.iter_modules(package.__path__))]


def public(module: ModuleType) -> dict[str, Any]:
    """The functions and classes that a module offers, in their order in it."""
    if module.__name__ == "rnn":
        return {name: getattr(module, name) for name in module.__all__ if name != "__version__"}
    named = {
        name: thing
        for name, thing in vars(module).items()
        if not name.startswith("_")
        and (inspect.isfunction(thing) or inspect.isclass(thing))
        and thing.__module__ == module.__name__
    }
    home, returned = RETURNED.get(module.__name__, ("rnn", ()))
    return named | {name: getattr(import_module(home), name) for name in returned}


def signature(thing: Any, width: int | None = None) -> str:
    """The parameters with their types as they are written in the code, without self.

    Args:
        width: characters of parameters from which on each has a line of its own.
    """
    parameters: list[str] = []
    shown = inspect.signature(thing)
    for place, one in enumerate(shown.parameters.values()):
        if place == 0 and one.name in ("self", "cls"):
            continue
        typed = "" if one.annotation is one.empty else f": {_type(one.annotation)}"
        default = "" if one.default is one.empty else f" = {_value(one.default)}"
        stars = {one.VAR_POSITIONAL: "*", one.VAR_KEYWORD: "**"}.get(one.kind, "")
        if one.kind is one.KEYWORD_ONLY and not any(before.startswith("*") for before in parameters):
            parameters.append("*")
        parameters.append(f"{stars}{one.name}{typed}{default}")
    inside = ", ".join(parameters)
    if width is not None and len(inside) > width:
        inside = "".join(f"\n    {one}," for one in parameters) + "\n"
    back = "" if shown.return_annotation in (shown.empty, None, "None") else f" -> {_type(shown.return_annotation)}"
    return f"({inside}){back}"


def _type(annotation: Any) -> str:
    return annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)


def _value(default: Any) -> str:
    written = repr(default)
    return "..." if written.startswith("<") else written


def _doc(thing: Any) -> str:
    """The docstring in Markdown, with a list for every section of it; "" where the code has none."""
    own = thing.__doc__ if not inspect.isclass(thing) else vars(thing).get("__doc__")
    if not own or (is_dataclass(thing) and own.startswith(f"{thing.__name__}(")):  # such a one dataclasses make up
        return ""
    lines, code = [], False
    for line in inspect.cleandoc(own).splitlines():
        if code != line.startswith(">>> "):
            lines.append("```" if code else "```python")
            code = not code
        if title := TITLE.match(line):
            lines += [f"*{title[1]}*", ""]
        elif entry := ENTRY.match(line):
            lines.append(f"- `{entry[1]}`: {_literal(entry[2] or '')}".rstrip())
        else:
            lines.append(line.removeprefix(">>> ") if code else _literal(line.removeprefix("    ")))
    return "\n".join(lines)


def _literal(text: str) -> str:
    """No HTML, and no emphasis, in what a docstring says."""
    return text.replace("<", "\\<").replace("*", "\\*")


def _first(thing: Any) -> str:
    """The first sentence of a docstring."""
    text = " ".join(_doc(thing).split("\n\n")[0].split())
    return re.split(r"(?<=\.)\s", text)[0]


def _members(cls: type) -> Iterator[str]:
    """A line for each setting, and for each public method and property that the class itself describes.

    What it does not describe, it has as its protocol or base class says.
    """
    for one in fields(cls) if is_dataclass(cls) else ():
        if "help" in one.metadata:
            yield f"- `.{one.name}`: {_literal(one.metadata['help'])}"
    for name, member in vars(cls).items():
        function = member.__func__ if isinstance(member, (classmethod, staticmethod)) else member
        if name.startswith("_") or not (isinstance(member, property) or inspect.isfunction(function)):
            continue
        if function.__doc__:
            yield f"- `.{name}{'' if isinstance(member, property) else signature(function)}`: {_first(function)}"


def _entry(name: str, thing: Any) -> str:
    if not (inspect.isfunction(thing) or inspect.isclass(thing)):  # a table, such as PRESETS
        return f"#### `{name}`\n\n{', '.join(f'`{key}`' for key in thing)}\n"
    is_protocol = getattr(thing, "_is_protocol", False)
    is_error = inspect.isclass(thing) and issubclass(thing, Exception)
    called = "" if is_protocol or is_error else signature(thing, WIDTH)
    kind = "class " if inspect.isclass(thing) else ""
    parts = [f"#### `{name}`", f"```python\n{kind}{name}{called}\n```", _doc(thing)]
    if inspect.isclass(thing):
        members = list(_members(thing))
        parts += ["*Members*", "\n".join(members)] if members else []
    return "\n\n".join(part for part in parts if part) + "\n"


def _figures(module: ModuleType, things: dict[str, Any]) -> Iterator[str]:
    """Figures and what they take in full, each with its text alternative; a line for all else."""
    drawn = {name: thing for name, thing in things.items() if _is_figure(thing)}
    for name, thing in things.items():
        if name in drawn or inspect.isclass(thing):
            yield _entry(name, thing)
    helpers = [
        f"- `{name}{signature(thing)}`: {_first(thing)}"
        for name, thing in things.items()
        if name not in drawn and not inspect.isclass(thing)
    ]
    if helpers:
        yield "\n".join(["*Also here*", "", *helpers]) + "\n"


def _is_figure(thing: Any) -> bool:
    return inspect.isfunction(thing) and "Figure" in str(thing.__annotations__.get("return"))


def page() -> str:
    """The whole page, as it is to be."""
    parts = [HEAD, *(f"- [`{name}`](#{name.replace('.', '')})\n" for name in SECTIONS), "\n"]
    for section, about in SECTIONS.items():
        parts.append(f"## `{section}`\n\n{about}\n\n")
        for module in modules(section):
            things = public(module)
            if module.__name__ != section and things:
                parts.append(f"### `{module.__name__}`\n\n{_first(module)}\n\n")
            entries = _figures(module, things) if section == "rnn.figures" else (_entry(*one) for one in things.items())
            parts += [f"{entry}\n" for entry in entries]
    return "".join(parts).rstrip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")

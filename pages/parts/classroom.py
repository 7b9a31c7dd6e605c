"""A teacher's link: controls that it hides or locks, and large type for a projector.

    ?lock=sample_temperature.train_    no control for these: they stand at what the link says; a name that ends in "_"
                                       stands for all that begin with it
    ?hide=sample_write                 not shown; a browser's tools can show them again, so this keeps no secret
    ?present=1                         large type, and less beside it

What such a link asks for holds for the session, on every page. Names that no control has change nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

import streamlit as st

from pages.parts import keys

if TYPE_CHECKING:
    import plotly.graph_objects as go

NAME = re.compile(r"[A-Za-z0-9_-]{1,100}")
PARAMETERS = (keys.LOCK, keys.HIDE, keys.PRESENT)
NEVER = (keys.SHARE, keys.SHARED)  # what leads out of all this again
MOST = 100  # names
SCALE = 1.25  # of the type for a projector
OF_FIGURES = 1.15  # that of figures, which have less room
GROUPS = {
    "arch_": "Everything about the network", "train_": "Everything about the training",
    "sample_": "Everything about the writing", "read_": "Everything about the model and its text",
    "unroll_": "Everything in the views", "bptt_": "Everything in the views",
}  # fmt: skip
LARGE_TYPE = f"html:root {{ font-size: {16 * SCALE:g}px; }}"


@dataclass(frozen=True)
class ClassLink:
    """What a teacher's link asks for."""

    locked: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    is_large: bool = False

    @classmethod
    def of(cls, parameters: dict[str, str]) -> Self:
        """As the parameters of a URL have it; what no name can be is left out."""
        locked, hidden = (_names(parameters.get(name, "")) for name in (keys.LOCK, keys.HIDE))
        return cls(locked, hidden, parameters.get(keys.PRESENT) == "1")

    @property
    def parameters(self) -> dict[str, str]:
        """The same for a URL."""
        every = {
            keys.LOCK: ".".join(self.locked), keys.HIDE: ".".join(self.hidden),
            keys.PRESENT: "1" if self.is_large else "",
        }  # fmt: skip
        return {name: value for name, value in every.items() if value}

    @property
    def style(self) -> str:
        """What it changes in the look of a page."""
        hidden = f"{_selectors(self.hidden)} {{ display: none; }}" if self.hidden else ""
        return hidden + (LARGE_TYPE if self.is_large else "")

    def locks(self, name: str) -> bool:
        return any(name == locked or (locked.endswith("_") and name.startswith(locked)) for locked in self.locked)


def _names(joined: str) -> tuple[str, ...]:
    found = dict.fromkeys(name for name in joined.split(".") if NAME.fullmatch(name) and name not in NEVER)
    return tuple(found)[:MOST]


def asked() -> ClassLink:
    """What the link that this session began with asks for."""
    link: ClassLink = st.session_state.get(keys.CLASS) or ClassLink()
    return link


def begin() -> ClassLink:
    """To be called before a page draws its controls. Other pages' links have no such parameters: they are put back."""
    named = ClassLink.of(st.query_params.to_dict())
    if named.parameters:
        st.session_state[keys.CLASS] = named
    link = asked()
    if link.parameters and not named.parameters:
        st.query_params.update(link.parameters)
    return link


def _selectors(names: Iterable[str]) -> str:
    """Single widgets and expanders, never the parts of a page around them."""
    return ", ".join(
        f".stElementContainer.st-key-{name}, .stLayoutWrapper.st-key-{name}:has(> .stExpander)" for name in names
    )


# The link that a teacher makes ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Controls:
    """What can be hidden and locked on a page: names and what they are called."""

    hideable: dict[str, str]
    lockable: dict[str, str]


def controls_of(page: Any, lockable: set[str]) -> Controls:
    """What the browser says that the page shows, of which only what is in `lockable` has a value to be locked at."""
    said = page.get("controls") if isinstance(page, dict) else None
    pairs = [pair for pair in (said if isinstance(said, list) else [])[:MOST] if isinstance(pair, list)]
    shown = {
        name: label[:60]
        for name, label in (pair for pair in pairs if len(pair) == 2)
        if isinstance(name, str) and isinstance(label, str) and NAME.fullmatch(name) and name not in NEVER
        if not re.search(r"\d{6}", name)  # of this moment
    }
    values = {name: label for name, label in shown.items() if name in lockable}
    groups = {p: title for p, title in GROUPS.items() if sum(name.startswith(p) for name in values) > 1}
    return Controls(_told_apart(shown), _told_apart(groups | values))


def _told_apart(labels: dict[str, str]) -> dict[str, str]:
    """Two that are called the same get their names behind it."""
    every = list(labels.values())
    return {n: label if every.count(label) == 1 else f"{label} ({n})" for n, label in labels.items()}


def with_wishes(link: str, wishes: ClassLink) -> str:
    """A link to a page as a teacher's link that asks for this, and for nothing that it asked for before."""
    if wishes == asked():
        return link
    parts = urlsplit(link)
    kept = [(k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if k not in PARAMETERS]
    return parts._replace(query=urlencode([*kept, *wishes.parameters.items()])).geturl()


# Large type -------------------------------------------------------------------------------------------------------


def sized(figure: go.Figure) -> go.Figure:
    """A figure as it is, or for a projector with larger type and as much more height."""
    if not asked().is_large:
        return figure
    drawn = _scaled(figure.to_dict())
    drawn["layout"]["height"] = round(drawn["layout"]["height"] * OF_FIGURES)
    return type(figure)(drawn, _validate=False)


def _scaled(value: Any, is_font: bool = False) -> Any:
    if isinstance(value, dict):
        return {
            k: v * OF_FIGURES if is_font and k == "size" and isinstance(v, int | float) else _scaled(v, "font" in k)
            for k, v in value.items()
        }
    if isinstance(value, list | tuple) and value and isinstance(value[0], dict):
        return [_scaled(one) for one in value]
    return value

"""Share: the link to the page as it is, to copy and as a QR code."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import segno
import streamlit as st

from pages.parts import classroom, keys
from pages.parts.classroom import ClassLink

QUIET = 4  # modules of white around a QR code, as its standard asks for
MOST_IN_CODE = 2_000  # characters: the squares of a longer link are too small for a camera
WIDTH = 400  # pixels of what the button opens, where the screen has as many
MOST_IN_LINK = 16_000  # characters that the browser may send

CARRIED = (
    "The link opens this page as you see it: its model, its settings, and a text to read if it is short. A run that is "
    "named in it opens for others to look at: its curves, samples and model. The text that it was trained on is never "
    "shared, and only its owner can steer it."
)

_assets = Path(__file__).parents[2] / "assets"
_component = st.components.v2.component(
    "rnn_playground_share",
    html="""<div class="share">
      <div class="row"><input readonly aria-label="Link to this page"><button class="copy">Copy</button></div>
      <p class="status" role="status"></p>
      <div class="code"></div>
      <button class="show">Show large</button>
      <dialog aria-label="QR code of the link"><div class="code"></div><p></p><button>Close</button></dialog>
    </div>""",
    css=(_assets / "share.css").read_text(encoding="utf-8"),
    js=(_assets / "share.js").read_text(encoding="utf-8"),
)


@dataclass(frozen=True)
class Code:
    """A QR code as a picture.

    Attributes:
        path: its dark squares as an SVG path, one unit each.
        size: units of a side, the white around it included.
    """

    path: str
    size: int


def button(title: str) -> None:
    """The button of the page with this title."""
    st.session_state[keys.LEFT_OUT] = []
    _button(title)


@st.fragment
def _button(title: str) -> None:
    """What it opens is made when it is open."""
    with st.popover("Share", icon=":material/share:", key=keys.SHARE, on_change="rerun") as opened:
        if opened.open:
            with st.container(width=WIDTH):
                _contents(title)


def _contents(title: str) -> None:
    told = st.session_state.get(keys.SHARED)
    page = told.get("page") if told else None
    link, place = address(page), st.container()
    if link:
        with st.expander("For your class", icon=":material/school:"):
            link = classroom.with_wishes(link, _wishes(page, title))
    st.caption(CARRIED)
    for what in st.session_state.get(keys.LEFT_OUT, []):
        st.caption(f"**{what}, so it is not in the link.**")
    code = code_of(link)
    with place:
        _component(
            key=keys.SHARED, data={"link": link, "path": code.path if code else "", "size": code.size if code else 0},
            default={"page": None}, on_page_change=_nothing,
        )  # fmt: skip
        if len(link) > MOST_IN_CODE:
            st.caption(
                f"This link has {len(link):,} characters, too many for a QR code that a camera can read. Copy it."
            )


def _wishes(page: Any, title: str) -> ClassLink:
    """What the teacher asks for: at first what the link of this session does."""
    asked = classroom.asked()
    controls = classroom.controls_of(page, st.session_state.get(keys.LOCKABLE, set()))
    hidden = _chosen(
        "Hide", controls.hideable, asked.hidden, f"{keys.HIDE}_{title}", "Controls that the class does not see."
    )
    locked = _chosen(
        "Lock at their values", controls.lockable, asked.locked, f"{keys.LOCK}_{title}",
        "Controls that the class sees and cannot change.",
    )  # fmt: skip
    is_large = st.toggle(
        "Large type, for a projector", asked.is_large, key=f"{keys.PRESENT}_{title}", persist_state="session",
        help="In the app and in its figures; the sidebar is folded.",
    )  # fmt: skip
    st.caption(
        "The link above asks for this. It holds on every page, until somebody opens the app without it: what is "
        "hidden is out of the way, not secret."
    )
    return ClassLink(locked, hidden, bool(is_large))


def _chosen(label: str, choices: dict[str, str], asked: tuple[str, ...], key: str, words: str) -> tuple[str, ...]:
    """Some of the page's controls, and those of other pages that were asked for before."""
    here = [name for name in asked if name in choices]
    chosen = st.multiselect(
        label, list(choices), here, format_func=choices.__getitem__, key=key, placeholder="none of the controls",
        help=words, persist_state="session",  # what opens and closes keeps what was chosen in it
    )  # fmt: skip
    return (*(name for name in asked if name not in choices), *(name for name in chosen if name in choices))


def _nothing() -> None:
    """Streamlit wants a callback for a value that has a default."""


def address(page: Any) -> str:
    """The address that the browser says it shows; empty where it says none yet, or something else."""
    url = page.get("url") if isinstance(page, dict) else None
    if not isinstance(url, str) or len(url) > MOST_IN_LINK:
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return parts._replace(fragment="").geturl() if parts.scheme in ("http", "https") and parts.netloc else ""


def code_of(link: str) -> Code | None:
    """The QR code of a link; None where there is no link, or it is too long for one."""
    if not link or len(link) > MOST_IN_CODE:
        return None
    made = segno.make_qr(link, error="l")  # or a better level, where that needs no larger one
    rows = made.matrix
    path = "".join(
        f"M{QUIET + begin} {QUIET + y}h{end - begin}v1h{begin - end}z"
        for y, row in enumerate(rows)
        for begin, end in _dark(row)
    )
    return Code(path, len(rows) + 2 * QUIET)


def _dark(row: bytearray) -> list[tuple[int, int]]:
    """Where the dark stretches of a row begin and end."""
    edges = [x for x in range(len(row) + 1) if (x < len(row) and row[x]) != (x > 0 and row[x - 1])]
    return list(zip(edges[::2], edges[1::2], strict=True))

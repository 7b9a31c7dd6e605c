"""What was clicked in a chart or a text. A browser says it, so what it says may be anything."""

from __future__ import annotations

from contextlib import suppress

import streamlit as st


def clicked(key: str) -> object:
    """The first custom datum of the point that was clicked in the chart of this key; None where there is none."""
    with suppress(KeyError, TypeError, AttributeError):  # a forged selection
        for point in st.session_state[key]["selection"]["points"]:
            datum: object = point.get("customdata")
            if datum is not None and datum != []:
                return datum[0] if isinstance(datum, list) else datum
    return None


def picked(key: str, count: int) -> int | None:
    """The character that was picked in the text of this key, from 0; None where it is none of its `count`."""
    value = getattr(st.session_state.get(key), "picked", None)  # the text may just have gone from the page
    is_one = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < count
    return value if is_one else None

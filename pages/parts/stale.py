"""What Streamlit remembers of widgets that have gone."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.state.safe_session_state import SafeSessionState


def forget_widgets(part: str) -> None:
    """Lets this session forget the widgets with `part` in their keys; none of them is drawn again.

    Streamlit takes the values of widgets that have gone from a session, but keeps callbacks, options and labels of
    every one that it ever had. What is made anew over and over, as are the widgets around a text, would fill a server.
    A click that is still on its way to such a widget does nothing.
    """
    context = get_script_run_ctx()
    if context is not None:
        known = widgets_of(context.session_state)
        for widget_id in [widget_id for widget_id in known if part in widget_id]:
            known.pop(widget_id, None)


def widgets_of(state: Any) -> dict[str, Any]:
    """All that Streamlit knows of a session's widgets, by their ids: its own, which this app may only take from."""
    with suppress(AttributeError):  # another version may have it elsewhere
        while isinstance(state, SafeSessionState):
            state = state._state
        known: dict[str, Any] = state._new_widget_state.widget_metadata
        return known
    return {}

"""Values that no widget lets a person enter, for each kind of widget: a raw websocket can claim any of them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

from streamlit.proto.NumberInput_pb2 import NumberInput
from streamlit.proto.Slider_pb2 import Slider
from streamlit.proto.WidgetStates_pb2 import WidgetState

MARKUP = "<script>alert(1)</script><img src=x onerror=alert(1)> **bold** :red[red] $x^2$ [a](javascript:alert(1))"
HUGE = "x" * 100_000
STRANGE = "\0\x1b[31m\u202e\u200d\ufeff\U0010ffff\u0301 e\u0301 \r\n\t\x85\u2028"
REALS = (math.nan, math.inf, -math.inf, 1e308, -1e308, 1e-320, -1.0, 0.0, 0.5, 2.0**53, 1e15)
STRINGS = (MARKUP, HUGE, STRANGE, "", "no such option", "None", "-1", "' OR 1=1 --", "../../etc/passwd")
DEEP = "[" * 5_000 + "]" * 5_000
VALUES_OF_PARTS: tuple[Any, ...] = (  # of one field of a component
    None, True, -1, 10**30, 0.5, MARKUP, [], [[]], [-1] * 64, [1e300] * 64, {"a": 1}, "0", 3,
)  # fmt: skip


def forged(kind: str, widget: Any) -> Iterator[WidgetState]:
    """Values of the widget's own type; a button has none."""
    match kind:
        case "number_input":
            for value in REALS:
                if math.isfinite(value) or widget.data_type == NumberInput.FLOAT:
                    yield WidgetState(id=widget.id, double_value=value)
        case "slider" if widget.type == Slider.SELECT_SLIDER:
            for texts in ((), *((value,) for value in STRINGS), STRINGS):
                yield _texts(widget.id, texts)
        case "slider":
            for values in ((), (1.0, 2.0, 3.0), *((value,) for value in REALS)):
                state = WidgetState(id=widget.id)
                state.double_array_value.data.extend(values)
                state.double_array_value.SetInParent()
                yield state
        case "selectbox" | "radio" | "text_input" | "text_area":
            yield from (WidgetState(id=widget.id, string_value=value) for value in STRINGS)
        case "button_group" | "multiselect":
            for texts in ((), *((value,) for value in STRINGS), STRINGS):
                yield _texts(widget.id, texts)
        case "checkbox":
            yield from (WidgetState(id=widget.id, bool_value=value) for value in (True, False))
        case "plotly_chart" if widget.selection_mode:
            for value in VALUES_OF_PARTS:
                for points in (value, [{"x": value, "customdata": value}]):
                    yield WidgetState(id=widget.id, string_value=json.dumps({"selection": {"points": points}}))
        case "dataframe" if widget.editing_mode:
            for value in VALUES_OF_PARTS:
                edits = {"edited_rows": {"0": {"0": value, "h": value}, "99": {"1": value}}}
                edits |= {"added_rows": [{"h": value}], "deleted_rows": [0]}
                yield WidgetState(id=widget.id, string_value=json.dumps(edits))
            yield WidgetState(id=widget.id, string_value=json.dumps({"edited_rows": {"0": {"t = 1": "<b>"}}}))
        case "bidi_component":
            for value in VALUES_OF_PARTS:
                fields = dict.fromkeys(("token", "drawn", "picked"), value)
                yield WidgetState(id=widget.id, json_value=json.dumps(fields))
        case "file_uploader":
            state = WidgetState(id=widget.id)
            info = state.file_uploader_state_value.uploaded_file_info.add()
            info.file_id, info.name, info.size = "../../etc/passwd", MARKUP, 2**62
            yield state


def _texts(widget_id: str, texts: tuple[str, ...]) -> WidgetState:
    state = WidgetState(id=widget_id)
    state.string_array_value.data.extend(texts)
    state.string_array_value.SetInParent()
    return state


def malformed(kind: str, widget: Any) -> Iterator[WidgetState]:
    """What is not even of the widget's type."""
    match kind:
        case "number_input" if widget.data_type == NumberInput.INT:
            yield WidgetState(id=widget.id, double_value=math.inf)
        case "bidi_component":
            for text in ("null", "[]", "3", '"x"', DEEP):
                yield WidgetState(id=widget.id, json_value=text)
        case "plotly_chart" | "dataframe":
            for text in ("null", "[]", "{", DEEP, "", '{"selection": 3}', "{}"):
                yield WidgetState(id=widget.id, string_value=text)
    yield WidgetState(id=widget.id, string_value="text")
    yield WidgetState(id=widget.id, double_value=math.nan)
    yield WidgetState(id=widget.id, bool_value=True)
    yield WidgetState(id=widget.id, int_value=2**62)
    yield WidgetState(id=widget.id, json_value="{")
    yield WidgetState(id=widget.id, bytes_value=b"\xff\0")
    yield WidgetState(id=widget.id)

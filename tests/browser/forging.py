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
VALUES_OF_PARTS = (  # of one field of a component
    None, True, -1, 10**30, 0.5, HUGE, MARKUP, [], [[]], [None] * 64, [1e300] * 64, [-1] * 64, list(range(9999)), {},
    {"a": 1}, "0", -5, 3, 10**9,
)  # fmt: skip
SELECTIONS = ("points", "rows", "cells", "columns", "box", "lasso", "point_indices")


def forged(kind: str, widget: Any) -> Iterator[WidgetState]:
    """Values of the widget's own type."""
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
        case "button" | "download_button":
            yield WidgetState(id=widget.id, trigger_value=True)
        case "plotly_chart" | "dataframe":
            for value in VALUES_OF_PARTS:
                chosen = dict.fromkeys(SELECTIONS, value)
                yield WidgetState(id=widget.id, string_value=json.dumps({"selection": chosen}))
                points = {"selection": {"points": [{"x": value, "y": value, "customdata": value}]}}
                yield WidgetState(id=widget.id, string_value=json.dumps(points))
                edits = {
                    "edited_rows": {"0": {"0": value, "h": value}, "99": {"1": value}},
                    "added_rows": [{"h": value}],
                    "deleted_rows": [0],
                }
                yield WidgetState(id=widget.id, string_value=json.dumps(edits))
        case "bidi_component":
            for field in ("token", "drawn", "picked"):
                yield from (
                    WidgetState(id=widget.id, json_value=json.dumps({field: value})) for value in VALUES_OF_PARTS
                )
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
            for text in ("null", "[]", "3", '"x"', "{", DEEP, ""):
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

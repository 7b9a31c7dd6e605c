"""The figure of a server's last minutes shows the numbers that it is given, with what is unknown left out."""

from __future__ import annotations

import plotly.graph_objects as go
import pytest

from rnn.figures.classroom import server_load, server_load_alt
from rnn.records import Overview, ServerPoint

POINTS = tuple(
    ServerPoint(ago, speed, memory) for ago, speed, memory in ((60.0, 100.0, 400_000_000), (30.0, 2_500.0, 450_000_000))
)
BUSY = Overview((), 0, False, 1_300.4, 447_000_000, 17, POINTS)
NEW = Overview((), 0, False, 0.0, None, 0, ())
UNTOLD = Overview((), 0, False, 7.0, None, 0, (ServerPoint(2.0, 7.0, None),))


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("seen", [BUSY, NEW, UNTOLD])
def test_the_figure_is_one_that_plotly_accepts(seen: Overview, dark: bool) -> None:
    figure = server_load(seen, dark).to_dict()
    assert go.Figure(figure).to_dict() == figure


def test_speed_and_memory_stand_over_the_same_minutes() -> None:
    speed, memory = server_load(BUSY).data
    assert list(speed.x) == list(memory.x) == [-1.0, -0.5]
    assert (list(speed.y), list(memory.y)) == ([100, 2_500], [400.0, 450.0])
    assert (speed.yaxis, memory.yaxis) == (None, "y2")
    assert list(server_load(UNTOLD).data[1].y) == [None]


def test_the_title_says_what_is_now_and_the_words_what_was_before() -> None:
    assert server_load(BUSY).layout.title.text == "1,300 characters/s, 447 MB"
    assert server_load_alt(BUSY) == (
        "1,300 characters/s, 447 MB. In the last 5 minutes 100 to 2,500 characters a second, 400 to 450 MB of memory."
    )
    assert server_load_alt(UNTOLD).endswith("7 to 7 characters a second.")
    assert server_load(NEW).layout.title.text == "0 characters/s"
    assert "nothing" in server_load_alt(NEW)

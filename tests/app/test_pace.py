"""How often a run on show is redrawn: the more train, the less often, for who came first as for who comes last."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from pages.parts import live


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Notes every time that a whole page is asked for."""
    found: list[str] = []
    monkeypatch.setattr(live.st, "rerun", lambda: found.append("page"))
    return found


def train(monkeypatch: pytest.MonkeyPatch, runs: int) -> None:
    monkeypatch.setattr(live.service, "scheduler", lambda: SimpleNamespace(active_count=lambda: runs))


@pytest.mark.parametrize("runs", [1, 8, 30, 100])
def test_all_runs_together_are_redrawn_at_most_so_often(monkeypatch: pytest.MonkeyPatch, runs: int) -> None:
    train(monkeypatch, runs)
    assert live.pace() >= 1
    assert runs / live.pace() <= live.REDRAWS_PER_SECOND


@pytest.mark.parametrize(("runs", "seconds"), [(30, 1.0), (13, 1.0), (8, 3.75), (1, 2.0)])
def test_a_timer_that_is_far_off_the_pace_is_set_anew(
    monkeypatch: pytest.MonkeyPatch, asked: list[str], runs: int, seconds: float
) -> None:
    train(monkeypatch, runs)
    live.keep_pace(seconds)
    assert asked == ["page"]
    live.keep_pace(live.pace())  # as the page then sets it
    assert asked == ["page"]


@pytest.mark.parametrize(("runs", "seconds"), [(1, 1.0), (8, 1.0), (12, 1.0), (30, 3.75), (24, 3.75), (30, None)])
def test_a_timer_that_is_near_it_stays(
    monkeypatch: pytest.MonkeyPatch, asked: list[str], runs: int, seconds: float | None
) -> None:
    train(monkeypatch, runs)
    live.keep_pace(seconds)
    assert not asked

"""A shared server keeps so much for so long; what trains or waits never goes, and a laptop loses nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn.config import ModelConfig, TrainConfig
from rnn.corpora import Text
from rnn.errors import NoSuchRunError, StoreError
from rnn.race import Member
from rnn.runs import scheduler as scheduler_module
from rnn.runs.allowance import HOUR, Allowance
from rnn.runs.eviction import DAY, GRACE_SECONDS, Quota, bytes_in_files, bytes_of, evict
from rnn.runs.store import ACTIVE, STATUSES, Store
from tests.unit.conftest import Serve, until

ANNA, BEN = "anna's token", "ben's token"
SETTINGS = (ModelConfig(cell="rnn", hidden_size=4), TrainConfig(batch_size=3, bptt_steps=4, steps=9))
LONG = (SETTINGS[0], TrainConfig(batch_size=3, bptt_steps=4, steps=1_000_000))
RACERS = [Member(cell.upper(), ModelConfig(cell=cell, hidden_size=4), TrainConfig(steps=9)) for cell in ("rnn", "gru")]
POEM = Text("a poem", "Some say the world will end in fire,\nSome say in ice.\n" * 12)
NOW = 1_800_000_000.0


@pytest.fixture
def store(own_home: Path) -> Iterator[Store]:
    opened = Store()
    yield opened
    opened.close()


def add(store: Store, days: float, status: str = "paused", size: int = 1_000, text: Text = POEM) -> str:
    """A run that was changed so many days before NOW and has so many bytes of files."""
    run_id = store.create(ANNA, text, *SETTINGS)
    store.set_status(run_id, status)
    set_age(store, run_id, days)
    store.make_folder(run_id)
    store.checkpoint_path(run_id).write_bytes(bytes(size))
    return run_id


def set_age(store: Store, run_id: str, days: float) -> None:
    with store._transaction() as db:
        db.execute("UPDATE runs SET updated = ? WHERE id = ?", (NOW - days * DAY, run_id))


def is_there(store: Store, run_id: str) -> bool:
    try:
        store.get(run_id)
    except NoSuchRunError:
        assert not store.folder(run_id).exists()
        return False
    return True


@pytest.mark.parametrize("status", STATUSES)
def test_what_rests_for_too_long_goes_and_nothing_that_waits_or_trains(store: Store, status: str) -> None:
    old, new = add(store, 31, status), add(store, 29, status)
    assert evict(store, Quota(days=30), NOW) == ([] if status in ACTIVE else [old])
    assert [is_there(store, old), is_there(store, new)] == [status in ACTIVE, True]


def test_a_laptop_keeps_everything(store: Store) -> None:
    runs = [add(store, 10_000, status) for status in STATUSES]
    assert evict(store, Quota(), NOW) == []
    assert all(is_there(store, run_id) for run_id in runs)


@given(st.lists(st.tuples(st.integers(1, 20), st.integers(0, 5_000)), max_size=8), st.integers(0, 20_000))
def test_the_oldest_go_until_the_rest_fits(
    tmp_path_factory: pytest.TempPathFactory, runs: list[tuple[int, int]], room: int
) -> None:
    store = Store(tmp_path_factory.mktemp("home"))
    try:
        ids = [add(store, age, size=size) for age, size in runs]
        # The database is never smaller than empty: `room` is what there is for files beside it.
        store.database_bytes = lambda: 0  # type: ignore[method-assign]
        evict(store, Quota(bytes_in_total=room), NOW)
        kept = [is_there(store, run_id) for run_id in ids]
        order = sorted(range(len(runs)), key=lambda i: -runs[i][0])  # the oldest first; of the same age the first
        sizes = [runs[i][1] for i in order]
        left = [sum(sizes), *(sum(sizes) - gone for gone in accumulate(sizes))]
        go = next(n for n, remaining in enumerate(left) if remaining <= room)
        assert [kept[i] for i in order] == [place >= go for place in range(len(order))]
    finally:
        store.close()


def test_what_somebody_has_just_made_is_not_taken_for_its_size(store: Store) -> None:
    old, new = add(store, 1), add(store, (GRACE_SECONDS - 1) / DAY)
    assert evict(store, Quota(bytes_in_total=0), NOW) == [old]
    assert is_there(store, new)


def test_of_a_race_all_or_nothing_goes(store: Store) -> None:
    race = store.race(store.create_race(ANNA, POEM, RACERS, "steps"))
    for member in race:
        set_age(store, member.id, 40)
    store.set_status(race[0].id, "running")
    set_age(store, race[0].id, 40)
    assert evict(store, Quota(days=30, bytes_in_total=0), NOW) == []
    store.set_status(race[0].id, "finished")
    set_age(store, race[0].id, 40)
    assert sorted(evict(store, Quota(days=30), NOW)) == sorted(member.id for member in race)


def test_of_an_evicted_run_not_a_letter_of_its_text_is_left(store: Store) -> None:
    secret = "the letter of a person who wants it forgotten"
    run_id = add(store, 40, text=Text("mine", f"{secret} " * 400))
    other = add(store, 1)
    files = [path for path in store.home.rglob("*") if path.is_file()]
    assert any(secret.encode() in path.read_bytes() for path in files)
    evict(store, Quota(days=30), NOW)
    assert not is_there(store, run_id)
    assert not any(secret.encode() in path.read_bytes() for path in store.home.rglob("*") if path.is_file())
    assert store.text(other) == POEM


def test_an_owner_s_bytes_are_files_and_texts_and_nobody_else_s(store: Store) -> None:
    mine = Text("mine", "é" * 3_000)
    first, second = add(store, 1, size=700, text=mine), add(store, 1, size=50, text=mine)
    store.create(BEN, Text("his", "x" * 99_999), *SETTINGS)
    assert bytes_of(store, ANNA) == 700 + 50 + 6_000  # a text is kept once
    assert bytes_in_files(store) == bytes_in_files(store, first) + bytes_in_files(store, second)


# What the server does with it


def test_a_server_evicts_by_itself_and_keeps_what_is_active(serve: Serve) -> None:
    server = serve(quota=Quota(days=30, bytes_in_total=10**9))
    old = server.store.create(ANNA, POEM, *SETTINGS)
    active = server.create(ANNA, POEM, *LONG)
    for run_id in (old, active):
        with server.store._transaction() as db:
            db.execute("UPDATE runs SET updated = ? WHERE id = ?", (time.time() - 31 * DAY, run_id))
    server.create(BEN, POEM, *SETTINGS, start=False)
    assert not is_there(server.store, old)
    assert is_there(server.store, active)


def test_a_server_at_rest_looks_now_and_then(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler_module, "TIDY_SECONDS", 0.05)
    server = serve(quota=Quota(days=30))
    old = server.store.create(ANNA, POEM, *SETTINGS)
    set_age(server.store, old, 10_000)
    until(lambda: not is_there(server.store, old), "the old run to go")


def test_who_keeps_as_much_as_is_allowed_starts_nothing_more(serve: Serve) -> None:
    server = serve(quota=Quota(bytes_per_owner=500))
    run_id = server.create(ANNA, POEM, *SETTINGS, start=False)
    with pytest.raises(StoreError, match=r"Your runs take .* MB, and .* kept here for one visitor\. Download"):
        server.create(ANNA, POEM, *SETTINGS)
    server.create(BEN, POEM, *SETTINGS, start=False)
    server.delete(run_id, ANNA)
    server.create(ANNA, POEM, *SETTINGS, start=False)


def test_a_full_server_says_so(serve: Serve) -> None:
    server = serve(quota=Quota(bytes_in_total=1))
    with pytest.raises(StoreError, match="room for runs is used up"):
        server.create(ANNA, POEM, *SETTINGS)


def test_the_queue_has_an_end_whoever_asks(serve: Serve) -> None:
    server = serve(active_in_total=1, quota=Quota(waiting_in_total=2))
    server.create("active", POEM, *LONG)
    rests = server.create("rests", POEM, *LONG, start=False)
    for number in range(2):
        server.create(f"new owner {number}", POEM, *LONG)
    for ask in (lambda: server.create("another", POEM, *LONG), lambda: server.resume(rests, "rests")):
        with pytest.raises(StoreError, match="2 runs wait here already"):
            ask()
    assert server.store.count_of("another") == 0
    assert server.store.get(rests).status == "paused"


def test_who_has_used_a_day_s_training_rests_saved_and_others_go_on(serve: Serve) -> None:
    server = serve(quota=Quota(training_seconds=0.2))
    run_id = server.create(ANNA, POEM, *LONG)
    until(lambda: server.store.get(run_id).status == "paused", "the run to rest")
    info = server.store.get(run_id)
    assert "within a day" in info.message
    assert info.saved_step == info.step > 0
    for ask in (lambda: server.create(ANNA, POEM, *SETTINGS), lambda: server.resume(run_id, ANNA)):
        with pytest.raises(StoreError, match="within a day"):
            ask()
    his = server.create(BEN, POEM, *SETTINGS)
    until(lambda: server.store.get(his).status == "finished", "the other's run")
    server.change_owner(ANNA, "a new token")
    with pytest.raises(StoreError, match="within a day"):
        server.resume(run_id, "a new token")


@given(st.lists(st.tuples(st.floats(0, 60), st.floats(0, 9))), st.floats(0, 60))
def test_turns_count_for_a_day_and_no_longer(turns: list[tuple[float, float]], now: float) -> None:
    """Hours and seconds: within 23 hours a turn counts, after 25 it does not."""
    allowance = Allowance(20.0)
    for hour, seconds in sorted(turns):
        if hour <= now:
            allowance.count("anna", seconds, hour * HOUR)
            allowance.count("ben", 100.0, hour * HOUR)
    recent = sum(seconds for hour, seconds in turns if now - 23 <= hour <= now)
    possible = sum(seconds for hour, seconds in turns if now - 25 <= hour <= now)
    used_up = allowance.is_used_up("anna", now * HOUR)
    assert used_up or recent < 20
    assert not used_up or possible >= 20

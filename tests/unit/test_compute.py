"""One thread does all computations: what pages wait for first, background work in between."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future

import pytest

from rnn.runs.compute import ComputeThread

DEADLINE = 20.0  # seconds until a thread that hangs fails its test


@pytest.fixture
def start() -> Iterator[Callable[..., ComputeThread]]:
    """`start(work)` makes a compute thread that is closed after the test."""
    threads = []

    def make(work: Callable[[], bool] = lambda: False) -> ComputeThread:
        threads.append(ComputeThread(work))
        return threads[-1]

    yield make
    for thread in threads:
        thread.close()


def test_functions_run_in_order_on_one_other_thread(start: Callable[..., ComputeThread]) -> None:
    thread, seen = start(), []
    futures = [thread.submit(lambda i=i: seen.append((i, threading.get_ident()))) for i in range(20)]
    for future in futures:
        future.result(DEADLINE)
    assert [i for i, _ in seen] == list(range(20))
    assert len({ident for _, ident in seen}) == 1
    assert seen[0][1] != threading.get_ident()


def test_compute_returns_what_the_function_returns_and_raises_what_it_raises(
    start: Callable[..., ComputeThread],
) -> None:
    thread = start()
    assert thread.compute(lambda: 6 * 7) == 42
    for error in (ValueError("wrong"), KeyboardInterrupt(), SystemExit(3)):
        with pytest.raises(type(error)) as caught:
            thread.compute(lambda error=error: _raise(error))
        assert caught.value is error
    assert thread.compute(lambda: "still here") == "still here"


def _raise(error: BaseException) -> None:
    raise error


def test_a_function_may_ask_for_another_computation(start: Callable[..., ComputeThread]) -> None:
    thread = start()
    assert thread.compute(lambda: thread.compute(lambda: "inner")) == "inner"


def test_work_goes_on_by_itself_until_there_is_none(start: Callable[..., ComputeThread]) -> None:
    done, slices = threading.Event(), []

    def work() -> bool:
        slices.append(None)
        if len(slices) == 50:
            done.set()
        return len(slices) < 50

    thread = start(work)
    assert done.wait(DEADLINE)
    thread.submit(lambda: None).result(DEADLINE)
    assert 50 <= len(slices) <= 51  # once more after each function: it may have brought new work


def test_what_is_waiting_goes_before_the_next_slice(start: Callable[..., ComputeThread]) -> None:
    order: list[str] = []
    may_go = threading.Event()

    def work() -> bool:
        assert may_go.wait(DEADLINE)  # until three computations wait
        order.append("slice")
        return True

    thread = start(work)
    futures = [thread.submit(lambda: order.append("computation")) for _ in range(3)]
    may_go.set()
    for future in futures:
        future.result(DEADLINE)
    assert order[:4] == ["slice", "computation", "computation", "computation"]


def test_a_function_wakes_a_thread_that_rests(start: Callable[..., ComputeThread]) -> None:
    has_work, worked = [], threading.Event()

    def work() -> bool:
        if has_work:
            has_work.clear()
            worked.set()
        return False

    thread = start(work)
    thread.compute(lambda: has_work.append(True))
    assert worked.wait(DEADLINE)


def test_a_computation_nobody_waits_for_any_more_is_not_begun(start: Callable[..., ComputeThread]) -> None:
    thread, release, begun = start(), threading.Event(), []
    occupied = thread.submit(lambda: release.wait(DEADLINE))
    with pytest.raises(TimeoutError):
        thread.compute(lambda: begun.append(True), timeout=0.01)
    release.set()
    assert occupied.result(DEADLINE)
    thread.compute(lambda: None, DEADLINE)
    assert begun == []


def test_a_cancelled_future_is_skipped(start: Callable[..., ComputeThread]) -> None:
    thread, release = start(), threading.Event()
    thread.submit(lambda: release.wait(DEADLINE))
    future: Future[int] = thread.submit(lambda: 1)
    assert future.cancel()
    release.set()
    assert thread.compute(lambda: 2, DEADLINE) == 2
    with pytest.raises(CancelledError):
        future.result(DEADLINE)


def test_close_ends_the_thread_after_what_waits_already(start: Callable[..., ComputeThread]) -> None:
    thread, done = start(lambda: True), []
    for i in range(10):
        thread.submit(lambda i=i: done.append(i))
    thread.close()
    assert done == list(range(10))
    assert not thread._thread.is_alive()

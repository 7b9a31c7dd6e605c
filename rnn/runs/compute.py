"""The one thread of a server that runs torch.

Ten threads that use torch make twenty and more operating-system threads that fight for the cores; one thread that
takes turns does not slow the pages. Short computations (`compute`) go first, then one slice of training at a time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from rnn.errors import BusyError

T = TypeVar("T")


class ComputeThread:
    """Runs functions in order on a thread of its own, and `work` whenever none is waiting.

    Args:
        work: does a short piece of background work; returns False when there is none, and is then not called again
            before the next function, or before `idle_seconds` have passed.
        idle_seconds: after which a thread at rest asks for work by itself; None: never.
    """

    def __init__(self, work: Callable[[], bool], idle_seconds: float | None = None) -> None:
        self._work = work
        self._idle_seconds = idle_seconds
        self._waiting: SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._loop, name="rnn-compute", daemon=True)
        self._thread.start()

    def submit(self, function: Callable[[], T]) -> Future[T]:
        """Hands `function` over and returns at once. It must call nothing of Streamlit's."""
        future: Future[T] = Future()
        self._waiting.put((function, future))
        return future

    def compute(self, function: Callable[[], T], timeout: float = 60.0) -> T:
        """What `function` returns or raises, once the thread has come to it.

        Raises:
            BusyError: it took longer than `timeout` seconds. If it had not begun by then, it never will.
        """
        if threading.current_thread() is self._thread:
            return function()
        future = self.submit(function)
        try:
            return future.result(timeout)
        except TimeoutError as error:
            if future.done():
                raise  # the function's own
            raise BusyError("The server is busy with other computations. Try again in a moment.") from error
        finally:
            future.cancel()  # nobody waits for it any more; one that has begun or ended is left alone

    def close(self, timeout: float = 10.0) -> None:
        """Ends the thread after the functions that wait already."""
        self._waiting.put(None)
        self._thread.join(timeout)

    def _loop(self) -> None:
        busy = True
        while True:
            try:
                job = self._waiting.get(not busy, self._idle_seconds)
            except Empty:
                busy = self._work()
                continue
            if job is None:
                return
            function, future = job
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(function())
                except BaseException as error:  # whatever it is belongs to the caller, who waits for it
                    future.set_exception(error)
            busy = True

"""A visitor without a browser: speaks Streamlit's protocol over a websocket, as its frontend does.

What is drawn is collected, fragments with `run_every` are asked for again by themselves, and what an element or the
server complains about is kept in `complaints`. Written against Streamlit 1.67.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self

from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

PATIENCE = 60.0  # seconds for an answer


class Visitor:
    """One session: `async with Visitor(port, "Train") as visitor`, which has then seen the page.

    Attributes:
        query: the page's query string, as the script last set it.
        ticks: (when, seconds) of every rerun that `run_every` asked for: when it was due, how long until it had ended.
        lost: runs of the whole page whose end the server did not send.
        complaints: exceptions and errors on the page, in words.
    """

    def __init__(self, port: int, page: str) -> None:
        self.query = ""
        self.ticks: list[tuple[float, float]] = []
        self.lost = 0
        self.complaints: list[str] = []
        self._address, self._page, self._page_hash = f"127.0.0.1:{port}", page, ""
        self._elements: dict[tuple[int, ...], tuple[Element, str]] = {}  # place: element, fragment
        self._values: dict[str, WidgetState] = {}
        self._timers: dict[str, asyncio.Task[None]] = {}  # by fragment
        self._asked: list[tuple[str, asyncio.Future[None]]] = []  # reruns under way: fragment or "", its end
        self._page_runs = False
        self._ended = asyncio.Condition()  # notified at the end of every rerun

    async def __aenter__(self) -> Self:
        self._socket = await connect(
            f"ws://{self._address}/_stcore/stream", origin=f"http://{self._address}", subprotocols=["streamlit"],
            max_size=None, proxy=None,
        )  # fmt: skip
        self._reader = asyncio.create_task(self._read())
        await self.rerun()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stop_timers(list(self._timers))
        await self._socket.close()
        await self._reader

    # What a visitor does

    async def rerun(self, fragment: str = "", click: str = "", automatic: bool = False) -> float:
        """Asks for a run of the page or of one fragment; returns the seconds until it has ended.

        Args:
            click: id of the button that asks.
            automatic: a timer asks.
        """
        message = BackMsg()
        request = message.rerun_script
        request.query_string, request.fragment_id, request.is_auto_rerun = self.query, fragment, automatic
        # A cold deep link knows the page's name, everything after it the hash.
        request.page_script_hash, request.page_name = self._page_hash, "" if self._page_hash else self._page
        request.widget_states.widgets.extend(self._values.values())
        if click:
            request.widget_states.widgets.add(id=click, trigger_value=True)
        request.context_info.timezone, request.context_info.locale = "UTC", "en-US"
        request.context_info.url = f"http://{self._address}/{self._page}"
        request.context_info.color_scheme = "light"
        # No cached_message_hashes: without them the server sends every element whole, never a reference.
        ended = asyncio.get_running_loop().create_future()
        self._asked.append((fragment, ended))
        started = time.perf_counter()
        async with asyncio.timeout(PATIENCE):
            await self._socket.send(message.SerializeToString())
            await ended
        return time.perf_counter() - started

    async def go(self, page: str) -> float:
        """Goes to another page; returns the seconds until it is there."""
        self._page, self._page_hash = page, ""
        return await self.rerun()

    def enter(self, name: str, value: float) -> None:
        """Types into a number input; the next rerun brings it along."""
        widget, _ = self._find(name)
        self._values[widget.id] = WidgetState(id=widget.id, double_value=value)

    def forge(self, value: WidgetState | None) -> None:
        """Claims a value for a widget, whatever the widget would let one enter; None: claims nothing any more."""
        if value is None:
            self._values.clear()
        else:
            self._values[value.id] = value

    async def click(self, name: str) -> float:
        """Presses a button; returns the seconds until the rerun has ended.

        In a fragment that a timer asks for too, it may be the timer's rerun that has: `until` waits for the effect.
        """
        widget, fragment = self._find(name)
        if widget.disabled:
            raise RuntimeError(f"The button {name!r} is disabled. {' '.join(self.complaints)}")
        return await self.rerun(fragment, widget.id)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Waits until a rerun has ended after which the condition holds."""
        try:
            async with asyncio.timeout(PATIENCE), self._ended:
                await self._ended.wait_for(condition)
        except TimeoutError:
            raise TimeoutError(f"Waited for {PATIENCE:.0f} s. {' '.join(self.complaints)}") from None

    def drawn(self, kind: str) -> list[Any]:
        """What is on the page of one kind ("plotly_chart", "button" ...)."""
        return [getattr(e, kind) for e, _ in self._elements.values() if e.WhichOneof("type") == kind]

    def widgets(self) -> list[tuple[str, Any, str]]:
        """What can be operated on the page: its kind, itself, and the fragment it is in."""
        found = []
        for element, fragment in self._elements.values():
            kind = element.WhichOneof("type") or ""
            widget = getattr(element, kind, None)
            if getattr(widget, "id", ""):
                found.append((kind, widget, fragment))
        return found

    def _find(self, name: str) -> tuple[Any, str]:
        """The widget with this label or this key, and the fragment it is in."""
        for element, fragment in self._elements.values():
            widget = getattr(element, element.WhichOneof("type") or "", None)
            # An id is "$$ID-hash-key".
            if name in (getattr(widget, "label", None), *getattr(widget, "id", "").split("-", 2)[2:]):
                return widget, fragment
        raise LookupError(f"There is no widget {name!r} on the page. {' '.join(self.complaints)}")

    # What the server says

    async def _read(self) -> None:
        reason: Exception = ConnectionError("The server closed the connection.")
        try:
            with suppress(ConnectionClosed):
                async for data in self._socket:
                    await self._take(ForwardMsg.FromString(data))
        except Exception as error:
            reason = error
        for _, ended in self._asked:
            if not ended.done():
                ended.set_exception(reason)

    async def _take(self, message: ForwardMsg) -> None:
        match message.WhichOneof("type"):
            case "new_session" if message.metadata.run.fragment_ids:
                if self._page_runs:
                    # The page's run is over, its end never came: under load, a fragment that asks just then makes
                    # Streamlit drop it (streamlit/streamlit#9921).
                    self.lost += 1
                    await self._end(())
            case "new_session":
                self._page_runs = True
                self._elements.clear()
                self._stop_timers(list(self._timers))
            case "navigation":
                self._page_hash = message.navigation.page_script_hash
            case "delta":
                self._draw(message)
            case "page_info_changed":
                self.query = message.page_info_changed.query_string
            case "auto_rerun":
                fragment, interval = message.auto_rerun.fragment_id, message.auto_rerun.interval
                if fragment not in self._timers:
                    self._timers[fragment] = asyncio.create_task(self._tick(fragment, interval))
            case "stop_auto_rerun":
                self._stop_timers(message.stop_auto_rerun.fragment_ids)
            case "script_finished" if message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                await self._end(message.metadata.run.fragment_ids)
            case "session_event" if message.session_event.HasField("script_compilation_exception"):
                self.complaints.append(message.session_event.script_compilation_exception.message)
            case "page_not_found" | "ref_hash" as kind:
                self.complaints.append(f"The server sent {kind}.")

    def _draw(self, message: ForwardMsg) -> None:
        delta = message.delta
        if delta.WhichOneof("type") != "new_element":
            return
        element = delta.new_element
        self._elements[tuple(message.metadata.delta_path)] = element, delta.fragment_id
        kind = element.WhichOneof("type")
        if kind == "exception":
            self.complaints.append(f"{element.exception.type}: {element.exception.message}")
        elif kind == "alert" and element.alert.format == Alert.ERROR:
            self.complaints.append(element.alert.body)
        elif kind == "toast" and "error" in element.toast.icon:
            self.complaints.append(element.toast.body)

    async def _end(self, fragments: Any) -> None:
        """A run has ended: that of the whole page answers whatever was asked before."""
        self._page_runs = self._page_runs and bool(fragments)
        answered = [asked for asked in self._asked if not fragments or asked[0] in fragments]
        self._asked = [asked for asked in self._asked if asked not in answered]
        for _, ended in answered:
            if not ended.done():
                ended.set_result(None)
        async with self._ended:
            self._ended.notify_all()

    async def _tick(self, fragment: str, interval: float) -> None:
        """Asks for a fragment at fixed times; one that is still under way then is asked for again when it has ended."""
        due = time.perf_counter()
        while True:
            due = max(due + interval, time.perf_counter() - interval)
            await asyncio.sleep(due - time.perf_counter())
            try:
                await self.rerun(fragment, automatic=True)
            except (TimeoutError, OSError, ConnectionClosed) as error:
                self.complaints.append(f"A fragment got no answer: {error!r}")
                return
            self.ticks.append((due, time.perf_counter() - due))

    def _stop_timers(self, fragments: Any) -> None:
        for fragment in fragments:
            if fragment in self._timers:
                self._timers.pop(fragment).cancel()

"""The client of `python -m benchmarks load`: what it makes of the messages that Streamlit sends."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks.streamlit_client import Visitor


class Socket:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[BackMsg] = []

    async def send(self, data: bytes) -> None:
        self.sent.append(BackMsg.FromString(data))


def talk(conversation: Callable[[Visitor, Socket], Awaitable[None]]) -> Visitor:
    async def main() -> Visitor:
        visitor = Visitor(1, "Train")
        visitor._socket = socket = Socket()
        await conversation(visitor, socket)
        visitor._stop_timers(list(visitor._timers))
        return visitor

    return asyncio.run(main())


def begins(*fragments: str) -> ForwardMsg:
    message = ForwardMsg()
    message.new_session.name = "app"
    message.metadata.run.fragment_ids.extend(fragments)
    return message


def ends(*fragments: str, status: int = ForwardMsg.FINISHED_SUCCESSFULLY) -> ForwardMsg:
    message = ForwardMsg(script_finished=status)
    message.metadata.run.fragment_ids.extend(fragments)
    return message


def drawn(place: int, fragment: str = "", **fields: object) -> ForwardMsg:
    message = ForwardMsg()
    message.metadata.delta_path.append(place)
    message.delta.fragment_id = fragment
    for name, value in fields.items():
        kind, _, field = name.partition("__")
        setattr(getattr(message.delta.new_element, kind), field, value)
    return message


def test_complaints_of_the_page_are_kept() -> None:
    async def conversation(visitor: Visitor, socket: Socket) -> None:
        await visitor._take(drawn(0, alert__body="be careful", alert__format=Alert.WARNING))
        await visitor._take(drawn(1, alert__body="too large", alert__format=Alert.ERROR))
        await visitor._take(drawn(2, exception__type="ValueError"))
        await visitor._take(ForwardMsg(ref_hash="abc"))

    complaints = talk(conversation).complaints
    assert complaints == ["too large", "ValueError: ", "The server sent ref_hash."]


def test_a_click_names_its_fragment_and_waits_for_the_whole_page_if_that_reruns() -> None:
    async def conversation(visitor: Visitor, socket: Socket) -> None:
        await visitor._take(drawn(0, number_input__label="Steps", number_input__id="$$ID-abc-train_steps"))
        await visitor._take(drawn(1, "f", button__label="Stop", button__id="$$ID-def-run-stop"))
        visitor.enter("train_steps", 7)
        click = asyncio.create_task(visitor.click("run-stop"))
        await asyncio.sleep(0)
        for message in (begins("f"), ends("f", status=ForwardMsg.FINISHED_EARLY_FOR_RERUN), begins()):
            await visitor._take(message)
        await asyncio.sleep(0)
        assert not click.done()
        await visitor._take(ends())
        await click
        (request,) = [message.rerun_script for message in socket.sent]
        assert (request.page_name, request.fragment_id) == ("Train", "f")
        states = {state.id: state for state in request.widget_states.widgets}
        assert states["$$ID-abc-train_steps"].double_value == 7
        assert states["$$ID-def-run-stop"].trigger_value

    talk(conversation)


def test_a_fragment_is_asked_for_until_the_page_runs_again() -> None:
    async def conversation(visitor: Visitor, socket: Socket) -> None:
        message = ForwardMsg()
        message.auto_rerun.fragment_id, message.auto_rerun.interval = "f", 0.01
        await visitor._take(message)
        while not socket.sent:
            await asyncio.sleep(0.01)
        await visitor._take(begins("f"))
        await visitor._take(ends("f", status=ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY))
        await asyncio.sleep(0)
        await visitor._take(begins())
        assert not visitor._timers

    visitor = talk(conversation)
    assert [seconds > 0 for _, seconds in visitor.ticks] == [True]


@pytest.mark.parametrize("is_lost", [False, True])
def test_a_page_whose_end_was_dropped_is_answered_by_the_next_fragment(is_lost: bool) -> None:
    async def conversation(visitor: Visitor, socket: Socket) -> None:
        page = asyncio.create_task(visitor.rerun())
        await asyncio.sleep(0)
        await visitor._take(begins())
        if not is_lost:
            await visitor._take(ends())
        await visitor._take(begins("f"))
        await page

    assert talk(conversation).lost == is_lost

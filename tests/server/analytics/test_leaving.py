"""Work for a client that may go away."""

import asyncio

import pytest
from starlette.types import Message

from server.analytics.leaving import Left, while_wanted


async def never() -> Message:
    await asyncio.Event().wait()
    raise AssertionError


async def test_what_is_done_in_time_is_answered() -> None:
    async def work() -> int:
        return 7

    assert await while_wanted(never, work()) == 7


async def test_what_fails_fails_as_it_is() -> None:
    async def work() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        await while_wanted(never, work())


async def test_work_of_a_client_that_left_is_stopped_before_it_is_told() -> None:
    started, stopped = asyncio.Event(), False

    async def receive() -> Message:
        await started.wait()
        return {"type": "http.disconnect"}

    async def work() -> None:
        nonlocal stopped
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped = True

    with pytest.raises(Left):
        await while_wanted(receive, work())

    assert stopped


async def test_whoever_stops_the_request_stops_the_work() -> None:
    started, stopped = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    request = asyncio.create_task(while_wanted(never, work()))
    await started.wait()
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request

    assert stopped.is_set()

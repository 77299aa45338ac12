"""Work for somebody who may leave: a query nobody waits for is stopped."""

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.types import Receive

T = TypeVar("T")


class Left(Exception):
    """Whoever asked has closed the connection."""


async def while_wanted(receive: Receive, work: Coroutine[Any, Any, T]) -> T:
    """Raises Left, with the work cancelled, once the client is gone. The request's body must have been read."""
    working = asyncio.create_task(work)
    gone = asyncio.create_task(_disconnected(receive))
    try:
        await asyncio.wait((working, gone), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise Left
        return working.result()
    finally:
        for task in (working, gone):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass

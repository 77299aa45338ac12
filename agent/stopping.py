"""A person's wish that a turn ends now, held against whatever it is doing."""

import asyncio
from collections.abc import Callable
from typing import Any


class Stopped(Exception):
    """A person pressed stop."""


class Stop:
    def __init__(self) -> None:
        self._wanted = asyncio.Event()

    def want(self) -> None:
        self._wanted.set()

    async def unless(self, task: "asyncio.Task[Any]", spare: Callable[[], bool] = lambda: False) -> None:
        """Wait for the task, or for the stop, which ends it, or waits where it is not to be ended."""
        stopping = asyncio.create_task(self._wanted.wait())
        try:
            await asyncio.wait((task, stopping), return_when=asyncio.FIRST_COMPLETED)
            if self._wanted.is_set():
                if spare():
                    await asyncio.wait((task,))
                raise Stopped
        finally:
            stopping.cancel()
            if not task.done():
                task.cancel()
                await asyncio.wait((task,))  # what it holds upstream is given back by now
            if self._wanted.is_set() and not task.cancelled():
                task.exception()  # looked at, for nobody else will

    async def sleep(self, seconds: float) -> None:
        await self.unless(asyncio.create_task(asyncio.sleep(seconds)))

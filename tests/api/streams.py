"""A client of the chat's streams, as a browser's EventSource or a program reads them."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx2

from tests.app import Caller, Product

PATIENCE = 120.0


@dataclass(frozen=True, slots=True)
class Event:
    id: int
    name: str
    data: dict[str, Any]


class Stream:
    def __init__(self, response: httpx2.Response) -> None:
        self.response = response
        self._lines = response.aiter_lines()
        self.comments = 0

    async def events(self, until: str | None = None) -> list[Event]:
        """To the end of the stream, or to the first event of a name: then whoever reads may leave."""
        seen: list[Event] = []
        fields: dict[str, str] = {}
        async with asyncio.timeout(PATIENCE):
            async for line in self._lines:
                if line.startswith(":"):
                    self.comments += 1
                elif line:
                    name, _, value = line.partition(": ")
                    fields[name] = value
                elif fields:
                    seen.append(Event(int(fields["id"]), fields["event"], json.loads(fields["data"])))
                    fields = {}
                    if seen[-1].name == until:
                        break
        return seen


@contextlib.asynccontextmanager
async def asked(caller: Caller, message: str, conversation: str | None = None) -> AsyncIterator[Stream]:
    body = {"message": message} | ({"conversationId": conversation} if conversation else {})
    async with caller.http.stream("POST", "/api/v1/ads/chat", json=body) as response:
        yield Stream(response)


@contextlib.asynccontextmanager
async def followed(caller: Caller, conversation: str, after: int | None = None) -> AsyncIterator[Stream]:
    headers = {} if after is None else {"last-event-id": str(after)}
    async with caller.http.stream("GET", f"/api/v1/chat/{conversation}/events", headers=headers) as response:
        yield Stream(response)


async def turn(caller: Caller, message: str, conversation: str | None = None) -> list[Event]:
    async with asked(caller, message, conversation) as stream:
        assert stream.response.status_code == 200, await stream.response.aread()
        return await stream.events()


async def says(product: Product, *turns: dict[str, Any]) -> None:
    """What the model says next."""
    answer = await product.sandbox.post("/anthropic/script", json={"turns": list(turns)})
    assert answer.status_code == 201, answer.text


def first(events: list[Event], name: str) -> dict[str, Any]:
    found = [event.data for event in events if event.name == name]
    assert found, f"no {name} among {[event.name for event in events]}"
    return found[0]

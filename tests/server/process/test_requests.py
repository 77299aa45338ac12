"""What a stop does to requests: those that run have their time, those that come later are to be sent again."""

import asyncio
from typing import Any

from starlette.types import Message, Receive, Scope, Send

from server.process.serving import Requests

PATIENCE = 20


async def test_what_comes_during_a_stop_is_told_to_come_again_and_what_runs_is_finished() -> None:
    begun, over = asyncio.Event(), asyncio.Event()

    async def app(_: Scope, __: Receive, send: Send) -> None:
        begun.set()
        await over.wait()
        await send({"type": "http.response.start", "status": 202, "headers": []})

    requests = Requests(app, {})
    async with asyncio.timeout(PATIENCE):
        running = asyncio.create_task(asked(requests))
        await begun.wait()
        stopping = asyncio.create_task(requests.finish(PATIENCE))
        await asyncio.sleep(0)
        late = await asked(requests)
        over.set()
        await stopping

    assert [message["status"] for message in await running] == [202]
    start, body = late
    assert (start["status"], dict(start["headers"])[b"retry-after"]) == (503, b"1")
    assert int(dict(start["headers"])[b"content-length"]) == len(body["body"])
    assert b'"code":"unavailable"' in body["body"]


async def asked(requests: Requests) -> list[Message]:
    said: list[Message] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        said.append(message)

    await requests({"type": "http", "method": "POST", "path": "/e"}, receive, send)
    return said

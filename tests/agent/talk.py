"""A world with the runner in it, and the sandbox's Messages API behind it on a real socket: streams have to stream."""

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from agent.following import Following
from agent.limits import Limits
from agent.model import Model, ModelSettings
from agent.runs import Runner
from server.sandbox.app import create_app
from tests.agent.prefixes import assert_each_goes_on
from tests.app import _served_new
from tests.world import OWNER, Clock, World, open_world
from tools.authority import Principal
from tools.conversations.model import Asked
from tools.secret import Secret
from tools.store.tables import chat_messages, chat_results, chat_sessions
from tools.store.tenant import Rows

NEVER = 3600.0
PATIENCE = 120.0
"""Seconds after which a test that waits for an event has failed."""


@dataclass(frozen=True, slots=True)
class Event:
    id: int
    name: str
    data: dict[str, Any]


@dataclass
class Talk:
    world: World
    runner: Runner
    model_url: str
    settings: ModelSettings
    limits: Limits
    http: httpx2.AsyncClient
    renew_seconds: float
    standing: dict[str, Principal | None] = field(default_factory=dict)

    async def says(self, *turns: dict[str, Any]) -> None:
        """What the model says next, an answer for each call."""
        answer = await self.http.post("/script", json={"turns": list(turns)})
        assert answer.status_code == 201, answer.text

    async def start(
        self, message: str, conversation: str | None = None, *, by: Principal = OWNER, surface: str = "ads"
    ) -> Following:
        asked = {"message": message} | ({"conversationId": conversation} if conversation else {})
        return await self.runner.start(self.world.context(by), surface, lambda: Asked.of(asked))

    async def ask(
        self, message: str, conversation: str | None = None, *, by: Principal = OWNER, surface: str = "ads"
    ) -> list[Event]:
        """A turn to the end of its run."""
        return await collected(await self.start(message, conversation, by=by, surface=surface))

    async def follow(self, conversation: str, after: int | None = None) -> list[Event]:
        """Until nothing is open any more."""
        return await collected(await self.runner.follow(self.world.context(OWNER), conversation, after))

    async def resumed(self, conversation: str, after: int) -> list[Event]:
        """What a decision led to, to the end of that run."""
        await self.runner.sweep()
        following = await self.runner.follow(self.world.context(OWNER), conversation, after)
        return await collected(following, until="done")

    async def approve(self, approval: dict[str, Any], **more: Any) -> None:
        await self.world.call(OWNER, "approve", approval_id=approval["id"], **more)

    async def requests(self) -> list[bytes]:
        """The bodies that the model was sent, as they came, oldest first."""
        seen = (await self.http.get("/requests")).json()
        return [request["text"].encode() for request in seen if request["path"].endswith("/messages")]

    async def rows(self, table: Any, conversation: str) -> list[Any]:
        rows = Rows(self.world.store, "wsp_north")
        column = table.c.id if table is chat_sessions else table.c.conversation_id
        return await rows.all(rows.select(table).where(column == conversation))

    async def messages(self, conversation: str) -> list[Any]:
        return sorted(await self.rows(chat_messages, conversation), key=lambda row: row.seq)

    async def results(self, conversation: str) -> dict[str, Any]:
        return {row.tool_use_id: row for row in await self.rows(chat_results, conversation)}

    async def session(self, conversation: str) -> Any:
        (row,) = await self.rows(chat_sessions, conversation)
        return row

    async def restart(self) -> None:
        """Another process takes over: everything but the rows is gone."""
        await self.runner.close()
        self.runner = self._runner()

    def _runner(self) -> Runner:
        async def standing(principal: Principal) -> Principal | None:
            return self.standing.get(principal.id, principal)

        return Runner(
            self.world.door,
            self.world.store,
            Model(self.settings),
            standing=standing,
            report=lambda _, error: self.world.reported.append(error),
            limits=self.limits,
            renew_seconds=self.renew_seconds,
        )


async def collected(following: Following, until: str | None = None, count: int | None = None) -> list[Event]:
    """To the end, or to the first event of a name, or so many."""
    seen: list[Event] = []
    try:
        async with asyncio.timeout(PATIENCE):
            while not following.over:
                for row in await following.next(1.0):
                    seen.append(Event(row.seq, row.name, json.loads(row.data)))
                    if seen[-1].name == until or len(seen) == count:
                        return seen
    finally:
        following.close()
    return seen


@contextlib.asynccontextmanager
async def open_talk(
    path: Path, *, limits: Limits | None = None, retries: int = 0, renew_seconds: float = NEVER, **world_has: Any
) -> AsyncIterator[Talk]:
    """A lease is renewed by what a run writes; in between only where a test says how often."""
    clock = Clock()
    sandbox = create_app(now=clock)
    async with contextlib.AsyncExitStack() as stack:
        url = await stack.enter_async_context(_served_new(sandbox))
        world = await stack.enter_async_context(open_world(path, clock=clock, sandbox=sandbox, **world_has))
        # Without certificates, as nothing here speaks TLS: to load them takes longer than a turn.
        bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        http = await stack.enter_async_context(httpx2.AsyncClient(base_url=f"{url}/anthropic", verify=bare))
        key = (await world.sandbox.get("/")).json()["anthropic"]["api_key"]
        settings = ModelSettings(
            api_key=Secret(key),
            base_url=f"{url}/anthropic",
            model="claude-sonnet-5-5",
            effort="medium",
            retries=retries,
        )
        talk = Talk(world, None, url, settings, limits or Limits(), http, renew_seconds)  # type: ignore[arg-type]  # made in the next line
        talk.runner = talk._runner()
        try:
            yield talk
            assert_each_goes_on((await http.get("/requests")).json())
        finally:
            await talk.runner.close()


def text(words: str, **more: Any) -> dict[str, Any]:
    return {"blocks": [{"type": "text", "text": words}], **more}


def calls(*named: tuple[str, dict[str, Any]], thinking: str = "Let me look.", **more: Any) -> dict[str, Any]:
    blocks: list[dict[str, Any]] = [{"type": "thinking", "thinking": thinking}] if thinking else []
    return {"blocks": [*blocks, *({"type": "tool_use", "name": name, "input": given} for name, given in named)], **more}


def names(events: Sequence[Event]) -> list[str]:
    """With words joined: how many pieces they come in says nothing."""
    return [
        event.name
        for at, event in enumerate(events)
        if not (event.name.endswith("_delta") and at and events[at - 1].name == event.name)
    ]


def said(events: Sequence[Event]) -> str:
    return "".join(event.data["text"] for event in events if event.name == "text_delta")


def first(events: Sequence[Event], name: str) -> dict[str, Any]:
    found = [event.data for event in events if event.name == name]
    assert found, f"no {name} among {names(events)}"
    return found[0]

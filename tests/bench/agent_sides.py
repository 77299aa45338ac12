"""The two clients of the Messages API that are compared, each a process of its own: `… ours|bare URL KEY`.

A line on stdin is a number of turns; the answer is one JSON line, the CPU seconds they took. Each turn is three calls.
"""

import asyncio
import contextlib
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import uvloop
from anthropic import AsyncAnthropic

from agent.model import Model, ModelSettings
from agent.runs import Runner
from agent.snapshot import snapshot
from tests.world import OWNER, World, open_world
from tools.authority import Principal
from tools.catalog import catalog
from tools.conversations.model import Asked
from tools.finding import shown
from tools.secret import Secret
from tools.store.tables import workspaces
from tools.surfaces import ads_chat

MODEL = "claude-sonnet-5-5"
CALLS_A_TURN = 3
QUESTION = "Who am I, and what is connected?"

Turn = Callable[[], Awaitable[None]]


async def ours(url: str, key: str) -> None:
    """The whole of it: rows, events, leases, audit, and two tools through the door."""
    async with house(url, key) as (world, runner):

        async def turn() -> None:
            world.clock.pass_by(seconds=4)  # twenty a minute
            following = await runner.start(world.context(OWNER), "ads", lambda: Asked(message=QUESTION))
            while not following.over:
                await following.next(10)
            following.close()

        await _serve(turn)


@contextlib.asynccontextmanager
async def house(url: str, key: str) -> AsyncIterator[tuple[World, Runner]]:
    """A runner over a store of its own, whose workspace has no quota of turns."""
    with tempfile.TemporaryDirectory() as name:
        async with open_world(Path(name), connected=False) as world:
            unlimited = world.context(OWNER).rows.update(workspaces).values(plan="scale")
            await world.store.write(lambda tx: tx.run(unlimited))
            settings = ModelSettings(api_key=Secret(key), base_url=url, model=MODEL, effort="medium")

            async def standing(principal: Principal) -> Principal | None:
                return principal

            runner = Runner(world.door, world.store, Model(settings), standing=standing, report=_escaped)
            yield world, runner
            await runner.close()


async def bare(url: str, key: str) -> None:
    """The SDK's own stream helper over the same requests, which keeps nothing and asks nobody."""
    taken = snapshot("ads", shown(ads_chat(catalog)))
    system, tools = json.loads(taken.system), json.loads(taken.tools)
    async with AsyncAnthropic(api_key=key, base_url=url) as client:

        async def turn() -> None:
            messages: list[Any] = [{"role": "user", "content": [{"type": "text", "text": QUESTION}]}]
            while True:
                async with client.messages.stream(
                    model=MODEL, max_tokens=16_000, system=system, tools=tools, messages=messages,
                    thinking={"type": "adaptive", "display": "summarized"}, output_config={"effort": "medium"},
                    cache_control={"type": "ephemeral"},
                ) as stream:  # fmt: skip
                    async for _ in stream:
                        pass
                    message = await stream.get_final_message()
                if message.stop_reason != "tool_use":
                    return
                messages.append({"role": "assistant", "content": [block.to_dict() for block in message.content]})
                results = [
                    {"type": "tool_result", "tool_use_id": block.id, "content": "{}"}
                    for block in message.content
                    if block.type == "tool_use"
                ]
                messages.append({"role": "user", "content": results})

        await _serve(turn)


async def _serve(turn: Turn) -> None:
    while line := await asyncio.to_thread(sys.stdin.readline):
        before = time.process_time()
        for _ in range(int(line)):
            await turn()
        sys.stdout.write(json.dumps({"cpu": time.process_time() - before}) + "\n")
        sys.stdout.flush()


def _escaped(request_id: str, error: BaseException) -> None:
    raise RuntimeError(request_id) from error


if __name__ == "__main__":
    uvloop.run({"ours": ours, "bare": bare}[sys.argv[1]](sys.argv[2], sys.argv[3]))

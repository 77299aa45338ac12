"""Many turns at once in one process on one core, each followed by several: `… URL KEY TURNS` tells what they missed."""

import asyncio
import json
import os
import random
import sys
import time

import uvloop

from agent.runs import Runner
from tests.bench.agent_sides import QUESTION, house
from tests.world import principal
from tools.context import Context
from tools.conversations.model import Asked
from tools.conversations.store import events

FOLLOWERS = 2


async def follow(context: Context, runner: Runner, conversation: str) -> list[int]:
    """From the beginning to the end, with many a connection in between."""
    seen: list[int] = []
    over = False
    while not over:
        following = await runner.follow(context, conversation, seen[-1] if seen else 0)
        pieces = random.randint(1, 4)
        while not (over := following.over) and pieces:
            seen += [row.seq for row in await following.next(10)]
            pieces -= 1
        following.close()
    return seen


async def turn(context: Context, runner: Runner) -> tuple[str, list[list[int]]]:
    """What each follower saw; who asked stays to the end."""
    asked = await runner.start(context, "ads", lambda: Asked(message=QUESTION))
    first = list(await asked.next(10))
    conversation = str(json.loads(first[0].data)["conversationId"])
    others = [asyncio.create_task(follow(context, runner, conversation)) for _ in range(FOLLOWERS)]
    seen = [row.seq for row in first]
    while not asked.over:
        seen += [row.seq for row in await asked.next(10)]
    asked.close()
    return conversation, [seen, *[await other for other in others]]


async def main(url: str, key: str, turns: int) -> None:
    os.sched_setaffinity(0, {0})
    async with house(url, key) as (world, runner):
        people = [world.context(principal(user=f"usr_{number}")) for number in range(turns)]  # twenty a minute each
        await turn(world.context(principal()), runner)  # the first loads the SDK
        wall, cpu = time.monotonic(), time.process_time()
        found = await asyncio.gather(*(turn(person, runner) for person in people))
        wall, cpu = time.monotonic() - wall, time.process_time() - cpu
        expected = wrong = 0
        for conversation, followers in found:
            kept = [row.seq for row in await events(people[0].rows, conversation, 0)]
            for seen in followers:
                expected += len(kept)
                wrong += len(set(kept) ^ set(seen)) + len(seen) - len(set(seen))
    sys.stdout.write(json.dumps({"expected": expected, "wrong": wrong, "wall": wall, "cpu": cpu}))


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))

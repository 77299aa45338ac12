"""The embedded analytics store as a child of the owner, wherever no other store is set."""

import asyncio
from pathlib import Path

from server.analytics.access import embedded
from server.process.children import Child, Children, alive
from server.process.environment import variables
from server.process.files import read_json
from server.process.spawning import module

HEARTBEAT_SECONDS = 2.0
START_SECONDS = 30.0
_LOOK_EVERY = 0.05
END_SECONDS = 2.5


def store(directory: Path, children: Children) -> None:
    """Started or adopted, without waiting for it."""
    known = variables(directory)
    if not embedded(known):
        return
    child = Child(
        name="analytics",
        command=module("server.analytics", "--data", str(directory)),
        # It starts in the data directory, from where an .env beside us is not seen.
        environment={name: known[name] for name in ("CLICKHOUSE_URL",) if name in known},
        heartbeat_seconds=HEARTBEAT_SECONDS,
        end_seconds=END_SECONDS,
    )
    children.keep(child)


async def announced(directory: Path, seconds: float = START_SECONDS) -> dict[str, str]:
    """Where it answers and what opens it, waited for as long; nothing where it does not come or is not wanted."""
    if not embedded(variables(directory)):
        return {}
    try:
        async with asyncio.timeout(seconds):
            while True:
                known = read_json(directory / "analytics.json")
                if "admin_token" in known and await asyncio.to_thread(alive, str(known["url"])):
                    return {"analytics_url": str(known["url"]), "analytics_token": str(known["admin_token"])}
                await asyncio.sleep(_LOOK_EVERY)
    except TimeoutError:
        return {}

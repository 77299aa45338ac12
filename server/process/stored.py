"""The embedded analytics store as a child of the owner, wherever no other store is set."""

from pathlib import Path

from server.analytics.access import embedded
from server.process.children import Child, Children
from server.process.environment import variables
from server.process.spawning import module

HEARTBEAT_SECONDS = 5.0
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

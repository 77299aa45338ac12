"""A website of a workspace, under the id that the published examples name."""

from typing import Any

from tests.world import World
from tools.store.tables import websites
from tools.store.tenant import Rows

SITE = "admx_123"
THEIRS = "admx_456"


async def add_site(world: World, identifier: str = SITE, workspace: str = "wsp_north", **values: Any) -> str:
    rows = Rows(world.store, workspace)
    row = {
        "id": identifier, "domain": f"{identifier[5:]}.example.com", "name": "Main site", "time_zone": "UTC",
        "currency": "USD", "settings": {}, "created_at": world.clock.milliseconds(),
    }  # fmt: skip
    await world.store.write(lambda tx: tx.run(rows.insert(websites, **(row | values))))
    return identifier

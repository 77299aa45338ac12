"""The demo's website, made as a person makes one, and the visits it would have had, brought from the sandbox."""

import time
from collections import defaultdict
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import orjson

from server.analytics.client import TinybirdClient
from server.process.files import read_json, write_private
from tools.errors import CapabilityError, Unavailable

DOMAIN = "outlet.northwind.example"
_WEBSITE = {
    "domain": DOMAIN, "name": "Northwind Outlet (made up)", "time_zone": "America/Los_Angeles", "currency": "USD",
    "allow_localhost": True,
}  # fmt: skip
_FILE = "visits.json"
_ROWS_AT_ONCE = 5_000

Row = dict[str, Any]


async def open_shop(directory: Path, person: httpx2.AsyncClient, pipes: TinybirdClient, sandbox_url: str) -> str:
    """The website's id, its visits stored. `person` is signed in."""
    listed = (await person.get("/api/v1/pixel/websites")).raise_for_status().json()["data"]
    website = next((each["id"] for each in listed if each["domain"] == DOMAIN), None)
    if website is None:
        made = await person.post("/api/v1/pixel/websites", json=_WEBSITE)
        website = made.raise_for_status().json()["data"]["id"]
    workspace = (await person.get("/api/v1/me")).raise_for_status().json()["data"]["workspaceId"]
    await _bring_visits(directory, pipes, sandbox_url, website_id=website, workspace_id=workspace)
    return str(website)


async def _bring_visits(
    directory: Path, pipes: TinybirdClient, sandbox_url: str, *, website_id: str, workspace_id: str
) -> None:
    """Those since the last time; the whole history the first time. Raises Unavailable: then the next start goes on."""
    path = directory / _FILE
    known = read_json(path)
    until = time.time_ns() // 1_000_000
    asked: dict[str, str | int] = {
        "website_id": website_id, "workspace_id": workspace_id, "host": DOMAIN, "until": until,
    }  # fmt: skip
    if known.get("website_id") == website_id:
        asked["after"] = int(known["until"])
    try:
        async for datasource, rows in _batches(sandbox_url, asked):
            await pipes.append(datasource, rows)
        await pipes.copy()
    except (CapabilityError, httpx2.HTTPError) as error:
        raise Unavailable(f"The shop's visits could not be stored: {error}", fix="Start the demo again.") from error
    write_private(path, orjson.dumps({"website_id": website_id, "until": until}).decode())


async def _batches(sandbox_url: str, asked: dict[str, str | int]) -> AsyncIterator[tuple[str, list[Row]]]:
    waiting: defaultdict[str, list[Row]] = defaultdict(list)
    async with (
        httpx2.AsyncClient(base_url=sandbox_url, trust_env=False, timeout=60) as sandbox,
        sandbox.stream("GET", "/visits", params=asked) as answer,
    ):
        async for line in answer.raise_for_status().aiter_lines():
            for datasource, rows in orjson.loads(line).items():
                waiting[datasource] += rows
                if len(waiting[datasource]) >= _ROWS_AT_ONCE:
                    yield datasource, waiting.pop(datasource)
    for datasource, rows in waiting.items():
        yield datasource, rows

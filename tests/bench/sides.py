"""The servers that are compared, each a process of its own on the product's own server:
`python -m tests.bench.sides ours|bare DIRECTORY` writes one JSON line about itself and serves until it is stopped."""

import asyncio
import json
import logging
import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

import asyncpg
import orjson
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from server.app import create_app
from server.house import House
from server.process.serving import Stop, serve
from server.settings import Settings
from tools import ids
from tools.authority import Role, Scope
from tools.keys.format import mint
from tools.secret import Secret
from tools.store.sealing import generate_key
from tools.store.tables import api_keys, memberships, users, workspaces

NOWHERE: Mapping[str, str] = MappingProxyType({})
KEYS = 200
"""A key may be used 100,000 times a minute: enough of them that no benchmark meets its own limit."""


async def ours(directory: Path, url: str, listener: socket.socket, database: Mapping[str, str] = NOWHERE) -> None:
    settings = Settings.read(directory, {"ENCRYPTION_KEYS": generate_key("k1"), "PUBLIC_URL": url, **database})
    opened: list[House] = []

    def extra(house: House) -> tuple[()]:
        opened.append(house)
        return ()

    app = create_app(settings, local_token=Secret("adw_local_" + "b" * 43), extra=extra)

    def ready(_: Stop) -> None:
        tasks.append(asyncio.create_task(_tell_with_keys(opened[0])))

    tasks: list[asyncio.Task[None]] = []
    await serve(app, listener, ready=ready, draining=lambda: None)


async def _tell_with_keys(house: House) -> None:
    workspace, user, made = ids.new("wsp"), ids.new("usr"), [mint() for _ in range(KEYS)]

    async def work(tx: Any) -> None:
        await tx.run(workspaces.insert().values(id=workspace, name="Bench", created_at=1))
        await tx.run(users.insert().values(id=user, email="bench@adwright.test", name="Bench", created_at=1))
        await tx.run(
            memberships.insert().values(workspace_id=workspace, user_id=user, role=Role.OWNER.value, created_at=1)
        )
        for key in made:
            row = {
                "id": ids.new("key"), "workspace_id": workspace, "lookup": key.lookup, "prefix": key.prefix,
                "key_hash": key.hash, "name": "Bench", "scopes": sorted(s.value for s in Scope), "policy": "gated",
                "rate": 100_000, "created_by": user, "created_at": 1,
            }  # fmt: skip
            await tx.run(api_keys.insert().values(**row))

    await house.store.write(work)
    _tell(house.settings.public_url, keys=[key.text for key in made])


async def shared(directory: Path, url: str, listener: socket.socket) -> None:
    """The same on PostgreSQL, in a schema that goes with the process."""
    server, schema = os.environ["ADWRIGHT_TEST_DATABASE_URL"], f"bench_{os.getpid()}"
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(f"CREATE SCHEMA {schema}")
        await ours(directory, url, listener, {"DATABASE_URL": f"{server}?{urlencode({'search_path': schema})}"})
    finally:
        await connection.execute(f"DROP SCHEMA {schema} CASCADE")
        await connection.close()


async def bare(body: Path, url: str, listener: socket.socket) -> None:
    """The same bytes from a route that knows nobody, counts nothing and keeps no record."""
    answer = orjson.loads(await asyncio.to_thread(body.read_bytes))

    async def me(_: Request) -> JSONResponse:
        return JSONResponse(answer)

    app: ASGIApp = Starlette(routes=[Route("/api/v1/me", me)])
    await serve(app, listener, ready=lambda _: _tell(url), draining=lambda: None)


def _tell(url: str, **more: Any) -> None:
    sys.stdout.write(json.dumps({"url": url, "pid": os.getpid(), **more}) + "\n")
    sys.stdout.flush()


def main() -> None:
    logging.getLogger("server.identity").setLevel(logging.ERROR)  # refusals are part of the load, a line each is not
    side, path = {"ours": ours, "shared": shared, "bare": bare}[sys.argv[1]], Path(sys.argv[2])
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    uvloop.run(side(path, f"http://127.0.0.1:{listener.getsockname()[1]}", listener))


if __name__ == "__main__":
    main()

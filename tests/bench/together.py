"""What listing 5,000 campaigns of 20 accounts costs: cold beside a bare client that makes the same calls, and cached.

`python -m tests.bench.together ours DIRECTORY SANDBOX` and `… sandbox` are the processes under measurement."""

import asyncio
import itertools
import json
import os
import socket
import sqlite3
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx2
import uvloop
from sqlalchemy import select
from starlette.requests import Request as BareRequest
from starlette.responses import JSONResponse
from starlette.routing import Route

from server.app import create_app
from server.house import House
from server.process.serving import Stop, serve
from server.sandbox.app import create_app as create_sandbox
from server.sandbox.google.seed import crowd
from server.settings import Settings
from tests.bench.load import Load, Request
from tests.bench.processes import Side, settle, started
from tests.bench.table import Row
from tools import ids
from tools.authority import Principal, Role, Scope, Via
from tools.keys.format import mint
from tools.secret import Secret
from tools.store.sealing import generate_key
from tools.store.tables import api_keys, memberships, users, workspaces
from tools.together import AT_ONCE

ACCOUNTS, CAMPAIGNS = 20, 250
COLD, CACHED_MS = 1.2, 2.0
LIST = f"/api/v1/ads/campaigns?limit={ACCOUNTS * CAMPAIGNS}"


def measure(*, quick: bool) -> list[Row]:
    rounds, batches, requests = (3, 3, 20) if quick else (11, 11, 100)
    with (
        tempfile.TemporaryDirectory() as name,
        started(["tests.bench.together", "sandbox"]) as sandbox,
        started(["tests.bench.together", "ours", name, sandbox.url]) as ours,
    ):
        asked = Request.of("GET", LIST, {"authorization": f"Bearer {ours.told['key']}"})
        cold, bare = _cold(ours, asked, sandbox, Path(name) / "adwright.db", rounds)
        load = Load(ours.url, 1)
        cached = _cached(ours, load, asked, batches, requests)
        through_the_door = [_through_the_door(load, requests) for _ in range(batches + 1)]
        load.close()
    what = f"{ACCOUNTS * CAMPAIGNS:,} campaigns in {ACCOUNTS} accounts"
    return [
        Row(f"GET /ads/campaigns, {what}, cold, beside the same calls by a bare client", "ms", cold, bare, COLD),
        Row(
            f"list_campaigns, {what}, cached, in process",
            "ms CPU",
            statistics.median(through_the_door[1:]),
            None,
            CACHED_MS,
        ),
        Row(f"GET /ads/campaigns, {what}, cached, with the 1.7 MB sent over HTTP", "ms CPU", cached),
    ]


def _cold(ours: Side, asked: Request, sandbox: Side, database: Path, rounds: int) -> tuple[float, float]:
    """Median wall ms of both, in turns; the first of each signs in and warms up."""
    own: list[float] = []
    peer: list[float] = []
    calls: list[tuple[str, dict[str, Any]]] = []
    for _ in range(rounds + 1):
        _forget(database)
        load = Load(ours.url, 1)  # anew: on a busy machine the peer's turn takes longer than an idle connection is kept
        started_at = time.perf_counter()
        answer = json.loads(load.one(asked))
        own.append((time.perf_counter() - started_at) * 1000)
        if len(answer["data"]) != ACCOUNTS * CAMPAIGNS or answer["meta"]["cache"]["hit"]:
            raise RuntimeError("that was not the whole list, asked anew")
        calls = calls or _calls_seen(sandbox)
        load.close()
        peer.append(asyncio.run(_bare(sandbox, calls)))
    return statistics.median(own[1:]), statistics.median(peer[1:])


def _forget(database: Path) -> None:
    with sqlite3.connect(database) as connection:
        connection.execute("DELETE FROM insights_cache")
        connection.execute("DELETE FROM campaign_index")


def _calls_seen(sandbox: Side) -> list[tuple[str, dict[str, Any]]]:
    """What ours asked the platform for this list, to be asked again by the bare client."""
    seen = httpx2.get(f"{sandbox.url}/log", params={"kind": "all"}).json()
    lists = [each for each in seen if "campaign.name" in str(each["params"]) and "googleAds:search" in each["path"]]
    return [(each["path"], each["params"]) for each in lists]


async def _bare(sandbox: Side, calls: list[tuple[str, dict[str, Any]]]) -> float:
    google = sandbox.told["google"]
    grant = {name: google[name] for name in ("client_id", "client_secret", "refresh_token")}
    room = asyncio.Semaphore(AT_ONCE)
    async with httpx2.AsyncClient(base_url=f"{sandbox.url}/google", timeout=60) as client:
        token = (await client.post("/token", data=grant | {"grant_type": "refresh_token"})).json()["access_token"]
        headers = {"authorization": f"Bearer {token}", "login-customer-id": sandbox.told["manager"]}

        async def call(path: str, body: dict[str, Any]) -> None:
            async with room:
                (await client.post(path, json=body, headers=headers)).raise_for_status().json()

        started_at = time.perf_counter()
        await asyncio.gather(*(call(path, body) for path, body in calls))
        return (time.perf_counter() - started_at) * 1000


def _cached(ours: Side, load: Load, asked: Request, batches: int, requests: int) -> float:
    """Median CPU ms of the server process for one answer from the cache."""
    spent: list[float] = []
    for _ in range(batches + 1):
        before = ours.cpu()
        sent = load.send(itertools.repeat(asked, requests))
        settle()
        spent.append((ours.cpu() - before) * 1000 / sent)
    if not json.loads(load.one(asked))["meta"]["cache"]["hit"]:
        raise RuntimeError("the cache was not asked")
    return statistics.median(spent[1:])


def _through_the_door(load: Load, calls: int) -> float:
    told: dict[str, float] = json.loads(load.one(Request.of("GET", f"/bench/list?calls={calls}", {})))
    return told["ms"]


def _timed(opened: list[House]) -> Route:
    """CPU ms of one call through the door, all threads, to the bytes a face sends."""

    async def answer(request: BareRequest) -> JSONResponse:
        door, calls = opened[0].door, int(request.query_params["calls"])
        (capability, asked) = door.registry["list_campaigns"], {"limit": ACCOUNTS * CAMPAIGNS}
        person = _person(await _workspace(opened[0]))
        before = time.process_time()
        for _ in range(calls):
            (await door.invoke(capability, door.context(person, ids.request_id()), asked)).wire_json()
        return JSONResponse({"ms": (time.process_time() - before) * 1000 / calls})

    return Route("/bench/list", answer)


async def _serve_ours(directory: Path, sandbox: str, url: str, listener: socket.socket) -> None:
    async with httpx2.AsyncClient() as client:
        google = (await client.get(sandbox)).json()["google"]
    settings = Settings.read(
        directory,
        {
            "ENCRYPTION_KEYS": generate_key("k1"), "PUBLIC_URL": url, "GOOGLE_ADS_URL": google["url"],
            "GOOGLE_TOKEN_URL": google["token_url"], "GOOGLE_CLIENT_ID": google["client_id"],
            "GOOGLE_CLIENT_SECRET": google["client_secret"],
        },
    )  # fmt: skip
    opened: list[House] = []

    def extra(house: House) -> tuple[Route]:
        opened.append(house)
        return (_timed(opened),)

    app = create_app(settings, local_token=Secret("adw_local_" + "b" * 43), extra=extra)
    tasks: list[asyncio.Task[None]] = []

    def ready(_: Stop) -> None:
        tasks.append(asyncio.create_task(_settle_in(opened[0], google["refresh_token"])))

    await serve(app, listener, ready=ready, draining=lambda: None)


async def _settle_in(house: House, refresh_token: str) -> None:
    """A workspace with the connection, and a key to ask with."""
    workspace, user, key = ids.new("wsp"), ids.new("usr"), mint()

    async def work(tx: Any) -> None:
        await tx.run(workspaces.insert().values(id=workspace, name="Bench", created_at=1))
        await tx.run(users.insert().values(id=user, email="bench@adwright.test", name="Bench", created_at=1))
        await tx.run(
            memberships.insert().values(workspace_id=workspace, user_id=user, role=Role.OWNER.value, created_at=1)
        )
        row = {
            "id": ids.new("key"), "workspace_id": workspace, "lookup": key.lookup, "prefix": key.prefix,
            "key_hash": key.hash, "name": "Bench", "scopes": sorted(s.value for s in Scope), "policy": "gated",
            "rate": 100_000, "created_by": user, "created_at": 1,
        }  # fmt: skip
        await tx.run(api_keys.insert().values(**row))

    await house.store.write(work)
    door = house.door
    sent = {"platform": "google", "refresh_token": refresh_token}
    owner = _person(workspace, user)
    await door.invoke(door.registry["create_connection"], door.context(owner, ids.request_id()), sent)
    _tell(house.settings.public_url, key=key.text)


async def _workspace(house: House) -> str:
    found = await house.store.scan(lambda tx: tx.first(select(workspaces.c.id)))
    return str(found.id) if found is not None else ""


def _person(workspace: str, user: str = "usr_bench") -> Principal:
    return Principal(
        id=user, name="Bench", user=user, workspace=workspace, role=Role.OWNER, scopes=Role.OWNER.scopes,
        via=Via.SESSION, rate=100_000,
    )  # fmt: skip


async def _serve_sandbox(url: str, listener: socket.socket) -> None:
    seeds = crowd(ACCOUNTS, CAMPAIGNS)
    app = create_sandbox(google_operations_per_day=10_000_000, google_seeds=seeds)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url=url) as client:
        google = (await client.get("/")).json()["google"]
    manager = next(customer.id for customer in seeds)
    await serve(app, listener, ready=lambda _: _tell(url, google=google, manager=manager), draining=lambda: None)


def _tell(url: str, **more: Any) -> None:
    sys.stdout.write(json.dumps({"url": url, "pid": os.getpid(), **more}) + "\n")
    sys.stdout.flush()


def main() -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    if sys.argv[1] == "sandbox":
        uvloop.run(_serve_sandbox(url, listener))
    else:
        uvloop.run(_serve_ours(Path(sys.argv[2]), sys.argv[3], url, listener))


if __name__ == "__main__":
    main()

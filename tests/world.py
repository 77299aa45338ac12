"""A workspace with people in it, the real door and store, and the sandbox behind the real adapter, in one process."""

import contextlib
import datetime as dt
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import httpx2

from server.platforms.google.adapter import GoogleAdapter
from server.platforms.meta.adapter import MetaAdapter
from server.sandbox.app import create_app as create_sandbox
from tests.analytics import StandInArrivals, StandInPipes
from tests.database import Content, copied_in, database_in, is_new, kept
from tools import ids
from tools.analytics import PipeStore
from tools.authority import Principal, Role, Via
from tools.capability import AnyCapability
from tools.catalog import catalog
from tools.context import Context
from tools.errors import CapabilityError
from tools.fields import Platform
from tools.invoke import Door, Services
from tools.registry import Registry
from tools.secret import Secret
from tools.store.audit import AuditLog
from tools.store.engine import Store
from tools.store.opening import Database, limiter_of, open_store
from tools.store.sealing import KeyRing, generate_key
from tools.store.tables import memberships, users, workspaces
from tools.store.tenant import Rows

NOON = dt.datetime(2026, 11, 20, 12, 0, tzinfo=dt.UTC)
KEYS = generate_key("k1")


class Network(httpx2.ASGITransport):
    """In-process, and able to break as a real one does when the other side stops in mid-answer."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        try:
            return await super().handle_async_request(request)
        except AssertionError as unfinished:  # how the transport says that an answer was begun and never ended
            raise httpx2.RemoteProtocolError("the connection was cut", request=request) from unfinished


class Clock:
    """Stands still until it is told to move."""

    def __init__(self, now: dt.datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> dt.datetime:
        return self.now

    def pass_by(self, **span: float) -> None:
        self.now += dt.timedelta(**span)

    def milliseconds(self) -> int:
        return int(self.now.timestamp() * 1000)


@dataclass(repr=False)  # pytest writes down what a fixture gave it, twice a test
class World:
    path: Path
    clock: Clock
    store: Store
    audit: AuditLog
    door: Door
    sandbox: httpx2.AsyncClient
    meta: MetaAdapter
    reported: list[BaseException] = field(default_factory=list)
    counted: list[tuple[str, str]] = field(default_factory=list)
    pipes: StandInPipes = field(default_factory=StandInPipes)
    arrivals: StandInArrivals = field(default_factory=StandInArrivals)

    async def call(self, principal: Principal, name: str, /, **arguments: Any) -> dict[str, Any]:
        """Through the door, as every face goes; a CapabilityError is raised."""
        output = await self.door.invoke(self.capability(name), self.context(principal), arguments)
        return output.wire()

    async def refusal(self, principal: Principal, name: str, /, **arguments: Any) -> CapabilityError:
        try:
            answer = await self.call(principal, name, **arguments)
        except CapabilityError as error:
            return error
        raise AssertionError(f"{name} was not refused: {answer}")

    async def propose(self, principal: Principal, name: str, /, **arguments: Any) -> dict[str, Any]:
        """The approval of a change that waits for a person."""
        error = await self.refusal(principal, name, **arguments)
        assert error.code == "confirm_required", error.body("req_test")
        approval: dict[str, Any] = error.body("req_test")["approval"]
        return approval

    def capability(self, name: str) -> AnyCapability:
        return self.door.registry[name]

    def context(self, principal: Principal) -> Context:
        return self.door.context(principal, ids.request_id())

    async def connect_google(self, **more: Any) -> dict[str, Any]:
        """A second connection, a second younger than the last."""
        token = (await self.sandbox.get("/")).json()["google"]["refresh_token"]
        self.clock.pass_by(seconds=1)
        sent = {"platform": "google", "refresh_token": token, "name": "Northwind Google"} | more
        return await self.call(OWNER, "create_connection", **sent)

    async def campaigns(self, **filters: Any) -> list[dict[str, Any]]:
        found = await self.call(OWNER, "list_campaigns", limit=500, **filters)
        return list(found["items"])

    async def campaign(self, **wanted: Any) -> dict[str, Any]:
        """The first campaign with these values."""
        return next(c for c in await self.campaigns() if all(c.get(k) == v for k, v in wanted.items()))

    async def audit_rows(self, workspace: str = "wsp_north") -> list[dict[str, Any]]:
        from tools.store.tables import ad_sync_logs  # noqa: PLC0415 - only here

        await self.audit.flush()
        rows = Rows(self.store, workspace)
        found = await rows.all(rows.select(ad_sync_logs).order_by(ad_sync_logs.c.seq))
        return [row.as_dict() for row in found]

    async def writes_seen(self) -> list[dict[str, Any]]:
        """What the platform accepted, in its own words."""
        seen: list[dict[str, Any]] = (await self.sandbox.get("/log")).json()
        return seen

    async def break_next(self, kind: str, target: str = "meta", times: int = 1, **more: Any) -> None:
        answer = await self.sandbox.post("/faults", json={"target": target, "kind": kind, "times": times, **more})
        assert answer.status_code == 201, answer.text


def principal(
    role: Role = Role.OWNER, *, via: Via = Via.SESSION, workspace: str = "wsp_north", **more: Any
) -> Principal:
    name = f"{role}@{workspace}"
    identity = f"usr_{role}" if via is Via.SESSION else f"key_{role}"
    fields: dict[str, Any] = {
        "id": identity, "name": name, "user": f"usr_{role}", "workspace": workspace, "role": role,
        "scopes": role.scopes, "via": via,
    }  # fmt: skip
    return Principal(**(fields | more))


OWNER = principal()
VIEWER = principal(Role.VIEWER)
AGENT = principal(via=Via.MCP)
KEY = principal(via=Via.KEY)
DIRECT_KEY = principal(via=Via.KEY, id="key_direct", direct=True)
STRANGER = principal(workspace="wsp_south", id="usr_south", user="usr_south")


@contextlib.asynccontextmanager
async def open_world(
    path: Path, *, clock: Clock | None = None, registry: Registry = catalog, connected: bool = True,
    google: bool = False, sandbox: Any = None, platforms: Mapping[Platform, Any] | None = None,
    pipes: PipeStore | None = None,
) -> AsyncIterator[World]:  # fmt: skip
    """The same path again is the same workspace, as after a restart; hand the sandbox on to keep its state too. Meta is
    connected, and where asked for Google beside it; `pipes` is a store of analytics in place of the stand-in. What
    most worlds begin with is made once a process, and copied."""
    clock = clock or Clock()
    usual = connected and sandbox is None and platforms is None and registry is catalog and clock.now == NOON
    if usual and is_new(path):
        begun = _BEGUN.get(google) or await _begun(google=google)
        database, clock.now = copied_in(path, begun.content), begun.until
        async with _open(path, database, clock, registry, None, None, pipes) as world:
            yield world
        return
    async with _open(path, database_in(path), clock, registry, sandbox, platforms, pipes) as world:
        await _begin(world, connected=connected, google=google)
        yield world


class Begun(NamedTuple):
    content: Content
    until: dt.datetime


_BEGUN: dict[bool, Begun] = {}


async def _begun(*, google: bool) -> Begun:
    with tempfile.TemporaryDirectory() as name:
        directory, clock = Path(name), Clock()
        async with _open(directory, database_in(directory), clock, catalog, None, None, None) as world:
            await _begin(world, connected=True, google=google)
        _BEGUN[google] = Begun(kept(directory), clock.now)
    return _BEGUN[google]


@contextlib.asynccontextmanager
async def _open(
    path: Path, database: Database, clock: Clock, registry: Registry, sandbox: Any,
    platforms: Mapping[Platform, Any] | None, pipes: PipeStore | None,
) -> AsyncIterator[World]:  # fmt: skip
    store = await open_store(database)
    audit, limiter = AuditLog(store, clock.milliseconds), limiter_of(store, clock.milliseconds)
    transport = Network(sandbox or create_sandbox(now=clock))
    client = httpx2.AsyncClient(transport=transport, base_url="http://sandbox.test")
    simulated = (await client.get("/")).json()
    known = simulated["meta"]
    ads = GoogleAdapter(
        "http://sandbox.test/google", "v26", "http://sandbox.test/google/token", simulated["google"]["client_id"],
        Secret(simulated["google"]["client_secret"]), clock, sleep=_at_once, transport=transport,
    )  # fmt: skip
    meta = MetaAdapter(
        "http://sandbox.test/meta", "v26.0", known["app_id"], Secret(known["app_secret"]), clock,
        sleep=_at_once, transport=transport,
    )  # fmt: skip
    reported: list[BaseException] = []
    counted: list[tuple[str, str]] = []
    stand_in, arrivals = StandInPipes(), StandInArrivals()
    door = Door(
        Services(
            registry=registry,
            store=store,
            audit=audit,
            limiter=limiter,
            keyring=KeyRing.parse(KEYS),
            platforms=platforms or {Platform.META: meta, Platform.GOOGLE: ads},
            clock=clock,
            public_url="http://adwright.test",
            report=lambda _, error: reported.append(error),
            count=lambda event, label: counted.append((event, label)),
            pipes=pipes or stand_in,
            arrivals=arrivals,
        )
    )
    world = World(path, clock, store, audit, door, client, meta, reported, counted, stand_in, arrivals)
    try:
        yield world
    finally:
        await door.settle()
        await meta.aclose()
        await ads.aclose()
        await client.aclose()
        await audit.close()
        await store.close()


async def _begin(world: World, *, connected: bool, google: bool) -> None:
    await _settle_in(world)
    if connected and not (await world.call(OWNER, "list_connections"))["items"]:
        token = (await world.sandbox.get("/")).json()["meta"]["access_token"]
        await world.call(OWNER, "create_connection", platform="meta", access_token=token, name="Northwind")
        if google:
            await world.connect_google()


async def _settle_in(world: World) -> None:
    for workspace in ("wsp_north", "wsp_south"):
        rows = Rows(world.store, workspace)
        now = world.clock.milliseconds()

        async def work(tx: Any, rows: Rows = rows, workspace: str = workspace, now: int = now) -> None:
            await tx.run(rows.insert_once(workspaces, name=workspace, created_at=now))
            for role in Role:
                user = f"usr_{role}" if workspace == "wsp_north" else f"usr_south_{role}"
                await tx.run(_user(user, now))
                await tx.run(rows.insert_once(memberships, user_id=user, role=role, created_at=now))

        await world.store.write(work)


def _user(user: str, now: int) -> Any:
    from sqlalchemy.dialects.postgresql import insert  # noqa: PLC0415 - users belong to no workspace, so not through Rows

    row = {"id": user, "email": f"{user}@adwright.test", "name": user, "created_at": now}
    return insert(users).values(**row).on_conflict_do_nothing()


async def _at_once(seconds: float) -> None:
    """Backing off takes no time here."""


def renamed(person: Principal, **fields: Any) -> Principal:
    return replace(person, **fields)

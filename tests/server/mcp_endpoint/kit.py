"""A registry of four capabilities behind the real door, gate and store, and the endpoint that serves them."""

import asyncio
import contextlib
import datetime as dt
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import httpx2
from pydantic import Field

from server.mcp_endpoint.endpoint import McpEndpoint
from tests.database import database_in
from tests.server.mcp_endpoint.rpc import Rpc
from tools.approval import ConfirmRequired
from tools.authority import Principal, Role, Scope, Via
from tools.capability import GET, PATCH, Effect, Input, Listing, Nothing, Output, Rate, Toolset, read, write
from tools.context import Context
from tools.errors import DirectKeyRefused, InvalidApiKey, MissingAuthorization
from tools.fields import Amount, CampaignId, Cursor, Limit
from tools.invoke import Door, Services
from tools.plan import Change, Operation, Plan
from tools.registry import Registry
from tools.store.audit import AuditLog
from tools.store.engine import Store
from tools.store.opening import limiter_of, open_store
from tools.store.sealing import KeyRing, generate_key
from tools.store.statements import Row as StoredRow
from tools.store.tables import ad_sync_logs, approvals, workspaces

PUBLIC_URL = "http://adwright.test"
VERSION = "0.0.test"
STATE_KEYS = [b"k" * 32]

budgets: dict[str, float] = {}


class Seen:
    """What became of the calls that wait, in order; new for every kit."""

    def __init__(self) -> None:
        self.started: asyncio.Queue[str] = asyncio.Queue()
        self.cancelled: asyncio.Queue[str] = asyncio.Queue()


seen = Seen()


class Row(Output):
    campaign_id: str
    name: str
    daily_budget: float


class Query(Input):
    limit: Limit = 5
    cursor: Cursor | None = None
    padding: Annotated[int, Field(ge=0, le=100_000, description="Characters a name is long.")] = 8


@read(scope=Scope.ADS_READ, rest=GET("/rows"), toolset=Toolset.ADS)
async def list_rows(_: Context, query: Query) -> Listing[Row]:
    """List rows, made up as they are asked for."""
    rows = (Row(campaign_id=f"c{i}", name="ü" * query.padding, daily_budget=12.5) for i in range(query.limit))
    return Listing[Row](items=tuple(rows), next_cursor="more")


class Wait(Input):
    name: Annotated[str, Field(description="What to tell when it is cut short.")]
    steps: Annotated[int, Field(ge=1, le=100, description="Steps to report.")] = 3
    forever: Annotated[bool, Field(description="Whether to go on until cancelled.")] = False


class Waited(Output):
    steps: int


@read(scope=None, rest=GET("/wait"), toolset=Toolset.WORKSPACE)
async def take_steps(context: Context, query: Wait) -> Waited:
    """Report progress a few times, then end, or wait until the caller gives up."""
    for step in range(query.steps):
        await context.progress(step + 1, query.steps, f"step {step + 1}")
    seen.started.put_nowait(query.name)
    try:
        if query.forever:
            await asyncio.Event().wait()
    except asyncio.CancelledError:
        seen.cancelled.put_nowait(query.name)
        raise
    return Waited(steps=query.steps)


@read(scope=None, rest=GET("/broken"), toolset=Toolset.WORKSPACE)
async def break_down(_: Context, query: Wait) -> Waited:
    """Raise what no handler should."""
    raise RuntimeError(f"secret of {query.name}")


class BudgetChange(Input):
    campaign_id: CampaignId
    daily_budget: Amount


class Budget(Output):
    campaign_id: str
    daily_budget: float


async def plan_budget(_: Context, change: BudgetChange) -> Plan[BudgetChange]:
    before, after = budgets.get(change.campaign_id, 10.0), float(change.daily_budget)
    return Plan[BudgetChange](
        input=change,
        summary=f"Set the daily budget of {change.campaign_id} to {after}.",
        changes=(Change(target=change.campaign_id, field="daily_budget", before=before, after=after),),
        operations=(Operation(kind="set_budget", campaign_id=change.campaign_id, fields={"daily_budget": after}),),
    )


@write(
    scope=Scope.ADS_WRITE,
    effect=Effect.CHANGE,
    rest=PATCH("/rows/{campaign_id}"),
    toolset=Toolset.ADS,
    rate=Rate.CAMPAIGN_MUTATION,
    plan=plan_budget,
    idempotent=True,
)
async def set_budget(_: Context, plan: Plan[BudgetChange]) -> Budget:
    """Set the daily budget of a campaign."""
    budgets[plan.input.campaign_id] = float(plan.input.daily_budget)
    return Budget(campaign_id=plan.input.campaign_id, daily_budget=float(plan.input.daily_budget))


class Whoami(Output):
    name: str
    client: str | None = None


@read(scope=None, rest=GET("/me"), toolset=Toolset.WORKSPACE)
async def whoami(context: Context, _: Nothing) -> Whoami:
    """Say who is asking."""
    return Whoami(name=context.principal.name, client=context.principal.client)


@read(scope=Scope.ADS_READ, rest=GET("/connections"), toolset=Toolset.WORKSPACE)
async def list_connections(_: Context, __: Nothing) -> Listing[Row]:
    """List connections; there are none."""
    return Listing[Row](items=())


REGISTRY = Registry((list_rows, set_budget, take_steps, break_down, whoami, list_connections))


def principal(**changes: Any) -> Principal:
    given: dict[str, Any] = {
        "id": "key_1",
        "name": "key of a test",
        "user": "usr_1",
        "workspace": "wsp_1",
        "role": Role.OWNER,
        "scopes": frozenset(Scope),
        "via": Via.MCP,
        "rate": 1_000_000,
    }
    return Principal(**(given | changes))


PERSON = principal(id="usr_1", name="Ada", via=Via.SESSION)


@dataclass
class Kit:
    door: Door
    endpoint: McpEndpoint
    store: Store
    audit: AuditLog
    reported: list[BaseException]
    ahead: list[dt.timedelta]  # how far the clock is set forward
    keys: dict[str, Principal] = field(
        default_factory=lambda: {
            "all": principal(),
            "other": principal(id="key_2"),
            "reader": principal(id="key_3", scopes=frozenset({Scope.ADS_READ})),
        }
    )

    async def resolve(self, scope: Any, *, face: str) -> Principal:
        assert face == "mcp"
        sent = dict(scope["headers"]).get(b"authorization", b"").decode()
        if not sent:
            raise MissingAuthorization("No credential was sent.", fix="Send Authorization: Bearer <API key>.")
        token = sent.removeprefix("Bearer ")
        if token == "direct":
            raise DirectKeyRefused("A key that acts without asking is not for agents.", fix="Use a gated key.")
        if token not in self.keys:
            raise InvalidApiKey("The API key is not known.", fix="Create one on the API keys page.")
        return self.keys[token]

    def rpc(self, key: str = "all", **options: Any) -> Rpc:
        return Rpc(self.http(key), **options)

    def http(self, key: str = "all", *, network: bool = False) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(
            transport=None if network else httpx2.ASGITransport(app=self.endpoint),
            base_url=PUBLIC_URL,
            headers={"authorization": f"Bearer {key}", "accept": "application/json, text/event-stream"},
        )

    def later(self, **span: float) -> None:
        self.ahead[0] += dt.timedelta(**span)

    async def approvals(self) -> list[StoredRow]:
        statement = approvals.select()
        return await self.store.read(lambda tx: tx.all(statement))

    async def logged(self) -> list[StoredRow]:
        """The audit rows so far, oldest first."""
        await self.audit.flush()
        statement = ad_sync_logs.select().order_by(ad_sync_logs.c.seq)
        return await self.store.read(lambda tx: tx.all(statement))

    async def proposed(self, campaign_id: str = "c1", daily_budget: float = 20) -> str:
        """The id of a proposal that waits."""
        context = self.door.context(self.keys["all"], "req_proposed")
        try:
            await self.door.invoke(set_budget, context, {"campaign_id": campaign_id, "daily_budget": daily_budget})
        except ConfirmRequired as waiting:
            return str(waiting.approval["id"])
        raise AssertionError("nothing was proposed")

    async def approve(self, approval_id: str) -> None:
        context = self.door.context(PERSON, "req_approve")
        await self.door.gate.approve(context, approval_id, None)

    async def deny(self, approval_id: str, reason: str | None = None) -> None:
        await self.door.gate.deny(self.door.context(PERSON, "req_deny"), approval_id, reason)


@contextlib.asynccontextmanager
async def kit_in(directory: Path, **options: Any) -> AsyncIterator[Kit]:
    store = await open_store(database_in(directory))
    await store.write(
        lambda tx: tx.run(workspaces.insert().values(id="wsp_1", name="Test", plan="free", settings={}, created_at=0))
    )
    audit = AuditLog(store)
    reported: list[BaseException] = []
    ahead = [dt.timedelta()]
    services = Services(
        registry=REGISTRY,
        store=store,
        audit=audit,
        limiter=limiter_of(store),
        keyring=KeyRing.parse(generate_key("k1")),
        platforms={},
        clock=lambda: dt.datetime.now(dt.UTC) + ahead[0],
        public_url=PUBLIC_URL,
        report=lambda _, error: reported.append(error),
        count=lambda _, __: None,
    )
    door = Door(services)
    kit = Kit(door, None, store, audit, reported, ahead)  # type: ignore[arg-type]  # the endpoint needs kit.resolve
    kit.endpoint = McpEndpoint(
        door, kit.resolve, version=VERSION, public_url=PUBLIC_URL, state_keys=STATE_KEYS, **options
    )
    budgets.clear()
    seen.__init__()  # type: ignore[misc]  # the capabilities above hold this very object
    try:
        async with kit.endpoint.run():
            yield kit
    finally:
        await door.gate.settle()
        await audit.close()
        await store.close()

"""A small registry behind the real door, and a client that speaks ASGI to it byte by byte."""

import datetime as dt
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field
from starlette.applications import Starlette
from starlette.types import Message, Scope

from api.routes import rest_routes
from tests.database import database_in
from tools.authority import Principal, Role, Via
from tools.authority import Scope as Grant
from tools.capability import (
    DELETE,
    GET,
    PATCH,
    POST,
    Effect,
    Input,
    Listing,
    Nothing,
    Output,
    Rate,
    Toolset,
    human,
    read,
    write,
)
from tools.context import Context
from tools.errors import InvalidApiKey, MissingAuthorization, NotFound, PlatformFailure
from tools.fields import Amount, CampaignId, Limit, Platform, PlatformField, Since, Until
from tools.invoke import Door, Services
from tools.limits import Limiter
from tools.plan import Change, Operation, Plan
from tools.registry import Registry
from tools.store.audit import AuditLog
from tools.store.engine import Store
from tools.store.opening import limiter_of, open_store
from tools.store.sealing import KeyRing, generate_key
from tools.store.tables import ad_sync_logs, workspaces
from tools.store.tenant import Rows

PUBLIC_URL = "http://127.0.0.1:8484"
COOKIE = "adwright_session=secret"


class ThingId(Input):
    campaign_id: CampaignId


class Things(Input):
    since: Since | None = None
    until: Until | None = None
    platform: PlatformField | None = None
    campaign_id: CampaignId | None = None
    websiteId: str | None = None  # noqa: N815 - wire spelling
    limit: Limit = 25
    exact: bool = False
    min_spend: Annotated[float, Field(ge=0, description="Least spend.")] | None = None
    tags: tuple[Annotated[str, Field(max_length=20)], ...] = Field(default=(), strict=False)


class Thing(Output):
    campaign_id: str
    name: str
    daily_budget: float
    platform: Platform | None = None


class Echo(Output):
    arguments: dict[str, Any]


class NewThing(Input):
    name: Annotated[str, Field(min_length=1, max_length=100)]
    daily_budget: Amount


class ThingChange(Input):
    campaign_id: CampaignId
    name: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    daily_budget: Amount | None = None


class Removal(Input):
    campaign_id: CampaignId
    mode: Literal["pause", "archive"] = "pause"


class Password(Input):
    password: Annotated[str, Field(min_length=1, max_length=100)]


class Me(Output):
    workspaceId: str  # noqa: N815 - wire spelling
    scopes: tuple[str, ...]


BUDGETS = {"1001": 120.0, "1002": 80.0}


@read(scope=None, rest=GET("/me"), toolset=Toolset.WORKSPACE)
async def whoami(context: Context, _: Nothing) -> Me:
    """Say who is asking."""
    principal = context.principal
    return Me(workspaceId=principal.workspace, scopes=tuple(sorted(principal.scopes)))


@read(scope=Grant.ADS_READ, rest=GET("/things"), toolset=Toolset.ADS)
async def list_things(_: Context, query: Things) -> Listing[Thing]:
    """List the things of this workspace."""
    rows = [Thing(campaign_id=name, name="Ümlaut", daily_budget=budget) for name, budget in BUDGETS.items()]
    return Listing(items=tuple(rows[: query.limit]), next_cursor="n€xt" if query.limit < len(rows) else None)


@read(scope=Grant.ADS_READ, rest=GET("/echo"), toolset=Toolset.ADS)
async def echo_things(_: Context, query: Things) -> Echo:
    """Answer the arguments as they arrived."""
    return Echo(arguments=query.model_dump(mode="json", exclude_unset=True))


@read(scope=Grant.ADS_READ, rest=GET("/things/{campaign_id}"), toolset=Toolset.ADS)
async def get_thing(context: Context, query: ThingId) -> Thing:
    """Look at one thing."""
    return _found(context, query.campaign_id)


@read(scope=Grant.ADS_READ, rest=GET("/things/broken"), toolset=Toolset.ADS)
async def get_broken(_: Context, __: Things) -> Thing:
    """Fail in a way nobody foresaw."""
    raise RuntimeError("secret internals")


@read(scope=Grant.ADS_READ, rest=GET("/things/upstream"), toolset=Toolset.ADS)
async def get_upstream(_: Context, __: Things) -> Thing:
    """Fail as a platform does when it answers a page of HTML."""
    raise PlatformFailure("Meta answered something unreadable.", fix="Try again later.", outcome="refused")


async def plan_create(_: Context, thing: NewThing) -> Plan[NewThing]:
    return _plan(thing, "new", "daily_budget", None, float(thing.daily_budget))


@write(
    scope=Grant.ADS_WRITE,
    effect=Effect.CHANGE,
    rest=POST("/things", 201),
    toolset=Toolset.ADS,
    rate=Rate.CAMPAIGN_MUTATION,
    plan=plan_create,
)
async def create_thing(_: Context, plan: Plan[NewThing]) -> Thing:
    """Create a thing."""
    identifier = str(1001 + len(BUDGETS))
    BUDGETS[identifier] = float(plan.input.daily_budget)
    return Thing(campaign_id=identifier, name=plan.input.name, daily_budget=BUDGETS[identifier])


async def plan_update(context: Context, change: ThingChange) -> Plan[ThingChange]:
    before = _found(context, change.campaign_id).daily_budget
    return _plan(change, change.campaign_id, "daily_budget", before, float(change.daily_budget or before))


@write(
    scope=Grant.ADS_WRITE,
    effect=Effect.CHANGE,
    rest=PATCH("/things/{campaign_id}"),
    toolset=Toolset.ADS,
    rate=Rate.CAMPAIGN_MUTATION,
    plan=plan_update,
    idempotent=True,
)
async def update_thing(context: Context, plan: Plan[ThingChange]) -> Thing:
    """Change a thing."""
    after = plan.changes[0].after
    assert isinstance(after, float)
    BUDGETS[plan.input.campaign_id] = after
    return _found(context, plan.input.campaign_id)


async def plan_delete(_: Context, removal: Removal) -> Plan[Removal]:
    return _plan(removal, removal.campaign_id, "status", "ACTIVE", removal.mode)


@write(
    scope=Grant.ADS_WRITE,
    effect=Effect.DESTROY,
    rest=DELETE("/things/{campaign_id}"),
    toolset=Toolset.ADS,
    rate=Rate.CAMPAIGN_MUTATION,
    plan=plan_delete,
)
async def delete_thing(context: Context, plan: Plan[Removal]) -> Thing:
    """Pause or archive a thing."""
    return _found(context, plan.input.campaign_id)


@human(scope=Grant.WORKSPACE_ADMIN, effect=Effect.CHANGE, rest=POST("/passwords", 201), toolset=Toolset.WORKSPACE)
async def create_password(_: Context, secret: Password) -> Echo:
    """Take what only a person may type."""
    return Echo(arguments={"length": len(secret.password)})


@human(scope=Grant.WORKSPACE_ADMIN, effect=Effect.CHANGE, rest=POST("/things/{campaign_id}/test"), toolset=Toolset.ADS)
async def probe_thing(context: Context, query: ThingId) -> Thing:
    """Look whether a thing works."""
    return _found(context, query.campaign_id)


WORKING = Registry(
    (whoami, list_things, echo_things, get_thing),
    (create_thing, update_thing, delete_thing, create_password, probe_thing),
)
REGISTRY = Registry(WORKING, (get_broken, get_upstream))


def _found(context: Context, campaign_id: str) -> Thing:
    if campaign_id not in BUDGETS or context.principal.workspace != "wsp_mine":
        raise NotFound(f"There is no thing {campaign_id}.", fix="Take an id from list_things.")
    return Thing(campaign_id=campaign_id, name="Ümlaut", daily_budget=BUDGETS[campaign_id])


def _plan(given: Any, target: str, changed: str, before: Any, after: Any) -> Plan[Any]:
    change = Change(target=target, field=changed, before=before, after=after)
    operation = Operation(kind="update_thing", campaign_id=target, fields={changed: after})
    return Plan(input=given, summary=f"Change {changed} of {target}.", changes=(change,), operations=(operation,))


def _principal(kind: str, via: Via, role: Role = Role.OWNER, **more: Any) -> Principal:
    workspace = more.pop("workspace", "wsp_mine")
    granted = {"name": kind, "user": f"usr_{kind}", "workspace": workspace, "role": role, "scopes": role.scopes}
    return Principal(id=f"id_{kind}", via=via, **(granted | more))


PRINCIPALS = {
    "session": _principal("session", Via.SESSION),
    "key": _principal("key", Via.KEY),
    "direct": _principal("direct", Via.KEY, direct=True),
    "viewer": _principal("viewer", Via.KEY, Role.VIEWER),
    "stranger": _principal("stranger", Via.KEY, workspace="wsp_other"),
    "slow": _principal("slow", Via.KEY, rate=1),
}


async def resolve(scope: Scope, *, face: str) -> Principal:
    """`Bearer <name>` is the key of that name, the cookie is the session; identity itself is proven elsewhere."""
    assert face == "rest"
    headers = dict(scope["headers"])
    authorization = headers.get(b"authorization", b"").decode("latin-1")
    if not authorization and headers.get(b"cookie") == COOKIE.encode():
        return PRINCIPALS["session"]
    if not authorization:
        raise MissingAuthorization("No credential was sent.", fix="Send Authorization: Bearer <key>, or sign in.")
    name = authorization.removeprefix("Bearer ")
    if name not in PRINCIPALS or name == "session":
        raise InvalidApiKey("This API key is not known.", fix="Check that it was copied whole.")
    return PRINCIPALS[name]


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    raw: bytes
    received: int  # ASGI messages the application asked for

    @property
    def json(self) -> Any:
        return json.loads(self.raw)

    @property
    def problems(self) -> dict[str, str]:
        return {problem["field"]: problem["problem"] for problem in self.json["details"]["problems"]}


@dataclass
class Client:
    app: Any
    services: Services
    reported: list[BaseException] = field(default_factory=list)

    async def __call__(
        self,
        method: str,
        target: str,
        body: Any = None,
        *,
        who: str | None = "key",
        headers: dict[str, str] | None = None,
        chunks: Iterable[bytes] | None = None,
    ) -> Answer:
        """`body` is sent as JSON, or as it is when it is bytes; `chunks` are streamed without a length."""
        path, _, query = target.partition("?")
        sent: dict[str, str] = {}
        if who:
            sent = {"cookie": COOKIE} if who == "session" else {"authorization": f"Bearer {who}"}
        if chunks is not None:
            sent |= {"transfer-encoding": "chunked", "content-type": "application/json"}
            parts = list(chunks)
        else:
            content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
            parts = [content]
            if content:
                sent |= {"content-length": str(len(content)), "content-type": "application/json"}
        raw_headers = [(k.encode(), v.encode("latin-1")) for k, v in (sent | (headers or {})).items() if v]
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path if path.startswith("/api") else f"/api/v1{path}",
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query.encode("latin-1"),
            "headers": raw_headers,
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 2),
        }
        asked, told = 0, list[Message]()

        async def receive() -> Message:
            nonlocal asked
            asked += 1
            if asked > len(parts):
                return {"type": "http.disconnect"}
            return {"type": "http.request", "body": parts[asked - 1], "more_body": asked < len(parts)}

        async def send(message: Message) -> None:
            told.append(message)

        await self.app(scope, receive, send)
        if not told:
            return Answer(0, {}, b"", asked)
        received = {k.decode(): v.decode() for k, v in told[0]["headers"]}
        return Answer(told[0]["status"], received, b"".join(m.get("body", b"") for m in told[1:]), asked)

    async def logged(self) -> list[tuple[str, str]]:
        """Action and status of every audited call, oldest first."""
        rows = Rows(self.services.store, "wsp_mine")
        found = await rows.all(rows.select(ad_sync_logs).order_by(ad_sync_logs.c.seq))
        return [(row.action, row.status) for row in found]


@asynccontextmanager
async def serving(
    directory: Path, registry: Registry = REGISTRY, limiter: Limiter | None = None
) -> AsyncIterator[Client]:
    BUDGETS.clear()
    BUDGETS.update({"1001": 120.0, "1002": 80.0})
    store = await open_store(database_in(directory))
    audit, limiter = AuditLog(store), limiter or limiter_of(store)
    reported: list[BaseException] = []
    services = Services(
        registry=registry,
        store=store,
        audit=audit,
        limiter=limiter,
        keyring=KeyRing.parse(generate_key("k1")),
        platforms={},
        clock=lambda: dt.datetime.now(dt.UTC),
        public_url=PUBLIC_URL,
        report=lambda _, error: reported.append(error),
        count=lambda _, __: None,
    )
    try:
        for workspace in ("wsp_mine", "wsp_other"):
            await _add_workspace(store, workspace)
        routes = rest_routes(registry, Door(services), resolve, public_url=PUBLIC_URL, version="1.2.3")
        yield Client(Starlette(routes=routes), services, reported)
    finally:
        await audit.close()
        await store.close()


async def _add_workspace(store: Store, identifier: str) -> None:
    statement = Rows(store, identifier).insert(workspaces, name=identifier, created_at=0)
    await store.write(lambda transaction: transaction.run(statement))

"""The websites of the workspace: each has an id that its script and its events carry."""

from typing import Annotated, Literal

from pydantic import Field, JsonValue, model_validator

from tools import ids
from tools.approval import moment
from tools.authority import Scope
from tools.capability import DELETE, GET, PATCH, POST, Effect, Input, Listing, Output, Rate, Toolset, read, write
from tools.context import Context
from tools.fields import Cursor
from tools.pixel import plan as plans
from tools.pixel.model import MOST_ROWS, Currency, Domain, Name, OfWebsite, TimeZone, WebsiteId
from tools.pixel.store import (
    BELONGING,
    found,
    held_by,
    page,
    refuse_taken,
    stage_removal,
    stage_unless_taken,
    updating,
)
from tools.plan import Plan
from tools.store.statements import Row
from tools.store.tables import websites

AllowLocalhost = Annotated[
    bool, Field(description="Whether events from localhost count too, for trying it out. Off for a live site.")
]


class WebsiteRow(Output):
    id: str
    domain: str
    name: str
    createdAt: str
    time_zone: str
    currency: str
    allow_localhost: bool


class DeletedWebsite(Output):
    id: str
    status: Literal["deleted"]


class WebsitesQuery(Input):
    cursor: Cursor | None = None
    limit: Annotated[int, Field(ge=1, le=MOST_ROWS, description="Rows a page, at most 1,000.")] = MOST_ROWS


class Websites(Listing[WebsiteRow]):
    """Newest first."""


class NewWebsite(Input):
    domain: Domain
    name: Annotated[Name, Field(description="What people call it; the domain if left out.")] | None = None
    time_zone: TimeZone = "UTC"
    currency: Currency = "USD"
    allow_localhost: AllowLocalhost = False


class WebsiteChange(Input):
    websiteId: Annotated[WebsiteId, Field(description="Website id, from list_websites.")]
    domain: Domain | None = None
    name: Name | None = None
    time_zone: TimeZone | None = None
    currency: Currency | None = None
    allow_localhost: AllowLocalhost | None = None

    @model_validator(mode="after")
    def _asks_for_something(self) -> "WebsiteChange":
        if not self.sent():
            raise ValueError("nothing to change: send domain, name, time_zone, currency or allow_localhost")
        return self

    def sent(self) -> dict[str, JsonValue]:
        return self.model_dump(mode="json", include=self.model_fields_set - {"websiteId"})


class WebsiteRemoval(Input):
    websiteId: Annotated[WebsiteId, Field(description="Website id, from list_websites.")]


def shown(row: Row) -> WebsiteRow:
    return _shown(row.id, row.created_at, _fields(row))


def _shown(identifier: str, created_at: int, fields: dict[str, JsonValue]) -> WebsiteRow:
    return WebsiteRow.model_validate({"id": identifier, "createdAt": moment(created_at), **fields})


def _fields(row: Row) -> dict[str, JsonValue]:
    return {
        "domain": row.domain,
        "name": row.name,
        "time_zone": row.time_zone,
        "currency": row.currency,
        "allow_localhost": bool(row.settings.get("allow_localhost", False)),
    }


def _columns(fields: dict[str, JsonValue], settings: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """As the table has them: settings are one document."""
    kept = {name: value for name, value in fields.items() if name != "allow_localhost"}
    if "allow_localhost" in fields:
        kept["settings"] = settings | {"allow_localhost": fields["allow_localhost"]}
    return kept


@read(scope=Scope.PIXEL_READ, rest=GET("/pixel/websites"), toolset=Toolset.ANALYTICS)
async def list_websites(context: Context, query: WebsitesQuery) -> Websites:
    """List the websites whose visitors are counted: id, domain, name, the time zone of their days and the currency of
    their revenue. The id is what other analytics tools and the website's script take."""
    of_all = OfWebsite.model_construct(cursor=query.cursor, limit=query.limit)
    items, following = await page(context, websites, of_all, shown)
    return Websites(items=items, next_cursor=following)


async def plan_creation(context: Context, new: NewWebsite) -> Plan[NewWebsite]:
    await refuse_taken(context, new.domain, context.rows.first)
    fields = new.model_dump(mode="json") | {"name": new.name or new.domain}
    target, summary = f"new website {new.domain}", f"Count the visitors of {new.domain}"
    return plans.creation(new, "create_website", fields, target=target, summary=summary)


@write(
    scope=Scope.PIXEL_WRITE,
    effect=Effect.CHANGE,
    rest=POST("/pixel/websites", status=201),
    toolset=Toolset.ANALYTICS,
    rate=Rate.PIXEL_MUTATION,
    plan=plan_creation,
)
async def create_website(context: Context, plan: Plan[NewWebsite]) -> WebsiteRow:
    """Add a website whose visitors are to be counted. A person agrees first. Nothing is counted until its page carries
    the script with the id this returns; events from other hosts than the domain and its subdomains are dropped."""
    (operation,) = plan.operations
    identifier, now = ids.new("admx"), context.now_ms()
    columns = _columns(operation.fields, {})
    new = context.rows.insert(websites, id=identifier, created_at=now, **columns)
    stage_unless_taken(context, plan.input.domain, new)
    return _shown(identifier, now, operation.fields)


async def plan_update(context: Context, change: WebsiteChange) -> Plan[WebsiteChange]:
    row = await found(context, websites, change.websiteId, "website")
    if change.domain not in (None, row.domain):
        await refuse_taken(context, str(change.domain), context.rows.first)
    plan = plans.update(change, "update_website", row.id, change.sent(), _fields(row), name=row.name)
    warnings = {
        "domain": "Events of the old domain are dropped from then on; what was counted stays.",
        "time_zone": "Days before the change are counted anew in the new time zone.",
        "currency": "Revenue is shown in the new currency from then on; nothing is converted.",
    }
    return plan.model_copy(update={"warnings": tuple(warnings[c.field] for c in plan.changes if c.field in warnings)})


@write(
    scope=Scope.PIXEL_WRITE,
    effect=Effect.CHANGE,
    rest=PATCH("/pixel/websites/{websiteId}"),
    toolset=Toolset.ANALYTICS,
    rate=Rate.PIXEL_MUTATION,
    plan=plan_update,
    idempotent=True,
)
async def update_website(context: Context, plan: Plan[WebsiteChange]) -> WebsiteRow:
    """Change a website's domain, name, time zone, currency, or whether events from localhost count. Fields left out
    stay as they are. A person agrees first. Returns the website as it is afterwards."""
    row = await found(context, websites, plan.input.websiteId, "website")
    fields = {change.field: change.after for change in plan.changes}
    changed = updating(context, websites, row.id, _columns(fields, row.settings))
    if "domain" in fields:
        stage_unless_taken(context, str(fields["domain"]), changed)
    else:
        context.rows.stage(changed)
    return _shown(row.id, row.created_at, _fields(row) | fields)


async def plan_removal(context: Context, gone: WebsiteRemoval) -> Plan[WebsiteRemoval]:
    row = await found(context, websites, gone.websiteId, "website")
    plan = plans.removal(
        gone,
        "delete_website",
        row.id,
        summary=f"Stop counting the visitors of {row.domain}",
        warnings=(
            "Its events are dropped from then on, and its goals, funnels, share links, alerts and reports go with it.",
            "What was counted is kept, but no tool shows it any more or brings the website back.",
        ),
    )
    going = {str(table.name): await held_by(context, table, row.id) for table in BELONGING}
    return plan.model_copy(update={"evidence": going | {"asOf": context.clock().isoformat(timespec="seconds")}})


@write(
    scope=Scope.PIXEL_WRITE,
    effect=Effect.DESTROY,
    rest=DELETE("/pixel/websites/{websiteId}"),
    toolset=Toolset.ANALYTICS,
    rate=Rate.PIXEL_MUTATION,
    plan=plan_removal,
    idempotent=True,
)
async def delete_website(context: Context, plan: Plan[WebsiteRemoval]) -> DeletedWebsite:
    """Stop counting a website's visitors: it leaves every list, with its goals, funnels and share links, and its events
    are dropped. What was counted is kept. A person agrees first; no tool brings it back."""
    rows, identifier = context.rows, plan.input.websiteId
    for table in BELONGING:
        mine = rows.update(table).where(table.c.website_id == identifier, table.c.deleted_at.is_(None))
        rows.stage(mine.values(deleted_at=context.now_ms()))
    stage_removal(context, websites, identifier)
    return DeletedWebsite(id=identifier, status="deleted")

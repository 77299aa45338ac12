"""Funnels: the steps that visitors should take in order, kept so that nobody types them twice."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, JsonValue, model_validator

from tools import ids
from tools.approval import moment
from tools.authority import Scope
from tools.capability import DELETE, GET, PATCH, POST, Effect, Input, Listing, Output, Rate, Toolset, read, write
from tools.context import Context
from tools.legible import require_legible
from tools.pixel import plan as plans
from tools.pixel.model import FunnelId, Name, OfWebsite, WebsiteId
from tools.pixel.store import found, page, stage_removal, stage_update, website
from tools.plan import Plan
from tools.store.statements import Row
from tools.store.tables import funnels

WEEK_S, LONGEST_S = 7 * 86_400, 90 * 86_400

StepType = Literal["path", "goal", "payment"]
StepOp = Literal["is", "contains", "starts_with", "ends_with"]


class Step(Input):
    """One step, as p_funnel_v2 takes it."""

    type: Annotated[StepType, Field(description="A page's path, a goal by its event's name, or a payment.")]
    op: Annotated[StepOp, Field(description="How value is held against it.")] = "is"
    value: (
        Annotated[
            str,
            BeforeValidator(require_legible),
            Field(min_length=1, max_length=500, description="Path or event name; none for a payment."),
        ]
        | None
    ) = None

    @model_validator(mode="after")
    def _has_what_its_type_needs(self) -> "Step":
        if self.type == "payment" and (self.value is not None or self.op != "is"):
            raise ValueError("a payment step has no op and no value: any payment counts")
        if self.type != "payment" and self.value is None:
            raise ValueError(f"a {self.type} step needs a value")
        return self


Steps = Annotated[
    tuple[Step, ...], Field(strict=False, min_length=2, max_length=10, description="2 to 10 steps, in their order.")
]
Window = Annotated[
    int, Field(ge=60, le=LONGEST_S, description="Seconds from the first step to the last, at most 90 days.")
]


class ShownStep(Output):
    type: StepType
    op: StepOp
    value: str | None = None  # left out for a payment


class FunnelRow(Output):
    id: str
    websiteId: str
    name: str
    steps: tuple[ShownStep, ...]
    window_s: int
    created_at: str


class DeletedFunnel(Output):
    id: str
    status: Literal["deleted"]


class Funnels(Listing[FunnelRow]):
    """Newest first."""


class NewFunnel(Input):
    name: Name
    steps: Steps
    window_s: Window = WEEK_S
    websiteId: WebsiteId | None = None


class FunnelChange(Input):
    funnel_id: FunnelId
    name: Name | None = None
    steps: Steps | None = None
    window_s: Window | None = None

    @model_validator(mode="after")
    def _asks_for_something(self) -> "FunnelChange":
        if not self.model_fields_set - {"funnel_id"}:
            raise ValueError("nothing to change: send name, steps or window_s")
        return self

    def sent(self) -> dict[str, JsonValue]:
        sent = self.model_dump(mode="json", include=self.model_fields_set - {"funnel_id"})
        return sent | ({"steps": _wire(self.steps)} if self.steps is not None else {})


class FunnelRemoval(Input):
    funnel_id: FunnelId


def _wire(steps: tuple[Step, ...]) -> list[JsonValue]:
    """As rows keep them and p_funnel_v2 takes them."""
    return [step.model_dump(mode="json", exclude_none=True) for step in steps]


def shown(row: Row) -> FunnelRow:
    return FunnelRow(
        id=row.id,
        websiteId=row.website_id,
        name=row.name,
        steps=row.steps,
        window_s=row.window_seconds,
        created_at=moment(row.created_at),
    )


def _columns(fields: dict[str, JsonValue]) -> dict[str, JsonValue]:
    spelt = {"window_s": "window_seconds", "websiteId": "website_id"}
    return {spelt.get(name, name): value for name, value in fields.items()}


@read(scope=Scope.PIXEL_READ, rest=GET("/pixel/funnels"), toolset=Toolset.ANALYTICS)
async def list_funnels(context: Context, query: OfWebsite) -> Funnels:
    """List the funnels of the websites: name, steps and the seconds within which they must follow each other. How many
    visitors took each step is a question to query_metrics with p_funnel_v2, which takes the steps as they are here."""
    items, following = await page(context, funnels, query, shown)
    return Funnels(items=items, next_cursor=following)


async def plan_creation(context: Context, new: NewFunnel) -> Plan[NewFunnel]:
    site = await website(context, new.websiteId)
    fields: dict[str, JsonValue] = {
        "websiteId": site.id, "name": new.name, "steps": _wire(new.steps), "window_s": new.window_s,
    }  # fmt: skip
    summary = f"Add the funnel {new.name} of {len(new.steps)} steps to {site.domain}"
    return plans.creation(new, "create_funnel", fields, target=f"new funnel of {site.id}", summary=summary)


@write(
    scope=Scope.PIXEL_WRITE,
    effect=Effect.CHANGE,
    rest=POST("/pixel/funnels", status=201),
    toolset=Toolset.ANALYTICS,
    rate=Rate.PIXEL_MUTATION,
    plan=plan_creation,
)
async def create_funnel(context: Context, plan: Plan[NewFunnel]) -> FunnelRow:
    """Add a funnel to a website: 2 to 10 steps (a path, a goal or a payment) that follow each other within window_s. A
    person agrees first. It is computed from what was counted before it, too. Returns the funnel with its id."""
    (operation,) = plan.operations
    identifier, now = ids.new("fun"), context.now_ms()
    columns = _columns(operation.fields)
    context.rows.stage(context.rows.insert(funnels, id=identifier, created_at=now, **columns))
    return FunnelRow.model_validate({"id": identifier, "created_at": moment(now), **operation.fields})


async def plan_update(context: Context, change: FunnelChange) -> Plan[FunnelChange]:
    row = await found(context, funnels, change.funnel_id, "funnel")
    now = {"name": row.name, "steps": row.steps, "window_s": row.window_seconds}
    return plans.update(change, "update_funnel", row.id, change.sent(), now, name=row.name)


@write(
    scope=Scope.PIXEL_WRITE,
    effect=Effect.CHANGE,
    rest=PATCH("/pixel/funnels/{funnel_id}"),
    toolset=Toolset.ANALYTICS,
    rate=Rate.PIXEL_MUTATION,
    plan=plan_update,
    idempotent=True,
)
async def update_funnel(context: Context, plan: Plan[FunnelChange]) -> FunnelRow:
    """Change a funnel's name, steps (all of them are sent) or window. Fields left out stay as they are. A person agrees
    first. Returns the funnel as it is afterwards."""
    row = await found(context, funnels, plan.input.funnel_id, "funnel")
    fields = {change.field: change.after for change in plan.changes}
    stage_update(context, funnels, row.id, _columns(fields))
    return FunnelRow.model_validate(shown(row).model_dump() | fields)


async def plan_removal(context: Context, gone: FunnelRemoval) -> Plan[FunnelRemoval]:
    row = await found(context, funnels, gone.funnel_id, "funnel")
    warnings = ("What it is computed from is kept.",)
    return plans.removal(gone, "delete_funnel", row.id, summary=f"Delete the funnel {row.name}", warnings=warnings)


@write(
    scope=Scope.PIXEL_WRITE,
    effect=Effect.DESTROY,
    rest=DELETE("/pixel/funnels/{funnel_id}"),
    toolset=Toolset.ANALYTICS,
    rate=Rate.PIXEL_MUTATION,
    plan=plan_removal,
    idempotent=True,
)
async def delete_funnel(context: Context, plan: Plan[FunnelRemoval]) -> DeletedFunnel:
    """Delete a funnel: it leaves every list, what it was computed from is kept. A person agrees first; no tool brings
    it back, but the same funnel can be created again."""
    stage_removal(context, funnels, plan.input.funnel_id)
    return DeletedFunnel(id=plan.input.funnel_id, status="deleted")

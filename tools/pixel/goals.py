"""Goals: what the workspace wants visitors to do, and how doing it is told."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, JsonValue, model_validator

from tools import ids
from tools.approval import moment
from tools.authority import Scope
from tools.capability import DELETE, GET, PATCH, POST, Effect, Input, Listing, Output, Rate, Toolset, read, write
from tools.context import Context
from tools.legible import require_legible
from tools.pixel import plan as plans
from tools.pixel.model import GoalId, Name, OfWebsite, WebsiteId
from tools.pixel.store import found, page, stage_removal, stage_update, website
from tools.plan import Plan
from tools.store.statements import Row
from tools.store.tables import goals

Selector = Annotated[
    str,
    BeforeValidator(require_legible),
    Field(
        min_length=1,
        max_length=500,
        pattern=r"\S",
        description="What tells of it: event:NAME for a custom event, path:/thanks* for a view of such a page, or the "
        "CSS selector of the element that has data-goal.",
    ),
]


class GoalRow(Output):
    id: str
    websiteId: str
    name: str
    selector: str
    created_at: str


class DeletedGoal(Output):
    id: str
    status: Literal["deleted"]


class Goals(Listing[GoalRow]):
    """Newest first."""


class NewGoal(Input):
    name: Name
    selector: Selector
    websiteId: WebsiteId | None = None


class GoalChange(Input):
    goal_id: GoalId
    name: Name | None = None
    selector: Selector | None = None

    @model_validator(mode="after")
    def _asks_for_something(self) -> "GoalChange":
        if not self.sent():
            raise ValueError("nothing to change: send name or selector")
        return self

    def sent(self) -> dict[str, JsonValue]:
        return self.model_dump(mode="json", include=self.model_fields_set - {"goal_id"})


class GoalRemoval(Input):
    goal_id: GoalId


def shown(row: Row) -> GoalRow:
    return GoalRow(
        id=row.id, websiteId=row.website_id, name=row.name, selector=row.selector, created_at=moment(row.created_at)
    )


@read(scope=Scope.PIXEL_READ, rest=GET("/pixel/goals"), toolset=Toolset.ANALYTICS)
async def list_goals(context: Context, query: OfWebsite) -> Goals:
    """List the conversion goals of the websites: name, what counts as the goal, and since when it is kept. How often
    each was reached is a question to query_metrics."""
    items, following = await page(context, goals, query, shown)
    return Goals(items=items, next_cursor=following)


async def plan_creation(context: Context, new: NewGoal) -> Plan[NewGoal]:
    site = await website(context, new.websiteId)
    fields: dict[str, JsonValue] = {"websiteId": site.id, "name": new.name, "selector": new.selector}
    summary = f"Add the goal {new.name} to {site.domain}"
    return plans.creation(new, "create_goal", fields, target=f"new goal of {site.id}", summary=summary)


@write(
    scope=Scope.PIXEL_WRITE,
    effect=Effect.CHANGE,
    rest=POST("/pixel/goals", status=201),
    toolset=Toolset.ANALYTICS,
    rate=Rate.PIXEL_MUTATION,
    plan=plan_creation,
)
async def create_goal(context: Context, plan: Plan[NewGoal]) -> GoalRow:
    """Add a conversion goal to a website. A person agrees first. A goal names what visitors' events and page views
    already tell, so it changes nothing on the page itself. Returns the goal with its id."""
    (operation,) = plan.operations
    identifier, now, fields = ids.new("gol"), context.now_ms(), dict(operation.fields)
    made = GoalRow.model_validate({"id": identifier, "created_at": moment(now), **fields})
    columns = {"website_id": fields.pop("websiteId"), **fields}
    context.rows.stage(context.rows.insert(goals, id=identifier, created_at=now, **columns))
    return made


async def plan_update(context: Context, change: GoalChange) -> Plan[GoalChange]:
    row = await found(context, goals, change.goal_id, "goal")
    now = {"name": row.name, "selector": row.selector}
    return plans.update(change, "update_goal", row.id, change.sent(), now, name=row.name)


@write(
    scope=Scope.PIXEL_WRITE,
    effect=Effect.CHANGE,
    rest=PATCH("/pixel/goals/{goal_id}"),
    toolset=Toolset.ANALYTICS,
    rate=Rate.PIXEL_MUTATION,
    plan=plan_update,
    idempotent=True,
)
async def update_goal(context: Context, plan: Plan[GoalChange]) -> GoalRow:
    """Change a goal's name or what counts as it. Fields left out stay as they are. A person agrees first. Returns the
    goal as it is afterwards."""
    row = await found(context, goals, plan.input.goal_id, "goal")
    fields = {change.field: change.after for change in plan.changes}
    stage_update(context, goals, row.id, fields)
    return shown(row).model_copy(update=fields)


async def plan_removal(context: Context, gone: GoalRemoval) -> Plan[GoalRemoval]:
    row = await found(context, goals, gone.goal_id, "goal")
    warnings = ("The events that told of it are kept and can still be queried by their name.",)
    return plans.removal(gone, "delete_goal", row.id, summary=f"Delete the goal {row.name}", warnings=warnings)


@write(
    scope=Scope.PIXEL_WRITE,
    effect=Effect.DESTROY,
    rest=DELETE("/pixel/goals/{goal_id}"),
    toolset=Toolset.ANALYTICS,
    rate=Rate.PIXEL_MUTATION,
    plan=plan_removal,
    idempotent=True,
)
async def delete_goal(context: Context, plan: Plan[GoalRemoval]) -> DeletedGoal:
    """Delete a goal: it leaves every list, the events behind it are kept. A person agrees first; no tool brings it
    back, but the same goal can be created again."""
    stage_removal(context, goals, plan.input.goal_id)
    return DeletedGoal(id=plan.input.goal_id, status="deleted")

"""Set back a change."""

from tools.authority import Scope
from tools.campaign_writes import apply, plan_update
from tools.capability import POST, Effect, Input, Rate, Toolset, write
from tools.changes.model import ChangeRow, shown, undoable
from tools.context import Context
from tools.errors import Conflict, NotFound
from tools.fields import ChangeId
from tools.plan import Plan
from tools.store.statements import Row
from tools.store.tables import platform_writes
from tools.targets import find_campaign


class Undo(Input):
    change_id: ChangeId


async def plan(context: Context, undo: Undo) -> Plan[Undo]:
    row = await _change(context, undo.change_id)
    if row.undone_by:
        raise Conflict(f"This change was already undone by {row.undone_by}.", fix="Look at list_changes.")
    if not undoable(row):
        raise Conflict(
            f"A change of kind {row.kind} with outcome {row.status} cannot be undone.",
            fix="Archiving is one-way; for the rest, change the campaign to what you want with update_campaign.",
        )
    target, state = await find_campaign(
        context, row.campaign_id, connection_id=row.connection_id, account_id=row.account_id
    )
    summary = f"Undo a change of {state.name} ({target.account.name})"
    return await plan_update(context, undo, target, state, row.inverse, summary=summary)


@write(
    scope=Scope.ADS_WRITE,
    effect=Effect.CHANGE,
    rest=POST("/changes/{change_id}/undo"),
    toolset=Toolset.ADS,
    rate=Rate.CAMPAIGN_MUTATION,
    plan=plan,
    idempotent=True,
)
async def undo_change(context: Context, plan: Plan[Undo]) -> ChangeRow:
    """Set back one change to what it was before: name, status or daily budget; a created campaign is paused. A person
    agrees first, guardrails hold as for any change. Archiving cannot be undone. Returns the change that undid it."""
    receipt, _, _ = await apply(context, plan, undoes=plan.input.change_id)
    return shown(await _change(context, receipt.change_id))


async def _change(context: Context, change_id: str) -> Row:
    row = await context.rows.first(context.rows.select(platform_writes).where(platform_writes.c.id == change_id))
    if row is None:
        raise NotFound(f"There is no change {change_id}.", fix="Take an id from list_changes.")
    return row

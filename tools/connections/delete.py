"""Disconnect an ad platform."""

from typing import Annotated, Literal

from pydantic import Field

from tools.authority import Scope
from tools.capability import DELETE, Effect, Input, Output, Rate, Toolset, write
from tools.context import Context
from tools.fields import ConnectionId
from tools.plan import Change, Operation, Plan
from tools.store.tables import campaign_index, connections, insights_cache
from tools.targets import all_connections


class ConnectionRemoval(Input):
    connectionId: Annotated[ConnectionId, Field(description="Connection id, from list_connections.")]


class DeletedConnection(Output):
    id: str
    status: Literal["deleted"]


async def plan(context: Context, removal: ConnectionRemoval) -> Plan[ConnectionRemoval]:
    (connection,) = await all_connections(context, connection_id=removal.connectionId)
    accounts = ", ".join(account.name for account in connection.accounts)
    return Plan(
        input=removal,
        summary=f"Disconnect {connection.row.name}",
        changes=(Change(target=connection.id, field="status", before=connection.row.status, after="deleted"),),
        operations=(Operation(kind="delete_connection", connectionId=connection.id),),
        evidence={"accounts": accounts, "asOf": context.clock().isoformat(timespec="seconds")},
        warnings=(
            "The stored credentials are erased at once; connecting again takes a new token.",
            "Campaigns go on running on the platform as they are.",
        ),
        reversible=False,
    )


@write(
    scope=Scope.CONNECTIONS_WRITE,
    effect=Effect.DESTROY,
    rest=DELETE("/connections/{connectionId}"),
    toolset=Toolset.ADS,
    rate=Rate.CONNECTION,
    plan=plan,
    idempotent=True,
)
async def delete_connection(context: Context, plan: Plan[ConnectionRemoval]) -> DeletedConnection:
    """Disconnect an ad platform: its credentials are erased and it leaves every list. Campaigns on the platform
    are not touched, and the audit log and list_changes keep their history. A person agrees first."""
    rows, connection_id = context.rows, plan.input.connectionId
    rows.stage(
        rows.update(connections)
        .where(connections.c.id == connection_id)
        .values(status="deleted", sealed="", key_id="", deleted_at=context.now_ms())
    )
    rows.stage(rows.delete(campaign_index).where(campaign_index.c.connection_id == connection_id))
    rows.stage(rows.delete(insights_cache).where(insights_cache.c.connection_id == connection_id))
    return DeletedConnection(id=connection_id, status="deleted")

"""Try a connection's credentials."""

from typing import Annotated

from pydantic import Field

from tools.approval import moment
from tools.authority import Scope
from tools.capability import POST, Input, Output, Rate, Toolset, read
from tools.connections.model import AdAccount, ConnectionStatus, shown_account
from tools.context import Context
from tools.errors import AccountBlocked, PlatformFailure, ReauthRequired
from tools.fields import ConnectionId
from tools.store.tables import connections
from tools.targets import account_row, all_connections, port_for, unsealed


class ConnectionTest(Input):
    connectionId: Annotated[ConnectionId, Field(description="Connection id, from list_connections.")]


class ConnectionHealth(Output):
    id: str
    ok: bool
    status: ConnectionStatus
    accounts: tuple[AdAccount, ...]
    scopes: tuple[str, ...]
    expiresAt: str | None = None
    problem: str | None = None
    fix: str | None = None


@read(
    scope=Scope.CONNECTIONS_WRITE,
    rest=POST("/connections/{connectionId}/test"),
    toolset=Toolset.ADS,
    rate=Rate.CONNECTION,
)
async def test_connection(context: Context, query: ConnectionTest) -> ConnectionHealth:
    """Try a connection's credentials with one read and say what it found: status, reachable accounts, granted scopes,
    expiry, and what to do when it does not work. Changes nothing on the platform."""
    (connection,) = await all_connections(context, connection_id=query.connectionId)
    credential = unsealed(context, connection)
    mine = context.rows.update(connections).where(connections.c.id == connection.id)
    try:
        probe = await port_for(context, connection).probe(credential)
    except PlatformFailure as failure:
        status = _status(failure)
        context.rows.stage(mine.values(status=status))
        return ConnectionHealth(
            id=connection.id, ok=False, status=status, accounts=(), scopes=(), problem=failure.message, fix=failure.fix
        )
    expires_at = int(probe.expires_at.timestamp() * 1000) if probe.expires_at else None
    context.rows.stage(
        mine.values(
            status=ConnectionStatus.CONNECTED,
            last_sync_at=context.now_ms(),
            expires_at=expires_at,
            accounts=[account_row(account) for account in probe.accounts],
        )
    )
    return ConnectionHealth(
        id=connection.id,
        ok=True,
        status=ConnectionStatus.CONNECTED,
        accounts=tuple(shown_account(account) for account in probe.accounts),
        scopes=probe.scopes,
        expiresAt=moment(expires_at) if expires_at else None,
    )


def _status(failure: PlatformFailure) -> ConnectionStatus:
    if isinstance(failure, ReauthRequired):
        return ConnectionStatus.REAUTH_REQUIRED
    return ConnectionStatus.ACCOUNT_BLOCKED if isinstance(failure, AccountBlocked) else ConnectionStatus.UNREACHABLE

"""A connection, as every face shows it."""

from enum import StrEnum

from tools.approval import moment
from tools.capability import Output
from tools.context import Context
from tools.fields import Platform
from tools.ports import Account
from tools.store.sealing import CREDENTIAL, SealingError
from tools.targets import Connection


class ConnectionStatus(StrEnum):
    """What its credentials were good for when they were last tried."""

    CONNECTED = "connected"
    REAUTH_REQUIRED = "reauth_required"
    ACCOUNT_BLOCKED = "account_blocked"
    UNREACHABLE = "unreachable"


class AdAccount(Output):
    account_id: str
    name: str
    currency: str
    time_zone: str
    active: bool


class ConnectionRow(Output):
    id: str
    platform: Platform
    name: str
    status: ConnectionStatus
    decryptReadable: bool
    accounts: tuple[AdAccount, ...]
    createdAt: str
    expiresAt: str | None = None  # left out: does not expire
    lastSyncAt: str | None = None


def shown_account(account: Account) -> AdAccount:
    return AdAccount(
        account_id=account.account_id,
        name=account.name,
        currency=account.currency,
        time_zone=account.time_zone,
        active=account.active,
    )


def shown(context: Context, connection: Connection) -> ConnectionRow:
    row = connection.row
    return ConnectionRow(
        id=connection.id,
        platform=connection.platform,
        name=row.name,
        status=row.status,
        decryptReadable=_readable(context, connection),
        accounts=tuple(shown_account(account) for account in connection.accounts),
        createdAt=moment(row.created_at),
        expiresAt=moment(row.expires_at) if row.expires_at else None,
        lastSyncAt=moment(row.last_sync_at) if row.last_sync_at else None,
    )


def _readable(context: Context, connection: Connection) -> bool:
    try:
        context.keyring.unseal(
            connection.row.sealed, workspace=context.principal.workspace, row=connection.id, field=CREDENTIAL
        )
    except SealingError:
        return False
    return True

"""Which connection, account and campaign a call means: named by the caller, or implied when there is only one."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from functools import partial

import orjson

from tools.context import Context
from tools.errors import CapabilityError, CredentialsUnreadable, InvalidArguments, NotFound
from tools.fields import Platform, Status
from tools.ports import Account, AdsPlatform, CampaignState, Credential
from tools.secret import Secret
from tools.store.engine import Work
from tools.store.sealing import CREDENTIAL, SealingError
from tools.store.statements import Row
from tools.store.tables import campaign_index, connections

PAGE = 500
"""Campaigns asked of a platform in one call."""


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection's row, its secret still sealed."""

    row: Row
    platform: Platform
    accounts: tuple[Account, ...]

    @property
    def id(self) -> str:
        return str(self.row.id)


@dataclass(frozen=True, slots=True)
class Target:
    """One ad account, and what it takes to talk to it."""

    connection: Connection
    account: Account
    port: AdsPlatform
    unseal: Callable[[], Credential]

    @property
    def credential(self) -> Credential:
        """Decrypted when it is needed: what the cache answers needs none. Raises CredentialsUnreadable."""
        return self.unseal()


async def all_connections(
    context: Context, *, platform: Platform | None = None, connection_id: str | None = None
) -> tuple[Connection, ...]:
    """The workspace's live connections, oldest first; a named one that does not exist is an error."""
    statement = context.rows.select(connections).where(connections.c.deleted_at.is_(None))
    if platform:
        statement = statement.where(connections.c.platform == platform)
    if connection_id:
        statement = statement.where(connections.c.id == connection_id)
    found = await context.rows.all(statement.order_by(connections.c.created_at, connections.c.id))
    if connection_id and not found:
        raise NotFound(f"There is no connection {connection_id}.", fix="Take an id from list_connections.")
    return tuple(
        Connection(row, Platform(row.platform), tuple(Account(**account) for account in row.accounts)) for row in found
    )


def unsealed(context: Context, connection: Connection) -> Credential:
    """The credential in the clear, for as long as one call lasts."""
    try:
        text = context.keyring.unseal(
            connection.row.sealed, workspace=context.principal.workspace, row=connection.id, field=CREDENTIAL
        )
    except SealingError as error:
        raise CredentialsUnreadable(
            "The stored credentials of this connection cannot be decrypted.",
            fix="Reconnect it at /integrations with a new token, or restore the key it was sealed with.",
            connection_id=connection.id,
        ) from error
    values = orjson.loads(text.reveal())
    return Credential(connection.id, {name: Secret(value) for name, value in values.items()}, connection.accounts)


def port_for(context: Context, connection: Connection) -> AdsPlatform:
    return context.platforms[connection.platform]


async def targets(
    context: Context,
    *,
    platform: Platform | None = None,
    connection_id: str | None = None,
    account_id: str | None = None,
) -> tuple[Target, ...]:
    """Every account the filters leave, in a stable order."""
    held = await all_connections(context, platform=platform, connection_id=connection_id)
    found: list[Target] = []
    for connection in held:
        wanted = [account for account in connection.accounts if account_id in (None, account.account_id)]
        found += [_target(context, connection, account) for account in wanted]
    if account_id and not found:
        raise NotFound(f"There is no account {account_id} here.", fix="Take an account from list_connections.")
    return tuple(found)


def spending(held: Iterable[Target]) -> tuple[Target, ...]:
    """Each account once: one that two connections reach spends its money once."""
    once: dict[tuple[Platform, str], Target] = {}
    for target in held:
        once.setdefault((target.connection.platform, target.account.account_id), target)
    return tuple(once.values())


def _target(context: Context, connection: Connection, account: Account) -> Target:
    return Target(connection, account, port_for(context, connection), partial(_opening, context, connection, account))


def _opening(context: Context, connection: Connection, account: Account) -> Credential:
    """Of this one account, so that a platform without global ids looks nowhere else."""
    return replace(unsealed(context, connection), accounts=(account,))


async def one_target(
    context: Context, *, platform: Platform | None, connection_id: str | None, account_id: str | None
) -> Target:
    """The one account meant; several, or none, is the caller's to resolve."""
    found = await targets(context, platform=platform, connection_id=connection_id, account_id=account_id)
    if len(found) == 1:
        return found[0]
    if not found:
        raise InvalidArguments(
            "No ad account is connected.",
            fix="A person connects one first, with create_connection.",
            problems=[{"field": "connectionId", "problem": "no connection"}],
        )
    raise InvalidArguments(
        "Several ad accounts fit; name one.",
        fix="Send account_id (and connectionId, where an account is connected twice).",
        problems=[{"field": "account_id", "problem": "several accounts fit"}],
        choices=[
            {
                "connectionId": target.connection.id,
                "account_id": target.account.account_id,
                "name": target.account.name,
                "platform": target.connection.platform,
                "currency": target.account.currency,
            }
            for target in found
        ],
    )


async def find_campaign(
    context: Context, campaign_id: str, *, connection_id: str | None = None, account_id: str | None = None
) -> tuple[Target, CampaignState]:
    """The campaign as it is now: by the index, and where that knows nothing by asking each connection once."""
    held = await all_connections(context, connection_id=connection_id)
    await context.keeping.settled()
    known = await context.rows.all(
        context.rows.select(campaign_index).where(campaign_index.c.campaign_id == campaign_id)
    )
    accounts = {row.connection_id: row.account_id for row in known}
    asked = [c for c in held if c.id in accounts] or held
    found: list[tuple[Target, CampaignState]] = []
    unreachable: CapabilityError | None = None
    for connection in asked:
        try:
            hit = await _campaign_of(context, connection, campaign_id, account_id, accounts.get(connection.id))
        except NotFound:
            continue
        except CapabilityError as error:
            unreachable = error
            continue
        if hit:
            found.append(hit)
    if not found and unreachable:
        raise unreachable
    return _only(found, campaign_id)


async def _campaign_of(
    context: Context, connection: Connection, campaign_id: str, account_id: str | None, known_in: str | None
) -> tuple[Target, CampaignState] | None:
    known = next((account for account in connection.accounts if account.account_id == known_in), None)
    credential = _opening(context, connection, known) if known else unsealed(context, connection)
    state = await port_for(context, connection).campaign(credential, campaign_id)
    account = next((a for a in connection.accounts if a.account_id == state.account_id), None)
    if account is None or account_id not in (None, state.account_id):
        return None
    return _target(context, connection, account), state


def _only(found: list[tuple[Target, CampaignState]], campaign_id: str) -> tuple[Target, CampaignState]:
    if not found:
        raise NotFound(f"There is no campaign {campaign_id} here.", fix="Take a campaign_id from list_campaigns.")
    if len(found) > 1:
        raise InvalidArguments(
            f"Campaign {campaign_id} is reachable through several connections; name one.",
            fix="Send connectionId.",
            problems=[{"field": "connectionId", "problem": "several connections fit"}],
            choices=[{"connectionId": target.connection.id, "name": target.connection.row.name} for target, _ in found],
        )
    return found[0]


async def every_campaign(target: Target, status: Status | None = None) -> list[CampaignState]:
    """All pages, newest first. A campaign that moves while they are read is there once."""
    found: dict[str, CampaignState] = {}
    cursor: str | None = None
    while True:
        page = await target.port.campaigns(target.credential, target.account, status=status, cursor=cursor, limit=PAGE)
        found |= {state.campaign_id: state for state in page.campaigns if status in (None, state.status)}
        if (cursor := page.next_cursor) is None:
            return sorted(found.values(), key=lambda state: seniority(state.campaign_id), reverse=True)


def seniority(campaign_id: str) -> tuple[int, str]:
    """Sorts ids in the order in which they were given out: both platforms count up."""
    return len(campaign_id), campaign_id


def sighting(context: Context, target: Target, seen: Iterable[CampaignState]) -> Work[int]:
    """Keeps where campaigns were seen, so that their bare id is enough later."""
    account = {"connection_id": target.connection.id, "account_id": target.account.account_id}
    found = account | {"platform": target.connection.platform, "seen_at": context.now_ms()}
    return context.rows.only_new(
        campaign_index,
        [found | {"campaign_id": state.campaign_id, "name": state.name} for state in seen],
        among=(campaign_index.c.connection_id == account["connection_id"])
        & (campaign_index.c.account_id == account["account_id"]),
    )


def account_row(account: Account) -> dict[str, object]:
    """An account as the connection's row keeps it."""
    return asdict(account)

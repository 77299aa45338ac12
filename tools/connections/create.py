"""Connect an ad platform."""

from typing import Annotated, Literal

import orjson
from pydantic import Field

from tools import ids
from tools.approval import moment
from tools.authority import Scope
from tools.capability import POST, Effect, Input, Output, Rate, Toolset, human
from tools.connections.model import AdAccount, ConnectionRow, ConnectionStatus, shown_account
from tools.context import Context
from tools.errors import InvalidArguments
from tools.fields import Platform
from tools.ports import Credential
from tools.secret import Secret, redact
from tools.store.sealing import CREDENTIAL, key_id
from tools.store.tables import connections
from tools.targets import account_row


class NewConnection(Input):
    platform: Annotated[Literal["meta"], Field(description="Ad platform.")]
    access_token: Annotated[Secret, Field(description="Long-lived Meta user or system user token.")]
    name: (
        Annotated[
            str,
            Field(min_length=1, max_length=100, description="What to call it; the first account's name if left out."),
        ]
        | None
    ) = None


class ProbeResult(Output):
    """What one read with the new credential said."""

    ok: bool
    accounts: tuple[AdAccount, ...]
    scopes: tuple[str, ...]


class CreatedConnection(ConnectionRow):
    probe: ProbeResult


@human(
    scope=Scope.CONNECTIONS_WRITE,
    effect=Effect.CHANGE,
    rest=POST("/connections", status=201),
    toolset=Toolset.ADS,
    rate=Rate.CONNECTION,
)
async def create_connection(context: Context, new: NewConnection) -> CreatedConnection:
    """Connect an ad platform with a token that a person pastes. The token is tried once, sealed, and never shown again;
    a token the platform refuses is not stored."""
    if new.name and (redact(new.name) != new.name or new.access_token.reveal() in new.name):
        raise InvalidArguments(
            "This name looks like a token, and names are shown.",
            fix="Send the token as access_token, and any other name.",
            problems=[{"field": "name", "problem": "looks like a token"}],
        )
    platform, connection_id = Platform(new.platform), ids.new("con")
    probe = await context.platforms[platform].probe(Credential(connection_id, {"access_token": new.access_token}))
    if not probe.accounts:
        raise InvalidArguments(
            "This token reaches no ad account.",
            fix="Give its user access to an ad account, with ads_read and ads_management, and paste a new token.",
            problems=[{"field": "access_token", "problem": "reaches no ad account"}],
        )
    secret = orjson.dumps({"access_token": new.access_token.reveal()}).decode()
    sealed = context.keyring.seal(secret, workspace=context.principal.workspace, row=connection_id, field=CREDENTIAL)
    now, name = context.now_ms(), new.name or probe.accounts[0].name
    context.rows.stage(
        context.rows.insert(
            connections,
            id=connection_id,
            platform=platform,
            name=name,
            status=ConnectionStatus.CONNECTED,
            sealed=sealed,
            key_id=key_id(sealed),
            expires_at=int(probe.expires_at.timestamp() * 1000) if probe.expires_at else None,
            last_sync_at=now,
            accounts=[account_row(account) for account in probe.accounts],
            created_by=context.principal.user,
            created_at=now,
        )
    )
    accounts = tuple(shown_account(account) for account in probe.accounts)
    return CreatedConnection(
        id=connection_id,
        platform=platform,
        name=name,
        status=ConnectionStatus.CONNECTED,
        decryptReadable=True,
        accounts=accounts,
        createdAt=moment(now),
        expiresAt=moment(int(probe.expires_at.timestamp() * 1000)) if probe.expires_at else None,
        lastSyncAt=moment(now),
        probe=ProbeResult(ok=True, accounts=accounts, scopes=probe.scopes),
    )

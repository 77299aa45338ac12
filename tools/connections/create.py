"""Connect an ad platform."""

from typing import Annotated, Literal

import orjson
from pydantic import Field, ValidationInfo, field_validator

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

_TAKEN = {
    Platform.META: ("access_token",),
    Platform.GOOGLE: ("refresh_token", "developer_token", "client_id", "client_secret", "login_customer_id"),
}
"""The credentials of each platform, the required one first."""

_ACCESS = {
    Platform.META: "Give its user access to an ad account, with ads_read and ads_management, and paste a new token.",
    Platform.GOOGLE: "Sign in with a Google account that reaches an active Google Ads account, and paste its token.",
}


class NewConnection(Input):
    platform: Annotated[Literal["meta", "google"], Field(description="Ad platform.")]
    access_token: Annotated[
        Secret | None,
        Field(validate_default=True, description="Meta, required: a long-lived user or system user token."),
    ] = None
    refresh_token: Annotated[
        Secret | None, Field(validate_default=True, description="Google, required: an OAuth refresh token.")
    ] = None
    developer_token: Annotated[Secret | None, Field(description="Google: no longer needed; sent on if given.")] = None
    client_id: Annotated[
        Secret | None, Field(description="Google: the OAuth client the token was issued to, if not the server's.")
    ] = None
    client_secret: Annotated[Secret | None, Field(description="Google: that client's secret.")] = None
    login_customer_id: Annotated[
        str | None,
        Field(
            pattern=r"^\d{3}-?\d{3}-?\d{4}$",
            description="Google: the manager account to go through, if not the one found.",
        ),
    ] = None
    name: (
        Annotated[
            str,
            Field(min_length=1, max_length=100, description="What to call it; the first account's name if left out."),
        ]
        | None
    ) = None

    @field_validator(*_TAKEN[Platform.META], *_TAKEN[Platform.GOOGLE])
    @classmethod
    def _of_its_platform(cls, value: Secret | str | None, info: ValidationInfo) -> Secret | str | None:
        if (platform := info.data.get("platform")) is None:
            return value
        taken = _TAKEN[Platform(platform)]
        if value is None and info.field_name == taken[0]:
            raise ValueError(f"is required for {platform}")
        if value is not None and info.field_name not in taken:
            raise ValueError(f"is not a credential of {platform}")
        return value

    @property
    def given(self) -> dict[str, Secret]:
        """The credentials sent, by field."""
        values = {name: getattr(self, name) for name in _TAKEN[Platform(self.platform)]}
        found = {name: value for name, value in values.items() if value is not None}
        return {n: v if isinstance(v, Secret) else Secret(v.replace("-", "")) for n, v in found.items()}


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
    """Connect an ad platform with a token that a person pastes: Meta by access_token, Google by refresh_token. It is
    tried once, sealed, and never shown again; a token the platform refuses is not stored. Returns the connection with
    the ad accounts it reaches."""
    platform, connection_id = Platform(new.platform), ids.new("con")
    required, values = _TAKEN[platform][0], new.given
    if new.name and (redact(new.name) != new.name or any(each.reveal() in new.name for each in values.values())):
        raise InvalidArguments(
            "This name looks like a token, and names are shown.",
            fix=f"Send the token as {required}, and any other name.",
            problems=[{"field": "name", "problem": "looks like a token"}],
        )
    probe = await context.platforms[platform].probe(Credential(connection_id, values))
    if not probe.accounts:
        raise InvalidArguments(
            "This token reaches no ad account.",
            fix=_ACCESS[platform],
            problems=[{"field": required, "problem": "reaches no ad account"}],
        )
    secret = orjson.dumps({name: value.reveal() for name, value in values.items()}).decode()
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

"""What a token is and whose accounts it opens, told by Meta."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from server.platforms.exchange import Effect
from server.platforms.meta.answers import Row, text
from server.platforms.meta.client import GraphClient, access_token
from server.platforms.meta.codes import GraphError
from server.platforms.meta.errors import META, failure
from server.platforms.meta.usage import Usage
from tools.errors import CapabilityError, NotFound, PlatformFailure, ReauthRequired
from tools.ports import Account, Credential
from tools.secret import Secret

ACCOUNT_FIELDS = "id,name,currency,timezone_name,account_status"
_DELIVERING = frozenset({1, 9, 201})  # active, in grace period, any active


async def inspect(
    graph: GraphClient, credential: Credential, app_id: str | None, app_secret: Secret | None
) -> tuple[tuple[str, ...], dt.datetime | None]:
    """Scopes and expiry (None: does not expire, or Meta does not tell). A token that is no longer valid raises.

    Without the app's id and secret a token may inspect itself only where its person has a role in the app; where Meta
    refuses that, nothing is known and the scopes are empty.
    """
    token = access_token(credential)
    app = Secret(f"{app_id}|{app_secret.reveal()}") if app_id and app_secret else None
    inspector = Credential(credential.connection_id, {"access_token": app or token})
    try:
        answer = await graph.read(inspector, "debug_token", {}, secret_params={"input_token": token})
    except (NotFound, PlatformFailure) as error:
        if app is None:
            return (), None
        if isinstance(error, ReauthRequired):  # it is the app that Meta does not know
            raise _app_refused(error) from None
        raise
    about: Mapping[str, Any] = answer.get("data") or {}
    if not about.get("is_valid"):
        invalid = GraphError.of({**(about.get("error") or {}), "code": 190}, 400)
        raise failure(invalid, Effect.READ, credential.connection_id, Usage())
    if app and str(about.get("app_id", app_id)) != app_id:
        raise PlatformFailure(
            f"The access token belongs to another Meta app ({about['app_id']}).",
            fix=f"Paste a token made for app {app_id}, or set META_APP_ID and META_APP_SECRET to that app's.",
            connection_id=credential.connection_id,
            platform=META,
        )
    expires = int(about.get("expires_at") or 0)
    scopes = tuple(str(scope) for scope in about.get("scopes") or ())
    return scopes, dt.datetime.fromtimestamp(expires, dt.UTC) if expires else None


def account(row: Row) -> Account:
    return Account(
        account_id=text(row, "id"),
        name=str(row.get("name") or row["id"]),
        currency=text(row, "currency"),
        time_zone=text(row, "timezone_name"),
        active=row.get("account_status") in _DELIVERING,
    )


def _app_refused(error: CapabilityError) -> PlatformFailure:
    return PlatformFailure(
        "Meta does not accept this server's app id and secret.",
        fix="Check META_APP_ID and META_APP_SECRET against the app's basic settings at developers.facebook.com.",
        **error.details,
    )

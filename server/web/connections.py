"""A connection as a person reads it: whether it works, in words, and what to do where it does not."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from server.web.card import PLATFORMS, Standing

_RECONNECT = "Connect it again with a new token, then disconnect this one."
_EXPIRED = Standing("Token expired", "bad", "clock", f"The platform no longer takes this token. {_RECONNECT}")
_UNREADABLE = Standing(
    "Cannot be read",
    "bad",
    "lock",
    f"The stored credentials cannot be decrypted with the keys Adwright runs with. {_RECONNECT} "
    "Or have the key they were sealed with put back into ENCRYPTION_KEYS.",
)
STANDINGS = {
    "connected": Standing("Connected", "good", "circle-check", ""),
    "reauth_required": Standing(
        "Needs a new token", "bad", "circle-alert", f"The platform refused this token. {_RECONNECT}"
    ),
    "account_blocked": Standing(
        "Account blocked", "bad", "ban", "The platform has blocked an ad account. Settle it there, then test again."
    ),
    "unreachable": Standing(
        "Not reachable", "warn", "triangle-alert", "The platform did not answer properly. Test again in a minute."
    ),
}


@dataclass(frozen=True, slots=True)
class AccountLine:
    id: str
    name: str
    currency: str
    time_zone: str
    active: bool


@dataclass(frozen=True, slots=True)
class ConnectionCard:
    id: str
    name: str
    platform: str
    standing: Standing
    readable: bool
    accounts: tuple[AccountLine, ...]
    created: dt.datetime
    expires: dt.datetime | None
    used: dt.datetime | None


def connection_card(row: Mapping[str, Any], now: dt.datetime) -> ConnectionCard:
    """From the wire shape of a connection."""
    expires, used = (dt.datetime.fromisoformat(row[at]) if at in row else None for at in ("expiresAt", "lastSyncAt"))
    return ConnectionCard(
        id=row["id"],
        name=row["name"],
        platform=PLATFORMS.get(row["platform"], row["platform"]),
        standing=_standing(row, expires is not None and expires <= now),
        readable=row["decryptReadable"],
        accounts=tuple(
            AccountLine(each["account_id"], each["name"], each["currency"], each["time_zone"], each["active"])
            for each in row["accounts"]
        ),
        created=dt.datetime.fromisoformat(row["createdAt"]),
        expires=expires,
        used=used,
    )


def _standing(row: Mapping[str, Any], expired: bool) -> Standing:
    if not row["decryptReadable"]:
        return _UNREADABLE
    return _EXPIRED if expired else STANDINGS[row["status"]]

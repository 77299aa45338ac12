"""What Graph's errors mean for the person: each becomes one error of ours that says what to do next."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from server.platforms.exchange import Effect, Outcome
from server.platforms.meta.codes import GraphError, Kind
from server.platforms.meta.usage import Usage
from tools.errors import (
    AccountBlocked,
    CapabilityError,
    NotFound,
    PlatformFailure,
    RateLimited,
    ReauthRequired,
    VersionSunset,
)
from tools.fields import Platform

META = Platform.META.value
DEFAULT_WAIT = 300
"""Seconds to wait when throttled without a figure: the window over which Meta's points decay."""

_PERMISSION = re.compile(
    r"\b(ads_management|ads_read|business_management|catalog_management|leads_retrieval|pages_\w+)\b"
)


class TooMuchData(PlatformFailure):
    """Too large to be answered at once; as an asynchronous report it may succeed."""


_REAUTH = {
    458: "the person removed the app",
    460: "the person changed their password",
    463: "it has expired",
    464: "the person's account is not confirmed",
    467: "it is no longer valid",
    492: "its session is no longer valid",
}
_FIXES: Mapping[tuple[int, int | None], str] = {
    (100, 1885621): "The budget is set on the ad sets of this campaign: change it there, or remove it there first.",
    (100, 1885183): "Take the Meta app out of development mode in its dashboard, then try again.",
    (2500, None): "Check META_GRAPH_URL and META_API_VERSION.",
}


def failure(error: GraphError, effect: Effect, connection_id: str, usage: Usage) -> CapabilityError:
    """The error of ours for one of Meta's. On writes details.outcome says whether anything can have changed."""
    kind = error.kind
    details: dict[str, Any] = {
        "platform": META,
        "outcome": _outcome(kind, effect),
        "platformCode": error.code,
        "platformSubcode": error.subcode,
        "platformMessage": error.user_message or error.message or None,
        "field": error.field,
        "traceId": error.trace_id,
    }
    details = {name: value for name, value in details.items() if value is not None}
    return _BUILD[kind](error, effect, details, connection_id, usage)


def _outcome(kind: Kind, effect: Effect) -> str | None:
    if effect is Effect.READ:
        return None
    if kind is Kind.TRANSIENT:
        return (Outcome.UNKNOWN if effect is Effect.WRITE else Outcome.NOT_SENT).value
    return Outcome.REFUSED.value


Details = dict[str, Any]


def _reauth(error: GraphError, _effect: Effect, details: Details, connection_id: str, _usage: Usage) -> CapabilityError:
    why = _REAUTH.get(error.subcode or 0, "it was not accepted")
    return ReauthRequired(
        f"Meta no longer accepts this connection's access token: {why}.",
        fix="Connect the account again at /integrations with a fresh access token.",
        connection_id=connection_id,
        **details,
    )


def _blocked(
    error: GraphError, _effect: Effect, details: Details, connection_id: str, _usage: Usage
) -> CapabilityError:
    if error.code == 368:
        message = "Meta has blocked this action for policy reasons, for now."
        fix = "See Account Quality at https://www.facebook.com/accountquality; the connection itself is still valid."
    else:
        message = "Meta wants the person behind this connection to pass a security check."
        fix = "Sign in at https://www.facebook.com and pass the check; the connection itself is still valid."
    return AccountBlocked(message, fix=fix, connection_id=connection_id, **details)


def _permission(
    error: GraphError, effect: Effect, details: Details, connection_id: str, _usage: Usage
) -> CapabilityError:
    named = _PERMISSION.search(error.message)
    missing = named[1] if named else "ads_read" if effect is Effect.READ else "ads_management"
    return PlatformFailure(
        f"Meta does not let this connection do that: {missing} is missing, for the app or for this ad account.",
        fix=f"Connect again at /integrations with a token that has {missing} and is assigned to the ad account.",
        connection_id=connection_id,
        missingPermission=missing,
        **details,
    )


def _throttled(
    _error: GraphError, _effect: Effect, details: Details, connection_id: str, usage: Usage
) -> CapabilityError:
    wait = usage.regain_seconds or DEFAULT_WAIT
    return RateLimited(
        "Meta has had too many calls for this account or app.",
        fix=f"Wait {wait} seconds, then try again.",
        retry_after=wait,
        connection_id=connection_id,
        source="upstream",
        **details,
    )


def _sunset(
    _error: GraphError, _effect: Effect, details: Details, _connection_id: str, _usage: Usage
) -> CapabilityError:
    return VersionSunset(
        "Meta has switched off the API version in use.",
        fix="Set META_API_VERSION to a version Meta still serves (see its changelog) and restart.",
        **details,
    )


def _too_much(
    _error: GraphError, _effect: Effect, details: Details, _connection_id: str, _usage: Usage
) -> CapabilityError:
    return TooMuchData(
        "Meta finds this too much to answer at once.",
        fix="Ask for less: fewer days, no breakdown, or a smaller limit.",
        **details,
    )


def _transient(
    error: GraphError, effect: Effect, details: Details, _connection_id: str, _usage: Usage
) -> CapabilityError:
    if effect is Effect.WRITE:
        return PlatformFailure(
            f"Meta failed while it had this change (code {error.code}); it may or may not have taken effect.",
            fix="Read the campaign back before doing it again.",
            **details,
        )
    return PlatformFailure(
        f"Meta failed for the moment (code {error.code}).", fix="Try again in a minute.", retry_after=60, **details
    )


def _missing(
    _error: GraphError, _effect: Effect, details: Details, connection_id: str, _usage: Usage
) -> CapabilityError:
    return NotFound(
        "Meta has no such object, or this connection may not see it.",
        fix="Take the id from list_campaigns or list_connections.",
        connection_id=connection_id,
        **details,
    )


def _duplicate(
    error: GraphError, _effect: Effect, details: Details, _connection_id: str, _usage: Usage
) -> CapabilityError:
    return PlatformFailure(
        f"Meta already has this: {error.words}", fix="Use the existing one, or choose another name.", **details
    )


def _invalid(
    error: GraphError, effect: Effect, details: Details, _connection_id: str, _usage: Usage
) -> CapabilityError:
    what = "question" if effect is Effect.READ else "change"
    fix = _FIXES.get((error.code, error.subcode)) or "Adjust what Meta names and try again."
    return PlatformFailure(f"Meta refused the {what}: {error.words}", fix=fix, **details)


Builder = Callable[[GraphError, Effect, Details, str, Usage], CapabilityError]
_BUILD: Mapping[Kind, Builder] = {
    Kind.REAUTH: _reauth,
    Kind.BLOCKED: _blocked,
    Kind.PERMISSION: _permission,
    Kind.THROTTLED: _throttled,
    Kind.SUNSET: _sunset,
    Kind.TOO_MUCH: _too_much,
    Kind.TRANSIENT: _transient,
    Kind.MISSING: _missing,
    Kind.DUPLICATE: _duplicate,
    Kind.INVALID: _invalid,
}

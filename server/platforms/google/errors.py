"""What Google's errors mean for the person: each becomes one error of ours that says what to do next."""

from collections.abc import Callable, Mapping
from typing import Any

from server.platforms.exchange import Effect, Outcome
from server.platforms.google.codes import AdsError, Kind
from server.platforms.google.wire import GOOGLE
from tools.errors import (
    AccountBlocked,
    CapabilityError,
    NotFound,
    PlatformFailure,
    RateLimited,
    ReauthRequired,
    VersionSunset,
)

DEFAULT_WAIT = 60
"""Seconds to wait when throttled without a figure, but where a day's quota is used up."""
_DAILY_WAIT = 3600
_RECONNECT = "Connect the account again at /integrations with a fresh refresh token."

_FIELDS = {
    "contains_eu_political_advertising": "eu_political_ads",
    "amount_micros": "daily_budget",
    "name": "name",
    "status": "status",
    "start_date_time": "start_date",
    "advertising_channel_type": "objective",
}
"""Our name for what Google blames."""


def failure(error: AdsError, effect: Effect, connection_id: str) -> CapabilityError:
    """The error of ours for one of Google's. On writes details.outcome says whether anything can have changed."""
    blamed = (error.location or "").rpartition(".")[2]
    details: dict[str, Any] = {
        "platform": GOOGLE,
        "outcome": _outcome(error.kind, effect),
        "platformCode": error.code or None,
        "platformMessage": error.words,
        "field": _FIELDS.get(blamed, blamed) or None,
        "location": error.location,
        "requestId": error.request_id,
    }
    shown = {name: value for name, value in details.items() if value is not None}
    return _BUILD[error.kind](error, effect, shown, connection_id)


def _outcome(kind: Kind, effect: Effect) -> str | None:
    if effect is Effect.READ:
        return None
    if kind is Kind.TRANSIENT:
        return (Outcome.UNKNOWN if effect is Effect.WRITE else Outcome.NOT_SENT).value
    return Outcome.REFUSED.value


Details = dict[str, Any]


def _reauth(error: AdsError, _effect: Effect, details: Details, connection_id: str) -> CapabilityError:
    why = _REAUTH.get(error.code, "it was not accepted")
    return ReauthRequired(
        f"Google no longer accepts this connection's sign-in: {why}.",
        fix=_RECONNECT,
        connection_id=connection_id,
        **details,
    )


_REAUTH = {
    "authenticationError.OAUTH_TOKEN_REVOKED": "the person took the access back",
    "authenticationError.OAUTH_TOKEN_DISABLED": "its token was disabled",
    "authenticationError.GOOGLE_ACCOUNT_DELETED": "the Google account was deleted",
    "authenticationError.NOT_ADS_USER": "the Google account has no Google Ads account",
    "reason.ACCESS_TOKEN_SCOPE_INSUFFICIENT": "it was given without the Google Ads scope (auth/adwords)",
}


def _blocked(error: AdsError, _effect: Effect, details: Details, connection_id: str) -> CapabilityError:
    message, fix = _BLOCKED.get(error.code, _BLOCKED["authorizationError.CUSTOMER_NOT_ENABLED"])
    return AccountBlocked(
        message, fix=f"{fix} The connection itself is still valid.", connection_id=connection_id, **details
    )


_BLOCKED = {
    "authorizationError.CUSTOMER_NOT_ENABLED": (
        "This Google Ads account is not enabled: its set-up is unfinished, or it was cancelled.",
        "Open it at https://ads.google.com and finish its set-up or reactivate it.",
    ),
    "authorizationError.ACTION_NOT_PERMITTED_FOR_SUSPENDED_ACCOUNT": (
        "Google has suspended this Google Ads account.",
        "See the notice at https://ads.google.com and appeal there.",
    ),
    "authorizationError.INCOMPLETE_SIGNUP": (
        "The sign-up of this Google Ads account is not complete.",
        "Complete it at https://ads.google.com.",
    ),
    "authenticationError.TWO_STEP_VERIFICATION_NOT_ENROLLED": (
        "Google wants the person behind this connection to use 2-Step Verification.",
        "Turn it on at https://myaccount.google.com/security, then connect again.",
    ),
    "authenticationError.ADVANCED_PROTECTION_NOT_ENROLLED": (
        "Google wants the person behind this connection to be in the Advanced Protection Program.",
        "Enrol at https://g.co/advancedprotection, then connect again.",
    ),
}


def _access(_error: AdsError, _effect: Effect, details: Details, connection_id: str) -> CapabilityError:
    return PlatformFailure(
        "Google does not let this connection reach that account, or not to do that.",
        fix="If a manager account leads to it, connect again at /integrations with that manager's id as "
        "login_customer_id; otherwise have the person invited to the account with Standard access.",
        connection_id=connection_id,
        **details,
    )


def _project(error: AdsError, _effect: Effect, details: Details, connection_id: str) -> CapabilityError:
    return PlatformFailure(
        f"Google does not let the Cloud project behind this server do that: {error.words}",
        fix=_PROJECT.get(error.code, _PROJECT_FIX),
        connection_id=connection_id,
        **details,
    )


_PROJECT_FIX = (
    "In the Google Cloud console, check that GOOGLE_CLIENT_ID belongs to a project with the Google Ads API enabled, "
    "its terms accepted and an access level that covers this account."
)
_PROJECT = {
    "authorizationError.CLOUD_PROJECT_NOT_APPROVED_FOR_PRODUCTION": "The project may use test accounts only: apply "
    "for Explorer, Basic or Standard access in the Google Cloud console, or connect a test account.",
    "reason.SERVICE_DISABLED": "Enable the Google Ads API for the project in the Google Cloud console, wait a few "
    "minutes, then try again.",
}


def _throttled(error: AdsError, _effect: Effect, details: Details, connection_id: str) -> CapabilityError:
    daily = error.code == "quotaError.RESOURCE_EXHAUSTED"
    wait = error.retry_seconds or (_DAILY_WAIT if daily else DEFAULT_WAIT)
    return RateLimited(
        "Google has had too many calls from this server's project, or for this account.",
        fix=f"Wait {wait} seconds, then try again.",
        retry_after=wait,
        connection_id=connection_id,
        source="upstream",
        **details,
    )


def _sunset(_error: AdsError, _effect: Effect, details: Details, _connection_id: str) -> CapabilityError:
    return VersionSunset(
        "Google has switched off the API version in use.",
        fix="Set GOOGLE_ADS_API_VERSION to a version Google still serves (see its release notes) and restart.",
        **details,
    )


def _transient(error: AdsError, effect: Effect, details: Details, _connection_id: str) -> CapabilityError:
    code = error.code or f"HTTP {error.http_status}"
    if effect is Effect.WRITE:
        return PlatformFailure(
            f"Google failed while it had this change ({code}); it may or may not have taken effect.",
            fix="Read the campaign back before doing it again.",
            **details,
        )
    return PlatformFailure(
        f"Google failed for the moment ({code}).", fix="Try again in a minute.", retry_after=60, **details
    )


def _busy(_error: AdsError, _effect: Effect, details: Details, _connection_id: str) -> CapabilityError:
    return PlatformFailure(
        "Google did not do it, because something else was changing the same campaign or budget.",
        fix="Look at the campaign, then try again.",
        retry_after=5,
        **details,
    )


def _missing(_error: AdsError, _effect: Effect, details: Details, connection_id: str) -> CapabilityError:
    return NotFound(
        "Google has no such object, or this connection may not see it.",
        fix="Take the id from list_campaigns or list_connections.",
        connection_id=connection_id,
        **details,
    )


def _duplicate(error: AdsError, _effect: Effect, details: Details, _connection_id: str) -> CapabilityError:
    return PlatformFailure(
        f"Google already has this: {error.words}", fix="Use the existing one, or choose another name.", **details
    )


def _invalid(error: AdsError, effect: Effect, details: Details, _connection_id: str) -> CapabilityError:
    what = "question" if effect is Effect.READ else "change"
    fix = _FIXES.get(error.code) or "Adjust what Google names and try again."
    if error.minimum:
        least, currency = error.minimum
        fix = f"Set daily_budget to at least {least:f} {currency}."
        details["minimum"] = f"{least:f} {currency}"
    elif error.code == "fieldError.REQUIRED" and details.get("field"):
        fix = f"Send {details['field']} and try again."
    return PlatformFailure(f"Google refused the {what}: {error.words}", fix=fix, **details)


_ONE_UNIT = "Send a daily_budget in whole units of the account's smallest coin: JPY, for one, has no decimals."
_GONE = "A removed campaign stays removed on Google: create a new one."
_FIXES = {
    "campaignBudgetError.BUDGET_BELOW_PER_DAY_MINIMUM": "Raise daily_budget and try again.",
    "campaignBudgetError.MONEY_AMOUNT_TOO_LARGE": "Lower daily_budget and try again.",
    "campaignBudgetError.NON_MULTIPLE_OF_MINIMUM_CURRENCY_UNIT": _ONE_UNIT,
    "currencyError.VALUE_NOT_MULTIPLE_OF_BILLABLE_UNIT": _ONE_UNIT,
    "campaignBudgetError.CAMPAIGN_BUDGET_REMOVED": _GONE,
    "contextError.OPERATION_NOT_PERMITTED_FOR_REMOVED_RESOURCE": _GONE,
    "operationAccessDeniedError.OPERATION_NOT_PERMITTED_FOR_REMOVED_RESOURCE": _GONE,
    "campaignError.INVALID_STATUS_CHANGE": _GONE,
    "campaignError.CANNOT_SET_DATE_TO_PAST": "Send a start_date that is today or later in the account's time zone.",
    "mutateError.EU_POLITICAL_ADVERTISING_DECLARATION_REQUIRED": "Send eu_political_ads and try again.",
    "requestError.CANNOT_BE_EXECUTED_BY_MANAGER_ACCOUNT": "Take an account under this manager, from list_connections.",
    "queryError.REQUESTED_METRICS_FOR_MANAGER": "Take an account under this manager, from list_connections.",
    "resourceCountLimitExceededError.CAMPAIGN_LIMIT": "Remove campaigns of this account first.",
}


Builder = Callable[[AdsError, Effect, Details, str], CapabilityError]
_BUILD: Mapping[Kind, Builder] = {
    Kind.EXPIRED: _reauth,
    Kind.REAUTH: _reauth,
    Kind.BLOCKED: _blocked,
    Kind.ACCESS: _access,
    Kind.PROJECT: _project,
    Kind.THROTTLED: _throttled,
    Kind.SUNSET: _sunset,
    Kind.TRANSIENT: _transient,
    Kind.BUSY: _busy,
    Kind.MISSING: _missing,
    Kind.DUPLICATE: _duplicate,
    Kind.INVALID: _invalid,
}

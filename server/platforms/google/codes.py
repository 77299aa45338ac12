"""Google's failure object and what its codes stand for: dispatch is on them, never on Google's wording."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import Enum, auto
from math import ceil
from typing import Any, Self

from server.platforms.google.money import to_major
from tools.secret import redact

_FAILURE = "GoogleAdsFailure"
_SECONDS = re.compile(r"(\d{1,9})(\.\d+)?s", re.ASCII)


class Kind(Enum):
    EXPIRED = auto()  # the access token: a fresh one may do
    REAUTH = auto()
    BLOCKED = auto()  # the sign-in is still good
    ACCESS = auto()  # this person, or this login-customer-id, does not reach the account
    PROJECT = auto()  # the Cloud project that owns the OAuth client
    THROTTLED = auto()
    SUNSET = auto()
    TRANSIENT = auto()
    BUSY = auto()  # refused because another change was being made
    MISSING = auto()
    DUPLICATE = auto()
    INVALID = auto()


def _codes(family: str, words: str, kind: Kind) -> dict[str, Kind]:
    return {f"{family}.{word}": kind for word in words.split()}


_BY_CODE: Mapping[str, Kind] = {
    **_codes(
        "authenticationError",
        "AUTHENTICATION_ERROR OAUTH_TOKEN_EXPIRED OAUTH_TOKEN_INVALID OAUTH_TOKEN_HEADER_INVALID",
        Kind.EXPIRED,
    ),
    **_codes("authenticationError", "CLIENT_CUSTOMER_ID_INVALID CUSTOMER_NOT_FOUND", Kind.MISSING),
    **_codes(
        "authenticationError", "TWO_STEP_VERIFICATION_NOT_ENROLLED ADVANCED_PROTECTION_NOT_ENROLLED", Kind.BLOCKED
    ),
    **_codes(
        "authenticationError",
        "DEVELOPER_TOKEN_INVALID ORGANIZATION_NOT_RECOGNIZED ORGANIZATION_NOT_APPROVED "
        "ORGANIZATION_NOT_ASSOCIATED_WITH_DEVELOPER_TOKEN",
        Kind.PROJECT,
    ),
    **_codes(
        "authorizationError",
        "CUSTOMER_NOT_ENABLED ACTION_NOT_PERMITTED_FOR_SUSPENDED_ACCOUNT INCOMPLETE_SIGNUP",
        Kind.BLOCKED,
    ),
    **_codes(
        "authorizationError",
        "CLOUD_PROJECT_NOT_APPROVED_FOR_PRODUCTION CLOUD_PROJECT_NOT_UNDER_ORGANIZATION PROJECT_DISABLED MISSING_TOS "
        "DEVELOPER_TOKEN_PROHIBITED DEVELOPER_TOKEN_NOT_APPROVED DEVELOPER_TOKEN_NOT_ON_ALLOWLIST "
        "SERVICE_ACCESS_DENIED METRIC_ACCESS_DENIED",
        Kind.PROJECT,
    ),
    **_codes("headerError", "INVALID_LOGIN_CUSTOMER_ID", Kind.ACCESS),
    **_codes("quotaError", "ACCESS_PROHIBITED", Kind.PROJECT),
    **_codes("requestError", "LOGIN_CUSTOMER_ID_PARAMETER_MISSING", Kind.ACCESS),
    **_codes("requestError", "RESOURCE_NOT_FOUND INVALID_CUSTOMER_ID BAD_RESOURCE_ID", Kind.MISSING),
    **_codes("requestError", "DEVELOPER_TOKEN_PARAMETER_MISSING CLOUD_PROJECT_NOT_FOUND", Kind.PROJECT),
    **_codes("requestError", "UNSUPPORTED_VERSION", Kind.SUNSET),
    **_codes("requestError", "RPC_DEADLINE_TOO_SHORT", Kind.TRANSIENT),
    **_codes("mutateError", "RESOURCE_NOT_FOUND", Kind.MISSING),
    **_codes("mutateError", "RESOURCE_ALREADY_EXISTS", Kind.DUPLICATE),
    **_codes("idError", "NOT_FOUND", Kind.MISSING),
    **_codes("campaignError", "DUPLICATE_CAMPAIGN_NAME", Kind.DUPLICATE),
    **_codes("campaignBudgetError", "DUPLICATE_NAME", Kind.DUPLICATE),
    **_codes("databaseError", "CONCURRENT_MODIFICATION", Kind.BUSY),
    # Of Google's front door, before Google Ads: reasons of google.rpc.ErrorInfo.
    **_codes("reason", "ACCESS_TOKEN_EXPIRED CREDENTIALS_MISSING", Kind.EXPIRED),
    **_codes("reason", "ACCESS_TOKEN_SCOPE_INSUFFICIENT", Kind.REAUTH),
    **_codes("reason", "SERVICE_DISABLED CONSUMER_INVALID CONSUMER_SUSPENDED USER_PROJECT_DENIED", Kind.PROJECT),
    **_codes("reason", "RATE_LIMIT_EXCEEDED", Kind.THROTTLED),
}
_BY_FAMILY: Mapping[str, Kind] = {
    "authenticationError": Kind.REAUTH,
    "authorizationError": Kind.ACCESS,
    "internalError": Kind.TRANSIENT,
    "quotaError": Kind.THROTTLED,
}
_BY_STATUS: Mapping[int, Kind] = {401: Kind.EXPIRED, 403: Kind.ACCESS, 404: Kind.MISSING, 429: Kind.THROTTLED}


@dataclass(frozen=True, slots=True, kw_only=True)
class AdsError:
    """One of the errors of a failure, with what it says about the request."""

    code: str  # campaignBudgetError.DUPLICATE_NAME; reason.SERVICE_DISABLED of the front door; empty if it has none
    message: str = ""
    location: str | None = None  # mutate_operations[1].campaign_operation.create.name
    index: int | None = None  # of the operation it is about
    retry_seconds: int | None = None
    minimum: tuple[Decimal, str] | None = None  # of a daily budget, and its currency
    request_id: str | None = None
    http_status: int = 400
    others: tuple[str, ...] = field(default=())  # messages of the further errors of the same call

    @classmethod
    def of(cls, error: Mapping[str, Any], http_status: int, request_id: str | None) -> Self:
        """From the wire, without what looks like a credential."""
        code = error.get("errorCode")
        family, word = next(iter(code.items())) if isinstance(code, dict) and code else ("", "")
        details = _object(error, "details")
        path = [part for part in _object(error, "location").get("fieldPathElements") or () if isinstance(part, dict)]
        return cls(
            code=f"{family}.{word}" if family else "",
            message=redact(str(error.get("message") or ""))[:500],
            location=".".join(_step(part) for part in path)[:300] or None,
            index=_number(path[0].get("index", 0)) if path else None,
            retry_seconds=_seconds(_object(details, "quotaErrorDetails").get("retryDelay")),
            minimum=_minimum(_object(details, "budgetPerDayMinimumErrorDetails")),
            request_id=request_id,
            http_status=http_status,
        )

    @property
    def kind(self) -> Kind:
        known = _BY_CODE.get(self.code) or _BY_FAMILY.get(self.code.partition(".")[0])
        if known:
            return known
        if self.http_status >= 500:
            return Kind.TRANSIENT
        return Kind.INVALID if self.code else _BY_STATUS.get(self.http_status, Kind.INVALID)

    @property
    def words(self) -> str:
        """For a person: at most three of the messages."""
        said = [text for text in (self.message, *self.others) if text][:3]
        return " ".join(said) or self.code or f"HTTP {self.http_status}"


def errors_of(status: Mapping[str, Any], http_status: int, request_id: str | None = None) -> list[AdsError]:
    """Of an error body, or of what a partly failed call says beside its results: each error of Google Ads, else one
    for what the front door said. Never empty.
    """
    details = [each for each in status.get("details") or () if isinstance(each, dict)]
    found = [
        AdsError.of(error, http_status, str(failure.get("requestId") or request_id or "") or None)
        for failure in details
        if _FAILURE in str(failure.get("@type"))
        for error in failure.get("errors") or ()
        if isinstance(error, dict)
    ]
    if found:
        return found
    reason = next((str(each["reason"]) for each in details if each.get("reason")), "")
    plain = AdsError.of({"message": status.get("message")}, http_status, request_id)
    return [replace(plain, code=f"reason.{reason}"[:100] if reason else "")]


def first_of(errors: list[AdsError]) -> AdsError:
    """The one that decides what happens next, with what the others say."""
    return replace(errors[0], others=tuple(error.message for error in errors[1:]))


def _object(of: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = of.get(name)
    return value if isinstance(value, dict) else {}


def _step(part: Mapping[str, Any]) -> str:
    index = _number(part.get("index"))
    return f"{part.get('fieldName', '')}" + ("" if index is None else f"[{index}]")


def _number(value: object) -> int | None:
    """An index: int32 is a JSON number, but a string is as good; 0 is left out on the wire."""
    return int(value) if isinstance(value, int) or (isinstance(value, str) and value.isdecimal()) else None


def _seconds(delay: object) -> int | None:
    """Of a protobuf Duration: 24130s, 1.5s."""
    found = _SECONDS.fullmatch(str(delay))
    return ceil(float(found[0][:-1])) if found else None


def _minimum(details: Mapping[str, Any]) -> tuple[Decimal, str] | None:
    micros = details.get("budgetPerDayMinimumMicros") or details.get("minimumBudgetAmountMicros")
    return (to_major(micros), str(details.get("currencyCode", ""))) if micros else None

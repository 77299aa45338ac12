"""The platform's refusals in its own words: GoogleAdsFailure for what it read, BadRequest for what it could not."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import orjson

VERSION = "v26"
_FAILURE = f"type.googleapis.com/google.ads.googleads.{VERSION}.errors.GoogleAdsFailure"
_BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"

Location = tuple[tuple[str, int | None], ...]

INVALID = (400, "Request contains an invalid argument.")
_BY_CATEGORY: dict[str, tuple[int, str]] = {
    "authenticationError": (
        401,
        "Request had invalid authentication credentials. Expected OAuth 2 access token or other valid credential.",
    ),
    "authorizationError": (403, "The caller does not have permission"),
    "internalError": (500, "Internal error encountered."),
    "quotaError": (429, "Resource has been exhausted (e.g. check quota)."),
}
STATUS_NAMES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


@dataclass(frozen=True)
class Problem:
    code: str
    """Such as `queryError.UNRECOGNIZED_FIELD`."""
    message: str
    location: Location = ()
    trigger: str | None = None
    details: Mapping[str, object] = field(default_factory=dict)

    def at(self, place: Location) -> "Problem":
        """The same problem, seen from a place further out."""
        return Problem(self.code, self.message, place + self.location, self.trigger, self.details)

    def to_json(self) -> dict[str, object]:
        category, name = self.code.split(".")
        shown: dict[str, object] = {"errorCode": {category: name}, "message": self.message}
        if self.trigger is not None:
            shown["trigger"] = {"stringValue": self.trigger}
        if self.location:
            shown["location"] = {
                "fieldPathElements": [
                    {"fieldName": name} | ({} if index is None else {"index": index}) for name, index in self.location
                ]
            }
        return shown | ({"details": dict(self.details)} if self.details else {})


class Refused(Exception):
    """Anything that ends a request with an error answer."""

    status: int

    def body(self, request_id: str) -> dict[str, object]:
        raise NotImplementedError


class Failure(Refused):
    def __init__(self, *problems: Problem, status: int | None = None) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = problems
        usual, self.message = _BY_CATEGORY.get(problems[0].code.split(".")[0], INVALID)
        self.status = status or usual

    def details(self, request_id: str) -> list[dict[str, object]]:
        """One GoogleAdsFailure, as it stands in `details` of an error and of a partial failure."""
        errors = [problem.to_json() for problem in self.problems]
        return [{"@type": _FAILURE, "errors": errors, "requestId": request_id}]

    def body(self, request_id: str) -> dict[str, object]:
        return _envelope(self.status, self.message, self.details(request_id))


class NotReadable(Refused):
    """The body does not fit the request's message; said by the API's front, which knows no requestId."""

    status = 400

    def __init__(self, message: str, place: str = "") -> None:
        super().__init__(message)
        self._violation = ({"field": place} if place else {}) | {"description": message}

    def body(self, request_id: str) -> dict[str, object]:
        del request_id
        return _envelope(400, str(self), [{"@type": _BAD_REQUEST, "fieldViolations": [self._violation]}])


def _envelope(status: int, message: str, details: Sequence[Mapping[str, object]]) -> dict[str, object]:
    name = STATUS_NAMES.get(status, "UNKNOWN")
    return {"error": {"code": status, "message": message, "status": name, "details": list(details)}}


def failure(code: str, message: str, *place: str, trigger: str | None = None, **details: object) -> Failure:
    return Failure(Problem(code, message, tuple((name, None) for name in place), trigger, details))


def unknown_name(name: str, place: str) -> NotReadable:
    where = f" at '{place}'" if place else ""
    return NotReadable(f'Invalid JSON payload received. Unknown name "{name}"{where}: Cannot find field.', place)


def invalid_value(place: str, expected: str, raw: object) -> NotReadable:
    return NotReadable(f"Invalid value at '{place}' ({expected}), {orjson.dumps(raw).decode()}", place)


def token_invalid() -> Failure:
    return failure("authenticationError.OAUTH_TOKEN_INVALID", "OAuth token is invalid.")


def token_missing() -> Failure:
    return failure("authenticationError.AUTHENTICATION_ERROR", "Authentication of the request failed.")


def token_expired() -> Failure:
    return failure("authenticationError.OAUTH_TOKEN_EXPIRED", "OAuth token has expired.")


def permission_denied() -> Failure:
    return failure(
        "authorizationError.USER_PERMISSION_DENIED",
        "User doesn't have permission to access customer. Note: If you're accessing a client customer, the manager's "
        "customer id must be set in the 'login-customer-id' header. See "
        "https://developers.google.com/google-ads/api/docs/concepts/call-structure#cid",
    )


def exhausted(retry_seconds: int, *, for_now: bool = False) -> Failure:
    """The day's operations are used up, or with `for_now` there were too many at once."""
    code = "RESOURCE_TEMPORARILY_EXHAUSTED" if for_now else "RESOURCE_EXHAUSTED"
    details = {
        "rateScope": "ACCOUNT" if for_now else "DEVELOPER",
        "rateName": "Requests per second" if for_now else "Number of operations for basic access",
        "retryDelay": f"{retry_seconds}s",
    }
    return failure(
        f"quotaError.{code}", f"Too many requests. Retry in {retry_seconds} seconds.", quotaErrorDetails=details
    )


def transient() -> Failure:
    return failure("internalError.TRANSIENT_ERROR", "A transient internal error has occurred. Retry the request.")


def below_minimum(currency: str, minimum_micros: int, *place: str) -> Failure:
    return failure(
        "campaignBudgetError.BUDGET_BELOW_PER_DAY_MINIMUM",
        "The budget is below the per-day minimum of the currency.",
        *place,
        budgetPerDayMinimumErrorDetails={"currencyCode": currency, "budgetPerDayMinimumMicros": str(minimum_micros)},
    )


def not_found(resource_name: str, *place: str) -> Failure:
    return failure("mutateError.RESOURCE_NOT_FOUND", "Resource was not found.", *place, trigger=resource_name)


def required(*place: str) -> Failure:
    return failure("fieldError.REQUIRED", "The required field was not present.", *place)


def together(*checks: Callable[[], object]) -> None:
    """Run every check and say all that is wrong, not only the first."""
    problems: list[Problem] = []
    for check in checks:
        try:
            check()
        except Failure as failed:
            problems += failed.problems
    if problems:
        raise Failure(*problems)


def removed() -> Failure:
    return failure(
        "contextError.OPERATION_NOT_PERMITTED_FOR_REMOVED_RESOURCE",
        "The operation is not allowed for removed resources.",
    )

"""Graph's error object, with the codes, subcodes and wording that the platform uses, in one place."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256


@dataclass(eq=False)
class GraphError(Exception):
    code: int
    message: str
    subcode: int | None = None
    status: int = 400
    type: str = "OAuthException"
    user_title: str | None = None
    user_msg: str | None = None
    is_transient: bool = False
    blame: str | None = None
    regain_minutes: int = 0
    """How long the caller is told to wait, in a header; 0 for an error that is no matter of quota."""

    def body(self, trace: str) -> dict[str, object]:
        error: dict[str, object] = {"message": self.message, "type": self.type, "code": self.code}
        if self.blame is not None:
            error["error_data"] = {"blame_field_specs": [[self.blame]]}
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        error["is_transient"] = self.is_transient
        if self.user_title is not None:
            error |= {"error_user_title": self.user_title, "error_user_msg": self.user_msg}
        error["fbtrace_id"] = "A" + sha256(trace.encode()).hexdigest()[:22]
        return {"error": error}


def session_expired() -> GraphError:
    return GraphError(
        190,
        "Error validating access token: Session has expired on Sunday, 01-Nov-26 10:00:00 PST. "
        "The current time is later than that.",
        463,
    )


def malformed_token() -> GraphError:
    return GraphError(190, "Invalid OAuth access token - Cannot parse access token")


def token_missing() -> GraphError:
    return GraphError(104, "An access token is required to request this resource.")


def proof_missing() -> GraphError:
    return GraphError(100, "API calls from the server require an appsecret_proof argument", type="GraphMethodException")


def proof_invalid() -> GraphError:
    return GraphError(100, "Invalid appsecret_proof provided in the API argument", type="GraphMethodException")


def user_limit_reached(regain_minutes: int) -> GraphError:
    return GraphError(
        17,
        "User request limit reached",
        2446079,
        regain_minutes=regain_minutes,
        user_title="Ad account has too many API calls",
        user_msg="There have been too many calls from this ad account. Wait a bit and try again.",
    )


def budget_changed_too_often(regain_minutes: int) -> GraphError:
    return GraphError(
        17,
        "User request limit reached",
        regain_minutes=regain_minutes,
        user_title="Budget changed too often",
        user_msg="The budget of one campaign can be changed 4 times an hour. Try again later.",
        blame="daily_budget",
    )


def unknown_error() -> GraphError:
    return GraphError(
        2, "An unexpected error has occurred. Please retry your request later.", status=500, is_transient=True
    )


def version_sunset(latest: str) -> GraphError:
    return GraphError(
        2635,
        f"(#2635) You are calling a deprecated version of the Ads API. Please update to the latest version: {latest}.",
    )


def unknown_path(path: str) -> GraphError:
    return GraphError(2500, f"Unknown path components: /{path}")


def no_such_object(method: str, node_id: str) -> GraphError:
    return GraphError(
        100,
        f"Unsupported {method.lower()} request. Object with ID '{node_id}' does not exist, cannot be loaded due to "
        "missing permissions, or does not support this operation. Please read the Graph API documentation at "
        "https://developers.facebook.com/docs/graph-api",
        33,
        type="GraphMethodException",
    )


def no_such_field(field: str, node_type: str) -> GraphError:
    return GraphError(100, f"(#100) Tried accessing nonexisting field ({field}) on node type ({node_type})")


def no_such_insights_field(field: str) -> GraphError:
    return GraphError(
        100,
        f"(#100) {field} is not valid for fields param. please check "
        "https://developers.facebook.com/docs/marketing-api/reference/ads-insights/ for all valid values",
    )


def unknown_parameter(name: str) -> GraphError:
    return invalid(name, "Unknown parameter", f"The parameter {name} is not supported by this endpoint.")


def parameter_required(name: str) -> GraphError:
    return GraphError(100, f"(#100) The parameter {name} is required.", blame=name)


def not_of_type(name: str, expected: str) -> GraphError:
    return GraphError(100, f"(#100) Param {name} must be {expected}.", blame=name)


def not_one_of(name: str, allowed: Iterable[str], got: str) -> GraphError:
    return GraphError(
        100,
        f'(#100) Param {name} must be one of {{{", ".join(allowed)}}} - got unknown value: "{got}".',
        blame=name,
    )


def invalid(name: str | None, title: str, message: str, subcode: int | None = None) -> GraphError:
    return GraphError(100, "Invalid parameter", subcode, user_title=title, user_msg=message, blame=name)


def user_token_required() -> GraphError:
    return GraphError(2500, "An active access token must be used to query information about the current user.")

"""What the judge is told about us: which refusals of well-formed requests are meant, and what has to be reached."""

import re
from typing import Any, NamedTuple

import schemathesis
from schemathesis import Case, GenerationMode, HookContext
from schemathesis.checks import CheckContext
from schemathesis.core.failures import Failure
from schemathesis.core.transport import Response
from schemathesis.openapi.checks import RejectedPositiveData


class Meant(NamedTuple):
    """A refusal that no JSON schema can foresee."""

    status: int
    code: str
    message: str  # a regular expression


CURSOR = Meant(422, "invalid_arguments", "This cursor belongs to another query")
SEVERAL_ACCOUNTS = Meant(422, "invalid_arguments", "Several ad accounts fit; name one")
NO_ACCOUNT = Meant(422, "invalid_arguments", "No ad account is connected")
CHAT_TURNS = Meant(402, "quota_exceeded", "This month's 50 chat turns are used up")
NO_TURN = Meant(422, "invalid_arguments", "There is no turn [0-9]+: this conversation has")
OTHER_CHAT = Meant(409, "conflict", "This conversation belongs to the (ads|analytics) chat")
GUARDRAIL = Meant(422, "guardrail", "")

TOO_FINE = Meant(422, "invalid_arguments", r"is finer than Meta accepts: [A-Z]{3} amounts have")
UNSEEN = Meant(422, "invalid_arguments", r"(name|selector|value): take the invisible character U\+[0-9A-F]{4} out")
TOO_LOW = Meant(424, "platform_error", "Meta refused the change: Your budget is too low")

NO_CHANGE = Meant(422, "invalid_arguments", "nothing to change: send ")
WHICH_WEBSITE = Meant(422, "invalid_arguments", "Say which website|There is no website yet")
NO_HOST = Meant(
    422,
    "invalid_arguments",
    "(domain|proxy): (send the host alone|is no host name|needs a public name|has more than 253)",
)
NO_SETTING = Meant(422, "invalid_arguments", "is no (time zone of the IANA database|currency of ISO 4217)")
NO_STEP = Meant(422, "invalid_arguments", "a (path|goal) step needs a value|a payment step has no op and no value")
PASSWORD = Meant(422, "invalid_arguments", "password: .{0,12} 8 to 200 characters")
NOT_BOTH = Meant(422, "invalid_arguments", "send (password or remove_password|expires_days or remove_expiry), not both")
NO_PIPE = Meant(400, "invalid_pipe", "There is no pipe ")
DAYS = Meant(422, "invalid_arguments", "since is after until|since makes it [0-9]+ days|is not between 1970-01-01 and")
NOT_OF_PIPE = Meant(422, "invalid_arguments", "is not for p_[a-z_]+, which takes|is required by p_|must be one of")

MEANT = {
    "list_websites": (CURSOR,),
    "create_website": (NO_HOST, NO_SETTING, UNSEEN),
    "update_website": (NO_HOST, NO_SETTING, UNSEEN, NO_CHANGE),
    "list_goals": (CURSOR,),
    "create_goal": (WHICH_WEBSITE, UNSEEN),
    "update_goal": (UNSEEN, NO_CHANGE),
    "list_funnels": (CURSOR,),
    "create_funnel": (WHICH_WEBSITE, NO_STEP, UNSEEN),
    "update_funnel": (NO_STEP, UNSEEN, NO_CHANGE),
    "list_share_links": (CURSOR,),
    "create_share_link": (WHICH_WEBSITE, PASSWORD, UNSEEN),
    "update_share_link": (PASSWORD, NOT_BOTH, UNSEEN, NO_CHANGE),
    "list_alerts": (CURSOR,),
    "list_reports": (CURSOR,),
    "describe_metric": (NO_PIPE,),
    "query_metrics": (NO_PIPE, NO_SETTING, CURSOR, DAYS, NOT_OF_PIPE),
    "get_pipe_token": (NO_PIPE, DAYS),
    "get_install_snippet": (NO_HOST,),
    "record_event": (
        NO_SETTING,
        Meant(422, "invalid_arguments", "This is no [a-z]+ event"),
        Meant(422, "invalid_arguments", "ip: is no IP address|timestamp: (a moment looks like|needs a time zone)"),
        Meant(422, "invalid_arguments", "(amount|value): .*no more than 4 decimal places"),
    ),
    "ads_chat": (CHAT_TURNS, OTHER_CHAT, NO_TURN),
    "analytics_chat": (CHAT_TURNS, OTHER_CHAT, NO_TURN),
    "list_conversations": (CURSOR,),
    "list_campaigns": (CURSOR,),
    "list_changes": (CURSOR,),
    "list_approvals": (CURSOR,),
    "get_insights": (
        CURSOR,
        Meant(422, "invalid_arguments", "since is after until"),
        Meant(422, "invalid_arguments", "since:? is before [0-9-]+; the platform keeps 37 months"),
        Meant(424, "platform_error", "until is too far in the future"),
    ),
    "create_connection": (
        Meant(424, "reauth_required", "Meta no longer accepts this connection's access token"),
        Meant(424, "reauth_required", "This connection has no usable Meta access token"),
        Meant(424, "reauth_required", "Google"),
        Meant(424, "platform_error", "Google does not accept the OAuth client"),
        Meant(422, "invalid_arguments", "is (not a credential of|required for) (meta|google)"),
        # Whatever stands before a word that could be a secret is masked in what an error says.
        Meant(422, "invalid_arguments", r"\*\*\* (not a credential of|required for) (meta|google)"),
        Meant(422, "invalid_arguments", "This name looks like a token"),
    ),
    "create_campaign": (
        SEVERAL_ACCOUNTS,
        NO_ACCOUNT,
        GUARDRAIL,
        TOO_FINE,
        TOO_LOW,
        UNSEEN,
        Meant(422, "invalid_arguments", "eu_political_ads is a statement to Google"),
        Meant(422, "invalid_arguments", "start_date is before today"),
    ),
    "pause_low_roas_campaigns": (
        Meant(422, "invalid_arguments", "since is after until"),
        Meant(422, "invalid_arguments", "since:? is before [0-9-]+; the platform keeps 37 months"),
        Meant(424, "platform_error", "until is too far in the future"),
    ),
    "update_campaign": (
        GUARDRAIL,
        TOO_FINE,
        TOO_LOW,
        UNSEEN,
        Meant(422, "invalid_arguments", "nothing to change: send name, status or daily_budget"),
    ),
    "delete_campaign": (GUARDRAIL,),
    "undo_change": (GUARDRAIL,),
}


@schemathesis.hook
def filter_failure(_: HookContext, failure: Failure, case: Case[Any], response: Response) -> bool:
    if not isinstance(failure, RejectedPositiveData):
        return True
    told = response.json()
    return not any(
        (meant.status, meant.code) == (response.status_code, told["code"]) and re.search(meant.message, told["message"])
        for meant in MEANT.get(operation_id(case), ())
    )


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:  # noqa: ARG001 - called by name
    valid = case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE
    # Its coverage phase sends If-Match: 0, left over from a case of the wrong type, in one that it calls valid.
    if valid and case.headers and case.headers.get("If-Match") == "0":
        del case.headers["If-Match"]
    # A key is for one request, and the judge sends its example with each.
    if valid and case.headers and "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = f"{case.id}-{case.headers['Idempotency-Key']}"[:255]
    # A cursor belongs to its query, and the known ones to the whole listing: beside a filter all would be refused.
    if valid and case.query and "cursor" in case.query:
        case.query = {name: value for name, value in case.query.items() if name in ("cursor", "limit")}
    # That nothing is no change is told by no schema; half of all changes would be one.
    changes_campaign = operation_id(case) == "update_campaign"
    if valid and changes_campaign and isinstance(case.body, dict) and not case.body.keys() - {"connectionId"}:
        case.body = {**case.body, "name": f"Renamed {case.id}"}
    # Half of what a schema calls a name holds characters that nobody sees; every other campaign gets one to be read.
    if valid and operation_id(case) == "create_campaign" and isinstance(case.body, dict) and case.id < "V":
        case.body = {**case.body, "name": f"Spring {case.id}", "daily_budget": 150}
        for late in ("eu_political_ads", "start_date"):
            case.body.pop(late, None)
    # Each of a dozen optional texts has rules of its own: of every other event only what it needs is sent.
    if valid and operation_id(case) == "record_event" and isinstance(case.body, dict) and case.id < "V":
        case.body = {"website_id": case.body.get("website_id"), "name": "custom", "event_name": f"event {case.id}"}
    # What one pipe takes is told by itself, not by the schema of them all.
    if valid and operation_id(case) == "query_metrics" and case.query:
        case.query = {name: value for name, value in case.query.items() if name in ("websiteId", "tz", "limit")}
    # Without the one connection and a website nothing is left to judge: what their end would do is only asked.
    if operation_id(case) in ("delete_connection", "delete_website"):
        case.query = {**(case.query or {}), "plan": "true"}


@schemathesis.check
class EveryOperationIsReached:
    """A judge that only ever sees refusals has judged nothing."""

    def __init__(self, never: tuple[str, ...] = ()) -> None:
        self._asked: set[str] = set()
        self._reached = set(never)

    def after_response(self, _: CheckContext, response: Response, case: Case[Any]) -> None:
        self._asked.add(operation_id(case))
        if response.status_code < 300:
            self._reached.add(operation_id(case))

    def after_run(self, _: CheckContext) -> None:
        assert self._asked <= self._reached, f"never done: {', '.join(sorted(self._asked - self._reached))}"


def operation_id(case: Case[Any]) -> str:
    return str(case.operation.definition.raw["operationId"])

"""The API itself: from a call to its answer, through faults, token, customer and quota."""

import re
from collections.abc import Mapping
from dataclasses import replace

import orjson

from server.sandbox.faults import ANSWERED, Fault, Faults, Kind
from server.sandbox.google import access, catalog, errors, mutate, oauth, schema, search
from server.sandbox.google.quota import Quota
from server.sandbox.google.wire import Answer, Call
from server.sandbox.google.world import World
from server.sandbox.log import RequestLog

_OLDEST_LIVE = 23
_CHALLENGE = 'Bearer realm="https://accounts.google.com/"'
_FAULT_RETRY_SECONDS = 300
_UNKNOWN_PATH = (
    "<!DOCTYPE html>\n<html lang=en><meta charset=utf-8><title>Error 404 (Not Found)!!1</title>"
    "<p><b>404.</b> <ins>That’s an error.</ins><p>The requested URL was not found on this server."
)


class AdsApi:
    def __init__(self, world: World, quota: Quota, faults: Faults, log: RequestLog) -> None:
        self._world = world
        self._quota = quota
        self._faults = faults
        self._log = log
        self._pages = search.Pages()

    def answer(self, call: Call) -> Answer:
        """Run one call; what goes wrong becomes the platform's error."""
        fault = self._faults.take("google", tags(call), ANSWERED)
        try:
            answer = _faulty(fault) if fault else self._run(call)
        except errors.Refused as refused:
            challenge = {"www-authenticate": _CHALLENGE} if refused.status == 401 else {}
            answer = Answer(refused.body(call.request_id), refused.status, challenge)
        if isinstance(answer.body, dict) and "error" in answer.body and _action(call) == "searchStream":
            answer = replace(answer, body=[answer.body])
        self._log.add(
            platform="google", method=call.method, path="/" + "/".join(call.path), params=parameters(call),
            status=answer.status, accepted_write=answer.wrote, fault=fault.kind if fault else None,
        )  # fmt: skip
        return answer

    def token(self, form: Mapping[str, str]) -> Answer:
        """The token endpoint, which only a target that names it disturbs."""
        fault = self._faults.take("google", {"POST", "token"}, ANSWERED, naming="token")
        answer = _faulty_token(fault) if fault else oauth.grant(form, self._world.timestamp())
        self._log.add(
            platform="google", method="POST", path="/token", params=form, status=answer.status,
            fault=fault.kind if fault else None,
        )  # fmt: skip
        return answer

    def _run(self, call: Call) -> Answer:
        version, *rest = call.path or ("",)
        if not re.fullmatch(r"v\d+", version) or int(version[1:]) > int(errors.VERSION[1:]):
            return Answer(_UNKNOWN_PATH, 404)
        if version != errors.VERSION:
            raise errors.failure(
                "requestError.UNSUPPORTED_VERSION",
                f"Version {version} is deprecated. Requests to this version will be blocked."
                if int(version[1:]) < _OLDEST_LIVE
                else f"This stand-in speaks {errors.VERSION} only.",
            )
        match call.method, *rest:
            case "GET", "customers:listAccessibleCustomers":
                return self._list_accessible(call)
            case "POST", "googleAdsFields:search":
                access.authenticate(call, self._world.timestamp())
                request = schema.FIELDS_REQUEST(_json(call), "")
                self._quota.charge(1)
                return catalog.search_fields(request)
            case "POST", "customers", customer_id, target if ":" in target:
                return self._customer_call(call, customer_id, *target.split(":", 1))
        return Answer(_UNKNOWN_PATH, 404)

    def _list_accessible(self, call: Call) -> Answer:
        access.authenticate(call, self._world.timestamp())
        self._quota.charge(1)
        granted = [f"customers/{each.id}" for each in self._world.customers if each.granted]
        return Answer({"resourceNames": granted})

    def _customer_call(self, call: Call, customer_id: str, collection: str, action: str) -> Answer:
        method = mutate.METHODS.get(collection) if action == "mutate" else None
        message = {"search": schema.SEARCH_REQUEST, "searchStream": schema.STREAM_REQUEST}.get(action)
        if method is not None:
            message = method.message
        if message is None or (action != "mutate" and collection != "googleAds"):
            return Answer(_UNKNOWN_PATH, 404)
        access.authenticate(call, self._world.timestamp())
        request = message(_json(call), "")
        account = access.customer(self._world, call, customer_id)
        if method is not None:
            self._quota.charge(mutate.count(method, request))
            return mutate.mutate(self._world, account, method, request, call.request_id)
        if not request.get("pageToken"):
            self._quota.charge(1)
        if action == "search":
            return search.search(self._world, account, request, self._pages)
        return search.stream(self._world, account, request, call.request_id)


def tags(call: Call) -> set[str]:
    """What a fault's target may name about a call."""
    words = {part for segment in call.path[1:] for part in segment.split(":")}
    if "searchStream" in words:
        words.add("search")
    writes = _action(call) == "mutate" and parameters(call).get("validateOnly") is not True
    return {call.method, *words, "write" if writes else "read"}


def parameters(call: Call) -> Mapping[str, object]:
    """The body as it came, or nothing where it is no JSON object."""
    try:
        body = orjson.loads(call.body)
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def _action(call: Call) -> str:
    return call.path[-1].partition(":")[2] if call.path else ""


def _json(call: Call) -> object:
    if not call.headers.get("content-type", "").startswith("application/json"):
        raise errors.NotReadable("Request must have a JSON body with 'Content-Type: application/json'.")
    try:
        return orjson.loads(call.body)
    except orjson.JSONDecodeError as error:
        raise errors.NotReadable(f"Invalid JSON payload received. {error}") from error


def _faulty(fault: Fault) -> Answer:
    match fault.kind:
        case Kind.EXPIRED_TOKEN:
            raise errors.token_expired()
        case Kind.THROTTLED:
            raise errors.exhausted(_FAULT_RETRY_SECONDS, for_now=True)
        case Kind.SERVER_ERROR:
            raise errors.transient()
    raise _asked_for(fault)


def _faulty_token(fault: Fault) -> Answer:
    match fault.kind:
        case Kind.EXPIRED_TOKEN:
            return oauth.revoked()
        case Kind.THROTTLED:
            return oauth.refusal(429, "rate_limit_exceeded", "Rate limit exceeded.")
        case Kind.SERVER_ERROR:
            return oauth.refusal(500, "internal_failure", "Backend error.")
    return oauth.refusal(fault.status or 400, str(fault.code), fault.message or "An error asked for by a fault")


def _asked_for(fault: Fault) -> errors.Failure:
    """The error a fault names, with the details that the platform gives beside it."""
    code, message = str(fault.code), fault.message or "An error asked for by a fault."
    if code.startswith("quotaError.") and "EXHAUSTED" in code:
        made = errors.exhausted(_FAULT_RETRY_SECONDS, for_now="TEMPORARILY" in code)
    elif code == "campaignBudgetError.BUDGET_BELOW_PER_DAY_MINIMUM":
        made = errors.below_minimum("USD", 1_000_000, "operations", "update", "amount_micros")
    else:
        made = errors.failure(code, message)
    problems = [replace(each, message=message) if fault.message else each for each in made.problems]
    return errors.Failure(*problems, status=fault.status)

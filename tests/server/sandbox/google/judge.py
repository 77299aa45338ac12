"""The platform's own protos judge the stand-in: every answer must parse strictly, and be worded as they would word it.

A JSON number for an int64, a default that should have been left out, a name in snake_case, an enum or an error code
that v26 does not have: each is an objection. What the sandbox accepts, the protos must accept as a request too.
"""

import json
from collections import Counter
from typing import Any

from google.ads.googleads.v26.errors.types import errors
from google.ads.googleads.v26.services.types import (
    campaign_budget_service,
    campaign_service,
    customer_service,
    google_ads_field_service,
    google_ads_service,
)
from google.protobuf import json_format
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.types import Message as Event

Json = Any

SEARCH = (google_ads_service.SearchGoogleAdsRequest, google_ads_service.SearchGoogleAdsResponse)
STREAM = (google_ads_service.SearchGoogleAdsStreamRequest, google_ads_service.SearchGoogleAdsStreamResponse)
CALLS: dict[str, tuple[Any, Any]] = {
    "googleAds:search": SEARCH,
    "googleAds:searchStream": STREAM,
    "googleAds:mutate": (google_ads_service.MutateGoogleAdsRequest, google_ads_service.MutateGoogleAdsResponse),
    "campaigns:mutate": (campaign_service.MutateCampaignsRequest, campaign_service.MutateCampaignsResponse),
    "campaignBudgets:mutate": (
        campaign_budget_service.MutateCampaignBudgetsRequest,
        campaign_budget_service.MutateCampaignBudgetsResponse,
    ),
    "customers:listAccessibleCustomers": (
        customer_service.ListAccessibleCustomersRequest,
        customer_service.ListAccessibleCustomersResponse,
    ),
    "googleAdsFields:search": (
        google_ads_field_service.SearchGoogleAdsFieldsRequest,
        google_ads_field_service.SearchGoogleAdsFieldsResponse,
    ),
}
MOST_ROWS = 500
# Importing them is what lets `details` of an error be resolved by type.
KNOWN_DETAILS = (errors.GoogleAdsFailure.pb(), error_details_pb2.BadRequest)


class Objection(AssertionError):
    """The sandbox said what the platform cannot have said."""


def judge(call: str, status: int, body: Json) -> None:
    """Judge one JSON answer of the call, such as `googleAds:search`."""
    streamed = call == "googleAds:searchStream"
    if streamed and not isinstance(body, list):
        raise Objection(f"{call} answers an array, not {body}")
    for part in body if streamed else [body]:
        if status >= 400:
            _judge_error(status, part)
        else:
            _judge_success(CALLS[call][1].pb()(), _thinned(part))


def _thinned(body: Json) -> Json:
    """Of thousands of rows a few hundred are read: they come from one renderer, and parsing takes seconds."""
    rows = body.get("results", [])
    return body | {"results": rows[:: len(rows) // MOST_ROWS]} if len(rows) > MOST_ROWS else body


def judge_request(call: str, body: Json) -> None:
    """Judge a request that the sandbox took."""
    _parse(body, CALLS[call][0].pb()())


def _judge_success(message: Message, body: Json) -> None:
    _same(body, _parse(body, message))
    _no_defaults(body.get("results", []), "results")
    _no_defaults(body.get("mutateOperationResponses", []), "mutateOperationResponses")


def _judge_error(status: int, body: Json) -> None:
    error = body["error"]
    if body.keys() != {"error"} or error.keys() != {"code", "message", "status", "details"} or error["code"] != status:
        raise Objection(f"no error envelope for status {status}: {body}")
    rest = {name: value for name, value in error.items() if name != "status"}
    _same(rest, _parse(rest, status_pb2.Status()))
    if not error["details"]:
        raise Objection(f"an error without details: {body}")


def _parse(body: Json, message: Message) -> Message:
    try:
        return json_format.ParseDict(body, message, ignore_unknown_fields=False)
    except json_format.ParseError as error:
        raise Objection(f"{type(message).__name__}: {error}") from error


def _same(body: Json, message: Message) -> None:
    worded = json_format.MessageToDict(message)
    # Spelled out, since Python takes 1 and True, or 1 and 1.0, to be the same.
    if json.dumps(worded, sort_keys=True) != json.dumps(_floats(body, worded), sort_keys=True):
        raise Objection(f"the protos would say {worded}, the sandbox says {body}")


def _floats(body: Json, worded: Json) -> Json:
    """Take over the protos' way of writing a double, where both are numbers of the same value."""
    if isinstance(body, dict) and isinstance(worded, dict):
        return {name: _floats(value, worded.get(name)) for name, value in body.items()}
    if isinstance(body, list) and isinstance(worded, list) and len(body) == len(worded):
        return [_floats(value, other) for value, other in zip(body, worded, strict=True)]
    numbers = type(body) in {int, float} and type(worded) is float
    return worded if numbers and body == worded else body


def _no_defaults(value: Json, place: str) -> None:
    if isinstance(value, dict | list):
        for name, each in value.items() if isinstance(value, dict) else enumerate(value):
            _no_defaults(each, f"{place}.{name}")
    elif value in ("", "0", 0, False) or str(value) in {"UNSPECIFIED", "UNKNOWN"}:
        raise Objection(f"{place} is {value!r}, which the platform leaves out")


class Judged:
    """An application whose every answer under `/google` is judged before it leaves."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.seen: Counter[str] = Counter()
        """Answers judged, by call and status."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/google/v"):
            await self._app(scope, receive, send)
            return
        asked, answered = bytearray(), bytearray()
        start: Event = {}

        async def hear() -> Event:
            event = await receive()
            asked.extend(event.get("body", b""))
            return event

        async def tell(event: Event) -> None:
            if event["type"] == "http.response.start":
                start.update(event)
            answered.extend(event.get("body", b""))
            if event["type"] == "http.response.body" and not event.get("more_body"):
                self._judge(scope["path"].rpartition("/")[2], start, bytes(asked), bytes(answered))
            await send(event)

        await self._app(scope, hear, tell)

    def _judge(self, call: str, start: Event, asked: bytes, answered: bytes) -> None:
        headers = {name.decode().lower(): value.decode() for name, value in start["headers"]}
        if not headers["content-type"].startswith("application/json"):
            return
        if not headers.get("request-id"):
            raise Objection(f"{call} answered without a request-id")
        judge(call, start["status"], json.loads(answered))
        if start["status"] < 400 and asked:
            judge_request(call, json.loads(asked))
        self.seen[f"{call} {start['status']}"] += 1

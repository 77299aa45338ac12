"""A Google that answers from a script, for what the real one says too rarely to wait for."""

import datetime as dt
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from server.platforms.google.adapter import GoogleAdapter
from tools.plan import Operation
from tools.ports import Account, Credential
from tools.secret import Secret

NOW = dt.datetime(2026, 11, 22, 15, 0, tzinfo=dt.UTC)
REFRESH_TOKEN = "1//0canaryRefreshTokenThatMustNeverBeSeen0123456789"
ACCESS_TOKEN = "ya29.canaryAccessTokenThatMustNeverBeSeen0123456789"
CLIENT_SECRET = "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789"
DEVELOPER_TOKEN = "canaryDeveloperToken22"

Reply = Response | Callable[[Request], Awaitable[Response]]
FAILURE = "type.googleapis.com/google.ads.googleads.v26.errors.GoogleAdsFailure"


@dataclass
class Received:
    method: str
    path: str
    body: dict[str, Any]
    headers: Mapping[str, str]


@dataclass
class Script:
    """Gives its replies in order, the last one again and again."""

    replies: list[Reply] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)

    def say(self, *replies: Reply | Mapping[str, object]) -> None:
        self.replies = [JSONResponse(dict(each)) if isinstance(each, Mapping) else each for each in replies]

    async def answer(self, request: Request) -> Response:
        raw = await request.body()
        is_form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
        body = dict(parse_qsl(raw.decode())) if is_form else orjson.loads(raw or b"{}")
        self.received.append(Received(request.method, request.url.path, body, dict(request.headers)))
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        return reply if isinstance(reply, Response) else await reply(request)


class StandIn:
    """Its token endpoint gives a token until told otherwise."""

    def __init__(self) -> None:
        self.tokens, self.ads = Script(), Script()
        self.tokens.say(granted())
        self.app = Starlette(
            routes=[
                Route("/token", self.tokens.answer, methods=["POST"]),
                Route("/{path:path}", self.ads.answer, methods=["GET", "POST"]),
            ]
        )


@dataclass(frozen=True)
class Upstream:
    google: StandIn
    adapter: GoogleAdapter
    credential: Credential

    @property
    def ads(self) -> Script:
        return self.google.ads


def granted(token: str = ACCESS_TOKEN, **more: object) -> Response:
    scope = "https://www.googleapis.com/auth/adwords"
    return JSONResponse({"access_token": token, "expires_in": 3599, "scope": scope, "token_type": "Bearer"} | more)


def refused(error: str, status: int = 400, description: str = "technical words") -> Response:
    return JSONResponse({"error": error, "error_description": description}, status)


def failing(code: str, status: int = 400, **more: object) -> Response:
    """The error envelope around one error, `code` as family.WORD."""
    family, word = code.split(".")
    error = {"errorCode": {family: word}, "message": "technical words", **more}
    details = [{"@type": FAILURE, "errors": [error], "requestId": "Request1"}]
    return JSONResponse({"error": {"code": status, "message": "general words", "details": details}}, status)


def front_door(status: int, reason: str | None = None) -> Response:
    """What answers before Google Ads does."""
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com"}
    error = {"code": status, "message": "general words", "details": [info] if reason else []}
    return JSONResponse({"error": error}, status, {"request-id": "Request2"})


def listed(*rows: Mapping[str, object], **more: object) -> dict[str, object]:
    return {"results": list(rows), **more} if rows else dict(more)


def campaign_row(campaign_id: str = "7", **campaign: object) -> dict[str, object]:
    """As a search answers; zero and false are left out."""
    return {
        "campaign": {
            "resourceName": f"customers/1234567890/campaigns/{campaign_id}",
            "id": campaign_id,
            "name": "C",
            "status": "PAUSED",
            "primaryStatus": "PAUSED",
            "advertisingChannelType": "SEARCH",
            "biddingStrategyType": "MAXIMIZE_CONVERSIONS",
            "campaignBudget": "customers/1234567890/campaignBudgets/222",
            "startDateTime": "2026-11-22 00:00:00",
            **campaign,
        },
        "campaignBudget": {
            "resourceName": "customers/1234567890/campaignBudgets/222",
            "id": "222",
            "amountMicros": "10000000",
            "period": "DAILY",
            "referenceCount": "1",
        },
    }


ACCOUNT = Account("1234567890", "One", "USD", "America/New_York", login_customer_id="9999999999")
CREDENTIAL = Credential(
    "con_1",
    {"refresh_token": Secret(REFRESH_TOKEN), "developer_token": Secret(DEVELOPER_TOKEN)},
    (ACCOUNT,),
)
RENAME = Operation(kind="update_campaign", account_id="1234567890", campaign_id="7", fields={"name": "New"})
RENAMED = {
    "mutateOperationResponses": [{"campaignResult": {"resourceName": "customers/1234567890/campaigns/7"}}],
}
CREATE = Operation(
    kind="create_campaign",
    account_id="1234567890",
    fields={"name": "C", "objective": "leads", "daily_budget": 10, "eu_political_ads": False},
)

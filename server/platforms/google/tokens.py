"""Access tokens, each fetched once for its refresh token and kept in memory for 50 minutes."""

import asyncio
import datetime as dt
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx2
import orjson

from server.platforms.exchange import Answer, Broken, Effect, Hidden, Outcome, Sleep, exchange
from server.platforms.google.errors import DEFAULT_WAIT
from server.platforms.google.wire import outcome_details
from tools.errors import CapabilityError, PlatformFailure, RateLimited, ReauthRequired
from tools.secret import Secret, redact

LIFETIME = dt.timedelta(minutes=50)
"""Google's tokens last an hour; one is renewed well before, so that none ends during a call."""
_MARGIN = dt.timedelta(seconds=60)
_MOST_BYTES = 64 * 1024
_MOST_HELD = 10_000
_DELAYS = (0.5, 1.0)
_HEADER_SAFE = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True)
class Grant:
    """What a person gave once, and the OAuth client they gave it to."""

    refresh_token: Secret
    client_id: str
    client_secret: Secret


@dataclass(frozen=True, slots=True)
class Access:
    token: Secret
    until: dt.datetime
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why there is no token: shared by all who waited for it, so each makes an error of its own from it."""

    code: str = ""  # OAuth's error, such as invalid_grant
    message: str = ""
    how: str = ""  # without a code: what happened instead of an answer
    throttled: bool = False
    again: bool = False


class AccessTokens:
    """Any number of tasks may ask at once; for one grant there is at most one request under way."""

    def __init__(
        self, http: httpx2.AsyncClient, url: str, clock: Callable[[], dt.datetime], *, timeout: float, sleep: Sleep
    ) -> None:
        self._http, self._url, self._clock, self._timeout, self._sleep = http, url, clock, timeout, sleep
        self._held: dict[Grant, Access] = {}
        self._flights: dict[Grant, asyncio.Task[Access | Refusal]] = {}

    async def aclose(self) -> None:
        flights = list(self._flights.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)

    async def access(self, grant: Grant, connection_id: str, effect: Effect) -> Access:
        """Raises ReauthRequired naming the connection where the grant is no longer good."""
        held = self._held.get(grant)
        if held and held.until > self._clock():
            return held
        flight = self._flights.get(grant)
        if flight is None:
            flight = self._flights[grant] = asyncio.create_task(self._fetched(grant))
            flight.add_done_callback(lambda _: self._flights.pop(grant, None))
        result = await asyncio.shield(flight)  # a caller that goes away leaves the others their token
        if isinstance(result, Refusal):
            raise _error(result, connection_id, effect)
        return result

    def forget(self, grant: Grant, refused: Access) -> None:
        """Google no longer takes this token. One that another call fetched since is kept."""
        if self._held.get(grant) is refused:
            del self._held[grant]

    async def _fetched(self, grant: Grant) -> Access | Refusal:
        result = await self._asked(grant)
        for delay in _DELAYS:
            if isinstance(result, Access) or not result.again:
                break
            await self._sleep(delay * random.uniform(0.5, 1))  # noqa: S311 - jitter, no secret
            result = await self._asked(grant)
        if isinstance(result, Access):
            if len(self._held) >= _MOST_HELD:
                self._held.clear()
            self._held[grant] = result
        return result

    async def _asked(self, grant: Grant) -> Access | Refusal:
        request = self._http.build_request(
            "POST",
            self._url,
            data={
                "grant_type": "refresh_token",
                "client_id": grant.client_id,
                "client_secret": grant.client_secret.reveal(),
                "refresh_token": grant.refresh_token.reveal(),
            },
            extensions={"hidden": Hidden()},
        )
        asked_at = self._clock()
        answer = await exchange(self._http, request, seconds=self._timeout, most_bytes=_MOST_BYTES)
        return _understood(answer, asked_at)


def _understood(answer: Answer | Broken, asked_at: dt.datetime) -> Access | Refusal:
    if isinstance(answer, Broken):  # asking for a token changes nothing, so it may be asked again
        return Refusal(how=answer.how, again=answer.again)
    body = _object(answer.content)
    token = body.get("access_token")
    if answer.status == 200 and isinstance(token, str) and _HEADER_SAFE.fullmatch(token):
        lasts = dt.timedelta(seconds=_seconds(body.get("expires_in"))) - _MARGIN
        scopes = tuple(str(body.get("scope") or "").split())
        return Access(Secret(token), asked_at + min(LIFETIME, lasts), scopes)
    if answer.status == 429:
        return Refusal(throttled=True)
    if answer.status < 500 and isinstance(body.get("error"), str):
        return Refusal(code=body["error"][:60], message=redact(str(body.get("error_description") or ""))[:300])
    shown = answer.headers.get("content-type", "no content type").partition(";")[0][:40]
    return Refusal(how=f"answered HTTP {answer.status} with {shown} and no token", again=answer.status >= 500)


def _object(content: bytes) -> dict[str, Any]:
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def _seconds(value: object) -> int:
    """Capped, as a date has an end."""
    return min(max(value, 0), 86_400) if isinstance(value, int) else 0


_WRONG_CLIENT = frozenset(
    {"invalid_client", "unauthorized_client", "org_internal", "deleted_client", "disabled_client"}
)


def _error(refusal: Refusal, connection_id: str, effect: Effect) -> CapabilityError:
    details = outcome_details(effect, Outcome.NOT_SENT)
    if refusal.code:
        details |= {"platformCode": refusal.code, "platformMessage": refusal.message or refusal.code}
    if refusal.throttled:
        return RateLimited(
            "Google has had too many requests for access tokens.",
            fix=f"Wait {DEFAULT_WAIT} seconds, then try again.",
            retry_after=DEFAULT_WAIT,
            connection_id=connection_id,
            source="upstream",
            **details,
        )
    if refusal.code == "invalid_grant":
        return ReauthRequired(
            "Google no longer accepts this connection's refresh token: it has expired or the access was taken back.",
            fix="Connect the account again at /integrations with a fresh refresh token. Where tokens die after seven "
            "days, the OAuth consent screen is still in testing: publish it.",
            connection_id=connection_id,
            **details,
        )
    if refusal.code in _WRONG_CLIENT:
        return PlatformFailure(
            "Google does not accept the OAuth client this connection's refresh token is used with.",
            fix="Check GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET, or those given with the connection: the refresh "
            "token must have been made with this very client.",
            connection_id=connection_id,
            **details,
        )
    if refusal.code:
        return PlatformFailure(
            f"Google gives no access token: {refusal.message or refusal.code}.",
            fix="Connect the account again at /integrations; if it stays, check the OAuth client in the Google Cloud "
            "console.",
            connection_id=connection_id,
            **details,
        )
    return PlatformFailure(
        f"Google's token endpoint {refusal.how}; nothing was sent to Google Ads.",
        fix="Check the network and GOOGLE_TOKEN_URL, then try again in a minute.",
        connection_id=connection_id,
        **details,
    )

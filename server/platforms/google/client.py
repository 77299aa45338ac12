"""The HTTP client for Google Ads: it repeats what is safe to repeat, sends a write once, and leaks no secret."""

import asyncio
import datetime as dt
import random
import re
from collections.abc import Callable, Mapping
from typing import Any

import httpx2

from server.platforms.exchange import Answer, Effect, Hidden, Outcome, Sleep, exchange, http_client, masked
from server.platforms.google.answers import Failed, resource_id, rows, understood
from server.platforms.google.gaql import Query
from server.platforms.google.tokens import Access, AccessTokens, Grant
from server.platforms.google.wire import Call, Customer, Row, outcome_details, unreadable
from server.platforms.readback import problem
from tools.errors import CapabilityError, NotFound, PlatformFailure, ReauthRequired
from tools.ports import Account, Credential
from tools.secret import Secret

MOST_BYTES = 32 * 1024 * 1024
"""Of one answer; a page has at most 10,000 rows of some 800 bytes."""
_DELAYS = (0.5, 1.0)
_HEADER_SAFE = re.compile(r"[!-~]+")  # anything else would fail deep in the HTTP client, in an exception that shows it
_CUSTOMER = re.compile(r"\d{1,20}", re.ASCII)


class GoogleAdsClient:
    """Calls of any number of tasks at once; a cancelled call closes its connection."""

    def __init__(
        self,
        ads_url: str,
        api_version: str,
        token_url: str,
        client_id: str | None,
        client_secret: Secret | None,
        developer_token: Secret | None,
        clock: Callable[[], dt.datetime],
        *,
        timeout: float,
        sleep: Sleep = asyncio.sleep,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._root = f"{ads_url.rstrip('/')}/{api_version}"
        self._client_id, self._client_secret = client_id, client_secret
        self._developer_token, self._timeout, self._sleep = developer_token, timeout, sleep
        self._http = http_client(ads_url, timeout, transport)
        self._token_http = http_client(token_url, timeout, transport)  # another host: another proxy may lead there
        self._tokens = AccessTokens(self._token_http, token_url, clock, timeout=timeout, sleep=sleep)

    async def aclose(self) -> None:
        await self._tokens.aclose()
        await self._token_http.aclose()
        await self._http.aclose()

    async def scopes(self, credential: Credential) -> tuple[str, ...]:
        """What the person granted, as Google tells with each access token."""
        return (await self._tokens.access(self._grant(credential), credential.connection_id, Effect.READ)).scopes

    async def accessible(self, credential: Credential) -> list[str]:
        """Ids of the customers this person reaches without a manager."""
        path = "customers:listAccessibleCustomers"
        answer = await self._sent(credential, Call("GET", path, None, Effect.READ, credential.connection_id))
        names = answer.get("resourceNames", [])
        if not isinstance(names, list):
            raise unreadable("Google's list of customers cannot be read")
        return sorted({resource_id(name) for name in names})

    async def search(self, credential: Credential, customer: Customer, query: Query) -> list[Row]:
        """Every row of every page; a page has 10,000."""
        found: list[Row] = []
        body: dict[str, Any] = {"query": str(query)}
        while True:
            page = await self._sent(credential, _post(credential, customer, "googleAds:search", body, Effect.READ))
            found += rows(page)
            following = page.get("nextPageToken")
            if not following:
                return found
            if following == body.get("pageToken"):
                raise unreadable("Google's next page is the same page again")
            body = {**body, "pageToken": str(following)}

    async def mutate(
        self, credential: Credential, customer: Customer, verb: str, body: Mapping[str, Any], *, dry_run: bool = False
    ) -> Row:
        """Not repeated once Google may have it; errors carry details.outcome."""
        effect = Effect.DRY_RUN if dry_run else Effect.WRITE
        asked = {**body, "validateOnly": True} if dry_run else body
        return await self._sent(credential, _post(credential, customer, verb, asked, effect))

    async def _sent(self, credential: Credential, call: Call) -> Row:
        grant, developer_token = self._grant(credential, call.effect), self._developer(credential, call.effect)
        access = await self._tokens.access(grant, call.connection_id, call.effect)
        result = await self._send(call, access, developer_token)
        if isinstance(result, Failed) and result.expired:  # refused before anything happened
            self._tokens.forget(grant, access)
            access = await self._tokens.access(grant, call.connection_id, call.effect)
            result = await self._send(call, access, developer_token)
        for delay in _DELAYS:
            if not isinstance(result, Failed) or not result.again:
                break
            await self._sleep(delay * random.uniform(0.5, 1))  # noqa: S311 - jitter, no secret
            result = await self._send(call, access, developer_token)
        if isinstance(result, Failed):
            raise result.error
        return result

    async def _send(self, call: Call, access: Access, developer_token: Secret | None) -> Row | Failed:
        hidden = {"Authorization": Secret(f"Bearer {access.token.reveal()}")}
        if developer_token:
            hidden["developer-token"] = developer_token
        request = self._http.build_request(
            call.method,
            f"{self._root}/{call.path}",
            headers={"login-customer-id": call.login} if call.login else None,
            json=call.body,
            extensions={"hidden": Hidden(hidden)},
        )
        answer = await exchange(self._http, request, seconds=self._timeout, most_bytes=MOST_BYTES)
        if isinstance(answer, Answer):
            carried = [access.token, *([developer_token] if developer_token else [])]
            answer = Answer(answer.status, answer.headers, masked(answer.content, carried))
        return understood(call, answer)

    def _grant(self, credential: Credential, effect: Effect = Effect.READ) -> Grant:
        values = credential.values
        refresh_token = values.get("refresh_token")
        if not refresh_token:
            raise _unusable(credential, effect, "refresh token")
        client_id = values["client_id"].reveal() if values.get("client_id") else self._client_id
        client_secret = values.get("client_secret") or self._client_secret
        if not client_id or not client_secret:
            raise PlatformFailure(
                "Neither this server nor this connection has an OAuth client for Google.",
                fix="Set GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET, or connect with client_id and client_secret.",
                connection_id=credential.connection_id,
                **outcome_details(effect, Outcome.NOT_SENT),
            )
        return Grant(refresh_token, client_id, client_secret)

    def _developer(self, credential: Credential, effect: Effect) -> Secret | None:
        token = credential.values.get("developer_token") or self._developer_token
        if token and not _HEADER_SAFE.fullmatch(token.reveal()):
            raise _unusable(credential, effect, "developer token")
        return token or None


def customer_of(credential: Credential, account: Account) -> Customer:
    """How an account is reached: by the manager given with the connection, else the one its probe came through."""
    if not _CUSTOMER.fullmatch(account.account_id):  # it becomes a path
        raise NotFound(
            f"{account.account_id[:64]!r} is not a Google Ads account id.", fix="Take the id from list_connections."
        )
    return Customer(account.account_id, given_login(credential) or account.login_customer_id)


def given_login(credential: Credential) -> str | None:
    """The manager a person named, who may have written 123-456-7890."""
    given = credential.values.get("login_customer_id")
    if not given:
        return None
    number = given.reveal().strip().replace("-", "")
    if not _CUSTOMER.fullmatch(number):
        raise problem("login_customer_id", "is not a Google Ads customer id, such as 123-456-7890")
    return number


def _post(credential: Credential, customer: Customer, verb: str, body: Mapping[str, Any], effect: Effect) -> Call:
    return Call("POST", f"{customer.path}/{verb}", body, effect, credential.connection_id, customer.login)


def _unusable(credential: Credential, effect: Effect, what: str) -> CapabilityError:
    return ReauthRequired(
        f"This connection has no usable Google {what}.",
        fix=f"Connect the account again at /integrations with a {what}.",
        connection_id=credential.connection_id,
        **outcome_details(effect, Outcome.NOT_SENT),
    )

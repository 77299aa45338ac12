"""The HTTP client for Graph: it repeats reads a little, sends a write exactly once, and leaks no secret."""

import asyncio
import random
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import httpx2

from server.platforms.exchange import Broken, Effect, Outcome, Sleep, exchange, http_client
from server.platforms.meta.answers import Failed, Row, lost, next_cursor, rows, understood, unreached, unreadable
from server.platforms.meta.batch import Part, batch_form, receipts
from server.platforms.meta.errors import META
from server.platforms.meta.usage import Usage, read_usage
from server.platforms.meta.wire import BATCH, Call, proof
from tools.errors import ReauthRequired
from tools.ports import Credential
from tools.secret import Secret

T = TypeVar("T")

MOST_BYTES = 16 * 1024 * 1024
"""Of one answer; a page of 500 insights rows is below 2 MB."""
_TRIES = 3
_FIRST_DELAY = 0.5
_HEADER_SAFE = re.compile(r"[!-~]+")  # anything else would fail deep in the HTTP client, in an exception that shows it
_LONGEST_PAUSE = 20.0
"""Seconds that the pages of one read may be held back in all because the quota is nearly used."""


class GraphClient:
    """Calls of any number of tasks at once; a cancelled call closes its connection."""

    def __init__(
        self,
        graph_url: str,
        api_version: str,
        app_secret: Secret | None,
        *,
        timeout: float,
        sleep: Sleep = asyncio.sleep,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._root = f"{graph_url.rstrip('/')}/{api_version}"
        self._app_secret, self._timeout, self._sleep = app_secret, timeout, sleep
        self._usage: dict[str, Usage] = {}
        self._http = http_client(graph_url, timeout, transport)

    async def aclose(self) -> None:
        await self._http.aclose()

    def usage(self, account_id: str) -> Usage:
        """As of the account's last answer."""
        return self._usage.get(account_id, Usage())

    async def read(
        self,
        credential: Credential,
        path: str,
        params: Mapping[str, str],
        *,
        account_id: str | None = None,
        method: str = "GET",
        secret_params: Mapping[str, Secret] | None = None,
    ) -> Row:
        """Repeated up to three times within about two seconds where that can help. POST is for starting reports."""
        call = self._call(method, credential, path, params, Effect.READ, secret_params)
        result = await self._send(call, account_id)
        for attempt in range(_TRIES - 1):
            if not isinstance(result, Failed) or not result.again:
                break
            await self._sleep(_FIRST_DELAY * 2**attempt * random.uniform(0.5, 1))  # noqa: S311 - jitter, no secret
            result = await self._send(call, account_id)
        return _body(result)

    async def write(
        self,
        credential: Credential,
        path: str,
        form: Mapping[str, str],
        *,
        account_id: str | None = None,
        dry_run: bool = False,
    ) -> Row:
        """Sent once, whatever happens; errors carry details.outcome."""
        effect = Effect.DRY_RUN if dry_run else Effect.WRITE
        return _body(await self._send(self._call("POST", credential, path, form, effect), account_id))

    async def write_each(
        self, credential: Credential, parts: Sequence[Part], *, account_id: str | None = None
    ) -> list[Row | Failed]:
        """Several writes in one request, which is sent once; an answer each, in order."""
        call = self._call("POST", credential, BATCH, batch_form(parts), Effect.WRITE)
        return receipts(call, parts, await self._send(call, account_id))

    async def read_all(
        self,
        credential: Credential,
        path: str,
        params: Mapping[str, str],
        parse: Callable[[Row], T],
        *,
        account_id: str | None = None,
    ) -> list[T]:
        """Every row of every page. Between pages it slows down as the account's quota fills (Usage.pause), by 20
        seconds in all at most.
        """
        found: list[T] = []
        cursor, patience = None, _LONGEST_PAUSE
        while True:
            page = await self.read(
                credential, path, {**params, **({"after": cursor} if cursor else {})}, account_id=account_id
            )
            found += [parse(row) for row in rows(page)]
            following = next_cursor(page)
            if following is None:
                return found
            if following == cursor:
                raise unreadable("Meta's next page is the same page again")
            cursor = following
            pause = min(self.usage(account_id or "").pause, patience)
            if pause:
                patience -= pause
                await self._sleep(pause)

    def _call(
        self,
        method: str,
        credential: Credential,
        path: str,
        params: Mapping[str, str],
        effect: Effect,
        secret_params: Mapping[str, Secret] | None = None,
    ) -> Call:
        token = access_token(credential, effect)
        secrets = dict(secret_params or {})
        if self._app_secret:
            secrets["appsecret_proof"] = proof(self._app_secret, token)
        return Call(method, path, params, effect, credential.connection_id, token, secrets)

    async def _send(self, call: Call, account_id: str | None) -> Row | Failed:
        request = self._http.build_request(
            call.method,
            f"{self._root}/{call.path}",
            params=call.params if call.method == "GET" else None,
            data=None if call.method == "GET" else {**call.params, **call.secrets()},
            extensions={"hidden": call.hidden},
        )
        answer = await exchange(self._http, request, seconds=self._timeout, most_bytes=MOST_BYTES)
        if isinstance(answer, Broken):
            return Failed((lost if answer.sent else unreached)(call, answer.how), again=answer.again)
        usage = read_usage(answer.headers)
        if account_id:
            self._usage[account_id] = usage
        return understood(call, answer.status, answer.headers, call.clean(answer.content), usage)


def access_token(credential: Credential, effect: Effect = Effect.READ) -> Secret:
    token = credential.values.get("access_token")
    if token and _HEADER_SAFE.fullmatch(token.reveal()):
        return token
    error = ReauthRequired(
        "This connection has no usable Meta access token.",
        fix="Connect the account again at /integrations with an access token.",
        connection_id=credential.connection_id,
        platform=META,
    )
    if effect is not Effect.READ:
        error.details["outcome"] = Outcome.NOT_SENT.value
    raise error


def _body(result: Row | Failed) -> Row:
    if isinstance(result, Failed):
        raise result.error
    return result

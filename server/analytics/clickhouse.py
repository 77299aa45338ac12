"""A ClickHouse server, or a cluster of them, behind the engine's port: its HTTP interface."""

import asyncio
import secrets
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, Self, TypeVar
from urllib.parse import unquote, urlsplit

import httpx2
import orjson

from server.analytics.engine import COMMANDING, READING, WRITING, EngineUnavailable, Format, Limits, escaped, quoted
from server.analytics.failures import failure

T = TypeVar("T")
_DEFAULT = Limits()
_CONNECT_SECONDS = 5.0
_BEYOND_SECONDS = 10.0  # what an answer may take longer than its query
_STOP_SECONDS = 5.0
_DATABASE = "default"


class ClickHouseEngine:
    """Its user needs the right to read, write and create in the project's database, to change settings, and to stop
    its own queries."""

    sole = False

    def __init__(self, url: str, *, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        """`url` may carry a user and a password."""
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        headers = {"X-ClickHouse-User": unquote(parts.username or "default")}
        if parts.password:
            headers["X-ClickHouse-Key"] = unquote(parts.password)
        timeout = httpx2.Timeout(None, connect=_CONNECT_SECONDS)
        self._client = httpx2.AsyncClient(
            base_url=f"{parts.scheme}://{host}", headers=headers, timeout=timeout, transport=transport
        )
        self._going: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def query(
        self, sql: str, *, output: Format, limits: Limits = _DEFAULT, parameters: Mapping[str, str] | None = None
    ) -> bytes:
        settings = {**READING, **limits.settings(), "readonly": "1", **_bound(parameters)}
        return await self._stoppable(sql, settings, output.value, limits.seconds + _BEYOND_SECONDS)

    async def inspect(self, sql: str, parameters: Mapping[str, str] | None = None) -> Sequence[Mapping[str, Any]]:
        answer = await self._post({**READING, **_bound(parameters)}, sql.encode(), output="JSON")
        rows: list[Mapping[str, Any]] = orjson.loads(answer)["data"] if answer.strip() else []
        return rows

    async def command(self, sql: str) -> None:
        await self._stoppable(sql, {**WRITING, **COMMANDING}, "JSON", None)

    async def insert(self, table: str, rows: bytes, *, columns: Sequence[str]) -> None:
        if rows:
            named = ", ".join(quoted(column) for column in columns)
            statement = {"query": f"INSERT INTO {table} ({named}) FORMAT JSONEachRow"}
            await asyncio.shield(self._beside(self._post({**WRITING, **statement}, rows, inserting=True)))

    async def close(self) -> None:
        if self._going:
            await asyncio.wait(self._going, timeout=_STOP_SECONDS)
        await self._client.aclose()

    async def _stoppable(self, sql: str, settings: Mapping[str, str], output: str, seconds: float | None) -> bytes:
        name = f"adwright-{secrets.token_hex(12)}"
        try:
            return await self._post({**settings, "query_id": name}, sql.encode(), output=output, seconds=seconds)
        except asyncio.CancelledError:
            await asyncio.shield(self._beside(self._stop(name)))
            raise

    def _beside(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """It goes on where the one who waits for it is cancelled."""
        task = asyncio.create_task(work)
        self._going.add(task)
        task.add_done_callback(self._gone)
        return task

    def _gone(self, task: "asyncio.Task[Any]") -> None:
        self._going.discard(task)
        if not task.cancelled():
            task.exception()  # nobody else may be there to look at it

    async def _stop(self, name: str) -> None:
        statement = f"KILL QUERY WHERE query_id = '{name}' ASYNC"
        try:
            await self._post({}, statement.encode(), seconds=_STOP_SECONDS)
        except EngineUnavailable:
            return  # its own limit of time ends it

    async def _post(
        self,
        parameters: Mapping[str, str],
        body: bytes,
        *,
        output: str = "JSON",
        seconds: float | None = None,
        inserting: bool = False,
    ) -> bytes:
        # Waiting for the end of the query: an error after the first rows would come as part of them.
        named = {"database": _DATABASE, "default_format": output, "wait_end_of_query": "1", **parameters}
        try:
            async with asyncio.timeout(seconds):
                answer = await self._client.post("/", params=named, content=body)
        except (httpx2.HTTPError, TimeoutError) as error:
            raise EngineUnavailable(
                f"The ClickHouse server does not answer: {str(error) or type(error).__name__}"
            ) from None
        if answer.status_code == httpx2.codes.OK:
            return answer.content
        code = answer.headers.get("x-clickhouse-exception-code", "")
        raise failure(answer.text[:2000], code=int(code) if code.isdecimal() else None, inserting=inserting)


def _bound(parameters: Mapping[str, str] | None) -> dict[str, str]:
    return {f"param_{name}": escaped(value) for name, value in (parameters or {}).items()}

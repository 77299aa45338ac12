"""Carries messages to the server and answers back: discovery from the snapshot, handshakes replayed, no call twice."""

import asyncio
import contextlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from server.bridge import messages
from server.bridge.confirming import Confirming
from server.bridge.http import Lost, NotSent, Response
from server.bridge.messages import Message, modern_version, params_of
from server.bridge.snapshot import Snapshot
from server.bridge.upstream import Server, Upstream
from tools.errors import CapabilityError, Internal, Unavailable

_ACCEPT = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
_ATTEMPTS = 3
_STREAM_AGAIN_SECONDS = 1.0
_GOODBYE_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class Session:
    """A handshake as one server knows it."""

    server: Server
    headers: Mapping[str, str]

    @property
    def kept(self) -> bool:
        return "mcp-session-id" in self.headers


class Relay:
    def __init__(
        self,
        upstream: Upstream,
        write: Callable[[bytes], None],
        *,
        path: str,
        headers: Mapping[str, str],
        snapshot: Snapshot,
        discovers: bool,
        confirming: Confirming,
    ) -> None:
        self._upstream, self._write, self._path = upstream, write, path
        self._headers = {**_ACCEPT, **headers}
        self._snapshot, self._discovers, self._confirming = snapshot, discovers, confirming
        self._handshake: Message | None = None
        self._session: Session | None = None
        self._attaching: asyncio.Task[Session] | None = None
        self._listening: asyncio.Task[None] | None = None
        self._in_flight: dict[Any, asyncio.Task[None]] = {}
        self._said: asyncio.Task[None] | None = None

    def receive(self, line: bytes) -> None:
        """One line from the client."""
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            self._write(messages.error(messages.PARSE_ERROR, "Parse error: each line is one JSON-RPC message."))
            return
        if not isinstance(message, dict) or not isinstance(message.get("method", ""), str):
            self._write(messages.error(messages.INVALID_REQUEST, "Invalid request: not one JSON-RPC message."))
        elif "method" in message and message.get("id") is not None:
            self._asked(message, line)
        elif message.get("method") == "notifications/cancelled":
            self._cancelled(message, line)
        elif message.get("method") != "notifications/initialized" or not self._discovers:
            self._say(line, message)

    async def close(self) -> None:
        tasks = [*self._in_flight.values(), *filter(None, (self._listening, self._said, self._attaching))]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_GOODBYE_SECONDS)
        if (session := self._session) is not None and session.kept:
            with contextlib.suppress(NotSent, Lost, TimeoutError):
                async with asyncio.timeout(_GOODBYE_SECONDS):
                    await self._post(session.server, session.headers, b"", method="DELETE")

    def _asked(self, message: Message, line: bytes) -> None:
        method, modern = message["method"], modern_version(message) is not None
        if self._discovers:
            known = self._snapshot.answer(method, params_of(message), modern=modern)
            if known is not None:
                self._write(messages.result(message, known))
                if method == "initialize":
                    self._handshake = params_of(message)
                return
        key = repr(message["id"])
        task = asyncio.create_task(self._call(message, line))
        self._in_flight[key] = task
        task.add_done_callback(lambda done: self._over(key, message, done))

    def _over(self, key: str, message: Message, done: "asyncio.Task[None]") -> None:
        if self._in_flight.get(key) is done:
            del self._in_flight[key]
        if not done.cancelled() and (error := done.exception()) is not None:
            self._write(messages.failure(message, Internal(f"The bridge failed: {error!r}.")))

    def _cancelled(self, message: Message, line: bytes) -> None:
        task = self._in_flight.get(repr(params_of(message).get("requestId")))
        if task is None:
            return
        if self._session is not None and self._session.kept:
            self._say(line, message)
        task.cancel()  # which closes its connection: for the stateless era that is what cancels

    def _say(self, line: bytes, message: Message) -> None:
        """Notifications, and answers to what the server asked: one after the other, in the client's order."""
        self._said = asyncio.create_task(self._saying(line, message, self._said))

    async def _saying(self, line: bytes, message: Message, before: "asyncio.Task[None] | None") -> None:
        if before is not None:
            await asyncio.wait((before,))
        with contextlib.suppress(NotSent, Lost, CapabilityError):  # nobody waits for an answer
            server = await self._upstream.ready()
            await self._post(server, await self._headers_for(message, server), line)

    async def _call(self, message: Message, line: bytes) -> None:
        try:
            if self._said is not None and not self._said.done():
                await asyncio.wait((self._said,))
            await self._relay(message, line)
        except CapabilityError as error:
            self._write(messages.failure(message, error))
        except Lost as error:
            self._write(messages.failure(message, self._unknown(message, error)))

    async def _relay(self, message: Message, line: bytes) -> None:
        """Tries again only what certainly was not carried out: not sent, or refused unread."""
        for _ in range(_ATTEMPTS):
            server = await self._upstream.ready()
            try:
                headers = await self._headers_for(message, server)
                with await server.http.open("POST", self._path, headers, line) as response:
                    if response.status == 404 and "mcp-session-id" in headers:
                        self._session = None
                        continue
                    if response.status == 401 and server.local and self._upstream.lost(server):
                        continue
                    await self._answer(message, response, server)
                    return
            except NotSent as error:
                if not self._upstream.lost(server):
                    raise Unavailable(
                        f"{server.http.url} cannot be reached: {error}.", fix="Check the address and the network.",
                        outcome="not_sent",
                    ) from error  # fmt: skip
            except Lost:
                self._upstream.lost(server)
                raise
        raise Unavailable("Adwright does not stay up.", fix="Run adwright doctor.", outcome="not_sent")

    async def _answer(self, message: Message, response: Response, server: Server) -> None:
        if response.content_type == "text/event-stream":
            async for event in response.events():
                over = _answers(event, message["id"])
                if over and message["method"] == "initialize":
                    self._initialized(message, response, event, server)
                self._pass(event, message, server)
                if over:
                    return
            raise Lost("the stream ended without the answer")
        body = await response.read()
        if response.status == 200 and (line := _line(body)) is not None:
            if message["method"] == "initialize":
                self._initialized(message, response, line, server)
            self._pass(line, message, server)
            return
        self._write(_refused(message, response.status, body))

    def _pass(self, answer: bytes, message: Message, server: Server) -> None:
        self._write(answer)
        declared = messages.meta_of(message, "clientCapabilities") or (self._handshake or {}).get("capabilities")
        if not messages.opens_urls(declared):
            self._confirming.look(answer, server)

    def _unknown(self, message: Message, error: Lost) -> Unavailable:
        name = params_of(message).get("name")
        if message["method"] != "tools/call" or self._snapshot.is_read(str(name)):
            return Unavailable(f"Adwright went away before it answered: {error}.", fix="Call it again.")
        return Unavailable(
            f"Adwright went away before it answered: {error}. The change may or may not have happened.",
            fix="Look at list_changes and list_approvals before calling it again.",
            outcome="unknown",
        )

    async def _headers_for(self, message: Message, server: Server) -> dict[str, str]:
        headers = {**self._headers, "authorization": server.authorization}
        if (version := modern_version(message)) is not None:
            return headers | messages.stateless_headers(message, version)
        if self._handshake is not None and message.get("method") != "initialize":
            headers.update((await self._attached(server)).headers)
        return headers

    async def _attached(self, server: Server) -> Session:
        if self._session is not None and self._session.server is server:
            return self._session
        if self._attaching is None:
            self._attaching = asyncio.create_task(self._attach(server))
            self._attaching.add_done_callback(self._attached_or_not)
        return await asyncio.shield(self._attaching)

    def _attached_or_not(self, done: "asyncio.Task[Session]") -> None:
        self._attaching = None
        if not done.cancelled():
            done.exception()  # seen by whoever waits, if anyone still does

    async def _attach(self, server: Server) -> Session:
        """Replay the client's handshake with a server that has not seen it."""
        headers = {**self._headers, "authorization": server.authorization}
        hello: Message = {"jsonrpc": "2.0", "id": "adwright-bridge", "method": "initialize", "params": self._handshake}
        try:
            with await server.http.open("POST", self._path, headers, messages.compact(hello)) as response:
                body = await _first(response)
                session = self._initialized(hello, response, body, server) if response.status == 200 else None
            if session is None:
                raise messages.Said(messages.said(response.status, body))
            ready = messages.compact({"jsonrpc": "2.0", "method": "notifications/initialized"})
            await self._post(server, headers | dict(session.headers), ready)
        except Lost as error:
            raise NotSent(str(error)) from error  # nothing of what the client called
        return session

    def _initialized(self, message: Message, response: Response, body: bytes, server: Server) -> Session | None:
        told = json.loads(body).get("result")
        if not isinstance(told, dict):
            return None
        self._handshake = params_of(message)
        headers = {"mcp-protocol-version": str(told.get("protocolVersion", ""))}
        if session_id := response.headers.get("mcp-session-id"):
            headers["mcp-session-id"] = session_id
        self._session = Session(server, headers)
        if self._listening is not None:
            self._listening.cancel()
        if self._session.kept:
            self._listening = asyncio.create_task(self._listen(self._session))
        return self._session

    async def _listen(self, session: Session) -> None:
        """What a server says or asks outside of any call."""
        headers = {**self._headers, "authorization": session.server.authorization, **session.headers}
        while self._session is session:
            with (
                contextlib.suppress(NotSent, Lost),
                await session.server.http.open("GET", self._path, headers) as response,
            ):
                if response.content_type != "text/event-stream":
                    return
                async for event in response.events():
                    self._write(event)
            await asyncio.sleep(_STREAM_AGAIN_SECONDS)

    async def _post(self, server: Server, headers: Mapping[str, str], body: bytes, method: str = "POST") -> None:
        known = {**self._headers, "authorization": server.authorization, **headers}
        with await server.http.open(method, self._path, known, body) as response:
            await response.read()


async def _first(response: Response) -> bytes:
    if response.content_type != "text/event-stream":
        return await response.read()
    async for event in response.events():
        return event
    raise Lost("the stream ended without the answer")


def _line(body: bytes) -> bytes | None:
    """A JSON object as one line, as the client's stream wants it; None for anything else, such as a proxy's page."""
    if body.startswith(b"{") and b"\n" not in body:
        return body
    try:
        message = json.loads(body)
    except ValueError:
        return None
    return messages.compact(message) if isinstance(message, dict) else None


def _answers(event: bytes, id_: Any) -> bool:
    message = json.loads(event)
    return "method" not in message and message.get("id") == id_


def _refused(message: Message, status: int, body: bytes) -> bytes:
    """What the server said instead of answering, under the client's id."""
    told = messages.said(status, body)
    if "jsonrpc" in told:
        return messages.compact(told | {"id": message["id"]})
    return messages.failure(message, messages.Said(told))

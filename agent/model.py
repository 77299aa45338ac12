"""The Messages API through its SDK: one streamed call at a time, sent as exact bytes."""

import asyncio
import json
import logging
import ssl
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import httpx2
import orjson

from agent.answer import Building
from agent.failures import Cut, Failed, Silent, Told, asked_to_wait, told_by_api, unreachable
from agent.prices import Prices, shipped
from tools.errors import Unavailable
from tools.secret import Secret

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic

API_VERSION = "2026-10-21"

CALL_SECONDS = 240.0
"""Of one call in all."""

ABOUT_SECONDS = 5.0
"""A turn waits no longer to be told what its model is."""

MOMENT_SECONDS = 0.5
"""Nor a page, to show its name."""

ANEW_SECONDS = 30.0
"""After which it is asked again, where nothing was told."""

logger = logging.getLogger(__name__)

_BROKEN = (Cut, TimeoutError, json.JSONDecodeError, KeyError, IndexError)
"""How a stream shows that it is not what it should be."""

_AGAIN = frozenset({"overloaded_error", "api_error", "timeout_error", "rate_limit_error"})
_TRANSIENT = frozenset({408, 409, 429})


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSettings:
    api_key: Secret | None
    base_url: str
    model: str
    effort: str
    title_model: str = ""  # none: conversations keep their first words as their title
    retries: int = 6
    silence: float = 60.0  # seconds
    prices: Prices = field(default_factory=shipped)


@dataclass(frozen=True, slots=True)
class About:
    """What the API tells of a model; people are shown its `name`."""

    id: str
    name: str
    adaptive: bool = True
    effort: bool = True


class Model:
    """One a process; its connections are kept. The SDK takes seconds to import, so it waits for the first call."""

    def __init__(self, settings: ModelSettings) -> None:
        self.settings = settings
        self._client: AsyncAnthropic | None = None
        self._opening = asyncio.Lock()
        self._looked: dict[str, tuple[float, asyncio.Task[About | None]]] = {}

    def require_key(self) -> Secret:
        if self.settings.api_key is None:
            raise Unavailable(
                "The chat has no model: ANTHROPIC_API_KEY is not set.",
                fix="Set ANTHROPIC_API_KEY in the environment or in settings.env, and restart.",
            )
        return self.settings.api_key

    async def call(self, body: bytes, building: Building) -> None:
        """Raises Failed; however it ends, `building` holds what was said. Cancelling ends it upstream."""
        try:
            async with asyncio.timeout(CALL_SECONDS):
                await self._stream(body, building)
        except Exception as error:
            failed = self._failed(error)
            if failed is None:
                raise
            raise failed from error

    async def about(self, model: str) -> About:
        """Remembered once the API told it; until then the model is taken for a current one."""
        return await self._within(ABOUT_SECONDS, model)

    async def answers(self) -> str | None:
        """The name of the model that new conversations get, its id until the API told the name; None without a key."""
        if self.settings.api_key is None:
            return None
        return (await self._within(MOMENT_SECONDS, self.settings.model)).name

    async def close(self) -> None:
        looking = [task for _, task in self._looked.values()]
        for task in looking:
            task.cancel()
        await asyncio.gather(*looking, return_exceptions=True)
        if self._client is not None:
            await self._client.close()

    async def _within(self, seconds: float, model: str) -> About:
        """Whoever waits no longer leaves the question standing, for the next."""
        now = asyncio.get_running_loop().time()
        since, looking = self._looked.get(model, (now, None))
        if looking is None or (now - since > ANEW_SECONDS and looking.done() and looking.result() is None):
            looking = asyncio.create_task(self._look(model), name=f"about {model}")
            self._looked[model] = now, looking
        await asyncio.wait((looking,), timeout=seconds)
        return (looking.result() if looking.done() else None) or About(model, model)

    async def _look(self, model: str) -> About | None:
        """Without the SDK: whoever shows a page does not wait until it is imported."""
        if self.settings.api_key is None:
            return None
        headers = {"x-api-key": self.settings.api_key.reveal(), "anthropic-version": API_VERSION}
        base_url = self.settings.base_url
        try:
            async with httpx2.AsyncClient(base_url=base_url, timeout=ABOUT_SECONDS, verify=_trusted()) as http:
                answer = await http.get(f"/v1/models/{model}", headers=headers)
            return _about(answer.json()) if answer.is_success else None
        except (httpx2.HTTPError, ValueError, KeyError, TypeError, AttributeError) as error:
            logger.info("nothing is told of %s: %r", model, error)
            return None

    async def _stream(self, body: bytes, building: Building) -> None:
        client = await self._open()
        streams = _sdk().AsyncStream
        silence, clock = self.settings.silence, asyncio.get_running_loop().time
        try:
            async with asyncio.timeout(silence) as patience:
                stream = await client.post(
                    "/v1/messages", cast_to=object, content=body, stream=True, stream_cls=streams[object]
                )
                async with stream:
                    building.request_id = stream.response.headers.get("request-id")
                    async for event in streams.raw_events(stream.response):
                        patience.reschedule(clock() + silence)
                        if event.data:
                            building.take(orjson.loads(event.data))
        except TimeoutError:
            raise Silent from None
        if not building.ended:  # the SDK raises nothing when a stream just stops
            raise Cut

    async def _open(self) -> "AsyncAnthropic":
        async with self._opening:
            if self._client is None:
                key = self.require_key()
                sdk = await asyncio.to_thread(_sdk)
                self._client = sdk.AsyncAnthropic(
                    api_key=key.reveal(), base_url=self.settings.base_url,
                    http_client=sdk.DefaultAsyncHttpxClient(verify=_trusted()),
                    max_retries=0,  # it would wait for as long as it is told to, and nobody could tell why
                )  # fmt: skip
            return self._client

    def _failed(self, error: Exception) -> Failed | None:
        """None where it is no fault of the model's side."""
        if isinstance(error, Unavailable):  # there is no key
            return Failed(error)
        if isinstance(error, Told):
            told = told_by_api(error.kind, error.message, {}, self.settings.model)
            return Failed(told, transient=error.kind in _AGAIN)
        if isinstance(error, Silent):
            return Failed(unreachable("it fell silent"), transient=True)
        if isinstance(error, _BROKEN):
            return Failed(unreachable("its answer broke off"), transient=True)
        if isinstance(error, httpx2.TransportError):  # the SDK wraps it only until the headers are there
            return Failed(unreachable("the connection was lost"), transient=True)
        sdk = _sdk()
        if isinstance(error, sdk.APIStatusError):
            status, headers = error.status_code, error.response.headers
            told = told_by_api(error.type, error.api_message or "", headers, self.settings.model)
            return Failed(told, transient=status in _TRANSIENT or status >= 500, asked=asked_to_wait(headers))
        if isinstance(error, sdk.APIConnectionError):
            return Failed(unreachable("it is out of reach"), transient=True)
        return None


@cache
def _trusted() -> ssl.SSLContext:
    """The certificates: to read them takes 20 ms, so it is done once a process."""
    return httpx2.create_ssl_context()


def _sdk() -> Any:
    import anthropic  # noqa: PLC0415 - takes two seconds, so the first call waits for it and no start does

    return anthropic


def _about(info: dict[str, Any]) -> About:
    can = info.get("capabilities") or {}
    thinking = (can.get("thinking") or {}).get("types") or {}
    return About(
        info["id"],
        info.get("display_name") or info["id"],
        adaptive=bool((thinking.get("adaptive") or {"supported": True})["supported"]),
        effort=bool((can.get("effort") or {"supported": True})["supported"]),
    )

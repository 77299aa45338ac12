"""The Messages API through its SDK: one streamed call at a time, sent as exact bytes."""

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx2
import orjson

from agent.answer import Building
from agent.failures import Cut, Told, told_by_api, unreachable
from tools.errors import CapabilityError, Unavailable
from tools.secret import Secret

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic

CALL_SECONDS = 240.0
"""Of one call in all: the SDK bounds only the silence between two chunks."""

_BROKEN = (Cut, TimeoutError, json.JSONDecodeError, KeyError, IndexError)
"""How a stream shows that it is not what it should be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSettings:
    api_key: Secret | None
    base_url: str
    model: str
    effort: str
    retries: int = 2


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
        self._about: dict[str, About] = {}

    def require_key(self) -> Secret:
        if self.settings.api_key is None:
            raise Unavailable(
                "The chat has no model: ANTHROPIC_API_KEY is not set.",
                fix="Set ANTHROPIC_API_KEY in the environment or in settings.env, and restart.",
            )
        return self.settings.api_key

    async def call(self, body: bytes, building: Building) -> None:
        """Raises CapabilityErrors; however it ends, `building` holds what was said. Cancelling ends it upstream."""
        try:
            async with asyncio.timeout(CALL_SECONDS):
                await self._stream(body, building)
        except Exception as error:
            failure = self._failure(error)
            if failure is None:
                raise
            raise failure from error

    async def about(self, model: str) -> About:
        """Remembered once the API told it; until then the model is taken for a current one."""
        if model not in self._about:
            try:
                client = await self._open()
                self._about[model] = _about((await client.models.retrieve(model)).to_dict(mode="json"))
            except Exception as error:
                if self._failure(error) is None:
                    raise
                return About(model, model)
        return self._about[model]

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()

    async def _stream(self, body: bytes, building: Building) -> None:
        client = await self._open()
        streams = _sdk().AsyncStream
        stream = await client.post(
            "/v1/messages", cast_to=object, content=body, stream=True, stream_cls=streams[object]
        )
        async with stream:
            building.request_id = stream.response.headers.get("request-id")
            async for event in streams.raw_events(stream.response):
                if event.data:
                    building.take(orjson.loads(event.data))
        if not building.ended:  # the SDK raises nothing when a stream just stops
            raise Cut

    async def _open(self) -> "AsyncAnthropic":
        async with self._opening:
            if self._client is None:
                key = self.require_key()
                sdk = await asyncio.to_thread(_sdk)
                self._client = sdk.AsyncAnthropic(
                    api_key=key.reveal(), base_url=self.settings.base_url, max_retries=self.settings.retries
                )
            return self._client

    def _failure(self, error: Exception) -> CapabilityError | None:
        """The error as our own; None where it is no fault of the model's side."""
        if isinstance(error, CapabilityError):
            return error
        if isinstance(error, Told):
            return told_by_api(error.kind, error.message, {}, self.settings.model)
        if isinstance(error, _BROKEN):
            return unreachable("its answer broke off")
        if isinstance(error, httpx2.TransportError):  # the SDK wraps it only until the headers are there
            return unreachable("the connection was lost")
        sdk = _sdk()
        if isinstance(error, sdk.APIStatusError):
            headers = error.response.headers
            return told_by_api(error.type, error.api_message or "", headers, self.settings.model)
        return unreachable("it is out of reach") if isinstance(error, sdk.APIConnectionError) else None


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

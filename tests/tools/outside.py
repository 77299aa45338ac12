"""What happens outside of Adwright: someone works at the platform, a disk fills up, a process dies."""

import asyncio
import contextlib
import json
from collections.abc import Iterator
from hashlib import sha256
from hmac import new as hmac
from typing import Any, TypeVar

import httpx2

from server.platforms.exchange import Effect
from tests.world import World
from tools.store.engine import Store, StoreUnavailable, Work

T = TypeVar("T")

GOOGLE_MANAGER = "4210007001"


async def at_the_platform(world: World, path: str, **fields: Any) -> dict[str, Any]:
    """Someone writes at the platform itself, past Adwright; budgets are in minor units there."""
    return _accepted(await world.sandbox.post(f"/meta/v26.0/{path}", data=await _signed(world, fields)))


async def ask_the_platform(world: World, path: str, **fields: Any) -> dict[str, Any]:
    return _accepted(await world.sandbox.get(f"/meta/v26.0/{path}", params=await _signed(world, fields)))


async def google_does(world: World, customer: str, service: str, **body: Any) -> dict[str, Any]:
    """Someone works at Google Ads itself: one call of a service of this customer."""
    known = (await world.sandbox.get("/")).json()["google"]
    grant = {name: known[name] for name in ("client_id", "client_secret", "refresh_token")}
    signed_in = _accepted(await world.sandbox.post("/google/token", data=grant | {"grant_type": "refresh_token"}))
    headers = {"authorization": f"Bearer {signed_in['access_token']}", "login-customer-id": GOOGLE_MANAGER}
    return _accepted(
        await world.sandbox.post(f"/google/v26/customers/{customer}/{service}", json=body, headers=headers)
    )


async def _signed(world: World, fields: dict[str, Any]) -> dict[str, str]:
    known = (await world.sandbox.get("/")).json()["meta"]
    token, secret = known["access_token"], known["app_secret"]
    encoded = {name: value if isinstance(value, str) else json.dumps(value) for name, value in fields.items()}
    return encoded | {
        "access_token": token,
        "appsecret_proof": hmac(secret.encode(), token.encode(), sha256).hexdigest(),
    }


def _accepted(answer: httpx2.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@contextlib.contextmanager
def full_disk(store: Store) -> Iterator[None]:
    """Every commit fails as on a full disk; reads go on."""
    kind = type(store)  # what works on the same database for one workspace fails too
    healthy = kind.submit

    def refused(*_: object) -> asyncio.Future[Any]:
        raise StoreUnavailable("database or disk is full")

    kind.submit = refused  # type: ignore[method-assign,assignment]  # the disk is outside of the code under test
    try:
        yield
    finally:
        kind.submit = healthy  # type: ignore[method-assign]  # as it was


class HeldWrite:
    """Holds the platform's answer to the next write back: `reached` is set when it is asked, and waits for `go`."""

    def __init__(self, world: World) -> None:
        self.reached, self.go = asyncio.Event(), asyncio.Event()
        self._send = world.meta._graph._send
        world.meta._graph._send = self._sent  # type: ignore[method-assign]  # the network is outside of the code

    async def _sent(self, call: Any, account_id: str | None) -> Any:
        if call.effect is Effect.WRITE:
            self.reached.set()
            await self.go.wait()
        return await self._send(call, account_id)


class Mortal:
    """Lets a world live for so many steps, or until one that begins so; each commit and each call of the platform has
    a before and an after. How many commits there are may vary, for the audit log flushes by the clock.

    Once dead, nothing of it reaches the disk or the network any more, whatever its code still tries.
    """

    def __init__(self, world: World, steps: int, *, last: str | None = None) -> None:
        self.left, self.last = steps, last
        self.trace: list[str] = []
        self._submit, self._send = world.store.submit, world.meta._graph._send
        world.store.submit = self._submitted  # type: ignore[method-assign]  # death comes from outside
        world.meta._graph._send = self._sent  # type: ignore[method-assign]  # death comes from outside

    @property
    def dead(self) -> bool:
        return self.left <= 0

    def _step(self, what: str) -> None:
        if not self.dead:
            self.trace.append(what)
            self.left = 0 if self.last and what.startswith(self.last) else self.left - 1
        if self.dead:
            raise StoreUnavailable("the process is dead")

    def _submitted(self, work: Work[T]) -> asyncio.Future[T]:
        self._step("before a commit")
        committed = self._submit(work)
        try:
            self._step("after a commit")
        except StoreUnavailable:
            committed.add_done_callback(lambda done: done.exception())
            raise
        return committed

    async def _sent(self, call: Any, account_id: str | None) -> Any:
        self._step(f"before {call.method} {call.path}")
        answer = await self._send(call, account_id)
        self._step(f"after {call.method} {call.path}")
        return answer

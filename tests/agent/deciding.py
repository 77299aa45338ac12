"""A person's decision through the faces they have: REST, as the panel sends it, and the form of the approvals page."""

from collections.abc import Sequence
from typing import Any, Literal, cast

import httpx2
from starlette.applications import Starlette
from starlette.types import Scope

from api.routes import PREFIX, rest_routes
from server.identity.sessions import Sessions
from server.web.pages import web_routes
from server.web.rendering import Renderer
from tests.world import OWNER, World
from tools.authority import Principal

Face = Literal["REST", "page"]
FACES: Sequence[Face] = ("REST", "page")


class SignedIn:
    """Who asks is no question here: the owner's session."""

    async def principal(self, _: Scope) -> Principal:
        return OWNER


class Deciding:
    def __init__(self, world: World) -> None:
        async def resolve(scope: Scope, *, face: str) -> Principal:  # noqa: ARG001 - the signature is the port's
            return OWNER

        door = world.door
        rest = rest_routes(door.registry, door, resolve, public_url="http://adwright.test", version="1")
        pages = web_routes(door, cast(Sessions, SignedIn()), Renderer(door.clock))
        self._transport = httpx2.ASGITransport(Starlette(routes=[*rest, *pages]))

    async def decide(self, face: Face, approval: Any, *, yes: bool) -> int:
        """The status of the answer; a page shows the card again, whoever decided."""
        amount = approval.plan.get("amountRequired") if yes else None
        sent = {} if amount is None else {"amount": amount}
        path = f"/approvals/{approval.id}/{'approve' if yes else 'deny'}"
        async with httpx2.AsyncClient(transport=self._transport, base_url="http://adwright.test") as browser:
            if face == "REST":
                return (await browser.post(f"{PREFIX}{path}", json=sent)).status_code
            answer = await browser.post(path, data=sent)
            assert answer.status_code == 303 or answer.status_code >= 400, answer.text
            return answer.status_code

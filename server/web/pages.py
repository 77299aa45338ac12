"""Sign-in and approvals as pages, which read and decide through the registry as the person whose session it is."""

import contextlib
from functools import partial
from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from server.analytics.script.serving import script_routes
from server.identity.requests import local_path
from server.identity.sessions import Sessions
from server.web.card import Card, card
from server.web.forms import form
from server.web.integrations import integration_routes
from server.web.people import People
from server.web.rendering import Renderer
from server.web.shell import NOBODY, Assistant
from server.web.shop import shop_routes
from tools.authority import Principal
from tools.errors import CapabilityError, CrossOrigin
from tools.invoke import Door

HOME = "/approvals"
RECENT = 30
MOST_WAITING = 100
_NEXT_COOKIE = "adwright_next"


def web_routes(door: Door, sessions: Sessions, renderer: Renderer, assistant: Assistant = NOBODY) -> list[BaseRoute]:
    people = People(door, sessions, renderer, assistant)
    pages = Pages(people, sessions, renderer)
    return [
        Route("/", pages.home),
        Route("/sign-in", pages.sign_in),
        Route("/login", pages.login),
        Route("/sign-out", pages.sign_out, methods=["POST"]),
        Route("/chat", people.only(pages.chat)),
        Route("/chat/{conversation_id}", people.only(pages.chat)),
        Route("/approvals", people.only(pages.approvals)),
        Route("/approvals/{approval_id}", people.only(pages.approval)),
        Route("/approvals/{approval_id}/approve", people.only(partial(pages.decide, "approve")), methods=["POST"]),
        Route("/approvals/{approval_id}/deny", people.only(partial(pages.decide, "deny")), methods=["POST"]),
        *integration_routes(people, door.clock),
        *shop_routes(renderer),
        *script_routes(),
        renderer.assets.route(),
    ]


class Pages:
    def __init__(self, people: People, sessions: Sessions, renderer: Renderer) -> None:
        self._people, self._sessions, self._renderer = people, sessions, renderer

    async def home(self, _: Request) -> Response:
        return RedirectResponse(HOME, 303)

    async def sign_in(self, request: Request) -> Response:
        """How to get in, and back to where one wanted to go; whoever is in already goes there at once."""
        follow = local_path(request.query_params.get("next"))
        with contextlib.suppress(CapabilityError):
            await self._sessions.principal(request.scope)
            return RedirectResponse(follow or HOME, 303)
        response = self._renderer.page("sign_in.html", why=request.query_params.get("why", ""), next=follow)
        if follow:  # so that a link minted without a page leads to the one that was asked for
            response.set_cookie(
                _NEXT_COOKIE,
                quote(follow),
                max_age=900,
                path="/login",
                secure=self._sessions.secure,
                httponly=True,
                samesite="lax",
            )
        return response

    async def login(self, request: Request) -> Response:
        """Uses the link up, unless a browser or mail scanner only looks ahead, which would spend it unseen."""
        if request.method == "HEAD" or "prefetch" in request.headers.get("sec-purpose", ""):
            return Response(status_code=204)
        opened = await self._sessions.sign_in(request.scope, request.query_params.get("token", ""))
        if opened is None:
            return self._renderer.message(
                request,
                410,
                "This sign-in link no longer works",
                "Each link signs in once, within 15 minutes. Get a new one with: adwright login-link",
            )
        wanted = local_path(unquote(request.cookies.get(_NEXT_COOKIE, "")))
        response = RedirectResponse(opened.next_path or wanted or HOME, 303)
        if wanted:
            response.delete_cookie(_NEXT_COOKIE, path="/login")
        response.headers.append("set-cookie", opened.cookie)
        return response

    async def sign_out(self, request: Request) -> Response:
        try:
            cleared = await self._sessions.sign_out(request.scope)
        except CrossOrigin as error:
            return self._renderer.message(request, 403, error.message, error.fix, code=error.code)
        return RedirectResponse("/sign-in?why=left", 303, {"set-cookie": cleared})

    async def chat(self, request: Request, person: Principal) -> Response:
        return await self._people.page(request, person, "chat.html")

    async def approvals(self, request: Request, person: Principal) -> Response:
        cursor = request.query_params.get("cursor")
        older_than = {"cursor": cursor} if cursor else {}
        recent = await self._people.call(person, "list_approvals", {"limit": str(RECENT)} | older_than)
        waiting = {}
        if not cursor:
            newest = {"status": "pending", "limit": str(MOST_WAITING)}
            waiting = await self._people.call(person, "list_approvals", newest)
        return await self._people.page(
            request,
            person,
            "approvals.html",
            waiting=[card(item) for item in waiting.get("items", ())],
            hidden="next_cursor" in waiting,
            recent=[card(item) for item in recent["items"] if item["status"] != "pending"],
            older=recent.get("next_cursor"),
            first=cursor is None,
        )

    async def approval(self, request: Request, person: Principal) -> Response:
        return await self._shown(request, person, await self._look(person, request.path_params["approval_id"]))

    async def decide(self, decision: str, request: Request, person: Principal) -> Response:
        """The form's way, for browsers without scripts: decide, then show the same card again."""
        approval_id, problem = request.path_params["approval_id"], None
        try:
            await self._people.call(person, decision, await form(request) | {"approval_id": approval_id})
        except CapabilityError as error:
            problem = error
        shown = await self._look(person, approval_id)
        if problem is not None and shown.status == "pending":
            return await self._shown(request, person, shown, problem)
        return RedirectResponse(f"/approvals/{approval_id}", 303)  # decided now, or by someone else before

    async def _look(self, person: Principal, approval_id: str) -> Card:
        return card(await self._people.call(person, "get_approval", {"approval_id": approval_id}))

    async def _shown(
        self, request: Request, person: Principal, shown: Card, problem: CapabilityError | None = None
    ) -> Response:
        return await self._people.page(
            request,
            person,
            "approval.html",
            status=problem.status if problem else 200,
            card=shown,
            problem=problem,
            missing=self._people.missing(person, "approve", shown.capability),
        )

"""Every page, each of which reads and decides through the registry as the person whose session it is; and sign-in."""

import contextlib
from functools import partial
from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from server.analytics.script.serving import script_routes
from server.identity.requests import local_path
from server.identity.sessions import Sessions
from server.web import campaigns
from server.web.approvals import Approvals
from server.web.campaigns import Campaigns
from server.web.developers import developer_routes
from server.web.integrations import integration_routes
from server.web.people import People
from server.web.rendering import Renderer
from server.web.shell import Answers, nobody
from server.web.shop import shop_routes
from server.web.usage import Usage
from server.web.website_forms import website_routes
from tools.authority import Principal
from tools.errors import CapabilityError, CrossOrigin
from tools.invoke import Door

HOME = campaigns.PAGE
_NEXT_COOKIE = "adwright_next"


def web_routes(door: Door, sessions: Sessions, renderer: Renderer, answers: Answers = nobody) -> list[BaseRoute]:
    people = People(door, sessions, renderer, answers)
    pages, inbox = Pages(people, sessions, renderer), Approvals(people, renderer)
    return [
        Route("/", pages.home),
        Route("/sign-in", pages.sign_in),
        Route("/login", pages.login),
        Route("/sign-out", pages.sign_out, methods=["POST"]),
        Route("/chat", people.only(pages.chat)),
        Route("/chat/{conversation_id}", people.only(pages.chat)),
        Route("/campaigns", people.only(Campaigns(people).listed)),
        Route("/usage", people.only(Usage(people).shown)),
        Route("/approvals", people.only(inbox.listed)),
        Route("/approvals/{approval_id}", people.only(inbox.one)),
        Route("/approvals/{approval_id}/card", people.only(inbox.card)),
        Route("/approvals/{approval_id}/approve", people.only(partial(inbox.decide, "approve")), methods=["POST"]),
        Route("/approvals/{approval_id}/deny", people.only(partial(inbox.decide, "deny")), methods=["POST"]),
        *website_routes(people),
        *integration_routes(people, door.clock),
        *developer_routes(people, door.clock),
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
        """A conversation is looked up first, so that nobody's is told from one that does not exist."""
        title, named = "Assistant", request.path_params.get("conversation_id")
        if named is not None:
            title = (await self._people.call(person, "get_conversation", {"conversationId": named}))["title"]
        return await self._people.page(request, person, "chat.html", title=title)

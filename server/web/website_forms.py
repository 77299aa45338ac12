"""The forms that add, change and remove a website: filled in, shown as a plan, then made exactly so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlencode, urlsplit
from zoneinfo import available_timezones

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from server.web.confirming import DIGEST, Question, answered
from server.web.forms import form
from server.web.people import People
from server.web.websites import PAGE, Websites
from tools.authority import Principal
from tools.currencies import CODES
from tools.errors import CapabilityError, Conflict, InvalidArguments

FIELDS = ("domain", "name", "time_zone", "currency", "allow_localhost")
_PLACES = ("Africa/", "America/", "Antarctica/", "Arctic/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/",
           "Pacific/")  # fmt: skip
_ABOVE = (PAGE, "Websites")
_MOST = "1000"


def website_routes(people: People) -> list[BaseRoute]:
    pages = Websites(people)
    forms = WebsiteForms(people, pages)
    return [
        Route(PAGE, people.only(pages.listed)),
        Route(f"{PAGE}/new", people.only(forms.blank)),
        Route(f"{PAGE}/new", people.only(forms.add), methods=["POST"]),
        Route(f"{PAGE}/{{website_id}}/edit", people.only(forms.filled)),
        Route(f"{PAGE}/{{website_id}}/edit", people.only(forms.change), methods=["POST"]),
        Route(f"{PAGE}/{{website_id}}/delete", people.only(forms.remove), methods=["POST"]),
    ]


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong with what was typed, at its field; `other` is the website that has the domain already."""

    status: int
    fields: Mapping[str, str]
    told: CapabilityError | None = None  # where it is about no field
    other: str | None = None


class WebsiteForms:
    def __init__(self, people: People, pages: Websites) -> None:
        self._people, self._pages = people, pages

    async def blank(self, request: Request, person: Principal) -> Response:
        """With what was typed before, where somebody comes back to change it."""
        typed = {name: request.query_params[name] for name in FIELDS if name in request.query_params}
        return await self._form(request, person, await self._usual(person) | typed)

    async def add(self, request: Request, person: Principal) -> Response:
        sent = await _sent(request)
        digest = sent.pop(DIGEST, None)
        question = Question(
            capability="create_website",
            arguments=sent,
            heading="Add a website",
            yes="Add it",
            no="Change something",
            back=f"{PAGE}/new?{urlencode(sent)}",
            above=_ABOVE,
            icon="plus",
            sent=sent,
        )
        try:
            answer = await answered(self._people, request, person, question, digest)
        except CapabilityError as error:
            return await self._form(request, person, sent, _wrong(error))
        return answer if isinstance(answer, Response) else _done(answer["id"], "added")

    async def filled(self, request: Request, person: Principal) -> Response:
        held = await self._held(request, person)
        return await self._form(request, person, _typed(held), named=held["name"])

    async def change(self, request: Request, person: Principal) -> Response:
        held = await self._held(request, person)
        sent = {"allow_localhost": "false"} | await _sent(request)
        digest = sent.pop(DIGEST, None)
        question = Question(
            capability="update_website",
            arguments={"websiteId": held["id"]} | sent,
            heading=f"Change {held['name']}",
            yes="Change it",
            no="Leave it",
            back=_at(held["id"]),
            above=_ABOVE,
            icon="pencil",
            about=held["id"],
            sent=sent,
        )
        try:
            answer = await answered(self._people, request, person, question, digest)
        except CapabilityError as error:
            return await self._form(request, person, _typed(held) | sent, _wrong(error), named=held["name"])
        return answer if isinstance(answer, Response) else _done(held["id"], "changed")

    async def remove(self, request: Request, person: Principal) -> Response:
        website_id = request.path_params["website_id"]
        question = Question(
            capability="delete_website",
            arguments={"websiteId": website_id},
            heading="Remove a website",
            yes="Remove it",
            no="Keep it",
            back=_at(website_id),
            above=_ABOVE,
            icon="trash-2",
            about=website_id,
        )
        try:
            digest = (await form(request)).get(DIGEST)
            answer = await answered(self._people, request, person, question, digest)
        except CapabilityError as error:
            return await self._pages.shown(request, person, marked=website_id, problem=error)
        return answer if isinstance(answer, Response) else RedirectResponse(f"{PAGE}?did=removed", 303)

    async def _held(self, request: Request, person: Principal) -> Mapping[str, Any]:
        identifier = request.path_params["website_id"]
        for row in (await self._people.call(person, "list_websites", {"limit": _MOST}))["items"]:
            if row["id"] == identifier:
                found: Mapping[str, Any] = row
                return found
        raise HTTPException(404)

    async def _usual(self, person: Principal) -> dict[str, str]:
        """Days and money as the last website has them, or else the first ad account."""
        websites = await self._people.tried(person, "list_websites", {"limit": "1"})
        connections = await self._people.tried(person, "list_connections", {})
        accounts = [account for row in _items(connections) for account in row["accounts"]]
        known = next(iter([*_items(websites), *accounts]), None) or {"time_zone": "UTC", "currency": "USD"}
        return {name: known[name] for name in ("time_zone", "currency")}

    async def _form(
        self,
        request: Request,
        person: Principal,
        typed: Mapping[str, str],
        wrong: Wrong | None = None,
        *,
        named: str = "",
    ) -> Response:
        return await self._people.page(
            request,
            person,
            "website_form.html",
            status=wrong.status if wrong else 200,
            typed=typed,
            wrong=wrong,
            named=named,
            zones=sorted({*_zones(), typed.get("time_zone", "UTC")}),
            currencies=sorted(CODES),
            missing=self._people.missing(person, "create_website"),
        )


async def _sent(request: Request) -> dict[str, str]:
    """A pasted address stands for its host; the plan shows which."""
    sent = {name: text for name, text in (await form(request)).items() if name in (*FIELDS, DIGEST)}
    if "://" in sent.get("domain", ""):
        sent["domain"] = urlsplit(sent["domain"]).hostname or sent["domain"]
    return sent


def _typed(held: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(held[name]).lower() if name == "allow_localhost" else held[name] for name in FIELDS}


def _items(answer: Mapping[str, Any] | CapabilityError) -> Sequence[Mapping[str, Any]]:
    return () if isinstance(answer, CapabilityError) else answer["items"]


def _wrong(error: CapabilityError) -> Wrong:
    if isinstance(error, InvalidArguments):
        problems = {each["field"]: _sentence(each["problem"]) for each in error.details["problems"]}
        return Wrong(error.status, problems, None if problems.keys() <= set(FIELDS) else error)
    other = error.details.get("websiteId") if isinstance(error, Conflict) else None
    if other:
        return Wrong(error.status, {"domain": "This domain is counted already."}, other=other)
    return Wrong(error.status, {}, error)


def _sentence(problem: str) -> str:
    problem = problem.replace("set allow_localhost", "tick the box below")
    about_it = problem.startswith(("is ", "has ", "needs "))
    return f"This {problem}." if about_it else f"{problem[:1].upper()}{problem[1:]}."


def _at(website_id: str) -> str:
    return f"{PAGE}?website={website_id}#{website_id}"


def _done(website_id: str, what: str) -> Response:
    return RedirectResponse(f"{PAGE}?website={website_id}&did={what}#{website_id}", 303)


@cache
def _zones() -> tuple[str, ...]:
    """Those people know by a city; the database has as many again by older names."""
    return ("UTC", *(name for name in available_timezones() if name.startswith(_PLACES)))

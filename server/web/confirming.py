"""What a person is asked before a page changes something: its plan, and then a yes to exactly that plan."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from server.web.card import change_rows, evidence_rows
from server.web.people import People
from tools.authority import Principal
from tools.errors import StalePlan

DIGEST = "digest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A write, and the words and ways around it. `sent` is what the form sends again with the yes."""

    capability: str
    arguments: Mapping[str, str]
    heading: str
    yes: str
    no: str
    back: str  # where a no leads
    above: tuple[str, str]  # the page it belongs to: address and name
    icon: str
    about: str = ""  # the id of what changes
    sent: Mapping[str, str] = field(default_factory=dict)


async def answered(
    people: People, request: Request, person: Principal, question: Question, digest: str | None
) -> Mapping[str, Any] | Response:
    """The page that asks; with the digest of what it showed, what came of it, or a fresh plan to look at."""
    stale = False
    try:
        if digest is not None:
            return await people.call(person, question.capability, question.arguments, expect_digest=digest)
        proposed = await people.call(person, question.capability, question.arguments, preview=True)
    except StalePlan as error:
        proposed, stale = error.details, True
    plan = proposed["plan"]
    return await people.page(
        request,
        person,
        "confirm.html",
        status=StalePlan.status if stale else 200,
        question=question,
        plan=plan,
        changes=change_rows(plan),
        evidence=evidence_rows(plan),
        digest=proposed[DIGEST],
        stale=stale,
    )

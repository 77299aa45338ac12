"""Error pages, and times in words."""

import datetime as dt
from html import unescape

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.web.card import STANDINGS, card
from server.web.rendering import Renderer
from server.web.shell import Shell
from tests.server.web.test_card import APPROVAL
from tests.world import principal
from tools.approval import ApprovalStatus
from tools.authority import Role

NOW = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)


async def crash(_: Request) -> Response:
    raise RuntimeError("password=hunter2")


def client(**headers: str) -> httpx2.AsyncClient:
    renderer = Renderer(lambda: NOW)
    app = Starlette(
        routes=[Route("/crash", crash), Route("/form", crash, methods=["POST"])],
        exception_handlers={HTTPException: renderer.error, Exception: renderer.error},
    )
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx2.AsyncClient(transport=transport, base_url="http://x.test", headers=headers)


@pytest.mark.parametrize(
    ("path", "status", "says", "code"),
    [
        ("/nowhere", 404, "There is no such page", "not_found"),
        ("/form", 405, "This page cannot do that", "method_not_allowed"),
        ("/crash", 500, "Something went wrong", "internal"),
    ],
)
async def test_an_error_is_a_page_for_people_and_json_for_programs(
    path: str, status: int, says: str, code: str
) -> None:
    async with client(accept="text/html") as person, client(accept="application/json") as program:
        page, body = await person.get(path), await program.get(path)

    assert (page.status_code, body.status_code) == (status, status)
    assert says in page.text
    assert (body.json()["code"], body.json()["message"]) == (code, says + ".")
    assert body.json()["fix"]
    assert "hunter2" not in page.text + body.text


async def test_a_method_that_is_not_possible_is_told_which_are() -> None:
    async with client(accept="text/html") as person:
        assert (await person.get("/form")).headers["allow"] == "POST"


@pytest.mark.parametrize(
    ("seconds", "text"), [(900, "in 15 min"), (61, "in 2 min"), (60, "in 60 s"), (1, "in 1 s"), (-5, "in 0 s")]
)
def test_time_left_is_told_in_words(seconds: int, text: str) -> None:
    until = Renderer(lambda: NOW)._environment.filters["until"]

    assert until(NOW + dt.timedelta(seconds=seconds)) == text


def rendered(**fields: object) -> str:
    role = principal(Role.OWNER)
    shown = card(APPROVAL | fields)
    shell = Shell(path="/approvals/apr_1", waiting=1)
    page = Renderer(lambda: NOW).page("approval.html", person=role, shell=shell, card=shown, problem=None, missing=[])
    return bytes(page.body).decode()


@pytest.mark.parametrize("status", list(ApprovalStatus))
def test_a_card_of_every_status_says_what_it_means_and_only_a_pending_one_asks(status: ApprovalStatus) -> None:
    page = unescape(rendered(status=status.value))

    assert STANDINGS[status].label in page
    assert STANDINGS[status].meaning in page
    assert ("data-decide" in page) is (status is ApprovalStatus.PENDING)


def test_changes_of_several_targets_stand_under_their_target() -> None:
    changes = [
        {"target": target, "field": "status", "before": "ACTIVE", "after": "PAUSED"} for target in ("b", "a", "b")
    ]

    page = rendered(plan=APPROVAL["plan"] | {"changes": changes})

    assert page.count('scope="rowgroup"') == 2
    assert page.count("<del>Active</del>") == 3


def test_what_cannot_be_undone_is_said_loudly() -> None:
    assert "<strong>cannot be undone</strong>" in rendered(plan=APPROVAL["plan"] | {"reversible": False})

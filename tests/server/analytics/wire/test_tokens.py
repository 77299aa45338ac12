"""Who is let in at the wire, and that nobody changes what a token fixes."""

import base64
import time
from itertools import count
from typing import Any

import httpx2
import orjson
import pytest

from server.analytics.wire.tokens import id_of
from tests.server.analytics.wire.conftest import IDENTITY, signed

PIPE = "/v0/pipes/p_hits.json"
OURS = {"tenant": "ours"}
Headers = dict[str, str]


def unsigned(**header: str) -> str:
    claims = {"workspace_id": IDENTITY.workspace_id, "name": "n", "exp": int(time.time()) + 60,
              "scopes": [{"type": "PIPES:READ", "resource": "p_hits"}]}  # fmt: skip
    parts = [base64.urlsafe_b64encode(orjson.dumps(each)).rstrip(b"=").decode() for each in (header, claims)]
    return f"{parts[0]}.{parts[1]}."


@pytest.mark.parametrize("path", [PIPE, "/v0/pipes", "/v0/sql?q=SELECT+1", "/v0/tokens", "/v0/datasources"])
async def test_nobody_is_let_in_without_a_token(filled: httpx2.AsyncClient, path: str) -> None:
    answer = await filled.get(path)

    assert answer.status_code == 403
    assert set(answer.json()) == {"error", "documentation"}


@pytest.mark.parametrize(
    "token",
    [
        "p.guessed",
        "é",
        "x" * 20_000,
        unsigned(alg="none", typ="JWT"),
        unsigned(alg="HS256", typ="JWT"),
        signed(key="p.another-workspaces-admin-token-0123456789"),
        signed(lasts=-1),
        signed(workspace_id="11111111-0000-4000-8000-000000000001"),
        signed(workspace_id=None),
        signed(scopes="PIPES:READ"),
        signed(scopes=[{"type": "ADMIN"}]),
        signed(scopes=[{"type": "PIPES:READ", "resource": "p_hits", "fixed_params": ["tenant"]}]),
        signed(exp="tomorrow"),
        signed(limits={"rps": 0}),
        signed(limits={"rps": "many"}),
        signed(name=7),
        signed("p_in"),
        signed("P_HITS"),
        signed(kind="DATASOURCES:READ"),
    ],
    ids=count(),  # their ends are signatures over the time
)
async def test_a_token_that_is_none_or_another_opens_nothing(filled: httpx2.AsyncClient, token: str) -> None:
    by_header = await filled.get(PIPE, params=OURS, headers=[(b"authorization", b"Bearer " + token.encode())])
    by_query = await filled.post(PIPE, params={"token": token}, json=OURS)

    assert {by_header.status_code, by_query.status_code} == {403}


async def test_a_token_that_has_expired_says_so(filled: httpx2.AsyncClient) -> None:
    answer = await filled.get(PIPE, params={"token": signed(lasts=-1)})

    assert (answer.status_code, "expired" in answer.json()["error"]) == (403, True)


async def test_a_swapped_signature_or_payload_is_noticed(filled: httpx2.AsyncClient) -> None:
    ours, theirs = signed(fixed=OURS).split("."), signed(fixed={"tenant": "theirs"}).split(".")

    for token in (".".join([*ours[:2], theirs[2]]), ".".join([ours[0], theirs[1], ours[2]])):
        assert (await filled.get(PIPE, params={"token": token})).status_code == 403


@pytest.mark.parametrize("resource", ["p_hits", id_of("p_hits")])
async def test_a_signed_token_reads_its_pipe_with_what_it_fixes(filled: httpx2.AsyncClient, resource: str) -> None:
    answer = await filled.get(PIPE, params={"token": signed(resource, OURS)})

    assert answer.status_code == 200
    assert answer.json()["data"] == [{"path": "/a", "n": 2}, {"path": "/b", "n": 1}]


@pytest.mark.parametrize(
    ("query", "more"),
    [
        ("tenant=theirs", {}),
        ("tenant=theirs&tenant=theirs", {}),
        ("TENANT=theirs&Tenant=theirs", {}),
        ("tenant%5B%5D=theirs&tenant%00=theirs", {}),
        ("", {"json": {"tenant": "theirs"}}),
        ("", {"json": {"tenant": ["theirs", "theirs"]}}),
        ("", {"data": {"tenant": "theirs"}}),
        ("tenant=theirs", {"content": b"tenant=theirs&tenant=theirs",
                           "headers": {"content-type": "application/x-www-form-urlencoded"}}),
        ("tenant=theirs'+OR+1=1--", {}),
    ],
)  # fmt: skip
async def test_fixed_parameters_stay_whatever_is_sent(
    filled: httpx2.AsyncClient, query: str, more: dict[str, Any]
) -> None:
    method = "POST" if more else "GET"

    answer = await filled.request(method, f"{PIPE}?token={signed(fixed=OURS)}&{query}", **more)

    assert [row["path"] for row in answer.json()["data"]] == ["/a", "/b"]


async def test_a_signed_token_is_no_admin(filled: httpx2.AsyncClient) -> None:
    token = {"token": signed()}

    assert (await filled.get("/v0/sql", params={"q": "SELECT 1", **token})).status_code == 403
    assert (await filled.get("/v0/tokens", params=token)).status_code == 403
    assert (await filled.post("/v0/events", params={"name": "hits", **token}, content=b"{}")).status_code == 403
    assert (await filled.post("/v0/pipes/c_hits/copy", params=token)).status_code == 403
    assert [each["name"] for each in (await filled.get("/v0/pipes", params=token)).json()["pipes"]] == ["p_hits"]
    assert (await filled.get("/v0/datasources", params=token)).json() == {"datasources": []}


async def test_requests_beyond_the_limit_of_a_name_wait(filled: httpx2.AsyncClient) -> None:
    tokens = [signed(fixed=OURS, name="tenant-1", limits={"rps": 2}, jti=str(each)) for each in range(3)]

    answers = [await filled.get(PIPE, params={"token": token}) for token in tokens]
    other = await filled.get(PIPE, params={"token": signed(fixed=OURS, name="tenant-2", limits={"rps": 1})})

    assert [each.status_code for each in answers] == [200, 200, 429]
    assert [each.headers["x-ratelimit-remaining"] for each in answers] == ["1", "0", "0"]
    assert (answers[2].headers["retry-after"], answers[2].headers["x-ratelimit-limit"]) == ("1", "2")
    assert "retry-after" not in answers[0].headers
    assert other.status_code == 200


async def test_tokens_that_datafiles_name_open_what_they_name(filled: httpx2.AsyncClient, admin: Headers) -> None:
    listed = (await filled.get("/v0/tokens", headers=admin)).json()["tokens"]
    known = {each["name"]: each["token"] for each in listed}

    assert known["workspace admin token"] == IDENTITY.admin_token
    assert (await filled.get(PIPE, params={"token": known["dashboard"], **OURS})).status_code == 200
    assert (await filled.get(PIPE, params={"token": known["tracker"], **OURS})).status_code == 403
    hit = b'{"tenant": "elsewhere", "path": "/c"}'
    assert (await filled.post(f"/v0/events?name=hits&token={known['tracker']}", content=hit)).status_code == 202
    assert (await filled.post(f"/v0/events?name=hits&token={known['dashboard']}", content=hit)).status_code == 403


async def test_a_minted_token_does_what_it_was_minted_for(filled: httpx2.AsyncClient, admin: Headers) -> None:
    scope = {"type": "PIPES:READ", "resource": "p_hits", "fixed_params": OURS}
    body = {"name": "browser", "scopes": [scope], "limits": {"rps": 9}}

    made = await filled.post(f"/v0/tokens/?expiration_time={int(time.time()) + 60}", json=body, headers=admin)
    answer = await filled.get(PIPE, params={"token": made.json()["token"], "tenant": "theirs"})

    assert made.status_code == 200
    assert len(answer.json()["data"]) == 2
    assert answer.headers["x-ratelimit-limit"] == "9"


@pytest.mark.parametrize(
    ("query", "change", "status"),
    [
        ("", {}, 400),
        ("expiration_time=soon", {}, 400),
        ("expiration_time=1", {}, 400),
        ("expiration_time=9999999999999999", {}, 400),
        ("expiration_time=4102444800", {"name": ""}, 400),
        ("expiration_time=4102444800", {"scopes": []}, 400),
        ("expiration_time=4102444800", {"scopes": [{"type": "ADMIN"}]}, 400),
        ("expiration_time=4102444800", {"scopes": [{"type": "PIPES:READ", "resource": "nowhere"}]}, 404),
        ("expiration_time=4102444800", {"scopes": ["PIPES:READ:p_hits"]}, 400),
        ("expiration_time=4102444800", {"limits": {"rps": -1}}, 400),
        ("expiration_time=4102444800", {"limits": 5}, 400),
    ],
)
async def test_a_token_that_makes_no_sense_is_not_minted(
    filled: httpx2.AsyncClient, admin: Headers, query: str, change: dict[str, Any], status: int
) -> None:
    body = {"name": "browser", "scopes": [{"type": "PIPES:READ", "resource": "p_hits"}]} | change

    answer = await filled.post(f"/v0/tokens?{query}", json=body, headers=admin)

    assert answer.status_code == status
    assert answer.json()["error"]


async def test_only_the_admin_mints(filled: httpx2.AsyncClient) -> None:
    answer = await filled.post("/v0/tokens?expiration_time=4102444800", json={}, params={"token": signed()})

    assert answer.status_code == 403

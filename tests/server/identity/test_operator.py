"""The operator's routes: who may call them, what they do, and that each call is told in the log."""

import hashlib
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette

from server.identity.operator import MAX_BODY, Operator
from tests.promises import promise
from tests.server.identity.directory import LOCAL_TOKEN, Directory, bearer, request
from tools.authority import Role, Via
from tools.errors import ApiKeyRevoked
from tools.store.audit import AuditLog
from tools.store.engine import Store
from tools.store.sealing import KeyRing, generate_key
from tools.store.tables import ad_sync_logs, api_keys, users


def client(app: Starlette, peer: str = "127.0.0.1", **headers: str) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app=app, client=(peer, 50000))
    sent = {"authorization": bearer(LOCAL_TOKEN)} | headers
    return httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000", headers=sent)


def app_of(directory: Directory) -> Starlette:
    operator = Operator(
        store=directory.store,
        identity=directory.identity,
        sessions=directory.sessions,
        resolver=directory.resolver,
        audit=AuditLog(directory.store, lambda: directory.clock.ms),
        keyring=KeyRing.parse(generate_key("k1")),
        clock=directory.clock,
        status=lambda: {"version": "1.2.3"},
    )
    return Starlette(routes=operator.routes())


@pytest.fixture
def app(directory: Directory) -> Starlette:
    return app_of(directory)


@pytest.fixture
async def operator(app: Starlette) -> AsyncIterator[httpx2.AsyncClient]:
    async with client(app) as made:
        yield made


async def test_from_another_machine_there_is_nothing_here(app: Starlette) -> None:
    async with client(app, peer="192.0.2.7") as remote, client(app, **{"x-forwarded-for": "192.0.2.7"}) as proxied:
        assert (await remote.get("/local/keys")).status_code == 404
        assert (await proxied.get("/local/keys")).status_code == 404


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        ("", "invalid_authorization_format"),
        ("Bearer adw_local_wrong", "invalid_api_key"),
        ("Bearer adw_live_x", "invalid_api_key"),
    ],
)
async def test_without_the_local_token_nothing_is_done(
    app: Starlette, directory: Directory, authorization: str, code: str
) -> None:
    async with client(app, authorization=authorization) as stranger:
        answer = await stranger.post("/local/users", json={"email": "eve@example.com", "role": "owner"})

    assert (answer.status_code, answer.json()["code"]) == (401, code)
    assert len(await directory.rows(users)) == 1


async def test_a_session_or_key_is_not_the_operator(app: Starlette, directory: Directory) -> None:
    key, cookie = await directory.key(), await directory.sign_in()

    async with client(app, authorization=bearer(key.text), cookie=cookie) as owner:
        assert (await owner.get("/local/keys")).status_code == 401


async def test_the_first_user_comes_with_a_workspace_and_must_own_it(store: Store) -> None:
    async with client(app_of(Directory(store))) as operator:
        refused = await operator.post("/local/users", json={"email": "vera@example.com", "role": "viewer"})
        made = await operator.post("/local/users", json={"email": "Ada@Example.com", "name": "Ada", "role": "owner"})

    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    assert made.status_code == 201
    user = made.json()["data"]
    assert (user["email"], user["role"], user["workspace"]["name"]) == ("ada@example.com", "owner", "Default")
    assert made.json()["meta"]["request_id"] == made.headers["x-request-id"]


async def test_a_viewer_joins_the_only_workspace(operator: httpx2.AsyncClient, directory: Directory) -> None:
    made = await operator.post("/local/users", json={"email": "vera@example.com", "role": "viewer"})

    assert made.json()["data"]["workspace"] == {"id": "wsp_main", "name": "main"}
    assert {row.email for row in await directory.rows(users)} == {"ada@example.com", "vera@example.com"}


async def test_nobody_joins_twice(operator: httpx2.AsyncClient) -> None:
    answer = await operator.post("/local/users", json={"email": "ada@example.com", "role": "viewer"})

    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


async def test_of_several_workspaces_one_must_be_named(operator: httpx2.AsyncClient, directory: Directory) -> None:
    await directory.workspace("other")
    await directory.member("ada", Role.OWNER, "wsp_other")
    new = {"email": "vera@example.com", "role": "viewer"}

    asked = await operator.post("/local/users", json=new)
    made = await operator.post("/local/users", json=new | {"workspace": "other"})

    assert asked.status_code == 422
    assert [choice["name"] for choice in asked.json()["details"]["choices"]] == ["main", "other"]
    assert made.json()["data"]["workspace"]["id"] == "wsp_other"


@promise("dev.keys.columns")
async def test_a_key_is_shown_once_and_opens(operator: httpx2.AsyncClient, directory: Directory) -> None:
    body = {"name": "agent", "scopes": ["ads:read"], "rate": 30, "expires_days": 7}

    made = await operator.post("/local/keys", json=body)
    listed = await operator.get("/local/keys")

    key = made.json()["data"]
    assert made.status_code == 201
    assert (key["policy"], key["rate"], key["expiresAt"]) == ("gated", 30, "2026-11-29T09:00:00Z")
    assert key["key"] not in listed.text
    assert [(row["id"], row["workspace"]) for row in listed.json()["data"]] == [(key["id"], "wsp_main")]
    principal = await directory.resolver.resolve(request(authorization=bearer(key["key"])), face="rest")
    assert (principal.id, principal.user, principal.rate) == (key["id"], "usr_ada", 30)
    await directory.identity.flush()
    (stored,) = await directory.rows(api_keys)
    assert key["key"] not in str(stored)
    assert (stored.key_hash, stored.prefix) == (hashlib.sha256(key["key"].encode()).hexdigest(), key["prefix"])
    assert (stored.name, stored.last_used_at) == ("agent", directory.clock.ms)


async def test_a_direct_key_is_for_owners(operator: httpx2.AsyncClient, directory: Directory) -> None:
    await directory.user("mel", Role.MEMBER)
    body = {"name": "bot", "scopes": ["ads:write"], "direct": True}

    owners = await operator.post("/local/keys", json=body)
    members = await operator.post("/local/keys", json=body | {"user": "mel@example.com"})

    assert owners.json()["data"]["policy"] == "direct"
    assert (members.status_code, members.json()["details"]["problems"][0]["field"]) == (422, "direct")


async def test_a_key_does_not_reach_beyond_its_user(operator: httpx2.AsyncClient, directory: Directory) -> None:
    await directory.user("vera", Role.VIEWER)

    answer = await operator.post("/local/keys", json={"name": "x", "scopes": ["ads:write"], "user": "usr_vera"})

    assert (answer.status_code, answer.json()["details"]["problems"][0]["field"]) == (422, "scopes")
    assert await directory.rows(api_keys) == []


async def test_revoking_a_key_holds_at_the_next_call_and_keeps_its_time(
    operator: httpx2.AsyncClient, directory: Directory
) -> None:
    key = (await operator.post("/local/keys", json={"name": "x", "scopes": ["ads:read"]})).json()["data"]

    first = await operator.post(f"/local/keys/{key['id']}/revoke")
    directory.clock.pass_(minutes=1)
    second = await operator.post(f"/local/keys/{key['id']}/revoke")

    assert first.json()["data"]["revokedAt"] == second.json()["data"]["revokedAt"] == "2026-11-22T09:00:00Z"
    with pytest.raises(ApiKeyRevoked):
        await directory.resolver.resolve(request(authorization=bearer(key["key"])), face="rest")


async def test_an_unknown_key_is_not_revoked(operator: httpx2.AsyncClient) -> None:
    assert (await operator.post("/local/keys/key_none/revoke")).json()["code"] == "not_found"


async def test_a_login_link_signs_in_whoever_is_named(operator: httpx2.AsyncClient, directory: Directory) -> None:
    await directory.user("vera", Role.VIEWER)

    made = await operator.post("/local/login-links", json={"email": "vera@example.com", "next": "/approvals/apr_1"})
    link = made.json()["data"]
    opened = await directory.sessions.sign_in(request(), link["url"].partition("token=")[2])

    assert link["expiresAt"] == "2026-11-22T09:15:00Z"
    assert opened is not None
    assert opened.next_path == "/approvals/apr_1"
    principal = await directory.resolver.resolve(request(cookie=opened.cookie.partition(";")[0]), face="rest")
    assert principal.user == "usr_vera"


async def test_a_login_link_without_a_name_is_the_first_owners(
    operator: httpx2.AsyncClient, directory: Directory
) -> None:
    url = (await operator.post("/local/login-links")).json()["data"]["url"]

    opened = await directory.sessions.sign_in(request(), url.partition("token=")[2])

    assert opened is not None
    principal = await directory.resolver.resolve(request(cookie=opened.cookie.partition(";")[0]), face="rest")
    assert principal.user == "usr_ada"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "invalid_request"),
        (b"\xff", 400, "invalid_request"),
        (b"[]", 422, "invalid_arguments"),
        (b'{"email": "a@b", "role": "emperor"}', 422, "invalid_arguments"),
        (b'{"email": "a@b", "role": "owner", "admin": true}', 422, "invalid_arguments"),
        (b'{"email": "a@b", "role": "owner", "name": null}', 422, "invalid_arguments"),
        (b'{"email": "no address", "role": "owner"}', 422, "invalid_arguments"),
        (b'"' + b"x" * MAX_BODY + b'"', 413, "too_large"),
    ],
)
async def test_a_body_that_cannot_be_used_is_told_why(
    operator: httpx2.AsyncClient, body: bytes, status: int, code: str
) -> None:
    answer = await operator.post("/local/users", content=body)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["fix"]


async def test_every_call_is_told_in_the_log_as_the_operators(
    operator: httpx2.AsyncClient, directory: Directory
) -> None:
    key = await operator.post("/local/keys", json={"name": "x", "scopes": ["ads:read"]})
    await operator.post("/local/users", json={"email": "ada@example.com", "role": "viewer"})
    verified = await operator.post("/local/audit/verify")

    told = [(row.workspace_id, row.action, row.status, row.via) for row in await directory.rows(ad_sync_logs)]
    assert ("wsp_main", "create_api_key", "ok", Via.OPERATOR) in told
    assert ("", "create_user", "conflict", Via.OPERATOR) in told
    assert ("", "verify_audit", "ok", Via.OPERATOR) in told
    assert verified.json()["data"]["ok"] is True
    assert key.json()["data"]["key"] not in "".join(str(row) for row in await directory.rows(ad_sync_logs))


async def test_a_login_link_is_told_in_the_log_without_its_token(
    operator: httpx2.AsyncClient, directory: Directory
) -> None:
    url = (await operator.post("/local/login-links")).json()["data"]["url"]

    rows = await directory.rows(ad_sync_logs)
    assert [row.action for row in rows] == ["create_login_link"]
    assert url.partition("token=")[2] not in str(rows)


async def test_secrets_are_rotated_and_counted_by_key(operator: httpx2.AsyncClient) -> None:
    answer: dict[str, Any] = (await operator.post("/local/secrets/rotate")).json()["data"]

    assert answer == {"rewrapped": 0, "rows": {"k1": 0}, "unreadable": []}


async def test_status_names_the_workspaces(operator: httpx2.AsyncClient) -> None:
    answer = (await operator.get("/local/status")).json()["data"]

    assert answer == {"version": "1.2.3", "auditHealthy": True, "workspaces": [{"id": "wsp_main", "name": "main"}]}


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/local"), ("GET", "/local/passwords"), ("DELETE", "/local/keys/x")]
)
async def test_anything_else_is_not_there(operator: httpx2.AsyncClient, method: str, path: str) -> None:
    assert (await operator.request(method, path)).status_code == 404

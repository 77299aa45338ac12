"""developer-api § Authentication: the session cookie, and nothing without a credential."""

import re
from pathlib import Path

import httpx2
import pytest

from tests.app import OWNER, Product, open_product
from tests.promises import promise
from tools.store.tables import sessions

DAY = 86_400


async def cookie_of(product: Product) -> tuple[str, dict[str, str]]:
    """The Set-Cookie of a sign-in: its name, and its attributes in lower case."""
    link = await product.operate("POST", "/login-links", {"email": OWNER})
    answer = await product.client().get(f"/login?token={link['url'].rpartition('=')[2]}")
    (header,) = [value for value in answer.headers.get_list("set-cookie") if "adwright_session=" in value]
    pair, *attributes = header.split("; ")
    split = (attribute.partition("=") for attribute in attributes)
    return pair.partition("=")[0], {name.lower(): value for name, _, value in split}


@promise("dev.auth.cookie.http-only-lax", "dev.auth.session.lifetime")
async def test_on_this_machine_the_cookie_is_http_only_lax_and_lives_30_days(product: Product) -> None:
    name, attributes = await cookie_of(product)

    assert name == "adwright_session"
    assert attributes == {"max-age": str(30 * DAY), "path": "/", "httponly": "", "samesite": "Lax"}


@promise("dev.auth.cookie.secure-in-production", "dev.auth.session.lifetime")
async def test_in_production_the_cookie_is_secure_and_the_hosts_own(tmp_path: Path) -> None:
    async with open_product(tmp_path, PUBLIC_URL="https://ads.example.com", SESSION_MAX_AGE_DAYS="7") as product:
        name, attributes = await cookie_of(product)

    assert name == "__Host-adwright_session"
    assert attributes == {"max-age": str(7 * DAY), "path": "/", "httponly": "", "samesite": "Lax", "secure": ""}


@promise("dev.auth.cookie.csrf")
@pytest.mark.parametrize(
    "sent", [{"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"origin": "https://evil.test"}]
)
async def test_another_site_changes_nothing_with_the_cookie(product: Product, sent: dict[str, str]) -> None:
    person = await product.person()
    del person.http.headers["sec-fetch-site"]
    person.http.headers.update(sent)

    refused = await person.refusal(403, "POST", "/api-keys", {"name": "Theirs", "scopes": ["ads:read"]})

    assert refused["code"] == "cross_origin"
    assert await person.data("GET", "/api-keys") == []


@promise("dev.auth.session.table", "dev.auth.session.workspace-and-role", "dev.errors.401")
async def test_a_session_deleted_from_the_table_is_refused_at_the_next_call(product: Product) -> None:
    person = await product.person()
    me = await person.data("GET", "/me")

    async def delete(tx: object) -> None:
        await tx.run(sessions.delete())  # type: ignore[attr-defined]  # the engine's transaction

    await product.house.store.write(delete)
    refused = await person.refusal(401, "GET", "/me")

    assert (me["workspaceId"], me["role"], me["via"]) == (product.home, "owner", "session")
    assert refused["code"] == "session_expired"
    assert "/sign-in" in refused["fix"]


@promise("dev.auth.session.missing-401", "dev.errors.401", "dev.overview.json-errors", "pixel.envelope")
async def test_every_documented_route_answers_401_without_a_credential(product: Product) -> None:
    anyone = product.client()
    document = (await anyone.get("/api/v1/openapi.json")).json()
    prefix = httpx2.URL(document["servers"][0]["url"]).path.rstrip("/")
    operations = [
        (method, prefix + re.sub(r"{\w+}", "x", path))
        for path, item in document["paths"].items()
        for method in item
        if method in {"get", "post", "put", "patch", "delete"}
    ]

    assert len(operations) > 20
    for method, path in operations:
        answer = await anyone.request(method, path)
        body = answer.json()
        assert (answer.status_code, body["code"]) == (401, "missing_authorization"), (method, path)
        assert body["message"]
        assert "/sign-in" in body["fix"]
        assert body["meta"] == {"request_id": answer.headers["x-request-id"]}


@promise("dev.errors.401")
@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("Bearer adw_live_nobody", "invalid_api_key"),
        ("Basic dXNlcjpwYXNz", "invalid_authorization_format"),
        ("Bearer", "invalid_authorization_format"),
    ],
)
async def test_an_invalid_key_answers_401_and_what_to_do(product: Product, header: str, code: str) -> None:
    answer = await product.client(authorization=header).get("/api/v1/me")

    assert (answer.status_code, answer.json()["code"]) == (401, code)
    assert answer.json()["fix"]
    assert answer.headers["www-authenticate"].startswith("Bearer")

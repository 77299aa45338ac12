"""developer-api § Errors and § Observability, pixel-api § Envelope: what every answer and every call leaves behind."""

import json
import re
from dataclasses import replace

import pytest

from tests.app import Product
from tests.database import ON_POSTGRESQL, stored
from tests.faces.faces import mcp_modern, rest
from tests.promises import promise
from tests.tools.outside import full_disk
from tools import ids
from tools.authority import Principal, Role, Via
from tools.errors import QuotaExceeded

REQUEST_ID = re.compile(r"req_[A-Za-z0-9]{16,}")


@promise("pixel.envelope", "dev.errors.code-and-message", "dev.overview.json-errors")
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/me", 200),
        ("GET", "/ads/campaigns", 200),
        ("GET", "/ads/campaigns?limit=0", 422),
        ("GET", "/approvals/apr_none", 404),
        ("GET", "/nowhere", 404),
        ("PUT", "/me", 405),
        ("POST", "/connections", 403),
        ("PATCH", "/ads/campaigns/1", 422),
    ],
)
async def test_every_answer_has_its_request_id_in_body_and_header(
    product: Product, method: str, path: str, status: int
) -> None:
    key = await product.key()

    answer = await key.http.request(method, f"/api/v1{path}")

    body = answer.json()
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    assert REQUEST_ID.fullmatch(body["meta"]["request_id"])
    assert answer.headers["x-request-id"] == body["meta"]["request_id"]
    if status >= 400:
        assert body["code"]
        assert body["message"]
        assert body["fix"]


@promise("dev.errors.402.upsellUrl")
async def test_beyond_the_plans_monthly_cap_the_answer_is_402_and_where_to_upgrade(product: Product) -> None:
    """Through the half of the door that every chat turn passes; the free plan has fifty a month."""
    owner = Principal(
        id="usr_1", name="Ada", user="usr_1", workspace=product.home, role=Role.OWNER, scopes=Role.OWNER.scopes,
        via=Via.SESSION,
    )  # fmt: skip
    door, admitted = product.house.door, 0

    with pytest.raises(QuotaExceeded) as refused:
        for turn in range(60):  # a user has 20 a minute: several share the month
            await door.admit_chat_turn(door.context(replace(owner, user=f"usr_{turn // 20}"), ids.request_id()))
            admitted += 1

    body = refused.value.body("req_1")
    assert (admitted, refused.value.status, body["code"]) == (50, 402, "quota_exceeded")
    assert body["upsellUrl"] == f"{product.url}/pricing"


@promise("pixel.scopes")
async def test_a_missing_scope_is_named(product: Product) -> None:
    key = await product.key(scopes=["pixel:read"])

    over_rest = (await rest(key, "list_campaigns", {})).data
    over_mcp = (await mcp_modern(key, "list_campaigns", {})).data

    for refused in (over_rest, over_mcp):
        assert refused["code"] == "insufficient_scope"
        assert refused["details"] == {"required": "ads:read", "available": ["pixel:read"]}


@promise("dev.keys.bearer", "dev.keys.columns", "dev.keys.audited")
async def test_a_key_is_stored_as_promised_and_each_of_its_calls_is_audited(product: Product) -> None:
    person = await product.person()
    body = {"name": "CI", "scopes": ["ads:read"], "expires_days": 30}
    made = await person.data("POST", "/api-keys", body)
    key = product.bearer(made["key"])

    for _ in range(3):
        await key.data("GET", "/me")
    await key.refusal(403, "POST", "/ads/campaigns", {})

    await product.house.identity.flush()
    (row,) = stored(product.settings.data_dir, "SELECT * FROM api_keys")
    assert len(row["key_hash"]) == 64
    assert row["expires_at"] > row["last_used_at"] > 0
    assert (row["name"], made["key"].startswith(row["prefix"])) == ("CI", True)
    assert made["key"] not in row.values()
    audited = [(row["action"], row["status"]) for row in await product.audit_rows() if row["via"] == "key"]
    assert audited == [("whoami", "ok")] * 3 + [("create_campaign", "insufficient_scope")]
    (listed,) = await person.data("GET", "/api-keys")
    assert {"prefix", "name", "expiresAt", "lastUsedAt"} <= listed.keys()


@promise("dev.observability.audit-row")
async def test_every_execution_writes_one_row_with_action_status_error_and_payload(product: Product) -> None:
    person = await product.person()
    await product.connect(person)
    key = await product.key()
    before = len(await product.audit_rows())

    answered = await key("GET", "/ads/campaigns", status="ACTIVE", limit=1)
    refused = await key("GET", "/approvals/apr_none")
    proposed = await mcp_modern(
        key, "update_campaign", {"campaign_id": answered.json()["data"][0]["campaign_id"], "name": "X"}
    )

    rows = (await product.audit_rows())[before:]
    assert [(row["action"], row["status"], row["via"]) for row in rows] == [
        ("list_campaigns", "ok", "key"), ("get_approval", "not_found", "key"),
        ("update_campaign", "confirm_required", "mcp"),
    ]  # fmt: skip
    assert [row["request_id"] for row in rows] == [
        answered.headers["x-request-id"], refused.headers["x-request-id"], proposed.data["meta"]["request_id"],
    ]  # fmt: skip
    assert json.loads(rows[0]["payload"]) == {"status": "ACTIVE", "limit": 1}
    assert (rows[0]["error_message"], rows[1]["error_message"]) == (None, refused.json()["message"])
    assert (await product.operate("POST", "/audit/verify"))["ok"]


@promise("dev.observability.healthz")
async def test_healthz_is_200_while_each_dependency_answers(product: Product) -> None:
    answer = await product.client().get("/healthz")

    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    assert answer.json()["dependencies"].keys() == {"postgres" if ON_POSTGRESQL else "database", "audit"}


@promise("dev.observability.healthz")
async def test_healthz_is_503_and_names_what_cannot_work(product: Product) -> None:
    anyone, key = product.client(), await product.key()

    with full_disk(product.house.store):
        for _ in range(200):  # what fits into the last page still does
            await key.data("GET", "/me")
            await product.house.audit.flush()
            if not product.house.audit.healthy:
                break
        answer, alive = await anyone.get("/healthz"), await anyone.get("/livez")
        read = await key("GET", "/me")
        write = await key("PATCH", "/ads/campaigns/1", {"name": "None"})

    assert (answer.status_code, answer.json()["status"]) == (503, "unavailable")
    audit = answer.json()["dependencies"]["audit"]
    assert (audit["ok"], bool(audit["problem"])) == (False, True)
    assert (alive.status_code, read.status_code) == (200, 200)
    assert (write.status_code, write.json()["code"]) == (503, "unavailable")

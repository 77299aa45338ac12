"""What goes wrong on the way in, meanwhile, and upstream: each with a clear answer, and never an effect."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from tests.app import Caller, Product
from tests.faces.faces import FACES, Answer, at_rest, mcp_modern, modern, rest
from tests.promises import promise
from tools.store.tables import approvals
from tools.store.tenant import Rows

ONE_LOOP = pytest.mark.asyncio(loop_scope="module")
BOTH = pytest.mark.parametrize("call", [rest, mcp_modern], ids=["REST", "MCP"])

# What stands where a daily budget, or a whole body, should; with the status and code of the answer.
BUDGETS = {
    "NaN": (b"NaN", 400, "invalid_request"),
    "infinite": (b"1e400", 400, "invalid_request"),
    "minus infinite": (b"-1e400", 400, "invalid_request"),
    "negative": (b"-5", 422, "invalid_arguments"),
    "zero": (b"0", 422, "invalid_arguments"),
    "beyond all money": (b"1e15", 422, "invalid_arguments"),
    "a string": (b'"12.50"', 422, "invalid_arguments"),
    "a bool": (b"true", 422, "invalid_arguments"),
    "null": (b"null", 422, "invalid_arguments"),
    "an object": (b'{"amount": 12}', 422, "invalid_arguments"),
    "invalid UTF-8": (b'"\xff\xfe"', 400, "invalid_request"),
    "half a surrogate": (b'"\\ud800"', 400, "invalid_request"),
    "deep nesting": (b"[" * 900 + b"]" * 900, 400, "invalid_request"),
    "deeper than any parser": (b"[" * 200_000, 400, "invalid_request"),
    "5 MB": (b'"' + b"x" * 5_000_000 + b'"', 413, "too_large"),
}
EACH_BUDGET = pytest.mark.parametrize(("raw", "status", "code"), BUDGETS.values(), ids=BUDGETS.keys())


@pytest.fixture
async def person(product: Product) -> Caller:
    person = await product.person()
    await product.connect(person)
    return person


@pytest.fixture
async def campaign(person: Caller) -> dict[str, Any]:
    return await running(person)


async def running(person: Caller) -> dict[str, Any]:
    """A campaign of 150 USD a day."""
    rows: list[dict[str, Any]] = await person.data("GET", "/ads/campaigns", status="ACTIVE")
    return next(row for row in rows if row.get("daily_budget") == 150)


@dataclass(frozen=True)
class Untouched:
    """A workspace in which none of the tests that share it may make anything happen."""

    product: Product
    person: Caller
    key: Caller
    campaign: dict[str, Any]

    async def nothing_happened(self) -> None:
        assert await self.product.writes_seen() == []
        assert await self.person.data("GET", "/approvals") == []
        assert await self.person.data("GET", "/changes") == []


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def one_workspace(one_product: Product) -> Untouched:
    person = await one_product.person()
    await at_rest(one_product, one_product.home, await one_product.connect(person))
    return Untouched(one_product, person, await one_product.key(), await running(person))


@pytest.fixture
def untouched(shared: Product, one_workspace: Untouched) -> Untouched:
    assert one_workspace.product is shared
    return one_workspace


@EACH_BUDGET
@ONE_LOOP
async def test_rest_refuses_a_bad_body(untouched: Untouched, raw: bytes, status: int, code: str) -> None:
    answer = await untouched.key.http.patch(
        f"/api/v1/ads/campaigns/{untouched.campaign['campaign_id']}",
        content=b'{"daily_budget": ' + raw + b"}",
        headers={"content-type": "application/json"},
    )

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["message"]
    assert answer.json()["fix"]
    assert answer.json()["meta"]["request_id"] == answer.headers["x-request-id"]
    await untouched.nothing_happened()


@EACH_BUDGET
@ONE_LOOP
async def test_mcp_refuses_a_bad_body(untouched: Untouched, raw: bytes, status: int, code: str) -> None:
    arguments = {"campaign_id": untouched.campaign["campaign_id"], "daily_budget": "RAW"}
    envelope = {"name": "update_campaign", "arguments": arguments}
    message = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": envelope}).encode()

    answer = await untouched.key.http.post(
        "/mcp",
        content=message.replace(b'"RAW"', raw),
        headers={
            "content-type": "application/json",
            "accept": "application/json, text/event-stream",
            "mcp-protocol-version": "2025-11-25",
        },
    )

    body = answer.json()
    if status == 413:
        assert (answer.status_code, body["code"]) == (413, "too_large")
    elif status == 422:
        refused = body["result"]
        assert refused["isError"]
        assert refused["structuredContent"]["code"] == code
    elif "error" in body:  # what is no JSON is no JSON-RPC either, and the protocol has its own answer to that
        assert answer.status_code == 400
        assert body["error"]["code"] in (-32700, -32600, -32602)
    elif answer.status_code == 400:  # too deep to be handed to a parser
        assert body["code"] == "invalid_request"
    else:
        assert body["result"]["structuredContent"]["code"] == "invalid_arguments"
    await untouched.nothing_happened()


@ONE_LOOP
async def test_a_body_of_another_kind_is_refused(untouched: Untouched) -> None:
    path, person = f"/api/v1/ads/campaigns/{untouched.campaign['campaign_id']}", untouched.person

    form = await person.http.patch(path, data={"name": "Spring"})
    listed = await person.http.patch(path, json=[{"name": "Spring"}])
    empty = await person.http.patch(path, json={})
    twice = await person.http.patch(
        path, content=b'{"name": "a", "name": "b"}', headers={"content-type": "application/json"}
    )

    codes = [(answer.status_code, answer.json()["code"]) for answer in (form, listed, empty, twice)]
    assert codes == [
        (415, "unsupported_media_type"), (400, "invalid_request"), (422, "invalid_arguments"), (400, "invalid_request"),
    ]  # fmt: skip
    await untouched.nothing_happened()


@BOTH
@ONE_LOOP
async def test_a_wrong_type_and_an_unknown_field_are_named(untouched: Untouched, call: Callable[..., Any]) -> None:
    arguments = {"campaign_id": untouched.campaign["campaign_id"], "daily_budget": "much", "colour": "red"}

    answer: Answer = await call(untouched.key, "update_campaign", arguments)

    assert answer.code == "invalid_arguments"
    problems = {problem["field"]: problem["problem"] for problem in answer.data["details"]["problems"]}
    assert problems.keys() == {"daily_budget", "colour"}
    assert "campaign_id, connectionId, name, status, daily_budget" in problems["colour"]
    await untouched.nothing_happened()


@promise("pixel.workspace-from-key", "dev.overview.workspace-scoped", "dev.keys.workspace-scoped")
async def test_a_workspace_named_in_a_request_is_refused_or_ignored_and_never_obeyed(
    product: Product, person: Caller
) -> None:
    theirs, stranger = await product.second_workspace()
    await product.connect(stranger)
    key = await product.key()
    ours = {"name": "Smuggled", "scopes": ["ads:read"]}

    for name in ("workspaceId", "workspace_id", "workspace"):
        assert (await key.refusal(422, "GET", "/me", **{name: theirs}))["code"] == "invalid_arguments"
        refused = await person.refusal(422, "POST", "/api-keys", ours | {name: theirs})
        assert refused["code"] == "invalid_arguments"
        told = await modern(key.http, "tools/call", {"name": "whoami", "arguments": {name: theirs}})
        assert told["result"]["structuredContent"]["code"] == "invalid_arguments"

    for header in ("x-adwright-workspace", "x-workspace-id", "workspace"):
        for caller in (key, person):
            answer = await caller.http.get("/api/v1/me", headers={header: theirs})
            assert answer.json()["data"]["workspaceId"] == product.home
        key.http.headers[header] = theirs
        assert (await mcp_modern(key, "whoami", {})).data["workspaceId"] == product.home

    assert await stranger.data("GET", "/api-keys") == []
    assert {row["workspace_id"] for row in await product.audit_rows(theirs)} == {theirs}
    mine = {key_row["id"] for key_row in await person.data("GET", "/api-keys")}
    assert not [row for row in await product.audit_rows(theirs) if row["principal_id"] in mine]


async def test_another_workspaces_campaign_is_not_found(product: Product, person: Caller) -> None:
    """Through no connection of one's own: the platform would show it, the workspace has no way there."""
    _, stranger = await product.second_workspace()
    (campaign, *_) = await person.data("GET", "/ads/campaigns")

    refused = await stranger.refusal(404, "PATCH", f"/ads/campaigns/{campaign['campaign_id']}", {"name": "Mine"})

    assert refused["code"] == "not_found"
    assert await stranger.data("GET", "/ads/campaigns") == []
    assert await product.writes_seen() == []


@pytest.mark.parametrize("face", FACES)
async def test_a_change_by_a_gated_key_is_a_proposal_and_a_retry_the_same_one(
    product: Product, person: Caller, campaign: dict[str, Any], face: str
) -> None:
    key = await product.key()
    change = {"campaign_id": campaign["campaign_id"], "name": "Spring"}

    first, second = [await FACES[face](key, "update_campaign", change) for _ in range(2)]

    assert (first.kind, first.code) == ("proposed", "confirm_required")
    approval = first.data["approval"]
    assert second.data["approval"] == approval
    assert approval["plan"]["changes"] == [
        {"target": campaign["campaign_id"], "field": "name", "before": campaign["name"], "after": "Spring"}
    ]
    assert (await product.writes_seen()) == []
    assert [row["id"] for row in await person.data("GET", "/approvals", status="pending")] == [approval["id"]]


async def proposed(product: Product, campaign: dict[str, Any], **change: Any) -> tuple[Caller, str]:
    key = await product.key()
    answer = await mcp_modern(key, "update_campaign", {"campaign_id": campaign["campaign_id"], **change})
    assert answer.kind == "proposed", answer
    return key, answer.data["approval"]["id"]


@BOTH
async def test_an_expired_approval_is_told_and_changes_nothing(
    product: Product, person: Caller, campaign: dict[str, Any], call: Callable[..., Any]
) -> None:
    key, approval = await proposed(product, campaign, name="Too late")
    rows = Rows(product.house.store, product.home)

    async def sixteen_minutes_pass(tx: Any) -> None:
        row = await tx.first(rows.select(approvals).where(approvals.c.id == approval))
        await tx.run(rows.update(approvals, expires_at=row.expires_at - 16 * 60_000).where(approvals.c.id == approval))

    await product.house.store.write(sixteen_minutes_pass)
    refused = await person.refusal(409, "POST", f"/approvals/{approval}/approve")

    assert refused["code"] == "approval_expired"
    assert (await call(key, "get_approval", {"approval_id": approval})).data["status"] == "expired"
    assert await product.writes_seen() == []
    again = await call(key, "update_campaign", {"campaign_id": campaign["campaign_id"], "name": "Too late"})
    assert again.data["approval"]["id"] != approval


async def test_of_eight_approvals_at_once_one_succeeds(
    product: Product, person: Caller, campaign: dict[str, Any]
) -> None:
    key, approval = await proposed(product, campaign, name="Once")
    others = [person] + [await product.person() for _ in range(3)]

    answers = await asyncio.gather(
        *(someone("POST", f"/approvals/{approval}/approve", {}) for someone in others for _ in range(2))
    )

    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"already_decided"}
    assert [write["params"]["name"] for write in await product.writes_seen()] == ["Once"]
    settled = (await mcp_modern(key, "get_approval", {"approval_id": approval})).data
    assert (settled["status"], settled["result"]["name"]) == ("done", "Once")


@BOTH
async def test_html_from_upstream_is_a_platform_error(product: Product, call: Callable[..., Any]) -> None:
    await product.connect(await product.person())
    key = await product.key()
    await product.break_next("html", "meta", times=20)

    answer: Answer = await call(key, "list_campaigns", {})

    assert (answer.kind, answer.code) == ("refused", "platform_error")
    assert "<" not in json.dumps(answer.data)
    assert answer.data["fix"]


@BOTH
async def test_a_lost_answer_that_reads_back_is_a_success_and_one_write(
    product: Product, person: Caller, campaign: dict[str, Any], call: Callable[..., Any]
) -> None:
    key, approval = await proposed(product, campaign, name="Read back")
    await product.break_next("lost_answer", "meta")

    decided = await person.data("POST", f"/approvals/{approval}/approve", {})

    assert (decided["status"], decided["result"]["name"]) == ("done", "Read back")
    assert (await call(key, "get_approval", {"approval_id": approval})).data["status"] == "done"
    assert len(await product.writes_seen()) == 1


@pytest.mark.parametrize("fault", ["html", "cut"])
@BOTH
async def test_a_write_that_reading_back_does_not_confirm_is_unknown_and_not_repeated(
    product: Product, person: Caller, campaign: dict[str, Any], call: Callable[..., Any], fault: str
) -> None:
    key, approval = await proposed(product, campaign, name="Who knows")
    await product.break_next(fault, "meta:write")

    decided = await person.data("POST", f"/approvals/{approval}/approve", {})

    assert (decided["status"], decided["error"]["details"]["outcome"]) == ("unknown", "unknown")
    told = (await call(key, "get_approval", {"approval_id": approval})).data
    assert (told["status"], told["error"]["code"]) == ("unknown", "platform_error")
    (change,) = await person.data("GET", "/changes")
    assert change["status"] == "unknown"
    refused = await person.refusal(409, "POST", f"/approvals/{approval}/approve", {})
    assert refused["code"] == "already_decided"
    requests = (await product.sandbox.get("/log", params={"kind": "all"})).json()
    sent = [one for one in requests if one["method"] == "POST" and campaign["campaign_id"] in one["path"]]
    assert len([one for one in sent if "execution_options" not in one["params"]]) == 1

"""REST as a caller meets it: who may, what comes back, and every way to send something wrong."""

import json
import logging
import re
from typing import Any, cast

import pytest

from tests.api.shop import PRINCIPALS, Client
from tools.errors import Unavailable
from tools.store.engine import StoreUnavailable


async def test_without_a_credential_nothing_is_answered(call: Client) -> None:
    answer = await call("GET", "/me", who=None)

    assert (answer.status, answer.json["code"]) == (401, "missing_authorization")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json["fix"]


async def test_an_anonymous_caller_has_nothing_read(call: Client) -> None:
    answer = await call("POST", "/things", who=None, chunks=[b"x"] * 50)

    assert (answer.status, answer.received) == (401, 0)


async def test_a_stranger_does_not_learn_that_a_thing_exists(call: Client) -> None:
    theirs = await call("GET", "/things/1001", who="stranger")
    nothing = await call("GET", "/things/9999", who="stranger")

    assert theirs.status == nothing.status == 404
    assert theirs.json["code"] == nothing.json["code"] == "not_found"


async def test_too_little_scope_is_told_before_the_body_is_judged(call: Client) -> None:
    answer = await call("PATCH", "/things/1001", b"not json", who="viewer")

    assert (answer.status, answer.json["code"]) == (403, "insufficient_scope")
    assert answer.json["details"]["required"] == "ads:write"


async def test_what_is_for_people_is_refused_to_a_key(call: Client) -> None:
    answer = await call("POST", "/passwords", {"password": "pa55"}, who="direct")

    assert (answer.status, answer.json["code"]) == (403, "human_required")


async def test_a_read_answers_data_and_meta(call: Client) -> None:
    answer = await call("GET", "/things/1001")

    assert answer.status == 200
    assert answer.json["data"] == {"campaign_id": "1001", "name": "Ümlaut", "daily_budget": 120.0}
    assert re.fullmatch(r"req_[A-Za-z0-9]{24}", answer.json["meta"]["request_id"])
    assert answer.headers["x-request-id"] == answer.json["meta"]["request_id"]
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert int(answer.headers["content-length"]) == len(answer.raw)


async def test_a_page_puts_its_rows_in_data_and_the_cursor_in_meta(call: Client) -> None:
    first, whole = await call("GET", "/things?limit=1"), await call("GET", "/things")

    assert [row["campaign_id"] for row in first.json["data"]] == ["1001"]
    assert first.json["meta"] == {"request_id": first.headers["x-request-id"], "next_cursor": "n€xt"}
    assert len(whole.json["data"]) == 2
    assert whole.json["meta"].keys() == {"request_id"}


async def test_a_create_by_a_direct_key_answers_201(call: Client) -> None:
    answer = await call("POST", "/things", {"name": "New", "daily_budget": 10}, who="direct")

    assert (answer.status, answer.json["data"]["name"]) == (201, "New")


async def test_a_patch_by_a_gated_key_waits_for_a_person(call: Client) -> None:
    answer = await call("PATCH", "/things/1001", {"daily_budget": 150})
    now = await call("GET", "/things/1001")

    assert (answer.status, answer.json["code"]) == (202, "confirm_required")
    assert answer.json.keys() == {"code", "message", "fix", "approval", "meta"}
    assert answer.json["approval"]["plan"]["changes"][0] == {
        "target": "1001",
        "field": "daily_budget",
        "before": 120.0,
        "after": 150.0,
    }
    assert now.json["data"]["daily_budget"] == 120.0


async def test_head_is_get_without_its_body(call: Client) -> None:
    answer = await call("HEAD", "/things/1001")

    assert (answer.status, answer.raw) == (200, b"")
    assert int(answer.headers["content-length"]) > 0


async def test_an_empty_body_is_an_empty_object(call: Client) -> None:
    answer = await call("POST", "/things/1001/test", who="session")

    assert (answer.status, answer.json["data"]["campaign_id"]) == (200, "1001")


async def test_delete_takes_the_rest_from_the_query(call: Client) -> None:
    answer = await call("DELETE", "/things/1001?mode=archive")

    assert answer.json["approval"]["arguments"] == {"campaign_id": "1001", "mode": "archive"}


async def test_the_published_spellings_work_in_queries(call: Client) -> None:
    query = "campaignId=1001&website_id=admx_1&from=2026-11-01&to=2026-11-30"

    answer = await call("GET", f"/echo?{query}")

    assert answer.json["data"]["arguments"] == {
        "campaign_id": "1001",
        "websiteId": "admx_1",
        "since": "2026-11-01",
        "until": "2026-11-30",
    }


@pytest.mark.parametrize("path", ["/nothing", "/things/", "/things/1001/more", "", "/me/", "/openapi.json/x"])
async def test_an_unknown_path_is_told_in_the_envelope(call: Client, path: str) -> None:
    answer = await call("GET", path)

    assert (answer.status, answer.json["code"]) == (404, "not_found")
    assert answer.headers["x-request-id"] == answer.json["meta"]["request_id"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/things", "GET, HEAD, POST"),
        ("POST", "/me", "GET, HEAD"),
        ("OPTIONS", "/things/1001", "DELETE, GET, HEAD, PATCH"),
        ("HEAD", "/passwords", "POST"),
        ("DELETE", "/openapi.json", "GET, HEAD"),
        ("QUERY", "/things/1001/test", "POST"),
    ],
)
async def test_a_wrong_method_is_told_the_right_ones(call: Client, method: str, path: str, allowed: str) -> None:
    answer = await call(method, path)

    assert (answer.status, answer.headers["allow"]) == (405, allowed)
    assert method == "HEAD" or answer.json["code"] == "method_not_allowed"


async def test_a_fixed_path_wins_over_a_pattern(call: Client) -> None:
    assert (await call("GET", "/things/upstream")).json["code"] == "platform_error"


async def test_a_session_looks_at_the_plan_first(call: Client) -> None:
    shown = await call("PATCH", "/things/1001?plan=true", {"daily_budget": 130}, who="session")
    now = await call("GET", "/things/1001")

    assert shown.status == 200
    assert shown.json["data"]["plan"]["changes"][0]["after"] == 130.0
    assert shown.headers["etag"] == f'"{shown.json["data"]["digest"]}"'
    assert now.json["data"]["daily_budget"] == 120.0


async def test_a_write_is_held_to_the_plan_that_was_shown(call: Client) -> None:
    shown = await call("PATCH", "/things/1001?plan=true", {"daily_budget": 130}, who="session")
    held = {"if-match": shown.headers["etag"]}
    await call("PATCH", "/things/1001", {"daily_budget": 125}, who="session")

    late = await call("PATCH", "/things/1001", {"daily_budget": 130}, who="session", headers=held)
    fresh = {"if-match": f'"{late.json["details"]["digest"]}"'}
    done = await call("PATCH", "/things/1001", {"daily_budget": 130}, who="session", headers=fresh)

    assert (late.status, late.json["code"]) == (409, "stale_plan")
    assert (done.status, done.json["data"]["daily_budget"]) == (200, 130.0)


@pytest.mark.parametrize("held", ["*", "digest", 'W/"digest"', '"one", "two"', '""'])
async def test_if_match_is_one_quoted_digest(call: Client, held: str) -> None:
    answer = await call("PATCH", "/things/1001", {"daily_budget": 130}, who="session", headers={"if-match": held})

    assert (answer.status, answer.json["code"]) == (400, "invalid_request")


@pytest.mark.parametrize("query", ["plan=yes", "plan=", "plan=true&plan=true"])
async def test_plan_is_true_or_false(call: Client, query: str) -> None:
    assert (await call("PATCH", f"/things/1001?{query}", {"daily_budget": 130})).status == 400


async def test_a_read_has_no_plan_to_show(call: Client) -> None:
    answer = await call("GET", "/things?plan=true")

    assert (answer.status, list(answer.problems)) == (422, ["plan"])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": 5, "daily_budget": 10}, "name"),
        ({"name": "New", "daily_budget": "10"}, "daily_budget"),
        ({"name": "New", "daily_budget": True}, "daily_budget"),
        ({"name": "New", "daily_budget": -10}, "daily_budget"),
        ({"name": "New", "daily_budget": 0}, "daily_budget"),
        ({"name": "New", "daily_budget": 1e300}, "daily_budget"),
        ({"name": "New"}, "daily_budget"),
        ({"name": "New", "daily_budget": 10, "colour": "red"}, "colour"),
        ({"name": "New", "daily_budget": None}, "arguments"),
        ({"name": "New", "daily_budget": 10, "workspaceId": "wsp_other"}, "workspaceId"),
    ],
)
async def test_wrong_arguments_are_told_by_field(call: Client, body: dict[str, Any], field: str) -> None:
    answer = await call("POST", "/things", body)

    assert (answer.status, answer.json["code"]) == (422, "invalid_arguments")
    assert list(answer.problems) == [field]


@pytest.mark.parametrize("query", ["workspace=wsp_other", "workspaceId=wsp_other", "workspace_id=wsp_other", "x"])
async def test_an_unknown_query_parameter_is_named(call: Client, query: str) -> None:
    answer = await call("GET", f"/me?{query}")

    assert (answer.status, list(answer.problems)) == (422, [query.partition("=")[0]])


async def test_a_single_parameter_given_twice_is_refused(call: Client) -> None:
    answer = await call("GET", "/things?limit=1&limit=2")

    assert (answer.status, list(answer.problems)) == (422, ["limit"])


async def test_a_workspace_in_a_header_changes_nothing(call: Client) -> None:
    smuggled = {"x-workspace-id": "wsp_other", "workspaceid": "wsp_other", "x-forwarded-user": "usr_other"}

    assert (await call("GET", "/me", headers=smuggled)).json["data"]["workspaceId"] == "wsp_mine"


@pytest.mark.parametrize("named", ["1001", "1002"])
async def test_the_path_alone_names_what_it_names(call: Client, named: str) -> None:
    in_body = await call("PATCH", "/things/1001", {"campaign_id": named, "daily_budget": 130})
    in_query = await call("DELETE", f"/things/1001?campaignId={named}")

    assert (in_body.status, list(in_body.problems)) == (422, ["campaign_id"])
    assert (in_query.status, list(in_query.problems)) == (422, ["campaignId"])


async def test_a_query_does_not_stand_in_for_a_body(call: Client) -> None:
    answer = await call("PATCH", "/things/1001?daily_budget=130", {"name": "New"})

    assert (answer.status, list(answer.problems)) == (422, ["daily_budget"])


@pytest.mark.parametrize("path", ["/things/10%2001", "/things/a b", "/things/" + "9" * 65, "/things/Ü"])
async def test_a_malformed_id_in_the_path_is_told_by_field(call: Client, path: str) -> None:
    answer = await call("GET", path)

    assert (answer.status, list(answer.problems)) == (422, ["campaign_id"])


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        b"\xff\xfe",
        b'{"name": NaN}',
        b'{"daily_budget": 1e400}',
        b'{"name": "a", "name": "b"}',
        b"[" * 5000,
        b'{"a":' * 65 + b"1" + b"}" * 65,
        b'[{"name": "New"}]',
        b'{"name": "New"} {"name": "Newer"}',
    ],
    ids=lambda body: body[:16].decode("latin-1"),
)
async def test_a_body_that_is_no_strict_json_object_answers_400(call: Client, body: bytes) -> None:
    answer = await call("POST", "/things", body)

    assert (answer.status, answer.json["code"]) == (400, "invalid_request")
    assert answer.json["fix"]


async def test_five_megabytes_announced_are_refused_unread(call: Client) -> None:
    answer = await call("POST", "/things", b"x" * 5_000_000)

    assert (answer.status, answer.json["code"], answer.received) == (413, "too_large", 0)


async def test_five_megabytes_streamed_are_cut_at_the_limit(call: Client) -> None:
    answer = await call("POST", "/things", chunks=[b" " * 100_000] * 50)

    assert (answer.status, answer.json["code"], answer.received) == (413, "too_large", 11)


async def test_a_streamed_body_within_the_limit_is_read_whole(call: Client) -> None:
    whole = json.dumps({"name": "New", "daily_budget": 10}).encode()

    answer = await call("POST", "/things", who="direct", chunks=[whole[:7], b"", whole[7:]])

    assert answer.status == 201


@pytest.mark.parametrize(
    "kind",
    ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/json; charset=latin-1"],
)
async def test_a_body_of_another_kind_answers_415(call: Client, kind: str) -> None:
    answer = await call("POST", "/things", b'{"name": "New"}', headers={"content-type": kind})

    assert (answer.status, answer.json["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"'])
async def test_json_may_say_that_it_is_utf8(call: Client, kind: str) -> None:
    answer = await call("POST", "/things", {"name": "New", "daily_budget": 10}, headers={"content-type": kind})

    assert answer.status == 202


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_a_body_where_none_belongs_is_refused(call: Client, method: str) -> None:
    answer = await call(method, "/things/1001", {"mode": "archive"})

    assert (answer.status, answer.json["code"]) == (400, "invalid_request")


async def test_an_unreadable_query_answers_400(call: Client) -> None:
    assert (await call("GET", "/things?tags=%ff")).json["code"] == "invalid_request"


async def test_a_client_that_leaves_mid_body_is_answered_nothing(call: Client) -> None:
    answer = await call("POST", "/things", b"", headers={"content-length": "10"}, chunks=[])

    assert answer.status == 0


async def test_a_limit_says_when_there_is_room_again(call: Client) -> None:
    await call("GET", "/me", who="slow")
    answer = await call("GET", "/me", who="slow")

    assert (answer.status, answer.json["code"]) == (429, "rate_limited")
    assert int(answer.headers["retry-after"]) == answer.json["retryAfter"] > 0
    assert answer.json["details"] == {"source": "local", "limit": "default", "perMinute": 1}
    assert answer.headers["ratelimit-policy"] == '"default";q=1;w=60'
    assert answer.headers["ratelimit"] == f'"default";r=0;t={answer.json["retryAfter"]}'


async def test_what_nobody_foresaw_is_reported_and_shows_no_internals(call: Client) -> None:
    answer = await call("GET", "/things/broken")

    assert (answer.status, answer.json["code"]) == (500, "internal")
    assert b"secret internals" not in answer.raw
    assert [str(error) for error in call.reported] == ["secret internals"]


async def test_a_failing_resolver_is_logged_and_answered_in_the_envelope(
    call: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(cast(dict[str, Any], PRINCIPALS), "odd", None)

    with caplog.at_level(logging.ERROR):
        answer = await call("GET", "/me", who="odd")

    assert (answer.status, answer.json["code"]) == (500, "internal")
    assert caplog.records[0].exc_info


async def test_a_platform_that_answers_html_is_a_clear_424(call: Client) -> None:
    answer = await call("GET", "/things/upstream")

    assert (answer.status, answer.json["code"]) == (424, "platform_error")
    assert answer.json["details"]["outcome"] == "refused"


async def test_when_nothing_can_be_stored_writes_answer_503_and_reads_go_on(
    call: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: Any, **__: Any) -> None:
        raise StoreUnavailable("disk full")

    monkeypatch.setattr(call.services.store, "write", full)

    write = await call("PATCH", "/things/1001", {"daily_budget": 130})
    look = await call("GET", "/things/1001")

    assert (write.status, write.json["code"]) == (Unavailable.status, "unavailable")
    assert write.headers["retry-after"] == str(write.json["retryAfter"])
    assert look.status == 200


async def test_refused_bodies_are_in_the_audit_log(call: Client) -> None:
    await call("POST", "/things", b"x" * 5_000_000)
    await call("POST", "/things", b"not json")
    await call.services.audit.flush()

    assert await call.logged() == [("create_thing", "too_large"), ("create_thing", "invalid_request")]

"""`adwright tools` and what every command does with an answer, against a server that says what the test tells it to."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

import pytest

from server.cli.main import main
from tests.server.bridge.wire import Answer, Request, listening

DOCUMENT = {
    "openapi": "3.1.0",
    "servers": [{"url": "https://ads.example.com/api/v1"}],
    "paths": {
        "/things": {
            "get": {
                "operationId": "list_things", "summary": "List things",
                "parameters": [{"$ref": "#/components/parameters/limit"}, {"name": "kind", "in": "query"}],
            },
        },
        "/things/{thing_id}": {
            "patch": {
                "operationId": "update_thing", "summary": "Update thing",
                "parameters": [{"name": "thing_id", "in": "path", "schema": {}}],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Change"}}}},
            },
        },
    },
    "components": {
        "parameters": {"limit": {"name": "limit", "in": "query", "schema": {"type": "integer"}}},
        "schemas": {"Change": {"properties": {"name": {"type": "string"}, "budget": {"type": "number"}}}},
    },
}  # fmt: skip
APPROVAL = {
    "id": "apr_1",
    "status": "pending",
    "plan": {"summary": "Pause it"},
    "url": "https://ads.example.com/a/apr_1",
}
CONFIRM = {"code": "confirm_required", "message": "m", "fix": "f", "approval": APPROVAL, "meta": {"request_id": "r"}}


async def run(monkeypatch: pytest.MonkeyPatch, answer: Answer, *words: str) -> tuple[int, list[Request]]:
    async def handle(request: Request) -> None:
        if request.path == "/api/v1/openapi.json":
            await request.answer(200, DOCUMENT)
        else:
            await answer(request)

    async with listening(handle) as wire:
        monkeypatch.setenv("ADWRIGHT_URL", wire.url)
        monkeypatch.setenv("ADWRIGHT_API_KEY", "adw_live_test")
        status = await asyncio.to_thread(main, words)
    return status, [request for request in wire.requests if request.path != "/api/v1/openapi.json"]


def answering(status: int, body: Any) -> Answer:
    async def answer(request: Request) -> None:
        await request.answer(status, body)

    return answer


async def test_capabilities_are_listed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    status, _ = await run(monkeypatch, answering(500, {}), "tools", "list", "--json")
    assert status == 0
    assert [row["name"] for row in json.loads(capsys.readouterr().out)] == ["list_things", "update_thing"]


async def test_arguments_go_where_the_document_says(monkeypatch: pytest.MonkeyPatch) -> None:
    done = answering(200, {"data": {"ok": True}, "meta": {}})
    status, asked = await run(
        monkeypatch, done, "tools", "call", "update_thing", "thing_id=a/b", "name=007", "budget=1.5"
    )
    assert (status, asked[0].method, asked[0].path) == (0, "PATCH", "/api/v1/things/a%2Fb")
    assert asked[0].message == {"name": "007", "budget": 1.5}
    assert asked[0].headers["authorization"] == "Bearer adw_live_test"
    _, asked = await run(
        monkeypatch, done, "tools", "call", "list_things", "kind=x", "--args", '{"limit": 5, "kind": "y"}'
    )
    assert (asked[0].method, asked[0].path, asked[0].body) == ("GET", "/api/v1/things?kind=x&limit=5", b"")
    _, asked = await run(monkeypatch, done, "tools", "call", "list_things", "kind=x", "kind=y")
    assert asked[0].path == "/api/v1/things?kind=x&kind=y"


async def test_a_page_says_how_to_get_the_next(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    meta = {"next_cursor": "c2", "cache": {"hit": True}, "request_id": "r"}
    page = answering(200, {"data": [{"id": 1, "name": "one"}], "meta": meta})
    await run(monkeypatch, page, "tools", "call", "list_things", "--json")
    items = [{"id": 1, "name": "one"}]
    assert json.loads(capsys.readouterr().out) == {"items": items, "next_cursor": "c2", "cache": {"hit": True}}
    await run(monkeypatch, page, "tools", "call", "list_things")
    assert capsys.readouterr().out == 'id  name\n1   one\ncache: {"hit": true}\nmore: cursor=c2\n'


async def test_rows_are_a_table_in_the_order_of_their_columns_and_what_to_know_of_them_is_below(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = {
        "columns": [{"name": "path", "type": "String"}, {"name": "visitors", "type": "UInt64"}],
        "rows": [{"visitors": 12, "path": "/pricing"}, {"visitors": 3, "path": "/"}],
        "caveats": ["Bots are left out.", "Days are those of UTC."], "as_of": "2026-11-23T01:00:00Z", "elapsed": 0.01,
        "totals": [], "next_cursor": "c2",
    }  # fmt: skip
    answer = answering(200, {"data": found, "meta": {"request_id": "r"}})

    await run(monkeypatch, answer, "tools", "call", "list_things")
    assert capsys.readouterr().out.splitlines() == [
        "path      visitors", "/pricing  12", "/         3", "caveats:", "  Bots are left out.",
        "  Days are those of UTC.", "as_of: 2026-11-23T01:00:00Z", "elapsed: 0.01", "more: cursor=c2",
    ]  # fmt: skip
    await run(monkeypatch, answer, "tools", "call", "list_things", "--json")
    assert json.loads(capsys.readouterr().out) == found


@pytest.mark.parametrize("data", [[], {"columns": [{"name": "path", "type": "String"}], "rows": []}])
async def test_that_there_are_no_rows_is_said(
    data: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    await run(monkeypatch, answering(200, {"data": data, "meta": {}}), "tools", "call", "list_things")
    assert capsys.readouterr().out == "There are no rows.\n"


async def test_a_program_gets_the_proposal_and_exit_code_3(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", Stdin(terminal=False))
    status, _ = await run(monkeypatch, answering(202, CONFIRM), "tools", "call", "update_thing", "thing_id=1")
    assert status == 3
    assert json.loads(capsys.readouterr().out) == CONFIRM


@pytest.mark.parametrize(("decided", "status"), [("done", 0), ("denied", 1)])
async def test_a_person_at_a_terminal_is_waited_for(
    decided: str, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def answer(request: Request) -> None:
        if request.method == "PATCH":
            await request.answer(202, CONFIRM)
        else:
            assert request.path == "/api/v1/approvals/apr_1"
            await request.answer(200, {"data": APPROVAL | {"status": decided, "result": {"id": "1"}}, "meta": {}})

    monkeypatch.setattr("sys.stdin", Stdin(terminal=True))
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    found, _ = await run(monkeypatch, answer, "tools", "call", "update_thing", "thing_id=1", "--no-open")
    assert found == status
    shown = capsys.readouterr()
    assert "Pause it" in shown.err
    assert str(APPROVAL["url"]) in shown.err
    assert ("id  1" in shown.out) is (status == 0)


@pytest.mark.parametrize(
    ("decided", "said"),
    [
        ({"status": "denied", "error": {"reason": "Too much."}}, "already_decided: A person said no; nothing was"),
        ({"status": "superseded"}, "already_decided: This proposal is superseded"),
        ({"status": "expired"}, "approval_expired: Nobody decided in time"),
        ({"status": "failed", "error": {"code": "platform_error", "message": "No."}}, "platform_error: No."),
    ],
)
async def test_a_terminal_is_told_why_nothing_was_changed(
    decided: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def answer(request: Request) -> None:
        if request.method == "PATCH":
            await request.answer(202, CONFIRM)
        else:
            await request.answer(200, {"data": APPROVAL | decided, "meta": {}})

    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr("sys.stdin", Stdin(terminal=True))
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    found, _ = await run(monkeypatch, answer, "tools", "call", "update_thing", "thing_id=1", "--no-open")
    assert found == 1
    told = capsys.readouterr().err
    assert said in told
    assert str(decided.get("error", {}).get("reason", "")) in told


@dataclass
class Stdin:
    terminal: bool

    def isatty(self) -> bool:
        return self.terminal


async def test_an_error_is_two_lines_for_people_and_json_for_scripts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    body = {
        "code": "invalid_arguments", "message": "No.", "fix": "Correct it.",
        "details": {"problems": [{"field": "limit", "problem": "too large"}]}, "meta": {"request_id": "r"},
    }  # fmt: skip
    status, _ = await run(monkeypatch, answering(422, body), "tools", "call", "list_things")
    shown = capsys.readouterr()
    assert (status, shown.out) == (1, "")
    assert shown.err == "invalid_arguments: No.\n  limit: too large\nfix: Correct it.\n"
    await run(monkeypatch, answering(422, body), "tools", "call", "list_things", "--json")
    assert json.loads(capsys.readouterr().out) == body


async def test_what_may_be_named_instead_is_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    body = {
        "code": "no_such",
        "message": "No.",
        "fix": "Use one of details.allowed.",
        "details": {"allowed": ["a", "b"]},
    }
    await run(monkeypatch, answering(400, body), "tools", "call", "list_things")
    assert capsys.readouterr().err == "no_such: No.\n  details.allowed: a b\nfix: Use one of details.allowed.\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nope"], "not_found: There is no capability nope."),
        (["update_thing", "loose"], "invalid_request: loose is not key=value."),
        (["update_thing", "budget=lots"], "invalid_arguments: budget takes a JSON number."),
        (["update_thing", "budget=5"], "invalid_arguments: update_thing needs thing_id.\n  thing_id: is required\n"),
        (["list_things", "--args", "{"], "invalid_request: --args is not JSON"),
        (["list_things", "--args", "[]"], "invalid_request: --args is not a JSON object"),
    ],
)
async def test_what_cannot_be_called_is_said_before_anything_is_sent(
    words: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status, asked = await run(monkeypatch, answering(500, {}), "tools", "call", *words)
    assert (status, asked) == (1, [])
    assert capsys.readouterr().err.startswith(said)


async def test_a_server_that_speaks_no_json_is_unavailable(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status, _ = await run(monkeypatch, answering(502, b"<html>"), "tools", "call", "list_things")
    assert status == 1
    assert capsys.readouterr().err.startswith("unavailable: The server answered 502")


def test_a_server_that_is_not_there_is_unavailable(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ADWRIGHT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("ADWRIGHT_API_KEY", "adw_live_test")
    assert main(["tools", "list"]) == 1
    assert "No answer from http://127.0.0.1:9" in capsys.readouterr().err


def test_operating_a_remote_server_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ADWRIGHT_URL", "https://ads.example.com")
    monkeypatch.setenv("ADWRIGHT_API_KEY", "adw_live_test")
    assert main(["keys", "list"]) == 1
    assert "points to another server" in capsys.readouterr().err

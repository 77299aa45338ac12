"""A person is brought to the proposal in both eras, and only their decision decides."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from mcp.client import Client
from mcp.client.session import ClientRequestContext
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult, ElicitRequestFormParams, ElicitRequestURLParams, ElicitResult, ErrorData

from tests.server.mcp_endpoint.kit import Kit, budgets
from tools.approval import ApprovalStatus
from tools.store.engine import StoreUnavailable
from tools.store.tables import workspaces

CHANGE = {"campaign_id": "c1", "daily_budget": 20}
Params = ElicitRequestURLParams | ElicitRequestFormParams
Person = Callable[[Params], Awaitable[ElicitResult]]

both_eras = pytest.mark.parametrize("mode", ["auto", "legacy"])


def accepts(then: Callable[[str], Awaitable[None]] | None = None) -> Person:
    """Someone who opens the page, and then does what `then` does with the approval it shows."""

    async def reply(params: Params) -> ElicitResult:
        assert isinstance(params, ElicitRequestURLParams)
        if then is not None:
            await then(params.url.rpartition("/")[2])
        return ElicitResult(action="accept")

    return reply


async def called(kit: Kit, url: str, mode: Any, person: Person, **more: Any) -> CallToolResult:
    asked: list[Params] = []

    async def answer(context: ClientRequestContext, params: Params) -> ElicitResult | ErrorData:
        assert context.session is not None
        asked.append(params)
        return await person(params)

    async with (
        kit.http(network=True) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode, elicitation_callback=answer) as client,
    ):
        result = await client.call_tool("set_budget", CHANGE, **more)
    assert len(asked) <= 1
    return result


def told(result: CallToolResult) -> dict[str, Any]:
    assert result.is_error
    body: dict[str, Any] = result.structured_content
    return body


@both_eras
async def test_what_a_person_agreed_to_on_the_page_is_the_result_of_the_call(kit: Kit, url: str, mode: str) -> None:
    result = await called(kit, url, mode, accepts(kit.approve))

    assert not result.is_error
    assert result.structured_content == {"campaign_id": "c1", "daily_budget": 20}
    assert budgets == {"c1": 20}


@both_eras
async def test_a_decision_made_while_the_call_waits_is_reported_with_progress(
    kit: Kit, url: str, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.mcp_endpoint.asking.PROGRESS_SECONDS", 0.05)
    waiting, deciding = asyncio.Event(), list[asyncio.Task[None]]()
    messages: list[str] = []

    async def later(approval_id: str) -> None:
        async def decide() -> None:
            await waiting.wait()
            await kit.approve(approval_id)

        deciding.append(asyncio.create_task(decide()))

    async def progress(_: float, __: float | None, message: str | None) -> None:
        messages.append(message or "")
        waiting.set()

    result = await called(kit, url, mode, accepts(later), progress_callback=progress)

    await deciding[0]
    assert not result.is_error
    assert messages[0].startswith("Waiting for a person to decide at http")


@both_eras
async def test_a_no_is_told_with_its_reason(kit: Kit, url: str, mode: str) -> None:
    async def refuse(approval_id: str) -> None:
        await kit.deny(approval_id, "too much")

    refusal = told(await called(kit, url, mode, accepts(refuse)))

    assert refusal["code"] == "already_decided"
    assert "too much" in refusal["message"]
    assert refusal["approval"]["status"] == "denied"
    assert budgets == {}


@both_eras
@pytest.mark.parametrize("action", ["decline", "cancel"])
async def test_declining_the_question_decides_nothing(kit: Kit, url: str, mode: str, action: Any) -> None:
    async def turn_away(_: Params) -> ElicitResult:
        return ElicitResult(action=action)

    pending = told(await called(kit, url, mode, turn_away))

    assert (pending["code"], pending["approval"]["status"]) == ("confirm_required", "pending")
    assert budgets == {}


@both_eras
@pytest.mark.parametrize("kit", [0.05], indirect=True)
async def test_opening_the_page_and_leaving_it_is_no_yes(kit: Kit, url: str, mode: str) -> None:
    pending = told(await called(kit, url, mode, accepts()))

    assert (pending["code"], pending["approval"]["status"]) == ("confirm_required", "pending")
    assert budgets == {}


@both_eras
async def test_what_changed_meanwhile_is_not_applied_and_the_fresh_proposal_is_named(
    kit: Kit, url: str, mode: str
) -> None:
    async def drift_then_agree(approval_id: str) -> None:
        budgets["c1"] = 15
        with pytest.raises(Exception, match="Things changed"):
            await kit.approve(approval_id)

    stale = told(await called(kit, url, mode, accepts(drift_then_agree)))

    assert stale["code"] == "stale_plan"
    assert stale["approval"]["status"] == "stale"
    assert stale["approval"]["supersededBy"].startswith("apr_")
    assert budgets == {"c1": 15}


async def test_a_client_that_only_fills_forms_gets_the_url_to_show(kit: Kit) -> None:
    rpc = kit.rpc(capabilities={"elicitation": {}})

    pending = (await rpc.call("set_budget", CHANGE))["structuredContent"]

    assert pending["code"] == "confirm_required"


# -- the sealed state --------------------------------------------------------------------------------------------------

URL: dict[str, Any] = {"elicitation": {"url": {}}}
YES = {"inputResponses": {"approval": {"action": "accept"}}}


async def test_the_second_round_of_a_call_proposes_nothing_new(kit: Kit) -> None:
    rpc = kit.rpc(capabilities=URL)
    first = await rpc.call("set_budget", CHANGE)
    approval_id = first["inputRequests"]["approval"]["params"]["url"].rpartition("/")[2]
    await kit.approve(approval_id)

    second = await rpc.call("set_budget", CHANGE, requestState=first["requestState"], **YES)
    replayed = await rpc.call("set_budget", CHANGE, requestState=first["requestState"], **YES)

    assert first["resultType"] == "input_required"
    assert second["structuredContent"] == replayed["structuredContent"] == {"campaign_id": "c1", "daily_budget": 20}
    assert [row.action for row in await kit.logged()].count("set_budget") == 2  # the proposal and its effect


@pytest.mark.parametrize("how", ["tampered", "another key", "other arguments", "made up"])
async def test_a_state_that_is_not_this_calls_own_is_refused(kit: Kit, how: str) -> None:
    first = await kit.rpc(capabilities=URL).call("set_budget", CHANGE)
    told = first["requestState"]
    tampered = told[:-8] + ("A" if told[-8] != "A" else "B") + told[-7:]
    state = {"tampered": tampered, "made up": "page apr_1"}.get(how, told)
    arguments = CHANGE | ({"daily_budget": 2000} if how == "other arguments" else {})
    rpc = kit.rpc("other" if how == "another key" else "all", capabilities=URL)

    answer = await rpc.post("tools/call", {"name": "set_budget", "arguments": arguments, "requestState": state} | YES)

    assert answer.json()["error"]["code"] == -32602


@pytest.mark.parametrize(
    ("raised", "code"), [(StoreUnavailable("disk full"), "unavailable"), (RuntimeError("a secret"), "internal")]
)
async def test_a_store_that_is_down_is_told_and_the_change_not_repeated(
    kit: Kit, monkeypatch: pytest.MonkeyPatch, raised: Exception, code: str
) -> None:
    rpc = kit.rpc(capabilities=URL)
    first = await rpc.call("set_budget", CHANGE)

    async def down(*_: Any) -> Any:
        raise raised

    monkeypatch.setattr(kit.store, "read", down)
    answer = (await rpc.call("set_budget", CHANGE, requestState=first["requestState"], **YES))["structuredContent"]

    assert answer["code"] == code
    assert "secret" not in str(answer)


async def test_a_yes_without_the_state_only_asks_again(kit: Kit) -> None:
    rpc = kit.rpc(capabilities=URL)
    first = await rpc.call("set_budget", CHANGE)

    again = await rpc.call("set_budget", CHANGE, **YES)

    assert again["resultType"] == "input_required"
    assert again["inputRequests"] == first["inputRequests"]


# -- where an owner lets the client's form decide ----------------------------------------------------------------------


@pytest.fixture
async def trusting(kit: Kit) -> None:
    await kit.store.write(lambda tx: tx.run(workspaces.update().values(settings={"approvals": "client"})))


def fills(content: dict[str, Any]) -> Person:
    async def reply(params: Params) -> ElicitResult:
        assert isinstance(params, ElicitRequestFormParams)
        assert "Set the daily budget" in params.message
        return ElicitResult(action="accept", content=content)

    return reply


@both_eras
@pytest.mark.usefixtures("trusting")
async def test_an_owner_may_let_the_clients_form_decide(kit: Kit, url: str, mode: str) -> None:
    result = await called(kit, url, mode, fills({"apply": True}))

    decided = await kit.approvals()
    assert not result.is_error
    assert budgets == {"c1": 20}
    assert [(row.status, row.decided_by) for row in decided] == [(ApprovalStatus.DONE, "client:mcp")]


@both_eras
@pytest.mark.usefixtures("trusting")
async def test_a_form_sent_back_without_its_yes_decides_nothing(kit: Kit, url: str, mode: str) -> None:
    pending = told(await called(kit, url, mode, fills({"apply": False})))

    assert (pending["code"], pending["approval"]["status"]) == ("confirm_required", "pending")
    assert budgets == {}


@pytest.mark.usefixtures("trusting")
async def test_a_form_answered_after_the_owner_changed_their_mind_decides_nothing(kit: Kit) -> None:
    rpc = kit.rpc(capabilities={"elicitation": {"form": {}}})
    first = await rpc.call("set_budget", CHANGE)
    await kit.store.write(lambda tx: tx.run(workspaces.update().values(settings={})))
    yes = {"inputResponses": {"approval": {"action": "accept", "content": {"apply": True}}}}

    refused = (await rpc.call("set_budget", CHANGE, requestState=first["requestState"], **yes))["structuredContent"]

    assert refused["code"] == "human_required"
    assert budgets == {}


@pytest.mark.parametrize("kit", [0], indirect=True)
async def test_a_reply_to_the_page_cannot_pass_for_the_form(kit: Kit) -> None:
    rpc = kit.rpc(capabilities=URL)
    first = await rpc.call("set_budget", CHANGE)
    await kit.store.write(lambda tx: tx.run(workspaces.update().values(settings={"approvals": "client"})))
    yes = {"inputResponses": {"approval": {"action": "accept", "content": {"apply": True}}}}

    pending = (await rpc.call("set_budget", CHANGE, requestState=first["requestState"], **yes))["structuredContent"]

    assert pending["code"] == "confirm_required"
    assert budgets == {}


async def test_an_expired_proposal_is_told_as_such(kit: Kit) -> None:
    rpc = kit.rpc(capabilities=URL)
    first = await rpc.call("set_budget", CHANGE)
    kit.later(minutes=16)

    expired = (await rpc.call("set_budget", CHANGE, requestState=first["requestState"], **YES))["structuredContent"]

    assert expired["code"] == "approval_expired"

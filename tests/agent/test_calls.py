"""Calls through the four tools of finding: what people see, what is logged and what waits are the target's."""

import json

from tests.agent.talk import Talk, calls, first, names, text
from tests.world import OWNER, VIEWER, principal
from tools.authority import Role

DOMAIN = "shop.example.com"


async def test_what_is_not_listed_is_found_described_and_read(talk: Talk) -> None:
    await talk.world.call(OWNER, "create_website", domain=DOMAIN)
    await talk.world.call(OWNER, "create_goal", name="Signup", selector="event:signup")
    await talk.says(
        calls(("find_capability", {"query": "goals"})),
        calls(("describe_capability", {"name": "list_goals"})),
        calls(("call_read", {"name": "list_goals", "arguments": {"limit": 5}})),
        text("One goal: Signup."),
    )

    events = await talk.ask("Which goals are there?")

    found, described, listed = [event.data for event in events if event.name == "tool_result"]
    assert {"name": "list_goals", "call_with": "call_read"}.items() <= found["result"]["items"][0].items()
    assert "limit" in described["result"]["input_schema"]["properties"]
    assert [row["name"] for row in listed["result"]["items"]] == ["Signup"]
    used = [event.data for event in events if event.name == "tool_use"]
    assert [(use["name"], use["title"]) for use in used] == [
        ("find_capability", "Find capability"), ("describe_capability", "Describe capability"),
        ("list_goals", "List goals"),
    ]  # fmt: skip
    assert used[-1]["arguments"] == {"limit": 5}
    actions = [row["action"] for row in await talk.world.audit_rows()]
    assert actions[-2:] == ["ads_chat", "list_goals"]


async def test_a_change_through_call_write_waits_for_a_person_as_its_own_call_does(talk: Talk) -> None:
    await talk.world.call(OWNER, "create_website", domain=DOMAIN)
    sent = {"name": "Signup", "selector": "event:signup"}
    await talk.says(calls(("call_write", {"name": "create_goal", "arguments": sent})))

    events = await talk.ask("Add a goal.")

    waiting = first(events, "confirm_required")["approval"]
    assert names(events)[-3:] == ["confirm_required", "usage", "done"]
    assert (waiting["capability"], waiting["arguments"]) == ("create_goal", sent)
    assert (await talk.world.call(OWNER, "list_goals"))["items"] == []
    conversation, last = first(events, "run_started")["conversationId"], events[-1].id
    await talk.says(text("Added."))
    await talk.approve(waiting)
    after = await talk.resumed(conversation, last)
    assert first(after, "tool_result")["status"] == "ok"
    assert [row["name"] for row in (await talk.world.call(OWNER, "list_goals"))["items"]] == ["Signup"]


async def test_what_cannot_be_called_so_is_told_to_the_model_and_does_nothing(talk: Talk) -> None:
    await talk.says(
        calls(
            ("call_read", {"name": "create_website", "arguments": {"domain": DOMAIN}}),
            ("call_write", {"name": "approve", "arguments": {"approval_id": "apr_1"}}),
            ("call_write", {"name": "create_share_link", "arguments": {"name": "Board"}}),
            ("call_read", {"name": "list_goals", "arguments": "all"}),
            ("call_write", {"name": "call_write", "arguments": {"name": "create_website"}}),
            ("call_read", {"name": "list_goals", "arguments": {"limit": 0}}),
        ),
        text("Sorry."),
    )

    events = await talk.ask("Try this.")

    codes = [event.data["result"]["code"] for event in events if event.name == "tool_result"]
    assert sorted(codes) == ["invalid_arguments"] * 3 + ["not_found"] * 3
    logged = [(row["action"], row["status"]) for row in await talk.world.audit_rows()]
    assert logged[-2:] == [("ads_chat", "ok"), ("list_goals", "invalid_arguments")]
    assert (await talk.world.call(OWNER, "list_websites"))["items"] == []


async def test_the_askers_scopes_count_for_the_target(talk: Talk) -> None:
    deletion = {"name": "delete_goal", "arguments": {"goal_id": "gol_1"}}
    await talk.says(calls(("find_capability", {"query": "goal"}), ("call_write", deletion)), text("You may not."))

    events = await talk.ask("Delete it.", by=VIEWER)

    told = {event.data["status"]: event.data["result"] for event in events if event.name == "tool_result"}
    assert [item["name"] for item in told["ok"]["items"]] == ["list_goals"]
    assert told["error"]["code"] == "insufficient_scope"


async def test_the_same_read_through_both_ways_is_one_call_of_a_turn(talk: Talk) -> None:
    await talk.says(
        calls(("list_websites", {"limit": 5})),
        calls(("call_read", {"name": "list_websites", "arguments": {"limit": 5}})),
        text("None."),
    )

    events = await talk.ask("Which websites?", by=principal(Role.OWNER))

    first_one, again = [event.data for event in events if event.name == "tool_result"]
    assert (first_one["status"], again["result"]["code"]) == ("ok", "conflict")
    assert [row["action"] for row in await talk.world.audit_rows()].count("list_websites") == 1


async def test_every_tool_the_model_is_sent_is_one_that_can_be_called(talk: Talk) -> None:
    await talk.says(text("Hello."))

    await talk.ask("Hello?")

    (request,) = [json.loads(body) for body in await talk.requests()]
    assert {"find_capability", "describe_capability", "call_read", "call_write"} <= {
        tool["name"] for tool in request["tools"]
    }
    assert len(request["tools"]) <= 25

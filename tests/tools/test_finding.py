"""The four tools in front of a long registry: what they find, and whose call a call of theirs is."""

from typing import Any

import pytest

from tools.authority import Role, Scope
from tools.capability import Effect, Toolset
from tools.catalog import catalog
from tools.errors import InvalidArguments, NotFound
from tools.finding import CALL_READ, CALL_WRITE, DESCRIBE, FIND, answer, finding_tools, target
from tools.schema import input_schema, output_schema
from tools.surfaces import Offer, mcp_tools, offered

FULL = offered(mcp_tools(catalog))
TOOLS = {tool.name: tool for tool in finding_tools(FULL)}


def found(query: str | None, scopes: frozenset[Scope] = Role.OWNER.scopes) -> list[str]:
    sent = {} if query is None else {"query": query}
    return [hit["name"] for hit in answer(TOOLS[FIND], FULL, scopes, sent).wire()["items"]]


def test_there_are_none_where_everything_is_listed() -> None:
    assert finding_tools(offered(mcp_tools(catalog, toolsets=[Toolset.ADS]))) == ()
    assert [tool.name for tool in finding_tools(FULL)] == [FIND, DESCRIBE, CALL_READ, CALL_WRITE]


def test_none_is_there_that_would_have_nothing_to_call() -> None:
    reads = tuple(c for c in FULL.looked_up if c.effect is Effect.READ)

    assert [tool.name for tool in finding_tools(Offer((), reads))] == [FIND, DESCRIBE, CALL_READ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("funnel", {"list_funnels", "create_funnel", "update_funnel", "delete_funnel"}),
        ("list the goals please", {"list_goals", "create_goal", "update_goal", "delete_goal"}),
        ("delete share link", {"list_share_links", "delete_share_link"}),
        ("which reports are sent", {"list_reports"}),
    ],
)
def test_words_find_what_they_name(query: str, expected: set[str]) -> None:
    assert set(found(query)) == expected


@pytest.mark.parametrize("query", [None, "", "zzzz", "?!", "の", "' OR 1=1 --"])
def test_where_nothing_matches_everything_is_named(query: str | None) -> None:
    assert set(found(query)) >= {capability.name for capability in FULL.looked_up}


def test_what_the_scopes_refuse_is_not_found() -> None:
    assert set(found("goal", Role.VIEWER.scopes)) == {"list_goals"}


def test_a_hit_says_in_a_sentence_what_it_is_and_which_tool_calls_it() -> None:
    hits = {hit["name"]: hit for hit in answer(TOOLS[FIND], FULL, Role.OWNER.scopes, {}).wire()["items"]}

    assert {hits[name]["call_with"] for name in ("list_goals", "list_reports")} == {CALL_READ}
    assert {hits[name]["call_with"] for name in ("create_goal", "delete_website")} == {CALL_WRITE}
    assert all(hit["summary"].endswith(".") and len(hit["summary"]) < 300 for hit in hits.values())


def test_a_description_is_all_that_a_listed_tool_shows() -> None:
    goal = catalog["create_goal"]

    told = answer(TOOLS[DESCRIBE], FULL, Role.OWNER.scopes, {"name": "create_goal"}).wire()

    assert told == {
        "name": "create_goal",
        "description": goal.description,
        "effect": "change",
        "call_with": CALL_WRITE,
        "input_schema": input_schema(goal.input),
        "output_schema": output_schema(goal.output),
    }


def test_a_call_becomes_the_targets_with_its_arguments_untouched() -> None:
    arguments = {"name": "n", "nested": [1, {"a": None}]}

    assert target(TOOLS[CALL_WRITE], FULL, {"name": "create_goal", "arguments": arguments}) == (
        catalog["create_goal"], arguments,
    )  # fmt: skip
    assert target(TOOLS[CALL_READ], FULL, {"name": "list_goals"}) == (catalog["list_goals"], {})


@pytest.mark.parametrize(
    ("tool", "name", "fix"),
    [
        (CALL_READ, "create_goal", CALL_WRITE),
        (CALL_READ, "delete_website", CALL_WRITE),
        (CALL_WRITE, "list_goals", CALL_READ),
    ],
)
def test_reading_tools_change_nothing_and_the_other_way_round(tool: str, name: str, fix: str) -> None:
    with pytest.raises(InvalidArguments) as refused:
        target(TOOLS[tool], FULL, {"name": name})

    assert fix in refused.value.fix


@pytest.mark.parametrize(
    "name",
    ["approve", "create_api_key", "create_share_link", "record_event", "find_capability", "call_write", "nothing", ""],
)
@pytest.mark.parametrize("tool", [DESCRIBE, CALL_READ, CALL_WRITE])
def test_what_is_a_persons_or_nobodys_is_not_there(tool: str, name: str) -> None:
    with pytest.raises(NotFound):
        if tool == DESCRIBE:
            answer(TOOLS[tool], FULL, Role.OWNER.scopes, {"name": name})
        else:
            target(TOOLS[tool], FULL, {"name": name})


@pytest.mark.parametrize(
    "sent",
    [
        None, "list_goals", [], {}, {"name": None}, {"name": 7}, {"name": "list_goals", "arguments": None},
        {"name": "list_goals", "arguments": "{}"}, {"name": "list_goals", "arguments": []},
        {"name": "list_goals", "websiteId": "admx_1"}, {"name": "x" * 65},
    ],
)  # fmt: skip
def test_a_call_that_is_none_says_what_a_call_is(sent: Any) -> None:
    with pytest.raises(InvalidArguments) as refused:
        target(TOOLS[CALL_READ], FULL, sent)

    assert refused.value.details["problems"]
    assert "name and arguments" in refused.value.fix

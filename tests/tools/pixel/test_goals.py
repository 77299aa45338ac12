"""Goals: kept per website, spelled as the document spells them, changed by a person's yes."""

from typing import Any

import pytest

from tests.promises import promise
from tests.tools.pixel.furnished import site, stored
from tests.world import AGENT, DIRECT_KEY, OWNER, STRANGER, VIEWER, World, renamed
from tools.authority import Scope
from tools.store.tables import goals

SIGNUP = {"name": "Signup", "selector": "event:signup"}


async def goal(world: World, **more: Any) -> dict[str, Any]:
    return await world.call(OWNER, "create_goal", **(SIGNUP | more))


async def test_a_strangers_goal_and_website_are_not_there(world: World) -> None:
    website = await site(world)
    made = await goal(world)

    for name in ("update_goal", "delete_goal"):
        sent = {"name": "n"} if name == "update_goal" else {}
        assert (await world.refusal(STRANGER, name, goal_id=made["id"], **sent)).code == "not_found"
    assert (await world.refusal(STRANGER, "create_goal", websiteId=website, **SIGNUP)).code == "not_found"
    assert (await world.refusal(STRANGER, "list_goals", websiteId=website)).code == "not_found"
    assert (await world.call(STRANGER, "list_goals"))["items"] == []


async def test_reading_and_writing_take_their_scopes(world: World) -> None:
    await site(world)
    made = await goal(world)
    blind = renamed(OWNER, scopes=frozenset({Scope.ADS_READ, Scope.PIXEL_WRITE}))

    assert (await world.refusal(blind, "list_goals")).details["required"] == "pixel:read"
    for name, sent in {
        "create_goal": SIGNUP,
        "update_goal": {"goal_id": made["id"], "name": "n"},
        "delete_goal": {"goal_id": made["id"]},
    }.items():
        assert (await world.refusal(VIEWER, name, **sent)).details["required"] == "pixel:write"
    assert len((await world.call(VIEWER, "list_goals"))["items"]) == 1


@promise("pixel.goals.list")
async def test_a_list_has_name_selector_and_created_at(world: World) -> None:
    website, other = await site(world), await site(world, "other.example.com")
    made = await goal(world, websiteId=website)
    world.clock.pass_by(seconds=1)
    thanks = await goal(world, websiteId=other, name="Bought", selector="path:/thanks*")

    assert (await world.call(OWNER, "list_goals"))["items"] == [thanks, made]
    assert (await world.call(OWNER, "list_goals", websiteId=website))["items"] == [made]
    assert made == {
        "id": made["id"],
        "websiteId": website,
        "name": "Signup",
        "selector": "event:signup",
        "created_at": "2026-11-20T12:00:00Z",
    }


async def test_pages_of_one_website_hold_each_goal_once(world: World) -> None:
    website, other = await site(world), await site(world, "other.example.com")
    for number in range(5):
        await goal(world, websiteId=website, name=f"g{number}")
        await goal(world, websiteId=other, name=f"o{number}")

    names: list[str] = []
    cursor: dict[str, str] = {}
    for _ in range(3):
        page = await world.call(OWNER, "list_goals", websiteId=website, limit=2, **cursor)
        names += [row["name"] for row in page["items"]]
        cursor = {"cursor": page["next_cursor"]} if "next_cursor" in page else {}

    assert sorted(names) == [f"g{number}" for number in range(5)]
    assert cursor == {}
    first = await world.call(OWNER, "list_goals", websiteId=website, limit=2)
    error = await world.refusal(OWNER, "list_goals", websiteId=other, limit=2, cursor=first["next_cursor"])
    assert error.code == "invalid_arguments"


async def test_a_person_agrees_to_each_change(world: World) -> None:
    website = await site(world)

    creation = await world.propose(AGENT, "create_goal", **SIGNUP)
    assert creation["plan"]["summary"] == "Add the goal Signup to shop.example.com"
    assert await stored(world, goals) == []
    made = (await world.call(OWNER, "approve", approval_id=creation["id"]))["result"]
    change = await world.propose(AGENT, "update_goal", goal_id=made["id"], selector="path:/welcome")
    assert change["plan"]["changes"] == [
        {"target": made["id"], "field": "selector", "before": "event:signup", "after": "path:/welcome"}
    ]
    await world.call(OWNER, "approve", approval_id=change["id"])
    deletion = await world.propose(AGENT, "delete_goal", goal_id=made["id"])

    assert (made["websiteId"], deletion["plan"]["reversible"]) == (website, False)
    (listed,) = (await world.call(OWNER, "list_goals"))["items"]
    assert listed == made | {"selector": "path:/welcome"}
    await world.call(OWNER, "approve", approval_id=deletion["id"])
    assert (await world.call(OWNER, "list_goals"))["items"] == []


async def test_what_is_deleted_is_not_found_a_second_time(world: World) -> None:
    await site(world)
    made = await goal(world)
    await world.call(DIRECT_KEY, "delete_goal", goal_id=made["id"])

    assert (await world.refusal(OWNER, "delete_goal", goal_id=made["id"])).code == "not_found"
    assert (await world.refusal(OWNER, "update_goal", goal_id=made["id"], name="n")).code == "not_found"
    (row,) = await stored(world, goals)
    assert row["deleted_at"] == world.clock.milliseconds()


async def test_the_website_is_implied_only_where_there_is_one(world: World) -> None:
    nowhere = await world.refusal(OWNER, "create_goal", **SIGNUP)
    first = await site(world)
    implied = await goal(world)
    second = await site(world, "other.example.com")
    several = await world.refusal(OWNER, "create_goal", **SIGNUP)

    assert (nowhere.code, nowhere.fix) == ("invalid_arguments", "Create one with create_website.")
    assert implied["websiteId"] == first
    assert {choice["websiteId"] for choice in several.details["choices"]} == {first, second}
    assert several.details["problems"][0]["field"] == "websiteId"


async def test_nothing_to_change_is_said(world: World) -> None:
    await site(world)
    made = await goal(world)

    assert (await world.refusal(OWNER, "update_goal", goal_id=made["id"])).code == "invalid_arguments"
    assert (await world.refusal(OWNER, "update_goal", goal_id=made["id"], name="Signup")).code == "conflict"


@pytest.mark.parametrize(
    "sent",
    [
        {"name": ""}, {"name": "n" * 101}, {"name": "a\nb"}, {"name": 7}, {"selector": ""}, {"selector": "s" * 501},
        {"selector": "a\0b"}, {"selector": None}, {"selector": "\u202egnp.exe"}, {"value": 5},
    ],
)  # fmt: skip
async def test_what_no_goal_can_be_is_refused(world: World, sent: dict[str, Any]) -> None:
    await site(world)

    assert (await world.refusal(OWNER, "create_goal", **(SIGNUP | sent))).code == "invalid_arguments"
    assert await stored(world, goals) == []


async def test_hostile_text_is_kept_as_it_is(world: World) -> None:
    await site(world)
    hostile = "'); DROP TABLE goals; -- <script>alert(1)</script> 🎯 {{x}} %s \\"

    made = await goal(world, name=hostile, selector=hostile)

    assert (made["name"], made["selector"]) == (hostile, hostile)
    assert (await world.call(OWNER, "list_goals"))["items"] == [made]

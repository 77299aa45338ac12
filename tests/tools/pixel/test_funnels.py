"""Funnels: steps as p_funnel_v2 takes them, kept per website."""

from typing import Any

import pytest

from tests.tools.pixel.furnished import site, stored
from tests.world import AGENT, OWNER, STRANGER, VIEWER, World, renamed
from tools.authority import Scope
from tools.store.tables import funnels

STEPS: list[dict[str, Any]] = [
    {"type": "path", "op": "starts_with", "value": "/shop"},
    {"type": "goal", "value": "add_to_cart"},
    {"type": "payment"},
]
BUY = {"name": "Buy", "steps": STEPS}


async def funnel(world: World, **more: Any) -> dict[str, Any]:
    return await world.call(OWNER, "create_funnel", **(BUY | more))


async def test_a_strangers_funnel_is_not_there(world: World) -> None:
    website = await site(world)
    made = await funnel(world)

    assert (await world.refusal(STRANGER, "update_funnel", funnel_id=made["id"], name="n")).code == "not_found"
    assert (await world.refusal(STRANGER, "delete_funnel", funnel_id=made["id"])).code == "not_found"
    assert (await world.refusal(STRANGER, "create_funnel", websiteId=website, **BUY)).code == "not_found"
    assert (await world.call(STRANGER, "list_funnels"))["items"] == []


async def test_reading_and_writing_take_their_scopes(world: World) -> None:
    await site(world)
    made = await funnel(world)
    blind = renamed(OWNER, scopes=frozenset({Scope.PIXEL_WRITE}))

    assert (await world.refusal(blind, "list_funnels")).details["required"] == "pixel:read"
    for name, sent in {
        "create_funnel": BUY,
        "update_funnel": {"funnel_id": made["id"], "name": "n"},
        "delete_funnel": {"funnel_id": made["id"]},
    }.items():
        assert (await world.refusal(VIEWER, name, **sent)).details["required"] == "pixel:write"


async def test_its_steps_are_kept_in_their_order_as_the_pipe_takes_them(world: World) -> None:
    website = await site(world)
    made = await funnel(world)

    assert made == {
        "id": made["id"],
        "websiteId": website,
        "name": "Buy",
        "steps": [
            {"type": "path", "op": "starts_with", "value": "/shop"},
            {"type": "goal", "op": "is", "value": "add_to_cart"},
            {"type": "payment", "op": "is"},
        ],
        "window_s": 604_800,
        "created_at": "2026-11-20T12:00:00Z",
    }
    assert (await world.call(OWNER, "list_funnels", websiteId=website))["items"] == [made]
    (row,) = await stored(world, funnels)
    assert row["steps"] == made["steps"]


async def test_a_person_agrees_to_each_change(world: World) -> None:
    await site(world)

    creation = await world.propose(AGENT, "create_funnel", **BUY)
    assert creation["plan"]["summary"] == "Add the funnel Buy of 3 steps to shop.example.com"
    made = (await world.call(OWNER, "approve", approval_id=creation["id"]))["result"]
    shorter = [{"type": "path", "op": "is", "value": "/"}, {"type": "payment", "op": "is"}]
    change = await world.propose(AGENT, "update_funnel", funnel_id=made["id"], steps=shorter, window_s=3600)
    assert {each["field"]: (each["before"], each["after"]) for each in change["plan"]["changes"]} == {
        "steps": (made["steps"], shorter),
        "window_s": (604_800, 3600),
    }
    changed = (await world.call(OWNER, "approve", approval_id=change["id"]))["result"]

    assert changed == made | {"steps": shorter, "window_s": 3600}
    assert (await world.call(OWNER, "list_funnels"))["items"] == [changed]
    deletion = await world.propose(AGENT, "delete_funnel", funnel_id=made["id"])
    assert (await world.call(OWNER, "approve", approval_id=deletion["id"]))["status"] == "done"
    assert (await world.call(OWNER, "list_funnels"))["items"] == []
    assert (await world.refusal(OWNER, "delete_funnel", funnel_id=made["id"])).code == "not_found"


async def test_nothing_to_change_is_said(world: World) -> None:
    await site(world)
    made = await funnel(world)

    assert (await world.refusal(OWNER, "update_funnel", funnel_id=made["id"])).code == "invalid_arguments"
    assert (await world.refusal(OWNER, "update_funnel", funnel_id=made["id"], steps=STEPS)).code == "conflict"


@pytest.mark.parametrize(
    "sent",
    [
        {"steps": []},
        {"steps": STEPS[:1]},
        {"steps": STEPS * 4},
        {"steps": "path"},
        {"steps": [STEPS[0], "payment"]},
        {"steps": [STEPS[0], {"type": "path"}]},
        {"steps": [STEPS[0], {"type": "path", "value": None}]},
        {"steps": [STEPS[0], {"type": "path", "value": ""}]},
        {"steps": [STEPS[0], {"type": "path", "value": "/a\0"}]},
        {"steps": [STEPS[0], {"type": "path", "value": "x" * 501}]},
        {"steps": [STEPS[0], {"type": "path", "op": "matches", "value": "/"}]},
        {"steps": [STEPS[0], {"type": "payment", "value": "5"}]},
        {"steps": [STEPS[0], {"type": "payment", "op": "contains"}]},
        {"steps": [STEPS[0], {"type": "sql", "value": "1"}]},
        {"steps": [STEPS[0], STEPS[1] | {"sql": "1"}]},
        {"window_s": 59},
        {"window_s": 7_776_001},
        {"window_s": "604800"},
        {"window_s": 60.5},
    ],
)
async def test_what_no_funnel_can_be_is_refused(world: World, sent: dict[str, Any]) -> None:
    await site(world)
    made = await funnel(world)

    assert (await world.refusal(OWNER, "create_funnel", **(BUY | sent))).code == "invalid_arguments"
    assert (await world.refusal(OWNER, "update_funnel", funnel_id=made["id"], **sent)).code == "invalid_arguments"
    assert len(await stored(world, funnels)) == 1

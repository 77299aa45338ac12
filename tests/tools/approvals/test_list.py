"""All approvals, newest first, page after page."""

from typing import Any

import pytest

from tests.tools.approvals.conftest import Propose
from tests.world import AGENT, OWNER, STRANGER, VIEWER, World, principal
from tools.authority import Via


async def ids(world: World, **query: Any) -> list[str]:
    return [row["id"] for row in (await world.call(VIEWER, "list_approvals", **query))["items"]]


async def test_a_stranger_sees_none_of_ours(world: World, propose: Propose) -> None:
    await propose()

    assert await world.call(STRANGER, "list_approvals") == {"items": []}


async def test_listing_takes_its_scope(world: World) -> None:
    error = await world.refusal(principal(via=Via.KEY, scopes=frozenset()), "list_approvals")

    assert error.details["required"] == "ads:read"


async def test_the_newest_comes_first_from_whichever_face(world: World, propose: Propose) -> None:
    asked = [
        (await propose(principal(via=via, id=f"by_{via}"), daily_budget=41 + n))["id"]
        for n, via in enumerate((Via.MCP, Via.KEY, Via.CLI, Via.AGENT))
    ]

    assert await ids(world) == asked[::-1]


async def test_a_state_filters_and_what_is_over_counts_as_expired(world: World, propose: Propose) -> None:
    old = (await propose(daily_budget=41))["id"]
    denied = (await propose(daily_budget=42))["id"]
    await world.call(OWNER, "deny", approval_id=denied)
    world.clock.pass_by(minutes=15)
    waiting = (await propose(daily_budget=43))["id"]

    assert await ids(world, status="pending") == [waiting]
    assert await ids(world, status="expired") == [old]
    assert await ids(world, status="denied") == [denied]
    assert await ids(world, status="done") == []
    again = (await propose(daily_budget=41))["id"]  # which marks the row of the first as expired
    assert await ids(world, status="expired") == [old]
    assert set(await ids(world, status="pending")) == {again, waiting}


async def test_a_face_filters_alone_and_beside_a_state(world: World, propose: Propose) -> None:
    key, agent = [
        (await propose(principal(via=via, id=f"by_{via}"), daily_budget=41 + n))["id"]
        for n, via in enumerate((Via.KEY, Via.AGENT))
    ]
    await world.call(OWNER, "deny", approval_id=key)

    assert await ids(world, via="key") == [key]
    assert await ids(world, via="agent", status="pending") == [agent]
    assert await ids(world, via="key", status="pending") == []


@pytest.mark.parametrize("limit", [1, 2, 3])
async def test_pages_leave_none_out_and_show_none_twice(world: World, propose: Propose, limit: int) -> None:
    for n in range(5):
        await propose(daily_budget=41 + n)
        world.clock.pass_by(seconds=-(n % 2))  # some of the same instant

    seen: list[str] = []
    page = await world.call(VIEWER, "list_approvals", limit=limit)
    while "next_cursor" in page:
        seen += [row["id"] for row in page["items"]]
        page = await world.call(VIEWER, "list_approvals", limit=limit, cursor=page["next_cursor"])
    seen += [row["id"] for row in page["items"]]

    assert len(seen) == 5
    assert seen == await ids(world)


async def test_a_cursor_belongs_to_its_state(world: World, propose: Propose) -> None:
    await propose(daily_budget=41)
    await propose(daily_budget=42)
    cursor = (await world.call(AGENT, "list_approvals", limit=1))["next_cursor"]

    error = await world.refusal(AGENT, "list_approvals", limit=1, status="pending", cursor=cursor)

    assert error.code == "invalid_arguments"


@pytest.mark.parametrize("sent", [{"status": "waiting"}, {"limit": 501}, {"cursor": "nonsense"}])
async def test_what_no_query_can_be_is_refused(world: World, sent: dict[str, Any]) -> None:
    assert (await world.refusal(VIEWER, "list_approvals", **sent)).code == "invalid_arguments"

"""One's own conversations, found again by what was said in them."""

import pytest

from tests.conversations import told
from tests.world import AGENT, NOON, OWNER, STRANGER, World, principal
from tools.authority import Role

NOW = int(NOON.timestamp() * 1000)


async def titles(world: World, **query: object) -> list[str]:
    return [row["title"] for row in (await world.call(OWNER, "list_conversations", **query))["items"]]


@pytest.mark.parametrize("other", [STRANGER, principal(Role.ADMIN)], ids=["a stranger", "a colleague"])
async def test_nobody_else_sees_a_conversation(world: World, other: object) -> None:
    await told(world.store, "wsp_north", OWNER.user)

    assert await world.call(other, "list_conversations") == {"items": []}  # type: ignore[arg-type]  # a Principal


async def test_any_valid_credential_lists_its_persons_own(world: World) -> None:
    await told(world.store, "wsp_north", OWNER.user)
    bare = principal(scopes=frozenset())

    for who in (OWNER, AGENT, bare):
        assert len((await world.call(who, "list_conversations"))["items"]) == 1


async def test_a_conversation_says_where_it_stands_and_the_latest_comes_first(world: World) -> None:
    old = await told(world.store, "wsp_north", OWNER.user, said="Old", at=NOW - 60_000)
    new = await told(
        world.store, "wsp_north", OWNER.user, said="New", at=NOW, turns=2, surface="analytics", status="running",
        branched_from=old, branched_turn=2,
    )  # fmt: skip

    rows = (await world.call(OWNER, "list_conversations"))["items"]

    assert rows == [
        {
            "id": new, "title": "New", "surface": "analytics", "status": "running", "turns": 2,
            "createdAt": "2026-11-20T12:00:00Z", "updatedAt": "2026-11-20T12:00:00Z",
            "branchedFrom": old, "branchedTurn": 2,
        },
        {
            "id": old, "title": "Old", "surface": "ads", "status": "idle", "turns": 1,
            "createdAt": "2026-11-20T11:59:00Z", "updatedAt": "2026-11-20T11:59:00Z",
        },
    ]  # fmt: skip
    assert await titles(world, surface="ads") == ["Old"]


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("überblick", ["Weekly"]),
        ("ÜBERBLICK", ["Weekly"]),
        ("weekly", ["Weekly"]),
        ("100%", ["Discounts"]),
        ("1%0", []),
        ("a_b", ["Discounts"]),
        ("a\\b", []),
        ("</context>", []),
        ("tool_result", []),
        ('"quoted"', ["Discounts"]),
    ],
)
async def test_a_search_takes_words_as_they_are_whatever_their_case(world: World, q: str, found: list[str]) -> None:
    await told(world.store, "wsp_north", OWNER.user, said="Ein Überblick, bitte", title="Weekly")
    await told(world.store, "wsp_north", OWNER.user, said='Is a_b with 100% off "quoted"?', title="Discounts")

    assert await titles(world, q=q) == found


async def test_pages_hold_each_conversation_once(world: World) -> None:
    made = [await told(world.store, "wsp_north", OWNER.user, at=NOW) for _ in range(5)]
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = await world.call(OWNER, "list_conversations", limit=2, **cursor)
        seen += [row["id"] for row in page["items"]]
        if "next_cursor" not in page:
            break
        cursor = {"cursor": page["next_cursor"]}

    assert sorted(seen) == sorted(made)
    refused = await world.refusal(OWNER, "list_conversations", limit=2, q="else", **cursor)
    assert refused.code == "invalid_arguments"

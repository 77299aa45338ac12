"""Share links: a person hands one out, its token is shown once, and what is stored opens nothing."""

import asyncio
from typing import Any

import pytest

from tests.promises import promise
from tests.tools.pixel.furnished import site, stored
from tests.world import AGENT, DIRECT_KEY, KEY, OWNER, STRANGER, VIEWER, World, principal, renamed
from tools.authority import Principal, Role, Scope
from tools.pixel.format import PREFIX, ShareToken, password_opens
from tools.store.tables import share_links

BOARD = {"name": "For the board"}
PASSWORD = "correct horse battery staple"


async def link(world: World, **more: Any) -> dict[str, Any]:
    return await world.call(OWNER, "create_share_link", **(BOARD | more))


async def test_a_strangers_link_is_not_there(world: World) -> None:
    website = await site(world)
    made = await link(world)

    assert (await world.refusal(STRANGER, "update_share_link", share_link_id=made["id"], name="n")).code == "not_found"
    assert (await world.refusal(STRANGER, "delete_share_link", share_link_id=made["id"])).code == "not_found"
    assert (await world.refusal(STRANGER, "create_share_link", websiteId=website, **BOARD)).code == "not_found"
    assert (await world.call(STRANGER, "list_share_links"))["items"] == []


async def test_reading_and_writing_take_their_scopes(world: World) -> None:
    await site(world)
    made = await link(world)
    blind = renamed(OWNER, scopes=frozenset({Scope.PIXEL_WRITE}))

    assert (await world.refusal(blind, "list_share_links")).details["required"] == "pixel:read"
    for name, sent in {
        "create_share_link": BOARD,
        "update_share_link": {"share_link_id": made["id"], "name": "n"},
        "delete_share_link": {"share_link_id": made["id"]},
    }.items():
        assert (await world.refusal(VIEWER, name, **sent)).details["required"] == "pixel:write"
    assert (await world.call(principal(Role.MEMBER), "create_share_link", **BOARD))["token"]


@pytest.mark.parametrize("who", [AGENT, KEY, DIRECT_KEY], ids=["mcp", "key", "direct key"])
async def test_only_a_person_hands_one_out_or_changes_one(world: World, who: Principal) -> None:
    await site(world)
    made = await link(world)

    assert (await world.refusal(who, "create_share_link", **BOARD)).code == "human_required"
    change = await world.refusal(who, "update_share_link", share_link_id=made["id"], remove_expiry=True)
    assert change.code == "human_required"
    assert len((await world.call(who, "list_share_links"))["items"]) == 1


@promise("pixel.share-links.list")
async def test_a_list_has_the_prefix_the_expiry_and_whether_a_password_is_asked(world: World) -> None:
    website = await site(world)
    plain = await link(world)
    world.clock.pass_by(seconds=1)
    guarded = await link(world, name="For Ada", password=PASSWORD, expires_days=30)

    listed = (await world.call(VIEWER, "list_share_links"))["items"]

    assert listed == [
        {
            "id": guarded["id"],
            "websiteId": website,
            "name": "For Ada",
            "token_prefix": guarded["token"][:18],
            "password_protected": True,
            "created_at": "2026-11-20T12:00:01Z",
            "expires_at": "2026-12-20T12:00:01Z",
        },
        {name: value for name, value in plain.items() if name != "token"},
    ]
    assert "expires_at" not in plain


@promise("pixel.share-links.no-token")
async def test_the_token_and_the_password_are_in_no_list_no_row_no_log_and_no_file(world: World) -> None:
    await site(world)
    made = await link(world, password=PASSWORD)
    token = ShareToken(made["token"])

    assert made["token"].startswith(PREFIX)
    (row,) = await stored(world, share_links)
    assert (row["token_hash"], row["token_prefix"]) == (token.hash, token.prefix)
    assert await asyncio.to_thread(password_opens, PASSWORD, row["password_hash"])
    assert not await asyncio.to_thread(password_opens, PASSWORD + "r", row["password_hash"])
    seen = str([row, await world.audit_rows(), await world.call(OWNER, "list_share_links")])
    assert made["token"] not in seen
    assert PASSWORD not in seen
    for file in world.path.iterdir():
        assert made["token"].encode() not in file.read_bytes()
        assert PASSWORD.encode() not in file.read_bytes()


async def test_a_repeated_call_is_answered_without_the_token(world: World) -> None:
    await site(world)
    create = world.capability("create_share_link")

    first, again = [
        (await world.door.invoke(create, world.context(OWNER), BOARD, idempotency_key="once")).wire() for _ in range(2)
    ]

    assert first["token"]
    assert again["id"] == first["id"]
    assert "token" not in again
    assert "shown once" in again["withheld"]
    assert len(await stored(world, share_links)) == 1


async def test_a_person_changes_it_and_the_token_stays(world: World) -> None:
    await site(world)
    made = await link(world, expires_days=1)
    shown = {name: value for name, value in made.items() if name != "token"}

    guarded = await world.call(
        OWNER, "update_share_link", share_link_id=made["id"], name="Board", password=PASSWORD, expires_days=2
    )
    (row,) = await stored(world, share_links)
    assert guarded == shown | {"name": "Board", "password_protected": True, "expires_at": "2026-11-22T12:00:00Z"}
    assert row["token_hash"] == ShareToken(made["token"]).hash
    opened = await world.call(
        OWNER, "update_share_link", share_link_id=made["id"], remove_password=True, remove_expiry=True
    )

    assert opened == {n: v for n, v in guarded.items() if n != "expires_at"} | {"password_protected": False}
    assert (await world.call(OWNER, "list_share_links"))["items"] == [opened]


async def test_an_agent_may_propose_to_close_one(world: World) -> None:
    await site(world)
    made = await link(world)

    approval = await world.propose(AGENT, "delete_share_link", share_link_id=made["id"])
    assert len((await world.call(OWNER, "list_share_links"))["items"]) == 1
    answered = await world.call(OWNER, "approve", approval_id=approval["id"])

    assert answered["result"] == {"id": made["id"], "status": "deleted"}
    assert (await world.call(OWNER, "list_share_links"))["items"] == []
    assert (await world.refusal(OWNER, "update_share_link", share_link_id=made["id"], name="n")).code == "not_found"


async def test_no_two_tokens_are_alike(world: World) -> None:
    await site(world)
    made = [await link(world) for _ in range(3)]

    assert len({each["token"] for each in made}) == len({each["token_prefix"] for each in made}) == 3


@pytest.mark.parametrize(
    "sent",
    [
        {"name": ""}, {"name": "n" * 101}, {"password": "short"}, {"password": "p" * 201}, {"password": ""},
        {"password": 12345678}, {"expires_days": 0}, {"expires_days": 3651}, {"expires_days": "30"},
        {"token": "adw_share_mine"},
    ],
)  # fmt: skip
async def test_what_no_link_can_be_is_refused(world: World, sent: dict[str, Any]) -> None:
    await site(world)
    made = await link(world)

    created = await world.refusal(OWNER, "create_share_link", **(BOARD | sent))
    changed = await world.refusal(OWNER, "update_share_link", share_link_id=made["id"], **sent)

    assert created.code == changed.code == "invalid_arguments"
    assert len(await stored(world, share_links)) == 1


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"password": PASSWORD, "remove_password": True},
        {"expires_days": 5, "remove_expiry": True},
        {"remove_expiry": False},
    ],
)
async def test_what_says_nothing_or_two_things_at_once_is_refused(world: World, sent: dict[str, Any]) -> None:
    await site(world)
    made = await link(world)

    error = await world.refusal(OWNER, "update_share_link", share_link_id=made["id"], **sent)

    assert error.code == "invalid_arguments"
    assert PASSWORD not in str(error.body("req_1"))

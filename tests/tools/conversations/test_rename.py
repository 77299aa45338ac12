"""A person's own title for a conversation."""

import pytest

from tests.conversations import told
from tests.world import AGENT, KEY, OWNER, STRANGER, World, principal
from tools.authority import Principal, Role
from tools.store.tables import chat_sessions
from tools.store.tenant import Rows


async def test_only_a_person_renames(world: World) -> None:
    conversation = await told(world.store, "wsp_north", OWNER.user)

    for who in (AGENT, KEY):
        refused = await world.refusal(who, "rename_conversation", conversationId=conversation, title="Mine")
        assert refused.code == "human_required"


@pytest.mark.parametrize("other", [STRANGER, principal(Role.ADMIN)], ids=["a stranger", "a colleague"])
async def test_nobody_elses_conversation_is_there(world: World, other: Principal) -> None:
    conversation = await told(world.store, "wsp_north", OWNER.user, title="Mine")

    refused = await world.refusal(other, "rename_conversation", conversationId=conversation, title="Theirs")

    assert refused.code == "not_found"
    assert (await world.call(OWNER, "get_conversation", conversationId=conversation))["title"] == "Mine"


async def test_renaming_takes_its_scope(world: World) -> None:
    conversation = await told(world.store, "wsp_north", OWNER.user)
    bare = principal(scopes=frozenset())

    refused = await world.refusal(bare, "rename_conversation", conversationId=conversation, title="Mine")

    assert refused.details["required"] == "ads:read"


async def test_the_title_is_the_persons_from_now_on_and_nothing_else_changes(world: World) -> None:
    conversation = await told(world.store, "wsp_north", OWNER.user)
    before = await world.call(OWNER, "get_conversation", conversationId=conversation)

    renamed = await world.call(OWNER, "rename_conversation", conversationId=conversation, title="  Black\nFriday ")

    assert renamed["title"] == "Black Friday"
    after = await world.call(OWNER, "get_conversation", conversationId=conversation)
    assert after == before | {"title": "Black Friday"}
    rows = Rows(world.store, "wsp_north")
    row = await rows.first(rows.select(chat_sessions).where(chat_sessions.c.id == conversation))
    assert row is not None
    assert row.titled_by == "person"
    assert (await world.audit_rows())[-2]["action"] == "rename_conversation"


@pytest.mark.parametrize("title", ["", " ", "x" * 81])
async def test_a_title_that_says_nothing_or_too_much_is_refused(world: World, title: str) -> None:
    conversation = await told(world.store, "wsp_north", OWNER.user)

    refused = await world.refusal(OWNER, "rename_conversation", conversationId=conversation, title=title)

    assert refused.code == "invalid_arguments"

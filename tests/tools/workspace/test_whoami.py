"""Who is asking, and whether changes wait for a person."""

import pytest

from tests.promises import promise
from tests.world import AGENT, DIRECT_KEY, KEY, OWNER, STRANGER, VIEWER, World, principal, renamed
from tools.authority import Principal, Via


@promise("dev.overview.workspace-scoped")
async def test_a_stranger_sees_its_own_workspace(world: World) -> None:
    assert (await world.call(STRANGER, "whoami"))["workspaceId"] == "wsp_south"


async def test_any_valid_credential_may_ask(world: World) -> None:
    bare = principal(via=Via.KEY, scopes=frozenset())

    assert (await world.call(bare, "whoami"))["scopes"] == []


@promise("dev.auth.session.workspace-and-role")
async def test_it_says_who_is_asking(world: World) -> None:
    viewer = renamed(VIEWER, workspace_name="Northwind", plan="pro")

    assert await world.call(viewer, "whoami") == {
        "principalId": "usr_viewer",
        "name": VIEWER.name,
        "workspaceId": "wsp_north",
        "workspaceName": "Northwind",
        "plan": "pro",
        "role": "viewer",
        "scopes": ["ads:read", "analytics:read", "pixel:read"],
        "via": "session",
        "gated": False,
    }


@pytest.mark.parametrize(("who", "gated"), [(OWNER, False), (DIRECT_KEY, False), (KEY, True), (AGENT, True)])
async def test_it_says_whether_changes_wait_for_a_person(world: World, who: Principal, gated: bool) -> None:
    assert (await world.call(who, "whoami"))["gated"] is gated


async def test_it_takes_no_arguments(world: World) -> None:
    assert (await world.refusal(OWNER, "whoami", workspaceId="wsp_south")).code == "invalid_arguments"

"""A token for one visitor's profile, and nobody else's."""

from typing import Any

import pytest

from tests.promises import promise
from tests.tools.pixel.sites import SITE, THEIRS, add_site
from tests.world import KEY, OWNER, STRANGER, VIEWER, World, principal
from tools.authority import Scope, Via


async def test_a_strangers_website_is_not_found(world: World) -> None:
    await add_site(world, THEIRS, "wsp_south")

    error = await world.refusal(VIEWER, "get_visitor", visitor_id="v_abc", websiteId=THEIRS)

    assert error.code == "not_found"
    assert world.pipes.minted == []


async def test_the_same_visitor_is_another_one_in_another_workspace(world: World) -> None:
    await world.call(STRANGER, "get_visitor", visitor_id="v_abc")

    assert world.pipes.minted[0]["fixed"] == {"workspace_id": "wsp_south", "visitor_id": "v_abc"}


@promise("pixel.visitors.mint")
async def test_minting_takes_its_scope(world: World) -> None:
    reader = principal(via=Via.KEY, scopes=frozenset(Scope) - {Scope.PIXEL_READ})

    error = await world.refusal(reader, "get_visitor", visitor_id="v_abc")

    assert (error.code, error.details["required"]) == ("insufficient_scope", "pixel:read")


@promise("pixel.visitors.mint")
@pytest.mark.parametrize("visitor", ["v_abc", "5b0f4b1e-6f0e-4c39-9a55-0d6f2f6f1c3a", "a b/ü'\"%20"])
async def test_it_reads_the_profile_of_that_visitor_only(world: World, visitor: str) -> None:
    await add_site(world)

    answer = await world.call(KEY, "get_visitor", visitor_id=visitor, websiteId=SITE)

    assert answer["pipe"] == "p_visitor_profile"
    assert answer["url"] == "https://analytics.test/v0/pipes/p_visitor_profile.json"
    (minted,) = world.pipes.minted
    assert minted["pipe"] == "p_visitor_profile"
    assert minted["fixed"] == {"workspace_id": "wsp_north", "visitor_id": visitor, "website_id": SITE}


@pytest.mark.parametrize(
    "sent", [{"visitor_id": ""}, {"visitor_id": " "}, {"visitor_id": "v" * 129}, {"visitor_id": 7}]
)
async def test_what_is_no_visitor_is_refused(world: World, sent: dict[str, Any]) -> None:
    assert (await world.refusal(OWNER, "get_visitor", **sent)).code == "invalid_arguments"
